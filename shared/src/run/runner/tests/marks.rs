//! What the runner does with actions of which it knows nothing but the trait: these set rows of a table of the tests' own.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::*;
use crate::act::action::{Action, ActionResult, Class, Entry, Outcome};
use crate::act::ledger::entries::Begin;
use crate::act::report::{Done, DoneOutcome, Verification};
use crate::domain::Language;

/// A row that is to be set.
#[derive(Debug, Clone)]
struct Mark {
    number: i32,
    cut: Cut,
}

/// The end of one that a crash left half done.
#[derive(Debug)]
struct EndMark(String);

/// Where a connection is lost: so many moments of the actions from now.
#[derive(Clone)]
struct Cut {
    proxy: Arc<CountingProxy>,
    left: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cut({})", self.left.load(Ordering::SeqCst))
    }
}

impl Cut {
    async fn new(database: &Database) -> Self {
        let proxy = Arc::new(CountingProxy::start(database.port()).await.unwrap());
        Self { proxy, left: Arc::new(AtomicUsize::new(usize::MAX)) }
    }

    /// A moment in which it may be.
    fn moment(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.proxy.cut();
        }
    }
}

async fn mark(session: &mut Session<'_>, target: &str, done: bool) {
    let set = "UPDATE marks SET done = $2 WHERE 'mark ' || number = $1";
    // Where this is lost, the closing that comes after it is lost as well, and tells.
    let _ = sqlx::query(set).bind(target).bind(done).execute(&mut *session.db).await;
}

impl Action for Mark {
    fn kind(&self) -> &'static str {
        "mark"
    }

    fn target(&self) -> String {
        format!("mark {}", self.number)
    }

    fn preview(&self) -> (Value, Value) {
        (json!({ "done": false }), json!({ "done": true }))
    }

    fn class(&self) -> Class {
        Class::Repair
    }

    fn kinds() -> &'static [&'static str] {
        &["mark"]
    }

    async fn apply(session: &mut Session<'_>, run: &Run, planned: &Planned, action: &Self) -> Result<Outcome, Error> {
        let (before, after) = action.preview();
        let begin = Begin { before: Some(&before), after: Some(&after), takes_over: true, ..Begin::default() };
        assert!(entries::begin(session.db, run, planned, &begin).await?);
        action.cut.moment();
        mark(session, &action.target(), true).await;
        entries::close(session.db, planned.id, &ActionResult::Applied, Some(&after)).await?;
        action.cut.moment();
        let (before, after) = (Some(before), Some(after));
        Ok(Outcome { id: planned.id, result: ActionResult::Applied, before, after, again: None })
    }

    fn no_undo(_: &str, _: &str, _: Language) -> Option<String> {
        None
    }

    async fn undo(session: &mut Session<'_>, run: &Run, planned: &Planned, entry: &Entry) -> Result<Outcome, Error> {
        let (before, after) = (entry.after.clone(), entry.before.clone());
        let begin = Begin { undoes: Some(entry.id), before: before.as_ref(), takes_over: true, ..Begin::default() };
        assert!(entries::begin(session.db, run, planned, &begin).await?);
        mark(session, &entry.target, false).await;
        entries::close(session.db, planned.id, &ActionResult::Applied, after.as_ref()).await?;
        Ok(Outcome { id: planned.id, result: ActionResult::Applied, before, after, again: None })
    }

    async fn resolve(_: &mut Session<'_>, open: &[Entry]) -> Result<Vec<Planned>, Error> {
        let end = |entry: &Entry| Planned::with_id(entry.id, EndMark(entry.target.clone()), "left open".to_owned());
        Ok(open.iter().map(end).collect())
    }
}

