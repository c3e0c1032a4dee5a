//! Which sessions are to be ended, and why the others are not: pure.

use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

use crate::texts;
use remediation::act::actions::end_session::EndSession;
use remediation::act::actions::end_session::{Cause, Ending};
use remediation::domain::Language;
use remediation::gather::config::Config;
use remediation::gather::config::sessions::SessionPolicy;
use remediation::gather::sessions::{Backend, Overview, Protection, State};
use remediation::run::step::{Audience, Finding, Often, Plan, Planned, Skipped};
use remediation::run::texts as common;
use serde::Deserialize;
use serde_json::json;

use crate::chains::{Chains, PREPARED, Root};
use crate::evidence::{Evidence, named};
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

pub fn plan(evidence: &Evidence, config: &Config, policy: &Policy) -> Plan {
    let chains = Chains::of(&evidence.backends);
    // This step may not end what holds others up: that needs a person, and others may be waiting for as long as it lasts.
    let often = Often::OnceIn(TimeDelta::minutes(i64::from(policy.tell_again_minutes)));
    let mut making = Making {
        evidence,
        often,
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
    plan.findings.extend(unlisted.into_iter().map(|(application, count)| {
        let (target, message) =
            (format!("application {}", named(application)), texts::application_left(language, application, count));
        let evidence =
            json!({ "applicationName": application, "sessions": count, "allowed": config.sessions.applications });
        Finding::new("application_left", target, message, evidence).told(Audience::People, often)
    }));
    if unsignalled > 0 {
        let message = texts::grant_signal(language, &evidence.user, unsignalled);
        let read = json!({ "sessions": unsignalled });
        let finding = Finding::new("may_not_signal", evidence.user.as_str(), message, read);
        plan.findings.push(finding.told(Audience::People, often));
    }
    if evidence.overview.unseen > 0 {
        let message = common::sessions_unseen(language, evidence.overview.unseen);
        let read = json!({ "sessions": evidence.overview.unseen });
        plan.findings.push(Finding::new("sessions_unseen", evidence.user.as_str(), message, read));
    }
    let counted = |backend: &&Backend| {
        backend.is_client && !matches!(backend.protection, Some(Protection::Own | Protection::OtherDatabase))
    };
    plan.population = evidence.backends.iter().filter(counted).count();
    plan.report = Some(report::of(evidence, &chains, &config.sessions, language));
    plan
}

struct Making<'a> {
    evidence: &'a Evidence,
    /// How often people are told what needs them.
    often: Often,
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
        if !self.sessions.allows(&backend.application, backend.client) {
            return Some(Hindrance::Unlisted(texts::not_listed(self.language, &backend.application)));
        }
        let why = || Hindrance::Unsignalled(texts::may_not_signal(self.language, &self.evidence.user));
        (!backend.may_signal).then(why)
    }

    fn skip(&mut self, backend: &Backend, why: String) {
        self.decided.insert(backend.pid);
        let target = backend.id().map_or_else(|| format!("session {}", backend.pid), |id| id.to_string());
        self.plan.skipped.push(Skipped::new(target, why));
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
        self.plan.actions.push(Planned::new(action, reason));
        None
    }

    /// What a person asks for, whatever its age.
    fn asked(&mut self, pid: i32, chains: &Chains<'_>) {
        let Some(backend) = self.evidence.backends.iter().find(|backend| backend.pid == pid) else {
            let (target, why) = (format!("session {pid}"), texts::gone(self.language));
            self.plan.skipped.push(Skipped::new(target, why));
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
            let message = texts::blocker_left(language, blocked, waiting, &why, backend.pid);
            let evidence = json!({
                "application": backend.application,
                "user": backend.user,
                "state": backend.state,
                "statement": backend.statement,
                "protection": backend.protection,
                "blocked": blocked,
                "seconds": waiting,
            });
            let finding = Finding::new("blocker_left", format!("session {}", backend.pid), message, evidence);
            // Others stand still meanwhile, and nobody else can help them.
            self.plan.findings.push(finding.told(Audience::PeopleAtOnce, self.often));
        }
    }

    fn deadlocks(&mut self, chains: &Chains<'_>) {
        let pids = chains.deadlocked();
        if pids.is_empty() {
            return;
        }
        let list = pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        self.plan.skipped.push(Skipped::new(format!("sessions {list}"), texts::deadlock(self.language)));
        self.decided.extend(pids);
    }

    /// Statements that run for too long although nobody holds them up.
    fn long_statements(&mut self) {
        let limit = self.sessions.long_query;
        for backend in &self.evidence.backends {
            let long = self.evidence.is_long(backend, limit);
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
            let holders = self.evidence.holders();
            let first = holders.iter().take(5).map(|(application, count)| format!("{} {count}", named(application)));
            let list = first.collect::<Vec<_>>().join(", ");
            let idle = self.evidence.idle();
            let message = texts::scarce(self.language, used, available, idle, &list);
            let evidence = json!({ "used": used, "available": available, "idle": idle, "byApplication": holders });
            let finding = Finding::new("connections_scarce", "max_connections", message, evidence);
            // An idle session without a transaction is a pool's: what is too many of them, only a person can say.
            self.plan.findings.push(finding.told(Audience::People, self.often));
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
            let message = texts::prepared(self.language, &prepared.gid, &prepared.owner, seconds, blocked);
            let finding = Finding::new("prepared_transaction", prepared.gid.as_str(), message, json!(prepared));
            self.plan.findings.push(finding.told(Audience::People, self.often));
        }
    }
}
