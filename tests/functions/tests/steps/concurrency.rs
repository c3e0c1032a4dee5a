//! `throttle-worker`, `provision-worker-concurrency` and `redeploy-worker`, on a real function of the local endpoint. What the endpoint
//! lacks (an allocation that takes time or fails, an account with a usual quota) is rewritten into its answers in the documented form.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use functions_tests::{BOUND, Bench, Tested, findings, sample, texts};
use harness::{Aws, AwsProxy, Deployment, Failure, Function, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::worker::{alarm_is, measured};

/// A worker with a state machine that calls it.
struct World {
    bench: Bench,
    aws: &'static Aws,
    proxy: AwsProxy,
    worker: String,
    alias: Option<&'static str>,
    machine: String,
}

impl World {
    /// A worker; its state machine waits a moment, then calls it by its name or alias, and tries again as `retry` says.
    async fn new(hint: &str, alias: Option<&'static str>, retry: Value) -> Tested<Self> {
        let aws = Aws::shared().await?;
        let worker = format!("worker-{}", &Uuid::new_v4().simple().to_string()[..8]);
        Deployment::new(&worker, "check-health").timeout(60).memory(512).deploy(aws).await?;
        let mut called = worker.clone();
        if let Some(alias) = alias {
            let version = aws.lambda().publish_version().function_name(&worker).send().await?.version;
            let version = version.ok_or("no version")?;
            aws.lambda().create_alias().function_name(&worker).name(alias).function_version(version).send().await?;
            called = format!("{worker}:{alias}");
        }
        let task = json!({
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": { "FunctionName": called, "Payload.$": "$" },
            "Retry": retry,
            "End": true,
        });
        let states = json!({ "Wait": { "Type": "Wait", "Seconds": 3600, "Next": "Call" }, "Call": task });
        let create = aws.sfn().create_state_machine().name(&worker).role_arn("arn:aws:iam::000000000000:role/test");
        let machine = create.definition(json!({ "StartAt": "Wait", "States": states }).to_string()).send().await?;
        let proxy = AwsProxy::start(&aws.endpoint()).await?;
        // The endpoint's own is as small as this machine.
        proxy.rewrite("GetAccountSettings", |answer| {
            answer["AccountLimit"]["UnreservedConcurrentExecutions"] = json!(1000);
        });
        alarm_is(&proxy, "OK", 60);
        let machine = machine.state_machine_arn;
        Ok(Self { bench: Bench::new(hint).await?, aws, proxy, worker, alias, machine })
    }

    async fn step(&self, name: &str) -> Tested<Function> {
        let mut function = self
            .bench
            .function(name)
            .envs(self.proxy.environment())
            .env("STATE_MACHINE_ARN", self.machine.as_str())
            .env("WORKER_FUNCTION_NAME", self.worker.as_str());
        if let Some(alias) = self.alias {
            function = function.env("WORKER_ALIAS", alias);
        }
        Ok(function.start().await?)
    }

    /// So many executions that run.
    async fn run(&self, count: usize) -> Tested {
        for _ in 0..count {
            self.aws.sfn().start_execution().state_machine_arn(&self.machine).input("{}").send().await?;
        }
        Ok(())
    }

    async fn reserve(&self, runs: i32) -> Tested {
        let put = self.aws.lambda().put_function_concurrency().function_name(&self.worker);
        put.reserved_concurrent_executions(runs).send().await?;
        Ok(())
    }

    async fn reserved(&self) -> Tested<Option<i32>> {
        let told = self.aws.lambda().get_function_concurrency().function_name(&self.worker).send().await?;
        Ok(told.reserved_concurrent_executions)
    }

    async fn provisioned(&self) -> Option<i32> {
        let ask = self.aws.lambda().get_provisioned_concurrency_config().function_name(&self.worker);
        let told = ask.qualifier(self.alias.unwrap_or("$LATEST")).send().await.ok()?;
        told.requested_provisioned_concurrent_executions
    }

    /// [`Bench::aged`].
    async fn later(&self, minutes: u32) -> Tested {
        self.bench.aged(minutes).await
    }

    /// How the leases ended, the oldest first.
    async fn leases(&self) -> Tested<Vec<Value>> {
        self.bench.list("SELECT to_jsonb(l) FROM remediation.leases l ORDER BY created_at").await
    }
}

/// A retrier that goes on for long enough.
fn patient() -> Value {
    json!([{
        "ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 5, "MaxAttempts": 6, "BackoffRate": 2,
    }])
}

fn outcomes(result: &Value) -> Vec<(&str, &str)> {
    texts(&result["actions"], "kind").into_iter().zip(texts(&result["actions"], "outcome")).collect()
}

const LOWERED: (&str, &str) = ("set-reserved-concurrency", "applied");
const PUT_BACK: (&str, &str) = ("revert-worker", "applied");

#[tokio::test]
async fn where_nothing_was_reserved_the_worker_is_throttled_from_what_runs_and_freed_again() -> Tested {
    let world = World::new("throttle_none", None, patient()).await?;
    world.run(4).await?;
    let step = world.step("throttle-worker").await?;

    let result = step.invoke(&sample("throttle-worker", "alarm-bedrock-throttles")?).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![LOWERED], Some(2)), "{result:#}");
    assert_eq!(findings(&result), ["worker_change", "raise_quota"], "{result:#}");
    let told = texts(&result["findings"], "message").join("\n");
    assert!(told.contains("at most 0.00 USD a month") && told.contains("tokens per minute"), "{told}");
    assert!(told.contains("the state machine retries them for up to 5 min 15 s"), "{told}");
    assert_eq!(result["verification"], "verified", "{result:#}");

    let result = step.invoke(&sample("throttle-worker", "alarm-bedrock-throttles-ok")?).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![PUT_BACK], None), "{result:#}");
    let lease = world.leases().await?.remove(0);
    assert_eq!((&lease["ended"], &lease["before"]), (&json!("reverted"), &json!({ "reservedConcurrency": null })));
    Ok(())
}

