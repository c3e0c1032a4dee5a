use super::*;
use crate::gather::config::escalation::Level;

const ARN: &str = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai";

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Config::read(lookup).map_err(|error| error.to_string())
}

#[test]
fn two_variables_are_enough() {
    let config = read(&[("DATABASE_URL", "postgres://u:p@h/d"), ("STATE_MACHINE_ARN", ARN)]).unwrap();
    assert_eq!(config.table.to_string(), "public.processing_state");
    assert_eq!(config.policy.process_deadline, TimeDelta::seconds(900));
    assert_eq!(config.policy.start_deadline, TimeDelta::seconds(300));
    assert_eq!(config.policy.settle, TimeDelta::seconds(60));
    assert_eq!((config.mode, config.language), (Mode::Act, Language::Ja));
    assert_eq!(config.timed_out_status, ProcessStatus::Failed);
    assert_eq!(
        config.application_functions.join(" "),
        "async-processing-handler status-check-handler retry-handler cancel-handler ai-generation-worker"
    );
}

#[test]
fn the_applications_functions_are_those_that_are_named_and_the_worker_each_once() {
    let with = |names: &str, worker: &str| {
        let needed = [("DATABASE_URL", "postgres://u:p@h/d"), ("STATE_MACHINE_ARN", ARN)];
        let named = [("APPLICATION_FUNCTION_NAMES", names), ("WORKER_FUNCTION_NAME", worker)];
        read(&[needed, named].concat()).map(|config| config.application_functions.join(" "))
    };
    assert_eq!(with("api, cancel", "worker").unwrap(), "api cancel worker");
    assert_eq!(with("worker,api,api", "worker").unwrap(), "worker api");
    assert!(with("api", "").unwrap().ends_with("api ai-generation-worker"), "set to nothing is not set");
    for (names, worker, fault) in [
        ("api,,cancel", "worker", "APPLICATION_FUNCTION_NAMES: `` must be a function name"),
        ("api", "worker:live", "WORKER_FUNCTION_NAME: `worker:live` must be a function name"),
    ] {
        let error = with(names, worker).unwrap_err();
        assert!(error.contains(fault), "{error}");
    }
}

#[test]
fn in_another_applications_account_the_guides_names_are_nobodys() {
    const PROFILE: &str = include_str!("../../../../tests/profiles/genomics/application.toml");
    let with = |named: &[(&str, &str)]| {
        let needed =
            [("DATABASE_URL", "postgres://u:p@h/d"), ("STATE_MACHINE_ARN", ARN), ("APPLICATION_PROFILE", PROFILE)];
        read(&[&needed, named].concat()).unwrap()
    };
    let unnamed = with(&[]);
    assert_eq!((unnamed.application_functions.len(), unnamed.sessions.applications.len()), (0, 0));
    assert!(unnamed.worker().unwrap_err().to_string().contains("WORKER_FUNCTION_NAME must be set"));
    let named = with(&[("WORKER_FUNCTION_NAME", "caller")]);
    assert_eq!((named.worker().unwrap(), named.application_functions.join(" ").as_str()), ("caller", "caller"));
    let others = with(&[("APPLICATION_FUNCTION_NAMES", "api")]);
    assert_eq!((others.worker_function, others.application_functions.join(" ").as_str()), (None, "api"));
}

#[test]
fn the_worker_is_called_by_an_alias_and_our_own_functions_share_a_prefix() {
    let with = |variable: &'static str, value: &'static str| {
        read(&[("DATABASE_URL", "postgres://u:p@h/d"), ("STATE_MACHINE_ARN", ARN), (variable, value)])
    };
    assert_eq!(with("WORKER_ALIAS", "live").unwrap().worker_alias.as_deref(), Some("live"));
    for wrong in ["$LATEST", "7", "a b"] {
        let error = with("WORKER_ALIAS", wrong).unwrap_err();
        assert!(error.contains("must be an alias name"), "{error}");
    }
    let migrate = |name| with("AWS_LAMBDA_FUNCTION_NAME", name).unwrap().function_of("migrate", "check-health");
    assert_eq!(migrate("remediation-check-health").as_deref(), Some("remediation-migrate"));
    assert_eq!(migrate("check-health").as_deref(), Some("migrate"));
    assert_eq!(migrate("something-else"), None);
}

