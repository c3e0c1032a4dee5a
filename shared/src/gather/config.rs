//! What the environment says (design, section 7): read once at start, all faults listed at once.

pub mod access;
pub mod escalation;
mod reader;
pub mod sessions;

use chrono::TimeDelta;

use crate::decide::Policy;
use crate::domain::{Language, Mode, ProcessStatus};
use crate::gather::config::access::DatabaseAccess;
use crate::gather::config::escalation::Escalation;
use crate::gather::config::reader::{Reader, seconds_of};
use crate::gather::config::sessions::SessionPolicy;
use crate::gather::error::Error;
use crate::gather::profile::Profile;
use crate::gather::table_name::TableName;
use crate::gather::trigger::result_path::ResultPath;

pub use crate::gather::config::reader::WORKER_FUNCTION_NAME;

/// Everything that an installation can set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database is and who we are there.
    pub database: DatabaseAccess,
    /// `APPLICATION_PROFILE`: how the application keeps its processes; the single variables win over it.
    pub profile: Profile,
    /// What is wrong with it: until it is right nothing is read of the application's table, and nothing changed.
    pub profile_faults: Vec<String>,
    /// `PROCESSING_STATE_TABLE`.
    pub table: TableName,
    /// `STATE_MACHINE_ARN`: executions of other state machines are refused.
    pub state_machine_arn: String,
    /// The deadlines and choices that decisions rest on.
    pub policy: Policy,
    /// `TIMED_OUT_STATUS`: FAILED, as the guide has it, or TIMEOUT where the column knows it.
    pub timed_out_status: ProcessStatus,
    /// `RESULT_PATH`: where an execution's output holds the result.
    pub result_path: ResultPath,
    /// `REMEDIATION_MODE`: the most that any step does.
    pub mode: Mode,
    /// `TEXT_LANGUAGE`: of texts that reach rows and people.
    pub language: Language,
    /// `NOTIFY_TOPIC_ARN`: the topic that people are notified through.
    pub notify_topic_arn: Option<String>,
    /// The application's Lambda functions: `APPLICATION_FUNCTION_NAMES`, and the worker (`WORKER_FUNCTION_NAME`).
    pub application_functions: Vec<String>,
    /// `WORKER_FUNCTION_NAME`: without it the guide's, but for another application's profile. `None`: nobody says which it is.
    pub worker_function: Option<String>,
    /// `WORKER_ALIAS`: the alias that the state machine calls the worker by. `None`: it calls `$LATEST`.
    pub worker_alias: Option<String>,
    /// `BEDROCK_MODEL_IDS`: the models that the worker calls, as CloudWatch has them (`ModelId`). Empty: those that its environment names.
    pub bedrock_models: Vec<String>,
    /// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets: this function's own name, `<prefix><step>`. From it a step knows the names of its
    /// neighbours ([`Config::function_of`]).
    pub own_function: Option<String>,
    /// The sessions that may be ended to relieve the database.
    pub sessions: SessionPolicy,
    /// `DATABASE_INSTANCE_ID`: the identifier of the RDS or Aurora instance.
    pub database_instance: Option<String>,
    /// `APPROVAL_REQUIRES_BY`: an approval has to say who approves (`"by"`).
    pub approval_requires_by: bool,
    /// How long the ledger is kept.
    pub retention: Retention,
    /// Who is told of an incident that nobody fixes, and when.
    pub escalation: Escalation,
}

/// How long the ledger is kept, in whole days (design, 6.4). What limits and attempts are counted by is never younger than the least of
/// what may be set here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// `RETENTION_ACTIONS_DAYS` (400): what was done, by which run and plan, incidents that are over, leases that have ended, changes
    /// of the controls.
    pub actions: TimeDelta,
    /// `RETENTION_RUNS_DAYS` (30): runs that did nothing, and plans that nobody approved.
    pub runs: TimeDelta,
    /// `RETENTION_EXECUTIONS_DAYS` (90): executions that are over, of rows that are closed. Step Functions lists them for as long.
    pub executions: TimeDelta,
    /// `RETENTION_REFUSED_WRITES_DAYS` (90): what the fence refused.
    pub refused_writes: TimeDelta,
}

/// The guide's worker.
const WORKER: &str = "ai-generation-worker";

/// The guide's functions beside it.
const APPLICATION_FUNCTIONS: &str = "async-processing-handler,status-check-handler,retry-handler,cancel-handler";

