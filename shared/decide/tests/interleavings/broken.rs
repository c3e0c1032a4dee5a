//! Systems that are broken on purpose: each must be found, and as what it is.

use chrono::TimeDelta;
use remediation_decide::decide::cancel::{Cancelling, cancel};
use remediation_decide::decide::{self, Closing, Decision, Policy, StopCause, Verdict};
use remediation_decide::domain::{Execution, ExecutionStatus, Mode, ProcessStatus};
use remediation_decide::guard::{Asked, Guard, Limits, Record, Shares, guard};
use remediation_decide::severity::{Severity, severity};

use crate::model::ask::ByHand;
use crate::model::crowd::{self, SCENES};
use crate::model::rules::{Decide, Invariant, Judge, ListsFirst, Overtaken, POLICY, REAL, Rules, Wish};
use crate::model::search::{Bounds, Counterexample, Explored, explore};

/// Both steps, two executions, a cancel and a retry.
pub const EVERYTHING: Bounds = Bounds {
    steps: [true, true, false],
    by_hand: ByHand::Cancel,
    cancel: true,
    retry: true,
    redrive: false,
    counted: false,
    ours: false,
    depth: Some(9),
};
/// The same after a failure that we retry.
pub const OURS: Bounds = Bounds { retry: false, ours: true, ..EVERYTHING };
const SWEEP: Bounds = Bounds { steps: [false, true, false], cancel: false, ..EVERYTHING };
const SYNC: Bounds = Bounds { steps: [true, false, false], cancel: false, ..EVERYTHING };
const BY_HAND: Bounds = Bounds { steps: [false, false, true], cancel: false, retry: false, ..EVERYTHING };

/// Explores a system that is broken on purpose, and wants it found. What makes nothing less bad, the severity tells first: it is a witness of its own.
#[track_caller]
fn breaks(expected: Invariant, rules: Rules, bounds: Bounds) {
    found(expected, explore(rules, bounds));
}

/// The same of a crowd.
#[track_caller]
fn breaks_a_crowd(expected: Invariant, rules: Rules, name: &str) {
    let (_, scene) = SCENES.into_iter().find(|(called, _)| *called == name).unwrap();
    found(expected, crowd::explore(rules, scene));
}

#[track_caller]
fn found(expected: Invariant, found: Result<Explored, Box<Counterexample>>) {
    match found {
        Ok(found) => panic!("nothing found in {found}"),
        Err(found) => {
            println!("{:?} after {} states\n{}", found.broken, found.states, found.trace);
            assert_eq!(found.broken, expected, "{}", found.trace);
        }
    }
}

fn with(decide: Decide) -> Rules {
    Rules { decide, ..REAL }
}

fn closing(decision: Decision, closing: Closing) -> Decision {
    Decision { verdict: Verdict::Close(closing), ..decision }
}

#[test]
fn a_retry_that_does_not_compare_what_it_has_seen_is_found() {
    breaks(Invariant::CompletedAndCancelledStand, Rules { retry_compares: false, ..REAL }, OURS);
}

/// The old execution speaks then for the attempt that is about to begin.
#[test]
fn a_retry_that_does_not_register_its_execution_is_found() {
    breaks(
        Invariant::ClosedAsItEnded,
        Rules { retry_registers: false, ..REAL },
        Bounds { steps: SWEEP.steps, cancel: false, ..OURS },
    );
}

#[test]
fn closing_what_runs_in_time_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match newest {
            Some(Execution { status: ExecutionStatus::Running, .. }) if process.status.is_open() => {
                closing(decision, Closing::TimedOut)
            }
            _ => decision,
        }
    };
    breaks(Invariant::NothingRunsWhenWeClose, with(broken), EVERYTHING);
}

#[test]
fn closing_what_is_past_its_deadline_without_stopping_it_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Stop(StopCause::Deadline) => closing(decision, Closing::TimedOut),
            _ => decision,
        }
    };
    breaks(Invariant::NothingRunsWhenWeClose, with(broken), EVERYTHING);
}

