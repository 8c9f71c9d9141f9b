//! The descriptions themselves: in layout, without complaints, and documented by the page in `docs/`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use schema_dsl::diagnostic::render;
use schema_dsl::{Sources, codegen, compile, doc, fmt, parse};

fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

#[test]
fn tables_are_in_layout_and_without_complaints() {
    let (sources, mut found) = Sources::load(&[path("tables")]);
    for (id, file) in sources.iter() {
        let (tree, _) = parse::parse(id, &file.text);
        let formatted = fmt::format(&tree);
        assert!(
            formatted == file.text,
            "{}: run `schema-dsl fmt system-tables/tables`",
            file.name
        );
    }
    let (model, complaints) = compile(&sources);
    found.extend(complaints);
    found.extend(codegen::generate(&model).1);
    assert!(found.is_empty(), "{}", render(&sources, &found));
}

/// `UPDATE_GOLDEN=1 cargo test -p messina-system-tables` writes the page anew.
/// The language of tables has its own list of CQL's words, because it depends on nothing.
#[test]
fn names_are_quoted_as_everywhere() {
    for name in cql_types::RESERVED_WORDS
        .into_iter()
        .chain(["key", "p1d", "table_id", "Type"])
    {
        assert_eq!(schema_dsl::names::cql(name), cql_types::quoted(name));
    }
}

#[test]
fn the_page_of_tables_is_current() {
    let (sources, _) = Sources::load(&[path("tables")]);
    let page = doc::markdown(&compile(&sources).0).replacen("# Tables", "# System tables", 1);
    let target = path("../docs/system-tables.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        write(&target, &page);
    }
    let written = std::fs::read_to_string(&target).unwrap_or_default();
    assert!(
        written == page,
        "docs/system-tables.md is not current; UPDATE_GOLDEN=1 writes it anew"
    );
}

#[expect(clippy::disallowed_methods, reason = "the page is written on demand")]
fn write(path: &Path, page: &str) {
    std::fs::write(path, page).unwrap();
}
