//! From the execution of a function to its first request for an event, beside a Node function with the same clients.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use functions_tests::STATE_MACHINE_ARN;
use harness::{Function, FunctionBuilder};

use crate::figure::Figure;
use crate::measured::{Measured, median, milliseconds, say};
use crate::programs;

/// Starts of which the median counts.
const STARTS: usize = 31;
const READY_WITHIN_MS: f64 = 15.0;
const OF_NODE: f64 = 0.1;
const MEBIBYTE: f64 = 1024.0 * 1024.0;
const RESIDENT_MIB: f64 = 20.0;

/// Measures the start of the function that has to be quick: the one that every status change starts.
pub async fn measure(programs: &BTreeMap<String, PathBuf>) -> Measured<Vec<Figure>> {
    let name = "sync-execution-status";
    let program = programs.get(name).ok_or("there is no sync-execution-status")?;
    let node = programs::node()?;
    say(&format!("starting {name} and the Node function {STARTS} times each"));
    let (mut ours, mut theirs, mut resident, mut of_node) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let (mut worked, mut waited) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        // In turns: whatever else the machine does meets both.
        let function = settings(Function::at(program)).start().await?;
        ours.push(function.ready_after());
        resident.push(function.resident_bytes());
        if let Some((work, wait)) = function.process_id().and_then(scheduled) {
            worked.push(work);
            waited.push(wait);
        }
        drop(function);
        let function = settings(Function::at(&node)).start().await?;
        theirs.push(function.ready_after());
        of_node = of_node.max(function.resident_bytes());
    }
    let (rust, other) = (median(&ours), median(&theirs));
    let best = ours.iter().min().copied().unwrap_or_default();
    let mut figures = vec![
        Figure::aimed(
            "ready: exec to first GET /next",
            milliseconds(rust),
            "ms",
            READY_WITHIN_MS,
            format!(
                "{name}, median of {STARTS} starts, at best {:.1} ms; on a processor {:.1} ms, waiting for a free one {:.1} ms",
                milliseconds(best),
                milliseconds(median(&worked)),
                milliseconds(median(&waited))
            ),
        ),
        Figure::aimed(
            "ready: part of what Node needs",
            rust.as_secs_f64() / other.as_secs_f64(),
            "×",
            OF_NODE,
            format!("Node with the AWS SDK and pg: {:.0} ms, {:.0} MiB", milliseconds(other), mebibytes(of_node)),
        ),
    ];
    let most = resident.into_iter().max().unwrap_or_default();
    figures.push(Figure::aimed(
        "resident: at rest after the start",
        mebibytes(most),
        "MiB",
        RESIDENT_MIB,
        name.to_owned(),
    ));
    Ok(figures)
}

/// How long a process with one thread was on a processor so far, and how long it waited for a free one; `None` where the kernel
/// does not tell.
fn scheduled(pid: u32) -> Option<(Duration, Duration)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let mut nanoseconds = text.split_whitespace().map_while(|number| number.parse().ok().map(Duration::from_nanos));
    Some((nanoseconds.next()?, nanoseconds.next()?))
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}

pub fn resident(name: &str, bytes: u64) -> Figure {
    Figure::aimed("resident: at rest after an invocation", mebibytes(bytes), "MiB", RESIDENT_MIB, name.to_owned())
}

fn settings(function: FunctionBuilder) -> FunctionBuilder {
    // Nobody connects before the first event.
    function.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none").env("STATE_MACHINE_ARN", STATE_MACHINE_ARN)
}
