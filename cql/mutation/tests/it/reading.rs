//! Answers of the reconciler, compared with the naive model, and the rules of limits and pages.

use crate::generate::{update, writes};
use crate::model::{Cells, Visible, Write, visible};
use crate::table::{clustering, clustering_value, partition, table};
use bytes::Bytes;
use cql_mutation::{
    Begin, CellRef, CellValue, ColumnRef, ColumnSet, Comparison, Filter, FilterColumn, Liveness,
    Operator, Order, PageLimit, PartitionHead, PartitionUpdate, Partitions, Position, Predicate,
    Progress, ReadCommand, ReadResult, Reconciler, RowBuilder, RowCopies, RowRef, Slice, Slices,
    SortedRows, Statics,
};
use cql_schema::{ColumnNumber, Table};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Partitions by key, each as the updates of several sources.
pub(crate) type Data = BTreeMap<i32, Vec<PartitionUpdate>>;

/// How sources give their rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Copying {
    Whole,
    /// Each source is cut after so many rows.
    Cut(usize),
}

/// Reads one page.
pub(crate) fn read(
    command: &ReadCommand,
    table: &Table,
    data: &Data,
    copying: Copying,
) -> ReadResult {
    let mut reconciler = Reconciler::new(command, table);
    let resumed = command.resume.as_ref().map(|position| position.key.clone());
    let mut keys: Vec<_> = data.keys().map(|pk| (partition(*pk), pk)).collect();
    if let Some(resumed) = resumed {
        let at = keys.iter().position(|(key, _)| *key == resumed).unwrap();
        keys.drain(..at);
    }
    for (key, pk) in keys {
        let mut head = PartitionHead::default();
        for update in &data[pk] {
            head.add(
                update.deletion,
                update.static_row.as_ref().map(|row| row.as_ref()),
            );
            head.tombstones.merge(update.tombstones.clone());
        }
        if reconciler.begin_partition(&key, key.token(), head) == Begin::Stop {
            break;
        }
        let slices = reconciler.slices().to_vec();
        let sources = data[pk]
            .iter()
            .map(|update| source(update, &slices, command.order, copying));
        let mut sources: Vec<SortedRows> = sources.collect();
        let progress = loop {
            let Ok(progress) = reconciler.run(&mut sources, 2);
            if progress != Progress::Budget {
                break progress;
            }
        };
        if progress == Progress::Stop {
            break;
        }
    }
    reconciler.finish()
}

/// The rows of an update that a source copies: from the first slice to the last.
fn source(
    update: &PartitionUpdate,
    slices: &[Slice],
    order: Order,
    copying: Copying,
) -> SortedRows {
    let start = slices.first().map_or(&[][..], |slice| &slice.start);
    let end = slices.last().map_or(&[][..], |slice| &slice.end);
    let inside = |key: &[u8]| start <= key && key < end;
    let mut rows: Vec<_> = update.rows.iter().filter(|(key, _)| inside(key)).collect();
    if order == Order::Reverse {
        rows.reverse();
    }
    let is_cut = matches!(copying, Copying::Cut(count) if rows.len() > count);
    if let Copying::Cut(count) = copying {
        rows.truncate(count);
    }
    let mut copies = RowCopies::default();
    for (key, row) in rows {
        copies.push(key.as_bytes(), row.as_ref());
    }
    match is_cut {
        true => SortedRows::cut(copies),
        false => SortedRows::complete(copies),
    }
}

/// Reads all pages. Checks that each makes progress.
fn read_all(command: &ReadCommand, table: &Table, data: &Data, copying: Copying) -> ReadResult {
    let mut whole = read(command, table, data, copying);
    let mut pages = 1;
    while let Some(position) = whole.more.take() {
        let position = Position::decode(&position.encode()).unwrap();
        let resumed = ReadCommand {
            resume: Some(position),
            ..command.clone()
        };
        whole.append(read(&resumed, table, data, copying));
        pages += 1;
        assert!(pages < 200, "paging does not end");
    }
    whole
}

fn cells(row: RowRef<'_>) -> Cells {
    let mut cells = Cells::new();
    let mut add = |column: ColumnNumber, path: &[u8], cell: CellRef<'_>| {
        let CellValue::Live(value) = cell.value else {
            panic!("a dead cell in an answer")
        };
        cells.insert((column.0, path.to_vec()), (cell.timestamp, value.to_vec()));
    };
    for (number, column) in row.cells() {
        match column {
            ColumnRef::Simple(cell) => add(number, &[], cell),
            ColumnRef::Complex(complex) => {
                assert_eq!(complex.deletion, None);
                complex
                    .elements()
                    .for_each(|(path, cell)| add(number, path, cell));
            }
        }
    }
    cells
}

