//! The mark that a redeployment leaves in a function's description.

use chrono::{DateTime, SecondsFormat};

/// What a description ends with where the code was published once more; the time in UTC.
const REDEPLOYED: &str = "(redeployed ";

/// The most that Lambda keeps of a description, in characters.
const DESCRIPTION_AT_MOST: usize = 256;

/// The moment in a description's mark, in seconds since 1970.
pub(super) fn redeployed_at(description: &str) -> Option<u32> {
    let (_, at) = description.strip_suffix(')')?.rsplit_once(REDEPLOYED)?;
    u32::try_from(DateTime::parse_from_rfc3339(at).ok()?.timestamp()).ok()
}

/// A description with the mark of this moment instead of an earlier one's.
pub(crate) fn redeployed(description: &str, at: u32) -> String {
    let own = match redeployed_at(description) {
        Some(_) => description.rsplit_once(REDEPLOYED).map_or("", |(own, _)| own),
        None => description,
    };
    let at = DateTime::from_timestamp(i64::from(at), 0).unwrap_or_default();
    let mark = format!("{REDEPLOYED}{})", at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let own: String = own.trim_end().chars().take(DESCRIPTION_AT_MOST - mark.len() - 1).collect();
    if own.is_empty() { mark } else { format!("{own} {mark}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redeployments_mark_takes_the_place_of_the_one_before_and_fits_whatever_stood_there() {
        let at = 1_795_482_000;
        for (before, after) in [
            ("", "(redeployed 2026-11-24T01:00:00Z)"),
            ("Generates goals", "Generates goals (redeployed 2026-11-24T01:00:00Z)"),
            ("Generates goals (redeployed 2026-11-01T00:00:00Z)", "Generates goals (redeployed 2026-11-24T01:00:00Z)"),
            ("(redeployed by hand)", "(redeployed by hand) (redeployed 2026-11-24T01:00:00Z)"),
        ] {
            let marked = redeployed(before, at);
            assert_eq!(marked, after, "{before}");
            assert_eq!(redeployed_at(&marked), Some(at));
        }
        let long = redeployed(&"あ".repeat(256), at);
        assert_eq!((long.chars().count(), redeployed_at(&long)), (256, Some(at)));
        for unmarked in ["", "Generates goals", "(redeployed by hand)", "(redeployed 2026-11-24T01:00:00Z) later"] {
            assert_eq!(redeployed_at(unmarked), None, "{unmarked}");
        }
    }
}