impl Action for EndMark {
    fn kind(&self) -> &'static str {
        "end-mark"
    }

    fn target(&self) -> String {
        self.0.clone()
    }

    fn preview(&self) -> (Value, Value) {
        (Value::Null, Value::Null)
    }

    fn class(&self) -> Class {
        Class::Repair
    }

    fn is_end(&self) -> bool {
        true
    }

    fn kinds() -> &'static [&'static str] {
        &["end-mark"]
    }

    async fn apply(session: &mut Session<'_>, _: &Run, planned: &Planned, _: &Self) -> Result<Outcome, Error> {
        entries::close(session.db, planned.id, &ActionResult::Failed("never done".into()), None).await?;
        Ok(Outcome { id: planned.id, result: ActionResult::Applied, before: None, after: None, again: None })
    }

    fn no_undo(_: &str, _: &str, _: Language) -> Option<String> {
        Some("it only ended what was begun".to_owned())
    }

    async fn resolve(_: &mut Session<'_>, _: &[Entry]) -> Result<Vec<Planned>, Error> {
        Ok(Vec::new())
    }
}

/// Wants all rows set.
struct Marks {
    cut: Cut,
    /// How often it wants the first one.
    first: usize,
}

impl Step for Marks {
    type Evidence = Vec<i32>;

    const KINDS: &'static [Kind] = &[Kind::of::<Mark>(), Kind::of::<EndMark>()];

    fn manifest(&self) -> &'static str {
        "name = \"test-step\"\n[limits]\nactions_per_run = 4"
    }

    async fn gather(&self, session: &mut Session<'_>, _: &Question) -> Result<Vec<i32>, Error> {
        sqlx::query_scalar("SELECT number FROM marks WHERE NOT done ORDER BY number")
            .fetch_all(&mut *session.db)
            .await
            .map_err(Error::database("reading the marks"))
    }

    fn plan(&self, open: &Vec<i32>, _: &Config, _: DateTime<Utc>) -> Plan {
        let again = open.first().into_iter().cycle().take(self.first.saturating_sub(1));
        let wanted = open.iter().chain(again).map(|number| Mark { number: *number, cut: self.cut.clone() });
        let actions = wanted.map(|mark| Planned::new(mark, "it is not set".to_owned())).collect();
        Plan { actions, population: open.len(), ..Plan::default() }
    }
}

