//! Who is told of what, and how often: every finding that the product makes, in one table, held against the sources.
//!
//! What needs a person and is not acted on is told, once; what needs nobody is not. A finding is made in its step's folder, and says it there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use harness::paths;

const DAILY: &str = "Audience::People, Often::ONCE_A_DAY";
const MONTHLY: &str = "Audience::People, ONCE_A_MONTH";
/// Once in so many hours as the step's manifest says.
const TRIAGE: &str = "for_people";
const NOBODY: &str = "";

/// (the file, how it names the code, the codes, who is told and how often, why)
type Row = (&'static str, &'static str, &'static [&'static str], &'static str, &'static str);

const TABLE: &[Row] = &[
    // The run.
    (
        "shared/src/act/report.rs",
        "",
        &["record_not_written"],
        NOBODY,
        "the database takes no writes: its own alarms say so",
    ),
    ("shared/src/run/runner.rs", "", &["not_told"], NOBODY, "they cannot be told; NotificationsFailed counts it"),
    ("shared/src/run/answer.rs", "", &["run_failed"], NOBODY, "its alarm tells it"),
    ("shared/src/run/rounds.rs", "", &["contested"], DAILY, "it moves at every try"),
    ("shared/src/run/rounds.rs", "", &["over_limit"], NOBODY, "the plan that waits is told"),
    ("shared/src/run/rounds.rs", "", &["attempts_used_up"], DAILY, "nothing more is tried"),
    (
        "shared/src/run/rounds.rs",
        "",
        &["stopped"],
        NOBODY,
        "a person has pressed it; the digest, or the plan, tells what waits",
    ),
    ("shared/src/run/rounds.rs", "", &["plan_fault"], "Audience::PeopleAtOnce, Often::ONCE_A_DAY", "a step is wrong"),
    (
        "shared/src/run/rounds/apply.rs",
        "",
        &["row_refused"],
        NOBODY,
        "the change that failed is told, then that its attempts are used up",
    ),
    ("shared/src/run/rounds/apply.rs", "", &["no_better"], "Audience::PeopleAtOnce, Often::Always", "a step is wrong"),
    // Processes.
    ("functions/migrate/src/explain.rs", "", &["profile_unfit"], NOBODY, "whoever asked for it reads the answer"),
    ("shared/src/run/off.rs", "", &["step_off"], NOBODY, "the profile says it; check-health repeats it"),
    (
        "shared/src/run/processes.rs",
        "",
        &["not_completed"],
        "Audience::People, Often::Once(since)",
        "the profile leaves it to the application",
    ),
    (
        "shared/src/run/processes.rs",
        "anomaly.code()",
        &[
            "completed_without_success",
            "succeeded_but_failed",
            "succeeded_but_cancelled",
            "result_missing",
            "completed_with_error",
        ],
        DAILY,
        "only a person can say what is true; what somebody wanted so is told to nobody (Decision::needs_person)",
    ),
    ("shared/src/run/processes/cancel.rs", "", &["not_cancelled"], NOBODY, "the person who asked is answered"),
    (
        "shared/src/gather/processes.rs",
        "",
        &["row_missing", "process_unknown"],
        NOBODY,
        "nobody's execution is counted",
    ),
    (
        "shared/src/gather/processes.rs",
        "",
        &["execution_status_unknown"],
        DAILY,
        "left alone until this system knows it",
    ),
    (
        "shared/src/gather/processes/look_up.rs",
        "UNAVAILABLE",
        &["step_functions_unavailable"],
        DAILY,
        "nothing can be closed",
    ),
    (
        "shared/src/gather/processes/look_up.rs",
        "code",
        &["execution_gone_too_soon", "execution_unreadable"],
        DAILY,
        "left alone",
    ),
    (
        "shared/src/gather/processes/list.rs",
        "",
        &["execution_unreadable"],
        DAILY,
        "rows that may be its own are left alone",
    ),
    (
        "shared/src/gather/processes/odd.rs",
        "fault.code()",
        &["row_status_unknown", "row_time_unusable", "row_unreadable"],
        DAILY,
        "left alone",
    ),
    (
        "shared/src/gather/processes/odd.rs",
        "",
        &["row_unreadable", "row_status_unknown", "execution_status_unknown"],
        DAILY,
        "left alone",
    ),
    ("shared/src/gather/processes/clock.rs", "", &["time_zone"], DAILY, "deadlines would be wrong"),
    (
        "shared/src/gather/table.rs",
        "code",
        &["rows_hidden", "rows_not_writable", "table_not_writable"],
        DAILY,
        "a GRANT is missing",
    ),
    (
        "functions/migrate/src/main.rs",
        "",
        &["table_unfit", "goals_unfit", "fence_outdated"],
        DAILY,
        "only a person can change the table",
    ),
    (
        "functions/check-health/src/capacity.rs",
        "",
        &["worker_throttled"],
        DAILY,
        "only a person can raise the limit that binds",
    ),
    (
        "functions/escalate/src/plan.rs",
        "",
        &["alarm_unreadable", "incident_unsolved"],
        DAILY,
        "nobody can be told level by level, or all have been",
    ),
    (
        "functions/escalate/src/plan.rs",
        "",
        &["nobody_told"],
        "Audience::PeopleAtOnce, Often::OnceIn(TimeDelta::hours(1))",
        "an incident reaches none of its levels",
    ),
    ("functions/check-health/src/check.rs", "", &["check_failed"], NOBODY, "its alarm tells it"),
    (
        "functions/check-health/src/processes.rs",
        "code",
        &["stuck_processes", "mismatched_processes", "uncancelled_executions", "progress_anomalies"],
        NOBODY,
        "their alarms start the steps that answer them",
    ),
    (
        "functions/check-health/src/worker.rs",
        "code",
        &["worker_near_timeout", "worker_memory", "worker_cold_starts", "bedrock_throttles"],
        NOBODY,
        "as these",
    ),
    (
        "functions/retry-failed-processes/src/main.rs",
        "code",
        &["permanent_failure", "attempts_exhausted"],
        "audience, Often::Once(case.process.closed_at())",
        "once for each failure; a user's own input is nobody's",
    ),
    ("functions/retry-failed-processes/src/main.rs", "", &["attempts_used_up"], DAILY, "nothing more is tried"),
    (
        "functions/repair-goal-status/src/plan.rs",
        "",
        &["goals_absent", "target_gone"],
        NOBODY,
        "there is nothing that could be changed",
    ),
    (
        "functions/repair-goal-status/src/plan.rs",
        "",
        &["goal_inconsistent"],
        NOBODY,
        "it is fixed, or was a person's decision",
    ),
    ("functions/repair-goal-status/src/plan.rs", "", &["orphan"], DAILY, "only a person knows its parent"),
    ("functions/analyze-logs/src/story.rs", "", &["would_be_put_right"], NOBODY, "the person who asked is answered"),
    // The worker.
    (
        "shared/src/run/worker_step/evidence.rs",
        "code",
        &[
            "account_limit",
            "alarm_unreadable",
            "alias_mismatch",
            "allocation_failed",
            "at_ceiling",
            "at_floor",
            "callers_unknown",
            "latest_differs",
            "lease_elsewhere",
            "needs_alias",
            "not_retried",
            "revert_failed",
            "task_timeout_wins",
            "update_failed",
        ],
        DAILY,
        "no setting helps, or none may be set",
    ),
    ("shared/src/run/worker_step.rs", "", &["worker_change"], NOBODY, "the change itself is told"),
    ("shared/src/run/worker_step/leases.rs", "", &["set_in_cdk"], NOBODY, "the person who confirms is answered"),
    ("functions/throttle-worker/src/main.rs", "", &["raise_quota"], NOBODY, "the change itself is told, with it"),
    ("functions/redeploy-worker/src/main.rs", "", &["executions_running"], NOBODY, "the person who asked is answered"),
    // Failures.
    (
        "functions/triage-errors/src/plan.rs",
        "",
        &["alarm_unreadable"],
        DAILY,
        "nobody knows whether there is an incident",
    ),
    (
        "functions/triage-errors/src/plan.rs",
        "",
        &["no_dominant_cause", "dominant_cause_for_people", "step_unknown", "type_fails", "log_not_read"],
        TRIAGE,
        "no step answers it",
    ),
    (
        "functions/triage-errors/src/plan.rs",
        "",
        &["dominant_cause"],
        NOBODY,
        "the step that answers it is started, and told",
    ),
    (
        "functions/triage-errors/src/plan.rs",
        "",
        &["unknown_code"],
        "Audience::People, once",
        "only a person can say what it means",
    ),
    // The database.
    (
        "functions/relieve-database/src/plan.rs",
        "",
        &["application_left", "may_not_signal"],
        "Audience::People, often",
        "not ended",
    ),
    (
        "functions/relieve-database/src/plan.rs",
        "",
        &["connections_scarce", "prepared_transaction"],
        "Audience::People, self.often",
        "not ended",
    ),
    (
        "functions/relieve-database/src/plan.rs",
        "",
        &["blocker_left"],
        "Audience::PeopleAtOnce, self.often",
        "others stand still meanwhile",
    ),
    (
        "functions/relieve-database/src/plan.rs",
        "",
        &["sessions_unseen"],
        NOBODY,
        "they are counted; whose they are, an installation may hide",
    ),
    (
        "functions/reboot-database/src/plan.rs",
        "code",
        &["reboot_proposed", "failover_instead", "reboot_refused"],
        NOBODY,
        "the person who asked is answered",
    ),
    (
        "functions/tune-database/src/plan.rs",
        "",
        &["invalid_index", "index_name_taken", "index_not_permitted"],
        MONTHLY,
        "only the owner can",
    ),
    (
        "functions/tune-database/src/plan.rs",
        "",
        &["build_would_wait", "sequential_scans"],
        NOBODY,
        "advice to who reads the report",
    ),
    (
        "functions/tune-database/src/plan.rs",
        "code",
        &["statements_unavailable", "statements_hidden"],
        NOBODY,
        "advice, as that",
    ),
    (
        "functions/analyze-performance/src/report.rs",
        "",
        &["regression"],
        "Audience::People, Often::Always",
        "once a week, by its schedule",
    ),
    (
        "functions/analyze-performance/src/report.rs",
        "",
        &["too_expensive"],
        "Audience::People, Often::OnceIn(TimeDelta::days(28))",
        "nothing is looked at until a person allows more",
    ),
];

