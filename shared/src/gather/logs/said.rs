//! What a function says in a line of its log, whoever wrote it: the application's logger, flat or nested, one of Lambda's runtimes, or
//! Lambda itself.
//!
//! A runtime puts its own words before the application's (`<time>\t<request>\tERROR\tInvoke Error \t{…}`, `[ERROR] KeyError: …`); Lambda's
//! JSON format has the application's object in `message`; a logger may have its fields in `context`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html>, <https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html>

use serde_json::Value;
use uuid::Uuid;

use super::report::{Format, Report};
use super::{Line, phrase};
use crate::failure::{UNKNOWN, failure};

/// How bad a line is by its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is wrong.
    Quiet,
    /// Something may be.
    Warning,
    /// Something is.
    Error,
}

impl Level {
    /// What a logger's word means, in whatever case; `None` for a word that is no level.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "trace" | "debug" | "info" | "information" | "notice" => Self::Quiet,
            "warn" | "warning" => Self::Warning,
            "error" | "err" | "fatal" | "critical" | "crit" | "severe" | "alert" | "emergency" | "panic" => Self::Error,
            _ => return None,
        })
    }
}

/// One line, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The runtime's level, where it put one before the application's words.
    level: Option<String>,
    /// The words, without the runtime's, up to the JSON.
    words: String,
    /// The application's object, what it has in `context`, and Lambda's object around it.
    objects: Vec<Value>,
    /// Lambda reports that it ended the run at its timeout.
    timed_out: bool,
}

/// What finds the lines of errors in a log of this format, each a search of its own. Terms are case-sensitive, so a level is looked for in
/// every spelling; what is found so and is no error is left out by [`Said::is_error`].
#[must_use]
pub fn error_patterns(format: Format) -> Vec<String> {
    let words = ["ERROR", "Error", "error", "FATAL", "fatal", "CRITICAL", "critical"].map(|word| format!("?{word}"));
    let lambdas = LAMBDA.map(|(begins, _)| format!("?{}", phrase(begins)));
    let any = [&words[..], &lambdas[..]].concat().join(" ");
    match format {
        Format::Text => vec![any],
        // A timeout is in the report only.
        Format::Json => vec![any, format!("{} timeout", format.pattern())],
    }
}

/// Lambda's own words for a run that it ended, and the names that it has for them elsewhere.
const LAMBDA: [(&str, &str); 2] = [("Task timed out", "Sandbox.Timedout"), ("Runtime exited", "Runtime.ExitError")];

impl Said {
    /// Takes a line apart.
    #[must_use]
    pub fn of(line: &Line) -> Self {
        let json = line.json();
        let text = match (&json, line.message.find('{')) {
            (Some(_), Some(at)) => &line.message[..at],
            _ => line.message.as_str(),
        };
        let (level, words) = runtimes(text.trim());
        let mut objects = Vec::new();
        if let Some(outer) = json {
            let is_wrapped = outer["message"].is_object();
            let own = if is_wrapped { outer["message"].clone() } else { outer.clone() };
            let context = Some(own["context"].clone()).filter(Value::is_object);
            objects = [Some(own), context, is_wrapped.then_some(outer)].into_iter().flatten().collect();
        }
        let timed_out = objects.first().is_some_and(|own| own["type"] == "platform.report")
            && Report::read(line).is_some_and(|report| report.timed_out);
        Self { level, words: words.to_owned(), objects, timed_out }
    }

    /// A field of the application's object, else of its `context`, else of Lambda's object around it, that `fits`.
    #[must_use]
    pub fn field(&self, name: &str, fits: impl Fn(&Value) -> bool) -> Option<&Value> {
        self.objects.iter().map(|object| &object[name]).find(|value| fits(value))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.field(name, |value| value.as_str().is_some_and(|text| !text.trim().is_empty())).and_then(Value::as_str)
    }

    /// The application's object.
    #[must_use]
    pub fn own(&self) -> Option<&Value> {
        self.objects.first()
    }

    /// The level as it stands there: the application's own word, else the runtime's.
    #[must_use]
    pub fn level_word(&self) -> Option<&str> {
        self.text("level").or(self.level.as_deref())
    }