#[test]
fn stopping_what_runs_in_time_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let early = Policy { process_deadline: policy.start_deadline, ..*policy };
        decide::decide(process, newest, look, &early, now)
    };
    breaks(Invariant::StopsAreDue, with(broken), EVERYTHING);
}

#[test]
fn completing_a_failed_execution_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Close(Closing::Failed) => closing(decision, Closing::Completed { result: false }),
            _ => decision,
        }
    };
    breaks(Invariant::CompletedMeansSucceeded, with(broken), EVERYTHING);
}

#[test]
fn taking_a_success_that_says_that_it_failed_for_a_success_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let newest =
            newest.map(|newest| Execution { says_failed: newest.says_failed.and(Some(false)), ..newest.clone() });
        decide::decide(process, newest.as_ref(), look, policy, now)
    };
    breaks(Invariant::CompletedMeansSucceeded, with(broken), EVERYTHING);
}

#[test]
fn calling_a_stop_by_hand_a_failure_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Close(Closing::Cancelled) => closing(decision, Closing::Failed),
            _ => decision,
        }
    };
    breaks(Invariant::ClosedAsItEnded, with(broken), EVERYTHING);
}

#[test]
fn closing_a_cancelled_row_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let mut process = process.clone();
        if process.status == ProcessStatus::Cancelled {
            process.status = ProcessStatus::Processing;
        }
        decide::decide(&process, newest, look, policy, now)
    };
    breaks(Invariant::CompletedAndCancelledStand, with(broken), EVERYTHING);
}

#[test]
fn letting_an_old_execution_speak_for_a_reopened_row_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let mut process = process.clone();
        if let Some(newest) = newest.filter(|newest| newest.status.is_over() && process.status.is_open()) {
            process.updated_at = newest.started_at;
        }
        decide::decide(&process, newest, look, policy, now)
    };
    breaks(Invariant::TheRampGoesOn, with(broken), Bounds { cancel: false, depth: None, ..EVERYTHING });
}

#[test]
fn a_start_deadline_that_counts_from_the_first_acceptance_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let mut process = process.clone();
        if newest.is_none() {
            process.updated_at = process.created_at;
        }
        decide::decide(&process, newest, look, policy, now)
    };
    breaks(Invariant::TheRampGoesOn, with(broken), Bounds { depth: None, ..SWEEP });
}

#[test]
fn a_sweep_that_lets_nothing_settle_is_found() {
    let policy = Policy { settle: TimeDelta::zero(), ..POLICY };
    breaks(
        Invariant::NothingRunsWhenWeClose,
        Rules { policy, ..REAL },
        Bounds { cancel: false, depth: None, ..EVERYTHING },
    );
}

#[test]
fn leaving_what_runs_past_its_deadline_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match decision.verdict {
            Verdict::Stop(StopCause::Deadline) => Decision { verdict: Verdict::Leave, ..decision },
            _ => decision,
        }
    };
    breaks(Invariant::EverythingEnds, with(broken), EVERYTHING);
}

#[test]
fn closing_a_closed_row_again_and_again_is_found() {
    let broken: Decide = |process, newest, look, policy, now| {
        let decision = decide::decide(process, newest, look, policy, now);
        match (process.status, newest) {
            (
                ProcessStatus::Failed | ProcessStatus::Timeout,
                Some(Execution { status: ExecutionStatus::TimedOut, .. }),
            ) => closing(decision, Closing::TimedOut),
            _ => decision,
        }
    };
    breaks(Invariant::TheRampGoesOn, with(broken), EVERYTHING);
}

#[test]
fn a_write_that_does_not_compare_the_row_is_found() {
    breaks(
        Invariant::TheRampGoesOn,
        Rules { compares_row: false, ..REAL },
        Bounds { retry: false, depth: None, ..EVERYTHING },
    );
}

