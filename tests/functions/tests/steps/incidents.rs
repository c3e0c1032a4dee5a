//! What the steps that change the worker make of an incident, of its alarm as CloudWatch has it now, and of a lease whose time is over.

use functions_tests::{Tested, findings, sample};
use harness::Failure;
use serde_json::{Value, json};

use crate::worker::{Shop, act, alarm_is, measured, only, schedule, skipped};

const TIMEOUT: &str = "extend-worker-timeout";
const MEMORY: &str = "raise-worker-memory";

async fn incidents(shop: &Shop) -> Tested<Vec<Value>> {
    shop.bench.list("SELECT to_jsonb(i) FROM remediation.incidents i ORDER BY opened_at").await
}

#[tokio::test]
async fn one_alarm_and_then_silence_is_one_step_up_and_no_more() -> Tested {
    for (step, alarm) in [(TIMEOUT, "alarm-worker-near-timeout"), (MEMORY, "alarm-worker-memory")] {
        let shop = Shop::new("silence", None, 900).await?;
        let function = shop.step(step).start().await?;
        act(&function, sample(step, alarm)?).await?;
        let raised = shop.seen(None).await?;

        // The alarm stays on for want of data: nothing is measured.
        alarm_is(&shop.proxy, "ALARM", 90);
        for _ in 0..3 {
            shop.aged(70).await?;
            let result = function.invoke(&schedule(step)).await?;
            assert!(skipped(&result).contains("nothing bad has been measured since the last change"), "{result:#}");
            assert_eq!(
                (findings(&result), &result["actions"]),
                (vec![], &json!([])),
                "nobody is told of a leak: {result:#}"
            );
        }
        // What was measured before it took effect, or is good, is no reason either.
        measured(&shop.proxy, &[(300, 99.0), (1, 50.0)]);
        let result = function.invoke(&schedule(step)).await?;
        assert_eq!(result["actions"], json!([]), "{result:#}");
        assert_eq!(shop.seen(None).await?, raised);

        // Its own window is over without data: so is the incident, and that is said.
        alarm_is(&shop.proxy, "INSUFFICIENT_DATA", 20);
        let result = function.invoke(&schedule(step)).await?;
        assert!(skipped(&result).contains("has had no data since"), "{result:#}");
        assert_eq!(incidents(&shop).await?[0]["ended"], "silent");
        assert_eq!(shop.seen(None).await?, raised);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_still_bad_after_a_step_is_a_reason_for_the_next_one() -> Tested {
    let shop = Shop::new("still_bad", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    act(&function, sample(TIMEOUT, "alarm-worker-near-timeout")?).await?;
    shop.aged(70).await?;
    alarm_is(&shop.proxy, "ALARM", 80);
    measured(&shop.proxy, &[(2, 97.0)]);
    let asked = || shop.proxy.requests("DescribeAlarms").len();
    let before = asked();
    act(&function, schedule(TIMEOUT)).await?;
    assert_eq!((shop.timeout().await?, asked() - before), (900, 1));
    Ok(())
}

#[tokio::test]
async fn an_incident_whose_alarm_is_ok_or_gone_is_closed_and_one_that_cannot_be_read_blocks_and_is_told() -> Tested {
    let shop = Shop::new("borne_out", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let open = "INSERT INTO remediation.incidents (alarm, alarm_arn, system, opened_at)
                VALUES ('remediation-worker-near-timeout', $$arn:aws:cloudwatch:ap-northeast-1:000000000000:alarm:remediation-worker-near-timeout$$,";
    let open = format!("{open} '{}', now() - interval '3 hours')", shop.machine());
    for (told, said, ended) in [("OK", "has been OK since", "ok"), ("", "no longer exists", "gone")] {
        shop.bench.database.execute(&open).await?;
        alarm_is(&shop.proxy, told, 30);
        if told.is_empty() {
            shop.proxy.answer("DescribeAlarms", json!({ "MetricAlarms": [], "CompositeAlarms": [] }));
        }
        let result = function.invoke(&schedule(TIMEOUT)).await?;
        assert!(skipped(&result).contains(said), "{said}: {result:#}");
        assert_eq!(result["actions"], json!([]), "{result:#}");
        let last = incidents(&shop).await?.into_iter().find(|incident| incident["ended"] == ended);
        assert!(last.is_some_and(|incident| incident["closed_at"].is_string()), "{ended}");
    }
    // A gap is no end: nothing is done, and it stays open.
    shop.bench.database.execute(&open).await?;
    alarm_is(&shop.proxy, "INSUFFICIENT_DATA", 1);
    let result = function.invoke(&schedule(TIMEOUT)).await?;
    assert!(skipped(&result).contains("has insufficient data right now"), "{result:#}");
    shop.proxy.fail("DescribeAlarms", Failure::error("AccessDenied").status(403));
    let result = function.invoke(&schedule(TIMEOUT)).await?;
    assert_eq!((findings(&result), &result["actions"]), (vec!["alarm_unreadable"], &json!([])), "{result:#}");
    assert_eq!(result["findings"][0]["audience"], "people", "{result:#}");
    assert_eq!(incidents(&shop).await?.iter().filter(|incident| incident["closed_at"].is_null()).count(), 1);
    assert_eq!((shop.timeout().await?, shop.proxy.calls("UpdateFunctionConfiguration")), (300, 0));
    Ok(())
}

#[tokio::test]
async fn an_incident_of_another_prefix_or_a_muted_one_is_no_reason_to_act() -> Tested {
    let shop = Shop::new("another_prefix", None, 900).await?;
    alarm_is(&shop.proxy, "ALARM", 1);
    let function = shop.step(TIMEOUT).start().await?;
    let other =
        "INSERT INTO remediation.incidents (alarm, opened_at) VALUES ('old-remediation-worker-near-timeout', now())";
    shop.bench.database.execute(other).await?;
    let result = function.invoke(&schedule(TIMEOUT)).await?;
    assert!(skipped(&result).contains("has no open incident"), "{result:#}");

    let mut muted = sample(TIMEOUT, "alarm-worker-near-timeout")?;
    muted["detail"]["muteDetail"] = json!({ "mutedByArn": "maintenance" });
    let result = function.invoke(&muted).await?;
    assert_eq!((&result["mode"], only(&result).0), (&json!("observe"), "planned"), "{result:#}");
    let result = function.invoke(&schedule(TIMEOUT)).await?;
    assert!(skipped(&result).contains("are suppressed by maintenance"), "{result:#}");
    assert_eq!(shop.timeout().await?, 300);
    Ok(())
}

#[tokio::test]
async fn a_lease_ends_on_time_unless_its_alarm_is_on_now() -> Tested {
    let shop = Shop::new("lease_on_time", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    act(&function, sample(TIMEOUT, "alarm-worker-near-timeout")?).await?;
    shop.aged(25 * 60).await?;
    alarm_is(&shop.proxy, "ALARM", 1);
    let kept = function.invoke(&schedule(TIMEOUT)).await?;
    assert!(skipped(&kept).contains("kept while the incident"), "{kept:#}");
    shop.proxy.fail("DescribeAlarms", Failure::error("AccessDenied").status(403).times(1));
    let unread = function.invoke(&schedule(TIMEOUT)).await?;
    assert_eq!((findings(&unread), &unread["actions"]), (vec!["alarm_unreadable"], &json!([])), "{unread:#}");
    assert_eq!(shop.timeout().await?, 600);
    // The event of its end was lost.
    alarm_is(&shop.proxy, "OK", 30);
    let ended = act(&function, schedule(TIMEOUT)).await?;
    assert_eq!((shop.timeout().await?, &shop.leases().await?[0]["ended"]), (300, &json!("reverted")), "{ended:#}");
    Ok(())
}

#[tokio::test]
async fn what_somebody_deployed_meanwhile_is_what_a_later_change_is_put_back_to() -> Tested {
    for seen in [true, false] {
        let shop = Shop::new("deployed_meanwhile", None, 900).await?;
        let function = shop.step(TIMEOUT).start().await?;
        act(&function, json!({ "to": 600 })).await?;
        shop.set_timeout(450).await?;
        shop.aged(70).await?;
        if seen {
            let result = act(&function, schedule(TIMEOUT)).await?;
            assert_eq!(result["actions"][0]["kind"], "end-lease", "{result:#}");
        }
        act(&function, json!({ "to": 750 })).await?;
        let leases = shop.leases().await?;
        assert_eq!((&leases[0]["ended"], &leases[1]["before"]), (&json!("changed"), &json!({ "timeoutSeconds": 450 })));
        shop.aged(25 * 60).await?;
        act(&function, schedule(TIMEOUT)).await?;
        assert_eq!(shop.timeout().await?, 450, "not 300: what was deployed");
    }
    Ok(())
}

#[tokio::test]
async fn a_look_sees_what_another_step_has_under_way() -> Tested {
    let shop = Shop::new("one_queue", None, 900).await?;
    let function = shop.step(TIMEOUT).start().await?;
    let busy = format!(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, alive_until)
         VALUES (gen_random_uuid(), gen_random_uuid(), '{MEMORY}', 'set-worker-memory', '{}', 'applying', 'r', now() + interval '5 minutes')",
        shop.target()
    );
    shop.bench.database.execute(&busy).await?;
    for event in [json!({}), json!({ "all": true }), json!({ "to": 700 })] {
        let result = function.invoke(&event).await?;
        assert!(skipped(&result).contains("raise-worker-memory has been changing the worker since"), "{result:#}");
        assert_eq!(result["actions"], json!([]), "{result:#}");
    }
    assert_eq!(shop.timeout().await?, 300);
    Ok(())
}

#[tokio::test]
async fn a_timeout_beyond_the_process_deadline_names_every_limit() -> Tested {
    let shop = Shop::new("deadline", None, 600).await?;
    let function = shop.step(TIMEOUT).env("PROCESS_DEADLINE_SECONDS", "900").start().await?;
    let result = function.invoke(&json!({ "to": 900 })).await?;
    assert_eq!((findings(&result), &result["actions"]), (vec!["task_timeout_wins"], &json!([])), "{result:#}");
    let told = result["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(told.contains("task Generate") && told.contains("PROCESS_DEADLINE_SECONDS=960"), "{told}");
    assert_eq!(shop.timeout().await?, 300);
    Ok(())
}