    /// How bad it is, where the line says so.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.level_word().and_then(Level::of)
    }

    /// Whether the line tells of an error: by its level, by an error's code, or in Lambda's own words.
    #[must_use]
    pub fn is_error(&self) -> bool {
        let has_code = || self.objects.iter().any(|object| object["error"]["code"].is_string());
        match self.level() {
            Some(Level::Error) => true,
            Some(Level::Warning | Level::Quiet) => has_code(),
            None => has_code() || self.timed_out || self.of_lambda().is_some() || self.begins_with_an_error(),
        }
    }

    /// Whether a line without a level is an error all the same: it is one's own text (`KeyError: …`), or has the level somewhere (`ERROR`).
    fn begins_with_an_error(&self) -> bool {
        self.objects.is_empty()
            && (self.name().is_some()
                || self
                    .words
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|word| matches!(word, "ERROR" | "FATAL" | "CRITICAL")))
    }

    fn of_lambda(&self) -> Option<&'static str> {
        let platform = self.objects.is_empty() || self.timed_out;
        let named = LAMBDA.iter().find(|(begins, _)| self.words.contains(begins)).map(|(_, name)| *name);
        named.or(self.timed_out.then_some(LAMBDA[0].1)).filter(|_| platform)
    }

    /// The error's class where the words begin with it: `KeyError: 'a'`.
    fn name(&self) -> Option<&str> {
        let (name, _) = self.words.split_once(':')?;
        let is_class = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
        (is_class && ["Error", "Exception"].iter().any(|end| name.ends_with(end))).then_some(name)
    }

    /// The error's code, its class or its name; a code that its words begin with (`AI_ERROR: …`).
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let named = self.error_names().next().or_else(|| self.of_lambda()).or_else(|| self.name()).map(str::to_owned);
        named.or_else(|| Some(failure(None, Some(self.error()?)).code).filter(|code| code != UNKNOWN))
    }

    /// What the error says: its message, or the first line of its stack.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        let of_error =
            self.objects.iter().find_map(|object| object["error"].as_str().or(object["error"]["message"].as_str()));
        of_error.or_else(|| self.text("errorMessage")).or_else(|| self.text("stack")?.lines().next())
    }

    /// All names that the error has in the objects: codes first.
    pub fn error_names(&self) -> impl Iterator<Item = &str> {
        let of_error =
            |name: &'static str| self.objects.iter().filter_map(move |object| object["error"][name].as_str());
        let beside = |name: &'static str| self.objects.iter().filter_map(move |object| object[name].as_str());
        ["code", "name", "type"]
            .into_iter()
            .flat_map(of_error)
            .chain(["errorCode", "errorType"].into_iter().flat_map(beside))
    }

    /// All that describes the error: its texts, its cause, the first line of its stack.
    pub fn error_texts(&self) -> impl Iterator<Item = &str> {
        self.objects.iter().flat_map(|object| {
            let (error, stack) = (&object["error"], object["stack"].as_str().and_then(|stack| stack.lines().next()));
            let texts = [error, &error["message"], &error["cause"], &object["errorMessage"]].map(Value::as_str);
            texts.into_iter().chain([stack]).flatten()
        })
    }

    /// What the line says: its message, else the action that it is about, else the words before the object.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let words = Some(self.words.as_str()).filter(|words| !words.is_empty());
        self.text("message").or_else(|| self.text("action")).or(words)
    }

    /// The process that it is about.
    #[must_use]
    pub fn process(&self) -> Option<Uuid> {
        self.text("processId").and_then(|id| id.parse().ok())
    }
}

/// The level that a runtime has put before a line, and what follows: `<time>\t<request>\tERROR\t…` (Node.js), `[ERROR]\t<time>\t<request>\t…` and
/// `[ERROR] …` (Python).
fn runtimes(text: &str) -> (Option<String>, &str) {
    if let Some((level, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']'))
        && Level::of(level).is_some()
    {
        let rest = rest.trim_start_matches(' ');
        let words = rest.strip_prefix('\t').map_or(rest, |rest| rest.splitn(3, '\t').last().unwrap_or(rest));
        return (Some(level.to_owned()), words.trim());
    }
    let mut fields = text.splitn(4, '\t');
    if let (Some(_), Some(_), Some(level)) = (fields.next(), fields.next(), fields.next())
        && Level::of(level.trim()).is_some()
    {
        return (Some(level.trim().to_owned()), fields.next().unwrap_or_default().trim());
    }
    (None, text)
}

#[cfg(test)]
mod tests;
