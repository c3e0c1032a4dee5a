//! What people were told already is not told again: the one place that knows.
//!
//! A step's plan says of each finding how often it is told ([`Often`]) and knows nothing of the past. Here the ledger is asked for it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::act::ledger::told::{self, Told};
use crate::domain::Language;
use crate::finding::Often;
use crate::gather::error::Error;
use crate::gather::manifest::{LedgerKind, Manifest};
use crate::run::step::{Finding, Session, Skipped};
use crate::run::texts;

/// Leaves out of what is to be told what this step has told by itself often enough, and says so. A person who asks is always answered; a step
/// whose ledger is the log has no record to ask, and always tells.
///
/// # Errors
/// [`Error::Database`].
pub async fn hush(
    session: &mut Session<'_>,
    manifest: &Manifest,
    findings: &mut Vec<Finding>,
    skipped: &mut Vec<Skipped>,
) -> Result<(), Error> {
    if session.trigger.is_by_person() || manifest.ledger == LedgerKind::Log {
        return Ok(());
    }
    let now = session.now;
    let Some(since) = findings.iter().filter_map(|finding| finding.often.since(now)).min() else {
        return Ok(());
    };
    let not_always = findings.iter().filter(|finding| finding.often != Often::Always);
    let codes: Vec<&str> = not_always.map(|finding| finding.code).collect::<BTreeSet<_>>().into_iter().collect();
    let told = told::told(session.db, &manifest.name, since, &codes).await?;
    leave_out(findings, skipped, &told, now, session.config.language);
    Ok(())
}

fn leave_out(
    findings: &mut Vec<Finding>,
    skipped: &mut Vec<Skipped>,
    told: &[Told],
    now: DateTime<Utc>,
    language: Language,
) {
    let told: HashMap<(&str, &str), DateTime<Utc>> =
        told.iter().map(|told| ((told.code.as_str(), told.target.as_str()), told.at)).collect();
    let is_told = |finding: &Finding| {
        let at = told.get(&(finding.code, finding.target.as_str()));
        at.zip(finding.often.since(now)).is_some_and(|(at, since)| *at > since)
    };
    let left_out = findings.extract_if(.., |finding| is_told(finding));
    skipped.extend(
        left_out.map(|finding| {
            Skipped::new(finding.target, format!("{}: {}", finding.code, texts::told_already(language)))
        }),
    );
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::Value;

    use super::*;
    use crate::finding::Audience;

    fn now() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn ago(minutes: i64) -> DateTime<Utc> {
        now() - TimeDelta::minutes(minutes)
    }

    fn found(code: &'static str, target: &str, often: Often) -> Finding {
        Finding::new(code, target, "what is wrong", Value::Null).told(Audience::People, often)
    }

    fn told(code: &str, target: &str, minutes: i64) -> Told {
        Told { code: code.to_owned(), target: target.to_owned(), at: ago(minutes) }
    }

    /// What is told of these findings, and what is left out with which words.
    fn left(findings: Vec<Finding>, told: &[Told]) -> (Vec<String>, Vec<String>) {
        let (mut findings, mut skipped) = (findings, Vec::new());
        leave_out(&mut findings, &mut skipped, told, now(), Language::En);
        (
            findings.into_iter().map(|finding| finding.target).collect(),
            skipped.into_iter().map(|skipped| format!("{} {}", skipped.target, skipped.why)).collect(),
        )
    }

    #[test]
    fn what_needs_a_person_is_told_once_in_a_while_however_often_it_is_seen() {
        // (how often it is told, how many minutes ago it was, whether it is told again)
        for (often, minutes, again) in [
            (Often::Always, 1, true),
            (Often::OnceIn(TimeDelta::hours(1)), 5, false),
            (Often::OnceIn(TimeDelta::hours(1)), 59, false),
            (Often::OnceIn(TimeDelta::hours(1)), 60, true),
            (Often::ONCE_A_DAY, 23 * 60, false),
            (Often::ONCE_A_DAY, 24 * 60, true),
            // A report from before it failed was about an earlier failure.
            (Often::Once(ago(10)), 9, false),
            (Often::Once(ago(10)), 11, true),
            (Often::Once(ago(20 * 60)), 19 * 60, false),
        ] {
            let finding = found("blocker_left", "session 1", often);
            let (findings, skipped) = left(vec![finding], &[told("blocker_left", "session 1", minutes)]);
            assert_eq!(findings.len(), usize::from(again), "{often:?} {minutes}");
            let words = "session 1 blocker_left: needs a person; already reported";
            assert_eq!(skipped, if again { vec![] } else { vec![words] }, "{often:?} {minutes}");
        }
    }

    #[test]
    fn another_target_and_another_code_are_news() {
        let of = |code, target| found(code, target, Often::ONCE_A_DAY);
        let findings = vec![of("at_ceiling", "a"), of("at_ceiling", "b"), of("latest_differs", "c")];
        let (findings, skipped) = left(findings, &[told("at_ceiling", "a", 1), told("at_ceiling", "c", 1)]);
        assert_eq!((findings, skipped.len()), (vec!["b".to_owned(), "c".to_owned()], 1));
    }
}
