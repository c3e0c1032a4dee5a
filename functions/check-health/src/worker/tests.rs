use crate::state::CheckState;
use remediation::domain::{Language, WORDS};
use remediation::gather::manifest;

use super::*;

fn line(message: &str) -> Line {
    Line { at: DateTime::UNIX_EPOCH, stream: "s".to_owned(), message: message.to_owned() }
}

fn run(seconds: f64, memory: f64, cold: bool, timed_out: bool) -> Report {
    Report {
        request_id: String::new(),
        duration_ms: seconds * 1000.0,
        memory_mb: 1024.0,
        max_memory_mb: memory,
        init_ms: cold.then_some(400.0),
        timed_out,
    }
}

fn judged(worker: Worker) -> Check {
    judged_beside(Ok(worker), None)
}

fn judged_with(worker: Result<Worker, String>, refused_calls: Option<usize>) -> Check {
    let capacity = Capacity { refused_calls, models: vec!["anthropic.claude".to_owned()], ..Capacity::default() };
    judged_beside(worker, Some(&capacity))
}

fn judged_beside(found: Result<Worker, String>, capacity: Option<&Capacity>) -> Check {
    let policy = manifest::policy::<Policy>(crate::policy::MANIFEST).unwrap();
    judge(&Look { found, took: Duration::ZERO }, "ai-generation-worker", capacity, &policy, Language::En)
}

fn measured(check: &Check) -> Vec<(&'static str, f64)> {
    check.metrics.iter().map(|metric| (metric.name, metric.values[0])).collect()
}

