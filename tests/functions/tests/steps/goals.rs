//! `repair-goal-status`: what a permanently failed process works for.

use functions_tests::{Bench, Tested, ago, description, findings, processing, scripted, status_event, texts};
use harness::FunctionBuilder;
use patient::goals::{self, Goal};
use patient::table::{EARLY, ELSEWHERE, GUIDE, MIGRATED, PUSHED, Row};
use serde_json::{Value, json};
use uuid::Uuid;

fn step(bench: &Bench) -> FunctionBuilder {
    bench.function("repair-goal-status")
}

/// A goal with a finished and an open sub-goal, and a process that worked for it and has failed with this code.
async fn failed(bench: &Bench, status: &str, code: &str) -> Tested<(Goal, Row)> {
    let goal = Goal::new(status, &[100, 40]);
    goal.insert(bench.database.pool(), &bench.variant).await?;
    let row = of(&goal, code);
    bench.insert(std::slice::from_ref(&row)).await?;
    Ok((goal, row))
}

/// A process that worked for a goal's open sub-goal.
fn of(goal: &Goal, code: &str) -> Row {
    let error = Some(json!({ "code": code, "message": "x" }));
    Row { target_id: Some(goal.sub_goals[1].id), error, ..processing(91).became("FAILED", ago(30)) }
}

/// The event of the end of its execution.
fn ended(row: &Row, status: &str, error: &str) -> Value {
    status_event(row.id, status, ago(90), Some(ago(30)), &json!({ "error": error, "cause": "AI generation failed" }))
}

async fn status(bench: &Bench, goal: &Goal) -> Tested<String> {
    Ok(goals::status(bench.database.pool(), &bench.variant, goal.id).await?.ok_or("the goal is gone")?)
}

#[tokio::test]
async fn a_completed_goal_with_open_work_is_set_active_and_put_back_by_an_undo() -> Tested {
    for variant in [GUIDE, MIGRATED, PUSHED] {
        let bench = Bench::of(variant.name, variant).await?;
        let (goal, row) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
        let processes = bench.table().await?;
        let function = step(&bench).start().await?;
        let event = ended(&row, "FAILED", "ProcessingFailed");

        let result = function.invoke(&event).await?;

        assert_eq!(status(&bench, &goal).await?, "ACTIVE", "{}: {result:#}", variant.name);
        assert_eq!((findings(&result), &result["verification"]), (vec!["goal_inconsistent"], &json!("verified")));
        let action = &result["actions"][0];
        assert_eq!((&action["kind"], &action["target"]), (&json!("set-goal-status"), &json!(goal.id)), "{result:#}");
        assert_eq!((&action["before"]["status"], &action["after"]["status"]), (&json!("COMPLETED"), &json!("ACTIVE")));
        let why = "the goal is COMPLETED but has open work: sub-goals 1, actions 1, processes 0";
        assert_eq!(action["reason"], why, "{result:#}");
        let ledger = bench.actions().await?;
        assert_eq!((ledger.len(), &ledger[0]["outcome"], &ledger[0]["id"]), (1, &json!("applied"), &action["id"]));

        // The event comes twice, or a person looks again: there is nothing left to do.
        for again in [&event, &json!({ "processId": row.id }), &json!({ "all": true })] {
            let again = function.invoke(again).await?;
            assert_eq!((&again["actions"], &again["findings"]), (&json!([]), &json!([])), "{again:#}");
            assert_eq!(texts(&again["skipped"], "why"), ["the goal is ACTIVE"], "{again:#}");
        }

        let undone = function.invoke(&json!({ "undo": action["id"], "reason": "it was meant so" })).await?;
        assert_eq!(undone["actions"][0]["outcome"], "applied", "{undone:#}");
        assert_eq!(status(&bench, &goal).await?, "COMPLETED");
        // A person has decided: it is left alone for a day.
        let after = function.invoke(&event).await?;
        let left =
            "not changed: a person undid the last change less than 24 h ago (alarms on it may continue until then)";
        assert_eq!(texts(&after["skipped"], "why"), [left], "{after:#}");
        assert_eq!(status(&bench, &goal).await?, "COMPLETED");
        assert_eq!(bench.table().await?, processes, "the processes themselves are nobody's business here");
    }
    Ok(())
}

