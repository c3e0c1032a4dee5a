//! Times that only another zone explains: in the future, or whole hours apart from those that Step Functions tells.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;

use crate::domain::Language;
use crate::finding::{Audience, Finding, Often};
use crate::gather::processes::case::{Case, Newest};
use crate::gather::table_name::TableName;
use crate::gather::texts;

/// Zones differ by multiples of this (of a quarter of an hour in three of them).
const HALF_HOUR: i64 = 1800;

/// How far a row's creation and the start of its execution are apart anyway, in seconds.
const APART_ANYWAY: i64 = 60;

/// So many rows are no coincidence.
const ENOUGH: usize = 3;

/// What is told of rows whose times lie in the future, by so much at the most.
#[must_use]
pub(crate) fn ahead(count: i64, by: Option<TimeDelta>, table: &TableName, language: Language) -> Option<Finding> {
    let by = by.filter(|_| count > 0)?;
    let evidence = json!({ "count": count, "seconds": by.num_seconds() });
    Some(finding(table, texts::times_ahead(language, count, by), evidence))
}

/// Rows that were created whole hours before or after the only execution that they ever had began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Apart {
    /// How many half hours before.
    halves: i64,
    count: usize,
    compared: usize,
}

/// Whether the rows' times are those of another zone.
#[must_use]
pub(crate) fn apart(cases: &[Case]) -> Option<Apart> {
    let (mut by_offset, mut compared): (BTreeMap<i64, usize>, usize) = (BTreeMap::new(), 0);
    for case in cases.iter().filter(|case| case.process.retries == Some(0)) {
        let Newest::Known(Some(execution)) = &case.newest else { continue };
        compared += 1;
        let apart = (execution.started_at - case.process.created_at).num_seconds();
        let halves = (apart + apart.signum() * HALF_HOUR / 2) / HALF_HOUR;
        if halves != 0 && (apart - halves * HALF_HOUR).abs() <= APART_ANYWAY {
            *by_offset.entry(halves).or_default() += 1;
        }
    }
    let (halves, count) = by_offset.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= ENOUGH && 2 * count >= compared).then_some(Apart { halves, count, compared })
}

impl Apart {
    fn by(self) -> TimeDelta {
        TimeDelta::seconds(self.halves.abs() * HALF_HOUR)
    }

    /// What is told of them.
    #[must_use]
    pub(crate) fn finding(self, table: &TableName, language: Language) -> Finding {
        let Self { halves, count, compared } = self;
        let message = texts::times_apart(language, count, self.by(), halves > 0);
        finding(table, message, json!({ "count": count, "of": compared, "seconds": halves * HALF_HOUR }))
    }

    /// Nothing is decided of rows for which only these times speak.
    pub(crate) fn hold(self, cases: &mut [Case], language: Language) {
        for case in cases.iter_mut().filter(|case| case.newest == Newest::Known(None)) {
            case.newest = Newest::Unknown(texts::times_are_apart(language, self.by()));
        }
    }
}

fn finding(table: &TableName, message: String, evidence: serde_json::Value) -> Finding {
    Finding::new("time_zone", table.to_string(), message, evidence).told(Audience::People, Often::ONCE_A_DAY)
}
