//! What a run measured, as CloudWatch reads it from the log.

use serde_json::{Map, Value, json};

use crate::finding::Metric;

/// One line of CloudWatch's embedded metric format: the log becomes metrics without a call.
#[must_use]
pub fn embedded_metrics(step: &str, metrics: &[Metric], timestamp_ms: i64) -> Value {
    // The format takes at most 100 values a metric.
    let values = |metric: &Metric| match metric.values.as_slice() {
        [value] => json!(value),
        values => json!(values.iter().take(100).collect::<Vec<_>>()),
    };
    let mut line: Map<String, Value> = metrics.iter().map(|metric| (metric.name.to_owned(), values(metric))).collect();
    line.insert("Step".to_owned(), step.into());
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": timestamp_ms,
            "CloudWatchMetrics": [{
                "Namespace": "Remediation",
                "Dimensions": [["Step"]],
                "Metrics": metrics.iter().map(|metric| json!({ "Name": metric.name, "Unit": metric.unit })).collect::<Vec<_>>(),
            }],
        }),
    );
    line.into()
}
