//! What must hold, and how our steps go about it: with the real decisions, or with ones broken on purpose.

use chrono::{DateTime, TimeDelta, Utc};
use remediation_decide::decide::cancel::{Cancelling, cancel};
use remediation_decide::decide::listing::{Begun, lists_first};
use remediation_decide::decide::{self, Decision, Look, Policy, Verdict};
use remediation_decide::domain::{Execution, Process, ProcessStatus, WORDS};
use remediation_decide::guard::{self, Guard};
use remediation_decide::severity::{Severity, severity};

/// What must hold in every state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invariant {
    /// A row is not closed as failed, timed out or cancelled while its newest execution runs; nor cancelled by hand while any
    /// does that was there when executions were listed.
    NothingRunsWhenWeClose,
    /// A row that says COMPLETED or CANCELLED is not written, but for a COMPLETED one whose success says that it failed.
    CompletedAndCancelledStand,
    /// COMPLETED is written only where the newest execution succeeded, and does not say that it failed.
    CompletedMeansSucceeded,
    /// FAILED, timed out and CANCELLED are written only where the newest execution ended so and was stopped for that, or there is none; by
    /// hand, CANCELLED is written unless it succeeded.
    ClosedAsItEnded,
    /// What is stopped runs past its deadline, or its row was CANCELLED when it was read; by hand, it was not COMPLETED.
    StopsAreDue,
    /// What we write or stop never makes it worse for the user, as it is.
    NeverWorse,
    /// What we write or stop makes it less bad as it was known: a large change would end its ramp there.
    TheRampGoesOn,
    /// Without the others, no fair cycle leaves a row open, or something running for a row that is not COMPLETED.
    EverythingEnds,
    /// Without the others, no cycle has a change of ours in it.
    WeComeToRest,
    /// A process is started anew only while nothing of it runs.
    RetriesAreOfWhatIsOver,
    /// What the mode, the control, a limit or the target's history holds is not done.
    WhatIsHeldIsNotDone,
    /// Most of many is not closed without a person, in no part.
    MostOfManyWaits,
    /// What two sweeps that overlap make is within the limit of a run, and what all runs make within the hour's.
    LimitsHold,
    /// A wrong rule harms one row in a run, and after three runs that helped nothing none without a person.
    AWrongRuleHarmsOne,
}

/// `decide` and `overtaken`, as the real one or as one broken on purpose.
pub type Decide = fn(&Process, Option<&Execution>, Look, &Policy, DateTime<Utc>) -> Decision;
pub type Overtaken = fn(&Process, &Execution, Look, &Policy, DateTime<Utc>) -> Decision;
/// `cancel`, likewise.
pub type Wish = fn(&Process, Option<&Execution>, bool, &Policy, DateTime<Utc>) -> Cancelling;
/// `lists_first`, likewise.
pub type ListsFirst = fn(&Process, Option<&Execution>, Look, Verdict, Option<&Begun>) -> bool;
/// `severity`, likewise.
pub type Judge = fn(ProcessStatus, &Process, Option<&Execution>, bool, &Policy, DateTime<Utc>) -> Severity;

/// `ramp`, likewise.
pub type Ramp = fn(usize) -> usize;

/// How our steps go about it.
#[derive(Clone, Copy)]
pub struct Rules {
    pub decide: Decide,
    pub overtaken: Overtaken,
    pub cancel: Wish,
    pub lists_first: ListsFirst,
    pub judge: Judge,
    pub guard: Guard,
    pub ramp: Ramp,
    pub policy: Policy,
    /// A write compares the row's version.
    pub compares_row: bool,
    /// What the ledger has of a stop counts for the redrive in which it was made.
    pub ledger_has_redrive: bool,
    /// Our retry compares the row's version and the newest execution when it re-opens the row.
    pub retry_compares: bool,
    /// It registers its execution then.
    pub retry_registers: bool,
    /// What a run registers against the limits has in it what it has made before.
    pub registers_what_was_made: bool,
}

pub const POLICY: Policy = Policy {
    process_deadline: TimeDelta::seconds(150),
    start_deadline: TimeDelta::seconds(90),
    settle: TimeDelta::seconds(30),
    require_result: false,
    words: &WORDS,
};

pub const REAL: Rules = Rules {
    decide: decide::decide,
    overtaken: decide::overtaken,
    cancel,
    lists_first,
    judge: severity,
    guard: guard::guard,
    ramp: guard::ramp,
    policy: POLICY,
    compares_row: true,
    ledger_has_redrive: true,
    retry_compares: true,
    retry_registers: true,
    registers_what_was_made: true,
};
