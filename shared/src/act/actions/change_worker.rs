//! Changes a setting of the application's worker, puts it back when its lease is over, and takes a change back (design, 6.6, 6.10).
//!
//! Recorded first, with its lease; read once more; written with the revision that was read; waited for; brought to the alias's callers
//! where there are any; and read back. A deployment that is under way is never overwritten: the next look tries again.

pub mod texts;

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

use super::{ActionResult, Outcome, Undo};
use crate::act::lease::{self, End, NewLease};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::worker::Worker;
use crate::gather::worker::configuration::Configuration;
use crate::gather::worker::seen::{Alias, Seen};
use crate::gather::worker::setting::Setting;
use crate::stored;

/// A setting that is to have another value.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeWorker {
    /// The worker as it was read: nothing that the write rests on may have moved since.
    pub seen: Seen,
    /// [`Worker::target`].
    pub target: String,
    /// The value that it is to have; `None`: none.
    pub to: Option<u32>,
    /// What for.
    pub purpose: Purpose,
}

/// Why a setting is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Something is wrong, or a person asks for it.
    Set {
        /// In a word, for whoever asks the ledger: `incident`, `asked`.
        cause: &'static str,
        /// How long it stays. `None`: there is nothing to put back.
        revert_after: Option<TimeDelta>,
    },
    /// The lease of this action is over.
    Revert(Uuid),
}

impl ChangeWorker {
    /// Of a change that is put back, as the ledger spells it.
    pub const REVERT: &'static str = "revert-worker";

    pub(super) const fn kind(&self) -> &'static str {
        match self.purpose {
            Purpose::Set { .. } => self.seen.setting.kind(),
            Purpose::Revert(_) => Self::REVERT,
        }
    }

    /// The value is what a person agrees to; where it is only the time, the code that is published.
    pub(super) fn terms(&self) -> String {
        match self.seen.setting {
            Setting::Redeployment => json!({ "codeSha256": self.seen.called().code_sha256 }).to_string(),
            setting => setting.image(self.to).to_string(),
        }
    }

    pub(super) fn preview(&self) -> (Value, Value) {
        let before = self.seen.image();
        let mut after = json!({ "timeoutSeconds": before["timeoutSeconds"], "memoryMb": before["memoryMb"] });
        after[self.seen.setting.field()] = json!(self.to);
        (before, after)
    }
}

/// What an entry of the ledger is for, as far as its end has to know.
enum Entry {
    Set,
    /// The lease of this action is over.
    Revert(Uuid),
    /// This action is taken back.
    Undo(Uuid),
}

/// Carries the change out. What Lambda refuses is an outcome; only the ledger's own failure is an error.
///
/// # Errors
/// [`Error::Database`].
pub async fn apply(
    session: &mut Session<'_>,
    run: &Run,
    planned: &Planned,
    action: &ChangeWorker,
) -> Result<Outcome, Error> {
    let (setting, language) = (action.seen.setting, session.config.language);
    let before = action.seen.image();
    let wanted = setting.image(action.to);
    let (entry, cause, revert_after) = match action.purpose {
        Purpose::Set { cause, revert_after } => (Entry::Set, cause.to_owned(), revert_after),
        Purpose::Revert(lease) => (Entry::Revert(lease), lease.to_string(), None),
    };
    let record =
        Record { kind: action.kind(), target: &action.target, cause: &cause, before: &before, wanted: &wanted };
    let now = setting.image(action.seen.value);
    let lease = revert_after.map(|revert_after| NewLease {
        action_id: planned.id,
        step: run.step,
        kind: action.kind(),
        target: &action.target,
        before: &now,
        after: &wanted,
        revert_after,
    });
    if !begin(session.db, run, planned, &record, lease.as_ref()).await? {
        return Ok(Outcome { id: planned.id, result: ActionResult::Busy, before: None, after: None, again: None });
    }
    let worker = Worker::new(session.aws, session.config);
    let (result, after) = match worker.read(setting).await {
        Ok(fresh) if !fresh.is_still(&action.seen) => {
            (ActionResult::NotNow(texts::moved(language)), Some(fresh.image()))
        }
        Ok(fresh) => carry(&worker, &fresh, action.to, session.stop_at, language).await,
        Err(error) => (ActionResult::Failed(error.to_string()), None),
    };
    close(session.db, planned.id, &entry, &result, after.as_ref()).await?;
    Ok(Outcome { id: planned.id, result, before: Some(before), after, again: None })
}

