//! What became of a game day.

use std::sync::Arc;

use crate::image::Image;
use crate::ledger::Action;
use crate::second_act::Scene;
use crate::timeline::Timeline;

/// What became of everything.
pub struct Day {
    pub timeline: Arc<Timeline>,
    pub verdicts: Vec<Verdict>,
    /// What this application cannot have.
    pub left_out: Vec<LeftOut>,
    /// Actions that the ledger has as applied.
    pub applied: i64,
    /// What followed once they were mended.
    pub scenes: Vec<Scene>,
    /// What went wrong beside the faults.
    pub problems: Vec<String>,
    pub seconds: f64,
}

impl Day {
    /// Whether all is as it should be.
    pub fn is_right(&self) -> bool {
        let mut all = self.verdicts.iter().map(|verdict| &verdict.problems);
        self.problems.is_empty() && all.all(Vec::is_empty) && self.scenes.iter().all(|scene| scene.problems.is_empty())
    }
}

/// A fault that was not played.
pub struct LeftOut {
    pub fault: &'static str,
    /// Why the application cannot have it.
    pub reason: &'static str,
}

/// What became of a fault.
pub struct Verdict {
    pub fault: &'static str,
    /// What went wrong, in a sentence.
    pub story: &'static str,
    pub process: String,
    /// Why it is not as it should be; empty when it is.
    pub problems: Vec<String>,
    /// Who put it right, or was the first that would have.
    pub step: Option<String>,
    /// What started that.
    pub noticed: Option<String>,
    /// From the fault to the end of the last action about it, to the first record of one, or to the last look where hands had to stay off.
    pub seconds: Option<f64>,
    pub before: Image,
    pub after: Image,
    /// What would have been done, where the product only looks.
    pub record: Vec<Action>,
}
