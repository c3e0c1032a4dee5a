//! A database as the product finds it, and short words for what the tests speak of.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use harness::{Aws, AwsProxy, Database, Postgres};
use patient::table::{self, GUIDE, Row, Variant};
use remediation::act::action::kind::Kind;
use remediation::act::action::{Action, Outcome};
use remediation::act::actions::change_worker::ChangeWorker;
use remediation::act::actions::close_lease::CloseLease;
use remediation::act::actions::create_index::CreateIndex;
use remediation::act::actions::drop_index::DropInvalidIndex;
use remediation::act::actions::end_session::EndSession;
use remediation::act::actions::fence::Fence;
use remediation::act::actions::migrate;
use remediation::act::actions::migrate::Migrate;
use remediation::act::actions::resolve_retry::ResolveRetry;
use remediation::act::actions::retry_process::RetryProcess;
use remediation::act::actions::set_goal_status::SetGoalStatus;
use remediation::act::actions::set_row_status::SetRowStatus;
use remediation::act::actions::set_row_status::{self, ErrorChange};
use remediation::act::actions::start_step::StartStep;
use remediation::act::actions::stop_execution::StopExecution;
use remediation::act::actions::undo::Undo;
use remediation::act::ledger::entries;
use remediation::act::ledger::runs::Run;
use remediation::act::undoing;
use remediation::domain::{
    Ending, Execution, ExecutionArn, ExecutionStatus, Language, Process, ProcessId, ProcessStatus, WORDS,
};
use remediation::gather::config::Config;
use remediation::gather::error::Error;
use remediation::gather::executions;
use remediation::gather::step_functions::{Seen, StepFunctions};
use remediation::gather::table::Table;
use remediation::gather::trigger::{Schedule, Trigger};
use remediation::run::step::{Planned, Session};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

pub type Tested = Result<(), Box<dyn std::error::Error>>;

/// The state machine of tests that need no endpoint.
pub const MACHINE: &str = "arn:aws:states:ap-northeast-1:000000000000:stateMachine:ai-processing";

/// A database with the application's table and the ledger, and what a container keeps.
pub struct World {
    pub database: Database,
    pub variant: Variant,
    pub config: Config,
    pub db: PgConnection,
    pub table: Arc<Table>,
    pub aws: SdkConfig,
    pub trigger: Trigger,
    pub parameters: Map<String, Value>,
}

impl World {
    pub async fn new(hint: &str) -> Self {
        Self::of(hint, &GUIDE).await
    }

    pub async fn of(hint: &str, variant: &Variant) -> Self {
        let database = Postgres::shared().await.unwrap().database(hint).await.unwrap();
        table::create(database.pool(), variant).await.unwrap();
        let mut db = database.connect().await.unwrap();
        make_schema(&mut db).await;
        let config = config(&database, variant, MACHINE);
        let table = Arc::new(Table::read(&config.table, config.language, &mut db).await.unwrap());
        Self {
            database,
            variant: *variant,
            config,
            db,
            table,
            aws: SdkConfig::builder().build(),
            trigger: scheduled(),
            parameters: Map::new(),
        }
    }

    /// A second container's view of the same database.
    pub async fn another(&self) -> Self {
        Self {
            database: self.database.clone(),
            variant: self.variant,
            config: self.config.clone(),
            db: self.database.connect().await.unwrap(),
            table: Arc::clone(&self.table),
            aws: self.aws.clone(),
            trigger: self.trigger.clone(),
            parameters: self.parameters.clone(),
        }
    }

    pub async fn insert(&self, rows: &[Row]) {
        table::insert(self.database.pool(), &self.variant, rows).await.unwrap();
    }

    pub async fn row(&self, id: Uuid) -> Row {
        table::read(self.database.pool(), &self.variant, id).await.unwrap().expect("the row is there")
    }

