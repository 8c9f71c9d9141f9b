//! What the tutorial shows is what the compiler says.

use std::path::Path;

use schema_dsl::breaking::{self, Category};
use schema_dsl::diagnostic::render;
use schema_dsl::{Sources, check, compile, fmt, parse};

#[test]
fn the_texts_of_the_tutorial_are_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema-dsl.md");
    let page = std::fs::read_to_string(page).unwrap();
    let texts: Vec<&str> = page
        .split("```text\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    let [typed, formatted, mistakes, breaks] = texts[..] else {
        panic!("{} texts", texts.len())
    };
    let name = "system-tables/tables/notes.tables";

    let mut sources = Sources::new();
    let id = sources.add(name, typed);
    assert_eq!(fmt::format(&parse::parse(id, typed).0), formatted);

    let broken = formatted
        .replace("timestamp desc", "timestmp desc")
        .replace("today, now", "today, today");
    let mut sources = Sources::new();
    sources.add(name, broken);
    let (_, found) = compile(&sources);
    assert_eq!(render(&sources, &found), mistakes);

    let mut sources = Sources::new();
    let changed = formatted.replace("body       text", "body       blob");
    let new = sources.add(name, changed.clone());
    let old = sources.add("released-tables/notes.tables", formatted);
    let model = |id, text| check::check(&[parse::parse(id, text).0]).0;
    let found = breaking::compare(
        &model(old, formatted),
        &model(new, &changed),
        Category::Wire,
    );
    assert_eq!(render(&sources, &found), breaks);
}
