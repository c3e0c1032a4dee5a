use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::*;
use crate::act::ledger::told::{Observed, Part};
use crate::act::report::{Tries, Verification};
use crate::domain::Mode;
use crate::finding::Often;

fn report(audiences: &[Audience]) -> Report {
    let finding = |(at, audience): (usize, &Audience)| {
        Finding::new("blocker_left", format!("session {at}"), "others wait", Value::Null).told(*audience, Often::Always)
    };
    Report {
        summary: "looked".to_owned(),
        step: "relieve-database",
        run_id: Uuid::nil(),
        mode: Mode::Act,
        trigger: json!({}),
        findings: audiences.iter().enumerate().map(finding).collect(),
        actions: Vec::new(),
        skipped: Vec::new(),
        verification: Verification::Unverified,
        plan_id: None,
        told: None,
        tries: Tries::default(),
        to_do_it: None,
        report: None,
        unkept: std::collections::BTreeMap::new(),
        omitted: Map::new(),
    }
}

/// What is told of a run whose kinds were not told before.
fn due(report: &Report, swept: bool, new_plan: bool) -> Vec<Due> {
    let parts = parts::parts(report, Occasion::of(report, swept, new_plan)).into_iter();
    parts.map(|Part { step, kind, count, .. }| Due { step, kind, more: i64::try_from(count).unwrap() }).collect()
}

/// How urgent it is to tell people; `None` where there is nothing to tell.
fn urgency(report: &Report, swept: bool, new_plan: bool) -> Option<&'static str> {
    let due = due(report, swept, new_plan);
    (!due.is_empty()).then(|| super::urgency(&due))
}

fn done(kind: &'static str, outcome: DoneOutcome) -> Done {
    Done {
        id: Uuid::nil(),
        kind,
        target: "t".to_owned(),
        before: None,
        after: None,
        outcome,
        reason: String::new(),
        is_told: false,
        is_users_wish: false,
        is_undoable: false,
    }
}

#[test]
fn what_needs_nobody_wakes_nobody() {
    use DoneOutcome::{Applied, Failed, Planned, Proposed, Superseded};
    let (schedule, event, person, step) = (
        json!({ "kind": "schedule" }),
        json!({ "kind": "execution" }),
        json!({ "kind": "operator" }),
        json!({ "kind": "operator", "depth": 1 }),
    );
    let (told, wish) = ((true, false), (false, true));
    // (what started the run, whether it swept, what became of its change, whether that is always told and whether it was the
    // user's own wish, what people are told)
    for (trigger, swept, outcome, (is_told, is_users_wish), expected) in [
        (&schedule, true, Applied, (false, false), Some("applied set-row-status")),
        (&schedule, true, Applied, wish, None),
        (&schedule, true, Failed, wish, Some("failed set-row-status")),
        (&schedule, true, Superseded, (false, false), None),
        (&schedule, true, Proposed, (false, false), None),
        (&event, false, Applied, (false, false), None),
        (&event, false, Failed, (false, false), Some("failed set-row-status")),
        (&event, false, Applied, told, Some("applied set-row-status")),
        (&person, true, Applied, (false, false), Some("applied set-row-status")),
        (&person, true, Planned, (false, false), None),
        (&step, true, Applied, (false, false), None),
        (&step, false, Applied, told, None),
        (&step, true, Failed, told, Some("failed set-row-status")),
    ] {
        let mut report = report(&[]);
        report.trigger = trigger.clone();
        report.actions = vec![Done { is_told, is_users_wish, ..done("set-row-status", outcome) }];
        let kinds: Vec<String> = due(&report, swept, false).into_iter().map(|due| due.kind).collect();
        assert_eq!(kinds, Vec::from_iter(expected), "{trigger} {swept} {outcome:?} {is_told} {is_users_wish}");
    }
}

#[test]
fn each_kind_is_counted_and_what_comes_again_is_not() {
    let mut report = report(&[Audience::People; 3]);
    report.trigger = json!({ "kind": "execution" });
    report.actions =
        vec![done("a", DoneOutcome::Failed), done("a", DoneOutcome::Failed), done("b", DoneOutcome::Failed)];
    let counts =
        |report: &Report| due(report, true, true).into_iter().map(|due| (due.kind, due.more)).collect::<Vec<_>>();
    let kinds = |findings| {
        [("failed a", 2), ("failed b", 1), ("finding blocker_left", findings), ("plan", 1)]
            .map(|(kind, count)| (kind.to_owned(), count))
    };
    assert_eq!(counts(&report), kinds(3));
    report.trigger = json!({ "kind": "schedule" });
    assert_eq!(counts(&report), kinds(3), "it is told always");
    report.findings.iter_mut().for_each(|finding| finding.often = Often::ONCE_A_DAY);
    assert_eq!(counts(&report), kinds(0), "the next run finds them again");
}

