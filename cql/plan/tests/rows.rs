//! From written rows to result rows: `testscripts/rows/*.txt` say what a SELECT gives back of what was written.
//!
//! Lines that start with `> ` are statements, one a line; below a SELECT stand its rows.
//! A statement is written one microsecond after the one before; all of them happen in second 100.
//! Run with `UPDATE_GOLDEN=1` to write what is found into the file; then read the difference.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::ops::RangeBounds as _;
use std::path::Path;

use cql_mutation::{
    Mutation, Order, PartitionHead, PartitionUpdate, Partitions, Progress, ReadCommand, ReadResult,
    Reconciler,
};
use cql_plan::{BindContext, Bound, Paging, PreparedKind, ReadPlan, ResultColumn, RowSink, Totals};
use cql_types::{PartitionKey, TableId, Token, to_literal};
use support::{Outcome, Session};

type Store = BTreeMap<(TableId, Token, Vec<u8>), PartitionUpdate>;

/// Result rows as text.
struct Text<'c> {
    columns: &'c [ResultColumn],
    rows: Vec<Vec<String>>,
}

impl RowSink for Text<'_> {
    fn begin_row(&mut self) {
        self.rows.push(Vec::new());
    }

    fn cell(&mut self, value: Option<&[u8]>) {
        let row = self.rows.last_mut().unwrap();
        let column = self.columns.get(row.len()).unwrap();
        row.push(value.map_or_else(|| "null".to_owned(), |bytes| to_literal(&column.ty, bytes)));
    }
}

fn write(store: &mut Store, mutations: Vec<Mutation>) {
    for mutation in mutations {
        let place = (
            mutation.table,
            mutation.token,
            mutation.key.as_bytes().to_vec(),
        );
        let before = store.remove(&place).unwrap_or_default();
        store.insert(place, before.merge(mutation.update));
    }
}

fn read(store: &Store, plan: &ReadPlan, command: &ReadCommand) -> ReadResult {
    let mut reconciler = Reconciler::new(command, plan.table());
    for ((table, token, key), update) in store {
        let key = PartitionKey::from_bytes(key.clone().into()).unwrap();
        let wanted = match &command.partitions {
            Partitions::Keys(keys) => keys.contains(&key),
            Partitions::Range { start, end } => (*start, *end).contains(token),
        };
        if !wanted || *table != command.table {
            continue;
        }
        let mut head = PartitionHead::default();
        head.add(
            update.deletion,
            update.static_row.as_ref().map(|row| row.as_ref()),
        );
        head.tombstones = update.tombstones.clone();
        reconciler.begin_partition(&key, *token, head);
        let mut rows: Vec<_> = update.rows.iter().collect();
        if command.order == Order::Reverse {
            rows.reverse();
        }
        for (key, row) in rows {
            let slices = command.slices.as_slice();
            let wanted = slices.iter().any(|slice| slice.contains(key));
            if wanted && reconciler.offer(key, row.as_ref()) != Progress::Budget {
                break;
            }
        }
        reconciler.close_partition();
    }
    reconciler.finish()
}

/// The rows that a statement gives, a line each.
fn run(session: &mut Session, store: &mut Store, text: &str, ctx: &BindContext) -> String {
    let prepared = match session.run(text) {
        Outcome::Prepared(prepared) => prepared,
        Outcome::Changed(_) => return String::new(),
        Outcome::Refused(code, error) => return format!("{code}: {error}\n"),
    };
    let none: &[Bound<'_>] = &[];
    let mut mutations = Vec::new();
    match &prepared.kind {
        PreparedKind::Write(plan) => plan.bind(none, ctx, &mut mutations).unwrap(),
        PreparedKind::Batch(plan) => plan.bind(none, ctx, &mut mutations).unwrap(),
        PreparedKind::Read(plan) => {
            let paging = Paging {
                rows: None,
                state: None,
                bytes: u64::MAX,
                tombstones: u64::MAX,
            };
            let command = plan.bind(none, ctx, &paging).unwrap();
            let result = read(store, plan, &command);
            let mut sink = Text {
                columns: prepared.columns.as_ref().unwrap(),
                rows: Vec::new(),
            };
            if plan.is_aggregate() {
                let mut totals = Totals::default();
                totals.add(plan.projection(), plan.table(), &result, ctx);
                totals.finish(plan.projection(), &mut sink);
            } else {
                plan.projection()
                    .rows(plan.table(), &result, ctx, &mut sink);
            }
            let lines: Vec<String> = sink.rows.iter().map(|row| row.join(" | ")).collect();
            return match lines.is_empty() {
                true => "no rows\n".to_owned(),
                false => lines.join("\n") + "\n",
            };
        }
        PreparedKind::Schema(_)
        | PreparedKind::Use(_)
        | PreparedKind::Truncate(_)
        | PreparedKind::Describe(_)
        | PreparedKind::Explain(_) => {}
    }
    write(store, mutations);
    String::new()
}

#[test]
fn rows_come_back_as_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts/rows/rows.txt");
    let script = std::fs::read_to_string(&path).unwrap();
    let mut session = Session::new();
    let mut store = Store::new();
    let mut found = String::new();
    let mut time = 1_000;
    for line in script.lines() {
        if line.starts_with('#') || line.is_empty() {
            found += &format!("{line}\n");
        }
        let Some(text) = line.strip_prefix("> ") else {
            continue;
        };
        time += 1;
        let ctx = BindContext {
            timestamp: time,
            node_time: time,
            now: 100,
            unique: u64::try_from(time).unwrap(),
        };
        let answer = run(&mut session, &mut store, text, &ctx);
        found += &format!("{line}\n{answer}");
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        #[expect(clippy::disallowed_methods, reason = "the test writes its own script")]
        std::fs::write(&path, &found).unwrap();
        return;
    }
    assert!(script == found, "rows.txt differs; found:\n{found}");
}
