//! Starting a step: the local endpoint's Lambda takes the event, or refuses it, or does not answer; the ledger knows which.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use harness::{Aws, AwsProxy, Deployment, Failure, eventually};
use remediation::act::action::{ActionResult, Outcome};
use remediation::act::actions::start_step::{Hindrance, StartStep};
use remediation::act::ledger::runs::Run;
use remediation::gather::error::Error;
use remediation::run::step::Planned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::*;

const STEP: &str = "test-step";
const OTHER: &str = "other-step";

/// A run that wants to start another step.
struct Starting {
    world: World,
    proxy: Arc<AwsProxy>,
    prefix: String,
    planned: Planned,
}

impl Starting {
    async fn new(hint: &str, proxy: Arc<AwsProxy>, patience: Duration) -> Self {
        let mut world = World::new(hint).await;
        let timeouts = TimeoutConfig::builder().operation_timeout(patience).build();
        let aws = proxy.sdk_config().await.into_builder();
        world.aws = aws.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        let prefix = format!("t{}-", &Uuid::new_v4().simple().to_string()[..8]);
        world.config.own_function = Some(format!("{prefix}{STEP}"));
        let action = StartStep::new(&world.config, STEP, OTHER, 0).unwrap();
        let planned = planned(action);
        Self { world, proxy, prefix, planned }
    }

    /// Behind it, the local endpoint.
    async fn real(hint: &str) -> Self {
        let proxy = AwsProxy::start(&Aws::shared().await.unwrap().endpoint()).await.unwrap();
        Self::new(hint, Arc::new(proxy), Duration::from_secs(30)).await
    }

    /// An endpoint that takes the event, maybe, and never says so.
    async fn silent(hint: &str) -> Self {
        let starting = Self::new(hint, scripted().await, Duration::from_millis(300)).await;
        starting.proxy.fail("Invoke", Failure::silence());
        starting
    }

    async fn apply(&mut self, run: &Run) -> Outcome {
        let step_functions = step_functions(&self.proxy, MACHINE).await;
        let mut table = None;
        let mut session = self.world.session(&step_functions, &mut table);
        carry_out(&mut session, run, &self.planned).await.unwrap()
    }

    async fn entry(&self) -> Entry {
        self.world.entry(self.planned.id).await.expect("what is to be started is recorded")
    }

    async fn resolve(&mut self) -> Result<(), Error> {
        let step_functions = step_functions(&self.proxy, MACHINE).await;
        let mut table = None;
        resolve::<StartStep>(&mut self.world.session(&step_functions, &mut table)).await.map(drop)
    }

    /// The run that wrote the entry can no longer be alive.
    async fn age(&self) {
        let sql = "UPDATE remediation.actions
                      SET created_at = created_at - interval '17 minutes', alive_until = alive_until - interval '17 minutes'";
        self.world.execute(sql).await;
    }
}

#[tokio::test]
async fn an_event_that_lambda_accepts_reaches_the_step_with_its_depth_and_its_reason() -> Tested {
    let mut starting = Starting::real("accepted").await;
    let file = harness::paths::target().join(format!("tmp/{}event", starting.prefix));
    std::fs::create_dir_all(file.parent().ok_or("no folder")?)?;
    let name = format!("{}{OTHER}", starting.prefix);
    let deployment = Deployment::new(&name, "specimen").envs([("KEEP_IN", file.to_string_lossy())]);
    deployment.deploy(Aws::shared().await?).await?;
    let run = run(STEP);

    let outcome = starting.apply(&run).await;

    assert_eq!((&outcome.result, &outcome.before), (&ActionResult::Applied, &None), "{outcome:?}");
    let entry = starting.entry().await;
    assert_eq!((entry.outcome.as_str(), entry.kind.as_str(), entry.closed), ("applied", "start-step", true));
    assert_eq!((entry.target.as_str(), &entry.after), ("step other-step", &outcome.after));
    let after = entry.after.unwrap_or_default();
    assert_eq!(
        (&after["status"], &after["function"], &after["event"]),
        (&json!("accepted"), &json!(name), &json!({ "all": true, "depth": 1 }))
    );
    let event = eventually(Duration::from_secs(30), "the started step's event", || async {
        serde_json::from_slice::<Value>(&std::fs::read(&file).ok()?).ok()
    });
    let reason = format!("{STEP}: because the test wants it (run {})", run.id);
    assert_eq!(event.await?, json!({ "all": true, "depth": 1, "reason": reason }));
    let _ = std::fs::remove_file(file);
    Ok(())
}

