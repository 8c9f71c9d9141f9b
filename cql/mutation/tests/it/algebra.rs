//! Merging as algebra, down to the bytes.

use crate::generate::{deletion, range, row, update, writes};
use crate::table::partition;
use cql_mutation::{
    Deletion, Mutation, PurgePolicy, Purged, RangeTombstone, RangeTombstones, Row, RowBuf,
    RowBuilder, RowRef, Shadowed, purge, shadow,
};
use cql_types::{TableId, Uuid};
use proptest::prelude::*;

fn shadowed(row: &RowBuf, deletion: Deletion) -> RowBuf {
    match shadow(row.as_ref(), deletion) {
        Shadowed::Untouched => row.clone(),
        Shadowed::Partly(rest) => rest,
        Shadowed::Gone => RowBuilder::new().finish(),
    }
}

fn purged(row: &RowBuf, policy: &PurgePolicy) -> RowBuf {
    match purge(row.as_ref(), policy) {
        Purged::Unchanged => row.clone(),
        Purged::Changed(rest) => rest,
        Purged::Nothing => RowBuilder::new().finish(),
    }
}

/// The row a reader sees, in words.
fn seen(row: &RowBuf, now: i64) -> Vec<String> {
    let row = Row::from(row.as_ref());
    let mut words = Vec::new();
    if row.liveness.is_some_and(|marker| marker.is_live(now)) {
        words.push("marker".to_string());
    }
    for (number, column) in &row.columns {
        match column {
            cql_mutation::Column::Simple(cell) if cell.as_ref().is_live(now) => {
                words.push(format!("{number}={cell}"));
            }
            cql_mutation::Column::Simple(_) => {}
            cql_mutation::Column::Complex { elements, .. } => {
                for (path, cell) in elements {
                    if cell.as_ref().is_live(now) {
                        words.push(format!("{number}[{path:?}]={cell}"));
                    }
                }
            }
        }
    }
    words
}

fn deletion_at(ranges: &[RangeTombstone], position: &[u8]) -> Option<Deletion> {
    let around = |range: &&RangeTombstone| {
        range.start.as_slice() <= position && position < range.end.as_slice()
    };
    ranges
        .iter()
        .filter(around)
        .map(|range| range.deletion)
        .max()
}

fn mutation(writes: &[crate::model::Write]) -> Mutation {
    Mutation::new(
        TableId(Uuid::from_bytes([7; 16])),
        partition(1),
        update(writes),
    )
}

