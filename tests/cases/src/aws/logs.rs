//! CloudWatch Logs: FilterLogEvents with its patterns, and of Insights what looks for lines.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/>

use serde_json::{Value, json};
use uuid::Uuid;

use super::pattern::Pattern;
use super::state::State;
use super::{Answered, Fault};
use crate::times::iso;

impl State {
    /// The calls that are known.
    pub(super) fn log(&mut self, call: &str, asked: &Value) -> Option<Answered> {
        Some(match call {
            "FilterLogEvents" => self.filter(asked),
            "DescribeLogGroups" => {
                let prefix = asked["logGroupNamePrefix"].as_str().unwrap_or_default();
                let names = self.logs.keys().filter(|name| name.starts_with(prefix));
                Ok(json!({ "logGroups": names.map(|name| json!({ "logGroupName": name })).collect::<Vec<_>>() }))
            }
            "StartQuery" => self.query(asked).map(|answer| {
                let id = Uuid::new_v4().to_string();
                self.queries.insert(id.clone(), answer);
                json!({ "queryId": id })
            }),
            "GetQueryResults" => {
                let answer = self.queries.get(asked["queryId"].as_str().unwrap_or_default());
                answer.cloned().ok_or_else(|| Fault::new(400, "ResourceNotFoundException", "Query does not exist"))
            }
            "StopQuery" => Ok(json!({ "success": false })),
            _ => return None,
        })
    }

    /// The events of a group between two moments, both included, in milliseconds, oldest first.
    fn events(&self, group: &str, from: i64, to: i64) -> Result<Vec<&Value>, Fault> {
        let missing = || Fault::new(400, "ResourceNotFoundException", "The specified log group does not exist.");
        let mut events: Vec<&Value> = self.logs.get(group).ok_or_else(missing)?.iter().collect();
        events.retain(|event| (from..=to).contains(&at(event)));
        events.sort_by_key(|event| at(event));
        Ok(events)
    }

    fn filter(&self, asked: &Value) -> Answered {
        let (from, to) = (asked["startTime"].as_i64().unwrap_or(0), asked["endTime"].as_i64().unwrap_or(i64::MAX));
        let pattern = Pattern::parse(asked["filterPattern"].as_str().unwrap_or_default())
            .map_err(|why| Fault::new(400, "InvalidParameterException", format!("Invalid filter pattern: {why}")))?;
        let mut events = self.events(&group(asked), from, to)?;
        events.retain(|event| pattern.matches(message(event)));
        let skipped = asked["nextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0);
        let limit = asked["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10_000);
        let left = events.len().saturating_sub(skipped);
        let page = events.into_iter().enumerate().skip(skipped).take(limit).map(|(number, event)| {
            json!({
                "logStreamName": event["logStreamName"].as_str().unwrap_or("2026/11/29/[$LATEST]0"),
                "timestamp": at(event), "ingestionTime": at(event), "message": message(event), "eventId": number.to_string(),
            })
        });
        let mut answer = json!({ "events": page.collect::<Vec<_>>(), "searchedLogStreams": [] });
        if left > limit {
            answer["nextToken"] = (skipped + limit).to_string().into();
        }
        Ok(answer)
    }

    /// An Insights query: `fields`, `filter @message like`, `sort`, `limit` and `estimate`. It is complete at once.
    fn query(&self, asked: &Value) -> Answered {
        let seconds = |field: &str, default: i64| asked[field].as_i64().map_or(default, |at| at.saturating_mul(1000));
        let mut events =
            self.events(&group(asked), seconds("startTime", 0), seconds("endTime", i64::MAX).saturating_add(999))?;
        let (mut limit, mut is_estimate) = (1000, false);
        // Newest first, unless it is said.
        events.reverse();
        for command in asked["queryString"].as_str().unwrap_or_default().split('|').map(str::trim) {
            let unknown = || {
                let message = format!("the cases' AWS does not compute the Insights command `{command}`");
                Fault::new(400, "MalformedQueryException", message)
            };
            let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
            match name {
                "fields" | "display" | "" => {}
                "limit" => limit = rest.trim().parse().map_err(|_| unknown())?,
                "estimate" => is_estimate = true,
                "sort" => match rest.trim() {
                    "@timestamp asc" | "@timestamp" => events.sort_by_key(|event| at(event)),
                    "@timestamp desc" => {}
                    _ => return Err(unknown()),
                },
                "filter" => {
                    let wanted = rest.trim().strip_prefix("@message like").ok_or_else(unknown)?.trim();
                    let quoted = |sign| wanted.strip_prefix(sign).and_then(|inner| inner.strip_suffix(sign));
                    let regex = quoted('/').map(regex_lite::Regex::new).transpose().map_err(|_| unknown())?;
                    match (regex, quoted('"').or_else(|| quoted('\''))) {
                        (Some(regex), _) => events.retain(|event| regex.is_match(message(event))),
                        (None, Some(text)) => events.retain(|event| message(event).contains(text)),
                        (None, None) => return Err(unknown()),
                    }
                }
                _ => return Err(unknown()),
            }
        }
        let bytes: usize = events.iter().map(|event| message(event).len()).sum();
        let field = |name: &str, value: String| json!({ "field": name, "value": value });
        let rows: Vec<Value> = if is_estimate {
            vec![json!([field("estimatedBytes", bytes.to_string())])]
        } else {
            let row = |event: &&Value| {
                let moment = chrono::DateTime::from_timestamp_millis(at(event)).map(iso).unwrap_or_default();
                json!([field("@timestamp", moment), field("@message", message(event).to_owned())])
            };
            events.iter().take(limit).map(row).collect()
        };
        Ok(json!({
            "status": "Complete", "results": rows,
            "statistics": { "bytesScanned": bytes, "recordsMatched": events.len(), "recordsScanned": events.len() },
        }))
    }
}

/// The group that is asked for, by name or by ARN.
fn group(asked: &Value) -> String {
    let named = ["logGroupName", "logGroupIdentifier"].iter().find_map(|field| asked[*field].as_str());
    let listed = ["logGroupNames", "logGroupIdentifiers"].iter().find_map(|field| asked[*field][0].as_str());
    let name = named.or(listed).unwrap_or_default();
    name.split_once(":log-group:").map_or(name, |(_, name)| name.trim_end_matches(":*")).to_owned()
}

fn at(event: &Value) -> i64 {
    event["timestamp"].as_i64().unwrap_or_default()
}

fn message(event: &Value) -> &str {
    event["message"].as_str().unwrap_or_default()
}
