//! Reads a profile: all that is wrong with it is told at once, each with its key and what it may be.

use chrono::TimeDelta;

use super::section::Section;
use super::{ErrorKeys, ErrorShape, Name, OnCompleted, Profile, Retry};
use crate::domain::{FailedOutput, IdKind, LogPaths, NamePattern, Owner, Refused, Statuses, Words};
use crate::gather::table_name::TableName;
use crate::gather::trigger::result_path::ResultPath;

/// What a profile says lives as long as the function that has read it, once.
fn forever(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn all_forever(texts: Vec<String>) -> &'static [&'static str] {
    Box::leak(texts.into_iter().map(forever).collect::<Vec<_>>().into_boxed_slice())
}

fn names(path: &ResultPath) -> &'static [&'static str] {
    all_forever(path.names().to_vec())
}

impl Profile {
    /// Reads `application.toml`.
    ///
    /// # Errors
    /// Every fault, each naming its key and what it may be.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let keys = toml::from_str(text).map_err(|error| vec![format!("it is no TOML: {}", error.message())])?;
        let mut root = Section::new("", keys);
        let table = root.text("table").and_then(|name| table(&mut root, &name));
        let mut profile = table.map_or_else(Self::guide, Self::of_another);
        let mut faults = Vec::new();

        if let Some(mut filter) = root.section("where", None) {
            profile.filter = filter.all_constants();
            faults.extend(filter.end());
        }
        if let Some(id) = root.column("id") {
            profile.columns.id = Name::Own(id);
        }
        let mut column = |key, of: &mut Option<Name>| *of = root.column(key).map(Name::Own).or(of.take());
        column("progress", &mut profile.columns.progress);
        column("type", &mut profile.columns.kind);
        column("user", &mut profile.columns.user);
        column("target", &mut profile.columns.target);
        column("attempts", &mut profile.columns.attempts);
        profile.retry =
            root.choice("retry", &[("reopen", Retry::Reopen), ("off", Retry::Off)]).unwrap_or(profile.retry);

        let mut words = *profile.words;
        if profile.is_anothers() {
            // Nothing links its rows to executions but what it says.
            words.owner = Owner { input: None, name: None, ..words.owner };
        }
        words.fence = root.choice("fence", &[("keep", Refused::Keep), ("skip", Refused::Skip)]).unwrap_or(words.fence);
        for (key, short, read) in SECTIONS {
            if let Some(mut section) = root.section(key, short) {
                read(&mut section, &mut profile, &mut words);
                faults.extend(section.end());
            }
        }
        if profile.is_anothers() && profile.columns.created.is_none() && profile.columns.started.is_none() {
            root.fault("times", "without `created` and `started`", "a table that names one of these columns");
        }
        if profile.columns.arn.is_none() && words.owner.input.is_none() && words.owner.name.is_none() {
            root.fault(
                "execution",
                "without `arn`, `input` and `name`",
                "a table with one of them: else nothing links a row to its execution",
            );
        }
        faults.extend(root.end());
        if !faults.is_empty() {
            return Err(faults);
        }
        // Of another application's ids, only the catalogue can tell what they are.
        let ids = if profile.is_anothers() { IdKind::Text } else { IdKind::Uuid };
        words.owner.ids = ids;
        profile.words = Box::leak(Box::new(words));
        Ok(profile)
    }
}

type Read = fn(&mut Section, &mut Profile, &mut Words);

/// The tables of a profile, each with the key that a text in its place stands for.
const SECTIONS: [(&str, Option<&str>, Read); 10] = [
    ("status", Some("column"), statuses),
    ("codes", None, codes),
    ("times", None, times),
    ("error", Some("column"), error),
    ("result", Some("column"), result),
    ("execution", None, execution),
    ("failed_output", None, failed_output),
    ("on", None, on),
    ("logs", None, logs),
    ("deadlines", None, deadlines),
];

fn table(root: &mut Section, name: &str) -> Option<TableName> {
    let (schema, table) = name.split_once('.').unwrap_or(("public", name));
    if schema.is_empty() || table.is_empty() || table.contains('.') {
        root.fault(
            "table",
            &format!("`{name}`"),
            "<schema>.<table> or <table>, as the catalogue spells it, without quotes",
        );
        return None;
    }
    Some(TableName { schema: schema.to_owned(), table: table.to_owned() })
}

