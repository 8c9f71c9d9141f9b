//! Figures: percentiles, and the table that a program prints.

use std::time::Duration;

/// Bytes of a megabyte here: 2^20.
pub const MIB: u64 = 1 << 20;

/// Bytes as megabytes.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a figure for readers")]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

/// Something for each of so many operations; 0 for none.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a figure for readers")]
pub fn each(total: f64, operations: u64) -> f64 {
    if operations == 0 {
        return 0.0;
    }
    total / operations as f64
}

/// Operations a second.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a figure for readers")]
pub fn rate(operations: u64, time: Duration) -> f64 {
    operations as f64 / time.as_secs_f64()
}

/// Milliseconds.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Samples of a duration.
#[derive(Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// One more.
    pub fn add(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest sample that at least `per_mille` of a thousand do not exceed; 1,000 asks for the largest.
    pub fn percentile(&mut self, per_mille: usize) -> Duration {
        self.0.sort_unstable();
        let rank = (self.0.len() * per_mille).div_ceil(1_000);
        let index = rank.saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }
}

/// Rows of text in columns.
#[derive(Debug)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with a heading.
    #[must_use]
    pub fn new(heading: &[&str]) -> Self {
        Self(vec![heading.iter().map(|&text| text.to_owned()).collect()])
    }

    /// One more row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.push(cells.into());
    }

    /// Prints it as Markdown, so that it can be copied into a page.
    #[expect(clippy::print_stdout, reason = "printing is what these programs do")]
    pub fn print(&self) {
        let columns = self.0.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.0.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let line = |row: &[String]| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            println!("| {} |", cells.join(" | "));
        };
        for (number, row) in self.0.iter().enumerate() {
            line(row);
            if number == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                line(&rule);
            }
        }
    }
}
