//! A state in 32 bytes, so that tens of millions of them have room, and a set of them.

use remediation_decide::decide::{Closing, Look, StopCause};
use remediation_decide::domain::{ExecutionStatus, ProcessStatus};

use super::state::{At, Attempt, Cancel, Known, Listed, Retry, Row, Run, Stamp, State, Step, Stopped};

/// A state, packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed([u128; 2]);

/// Bits one after the other, written or read.
struct Bits {
    words: [u128; 2],
    at: u32,
}

impl Bits {
    fn put(&mut self, value: u8, bits: u32) {
        debug_assert!(u32::from(value) < 1 << bits, "{value} in {bits} bits");
        if self.at % 128 + bits > 128 {
            self.at = 128;
        }
        self.words[(self.at / 128) as usize] |= u128::from(value) << (self.at % 128);
        self.at += bits;
    }

    fn take(&mut self, bits: u32) -> u8 {
        if self.at % 128 + bits > 128 {
            self.at = 128;
        }
        let value = (self.words[(self.at / 128) as usize] >> (self.at % 128)) as u8 & ((1_u16 << bits) - 1) as u8;
        self.at += bits;
        value
    }
}

/// What can be packed.
trait Pack: Copy {
    fn put(self, bits: &mut Bits);
    fn take(bits: &mut Bits) -> Self;
}

/// Enumerations without fields, by their place in a list.
macro_rules! listed {
    ($($kind:ty, $bits:literal: [$($of:path),+ $(,)?];)+) => {$(
        impl Pack for $kind {
            fn put(self, bits: &mut Bits) {
                const ALL: &[$kind] = &[$($of),+];
                bits.put(ALL.iter().position(|of| *of == self).unwrap() as u8, $bits);
            }

            fn take(bits: &mut Bits) -> Self {
                const ALL: &[$kind] = &[$($of),+];
                ALL[usize::from(bits.take($bits))]
            }
        }
    )+};
}

listed! {
    bool, 1: [FALSE, TRUE];
    Look, 1: [Look::Event, Look::Sweep];
    StopCause, 1: [StopCause::Deadline, StopCause::Cancelled];
    Known, 2: [Known::Nothing, Known::Running, Known::Over, Known::Ending];
    Stopped, 2: [Stopped::Not, Stopped::ForDeadline, Stopped::ForCancel, Stopped::ByHand];
    Cancel, 2: [Cancel::Possible, Cancel::UnderWay, Cancel::Written, Cancel::Done];
    At, 3: [At::Begin, At::Task, At::Complete, At::Handle, At::Success, At::Fail, At::Still, At::Registered];
    ProcessStatus, 3: [ProcessStatus::Pending, ProcessStatus::Processing, ProcessStatus::Completed, ProcessStatus::Failed,
                       ProcessStatus::Timeout, ProcessStatus::Cancelled];
    ExecutionStatus, 3: [ExecutionStatus::Running, ExecutionStatus::Succeeded, ExecutionStatus::Failed, ExecutionStatus::TimedOut,
                         ExecutionStatus::Aborted, ExecutionStatus::PendingRedrive];
    Closing, 3: [COMPLETED, WITHOUT_RESULT, Closing::Failed, Closing::ResultMissing, Closing::NeverStarted, Closing::TimedOut,
                 Closing::Cancelled];
}

const FALSE: bool = false;
const TRUE: bool = true;
const COMPLETED: Closing = Closing::Completed { result: true };
const WITHOUT_RESULT: Closing = Closing::Completed { result: false };

impl<T: Pack> Pack for Option<T> {
    fn put(self, bits: &mut Bits) {
        self.is_some().put(bits);
        if let Some(value) = self {
            value.put(bits);
        }
    }

    fn take(bits: &mut Bits) -> Self {
        bool::take(bits).then(|| T::take(bits))
    }
}

impl Pack for Stamp {
    fn put(self, bits: &mut Bits) {
        bits.put(self.age, 3);
        bits.put(self.order, 4);
    }