impl Config {
    /// Reads the environment through `lookup` (`std::env::var` in a function).
    ///
    /// # Errors
    /// [`Error::Configuration`] with every fault, each naming its variable and what it may be.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut reader = Reader { lookup, faults: Vec::new() };
        let database = reader.database();
        let (profile, profile_faults) = reader.profile();
        let table = reader.table(&profile);
        let state_machine_arn = reader.state_machine();
        let policy = Policy {
            process_deadline: reader.seconds("PROCESS_DEADLINE_SECONDS", profile.deadline.map_or(900, seconds_of)),
            start_deadline: reader.seconds("START_DEADLINE_SECONDS", 300),
            settle: reader.seconds("SETTLE_SECONDS", 60),
            require_result: reader.value("REQUIRE_RESULT").is_none() && profile.require_result
                || reader.flag("REQUIRE_RESULT"),
            words: profile.words,
        };
        let timed_out = [("FAILED", ProcessStatus::Failed), ("TIMEOUT", ProcessStatus::Timeout)];
        let timed_out_status = if profile.writes_timed_out && reader.value("TIMED_OUT_STATUS").is_none() {
            ProcessStatus::Timeout
        } else {
            reader.choice("TIMED_OUT_STATUS", &timed_out)
        };
        let mode = reader
            .choice("REMEDIATION_MODE", &[("act", Mode::Act), ("propose", Mode::Propose), ("observe", Mode::Observe)]);
        let language = reader.choice("TEXT_LANGUAGE", &[("ja", Language::Ja), ("en", Language::En)]);
        let result_path = match reader.value("RESULT_PATH").map(|path| path.parse::<ResultPath>()) {
            None => profile.result_path.clone(),
            Some(Ok(path)) => path,
            Some(Err(error)) => reader.fault(error.to_string()).unwrap_or_default(),
        };
        let notify_topic_arn = reader.value("NOTIFY_TOPIC_ARN");
        let escalation = reader.escalation(notify_topic_arn.as_ref());
        // In another application's account the guide's names may be those of a system that this installation does not look after.
        let guides = |names: &'static str| (!profile.is_anothers()).then_some(names);
        let worker_function = reader.worker_function(guides(WORKER));
        let application_functions =
            reader.application_functions(guides(APPLICATION_FUNCTIONS), worker_function.as_deref());
        let worker_alias = reader.worker_alias();
        let bedrock_models = reader.bedrock_models();
        let own_function = reader.value("AWS_LAMBDA_FUNCTION_NAME");
        let sessions = SessionPolicy {
            applications: reader.applications(&application_functions),
            idle_in_transaction: reader.seconds("IDLE_IN_TRANSACTION_SECONDS", 300),
            blocking: reader.seconds("BLOCKING_SECONDS", 120),
            long_query: reader.seconds("LONG_QUERY_SECONDS", 900),
        };
        let database_instance = reader.database_instance();
        let approval_requires_by = reader.flag("APPROVAL_REQUIRES_BY");
        let retention = Retention {
            // A target may rest for 31 days.
            actions: reader.days("RETENTION_ACTIONS_DAYS", 400, 32),
            // What was told is told again after a day.
            runs: reader.days("RETENTION_RUNS_DAYS", 30, 2),
            // What Step Functions still lists would be remembered anew.
            executions: reader.days("RETENTION_EXECUTIONS_DAYS", 90, 90),
            refused_writes: reader.days("RETENTION_REFUSED_WRITES_DAYS", 90, 1),
        };
        match (database, table, state_machine_arn, reader.faults) {
            (Some(database), Some(table), Some(state_machine_arn), faults) if faults.is_empty() => Ok(Self {
                database,
                profile,
                profile_faults,
                table,
                state_machine_arn,
                policy,
                timed_out_status,
                result_path,
                mode,
                language,
                notify_topic_arn,
                application_functions,
                worker_function,
                worker_alias,
                bedrock_models,
                own_function,
                sessions,
                database_instance,
                approval_requires_by,
                retention,
                escalation,
            }),
            // A value may stand in the wrong variable.
            (.., faults) => Err(Error::Configuration(faults.iter().map(Error::words).collect())),
        }
    }
}

impl Config {
    /// Makes sure that the application's profile can be relied on.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every fault.
    pub fn profile_is_right(&self) -> Result<(), Error> {
        if self.profile_faults.is_empty() { Ok(()) } else { Err(Error::Configuration(self.profile_faults.clone())) }
    }

    /// The alias by which a function of the application's is called; only the worker has one.
    #[must_use]
    pub fn alias_of(&self, function: &str) -> Option<&str> {
        self.worker_alias.as_deref().filter(|_| self.worker_function.as_deref() == Some(function))
    }

    /// The worker.
    ///
    /// # Errors
    /// [`Error::Configuration`] where nobody says which it is.
    pub fn worker(&self) -> Result<&str, Error> {
        let unnamed = || {
            vec![format!(
                "{WORKER_FUNCTION_NAME} must be set: the profile describes another application than the guide's"
            )]
        };
        self.worker_function.as_deref().ok_or_else(|| Error::Configuration(unnamed()))
    }

    /// The name of another step's function, where `own` is this one's step: both have the same prefix. `None` where this function is
    /// named otherwise, so that its neighbours' names cannot be known.
    #[must_use]
    pub fn function_of(&self, step: &str, own: &str) -> Option<String> {
        let prefix = self.own_function.as_deref()?.strip_suffix(own)?;
        Some(format!("{prefix}{step}"))
    }
}

#[cfg(test)]
mod tests;
