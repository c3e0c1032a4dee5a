//! Changes a setting of the application's worker, puts it back when its lease is over, and takes a change back (design, 6.6, 6.10).
//!
//! Recorded first, with its lease; read once more; written with the revision that was read; waited for; brought to the alias's callers
//! where there are any; and read back. A deployment that is under way is never overwritten: the next look tries again.

mod carry;
pub mod texts;

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use self::carry::carry;
use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::lease::{self, NewLease};
use crate::act::ledger::entries::{self, Begin};
use crate::act::ledger::runs::Run;
use crate::act::texts::no_inverse;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::worker::Worker;
use crate::gather::worker::seen::Seen;
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

    fn is_told() -> bool {
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
        let worker = Worker::new(session.aws, session.config)?;
        let (result, after) = match worker.read(setting).await {
            Ok(fresh) if !fresh.is_still(&action.seen) => {
                (ActionResult::NotNow(texts::moved(language)), Some(fresh.image()))
            }
            Ok(fresh) => carry(&worker, &fresh, action.to, session.stop_at, language).await,
            Err(error) => (ActionResult::Failed(error.told(language)), None),
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
        let target = Worker::target(session.config)?;
        if target != undone.target {
            return refused(texts::another_worker(language, &undone.target, &target));
        }
        let worker = Worker::new(session.aws, session.config)?;
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
        let worker = Worker::new(session.aws, session.config)?;
        let target = Worker::target(session.config)?;
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
