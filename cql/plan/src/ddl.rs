//! Schema statements: from the AST to a [`Change`].
//!
//! Types and option values go over as CQL text: what they mean depends on the schema at the moment of the change, which
//! only the state machine knows.

use cql_schema::{
    AlterKeyspace, AlterTable, AlterTableAction, AlterType, AlterTypeAction, Change,
    ColumnDefinition, CreateKeyspace, CreateTable, CreateType, DropKeyspace, DropTable, DropType,
    Properties, PropertyValue,
};
use cql_syntax as ast;
use cql_types::ComponentOrder;

use crate::error::PlanError;
use crate::resolve::Scope;

/// The change that a schema statement asks for, or `None` if the statement is none.
pub(crate) fn plan(
    statement: &ast::StatementKind,
    scope: &Scope<'_>,
) -> Result<Option<Change>, PlanError> {
    use ast::StatementKind as Kind;
    let change = match statement {
        Kind::CreateKeyspace(create) => Change::CreateKeyspace(CreateKeyspace {
            name: create.name.as_str().to_owned(),
            properties: properties(&create.options),
            if_not_exists: create.if_not_exists,
        }),
        Kind::AlterKeyspace(alter) => Change::AlterKeyspace(AlterKeyspace {
            name: alter.name.as_str().to_owned(),
            properties: properties(&alter.options),
            if_exists: alter.if_exists,
        }),
        Kind::DropKeyspace(drop) => Change::DropKeyspace(DropKeyspace {
            name: drop.name.as_str().to_owned(),
            if_exists: drop.if_exists,
        }),
        Kind::CreateTable(create) => Change::CreateTable(create_table(create, scope)?),
        Kind::AlterTable(alter) => Change::AlterTable(alter_table(alter, scope)?),
        Kind::DropTable(drop) => Change::DropTable(DropTable {
            keyspace: scope.keyspace_of(&drop.name)?,
            name: drop.name.name.as_str().to_owned(),
            if_exists: drop.if_exists,
        }),
        Kind::CreateType(create) => Change::CreateType(CreateType {
            keyspace: scope.keyspace_of(&create.name)?,
            name: create.name.name.as_str().to_owned(),
            fields: create
                .fields
                .iter()
                .map(|(name, ty)| (name.as_str().to_owned(), ty.to_string()))
                .collect(),
            if_not_exists: create.if_not_exists,
        }),
        Kind::AlterType(alter) => Change::AlterType(AlterType {
            keyspace: scope.keyspace_of(&alter.name)?,
            name: alter.name.name.as_str().to_owned(),
            if_exists: alter.if_exists,
            action: match &alter.action {
                ast::AlterTypeAction::Add {
                    if_not_exists,
                    field,
                    ty,
                } => AlterTypeAction::Add {
                    field: field.as_str().to_owned(),
                    ty: ty.to_string(),
                    if_not_exists: *if_not_exists,
                },
                ast::AlterTypeAction::Rename { if_exists, names } => AlterTypeAction::Rename {
                    fields: pairs(names),
                    if_exists: *if_exists,
                },
                ast::AlterTypeAction::AlterField { field, .. } => AlterTypeAction::AlterType {
                    field: field.as_str().to_owned(),
                },
            },
        }),
        Kind::DropType(drop) => Change::DropType(DropType {
            keyspace: scope.keyspace_of(&drop.name)?,
            name: drop.name.name.as_str().to_owned(),
            if_exists: drop.if_exists,
        }),
        _ => return Ok(None),
    };
    Ok(Some(change))
}

fn create_table(create: &ast::CreateTable, scope: &Scope<'_>) -> Result<CreateTable, PlanError> {
    let mut table = CreateTable {
        keyspace: scope.keyspace_of(&create.name)?,
        name: create.name.name.as_str().to_owned(),
        columns: columns(&create.columns),
        if_not_exists: create.if_not_exists,
        ..CreateTable::default()
    };
    let inline: Vec<&ast::ColumnDefinition> = create
        .columns
        .iter()
        .filter(|column| column.primary_key.is_some())
        .collect();
    match (inline.as_slice(), create.primary_keys.as_slice()) {
        ([column], []) => table.partition_key.push(column.name.as_str().to_owned()),
        ([], [key]) => {
            table.partition_key = key.partition.iter().map(owned).collect();
            table.clustering = key.clustering.iter().map(owned).collect();
        }
        ([], []) => {
            return Err(
                PlanError::invalid("No PRIMARY KEY specifed (exactly one required)")
                    .at(create.name.span())
                    .help("add PRIMARY KEY (column, ...) behind the columns"),
            );
        }
        (inline, keys) => {
            let second = match (inline, keys) {
                ([_, second, ..], _) => second.name.span,
                (_, [.., last]) => last.span,
                _ => create.name.span(),
            };
            return Err(PlanError::invalid(
                "Multiple PRIMARY KEYs specifed (exactly one required)",
            )
            .at(second));
        }
    }
    options(&create.options, &mut table.properties, |orders| {
        table.clustering_order = orders;
    })?;
    Ok(table)
}

