//! The rules of a table.

use super::Checker;
use super::resolve::Outer;
use crate::ast::{self, Attribute, Member, Name, Order, PropertyKind, Role};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::model::{Column, Home, Native, Table, TableId, Type};
use crate::names;
use crate::options::{self, OptionKind, Options};
use crate::source::Span;
use crate::suggest::closest;

/// Numbers of columns are kept in 16 bits.
const NUMBERED_COLUMNS_MAX: usize = 65_535;

impl Checker {
    pub(super) fn table(&mut self, table: &ast::Table) {
        let name = &table.name;
        self.short_name(&name.keyspace, "a keyspace");
        self.short_name(&name.name, "a table");
        self.known_keyspace(&name.keyspace);
        let doc = self.doc(
            &table.margin,
            name.span(),
            &format!("the table `{}`", name.name.text),
        );
        let since = self.since(&table.attributes).unwrap_or(1);

        let mut columns = Vec::new();
        let mut properties: Vec<&ast::Property> = Vec::new();
        let mut blocks: Vec<&ast::Options> = Vec::new();
        for member in &table.block.members {
            match member {
                Member::Property(property) => {
                    let first = properties.iter().find(|other| other.kind == property.kind);
                    match first.map(|first| first.keyword) {
                        Some(first) => {
                            self.set_twice(property.kind.keyword(), first, property.keyword)
                        }
                        None => properties.push(property),
                    }
                }
                Member::Options(options) => match blocks.first().map(|first| first.keyword) {
                    Some(first) => self.set_twice("options", first, options.keyword),
                    None => blocks.push(options),
                },
                Member::Column(column) => columns.push(column),
            }
        }
        let property = |kind| {
            properties
                .iter()
                .find(|property| property.kind == kind)
                .map(|property| &property.value)
        };
        let home = match property(PropertyKind::Home) {
            // What could not be understood may have been the home.
            None if table.block.is_torn => Home::Local,
            written => self.home(written, name.span()),
        };
        let id = self.id(property(PropertyKind::Id), name);
        let partitioner = property(PropertyKind::Partitioner).map(|value| value.text.clone());
        let settings = blocks
            .first()
            .map(|options| options.block.members.as_slice())
            .unwrap_or_default();
        let options = options::check(settings, &mut self.diagnostics);
        if home == Home::Virtual {
            self.refuse_storage_options(settings);
        }

        let columns = self.columns(&name.keyspace.text, &columns, since);
        let is_torn = table.block.is_torn;
        let table = Table {
            keyspace: name.keyspace.text.clone(),
            name: name.name.text.clone(),
            doc,
            id,
            home,
            since,
            columns,
            options: Options { set: options.set },
            partitioner,
            span: name.span(),
        };
        if !is_torn {
            self.table_shape(&table);
        }
        self.table_among_others(table);
    }

    fn set_twice(&mut self, what: &str, first: Span, again: Span) {
        let diagnostic = Diagnostic::error(codes::S0105, again, format!("`{what}` is given twice"))
            .label("and again here")
            .also(first, "first here")
            .help("remove one of them");
        self.report(diagnostic);
    }

    fn home(&mut self, written: Option<&Name>, table: Span) -> Home {
        let all = Home::ALL
            .map(|home| format!("`{}`", home.keyword()))
            .join(", ");
        let Some(written) = written else {
            let diagnostic =
                Diagnostic::error(codes::S0202, table, "the table does not say where it lives")
                    .help(format!("add a line `home ...` with one of {all}"));
            self.report(diagnostic);
            return Home::Local;
        };
        match Home::ALL
            .into_iter()
            .find(|home| home.keyword() == written.text)
        {
            Some(home) => home,
            None => {
                let message = format!("there is no home `{}`", written.text);
                let diagnostic = Diagnostic::error(codes::S0206, written.span, message)
                    .did_you_mean(closest(&written.text, Home::ALL.map(Home::keyword)))
                    .help(format!("homes are {all}"));
                self.report(diagnostic);
                Home::Local
            }
        }
    }

    fn id(&mut self, written: Option<&Name>, name: &ast::QualifiedName) -> TableId {
        let rule = TableId::of(&name.keyspace.text, &name.name.text);
        let Some(written) = written else { return rule };
        TableId::parse(&written.text).unwrap_or_else(|| {
            let diagnostic = Diagnostic::error(codes::S0407, written.span, "an id is a UUID").help(
                format!("write `id {rule}`, or remove the line: that is the id by the common rule"),
            );
            self.report(diagnostic);
            rule
        })
    }

    fn refuse_storage_options(&mut self, settings: &[ast::Setting]) {
        for setting in settings {
            let stores = options::OPTIONS
                .iter()
                .find(|spec| spec.name == setting.name.text)
                .is_some_and(|spec| spec.kind != OptionKind::Text);
            if stores {
                let message = format!(
                    "a virtual table stores nothing, so `{}` means nothing",
                    setting.name.text
                );
                self.report(
                    Diagnostic::error(codes::S0203, setting.name.span, message)
                        .help("remove the option"),
                );
            }
        }
    }

