use remediation::act::action::Action;
use remediation::gather::indexes::{Found, Hindrance, InTheWay};

use super::*;
use crate::evidence::{Invalid, Scan};
use crate::policy::Policy;

const MANIFEST: &str = include_str!("../../manifest.toml");
const STATEMENT: &str = "CREATE INDEX CONCURRENTLY IF NOT EXISTS an_index ON \"public\".\"t\" (id)";

fn found(name: &str) -> Found {
    let definition = format!("CREATE INDEX {name} ON public.t USING btree (id)");
    Found { oid: 7, name: name.into(), definition, bytes: 8192 }
}

fn index(state: State) -> Proposed {
    Proposed {
        name: "an_index",
        target: "public.an_index".into(),
        quoted: "\"public\".\"an_index\"".into(),
        serves: "somebody".to_owned(),
        statement: STATEMENT.into(),
        entry: 36,
        state,
    }
}

fn evidence(state: State) -> Evidence {
    Evidence {
        table: Table {
            owner: "owner".into(),
            user: "remediation".into(),
            owned: true,
            creates: true,
            schema: "public".into(),
            bytes: 123_456_789,
            rows: Some(900_000),
        },
        proposed: vec![index(state)],
        in_the_way: Vec::new(),
        invalid: Vec::new(),
        statements: Statements::Known(Vec::new()),
        scans: Vec::new(),
    }
}

fn planned(evidence: &Evidence) -> Plan {
    let care = Policy::read(MANIFEST).unwrap().care();
    plan(evidence, care, Language::En, DateTime::UNIX_EPOCH)
}

/// Kinds of the actions, codes of the findings, what was skipped.
fn outcome(plan: &Plan) -> (Vec<&str>, Vec<&str>, usize) {
    let kinds = plan.actions.iter().map(|planned| planned.action.kind()).collect();
    (kinds, plan.findings.iter().map(|finding| finding.code).collect(), plan.skipped.len())
}

fn codes(evidence: &Evidence) -> Vec<&'static str> {
    planned(evidence).findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn what_is_missing_is_made_what_is_left_over_goes_first_and_what_is_built_or_taken_is_left() {
    let building = State::Building { pid: 42, phase: Some("building index".into()), percent: Some(12.4) };
    // (what there is, actions, findings, skipped, what is said)
    for (state, actions, findings, skipped, said) in [
        (State::Missing, vec!["create-index"], vec![], 0, "about 900000 rows, the index will be 34 MB at most"),
        (
            State::Invalid(found("an_index")),
            vec!["drop-invalid-index", "create-index"],
            vec![],
            0,
            "every write pays for it",
        ),
        (State::Present(found("another")), vec![], vec![], 1, "already exists: another"),
        (building, vec![], vec![], 1, "pid 42 is building it (building index, 12 %)"),
        (State::Taken(None), vec![], vec!["index_name_taken"], 0, "the name is already used by something else"),
    ] {
        let plan = planned(&evidence(state.clone()));
        assert_eq!(outcome(&plan), (actions, findings, skipped), "{state:?}");
        let reasons = plan.actions.iter().map(|planned| planned.reason.as_str());
        let others = plan.findings.iter().map(|finding| finding.message.as_str());
        let all: Vec<&str> = reasons.chain(others).chain(plan.skipped.iter().map(|one| one.why.as_str())).collect();
        assert!(all.iter().any(|text| text.contains(said)), "{all:?}");
    }
}

#[test]
fn an_approval_covers_just_the_statement_that_was_shown() {
    let plan = planned(&evidence(State::Invalid(found("an_index"))));
    let terms: Vec<Option<String>> = plan.actions.iter().map(|planned| planned.action.terms()).collect();
    assert_eq!(terms, [Some(found("an_index").definition), Some(STATEMENT.to_owned())]);
    assert!(plan.actions.iter().all(|planned| planned.action.target() == "public.an_index"));
    assert!(CreateIndex::is_told() && DropInvalidIndex::is_told());
}

#[test]
fn without_the_owners_rights_the_statement_is_told_and_nothing_is_planned() {
    for (owned, creates, said) in [
        (false, true, "run as owner: CREATE INDEX CONCURRENTLY IF NOT EXISTS an_index"),
        (false, false, "GRANT owner TO remediation"),
        (true, false, "GRANT CREATE ON SCHEMA public TO remediation"),
    ] {
        let mut evidence = evidence(State::Missing);
        (evidence.table.owned, evidence.table.creates) = (owned, creates);
        let plan = planned(&evidence);
        assert_eq!(outcome(&plan), (vec![], vec!["index_not_permitted"], 0));
        assert!(plan.findings[0].message.contains(said), "{}", plan.findings[0].message);
    }
}

