use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::tell_level::TellLevel;
use remediation::act::escalation::{Delivery, Named, Open};
use remediation::domain::Language;
use remediation::gather::alarms::Standing;
use remediation::gather::config::Config;
use remediation::gather::config::escalation::Level::{self, L1, L2, L3};
use remediation::run::step::Plan;
use sqlx::types::Json;
use uuid::Uuid;

use crate::evidence::{Answering, Known, Looked, Made, Seen};
use crate::plan::{acknowledge, due, escalate};
use crate::why::{Why, why};

fn now() -> DateTime<Utc> {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

fn config(language: &str) -> Config {
    let lookup = |name: &str| {
        let value = match name {
            "DATABASE_URL" => "postgres://u:p@h/d",
            "STATE_MACHINE_ARN" => "arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai",
            "AWS_LAMBDA_FUNCTION_NAME" => "ours-escalate",
            "ESCALATION_L1_TOPIC_ARN" => "arn:aws:sns:ap-northeast-1:123456789012:on-call",
            "TEXT_LANGUAGE" => language,
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(lookup).unwrap()
}

/// An incident that began so many minutes ago.
fn incident(minutes: i64) -> Open {
    Open {
        id: Uuid::from_u128(7),
        root: Uuid::from_u128(7),
        alarm: "ours-worker-memory".to_owned(),
        alarm_arn: None,
        began_at: ago(minutes),
        reason: None,
        held_back: None,
        held_until: None,
        acknowledged_at: None,
        acknowledged_by: None,
        deliveries: Json(BTreeMap::new()),
    }
}

/// The same, with what came of telling a level.
trait With {
    fn with(self, level: Level, delivery: Delivery) -> Self;
}

impl With for Open {
    fn with(mut self, level: Level, delivery: Delivery) -> Self {
        self.deliveries.0.insert(level, delivery);
        self
    }
}

fn was_told(minutes: i64) -> Delivery {
    Delivery { told_at: Some(ago(minutes)), ..Delivery::default() }
}

fn failed(times: i32, minutes: i64) -> Delivery {
    Delivery { failed: times, failed_at: Some(ago(minutes)), ..Delivery::default() }
}

fn answering() -> Answering {
    Answering { step: "raise-worker-memory".into(), ..Answering::default() }
}

fn seen(open: Open, standing: Standing, known: Known) -> Seen {
    Seen { open, standing, known }
}

fn plan(seen: Vec<Seen>) -> Plan {
    let of = seen.len();
    escalate(&Looked { seen, of }, &config("en"), now())
}

/// The messages that a plan wants, each with its level.
fn messages(plan: &Plan) -> Vec<(Level, String)> {
    let actions = plan.actions.iter().filter_map(|planned| planned.action.downcast::<TellLevel>());
    actions.map(|action| (action.level, action.message.clone())).collect()
}

#[test]
fn people_are_told_at_once_where_nothing_could_be_done_and_else_in_its_time() {
    let said = || Some("why".to_owned());
    let with = |answering: Answering| Known { own: false, steps: vec![answering], ..Known::default() };
    let (step, words) = ("raise-worker-memory".to_owned(), "why".to_owned());
    for (known, minutes, expected) in [
        (Known::default(), 0, None),
        (with(answering()), 14, None),
        (with(answering()), 15, Some(Why::Overdue(TimeDelta::minutes(15)))),
        (Known::default(), 15, Some(Why::Overdue(TimeDelta::minutes(15)))),
        (Known { own: true, ..Known::default() }, 0, Some(Why::Nobody)),
        // Its event came here too, but a step answers it.
        (Known { own: true, ..with(answering()) }, 0, None),
        (with(Answering { limit: said(), ..answering() }), 0, Some(Why::Limit(step.clone(), words.clone()))),
        (with(Answering { waits_on: said(), ..answering() }), 0, Some(Why::Waits(step.clone(), words.clone()))),
        (with(Answering { failed: said(), ..answering() }), 0, Some(Why::Failed(step.clone(), words.clone()))),
        (
            with(Answering { needs: vec![words.clone()], ..answering() }),
            99,
            Some(Why::Needs(step.clone(), words.clone())),
        ),
    ] {
        assert_eq!(why(&known, TimeDelta::minutes(minutes), TimeDelta::minutes(15)), expected, "{known:?} {minutes}");
    }
}

#[test]
fn each_level_is_told_once_and_in_its_time_unless_somebody_acknowledges_or_the_one_below_cannot_be_told() {
    let overdue = Why::Overdue(TimeDelta::minutes(15));
    let settings = config("en").escalation;
    let told = |open: Open| open.with(L1, was_told(1));
    let under_way = Delivery { under_way: true, ..Delivery::default() };
    for (open, is_why, expected) in [
        (incident(1), false, vec![]),
        (incident(1), true, vec![L1]),
        (told(incident(29)), true, vec![]),
        (told(incident(30)), true, vec![L2]),
        (told(incident(59)).with(L2, was_told(1)), true, vec![]),
        (told(incident(60)).with(L2, was_told(1)), true, vec![L3]),
        (told(incident(600)).with(L2, was_told(1)).with(L3, was_told(1)), true, vec![]),
        // Nobody was told for two hours: the guide's hour is over for all.
        (incident(120), true, vec![L1, L2, L3]),
        (Open { acknowledged_at: Some(ago(1)), ..incident(120) }, true, vec![]),
        // What failed is tried again, after a growing pause, and the next level hears of it meanwhile.
        (incident(2).with(L1, failed(1, 0)), true, vec![L2]),
        (incident(2).with(L1, failed(1, 1)), true, vec![L1, L2]),
        (incident(9).with(L1, failed(3, 8)).with(L2, was_told(5)), true, vec![]),
        (incident(9).with(L1, failed(3, 9)).with(L2, was_told(5)), true, vec![L1]),
        (incident(20).with(L1, failed(90, 30)).with(L2, failed(90, 29)), true, vec![L1, L3]),
        // It was told after all.
        (incident(9).with(L1, Delivery { told_at: Some(ago(3)), ..failed(2, 4) }), true, vec![]),
        (incident(2).with(L1, under_way), true, vec![]),
    ] {
        assert_eq!(due(&open, is_why.then_some(&overdue), &settings, now()), expected, "{open:?}");
    }
}

#[test]
fn what_is_over_or_muted_is_told_to_nobody_and_what_cannot_be_read_is_not_well() {
    let muted = Open { held_back: Some("maintenance".into()), ..incident(120) };
    let was_muted = Open { held_until: Some(ago(1)), ..muted.clone() };
    for (open, standing, count) in [
        (incident(120), Standing::On, 3),
        (incident(120), Standing::Waiting, 3),
        (incident(120), Standing::Unreadable("AccessDenied".into()), 3),
        (incident(120), Standing::Ok(Some(ago(1))), 0),
        (incident(120), Standing::Gone, 0),
        (incident(120), Standing::Silent(ago(20)), 0),
        (incident(120), Standing::HeldBack("Alarm".into()), 0),
        (muted.clone(), Standing::On, 0),
        (muted, Standing::Unreadable("AccessDenied".into()), 0),
        (was_muted, Standing::On, 3),
    ] {
        let plan = plan(vec![seen(open, standing.clone(), Known::default())]);
        assert_eq!(plan.actions.len(), count, "{standing:?}");
        let unreadable = plan.findings.iter().filter(|finding| finding.code == "alarm_unreadable").count();
        assert_eq!(unreadable, usize::from(matches!(standing, Standing::Unreadable(_)) && count > 0), "{standing:?}");
        assert_eq!(plan.skipped.len(), usize::from(count == 0), "{standing:?}");
    }
}

#[test]
fn the_worst_stand_first_and_what_people_know_of_stays_visible() {
    let needs = Known { steps: vec![Answering { needs: vec!["why".into()], ..answering() }], ..Known::default() };
    let of = |number, minutes| Open { root: Uuid::from_u128(number), ..incident(minutes) };
    let told_out = |number, days: i64| {
        let told = was_told(days * 24 * 60);
        of(number, 9999).with(L1, told.clone()).with(L2, told.clone()).with(L3, told)
    };
    let wanted = plan(vec![
        seen(of(1, 20), Standing::On, Known::default()),
        seen(of(2, 25), Standing::On, Known::default()),
        seen(of(3, 1), Standing::On, needs),
        seen(told_out(4, 0), Standing::On, Known::default()),
    ]);
    let roots: Vec<u128> = wanted
        .actions
        .iter()
        .filter_map(|planned| Some(planned.action.downcast::<TellLevel>()?.root.as_u128()))
        .collect();
    assert_eq!(roots, [3, 2, 1]);
    let unsolved = |plan: &Plan| plan.findings.iter().find(|found| found.code == "incident_unsolved").cloned();
    // (days since the last level was told, whether people hear of it)
    for (days, is_told) in [(0, false), (1, true)] {
        let found = unsolved(&plan(vec![seen(told_out(4, days), Standing::On, Known::default())])).unwrap();
        assert_eq!(serde_json::to_value(&found).unwrap()["audience"].is_string(), is_told, "{days}");
    }
    let nobody = incident(9).with(L1, failed(2, 1)).with(L2, failed(1, 1)).with(L3, failed(1, 0));
    let codes: Vec<&str> =
        plan(vec![seen(nobody, Standing::On, Known::default())]).findings.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["nobody_told"]);
    assert_eq!(wanted.report.unwrap()["incidents"].as_array().map(Vec::len), Some(4));
}

#[test]
fn many_are_counted_where_they_cannot_be_looked_at() {
    let one = seen(incident(1), Standing::On, Known::default());
    let plan = escalate(&Looked { seen: vec![one], of: 1001 }, &config("en"), now());
    assert_eq!(plan.unfinished.as_deref(), Some("1 of 1001 open incidents were looked at; the next run goes on"));
    assert_eq!(plan.report.unwrap()["more"], 1000);
}

#[test]
fn a_message_says_what_is_wrong_what_was_done_how_to_undo_it_and_what_to_do() {
    let made = Made {
        id: Uuid::from_u128(9),
        step: "raise-worker-memory".into(),
        kind: "set-worker-memory".into(),
        target: "function worker".into(),
        reason: "used 97 % of 1024 MB".into(),
        applied: true,
    };
    let steps = vec![Answering {
        needs: vec!["2048 MB is the most that is set by itself; password=hunter2".into()],
        plan: Some(Uuid::from_u128(8)),
        approvable: true,
        waits_on: Some("the step only proposes".into()),
        ..answering()
    }];
    let known = Known { own: false, steps, actions: vec![made], made: 1 };
    let open = Open { reason: Some("Threshold Crossed".into()), ..incident(31) }.with(L1, was_told(31));
    let plan = plan(vec![seen(open.clone(), Standing::Unreadable("AccessDenied".into()), known.clone())]);
    let [(level, message)] = messages(&plan).try_into().unwrap();
    assert_eq!(level, L2);
    let expected = [
        "[L2] ours-worker-memory has been in ALARM since 2026-11-29 11:29 UTC (31 min)",
        "CloudWatch: Threshold Crossed",
        "The alarm's present state could not be read from CloudWatch, so it counts as not resolved: AccessDenied",
        "Why you are told: raise-worker-memory may not act by itself and is waiting: the step only proposes",
        "L1 was told at 2026-11-29 11:29 UTC; nobody has acknowledged it",
        "Changed so far: 1 (the newest five below). Each was within its step's limits, changed only what was still as it had been read, \
         and was read back",
        "✓ set-worker-memory function worker: used 97 % of 1024 MB (to undo it, send \
         {\"by\":\"…\",\"undo\":\"00000000-0000-0000-0000-000000000009\"} to ours-raise-worker-memory)",
        "What to do now:",
        "! 2048 MB is the most that is set by itself; password=[redacted]",
        "→ to approve what is waiting, send {\"approve\":\"00000000-0000-0000-0000-000000000008\",\"by\":\"…\"} to \
         ours-raise-worker-memory",
        "→ follow functions/raise-worker-memory/RUNBOOK.md",
        "If you look after it, send {\"acknowledge\":\"00000000-0000-0000-0000-000000000007\",\"by\":\"…\"} to ours-escalate: \
         nobody else is told then",
        "Otherwise L3 is told at 2026-11-29 12:29 UTC",
    ];
    assert_eq!(message.lines().collect::<Vec<_>>(), expected);
    let japanese = escalate(&Looked { seen: vec![seen(open, Standing::On, known)], of: 1 }, &config("ja"), now());
    assert!(
        messages(&japanese)[0].1.starts_with("[L2] ours-worker-memory: 2026-11-29 11:29 UTC から ALARM（31分経過）")
    );
}

#[test]
fn an_incident_is_acknowledged_once_and_while_it_may_still_begin_again() {
    let named = Named {
        root: Uuid::from_u128(7),
        alarm: "ours-worker-memory".into(),
        began_at: ago(60),
        over_at: None,
        acknowledged_at: None,
        acknowledged_by: None,
    };
    let taken = Named { acknowledged_at: Some(ago(3)), acknowledged_by: Some("Ito".into()), ..named.clone() };
    for (named, skipped) in [
        (named.clone(), None),
        (Named { over_at: Some(ago(9)), ..named.clone() }, None),
        (Named { over_at: Some(ago(11)), ..named }, Some("the incident has been over since 2026-11-29 11:49 UTC")),
        (taken, Some("Ito acknowledged it at 2026-11-29 11:57 UTC")),
    ] {
        let plan = acknowledge(&named, "Sato", Language::En, now());
        assert_eq!(plan.actions.len(), usize::from(skipped.is_none()), "{named:?}");
        let why = plan.skipped.first().map(|skipped| skipped.why.as_str()).unwrap_or_default();
        assert!(why.contains(skipped.unwrap_or_default()), "{why}");
    }
}
