//! The steps that raise one number of the worker, a step at a time and up to a ceiling.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::domain::Language;
use crate::gather::config::Config;
use crate::gather::error::Error;
use crate::gather::manifest::{self, Manifest};
use crate::gather::worker::setting::Setting;
use crate::run::step::{Kind, Plan, Question, Session, Step};
use crate::run::worker_step::{COMMANDS, Evidence, Judgement, NUMBERS, PARAMETERS, Rules, gather, plan};

/// How far a number is raised, and by how much at a time: `[policy]` of a step's manifest.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// Not less than this, in the setting's unit.
    pub floor: u32,
    /// So much at a time.
    pub step: u32,
    /// Not more than this.
    pub ceiling: u32,
    /// What a GB-second of Lambda costs, in USD.
    pub usd_per_gb_second: f64,
}

impl Steps {
    /// Reads `[policy]` of a manifest.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming every key that is missing or makes no sense, beyond what Lambda takes for one.
    pub fn parse(manifest: &str, setting: Setting) -> Result<Self, Error> {
        let steps: Self = manifest::policy(manifest)?;
        let bounds = setting.bounds();
        let checks = [
            ("floor", bounds.contains(&steps.floor), format!("from {} to {}", bounds.start(), bounds.end())),
            (
                "ceiling",
                bounds.contains(&steps.ceiling) && steps.ceiling >= steps.floor,
                format!("from the floor, {}, to {}, which is Lambda's own limit", steps.floor, bounds.end()),
            ),
            ("step", steps.step >= 1, "1 or more".to_owned()),
            ("usd_per_gb_second", steps.usd_per_gb_second >= 0.0, "0 or more".to_owned()),
        ];
        let faults: Vec<String> = checks
            .into_iter()
            .filter(|(_, holds, _)| !holds)
            .map(|(key, _, may_be)| format!("manifest.toml: [policy]: `{key}` must be {may_be}"))
            .collect();
        if faults.is_empty() { Ok(steps) } else { Err(Error::Configuration(faults)) }
    }

    /// What a person may ask for.
    #[must_use]
    pub const fn may_be(&self) -> RangeInclusive<u32> {
        self.floor..=self.ceiling
    }
}

/// A step that raises a number of the worker by [`Steps`].
#[derive(Debug)]
pub struct Raise {
    manifest: &'static str,
    rules: Rules,
    steps: Steps,
    judge: fn(&Evidence, &Steps, Language) -> Judgement,
}

impl Raise {
    /// By its manifest; `judge` is its judgement.
    ///
    /// # Errors
    /// [`Error::Configuration`] where the manifest makes no sense.
    pub fn new(
        manifest: &'static str,
        setting: Setting,
        alarm: &'static str,
        judge: fn(&Evidence, &Steps, Language) -> Judgement,
    ) -> Result<Self, Error> {
        let (step, steps) = (Manifest::parse(manifest)?.name, Steps::parse(manifest, setting)?);
        Ok(Self { manifest, rules: Rules { step, setting, alarm, may_be: steps.may_be() }, steps, judge })
    }
}

impl Step for Raise {
    type Evidence = Evidence;

    const KINDS: &'static [Kind] = NUMBERS;

    const PARAMETERS: &'static [&'static str] = PARAMETERS;
    const COMMANDS: &'static [&'static str] = COMMANDS;

    fn manifest(&self) -> &'static str {
        self.manifest
    }

    async fn gather(&self, session: &mut Session<'_>, question: &Question) -> Result<Evidence, Error> {
        gather(session, question, self.rules.clone()).await
    }

    fn plan(&self, evidence: &Evidence, config: &Config, now: DateTime<Utc>) -> Plan {
        plan(evidence, config, now, |evidence| (self.judge)(evidence, &self.steps, config.language))
    }
}
