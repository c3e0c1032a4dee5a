use super::*;

/// `count` plain changes, on targets to which nothing was done.
fn wanted(count: usize) -> Vec<Change> {
    vec![of(Class::Closing); count]
}

const fn of(class: Class) -> Change {
    Change { class, role: Role::New, rests: false, attempts: 0, seconds_since_last: None }
}

const fn tried(attempts: u32, seconds_since_last: i64) -> Change {
    Change { attempts, seconds_since_last: Some(seconds_since_last), ..of(Class::Closing) }
}

static NOTHING_COUNTED: Shares = Shares::new();

const fn asked(population: usize) -> Asked<'static> {
    Asked {
        mode: Mode::Act,
        own: Mode::Act,
        approved: false,
        by_name: false,
        population,
        shares: &NOTHING_COUNTED,
        limit: None,
        done: 0,
    }
}

const LIMITS: Limits = Limits {
    actions_per_run: 10,
    actions_per_hour: 20,
    share_of_candidates: 0.5,
    cooldown_seconds: 60,
    attempts_per_target: 3,
};

const PLAIN: Record = Record { mode: None, did_not_help: false, actions_last_hour: 0, beside: 0 };

/// Mode, how many are made, held and left, and the limit.
fn outcome(judged: &Judgement) -> (Mode, usize, usize, usize, Option<Over>) {
    let count = |is: fn(&Fate) -> bool| judged.fates.iter().filter(|fate| is(fate)).count();
    let left = count(|fate| matches!(fate, Fate::Leave(_)));
    (judged.mode, count(|fate| *fate == Fate::Apply), count(|fate| *fate == Fate::Hold), left, judged.over)
}

#[test]
fn the_least_mode_counts_and_an_approval_lifts_propose_but_never_observe() {
    use Mode::{Act, Observe, Propose};
    let allows = |mode| Record { mode: Some(mode), ..PLAIN };
    let unhelpful = Record { did_not_help: true, ..PLAIN };
    let asks = Some(Over::DidNotHelp);
    // (asked for, approved, record, mode then, the limit that is told)
    for (mode, approved, record, then, over) in [
        (Act, false, PLAIN, Act, None),
        (Propose, false, PLAIN, Propose, None),
        (Observe, false, PLAIN, Observe, None),
        (Act, false, allows(Propose), Propose, None),
        (Act, false, allows(Observe), Observe, None),
        (Observe, false, allows(Act), Observe, None),
        (Propose, false, allows(Act), Propose, None),
        (Propose, true, PLAIN, Act, None),
        (Act, true, allows(Propose), Act, None),
        (Act, true, allows(Observe), Observe, None),
        (Observe, true, PLAIN, Observe, None),
        (Act, false, unhelpful, Propose, asks),
        (Propose, false, unhelpful, Propose, None),
        (Observe, false, unhelpful, Observe, None),
        (Act, true, unhelpful, Act, None),
    ] {
        let judged = guard(&wanted(1), &Asked { mode, approved, ..asked(1) }, &LIMITS, &record);
        let applied = usize::from(then == Act);
        assert_eq!(outcome(&judged), (then, applied, 1 - applied, 0, over), "{mode} approved={approved} {record:?}");
    }
}

#[test]
fn a_step_that_wants_most_of_many_does_nothing_of_it() {
    let per_run = Some(Over::PerRun(10));
    let share = |changed, of| Some(Over::Share { changed, of });
    // (wanted, of, the share, made, held, the limit)
    for (count, population, part, applied, held, over) in [
        (10, 20, 0.5, 10, 0, None),
        (9, 9, 0.5, 9, 0, None),
        (10, 21, 0.5, 10, 0, None),
        (11, 21, 0.5, 0, 11, share(11, 21)),
        (11, 22, 0.5, 10, 1, per_run),
        (11, 21, 1.0, 10, 1, per_run),
        (1, 21, 0.0, 0, 1, share(1, 21)),
        (1, 20, 0.0, 1, 0, None),
    ] {
        let limits = Limits { share_of_candidates: part, ..LIMITS };
        let judged = guard(&wanted(count), &asked(population), &limits, &PLAIN);
        assert_eq!(outcome(&judged), (Mode::Act, applied, held, 0, over), "{count} of {population}, {part}");
        let approved = guard(&wanted(8), &Asked { approved: true, ..asked(population) }, &limits, &PLAIN);
        assert_eq!(outcome(&approved).1, 8, "a person has seen how many they are");
    }
}

