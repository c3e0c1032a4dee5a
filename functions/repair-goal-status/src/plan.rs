//! What is to be done about goals and what hangs under them: pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::texts;
use remediation::act::action::Class;
use remediation::act::actions::set_goal_status::SetGoalStatus;
use remediation::domain::{DEADLINE_ERROR, Execution, ExecutionStatus, Language, Words};
use remediation::failure::transient::is_transient;
use remediation::failure::{UNKNOWN, failure};
use remediation::gather::config::Config;
use remediation::gather::goals::cases::{Case, Goal, Orphan, OrphanKind};
use remediation::gather::goals::{GoalId, GoalStatus};
use remediation::guard::Share;
use remediation::run::step::{Audience, Cursor, Finding, Often, Plan, Planned, Skipped};
use remediation::run::texts as common;
use serde_json::json;

/// What was read.
pub enum Evidence {
    /// This database lacks these tables or columns.
    Absent(Vec<String>),
    /// Processes with what they work for.
    Looked(Box<Looked>),
}

/// Processes with what they work for, and why they were looked at.
pub struct Looked {
    pub cases: Vec<Case>,
    pub asked: Asked,
    /// What the event was about, where that is not known here.
    pub unknown: Option<Skipped>,
    /// Of a sweep: where it stands.
    pub swept: Option<Swept>,
}

/// Where a sweep stands.
pub struct Swept {
    /// Where the next run goes on.
    pub cursor: Cursor,
    /// Where one run does not see everything: how many goals there are, and how many of them look as if they had to be changed.
    pub extent: Option<(usize, usize)>,
}

impl Looked {
    /// Of these cases, and nothing more.
    pub fn of(cases: Vec<Case>, asked: Asked) -> Self {
        Self { cases, asked, unknown: None, swept: None }
    }
}

/// Why processes were looked at.
pub enum Asked {
    /// An execution has ended so.
    Event(Execution),
    /// A person wants these looked at, whatever their failure, and maybe the goal ACTIVE whatever it is.
    These { activate: bool },
    /// Whatever has failed for good.
    Everything,
}

/// What becomes of a process.
enum Judged {
    /// What it works for is looked at.
    Failed,
    /// It is left alone, for this reason.
    Left(String),
    /// It is none of a sweep's business.
    Passed,
}

pub fn plan(evidence: &Evidence, config: &Config) -> Plan {
    let language = config.language;
    match evidence {
        Evidence::Absent(missing) => {
            let message = texts::goals_absent(language, &missing.join(", "));
            let absent = Finding::new("goals_absent", config.table.to_string(), message, json!({ "missing": missing }));
            Plan { findings: vec![absent], ..Plan::default() }
        }
        Evidence::Looked(looked) => plan_of(looked, config.policy.words, language),
    }
}

fn plan_of(looked: &Looked, words: &Words, language: Language) -> Plan {
    let mut plan = Plan { skipped: looked.unknown.iter().cloned().collect(), ..Plan::default() };
    let mut goals: BTreeMap<GoalId, (&Goal, Vec<&Case>)> = BTreeMap::new();
    let mut orphans: BTreeMap<&Orphan, &Case> = BTreeMap::new();
    for case in &looked.cases {
        let about = case.process.map(|process| process.to_string()).unwrap_or_default();
        match (judge(case, &looked.asked, words, language), case.target) {
            (Judged::Passed, _) => continue,
            (Judged::Left(why), _) => plan.skipped.push(Skipped::new(about, why)),
            (Judged::Failed, None) => plan.skipped.push(Skipped::new(about, texts::no_target(language))),
            (Judged::Failed, Some(target)) => {
                orphans.extend(case.orphans.iter().map(|orphan| (orphan, case)));
                if let Some(goal) = &case.goal {
                    goals.entry(goal.id).or_insert_with(|| (goal, Vec::new())).1.push(case);
                    continue;
                }
                if !case.found {
                    let message = texts::target_gone(language, &target.to_string());
                    plan.findings.push(Finding::new("target_gone", about, message, json!({ "targetId": target })));
                } else if case.orphans.is_empty() {
                    plan.skipped.push(Skipped::new(about, texts::no_goal(language)));
                }
            }
        }
        plan.population += 1;
    }
    plan.population += goals.len();
    plan.findings.extend(orphans.into_iter().map(|(orphan, case)| orphaned(orphan, case, language)));
    for (goal, cases) in goals.values() {
        about_goal(&mut plan, goal, cases, &looked.asked, language);
    }
    if let Some(Swept { cursor, extent }) = &looked.swept {
        let (of, wanted) = extent.unwrap_or((goals.len(), 0));
        plan.shares.insert(Class::Goal, Share { of, wanted });
        plan.unfinished = cursor.after.map(|_| common::more_to_look_at(language, looked.cases.len()));
        plan.cursor = Some(cursor.clone());
    }
    plan
}

