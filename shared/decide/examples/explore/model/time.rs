//! Time passes, and what no longer matters is forgotten: equal states look equal, and there are finitely many of them.

use remediation_decide::domain::{ExecutionStatus, ProcessStatus};

use super::state::{At, Attempt, Known, OLDEST, Retry, Run, START_TICKS, Stamp, State, Step};

impl State {
    /// Time passes. What waited too long for its execution does not get one; a look that began too long ago has died.
    pub fn tick(&mut self) {
        self.row.created_age = (self.row.created_age + 1).min(OLDEST);
        self.stamps(|stamp| stamp.age = (stamp.age + 1).min(OLDEST));
        self.starting = self.starting.map(|age| age + 1).filter(|age| *age <= START_TICKS);
        for step in &mut self.steps {
            if let Step::Read { now_age, .. } = step {
                *now_age += 1;
                if *now_age > 1 {
                    *step = Step::Idle;
                }
            }
        }
    }

    fn stamps(&mut self, mut each: impl FnMut(&mut Stamp)) {
        let mut of_row = |updated: &mut Stamp, completed: &mut Option<Stamp>| {
            each(updated);
            if let Some(completed) = completed {
                each(completed);
            }
        };
        of_row(&mut self.row.updated, &mut self.row.completed);
        if let Retry::Begun { before, .. } = &mut self.retry {
            of_row(&mut before.updated, &mut before.completed);
        }
        for run in self.runs.iter_mut().flatten() {
            for attempt in [Some(&mut run.now), run.before.as_mut()].into_iter().flatten() {
                each(&mut attempt.started);
                each(&mut attempt.ended);
            }
        }
    }

    /// Equal states look equal: what no longer matters is forgotten, and orders are numbered without gaps.
    pub fn settled(mut self) -> Self {
        if self.newest_known().is_some() {
            // Only a row without any execution counts from there.
            self.row.created_age = 0;
        }
        // Only beside COMPLETED is it asked for.
        self.row.has_error &= self.row.status == ProcessStatus::Completed;
        if let (false, Some(completed)) = (self.row.status.is_open(), self.row.completed) {
            self.row.updated = completed;
        }
        if let [Some(old), Some(new)] = &mut self.runs
            && new.now.known > Known::Nothing
            && new.exists()
            && !old.runs()
        {
            // Nobody asks any more what it ended with, or when.
            let oldest = Stamp { age: OLDEST, order: 0 };
            let now = Attempt {
                status: ExecutionStatus::Failed,
                known: Known::Ending,
                started: oldest,
                ended: oldest,
                ..Run::STARTED.now
            };
            *old = Run { at: At::Still, now, before: None, redriven: old.redriven };
        }
        // Whether a row was written after its execution's start is asked of PENDING ones, and a new write is the newest.
        let starts_matter = self.row.status == ProcessStatus::Pending;
        for run in self.runs.iter_mut().flatten() {
            let exists = run.exists();
            if run.now.known > Known::Nothing {
                run.before = None;
            }
            for attempt in [Some(&mut run.now), run.before.as_mut()].into_iter().flatten() {
                let over = attempt.status.is_over();
                if !starts_matter {
                    attempt.started.order = 0;
                    if over && exists && attempt.known >= Known::Over {
                        attempt.started.age = attempt.ended.age;
                    }
                }
                if !over {
                    attempt.ended = attempt.started;
                } else if attempt.status != ExecutionStatus::Succeeded {
                    (attempt.has_result, attempt.says_failed) = (false, false);
                }
                if attempt.known == Known::Over && attempt.status == ExecutionStatus::TimedOut {
                    attempt.known = Known::Ending;
                }
                if attempt.known == Known::Ending {
                    attempt.in_ledger = false;
                }
            }
        }
        for (step, blind) in self.steps.iter().zip(&mut self.blind) {
            *blind &= *step != Step::Idle;
        }
        let runs = |run: &Run| run.now.status == ExecutionStatus::Running || run.known_running();
        if !self.row.status.is_open() && !self.runs.iter().flatten().any(runs) {
            // Nothing but what settles is measured: one tick, and the one that a look lies back.
            self.stamps(|stamp| stamp.age = stamp.age.min(2));
        }
        let mut present = 0_u32;
        // At most one thing happens at once, so 31 is free for it.
        self.stamps(|stamp| {
            stamp.order = stamp.order.min(31);
            present |= 1 << stamp.order;
        });
        self.stamps(|stamp| stamp.order = (present & ((1 << stamp.order) - 1)).count_ones() as u8);
        self
    }
}