#[test]
fn an_overtaken_execution_that_nobody_stops_is_found() {
    let broken: Overtaken =
        |_, _, _, _, _| Decision { verdict: Verdict::Leave, anomaly: None, reason: decide::Reason::Consistent };
    breaks(Invariant::EverythingEnds, Rules { overtaken: broken, ..REAL }, EVERYTHING);
}

#[test]
fn cancelling_a_row_by_hand_before_its_execution_is_over_is_found() {
    let broken: Wish = |process, newest, overtaken, policy, now| match cancel(process, newest, overtaken, policy, now) {
        Cancelling::Stop => Cancelling::Close,
        other => other,
    };
    breaks(Invariant::NothingRunsWhenWeClose, Rules { cancel: broken, ..REAL }, BY_HAND);
}

#[test]
fn cancelling_by_hand_beside_an_overtaken_execution_is_found() {
    let broken: Wish = |process, newest, _, policy, now| cancel(process, newest, false, policy, now);
    breaks(
        Invariant::NothingRunsWhenWeClose,
        Rules { cancel: broken, ..REAL },
        Bounds { retry: true, depth: None, ..BY_HAND },
    );
}

#[test]
fn cancelling_by_hand_what_succeeded_is_found() {
    let broken: Wish = |process, newest, overtaken, policy, now| match cancel(process, newest, overtaken, policy, now) {
        Cancelling::Not(_) if process.status.is_open() => Cancelling::Close,
        other => other,
    };
    breaks(Invariant::ClosedAsItEnded, Rules { cancel: broken, ..REAL }, BY_HAND);
}

#[test]
fn a_cancel_by_hand_that_does_not_compare_the_row_is_found() {
    breaks(
        Invariant::CompletedAndCancelledStand,
        Rules { compares_row: false, ..REAL },
        Bounds { cancel: true, depth: None, ..BY_HAND },
    );
}

/// A user retries while the old execution runs, whose end then reaches sync before the new one's RUNNING does.
#[test]
fn sync_must_list_before_it_closes_a_row() {
    let never: ListsFirst = |_, _, _, _, _| false;
    breaks(Invariant::NothingRunsWhenWeClose, Rules { lists_first: never, ..REAL }, Bounds { depth: None, ..SYNC });
}

/// A list once read is not enough: a user's retry, whose old execution's end reaches sync between the list and the read (sync + hand + user's retry).
const HAND_AND_SYNC: Bounds = Bounds { steps: [true, false, true], retry: true, depth: None, ..BY_HAND };
const LISTS_ONCE: ListsFirst = |process, newest, look, verdict, listed| {
    listed.is_none() && decide::listing::lists_first(process, newest, look, verdict, None)
};

#[test]
fn a_look_by_hand_that_lists_only_once_is_found() {
    breaks(
        Invariant::NothingRunsWhenWeClose,
        Rules { lists_first: LISTS_ONCE, ..REAL },
        Bounds { by_hand: ByHand::Look, ..HAND_AND_SYNC },
    );
}

#[test]
fn a_cancel_by_hand_that_lists_only_once_is_found() {
    breaks(Invariant::NothingRunsWhenWeClose, Rules { lists_first: LISTS_ONCE, ..REAL }, HAND_AND_SYNC);
}

#[test]
fn a_stop_of_ours_that_counts_for_another_redrive_is_found() {
    breaks(
        Invariant::ClosedAsItEnded,
        Rules { ledger_has_redrive: false, ..REAL },
        Bounds { redrive: true, retry: false, depth: None, ..SWEEP },
    );
}

#[test]
fn a_ramp_that_ends_at_what_helps_is_found() {
    let broken: Judge = |row, process, newest, cancelled, policy, now| match row {
        ProcessStatus::Timeout => Severity::Wrong,
        _ => severity(row, process, newest, cancelled, policy, now),
    };
    breaks(Invariant::TheRampGoesOn, Rules { judge: broken, ..REAL }, Bounds { depth: None, ..SWEEP });
}