/// Takes a change back, if callers still run with what it left behind.
///
/// # Errors
/// [`Error::Refused`] where another step made it, or its lease was over already; [`Error::Aws`] where the worker cannot be read;
/// [`Error::Database`].
pub async fn undo(
    session: &mut Session<'_>,
    run: &Run,
    planned: &Planned,
    action: &Undo,
    setting: Setting,
) -> Result<Outcome, Error> {
    let language = session.config.language;
    let refused = |why: String| Err(Error::Refused(format!("`undo` {}: {why}", action.of)));
    if let Some(lease) = lease::of_action(session.db, action.of).await? {
        if lease.step != run.step {
            return refused(format!("it is {}'s: send it there", lease.step));
        }
        if lease.ended.as_deref() == Some(End::Reverted.as_str()) {
            let at = lease.ended_at.map(|at| format!(" at {at}")).unwrap_or_default();
            return refused(format!("its lease was over, and it was put back already{at}"));
        }
    }
    let target = Worker::target(session.config);
    if target != action.target {
        return refused(format!(
            "it changed {}, and this installation looks after {target}: check WORKER_FUNCTION_NAME and WORKER_ALIAS",
            action.target
        ));
    }
    let worker = Worker::new(session.aws, session.config);
    let seen = worker.read(setting).await?;
    let outcome = |result, before, after| Outcome { id: planned.id, result, before: Some(before), after, again: None };
    if seen.value != setting.value_in(&action.after) {
        let why = texts::changed_since(language, &seen.image().to_string());
        return Ok(outcome(ActionResult::Failed(why), action.after.clone(), Some(seen.image())));
    }
    let to = setting.value_in(&action.before);
    let (before, wanted) = (seen.image(), setting.image(to));
    let cause = action.of.to_string();
    let record = Record { kind: Undo::KIND, target: &target, cause: &cause, before: &before, wanted: &wanted };
    if !begin(session.db, run, planned, &record, None).await? {
        return Ok(outcome(ActionResult::Busy, before, None));
    }
    let (result, after) = carry(&worker, &seen, to, session.stop_at, language).await;
    close(session.db, planned.id, &Entry::Undo(action.of), &result, after.as_ref()).await?;
    Ok(outcome(result, before, after))
}

/// Closes what a crash left open of this step's changes, by looking at what callers run with.
///
/// # Errors
/// [`Error::Aws`] where the worker cannot be read; [`Error::Database`].
pub async fn resolve_abandoned(session: &mut Session<'_>, step: &str, setting: Setting) -> Result<(), Error> {
    let left: Vec<(Uuid, String, Option<String>, Option<Value>)> = sqlx::query_as(
        "SELECT id, kind, cause, after FROM remediation.actions
          WHERE outcome = 'applying' AND step = $1 AND target = $2 AND kind IN ($3, $4, $5)
            AND created_at < now() - make_interval(secs => $6)",
    )
    .bind(step)
    .bind(Worker::target(session.config))
    .bind(setting.kind())
    .bind(ChangeWorker::REVERT)
    .bind(Undo::KIND)
    .bind(entries::LONGER_THAN_ANY_LAMBDA.as_seconds_f64())
    .fetch_all(&mut *session.db)
    .await
    .map_err(Error::database("reading what was left open"))?;
    if left.is_empty() {
        return Ok(());
    }
    let seen = Worker::new(session.aws, session.config).read(setting).await?;
    for (id, kind, cause, wanted) in left {
        let of = cause.and_then(|cause| cause.parse().ok());
        let entry = match (kind.as_str(), of) {
            (ChangeWorker::REVERT, Some(lease)) => Entry::Revert(lease),
            (Undo::KIND, Some(of)) => Entry::Undo(of),
            _ => Entry::Set,
        };
        let result = match wanted.map(|wanted| setting.value_in(&wanted)) {
            Some(wanted) if wanted == seen.value => ActionResult::Applied,
            _ => ActionResult::Failed(texts::abandoned(session.config.language)),
        };
        close(session.db, id, &entry, &result, Some(&seen.image())).await?;
    }
    Ok(())
}

