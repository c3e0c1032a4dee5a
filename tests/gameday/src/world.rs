//! Everything that runs on a game day: PostgreSQL, the AWS endpoint, the patient, and the product as the CDK deploys it.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LastUpdateStatus;
use aws_sdk_sfn::types::ExecutionStatus;
use chrono::{DateTime, Utc};
use harness::{AlarmHop, Aws, Cdk, Database, Postgres, alarm_event, aws, eventually};
use patient::{Patient, Process};
use serde_json::Value;
use uuid::Uuid;

use crate::application::Application;
use crate::beside::{Also, Question};
use crate::events::Ended;
use crate::ledger;
use crate::mode::Mode;
use crate::outcome::Outcome;

/// The longest that anything is waited for: nearly twice what the slowest fault needs.
pub const PATIENCE: Duration = Duration::from_secs(140);

/// How fast time runs: fifteen times, so that nobody has to wait for a quarter of an hour.
pub const MINUTE: Duration = Duration::from_secs(4);

/// The `retry_count` of a process after which it is not tried again.
pub const LAST_RETRY: i16 = 2;

/// The application name of the sessions that the product may end.
pub const HANGING: &str = "retry-handler";

/// Everything that runs.
pub struct World<A = Patient> {
    pub postgres: Postgres,
    pub database: Database,
    pub aws: Aws,
    /// What is broken.
    pub patient: A,
    /// The hop that the endpoint lacks.
    pub hop: AlarmHop,
    pub mode: Mode,
    /// What the CDK made of `infra/`.
    pub assembly: PathBuf,
    /// The URL of the queue for events that no step could take.
    pub dead_letters: String,
    #[expect(dead_code, reason = "what was made with it goes when it goes")]
    pub cdk: Cdk,
}

impl World {
    /// Writes a line into the log of the patient's worker.
    pub async fn log_of_worker(&self, line: &str) -> Outcome<()> {
        let logs = aws_sdk_cloudwatchlogs::Client::new(self.aws.sdk_config());
        let (group, stream) = (format!("/aws/lambda/{}", Patient::WORKER), Uuid::new_v4().to_string());
        logs.create_log_stream().log_group_name(&group).log_stream_name(&stream).send().await?;
        let event = InputLogEvent::builder().timestamp(Utc::now().timestamp_millis()).message(line).build()?;
        logs.put_log_events().log_group_name(group).log_stream_name(stream).log_events(event).send().await?;
        Ok(())
    }
}

impl<A: Application> World<A> {
    /// Waits until an execution has ended.
    pub async fn ended<Id>(&self, process: &Process<Id>) -> Outcome<Ended> {
        let ended = eventually(PATIENCE, format!("{} to end", process.execution_arn), || async {
            let seen = self.aws.sfn().describe_execution().execution_arn(&process.execution_arn).send().await.ok()?;
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

    /// Waits until a process is in the midst of its work.
    pub async fn at_work(&self, process: impl Display) -> Outcome<()> {
        let process = process.to_string();
        let seen = eventually(PATIENCE, format!("process {process} to be at work"), || async {
            self.patient.read(&process).await.ok().filter(A::is_at_work).map(drop)
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

    /// Asks a step for a change as an operator does, and takes no other answer than that it was made.
    pub async fn ask_for(&self, step: &str, event: &Value) -> Outcome<()> {
        let answer = self.ask(step, event).await?;
        match answer["actions"][0]["outcome"].as_str() {
            Some("applied") => Ok(()),
            _ => Err(format!("{step} has not done {event}: {answer}").into()),
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
                sqlx::query_scalar(sql).bind(&also.target).fetch_optional(self.database.pool()).await?
            }
            Question::WorkerTimeout => {
                let ask = self.aws.lambda().get_function_configuration().function_name(Patient::WORKER);
                ask.send().await?.timeout().map(|seconds| seconds.to_string())
            }
        })
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