#[tokio::test]
async fn what_was_reserved_is_lowered_step_by_step_and_comes_back_step_by_step() -> Tested {
    let world = World::new("throttle_steps", None, patient()).await?;
    world.reserve(20).await?;
    let step = world.step("throttle-worker").await?;
    let schedule = sample("throttle-worker", "schedule")?;

    // No incident, no change.
    let result = step.invoke(&schedule).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![], Some(20)), "{result:#}");
    step.invoke(&sample("throttle-worker", "alarm-bedrock-throttles")?).await?;
    assert_eq!(world.reserved().await?, Some(10));
    // What a step has done has to be seen first.
    alarm_is(&world.proxy, "ALARM", 1);
    for _ in 0..2 {
        let result = step.invoke(&schedule).await?;
        assert_eq!((outcomes(&result), world.reserved().await?), (vec![], Some(10)), "{result:#}");
        world.later(11).await?;
    }
    measured(&world.proxy, &[(1, 120.0)]);
    let result = step.invoke(&schedule).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![LOWERED], Some(5)), "{result:#}");

    world.later(11).await?;
    let result = step.invoke(&sample("throttle-worker", "alarm-bedrock-throttles-ok")?).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![LOWERED], Some(10)), "{result:#}");
    // An alarm without data is not known to be quiet.
    alarm_is(&world.proxy, "INSUFFICIENT_DATA", 90);
    world.later(11).await?;
    let result = step.invoke(&schedule).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![], Some(10)), "{result:#}");
    alarm_is(&world.proxy, "OK", 60);
    // The sample's OK is of long ago.
    world.bench.database.execute("UPDATE remediation.incidents SET closed_at = now()").await?;
    world.later(11).await?;
    let result = step.invoke(&schedule).await?;
    let why = texts(&result["skipped"], "why").join("\n");
    assert!(why.contains("once the alarm has been OK for 15 min"), "{result:#}");
    assert_eq!(world.reserved().await?, Some(10));
    world.later(5).await?;
    let result = step.invoke(&schedule).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![PUT_BACK], Some(20)), "{result:#}");

    let leases = world.leases().await?;
    assert_eq!(
        leases.iter().map(|lease| &lease["ended"]).collect::<Vec<_>>(),
        ["superseded", "superseded", "reverted"]
    );
    assert!(leases.iter().all(|lease| lease["before"] == json!({ "reservedConcurrency": 20 })), "{leases:#?}");
    // It was put back when it would have been, not a day after each step.
    assert_eq!(
        leases[1]["revert_at"].as_str().map(|at| &at[..16]),
        leases[2]["revert_at"].as_str().map(|at| &at[..16])
    );
    Ok(())
}

