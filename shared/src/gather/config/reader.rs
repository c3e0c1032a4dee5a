//! Reads the single variables.

use chrono::TimeDelta;

use crate::gather::config::access::DatabaseAccess;
use crate::gather::config::escalation::{Escalation, Level};
use crate::gather::config::sessions;
use crate::gather::error::Error;
use crate::gather::profile::Profile;
use crate::gather::table_name::TableName;

/// The variable that names the worker.
pub const WORKER_FUNCTION_NAME: &str = "WORKER_FUNCTION_NAME";

pub(super) fn seconds_of(deadline: TimeDelta) -> u32 {
    u32::try_from(deadline.num_seconds()).unwrap_or(u32::MAX)
}

/// Reads one variable after the other, and keeps what is wrong with them.
pub(super) struct Reader<F> {
    pub(super) lookup: F,
    pub(super) faults: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// A variable that is set to nothing is not set.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub(super) fn fault<T>(&mut self, fault: String) -> Option<T> {
        self.faults.push(fault);
        None
    }

    pub(super) fn database(&mut self) -> Option<DatabaseAccess> {
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
    pub(super) fn profile(&self) -> (Profile, Vec<String>) {
        let Some(text) = self.value("APPLICATION_PROFILE") else { return (Profile::guide(), Vec::new()) };
        match Profile::parse(&text) {
            Ok(profile) => (profile, Vec::new()),
            Err(faults) => {
                let told = |fault: String| Error::words(&format!("APPLICATION_PROFILE: {fault}"));
                (Profile::guide(), faults.into_iter().map(told).collect())
            }
        }
    }

    pub(super) fn table(&mut self, profile: &Profile) -> Option<TableName> {
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

    pub(super) fn state_machine(&mut self) -> Option<String> {
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

    pub(super) fn worker_function(&mut self, default: Option<&str>) -> Option<String> {
        let name = self.value(WORKER_FUNCTION_NAME).or_else(|| default.map(str::to_owned))?;
        self.function_name(WORKER_FUNCTION_NAME, &name);
        Some(name)
    }

    pub(super) fn application_functions(&mut self, default: Option<&str>, worker: Option<&str>) -> Vec<String> {
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
    pub(super) fn worker_alias(&mut self) -> Option<String> {
        let alias = self.value("WORKER_ALIAS")?;
        let sound = alias.len() <= 128 && alias.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if sound && !alias.chars().all(|c| c.is_ascii_digit()) {
            return Some(alias);
        }
        self.fault(format!(
            "WORKER_ALIAS `{alias}` must be an alias name, up to 128 letters, digits, - or _; not a version number and not $LATEST"
        ))
    }

    pub(super) fn bedrock_models(&mut self) -> Vec<String> {
        let variable = "BEDROCK_MODEL_IDS";
        let list = self.value(variable).unwrap_or_default();
        let ids: Vec<&str> = list.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        if ids.len() > 20 || ids.iter().any(|id| id.len() > 255 || id.contains(char::is_whitespace)) {
            self.faults.push(format!("{variable} `{list}` must be up to 20 model ids joined by `,`"));
        }
        ids.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn applications(&mut self, functions: &[String]) -> Vec<String> {
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

    pub(super) fn database_instance(&mut self) -> Option<String> {
        let id = self.value("DATABASE_INSTANCE_ID")?;
        if id.len() <= 63 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Some(id);
        }
        self.fault(format!(
            "DATABASE_INSTANCE_ID `{id}` must be the identifier of an RDS instance, up to 63 letters, digits or -"
        ))
    }

    pub(super) fn seconds(&mut self, name: &str, default: u32) -> TimeDelta {
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
    pub(super) fn days(&mut self, name: &str, default: u32, at_least: u32) -> TimeDelta {
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

    pub(super) fn escalation(&mut self, notify_topic: Option<&String>) -> Escalation {
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

    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.choice(name, &[("false", false), ("true", true)])
    }

    /// One of the named values; the first is the default.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, values: &[(&str, T)]) -> T {
        let default = values[0].1;
        let Some(found) = self.value(name) else { return default };
        if let Some((_, value)) = values.iter().find(|(spelling, _)| *spelling == found) {
            return *value;
        }
        let allowed: Vec<&str> = values.iter().map(|(spelling, _)| *spelling).collect();
        self.fault(format!("{name} `{found}` must be one of {}", allowed.join(", "))).unwrap_or(default)
    }
}