#[test]
fn only_the_applications_own_sessions_may_be_ended() {
    let with = |variable: &'static str, value: &'static str| {
        read(&[("DATABASE_URL", "postgres://u:p@h/d"), ("STATE_MACHINE_ARN", ARN), (variable, value)])
    };
    let plain = with("X", "").unwrap();
    assert_eq!(plain.sessions.applications, plain.application_functions);
    assert_eq!(plain.sessions.idle_in_transaction, TimeDelta::seconds(300));
    let named = with("DATABASE_APPLICATION_NAMES", "api, worker pool").unwrap();
    assert_eq!(named.sessions.applications, ["api", "worker pool"]);
    let sessions =
        with("DATABASE_APPLICATION_NAMES", "api, user:app, user:batch@10.0.0.0/16, user:ops@fd00::1").unwrap().sessions;
    for (application, client, allowed) in [
        ("api", None, true),
        ("API", None, false),
        ("user:app", Some("10.9.0.1"), true),
        ("user:app", None, true),
        ("user:other", Some("10.0.0.1"), false),
        ("user:batch", Some("10.0.255.1"), true),
        ("user:batch", Some("10.1.0.1"), false),
        ("user:batch", Some("::ffff:10.0.0.1"), false),
        ("user:batch", None, false),
        ("user:ops", Some("fd00::1"), true),
        ("user:ops", Some("fd00::2"), false),
    ] {
        let client = client.map(|address: &str| address.parse().unwrap());
        assert_eq!(sessions.allows(application, client), allowed, "{application} {client:?}");
    }
    for wrong in ["user:", "user:@10.0.0.1", "user:app@nowhere", "user:app@10.0.0.0/33"] {
        let error = with("DATABASE_APPLICATION_NAMES", wrong).unwrap_err();
        assert!(error.contains("user:<user>@<address or network>"), "{wrong}: {error}");
    }
    let error = with("DATABASE_APPLICATION_NAMES", "api,,x").unwrap_err();
    assert!(error.contains("must be application names"), "{error}");
    let error = with("DATABASE_INSTANCE_ID", "db:1").unwrap_err();
    assert!(error.contains("must be the identifier of an RDS instance"), "{error}");
}

#[test]
fn the_ledger_is_kept_for_whole_days_and_for_no_less_than_it_is_counted_by() {
    let with = |variable: &'static str, value: &'static str| {
        read(&[("DATABASE_URL", "postgres://u:p@h/d"), ("STATE_MACHINE_ARN", ARN), (variable, value)])
    };
    let Retention { actions, runs, executions, refused_writes } = with("X", "").unwrap().retention;
    let days = [actions, runs, executions, refused_writes].map(|kept| kept.num_days());
    assert_eq!(days, [400, 30, 90, 90]);
    for (variable, least, less) in [
        ("RETENTION_ACTIONS_DAYS", "32", "31"),
        ("RETENTION_RUNS_DAYS", "2", "1"),
        ("RETENTION_EXECUTIONS_DAYS", "90", "89"),
        ("RETENTION_REFUSED_WRITES_DAYS", "1", "0"),
    ] {
        with(variable, least).unwrap();
        let error = with(variable, less).unwrap_err();
        assert!(
            error.contains(&format!("{variable} `{less}` must be a whole number of days from {least} to 36500")),
            "{error}"
        );
    }
}

