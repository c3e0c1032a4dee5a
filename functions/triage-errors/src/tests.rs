use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::start_step::StartStep;
use remediation::domain::{ProcessId, WORDS};
use remediation::failure::cause::Cause;
use remediation::gather::config::Config;
use remediation::gather::logs::{Found, Line, Stopped};
use remediation::gather::manifest;
use remediation::run::step::{Audience, Finding, Often, Plan};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::MANIFEST;
use crate::dominant::{Share, Verdict, answer, causes, striking, verdict};
use crate::evidence::{Evidence, Looked};
use crate::log::{Beside, Log, Logged, beside, error_of};
use crate::plan::{STEP, plan};
use crate::policy::Policy;
use remediation::gather::alarms::{AlarmArn, Standing};
use remediation::run::incident::Look;

use crate::rows::{Field, Group, Newest, Rows, fold};

fn policy() -> Policy {
    manifest::policy(MANIFEST).unwrap_or_else(|error| panic!("{error}"))
}

fn now() -> DateTime<Utc> {
    "2026-11-24T01:00:00Z".parse().unwrap_or_else(|error| panic!("{error}"))
}

fn config(language: &str, function: &str) -> Config {
    let read = Config::read(|name| match name {
        "DATABASE_URL" => Some("postgres://u:p@h/d".to_owned()),
        "STATE_MACHINE_ARN" => Some("arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai".to_owned()),
        "TEXT_LANGUAGE" => Some(language.to_owned()),
        "AWS_LAMBDA_FUNCTION_NAME" => Some(function.to_owned()),
        _ => None,
    });
    read.unwrap_or_else(|error| panic!("{error}"))
}

/// A process; the same for the same number.
fn process(number: u128) -> ProcessId {
    Uuid::from_u128(number).into()
}

/// So many failures of a code, of which the newest is `at` minutes old.
fn failed(code: &str, message: &str, kind: &str, count: i64, before: i64, at: i64) -> Group {
    let last = now() - TimeDelta::minutes(at);
    let newest = Newest { process_id: process(u128::from(at.unsigned_abs())), at: last };
    Group {
        failed: true,
        code: Some(code.to_owned()).filter(|code| !code.is_empty()),
        kind: Some(kind.to_owned()).filter(|kind| !kind.is_empty()),
        message: Some(message.to_owned()).filter(|message| !message.is_empty()),
        execution_error: None,
        count,
        before,
        first: (count > 0).then(|| now() - TimeDelta::minutes(50)),
        last: (count > 0).then_some(last),
        newest: (count > 0).then(|| Json(vec![newest])),
    }
}

fn completed(kind: &str, count: i64, before: i64) -> Group {
    Group { failed: false, code: None, newest: None, first: None, last: None, ..failed("", "", kind, count, before, 0) }
}

fn looked(groups: Vec<Group>) -> Looked {
    Looked {
        policy: policy(),
        window: TimeDelta::hours(1),
        rows: fold(groups, &WORDS),
        log: Log::Read(Beside::default()),
        depth: 0,
    }
}

fn planned(looked: Looked) -> Plan {
    plan(&Evidence::Looked(Box::new(looked)), &config("en", "remediation-triage-errors"), now())
}

/// The steps that a plan starts.
fn started(plan: &Plan) -> Vec<&str> {
    plan.actions.iter().filter_map(|planned| Some(planned.action.downcast::<StartStep>()?.step)).collect()
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code).collect()
}

const AI: &str = "SUBGOAL_GENERATION";