/// What the ledger has of a change before it is made.
struct Record<'a> {
    kind: &'a str,
    target: &'a str,
    cause: &'a str,
    before: &'a Value,
    /// What is to be, for whoever finds the entry left open.
    wanted: &'a Value,
}

/// Records what is about to be done, with its lease; false where something is under way on the worker. What this very run has under
/// way (it lost its connection and began again) counts too: what became of that is only known by looking.
async fn begin(
    db: &mut PgConnection,
    run: &Run,
    planned: &Planned,
    record: &Record<'_>,
    lease: Option<&NewLease<'_>>,
) -> Result<bool, Error> {
    let recording = "recording that the worker is to be changed";
    let mut transaction = db.begin().await.map_err(Error::database(recording))?;
    let recorded: Option<Uuid> = sqlx::query_scalar(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, after, outcome, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'applying', $9)
             ON CONFLICT (target) WHERE outcome = 'applying' DO NOTHING RETURNING id",
    )
    .bind(planned.id)
    .bind(run.id)
    .bind(run.step)
    .bind(record.kind)
    .bind(record.target)
    .bind(record.cause)
    .bind(stored::json(record.before))
    .bind(record.wanted)
    .bind(stored::text(&planned.reason))
    .fetch_optional(&mut *transaction)
    .await
    .map_err(Error::database(recording))?;
    if let (Some(_), Some(lease)) = (recorded, lease) {
        lease::make(&mut transaction, lease).await?;
    }
    transaction.commit().await.map_err(Error::database(recording))?;
    Ok(recorded.is_some())
}

/// Closes the entry, and what hangs on it, in one transaction.
async fn close(
    db: &mut PgConnection,
    id: Uuid,
    entry: &Entry,
    result: &ActionResult,
    after: Option<&Value>,
) -> Result<(), Error> {
    let closing = "closing a change of the worker";
    let mut transaction = db.begin().await.map_err(Error::database(closing))?;
    entries::close_action(&mut transaction, id, result, after).await?;
    match (entry, result) {
        // What is not known to be in force is looked at again when its time is over.
        (Entry::Set | Entry::Revert(_) | Entry::Undo(_), ActionResult::Unverified(_))
        | (Entry::Set, ActionResult::Applied) => {}
        (
            Entry::Set,
            ActionResult::Failed(_) | ActionResult::NotNow(_) | ActionResult::Superseded | ActionResult::Busy,
        ) => {
            lease::end(&mut transaction, id, End::Failed).await?;
        }
        (Entry::Revert(lease), ActionResult::Applied) => {
            lease::end(&mut transaction, *lease, End::Reverted).await?;
        }
        (Entry::Undo(of), ActionResult::Applied) => {
            lease::end(&mut transaction, *of, End::Undone).await?;
            // Only now: an undo that came to nothing may be tried again.
            sqlx::query("UPDATE remediation.actions SET undo_of = $2 WHERE id = $1")
                .bind(id)
                .bind(of)
                .execute(&mut *transaction)
                .await
                .map_err(Error::database(closing))?;
        }
        (
            Entry::Revert(_) | Entry::Undo(_),
            ActionResult::Failed(_) | ActionResult::NotNow(_) | ActionResult::Superseded | ActionResult::Busy,
        ) => {}
    }
    transaction.commit().await.map_err(Error::database(closing))
}

