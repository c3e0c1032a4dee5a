//! A table of a profile's TOML, read key by key: what nobody asked for is a fault, and no fault hides another.

use toml::Value;

use crate::gather::trigger::result_path::ResultPath;

/// A table, and what was asked of it.
#[derive(Debug)]
pub(super) struct Section {
    /// `status.` before its keys; empty for the file's own.
    path: String,
    keys: toml::Table,
    known: Vec<&'static str>,
    pub(super) faults: Vec<String>,
}

impl Section {
    pub(super) fn new(path: &str, keys: toml::Table) -> Self {
        Self { path: path.to_owned(), keys, known: Vec::new(), faults: Vec::new() }
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.keys.remove(key)
    }

    /// A fault of `key`, which must be `expected`.
    pub(super) fn fault(&mut self, key: &str, value: &str, expected: &str) {
        self.faults.push(format!("`{}{key}` is {value}: it must be {expected}", self.path));
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            other => {
                self.fault(key, &shown(&other), "a text");
                None
            }
        }
    }

    /// A name of PostgreSQL's.
    pub(super) fn column(&mut self, key: &'static str) -> Option<String> {
        let name = self.text(key)?;
        if name.len() > 63 {
            self.fault(key, &format!("`{name}`"), "the name of a column, of at most 63 bytes");
            return None;
        }
        Some(name)
    }

    /// One text, or a list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let given = self.take(key)?;
        let list = match &given {
            Value::String(text) => vec![text.clone()],
            Value::Array(list) => list.iter().filter_map(|of| of.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        let whole = given.as_array().is_none_or(|all| all.len() == list.len());
        if list.is_empty() && given.as_array().is_none_or(|all| !all.is_empty())
            || !whole
            || list.iter().any(String::is_empty)
        {
            self.fault(key, &shown(&given), "a text or a list of texts");
            return None;
        }
        Some(list)
    }

    /// A reference path.
    pub(super) fn path(&mut self, key: &'static str) -> Option<ResultPath> {
        let text = self.text(key)?;
        let path = text.parse().ok();
        if path.is_none() {
            let expected =
                "a Step Functions reference path: $ followed by any of .name, ['name'] and [0], such as $.processId";
            self.fault(key, &format!("`{text}`"), expected);
        }
        path
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.take(key)? {
            Value::Boolean(flag) => Some(flag),
            other => {
                self.fault(key, &shown(&other), "true or false");
                None
            }
        }
    }

    /// One of these words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, of: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = of.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<String> = of.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.fault(key, &format!("`{text}`"), &words.join(" or "));
        }
        found
    }

    /// A table of its own; where a text may stand for it, that is the table's `short` key.
    pub(super) fn section(&mut self, key: &'static str, short: Option<&'static str>) -> Option<Self> {
        let path = format!("{}{key}.", self.path);
        match (self.take(key)?, short) {
            (Value::Table(keys), _) => Some(Self::new(&path, keys)),
            (text @ Value::String(_), Some(short)) => {
                Some(Self::new(&path, std::iter::once((short.to_owned(), text)).collect()))
            }
            (other, short) => {
                let expected = if short.is_some() { "a text, or a table" } else { "a table" };
                self.fault(key, &shown(&other), expected);
                None
            }
        }
    }

    /// Every key with a whole number of seconds up to a year.
    pub(super) fn all_seconds(&mut self) -> Vec<(String, i64)> {
        let mut read = Vec::new();
        for (key, value) in std::mem::take(&mut self.keys) {
            match value.as_integer() {
                Some(seconds @ 1..=31_536_000) => read.push((key, seconds)),
                _ => self.fault(&key, &shown(&value), "a whole number of seconds from 1 to 31536000"),
            }
        }
        read
    }

    /// Every key with a text, a number or a flag, as text.
    pub(super) fn all_constants(&mut self) -> Vec<(String, String)> {
        let mut read = Vec::new();
        for (key, value) in std::mem::take(&mut self.keys) {
            match &value {
                Value::String(text) => read.push((key, text.clone())),
                Value::Integer(number) => read.push((key, number.to_string())),
                Value::Boolean(flag) => read.push((key, flag.to_string())),
                other => self.fault(&key, &shown(other), "a text, a whole number, true or false"),
            }
        }
        read
    }

    /// What is wrong with it: also that nobody knows a key.
    pub(super) fn end(mut self) -> Vec<String> {
        let unknown: Vec<String> = self.keys.keys().cloned().collect();
        for key in unknown {
            let known: Vec<String> = self.known.iter().map(|known| format!("`{known}`")).collect();
            self.faults.push(format!("`{}{key}` is no key of a profile: it may be {}", self.path, known.join(", ")));
        }
        self.faults
    }
}

/// A value, for people.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", text.chars().take(80).collect::<String>()),
        Value::Integer(number) => format!("`{number}`"),
        Value::Float(number) => format!("`{number}`"),
        Value::Boolean(flag) => format!("`{flag}`"),
        Value::Datetime(_) => "a date".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}
