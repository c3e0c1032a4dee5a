//! `tune-database`: it finds what makes the database slow, proposes indexes, and makes them once a person approves it.

use std::time::Duration;

use functions_tests::{BOUND, Bench, Tested, ago, findings, processing, sample, texts};
use harness::{Function, FunctionBuilder, Postgres, PostgresBuilder, eventually};
use patient::table::{self, GUIDE, PUSHED, Row, Variant};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

const OPEN: &str = "remediation_open";
const ALL: [&str; 4] = [OPEN, "remediation_closed", "remediation_progress", "idx_processing_state_user_created"];

/// With the time that Lambda gives it.
fn step(bench: &Bench) -> FunctionBuilder {
    bench.function("tune-database").timeout(Duration::from_secs(900))
}

/// On a server of its own: what others send there counts among its statements, and pushes the oldest out.
async fn alone(hint: &str, server: PostgresBuilder) -> Tested<(Postgres, Bench)> {
    let server = server.start().await?;
    let bench = Bench { database: server.database(hint).await?, variant: GUIDE };
    table::create(bench.database.pool(), &GUIDE).await?;
    bench.function("migrate").start().await?.invoke(&json!({ "all": true })).await?;
    Ok((server, bench))
}

/// The indexes of ours that the table has, valid or not.
async fn indexes(bench: &Bench) -> Tested<Vec<Value>> {
    let relation = bench.variant.spell("{processes}");
    bench
        .list(&format!(
            "SELECT jsonb_build_object('name', c.relname, 'valid', i.indisvalid) FROM pg_index i
               JOIN pg_class c ON c.oid = i.indexrelid
              WHERE i.indrelid = '{relation}'::regclass AND (c.relname LIKE 'remediation%' OR c.relname LIKE 'idx%')
              ORDER BY c.oid"
        ))
        .await
}

fn valid(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "name": name, "valid": true })).collect()
}

async fn approve(function: &Function, proposed: &Value) -> Tested<Value> {
    Ok(function.invoke(&json!({ "approve": proposed["planId"], "reason": "at night" })).await?)
}

#[tokio::test]
async fn every_week_it_proposes_and_makes_what_a_person_approves_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("tuned_{}", variant.name), variant).await?;
        bench.insert(&[processing(10), Row::pending(ago(90)).became("COMPLETED", ago(50))]).await?;
        let before = bench.table().await?;
        let function = step(&bench).start().await?;

        let proposed = function.invoke(&sample("tune-database", "schedule")?).await?;

        assert_eq!(texts(&proposed["actions"], "outcome"), ["proposed"; 4], "{}: {proposed:#}", variant.name);
        let targets: Vec<String> = ALL.iter().map(|name| format!("{}.{name}", variant.schema)).collect();
        assert_eq!(texts(&proposed["actions"], "target"), targets);
        assert_eq!(proposed["mode"], "propose");
        let statement = proposed["actions"][0]["after"]["statement"].as_str().unwrap_or_default();
        assert!(statement.starts_with("CREATE INDEX CONCURRENTLY IF NOT EXISTS remediation_open ON"), "{statement}");
        assert!(indexes(&bench).await?.is_empty() && bench.actions().await?.is_empty(), "by itself it makes none");
        let again = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(again["planId"], proposed["planId"], "it waits already");

        let done = approve(&function, &proposed).await?;

        assert_eq!(texts(&done["actions"], "outcome"), ["applied"; 4], "{}: {done:#}", variant.name);
        assert_eq!(done["verification"], "verified");
        assert_eq!(indexes(&bench).await?, valid(&ALL));
        assert_eq!(bench.table().await?, before, "no row was written");
        let idle = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(
            (&idle["actions"], texts(&idle["skipped"], "target")),
            (&json!([]), targets.iter().map(String::as_str).collect())
        );
        assert!(texts(&idle["skipped"], "why").iter().all(|why| why.starts_with("already exists")), "{idle:#}");
    }
    Ok(())
}