#[tokio::test]
async fn a_goal_that_a_person_put_off_or_gave_up_is_told_and_set_active_only_by_hand() -> Tested {
    for before in ["PAUSED", "CANCELLED"] {
        let bench = Bench::of("by_hand", MIGRATED).await?;
        let (goal, row) = failed(&bench, before, "VALIDATION_ERROR").await?;
        let function = step(&bench).start().await?;
        let activate = json!({ "processId": row.id, "activate": true });
        for event in [ended(&row, "FAILED", "ProcessingFailed"), json!({ "all": true }), json!({ "processId": row.id })]
        {
            let result = function.invoke(&event).await?;
            assert_eq!((findings(&result), &result["actions"]), (vec!["goal_inconsistent"], &json!([])), "{result:#}");
            assert_eq!(result["findings"][0]["evidence"]["toDoIt"], activate, "{result:#}");
            let message = result["findings"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains(before) && message.contains(&activate.to_string()), "{message}");
            assert_eq!(status(&bench, &goal).await?, before);
        }
        let mut observed = activate.clone();
        observed["mode"] = "observe".into();
        let told = function.invoke(&observed).await?;
        assert_eq!((&told["actions"][0]["outcome"], &told["toDoIt"]), (&json!("planned"), &activate), "{told:#}");
        assert_eq!(status(&bench, &goal).await?, before);

        let done = function.invoke(&activate).await?;

        assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");
        assert_eq!(status(&bench, &goal).await?, "ACTIVE");
        assert_eq!(bench.actions().await?[0]["cause"], "asked");
        function.invoke(&json!({ "undo": done["actions"][0]["id"] })).await?;
        assert_eq!(status(&bench, &goal).await?, before);
        // To take it back was no attempt: there are two a day.
        let again = function.invoke(&activate).await?;
        assert_eq!(texts(&again["actions"], "outcome"), ["applied"], "{again:#}");
    }
    Ok(())
}

#[tokio::test]
async fn what_may_not_be_asked_is_refused_with_what_may() -> Tested {
    let bench = Bench::new("activate_refused").await?;
    let (goal, row) = failed(&bench, "PAUSED", "VALIDATION_ERROR").await?;
    let function = step(&bench).start().await?;
    let arn = functions_tests::execution_arn(row.id, ago(90));
    let elsewhere = arn.replace("ai-processing", "another-machine");
    let mut of_another = ended(&row, "FAILED", "ProcessingFailed");
    of_another["detail"]["executionArn"] = elsewhere.clone().into();
    let beside = "`activate` is true without a `processId`; it must be beside a `processId`";
    for (event, told) in [
        (json!({ "activate": true }), beside),
        (json!({ "activate": true, "all": true }), beside),
        (json!({ "activate": true, "executionArn": arn }), beside),
        (json!({ "activate": false, "processId": row.id }), "`activate` is false; it must be true, or left out"),
        (json!({ "activate": "yes", "processId": row.id }), "`activate` is \"yes\"; it must be true, or left out"),
        (json!({ "activate": null, "processId": row.id }), "`activate` is null; it must be true, or left out"),
        (json!({ "activate": true, "approve": Uuid::new_v4() }), "`approve` and `activate` exclude each other"),
        (json!({ "processId": Uuid::nil() }), "table public.processing_state has no such row"),
        (json!({ "executionArn": elsewhere }), "this installation looks after"),
        (of_another, "this installation looks after"),
    ] {
        let refused = function.invoke(&event).await.err().ok_or(format!("{event} was taken"))?;
        assert!(refused.error_message.contains(told), "{event}: {refused}");
    }
    assert_eq!(status(&bench, &goal).await?, "PAUSED");
    Ok(())
}

#[tokio::test]
async fn a_failure_that_may_pass_is_left_to_a_retry_unless_a_person_asks() -> Tested {
    let bench = Bench::new("transient").await?;
    let (goal, row) = failed(&bench, "COMPLETED", "AI_ERROR").await?;
    let function = step(&bench).start().await?;
    let left = function.invoke(&ended(&row, "FAILED", "ProcessingFailed")).await?;
    let why = "this failure (AI_ERROR) may be temporary: left to a retry";
    assert_eq!((texts(&left["skipped"], "why"), findings(&left)), (vec![why], vec![]), "{left:#}");
    let swept = function.invoke(&json!({ "all": true })).await?;
    assert_eq!((&swept["actions"], &swept["skipped"]), (&json!([]), &json!([])), "{swept:#}");
    assert_eq!(status(&bench, &goal).await?, "COMPLETED");
    let asked = function.invoke(&json!({ "processId": row.id })).await?;
    assert_eq!(asked["actions"][0]["outcome"], "applied", "{asked:#}");
    Ok(())
}

