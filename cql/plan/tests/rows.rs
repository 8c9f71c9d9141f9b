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
use cql_plan::{BindContext, Bound, Paging, PreparedKind, ResultColumn, RowSink, Totals, Writes};
use cql_schema::Table;
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

fn read(store: &Store, table: &Table, command: &ReadCommand) -> ReadResult {
    let mut reconciler = Reconciler::new(command, table);
    for ((id, token, key), update) in store {
        let key = PartitionKey::from_bytes(key.clone().into()).unwrap();
        let wanted = match &command.partitions {
            Partitions::Keys(keys) => keys.contains(&key),
            Partitions::Range { start, end } => (*start, *end).contains(token),
        };
        if !wanted || *id != command.table {
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
    let mut writes = Writes::default();
    match &prepared.kind {
        PreparedKind::Write(plan) => plan.bind(none, ctx, &mut writes).unwrap(),
        PreparedKind::Batch(plan) => plan.bind(none, ctx, &mut writes).unwrap(),
        PreparedKind::Read(plan) => {
            let paging = Paging {
                rows: None,
                state: None,
                bytes: u64::MAX,
                tombstones: u64::MAX,
            };
            let command = plan.bind(none, ctx, &paging).unwrap();
            let result = read(store, plan.table(), &command);
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
    let Writes {
        mut mutations,
        drafts,
    } = writes;
    for draft in drafts {
        let found = read(store, draft.table(), draft.command());
        if let Err(error) = draft.finish(&found, &mut mutations) {
            return format!("refused: {}\n", error.render(text));
        }
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

#[test]
fn changes_of_lists_by_index_are_bounded() {
    let mut session = Session::new();
    session.run("CREATE TABLE t (id int PRIMARY KEY, l list<int>)");
    let update = |count: usize| {
        let changes = vec!["l[0] = 1"; count];
        format!("UPDATE t SET {} WHERE id = 1", changes.join(", "))
    };
    assert!(matches!(session.run(&update(100)), Outcome::Prepared(_)));
    let Outcome::Refused(code, text) = session.run(&update(101)) else {
        panic!("too many changes were planned");
    };
    assert_eq!(code, "INVALID");
    assert!(text.contains("at most 100 are allowed"), "{text}");
}

#[test]
fn expired_elements_have_no_index() {
    let mut session = Session::new();
    let mut store = Store::new();
    let mut at = |now: i64, text: &str| {
        let ctx = BindContext {
            timestamp: now * 1_000_000,
            node_time: now * 1_000_000,
            now,
            unique: 1,
        };
        run(&mut session, &mut store, text, &ctx)
    };
    at(
        1,
        "CREATE TABLE t (id int PRIMARY KEY, n int, l list<text>)",
    );
    at(1, "INSERT INTO t (id, n, l) VALUES (1, 1, ['a', 'b', 'c'])");
    at(2, "UPDATE t USING TTL 10 SET l[1] = 'short' WHERE id = 1");
    let select = "SELECT l FROM t WHERE id = 1";
    assert_eq!(at(11, select), "['a', 'short', 'c']\n");
    assert_eq!(at(12, select), "['a', 'c']\n");
    at(13, "UPDATE t SET l[1] = 'last' WHERE id = 1");
    assert_eq!(at(13, select), "['a', 'last']\n");
    let refused = at(13, "DELETE l[2] FROM t WHERE id = 1");
    assert!(refused.contains("list has size 2"), "{refused}");
    // A deletion hides the elements whatever their own times are.
    at(14, "UPDATE t SET l = null WHERE id = 1");
    let refused = at(15, "UPDATE t SET l[0] = 'x' WHERE id = 1");
    assert!(refused.contains("which is null"), "{refused}");
}
