//! What a function says in a line of its log, whoever wrote it: the application's logger, flat or nested, one of Lambda's runtimes, or
//! Lambda itself.
//!
//! A runtime puts its own words before the application's (`<time>\t<request>\tERROR\tInvoke Error \t{…}`, `[ERROR] KeyError: …`); Lambda's
//! JSON format has the application's object in `message`, as an object or as its text; a logger may have its fields in `context`. What a field is
//! called is the logger's: [`LEVELS`] and the lists beside it have the names of the common ones (pino, winston, Powertools, Python's, Google's,
//! Elastic's).
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html>, <https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html>

use serde_json::{Map, Value};
use uuid::Uuid;

use super::report::Format;
use super::{Line, phrase};
use crate::domain::{LogPaths, ProcessId, Words};
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
    /// The application's object.
    own: Option<Value>,
    /// The application's object, what it has in `context`, and Lambda's object around it.
    objects: Vec<Value>,
    /// Lambda's name for why it ended the run, where the line is its report and says so.
    ended: Option<&'static str>,
}

/// Where a logger puts a line's level.
const LEVELS: [&str; 6] = ["level", "severity", "log.level", "levelname", "logLevel", "log_level"];
/// What the line says.
const MESSAGES: [&str; 3] = ["message", "msg", "action"];
/// The process that it is about.
const PROCESSES: [&str; 3] = ["processId", "process_id", "processID"];
/// The error, as an object or a text.
const ERRORS: [&str; 3] = ["error", "err", "exception"];
/// What belongs to the line is in here.
const WITHIN: [&str; 6] = ["context", "data", "extra", "fields", "labels", "meta"];

/// What finds the lines of errors in a log of this format, each a search of its own. Terms are case-sensitive, so a level is looked for in
/// every spelling; what is found so and is no error is left out by [`Said::is_error`].
#[must_use]
pub fn error_patterns(format: Format) -> Vec<String> {
    let words = ["ERROR", "Error", "error", "FATAL", "fatal", "CRITICAL", "critical"].map(|word| format!("?{word}"));
    let lambdas = LAMBDA.map(|(begins, _)| format!("?{}", phrase(begins)));
    // A level that is a number (pino's, bunyan's) has no word to look for.
    let numbers = "$.level >= 50";
    let by_field = match format {
        Format::Text => format!("{{ {numbers} }}"),
        // A timeout is in the report only.
        Format::Json => {
            format!("{{ ({numbers}) || ($.type = \"platform.report\" && $.record.status != \"success\") }}")
        }
    };
    vec![[&words[..], &lambdas[..]].concat().join(" "), by_field]
}

/// Lambda's own words for a run that it ended, and the names that it has for them elsewhere.
const LAMBDA: [(&str, &str); 2] = [("Task timed out", "Sandbox.Timedout"), ("Runtime exited", "Runtime.ExitError")];

/// Lambda's name for a run whose memory was used up; the report says so, and nothing else does.
const OUT_OF_MEMORY: &str = "Runtime.OutOfMemory";

/// Why Lambda ended a run, where the line is its report. In a log of text a line of its own tells of a timeout.
fn ended(message: &str, own: Option<&Value>) -> Option<&'static str> {
    let report = own.filter(|own| own["type"] == "platform.report").map(|own| &own["record"]);
    let is_out_of_memory = match report {
        Some(record) if record["status"] == "timeout" => return Some(LAMBDA[0].1),
        Some(record) => record["errorType"] == OUT_OF_MEMORY,
        None => message.starts_with("REPORT RequestId:") && message.contains(OUT_OF_MEMORY),
    };
    is_out_of_memory.then_some(OUT_OF_MEMORY)
}

impl Said {
    /// Takes a line apart.
    #[must_use]
    pub fn of(line: &Line, application: &Words) -> Self {
        let json = line.json();
        let text = match (&json, line.message.find('{')) {
            (Some(_), Some(at)) => &line.message[..at],
            _ => line.message.as_str(),
        };
        let (level, words) = runtimes(text.trim());
        let mut objects = Vec::new();
        if let Some(outer) = json {
            let inner = match &outer["message"] {
                Value::String(text) if text.trim_start().starts_with('{') => serde_json::from_str(text).ok(),
                inner => Some(inner.clone()),
            };
            let inner = inner.filter(Value::is_object);
            let (own, around) = match inner {
                Some(inner) => (inner, Some(outer)),
                None => (outer, None),
            };
            let within = WITHIN.iter().map(|name| own[*name].clone()).filter(Value::is_object).collect::<Vec<_>>();
            objects = [own].into_iter().chain(within).chain(around).collect();
        }
        let ended = ended(line.message.trim_start(), objects.first());
        let own = objects.first().cloned();
        if let Some(named) = own.as_ref().and_then(|own| named_by_profile(own, &application.logs)) {
            objects.insert(0, named);
        }
        Self { level, words: words.to_owned(), own, objects, ended }
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
        self.own.as_ref()
    }

