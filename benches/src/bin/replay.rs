//! How fast a node reads its commit log after `kill -9`.
//!
//! Writes `--megabytes` (512) of rows with values of `--value` (1000) bytes into a node that has so much memory that nothing is flushed, kills it, starts it again `--runs` (3) times and takes the time to its first answer.
//! From that it subtracts the time that the same node needs on an empty directory.
//! A node flushes when its log grows long, so less than everything is replayed; the table says how much.
//! The rate a second of processor time is that of the thread that reads the log, also without an empty start; other work on the machine changes it least.
//!
//! Goal: 500 MB/s.
//! The log is in the page cache of the operating system, so this measures the node, not the disk.

use messina_benches::Outcome;
use messina_benches::arguments::Arguments;
use messina_benches::figures::{Table, mib, ms};
use messina_benches::process::Node;
use messina_benches::rows::{Rows, rows_in};
use messina_benches::stopwatch::Stopwatch;

fn main() -> Outcome {
    let arguments = Arguments::read(&["program", "megabytes", "value", "memory", "smp", "runs"])?;
    let megabytes = arguments.or("megabytes", 512_u64)?;
    let value_bytes = arguments.or("value", 1_000_usize)?;
    let memory = arguments.or("memory", format!("{}MB", megabytes * 8))?;
    let smp = arguments.or("smp", "2".to_owned())?;
    let runs = arguments.or("runs", 3_u32)?;
    let options = ["--memory", memory.as_str(), "--smp", &smp];
    let watch = Stopwatch::start();
    let mut node = Node::spawn(&arguments.program()?, &options)?;
    let mut connection = node.connect()?;
    let empty_start = watch.elapsed();
    let empty_processor = node.usage().first_thread_processor()?;
    let mut rows = Rows::create(&mut connection, value_bytes)?;
    let count = rows_in(megabytes, value_bytes)?;
    rows.write(&mut connection, 0..count)?;
    drop(connection);
    let mut table = Table::new(&[
        "start",
        "ms",
        "replayed MiB",
        "MiB/s",
        "MiB/CPU s",
        "resident MiB",
    ]);
    table.row([
        "empty".to_owned(),
        format!("{:.0}", ms(empty_start)),
        "0".to_owned(),
        "".to_owned(),
        "".to_owned(),
        "".to_owned(),
    ]);
    for run in 1..=runs {
        node.kill()?;
        let watch = Stopwatch::start();
        node.spawn_again()?;
        drop(node.connect()?);
        let start = watch.elapsed();
        let processor = node
            .usage()
            .first_thread_processor()?
            .saturating_sub(empty_processor);
        let replayed = node.metric("messina_replay_bytes_total")? / mib_bytes();
        let time = start.saturating_sub(empty_start).as_secs_f64();
        table.row([
            format!("after kill {run}"),
            format!("{:.0}", ms(start)),
            format!("{replayed:.1}"),
            format!("{:.0}", replayed / time),
            format!("{:.0}", replayed / processor.as_secs_f64()),
            format!("{:.0}", mib(node.usage().resident()?)),
        ]);
    }
    table.print();
    Ok(())
}

fn mib_bytes() -> f64 {
    f64::from(1 << 20)
}
