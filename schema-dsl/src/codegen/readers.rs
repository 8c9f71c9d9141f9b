//! The functions of a table that read.

use super::prefixes::{PrefixCode, prefixes};
use super::table::TableCode;
use super::writer::Writer;

pub(super) fn functions(code: &TableCode<'_>, out: &mut Writer) {
    let mut readers = Readers { out };
    match code.has_clustering() {
        true => readers.partitions(code),
        false => readers.single_rows(),
    }
}

/// How a function gets at the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// All at once.
    Eager,
    /// One by one, borrowing from the reader.
    Lazy,
}

struct Readers<'w> {
    out: &'w mut Writer,
}

impl Readers<'_> {
    /// A function of the reader and some arguments.
    fn function(
        &mut self,
        reading: Reading,
        (doc, name): (&str, &str),
        arguments: &[String],
        (result, body): (&str, &str),
    ) {
        self.out.blank();
        self.out.doc(doc);
        let (lifetime, borrow) = match reading {
            Reading::Lazy => ("<'r>", "&'r "),
            Reading::Eager => {
                self.out.doc("");
                self.out.doc("# Errors");
                self.out
                    .doc("[`TableError`] if the store cannot be read or holds what it must not.");
                ("", "&")
            }
        };
        let mut all = vec![format!("reader: {borrow}(impl TableReader + ?Sized)")];
        all.extend_from_slice(arguments);
        self.out
            .function(&format!("pub fn {name}{lifetime}"), &all, result, body);
    }

    fn single_rows(&mut self) {
        self.function(
            Reading::Eager,
            (
                "Reads the row of a partition; none if there is no such row.",
                "read",
            ),
            &["key: &Key".to_owned()],
            (
                "Result<Option<Row>, TableError>",
                "TABLE.read_row(reader, key, &NoClustering)",
            ),
        );
        self.function(
            Reading::Eager,
            (
                "Reads all rows, in the order of the tokens of their keys.",
                "scan",
            ),
            &[],
            (
                "Result<Vec<(Key, Row)>, TableError>",
                "TABLE.scan_rows(reader)",
            ),
        );
    }

    fn partitions(&mut self, code: &TableCode<'_>) {
        let key = "key: &Key".to_owned();
        let only_key = [key.clone()];
        if code.has_statics() {
            self.function(
                Reading::Eager,
                (
                    "Reads a partition; none if there is no such partition.",
                    "read",
                ),
                &only_key,
                (
                    "Result<Option<(Static, Vec<Row>)>, TableError>",
                    "TABLE.read_partition(reader, key)",
                ),
            );
            self.function(
                Reading::Eager,
                (
                    "Reads what the rows of a partition share; none if there is no such partition.",
                    "read_static",
                ),
                &only_key,
                (
                    "Result<Option<Static>, TableError>",
                    "TABLE.read_static(reader, key)",
                ),
            );
        } else {
            self.function(
                Reading::Eager,
                (
                    "Reads the rows of a partition; none if there is no such partition.",
                    "read",
                ),
                &only_key,
                (
                    "Result<Vec<Row>, TableError>",
                    "TABLE.read_rows(reader, key)",
                ),
            );
        }
        self.function(
            Reading::Eager,
            ("Reads a row; none if there is no such row.", "read_row"),
            &[key.clone(), "clustering: &Clustering".to_owned()],
            (
                "Result<Option<Row>, TableError>",
                "TABLE.read_row(reader, key, clustering)",
            ),
        );
        self.function(
            Reading::Lazy,
            ("The rows of a range, in the order of their places.", "rows"),
            &[
                key.clone(),
                "range: impl RangeBounds<Clustering>".to_owned(),
            ],
            ("Rows<'r, Row>", "TABLE.rows(reader, key, &range)"),
        );
        for PrefixCode {
            name,
            words,
            mut arguments,
            closure,
        } in prefixes(code)
        {
            arguments.insert(0, key.clone());
            self.function(
                Reading::Lazy,
                (
                    &format!("The rows of one {words}, in the order of their places."),
                    &format!("rows_by_{name}"),
                ),
                &arguments,
                (
                    "Rows<'r, Row>",
                    &format!("TABLE.rows_by_prefix(reader, key, {closure})"),
                ),
            );
        }
        let statics = if code.has_statics() { "Static" } else { "()" };
        self.function(
            Reading::Eager,
            (
                "Reads all partitions, in the order of the tokens of their keys.",
                "scan",
            ),
            &[],
            (
                &format!("Result<Vec<Partition<Key, {statics}, Row>>, TableError>"),
                "TABLE.scan(reader)",
            ),
        );
    }
}
