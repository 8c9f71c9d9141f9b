//! Answers as lines of a script.

use cql_protocol::{
    ErrorBody, ErrorCode, ErrorKind, OwnedColumn, OwnedPrepared, ResultBody, SchemaTarget,
};
use cql_types::to_literal;
use messina_tests::client::{Answer, ClientError, cells_of};

/// A table wider than this is written with a line for each cell, and so is one whose cells have several lines.
const WIDTH_MAX: usize = 110;

/// What a statement came to.
pub(crate) enum Outcome {
    /// Answers; several if there are pages.
    Pages(Vec<Answer>),
    /// A prepared statement.
    Prepared(OwnedPrepared),
    /// The server refused.
    Failed(ClientError),
}

/// The lines of an outcome, with `$KS` for `keyspace`.
pub(crate) fn render(outcome: &Outcome, keyspace: &str) -> Vec<String> {
    match outcome {
        // Columns are as wide as their cells, so names are replaced cell by cell.
        Outcome::Pages(pages) if is_rows(pages) => {
            with_names(outcome, &|text| text.replace(keyspace, "$KS"))
        }
        _ => with_names(outcome, &str::to_owned)
            .into_iter()
            .map(|line| line.replace(keyspace, "$KS"))
            .collect(),
    }
}

fn is_rows(pages: &[Answer]) -> bool {
    pages.first().is_some_and(|page| page.rows().is_some())
}

fn with_names(outcome: &Outcome, named: &dyn Fn(&str) -> String) -> Vec<String> {
    match outcome {
        Outcome::Pages(pages) => {
            let mut lines = match pages.first().map(|page| &page.body) {
                Some(ResultBody::Rows(_)) => rows(pages, named),
                Some(other) => vec![effect(other)],
                None => Vec::new(),
            };
            for page in pages {
                lines.extend(page.warnings.iter().map(|text| warning(text)));
            }
            lines
        }
        Outcome::Prepared(prepared) => prepare(prepared),
        Outcome::Failed(ClientError::Refused(refusal)) => {
            let mut lines = error(&refusal.error);
            lines.extend(refusal.warnings.iter().map(|text| warning(text)));
            lines
        }
        Outcome::Failed(other) => vec![format!("no answer: {other}")],
    }
}

/// Only what every server must agree on: no messages, no warnings, no ends of pages.
pub(crate) fn comparable(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .filter(|line| !line.starts_with("warning: ") && *line != PAGE_END)
        .filter(|line| !line.starts_with(CONTINUED))
        .map(|line| match line.strip_prefix("error ") {
            Some(rest) => {
                let code = rest.split([' ', ':']).next().unwrap_or_default();
                format!("error {code}")
            }
            None => line.clone(),
        })
        .collect()
}

/// Whether the lines are an error without a message, as another server's answers are kept.
pub(crate) fn is_bare_error(lines: &[String]) -> bool {
    matches!(lines, [line] if line.starts_with("error ") && !line.contains(':'))
}

const PAGE_END: &str = "(more)";

/// What begins a further line of a message.
const CONTINUED: &str = "    | ";

fn warning(text: &str) -> String {
    format!("warning: {}", text.replace('\n', "\\n"))
}

fn effect(body: &ResultBody) -> String {
    match body {
        ResultBody::Void => "ok".to_owned(),
        ResultBody::SetKeyspace(keyspace) => format!("keyspace {keyspace}"),
        ResultBody::SchemaChange(change) => {
            let (kind, name) = match &change.target {
                SchemaTarget::Keyspace => ("keyspace", None),
                SchemaTarget::Table(name) => ("table", Some(name)),
                SchemaTarget::Type(name) => ("type", Some(name)),
                SchemaTarget::Function { name, .. } => ("function", Some(name)),
                SchemaTarget::Aggregate { name, .. } => ("aggregate", Some(name)),
            };
            let name = name.map(|name| format!(".{name}")).unwrap_or_default();
            let done = change.change.name().to_lowercase();
            format!("{done} {kind} {}{name}", change.keyspace)
        }
        ResultBody::Rows(_) | ResultBody::Prepared(_) => format!("{body:?}"),
    }
}

fn described(column: &OwnedColumn) -> String {
    format!("{} {}", column.name, column.ty)
}

fn list(columns: &[OwnedColumn]) -> String {
    let all: Vec<String> = columns.iter().map(described).collect();
    all.join(", ")
}

