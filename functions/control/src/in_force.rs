//! What is in force everywhere, as the answer has it.

use chrono::{DateTime, Utc};
use remediation::act::ledger::controls::{Allowance, Change, Control, EVERYWHERE, Row};
use remediation::domain::Mode;
use remediation::gather::manifest::Manifest;
use serde_json::{Value, json};

/// The newest run of a step.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Ran {
    /// The step.
    pub step: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How far it was allowed to go.
    pub mode: Option<String>,
}

/// All of it: the installation's mode, the red button, each step that has a manifest, a row or a run, and the last changes.
pub fn report(installation: Mode, manifests: &[Manifest], rows: &[Row], ran: &[Ran], history: &[Change]) -> Value {
    let everywhere = rows.iter().find(|row| row.step == EVERYWHERE);
    let mut names: Vec<&str> = manifests.iter().map(|manifest| manifest.name.as_str()).collect();
    // Of an earlier build: it is bound, if it still runs.
    let others = rows.iter().map(|row| row.step.as_str()).chain(ran.iter().map(|ran| ran.step.as_str()));
    names.extend(others.filter(|step| *step != EVERYWHERE));
    names.sort_unstable();
    names.dedup();
    let steps: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let manifest = manifests.iter().find(|manifest| manifest.name == name);
            let row = rows.iter().find(|row| row.step == name);
            step(name, installation, manifest, row, everywhere, ran.iter().find(|ran| ran.step == name))
        })
        .collect();
    json!({
        "installation": installation,
        "everywhere": everywhere.map(set),
        "steps": steps,
        "history": history,
    })
}

fn step(
    name: &str,
    installation: Mode,
    manifest: Option<&Manifest>,
    row: Option<&Row>,
    everywhere: Option<&Row>,
    ran: Option<&Ran>,
) -> Value {
    let rows: Vec<Row> = [row, everywhere].into_iter().flatten().cloned().collect();
    let Control { mode, actions_per_run, actions_per_hour, share, .. } = Control::of(&rows);
    let configured = manifest.map_or(installation, |manifest| installation.min(manifest.mode));
    let limits = manifest.map(|manifest| manifest.limits);
    json!({
        "step": name,
        "mode": mode.map_or(configured, |mode| mode.min(configured)),
        "actionsPerRun": actions_per_run.or(limits.map(|limits| limits.actions_per_run)),
        "actionsPerHour": actions_per_hour.or(limits.map(|limits| limits.actions_per_hour)),
        "share": share.or(limits.map(|limits| limits.share_of_candidates)),
        "set": row.map(set),
        "lastRun": ran.map(|ran| json!({ "at": ran.started_at, "mode": ran.mode })),
    })
}

/// What a row sets, by whom, since when and why.
fn set(row: &Row) -> Value {
    let Row {
        allows: Allowance { mode, actions_per_run, actions_per_hour, share },
        changed_by,
        reason,
        updated_at,
        ..
    } = row;
    json!({
        "mode": mode, "actionsPerRun": actions_per_run, "actionsPerHour": actions_per_hour, "share": share,
        "by": changed_by, "since": updated_at, "reason": reason,
    })
}
