//! Golden scripts of schema changes: what each statement does, tells, or is refused with.
//!
//! A script is blocks of a command, `---` and what is expected.
//! A command is a line and indented lines that belong to it; see `Command::read` for the words.
//! `UPDATE_GOLDEN=1 cargo test -p messina-cql-schema` writes what is found into the scripts.

#![expect(
    clippy::unwrap_used,
    reason = "a script that cannot be run fails its test"
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use cql_schema::{
    Change, Internals, Keyspace, KeyspaceKind, Proposer, Replication, Schema, apply,
    describe_keyspace, describe_keyspace_only, describe_table,
};
use cql_types::{TableId, Uuid};
use support::Command;

#[rstest::rstest]
#[case("keyspaces")]
#[case("tables")]
#[case("columns")]
#[case("options")]
#[case("types")]
#[case("describe")]
fn script(#[case] name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/scripts/{name}.ddl"));
    let script = std::fs::read_to_string(&path).unwrap();
    let mut session = Session::new();
    let mut found = String::new();
    for block in script
        .split("\n\n")
        .filter(|block| !block.trim().is_empty())
    {
        let comments: Vec<&str> = block
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect();
        let rest: Vec<&str> = block.lines().skip(comments.len()).collect();
        let command: Vec<&str> = rest
            .iter()
            .copied()
            .take_while(|line| *line != "---")
            .collect();
        if !found.is_empty() {
            found.push('\n');
        }
        for comment in comments {
            found += &format!("{comment}\n");
        }
        if !command.is_empty() {
            let answer = session.run(&command).trim_end().replace("\n\n", "\n~\n");
            found += &format!("{}\n---\n{answer}\n", command.join("\n"));
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        #[expect(
            clippy::disallowed_methods,
            reason = "writes the golden file on request"
        )]
        std::fs::write(&path, &found).unwrap();
    }
    assert!(found == script, "{name}.ddl differs; found:\n{found}");
}

struct Session {
    schema: Schema,
    ids: Ids,
}

struct Ids {
    next: u128,
    data_centers: Vec<Arc<str>>,
}

impl Proposer for Ids {
    fn table_id(&mut self) -> TableId {
        TableId(self.version())
    }
    fn version(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }
    fn write_time(&self) -> i64 {
        1_000_000
    }
    fn data_centers(&self) -> Vec<Arc<str>> {
        self.data_centers.clone()
    }
}

impl Session {
    fn new() -> Self {
        let system = Keyspace::new("system", KeyspaceKind::System, Replication::Local);
        let schema = Schema::from_parts(vec![system], Uuid::nil());
        let ids = Ids {
            next: 0,
            data_centers: vec![Arc::from("dc1"), Arc::from("dc2")],
        };
        Self { schema, ids }
    }

    fn run(&mut self, lines: &[&str]) -> String {
        match Command::read(lines) {
            Command::DataCenters(names) => {
                self.ids.data_centers = names.iter().map(|name| Arc::from(name.as_str())).collect();
                "ok".to_owned()
            }
            Command::DescribeKeyspace(name) => {
                let keyspace = self.schema.keyspace(&name).unwrap();
                describe_keyspace(keyspace, Internals::Hide)
            }
            Command::DescribeTable(keyspace, name, internals) => {
                describe_table(self.schema.table(&keyspace, &name).unwrap(), internals)
            }
            Command::Columns(keyspace, name) => self.columns(&keyspace, &name),
            Command::Change(change) => self.change(&change),
        }
    }

    fn columns(&self, keyspace: &str, name: &str) -> String {
        let table = self.schema.table(keyspace, name).unwrap();
        let mut out = String::new();
        for column in table.columns() {
            let number = match column.number {
                cql_schema::ColumnNumber::KEY => {
                    format!("position {} {:?}", column.position, column.order)
                }
                number => format!("number {number}"),
            };
            out += &format!(
                "{} {}: {} {number}\n",
                column.kind.as_str(),
                column.name,
                column.ty
            );
            assert_eq!(table.column(&column.name), Some(column));
        }
        for dropped in &table.dropped {
            out += &format!(
                "dropped {}: {} at {}\n",
                dropped.name, dropped.ty, dropped.dropped_at
            );
        }
        out + &format!("next number {}\n", table.next_column())
    }

    fn change(&mut self, change: &Change) -> String {
        let delta = match apply(change, &self.schema, &mut self.ids) {
            Ok(delta) => delta,
            Err(error) => {
                let at = error
                    .subject
                    .as_ref()
                    .map(|word| format!("\nat {word}"))
                    .unwrap_or_default();
                return format!("{:?}: {error}{at}", error.kind);
            }
        };
        let mut out = String::new();
        for diff in &delta.keyspaces {
            out += &format!(
                "{}\n",
                support::diff("keyspace", diff, describe_keyspace_only)
            );
        }
        for diff in &delta.types {
            out += &format!(
                "{}\n",
                support::diff("type", diff, |def| def.name.to_string())
            );
        }
        for diff in &delta.tables {
            out += &format!(
                "{}\n",
                support::diff("table", diff, |table| table.name.to_string())
            );
        }
        for event in &delta.events {
            let name = event
                .name
                .as_ref()
                .map(|name| format!(" {name}"))
                .unwrap_or_default();
            let (change, target) = (event.change.as_str(), event.target.as_str());
            out += &format!("event {change} {target} {}{name}\n", event.keyspace);
        }
        for warning in &delta.warnings {
            out += &format!("warning: {warning}\n");
        }
        if delta.is_empty() {
            assert_eq!(delta.schema.version(), self.schema.version());
            out += "nothing\n";
        } else {
            assert_ne!(delta.schema.version(), self.schema.version());
        }
        self.schema = delta.schema;
        self.check_invariants();
        out
    }

    /// What holds in every schema that a change leads to.
    fn check_invariants(&self) {
        for keyspace in self.schema.keyspaces() {
            for table in keyspace.tables.values() {
                assert!(Arc::ptr_eq(
                    table,
                    self.schema.table_by_id(table.id).unwrap()
                ));
                for column in table.columns() {
                    column.ty.any(&|ty| {
                        if let cql_types::CqlType::Udt { def, .. } = ty {
                            assert_eq!(
                                Some(def),
                                keyspace.types.get(&def.name),
                                "a stale user type"
                            );
                        }
                        false
                    });
                }
                for column in table.statics().iter().chain(table.regulars()) {
                    assert!(column.number.0 < table.next_column());
                    assert_eq!(table.column_by_number(column.number), Some(column));
                }
            }
        }
        assert_eq!(
            self.schema.tables().count(),
            self.schema
                .keyspaces()
                .map(|keyspace| keyspace.tables.len())
                .sum::<usize>()
        );
    }
}