#[test]
fn the_dominant_cause_is_answered_by_its_step_or_by_people() {
    // (code, message, step that is started, findings)
    for (code, message, step, found) in [
        ("AI_THROTTLING", "", Some("throttle-worker"), "dominant_cause"),
        ("AI_ERROR", "ThrottlingException: Rate exceeded", Some("throttle-worker"), "dominant_cause"),
        ("TIMEOUT_ERROR", "", Some("extend-worker-timeout"), "dominant_cause"),
        ("DATABASE_ERROR", "connection reset", Some("relieve-database"), "dominant_cause"),
        ("DATABASE_CONNECTION_ERROR", "", Some("relieve-database"), "dominant_cause"),
        ("AI_ERROR", "the model did not answer", Some("retry-failed-processes"), "dominant_cause"),
        ("AI_ERROR", "ValidationException: Input is too long", None, "dominant_cause_for_people"),
        ("DATABASE_ERROR", "violates foreign key constraint", None, "dominant_cause_for_people"),
        ("VALIDATION_ERROR", "", None, "dominant_cause_for_people"),
        ("RATE_LIMIT_EXCEEDED", "", None, "dominant_cause_for_people"),
        ("STEP_FUNCTIONS_ERROR", "", None, "dominant_cause_for_people"),
        ("PAYMENT_MISSING", "", None, "dominant_cause_for_people"),
    ] {
        let plan = planned(looked(vec![failed(code, message, AI, 6, 1, 5), completed(AI, 20, 20)]));
        assert_eq!(started(&plan), Vec::from_iter(step), "{code} {message}");
        assert_eq!(codes(&plan.findings), [found], "{code} {message}: {:?}", plan.findings);
        let told = &plan.findings[0].message;
        assert!(told.contains(", 6 of 6 failures in the last 1h (100 %), 1 in the 1h before"), "{told}");
        assert_eq!(plan.findings[0].evidence["examples"][0]["processId"], json!(process(5)));
        assert_eq!(
            plan.actions.iter().map(|planned| &planned.reason).collect::<Vec<_>>().first(),
            step.map(|_| told).as_ref()
        );
    }
}

#[test]
fn a_cause_is_dominant_with_enough_failures_and_enough_of_them() {
    let share = |cause: Cause, count| Share { cause, count, before: 0 };
    let (model, timed_out, invalid) = (Cause::Model, Cause::TimedOut, Cause::Validation);
    // (counts of AI_ERROR, TIMEOUT_ERROR, VALIDATION_ERROR and of what people closed; the verdict)
    for (counts, expected) in [
        ([0, 0, 0, 0], Verdict::Nothing),
        ([0, 0, 0, 9], Verdict::Nothing),
        ([4, 0, 0, 9], Verdict::TooFew),
        ([2, 1, 1, 0], Verdict::TooFew),
        ([5, 0, 0, 0], Verdict::Dominant(share(model.clone(), 5))),
        ([5, 0, 0, 90], Verdict::Dominant(share(model.clone(), 5))),
        // Enough of few, too few in all.
        ([4, 3, 3, 0], Verdict::None),
        // What users did wrong hides nothing that the worker did; where that is next to nothing, it is the cause.
        ([39, 31, 30, 0], Verdict::Dominant(share(model.clone(), 39))),
        ([29, 31, 400, 0], Verdict::Dominant(share(timed_out.clone(), 31))),
        ([4, 4, 30, 0], Verdict::None),
        ([2, 2, 40, 0], Verdict::Dominant(share(invalid, 40))),
        ([40, 31, 29, 0], Verdict::Dominant(share(model.clone(), 40))),
        // Of equal ones, the one that a step answers.
        ([0, 10, 10, 0], Verdict::Dominant(share(timed_out, 10))),
        ([10, 0, 10, 0], Verdict::Dominant(share(model, 10))),
    ] {
        let names = ["AI_ERROR", "TIMEOUT_ERROR", "VALIDATION_ERROR", "MANUAL_INTERVENTION"];
        let groups = names.into_iter().zip(counts).map(|(code, count)| failed(code, "", AI, count, 0, 5));
        let rows = fold(groups.collect(), &WORDS);
        assert_eq!(verdict(&causes(&rows), &policy()), expected, "{counts:?}");
    }
}

