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

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::lease::{self, NewLease};
use crate::act::ledger::entries::{self, Begin};
use crate::act::ledger::runs::Run;
use crate::act::texts::no_inverse;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::worker::Worker;
use crate::gather::worker::configuration::Configuration;
use crate::gather::worker::seen::{Alias, Seen};
use crate::gather::worker::setting::Setting;

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
}

/// What an entry of the ledger is for, as far as its end has to know.
enum End {
    Set,
    /// The lease of this action is over.
    Revert(Uuid),
    /// This action is taken back.
    Undo(Uuid),
}

impl Action for ChangeWorker {
    fn kind(&self) -> &'static str {
        match self.purpose {
            Purpose::Set { .. } => self.seen.setting.kind(),
            Purpose::Revert(_) => Self::REVERT,
        }
    }

    fn target(&self) -> String {
        self.target.clone()
    }

    fn preview(&self) -> (Value, Value) {
        let before = self.seen.image();
        let mut after = json!({ "timeoutSeconds": before["timeoutSeconds"], "memoryMb": before["memoryMb"] });
        after[self.seen.setting.field()] = json!(self.to);
        (before, after)
    }

    fn class(&self) -> Class {
        Class::Setting
    }

    /// The value is what a person agrees to; where it is only the time, the code that is published.
    fn terms(&self) -> Option<String> {
        Some(match self.seen.setting {
            Setting::Redeployment => json!({ "codeSha256": self.seen.called().code_sha256 }).to_string(),
            setting => setting.image(self.to).to_string(),
        })
    }

    fn rests_on(&self) -> Value {
        json!({ "revision": self.seen.latest.revision_id, "version": self.seen.called().version })
    }

    fn is_told(&self) -> bool {
        true
    }

    fn is_end(&self) -> bool {
        matches!(self.purpose, Purpose::Revert(_))
    }

    fn is_apart(&self) -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        const KINDS: &[&str] = &[
            Setting::Timeout.kind(),
            Setting::Memory.kind(),
            Setting::ReservedConcurrency.kind(),
            Setting::ProvisionedConcurrency.kind(),
            Setting::Redeployment.kind(),
            ChangeWorker::REVERT,
        ];
        KINDS
    }

    /// Putting a setting back has a count of its own ([`lease::FAILURES`]).
    fn counts_failures(kind: &str) -> bool {
        kind != Self::REVERT
    }

    /// What Lambda refuses is an outcome.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let (setting, language) = (action.seen.setting, session.config.language);
        let before = action.seen.image();
        let wanted = setting.image(action.to);
        let (purpose, cause, revert_after) = match action.purpose {
            Purpose::Set { cause, revert_after } => (End::Set, cause.to_owned(), revert_after),
            Purpose::Revert(lease) => (End::Revert(lease), lease.to_string(), None),
        };
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
        let entry = Begin { cause: Some(&cause), before: Some(&before), after: Some(&wanted), ..Begin::default() };
        if !begin(session.db, run, planned, &entry, lease.as_ref()).await? {
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
        close(session.db, planned.id, &purpose, &result, after.as_ref()).await?;
        Ok(Outcome { id: planned.id, result, before: Some(before), after, again: None })
    }

    /// A lease that is over, and a redeployment, leave nothing that could be taken back.
    fn no_undo(kind: &str, _: &str, language: Language) -> Option<String> {
        let has_way_back = Setting::of_kind(kind).is_some_and(Setting::is_revertible);
        (!has_way_back).then(|| no_inverse(language, kind))
    }

    /// If callers still run with what the change left behind.
    async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, undone: &Entry) -> Result<Outcome, Error> {
        let language = session.config.language;
        let refused = |why: String| Err(Error::Refused(format!("`undo` {}: {why}", undone.id)));
        let (Some(setting), Some(was), Some(left)) = (Setting::of_kind(&undone.kind), &undone.before, &undone.after)
        else {
            return refused(no_inverse(language, &undone.kind));
        };
        if let Some(lease) = lease::of_action(session.db, undone.id).await? {
            if lease.step != run.step {
                return refused(texts::anothers(language, &lease.step));
            }
            if lease.ended.as_deref() == Some(lease::End::Reverted.as_str()) {
                return refused(texts::reverted_already(language, lease.ended_at));
            }
        }
        let target = Worker::target(session.config);
        if target != undone.target {
            return refused(texts::another_worker(language, &undone.target, &target));
        }
        let worker = Worker::new(session.aws, session.config);
        let seen = worker.read(setting).await?;
        let outcome =
            |result, before, after| Outcome { id: planned.id, result, before: Some(before), after, again: None };
        if seen.value != setting.value_in(left) {
            let why = texts::changed_since(language, &seen.image().to_string());
            return Ok(outcome(ActionResult::Failed(why), left.clone(), Some(seen.image())));
        }
        let to = setting.value_in(was);
        let (before, wanted) = (seen.image(), setting.image(to));
        let entry = Begin { undoes: Some(undone.id), before: Some(&before), after: Some(&wanted), ..Begin::default() };
        if !begin(session.db, run, planned, &entry, None).await? {
            return Ok(outcome(ActionResult::Busy, before, None));
        }
        let (result, after) = carry(&worker, &seen, to, session.stop_at, language).await;
        close(session.db, planned.id, &End::Undo(undone.id), &result, after.as_ref()).await?;
        Ok(outcome(result, before, after))
    }

    /// By what callers run with now.
    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        let worker = Worker::new(session.aws, session.config);
        let target = Worker::target(session.config);
        for entry in open.iter().filter(|entry| entry.target == target) {
            let lease = entry.cause.as_deref().and_then(|cause| cause.parse().ok());
            let (purpose, kind) = match (entry.undoes, lease) {
                (Some(of), _) => (End::Undo(of), entry.kind.clone()),
                (None, Some(lease)) if entry.kind == Self::REVERT => {
                    let of = lease::of_action(session.db, lease).await?;
                    (End::Revert(lease), of.map(|lease| lease.kind).unwrap_or_default())
                }
                (None, _) => (End::Set, entry.kind.clone()),
            };
            let Some(setting) = Setting::of_kind(&kind) else { continue };
            let seen = worker.read(setting).await?;
            let result = match entry.after.as_ref().map(|wanted| setting.value_in(wanted)) {
                Some(wanted) if wanted == seen.value => ActionResult::Applied,
                _ => ActionResult::Failed(texts::abandoned(session.config.language)),
            };
            close(session.db, entry.id, &purpose, &result, Some(&seen.image())).await?;
        }
        Ok(Vec::new())
    }
}

