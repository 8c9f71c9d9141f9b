//! What the disk below the other figures does: how long one `fdatasync` takes.
//!
//! Overwrites 4 KiB at a time in a zero-filled, synced file of 32 MiB in `TMPDIR`, as the commit log does, and syncs after each, `--syncs` (2000) times.

use std::io::{Seek as _, SeekFrom, Write as _};

use messina_benches::Outcome;
use messina_benches::arguments::Arguments;
use messina_benches::figures::{Samples, Table, ms};
use messina_benches::stopwatch::Stopwatch;

/// Bytes of the file.
const FILE_BYTES: usize = 32 << 20;

/// Bytes of a write.
const WRITE_BYTES: usize = 4 << 10;

fn main() -> Outcome {
    let arguments = Arguments::read(&["syncs"])?;
    let syncs = arguments.or("syncs", 2_000_u32)?;
    let mut file = tempfile::tempfile()?;
    file.write_all(&vec![0; FILE_BYTES])?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let block = vec![7; WRITE_BYTES];
    let mut samples = Samples::default();
    for _ in 0..syncs {
        if file.stream_position()? >= u64::try_from(FILE_BYTES)? {
            file.seek(SeekFrom::Start(0))?;
        }
        let watch = Stopwatch::start();
        file.write_all(&block)?;
        file.sync_data()?;
        samples.add(watch.elapsed());
    }
    let mut table = Table::new(&["4 KiB and fdatasync", "ms"]);
    for (name, per_mille) in [("median", 500), ("p99", 990), ("worst", 1_000)] {
        table.row([
            name.to_owned(),
            format!("{:.2}", ms(samples.percentile(per_mille))),
        ]);
    }
    table.print();
    Ok(())
}
