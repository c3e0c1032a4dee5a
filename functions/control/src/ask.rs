//! What an operator's event asks of a control: read with all its rules, without a database.

use remediation::act::ledger::controls::{Allowance, EVERYWHERE};
use remediation::domain::{Both, Language, Mode};
use remediation::gather::error::Error;
use remediation::gather::parameters::Parameters;
use remediation::gather::trigger::{TriggerError, field};
use remediation::text;

use crate::change::{Ask, Verb};
use crate::texts;

/// The operator's parameters.
pub const PARAMETERS: &[&str] = &[STEP, STOP, RESUME, RESET, ALLOW, PER_RUN, PER_HOUR, SHARE];
/// Those that change something.
pub const COMMANDS: &[&str] = &[STOP, RESUME, RESET, ALLOW, PER_RUN, PER_HOUR, SHARE];

const STEP: &str = "step";
const STOP: &str = "stop";
const RESUME: &str = "resume";
const RESET: &str = "reset";
const ALLOW: &str = "allow";
const PER_RUN: &str = "actionsPerRun";
const PER_HOUR: &str = "actionsPerHour";
const SHARE: &str = "share";

/// Reads what is asked for; `None` where an event only wants to know what is in force.
///
/// # Errors
/// [`Error::Trigger`] with the parameter that is wrong, and what it may be; [`Error::Refused`] where nobody says who asks, or why
/// everything is to stop.
pub fn read(
    parameters: Parameters<'_>,
    steps: &[String],
    by: Option<&str>,
    reason: Option<&str>,
    language: Language,
) -> Result<Option<Ask>, Error> {
    let known = |name: &str| steps.iter().any(|step| step == name);
    let names = steps.join(", ");
    let expected = |language| text!(language, ja: "{names} のいずれか。省略すると全ステップ", en: "one of {names}; left out, it is every step");
    let step = parameters.read(STEP, expected, |value| value.as_str().filter(|name| known(name)).map(str::to_owned))?;
    let mode = parameters.read(ALLOW, field::mode, |value| value.as_str()?.parse::<Mode>().ok())?;
    let share = parameters
        .read(SHARE, texts::share_may_be, |value| value.as_f64().filter(|share| (0.0..=1.0).contains(share)))?;
    let limits = Allowance {
        mode,
        actions_per_run: parameters.whole(PER_RUN, 0..=1_000_000)?,
        actions_per_hour: parameters.whole(PER_HOUR, 0..=1_000_000)?,
        share,
    };
    let mut verbs: Vec<(&str, Verb)> = Vec::new();
    for (name, verb) in [(STOP, Verb::Stop), (RESUME, Verb::Resume), (RESET, Verb::Reset)] {
        if parameters.flag(name)? {
            verbs.push((name, verb));
        }
    }
    let set = [ALLOW, PER_RUN, PER_HOUR, SHARE].into_iter().find(|name| parameters.0.contains_key(*name));
    verbs.extend(set.map(|name| (name, Verb::Set(limits))));
    let (name, verb) = match (verbs.pop(), verbs.pop()) {
        (None, _) => return Ok(None),
        (Some(only), None) => only,
        (Some((one, _)), Some((other, _))) => {
            return Err(Error::Trigger(TriggerError::Contradiction {
                one: other.to_owned(),
                other: one.to_owned(),
                rule: Both::of(texts::one_verb),
            }));
        }
    };
    if step.is_none() && !matches!(verb, Verb::Stop | Verb::Resume) {
        return Err(Error::Refused(texts::needs_step(language, name, &names)));
    }
    let by = by.ok_or_else(|| Error::Refused(texts::needs_by(language, name)))?;
    if matches!(verb, Verb::Stop) && reason.is_none() {
        return Err(Error::Refused(texts::needs_reason(language, name)));
    }
    Ok(Some(Ask {
        step: step.unwrap_or_else(|| EVERYWHERE.to_owned()),
        verb,
        by: by.to_owned(),
        reason: reason.map(str::to_owned),
    }))
}
