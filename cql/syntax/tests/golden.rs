//! Golden scripts: `testscripts/*.txt` say what a text parses to.
//!
//! A case is one or more lines that start with a command, then what is expected, then an empty line:
//!
//! * `> text`: prints the statement as parsed, or the error in one line behind `!`. More `>` lines are more lines of the text.
//! * `ast> text`: prints the tree too, without what is absent, empty or false.
//! * `draw> text`: prints the error with the place drawn under the text.
//! * `type> text`: parses a type.
//! * `script> text`: parses several statements and prints each on a line.
//!
//! Run with `UPDATE_GOLDEN=1` to write what is printed into the files; then read the difference.

#![expect(clippy::unwrap_used, reason = "tests")]

use cql_syntax::{Statement, parse_statement, parse_statements, parse_type};
use std::fmt::Write as _;
use std::path::PathBuf;

const COMMANDS: [&str; 5] = ["> ", "ast> ", "draw> ", "type> ", "script> "];

fn scripts() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testscripts");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

fn command(line: &str) -> Option<(&'static str, &str)> {
    COMMANDS
        .into_iter()
        .find_map(|command| Some((command.trim_end(), line.strip_prefix(command)?)))
}

/// The commands, with their texts, of a script.
fn cases(script: &str) -> Vec<(&'static str, String)> {
    let mut cases: Vec<(&str, String)> = Vec::new();
    let mut in_input = false;
    for line in script.lines() {
        match command(line) {
            Some((">", text)) if in_input => {
                let (_, all) = cases.last_mut().unwrap();
                all.push('\n');
                all.push_str(text);
            }
            Some((name, text)) => cases.push((name, text.to_owned())),
            None => {}
        }
        in_input = command(line).is_some();
    }
    cases
}

/// The script with fresh results.
fn rerun(script: &str) -> String {
    let mut cases = cases(script).into_iter();
    let mut out = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if command(line).is_none() {
            continue;
        }
        while let Some(more) = lines.next_if(|next| next.starts_with("> ")) {
            out.push_str(more);
            out.push('\n');
        }
        while lines.next_if(|next| !next.is_empty()).is_some() {}
        let (name, text) = cases.next().unwrap();
        out.push_str(&run(name, &text));
        out.push('\n');
    }
    out
}

fn run(command: &str, text: &str) -> String {
    let shown = match command {
        ">" => parse_statement(text).map(|statement| show(&statement)),
        "ast>" => parse_statement(text).map(|statement| {
            let tree = compact(&format!("{:?}", statement.kind));
            format!("{}\n{tree}", show(&statement))
        }),
        "type>" => parse_type(text).map(|ty| format!("{ty}\n{:?}", ty.kind)),
        "script>" => parse_statements(text).map(|statements| {
            let shown: Vec<String> = statements.iter().map(show).collect();
            if shown.is_empty() {
                return "no statement".to_owned();
            }
            shown.join("\n")
        }),
        "draw>" => match parse_statement(text) {
            Ok(statement) => Ok(show(&statement)),
            Err(error) => return error.render(text),
        },
        other => unreachable!("{other}"),
    };
    shown.unwrap_or_else(|error| format!("! {error}"))
}

fn show(statement: &Statement) -> String {
    let mut shown = statement.to_string();
    if !statement.markers().is_empty() {
        write!(shown, "\nmarkers {:?}", statement.markers()).unwrap();
    }
    shown
}

/// Takes out fields that say nothing: `, limit: None`.
fn compact(tree: &str) -> String {
    let mut tree = tree.replace(" { parameters: [] }", " {}");
    for nothing in [": None", ": false", ": []", ": Using {}"] {
        let mut from = 0;
        while let Some(found) = tree[from..].find(nothing) {
            let (at, end) = (from + found, from + found + nothing.len());
            let start = tree[..at]
                .rfind([' ', '(', '{'])
                .map_or(0, |space| space + 1);
            if tree[end..].starts_with(", ") {
                tree.replace_range(start..end + 2, "");
                from = start;
            } else if tree[end..].starts_with(" }") {
                let start = start - usize::from(tree[..start].ends_with(' '));
                let start = start - usize::from(tree[..start].ends_with(','));
                tree.replace_range(start..end, "");
                from = start;
            } else {
                from = end;
            }
        }
    }
    tree
}

#[test]
fn scripts_give_what_they_say() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differences = String::new();
    let mut count = 0;
    for (path, script) in scripts() {
        count += cases(&script).len();
        let fresh = rerun(&script);
        if fresh == script {
            continue;
        }
        if update {
            #[expect(clippy::disallowed_methods, reason = "the test writes its own scripts")]
            std::fs::write(&path, fresh).unwrap();
            continue;
        }
        for (number, (old, new)) in script.lines().zip(fresh.lines()).enumerate() {
            if old != new {
                let place = format!("{}:{}", path.display(), number + 1);
                writeln!(differences, "{place}\n  file: {old}\n  now:  {new}").unwrap();
                break;
            }
        }
    }
    assert!(count >= 300, "only {count} cases");
    assert!(
        differences.is_empty(),
        "UPDATE_GOLDEN=1 accepts:\n{differences}"
    );
}

/// Takes the spans out of a tree: `@3..7`, `span: 3..7`, `(3..7)`.
fn without_spans(tree: &str) -> String {
    let mut out = String::with_capacity(tree.len());
    let mut rest = tree;
    while let Some(digit) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, after) = rest.split_at(digit);
        out.push_str(before);
        let number = |text: &str| {
            text.find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len())
        };
        let start = number(after);
        let end = after[start..].strip_prefix("..").map(number).unwrap_or(0);
        if end > 0 {
            rest = &after[start + 2 + end..];
        } else {
            out.push_str(&after[..start]);
            rest = &after[start..];
        }
    }
    out.push_str(rest);
    out
}

#[test]
fn printed_statements_parse_to_the_same_tree() {
    for (path, script) in scripts() {
        for (_, text) in cases(&script) {
            let Ok(statement) = parse_statement(&text) else {
                continue;
            };
            let printed = statement.to_string();
            let again = parse_statement(&printed)
                .unwrap_or_else(|error| panic!("{}: {printed}: {error}", path.display()));
            assert_eq!(printed, again.to_string());
            let (first, second) = (format!("{statement:?}"), format!("{again:?}"));
            assert_eq!(without_spans(&first), without_spans(&second), "{text}");
        }
    }
}

#[test]
fn spans_lie_in_the_text_and_hold_their_names() {
    for (_, script) in scripts() {
        for (_, text) in cases(&script) {
            let Ok(statement) = parse_statement(&text) else {
                continue;
            };
            let alone = parse_statement(statement.span.text(&text)).unwrap();
            assert_eq!(alone.to_string(), statement.to_string());
            for (index, marker) in statement.markers().iter().enumerate() {
                assert_eq!(usize::from(marker.index), index);
                assert!(marker.span.text(&text).starts_with(['?', ':']), "{text}");
            }
        }
    }
}
