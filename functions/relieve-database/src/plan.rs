//! Which sessions are to be ended, and why the others are not: pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::texts;
use chrono::{DateTime, TimeDelta, Utc};
use remediation::act::actions::end_session::{Cause, Ending};
use remediation::act::actions::{Action, EndSession};
use remediation::act::ledger::told::Told;
use remediation::domain::Language;
use remediation::gather::config::{Config, SessionPolicy};
use remediation::gather::sessions::{Backend, BackendId, Overview, Prepared, Protection, State};
use remediation::run::step::{Finding, Plan, Planned, Skipped};
use remediation::run::texts as common;
use serde::Deserialize;
use serde_json::json;

use crate::chains::{Chains, PREPARED, Root};
use crate::report;

/// What this step alone knows.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// From how many percent of the connections on they are scarce.
    pub connections_percent: f64,
    /// After how many minutes people are notified of the same finding again.
    pub tell_again_minutes: u32,
}

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
    /// What people were told lately; nothing where a person asks.
    pub told: Vec<Told>,
}

impl Evidence {
    /// Whole seconds since then, and 0 where that is not known.
    pub fn seconds(&self, since: Option<DateTime<Utc>>) -> i64 {
        since.map_or(0, |since| (self.at - since).num_seconds().max(0))
    }

    fn is_over(&self, since: Option<DateTime<Utc>>, limit: TimeDelta) -> bool {
        since.is_some_and(|since| self.at - since > limit)
    }
}

/// The findings that need a person: this step may not end what holds others up.
pub const FOR_PEOPLE: [&str; 4] = ["application_left", "blocker_left", "may_not_signal", "prepared_transaction"];

/// A name for an application that has none.
pub fn named(application: &str) -> &str {
    if application.is_empty() { "-" } else { application }
}

pub fn plan(evidence: &Evidence, config: &Config, policy: &Policy) -> Plan {
    let chains = Chains::of(&evidence.backends);
    let mut making = Making {
        evidence,
        sessions: &config.sessions,
        language: config.language,
        plan: Plan::default(),
        decided: BTreeSet::new(),
        unlisted: BTreeMap::new(),
        unsignalled: 0,
    };
    match evidence.asked {
        Some(pid) => making.asked(pid, &chains),
        None => {
            making.roots(&chains);
            making.deadlocks(&chains);
            making.long_statements();
            making.idle(policy);
            making.prepared(&chains);
        }
    }
    let Making { mut plan, unlisted, unsignalled, language, .. } = making;
    plan.findings.extend(unlisted.into_iter().map(|(application, count)| Finding {
        code: "application_left",
        message: texts::application_left(language, application, count),
        target: format!("application {}", named(application)),
        evidence: json!({ "applicationName": application, "sessions": count, "allowed": config.sessions.applications }),
    }));
    if unsignalled > 0 {
        plan.findings.push(Finding {
            code: "may_not_signal",
            message: texts::grant_signal(language, &evidence.user, unsignalled),
            target: evidence.user.clone(),
            evidence: json!({ "sessions": unsignalled }),
        });
    }
    if evidence.overview.unseen > 0 {
        plan.findings.push(Finding {
            code: "sessions_unseen",
            message: common::sessions_unseen(language, evidence.overview.unseen),
            target: evidence.user.clone(),
            evidence: json!({ "sessions": evidence.overview.unseen }),
        });
    }
    let told = |finding: &Finding| {
        evidence.told.iter().any(|told| (&*told.code, &told.target) == (finding.code, &finding.target))
    };
    let hushed = plan.findings.extract_if(.., |finding| told(finding)).collect::<Vec<_>>();
    plan.skipped.extend(hushed.into_iter().map(|finding| Skipped {
        why: format!("{}: {}", finding.code, common::told_already(language)),
        target: finding.target,
    }));
    let counted = |backend: &&Backend| {
        backend.is_client && !matches!(backend.protection, Some(Protection::Own | Protection::OtherDatabase))
    };
    plan.population = evidence.backends.iter().filter(counted).count();
    plan.report = Some(report::of(evidence, &chains, &config.sessions, language));
    plan
}

struct Making<'a> {
    evidence: &'a Evidence,
    sessions: &'a SessionPolicy,
    language: Language,
    plan: Plan,
    /// The sessions of which all is said.
    decided: BTreeSet<i32>,
    /// How many sessions were left for the sake of each application name.
    unlisted: BTreeMap<&'a str, usize>,
    /// How many were left because this user may not signal them.
    unsignalled: usize,
}

/// What stands in the way of ending a session.
enum Hindrance {
    Protected(String),
    Unlisted(String),
    Unsignalled(String),
}

impl Hindrance {
    fn why(&self) -> &str {
        let (Self::Protected(why) | Self::Unlisted(why) | Self::Unsignalled(why)) = self;
        why
    }
}

