//! Tells a level of people of an incident that nobody has fixed (guide, contacts): one message for all that a level is told at a time.
//!
//! Recorded before it is tried, once for each incident and level: the claim is refused where another run has told it, or is about to, where
//! somebody acknowledged the incident meanwhile, or it is over. What failed, and what a crash has left open, is tried again: whether
//! a message went out whose answer was lost, nobody knows, and people rather hear of it twice than never.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::act::action::{Action, ActionResult, Class, Entry, Outcome, Planned};
use crate::act::escalation::{self, TELL_LEVEL};
use crate::act::ledger::entries;
use crate::act::ledger::runs::Run;
use crate::act::topic::{self, AT_ONCE, URGENCY};
use crate::domain::Language;
use crate::gather::config::escalation::Level;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::{redact, stored};

pub mod texts;

/// A level that is to be told of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TellLevel {
    /// The first of those that are one incident.
    pub root: Uuid,
    /// Its alarm.
    pub alarm: String,
    /// Who is told.
    pub level: Level,
    /// Where; `None`: there is no topic for it.
    pub topic: Option<String>,
    /// What is said of this incident.
    pub message: String,
}

/// Incidents that one message describes; the others are counted in it.
const DESCRIBED: usize = 5;

/// As many are told at once: one message for each level.
const BATCH: usize = 5000;

impl TellLevel {
    fn image(&self, message_id: Option<&str>) -> Value {
        json!({
            "alarm": self.alarm,
            "level": self.level,
            "topic": self.topic,
            "message": redact::text(&self.message),
            "messageId": message_id,
        })
    }

    /// Records that these are about to be told, where they may: the identities of those.
    async fn claim(session: &mut Session<'_>, run: &Run, wanted: &[(&Planned, &Self)]) -> Result<HashSet<Uuid>, Error> {
        let column = |value: fn(&(&Planned, &Self)) -> String| wanted.iter().map(value).collect::<Vec<_>>();
        let claimed: Vec<Uuid> = sqlx::query_scalar(include_str!("tell_level/claim.sql"))
            .bind(wanted.iter().map(|(planned, _)| planned.id).collect::<Vec<_>>())
            .bind(wanted.iter().map(|(_, action)| action.root).collect::<Vec<_>>())
            .bind(column(|(_, action)| action.target()))
            .bind(wanted.iter().map(|(_, action)| stored::json(&action.image(None))).collect::<Vec<_>>())
            .bind(column(|(planned, _)| stored::text(&planned.reason)))
            .bind(run.id)
            .bind(run.step)
            .bind(TELL_LEVEL)
            .bind(run.alive_until)
            .fetch_all(&mut *session.db)
            .await
            .map_err(Error::database("recording who is about to be told"))?;
        Ok(claimed.into_iter().collect())
    }

    /// Publishes one message to a level, and says what came of it.
    async fn publish(session: &Session<'_>, told: &[&Self]) -> Result<String, String> {
        let language = session.config.language;
        let Some(first) = told.first() else { return Ok(String::new()) };
        let level = first.level;
        let Some(topic) = &first.topic else { return Err(texts::no_topic(language, &level.variable())) };
        let about = if told.len() == 1 { first.alarm.clone() } else { format!("{} incidents", told.len()) };
        let subject = format!("[{}] {about}", level.as_str());
        let message = redact::text(&message(language, level, told));
        let attributes = [("level", level.as_str()), (URGENCY, AT_ONCE)];
        topic::publish(session.aws, topic, &subject, &message, &attributes).await.map_err(|error| error.told(language))
    }
}

/// What a level is told of these incidents: the first few, and how many more there are.
fn message(language: Language, level: Level, told: &[&TellLevel]) -> String {
    let mut parts = Vec::new();
    if told.len() > 1 {
        parts.push(texts::many(language, level.as_str(), told.len()));
    }
    parts.extend(told.iter().take(DESCRIBED).map(|action| action.message.clone()));
    if told.len() > DESCRIBED {
        parts.push(texts::more(language, told.len() - DESCRIBED));
    }
    parts.join("\n\n")
}

impl Action for TellLevel {
    fn kind(&self) -> &'static str {
        TELL_LEVEL
    }

    fn target(&self) -> String {
        escalation::level_target(self.root, self.level)
    }

    fn preview(&self) -> (Value, Value) {
        (Value::Null, self.image(None))
    }

    fn class(&self) -> Class {
        Class::Message
    }

    fn kinds() -> &'static [&'static str] {
        &[TELL_LEVEL]
    }

    fn counts_failures(_: &str) -> bool {
        true
    }

    fn batch() -> usize {
        BATCH
    }

    fn ramps() -> bool {
        false
    }

    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let outcomes = Self::apply_batch(session, run, &[(planned, action)], 1).await?;
        let superseded = || outcome(planned, ActionResult::Superseded, None);
        Ok(outcomes.into_iter().next().unwrap_or_else(superseded))
    }

    async fn apply_batch(
        session: &mut Session<'_>,
        run: &Run,
        batch: &[(&Planned, &Self)],
        told: usize,
    ) -> Result<Vec<Outcome>, Error> {
        let mut outcomes: HashMap<Uuid, Outcome> = HashMap::with_capacity(batch.len());
        for level in Level::ALL {
            let mut wanted: Vec<(&Planned, &Self)> =
                batch.iter().filter(|(_, action)| action.level == level).copied().collect();
            if wanted.is_empty() {
                continue;
            }
            let claimed = Self::claim(session, run, &wanted).await?;
            wanted.retain(|(planned, _)| claimed.contains(&planned.id));
            let actions: Vec<&Self> = wanted.iter().map(|(_, action)| *action).collect();
            let sent = Self::publish(session, &actions).await;
            for (planned, action) in wanted {
                let (result, after) = match &sent {
                    Ok(id) => (ActionResult::Applied, Some(action.image(Some(id)))),
                    Err(why) => (ActionResult::Failed(why.clone()), Some(action.image(None))),
                };
                entries::close(session.db, planned.id, &result, after.as_ref()).await?;
                let after = after.filter(|_| outcomes.len() < told);
                outcomes.insert(planned.id, outcome(planned, result, after));
            }
        }
        let became = |(planned, _): &(&Planned, &Self)| {
            outcomes.remove(&planned.id).unwrap_or_else(|| outcome(planned, ActionResult::Superseded, None))
        };
        Ok(batch.iter().map(became).collect())
    }

    fn no_undo(_: &str, _: &str, language: Language) -> Option<String> {
        Some(texts::no_undo(language))
    }

    /// Whether it went out, nobody knows: it counts as failed, so that it is told again.
    async fn resolve(session: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        for entry in open {
            let why = texts::unknown(session.config.language);
            entries::close(session.db, entry.id, &ActionResult::Failed(why), entry.after.as_ref()).await?;
        }
        Ok(Vec::new())
    }
}

fn outcome(planned: &Planned, result: ActionResult, after: Option<Value>) -> Outcome {
    Outcome { id: planned.id, result, before: None, after, again: None }
}

#[cfg(test)]
mod tests;