/// The product's sources: what tests find is nobody's to hear.
fn sources() -> Vec<(String, String)> {
    let mut files = paths::sources().unwrap();
    files.retain(|(name, _)| !name.ends_with("/tests.rs") && !name.contains("/tests/"));
    for (_, source) in &mut files {
        source.truncate(source.find("#[cfg(test)]").unwrap_or(source.len()));
    }
    files
}

/// What stands between these brackets, with single spaces.
fn within(source: &str) -> String {
    let mut depth = 1;
    let end = source.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    source[..end.unwrap()].split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(',').to_owned()
}

/// Every place where a finding is made: how it names the code, and who is told.
fn made(source: &str) -> Vec<(String, String)> {
    const NEW: &str = "Finding::new(";
    let of = |(at, _): (usize, &str)| {
        let arguments = source[at + NEW.len()..].trim_start();
        let code = arguments[..arguments.find(',').unwrap()].trim();
        let from = source[..at].rfind([';', '{', '}']).map_or(0, |at| at + 1);
        let ends = |from: usize| source[from..].find(';').map_or(source.len(), |at| from + at);
        // What is given a name is told in the next statement.
        let is_named = source[from..].trim_start().starts_with("let ");
        let end = if is_named { ends(ends(at) + 1) } else { ends(at) };
        // An error is told in a language; a finding has an audience and how often.
        let told = source[at..end].split(".told(").skip(1).map(within).find(|told| told.contains(','));
        let by = source[from..end].contains("for_people(").then(|| TRIAGE.to_owned());
        (code.to_owned(), told.or(by).unwrap_or_default())
    };
    source.match_indices(NEW).map(of).collect()
}

