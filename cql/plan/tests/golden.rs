//! Golden scripts: `testscripts/*.txt` say what a statement is planned to.
//!
//! A case is one or more lines that start with a command, then what is expected, then an empty line:
//!
//! * `> text`: runs a statement in the session of the script; more `>` lines are more lines of the text.
//! * `with> value, ...`: behind a statement, binds its markers: CQL literals of scalar types, `0x...` for the bytes of
//!   any type, `null`, `unset`.
//! * `rows> text`: prints the rows of a DESCRIBE or the lines of an EXPLAIN.
//!
//! Bound with write time 1000 µs, at second 100.
//! Run with `UPDATE_GOLDEN=1` to write what is printed into the files; then read the difference.

#![expect(
    clippy::unwrap_used,
    reason = "a script that cannot be run fails its test"
)]

mod support;

use std::fmt::Write as _;
use std::ops::Bound as Limit;
use std::path::Path;

use cql_mutation::{Filter, Mutation, Order, Partitions, ReadCommand, Row, RowRef, Slice, Statics};
use cql_plan::{BindContext, Bound, Paging, Prepared, PreparedKind, Writes};
use cql_schema::Table;
use cql_types::{PartitionKey, decode_clustering, parse_scalar, to_literal};
use support::{Given, Outcome, Session};

const CTX: BindContext = BindContext {
    timestamp: 1000,
    node_time: 1000,
    now: 100,
    unique: 7,
};

const PAGING: Paging<'static> = Paging {
    rows: Some(5000),
    state: None,
    bytes: 1 << 20,
    tombstones: 1000,
};

#[rstest::rstest]
#[case("insert")]
#[case("update")]
#[case("delete")]
#[case("batch")]
#[case("select")]
#[case("where")]
#[case("filtering")]
#[case("order")]
#[case("selectors")]
#[case("terms")]
#[case("ddl")]
#[case("describe")]
#[case("explain")]
#[case("unsupported")]
fn script(#[case] name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testscripts/{name}.txt"));
    let script = std::fs::read_to_string(&path).unwrap();
    let found = rerun(&script);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        #[expect(clippy::disallowed_methods, reason = "the test writes its own scripts")]
        std::fs::write(&path, &found).unwrap();
        return;
    }
    let line = script
        .lines()
        .zip(found.lines())
        .position(|(old, new)| old != new);
    assert!(
        script == found,
        "{name}.txt differs from line {:?} on; UPDATE_GOLDEN=1 writes it anew; found:\n{found}",
        line.map(|line| line + 1)
    );
}

/// The script with fresh results.
fn rerun(script: &str) -> String {
    let mut session = Session::new();
    let mut out = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some((command, first)) = ["> ", "rows> "]
            .iter()
            .find_map(|command| Some((*command, line.strip_prefix(command)?)))
        else {
            continue;
        };
        let mut text = first.to_owned();
        while let Some(more) = lines.next_if(|next| next.starts_with("> ")) {
            writeln!(out, "{more}").unwrap();
            text = format!("{text}\n{}", &more[2..]);
        }
        let mut given = None;
        if let Some(with) = lines.next_if(|next| next.starts_with("with> ")) {
            writeln!(out, "{with}").unwrap();
            given = Some(with[6..].to_owned());
        }
        while lines.next_if(|next| !next.is_empty()).is_some() {}
        let answer = run(&mut session, command, &text, given.as_deref());
        out.push_str(answer.trim_end());
        out.push('\n');
    }
    out
}

fn run(session: &mut Session, command: &str, text: &str, given: Option<&str>) -> String {
    let prepared = match session.run(text) {
        Outcome::Refused(code, error) => return format!("{code}: {error}"),
        Outcome::Changed(delta) => {
            let events: Vec<String> = delta
                .events
                .iter()
                .map(|event| {
                    let (change, target) = (event.change.as_str(), event.target.as_str());
                    let name = event.name.as_deref().unwrap_or("");
                    format!("{change} {target} {} {name}", event.keyspace)
                        .trim_end()
                        .to_owned()
                })
                .collect();
            return match events.is_empty() {
                true => "nothing".to_owned(),
                false => events.join("\n"),
            };
        }
        Outcome::Prepared(prepared) => prepared,
    };
    if command == "rows> " {
        return rows(session, text, &prepared);
    }
    let mut out = String::new();
    describe(&prepared, &mut out);
    if prepared.variables.is_empty() || given.is_some() {
        let values = parse(&prepared, given.unwrap_or(""));
        let bound: Vec<Bound<'_>> = values.iter().map(Given::bound).collect();
        if let Err(error) = prepared.check_count(bound.as_slice()) {
            return format!("{out}refused: {}", error.render(text));
        }
        bind(&prepared, text, &bound, &mut out);
    }
    out
}