#[test]
fn without_a_dominant_cause_nothing_is_started_and_people_hear_the_counts() {
    let groups = vec![
        failed("AI_ERROR", "", AI, 4, 0, 5),
        failed("TIMEOUT_ERROR", "", AI, 4, 0, 6),
        failed("VALIDATION_ERROR", "", AI, 4, 0, 7),
    ];
    let plan = planned(looked(groups));
    assert_eq!((started(&plan), codes(&plan.findings)), (vec![], vec!["no_dominant_cause"]));
    assert_eq!(plan.findings[0].evidence["failed"], 12);
    assert_eq!(plan.findings[0].evidence["causes"].as_array().map(Vec::len), Some(3));

    // Once: the next looks leave it.
    let told = (plan.findings[0].audience, plan.findings[0].often);
    assert_eq!(told, (Audience::People, Often::OnceIn(TimeDelta::hours(6))));
}

#[test]
fn the_share_of_a_cause_is_told_without_what_users_did_wrong() {
    let groups = vec![failed("VALIDATION_ERROR", "", AI, 30, 0, 5), failed("TIMEOUT_ERROR", "", AI, 12, 0, 6)];
    let plan = planned(looked(groups));
    assert_eq!(started(&plan), ["extend-worker-timeout"]);
    let told = &plan.findings[0].message;
    assert!(told.contains("12 of 12 failures in the last 1h (100 %)"), "{told}");
    assert!(told.ends_with(", not counting 30 with invalid input"), "{told}");
}

#[test]
fn invalid_input_is_told_with_its_fields() {
    let mut looked = looked(vec![failed("VALIDATION_ERROR", "入力値が不正です", AI, 6, 0, 5)]);
    looked.rows.fields = vec![
        Field {
            field: "params.title".into(),
            message: Some("タイトルは1文字以上200文字以内で入力してください".into()),
            count: 5,
        },
        Field { field: "params.description".into(), message: None, count: 1 },
    ];
    let plan = planned(looked);
    assert_eq!(plan.findings[0].target, "validation");
    let told = &plan.findings[0].message;
    assert!(
        told.contains("params.title (5): タイトルは1文字以上") && told.contains("params.description (1)"),
        "{told}"
    );
    assert_eq!(
        plan.findings[0].evidence["fields"][0],
        json!({ "field": "params.title", "message": "タイトルは1文字以上200文字以内で入力してください", "count": 5 })
    );
}

#[test]
fn steps_start_each_other_only_so_deep_and_only_by_names_that_are_known() {
    let groups = || vec![failed("AI_THROTTLING", "", AI, 6, 0, 5)];
    let english = config("en", "remediation-triage-errors");
    // (depth, this function's name, the depth that the started run carries)
    for (depth, function, carried) in [
        (0, "remediation-triage-errors", Some(1)),
        (1, "triage-errors", Some(2)),
        (2, "remediation-triage-errors", None),
        (0, "my-triage", None),
    ] {
        let looked = Looked { depth, ..looked(groups()) };
        let plan = plan(&Evidence::Looked(Box::new(looked)), &config("en", function), now());
        let depths: Vec<Value> =
            plan.actions.iter().map(|planned| planned.action.preview().1["event"]["depth"].clone()).collect();
        assert_eq!(depths, Vec::from_iter(carried.map(|depth: u8| json!(depth))), "{depth} {function}");
    }
    let deep = plan(&Evidence::Looked(Box::new(Looked { depth: 2, ..looked(groups()) })), &english, now());
    assert_eq!(deep.skipped[0].target, "step throttle-worker");
    assert!(deep.skipped[0].why.contains("the chain is at its limit"), "{:?}", deep.skipped);
    let unnamed = plan(&Evidence::Looked(Box::new(looked(groups()))), &config("en", "my-triage"), now());
    assert_eq!(codes(&unnamed.findings), ["dominant_cause", "step_unknown"]);
    assert!(unnamed.findings[1].message.contains(&format!("must be named <prefix>{STEP}")), "{:?}", unnamed.findings);
}

