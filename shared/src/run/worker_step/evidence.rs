//! What a worker step was asked and has read, and what its judgement comes to.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::act::actions::change_worker::texts as change;
use crate::act::actions::change_worker::{ChangeWorker, Purpose};
use crate::act::lease::{Lease, REVERT_AFTER};
use crate::domain::Language;
use crate::finding::{Audience, Often};
use crate::gather::alarms::Standing;
use crate::gather::state_machine::Callers;
use crate::gather::worker::seen::Seen;
use crate::gather::worker::setting::Setting;
use crate::run::incident::{self, Look};
use crate::run::step::{Finding, Plan, Planned};
use crate::run::worker_step::load::Load;
use crate::run::worker_step::queue::UnderWay;
use crate::run::worker_step::since::Measured;
use crate::run::worker_step::texts;

/// What a worker step is about.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The step's name.
    pub step: String,
    /// What it changes.
    pub setting: Setting,
    /// The alarm whose open incident it answers, without the installation's prefix.
    pub alarm: &'static str,
    /// What a person may ask for with `to`.
    pub may_be: RangeInclusive<u32>,
}

/// What was read.
#[derive(Debug)]
pub struct Evidence {
    /// What the step is about.
    pub rules: Rules,
    /// [`Worker::target`].
    pub target: String,
    /// The worker.
    pub seen: Seen,
    /// How the state machine calls it; or why that is not known.
    pub callers: Result<Callers, String>,
    /// Who wants a change.
    pub wants: Wants,
    /// The step's alarm, and its incident.
    pub look: Look,
    /// Whether anything was measured since the last change took effect.
    pub measured: Measured,
    /// What another step, or another run of this one, has under way on the worker.
    pub under_way: Option<UnderWay>,
    /// When a process is stopped by another step of ours, in seconds from its execution's start.
    pub process_deadline: Option<u32>,
    /// How long a change stays.
    pub revert_after: TimeDelta,
    /// What the worker had to do; `None`: it could not be counted.
    pub load: Option<Load>,
    /// The step's own open leases.
    pub leases: Vec<Lease>,
    /// A plan is being approved: all of it is planned anew.
    pub(super) approving: bool,
    /// The lease of a change that a person wants to stay.
    pub(super) confirm: Option<Lease>,
}

/// Who wants a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// A person, or another step.
    Asked {
        /// The value that was named; `None`: one step further.
        to: Option<u32>,
    },
    /// The incident of this alarm is open.
    Incident(String),
    /// Nobody.
    Nothing,
}

/// What a step's judgement comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// The worker should have another value.
    Change {
        /// Which.
        to: Option<u32>,
        /// What that costs at most; `None`: not known.
        usd_a_month: Option<f64>,
        /// What keeps it from going further, where something does.
        bound: Option<String>,
    },
    /// Nothing is to be done, and why.
    Leave(String),
    /// Something is wrong that needs a person, who is told once a day: a finding's code, its sentence, and what was read.
    Tell(&'static str, String, Value),
}

impl Evidence {
    /// What decides at least: the load is not known, and there are no leases.
    #[must_use]
    pub fn new(rules: Rules, target: String, seen: Seen, callers: Result<Callers, String>, wants: Wants) -> Self {
        Self {
            rules,
            target,
            seen,
            callers,
            look: Look::of(match &wants {
                Wants::Incident(alarm) => Some(alarm),
                Wants::Asked { .. } | Wants::Nothing => None,
            }),
            wants,
            measured: Measured::Needless,
            under_way: None,
            process_deadline: None,
            revert_after: REVERT_AFTER,
            load: None,
            leases: Vec::new(),
            approving: false,
            confirm: None,
        }
    }

    /// The action that gives the worker another value, with its reason.
    #[must_use]
    pub fn change(&self, to: Option<u32>, language: Language) -> Planned {
        let (setting, from) = (self.rules.setting, self.seen.value);
        let (cause, reason) = match &self.wants {
            Wants::Incident(alarm) => ("incident", texts::for_incident(language, alarm, setting, from, to)),
            Wants::Asked { .. } | Wants::Nothing => ("asked", texts::for_operator(language, setting, from, to)),
        };
        let revert_after = setting.is_revertible().then_some(self.revert_after);
        self.action(to, Purpose::Set { cause, revert_after }, reason)
    }

    /// The action that reverts what a lease of this step has changed.
    #[must_use]
    pub fn revert(&self, lease: &Lease, language: Language) -> Planned {
        let to = self.rules.setting.value_in(&lease.before);
        let reason = texts::lease_over(language, self.rules.setting, to, lease.revert_at);
        self.action(to, Purpose::Revert(lease.action_id), reason)
    }

    /// An action on the worker as it was read.
    #[must_use]
    pub fn action(&self, to: Option<u32>, purpose: Purpose, reason: String) -> Planned {
        let change = ChangeWorker { seen: self.seen.clone(), target: self.target.clone(), to, purpose };
        Planned::new(change, reason)
    }

    /// Why nothing is to be done, where nobody wants a change. That nobody knows whether somebody does is told.
    #[must_use]
    pub fn nothing_wanted(&self, language: Language) -> Option<Judgement> {
        if self.wants != Wants::Nothing {
            return None;
        }
        let why = self.look.why_not(language);
        Some(match (&self.look.standing, why) {
            (Standing::Unreadable(_), Some(why)) => {
                Judgement::Tell("alarm_unreadable", why, json!({ "alarm": self.alarm() }))
            }
            (_, Some(why)) => Judgement::Leave(why),
            (_, None) => Judgement::Leave(texts::no_incident(language, self.rules.alarm)),
        })
    }

    /// Why there is no further step: nothing was measured since the last one.
    pub(super) fn unmeasured(&self, language: Language) -> Option<Judgement> {
        match &self.measured {
            Measured::Needless | Measured::Since => None,
            Measured::Nothing { last } => Some(Judgement::Leave(texts::not_measured(language, *last))),
            Measured::Unknown(why) => {
                let told = incident::texts::unreadable(language, self.alarm(), why);
                Some(Judgement::Tell("alarm_unreadable", told, json!({ "alarm": self.alarm() })))
            }
        }
    }

    /// The alarm's name, with the installation's prefix where that is known.
    pub(super) fn alarm(&self) -> &str {
        self.look.alarm.as_ref().map_or(self.rules.alarm, |alarm| &alarm.name)
    }
}

/// What needs a person: people are told of it, once a day, however often it is seen.
pub(super) fn tell(plan: &mut Plan, evidence: &Evidence, code: &'static str, message: String, read: Value) {
    let finding = Finding::new(code, evidence.target.as_str(), message, read);
    plan.findings.push(finding.told(Audience::People, Often::ONCE_A_DAY));
}

/// In what publishing would release more than our own change.
pub(super) fn differs(seen: &Seen, language: Language) -> Option<Judgement> {
    let parts = seen.unreleased();
    let message = change::latest_differs(language, &parts.join(", "));
    (!parts.is_empty()).then(|| Judgement::Tell("latest_differs", message, json!({ "differs": parts })))
}
