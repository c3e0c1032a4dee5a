//! `RESULT_PATH`: where the result stands in an execution's output.

use std::str::FromStr;

use serde_json::Value;

use crate::raw::Raw;

/// A Step Functions [reference path][1]: `$`, then any of `.name`, `['name']` and `[0]`. It names one node, so it has
/// none of JSONPath's operators that may find several.
///
/// [1]: https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultPath {
    /// The same path as a JSON pointer (RFC 6901).
    pointer: String,
    /// The same path, name by name.
    names: Vec<String>,
}

/// A `RESULT_PATH` that is no reference path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "RESULT_PATH is `{path}`, wrong from `{from}` on: it must be a Step Functions reference path, which is $ \
     followed by any of .name, ['name'] and [0], such as $.generationResult.Payload"
)]
pub struct ResultPathError {
    path: String,
    from: String,
}

impl ResultPath {
    /// What the path names in `output`.
    #[must_use]
    pub fn get<'a>(&self, output: &'a Value) -> Option<&'a Value> {
        output.pointer(&self.pointer)
    }

    /// `$`: all of it.
    #[must_use]
    pub const fn whole() -> Self {
        Self { pointer: String::new(), names: Vec::new() }
    }

    /// The path, name by name.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The result in an execution's output, which is JSON in a string. `null` is no result, and neither is what the
    /// path does not reach. It is kept as it is written, but for what `jsonb` refuses: the row could never be completed.
    #[must_use]
    pub fn result(&self, output: &str) -> Option<Raw> {
        Raw::at(output, &self.names).filter(|result| !result.is_null())
    }
}

impl Default for ResultPath {
    /// `$.generationResult.Payload`, where the application's state machine puts it.
    fn default() -> Self {
        let names = ["generationResult", "Payload"].map(str::to_owned).to_vec();
        Self { pointer: "/generationResult/Payload".to_owned(), names }
    }
}

impl FromStr for ResultPath {
    type Err = ResultPathError;

    fn from_str(path: &str) -> Result<Self, ResultPathError> {
        let wrong = |from: &str| ResultPathError { path: path.to_owned(), from: from.to_owned() };
        let mut rest = path.strip_prefix('$').ok_or_else(|| wrong(path))?;
        let (mut pointer, mut names) = (String::new(), Vec::new());
        while !rest.is_empty() {
            let (segment, after) = segment(rest).ok_or_else(|| wrong(rest))?;
            pointer.push('/');
            pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
            names.push(segment);
            rest = after;
        }
        Ok(Self { pointer, names })
    }
}

/// The first segment of a path's rest, and what comes after it.
fn segment(rest: &str) -> Option<(String, &str)> {
    if let Some(rest) = rest.strip_prefix("['") {
        return quoted(rest);
    }
    if let Some(rest) = rest.strip_prefix('[') {
        let (index, after) = rest.split_once(']')?;
        // Not `parse` alone: it takes `+1`, and a JSON pointer has no leading zeros.
        let index = index.bytes().all(|byte| byte.is_ascii_digit()).then(|| index.parse::<usize>().ok()).flatten()?;
        return Some((index.to_string(), after));
    }
    let rest = rest.strip_prefix('.')?;
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"$@*?:,()]'\"\\".contains(c);
    (!name.is_empty() && name.chars().all(plain)).then(|| (name.to_owned(), after))
}

/// A name in quotes, after its opening quote; a backslash takes the next character as it is.
fn quoted(rest: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            '\'' => {
                let after = rest[at + 1..].strip_prefix(']')?;
                return (!name.is_empty()).then_some((name, after));
            }
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_path_finds_its_one_node() {
        let output = json!({
            "generationResult": { "Payload": { "goals": [{ "title": "走る" }] } },
            "a.b/c~d": { "it's": 1 },
            "結果": null,
        });
        for (path, found) in [
            ("$", Some(&output)),
            ("$.generationResult.Payload", Some(&json!({ "goals": [{ "title": "走る" }] }))),
            ("$['generationResult']['Payload'].goals[0].title", Some(&json!("走る"))),
            ("$.generationResult.Payload.goals[1]", None),
            (r"$['a.b/c~d']['it\'s']", Some(&json!(1))),
            ("$.結果", Some(&Value::Null)),
            ("$.other", None),
        ] {
            assert_eq!(path.parse::<ResultPath>().unwrap().get(&output), found, "{path}");
        }
    }

    #[test]
    fn what_is_no_reference_path_is_refused_with_what_it_may_be() {
        for (path, from) in [
            ("", ""),
            ("generationResult", "generationResult"),
            ("$generationResult", "generationResult"),
            ("$.", "."),
            ("$.a..b", "..b"),
            ("$.a.*", ".*"),
            ("$.a[*]", "[*]"),
            ("$.a[-1]", "[-1]"),
            ("$.a[+1]", "[+1]"),
            ("$.a[]", "[]"),
            ("$.a['b", "['b"),
            ("$.a['']", "['']"),
            ("$.a[?(@.b)]", "[?(@.b)]"),
            ("$.a b", ".a b"),
            ("$.a.length()", ".length()"),
        ] {
            let error = path.parse::<ResultPath>().unwrap_err();
            assert_eq!(error.from, from, "{path}");
            let error = error.to_string();
            assert!(error.starts_with("RESULT_PATH is `") && error.contains("$.generationResult.Payload"), "{error}");
        }
    }

    #[test]
    fn a_result_is_what_the_path_reaches_in_json_that_is_not_null() {
        let path = ResultPath::default();
        assert_eq!(path, "$.generationResult.Payload".parse().unwrap());
        assert_eq!(path.result(r#"{"generationResult":{"Payload":{"a":1}}}"#), Some(json!({ "a": 1 }).into()));
        for output in [r#"{"generationResult":{"Payload":null}}"#, "{}", "[]", "no JSON", ""] {
            assert_eq!(path.result(output), None, "{output}");
        }
    }

    #[test]
    fn a_result_has_nothing_that_a_row_cannot_hold() {
        let output = r#"{"generationResult":{"Payload":[{"a\u0000b":"走\u0000る","c":null}]}}"#;
        assert_eq!(ResultPath::default().result(output), Some(json!([{ "ab": "走る", "c": null }]).into()));
    }
}
