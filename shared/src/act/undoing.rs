//! What is to be taken back: one action, or all that a run has done, in reverse order (design, 6.6).

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::act::action::kind::Kind;
use crate::act::action::{Action as _, Entry, Planned};
use crate::act::actions::undo::Undo;
use crate::act::texts;
use crate::domain::Language;
use crate::finding::Skipped;
use crate::gather::error::Error;

/// What an `undo` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// One action.
    Action,
    /// A run, with all its actions.
    Run,
}

/// Entries in one answer: images are kilobytes.
const PAGE: i64 = 500;

/// A part of what is to be taken back.
#[derive(Debug, Default)]
pub struct Page {
    /// What is taken back, the last first.
    pub undos: Vec<Planned>,
    /// What is not, and why.
    pub skipped: Vec<Skipped>,
    /// Behind which entry the next page begins; `None`: this is all.
    pub before: Option<(DateTime<Utc>, Uuid)>,
}

#[derive(FromRow)]
struct Found {
    #[sqlx(flatten)]
    entry: Entry,
    outcome: String,
    undone_by: Option<Uuid>,
    undone_in: Option<Uuid>,
    created_at: DateTime<Utc>,
}

const ENTRIES: &str = include_str!("undoing.sql");

/// What `id` is.
///
/// # Errors
/// [`Error::Refused`] where it is neither; [`Error::Database`].
pub async fn named(db: &mut PgConnection, id: Uuid, language: Language) -> Result<Named, Error> {
    let (action, run): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM remediation.actions WHERE id = $1), EXISTS (SELECT FROM remediation.actions WHERE run_id = $1)",
    )
    .bind(id)
    .fetch_one(db)
    .await
    .map_err(Error::database("reading what is to be undone"))?;
    match (action, run) {
        (true, _) => Ok(Named::Action),
        (false, true) => Ok(Named::Run),
        (false, false) => Err(Error::Refused(format!("`undo` {id}: {}", texts::nothing_to_undo(language)))),
    }
}

/// The inverse of one action.
///
/// # Errors
/// [`Error::Refused`] where it changed nothing, has no inverse, or is no business of the step that has these kinds; [`Error::Database`].
pub async fn action(
    db: &mut PgConnection,
    id: Uuid,
    kinds: &[Kind],
    reason: &str,
    language: Language,
) -> Result<Planned, Error> {
    let sql = format!("{ENTRIES} WHERE a.id = $1");
    let found: Option<Found> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(db)
        .await
        .map_err(Error::database("reading the action to undo"))?;
    let refused = |why: String| Error::Refused(format!("`undo` {id}: {why}"));
    let found = found.ok_or_else(|| refused(texts::nothing_to_undo(language)))?;
    undo(found, kinds, reason, language).map_err(|(_, why)| refused(why))
}

/// A page of the inverses of what a run has done, the last first. What the run `own` has taken back already (it lost its connection and
/// began again) is not named.
///
/// # Errors
/// [`Error::Database`].
pub async fn run(
    db: &mut PgConnection,
    own: Uuid,
    run: Uuid,
    before: Option<(DateTime<Utc>, Uuid)>,
    kinds: &[Kind],
    reason: &str,
    language: Language,
) -> Result<Page, Error> {
    let sql = format!(
        "{ENTRIES} WHERE a.run_id = $1 AND a.outcome <> 'superseded' AND ($2 IS NULL OR (a.created_at, a.id) < ($2, $3))
          ORDER BY a.created_at DESC, a.id DESC LIMIT $4"
    );
    let (at, id) = before.unzip();
    let found: Vec<Found> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(run)
        .bind(at)
        .bind(id)
        .bind(PAGE)
        .fetch_all(db)
        .await
        .map_err(Error::database("reading the actions to undo"))?;
    let full = i64::try_from(found.len()).is_ok_and(|count| count == PAGE);
    let last = found.last().map(|found| (found.created_at, found.entry.id));
    let mut page = Page { before: last.filter(|_| full), ..Page::default() };
    for found in found.into_iter().filter(|found| found.undone_in != Some(own)) {
        match undo(found, kinds, reason, language) {
            Ok(planned) => page.undos.push(planned),
            Err((target, why)) => page.skipped.push(Skipped::new(target, why)),
        }
    }
    Ok(page)
}

/// The inverse of an entry; or its target, and why there is none.
fn undo(found: Found, kinds: &[Kind], reason: &str, language: Language) -> Result<Planned, (String, String)> {
    let Found { entry, outcome, undone_by, .. } = found;
    let target = entry.target.clone();
    let Some(kind) = kinds.iter().find(|kind| kind.name(&entry.kind).is_some()) else {
        let why = if Undo::kinds().contains(&entry.kind.as_str()) || entry.undoes.is_some() {
            Undo::no_undo(&entry.kind, &target, language).unwrap_or_default()
        } else {
            texts::anothers_action(language, &entry.kind, &entry.step)
        };
        return Err((target, why));
    };
    if let Some(why) = kind.no_undo(&entry.kind, &target, language) {
        return Err((target, why));
    }
    if let Some(by) = undone_by {
        return Err((target, texts::undone_already(language, by)));
    }
    // What came of it is not known yet.
    if outcome == "applying" {
        return Err((target, texts::busy(language)));
    }
    if outcome != "applied" || entry.before.is_none() || entry.after.is_none() {
        return Err((target, texts::changed_nothing(language, &outcome)));
    }
    Ok(Planned::new(Undo { entry, kind: *kind }, reason.to_owned()))
}
