//! Writes a setting of the worker by Lambda's calls, and reads it back: the one way in which it is changed, put back and taken back.

use serde_json::Value;
use tokio::time::Instant;

use super::texts;
use crate::act::action::ActionResult;
use crate::domain::Language;
use crate::gather::error::Error;
use crate::gather::worker::Worker;
use crate::gather::worker::configuration::Configuration;
use crate::gather::worker::seen::{Alias, Seen};
use crate::gather::worker::setting::Setting;

/// Writes the setting, and reads it back.
pub(super) async fn carry(
    worker: &Worker,
    seen: &Seen,
    to: Option<u32>,
    stop_at: Instant,
    language: Language,
) -> (ActionResult, Option<Value>) {
    if let Some(what) = seen.under_way() {
        return (ActionResult::NotNow(texts::under_way(language, &what)), Some(seen.image()));
    }
    if let Some(why) = seen.latest.failure() {
        return (ActionResult::Failed(texts::update_failed(language, &why)), Some(seen.image()));
    }
    let unreleased = seen.unreleased();
    if !unreleased.is_empty() {
        let why = texts::latest_differs(language, &unreleased.join(", "));
        return (ActionResult::Failed(why), Some(seen.image()));
    }
    let written = write(worker, seen, to, stop_at, language).await;
    let now = worker.read(seen.setting).await;
    let after = now.as_ref().ok().map(Seen::image);
    let result = match (written, now) {
        (Err(result), _) => result,
        (Ok(()), Ok(now)) if now.value == to => ActionResult::Applied,
        (Ok(()), Ok(_)) => ActionResult::Unverified(texts::reads_otherwise(language)),
        (Ok(()), Err(error)) => ActionResult::Unverified(texts::not_read_back(language, &error.told(language))),
    };
    (result, after)
}

/// Writes the setting, in the way that it is written.
async fn write(
    worker: &Worker,
    seen: &Seen,
    to: Option<u32>,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    match (seen.setting, to) {
        (Setting::Timeout | Setting::Memory | Setting::Redeployment, Some(to)) => {
            configure(worker, seen, to, stop_at, language).await
        }
        (Setting::ReservedConcurrency, to) => reserve(worker, to, language).await,
        (Setting::ProvisionedConcurrency, to) => provision(worker, seen, to, stop_at, language).await,
        (Setting::Timeout | Setting::Memory | Setting::Redeployment, None) => {
            Err(ActionResult::Failed(format!("a function cannot be without `{}`", seen.setting.field())))
        }
    }
}

/// Reserves concurrency. It has no revision to compare: that nobody has changed it was read a moment before, and what came of it is read back.
async fn reserve(worker: &Worker, to: Option<u32>, language: Language) -> Result<(), ActionResult> {
    let Err(error) = worker.reserve(to).await else { return Ok(()) };
    // The call may have got through, and only its answer not.
    match worker.reserved().await {
        Ok(now) if now == to => Ok(()),
        _ => Err(not_done(&error, language)),
    }
}

/// Provisions concurrency for the alias, and waits until the environments are ready. It has no revision either. What cannot be allocated
/// is put back to what was there, for Lambda goes on trying.
async fn provision(
    worker: &Worker,
    seen: &Seen,
    to: Option<u32>,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    let Some(alias) = &seen.alias else {
        return Err(ActionResult::Failed(texts::needs_alias(language)));
    };
    if let Err(error) = worker.provision(&alias.name, to).await {
        return match worker.allocated(&alias.name, stop_at).await {
            // The call may have got through, and only its answer not.
            Ok(now) if now.as_ref().map(|now| now.requested) == to => Ok(()),
            _ => Err(not_done(&error, language)),
        };
    }
    let allocation = match worker.allocated(&alias.name, stop_at).await {
        Ok(allocation) => allocation,
        Err(error) => return Err(ActionResult::Unverified(texts::not_read_back(language, &error.told(language)))),
    };
    match (allocation, to) {
        (None, None) => Ok(()),
        (Some(now), Some(to)) if now.requested == to && now.status == "READY" => Ok(()),
        (Some(now), Some(to)) if now.requested == to && now.status == "FAILED" => {
            let why = texts::allocation_failed(language, now.reason.as_deref().unwrap_or("-"));
            let put_back = worker.provision(&alias.name, seen.value).await;
            let put_back = put_back.err().map(|error| error.told(language));
            Err(ActionResult::Failed(format!("{why} — {}", texts::allocation_put_back(language, put_back.as_deref()))))
        }
        (Some(now), Some(to)) if now.requested == to => {
            Err(ActionResult::Unverified(texts::still_in_progress(language)))
        }
        _ => Err(ActionResult::Unverified(texts::reads_otherwise(language))),
    }
}

