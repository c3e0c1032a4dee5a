//! Makes schema `remediation` and brings it up to date, at every deployment; deletes once a day what is older there than its retention;
//! and, where an operator asks for it, puts the fence on the application's table or takes it away.
//!
//! It creates the ledger, so its runs are recorded in the log. The schema does not belong to the application, so an installation that only
//! observes gets it, and its upkeep, as well. The fence is on the application's table, so it needs the installation's mode `act`.

mod explain;
mod texts;

use chrono::{DateTime, Utc};
use remediation::act::actions::fence::Fence;
use remediation::act::actions::fence::{Change, State};
use remediation::act::actions::forget_records::ForgetRecords;
use remediation::act::actions::migrate::Migrate;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::goals::Goals;
use remediation::gather::indexes::{self, Missing};
use remediation::gather::parameters::Parameters;
use remediation::gather::table::Table;
use remediation::gather::trigger::Trigger;
use remediation::run::step::Kind;
use remediation::run::step::{Audience, Finding, Often, Plan, Planned, Question, Session, Skipped, Step};
use serde_json::{Value, json};

use crate::explain::Sample;

struct MigrateSchema;

struct Evidence {
    missing: Option<Migrate>,
    /// What is wrong with the application's table, which every other step will need.
    table: Option<Error>,
    /// What is wrong with the goals, which repair-goal-status will need.
    goals: Option<String>,
    fence: State,
    /// What is asked for the fence, and what has to be done for it.
    asked: Option<(Change, Option<Fence>)>,
    /// Optional indexes that the application's table does not have.
    indexes: Vec<Missing>,
    /// Where the day's upkeep is asked for: what is older than its retention.
    forget: Option<Option<ForgetRecords>>,
    /// The application's profile as it is understood.
    profile: Option<Value>,
    /// Where it is asked for: what a sample of rows and executions shows, and what of the profile does not fit.
    explained: Option<Explained>,
}

struct Explained {
    report: Value,
    findings: Vec<Finding>,
}

/// The operator's parameters.
const FENCE: &str = "fence";
const FORGET: &str = "forget";
const EXPLAIN: &str = "explain";

fn asked(session: &Session<'_>) -> Result<Option<Change>, Error> {
    Parameters(session.parameters).read(FENCE, texts::fence_may_be, |value| match value.as_str()? {
        "install" => Some(Change::Install),
        "remove" => Some(Change::Remove),
        _ => None,
    })
}

