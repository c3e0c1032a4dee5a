//! What AWS knows in a case, and how a case changes it.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::lambda::Function;
use super::step_functions::Execution;
use super::{Answered, Fault, NOTIFY_TOPIC_ARN, SECRET_ARN};
use crate::failure::Failure;
use crate::times;
use crate::words;

/// The five functions of the application.
const FUNCTIONS: [&str; 5] =
    ["async-processing-handler", "status-check-handler", "retry-handler", "cancel-handler", "ai-generation-worker"];

/// All of AWS.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) executions: BTreeMap<String, Execution>,
    /// Events of executions by name, oldest first.
    pub(super) history: BTreeMap<String, Vec<Value>>,
    /// Events by log group.
    pub(super) logs: BTreeMap<String, Vec<Value>>,
    pub(super) queries: BTreeMap<String, Value>,
    pub(super) alarms: BTreeMap<String, Map<String, Value>>,
    /// Data points by the metric's name.
    pub(super) metrics: BTreeMap<String, Vec<Value>>,
    pub(super) functions: BTreeMap<String, Function>,
    pub(super) definition: Value,
    secret: Option<Value>,
    refusals: Vec<Refusal>,
    calls: Vec<(String, String)>,
    unknown: Vec<String>,
    messages: Vec<String>,
}

/// A call that is refused where the request holds something.
#[derive(Debug)]
struct Refusal {
    call: String,
    pattern: regex_lite::Regex,
    fault: Fault,
}

