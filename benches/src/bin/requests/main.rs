//! What a request costs in a node without sockets: processor time and allocations for each operation, on one core.
//!
//! ```text
//!  frames encoded before ─► pipe ─► node_query::serve ─► executor ─► shard ─► answers ─► pipe ─► counted
//! ```
//!
//! A node with one shard is booted in this process, on real files, with fjall and a periodic commit log.
//! Everything but the log, flushes and the engine's work runs on this thread, whose processor time is taken; the pipe's copies and the counting of answers are part of it.
//! Allocations are those of all threads.
//!
//! `--rows` (100000) rows in the shape of `cassandra-stress`, `--passes` (5) over them in each case, 256 requests in flight; `--points` (100) rows in each partition of the wide table.
//! The *read* cases ask for rows in the memtable, the *engine* cases for the same rows after a flush.
//!
//! `--case NAME` measures one case only.
//! Instructions: `valgrind --tool=callgrind --toggle-collect='*measured_instructions*' requests --case read --rows 5000 --passes 2` counts those of the measured part alone.

mod allocations;
mod cases;
mod node;

use messina_benches::Outcome;
use messina_benches::arguments::Arguments;
use messina_benches::figures::{Table, each};

use crate::cases::{Case, Frames};
use crate::node::InProcess;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> Outcome {
    let arguments = Arguments::read(&["rows", "passes", "points", "case"])?;
    let rows = arguments.or("rows", 100_000_u64)?;
    let passes = arguments.or("passes", 5_u32)?;
    let points = arguments.or("points", 100_u64)?;
    let only: Option<String> = arguments.get("case")?;
    let mut node = InProcess::boot()?;
    let statements = cases::prepare(&mut node)?;
    let mut table = Table::new(&[
        "case",
        "operations",
        "µs CPU/op",
        "allocations/op",
        "bytes allocated/op",
        "bytes answered/op",
    ]);
    for case in Case::ALL {
        if case.is_after_flush() {
            node.flush()?;
        }
        let frames = Frames::encode(case, &statements, rows, points);
        // A case that fills the table for others runs once even if it is not asked for.
        let wanted = only.as_deref().is_none_or(|name| name == case.name());
        if !wanted {
            if case.fills() {
                node.pump(&frames)?;
            }
            continue;
        }
        let passes = if case.fills() { 1 } else { passes };
        if !case.fills() {
            node.pump(&frames)?;
        }
        let figures = measured_instructions(&mut node, &frames, passes)?;
        table.row([
            case.name().to_owned(),
            figures.operations.to_string(),
            format!(
                "{:.2}",
                each(figures.processor.as_secs_f64() * 1e6, figures.operations)
            ),
            format!("{:.2}", each(figures.allocations, figures.operations)),
            format!("{:.0}", each(figures.allocated, figures.operations)),
            format!("{:.0}", each(figures.answered, figures.operations)),
        ]);
    }
    table.print();
    node.stop()
}

/// What a case took.
struct Figures {
    operations: u64,
    processor: std::time::Duration,
    allocations: f64,
    allocated: f64,
    answered: f64,
}

/// The measured part alone, under a name that a profiler can be told.
#[inline(never)]
#[expect(clippy::cast_precision_loss, reason = "figures for readers")]
fn measured_instructions(node: &mut InProcess, frames: &Frames, passes: u32) -> Outcome<Figures> {
    let allocations = allocations::counted();
    let processor = node::thread_processor()?;
    let mut answered = 0;
    for _ in 0..passes {
        answered += node.pump(frames)?;
    }
    let processor = node::thread_processor()? - processor;
    let after = allocations::counted();
    Ok(Figures {
        operations: frames.count() * u64::from(passes),
        processor,
        allocations: (after.calls - allocations.calls) as f64,
        allocated: (after.bytes - allocations.bytes) as f64,
        answered: answered as f64,
    })
}