#[test]
fn a_part_is_a_part_of_everything_and_never_of_a_page() {
    // (wanted here, looked at, how many there are, how many all runs want, made)
    for (count, population, there, everywhere, applied) in [
        // What was closed in the last day does not dilute the open rows.
        (10, 10_000, 21, 0, 10),
        (11, 10_000, 21, 0, 0),
        // The last page of many is small, and as wrong as the first.
        (5, 5, 150_000, 150_000, 0),
        (5, 5, 150_000, 75_000, 5),
        (5, 5, 150_000, 75_001, 0),
        (9, 10_000, 20, 20, 9),
        // More than were counted: nobody had looked before.
        (40, 40, 0, 0, 0),
        (9, 9, 0, 0, 9),
    ] {
        let shares = Shares::from([(Class::Closing, Share { of: there, wanted: everywhere })]);
        let judged = guard(&wanted(count), &Asked { shares: &shares, ..asked(population) }, &LIMITS, &PLAIN);
        assert_eq!(outcome(&judged).1, applied, "{count} of {population}; {everywhere} of {there}");
    }
}

#[test]
fn the_share_is_of_each_class_and_says_nothing_of_what_is_safe() {
    use Class::{Closing, Message, Repair, Stop};
    // (changes of which classes, looked at, made, held)
    for (changes, population, applied, held) in [
        ([(Repair, 9), (Closing, 0)], 30, 9, 0),
        ([(Repair, 30), (Closing, 0)], 30, 10, 20),
        ([(Message, 30), (Closing, 0)], 30, 10, 20),
        ([(Repair, 5), (Closing, 11)], 22, 10, 6),
        ([(Repair, 1), (Closing, 12)], 22, 0, 13),
        // Neither is too much of what was looked at, both together would be.
        ([(Stop, 5), (Closing, 5)], 21, 10, 0),
        ([(Stop, 5), (Closing, 11)], 21, 0, 16),
    ] {
        let all: Vec<Change> = changes.iter().flat_map(|(class, count)| vec![of(*class); *count]).collect();
        let judged = guard(&all, &asked(population), &LIMITS, &PLAIN);
        let (_, made, kept, left, _) = outcome(&judged);
        assert_eq!((made, kept, left), (applied, held, 0), "{changes:?} of {population}");
    }
}

#[test]
fn what_is_beyond_a_run_or_an_hour_is_held_and_what_is_beyond_the_ask_is_left() {
    let hour = |actions_last_hour| Record { actions_last_hour, ..PLAIN };
    let beside = |beside| Record { beside, ..PLAIN };
    let (run, per_hour) = (Some(Over::PerRun(10)), Some(Over::PerHour(20)));
    // (wanted, done before, asked for at most, record, made, held, left, the limit, some are left for now)
    for (count, done, limit, record, applied, held, left, over, limited) in [
        (10, 0, None, PLAIN, 10, 0, 0, None, false),
        (11, 0, None, PLAIN, 10, 1, 0, run, false),
        (5, 7, None, hour(7), 3, 2, 0, run, false),
        (5, 12, None, PLAIN, 0, 5, 0, run, false),
        (10, 0, None, hour(15), 5, 5, 0, per_hour, false),
        (11, 0, None, hour(10), 10, 1, 0, run, false),
        (1, 0, None, hour(20), 0, 1, 0, per_hour, false),
        (1, 0, None, hour(25), 0, 1, 0, per_hour, false),
        // What sweeps that overlap this one have made or may make is a part of the run's limit.
        (10, 0, None, beside(7), 3, 0, 7, None, true),
        (8, 2, None, beside(9), 0, 0, 8, None, true),
        // Alone, it would reach the limit, too.
        (11, 0, None, beside(7), 3, 8, 0, run, false),
        (5, 0, Some(2), PLAIN, 2, 0, 3, None, true),
        (5, 1, Some(2), hour(1), 1, 0, 4, None, true),
        (5, 2, Some(2), hour(2), 0, 0, 5, None, true),
        (2, 0, Some(2), PLAIN, 2, 0, 0, None, false),
        (12, 0, Some(50), PLAIN, 10, 2, 0, run, false),
        (12, 0, Some(10), PLAIN, 10, 2, 0, run, false),
        (12, 0, Some(3), hour(18), 2, 10, 0, per_hour, false),
    ] {
        let judged = guard(&wanted(count), &Asked { done, limit, ..asked(0) }, &LIMITS, &record);
        let case = format!("{count} after {done}, at most {limit:?}, {record:?}");
        assert_eq!(outcome(&judged), (Mode::Act, applied, held, left, over), "{case}");
        assert_eq!(judged.limited, limited, "{case}");
        assert!(judged.fates[..applied].iter().all(|fate| *fate == Fate::Apply), "{case}: those that are wanted first");
        let why = if limit.is_some() { limit.map(Why::Limit) } else { Some(Why::Beside) };
        let last = judged.fates.last().filter(|_| left > 0);
        assert_eq!(last.copied(), why.map(Fate::Leave).filter(|_| left > 0), "{case}");
    }
}