fn orphaned(orphan: &Orphan, case: &Case, language: Language) -> Finding {
    let table = match orphan.kind {
        OrphanKind::SubGoal => "sub_goals",
        OrphanKind::Action => "actions",
    };
    let message = texts::orphan(language, orphan.kind, &orphan.missing.to_string());
    let evidence = json!({ "table": table, "missing": orphan.missing, "processId": case.process });
    // Only a person knows where it belongs.
    Finding::new("orphan", orphan.id.to_string(), message, evidence).told(Audience::People, Often::ONCE_A_DAY)
}

/// What a goal's status and what is open under it come to.
fn about_goal(plan: &mut Plan, goal: &Goal, cases: &[&Case], asked: &Asked, language: Language) {
    let target = goal.id.to_string();
    if goal.status == GoalStatus::Active || !goal.open.any() {
        plan.skipped.push(Skipped::new(target, texts::goal_consistent(language, &goal.status)));
        return;
    }
    let processes: BTreeSet<_> = cases.iter().filter_map(|case| case.process).collect();
    let process = processes.first().copied();
    // A goal that is named itself is one whose plan a person has approved.
    let wanted = process.is_none() || matches!(asked, Asked::These { activate: true });
    let event = json!({ "processId": process, "activate": true });
    let inconsistent = texts::goal_inconsistent(language, goal.status.as_str(), goal.open);
    let (reason, message) = match (&goal.status, wanted) {
        (GoalStatus::Completed | GoalStatus::Active, _) => (Some(inconsistent.clone()), inconsistent),
        (GoalStatus::Paused | GoalStatus::Cancelled | GoalStatus::Other(_), true) => {
            (Some(texts::goal_asked(language, &inconsistent)), inconsistent)
        }
        (GoalStatus::Paused | GoalStatus::Cancelled | GoalStatus::Other(_), false) => {
            (None, texts::a_persons_goal(language, &inconsistent, &event.to_string()))
        }
    };
    let mut evidence = json!({ "status": goal.status.as_str(), "open": goal.open, "processIds": processes });
    if reason.is_none() {
        evidence["toDoIt"] = event;
    }
    plan.findings.push(Finding::new("goal_inconsistent", target, message, evidence));
    plan.actions.extend(reason.map(|reason| {
        let action = SetGoalStatus {
            goal: goal.id,
            version: goal.version,
            from: goal.status.clone(),
            process,
            cause: if goal.status == GoalStatus::Completed { "open-children" } else { "asked" },
        };
        Planned::new(action, reason)
    }));
}

/// Whether a process has failed for good.
fn judge(case: &Case, asked: &Asked, words: &Words, language: Language) -> Judged {
    let (code, message) = (case.code.as_deref(), case.message.as_deref());
    match asked {
        Asked::These { .. } => Judged::Failed,
        Asked::Everything => {
            let error = case.newest.as_ref().and_then(|newest| newest.ending.as_ref()?.error.as_deref());
            // The worker writes FAILED before Step Functions tries its task again.
            let over = case.newest.as_ref().is_none_or(|newest| newest.status.is_over());
            // What was never started has no input to be started with again.
            let never_started = case.newest.is_none() && code == Some(UNKNOWN);
            let stays = never_started || !is_transient(code, message, error, words);
            if over && stays { Judged::Failed } else { Judged::Passed }
        }
        Asked::Event(ended) => {
            if let Some(newest) = case.newest.as_ref().filter(|newest| is_over_taken(ended, newest)) {
                return Judged::Left(texts::started_anew(language, newest.arn.name()));
            }
            if case.completed {
                return Judged::Left(texts::not_failed(language, "COMPLETED"));
            }
            match ended.outcome() {
                ExecutionStatus::Running | ExecutionStatus::Succeeded | ExecutionStatus::PendingRedrive => {
                    Judged::Left(texts::not_failed(language, ended.status.as_str()))
                }
                ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => {
                    may_pass(case, ended, words)
                        .map_or(Judged::Failed, |what| Judged::Left(texts::may_pass(language, &what)))
                }
            }
        }
    }
}

/// Whether another execution, or a redrive of the same one, speaks for the process by now.
fn is_over_taken(ended: &Execution, newest: &Execution) -> bool {
    if ended.arn == newest.arn { newest.redrive_count > ended.redrive_count } else { newest.speaks_over(ended) }
}

/// What may pass by itself, where it may: the row's own code has the word, and what the execution ended with where the row is still open.
fn may_pass(case: &Case, ended: &Execution, words: &Words) -> Option<String> {
    let (error, cause) =
        ended.ending.as_ref().map_or((None, None), |ending| (ending.error.as_deref(), ending.cause.as_deref()));
    let (code, message) = if !case.open {
        (case.code.clone(), case.message.clone())
    } else if ended.status == ExecutionStatus::TimedOut || error == Some(DEADLINE_ERROR) {
        (Some("TIMEOUT_ERROR".to_owned()), None)
    } else if ended.outcome() == ExecutionStatus::Failed {
        let failure = failure(error, cause, words);
        (Some(failure.code), Some(failure.message))
    } else {
        (None, None)
    };
    let passes = is_transient(code.as_deref(), message.as_deref(), error, words);
    passes.then(|| code.or_else(|| error.map(str::to_owned)).unwrap_or_default())
}

#[cfg(test)]
mod tests;
