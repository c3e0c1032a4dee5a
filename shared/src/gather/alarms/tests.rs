use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

#[test]
fn an_alarm_is_known_by_its_whole_arn() {
    let arn = "arn:aws-cn:cloudwatch:cn-north-1:123456789012:alarm:b-worker:memory";
    let parsed = AlarmArn::parse(arn).unwrap();
    assert_eq!((parsed.arn.as_str(), parsed.name.as_str()), (arn, "b-worker:memory"));
    let machine = "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:ai";
    assert_eq!(AlarmArn::beside(machine, "b-worker:memory"), Some(parsed));
    for wrong in ["remediation-worker-memory", "arn:aws:sns:us-east-1:1:topic", "arn:aws:cloudwatch:us-east-1:1:alarm:"]
    {
        assert_eq!(AlarmArn::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn an_alarm_is_on_over_silent_or_not_known() {
    let told = |state, seconds: Option<i64>| Told {
        state,
        since: seconds.map(|seconds| now() - TimeDelta::seconds(seconds)),
        window: Some(TimeDelta::seconds(900)),
        ..Told::default()
    };
    let silent = Some(State::InsufficientData);
    let since = |seconds| now() - TimeDelta::seconds(seconds);
    // (what CloudWatch tells, how it stands, whether its incident is over)
    for (told, standing, over) in [
        (None, Standing::Gone, true),
        (Some(told(Some(State::Alarm), Some(99_999))), Standing::On, false),
        (Some(told(Some(State::Ok), Some(60))), Standing::Ok(Some(since(60))), true),
        (Some(told(Some(State::Ok), None)), Standing::Ok(None), true),
        (Some(told(silent, Some(901))), Standing::Silent(since(901)), true),
        // A gap is no end.
        (Some(told(silent, Some(900))), Standing::Waiting, false),
        (Some(told(silent, None)), Standing::Waiting, false),
        (Some(told(None, Some(1))), Standing::Unreadable("CloudWatch told no state that is known".to_owned()), false),
        (
            Some(Told { held_back: Some("WaitPeriod".into()), ..told(Some(State::Alarm), None) }),
            Standing::HeldBack("WaitPeriod".into()),
            false,
        ),
    ] {
        let found = Standing::of(told.as_ref(), now());
        assert_eq!((&found, found.is_over()), (&standing, over), "{told:?}");
    }
}

#[test]
fn only_what_is_on_the_wrong_side_of_the_threshold_counts() {
    for (value, comparison, threshold, expected) in [
        (90.0, "GreaterThanThreshold", Some(90.0), false),
        (90.1, "GreaterThanThreshold", Some(90.0), true),
        (90.0, "GreaterThanOrEqualToThreshold", Some(90.0), true),
        (1.0, "LessThanThreshold", Some(1.0), false),
        (1.0, "LessThanOrEqualToThreshold", Some(1.0), true),
        // A band that moves, or a threshold that is not told.
        (1.0, "GreaterThanUpperThreshold", Some(5.0), true),
        (1.0, "GreaterThanThreshold", None, true),
    ] {
        assert_eq!(breaches(value, comparison, threshold), expected, "{value} {comparison}");
    }
}

#[test]
fn what_is_asked_for_is_what_the_alarm_watches() {
    let alarm = MetricAlarm::builder().namespace("Remediation").metric_name("WorkerMemoryUsed").period(60);
    let alarm = alarm.statistic(aws_sdk_cloudwatch::types::Statistic::Maximum).evaluation_periods(15).build();
    let asked = queries(&alarm).unwrap();
    let stat = asked[0].metric_stat().unwrap();
    assert_eq!((stat.metric().unwrap().metric_name(), stat.stat()), (Some("WorkerMemoryUsed"), Some("Maximum")));
    assert_eq!(Told::of(&alarm).window, Some(TimeDelta::minutes(15)));
    // Metric math: as the alarm has it.
    let math = MetricDataQuery::builder().id("e").expression("a / b").build();
    assert_eq!(queries(&MetricAlarm::builder().metrics(math.clone()).build()), Some(vec![math]));
    assert_eq!(queries(&MetricAlarm::builder().build()), None);
}
