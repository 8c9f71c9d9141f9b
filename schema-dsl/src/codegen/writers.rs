//! The functions of a table that make changes.

use super::prefixes::{PrefixCode, prefixes};
use super::rust_types::RustType;
use super::table::{ColumnForm, TableCode, column_form, home_type};
use super::writer::Writer;
use crate::ast::Role;
use crate::model::{Column, Home, Type};
use crate::names;

pub(super) fn functions(code: &TableCode<'_>, out: &mut Writer) {
    let mut writers = Writers {
        code,
        change: format!("Change<{}>", home_type(code.table.home)),
        out,
    };
    writers.rows();
    // Nothing is stored in a virtual table that could be changed or deleted.
    if code.table.home == Home::Virtual {
        return;
    }
    for role in [Role::Static, Role::Regular] {
        for column in code.columns(role) {
            writers.column(column);
        }
    }
    writers.deletions();
}

struct Writers<'w, 'a> {
    code: &'w TableCode<'a>,
    /// The result of all functions.
    change: String,
    out: &'w mut Writer,
}

impl Writers<'_, '_> {
    /// A function of the key, some arguments, and the time.
    fn function(&mut self, doc: &str, name: &str, arguments: &[String], body: &str) {
        self.out.blank();
        self.out.doc(doc);
        let mut all = vec!["key: &Key".to_owned()];
        all.extend_from_slice(arguments);
        all.push("at: impl Into<Stamp>".to_owned());
        self.out
            .function(&format!("pub fn {name}"), &all, &self.change, body);
    }

    fn rows(&mut self) {
        let row = ["row: &Row".to_owned()];
        self.function(
            "Writes a row that does not exist yet: absent values are not written.",
            "insert",
            &row,
            "TABLE.insert(key, row, at)",
        );
        if self.code.table.home == Home::Virtual {
            return;
        }
        self.function(
            "Writes a row over what may be there: absent values are deleted.",
            "upsert",
            &row,
            "TABLE.upsert(key, row, at)",
        );
        if self.code.has_statics() {
            self.function(
                "Writes what the rows of a partition share: absent values are deleted.",
                "upsert_static",
                &["values: &Static".to_owned()],
                "TABLE.upsert_static(key, values, at)",
            );
        }
    }

    /// `set_`, `clear_`, and for collections `add_`, `put_`, `remove_`.
    fn column(&mut self, column: &Column) {
        let (number, name) = (column.number.unwrap_or(0), &column.name);
        let model = self.code.model;
        let (whole, reference) = RustType::of(model, &column.ty).argument();
        let whole = [format!("value: {whole}")];
        match (&column.ty, column_form(column)) {
            (_, form @ (ColumnForm::Value | ColumnForm::Optional)) => {
                let set = format!("cells.value({number}, {reference}value)");
                self.cells(column, &format!("Sets `{name}`."), "set", &whole, &set);
                if form == ColumnForm::Optional {
                    let clear = format!("cells.clear({number})");
                    self.cells(
                        column,
                        &format!("Makes `{name}` absent."),
                        "clear",
                        &[],
                        &clear,
                    );
                }
            }
            (Type::Map(key, value, _), _) => {
                let (key, key_reference) = RustType::of(model, key).argument();
                let (value, value_reference) = RustType::of(model, value).argument();
                let [entry, value] = [format!("entry: {key}"), format!("value: {value}")];
                let set = format!("cells.map({number}, value)");
                self.cells(column, &format!("Replaces `{name}`."), "set", &whole, &set);
                let put =
                    format!("cells.put({number}, {key_reference}entry, {value_reference}value)");
                let doc = format!("Puts an entry into `{name}`.");
                self.cells(column, &doc, "put", &[entry.clone(), value], &put);
                let remove = format!("cells.remove({number}, {key_reference}entry)");
                let doc = format!("Removes an entry of `{name}`.");
                self.cells(column, &doc, "remove", &[entry], &remove);
            }
            (Type::Set(element, _), _) => {
                let (element, reference) = RustType::of(model, element).argument();
                let element = [format!("element: {element}")];
                let set = format!("cells.set({number}, value)");
                self.cells(column, &format!("Replaces `{name}`."), "set", &whole, &set);
                let add = format!("cells.add({number}, {reference}element)");
                self.cells(
                    column,
                    &format!("Adds an element to `{name}`."),
                    "add",
                    &element,
                    &add,
                );
                let remove = format!("cells.remove({number}, {reference}element)");
                let doc = format!("Removes an element of `{name}`.");
                self.cells(column, &doc, "remove", &element, &remove);
            }
            (_, ColumnForm::Set | ColumnForm::Map) => {}
        }
    }

    /// A function that writes cells of one column.
    fn cells(&mut self, column: &Column, doc: &str, verb: &str, arguments: &[String], cells: &str) {
        let (place, clustering, method) = match (column.role, self.code.has_clustering()) {
            (Role::Regular, true) => (Some("clustering: &Clustering"), "clustering, ", "update"),
            (Role::Regular, false) => (None, "&NoClustering, ", "update"),
            (Role::Partition | Role::Clustering | Role::Static | Role::Retired, _) => {
                (None, "", "update_static")
            }
        };
        let mut all: Vec<String> = place.map(str::to_owned).into_iter().collect();
        all.extend_from_slice(arguments);
        let name = format!("{verb}_{}", names::bare_snake(&column.name));
        let body = format!("TABLE.{method}(key, {clustering}at, |cells| {cells})");
        self.function(doc, &name, &all, &body);
    }

    fn deletions(&mut self) {
        if self.code.has_clustering() {
            self.function(
                "Deletes a row.",
                "delete_row",
                &["clustering: &Clustering".to_owned()],
                "TABLE.delete_row(key, clustering, at)",
            );
            self.function(
                "Deletes the rows of a range.",
                "delete_range",
                &["range: impl RangeBounds<Clustering>".to_owned()],
                "TABLE.delete_range(key, &range, at)",
            );
            for PrefixCode {
                name,
                words,
                arguments,
                closure,
            } in prefixes(self.code)
            {
                let doc = format!("Deletes the rows of one {words}.");
                let body = format!("TABLE.delete_prefix(key, {closure}, at)");
                self.function(&doc, &format!("delete_by_{name}"), &arguments, &body);
            }
        }
        let body = "TABLE.delete_partition(key, at)";
        self.function("Deletes a partition.", "delete_partition", &[], body);
    }
}
