//! The decision as tables: who is ended, how, in which order, and in which words everybody else is left.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::end_session::{Cause, EndSession, Ending};
use remediation::gather::config::Config;
use remediation::gather::manifest;
use remediation::gather::sessions::{Backend, Overview, Prepared, Protection, State};
use remediation::run::step::{Audience, Often, Plan};
use serde_json::{Value, json};

use crate::MANIFEST;
use crate::evidence::Evidence;
use crate::plan::{Policy, plan};

fn now() -> DateTime<Utc> {
    "2026-11-24T01:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// A session of the application that began its statement, or fell idle, so many seconds ago.
fn session(pid: i32, state: State, seconds: i64) -> Backend {
    Backend {
        pid,
        started_at: Some(ago(10_000)),
        is_client: true,
        application: "retry-handler".into(),
        client: None,
        user: "app".into(),
        database: "production".into(),
        state,
        transaction_since: (state != State::Idle).then(|| ago(seconds + 5)),
        statement_since: Some(ago(seconds)),
        state_since: Some(ago(seconds)),
        waits_for: None,
        statement: "UPDATE processing_state SET status = $1".into(),
        statement_id: None,
        blocked_by: Vec::new(),
        blocked_since: None,
        may_signal: true,
        protection: None,
    }
}

fn idle_in_transaction(pid: i32, seconds: i64) -> Backend {
    session(pid, State::IdleInTransaction, seconds)
}

fn active(pid: i32, seconds: i64) -> Backend {
    session(pid, State::Active, seconds)
}

/// A session that has been waiting for others so long.
fn waiting(pid: i32, blocked_by: &[i32], seconds: i64) -> Backend {
    Backend { blocked_by: blocked_by.into(), blocked_since: Some(ago(seconds)), ..active(pid, seconds) }
}

fn protected(protection: Protection, backend: Backend) -> Backend {
    Backend { protection: Some(protection), ..backend }
}

fn evidence(backends: Vec<Backend>) -> Evidence {
    Evidence {
        at: now(),
        overview: Overview { used: 10, unseen: 0, available: 97, blocked: 0, named: json!([]) },
        backends,
        prepared: Vec::new(),
        cancelled: HashSet::new(),
        user: "remediation".into(),
        asked: None,
    }
}

fn decide(evidence: &Evidence) -> Plan {
    let config = Config::read(|name| match name {
        "DATABASE_URL" => Some("postgres://u:p@h/d".into()),
        "STATE_MACHINE_ARN" => Some("arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing".into()),
        "TEXT_LANGUAGE" => Some("en".into()),
        _ => None,
    });
    plan(evidence, &config.unwrap(), &manifest::policy::<Policy>(MANIFEST).unwrap())
}

/// What is wanted: pid, how, why.
fn wanted(plan: &Plan) -> Vec<(i32, Ending, Cause)> {
    let ends = plan.actions.iter().map(|planned| planned.action.downcast::<EndSession>().unwrap());
    ends.map(|end| (end.id.pid, end.ending, end.cause)).collect()
}

/// Why this session was left.
fn left(plan: &Plan, pid: i32) -> Option<&str> {
    let target = format!("session {pid}");
    let of = |target_of: &str| target_of == target || target_of.starts_with(&format!("{target} of "));
    plan.skipped.iter().find(|skipped| of(&skipped.target)).map(|skipped| skipped.why.as_str())
}

fn findings(plan: &Plan) -> Vec<&str> {
    plan.findings.iter().map(|finding| finding.code).collect()
}

use Cause::{Asked, Blocks, ConnectionsScarce, LongStatement};
use Ending::{Cancel, Terminate};

#[test]
fn a_root_is_ended_once_it_has_blocked_or_idled_for_too_long() {
    // (root, how long the other one has been waiting, what is done)
    for (root, waits, ending) in [
        (idle_in_transaction(1, 121), 121, Some(Terminate)),
        (idle_in_transaction(1, 121), 120, None),
        (idle_in_transaction(1, 2), 121, Some(Terminate)),
        (idle_in_transaction(1, 301), 5, Some(Terminate)),
        (idle_in_transaction(1, 300), 5, None),
        (session(1, State::IdleInTransactionAborted, 121), 121, Some(Terminate)),
        (active(1, 200), 121, Some(Cancel)),
        (active(1, 200), 120, None),
        (active(1, 2000), 10, None),
        (session(1, State::Idle, 9999), 500, None),
        (session(1, State::Unknown, 9999), 500, None),
    ] {
        let told = format!("{:?} for {:?}, waited for {waits} s", root.state, root.state_since);
        let plan = decide(&evidence(vec![root, waiting(2, &[1], waits)]));
        assert_eq!(wanted(&plan), ending.map(|ending| (1, ending, Blocks)).into_iter().collect::<Vec<_>>(), "{told}");
        assert_eq!(left(&plan, 1).is_none(), ending.is_some(), "{told}: {:?}", plan.skipped);
        assert_eq!(left(&plan, 2), None, "a victim below the age of a statement is nobody's business");
    }
}

#[test]
fn a_root_says_how_many_wait_for_it_and_why_it_is_not_cancelled() {
    let plan = decide(&evidence(vec![
        idle_in_transaction(1, 130),
        waiting(2, &[1], 125),
        waiting(3, &[1, 2], 60),
        waiting(4, &[3], 50),
    ]));
    assert_eq!(
        plan.actions[0].reason,
        "idle in transaction for 2 min 10 s, 3 blocked behind it for up to 2 min 05 s; it has no statement to cancel"
    );
    let action = plan.actions[0].action.downcast::<EndSession>().unwrap();
    assert_eq!(action.waiters, [2, 3], "those that are freed at once");
    assert_eq!(action.id.to_string(), "session 1 of 2026-11-23T22:13:20.000000Z");
    assert_eq!(plan.population, 4);
}

#[test]
fn the_idle_ones_go_first_then_those_that_most_wait_for_and_then_long_statements() {
    let plan = decide(&evidence(vec![
        active(1, 300),
        active(2, 300),
        idle_in_transaction(3, 300),
        active(4, 1000),
        waiting(11, &[1], 130),
        waiting(12, &[2], 130),
        waiting(13, &[2], 130),
        waiting(14, &[3], 130),
    ]));
    assert_eq!(
        wanted(&plan),
        [(3, Terminate, Blocks), (2, Cancel, Blocks), (1, Cancel, Blocks), (4, Cancel, LongStatement)]
    );
}

#[test]
fn what_goes_on_after_its_cancel_is_terminated() {
    for (backends, cause) in
        [(vec![active(1, 1000), waiting(2, &[1], 130)], Blocks), (vec![active(1, 1000)], LongStatement)]
    {
        let mut evidence = evidence(backends);
        assert_eq!(wanted(&decide(&evidence)), [(1, Cancel, cause)]);
        evidence.cancelled.extend(evidence.backends[0].id());
        let plan = decide(&evidence);
        assert_eq!(wanted(&plan), [(1, Terminate, cause)]);
        assert!(
            plan.actions[0].reason.ends_with("was already cancelled, but the transaction is still open"),
            "{plan:?}"
        );
    }
}

#[test]
fn only_a_statement_that_nobody_holds_up_is_cancelled_for_its_length() {
    let root = idle_in_transaction(9, 1);
    for (backend, ends, why) in [
        (active(1, 901), true, None),
        (active(1, 900), false, None),
        (
            idle_in_transaction(1, 901),
            false,
            Some("idle in transaction for 15 min 01 s, but nobody waits for it and connections are not scarce"),
        ),
        (session(1, State::Idle, 901), false, None),
        (
            Backend { blocked_since: Some(ago(5)), ..waiting(1, &[9], 901) },
            false,
            Some("it is waiting itself, for 9, which is the cause"),
        ),
        (protected(Protection::Vacuum, active(1, 901)), false, Some("it is running VACUUM or ANALYZE")),
        (protected(Protection::Replication, active(1, 90_000)), false, None),
    ] {
        let told = format!("{backend:?}");
        let plan = decide(&evidence(vec![backend, root.clone()]));
        let ended: Vec<_> = wanted(&plan).into_iter().filter(|(pid, ..)| *pid == 1).collect();
        assert_eq!(ended, if ends { vec![(1, Cancel, LongStatement)] } else { vec![] }, "{told}");
        assert_eq!(left(&plan, 1), why, "{told}");
    }
}

#[test]
fn nobody_ends_what_is_protected_and_each_is_left_with_its_sentence() {
    let unlisted = Backend { application: "psql".into(), ..idle_in_transaction(1, 500) };
    let unnamed = Backend { application: String::new(), ..idle_in_transaction(1, 500) };
    let unsignalled = Backend { may_signal: false, ..idle_in_transaction(1, 500) };
    let unseen = Backend { started_at: None, ..session(1, State::Unknown, 500) };
    let of = |protection| protected(protection, idle_in_transaction(1, 500));
    for (root, why, finding) in [
        (of(Protection::Own), "it is this system's own session", "blocker_left"),
        (protected(Protection::Unseen, unseen), "this user cannot inspect it", "blocker_left"),
        (of(Protection::Replication), "it serves replication", "blocker_left"),
        (of(Protection::Vacuum), "it is running VACUUM or ANALYZE", "blocker_left"),
        (of(Protection::Background), "it is the server's own process", "blocker_left"),
        (of(Protection::OtherDatabase), "it belongs to another database, production", "blocker_left"),
        (of(Protection::Superuser), "it is a superuser's", "blocker_left"),
        (of(Protection::Migration), "a migration", "blocker_left"),
        (session(1, State::Idle, 500), "it holds a session-level lock", "blocker_left"),
        (session(1, State::Unknown, 500), "does not report what it is doing", "blocker_left"),
        (unlisted, "its application name `psql` is not in DATABASE_APPLICATION_NAMES", "application_left"),
        (unnamed, "its application name `` is not in DATABASE_APPLICATION_NAMES", "application_left"),
        (unsignalled, "database user remediation may not end other users' sessions", "may_not_signal"),
    ] {
        let mut evidence = evidence(vec![root, waiting(2, &[1], 130)]);
        for asked in [None, Some(1)] {
            evidence.asked = asked;
            let plan = decide(&evidence);
            // An idle one outside a transaction may be ended where a person names it.
            if asked.is_some() && why.contains("a session-level lock") {
                assert_eq!(wanted(&plan), [(1, Terminate, Asked)]);
                continue;
            }
            assert_eq!(wanted(&plan), [], "{why}");
            assert!(left(&plan, 1).is_some_and(|told| told.contains(why)), "{why}: {plan:?}");
            let told = asked.is_none() || finding != "blocker_left";
            assert_eq!(findings(&plan), if told { vec![finding] } else { vec![] }, "{why}");
        }
    }
}

#[test]
fn what_people_are_told_says_what_to_do() {
    let mut evidence = evidence(vec![
        protected(Protection::Superuser, idle_in_transaction(1, 500)),
        waiting(2, &[1], 130),
        Backend { application: "psql".into(), ..idle_in_transaction(3, 500) },
        waiting(4, &[3], 130),
        Backend { may_signal: false, ..active(5, 1000) },
    ]);
    evidence.overview.unseen = 2;
    let told = decide(&evidence).findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("\n");
    for words in [
        "SELECT pg_terminate_backend(1)",
        "application name `psql` over their age limit: 1",
        "databaseApplicationNames",
        "GRANT pg_signal_backend TO remediation",
        "GRANT pg_monitor",
    ] {
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
}

#[test]
fn where_connections_are_scarce_the_oldest_idle_ones_go_and_no_more_than_help() {
    // Of 100, 80 are comfortable.
    for (used, ended) in [(80, 0), (81, 1), (83, 3), (100, 4), (103, 4)] {
        let idle = [310, 400, 350, 320, 300, 10].into_iter().zip(1..).map(|(age, pid)| idle_in_transaction(pid, age));
        let unlisted = Backend { application: "psql".into(), ..idle_in_transaction(7, 9000) };
        let mut evidence = evidence(idle.chain([unlisted, session(8, State::Idle, 9000)]).collect());
        (evidence.overview.used, evidence.overview.available) = (used, 100);
        let plan = decide(&evidence);
        let order = [2, 3, 4, 1].map(|pid| (pid, Terminate, ConnectionsScarce));
        assert_eq!(wanted(&plan), order[..ended], "{used}");
        assert_eq!(findings(&plan).contains(&"connections_scarce"), used > 80, "{used}");
        let sentence = left(&plan, 1).unwrap_or_default();
        match ended {
            0 => assert!(sentence.contains("connections are not scarce"), "{sentence}"),
            1 | 3 => assert!(sentence.contains("ending older ones is enough"), "{sentence}"),
            _ => assert_eq!(sentence, ""),
        }
        assert_eq!((left(&plan, 6), left(&plan, 8)), (None, None), "{used}");
    }
}

#[test]
fn idle_sessions_that_hold_what_is_scarce_are_left_and_people_are_told_what_to_do() {
    let mut evidence = evidence((1..=86).map(|pid| session(pid, State::Idle, 9000)).collect());
    (evidence.overview.used, evidence.overview.available) = (86, 100);
    let plan = decide(&evidence);
    assert!(wanted(&plan).is_empty());
    let finding = plan.findings.iter().find(|finding| finding.code == "connections_scarce").unwrap();
    assert_eq!(finding.audience, Audience::People);
    for words in ["86 of 100", "86 of them idle", "never ended automatically", "connection_limit", "{\"pid\": <pid>}"] {
        assert!(finding.message.contains(words), "{words} is not in: {}", finding.message);
    }
}

#[test]
fn what_is_ended_for_its_waiters_counts_where_connections_are_scarce() {
    let mut evidence = evidence(vec![
        idle_in_transaction(1, 400),
        waiting(2, &[1], 130),
        idle_in_transaction(3, 500),
        idle_in_transaction(4, 400),
    ]);
    (evidence.overview.used, evidence.overview.available) = (82, 100);
    assert_eq!(wanted(&decide(&evidence)), [(1, Terminate, Blocks), (3, Terminate, ConnectionsScarce)]);
    // All of them are reserved: whoever is in holds one that is scarce.
    evidence.overview.available = 0;
    assert_eq!(wanted(&decide(&evidence)).len(), 3);
}

#[test]
fn a_person_names_one_session_and_its_age_does_not_count() {
    for (backend, ending) in [
        (idle_in_transaction(1, 1), Terminate),
        (session(1, State::Idle, 1), Terminate),
        (active(1, 1), Cancel),
        (waiting(1, &[2], 1), Cancel),
    ] {
        let mut evidence = evidence(vec![backend, idle_in_transaction(2, 5000)]);
        evidence.asked = Some(1);
        assert_eq!(wanted(&decide(&evidence)), [(1, ending, Asked)]);
        evidence.cancelled.extend(evidence.backends[0].id());
        assert_eq!(wanted(&decide(&evidence)), [(1, Terminate, Asked)]);
    }
}

#[test]
fn a_session_that_is_gone_is_no_failure() {
    let mut evidence = evidence(vec![idle_in_transaction(2, 5000)]);
    evidence.asked = Some(1);
    let plan = decide(&evidence);
    assert_eq!(
        (wanted(&plan), left(&plan, 1)),
        (vec![], Some("no such session: it has already ended, or the pid is wrong"))
    );
}

#[test]
fn a_deadlock_is_left_to_postgresql_and_a_root_that_is_gone_to_the_next_look() {
    let plan = decide(&evidence(vec![
        waiting(1, &[2], 500),
        waiting(2, &[1], 500),
        waiting(3, &[2], 500),
        waiting(4, &[99], 500),
        waiting(5, &[4], 500),
    ]));
    assert_eq!((wanted(&plan), findings(&plan)), (vec![], vec![]));
    let skipped: Vec<_> = plan.skipped.iter().map(|skipped| skipped.target.as_str()).collect();
    assert_eq!(skipped, ["sessions 1, 2"]);
}

#[test]
fn a_prepared_transaction_is_told_because_it_has_no_session() {
    for (age, waits, told) in [(121, Some(121), true), (120, Some(120), false), (301, None, true), (300, None, false)] {
        let mut evidence = evidence(waits.map(|seconds| waiting(1, &[0], seconds)).into_iter().collect());
        evidence.prepared.push(Prepared { gid: "it's".into(), owner: "app".into(), prepared: ago(age) });
        let plan = decide(&evidence);
        assert_eq!(wanted(&plan), []);
        assert_eq!(findings(&plan), if told { vec!["prepared_transaction"] } else { vec![] }, "{age} s");
        let message = plan.findings.first().map(|finding| finding.message.as_str()).unwrap_or_default();
        assert_eq!(message.contains("ROLLBACK PREPARED 'it''s'"), told, "{message}");
    }
}

#[test]
fn the_report_shows_the_chain_to_its_root_and_who_holds_the_connections() {
    let plan = decide(&evidence(vec![
        idle_in_transaction(1, 130),
        waiting(2, &[1], 125),
        waiting(3, &[2], 60),
        waiting(4, &[1], 100),
        Backend { application: String::new(), ..session(5, State::Idle, 7) },
        active(6, 1000),
        waiting(7, &[0], 30),
    ]));
    let report = plan.report.unwrap();
    let text: Vec<_> = report["text"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(
        text,
        [
            "Database sessions, 2026-11-24 01:00:00 UTC: 10 of 97 connections in use (10 %), blocked sessions: 0",
            "Connections by application and state",
            "     retry-handler 6: active 5, idle in transaction 1",
            "     - 1: idle 1",
            "Who waits for whom",
            "     1 retry-handler (idle in transaction for 2 min 10 s): UPDATE processing_state SET status = $1",
            "       └ 2 retry-handler (waiting for 2 min 05 s): UPDATE processing_state SET status = $1",
            "         └ 3 retry-handler (waiting for 1 min): UPDATE processing_state SET status = $1",
            "       └ 4 retry-handler (waiting for 1 min 40 s): UPDATE processing_state SET status = $1",
            "     a prepared transaction",
            "       └ 7 retry-handler (waiting for 30 s): UPDATE processing_state SET status = $1",
            "Statements running for more than 15 min",
            "     6 retry-handler (active for 16 min 40 s): UPDATE processing_state SET status = $1",
        ]
    );
    assert_eq!((&report["chains"][0]["pid"], &report["chains"][0]["blocked"]), (&json!(1), &json!(3)));
    assert_eq!(report["connections"]["byApplication"][0]["states"], json!({ "active": 5, "idle in transaction": 1 }));
    assert_eq!(report["longStatements"][0]["pid"], 6);
}

#[test]
fn what_needs_a_person_is_told_once_an_hour_and_at_once_where_others_stand_still() {
    let mut evidence = evidence(vec![
        protected(Protection::Migration, idle_in_transaction(1, 500)),
        waiting(2, &[1], 300),
        Backend { application: "psql".into(), ..idle_in_transaction(3, 500) },
        waiting(4, &[3], 130),
        Backend { may_signal: false, ..active(5, 1000) },
    ]);
    evidence.prepared.push(Prepared { gid: "left".into(), owner: "app".into(), prepared: ago(301) });
    evidence.overview.unseen = 2;
    let told: Vec<_> = decide(&evidence).findings.iter().map(|it| (it.code, it.audience, it.often)).collect();
    let hourly = Often::OnceIn(TimeDelta::hours(1));
    assert_eq!(
        told,
        [
            ("blocker_left", Audience::PeopleAtOnce, hourly),
            ("prepared_transaction", Audience::People, hourly),
            ("application_left", Audience::People, hourly),
            ("may_not_signal", Audience::People, hourly),
            ("sessions_unseen", Audience::Nobody, Often::Always),
        ]
    );
}
