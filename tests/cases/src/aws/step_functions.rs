//! Step Functions: <https://docs.aws.amazon.com/step-functions/latest/apireference/>

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::state::State;
use super::{Answered, Fault, STATE_MACHINE_ARN};
use crate::times::epoch;

/// An execution.
#[derive(Debug, Default)]
pub(super) struct Execution {
    /// As DescribeExecution tells it.
    pub told: Map<String, Value>,
    /// Not in ListExecutions.
    unlisted: bool,
}

impl Execution {
    fn is_running(&self) -> bool {
        self.told.get("status").is_some_and(|status| status == "RUNNING")
    }
}

/// The state machine that every case has: one task, which tries again for more than five minutes where Lambda refuses the call.
pub(super) fn definition() -> Value {
    json!({
        "StartAt": "Work",
        "TimeoutSeconds": 600,
        "States": {
            "Work": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "ResultPath": "$.generationResult",
                "TimeoutSeconds": 300,
                "Parameters": {
                    "FunctionName": "arn:aws:lambda:ap-northeast-1:123456789012:function:ai-generation-worker",
                    "Payload.$": "$",
                },
                "Retry": [{
                    "ErrorEquals": ["Lambda.TooManyRequestsException"],
                    "IntervalSeconds": 5, "MaxAttempts": 6, "BackoffRate": 2,
                }],
                "End": true,
            },
        },
    })
}

fn arn_of(name: &str) -> String {
    format!("{}:{name}", STATE_MACHINE_ARN.replace(":stateMachine:", ":execution:"))
}

impl State {
    /// Adds an execution, or changes the one of that name.
    pub(super) fn add_execution(&mut self, said: &Value) {
        let name = said["name"].as_str().unwrap_or_default();
        let execution = self.executions.entry(name.to_owned()).or_insert_with(|| Execution {
            told: fields(json!({
                "executionArn": arn_of(name), "stateMachineArn": STATE_MACHINE_ARN, "name": name, "status": "RUNNING",
                "startDate": epoch(Utc::now()), "redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE",
            })),
            unlisted: false,
        });
        for (field, value) in fields(said.clone()) {
            match field.as_str() {
                "unlisted" => execution.unlisted = value == true,
                _ => drop(execution.told.insert(field, value)),
            }
        }
        for field in ["input", "output"] {
            if execution.told.contains_key(field) {
                execution.told.insert(format!("{field}Details"), json!({ "included": true }));
            }
        }
    }

    /// An execution's status.
    pub fn execution_status(&self, name: &str) -> Option<String> {
        self.executions.get(name)?.told.get("status")?.as_str().map(str::to_owned)
    }

    /// The calls that are known.
    pub(super) fn step_functions(&mut self, call: &str, asked: &Value) -> Option<Answered> {
        Some(match call {
            "ListExecutions" => self.list_executions(asked),
            "DescribeExecution" => self.execution(asked).map(|execution| Value::Object(execution.told.clone())),
            "GetExecutionHistory" => self.execution_history(asked),
            "StopExecution" => self.stop_execution(asked),
            "StartExecution" => self.start_execution(asked),
            "RedriveExecution" => self.redrive_execution(asked),
            "DescribeStateMachine" | "DescribeStateMachineForExecution" => Ok(json!({
                "stateMachineArn": STATE_MACHINE_ARN, "name": "ai-processing", "status": "ACTIVE", "type": "STANDARD",
                "roleArn": "arn:aws:iam::123456789012:role/ai-processing", "creationDate": 1_750_000_000.0,
                "definition": self.definition.to_string(),
            })),
            _ => return None,
        })
    }

