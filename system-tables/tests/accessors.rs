//! Typed rows written and read back through the store in memory.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use cql_mutation::{PartitionUpdate, Slices};
use cql_types::{CqlDuration, PartitionKey, Token, Uuid, WriteTime, table_id_for};
use system_tables::error::StoreFailure;
use system_tables::memory::MemoryTables;
use system_tables::read::Partitions;
use system_tables::system::{
    group0_history, large_rows, local, messina_columns, messina_spaces, peers, raft, role_members,
    role_permissions, roles, scylla_local, service_levels_v2, tablets, topology, truncated,
};
use system_tables::system_schema::{columns, functions, tables};
use system_tables::types::{
    BatchStage, BootstrapState, CdcGenerationId, ClusteringOrder, ColumnRole, NodeState,
    SpaceState, TabletReplica, TabletStage, TabletTaskInfo, TransitionState, WorkloadType,
};
use system_tables::{
    AnyTable, Change, HomeKind, Local, Stamp, TableFailure, TableReader, Timestamp, catalog,
};

fn at(micros: i64) -> WriteTime {
    WriteTime(micros)
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn key() -> tablets::Key {
    tablets::Key { table_id: uuid(7) }
}

fn tablet(last_token: i64) -> tablets::Row {
    tablets::Row {
        stage: Some(TabletStage::Streaming),
        migration_task_info: Some(TabletTaskInfo {
            sched_nr: Some(3),
            ..TabletTaskInfo::default()
        }),
        ..tablets::Row::new(
            last_token,
            vec![TabletReplica {
                host_id: uuid(1),
                shard: 2,
            }],
        )
    }
}

#[test]
fn a_partition_with_rows_and_static_values_comes_back() {
    let mut store = MemoryTables::new();
    let values = tablets::Static::new("ks".to_owned(), "t".to_owned(), 2);
    store
        .apply(tablets::upsert_static(&key(), &values, at(10)))
        .unwrap();
    let rows = [tablet(-5), tablet(i64::MAX)];
    for row in &rows {
        store.apply(tablets::insert(&key(), row, at(10))).unwrap();
    }

    assert_eq!(
        tablets::read(&store, &key()).unwrap(),
        Some((values.clone(), rows.to_vec()))
    );
    assert_eq!(tablets::read_static(&store, &key()).unwrap(), Some(values));
    assert_eq!(
        tablets::read_row(&store, &key(), &rows[0].clustering()).unwrap(),
        Some(rows[0].clone())
    );
    assert_eq!(
        tablets::read(&store, &tablets::Key { table_id: uuid(8) }).unwrap(),
        None
    );
    let scanned = tablets::scan(&store).unwrap();
    assert_eq!(scanned.len(), 1);
    assert_eq!((scanned[0].key, scanned[0].rows.len()), (key(), 2));
}

#[test]
fn setters_touch_their_column_alone() {
    let mut store = MemoryTables::new();
    let row = tablet(1);
    store.apply(tablets::insert(&key(), &row, at(10))).unwrap();
    let place = row.clustering();
    store
        .apply(tablets::set_stage(
            &key(),
            &place,
            TabletStage::UseNew,
            at(11),
        ))
        .unwrap();
    store
        .apply(tablets::clear_migration_task_info(&key(), &place, at(11)))
        .unwrap();
    // Older than what is there.
    store
        .apply(tablets::set_stage(
            &key(),
            &place,
            TabletStage::Repair,
            at(9),
        ))
        .unwrap();
    let expected = tablets::Row {
        stage: Some(TabletStage::UseNew),
        migration_task_info: None,
        ..row
    };
    assert_eq!(
        tablets::read_row(&store, &key(), &place).unwrap(),
        Some(expected)
    );
}

#[test]
fn insert_leaves_and_upsert_deletes_what_is_absent() {
    let mut store = MemoryTables::new();
    let full = tablet(1);
    let bare = tablets::Row::new(1, full.replicas.clone());
    store.apply(tablets::insert(&key(), &full, at(10))).unwrap();
    store.apply(tablets::insert(&key(), &bare, at(11))).unwrap();
    assert_eq!(
        tablets::read_row(&store, &key(), &full.clustering()).unwrap(),
        Some(full.clone())
    );
    store.apply(tablets::upsert(&key(), &bare, at(12))).unwrap();
    assert_eq!(
        tablets::read_row(&store, &key(), &full.clustering()).unwrap(),
        Some(bare)
    );
}

#[test]
fn ranges_and_prefixes() {
    let mut store = MemoryTables::new();
    for token in [-10, 0, 10, 20] {
        store
            .apply(tablets::insert(&key(), &tablet(token), at(10)))
            .unwrap();
    }
    let place = |last_token| tablets::Clustering { last_token };
    let tokens = |store: &MemoryTables, from, to| {
        let rows = tablets::rows(store, &key(), (from, to));
        rows.map(|row| row.unwrap().last_token).collect::<Vec<_>>()
    };
    use std::ops::Bound::{Excluded, Included, Unbounded};
    assert_eq!(
        tokens(&store, Included(place(0)), Excluded(place(20))),
        [0, 10]
    );
    assert_eq!(tokens(&store, Excluded(place(0)), Unbounded), [10, 20]);
    assert_eq!(tokens(&store, Unbounded, Included(place(0))), [-10, 0]);
    assert!(tokens(&store, Included(place(5)), Excluded(place(5))).is_empty());
    store
        .apply(tablets::delete_range(&key(), place(0)..place(20), at(11)))
        .unwrap();
    assert_eq!(tokens(&store, Unbounded, Unbounded), [-10, 20]);
    store
        .apply(tablets::delete_row(&key(), &place(20), at(11)))
        .unwrap();
    assert_eq!(tokens(&store, Unbounded, Unbounded), [-10]);
    store
        .apply(tablets::delete_partition(&key(), at(12)))
        .unwrap();
    assert_eq!(tablets::read(&store, &key()).unwrap(), None);

    let shop = columns::Key {
        keyspace_name: "shop".to_owned(),
    };
    for (table, column) in [("a", "x"), ("b", "x"), ("b", "y"), ("ba", "x")] {
        let row = columns::Row {
            table_name: table.to_owned(),
            column_name: column.to_owned(),
            clustering_order: ClusteringOrder::None,
            column_name_bytes: column.as_bytes().to_vec(),
            kind: ColumnRole::Regular,
            position: -1,
            r#type: "int".to_owned(),
        };
        store.apply(columns::insert(&shop, &row, at(1))).unwrap();
    }
    let of = |store: &MemoryTables, table| {
        let rows = columns::rows_by_table_name(store, &shop, table);
        rows.map(|row| row.unwrap().column_name).collect::<Vec<_>>()
    };
    assert_eq!(of(&store, "b"), ["x", "y"]);
    store
        .apply(columns::delete_by_table_name(&shop, "b", at(2)))
        .unwrap();
    assert_eq!(of(&store, "b"), [""; 0]);
    assert_eq!(of(&store, "ba"), ["x"]);
    assert_eq!(columns::read(&store, &shop).unwrap().len(), 2);
}

#[test]
fn descending_rows_come_newest_first() {
    let mut store = MemoryTables::new();
    let history = group0_history::Key {
        key: "history".to_owned(),
    };
    let ids: Vec<Uuid> = (1..=3)
        .map(|second| cql_types::timeuuid_from(second * 1_000_000, [1; 6], 1))
        .collect();
    for id in &ids {
        let row = group0_history::Row {
            state_id: *id,
            description: None,
        };
        store
            .apply(group0_history::insert(&history, &row, at(1)))
            .unwrap();
    }
    let found: Vec<Uuid> = group0_history::read(&store, &history)
        .unwrap()
        .iter()
        .map(|row| row.state_id)
        .collect();
    assert_eq!(found, [ids[2], ids[1], ids[0]]);
    // All that are older than the second one lie behind it.
    let second = group0_history::Clustering { state_id: ids[1] };
    let older = (
        std::ops::Bound::Excluded(second),
        std::ops::Bound::Unbounded,
    );
    store
        .apply(group0_history::delete_range(&history, older, at(2)))
        .unwrap();
    assert_eq!(group0_history::read(&store, &history).unwrap().len(), 2);
}

#[test]
fn collections_of_cells() {
    let mut store = MemoryTables::new();
    let alice = roles::Key {
        role: "alice".to_owned(),
    };
    let row = roles::Row {
        member_of: BTreeSet::from(["a".to_owned(), "b".to_owned()]),
        ..roles::Row::default()
    };
    store.apply(roles::insert(&alice, &row, at(1))).unwrap();
    store
        .apply(roles::add_member_of(&alice, "c", at(2)))
        .unwrap();
    store
        .apply(roles::remove_member_of(&alice, "a", at(2)))
        .unwrap();
    let of = |store: &MemoryTables| {
        roles::read(store, &alice)
            .unwrap()
            .unwrap()
            .member_of
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&store), ["b", "c"]);
    store
        .apply(roles::set_member_of(
            &alice,
            &BTreeSet::from(["z".to_owned()]),
            at(3),
        ))
        .unwrap();
    assert_eq!(of(&store), ["z"]);

    let this = local::Key {
        key: "local".to_owned(),
    };
    store
        .apply(local::insert(&this, &local_row(), at(1)))
        .unwrap();
    store
        .apply(local::put_truncated_at(&this, uuid(5), &[1, 2], at(2)))
        .unwrap();
    assert_eq!(
        local::read(&store, &this).unwrap().unwrap().truncated_at,
        BTreeMap::from([(uuid(5), vec![1, 2])])
    );
    store
        .apply(local::remove_truncated_at(&this, uuid(5), at(3)))
        .unwrap();
    assert_eq!(local::scan(&store).unwrap(), [(this, local_row())]);

    let cluster = topology::Key {
        key: "topology".to_owned(),
    };
    let generation = CdcGenerationId {
        at: Timestamp(9),
        id: uuid(4),
    };
    let values = topology::Static {
        transition_state: Some(TransitionState::JoinGroup0),
        committed_cdc_generations: BTreeSet::from([generation]),
        ..topology::Static::new(1, 1)
    };
    store
        .apply(topology::upsert_static(&cluster, &values, at(1)))
        .unwrap();
    assert_eq!(
        topology::read_static(&store, &cluster).unwrap(),
        Some(values)
    );
}

