//! Other applications than the guide's, each as its profile describes it (`tests/profiles`): its table, its rows, and its state machine on
//! the local endpoint.

use functions_tests::{BOUND, Tested, findings, texts};
use harness::{Aws, AwsProxy, Database, Function, FunctionBuilder, Postgres, eventually};
use patient::Process;
use patient::profiled::{Goes, Profiled, Shape, Words};
use serde_json::{Value, json};
use uuid::Uuid;

/// One of them, with a database, and what looks after it.
struct Application {
    shape: Shape,
    database: Database,
    deployed: Profiled,
    aws: &'static Aws,
    proxy: AwsProxy,
}

/// The steps that change a worker, which none of these installations names.
const WORKER_STEPS: [&str; 5] = [
    "extend-worker-timeout",
    "provision-worker-concurrency",
    "raise-worker-memory",
    "redeploy-worker",
    "throttle-worker",
];

/// How old the rows are, in seconds.
const HOUR: f64 = 3600.0;

impl Application {
    async fn new(shape: Shape) -> Tested<Self> {
        let database = Postgres::shared().await?.database(&shape.name.replace('-', "_")).await?;
        let aws = Aws::shared().await?;
        let machine = format!("ingest-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let deployed = Profiled::deploy(aws, database.pool(), shape, &machine).await?;
        let proxy = AwsProxy::start(&aws.endpoint()).await?;
        let application = Self { shape, database, deployed, aws, proxy };
        application.function("migrate").start().await?.invoke(&json!({ "all": true })).await?;
        Ok(application)
    }

    /// A function of the product that looks after it. Nothing has to settle, and nothing has a deadline that would pass by itself.
    fn function(&self, name: &str) -> FunctionBuilder {
        Function::builder(name)
            .database(&self.database)
            .envs(self.proxy.environment())
            .env("AWS_LAMBDA_FUNCTION_NAME", format!("remediation-{name}"))
            .env("STATE_MACHINE_ARN", self.deployed.state_machine_arn())
            .env("APPLICATION_PROFILE", self.shape.profile)
            .env("SETTLE_SECONDS", "0")
            .env("TEXT_LANGUAGE", "en")
    }

    /// A row that is under way, and its execution, which has ended or runs on.
    async fn process(&self, goes: Goes) -> Tested<(String, String)> {
        self.process_as(self.shape.words.processing, goes).await
    }

    async fn process_as(&self, status: &str, goes: Goes) -> Tested<(String, String)> {
        let Process { id, execution_arn } = self.deployed.start(status, HOUR, goes).await?;
        if goes != Goes::Hangs {
            eventually(BOUND, format!("{execution_arn} to end"), || async {
                (self.execution(&execution_arn).await.ok()?["status"] != "RUNNING").then_some(())
            })
            .await?;
        }
        Ok((id, execution_arn))
    }

    async fn insert(&self, id: &str, status: &str) -> Tested {
        Ok(self.deployed.insert(id, status, None, HOUR).await?)
    }

    async fn row(&self, id: &str) -> Tested<Value> {
        Ok(self.deployed.row(id).await?)
    }

    /// An execution as Step Functions' event tells of it.
    async fn execution(&self, arn: &str) -> Tested<Value> {
        let told = self.aws.sfn().describe_execution().execution_arn(arn).send().await?;
        Ok(json!({
            "executionArn": arn,
            "stateMachineArn": self.deployed.state_machine_arn(),
            "name": told.name,
            "status": told.status.as_str(),
            "startDate": told.start_date.to_millis()?,
            "stopDate": told.stop_date.and_then(|at| at.to_millis().ok()),
            "input": told.input,
            "inputDetails": { "included": true },
            "output": told.output,
            "error": told.error,
            "cause": told.cause,
        }))
    }

    async fn event(&self, arn: &str) -> Tested<Value> {
        Ok(json!({
            "version": "0",
            "id": Uuid::new_v4(),
            "detail-type": "Step Functions Execution Status Change",
            "source": "aws.states",
            "detail": self.execution(arn).await?,
        }))
    }
}

#[tokio::test]
async fn an_event_closes_a_row_of_every_application() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        let Words { processing: under_way, completed: done, failed, .. } = shape.words;
        let act = app.function("sync-execution-status").start().await?;
        let observe = app.function("sync-execution-status").env("REMEDIATION_MODE", "observe").start().await?;
        for (goes, status) in [(Goes::Succeeds, done), (Goes::Fails, failed)] {
            let succeeds = goes == Goes::Succeeds;
            let (id, arn) = app.process(goes).await?;
            let event = app.event(&arn).await?;
            let observed = observe.invoke(&event).await?;
            assert_eq!(app.row(&id).await?["status"], under_way, "{}: observed", shape.name);

            let result = act.invoke(&event).await?;

            let row = app.row(&id).await?;
            if succeeds && shape.completes_itself {
                assert_eq!(findings(&observed), ["not_completed"], "{}: {observed:#}", shape.name);
                assert_eq!(row["status"], under_way, "{}: {result:#}", shape.name);
                continue;
            }
            assert_eq!(row["status"], status, "{}: {result:#}", shape.name);
            assert_eq!(
                row["error"],
                if succeeds { Value::Null } else { (shape.error)(Some(("STEP_FUNCTIONS_ERROR", shape.cause))) },
                "{}: {row}",
                shape.name
            );
            assert_eq!(result["actions"][0]["target"], id.as_str(), "{}: {result:#}", shape.name);
            if shape.name == "genomics" && succeeds {
                assert_eq!(row["result"], r#"{"bam": "s3://genomes/1.bam"}"#, "{row}");
            }
            if shape.name == "transfer-checks" {
                assert_eq!(row["other"], "InProgress", "another kind of check is none of ours: {row}");
            }
            let again = act.invoke(&event).await?;
            assert_eq!(again["actions"], json!([]), "{}: {again:#}", shape.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_sweep_closes_what_no_event_has_told_in_every_application() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        let Words { processing: under_way, completed: done, failed, .. } = shape.words;
        let (succeeded, _) = app.process(Goes::Succeeds).await?;
        let (lost, _) = app.process(Goes::Fails).await?;
        let (running, _) = app.process(Goes::Hangs).await?;
        let function = app.function("reconcile-processes").start().await?;
        let looked = function.invoke(&json!({})).await?;
        for id in [&succeeded, &lost, &running] {
            assert_eq!(app.row(id).await?["status"], under_way, "{}: {looked:#}", shape.name);
        }

        let result = function.invoke(&json!({ "all": true })).await?;

        let of = async |id: &String| app.row(id).await.map(|row| row["status"].clone());
        let completed = if shape.completes_itself { under_way } else { done };
        assert_eq!(of(&succeeded).await?, completed, "{}: {result:#}", shape.name);
        assert_eq!(of(&lost).await?, failed, "{}: {result:#}", shape.name);
        assert_eq!(of(&running).await?, under_way, "{}: {result:#}", shape.name);
        let undo = json!({ "undo": result["actions"].as_array().and_then(|all| {
            all.iter().find(|action| action["target"] == lost.as_str())
        }).ok_or("no action")?["id"] });
        let undone = function.invoke(&undo).await?;
        assert_eq!(of(&lost).await?, under_way, "{}: {undone:#}", shape.name);
        assert_eq!(undone["verification"], "verified", "{}: {undone:#}", shape.name);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_past_its_deadline_is_stopped_and_timed_out_in_every_application() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        let (id, arn) = app.process(Goes::Hangs).await?;
        let function = app
            .function("fail-timed-out-processes")
            .env("PROCESS_DEADLINE_SECONDS", "1")
            .env("START_DEADLINE_SECONDS", "1")
            .start()
            .await?;
        eventually(BOUND, format!("{} to be timed out", shape.name), || async {
            function.invoke(&json!({ "all": true })).await.ok()?;
            (app.row(&id).await.ok()?["status"] == shape.words.timed_out).then_some(())
        })
        .await?;
        assert_eq!(app.execution(&arn).await?["status"], "ABORTED", "{}", shape.name);
        assert_eq!(
            app.row(&id).await?["error"],
            (shape.error)(Some(("TIMEOUT_ERROR", "The processing took longer than allowed"))),
            "{}",
            shape.name
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_row_whose_execution_somebody_stopped_is_closed_as_its_application_says_that() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        let (id, arn) = app.process(Goes::Hangs).await?;
        app.aws.sfn().stop_execution().execution_arn(&arn).error("ManualCancellation").send().await?;
        let function = app.function("sync-execution-status").start().await?;

        let result = function.invoke(&app.event(&arn).await?).await?;

        let row = app.row(&id).await?;
        assert_eq!(row["status"], shape.words.cancelled, "{}: {result:#}", shape.name);
        // A word of its own says it all.
        let told =
            (shape.words.cancelled == shape.words.failed).then_some(("CANCELLED", "The processing was cancelled"));
        assert_eq!(row["error"], (shape.error)(told), "{}: {result:#}", shape.name);
        assert_eq!(texts(&result["actions"], "outcome"), ["applied"], "{}: {result:#}", shape.name);
        assert_eq!(findings(&result), [""; 0], "nothing is taken back: {result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_person_cancels_a_process_of_every_application() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        let (id, arn) = app.process(Goes::Hangs).await?;
        let function = app.function("stop-cancelled-executions").start().await?;
        let result = function.invoke(&json!({ "processId": id, "cancel": true })).await?;
        assert_eq!(app.execution(&arn).await?["status"], "ABORTED", "{}: {result:#}", shape.name);
        let row = app.row(&id).await?;
        assert_eq!(row["status"], shape.words.cancelled, "{}: {result:#}", shape.name);
        match shape.name {
            "archive-ingest" => {
                assert_eq!(row["error"]["Error"], "CANCELLED", "its code tells it from a failure: {row}")
            }
            _ => assert_eq!(row["error"], Value::Null, "{row}"),
        }
        let swept = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(swept["actions"], json!([]), "{}: {swept:#}", shape.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_process_is_tried_again_where_its_row_may_be_opened() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        let (id, first) = app.process(Goes::Fails).await?;
        app.function("reconcile-processes").start().await?.invoke(&json!({ "processId": id })).await?;
        assert_eq!(app.row(&id).await?["status"], shape.words.failed, "{}", shape.name);
        // What it failed with may pass.
        let profile = shape.profile.to_owned()
            + "\n[codes]\ntransient = [\"STEP_FUNCTIONS_ERROR\", \"ChecksumError\", \"ProcessingFailed\"]\n";
        let function = app.function("retry-failed-processes").env("APPLICATION_PROFILE", profile).start().await?;

        let result = function.invoke(&json!({ "processId": id })).await?;

        let row = app.row(&id).await?;
        if shape.name == "genomics" {
            assert_eq!((findings(&result), row["status"].as_str()), (vec!["step_off"], Some("FAILED")), "{result:#}");
            assert!(result["summary"].as_str().is_some_and(|text| text.contains(r#"retry = "off""#)), "{result:#}");
            continue;
        }
        assert_eq!(result["actions"][0]["outcome"], "applied", "{}: {result:#}", shape.name);
        let second = result["actions"][0]["after"]["executionArn"].as_str().ok_or("no execution")?.to_owned();
        assert_ne!(second, first, "{}", shape.name);
        if shape.name == "archive-ingest" {
            let arn: String = sqlx::query_scalar("SELECT arn FROM executions WHERE cumulus_id = $1::int8")
                .bind(&id)
                .fetch_one(app.database.pool())
                .await?;
            assert_eq!(arn, second, "the row names the execution that speaks for it now");
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_other_step_answers_and_says_what_the_profile_rules_out() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        let (id, _) = app.process(Goes::Fails).await?;
        app.insert(&(shape.id)(), "WHATEVER").await?;
        let of_the_profile = [("repair-progress", "progress"), ("repair-goal-status", "target")];
        for (step, key) in of_the_profile.into_iter().chain(WORKER_STEPS.map(|step| (step, "WORKER_FUNCTION_NAME"))) {
            let result = app.function(step).start().await?.invoke(&json!({ "all": true })).await?;
            assert_eq!((findings(&result), &result["findings"][0]["evidence"]["key"]), (vec!["step_off"], &json!(key)));
        }
        let health = app.function("check-health").start().await?.invoke(&json!({})).await?;
        let off = texts(&health["findings"], "code").iter().filter(|code| **code == "step_off").count();
        assert_eq!(
            off,
            if shape.name == "genomics" { 3 } else { 2 } + WORKER_STEPS.len(),
            "{}: {health:#}",
            shape.name
        );
        let checks = &health["report"]["checks"];
        let states = [0, 5, 6].map(|check: usize| &checks[check]["state"]);
        assert_eq!(states, ["off"; 3], "{}: {health:#}", shape.name);
        assert!(!checks.to_string().contains("does not exist"), "{}: {health:#}", shape.name);
        let unknown = app.function("reconcile-processes").start().await?.invoke(&json!({ "all": true })).await?;
        assert!(findings(&unknown).contains(&"row_status_unknown"), "{}: {unknown:#}", shape.name);
        for (step, event) in [
            ("analyze-logs", json!({ "processId": id })),
            ("triage-errors", json!({ "all": true })),
            ("analyze-performance", json!({})),
        ] {
            let result = app.function(step).start().await?.invoke(&event).await?;
            assert!(result["summary"].is_string(), "{} {step}: {result:#}", shape.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_profile_that_does_not_fit_is_refused_by_its_key_and_nothing_is_written() -> Tested {
    let shape = Shape::ALL[0];
    let app = Application::new(shape).await?;
    let (id, _) = app.process(Goes::Fails).await?;
    let sound = shape.profile;
    for (from, to, told) in [
        (
            "id = \"cumulus_id\"",
            "id = \"nobody\"",
            "APPLICATION_PROFILE: `id`: table public.executions has no column `nobody`",
        ),
        (
            "id = \"cumulus_id\"",
            "id = \"status\"",
            "APPLICATION_PROFILE: `id`: column `status` of table public.executions is not unique",
        ),
        (
            "created = \"created_at\"",
            "created = \"error\"",
            "APPLICATION_PROFILE: `times.created`: column `error` of table public.executions is of type jsonb",
        ),
        (
            "[status]\n",
            "[status]\ncolumn = \"state\"\n",
            "APPLICATION_PROFILE: `status.column`: table public.executions has no column `state`",
        ),
        (
            "created = \"created_at\"",
            "created = \"granules.created_at\"",
            "APPLICATION_PROFILE: `times.created`: table public.executions has no column `granules.created_at`",
        ),
        (
            "arn = \"arn\"",
            "arn = \"cumulus_id\"",
            "APPLICATION_PROFILE: `execution.arn`: column `cumulus_id` of table public.executions is of type bigint",
        ),
        (
            "id = \"cumulus_id\"",
            "id = \"cumulus_id\"\nwhere = { kind = 1 }",
            "APPLICATION_PROFILE: `where.kind`: table public.executions has no column `kind`",
        ),
        (
            "completed = \"completed\"",
            "completed = \"failed\"",
            "APPLICATION_PROFILE: `status.failed` is `failed`, which is in `completed` too",
        ),
        ("table = \"executions\"", "table = \"nowhere\"", "table public.nowhere does not exist"),
    ] {
        assert!(sound.contains(from), "{from}");
        let profile = sound.replacen(from, to, 1);
        for (step, event) in [
            ("migrate", json!({ "all": true })),
            ("reconcile-processes", json!({ "all": true })),
            ("fail-timed-out-processes", json!({ "all": true })),
        ] {
            let function = app.function(step).env("APPLICATION_PROFILE", profile.clone()).start().await?;
            // `migrate` brings its own schema all the same, and tells what is wrong.
            let answer = match function.invoke(&event).await {
                Ok(answer) if step == "migrate" => answer["findings"].to_string(),
                Ok(answer) => return Err(format!("{step} took {to}: {answer:#}").into()),
                Err(error) => error.to_string(),
            };
            assert!(answer.contains(told), "{step} {to}: {answer}");
        }
        assert_eq!(app.row(&id).await?["status"], shape.words.processing, "{to}");
        let function = app.function("check-health").env("APPLICATION_PROFILE", profile).start().await?;
        let health = function.invoke(&json!({})).await?;
        assert!(health.to_string().contains(&told[..told.len().min(60)]), "{to}: {health:#}");
    }
    Ok(())
}

#[tokio::test]
async fn rows_whose_executions_another_machine_may_run_are_not_taken_for_never_started() -> Tested {
    let shape = Shape::ALL[1];
    let app = Application::new(shape).await?;
    let id = (shape.id)();
    app.insert(&id, shape.words.processing).await?;
    let several =
        shape.profile.to_owned() + "machines = \"arn:aws:states:ap-northeast-1:000000000000:stateMachine:other-*\"\n";
    for (profile, closed) in [(several, false), (shape.profile.to_owned(), true)] {
        let function = app.function("reconcile-processes").env("APPLICATION_PROFILE", profile).start().await?;
        let result = function.invoke(&json!({ "all": true })).await?;
        assert_eq!(app.row(&id).await?["status"] == shape.words.timed_out, closed, "{result:#}");
    }
    Ok(())
}

#[tokio::test]
async fn migrate_tells_the_profile_as_it_is_understood_and_explains_what_does_not_fit() -> Tested {
    for shape in Shape::ALL {
        let app = Application::new(shape).await?;
        app.process(Goes::Succeeds).await?;
        app.process_as(shape.words.completed, Goes::Succeeds).await?;
        let understood = app.function("migrate").start().await?.invoke(&json!({})).await?;
        let profile = &understood["report"]["profile"];
        assert_eq!(profile["status"]["completed"][0], shape.words.completed, "{}: {profile:#}", shape.name);
        assert!(profile["columns"]["id"].is_string(), "{}: {profile:#}", shape.name);
        let function = app.function("migrate").start().await?;
        let explained = function.invoke(&json!({ "explain": true })).await?;
        assert_eq!(findings(&explained), [""; 0], "{}: {explained:#}", shape.name);
        let sample = &explained["report"]["explain"];
        assert_eq!(
            (&sample["rows"], &sample["executionsWithRow"]),
            (&json!(2), &json!(2)),
            "{}: {explained:#}",
            shape.name
        );

        app.insert(&(shape.id)(), "QUEUED").await?;
        let explained = function.invoke(&json!({ "explain": true })).await?;
        assert_eq!(findings(&explained), ["profile_unfit"], "{}: {explained:#}", shape.name);
        let told = explained["findings"][0]["message"].as_str().unwrap_or_default();
        assert!(told.starts_with("status `QUEUED` in 1 rows is in no list"), "{}: {told}", shape.name);
    }
    let app = Application::new(Shape::ALL[1]).await?;
    app.process(Goes::Succeeds).await?;
    let wrong = Shape::ALL[1].profile.replace("$.consignmentId", "$.consignment");
    let explained = app.function("migrate").env("APPLICATION_PROFILE", wrong).start().await?;
    let explained = explained.invoke(&json!({ "explain": true })).await?;
    let told = explained["findings"][0]["message"].as_str().unwrap_or_default();
    assert_eq!(told, "0 of 1 executions lead to a row: is `execution.input` right?", "{explained:#}");
    Ok(())
}

/// Its status is in a JSON document, its error a text, and its deadlines are by type.
const STUDIO: &str = r#"
table = "renders"
id = "name"
type = "kind"
error = "failure"

[status]
column = "doc"
key = "phase"
processing = "working"
waiting = "in review"
completed = "done"
failed = "broken"

[times]
created = "at"
updated = "touched"

[execution]
name = "render-{id}"

[deadlines]
default = 1
slow = 86400
"#;

/// Name, document, failure.
type Render = (String, Option<Value>, Option<String>);

#[tokio::test]
async fn a_status_in_a_document_an_error_in_a_text_and_deadlines_by_type_are_kept() -> Tested {
    let app = Application::new(Shape::ALL[3]).await?;
    let table = "CREATE TABLE renders (name varchar(40) PRIMARY KEY, doc jsonb, failure text, kind text, at timestamp, touched timestamp);
                 INSERT INTO renders SELECT name, doc::jsonb, NULL, kind, now() AT TIME ZONE 'UTC' - interval '1 hour',
                                            now() AT TIME ZONE 'UTC' - interval '1 hour'
                   FROM (VALUES ('fast', '{\"phase\": \"working\", \"by\": \"ada\"}', 'quick'),
                                ('long', '{\"phase\": \"working\"}', 'slow'),
                                ('held', '{\"phase\": \"in review\"}', 'quick'),
                                ('odd', '{\"by\": \"ada\"}', 'quick'),
                                ('none', NULL, 'quick')) v(name, doc, kind)";
    app.database.execute(table).await?;
    let function = app
        .function("fail-timed-out-processes")
        .env("APPLICATION_PROFILE", STUDIO)
        .env("START_DEADLINE_SECONDS", "1")
        .start()
        .await?;
    let rows = async || -> Tested<Vec<Render>> {
        let sql = "SELECT name, doc, failure FROM renders ORDER BY name";
        Ok(sqlx::query_as(sql).fetch_all(app.database.pool()).await?)
    };
    let before = rows().await?;

    let result = function.invoke(&json!({ "all": true })).await?;

    let after = rows().await?;
    let told = Some("TIMEOUT_ERROR: The processing took longer than allowed".to_owned());
    assert_eq!(after[0], ("fast".to_owned(), Some(json!({ "phase": "broken", "by": "ada" })), told), "{result:#}");
    assert_eq!(
        after[1..],
        before[1..],
        "waiting and slow ones have time, and no status is nobody's business: {result:#}"
    );
    let undo = json!({ "undo": result["actions"][0]["id"] });
    let undone = function.invoke(&undo).await?;
    assert_eq!(rows().await?, before, "{undone:#}");
    assert_eq!(undone["verification"], "verified", "{undone:#}");

    let fence = app.function("migrate").env("APPLICATION_PROFILE", STUDIO).start().await?;
    let refused = fence.invoke(&json!({ "fence": "install" })).await.unwrap_err().to_string();
    assert!(refused.contains("the fence is not installed: with the profile's `progress` as it is"), "{refused}");
    Ok(())
}