#[tokio::test]
async fn an_empty_event_tells_and_observing_holds_even_what_was_approved() -> Tested {
    let bench = Bench::new("tune_look").await?;
    let function = step(&bench).start().await?;
    let looked = function.invoke(&json!({})).await?;
    assert_eq!((&looked["mode"], &looked["toDoIt"]), (&json!("observe"), &json!({ "all": true })), "{looked:#}");
    assert_eq!(texts(&looked["actions"], "outcome"), ["planned"; 4]);
    let proposed = function.invoke(&json!({ "all": true })).await?;
    let observing = step(&bench).env("REMEDIATION_MODE", "observe").start().await?;
    let refused = approve(&observing, &proposed).await.err().ok_or("it was done")?.to_string();
    assert!(refused.contains("this installation only observes"), "{refused}");
    let told = observing.invoke(&json!({ "all": true })).await?;
    assert_eq!(texts(&told["actions"], "outcome"), ["planned"; 4]);
    assert!(indexes(&bench).await?.is_empty());
    let other = function.invoke(&json!({ "processId": uuid::Uuid::new_v4() })).await.err().ok_or("it was answered")?;
    assert!(other.error_message.contains("looks at the whole database"), "{other}");
    Ok(())
}

#[tokio::test]
async fn the_slowest_statements_are_told_without_anything_that_was_written_in_quotes() -> Tested {
    let (_server, bench) = alone("slowest", Postgres::builder()).await?;
    bench.insert(&[processing(10)]).await?;
    let role = format!("r{}", uuid::Uuid::new_v4().simple());
    bench
        .database
        .execute("SELECT count(*), pg_sleep(0.2) FROM processing_state WHERE user_id::text <> 'hunter2'")
        .await?;
    bench
        .database
        .execute_as_superuser(&format!(
            "CREATE ROLE {role}; ALTER ROLE {role} PASSWORD 'hunter2'; /* hunter2 */ DO $x$ BEGIN PERFORM pg_sleep(0.05), 'hunter2'; END $x$; DROP ROLE {role}"
        ))
        .await?;
    let function = step(&bench).start().await?;
    let result = function.invoke(&json!({})).await?;
    let slowest = &result["report"]["statements"]["byMean"][0];
    let query = slowest["query"].as_str().unwrap_or_default();
    assert!(query.starts_with("SELECT count(*), pg_sleep($1) FROM processing_state"), "{result:#}");
    assert!(slowest["meanMilliseconds"].as_f64().is_some_and(|mean| mean >= 200.0), "{slowest}");
    assert_eq!((&slowest["calls"], &slowest["rows"]), (&json!(1), &json!(1)));
    let by_total = texts(&result["report"]["statements"]["byTotal"], "query");
    assert!(by_total.len() <= 10 && by_total.contains(&query), "{result:#}");
    let text = texts_of(&result);
    assert!(text.contains("1 calls, 0.2 s in total, 1 rows: SELECT count(*)"), "{text}");
    assert!(text.contains("DO ?"), "the test sees utility statements: {text}");
    assert!(!result.to_string().contains("hunter2") && !function.lines().join("\n").contains("hunter2"));
    assert!(!bench.runs().await?.iter().any(|run| run.to_string().contains("hunter2")));
    assert_eq!(findings(&result), Vec::<&str>::new(), "{result:#}");
    Ok(())
}

