//! `control`: the red button, and what each step may do.

use functions_tests::{
    BOUND, Bench, Machine, STATE_MACHINE_ARN, Tested, ago, findings, processing, scripted, status_event, texts,
};
use harness::{AwsProxy, Function, eventually};
use patient::table::Row;
use serde_json::{Value, json};

const STEP: &str = "reconcile-processes";

/// `control` in this database.
async fn control(bench: &Bench) -> Tested<Function> {
    Ok(bench.function("control").start().await?)
}

fn stop() -> Value {
    json!({ "stop": true, "by": "Sato", "reason": "rows are closed while they still run" })
}

fn resume() -> Value {
    json!({ "resume": true, "by": "Suzuki" })
}

/// A row of the controls.
async fn row(bench: &Bench, step: &str) -> Tested<Value> {
    let rows = bench.list(&format!("SELECT to_jsonb(c) FROM remediation.controls c WHERE step = '{step}'")).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// What a report says of a step.
fn of<'a>(answer: &'a Value, step: &str) -> &'a Value {
    let steps = answer["report"]["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    steps.iter().find(|found| found["step"] == step).unwrap_or(&Value::Null)
}

/// Open rows whose executions are known to have timed out.
async fn timed_out(bench: &Bench, count: u32) -> Tested {
    let executions = STATE_MACHINE_ARN.replace(":stateMachine:", ":execution:");
    let sql = format!(
        "WITH made AS (
             INSERT INTO processing_state (id, user_id, type, status, progress, created_at, updated_at)
             SELECT gen_random_uuid(), gen_random_uuid(), 'SUBGOAL_GENERATION', 'PROCESSING', 40, now() - interval '20 minutes',
                    now() - interval '19 minutes'
               FROM generate_series(1, {count})
          RETURNING id)
         INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at, ending_known)
         SELECT '{executions}:' || id || '-1', id, 'TIMED_OUT', now() - interval '20 minutes', now() - interval '10 minutes', true
           FROM made"
    );
    Ok(bench.database.execute(&sql).await?)
}

/// A sweep that may do everything at once.
async fn sweeping(bench: &Bench, control: &Function) -> Tested<(Function, AwsProxy)> {
    let wide = json!({ "step": STEP, "actionsPerRun": 10_000, "actionsPerHour": 10_000, "share": 1, "by": "Sato" });
    control.invoke(&wide).await?;
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    Ok((bench.function(STEP).envs(aws.environment()).start().await?, aws))
}

/// A sweep's third batch, of 100 rows, waits within its statement until this is dropped, by a trigger that waits for a lock.
struct Held(sqlx::PgConnection);

impl Held {
    async fn new(bench: &Bench) -> Tested<Self> {
        bench
            .database
            .execute(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                     'BEGIN IF (SELECT count(*) FROM written) = 100 THEN PERFORM pg_advisory_xact_lock_shared(4711); END IF;
                      RETURN NULL; END';
                 CREATE TRIGGER slow AFTER UPDATE ON processing_state REFERENCING NEW TABLE AS written
                    FOR EACH STATEMENT EXECUTE FUNCTION slow()",
            )
            .await?;
        let mut connection = bench.database.connect().await?;
        sqlx::query("SELECT pg_advisory_lock(4711)").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Once a batch waits, something is done; then it goes on.
    async fn meanwhile(mut self, bench: &Bench, what: impl AsyncFnOnce() -> Tested) -> Tested {
        let waiting = "SELECT to_jsonb(count(*)) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        eventually(BOUND, "the first batch to be written", || async {
            (bench.list(waiting).await.ok()? == [json!(1)]).then_some(())
        })
        .await?;
        what().await?;
        sqlx::query("SELECT pg_advisory_unlock(4711)").execute(&mut self.0).await?;
        Ok(())
    }
}

