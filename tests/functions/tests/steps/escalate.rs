//! `escalate`: who is told of an incident, when, and in which words. Topics and queues are the endpoint's own; how alarms stand is scripted, since
//! it keeps no states.

use functions_tests::{BOUND, Bench, STATE_MACHINE_ARN, Tested, ago, findings, merge, sample, texts};
use harness::{Aws, AwsProxy, Failure, Function, FunctionBuilder, eventually};
use patient::table::Row;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::triggers::step_functions;
use crate::worker::{alarm_is, schedule, skipped};

const STEP: &str = "escalate";
const LEVELS: [&str; 3] = ["L1", "L2", "L3"];

/// A ledger with incidents, and a topic and a queue for each level.
struct Office {
    bench: Bench,
    proxy: AwsProxy,
    aws: &'static Aws,
    name: String,
}

impl Office {
    async fn new(hint: &str) -> Tested<Self> {
        let aws = Aws::shared().await?;
        let name = format!("{}-{}", hint.replace('_', "-"), &Uuid::new_v4().simple().to_string()[..8]);
        let sns = aws_sdk_sns::Client::new(aws.sdk_config());
        for level in LEVELS {
            let named = format!("{name}-{level}");
            let topic = sns.create_topic().name(&named).send().await?.topic_arn.ok_or("no topic")?;
            aws.sqs().create_queue().queue_name(&named).send().await?;
            let queue = format!("arn:aws:sqs:ap-northeast-1:000000000000:{named}");
            sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(queue).send().await?;
        }
        let proxy = AwsProxy::start(&aws.endpoint()).await?;
        alarm_is(&proxy, "ALARM", 1);
        Ok(Self { bench: Bench::new(hint).await?, proxy, aws, name })
    }

    fn topic(&self, level: &str) -> String {
        format!("arn:aws:sns:ap-northeast-1:000000000000:{}-{level}", self.name)
    }

    fn builder(&self) -> FunctionBuilder {
        let step = self.bench.function(STEP).envs(self.proxy.environment());
        LEVELS.iter().fold(step, |step, level| step.env(&format!("ESCALATION_{level}_TOPIC_ARN"), self.topic(level)))
    }

    async fn step(&self) -> Tested<Function> {
        Ok(self.builder().start().await?)
    }

    /// Incidents that began so many minutes ago, of alarms that nobody answers.
    async fn open(&self, count: u32, minutes: u32) -> Tested {
        let sql = format!(
            "INSERT INTO remediation.incidents (alarm, alarm_arn, system, reason, opened_at)
             SELECT 'remediation-a-' || n, 'arn:aws:cloudwatch:ap-northeast-1:000000000000:alarm:remediation-a-' || n,
                    '{STATE_MACHINE_ARN}', 'Threshold Crossed', now() - interval '{minutes} minutes'
               FROM generate_series(1, {count}) n"
        );
        Ok(self.bench.database.execute(&sql).await?)
    }

    async fn incidents(&self) -> Tested<Vec<Value>> {
        self.bench.list("SELECT to_jsonb(i) FROM remediation.incidents i ORDER BY opened_at").await
    }

    /// The levels that were told, or could not be, in order: `L1 applied`.
    async fn told(&self) -> Tested<Vec<String>> {
        let sql = "SELECT to_jsonb(right(target, 2) || ' ' || outcome) FROM remediation.actions
                    WHERE kind = 'tell-level' ORDER BY closed_at, target";
        let told = self.bench.list(sql).await?;
        Ok(told.iter().filter_map(|told| told.as_str().map(str::to_owned)).collect())
    }

    /// The next message that a level gets: its subject and its text.
    async fn message(&self, level: &str) -> Tested<(String, String)> {
        let named = format!("{}-{level}", self.name);
        let queue = self.aws.sqs().get_queue_url().queue_name(&named).send().await?.queue_url.ok_or("no queue")?;
        let message = eventually(BOUND, format!("a message to {level}"), || async {
            let body = self.aws.sqs().receive_message().queue_url(&queue).send().await.ok()?.messages?.pop()?.body?;
            let body: Value = serde_json::from_str(&body).ok()?;
            Some((body["Subject"].as_str()?.to_owned(), body["Message"].as_str()?.to_owned()))
        });
        Ok(message.await?)
    }
}

/// Alarm `queue-depth`, which no step answers, came into this state so many seconds ago.
fn queue_depth(state: &str, seconds_ago: i64) -> Tested<Value> {
    let mut event = sample(STEP, if state == "OK" { "alarm-queue-depth-ok" } else { "alarm-queue-depth" })?;
    let at = ago(seconds_ago).format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string();
    merge(&mut event["detail"]["state"], &json!({ "value": state, "timestamp": at }));
    Ok(event)
}

