use chrono::{DateTime, TimeDelta, Utc};
use remediation::decide::Look;
use remediation::domain::{Execution, ExecutionArn, ExecutionStatus, Language, Process, ProcessStatus, WORDS};
use remediation::gather::config::Config;
use remediation::gather::history::{Happened, History};
use remediation::gather::logs::Line;
use remediation::gather::processes::case::{self, Case, Link, Newest};
use remediation::run::step::{Plan, Step};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::policy::Policy;
use crate::read::{Action, Evidence, Row, Told};
use crate::{AnalyzeLogs, MANIFEST, entries, line};

const ID: &str = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_482_000 + second, 0).unwrap()
}

fn config() -> Config {
    let machine = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";
    let lookup = |name: &str| match name {
        "DATABASE_URL" => Some("postgres://localhost/x".to_owned()),
        "STATE_MACHINE_ARN" => Some(machine.to_owned()),
        "TEXT_LANGUAGE" => Some("en".to_owned()),
        _ => None,
    };
    Config::read(lookup).unwrap()
}

fn policy() -> Policy {
    remediation::gather::manifest::policy(MANIFEST).unwrap()
}

fn arn() -> ExecutionArn {
    format!("arn:aws:states:ap-northeast-1:000000000000:execution:ai-processing:{ID}-1").parse().unwrap()
}

/// A process that was accepted at 0 and began at 1, and of which nothing else is known.
fn processing() -> Evidence {
    let process = ID.parse().unwrap();
    let row = Row {
        status: "PROCESSING".into(),
        kind: Some("SUBGOAL_GENERATION".into()),
        target: None,
        progress: Some(50),
        retries: Some(0),
        error: None,
        created_at: at(0),
        updated_at: at(5),
        completed_at: None,
    };
    let case = Case {
        process: Process {
            id: process,
            version: 1,
            status: ProcessStatus::Processing,
            progress: 50,
            has_result: false,
            error_code: None,
            retries: Some(0),
            created_at: at(0),
            updated_at: at(5),
            completed_at: None,
            deadline: None,
        },
        newest: Newest::Known(None),
        look: Look::Event,
        link: Link::Told,
    };
    Evidence {
        process,
        row: Some(row),
        decided: case::Evidence { cases: vec![case], population: 1, ..case::Evidence::default() },
        executions: Vec::new(),
        lines: Vec::new(),
        actions: Vec::new(),
        refused: Vec::new(),
        runs: Vec::new(),
        not_read: Vec::new(),
        from: at(-60),
        to: at(900),
    }
}

/// The same with an execution that is like this, and the events of its history.
fn executed(status: ExecutionStatus, stopped_at: Option<DateTime<Utc>>, events: &[(i64, &str)]) -> Evidence {
    let mut evidence = processing();
    let execution = Execution {
        arn: arn(),
        status,
        redrive_count: 0,
        started_at: at(1),
        redriven_at: None,
        stopped_at,
        ending: status.is_over().then(Default::default),
        stopped_for_deadline: false,
        says_failed: (status == ExecutionStatus::Succeeded).then_some(false),
    };
    evidence.decided.cases[0].newest = Newest::Known(Some(execution));
    let events = events.iter().map(|(second, kind)| Happened {
        at: Some(at(*second)),
        kind: (*kind).to_owned(),
        name: None,
        error: None,
    });
    evidence.executions.push(Told {
        arn: arn(),
        status,
        redrives: 0,
        started_at: at(1),
        redriven_at: None,
        stopped_at,
        error: None,
        history: History { events: events.collect(), more: false },
    });
    evidence
}

fn logged(second: i64, message: &str) -> (String, Line) {
    ("ai-generation-worker".into(), Line { at: at(second), stream: "s".into(), message: message.into() })
}

fn told(evidence: &Evidence, policy: Policy, now: i64) -> Plan {
    AnalyzeLogs { policy }.plan(evidence, &config(), at(now))
}

/// The text, without the times.
fn text(plan: &Plan) -> Vec<String> {
    let lines = plan.report.as_ref().unwrap()["text"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap().replace("2026-11-24 ", "").to_owned()).collect()
}

