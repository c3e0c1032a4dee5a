//! The incident that a run would act on: open in the ledger, and borne out by its alarm (design, 6.7).

pub mod texts;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::act::escalation::Open;
use crate::act::ledger::incidents::{self, Ended, Incident};
use crate::domain::Language;
use crate::gather::alarms::{AlarmArn, Alarms, Standing, Told};
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::session::Session;
use crate::gather::trigger::{AlarmChange, AlarmState, Trigger};

/// What is known of an alarm and its incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Which alarm; `None` where the installation's own cannot be known.
    pub alarm: Option<AlarmArn>,
    /// Its incident, where one is open still.
    pub incident: Option<Incident>,
    /// How the alarm stands.
    pub standing: Standing,
    /// What CloudWatch told, where it was asked.
    pub told: Option<Told>,
    /// An incident was open, and this look has closed it.
    pub closed: bool,
}

impl Look {
    /// An alarm that is on with its incident, or nothing that is known.
    #[must_use]
    pub fn of(on: Option<&String>) -> Self {
        let incident = on.map(|alarm| Incident {
            id: Uuid::nil(),
            alarm: alarm.clone(),
            opened_at: DateTime::<Utc>::default(),
            held_back: None,
            held_until: None,
        });
        let standing = if on.is_some() { Standing::On } else { Standing::NotAsked };
        Self { alarm: None, incident, standing, told: None, closed: false }
    }

    /// The alarm whose incident is to be acted on: it is open, the alarm is in ALARM, and nothing holds it back.
    #[must_use]
    pub fn acts_on(&self) -> Option<&str> {
        let incident = self.incident.as_ref().filter(|_| self.standing == Standing::On)?;
        Some(&incident.alarm)
    }

    /// Why nothing is done for the incident's sake; `None` where there is none, or it is acted on.
    #[must_use]
    pub fn why_not(&self, language: Language) -> Option<String> {
        let name = self.alarm.as_ref().map(|alarm| alarm.name.as_str()).unwrap_or_default();
        let is_known = !matches!(self.standing, Standing::Unreadable(_));
        if is_known && self.incident.is_none() && !self.closed {
            return None;
        }
        match &self.standing {
            Standing::On | Standing::NotAsked => None,
            Standing::HeldBack(by) => Some(texts::held_back(language, name, by)),
            Standing::Ok(since) => Some(texts::ok(language, name, *since)),
            Standing::Gone => Some(texts::gone(language, name)),
            Standing::Silent(since) => Some(texts::silent(language, name, *since)),
            Standing::Waiting => Some(texts::waiting(language, name)),
            Standing::Unreadable(why) => Some(texts::unreadable(language, name, why)),
        }
    }
}

/// The alarm that an event is about: by its ARN, else the one of that name beside the state machine.
#[must_use]
pub fn alarm_of(change: &AlarmChange, config: &Config) -> Option<AlarmArn> {
    let told = change.arn.as_deref().and_then(AlarmArn::parse);
    told.or_else(|| AlarmArn::beside(&config.state_machine_arn, &change.alarm))
}