fn local_row() -> local::Row {
    let address = IpAddr::from([127, 0, 0, 1]);
    local::Row {
        bootstrapped: Some(BootstrapState::Completed),
        broadcast_address: address,
        cluster_name: "Test Cluster".to_owned(),
        cql_version: "3.4.5".to_owned(),
        data_center: "dc1".to_owned(),
        gossip_generation: Some(1),
        host_id: uuid(1),
        listen_address: address,
        native_protocol_version: "4".to_owned(),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".to_owned(),
        rack: "rack1".to_owned(),
        release_version: "4.0.0".to_owned(),
        rpc_address: address,
        schema_version: uuid(2),
        supported_features: None,
        tokens: BTreeSet::from(["-1".to_owned()]),
        truncated_at: BTreeMap::new(),
    }
}

#[test]
fn values_expire_with_their_table_or_their_stamp() {
    let mut store = MemoryTables::new();
    let place = large_rows::Key {
        keyspace_name: "ks".to_owned(),
        table_name: "t".to_owned(),
    };
    let row = large_rows::Row {
        sstable_name: "1".to_owned(),
        row_size: 10,
        partition_key: "p".to_owned(),
        clustering_key: String::new(),
        compaction_time: Timestamp(1),
    };
    store
        .apply(large_rows::insert(&place, &row, at(5_000_000)))
        .unwrap();
    let days_30 = 30 * 86_400;
    store.set_now(5 + days_30 - 1);
    assert_eq!(large_rows::read(&store, &place).unwrap(), [row]);
    store.set_now(5 + days_30);
    assert_eq!(large_rows::read(&store, &place).unwrap(), []);

    let name = scylla_local::Key {
        key: "a".to_owned(),
    };
    let row = scylla_local::Row {
        value: "1".to_owned(),
    };
    store.set_now(0);
    store
        .apply(scylla_local::insert(
            &name,
            &row,
            Stamp::expiring(at(1), 10),
        ))
        .unwrap();
    assert_eq!(scylla_local::read(&store, &name).unwrap(), Some(row));
    store.set_now(10);
    assert_eq!(scylla_local::read(&store, &name).unwrap(), None);
}

