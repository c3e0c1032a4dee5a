//! A person at the console: what may be asked by hand, and what it comes to.

use functions_tests::{
    Bench, Tested, ago, execution_arn, findings, listed, output, processing, scripted, status_event, texts,
};
use harness::{Aws, AwsProxy, Failure, eventually};
use patient::table::{Row, Variant};
use serde_json::{Value, json};
use uuid::Uuid;

/// Open rows whose executions timed out, as ListExecutions tells.
pub async fn timed_out(bench: &Bench, count: usize) -> Tested<(Vec<Row>, AwsProxy)> {
    let rows: Vec<Row> = (0..count).map(|_| processing(701)).collect();
    bench.insert(&rows).await?;
    let list: Vec<Value> = rows.iter().map(|row| listed(row.id, "TIMED_OUT", ago(700), Some(ago(100)))).collect();
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": list }));
    Ok((rows, aws))
}

#[tokio::test]
async fn an_empty_event_looks_at_everything_changes_nothing_and_tells_the_event_that_would() -> Tested {
    let bench = Bench::new("empty_event").await?;
    let (_, aws) = timed_out(&bench, 2).await?;
    let before = bench.table().await?;
    for step in ["reconcile-processes", "sync-execution-status", "fail-timed-out-processes"] {
        let function =
            bench.function(step).envs(aws.environment()).env("PROCESS_DEADLINE_SECONDS", "300").start().await?;
        let result = function.invoke(&json!({})).await?;
        assert_eq!(result["mode"], "observe", "{step}: {result:#}");
        assert_eq!(texts(&result["actions"], "outcome"), ["planned"; 2], "{step}: {result:#}");
        let after = &result["actions"][0]["after"];
        assert_eq!((&after["status"], &after["error"]["code"]), (&json!("FAILED"), &json!("TIMEOUT_ERROR")), "{step}");
        assert_eq!(result["toDoIt"], json!({ "all": true }), "{step}");
        assert_eq!(bench.table().await?, before, "{step}");
    }
    assert!(bench.actions().await?.is_empty());
    // What it told does it.
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    function.invoke(&json!({ "all": true })).await?;
    assert_eq!(bench.count("FAILED").await?, 2);
    Ok(())
}

#[tokio::test]
async fn observing_leaves_the_database_unchanged_whatever_is_asked() -> Tested {
    let bench = Bench::new("observing").await?;
    let (rows, aws) = timed_out(&bench, 2).await?;
    let before = bench.table().await?;
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let started = ago(700);
    let asks = [
        json!({ "all": true, "mode": "observe" }),
        json!({ "processId": rows[0].id, "mode": "observe" }),
        json!({ "schedule": "by-hand", "mode": "observe" }),
        json!({ "mode": "observe" }),
    ];
    for ask in asks {
        let result = function.invoke(&ask).await?;
        assert!(!texts(&result["actions"], "outcome").is_empty(), "{ask}: {result:#}");
        assert!(texts(&result["actions"], "outcome").iter().all(|outcome| *outcome == "planned"), "{ask}: {result:#}");
        assert!(result["toDoIt"].is_object(), "{ask}: {result:#}");
    }
    let sync = bench.function("sync-execution-status").env("REMEDIATION_MODE", "observe").start().await?;
    let event = status_event(rows[0].id, "FAILED", started, Some(ago(100)), &json!({ "error": "AI_ERROR" }));
    let result = sync.invoke(&event).await?;
    assert_eq!(result["toDoIt"], json!({ "processId": rows[0].id }), "{result:#}");
    assert_eq!(bench.table().await?, before);
    assert!(bench.actions().await?.is_empty());
    // What would have been done can be read afterwards, change by change; and nothing waits for anybody.
    let wanted = bench.list("SELECT to_jsonb(w) FROM remediation.wanted w").await?;
    assert!(wanted.iter().all(|wanted| wanted["mode"] == "observe" && wanted["why"].is_string()), "{wanted:#?}");
    for row in &rows {
        let of_row =
            wanted.iter().find(|wanted| wanted["target"] == json!(row.id)).ok_or("nothing is wanted of the row")?;
        assert_eq!((&of_row["before"]["status"], &of_row["after"]["status"]), (&json!("PROCESSING"), &json!("FAILED")));
    }
    assert!(bench.runs().await?.iter().all(|run| run["mode"] == "observe" && run["applied"] == 0));
    Ok(())
}

