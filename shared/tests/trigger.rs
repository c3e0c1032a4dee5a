//! Every kind of event that a step takes, as AWS documents it (`payloads/`), and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use remediation::domain::{Ending, ExecutionStatus, Mode, WORDS};
use remediation::gather::trigger::decode::decode;
use remediation::gather::trigger::result_path::ResultPath;
use remediation::gather::trigger::{AlarmChange, AlarmState, Ask, ExecutionChange, Scope, Trigger, TriggerError};
use serde_json::{Map, Value, json};

const PROCESS: &str = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";
const ARN: &str = "arn:aws:states:ap-northeast-1:123456789012:execution:goal-generation:6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c-1795482000000";
/// The parameters of the step that the tests decode for.
const ALLOWED: &[&str] = &["cancel", "fence"];

fn read(event: Value) -> Result<Trigger, TriggerError> {
    decode(event, &WORDS, &ResultPath::default(), ALLOWED)
}

fn payloads() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
        })
        .collect()
}

fn payload(name: &str) -> Value {
    payloads().remove(name).unwrap_or_else(|| panic!("there is no payloads/{name}.json"))
}

/// The payload with something else at one place of it.
fn with(name: &str, pointer: &str, value: Value) -> Value {
    let mut event = payload(name);
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[field] = value;
    event
}

/// The payload without one place of it.
fn without(name: &str, pointer: &str) -> Value {
    let mut event = payload(name);
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
    event
}

fn alarm(event: Value) -> AlarmChange {
    match read(event).unwrap() {
        Trigger::Alarm(change) => change,
        other => panic!("{other:?}"),
    }
}

fn execution(event: Value) -> ExecutionChange {
    match read(event).unwrap() {
        Trigger::Execution(change) => *change,
        other => panic!("{other:?}"),
    }
}

fn ask(event: Value) -> Ask {
    match read(event).unwrap() {
        Trigger::Operator(ask) => ask,
        other => panic!("{other:?}"),
    }
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

#[test]
fn every_payload_is_understood() {
    let described: BTreeMap<_, _> = payloads()
        .into_iter()
        .map(|(name, event)| {
            let trigger = read(event).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, trigger.describe())
        })
        .collect();
    insta::assert_json_snapshot!(described);
}

#[test]
fn an_alarm_tells_its_state_however_it_is_delivered() {
    for (name, alarm_name, previous, time) in [
        ("alarm-metric", "stuck-processes", AlarmState::Ok, "2026-11-24T01:05:40.989Z"),
        ("alarm-metric-math", "error-rate", AlarmState::InsufficientData, "2026-11-24T02:20:48.554Z"),
        ("alarm-composite", "processing-unhealthy", AlarmState::Ok, "2026-11-24T04:12:51.394Z"),
        ("alarm-lambda-action", "worker-near-timeout", AlarmState::InsufficientData, "2026-11-24T05:36:15.490Z"),
        ("alarm-sns", "database-connections", AlarmState::Ok, "2026-11-24T06:01:00.236Z"),
    ] {
        let change = alarm(payload(name));
        assert_eq!(change.alarm, alarm_name);
        assert_eq!(change.state, AlarmState::Alarm, "{name}");
        assert_eq!(change.previous, Some(previous), "{name}");
        assert_eq!(change.at, at(time), "{name}");
        assert_eq!(change.suppressed_by, None, "{name}");
        assert_eq!(change.arn, Some(format!("arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:{alarm_name}")));
    }
    assert_eq!(alarm(payload("alarm-anomaly")).state, AlarmState::Ok);
}

#[test]
fn a_suppressed_composite_alarm_says_what_suppresses_it() {
    assert_eq!(alarm(payload("alarm-composite-suppressed")).suppressed_by.as_deref(), Some("WaitPeriod"));
}

