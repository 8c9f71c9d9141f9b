//! How long a node needs from its start on an empty directory, and what it holds when nobody asks anything.
//!
//! Prints the median and the worst of `--runs` (11) starts: to a row of `system.local`, to an accepted INSERT into a new table of a new keyspace, and the memory that is resident `--idle` (5) seconds later in the last run.
//!
//! Goals: 100 ms, 64 MiB.
//! The node runs with its defaults; `--smp N` gives it another number of shards.
//! Client and node share the machine, and an attempt to connect comes every 0.2 ms.

use std::time::Duration;

use messina_benches::Outcome;
use messina_benches::arguments::Arguments;
use messina_benches::figures::{Samples, Table, mib, ms};
use messina_benches::process::Node;
use messina_benches::rows::KEYSPACE;
use messina_benches::stopwatch::{Stopwatch, pause};

fn main() -> Outcome {
    let arguments = Arguments::read(&["program", "runs", "idle", "smp"])?;
    let program = arguments.program()?;
    let runs = arguments.or("runs", 11_u32)?;
    let idle = Duration::from_secs(arguments.or("idle", 5)?);
    let smp: Option<String> = arguments.get("smp")?;
    let options: Vec<&str> = smp.iter().flat_map(|smp| ["--smp", smp]).collect();
    let mut row = Samples::default();
    let mut insert = Samples::default();
    let mut resident = Vec::new();
    for run in 1..=runs {
        let watch = Stopwatch::start();
        let mut node = Node::spawn(&program, &options)?;
        let mut connection = node.connect()?;
        connection.query("SELECT key, host_id FROM system.local")?;
        row.add(watch.elapsed());
        connection.query(KEYSPACE)?;
        connection.query("CREATE TABLE bench.first (id int PRIMARY KEY, words text)")?;
        connection.query("INSERT INTO bench.first (id, words) VALUES (1, 'here')")?;
        insert.add(watch.elapsed());
        if run == runs {
            drop(connection);
            pause(idle);
            resident = vec![node.usage().resident()?, node.usage().resident_peak()?];
        }
    }
    let mut table = Table::new(&["from start to", "median ms", "worst ms"]);
    for (what, samples) in [
        ("a row of system.local", &mut row),
        ("an accepted INSERT", &mut insert),
    ] {
        table.row([
            what.to_owned(),
            format!("{:.1}", ms(samples.percentile(500))),
            format!("{:.1}", ms(samples.percentile(1_000))),
        ]);
    }
    table.print();
    let mut table = Table::new(&["memory", "MiB"]);
    for (what, bytes) in ["resident when idle", "most ever resident"]
        .iter()
        .zip(resident)
    {
        table.row([(*what).to_owned(), format!("{:.1}", mib(bytes))]);
    }
    table.print();
    Ok(())
}
