//! CloudWatch Logs' filter patterns: terms, phrases, `?optional`, `-excluded`, `%regex%`, and JSON patterns.
//!
//! Terms are case-sensitive. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

use regex_lite::Regex;
use serde_json::Value;

/// A pattern.
#[derive(Debug)]
pub(super) enum Pattern {
    /// All of the first, one of the second where there are any, none of the third.
    Terms { all: Vec<Term>, any: Vec<Term>, none: Vec<Term> },
    /// `{ … }`: for lines that are JSON and nothing else.
    Json(Condition),
}

/// What a line must hold.
#[derive(Debug)]
pub(super) enum Term {
    Text(String),
    Regex(Regex),
}

/// A condition on a JSON line.
#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Is { path: Vec<String>, operator: String, value: String },
}

impl Term {
    fn is_in(&self, line: &str) -> bool {
        match self {
            Self::Text(text) => line.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(line),
        }
    }
}

impl Pattern {
    /// Reads a pattern; why it cannot be read, where it cannot.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return Condition::parse(inner).map(Self::Json);
        }
        if text.starts_with('[') {
            return Err("the cases' AWS does not know patterns for space-delimited lines".to_owned());
        }
        let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let (list, bare) = match rest.chars().next() {
                Some('?') => (&mut any, &rest[1..]),
                Some('-') => (&mut none, &rest[1..]),
                _ => (&mut all, rest),
            };
            let (term, after) = term(bare)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(Self::Terms { all, any, none })
    }

    /// Whether a line matches.
    pub fn matches(&self, line: &str) -> bool {
        match self {
            Self::Terms { all, any, none } => {
                all.iter().all(|term| term.is_in(line))
                    && (any.is_empty() || any.iter().any(|term| term.is_in(line)))
                    && !none.iter().any(|term| term.is_in(line))
            }
            Self::Json(condition) => {
                serde_json::from_str(line.trim()).is_ok_and(|line: Value| line.is_object() && condition.holds(&line))
            }
        }
    }
}

/// The next term, and what stands behind it.
fn term(text: &str) -> Result<(Term, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (content, rest) = quoted.split_once('"').ok_or("a quotation mark is not closed")?;
        return Ok((Term::Text(content.to_owned()), rest));
    }
    if let Some(quoted) = text.strip_prefix('%') {
        let (content, rest) = quoted.split_once('%').ok_or("a % is not closed")?;
        return Ok((Term::Regex(Regex::new(content).map_err(|error| error.to_string())?), rest));
    }
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    if word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() || c == '_') {
        // As CloudWatch has it.
        return Err(format!(
            "the term `{word}` has other characters than letters, digits and _: it wants quotation marks"
        ));
    }
    Ok((Term::Text(word.to_owned()), rest))
}

impl Condition {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        for (sign, of) in [("||", Self::Any as fn(Vec<Self>) -> Self), ("&&", Self::All)] {
            let parts = outside(text, sign);
            if parts.len() > 1 {
                return parts.into_iter().map(Self::parse).collect::<Result<_, _>>().map(of);
            }
        }
        if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            return Self::parse(inner);
        }
        let unreadable = || format!("the condition `{text}` cannot be read");
        let selector = text.strip_prefix("$.").ok_or_else(unreadable)?;
        let end = selector.find(|c: char| c.is_whitespace() || "=!<>".contains(c)).unwrap_or(selector.len());
        let (path, rest) = selector.split_at(end);
        let rest = rest.trim();
        let operators = ["NOT EXISTS", "IS NULL", "IS TRUE", "IS FALSE", "!=", ">=", "<=", "=", ">", "<"];
        let operator = operators.into_iter().find(|operator| rest.starts_with(operator)).ok_or_else(unreadable)?;
        Ok(Self::Is {
            path: path.split('.').map(str::to_owned).collect(),
            operator: operator.to_owned(),
            value: rest[operator.len()..].trim().to_owned(),
        })
    }

    fn holds(&self, line: &Value) -> bool {
        let (path, operator, value) = match self {
            Self::All(all) => return all.iter().all(|condition| condition.holds(line)),
            Self::Any(any) => return any.iter().any(|condition| condition.holds(line)),
            Self::Is { path, operator, value } => (path, operator.as_str(), value.as_str()),
        };
        let found = path.iter().try_fold(line, |part, key| part.get(key));
        let Some(found) = found else { return operator == "NOT EXISTS" };
        match operator {
            "IS NULL" => found.is_null(),
            "IS TRUE" => found == true,
            "IS FALSE" => found == false,
            "=" => equals(found, value),
            "!=" => !equals(found, value),
            _ => {
                let Some((found, value)) = found.as_f64().zip(value.parse::<f64>().ok()) else { return false };
                match operator {
                    ">" => found > value,
                    "<" => found < value,
                    ">=" => found >= value,
                    "<=" => found <= value,
                    _ => false,
                }
            }
        }
    }
}

/// `*` stands for anything, at the beginning, at the end, or alone.
fn equals(found: &Value, wanted: &str) -> bool {
    if let Some(pattern) = wanted.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')) {
        return found.as_str().zip(Regex::new(pattern).ok()).is_some_and(|(found, regex)| regex.is_match(found));
    }
    let wanted = wanted.trim_matches('"');
    let Some(found) = found.as_str() else {
        return found
            .as_f64()
            .zip(wanted.parse::<f64>().ok())
            .is_some_and(|(found, wanted)| found.total_cmp(&wanted).is_eq());
    };
    match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
        (Some(_), Some(_)) => found.contains(wanted.trim_matches('*')),
        (Some(end), None) => found.ends_with(end),
        (None, Some(start)) => found.starts_with(start),
        (None, None) => found == wanted,
    }
}

/// The parts between a sign that stands outside of parentheses and quotation marks.
fn outside<'a>(text: &'a str, sign: &str) -> Vec<&'a str> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 && !quoted && at >= from && text[at..].starts_with(sign) {
            parts.push(&text[from..at]);
            from = at + sign.len();
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_cloudwatch_has_it() -> Result<(), String> {
        let line = r#"{"level": "error", "n": 5, "context": {"processId": "a-1"}, "message": "it failed"}"#;
        for (pattern, expected) in [
            ("", true),
            ("error", true),
            ("ERROR", false),
            ("\"it failed\"", true),
            ("?ERROR ?error", true),
            ("error -failed", false),
            ("%lev[a-z]+%", true),
            (r#"{ $.context.processId = "a-1" }"#, true),
            (r#"{ $.level = "err*" && ($.n > 5 || $.n = 5) }"#, true),
            (r#"{ $.other NOT EXISTS }"#, true),
            (r#"{ $.n != 5 }"#, false),
        ] {
            assert_eq!(Pattern::parse(pattern)?.matches(line), expected, "{pattern}");
        }
        assert!(Pattern::parse("a-b").is_err());
        Ok(())
    }
}