    fn any_text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.text(name))
    }

    /// The level as it stands there: the application's own word, else the runtime's. A number is pino's, whose word is told.
    #[must_use]
    pub fn level_word(&self) -> Option<&str> {
        let number = || self.field("level", Value::is_u64).and_then(Value::as_u64);
        let of_log = || self.objects.iter().find_map(|object| object["log"]["level"].as_str());
        let own = self.any_text(&LEVELS).or_else(of_log).or_else(|| match number()? {
            0..=29 => Some("debug"),
            30..=39 => Some("info"),
            40..=49 => Some("warn"),
            50..=59 => Some("error"),
            60.. => Some("fatal"),
        });
        own.or(self.level.as_deref())
    }

    /// How bad it is, where the line says so.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.level_word().and_then(Level::of)
    }

    /// Whether the line tells of an error: by its level, by an error's code, or in Lambda's own words.
    #[must_use]
    pub fn is_error(&self) -> bool {
        let has_code = || self.errors().any(|error| error["code"].is_string());
        match self.level() {
            Some(Level::Error) => true,
            Some(Level::Warning | Level::Quiet) => has_code(),
            None => has_code() || self.of_lambda().is_some() || self.begins_with_an_error(),
        }
    }

    /// Whether a line without a level is an error all the same: it is one's own text (`KeyError: …`), or has the level somewhere (`ERROR`).
    fn begins_with_an_error(&self) -> bool {
        self.objects.is_empty()
            && (class(&self.words).is_some_and(|class| self.words.starts_with(class))
                || self
                    .words
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|word| matches!(word, "ERROR" | "FATAL" | "CRITICAL")))
    }

    fn of_lambda(&self) -> Option<&'static str> {
        let named = || LAMBDA.iter().find(|(begins, _)| self.words.contains(begins)).map(|(_, name)| *name);
        self.ended.or_else(|| named().filter(|_| self.objects.is_empty()))
    }

    /// The error's class in the words: `KeyError: 'a'`, `it failed: KeyError: 'a'`.
    fn name(&self) -> Option<&str> {
        self.words.split_inclusive(':').take(WORDS_WITH_A_CLASS).find_map(|part| class(part.trim_start()))
    }

    /// The error's code, its class or its name; a code that its words begin with (`AI_ERROR: …`).
    #[must_use]
    pub fn code(&self, words: &Words) -> Option<String> {
        let named = self.error_names().next().or_else(|| self.of_lambda()).or_else(|| self.name()).map(str::to_owned);
        named.or_else(|| Some(failure(None, Some(self.error()?), words).code).filter(|code| code != UNKNOWN))
    }

    /// The errors that the line has, as objects or texts.
    fn errors(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().flat_map(|object| ERRORS.map(|name| &object[name]))
    }

    /// What the error says: its message, or the line of its stack that has it.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        let of_error = self.errors().find_map(|error| error.as_str().map(telling).or(error["message"].as_str()));
        of_error.or_else(|| self.text("errorMessage")).or_else(|| self.text("stack").map(telling))
    }

    /// All names that the error has in the objects: codes first.
    pub fn error_names(&self) -> impl Iterator<Item = &str> {
        let of_error = |name: &'static str| self.errors().filter_map(move |error| error[name].as_str());
        let beside = |name: &'static str| self.objects.iter().filter_map(move |object| object[name].as_str());
        ["code", "name", "type"]
            .into_iter()
            .flat_map(of_error)
            .chain(["errorCode", "errorType", "exception_name"].into_iter().flat_map(beside))
    }

    /// All that describes the error: its texts, its cause, the line of its stack that tells it.
    pub fn error_texts(&self) -> impl Iterator<Item = &str> {
        let of_errors = self.errors().flat_map(|error| [error, &error["message"], &error["cause"]]);
        let of_errors = of_errors.chain(self.objects.iter().map(|object| &object["errorMessage"]));
        let stacks = self.objects.iter().filter_map(|object| object["stack"].as_str().map(telling));
        of_errors.filter_map(Value::as_str).chain(stacks)
    }

    /// What the line says: its message, else the action that it is about, else the words before the object.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let words = Some(self.words.as_str()).filter(|words| !words.is_empty());
        self.any_text(&MESSAGES).or(words)
    }

    /// The process that it is about: of a field, else the id that stands behind the word in the text.
    #[must_use]
    pub fn process(&self, words: &Words) -> Option<ProcessId> {
        let of_field = self.any_text(&PROCESSES).and_then(|id| words.owner.ids.read(id).ok());
        of_field.or_else(|| [self.message()?, &self.words].into_iter().find_map(named_process).map(ProcessId::from))
    }
}

/// What stands where the application's profile says, under the names that are looked for first.
fn named_by_profile(own: &Value, paths: &LogPaths) -> Option<Value> {
    let at = |path: &[&str]| path.iter().try_fold(own, |value, name| value.get(name)).cloned();
    let named: Map<String, Value> = [
        (LEVELS[0], paths.level),
        (PROCESSES[0], paths.process),
        (MESSAGES[0], paths.message),
        (ERRORS[0], paths.error),
    ]
    .into_iter()
    .filter_map(|(name, path)| Some((name.to_owned(), at(path?)?)))
    .collect();
    (!named.is_empty()).then(|| named.into())
}

/// How many words of a text may have a colon before the class of the error: what is longer is a document.
const WORDS_WITH_A_CLASS: usize = 8;

/// The class of an error that ends right before the first colon, and is a word of its own.
fn class(text: &str) -> Option<&str> {
    let name = text.split_once(':')?.0.rsplit(' ').next()?;
    let is_class = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
    (is_class && ["Error", "Exception"].iter().any(|end| name.ends_with(end))).then_some(name)
}

/// The line of an error's text that says what it is: Python's traceback has it at its end.
fn telling(text: &str) -> &str {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let line = if text.starts_with("Traceback") { lines.next_back() } else { lines.next() };
    line.unwrap_or(text)
}

/// `processId=<id>`, `process <id>`: an id anywhere else may be anything's.
fn named_process(text: &str) -> Option<Uuid> {
    let is_of_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    text.match_indices("rocess").find_map(|(at, word)| {
        let behind = text[at + word.len()..].trim_start_matches(|c: char| "IidD_\"'` =:#[(".contains(c));
        let length = behind.find(|c| !is_of_id(c)).unwrap_or(behind.len());
        behind[..length].parse().ok().filter(|_| length == 36)
    })
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