    /// `@since(n)`, the only attribute there is.
    fn since(&mut self, attributes: &[Attribute]) -> Option<u32> {
        let mut since: Option<(u32, Span)> = None;
        for attribute in attributes {
            if attribute.name.text != "since" {
                let message = format!("there is no attribute `@{}`", attribute.name.text);
                let diagnostic = Diagnostic::error(codes::S0402, attribute.span, message)
                    .did_you_mean(closest(&attribute.name.text, ["since"]))
                    .help("the only attribute is `@since(n)`");
                self.report(diagnostic);
                continue;
            }
            let argument = attribute
                .argument
                .as_ref()
                .and_then(|argument| argument.text.parse::<u32>().ok());
            match (argument.filter(|version| *version > 0), since) {
                (Some(_), Some((_, first))) => self.set_twice("@since", first, attribute.span),
                (Some(version), None) => since = Some((version, attribute.span)),
                (None, _) => {
                    let diagnostic = Diagnostic::error(
                        codes::S0401,
                        attribute.span,
                        "`@since` takes a version from 1 on",
                    )
                    .help("write `@since(2)` for something that came with version 2");
                    self.report(diagnostic);
                }
            }
        }
        since.map(|(version, _)| version)
    }

    fn columns(
        &mut self,
        keyspace: &str,
        columns: &[&ast::Column],
        table_since: u32,
    ) -> Vec<Column> {
        let names: Vec<&Name> = columns.iter().map(|column| &column.name).collect();
        let (retired, live): (Vec<&ast::Column>, Vec<&ast::Column>) = columns
            .iter()
            .partition(|column| column.role == Role::Retired);
        let clash = |column: &ast::Column| {
            retired
                .iter()
                .find(|other| other.name.text == column.name.text)
        };
        let mut taken = Vec::new();
        for column in &live {
            if let Some(old) = clash(column) {
                taken.push(column.name.text.as_str());
                let message = format!(
                    "the name `{}` belongs to a retired column",
                    column.name.text
                );
                let diagnostic = Diagnostic::error(codes::S0403, column.name.span, message)
                    .label("used again here")
                    .also(old.name.span, "retired here")
                    .help("choose another name: old nodes and old files still know it with its old meaning");
                self.report(diagnostic);
            }
        }
        let names: Vec<&Name> = names
            .into_iter()
            .filter(|name| !taken.contains(&name.text.as_str()))
            .collect();
        self.distinct(codes::S0103, "the column", &names, names::snake);

        let mut checked: Vec<Column> = Vec::new();
        for column in columns {
            self.cql_name(&column.name, "a column");
            let ty = self.resolve(Some(keyspace), &column.ty, Outer::Column);
            let since = self.since(&column.attributes);
            self.column_rules(column, &ty, since, table_since);
            checked.push(Column {
                name: column.name.text.clone(),
                role: column.role,
                ty,
                optional: column.ty.optional.is_some(),
                order: column.order.map(|(order, _)| order).unwrap_or_default(),
                since: since.unwrap_or(table_since),
                number: None,
                doc: column.margin.doc(),
                span: column.name.span,
            });
        }
        number(&mut checked);
        checked
    }

    fn column_rules(
        &mut self,
        column: &ast::Column,
        ty: &Type,
        since: Option<u32>,
        table_since: u32,
    ) {
        let name = &column.name.text;
        if let Some((_, span)) = column.order
            && column.role != Role::Clustering
        {
            let message =
                format!("`{name}` has a direction, but only clustering columns are ordered");
            self.report(Diagnostic::error(codes::S0211, span, message).help("remove it"));
        }
        match (column.role.is_key(), column.ty.optional) {
            (true, Some(mark)) => {
                let message = format!("`{name}` is part of the key and can never be absent");
                self.report(Diagnostic::error(codes::S0209, mark, message).help("remove the `?`"));
            }
            (false, Some(mark)) if ty.is_multi_cell() => {
                let message =
                    format!("`{name}` is a collection of cells: it is never absent, only empty");
                let diagnostic = Diagnostic::error(codes::S0213, mark, message).help(
                    "remove the `?`, or freeze the type if absent and empty are different things",
                );
                self.report(diagnostic);
            }
            (true | false, _) => {}
        }
        if column.role.is_key() {
            let cause = match ty {
                ty if ty.is_multi_cell() => {
                    Some(("is stored as many cells", "freeze it: `frozen<...>`"))
                }
                Type::Native(Native::Counter) => Some(("is a counter", "use `bigint`")),
                Type::Native(Native::Duration) => {
                    Some(("is a duration, which has no order", "use `bigint`"))
                }
                _ => None,
            };
            if let Some((cause, cure)) = cause {
                let message = format!("`{name}` cannot be part of the key: it {cause}");
                self.report(Diagnostic::error(codes::S0210, column.ty.span, message).help(cure));
            }
        }
        let Some(since) = since else { return };
        let span = column
            .attributes
            .first()
            .map_or(column.name.span, |attribute| attribute.span);
        if since < table_since {
            let message =
                format!("`{name}` is older than its table, which came with version {table_since}");
            self.report(Diagnostic::error(codes::S0408, span, message).help("remove the `@since`"));
        } else if column.role.is_key() && since > table_since {
            let message = format!(
                "`{name}` is part of the key, which cannot change after version {table_since}"
            );
            let diagnostic = Diagnostic::error(codes::S0406, span, message)
                .help("declare a new table with the new key, and retire this one");
            self.report(diagnostic);
        }
    }