#[test]
fn whoever_a_build_would_wait_for_is_told_beside_the_proposal() {
    let one = |kind, pid| InTheWay { kind, pid, who: Some("api".into()), seconds: Some(3600.0) };
    let mut evidence = evidence(State::Missing);
    evidence.in_the_way = vec![one(Hindrance::Transaction, Some(42)), one(Hindrance::Prepared, None)];
    let plan = planned(&evidence);
    assert_eq!(outcome(&plan), (vec!["create-index"], vec!["build_would_wait"], 0));
    let said = &plan.findings[0].message;
    assert!(said.contains("pid 42 (api), transaction open for 1 h"), "{said}");
    evidence.proposed = vec![index(State::Present(found("an_index")))];
    assert_eq!(outcome(&planned(&evidence)), (vec![], vec![], 1), "nothing is to be built");
}

#[test]
fn what_the_server_cannot_tell_is_told_with_what_to_do() {
    let mut evidence = evidence(State::Present(found("an_index")));
    for (statements, code, said) in [
        (Statements::NoExtension, "statements_unavailable", "CREATE EXTENSION pg_stat_statements"),
        (Statements::Silent("must be loaded".into()), "statements_unavailable", "(must be loaded): add"),
        (
            Statements::Known(vec![statement(1, 1, 5)]),
            "statements_hidden",
            "statements of other users that cannot be read: 5; fix: GRANT pg_read_all_stats TO remediation",
        ),
    ] {
        evidence.statements = statements;
        let plan = planned(&evidence);
        assert_eq!(outcome(&plan), (vec![], vec![code], 1));
        assert!(plan.findings[0].message.contains(said), "{}", plan.findings[0].message);
    }
    evidence.statements = Statements::Known(vec![statement(1, 1, 0)]);
    assert!(codes(&evidence).is_empty());
}

#[test]
fn other_peoples_invalid_indexes_and_whole_reads_are_only_told() {
    let mut evidence = evidence(State::Present(found("an_index")));
    evidence.invalid =
        vec![Invalid { name: "public.theirs".into(), definition: "CREATE INDEX theirs ON t (x)".into() }];
    evidence.scans =
        vec![Scan { table: "public.goals".into(), rows: 20_000, scans: 500, rows_read: 10_000_000, by_index: 3 }];
    let plan = planned(&evidence);
    assert_eq!(outcome(&plan), (vec![], vec!["invalid_index", "sequential_scans"], 1));
    assert!(plan.findings[0].message.contains("DROP INDEX CONCURRENTLY public.theirs"));
}

fn statement(by_mean: i64, by_total: i64, hidden: i64) -> Statement {
    Statement {
        id: Some(format!("{by_mean}-{by_total}")),
        query: "SELECT $1".into(),
        calls: 3,
        rows: 6,
        mean: 1500.25,
        total: 4500.75,
        by_mean,
        by_total,
        hidden,
    }
}

#[test]
fn the_report_has_both_lists_in_order_and_reads_as_text() {
    let mut evidence = evidence(State::Missing);
    evidence.statements = Statements::Known(vec![statement(2, 1, 0), statement(1, 11, 0), statement(12, 2, 0)]);
    let report = planned(&evidence).report.unwrap();
    let ids = |list: &str| -> Vec<String> {
        report["statements"][list]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!((ids("byMean"), ids("byTotal")), (vec!["1-11".into(), "2-1".into()], vec!["2-1".into(), "12-2".into()]));
    let text: Vec<&str> = report["text"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(text[0], "Database tuning, 1970-01-01 00:00:00 UTC: missing indexes 1, INVALID 0");
    assert!(text.contains(&"  1. 1500.2 ms on average, 3 calls, 4.5 s in total, 6 rows: SELECT $1"), "{text:#?}");
    assert!(text.contains(&"  an_index: missing"), "{text:#?}");
}

#[test]
fn a_table_that_was_never_analyzed_has_no_estimate() {
    let mut evidence = evidence(State::Missing);
    evidence.table.rows = None;
    let plan = planned(&evidence);
    assert!(plan.actions[0].reason.contains("the index will be ? at most"), "{}", plan.actions[0].reason);
}

#[test]
fn the_manifest_has_every_number() {
    Policy::read(MANIFEST).unwrap();
    let unbounded = MANIFEST.replace("lock_seconds = 10", "lock_seconds = 0");
    assert!(Policy::read(&unbounded).unwrap_err().to_string().contains("`lock_seconds` must be 1 or more"));
}
