//! Files in, texts out: diagnostics, layout, CQL, Markdown, DOT, Rust, and what breaks between two versions.
//!
//! `UPDATE_GOLDEN=1 cargo test -p messina-schema-dsl` writes the expected texts anew.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use schema_dsl::breaking::{self, Category};
use schema_dsl::diagnostic::{has_errors, render};
use schema_dsl::{Sources, codegen, compile, cql, doc, fmt, graph, import, parse};

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(folder)
}

/// The files of a folder with one extension, by name.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(data(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases in {folder}");
    files
}

fn read(path: &Path) -> (String, String) {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    (name, std::fs::read_to_string(path).unwrap())
}

/// Compares with the golden file, or writes it.
#[track_caller]
fn golden(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        update(path, found);
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == found,
        "{} differs; UPDATE_GOLDEN=1 writes it anew\n--- expected\n{expected}\n--- found\n{found}",
        path.display()
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "golden files are written on demand"
)]
fn update(path: &Path, found: &str) {
    std::fs::write(path, found).unwrap();
}

#[test]
fn diagnostics() {
    for path in files("check", "tables") {
        let (name, text) = read(&path);
        let mut sources = Sources::new();
        sources.add(name, text);
        let (model, mut found) = compile(&sources);
        if !has_errors(&found) {
            found.extend(codegen::generate(&model).1);
        }
        golden(
            &path.with_extension("diagnostics"),
            &render(&sources, &found),
        );
    }
}

#[test]
fn a_bad_file_does_not_stop_the_checking_of_a_good_one() {
    let mut sources = Sources::new();
    sources.add("bad.tables", "table a.b {\n    home locl\n");
    sources.add(
        "good.tables",
        "/// Doc.\ntable a.c {\n    home local\n    partition id uid\n}\n",
    );
    let (model, found) = compile(&sources);
    let text = render(&sources, &found);
    assert_eq!(model.tables.len(), 2, "{text}");
    for code in ["S0006", "S0206", "S0301"] {
        assert!(text.contains(code), "{code} is missing:\n{text}");
    }
}

#[test]
fn layout() {
    for path in files("fmt", "tables") {
        let (name, text) = read(&path);
        let mut sources = Sources::new();
        let id = sources.add(name, text.clone());
        let (tree, found) = parse::parse(id, &text);
        assert!(found.is_empty(), "{}", render(&sources, &found));
        golden(&path.with_extension("formatted"), &fmt::format(&tree));
    }
}

/// Layout changes nothing else: not the meaning, not a comment, and not what is in layout already.
#[test]
fn layout_keeps_everything() {
    let folders = ["fmt", "generate", "check"];
    for path in folders.iter().flat_map(|folder| files(folder, "tables")) {
        let (name, text) = read(&path);
        let mut sources = Sources::new();
        let id = sources.add(name.clone(), text.clone());
        let (tree, found) = parse::parse(id, &text);
        if has_errors(&found) {
            continue;
        }
        let once = fmt::format(&tree);
        let mut again = Sources::new();
        let id = again.add(name.clone(), once.clone());
        let (tree, found) = parse::parse(id, &once);
        assert!(
            found.is_empty(),
            "{name}: {}\n{once}",
            render(&again, &found)
        );
        assert_eq!(fmt::format(&tree), once, "{name} is not stable");
        assert_eq!(remarks(&text), remarks(&once), "{name} loses a remark");
        let meaning = |sources: &Sources| {
            let (model, _) = compile(sources);
            (cql::statements(&model), doc::markdown(&model))
        };
        assert_eq!(
            meaning(&sources),
            meaning(&again),
            "{name} means something else"
        );
    }
}

fn remarks(text: &str) -> Vec<String> {
    let mut remarks: Vec<String> = text
        .lines()
        .filter_map(|line| line.find("//").and_then(|at| line.get(at..)))
        .map(|remark| remark.trim_start_matches('/').trim().to_owned())
        .collect();
    remarks.sort();
    remarks
}

