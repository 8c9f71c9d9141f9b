//! The module of a table: its declaration, its structs, its writers and its readers.

use super::rust_types::{Default, RustType, derives};
use super::values::documented;
use super::writer::Writer;
use super::{readers, writers};
use crate::ast::{Order, Role};
use crate::model::{Column, Home, Model, Table, Type};
use crate::names;
use crate::options::OptionValue;

pub(super) fn module(model: &Model, table: &Table, out: &mut Writer) {
    let described = TableCode { model, table };
    documented(
        &table.doc,
        &format!("The table `{}`.", table.full_name()),
        out,
    );
    out.open(&format!("pub mod {}", names::snake(&table.name)));
    out.line("use crate::prelude::*;");
    if described.uses_declared_types() {
        out.line("use super::super::types::*;");
    }
    out.blank();
    described.declaration(out);
    described.structs(out);
    writers::functions(&described, out);
    // Nothing is stored in a virtual table: its rows are written when a client reads them.
    if table.home != Home::Virtual {
        readers::functions(&described, out);
    }
    out.close();
}

/// The Rust marker type of a home.
pub(super) fn home_type(home: Home) -> &'static str {
    match home {
        Home::Local => "Local",
        Home::ShardLocal => "ShardLocal",
        Home::Group0 => "Group0",
        Home::Distributed => "Distributed",
        Home::Virtual => "Virtual",
    }
}

/// One table on its way into code.
pub(super) struct TableCode<'a> {
    pub(super) model: &'a Model,
    pub(super) table: &'a Table,
}