    fn take(bits: &mut Bits) -> Self {
        Self { age: bits.take(3), order: bits.take(4) }
    }
}

impl Pack for Row {
    fn put(self, bits: &mut Bits) {
        self.status.put(bits);
        self.has_result.put(bits);
        self.has_error.put(bits);
        bits.put(self.retries, 2);
        bits.put(self.created_age, 3);
        self.updated.put(bits);
        self.completed.put(bits);
    }

    fn take(bits: &mut Bits) -> Self {
        Self {
            status: Pack::take(bits),
            has_result: Pack::take(bits),
            has_error: Pack::take(bits),
            retries: bits.take(2),
            created_age: bits.take(3),
            updated: Pack::take(bits),
            completed: Pack::take(bits),
        }
    }
}

impl Pack for Attempt {
    fn put(self, bits: &mut Bits) {
        self.status.put(bits);
        self.started.put(bits);
        self.ended.put(bits);
        self.has_result.put(bits);
        self.says_failed.put(bits);
        self.stopped.put(bits);
        self.known.put(bits);
        self.in_ledger.put(bits);
    }

    fn take(bits: &mut Bits) -> Self {
        Self {
            status: Pack::take(bits),
            started: Pack::take(bits),
            ended: Pack::take(bits),
            has_result: Pack::take(bits),
            says_failed: Pack::take(bits),
            stopped: Pack::take(bits),
            known: Pack::take(bits),
            in_ledger: Pack::take(bits),
        }
    }
}

impl Pack for Run {
    fn put(self, bits: &mut Bits) {
        self.at.put(bits);
        self.now.put(bits);
        self.before.put(bits);
        self.redriven.put(bits);
    }

    fn take(bits: &mut Bits) -> Self {
        Self { at: Pack::take(bits), now: Pack::take(bits), before: Pack::take(bits), redriven: Pack::take(bits) }
    }
}

impl Pack for Listed {
    fn put(self, bits: &mut Bits) {
        bits.put(
            match self {
                Self::No => 0,
                Self::Open => 1,
                Self::Moved => 2,
                Self::Over { run, redriven } => 3 + 2 * run + u8::from(redriven),
            },
            3,
        );
    }

    fn take(bits: &mut Bits) -> Self {
        match bits.take(3) {
            0 => Self::No,
            1 => Self::Open,
            2 => Self::Moved,
            over => Self::Over { run: (over - 3) / 2, redriven: over % 2 == 0 },
        }
    }
}

impl Pack for Step {
    fn put(self, bits: &mut Bits) {
        match self {
            Self::Idle => bits.put(0, 3),
            Self::Read { look, listed, now_age, there } => {
                bits.put(1, 3);
                look.put(bits);
                listed.put(bits);
                bits.put(now_age, 1);
                bits.put(there, 2);
            }
            Self::List => bits.put(2, 3),
            Self::Write { closing, row_moved, known_moved, there } => {
                bits.put(3, 3);
                closing.put(bits);
                row_moved.put(bits);
                known_moved.put(bits);
                bits.put(there, 2);
            }
            Self::Describe { run, redriven, cause } | Self::Stop { run, redriven, cause } => {
                bits.put(if matches!(self, Self::Describe { .. }) { 4 } else { 5 }, 3);
                bits.put(run, 1);
                redriven.put(bits);
                cause.put(bits);
            }
            Self::Reread { run, redriven } => {
                bits.put(6, 3);
                bits.put(run, 1);
                redriven.put(bits);
            }
            Self::Remember { run } => {
                bits.put(7, 3);
                bits.put(run, 1);
            }
        }
    }