impl Step for MigrateSchema {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<Migrate>(), Kind::of::<Fence>(), Kind::of::<ForgetRecords>()];

    const PARAMETERS: &'static [&'static str] = &[FENCE, FORGET, EXPLAIN];
    const COMMANDS: &'static [&'static str] = &[FENCE, FORGET];

    fn manifest(&self) -> &'static str {
        include_str!("../manifest.toml")
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        let asked = asked(session)?;
        if !matches!(question, Question::Sweep(_)) {
            return Err(Error::Refused(texts::about_the_whole(session.config.language)));
        }
        // The fence can be taken away whatever else is wrong.
        let missing = match asked {
            Some(Change::Remove) => None,
            Some(Change::Install) | None => Migrate::missing(session.db).await?,
        };
        let table = session.table().await;
        let indexes = match &table {
            Ok(table) => indexes::missing(session.db, table).await?,
            Err(_) => Vec::new(),
        };
        let goals = match &table {
            Ok(table) => Goals::fault(session.db, table).await?,
            Err(_) => None,
        };
        let fence = State::read(session.db, table.as_deref().ok()).await?;
        let (asked, table) = match (asked, table) {
            (None, table) => (None, table.err()),
            (Some(Change::Install), Err(error)) => return Err(error),
            (Some(change), table) => {
                let name = session.config.table.to_string();
                let wanted = Fence::missing(change, fence, name, table.as_deref().ok())?;
                (Some((change, wanted)), table.err())
            }
        };
        let known = session.table().await.ok();
        let by_hand = Parameters(session.parameters).flag(FORGET)?;
        let forget = if by_hand || matches!(session.trigger, Trigger::Schedule(_)) {
            // Of a schema that is not this build's, nothing is known.
            let retention = &session.config.retention;
            match missing {
                Some(_) => Some(None),
                None => Some(ForgetRecords::wanted(session.db, retention, known.as_deref(), session.now).await?),
            }
        } else {
            None
        };
        let explained = match known.as_deref() {
            Some(table) if Parameters(session.parameters).flag(EXPLAIN)? => Some(explained(session, table).await?),
            Some(_) | None => None,
        };
        let profile = known.map(|table| table.understood());
        Ok(Evidence { missing, table, goals, indexes, fence, asked, forget, profile, explained })
    }

    fn plan(&self, evidence: &Evidence, config: &Config, _: DateTime<Utc>) -> Plan {
        let Evidence { missing, table, goals, indexes, fence, asked, forget, profile, explained } = evidence;
        // The upkeep brings no new schema: a deployment does, or a person who asks for that.
        let migrate = missing.iter().filter(|_| forget.is_none() && explained.is_none()).map(|missing| {
            let reason = texts::schema_behind(config.language, missing.from, missing.to);
            Planned::new(missing.clone(), reason)
        });
        let wanted = asked.iter().filter_map(|(change, wanted)| {
            let reason = texts::fence(config.language, *change);
            wanted.as_ref().map(|wanted| Planned::new(wanted.clone(), reason))
        });
        let unfit = table.iter().map(|error| {
            Finding::new("table_unfit", "PROCESSING_STATE_TABLE", error.told(config.language), serde_json::Value::Null)
                .told(Audience::People, Often::ONCE_A_DAY)
        });
        let goals_unfit = goals.iter().map(|fault| {
            Finding::new("goals_unfit", "repair-goal-status", fault.as_str(), serde_json::Value::Null)
                .told(Audience::People, Often::ONCE_A_DAY)
        });
        let outdated = (asked.is_none() && *fence == State::Outdated).then(|| {
            let message = texts::fence_outdated(config.language);
            Finding::new("fence_outdated", config.table.to_string(), message, json!({ "toDoIt": { FENCE: "install" } }))
                .told(Audience::People, Often::ONCE_A_DAY)
        });
        let already_so = asked
            .iter()
            .filter(|(_, wanted)| wanted.is_none())
            .map(|_| Skipped::new(config.table.to_string(), texts::fence_already_so(config.language, *fence)));
        let older = forget
            .iter()
            .flatten()
            .map(|older| Planned::new(older.clone(), texts::older(config.language, &config.retention)));
        let nothing_to_forget = forget.iter().filter(|older| older.is_none()).map(|_| {
            Skipped::new(
                "schema remediation".to_owned(),
                match missing {
                    Some(missing) => texts::outdated(config.language, missing),
                    None => texts::nothing_older(config.language),
                },
            )
        });
        let mut report = json!({ "optionalIndexes": indexes, "profile": profile });
        // Where the fence is changed, the action says what it was and is.
        if !matches!(asked, Some((_, Some(_)))) {
            report[FENCE] = fence.as_str().into();
        }
        if let Some(explained) = explained {
            report[EXPLAIN] = explained.report.clone();
        }
        let unfit_profile = explained.iter().flat_map(|explained| explained.findings.iter().cloned());
        Plan {
            // The schema first: the fence needs it.
            actions: migrate.chain(wanted).chain(older).collect(),
            findings: unfit.chain(goals_unfit).chain(outdated).chain(unfit_profile).collect(),
            skipped: already_so.chain(nothing_to_forget).collect(),
            population: 1,
            report: Some(report),
            ..Plan::default()
        }
    }
}

async fn explained(session: &mut Session<'_>, table: &Table) -> Result<Explained, Error> {
    let language = session.config.language;
    let sample = Sample::read(session, table).await?;
    let findings = sample.findings(table, language);
    let mut report = sample.report(table.words());
    report["summary"] = texts::explained(language, sample.rows, sample.executions, findings.len()).into();
    Ok(Explained { report, findings })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    remediation::run::runner::run(MigrateSchema).await
}