#[test]
fn rows_without_cells_and_keys_with_several_columns() {
    let mut store = MemoryTables::new();
    let role = role_members::Key {
        role: "r".to_owned(),
    };
    store
        .apply(role_members::insert(
            &role,
            &role_members::Row {
                member: "m".to_owned(),
            },
            at(1),
        ))
        .unwrap();
    assert_eq!(role_members::read(&store, &role).unwrap().len(), 1);

    let role = role_permissions::Key {
        role: "r".to_owned(),
    };
    let row = role_permissions::Row {
        resource: "data".to_owned(),
        permissions: BTreeSet::from(["SELECT".to_owned()]),
    };
    store
        .apply(role_permissions::insert(&role, &row, at(1)))
        .unwrap();
    assert_eq!(role_permissions::read(&store, &role).unwrap(), [row]);

    let functions_of = functions::Key {
        keyspace_name: "ks".to_owned(),
    };
    let row = functions::Row {
        function_name: "f".to_owned(),
        argument_types: vec!["int".to_owned(), "text".to_owned()],
        argument_names: vec!["a".to_owned(), "b".to_owned()],
        body: "return 1".to_owned(),
        called_on_null_input: false,
        language: "lua".to_owned(),
        return_type: "int".to_owned(),
    };
    store
        .apply(functions::insert(&functions_of, &row, at(1)))
        .unwrap();
    assert_eq!(
        functions::read_row(&store, &functions_of, &row.clustering()).unwrap(),
        Some(row)
    );

    let numbers = messina_columns::Key {
        keyspace_name: "ks".to_owned(),
        table_name: "t".to_owned(),
    };
    let row = messina_columns::Row {
        number: 0,
        column_name: "v".to_owned(),
        retired: false,
    };
    store
        .apply(messina_columns::insert(&numbers, &row, at(1)))
        .unwrap();
    store
        .apply(messina_columns::set_next_number(&numbers, 1, at(1)))
        .unwrap();
    let values = messina_columns::Static { next_number: 1 };
    assert_eq!(
        messina_columns::read(&store, &numbers).unwrap(),
        Some((values, vec![row]))
    );

    let level = service_levels_v2::Key {
        service_level: "gold".to_owned(),
    };
    let row = service_levels_v2::Row {
        shares: Some(100),
        timeout: Some(CqlDuration {
            months: 0,
            days: 0,
            nanos: 5,
        }),
        workload_type: Some(WorkloadType::Batch),
    };
    store
        .apply(service_levels_v2::insert(&level, &row, at(1)))
        .unwrap();
    assert_eq!(service_levels_v2::read(&store, &level).unwrap(), Some(row));
}

