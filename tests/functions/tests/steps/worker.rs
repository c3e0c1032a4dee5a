//! `extend-worker-timeout` and `raise-worker-memory`: a worker on the local endpoint gets another configuration, and loses it again.
//!
//! Function, versions, aliases, revisions and the state machine are the endpoint's own. What it has no state for is put into its answers, in
//! the form that AWS documents: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html> (`LastUpdateStatus`),
//! <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html> (409 and 412).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_lambda::types::AliasRoutingConfiguration;
use functions_tests::{BOUND, Bench, Tested, ago, findings, processing, sample, texts};
use harness::{Aws, AwsProxy, Deployment, Failure, Function, FunctionBuilder, eventually};
use patient::table::Row;
use serde_json::{Value, json};
use uuid::Uuid;

const TIMEOUT: &str = "extend-worker-timeout";
const MEMORY: &str = "raise-worker-memory";

/// A worker on the endpoint, the state machine that calls it, and a database.
pub struct Shop {
    pub bench: Bench,
    aws: &'static Aws,
    pub proxy: Arc<AwsProxy>,
    worker: String,
    alias: Option<&'static str>,
    machine: String,
}

impl Shop {
    /// A worker of 300 s and 1024 MB; its task waits for `task` seconds, and calls it as the installation says.
    pub async fn new(hint: &str, alias: Option<&'static str>, task: u32) -> Tested<Self> {
        Self::called_by(hint, alias, alias, task).await
    }

    /// A worker whose task calls it by another qualifier than the installation says.
    async fn called_by(hint: &str, alias: Option<&'static str>, called: Option<&str>, task: u32) -> Tested<Self> {
        let aws = Aws::shared().await?;
        let worker = format!("{}-{}", hint.replace('_', "-"), &Uuid::new_v4().simple().to_string()[..8]);
        let variables = [("MODEL", "claude"), ("SECRET", "sesame")];
        // Nobody runs it here.
        let made = Deployment::at(&worker, "/bin/true").timeout(300).memory(1024).envs(variables).deploy(aws).await?;
        if let Some(alias) = alias.or(called) {
            let version =
                aws.lambda().publish_version().function_name(&worker).send().await?.version.ok_or("no version")?;
            aws.lambda().create_alias().function_name(&worker).name(alias).function_version(version).send().await?;
        }
        let function = called.map_or_else(|| made.clone(), |called| format!("{made}:{called}"));
        let definition = json!({
            "StartAt": "Generate",
            "States": { "Generate": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": { "FunctionName": function, "Payload.$": "$" },
                "TimeoutSeconds": task,
                "End": true,
            } },
        });
        let create = aws.sfn().create_state_machine().name(&worker).role_arn("arn:aws:iam::000000000000:role/test");
        let machine = create.definition(definition.to_string()).send().await?.state_machine_arn;
        let proxy = Arc::new(AwsProxy::start(&aws.endpoint()).await?);
        alarm_is(&proxy, "OK", 10);
        Ok(Self { bench: Bench::new(hint).await?, aws, proxy, worker, alias, machine })
    }

    pub fn step(&self, name: &str) -> FunctionBuilder {
        let step = self.bench.function(name).envs(self.proxy.environment()).env("STATE_MACHINE_ARN", &self.machine);
        let step = step.env("WORKER_FUNCTION_NAME", &self.worker).env("PROCESS_DEADLINE_SECONDS", "1800");
        match self.alias {
            Some(alias) => step.env("WORKER_ALIAS", alias),
            None => step,
        }
    }

    pub fn machine(&self) -> &str {
        &self.machine
    }

    pub fn target(&self) -> String {
        self.alias
            .map_or_else(|| format!("function {}", self.worker), |alias| format!("function {}:{alias}", self.worker))
    }

    /// Timeout, memory and the rest of what a qualifier stands for.
    pub async fn seen(&self, qualifier: Option<&str>) -> Tested<(i32, i32, String)> {
        let ask = self.aws.lambda().get_function_configuration().function_name(&self.worker);
        let told = ask.set_qualifier(qualifier.map(str::to_owned)).send().await?;
        let variables = told.environment().and_then(|environment| environment.variables());
        let variables: Option<BTreeMap<_, _>> = variables.map(|variables| variables.iter().collect());
        let rest = format!("{:?} {:?} {:?}", told.code_sha256(), variables, told.handler());
        Ok((told.timeout().unwrap_or_default(), told.memory_size().unwrap_or_default(), rest))
    }

    /// The timeout that callers run with.
    pub async fn timeout(&self) -> Tested<i32> {
        // The endpoint knows an alias as a qualifier of invocations only.
        let version = match self.alias {
            Some(_) => Some(self.version().await?),
            None => None,
        };
        Ok(self.seen(version.as_deref()).await?.0)
    }

    /// The version that the alias points to.
    async fn version(&self) -> Tested<String> {
        let alias = self.aws.lambda().get_alias().function_name(&self.worker).name(self.alias.ok_or("no alias")?);
        Ok(alias.send().await?.function_version.ok_or("no version")?)
    }

    /// Somebody else changes `$LATEST`.
    pub async fn set_timeout(&self, seconds: i32) -> Tested {
        self.aws.lambda().update_function_configuration().function_name(&self.worker).timeout(seconds).send().await?;
        self.settled().await
    }

    async fn settled(&self) -> Tested {
        eventually(BOUND, "the worker to be settled", || async {
            let told = self.aws.lambda().get_function_configuration().function_name(&self.worker).send().await.ok()?;
            (told.last_update_status()?.as_str() == "Successful").then_some(())
        })
        .await?;
        Ok(())
    }

    pub async fn leases(&self) -> Tested<Vec<Value>> {
        self.bench.list("SELECT to_jsonb(l) FROM remediation.leases l ORDER BY created_at").await
    }

    /// What was done is ten minutes old, and something bad was measured since.
    pub async fn measured_since(&self) -> Tested {
        self.aged(10).await?;
        measured(&self.proxy, &[(1, 99.5)]);
        Ok(())
    }

    /// [`Bench::aged`].
    pub async fn aged(&self, minutes: u32) -> Tested {
        self.bench.aged(minutes).await
    }

    /// The time of all leases is over, and the last actions were made long ago.
    async fn later(&self) -> Tested {
        self.bench
            .database
            .execute(
                "UPDATE remediation.leases SET revert_at = now() - interval '1 minute';
                 UPDATE remediation.actions SET created_at = created_at - interval '2 hours'",
            )
            .await?;
        Ok(())
    }
}

