//! What holds for every sequence of changes.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cql_schema::{
    AlterTable, AlterTableAction, Change, ColumnDefinition, ColumnNumber, CreateTable, Keyspace,
    KeyspaceKind, Proposer, RawUserType, Replication, Schema, Table, apply, resolve_user_types,
};
use cql_types::{TableId, Uuid};
use proptest::prelude::*;

struct Ids(u128);

impl Proposer for Ids {
    fn table_id(&mut self) -> TableId {
        TableId(self.version())
    }
    fn version(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
    fn write_time(&self) -> i64 {
        i64::try_from(self.0).unwrap()
    }
    fn data_centers(&self) -> Vec<Arc<str>> {
        Vec::new()
    }
}

fn column(name: &str, ty: &str, is_static: bool) -> ColumnDefinition {
    ColumnDefinition {
        name: name.to_owned(),
        ty: ty.to_owned(),
        is_static,
    }
}

fn action() -> impl Strategy<Value = AlterTableAction> {
    let name = prop::sample::select(vec!["a", "b", "c", "d", "k", "ck"]);
    let ty = prop::sample::select(vec!["int", "text", "list<int>", "nosuch", "counter"]);
    prop_oneof![
        (name.clone(), ty, any::<bool>(), any::<bool>()).prop_map(
            |(name, ty, is_static, if_not_exists)| {
                AlterTableAction::Add {
                    columns: vec![column(name, ty, is_static)],
                    if_not_exists,
                }
            }
        ),
        (name.clone(), any::<bool>()).prop_map(|(name, if_exists)| AlterTableAction::Drop {
            columns: vec![name.to_owned()],
            if_exists,
            timestamp: None
        }),
        (name.clone(), name).prop_map(|(from, to)| AlterTableAction::Rename {
            columns: vec![(from.to_owned(), to.to_owned())],
            if_exists: false
        }),
    ]
}

fn start() -> (Schema, Ids) {
    let keyspace = Keyspace::new("ks", KeyspaceKind::User, Replication::Simple { rf: 1 });
    let schema = Schema::from_parts(vec![keyspace], Uuid::nil());
    let create = Change::CreateTable(CreateTable {
        keyspace: "ks".to_owned(),
        name: "t".to_owned(),
        columns: vec![
            column("k", "int", false),
            column("ck", "int", false),
            column("a", "int", false),
        ],
        partition_key: vec!["k".to_owned()],
        clustering: vec!["ck".to_owned()],
        ..CreateTable::default()
    });
    let mut ids = Ids(0);
    let delta = apply(&create, &schema, &mut ids).unwrap();
    (delta.schema, ids)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// A number once given to a column never stands for another, whatever is added, dropped, renamed.
    #[test]
    fn column_numbers_are_never_reused(actions in prop::collection::vec(action(), 1..30)) {
        let (mut schema, mut ids) = start();
        let mut seen: BTreeSet<ColumnNumber> = BTreeSet::new();
        let mut living: BTreeSet<ColumnNumber> = BTreeSet::new();
        for action in actions {
            let change = Change::AlterTable(AlterTable {
                keyspace: "ks".to_owned(),
                name: "t".to_owned(),
                if_exists: false,
                action,
            });
            let Ok(delta) = apply(&change, &schema, &mut ids) else {
                continue;
            };
            schema = delta.schema;
            let table = schema.table("ks", "t").unwrap();
            let now: BTreeSet<ColumnNumber> =
                table.statics().iter().chain(table.regulars()).map(|column| column.number).collect();
            for number in now.difference(&living) {
                prop_assert!(seen.insert(*number), "number {number} was used before");
            }
            living = now;
            prop_assert_eq!(&Table::from_parts(table.to_parts()).unwrap(), &**table);
            prop_assert_eq!(table.partition_key().len(), 1);
            prop_assert_eq!(table.clustering().len(), 1);
        }
    }

    #[test]
    fn replication_survives_its_map(rf in 0u32..=1000, dcs in prop::collection::btree_map("[a-z]{1,5}", 0u32..10, 0..4)) {
        let per_dc: BTreeMap<Arc<str>, u32> = dcs.into_iter().map(|(dc, rf)| (Arc::from(dc), rf)).collect();
        let all = [
            Replication::Local,
            Replication::Everywhere,
            Replication::Simple { rf },
            Replication::NetworkTopology { per_dc },
        ];
        for replication in all {
            let map = replication.to_map();
            let pairs = map.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            prop_assert_eq!(Replication::from_map(pairs), Ok(replication.clone()));
        }
    }
}

#[test]
fn stored_user_types_are_read_in_any_order() {
    let raw = |name: &str, ty: &str| RawUserType {
        name: name.to_owned(),
        fields: vec![("f".to_owned(), ty.to_owned())],
    };
    let stored = vec![
        raw("a", "frozen<b>"),
        raw("b", "list<frozen<c>>"),
        raw("c", "int"),
    ];
    let types = resolve_user_types("ks", stored).unwrap();
    assert_eq!(types.len(), 3);
    assert!(
        types.values().next().unwrap().fields[0]
            .1
            .references_udt("ks", "c")
    );

    let circle = vec![raw("a", "frozen<b>"), raw("b", "frozen<a>")];
    assert_eq!(
        resolve_user_types("ks", circle).unwrap_err().message,
        "user type ks.b: Unknown type a"
    );
}
