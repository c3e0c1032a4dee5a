//! Everything that runs on a game day: PostgreSQL, the AWS endpoint, the patient, and the product as the CDK deploys it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LastUpdateStatus;
use aws_sdk_sfn::types::ExecutionStatus;
use chrono::{DateTime, Utc};
use harness::{AlarmHop, Aws, Cdk, Database, Postgres, alarm_event, aws, eventually, functions};
use patient::table::{self, MIGRATED, Row};
use patient::{Behaviour, Patient, Process};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::beside::{Also, Question};
use crate::ledger;
use crate::mode::Mode;
use crate::outcome::Outcome;

/// The longest that anything is waited for: nearly twice what the slowest fault needs.
pub const PATIENCE: Duration = Duration::from_secs(140);

/// How many processes were closed before today.
const HISTORY: i32 = 10_000;

/// How fast time runs: fifteen times, so that nobody has to wait for a quarter of an hour.
pub const MINUTE: Duration = Duration::from_secs(4);

/// The `retry_count` of a process after which it is not tried again.
pub const LAST_RETRY: i16 = 2;

/// The application name of the sessions that the product may end.
pub const HANGING: &str = "retry-handler";

/// The product's own deadlines, fifteen minutes, five and one, and the ages of sessions, five minutes, two and fifteen, in such minutes.
const SETTINGS: [(&str, &str); 7] = [
    ("processDeadlineSeconds", "60"),
    ("startDeadlineSeconds", "20"),
    ("settleSeconds", "4"),
    ("databaseApplicationNames", HANGING),
    ("idleInTransactionSeconds", "20"),
    ("blockingSeconds", "8"),
    ("longQuerySeconds", "60"),
];

/// Everything that runs.
pub struct World {
    pub postgres: Postgres,
    pub database: Database,
    pub aws: Aws,
    pub patient: Patient,
    /// The hop that the endpoint lacks.
    pub hop: AlarmHop,
    pub mode: Mode,
    /// What the CDK made of `infra/`.
    pub assembly: PathBuf,
    /// The URL of the queue for events that no step could take.
    pub dead_letters: String,
    _cdk: Cdk,
}

/// How an execution ended.
pub struct Ended {
    pub execution_arn: String,
    pub status: String,
    pub started_at: DateTime<Utc>,
    pub at: DateTime<Utc>,
    pub input: String,
    pub output: Option<String>,
}

impl World {
    /// Starts and deploys it all.
    pub async fn build(mode: Mode) -> Outcome<Self> {
        let began = Instant::now();
        let done = |what: &str| println!("{:7.1} s  {what}", began.elapsed().as_secs_f64());
        let (postgres, aws) = tokio::try_join!(Postgres::start(), Aws::start())?;
        done("PostgreSQL and the AWS endpoint run");
        let database = postgres.database("gameday").await?;
        table::create(database.pool(), &MIGRATED).await?;
        table::history(database.pool(), &MIGRATED, HISTORY, Utc::now()).await?;
        done(&format!("{HISTORY} closed processes of the last thirty days are in the table"));
        functions::stage(&functions::folder(), &functions::names()?).await?;
        done("the functions are built");

        let cdk = Cdk::new(&aws.endpoint()).await?;
        let (machine, url, endpoint) = (Patient::state_machine_arn(), database.url(), aws.endpoint());
        let mut settings = vec![
            ("stateMachineArn", machine.as_str()),
            ("databaseUrl", &url),
            ("endpointUrl", &endpoint),
            ("remediationMode", mode.as_str()),
            // Of its functions, the patient has only those that the workflow calls.
            ("applicationFunctionNames", "update-processing-status"),
        ];
        settings.extend(SETTINGS);
        let deploy = async {
            let (assembly, ()) = tokio::try_join!(cdk.synth(&settings), cdk.bootstrap())?;
            done("the CDK app is made, the account bootstrapped");
            let outputs = cdk.deploy_assembly("Remediation", &assembly).await?;
            done("the product is deployed, its schema made");
            Outcome::Ok((assembly, outputs))
        };
        let patient = async {
            let patient = Patient::deploy(&aws, &url, database.pool(), MIGRATED, 600).await?;
            done("the patient is deployed");
            Ok(patient)
        };
        let ((assembly, outputs), patient) = tokio::try_join!(deploy, patient)?;
        let dead_letters = outputs.get("DeadLetterQueueUrl").cloned().unwrap_or_default();
        let hop = AlarmHop::new(&aws);
        let world = Self { postgres, database, aws, patient, hop, mode, assembly, dead_letters, _cdk: cdk };
        if mode == Mode::Act {
            world.fence().await?;
            done("an operator has put up the fence");
        }
        Ok(world)
    }

    /// Has the fence put up, as an operator does.
    async fn fence(&self) -> Outcome<()> {
        let answer = self.ask("migrate", &json!({"fence": "install"})).await?;
        match answer["actions"][0]["outcome"].as_str() {
            Some("applied") => Ok(()),
            _ => Err(format!("the fence was not put up: {answer}").into()),
        }
    }

    /// Waits until an execution has ended.
    pub async fn ended(&self, process: &Process) -> Outcome<Ended> {
        let ended = eventually(PATIENCE, format!("{} to end", process.execution_arn), || async {
            let seen =
                self.patient.sfn().describe_execution().execution_arn(&process.execution_arn).send().await.ok()?;
            let at = DateTime::from_timestamp_millis(seen.stop_date?.to_millis().ok()?)?;
            (seen.status != ExecutionStatus::Running).then_some(Ended {
                execution_arn: seen.execution_arn,
                status: seen.status.to_string(),
                started_at: DateTime::from_timestamp_millis(seen.start_date.to_millis().ok()?)?,
                at,
                input: seen.input.unwrap_or_default(),
                output: seen.output,
            })
        });
        Ok(ended.await?)
    }