#[test]
fn a_target_rests_after_a_change_and_has_so_many_attempts_and_an_undo_is_respected() {
    let undone = |change| Change { rests: true, ..change };
    // (what was done to it, a person names it, why it is left alone)
    for (change, by_name, why) in [
        (of(Class::Closing), false, None),
        (tried(1, 60), false, None),
        (tried(1, 59), false, Some(Why::Cooldown(1))),
        (tried(1, 0), false, Some(Why::Cooldown(60))),
        (tried(2, 3600), false, None),
        (tried(3, 3600), false, Some(Why::Attempts(3))),
        (tried(4, 90_000), false, Some(Why::Attempts(4))),
        (undone(tried(1, 3600)), false, Some(Why::Undone)),
        // A person's own command is not held up by a person's undo, and by everything else it is.
        (undone(tried(1, 3600)), true, None),
        (undone(tried(3, 3600)), true, Some(Why::Attempts(3))),
        (undone(tried(1, 59)), true, Some(Why::Cooldown(1))),
    ] {
        let judged = guard(&[change], &Asked { by_name, ..asked(1) }, &LIMITS, &PLAIN);
        let case = format!("{change:?} by name: {by_name}");
        assert_eq!(judged.fates, [why.map_or(Fate::Apply, Fate::Leave)], "{case}");
        let approved = guard(&[change], &Asked { approved: true, ..asked(1) }, &LIMITS, &PLAIN);
        assert_eq!(approved.fates, [Fate::Apply], "a person has decided: {case}");
        for mode in [Mode::Observe, Mode::Propose] {
            let told = guard(&[change], &Asked { mode, by_name, ..asked(1) }, &LIMITS, &PLAIN);
            assert_eq!(told.fates, [why.map_or(Fate::Hold, Fate::Leave)], "{mode}: no mode is lifted by it: {case}");
        }
    }
    let no_rest = Limits { cooldown_seconds: 0, ..LIMITS };
    assert_eq!(guard(&[tried(1, -5)], &asked(1), &no_rest, &PLAIN).fates, [Fate::Apply]);
    let left = guard(&vec![undone(tried(1, 3600)); 30], &asked(30), &LIMITS, &PLAIN);
    assert_eq!(outcome(&left), (Mode::Act, 0, 0, 30, None), "what is left alone does not count against the limits");
}

#[test]
fn what_was_begun_is_ended_whatever_the_limits_say_if_anything_may_be_done() {
    let end = Change { role: Role::End, rests: true, ..tried(9, 0) };
    let full = Record { actions_last_hour: 20, ..PLAIN };
    let both = [of(Class::Closing), end];
    let judged = guard(&both, &asked(2), &LIMITS, &full);
    assert_eq!((judged.fates, judged.over), (vec![Fate::Hold, Fate::Apply], Some(Over::PerHour(20))));
    // Nor does it count against a share.
    let many: Vec<Change> = wanted(10).into_iter().chain(vec![end; 30]).collect();
    assert_eq!(outcome(&guard(&many, &asked(21), &LIMITS, &PLAIN)).1, 40);
    for mode in [Mode::Propose, Mode::Observe] {
        let judged = guard(&both, &Asked { mode, ..asked(2) }, &LIMITS, &full);
        assert_eq!(outcome(&judged), (mode, 0, 2, 0, None));
    }
}

