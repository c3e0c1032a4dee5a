//! Check 1: the application's Lambda functions.

use std::time::Duration;

use crate::state::CheckState;
use crate::texts;
use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::SystemLogLevel;
use remediation::domain::Language;
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::logs::group::Group;
use remediation::gather::step_functions::StepFunctions;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::check::{Check, Look};
use crate::models::models_of;

/// One function, and what Lambda says of it.
pub struct Function {
    pub name: String,
    pub found: Result<Configuration, Trouble>,
}

/// Lambda's own words for how a function is.
#[derive(Clone, Default)]
pub struct Configuration {
    /// `Active`, `Pending`, `Inactive` (idle for weeks), `Failed`.
    pub state: String,
    pub state_reason: Option<String>,
    /// `Successful`, `InProgress`, `Failed`.
    pub last_update: String,
    pub last_update_reason: Option<String>,
    /// Seconds.
    pub timeout: Option<i32>,
    pub log: Group,
    /// Lambda writes no reports of runs that succeed.
    pub quiet: bool,
    /// The models that its environment names.
    pub models: Vec<String>,
}

/// Why nothing is known of a function.
pub enum Trouble {
    Missing,
    Unknown(String),
    /// The state machine calls it, and no setting names it: what goes wrong in it is not seen.
    Unwatched,
}

/// Asks for all at once, so that one that is not answered holds up none. Of the worker, what its callers run counts. What the state machine
/// calls beside them is named; where that cannot be read, check 2 tells of Step Functions.
pub async fn look(
    aws: &SdkConfig,
    step_functions: &StepFunctions,
    config: &Config,
    limit: Duration,
) -> Look<Vec<Function>> {
    let (started, language) = (Instant::now(), config.language);
    let client = Client::new(aws);
    let mut asked = JoinSet::new();
    for (at, name) in config.application_functions.iter().enumerate() {
        let alias = config.alias_of(name).map(str::to_owned);
        let (client, name) = (client.clone(), name.clone());
        asked.spawn(async move {
            let found = match timeout(limit, read(&client, &name, alias, language)).await {
                Ok(found) => found,
                Err(_) => Err(Trouble::Unknown(texts::check_too_slow(language, limit))),
            };
            (at, Function { name, found })
        });
    }
    let (mut functions, definition) = tokio::join!(asked.join_all(), timeout(limit, step_functions.definition()));
    functions.sort_by_key(|(at, _)| *at);
    let mut functions: Vec<Function> = functions.into_iter().map(|(_, function)| function).collect();
    if let Ok(Ok(definition)) = definition {
        let called = definition.functions(step_functions.state_machine_arn());
        let unwatched =
            called.into_iter().filter(|name| config.application_functions.iter().all(|known| known != name));
        functions.extend(unwatched.map(|name| Function { name: name.to_owned(), found: Err(Trouble::Unwatched) }));
    }
    Look::new(started, Ok(functions))
}

async fn read(
    client: &Client,
    name: &str,
    alias: Option<String>,
    language: Language,
) -> Result<Configuration, Trouble> {
    let answer = client.get_function_configuration().function_name(name).set_qualifier(alias).send().await;
    match answer.map_err(Error::aws("GetFunctionConfiguration")) {
        Ok(told) => Ok(Configuration {
            state: told.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
            state_reason: told.state_reason().map(str::to_owned),
            last_update: told.last_update_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            last_update_reason: told.last_update_status_reason().map(str::to_owned),
            timeout: told.timeout(),
            log: Group::told(name, told.logging_config()),
            quiet: told.logging_config().and_then(|logging| logging.system_log_level()) == Some(&SystemLogLevel::Warn),
            models: {
                let variables = told.environment().and_then(|environment| environment.variables());
                models_of(variables.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())))
            },
        }),
        Err(Error::Aws { code, .. }) if code == "ResourceNotFoundException" => Err(Trouble::Missing),
        Err(error) => Err(Trouble::Unknown(error.told(language))),
    }
}

