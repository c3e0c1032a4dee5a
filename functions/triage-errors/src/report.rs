//! The report: a table for machines, and lines for people.

use crate::texts;
use chrono::{DateTime, Utc};
use remediation::domain::Language;
use remediation::gather::config::Config;
use serde_json::{Value, json};

use crate::dominant::{Share, Verdict, among, answer, part, percent, total};
use crate::evidence::Looked;
use crate::log::{Beside, Code, Log};
use crate::rows::Failures;

/// How many errors the text names; the table has all.
const NAMED: usize = 10;

/// The report of one look.
pub fn report(looked: &Looked, causes: &[Share], verdict: &Verdict, config: &Config, now: DateTime<Utc>) -> Value {
    let rows = &looked.rows;
    let dominant = match verdict {
        Verdict::Dominant(share) => json!({
            "cause": share.cause,
            "count": share.count,
            "percent": percent(share.count, among(share, causes)),
            "why": sentence(share, causes, looked, config),
            "answeredBy": answer(&share.cause),
        }),
        Verdict::Nothing | Verdict::TooFew | Verdict::None => Value::Null,
    };
    let log = match &looked.log {
        Log::Read(beside) => json!(beside),
        Log::Unread(why) => json!({ "notRead": why }),
        Log::Nowhere => Value::Null,
    };
    json!({
        "text": lines(looked, causes, verdict, config, now),
        "window": { "from": now - looked.window, "to": now, "seconds": looked.window.num_seconds() },
        "closed": rows.closed,
        "failed": rows.failed,
        "errorRatePercent": (rows.closed > 0).then(|| percent(rows.failed, rows.closed)),
        "before": rows.before,
        "errors": rows.errors.iter().filter(|failures| failures.count > 0).map(|failures| error(failures, rows.failed)).collect::<Vec<_>>(),
        "causes": causes.iter().map(|share| json!({
            "cause": share.cause,
            "count": share.count,
            "percent": percent(share.count, total(causes)),
            "before": share.before,
            "answeredBy": answer(&share.cause),
        })).collect::<Vec<_>>(),
        "types": rows.types,
        "fields": rows.fields,
        "log": log,
        "dominant": dominant,
    })
}

fn error(failures: &Failures, failed: i64) -> Value {
    json!({
        "code": failures.code,
        "type": failures.kind,
        "cause": failures.cause,
        "count": failures.count,
        "percent": percent(failures.count, failed),
        "before": failures.before,
        "first": failures.span.map(|(first, _)| first),
        "last": failures.span.map(|(_, last)| last),
        "examples": failures.examples,
    })
}

/// Why a cause is the dominant one.
pub fn sentence(share: &Share, causes: &[Share], looked: &Looked, config: &Config) -> String {
    let name = texts::cause(config.language, &share.cause);
    let of = among(share, causes);
    let told = texts::dominant(config.language, &name, &looked.spelt(), part(share.count, of), share.before);
    match total(causes) - of {
        0 => told,
        invalid => format!("{told}{}", texts::without_invalid(config.language, invalid)),
    }
}

/// The causes in one line, with their counts.
pub fn listed(causes: &[Share], config: &Config) -> String {
    let listed: Vec<String> =
        causes.iter().map(|share| format!("{} {}", texts::cause(config.language, &share.cause), share.count)).collect();
    listed.join(", ")
}

fn lines(looked: &Looked, causes: &[Share], verdict: &Verdict, config: &Config, now: DateTime<Utc>) -> Vec<String> {
    let (language, rows) = (config.language, &looked.rows);
    let at = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let before = (rows.before.failed, rows.before.closed);
    let mut lines =
        vec![texts::heading(language, &at(now - looked.window), &at(now), part(rows.failed, rows.closed), before)];
    lines.extend(rows.errors.iter().filter(|failures| failures.count > 0).take(NAMED).map(|failures| {
        let code = failures.code.as_deref().unwrap_or("-");
        let what = failures.kind.as_ref().map_or_else(|| code.to_owned(), |kind| format!("{code}, {kind}"));
        let examples: Vec<String> = failures.examples.iter().map(|example| example.process_id.to_string()).collect();
        let share = percent(failures.count, rows.failed);
        format!("  {}", texts::error(language, &what, failures.count, share, failures.before, &examples.join(" ")))
    }));
    if rows.types.len() > 1 {
        lines.extend(rows.types.iter().filter(|of_type| of_type.failed > 0).map(|of_type| {
            format!("  {}", texts::of_type(language, &of_type.kind, part(of_type.failed, of_type.closed)))
        }));
    }
    if !rows.fields.is_empty() {
        lines.push(format!("  {}", texts::fields(language, &looked.fields())));
    }
    lines.extend(match &looked.log {
        Log::Unread(why) => vec![texts::log_not_read(language, why)],
        Log::Nowhere => vec![texts::log_nowhere(language)],
        Log::Read(beside) => {
            let errors = beside.codes.iter().map(|code| code.lines).sum();
            let told = texts::log_read(language, beside.lines, beside.requests, errors, &codes(beside, config));
            let until = beside.read_until.map(|until| texts::log_read_until(language, &at(until)));
            std::iter::once(told).chain(until).collect()
        }
    });
    lines.push(match verdict {
        Verdict::Nothing => texts::nothing_failed(language, &looked.spelt(), rows.closed),
        Verdict::TooFew => texts::too_few(language, total(causes), looked.policy.least_count),
        Verdict::None => {
            texts::no_dominant_cause(language, total(causes), &listed(causes, config), looked.policy.dominant_percent)
        }
        Verdict::Dominant(share) => {
            let why = sentence(share, causes, looked, config);
            match answer(&share.cause) {
                Some(step) => texts::answered_by(language, &why, step),
                None => texts::for_people(language, &why, &texts::look_at(language, &share.cause)),
            }
        }
    });
    lines
}

/// What the log tells beside the rows: `AI_ERROR 5 (COMPLETED 4, no row 1)`; nothing where no line has a code or a process.
fn codes(beside: &Beside, config: &Config) -> String {
    let says = |code: &Code| code.code != "-" || !code.statuses.is_empty();
    if !beside.codes.iter().any(says) {
        return String::new();
    }
    let named =
        |name: &str, none: fn(Language) -> String| if name == "-" { none(config.language) } else { name.to_owned() };
    let codes = beside.codes.iter().map(|code| {
        let told = format!("{} {}", named(&code.code, texts::no_code), code.lines);
        let statuses: Vec<String> =
            code.statuses.iter().map(|(status, count)| format!("{} {count}", named(status, texts::no_row))).collect();
        if statuses.is_empty() { told } else { format!("{told} ({})", statuses.join(", ")) }
    });
    codes.collect::<Vec<_>>().join("; ")
}