    /// The row as a step reads it.
    pub async fn process(&self, id: Uuid) -> Process {
        let row = self.row(id).await;
        let sql = self.variant.spell("SELECT xmin::text::int8 FROM {processes} WHERE id = $1");
        let version = sqlx::query_scalar(AssertSqlSafe(sql)).bind(id).fetch_one(self.database.pool()).await.unwrap();
        Process {
            id: ProcessId::from(id),
            version,
            status: row.status.parse().unwrap(),
            progress: row.progress,
            has_result: row.result.is_some_and(|result| !result.is_null()),
            error_code: row.error.and_then(|error| error["code"].as_str().map(str::to_owned)),
            retries: self.variant.complete.then_some(i32::from(row.retry_count)),
            created_at: row.created_at,
            updated_at: row.updated_at,
            completed_at: row.completed_at,
            deadline: None,
        }
    }

    /// What somebody else does to the rows, in the variant's spelling.
    pub async fn execute(&self, sql: &str) {
        self.database.execute(&self.variant.spell(sql)).await.unwrap();
    }

    pub async fn remember(&mut self, seen: &[Seen]) {
        executions::remember(&mut self.db, seen).await.unwrap();
    }

    pub async fn set(&mut self, wanted: &SetRowStatus) -> Outcome {
        let planned = planned(wanted.clone());
        self.set_as(&planned, wanted).await.unwrap()
    }

    pub async fn set_as(&mut self, planned: &Planned, wanted: &SetRowStatus) -> Result<Outcome, Error> {
        let mut outcomes = self.set_all(&[(planned, wanted)]).await?;
        assert_eq!(outcomes.len(), 1);
        Ok(outcomes.remove(0))
    }

    pub async fn set_all(&mut self, batch: &[(&Planned, &SetRowStatus)]) -> Result<Vec<Outcome>, Error> {
        let run = run("test-step");
        set_row_status::apply(&mut self.db, &self.table, &run, batch, usize::MAX, Language::En).await
    }

    /// Takes a row's change back.
    pub async fn take_back(&mut self, undo: &Undo) -> Result<Outcome, Error> {
        let (run, planned) = (run("test-step"), planned(undo.clone()));
        set_row_status::undo(&mut self.db, &self.table, (&run, &planned, &undo.entry), Language::En).await
    }

    /// One value of one query.
    pub async fn ask<T>(&self, sql: &'static str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        sqlx::query_scalar(sql).fetch_one(self.database.pool()).await.unwrap()
    }

    /// A ledger entry: its outcome, kind, cause, before and after.
    pub async fn entry(&self, id: Uuid) -> Option<Entry> {
        sqlx::query_as("SELECT outcome, kind, target, cause, before, after, reason, undo_of, closed_at IS NOT NULL AS closed FROM remediation.actions WHERE id = $1")
            .bind(id)
            .fetch_optional(self.database.pool())
            .await
            .unwrap()
    }

    /// A session as the runner gives it, for as long as a Lambda might have left.
    pub fn session<'a>(
        &'a mut self,
        step_functions: &'a StepFunctions,
        kept: &'a mut Option<Arc<Table>>,
    ) -> Session<'a> {
        Session {
            config: &self.config,
            db: &mut self.db,
            step_functions,
            aws: &self.aws,
            trigger: &self.trigger,
            parameters: &self.parameters,
            reason: None,
            now: Utc::now(),
            stop_at: Instant::now() + Duration::from_secs(30),
            table: kept,
        }
    }
}

/// What starts a run that nobody asks for.
pub fn scheduled() -> Trigger {
    Trigger::Schedule(Schedule { schedule: "test-step".to_owned(), mode: None })
}

#[derive(Debug, sqlx::FromRow)]
pub struct Entry {
    pub outcome: String,
    pub kind: String,
    pub target: String,
    pub cause: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub reason: String,
    pub undo_of: Option<Uuid>,
    pub closed: bool,
}

pub fn config(database: &Database, variant: &Variant, machine: &str) -> Config {
    Config::read(|name| match name {
        "DATABASE_URL" => Some(database.url()),
        "STATE_MACHINE_ARN" => Some(machine.to_owned()),
        "PROCESSING_STATE_TABLE" => Some(variant.table_name()),
        "TEXT_LANGUAGE" => Some("en".to_owned()),
        _ => None,
    })
    .unwrap()
}

/// Schema `remediation`, by the real action.
pub async fn make_schema(db: &mut PgConnection) {
    let action = Migrate::missing(db).await.unwrap().expect("a fresh database lacks the schema");
    let planned = planned(action.clone());
    migrate::apply(db, &planned, &action, Language::En).await.unwrap();
}