#[tokio::test]
async fn one_execution_can_be_named_and_the_reason_is_kept() -> Tested {
    let bench = Bench::new("by_execution").await?;
    let (rows, aws) = timed_out(&bench, 1).await?;
    let arn = execution_arn(rows[0].id, ago(700));
    // DescribeExecution tells the rest.
    let told = functions_tests::description(
        rows[0].id,
        "FAILED",
        ago(700),
        Some(ago(100)),
        &json!({ "executionArn": arn, "error": "AI_ERROR", "cause": "x" }),
    );
    aws.answer("DescribeExecution", told);
    let function = bench.function("sync-execution-status").envs(aws.environment()).start().await?;
    let result = function.invoke(&json!({ "executionArn": arn, "reason": "ticket 4711" })).await?;
    assert_eq!(bench.row(rows[0].id).await?.error.unwrap_or_default()["code"], "AI_ERROR", "{result:#}");
    let run = &bench.runs().await?[0];
    assert_eq!((&run["reason"], &run["trigger"]["executionArn"]), (&json!("ticket 4711"), &json!(arn)));
    assert_eq!(run["id"], bench.actions().await?[0]["run_id"]);
    Ok(())
}

#[tokio::test]
async fn a_limit_is_the_most_that_is_done() -> Tested {
    let bench = Bench::new("limit").await?;
    let (_, aws) = timed_out(&bench, 5).await?;
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let result = function.invoke(&json!({ "all": true, "limit": 2 })).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"; 2], "{result:#}");
    assert_eq!(texts(&result["skipped"], "why"), ["over the requested limit of 2"; 3]);
    assert_eq!(bench.count("FAILED").await?, 2);
    Ok(())
}

#[tokio::test]
async fn asking_for_more_than_is_configured_gives_less() -> Tested {
    let bench = Bench::new("more").await?;
    let (rows, aws) = timed_out(&bench, 1).await?;
    for (configured, becomes) in [("observe", "planned"), ("propose", "proposed")] {
        let function = bench
            .function("reconcile-processes")
            .envs(aws.environment())
            .env("REMEDIATION_MODE", configured)
            .start()
            .await?;
        let result = function.invoke(&json!({ "all": true, "mode": "act" })).await?;
        assert_eq!(
            (&result["mode"], &result["actions"][0]["outcome"]),
            (&json!(configured), &json!(becomes)),
            "{result:#}"
        );
    }
    assert_eq!(bench.row(rows[0].id).await?, rows[0]);
    // What was proposed is approved by a person, but not where the installation only observes.
    let plan = bench.list("SELECT to_jsonb(id) FROM remediation.plans WHERE mode = 'propose'").await?[0].clone();
    let observing = bench.function("reconcile-processes").env("REMEDIATION_MODE", "observe").start().await?;
    let refused = observing.invoke(&json!({ "approve": plan })).await.err().ok_or("approved while observing")?;
    assert!(refused.error_message.contains("raise REMEDIATION_MODE to propose or act first"), "{refused}");
    let proposing = bench
        .function("reconcile-processes")
        .envs(aws.environment())
        .env("REMEDIATION_MODE", "propose")
        .start()
        .await?;
    let done = proposing.invoke(&json!({ "approve": plan })).await?;
    assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");
    Ok(())
}

#[tokio::test]
async fn a_plan_that_may_not_be_done_yet_can_still_be_approved_later() -> Tested {
    let bench = Bench::new("approve_observe").await?;
    let (rows, aws) = timed_out(&bench, 1).await?;
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let plan = function.invoke(&json!({ "all": true, "mode": "propose" })).await?["planId"].clone();
    let strict = bench.function("reconcile-processes").envs(aws.environment()).env("APPROVAL_REQUIRES_BY", "true");
    let function = strict.start().await?;
    let refused = function.invoke(&json!({ "approve": plan })).await.err().ok_or("nobody answers for it")?;
    assert!(refused.error_message.contains("send it again with `\"by\": \"<your name>\"`"), "{refused}");
    let looked = function.invoke(&json!({ "approve": plan, "by": "anna", "mode": "observe" })).await?;
    assert_eq!(looked["actions"][0]["outcome"], "planned", "{looked:#}");
    assert_eq!(bench.row(rows[0].id).await?, rows[0]);
    let done = function.invoke(&json!({ "approve": plan, "by": "anna" })).await?;
    assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");
    Ok(())
}

#[tokio::test]
async fn a_row_change_is_undone_in_every_variant_of_the_table() -> Tested {
    for variant in Variant::ALL {
        let bench = Bench::of(&format!("undo_{}", variant.name), variant).await?;
        let row = Row { error: Some(json!({ "code": "EARLIER" })), progress: 40, ..processing(91) };
        bench.insert(std::slice::from_ref(&row)).await?;
        let aws = scripted().await?;
        aws.answer("ListExecutions", json!({ "executions": [] }));
        let sync = bench.function("sync-execution-status").envs(aws.environment()).start().await?;
        let output = output(&json!({ "goals": [] }));
        let event = status_event(row.id, "SUCCEEDED", ago(90), Some(ago(30)), &json!({ "output": output }));
        let done = sync.invoke(&event).await?;
        assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");

        let undone = sync.invoke(&json!({ "undo": done["actions"][0]["id"], "reason": "wrong" })).await?;

        let after = bench.row(row.id).await?;
        assert!(after.updated_at > row.updated_at);
        // What the variant does not have, it cannot give back.
        assert_eq!(
            Row { updated_at: row.updated_at, user_id: row.user_id, ..after },
            row,
            "{}: {undone:#}",
            variant.name
        );
        assert_eq!(
            (&undone["actions"][0]["kind"], &undone["actions"][0]["outcome"]),
            (&json!("undo"), &json!("applied"))
        );
        let ledger = bench.actions().await?;
        assert_eq!((&ledger[1]["undo_of"], &ledger[1]["reason"]), (&ledger[0]["id"], &json!("wrong")), "{ledger:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_person_undid_is_left_alone_by_events_and_sweeps() -> Tested {
    let bench = Bench::new("undone").await?;
    let row = processing(701);
    bench.insert(std::slice::from_ref(&row)).await?;
    let sync = bench.function("sync-execution-status").start().await?;
    let event = status_event(row.id, "FAILED", ago(700), Some(ago(600)), &json!({ "error": "AI_ERROR", "cause": "x" }));
    let id = sync.invoke(&event).await?["actions"][0]["id"].clone();
    sync.invoke(&json!({ "undo": id })).await?;
    let before = bench.table().await?;
    // Long enough ago, so that nothing but the undo speaks for leaving it.
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    let sweep = bench
        .function("reconcile-processes")
        .envs(aws.environment())
        .env("SETTLE_SECONDS", "0")
        .env("START_DEADLINE_SECONDS", "0")
        .start()
        .await?;
    let again = bench.function("sync-execution-status").env("START_DEADLINE_SECONDS", "0").start().await?;
    for result in [sweep.invoke(&json!({ "schedule": "s" })).await?, again.invoke(&event).await?] {
        assert_eq!(
            texts(&result["skipped"], "why"),
            ["not changed: a person undid the last change less than 24 h ago (alarms on it may continue until then)"],
            "{result:#}"
        );
    }
    assert_eq!(bench.table().await?, before);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_undone_is_refused_and_left_as_it_is() -> Tested {
    let bench = Bench::new("undo_refused").await?;
    let row = processing(701);
    bench.insert(std::slice::from_ref(&row)).await?;
    let sync = bench.function("sync-execution-status").start().await?;
    let event = status_event(row.id, "FAILED", ago(700), Some(ago(600)), &json!({ "error": "AI_ERROR", "cause": "x" }));
    let id = sync.invoke(&event).await?["actions"][0]["id"].clone();
    // Somebody has written the row since: their word stands.
    bench.database.execute("UPDATE processing_state SET progress = 99").await?;
    let before = bench.table().await?;
    let result = sync.invoke(&json!({ "undo": id })).await?;
    assert_eq!(
        (&result["actions"][0]["outcome"], &result["verification"]),
        (&json!("failed"), &json!("failed")),
        "{result:#}"
    );
    assert!(
        result["actions"][0]["reason"].as_str().is_some_and(|why| why.contains("the row has changed since")),
        "{result:#}"
    );
    assert_eq!(bench.table().await?, before);
    bench.database.execute("UPDATE processing_state SET progress = 0").await?;
    sync.invoke(&json!({ "undo": id })).await?;
    let undo = bench.actions().await?[1]["id"].clone();

    let stop = Uuid::new_v4();
    sqlx::query(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason)
         VALUES ($1, $1, 'fail-timed-out-processes', 'stop-execution', 'arn', 'applied', 'past its deadline')",
    )
    .bind(stop)
    .execute(bench.database.pool())
    .await?;
    let cases = [
        (id, "already undone by action"),
        (undo, "an undo cannot be undone"),
        (json!(stop), "a stopped execution cannot be resumed; start the work again"),
        (json!(Uuid::new_v4()), "no such action or run in the ledger; see `actions[].id` or `runId` of a result"),
    ];
    for (id, why) in cases {
        let refused = sync.invoke(&json!({ "undo": id })).await.err().ok_or("it was undone")?;
        assert_eq!(refused.error_type, "Refused");
        assert!(refused.error_message.contains(why), "{why}: {refused}");
    }
    Ok(())
}

#[tokio::test]
async fn an_undo_is_a_persons_word_where_steps_only_propose_and_not_where_they_only_observe() -> Tested {
    let bench = Bench::new("undo_modes").await?;
    let row = processing(701);
    bench.insert(std::slice::from_ref(&row)).await?;
    let acting = bench.function("sync-execution-status").start().await?;
    let event = status_event(row.id, "FAILED", ago(700), Some(ago(600)), &json!({ "error": "AI_ERROR", "cause": "x" }));
    let id = acting.invoke(&event).await?["actions"][0]["id"].clone();
    let before = bench.table().await?;
    let observing = bench.function("sync-execution-status").env("REMEDIATION_MODE", "observe").start().await?;
    let told = observing.invoke(&json!({ "undo": id })).await?;
    assert_eq!(
        (&told["actions"][0]["outcome"], &told["toDoIt"]),
        (&json!("planned"), &json!({ "undo": id })),
        "{told:#}"
    );
    assert_eq!(bench.table().await?, before);
    let proposing = bench.function("sync-execution-status").env("REMEDIATION_MODE", "propose").start().await?;
    let done = proposing.invoke(&json!({ "undo": id })).await?;
    assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");
    assert_eq!(bench.row(row.id).await?.status, "PROCESSING");
    Ok(())
}

#[tokio::test]
async fn people_are_told_of_a_sweeps_changes_in_one_message_with_the_way_back() -> Tested {
    let bench = Bench::new("told").await?;
    let (rows, list) = timed_out(&bench, 3).await?;
    let aws = Aws::shared().await?;
    let sns = aws_sdk_sns::Client::new(aws.sdk_config());
    let name = format!("told-{}", &rows[0].id.to_string()[..8]);
    let topic = sns.create_topic().name(&name).send().await?.topic_arn.ok_or("no topic")?;
    let queue = aws.sqs().create_queue().queue_name(&name).send().await?.queue_url.ok_or("no queue")?;
    let arn = format!("arn:aws:sqs:ap-northeast-1:000000000000:{name}");
    sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn).send().await?;
    // Only the list is scripted: the messages go to the real topic.
    let proxy = AwsProxy::start(&aws.endpoint()).await?;
    drop(list);
    let told: Vec<Value> = rows.iter().map(|row| listed(row.id, "TIMED_OUT", ago(700), Some(ago(100)))).collect();
    proxy.answer("ListExecutions", json!({ "executions": told }));
    let with_topic = |step: &str| bench.function(step).envs(proxy.environment()).env("NOTIFY_TOPIC_ARN", &topic);

    // One process that its own event has put right wakes nobody.
    let sync = with_topic("sync-execution-status").start().await?;
    sync.invoke(&status_event(rows[0].id, "TIMED_OUT", ago(700), Some(ago(100)), &json!({}))).await?;
    assert_eq!(proxy.calls("Publish"), 0);
    let result = with_topic("reconcile-processes").start().await?.invoke(&json!({ "schedule": "s" })).await?;
    assert_eq!(proxy.calls("Publish"), 1);
    let message = eventually(functions_tests::BOUND, "the message", || async {
        let body = aws.sqs().receive_message().queue_url(&queue).send().await.ok()?.messages?.pop()?.body?;
        let body: Value = serde_json::from_str(&body).ok()?;
        let urgency = body["MessageAttributes"]["urgency"]["Value"].clone();
        Some((body["Subject"].as_str()?.to_owned(), body["Message"].as_str()?.to_owned(), urgency))
    })
    .await?;
    assert_eq!((message.0.as_str(), &message.2), ("[reconcile-processes] act", &json!("normal")));
    for action in result["actions"].as_array().ok_or("no actions")? {
        let id = action["id"].as_str().unwrap_or_default();
        assert!(message.1.contains("PROCESSING → FAILED") && message.1.contains(id), "{}", message.1);
    }
    Ok(())
}

#[tokio::test]
async fn a_run_stands_even_if_nobody_could_be_told() -> Tested {
    let bench = Bench::new("not_told").await?;
    let (_, aws) = timed_out(&bench, 1).await?;
    aws.fail("Publish", Failure::error("AuthorizationError").status(403));
    let topic = "arn:aws:sns:ap-northeast-1:000000000000:people";
    let function =
        bench.function("reconcile-processes").envs(aws.environment()).env("NOTIFY_TOPIC_ARN", topic).start().await?;
    let result = function.invoke(&json!({ "schedule": "s" })).await?;
    assert_eq!(findings(&result), ["not_told"], "{result:#}");
    assert_eq!(result["findings"][0]["target"], topic);
    assert_eq!(bench.count("FAILED").await?, 1);
    assert_eq!(functions_tests::metrics(&function).await?["NotificationsFailed"], 1.0);
    Ok(())
}

#[tokio::test]
async fn an_approval_that_asks_for_less_than_to_act_is_refused() -> Tested {
    let bench = Bench::new("approve_propose").await?;
    let (rows, aws) = timed_out(&bench, 1).await?;
    let function = bench.function("reconcile-processes").envs(aws.environment()).start().await?;
    let plan = function.invoke(&json!({ "all": true, "mode": "propose" })).await?["planId"].clone();
    let refused = function.invoke(&json!({ "approve": plan, "mode": "propose" })).await.err().ok_or("it acted")?;
    assert_eq!(
        refused.error_message,
        "`mode` is \"propose\"; it must be left out with `approve`, which carries the plan out, or \"observe\" for a look"
    );
    assert_eq!(bench.row(rows[0].id).await?, rows[0]);
    let done = function.invoke(&json!({ "approve": plan, "mode": "act" })).await?;
    assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");
    Ok(())
}

#[tokio::test]
async fn a_mistake_in_a_japanese_installation_is_answered_and_recorded_in_japanese() -> Tested {
    let bench = Bench::new("japanese").await?;
    let function = bench.function("reconcile-processes").env("TEXT_LANGUAGE", "ja").start().await?;
    for (event, told) in [
        (
            json!({ "all": true, "processID": 1 }),
            "不明なフィールド `processID`。運用者のイベントに指定できるもの: all, ",
        ),
        (
            json!({ "all": true, "limit": 0 }),
            "`limit` が不正: 0。指定できるもの: 1 以上の整数。何も変更しない場合はモード `observe` を送る",
        ),
        (
            json!({ "approve": Uuid::nil(), "mode": "propose" }),
            "`mode` が不正: \"propose\"。指定できるもの: `approve` と併用する場合は省略",
        ),
        (json!({ "processId": Uuid::nil() }), "`processId` "),
    ] {
        let refused = function.invoke(&event).await.err().ok_or("it is refused")?;
        assert!(refused.error_message.starts_with(told) && !refused.error_message.is_ascii(), "{event}: {refused}");
    }
    let recorded = bench.runs().await?.pop().ok_or("the last one is recorded")?;
    assert!(recorded["error"].as_str().is_some_and(|error| !error.is_ascii()), "{recorded:#}");
    // What AWS and PostgreSQL say stays as it is, in a sentence of ours.
    bench.insert(&[processing(701)]).await?;
    let looked = function.invoke(&json!({ "all": true, "mode": "observe" })).await?;
    assert!(looked["findings"].to_string().contains("関数から AWS への経路"), "{looked:#}");
    let url = bench.database.url_through(1, "application", "x");
    let nowhere = bench.function("reconcile-processes").env("TEXT_LANGUAGE", "ja").env("DATABASE_URL", url);
    let down = nowhere.start().await?.invoke(&json!({})).await.err().ok_or("there is no database")?;
    let told = ["データベースのエラー（接続）: ", "接続できない。データベースの稼働状態"];
    assert!(told.iter().all(|told| down.error_message.contains(told)), "{down}");
    Ok(())
}
