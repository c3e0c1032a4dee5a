//! The report: a table for people, the same for machines, and what is worth telling.

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::domain::Language;
use remediation::run::step::Metric;
use remediation::run::step::{Audience, Finding, Often, Plan, Skipped};
use serde_json::json;

use crate::durations::{Durations, Stats, Windows};
use crate::judge::{self, Compared};
use crate::policy::Policy;
use crate::worker::{Look, NotKnown, Runs, Worker};

/// What bytes are charged by: the price list's GB.
const GB: f64 = 1e9;

/// What was read.
#[derive(Debug)]
pub struct Evidence {
    pub windows: Windows,
    pub durations: Vec<Durations>,
    pub look: Look,
    pub max_usd: f64,
    pub worker_function: String,
}

/// Says what was found.
pub fn plan(evidence: &Evidence, policy: &Policy, language: Language) -> Plan {
    let Evidence { windows, durations, look, max_usd, worker_function } = evidence;
    let worker = look.worker.as_ref().ok();
    let usd = |bytes: f64| bytes / GB * policy.usd_per_gb;
    let mut plan = Plan::default();
    let (mut text, mut types) = (vec![texts::title(language, &span(windows.from, windows.to))], Vec::new());
    let types_only = || durations.iter().filter(|durations| durations.kind.is_some());
    text.extend(table(durations, language));
    for of_type in types_only() {
        let kind = of_type.kind.as_deref().unwrap_or_default();
        let compared = judge::compare(of_type, worker, policy);
        match &compared {
            Compared::Slower { now, before, moved } => {
                let slower = texts::slower(language, kind, (before.average, now.average), (before.p95, now.p95));
                let moved_too: Vec<String> = moved.iter().map(|moved| moved.sentence(language)).collect();
                let message = format!("{slower} — {}", moved_too.join("; "));
                text.push(format!("! {slower}"));
                text.extend(moved_too.iter().map(|sentence| format!("    {sentence}")));
                let read = json!({ "before": before, "now": now, "moved": moved });
                let regression = Finding::new("regression", kind, message, read);
                plan.findings.push(regression.told(Audience::People, Often::Always));
            }
            Compared::TooFew { now, before } => {
                let why = texts::too_few(language, (*now, *before), policy.samples, windows.to - windows.from);
                text.push(format!("{kind}: {why}"));
                plan.skipped.push(Skipped::new(kind.to_owned(), why));
            }
            Compared::AsBefore => {}
        }
        types.push(json!({
            "type": kind,
            "now": of_type.now,
            "before": of_type.before,
            "changePercent": judge::change(of_type),
            "slower": match compared {
                Compared::Slower { .. } => Some(true),
                Compared::AsBefore => Some(false),
                Compared::TooFew { .. } => None,
            },
        }));
    }
    if types.is_empty() {
        text.push(texts::nothing_completed(language));
    }
    text.extend(of_worker(look.worker.as_ref(), language));
    match &look.worker {
        Ok(_) => text.push(texts::cost(language, look.scanned_bytes / GB, usd(look.scanned_bytes))),
        Err(NotKnown::Because(why)) => plan.skipped.push(Skipped::new(worker_function.clone(), why.clone())),
        Err(NotKnown::TooExpensive) => {
            let estimated = look.estimated_bytes.map_or(0.0, usd);
            let hours = (windows.to - windows.from).as_seconds_f64() / 3600.0 * max_usd / estimated;
            let message = texts::too_expensive(language, estimated, *max_usd, hours.floor());
            text.push(format!("! {message}"));
            let read = json!({ "estimatedBytes": look.estimated_bytes, "estimatedUsd": estimated, "maxUsd": max_usd });
            let finding = Finding::new("too_expensive", worker_function.as_str(), message, read);
            plan.findings.push(finding.told(Audience::People, Often::OnceIn(TimeDelta::days(28))));
        }
    }
    let all = durations.iter().find(|durations| durations.kind.is_none());
    plan.population = all.and_then(|all| all.now).map_or(0, |now| usize::try_from(now.count).unwrap_or(0));
    plan.metrics.push(Metric::count("Regressions", plan.findings.iter().filter(|f| f.code == "regression").count()));
    plan.report = Some(json!({
        "text": text,
        "window": { "from": windows.from, "to": windows.to },
        "windowBefore": { "from": windows.before, "to": windows.from },
        "types": types,
        "all": all.map(|all| json!({ "now": all.now, "before": all.before, "changePercent": judge::change(all) })),
        "worker": match &look.worker {
            Ok(Worker { now, before }) => json!({ "now": now, "before": before }),
            Err(NotKnown::Because(why)) => json!({ "notKnown": why }),
            Err(NotKnown::TooExpensive) => json!({ "notKnown": "too expensive" }),
        },
        "insights": {
            "estimatedBytes": look.estimated_bytes,
            "estimatedUsd": look.estimated_bytes.map(usd),
            "scannedBytes": look.scanned_bytes,
            "usd": usd(look.scanned_bytes),
            "maxUsd": max_usd,
        },
    }));
    plan
}

fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    format!("{} – {}", from.format("%Y-%m-%d %H:%M"), to.format("%Y-%m-%d %H:%M UTC"))
}

/// A line for each type and window, its columns under each other.
fn table(all: &[Durations], language: Language) -> Vec<String> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![texts::heads(language)];
    for durations in all {
        let kind = durations.kind.clone().unwrap_or_else(|| texts::all_types(language));
        let of = |kind: &str, window: String, stats: &Option<Stats>| match stats {
            None => [kind.to_owned(), window, "0".into(), "-".into(), "-".into(), "-".into(), "-".into(), "-".into()],
            Some(Stats { count, average, p50, p95, max, min, .. }) => {
                let seconds = |value: &f64| format!("{value:.1}");
                let [average, p50, p95, max, min] = [average, p50, p95, max, min].map(seconds);
                [kind.to_owned(), window, count.to_string(), average, p50, p95, max, min]
            }
        };
        rows.push(of(&kind, texts::before(language), &durations.before));
        rows.push(of("", texts::now(language), &durations.now));
    }
    aligned(&rows, 2)
}

/// The worker's lines.
fn of_worker(worker: Result<&Worker, &NotKnown>, language: Language) -> Vec<String> {
    let worker = match worker {
        Err(NotKnown::Because(why)) => return vec![texts::worker_why(language, why)],
        Err(NotKnown::TooExpensive) => return Vec::new(),
        Ok(worker) => worker,
    };
    let heads = texts::worker_heads(language);
    let of = |window: String, runs: &Option<Runs>| match runs {
        None => [
            window,
            "0".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
        ],
        Some(runs) => {
            let seconds = |milliseconds: f64| format!("{:.1}", milliseconds / 1000.0);
            let whole = |value: f64| format!("{value:.0}");
            [
                window,
                whole(runs.runs),
                seconds(runs.average_ms),
                seconds(runs.p50_ms),
                seconds(runs.p95_ms),
                seconds(runs.max_ms),
                whole(runs.average_memory_mb),
                whole(runs.max_memory_mb),
                whole(runs.memory_mb),
                format!("{:.0} %", runs.cold_percent()),
                runs.average_init_ms.map_or_else(|| "-".to_owned(), whole),
            ]
        }
    };
    let rows = [heads, of(texts::before(language), &worker.before), of(texts::now(language), &worker.now)];
    let mut lines = vec![texts::worker_title(language)];
    lines.extend(aligned(&rows, 1));
    lines
}

/// Rows as lines: the first `names` columns to the left, numbers to the right. A Japanese character is two columns wide.
fn aligned<const N: usize>(rows: &[[String; N]], names: usize) -> Vec<String> {
    let wide = |cell: &str| cell.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let widths: [usize; N] = std::array::from_fn(|column| rows.iter().map(|row| wide(&row[column])).max().unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            let blank = " ".repeat(width - wide(cell));
            if column < names { format!("{cell}{blank}") } else { format!("{blank}{cell}") }
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