/// Records what is about to be done, with its lease; false where something is under way on the worker. What this very run has under
/// way (it lost its connection and began again) counts too: what became of that is only known by looking.
async fn begin(
    db: &mut PgConnection,
    run: &Run,
    planned: &Planned,
    entry: &Begin<'_>,
    lease: Option<&NewLease<'_>>,
) -> Result<bool, Error> {
    let recording = "recording that the worker is to be changed";
    let mut transaction = db.begin().await.map_err(Error::database(recording))?;
    let recorded = entries::begin(&mut transaction, run, planned, entry).await?;
    if let (true, Some(lease)) = (recorded, lease) {
        lease::make(&mut transaction, lease).await?;
    }
    transaction.commit().await.map_err(Error::database(recording))?;
    Ok(recorded)
}

/// Closes the entry, and what hangs on it, in one transaction.
async fn close(
    db: &mut PgConnection,
    id: Uuid,
    purpose: &End,
    result: &ActionResult,
    after: Option<&Value>,
) -> Result<(), Error> {
    let closing = "closing a change of the worker";
    let mut transaction = db.begin().await.map_err(Error::database(closing))?;
    entries::close(&mut transaction, id, result, after).await?;
    match (purpose, result) {
        // What is not known to be in force is looked at again when its time is over.
        (End::Set | End::Revert(_) | End::Undo(_), ActionResult::Unverified(_)) | (End::Set, ActionResult::Applied) => {
        }
        (
            End::Set,
            ActionResult::Failed(_) | ActionResult::NotNow(_) | ActionResult::Superseded | ActionResult::Busy,
        ) => {
            lease::end(&mut transaction, id, lease::End::Failed).await?;
        }
        (End::Revert(lease), ActionResult::Applied) => {
            lease::end(&mut transaction, *lease, lease::End::Reverted).await?;
        }
        (End::Undo(of), ActionResult::Applied) => {
            lease::end(&mut transaction, *of, lease::End::Undone).await?;
        }
        (
            End::Revert(_) | End::Undo(_),
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