fn statuses(section: &mut Section, profile: &mut Profile, words: &mut Words) {
    if let Some(column) = section.column("column") {
        profile.columns.status = Name::Own(column);
    }
    profile.columns.status_key = section.text("key");
    let mut named = false;
    let mut of = |key, guide: &'static [&'static str]| match section.texts(key) {
        Some(words) => {
            named = true;
            all_forever(words)
        }
        None => guide,
    };
    let guide = words.statuses;
    let read = Statuses {
        pending: of("pending", &[]),
        processing: of("processing", &[]),
        waiting: of("waiting", guide.waiting),
        completed: of("completed", &[]),
        failed: of("failed", &[]),
        timed_out: of("timed_out", &[]),
        cancelled: of("cancelled", &[]),
        ignored: of("ignored", guide.ignored),
    };
    if !named {
        return;
    }
    // What waits and what is nobody's business may be told beside the guide's words.
    let tells_more = [read.pending, read.processing, read.completed, read.failed, read.timed_out, read.cancelled];
    let read = if tells_more.iter().all(|words| words.is_empty()) {
        Statuses { waiting: read.waiting, ignored: read.ignored, ..guide }
    } else {
        profile.writes_timed_out = !read.timed_out.is_empty();
        for (key, words) in [("processing", read.processing), ("completed", read.completed), ("failed", read.failed)] {
            if words.is_empty() {
                section.fault(key, "missing", "the application's words for it, the one that is written first");
            }
        }
        read
    };
    let all: Vec<(&str, &str)> = [
        ("pending", read.pending),
        ("processing", read.processing),
        ("waiting", read.waiting),
        ("completed", read.completed),
        ("failed", read.failed),
        ("timed_out", read.timed_out),
        ("cancelled", read.cancelled),
        ("ignored", read.ignored),
    ]
    .into_iter()
    .flat_map(|(key, words)| words.iter().map(move |word| (key, *word)))
    .collect();
    overlaps(section, &all);
    words.statuses = read;
}

/// A word that stands in two lists, or twice in one.
fn overlaps(section: &mut Section, all: &[(&str, &str)]) {
    for (at, (key, word)) in all.iter().enumerate() {
        if let Some((first, _)) = all[..at].iter().find(|(_, before)| before == word) {
            section.fault(key, &format!("`{word}`, which is in `{first}` too"), "a word of its own");
        }
    }
}

fn codes(section: &mut Section, _: &mut Profile, words: &mut Words) {
    words.cancelled = section.texts("cancelled").map_or(words.cancelled, all_forever);
    words.transient = section.texts("transient").map_or(words.transient, all_forever);
    words.permanent = section.texts("permanent").map_or(words.permanent, all_forever);
    let lists = [("cancelled", words.cancelled), ("transient", words.transient), ("permanent", words.permanent)];
    let all: Vec<_> = lists.into_iter().flat_map(|(key, codes)| codes.iter().map(move |code| (key, *code))).collect();
    overlaps(section, &all);
}

fn times(section: &mut Section, profile: &mut Profile, _: &mut Words) {
    let columns = &mut profile.columns;
    let mut column = |key, of: &mut Option<Name>| *of = section.column(key).map(Name::Own).or(of.take());
    column("created", &mut columns.created);
    column("started", &mut columns.started);
    column("updated", &mut columns.updated);
    column("finished", &mut columns.finished);
    if let Some(zone) = section.text("zone") {
        if zone.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-:".contains(c)) {
            columns.zone = zone;
        } else {
            section.fault("zone", &format!("`{zone}`"), "the name of a time zone, such as UTC or Asia/Tokyo");
        }
    }
}

