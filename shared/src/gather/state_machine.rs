//! How the state machine calls the application's worker: read from its definition, in the Amazon States Language.
//!
//! A task's own `TimeoutSeconds` ends the wait for the worker, whatever the function's timeout is; and only the qualifier that a task
//! calls by says which version of the worker really runs. What a definition leaves to an execution (a path, an expression) is not known
//! before that, and is said to be so.
//!
//! <https://states-language.net/spec.html>, <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>

use serde_json::{Map, Value};

use crate::gather::error::Error;

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
    throttled: Retries,
}

/// How often, and for how long in all, a task tries again.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Retries {
    /// Attempts after the first one.
    pub attempts: u32,
    /// The pauses between them, in seconds; where they are jittered, what they come to on average.
    pub seconds: f64,
}

/// A task, and what it does where Lambda refuses its call for want of concurrency (`TooManyRequestsException`, HTTP 429).
#[derive(Debug, Clone, PartialEq)]
pub struct Throttled {
    /// The state's name.
    pub state: String,
    /// How it tries again; no attempts where it does not.
    pub retries: Retries,
}

/// What a definition says of its calls of Lambda functions.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The machine's own `TimeoutSeconds`.
    timeout: Limit,
    tasks: Vec<Task>,
}

/// How a state machine calls one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callers {
    /// The states that call it.
    pub tasks: Vec<Caller>,
    /// States that call a function which only an execution names.
    pub unknown: Vec<String>,
    /// The machine's own limit.
    pub machine_timeout: Limit,
}

/// A state that calls the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The state's name.
    pub state: String,
    /// The alias or version that it calls; `None`: `$LATEST`.
    pub qualifier: Option<String>,
    /// How long it waits.
    pub timeout: Limit,
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
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// [`Error::Refused`] where it is no state machine's.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unreadable = |why: String| {
            Error::Refused(format!("the state machine's definition cannot be read: {why}: check STATE_MACHINE_ARN"))
        };
        let definition: Value = serde_json::from_str(text).map_err(|error| unreadable(Error::words(&error)))?;
        let states = definition["States"].as_object().ok_or_else(|| unreadable("it has no `States`".to_owned()))?;
        let mut tasks = Vec::new();
        collect(states, &mut tasks);
        Ok(Self { timeout: limit(&definition), tasks })
    }

    /// How it calls the function of this name, which is in the account and region of the state machine.
    #[must_use]
    pub fn callers(&self, state_machine_arn: &str, function: &str) -> Callers {
        let calls = self.calls(state_machine_arn, function).map(|(task, reference)| {
            let qualifier = reference.qualifier.clone().filter(|qualifier| qualifier != "$LATEST");
            Caller { state: task.state.clone(), qualifier, timeout: task.timeout }
        });
        Callers {
            tasks: calls.collect(),
            unknown: self.tasks.iter().filter(|task| task.function.is_none()).map(|task| task.state.clone()).collect(),
            machine_timeout: self.timeout,
        }
    }

    /// How the tasks that call the function of this name try again where Lambda refuses their calls for want of concurrency.
    #[must_use]
    pub fn throttled(&self, state_machine_arn: &str, function: &str) -> Vec<Throttled> {
        let calls = self.calls(state_machine_arn, function);
        calls.map(|(task, _)| Throttled { state: task.state.clone(), retries: task.throttled }).collect()
    }

    fn calls(&self, state_machine_arn: &str, function: &str) -> impl Iterator<Item = (&Task, &FunctionRef)> {
        let mut place = state_machine_arn.split(':').skip(3);
        let (region, account) = (place.next(), place.next());
        let here = move |reference: &&FunctionRef| {
            let same =
                |told: &Option<String>, ours: Option<&str>| told.as_deref().is_none_or(|told| Some(told) == ours);
            reference.name == function && same(&reference.region, region) && same(&reference.account, account)
        };
        self.tasks.iter().filter_map(move |task| Some((task, task.function.as_ref().filter(here)?)))
    }
}

