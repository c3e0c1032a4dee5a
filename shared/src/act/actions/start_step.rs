//! Starts another of our steps, which acts through its own guards (design, 6.11).
//!
//! It is the step's own event that is sent, `{"all": true}`, so the step decides anew by what it reads itself; its mode and its limits hold.
//! That AWS has accepted the event is all that can be verified here: what the started run comes to is in its own ledger entries.
//!
//! There is no inverse: a started run cannot be taken back. What it does has its own undo.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::{Value, json};

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::ledger::entries::{self, Begin};
use crate::act::ledger::runs::Run;
use crate::domain::Language;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::trigger::Ask;
use crate::text;

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

impl Action for StartStep {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn target(&self) -> String {
        format!("step {}", self.step)
    }

    fn preview(&self) -> (Value, Value) {
        (Value::Null, self.accepted(None))
    }

    fn class(&self) -> Class {
        Class::Step
    }

    fn is_told() -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &[Self::KIND]
    }

    fn counts_failures(_: &str) -> bool {
        true
    }

    /// Where no answer came, the event may have been accepted all the same: the entry stays open, and [`Action::resolve`] closes it.
    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let outcome = |result, after| Outcome { id: planned.id, result, before: None, after, again: None };
        let begin = Begin { takes_over: true, ..Begin::default() };
        if !entries::begin(session.db, run, planned, &begin).await? {
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
        let language = session.config.language;
        let (result, after) = match sent {
            Ok(answer) if answer.status_code() == ACCEPTED => {
                (ActionResult::Applied, Some(action.accepted(answer.request_id())))
            }
            Ok(answer) => {
                let status = answer.status_code();
                let why = text!(
                    language,
                    ja: "Invoke の応答ステータスは {status}（期待値 {ACCEPTED}）",
                    en: "Invoke returned status {status} instead of {ACCEPTED}",
                );
                (ActionResult::Failed(why), None)
            }
            Err(error) if error.is_refusal() => (ActionResult::Failed(error.told(language)), None),
            Err(error) => {
                let error = error.told(language);
                let why = text!(
                    language,
                    ja: "イベントが受け付けられたか不明。後の回が確認する: {error}",
                    en: "unknown whether the event was accepted; a later run checks: {error}",
                );
                return Ok(outcome(ActionResult::Unverified(why), None));
            }
        };
        entries::close(session.db, planned.id, &result, after.as_ref()).await?;
        Ok(outcome(result, after))
    }

    fn no_undo(_: &str, target: &str, language: Language) -> Option<String> {
        let step = target.trim_start_matches("step ");
        Some(text!(
            language,
            ja: "開始したステップは取り消せない。その変更を undo する: SELECT * FROM remediation.actions WHERE step = '{step}'",
            en: "a started run cannot be taken back; undo what it did: SELECT * FROM remediation.actions WHERE step = '{step}'",
        ))
    }

    /// By whether the started step has a record of it.
    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        let language = session.config.language;
        sqlx::query(include_str!("start_step/resolve.sql"))
            .bind(open.iter().map(|entry| entry.id).collect::<Vec<_>>())
            .bind(text!(language, ja: "応答はなかったが、ステップは実行された", en: "no answer, but the step ran"))
            .bind(text!(
                language,
                ja: "応答がなく、ステップの記録もない",
                en: "no answer, and the step has no record of it",
            ))
            .execute(&mut *session.db)
            .await
            .map_err(Error::database("closing the starts of steps that were left open"))?;
        Ok(Vec::new())
    }
}