#[test]
fn a_schedule_leaves_everything_alone_while_no_incident_is_open() {
    let look = |standing| {
        let alarm = AlarmArn::beside("arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai", "a-error-rate");
        Evidence::NoIncident(Box::new(Look { alarm, incident: None, standing, told: None, closed: false }))
    };
    let left = plan(&look(Standing::NotAsked), &config("en", STEP), now());
    assert_eq!((left.actions.len(), left.findings.len(), left.report), (0, 0, None));
    assert_eq!(left.skipped[0].why, "error-rate has no open incident");
    // Whether there is one is not known: people are told, and nothing is done.
    let unread = plan(&look(Standing::Unreadable("AccessDenied".into())), &config("en", STEP), now());
    assert_eq!((unread.actions.len(), codes(&unread.findings)), (0, vec!["alarm_unreadable"]));
    assert!(unread.findings[0].message.contains("alarm a-error-rate could not be read"), "{:?}", unread.findings);
}

#[test]
fn an_unknown_code_is_told_with_examples_beside_the_dominant_cause() {
    let plan = planned(looked(vec![
        failed("AI_THROTTLING", "", AI, 6, 0, 5),
        failed("PAYMENT_MISSING", "no card", AI, 2, 0, 6),
    ]));
    assert_eq!(codes(&plan.findings), ["dominant_cause", "unknown_code"]);
    let unknown = &plan.findings[1];
    assert_eq!((unknown.target.as_str(), &unknown.evidence["count"]), ("PAYMENT_MISSING", &json!(2)));
    assert_eq!(
        unknown.evidence["examples"][0],
        json!({ "code": "PAYMENT_MISSING", "processId": process(6), "message": "no card" })
    );
}

#[test]
fn a_type_is_named_only_where_it_fails_far_more_often_than_the_others() {
    // ((failed, closed) of one type, of another; whether the first is named)
    for (one, other, named) in [
        ((6, 20), (1, 40), true),
        ((6, 20), (0, 40), true),
        ((6, 20), (4, 40), true),
        ((6, 20), (5, 40), false),
        // Too few; too small a share; nothing to compare with.
        ((4, 10), (0, 40), false),
        ((5, 100), (0, 40), false),
        ((6, 20), (0, 0), false),
    ] {
        let groups = [("ONE", one), ("OTHER", other)].into_iter().flat_map(|(kind, (count, closed))| {
            [failed("AI_ERROR", "", kind, count, 0, 5), completed(kind, closed - count, 0)]
        });
        let rows = fold(groups.collect(), &WORDS);
        let named_ones: Vec<&str> =
            striking(&rows, &policy()).iter().map(|(of_type, _)| of_type.kind.as_str()).collect();
        assert_eq!(named_ones, if named { vec!["ONE"] } else { vec![] }, "{one:?} {other:?}");
    }
}

#[test]
fn what_has_the_same_code_type_and_cause_is_counted_as_one_whatever_its_message() {
    let rows = fold(
        vec![
            failed("DATABASE_ERROR", "connection reset", AI, 2, 1, 9),
            failed("DATABASE_ERROR", "pool timeout", AI, 3, 0, 4),
            failed("DATABASE_ERROR", "violates a constraint", AI, 1, 0, 5),
            failed("DATABASE_ERROR", "connection reset", "ACTION_GENERATION", 1, 0, 6),
            failed("AI_ERROR", "", AI, 0, 7, 9),
            completed(AI, 10, 20),
            completed("TASK_GENERATION", 5, 0),
        ],
        &WORDS,
    );
    let seen: Vec<_> =
        rows.errors.iter().map(|one| (one.cause.clone(), one.kind.as_deref(), one.count, one.before)).collect();
    let expected = [
        (Cause::Database, Some(AI), 5, 1),
        (Cause::DatabaseRefuses, Some(AI), 1, 0),
        (Cause::Database, Some("ACTION_GENERATION"), 1, 0),
        (Cause::Model, Some(AI), 0, 7),
    ];
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), expected.iter().collect::<BTreeSet<_>>());
    assert_eq!(seen[0], expected[0], "the most frequent one first");
    assert_eq!((rows.closed, rows.failed, rows.before.closed, rows.before.failed), (22, 7, 28, 8));
    let examples: Vec<_> = rows.errors[0].examples.iter().map(|one| (one.process_id, one.message.as_deref())).collect();
    assert_eq!(
        examples,
        [(process(4), Some("pool timeout")), (process(9), Some("connection reset"))],
        "the newest first"
    );
    let types: Vec<_> =
        rows.types.iter().map(|of_type| (of_type.kind.as_str(), of_type.failed, of_type.closed)).collect();
    assert_eq!(types, [(AI, 6, 16), ("ACTION_GENERATION", 1, 1), ("TASK_GENERATION", 0, 5)]);
}