/// An answer about one partition in the model's words.
fn answered(result: &ReadResult) -> Visible {
    let mut visible = Visible::default();
    for found in result {
        visible.static_cells = found.partition.static_row.map(cells).unwrap_or_default();
        let Some((key, row)) = found.clustering.zip(found.row) else {
            continue;
        };
        RowRef::parse(row.as_bytes()).unwrap();
        let row = (row.liveness().is_some(), cells(row));
        visible.rows.insert(clustering_value(key), row);
    }
    visible
}

/// What the model expects, as far as an answer can show it: a partition without anything has no row.
fn all_columns(now: i64) -> ReadCommand {
    ReadCommand::all_of(&table(), Partitions::Keys(vec![partition(1)]), now)
}

fn sources(writes: &[Write], cuts: &[usize]) -> Vec<PartitionUpdate> {
    let mut parts: Vec<Vec<Write>> = vec![Vec::new(); 3];
    for (write, part) in writes.iter().zip(cuts.iter().cycle()) {
        parts[part % 3].push(write.clone());
    }
    parts.iter().map(|part| update(part)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn answers_are_those_of_the_model(
        writes in writes(24), parts in prop::collection::vec(0..3_usize, 1..8), now in 0..8_i64,
        reverse in any::<bool>(),
    ) {
        let table = table();
        let expected = visible(&writes, now);
        let mut command = all_columns(now);
        if reverse {
            command.order = Order::Reverse;
        }
        let data = Data::from([(1, sources(&writes, &parts))]);
        let result = read(&command, &table, &data, Copying::Whole);
        prop_assert_eq!(answered(&result), expected.clone());
        let one = Data::from([(1, vec![update(&writes)])]);
        let merged = read(&command, &table, &one, Copying::Whole);
        prop_assert_eq!(merged.digest(), result.digest());
        // In the order asked for.
        let order: Vec<_> = result.iter().filter_map(|row| row.clustering.map(clustering_value)).collect();
        let mut sorted: Vec<_> = expected.rows.keys().copied().collect();
        if reverse {
            sorted.reverse();
        }
        prop_assert_eq!(order, sorted);
        let mut encoded = Vec::new();
        result.encode(&mut encoded);
        prop_assert_eq!(ReadResult::decode(&Bytes::from(encoded)), Ok(result));
    }

    #[test]
    fn pages_of_any_size_add_up(
        first in writes(16), second in writes(16), parts in prop::collection::vec(0..3_usize, 1..8),
        rows in 1..4_u64, bytes in 1..300_u64, tombstones in 1..6_u64, cut in 1..3_usize,
        limit in prop::option::of(1..6_u64), per_partition in prop::option::of(1..3_u64),
        reverse in any::<bool>(), distinct in any::<bool>(), slices in 0..3_u8,
    ) {
        let table = table();
        let data = Data::from([(1, sources(&first, &parts)), (2, sources(&second, &parts))]);
        let mut command = all_columns(4);
        command.partitions = Partitions::Keys(vec![partition(1), partition(2)]);
        command.row_limit = limit;
        command.per_partition_limit = per_partition;
        command.distinct = distinct;
        if reverse {
            command.order = Order::Reverse;
        }
        command.slices = match slices {
            0 => Slices::all(),
            1 => Slices::new(vec![Slice::row(&clustering(0)), Slice::row(&clustering(2))]),
            _ => Slices::new(vec![Slice { start: clustering(1).to_vec(), end: clustering(3).to_vec() }]),
        };
        let whole = read(&command, &table, &data, Copying::Whole);
        prop_assert_eq!(&whole.more, &None);
        command.page = PageLimit { rows, bytes, tombstones };
        for copying in [Copying::Whole, Copying::Cut(cut)] {
            let pages = read_all(&command, &table, &data, copying);
            let rows = |result: &ReadResult| -> Vec<_> {
                result.iter().map(|row| {
                    (row.partition.key.to_vec(), row.clustering.map(<[u8]>::to_vec), row.row.map(cells))
                }).collect()
            };
            prop_assert_eq!(rows(&pages), rows(&whole));
            prop_assert_eq!(pages.row_count(), whole.row_count());
        }
    }

    #[test]
    fn commands_come_back_from_their_bytes(
        reverse in any::<bool>(), distinct in any::<bool>(), limit in prop::option::of(any::<u64>()),
        per_partition in prop::option::of(any::<u64>()), now in any::<i64>(), tokens in any::<bool>(),
        position in prop::option::of((any::<i32>(), prop::option::of(any::<i32>()), any::<bool>())),
    ) {
        let mut command = all_columns(now);
        command.order = if reverse { Order::Reverse } else { Order::Forward };
        command.distinct = distinct;
        command.row_limit = limit;
        command.per_partition_limit = per_partition;
        command.slices = Slices::new(vec![Slice::row(&clustering(1)), Slice::row(&clustering(5))]);
        if tokens {
            command.partitions = Partitions::Range {
                start: std::ops::Bound::Excluded(partition(7).token()),
                end: std::ops::Bound::Unbounded,
            };
        }
        command.resume = position.map(|(pk, ck, partition_has_rows)| Position {
            token: partition(pk).token(),
            key: partition(pk),
            clustering: ck.map(clustering),
            partition_has_rows,
            remaining_rows: limit,
            remaining_in_partition: per_partition,
        });
        let operand = || Bytes::from_static(b"x");
        command.filter.comparisons = [
            Predicate::Compare(Operator::GtEq, operand()),
            Predicate::In(vec![operand(), Bytes::new()]),
            Predicate::Contains(operand()),
            Predicate::ContainsKey(operand()),
            Predicate::Entry { key: operand(), value: operand() },
            Predicate::IsNotNull,
        ]
        .map(|predicate| Comparison { column: FilterColumn::Clustering(3), predicate })
        .into();
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        prop_assert_eq!(ReadCommand::decode(&bytes), Ok(command));
        for cut in 0..bytes.len() {
            prop_assert!(ReadCommand::decode(&bytes[..cut]).is_err());
        }
    }
}

fn inserted(ck: i32, a: &[u8]) -> PartitionUpdate {
    let mut row = RowBuilder::new();
    row.liveness(Liveness::lasting(1))
        .set(ColumnNumber(0), 1, a);
    PartitionUpdate::of_row(clustering(ck), row.finish())
}

fn count(command: &ReadCommand, data: &Data) -> u64 {
    read(command, &table(), data, Copying::Whole).row_count()
}

/// Partition 1 has rows 1, 2, 3 with a = 0x01, 0x02, 0x03 and sa = 0x09, partition 2 has only sa.
fn some_data() -> Data {
    let mut statics = RowBuilder::new();
    statics.set(ColumnNumber(4), 1, &[9]);
    let static_row = statics.finish();
    let only_static = PartitionUpdate {
        static_row: Some(static_row.clone()),
        ..PartitionUpdate::default()
    };
    let rows = [1, 2, 3].map(|n| inserted(n, &[n as u8]));
    let [a, b, c] = rows;
    let first = a.merge(b).merge(c).merge(only_static.clone());
    Data::from([(1, vec![first]), (2, vec![only_static])])
}

#[test]
fn a_partition_of_static_columns_is_a_row_only_if_it_stands_alone() {
    let mut command = all_columns(0);
    assert_eq!(count(&command, &some_data()), 4);
    command.statics = Statics::Fetch;
    assert_eq!(count(&command, &some_data()), 3);
    command.statics = Statics::StandAlone;
    command.row_limit = Some(3);
    assert_eq!(count(&command, &some_data()), 3);
    command.row_limit = None;
    command.distinct = true;
    assert_eq!(count(&command, &some_data()), 2);
}

#[test]
fn rows_exist_by_columns_that_are_not_wanted_but_not_by_dropped_ones() {
    let mut command = all_columns(0);
    command.statics = Statics::Skip;
    command.columns = [ColumnNumber(1)].into_iter().collect();
    let mut updated = RowBuilder::new();
    updated.set(ColumnNumber(0), 1, b"v");
    let mut dropped = RowBuilder::new();
    dropped.set(ColumnNumber(77), 1, b"v");
    let data = Data::from([(
        1,
        vec![
            PartitionUpdate::of_row(clustering(1), updated.finish()),
            PartitionUpdate::of_row(clustering(2), dropped.finish()),
        ],
    )]);
    let result = read(&command, &table(), &data, Copying::Whole);
    let rows: Vec<_> = result
        .iter()
        .map(|row| (row.clustering, row.row.unwrap()))
        .collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].0, Some(clustering(1).as_bytes()));
    assert!(rows[0].1.is_empty());
}

