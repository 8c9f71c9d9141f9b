//! DESCRIBE, which the server answers from the schema: the statements that would make it again.

use std::sync::Arc;

use cql_schema::{
    Internals, Keyspace, KeyspaceKind, Schema, Table, describe_keyspace_only, describe_table,
    describe_type,
};
use cql_syntax::{Describe, DescribeDetail, DescribeTarget, Name, QualifiedName};
use cql_types::{CqlType, UdtType, quoted};

use crate::error::PlanError;
use crate::prepared::ResultColumn;
use crate::resolve::Scope;

/// A planned DESCRIBE.
#[derive(Debug)]
pub struct DescribePlan {
    /// What is described.
    pub target: DescribeTarget,
    /// The session's keyspace.
    pub keyspace: Option<Arc<str>>,
    /// Whether ids and dropped columns are shown.
    pub internals: bool,
}

pub(crate) fn describe(
    describe: &Describe,
    scope: &Scope<'_>,
) -> (DescribePlan, Arc<[ResultColumn]>) {
    let names: &[&str] = match &describe.target {
        DescribeTarget::Cluster => &["cluster", "partitioner", "snitch"],
        DescribeTarget::Keyspaces
        | DescribeTarget::Tables
        | DescribeTarget::Types
        | DescribeTarget::Functions
        | DescribeTarget::Aggregates => &["keyspace_name", "type", "name"],
        DescribeTarget::Schema
        | DescribeTarget::FullSchema
        | DescribeTarget::Keyspace(_)
        | DescribeTarget::OnlyKeyspace(_)
        | DescribeTarget::Table(_)
        | DescribeTarget::Type(_)
        | DescribeTarget::Function(_)
        | DescribeTarget::Aggregate(_)
        | DescribeTarget::Index(_)
        | DescribeTarget::View(_)
        | DescribeTarget::Named(_) => &["keyspace_name", "type", "name", "create_statement"],
    };
    let columns = names
        .iter()
        .map(|name| ResultColumn {
            keyspace: Arc::from("system"),
            table: Arc::from("describe"),
            name: Arc::from(*name),
            ty: CqlType::Text,
        })
        .collect();
    let plan = DescribePlan {
        target: describe.target.clone(),
        keyspace: scope.keyspace.map(Arc::from),
        internals: describe.detail != DescribeDetail::Plain,
    };
    (plan, columns)
}

/// One row of text cells.
pub type DescribeRow = Vec<String>;

/// The partitioner, as the ecosystem names it.
const PARTITIONER: &str = "Murmur3Partitioner";

/// The snitch, which clients only show.
const SNITCH: &str = "SimpleSnitch";

impl DescribePlan {
    /// The rows of the answer.
    ///
    /// # Errors
    /// `INVALID` when what is described does not exist.
    pub fn rows(&self, schema: &Schema, cluster_name: &str) -> Result<Vec<DescribeRow>, PlanError> {
        let describer = Describer { plan: self, schema };
        match &self.target {
            DescribeTarget::Cluster => Ok(vec![vec![
                cluster_name.to_owned(),
                PARTITIONER.to_owned(),
                SNITCH.to_owned(),
            ]]),
            DescribeTarget::Schema => Ok(describer.schema(&[KeyspaceKind::User])),
            DescribeTarget::FullSchema => Ok(describer.schema(&[
                KeyspaceKind::User,
                KeyspaceKind::System,
                KeyspaceKind::Virtual,
            ])),
            DescribeTarget::Keyspaces => Ok(schema
                .keyspaces()
                .map(|keyspace| name_row(keyspace, "keyspace", &keyspace.name))
                .collect()),
            DescribeTarget::Tables => describer.names("table", |keyspace| {
                keyspace.tables.keys().map(|name| &**name).collect()
            }),
            DescribeTarget::Types => describer.names("type", |keyspace| {
                keyspace.types.keys().map(|name| &**name).collect()
            }),
            DescribeTarget::Functions | DescribeTarget::Aggregates => Ok(Vec::new()),
            DescribeTarget::Keyspace(name) => {
                let keyspace = describer.keyspace(name.as_ref())?;
                Ok(describer.whole_keyspace(keyspace))
            }
            DescribeTarget::OnlyKeyspace(name) => {
                Ok(vec![keyspace_row(describer.keyspace(name.as_ref())?)])
            }
            DescribeTarget::Table(name) => {
                let keyspace = describer.keyspace(name.keyspace.as_ref())?;
                match keyspace.tables.get(name.name.as_str()) {
                    Some(table) => Ok(vec![describer.table_row(keyspace, table)]),
                    None => Err(missing("Table", name, "keyspace ", keyspace)
                        .did_you_mean(name.name.as_str(), keyspace.tables.keys().map(|n| &**n))),
                }
            }
            DescribeTarget::Type(name) => {
                let keyspace = describer.keyspace(name.keyspace.as_ref())?;
                match keyspace.types.get(name.name.as_str()) {
                    Some(def) => Ok(vec![type_row(keyspace, def)]),
                    None => Err(missing("User defined type", name, "", keyspace)
                        .did_you_mean(name.name.as_str(), keyspace.types.keys().map(|n| &**n))),
                }
            }
            DescribeTarget::Function(name) => describer.nothing("User defined function", name),
            DescribeTarget::Aggregate(name) => describer.nothing("User defined aggregate", name),
            DescribeTarget::Index(name) => describer.nothing("Table for existing index", name),
            DescribeTarget::View(name) => describer.nothing("Materialized view", name),
            DescribeTarget::Named(name) => describer.named(name),
        }
    }
}

/// A DESCRIBE and the schema it looks at.
struct Describer<'a> {
    plan: &'a DescribePlan,
    schema: &'a Schema,
}

