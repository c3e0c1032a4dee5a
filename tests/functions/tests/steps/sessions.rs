//! `relieve-database`: what hangs in the database is ended, and nothing else is.
//!
//! Sessions cannot be made older than they are, so the ages are set to nothing. The server is shared with other tests: what these do in
//! their databases may be told here, and is never ended.

use functions_tests::{BOUND, Bench, Tested, findings, sample, scripted, texts};
use harness::{FunctionBuilder, Postgres, eventually};
use patient::Session;
use patient::table::{GUIDE, Row};
use serde_json::{Value, json};

const APPLICATION: &str = "ai-generation-worker";

/// The step, for which everything is over its age at once but a statement.
fn step(bench: &Bench) -> FunctionBuilder {
    let ages = [("IDLE_IN_TRANSACTION_SECONDS", "0"), ("BLOCKING_SECONDS", "0"), ("LONG_QUERY_SECONDS", "86400")];
    bench.function("relieve-database").envs(ages)
}

/// A row, and a session of the application that has written it and went no further.
async fn hanging(bench: &Bench, application: &str) -> Tested<(Session, String)> {
    let row = Row::pending(chrono::Utc::now());
    bench.insert(std::slice::from_ref(&row)).await?;
    let update =
        format!("UPDATE processing_state SET progress = progress + 1, error = '\"secret\"' WHERE id = '{}'", row.id);
    let session = Session::open(&bench.database.url(), application).await?.after("BEGIN").await?.after(&update).await?;
    Ok((session, update))
}

/// A session that waits for others.
async fn waiting(bench: &Bench, sql: &str) -> Tested<(i32, tokio::task::JoinHandle<(Session, sqlx::Result<()>)>)> {
    let session = Session::open(&bench.database.url(), APPLICATION).await?;
    let pid = session.pid();
    let sent = session.send(sql);
    until(bench, pid, "wait_event_type = 'Lock'").await?;
    Ok((pid, sent))
}

/// Waits until PostgreSQL says this of a session.
async fn until(bench: &Bench, pid: i32, what: &str) -> Tested {
    let sql = format!("SELECT to_jsonb(pid) FROM pg_stat_activity WHERE pid = {pid} AND {what}");
    let seen = || async { (!bench.list(&sql).await.ok()?.is_empty()).then_some(()) };
    Ok(eventually(BOUND, format!("session {pid} to be {what}"), seen).await?)
}

async fn is_there(bench: &Bench, pid: i32) -> Tested<bool> {
    Ok(!bench.list(&format!("SELECT to_jsonb(pid) FROM pg_stat_activity WHERE pid = {pid}")).await?.is_empty())
}

/// Why a session was left.
fn left(result: &Value, pid: i32) -> Option<&str> {
    let skipped = result["skipped"].as_array()?.iter();
    let of_it = |target: &str| target.starts_with(&format!("session {pid} of "));
    skipped.filter(|skipped| skipped["target"].as_str().is_some_and(of_it)).find_map(|skipped| skipped["why"].as_str())
}