#[test]
fn limits_count_rows_that_pass_the_filter() {
    let mut command = all_columns(0);
    command.statics = Statics::Fetch;
    command.filter = Filter {
        comparisons: vec![
            Comparison {
                column: FilterColumn::Cell(ColumnNumber(0)),
                predicate: Predicate::Compare(Operator::Gt, Bytes::from_static(&[1])),
            },
            Comparison {
                column: FilterColumn::Clustering(0),
                predicate: Predicate::In(vec![
                    Bytes::from_static(&[0, 0, 0, 3]),
                    Bytes::from_static(&[0, 0, 0, 1]),
                ]),
            },
            Comparison {
                column: FilterColumn::PartitionKey(0),
                predicate: Predicate::Compare(Operator::Eq, Bytes::from_static(&[0, 0, 0, 1])),
            },
            Comparison {
                column: FilterColumn::Cell(ColumnNumber(4)),
                predicate: Predicate::IsNotNull,
            },
        ],
    };
    command.row_limit = Some(1);
    let result = read(&command, &table(), &some_data(), Copying::Whole);
    let found: Vec<_> = result
        .iter()
        .filter_map(|row| row.clustering.map(clustering_value))
        .collect();
    assert_eq!(found, [3]);
    assert_eq!(result.stats.rows_scanned, 3);
}

