//! The report as people read it: lines, for the Lambda console shows a text of several lines as one with `\n` in it.

use crate::state::CheckState;
use crate::texts;
use chrono::{DateTime, Utc};
use remediation::domain::Language;

use crate::check::Check;

/// A line for each check, and its details below it.
pub fn lines(checks: &[Check; 7], language: Language, now: DateTime<Utc>) -> Vec<String> {
    let count = |state: CheckState| checks.iter().filter(|check| check.state == state).count();
    let counts = [CheckState::Ok, CheckState::Warning, CheckState::Failed].map(count);
    let mut lines = vec![texts::health(language, &now.format("%Y-%m-%d %H:%M:%S UTC").to_string(), counts)];
    for (at, (check, title)) in checks.iter().zip(texts::check_titles(language)).enumerate() {
        let state = texts::check_state(language, check.state);
        lines.push(format!("{}. {title}: {state} ({} ms): {}", at + 1, check.took.as_millis(), check.sentence));
        lines.extend(check.details.iter().map(|detail| format!("     {detail}")));
    }
    lines
}