    /// Starts a process for the third time, as far as its row says: what becomes of it stays, because nobody tries it again.
    pub async fn last_attempt(&self, behaviour: &Behaviour) -> Outcome<Process> {
        let row = Row { retry_count: LAST_RETRY, ..Row::pending(Utc::now()) };
        self.patient.accept(&row).await?;
        Ok(self.patient.execute(&row, behaviour).await?)
    }

    /// Waits until a process's worker is in the midst of its work.
    pub async fn at_work(&self, process: Uuid) -> Outcome<()> {
        let seen = eventually(PATIENCE, format!("process {process} to be at work"), || async {
            self.patient.row(process).await.ok().filter(|row| row.progress >= 50).map(drop)
        });
        Ok(seen.await?)
    }

    /// Waits until so many runs have looked at what an event told.
    pub async fn looked(&self, trigger: &Value, times: i64) -> Outcome<()> {
        let looked = eventually(PATIENCE, format!("{times} runs about {trigger}"), || async {
            let runs = ledger::runs(self.database.pool(), trigger).await.ok()?;
            (runs >= times).then_some(())
        });
        Ok(looked.await?)
    }

    /// The names of the deployed rules for Step Functions' events.
    pub async fn rules_of_status_events(&self) -> Outcome<Vec<String>> {
        let rules = self.aws.eventbridge().list_rules().send().await?;
        let of_states = |pattern: &str| pattern.contains("Step Functions Execution Status Change");
        let rules = rules.rules().iter().filter(|rule| rule.event_pattern().is_some_and(of_states));
        let names: Vec<_> = rules.filter_map(|rule| rule.name()).map(str::to_owned).collect();
        if names.is_empty() { Err("no rule for Step Functions' events is deployed".into()) } else { Ok(names) }
    }

    /// The deployed function of a step.
    pub fn function(&self, step: &str) -> String {
        format!("remediation-{step}")
    }

    /// Asks a step something as an operator does.
    pub async fn ask(&self, step: &str, event: &Value) -> Outcome<Value> {
        let invoke = self.aws.lambda().invoke().function_name(self.function(step));
        let answer = invoke.payload(Blob::new(event.to_string())).send().await?;
        let payload = serde_json::from_slice(answer.payload().map(AsRef::as_ref).unwrap_or_default())?;
        match answer.function_error() {
            None => Ok(payload),
            Some(_) => Err(format!("{step} answered {event} with {payload}").into()),
        }
    }

    /// An alarm changes its state: CloudWatch has it so, and says it to EventBridge.
    pub async fn alarm_goes(&self, name: &str, state: &str, before: &str, reason: &str) -> Outcome<()> {
        self.alarm_is(name, state, reason).await?;
        self.hop.deliver(&alarm_event(name, &alarm_arn(name), state, before, reason)).await?;
        Ok(())
    }

    /// CloudWatch has an alarm in this state from now on: whoever hears of it asks whether it is so.
    pub async fn alarm_is(&self, name: &str, state: &str, reason: &str) -> Outcome<()> {
        let cloudwatch = aws_sdk_cloudwatch::Client::new(self.aws.sdk_config());
        cloudwatch.set_alarm_state().alarm_name(name).state_value(state.into()).state_reason(reason).send().await?;
        Ok(())
    }

    /// Waits until a change of a function is over.
    pub async fn changed(&self, function: &str) -> Outcome<()> {
        let lambda = self.aws.lambda();
        let changed = eventually(PATIENCE, format!("the change of {function} to be over"), || async {
            let told = lambda.get_function_configuration().function_name(function).send().await.ok()?;
            (told.last_update_status() == Some(&LastUpdateStatus::Successful)).then_some(())
        });
        Ok(changed.await?)
    }

    /// How something beside a row is; nothing where it is gone.
    pub async fn answer(&self, also: &Also) -> Outcome<Option<String>> {
        Ok(match also.question {
            Question::Sql(sql) => {
                let sql = AssertSqlSafe(self.patient.variant().spell(sql));
                sqlx::query_scalar(sql).bind(&also.target).fetch_optional(self.database.pool()).await?
            }
            Question::WorkerTimeout => {
                let ask = self.aws.lambda().get_function_configuration().function_name(Patient::WORKER);
                ask.send().await?.timeout().map(|seconds| seconds.to_string())
            }
        })
    }

    /// Writes a line into the log of the patient's worker.
    pub async fn log_of_worker(&self, line: &str) -> Outcome<()> {
        let logs = aws_sdk_cloudwatchlogs::Client::new(self.aws.sdk_config());
        let (group, stream) = (format!("/aws/lambda/{}", Patient::WORKER), Uuid::new_v4().to_string());
        logs.create_log_stream().log_group_name(&group).log_stream_name(&stream).send().await?;
        let event = InputLogEvent::builder().timestamp(Utc::now().timestamp_millis()).message(line).build()?;
        logs.put_log_events().log_group_name(group).log_stream_name(stream).log_events(event).send().await?;
        Ok(())
    }

    /// The events that no step could take.
    pub async fn dead(&self) -> Outcome<Vec<String>> {
        let received =
            self.aws.sqs().receive_message().queue_url(&self.dead_letters).max_number_of_messages(10).send().await?;
        Ok(received.messages().iter().filter_map(|message| message.body().map(str::to_owned)).collect())
    }
}

/// The ARN of a deployed alarm.
pub fn alarm_arn(name: &str) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", aws::REGION, aws::ACCOUNT)
}