fn texts_of(result: &Value) -> String {
    let lines = result["report"]["text"].as_array();
    lines.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn without_the_extension_or_its_library_or_rights_it_says_what_to_do_and_goes_on() -> Tested {
    let bench = Bench::new("no_extension").await?;
    bench.database.execute_as_superuser("DROP EXTENSION pg_stat_statements").await?;
    let result = step(&bench).start().await?.invoke(&json!({ "all": true })).await?;
    assert_eq!(findings(&result), ["statements_unavailable"], "{result:#}");
    let message = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("shared_preload_libraries") && message.contains("CREATE EXTENSION"), "{message}");
    assert_eq!(texts(&result["actions"], "outcome"), ["proposed"; 4], "{result:#}");

    let (_server, bench) = alone("not_preloaded", Postgres::builder().setting("shared_preload_libraries", "")).await?;
    let result = step(&bench).start().await?.invoke(&json!({ "all": true })).await?;
    assert_eq!(findings(&result), ["statements_unavailable"], "{result:#}");
    let message = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("must be loaded via"), "{message}");

    // Neither the owner nor allowed to read what others have sent.
    bench
        .database
        .execute_as_superuser(
            "CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT USAGE ON SCHEMA remediation TO plain;
             GRANT ALL ON ALL TABLES IN SCHEMA remediation, public TO plain",
        )
        .await?;
    let plain = step(&bench).env("DATABASE_URL", bench.database.url_as("plain", "plain")).start().await?;
    let result = plain.invoke(&json!({ "all": true })).await?;
    let told = ["index_not_permitted"; 4].into_iter().chain(["statements_unavailable"]).collect::<Vec<_>>();
    assert_eq!((findings(&result), &result["actions"]), (told, &json!([])), "{result:#}");
    let message = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("run as application: CREATE INDEX CONCURRENTLY")
            && message.contains("GRANT application TO plain")
    );
    Ok(())
}

#[tokio::test]
async fn statements_of_others_that_may_not_be_read_are_counted() -> Tested {
    let (_server, bench) = alone("hidden", Postgres::builder()).await?;
    bench.database.execute_as_superuser("REVOKE pg_monitor FROM application; SELECT pg_sleep(0.3)").await?;
    let result = step(&bench).start().await?.invoke(&json!({ "all": true })).await?;
    assert_eq!(findings(&result), ["statements_hidden"], "{result:#}");
    let message = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(message.ends_with("GRANT pg_read_all_stats TO application"), "{message}");
    assert!(
        texts(&result["report"]["statements"]["byTotal"], "query").contains(&"<insufficient privilege>"),
        "{result:#}"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_failed_build_left_behind_is_dropped_and_built_anew_by_one_approval() -> Tested {
    for variant in [GUIDE, PUSHED] {
        let bench = Bench::of("left_behind", variant).await?;
        bench.insert(&[processing(10)]).await?;
        let function = step(&bench).start().await?;
        let looked = function.invoke(&json!({})).await?;
        let statement = looked["actions"][0]["after"]["statement"].as_str().ok_or("no statement")?.to_owned();
        // Somebody tries it by hand, and gives up waiting.
        let mut holder = bench.database.connect().await?;
        let begin = variant.spell("BEGIN; UPDATE {processes} SET progress = progress");
        sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut holder).await?;
        let mut by_hand = bench.database.connect().await?;
        sqlx::raw_sql("SET lock_timeout = 200").execute(&mut by_hand).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut by_hand).await.err().ok_or("it was built")?;
        sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
        assert_eq!(indexes(&bench).await?, [json!({ "name": OPEN, "valid": false })]);

        let proposed = function.invoke(&json!({ "all": true })).await?;
        let kinds = ["drop-invalid-index", "create-index", "create-index", "create-index", "create-index"];
        assert_eq!(texts(&proposed["actions"], "kind"), kinds, "{proposed:#}");
        let done = approve(&function, &proposed).await?;
        assert_eq!(texts(&done["actions"], "outcome"), ["applied"; 5], "{done:#}");
        assert_eq!(indexes(&bench).await?, valid(&ALL));
    }
    Ok(())
}

