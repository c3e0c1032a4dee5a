//! The record has an end, and is quick until then, however old it is.

use std::collections::BTreeMap;
use std::time::Duration;

use functions_tests::scale::{self, OldLedger};
use functions_tests::{Bench, Tested, processing, sample, texts};
use harness::functions;
use patient::table::GUIDE;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scale::{explaining, plans};
use crate::triggers::{sampled, samples, step_functions, worker};

/// What is older than its retention in a table, as the tables are when a test has filled them.
async fn names(bench: &Bench, table: &str) -> Tested<Vec<String>> {
    let column = match table {
        "executions" => "execution_arn",
        "incidents" => "alarm",
        "leases" => "target",
        "plans" | "controls_history" => "reason",
        "refused_writes" => "application_name",
        "runs" => "summary",
        _ => "target",
    };
    let listed = bench.list(&format!("SELECT to_jsonb({column}) FROM remediation.{table} ORDER BY 1")).await?;
    Ok(listed.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

fn schedule() -> Value {
    json!({ "schedule": "migrate" })
}

/// Something of everything, young and old, each named after what becomes of it.
async fn fill(bench: &Bench) -> Tested<Uuid> {
    let open = processing(60);
    bench.insert(std::slice::from_ref(&open)).await?;
    let sql = format!(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, created_at)
         SELECT gen_random_uuid(), gen_random_uuid(), step, 'set-row-status', target, outcome, 'test', now() - make_interval(days => age)
           FROM (VALUES ('a', 'stays: young', 'applied', 399), ('a', 'goes: old', 'applied', 401), ('b', 'goes: old, and failed', 'failed', 900),
                        ('a', 'stays: under way', 'applying', 401), ('b', 'stays: something is under way on it', 'applied', 401),
                        ('b', 'stays: something is under way on it', 'applying', 0),
                        ('a', 'stays: its lease is open', 'applied', 401), ('a', 'stays: its lease is confirmed', 'applied', 401),
                        ('a', 'goes: its lease has ended', 'applied', 401)) AS a(step, target, outcome, age);
         INSERT INTO remediation.leases (action_id, step, kind, target, before, after, revert_at, confirmed_at, confirmed_by, ended_at, ended)
         SELECT a.id, 'a', a.target, a.target, '{{}}', '{{}}', now(), CASE WHEN a.target LIKE '%confirmed' THEN now() END,
                CASE WHEN a.target LIKE '%confirmed' THEN a.id END,
                CASE WHEN a.target LIKE 'goes%' THEN now() - interval '401 days' END, CASE WHEN a.target LIKE 'goes%' THEN 'reverted' END
           FROM remediation.actions a WHERE a.target LIKE '%lease%';
         INSERT INTO remediation.leases (action_id, step, kind, target, before, after, revert_at, ended_at, ended)
         VALUES ('00000000-0000-0000-0000-000000000001', 'a', 'x', 'stays: the one in its place is open', '{{}}', '{{}}', now(),
                 now() - interval '401 days', 'superseded'),
                ('00000000-0000-0000-0000-000000000002', 'a', 'x', 'stays: young', '{{}}', '{{}}', now(), now(), 'reverted');
         UPDATE remediation.leases SET supersedes = '00000000-0000-0000-0000-000000000001' WHERE target = 'stays: its lease is open';
         INSERT INTO remediation.plans (id, run_id, step, scope, actions, reason, created_at, seen_at, approved_at, approved_by)
         SELECT gen_random_uuid(), coalesce(run, gen_random_uuid()), 'a', reason, '[]', reason, now() - interval '900 days',
                now() - make_interval(days => age), CASE WHEN approved THEN now() END, CASE WHEN approved THEN gen_random_uuid() END
           FROM (VALUES (NULL, 'stays: it is wanted still', false, 29), (NULL, 'goes: nobody approved it', false, 31),
                        ('00000000-0000-0000-0000-000000000009'::uuid, 'stays: approved', true, 399), (NULL, 'goes: approved', true, 401))
                AS p(run, reason, approved, age);
         INSERT INTO remediation.runs (id, step, trigger, summary, applied, verification, cursor, started_at)
         SELECT coalesce(id, gen_random_uuid()), step, '{{}}', summary, applied, verification, cursor, now() - make_interval(days => age)
           FROM (VALUES (NULL, 'a', 'stays: young', 0, 'unverified', NULL, 29), (NULL, 'a', 'goes: did nothing', 0, 'unverified', NULL, 31),
                        (NULL, 'b', 'goes: ended in an error', 0, NULL, NULL, 31), (NULL, 'a', 'stays: acted', 1, 'verified', NULL, 399),
                        (NULL, 'a', 'stays: tried in vain', 0, 'failed', NULL, 399), (NULL, 'b', 'goes: acted', 1, 'verified', NULL, 401),
                        (NULL, 'b', 'goes: tried in vain', 0, 'failed', NULL, 401),
                        ('00000000-0000-0000-0000-000000000009'::uuid, 'a', 'stays: its plan does', 0, 'unverified', NULL, 399),
                        (NULL, 'a', 'stays: the next sweep goes on there', 0, 'unverified', '{{}}'::jsonb, 33),
                        (NULL, 'a', 'goes: a later sweep went on from there', 0, 'unverified', '{{}}'::jsonb, 34))
                AS r(id, step, summary, applied, verification, cursor, age);
         INSERT INTO remediation.incidents (alarm, opened_at, closed_at)
         VALUES ('stays: open', now() - interval '900 days', NULL), ('stays: young', now() - interval '900 days', now() - interval '399 days'),
                ('goes: over', now() - interval '900 days', now() - interval '401 days');
         INSERT INTO remediation.refused_writes (process_id, why, application_name, before, attempted, refused_at)
         VALUES (gen_random_uuid(), 'cancelled', 'stays: young', '{{}}', '{{}}', now() - interval '89 days'),
                (gen_random_uuid(), 'cancelled', 'goes: old', '{{}}', '{{}}', now() - interval '91 days');
         INSERT INTO remediation.controls_history (step, reason, changed_at)
         VALUES ('*', 'stays: young', now() - interval '399 days'), ('*', 'goes: old', now() - interval '401 days');
         INSERT INTO remediation.executions (execution_arn, process_id, status, started_at)
         SELECT arn, process, status, now() - make_interval(days => age)
           FROM (VALUES ('goes: over, and nobody''s', NULL, 'FAILED', 91), ('goes: over, and its row is gone', gen_random_uuid(), 'ABORTED', 91),
                        ('stays: young', NULL, 'FAILED', 89), ('stays: runs', NULL, 'RUNNING', 91), ('stays: may be redriven', NULL, 'PENDING_REDRIVE', 91),
                        ('stays: its row is open', '{}', 'FAILED', 91)) AS e(arn, process, status, age)",
        open.id
    );
    bench.database.execute(&sql).await?;
    Ok(open.id)
}

const TABLES: [&str; 8] =
    ["actions", "controls_history", "executions", "incidents", "leases", "plans", "refused_writes", "runs"];

#[tokio::test]
async fn once_a_day_what_is_older_than_its_retention_goes_and_what_anything_rests_on_stays() -> Tested {
    let bench = Bench::new("retention").await?;
    fill(&bench).await?;
    let mut before = BTreeMap::new();
    for table in TABLES {
        before.insert(table, names(&bench, table).await?);
    }
    // An installation that only observes keeps its record in order all the same.
    let migrate = bench.function("migrate").env("REMEDIATION_MODE", "observe").start().await?;

    let told = migrate.invoke(&json!({ "forget": true, "mode": "observe" })).await?;
    assert_eq!(texts(&told["actions"], "outcome"), ["planned"], "{told:#}");
    let goes = |table: &&str| before[*table].iter().filter(|name| name.starts_with("goes")).count();
    let older: BTreeMap<&str, usize> = TABLES.iter().map(|table| (*table, goes(table))).collect();
    assert_eq!(told["actions"][0]["before"]["older"], json!(older), "{told:#}");
    for table in TABLES {
        assert_eq!(names(&bench, table).await?, before[table], "{table}: only told");
    }

    let result = migrate.invoke(&sample("migrate", "schedule")?).await?;
    let action = &result["actions"][0];
    assert_eq!((&action["kind"], &action["outcome"]), (&json!("forget-records"), &json!("applied")), "{result:#}");
    assert_eq!(action["after"], json!({ "deleted": older }), "{result:#}");
    assert!(
        action["reason"]
            .as_str()
            .is_some_and(|why| why.starts_with("older than its retention: 400 days for what was done, 30 for"))
    );
    for table in TABLES {
        let stays: Vec<&String> = before[table].iter().filter(|name| name.starts_with("stays")).collect();
        assert_eq!(names(&bench, table).await?.iter().collect::<Vec<_>>(), stays, "{table}");
    }
    let again = migrate.invoke(&schedule()).await?;
    assert_eq!(again["actions"], json!([]), "{again:#}");
    assert_eq!(texts(&again["skipped"], "why"), ["nothing is older than its retention"]);
    Ok(())
}

#[tokio::test]
async fn an_installation_says_how_long_it_keeps_what() -> Tested {
    let bench = Bench::new("retention_settings").await?;
    fill(&bench).await?;
    let settings = [
        ("RETENTION_ACTIONS_DAYS", "1000"),
        ("RETENTION_RUNS_DAYS", "1000"),
        ("RETENTION_EXECUTIONS_DAYS", "1000"),
        ("RETENTION_REFUSED_WRITES_DAYS", "2"),
    ];
    let migrate = bench.function("migrate").envs(settings).start().await?;
    let result = migrate.invoke(&schedule()).await?;
    assert_eq!(result["actions"][0]["after"], json!({ "deleted": { "refused_writes": 2 } }), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn a_run_without_time_deletes_nothing_and_the_next_one_goes_on() -> Tested {
    let bench = Bench::new("retention_time").await?;
    fill(&bench).await?;
    let before = names(&bench, "actions").await?;
    let short = bench.function("migrate").timeout(Duration::from_secs(5)).start().await?;
    let result = short.invoke(&schedule()).await?;
    assert_eq!(result["actions"][0]["after"], json!({ "deleted": {}, "unfinished": true }), "{result:#}");
    assert_eq!(names(&bench, "actions").await?, before);
    let result = bench.function("migrate").start().await?.invoke(&schedule()).await?;
    assert_eq!(result["actions"][0]["after"]["deleted"]["actions"], 3, "{result:#}");
    Ok(())
}

#[tokio::test]
async fn of_a_schema_or_a_table_that_is_not_as_it_should_be_nothing_is_deleted() -> Tested {
    let bench = Bench::new("retention_schema").await?;
    fill(&bench).await?;
    let migrate = bench.function("migrate").start().await?;
    // Executions rest on the application's table.
    bench.database.execute("ALTER TABLE processing_state RENAME TO moved").await?;
    let before = names(&bench, "executions").await?;
    let result = migrate.invoke(&schedule()).await?;
    assert_eq!(texts(&result["findings"], "code"), ["table_unfit"], "{result:#}");
    assert_eq!(result["actions"][0]["after"]["deleted"]["actions"], 3, "{result:#}");
    assert_eq!(names(&bench, "executions").await?, before);

    bench.database.execute("DELETE FROM remediation.migrations WHERE version > 5").await?;
    bench.database.execute("UPDATE remediation.actions SET created_at = now() - interval '500 days'").await?;
    let result = migrate.invoke(&schedule()).await?;
    assert_eq!(result["actions"], json!([]), "the upkeep brings no new schema: {result:#}");
    let why = texts(&result["skipped"], "why");
    assert!(why[0].starts_with("nothing is deleted: the schema is at version "), "{why:?}");
    Ok(())
}

/// The rows that a node of a plan, and those below it, has read of a table of ours; what it has read from beginning to end is told by name.
fn reads(node: &Value, told: &mut Vec<String>) -> u64 {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let mut most = 0;
    if node["Schema"] == "remediation" {
        let rows =
            ["Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"].map(number).iter().sum::<f64>();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
        let read = (rows * number("Actual Loops")) as u64;
        most = read;
        let (kind, table) =
            (node["Node Type"].as_str().unwrap_or_default(), node["Relation Name"].as_str().unwrap_or_default());
        if kind.ends_with("Seq Scan") && !SMALL.contains(&table) {
            told.push(format!("{kind} of {table}"));
        }
    }
    let below = node["Plans"].as_array().into_iter().flatten().map(|node| reads(node, told)).max();
    most.max(below.unwrap_or_default())
}

/// What never grows: a row a step or a quota, what is under way, what was migrated.
const SMALL: [&str; 5] = ["admissions", "controls", "migrations", "paces", "progress"];

/// What one statement may read of a ledger, however old: a look at what is to be forgotten counts so far.
const AT_MOST: u64 = 10_000;

#[tokio::test]
async fn in_an_old_ledger_every_statement_of_every_step_finds_what_it_wants_by_index() -> Tested {
    let server = explaining().await?;
    let bench = Bench::on(&server, "old_ledger", GUIDE).await?;
    bench.insert(&[sampled()?]).await?;
    scale::fill_ledger(&bench.database, OldLedger { actions: 200_000, runs: 60_000, few: 20_000, days: 410 }).await?;
    // A start that a crash left open is looked up among the runs.
    bench
        .database
        .execute(
            "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, created_at)
             VALUES (gen_random_uuid(), gen_random_uuid(), 'triage-errors', 'start-step', 'step retry-failed-processes', 'applying', 'test',
                     now() - interval '1 hour')",
        )
        .await?;
    let aws = step_functions().await?;
    aws.answer("FilterLogEvents", json!({ "events": [] }));
    for name in functions::names()? {
        bench.database.execute("DELETE FROM remediation.leases WHERE kind = 'sample'").await?;
        worker(&aws, &bench, &name).await?;
        let function =
            bench.function(&name).envs(aws.environment()).env("DATABASE_INSTANCE_ID", "app-1").start().await?;
        for event in samples(&name)? {
            let answer = function.invoke(&sample(&name, &event)?).await;
            answer.map_err(|error| format!("{name}, {event}: {error}"))?;
        }
        if name == "control" {
            function.invoke(&json!({ "report": "7d" })).await?;
        }
    }
    let plans = plans(&server, &bench.database).await?;
    for name in functions::names()? {
        assert!(plans.iter().any(|(step, _)| *step == name), "{name}: its statements are in the log");
    }
    for (step, plan) in &plans {
        // A migration reads a table from beginning to end, but once.
        if plan["Query Text"].as_str().is_some_and(|sql| sql.contains("ALTER TABLE remediation.")) {
            continue;
        }
        let mut told = Vec::new();
        let read = reads(&plan["Plan"], &mut told);
        assert!(told.is_empty() && read <= AT_MOST, "{step}: {told:?}, {read} rows: {plan:#}");
    }
    let left: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM remediation.actions WHERE created_at < now() - interval '400 days 3 hours'",
    )
    .fetch_one(bench.database.pool())
    .await?;
    assert_eq!(left, 0, "the upkeep was among them");
    Ok(())
}