#[test]
fn what_would_be_done_is_for_the_daily_digest_unless_a_person_looks() {
    let mut report = report(&[]);
    report.actions = vec![done("set-row-status", DoneOutcome::Planned)];
    // (in which mode, started by what, whether it is for the digest)
    for (mode, trigger, expected) in [
        (Mode::Observe, json!({ "kind": "schedule" }), true),
        (Mode::Observe, json!({ "kind": "alarm" }), true),
        (Mode::Observe, json!({ "kind": "execution" }), true),
        (Mode::Observe, json!({ "kind": "operator", "depth": 1 }), true),
        (Mode::Observe, json!({ "kind": "operator" }), false),
        (Mode::Propose, json!({ "kind": "schedule" }), false),
    ] {
        (report.mode, report.trigger) = (mode, trigger);
        let parts = parts::parts(&report, Occasion::of(&report, true, false));
        let digests: Vec<_> = parts.iter().map(|part| (part.is_digest, part.every)).collect();
        assert_eq!(digests, if expected { vec![(true, TimeDelta::days(1))] } else { vec![] }, "{mode} {report:?}");
    }
}

#[test]
fn a_digest_is_bounded_and_says_what_to_do() {
    let of =
        |at: i64| Observed { step: format!("step-{at}"), kind: "k".to_owned(), targets: at, there_is_more: at == 99 };
    let observed: Vec<Observed> = (1..100).map(of).collect();
    let message = digest::message(&observed, Language::En);
    assert!(message.starts_with("changes that mode observe held back in the last 24 h: 4950 (nothing"), "{message}");
    assert!(message.contains("\n? step-99 k: ≥ 99\n? step-98 k: 98\n"), "{message}");
    assert_eq!(message.lines().count(), 2 + 50 + 2, "{message}");
    assert!(message.lines().last().unwrap().contains("REMEDIATION_MODE"), "{message}");
}

#[test]
fn what_came_in_between_is_counted_in_the_next_message() {
    let more = Due { step: "sync".to_owned(), kind: "failed set-row-status".to_owned(), more: 37 };
    let none = Due { more: 0, ..more.clone() };
    let message = message(&report(&[Audience::People]), &[none, more.clone()], Language::En);
    let line = "… sync failed set-row-status: and 37 more like this in the last hour";
    assert_eq!(message.lines().filter(|told| told.starts_with('…')).collect::<Vec<_>>(), [line]);
    assert!(texts::waited(Language::En, &[more]).contains(line));
}

#[test]
fn a_finding_wakes_those_for_whom_it_is_made() {
    use Audience::{Nobody, People, PeopleAtOnce};
    for (audiences, expected) in [
        (vec![], None),
        (vec![Nobody], None),
        (vec![People, Nobody], Some("normal")),
        (vec![Nobody, PeopleAtOnce, People], Some("at-once")),
    ] {
        assert_eq!(urgency(&report(&audiences), false, false), expected, "{audiences:?}");
    }
    assert_eq!(urgency(&report(&[Nobody]), false, true), Some("normal"), "a new plan waits for people");
}

#[test]
fn what_cannot_wait_stands_first_however_much_else_there_is_to_tell() {
    let mut audiences = vec![Audience::Nobody; NAMED];
    audiences.extend([Audience::People, Audience::PeopleAtOnce]);
    let message = message(&report(&audiences), &[], Language::En);
    let named: Vec<&str> = message.lines().filter(|line| line.starts_with("! ")).collect();
    let first = ["! blocker_left session 21: others wait", "! blocker_left session 20: others wait"];
    assert_eq!((&named[..2], named.len()), (&first[..], NAMED + 1));
}

#[test]
fn what_people_are_told_stands_in_the_record_however_much_else_was_found() {
    let mut audiences = vec![Audience::Nobody; 150];
    audiences.push(Audience::People);
    let mut report = report(&audiences);
    report.shorten();
    assert_eq!((report.findings.len(), report.findings[0].target.as_str()), (100, "session 150"));
    // What stands once is no less important than what stands often.
    let once = Finding::new("over_limit", "relieve-database", "held back", Value::Null);
    report.findings.splice(1.., std::iter::repeat_n(report.findings[1].clone(), 200).chain([once]));
    report.shorten();
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code).take(3).collect();
    assert_eq!((report.findings.len(), codes), (100, vec!["blocker_left", "over_limit", "blocker_left"]));
}

#[test]
fn what_an_answer_does_not_keep_is_counted_too() {
    let mut report = report(&[]);
    let (failed, wish) = (done("a", DoneOutcome::Failed), done("b", DoneOutcome::Applied));
    report.unkept.insert(failed.alike(), 900);
    report.unkept.insert(Done { is_users_wish: true, ..wish.clone() }.alike(), 700);
    report.unkept.insert(wish.alike(), 50);
    report.actions = vec![failed; 100];
    let due: Vec<_> = due(&report, true, false).into_iter().map(|due| (due.kind, due.more)).collect();
    assert_eq!(due, [("applied b".to_owned(), 50), ("failed a".to_owned(), 1000)]);
    assert_eq!(report.count(DoneOutcome::Failed), 1000);
}