#[tokio::test]
async fn a_write_that_waits_gets_through_once_the_session_that_hangs_is_ended() -> Tested {
    for event in ["alarm-blocked-sessions", "schedule", "operator-all"] {
        let bench = Bench::new("blocked").await?;
        let (hanging, update) = hanging(&bench, APPLICATION).await?;
        let (pid, waits) = waiting(&bench, &update).await?;
        let function = step(&bench).start().await?;
        // An operator's look ends nothing, and says what would be.
        let told = function.invoke(&json!({})).await?;
        assert_eq!((texts(&told["actions"], "outcome"), &told["toDoIt"]), (vec!["planned"], &json!({ "all": true })));

        let result = function.invoke(&sample("relieve-database", event)?).await?;

        assert_eq!(
            (&result["verification"], result["actions"].as_array().map(Vec::len)),
            (&json!("verified"), Some(1))
        );
        let action = &result["actions"][0];
        assert_eq!(
            (&action["kind"], &action["outcome"]),
            (&json!("terminate-session"), &json!("applied")),
            "{result:#}"
        );
        assert!(
            action["target"]
                .as_str()
                .is_some_and(|target| target.starts_with(&format!("session {} of ", hanging.pid())))
        );
        assert!(action["reason"].as_str().is_some_and(|reason| reason.contains("1 blocked behind it")));
        assert_eq!((&action["after"]["session"], &action["after"]["stillWaiting"]), (&json!("gone"), &json!([])));
        assert_eq!(
            (&action["before"]["waiters"], &action["before"]["application"]),
            (&json!([pid]), &json!(APPLICATION))
        );
        waits.await?.1?;
        let rows = bench.table().await?;
        assert_eq!(rows[0]["progress"], 1, "what hung was rolled back, what waited is there");
        let ledger = bench.actions().await?;
        assert_eq!(
            (ledger.len(), &ledger[0]["outcome"], &ledger[0]["cause"]),
            (1, &json!("applied"), &json!("blocks"))
        );
        let text = result["report"]["text"].to_string();
        assert!(text.contains(&format!("{} {APPLICATION} (idle in transaction", hanging.pid())), "{text}");
        assert!(text.contains(&format!("└ {pid} {APPLICATION} (waiting for")), "{text}");
        // Nothing that the application wrote is anywhere of ours.
        let ours = [result.to_string(), json!(ledger).to_string(), json!(bench.runs().await?).to_string()];
        assert!(!ours.join("").contains("secret") && !function.lines().join("").contains("secret"));
        let again = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(again["actions"], json!([]), "{again:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_statement_that_outlives_its_cancel_loses_its_session_at_a_later_look() -> Tested {
    let bench = Bench::new("cancelled").await?;
    let (hanging, update) = hanging(&bench, APPLICATION).await?;
    let pid = hanging.pid();
    let stubborn = hanging.send(
        "DO $$ BEGIN LOOP
             BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN query_canceled THEN NULL; END;
         END LOOP; END $$",
    );
    until(&bench, pid, "wait_event = 'PgSleep'").await?;
    let (_, waits) = waiting(&bench, &update).await?;
    let function = step(&bench).start().await?;

    let first = function.invoke(&json!({ "all": true })).await?;
    assert_eq!((&first["actions"][0]["kind"], &first["verification"]), (&json!("cancel-query"), &json!("unverified")));
    let reason = first["actions"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("after the signal was sent: the next run checks again"), "{reason}");
    // It has a minute to let go.
    let second = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(second["actions"], json!([]), "{second:#}");
    assert!(left(&second, pid).is_some_and(|why| why.contains("handled only recently")), "{second:#}");
    bench.database.execute("UPDATE remediation.actions SET created_at = created_at - interval '61 s'").await?;

    let third = function.invoke(&json!({ "all": true })).await?;

    assert_eq!(
        (&third["actions"][0]["kind"], &third["verification"]),
        (&json!("terminate-session"), &json!("verified"))
    );
    let reason = third["actions"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("was already cancelled, but the transaction is still open"), "{reason}");
    assert!(stubborn.await?.1.is_err());
    waits.await?.1?;
    Ok(())
}

#[tokio::test]
async fn a_statement_that_runs_for_too_long_is_cancelled_and_its_session_stays() -> Tested {
    let bench = Bench::new("long_statement").await?;
    let session = Session::open(&bench.database.url(), APPLICATION).await?;
    let pid = session.pid();
    let running = session.send("SELECT pg_sleep(3600)");
    until(&bench, pid, "wait_event = 'PgSleep'").await?;
    let function = step(&bench).env("LONG_QUERY_SECONDS", "0").start().await?;
    let result = function.invoke(&sample("relieve-database", "schedule")?).await?;
    let action = &result["actions"][0];
    assert_eq!((&action["kind"], &action["after"]["session"]), (&json!("cancel-query"), &json!("idle")), "{result:#}");
    let (mut session, ended) = running.await?;
    assert!(ended.is_err_and(|error| error.to_string().contains("canceling statement due to user request")));
    session.run("SELECT 1").await?;
    Ok(())
}

#[tokio::test]
async fn sessions_of_others_are_told_and_never_ended() -> Tested {
    let bench = Bench::new("others").await?;
    let (psql, update) = hanging(&bench, "psql").await?;
    let (_, waits) = waiting(&bench, &update).await?;
    let function = step(&bench).start().await?;
    for event in [json!({ "all": true }), json!({ "pid": psql.pid() })] {
        let result = function.invoke(&event).await?;
        assert_eq!((&result["actions"], &result["mode"]), (&json!([]), &json!("act")), "{result:#}");
        let why = "its application name `psql` is not in DATABASE_APPLICATION_NAMES";
        assert_eq!(left(&result, psql.pid()), Some(why), "{result:#}");
        let finding = result["findings"].as_array().into_iter().flatten().find(|it| it["code"] == "application_left");
        assert_eq!(finding.map(|finding| &finding["target"]), Some(&json!("application psql")), "{result:#}");
    }
    assert!(is_there(&bench, psql.pid()).await? && !waits.is_finished());
    // Where the installation says so, they are its own.
    let named = step(&bench).env("DATABASE_APPLICATION_NAMES", "api, psql").start().await?;
    let result = named.invoke(&json!({ "all": true })).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"], "{result:#}");
    waits.await?.1?;
    Ok(())
}

#[tokio::test]
async fn a_person_may_name_a_session_and_its_age_does_not_count_then() -> Tested {
    let bench = Bench::new("named").await?;
    let aws = scripted().await?;
    let topic = "arn:aws:sns:ap-northeast-1:000000000000:people";
    let function = bench.function("relieve-database").envs(aws.environment()).env("NOTIFY_TOPIC_ARN", topic);
    let function = function.start().await?;
    let (hanging, _) = hanging(&bench, APPLICATION).await?;
    let pid = hanging.pid();
    let all = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(all["actions"], json!([]), "it is young: {all:#}");
    let told = function.invoke(&json!({ "pid": pid, "mode": "observe" })).await?;
    assert_eq!(texts(&told["actions"], "outcome"), ["planned"], "{told:#}");
    assert_eq!(told["toDoIt"], json!({ "pid": pid }), "{told:#}");
    assert!(is_there(&bench, pid).await?);
    assert_eq!(aws.calls("Publish"), 0);

    let done = function.invoke(&json!({ "pid": pid, "reason": "its function was killed" })).await?;

    assert_eq!((texts(&done["actions"], "outcome"), &done["verification"]), (vec!["applied"], &json!("verified")));
    assert_eq!(bench.actions().await?[0]["cause"], "asked");
    assert!(aws.calls("Publish") > 0, "people are told of every session that is ended");
    assert!(!is_there(&bench, pid).await?);
    let again = function.invoke(&json!({ "pid": pid })).await?;
    assert_eq!(again["actions"], json!([]));
    assert_eq!(texts(&again["skipped"], "why"), ["no such session: it has already ended, or the pid is wrong"]);
    let undo = function.invoke(&json!({ "undo": done["actions"][0]["id"] })).await.err().ok_or("it was undone")?;
    assert!(undo.error_message.contains("was rolled back and cannot be restored"), "{undo}");
    for (event, told) in [
        (json!({ "pid": 0 }), "`pid` is 0; it must be a whole number from 1 to 2147483647"),
        (json!({ "pid": "1234" }), "`pid` is \"1234\"; it must be a whole number"),
        (json!({ "processId": uuid::Uuid::nil() }), "looks at the sessions of the database, not at a process"),
    ] {
        let refused = function.invoke(&event).await.err().ok_or(format!("{event} was taken"))?;
        assert!(refused.error_message.contains(told), "{event}: {refused}");
    }
    Ok(())
}

#[tokio::test]
async fn an_approval_is_for_one_transaction_and_not_for_the_next_one_of_the_same_session() -> Tested {
    let bench = Bench::new("approved").await?;
    let function = step(&bench).env("REMEDIATION_MODE", "propose").start().await?;
    for moves_on in [true, false] {
        let (mut hanging, update) = hanging(&bench, APPLICATION).await?;
        let (_, waits) = waiting(&bench, &update).await?;
        let proposed = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(texts(&proposed["actions"], "outcome"), ["proposed"], "{proposed:#}");
        if moves_on {
            hanging.run("COMMIT").await?;
            waits.await?.1?;
            hanging.run("BEGIN").await?;
            hanging.run(&update).await?;
            let (_, waits) = waiting(&bench, &update).await?;
            let approved = function.invoke(&json!({ "approve": proposed["planId"] })).await?;
            assert_eq!(approved["actions"], json!([]), "{approved:#}");
            assert!(is_there(&bench, hanging.pid()).await?);
            hanging.run("ROLLBACK").await?;
            waits.await?.1?;
        } else {
            let approved = function.invoke(&json!({ "approve": proposed["planId"] })).await?;
            assert_eq!(texts(&approved["actions"], "outcome"), ["applied"], "{approved:#}");
            waits.await?.1?;
        }
    }
    Ok(())
}

/// A server with nine connections for everybody and two for those who may use the reserved ones.
async fn small() -> Tested<Postgres> {
    let sizes = [("max_connections", "12"), ("superuser_reserved_connections", "1"), ("reserved_connections", "2")];
    let builder = sizes.into_iter().fold(Postgres::builder(), |builder, (name, value)| builder.setting(name, value));
    Ok(builder.start().await?)
}

#[tokio::test]
async fn when_nobody_gets_in_any_more_it_does_by_its_reserved_connection_and_makes_room() -> Tested {
    let server = small().await?;
    let bench = Bench::on(&server, "exhausted", GUIDE).await?;
    bench
        .database
        .execute_as_superuser(
            "CREATE ROLE relief LOGIN PASSWORD 'relief-password' IN ROLE application, pg_use_reserved_connections",
        )
        .await?;
    // From here on, the test's own pool would take what has become free.
    bench.database.pool().close().await;
    let url = bench.database.url_as("relief", "relief-password");
    let function = step(&bench).env("DATABASE_URL", &url).start().await?;
    let ordinary = step(&bench).start().await?;
    let mut held = Vec::new();
    let refused = loop {
        match Session::open(&bench.database.url(), APPLICATION).await {
            Ok(session) => held.push(session.after("BEGIN").await?.after("SELECT 1").await?),
            Err(error) => break error.to_string(),
        }
    };
    assert!(refused.contains("remaining connection slots are reserved"), "{refused}");
    assert!(held.len() >= 4, "{}", held.len());

    // Who may not use the reserved ones says what is missing.
    let error = ordinary.invoke(&json!({ "all": true })).await.err().ok_or("it got in")?;
    for words in ["GRANT pg_use_reserved_connections", "rds.rds_superuser_reserved_connections", "reserved_connections"]
    {
        assert!(error.error_message.contains(words), "{error}");
    }

    let result = function.invoke(&sample("relieve-database", "alarm-database-connections")?).await?;

    // Ten are used, its own with them, of nine; seven are 80 %.
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"; 3], "{result:#}");
    assert_eq!((&result["verification"], findings(&result)), (&json!("verified"), vec!["connections_scarce"]));
    let message = result["findings"][0]["message"].as_str().unwrap_or_default();
    let (used, most) = ("10 of 9 connections in use", format!("{APPLICATION} {}", held.len()));
    assert!(message.contains(used) && message.contains(&most) && message.contains("connection_limit"), "{message}");
    assert_eq!(result["actions"][2]["after"]["connectionsUsed"], 7, "{result:#}");
    // Somebody who may use no reserved connection gets in again.
    let mut plain = Session::open(&bench.database.url(), "plain").await?;
    plain.run("SELECT 1").await?;
    for (at, session) in held.iter_mut().enumerate() {
        assert_eq!(session.run("COMMIT").await.is_ok(), at >= 3, "the oldest three, not number {at}");
    }
    Ok(())
}