#[test]
fn a_mute_rule_says_that_nothing_is_to_be_done_and_until_when() {
    let rule = "arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm-mute-rule:maintenance";
    // (where it stands, what it says, by what the actions are held back, until when)
    for (name, pointer, mute, by, until) in [
        (
            "alarm-metric",
            "/detail/muteDetail",
            json!({ "mutedByArn": rule, "muteWindowEnd": "2026-11-29T13:00:00.000+0000" }),
            Some(rule),
            Some(at("2026-11-29T13:00:00Z")),
        ),
        ("alarm-composite", "/detail/state/muteDetail", json!({ "mutedByArn": rule }), Some(rule), None),
        ("alarm-lambda-action", "/alarmData/muteDetail", json!({ "mutedByArn": rule }), Some(rule), None),
        // What it says of itself may change: that it is there is enough.
        ("alarm-metric", "/detail/muteDetail", json!({ "muteWindowEnd": 1 }), Some("muteDetail"), None),
        ("alarm-metric", "/detail/muteDetail", Value::Null, None, None),
        // A suppressor is named first.
        ("alarm-composite-suppressed", "/detail/muteDetail", json!({ "mutedByArn": rule }), Some("WaitPeriod"), None),
    ] {
        let change = alarm(with(name, pointer, mute.clone()));
        assert_eq!((change.suppressed_by.as_deref(), change.held_until), (by, until), "{name} {mute}");
    }
}

#[test]
fn a_rules_own_event_and_a_schedulers_are_schedules_of_their_names() {
    let event = |source: &str, detail: Value, resources: Value| {
        json!({
            "version": "0", "id": "e", "detail-type": "Scheduled Event", "source": source, "detail": detail,
            "account": "123456789012", "time": "2026-11-29T00:00:00Z", "region": "ap-northeast-1", "resources": resources,
        })
    };
    let rule = json!(["arn:aws:events:ap-northeast-1:123456789012:rule/every-5-minutes"]);
    let schedule = json!(["arn:aws:scheduler:ap-northeast-1:123456789012:schedule/default/every-5-minutes"]);
    for (event, name) in [
        (event("aws.events", json!({}), rule), "every-5-minutes"),
        (event("aws.events", json!({}), json!([])), "Scheduled Event"),
        (event("aws.scheduler", json!("{}"), schedule), "default/every-5-minutes"),
    ] {
        let Trigger::Schedule(schedule) = read(event).unwrap() else { panic!("{name}") };
        assert_eq!((schedule.schedule.as_str(), schedule.mode), (name, None));
    }
}

#[test]
fn an_alarm_may_lack_what_no_step_needs() {
    for pointer in
        ["/detail/previousState", "/detail/configuration", "/detail/state/reason", "/detail/state/reasonData"]
    {
        alarm(without("alarm-metric", pointer));
    }
    for pointer in ["/id", "/resources", "/time", "/account", "/version"] {
        alarm(without("alarm-metric", pointer));
    }
    for pointer in ["/Records/0/Sns/Signature", "/Records/0/Sns/UnsubscribeUrl", "/Records/0/EventVersion"] {
        alarm(without("alarm-sns", pointer));
    }
    assert_eq!(alarm(without("alarm-metric", "/detail/previousState")).previous, None);
}

#[test]
fn an_execution_tells_its_process_its_times_and_its_end() {
    let change = execution(payload("execution-succeeded"));
    assert_eq!(change.process, Some(PROCESS.parse().unwrap()));
    assert_eq!(change.event_id.as_deref(), Some("415c1398-40ff-a850-213b-158f73e60176"));
    assert_eq!(change.execution.arn.as_str(), ARN);
    assert_eq!(change.execution.status, ExecutionStatus::Succeeded);
    assert_eq!(change.execution.started_at, at("2026-11-24T01:00:00Z"));
    assert_eq!(change.execution.stopped_at, Some(at("2026-11-24T01:01:12.345Z")));
    let result = Some(json!({ "subGoals": [{ "title": "靴を買う" }] }));
    assert_eq!(change.execution.ending, Some(Ending { result: result.map(Into::into), ..Ending::default() }));
    assert!(!change.execution.stopped_for_deadline);

    let change = execution(payload("execution-redriven"));
    assert_eq!(change.execution.redrive_count, 1);
    assert_eq!(change.execution.redriven_at, Some(at("2026-11-24T02:00:00Z")));
}