    fn execution(&mut self, asked: &Value) -> Result<&mut Execution, Fault> {
        let arn = asked["executionArn"].as_str().unwrap_or_default();
        let missing = || Fault::new(400, "ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"));
        let name = arn.strip_prefix(&arn_of("")).ok_or_else(missing)?;
        self.executions.get_mut(name).ok_or_else(missing)
    }

    fn list_executions(&self, asked: &Value) -> Answered {
        if asked["stateMachineArn"] != STATE_MACHINE_ARN {
            let message = format!("State Machine Does Not Exist: '{}'", asked["stateMachineArn"]);
            return Err(Fault::new(400, "StateMachineDoesNotExist", message));
        }
        let status = asked["statusFilter"].as_str();
        let mut listed: Vec<&Map<String, Value>> = self
            .executions
            .values()
            .filter(|execution| !execution.unlisted)
            .map(|execution| &execution.told)
            .filter(|told| status.is_none_or(|status| told["status"] == status))
            .collect();
        // Newest first.
        let started = |told: &Map<String, Value>| told["startDate"].as_f64().unwrap_or_default();
        listed.sort_by(|one, other| started(other).total_cmp(&started(one)));
        let item = |told: &Map<String, Value>| {
            const TOLD: [&str; 8] = [
                "executionArn",
                "stateMachineArn",
                "name",
                "status",
                "startDate",
                "stopDate",
                "redriveCount",
                "redriveDate",
            ];
            let told = TOLD.into_iter().filter_map(|field| Some((field.to_owned(), told.get(field)?.clone())));
            Value::Object(told.collect())
        };
        let (page, next) = page(&listed, asked, 100, 1000);
        Ok(with_token(json!({ "executions": page.iter().map(|told| item(told)).collect::<Vec<_>>() }), next))
    }

    fn execution_history(&mut self, asked: &Value) -> Answered {
        let told = self.execution(asked)?.told.clone();
        let name = told["name"].as_str().unwrap_or_default();
        let mut events = self.history.get(name).cloned().unwrap_or_else(|| {
            vec![json!({ "id": 1, "previousEventId": 0, "type": "ExecutionStarted", "timestamp": told["startDate"] })]
        });
        if asked["reverseOrder"] == true {
            events.reverse();
        }
        let (page, next) = page(&events, asked, 100, 1000);
        Ok(with_token(json!({ "events": page }), next))
    }

    fn stop_execution(&mut self, asked: &Value) -> Answered {
        let execution = self.execution(asked)?;
        // One that has ended stays as it is; the call is no error.
        if execution.is_running() || execution.told["status"] == "PENDING_REDRIVE" {
            execution.told.insert("status".to_owned(), "ABORTED".into());
            execution.told.insert("stopDate".to_owned(), epoch(Utc::now()));
            for field in ["error", "cause"] {
                if let Some(value) = asked.get(field) {
                    execution.told.insert(field.to_owned(), value.clone());
                }
            }
        }
        Ok(json!({ "stopDate": execution.told.get("stopDate") }))
    }

    fn start_execution(&mut self, asked: &Value) -> Answered {
        let name = asked["name"].as_str().map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
        let input = asked["input"].as_str().unwrap_or("{}");
        if let Some(there) = self.executions.get(&name) {
            return match there.is_running() && there.told.get("input").is_some_and(|before| before == input) {
                true => Ok(json!({ "executionArn": arn_of(&name), "startDate": there.told["startDate"] })),
                false => {
                    let message = format!("Execution Already Exists: '{}'", arn_of(&name));
                    Err(Fault::new(400, "ExecutionAlreadyExists", message))
                }
            };
        }
        self.add_execution(&json!({ "name": name, "input": input }));
        Ok(json!({ "executionArn": arn_of(&name), "startDate": self.executions[&name].told["startDate"] }))
    }

    fn redrive_execution(&mut self, asked: &Value) -> Answered {
        let execution = self.execution(asked)?;
        if execution.is_running() || execution.told["status"] == "SUCCEEDED" {
            return Err(Fault::new(400, "ExecutionNotRedrivable", "Execution is not redrivable"));
        }
        let now = epoch(Utc::now());
        let count = execution.told["redriveCount"].as_i64().unwrap_or(0) + 1;
        for field in ["stopDate", "error", "cause", "output"] {
            execution.told.remove(field);
        }
        execution.told.extend(fields(json!({ "status": "RUNNING", "redriveCount": count, "redriveDate": now })));
        Ok(json!({ "redriveDate": now }))
    }
}

/// The page of a list that is asked for, by `maxResults` and a token that is a place, and the place of the next one.
fn page<'a, T>(all: &'a [T], asked: &Value, default: u64, most: u64) -> (&'a [T], Option<usize>) {
    let size = match asked["maxResults"].as_u64() {
        None | Some(0) => default,
        Some(size) => size.min(most),
    };
    let from = asked["nextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0).min(all.len());
    let to = from.saturating_add(usize::try_from(size).unwrap_or(usize::MAX)).min(all.len());
    (&all[from..to], (to < all.len()).then_some(to))
}

fn with_token(mut answer: Value, next: Option<usize>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = next.to_string().into();
    }
    answer
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
