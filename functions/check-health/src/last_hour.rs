//! Check 5: the error rate of the last hour. The script counts log lines; the rows say it exactly, and by code.

use crate::texts;
use chrono::TimeDelta;
use remediation::domain::Language;
use remediation::failure::INVALID_INPUT;
use remediation::gather::error::Error;
use remediation::run::step::Metric;
use remediation::run::step::Session;
use serde_json::{Value, json};

use crate::check::{Check, Look};
use crate::policy::Policy;
use crate::state::warning_if;

/// What was closed in the last hour.
#[derive(Debug, Clone, Default, PartialEq, sqlx::FromRow)]
pub struct LastHour {
    pub closed: i64,
    /// Without those whose input was not valid: that is their users' fault.
    pub failed: i64,
    /// Those.
    pub invalid: i64,
    /// Of the failed ones.
    pub timed_out: i64,
    pub completed: i64,
    /// Of the completed ones, from creation to end.
    pub average_seconds: Option<f64>,
    pub p95_seconds: Option<f64>,
    /// The ten most frequent: `[{"code", "count"}]`.
    pub codes: Value,
}

pub async fn read(session: &mut Session<'_>) -> Result<LastHour, Error> {
    let table = session.table().await?;
    sqlx::query_as(table.sql(include_str!("last_hour.sql")))
        .bind(session.now - TimeDelta::hours(1))
        .bind(INVALID_INPUT)
        .fetch_one(&mut *session.db)
        .await
        .map_err(Error::database("counting errors of the last hour"))
}

/// A warning where the rate is high. Where too little was closed there is no rate: missing data is not a good rate, and no alarm either; but
/// some failures are enough whatever else there was.
pub fn judge(look: &Look<LastHour>, policy: &Policy, language: Language) -> Check {
    Check::of("error-rate", look, language, |hour, check| {
        let LastHour { closed, failed, invalid, timed_out, completed, average_seconds, p95_seconds, codes } = hour;
        let judged = closed - invalid;
        let is_rate = judged >= policy.rate_from_closed || *failed >= policy.rate_from_failed;
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
        let percent = |part: i64| is_rate.then(|| 100.0 * part as f64 / judged as f64);
        let (error_rate, timeout_rate) = (percent(*failed), percent(*timed_out));
        // One slow process in a quiet hour is no average.
        let measured = |seconds: &Option<f64>| seconds.filter(|_| *completed >= policy.durations_from_completed);
        let mut details: Vec<String> = codes
            .as_array()
            .into_iter()
            .flatten()
            .map(|code| format!("{} {}", code["code"].as_str().unwrap_or("-"), code["count"]))
            .collect();
        if *invalid > 0 {
            details.push(texts::invalid_input(language, *invalid));
        }
        if let (Some(average), Some(p95)) = (average_seconds, p95_seconds) {
            details.push(texts::durations(language, *average, *p95));
        }
        let metrics = [
            ("ErrorRate", "Percent", error_rate),
            ("TimeoutRate", "Percent", timeout_rate),
            ("ProcessingDurationAverage", "Seconds", measured(average_seconds)),
            ("ProcessingDurationP95", "Seconds", measured(p95_seconds)),
        ];
        Check {
            state: warning_if(error_rate.is_some_and(|rate| rate > policy.error_rate_percent)),
            sentence: match (error_rate, timeout_rate) {
                (Some(errors), Some(timeouts)) => texts::error_rate(language, errors, timeouts, *failed, judged),
                _ if judged == 0 => texts::no_error_rate(language),
                _ => texts::too_few_for_a_rate(
                    language,
                    *failed,
                    judged,
                    policy.rate_from_closed,
                    policy.rate_from_failed,
                ),
            },
            details,
            data: json!({
                "closed": closed,
                "failed": failed,
                "invalidInput": invalid,
                "timedOut": timed_out,
                "errorRatePercent": error_rate,
                "timeoutRatePercent": timeout_rate,
                "durationAverageSeconds": average_seconds,
                "durationP95Seconds": p95_seconds,
                "codes": codes,
            }),
            metrics: metrics
                .into_iter()
                .filter_map(|(name, unit, value)| Some(Metric::new(name, unit, value?)))
                .collect(),
            ..check
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::state::CheckState;
    use remediation::gather::manifest;

    use super::*;

    #[test]
    fn a_rate_is_a_warning_over_five_percent_and_none_where_too_little_was_closed() {
        let policy = manifest::policy::<Policy>(crate::policy::MANIFEST).unwrap();
        // (closed, failed, invalid, timed out, state, error rate, timeout rate, what is said)
        for (closed, failed, invalid, timed_out, state, error_rate, timeout_rate, said) in [
            (0, 0, 0, 0, CheckState::Ok, None, None, "no process was closed"),
            (20, 1, 0, 0, CheckState::Ok, Some(5.0), Some(0.0), "5.0 % failed (1 of 20 closed)"),
            (10, 1, 0, 1, CheckState::Warning, Some(10.0), Some(10.0), "10.0 % timed out"),
            // One failure in a quiet hour is not 100 %; three are no accident.
            (
                1,
                1,
                0,
                0,
                CheckState::Ok,
                None,
                None,
                "failed: 1 of 1 closed, too few for a rate (from 10 closed, or from 3 failed)",
            ),
            (9, 2, 0, 2, CheckState::Ok, None, None, "failed: 2 of 9 closed"),
            (3, 3, 0, 0, CheckState::Warning, Some(100.0), Some(0.0), "100.0 % failed"),
            // What users did wrong is no failure, and no success.
            (30, 0, 20, 0, CheckState::Ok, Some(0.0), Some(0.0), "0.0 % failed (0 of 10 closed)"),
            (30, 2, 20, 0, CheckState::Warning, Some(20.0), Some(0.0), "20.0 % failed (2 of 10 closed)"),
            (20, 0, 20, 0, CheckState::Ok, None, None, "no process was closed"),
            (21, 1, 20, 0, CheckState::Ok, None, None, "failed: 1 of 1 closed"),
        ] {
            let hour = LastHour { closed, failed, invalid, timed_out, ..LastHour::default() };
            let check = judge(&Look { found: Ok(hour), took: Duration::ZERO }, &policy, Language::En);
            let metric = |name| check.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.values[0]);
            let measured = (metric("ErrorRate"), metric("TimeoutRate"), metric("ProcessingDurationAverage"));
            assert_eq!((check.state, measured), (state, (error_rate, timeout_rate, None)), "{}", check.sentence);
            assert!(check.sentence.contains(said), "{}", check.sentence);
            assert_eq!(
                check.details.iter().any(|detail| detail.contains("not valid")),
                invalid > 0,
                "{:?}",
                check.details
            );
        }
    }

    #[test]
    fn durations_are_measured_from_three_completed_processes_on() {
        let policy = manifest::policy::<Policy>(crate::policy::MANIFEST).unwrap();
        for (completed, measured) in [(0, 0), (1, 0), (2, 0), (3, 2)] {
            let took = (completed > 0).then_some(600.0);
            let hour = LastHour { completed, average_seconds: took, p95_seconds: took, ..LastHour::default() };
            let check = judge(&Look { found: Ok(hour), took: Duration::ZERO }, &policy, Language::En);
            let durations = check.metrics.iter().filter(|metric| metric.name.starts_with("ProcessingDuration"));
            assert_eq!(durations.count(), measured, "{completed}");
        }
    }
}
