//! The notation of the golden scripts.
#![expect(
    clippy::unwrap_used,
    reason = "a script that cannot be read fails its test"
)]

use cql_schema::{
    AlterKeyspace, AlterTable, AlterTableAction, AlterType, AlterTypeAction, Change,
    ColumnDefinition, CreateKeyspace, CreateTable, CreateType, Diff, DropKeyspace, DropTable,
    DropType, Internals, Properties, PropertyValue,
};
use cql_types::ComponentOrder;

/// One command of a script.
pub(crate) enum Command {
    /// `data centers a, b`
    DataCenters(Vec<String>),
    /// `describe ks`
    DescribeKeyspace(String),
    /// `describe ks.t [internals]`
    DescribeTable(String, String, Internals),
    /// `columns ks.t`
    Columns(String, String),
    /// A schema change: the words of the CQL statement up to its name and `if [not] exists`, then one
    /// indented line for each `column`, `field`, key, order, name, `a -> b` or `property = value`.
    Change(Change),
}

impl Command {
    /// Reads the lines of a command.
    pub(crate) fn read(lines: &[&str]) -> Self {
        let (head, args) = lines.split_first().unwrap();
        let args: Vec<&str> = args.iter().map(|line| line.trim()).collect();
        let if_not_exists = head.ends_with(" if not exists");
        let if_exists = head.ends_with(" if exists");
        let head = head
            .trim_end_matches(" if not exists")
            .trim_end_matches(" if exists");
        let words: Vec<&str> = head.split(' ').collect();
        let ks = |path: &str| path.split_once('.').unwrap().0.to_owned();
        let name = |path: &str| path.split_once('.').unwrap().1.to_owned();
        let change = match words.as_slice() {
            ["data", "centers", ..] => {
                return Self::DataCenters(list(head.trim_start_matches("data centers ")));
            }
            ["describe", path, rest @ ..] => {
                let internals = if rest.is_empty() {
                    Internals::Hide
                } else {
                    Internals::Show
                };
                return match path.contains('.') {
                    true => Self::DescribeTable(ks(path), name(path), internals),
                    false => Self::DescribeKeyspace((*path).to_owned()),
                };
            }
            ["columns", path] => return Self::Columns(ks(path), name(path)),
            ["create", "keyspace", name] => Change::CreateKeyspace(CreateKeyspace {
                name: (*name).to_owned(),
                properties: properties(&args),
                if_not_exists,
            }),
            ["alter", "keyspace", name] => Change::AlterKeyspace(AlterKeyspace {
                name: (*name).to_owned(),
                properties: properties(&args),
                if_exists,
            }),
            ["drop", "keyspace", name] => Change::DropKeyspace(DropKeyspace {
                name: (*name).to_owned(),
                if_exists,
            }),
            ["create", "table", path] => {
                Change::CreateTable(create_table(ks(path), name(path), &args, if_not_exists))
            }
            ["alter", "table", path, action] => Change::AlterTable(AlterTable {
                keyspace: ks(path),
                name: name(path),
                if_exists: false,
                action: alter_table(action, &args, if_exists || if_not_exists),
            }),
            ["alter", "table", "if", "exists", path, action] => Change::AlterTable(AlterTable {
                keyspace: ks(path),
                name: name(path),
                if_exists: true,
                action: alter_table(action, &args, false),
            }),
            ["drop", "table", path] => Change::DropTable(DropTable {
                keyspace: ks(path),
                name: name(path),
                if_exists,
            }),
            ["create", "type", path] => Change::CreateType(CreateType {
                keyspace: ks(path),
                name: name(path),
                fields: args.iter().map(|line| field(line)).collect(),
                if_not_exists,
            }),
            ["alter", "type", path, action] => Change::AlterType(AlterType {
                keyspace: ks(path),
                name: name(path),
                if_exists: false,
                action: alter_type(action, &args, if_exists || if_not_exists),
            }),
            ["drop", "type", path] => Change::DropType(DropType {
                keyspace: ks(path),
                name: name(path),
                if_exists,
            }),
            _ => panic!("unknown command: {head}"),
        };
        Self::Change(change)
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_owned()).collect()
}