#[tokio::test]
async fn as_long_as_the_row_is_open_the_event_tells_whether_the_failure_is_permanent() -> Tested {
    // (how the execution ended, its error, what its last failed task said, whether the goal is set ACTIVE)
    for (ending, error, task, acts) in [
        ("FAILED", Some("VALIDATION_ERROR"), None, true),
        ("FAILED", Some("AI_ERROR"), None, false),
        ("FAILED", Some("ProcessingFailed"), Some("VALIDATION_ERROR"), true),
        ("FAILED", Some("ProcessingFailed"), Some("AI_ERROR"), false),
        ("TIMED_OUT", None, None, false),
        ("ABORTED", Some("ManualCancellation"), None, true),
        ("ABORTED", Some("RemediationTimeout"), None, false),
    ] {
        let bench = Bench::new("open_row").await?;
        let goal = Goal::new("COMPLETED", &[100, 40]);
        goal.insert(bench.database.pool(), &bench.variant).await?;
        let row = Row { target_id: Some(goal.id), ..processing(91) };
        bench.insert(std::slice::from_ref(&row)).await?;
        let aws = scripted().await?;
        let failed = json!({
            "timestamp": 1_764_000_000.0, "type": "LambdaFunctionFailed", "id": 5, "previousEventId": 4,
            "lambdaFunctionFailedEventDetails": { "error": task, "cause": "x" },
        });
        aws.answer("GetExecutionHistory", json!({ "events": [failed] }));
        let detail = json!({ "error": error, "cause": error.map(|_| "x") });
        let event = status_event(row.id, ending, ago(90), Some(ago(30)), &detail);
        let function = step(&bench).envs(aws.environment()).start().await?;

        let result = function.invoke(&event).await?;

        let becomes = if acts { "ACTIVE" } else { "COMPLETED" };
        assert_eq!(status(&bench, &goal).await?, becomes, "{ending} {error:?} {task:?}: {result:#}");
        assert_eq!(aws.calls("*"), usize::from(task.is_some()), "{ending} {error:?}: {:?}", aws.counts());
        assert_eq!(bench.row(row.id).await?, row);
        let known = bench.list("SELECT to_jsonb(e) FROM remediation.executions e").await?;
        assert!(known.is_empty(), "to remember executions is another step's: {known:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_failed_process_itself_is_no_open_work_of_its_goal() -> Tested {
    let bench = Bench::new("itself").await?;
    let goal = Goal::new("COMPLETED", &[100]);
    goal.insert(bench.database.pool(), &bench.variant).await?;
    let row = Row { target_id: Some(goal.id), ..processing(91) };
    bench.insert(std::slice::from_ref(&row)).await?;
    let function = step(&bench).start().await?;
    let result = function.invoke(&ended(&row, "FAILED", "VALIDATION_ERROR")).await?;
    let why = "the goal is COMPLETED and has no open work";
    assert_eq!(texts(&result["skipped"], "why"), [why], "{result:#}");
    // Another one is.
    let other = Row { target_id: Some(goal.sub_goals[0].id), ..Row::pending(ago(5)) };
    bench.insert(std::slice::from_ref(&other)).await?;
    let result = function.invoke(&ended(&row, "FAILED", "VALIDATION_ERROR")).await?;
    assert_eq!(result["findings"][0]["evidence"]["open"]["processes"], 1, "{result:#}");
    assert_eq!(status(&bench, &goal).await?, "ACTIVE");
    Ok(())
}

#[tokio::test]
async fn an_event_without_its_words_or_its_process_asks_the_execution() -> Tested {
    let bench = Bench::new("wordless").await?;
    let (goal, row) = failed(&bench, "COMPLETED", "STEP_FUNCTIONS_ERROR").await?;
    let aws = scripted().await?;
    let told = json!({ "error": "Lambda.ServiceException", "cause": "x" });
    aws.answer("DescribeExecution", description(row.id, "FAILED", ago(90), Some(ago(30)), &told));
    let function = step(&bench).envs(aws.environment()).start().await?;
    let mut event = status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "input": null }));
    let left = function.invoke(&event).await?;
    let why = "this failure (STEP_FUNCTIONS_ERROR) may be temporary: left to a retry";
    assert_eq!(texts(&left["skipped"], "why"), [why], "{left:#}");

    // Neither input nor name tell the process; the execution's own input does.
    let arn = functions_tests::arn_of(functions_tests::STATE_MACHINE_ARN, "nightly");
    let told = json!({ "error": "States.Runtime", "cause": "x", "executionArn": arn });
    aws.answer("DescribeExecution", description(row.id, "FAILED", ago(90), Some(ago(30)), &told));
    event["detail"]["executionArn"] = arn.clone().into();
    let done = function.invoke(&event).await?;
    assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");
    assert_eq!(status(&bench, &goal).await?, "ACTIVE");

    // Nobody knows it.
    let told = json!({ "error": "States.Runtime", "cause": "x", "executionArn": arn, "input": "{}" });
    aws.answer("DescribeExecution", description(row.id, "FAILED", ago(90), Some(ago(30)), &told));
    let unknown = function.invoke(&event).await?;
    assert_eq!(texts(&unknown["skipped"], "target"), [arn.as_str()], "{unknown:#}");
    let missing = function.invoke(&ended(&processing(91), "FAILED", "VALIDATION_ERROR")).await?;
    assert!(texts(&missing["skipped"], "why")[0].contains("has no row"), "{missing:#}");
    Ok(())
}