impl Callers {
    /// How long any of its tasks waits for the function; the machine's own limit is not counted.
    #[must_use]
    pub fn task_timeout(&self) -> Limit {
        self.tasks.iter().map(|task| task.timeout).reduce(Limit::or).unwrap_or(Limit::Unknown)
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
    Some(Task { state: name.to_owned(), function, timeout: limit(state), throttled: throttled(state) })
}

/// The names that the error has in a retrier: its own, and those that stand for it.
const TOO_MANY_REQUESTS: [&str; 3] = ["Lambda.TooManyRequestsException", "States.TaskFailed", "States.ALL"];

/// What the first retrier that names the error does; the language's own numbers where it has none.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error>
fn throttled(state: &Value) -> Retries {
    let names = |retrier: &&Value| {
        let errors = retrier["ErrorEquals"].as_array().into_iter().flatten().filter_map(Value::as_str);
        errors.into_iter().any(|error| TOO_MANY_REQUESTS.contains(&error))
    };
    let Some(retrier) = state["Retry"].as_array().into_iter().flatten().find(names) else { return Retries::default() };
    let attempts = retrier["MaxAttempts"].as_u64().and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(3);
    let rate = retrier["BackoffRate"].as_f64().unwrap_or(2.0);
    let at_most = retrier["MaxDelaySeconds"].as_f64().unwrap_or(f64::MAX);
    let mut pause = retrier["IntervalSeconds"].as_f64().unwrap_or(1.0);
    let mut seconds = 0.0;
    // Beyond a hundred, the pauses are as long as anybody can wait for.
    for _ in 0..attempts.min(100) {
        seconds += pause.min(at_most);
        pause = (pause * rate).min(f64::from(u32::MAX));
    }
    // With full jitter each pause is anything from nothing to its length.
    Retries { attempts, seconds: if retrier["JitterStrategy"] == "FULL" { seconds / 2.0 } else { seconds } }
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
mod tests {
    use serde_json::json;

    use super::*;

    const MACHINE: &str = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai-processing";
    const WORKER: &str = "arn:aws:lambda:ap-northeast-1:123456789012:function:ai-generation-worker";

    fn callers(definition: &Value) -> Callers {
        Definition::parse(&definition.to_string()).unwrap().callers(MACHINE, "ai-generation-worker")
    }

    fn machine(state: Value) -> Value {
        json!({ "StartAt": "Work", "States": { "Work": state } })
    }

    #[test]
    fn the_applications_own_definition_tells_its_tasks_timeout_and_its_own() {
        let definition = include_str!("../../../tests/patient/state-machine.asl.json")
            .replace("${Worker}", WORKER)
            .replace("${StatusUpdater}", &WORKER.replace("ai-generation-worker", "update-processing-status"));
        let callers = Definition::parse(&definition).unwrap().callers(MACHINE, "ai-generation-worker");
        let task = Caller { state: "ExecuteAIGeneration".into(), qualifier: None, timeout: Limit::Seconds(300) };
        assert_eq!(callers, Callers { tasks: vec![task], unknown: vec![], machine_timeout: Limit::Seconds(600) });
        assert_eq!(callers.task_timeout().and(callers.machine_timeout), Limit::Seconds(300));
    }

    #[test]
    fn the_worker_is_known_in_every_form_that_a_task_may_name_it_by() {
        let invoke = |arguments: Value| json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": arguments });
        let jsonata = |arguments: Value| json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "QueryLanguage": "JSONata", "Arguments": arguments });
        let called = |qualifier: Option<&'static str>| Some(qualifier);
        // (state, the qualifier that the worker is called by; `None`: it is not the worker)
        for (state, expected) in [
            (json!({ "Type": "Task", "Resource": WORKER }), called(None)),
            (json!({ "Type": "Task", "Resource": format!("{WORKER}:live") }), called(Some("live"))),
            (json!({ "Type": "Task", "Resource": format!("{WORKER}:7") }), called(Some("7"))),
            (json!({ "Type": "Task", "Resource": format!("{WORKER}-2") }), None),
            (json!({ "Type": "Task", "Resource": WORKER.replace("123456789012", "210987654321") }), None),
            (json!({ "Type": "Task", "Resource": WORKER.replace("ap-northeast-1", "us-east-1") }), None),
            (json!({ "Type": "Task", "Resource": "arn:aws:states:::sns:publish" }), None),
            (json!({ "Type": "Wait", "Seconds": 1 }), None),
            (invoke(json!({ "FunctionName": "ai-generation-worker" })), called(None)),
            (invoke(json!({ "FunctionName": "ai-generation-worker:live" })), called(Some("live"))),
            (invoke(json!({ "FunctionName": "ai-generation-worker", "Qualifier": "live" })), called(Some("live"))),
            (invoke(json!({ "FunctionName": format!("{WORKER}:$LATEST") })), called(None)),
            (
                invoke(json!({ "FunctionName": "123456789012:function:ai-generation-worker:live" })),
                called(Some("live")),
            ),
            (invoke(json!({ "FunctionName": "210987654321:function:ai-generation-worker" })), None),
            (invoke(json!({ "FunctionName": "another" })), None),
            (jsonata(json!({ "FunctionName": WORKER, "Payload": "{% $states.input %}" })), called(None)),
            (jsonata(json!({ "FunctionName": WORKER, "Qualifier": "live" })), called(Some("live"))),
        ] {
            let callers = callers(&machine(state.clone()));
            let found = callers.tasks.first().map(|task| task.qualifier.as_deref());
            assert_eq!((found, callers.unknown.len()), (expected, 0), "{state}");
        }
    }