#[tokio::test]
async fn an_incident_that_nobody_fixes_reaches_each_level_in_its_time_and_once() -> Tested {
    let office = Office::new("levels").await?;
    office.open(1, 1).await?;
    let function = office.step().await?;
    let result = function.invoke(&schedule(STEP)).await?;
    assert!(skipped(&result).contains("L1 is told if it is not resolved by"), "{result:#}");
    for (minutes, told) in [(14, vec!["L1"]), (14, vec!["L1"]), (1, vec!["L1", "L2"]), (30, LEVELS.to_vec())] {
        office.bench.aged(minutes).await?;
        for _ in 0..2 {
            let result = function.invoke(&schedule(STEP)).await?;
            assert_eq!(result["mode"], "act", "{result:#}");
        }
        let expected: Vec<String> = told.iter().map(|level| format!("{level} applied")).collect();
        assert_eq!((office.told().await?, office.proxy.calls("Publish")), (expected, told.len()));
    }
    let id = office.incidents().await?[0]["id"].as_str().unwrap_or_default().to_owned();
    for level in LEVELS {
        let (subject, text) = office.message(level).await?;
        assert_eq!(subject, format!("[{level}] remediation-a-1"));
        let acknowledge = json!({ "acknowledge": id, "by": "…" }).to_string();
        for part in
            ["has been in ALARM since", "Threshold Crossed", "Changed so far: nothing", "RUNBOOK.md", &acknowledge]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.contains("nobody has acknowledged it"), level != "L1", "{text}");
    }
    let result = function.invoke(&schedule(STEP)).await?;
    assert_eq!(findings(&result), ["incident_unsolved"], "{result:#}");
    assert!(skipped(&result).contains("every level was told"), "{result:#}");
    Ok(())
}

