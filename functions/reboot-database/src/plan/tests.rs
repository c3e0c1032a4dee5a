use super::*;
use crate::instance::Member;

const MANIFEST: &str = include_str!("../../manifest.toml");

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_482_000, 0).unwrap()
}

fn instance() -> Instance {
    Instance {
        id: "app-1".into(),
        status: "available".into(),
        engine: "postgres 17.4".into(),
        multi_az: false,
        pending: Vec::new(),
        parameter_groups: Vec::new(),
        restorable_until: Some(now()),
        cluster: None,
        events: Vec::new(),
    }
}

fn cluster(writer: bool, other: &str) -> Option<Cluster> {
    let others = vec![Member { id: "app-2".into(), writer: !writer, status: other.into() }];
    Some(Cluster { id: "app".into(), status: "available".into(), writer: Some(writer), others })
}

fn event(seconds_ago: i64, category: &str, message: &str) -> Event {
    Event { at: now() - TimeDelta::seconds(seconds_ago), categories: vec![category.into()], message: message.into() }
}

fn evidence(instance: Instance) -> Evidence {
    Evidence { id: "app-1".into(), described: Ok(instance), reach: Reach::Silent("no answer".into()), asked: false }
}

fn planned(evidence: &Evidence) -> Plan {
    plan(evidence, &Policy::read(MANIFEST).unwrap(), Language::En, now())
}

/// The finding's code, its command, its message.
fn outcome(evidence: &Evidence) -> (&'static str, Option<String>, String) {
    let plan = planned(evidence);
    assert!(plan.actions.is_empty(), "it reboots nothing itself");
    assert_eq!((plan.findings.len(), plan.skipped.len()), (1, 1), "one sentence for the instance");
    let finding = &plan.findings[0];
    (finding.code, finding.evidence["command"].as_str().map(str::to_owned), finding.message.clone())
}

const REBOOT: &str = "aws rds reboot-db-instance --db-instance-identifier app-1";
const FAIL_OVER: &str = "aws rds failover-db-cluster --db-cluster-identifier app --target-db-instance-identifier app-2";

#[test]
fn it_is_proposed_where_the_database_is_silent_or_full_or_a_person_asks_all_the_same() {
    let why = || "because".to_owned();
    // (how the database answers, asked for all the same, the code, what is said)
    for (reach, asked, code, said) in [
        (Reach::Silent(why()), false, "reboot_proposed", "The database: because"),
        (Reach::Full(why()), false, "reboot_proposed", "no connection left (because)"),
        (Reach::Answers, true, "reboot_proposed", "The database: it answers"),
        (
            Reach::Answers,
            false,
            "reboot_refused",
            "use relieve-database for connections and blocked sessions; to get the reboot command anyway, send {\"all\": true}",
        ),
        (Reach::Starting(why()), false, "reboot_refused", "wait until it is over"),
        (Reach::Starting(why()), true, "reboot_refused", "wait until it is over"),
        (
            Reach::Refuses(why()),
            true,
            "reboot_refused",
            "refuses the connection, which a reboot does not fix (because)",
        ),
        (Reach::Untried(why()), true, "reboot_refused", "could not even be contacted (because)"),
    ] {
        let evidence = Evidence { reach: reach.clone(), asked, ..evidence(instance()) };
        let (found, command, message) = outcome(&evidence);
        assert_eq!((found, command.as_deref()), (code, (code == "reboot_proposed").then_some(REBOOT)), "{reach:?}");
        assert!(message.contains(said), "{reach:?}: {message}");
    }
}

#[test]
fn whatever_rds_does_with_the_instance_forbids_it() {
    let with = |change: &dyn Fn(&mut Instance)| {
        let mut instance = instance();
        change(&mut instance);
        instance
    };
    let mut cases = Vec::new();
    for status in [
        "backing-up",
        "modifying",
        "rebooting",
        "failing-over",
        "storage-optimization",
        "storage-full",
        "stopped",
        "incompatible-parameters",
        "unknown",
    ] {
        cases.push((with(&|instance| instance.status = status.into()), format!("app-1 is {status}")));
    }
    let of_cluster = |status: &str| {
        let mut cluster = cluster(false, "available");
        cluster.iter_mut().for_each(|cluster| cluster.status = status.into());
        with(&|instance| instance.cluster.clone_from(&cluster))
    };
    cases.push((of_cluster("failing-over"), "app is failing-over".into()));
    cases.push((of_cluster("unknown"), "app is unknown".into()));
    let unlisted = Cluster { writer: None, ..cluster(false, "available").unwrap() };
    cases.push((with(&|instance| instance.cluster = Some(unlisted.clone())), "does not list this instance".into()));
    let pending = vec!["DBInstanceClass", "MasterUserPassword"];
    cases.push((with(&|instance| instance.pending.clone_from(&pending)), "DBInstanceClass, MasterUserPassword".into()));
    for (instance, said) in cases {
        let (code, command, message) = outcome(&evidence(instance));
        assert_eq!((code, command), ("reboot_refused", None), "{message}");
        assert!(message.contains(&said), "{message}");
    }
}