#[test]
fn a_live_static_row_is_a_partition_without_rows() {
    let mut store = MemoryTables::new();
    let group = raft::Key { group_id: uuid(1) };
    store.apply(raft::set_commit_idx(&group, 4, at(1))).unwrap();
    let values = raft::Static {
        commit_idx: Some(4),
        ..raft::Static::default()
    };
    assert_eq!(raft::read(&store, &group).unwrap(), Some((values, vec![])));
    store.apply(raft::clear_commit_idx(&group, at(2))).unwrap();
    assert_eq!(raft::read(&store, &group).unwrap(), None);
}

#[test]
fn errors_name_table_key_and_column() {
    let mut store = MemoryTables::new();
    store
        .apply(tablets::set_stage(
            &key(),
            &tablets::Clustering { last_token: 3 },
            TabletStage::UseNew,
            at(1),
        ))
        .unwrap();
    let error = tablets::read(&store, &key()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "system.tablets, key (00000000-0000-0000-0000-000000000007): keyspace_name has no value, but must have one; \
         write the row again"
    );
    let row = tablets::rows(&store, &key(), ..).next().unwrap();
    assert_eq!(
        row.unwrap_err().to_string(),
        "system.tablets, key (00000000-0000-0000-0000-000000000007, 3): replicas has no value, but must have one; \
         write the row again"
    );

    // A value that a newer version may have written.
    let table = truncated::TABLE.schema();
    assert_eq!(&*table.name, "truncated");
    let mut builder = cql_mutation::RowBuilder::new();
    let column = tablets::TABLE.schema().column("stage").unwrap().number;
    builder.set(column, 1, b"warp");
    let row = builder.finish();
    let partition = PartitionKey::from_components(&[uuid(9).as_bytes()]).unwrap();
    let mut clustering = Vec::new();
    let types = tablets::TABLE.schema().clustering_types();
    cql_types::encode_clustering(types, &[&3_i64.to_be_bytes()], &mut clustering).unwrap();
    let update = PartitionUpdate::of_row(clustering.into(), row);
    store.merge(cql_mutation::Mutation::new(
        tablets::TABLE.id(),
        partition,
        update,
    ));
    let error = tablets::rows(&store, &tablets::Key { table_id: uuid(9) }, ..)
        .next()
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(error.failure(), TableFailure::Absent { column, .. } if column == "replicas"),
        "{error}"
    );
    store
        .apply(tablets::set_replicas(
            &tablets::Key { table_id: uuid(9) },
            &tablets::Clustering { last_token: 3 },
            &vec![],
            at(1),
        ))
        .unwrap();
    let error = tablets::rows(&store, &tablets::Key { table_id: uuid(9) }, ..)
        .next()
        .unwrap()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "system.tablets, key (00000000-0000-0000-0000-000000000009, 3): the value of stage cannot be read: \
         Unable to make TabletStage from 'warp': it has no such value"
    );
}

