//! Breaks everything, watches what becomes of it, and judges that.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use harness::eventually;
use patient::table::Row;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::fault::{Broken, Expected, Fault};
use crate::ledger::{self, Action};
use crate::options::Mode;
use crate::time_lapse::{Planned, TimeLapse};
use crate::timeline::{Kind, Timeline};
use crate::world::{PATIENCE, World};

/// What became of everything.
pub struct Day {
    pub timeline: Arc<Timeline>,
    pub verdicts: Vec<Verdict>,
    /// Actions that the ledger has as applied.
    pub applied: i64,
    /// What went wrong beside the faults.
    pub problems: Vec<String>,
    pub seconds: f64,
}

/// What became of a fault.
pub struct Verdict {
    pub fault: &'static dyn Fault,
    /// Why it is not as it should be; empty when it is.
    pub problems: Vec<String>,
    /// Who put it right, or would have.
    pub step: Option<String>,
    /// What started that.
    pub noticed: Option<String>,
    /// From the fault to the end of the last action about it, or of the last look where hands had to stay off.
    pub seconds: Option<f64>,
    pub before: Image,
    pub after: Image,
}

/// What a row says, shortened.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Image {
    pub status: String,
    pub progress: i64,
    pub code: Option<String>,
}

impl Image {
    fn of_row(row: &Row) -> Self {
        Self::of_json(&json!({"status": row.status, "progress": row.progress, "error": row.error}))
    }

    /// Of the ledger's images.
    fn of_json(image: &Value) -> Self {
        Self {
            status: image["status"].as_str().unwrap_or_default().to_owned(),
            progress: image["progress"].as_i64().unwrap_or_default(),
            code: image["error"]["code"].as_str().map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} %", self.status, self.progress)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " {code}"))
    }
}

