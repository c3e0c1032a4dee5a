use chrono::{DateTime, TimeDelta};
use remediation::domain::Language;
use remediation::run::step::Plan;
use serde_json::{Value, json};

use crate::durations::{Durations, Stats, Windows};
use crate::judge::{Compared, Moved, compare};
use crate::policy::Policy;
use crate::report::{self, Evidence};
use crate::worker::{Look, NotKnown, Runs, Worker};

const MANIFEST: &str = include_str!("../manifest.toml");

fn policy() -> Policy {
    remediation::gather::manifest::policy(MANIFEST).unwrap()
}

fn stats(count: i64, average: f64, p95: f64) -> Stats {
    Stats { count, average, p50: average, p95, min: 1.0, max: p95, retried: 0 }
}

fn durations(before: Stats, now: Stats) -> Durations {
    Durations { kind: Some("SUBGOAL_GENERATION".into()), now: Some(now), before: Some(before) }
}

/// A hundred runs of so many seconds, with so many MB of 512, so many of them cold.
fn runs(seconds: f64, memory: f64, cold: f64) -> Runs {
    Runs {
        runs: 100.0,
        average_ms: seconds * 1000.0,
        p50_ms: seconds * 1000.0,
        p95_ms: seconds * 1000.0,
        max_ms: seconds * 1000.0,
        average_memory_mb: memory,
        max_memory_mb: memory,
        memory_mb: 512.0,
        cold_starts: cold,
        average_init_ms: (cold > 0.0).then_some(400.0),
    }
}

fn worker(before: Runs, now: Runs) -> Worker {
    Worker { now: Some(now), before: Some(before) }
}

#[test]
fn a_type_is_slower_by_its_average_or_its_p95_and_only_beyond_the_percentage() {
    // (average and p95 before, now, slower)
    for (before, now, slower) in [
        ((10.0, 20.0), (10.0, 20.0), false),
        ((10.0, 20.0), (13.0, 26.0), false),
        ((10.0, 20.0), (13.1, 20.0), true),
        ((10.0, 20.0), (10.0, 26.1), true),
        ((10.0, 20.0), (5.0, 10.0), false),
        ((0.0, 0.0), (10.0, 20.0), false),
    ] {
        let compared = compare(&durations(stats(20, before.0, before.1), stats(20, now.0, now.1)), None, &policy());
        assert_eq!(matches!(compared, Compared::Slower { .. }), slower, "{before:?} {now:?}");
    }
}

#[test]
fn too_few_of_a_type_say_nothing() {
    let fast = stats(20, 10.0, 20.0);
    let slow = stats(20, 100.0, 200.0);
    for (before, now, counts) in [
        (Some(Stats { count: 19, ..fast }), Some(slow), (20, 19)),
        (Some(fast), Some(Stats { count: 19, ..slow }), (19, 20)),
        (None, Some(slow), (20, 0)),
        (Some(fast), None, (0, 20)),
    ] {
        let compared = compare(&Durations { kind: Some("T".into()), now, before }, None, &policy());
        assert_eq!(compared, Compared::TooFew { now: counts.0, before: counts.1 });
    }
}

#[test]
fn what_else_moved_is_told_and_nothing_that_did_not() {
    use Moved::{AroundTheWorker, ColdStarts, MemoryShort, Retries, WorkerNotKnown, WorkerSlower};
    let (before, now) = (stats(20, 10.0, 20.0), stats(20, 20.0, 40.0));
    let around = AroundTheWorker { p95_seconds_before: 5.0, p95_seconds_now: 5.0 };
    let slower = WorkerSlower { p95_seconds_before: 5.0, p95_seconds_now: 10.0 };
    let sound = runs(5.0, 100.0, 10.0);
    let retried = Stats { retried: 2, ..now };
    let few = Runs { runs: 19.0, ..sound };
    let short = MemoryShort { percent: 100.0, memory_mb: 512.0 };
    for (now, worker, moved) in [
        (now, Some(worker(sound, sound)), vec![around.clone()]),
        (now, Some(worker(sound, runs(10.0, 100.0, 10.0))), vec![slower.clone()]),
        (now, Some(worker(sound, runs(10.0, 512.0, 10.0))), vec![short.clone(), slower.clone()]),
        (
            now,
            Some(worker(sound, runs(5.0, 100.0, 20.0))),
            vec![ColdStarts { percent_before: 10.0, percent_now: 20.0 }, around.clone()],
        ),
        (now, Some(worker(sound, runs(5.0, 100.0, 19.0))), vec![around.clone()]),
        (retried, Some(worker(sound, sound)), vec![Retries { percent_before: 0.0, percent_now: 10.0 }, around]),
        (now, None, vec![WorkerNotKnown]),
        (now, Some(Worker::default()), vec![WorkerNotKnown]),
        (now, Some(worker(few, sound)), vec![WorkerNotKnown]),
        // That memory is short now needs no window before.
        (now, Some(worker(few, runs(5.0, 512.0, 0.0))), vec![short, WorkerNotKnown]),
        (retried, None, vec![Retries { percent_before: 0.0, percent_now: 10.0 }, WorkerNotKnown]),
    ] {
        let Compared::Slower { moved: found, .. } = compare(&durations(before, now), worker.as_ref(), &policy()) else {
            panic!("it is slower");
        };
        assert_eq!(found, moved);
    }
}

