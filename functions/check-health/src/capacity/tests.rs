use remediation::domain::Language;
use remediation::gather::manifest;

use super::*;
use crate::models::models_of;
use crate::state::CheckState;

fn judged(found: Capacity) -> Check {
    let policy = manifest::policy::<Policy>(crate::policy::MANIFEST).unwrap();
    judge(&Look { found: Ok(found), took: Duration::ZERO }, "ai-generation-worker", &policy, Language::En)
}

#[test]
fn what_cloudwatch_does_not_tell_was_not_measured() {
    let capacity = |refused_runs, concurrent, refused_calls| Capacity {
        refused_runs,
        concurrent,
        refused_calls,
        ..Capacity::default()
    };
    type Measured = [(&'static str, &'static [f64])];
    let cases: [(&Measured, Capacity); 5] = [
        (&[], Capacity::default()),
        (&[("refused_runs", &[0.0, 2.0, 1.0]), ("concurrent", &[3.0, 7.0])], capacity(Some(3), Some(7), None)),
        // Two models.
        (
            &[("refused_calls_0", &[4.0]), ("refused_calls_1", &[5.0, 1.0]), ("calls_1", &[9.0])],
            capacity(None, None, Some(10)),
        ),
        // It was called, and nothing refused.
        (&[("calls_0", &[9.0])], capacity(None, None, Some(0))),
        (&[("concurrent", &[1.0])], capacity(None, Some(1), None)),
    ];
    for (measured, expected) in cases {
        assert_eq!(Capacity::of(measured), expected, "{measured:?}");
    }
}

#[test]
fn refused_runs_are_told_with_the_limit_that_binds_and_what_to_do() {
    let refused =
        |runs, limit| Capacity { refused_runs: Some(runs), concurrent: Some(5), limit, ..Capacity::default() };
    // (what was measured, measured metric, what people are told)
    for (found, metric, told) in [
        (Capacity::default(), None, None),
        (refused(0, None), Some(0.0), None),
        (refused(5, None), Some(5.0), None),
        (refused(6, Some(Limit::Reserved(5))), Some(6.0), Some("its reserved concurrency of 5 is used up")),
        (refused(6, Some(Limit::Account(100))), Some(6.0), Some("quota \"Concurrent executions\"")),
        (refused(6, None), Some(6.0), Some("its concurrency limit is reached")),
    ] {
        let check = judged(found.clone());
        let measured = check.metrics.iter().map(|metric| (metric.name, metric.values[0])).next();
        assert_eq!(measured, metric.map(|value| ("WorkerThrottles", value)), "{found:?}");
        assert_eq!(check.state, if told.is_some() { CheckState::Warning } else { CheckState::Ok }, "{found:?}");
        let findings: Vec<_> = check.findings.iter().map(|finding| (finding.code, finding.audience)).collect();
        assert_eq!(findings, Vec::from_iter(told.map(|_| ("worker_throttled", Audience::People))), "{found:?}");
        let message = check.findings.first().map(|finding| finding.message.as_str()).unwrap_or_default();
        assert!(message.contains(told.unwrap_or_default()), "{message}");
    }
    assert!(judged(Capacity::default()).sentence.contains("not known"), "what was not measured is said");
}

#[test]
fn a_model_is_known_by_the_workers_environment() {
    for (variables, expected) in [
        (
            &[("BEDROCK_MODEL_ID", "anthropic.claude-3-5-sonnet-20240620-v1:0")][..],
            &["anthropic.claude-3-5-sonnet-20240620-v1:0"][..],
        ),
        (&[("modelId", " apac.anthropic.claude-sonnet-4 ")], &["apac.anthropic.claude-sonnet-4"]),
        (
            &[("MODEL_ARN", "arn:aws:bedrock:ap-northeast-1::foundation-model/amazon.nova-lite-v1:0")],
            &["amazon.nova-lite-v1:0"],
        ),
        (
            &[("MODELS", "meta.llama3-8b,amazon.nova-lite"), ("MODEL", "meta.llama3-8b")],
            &["amazon.nova-lite", "meta.llama3-8b"],
        ),
        // No models.
        (&[("MODEL_TEMPERATURE", "0.7"), ("MODEL_ENDPOINT", "bedrock.ap-northeast-1.amazonaws.com")], &[]),
        (&[("MODEL_NAME", "claude"), ("PROMPT", "anthropic.claude"), ("MODEL", "amazon. is it")], &[]),
    ] {
        assert_eq!(models_of(variables.iter().copied()), expected, "{variables:?}");
    }
}