fn pair(line: &str) -> (String, String) {
    let (from, to) = line.split_once(" -> ").unwrap();
    (from.to_owned(), to.to_owned())
}

fn field(line: &str) -> (String, String) {
    let (name, ty) = line.trim_start_matches("field ").split_once(' ').unwrap();
    (name.to_owned(), ty.to_owned())
}

fn column(line: &str) -> ColumnDefinition {
    let (name, ty) = line.trim_start_matches("column ").split_once(' ').unwrap();
    ColumnDefinition {
        name: name.to_owned(),
        ty: ty.trim_end_matches(" static").to_owned(),
        is_static: ty.ends_with(" static"),
    }
}

fn create_table(keyspace: String, name: String, args: &[&str], if_not_exists: bool) -> CreateTable {
    let mut create = CreateTable {
        keyspace,
        name,
        if_not_exists,
        ..CreateTable::default()
    };
    for line in args {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("column", _) => create.columns.push(column(line)),
            ("partition", names) => create.partition_key = list(names),
            ("clustering", names) => create.clustering = list(names),
            ("order", orders) => {
                create.clustering_order = list(orders)
                    .iter()
                    .map(|order| match order.split_once(' ').unwrap() {
                        (name, "desc") => (name.to_owned(), ComponentOrder::Desc),
                        (name, _) => (name.to_owned(), ComponentOrder::Asc),
                    })
                    .collect();
            }
            _ => create.properties.push(property(line)),
        }
    }
    create
}

fn alter_table(action: &str, args: &[&str], tolerant: bool) -> AlterTableAction {
    match action {
        "add" => AlterTableAction::Add {
            columns: args.iter().map(|line| column(line)).collect(),
            if_not_exists: tolerant,
        },
        "drop" => AlterTableAction::Drop {
            columns: args.iter().map(|line| (*line).to_owned()).collect(),
            if_exists: tolerant,
            timestamp: None,
        },
        "rename" => AlterTableAction::Rename {
            columns: args.iter().map(|line| pair(line)).collect(),
            if_exists: tolerant,
        },
        "alter" => AlterTableAction::AlterType {
            column: args.concat(),
        },
        "with" => AlterTableAction::With {
            properties: properties(args),
        },
        _ => panic!("unknown action {action}"),
    }
}

fn alter_type(action: &str, args: &[&str], tolerant: bool) -> AlterTypeAction {
    match action {
        "add" => {
            let (field, ty) = field(args.first().unwrap());
            AlterTypeAction::Add {
                field,
                ty,
                if_not_exists: tolerant,
            }
        }
        "rename" => AlterTypeAction::Rename {
            fields: args.iter().map(|line| pair(line)).collect(),
            if_exists: tolerant,
        },
        "alter" => AlterTypeAction::AlterType {
            field: args.concat(),
        },
        _ => panic!("unknown action {action}"),
    }
}

fn properties(args: &[&str]) -> Properties {
    args.iter().map(|line| property(line)).collect()
}

fn property(line: &str) -> (String, PropertyValue) {
    let (name, value) = line.split_once(" =").unwrap();
    let value = value.trim();
    let value = match value
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    {
        Some("") => PropertyValue::Map(Vec::new()),
        Some(pairs) => PropertyValue::Map(
            list(pairs)
                .iter()
                .map(|pair| {
                    let (key, value) = pair.split_once(':').unwrap();
                    (key.trim().to_owned(), value.trim().to_owned())
                })
                .collect(),
        ),
        None => PropertyValue::Literal(value.to_owned()),
    };
    (name.to_owned(), value)
}

/// One object before and after, as a line.
pub(crate) fn diff<T>(what: &str, diff: &Diff<T>, show: impl Fn(&T) -> String) -> String {
    match diff {
        Diff::Created(after) => format!("created {what} {}", show(after)),
        Diff::Updated { after, .. } => format!("updated {what} {}", show(after)),
        Diff::Dropped(before) => format!("dropped {what} {}", show(before)),
    }
}