impl<'a> TableCode<'a> {
    pub(super) fn columns(&self, role: Role) -> Vec<&'a Column> {
        self.table.with_role(role).collect()
    }

    pub(super) fn has_clustering(&self) -> bool {
        self.table.has(Role::Clustering)
    }

    pub(super) fn has_statics(&self) -> bool {
        self.table.has(Role::Static)
    }

    fn rust_type(&self, column: &Column) -> RustType {
        RustType::of(self.model, &column.ty).optional(column.optional)
    }

    fn uses_declared_types(&self) -> bool {
        let mut found = false;
        for column in self
            .table
            .columns
            .iter()
            .filter(|column| column.role != Role::Retired)
        {
            column.ty.walk(&mut |ty| {
                found |= matches!(ty, Type::Record(_) | Type::Enum(_) | Type::User { .. });
            });
        }
        found
    }

    fn declaration(&self, out: &mut Writer) {
        let table = self.table;
        let home = home_type(table.home);
        out.open_with("const COLUMNS: &[ColumnDeclaration] = &", "[");
        for role in Role::ALL {
            for column in table.with_role(role) {
                out.line(&self.column_declaration(column));
            }
        }
        out.close_with("];");
        out.blank();
        out.doc(&format!(
            "The table `{}`: its schema, its id, its home.",
            table.full_name()
        ));
        out.open_with(
            &format!("pub static TABLE: Table<{home}> = Table::new(TableDeclaration"),
            "{",
        );
        out.line(&format!("keyspace: {:?},", table.keyspace));
        out.line(&format!("name: {:?},", table.name));
        out.line(&format!("id: Uuid::from_u128(0x{:032x}),", table.id.0));
        let comment = table.options.text("comment").unwrap_or(&table.doc);
        out.line(&format!("comment: {comment:?},"));
        out.line(&format!("since: {},", table.since));
        for name in ["gc_grace", "default_ttl"] {
            let value = table.options.number(name);
            let value = value.map_or("None".to_owned(), |seconds| format!("Some({seconds})"));
            out.line(&format!("{name}_s: {value},"));
        }
        let caching = match table.options.get("caching") {
            Some(OptionValue::Map(entries)) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("({key:?}, {value:?})"))
                    .collect();
                format!("&[{}]", entries.join(", "))
            }
            Some(OptionValue::Number(_) | OptionValue::Text(_)) | None => "&[]".to_owned(),
        };
        out.line(&format!("caching: {caching},"));
        out.line(&format!("partitioner: {:?},", table.partitioner));
        out.line("user_types: &super::super::USER_TYPES,");
        out.line("columns: COLUMNS,");
        out.close_with("});");
    }

    fn column_declaration(&self, column: &Column) -> String {
        let (name, ty) = (&column.name, self.model.cql_type(&column.ty));
        let number = column.number.unwrap_or(0);
        match column.role {
            Role::Partition => format!("ColumnDeclaration::partition({name:?}, {ty:?}),"),
            Role::Clustering => {
                let order = match column.order {
                    Order::Ascending => "Asc",
                    Order::Descending => "Desc",
                };
                format!("ColumnDeclaration::clustering({name:?}, {ty:?}, ComponentOrder::{order}),")
            }
            Role::Static => format!("ColumnDeclaration::of_partition({number}, {name:?}, {ty:?}),"),
            Role::Regular => format!("ColumnDeclaration::of_row({number}, {name:?}, {ty:?}),"),
            Role::Retired => format!("ColumnDeclaration::retired({number}, {name:?}, {ty:?}),"),
        }
    }

    fn structs(&self, out: &mut Writer) {
        let partition = self.columns(Role::Partition);
        let clustering = self.columns(Role::Clustering);
        let statics = self.columns(Role::Static);
        let regular = self.columns(Role::Regular);

        out.blank();
        self.record("Key", "The partition key.", &partition, Default::Never, out);
        self.key_columns("Key", &partition, out);
        if self.has_clustering() {
            out.blank();
            self.record(
                "Clustering",
                "The place of a row in its partition.",
                &clustering,
                Default::Never,
                out,
            );
            self.key_columns("Clustering", &clustering, out);
        }
        if self.has_statics() {
            out.blank();
            self.record(
                "Static",
                "What all rows of a partition share.",
                &statics,
                wish(&statics),
                out,
            );
            self.methods("Static", &[], &statics, out);
            out.blank();
            out.open("impl StaticCells for Static");
            self.write_cells(&statics, out);
            out.blank();
            let body = self.read_body(&[], &statics);
            out.function(
                "fn read",
                &["cells: &CellReader<'_>".to_owned()],
                "Result<Self, TableError>",
                &body,
            );
            out.close();
        }
        out.blank();
        let all: Vec<&Column> = clustering.iter().chain(&regular).copied().collect();
        let what = if self.has_clustering() {
            "A row."
        } else {
            "The row of a partition."
        };
        self.record("Row", what, &all, wish(&all), out);
        self.methods("Row", &clustering, &regular, out);
        out.blank();
        out.open("impl RowCells for Row");
        let writes: Vec<String> = clustering
            .iter()
            .map(|column| format!("out.column(&self.{});", names::snake(&column.name)))
            .collect();
        let out_name = if writes.is_empty() { "_out" } else { "out" };
        let arguments = [
            "&self".to_owned(),
            format!("{out_name}: &mut KeyWriter<'_>"),
        ];
        out.function("fn write_clustering", &arguments, "", &writes.join("\n"));
        out.blank();
        self.write_cells(&regular, out);
        out.blank();
        let key_name = if clustering.is_empty() { "_key" } else { "key" };
        let cells_name = if regular.is_empty() {
            "_cells"
        } else {
            "cells"
        };
        let arguments = [
            format!("{key_name}: &mut KeyReader<'_>"),
            format!("{cells_name}: &CellReader<'_>"),
        ];
        let body = self.read_body(&clustering, &regular);
        out.function("fn read", &arguments, "Result<Self, TableError>", &body);
        out.close();
    }

    fn record(&self, name: &str, doc: &str, columns: &[&Column], wish: Default, out: &mut Writer) {
        let types: Vec<RustType> = columns
            .iter()
            .map(|column| self.rust_type(column))
            .collect();
        out.doc(&format!("{doc} See [`TABLE`]."));
        out.line(&derives(&types, wish));
        if columns.is_empty() {
            out.line(&format!("pub struct {name} {{}}"));
            return;
        }
        out.open(&format!("pub struct {name}"));
        for (column, ty) in columns.iter().zip(&types) {
            let cql = self.model.cql_type(&column.ty);
            documented(
                &column.doc,
                &format!("The column `{} {cql}`.", column.name),
                out,
            );
            out.line(&format!("pub {}: {},", names::snake(&column.name), ty.text));
        }
        out.close();
    }

    fn key_columns(&self, name: &str, columns: &[&Column], out: &mut Writer) {
        out.blank();
        out.open(&format!("impl KeyColumns for {name}"));
        let writes: Vec<String> = columns
            .iter()
            .map(|column| format!("out.column(&self.{});", names::snake(&column.name)))
            .collect();
        out.function(
            "fn write",
            &["&self".to_owned(), "out: &mut KeyWriter<'_>".to_owned()],
            "",
            &writes.join("\n"),
        );
        out.blank();
        let body = self.read_body(columns, &[]);
        out.function(
            "fn read",
            &["key: &mut KeyReader<'_>".to_owned()],
            "Result<Self, TableError>",
            &body,
        );
        out.close();
    }

    /// `new` with the mandatory columns, if that saves writing, and where a row is in its partition.
    fn methods(&self, name: &str, clustering: &[&Column], cells: &[&Column], out: &mut Writer) {
        const ARGUMENTS_MAX: usize = 7;
        let all: Vec<&Column> = clustering.iter().chain(cells).copied().collect();
        let is_mandatory = |column: &&&Column| !column.optional && !column.ty.is_multi_cell();
        let mandatory: Vec<&&Column> = all.iter().filter(is_mandatory).collect();
        let with_new = !mandatory.is_empty()
            && mandatory.len() < all.len()
            && mandatory.len() <= ARGUMENTS_MAX;
        if !with_new && clustering.is_empty() {
            return;
        }
        out.blank();
        out.open(&format!("impl {name}"));
        if with_new {
            out.doc("The mandatory values; all others are absent or empty.");
            out.line("#[must_use]");
            let arguments: Vec<String> = mandatory
                .iter()
                .map(|column| {
                    format!(
                        "{}: {}",
                        names::snake(&column.name),
                        self.rust_type(column).text
                    )
                })
                .collect();
            let mut body = vec!["Self {".to_owned()];
            for column in &all {
                let name = names::snake(&column.name);
                body.push(match column_form(column) {
                    ColumnForm::Value => format!("    {name},"),
                    ColumnForm::Optional => format!("    {name}: None,"),
                    ColumnForm::Set => format!("    {name}: BTreeSet::new(),"),
                    ColumnForm::Map => format!("    {name}: BTreeMap::new(),"),
                });
            }
            body.push("}".to_owned());
            out.function("pub fn new", &arguments, "Self", &body.join("\n"));
        }
        if !clustering.is_empty() {
            if with_new {
                out.blank();
            }
            out.doc("Its place in the partition.");
            out.line("#[must_use]");
            let fields: Vec<String> = clustering
                .iter()
                .map(|column| {
                    let name = names::snake(&column.name);
                    let clone = if self.rust_type(column).argument().1 == "&" {
                        ""
                    } else {
                        ".clone()"
                    };
                    format!("    {name}: self.{name}{clone},")
                })
                .collect();
            let body = format!("Clustering {{\n{}\n}}", fields.join("\n"));
            out.function(
                "pub fn clustering",
                &["&self".to_owned()],
                "Clustering",
                &body,
            );
        }
        out.close();
    }

    fn write_cells(&self, columns: &[&Column], out: &mut Writer) {
        let writes: Vec<String> = columns
            .iter()
            .map(|column| {
                let (name, number) = (names::snake(&column.name), column.number.unwrap_or(0));
                match column_form(column) {
                    ColumnForm::Value => format!("cells.value({number}, &self.{name});"),
                    ColumnForm::Optional => {
                        format!("cells.optional({number}, self.{name}.as_ref());")
                    }
                    ColumnForm::Set => format!("cells.set({number}, &self.{name});"),
                    ColumnForm::Map => format!("cells.map({number}, &self.{name});"),
                }
            })
            .collect();
        let name = if writes.is_empty() { "_cells" } else { "cells" };
        let arguments = ["&self".to_owned(), format!("{name}: &mut CellWriter<'_>")];
        out.function("fn write", &arguments, "", &writes.join("\n"));
    }

    /// `Ok(Self { ... })`
    fn read_body(&self, key: &[&Column], cells: &[&Column]) -> String {
        if key.is_empty() && cells.is_empty() {
            return "Ok(Self {})".to_owned();
        }
        let mut body = vec!["Ok(Self {".to_owned()];
        body.extend(
            key.iter()
                .map(|column| format!("    {}: key.column()?,", names::snake(&column.name))),
        );
        body.extend(cells.iter().map(|column| {
            let method = match column_form(column) {
                ColumnForm::Value => "value",
                ColumnForm::Optional => "optional",
                ColumnForm::Set => "set",
                ColumnForm::Map => "map",
            };
            format!(
                "    {}: cells.{method}({})?,",
                names::snake(&column.name),
                column.number.unwrap_or(0)
            )
        }));
        body.push("})".to_owned());
        body.join("\n")
    }
}

/// Only where nothing is mandatory an empty value means something.
fn wish(columns: &[&Column]) -> Default {
    match columns
        .iter()
        .any(|column| column_form(column) == ColumnForm::Value)
    {
        true => Default::Never,
        false => Default::IfPossible,
    }
}

/// How a column is written and read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnForm {
    Value,
    Optional,
    Set,
    Map,
}

pub(super) fn column_form(column: &Column) -> ColumnForm {
    match &column.ty {
        Type::Set(..) if column.ty.is_multi_cell() => ColumnForm::Set,
        Type::Map(..) if column.ty.is_multi_cell() => ColumnForm::Map,
        _ if column.optional => ColumnForm::Optional,
        _ => ColumnForm::Value,
    }
}