fn rows(session: &Session, text: &str, prepared: &Prepared) -> String {
    let rows = match &prepared.kind {
        PreparedKind::Describe(plan) => plan.rows(&session.schema, "Test Cluster"),
        PreparedKind::Explain(lines) => Ok(lines.iter().map(|line| vec![line.clone()]).collect()),
        _ => return "no rows".to_owned(),
    };
    match rows {
        Ok(rows) if rows.is_empty() => "no rows".to_owned(),
        Ok(rows) => rows
            .iter()
            .map(|row| row.join(" | ").replace('\n', "\\n"))
            .collect::<Vec<_>>()
            .join("\n"),
        Err(error) => format!("refused: {}", error.render(text)),
    }
}

fn describe(prepared: &Prepared, out: &mut String) {
    if !prepared.variables.is_empty() {
        let variables: Vec<String> = prepared
            .variables
            .iter()
            .map(|one| format!("{} {}", one.name, one.ty))
            .collect();
        writeln!(out, "markers: {}", variables.join(", ")).unwrap();
        let mut tables: Vec<&str> = prepared.variables.iter().map(|one| &*one.table).collect();
        tables.dedup();
        if tables.len() > 1 {
            writeln!(out, "tables: {}", tables.join(", ")).unwrap();
        }
    }
    if !prepared.pk_indexes.is_empty() {
        writeln!(out, "routing: {:?}", prepared.pk_indexes).unwrap();
    }
    if let Some(columns) = &prepared.columns {
        let columns: Vec<String> = columns
            .iter()
            .map(|one| format!("{} {}", one.name, one.ty))
            .collect();
        writeln!(out, "result: {}", columns.join(", ")).unwrap();
    }
}

fn parse(prepared: &Prepared, given: &str) -> Vec<Given> {
    given
        .split(", ")
        .filter(|text| !text.is_empty())
        .enumerate()
        .map(|(index, text)| match text {
            "null" => Given::Null,
            "unset" => Given::Unset,
            _ => {
                let ty = prepared.variables.get(index).map(|one| &one.ty);
                match (text.strip_prefix("0x"), ty) {
                    (Some(hex), _) => Given::Value(unhex(hex)),
                    (None, Some(ty)) => {
                        Given::Value(parse_scalar(ty, text.trim_matches('\'')).unwrap())
                    }
                    (None, None) => Given::Null,
                }
            }
        })
        .collect()
}

