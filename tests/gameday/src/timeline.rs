//! What happened when: on the terminal at once, and kept for the report.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// The moments of one game day.
pub struct Timeline {
    began: DateTime<Utc>,
    moments: Mutex<Vec<Moment>>,
}

/// One moment.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Seconds since the first fault.
    pub at: f64,
    /// Which fault it is about.
    pub fault: &'static str,
    pub kind: Kind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The fault.
    Broke,
    /// What started a run about it.
    Noticed,
    /// What a step did.
    Acted,
    /// What a step would do.
    Planned,
    /// All is as it should be.
    Right,
    /// It is not.
    Wrong,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Noticed => "noticed",
            Self::Acted => "acted",
            Self::Planned => "planned",
            Self::Right => "right",
            Self::Wrong => "WRONG",
        }
    }
}

impl Timeline {
    pub fn begin() -> Self {
        Self { began: Utc::now(), moments: Mutex::default() }
    }

    /// Seconds since the beginning.
    pub fn seconds(&self, at: DateTime<Utc>) -> f64 {
        (at - self.began).as_seconds_f64()
    }

    pub fn tell(&self, at: DateTime<Utc>, fault: &'static str, kind: Kind, text: impl Into<String>) {
        let moment = Moment { at: self.seconds(at), fault, kind, text: text.into() };
        println!("{:7.1} s  {:28} {:8} {}", moment.at, moment.fault, moment.kind.word(), moment.text);
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
    }

    /// All moments so far, in their order.
    pub fn moments(&self) -> Vec<Moment> {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner).clone();
        moments.sort_by(|one, other| one.at.total_cmp(&other.at));
        moments
    }
}