fn prepare(prepared: &OwnedPrepared) -> Vec<String> {
    let variables: Vec<String> = prepared
        .variables
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let position = prepared
                .partition_key
                .iter()
                .position(|key| usize::from(*key) == index);
            match position {
                Some(position) => format!("{} [key {position}]", described(column)),
                None => described(column),
            }
        })
        .collect();
    let mut lines = vec![format!("prepared ({})", variables.join(", "))];
    if prepared.result.count > 0 {
        lines.push(format!("returns ({})", list(&prepared.result.columns)));
    }
    lines
}

/// A page of literals, and whether another one follows.
struct Page {
    rows: Vec<Vec<String>>,
    more: bool,
}

fn rows(pages: &[Answer], named: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut columns: &[OwnedColumn] = &[];
    let mut texts = Vec::new();
    for rows in pages.iter().filter_map(Answer::rows) {
        columns = &rows.metadata.columns;
        let literals = |row: Vec<Option<Vec<u8>>>| {
            row.iter()
                .zip(columns)
                .map(|(cell, column)| match cell {
                    Some(bytes) => named(&to_literal(&column.ty, bytes)),
                    None => "null".to_owned(),
                })
                .collect()
        };
        texts.push(Page {
            rows: cells_of(rows).into_iter().map(literals).collect(),
            more: rows.metadata.paging_state.is_some(),
        });
    }
    let headers: Vec<String> = columns.iter().map(described).collect();
    let widths: Vec<usize> = headers
        .iter()
        .enumerate()
        .map(|(index, header)| {
            let cells = texts.iter().flat_map(|page| &page.rows);
            let widest = cells.map(|row| row[index].chars().count()).max();
            widest.unwrap_or(0).max(header.chars().count())
        })
        .collect();
    let wide = widths.iter().map(|width| width + 3).sum::<usize>() > WIDTH_MAX;
    let cells = || texts.iter().flat_map(|page| &page.rows).flatten();
    match wide || cells().any(|cell| cell.contains('\n')) {
        true => cell_by_cell(&headers, &texts),
        false => table(&headers, &widths, &texts),
    }
}

fn table(headers: &[String], widths: &[usize], pages: &[Page]) -> Vec<String> {
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join(" | ").trim_end().to_owned()
    };
    let mut lines = vec![line(headers)];
    for page in pages {
        lines.extend(page.rows.iter().map(|row| line(row)));
        lines.extend(page.more.then(|| PAGE_END.to_owned()));
    }
    if pages.iter().all(|page| page.rows.is_empty()) {
        lines.push("(no rows)".to_owned());
    }
    lines
}

fn cell_by_cell(headers: &[String], pages: &[Page]) -> Vec<String> {
    let mut lines = vec!["each row:".to_owned()];
    lines.extend(headers.iter().map(|header| format!("  {header}")));
    let mut number = 0;
    for page in pages {
        for row in &page.rows {
            number += 1;
            lines.push(format!("row {number}:"));
            let cells = row.iter().map(|cell| cell.replace('\n', "\n  "));
            lines.extend(cells.flat_map(|cell| {
                let indented = format!("  {cell}");
                indented.lines().map(str::to_owned).collect::<Vec<_>>()
            }));
        }
        lines.extend(page.more.then(|| PAGE_END.to_owned()));
    }
    lines
}

fn error(error: &ErrorBody) -> Vec<String> {
    let mut message = error.message.lines();
    let mut lines = vec![format!(
        "error {}{}: {}",
        code_name(error.kind.code()),
        fields(&error.kind),
        message.next().unwrap_or_default()
    )];
    lines.extend(message.map(|line| format!("{CONTINUED}{line}")));
    lines
}

/// The fields that a golden script can meet.
fn fields(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Unavailable {
            consistency,
            required,
            alive,
        } => format!(" ({consistency}, {required} required, {alive} alive)"),
        ErrorKind::AlreadyExists { keyspace, table } => format!(" ({keyspace}.{table})"),
        _ => String::new(),
    }
}

/// The code as messages of servers write it: `SYNTAX_ERROR`.
fn code_name(code: ErrorCode) -> String {
    let mut name = String::new();
    for (index, c) in format!("{code:?}").chars().enumerate() {
        if c.is_uppercase() && index > 0 {
            name.push('_');
        }
        name.extend(c.to_uppercase());
    }
    name
}