#[tokio::test]
async fn an_approval_covers_nothing_that_was_not_there_when_it_was_given() -> Tested {
    let bench = Bench::new("covers").await?;
    bench.insert(&[processing(10)]).await?;
    let function = step(&bench).start().await?;
    let proposed = function.invoke(&json!({ "all": true })).await?;
    // Made meanwhile by somebody else; and one is left INVALID, which nobody has approved to drop.
    let statement = |at: usize| proposed["actions"][at]["after"]["statement"].as_str().unwrap_or_default().to_owned();
    bench.database.execute(&statement(1)).await?;
    let mut holder = bench.database.connect().await?;
    sqlx::raw_sql("BEGIN; UPDATE processing_state SET progress = progress").execute(&mut holder).await?;
    let mut by_hand = bench.database.connect().await?;
    sqlx::raw_sql("SET lock_timeout = 200").execute(&mut by_hand).await?;
    sqlx::raw_sql(AssertSqlSafe(statement(0))).execute(&mut by_hand).await.err().ok_or("it was built")?;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;

    let done = approve(&function, &proposed).await?;

    let outcomes: Vec<(&str, &str)> =
        texts(&done["actions"], "target").into_iter().zip(texts(&done["actions"], "outcome")).collect();
    assert!(outcomes.contains(&("public.remediation_open", "failed")), "{done:#}");
    assert_eq!(outcomes.iter().filter(|(_, outcome)| *outcome == "applied").count(), 2, "{done:#}");
    assert!(
        done["actions"][0]["reason"].as_str().is_some_and(|why| why.contains("has to be dropped first")),
        "{done:#}"
    );
    // What could not be made stays in the plan, and comes to the same.
    let twice = approve(&function, &proposed).await?;
    assert_eq!(
        (texts(&twice["actions"], "target"), texts(&twice["actions"], "outcome")),
        (vec!["public.remediation_open"], vec!["failed"]),
        "{twice:#}"
    );
    let next = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(texts(&next["actions"], "kind"), ["drop-invalid-index", "create-index"], "{next:#}");
    Ok(())
}

#[tokio::test]
async fn while_the_table_is_altered_nothing_is_begun_and_a_new_plan_does_it_later() -> Tested {
    let bench = Bench::new("altered_now").await?;
    let function = step(&bench).start().await?;
    let mut holder = bench.database.connect().await?;
    sqlx::raw_sql("BEGIN; LOCK TABLE processing_state IN SHARE UPDATE EXCLUSIVE MODE").execute(&mut holder).await?;
    let proposed = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(
        (findings(&proposed), texts(&proposed["actions"], "outcome")),
        (vec!["build_would_wait"], vec!["proposed"; 4])
    );
    let refused = approve(&function, &proposed).await?;
    assert_eq!(texts(&refused["actions"], "outcome"), ["failed"; 4], "{refused:#}");
    assert!(
        texts(&refused["actions"], "reason")
            .iter()
            .all(|why| why.contains("altering, vacuuming or indexing the table"))
    );
    assert_eq!(refused["verification"], "failed");
    assert!(indexes(&bench).await?.is_empty());
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
    let proposed = function.invoke(&json!({ "all": true })).await?;
    let done = approve(&function, &proposed).await?;
    assert_eq!(texts(&done["actions"], "outcome"), ["applied"; 4], "{done:#}");
    Ok(())
}

