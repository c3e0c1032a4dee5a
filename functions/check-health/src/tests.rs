//! The report as a whole, from what was read.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use harness::Postgres;
use patient::table::{self, Row, Variant};
use remediation::decide::Look as Settled;
use remediation::domain::{Execution, ExecutionStatus, Process, ProcessId, ProcessStatus};
use remediation::failure::INVALID_INPUT;
use remediation::gather::config::Config;
use remediation::gather::logs::report::Report;
use remediation::gather::manifest;
use remediation::gather::processes::case::{Case, Evidence, Link, Newest};
use remediation::gather::sessions::Overview;
use remediation::gather::step_functions::{Page, Seen};
use remediation::gather::table::Table;
use remediation::run::step::{Plan, Step};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::capacity::Capacity;
use crate::check::Look;
use crate::functions::{Configuration, Function, Trouble};
use crate::last_hour::LastHour;
use crate::limit::Limit;
use crate::policy::MANIFEST;
use crate::processes::Processes;
use crate::server::Server;
use crate::worker::Worker;
use crate::{CheckHealth, Health, InDatabase, OfWorker};

const NOW: DateTime<Utc> = DateTime::from_timestamp(1_795_482_000, 0).unwrap();

fn config(language: &str) -> Config {
    Config::read(|name| match name {
        "DATABASE_URL" => Some("postgres://h/d".to_owned()),
        "STATE_MACHINE_ARN" => Some("arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai".to_owned()),
        "TEXT_LANGUAGE" => Some(language.to_owned()),
        _ => None,
    })
    .unwrap()
}

fn plan(health: &Health, language: &str) -> Plan {
    CheckHealth { policy: manifest::policy(MANIFEST).unwrap() }.plan(health, &config(language), NOW)
}

fn look<T>(found: T, milliseconds: u64) -> Look<T> {
    Look { found: Ok(found), took: Duration::from_millis(milliseconds) }
}

fn unread<T>(why: &str) -> Look<T> {
    Look { found: Err(why.to_owned()), took: Duration::from_secs(5) }
}

fn execution(process: u128, started: i64) -> Execution {
    let (id, started_at) = (Uuid::from_u128(process), NOW - TimeDelta::seconds(started));
    let name = format!("{id}-{}", started_at.timestamp_millis());
    Execution {
        arn: format!("arn:aws:states:ap-northeast-1:123456789012:execution:ai:{name}").parse().unwrap(),
        status: ExecutionStatus::Running,
        redrive_count: 0,
        started_at,
        redriven_at: None,
        stopped_at: None,
        ending: None,
        stopped_for_deadline: false,
        says_failed: None,
    }
}

fn ended(execution: Execution) -> Execution {
    let stopped_at = Some(NOW - TimeDelta::seconds(90));
    Execution { status: ExecutionStatus::TimedOut, stopped_at, ..execution }
}

fn case(process: u128, status: ProcessStatus, created: i64, newest: Option<Execution>) -> Case {
    let created_at = NOW - TimeDelta::seconds(created);
    let written = NOW - TimeDelta::seconds(100);
    let process = Process {
        id: ProcessId::from(Uuid::from_u128(process)),
        version: 1,
        status,
        progress: 10,
        has_result: false,
        error_code: None,
        retries: Some(0),
        created_at,
        updated_at: written,
        completed_at: (!status.is_open()).then_some(written),
        deadline: None,
    };
    Case { process, newest: Newest::Known(newest), look: Settled::Sweep, link: Link::Told }
}

fn active(name: &str) -> Function {
    let (state, last_update) = ("Active".to_owned(), "Successful".to_owned());
    Function { name: name.to_owned(), found: Ok(Configuration { state, last_update, ..Configuration::default() }) }
}