#[test]
fn an_end_is_known_only_where_the_event_tells_it() {
    let no_result = Some(Ending::default());
    let failed = Ending { error: Some("AI_ERROR".to_owned()), ..Ending::default() };
    for (event, ending) in [
        (payload("execution-running"), None),
        (payload("execution-pending-redrive"), None),
        (payload("execution-succeeded-large"), None),
        (with("execution-succeeded", "/detail/output", json!("\"Hello\"")), no_result.clone()),
        (with("execution-succeeded", "/detail/output", json!("no JSON")), no_result),
        (payload("execution-failed-without-error"), None),
        (payload("execution-timed-out"), None),
        (with("execution-failed", "/detail/cause", Value::Null), Some(failed)),
        // Who stopped it, only the error tells.
        (with("execution-aborted", "/detail/error", Value::Null), None),
    ] {
        assert_eq!(execution(event.clone()).execution.ending, ending, "{event}");
    }
}

#[test]
fn a_process_is_found_by_the_input_then_by_the_name_then_not_at_all() {
    let other = "11111111-2222-4333-8444-555555555555";
    let input = json!(json!({ "processId": other }).to_string());
    assert_eq!(execution(with("execution-failed", "/detail/input", input)).process, Some(other.parse().unwrap()));
    for input in
        [json!("{}"), json!("{\"processId\":7}"), json!("{\"processId\":\"x\"}"), json!("no JSON"), Value::Null]
    {
        let change = execution(with("execution-failed", "/detail/input", input));
        assert_eq!(change.process, Some(PROCESS.parse().unwrap()));
    }
    let arn = json!("arn:aws:states:us-east-1:1:execution:nightly:2026-11-24");
    let mut event = with("execution-failed", "/detail/executionArn", arn);
    event["detail"]["input"] = json!("{}");
    assert_eq!(execution(event).process, None);
}

