//! What a node of little memory holds while much more data than memory is loaded.
//!
//! Loads `--megabytes` (2048) of keys and values, in rows of `--value` (1000) random bytes, into a node with `--memory` (128MB) and `--smp` (2) shards, 256 requests in flight, then lets flushes and compactions end.
//!
//! Goal: never more than 160 MiB resident.

use std::time::Duration;

use messina_benches::Outcome;
use messina_benches::arguments::Arguments;
use messina_benches::figures::{Table, mib, rate};
use messina_benches::process::Node;
use messina_benches::rows::{Rows, micros_each, rows_in};
use messina_benches::stopwatch::Stopwatch;

fn main() -> Outcome {
    let arguments = Arguments::read(&["program", "megabytes", "value", "memory", "smp", "sync"])?;
    let megabytes = arguments.or("megabytes", 2_048_u64)?;
    let value_bytes = arguments.or("value", 1_000_usize)?;
    let mut node = Node::spawn_with(&arguments, "2", "batch")?;
    let mut connection = node.connect()?;
    let mut rows = Rows::create(&mut connection, value_bytes)?;
    let usage = node.usage();
    let before = usage.resident()?;
    let processor_before = usage.processor()?;
    let count = rows_in(megabytes, value_bytes)?;
    let watch = Stopwatch::start();
    rows.write(&mut connection, 0..count)?;
    let loading = watch.elapsed();
    let loading_processor = usage.processor()? - processor_before;
    usage.settle()?;
    let settled = watch.elapsed().saturating_sub(Duration::from_secs(3));
    let processor = usage.processor()? - processor_before;
    let mut table = Table::new(&["figure", "value"]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("rows", count.to_string());
    row("rows/s", format!("{:.0}", rate(count, loading)));
    row("loading, s", format!("{:.1}", loading.as_secs_f64()));
    row("until quiet, s", format!("{:.1}", settled.as_secs_f64()));
    row(
        "processor µs/row, loading",
        micros_each(loading_processor, count),
    );
    row(
        "processor µs/row, until quiet",
        micros_each(processor, count),
    );
    row("resident before, MiB", format!("{:.1}", mib(before)));
    row(
        "most resident, MiB",
        format!("{:.1}", mib(usage.resident_peak()?)),
    );
    row(
        "resident after, MiB",
        format!("{:.1}", mib(usage.resident()?)),
    );
    row("loaded, MiB", megabytes.to_string());
    row(
        "on disk after, MiB",
        format!("{:.1}", mib(node.disk_bytes()?)),
    );
    table.print();
    Ok(())
}
