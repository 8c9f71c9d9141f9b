//! Complex columns become the values that CQL knows.

use bytes::Bytes;
use cql_mutation::{
    CellRef, ColumnRef, Deletion, RowBuf, RowBuilder, assemble_collection, field_path,
};
use cql_schema::ColumnNumber;
use cql_types::{CqlType, UdtType, to_literal};
use rstest::rstest;
use std::sync::Arc;

const COLUMN: ColumnNumber = ColumnNumber(3);

fn int(number: i32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

fn list(element: CqlType) -> CqlType {
    CqlType::List {
        element: Arc::new(element),
        frozen: false,
    }
}

fn set(element: CqlType) -> CqlType {
    CqlType::Set {
        element: Arc::new(element),
        frozen: false,
    }
}

fn map(key: CqlType, value: CqlType) -> CqlType {
    CqlType::Map {
        key: Arc::new(key),
        value: Arc::new(value),
        frozen: false,
    }
}

fn udt() -> CqlType {
    let fields = ["x", "y", "z"].map(|name| (Arc::from(name), CqlType::Int));
    let def = UdtType {
        keyspace: Arc::from("ks"),
        name: Arc::from("u"),
        fields: fields.into(),
    };
    CqlType::Udt {
        def: Arc::new(def),
        frozen: false,
    }
}

fn value_at(row: &RowBuf, ty: &CqlType, now: i64) -> Option<String> {
    let Some(ColumnRef::Complex(column)) = row.as_ref().cell(COLUMN) else {
        return None;
    };
    let mut value = Vec::new();
    assemble_collection(ty, &column, now, &mut value).then(|| to_literal(ty, &value))
}

#[rstest]
#[case::list_in_path_order(list(CqlType::Int), vec![(Bytes::from_static(b"b"), int(2)), (Bytes::from_static(b"a"), int(1))], "[1, 2]")]
#[case::set_in_cql_order(set(CqlType::Int), vec![(int(1), Bytes::new()), (int(-1), Bytes::new())], "{-1, 1}")]
#[case::map_in_cql_order(map(CqlType::Int, CqlType::Int), vec![(int(5), int(6)), (int(-7), int(8))], "{-7: 8, 5: 6}")]
#[case::fields_by_number(udt(), vec![(Bytes::copy_from_slice(&field_path(2)), int(9)), (Bytes::copy_from_slice(&field_path(0)), int(7))], "{x: 7, y: null, z: 9}")]
fn elements_in_any_order(
    #[case] ty: CqlType,
    #[case] elements: Vec<(Bytes, Bytes)>,
    #[case] literal: &str,
) {
    let mut row = RowBuilder::new();
    for (path, value) in &elements {
        row.element(COLUMN, path, CellRef::live(1, value));
    }
    assert_eq!(value_at(&row.finish(), &ty, 0).as_deref(), Some(literal));
}

#[test]
fn a_collection_without_live_elements_is_null() {
    let ty = set(CqlType::Int);
    let mut row = RowBuilder::new();
    row.collection_deletion(
        COLUMN,
        Deletion {
            timestamp: 1,
            deleted_at: 0,
        },
    )
    .element(COLUMN, &int(1), CellRef::expiring(2, 5, 10, b""))
    .element(COLUMN, &int(2), CellRef::tombstone(2, 0));
    let row = row.finish();
    assert_eq!(value_at(&row, &ty, 9).as_deref(), Some("{1}"));
    assert_eq!(value_at(&row, &ty, 10), None);
}