fn encoded(mutation: &Mutation) -> Vec<u8> {
    let mut out = Vec::new();
    mutation.encode(&mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn rows_merge_in_any_order(a in row(), b in row(), c in row()) {
        prop_assert_eq!(a.merged(&b), b.merged(&a));
        prop_assert_eq!(a.merged(&b).merged(&c), a.merged(&b.merged(&c)));
        prop_assert_eq!(a.merged(&a), a.clone());
        prop_assert_eq!(a.merged(&b).merged(&b), a.merged(&b));
    }

    #[test]
    fn rows_come_back_from_their_bytes(row in row()) {
        prop_assert_eq!(RowRef::parse(row.as_bytes()), Ok(row.as_ref()));
        prop_assert_eq!(RowBuf::from(&Row::from(row.as_ref())), row);
    }

    #[test]
    fn a_builder_in_any_order_makes_the_merged_row(a in row(), b in row()) {
        // The pieces of both, as one builder gets them.
        let (x, y) = (Row::from(a.as_ref()), Row::from(b.as_ref()));
        let mut builder = RowBuilder::new();
        for row in [&x, &y] {
            for (number, column) in row.columns.iter().rev() {
                let number = cql_schema::ColumnNumber(*number);
                match column {
                    cql_mutation::Column::Simple(cell) => { builder.cell(number, cell.as_ref()); }
                    cql_mutation::Column::Complex { deletion, elements } => {
                        for (path, cell) in elements.iter().rev() {
                            builder.element(number, path, cell.as_ref());
                        }
                        if let Some(deletion) = deletion {
                            builder.collection_deletion(number, *deletion);
                        }
                    }
                }
            }
            if let Some((at, bytes)) = &row.written_clustering { builder.written_clustering(*at, bytes); }
            if let Some(deletion) = row.deletion { builder.delete_row(deletion); }
            if let Some(marker) = row.liveness { builder.liveness(marker); }
        }
        let taken = builder.clone().take();
        prop_assert_eq!(&taken, &a.merged(&b));
        prop_assert_eq!(builder.finish(), taken);
    }

    #[test]
    fn shadowing_and_merging_commute(a in row(), b in row(), first in deletion(), second in deletion()) {
        let merged_first = shadowed(&a.merged(&b), first);
        prop_assert_eq!(&merged_first, &shadowed(&a, first).merged(&shadowed(&b, first)));
        prop_assert_eq!(&merged_first, &shadowed(&shadowed(&a, first).merged(&b), first));
        let both = shadowed(&shadowed(&a, first), second);
        prop_assert_eq!(&both, &shadowed(&shadowed(&a, second), first));
        prop_assert_eq!(both, shadowed(&a, first.max(second)));
    }

    #[test]
    fn purging_hides_nothing_and_shows_nothing(
        row in row(), gc_before in 0..8_i64, floor in 0..8_i64, now in 0..8_i64, later in 0..4_i64,
    ) {
        let policy = PurgePolicy { gc_before, floor, now };
        let rest = purged(&row, &policy);
        prop_assert_eq!(seen(&row, now + later), seen(&rest, now + later));
        prop_assert_eq!(purged(&rest, &policy), rest);
    }

    #[test]
    fn what_is_purged_is_not_missed_by_what_can_still_arrive(
        row in row(), other in row(), gc_before in 0..8_i64, floor in 0..8_i64, now in 0..8_i64,
    ) {
        // Only things from the floor on can arrive.
        let other = shadowed(&other, Deletion { timestamp: floor - 1, deleted_at: 0 });
        let policy = PurgePolicy { gc_before, floor, now };
        let rest = purged(&row, &policy);
        prop_assert_eq!(seen(&row.merged(&other), now), seen(&rest.merged(&other), now));
        // And purging before or after merging with it leaves the same to see.
        prop_assert_eq!(seen(&purged(&row.merged(&other), &policy), now), seen(&rest.merged(&other), now));
    }

    #[test]
    fn range_tombstones_are_the_maximum_at_each_position(
        ranges in prop::collection::vec(range(), 0..10), split in 0..10_usize,
    ) {
        let all: RangeTombstones = ranges.iter().cloned().collect();
        let backwards: RangeTombstones = ranges.iter().rev().cloned().collect();
        prop_assert_eq!(&all, &backwards);
        let (left, right) = ranges.split_at(split.min(ranges.len()));
        let mut merged: RangeTombstones = left.iter().cloned().collect();
        merged.merge(right.iter().cloned().collect());
        prop_assert_eq!(&all, &merged);
        merged.merge(all.clone());
        prop_assert_eq!(&all, &merged);
        for position in 0..8_u8 {
            for position in [vec![position], vec![position, 0]] {
                prop_assert_eq!(all.covering(&position), deletion_at(&ranges, &position));
            }
        }
        // Disjoint, ascending, joined.
        let list: Vec<_> = all.iter().collect();
        for pair in list.windows(2) {
            prop_assert!(pair[0].end < pair[1].start || (pair[0].end == pair[1].start && pair[0].deletion != pair[1].deletion));
        }
        // A part of it acts as the whole does there.
        let part = all.slice(&[2], &[4]);
        for position in 0..8_u8 {
            let inside = (2..4).contains(&position);
            prop_assert_eq!(part.covering(&[position]), all.covering(&[position]).filter(|_| inside));
        }
        // Chunks bring it back in any order.
        for chunk_bytes in [1, 30, 4096] {
            let mut read = RangeTombstones::new();
            for (start, chunk) in all.to_chunks(chunk_bytes).iter().rev() {
                prop_assert!(all.iter().any(|range| range.start == start.as_slice()));
                read.add_chunk(chunk).unwrap();
            }
            prop_assert_eq!(&read, &all);
        }
    }

    #[test]
    fn updates_merge_in_any_order(a in writes(8), b in writes(8), c in writes(8)) {
        let whole = update(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (update(&a), update(&b), update(&c));
        prop_assert_eq!(&a.clone().merge(b.clone()), &b.clone().merge(a.clone()));
        prop_assert_eq!(&a.clone().merge(b.clone()).merge(c.clone()), &whole);
        prop_assert_eq!(&a.clone().merge(b.clone().merge(c)), &whole);
        prop_assert_eq!(&a.clone().merge(a.clone()), &a);
    }

    #[test]
    fn mutations_come_back_from_their_bytes(writes in writes(16)) {
        let mutation = mutation(&writes);
        let bytes = encoded(&mutation);
        prop_assert!(bytes.len() <= mutation.encoded_len());
        prop_assert!(mutation.encoded_len() <= bytes.len() + 64 + 20 * mutation.update.tombstones.len());
        let header = Mutation::peek(&bytes).unwrap();
        prop_assert_eq!((header.table, header.token), (mutation.table, mutation.token));
        prop_assert_eq!(Mutation::decode(&bytes), Ok(mutation));
    }
}
