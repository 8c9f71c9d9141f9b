//! The tables in `docs/operations.md` are those of the code.

use std::path::Path;

use crate::scripts::check;

/// Puts a table between its marks.
fn with_table(page: &str, name: &str, table: &str) -> String {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->\n"),
    );
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}\n{table}\n{end}{after}")
}

#[test]
fn the_page_on_operations_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let page = with_table(&page, "endpoints", &node_api::endpoints_markdown());
    let page = with_table(&page, "metrics", &node_api::metrics_markdown());
    check(&path, &page);
}

/// Words of the glossary are found by looking, so they are sorted.
#[test]
fn the_glossary_is_sorted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/glossary.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("|---"));
    let words: Vec<String> = rows
        .skip(1)
        .map(|row| row.split('|').nth(1).unwrap().trim().to_lowercase())
        .collect();
    assert!(words.len() > 50);
    let unsorted = words.windows(2).find(|pair| pair[0] >= pair[1]);
    assert_eq!(unsorted, None);
}

/// Metrics in the examples of the page are metrics that there are.
#[test]
fn alerts_name_metrics_that_exist() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (alerts, rest) = page.split_once("<!-- metrics -->").unwrap();
    let (table, _) = rest.split_once("<!-- end of metrics -->").unwrap();
    let words = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names: Vec<&str> = words
        .filter(|word| word.starts_with("messina_") && word.len() > "messina_".len())
        .collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(table.contains(&format!("| `{name}` |")), "no metric {name}");
    }
}