#[tokio::test]
async fn the_red_button_ends_a_sweep_under_way_within_one_batch_and_the_sweep_goes_on_once_it_is_lifted() -> Tested {
    let bench = Bench::new("red_button").await?;
    timed_out(&bench, 1000).await?;
    let control = control(&bench).await?;
    let (sweep, _aws) = sweeping(&bench, &control).await?;
    let held = Held::new(&bench).await?;

    let schedule = json!({ "schedule": STEP });
    let (swept, pressed) = tokio::join!(
        sweep.invoke(&schedule),
        held.meanwhile(&bench, async || {
            let pressed = control.invoke(&stop()).await?;
            assert_eq!(texts(&pressed["actions"], "outcome"), ["applied"], "{pressed:#}");
            assert_eq!((&of(&pressed, STEP)["mode"], findings(&pressed)), (&json!("observe"), vec!["stopped"]));
            Ok(())
        })
    );
    pressed?;
    let swept = swept?;

    // Of 1, 10 and 100 rows.
    assert_eq!((bench.count("FAILED").await?, bench.count("PROCESSING").await?), (111, 889), "{swept:#}");
    let said = swept["summary"].as_str().unwrap_or_default();
    assert!(said.contains("ended before the last 889 were done: all steps were stopped by Sato at "), "{said}");
    assert!(said.ends_with(": rows are closed while they still run"), "{said}");
    assert_eq!((findings(&swept), &swept["findings"][0]["evidence"]["held"]), (vec!["stopped"], &json!(889)));
    assert_eq!(swept["omitted"]["actions"], 900, "done and planned are told alike: {swept:#}");
    assert_eq!(swept["verification"], "verified");

    // From then on it is told what would be done, and by whom it is not.
    let again = sweep.invoke(&json!({ "all": true })).await?;
    assert_eq!((&again["mode"], findings(&again)), (&json!("observe"), vec!["stopped"]), "{again:#}");
    assert_eq!(texts(&again["actions"], "outcome"), ["planned"; 100]);
    assert_eq!(bench.count("FAILED").await?, 111);

    let lifted = control.invoke(&resume()).await?;
    assert_eq!((&of(&lifted, STEP)["mode"], findings(&lifted).len()), (&json!("act"), 0), "{lifted:#}");
    sweep.invoke(&schedule).await?;
    assert_eq!((bench.count("FAILED").await?, bench.count("PROCESSING").await?), (1000, 0));
    Ok(())
}

#[tokio::test]
async fn a_steps_own_row_ends_its_sweep_too_and_what_is_left_is_proposed_where_it_says_so() -> Tested {
    let bench = Bench::new("step_row").await?;
    timed_out(&bench, 600).await?;
    let control = control(&bench).await?;
    let (sweep, _aws) = sweeping(&bench, &control).await?;
    let held = Held::new(&bench).await?;
    let propose = json!({ "step": STEP, "allow": "propose", "by": "Sato", "reason": "let me see the rest" });
    let all = json!({ "all": true });
    let (swept, set) = tokio::join!(
        sweep.invoke(&all),
        held.meanwhile(&bench, async || {
            control.invoke(&propose).await?;
            Ok(())
        })
    );
    set?;
    let swept = swept?;
    assert_eq!(bench.count("FAILED").await?, 111, "{swept:#}");
    let said = swept["summary"].as_str().unwrap_or_default();
    assert!(said.contains("reconcile-processes was limited to `propose` by Sato at "), "{said}");
    assert!(said.ends_with(": let me see the rest"), "{said}");
    // While the red button is pressed, an approval is read and waits on.
    let approve = json!({ "approve": swept["planId"], "by": "Suzuki" });
    control.invoke(&stop()).await?;
    let held = sweep.invoke(&approve).await?;
    assert_eq!((&held["mode"], findings(&held)), (&json!("observe"), vec!["stopped"]), "{held:#}");
    assert_eq!(bench.count("FAILED").await?, 111);
    control.invoke(&resume()).await?;
    let approved = sweep.invoke(&approve).await?;
    assert_eq!(bench.count("FAILED").await?, 600, "{approved:#}");
    Ok(())
}

