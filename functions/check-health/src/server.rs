//! Check 3: the database as such. It needs no table.

use crate::texts;
use remediation::domain::Language;
use remediation::gather::error::Error;
use remediation::gather::sessions::Overview;
use remediation::run::step::Metric;
use remediation::run::texts as common;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::check::{Check, Look};
use crate::policy::Policy;
use crate::state::warning_if;

/// What the server says of its sessions.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Of a statement that does nothing.
    pub round_trip_milliseconds: f64,
    #[serde(flatten)]
    pub sessions: Overview,
}

pub async fn read(db: &mut PgConnection) -> Result<Server, Error> {
    let started = Instant::now();
    sqlx::raw_sql("SELECT 1").execute(&mut *db).await.map_err(Error::database("asking for an answer"))?;
    let round_trip_milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    Ok(Server { round_trip_milliseconds, sessions: Overview::read(db).await? })
}

/// A warning where connections run short, or sessions are blocked.
pub fn judge(look: &Look<Server>, policy: &Policy, language: Language) -> Check {
    Check::of("database", look, language, |server, check| {
        let Overview { used, unseen, available, blocked, named } = &server.sessions;
        let percent = server.sessions.percent();
        let scarce = percent.is_none_or(|percent| percent > policy.connections_percent);
        let blocked_count = usize::try_from(*blocked).unwrap_or(0);
        let list = |pids: &Value| {
            pids.as_array().into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let waits = |session: &Value| {
            texts::session_blocked(language, &session["pid"].to_string(), &list(&session["blockedBy"]))
        };
        let mut details: Vec<String> = named.as_array().into_iter().flatten().map(waits).collect();
        if *unseen > 0 {
            details.push(common::sessions_unseen(language, *unseen));
        }
        let mut data = json!(server);
        data["usedPercent"] = json!(percent);
        Check {
            state: warning_if(scarce || *blocked > 0),
            sentence: texts::database_answers(
                language,
                server.round_trip_milliseconds,
                (*used, *available, percent.unwrap_or(100.0)),
                blocked_count,
            ),
            details,
            data,
            metrics: percent
                .map(|percent| Metric::new("DatabaseConnectionsUsed", "Percent", percent))
                .into_iter()
                .chain([Metric::count("BlockedSessions", blocked_count)])
                .collect(),
            ..check
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::state::CheckState;
    use remediation::gather::manifest;

    use super::*;

    #[test]
    fn connections_that_run_short_and_blocked_sessions_are_warnings() {
        let policy = manifest::policy::<Policy>(crate::policy::MANIFEST).unwrap();
        // (used, available, blocked, state, percent)
        for (used, available, blocked, state, percent) in [
            (12, 97, 0, CheckState::Ok, Some(1200.0 / 97.0)),
            (80, 100, 0, CheckState::Ok, Some(80.0)),
            (81, 100, 0, CheckState::Warning, Some(81.0)),
            (103, 100, 0, CheckState::Warning, Some(103.0)),
            (1, 97, 1, CheckState::Warning, Some(100.0 / 97.0)),
            (1, 0, 0, CheckState::Warning, None),
        ] {
            let sessions = Overview { used, available, blocked, named: json!([]), unseen: 0 };
            let look = Look { found: Ok(Server { round_trip_milliseconds: 1.0, sessions }), took: Duration::ZERO };
            let check = judge(&look, &policy, Language::En);
            assert_eq!(check.state, state, "{}", check.sentence);
            let measured = check.metrics.iter().find(|metric| metric.name == "DatabaseConnectionsUsed");
            assert_eq!(measured.map(|metric| metric.values[0]), percent, "{}", check.sentence);
        }
    }
}