/// A database with so many rows to set, a step that wants them set, and the way to cut its connection.
async fn marks(hint: &str, count: i32, mode: &str) -> (Database, Function<Marks>, Cut) {
    let database = made(hint).await;
    let rows = "CREATE TABLE marks (number int PRIMARY KEY, done bool NOT NULL DEFAULT false);
                INSERT INTO marks SELECT generate_series(1, ";
    database.execute(&format!("{rows}{count})")).await.unwrap();
    let cut = Cut::new(&database).await;
    let url = database.url_through(cut.proxy.port(), APPLICATION.0, APPLICATION.1);
    let function = function_of(Marks { cut: cut.clone(), first: 1 }, url, mode).await;
    (database, function, cut)
}

async fn invoke(function: &Function<Marks>, event: Value) -> Report {
    Box::pin(function.handle(event, "request", Duration::from_secs(60))).await.unwrap()
}

async fn refused(function: &Function<Marks>, event: Value) -> String {
    Box::pin(function.handle(event, "request", Duration::from_secs(60))).await.unwrap_err().to_string()
}

/// The rows that are set.
async fn set(database: &Database) -> Vec<i32> {
    let set = "SELECT number FROM marks WHERE done ORDER BY number";
    sqlx::query_scalar(set).fetch_all(database.pool()).await.unwrap()
}

async fn count(database: &Database, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(database.pool()).await.unwrap()
}

/// What was done, in the answer's order.
fn told(report: &Report) -> Vec<(&str, &str, DoneOutcome)> {
    report.actions.iter().map(|done| (done.kind, done.target.as_str(), done.outcome)).collect()
}

/// Ends the session that makes this insertion into a table, once.
async fn end_session_at(database: &Database, table: &str, insertion: i32) {
    let sql = format!(
        "CREATE SEQUENCE insertions;
         CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('insertions') = {insertion} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER cut BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION cut()"
    );
    database.execute(&sql).await.unwrap();
}

#[tokio::test]
async fn a_run_that_begins_again_after_a_lost_connection_keeps_its_limit_and_its_record() {
    // An action has two moments: it is recorded, it is done.
    for (moment, when) in
        [(2, "after the first"), (3, "the second is recorded"), (4, "after the second"), (6, "after the last")]
    {
        let (database, function, cut) = marks("begins_again", 5, "act").await;
        cut.left.store(moment, Ordering::SeqCst);
        let report = invoke(&function, json!({ "all": true, "limit": 3 })).await;

        assert_eq!(cut.proxy.connections(), 2, "{when}: it was cut");
        assert_eq!(set(&database).await, [1, 2, 3], "{when}");
        let done = |number| (["mark 1", "mark 2", "mark 3"][number], DoneOutcome::Applied);
        let listed: Vec<_> = told(&report).into_iter().map(|(_, target, outcome)| (target, outcome)).collect();
        assert_eq!(listed, [done(0), done(1), done(2)], "{when}");
        assert_eq!((report.applied(), report.verification), (3, Verification::Verified), "{when}");
        let left: Vec<&str> = report.skipped.iter().map(|skipped| skipped.target.as_str()).collect();
        assert_eq!(left, ["mark 4", "mark 5"], "{when}: beyond what was asked for");
        for (at, Done { id, before, after, reason, .. }) in report.actions.iter().enumerate() {
            let images = (Some(json!({ "done": false })), Some(json!({ "done": true })));
            assert_eq!((before.clone(), after.clone(), reason.as_str()), (images.0, images.1, "it is not set"), "{at}");
            let of: i64 = sqlx::query_scalar("SELECT count(*) FROM remediation.actions WHERE id = $1 AND run_id = $2")
                .bind(id)
                .bind(report.run_id)
                .fetch_one(database.pool())
                .await
                .unwrap();
            assert_eq!(of, 1, "{when}: the ledger has it under this identity");
        }
        assert_eq!(count(&database, "SELECT count(*) FROM remediation.actions").await, 3, "{when}");
        assert_eq!(count(&database, "SELECT applied::int8 FROM remediation.runs").await, 3, "{when}");
    }
}

#[tokio::test]
async fn what_a_run_did_is_taken_back_in_reverse_order_also_over_a_lost_connection() {
    let (database, function, cut) = marks("undo_again", 3, "act").await;
    let run = invoke(&function, json!({ "all": true })).await.run_id;
    assert_eq!(set(&database).await, [1, 2, 3]);
    end_session_at(&database, "remediation.actions", 2).await;

    let report = invoke(&function, json!({ "undo": run })).await;

    assert_eq!(cut.proxy.connections(), 2, "it was cut before the second undo");
    assert!(set(&database).await.is_empty());
    let undone = |target| ("undo", target, DoneOutcome::Applied);
    assert_eq!(told(&report), [undone("mark 3"), undone("mark 2"), undone("mark 1")]);
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    assert_eq!(report.summary, "3 undone");

    let again = invoke(&function, json!({ "undo": run })).await;
    assert!(again.actions.is_empty());
    assert!(again.skipped.iter().all(|skipped| skipped.why.contains("already undone")), "{:?}", again.skipped);
    assert_eq!((again.skipped.len(), again.summary.as_str()), (3, "3 skipped"));
    // Nor are undos undone, one by one or as a run.
    let undos = invoke(&function, json!({ "undo": report.run_id })).await;
    assert!(undos.actions.is_empty() && undos.skipped.len() == 3, "{undos:?}");
    let why = refused(&function, json!({ "undo": report.actions[0].id })).await;
    assert!(why.contains("an undo cannot be undone"), "{why}");
}

#[tokio::test]
async fn an_undo_and_an_approval_whose_record_is_lost_with_the_connection_are_answered_as_what_they_did() {
    let (database, function, cut) = marks("undo_recorded", 1, "act").await;
    let action = invoke(&function, json!({ "all": true })).await.actions[0].id;
    end_session_at(&database, "remediation.runs", 1).await;
    let report = invoke(&function, json!({ "undo": action })).await;
    assert_eq!((told(&report), cut.proxy.connections()), (vec![("undo", "mark 1", DoneOutcome::Applied)], 2));
    assert!(set(&database).await.is_empty());

    let (database, function, cut) = marks("approved_recorded", 2, "propose").await;
    let plan = invoke(&function, json!({ "all": true })).await.plan_id.unwrap();
    end_session_at(&database, "remediation.runs", 1).await;
    let report = invoke(&function, json!({ "approve": plan })).await;
    let done = |target| ("mark", target, DoneOutcome::Applied);
    assert_eq!((told(&report), cut.proxy.connections()), (vec![done("mark 1"), done("mark 2")], 2));
    assert!(report.skipped.is_empty() && report.plan_id.is_none(), "{report:?}");
    let why = refused(&function, json!({ "approve": plan })).await;
    assert!(why.contains("already approved, and completed at"), "{why}");
}

#[tokio::test]
async fn a_plan_is_approved_in_parts_until_it_is_done_and_no_part_is_a_new_plan() {
    let (database, function, _) = marks("in_parts", 7, "propose").await;
    let plan = invoke(&function, json!({ "schedule": "s" })).await.plan_id.unwrap();
    // (what a person asks for, what is set then, what is left waits)
    for (limit, done, waits) in [(Some(2), 2, true), (None, 6, true), (None, 7, false)] {
        let event = match limit {
            Some(limit) => json!({ "approve": plan, "limit": limit }),
            None => json!({ "approve": plan }),
        };
        let report = invoke(&function, event).await;
        assert_eq!(set(&database).await, (1..=done).collect::<Vec<i32>>(), "at most {limit:?}, and 4 a run");
        let left = report.skipped.iter().filter(|skipped| !skipped.why.contains("requested limit")).count();
        assert_eq!(left, 0, "what an earlier part has done has not moved: {:?}", report.skipped);
        let (still, event) = (waits.then_some(plan), waits.then(|| json!({ "approve": plan })));
        assert_eq!((report.plan_id, report.to_do_it), (still, event));

        // The schedule comes in between, and wants what is left.
        let swept = invoke(&function, json!({ "schedule": "s" })).await;
        assert_eq!(swept.plan_id, waits.then_some(plan), "it is the rest of that plan");
    }
    assert_eq!(count(&database, "SELECT count(*) FROM remediation.plans").await, 1);
    let why = refused(&function, json!({ "approve": plan })).await;
    assert!(why.contains("already approved, and completed at"), "{why}");
}

#[tokio::test]
async fn what_is_wanted_beyond_a_plan_that_was_begun_is_another_plan() {
    let (database, function, _) = marks("beyond", 3, "propose").await;
    let first = invoke(&function, json!({ "all": true })).await.plan_id.unwrap();
    invoke(&function, json!({ "approve": first, "limit": 1 })).await;
    database.execute("INSERT INTO marks VALUES (9)").await.unwrap();
    let second = invoke(&function, json!({ "all": true })).await.plan_id.unwrap();
    assert_ne!(second, first);
    let why = refused(&function, json!({ "approve": first })).await;
    assert!(why.contains(&format!("replaced by plan {second} at ")), "{why}");
}

#[tokio::test]
async fn what_moved_since_a_plan_was_made_is_named_and_the_rest_is_done() {
    let (database, function, _) = marks("moved", 3, "propose").await;
    let plan = invoke(&function, json!({ "all": true })).await.plan_id.unwrap();
    database.execute("UPDATE marks SET done = true WHERE number = 2; INSERT INTO marks VALUES (9)").await.unwrap();
    let report = invoke(&function, json!({ "approve": plan })).await;
    let done = |target| ("mark", target, DoneOutcome::Applied);
    assert_eq!(told(&report), [done("mark 1"), done("mark 3")]);
    assert_eq!(report.skipped.len(), 2, "{:?}", report.skipped);
    assert!(report.skipped[0].target == "mark 2" && report.skipped[0].why.contains("it has changed since"));
    assert!(report.skipped[1].target == "mark 9" && report.skipped[1].why.contains("not in the approved plan"));
    assert_eq!(set(&database).await, [1, 2, 3], "nobody has approved the other");
}

#[tokio::test]
async fn an_approval_may_be_looked_at_first_and_leaves_no_plan_of_its_own() {
    let (database, function, _) = marks("looked", 2, "propose").await;
    let plan = invoke(&function, json!({ "all": true })).await.plan_id.unwrap();
    let looked = invoke(&function, json!({ "approve": plan, "mode": "observe" })).await;
    let planned = |target| ("mark", target, DoneOutcome::Planned);
    assert_eq!(told(&looked), [planned("mark 1"), planned("mark 2")]);
    assert_eq!(looked.to_do_it, Some(json!({ "approve": plan })));
    assert!(set(&database).await.is_empty());
    assert_eq!(count(&database, "SELECT count(*) FROM remediation.plans").await, 1);
    assert_eq!(invoke(&function, json!({ "approve": plan })).await.applied(), 2);
}

#[tokio::test]
async fn of_a_plan_with_a_fault_nothing_is_done_or_stored() {
    for mode in ["act", "propose", "observe"] {
        let (database, mut function, _) = marks("fault", 3, mode).await;
        function.step.first = 2;
        let report = invoke(&function, json!({ "schedule": "s" })).await;
        assert!(report.actions.is_empty() && report.plan_id.is_none(), "{mode}: {report:?}");
        let faults: Vec<_> = report.findings.iter().map(|finding| (finding.code, finding.target.as_str())).collect();
        assert_eq!(faults, [("plan_fault", "mark 1")], "{mode}");
        assert!(report.findings[0].message.contains("twice"), "{}", report.findings[0].message);
        assert!(set(&database).await.is_empty(), "{mode}");
        assert_eq!(count(&database, "SELECT count(*) FROM remediation.plans").await, 0, "{mode}");
    }
}

#[tokio::test]
async fn in_every_mode_the_ledger_can_be_asked_what_would_have_been_done() {
    // (mode, limit of a run, what is wanted and not done)
    for (mode, wanted) in [("observe", 6), ("propose", 6), ("act", 2)] {
        let (database, function, _) = marks("wanted", 6, mode).await;
        invoke(&function, json!({ "schedule": "s" })).await;
        let sql = "SELECT count(*) FROM remediation.wanted
                    WHERE step = 'test-step' AND kind = 'mark' AND before = '{\"done\": false}' AND after = '{\"done\": true}'
                      AND why = 'it is not set'";
        assert_eq!(count(&database, sql).await, wanted, "{mode}");
        let of: Vec<String> = sqlx::query_scalar("SELECT DISTINCT mode FROM remediation.wanted")
            .fetch_all(database.pool())
            .await
            .unwrap();
        assert_eq!(of, [mode]);
    }
}

#[tokio::test]
async fn what_a_crash_left_open_is_ended_first_under_its_own_identity_and_no_limit_holds_it_up() {
    let (database, function, _) = marks("left_open", 3, "act").await;
    let left: Uuid = Uuid::now_v7();
    let sql = format!(
        "INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason, alive_until)
         VALUES ('{left}', gen_random_uuid(), 'test-step', 'mark', 'mark 3', 'applying', 'crashed', now() - interval '6 s')"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(database.pool()).await.unwrap();
    let report = invoke(&function, json!({ "all": true, "limit": 1 })).await;
    assert_eq!(told(&report)[0], ("end-mark", "mark 3", DoneOutcome::Applied));
    assert_eq!(report.actions[0].id, left);
    let outcome: String = sqlx::query_scalar("SELECT outcome FROM remediation.actions WHERE id = $1")
        .bind(left)
        .fetch_one(database.pool())
        .await
        .unwrap();
    assert_eq!(outcome, "failed");
    assert_eq!(set(&database).await, [1]);
}