fn error(section: &mut Section, profile: &mut Profile, words: &mut Words) {
    let (one, code, message) =
        (section.column("column"), section.column("code_column"), section.column("message_column"));
    let mut keys = ErrorKeys::default();
    for (key, of) in [("code", &mut keys.code), ("message", &mut keys.message), ("cause", &mut keys.cause)] {
        if let Some(name) = section.text(key) {
            *of = name;
        }
    }
    words.error_code = forever(keys.code.clone());
    keys.retryable = section.text("retryable");
    keys.hidden = section.texts("hidden").unwrap_or_default();
    let none = section.texts("none").and_then(|words| words.into_iter().next());
    profile.error = match (one, code, message) {
        (Some(column), None, None) => ErrorShape::One { column: Name::Own(column), keys, none },
        (None, Some(code), Some(message)) => ErrorShape::Two { code: Name::Own(code), message: Name::Own(message) },
        (None, None, None) => match &profile.error {
            ErrorShape::One { column, .. } => ErrorShape::One { column: column.clone(), keys, none },
            ErrorShape::Absent | ErrorShape::Two { .. } => {
                section.fault("column", "missing", "a column, or `code_column` and `message_column`");
                return;
            }
        },
        _ => {
            section.fault("column", "half said", "either `column`, or `code_column` and `message_column`");
            return;
        }
    };
}

fn result(section: &mut Section, profile: &mut Profile, _: &mut Words) {
    if let Some(column) = section.column("column") {
        profile.columns.result = Some(Name::Own(column));
    }
    if let Some(path) = section.path("path") {
        profile.result_path = path;
    }
    profile.require_result = section.flag("required").unwrap_or(false);
}

fn execution(section: &mut Section, profile: &mut Profile, words: &mut Words) {
    profile.columns.arn = section.column("arn").map(Name::Own);
    let input = section.path("input").map(|path| names(&path));
    let name = section.text("name").and_then(|text| {
        let pattern = pattern(&text);
        if pattern.is_none() {
            section.fault(
                "name",
                &format!("`{text}`"),
                "one `{id}` with what stands before and behind it, and `<digits>` at its end, such as `{id}-<digits>`",
            );
        }
        pattern
    });
    // What is said here is all that there is.
    words.owner = Owner { input, name, ..words.owner };
    let machines = section.texts("machines").unwrap_or_default();
    for machine in &machines {
        let parts: Vec<&str> = machine.split(':').collect();
        let sound = matches!(parts.as_slice(), ["arn", partition, "states", region, account, "stateMachine", name]
            if [partition, region, account, name].iter().all(|part| !part.is_empty()));
        if !sound || machine.strip_suffix('*').unwrap_or(machine).contains('*') {
            section.fault("machines", &format!("`{machine}`"), "the ARN of a state machine, or its beginning with `*`");
        }
    }
    profile.machines = machines;
}

/// `{id}` between two texts, and maybe digits at the end.
fn pattern(text: &str) -> Option<NamePattern> {
    let (before, behind) = text.split_once("{id}")?;
    let (behind, digits) = behind.strip_suffix("<digits>").map_or((behind, false), |behind| (behind, true));
    let plain = |text: &str| !text.contains(['{', '}', '<', '>']);
    (plain(before) && plain(behind)).then(|| NamePattern {
        before: forever(before.to_owned()),
        behind: forever(behind.to_owned()),
        digits,
    })
}

fn failed_output(section: &mut Section, _: &mut Profile, words: &mut Words) {
    let (path, value, error) = (section.path("path"), section.text("value"), section.path("error"));
    words.failed_output = FailedOutput {
        status: path.map_or(words.failed_output.status, |path| names(&path)),
        failed: value.map_or(words.failed_output.failed, forever),
        error: error.map_or(words.failed_output.error, |path| names(&path)),
    };
}

fn on(section: &mut Section, profile: &mut Profile, _: &mut Words) {
    let choices = [("write", OnCompleted::Write), ("tell", OnCompleted::Tell)];
    profile.on_completed = section.choice("completed", &choices).unwrap_or(profile.on_completed);
}

fn logs(section: &mut Section, profile: &mut Profile, words: &mut Words) {
    profile.log_groups = section.texts("groups").unwrap_or_default();
    let mut path = |key| section.path(key).map(|path| names(&path));
    words.logs =
        LogPaths { level: path("level"), process: path("process"), message: path("message"), error: path("error") };
}

fn deadlines(section: &mut Section, profile: &mut Profile, _: &mut Words) {
    for (kind, seconds) in section.all_seconds() {
        let deadline = TimeDelta::seconds(seconds);
        if kind == "default" {
            profile.deadline = Some(deadline);
        } else {
            profile.deadlines.push((kind, deadline));
        }
    }
    if !profile.deadlines.is_empty() && profile.columns.kind.is_none() {
        section.fault("default", "not alone", "the only one, unless `type` names the column of the processes' types");
    }
}
