//! The golden bytes of `docs/row-format.md`: each block is decoded, printed and encoded again.

use cql_mutation::{
    Deletion, Mutation, PartitionHeader, PartitionUpdate, Position, RangeTombstones, Row, RowBuf,
    RowRef,
};
use std::fmt::Write as _;

const DOCUMENT: &str = include_str!("../../../../docs/row-format.md");

/// Blocks between "```golden KIND" and "```": lines of text, `---`, lines of hex with remarks after `;`.
fn blocks() -> Vec<(&'static str, String, Vec<u8>)> {
    let parts = DOCUMENT.split("```golden ").skip(1);
    let block = |part: &'static str| {
        let (kind, rest) = part.split_once('\n').unwrap();
        let (body, _) = rest.split_once("```").unwrap();
        let (text, hex) = body.split_once("---\n").unwrap();
        let digits: String = hex
            .lines()
            .map(|line| line.split(';').next().unwrap())
            .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
            .collect();
        let pairs = digits.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16));
        (
            kind,
            text.trim_end().to_string(),
            bytes.map(Result::unwrap).collect(),
        )
    };
    parts.map(block).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn deletion(deletion: Deletion) -> String {
    format!("deleted@{}/{}", deletion.timestamp, deletion.deleted_at)
}

fn ranges(ranges: &RangeTombstones, text: &mut String) {
    for range in ranges.iter() {
        let (start, end) = (hex(range.start), hex(range.end));
        writeln!(
            text,
            "range 0x{start}..0x{end} {}",
            deletion(range.deletion)
        )
        .unwrap();
    }
}

fn update(update: &PartitionUpdate, text: &mut String) {
    if let Some(found) = update.deletion {
        writeln!(text, "partition {}", deletion(found)).unwrap();
    }
    if let Some(row) = &update.static_row {
        writeln!(text, "static {}", Row::from(row.as_ref())).unwrap();
    }
    ranges(&update.tombstones, text);
    for (key, row) in &update.rows {
        writeln!(text, "row 0x{} {}", hex(key), Row::from(row.as_ref())).unwrap();
    }
}

/// The text of a golden thing, and its bytes when it is encoded again.
fn decode(kind: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    let mut text = String::new();
    let mut again = Vec::new();
    match kind {
        "row" => {
            let row = Row::from(RowRef::parse(bytes).unwrap());
            text = row.to_string();
            again = RowBuf::from(&row).into_bytes().into();
        }
        "header" => {
            let header = PartitionHeader::decode(bytes).unwrap();
            if let Some(found) = header.deletion {
                writeln!(text, "partition {}", deletion(found)).unwrap();
            }
            if let Some(row) = header.static_row {
                writeln!(text, "static {}", Row::from(row)).unwrap();
            }
            writeln!(text, "ranges {:?}", header.ranges).unwrap();
            header.encode(&mut again);
        }
        "chunk" => {
            let mut found = RangeTombstones::new();
            found.add_chunk(bytes).unwrap();
            ranges(&found, &mut text);
            again = found.to_chunks(4096).remove(0).1;
        }
        "mutation" => {
            let mutation = Mutation::decode(bytes).unwrap();
            let key = hex(mutation.key.as_bytes());
            writeln!(text, "table {} key 0x{key}", mutation.table.0).unwrap();
            update(&mutation.update, &mut text);
            mutation.encode(&mut again);
        }
        "position" => {
            let position = Position::decode(bytes).unwrap();
            let clustering = position.clustering.as_deref().map(hex);
            write!(
                text,
                "key 0x{} clustering {} rows {:?} in partition {:?} has rows {}",
                hex(position.key.as_bytes()),
                clustering.map_or("none".to_string(), |key| format!("0x{key}")),
                position.remaining_rows,
                position.remaining_in_partition,
                position.partition_has_rows,
            )
            .unwrap();
            again = position.encode();
        }
        _ => panic!("unknown kind {kind}"),
    }
    (text.trim_end().to_string(), again)
}

#[test]
fn the_documented_bytes_are_ours() {
    let blocks = blocks();
    for kind in ["row", "header", "chunk", "mutation", "position"] {
        assert!(
            blocks.iter().any(|(found, ..)| *found == kind),
            "no example of a {kind}"
        );
    }
    for (kind, text, bytes) in blocks {
        let (decoded, again) = decode(kind, &bytes);
        assert_eq!(decoded, text);
        assert_eq!(hex(&again), hex(&bytes), "{kind} {text}");
    }
}

#[test]
fn a_usual_row_costs_19_bytes_beside_its_values() {
    let row = cql_mutation::RowBuilder::new;
    let mut builder = row();
    let at = 1_790_000_000_000_000;
    builder.liveness(cql_mutation::Liveness::lasting(at));
    for column in 0..5 {
        builder.set(cql_schema::ColumnNumber(column), at, &[7; 34]);
    }
    assert_eq!(builder.finish().as_bytes().len(), 5 * 34 + 19);
}
