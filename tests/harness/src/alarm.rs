use crate::aws::{self, Aws};
use crate::error::{Error, Result};
use aws_config::SdkConfig;
use aws_sdk_eventbridge::types::{Rule, RuleState, Target};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// The event that CloudWatch sends to EventBridge when an alarm changes its state, of an alarm on one metric.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>
pub fn alarm_event(name: &str, arn: &str, state: &str, previous: &str, reason: &str) -> Value {
    let now = Utc::now();
    let moment = |ago: i64| (now - chrono::TimeDelta::seconds(ago)).format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string();
    let data = json!({
        "version": "1.0",
        "queryDate": moment(0),
        "startDate": moment(300),
        "statistic": "Maximum",
        "period": 60,
        "recentDatapoints": [1.0],
        "threshold": 0.0,
    });
    json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": aws::ACCOUNT,
        "time": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": aws::REGION,
        "resources": [arn],
        "detail": {
            "alarmName": name,
            "configuration": {
                "description": name,
                "metrics": [{
                    "id": Uuid::new_v4(),
                    "metricStat": {
                        "metric": {"namespace": "Remediation", "name": name, "dimensions": {}},
                        "period": 60,
                        "stat": "Maximum",
                    },
                    "returnData": true,
                }],
            },
            "previousState": {"value": previous, "reason": "Unchecked: Initial alarm creation", "timestamp": moment(300)},
            "state": {"value": state, "reason": reason, "reasonData": data.to_string(), "timestamp": moment(0)},
        },
    })
}

/// The one hop that the endpoint lacks: it takes an AWS service's event to the targets of the rules that are deployed.
///
/// Which rules match is what the endpoint's own `TestEventPattern` says.
#[derive(Clone, Debug)]
pub struct AlarmHop {
    config: SdkConfig,
}

/// Where an event was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The rule that matched.
    pub rule: String,
    /// The Lambda function's ARN.
    pub target: String,
}

impl AlarmHop {
    /// For the rules of this endpoint's default bus.
    pub fn new(aws: &Aws) -> Self {
        Self { config: aws.sdk_config().clone() }
    }

    /// Delivers an event to the Lambda targets of all rules that match it, asynchronously as EventBridge does.
    ///
    /// # Errors
    /// What the endpoint answers, and [`Error::Usage`] for a target that is no function or wants its input transformed.
    pub async fn deliver(&self, event: &Value) -> Result<Vec<Delivery>> {
        let mut deliveries = Vec::new();
        for rule in self.rules().await? {
            let name = rule.name().unwrap_or_default();
            if !self.matches(&rule, event).await? {
                continue;
            }
            for target in self.targets(name).await? {
                self.invoke(name, &target, event).await?;
                deliveries.push(Delivery { rule: name.to_owned(), target: target.arn });
            }
        }
        Ok(deliveries)
    }

    fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    async fn rules(&self) -> Result<Vec<Rule>> {
        let (client, mut rules, mut token) = (self.eventbridge(), Vec::new(), None);
        loop {
            let page = client.list_rules().set_next_token(token).send().await.map_err(Error::aws("list the rules"))?;
            rules.extend(page.rules.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                return Ok(rules);
            }
        }
    }

    async fn matches(&self, rule: &Rule, event: &Value) -> Result<bool> {
        let Some(pattern) = rule.event_pattern().filter(|_| rule.state() != Some(&RuleState::Disabled)) else {
            return Ok(false);
        };
        let test = self.eventbridge().test_event_pattern().event_pattern(pattern).event(event.to_string());
        let tested = test.send().await.map_err(Error::aws(format!("test the pattern of {:?}", rule.name())))?;
        Ok(tested.result())
    }

    async fn targets(&self, rule: &str) -> Result<Vec<Target>> {
        let (client, mut targets, mut token) = (self.eventbridge(), Vec::new(), None);
        loop {
            let list = client.list_targets_by_rule().rule(rule).set_next_token(token);
            let page = list.send().await.map_err(Error::aws(format!("list the targets of {rule}")))?;
            targets.extend(page.targets.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                return Ok(targets);
            }
        }
    }

    async fn invoke(&self, rule: &str, target: &Target, event: &Value) -> Result<()> {
        let refuse = |what: &str| Err(Error::Usage(format!("the target {} of rule {rule} {what}", target.arn)));
        if !target.arn.contains(":lambda:") {
            return refuse("is no Lambda function; this hop delivers to no other");
        }
        if target.input_path.is_some() || target.input_transformer.is_some() {
            return refuse("wants its input transformed; this hop knows only a constant Input");
        }
        let payload = target.input.clone().unwrap_or_else(|| event.to_string());
        let client = aws_sdk_lambda::Client::new(&self.config);
        let invoke = client.invoke().function_name(&target.arn).invocation_type(InvocationType::Event);
        let sent = invoke.payload(Blob::new(payload)).send().await;
        sent.map(drop).map_err(Error::aws(format!("invoke {}", target.arn)))
    }
}
