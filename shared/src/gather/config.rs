//! What the environment says (design, section 7): read once at start, all faults listed at once.

pub mod access;
pub mod escalation;
pub mod sessions;

use chrono::TimeDelta;

use crate::decide::Policy;
use crate::domain::{Language, Mode, ProcessStatus};
use crate::gather::config::access::DatabaseAccess;
use crate::gather::config::escalation::{Escalation, Level};
use crate::gather::config::sessions::SessionPolicy;
use crate::gather::error::Error;
use crate::gather::profile::Profile;
use crate::gather::table_name::TableName;
use crate::gather::trigger::result_path::ResultPath;

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

/// The variable that names the worker.
pub const WORKER_FUNCTION_NAME: &str = "WORKER_FUNCTION_NAME";

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

fn seconds_of(deadline: TimeDelta) -> u32 {
    u32::try_from(deadline.num_seconds()).unwrap_or(u32::MAX)
}

struct Reader<F> {
    lookup: F,
    faults: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// A variable that is set to nothing is not set.
    fn value(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn fault<T>(&mut self, fault: String) -> Option<T> {
        self.faults.push(fault);
        None
    }

    fn database(&mut self) -> Option<DatabaseAccess> {
        let iam = self.flag("DATABASE_IAM_AUTH");
        match (self.value("DATABASE_URL"), self.value("DATABASE_SECRET_ARN"), iam) {
            (Some(url), None, false) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Some(DatabaseAccess::Url(url))
            }
            (Some(_), None, false) => {
                self.fault("DATABASE_URL must be of the form postgres://<user>:<password>@<host>:<port>/<database>".into())
            }
            (None, Some(arn), false) if arn.starts_with("arn:") => {
                let (port, name) = self.port_and_name();
                Some(DatabaseAccess::Secret { arn, host: self.value("DATABASE_HOST"), port: port?, name })
            }
            (None, Some(arn), false) => self.fault(format!("DATABASE_SECRET_ARN `{arn}` must be the ARN of a secret")),
            (None, None, true) => self.iam(),
            (None, None, false) => self.fault(
                "one of DATABASE_URL, DATABASE_SECRET_ARN, or DATABASE_HOST with DATABASE_USER and DATABASE_IAM_AUTH=true must be set"
                    .into(),
            ),
            _ => self.fault("only one of DATABASE_URL, DATABASE_SECRET_ARN and DATABASE_IAM_AUTH=true may be set".into()),
        }
    }

    /// `DATABASE_PORT` (5432) and `DATABASE_NAME` (`postgres`).
    fn port_and_name(&mut self) -> (Option<u16>, String) {
        let port = match self.value("DATABASE_PORT").map(|port| port.parse()) {
            None => Some(5432),
            Some(Ok(port)) => Some(port),
            Some(Err(_)) => self.fault("DATABASE_PORT must be a port number".into()),
        };
        (port, self.value("DATABASE_NAME").unwrap_or_else(|| "postgres".into()))
    }

    fn iam(&mut self) -> Option<DatabaseAccess> {
        let mut needed = |name: &str| {
            let value = self.value(name);
            if value.is_none() {
                self.faults.push(format!("{name} must be set with DATABASE_IAM_AUTH=true"));
            }
            value
        };
        let (host, user) = (needed("DATABASE_HOST"), needed("DATABASE_USER"));
        let (port, name) = self.port_and_name();
        Some(DatabaseAccess::Iam { host: host?, port: port?, user: user?, name })
    }

    /// Of one that is wrong, what is wrong with it; the guide's stands in its place then.
    fn profile(&self) -> (Profile, Vec<String>) {
        let Some(text) = self.value("APPLICATION_PROFILE") else { return (Profile::guide(), Vec::new()) };
        match Profile::parse(&text) {
            Ok(profile) => (profile, Vec::new()),
            Err(faults) => {
                let told = |fault: String| Error::words(&format!("APPLICATION_PROFILE: {fault}"));
                (Profile::guide(), faults.into_iter().map(told).collect())
            }
        }
    }

    fn table(&mut self, profile: &Profile) -> Option<TableName> {
        let Some(name) = self.value("PROCESSING_STATE_TABLE") else {
            let guide = || TableName { schema: "public".to_owned(), table: "processing_state".to_owned() };
            return Some(profile.table.clone().unwrap_or_else(guide));
        };
        let (schema, table) = name.split_once('.').unwrap_or(("public", &name));
        if schema.is_empty() || table.is_empty() || table.contains('.') {
            return self.fault(format!("PROCESSING_STATE_TABLE `{name}` must be <schema>.<table> or <table>"));
        }
        Some(TableName { schema: schema.to_owned(), table: table.to_owned() })
    }

    fn state_machine(&mut self) -> Option<String> {
        let Some(arn) = self.value("STATE_MACHINE_ARN") else {
            return self.fault("STATE_MACHINE_ARN must be set to the ARN of the state machine to look after".into());
        };
        let parts: Vec<&str> = arn.split(':').collect();
        let sound = matches!(parts.as_slice(), ["arn", partition, "states", region, account, "stateMachine", name]
            if [partition, region, account, name].iter().all(|part| !part.is_empty()));
        if sound {
            return Some(arn);
        }
        self.fault(format!(
            "STATE_MACHINE_ARN `{arn}` must be of the form arn:aws:states:<region>:<account>:stateMachine:<name>"
        ))
    }