fn sound() -> Health {
    Health {
        functions: look(vec![active("async-processing-handler"), active("ai-generation-worker")], 120),
        executions: look(Page { executions: Vec::new(), odd: Vec::new(), next: None }, 80),
        worker: Some(OfWorker {
            name: "ai-generation-worker".to_owned(),
            runs: look(worker(35.0, 601.0, 1, 0), 40),
            capacity: look(Capacity { refused_runs: Some(0), concurrent: Some(3), ..Capacity::default() }, 30),
        }),
        rest: InDatabase {
            server: look(
                Server {
                    round_trip_milliseconds: 1.25,
                    sessions: Overview { used: 12, unseen: 0, available: 97, blocked: 0, named: json!([]) },
                },
                6,
            ),
            processes: look(
                Processes {
                    statuses: vec![("COMPLETED".to_owned(), 48), ("PROCESSING".to_owned(), 2)],
                    waiting: 0,
                    evidence: Evidence { population: 50, ..Evidence::default() },
                    uncancelled: Vec::new(),
                    progress_anomalies: 0,
                },
                9,
            ),
            last_hour: look(
                LastHour {
                    closed: 48,
                    completed: 48,
                    average_seconds: Some(35.0),
                    p95_seconds: Some(61.5),
                    codes: json!([]),
                    ..LastHour::default()
                },
                3,
            ),
        },
    }
}

/// Twelve runs, the last of which took so many seconds and so much of 1,024 MB.
fn worker(seconds: f64, memory: f64, cold: usize, throttles: usize) -> Worker {
    let run = |at: usize| Report {
        request_id: format!("run-{at}"),
        duration_ms: if at == 11 { seconds * 1000.0 } else { 20_000.0 },
        memory_mb: 1024.0,
        max_memory_mb: if at == 11 { memory } else { 512.0 },
        init_ms: (at < cold).then_some(420.0),
        timed_out: false,
    };
    Worker { timeout: Some(300), runs: (0..12).map(run).collect(), throttles, ..Worker::default() }
}

/// Something is wrong in every check.
fn unsound() -> Health {
    let failed = Configuration {
        state: "Active".to_owned(),
        last_update: "Failed".to_owned(),
        last_update_reason: Some("The role cannot be assumed".to_owned()),
        ..Configuration::default()
    };
    let seen = |process, started| Seen { execution: execution(process, started), process: None };
    Health {
        functions: look(
            vec![
                active("async-processing-handler"),
                Function { name: "retry-handler".to_owned(), found: Err(Trouble::Missing) },
                Function { name: "ai-generation-worker".to_owned(), found: Ok(failed) },
            ],
            120,
        ),
        executions: look(
            Page {
                executions: vec![seen(4, 35), seen(3, 290), seen(2, 1000)],
                odd: Vec::new(),
                next: Some("more".to_owned()),
            },
            80,
        ),
        worker: Some(OfWorker {
            name: "ai-generation-worker".to_owned(),
            runs: look(Worker { runs_sampled: true, ..worker(290.0, 1000.0, 6, 9) }, 40),
            capacity: look(
                Capacity {
                    refused_runs: Some(12),
                    concurrent: Some(5),
                    models: vec!["anthropic.claude".to_owned()],
                    refused_calls: Some(11),
                    limit: Some(Limit::Reserved(5)),
                },
                30,
            ),
        }),
        rest: InDatabase {
            server: look(
                Server {
                    round_trip_milliseconds: 1.25,
                    sessions: Overview {
                        used: 90,
                        unseen: 7,
                        available: 97,
                        blocked: 1,
                        named: json!([{ "pid": 4711, "blockedBy": [4710] }]),
                    },
                },
                6,
            ),
            processes: look(
                Processes {
                    statuses: [("PENDING", 1), ("PROCESSING", 3), ("CANCELLED", 1), ("FAILED", 4)]
                        .map(|(status, count)| (status.to_owned(), count))
                        .into(),
                    waiting: 1,
                    evidence: Evidence {
                        cases: vec![
                            case(1, ProcessStatus::Pending, 400, None),
                            case(2, ProcessStatus::Processing, 1001, Some(execution(2, 1000))),
                            case(3, ProcessStatus::Cancelled, 300, Some(execution(3, 290))),
                            case(4, ProcessStatus::Processing, 36, Some(execution(4, 35))),
                            case(5, ProcessStatus::Processing, 201, Some(ended(execution(5, 200)))),
                        ],
                        population: 9,
                        ..Evidence::default()
                    },
                    uncancelled: vec![case(3, ProcessStatus::Cancelled, 300, Some(execution(3, 290)))],
                    progress_anomalies: 2,
                },
                9,
            ),
            last_hour: look(
                LastHour {
                    closed: 8,
                    failed: 3,
                    invalid: 1,
                    timed_out: 1,
                    completed: 4,
                    average_seconds: Some(200.0),
                    p95_seconds: Some(280.0),
                    codes: json!([{ "code": "AI_ERROR", "count": 2 }, { "code": "TIMEOUT_ERROR", "count": 1 }, { "code": "VALIDATION_ERROR", "count": 1 }]),
                },
                3,
            ),
        },
    }
}

