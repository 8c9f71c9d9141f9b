//! What it costs a server to overwrite rows that are seldom in its memory.
//!
//! Loads `--megabytes` (384) in rows of `--value` (200) random bytes, in the order of their keys' numbers, then overwrites `--operations` (as many as there are rows) of them, drawn uniformly, 256 in flight, each time until the server is quiet.
//! Processor time counts flushes and compactions until then.
//!
//! By default it starts a node with `--memory` (128MB), of which 90 MB are memtables and caches, a quarter of the data.
//! `--address IP:PORT --pid PID` asks any other CQL server on this machine instead; give it as much memory for its caches.

use std::time::Duration;

use messina_benches::Outcome;
use messina_benches::arguments::Arguments;
use messina_benches::figures::{Table, mib, rate};
use messina_benches::pipeline::Pipeline;
use messina_benches::process::{Node, Usage};
use messina_benches::rows::{Dice, Rows, micros_each, rows_in};
use messina_benches::stopwatch::Stopwatch;

fn main() -> Outcome {
    let arguments = Arguments::read(&[
        "program",
        "megabytes",
        "value",
        "operations",
        "memory",
        "smp",
        "sync",
        "address",
        "pid",
    ])?;
    let value_bytes = arguments.or("value", 200_usize)?;
    let keys = rows_in(arguments.or("megabytes", 384)?, value_bytes)?;
    let operations = arguments.or("operations", keys)?;
    // Holds the node, if it is ours, until the end.
    let (_node, mut connection, usage) = match arguments.get("address")? {
        Some(address) => {
            let pid = arguments.get("pid")?.ok_or("--address needs --pid")?;
            (None, Pipeline::open(address)?, Usage::of(pid))
        }
        None => {
            let mut node = Node::spawn_with(&arguments, "1", "periodic")?;
            let connection = node.connect()?;
            let usage = node.usage();
            (Some(node), connection, usage)
        }
    };
    let mut rows = Rows::create(&mut connection, value_bytes)?;
    let mut table = Table::new(&[
        "step",
        "operations",
        "ops/s",
        "CPU µs/op",
        "CPU µs/op until quiet",
        "quiet after s",
        "resident MiB",
    ]);
    let mut dice = Dice::new(7);
    let overwrites = (0..operations).map(|_| dice.below(keys));
    let steps: [(&str, u64, Box<dyn Iterator<Item = u64>>); 2] = [
        ("insert", keys, Box::new(0..keys)),
        ("overwrite", operations, Box::new(overwrites)),
    ];
    for (step, count, numbers) in steps {
        let before = usage.processor()?;
        let watch = Stopwatch::start();
        rows.write(&mut connection, numbers)?;
        let time = watch.elapsed();
        let processor = usage.processor()? - before;
        usage.settle()?;
        let quiet = watch
            .elapsed()
            .saturating_sub(time + Duration::from_secs(3));
        table.row([
            step.to_owned(),
            count.to_string(),
            format!("{:.0}", rate(count, time)),
            micros_each(processor, count),
            micros_each(usage.processor()? - before, count),
            format!("{:.0}", quiet.as_secs_f64()),
            format!("{:.0}", mib(usage.resident()?)),
        ]);
    }
    table.print();
    Ok(())
}