impl Describer<'_> {
    /// The keyspace of that name, or that of the session.
    fn keyspace(&self, name: Option<&Name>) -> Result<&Keyspace, PlanError> {
        let Some(text) = name.map(Name::as_str).or(self.plan.keyspace.as_deref()) else {
            return Err(
                PlanError::invalid("No keyspace specified and no current keyspace")
                    .help("USE a keyspace first, or name one"),
            );
        };
        match self.schema.keyspace(text) {
            Some(keyspace) => Ok(keyspace),
            None => {
                let known = self.schema.keyspaces().map(|keyspace| &*keyspace.name);
                let error = PlanError::invalid(format!("'{text}' not found in keyspaces"))
                    .did_you_mean(text, known);
                Err(match name {
                    Some(name) => error.at(name.span),
                    None => error,
                })
            }
        }
    }

    fn internals(&self) -> Internals {
        match self.plan.internals {
            true => Internals::Show,
            false => Internals::Hide,
        }
    }

    fn schema(&self, kinds: &[KeyspaceKind]) -> Vec<DescribeRow> {
        self.schema
            .keyspaces()
            .filter(|keyspace| kinds.contains(&keyspace.kind))
            .flat_map(|keyspace| self.whole_keyspace(keyspace))
            .collect()
    }

    /// The keyspace, then its types in an order in which they can be made, then its tables.
    fn whole_keyspace(&self, keyspace: &Keyspace) -> Vec<DescribeRow> {
        let mut rows = vec![keyspace_row(keyspace)];
        rows.extend(
            in_order_of_use(keyspace)
                .into_iter()
                .map(|def| type_row(keyspace, def)),
        );
        rows.extend(
            keyspace
                .tables
                .values()
                .map(|table| self.table_row(keyspace, table)),
        );
        rows
    }

    fn table_row(&self, keyspace: &Keyspace, table: &Table) -> DescribeRow {
        let mut row = name_row(keyspace, "table", &table.name);
        row.push(describe_table(table, self.internals()));
        row
    }

    /// The names of one kind of object in the session's keyspace, or in all.
    fn names(
        &self,
        kind: &str,
        names: impl Fn(&Keyspace) -> Vec<&str>,
    ) -> Result<Vec<DescribeRow>, PlanError> {
        let rows = |keyspace: &Keyspace| -> Vec<DescribeRow> {
            names(keyspace)
                .into_iter()
                .map(|name| name_row(keyspace, kind, name))
                .collect()
        };
        match &self.plan.keyspace {
            Some(_) => self.keyspace(None).map(rows),
            None => Ok(self
                .schema
                .keyspaces()
                .flat_map(|keyspace| rows(keyspace))
                .collect()),
        }
    }

    /// An object of a kind that no keyspace has.
    fn nothing(&self, what: &str, name: &QualifiedName) -> Result<Vec<DescribeRow>, PlanError> {
        let keyspace = self.keyspace(name.keyspace.as_ref())?;
        Err(missing(what, name, "", keyspace))
    }

    /// A keyspace, else a table of the session's keyspace.
    fn named(&self, name: &QualifiedName) -> Result<Vec<DescribeRow>, PlanError> {
        let text = name.name.as_str();
        if name.keyspace.is_none() {
            if let Some(keyspace) = self.schema.keyspace(text) {
                return Ok(self.whole_keyspace(keyspace));
            }
            if self.plan.keyspace.is_none() {
                return self.keyspace(Some(&name.name)).map(|_| Vec::new());
            }
        }
        let keyspace = self.keyspace(name.keyspace.as_ref())?;
        match keyspace.tables.get(text) {
            Some(table) => Ok(vec![self.table_row(keyspace, table)]),
            None => Err(PlanError::invalid(format!(
                "'{text}' not found in keyspace '{}'",
                keyspace.name
            ))
            .at(name.name.span)
            .did_you_mean(text, keyspace.tables.keys().map(|name| &**name))),
        }
    }
}

fn missing(what: &str, name: &QualifiedName, of: &str, keyspace: &Keyspace) -> PlanError {
    let (name, span) = (name.name.as_str(), name.name.span);
    PlanError::invalid(format!(
        "{what} '{name}' not found in {of}'{}'",
        keyspace.name
    ))
    .at(span)
}

fn name_row(keyspace: &Keyspace, kind: &str, name: &str) -> DescribeRow {
    vec![
        quoted(&keyspace.name).into_owned(),
        kind.to_owned(),
        quoted(name).into_owned(),
    ]
}

fn keyspace_row(keyspace: &Keyspace) -> DescribeRow {
    let mut row = name_row(keyspace, "keyspace", &keyspace.name);
    row.push(describe_keyspace_only(keyspace));
    row
}

fn type_row(keyspace: &Keyspace, def: &UdtType) -> DescribeRow {
    let mut row = name_row(keyspace, "type", &def.name);
    row.push(describe_type(def));
    row
}

/// The types of a keyspace, each behind those that it uses.
fn in_order_of_use(keyspace: &Keyspace) -> Vec<&Arc<UdtType>> {
    fn visit<'k>(keyspace: &'k Keyspace, def: &'k Arc<UdtType>, done: &mut Vec<&'k Arc<UdtType>>) {
        if done.iter().any(|earlier| earlier.name == def.name) {
            return;
        }
        for used in keyspace.types.values() {
            let uses =
                |(_, ty): &(Arc<str>, CqlType)| ty.references_udt(&used.keyspace, &used.name);
            if used.name != def.name && def.fields.iter().any(uses) {
                visit(keyspace, used, done);
            }
        }
        done.push(def);
    }
    let mut done = Vec::with_capacity(keyspace.types.len());
    for def in keyspace.types.values() {
        visit(keyspace, def, &mut done);
    }
    done
}