fn alter_table(alter: &ast::AlterTable, scope: &Scope<'_>) -> Result<AlterTable, PlanError> {
    let action = match &alter.action {
        ast::AlterTableAction::Add {
            if_not_exists,
            columns: added,
        } => AlterTableAction::Add {
            columns: columns(added),
            if_not_exists: *if_not_exists,
        },
        ast::AlterTableAction::Drop {
            if_exists,
            columns,
            timestamp,
        } => AlterTableAction::Drop {
            columns: columns.iter().map(owned).collect(),
            if_exists: *if_exists,
            timestamp: match timestamp {
                None => None,
                Some(expr) => Some(whole_number(expr)?),
            },
        },
        ast::AlterTableAction::DropCompactStorage => {
            return Err(PlanError::unsupported("COMPACT STORAGE", alter.name.span()));
        }
        ast::AlterTableAction::Rename { if_exists, names } => AlterTableAction::Rename {
            columns: pairs(names),
            if_exists: *if_exists,
        },
        ast::AlterTableAction::AlterColumn { column, .. } => AlterTableAction::AlterType {
            column: column.as_str().to_owned(),
        },
        ast::AlterTableAction::With(with) => {
            let mut properties = Properties::new();
            let mut ordered = false;
            options(with, &mut properties, |_| ordered = true)?;
            if ordered {
                return Err(PlanError::invalid(
                    "CLUSTERING ORDER BY cannot be changed once a table exists",
                )
                .at(alter.name.span()));
            }
            AlterTableAction::With { properties }
        }
    };
    Ok(AlterTable {
        keyspace: scope.keyspace_of(&alter.name)?,
        name: alter.name.name.as_str().to_owned(),
        if_exists: alter.if_exists,
        action,
    })
}

fn whole_number(expr: &ast::Expr) -> Result<i64, PlanError> {
    match &expr.kind {
        ast::ExprKind::Literal(ast::Literal::Integer(digits)) => digits.parse().map_err(|_| {
            PlanError::invalid(format!("{digits} is no timestamp of 64 bits")).at(expr.span)
        }),
        _ => Err(PlanError::invalid("a whole number is expected here").at(expr.span)),
    }
}

fn columns(definitions: &[ast::ColumnDefinition]) -> Vec<ColumnDefinition> {
    definitions
        .iter()
        .map(|column| ColumnDefinition {
            name: column.name.as_str().to_owned(),
            ty: column.ty.to_string(),
            is_static: column.is_static.is_some(),
        })
        .collect()
}

fn options(
    options: &[ast::TableOption],
    properties: &mut Properties,
    mut ordered: impl FnMut(Vec<(String, ComponentOrder)>),
) -> Result<(), PlanError> {
    for option in options {
        match option {
            ast::TableOption::CompactStorage(span) => {
                return Err(PlanError::unsupported("COMPACT STORAGE", *span));
            }
            ast::TableOption::ClusteringOrder(columns, _) => ordered(
                columns
                    .iter()
                    .map(|(name, direction)| {
                        let order = match direction {
                            ast::Direction::Ascending => ComponentOrder::Asc,
                            ast::Direction::Descending => ComponentOrder::Desc,
                        };
                        (owned(name), order)
                    })
                    .collect(),
            ),
            ast::TableOption::Property(property) => properties.push(one_property(property)),
        }
    }
    Ok(())
}

fn properties(properties: &[ast::Property]) -> Properties {
    properties.iter().map(one_property).collect()
}

fn one_property(property: &ast::Property) -> (String, PropertyValue) {
    let value = match &property.value.node {
        ast::PropertyValue::Literal(literal) => PropertyValue::Literal(plain(literal)),
        ast::PropertyValue::Word(name) => PropertyValue::Literal(owned(name)),
        ast::PropertyValue::Map(entries) => PropertyValue::Map(
            entries
                .iter()
                .map(|(key, value)| (plain(&key.node), plain(&value.node)))
                .collect(),
        ),
    };
    (owned(&property.name), value)
}

/// The text of a literal without its quotes.
pub(crate) fn plain(literal: &ast::Literal) -> String {
    match literal {
        ast::Literal::Null => "null".to_owned(),
        ast::Literal::Boolean(value) => value.to_string(),
        ast::Literal::Integer(text)
        | ast::Literal::Float(text)
        | ast::Literal::String(text)
        | ast::Literal::Uuid(text)
        | ast::Literal::Blob(text)
        | ast::Literal::Duration(text) => text.to_string(),
    }
}

fn owned(name: &ast::Name) -> String {
    name.as_str().to_owned()
}

fn pairs(names: &[(ast::Name, ast::Name)]) -> Vec<(String, String)> {
    names
        .iter()
        .map(|(from, to)| (owned(from), owned(to)))
        .collect()
}