impl Function {
    /// What Lambda still works on, or has put to sleep, is only a warning.
    fn state(&self) -> CheckState {
        match &self.found {
            Err(Trouble::Missing | Trouble::Unknown(_)) => CheckState::Failed,
            Ok(told) if told.state == "Failed" || told.last_update == "Failed" => CheckState::Failed,
            Err(Trouble::Unwatched) => CheckState::Ok,
            Ok(told) if told.state == "Active" && told.last_update == "Successful" => CheckState::Ok,
            Ok(_) => CheckState::Warning,
        }
    }

    fn line(&self, language: Language) -> String {
        let Self { name, found } = self;
        match found {
            Ok(Configuration { state, state_reason, last_update, last_update_reason, .. }) => {
                let reasons: Vec<&str> =
                    [state_reason, last_update_reason].into_iter().flatten().map(String::as_str).collect();
                texts::function_state(language, name, state, last_update, &reasons.join("; "))
            }
            Err(Trouble::Missing) => texts::function_missing(language, name),
            Err(Trouble::Unknown(why)) => format!("{name}: {why}"),
            Err(Trouble::Unwatched) => texts::function_unwatched(language, name),
        }
    }

    fn json(&self) -> serde_json::Value {
        match &self.found {
            Ok(told) => json!({
                "function": self.name,
                "state": told.state,
                "stateReason": told.state_reason,
                "lastUpdateStatus": told.last_update,
                "lastUpdateStatusReason": told.last_update_reason,
            }),
            Err(Trouble::Missing) => json!({ "function": self.name, "missing": true }),
            Err(Trouble::Unknown(why)) => json!({ "function": self.name, "error": why }),
            Err(Trouble::Unwatched) => json!({ "function": self.name, "unwatched": true }),
        }
    }
}

/// As good as the worst of them.
pub fn judge(look: &Look<Vec<Function>>, language: Language) -> Check {
    Check::of("lambda-functions", look, language, |functions, check| {
        let details = functions.iter().map(|function| function.line(language)).collect();
        let watched = functions.iter().filter(|function| !matches!(function.found, Err(Trouble::Unwatched))).count();
        if watched == 0 {
            return Check {
                details,
                ..Check::off(check.name, language, "APPLICATION_FUNCTION_NAMES, WORKER_FUNCTION_NAME")
            };
        }
        let wrong: Vec<&Function> = functions.iter().filter(|function| function.state() != CheckState::Ok).collect();
        let sentence = match wrong.as_slice() {
            [] => texts::functions_active(language, watched),
            wrong => {
                let names: Vec<&str> = wrong.iter().map(|function| function.name.as_str()).collect();
                texts::functions_wrong(language, wrong.len(), watched, &names.join(", "))
            }
        };
        Check {
            state: functions.iter().map(Function::state).max().unwrap_or(CheckState::Ok),
            sentence,
            details,
            data: functions.iter().map(Function::json).collect(),
            ..check
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(state: &str, last_update: &str) -> Result<Configuration, Trouble> {
        Ok(Configuration { state: state.into(), last_update: last_update.into(), ..Configuration::default() })
    }

    #[test]
    fn functions_are_as_good_as_the_worst_of_them() {
        use CheckState::{Failed, Ok, Warning};
        // (what is told of the second of three, state)
        for (found, state) in [
            (told("Active", "Successful"), Ok),
            (told("Active", "InProgress"), Warning),
            (told("Pending", "Successful"), Warning),
            (told("Inactive", "Successful"), Warning),
            (told("", ""), Warning),
            (told("Active", "Failed"), Failed),
            (told("Failed", "Successful"), Failed),
            (Err(Trouble::Missing), Failed),
            (Err(Trouble::Unknown("denied".into())), Failed),
            (Err(Trouble::Unwatched), Ok),
        ] {
            let sound = |name: &str| Function { name: name.into(), found: told("Active", "Successful") };
            let functions = vec![sound("a"), Function { name: "b".into(), found }, sound("c")];
            let check = judge(&Look { found: Result::Ok(functions), took: Duration::ZERO }, Language::En);
            assert_eq!(check.state, state, "{}", check.sentence);
            assert_eq!(check.sentence.ends_with(": b"), state != Ok, "{}", check.sentence);
            assert_eq!(check.failed().is_some(), state == Failed);
            assert_eq!((check.details.len(), check.data.as_array().map(Vec::len)), (3, Some(3)));
        }
    }
}
