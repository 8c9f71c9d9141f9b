//! Golden scripts: `testscripts/*.txt`, one partition each, from the first line to the last.
//!
//! A case is commands, `---`, and what they print; `#` begins a comment. `UPDATE_GOLDEN=1` accepts what
//! is printed now. Values and paths are text of our own: `a` is the byte 0x61, and `7` an int in set `s`.
//!
//! ```text
//! insert ck=1 a=x m[k]=y @100 [ttl=5 expires=60]   cells and the row marker; without ck the static row
//! update ck=1 a=null s[7] @100 [at=50]             cells only; null deletes, also a whole collection
//! delete ck=1 @100 | delete ck=1..3 @100 | delete @100    row, range from..before, partition; [at=50]
//! read [now=5] [limit=2] [per_partition=1] [reverse] [distinct] [ck=1..3] [page=1]
//! purge now=100 gc_before=90 floor=200
//! stored                                           the rows as they are
//! ```
//!
//! Every read is done twice: over one merged update, and over one source for each write.

use crate::reading::{Copying, Data, read};
use crate::table::{clustering, clustering_value, is_complex, name, number, partition, table};
use cql_mutation::{
    CellRef, ColumnRef, Deletion, Liveness, Order, PageLimit, PartitionUpdate,
    PartitionUpdateBuilder, Partitions, PurgePolicy, Purged, RangeTombstone, ReadCommand,
    ReadResult, Row, RowBuf, RowBuilder, RowRef, Slice, Slices, Statics, purge,
};
use cql_schema::ColumnNumber;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

#[test]
fn scripts_print_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 6);
    for path in paths {
        let script = std::fs::read_to_string(&path).unwrap();
        let fresh = rerun(&script);
        if fresh != script && std::env::var_os("UPDATE_GOLDEN").is_some() {
            #[expect(clippy::disallowed_methods, reason = "the test writes its own scripts")]
            std::fs::write(&path, fresh).unwrap();
        } else {
            assert!(
                fresh == script,
                "{}\n{}",
                path.display(),
                difference(&script, &fresh)
            );
        }
    }
}

fn difference(old: &str, new: &str) -> String {
    let mut lines = old.lines().zip(new.lines()).enumerate();
    match lines.find(|(_, (old, new))| old != new) {
        Some((at, (old, new))) => format!("line {}: {old}\n now: {new}", at + 1),
        None => "one is longer than the other".to_string(),
    }
}

/// The script with what its commands print now.
fn rerun(script: &str) -> String {
    let mut state = State::default();
    let mut out = String::new();
    let mut printed = String::new();
    let mut skipping = false;
    for line in script.lines() {
        if line == "---" {
            skipping = true;
            writeln!(out, "---\n{}", printed.trim_end()).unwrap();
            printed.clear();
        } else if line.is_empty() {
            skipping = false;
            out.push('\n');
        } else if !skipping {
            writeln!(out, "{line}").unwrap();
            if !line.starts_with('#') {
                state.run(line, &mut printed);
            }
        }
    }
    out
}

#[derive(Default)]
struct State {
    writes: Vec<PartitionUpdate>,
}

impl State {
    fn run(&mut self, line: &str, printed: &mut String) {
        let mut words = line.split_whitespace();
        let command = words.next().unwrap();
        let line = Line::parse(words);
        match command {
            "insert" | "update" => self.writes.push(line.write(command == "insert")),
            "delete" => self.writes.push(line.delete()),
            "read" => self.read(&line, printed),
            "purge" => self.purge(&line),
            "stored" => self.stored(printed),
            _ => panic!("unknown command {command}"),
        }
    }

    fn merged(&self) -> PartitionUpdate {
        let mut builder = PartitionUpdateBuilder::new();
        self.writes.iter().for_each(|update| {
            builder.add(update.clone());
        });
        builder.finish()
    }

    fn read(&self, line: &Line, printed: &mut String) {
        let table = table();
        let command = line.command(&table);
        let one = read(
            &command,
            &table,
            &Data::from([(1, vec![self.merged()])]),
            Copying::Whole,
        );
        let backwards = self.writes.iter().rev().cloned().collect();
        let many = read(
            &command,
            &table,
            &Data::from([(1, backwards)]),
            Copying::Whole,
        );
        assert_eq!(one.digest(), many.digest());
        assert_eq!(one.more, many.more);
        print(&one, command.now, printed);
    }

