//! Searching a log: on the local endpoint's CloudWatch Logs, whose answers are cut into pages as the documentation has them, which that
//! endpoint does not do. <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use chrono::{DateTime, TimeDelta, Utc};
use harness::{Aws, AwsProxy};
use remediation::gather::logs::{Budget, Line, Logs, Search, Stopped, phrase};
use serde_json::{Value, json};
use uuid::Uuid;

type Tested<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// More than any of these searches needs.
fn enough() -> Budget {
    Budget::of(10, 1000, Duration::from_secs(60))
}

/// A log group with these lines, a second between each and the next, the last a minute ago; and a search for all of them.
async fn logged(lines: &[&str]) -> Tested<Search> {
    let client = Client::new(Aws::shared().await?.sdk_config());
    let group = format!("/aws/lambda/worker-{}", Uuid::new_v4().simple());
    client.create_log_group().log_group_name(&group).send().await?;
    client.create_log_stream().log_group_name(&group).log_stream_name("one").send().await?;
    let (to, first) = (Utc::now(), Utc::now() - TimeDelta::seconds(59 + i64::try_from(lines.len())?));
    let at =
        |second: usize| i64::try_from(second).map(|second| (first + TimeDelta::seconds(second)).timestamp_millis());
    let mut events = Vec::new();
    for (second, line) in lines.iter().enumerate() {
        events.push(InputLogEvent::builder().timestamp(at(second)?).message(*line).build()?);
    }
    client.put_log_events().log_group_name(&group).log_stream_name("one").set_log_events(Some(events)).send().await?;
    Ok(Search { group, pattern: None, from: first - TimeDelta::seconds(1), to })
}

async fn proxy() -> Tested<AwsProxy> {
    Ok(AwsProxy::start(&Aws::shared().await?.endpoint()).await?)
}

fn messages(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.message.as_str()).collect()
}

#[tokio::test]
async fn the_lines_of_a_span_that_hold_a_phrase_are_found() -> Tested {
    let search = logged(&["a 1f-2e", "b 1f-2e", r#"{"processId":"1f-2e"}"#, "c 3f"]).await?;
    let logs = Logs::new(Aws::shared().await?.sdk_config());
    let phrased = Search { pattern: Some(phrase("1f-2e")), ..search.clone() };
    let found = logs.search(None, &phrased, enough()).await?;
    assert_eq!(messages(&found.lines), ["a 1f-2e", "b 1f-2e", r#"{"processId":"1f-2e"}"#]);
    assert_eq!((found.requests, found.stopped), (1, None));

    let second = found.lines[1].at;
    let later = logs.search(None, &Search { from: second, ..search }, enough()).await?;
    assert_eq!(messages(&later.lines), ["b 1f-2e", r#"{"processId":"1f-2e"}"#, "c 3f"]);
    Ok(())
}

#[tokio::test]
async fn an_empty_page_is_no_end() -> Tested {
    let (search, proxy, page) = (logged(&["a", "b"]).await?, proxy().await?, AtomicUsize::new(0));
    proxy.rewrite("FilterLogEvents", move |answer| {
        let page = page.fetch_add(1, Ordering::Relaxed);
        if page < 3 {
            *answer = json!({ "events": [], "nextToken": format!("page {page}") });
        }
    });
    let found = Logs::new(&proxy.sdk_config().await).search(None, &search, enough()).await?;
    assert_eq!((messages(&found.lines), found.requests, found.stopped), (vec!["a", "b"], 4, None));
    let tokens: Vec<Value> = proxy.requests("FilterLogEvents").iter().map(|body| body["nextToken"].clone()).collect();
    assert_eq!(tokens, [Value::Null, json!("page 0"), json!("page 1"), json!("page 2")]);
    Ok(())
}

#[tokio::test]
async fn a_search_that_meets_its_budget_says_so() -> Tested {
    let (search, proxy) = (logged(&["a", "b", "c"]).await?, proxy().await?);
    proxy.rewrite("FilterLogEvents", |answer| answer["nextToken"] = json!("there is more"));
    let logs = Logs::new(&proxy.sdk_config().await);
    // (requests, lines) that it may take, and takes.
    for (may, takes) in [((2, 1000), (2, 6)), ((10, 2), (1, 2)), ((10, 4), (2, 4)), ((0, 1000), (0, 0))] {
        let budget = Budget::of(may.0, may.1, Duration::from_secs(60));
        let found = logs.search(None, &search, budget).await?;
        assert_eq!((found.requests, found.lines.len()), takes, "{may:?}");
        assert_eq!(found.stopped, Some(Stopped::Budget), "{may:?}");
    }
    let late = logs.search(None, &search, Budget::of(10, 1000, Duration::ZERO)).await?;
    assert_eq!((late.requests, late.stopped), (0, Some(Stopped::Budget)));
    Ok(())
}

#[tokio::test]
async fn a_function_that_never_ran_has_no_group_and_that_is_no_error() -> Tested {
    let search = Search { group: "/aws/lambda/never-ran".to_owned(), ..logged(&["a"]).await? };
    let found = Logs::new(Aws::shared().await?.sdk_config()).search(None, &search, enough()).await?;
    assert_eq!((found.lines.len(), found.stopped), (0, Some(Stopped::NoGroup)));
    Ok(())
}

#[test]
fn the_json_of_a_line_is_found_behind_the_runtimes_own_words() {
    let of =
        |message: &str| Line { at: DateTime::UNIX_EPOCH, stream: String::new(), message: message.to_owned() }.json();
    let object = json!({ "level": "ERROR", "error": { "code": "AI_ERROR" } });
    let text = object.to_string();
    assert_eq!(of(&text), Some(object.clone()));
    assert_eq!(of(&format!("2026-11-24T01:00:00.000Z\t6f1c\tERROR\t{text}\n")), Some(object));
    for none in ["REPORT RequestId: 6f1c", "{ no json", "[1]", ""] {
        assert_eq!(of(none), None, "{none}");
    }
}

#[test]
fn a_phrase_cannot_end_early() {
    assert_eq!(phrase("a\"b\\c"), "\"a b c\"");
}