#[test]
fn every_finding_says_who_is_told_and_how_often_as_the_table_has_it() {
    let mut found: BTreeSet<(String, String, String)> = BTreeSet::new();
    let (mut judged, sources) = (BTreeSet::new(), sources());
    for (file, source) in &sources {
        found.extend(made(source).into_iter().map(|(code, told)| (file.clone(), code, told)));
        let of_worker =
            ["Judgement::Tell(", "tell(plan, evidence, "].into_iter().flat_map(|call| source.split(call).skip(1));
        judged.extend(of_worker.filter_map(|rest| Some(rest.strip_prefix('"')?.split_once('"')?.0.to_owned())));
    }
    let mut expected = BTreeSet::new();
    for (file, by, codes, told, why) in TABLE {
        assert!(!why.is_empty());
        let source = &sources.iter().find(|(name, _)| name == file).unwrap_or_else(|| panic!("no {file}")).1;
        let mut named = |code: String| expected.insert(((*file).to_owned(), code, (*told).to_owned()));
        if by.is_empty() {
            codes.iter().for_each(|code| assert!(named(format!("\"{code}\"")), "{file} {code} is there twice"));
        } else {
            assert!(named((*by).to_owned()), "{file} {by} is there twice");
            let elsewhere = ["anomaly.code()"].contains(by) || file.ends_with("worker_step/evidence.rs");
            for code in codes.iter().filter(|_| !elsewhere) {
                assert!(source.contains(&format!("\"{code}\"")), "{file} has no {code}");
            }
        }
    }
    let missing: Vec<_> = expected.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&expected).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "\nin the table only: {missing:#?}\nin the sources only: {unknown:#?}"
    );
    let of_worker = TABLE.iter().find(|(file, ..)| file.ends_with("worker_step/evidence.rs")).unwrap().2;
    assert_eq!(judged, of_worker.iter().map(ToString::to_string).collect(), "what the steps of the worker tell");
}

#[test]
fn where_a_finding_is_made_and_told_is_read_from_the_source() {
    for (source, expected) in [
        (r#"plan.push(Finding::new("a", t, m, json!({ "b": 1 })));"#, ("\"a\"", "")),
        (
            r#"Finding::new("a", t).told(Audience::People, Often::OnceIn(TimeDelta::days(1)));"#,
            ("\"a\"", "Audience::People, Often::OnceIn(TimeDelta::days(1))"),
        ),
        (
            "let it = Finding::new(\n  code,\n t);\n plan.push(it.told(\n Audience::People,\n often,\n));",
            ("code", "Audience::People, often"),
        ),
        (
            r#"Finding::new("a", error.told(language)).told(Audience::People, often);"#,
            ("\"a\"", "Audience::People, often"),
        ),
        (r#"push(for_people(Finding::new("a", t), looked));"#, ("\"a\"", "for_people")),
        (r#"push(Finding::new("a", t)); push(it.told(Audience::People, often));"#, ("\"a\"", "")),
    ] {
        assert_eq!(made(source), [(expected.0.to_owned(), expected.1.to_owned())], "{source}");
    }
}