#[test]
fn a_key_that_is_too_long_is_reported_when_the_change_is_used() {
    let long = scylla_local::Key {
        key: "x".repeat(70_000),
    };
    let mut change = scylla_local::delete_partition(
        &scylla_local::Key {
            key: "fine".to_owned(),
        },
        at(1),
    );
    change.add(scylla_local::set_value(&long, "v", at(1)));
    assert!(!change.is_empty());
    let error = change.into_mutations().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot write to system.scylla_local: "),
        "{error}"
    );
}

#[test]
fn changes_of_one_partition_become_one_mutation() {
    let place = |last_token| tablets::Clustering { last_token };
    let change: Change<_> = [2, 1]
        .into_iter()
        .map(|token| tablets::set_stage(&key(), &place(token), TabletStage::UseNew, at(1)))
        .chain([tablets::set_stage(
            &tablets::Key { table_id: uuid(8) },
            &place(1),
            TabletStage::UseNew,
            at(1),
        )])
        .collect();
    let mutations = change.into_mutations().unwrap();
    assert_eq!(mutations.len(), 2);
    assert_eq!(mutations[0].update.rows.len(), 2);
    assert!(Change::<Local>::new().is_empty());
}

#[test]
fn a_failing_store_is_named() {
    struct Broken;
    impl TableReader for Broken {
        fn now(&self) -> i64 {
            0
        }
        fn partition(
            &self,
            _: &cql_schema::Table,
            _: &PartitionKey,
            _: &Slices,
        ) -> Result<Option<Cow<'_, PartitionUpdate>>, StoreFailure> {
            Err("the disk is on fire".into())
        }
        fn partitions<'r>(&'r self, _: &cql_schema::Table) -> Result<Partitions<'r>, StoreFailure> {
            Err("the disk is on fire".into())
        }
    }
    let reader: &dyn TableReader = &Broken;
    let error = peers::read(
        reader,
        &peers::Key {
            peer: IpAddr::from([1; 4]),
        },
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read system.peers: the disk is on fire"
    );
    assert!(peers::scan(reader).is_err());
    assert!(tablets::rows(reader, &key(), ..).next().unwrap().is_err());
}