/// Writes the setting and reads it back: the one way in which it is changed, put back and taken back.
async fn carry(
    worker: &Worker,
    seen: &Seen,
    to: Option<u32>,
    stop_at: Instant,
    language: Language,
) -> (ActionResult, Option<Value>) {
    if let Some(what) = seen.under_way() {
        return (ActionResult::NotNow(texts::under_way(language, &what)), Some(seen.image()));
    }
    if let Some(why) = seen.latest.failure() {
        return (ActionResult::Failed(texts::update_failed(language, &why)), Some(seen.image()));
    }
    let unreleased = seen.unreleased();
    if !unreleased.is_empty() {
        let why = texts::latest_differs(language, &unreleased.join(", "));
        return (ActionResult::Failed(why), Some(seen.image()));
    }
    let written = write(worker, seen, to, stop_at, language).await;
    let now = worker.read(seen.setting).await;
    let after = now.as_ref().ok().map(Seen::image);
    let result = match (written, now) {
        (Err(result), _) => result,
        (Ok(()), Ok(now)) if now.value == to => ActionResult::Applied,
        (Ok(()), Ok(_)) => ActionResult::Unverified(texts::reads_otherwise(language)),
        (Ok(()), Err(error)) => ActionResult::Unverified(texts::not_read_back(language, &error.to_string())),
    };
    (result, after)
}

/// Writes the setting, in the way that it is written.
async fn write(
    worker: &Worker,
    seen: &Seen,
    to: Option<u32>,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    match (seen.setting, to) {
        (Setting::Timeout | Setting::Memory | Setting::Redeployment, Some(to)) => {
            configure(worker, seen, to, stop_at, language).await
        }
        (Setting::ReservedConcurrency, to) => reserve(worker, to, language).await,
        (Setting::ProvisionedConcurrency, to) => provision(worker, seen, to, stop_at, language).await,
        (Setting::Timeout | Setting::Memory | Setting::Redeployment, None) => {
            Err(ActionResult::Failed(format!("a function cannot be without `{}`", seen.setting.field())))
        }
    }
}

/// Reserves concurrency. It has no revision to compare: that nobody has changed it was read a moment before, and what came of it is read back.
async fn reserve(worker: &Worker, to: Option<u32>, language: Language) -> Result<(), ActionResult> {
    let Err(error) = worker.reserve(to).await else { return Ok(()) };
    // The call may have got through, and only its answer not.
    match worker.reserved().await {
        Ok(now) if now == to => Ok(()),
        _ => Err(not_done(&error, language)),
    }
}

/// Provisions concurrency for the alias, and waits until the environments are ready. It has no revision either. What cannot be allocated
/// is put back to what was there, for Lambda goes on trying.
async fn provision(
    worker: &Worker,
    seen: &Seen,
    to: Option<u32>,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    let Some(alias) = &seen.alias else {
        return Err(ActionResult::Failed(texts::needs_alias(language)));
    };
    if let Err(error) = worker.provision(&alias.name, to).await {
        return match worker.allocated(&alias.name, stop_at).await {
            // The call may have got through, and only its answer not.
            Ok(now) if now.as_ref().map(|now| now.requested) == to => Ok(()),
            _ => Err(not_done(&error, language)),
        };
    }
    let allocation = match worker.allocated(&alias.name, stop_at).await {
        Ok(allocation) => allocation,
        Err(error) => return Err(ActionResult::Unverified(texts::not_read_back(language, &error.to_string()))),
    };
    match (allocation, to) {
        (None, None) => Ok(()),
        (Some(now), Some(to)) if now.requested == to && now.status == "READY" => Ok(()),
        (Some(now), Some(to)) if now.requested == to && now.status == "FAILED" => {
            let why = texts::allocation_failed(language, now.reason.as_deref().unwrap_or("-"));
            let put_back = worker.provision(&alias.name, seen.value).await;
            let put_back = put_back.err().map(|error| error.to_string());
            Err(ActionResult::Failed(format!("{why} — {}", texts::allocation_put_back(language, put_back.as_deref()))))
        }
        (Some(now), Some(to)) if now.requested == to => {
            Err(ActionResult::Unverified(texts::still_in_progress(language)))
        }
        _ => Err(ActionResult::Unverified(texts::reads_otherwise(language))),
    }
}

