//! What goes wrong is said with what to do about it, is in the ledger where there is one, and loses nothing.

use std::time::Duration;

use functions_tests::{
    Bench, NOWHERE, STATE_MACHINE_ARN, Tested, ago, execution_arn, logged, output, processing, scripted, status_event,
};
use harness::{CountingProxy, Failure, Function, FunctionError, Postgres};
use patient::table::{GUIDE, create};
use serde_json::{Value, json};
use uuid::Uuid;

const STEPS: [&str; 5] = [
    "sync-execution-status",
    "reconcile-processes",
    "fail-timed-out-processes",
    "retry-failed-processes",
    "check-health",
];

/// Those that cannot do without the database and the table; check-health reports what it sees without them.
const NEED_THE_TABLE: [&str; 3] = ["sync-execution-status", "reconcile-processes", "fail-timed-out-processes"];

/// An event that every step takes.
fn look() -> Value {
    json!({ "all": true, "mode": "observe" })
}

fn failed(answer: Result<Value, FunctionError>) -> Tested<FunctionError> {
    answer.err().ok_or_else(|| "it should have failed".into())
}

/// The error of a run that is expected to fail, and what the ledger says of the last run.
async fn refused(bench: &Bench, function: &Function, event: &Value) -> Tested<(FunctionError, Value)> {
    let error = failed(function.invoke(event).await)?;
    Ok((error, bench.runs().await?.pop().unwrap_or_default()))
}