#[tokio::test]
async fn the_red_button_is_asked_for_before_every_single_action() -> Tested {
    let bench = Bench::new("single").await?;
    let machine = Machine::new("single").await?;
    let rows: Vec<Row> = (0..3).map(|_| processing(160).became("CANCELLED", ago(100))).collect();
    bench.insert(&rows).await?;
    for row in &rows {
        machine.start(row.id).await?;
    }
    let aws = machine.proxy().await?;
    let pool = bench.database.pool().clone();
    aws.after("StopExecution", move || {
        let pool = pool.clone();
        async move {
            // As an operator types it, in a hurry.
            let typed = "INSERT INTO remediation.controls (step, mode) VALUES ('*', 'observe') ON CONFLICT DO NOTHING";
            let _ = sqlx::query(typed).execute(&pool).await;
        }
    });
    let function = bench.function("stop-cancelled-executions").env("STATE_MACHINE_ARN", &machine.arn);
    let function = function.env("SETTLE_SECONDS", "0").envs(aws.environment()).start().await?;
    let result = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(aws.calls("StopExecution"), 1, "{result:#}");
    let mut outcomes = texts(&result["actions"], "outcome");
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["applied", "planned", "planned"], "{result:#}");
    assert!(result["summary"].as_str().is_some_and(|said| said.contains("by application at ")), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn it_binds_every_step_and_every_way_to_ask_but_our_own_record() -> Tested {
    let bench = Bench::new("binds").await?;
    let control = control(&bench).await?;
    let sync = bench.function("sync-execution-status").start().await?;
    let (done, late) = (processing(91), processing(91));
    bench.insert(&[done.clone(), late.clone()]).await?;
    let event = |row: &Row| {
        status_event(row.id, "FAILED", ago(90), Some(ago(30)), &json!({ "error": "AI_ERROR", "cause": "x" }))
    };
    let first = sync.invoke(&event(&done)).await?;
    let undo = json!({ "undo": first["actions"][0]["id"] });
    control.invoke(&stop()).await?;

    // An event; what a person asks for; what a person takes back, which no other function does.
    let seen = sync.invoke(&event(&late)).await?;
    assert_eq!((&seen["mode"], texts(&seen["actions"], "outcome")), (&json!("observe"), vec!["planned"]), "{seen:#}");
    assert_eq!(bench.row(late.id).await?, late);
    let migrate = bench.function("migrate").start().await?;
    let held = sync.invoke(&undo).await?;
    assert_eq!((&held["mode"], texts(&held["actions"], "outcome")), (&json!("observe"), vec!["planned"]), "{held:#}");
    for function in [&control, &migrate] {
        let refused = function.invoke(&undo).await.err().ok_or("another step's action was undone")?;
        assert!(refused.error_message.contains("belongs to sync-execution-status: send it there"), "{refused}");
    }
    assert_eq!(bench.row(done.id).await?.status, "FAILED");
    // A step whose ledger is the log.
    let fence = migrate.invoke(&json!({ "fence": "install" })).await?;
    assert_eq!(
        (texts(&fence["actions"], "outcome"), findings(&fence)),
        (vec!["planned"], vec!["stopped"]),
        "{fence:#}"
    );
    // Of schema `remediation` it holds up nothing.
    bench
        .database
        .execute(
            "INSERT INTO remediation.runs (id, step, trigger, started_at)
             VALUES (gen_random_uuid(), 'test-step', '{}', now() - interval '40 days')",
        )
        .await?;
    let forgot = migrate.invoke(&json!({ "forget": true })).await?;
    assert_eq!(
        (&forgot["mode"], &forgot["actions"][0]["after"]["deleted"]["runs"]),
        (&json!("act"), &json!(1)),
        "{forgot:#}"
    );

    control.invoke(&resume()).await?;
    sync.invoke(&undo).await?;
    assert_eq!(bench.row(done.id).await?.status, "PROCESSING");
    Ok(())
}

#[tokio::test]
async fn whoever_presses_it_is_held_up_by_nothing_and_named() -> Tested {
    let bench = Bench::new("presses").await?;
    // Whatever the installation is set to, whatever the step itself did before.
    let control = bench.function("control").env("REMEDIATION_MODE", "observe").start().await?;
    bench
        .database
        .execute(
            "INSERT INTO remediation.controls (step, mode, actions_per_run, actions_per_hour) VALUES ('control', 'observe', 0, 0);
             INSERT INTO remediation.runs (id, step, trigger, applied, verification)
             SELECT gen_random_uuid(), 'control', '{}', 1, 'failed' FROM generate_series(1, 3);
             INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, undo_of)
             SELECT gen_random_uuid(), gen_random_uuid(), 'control', 'undo', 'control *', 'applied', 'test', gen_random_uuid()
               FROM generate_series(1, 5)",
        )
        .await?;
    let pressed = control.invoke(&stop()).await?;
    assert_eq!(
        (&pressed["mode"], texts(&pressed["actions"], "outcome")),
        (&json!("act"), vec!["applied"]),
        "{pressed:#}"
    );
    let (action, everywhere) = (&pressed["actions"][0], row(&bench, "*").await?);
    assert_eq!(action["reason"], "Sato stopped all steps: rows are closed while they still run");
    assert_eq!((&action["after"]["mode"], &action["after"]["by"]), (&json!("observe"), &json!("Sato")), "{action:#}");
    assert_eq!((&everywhere["mode"], &everywhere["changed_by"]), (&json!("observe"), &json!("Sato")));
    assert_eq!(everywhere["reason"], "rows are closed while they still run");
    let run = bench.runs().await?.into_iter().find(|run| run["id"] == pressed["runId"]).ok_or("no run")?;
    assert_eq!((&run["asked_by"], &run["trigger"]["by"]), (&json!("Sato"), &json!("Sato")));
    assert!(run["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{run:#}");

    let again = control.invoke(&json!({ "stop": true, "by": "Suzuki", "reason": "me too" })).await?;
    assert_eq!(again["actions"], json!([]), "{again:#}");
    let why = texts(&again["skipped"], "why");
    assert!(why[0].starts_with("already in force: all steps were stopped by Sato at "), "{why:?}");

    let lifted = control.invoke(&resume()).await?;
    assert_eq!(lifted["actions"][0]["reason"], "Suzuki resumed all steps");
    assert_eq!(row(&bench, "*").await?["mode"], Value::Null);
    let again = control.invoke(&resume()).await?;
    assert_eq!(texts(&again["skipped"], "why"), ["nothing to resume: the steps are not stopped"], "{again:#}");
    // What is only asked for is only told.
    let told = control.invoke(&json!({ "stop": true, "by": "Sato", "reason": "drill", "mode": "observe" })).await?;
    assert_eq!((texts(&told["actions"], "outcome"), findings(&told).len()), (vec!["planned"], 0), "{told:#}");
    assert_eq!(row(&bench, "*").await?["mode"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_steps_mode_and_limits_are_set_answered_with_and_set_back() -> Tested {
    let bench = Bench::new("limits").await?;
    let control = control(&bench).await?;
    let before = control.invoke(&json!({})).await?;
    assert_eq!((&before["mode"], findings(&before).len()), (&json!("observe"), 0), "{before:#}");
    let plain = of(&before, STEP);
    assert_eq!((&plain["mode"], &plain["actionsPerRun"], &plain["set"]), (&json!("act"), &json!(1000), &Value::Null));
    assert_eq!(of(&before, "redeploy-worker")["mode"], "propose", "as its manifest has it");
    assert_eq!(before["report"]["everywhere"], Value::Null);

    let event = json!({ "step": STEP, "allow": "propose", "actionsPerRun": 10, "share": 0.2, "by": "Sato", "reason": "first week" });
    let set = control.invoke(&event).await?;
    assert_eq!(texts(&set["actions"], "target"), ["control reconcile-processes"], "{set:#}");
    let now = of(&set, STEP);
    assert_eq!(
        (&now["mode"], &now["actionsPerRun"], &now["actionsPerHour"]),
        (&json!("propose"), &json!(10), &plain["actionsPerHour"])
    );
    assert_eq!(
        (&now["set"]["by"], &now["set"]["reason"], &now["share"]),
        (&json!("Sato"), &json!("first week"), &json!(0.2))
    );
    timed_out(&bench, 1).await?;
    let aws = scripted().await?;
    aws.answer("ListExecutions", json!({ "executions": [] }));
    let result = bench.function(STEP).envs(aws.environment()).start().await?.invoke(&json!({ "all": true })).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["proposed"], "{result:#}");
    let seen = control.invoke(&json!({})).await?;
    assert_eq!(of(&seen, STEP)["lastRun"]["mode"], "propose", "{seen:#}");

    // The least of both counts; a resumed step keeps its limits.
    control.invoke(&stop()).await?;
    control.invoke(&json!({ "step": STEP, "resume": true, "by": "Sato" })).await?;
    let seen = control.invoke(&json!({})).await?;
    let now = of(&seen, STEP);
    assert_eq!(
        (&now["mode"], &now["set"]["mode"], &now["set"]["actionsPerRun"]),
        (&json!("observe"), &Value::Null, &json!(10))
    );
    control.invoke(&resume()).await?;
    let reset = control.invoke(&json!({ "step": STEP, "reset": true, "by": "Sato" })).await?;
    let now = of(&reset, STEP);
    assert_eq!(
        (&now["mode"], &now["actionsPerRun"], &now["share"]),
        (&json!("act"), &json!(1000), &json!(0.5)),
        "{reset:#}"
    );

    for (event, refused) in [
        (
            json!({ "step": "reconcile", "stop": true, "by": "Sato", "reason": "x" }),
            "`step` is \"reconcile\"; it must be one of analyze-logs, ",
        ),
        (json!({ "stop": true, "reason": "x" }), "`by` is missing"),
        (json!({ "stop": true, "by": "Sato" }), "`reason` is missing"),
        (json!({ "processId": ago(0).timestamp().to_string() }), "`processId` is"),
        (json!({ "processId": uuid::Uuid::nil() }), "control is about steps"),
    ] {
        let error = control.invoke(&event).await.err().ok_or_else(|| format!("{event} was taken"))?;
        assert!(error.error_message.contains(refused), "{event}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn every_change_stays_in_the_history_whoever_made_it_and_however() -> Tested {
    let bench = Bench::new("history").await?;
    let control = control(&bench).await?;
    control.invoke(&stop()).await?;
    // As the README has it, typed by hand: it says neither who nor why.
    let typed = "INSERT INTO remediation.controls (step, mode) VALUES ('*', 'propose') ON CONFLICT (step) DO UPDATE SET mode = 'propose'";
    bench.database.execute(typed).await?;
    let now = row(&bench, "*").await?;
    assert_eq!(
        (&now["changed_by"], &now["reason"]),
        (&json!("application"), &Value::Null),
        "nobody else's name stays: {now}"
    );
    bench.database.execute("UPDATE remediation.controls SET mode = 'act', reason = 'as ever' WHERE step = '*'").await?;
    bench.database.execute("DELETE FROM remediation.controls").await?;

    let seen = control.invoke(&json!({})).await?;
    let history = seen["report"]["history"].as_array().cloned().unwrap_or_default();
    let told: Vec<String> = history
        .iter()
        .map(|change| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let modes = [&change["before"]["mode"], &change["after"]["mode"]].map(text);
            format!("{} → {}, {}: {}", modes[0], modes[1], text(&change["changedBy"]), text(&change["reason"]))
        })
        .collect();
    assert_eq!(
        told,
        [
            "act → -, application: -",
            "propose → act, application: as ever",
            "observe → propose, application: -",
            "- → observe, Sato: rows are closed while they still run",
        ]
    );
    let times: Vec<&str> = history.iter().filter_map(|change| change["changedAt"].as_str()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older) && times.len() == 4, "{times:?}");
    Ok(())
}

#[tokio::test]
async fn a_change_is_taken_back_as_long_as_nobody_has_made_another() -> Tested {
    let bench = Bench::new("undo_control").await?;
    let control = control(&bench).await?;
    let set = json!({ "step": STEP, "actionsPerRun": 10, "by": "Sato" });
    let first = control.invoke(&set).await?;
    let second = control.invoke(&json!({ "step": STEP, "allow": "observe", "by": "Sato" })).await?;
    let undo = |done: &Value| json!({ "undo": done["actions"][0]["id"], "by": "Suzuki", "reason": "by mistake" });

    let refused = control.invoke(&undo(&first)).await?;
    assert_eq!(texts(&refused["actions"], "outcome"), ["failed"], "{refused:#}");
    assert_eq!(row(&bench, STEP).await?["mode"], "observe");
    let back = control.invoke(&undo(&second)).await?;
    assert_eq!(texts(&back["actions"], "outcome"), ["applied"], "{back:#}");
    let now = row(&bench, STEP).await?;
    assert_eq!(
        (&now["mode"], &now["actions_per_run"], &now["changed_by"]),
        (&Value::Null, &json!(10), &json!("Suzuki"))
    );
    assert_eq!(now["reason"], "by mistake");
    control.invoke(&undo(&first)).await?;
    let now = row(&bench, STEP).await?;
    assert_eq!((&now["mode"], &now["actions_per_run"]), (&Value::Null, &Value::Null), "as the manifest has it");
    let error = control.invoke(&undo(&first)).await.err().ok_or("undone twice")?;
    assert!(error.error_message.contains("already undone"), "{error}");
    Ok(())
}

#[tokio::test]
async fn somebody_who_holds_the_table_is_named_and_nothing_is_changed() -> Tested {
    let bench = Bench::new("held_table").await?;
    let control = control(&bench).await?;
    let mut other = bench.database.connect().await?;
    sqlx::query("BEGIN").execute(&mut other).await?;
    sqlx::query("INSERT INTO remediation.controls (step) VALUES ('*')").execute(&mut other).await?;
    let error = control.invoke(&stop()).await.err().ok_or("it was not held up")?;
    assert!(error.error_message.contains("remediation.controls stayed locked by somebody else for 3 s"), "{error}");
    sqlx::query("ROLLBACK").execute(&mut other).await?;
    control.invoke(&stop()).await?;
    assert_eq!(row(&bench, "*").await?["mode"], "observe");
    Ok(())
}
