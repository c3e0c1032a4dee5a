//! The searches: all but the last two go on until nothing new can be reached. Those have more states than there is time for, and go only
//! deeper than what they look for.

use super::model::ask::ByHand;
use super::model::search::Bounds;

/// Nobody does anything yet.
const NOBODY: Bounds = Bounds {
    steps: [false; 3],
    by_hand: ByHand::Look,
    cancel: false,
    retry: false,
    redrive: false,
    counted: false,
    ours: false,
    depth: None,
};
const SYNC: [bool; 3] = [true, false, false];
const SWEEP: [bool; 3] = [false, true, false];
const BOTH: [bool; 3] = [true, true, false];
const HAND: [bool; 3] = [false, false, true];
const SYNC_AND_HAND: [bool; 3] = [true, false, true];

/// Each with what it is called.
pub const SEARCHES: [(&str, Bounds); 14] = [
    ("sync and sweep", Bounds { steps: BOTH, ..NOBODY }),
    ("sync and sweep, a cancel", Bounds { steps: BOTH, cancel: true, ..NOBODY }),
    ("sync, a redrive", Bounds { steps: SYNC, redrive: true, ..NOBODY }),
    ("sweep, a redrive", Bounds { steps: SWEEP, redrive: true, ..NOBODY }),
    ("sync and sweep, a redrive", Bounds { steps: BOTH, redrive: true, ..NOBODY }),
    ("sync, a user's retry", Bounds { steps: SYNC, retry: true, ..NOBODY }),
    ("sync, a user's retry that is counted", Bounds { steps: SYNC, retry: true, counted: true, ..NOBODY }),
    ("sweep, a user's retry", Bounds { steps: SWEEP, retry: true, ..NOBODY }),
    ("a cancel by hand, a user's cancel", Bounds { steps: HAND, by_hand: ByHand::Cancel, cancel: true, ..NOBODY }),
    ("a look by hand, a redrive", Bounds { steps: HAND, redrive: true, ..NOBODY }),
    ("our retry and a sweep", Bounds { steps: SWEEP, ours: true, ..NOBODY }),
    ("our retry and sync", Bounds { steps: SYNC, ours: true, ..NOBODY }),
    (
        "sync, a cancel by hand, a user's retry",
        Bounds { steps: SYNC_AND_HAND, by_hand: ByHand::Cancel, retry: true, depth: Some(14), ..NOBODY },
    ),
    ("sync, a look by hand, a user's retry", Bounds { steps: SYNC_AND_HAND, retry: true, depth: Some(14), ..NOBODY }),
];
