//! A rule that is wrong harms one row, whatever there is of them.

use super::*;
use crate::act::action::Class;
use crate::act::action::kind::Kind;
use crate::act::actions::set_row_status::{ErrorChange, SetRowStatus};
use crate::act::report::{DoneOutcome, Verification};
use crate::domain::{ExecutionStatus, ProcessStatus};
use crate::gather::processes::case::{Evidence, Newest};
use crate::gather::processes::{self, sweep::Filter};
use crate::guard::{Share, Shares};

/// Rows whose execution has failed are written as a rule says: FAILED by the right one, COMPLETED by the wrong one.
struct Rule(ProcessStatus);

impl Step for Rule {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = &[Kind::of::<SetRowStatus>()];

    fn manifest(&self) -> &'static str {
        "name = \"test-step\"\n[limits]\nactions_per_run = 100000\nactions_per_hour = 100000"
    }

    async fn gather(&self, session: &mut Session<'_>, _: &Question) -> Result<Evidence, Error> {
        processes::sweep::known(session, Filter::OpenOrLatelyClosed).await
    }

    fn plan(&self, evidence: &Evidence, _: &Config, now: DateTime<Utc>) -> Plan {
        let open = evidence.cases.iter().filter(|case| case.process.status.is_open());
        let actions = open.filter_map(|case| match &case.newest {
            Newest::Known(Some(newest)) if newest.status == ExecutionStatus::Failed => Some(Planned::new(
                SetRowStatus {
                    process: case.process.clone(),
                    basis: Some(newest.clone()),
                    status: self.0,
                    progress: None,
                    error: ErrorChange::Keep,
                    result: None,
                    completed_at: Some(now),
                    cause: "test",
                },
                "a rule".to_owned(),
            )),
            Newest::Known(_) | Newest::Unknown(_) => None,
        });
        let all = Share { of: usize::MAX, wanted: 0 };
        Plan { actions: actions.collect(), shares: Shares::from([(Class::Closing, all)]), ..Plan::default() }
    }
}

/// So many open rows, each beside an execution that failed a while ago.
async fn rows(hint: &str, count: i32) -> Database {
    let database = made(hint).await;
    let sql = format!(
        "INSERT INTO processing_state (id, user_id, type, status, created_at, updated_at)
         SELECT gen_random_uuid(), gen_random_uuid(), 'SUBGOAL_GENERATION', 'PROCESSING', now() - interval '1 hour', now() - interval '1 hour'
           FROM generate_series(1, {count});
         INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at, ending_known, error)
         SELECT 'arn:aws:states:ap-northeast-1:000000000000:execution:ai-processing:' || id || '-1', id, 'FAILED',
                now() - interval '59 minutes', now() - interval '50 minutes', true, 'AI_ERROR'
           FROM processing_state"
    );
    database.execute(&sql).await.unwrap();
    database
}

async fn of(database: &Database, status: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM processing_state WHERE status = $1")
        .bind(status)
        .fetch_one(database.pool())
        .await
        .unwrap()
}

async fn all(function: &Function<Rule>) -> Report {
    Box::pin(function.handle(json!({ "all": true }), "request", Duration::from_secs(60))).await.unwrap()
}

#[tokio::test]
async fn a_rule_that_is_wrong_is_found_by_its_first_row_which_is_taken_back_and_the_rest_waits() {
    let database = rows("ramp_wrong", 2000).await;
    let function = function_of(Rule(ProcessStatus::Completed), database.url(), "act").await;

    let report = all(&function).await;

    assert_eq!((of(&database, "PROCESSING").await, of(&database, "COMPLETED").await), (2000, 0), "{}", report.summary);
    assert_eq!((report.mode, report.verification), (Mode::Propose, Verification::Failed));
    let finding = report.findings.iter().find(|finding| finding.code == "no_better").expect("people are told");
    assert_eq!(finding.audience, crate::finding::Audience::PeopleAtOnce);
    let (applied, undone): (i64, i64) =
        sqlx::query_as("SELECT count(*) FILTER (WHERE kind <> 'undo'), count(undo_of) FROM remediation.actions")
            .fetch_one(database.pool())
            .await
            .unwrap();
    assert_eq!((applied, undone), (1, 1));
    let waits: i64 = sqlx::query_scalar("SELECT wanted FROM remediation.plans WHERE id = $1")
        .bind(report.plan_id)
        .fetch_one(database.pool())
        .await
        .unwrap();
    assert_eq!(waits, 1999);
}

#[tokio::test]
async fn a_rule_that_is_right_has_all_of_them_in_one_run_a_few_first() {
    let database = rows("ramp_right", 2000).await;
    let function = function_of(Rule(ProcessStatus::Failed), database.url(), "act").await;

    let report = all(&function).await;

    assert_eq!(of(&database, "FAILED").await, 2000, "{}", report.summary);
    assert_eq!((report.verification, report.actions[0].outcome), (Verification::Verified, DoneOutcome::Applied));
    // One statement each: 1, 10, 100, and then as many as one takes.
    let statements: Vec<i64> = sqlx::query_scalar(
        "SELECT count(*) FROM remediation.actions GROUP BY xmin::text::int8 ORDER BY xmin::text::int8 LIMIT 4",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    assert_eq!(statements, [1, 10, 100, 500]);
}

/// One row of them is written to by its application so that it reads otherwise: the trigger makes every FAILED a COMPLETED.
#[tokio::test]
async fn what_a_trigger_makes_worse_is_judged_as_it_reads_back() {
    let database = rows("ramp_trigger", 300).await;
    database
        .execute(
            "CREATE FUNCTION wrong() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.status = 'FAILED' THEN NEW.status := 'COMPLETED'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER wrong BEFORE UPDATE ON processing_state FOR EACH ROW EXECUTE FUNCTION wrong()",
        )
        .await
        .unwrap();
    let function = function_of(Rule(ProcessStatus::Failed), database.url(), "act").await;
    let report = all(&function).await;
    assert!(report.findings.iter().any(|finding| finding.code == "no_better"), "{:#?}", report.findings);
    assert_eq!((of(&database, "PROCESSING").await, of(&database, "COMPLETED").await), (300, 0));
}
