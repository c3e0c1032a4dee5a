//! How much of what a step wants it may do now (design, 6.1 to 6.3): pure, over what the ledger counts.

use std::collections::HashMap;

use serde::Deserialize;

use crate::act::ledger::controls::Control;
use crate::act::plan::Planned;
use crate::act::texts;
use crate::domain::{Language, Mode};
use crate::gather::manifest::Limits;

/// What the ledger knows of a step and its targets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// What `remediation.controls` leaves the step.
    pub control: Control,
    /// Its last three runs that acted, within a day, all failed to help.
    pub did_not_help: bool,
    /// Actions of this step in the last hour.
    pub actions_last_hour: usize,
    /// What was done to each target, where something was.
    pub targets: HashMap<String, TargetFacts>,
}

/// What was done to a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetFacts {
    /// Actions of this step on it in the last day.
    pub attempts: u32,
    /// Seconds since this step's last one.
    pub seconds_since_last: Option<i64>,
    /// The last action on it, by whomever and within a day, was an undo: a person has decided.
    pub undone: bool,
}

/// What is asked for, beside the actions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// The least of what is configured and asked for; the control still counts.
    pub mode: Mode,
    /// What is asked for, whatever the installation is configured to: as far as an action on our own record may go.
    pub own: Mode,
    /// A person approved these very actions.
    pub approved: bool,
    /// How many targets were looked at.
    pub population: usize,
    /// The operator's own limit.
    pub limit: Option<usize>,
    /// Actions that this run has applied already.
    pub done: usize,
    /// Of the sentences.
    pub language: Language,
}

/// What becomes of what a step wants.
#[derive(Debug)]
pub struct Guarded {
    /// How far the run may go.
    pub mode: Mode,
    /// What is done.
    pub apply: Vec<Planned>,
    /// What is only told or proposed, because of the mode or a limit.
    pub hold: Vec<Planned>,
    /// The limit that was reached, for people.
    pub over: Option<String>,
    /// What is left alone, and why.
    pub leave: Vec<(Planned, String)>,
}

/// Applies the mode and every limit. What only changes our own record ([`crate::act::actions::Action::is_own_record`]) is bound by what is asked for alone.
#[must_use]
pub fn guard(wanted: Vec<Planned>, demand: Demand, limits: &Limits, facts: &Facts) -> Guarded {
    let (own, wanted): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|planned| planned.action.is_own_record());
    let alone = wanted.is_empty();
    let mut guarded = guard_changes(wanted, demand, limits, facts);
    if alone && !own.is_empty() {
        (guarded.mode, guarded.over) = (demand.own, None);
    }
    // First: what else is wanted may need it.
    let first = if demand.own == Mode::Act { &mut guarded.apply } else { &mut guarded.hold };
    first.splice(0..0, own);
    guarded
}

