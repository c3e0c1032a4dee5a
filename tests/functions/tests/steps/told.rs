//! Who hears of what: once what needs a person, once an hour and counted what needs nobody, and not at all what is nobody's business.

use std::collections::BTreeMap;

use functions_tests::{BOUND, Bench, NOWHERE, Tested, ago, findings, listed, logged, metrics, processing, texts};
use harness::{Aws, AwsProxy, Failure, FunctionBuilder, eventually};
use patient::table::Row;
use serde_json::{Value, json};

/// People, at the other end of a topic.
struct People {
    aws: &'static Aws,
    /// Everything but the topic is scripted.
    proxy: AwsProxy,
    topic: String,
    queue: String,
}

impl People {
    async fn new(bench: &Bench) -> Tested<Self> {
        let aws = Aws::shared().await?;
        let name = bench.database.name().to_owned();
        let sns = aws_sdk_sns::Client::new(aws.sdk_config());
        let topic = sns.create_topic().name(&name).send().await?.topic_arn.ok_or("no topic")?;
        let queue = aws.sqs().create_queue().queue_name(&name).send().await?.queue_url.ok_or("no queue")?;
        let arn = format!("arn:aws:sqs:ap-northeast-1:000000000000:{name}");
        sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn).send().await?;
        let proxy = AwsProxy::start(&aws.endpoint()).await?;
        proxy.answer("ListExecutions", json!({ "executions": [] }));
        Ok(Self { aws, proxy, topic, queue })
    }

    fn function(&self, bench: &Bench, step: &str) -> FunctionBuilder {
        bench.function(step).envs(self.proxy.environment()).env("NOTIFY_TOPIC_ARN", &self.topic)
    }

    /// Rows that are open although their executions have ended so, all of which are listed from now on.
    async fn ended(&self, bench: &Bench, count: usize, status: &str) -> Tested<Vec<Row>> {
        let rows: Vec<Row> = (0..count).map(|_| processing(701)).collect();
        bench.insert(&rows).await?;
        let list: Vec<Value> = rows.iter().map(|row| listed(row.id, status, ago(700), Some(ago(100)))).collect();
        self.proxy.answer("ListExecutions", json!({ "executions": list }));
        Ok(rows)
    }

    /// How many messages they were sent.
    fn messages(&self) -> usize {
        self.proxy.calls("Publish")
    }

    /// The next message.
    async fn hear(&self) -> Tested<(String, String)> {
        let message = eventually(BOUND, "a message", || async {
            let received =
                self.aws.sqs().receive_message().queue_url(&self.queue).send().await.ok()?.messages?.pop()?;
            self.aws
                .sqs()
                .delete_message()
                .queue_url(&self.queue)
                .receipt_handle(received.receipt_handle?)
                .send()
                .await
                .ok()?;
            let body: Value = serde_json::from_str(&received.body?).ok()?;
            Some((body["Subject"].as_str()?.to_owned(), body["Message"].as_str()?.to_owned()))
        });
        Ok(message.await?)
    }
}

fn schedule() -> Value {
    json!({ "schedule": "by-test" })
}

#[tokio::test]
async fn a_kind_of_thing_is_told_once_an_hour_by_whichever_container_and_the_rest_is_counted() -> Tested {
    let bench = Bench::new("told_hourly").await?;
    let people = People::new(&bench).await?;
    let (one, other) = (
        people.function(&bench, "reconcile-processes").start().await?,
        people.function(&bench, "reconcile-processes").start().await?,
    );
    people.ended(&bench, 2, "TIMED_OUT").await?;
    assert_eq!(texts(&one.invoke(&schedule()).await?["actions"], "outcome"), ["applied"; 2]);
    assert_eq!(people.messages(), 1);
    assert!(people.hear().await?.1.contains("PROCESSING → FAILED"));
    for (function, count) in [(&other, 3), (&one, 1)] {
        people.ended(&bench, count, "TIMED_OUT").await?;
        let result = function.invoke(&schedule()).await?;
        assert_eq!(texts(&result["actions"], "outcome"), vec!["applied"; count], "{result:#}");
    }
    assert_eq!(people.messages(), 1, "the hour is not over");

    // Whoever runs next by a schedule says what has come together, if it has something to say or not.
    bench.aged(61).await?;
    people.function(&bench, "check-health").start().await?.invoke(&schedule()).await?;
    assert_eq!(people.messages(), 2);
    let (_, message) = people.hear().await?;
    assert!(
        message.contains("reconcile-processes applied set-row-status: and 4 more like this in the last hour"),
        "{message}"
    );
    other.invoke(&schedule()).await?;
    assert_eq!(people.messages(), 2, "that was all");

    people.ended(&bench, 1, "TIMED_OUT").await?;
    bench.aged(61).await?;
    one.invoke(&schedule()).await?;
    assert_eq!(people.messages(), 3);
    assert!(!people.hear().await?.1.contains("more like this"));
    Ok(())
}