    fn take(bits: &mut Bits) -> Self {
        match bits.take(3) {
            0 => Self::Idle,
            1 => {
                let (look, listed) = (Pack::take(bits), Pack::take(bits));
                Self::Read { look, listed, now_age: bits.take(1), there: bits.take(2) }
            }
            2 => Self::List,
            3 => {
                let (closing, row_moved, known_moved) = (Pack::take(bits), Pack::take(bits), Pack::take(bits));
                Self::Write { closing, row_moved, known_moved, there: bits.take(2) }
            }
            4 => Self::Describe { run: bits.take(1), redriven: Pack::take(bits), cause: Pack::take(bits) },
            5 => Self::Stop { run: bits.take(1), redriven: Pack::take(bits), cause: Pack::take(bits) },
            6 => Self::Reread { run: bits.take(1), redriven: Pack::take(bits) },
            _ => Self::Remember { run: bits.take(1) },
        }
    }
}

impl Pack for Retry {
    fn put(self, bits: &mut Bits) {
        match self {
            Self::Possible => bits.put(0, 2),
            Self::Decided { moved } => {
                bits.put(1, 2);
                moved.put(bits);
            }
            Self::Begun { before, moved, left } => {
                bits.put(2, 2);
                before.put(bits);
                moved.put(bits);
                left.put(bits);
            }
            Self::Done => bits.put(3, 2),
        }
    }

    fn take(bits: &mut Bits) -> Self {
        match bits.take(2) {
            0 => Self::Possible,
            1 => Self::Decided { moved: Pack::take(bits) },
            2 => Self::Begun { before: Pack::take(bits), moved: Pack::take(bits), left: Pack::take(bits) },
            _ => Self::Done,
        }
    }
}

impl State {
    pub fn packed(&self) -> Packed {
        let mut bits = Bits { words: [0; 2], at: 0 };
        self.row.put(&mut bits);
        for run in self.runs {
            run.put(&mut bits);
        }
        bits.put(self.starting.map_or(0, |age| age + 1), 2);
        self.cancel.put(&mut bits);
        self.retry.put(&mut bits);
        for is in [self.late, self.user_retried, self.may_redrive, self.operator].into_iter().chain(self.blind) {
            is.put(&mut bits);
        }
        for step in self.steps {
            step.put(&mut bits);
        }
        Packed(bits.words)
    }
}

impl Packed {
    pub fn state(self) -> State {
        let bits = &mut Bits { words: self.0, at: 0 };
        State {
            row: Pack::take(bits),
            runs: [Pack::take(bits), Pack::take(bits)],
            starting: bits.take(2).checked_sub(1),
            cancel: Pack::take(bits),
            retry: Pack::take(bits),
            late: Pack::take(bits),
            user_retried: Pack::take(bits),
            may_redrive: Pack::take(bits),
            operator: Pack::take(bits),
            blind: [Pack::take(bits), Pack::take(bits), Pack::take(bits)],
            steps: [Pack::take(bits), Pack::take(bits), Pack::take(bits)],
        }
    }

    fn hash(self) -> usize {
        let [a, b] = self.0;
        let mut hash = 0_u64;
        for word in [a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64] {
            hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 32;
        }
        hash as usize
    }
}

/// States, each once and numbered in the order in which they came.
pub struct States {
    pub all: Vec<Packed>,
    /// Open addressing: a state's number and one, or 0.
    table: Vec<u32>,
}

impl States {
    pub fn new() -> Self {
        Self { all: Vec::new(), table: vec![0; 1 << 16] }
    }

    /// The number of a state, and whether it is new.
    pub fn insert(&mut self, state: Packed) -> (usize, bool) {
        if self.all.len() * 2 >= self.table.len() {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut at = state.hash() & mask;
        loop {
            match self.table[at] {
                0 => {
                    self.all.push(state);
                    self.table[at] = self.all.len() as u32;
                    return (self.all.len() - 1, true);
                }
                number if self.all[number as usize - 1] == state => return (number as usize - 1, false),
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let size = self.table.len() * 2;
        self.table = vec![0; size];
        for (number, state) in (1_u32..).zip(&self.all) {
            let mut at = state.hash() & (size - 1);
            while self.table[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.table[at] = number;
        }
    }
}
