//! What SNS takes of a message, whoever tells it.
//!
//! Source: [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use crate::gather::error::Error;

/// The message attribute by which a subscription's filter policy tells what cannot wait, [`AT_ONCE`], from what can, `normal`.
pub const URGENCY: &str = "urgency";

/// It cannot wait.
pub const AT_ONCE: &str = "at-once";

/// Publishes a message about something, with what a subscription's filter policy may look at; how SNS knows it.
///
/// # Errors
/// [`Error::Aws`].
pub async fn publish(
    aws: &SdkConfig,
    topic: &str,
    about: &str,
    message: &str,
    attributes: &[(&str, &str)],
) -> Result<String, Error> {
    let attribute = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build();
    let attributes: Option<HashMap<String, MessageAttributeValue>> =
        attributes.iter().map(|(name, value)| Some(((*name).to_owned(), attribute(value).ok()?))).collect();
    let sent = Client::new(aws)
        .publish()
        .topic_arn(topic)
        .subject(subject(about))
        .message(bounded(message))
        .set_message_attributes(attributes)
        .send()
        .await
        .map_err(Error::aws("Publish"))?;
    Ok(sent.message_id.unwrap_or_default())
}

/// A subject as SNS takes it: printable ASCII, less than 100 characters.
fn subject(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(99).collect()
}

/// A message as SNS takes it: 262,144 bytes, with some to spare for its attributes. What PostgreSQL or a row says may be long, in one line
/// or in many: the last line, which says what to do next, is there all the same.
fn bounded(message: &str) -> String {
    const MESSAGE: usize = 240_000;
    const LINE: usize = 1500;
    let cut = |line: &str| match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    let mut lines: Vec<String> = message.lines().map(cut).collect();
    let mut left = MESSAGE;
    let mut fits = |line: &String| {
        left = left.saturating_sub(line.len() + 1);
        left > 0
    };
    let kept = lines.iter().position(|line| !fits(line));
    if let Some(kept) = kept {
        let last = lines.pop();
        lines.truncate(kept);
        lines.extend(["…".to_owned()].into_iter().chain(last));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_short_line_of_ascii() {
        assert_eq!(subject("[reconcile-processes] act"), "[reconcile-processes] act");
        assert_eq!(subject("[走る]\r\n act"), "[] act");
        assert_eq!(subject(&"x".repeat(500)).len(), 99);
    }

    #[test]
    fn a_message_fits_and_keeps_what_to_do_next() {
        let kept = "1 put right\n\n✓ set-row-status a\n→ reconcile-processes: {\"approve\": \"b\"}";
        assert_eq!(bounded(kept), kept);
        // As many lines as a message has, each as long as can be.
        let long = "😀".repeat(200_000);
        let message = format!("{}→ approve", format!("{long}\n").repeat(41));
        let told = bounded(&message);
        assert!(told.len() <= 262_144 - 10_000 && told.ends_with("…\n→ approve"), "{}", told.len());
        let told = bounded(&format!("{}→ approve", "x\n".repeat(500_000)));
        assert!(told.len() <= 262_144 - 10_000 && told.ends_with("x\n…\n→ approve"), "{}", told.len());
    }
}
