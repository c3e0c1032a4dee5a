//! What was read, and what it comes to: who holds the connections, what runs for long.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use remediation::gather::sessions::{Backend, BackendId, Overview, Prepared, Protection, State};

/// What was read.
pub struct Evidence {
    /// The server's own time: all ages are counted to it.
    pub at: DateTime<Utc>,
    pub overview: Overview,
    pub backends: Vec<Backend>,
    pub prepared: Vec<Prepared>,
    /// Those that are still in a transaction of which a statement was cancelled.
    pub cancelled: HashSet<BackendId>,
    /// Who we are, as SQL spells it.
    pub user: String,
    /// The one session that a person named.
    pub asked: Option<i32>,
}

impl Evidence {
    /// Whole seconds since then, and 0 where that is not known.
    pub fn seconds(&self, since: Option<DateTime<Utc>>) -> i64 {
        since.map_or(0, |since| (self.at - since).num_seconds().max(0))
    }

    /// Whether more than that has passed since then; not, where that is not known.
    pub fn is_over(&self, since: Option<DateTime<Utc>>, limit: TimeDelta) -> bool {
        since.is_some_and(|since| self.at - since > limit)
    }

    /// Whether its statement runs for longer than that. A replica's stream, and a process of the server's own, run for ever.
    pub fn is_long(&self, backend: &Backend, limit: TimeDelta) -> bool {
        backend.state == State::Active
            && !matches!(backend.protection, Some(Protection::Replication | Protection::Background))
            && self.is_over(backend.statement_since, limit)
    }

    /// Connections that do nothing and have no transaction open: no step ends them.
    pub fn idle(&self) -> usize {
        self.backends.iter().filter(|backend| backend.is_client && backend.state == State::Idle).count()
    }

    /// Connections by application name, the most first.
    pub fn holders(&self) -> Vec<(&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for backend in self.backends.iter().filter(|backend| backend.is_client) {
            *counts.entry(&backend.application).or_default() += 1;
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(application, count)| (Reverse(*count), *application));
        counts
    }
}

/// A name for an application that has none.
pub fn named(application: &str) -> &str {
    if application.is_empty() { "-" } else { application }
}
