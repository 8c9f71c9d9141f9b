//! Golden scripts: statements, and the answers that a node must give.
//!
//! `UPDATE_GOLDEN=1` writes the answers of the node into the scripts; look at the difference before you commit it.
//! `GOLDEN_SCRIPT=name` runs one script only.
//! `MESSINA_GOLDEN_AGAINST=host:port` asks another server, such as Apache Cassandra, and compares rows, columns and types exactly, errors by their code.
//! Where answers differ on purpose, the statement says so and `docs/cql-differences.md` explains it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise and talks to who started it"
)]

mod render;
mod run;
mod script;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use messina_tests::client::Connection;
use messina_tests::node::Node;

use render::{comparable, is_bare_error};
use run::Runner;
use script::{Script, Step};

/// Shards of the node that answers: more than one, so that statements cross shards.
const SHARDS: u32 = 2;

/// Which answers must be equal in every letter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// All: the node is ours.
    Letters,
    /// Rows, columns, types, codes of errors: the server is another one.
    Meaning,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/scripts")
}

fn scripts() -> Vec<(PathBuf, Script)> {
    let only = std::env::var("GOLDEN_SCRIPT").ok();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "cql"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let script = Script::parse(&name, &std::fs::read_to_string(&path).unwrap());
            (path, script)
        })
        .filter(|(_, script)| only.as_ref().is_none_or(|only| *only == script.name))
        .collect()
}

/// What is wrong with an answer; `None` if nothing.
fn difference(measure: Measure, step: &Step, got: &[String]) -> Option<String> {
    let same = match measure {
        Measure::Letters if is_bare_error(&step.expected) => comparable(got) == step.expected,
        Measure::Letters => got == step.expected,
        Measure::Meaning => comparable(got) == comparable(&step.expected),
    };
    if same {
        return None;
    }
    let mut text = String::new();
    for line in &step.expected {
        writeln!(text, "    expected  {line}").unwrap();
    }
    for line in got {
        writeln!(text, "    got       {line}").unwrap();
    }
    Some(text)
}

/// Runs a script; gives its answers and what is wrong with them.
async fn run(address: SocketAddr, script: &Script, measure: Measure) -> (Vec<Vec<String>>, String) {
    let connection = Connection::open(address).await.unwrap();
    let mut runner = Runner::start(connection, script).await;
    let mut answers = Vec::new();
    let mut findings = String::new();
    for step in script.steps() {
        let skipped = measure == Measure::Meaning && step.differs.is_some();
        let refused = step
            .expected
            .first()
            .is_some_and(|line| line.starts_with("error "));
        if skipped && refused {
            // What has no effect here must have none there, or later answers would differ.
            answers.push(step.expected.clone());
            continue;
        }
        let got = runner.step(step).await;
        if !skipped && let Some(difference) = difference(measure, step, &got) {
            let (name, line, text) = (&script.name, step.line, &step.text);
            write!(findings, "{name}.cql:{line}: {text}\n{difference}").unwrap();
        }
        answers.push(if skipped { step.expected.clone() } else { got });
    }
    (answers, findings)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the scripts are files of the repository"
)]
fn rewrite(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    println!("wrote {}", path.display());
}

#[tokio::test]
async fn every_script_gets_its_answers() {
    let against = std::env::var("MESSINA_GOLDEN_AGAINST").ok();
    let update = std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1");
    let (node, address, measure) = match against {
        Some(address) => {
            let address = tokio::net::lookup_host(address)
                .await
                .unwrap()
                .next()
                .unwrap();
            (None, address, Measure::Meaning)
        }
        None => {
            let node = Node::start(env!("CARGO_BIN_EXE_messina-node"), SHARDS, &[]).await;
            let address = node.address();
            (Some(node), address, Measure::Letters)
        }
    };
    let mut all = String::new();
    for (path, script) in scripts() {
        let (answers, findings) = run(address, &script, measure).await;
        if update {
            // Of another server only the code of an error is worth keeping.
            let kept: Vec<Vec<String>> = answers
                .iter()
                .map(|answer| match measure {
                    Measure::Letters => answer.clone(),
                    Measure::Meaning => comparable(answer),
                })
                .collect();
            rewrite(&path, &script.with_answers(&kept));
        } else {
            all.push_str(&findings);
        }
    }
    drop(node);
    if !all.is_empty() {
        println!("{all}");
        panic!("answers differ; UPDATE_GOLDEN=1 accepts those of the node");
    }
}

#[test]
fn every_difference_is_explained() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cql-differences.md");
    let page = std::fs::read_to_string(page).unwrap_or_default();
    let mut missing: Vec<String> = scripts()
        .iter()
        .flat_map(|(_, script)| script.steps())
        .filter_map(|step| step.differs.clone())
        .filter(|reason| !page.contains(reason))
        .collect();
    missing.sort();
    missing.dedup();
    assert!(
        missing.is_empty(),
        "docs/cql-differences.md does not say:\n{}",
        missing.join("\n")
    );
}