#[test]
fn a_message_reaches_a_report_only_in_part_and_without_what_nobody_may_see() {
    let message = |message: &str| {
        fold(vec![failed("AI_ERROR", message, AI, 6, 0, 5)], &WORDS).errors[0].examples[0].message.clone()
    };
    let long = "長".repeat(2000);
    assert_eq!(message(&long), Some(format!("{}…", "長".repeat(200))));
    let told = message("no answer to user@example.com, prompt: 痩せたい").unwrap();
    assert!(told.starts_with("no answer to") && !told.contains("user@") && !told.contains("痩せたい"), "{told}");
}

fn line(message: &str) -> Line {
    Line { at: now() - TimeDelta::minutes(10), stream: "s".into(), message: message.to_owned() }
}

#[test]
fn an_error_is_found_in_a_line_however_the_runtime_wraps_it() {
    let id = process(7);
    let logged = |code: &str, process| Some(Logged { code: code.to_owned(), process });
    for (message, expected) in [
        (
            format!(r#"{{"level":"ERROR","processId":"{id}","error":{{"code":"AI_ERROR"}}}}"#),
            logged("AI_ERROR", Some(id)),
        ),
        (
            format!("2026-11-24T00:50:00Z\treq\tERROR\t{{\"level\":\"error\",\"processId\":\"{id}\"}}\n"),
            logged("-", Some(id)),
        ),
        (
            format!(r#"{{"level":"ERROR","message":{{"processId":"{id}","error":{{"code":"DATABASE_ERROR"}}}}}}"#),
            logged("DATABASE_ERROR", Some(id)),
        ),
        (
            format!(r#"{{"level":"WARN","processId":"{id}","error":{{"code":"AI_ERROR"}}}}"#),
            logged("AI_ERROR", Some(id)),
        ),
        (r#"{"level":"INFO","message":"no ERROR so far"}"#.to_owned(), None),
        (r#"{"level":"ERROR","processId":"no id","message":"x"}"#.to_owned(), logged("-", None)),
        ("[ERROR] Runtime.ExitError".to_owned(), logged("-", None)),
    ] {
        assert_eq!(error_of(&line(&message), &WORDS), expected, "{message}");
    }
}

#[test]
fn the_log_counts_only_what_no_failed_row_tells() {
    let logged = |code: &str, process| Logged { code: code.to_owned(), process };
    let errors = [
        logged("AI_ERROR", Some(process(1))),
        logged("AI_ERROR", Some(process(1))),
        logged("AI_ERROR", Some(process(2))),
        logged("AI_ERROR", Some(process(3))),
        logged("AI_ERROR", Some(process(4))),
        logged("-", None),
    ];
    let statuses: HashMap<ProcessId, String> = [(1, "COMPLETED"), (2, "FAILED"), (3, "PROCESSING")]
        .map(|(id, status)| (process(id), status.to_owned()))
        .into();
    let from = now() - TimeDelta::hours(1);
    let lines = || vec![line("a"), line("b")];
    let all = beside(&Found { lines: lines(), requests: 2, stopped: None }, from, &errors, &statuses);
    assert_eq!((all.lines, all.requests, all.read_until), (2, 2, None));
    let seen: Vec<_> = all.codes.iter().map(|code| (code.code.as_str(), code.lines, code.processes)).collect();
    assert_eq!(seen, [("AI_ERROR", 4, 3), ("-", 1, 0)]);
    assert_eq!(json!(all.codes[0].statuses), json!({ "COMPLETED": 1, "PROCESSING": 1, "-": 1 }));
    assert_eq!(all.codes[0].examples, [process(1), process(3), process(4)]);

    let stopped = Some(Stopped::Budget);
    let partly = beside(&Found { lines: lines(), requests: 20, stopped }, from, &errors, &statuses);
    assert_eq!(partly.read_until, Some(now() - TimeDelta::minutes(10)));
    let hardly = beside(&Found { lines: Vec::new(), requests: 20, stopped }, from, &[], &statuses);
    assert_eq!(hardly.read_until, Some(from), "nothing was read, as far as anybody can tell");
}

#[test]
fn a_log_that_cannot_be_read_is_told_and_the_rows_are_answered_all_the_same() {
    let log = Log::Unread("FilterLogEvents: AccessDeniedException".to_owned());
    let plan = planned(Looked { log, ..looked(vec![failed("AI_THROTTLING", "", AI, 6, 0, 5)]) });
    assert_eq!(started(&plan), ["throttle-worker"]);
    assert_eq!(codes(&plan.findings), ["dominant_cause", "log_not_read"]);
    assert!(plan.findings[1].message.contains("AccessDeniedException"), "{:?}", plan.findings);
}

/// Much of everything.
fn all_kinds() -> Looked {
    let mut looked = looked(vec![
        failed("AI_ERROR", "the model did not answer", AI, 12, 2, 5),
        failed("VALIDATION_ERROR", "入力値が不正です", "ACTION_GENERATION", 3, 3, 6),
        failed("PAYMENT_MISSING", "no card", "ACTION_GENERATION", 1, 0, 7),
        completed(AI, 20, 60),
        completed("ACTION_GENERATION", 60, 50),
    ]);
    looked.rows.fields = vec![Field { field: "params.title".into(), message: Some("1文字以上".into()), count: 3 }];
    let statuses = HashMap::from([(process(1), "COMPLETED".to_owned())]);
    let errors = [Logged { code: "AI_ERROR".into(), process: Some(process(1)) }];
    let found = Found { lines: vec![line("a")], requests: 20, stopped: Some(Stopped::Budget) };
    looked.log = Log::Read(beside(&found, now() - looked.window, &errors, &statuses));
    looked
}

#[test]
fn the_report_says_it_all_in_both_languages() {
    for language in ["en", "ja"] {
        let plan = plan(&Evidence::Looked(Box::new(all_kinds())), &config(language, STEP), now());
        let mut report = plan.report.unwrap_or_default();
        let text: Vec<String> = report["text"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|line| line.as_str().map(str::to_owned))
            .collect();
        insta::assert_snapshot!(format!("report_{language}"), text.join("\n"));
        if language == "en" {
            report["text"] = Value::Null;
            insta::assert_json_snapshot!("report", report);
        }
    }
}

#[test]
fn the_manifest_permits_the_start_of_exactly_the_steps_that_answer() {
    let manifest: toml::Table = MANIFEST.parse().unwrap_or_else(|error| panic!("{error}"));
    let permitted: BTreeSet<String> = manifest["permissions"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|permission| permission["resources"].as_array().cloned().unwrap_or_default())
        .filter_map(|resource| resource.as_str()?.strip_prefix("step:").map(str::to_owned))
        .collect();
    let all = [
        Cause::Throttled,
        Cause::TimedOut,
        Cause::Database,
        Cause::Model,
        Cause::DatabaseRefuses,
        Cause::ModelRefuses,
        Cause::Validation,
        Cause::RateLimited,
        Cause::StepFunctions,
        Cause::Other("X".to_owned()),
        Cause::ByPerson,
    ];
    let answering: BTreeSet<String> = all.iter().filter_map(answer).map(str::to_owned).collect();
    assert_eq!(permitted, answering);
}

#[test]
fn nothing_failed_is_a_reason_to_do_nothing_that_is_told() {
    let plan = planned(looked(vec![completed(AI, 20, 20)]));
    assert_eq!((started(&plan).len(), plan.findings.len()), (0, 0));
    assert!(
        plan.skipped[0].why.starts_with("closed in the last 1h: 20, no failures except those closed by a person"),
        "{:?}",
        plan.skipped
    );
    let none: Rows = fold(Vec::new(), &WORDS);
    assert_eq!(none, Rows::default());
}