    /// Rules that need all columns.
    fn table_shape(&mut self, table: &Table) {
        if !table.has(Role::Partition) {
            let diagnostic =
                Diagnostic::error(codes::S0201, table.span, "the table has no partition key")
                    .help("add a line `partition name type`");
            self.report(diagnostic);
        }
        if !table.has(Role::Clustering)
            && let Some(column) = table.with_role(Role::Static).next()
        {
            let message = format!(
                "`{}` is static, but each partition has one row only",
                column.name
            );
            let diagnostic = Diagnostic::error(codes::S0205, column.span, message).help(format!(
                "write `column {} ...`, or add a clustering column",
                column.name
            ));
            self.report(diagnostic);
        }
        let is_counter = |column: &&Column| column.ty == Type::Native(Native::Counter);
        let counters = table
            .columns
            .iter()
            .filter(|column| !column.role.is_key() && column.role != Role::Retired);
        let (counters, others): (Vec<&Column>, Vec<&Column>) = counters.partition(is_counter);
        if let (Some(counter), Some(other)) = (counters.first(), others.first()) {
            let message = "a table with counters has nothing but counters beside its key";
            let diagnostic = Diagnostic::error(codes::S0215, counter.span, message)
                .label("a counter")
                .also(other.span, "not a counter")
                .help("move the counters to a table of their own");
            self.report(diagnostic);
        }
        let numbered = table
            .columns
            .iter()
            .filter(|column| !column.role.is_key())
            .count();
        if numbered > NUMBERED_COLUMNS_MAX {
            let message = format!(
                "the table has more than {NUMBERED_COLUMNS_MAX} columns, retired ones included"
            );
            self.report(
                Diagnostic::error(codes::S0216, table.span, message).help("split the table"),
            );
        }
    }

    /// Rules that need the tables before.
    fn table_among_others(&mut self, table: Table) {
        let same_name =
            |keyspace: &str, name: &str| table.keyspace == keyspace && table.name == name;
        let retired = self
            .model
            .retired_tables
            .iter()
            .find(|old| same_name(&old.keyspace, &old.name));
        let first = self
            .model
            .tables
            .iter()
            .find(|other| same_name(&other.keyspace, &other.name));
        let same_id = self.model.tables.iter().find(|other| other.id == table.id);
        let rust_name = (names::snake(&table.keyspace), names::snake(&table.name));
        let same_rust = self
            .rust_names
            .get(&rust_name)
            .and_then(|place| self.model.tables.get(*place));
        let full = table.full_name();
        let (code, message, place, remark, cure) = if let Some(retired) = retired {
            let message = format!("the name `{full}` belongs to a retired table");
            (
                codes::S0405,
                message,
                retired.span,
                "retired here",
                "choose another name",
            )
        } else if let Some(first) = first {
            let message = format!("the table `{full}` is declared twice");
            (
                codes::S0101,
                message,
                first.span,
                "first here",
                "remove one of them, or rename it",
            )
        } else if let Some(other) = same_id {
            let message = format!(
                "`{full}` has the id of `{}`, {}",
                other.full_name(),
                table.id
            );
            (
                codes::S0109,
                message,
                other.span,
                "the other table",
                "give one of them another `id`",
            )
        } else if let Some(other) = same_rust {
            let message = format!(
                "`{}` and `{full}` have the same name in Rust",
                other.full_name()
            );
            (
                codes::S0108,
                message,
                other.span,
                "the other table",
                "rename one of them",
            )
        } else {
            self.rust_names.insert(rust_name, self.model.tables.len());
            self.model.tables.push(table);
            return;
        };
        self.report(
            Diagnostic::error(code, table.span, message)
                .also(place, remark)
                .help(cure),
        );
    }
}

/// Gives columns outside the key their numbers: by version, then by place in the text.
fn number(columns: &mut [Column]) {
    let mut numbered: Vec<&mut Column> = columns
        .iter_mut()
        .filter(|column| !column.role.is_key())
        .collect();
    numbered.sort_by_key(|column| column.since);
    for (column, number) in numbered.into_iter().zip(0_u16..) {
        column.number = Some(number);
    }
}

/// The words for a direction.
pub(crate) fn order_word(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}
