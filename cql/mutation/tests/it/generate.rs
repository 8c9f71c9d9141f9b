//! Random writes over few rows, columns, times and values, so that everything collides; and their way
//! into the crate's types.

use crate::model::{Kind, ModelCell, Write};
use crate::table::{REGULAR, STATIC, clustering, is_complex};
use cql_mutation::{
    CellRef, Deletion, Liveness, PartitionUpdate, PartitionUpdateBuilder, RangeTombstone, RowBuf,
    RowBuilder,
};
use cql_schema::ColumnNumber;
use proptest::prelude::*;

/// Mostly small times that collide, some real ones, some extremes.
pub(crate) fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        12 => 0..8_i64,
        2 => (0..3_i64).prop_map(|n| 1_700_000_000_000_000 + n * 1_000_000),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-1), Just(1 << 55), Just(-(1 << 55) - 1)],
    ]
}

fn second() -> impl Strategy<Value = i64> {
    0..6_i64
}

fn row_number() -> impl Strategy<Value = i32> {
    0..4_i32
}

fn cell() -> impl Strategy<Value = ModelCell> {
    let value = || prop_oneof![Just(vec![]), Just(vec![1]), Just(vec![1, 2]), Just(vec![2])];
    let kind = prop_oneof![
        4 => value().prop_map(Kind::Live),
        2 => (1..4_u32, 0..8_i64, value())
            .prop_map(|(ttl, expires, value)| Kind::Expiring { ttl, expires, value }),
        2 => second().prop_map(|second| Kind::Deleted { second }),
    ];
    (time(), kind).prop_map(|(at, kind)| ModelCell { at, kind })
}

fn place() -> impl Strategy<Value = (Option<i32>, u16)> {
    prop_oneof![
        4 => (row_number().prop_map(Some), prop::sample::select(REGULAR.to_vec())),
        1 => (Just(None), prop::sample::select(STATIC.to_vec())),
    ]
}

/// One write.
pub(crate) fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        3 => (row_number(), time(), 0..3_u32, 0..8_i64).prop_map(|(row, at, ttl, expires)| {
            Write::Marker { row, at, ttl, expires: if ttl == 0 { 0 } else { expires } }
        }),
        10 => (place(), 0..3_u8, cell()).prop_map(|((row, column), path, cell)| {
            let path = if is_complex(column) { vec![b'a' + path] } else { vec![] };
            Write::Cell { row, column, path, cell }
        }),
        1 => (place(), time(), second()).prop_map(|((row, column), at, second)| {
            let column = match (row, is_complex(column)) {
                (_, true) => column,
                (Some(_), false) => 2,
                (None, false) => 5,
            };
            Write::DeleteCollection { row, column, at, second }
        }),
        1 => (row_number(), time(), second())
            .prop_map(|(row, at, second)| Write::DeleteRow { row, at, second }),
        1 => (row_number(), row_number(), time(), second()).prop_map(|(start, end, at, second)| {
            Write::DeleteRange { start, end, at, second }
        }),
        1 => (time(), second()).prop_map(|(at, second)| Write::DeletePartition { at, second }),
    ]
}

/// Some writes.
pub(crate) fn writes(max: usize) -> impl Strategy<Value = Vec<Write>> {
    prop::collection::vec(write(), 0..max)
}

/// Writes to the rows of one partition become a row: all parts of row 0 that a row can hold.
pub(crate) fn row() -> impl Strategy<Value = RowBuf> {
    let of_row = writes(14).prop_map(|writes| {
        let mut builder = RowBuilder::new();
        for write in &writes {
            match write {
                Write::DeleteRange { .. } | Write::DeletePartition { .. } => {}
                _ => add_to_row(&mut builder, write),
            }
        }
        builder
    });
    let written = prop::option::weighted(0.2, prop_oneof![Just(b"1.0"), Just(b"1.1")]);
    (of_row, written).prop_map(|(mut builder, written)| {
        if let Some(bytes) = written {
            let at = builder
                .clone()
                .finish()
                .as_ref()
                .max_timestamp()
                .unwrap_or(0);
            builder.written_clustering(at, bytes);
        }
        builder.finish()
    })
}

pub(crate) fn deletion() -> impl Strategy<Value = Deletion> {
    (time(), second()).prop_map(|(timestamp, deleted_at)| Deletion {
        timestamp,
        deleted_at,
    })
}

pub(crate) fn range() -> impl Strategy<Value = RangeTombstone> {
    (0..6_u8, 0..6_u8, deletion()).prop_map(|(start, end, deletion)| RangeTombstone {
        start: vec![start],
        end: vec![end],
        deletion,
    })
}

fn add_to_row(builder: &mut RowBuilder, write: &Write) {
    match write {
        Write::Marker {
            at, ttl, expires, ..
        } => {
            builder.liveness(Liveness::expiring(*at, *ttl, *expires));
        }
        Write::Cell {
            column, path, cell, ..
        } => {
            let number = ColumnNumber(*column);
            let cell = match &cell.kind {
                Kind::Live(value) => CellRef::live(cell.at, value),
                Kind::Expiring {
                    ttl,
                    expires,
                    value,
                } => CellRef::expiring(cell.at, *ttl, *expires, value),
                Kind::Deleted { second } => CellRef::tombstone(cell.at, *second),
            };
            match is_complex(*column) {
                true => builder.element(number, path, cell),
                false => builder.cell(number, cell),
            };
        }
        Write::DeleteCollection {
            column, at, second, ..
        } => {
            let deletion = Deletion {
                timestamp: *at,
                deleted_at: *second,
            };
            builder.collection_deletion(ColumnNumber(*column), deletion);
        }
        Write::DeleteRow { at, second, .. } => {
            builder.delete_row(Deletion {
                timestamp: *at,
                deleted_at: *second,
            });
        }
        Write::DeleteRange { .. } | Write::DeletePartition { .. } => unreachable!(),
    }
}

/// All writes as one update.
pub(crate) fn update(writes: &[Write]) -> PartitionUpdate {
    let mut builder = PartitionUpdateBuilder::new();
    for write in writes {
        let mut row = RowBuilder::new();
        match write {
            Write::DeletePartition { at, second } => {
                builder.delete_partition(Deletion {
                    timestamp: *at,
                    deleted_at: *second,
                });
            }
            Write::DeleteRange {
                start,
                end,
                at,
                second,
            } => {
                builder.delete_range(RangeTombstone {
                    start: clustering(*start).to_vec(),
                    end: clustering(*end).to_vec(),
                    deletion: Deletion {
                        timestamp: *at,
                        deleted_at: *second,
                    },
                });
            }
            Write::Marker { row: number, .. }
            | Write::DeleteRow { row: number, .. }
            | Write::Cell {
                row: Some(number), ..
            }
            | Write::DeleteCollection {
                row: Some(number), ..
            } => {
                add_to_row(&mut row, write);
                builder.row(clustering(*number), row.finish());
            }
            Write::Cell { row: None, .. } | Write::DeleteCollection { row: None, .. } => {
                add_to_row(&mut row, write);
                builder.static_row(row.finish());
            }
        }
    }
    builder.finish()
}