/// Writes `$LATEST`'s configuration, waits until Lambda has it, and brings it to the alias's callers.
async fn configure(
    worker: &Worker,
    seen: &Seen,
    to: u32,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    let setting = seen.setting;
    let found = seen.latest.value(setting);
    // Where an earlier try came to its end in between, `$LATEST` has it already.
    let refused = match found == Some(to) {
        true => None,
        false => worker.update(setting, to, &seen.latest).await.err(),
    };
    let latest = match worker.settled(None, stop_at).await {
        Ok(Some(latest)) => latest,
        Ok(None) if refused.is_none() && seen.alias.is_none() => {
            return Err(ActionResult::Unverified(texts::still_in_progress(language)));
        }
        // No caller of the alias has it yet. The next look goes on from here.
        Ok(None) => return Err(ActionResult::NotNow(texts::still_in_progress(language))),
        Err(error) => {
            let error = refused.unwrap_or(error);
            return Err(match error.is_refusal() {
                true => not_done(&error, language),
                false => ActionResult::Unverified(texts::not_read_back(language, &error.to_string())),
            });
        }
    };
    if latest.value(setting) != Some(to) {
        return Err(match refused {
            Some(error) => not_done(&error, language),
            // It was accepted, and somebody else wrote over it before we looked.
            None => ActionResult::NotNow(texts::moved(language)),
        });
    }
    // Where the call was refused and the value is there all the same, it had got through and only its answer had not.
    let released = match (latest.failure(), &seen.alias) {
        (Some(why), _) => Err(ActionResult::Failed(texts::update_failed(language, &why))),
        (None, None) => Ok(()),
        (None, Some(alias)) => release(worker, seen, alias, &latest, stop_at, language).await,
    };
    match (released, found) {
        (Ok(()), _) => Ok(()),
        // What no caller runs is not left for the next deployment to release; without the time to, the next look goes on from here.
        (Err(result), Some(found)) if found != to && Instant::now() < stop_at => {
            let put_back = worker.update(setting, found, &latest).await;
            Err(with(result, &texts::put_back(language, put_back.err().map(|error| error.to_string()).as_deref())))
        }
        (Err(result), _) => Err(result),
    }
}

/// Publishes `$LATEST` and moves the alias to it.
async fn release(
    worker: &Worker,
    seen: &Seen,
    alias: &Alias,
    latest: &Configuration,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    let unreleased = Seen { latest: latest.clone(), ..seen.clone() }.unreleased();
    if !unreleased.is_empty() {
        return Err(ActionResult::NotNow(texts::moved(language)));
    }
    let version = worker.publish(latest).await.map_err(|error| not_done(&error, language))?;
    match worker.settled(Some(&version), stop_at).await {
        Ok(Some(published)) => {
            if let Some(why) = published.failure() {
                return Err(ActionResult::Failed(texts::update_failed(language, &why)));
            }
        }
        Ok(None) => return Err(ActionResult::NotNow(texts::still_in_progress(language))),
        Err(error) => return Err(not_done(&error, language)),
    }
    let Err(error) = worker.point(alias, &version).await else { return Ok(()) };
    // The call may have got through, and only its answer not.
    match worker.read(seen.setting).await {
        Ok(now) if now.called().version == version => Ok(()),
        _ => Err(not_done(&error, language)),
    }
}

/// A deployment that is under way, and a quota that is used up, are over by the next look; anything else is a failure.
fn not_done(error: &Error, language: Language) -> ActionResult {
    let later = ["ResourceConflictException", "PreconditionFailedException", "TooManyRequestsException"];
    match later.iter().find(|code| error.is_code(code)) {
        Some(code) => ActionResult::NotNow(texts::under_way(language, code)),
        None => ActionResult::Failed(error.to_string()),
    }
}

/// The same result, with more said about it.
fn with(result: ActionResult, more: &str) -> ActionResult {
    match result {
        ActionResult::Failed(why) => ActionResult::Failed(format!("{why} — {more}")),
        ActionResult::NotNow(why) => ActionResult::NotNow(format!("{why} — {more}")),
        ActionResult::Unverified(why) => ActionResult::Unverified(format!("{why} — {more}")),
        result @ (ActionResult::Applied | ActionResult::Superseded | ActionResult::Busy) => result,
    }
}
