//! Breaks everything, watches what becomes of it, and judges that.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use harness::eventually;
use serde_json::json;
use tokio::task::JoinSet;

use crate::application::Kept;
use crate::day::{Day, LeftOut, Verdict};
use crate::expected::Expected;
use crate::fault::{Broken, Fault, Faults};
use crate::image::Image;
use crate::judge::{applied, beside, image, kept_closed, repaired, untouched, words};
use crate::ledger::{self, Action};
use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::played::Played;
use crate::record;
use crate::time_lapse::TimeLapse;
use crate::timeline::{Kind, Timeline};
use crate::world::{PATIENCE, World};

/// What the application cannot have of these faults, and the rest.
fn sorted<A>(patient: &A, faults: &[&'static dyn Fault<A>]) -> Outcome<(Vec<LeftOut>, Faults<A>)> {
    let (mut left_out, mut played) = (Vec::new(), Vec::new());
    for fault in faults {
        match fault.cannot(patient) {
            Some(reason) => left_out.push(LeftOut { fault: fault.name(), reason }),
            None => played.push(*fault),
        }
    }
    match left_out.first() {
        Some(LeftOut { fault, reason }) if played.is_empty() => {
            Err(format!("{fault} cannot be played: {reason}").into())
        }
        _ => Ok((left_out, played)),
    }
}

/// Breaks the faults and waits until each has become what it should, or patience ends.
pub async fn play<A: Played>(world: Arc<World<A>>, faults: &[&'static dyn Fault<A>]) -> Outcome<Day> {
    let is_all = faults.len() == A::faults().len();
    let (left_out, faults) = sorted(&world.patient, faults)?;
    let timeline = Arc::new(Timeline::begin());
    let lapse = TimeLapse::new(Arc::clone(&world)).await?;
    let game = Game { world, timeline: Arc::clone(&timeline) };
    let others = game.world.patient.fingerprint(&[]).await?;
    let (verdicts, broken) = tokio::select! {
        played = game.all(&faults) => played?,
        failed = lapse.run() => return Err(failed.err().unwrap_or_else(|| "time stood still".into())),
    };
    let (applied, mut problems) = ledger::totals(game.world.database.pool()).await?;
    let processes: Vec<_> = verdicts.iter().map(|verdict| verdict.process.clone()).collect();
    if game.world.patient.fingerprint(&processes).await? != others {
        problems.push("rows were changed that nothing was wrong with".into());
    }
    if game.world.mode == Mode::Observe && applied > 0 {
        problems.push(format!("the ledger has {applied} actions as applied, and none may be"));
    }
    let wanted = ledger::wanted_of_others(game.world.database.pool(), &broken).await?;
    problems.extend(wanted.into_iter().map(|wanted| format!("wanted where nothing was wrong: {wanted}")));
    let scenes = match game.world.mode {
        Mode::Act if is_all => A::second_act(&game.world).await?,
        Mode::Act | Mode::Observe => Vec::new(),
    };
    problems.extend(game.world.dead().await?.into_iter().map(|event| format!("in the dead-letter queue: {event}")));
    Ok(Day { seconds: timeline.seconds(Utc::now()), timeline, verdicts, left_out, applied, scenes, problems })
}

struct Game<A> {
    world: Arc<World<A>>,
    timeline: Arc<Timeline>,
}

impl<A> Clone for Game<A> {
    fn clone(&self) -> Self {
        Self { world: Arc::clone(&self.world), timeline: Arc::clone(&self.timeline) }
    }
}

impl<A: Played> Game<A> {
    /// All faults' verdicts, and what they were about.
    async fn all(&self, faults: &[&'static dyn Fault<A>]) -> Outcome<(Vec<Verdict>, Vec<String>)> {
        let mut watched = JoinSet::new();
        let (alone, together): (Vec<_>, Vec<_>) = faults.iter().copied().partition(|fault| fault.alone());
        for fault in alone {
            let (game, broken) = (self.clone(), fault.break_it(&self.world).await?);
            watched.spawn(async move { game.watch(fault, broken).await });
        }
        for fault in together {
            let game = self.clone();
            watched.spawn(async move {
                let broken = fault.break_it(&game.world).await.map_err(|error| format!("{}: {error}", fault.name()))?;
                game.watch(fault, broken).await
            });
        }
        let mut seen = Vec::new();
        while let Some(watched) = watched.join_next().await {
            seen.push(watched??);
        }
        // One look more, which finds nothing left to do, or may do nothing: every verdict is about what stays.
        let event = json!({"all": true, "reason": "game day: the last look"});
        self.world.ask("reconcile-processes", &event).await?;
        let (mut verdicts, targets) = (Vec::new(), seen.iter().flat_map(|watched| watched.broken.targets()).collect());
        for fault in faults {
            let of_it = seen.iter().position(|watched: &Watched<A>| watched.fault.name() == fault.name());
            let watched = of_it.map(|at| seen.swap_remove(at)).ok_or("a fault was not watched")?;
            verdicts.push(self.judge(watched).await?);
        }
        Ok((verdicts, targets))
    }

    /// Tells what happens to a broken process until it is what it should be, or patience ends.
    async fn watch(&self, fault: &'static dyn Fault<A>, broken: Broken) -> Outcome<Watched<A>> {
        self.timeline.tell(broken.at, fault.name(), Kind::Broke, &broken.what);
        let told = Mutex::default();
        let settled = eventually(PATIENCE, "all that is expected", || self.look(fault, &broken, &told)).await;
        let watched = Watched { fault, settled_at: Utc::now(), broken };
        let mut problems = self.check(&watched).await?.problems;
        // Where it is as it should be after all, patience has no say.
        problems.extend(settled.err().filter(|_| !problems.is_empty()).map(|error| error.to_string()));
        let (kind, text) = match problems.as_slice() {
            [] if self.world.mode == Mode::Observe => (Kind::Right, "recorded, and left as it was".to_owned()),
            [] => (Kind::Right, "as expected".to_owned()),
            problems => (Kind::Wrong, problems.join("; ")),
        };
        self.timeline.tell(watched.settled_at, fault.name(), kind, text);
        Ok(watched)
    }

    /// Tells what is new, and answers once there is nothing more to wait for.
    async fn look(&self, fault: &'static dyn Fault<A>, broken: &Broken, told: &Mutex<BTreeSet<String>>) -> Option<()> {
        let pool = self.world.database.pool();
        let expected = fault.expected(&self.world.patient);
        let actions = ledger::actions(pool, &broken.process, &broken.targets()).await.ok()?;
        let tell = |at: DateTime<Utc>, kind, key: String, text: String| {
            let new = told.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
            if new {
                self.timeline.tell(at, fault.name(), kind, text);
            }
        };
        let record = self.record(&expected, broken).await.ok()?;
        for action in actions.iter().chain(&record) {
            let at = action.closed_at.unwrap_or_else(Utc::now);
            let noticed = ledger::noticed(&action.trigger);
            tell(
                action.started_at,
                Kind::Noticed,
                format!("{}/{noticed}", action.step),
                format!("{noticed} → {}", action.step),
            );
            let text = words(action, action.closed_at.map(|at| (at - broken.at).as_seconds_f64().max(0.0)));
            let kind = if action.outcome == "wanted" { Kind::Planned } else { Kind::Acted };
            tell(at, kind, format!("{}/{}", action.id, action.kind), text);
        }
        let mut done = match self.world.mode {
            Mode::Act if expected.actions.is_empty() => true,
            Mode::Act => {
                // A process that was started anew goes its own way to its end.
                let row = self.world.patient.read(&broken.process).await.ok()?;
                let status = self.world.patient.says(&expected).status;
                applied(&actions).count() >= expected.actions.len() && row.says.status == status
            }
            Mode::Observe => record::wrong(&expected, broken, &record).is_empty(),
        };
        for look in &broken.looks {
            done &= ledger::runs(pool, &look.trigger).await.ok()? >= look.times;
        }
        if expected.refused && self.world.mode == Mode::Act {
            let refused = ledger::refused(pool, &broken.process).await.ok()?;
            done &= refused.is_some();
            refused.into_iter().for_each(|refused| {
                let text = format!("the fence refuses {}", image(Some(&refused)));
                tell(Utc::now(), Kind::Acted, "refused".to_owned(), text);
            });
        }
        if let Some(code) = expected.finding {
            let by = ledger::told(pool, &broken.process, code).await.ok()?;
            done &= by.is_some();
            by.into_iter()
                .for_each(|by| tell(Utc::now(), Kind::Noticed, code.to_owned(), format!("{by} reports {code}")));
        }
        done.then_some(())
    }

    /// What would have been done to a process, to its execution or to what is broken beside it, where the product only looks.
    async fn record(&self, expected: &Expected, broken: &Broken) -> Outcome<Vec<Action>> {
        if self.world.mode == Mode::Act {
            return Ok(Vec::new());
        }
        let mut record = ledger::wanted(self.world.database.pool(), &broken.process, &broken.targets()).await?;
        record.retain(|wanted| !expected.actions.is_empty() || record::stands(broken, wanted));
        Ok(record)
    }

    /// The last word about a fault.
    async fn judge(&self, watched: Watched<A>) -> Outcome<Verdict> {
        let Checked { problems, row, actions, record } = self.check(&watched).await?;
        let Watched { fault, broken, settled_at } = watched;
        let last = applied(&actions).next_back().or(record.first());
        let told = match fault.expected(&self.world.patient).finding {
            Some(code) => ledger::told(self.world.database.pool(), &broken.process, code).await?,
            None => None,
        };
        let ended = last.map_or(Some(settled_at), |action| action.closed_at);
        let first = applied(&actions).find(|action| action.kind == "set-row-status");
        let (step, noticed) = match (last, told) {
            (Some(action), _) => (Some(action.step.clone()), Some(ledger::noticed(&action.trigger))),
            (None, Some(step)) => {
                (Some(step), fault.expected(&self.world.patient).finding.map(|code| format!("finding {code}")))
            }
            (None, None) => (None, None),
        };
        Ok(Verdict {
            fault: fault.name(),
            story: fault.story(),
            process: broken.process,
            problems,
            step,
            noticed,
            seconds: ended.map(|at| (at - broken.at).as_seconds_f64().max(0.0)),
            before: first.and_then(|action| action.before.as_ref()).map_or(broken.before.image, Image::of_json),
            after: row.image,
            record,
        })
    }

    async fn check(&self, watched: &Watched<A>) -> Outcome<Checked> {
        let Watched { fault, broken, .. } = watched;
        let pool = self.world.database.pool();
        let (row, actions) = (
            self.world.patient.read(&broken.process).await?,
            ledger::actions(pool, &broken.process, &broken.targets()).await?,
        );
        let expected = fault.expected(&self.world.patient);
        let mut problems = match self.world.mode {
            Mode::Act if expected.actions.is_empty() => untouched(broken, &row, &actions),
            Mode::Act => repaired(&expected, &self.world.patient.says(&expected), &row.says, &actions),
            Mode::Observe => untouched(broken, &row, &actions),
        };
        let record = self.record(&expected, broken).await?;
        if self.world.mode == Mode::Observe {
            problems.extend(record::wrong(&expected, broken, &record));
        }
        if expected.refused && self.world.mode == Mode::Act {
            problems.extend(kept_closed(&row.image, &actions, ledger::refused(pool, &broken.process).await?.as_ref()));
        }
        if let Some(also) = &broken.also {
            let answer = self.world.answer(also).await?;
            problems.extend(beside(also, answer.as_deref(), self.world.mode));
        }
        for look in &broken.looks {
            let times = ledger::runs(pool, &look.trigger).await?;
            if times < look.times {
                problems.push(format!("{times} runs looked at {}, {} should have", look.trigger, look.times));
            }
        }
        if let Some(code) = expected.finding
            && ledger::told(pool, &broken.process, code).await?.is_none()
        {
            problems.push(format!("nobody has reported {code}"));
        }
        Ok(Checked { problems, row, actions, record })
    }
}

/// A fault that was watched to its end.
struct Watched<A: 'static> {
    fault: &'static dyn Fault<A>,
    broken: Broken,
    settled_at: DateTime<Utc>,
}

struct Checked {
    problems: Vec<String>,
    row: Kept,
    actions: Vec<Action>,
    record: Vec<Action>,
}
