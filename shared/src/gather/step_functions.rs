//! Step Functions, as far as it is asked: what an execution is, which ones there are, what failed in one.
//!
//! The calls that stop and start one are in `act/step_functions.rs`.
//!
//! Every call is paced to its refill rate (facts of the quotas: DescribeExecution 10, ListExecutions 2, StopExecution 25
//! a second where they are lowest), so that a sweep never takes the application's own share. StartExecution, of which the
//! application has 150 a second, is paced to far less: each one is a model call.

use crate::domain::{Ending, Execution, ExecutionArn, ExecutionStatus, Language, ProcessId, Words};
use crate::gather::error::Error;
use crate::gather::history::{self, Happened, History};
use crate::gather::pace::Pace;
use crate::gather::state_machine::Definition;
use crate::gather::texts;
use crate::gather::trigger::execution::of_success;
use crate::gather::trigger::result_path::ResultPath;
use crate::text;
use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::primitives::DateTime as AwsDateTime;
use aws_sdk_sfn::types::ExecutionStatus as StatusFilter;
use chrono::{DateTime, Utc};

/// The paced client.
#[derive(Debug)]
pub struct StepFunctions {
    pub(crate) client: Client,
    state_machine_arn: String,
    /// `execution.machines`.
    machines: Vec<String>,
    /// What the application means by what it writes.
    pub(crate) words: &'static Words,
    describe: Pace,
    pub(crate) stop: Pace,
    pub(crate) start: Pace,
}

/// An execution and the process that its input names.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What is known of it.
    pub execution: Execution,
    /// Whose it is, from its input, else from its name.
    pub process: Option<ProcessId>,
}

/// An execution whose status nobody knows: AWS has added one since this was built.
#[derive(Debug, Clone, PartialEq)]
pub struct Odd {
    /// Which one.
    pub arn: ExecutionArn,
    /// Whose it is, as far as it is known.
    pub process: Option<ProcessId>,
    /// Its status, in Step Functions' own word.
    pub status: String,
    /// How often it was redriven.
    pub redrive_count: i32,
    /// When it was started.
    pub started_at: DateTime<Utc>,
}

/// A page of executions, newest first.
#[derive(Debug)]
pub struct Page {
    /// What it tells.
    pub executions: Vec<Seen>,
    /// Those whose status nobody knows.
    pub odd: Vec<Odd>,
    /// Where the next one begins.
    pub next: Option<String>,
}

impl StepFunctions {
    /// The most that one ListExecutions call answers.
    const PAGE: i32 = 1000;

    /// A client for the executions of one state machine.
    #[must_use]
    pub fn new(aws: &SdkConfig, state_machine_arn: &str, words: &'static Words) -> Self {
        Self {
            client: Client::new(aws),
            state_machine_arn: state_machine_arn.to_owned(),
            machines: Vec::new(),
            words,
            describe: Pace::new(10, 50),
            stop: Pace::new(25, 100),
            start: Pace::new(10, 10),
        }
    }

    /// The same, for the executions of several: ARNs, or their beginnings with `*`. None: of the one alone.
    #[must_use]
    pub fn of_machines(self, machines: &[String]) -> Self {
        Self { machines: machines.to_vec(), ..self }
    }

    /// Whether every execution that is looked after is in the list of the one state machine.
    #[must_use]
    pub fn lists_all(&self) -> bool {
        self.machines.iter().all(|machine| *machine == self.state_machine_arn)
    }

    /// The state machine that is looked after.
    #[must_use]
    pub fn state_machine_arn(&self) -> &str {
        &self.state_machine_arn
    }