/// What CloudWatch tells of the alarm that is asked for: its state, since so many minutes, and on what it is. The endpoint keeps no states.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html>
pub fn alarm_is(proxy: &AwsProxy, state: &str, minutes: i64) {
    let since = ago(minutes * 60).to_rfc3339();
    proxy.answer(
        "DescribeAlarms",
        json!({ "CompositeAlarms": [], "MetricAlarms": [{
            "StateValue": state, "StateTransitionedTimestamp": since, "StateUpdatedTimestamp": since,
            "Namespace": "Remediation", "MetricName": "Watched", "Statistic": "Maximum", "Period": 60,
            "EvaluationPeriods": 2, "Threshold": 90.5, "ComparisonOperator": "GreaterThanThreshold",
        }] }),
    );
    measured(proxy, &[]);
}

/// What CloudWatch measured: so many minutes ago, so much.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
pub fn measured(proxy: &AwsProxy, points: &[(i64, f64)]) {
    let times: Vec<String> = points.iter().map(|(minutes, _)| ago(minutes * 60).to_rfc3339()).collect();
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let result = json!({ "Id": "watched", "StatusCode": "Complete", "Timestamps": times, "Values": values });
    proxy.answer("GetMetricData", json!({ "MetricDataResults": [result] }));
}

pub fn schedule(step: &str) -> Value {
    json!({ "schedule": step })
}

/// What became of a run's only action, and why.
pub fn only(result: &Value) -> (&str, &str) {
    let action = &result["actions"][0];
    assert_eq!(result["actions"].as_array().map(Vec::len), Some(1), "{result:#}");
    (action["outcome"].as_str().unwrap_or_default(), action["reason"].as_str().unwrap_or_default())
}

pub fn skipped(result: &Value) -> String {
    texts(&result["skipped"], "why").join("; ")
}

pub async fn act(function: &Function, event: Value) -> Tested<Value> {
    let result = function.invoke(&event).await?;
    assert_eq!(only(&result).0, "applied", "{result:#}");
    Ok(result)
}