    #[test]
    fn what_only_an_execution_names_is_not_known() {
        for arguments in [
            json!({ "FunctionName.$": "$.worker" }),
            json!({ "FunctionName": "{% $states.input.worker %}" }),
            json!({ "FunctionName": WORKER, "Qualifier.$": "$.version" }),
            json!({ "FunctionName": WORKER, "Qualifier": "{% $version %}" }),
            json!("{% $states.input %}"),
        ] {
            let state = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments });
            let callers = callers(&machine(state));
            assert_eq!((callers.tasks.len(), callers.unknown), (0, vec!["Work".to_owned()]), "{arguments}");
        }
    }

    #[test]
    fn a_limit_is_a_number_or_none_or_not_known() {
        for (fields, limit) in [
            (json!({}), Limit::None),
            (json!({ "TimeoutSeconds": 300 }), Limit::Seconds(300)),
            (json!({ "TimeoutSecondsPath": "$.timeout" }), Limit::Unknown),
            (json!({ "TimeoutSeconds": "{% $timeout %}" }), Limit::Unknown),
        ] {
            let mut state = json!({ "Type": "Task", "Resource": WORKER });
            let mut definition = json!({ "States": {} });
            for (name, value) in fields.as_object().unwrap() {
                state[name] = value.clone();
                definition[name] = value.clone();
            }
            definition["States"]["Work"] = state;
            let callers = callers(&definition);
            assert_eq!((callers.task_timeout(), callers.machine_timeout), (limit, limit), "{fields}");
        }
    }

    #[test]
    fn states_within_branches_and_maps_count_and_one_that_waits_longer_is_enough() {
        let work = |timeout: u32| json!({ "Type": "Task", "Resource": WORKER, "TimeoutSeconds": timeout });
        let inner = |state: Value| json!({ "StartAt": "Inner", "States": { "Inner": state } });
        let definition = json!({ "States": {
            "Fan": { "Type": "Parallel", "Branches": [inner(work(100)), inner(json!({ "Type": "Pass" }))] },
            "Each": { "Type": "Map", "ItemProcessor": inner(work(200)) },
            "Old": { "Type": "Map", "Iterator": inner(json!({ "Type": "Map", "Iterator": inner(work(150)) })) },
        } });
        let callers = callers(&definition);
        assert_eq!((callers.tasks.len(), callers.task_timeout()), (3, Limit::Seconds(200)));
    }

    #[test]
    fn limits_combine() {
        use Limit::{None, Seconds, Unknown};
        for (one, other, both, either) in [
            (Seconds(3), Seconds(5), Seconds(3), Seconds(5)),
            (Seconds(3), None, Seconds(3), None),
            (Seconds(3), Unknown, Unknown, Unknown),
            (Unknown, None, Unknown, None),
            (None, None, None, None),
        ] {
            assert_eq!((one.and(other), other.and(one)), (both, both), "{one:?} and {other:?}");
            assert_eq!((one.or(other), other.or(one)), (either, either), "{one:?} or {other:?}");
        }
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for text in ["", "[]", "{}", "{\"States\": []}"] {
            let error = Definition::parse(text).unwrap_err().to_string();
            assert!(error.contains("definition cannot be read"), "{error}");
        }
    }

    #[test]
    fn the_first_retrier_that_names_lambdas_429_says_how_long_it_is_tried_again() {
        let seconds = |retry: Value| {
            let resource = "arn:aws:lambda:ap-northeast-1:123456789012:function:worker";
            let states = json!({ "Call": { "Type": "Task", "Resource": resource, "Retry": retry, "End": true } });
            let definition = Definition::parse(&json!({ "StartAt": "Call", "States": states }).to_string()).unwrap();
            let throttled =
                definition.throttled("arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai", "worker");
            assert_eq!(throttled.len(), 1);
            (throttled[0].retries.attempts, throttled[0].retries.seconds)
        };
        let by = |error: &str| json!([{ "ErrorEquals": [error] }]);
        for (retry, expected) in [
            (Value::Null, (0, 0.0)),
            (json!([]), (0, 0.0)),
            (by("Lambda.ServiceException"), (0, 0.0)),
            (by("States.Timeout"), (0, 0.0)),
            (by("Lambda.TooManyRequestsException"), (3, 7.0)),
            (by("States.TaskFailed"), (3, 7.0)),
            (by("States.ALL"), (3, 7.0)),
            (json!([{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 0 }]), (0, 0.0)),
            // The first one counts.
            (
                json!([
                    { "ErrorEquals": ["AI_ERROR"], "MaxAttempts": 9 },
                    { "ErrorEquals": ["Lambda.TooManyRequestsException"], "MaxAttempts": 1 },
                    { "ErrorEquals": ["States.ALL"], "MaxAttempts": 9 },
                ]),
                (1, 1.0),
            ),
            (
                json!([{ "ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2 }]),
                (6, 126.0),
            ),
            (
                json!([{
                    "ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 4, "BackoffRate": 3,
                    "MaxDelaySeconds": 60, "JitterStrategy": "FULL",
                }]),
                (4, (10.0 + 30.0 + 60.0 + 60.0) / 2.0),
            ),
        ] {
            assert_eq!(seconds(retry.clone()), expected, "{retry}");
        }
    }
}