/// Looks for the open incident of the alarm that the event is about, else of the installation's own `alarm`, for its step `own`. Where no
/// event says how the alarm stands, and there is an incident, or `asks`, CloudWatch is asked; an incident that is over is closed.
///
/// # Errors
/// [`Error::Database`]. What CloudWatch refuses is a [`Standing`].
pub async fn look(session: &mut Session<'_>, own: &str, alarm: &str, asks: bool) -> Result<Look, Error> {
    let config = session.config;
    let change = match session.trigger {
        Trigger::Alarm(change) => Some(change),
        Trigger::Schedule(_) | Trigger::Execution(_) | Trigger::Operator(_) => None,
    };
    let alarm = change.map_or_else(|| AlarmArn::of_installation(config, own, alarm), |change| alarm_of(change, config));
    let mut look = Look { alarm, incident: None, standing: Standing::NotAsked, told: None, closed: false };
    let Some(alarm) = look.alarm.clone() else {
        look.standing = Standing::Unreadable(texts::own_name(config.language, own));
        return Ok(look);
    };
    look.incident = incidents::open_incident(session.db, &alarm, &config.state_machine_arn).await?;
    match change.map(|change| change.state) {
        // It is what the event says; a late one of which the end is known says nothing.
        Some(AlarmState::Alarm) if look.incident.is_some() => {
            look.standing = Standing::On;
            return Ok(look);
        }
        Some(AlarmState::Ok) => {
            look.standing = Standing::Ok(change.map(|change| change.at));
            return Ok(look);
        }
        Some(AlarmState::Alarm | AlarmState::InsufficientData) | None => {}
    }
    if look.incident.is_none() && !asks {
        return Ok(look);
    }
    match Alarms::of(session.aws, &alarm).describe(&alarm, config).await {
        Ok(told) => {
            look.standing = Standing::of(told.as_ref(), session.now);
            look.told = told;
        }
        Err(error) => look.standing = Standing::Unreadable(error.told(config.language)),
    }
    let Some(incident) = &look.incident else { return Ok(look) };
    if let (Standing::On, Some(by)) = (&look.standing, incident.held_back(session.now)) {
        look.standing = Standing::HeldBack(by.to_owned());
    }
    if !end(session, incident.id, &look.standing).await? {
        return Ok(look);
    }
    (look.incident, look.closed) = (None, true);
    Ok(look)
}

/// Closes an incident whose alarm tells that it is over; says whether it is.
async fn end(session: &mut Session<'_>, incident: Uuid, standing: &Standing) -> Result<bool, Error> {
    let (ended, at) = match standing {
        Standing::Ok(since) => (Ended::Ok, since.unwrap_or(session.now)),
        Standing::Gone => (Ended::Gone, session.now),
        Standing::Silent(_) => (Ended::Silent, session.now),
        Standing::On | Standing::HeldBack(_) | Standing::Waiting | Standing::Unreadable(_) | Standing::NotAsked => {
            return Ok(false);
        }
    };
    incidents::close(session.db, incident, ended, at).await?;
    Ok(true)
}

/// How the alarms of many open incidents stand, in their order; those that are over are closed. CloudWatch is asked for a hundred at a time.
///
/// # Errors
/// [`Error::Database`]. What CloudWatch refuses is a [`Standing`].
pub async fn stand(session: &mut Session<'_>, open: &[Open]) -> Result<Vec<Standing>, Error> {
    let config = session.config;
    let mut standings = vec![Standing::NotAsked; open.len()];
    let mut by_region: BTreeMap<String, Vec<(usize, AlarmArn)>> = BTreeMap::new();
    for (at, incident) in open.iter().enumerate() {
        let alarm = incident.alarm_arn.as_deref().and_then(AlarmArn::parse);
        let Some(alarm) = alarm.or_else(|| AlarmArn::beside(&config.state_machine_arn, &incident.alarm)) else {
            standings[at] = Standing::Unreadable(incident.alarm.clone());
            continue;
        };
        match alarm.is_within_reach(config) {
            Ok(()) => by_region.entry(alarm.region().to_owned()).or_default().push((at, alarm)),
            Err(error) => standings[at] = Standing::Unreadable(error.told(config.language)),
        }
    }
    for alarms in by_region.values() {
        let asked: Vec<&AlarmArn> = alarms.iter().map(|(_, alarm)| alarm).collect();
        let told = Alarms::of(session.aws, asked[0]).describe_all(&asked).await;
        for (place, (at, _)) in alarms.iter().enumerate() {
            standings[*at] = match &told {
                Ok(told) => Standing::of(told[place].as_ref(), session.now),
                Err(error) => Standing::Unreadable(error.told(config.language)),
            };
        }
    }
    for (incident, standing) in open.iter().zip(&mut standings) {
        if let (Standing::On, Some(by)) = (&*standing, incident.held_back(session.now)) {
            *standing = Standing::HeldBack(by.to_owned());
        }
        end(session, incident.id, standing).await?;
    }
    Ok(standings)
}