fn guard_changes(wanted: Vec<Planned>, demand: Demand, limits: &Limits, facts: &Facts) -> Guarded {
    let language = demand.language;
    // To take something back is a person's decision already: it needs no second person's.
    let by_person = demand.approved || !wanted.is_empty() && wanted.iter().all(|planned| planned.action.is_undo());
    let allowed = facts.control.mode.map_or(demand.mode, |mode| mode.min(demand.mode));
    let mode = match allowed {
        // An approval is what `propose` waits for. It never lifts `observe`.
        Mode::Propose | Mode::Act if by_person => Mode::Act,
        Mode::Act if facts.did_not_help => Mode::Propose,
        mode => mode,
    };
    let mut guarded = Guarded { mode, apply: Vec::new(), hold: Vec::new(), over: None, leave: Vec::new() };
    if mode == Mode::Propose && allowed == Mode::Act {
        guarded.over = Some(texts::did_not_help(language));
    }
    let mut candidates = Vec::with_capacity(wanted.len());
    for planned in wanted {
        let history = facts.targets.get(&planned.action.target()).copied().unwrap_or_default();
        let cooling = i64::from(limits.cooldown_seconds) - history.seconds_since_last.unwrap_or(i64::MAX);
        let why = if demand.approved || planned.action.is_undo() || planned.action.is_end() {
            None
        } else if history.undone {
            Some(texts::undone(language))
        } else if history.attempts >= limits.attempts_per_target {
            Some(texts::attempts(language, history.attempts))
        } else if limits.cooldown_seconds > 0 && cooling > 0 {
            Some(texts::cooldown(language, cooling))
        } else {
            None
        };
        match why {
            Some(why) => guarded.leave.push((planned, why)),
            None => candidates.push(planned),
        }
    }
    if mode != Mode::Act {
        guarded.hold = candidates;
        return guarded;
    }
    (guarded.apply, candidates) = candidates.into_iter().partition(|planned| planned.action.is_end());
    let share = facts.control.share.unwrap_or(limits.share_of_candidates);
    let changed = candidates.iter().filter(|planned| !planned.action.keeps_status()).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let too_many = changed as f64 > share * demand.population as f64;
    if demand.population > Limits::SHARE_FROM && too_many && !demand.approved {
        guarded.over = Some(texts::share(language, changed, demand.population, share));
        guarded.hold = candidates;
        return guarded;
    }
    let per_run = facts.control.actions_per_run.unwrap_or(limits.actions_per_run);
    let per_hour = facts.control.actions_per_hour.unwrap_or(limits.actions_per_hour);
    let in_run = per_run.saturating_sub(demand.done);
    let in_hour = per_hour.saturating_sub(facts.actions_last_hour);
    let asked = demand.limit.map_or(usize::MAX, |limit| limit.saturating_sub(demand.done));
    let room = in_run.min(in_hour);
    let mut candidates = candidates.into_iter();
    guarded.apply.extend(candidates.by_ref().take(room.min(asked)));
    if asked < room {
        let why = texts::limit(language, demand.limit.unwrap_or_default());
        guarded.leave.extend(candidates.map(|planned| (planned, why.clone())));
        return guarded;
    }
    guarded.hold.extend(candidates);
    if !guarded.hold.is_empty() {
        let over =
            if in_hour < in_run { texts::per_hour(language, per_hour) } else { texts::per_run(language, per_run) };
        guarded.over = Some(over);
    }
    guarded
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::act::actions::set_row_status::ErrorChange;
    use crate::act::actions::{Action, Migrate, ResolveRetry, SetGoalStatus, SetRowStatus, Undo, Undoable};
    use crate::domain::{Process, ProcessId, ProcessStatus};
    use crate::gather::goals::{GoalId, GoalStatus};

    /// What all actions here are on.
    const TARGET: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

    /// `count` actions, all on one target: the reason of each is its place.
    fn wanted(count: usize) -> Vec<Planned> {
        let plain = SetGoalStatus {
            goal: GoalId(Uuid::max()),
            version: 1,
            from: GoalStatus::Completed,
            process: None,
            cause: "test",
        };
        (0..count).map(|at| Planned::new(Action::SetGoalStatus(plain.clone()), at.to_string())).collect()
    }

    fn undo() -> Vec<Planned> {
        let undo = Undo {
            of: Uuid::nil(),
            kind: Undoable::RowStatus,
            target: TARGET.into(),
            before: Value::Null,
            after: Value::Null,
        };
        vec![Planned::new(Action::Undo(undo), "a person wants it".into())]
    }

    fn demand(population: usize) -> Demand {
        Demand {
            mode: Mode::Act,
            own: Mode::Act,
            approved: false,
            population,
            limit: None,
            done: 0,
            language: Language::En,
        }
    }

    const LIMITS: Limits = Limits {
        actions_per_run: 10,
        actions_per_hour: 20,
        share_of_candidates: 0.5,
        cooldown_seconds: 60,
        attempts_per_target: 3,
    };

    /// Mode, how many are done, held and left, and whether a limit is told.
    fn outcome(guarded: &Guarded) -> (Mode, usize, usize, usize, bool) {
        let Guarded { mode, apply, hold, over, leave } = guarded;
        (*mode, apply.len(), hold.len(), leave.len(), over.is_some())
    }

    /// What was done to the one target that these actions have.
    fn history(target: TargetFacts) -> Facts {
        Facts { targets: HashMap::from([(TARGET.to_owned(), target)]), ..Facts::default() }
    }

    fn control(control: Control) -> Facts {
        Facts { control, ..Facts::default() }
    }

    #[test]
    fn the_least_mode_counts_and_an_approval_lifts_propose_but_never_observe() {
        use Mode::{Act, Observe, Propose};
        let plain = Facts::default();
        let proposing = control(Control { mode: Some(Propose), ..Control::default() });
        let observing = control(Control { mode: Some(Observe), ..Control::default() });
        let acting = control(Control { mode: Some(Act), ..Control::default() });
        let unhelpful = Facts { did_not_help: true, ..Facts::default() };
        // (asked for, approved, facts, mode then, a limit is told)
        for (asked, approved, facts, mode, told) in [
            (Act, false, &plain, Act, false),
            (Propose, false, &plain, Propose, false),
            (Observe, false, &plain, Observe, false),
            (Act, false, &proposing, Propose, false),
            (Act, false, &observing, Observe, false),
            (Observe, false, &acting, Observe, false),
            (Propose, false, &acting, Propose, false),
            (Propose, true, &plain, Act, false),
            (Act, true, &proposing, Act, false),
            (Act, true, &observing, Observe, false),
            (Observe, true, &plain, Observe, false),
            (Act, false, &unhelpful, Propose, true),
            (Propose, false, &unhelpful, Propose, false),
            (Observe, false, &unhelpful, Observe, false),
            (Act, true, &unhelpful, Act, false),
        ] {
            let guarded = guard(wanted(1), Demand { mode: asked, approved, ..demand(1) }, &LIMITS, facts);
            let applied = usize::from(mode == Act);
            let expected = (mode, applied, 1 - applied, 0, told);
            assert_eq!(outcome(&guarded), expected, "{asked} approved={approved} {facts:?}");
        }
    }

    #[test]
    fn a_step_that_wants_most_of_many_does_nothing_of_it() {
        let wide = control(Control { share: Some(1.0), ..Control::default() });
        let none = control(Control { share: Some(0.0), ..Control::default() });
        let plain = Facts::default();
        // (wanted, of, facts, applied, held)
        for (count, population, facts, applied, held) in [
            (10, 20, &plain, 10, 0),
            (9, 9, &plain, 9, 0),
            (10, 21, &plain, 10, 0),
            (11, 21, &plain, 0, 11),
            (11, 22, &plain, 10, 1),
            (11, 21, &wide, 10, 1),
            (1, 21, &none, 0, 1),
            (1, 20, &none, 1, 0),
        ] {
            let guarded = guard(wanted(count), demand(population), &LIMITS, facts);
            assert_eq!(outcome(&guarded), (Mode::Act, applied, held, 0, held > 0), "{count} of {population}");
        }
        let approved = guard(wanted(8), Demand { approved: true, ..demand(21) }, &LIMITS, &none);
        assert_eq!(outcome(&approved).1, 8, "a person has seen how many they are");
    }

    /// Rows whose progress is put right.
    fn repairs(count: usize) -> Vec<Planned> {
        let process = Process {
            id: ProcessId(Uuid::nil()),
            version: 1,
            status: ProcessStatus::Processing,
            progress: 250,
            has_result: false,
            error_code: None,
            retries: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            completed_at: None,
        };
        let repair = SetRowStatus {
            status: process.status,
            process,
            basis: None,
            progress: Some(100),
            error: ErrorChange::Keep,
            result: None,
            completed_at: None,
            cause: "test",
        };
        (0..count).map(|_| Planned::new(Action::SetRowStatus(Box::new(repair.clone())), "test".into())).collect()
    }

    #[test]
    fn the_share_says_nothing_of_rows_that_stay_what_they_are() {
        // (repairs, other changes, of, applied, held)
        for (right, other, population, applied, held) in
            [(9, 0, 30, 9, 0), (30, 0, 30, 10, 20), (5, 11, 22, 10, 6), (1, 12, 22, 0, 13)]
        {
            let all = repairs(right).into_iter().chain(wanted(other)).collect();
            let guarded = guard(all, demand(population), &LIMITS, &Facts::default());
            assert_eq!(
                outcome(&guarded),
                (Mode::Act, applied, held, 0, held > 0),
                "{right} and {other} of {population}"
            );
        }
    }

    #[test]
    fn what_is_beyond_a_run_or_an_hour_is_held_and_what_is_beyond_the_ask_is_left() {
        let hour = |count| Facts { actions_last_hour: count, ..Facts::default() };
        let per_run = |count| control(Control { actions_per_run: Some(count), ..Control::default() });
        let per_hour = |count| control(Control { actions_per_hour: Some(count), ..Control::default() });
        // (wanted, done before, asked for at most, facts, applied, held, left, what is told)
        for (count, done, limit, facts, applied, held, left, told) in [
            (10, 0, None, hour(0), 10, 0, 0, None),
            (11, 0, None, hour(0), 10, 1, 0, Some("10")),
            (5, 7, None, hour(7), 3, 2, 0, Some("10")),
            (5, 12, None, hour(0), 0, 5, 0, Some("10")),
            (10, 0, None, hour(15), 5, 5, 0, Some("20")),
            (1, 0, None, hour(20), 0, 1, 0, Some("20")),
            (1, 0, None, hour(25), 0, 1, 0, Some("20")),
            (5, 0, None, per_run(2), 2, 3, 0, Some("2")),
            (5, 0, None, per_run(0), 0, 5, 0, Some("0")),
            (15, 0, None, per_run(100), 15, 0, 0, None),
            (5, 0, None, per_hour(2), 2, 3, 0, Some("2")),
            (5, 0, Some(2), hour(0), 2, 0, 3, None),
            (5, 1, Some(2), hour(1), 1, 0, 4, None),
            (5, 2, Some(2), hour(2), 0, 0, 5, None),
            (2, 0, Some(2), hour(0), 2, 0, 0, None),
            (12, 0, Some(50), hour(0), 10, 2, 0, Some("10")),
            (12, 0, Some(3), hour(18), 2, 10, 0, Some("20")),
        ] {
            let demand = Demand { done, limit, ..demand(0) };
            let case = format!("{count} after {done}, at most {limit:?}, {facts:?}");
            let guarded = guard(wanted(count), demand, &LIMITS, &facts);
            assert_eq!(outcome(&guarded), (Mode::Act, applied, held, left, told.is_some()), "{case}");
            let over = guarded.over.unwrap_or_default();
            assert!(over.contains(told.unwrap_or_default()), "{case}: {over}");
            let first: Vec<&str> = guarded.apply.iter().map(|planned| planned.reason.as_str()).collect();
            let expected: Vec<String> = (0..applied).map(|at| at.to_string()).collect();
            assert_eq!(first, expected, "{case}: in the order in which they are wanted");
        }
    }

    #[test]
    fn a_target_rests_after_an_action_and_has_so_many_attempts_and_an_undo_is_respected() {
        let tried = |attempts, seconds_since_last| TargetFacts { attempts, seconds_since_last, undone: false };
        // (history, why it is left alone)
        for (facts, left) in [
            (TargetFacts::default(), None),
            (tried(1, Some(60)), None),
            (tried(1, Some(59)), Some("1")),
            (tried(1, Some(0)), Some("60")),
            (tried(2, Some(3600)), None),
            (tried(3, Some(3600)), Some("3")),
            (tried(4, Some(90_000)), Some("4")),
            (TargetFacts { undone: true, ..tried(1, Some(3600)) }, Some("undid")),
        ] {
            let guarded = guard(wanted(1), demand(1), &LIMITS, &history(facts));
            let expected = (Mode::Act, usize::from(left.is_none()), 0, usize::from(left.is_some()), false);
            assert_eq!(outcome(&guarded), expected, "{facts:?}");
            let why = guarded.leave.first().map(|(_, why)| why.to_lowercase()).unwrap_or_default();
            assert!(why.contains(left.unwrap_or_default()), "{facts:?}: {why}");

            let approved = guard(wanted(1), Demand { approved: true, ..demand(1) }, &LIMITS, &history(facts));
            assert_eq!(outcome(&approved).1, 1, "a person has decided: {facts:?}");
        }
        let no_rest = Limits { cooldown_seconds: 0, ..LIMITS };
        assert_eq!(outcome(&guard(wanted(1), demand(1), &no_rest, &history(tried(1, Some(0))))).1, 1);
    }

    #[test]
    fn what_was_begun_is_ended_whatever_the_limits_say_if_anything_may_be_done() {
        let process = ProcessId(Uuid::nil());
        let execution = "arn:aws:states:us-east-1:1:execution:ai:x-retry-2".parse().unwrap();
        let end = ResolveRetry { process, execution, before: Value::Null, after: Value::Null };
        let wanted = || {
            let mut wanted = wanted(1);
            wanted.push(Planned::new(Action::ResolveRetry(Box::new(end.clone())), "left open".into()));
            wanted
        };
        let tried = TargetFacts { attempts: 9, seconds_since_last: Some(0), undone: true };
        let facts =
            Facts { actions_last_hour: 20, targets: HashMap::from([(process.to_string(), tried)]), ..Facts::default() };
        let guarded = guard(wanted(), demand(2), &LIMITS, &facts);
        assert_eq!(outcome(&guarded), (Mode::Act, 1, 1, 0, true));
        assert!(guarded.apply[0].action.is_end());
        for mode in [Mode::Propose, Mode::Observe] {
            let guarded = guard(wanted(), Demand { mode, ..demand(2) }, &LIMITS, &facts);
            assert_eq!(outcome(&guarded), (mode, 0, 2, 0, false));
        }
    }

    #[test]
    fn our_own_record_is_bound_by_what_is_asked_for_and_by_nothing_else() {
        let own = || vec![Planned::new(Action::Migrate(Migrate { from: 0, to: 1 }), "own".into())];
        let worst = Facts {
            control: Control { mode: Some(Mode::Observe), actions_per_run: Some(0), ..Control::default() },
            did_not_help: true,
            actions_last_hour: 20,
            targets: HashMap::from([(
                "schema remediation".to_owned(),
                TargetFacts { attempts: 9, ..TargetFacts::default() },
            )]),
        };
        let observing = Demand { mode: Mode::Observe, ..demand(0) };
        for demand in [observing, demand(0)] {
            assert_eq!(outcome(&guard(own(), demand, &LIMITS, &worst)), (Mode::Act, 1, 0, 0, false));
            let helpless = Facts { did_not_help: true, ..Facts::default() };
            assert_eq!(outcome(&guard(own(), demand, &LIMITS, &helpless)), (Mode::Act, 1, 0, 0, false));
        }
        for mode in [Mode::Observe, Mode::Propose] {
            let asked = Demand { own: mode, mode, ..demand(0) };
            assert_eq!(outcome(&guard(own(), asked, &LIMITS, &worst)), (mode, 0, 1, 0, false));
        }
        // Beside it, what is no record of ours is bound as ever.
        let guarded = guard(own().into_iter().chain(wanted(2)).collect(), observing, &LIMITS, &worst);
        assert_eq!((guarded.mode, guarded.apply.len(), guarded.hold.len()), (Mode::Observe, 1, 2));
        let guarded = guard(wanted(2).into_iter().chain(own()).collect(), demand(2), &LIMITS, &Facts::default());
        assert_eq!(outcome(&guarded), (Mode::Act, 3, 0, 0, false));
        assert_eq!(guarded.apply[0].reason, "own", "it comes first");
    }

    #[test]
    fn what_is_left_alone_does_not_count_against_the_limits() {
        let undone = history(TargetFacts { undone: true, ..TargetFacts::default() });
        let guarded = guard(wanted(30), demand(30), &LIMITS, &undone);
        assert_eq!(outcome(&guarded), (Mode::Act, 0, 0, 30, false));
    }

    #[test]
    fn an_undo_needs_no_approval_and_no_history_hinders_it() {
        let worst = Facts {
            did_not_help: true,
            ..history(TargetFacts { attempts: 9, seconds_since_last: Some(0), undone: true })
        };
        for mode in [Mode::Act, Mode::Propose] {
            let guarded = guard(undo(), Demand { mode, ..demand(0) }, &LIMITS, &worst);
            assert_eq!(outcome(&guarded), (Mode::Act, 1, 0, 0, false), "{mode}");
        }
        let observed = guard(undo(), Demand { mode: Mode::Observe, ..demand(0) }, &LIMITS, &worst);
        assert_eq!(outcome(&observed), (Mode::Observe, 0, 1, 0, false));
        let nothing = guard(Vec::new(), Demand { mode: Mode::Propose, ..demand(0) }, &LIMITS, &Facts::default());
        assert_eq!(outcome(&nothing).0, Mode::Propose, "nothing wanted is no undo");
    }
}