#[test]
fn the_result_stands_where_result_path_says() {
    let path: ResultPath = "$.generationResult['Payload'].subGoals[0]".parse().unwrap();
    match decode(payload("execution-succeeded"), &WORDS, &path, &[]).unwrap() {
        Trigger::Execution(change) => {
            assert_eq!(change.execution.ending.unwrap().result, Some(json!({ "title": "靴を買う" }).into()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_operator_asks_for_one_scope() {
    for (event, scope) in [
        (json!({}), Scope::Everything),
        (json!({ "mode": "observe" }), Scope::Everything),
        (json!({ "all": true }), Scope::All),
        (json!({ "processId": PROCESS }), Scope::Process(PROCESS.parse().unwrap())),
        (json!({ "executionArn": ARN }), Scope::Execution(ARN.parse().unwrap())),
        (json!({ "approve": PROCESS }), Scope::Approve(PROCESS.parse().unwrap())),
        (json!({ "undo": PROCESS }), Scope::Undo(PROCESS.parse().unwrap())),
        (json!({ "report": "7d" }), Scope::Report(chrono::TimeDelta::days(7))),
    ] {
        assert_eq!(ask(event.clone()).scope, scope, "{event}");
    }
    assert_eq!(ask(json!({ "approve": PROCESS, "limit": 3 })).limit, Some(3), "a part of the plan");
    let asked = ask(payload("operator-all"));
    assert_eq!((asked.mode, asked.limit), (Some(Mode::Propose), Some(20)));
    assert_eq!(asked.reason.as_deref(), Some("after the deployment of 24 November"));
    assert_eq!(ask(payload("operator-process")).parameters, Map::from_iter([("cancel".to_owned(), json!(true))]));
    assert_eq!(ask(json!({ "fence": "install" })).parameters["fence"], "install");
}

#[test]
fn a_run_carries_how_many_led_to_it() {
    for (event, depth) in
        [(json!({ "all": true }), 0), (json!({ "all": true, "depth": 2 }), 2), (payload("alarm-sns"), 0)]
    {
        let trigger = read(event.clone()).unwrap();
        assert_eq!(trigger.depth(), depth, "{event}");
        let told = trigger.describe()["depth"].as_u64();
        assert_eq!(told, (depth > 0).then_some(u64::from(depth)), "{event}");
    }
}

/// What is refused, the place that the message names, and what it says besides.
#[test]
fn what_cannot_be_understood_is_refused_with_its_place_and_what_it_may_be() {
    let kinds = "`CloudWatch Alarm State Change`";
    let fields = "all, processId, executionArn, approve, undo, report, mode, limit, reason, by, depth, cancel, fence";
    let standard = "arn:aws:states:<region>:<account>:execution:<state machine>:<name>";
    let express = "arn:aws:states:us-east-1:1:express:machine:name:uuid";
    let cases = [
        // No kind at all.
        (json!(null), "not a JSON object", kinds),
        (json!([{}]), "not a JSON object", kinds),
        (json!({ "version": "2.0", "routeKey": "GET /" }), "fields routeKey, version", kinds),
        (json!({ "Records": [] }), "`Records` that are not from SNS", kinds),
        (json!({ "Records": [{ "eventSource": "aws:sqs", "body": "{}" }] }), "`Records` that are not from SNS", kinds),
        (
            with("execution-failed", "/detail-type", json!("AWS API Call via CloudTrail")),
            "via CloudTrail` from `aws.states",
            kinds,
        ),
        (with("execution-failed", "/source", json!("my.app")), "from `my.app`", kinds),
        (without("alarm-metric", "/detail"), "missing field `detail`", "`detail-type`"),
        (without("alarm-metric", "/source"), "missing field `source`", "`detail-type`"),
        (with("alarm-metric", "/detail-type", json!(1)), "invalid type", "`detail-type`"),
        // Alarms.
        (without("alarm-metric", "/detail/alarmName"), "`detail.alarmName` is missing", "a string"),
        (with("alarm-metric", "/detail/alarmName", json!("")), "`detail.alarmName` is \"\"", "a string"),
        (
            with("alarm-metric", "/detail/state/value", json!("BAD")),
            "`detail.state.value` is \"BAD\"",
            "OK, ALARM, INSUFFICIENT_DATA",
        ),
        (
            with("alarm-metric", "/detail/state", json!([])),
            "`detail.state.value` is missing",
            "OK, ALARM, INSUFFICIENT_DATA",
        ),
        (
            with("alarm-metric", "/detail/state/timestamp", json!("yesterday")),
            "`detail.state.timestamp` is \"yesterday\"",
            "2024-01-01T00:00:00.000+0000",
        ),
        (
            with("alarm-metric", "/detail/previousState/value", json!(1)),
            "`detail.previousState.value` is 1",
            "OK, ALARM",
        ),
        (
            with("alarm-composite-suppressed", "/detail/state/actionsSuppressedBy", json!({})),
            "`detail.state.actionsSuppressedBy` is {}",
            "a string",
        ),
        (with("alarm-lambda-action", "/source", json!("aws.other")), "`source` is \"aws.other\"", "aws.cloudwatch"),
        (without("alarm-lambda-action", "/alarmData/state"), "`alarmData.state.value` is missing", "OK, ALARM"),
        (
            with("alarm-sns", "/Records/0/Sns/Message", json!("Hello")),
            "`Records[0].Sns.Message` is \"Hello\"",
            "the JSON of a CloudWatch alarm",
        ),
        (
            with("alarm-sns", "/Records/0/Sns/Message", json!("{}")),
            "`Records[0].Sns.Message.AlarmName` is missing",
            "a string",
        ),
        (without("alarm-sns", "/Records/0/Sns/Message"), "`Records[0].Sns.Message` is missing", "a string"),
        (
            json!({ "Records": [payload("alarm-sns")["Records"][0], payload("alarm-sns")["Records"][0]] }),
            "`Records` is [",
            "exactly one record",
        ),
        // Executions.
        (
            with("execution-failed", "/detail/executionArn", json!(express)),
            "`detail.executionArn` is \"arn:aws:states:us-east-1:1:express",
            standard,
        ),
        (without("execution-failed", "/detail/executionArn"), "`detail.executionArn` is missing", standard),
        (
            with("execution-failed", "/detail/startDate", json!("2026-11-24")),
            "`detail.startDate` is \"2026-11-24\"",
            "milliseconds",
        ),
        (
            with("execution-failed", "/detail/startDate", json!(i64::MAX)),
            "`detail.startDate` is 9223372036854775807",
            "milliseconds",
        ),
        (with("execution-failed", "/detail/redriveCount", json!(-1)), "`detail.redriveCount` is -1", "0 or more"),
        (with("execution-failed", "/detail/error", json!(["a"])), "`detail.error` is [\"a\"]", "a string"),
        // Schedules.
        (json!({ "schedule": "" }), "`schedule` is \"\"", "a string"),
        (json!({ "schedule": "weekly", "mode": "dry" }), "`mode` is \"dry\"", "observe, propose, act"),
        (json!({ "schedule": "weekly", "processId": PROCESS }), "`schedule` and `processId`", "covers everything"),
        (json!({ "schedule": "weekly", "cancel": null }), "`schedule` and `cancel`", "covers everything"),
        (json!({ "schedule": "weekly", "proccessId": PROCESS }), "`schedule` and `proccessId`", "covers everything"),
        // Operators.
        (json!({ "proccessId": PROCESS }), "the fields proccessId", fields),
        (json!({ "proccessId": PROCESS, "mode": "act" }), "unknown field `proccessId`", fields),
        (json!({ "all": false }), "`all` is false", "true; leave it out"),
        (json!({ "all": "true" }), "`all` is \"true\"", "true; leave it out"),
        (json!({ "all": null }), "`all` is null", "true; leave it out"),
        (json!({ "processId": "7" }), "`processId` is \"7\"", "a UUID"),
        (json!({ "processId": null }), "`processId` is null", "a UUID"),
        (json!({ "processId": [PROCESS] }), "`processId` is [", "a UUID"),
        (json!({ "executionArn": "goal-generation" }), "`executionArn` is \"goal-generation\"", standard),
        (json!({ "approve": true }), "`approve` is true", "a UUID"),
        (json!({ "undo": "" }), "`undo` is \"\"", "a UUID"),
        (json!({ "undo": PROCESS, "mode": "propose" }), "`mode` is \"propose\"", "left out with `undo`"),
        (json!({ "report": "7 days" }), "`report` is \"7 days\"", "from 1m to 31d"),
        (json!({ "mode": "ACT" }), "`mode` is \"ACT\"", "observe, propose, act"),
        (json!({ "mode": null }), "`mode` is null", "observe, propose, act"),
        (json!({ "all": true, "limit": 0 }), "`limit` is 0", "1 or more"),
        (json!({ "all": true, "limit": -1 }), "`limit` is -1", "1 or more"),
        (json!({ "all": true, "limit": 1.5 }), "`limit` is 1.5", "1 or more"),
        (json!({ "all": true, "depth": 3 }), "`depth` is 3", "0 (a person), 1 or 2"),
        (json!({ "all": true, "depth": -1 }), "`depth` is -1", "0 (a person), 1 or 2"),
        (json!({ "all": true, "depth": "1" }), "`depth` is \"1\"", "0 (a person), 1 or 2"),
        (json!({ "all": true, "reason": "" }), "`reason` is \"\"", "a string"),
        (json!({ "all": true, "by": null }), "`by` is null", "a string"),
        (json!({ "all": true, "processId": PROCESS }), "`all` and `processId`", "at most one of"),
        (json!({ "approve": PROCESS, "undo": PROCESS }), "`approve` and `undo`", "at most one of"),
        (json!({ "approve": PROCESS, "cancel": true }), "`approve` and `cancel`", "exactly as recorded"),
        (json!({ "undo": PROCESS, "limit": 3 }), "`undo` and `limit`", "exactly as recorded"),
        (json!({ "undo": PROCESS, "cancel": true }), "`undo` and `cancel`", "exactly as recorded"),
    ];
    for (event, place, expected) in cases {
        let message = read(event.clone()).expect_err(&event.to_string()).to_string();
        assert!(message.contains(place) && message.contains(expected), "{event}\n{message}");
        assert!(message.chars().count() < 1000, "{message}");
    }
}

#[test]
fn a_long_value_is_shortened_in_its_error() {
    let event = json!({ "processId": "あ".repeat(10_000) });
    let message = read(event).unwrap_err().to_string();
    assert!(message.chars().count() < 300 && message.contains('…'), "{message}");
}

#[test]
fn what_nobody_may_see_in_an_event_reaches_neither_record_nor_error() {
    let secret = "password=hunter2";
    let seen = |event: Value| match decode(event, &WORDS, &ResultPath::default(), &["window"]) {
        Ok(trigger) => trigger.describe().to_string(),
        Err(error) => error.to_string(),
    };
    for event in [
        json!({ "all": true, "reason": secret, "by": secret }),
        json!({ "all": true, "window": secret }),
        json!({ "all": true, "window": [{ "prompt": "hunter2" }] }),
        json!({ "schedule": secret }),
        json!({ "schedule": "sweep", secret: 1 }),
        json!({ secret: 1 }),
        json!({ "all": true, secret: 1 }),
        json!({ "detail-type": secret, "source": secret, "detail": {} }),
        with("alarm-metric", "/detail/state/reason", secret.into()),
        with("alarm-lambda-action", "/alarmData/state/reason", secret.into()),
    ] {
        let seen = seen(event.clone());
        assert!(seen.contains("[redacted]") && !seen.contains("hunter2"), "{event} -> {seen}");
    }
}

#[test]
fn a_step_takes_its_own_parameters_only() {
    assert!(decode(json!({ "fence": "install" }), &WORDS, &ResultPath::default(), &["fence"]).is_ok());
    assert!(decode(json!({ "all": true, "fence": "install" }), &WORDS, &ResultPath::default(), &["cancel"]).is_err());
}

/// JSON with field names that events have, so that it gets beyond the first look.
fn garbage() -> impl Strategy<Value = Value> {
    let names = [
        "all",
        "processId",
        "executionArn",
        "approve",
        "undo",
        "mode",
        "limit",
        "reason",
        "cancel",
        "schedule",
        "Records",
        "Sns",
        "Message",
        "alarmData",
        "alarmName",
        "state",
        "value",
        "timestamp",
        "source",
        "detail-type",
        "detail",
    ];
    let texts =
        [PROCESS, ARN, "ALARM", "observe", "aws.cloudwatch", "aws.states", "CloudWatch Alarm State Change", "{}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    let name = prop_oneof![4 => proptest::sample::select(names.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Every place in a value.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, &format!("{here}/{name}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| places(value, &format!("{here}/{i}"), found))
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn garbage_is_read_or_refused(event in garbage()) {
        match read(event) {
            Ok(trigger) => prop_assert!(trigger.describe().is_object()),
            Err(error) => prop_assert!(error.to_string().chars().count() < 3000),
        }
    }

    #[test]
    fn a_damaged_payload_is_read_or_refused(
        which in any::<proptest::sample::Index>(),
        place in any::<proptest::sample::Index>(),
        value in garbage(),
    ) {
        let payloads: Vec<Value> = payloads().into_values().collect();
        let mut event = which.get(&payloads).clone();
        let mut found = Vec::new();
        places(&event, "", &mut found);
        let place: &String = place.get(&found);
        *event.pointer_mut(place).unwrap() = value;
        let _ = read(event).map(|trigger| trigger.describe());
    }

    #[test]
    fn a_field_that_no_step_knows_never_widens_a_run(name in "[a-z]{1,12}", value in garbage()) {
        let known = ["all", "approve", "undo", "mode", "limit", "reason", "cancel", "fence", "schedule"];
        prop_assume!(!known.contains(&name.as_str()));
        let error = read(json!({ "all": true, name.clone(): value })).unwrap_err();
        prop_assert!(error.to_string().contains(&name), "{}", error);
    }
}