/// Writes `$LATEST`'s configuration, waits until Lambda has it, and brings it to the alias's callers.
async fn configure(
    worker: &Worker,
    seen: &Seen,
    to: u32,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    let setting = seen.setting;
    let found = seen.latest.value(setting);
    // Where an earlier try came to its end in between, `$LATEST` has it already.
    let refused = match found == Some(to) {
        true => None,
        false => worker.update(setting, to, &seen.latest).await.err(),
    };
    let latest = match worker.settled(None, stop_at).await {
        Ok(Some(latest)) => latest,
        Ok(None) if refused.is_none() && seen.alias.is_none() => {
            return Err(ActionResult::Unverified(texts::still_in_progress(language)));
        }
        // No caller of the alias has it yet. The next look goes on from here.
        Ok(None) => return Err(ActionResult::NotNow(texts::still_in_progress(language))),
        Err(error) => {
            let error = refused.unwrap_or(error);
            return Err(match error.is_refusal() {
                true => not_done(&error, language),
                false => ActionResult::Unverified(texts::not_read_back(language, &error.told(language))),
            });
        }
    };
    if latest.value(setting) != Some(to) {
        return Err(match refused {
            Some(error) => not_done(&error, language),
            // It was accepted, and somebody else wrote over it before we looked.
            None => ActionResult::NotNow(texts::moved(language)),
        });
    }
    // Where the call was refused and the value is there all the same, it had got through and only its answer had not.
    let released = match (latest.failure(), &seen.alias) {
        (Some(why), _) => Err(ActionResult::Failed(texts::update_failed(language, &why))),
        (None, None) => Ok(()),
        (None, Some(alias)) => release(worker, seen, alias, &latest, stop_at, language).await,
    };
    match (released, found) {
        (Ok(()), _) => Ok(()),
        // What no caller runs is not left for the next deployment to release; without the time to, the next look goes on from here.
        (Err(result), Some(found)) if found != to && Instant::now() < stop_at => {
            let put_back = worker.update(setting, found, &latest).await;
            Err(with(result, &texts::put_back(language, put_back.err().map(|error| error.told(language)).as_deref())))
        }
        (Err(result), _) => Err(result),
    }
}

/// Publishes `$LATEST` and moves the alias to it.
async fn release(
    worker: &Worker,
    seen: &Seen,
    alias: &Alias,
    latest: &Configuration,
    stop_at: Instant,
    language: Language,
) -> Result<(), ActionResult> {
    let unreleased = Seen { latest: latest.clone(), ..seen.clone() }.unreleased();
    if !unreleased.is_empty() {
        return Err(ActionResult::NotNow(texts::moved(language)));
    }
    let version = worker.publish(latest).await.map_err(|error| not_done(&error, language))?;
    match worker.settled(Some(&version), stop_at).await {
        Ok(Some(published)) => {
            if let Some(why) = published.failure() {
                return Err(ActionResult::Failed(texts::update_failed(language, &why)));
            }
        }
        Ok(None) => return Err(ActionResult::NotNow(texts::still_in_progress(language))),
        Err(error) => return Err(not_done(&error, language)),
    }
    let Err(error) = worker.point(alias, &version).await else { return Ok(()) };
    // The call may have got through, and only its answer not.
    match worker.read(seen.setting).await {
        Ok(now) if now.called().version == version => Ok(()),
        _ => Err(not_done(&error, language)),
    }
}

/// A deployment that is under way, and a quota that is used up, are over by the next look; anything else is a failure.
fn not_done(error: &Error, language: Language) -> ActionResult {
    let later = ["ResourceConflictException", "PreconditionFailedException", "TooManyRequestsException"];
    match later.iter().find(|code| error.is_code(code)) {
        Some(code) => ActionResult::NotNow(texts::under_way(language, code)),
        None => ActionResult::Failed(error.told(language)),
    }
}

/// The same result, with more said about it.
fn with(result: ActionResult, more: &str) -> ActionResult {
    match result {
        ActionResult::Failed(why) => ActionResult::Failed(format!("{why} — {more}")),
        ActionResult::NotNow(why) => ActionResult::NotNow(format!("{why} — {more}")),
        ActionResult::Unverified(why) => ActionResult::Unverified(format!("{why} — {more}")),
        result @ (ActionResult::Applied | ActionResult::Superseded | ActionResult::Busy) => result,
    }
}