#[tokio::test]
async fn an_execution_that_was_overtaken_by_another_says_nothing_any_more() -> Tested {
    let bench = Bench::new("overtaken").await?;
    let goal = Goal::new("COMPLETED", &[40]);
    goal.insert(bench.database.pool(), &bench.variant).await?;
    let row = Row { target_id: Some(goal.id), ..processing(91) };
    bench.insert(std::slice::from_ref(&row)).await?;
    let sync = bench.function("sync-execution-status").start().await?;
    sync.invoke(&status_event(row.id, "RUNNING", ago(20), None, &json!({}))).await?;
    let result = step(&bench).start().await?.invoke(&ended(&row, "FAILED", "VALIDATION_ERROR")).await?;
    let why = texts(&result["skipped"], "why");
    assert!(why.len() == 1 && why[0].ends_with("was started after this failure"), "{result:#}");
    assert_eq!(status(&bench, &goal).await?, "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn a_target_that_is_gone_and_orphans_are_told() -> Tested {
    for variant in [GUIDE, MIGRATED, PUSHED] {
        let bench = Bench::of("orphans", variant).await?;
        let (goal, row) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
        let (_, of_action) = failed(&bench, "ACTIVE", "VALIDATION_ERROR").await?;
        let aimless = Row { target_id: Some(Uuid::new_v4()), ..row.clone() };
        let aimless = Row { id: Uuid::new_v4(), ..aimless };
        bench.insert(std::slice::from_ref(&aimless)).await?;
        // Only an installation without foreign keys can lose a parent.
        let sub_goal = of_action.target_id.ok_or("no target")?;
        bench
            .database
            .execute(&variant.spell(&format!(
                "ALTER TABLE {{schema}}.goals DROP CONSTRAINT goals_pkey CASCADE;
                 ALTER TABLE {{schema}}.sub_goals DROP CONSTRAINT sub_goals_pkey CASCADE;
                 DELETE FROM {{schema}}.goals WHERE id = '{}'; DELETE FROM {{schema}}.sub_goals WHERE id = '{sub_goal}'",
                goal.id
            )))
            .await?;
        let function = step(&bench).start().await?;

        let gone = function.invoke(&ended(&aimless, "FAILED", "ProcessingFailed")).await?;
        assert_eq!((findings(&gone), &gone["findings"][0]["target"]), (vec!["target_gone"], &json!(aimless.id)));
        assert_eq!(gone["findings"][0]["evidence"]["targetId"], json!(aimless.target_id), "{gone:#}");

        let orphan = function.invoke(&ended(&row, "FAILED", "ProcessingFailed")).await?;
        assert_eq!((findings(&orphan), &orphan["findings"][0]["target"]), (vec!["orphan"], &json!(row.target_id)));
        let evidence = json!({ "table": "sub_goals", "missing": goal.id, "processId": row.id });
        assert_eq!(orphan["findings"][0]["evidence"], evidence, "{orphan:#}");

        // A sub-goal that is gone is both: the process's target, and the parent of actions that are left.
        let both = function.invoke(&ended(&of_action, "FAILED", "ProcessingFailed")).await?;
        assert_eq!(findings(&both), ["target_gone", "orphan"], "{both:#}");

        let all = function.invoke(&json!({})).await?;
        let mut codes = findings(&all);
        codes.sort_unstable();
        assert_eq!(codes, ["orphan", "orphan", "target_gone", "target_gone"], "{all:#}");
        assert!(bench.actions().await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn an_installation_without_goals_or_without_targets_is_told_so_and_nothing_else_happens() -> Tested {
    let dropped = Bench::new("dropped").await?;
    dropped.database.execute("DROP TABLE actions, sub_goals, goals").await?;
    let benches = [
        (dropped, "public.goals, public.sub_goals, public.actions"),
        (Bench::of("early", EARLY).await?, "public.processing_state.target_id"),
        (Bench::of("elsewhere", ELSEWHERE).await?, "app.async_processes.target_id"),
    ];
    for (bench, missing) in benches {
        let row =
            Row { error: Some(json!({ "code": "VALIDATION_ERROR" })), ..processing(91).became("FAILED", ago(30)) };
        bench.insert(std::slice::from_ref(&row)).await?;
        let before = bench.table().await?;
        let function = step(&bench).start().await?;
        for event in [
            ended(&row, "FAILED", "ProcessingFailed"),
            json!({}),
            json!({ "all": true }),
            json!({ "processId": row.id, "activate": true }),
        ] {
            let result = function.invoke(&event).await?;
            assert_eq!(
                (findings(&result), &result["actions"]),
                (vec!["goals_absent"], &json!([])),
                "{event}: {result:#}"
            );
            let message = result["findings"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains(missing), "{event}: {message}");
        }
        assert_eq!(bench.table().await?, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_grant_is_an_error_that_names_it_and_only_looking_needs_none_to_write() -> Tested {
    let bench = Bench::new("grants").await?;
    let (goal, row) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
    let function = step(&bench).start().await?;
    bench.database.execute("REVOKE UPDATE ON goals FROM CURRENT_USER").await?;
    let looked = function.invoke(&json!({})).await?;
    assert_eq!(looked["actions"][0]["outcome"], "planned", "{looked:#}");
    let refused = function.invoke(&json!({ "processId": row.id })).await.err().ok_or("it was written")?;
    assert_eq!(refused.error_type, "TableMismatch");
    assert!(refused.error_message.contains("GRANT UPDATE ON \"public\".\"goals\" TO"), "{refused}");
    bench.database.execute("REVOKE SELECT ON actions FROM CURRENT_USER").await?;
    let refused = function.invoke(&json!({})).await.err().ok_or("it was read")?;
    assert!(refused.error_message.contains("GRANT SELECT ON \"public\".\"actions\" TO"), "{refused}");
    assert_eq!(status(&bench, &goal).await?, "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn everything_that_failed_for_good_within_a_day_is_looked_at_and_only_told_by_an_empty_event() -> Tested {
    let bench = Bench::of("sweep", PUSHED).await?;
    let (first, _) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
    let (second, _) = failed(&bench, "COMPLETED", "INTERNAL_ERROR").await?;
    let (transient, _) = failed(&bench, "COMPLETED", "AI_ERROR").await?;
    let (paused, _) = failed(&bench, "PAUSED", "VALIDATION_ERROR").await?;
    // The same goal's second failure is no second action.
    bench.insert(&[of(&first, "VALIDATION_ERROR"), Row { target_id: None, ..of(&first, "VALIDATION_ERROR") }]).await?;
    let old = Goal::new("COMPLETED", &[0, 0]);
    old.insert(bench.database.pool(), &bench.variant).await?;
    bench.insert(&[Row { completed_at: Some(ago(90_000)), ..of(&old, "VALIDATION_ERROR") }]).await?;
    let function = step(&bench).start().await?;

    let looked = function.invoke(&json!({})).await?;

    assert_eq!((&looked["mode"], &looked["toDoIt"]), (&json!("observe"), &json!({ "all": true })), "{looked:#}");
    assert_eq!(texts(&looked["actions"], "outcome"), ["planned"; 2], "{looked:#}");
    assert_eq!(findings(&looked), ["goal_inconsistent"; 3], "{looked:#}");
    assert!(bench.actions().await?.is_empty());

    let done = function.invoke(&json!({ "all": true })).await?;

    assert_eq!(texts(&done["actions"], "outcome"), ["applied"; 2], "{done:#}");
    for (goal, becomes) in
        [(first, "ACTIVE"), (second, "ACTIVE"), (transient, "COMPLETED"), (paused, "PAUSED"), (old, "COMPLETED")]
    {
        assert_eq!(status(&bench, &goal).await?, becomes, "{done:#}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_proposed_is_done_when_a_person_approves_it() -> Tested {
    let bench = Bench::of("proposed", MIGRATED).await?;
    let (completed, row) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
    let (paused, of_paused) = failed(&bench, "PAUSED", "VALIDATION_ERROR").await?;
    let function = step(&bench).env("REMEDIATION_MODE", "propose").start().await?;
    let asks = [
        (&completed, "COMPLETED", ended(&row, "FAILED", "ProcessingFailed")),
        (&paused, "PAUSED", json!({ "processId": of_paused.id, "activate": true })),
    ];
    for (goal, before, ask) in asks {
        let proposed = function.invoke(&ask).await?;
        assert_eq!(proposed["actions"][0]["outcome"], "proposed", "{proposed:#}");
        assert_eq!(status(&bench, goal).await?, before);
        let done = function.invoke(&json!({ "approve": proposed["planId"] })).await?;
        assert_eq!(done["actions"][0]["outcome"], "applied", "{done:#}");
        assert_eq!(status(&bench, goal).await?, "ACTIVE");
    }
    Ok(())
}

#[tokio::test]
async fn observing_changes_nothing_whatever_starts_it() -> Tested {
    let bench = Bench::new("goals_observed").await?;
    let (goal, row) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
    let function = step(&bench).env("REMEDIATION_MODE", "observe").start().await?;
    for event in [ended(&row, "FAILED", "ProcessingFailed"), json!({ "all": true }), json!({ "processId": row.id })] {
        let result = function.invoke(&event).await?;
        assert_eq!((&result["mode"], &result["actions"][0]["outcome"]), (&json!("observe"), &json!("planned")));
        assert_eq!(findings(&result), ["goal_inconsistent"], "{result:#}");
    }
    assert_eq!(status(&bench, &goal).await?, "COMPLETED");
    assert!(bench.actions().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_write_that_a_trigger_swallows_has_failed_and_says_so() -> Tested {
    let bench = Bench::new("goal_kept").await?;
    let (goal, row) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
    bench
        .database
        .execute(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER keep BEFORE UPDATE ON goals FOR EACH ROW EXECUTE FUNCTION keep()",
        )
        .await?;
    let result = step(&bench).start().await?.invoke(&ended(&row, "FAILED", "ProcessingFailed")).await?;
    assert_eq!(
        (texts(&result["actions"], "outcome"), findings(&result)),
        (vec!["failed"], vec!["goal_inconsistent"]),
        "{result:#}"
    );
    let why = result["actions"][0]["reason"].as_str().unwrap_or_default();
    assert!(why.contains("a trigger or rule of the table drops the write"), "{why}");
    assert_eq!(status(&bench, &goal).await?, "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn a_goal_that_somebody_else_is_writing_is_decided_on_anew_and_told_once() -> Tested {
    let bench = Bench::new("goal_moves").await?;
    let (goal, row) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
    let mut other = bench.database.connect().await?;
    sqlx::raw_sql("BEGIN; UPDATE goals SET title = title").execute(&mut other).await?;
    let result = step(&bench).start().await?.invoke(&ended(&row, "FAILED", "ProcessingFailed")).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await?;
    assert_eq!(
        (texts(&result["actions"], "outcome"), findings(&result)),
        (vec!["superseded"; 4], vec!["contested"]),
        "{result:#}"
    );
    assert_eq!(status(&bench, &goal).await?, "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn what_no_event_told_of_is_found_by_the_sweep_and_a_goal_that_is_fine_is_not_touched() -> Tested {
    let bench = Bench::new("goals_swept").await?;
    // Its event was lost.
    let (missed, _) = failed(&bench, "COMPLETED", "VALIDATION_ERROR").await?;
    // It was never started: no execution, so no event; nor can anybody start it again.
    let (never, _) = failed(&bench, "COMPLETED", "STEP_FUNCTIONS_ERROR").await?;
    // It may pass.
    let (transient, _) = failed(&bench, "COMPLETED", "AI_ERROR").await?;
    let (active, _) = failed(&bench, "ACTIVE", "VALIDATION_ERROR").await?;
    let done = Goal::new("COMPLETED", &[100, 100]);
    done.insert(bench.database.pool(), &bench.variant).await?;
    bench.insert(&[of(&done, "VALIDATION_ERROR")]).await?;
    let function = step(&bench).start().await?;

    let swept = function.invoke(&functions_tests::sample("repair-goal-status", "schedule")?).await?;

    assert_eq!(texts(&swept["actions"], "outcome"), ["applied"; 2], "{swept:#}");
    for (goal, becomes) in
        [(missed, "ACTIVE"), (never, "ACTIVE"), (transient, "COMPLETED"), (active, "ACTIVE"), (done, "COMPLETED")]
    {
        assert_eq!(status(&bench, &goal).await?, becomes, "{swept:#}");
    }
    let again = function.invoke(&json!({ "schedule": "s" })).await?;
    assert_eq!(again["actions"], json!([]), "{again:#}");
    Ok(())
}

#[tokio::test]
async fn a_sweep_of_very_many_is_made_in_bounded_runs_and_its_share_is_of_all_goals() -> Tested {
    let bench = Bench::new("goals_many").await?;
    // 10,500 failed processes, each of a goal of its own; the goals of 30 of them, all behind the first page, are inconsistent.
    bench
        .database
        .execute(
            "INSERT INTO goals (id, user_id, title, status, updated_at)
             SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, gen_random_uuid(), 'x',
                    CASE WHEN n > 10470 THEN 'COMPLETED' ELSE 'ACTIVE' END, now()
               FROM generate_series(1, 10500) n;
             INSERT INTO sub_goals (id, goal_id, title, position, updated_at) SELECT gen_random_uuid(), id, 'x', 1, now() FROM goals;
             INSERT INTO processing_state (id, user_id, type, status, target_id, progress, error, retry_count, created_at, updated_at, completed_at)
             SELECT id, gen_random_uuid(), 'SUBGOAL_GENERATION', 'FAILED', id, 0, '{\"code\": \"VALIDATION_ERROR\"}', 0,
                    now() - interval '2 hours', now() - interval '1 hour', now() - interval '1 hour' FROM goals",
        )
        .await?;
    let function = step(&bench).start().await?;
    let first = function.invoke(&json!({ "schedule": "s" })).await?;
    assert_eq!(first["actions"], json!([]), "{first:#}");
    let unfinished = "one run checks 10000 at most: the next continues from here";
    assert!(first["summary"].as_str().is_some_and(|summary| summary.ends_with(unfinished)), "{first:#}");
    // Of the page at hand, 30 of 500 goals; of all, 30 of 10,500. As many as a run may change.
    let second = function.invoke(&json!({ "schedule": "s" })).await?;
    let outcomes = texts(&second["actions"], "outcome");
    let count = |outcome: &str| outcomes.iter().filter(|it| **it == outcome).count();
    assert_eq!((count("applied"), count("proposed")), (20, 10), "{second:#}");
    assert!(!second["summary"].as_str().is_some_and(|summary| summary.contains("one run checks")), "{second:#}");
    let cursors = bench
        .list("SELECT cursor -> 'after' FROM remediation.runs WHERE cursor IS NOT NULL ORDER BY started_at")
        .await?;
    assert_eq!((cursors[0].is_string(), &cursors[1]), (true, &Value::Null), "the third begins anew");

    // Where most of the goals there are look inconsistent, something else is wrong: nothing is done.
    bench.database.execute("UPDATE goals SET status = 'COMPLETED'; DELETE FROM remediation.actions").await?;
    let held = function.invoke(&json!({ "schedule": "s" })).await?;
    assert!(texts(&held["actions"], "outcome").iter().all(|outcome| *outcome == "proposed"), "{}", held["summary"]);
    let waits =
        bench.list("SELECT to_jsonb(p.reason) FROM remediation.plans p ORDER BY created_at DESC LIMIT 1").await?;
    assert!(waits[0].as_str().is_some_and(|why| why.contains("50 %") && why.contains("10500")), "{waits:?}");
    assert_eq!(bench.list("SELECT to_jsonb(g) FROM goals g WHERE status = 'ACTIVE'").await?.len(), 0);
    Ok(())
}