pub fn run(step: &'static str) -> Run {
    let started_at = Utc::now();
    let alive_until = started_at + TimeDelta::seconds(60);
    Run {
        id: Uuid::now_v7(),
        step,
        started_at,
        trigger: json!({}),
        reason: None,
        alive_until,
        by: None,
        request_id: "test".into(),
    }
}

pub fn planned(action: impl Action) -> Planned {
    Planned::new(action, REASON.to_owned())
}

const REASON: &str = "because the test wants it";

/// Every kind of change that there is.
pub const KINDS: &[Kind] = &[
    Kind::of::<ChangeWorker>(),
    Kind::of::<CloseLease>(),
    Kind::of::<CreateIndex>(),
    Kind::of::<DropInvalidIndex>(),
    Kind::of::<EndSession>(),
    Kind::of::<Fence>(),
    Kind::of::<Migrate>(),
    Kind::of::<ResolveRetry>(),
    Kind::of::<RetryProcess>(),
    Kind::of::<SetGoalStatus>(),
    Kind::of::<SetRowStatus>(),
    Kind::of::<StartStep>(),
    Kind::of::<StopExecution>(),
];

/// Carries an action out as a run does, which knows no kind by its name.
pub async fn carry_out(session: &mut Session<'_>, run: &Run, planned: &Planned) -> Result<Outcome, Error> {
    let kinds = KINDS.iter().copied().chain([Kind::of::<Undo>()]);
    let kind =
        kinds.into_iter().find(|kind| kind.name(planned.action.kind()).is_some()).expect("it is of a known kind");
    let mut outcomes = kind.apply(session, run, std::slice::from_ref(planned), usize::MAX).await?;
    assert_eq!(outcomes.len(), 1);
    Ok(outcomes.remove(0))
}

/// The undo of an action, as an operator asks for it.
pub async fn undo_of(db: &mut PgConnection, action: Uuid) -> Result<Undo, Error> {
    let planned = undoing::action(db, action, KINDS, REASON, Language::En).await?;
    Ok(planned.action.downcast::<Undo>().expect("it takes something back").clone())
}

/// Closes, by looking, what runs that can no longer be alive have left open; what only a change can close comes back.
pub async fn resolve<A: Action>(session: &mut Session<'_>) -> Result<Vec<Planned>, Error> {
    let kind = Kind::of::<A>();
    let open = entries::abandoned(session.db, &[kind]).await?;
    kind.resolve(session, &open).await
}

/// A time to the millisecond, which every variant can hold.
pub fn seconds_ago(seconds: i64) -> DateTime<Utc> {
    (Utc::now() - TimeDelta::seconds(seconds)).trunc_subsecs(3)
}

/// A process that was accepted and begun so many seconds ago.
pub fn processing(seconds: i64) -> Row {
    Row::pending(seconds_ago(seconds)).became("PROCESSING", seconds_ago(seconds))
}

/// An execution's ARN, named as the application names it.
pub fn arn_of(machine: &str, process: Uuid, started_at: DateTime<Utc>) -> ExecutionArn {
    let executions = machine.replace(":stateMachine:", ":execution:");
    format!("{executions}:{process}-{}", started_at.timestamp_millis()).parse().unwrap()
}

/// An id of the guide's.
pub fn uuid(id: ProcessId) -> Uuid {
    id.as_str().parse().unwrap()
}

/// An execution of a process; over since `stopped_at`, where it is over.
pub fn execution(
    process: Uuid,
    status: ExecutionStatus,
    started_at: DateTime<Utc>,
    stopped_at: Option<DateTime<Utc>>,
) -> Seen {
    Seen {
        process: Some(ProcessId::from(process)),
        execution: Execution {
            arn: arn_of(MACHINE, process, started_at),
            status,
            redrive_count: 0,
            started_at,
            redriven_at: None,
            stopped_at,
            ending: None,
            stopped_for_deadline: false,
            says_failed: None,
        },
    }
}

/// The same, with what it ended with.
pub fn ended(mut seen: Seen, error: Option<&str>, cause: Option<&str>) -> Seen {
    seen.execution.ending = Some(Ending { error: error.map(Into::into), cause: cause.map(Into::into), result: None });
    seen
}