fn text(plan: &Plan) -> String {
    let lines = plan.report.as_ref().unwrap()["text"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.findings.iter().map(|finding| finding.code).collect()
}

fn names(plan: &Plan) -> Vec<&'static str> {
    plan.metrics.iter().map(|metric| metric.name).collect()
}

#[test]
fn a_sound_system_reads_so_in_both_languages() {
    for language in ["en", "ja"] {
        let plan = plan(&sound(), language);
        insta::assert_snapshot!(format!("sound_{language}"), text(&plan));
        assert!(plan.findings.is_empty() && plan.actions.is_empty());
    }
}

#[test]
fn an_unsound_system_reads_so_in_both_languages() {
    for language in ["en", "ja"] {
        insta::assert_snapshot!(format!("unsound_{language}"), text(&plan(&unsound(), language)));
    }
    insta::assert_json_snapshot!("unsound_report", plan(&unsound(), "en").report);
}

#[test]
fn a_database_that_is_down_leaves_the_checks_that_need_none() {
    let why = "the database failed while connecting: Connection refused";
    let health = Health {
        rest: InDatabase {
            server: unread(why),
            processes: unread("no connection to the database (see 3)"),
            last_hour: unread("no connection to the database (see 3)"),
        },
        ..sound()
    };
    insta::assert_snapshot!("down_en", text(&plan(&health, "en")));
    let plan = plan(&health, "ja");
    assert_eq!(codes(&plan), ["check_failed"; 3]);
    let of_the_worker = ["WorkerTimeoutUsed", "WorkerMemoryUsed", "WorkerColdStarts", "BedrockThrottles"];
    let measured = [&["ChecksFailed"], &of_the_worker[..], &["WorkerThrottles"]].concat();
    assert_eq!(names(&plan), measured, "what was not measured is not sent");
}

#[test]
fn where_no_worker_and_no_function_is_named_their_checks_are_off_and_nothing_fails() {
    let unwatched = Function { name: "transform".to_owned(), found: Err(Trouble::Unwatched) };
    let health = Health { functions: look(vec![unwatched], 120), worker: None, ..sound() };
    insta::assert_snapshot!("unnamed_en", text(&plan(&health, "en")));
    let plan = plan(&health, "ja");
    let state = |check: usize| plan.report.as_ref().unwrap()["checks"][check]["state"].clone();
    assert_eq!([0, 1, 5, 6].map(state), ["off", "ok", "off", "off"]);
    assert_eq!((codes(&plan), plan.metrics[0].values.as_slice()), (vec![], &[0.0][..]));
}

#[test]
fn what_is_wrong_is_told_with_the_step_that_answers() {
    let plan = plan(&unsound(), "en");
    let answers: Vec<(&str, &Value)> =
        plan.findings.iter().map(|finding| (finding.code, &finding.evidence["answeredBy"])).collect();
    assert_eq!(
        answers[1..],
        [
            ("stuck_processes", &json!("fail-timed-out-processes")),
            ("mismatched_processes", &json!("reconcile-processes")),
            ("uncancelled_executions", &json!("stop-cancelled-executions")),
            ("progress_anomalies", &json!("repair-progress")),
            ("worker_near_timeout", &json!("extend-worker-timeout")),
            ("worker_memory", &json!("raise-worker-memory")),
            ("worker_cold_starts", &json!("provision-worker-concurrency")),
            ("bedrock_throttles", &json!("throttle-worker")),
            ("worker_throttled", &Value::Null),
        ]
    );
    assert_eq!((answers[0].0, plan.findings[0].target.as_str()), ("check_failed", "lambda-functions"));
}