fn bind(prepared: &Prepared, text: &str, values: &[Bound<'_>], out: &mut String) {
    let mut writes = Writes::default();
    let bound = match &prepared.kind {
        PreparedKind::Write(plan) => plan.bind(values, &CTX, &mut writes).map(|()| {
            show_writes(&writes, &[plan.table()], out);
        }),
        PreparedKind::Batch(plan) => plan.bind(values, &CTX, &mut writes).map(|()| {
            let kind = if plan.logged { "logged" } else { "unlogged" };
            writeln!(out, "batch: {kind}").unwrap();
            let tables: Vec<_> = plan.statements.iter().map(|one| one.table()).collect();
            show_writes(&writes, &tables, out);
        }),
        PreparedKind::Read(plan) => plan.bind(values, &CTX, &PAGING).map(|command| {
            show_command(&command, plan.table(), out);
            for warning in plan.warnings() {
                writeln!(out, "warning: {warning}").unwrap();
            }
        }),
        PreparedKind::Use(keyspace) => {
            writeln!(out, "use {keyspace}").unwrap();
            Ok(())
        }
        PreparedKind::Truncate(table) => {
            writeln!(out, "truncate {}.{}", table.keyspace, table.name).unwrap();
            Ok(())
        }
        PreparedKind::Schema(_) | PreparedKind::Describe(_) | PreparedKind::Explain(_) => Ok(()),
    };
    if let Err(error) = bound {
        writeln!(out, "refused: {}", error.render(text)).unwrap();
    }
}

/// What is written, and what is read for it first.
fn show_writes(writes: &Writes, tables: &[&std::sync::Arc<Table>], out: &mut String) {
    show_mutations(&writes.mutations, tables, out);
    for draft in &writes.drafts {
        out.push_str("after a read: ");
        show_command(draft.command(), draft.table(), out);
    }
}

fn show_mutations(mutations: &[Mutation], tables: &[&std::sync::Arc<Table>], out: &mut String) {
    for mutation in mutations {
        let table = tables
            .iter()
            .find(|table| table.id == mutation.table)
            .unwrap();
        writeln!(out, "{} {}", table.name, key(&mutation.key, table)).unwrap();
        let update = &mutation.update;
        if let Some(deletion) = update.deletion {
            writeln!(
                out,
                "  deleted@{}/{}",
                deletion.timestamp, deletion.deleted_at
            )
            .unwrap();
        }
        for range in update.tombstones.iter() {
            writeln!(
                out,
                "  {} deleted@{}/{}",
                slice(range.start, range.end),
                range.deletion.timestamp,
                range.deletion.deleted_at
            )
            .unwrap();
        }
        if let Some(row) = &update.static_row {
            writeln!(out, "  static: {}", show_row(row.as_ref(), table)).unwrap();
        }
        for (position, row) in &update.rows {
            let row = show_row(row.as_ref(), table);
            writeln!(out, "  {}: {row}", clustering(position, table)).unwrap();
        }
    }
}

/// The row with names in the place of numbers.
fn show_row(row: RowRef<'_>, table: &Table) -> String {
    let row = Row::from(row);
    let text = row.to_string();
    text.split(' ')
        .map(|part| {
            let named = part.split_once('=').and_then(|(number, rest)| {
                let number = cql_schema::ColumnNumber(number.parse().ok()?);
                Some(format!("{}={rest}", table.column_by_number(number)?.name))
            });
            named.unwrap_or_else(|| part.to_owned())
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn show_command(command: &ReadCommand, table: &Table, out: &mut String) {
    let what = match command.distinct {
        true => "partitions of",
        false => "rows of",
    };
    match &command.partitions {
        Partitions::Keys(keys) => {
            let keys: Vec<String> = keys.iter().map(|one| key(one, table)).collect();
            writeln!(out, "{what} {} {}", table.name, keys.join(" ")).unwrap();
        }
        Partitions::Range { start, end } => {
            let bound = |bound: &Limit<cql_types::Token>| match bound {
                Limit::Unbounded => "-".to_owned(),
                Limit::Included(token) => format!("={}", token.0),
                Limit::Excluded(token) => token.0.to_string(),
            };
            writeln!(
                out,
                "{what} {} tokens {} .. {}",
                table.name,
                bound(start),
                bound(end)
            )
            .unwrap();
        }
    }
    if !command.slices.is_all() {
        let slices: Vec<String> = command
            .slices
            .as_slice()
            .iter()
            .map(|one| show_slice(one, table))
            .collect();
        let slices = match slices.is_empty() {
            true => "none".to_owned(),
            false => slices.join(" "),
        };
        writeln!(out, "slices: {slices}").unwrap();
    }
    let columns: Vec<&str> = command
        .columns
        .iter()
        .filter_map(|number| Some(&*table.column_by_number(number)?.name))
        .collect();
    let mut facts = vec![format!("columns [{}]", columns.join(", "))];
    if command.order == Order::Reverse {
        facts.push("reverse".to_owned());
    }
    match command.statics {
        Statics::Skip => {}
        Statics::Fetch => facts.push("statics".to_owned()),
        Statics::StandAlone => facts.push("statics alone".to_owned()),
    }
    if let Some(limit) = command.row_limit {
        facts.push(format!("limit {limit}"));
    }
    if let Some(limit) = command.per_partition_limit {
        facts.push(format!("limit {limit} a partition"));
    }
    if ![5000, u64::MAX].contains(&command.page.rows) {
        facts.push(format!("page {}", command.page.rows));
    }
    writeln!(out, "{}", facts.join(", ")).unwrap();
    let Filter { comparisons } = &command.filter;
    for comparison in comparisons {
        let (column, predicate) = (&comparison.column, &comparison.predicate);
        writeln!(out, "filter: {column:?} {predicate:?}").unwrap();
    }
}

fn key(key: &PartitionKey, table: &Table) -> String {
    let types = table.partition_types();
    let values: Vec<String> = key
        .components(types.len())
        .unwrap()
        .zip(types)
        .map(|(value, ty)| to_literal(ty, value))
        .collect();
    format!("({})", values.join(", "))
}

fn clustering(position: &[u8], table: &Table) -> String {
    let types = table.clustering_types();
    if types.is_empty() && position.is_empty() {
        return "()".to_owned();
    }
    match decode_clustering(types, position) {
        Ok(values) => {
            let values: Vec<String> = values
                .iter()
                .zip(types)
                .map(|(value, (ty, _))| to_literal(ty, value))
                .collect();
            format!("({})", values.join(", "))
        }
        Err(_) => hex(position),
    }
}

fn show_slice(one: &Slice, table: &Table) -> String {
    match one.single_row() {
        Some(position) => format!("row {}", clustering(position, table)),
        None => slice(&one.start, &one.end),
    }
}

fn slice(start: &[u8], end: &[u8]) -> String {
    format!("[{} .. {})", hex(start), hex(end))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = "0x".to_owned();
    for byte in bytes {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}