    fn purge(&mut self, line: &Line) {
        let policy = PurgePolicy {
            now: line.option("now").unwrap(),
            gc_before: line.option("gc_before").unwrap(),
            floor: line.option("floor").unwrap(),
        };
        let mut merged = self.merged();
        let purged = |row: RowBuf| match purge(row.as_ref(), &policy) {
            Purged::Unchanged => Some(row),
            Purged::Changed(rest) => Some(rest),
            Purged::Nothing => None,
        };
        merged.static_row = merged.static_row.and_then(purged);
        merged.rows = merged
            .rows
            .into_iter()
            .filter_map(|(key, row)| Some((key, purged(row)?)))
            .collect();
        self.writes = vec![merged];
    }

    fn stored(&self, printed: &mut String) {
        let merged = self.merged();
        if merged.is_empty() {
            printed.push_str("(nothing)\n");
        }
        let deletion =
            |deletion: Deletion| format!("@{}/{}", deletion.timestamp, deletion.deleted_at);
        if let Some(found) = merged.deletion {
            writeln!(printed, "partition deleted{}", deletion(found)).unwrap();
        }
        for range in merged.tombstones.iter() {
            let (start, end) = (clustering_value(range.start), clustering_value(range.end));
            writeln!(
                printed,
                "{start}..{end} deleted{}",
                deletion(range.deletion)
            )
            .unwrap();
        }
        if let Some(row) = &merged.static_row {
            writeln!(printed, "static {}", Row::from(row.as_ref())).unwrap();
        }
        for (key, row) in &merged.rows {
            writeln!(
                printed,
                "ck={} {}",
                clustering_value(key),
                Row::from(row.as_ref())
            )
            .unwrap();
        }
    }
}

/// The words of a command.
#[derive(Default)]
struct Line {
    /// `ck=1` or `ck=1..3`.
    rows: Option<(i32, Option<i32>)>,
    /// `a=x`, `a=null`, `m[k]=x`, `s[7]`: column, path, value.
    cells: Vec<(u16, Vec<u8>, Option<Vec<u8>>)>,
    options: BTreeMap<String, i64>,
    timestamp: i64,
}

