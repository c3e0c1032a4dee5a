//! What is to be made of it: pure.

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::create_index::CreateIndex;
use remediation::act::actions::create_index::texts as index;
use remediation::act::actions::drop_index::Care;
use remediation::act::actions::drop_index::DropInvalidIndex;
use remediation::domain::Language;
use remediation::gather::indexes::{Proposed, State};
use remediation::run::step::{Audience, Finding, Often, Plan, Planned, Skipped};
use serde_json::{Value, json};

use crate::evidence::{Evidence, Table};
use crate::statements::{Statement, Statements};

/// What only a person can do is told once in a month, as long as nobody does it.
const ONCE_A_MONTH: Often = Often::OnceIn(TimeDelta::days(28));

pub fn plan(evidence: &Evidence, care: Care, language: Language, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan { population: evidence.proposed.len(), ..Plan::default() };
    for index in &evidence.proposed {
        about_index(&mut plan, index, &evidence.table, care, language);
    }
    if !plan.actions.is_empty() && !evidence.in_the_way.is_empty() {
        let message = index::would_wait(language, &evidence.in_the_way);
        let finding = Finding::new("build_would_wait", "tune-database", message, json!(evidence.in_the_way));
        plan.findings.push(finding);
    }
    plan.findings.extend(evidence.invalid.iter().map(|index| {
        let message = texts::foreign_invalid(language, &format!("DROP INDEX CONCURRENTLY {}", index.name));
        Finding::new("invalid_index", index.name.as_str(), message, json!({ "definition": index.definition }))
            .told(Audience::People, ONCE_A_MONTH)
    }));
    plan.findings.extend(about_statements(&evidence.statements, &evidence.table, language));
    plan.findings.extend(evidence.scans.iter().map(|scan| {
        let message = texts::sequential_scans(language, scan.rows, scan.scans, scan.by_index);
        Finding::new("sequential_scans", scan.table.as_str(), message, json!(scan))
    }));
    plan.report = Some(report(evidence, language, now));
    plan
}

fn about_index(plan: &mut Plan, index: &Proposed, table: &Table, care: Care, language: Language) {
    let target = index.target.clone();
    let left_over = match &index.state {
        State::Present(found) => {
            return plan.skipped.push(Skipped::new(target, texts::present(language, &found.name)));
        }
        State::Building { pid, phase, percent } => {
            let why = texts::building(language, *pid, phase.as_deref(), *percent);
            return plan.skipped.push(Skipped::new(target, why));
        }
        State::Taken(definition) => {
            let message = index::name_taken(language, definition.as_deref());
            let evidence = json!({ "statement": index.statement });
            let finding = Finding::new("index_name_taken", target, message, evidence);
            return plan.findings.push(finding.told(Audience::People, ONCE_A_MONTH));
        }
        State::Missing => None,
        State::Invalid(found) => Some(found),
    };
    if !table.owned || !table.creates {
        let message = if table.owned {
            texts::needs_schema(language, &table.schema, &table.user)
        } else {
            texts::needs_owner(language, &table.owner, &table.user, &index.statement)
        };
        let evidence = json!({ "statement": index.statement, "owner": table.owner });
        let finding = Finding::new("index_not_permitted", target, message, evidence);
        return plan.findings.push(finding.told(Audience::People, ONCE_A_MONTH));
    }
    plan.actions.extend(left_over.map(|found| {
        let action =
            DropInvalidIndex { target: target.clone(), oid: found.oid, definition: found.definition.clone(), care };
        Planned::new(action, texts::left_over(language))
    }));
    let reason = texts::missing(language, &index.serves, table.rows, table.bytes, estimate(index, table));
    let action = CreateIndex { target, statement: index.statement.clone(), care };
    plan.actions.push(Planned::new(action, reason));
}

/// At the most: a partial index has fewer entries. Pages of a B-tree are filled to 90 percent.
fn estimate(index: &Proposed, table: &Table) -> Option<i64> {
    table.rows.map(|rows| rows.saturating_mul(index.entry) / 9 * 10)
}

fn about_statements(statements: &Statements, table: &Table, language: Language) -> Option<Finding> {
    let (code, message, evidence) = match statements {
        Statements::NoExtension => {
            let why = texts::no_extension(language);
            ("statements_unavailable", texts::no_statements(language, &why), Value::Null)
        }
        Statements::Silent(why) => {
            ("statements_unavailable", texts::no_statements(language, why), json!({ "message": why }))
        }
        Statements::Known(all) => {
            let hidden = all.first().map_or(0, |statement| statement.hidden);
            if hidden == 0 {
                return None;
            }
            ("statements_hidden", texts::statements_hidden(language, hidden, &table.user), json!({ "hidden": hidden }))
        }
    };
    Some(Finding::new(code, "pg_stat_statements", message, evidence))
}

/// The ten slowest by one of the two measures.
fn ranked(statements: &Statements, place: impl Fn(&Statement) -> i64) -> Vec<&Statement> {
    let Statements::Known(all) = statements else { return Vec::new() };
    let mut ranked: Vec<&Statement> = all.iter().filter(|statement| place(statement) <= 10).collect();
    ranked.sort_by_key(|statement| place(statement));
    ranked
}

fn report(evidence: &Evidence, language: Language, now: DateTime<Utc>) -> Value {
    let by_mean = ranked(&evidence.statements, |statement| statement.by_mean);
    let by_total = ranked(&evidence.statements, |statement| statement.by_total);
    let is_missing = |index: &&Proposed| matches!(index.state, State::Missing | State::Invalid(_));
    let missing = evidence.proposed.iter().filter(is_missing).count();
    let own_invalid = evidence.proposed.iter().filter(|index| matches!(index.state, State::Invalid(_))).count();
    let at = now.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let [of_mean, of_total, of_indexes, of_scans] = texts::headings(language);
    let mut text = vec![texts::title(language, &at, missing, own_invalid + evidence.invalid.len())];
    for (heading, list) in [(of_mean, &by_mean), (of_total, &by_total)] {
        text.push(format!("{heading}:"));
        text.extend(list.iter().enumerate().map(|(at, statement)| {
            let Statement { mean, calls, total, rows, query, .. } = statement;
            format!("  {}. {}", at + 1, texts::statement(language, *mean, *calls, *total, *rows, query))
        }));
    }
    text.push(format!("{of_indexes}:"));
    text.extend(
        evidence.proposed.iter().map(|index| format!("  {}: {}", index.name, texts::state(language, &index.state))),
    );
    text.extend(evidence.invalid.iter().map(|index| format!("  {}: INVALID", index.name)));
    text.push(format!("{of_scans}:"));
    text.extend(evidence.scans.iter().map(|scan| {
        format!("  {}: {}", scan.table, texts::sequential_scans(language, scan.rows, scan.scans, scan.by_index))
    }));
    json!({
        "text": text,
        "statements": { "byMean": by_mean, "byTotal": by_total },
        "table": { "bytes": evidence.table.bytes, "rows": evidence.table.rows },
        "indexes": evidence.proposed.iter().map(|index| json!({
            "name": index.name,
            "state": state(&index.state),
            "serves": index.serves,
            "statement": index.statement,
            "bytesAtMost": estimate(index, &evidence.table),
        })).collect::<Vec<_>>(),
        "invalidIndexes": evidence.invalid,
        "sequentialScans": evidence.scans,
    })
}

fn state(state: &State) -> &'static str {
    match state {
        State::Present(_) => "present",
        State::Missing => "missing",
        State::Invalid(_) => "INVALID",
        State::Building { .. } => "being built",
        State::Taken(_) => "name taken",
    }
}

#[cfg(test)]
mod tests;