#[test]
fn a_check_that_fails_takes_away_its_own_metrics_only() {
    type Break = fn(&mut Health);
    // (check that fails, how, its metrics)
    let cases: [(&str, Break, &[&str]); 7] = [
        ("lambda-functions", |health| health.functions = unread("x"), &[]),
        ("step-functions", |health| health.executions = unread("x"), &[]),
        ("database", |health| health.rest.server = unread("x"), &["DatabaseConnectionsUsed", "BlockedSessions"]),
        (
            "processes",
            |health| health.rest.processes = unread("x"),
            &["StuckProcesses", "MismatchedProcesses", "UncancelledExecutions", "ProgressAnomalies", "QueueDepth"],
        ),
        (
            "error-rate",
            |health| health.rest.last_hour = unread("x"),
            &["ErrorRate", "TimeoutRate", "ProcessingDurationAverage", "ProcessingDurationP95"],
        ),
        (
            "worker",
            |health| health.worker.as_mut().unwrap().runs = unread("x"),
            &["WorkerTimeoutUsed", "WorkerMemoryUsed", "WorkerColdStarts", "BedrockThrottles"],
        ),
        ("worker-concurrency", |health| health.worker.as_mut().unwrap().capacity = unread("x"), &["WorkerThrottles"]),
    ];
    let all = names(&plan(&sound(), "en"));
    for (name, break_it, its_own) in cases {
        let mut health = sound();
        break_it(&mut health);
        let plan = plan(&health, "en");
        let left: Vec<&str> = all.iter().copied().filter(|metric| !its_own.contains(metric)).collect();
        assert_eq!((names(&plan), codes(&plan)), (left, vec!["check_failed"]), "{name}");
        assert_eq!(plan.findings[0].target, name);
        assert_eq!(plan.metrics[0].values, [1.0], "{name}: ChecksFailed");
    }
}

/// Indexes as an installation may add them, none of which the application's table has by itself.
const INDEXES: &str = "
    CREATE INDEX ON {processes} (status) WHERE status IN ('PENDING', 'PROCESSING');
    CREATE INDEX ON {processes} (coalesce({completed_at}{utc}, {updated_at}{utc}));
    ANALYZE {processes}";

#[tokio::test]
async fn with_indexes_for_it_nothing_reads_the_whole_table() {
    for variant in Variant::ALL {
        let database = Postgres::shared().await.unwrap().database("indexes").await.unwrap();
        table::create(database.pool(), &variant).await.unwrap();
        table::history(database.pool(), &variant, 5000, Utc::now()).await.unwrap();
        table::insert(database.pool(), &variant, &[Row::pending(Utc::now())]).await.unwrap();
        let config = Config::read(|name| match name {
            "DATABASE_URL" => Some(database.url()),
            "STATE_MACHINE_ARN" => Some("arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai".to_owned()),
            "PROCESSING_STATE_TABLE" => Some(variant.table_name()),
            _ => None,
        })
        .unwrap();
        let mut db = database.connect().await.unwrap();
        let spelt = Table::read(&config.table, config.language, &mut db).await.unwrap();
        let mut plans = async || {
            let mut plans = String::new();
            for sql in [include_str!("statuses.sql"), include_str!("last_hour.sql")] {
                let AssertSqlSafe(sql) = spelt.sql(sql);
                let mut explain = sqlx::query_scalar::<_, String>(AssertSqlSafe(format!("EXPLAIN {sql}")));
                explain = explain.bind(Utc::now() - TimeDelta::days(1));
                if sql.contains("$2") {
                    explain = explain.bind(INVALID_INPUT);
                }
                plans += &explain.fetch_all(&mut db).await.unwrap().join("\n");
            }
            plans
        };
        let before = plans().await;
        assert!(before.contains("Seq Scan on"), "{}: the test would notice", variant.name);
        database.execute(&variant.spell(INDEXES)).await.unwrap();
        let plans = plans().await;
        assert!(!plans.contains("Seq Scan on"), "{}: {plans}", variant.name);
    }
}