impl Line {
    fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut line = Self::default();
        for word in words {
            let word = word.trim_matches(|c| c == '[' || c == ']' && !word.contains('['));
            if let Some(timestamp) = word.strip_prefix('@') {
                line.timestamp = timestamp.parse().unwrap();
                continue;
            }
            let (left, right) = word.split_once('=').unwrap_or((word, "1"));
            if left == "ck" {
                let (start, end) = right.split_once("..").unwrap_or((right, ""));
                line.rows = Some((start.parse().unwrap(), end.parse().ok()));
            } else if let Some((column, path)) = left.split_once('[') {
                let path = path.trim_end_matches(']');
                let path = match column {
                    "s" => path.parse::<i32>().unwrap().to_be_bytes().to_vec(),
                    _ => path.as_bytes().to_vec(),
                };
                let value = match word.contains('=') {
                    true => value(right),
                    false => Some(Vec::new()),
                };
                line.cells.push((number(column), path, value));
            } else if (0..6).any(|column| name(column) == left) {
                line.cells.push((number(left), Vec::new(), value(right)));
            } else {
                line.options
                    .insert(left.to_string(), right.parse().unwrap());
            }
        }
        line
    }

    fn option(&self, name: &str) -> Option<i64> {
        self.options.get(name).copied()
    }

    fn deletion(&self) -> Deletion {
        Deletion {
            timestamp: self.timestamp,
            deleted_at: self.option("at").unwrap_or(0),
        }
    }

    fn write(&self, with_marker: bool) -> PartitionUpdate {
        let (at, ttl) = (self.timestamp, self.option("ttl").unwrap_or(0) as u32);
        let expires = self.option("expires").unwrap_or(0);
        let mut row = RowBuilder::new();
        if with_marker && self.rows.is_some() {
            row.liveness(Liveness::expiring(at, ttl, expires));
        }
        for (column, path, value) in &self.cells {
            let number = ColumnNumber(*column);
            let cell = match value {
                Some(value) => CellRef::expiring(at, ttl, expires, value),
                None => CellRef::tombstone(at, self.deletion().deleted_at),
            };
            match (is_complex(*column), path.is_empty()) {
                (true, true) => row.collection_deletion(number, self.deletion()),
                (true, false) => row.element(number, path, cell),
                (false, _) => row.cell(number, cell),
            };
        }
        let mut update = PartitionUpdateBuilder::new();
        match self.rows {
            Some((ck, _)) => update.row(clustering(ck), row.finish()),
            None => update.static_row(row.finish()),
        };
        update.finish()
    }

    fn delete(&self) -> PartitionUpdate {
        let mut update = PartitionUpdateBuilder::new();
        match self.rows {
            None => update.delete_partition(self.deletion()),
            Some((ck, None)) => {
                let mut row = RowBuilder::new();
                row.delete_row(self.deletion());
                update.row(clustering(ck), row.finish())
            }
            Some((start, Some(end))) => update.delete_range(RangeTombstone {
                start: clustering(start).to_vec(),
                end: clustering(end).to_vec(),
                deletion: self.deletion(),
            }),
        };
        update.finish()
    }

    fn command(&self, table: &cql_schema::Table) -> ReadCommand {
        let partitions = Partitions::Keys(vec![partition(1)]);
        let now = self.option("now").unwrap_or(0);
        let mut command = ReadCommand::all_of(table, partitions, now);
        let limit = |name: &str| self.option(name).map(|limit| limit as u64);
        command.row_limit = limit("limit");
        command.per_partition_limit = limit("per_partition");
        command.distinct = self.options.contains_key("distinct");
        if self.options.contains_key("reverse") {
            command.order = Order::Reverse;
        }
        if let Some(rows) = limit("page") {
            command.page = PageLimit {
                rows,
                ..PageLimit::NONE
            };
        }
        if self.rows.is_some() {
            command.statics = Statics::Fetch;
        }
        command.slices = match self.rows {
            None => Slices::all(),
            Some((ck, None)) => Slices::new(vec![Slice::row(&clustering(ck))]),
            Some((start, Some(end))) => Slices::new(vec![Slice {
                start: clustering(start).to_vec(),
                end: clustering(end).to_vec(),
            }]),
        };
        command
    }
}

fn value(text: &str) -> Option<Vec<u8>> {
    (text != "null").then(|| text.as_bytes().to_vec())
}

fn print(result: &ReadResult, now: i64, printed: &mut String) {
    for found in result {
        match found.clustering {
            Some(key) => write!(printed, "ck={}", clustering_value(key)).unwrap(),
            None => printed.push_str("ck=null"),
        }
        for row in [found.row, found.partition.static_row]
            .into_iter()
            .flatten()
        {
            print_cells(row, now, printed);
        }
        printed.push('\n');
    }
    if result.row_count() == 0 {
        printed.push_str("(no rows)\n");
    }
    if result.more.is_some() {
        printed.push_str("(more)\n");
    }
}

fn print_cells(row: RowRef<'_>, now: i64, printed: &mut String) {
    let mut print = |column: u16, path: &str, cell: CellRef<'_>| {
        let value = String::from_utf8_lossy(cell.live_value(now).unwrap()).into_owned();
        let value = if column == 3 {
            String::new()
        } else {
            format!("={value}")
        };
        write!(printed, " {}{path}{value}@{}", name(column), cell.timestamp).unwrap();
        if let Some(left) = cell.ttl_left(now) {
            write!(printed, "(ttl {left})").unwrap();
        }
    };
    for (number, column) in row.cells() {
        match column {
            ColumnRef::Simple(cell) => print(number.0, "", cell),
            ColumnRef::Complex(complex) => {
                for (path, cell) in complex.elements() {
                    let path = match number.0 {
                        3 => i32::from_be_bytes(path.try_into().unwrap()).to_string(),
                        _ => String::from_utf8_lossy(path).into_owned(),
                    };
                    print(number.0, &format!("[{path}]"), cell);
                }
            }
        }
    }
}