#[tokio::test]
async fn a_build_goes_on_without_the_container_that_began_it_and_is_recorded_by_a_later_run() -> Tested {
    let bench = Bench::new("container_dies").await?;
    bench.insert(&[processing(10)]).await?;
    let function = std::sync::Arc::new(step(&bench).start().await?);
    let proposed = function.invoke(&json!({ "all": true })).await?;
    // It holds the build up, and the build holds nothing up.
    let mut holder = bench.database.connect().await?;
    sqlx::raw_sql("BEGIN; UPDATE processing_state SET progress = progress").execute(&mut holder).await?;
    let (approving, event) = (function.clone(), json!({ "approve": proposed["planId"] }));
    let approving = tokio::spawn(async move { approving.invoke(&event).await });
    let progress = "SELECT to_jsonb(p) FROM pg_stat_progress_create_index p WHERE datname = current_database()";
    let building = || async { bench.list(progress).await.ok().filter(|all| !all.is_empty()).map(drop) };
    eventually(BOUND, "the build to begin", building).await?;
    let pid = function.process_id().ok_or("no process")?.to_string();
    std::process::Command::new("kill").args(["-9", &pid]).status()?;
    approving.await?.err().ok_or("it answered")?;

    // Another container sees it, and keeps off.
    let another = step(&bench).start().await?;
    let seen = another.invoke(&json!({ "all": true })).await?;
    let why = texts(&seen["skipped"], "why");
    assert!(why.len() == 1 && why[0].contains("is building it"), "{seen:#}");
    assert!(!texts(&seen["actions"], "target").contains(&"public.remediation_open"), "{seen:#}");

    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
    let made = || async { (indexes(&bench).await.ok()? == valid(&[OPEN])).then_some(()) };
    eventually(BOUND, "the build to end", made).await?;
    another.invoke(&json!({})).await?;
    assert_eq!(bench.actions().await?[0]["outcome"], "applying", "a container may still be at it");
    bench.database.execute("UPDATE remediation.actions SET created_at = now() - interval '17 minutes', alive_until = now() - interval '1 minute'").await?;
    another.invoke(&json!({})).await?;
    let entry = &bench.actions().await?[0];
    assert_eq!((&entry["outcome"], &entry["after"]["valid"]), (&json!("applied"), &json!(true)), "{entry:#}");
    Ok(())
}

#[tokio::test]
async fn what_was_made_is_taken_away_by_an_undo() -> Tested {
    let bench = Bench::of("tune_undo", PUSHED).await?;
    let function = step(&bench).start().await?;
    let proposed = function.invoke(&json!({ "all": true })).await?;
    let done = approve(&function, &proposed).await?;
    let undone = function.invoke(&json!({ "undo": done["actions"][0]["id"] })).await?;
    assert_eq!(texts(&undone["actions"], "outcome"), ["applied"], "{undone:#}");
    assert_eq!(indexes(&bench).await?, valid(&ALL[1..]));
    let left = function.invoke(&json!({ "all": true })).await?;
    assert!(texts(&left["skipped"], "why").iter().any(|why| why.contains("a person undid")), "{left:#}");
    assert_eq!(left["actions"], json!([]), "{left:#}");
    Ok(())
}

#[tokio::test]
async fn other_peoples_invalid_indexes_and_tables_that_are_read_whole_are_told_and_left() -> Tested {
    let bench = Bench::new("others").await?;
    let mut holder = bench.database.connect().await?;
    sqlx::raw_sql("BEGIN; LOCK TABLE goals IN ROW EXCLUSIVE MODE").execute(&mut holder).await?;
    let mut by_hand = bench.database.connect().await?;
    sqlx::raw_sql("SET lock_timeout = 200").execute(&mut by_hand).await?;
    let theirs = "CREATE INDEX CONCURRENTLY \"Theirs\" ON goals (title)";
    sqlx::raw_sql(theirs).execute(&mut by_hand).await.err().ok_or("it was built")?;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
    let mut reader = bench.database.connect().await?;
    sqlx::raw_sql("CREATE TABLE large AS SELECT generate_series(1, 20000) AS n").execute(&mut reader).await?;
    for _ in 0..100 {
        sqlx::raw_sql("SELECT count(*) FROM large").execute(&mut reader).await?;
    }
    sqlx::raw_sql("SELECT pg_stat_force_next_flush()").execute(&mut reader).await?;
    let function = step(&bench).start().await?;
    let result = function.invoke(&json!({})).await?;
    assert_eq!(findings(&result), ["invalid_index", "sequential_scans"], "{result:#}");
    assert_eq!(texts(&result["findings"], "target"), ["public.\"Theirs\"", "public.large"], "{result:#}");
    let message = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(message.ends_with("DROP INDEX CONCURRENTLY public.\"Theirs\""), "{message}");
    assert_eq!(result["findings"][1]["evidence"]["rows"], 20_000, "{result:#}");
    assert!(texts(&result["actions"], "kind").iter().all(|kind| *kind == "create-index"));
    Ok(())
}
