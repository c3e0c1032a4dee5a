//! Spans of time as an operator's event spells them: `"90s"`, `"30m"`, `"24h"`, `"7d"`.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use serde_json::Value;

use crate::domain::Language;
use crate::text;

/// The units of a span, the largest first, with their seconds.
const UNITS: [(&str, u32); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

/// A span within bounds that are given in seconds.
#[must_use]
pub fn read(value: &Value, bounds: &RangeInclusive<u32>) -> Option<TimeDelta> {
    let seconds = seconds(value.as_str()?)?;
    bounds.contains(&seconds).then(|| TimeDelta::seconds(i64::from(seconds)))
}

/// What a span within these bounds may be.
#[must_use]
pub fn expected(language: Language, bounds: &RangeInclusive<u32>) -> String {
    let (least, most) = (spelt(*bounds.start()), spelt(*bounds.end()));
    text!(
        language,
        ja: "\"90s\"、\"30m\"、\"24h\"、\"7d\" のような期間（{least} から {most} まで）",
        en: "a span of time such as \"90s\", \"30m\", \"24h\" or \"7d\", from {least} to {most}",
    )
}

/// A span of so many seconds as an operator's event spells it: `1h`, `90m`.
#[must_use]
pub fn spelt(seconds: u32) -> String {
    let fits = UNITS.iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    fits.map_or_else(|| format!("{seconds}s"), |(name, unit)| format!("{}{name}", seconds / unit))
}

/// The same, of a span that was read.
#[must_use]
pub fn spelt_out(span: TimeDelta) -> String {
    spelt(u32::try_from(span.num_seconds()).unwrap_or(u32::MAX))
}

fn seconds(span: &str) -> Option<u32> {
    UNITS.iter().find_map(|(unit, seconds)| {
        let number = span.strip_suffix(unit)?;
        // Not "+5m".
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| number.parse::<u32>().ok()?.checked_mul(*seconds)).flatten()
    })
}