#[tokio::test]
async fn a_lease_that_is_over_frees_the_worker_in_any_case_and_a_persons_number_is_taken_back() -> Tested {
    let world = World::new("throttle_lease", None, patient()).await?;
    let step = world.step("throttle-worker").await?;
    // Nothing runs, and nothing is wrong: there is nothing to throttle.
    let result = step.invoke(&json!({ "all": true })).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![], None), "{result:#}");
    assert!(texts(&result["skipped"], "why").join("").contains("nothing is running"), "{result:#}");
    let result = step.invoke(&sample("throttle-worker", "operator-to")?).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![LOWERED], Some(5)), "{result:#}");
    // A person's number is not raised by itself.
    world.later(60).await?;
    let result = step.invoke(&sample("throttle-worker", "alarm-bedrock-throttles-ok")?).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![], Some(5)), "{result:#}");
    world.later(24 * 60).await?;
    let result = step.invoke(&sample("throttle-worker", "schedule")?).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![PUT_BACK], None), "{result:#}");

    world.reserve(8).await?;
    world.later(11).await?;
    let result = step.invoke(&json!({ "to": 3 })).await?;
    assert_eq!(world.reserved().await?, Some(3), "{result:#}");
    let result = step.invoke(&json!({ "undo": result["actions"][0]["id"] })).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![("undo", "applied")], Some(8)), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn where_refused_calls_are_not_tried_again_nothing_is_lowered_and_people_hear_it_once() -> Tested {
    let world = World::new("throttle_hasty", None, json!([])).await?;
    world.reserve(20).await?;
    let step = world.step("throttle-worker").await?;
    let alarm = sample("throttle-worker", "alarm-bedrock-throttles")?;
    let result = step.invoke(&alarm).await?;
    assert_eq!((findings(&result), outcomes(&result)), (vec!["not_retried"], vec![]), "{result:#}");
    assert_eq!(world.proxy.calls("DescribeStateMachine"), 1, "one look reads the definition once");
    assert!(result["findings"][0]["message"].to_string().contains("addRetry"), "{result:#}");
    let result = step.invoke(&alarm).await?;
    assert_eq!((findings(&result).len(), world.reserved().await?), (0, Some(20)), "{result:#}");
    // AWS keeps 100 for functions without a reservation.
    let world = World::new("throttle_account", None, patient()).await?;
    world.run(2).await?;
    world.proxy.rewrite("GetAccountSettings", |answer| {
        answer["AccountLimit"]["UnreservedConcurrentExecutions"] = json!(100);
    });
    let result = world.step("throttle-worker").await?.invoke(&alarm).await?;
    assert_eq!((findings(&result), world.reserved().await?), (vec!["account_limit"], None), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn what_lambda_refuses_is_an_outcome_and_leaves_no_lease_open() -> Tested {
    let world = World::new("throttle_refused", None, patient()).await?;
    world.reserve(20).await?;
    let step = world.step("throttle-worker").await?;
    // <https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html>
    let conflict = Failure::error("ResourceConflictException").status(409);
    world.proxy.fail("PutFunctionConcurrency", conflict.times(1));
    let alarm = sample("throttle-worker", "alarm-bedrock-throttles")?;
    let result = step.invoke(&alarm).await?;
    let outcome = ("set-reserved-concurrency", "superseded");
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![outcome], Some(20)), "{result:#}");
    assert_eq!(world.leases().await?[0]["ended"], "failed");
    // It is no attempt: the next look does it.
    alarm_is(&world.proxy, "ALARM", 1);
    let result = step.invoke(&sample("throttle-worker", "schedule")?).await?;
    assert_eq!((outcomes(&result), world.reserved().await?), (vec![LOWERED], Some(10)), "{result:#}");
    Ok(())
}

