//! The slowest statements, from `pg_stat_statements`, and how a statement may be shown: without anything that somebody has written as
//! a literal.
//!
//! The extension replaces the literals of queries by `$1`, but not those of utility statements (`ALTER ROLE … PASSWORD '…'`), and it
//! keeps comments.

use remediation::gather::error::Error;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};

/// What the server knows of its statements.
#[derive(Debug, Clone, PartialEq)]
pub enum Statements {
    /// Those that count among the ten slowest, by either measure.
    Known(Vec<Statement>),
    /// This database does not have the extension.
    NoExtension,
    /// The extension is there, and does not answer, as PostgreSQL says why.
    Silent(String),
}

/// One statement. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The server's own number for it.
    pub id: Option<String>,
    /// Fit to be shown.
    pub query: String,
    pub calls: i64,
    pub rows: i64,
    #[serde(rename = "meanMilliseconds")]
    pub mean: f64,
    #[serde(rename = "totalMilliseconds")]
    pub total: f64,
    /// Its place by mean time, from 1.
    #[serde(skip)]
    pub by_mean: i64,
    /// Its place by total time, from 1.
    #[serde(skip)]
    pub by_total: i64,
    /// How many statements this user may not read, in all.
    #[serde(skip)]
    pub hidden: i64,
}

/// How much of a statement is shown, in characters.
const SHOWN: usize = 300;

/// Reads them. That there are none to read is an answer, and no error.
pub async fn read(db: &mut PgConnection) -> Result<Statements, Error> {
    let view: Option<(String, bool)> = sqlx::query_as(
        "SELECT format('%I.pg_stat_statements', n.nspname),
                EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                         WHERE c.relname = 'pg_stat_statements' AND c.relnamespace = n.oid AND a.attname = 'total_exec_time')
           FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'",
    )
    .fetch_optional(&mut *db)
    .await
    .map_err(Error::database("looking for pg_stat_statements"))?;
    let Some((view, executions_apart)) = view else { return Ok(Statements::NoExtension) };
    // Since version 1.8 (PostgreSQL 13) planning is counted apart.
    let (mean, total) =
        if executions_apart { ("mean_exec_time", "total_exec_time") } else { ("mean_time", "total_time") };
    let sql = include_str!("statements.sql").replace("{view}", &view).replace("{mean}", mean).replace("{total}", total);
    match sqlx::query_as::<_, Statement>(AssertSqlSafe(sql)).fetch_all(db).await {
        Ok(mut all) => {
            all.iter_mut().for_each(|statement| statement.query = shown(&statement.query));
            Ok(Statements::Known(all))
        }
        // Not preloaded, or not granted.
        Err(sqlx::Error::Database(error)) => Ok(Statements::Silent(error.to_string())),
        Err(error) => Err(Error::database("reading pg_stat_statements")(error)),
    }
}

/// A statement on one line, without comments and without what was written in quotes, cut to [`SHOWN`] characters.
fn shown(query: &str) -> String {
    let mut clean = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let word = clean.chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_');
        rest = match first {
            '-' if after.starts_with('-') => {
                clean.push(' ');
                after.find('\n').map_or("", |end| &after[end..])
            }
            '/' if after.starts_with('*') => {
                clean.push(' ');
                after_comment(&after[1..])
            }
            '\'' => {
                let escapes = clean.ends_with(['e', 'E']) && !clean[..clean.len() - 1].ends_with(char::is_alphanumeric);
                clean.push('?');
                after_quote(after, '\'', escapes)
            }
            '"' => {
                let end = after_quote(after, '"', false);
                clean.push_str(&rest[..rest.len() - end.len()]);
                end
            }
            '$' if !word => match dollar_quote(rest) {
                Some(tag) => {
                    clean.push('?');
                    let body = &rest[tag.len()..];
                    body.find(tag).map_or("", |end| &body[end + tag.len()..])
                }
                None => {
                    clean.push('$');
                    after
                }
            },
            other => {
                clean.push(other);
                after
            }
        };
    }
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// What follows a quoted text; nothing, where it does not end.
fn after_quote(text: &str, quote: char, escapes: bool) -> &str {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && escapes {
            characters.next();
        } else if character == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => drop(characters.next()),
                _ => return &text[at + quote.len_utf8()..],
            }
        }
    }
    ""
}

/// What follows a comment; they nest.
fn after_comment(text: &str) -> &str {
    let (mut depth, mut rest) = (1, text);
    while depth > 0 {
        let (open, close) = (rest.find("/*"), rest.find("*/"));
        match (open, close) {
            (_, None) => return "",
            (Some(open), Some(close)) if open < close => (depth, rest) = (depth + 1, &rest[open + 2..]),
            (_, Some(close)) => (depth, rest) = (depth - 1, &rest[close + 2..]),
        }
    }
    rest
}

/// The tag that opens a text in dollar quotes, `$$` or `$body$`; none for a parameter, `$1`.
fn dollar_quote(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 1;
    let tag = &text[1..end];
    let name = tag.chars().all(|c| c.is_alphanumeric() || c == '_') && !tag.starts_with(|c: char| c.is_ascii_digit());
    name.then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_written_as_a_literal_is_shown() {
        for (query, expected) in [
            ("SELECT *\n  FROM t WHERE id = $1 AND b = $2", "SELECT * FROM t WHERE id = $1 AND b = $2"),
            ("ALTER ROLE app PASSWORD 'secret'", "ALTER ROLE app PASSWORD ?"),
            ("ALTER ROLE app PASSWORD E'se\\'cret' VALID UNTIL 'x'", "ALTER ROLE app PASSWORD E? VALID UNTIL ?"),
            ("SELECT 'it''s secret', 'C:\\', 'secret'", "SELECT ?, ?, ?"),
            (
                "CREATE FUNCTION f() AS $body$ secret $$ secret $body$ LANGUAGE sql",
                "CREATE FUNCTION f() AS ? LANGUAGE sql",
            ),
            ("DO $$ secret $$", "DO ?"),
            ("/* secret /* nested */ secret */ SELECT 1 -- secret\n FROM t", "SELECT 1 FROM t"),
            ("SELECT \"odd'name\", 'secret' FROM \"a--b\"", "SELECT \"odd'name\", ? FROM \"a--b\""),
            // What does not end is not shown to its end.
            ("SELECT 'secret", "SELECT ?"),
            ("SELECT $x$ secret", "SELECT ?"),
            ("SELECT 1 /* secret", "SELECT 1"),
            ("SELECT $1$2, a$1, 日本語 = '秘密'", "SELECT $1$2, a$1, 日本語 = ?"),
            ("", ""),
        ] {
            assert_eq!(shown(query), expected, "{query}");
        }
    }

    #[test]
    fn a_long_statement_is_cut_between_characters() {
        let long = format!("SELECT {}", "秘".repeat(400));
        let shown = shown(&long);
        assert_eq!((shown.chars().count(), shown.ends_with('…')), (SHOWN + 1, true));
    }
}