/// Breaks the faults and waits until each has become what it should, or patience ends.
pub async fn play(world: Arc<World>, faults: &[&'static dyn Fault]) -> Outcome<Day> {
    let timeline = Arc::new(Timeline::begin());
    let lapse = Arc::new(TimeLapse::new(Arc::clone(&world)).await?);
    let game = Game { world, lapse: Arc::clone(&lapse), timeline: Arc::clone(&timeline) };
    let verdicts = tokio::select! {
        verdicts = game.all(faults) => verdicts?,
        failed = lapse.run() => return Err(failed.err().unwrap_or_else(|| "time stood still".into())),
    };
    let (applied, mut problems) = ledger::totals(game.world.database.pool()).await?;
    problems.extend(game.world.dead().await?.into_iter().map(|event| format!("in the dead-letter queue: {event}")));
    Ok(Day { seconds: timeline.seconds(Utc::now()), timeline, verdicts, applied, problems })
}

#[derive(Clone)]
struct Game {
    world: Arc<World>,
    lapse: Arc<TimeLapse>,
    timeline: Arc<Timeline>,
}

impl Game {
    async fn all(&self, faults: &[&'static dyn Fault]) -> Outcome<Vec<Verdict>> {
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
        if self.world.mode == Mode::Act {
            // One look more, which must find nothing to do: every verdict is about what stays.
            let event = json!({"all": true, "reason": "game day: nothing may be left to do"});
            self.world.ask("reconcile-processes", &event).await?;
        }
        let mut verdicts = Vec::new();
        for fault in faults {
            let of_it = seen.iter().position(|watched: &Watched| watched.fault.name() == fault.name());
            let watched = of_it.map(|at| seen.swap_remove(at)).ok_or("a fault was not watched")?;
            verdicts.push(self.judge(watched).await?);
        }
        Ok(verdicts)
    }

    /// Tells what happens to a broken process until it is what it should be, or patience ends.
    async fn watch(&self, fault: &'static dyn Fault, broken: Broken) -> Outcome<Watched> {
        self.timeline.tell(broken.at, fault.name(), Kind::Broke, &broken.what);
        let told = Mutex::default();
        let settled = eventually(PATIENCE, "all that is expected", || self.look(fault, &broken, &told)).await;
        let watched = Watched { fault, settled_at: Utc::now(), broken };
        let mut problems = self.check(&watched).await?.problems;
        // Where it is as it should be after all, patience has no say.
        problems.extend(settled.err().filter(|_| !problems.is_empty()).map(|error| error.to_string()));
        let (kind, text) = match problems.as_slice() {
            [] => (Kind::Right, "as it should be".to_owned()),
            problems => (Kind::Wrong, problems.join("; ")),
        };
        self.timeline.tell(watched.settled_at, fault.name(), kind, text);
        Ok(watched)
    }

    /// Tells what is new, and answers once there is nothing more to wait for.
    async fn look(&self, fault: &'static dyn Fault, broken: &Broken, told: &Mutex<BTreeSet<String>>) -> Option<()> {
        let pool = self.world.database.pool();
        let expected = fault.expected();
        let actions = ledger::actions(pool, broken.process).await.ok()?;
        let tell = |at: DateTime<Utc>, kind, key: String, text: String| {
            let new = told.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
            if new {
                self.timeline.tell(at, fault.name(), kind, text);
            }
        };
        for action in &actions {
            let at = action.closed_at.unwrap_or_else(Utc::now);
            let noticed = ledger::noticed(&action.trigger);
            tell(at, Kind::Noticed, format!("{}/{noticed}", action.step), format!("{noticed} → {}", action.step));
            let text = words(action, action.closed_at.map(|at| (at - broken.at).as_seconds_f64()));
            tell(at, Kind::Acted, action.id.to_string(), text);
        }
        let mut done = match self.world.mode {
            Mode::Act => applied(&actions).count() >= expected.actions.len(),
            Mode::Observe if expected.actions.is_empty() => true,
            Mode::Observe => self
                .would_act(broken)
                .map(|planned| {
                    let text = format!(
                        "{} would {}: → {} ({})",
                        planned.step,
                        planned.kind,
                        image(Some(&planned.after)),
                        planned.reason
                    );
                    tell(Utc::now(), Kind::Acted, planned.kind, text);
                })
                .is_some(),
        };
        for look in &broken.looks {
            done &= ledger::runs(pool, &look.trigger).await.ok()? >= look.times;
        }
        if let Some(code) = expected.finding {
            let by = ledger::told(pool, broken.process, code).await.ok()?;
            done &= by.is_some();
            by.into_iter()
                .for_each(|by| tell(Utc::now(), Kind::Noticed, code.to_owned(), format!("{by} tells {code}")));
        }
        done.then_some(())
    }

    /// What would be done to a process or to its execution.
    fn would_act(&self, broken: &Broken) -> Option<Planned> {
        self.lapse.planned(&broken.process.to_string())
    }

    /// The last word about a fault.
    async fn judge(&self, watched: Watched) -> Outcome<Verdict> {
        let Checked { problems, row, actions } = self.check(&watched).await?;
        let Watched { fault, broken, settled_at } = watched;
        let last = applied(&actions).next_back();
        let planned = self.would_act(&broken).filter(|_| self.world.mode == Mode::Observe);
        let told = match fault.expected().finding {
            Some(code) => ledger::told(self.world.database.pool(), broken.process, code).await?,
            None => None,
        };
        let finding = told.is_some().then(|| fault.expected().finding).flatten().map(|code| format!("finding {code}"));
        let ended = last.map_or(Some(settled_at), |action| action.closed_at);
        let first = applied(&actions).find(|action| action.kind == "set-row-status");
        Ok(Verdict {
            fault,
            problems,
            step: last.map(|action| action.step.clone()).or(planned.map(|planned| planned.step)).or(told),
            noticed: last.map(|action| ledger::noticed(&action.trigger)).or(finding),
            seconds: ended.map(|at| (at - broken.at).as_seconds_f64().max(0.0)),
            before: first
                .and_then(|action| action.before.as_ref())
                .map_or_else(|| Image::of_row(&broken.before), Image::of_json),
            after: Image::of_row(&row),
        })
    }

    async fn check(&self, watched: &Watched) -> Outcome<Checked> {
        let Watched { fault, broken, .. } = watched;
        let pool = self.world.database.pool();
        let (row, actions) =
            (self.world.patient.row(broken.process).await?, ledger::actions(pool, broken.process).await?);
        let expected = fault.expected();
        let mut problems = match self.world.mode {
            Mode::Act if expected.actions.is_empty() => untouched(broken, &row, &actions),
            Mode::Act => repaired(&expected, &row, &actions),
            Mode::Observe => untouched(broken, &row, &actions),
        };
        if self.world.mode == Mode::Observe && !expected.actions.is_empty() && self.would_act(broken).is_none() {
            problems.push("nobody has told what is to be done".into());
        }
        for look in &broken.looks {
            let times = ledger::runs(pool, &look.trigger).await?;
            if times < look.times {
                problems.push(format!("{times} runs looked at {}, {} should have", look.trigger, look.times));
            }
        }
        if let Some(code) = expected.finding
            && ledger::told(pool, broken.process, code).await?.is_none()
        {
            problems.push(format!("nobody has told {code}"));
        }
        Ok(Checked { problems, row, actions })
    }
}

/// A fault that was watched to its end.
struct Watched {
    fault: &'static dyn Fault,
    broken: Broken,
    settled_at: DateTime<Utc>,
}

struct Checked {
    problems: Vec<String>,
    row: Row,
    actions: Vec<Action>,
}

fn applied(actions: &[Action]) -> impl DoubleEndedIterator<Item = &Action> {
    actions.iter().filter(|action| action.outcome == "applied")
}

/// What is wrong with a row that should have been put right.
fn repaired(expected: &Expected, row: &Row, actions: &[Action]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut compare = |what: &str, seen: String, wanted: String| {
        if seen != wanted {
            problems.push(format!("{what} is {seen}, should be {wanted}"));
        }
    };
    let code = row.error.as_ref().and_then(|error| error["code"].as_str());
    let kinds: Vec<_> = applied(actions).map(|action| action.kind.as_str()).collect();
    compare("status", row.status.clone(), expected.status.to_owned());
    compare("error code", code.unwrap_or("none").to_owned(), expected.code.unwrap_or("none").to_owned());
    compare("result there", row.result.is_some().to_string(), expected.result.to_string());
    compare("completed_at there", row.completed_at.is_some().to_string(), true.to_string());
    compare("the ledger", format!("{kinds:?}"), format!("{:?}", expected.actions));
    if expected.status == "COMPLETED" {
        compare("progress", row.progress.to_string(), 100.to_string());
    }
    for action in applied(actions) {
        if !expected.steps.contains(&action.step.as_str()) {
            problems.push(format!("{} has acted instead of {}", action.step, expected.steps.join(" or ")));
        }
        // A row that was failed while its execution still ran: the ledger's order and images tell.
        if action.kind == "stop-execution" && action.after.as_ref().is_none_or(|after| after["status"] != "ABORTED") {
            problems.push(format!("the execution was not seen to be over: {}", image(action.after.as_ref())));
        }
    }
    problems
}

/// What is wrong with a row that should not have been touched.
fn untouched(broken: &Broken, row: &Row, actions: &[Action]) -> Vec<String> {
    let changed = (*row != broken.left).then(|| format!("the row has changed to {}", Image::of_row(row)));
    let acted = applied(actions).map(|action| format!("{} has acted: {}", action.step, action.kind));
    changed.into_iter().chain(acted).collect()
}

/// An action in words.
fn words(action: &Action, seconds: Option<f64>) -> String {
    let Action { step, kind, before, after, outcome, reason, .. } = action;
    let took = seconds.map(|seconds| format!(" after {seconds:.1} s")).unwrap_or_default();
    let what = match outcome.as_str() {
        "applied" => format!("{} → {}", image(before.as_ref()), image(after.as_ref())),
        other => other.to_owned(),
    };
    format!("{step} {kind}: {what}{took} ({reason})")
}

/// An image of a row or of an execution in words.
fn image(image: Option<&Value>) -> String {
    let Some(image) = image else { return "as it was".to_owned() };
    match &image["progress"] {
        Value::Null => format!("execution {}", image["status"].as_str().unwrap_or_default()),
        _ => Image::of_json(image).to_string(),
    }
}