/// A plain closing of a row.
pub fn closing(process: &Process, basis: Option<&Execution>, status: ProcessStatus) -> SetRowStatus {
    SetRowStatus {
        process: process.clone(),
        basis: basis.cloned(),
        status,
        progress: (status == ProcessStatus::Completed).then_some(100),
        error: ErrorChange::Keep,
        result: None,
        completed_at: Some(seconds_ago(30)),
        cause: "test",
    }
}

/// Step Functions behind a proxy, for one state machine; calls are not tried again, so that a failure is one call.
pub async fn step_functions(proxy: &AwsProxy, machine: &str) -> StepFunctions {
    let aws = proxy.sdk_config().await.into_builder().retry_config(RetryConfig::disabled()).build();
    StepFunctions::new(&aws, machine, &WORDS)
}

/// A proxy that has nothing behind it: everything is scripted.
pub async fn scripted() -> Arc<AwsProxy> {
    Arc::new(AwsProxy::start("http://127.0.0.1:9").await.unwrap())
}

/// Answers ListExecutions with one page after the other; each but the last has a token for the next.
pub fn list_pages(proxy: &Arc<AwsProxy>, pages: &[Vec<Value>]) {
    let pages: Vec<Value> = pages
        .iter()
        .enumerate()
        .map(|(at, page)| {
            let mut answer = json!({ "executions": page });
            if at + 1 < pages.len() {
                answer["nextToken"] = format!("page-{}", at + 1).into();
            }
            answer
        })
        .collect();
    proxy.answer("ListExecutions", pages[0].clone());
    let (handle, asked) = (Arc::downgrade(proxy), Arc::new(AtomicUsize::new(0)));
    proxy.after("ListExecutions", move || {
        let next = asked.fetch_add(1, Ordering::SeqCst) + 1;
        if let (Some(proxy), Some(page)) = (handle.upgrade(), pages.get(next)) {
            proxy.answer("ListExecutions", page.clone());
        }
        async {}
    });
}

/// An execution as ListExecutions tells of it.
pub fn listed(seen: &Seen) -> Value {
    let Execution { arn, status, redrive_count, started_at, stopped_at, .. } = &seen.execution;
    let mut item = json!({
        "executionArn": arn,
        "stateMachineArn": arn.state_machine_arn(),
        "name": arn.name(),
        "status": status,
        "redriveCount": redrive_count,
        "startDate": epoch(*started_at),
    });
    if let Some(stopped_at) = stopped_at {
        item["stopDate"] = epoch(*stopped_at);
    }
    item
}

/// An execution as DescribeExecution tells of it.
pub fn described(seen: &Seen, input: &Value) -> Value {
    let mut answer = listed(seen);
    answer["input"] = input.to_string().into();
    if let Some(ending) = &seen.execution.ending {
        answer["error"] = json!(ending.error);
        answer["cause"] = json!(ending.cause);
    }
    answer
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^52")]
fn epoch(at: DateTime<Utc>) -> Value {
    json!(at.timestamp_millis() as f64 / 1000.0)
}

/// A state machine of the local endpoint whose executions wait until they are stopped, or `$.wait` seconds.
pub async fn waiting_machine(aws: &Aws, name: &str) -> String {
    let definition = json!({
        "StartAt": "Wait",
        "States": { "Wait": { "Type": "Wait", "SecondsPath": "$.wait", "End": true } },
    });
    let name = format!("{name}-{}", &Uuid::new_v4().simple().to_string()[..8]);
    aws.sfn()
        .create_state_machine()
        .name(name)
        .role_arn("arn:aws:iam::000000000000:role/test")
        .definition(definition.to_string())
        .send()
        .await
        .unwrap()
        .state_machine_arn
}

/// Starts an execution that waits, under the application's own naming or another.
pub async fn start(aws: &Aws, machine: &str, name: &str, process: Uuid, wait: u32) -> ExecutionArn {
    let input = json!({ "processId": process, "wait": wait }).to_string();
    let started = aws.sfn().start_execution().state_machine_arn(machine).name(name).input(input).send().await.unwrap();
    started.execution_arn().parse().unwrap()
}

/// Everybody's short name for it.
pub use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
