//! What functions by the first columns of the clustering key need.

use super::rust_types::RustType;
use super::table::TableCode;
use crate::ast::Role;
use crate::model::Column;
use crate::names;

/// One proper prefix of the clustering key.
pub(super) struct PrefixCode {
    /// For the name of a function: `keyspace_name_and_table_name`.
    pub(super) name: String,
    /// For its documentation.
    pub(super) words: String,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// What writes the columns.
    pub(super) closure: String,
}

/// The proper prefixes of the clustering key, the shortest first.
pub(super) fn prefixes(code: &TableCode<'_>) -> Vec<PrefixCode> {
    let clustering = code.columns(Role::Clustering);
    (1..clustering.len())
        .filter_map(|length| clustering.get(..length))
        .map(|columns| prefix(code, columns))
        .collect()
}

fn prefix(code: &TableCode<'_>, columns: &[&Column]) -> PrefixCode {
    let mut names = Vec::new();
    let mut words = Vec::new();
    let mut arguments = Vec::new();
    let mut writes = Vec::new();
    for column in columns {
        let (ty, reference) = RustType::of(code.model, &column.ty).argument();
        let argument = argument_name(&column.name);
        names.push(names::bare_snake(&column.name));
        words.push(format!("`{}`", column.name));
        arguments.push(format!("{argument}: {ty}"));
        writes.push(format!("prefix.column({reference}{argument})"));
    }
    let closure = match writes.as_slice() {
        [only] => format!("|prefix| {only}"),
        several => format!("|prefix| {{\n    {};\n}}", several.join(";\n    ")),
    };
    PrefixCode {
        name: names.join("_and_"),
        words: words.join(" and "),
        arguments,
        closure,
    }
}

/// The name of an argument that stands beside `key`, `at` and `reader`.
fn argument_name(column: &str) -> String {
    let name = names::snake(column);
    match name.as_str() {
        "key" | "at" | "reader" | "prefix" => format!("{name}_"),
        _ => name,
    }
}
