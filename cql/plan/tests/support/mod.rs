//! A schema that statements change, as a session of a node would.

use std::sync::Arc;

use cql_plan::{Bound, Prepared, PreparedKind, prepare};
use cql_schema::{Delta, Keyspace, KeyspaceKind, Proposer, Replication, Schema, Table, apply};
use cql_syntax::parse_statement;
use cql_types::{CqlType, TableId, Uuid};

/// Ids that count up.
#[derive(Default)]
pub(crate) struct Ids(u128);

impl Proposer for Ids {
    fn table_id(&mut self) -> TableId {
        TableId(self.version())
    }
    fn version(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
    fn write_time(&self) -> i64 {
        1_000_000
    }
    fn data_centers(&self) -> Vec<Arc<str>> {
        vec![Arc::from("datacenter1")]
    }
}

/// A schema, and the keyspace of USE.
pub(crate) struct Session {
    pub(crate) schema: Schema,
    pub(crate) keyspace: Option<String>,
    ids: Ids,
}

/// What came of one statement.
pub(crate) enum Outcome {
    /// It was prepared; nothing else happens in a session without data.
    Prepared(Box<Prepared>),
    /// It changed the schema.
    #[allow(dead_code, reason = "not every test needs it")]
    Changed(Box<Delta>),
    /// It was refused: the code and the text.
    Refused(String, String),
}

impl Session {
    /// With a keyspace `ks` in use and a table of the system.
    pub(crate) fn new() -> Self {
        let local = Table::builder("system", "local")
            .partition_key("key", CqlType::Text)
            .regular("cluster_name", CqlType::Text)
            .build()
            .unwrap();
        let system =
            Keyspace::new("system", KeyspaceKind::System, Replication::Local).with_table(local);
        let mut session = Self {
            schema: Schema::from_parts(vec![system], Uuid::nil()),
            keyspace: Some("ks".to_owned()),
            ids: Ids::default(),
        };
        session.run(
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        );
        session
    }

    /// Prepares a statement; one that changes the schema does so.
    pub(crate) fn run(&mut self, text: &str) -> Outcome {
        let statement = match parse_statement(text) {
            Ok(statement) => statement,
            Err(error) => return Outcome::Refused("SYNTAX".to_owned(), error.to_string()),
        };
        let prepared = match prepare(&statement, &self.schema, self.keyspace.as_deref()) {
            Ok(prepared) => prepared,
            Err(error) => {
                let code = format!("{:?}", error.kind).to_uppercase();
                return Outcome::Refused(code, error.render(text));
            }
        };
        match &prepared.kind {
            PreparedKind::Schema(change) => match apply(change, &self.schema, &mut self.ids) {
                Ok(delta) => {
                    self.schema = delta.schema.clone();
                    Outcome::Changed(Box::new(delta))
                }
                Err(error) => {
                    let kind = format!("{:?}", error.kind);
                    let code = kind.split([' ', '{']).next().unwrap().to_uppercase();
                    Outcome::Refused(code, error.to_string())
                }
            },
            PreparedKind::Use(keyspace) => {
                self.keyspace = Some(keyspace.to_string());
                Outcome::Prepared(Box::new(prepared))
            }
            _ => Outcome::Prepared(Box::new(prepared)),
        }
    }

    /// The prepared form of a statement that must be right.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn prepare(&mut self, text: &str) -> Prepared {
        match self.run(text) {
            Outcome::Prepared(prepared) => *prepared,
            Outcome::Changed(_) => panic!("{text} changed the schema"),
            Outcome::Refused(code, error) => panic!("{text}: {code} {error}"),
        }
    }
}

/// Bound values that are owned.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) enum Given {
    Value(Vec<u8>),
    Null,
    Unset,
}

#[allow(dead_code, reason = "not every test needs it")]
impl Given {
    pub(crate) fn bound(&self) -> Bound<'_> {
        match self {
            Self::Value(bytes) => Bound::Value(bytes),
            Self::Null => Bound::Null,
            Self::Unset => Bound::Unset,
        }
    }
}