impl State {
    /// What is there in every case.
    pub fn new() -> Self {
        Self {
            executions: BTreeMap::new(),
            history: BTreeMap::new(),
            logs: FUNCTIONS.iter().map(|name| (format!("/aws/lambda/{name}"), Vec::new())).collect(),
            queries: BTreeMap::new(),
            alarms: BTreeMap::new(),
            metrics: BTreeMap::new(),
            functions: FUNCTIONS.iter().map(|name| ((*name).to_owned(), Function::new(name))).collect(),
            definition: super::step_functions::definition(),
            secret: None,
            refusals: Vec::new(),
            calls: Vec::new(),
            unknown: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Changes it as a case says; times count from now.
    pub fn add(&mut self, changes: &Map<String, Value>) -> Result<(), Failure> {
        let mut changes = Value::Object(changes.clone());
        times::resolve(&mut changes, Utc::now());
        for (what, change) in changes.as_object().into_iter().flatten() {
            let of = |entries: &Value| entries.as_object().cloned().unwrap_or_default();
            let list = |entries: &Value| entries.as_array().cloned().unwrap_or_default();
            match what.as_str() {
                "executions" => list(change).iter().for_each(|execution| self.add_execution(execution)),
                "history" => extend(&mut self.history, of(change)),
                "logs" => extend(&mut self.logs, of(change)),
                "metrics" => extend(&mut self.metrics, of(change)),
                "alarms" => {
                    for (name, alarm) in of(change) {
                        match alarm {
                            Value::Object(fields) => self.set_alarm(&name, fields),
                            _ => drop(self.alarms.remove(&name)),
                        }
                    }
                }
                "lambda" => of(change).iter().for_each(|(name, settings)| self.deploy(name, settings)),
                "definition" => self.definition = change.clone(),
                "secret" => self.secret = Some(change.clone()),
                "refuse" => {
                    for refusal in list(change) {
                        self.refusals.push(Refusal::read(&refusal)?);
                    }
                }
                other => return Err(Failure::new(format!("`aws` has no `{other}`"))),
            }
        }
        Ok(())
    }

    /// Every time becomes so many seconds longer ago.
    pub fn age(&mut self, by: i64) {
        for execution in self.executions.values_mut() {
            times::age(&mut execution.told, &["startDate", "stopDate", "redriveDate"], by);
        }
        let events = self.history.values_mut().chain(self.logs.values_mut()).chain(self.metrics.values_mut()).flatten();
        for event in events.filter_map(Value::as_object_mut) {
            times::age(event, &["timestamp", "ingestionTime", "at"], by);
        }
        for alarm in self.alarms.values_mut() {
            let fields = ["StateUpdatedTimestamp", "StateTransitionedTimestamp", "AlarmConfigurationUpdatedTimestamp"];
            times::age(alarm, &fields, by);
        }
        for configuration in self.functions.values_mut().flat_map(Function::configurations) {
            times::age(configuration, &["LastModified"], by);
        }
    }

    /// Answers a call, or names it where it is not known.
    pub fn answer(&mut self, call: &str, asked: &Value) -> Answered {
        let text = words::json(asked);
        let refusal = self.refusals.iter().find(|refusal| refusal.call == call && refusal.pattern.is_match(&text));
        let refused = refusal.map(|refusal| refusal.fault.clone());
        self.calls.push((call.to_owned(), text));
        if let Some(fault) = refused {
            return Err(fault);
        }
        let known = self
            .step_functions(call, asked)
            .or_else(|| self.lambda(call, asked))
            .or_else(|| self.log(call, asked))
            .or_else(|| self.cloudwatch(call, asked))
            .or_else(|| self.others(call, asked));
        known.unwrap_or_else(|| {
            self.unknown.push(call.to_owned());
            Err(Fault::new(400, "UnknownOperationException", format!("the cases' AWS does not know the call {call}")))
        })
    }

    /// SNS and Secrets Manager.
    fn others(&mut self, call: &str, asked: &Value) -> Option<Answered> {
        Some(match call {
            "Publish" => {
                let told = [&asked["Subject"], &asked["Message"]].map(|text| text.as_str().unwrap_or_default());
                self.messages.push(told.join("\n"));
                match asked["TopicArn"].as_str() {
                    Some(NOTIFY_TOPIC_ARN) => Ok(json!({ "MessageId": Uuid::new_v4() })),
                    other => Err(Fault::new(404, "NotFound", format!("Topic does not exist: {other:?}"))),
                }
            }
            "GetSecretValue" => self.secret.as_ref().filter(|_| asked["SecretId"] == SECRET_ARN).map_or_else(
                || {
                    Err(Fault::new(
                        400,
                        "ResourceNotFoundException",
                        "Secrets Manager can't find the specified secret.",
                    ))
                },
                |secret| {
                    Ok(json!({
                        "ARN": SECRET_ARN, "Name": "database", "SecretString": secret.to_string(),
                        "VersionId": Uuid::new_v4(), "VersionStages": ["AWSCURRENT"],
                    }))
                },
            ),
            _ => return None,
        })
    }

    /// The requests of a call, as JSON with a space after each comma and colon.
    pub fn requests(&self, call: &str) -> Vec<String> {
        self.calls.iter().filter(|(name, _)| name == call).map(|(_, request)| request.clone()).collect()
    }

    /// What came before the first step does not count.
    pub fn forget_calls(&mut self) {
        self.calls.clear();
        self.messages.clear();
        self.unknown.clear();
    }

    /// The calls that are not known here.
    pub fn unknown_calls(&self) -> Vec<String> {
        self.unknown.clone()
    }

    /// What was published, subject and text.
    pub fn messages(&self) -> Vec<String> {
        self.messages.clone()
    }
}

impl Refusal {
    fn read(said: &Value) -> Result<Self, Failure> {
        let text = |field: &str| said[field].as_str().unwrap_or_default();
        Ok(Self {
            call: text("call").to_owned(),
            pattern: words::regex(text("match"))?,
            fault: Fault::new(400, text("error"), text("message")),
        })
    }
}

/// Adds to the lists that are there.
fn extend(lists: &mut BTreeMap<String, Vec<Value>>, more: Map<String, Value>) {
    for (name, entries) in more {
        if let Value::Array(entries) = entries {
            lists.entry(name).or_default().extend(entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:ap-northeast-1:123456789012:execution:ai-processing:one";

    fn state(changes: Value) -> Result<State, Failure> {
        let mut state = State::new();
        state.add(changes.as_object().unwrap_or(&Map::new()))?;
        Ok(state)
    }

    fn code(answered: Answered) -> String {
        answered.map_or_else(|fault| fault.code, |answer| answer.to_string())
    }

    #[test]
    fn a_stopped_execution_is_aborted_and_its_name_is_taken() -> Result<(), Failure> {
        let mut state = state(json!({ "executions": [{ "name": "one", "input": "{}", "startDate": "@s:-90" }] }))?;
        let start = json!({ "name": "one", "input": "{}" });
        assert!(state.answer("StartExecution", &start).is_ok());
        assert!(state.answer("StopExecution", &json!({ "executionArn": ARN, "error": "Stopped" })).is_ok());
        assert_eq!(state.execution_status("one").as_deref(), Some("ABORTED"));
        assert_eq!(code(state.answer("StartExecution", &start)), "ExecutionAlreadyExists");
        Ok(())
    }

    #[test]
    fn an_unlisted_execution_is_described_and_not_listed() -> Result<(), Failure> {
        let mut state = state(json!({ "executions": [{ "name": "one", "unlisted": true }, { "name": "two" }] }))?;
        let listed = state.answer("ListExecutions", &json!({ "stateMachineArn": super::super::STATE_MACHINE_ARN }));
        assert!(listed.is_ok_and(|listed| listed["executions"].as_array().is_some_and(|all| all.len() == 1)));
        assert!(state.answer("DescribeExecution", &json!({ "executionArn": ARN })).is_ok());
        Ok(())
    }

    #[test]
    fn what_a_case_refuses_is_refused_and_an_unknown_call_is_named() -> Result<(), Failure> {
        let refuse = json!([{ "call": "DescribeExecution", "match": ":one", "error": "AccessDeniedException" }]);
        let mut state = state(json!({ "executions": [{ "name": "one" }], "refuse": refuse }))?;
        assert_eq!(code(state.answer("DescribeExecution", &json!({ "executionArn": ARN }))), "AccessDeniedException");
        assert_eq!(code(state.answer("BrewCoffee", &json!({}))), "UnknownOperationException");
        assert_eq!(state.unknown_calls(), ["BrewCoffee"]);
        Ok(())
    }

    #[test]
    fn an_updated_function_is_as_it_was_updated_if_nobody_was_quicker() -> Result<(), Failure> {
        let mut state = State::new();
        let worker = json!({ "FunctionName": "ai-generation-worker" });
        let Ok(read) = state.answer("GetFunctionConfiguration", &worker) else { return Err(Failure::new("no worker")) };
        let mut update = worker.clone();
        update["MemorySize"] = 1024.into();
        update["RevisionId"] = read["RevisionId"].clone();
        assert!(state.answer("UpdateFunctionConfiguration", &update).is_ok());
        assert_eq!(state.function_field("ai-generation-worker", "MemorySize"), Some(json!(1024)));
        assert_eq!(code(state.answer("UpdateFunctionConfiguration", &update)), "PreconditionFailedException");
        let mut reserve = worker;
        reserve["ReservedConcurrentExecutions"] = 901.into();
        assert_eq!(code(state.answer("PutFunctionConcurrency", &reserve)), "InvalidParameterValueException");
        reserve["ReservedConcurrentExecutions"] = 900.into();
        assert!(state.answer("PutFunctionConcurrency", &reserve).is_ok());
        Ok(())
    }

    #[test]
    fn an_alarm_is_as_a_case_has_it_and_null_is_gone() -> Result<(), Failure> {
        let mut state = state(json!({ "alarms": { "a": { "StateValue": "ALARM" } } }))?;
        let asked = json!({ "AlarmNames": ["a"] });
        let told = state.answer("DescribeAlarms", &asked);
        assert!(told.is_ok_and(|told| told["MetricAlarms"][0]["StateValue"] == "ALARM"));
        state.add(json!({ "alarms": { "a": null } }).as_object().unwrap_or(&Map::new()))?;
        assert!(state.answer("DescribeAlarms", &asked).is_ok_and(|told| told["MetricAlarms"] == json!([])));
        Ok(())
    }

    #[test]
    fn the_values_of_a_metric_come_by_periods() -> Result<(), Failure> {
        let points = json!([{ "at": 1_764_000_001, "value": 2 }, { "at": 1_764_000_002, "value": 4 }]);
        let mut state = state(json!({ "metrics": { "M": points } }))?;
        let query =
            json!({ "Id": "q", "MetricStat": { "Metric": { "MetricName": "M" }, "Period": 60, "Stat": "Maximum" } });
        let asked = json!({ "MetricDataQueries": [query], "StartTime": 1_763_999_000, "EndTime": 1_764_001_000 });
        let told = state.answer("GetMetricData", &asked).map_err(|fault| Failure::new(fault.message))?;
        assert_eq!(told["MetricDataResults"][0]["Values"], json!([4.0]));
        assert_eq!(told["MetricDataResults"][0]["Timestamps"], json!([1_764_000_000.0]));
        Ok(())
    }
}