/// What was read, and the report of it.
fn reported(durations: Vec<Durations>, look: Look, language: Language) -> (Plan, Vec<String>) {
    let to = DateTime::from_timestamp(1_795_482_000, 0).unwrap();
    let windows = Windows { before: to - TimeDelta::hours(48), from: to - TimeDelta::hours(24), to };
    let evidence = Evidence { windows, durations, look, max_usd: 0.5, worker_function: "ai-generation-worker".into() };
    let plan = report::plan(&evidence, &policy(), language);
    let text = plan.report.as_ref().unwrap()["text"].as_array().unwrap();
    let text = text.iter().map(|line| line.as_str().unwrap().to_owned()).collect();
    (plan, text)
}

fn look(worker: Result<Worker, NotKnown>, bytes: f64) -> Look {
    Look { worker, estimated_bytes: Some(bytes), scanned_bytes: bytes }
}

#[test]
fn a_regression_is_named_with_its_numbers_and_what_else_moved() {
    let slow = durations(stats(40, 35.0, 61.5), stats(40, 60.0, 95.0));
    let all = Durations { kind: None, ..slow.clone() };
    let sound = runs(5.0, 100.0, 10.0);
    let (plan, text) = reported(vec![slow, all], look(Ok(worker(sound, sound)), 1e9), Language::En);
    assert_eq!(
        text,
        [
            "Performance, 2026-11-23 01:00 – 2026-11-24 01:00 UTC (seconds from acceptance to completion, compared with the preceding window of the same length)",
            "                               n  avg s  p50 s  p95 s  max s  min s",
            "  SUBGOAL_GENERATION  before  40   35.0   35.0   61.5   61.5    1.0",
            "                      now     40   60.0   60.0   95.0   95.0    1.0",
            "  all types           before  40   35.0   35.0   61.5   61.5    1.0",
            "                      now     40   60.0   60.0   95.0   95.0    1.0",
            "! SUBGOAL_GENERATION got slower: average 35.0 → 60.0 s (+71 %), p95 61.5 → 95.0 s (+54 %)",
            "    the worker takes as long as before (p95 5.0 → 5.0 s): the time is lost around it (waiting for concurrency, throttling, the database) → send {} to throttle-worker, relieve-database, tune-database",
            "The worker's runs, from the REPORT lines of its log",
            "            n  avg s  p50 s  p95 s  max s  avg MB  max MB  of MB  cold  init ms",
            "  before  100    5.0    5.0    5.0    5.0     100     100    512  10 %      400",
            "  now     100    5.0    5.0    5.0    5.0     100     100    512  10 %      400",
            "Logs Insights scanned 1.000 GB (about 0.0076 USD)",
        ]
    );
    let [finding] = plan.findings.as_slice() else { panic!("{:?}", plan.findings) };
    assert_eq!((finding.code, finding.target.as_str()), ("regression", "SUBGOAL_GENERATION"));
    assert!(finding.message.starts_with("SUBGOAL_GENERATION got slower") && finding.message.contains("tune-database"));
    assert_eq!(
        (finding.evidence["before"]["p95"].as_f64(), finding.evidence["now"]["p95"].as_f64()),
        (Some(61.5), Some(95.0))
    );
    assert_eq!((plan.population, plan.actions.len(), plan.skipped.len()), (40, 0, 0));
}

#[test]
fn japanese_columns_stand_under_each_other() {
    let same = durations(stats(40, 35.0, 61.5), stats(5, 35.0, 61.5));
    let (_, text) =
        reported(vec![Durations { kind: None, ..same }], look(Err(NotKnown::TooExpensive), 1e12), Language::Ja);
    assert_eq!(
        text[1..4],
        [
            "              件数  平均(秒)  p50(秒)  p95(秒)  最大(秒)  最小(秒)",
            "  全種別  前    40      35.0     35.0     61.5      61.5       1.0",
            "          今     5      35.0     35.0     61.5      61.5       1.0",
        ]
    );
}

#[test]
fn what_would_cost_too_much_is_told_with_the_window_that_would_not() {
    // 100 GB are 0.76 USD; 0.50 of it is 15 of the 24 hours.
    let (plan, text) = reported(Vec::new(), look(Err(NotKnown::TooExpensive), 1e11), Language::En);
    let message = r#"the Logs Insights query was not run: it would cost about 0.76 USD, over the limit of 0.50 USD; {"window": "15h"} would fit; or send {"maxUsd": 0.84}"#;
    assert_eq!((plan.findings[0].code, plan.findings[0].message.as_str()), ("too_expensive", message));
    assert!(
        text.contains(&format!("! {message}")) && text.contains(&"no process completed in either window".to_owned())
    );
    let (plan, _) = reported(Vec::new(), look(Err(NotKnown::TooExpensive), 1e13), Language::En);
    assert!(plan.findings[0].message.contains(r#"no window would fit; send {"maxUsd": 83.60}"#), "{:?}", plan.findings);
}

#[test]
fn what_is_not_known_is_neither_good_nor_bad() {
    let slow = durations(stats(19, 35.0, 61.5), stats(40, 60.0, 95.0));
    let (plan, text) = reported(vec![slow], look(Err(NotKnown::Because("denied".into())), 0.0), Language::En);
    assert!(plan.findings.is_empty());
    let skipped: Vec<&str> = plan.skipped.iter().map(|skipped| skipped.target.as_str()).collect();
    assert_eq!(skipped, ["SUBGOAL_GENERATION", "ai-generation-worker"]);
    assert!(text.contains(&"the worker's runs are unknown: denied".to_owned()), "{text:#?}");
    let report = plan.report.unwrap();
    assert_eq!((&report["types"][0]["slower"], &report["worker"]), (&Value::Null, &json!({ "notKnown": "denied" })));
}