#[test]
fn a_stuck_process_is_told_with_the_step_that_puts_it_right() {
    let mut evidence =
        executed(ExecutionStatus::TimedOut, Some(at(601)), &[(1, "ExecutionStarted"), (601, "ExecutionTimedOut")]);
    evidence.lines.push(logged(3, r#"{"level":"INFO","message":"began"}"#));
    let plan = told(&evidence, policy(), 1321);
    let text = text(&plan);
    assert_eq!(
        text[..3],
        [
            format!(
                "process {ID} is PROCESSING (progress 50); its newest execution {ID}-1 ended in TIMED_OUT 12 min ago"
            ),
            format!(
                "at its next run, reconcile-processes would set the row to FAILED: execution {ID}-1 ended in TIMED_OUT"
            ),
            "last log line, 01:00:03.000Z ai-generation-worker: INFO began".to_owned(),
        ]
    );
    let codes: Vec<&str> = plan.findings.iter().map(|finding| finding.code).collect();
    assert_eq!((codes, plan.actions.len()), (vec!["would_be_put_right"], 0));
    let silences: Vec<&String> = text.iter().filter(|line| line.contains("nothing recorded")).collect();
    assert_eq!(silences, ["… nothing recorded for 9 min 56 s", "… nothing recorded since, for 12 min"]);
}

#[test]
fn what_is_left_alone_is_told_with_the_reason() {
    // (status, stopped, now, verdict)
    for (status, stopped, now, says) in [
        (
            ExecutionStatus::Running,
            None,
            61,
            "nothing to fix: execution {} is still running, 14 min before its deadline",
        ),
        (
            ExecutionStatus::Running,
            None,
            1001,
            "at its next run, fail-timed-out-processes would stop the execution: execution {} is still running, 1 min 40 s past its deadline",
        ),
        (ExecutionStatus::PendingRedrive, None, 61, "nothing to fix: execution {} is waiting to be redriven"),
        (
            ExecutionStatus::Aborted,
            Some(at(30)),
            61,
            "at its next run, reconcile-processes would set the row to CANCELLED: execution {} ended in ABORTED",
        ),
    ] {
        let plan = told(&executed(status, stopped, &[]), policy(), now);
        assert_eq!(text(&plan)[1], says.replace("{}", &format!("{ID}-1")), "{status}");
    }
}

#[test]
fn a_failed_process_is_told_with_who_knows_whether_it_is_tried_again() {
    let mut evidence = executed(ExecutionStatus::Failed, Some(at(30)), &[]);
    let process = &mut evidence.decided.cases[0].process;
    (process.status, process.completed_at) = (ProcessStatus::Failed, Some(at(30)));
    let text = text(&told(&evidence, policy(), 900));
    let hint = format!(
        r#"to see whether it will be retried, send {{"mode":"observe","processId":"{ID}"}} to retry-failed-processes"#
    );
    assert!(text[1].starts_with("nothing to fix") && text[2] == hint, "{text:#?}");
    assert!(!text.iter().any(|line| line.contains("recorded since")), "a closed process is not waited for: {text:#?}");
}

#[test]
fn an_execution_that_could_not_be_looked_up_decides_nothing() {
    let mut evidence = processing();
    evidence.decided.cases[0].newest = Newest::Unknown("AccessDeniedException".into());
    evidence.not_read.push(("Step Functions".into(), "AccessDeniedException".into()));
    let plan = told(&evidence, policy(), 2000);
    assert!(plan.findings.is_empty());
    let left: Vec<(&str, &str)> = plan.skipped.iter().map(|left| (left.target.as_str(), left.why.as_str())).collect();
    let why = "skipped, because its execution could not be looked up: AccessDeniedException";
    assert_eq!(left, [(ID, why), ("Step Functions", "AccessDeniedException")]);
    assert!(text(&plan).contains(&"not read: Step Functions: AccessDeniedException".to_owned()));
}

#[test]
fn a_process_without_a_row_is_told_by_what_else_knows_of_it() {
    let empty = Evidence { row: None, decided: case::Evidence::default(), ..processing() };
    let plan = told(&empty, policy(), 900);
    assert!(text(&plan)[0].starts_with(&format!("nothing found for process {ID}")), "{plan:#?}");
    let logged = Evidence { lines: vec![logged(3, "x")], ..empty };
    assert!(text(&told(&logged, policy(), 900))[0].starts_with(&format!("process {ID} has no row")));
}

#[test]
fn of_two_entries_at_the_same_moment_the_cause_comes_first() {
    let mut evidence = executed(
        ExecutionStatus::Failed,
        Some(at(0)),
        &[(0, "ExecutionStarted"), (0, "TaskFailed"), (0, "ExecutionFailed")],
    );
    evidence.row.as_mut().unwrap().updated_at = at(0);
    evidence.row.as_mut().unwrap().completed_at = Some(at(0));
    evidence.lines.extend([logged(0, "one"), logged(0, "two")]);
    let action = |reason: &str| Action {
        id: Uuid::nil(),
        step: "reconcile-processes".into(),
        kind: "set-row-status".into(),
        target: ID.into(),
        cause: None,
        before: Some(json!({ "status": "PROCESSING" })),
        after: Some(json!({ "status": "FAILED" })),
        outcome: "applied".into(),
        reason: reason.into(),
        created_at: at(0),
    };
    // The ledger is read newest first.
    evidence.actions.extend([action("second"), action("first")]);
    let told: Vec<String> = entries::of(&evidence, &WORDS, Language::En)
        .iter()
        .map(|entry| format!("{} {}", entry.source.as_str(), entry.what))
        .collect();
    assert_eq!(
        told,
        [
            "row accepted (type SUBGOAL_GENERATION, target -)",
            "history ExecutionStarted",
            "history TaskFailed",
            "history ExecutionFailed",
            "log one",
            "log two",
            "row last written: PROCESSING, progress 50, retries 0",
            "ledger set-row-status applied: PROCESSING → FAILED: first",
            "ledger set-row-status applied: PROCESSING → FAILED: second",
        ]
    );
}

#[test]
fn an_execution_whose_history_is_gone_is_told_by_its_own_times() {
    let evidence = executed(ExecutionStatus::TimedOut, Some(at(601)), &[]);
    let told: Vec<String> = entries::of(&evidence, &WORDS, Language::En).into_iter().map(|entry| entry.what).collect();
    assert_eq!(
        told[1..],
        ["execution started", "last written: PROCESSING, progress 50, retries 0", "execution ended in TIMED_OUT"]
    );
}

#[test]
fn a_long_story_keeps_its_beginning_and_its_end_and_is_not_silent_between() {
    let mut evidence = processing();
    evidence.lines.extend((10..110).map(|second| logged(second * 100, &format!("line {second}"))));
    let plan = told(&evidence, Policy { entries: 8, gap_seconds: 99, ..policy() }, 11_000);
    let whole = text(&plan);
    let story: Vec<&str> = whole.iter().skip_while(|line| !line.contains(" row   ")).map(String::as_str).collect();
    assert_eq!(
        (story[3], story[4], story[5]),
        (
            "… 94 entries omitted (a shorter \"window\" shows them)",
            "03:53:20.000Z log       ai-generation-worker: line 104",
            "… nothing recorded for 1 min 40 s"
        ),
        "{story:#?}"
    );
    let report = plan.report.unwrap();
    assert_eq!(
        (&report["story"]["omitted"], &report["story"]["entries"][3]["source"]),
        (&json!(94), &json!("omitted"))
    );
}

#[test]
fn the_story_has_no_secret_and_no_prompt() {
    let mut evidence = executed(ExecutionStatus::Failed, Some(at(30)), &[]);
    evidence.executions[0].error = Some("Failed with password=hunter2".into());
    evidence.row.as_mut().unwrap().error = Some(json!({
        "code": "AI_ERROR", "message": "rejected, prompt: hunter2", "cause": "{\"input\":\"hunter2\"}", "params": { "a": "hunter2" },
    }));
    for message in [
        r#"{"level":"ERROR","message":"token=hunter2","userId":"hunter2","prompt":"hunter2","error":{"code":"X","message":"apiKey: hunter2"}}"#,
        r#"{"level":"INFO","message":{"level":"WARN","message":"ok","result":"hunter2"}}"#,
        r#"{"event":{"body":"hunter2"}}"#,
        "2026-11-24T01:00:00Z\tr\tINFO\t{\"message\":\"ok\",\"params\":\"hunter2\"}",
        "INFO calling with {\"prompt\":\"hunter2\"} now",
    ] {
        evidence.lines.push(logged(10, message));
    }
    evidence.actions.push(Action {
        id: Uuid::nil(),
        step: "s".into(),
        kind: "k".into(),
        target: ID.into(),
        cause: None,
        before: Some(json!({ "status": "PROCESSING", "result": "hunter2", "error": { "message": "secret=hunter2" } })),
        after: None,
        outcome: "failed".into(),
        reason: "because password=hunter2".into(),
        created_at: at(40),
    });
    let plan = told(&evidence, policy(), 900);
    let whole = format!("{}{:?}{:?}", plan.report.as_ref().unwrap(), plan.findings, plan.skipped);
    assert!(!whole.contains("hunter2"), "{whole}");
    for kept in ["AI_ERROR", "token=[redacted]", "WARN ok", "fields: event", "INFO calling with"] {
        assert!(whole.contains(kept), "{kept}: {whole}");
    }
}

#[test]
fn of_a_line_only_safe_fields_are_told() {
    // (message, sentence, fields)
    let full = r#"{"timestamp":"t","level":"ERROR","processId":"p","userId":"u","type":"SUBGOAL_GENERATION","status":"PROCESSING","progress":50,"message":"処理に失敗しました","duration":1200,"error":{"code":"AI_ERROR","message":"Bedrock","stack":"at x"}}"#;
    for (message, sentence, fields) in [
        (
            full,
            "ERROR 処理に失敗しました [AI_ERROR: Bedrock] (SUBGOAL_GENERATION, PROCESSING, 50 %, 1200 ms)",
            json!({
                "level": "ERROR", "type": "SUBGOAL_GENERATION", "status": "PROCESSING", "progress": 50, "duration": 1200,
                "message": "処理に失敗しました", "error": { "code": "AI_ERROR", "message": "Bedrock" },
            }),
        ),
        (r#"{"level":"INFO","status":["x"],"message":7}"#, "INFO 7", json!({ "level": "INFO", "message": 7 })),
        (r#"{"a":1,"secretName":2}"#, "JSON without a field that may be shown (fields: a, secretName)", json!({})),
        ("  plain text \n", "plain text", Value::Null),
        ("{ no json }", "{ no json }", Value::Null),
    ] {
        let (_, line) = logged(0, message);
        assert_eq!(line::told(&line, &WORDS, Language::En), (sentence.to_owned(), fields));
    }
    let (_, long) = logged(0, &json!({ "message": "長".repeat(500) }).to_string());
    assert_eq!(line::told(&long, &WORDS, Language::En).0.chars().count(), 301);
}

#[test]
fn a_story_of_many_entries_fits_into_an_answer() {
    let mut evidence = processing();
    let message = json!({ "level": "ERROR", "message": "長".repeat(500), "error": { "message": "長".repeat(500) } });
    evidence.lines.extend((0..2000).map(|second| logged(second * 100, &message.to_string())));
    let story = told(&evidence, policy(), 900).report.unwrap().to_string();
    assert!(story.len() < 4_000_000, "{}", story.len());
}

#[test]
fn logs_are_read_for_the_time_of_the_process_or_for_the_window() {
    let span = |evidence: &Evidence, window| crate::read::span(evidence, &policy(), window, at(10_000));
    let closed = |mut evidence: Evidence| {
        evidence.row.as_mut().unwrap().completed_at = Some(at(40));
        evidence
    };
    let ended = || executed(ExecutionStatus::Failed, Some(at(30)), &[]);
    for (evidence, window, from, to) in [
        (processing(), None, -60, 10_000),
        (closed(ended()), None, -60, 340),
        (ended(), None, -60, 10_000),
        (closed(executed(ExecutionStatus::Running, None, &[])), None, -60, 10_000),
        (closed(ended()), Some(TimeDelta::hours(1)), 6400, 10_000),
        (Evidence { row: None, ..ended() }, None, -59, 10_000),
        (Evidence { row: None, ..processing() }, None, 10_000 - 86_400, 10_000),
    ] {
        assert_eq!(span(&evidence, window), (at(from), at(to)), "{evidence:?}");
    }
}
