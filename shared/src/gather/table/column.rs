//! A column of a table, as the catalogue has it and as SQL speaks of it.

use crate::domain::{IdKind, Language};
use crate::gather::error::Error;
use crate::gather::table::texts;
use crate::gather::table_name::TableName;

/// A column, as SQL has to speak of it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Quoted.
    pub(crate) name: String,
    /// As `format_type` has it; an enum's is quoted and qualified.
    pub(crate) type_name: String,
    /// The same, and `enum` for every enum.
    pub(crate) family: String,
    /// A `timestamp` that holds UTC, as Prisma makes it.
    pub(crate) local_time: bool,
}

/// A column in both spellings, and the types that it may have; where none are named, any is right.
pub(crate) type Wanted<'a> = (&'a str, &'a str, &'static [&'static str]);

pub(crate) const TIMES: &[&str] = &["timestamp with time zone", "timestamp without time zone"];

/// A column, as the catalogue has it.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) family: String,
    pub(crate) labels: Option<Vec<String>>,
    /// Computed by the database: nobody can write it.
    pub(crate) generated: bool,
    /// Whether this database user may write it.
    pub(crate) updates: bool,
}

impl Column {
    /// Whether it is JSON, of either kind.
    pub(super) fn is_json(&self) -> bool {
        self.family.starts_with("json")
    }

    /// What ids are that stand there.
    pub(super) fn ids(&self) -> IdKind {
        match self.family.as_str() {
            "uuid" => IdKind::Uuid,
            "smallint" | "integer" | "bigint" => IdKind::Integer,
            _ => IdKind::Text,
        }
    }

    pub(crate) fn of(found: &Found) -> Self {
        Self {
            name: quoted(&found.name),
            type_name: found.type_name.clone(),
            family: found.family.clone(),
            local_time: found.family == "timestamp without time zone",
        }
    }
}

/// A column among those of a table, in either spelling; `None` where there is none.
pub(crate) fn find<'a>(
    name: &TableName,
    language: Language,
    found: &'a [Found],
    wanted: Wanted<'_>,
) -> Result<Option<&'a Found>, Error> {
    let (snake, camel, types) = wanted;
    let Some(column) = found.iter().find(|column| column.name == snake || column.name == camel) else {
        return Ok(None);
    };
    if !types.is_empty() && !types.contains(&column.family.as_str()) {
        return Err(Error::Table(texts::column_type(language, name, &column.name, &column.type_name, types)));
    }
    Ok(Some(column))
}

/// The error that a table lacks a column.
pub(crate) fn missing(name: &TableName, language: Language, (snake, camel, types): Wanted<'_>) -> Error {
    let names = if snake == camel { format!("`{snake}`") } else { format!("`{snake}` (or \"{camel}\")") };
    Error::Table(texts::no_column(language, name, &names, types))
}

/// A table's name, quoted and qualified.
pub(crate) fn relation(name: &TableName) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.table))
}

/// A name, quoted.
pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// A text as a literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