#[tokio::test]
async fn the_alarm_extends_the_timeout_and_an_undo_takes_it_back() -> Tested {
    let shop = Shop::new("timeout_latest", None, 900).await?;
    let timed_out =
        Row { error: Some(json!({ "code": "TIMEOUT_ERROR" })), ..processing(500).became("FAILED", ago(100)) };
    shop.bench.insert(&[timed_out]).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let alarm = sample(TIMEOUT, "alarm-worker-near-timeout")?;

    let result = act(&function, alarm.clone()).await?;

    assert_eq!(shop.timeout().await?, 600);
    assert_eq!((&result["verification"], findings(&result)), (&json!("verified"), vec!["worker_change"]), "{result:#}");
    let action = &result["actions"][0];
    assert_eq!((&action["kind"], &action["target"]), (&json!("set-worker-timeout"), &json!(shop.target())));
    let seconds = [&action["before"], &action["after"]].map(|image| image["timeoutSeconds"].as_i64());
    assert_eq!((seconds, &action["after"]["memoryMb"]), ([Some(300), Some(600)], &json!(1024)), "{result:#}");
    let told = result["findings"][0]["message"].as_str().unwrap_or_default();
    // 1 process × 300 s × 1 GB × 0.0000166667 USD × 30 / 7
    for part in ["from 300 s to 600 s", "at most 0.02 USD a month", "timeout: cdk.Duration.seconds(600)", "after 24 h"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let ledger = shop.bench.actions().await?;
    assert_eq!((ledger.len(), &ledger[0]["outcome"], &ledger[0]["cause"]), (1, &json!("applied"), &json!("incident")));
    let lease = &shop.leases().await?[0];
    assert_eq!((&lease["action_id"], &lease["ended"]), (&action["id"], &Value::Null), "{lease:#}");
    let images = (&lease["before"], &lease["after"]);
    assert_eq!(images, (&json!({ "timeoutSeconds": 300 }), &json!({ "timeoutSeconds": 600 })));

    // The event comes twice: the worker has just been given more.
    alarm_is(&shop.proxy, "ALARM", 1);
    let again = function.invoke(&alarm).await?;
    assert_eq!(again["actions"], json!([]), "{again:#}");
    assert!(skipped(&again).contains("nothing bad has been measured since the last change"), "{again:#}");

    let undone = act(&function, json!({ "undo": action["id"], "reason": "it was Bedrock" })).await?;
    assert_eq!(shop.timeout().await?, 300, "{undone:#}");
    let (lease, entry) = (&shop.leases().await?[0], &shop.bench.actions().await?[1]);
    assert_eq!((&lease["ended"], &entry["kind"], &entry["undo_of"]), (&json!("undone"), &json!("undo"), &action["id"]));
    let twice = function.invoke(&json!({ "undo": action["id"] })).await.unwrap_err();
    assert!(twice.error_message.contains("already undone"), "{twice:?}");
    // A person has decided: it is left alone for a day.
    shop.measured_since().await?;
    let after = function.invoke(&alarm).await?;
    assert!(skipped(&after).contains("undid"), "{after:#}");
    let logged = function.lines().join("\n");
    assert!(!logged.contains("sesame") && !serde_json::to_string(&result)?.contains("sesame"), "no secret is told");
    Ok(())
}

#[tokio::test]
async fn an_aliass_callers_get_it_with_a_new_version_and_nothing_else_changes() -> Tested {
    for (step, setting) in [(TIMEOUT, "timeoutSeconds"), (MEMORY, "memoryMb")] {
        let shop = Shop::new(&format!("alias_{}", setting.to_lowercase()), Some("live"), 900).await?;
        let before = (shop.seen(None).await?, shop.seen(Some("1")).await?);
        let function = shop.step(step).start().await?;

        let result = act(&function, json!({ "all": true })).await?;

        let version = shop.version().await?;
        assert_eq!(version, "2", "{result:#}");
        let (timeout, memory, rest) = shop.seen(Some(&version)).await?;
        let expected = if step == TIMEOUT { (600, 1024) } else { (300, 1536) };
        assert_eq!(((timeout, memory), &rest), (expected, &before.1.2), "{step}");
        assert_eq!(shop.seen(Some("1")).await?, before.1, "the old version is as it was");
        let after = &result["actions"][0]["after"];
        assert_eq!(
            (&after["version"], after[setting].as_i64()),
            (&json!("2"), Some(if step == TIMEOUT { 600 } else { 1536 }))
        );
        assert_eq!(
            (&result["actions"][0]["target"], &result["verification"]),
            (&json!(shop.target()), &json!("verified"))
        );
        for call in ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"] {
            let asked = shop.proxy.requests(call);
            assert_eq!(asked.len(), 1, "{call}");
            assert!(asked[0]["RevisionId"].is_string(), "{call} compares the revision: {}", asked[0]);
        }

        act(&function, json!({ "undo": result["actions"][0]["id"] })).await?;
        assert_eq!(shop.version().await?, "3");
        assert_eq!(shop.seen(Some("3")).await?, before.1);
        assert_eq!(shop.seen(None).await?, before.0, "$LATEST has nothing that was not released");
    }
    Ok(())
}