#[tokio::test]
async fn a_database_that_is_down_is_an_error_in_time_and_not_a_timeout() -> Tested {
    let bench = Bench::new("down").await?;
    for step in NEED_THE_TABLE {
        let url = bench.database.url_through(1, "application", "x");
        let function = bench.function(step).env("DATABASE_URL", url).start().await?;
        let error = failed(function.invoke(&look()).await)?;
        assert_eq!(error.error_type, "DatabaseError", "{step}: {error}");
        assert!(error.error_message.starts_with("the database failed while connecting: "), "{step}: {error}");
        for advice in ["check that it is up, the host and port", "subnets and security groups", "dead-letter queue"] {
            assert!(error.error_message.contains(advice), "{step}: {error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_table_that_stays_locked_is_an_error_before_lambdas_deadline_and_recorded() -> Tested {
    let bench = Bench::new("locked").await?;
    let function = bench.function("sync-execution-status").timeout(Duration::from_secs(12)).start().await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let event = status_event(row.id, "TIMED_OUT", ago(90), Some(ago(30)), &json!({ "error": "States.Timeout" }));
    let mut migration = bench.database.connect().await?;
    sqlx::raw_sql("BEGIN; LOCK TABLE processing_state IN ACCESS EXCLUSIVE MODE").execute(&mut migration).await?;

    let (error, run) = refused(&bench, &function, &event).await?;

    assert_eq!(error.error_type, "OutOfTime", "{error}");
    assert!(error.error_message.contains("the table may be locked"), "{error}");
    assert_eq!(run["error"], error.error_message.as_str(), "{run:#}");
    sqlx::raw_sql("ROLLBACK").execute(&mut migration).await?;
    function.invoke(&event).await?;
    assert_eq!(bench.row(row.id).await?.status, "FAILED");
    Ok(())
}

#[tokio::test]
async fn a_database_that_comes_back_is_used_again_without_a_cold_start() -> Tested {
    let bench = Bench::new("comes_back").await?;
    let proxy = CountingProxy::start(bench.database.port()).await?;
    let url = bench.database.url_through(proxy.port(), harness::APPLICATION.0, harness::APPLICATION.1);
    let function = bench.function("sync-execution-status").env("DATABASE_URL", url).start().await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    proxy.refuse().await;
    assert_eq!(failed(function.invoke(&event).await)?.error_type, "DatabaseError");
    let process = function.process_id();
    proxy.accept().await?;
    function.invoke(&event).await?;
    assert_eq!((bench.row(row.id).await?.status.as_str(), function.process_id()), ("FAILED", process));
    Ok(())
}

#[tokio::test]
async fn a_connection_that_was_cut_between_two_events_is_made_anew() -> Tested {
    let bench = Bench::new("cut").await?;
    let proxy = CountingProxy::start(bench.database.port()).await?;
    let url = bench.database.url_through(proxy.port(), harness::APPLICATION.0, harness::APPLICATION.1);
    let function = bench.function("sync-execution-status").env("DATABASE_URL", url).start().await?;
    let rows = [processing(91), processing(91)];
    bench.insert(&rows).await?;
    for row in &rows {
        let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
        let result = function.invoke(&event).await?;
        assert_eq!(result["actions"][0]["outcome"], "applied", "{result:#}");
        proxy.cut();
    }
    assert_eq!(proxy.connections(), 2);
    assert_eq!(bench.runs().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() -> Tested {
    let bench = Bench::new("password").await?;
    for step in NEED_THE_TABLE {
        let url = bench.database.url_as("application", "hunter2");
        let function = bench.function(step).env("DATABASE_URL", url).start().await?;
        let error = failed(function.invoke(&look()).await)?;
        assert_eq!(error.error_type, "DatabaseError", "{step}: {error}");
        let advice = "The user or password was refused: check DATABASE_URL, or the secret and whether it was rotated";
        assert!(error.error_message.contains(advice), "{step}: {error}");
        assert!(!error.error_message.contains("hunter2") && !function.lines().join("\n").contains("hunter2"), "{step}");
    }
    Ok(())
}

#[tokio::test]
async fn a_table_that_is_missing_or_unlike_is_named_with_the_column_and_in_the_ledger() -> Tested {
    let bench = Bench::new("table").await?;
    let cases = [
        (
            "SELECT",
            "public.nowhere",
            "table public.nowhere does not exist, or its schema is not visible to this user: set PROCESSING_STATE_TABLE to <schema>.<table>, or grant USAGE and SELECT",
        ),
        (
            "CREATE TABLE a AS SELECT * FROM processing_state; ALTER TABLE a DROP COLUMN completed_at",
            "a",
            "table public.a has no column `completed_at` (or \"completedAt\"), which must be timestamp with time zone or timestamp without time zone",
        ),
        (
            "CREATE TABLE b AS SELECT * FROM processing_state; ALTER TABLE b ALTER COLUMN error TYPE text",
            "b",
            "column `error` of table public.b is of type text, but must be jsonb",
        ),
    ];
    for (sql, table, message) in cases {
        bench.database.execute(sql).await?;
        for step in NEED_THE_TABLE {
            let function = bench.function(step).env("PROCESSING_STATE_TABLE", table).start().await?;
            let (error, run) = refused(&bench, &function, &look()).await?;
            assert_eq!((error.error_type.as_str(), error.error_message.as_str()), ("TableMismatch", message), "{step}");
            assert_eq!((&run["error"], &run["step"]), (&json!(message), &json!(step)));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_table_that_is_put_right_is_read_again_without_a_cold_start() -> Tested {
    let bench = Bench::new("table_later").await?;
    bench.database.execute("ALTER TABLE processing_state RENAME TO later").await?;
    let function = bench.function("reconcile-processes").start().await?;
    assert_eq!(failed(function.invoke(&json!({})).await)?.error_type, "TableMismatch");
    bench.database.execute("ALTER TABLE later RENAME TO processing_state").await?;
    function.invoke(&json!({})).await?;
    Ok(())
}

#[tokio::test]
async fn without_the_ledger_nothing_is_done_and_migrate_is_named() -> Tested {
    let database = Postgres::shared().await?.database("no_ledger").await?;
    create(database.pool(), &GUIDE).await?;
    let bench = Bench { database, variant: GUIDE };
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    let error = failed(bench.function("sync-execution-status").start().await?.invoke(&event).await)?;
    assert!(error.error_message.contains("invoke the migrate function with {\"all\":true}"), "{error}");
    assert_eq!(bench.row(row.id).await?, row);
    Ok(())
}

#[tokio::test]
async fn a_missing_privilege_is_named() -> Tested {
    let bench = Bench::new("privilege").await?;
    let role = format!("reader_{}", Uuid::new_v4().simple());
    let grants = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'reader'; GRANT SELECT ON processing_state TO {role};
         GRANT USAGE ON SCHEMA remediation TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA remediation TO {role}"
    );
    bench.database.execute_as_superuser(&grants).await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let function = bench
        .function("sync-execution-status")
        .env("DATABASE_URL", bench.database.url_as(&role, "reader"))
        .start()
        .await?;
    let event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    let (error, run) = refused(&bench, &function, &event).await?;
    assert!(error.error_message.contains("GRANT UPDATE ON"), "{error}");
    assert_eq!(run["error"], error.error_message.as_str());
    assert!(bench.actions().await?.is_empty(), "row and ledger are one transaction");
    Ok(())
}

#[tokio::test]
async fn step_functions_throttled_or_denied_is_told_recorded_and_tried_again() -> Tested {
    let bench = Bench::new("step_functions").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let (started, stopped) = (ago(90), ago(30));
    // Without the output, the event alone is not enough.
    let event = status_event(row.id, "SUCCEEDED", started, Some(stopped), &json!({}));
    let aws = scripted().await?;
    let told = json!({ "output": output(&json!({ "goals": [] })) });
    aws.answer("DescribeExecution", functions_tests::description(row.id, "SUCCEEDED", started, Some(stopped), &told));
    let function = bench.function("sync-execution-status").envs(aws.environment()).start().await?;
    let cases = [
        (
            "ThrottlingException",
            "The account's request quota is used up: the next run continues; if this persists, request a higher quota",
        ),
        ("AccessDeniedException", "The function's role lacks this permission, which the step's manifest declares"),
    ];
    for (code, advice) in cases {
        // As often as the SDK itself tries.
        aws.fail("DescribeExecution", Failure::error(code).times(if code.starts_with('T') { 3 } else { 1 }));
        let (error, run) = refused(&bench, &function, &event).await?;
        assert_eq!(error.error_type, "AwsError");
        assert!(error.error_message.starts_with(&format!("DescribeExecution: {code}: ")), "{error}");
        assert!(error.error_message.contains(advice), "{error}");
        assert_eq!((&run["error"], &run["trigger"]["processId"]), (&json!(error.error_message), &json!(row.id)));
        assert_eq!(bench.row(row.id).await?, row);
    }
    // Lambda delivers the event again, and nothing was lost.
    function.invoke(&event).await?;
    assert_eq!(bench.row(row.id).await?.status, "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn an_event_that_no_step_takes_is_refused_with_what_it_may_be() -> Tested {
    let bench = Bench::new("unknown").await?;
    let takes = "A step accepts: EventBridge's `CloudWatch Alarm State Change`";
    let cases = [
        (
            json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": {} }),
            "unknown event: EventBridge's `Object Created` from `aws.s3`",
            takes,
        ),
        (json!({ "Records": [{ "eventSource": "aws:sqs" }] }), "unknown event: `Records` that are not from SNS", takes),
        (json!([1]), "unknown event: not a JSON object", takes),
        (json!({ "hello": 1 }), "unknown event: an object with the fields hello", takes),
        (
            json!({ "all": true, "processID": "x" }),
            "unknown field `processID`",
            "any of all, processId, executionArn, approve, undo, report, mode, limit, reason",
        ),
        (
            json!({ "processId": "4711" }),
            "`processId` is \"4711\"",
            "it must be a UUID such as 6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c",
        ),
        (json!({ "processId": null }), "`processId` is null", "it must be a UUID"),
        (
            json!({ "executionArn": "arn:aws:states:r:1:express:m:n:id" }),
            "`executionArn` is",
            "the ARN of an execution of a STANDARD state machine",
        ),
        (json!({ "all": true, "mode": "dare" }), "`mode` is \"dare\"", "one of observe, propose, act"),
        (json!({ "all": true, "limit": 0 }), "`limit` is 0", "1 or more; to change nothing, send the mode `observe`"),
        (json!({ "all": false }), "`all` is false", "leave it out to look at everything and change nothing"),
        (
            json!({ "all": true, "processId": Uuid::nil() }),
            "`all` and `processId` exclude each other",
            "at most one of",
        ),
    ];
    for step in STEPS {
        let function = bench.function(step).start().await?;
        for (event, found, may_be) in &cases {
            let error = failed(function.invoke(event).await)?;
            assert_eq!(error.error_type, "UnknownEvent", "{step}: {event}");
            assert!(error.error_message.starts_with(found), "{step}: {event}: {error}");
            assert!(error.error_message.contains(may_be), "{step}: {event}: {error}");
        }
        logged(&function, |line| line.contains("Object Created")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_execution_of_another_state_machine_is_refused_and_recorded() -> Tested {
    let bench = Bench::new("other_machine").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let other = execution_arn(row.id, ago(90)).replace("ai-processing", "billing");
    let mut event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR" }));
    event["detail"]["executionArn"] = other.as_str().into();
    let function = bench.function("sync-execution-status").start().await?;
    for event in [event, json!({ "executionArn": other })] {
        let (error, run) = refused(&bench, &function, &event).await?;
        let belongs = format!("execution {other} belongs to {}", STATE_MACHINE_ARN.replace("ai-processing", "billing"));
        assert!(error.error_message.starts_with(&belongs), "{error}");
        assert!(error.error_message.ends_with("check the rule's pattern, or STATE_MACHINE_ARN"), "{error}");
        assert_eq!(run["error"], error.error_message.as_str());
    }
    assert_eq!(bench.row(row.id).await?, row);
    assert!(bench.list("SELECT to_jsonb(e) FROM remediation.executions e").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_process_that_has_no_row_is_refused_by_hand() -> Tested {
    let bench = Bench::new("no_row").await?;
    let function = bench.function("reconcile-processes").start().await?;
    let id = Uuid::new_v4();
    let (error, run) = refused(&bench, &function, &json!({ "processId": id })).await?;
    assert_eq!(error.error_message, format!("`processId` {id}: table public.processing_state has no such row"));
    assert_eq!(run["error"], error.error_message.as_str());
    Ok(())
}

#[tokio::test]
async fn steps_that_look_at_everything_say_so_when_asked_about_one_process() -> Tested {
    let bench = Bench::new("whole").await?;
    for (step, advice) in [
        ("check-health", "send its processId to reconcile-processes"),
        ("migrate", "send {\"all\": true}, or {} to see"),
    ] {
        let function = bench.function(step).start().await?;
        let error = failed(function.invoke(&json!({ "processId": Uuid::new_v4() })).await)?;
        assert_eq!(error.error_type, "Refused", "{error}");
        assert!(error.error_message.contains(advice), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn all_faults_of_the_configuration_are_listed_at_once_with_every_event() -> Tested {
    for step in STEPS.into_iter().chain(["migrate"]) {
        let function = Function::builder(step)
            .env("AWS_ENDPOINT_URL", NOWHERE)
            .env("DATABASE_URL", "mysql://hunter2@h/d")
            .env("STATE_MACHINE_ARN", "arn:aws:states:r:1:execution:ai:x")
            .env("PROCESS_DEADLINE_SECONDS", "15m")
            .env("TIMED_OUT_STATUS", "GONE")
            .env("REMEDIATION_MODE", "dare")
            .start()
            .await?;
        for _ in 0..2 {
            let error = failed(function.invoke(&json!({})).await)?;
            assert_eq!(error.error_type, "ConfigurationError", "{step}");
            for fault in [
                "DATABASE_URL must be of the form postgres://<user>:<password>@<host>:<port>/<database>",
                "STATE_MACHINE_ARN `arn:aws:states:r:1:execution:ai:x` must be of the form",
                "PROCESS_DEADLINE_SECONDS `15m` must be a whole number of seconds",
                "TIMED_OUT_STATUS `GONE` must be one of FAILED, TIMEOUT",
                "REMEDIATION_MODE `dare` must be one of act, propose, observe",
            ] {
                assert!(error.error_message.contains(fault), "{step}: {error}");
            }
            assert!(!error.error_message.contains("hunter2"), "{error}");
        }
    }
    Ok(())
}