#[test]
fn filters_look_into_collections() {
    let mut row = RowBuilder::new();
    row.element(ColumnNumber(2), b"k", CellRef::live(1, b"v"))
        .element(ColumnNumber(3), &7_i32.to_be_bytes(), CellRef::live(1, b""));
    let data = Data::from([(
        1,
        vec![PartitionUpdate::of_row(clustering(1), row.finish())],
    )]);
    let bytes = |bytes: &'static [u8]| Bytes::from_static(bytes);
    let passes = |column: u16, predicate: Predicate| {
        let mut command = all_columns(0);
        let column = FilterColumn::Cell(ColumnNumber(column));
        command.filter.comparisons = vec![Comparison { column, predicate }];
        count(&command, &data) == 1
    };
    assert!(passes(2, Predicate::Contains(bytes(b"v"))));
    assert!(!passes(2, Predicate::Contains(bytes(b"k"))));
    assert!(passes(2, Predicate::ContainsKey(bytes(b"k"))));
    assert!(passes(
        2,
        Predicate::Entry {
            key: bytes(b"k"),
            value: bytes(b"v")
        }
    ));
    assert!(!passes(
        2,
        Predicate::Entry {
            key: bytes(b"k"),
            value: bytes(b"w")
        }
    ));
    assert!(passes(3, Predicate::Contains(bytes(&[0, 0, 0, 7]))));
    assert!(!passes(3, Predicate::Contains(bytes(&[0, 0, 0, 8]))));
    assert!(!passes(1, Predicate::IsNotNull));
}

#[test]
fn a_row_can_be_offered_without_a_source() {
    let (table, command) = (table(), all_columns(0));
    let data = some_data();
    let expected = read(&command, &table, &data, Copying::Whole);
    let mut reconciler = Reconciler::new(&command, &table);
    for (pk, updates) in &data {
        let mut head = PartitionHead::default();
        head.add(None, updates[0].static_row.as_ref().map(|row| row.as_ref()));
        reconciler.begin_partition(&partition(*pk), partition(*pk).token(), head);
        for (key, row) in &updates[0].rows {
            assert_eq!(reconciler.offer(key, row.as_ref()), Progress::Budget);
        }
        assert_eq!(reconciler.close_partition(), Progress::Partition);
    }
    let result = reconciler.finish();
    assert_eq!(result, expected);
    let first = result.iter().next().unwrap().partition;
    assert_eq!(result.partition_key(&first), Some(partition(1)));
}

#[test]
fn only_wanted_columns_are_copied() {
    let mut row = RowBuilder::new();
    row.liveness(Liveness::lasting(1))
        .set(ColumnNumber(0), 1, b"a")
        .set(ColumnNumber(1), 1, b"b");
    let data = Data::from([(
        1,
        vec![PartitionUpdate::of_row(clustering(1), row.finish())],
    )]);
    let mut command = all_columns(0);
    command.columns = ColumnSet::from_iter([ColumnNumber(1)]);
    let result = read(&command, &table(), &data, Copying::Whole);
    let row = result.iter().next().unwrap().row.unwrap();
    assert!(row.cell(ColumnNumber(0)).is_none());
    assert!(row.cell(ColumnNumber(1)).is_some());
    assert_eq!(format!("{row:?}"), "marker@1 1=0x62@1");
}

#[test]
fn the_clustering_as_written_is_shown_until_it_is_deleted() {
    let mut row = RowBuilder::new();
    row.liveness(Liveness::expiring(5, 1, 10))
        .written_clustering(5, b"1.00");
    let mut newer = RowBuilder::new();
    newer
        .set(ColumnNumber(0), 7, b"v")
        .written_clustering(7, b"1.0");
    let mut data = Data::from([(
        1,
        vec![PartitionUpdate::of_row(clustering(1), row.finish())],
    )]);
    let shown = |data: &Data| {
        let result = read(&all_columns(0), &table(), data, Copying::Whole);
        let row = result.iter().next().and_then(|found| found.row);
        row.and_then(|row| row.written_clustering())
            .map(|written| written.bytes.to_vec())
    };
    assert_eq!(shown(&data), Some(b"1.00".to_vec()));
    data.get_mut(&1)
        .unwrap()
        .push(PartitionUpdate::of_row(clustering(1), newer.finish()));
    assert_eq!(shown(&data), Some(b"1.0".to_vec()));
}