#[tokio::test]
async fn what_a_user_wanted_and_what_a_step_has_started_wakes_nobody() -> Tested {
    let bench = Bench::new("told_nobody").await?;
    let people = People::new(&bench).await?;
    let function = people.function(&bench, "reconcile-processes").start().await?;
    let rows = people.ended(&bench, 1, "ABORTED").await?;
    let description = functions_tests::description(
        rows[0].id,
        "ABORTED",
        ago(700),
        Some(ago(100)),
        &json!({ "error": "ManualCancellation", "cause": "by its user" }),
    );
    people.proxy.answer("DescribeExecution", description);
    let result = function.invoke(&schedule()).await?;
    assert_eq!(result["actions"][0]["after"]["status"], "CANCELLED", "{result:#}");

    people.ended(&bench, 2, "TIMED_OUT").await?;
    let result = function.invoke(&json!({ "all": true, "depth": 1 })).await?;
    assert_eq!(texts(&result["actions"], "outcome"), ["applied"; 2], "{result:#}");
    assert_eq!(people.messages(), 0);
    Ok(())
}

#[tokio::test]
async fn step_functions_that_cannot_be_asked_are_told_once_with_what_to_do() -> Tested {
    let bench = Bench::new("told_unavailable").await?;
    let people = People::new(&bench).await?;
    bench.insert(&[processing(3600)]).await?;
    people.proxy.fail("ListExecutions", Failure::error("AccessDeniedException"));
    let function = people.function(&bench, "reconcile-processes").start().await?;
    let result = function.invoke(&schedule()).await?;
    assert_eq!(findings(&result), ["step_functions_unavailable"], "{result:#}");
    for _ in 0..2 {
        let again = function.invoke(&schedule()).await?;
        assert_eq!(findings(&again), Vec::<&str>::new(), "{again:#}");
    }
    assert_eq!(people.messages(), 1);
    let (_, message) = people.hear().await?;
    assert!(message.contains("ListExecutions: AccessDeniedException") && message.contains("permission"), "{message}");
    Ok(())
}

#[tokio::test]
async fn what_observe_would_have_done_is_one_message_a_day_counted_by_kind() -> Tested {
    let bench = Bench::new("told_observe").await?;
    let people = People::new(&bench).await?;
    let observing = people.function(&bench, "reconcile-processes").env("REMEDIATION_MODE", "observe").start().await?;
    people.ended(&bench, 3, "TIMED_OUT").await?;
    for _ in 0..3 {
        let result = observing.invoke(&schedule()).await?;
        assert_eq!(texts(&result["actions"], "outcome"), ["planned"; 3], "{result:#}");
    }
    observing.invoke(&json!({})).await?;
    assert_eq!((people.messages(), bench.count("FAILED").await?), (0, 0));

    bench.aged(24 * 60 + 1).await?;
    let again = observing.invoke(&schedule()).await?;
    assert_eq!(texts(&again["actions"], "outcome"), ["planned"; 3], "{again:#}");
    let (subject, message) = people.hear().await?;
    assert_eq!(subject, "[remediation] observe");
    assert!(
        message.starts_with("changes that mode observe held back in the last 24 h: 3 (nothing was changed)"),
        "{message}"
    );
    assert!(message.contains("\n? reconcile-processes set-row-status: 3\n→ "), "{message}");
    observing.invoke(&schedule()).await?;
    assert_eq!(people.messages(), 1);
    Ok(())
}

#[tokio::test]
async fn a_scheduled_run_that_fails_is_counted_with_its_sentence_and_only_an_event_is_kept() -> Tested {
    let bench = Bench::new("told_failed").await?;
    let down = bench.database.url_through(1, "application", "x");
    let down = bench.function("reconcile-processes").env("DATABASE_URL", down).start().await?;
    let unset = bench.function("reconcile-processes").env("SETTLE_SECONDS", "soon").start().await?;
    bench.database.execute("ALTER TABLE processing_state RENAME COLUMN status TO state").await?;
    let unfit = bench.function("reconcile-processes").env("AWS_ENDPOINT_URL", NOWHERE).start().await?;
    for (function, error_type, says) in [
        (&down, "DatabaseError", "the database failed while connecting"),
        (&unset, "ConfigurationError", "SETTLE_SECONDS"),
        (&unfit, "TableMismatch", "status"),
    ] {
        let answer = function.invoke(&schedule()).await?;
        assert_eq!((&answer["errorType"], findings(&answer)), (&json!(error_type), vec!["run_failed"]), "{answer:#}");
        assert!(answer["errorMessage"].as_str().is_some_and(|message| message.contains(says)), "{answer:#}");
        let measured = metrics(function).await?;
        assert_eq!((&measured["RunsFailed"], &measured["Step"]), (&json!(1.0), &json!("reconcile-processes")));
        let line = logged(function, |line| line.contains("the run failed")).await?;
        assert!(line.contains(says), "{line}");
        let event = function.invoke(&json!({ "all": true })).await;
        assert_eq!(
            event.err().map(|error| error.error_type),
            Some(error_type.to_owned()),
            "it would be lost otherwise"
        );
    }
    let runs = bench.runs().await?;
    assert!(runs[0]["error"].as_str().is_some_and(|error| error.contains("status")), "{runs:?}");
    let kinds: BTreeMap<&str, usize> =
        runs.iter().filter_map(|run| run["trigger"]["kind"].as_str()).fold(BTreeMap::new(), |mut kinds, kind| {
            *kinds.entry(kind).or_default() += 1;
            kinds
        });
    assert_eq!(kinds, BTreeMap::from([("operator", 1), ("schedule", 1)]), "both are in the ledger, where there is one");
    Ok(())
}
