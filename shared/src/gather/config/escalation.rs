//! Who is told of an incident that nobody fixes, when, and where (guide, contacts).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Who is told, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// On call.
    L1,
    /// The team's leader.
    L2,
    /// The manager.
    L3,
}

impl Level {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    /// As the ledger and a message spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        }
    }

    /// The variable that has its topic.
    #[must_use]
    pub fn variable(self) -> String {
        format!("ESCALATION_{}_TOPIC_ARN", self.as_str())
    }

    /// Who is told before.
    #[must_use]
    pub const fn below(self) -> Option<Self> {
        match self {
            Self::L1 => None,
            Self::L2 => Some(Self::L1),
            Self::L3 => Some(Self::L2),
        }
    }
}

/// When and where each level is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// `ESCALATE_AFTER_SECONDS` (900): the time in which an incident is to be over, where something is done about it.
    pub after: TimeDelta,
    /// `ESCALATION_L2_SECONDS` (1800), since the incident began.
    pub l2: TimeDelta,
    /// `ESCALATION_L3_SECONDS` (3600), since the incident began.
    pub l3: TimeDelta,
    /// `ESCALATION_L1_TOPIC_ARN` and so on, in the order of the levels; where one is not set, `NOTIFY_TOPIC_ARN`.
    pub topics: [Option<String>; 3],
}

impl Escalation {
    /// How long after an incident began a level is told at the latest, if nobody has acknowledged it.
    #[must_use]
    pub const fn delay(&self, level: Level) -> TimeDelta {
        match level {
            Level::L1 => self.after,
            Level::L2 => self.l2,
            Level::L3 => self.l3,
        }
    }

    /// What is wrong with these settings, each naming its variable and what it may be.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.after > self.l2 || self.l2 >= self.l3 {
            let [after, l2, l3] = [self.after, self.l2, self.l3].map(|span| span.num_seconds());
            faults.push(format!(
                "ESCALATE_AFTER_SECONDS `{after}`, ESCALATION_L2_SECONDS `{l2}` and ESCALATION_L3_SECONDS `{l3}` must be in this \
                 order: the first at most the second, the second less than the third"
            ));
        }
        let wrong =
            Level::ALL.into_iter().filter_map(|level| Some((level, self.topic(level).filter(|arn| !is_topic(arn))?)));
        faults.extend(wrong.map(|(level, arn)| {
            format!("{} `{arn}` must be a topic's ARN, arn:aws:sns:<region>:<account>:<name>", level.variable())
        }));
        faults
    }

    /// Where a level is told; `None` where neither it nor the installation has a topic.
    #[must_use]
    pub fn topic(&self, level: Level) -> Option<&str> {
        let [l1, l2, l3] = &self.topics;
        match level {
            Level::L1 => l1.as_deref(),
            Level::L2 => l2.as_deref(),
            Level::L3 => l3.as_deref(),
        }
    }
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
        if [partition, region, account, name].iter().all(|part| !part.is_empty()))
}
