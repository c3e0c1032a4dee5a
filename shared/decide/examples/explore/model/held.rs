//! What the guard says of the one change that a step wants of a process: let through where nothing is in its way, held where anything is.

use remediation_decide::domain::Mode;
use remediation_decide::guard::{Asked, Change, Class, Fate, Guard, Limits, Record, Role, Share, Shares};

/// Whether a change of this class is made where nothing is in its way.
pub fn lets_through(guard: Guard, class: Class) -> bool {
    made(guard, new(class), &free(&Shares::new()), &Limits::default(), &Record::default())
}

/// Whether one is made although something holds it: the mode, the step's control, a limit, or what was done to the target before.
pub fn lets_through_what_is_held(guard: Guard, class: Class) -> bool {
    let (none, limits, record) = (Shares::new(), Limits::default(), Record::default());
    let most = Shares::from([(class, Share { of: 30, wanted: 16 })]);
    let (change, free) = (new(class), free(&none));
    let resting = Limits { cooldown_seconds: 60, ..limits };
    let asked = [
        Asked { mode: Mode::Observe, ..free },
        Asked { mode: Mode::Propose, ..free },
        Asked { mode: Mode::Observe, approved: true, ..free },
        Asked { limit: Some(0), ..free },
        Asked { done: limits.actions_per_run, ..free },
        Asked { shares: &most, ..free },
    ];
    let records = [
        Record { mode: Some(Mode::Observe), ..record },
        Record { mode: Some(Mode::Propose), ..record },
        Record { did_not_help: true, ..record },
        Record { actions_last_hour: limits.actions_per_hour, ..record },
        Record { beside: limits.actions_per_run, ..record },
    ];
    let changes = [
        Change { rests: true, ..change },
        Change { attempts: limits.attempts_per_target, ..change },
        Change { seconds_since_last: Some(59), ..change },
    ];
    asked.iter().any(|asked| made(guard, change, asked, &limits, &record))
        || records.iter().any(|record| made(guard, change, &free, &limits, record))
        || changes.iter().any(|change| made(guard, *change, &free, &resting, &record))
}

fn made(guard: Guard, change: Change, asked: &Asked<'_>, limits: &Limits, record: &Record) -> bool {
    guard(&[change], asked, limits, record).fates == [Fate::Apply]
}

const fn new(class: Class) -> Change {
    Change { class, role: Role::New, rests: false, attempts: 0, seconds_since_last: None }
}

const fn free(shares: &Shares) -> Asked<'_> {
    Asked {
        mode: Mode::Act,
        own: Mode::Act,
        approved: false,
        by_name: false,
        population: 1,
        shares,
        limit: None,
        done: 0,
    }
}