    /// Makes sure that an execution belongs to the state machine that is looked after.
    ///
    /// # Errors
    /// [`Error::Refused`] naming both.
    pub fn own(&self, arn: &ExecutionArn, language: Language) -> Result<(), Error> {
        let machine = arn.state_machine_arn();
        let is_of = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => machine.starts_with(beginning),
            None => machine == *pattern,
        };
        if machine == self.state_machine_arn || self.machines.iter().any(is_of) {
            return Ok(());
        }
        Err(Error::Refused(texts::anothers_execution(language, arn, &self.state_machine_arn)))
    }

    /// DescribeExecution.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Said`] for an answer that cannot be read.
    pub async fn describe(&self, arn: &ExecutionArn, result_path: &ResultPath) -> Result<Seen, Error> {
        self.describe_with_input(arn, result_path).await.map(|(seen, _input)| seen)
    }

    /// The process that an execution was started for, whatever its status is.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn owner(&self, arn: &ExecutionArn) -> Result<Option<ProcessId>, Error> {
        self.describe.wait().await;
        let asked = self.client.describe_execution().execution_arn(arn.as_str()).send().await;
        Ok(self.words.owner.of(arn, asked.map_err(Error::aws("DescribeExecution"))?.input()))
    }

    /// DescribeExecution, with the input that the execution was started with; `None` where that is not told.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Said`] for an answer that cannot be read.
    pub async fn describe_with_input(
        &self,
        arn: &ExecutionArn,
        result_path: &ResultPath,
    ) -> Result<(Seen, Option<String>), Error> {
        self.describe.wait().await;
        let answer = self
            .client
            .describe_execution()
            .execution_arn(arn.as_str())
            .send()
            .await
            .map_err(Error::aws("DescribeExecution"))?;
        let status = status(answer.status().as_str())?;
        let (ending, says_failed) = ending(&answer, status, self.words, result_path);
        let execution = Execution {
            arn: arn.clone(),
            status,
            redrive_count: answer.redrive_count().unwrap_or(0),
            started_at: time(answer.start_date()).unwrap_or(DateTime::UNIX_EPOCH),
            redriven_at: answer.redrive_date().and_then(time),
            stopped_at: answer.stop_date().and_then(time),
            ending,
            stopped_for_deadline: false,
            says_failed,
        };
        let seen = Seen { process: self.words.owner.of(arn, answer.input()), execution };
        let included = answer.input_details().is_none_or(|details| details.included());
        Ok((seen, answer.input().filter(|_| included).map(str::to_owned)))
    }

    /// DescribeStateMachine: the definition of the state machine that is looked after, as it is now.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Said`] for a definition that cannot be read.
    pub async fn definition(&self) -> Result<Definition, Error> {
        self.describe.wait().await;
        let answer = self
            .client
            .describe_state_machine()
            .state_machine_arn(&self.state_machine_arn)
            .send()
            .await
            .map_err(Error::aws("DescribeStateMachine"))?;
        Definition::parse(answer.definition())
    }

    /// One page of ListExecutions.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Said`] for an answer that cannot be read.
    pub async fn list(&self, token: Option<&str>) -> Result<Page, Error> {
        self.page(Self::PAGE, None, token).await
    }

    /// The newest executions, so many at the most.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Said`] for an answer that cannot be read.
    pub async fn newest(&self, at_most: i32) -> Result<Page, Error> {
        self.page(at_most, None, None).await
    }

    /// The newest executions that run, so many at the most; `next` says whether there are more.
    ///
    /// # Errors
    /// [`Error::Aws`]; [`Error::Said`] for an answer that cannot be read.
    pub async fn running(&self, at_most: i32) -> Result<Page, Error> {
        self.page(at_most, Some(StatusFilter::Running), None).await
    }

    async fn page(&self, at_most: i32, status_is: Option<StatusFilter>, token: Option<&str>) -> Result<Page, Error> {
        let answer = self
            .client
            .list_executions()
            .state_machine_arn(&self.state_machine_arn)
            .max_results(at_most)
            .set_status_filter(status_is)
            .set_next_token(token.map(str::to_owned))
            .send()
            .await
            .map_err(Error::aws("ListExecutions"))?;
        let mut executions = Vec::with_capacity(answer.executions().len());
        let mut odd = Vec::new();
        for item in answer.executions() {
            let arn: ExecutionArn = item.execution_arn().parse().map_err(unreadable)?;
            let started_at = time(item.start_date()).unwrap_or(DateTime::UNIX_EPOCH);
            let Ok(status) = item.status().as_str().parse() else {
                odd.push(Odd {
                    process: self.words.owner.of_name(&arn),
                    status: item.status().as_str().to_owned(),
                    redrive_count: item.redrive_count().unwrap_or(0),
                    started_at,
                    arn,
                });
                continue;
            };
            executions.push(Seen {
                process: self.words.owner.of_name(&arn),
                execution: Execution {
                    status,
                    redrive_count: item.redrive_count().unwrap_or(0),
                    started_at,
                    redriven_at: item.redrive_date().and_then(time),
                    stopped_at: item.stop_date().and_then(time),
                    ending: None,
                    stopped_for_deadline: false,
                    says_failed: None,
                    arn,
                },
            });
        }
        Ok(Page { executions, odd, next: answer.next_token().map(str::to_owned) })
    }

    /// What the task failed with that led to an execution's end ([`history::leading_failure`]): one page of its history, read backwards.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn leading_failure(&self, arn: &ExecutionArn) -> Result<Option<(Option<String>, Option<String>)>, Error> {
        self.describe.wait().await;
        let answer = self
            .client
            .get_execution_history()
            .execution_arn(arn.as_str())
            .reverse_order(true)
            .max_results(100)
            .include_execution_data(true)
            .send()
            .await
            .map_err(Error::aws("GetExecutionHistory"))?;
        Ok(history::leading_failure(answer.events()))
    }

    /// The newest events of an execution, so many at the most, in their order. Inputs and outputs, and the prompts in them, are not
    /// even asked for.
    ///
    /// # Errors
    /// [`Error::Aws`].
    pub async fn history(&self, arn: &ExecutionArn, at_most: usize) -> Result<History, Error> {
        let mut events = Vec::new();
        let mut token: Option<String> = None;
        loop {
            self.describe.wait().await;
            let left = i32::try_from(at_most - events.len()).unwrap_or(i32::MAX).min(Self::PAGE);
            let answer = self
                .client
                .get_execution_history()
                .execution_arn(arn.as_str())
                .reverse_order(true)
                .max_results(left)
                .include_execution_data(false)
                .set_next_token(token)
                .send()
                .await
                .map_err(Error::aws("GetExecutionHistory"))?;
            events.extend(answer.events().iter().map(|event| Happened::of(event, time(event.timestamp()))));
            token = answer.next_token().map(str::to_owned);
            if token.is_none() || events.len() >= at_most {
                break;
            }
        }
        events.reverse();
        Ok(History { events, more: token.is_some() })
    }
}