#[test]
fn an_undo_needs_no_approval_and_neither_history_nor_limit_hinders_it() {
    let undo = Change { role: Role::Undo, rests: true, ..tried(9, 0) };
    let worst = Record { did_not_help: true, actions_last_hour: 99, ..PLAIN };
    for mode in [Mode::Act, Mode::Propose] {
        let judged = guard(&[undo; 30], &Asked { mode, ..asked(30) }, &LIMITS, &worst);
        assert_eq!(outcome(&judged), (Mode::Act, 30, 0, 0, None), "{mode}");
    }
    let observed = guard(&[undo], &Asked { mode: Mode::Observe, ..asked(0) }, &LIMITS, &worst);
    assert_eq!(outcome(&observed), (Mode::Observe, 0, 1, 0, None));
    let mixed = guard(&[undo, of(Class::Closing)], &Asked { mode: Mode::Propose, ..asked(0) }, &LIMITS, &PLAIN);
    assert_eq!(outcome(&mixed), (Mode::Propose, 0, 2, 0, None), "beside something else it is no person's word on that");
    let nothing = guard(&[], &Asked { mode: Mode::Propose, ..asked(0) }, &LIMITS, &PLAIN);
    assert_eq!(outcome(&nothing), (Mode::Propose, 0, 0, 0, None), "nothing wanted is no undo");
}

#[test]
fn our_own_record_is_bound_by_what_is_asked_for_and_by_nothing_else() {
    let own = Change { rests: true, ..Change { class: Class::Own, ..tried(9, 0) } };
    let worst = Record { mode: Some(Mode::Observe), did_not_help: true, beside: 99, actions_last_hour: 20 };
    let observing = Asked { mode: Mode::Observe, ..asked(0) };
    for asked in [observing, asked(0)] {
        assert_eq!(outcome(&guard(&[own], &asked, &LIMITS, &worst)), (Mode::Act, 1, 0, 0, None));
        let helpless = Record { did_not_help: true, ..PLAIN };
        assert_eq!(outcome(&guard(&[own], &asked, &LIMITS, &helpless)), (Mode::Act, 1, 0, 0, None));
    }
    for mode in [Mode::Observe, Mode::Propose] {
        let asked = Asked { own: mode, mode, ..asked(0) };
        assert_eq!(outcome(&guard(&[own], &asked, &LIMITS, &worst)), (mode, 0, 1, 0, None));
    }
    // Beside it, what is no record of ours is bound as ever.
    let both = [of(Class::Closing), own, of(Class::Closing)];
    let judged = guard(&both, &observing, &LIMITS, &worst);
    assert_eq!((judged.mode, judged.fates), (Mode::Observe, vec![Fate::Hold, Fate::Apply, Fate::Hold]));
    assert_eq!(outcome(&guard(&both, &asked(3), &LIMITS, &PLAIN)), (Mode::Act, 3, 0, 0, None));
}

#[test]
fn a_step_that_reaches_nobody_goes_on_trying_and_any_other_one_that_does_not_help_asks() {
    let unhelpful = Record { did_not_help: true, ..PLAIN };
    let (message, other) = (of(Class::Message), of(Class::Closing));
    for (wanted, mode) in
        [(vec![message], Mode::Act), (vec![other], Mode::Propose), (vec![other, message], Mode::Propose)]
    {
        assert_eq!(guard(&wanted, &asked(1), &LIMITS, &unhelpful).mode, mode, "{wanted:?}");
    }
}

#[test]
fn one_is_made_then_ten_then_a_hundred_then_the_rest() {
    for (made, next) in [(0, 1), (1, 10), (10, 10), (11, 100), (110, 100), (111, usize::MAX), (100_000, usize::MAX)] {
        assert_eq!(ramp(made), next, "after {made}");
    }
}
