//! The name of a table, as the catalogue has it.

use std::fmt;

/// A table's name, with its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// `public` where none is named.
    pub schema: String,
    /// The table itself, in the catalogue's spelling.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}