#[test]
fn what_has_just_happened_forbids_it_for_a_while() {
    let backing_up = |at| event(at, "backup", "Backing up DB instance");
    let finished = |at| event(at, "backup", "Finished DB Instance backup");
    // (events, the oldest first; what is said where it is forbidden)
    for (events, said) in [
        (vec![backing_up(3500)], Some("a backup is running")),
        (vec![backing_up(600), finished(59)], Some("a backup is running or has just ended")),
        (vec![backing_up(600), finished(61)], None),
        (vec![finished(600), backing_up(30)], Some("a backup is running")),
        (vec![event(899, "failover", "Completed failover to DB instance: app-1")], Some("it failed over 14 min ago")),
        (vec![event(901, "failover", "Completed failover to DB instance: app-1")], None),
        (vec![event(1799, "availability", "DB instance restarted")], Some("it restarted or shut down 29 min ago")),
        (vec![event(1801, "availability", "DB instance restarted")], None),
        (vec![event(60, "availability", "DB instance shutdown")], Some("it restarted or shut down 1 min ago")),
        (vec![event(60, "notification", "Anything else")], None),
        (vec![], None),
    ] {
        let case = format!("{events:?}");
        let (code, _, message) = outcome(&evidence(Instance { events, ..instance() }));
        let expected = if said.is_some() { "reboot_refused" } else { "reboot_proposed" };
        assert_eq!(code, expected, "{case}: {message}");
        assert!(message.contains(said.unwrap_or_default()), "{message}");
    }
}

#[test]
fn a_writer_with_an_available_reader_fails_over_instead() {
    // (writer, the other one's status, the code, the command)
    for (writer, other, code, command) in [
        (true, "available", "failover_instead", FAIL_OVER),
        (true, "creating", "reboot_proposed", REBOOT),
        (true, "unknown", "reboot_proposed", REBOOT),
        (false, "available", "reboot_proposed", REBOOT),
    ] {
        let found = outcome(&evidence(Instance { cluster: cluster(writer, other), ..instance() }));
        assert_eq!((found.0, found.1.as_deref()), (code, Some(command)), "{writer} {other}");
        assert!(found.2.contains(command));
    }
    let alone = Cluster { others: Vec::new(), ..cluster(true, "").unwrap() };
    assert_eq!(outcome(&evidence(Instance { cluster: Some(alone), ..instance() })).0, "reboot_proposed");
    // It does so only where it may be touched at all, and where the database is sick.
    let just = Instance { cluster: cluster(true, "available"), events: vec![event(60, "failover", "x")], ..instance() };
    assert_eq!(outcome(&evidence(just)).0, "reboot_refused");
    let well =
        Evidence { reach: Reach::Answers, ..evidence(Instance { cluster: cluster(true, "available"), ..instance() }) };
    assert_eq!(outcome(&well).0, "reboot_refused");
}

#[test]
fn all_that_forbids_it_is_told_at_once() {
    let instance = Instance {
        status: "modifying".into(),
        pending: vec!["Port"],
        events: vec![event(60, "failover", "x"), event(30, "availability", "DB instance restarted")],
        ..instance()
    };
    let (_, _, message) = outcome(&Evidence { reach: Reach::Answers, ..evidence(instance) });
    for part in ["app-1 is modifying", "Port", "it failed over 1 min ago", "it restarted", "the database answers"] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
}

#[test]
fn what_could_not_be_read_allows_nothing() {
    let blind = Evidence { described: Err("AccessDenied".into()), asked: true, ..evidence(instance()) };
    let (code, command, message) = outcome(&blind);
    assert_eq!((code, command), ("reboot_refused", None));
    assert!(message.contains("AccessDenied"), "{message}");
}

#[test]
fn a_standby_and_parameters_that_wait_are_told_beside_the_command() {
    let instance = Instance { multi_az: true, parameter_groups: vec!["app-pg17".into()], ..instance() };
    let (code, command, message) = outcome(&evidence(instance));
    assert_eq!((code, command.as_deref()), ("reboot_proposed", Some(REBOOT)));
    assert!(message.contains(&format!("{REBOOT} --force-failover")) && message.contains("app-pg17"), "{message}");
}

#[test]
fn the_report_reads_as_text_and_has_what_was_described() {
    let found = Instance {
        cluster: cluster(true, "available"),
        events: vec![
            event(3000, "backup", "Backing up DB instance"),
            event(2900, "backup", "Finished DB Instance backup"),
        ],
        ..instance()
    };
    let report = planned(&evidence(found)).report.unwrap();
    assert_eq!(report["command"], FAIL_OVER);
    assert_eq!(
        (&report["database"]["state"], &report["instance"]["cluster"]["writer"]),
        (&json!("silent"), &json!(true))
    );
    let text: Vec<&str> = report["text"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(text.len(), 7, "{text:#?}");
    assert_eq!(text[1], "Database: no answer");
    assert!(text[2].starts_with("Instance: available, postgres 17.4, Multi-AZ: false"), "{text:#?}");
    assert!(text[3].ends_with("others: app-2 (available)") && text[5].contains("Finished"), "{text:#?}");
}
