//! Rules for the text of a source file.

use crate::tree::{File, Tree};

/// Above this a file is split.
const FILE_LINES_MAX: usize = 1_000;

/// Above this a function is split, or says why it is one thing.
const FUNCTION_LINES_MAX: usize = 100;

/// A comment with this word above a function says why it is long.
const LONG_FUNCTION_REASON: &str = "One thing:";

/// Words that must not ship, and what to do instead. Split so that this file does not find itself.
const BANNED_WORDS: &[(&str, &str)] = &[
    (
        concat!("FIX", "ME"),
        "mend it, or write it into docs/limits.md",
    ),
    (
        concat!("TO", "DO"),
        "do it, or write it into docs/limits.md",
    ),
    (concat!("HA", "CK"), "say what it works around and why"),
    (concat!("XX", "X"), "say what is meant"),
    (concat!("todo", "!("), "return a clear error"),
    (concat!("unimplemented", "!("), "return a clear error"),
    (concat!("/wo", "rk/"), "no paths of a machine"),
    (concat!("/ro", "ot/"), "no paths of a machine"),
];

/// Calls that reach past a seam, and the folders that hold the seam.
const BANNED_CALLS: &[(&str, &[&str])] = &[
    ("SystemTime::now", &["node/env/"]),
    ("Instant::now", &["node/env/"]),
    ("thread::spawn", &["node/env/", "node/server/", "backends/"]),
    ("thread::sleep", &["backends/"]),
    ("std::net::Tcp", &["node/server/", "node/api/"]),
    ("tokio::net", &["node/server/", "node/api/"]),
    (
        "std::fs",
        &[
            "node/env/",
            "node/server/",
            "node/config/",
            "backends/",
            "schema-dsl/",
            "system-tables/build.rs",
        ],
    ),
    ("rand::rng", &[]),
    ("thread_rng", &[]),
    ("Uuid::new_v4", &[]),
    ("thread_local!", &[]),
    ("lazy_static", &[]),
    ("futures::select!", &[]),
];

fn lines_matching<'a>(
    tree: &'a Tree,
    keep: impl Fn(&File) -> bool + 'a,
    hit: impl Fn(&File, &str) -> Option<String> + 'a,
) -> Vec<String> {
    tree.rust()
        .filter(|file| keep(file))
        .flat_map(|file| {
            file.source_lines()
                .filter_map(|(number, line)| {
                    hit(file, line).map(|why| format!("{}:{number}: {why}", file.path))
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Sources over the hard limit.
pub(crate) fn long_files(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter_map(|file| {
            let lines = file.text.lines().count();
            (lines > FILE_LINES_MAX)
                .then(|| format!("{}: {lines} lines; split it by what it is about", file.path))
        })
        .collect()
}

/// Functions over the limit, found by rustfmt's indentation.
pub(crate) fn long_functions(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !file.is_test()) {
        let lines: Vec<&str> = file.source_lines().map(|(_, line)| line).collect();
        for (start, line) in lines.iter().enumerate() {
            let text = line.trim_start();
            let is_function = !text.starts_with("//")
                && (text.starts_with("fn ") || text.contains(" fn "))
                && text.contains('(')
                && !text.ends_with(';');
            if !is_function {
                continue;
            }
            let indent = line.len() - text.len();
            let closing = format!("{}}}", " ".repeat(indent));
            let Some(length) = lines[start..].iter().position(|line| *line == closing) else {
                continue;
            };
            let explained = lines[start.saturating_sub(12)..start]
                .iter()
                .any(|line| line.contains(LONG_FUNCTION_REASON));
            if length > FUNCTION_LINES_MAX && !explained {
                findings.push(format!(
                    "{}:{}: {length} lines; split it, or explain above it with `{LONG_FUNCTION_REASON}`",
                    file.path,
                    start + 1
                ));
            }
        }
    }
    findings
}

/// Sources that do not begin with a module doc.
pub(crate) fn missing_module_docs(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|file| !file.path.contains("/testdata/"))
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| {
            format!(
                "{}: begin with `//!` and what this file is about",
                file.path
            )
        })
        .collect()
}

/// Words that must not ship.
pub(crate) fn banned_words(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let is_text = [".rs", ".md", ".toml", ".tables", ".py", ".sh", ".yaml"]
            .iter()
            .any(|end| file.path.ends_with(end));
        if !is_text {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            for (word, cure) in BANNED_WORDS {
                if line.contains(word) {
                    findings.push(format!("{}:{}: `{word}`: {cure}", file.path, index + 1));
                }
            }
        }
    }
    findings
}

/// Calls past the seams.
pub(crate) fn banned_calls(tree: &Tree) -> Vec<String> {
    lines_matching(
        tree,
        |file| !file.is_test(),
        |file, line| {
            if line.trim_start().starts_with("//") {
                return None;
            }
            BANNED_CALLS
                .iter()
                .find(|(call, homes)| {
                    line.contains(call) && !homes.iter().any(|home| file.path.starts_with(home))
                })
                .map(|(call, homes)| format!("`{call}` belongs into {homes:?}"))
        },
    )
}

/// Names of system tables spelled in statements outside of their accessors.
pub(crate) fn spelled_system_tables(tree: &Tree) -> Vec<String> {
    lines_matching(
        tree,
        |file| file.path.starts_with("node/") && !file.is_test(),
        |_, line| {
            let code = line.split("//").next().unwrap_or_default();
            [
                "FROM system",
                "INTO system",
                "UPDATE system",
                "\"system_schema\"",
                "\"system.\"",
            ]
            .iter()
            .find(|spelled| code.contains(*spelled))
            .map(|spelled| format!("`{spelled}`: use the accessors of `system-tables`"))
        },
    )
}

/// Tests that do not run.
pub(crate) fn ignored_tests(tree: &Tree) -> Vec<String> {
    tree.rust()
        .flat_map(|file| {
            file.text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.trim_start().starts_with(concat!("#[", "ignore")))
                .map(|(index, _)| format!("{}:{}: a test that does not run", file.path, index + 1))
                .collect::<Vec<_>>()
        })
        .collect()
}
