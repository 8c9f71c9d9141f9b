//! The table that the tests use: `pk int, ck int, a blob, b blob, m map<text, blob>, s set<int>,
//! sa blob static, sm map<text, blob> static`, with column numbers in that order from 0.

use bytes::Bytes;
use cql_mutation::ClusteringKey;
use cql_schema::Table;
use cql_types::{ComponentOrder, CqlType, PartitionKey, encode_clustering};
use std::sync::Arc;

/// Numbers of the regular columns.
pub(crate) const REGULAR: [u16; 4] = [0, 1, 2, 3];
/// Numbers of the static columns.
pub(crate) const STATIC: [u16; 2] = [4, 5];

pub(crate) fn is_complex(column: u16) -> bool {
    matches!(column, 2 | 3 | 5)
}

pub(crate) fn name(column: u16) -> &'static str {
    ["a", "b", "m", "s", "sa", "sm"][usize::from(column)]
}

pub(crate) fn number(name: &str) -> u16 {
    (0..6).find(|column| self::name(*column) == name).unwrap()
}

pub(crate) fn table() -> Table {
    let map = CqlType::Map {
        key: Arc::new(CqlType::Text),
        value: Arc::new(CqlType::Blob),
        frozen: false,
    };
    Table::builder("ks", "t")
        .partition_key("pk", CqlType::Int)
        .clustering("ck", CqlType::Int, ComponentOrder::Asc)
        .regular("a", CqlType::Blob)
        .regular("b", CqlType::Blob)
        .regular("m", map.clone())
        .regular(
            "s",
            CqlType::Set {
                element: Arc::new(CqlType::Int),
                frozen: false,
            },
        )
        .static_column("sa", CqlType::Blob)
        .static_column("sm", map)
        .build()
        .unwrap()
}

pub(crate) fn partition(pk: i32) -> PartitionKey {
    PartitionKey::from_bytes(Bytes::copy_from_slice(&pk.to_be_bytes())).unwrap()
}

pub(crate) fn clustering(ck: i32) -> ClusteringKey {
    let mut out = Vec::new();
    let types = [(CqlType::Int, ComponentOrder::Asc)];
    encode_clustering(&types, &[&ck.to_be_bytes()], &mut out).unwrap();
    out.into()
}

/// The number in an encoded clustering key of the table.
pub(crate) fn clustering_value(key: &[u8]) -> i32 {
    let types = [(CqlType::Int, ComponentOrder::Asc)];
    let values = cql_types::decode_clustering(&types, key).unwrap();
    i32::from_be_bytes(values[0].as_slice().try_into().unwrap())
}
