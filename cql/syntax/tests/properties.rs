//! Whatever the text, the parser gives a tree or an error, quickly and without a panic.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use cql_syntax::{Problem, StatementKind, parse_statement, parse_statements, parse_type};
use std::path::PathBuf;

/// A small generator of numbers, so that a failure can be run again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// The texts of all golden scripts.
fn statements() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testscripts");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let script = std::fs::read_to_string(path).unwrap();
        let inputs = script.lines().filter_map(|line| line.split_once("> "));
        texts.extend(inputs.map(|(_, text)| text.to_owned()));
    }
    texts
}

/// Parses in all ways; a tree must survive printing.
fn exercise(text: &str) {
    if let Err(error) = parse_statement(text) {
        assert!(!error.to_string().contains('\n'), "{error}");
        assert!(error.render(text).lines().count() >= 4, "{text:?}");
        assert!(error.span.start <= error.span.end);
        assert!(error.span.end as usize <= text.len());
    }
    if let Ok(statements) = parse_statements(text) {
        for statement in statements {
            let printed = statement.to_string();
            let again = parse_statement(&printed);
            let again = again.unwrap_or_else(|error| panic!("{text:?}\n{printed}\n{error}"));
            assert_eq!(printed, again.to_string(), "{text:?}");
            assert_eq!(statement.markers().len(), again.markers().len());
        }
    }
    let _: Result<_, _> = parse_type(text);
}

#[test]
fn token_soup_never_panics() {
    let words: Vec<String> = statements()
        .iter()
        .flat_map(|text| text.split(' '))
        .map(str::to_owned)
        .collect();
    let glue = [
        " ", " ", " ", "", "\n", ",", "(", ")", "'", "\"", "$$", "/*", "\u{e9}", ":", ".",
    ];
    let mut chance = Chance(0x1234_5678_9abc_def1);
    for _ in 0..5_000 {
        let mut text = String::new();
        for _ in 0..1 + chance.below(12) {
            text.push_str(chance.pick(&words).as_str());
            let piece: &&str = chance.pick(&glue);
            text.push_str(piece);
        }
        exercise(&text);
    }
}

#[test]
fn mutated_statements_never_panic() {
    let texts = statements();
    let bits = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        "\"",
        ",",
        ";",
        ":",
        "?",
        "-",
        "--",
        "..",
        ".",
        "1",
        "a",
        " ",
        "<",
        "=",
        "NULL",
        "\u{1F600}",
    ];
    let mut chance = Chance(0x0dd0_5eed_0dd0_5eed);
    for _ in 0..5_000 {
        let mut text: Vec<char> = chance.pick(&texts).chars().collect();
        for _ in 0..1 + chance.below(3) {
            if text.is_empty() {
                break;
            }
            let at = chance.below(text.len());
            match chance.below(4) {
                0 => drop(text.remove(at)),
                1 => text.truncate(at),
                2 => drop(text.splice(at..at, chance.pick(&bits).chars())),
                _ => {
                    let other = chance.below(text.len());
                    text.swap(at, other);
                }
            }
        }
        exercise(&text.into_iter().collect::<String>());
    }
}

#[test]
fn endless_nesting_is_refused() {
    let many = 100_000;
    for (before, open, after) in [
        ("SELECT a FROM t WHERE a = ", "(", ""),
        ("SELECT a FROM t WHERE a = ", "[", ""),
        ("SELECT a FROM t WHERE a = ", "{", ""),
        ("SELECT a FROM t WHERE a = ", "{1:", ""),
        ("SELECT a FROM t WHERE a = ", "{a:", ""),
        ("SELECT a FROM t WHERE a = ", "f(", ""),
        ("SELECT a FROM t WHERE a = ", "(int)", "1"),
        ("SELECT a FROM t WHERE a = ", "- ", "?"),
        ("SELECT a FROM t WHERE a = ", "CAST(", ""),
        ("SELECT a FROM t WHERE ", "(", "a = 1"),
        ("SELECT a FROM t WHERE a = 1", "+ 1", ""),
        ("SELECT a FROM t WHERE a = 1", "* 1", ""),
        ("SELECT a", ".a", " FROM t"),
        ("SELECT a", "[1]", " FROM t"),
        ("SELECT a", "[a", " FROM t"),
        ("SELECT ", "(", " FROM t"),
        ("", "EXPLAIN ", "SELECT a FROM t"),
        ("CREATE TABLE t (a ", "frozen<", "int"),
        ("CREATE TABLE t (a ", "map<int,", "int"),
        ("CREATE TABLE t (a ", "tuple<int,", "int"),
    ] {
        let text = format!("{before}{}{after}", open.repeat(many));
        let error = parse_statement(&text).expect_err(open);
        let deep = error.problem == Problem::TooDeep;
        assert!(deep || open == "[a", "{before}{open}: {error}");
    }
}

#[test]
fn the_deepest_tree_can_be_printed_and_dropped() {
    // Every level has as long a chain of operators as it may.
    let mut text = "1".to_owned();
    let mut deepest = None;
    for _ in 0..2 * cql_syntax::DEPTH_MAX {
        let chain = (1..=cql_syntax::DEPTH_MAX).rev().find_map(|length| {
            let longer = format!("({text}){}", " + 1".repeat(usize::from(length)));
            let statement = format!("SELECT a FROM t WHERE a = {longer}");
            Some((parse_statement(&statement).ok()?, longer))
        });
        let Some((statement, longer)) = chain else {
            break;
        };
        deepest = Some(statement);
        text = longer;
    }
    let deepest = deepest.unwrap();
    assert_eq!(
        parse_statement(&deepest.to_string()).unwrap().to_string(),
        deepest.to_string()
    );
    assert!(format!("{deepest:?}").len() > 1_000);
    assert_eq!(deepest.clone(), deepest);
}

#[test]
fn long_flat_statements_are_fine() {
    let values = vec!["?"; 60_000].join(", ");
    let statement = parse_statement(&format!("SELECT * FROM t WHERE a IN ({values})")).unwrap();
    assert_eq!(statement.markers().len(), 60_000);
    let batch = "INSERT INTO t (a) VALUES (1 + 2); ".repeat(5_000);
    let batch = parse_statement(&format!("BEGIN BATCH {batch} APPLY BATCH")).unwrap();
    let StatementKind::Batch(batch) = batch.kind else {
        panic!("not a batch")
    };
    assert_eq!(batch.statements.len(), 5_000);
    let values = vec!["?"; 70_000].join(", ");
    let error = parse_statement(&format!("SELECT * FROM t WHERE a IN ({values})")).unwrap_err();
    assert_eq!(error.problem, Problem::TooManyMarkers);
}