#[test]
fn all_tables_make_schema_objects() {
    let all = catalog::tables();
    for table in all {
        let schema = table.schema();
        let declared = table.declaration();
        assert_eq!(&*schema.name, declared.name);
        // All ids follow the ecosystem's rule, so that tools find them.
        assert_eq!(
            declared.id,
            table_id_for(declared.keyspace, declared.name),
            "{table:?}"
        );
        assert_eq!(schema.options.comment, declared.comment);
        assert!(std::ptr::eq(
            &**schema,
            &**catalog::find(table.id()).unwrap().schema()
        ));
    }
    assert_eq!(
        catalog::find_by_name("system", "local").unwrap().home(),
        HomeKind::Local
    );
    assert!(catalog::find_by_name("system", "peers_v2").is_none());
    assert_eq!(
        large_rows::TABLE.schema().options.default_time_to_live,
        30 * 86_400
    );
    assert_eq!(large_rows::TABLE.schema().options.gc_grace_seconds, 0);
    assert_eq!(
        raft::TABLE
            .schema()
            .options
            .caching
            .get("keys")
            .map(String::as_str),
        Some("NONE")
    );
    // Retired columns keep their numbers.
    assert!(local::TABLE.schema().to_parts().next_column > 20);

    let keyspaces = catalog::keyspaces();
    let names: Vec<&str> = keyspaces.iter().map(|keyspace| &*keyspace.name).collect();
    assert_eq!(names, ["system", "system_schema", "system_virtual_schema"]);
    let in_keyspaces: usize = keyspaces.iter().map(|keyspace| keyspace.tables.len()).sum();
    assert_eq!(in_keyspaces, all.len());
    assert!(keyspaces[0].types.contains_key("tablet_task_info"));
    assert_eq!(keyspaces[2].kind, cql_schema::KeyspaceKind::Virtual);
}

#[test]
fn types_are_those_that_drivers_expect() {
    let ty =
        |table: &dyn AnyTable, column: &str| table.schema().column(column).unwrap().ty.to_string();
    assert_eq!(
        ty(&tablets::TABLE, "replicas"),
        "frozen<list<frozen<tuple<uuid, int>>>>"
    );
    assert_eq!(
        ty(&tablets::TABLE, "repair_task_info"),
        "frozen<tablet_task_info>"
    );
    assert_eq!(
        ty(&topology::TABLE, "committed_cdc_generations"),
        "set<frozen<tuple<timestamp, timeuuid>>>"
    );
    assert_eq!(ty(&tables::TABLE, "caching"), "frozen<map<text, text>>");
    assert_eq!(ty(&local::TABLE, "tokens"), "set<text>");
}

#[test]
fn enums_are_stored_as_the_ecosystem_stores_them() {
    assert_eq!(
        TransitionState::WriteBothReadOld.stored(),
        "write both read old"
    );
    assert_eq!(
        TabletStage::WriteBothReadOld.to_string(),
        "write_both_read_old"
    );
    assert_eq!(BatchStage::FailedReplay.stored(), 1);
    assert_eq!(NodeState::of_stored("normal"), Some(NodeState::Normal));
    assert_eq!(NodeState::of_stored("NORMAL"), None);
    for stage in TabletStage::ALL {
        assert_eq!(TabletStage::of_stored(stage.stored()), Some(stage));
    }
}

#[test]
fn spaces_of_one_range() {
    let mut store = MemoryTables::new();
    let table = messina_spaces::Key { table_id: uuid(1) };
    for (space, state) in [(4, SpaceState::Dead), (9, SpaceState::Live)] {
        let row = messina_spaces::Row {
            first_token: i64::MIN,
            space,
            last_token: i64::MAX,
            state,
        };
        store
            .apply(messina_spaces::insert(&table, &row, at(1)))
            .unwrap();
    }
    let live: Vec<i64> = messina_spaces::rows_by_first_token(&store, &table, i64::MIN)
        .map(Result::unwrap)
        .filter(|row| row.state == SpaceState::Live)
        .map(|row| row.space)
        .collect();
    assert_eq!(live, [9]);
}

#[test]
fn partitions_are_scanned_in_the_order_of_tokens() {
    let mut store = MemoryTables::new();
    for last in 0..50 {
        let key = peers::Key {
            peer: IpAddr::from([127, 0, 0, last]),
        };
        store
            .apply(peers::insert(&key, &peers::Row::default(), at(1)))
            .unwrap();
    }
    let tokens: Vec<Token> = peers::scan(&store)
        .unwrap()
        .iter()
        .map(|(key, _)| match key.peer {
            IpAddr::V4(address) => Token::of_key(&address.octets()),
            IpAddr::V6(address) => Token::of_key(&address.octets()),
        })
        .collect();
    assert!(tokens.is_sorted());
    assert_eq!(tokens.len(), 50);
}
