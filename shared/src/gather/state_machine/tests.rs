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
    let definition = include_str!("../../../../tests/patient/state-machine.asl.json")
        .replace("${Worker}", WORKER)
        .replace("${StatusUpdater}", &WORKER.replace("ai-generation-worker", "update-processing-status"));
    let definition = Definition::parse(&definition).unwrap();
    assert_eq!(definition.functions(MACHINE), ["ai-generation-worker", "update-processing-status"]);
    assert!(definition.functions(&MACHINE.replace("123456789012", "210987654321")).is_empty());
    let callers = definition.callers(MACHINE, "ai-generation-worker");
    let retrier = Retrier { by_name: true, interval: 1.0, rate: 2.0, at_most: None, jitter: false };
    let retries = Retries { attempts: 2, seconds: 3.0, retrier: Some(retrier) };
    let task = Caller { state: "ExecuteAIGeneration".into(), qualifier: None, timeout: Limit::Seconds(300), retries };
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
        (invoke(json!({ "FunctionName": "123456789012:function:ai-generation-worker:live" })), called(Some("live"))),
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
        let callers = definition.callers("arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai", "worker");
        assert_eq!(callers.tasks.len(), 1);
        (callers.tasks[0].retries.attempts, callers.tasks[0].retries.seconds)
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
