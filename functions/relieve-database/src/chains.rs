//! Who waits for whom, up to the roots: pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use remediation::gather::sessions::Backend;

/// A prepared transaction, in the words of `pg_blocking_pids`.
pub const PREPARED: i32 = 0;

/// The sessions that wait, by whom they wait for.
pub struct Chains<'a> {
    backends: BTreeMap<i32, &'a Backend>,
    waiters: BTreeMap<i32, Vec<&'a Backend>>,
}

/// A session that others wait for, and that waits for nobody.
pub struct Root<'a> {
    pub backend: &'a Backend,
    /// Who waits for it directly.
    pub direct: Vec<i32>,
    /// How many wait for it in all.
    pub blocked: usize,
    /// Since when somebody has been waiting for it directly.
    pub since: Option<DateTime<Utc>>,
}

impl<'a> Chains<'a> {
    pub fn of(backends: &'a [Backend]) -> Self {
        let mut waiters: BTreeMap<i32, Vec<&Backend>> = BTreeMap::new();
        for backend in backends {
            // A parallel query may be named once for each of its processes.
            for by in backend.blocked_by.iter().collect::<BTreeSet<_>>() {
                waiters.entry(*by).or_default().push(backend);
            }
        }
        Self { backends: backends.iter().map(|backend| (backend.pid, backend)).collect(), waiters }
    }

    /// Who waits for this one directly; the longest wait first.
    pub fn waiters(&self, pid: i32) -> Vec<&'a Backend> {
        let mut waiters = self.waiters.get(&pid).cloned().unwrap_or_default();
        waiters.sort_by_key(|waiter| (waiter.blocked_since, waiter.pid));
        waiters
    }

    /// Who waits for this one, directly or for one that does.
    pub fn blocked(&self, pid: i32) -> BTreeSet<i32> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![pid]);
        while let Some(pid) = next.pop() {
            next.extend(self.waiters(pid).iter().map(|waiter| waiter.pid).filter(|waiter| seen.insert(*waiter)));
        }
        // In a cycle one comes back to where one began.
        seen.remove(&pid);
        seen
    }

    /// The roots that are sessions: idle in a transaction first, then those that most wait for. One that is gone by now is none.
    pub fn roots(&self) -> Vec<Root<'a>> {
        let is_root = |pid: &&i32| self.backends.get(pid).is_some_and(|backend| backend.blocked_by.is_empty());
        let mut roots: Vec<Root<'a>> = self
            .waiters
            .keys()
            .filter(is_root)
            .filter_map(|pid| {
                let direct = self.waiters(*pid);
                Some(Root {
                    backend: self.backends.get(pid)?,
                    blocked: self.blocked(*pid).len(),
                    since: direct.iter().filter_map(|waiter| waiter.blocked_since).min(),
                    direct: direct.iter().map(|waiter| waiter.pid).collect(),
                })
            })
            .collect();
        roots.sort_by_key(|root| {
            (!root.backend.state.is_idle_in_transaction(), std::cmp::Reverse(root.blocked), root.backend.pid)
        });
        roots
    }

    /// Those that wait for each other: from none of them a chain leads to a root, to a prepared transaction, or to one that is gone by now.
    pub fn deadlocked(&self) -> BTreeSet<i32> {
        let waits = |pid: i32| self.backends.get(&pid).is_some_and(|backend| !backend.blocked_by.is_empty());
        let ends: BTreeSet<i32> = self.waiters.keys().copied().filter(|pid| !waits(*pid)).collect();
        let reached: BTreeSet<i32> = ends.iter().flat_map(|end| self.blocked(*end)).collect();
        self.waiters.keys().copied().filter(|pid| waits(*pid) && !reached.contains(pid)).collect()
    }
}

impl<'a> Chains<'a> {
    /// Everybody behind this one, each once and with its distance, as a tree is read.
    pub fn tree(&self, pid: i32) -> Vec<(usize, &'a Backend)> {
        let (mut seen, mut tree) = (BTreeSet::from([pid]), Vec::new());
        let mut next: Vec<(usize, &Backend)> = self.waiters(pid).into_iter().rev().map(|waiter| (1, waiter)).collect();
        while let Some((depth, backend)) = next.pop() {
            if seen.insert(backend.pid) {
                tree.push((depth, backend));
                next.extend(self.waiters(backend.pid).into_iter().rev().map(|waiter| (depth + 1, waiter)));
            }
        }
        tree
    }
}