impl<'a> Making<'a> {
    fn hindrance(&self, backend: &Backend) -> Option<Hindrance> {
        if let Some(protection) = backend.protection {
            return Some(Hindrance::Protected(texts::protection(self.language, protection, &backend.database)));
        }
        if backend.state == State::Unknown {
            return Some(Hindrance::Protected(texts::state_unknown(self.language)));
        }
        if !self.sessions.applications.contains(&backend.application) {
            return Some(Hindrance::Unlisted(texts::not_listed(self.language, &backend.application)));
        }
        let why = || Hindrance::Unsignalled(texts::may_not_signal(self.language, &self.evidence.user));
        (!backend.may_signal).then(why)
    }

    fn skip(&mut self, backend: &Backend, why: String) {
        self.decided.insert(backend.pid);
        let target = backend.id().map_or_else(|| format!("session {}", backend.pid), |id| id.to_string());
        self.plan.skipped.push(Skipped { target, why });
    }

    /// Wants a session ended. If something stands in the way, the session is skipped with that reason, which is returned.
    fn want(
        &mut self,
        backend: &'a Backend,
        ending: Ending,
        cause: Cause,
        reason: String,
        waiters: Vec<i32>,
    ) -> Option<Hindrance> {
        let hindrance = self.hindrance(backend);
        let (Some(id), None) = (backend.id(), &hindrance) else {
            match &hindrance {
                Some(Hindrance::Unlisted(_)) => *self.unlisted.entry(&backend.application).or_default() += 1,
                Some(Hindrance::Unsignalled(_)) => self.unsignalled += 1,
                Some(Hindrance::Protected(_)) | None => {}
            }
            let why = hindrance.as_ref().map_or_else(|| texts::state_unknown(self.language), |it| it.why().to_owned());
            self.skip(backend, why);
            return hindrance;
        };
        let again = ending == Ending::Cancel && self.evidence.cancelled.contains(&id);
        let (ending, reason) =
            if again { (Ending::Terminate, texts::after_cancel(self.language, &reason)) } else { (ending, reason) };
        self.decided.insert(backend.pid);
        let action = EndSession { id, seen: backend.clone(), ending, cause, waiters };
        self.plan.actions.push(Planned::new(Action::EndSession(Box::new(action)), reason));
        None
    }

    /// What a person asks for, whatever its age.
    fn asked(&mut self, pid: i32, chains: &Chains<'_>) {
        let Some(backend) = self.evidence.backends.iter().find(|backend| backend.pid == pid) else {
            let (target, why) = (format!("session {pid}"), texts::gone(self.language));
            self.plan.skipped.push(Skipped { target, why });
            return;
        };
        let ending = match backend.state {
            State::Active => Ending::Cancel,
            // For an unknown one, the hindrance is said.
            State::Idle | State::IdleInTransaction | State::IdleInTransactionAborted | State::Unknown => {
                Ending::Terminate
            }
        };
        let waiters = chains.waiters(pid).iter().map(|waiter| waiter.pid).collect();
        self.want(backend, ending, Cause::Asked, texts::asked(self.language, ending), waiters);
    }

    /// Those that others wait for.
    fn roots(&mut self, chains: &Chains<'a>) {
        for root in chains.roots() {
            self.root(root);
        }
    }

    fn root(&mut self, root: Root<'a>) {
        let Root { backend, direct, blocked, since } = root;
        let (language, blocking) = (self.language, self.sessions.blocking);
        let (waiting, late) = (self.evidence.seconds(since), self.evidence.is_over(since, blocking));
        let idle = self.evidence.seconds(backend.state_since);
        let idle_for_long = backend.state.is_idle_in_transaction()
            && self.evidence.is_over(backend.state_since, self.sessions.idle_in_transaction);
        if !late && !idle_for_long {
            self.skip(backend, texts::not_long_yet(language, blocked, waiting, blocking.num_seconds()));
            return;
        }
        let hindrance = match backend.state {
            State::IdleInTransaction | State::IdleInTransactionAborted | State::Unknown => {
                let reason = texts::idle_root(language, idle, blocked, waiting);
                self.want(backend, Ending::Terminate, Cause::Blocks, reason, direct)
            }
            State::Active => {
                let reason = texts::active_root(language, blocked, waiting);
                self.want(backend, Ending::Cancel, Cause::Blocks, reason, direct)
            }
            State::Idle => {
                let why =
                    self.hindrance(backend).map_or_else(|| texts::holds_while_idle(language), |it| it.why().to_owned());
                self.skip(backend, why.clone());
                Some(Hindrance::Protected(why))
            }
        };
        if let Some(Hindrance::Protected(why)) = hindrance {
            self.plan.findings.push(Finding {
                code: "blocker_left",
                message: texts::blocker_left(language, blocked, waiting, &why, backend.pid),
                target: format!("session {}", backend.pid),
                evidence: json!({
                    "application": backend.application,
                    "user": backend.user,
                    "state": backend.state,
                    "statement": backend.statement,
                    "protection": backend.protection,
                    "blocked": blocked,
                    "seconds": waiting,
                }),
            });
        }
    }

