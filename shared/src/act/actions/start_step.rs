//! Starts another of our steps, which acts through its own guards (design, 6.11).
//!
//! It is the step's own event that is sent, `{"all": true}`, so the step decides anew by what it reads itself; its mode and its limits hold.
//! That AWS has accepted the event is all that can be verified here: what the started run comes to is in its own ledger entries.
//!
//! There is no inverse: a started run cannot be un-started. What it does has its own undo.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ActionResult, Outcome};
use crate::act::ledger::entries;
use crate::act::ledger::entries::LONGER_THAN_ANY_LAMBDA;
use crate::act::ledger::runs::Run;
use crate::act::plan::Planned;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::trigger::Ask;
use crate::stored;

/// A step that is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartStep {
    /// The step's name.
    pub step: &'static str,
    /// Its function's name.
    function: String,
    /// The depth that the started run carries.
    depth: u8,
}

/// Why a step cannot be started from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// As many runs as there may be have led to this one: steps must not start each other for ever.
    Depth,
    /// This function is not named `<prefix><step>`, so its neighbours' names cannot be known.
    Name,
}

/// What Lambda answers an asynchronous invocation that it has accepted with.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
const ACCEPTED: i32 = 202;

impl StartStep {
    /// As the ledger spells it.
    pub const KIND: &'static str = "start-step";

    /// The start of `step`, wanted by the step `own` in a run that so many others led to.
    ///
    /// # Errors
    /// [`Hindrance`]: it is for the caller to tell.
    pub fn new(config: &Config, own: &str, step: &'static str, depth: u8) -> Result<Self, Hindrance> {
        if depth >= Ask::DEEPEST {
            return Err(Hindrance::Depth);
        }
        let function = config.function_of(step, own).ok_or(Hindrance::Name)?;
        Ok(Self { step, function, depth: depth + 1 })
    }

    pub(super) fn target(&self) -> String {
        format!("step {}", self.step)
    }

    pub(super) fn preview(&self) -> (Value, Value) {
        (Value::Null, self.accepted(None))
    }

    fn accepted(&self, request: Option<&str>) -> Value {
        json!({
            "status": "accepted",
            "function": self.function,
            "event": { "all": true, "depth": self.depth },
            "requestId": request,
        })
    }

    /// The operator's event that starts it. By the run in its reason the started run is known again.
    fn event(&self, run: &Run, why: &str) -> Value {
        json!({ "all": true, "depth": self.depth, "reason": format!("{}: {why} (run {})", run.step, run.id) })
    }
}

/// Sends a step's event: recorded first, and closed with what AWS answers. Where no answer came, the event may have been accepted all
/// the same: the entry stays open, and [`resolve_abandoned`] closes it.
///
/// What Lambda refuses is an outcome; only the ledger's own failure is an error.
///
/// # Errors
/// [`Error::Database`].
pub async fn apply(
    session: &mut Session<'_>,
    run: &Run,
    planned: &Planned,
    action: &StartStep,
) -> Result<Outcome, Error> {
    let outcome = |result, after| Outcome { id: planned.id, result, before: None, after, again: None };
    if !begin(session.db, run, planned, action).await? {
        return Ok(outcome(ActionResult::Busy, None));
    }
    let sent = Client::new(session.aws)
        .invoke()
        .function_name(&action.function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(action.event(run, &planned.reason).to_string()))
        .send()
        .await
        .map_err(Error::aws("Invoke"));
    let (result, after) = match sent {
        Ok(answer) if answer.status_code() == ACCEPTED => {
            (ActionResult::Applied, Some(action.accepted(answer.request_id())))
        }
        Ok(answer) => {
            let why = format!("Invoke answers with status {}, not with {ACCEPTED}", answer.status_code());
            (ActionResult::Failed(why), None)
        }
        Err(error) if error.is_refusal() => (ActionResult::Failed(error.to_string()), None),
        Err(error) => {
            let why = format!("whether the event was accepted is not known; a later run finds out: {error}");
            return Ok(outcome(ActionResult::Unverified(why), None));
        }
    };
    entries::close_action(session.db, planned.id, &result, after.as_ref()).await?;
    Ok(outcome(result, after))
}

/// Records that a step is about to be started; `false` where another run is about to start it.
async fn begin(db: &mut PgConnection, run: &Run, planned: &Planned, action: &StartStep) -> Result<bool, Error> {
    let recorded: Option<Uuid> = sqlx::query_scalar(include_str!("start_step.sql"))
        .bind(planned.id)
        .bind(run.id)
        .bind(run.step)
        .bind(StartStep::KIND)
        .bind(action.target())
        .bind(stored::text(&planned.reason))
        .fetch_optional(db)
        .await
        .map_err(Error::database("recording that a step is to be started"))?;
    Ok(recorded.is_some())
}

/// Closes the starts that a crash or a lost answer left open, by whether the started step has a record of it.
///
/// # Errors
/// [`Error::Database`].
pub async fn resolve_abandoned(db: &mut PgConnection) -> Result<(), Error> {
    sqlx::query(include_str!("start_step/resolve.sql"))
        .bind(StartStep::KIND)
        .bind(LONGER_THAN_ANY_LAMBDA.as_seconds_f64())
        .execute(db)
        .await
        .map(drop)
        .map_err(Error::database("closing the starts of steps that were left open"))
}
