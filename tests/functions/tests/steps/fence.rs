//! The fence, as an operator has it put up and taken away: the events of the real `migrate`; and an ORM that meets it.

use functions_tests::{Bench, Tested, ago, findings, logged, output, processing, sample, status_event, texts};
use patient::Orm;
use patient::table::{self, EARLY, ELSEWHERE, GUIDE, MIGRATED, PUSHED, Row, Variant};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// What the application's worker writes as it goes on, and how many rows that reaches.
async fn advance(bench: &Bench, id: Uuid) -> Tested<u64> {
    let sql = bench.variant.spell(include_str!("../../../patient/sql/advance.sql"));
    let update = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(90_i16);
    Ok(update.execute(bench.database.pool()).await?.rows_affected())
}

async fn refused(bench: &Bench) -> Tested<Vec<Value>> {
    bench.list("SELECT to_jsonb(r) FROM remediation.refused_writes r ORDER BY id").await
}

async fn stands(bench: &Bench) -> Tested<bool> {
    let triggers = bench.list("SELECT to_jsonb(tgname) FROM pg_trigger WHERE tgname = 'remediation_fence'").await?;
    Ok(triggers.len() == 1)
}

#[tokio::test]
async fn an_operator_puts_it_up_and_takes_it_away_in_every_complete_variant() -> Tested {
    for variant in [GUIDE, MIGRATED, PUSHED] {
        let bench = Bench::of(&format!("fence_{}", variant.name), variant).await?;
        let migrate = bench.function("migrate").start().await?;
        let looked = migrate.invoke(&json!({})).await?;
        assert_eq!(looked["report"]["fence"], "absent", "{looked:#}");

        let done = migrate.invoke(&sample("migrate", "operator-fence-install")?).await?;
        assert_eq!(texts(&done["actions"], "kind"), ["install-fence"], "{done:#}");
        assert_eq!((&done["actions"][0]["outcome"], &done["verification"]), (&json!("applied"), &json!("verified")));
        assert_eq!(done["actions"][0]["before"], json!({ "fence": "absent" }));
        assert_eq!(done["actions"][0]["after"], json!({ "fence": "installed" }));
        assert!(stands(&bench).await?);

        // A step closes the row; its worker, which knows nothing of that, goes on.
        let row = processing(91);
        bench.insert(std::slice::from_ref(&row)).await?;
        let sync = bench.function("sync-execution-status").start().await?;
        let event =
            status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR", "cause": "x" }));
        sync.invoke(&event).await?;
        let closed = bench.row(row.id).await?;
        assert_eq!((advance(&bench, row.id).await?, bench.row(row.id).await?), (1, closed));
        let records = refused(&bench).await?;
        assert_eq!((&records[0]["process_id"], &records[0]["why"]), (&json!(row.id), &json!("closed-by-remediation")));

        // Once more is already so, and so is every deployment.
        let again = migrate.invoke(&json!({ "fence": "install" })).await?;
        assert_eq!(texts(&again["skipped"], "why"), ["already installed: the fence is up to date"], "{again:#}");
        let deployed = migrate.invoke(&sample("migrate", "deployment")?).await?;
        assert_eq!((&deployed["actions"], findings(&deployed)), (&json!([]), vec![]), "{deployed:#}");

        let gone = migrate.invoke(&json!({ "fence": "remove", "reason": "ticket 4711" })).await?;
        assert_eq!(texts(&gone["actions"], "kind"), ["remove-fence"], "{gone:#}");
        assert!(!stands(&bench).await?);
        assert_eq!(advance(&bench, row.id).await?, 1);
        assert_eq!(refused(&bench).await?, records, "what was refused stays on record");
        let again = migrate.invoke(&sample("migrate", "operator-fence-remove")?).await?;
        assert_eq!(texts(&again["skipped"], "why"), ["already removed: there is no fence"], "{again:#}");

        let ledger = bench
            .list("SELECT to_jsonb(a) FROM remediation.actions a WHERE step = 'migrate' ORDER BY created_at")
            .await?;
        let told: Vec<_> = ledger.iter().map(|entry| (entry["kind"].as_str(), entry["outcome"].as_str())).collect();
        assert_eq!(told, [(Some("install-fence"), Some("applied")), (Some("remove-fence"), Some("applied"))]);
        assert_eq!(ledger[1]["reason"], "an operator asked for the fence to be removed — ticket 4711");
        logged(&migrate, |line| line.contains("install-fence") && line.contains("ledger entry")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_deployment_neither_puts_it_up_nor_takes_it_away_and_tells_what_is_outdated() -> Tested {
    let bench = Bench::new("fence_deployment").await?;
    let migrate = bench.function("migrate").start().await?;
    migrate.invoke(&sample("migrate", "deployment")?).await?;
    assert!(!stands(&bench).await?);
    migrate.invoke(&json!({ "fence": "install" })).await?;
    bench.database.execute("COMMENT ON FUNCTION remediation.fence() IS 'md5:of an older build'").await?;
    for event in [json!({ "all": true }), json!({})] {
        let told = migrate.invoke(&event).await?;
        assert_eq!(findings(&told), ["fence_outdated"], "{told:#}");
        assert!(told["findings"][0]["message"].as_str().is_some_and(|told| told.contains(r#"{"fence": "install"}"#)));
        assert_eq!(told["actions"], json!([]), "{told:#}");
    }
    let renewed = migrate.invoke(&json!({ "fence": "install" })).await?;
    assert_eq!(renewed["actions"][0]["before"], json!({ "fence": "outdated" }), "{renewed:#}");
    assert_eq!(findings(&migrate.invoke(&json!({ "all": true })).await?), Vec::<&str>::new());
    Ok(())
}

#[tokio::test]
async fn the_installations_mode_binds_it_although_it_does_not_bind_the_schema() -> Tested {
    let bench = Bench::new("fence_observe").await?;
    let configured = async |mode: &str| bench.function("migrate").env("REMEDIATION_MODE", mode).start().await;
    let acting = configured("act").await?;
    for (function, event) in [
        (&configured("observe").await?, json!({ "fence": "install" })),
        (&configured("observe").await?, json!({ "fence": "install", "mode": "act" })),
        (&configured("propose").await?, json!({ "fence": "install" })),
        (&acting, json!({ "fence": "install", "mode": "observe" })),
    ] {
        let told = function.invoke(&event).await?;
        assert_eq!(texts(&told["actions"], "outcome"), ["planned"], "{event}: {told:#}");
        assert_eq!(told["actions"][0]["after"], json!({ "fence": "installed" }));
        assert_eq!(told["toDoIt"], json!({ "fence": "install" }), "{told:#}");
        assert!(!stands(&bench).await?, "{event}");
    }
    // What it names does it.
    acting.invoke(&json!({ "fence": "install" })).await?;
    assert!(stands(&bench).await?);
    let told = configured("observe").await?.invoke(&json!({ "fence": "remove" })).await?;
    assert_eq!(texts(&told["actions"], "outcome"), ["planned"], "{told:#}");
    assert!(stands(&bench).await?);
    Ok(())
}

#[tokio::test]
async fn without_the_schema_it_makes_that_first() -> Tested {
    let database = harness::Postgres::shared().await?.database("fence_first").await?;
    table::create(database.pool(), &MIGRATED).await?;
    let bench = Bench { database, variant: MIGRATED };
    let migrate = bench.function("migrate").start().await?;
    let told = migrate.invoke(&json!({ "fence": "install", "mode": "observe" })).await?;
    assert_eq!(texts(&told["actions"], "kind"), ["migrate", "install-fence"], "{told:#}");
    let gone = migrate.invoke(&json!({ "fence": "remove" })).await?;
    assert_eq!((&gone["actions"], gone["skipped"].as_array().map(Vec::len)), (&json!([]), Some(1)), "{gone:#}");
    let done = migrate.invoke(&json!({ "fence": "install" })).await?;
    assert_eq!(texts(&done["actions"], "outcome"), ["applied", "applied"], "{done:#}");
    assert!(stands(&bench).await?);
    Ok(())
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_the_field_and_its_values() -> Tested {
    let bench = Bench::new("fence_refused").await?;
    let migrate = bench.function("migrate").start().await?;
    let values = r#"it must be "install" or "remove""#;
    for (event, told) in [
        (json!({ "fence": "up" }), values),
        (json!({ "fence": true }), values),
        (json!({ "fence": null }), values),
        (json!({ "fence": "install", "processId": Uuid::new_v4() }), "migrate works on the whole schema"),
        (json!({ "fence": "install", "approve": Uuid::new_v4() }), "exclude each other"),
    ] {
        let refused = migrate.invoke(&event).await.err().ok_or("it was taken")?;
        assert!(refused.error_message.contains(told) && refused.error_message.contains("fence"), "{event}: {refused}");
    }
    // No other step knows the word.
    let other = bench.function("reconcile-processes").start().await?;
    let refused = other.invoke(&json!({ "fence": "install" })).await.err().ok_or("it was taken")?;
    assert!(refused.error_message.contains("fence"), "{refused}");
    assert!(!stands(&bench).await?);
    Ok(())
}

#[tokio::test]
async fn a_table_that_cannot_tell_a_retry_gets_none_and_one_that_is_unfit_can_lose_its() -> Tested {
    for variant in [EARLY, ELSEWHERE] {
        let bench = Bench::of("fence_incomplete", variant).await?;
        let migrate = bench.function("migrate").start().await?;
        let refused = migrate.invoke(&json!({ "fence": "install" })).await.err().ok_or("it was installed")?;
        assert_eq!(refused.error_type, "TableMismatch");
        assert!(
            refused.error_message.contains("retry_count") && refused.error_message.contains("not installed"),
            "{refused}"
        );
        assert!(!stands(&bench).await?);
    }
    let bench = Bench::new("fence_unfit").await?;
    bench.function("migrate").start().await?.invoke(&json!({ "fence": "install" })).await?;
    bench.database.execute("ALTER TABLE processing_state DROP COLUMN error").await?;
    let migrate = bench.function("migrate").start().await?;
    let refused = migrate.invoke(&json!({ "fence": "install" })).await.err().ok_or("it was installed")?;
    assert!(refused.error_message.contains("has no column `error`"), "{refused}");
    let told = migrate.invoke(&json!({})).await?;
    assert_eq!(findings(&told), ["table_unfit", "fence_outdated"], "{told:#}");
    migrate.invoke(&json!({ "fence": "remove" })).await?;
    assert!(!stands(&bench).await?);
    Ok(())
}

#[tokio::test]
async fn rows_are_put_right_and_taken_back_behind_it_as_before() -> Tested {
    for variant in [GUIDE, MIGRATED, PUSHED] {
        let bench: Bench = Bench::of("fence_behind", variant).await?;
        bench.function("migrate").start().await?.invoke(&json!({ "fence": "install" })).await?;
        let sync = bench.function("sync-execution-status").start().await?;
        let row = Row { error: Some(json!({ "code": "EARLIER" })), progress: 40, ..processing(91) };
        bench.insert(std::slice::from_ref(&row)).await?;
        // Closed as timed out; then its success comes late, and is taken back.
        let event = |status: &str, detail: &Value| status_event(row.id, status, ago(90), Some(ago(1)), detail);
        let closed = sync.invoke(&status_event(row.id, "TIMED_OUT", ago(90), Some(ago(60)), &json!({}))).await?;
        assert_eq!(closed["actions"][0]["outcome"], "applied", "{closed:#}");
        let success = event("SUCCEEDED", &json!({ "output": output(&json!({ "goals": [] })), "redriveCount": 1 }));
        let late = sync.invoke(&success).await?;
        assert_eq!(bench.row(row.id).await?.status, "COMPLETED", "{late:#}");
        let undone = sync.invoke(&json!({ "undo": late["actions"][0]["id"] })).await?;
        assert_eq!(
            (&undone["actions"][0]["outcome"], &undone["verification"]),
            (&json!("applied"), &json!("verified"))
        );
        assert_eq!(bench.row(row.id).await?.status, "FAILED");
        assert!(refused(&bench).await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn an_orm_takes_a_refused_statement_for_a_written_one() -> Tested {
    for variant in [GUIDE, MIGRATED, PUSHED] {
        let bench = Bench::of("fence_orm", variant).await?;
        bench.function("migrate").start().await?.invoke(&json!({ "fence": "install" })).await?;
        let sync = bench.function("sync-execution-status").start().await?;
        let (closed, cancelled) = (processing(91), processing(91));
        bench.insert(&[closed.clone(), cancelled.clone()]).await?;
        let url = bench.database.url();
        let reads = async |row: &Row| Orm::reads(&url, &bench.variant, row.id).await;
        let (mut worker, mut handler) = (reads(&closed).await?, reads(&cancelled).await?);
        let mut late = reads(&cancelled).await?;

        // We close the row, and its worker goes on.
        let event =
            status_event(closed.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR", "cause": "x" }));
        sync.invoke(&event).await?;
        let before = bench.row(closed.id).await?;
        assert_eq!(before.status, "FAILED");
        for what in ["progress", "complete"] {
            assert_eq!(worker.writes(what).await?, Orm::WRITTEN, "{what}, {}", variant.name);
        }
        assert_eq!(bench.row(closed.id).await?, before);

        // A user's cancel is two statements, and the worker's success comes after both.
        assert_eq!(handler.writes("cancel").await?, Orm::WRITTEN, "{}", variant.name);
        assert_eq!(late.writes("complete").await?, Orm::WRITTEN, "{}", variant.name);
        let row = bench.row(cancelled.id).await?;
        let reason = json!({ "code": "CANCELLED", "message": "the user changed their mind" });
        assert_eq!((row.status.as_str(), row.error, row.result), ("CANCELLED", Some(reason), None));
        let processes: Vec<_> = refused(&bench).await?.iter().map(|write| write["process_id"].clone()).collect();
        assert_eq!(processes, [json!(closed.id), json!(closed.id), json!(cancelled.id)]);

        // A fence that left no row to be counted would be a fault to it.
        let sql = "CREATE FUNCTION skips() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                   CREATE TRIGGER skips BEFORE UPDATE ON {processes} FOR EACH ROW EXECUTE FUNCTION skips()";
        bench.database.execute(&variant.spell(sql)).await?;
        let told = reads(&closed).await?.writes("progress").await?;
        assert!(told.starts_with("StaleDataError"), "{told}");
    }
    Ok(())
}

/// Every variant is either fenced here or refused.
#[test]
fn no_variant_is_forgotten() {
    assert_eq!(Variant::ALL, [GUIDE, MIGRATED, PUSHED, EARLY, ELSEWHERE]);
}
