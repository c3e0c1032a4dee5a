//! One odd row, execution or answer is told, and the rest is put right all the same.

use functions_tests::{
    Bench, Tested, ago, description, execution_arn, findings, listed, processing, scripted, status_event, texts,
};
use harness::{AwsProxy, Failure};
use patient::table::Row;
use serde_json::{Value, json};
use uuid::Uuid;

fn schedule() -> Value {
    json!({ "schedule": "every-5-minutes" })
}

async fn with_list(executions: &[Value]) -> Tested<AwsProxy> {
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": executions }));
    Ok(aws)
}

async fn status(bench: &Bench, id: Uuid) -> Tested<String> {
    Ok(bench.row(id).await?.status)
}

fn told(result: &Value) -> String {
    texts(&result["findings"], "message").join("\n")
}

#[tokio::test]
async fn an_execution_status_that_nobody_knows_is_told_and_a_stuck_row_is_closed() -> Tested {
    let bench = Bench::new("odd_execution_status").await?;
    let (odd, stuck) = (processing(7200), processing(7200));
    bench.insert(&[odd.clone(), stuck.clone()]).await?;
    let aws = with_list(&[listed(odd.id, "SOMETHING_NEW", ago(4000), None)]).await?;
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(status(&bench, stuck.id).await?, "FAILED");
    assert_eq!(status(&bench, odd.id).await?, "PROCESSING");
    assert!(told(&result).contains("SOMETHING_NEW"), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn rows_with_times_that_are_none_stop_no_step() -> Tested {
    let bench = Bench::new("odd_times").await?;
    let stuck = processing(7200);
    let odd: Vec<Row> = (0..3).map(|_| processing(9000)).collect();
    bench.insert(&odd).await?;
    bench.insert(std::slice::from_ref(&stuck)).await?;
    bench.database.execute("ALTER TABLE processing_state ALTER updated_at DROP NOT NULL").await?;
    for (row, value) in odd.iter().zip(["NULL", "'infinity'", "'-infinity'"]) {
        let sql = format!("UPDATE processing_state SET updated_at = {value} WHERE id = '{}'", row.id);
        bench.database.execute(&sql).await?;
    }
    let aws = with_list(&[]).await?;
    for step in ["check-health", "repair-progress", "fail-timed-out-processes", "reconcile-processes"] {
        let function = bench.function(step).envs(aws.environment()).start().await?;
        let result = function.invoke(&schedule()).await?;
        if step == "check-health" {
            assert!(result["report"].to_string().contains("updated_at is infinity"), "{result:#}");
        } else {
            // repair-progress looks at what was written long ago only.
            let odd = if step == "repair-progress" { "-infinity" } else { "NULL" };
            assert!(told(&result).contains(&format!("updated_at is {odd}")), "{step}: {result:#}");
        }
    }
    assert_eq!(status(&bench, stuck.id).await?, "FAILED");
    let story = bench.function("analyze-logs").envs(aws.environment()).start().await?;
    story.invoke(&json!({ "processId": odd[1].id })).await?;
    Ok(())
}

#[tokio::test]
async fn an_event_for_a_row_of_an_unknown_status_is_a_finding() -> Tested {
    let bench = Bench::new("odd_row_status").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    bench.database.execute("UPDATE processing_state SET status = 'PAUSED'").await?;
    let aws = scripted().await?;
    let function = bench.function("sync-execution-status").envs(aws.environment()).start().await?;
    let event = status_event(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &json!({ "output": "{}" }));
    let result = function.invoke(&event).await?;
    assert_eq!((status(&bench, row.id).await?.as_str(), findings(&result)), ("PAUSED", vec!["row_status_unknown"]));
    assert!(told(&result).contains("PAUSED"), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn an_event_of_an_unknown_status_is_told_and_its_row_left_alone_from_then_on() -> Tested {
    let bench = Bench::new("odd_event").await?;
    let row = processing(7200);
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = with_list(&[]).await?;
    let sync = bench.function("sync-execution-status").envs(aws.environment()).start().await?;
    let result = sync.invoke(&status_event(row.id, "SOMETHING_NEW", ago(7000), None, &json!({}))).await?;
    assert_eq!(findings(&result), ["execution_status_unknown"], "{result:#}");
    assert!(told(&result).contains("SOMETHING_NEW"), "{result:#}");
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(status(&bench, row.id).await?, "PROCESSING", "{result:#}");
    assert!(texts(&result["skipped"], "why").join("").contains("SOMETHING_NEW"), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn a_row_that_a_trigger_silently_keeps_is_told_as_that_once_a_run() -> Tested {
    let bench = Bench::new("soft_refusal").await?;
    let row = processing(7200);
    bench.insert(std::slice::from_ref(&row)).await?;
    bench
        .database
        .execute(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER keep BEFORE UPDATE ON processing_state FOR EACH ROW EXECUTE FUNCTION keep()",
        )
        .await?;
    let aws = with_list(&[]).await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    for _ in 0..2 {
        let result = function.invoke(&schedule()).await?;
        assert_eq!(findings(&result), ["row_refused"], "{result:#}");
        assert!(told(&result).contains("stayed as it was"), "{result:#}");
        assert!(!result.to_string().contains("somebody else"), "{result:#}");
    }
    assert_eq!(status(&bench, row.id).await?, "PROCESSING");
    assert!(bench.actions().await?.len() <= 2);
    Ok(())
}

#[tokio::test]
async fn a_row_that_the_table_refuses_run_after_run_does_not_stop_the_step() -> Tested {
    let bench = Bench::new("poison_row").await?;
    let poison = processing(7200);
    bench.insert(std::slice::from_ref(&poison)).await?;
    bench
        .database
        .execute(&format!(
            "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.id = '{}' THEN RAISE EXCEPTION 'refused by policy' USING ERRCODE = '55000'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER guard BEFORE UPDATE ON processing_state FOR EACH ROW EXECUTE FUNCTION guard()",
            poison.id
        ))
        .await?;
    let aws = with_list(&[]).await?;
    let function = bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    for _ in 0..3 {
        let stuck = processing(7200);
        bench.insert(std::slice::from_ref(&stuck)).await?;
        let result = function.invoke(&schedule()).await?;
        assert_eq!(status(&bench, stuck.id).await?, "FAILED", "{result:#}");
    }
    assert_eq!(status(&bench, poison.id).await?, "PROCESSING");
    Ok(())
}

#[tokio::test]
async fn a_forbidden_execution_keeps_no_other_row_from_being_put_right() -> Tested {
    let bench = Bench::new("forbidden_execution").await?;
    let mut rows = [processing(2000), processing(2000)];
    rows.sort_by_key(|row| row.id);
    bench.insert(&rows).await?;
    let aws = with_list(&[]).await?;
    let sync = bench.function("sync-execution-status").env("PROCESS_DEADLINE_SECONDS", "9000");
    let sync = sync.envs(aws.environment()).start().await?;
    for row in &rows {
        sync.invoke(&status_event(row.id, "RUNNING", ago(1995), None, &json!({}))).await?;
    }
    aws.fail("DescribeExecution", Failure::error("AccessDeniedException").times(1));
    let output = json!({ "output": functions_tests::output(&json!({ "items": ["one"] })) });
    let started: String =
        bench.list("SELECT to_jsonb(execution_arn) FROM remediation.executions ORDER BY process_id DESC").await?[0]
            .as_str()
            .unwrap_or_default()
            .to_owned();
    let mut told_of = description(rows[1].id, "SUCCEEDED", ago(1995), Some(ago(1800)), &output);
    told_of["executionArn"] = json!(started);
    aws.answer("DescribeExecution", told_of);
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(status(&bench, rows[1].id).await?, "COMPLETED", "{result:#}");
    assert_eq!(status(&bench, rows[0].id).await?, "PROCESSING");
    assert!(told(&result).contains("AccessDenied"), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn an_execution_named_by_a_bare_uuid_is_its_inputs() -> Tested {
    let bench = Bench::new("bare_uuid").await?;
    let row = Row::pending(ago(320));
    bench.insert(std::slice::from_ref(&row)).await?;
    let name = Uuid::new_v4();
    let arn = execution_arn(row.id, ago(310));
    let arn = format!("{}:{name}", arn.rsplit_once(':').ok_or("no ARN")?.0);
    let named = json!({ "executionArn": arn, "name": name });
    let mut item = listed(row.id, "RUNNING", ago(310), None);
    functions_tests::merge(&mut item, &named);
    let aws = with_list(&[item]).await?;
    aws.answer("DescribeExecution", description(row.id, "RUNNING", ago(310), None, &named));
    let sync = bench.function("sync-execution-status").envs(aws.environment()).start().await?;
    sync.invoke(&status_event(row.id, "RUNNING", ago(310), None, &named)).await?;
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(status(&bench, row.id).await?, "PENDING", "{result:#}");
    Ok(())
}

#[tokio::test]
async fn a_result_with_half_a_surrogate_pair_and_numbers_of_any_size_is_kept() -> Tested {
    let bench = Bench::new("odd_result").await?;
    let row = processing(91);
    bench.insert(std::slice::from_ref(&row)).await?;
    let aws = scripted().await?;
    let function = bench.function("sync-execution-status").envs(aws.environment()).start().await?;
    let output = r#"{"generationResult":{"Payload":{"title":"run \ud83d","n":12345678901234567890123,"x":1e400}}}"#;
    let event = status_event(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &json!({ "output": output }));
    let result = function.invoke(&event).await?;
    let kept = bench
        .list("SELECT to_jsonb(concat_ws(' ', status, result ->> 'title', result ->> 'n', length(result ->> 'x'))) FROM processing_state")
        .await?;
    assert_eq!(kept, [json!("COMPLETED run \u{fffd} 12345678901234567890123 401")], "{result:#}");
    Ok(())
}

#[tokio::test]
async fn migrate_tells_at_once_what_the_table_and_the_rights_lack() -> Tested {
    let bench = Bench::new("unfit_table").await?;
    bench
        .database
        .execute(
            "ALTER TABLE processing_state DROP progress, DROP completed_at, ADD closed_at timestamptz;
             ALTER TABLE processing_state ADD completed_at timestamptz GENERATED ALWAYS AS (closed_at) STORED",
        )
        .await?;
    let result = bench.function("migrate").start().await?.invoke(&json!({ "all": true })).await?;
    assert_eq!(findings(&result), ["table_unfit"], "{result:#}");
    assert!(told(&result).contains("`completed_at`") && told(&result).contains("`progress`"), "{result:#}");
    assert_eq!(result["findings"][0]["audience"], "people");

    let bench = Bench::new("unfit_rights").await?;
    let user = format!("reader_{}", Uuid::new_v4().simple());
    bench
        .database
        .execute_as_superuser(&format!(
            "CREATE ROLE {user} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA public, remediation TO {user};
             GRANT ALL ON ALL TABLES IN SCHEMA remediation TO {user}; GRANT SELECT ON processing_state TO {user};
             ALTER TABLE processing_state ENABLE ROW LEVEL SECURITY"
        ))
        .await?;
    let aws = with_list(&[]).await?;
    for (step, event) in [("migrate", json!({})), ("reconcile-processes", json!({}))] {
        let url = bench.database.url_as(&user, "x");
        let function = bench.function(step).envs(aws.environment()).env("DATABASE_URL", url).start().await?;
        let result = function.invoke(&event).await?;
        for code in ["rows_hidden", "table_not_writable"] {
            assert!(findings(&result).contains(&code), "{step}: {result:#}");
        }
        assert_eq!(findings(&result).contains(&"goals_unfit"), step == "migrate", "{step}: {result:#}");
        assert!(told(&result).contains("GRANT UPDATE ON") && told(&result).contains("CREATE POLICY"), "{result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn the_health_report_comes_while_the_database_takes_reads_only() -> Tested {
    let bench = Bench::new("read_only").await?;
    let name = bench.database.name();
    bench
        .database
        .execute_as_superuser(&format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on"))
        .await?;
    let aws = with_list(&[]).await?;
    let function = bench.function("check-health").envs(aws.environment()).start().await?;
    let result = function.invoke(&json!({})).await?;
    assert!(result["report"]["text"].is_array(), "{result:#}");
    assert!(findings(&result).contains(&"record_not_written"), "{result:#}");
    Ok(())
}