#[test]
fn only_what_describes_an_error_tells_of_a_throttled_call() {
    for (message, expected) in [
        (r#"{"level":"ERROR","message":"failed","error":{"code":"AI_THROTTLING"}}"#, true),
        (r#"{"level":"WARN","message":"ThrottlingException: Too many tokens, please wait"}"#, true),
        (r#"{"level":"ERROR","error":{"code":"AI_ERROR","message":"ThrottlingException: Too many requests"}}"#, true),
        (r#"{"level":"ERROR","error":{"name":"ThrottlingException"}}"#, true),
        (r#"{"level":"ERROR","error":"ThrottlingException: Rate exceeded"}"#, true),
        (
            r#"2026-11-24T01:00:00Z	8f5	ERROR	Invoke Error	{"errorType":"ThrottlingException","errorMessage":"Too many requests","stack":[]}"#,
            true,
        ),
        (
            "[ERROR] ThrottlingException: An error occurred (ThrottlingException) when calling the InvokeModel operation",
            true,
        ),
        ("ThrottlingException: Too many requests", true),
        (r#"{"level":"INFO","message":"started","params":{"prompt":"What is a ThrottlingException?"}}"#, false),
        (r#"{"level":"INFO","message":"answering: What is a ThrottlingException?"}"#, false),
        (r#"{"level":"ERROR","message":"failed","error":{"code":"AI_ERROR"},"prompt":"AI_THROTTLING"}"#, false),
        (r#"{"message":"What is a ThrottlingException?"}"#, false),
        ("2026-11-24T01:00:00Z\t8f5\tINFO\tprompt: What is a ThrottlingException?", false),
        ("[INFO] prompt: AI_THROTTLING", false),
        ("REPORT RequestId: 8f5", false),
    ] {
        assert_eq!(tells_of_throttling(&line(message), &WORDS), expected, "{message}");
    }
}

#[test]
fn a_line_that_two_searches_find_counts_once() {
    let found = |message: &str| Found { lines: vec![line(message)], ..Found::default() };
    let both = r#"{"level":"ERROR","error":{"code":"AI_THROTTLING","message":"ThrottlingException"}}"#;
    let other = r#"{"level":"ERROR","error":{"code":"AI_THROTTLING"}}"#;
    assert_eq!(Worker::of(&Found::default(), &[found(both), found(both)], &WORDS).throttles, 1);
    assert_eq!(Worker::of(&Found::default(), &[found(both), found(other)], &WORDS).throttles, 2);
}

#[test]
fn what_was_not_seen_is_never_measured_as_good() {
    let ten = || vec![run(30.0, 512.0, false, false); 10];
    let sound = || Worker { timeout: Some(300), runs: ten(), ..Worker::default() };
    // (what the log told, what is measured)
    let cases: [(Worker, Vec<(&str, f64)>); 9] = [
        (Worker { no_log: true, timeout: Some(300), ..Worker::default() }, vec![]),
        // No run ended: the log says nothing of what was not in it.
        (Worker { timeout: Some(300), ..Worker::default() }, vec![]),
        (Worker { timeout: Some(300), throttles_sampled: true, ..Worker::default() }, vec![]),
        (Worker { timeout: Some(300), throttles_sampled: true, throttles: 5, ..Worker::default() }, vec![]),
        (
            sound(),
            vec![
                ("WorkerTimeoutUsed", 10.0),
                ("WorkerMemoryUsed", 50.0),
                ("WorkerColdStarts", 0.0),
                ("BedrockThrottles", 0.0),
            ],
        ),
        (
            Worker { timeout: None, ..sound() },
            vec![("WorkerMemoryUsed", 50.0), ("WorkerColdStarts", 0.0), ("BedrockThrottles", 0.0)],
        ),
        (Worker { quiet: true, ..sound() }, vec![("BedrockThrottles", 0.0)]),
        (
            Worker { runs: vec![run(30.0, 512.0, true, false); 9], ..sound() },
            vec![("WorkerTimeoutUsed", 10.0), ("WorkerMemoryUsed", 50.0), ("BedrockThrottles", 0.0)],
        ),
        (Worker { runs_sampled: true, ..sound() }, vec![("BedrockThrottles", 0.0)]),
    ];
    for (worker, expected) in cases {
        let check = judged(worker.clone());
        assert_eq!((measured(&check), check.state), (expected, CheckState::Ok), "{worker:?}");
        let sampled = check.details.iter().any(|detail| detail.contains("could not be read to its end"));
        assert_eq!(sampled, worker.runs_sampled || worker.throttles_sampled, "{:?}", check.details);
    }
}

#[test]
fn no_run_uses_no_memory() {
    let check = judged(Worker { timeout: Some(300), runs: vec![run(30.0, 0.0, false, false)], ..Worker::default() });
    assert_eq!(measured(&check), [("WorkerTimeoutUsed", 10.0), ("BedrockThrottles", 0.0)]);
}

#[test]
fn the_worst_run_counts_and_each_thing_that_is_over_names_the_step_that_answers() {
    let with = |more: Vec<Report>| {
        let runs = [vec![run(30.0, 512.0, false, false); 10], more].concat();
        Worker { timeout: Some(300), runs, ..Worker::default() }
    };
    for (worker, code, answered_by) in [
        (with(vec![run(270.0, 921.0, false, false)]), None, ""),
        (with(vec![run(271.0, 512.0, false, false)]), Some("worker_near_timeout"), "extend-worker-timeout"),
        // It was ended at an earlier, shorter timeout.
        (with(vec![run(200.0, 512.0, false, true)]), Some("worker_near_timeout"), "extend-worker-timeout"),
        (with(vec![run(30.0, 922.0, false, false)]), Some("worker_memory"), "raise-worker-memory"),
        (with(vec![run(30.0, 512.0, true, false); 2]), None, ""),
        (with(vec![run(30.0, 512.0, true, false); 3]), Some("worker_cold_starts"), "provision-worker-concurrency"),
        (Worker { throttles: 5, ..with(vec![]) }, None, ""),
        (Worker { throttles: 6, ..with(vec![]) }, Some("bedrock_throttles"), "throttle-worker"),
    ] {
        let check = judged(worker);
        let codes: Vec<&str> = check.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, code.into_iter().collect::<Vec<_>>(), "{}", check.sentence);
        assert_eq!(check.state, warning_if(code.is_some()), "{}", check.sentence);
        assert!(check.findings.iter().all(|finding| finding.evidence["answeredBy"] == answered_by));
    }
    let timed_out = with(vec![run(200.0, 512.0, false, true)]);
    assert!(measured(&judged(timed_out.clone())).contains(&("WorkerTimeoutUsed", 100.0)));
    // What is bad is known although not all is.
    for part in [Worker { quiet: true, ..timed_out.clone() }, Worker { runs_sampled: true, ..timed_out }] {
        assert_eq!(measured(&judged(part))[0], ("WorkerTimeoutUsed", 100.0));
    }
    let throttled = Worker { throttles: 6, throttles_sampled: true, ..with(vec![]) };
    assert!(measured(&judged(throttled)).contains(&("BedrockThrottles", 6.0)));
}

#[test]
fn bedrocks_own_count_has_the_word_and_the_log_stands_beside_it() {
    let quiet = || Worker { timeout: Some(300), ..Worker::default() };
    let told = |throttles| Worker { throttles, runs: vec![run(30.0, 512.0, false, false); 10], ..quiet() };
    let unread = || Err("AccessDenied".to_owned());
    // (the log, CloudWatch's count, what is measured, what is said)
    for (worker, calls, expected, said) in [
        (Ok(told(0)), Some(7), Some(7.0), ""),
        (Ok(quiet()), Some(0), Some(0.0), ""),
        (Ok(told(7)), Some(0), Some(7.0), ""),
        (Ok(Worker { throttles_sampled: true, ..told(3) }), Some(0), Some(0.0), "to its end"),
        (Ok(told(2)), None, Some(2.0), "counted from the log alone: CloudWatch has no data"),
        (Ok(quiet()), None, None, "throttled model calls are not known: CloudWatch has no data"),
        (Ok(Worker { no_log: true, ..quiet() }), None, None, "the log does not tell"),
        (unread(), Some(7), Some(7.0), ""),
        (unread(), None, None, ""),
    ] {
        let check = judged_with(worker, calls);
        let found = measured(&check).into_iter().find(|(name, _)| *name == "BedrockThrottles").map(|(_, value)| value);
        let text = format!("{} {}", check.sentence, check.details.join(" "));
        assert_eq!(found, expected, "{calls:?}: {text}");
        assert!(text.contains(said), "{calls:?}: {text}");
    }
    assert!(judged(quiet()).details.iter().any(|detail| detail.contains("could not be read (see 7)")));
}