fn guarded(guard: Guard) -> Rules {
    Rules { guard, ..REAL }
}

#[test]
fn a_guard_that_lets_nothing_through_is_found() {
    let broken: Guard =
        |wanted, asked, limits, record| guard(wanted, &Asked { mode: Mode::Observe, ..*asked }, limits, record);
    breaks(Invariant::EverythingEnds, guarded(broken), Bounds { depth: Some(5), ..SWEEP });
    breaks_a_crowd(Invariant::EverythingEnds, guarded(broken), "a crowd: a few");
}

#[test]
fn a_guard_that_lets_through_what_is_held_is_found() {
    let broken: [Guard; 6] = [
        |wanted, asked, limits, record| guard(wanted, &Asked { mode: Mode::Act, ..*asked }, limits, record),
        |wanted, asked, limits, record| guard(wanted, &Asked { by_name: true, ..*asked }, limits, record),
        |wanted, asked, limits, record| guard(wanted, &Asked { limit: None, ..*asked }, limits, record),
        |wanted, asked, limits, record| guard(wanted, asked, limits, &Record { mode: None, ..*record }),
        |wanted, asked, limits, record| guard(wanted, asked, &Limits { attempts_per_target: 9, ..*limits }, record),
        |wanted, asked, limits, record| guard(wanted, asked, &Limits { cooldown_seconds: 0, ..*limits }, record),
    ];
    for broken in broken {
        breaks(Invariant::WhatIsHeldIsNotDone, guarded(broken), Bounds { depth: None, ..SWEEP });
    }
}

#[test]
fn a_share_of_the_page_instead_of_everything_is_found() {
    let broken: Guard =
        |wanted, asked, limits, record| guard(wanted, &Asked { shares: &Shares::new(), ..*asked }, limits, record);
    breaks_a_crowd(Invariant::MostOfManyWaits, guarded(broken), "a crowd: most of many");
}

#[test]
fn an_approval_that_lifts_no_limit_is_found() {
    let broken: Guard =
        |wanted, asked, limits, record| guard(wanted, &Asked { approved: false, ..*asked }, limits, record);
    breaks_a_crowd(Invariant::EverythingEnds, guarded(broken), "a crowd: most of many, approved");
}

#[test]
fn limits_that_leave_something_out_are_found() {
    let broken: [Guard; 3] = [
        |wanted, asked, limits, record| guard(wanted, asked, limits, &Record { actions_last_hour: 0, ..*record }),
        |wanted, asked, limits, record| guard(wanted, asked, limits, &Record { beside: 0, ..*record }),
        |wanted, asked, limits, record| guard(wanted, &Asked { done: 0, ..*asked }, limits, record),
    ];
    for broken in broken {
        breaks_a_crowd(Invariant::LimitsHold, guarded(broken), "a crowd: half of many");
    }
}

/// A row that moved is asked for again, alone: what the run had made before is none of what it registers then.
#[test]
fn a_run_that_registers_only_what_it_wants_next_is_found() {
    breaks_a_crowd(Invariant::LimitsHold, Rules { registers_what_was_made: false, ..REAL }, "a crowd: half of many");
}

#[test]
fn a_ramp_that_begins_with_many_is_found() {
    breaks_a_crowd(Invariant::AWrongRuleHarmsOne, Rules { ramp: |_| 10, ..REAL }, "a crowd: a wrong rule about a few");
}

#[test]
fn a_step_that_never_helps_and_goes_on_is_found() {
    let broken: Guard =
        |wanted, asked, limits, record| guard(wanted, asked, limits, &Record { did_not_help: false, ..*record });
    breaks_a_crowd(Invariant::AWrongRuleHarmsOne, guarded(broken), "a crowd: a wrong rule about a few");
}
