//! How long a shard is busy with one thing while writes and reads, flushes and compactions go on.
//!
//! A node with one shard and `--memory` (128MB) works for `--minutes` (10) on an equal mix of uniform writes and reads of `--keys` (1000000) rows of `--value` (200) bytes, 256 in flight.
//! Another connection, which has nothing else to do, asks OPTIONS every millisecond, a request that waits for nothing but its turn.
//! What it waits is at most the longest turn before it, plus what the two programs wait for a processor; the same questions are asked for five seconds before the load begins, to show the second part.
//! The rows *shard's CPU* leave it out: how much processor time the shard's thread used between question and answer, on all that was before the question; they may hold several turns.
//!
//! Goal: 5 ms.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use messina_benches::Outcome;
use messina_benches::arguments::Arguments;
use messina_benches::figures::{Samples, Table, ms};
use messina_benches::pipeline::Pipeline;
use messina_benches::process::{Node, ThreadClock};
use messina_benches::rows::Rows;
use messina_benches::stopwatch::{Stopwatch, pause};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the idle node is asked.
const QUIET: Duration = Duration::from_secs(5);

fn main() -> Outcome {
    let arguments = Arguments::read(&["program", "minutes", "keys", "value", "memory", "sync"])?;
    let minutes: f64 = arguments.or("minutes", 10.0)?;
    let keys = arguments.or("keys", 1_000_000_u64)?;
    let value_bytes = arguments.or("value", 200_usize)?;
    let mut node = Node::spawn_with(&arguments, "1", "periodic")?;
    let mut probe = node.connect()?;
    let mut loader = Pipeline::open(node.address())?;
    let mut rows = Rows::create(&mut loader, value_bytes)?;
    let mut shard = node.usage().thread("shard 0")?;
    let mut quiet = Waits::default();
    ask(&mut probe, &mut shard, &mut quiet, QUIET)?;
    let mut busy = Waits::default();
    let stop = AtomicBool::new(false);
    let operations = std::thread::scope(|scope| -> Outcome<u64> {
        let load = scope.spawn(|| {
            let go_on = || !stop.load(Ordering::Relaxed);
            rows.mix(&mut loader, keys, go_on)
                .map_err(|error| error.to_string())
        });
        let time = Duration::from_secs_f64(minutes * 60.0);
        let asked = ask(&mut probe, &mut shard, &mut busy, time);
        stop.store(true, Ordering::Relaxed);
        let operations = load.join().map_err(|_| "the load panicked")??;
        asked?;
        Ok(operations)
    })?;
    let mut table = Table::new(&[
        "node",
        "questions",
        "median ms",
        "p99 ms",
        "p99.9 ms",
        "longest ms",
    ]);
    for (name, samples) in [
        ("idle", &mut quiet.all),
        ("idle, shard's CPU", &mut quiet.processor),
        ("under load", &mut busy.all),
        ("under load, shard's CPU", &mut busy.processor),
    ] {
        table.row([
            name.to_owned(),
            samples.count().to_string(),
            format!("{:.2}", ms(samples.percentile(500))),
            format!("{:.2}", ms(samples.percentile(990))),
            format!("{:.2}", ms(samples.percentile(999))),
            format!("{:.2}", ms(samples.percentile(1_000))),
        ]);
    }
    table.print();
    let mut table = Table::new(&["operations", "flushes", "compactions"]);
    table.row([
        operations.to_string(),
        node.metric("messina_memtable_flushes_total")?.to_string(),
        node.metric("messina_engine_compactions_total")?.to_string(),
    ]);
    table.print();
    Ok(())
}

/// What questions waited.
#[derive(Default)]
struct Waits {
    /// From question to answer.
    all: Samples,
    /// Processor time of the shard's thread meanwhile.
    processor: Samples,
}

/// Asks for so long and keeps how long each answer took.
fn ask(
    probe: &mut Pipeline,
    shard: &mut ThreadClock,
    waits: &mut Waits,
    time: Duration,
) -> Outcome {
    let watch = Stopwatch::start();
    while watch.elapsed() < time {
        let before = shard.read()?;
        let question = Stopwatch::start();
        probe.ping()?;
        waits.all.add(question.elapsed());
        waits.processor.add(shard.read()?.saturating_sub(before));
        pause(PAUSE);
    }
    Ok(())
}