const PROVISIONED: (&str, &str) = ("set-provisioned-concurrency", "applied");

#[tokio::test]
async fn environments_are_kept_ready_for_the_alias_until_the_lease_is_over_or_taken_back() -> Tested {
    let world = World::new("provision", Some("live"), patient()).await?;
    let step = world.step("provision-worker-concurrency").await?;
    let alarm = sample("provision-worker-concurrency", "alarm-worker-cold-starts")?;
    let result = step.invoke(&json!({})).await?;
    assert_eq!(
        (outcomes(&result), world.provisioned().await),
        (vec![("set-provisioned-concurrency", "planned")], None)
    );

    // Lambda takes its time: IN_PROGRESS, then READY.
    // <https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html>
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    world.proxy.rewrite("GetProvisionedConcurrencyConfig", move |answer| {
        if counter.fetch_add(1, Ordering::SeqCst) < 2 {
            answer["Status"] = "IN_PROGRESS".into();
        }
    });
    let result = step.invoke(&alarm).await?;
    assert_eq!((outcomes(&result), world.provisioned().await), (vec![PROVISIONED], Some(5)), "{result:#}");
    assert!(asked.load(Ordering::SeqCst) >= 3, "it waited until READY");
    let told = texts(&result["findings"], "message").join("\n");
    // 5 × 0.5 GB × 2,592,000 s × 0.0000041667 USD.
    assert!(
        told.contains("at most 27.00 USD a month") && told.contains("provisionedConcurrentExecutions: 5"),
        "{told}"
    );

    // The lease is over, and so is the incident.
    world.later(25 * 60).await?;
    world.bench.database.execute("UPDATE remediation.incidents SET closed_at = now()").await?;
    let result = step.invoke(&sample("provision-worker-concurrency", "schedule")?).await?;
    assert_eq!((outcomes(&result), world.provisioned().await), (vec![PUT_BACK], None), "{result:#}");

    world.later(61).await?;
    let result = step.invoke(&json!({ "to": 7 })).await?;
    assert_eq!((outcomes(&result), world.provisioned().await), (vec![PROVISIONED], Some(7)), "{result:#}");
    let result = step.invoke(&json!({ "undo": result["actions"][0]["id"] })).await?;
    assert_eq!((outcomes(&result), world.provisioned().await), (vec![("undo", "applied")], None), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_allocated_is_put_back_and_what_takes_too_long_is_not_known() -> Tested {
    // (what Lambda says once it was asked for, the outcome, what is said, what is left)
    for (status, outcome, said, left) in [
        ("FAILED", "failed", "FUNCTION_ERROR_INIT_FAILURE — reverted to the previous setting", None),
        ("IN_PROGRESS", "applied", "Lambda accepted the change but did not finish it", Some(5)),
    ] {
        let world = World::new("provision_status", Some("live"), patient()).await?;
        world.proxy.rewrite("GetProvisionedConcurrencyConfig", move |answer| {
            answer["Status"] = status.into();
            answer["StatusReason"] = "FUNCTION_ERROR_INIT_FAILURE".into();
        });
        let builder = world.bench.function("provision-worker-concurrency").envs(world.proxy.environment());
        let builder = builder.env("STATE_MACHINE_ARN", world.machine.as_str()).env("WORKER_ALIAS", "live");
        let builder = builder.env("WORKER_FUNCTION_NAME", world.worker.as_str());
        let step = builder.timeout(std::time::Duration::from_secs(10)).start().await?;
        let result = step.invoke(&json!({ "all": true })).await?;
        assert_eq!(outcomes(&result), [("set-provisioned-concurrency", outcome)], "{result:#}");
        assert!(result["actions"][0]["reason"].as_str().is_some_and(|why| why.contains(said)), "{result:#}");
        assert_ne!(result["verification"], "verified", "{result:#}");
        assert_eq!(world.provisioned().await, left, "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn without_an_alias_nothing_is_kept_ready_and_the_way_to_one_is_told() -> Tested {
    let world = World::new("provision_latest", None, patient()).await?;
    let step = world.step("provision-worker-concurrency").await?;
    let result = step.invoke(&sample("provision-worker-concurrency", "alarm-worker-cold-starts")?).await?;
    assert_eq!((findings(&result), outcomes(&result)), (vec!["needs_alias"], vec![]), "{result:#}");
    assert_eq!(world.proxy.calls("PutProvisionedConcurrencyConfig"), 0);
    // The guide's own command names $LATEST; here an operator cannot get it either.
    let result = step.invoke(&json!({ "to": 5 })).await?;
    assert_eq!((findings(&result), world.provisioned().await), (vec!["needs_alias"], None), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn the_same_code_is_published_once_more_after_a_person_approved_it() -> Tested {
    let world = World::new("redeploy_alias", Some("live"), patient()).await?;
    world.run(2).await?;
    let (lambda, step) = (world.aws.lambda(), world.step("redeploy-worker").await?);
    let version = async || {
        let alias = lambda.get_alias().function_name(&world.worker).name("live").send().await?;
        let version = alias.function_version.ok_or("no version")?;
        let told = lambda.get_function_configuration().function_name(&world.worker).qualifier(&version).send().await?;
        Tested::Ok((version, told.code_sha256, told.description.unwrap_or_default()))
    };
    let before = version().await?;

    let result = step.invoke(&json!({})).await?;
    assert_eq!(outcomes(&result), [("redeploy-worker", "planned")], "{result:#}");
    assert!(texts(&result["findings"], "message").join("\n").contains("executions running: 2"), "{result:#}");
    let result = step.invoke(&sample("redeploy-worker", "operator-all")?).await?;
    assert_eq!((outcomes(&result), version().await?), (vec![("redeploy-worker", "proposed")], before.clone()));

    let result = step.invoke(&json!({ "approve": result["planId"] })).await?;
    assert_eq!(outcomes(&result), [("redeploy-worker", "applied")], "{result:#}");
    let after = version().await?;
    assert_eq!((&after.1, before.0 == after.0), (&before.1, false), "the same code, another version");
    assert!(after.2.starts_with("(redeployed 20"), "{after:?}");
    assert!(world.leases().await?.is_empty(), "there is nothing to put back");
    let id = &result["actions"][0]["id"];
    let error = step.invoke(&json!({ "undo": id })).await.err().ok_or("it should have refused")?;
    assert!(error.error_message.contains("undo"), "{error}");
    Ok(())
}

#[tokio::test]
async fn without_an_alias_latest_is_updated_and_what_is_under_way_or_unreleased_is_left() -> Tested {
    let world = World::new("redeploy_latest", None, patient()).await?;
    let step = world.step("redeploy-worker").await?;
    let planned = step.invoke(&json!({ "all": true })).await?;
    let approve = json!({ "approve": planned["planId"] });
    // A deployment is under way. <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>
    let status = Arc::new(Mutex::new("InProgress"));
    let told = Arc::clone(&status);
    world.proxy.rewrite("GetFunctionConfiguration", move |answer| {
        if let Ok(status) = told.lock() {
            answer["LastUpdateStatus"] = json!(*status);
        }
    });
    let result = step.invoke(&json!({ "all": true })).await?;
    assert!(texts(&result["skipped"], "why").join("\n").contains("deployment in progress"), "{result:#}");
    *status.lock().map_err(|error| error.to_string())? = "Successful";
    let result = step.invoke(&approve).await?;
    assert_eq!(outcomes(&result), [("redeploy-worker", "applied")], "{result:#}");
    let described = eventually(BOUND, "the description", || async {
        let told = world.aws.lambda().get_function_configuration().function_name(&world.worker).send().await.ok()?;
        told.description.filter(|description| !description.is_empty())
    });
    assert!(described.await?.starts_with("(redeployed 20"));

    let world = World::new("redeploy_unreleased", Some("live"), patient()).await?;
    world.aws.lambda().update_function_configuration().function_name(&world.worker).timeout(61).send().await?;
    let step = world.step("redeploy-worker").await?;
    let result = eventually(BOUND, "the update to settle", || async {
        let result = step.invoke(&json!({ "all": true })).await.ok()?;
        findings(&result).contains(&"latest_differs").then_some(result)
    })
    .await?;
    assert!(outcomes(&result).is_empty(), "{result:#}");
    Ok(())
}
