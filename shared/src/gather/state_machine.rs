//! How the state machine calls the application's worker: read from its definition, in the Amazon States Language.
//!
//! A task's own `TimeoutSeconds` ends the wait for the worker, whatever the function's timeout is; and only the qualifier that a task
//! calls by says which version of the worker really runs. What a definition leaves to an execution (a path, an expression) is not known
//! before that, and is said to be so.
//!
//! <https://states-language.net/spec.html>, <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>

use serde_json::{Map, Value, json};

use crate::domain::Both;
use crate::gather::error::Error;
use crate::text;

/// A limit of time, as a definition has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// None is named: Step Functions then waits for as long as an execution may last.
    None,
    /// So many seconds.
    Seconds(u32),
    /// Each execution has its own.
    Unknown,
}

impl Limit {
    /// The tighter of two that both bind.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Seconds(one), Self::Seconds(other)) => Self::Seconds(one.min(other)),
            (Self::Seconds(one), Self::None) | (Self::None, Self::Seconds(one)) => Self::Seconds(one),
            (Self::None, Self::None) => Self::None,
        }
    }

    /// The wider of two of which one is enough.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Seconds(one), Self::Seconds(other)) => Self::Seconds(one.max(other)),
        }
    }
}

/// A task state that calls a Lambda function.
#[derive(Debug, Clone, PartialEq)]
struct Task {
    state: String,
    /// `None` where only an execution tells which function it is.
    function: Option<FunctionRef>,
    timeout: Limit,
    retries: Retries,
}

/// How often, and for how long in all, a task tries again.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Retries {
    /// Attempts after the first one.
    pub attempts: u32,
    /// The pauses between them, in seconds; where they are jittered, what they come to on average.
    pub seconds: f64,
    /// The retrier that does it: the first one that matches. `None`: none does.
    pub retrier: Option<Retrier>,
}

/// A retrier's own numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retrier {
    /// It lists the error by its name; otherwise by `States.TaskFailed` or `States.ALL`, which stand for any.
    pub by_name: bool,
    /// `IntervalSeconds`.
    pub interval: f64,
    /// `BackoffRate`.
    pub rate: f64,
    /// `MaxDelaySeconds`, where there is one.
    pub at_most: Option<f64>,
    /// `JitterStrategy` is `FULL`.
    pub jitter: bool,
}

impl Retrier {
    /// The pauses of so many attempts, in seconds.
    #[must_use]
    pub fn seconds(&self, attempts: u32) -> f64 {
        let at_most = self.at_most.unwrap_or(f64::MAX);
        let (mut pause, mut seconds) = (self.interval, 0.0);
        // Beyond a hundred, the pauses are as long as anybody can wait for.
        for _ in 0..attempts.min(100) {
            seconds += pause.min(at_most);
            pause = (pause * self.rate).min(f64::from(u32::MAX));
        }
        // With full jitter each pause is anything from nothing to its length.
        if self.jitter { seconds / 2.0 } else { seconds }
    }
}

/// What a definition says of its calls of Lambda functions.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The machine's own `TimeoutSeconds`.
    timeout: Limit,
    tasks: Vec<Task>,
}

/// How a state machine calls one function.
#[derive(Debug, Clone, PartialEq)]
pub struct Callers {
    /// The states that call it.
    pub tasks: Vec<Caller>,
    /// States that call a function which only an execution names.
    pub unknown: Vec<String>,
    /// The machine's own limit.
    pub machine_timeout: Limit,
}

/// A state that calls the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// The state's name.
    pub state: String,
    /// The alias or version that it calls; `None`: `$LATEST`.
    pub qualifier: Option<String>,
    /// How long it waits.
    pub timeout: Limit,
    /// How it tries again where Lambda refuses its call for want of concurrency (`TooManyRequestsException`, HTTP 429); no attempts where
    /// it does not.
    pub retries: Retries,
}

/// A function as one of the forms that Lambda takes names it: a name, a partial ARN or an ARN, each with or without a qualifier.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FunctionRef {
    region: Option<String>,
    account: Option<String>,
    name: String,
    qualifier: Option<String>,
}