#[tokio::test]
async fn whoever_acknowledges_is_named_and_nobody_else_is_told_until_that_is_taken_back() -> Tested {
    let office = Office::new("acknowledged").await?;
    office.open(1, 16).await?;
    let function = office.step().await?;
    function.invoke(&schedule(STEP)).await?;
    let id = office.incidents().await?[0]["id"].clone();
    for (event, refused) in [
        (json!({ "acknowledge": id }), "`by` is missing"),
        (json!({ "acknowledge": Uuid::nil(), "by": "Sato" }), "there is no incident 00000000"),
        (json!({ "acknowledge": "the last one", "by": "Sato" }), "must be a UUID"),
        (json!({ "processId": Uuid::nil() }), "escalate is about incidents"),
    ] {
        let error = function.invoke(&event).await.unwrap_err();
        assert!(error.error_message.contains(refused), "{event}: {error:?}");
    }
    let event = json!({ "acknowledge": id, "by": "Sato" });
    let result = function.invoke(&event).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"], "{result:#}");
    assert_eq!(office.incidents().await?[0]["acknowledged_by"], "Sato");
    let again = function.invoke(&event).await?;
    assert!(again["actions"] == json!([]) && skipped(&again).contains("Sato acknowledged it at"), "{again:#}");

    office.bench.aged(120).await?;
    let result = function.invoke(&schedule(STEP)).await?;
    assert!(skipped(&result).contains("Sato acknowledged it at"), "{result:#}");
    assert_eq!(office.told().await?, ["L1 applied"]);

    let acknowledged =
        office.bench.list("SELECT to_jsonb(id) FROM remediation.actions WHERE kind = 'acknowledge-incident'").await?;
    let undone = function.invoke(&json!({ "undo": acknowledged[0], "by": "Sato" })).await?;
    assert_eq!(texts(&undone["actions"], "outcome"), ["applied"], "{undone:#}");
    function.invoke(&schedule(STEP)).await?;
    assert_eq!(office.told().await?, ["L1 applied", "L2 applied", "L3 applied"]);
    Ok(())
}

#[tokio::test]
async fn an_alarm_that_flaps_is_one_incident_and_one_that_has_stayed_over_is_another() -> Tested {
    let office = Office::new("flapping").await?;
    let function = office.step().await?;
    let result = function.invoke(&queue_depth("ALARM", 1200)?).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"], "nobody answers this alarm: {result:#}");
    assert!(office.message("L1").await?.1.contains("no step handles this alarm"));
    function.invoke(&queue_depth("OK", 900)?).await?;
    assert_eq!(function.invoke(&schedule(STEP)).await?["actions"], json!([]));
    let result = function.invoke(&queue_depth("ALARM", 600)?).await?;
    assert_eq!(result["actions"], json!([]), "{result:#}");
    let incidents = office.incidents().await?;
    assert_eq!((incidents.len(), &incidents[1]["continues"]), (2, &incidents[0]["id"]), "{incidents:#?}");
    // Its clock went on: it is half an hour since it was in ALARM first.
    office.bench.aged(10).await?;
    function.invoke(&schedule(STEP)).await?;
    assert_eq!(office.told().await?, ["L1 applied", "L2 applied"]);
    // Either identity is the incident's.
    let taken = function.invoke(&json!({ "acknowledge": incidents[1]["id"], "by": "Sato" })).await?;
    assert_eq!(taken["actions"][0]["target"], format!("incident {}", incidents[0]["id"].as_str().unwrap_or_default()));

    function.invoke(&queue_depth("OK", 660)?).await?;
    function.invoke(&queue_depth("ALARM", 1)?).await?;
    assert_eq!(office.told().await?, ["L1 applied", "L2 applied", "L1 applied"], "what was over for long begins anew");
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_of_what_is_over_by_now_and_what_cannot_be_read_is_not_well() -> Tested {
    let office = Office::new("asked").await?;
    let function = office.step().await?;
    for (state, ended) in [("OK", "ok"), ("", "gone"), ("INSUFFICIENT_DATA", "silent")] {
        office.open(1, 120).await?;
        alarm_is(&office.proxy, state, 30);
        if state.is_empty() {
            office.proxy.answer("DescribeAlarms", json!({ "MetricAlarms": [], "CompositeAlarms": [] }));
        }
        let result = function.invoke(&schedule(STEP)).await?;
        assert!(result["actions"] == json!([]) && skipped(&result).contains("incident closed"), "{ended}: {result:#}");
        let open = office.incidents().await?.into_iter().filter(|incident| incident["ended"] == ended).count();
        assert_eq!(open, 1, "{ended}");
    }
    office.open(1, 16).await?;
    office.proxy.fail("DescribeAlarms", Failure::error("AccessDenied").status(403));
    let result = function.invoke(&schedule(STEP)).await?;
    assert_eq!(findings(&result), ["alarm_unreadable"], "{result:#}");
    assert_eq!(office.told().await?, ["L1 applied"]);
    assert!(office.message("L1").await?.1.contains("could not be read from CloudWatch"));
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_refused_goes_to_the_next_level_and_is_tried_again() -> Tested {
    let office = Office::new("refused").await?;
    office.open(1, 16).await?;
    let function = office.step().await?;
    office.proxy.fail("Publish", Failure::error("AuthorizationError").status(403).times(2));
    let result = function.invoke(&schedule(STEP)).await?;
    assert_eq!((&result["actions"][0]["outcome"], &result["verification"]), (&json!("failed"), &json!("failed")));
    office.bench.aged(1).await?;
    function.invoke(&schedule(STEP)).await?;
    assert_eq!(office.told().await?, ["L1 failed", "L1 failed", "L2 applied"]);
    assert!(office.message("L2").await?.1.contains("The message to L1 could not be sent"));
    // Not yet; then it reaches them, and nobody else is woken.
    for (minutes, told) in [(3, 3), (1, 4), (9, 4)] {
        office.bench.aged(minutes).await?;
        let result = function.invoke(&schedule(STEP)).await?;
        assert_eq!((office.told().await?.len(), &result["mode"]), (told, &json!("act")), "{result:#}");
    }
    assert_eq!(office.message("L1").await?.0, "[L1] remediation-a-1");
    Ok(())
}

#[tokio::test]
async fn a_message_over_which_a_run_has_died_is_told_again_once_that_run_is_over() -> Tested {
    let office = Office::new("crashed").await?;
    office.open(1, 16).await?;
    let function = office.step().await?;
    function.invoke(&schedule(STEP)).await?;
    // As a crash leaves it: whether the message went out, nobody knows.
    let died = |alive: &str| {
        format!(
            "UPDATE remediation.actions SET outcome = 'applying', closed_at = NULL, alive_until = now() {alive} WHERE kind = 'tell-level'"
        )
    };
    office.bench.database.execute(&died("+ interval '1 minute'")).await?;
    function.invoke(&schedule(STEP)).await?;
    assert_eq!((office.told().await?, office.proxy.calls("Publish")), (vec!["L1 applying".to_owned()], 1));

    office.bench.database.execute(&died("- interval '6 s'")).await?;
    function.invoke(&schedule(STEP)).await?;
    assert_eq!(office.told().await?, ["L1 failed", "L2 applied"], "the next level hears of it at once");
    office.bench.aged(2).await?;
    function.invoke(&schedule(STEP)).await?;
    assert_eq!(office.told().await?, ["L1 failed", "L2 applied", "L1 applied"]);
    Ok(())
}

#[tokio::test]
async fn a_limit_that_is_met_is_told_to_l1_at_once_with_the_plan_that_waits() -> Tested {
    let office = Office::new("limit").await?;
    office.bench.insert(&(0..30).map(|_| Row::pending(ago(400))).collect::<Vec<_>>()).await?;
    let mut event = sample("fail-timed-out-processes", "alarm-stuck-processes")?;
    let at = ago(5).format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string();
    merge(&mut event["detail"]["state"], &json!({ "timestamp": at }));
    let aws = step_functions().await?;
    let sweep = office.bench.function("fail-timed-out-processes").envs(aws.environment()).start().await?;
    let held = sweep.invoke(&event).await?;
    assert!(findings(&held).contains(&"over_limit"), "{held:#}");
    office.step().await?.invoke(&schedule(STEP)).await?;
    assert_eq!(office.told().await?, ["L1 applied"]);
    let text = office.message("L1").await?.1;
    let plan = held["planId"].as_str().ok_or("no plan")?;
    for part in ["fail-timed-out-processes has reached a limit", plan, "functions/fail-timed-out-processes/RUNBOOK.md"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_look_and_the_red_button_tell_nobody_but_say_who_would_be_told_of_what() -> Tested {
    let office = Office::new("observed").await?;
    office.open(1, 45).await?;
    let function = office.step().await?;
    let look = function.invoke(&json!({})).await?;
    assert_eq!(
        (&look["mode"], texts(&look["actions"], "outcome")),
        (&json!("observe"), vec!["planned"; 2]),
        "{look:#}"
    );
    let after = &look["actions"][0]["after"];
    assert_eq!((&after["level"], &after["topic"]), (&json!("L1"), &json!(office.topic("L1"))), "{look:#}");
    assert!(
        after["message"].as_str().is_some_and(|text| text.contains("remediation-a-1 has been in ALARM")),
        "{look:#}"
    );
    assert_eq!(look["report"]["incidents"][0]["alarm"], "remediation-a-1", "{look:#}");
    assert_eq!(look["toDoIt"], json!({ "all": true }), "{look:#}");
    office.bench.database.execute("INSERT INTO remediation.controls (step, mode) VALUES ('*', 'observe')").await?;
    let stopped = function.invoke(&schedule(STEP)).await?;
    assert_eq!((&stopped["mode"], findings(&stopped)), (&json!("observe"), vec!["stopped"]), "{stopped:#}");
    // What changes our own record only is not bound by it.
    let id = office.incidents().await?[0]["id"].clone();
    let taken = function.invoke(&json!({ "acknowledge": id, "by": "Sato" })).await?;
    assert_eq!(texts(&taken["actions"], "outcome"), ["applied"], "{taken:#}");
    assert_eq!((office.told().await?.len(), office.proxy.calls("Publish")), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_storm_is_one_message_a_level() -> Tested {
    let office = Office::new("storm").await?;
    office.open(1000, 120).await?;
    let function = office.step().await?;
    let result = function.invoke(&schedule(STEP)).await?;
    assert_eq!((office.told().await?.len(), office.proxy.calls("Publish")), (3000, 3), "{}", result["summary"]);
    assert_eq!(office.proxy.calls("DescribeAlarms"), 10);
    let (subject, text) = office.message("L1").await?;
    assert_eq!(subject, "[L1] 1000 incidents");
    assert!(text.starts_with("[L1] 1000 incidents are not resolved") && text.contains("… and 995 more"), "{text}");
    function.invoke(&schedule(STEP)).await?;
    assert_eq!(office.proxy.calls("Publish"), 3);
    Ok(())
}

#[tokio::test]
async fn runs_that_overlap_tell_a_level_once() -> Tested {
    let office = Office::new("overlap").await?;
    office.open(5, 16).await?;
    let (one, other) = (office.step().await?, office.step().await?);
    let event = schedule(STEP);
    let (first, second) = tokio::join!(one.invoke(&event), other.invoke(&event));
    first?;
    second?;
    let told = office.told().await?;
    assert_eq!(told, ["L1 applied"; 5]);
    assert!(office.proxy.calls("Publish") <= 2, "each incident is in one of the messages");
    Ok(())
}