#[test]
fn each_level_has_its_topic_and_its_time_in_their_order() {
    let with = |variables: &[(&'static str, &'static str)]| {
        read(&[&[("DATABASE_URL", "postgres://u:p@h/d"), ("STATE_MACHINE_ARN", ARN)], variables].concat())
    };
    let plain = with(&[]).unwrap().escalation;
    assert_eq!(Level::ALL.map(|level| plain.delay(level).num_minutes()), [15, 30, 60]);
    assert_eq!(plain.topics, [None, None, None]);
    let own = "arn:aws:sns:ap-northeast-1:123456789012:manager";
    let set = with(&[("NOTIFY_TOPIC_ARN", "all"), ("ESCALATION_L3_TOPIC_ARN", own)]).unwrap().escalation;
    assert_eq!(Level::ALL.map(|level| set.topic(level)), [Some("all"), Some("all"), Some(own)]);
    for (variables, fault) in [
        (
            vec![("ESCALATION_L2_SECONDS", "3600")],
            "`900`, ESCALATION_L2_SECONDS `3600` and ESCALATION_L3_SECONDS `3600`",
        ),
        (vec![("ESCALATE_AFTER_SECONDS", "1801")], "ESCALATE_AFTER_SECONDS `1801`, ESCALATION_L2_SECONDS `1800`"),
        (vec![("ESCALATION_L3_SECONDS", "1 h")], "ESCALATION_L3_SECONDS `1 h` must be a whole number of seconds"),
        (vec![("ESCALATION_L1_TOPIC_ARN", "on-call")], "ESCALATION_L1_TOPIC_ARN `on-call` must be a topic's ARN"),
    ] {
        let error = with(&variables).unwrap_err();
        assert!(error.contains(fault), "{error}");
    }
}

#[test]
fn all_faults_are_listed_at_once() {
    let error = read(&[
        ("DATABASE_URL", "mysql://x"),
        ("PROCESSING_STATE_TABLE", "a.b.c"),
        ("STATE_MACHINE_ARN", "arn:aws:states:r:1:execution:ai:x"),
        ("PROCESS_DEADLINE_SECONDS", "15m"),
        ("TIMED_OUT_STATUS", "GONE"),
        ("REMEDIATION_MODE", "dare"),
        ("RETENTION_RUNS_DAYS", "for ever"),
        ("TEXT_LANGUAGE", "fr"),
        ("REQUIRE_RESULT", "yes"),
        ("APPROVAL_REQUIRES_BY", "anna"),
        ("RESULT_PATH", "generationResult"),
    ])
    .unwrap_err();
    for name in [
        "DATABASE_URL",
        "PROCESSING_STATE_TABLE `a.b.c`",
        "STATE_MACHINE_ARN",
        "PROCESS_DEADLINE_SECONDS `15m`",
        "TIMED_OUT_STATUS `GONE` must be one of FAILED, TIMEOUT",
        "REMEDIATION_MODE `dare`",
        "TEXT_LANGUAGE `fr`",
        "REQUIRE_RESULT `yes`",
        "APPROVAL_REQUIRES_BY `anna`",
        "RESULT_PATH",
    ] {
        assert!(error.contains(name), "{name} is not in {error}");
    }
}

#[test]
fn a_database_is_named_in_exactly_one_way() {
    let none = read(&[("STATE_MACHINE_ARN", ARN)]).unwrap_err();
    assert!(none.contains("one of DATABASE_URL"), "{none}");
    let two = [
        ("DATABASE_URL", "postgres://h/d"),
        ("DATABASE_SECRET_ARN", "arn:aws:secretsmanager:…"),
        ("STATE_MACHINE_ARN", ARN),
    ];
    assert!(read(&two).unwrap_err().contains("only one of"));
    let iam = [("DATABASE_IAM_AUTH", "true"), ("STATE_MACHINE_ARN", ARN)];
    let missing = read(&iam).unwrap_err();
    assert!(missing.contains("DATABASE_HOST must") && missing.contains("DATABASE_USER must"), "{missing}");
}

#[test]
fn a_password_is_not_printed() {
    let config = read(&[("DATABASE_URL", "postgres://u:hunter2@h/d"), ("STATE_MACHINE_ARN", ARN)]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