    /// A function's name as Lambda has it; neither ARN nor alias.
    fn function_name(&mut self, variable: &str, name: &str) -> bool {
        let sound = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let fits = !name.is_empty() && name.len() <= 64 && sound(name);
        if !fits {
            self.faults.push(format!("{variable}: `{name}` must be a function name, up to 64 letters, digits, - or _"));
        }
        fits
    }

    fn worker_function(&mut self, default: Option<&str>) -> Option<String> {
        let name = self.value(WORKER_FUNCTION_NAME).or_else(|| default.map(str::to_owned))?;
        self.function_name(WORKER_FUNCTION_NAME, &name);
        Some(name)
    }

    fn application_functions(&mut self, default: Option<&str>, worker: Option<&str>) -> Vec<String> {
        let variable = "APPLICATION_FUNCTION_NAMES";
        let list = self.value(variable).or_else(|| default.map(str::to_owned));
        let named = list.iter().flat_map(|list| list.split(',')).map(str::trim);
        let mut names: Vec<String> = Vec::new();
        for name in named.filter(|name| self.function_name(variable, name)).chain(worker) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// An alias, not a version: only an alias can be moved.
    fn worker_alias(&mut self) -> Option<String> {
        let alias = self.value("WORKER_ALIAS")?;
        let sound = alias.len() <= 128 && alias.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if sound && !alias.chars().all(|c| c.is_ascii_digit()) {
            return Some(alias);
        }
        self.fault(format!(
            "WORKER_ALIAS `{alias}` must be an alias name, up to 128 letters, digits, - or _; not a version number and not $LATEST"
        ))
    }

    fn bedrock_models(&mut self) -> Vec<String> {
        let variable = "BEDROCK_MODEL_IDS";
        let list = self.value(variable).unwrap_or_default();
        let ids: Vec<&str> = list.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        if ids.len() > 20 || ids.iter().any(|id| id.len() > 255 || id.contains(char::is_whitespace)) {
            self.faults.push(format!("{variable} `{list}` must be up to 20 model ids joined by `,`"));
        }
        ids.into_iter().map(str::to_owned).collect()
    }

    fn applications(&mut self, functions: &[String]) -> Vec<String> {
        let variable = "DATABASE_APPLICATION_NAMES";
        let Some(list) = self.value(variable) else { return functions.to_vec() };
        let names: Vec<&str> = list.split(',').map(str::trim).collect();
        // PostgreSQL cuts what is longer.
        if !names.iter().all(|name| sessions::is_name(name)) {
            self.faults.push(format!(
                "{variable} `{list}` must be application names joined by `,`, each of 1 to 63 bytes; a client without one is \
                 user:<user> or user:<user>@<address or network>"
            ));
        }
        names.into_iter().map(str::to_owned).collect()
    }

    fn database_instance(&mut self) -> Option<String> {
        let id = self.value("DATABASE_INSTANCE_ID")?;
        if id.len() <= 63 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Some(id);
        }
        self.fault(format!(
            "DATABASE_INSTANCE_ID `{id}` must be the identifier of an RDS instance, up to 63 letters, digits or -"
        ))
    }

    fn seconds(&mut self, name: &str, default: u32) -> TimeDelta {
        let seconds = match self.value(name).map(|value| value.parse::<u32>().map_err(|_| value)) {
            None => default,
            Some(Ok(seconds)) if seconds <= 31_536_000 => seconds,
            Some(Ok(seconds)) => {
                self.fault(format!("{name} `{seconds}` must be at most a year (31536000)")).unwrap_or(default)
            }
            Some(Err(value)) => {
                self.fault(format!("{name} `{value}` must be a whole number of seconds")).unwrap_or(default)
            }
        };
        TimeDelta::seconds(i64::from(seconds))
    }

    /// A hundred years are for ever.
    fn days(&mut self, name: &str, default: u32, at_least: u32) -> TimeDelta {
        let days = match self.value(name) {
            None => default,
            Some(value) => match value.parse::<u32>() {
                Ok(days) if (at_least..=36_500).contains(&days) => days,
                _ => self
                    .fault(format!("{name} `{value}` must be a whole number of days from {at_least} to 36500"))
                    .unwrap_or(default),
            },
        };
        TimeDelta::days(i64::from(days))
    }

    fn escalation(&mut self, notify_topic: Option<&String>) -> Escalation {
        let mut escalation = Escalation {
            after: self.seconds("ESCALATE_AFTER_SECONDS", 900),
            l2: self.seconds("ESCALATION_L2_SECONDS", 1800),
            l3: self.seconds("ESCALATION_L3_SECONDS", 3600),
            topics: Level::ALL.map(|level| self.value(&level.variable())),
        };
        self.faults.extend(escalation.faults());
        for topic in &mut escalation.topics {
            *topic = topic.take().or_else(|| notify_topic.cloned());
        }
        escalation
    }

    fn flag(&mut self, name: &str) -> bool {
        self.choice(name, &[("false", false), ("true", true)])
    }

    /// One of the named values; the first is the default.
    fn choice<T: Copy>(&mut self, name: &str, values: &[(&str, T)]) -> T {
        let default = values[0].1;
        let Some(found) = self.value(name) else { return default };
        if let Some((_, value)) = values.iter().find(|(spelling, _)| *spelling == found) {
            return *value;
        }
        let allowed: Vec<&str> = values.iter().map(|(spelling, _)| *spelling).collect();
        self.fault(format!("{name} `{found}` must be one of {}", allowed.join(", "))).unwrap_or(default)
    }
}

#[cfg(test)]
mod tests;