impl FunctionRef {
    /// `None` for what is no function's name, or is one only once an execution runs.
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, name, qualifier) = match *parts.as_slice() {
            [name] => (None, None, name, None),
            [name, qualifier] => (None, None, name, Some(qualifier)),
            [account, "function", name] => (None, Some(account), name, None),
            [account, "function", name, qualifier] => (None, Some(account), name, Some(qualifier)),
            ["arn", _, "lambda", region, account, "function", name] => (Some(region), Some(account), name, None),
            ["arn", _, "lambda", region, account, "function", name, qualifier] => {
                (Some(region), Some(account), name, Some(qualifier))
            }
            _ => return None,
        };
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        (!name.is_empty() && plain(name)).then(|| Self {
            region: region.map(str::to_owned),
            account: account.map(str::to_owned),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// Whether it is in the account and region of the state machine.
    fn is_beside(&self, state_machine_arn: &str) -> bool {
        let mut place = state_machine_arn.split(':').skip(3);
        let same = |told: &Option<String>, ours: Option<&str>| told.as_deref().is_none_or(|told| Some(told) == ours);
        same(&self.region, place.next()) && same(&self.account, place.next())
    }
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// [`Error::Said`] where it is no state machine's.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unreadable = |why: Both| {
            Error::said(|language| {
                let why = why.told(language);
                text!(
                    language,
                    ja: "ステートマシンの定義を読めない: {why}。STATE_MACHINE_ARN を確認する",
                    en: "the state machine's definition cannot be read: {why}: check STATE_MACHINE_ARN",
                )
            })
        };
        let definition: Value =
            serde_json::from_str(text).map_err(|error| unreadable(Both::same(&Error::words(&error))))?;
        let without_states = |language| text!(language, ja: "`States` がない", en: "it has no `States`");
        let states = definition["States"].as_object().ok_or_else(|| unreadable(Both::of(without_states)))?;
        let mut tasks = Vec::new();
        collect(states, &mut tasks);
        Ok(Self { timeout: limit(&definition), tasks })
    }

    /// The functions that it calls in the account and region of the state machine, as far as it names them itself: each once, in their order.
    #[must_use]
    pub fn functions(&self, state_machine_arn: &str) -> Vec<&str> {
        let here = self.tasks.iter().filter_map(|task| task.function.as_ref());
        let mut names: Vec<&str> = here
            .filter(|function| function.is_beside(state_machine_arn))
            .map(|function| function.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// How it calls the function of this name, which is in the account and region of the state machine.
    #[must_use]
    pub fn callers(&self, state_machine_arn: &str, function: &str) -> Callers {
        let here = |reference: &&FunctionRef| reference.name == function && reference.is_beside(state_machine_arn);
        let caller = |task: &Task| {
            let reference = task.function.as_ref().filter(here)?;
            let qualifier = reference.qualifier.clone().filter(|qualifier| qualifier != "$LATEST");
            Some(Caller { state: task.state.clone(), qualifier, timeout: task.timeout, retries: task.retries })
        };
        Callers {
            tasks: self.tasks.iter().filter_map(caller).collect(),
            unknown: self.tasks.iter().filter(|task| task.function.is_none()).map(|task| task.state.clone()).collect(),
            machine_timeout: self.timeout,
        }
    }
}

impl Callers {
    /// How long any of its tasks waits for the function; the machine's own limit is not counted.
    #[must_use]
    pub fn task_timeout(&self) -> Limit {
        self.tasks.iter().map(|task| task.timeout).reduce(Limit::or).unwrap_or(Limit::Unknown)
    }

    /// For the operator, and for a finding's evidence.
    #[must_use]
    pub fn image(&self) -> Value {
        let limit = |limit: Limit| match limit {
            Limit::None => json!("none"),
            Limit::Seconds(seconds) => json!(seconds),
            Limit::Unknown => json!("not known"),
        };
        json!({
            "tasks": self.tasks.iter().map(|task| json!({
                "state": task.state,
                "qualifier": task.qualifier,
                "timeoutSeconds": limit(task.timeout),
            })).collect::<Vec<_>>(),
            "notKnown": self.unknown,
            "machineTimeoutSeconds": limit(self.machine_timeout),
        })
    }
}

/// The task states of a machine, of the branches of its parallel states, and of what its map states do.
fn collect(states: &Map<String, Value>, tasks: &mut Vec<Task>) {
    for (name, state) in states {
        match state["Type"].as_str() {
            Some("Task") => tasks.extend(task(name, state)),
            Some("Parallel") => {
                let branches = state["Branches"].as_array().into_iter().flatten();
                branches.filter_map(|branch| branch["States"].as_object()).for_each(|inner| collect(inner, tasks));
            }
            Some("Map") => {
                let inner = ["ItemProcessor", "Iterator"].iter().find_map(|part| state[*part]["States"].as_object());
                inner.into_iter().for_each(|inner| collect(inner, tasks));
            }
            _ => {}
        }
    }
}

/// A task that calls a Lambda function; `None` for one that calls something else.
fn task(name: &str, state: &Value) -> Option<Task> {
    let resource = state["Resource"].as_str()?;
    let function = if resource.contains(":states:::lambda:invoke") {
        // `Parameters` in JSONPath, `Arguments` in JSONata; there the whole may be an expression.
        let arguments =
            [&state["Parameters"], &state["Arguments"]].into_iter().find(|arguments| !arguments.is_null())?;
        let qualifier = arguments.get("Qualifier");
        let known = arguments.get("Qualifier.$").is_none() && qualifier.is_none_or(is_plain);
        let mut function = arguments["FunctionName"].as_str().and_then(FunctionRef::parse).filter(|_| known);
        if let (Some(function), Some(qualifier)) = (&mut function, qualifier.and_then(Value::as_str)) {
            function.qualifier = Some(qualifier.to_owned());
        }
        function
    } else if resource.contains(":lambda:") {
        FunctionRef::parse(resource)
    } else {
        return None;
    };
    Some(Task { state: name.to_owned(), function, timeout: limit(state), retries: retries(state) })
}

/// The names that the error has in a retrier: its own, and those that stand for it.
const TOO_MANY_REQUESTS: [&str; 3] = ["Lambda.TooManyRequestsException", "States.TaskFailed", "States.ALL"];

/// What the first retrier that names the error does; the language's own numbers where it has none.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error>
fn retries(state: &Value) -> Retries {
    let names = |retrier: &&Value| {
        let errors = retrier["ErrorEquals"].as_array().into_iter().flatten().filter_map(Value::as_str);
        errors.into_iter().any(|error| TOO_MANY_REQUESTS.contains(&error))
    };
    let Some(retrier) = state["Retry"].as_array().into_iter().flatten().find(names) else { return Retries::default() };
    let attempts = retrier["MaxAttempts"].as_u64().and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(3);
    let mut errors = retrier["ErrorEquals"].as_array().into_iter().flatten();
    let found = Retrier {
        by_name: errors.any(|error| error == TOO_MANY_REQUESTS[0]),
        interval: retrier["IntervalSeconds"].as_f64().unwrap_or(1.0),
        rate: retrier["BackoffRate"].as_f64().unwrap_or(2.0),
        at_most: retrier["MaxDelaySeconds"].as_f64(),
        jitter: retrier["JitterStrategy"] == "FULL",
    };
    Retries { attempts, seconds: found.seconds(attempts), retrier: Some(found) }
}

/// A text that is no JSONata expression.
fn is_plain(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim_start().starts_with("{%"))
}

fn limit(state: &Value) -> Limit {
    match &state["TimeoutSeconds"] {
        Value::Null if state.get("TimeoutSecondsPath").is_none() => Limit::None,
        Value::Number(seconds) => {
            seconds.as_u64().and_then(|seconds| u32::try_from(seconds).ok()).map_or(Limit::Unknown, Limit::Seconds)
        }
        _ => Limit::Unknown,
    }
}

#[cfg(test)]
mod tests;