/// What an execution ended with, and of a success whether it says that it failed. An output that is not told is not known.
fn ending(
    answer: &DescribeExecutionOutput,
    status: ExecutionStatus,
    words: &Words,
    result_path: &ResultPath,
) -> (Option<Ending>, Option<bool>) {
    let told =
        || Ending { error: answer.error().map(str::to_owned), cause: answer.cause().map(str::to_owned), result: None };
    match (status, answer.output()) {
        (ExecutionStatus::Running | ExecutionStatus::PendingRedrive, _) => (None, None),
        (ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted, _) => (Some(told()), None),
        (ExecutionStatus::Succeeded, Some(output)) => {
            let (ending, says_failed) = of_success(output, words, result_path);
            (Some(ending), Some(says_failed))
        }
        // Left out because of its size, or not for our eyes: nobody can look any closer.
        (ExecutionStatus::Succeeded, None) if answer.output_details().is_some_and(|details| !details.included()) => {
            (None, None)
        }
        (ExecutionStatus::Succeeded, None) => (Some(told()), Some(false)),
    }
}

fn status(value: &str) -> Result<ExecutionStatus, Error> {
    value.parse().map_err(unreadable)
}

fn unreadable(error: crate::domain::ParseError) -> Error {
    Error::said(|language| {
        let error = error.told(language);
        text!(
            language,
            ja: "Step Functions が返した値を読めない: {error}",
            en: "unexpected answer from Step Functions: {error}",
        )
    })
}

/// To the millisecond, which is what Step Functions has and its events tell. The API's JSON has seconds as a floating
/// point number, and the SDK cuts it: 1764000000.987 becomes …0.986999988, which would be another start than the event's.
pub(crate) fn time(at: &AwsDateTime) -> Option<DateTime<Utc>> {
    let milliseconds = i64::from(at.subsec_nanos().saturating_add(500_000) / 1_000_000);
    DateTime::from_timestamp_millis(at.secs().checked_mul(1000)?.checked_add(milliseconds)?)
}