    fn deadlocks(&mut self, chains: &Chains<'_>) {
        let pids = chains.deadlocked();
        if pids.is_empty() {
            return;
        }
        let list = pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        self.plan.skipped.push(Skipped { target: format!("sessions {list}"), why: texts::deadlock(self.language) });
        self.decided.extend(pids);
    }

    /// Statements that run for too long although nobody holds them up.
    fn long_statements(&mut self) {
        let limit = self.sessions.long_query;
        for backend in &self.evidence.backends {
            let long = is_long(backend, self.evidence, limit);
            if !long || self.decided.contains(&backend.pid) {
                continue;
            }
            if !backend.blocked_by.is_empty() {
                let by = backend.blocked_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                self.skip(backend, texts::waits_itself(self.language, &by));
                continue;
            }
            let seconds = self.evidence.seconds(backend.statement_since);
            let reason = texts::long_statement(self.language, seconds, limit.num_seconds());
            self.want(backend, Ending::Cancel, Cause::LongStatement, reason, Vec::new());
        }
    }

    /// Those that are idle in a transaction and block nobody: the oldest ones, where connections are scarce, and no more than help.
    fn idle(&mut self, policy: &Policy) {
        let Overview { used, available, .. } = self.evidence.overview;
        let scarce = self.evidence.overview.percent().is_none_or(|percent| percent > policy.connections_percent);
        let terminated = |planned: &&Planned| planned.action.kind() == EndSession::TERMINATE;
        let freed = i64::try_from(self.plan.actions.iter().filter(terminated).count()).unwrap_or(i64::MAX);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "there are not 2^52 connections"
        )]
        let comfortable = (available as f64 * policy.connections_percent / 100.0).floor() as i64;
        let mut needed = used - comfortable - freed;
        let old = |backend: &&Backend| {
            backend.state.is_idle_in_transaction()
                && !self.decided.contains(&backend.pid)
                && self.evidence.is_over(backend.state_since, self.sessions.idle_in_transaction)
        };
        let mut idle: Vec<&'a Backend> = self.evidence.backends.iter().filter(old).collect();
        idle.sort_by_key(|backend| (backend.state_since, backend.pid));
        for backend in idle {
            let seconds = self.evidence.seconds(backend.state_since);
            if !scarce {
                if backend.protection.is_none() {
                    self.skip(backend, texts::blocks_nobody(self.language, seconds));
                }
            } else if needed <= 0 {
                self.skip(backend, texts::enough(self.language, seconds));
            } else {
                let reason = texts::idle_and_scarce(self.language, seconds, used, available);
                let hindered =
                    self.want(backend, Ending::Terminate, Cause::ConnectionsScarce, reason, Vec::new()).is_some();
                needed -= i64::from(!hindered);
            }
        }
        if scarce {
            let holders = report::holders(self.evidence);
            let first = holders.iter().take(5).map(|(application, count)| format!("{} {count}", named(application)));
            let list = first.collect::<Vec<_>>().join(", ");
            self.plan.findings.push(Finding {
                code: "connections_scarce",
                message: texts::scarce(self.language, used, available, &list),
                target: "max_connections".to_owned(),
                evidence: json!({ "used": used, "available": available, "byApplication": holders }),
            });
        }
    }

    /// Transactions without a session.
    fn prepared(&mut self, chains: &Chains<'_>) {
        let blocked = chains.blocked(PREPARED).len();
        let limit = if blocked > 0 { self.sessions.blocking } else { self.sessions.idle_in_transaction };
        for prepared in &self.evidence.prepared {
            if !self.evidence.is_over(Some(prepared.prepared), limit) {
                continue;
            }
            let seconds = self.evidence.seconds(Some(prepared.prepared));
            self.plan.findings.push(Finding {
                code: "prepared_transaction",
                message: texts::prepared(self.language, &prepared.gid, &prepared.owner, seconds, blocked),
                target: prepared.gid.clone(),
                evidence: json!(prepared),
            });
        }
    }
}

/// Whether its statement runs for longer than that. A replica's stream, and a process of the server's own, run for ever.
pub fn is_long(backend: &Backend, evidence: &Evidence, limit: TimeDelta) -> bool {
    backend.state == State::Active
        && !matches!(backend.protection, Some(Protection::Replication | Protection::Background))
        && evidence.is_over(backend.statement_since, limit)
}
