//! The columns that a profile wants of a table.

use crate::gather::profile::{ErrorShape, Name, Profile};
use crate::gather::table::column::{TIMES, Wanted};

/// A column that a profile wants.
pub(super) struct WantedColumn<'a> {
    /// What it means, as the `.sql` files have it.
    pub(super) meaning: &'static str,
    /// The key of the profile that names it.
    pub(super) key: &'static str,
    name: &'a Name,
    types: &'static [&'static str],
    /// Whether the profile names it itself: then it has to be there.
    pub(super) is_own: bool,
    pub(super) is_needed: bool,
    /// Whether it is written.
    pub(super) is_written: bool,
}

impl WantedColumn<'_> {
    pub(super) fn spelt(&self) -> Wanted<'_> {
        let [snake, camel] = self.name.spellings();
        (snake, camel, self.types)
    }
}

const WORDS: &[&str] = &["text", "character varying", "enum"];
const JSON: &[&str] = &["jsonb"];
const JSON_OR_TEXT: &[&str] = &["jsonb", "json", "text", "character varying"];
const TEXT: &[&str] = &["text", "character varying"];
const WHOLE: &[&str] = &["smallint", "integer"];
const ID: &[&str] = &["uuid", "smallint", "integer", "bigint", "text", "character varying"];

/// All of them.
pub(super) fn wanted(profile: &Profile) -> Vec<WantedColumn<'_>> {
    let columns = &profile.columns;
    // The guide's have these types; of others every one that can be read and written is right.
    let of = |guide: &'static [&'static str], other| if profile.is_anothers() { other } else { guide };
    let (error, code, message) = match &profile.error {
        ErrorShape::Absent => (None, None, None),
        ErrorShape::One { column, .. } => (Some(column), None, None),
        ErrorShape::Two { code, message } => (None, Some(code), Some(message)),
    };
    let status = if columns.status_key.is_some() { JSON } else { WORDS };
    // What it means, the key, the column, its types, whether the guide needs it, whether it is written.
    let all = [
        ("id", "id", Some(&columns.id), of(&["uuid"], ID), true, false),
        ("status", "status.column", Some(&columns.status), status, true, true),
        ("progress", "progress", columns.progress.as_ref(), WHOLE, true, true),
        ("result", "result.column", columns.result.as_ref(), of(JSON, JSON_OR_TEXT), true, true),
        ("error", "error.column", error, of(JSON, JSON_OR_TEXT), true, true),
        ("error_code", "error.code_column", code, TEXT, true, true),
        ("error_message", "error.message_column", message, TEXT, true, true),
        ("created_at", "times.created", columns.created.as_ref(), TIMES, true, false),
        ("started_at", "times.started", columns.started.as_ref(), TIMES, true, false),
        ("updated_at", "times.updated", columns.updated.as_ref(), TIMES, true, true),
        ("completed_at", "times.finished", columns.finished.as_ref(), TIMES, true, true),
        ("retry_count", "attempts", columns.attempts.as_ref(), WHOLE, false, true),
        ("arn", "execution.arn", columns.arn.as_ref(), TEXT, true, true),
        // Those of any type are only compared with themselves.
        ("user_id", "user", columns.user.as_ref(), &[], false, false),
        ("type", "type", columns.kind.as_ref(), &[], false, false),
        ("target_id", "target", columns.target.as_ref(), &[], false, false),
    ];
    all.into_iter()
        .filter_map(|(meaning, key, name, types, is_needed, is_written)| {
            let name = name?;
            let is_own = matches!(name, Name::Own(_));
            let is_needed = is_needed || is_own;
            Some(WantedColumn { meaning, key, name, types, is_own, is_needed, is_written })
        })
        .collect()
}