#[tokio::test]
async fn what_nobody_confirmed_is_put_back_when_its_time_is_over() -> Tested {
    for alias in [None, Some("live")] {
        let shop = Shop::new("reverted", alias, 900).await?;
        let function = shop.step(TIMEOUT).start().await?;
        let changed = act(&function, json!({ "all": true, "revertAfter": "36h" })).await?;
        assert_eq!(shop.timeout().await?, 600);
        let hours: f64 =
            sqlx::query_scalar("SELECT extract(epoch FROM revert_at - now())::float8 / 3600 FROM remediation.leases")
                .fetch_one(shop.bench.database.pool())
                .await?;
        assert!((35.0..=36.0).contains(&hours), "{hours}");
        let early = function.invoke(&schedule(TIMEOUT)).await?;
        assert_eq!((&early["actions"], shop.timeout().await?), (&json!([]), 600), "{early:#}");

        shop.later().await?;
        // Whatever is over a limit, what was begun is ended.
        shop.bench
            .database
            .execute("INSERT INTO remediation.controls (step, actions_per_hour) VALUES ('extend-worker-timeout', 0)")
            .await?;
        let observed = function.invoke(&json!({ "schedule": TIMEOUT, "mode": "observe" })).await?;
        assert_eq!((only(&observed).0, shop.timeout().await?), ("planned", 600), "{observed:#}");
        let result = act(&function, schedule(TIMEOUT)).await?;

        assert_eq!(shop.timeout().await?, 300, "{result:#}");
        assert_eq!(result["actions"][0]["kind"], "revert-worker", "{result:#}");
        assert!(only(&result).1.contains("without confirmation: revert to 300 s"), "{result:#}");
        assert_eq!(shop.leases().await?[0]["ended"], "reverted");
        shop.bench.database.execute("DELETE FROM remediation.controls").await?;
        let undo = function.invoke(&json!({ "undo": changed["actions"][0]["id"] })).await.unwrap_err();
        assert!(undo.error_message.contains("already reverted"), "{undo:?}");
        let nothing = function.invoke(&schedule(TIMEOUT)).await?;
        assert_eq!(nothing["actions"], json!([]), "{nothing:#}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_person_confirms_stays_and_the_answer_names_the_line_to_change() -> Tested {
    let shop = Shop::new("confirmed", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let changed = act(&function, json!({ "to": 480 })).await?;
    let id = &changed["actions"][0]["id"];
    assert_eq!((shop.timeout().await?, &shop.bench.actions().await?[0]["cause"]), (480, &json!("asked")));

    let observed = function.invoke(&json!({ "confirm": id, "mode": "observe" })).await?;
    assert_eq!((only(&observed).0, &shop.leases().await?[0]["confirmed_at"]), ("planned", &Value::Null));
    let result = act(&function, json!({ "confirm": id, "reason": "it helps" })).await?;

    assert_eq!(
        (&result["actions"][0]["kind"], findings(&result)),
        (&json!("confirm-lease"), vec!["set_in_cdk"]),
        "{result:#}"
    );
    assert!(
        result["findings"][0]["message"]
            .as_str()
            .is_some_and(|told| told.contains("timeout: cdk.Duration.seconds(480)"))
    );
    assert_eq!(shop.bench.actions().await?[1]["kind"], "confirm-lease");
    shop.later().await?;
    let swept = function.invoke(&schedule(TIMEOUT)).await?;
    assert_eq!((&swept["actions"], shop.timeout().await?), (&json!([]), 480), "{swept:#}");
    let again = function.invoke(&json!({ "confirm": id })).await?;
    assert!(again["actions"] == json!([]) && skipped(&again).contains("already "), "{again:#}");

    // It is a change like any other: it can be taken back still.
    act(&function, json!({ "undo": id })).await?;
    assert_eq!((shop.timeout().await?, &shop.leases().await?[0]["ended"]), (300, &json!("undone")));
    let over = function.invoke(&json!({ "confirm": id })).await.unwrap_err();
    assert!(over.error_message.contains("its lease has already ended (undone"), "{over:?}");
    Ok(())
}

#[tokio::test]
async fn what_somebody_has_changed_since_is_never_put_back() -> Tested {
    // (what it is when its time is over, how the lease ends)
    for (since, ended) in [(450, "changed"), (300, "reverted")] {
        let shop = Shop::new("changed_since", None, 900).await?;
        let function = shop.step(TIMEOUT).start().await?;
        let changed = act(&function, json!({ "all": true })).await?;
        shop.set_timeout(since).await?;
        shop.later().await?;
        shop.proxy.reset();

        let undo = function.invoke(&json!({ "undo": changed["actions"][0]["id"] })).await?;
        assert_eq!(only(&undo).0, "failed", "{undo:#}");
        assert!(only(&undo).1.contains("somebody has changed it since"), "{undo:#}");
        let result = act(&function, schedule(TIMEOUT)).await?;

        assert_eq!((&result["actions"][0]["kind"], shop.timeout().await?), (&json!("end-lease"), since), "{result:#}");
        assert_eq!(shop.leases().await?[0]["ended"], ended);
        assert_eq!(shop.proxy.calls("UpdateFunctionConfiguration"), 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_second_change_is_put_back_to_what_people_had_configured() -> Tested {
    let shop = Shop::new("superseding", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    act(&function, json!({ "all": true })).await?;
    shop.bench.database.execute("UPDATE remediation.actions SET created_at = created_at - interval '2 hours'").await?;
    let second = act(&function, json!({ "all": true })).await?;
    assert_eq!(shop.timeout().await?, 900);
    let leases = shop.leases().await?;
    assert_eq!((&leases[0]["ended"], &leases[1]["before"]), (&json!("superseded"), &json!({ "timeoutSeconds": 300 })));

    // The second one alone is taken back: the first one is in force again, and its lease is open.
    act(&function, json!({ "undo": second["actions"][0]["id"] })).await?;
    let leases = shop.leases().await?;
    assert_eq!(
        (shop.timeout().await?, &leases[0]["ended"], &leases[1]["ended"]),
        (600, &Value::Null, &json!("undone"))
    );
    shop.later().await?;
    act(&function, schedule(TIMEOUT)).await?;
    assert_eq!((shop.timeout().await?, &shop.leases().await?[0]["ended"]), (300, &json!("reverted")));

    // At the ceiling there is no step further.
    shop.set_timeout(900).await?;
    shop.later().await?;
    let ceiling = function.invoke(&json!({ "all": true })).await?;
    assert_eq!((findings(&ceiling), &ceiling["actions"]), (vec!["at_ceiling"], &json!([])), "{ceiling:#}");
    Ok(())
}

#[tokio::test]
async fn a_schedule_acts_only_while_the_alarms_incident_is_open() -> Tested {
    let shop = Shop::new("incident", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let quiet = function.invoke(&schedule(TIMEOUT)).await?;
    assert_eq!((&quiet["actions"], shop.timeout().await?), (&json!([]), 300), "{quiet:#}");
    assert_eq!(skipped(&quiet), "alarm worker-near-timeout has no open incident");

    // The alarm went off while somebody deployed.
    let busy = || Failure::error("ResourceConflictException").status(409);
    shop.proxy.fail("UpdateFunctionConfiguration", busy().times(1));
    let alarm = sample(TIMEOUT, "alarm-worker-near-timeout")?;
    let later = function.invoke(&alarm).await?;
    assert_eq!((only(&later).0, shop.timeout().await?), ("superseded", 300), "{later:#}");
    assert!(only(&later).1.contains("deployment in progress (ResourceConflictException)"), "{later:#}");
    assert_eq!(shop.leases().await?[0]["ended"], "failed");

    // It was no attempt: the next look does it.
    alarm_is(&shop.proxy, "ALARM", 1);
    act(&function, schedule(TIMEOUT)).await?;
    assert_eq!(shop.timeout().await?, 600);

    // While the incident is open the change stays, whatever its time; once it is over it is put back.
    shop.later().await?;
    shop.bench.database.execute("UPDATE remediation.actions SET created_at = now()").await?;
    shop.set_timeout(600).await?;
    let control = "INSERT INTO remediation.controls (step, actions_per_hour) VALUES ('extend-worker-timeout', 0)";
    shop.bench.database.execute(control).await?;
    let kept = function.invoke(&schedule(TIMEOUT)).await?;
    assert_eq!((kept["actions"].as_array().map(Vec::len), shop.timeout().await?), (Some(0), 600), "{kept:#}");
    let over = function.invoke(&sample(TIMEOUT, "alarm-worker-near-timeout-ok")?).await?;
    assert_eq!(over["actions"], json!([]), "{over:#}");
    alarm_is(&shop.proxy, "OK", 1);
    act(&function, schedule(TIMEOUT)).await?;
    assert_eq!(shop.timeout().await?, 300);
    // An alarm that comes after its end opens nothing.
    let late = function.invoke(&alarm).await?;
    assert!(late["actions"] == json!([]) && skipped(&late).ends_with("has no open incident"), "{late:#}");
    Ok(())
}

#[tokio::test]
async fn a_deployment_under_way_is_never_overwritten() -> Tested {
    let shop = Shop::new("under_way", Some("live"), 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let before = shop.seen(Some("1")).await?;

    // Somebody writes between our look and our write: the endpoint itself refuses the stale revision.
    let (client, worker) = (shop.aws.lambda(), shop.worker.clone());
    shop.proxy.before("UpdateFunctionConfiguration", move || {
        let (client, worker) = (client.clone(), worker.clone());
        async move {
            let update = client.update_function_configuration().function_name(worker).description("theirs");
            update.send().await.unwrap();
        }
    });
    let result = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(only(&result).0, "superseded", "{result:#}");
    assert!(only(&result).1.contains("PreconditionFailedException"), "{result:#}");
    shop.proxy.clear();
    shop.settled().await?;

    // A canary: part of the calls goes to another version.
    let weights = AliasRoutingConfiguration::builder().additional_version_weights("2", 0.1).build();
    let publish = shop.aws.lambda().publish_version().function_name(&shop.worker).send().await?;
    assert_eq!(publish.version(), Some("2"));
    let alias = || shop.aws.lambda().update_alias().function_name(&shop.worker).name("live");
    alias().routing_config(weights).send().await?;
    shop.proxy.reset();
    let result = function.invoke(&json!({ "all": true })).await?;
    assert_eq!(result["actions"], json!([]), "{result:#}");
    assert!(skipped(&result).contains("deployment in progress (live: RoutingConfig)"), "{result:#}");
    alias().routing_config(AliasRoutingConfiguration::builder().build()).send().await?;

    // An update that is not done yet, and a version that is not ready.
    for (field, value) in [("LastUpdateStatus", "InProgress"), ("State", "Pending")] {
        shop.proxy.rewrite("GetFunctionConfiguration", move |told| told[field] = value.into());
        let result = function.invoke(&json!({ "all": true })).await?;
        assert!(skipped(&result).contains(&format!("{field}={value}")), "{result:#}");
    }
    assert_eq!((shop.seen(Some("1")).await?, shop.version().await?), (before, "1".to_owned()));
    assert_eq!(shop.proxy.calls("UpdateFunctionConfiguration") + shop.proxy.calls("UpdateAlias"), 0);
    Ok(())
}

#[tokio::test]
async fn where_the_alias_cannot_be_moved_latest_is_put_back_and_nothing_is_released() -> Tested {
    for (call, failure, outcome) in [
        ("UpdateAlias", Failure::error("PreconditionFailedException").status(412), "superseded"),
        ("PublishVersion", Failure::error("ResourceConflictException").status(409), "superseded"),
        ("PublishVersion", Failure::error("CodeVerificationFailedException"), "failed"),
    ] {
        let shop = Shop::new("not_moved", Some("live"), 900).await?;
        let function = shop.step(TIMEOUT).start().await?;
        shop.proxy.fail(call, failure);

        let result = function.invoke(&json!({ "all": true })).await?;

        assert_eq!(only(&result).0, outcome, "{result:#}");
        assert!(only(&result).1.contains("$LATEST was reverted"), "{result:#}");
        assert_eq!((shop.version().await?, shop.seen(None).await?.0), ("1".to_owned(), 300), "{call}");
        assert_eq!(shop.leases().await?[0]["ended"], "failed");
        // And the next look does it all.
        shop.proxy.clear();
        shop.settled().await?;
        act(&function, json!({ "all": true })).await?;
        assert_eq!(shop.timeout().await?, 600);
    }
    Ok(())
}

#[tokio::test]
async fn an_update_that_lambda_cannot_bring_about_is_a_failure_with_its_reason() -> Tested {
    let shop = Shop::new("update_fails", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let proxy = Arc::downgrade(&shop.proxy);
    shop.proxy.after("UpdateFunctionConfiguration", move || {
        if let Some(proxy) = proxy.upgrade() {
            proxy.rewrite("GetFunctionConfiguration", |told| {
                told["LastUpdateStatus"] = "Failed".into();
                told["LastUpdateStatusReason"] = "The KMS key is disabled".into();
                told["State"] = "Active".into();
            });
        }
        async {}
    });

    let result = function.invoke(&json!({ "all": true })).await?;

    assert_eq!((only(&result).0, &result["verification"]), ("failed", &json!("failed")), "{result:#}");
    assert!(only(&result).1.contains("LastUpdateStatus=Failed: The KMS key is disabled"), "{result:#}");
    let (lease, entry) = (&shop.leases().await?[0], &shop.bench.actions().await?[0]);
    assert_eq!((&lease["ended"], &entry["outcome"]), (&json!("failed"), &json!("failed")));
    // As long as that is so nothing is tried, and people are told.
    let next = function.invoke(&json!({ "all": true })).await?;
    assert_eq!((findings(&next), &next["actions"]), (vec!["update_failed"], &json!([])), "{next:#}");
    Ok(())
}

#[tokio::test]
async fn what_lambda_is_not_done_with_in_time_is_unverified_and_still_has_its_lease() -> Tested {
    let shop = Shop::new("not_done", None, 900).await?;
    let function = shop.step(TIMEOUT).timeout(Duration::from_secs(6)).start().await?;
    let proxy = Arc::downgrade(&shop.proxy);
    shop.proxy.after("UpdateFunctionConfiguration", move || {
        if let Some(proxy) = proxy.upgrade() {
            proxy.rewrite("GetFunctionConfiguration", |told| told["LastUpdateStatus"] = "InProgress".into());
        }
        async {}
    });

    let result = function.invoke(&json!({ "all": true })).await?;

    assert_eq!((only(&result).0, &result["verification"]), ("applied", &json!("unverified")), "{result:#}");
    assert!(only(&result).1.contains("did not finish it within this run"), "{result:#}");
    assert_eq!(shop.leases().await?[0]["ended"], Value::Null);
    shop.proxy.clear();
    alarm_is(&shop.proxy, "OK", 10);
    shop.later().await?;
    act(&function, schedule(TIMEOUT)).await?;
    assert_eq!((shop.timeout().await?, &shop.leases().await?[0]["ended"]), (300, &json!("reverted")));
    Ok(())
}

#[tokio::test]
async fn what_a_crash_left_open_is_settled_by_looking_at_the_worker() -> Tested {
    // (what became of the change, the entry's outcome, how its lease ended)
    for (done, outcome, ended) in [(true, "applied", Value::Null), (false, "failed", json!("failed"))] {
        let shop = Shop::new("crash", None, 900).await?;
        let function = shop.step(TIMEOUT).start().await?;
        act(&function, json!({ "all": true })).await?;
        if !done {
            shop.set_timeout(300).await?;
        }
        let crashed = "UPDATE remediation.actions SET outcome = 'applying', closed_at = NULL, after = '{\"timeoutSeconds\": 600}'";
        shop.bench.database.execute(crashed).await?;
        let busy = function.invoke(&json!({ "to": 700 })).await?;
        assert!(
            skipped(&busy).contains("extend-worker-timeout has been changing the worker since"),
            "it may be under way still: {busy:#}"
        );

        shop.bench
            .database
            .execute("UPDATE remediation.actions SET created_at = now() - interval '17 minutes', alive_until = now() - interval '1 minute'")
            .await?;
        function.invoke(&schedule(TIMEOUT)).await?;

        let (entry, lease) = (&shop.bench.actions().await?[0], &shop.leases().await?[0]);
        assert_eq!((&entry["outcome"], &lease["ended"]), (&json!(outcome), &ended), "{entry:#}");
        assert_eq!(entry["after"]["timeoutSeconds"], if done { 600 } else { 300 });
    }
    Ok(())
}

#[tokio::test]
async fn where_the_task_gives_up_first_the_finding_says_what_to_set_and_nothing_is_changed() -> Tested {
    let shop = Shop::new("task_wins", None, 300).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let result = function.invoke(&sample(TIMEOUT, "alarm-worker-near-timeout")?).await?;
    assert_eq!((findings(&result), &result["actions"]), (vec!["task_timeout_wins"], &json!([])), "{result:#}");
    let told = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(told.contains("task Generate times out after 5 min") && told.contains("Duration.seconds(600)"), "{told}");
    assert_eq!((shop.timeout().await?, shop.proxy.calls("UpdateFunctionConfiguration")), (300, 0));
    // It needs a person, who is told once.
    alarm_is(&shop.proxy, "ALARM", 1);
    let again = function.invoke(&schedule(TIMEOUT)).await?;
    assert_eq!(again["findings"], json!([]), "{again:#}");
    assert!(skipped(&again).contains("task_timeout_wins: needs a person; already reported"), "{again:#}");
    // Another installation's task waits a little longer: that far, and no further.
    let shop = Shop::new("task_caps", None, 420).await?;
    act(&shop.step(TIMEOUT).start().await?, json!({ "all": true })).await?;
    assert_eq!(shop.timeout().await?, 420);
    Ok(())
}

#[tokio::test]
async fn what_nobody_released_is_not_released_with_a_change() -> Tested {
    let shop = Shop::new("unreleased", Some("live"), 900).await?;
    let update = shop.aws.lambda().update_function_configuration().function_name(&shop.worker).memory_size(2048);
    update.handler("another").send().await?;
    shop.settled().await?;
    let function = shop.step(TIMEOUT).start().await?;
    let result = function.invoke(&json!({ "all": true })).await?;
    assert_eq!((findings(&result), &result["actions"]), (vec!["latest_differs"], &json!([])), "{result:#}");
    assert_eq!(result["findings"][0]["evidence"]["differs"], json!(["memorySize", "handler"]), "{result:#}");
    assert_eq!((shop.timeout().await?, shop.version().await?), (300, "1".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_worker_that_is_called_otherwise_than_the_setting_says_is_left_alone() -> Tested {
    for (alias, called, told) in [
        (None, Some("live"), "calls the worker as live, but WORKER_ALIAS is not set"),
        (Some("live"), None, "calls the worker as $LATEST, but WORKER_ALIAS is live"),
    ] {
        let shop = Shop::called_by("mismatch", alias, called, 900).await?;
        for step in [TIMEOUT, MEMORY] {
            let result = shop.step(step).start().await?.invoke(&json!({ "all": true })).await?;
            assert_eq!((findings(&result), &result["actions"]), (vec!["alias_mismatch"], &json!([])), "{result:#}");
            let message = result["findings"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains(told), "{message}");
        }
        assert_eq!(shop.proxy.calls("UpdateFunctionConfiguration"), 0);
    }
    Ok(())
}

#[tokio::test]
async fn without_the_definition_only_a_person_who_names_the_value_changes_something() -> Tested {
    let shop = Shop::new("no_definition", None, 900).await?;
    shop.proxy.fail("DescribeStateMachine", Failure::error("AccessDeniedException"));
    let function = shop.step(TIMEOUT).start().await?;
    let result = function.invoke(&sample(TIMEOUT, "alarm-worker-near-timeout")?).await?;
    assert_eq!((findings(&result), &result["actions"]), (vec!["callers_unknown"], &json!([])), "{result:#}");
    act(&function, json!({ "to": 450 })).await?;
    assert_eq!(shop.timeout().await?, 450);
    Ok(())
}

#[tokio::test]
async fn a_look_tells_a_plan_waits_and_an_approval_does_it() -> Tested {
    let shop = Shop::new("modes", None, 900).await?;
    let function = shop.step(TIMEOUT).env("REMEDIATION_MODE", "propose").start().await?;
    let look = function.invoke(&json!({})).await?;
    assert_eq!((only(&look).0, &look["toDoIt"], shop.timeout().await?), ("planned", &json!({ "all": true }), 300));
    let plan = function.invoke(&json!({ "to": 480 })).await?;
    assert_eq!(only(&plan).0, "proposed", "{plan:#}");
    // Meanwhile somebody else has done something else: what was approved is still 480.
    let done = act(&function, json!({ "approve": plan["planId"] })).await?;
    assert_eq!((shop.timeout().await?, &done["actions"][0]["after"]["timeoutSeconds"]), (480, &json!(480)), "{done:#}");

    // What is to be put back is proposed and approved alike.
    shop.later().await?;
    let plan = function.invoke(&schedule(TIMEOUT)).await?;
    assert_eq!((only(&plan).0, &plan["actions"][0]["kind"]), ("proposed", &json!("revert-worker")), "{plan:#}");
    act(&function, json!({ "approve": plan["planId"] })).await?;
    assert_eq!((shop.timeout().await?, &shop.leases().await?[0]["ended"]), (300, &json!("reverted")));
    Ok(())
}

#[tokio::test]
async fn what_may_not_be_asked_is_refused_with_what_may() -> Tested {
    let shop = Shop::new("refused", None, 900).await?;
    let (timeout, memory) = (shop.step(TIMEOUT).start().await?, shop.step(MEMORY).start().await?);
    let changed = act(&memory, json!({ "to": 2048 })).await?;
    let id = &changed["actions"][0]["id"];
    for (event, told) in [
        (json!({ "to": 901 }), "a whole number from 300 to 900"),
        (json!({ "to": 299 }), "a whole number from 300 to 900"),
        (json!({ "to": "600" }), "a whole number"),
        (json!({ "all": true, "revertAfter": "31d" }), "from 5m to 30d"),
        (json!({ "confirm": "x" }), "a UUID"),
        (json!({ "confirm": Uuid::nil() }), "no such change of the worker"),
        (json!({ "confirm": id }), "it belongs to raise-worker-memory: send it there"),
        (json!({ "undo": id }), "it belongs to raise-worker-memory: send it there"),
        (json!({ "confirm": id, "to": 600 }), "a change is confirmed exactly as it was made"),
        (json!({ "processId": Uuid::nil() }), "changes the worker, not one process"),
        (json!({ "seconds": 600 }), "to, confirm, revertAfter"),
    ] {
        let refused = timeout.invoke(&event).await.unwrap_err();
        assert!(refused.error_message.contains(told), "{event}: {refused:?}");
    }
    assert_eq!((shop.timeout().await?, shop.seen(None).await?.1), (300, 2048));
    let lost = shop.step(TIMEOUT).env("WORKER_FUNCTION_NAME", "nobody").start().await?;
    let error = lost.invoke(&json!({})).await.unwrap_err();
    assert!(error.error_message.contains("check WORKER_FUNCTION_NAME"), "{error:?}");
    Ok(())
}