#[tokio::test]
async fn what_lambda_refuses_is_failed_with_its_words() -> Tested {
    // The step is not deployed.
    let mut starting = Starting::real("not_there").await;
    let outcome = starting.apply(&run(STEP)).await;
    let ActionResult::Failed(why) = &outcome.result else { panic!("{outcome:?}") };
    assert!(why.starts_with("Invoke: ResourceNotFoundException"), "{why}");
    let entry = starting.entry().await;
    assert_eq!((entry.outcome.as_str(), entry.after), ("failed", None));
    assert!(entry.reason.contains("ResourceNotFoundException"), "{}", entry.reason);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_the_start_open_until_the_steps_own_record_tells() -> Tested {
    // (whether the started step has a record, what the entry comes to)
    for (ran, outcome, tells) in [(true, "applied", "the step ran"), (false, "failed", "the step has no record of it")]
    {
        let mut starting = Starting::silent("silent").await;
        let run = run(STEP);
        let unverified = starting.apply(&run).await;
        assert!(
            matches!(&unverified.result, ActionResult::Unverified(why) if why.contains("unknown whether")),
            "{unverified:?}"
        );
        assert_eq!(starting.entry().await.outcome, "applying");

        // Another run's event for the same step; the same step by another run.
        starting
            .world
            .execute(&format!(
                "INSERT INTO remediation.runs (id, step, trigger, reason) VALUES
                 (gen_random_uuid(), '{OTHER}', '{{}}', 'test-step: x (run {})'),
                 (gen_random_uuid(), 'third-step', '{{}}', 'test-step: x (run {})')",
                Uuid::now_v7(),
                run.id
            ))
            .await;
        if ran {
            starting
                .world
                .execute(&format!(
                    "INSERT INTO remediation.runs (id, step, trigger, reason)
                 VALUES (gen_random_uuid(), '{OTHER}', '{{}}', 'test-step: because (run {})')",
                    run.id
                ))
                .await;
        }
        starting.resolve().await?;
        assert_eq!(starting.entry().await.outcome, "applying", "it may still be under way");
        starting.age().await;
        starting.world.execute("UPDATE remediation.runs SET started_at = started_at - interval '16 minutes'").await;
        starting.resolve().await?;

        let entry = starting.entry().await;
        assert_eq!((entry.outcome.as_str(), entry.closed), (outcome, true), "{entry:?}");
        assert!(entry.reason.ends_with(tells), "{}", entry.reason);
    }
    Ok(())
}

#[tokio::test]
async fn a_step_that_another_run_is_about_to_start_is_left_to_it() -> Tested {
    let mut starting = Starting::silent("busy").await;
    let first = run(STEP);
    starting.apply(&first).await;
    starting.planned = Planned { id: Uuid::now_v7(), ..starting.planned.clone() };
    let outcome = starting.apply(&run(STEP)).await;
    assert_eq!(outcome.result, ActionResult::Busy);
    assert_eq!(starting.proxy.calls("Invoke"), 1);
    // The same run, which lost its connection and began again, goes on with it.
    let again = starting.apply(&first).await;
    assert!(matches!(again.result, ActionResult::Unverified(_)), "{again:?}");
    assert_eq!(starting.world.ask::<i64>("SELECT count(*) FROM remediation.actions").await, 1);
    assert_eq!(starting.entry().await.outcome, "applying");
    Ok(())
}

#[tokio::test]
async fn a_start_cannot_be_undone_and_the_refusal_says_where_to_look() -> Tested {
    let mut starting = Starting::real("no_undo").await;
    starting.apply(&run(STEP)).await;
    let refused = undo_of(&mut starting.world.db, starting.planned.id).await.unwrap_err().to_string();
    assert!(refused.contains("cannot be taken back") && refused.contains("WHERE step = 'other-step'"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_run_as_deep_as_may_be_and_a_function_of_another_name_start_nothing() -> Tested {
    let mut starting = Starting::silent("hindered").await;
    let config = &mut starting.world.config;
    assert_eq!(StartStep::new(config, STEP, OTHER, 2).unwrap_err(), Hindrance::Depth);
    config.own_function = Some("mine".to_owned());
    assert_eq!(StartStep::new(config, STEP, OTHER, 0).unwrap_err(), Hindrance::Name);
    config.own_function = None;
    assert_eq!(StartStep::new(config, STEP, OTHER, 0).unwrap_err(), Hindrance::Name);
    Ok(())
}