#[test]
fn generated() {
    for path in files("generate", "tables") {
        let (name, text) = read(&path);
        let mut sources = Sources::new();
        sources.add(name, text);
        let (model, found) = compile(&sources);
        assert!(found.is_empty(), "{}", render(&sources, &found));
        golden(&path.with_extension("cql"), &cql::statements(&model));
        golden(&path.with_extension("md"), &doc::markdown(&model));
        golden(&path.with_extension("dot"), &graph::dot(&model));
        let (code, found) = codegen::generate(&model);
        assert!(found.is_empty(), "{}", render(&sources, &found));
        golden(&path.with_extension("rs.txt"), &code);
    }
}

#[test]
fn what_breaks() {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(data("breaking"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let mut sources = Sources::new();
        let mut model = |version: &str| {
            let text = std::fs::read_to_string(case.join(version)).unwrap();
            let mut alone = Sources::new();
            alone.add(version, text.clone());
            let (_, found) = compile(&alone);
            assert!(!has_errors(&found), "{}", render(&alone, &found));
            let id = sources.add(version, text.clone());
            schema_dsl::check::check(&[parse::parse(id, &text).0]).0
        };
        let (new, old) = (model("new.tables"), model("old.tables"));
        let found = breaking::compare(&old, &new, Category::Wire);
        golden(&case.join("findings"), &render(&sources, &found));
        assert!(breaking::compare(&new, &new, Category::Doc).is_empty());
    }
}

/// DDL and back gives the same DDL.
#[test]
fn imported() {
    for path in files("generate", "cql") {
        let (name, text) = read(&path);
        let mut sources = Sources::new();
        let id = sources.add(name.clone(), text.clone());
        let (tables, found) = import::import(id, &text);
        assert!(!has_errors(&found), "{}", render(&sources, &found));
        golden(&path.with_extension("imported"), &tables);
        let mut back = Sources::new();
        back.add(name, tables);
        let (model, found) = compile(&back);
        assert!(!has_errors(&found), "{}", render(&back, &found));
        assert_eq!(
            cql::statements(&model),
            text.replace("-- a virtual table: it exists of itself\n", "")
        );
    }
}

/// Whatever is cut off or left out, there is an answer, and its spans lie in the text.
#[test]
fn broken_text_is_reported_and_never_panics() {
    let (_, text) = read(&data("generate").join("tablets.tables"));
    let words: Vec<(usize, usize)> = text
        .split_inclusive([' ', '\n'])
        .scan(0, |at, word| {
            let start = *at;
            *at += word.len();
            Some((start, *at))
        })
        .collect();
    for (start, end) in words {
        for broken in [
            text[..start].to_owned(),
            format!("{}{}", &text[..start], &text[end..]),
            format!("{}}} {}", &text[..start], &text[start..]),
        ] {
            let mut sources = Sources::new();
            sources.add("broken.tables", broken.clone());
            let (model, found) = compile(&sources);
            let _text = render(&sources, &found);
            let _document = doc::markdown(&model);
            assert!(
                found
                    .iter()
                    .all(|found| (found.primary.span.end as usize) <= broken.len())
            );
        }
    }
}

/// A hundred tables, as the design asks, in less than 100 ms; here in a debug build, so with some room.
#[test]
fn a_hundred_tables_are_quick() {
    let (_, text) = read(&data("generate").join("tablets.tables"));
    let mut sources = Sources::new();
    for index in 0..100 {
        let renamed = ["tablets", "Tablet", "Resize"]
            .iter()
            .fold(text.clone(), |text, name| {
                text.replace(name, &format!("{name}{index}"))
            });
        let renamed = renamed
            .replace("keyspace system", &format!("keyspace system{index}"))
            .replace("table system", &format!("table system{index}"));
        sources.add(format!("{index}.tables"), renamed);
    }
    let (model, found) = compile(&sources);
    assert!(!has_errors(&found), "{}", render(&sources, &found));
    assert!(model.tables.len() >= 100);
    assert!(codegen::generate(&model).0.len() > 100_000);
}
