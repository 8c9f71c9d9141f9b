//! Bytes that are not ours, or were changed on the way: an error, never a panic, never a wrong shape.

use crate::generate::{row, update, writes};
use crate::table::{clustering, partition};
use bytes::Bytes;
use cql_mutation::{
    DecodeError, Mutation, PartitionHeader, Position, RangeTombstones, ReadCommand, ReadResult,
    Row, RowRef,
};
use cql_types::{TableId, Uuid};
use proptest::prelude::*;

fn decode_everything(bytes: &[u8]) {
    if let Ok(row) = RowRef::parse(bytes) {
        let _ = (
            Row::from(row).to_string(),
            row.is_live(0),
            row.max_timestamp(),
        );
        assert!(RowRef::parse(row.to_buf().merged(&row.to_buf()).as_bytes()).is_ok());
    }
    // Unchecked bytes may say anything, but must not panic.
    let _ = Row::from(RowRef::trusted(bytes)).to_string();
    if let Ok(mutation) = Mutation::decode(bytes) {
        let mut again = Vec::new();
        mutation.encode(&mut again);
        assert_eq!(Mutation::decode(&again), Ok(mutation));
    }
    let _ = Mutation::peek(bytes);
    let _ = PartitionHeader::decode(bytes);
    let _ = RangeTombstones::new().add_chunk(bytes);
    let _ = Position::decode(bytes);
    let _ = ReadCommand::decode(bytes);
    if let Ok(result) = ReadResult::decode(&Bytes::copy_from_slice(bytes)) {
        assert_eq!(result.iter().count() as u64, result.row_count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn noise_is_refused(format in 0..3_u8, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_everything(&bytes);
        decode_everything(&[vec![format], bytes].concat());
    }

    #[test]
    fn changed_bytes_do_not_panic(
        row in row(), writes in writes(8), at in any::<prop::sample::Index>(), to in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mutation = Mutation::new(TableId(Uuid::from_bytes([1; 16])), partition(1), update(&writes));
        let mut encoded = Vec::new();
        mutation.encode(&mut encoded);
        for bytes in [row.as_bytes(), &encoded] {
            let mut changed = bytes.to_vec();
            changed[at.index(bytes.len())] = to;
            decode_everything(&changed);
            decode_everything(&bytes[..cut.index(bytes.len())]);
        }
        prop_assert!(Mutation::decode(&encoded[..cut.index(encoded.len())]).is_err());
    }

    #[test]
    fn a_changed_paging_state_is_an_error(
        pk in any::<i32>(), ck in any::<i32>(), at in any::<prop::sample::Index>(), xor in 1..=255_u8,
    ) {
        let position = Position {
            token: partition(pk).token(),
            key: partition(pk),
            clustering: Some(clustering(ck)),
            partition_has_rows: true,
            remaining_rows: Some(7),
            remaining_in_partition: None,
        };
        let mut bytes = position.encode();
        prop_assert_eq!(Position::decode(&bytes), Ok(position));
        let at = at.index(bytes.len());
        bytes[at] ^= xor;
        prop_assert!(Position::decode(&bytes).is_err());
    }
}

#[test]
fn counts_are_checked_before_anything_is_reserved() {
    // A mutation that claims 2^60 rows.
    let mut bytes = vec![1];
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(&[1, 0x61, 0]);
    bytes.extend_from_slice(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    let what = "the number of rows";
    assert_eq!(
        Mutation::decode(&bytes),
        Err(DecodeError::Truncated { what })
    );
}

#[test]
fn unknown_formats_and_flags_are_errors() {
    let format = RowRef::parse(&[2, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(
        format.to_string(),
        "a row has format 2, which this version does not know; was it written by a newer one?"
    );
    for flags in [0x20, 0x40, 0x80, 0x02] {
        let bytes = [1, flags, 0, 0, 0, 0, 0, 0, 0];
        let found = RowRef::parse(&bytes);
        assert_eq!(
            found,
            Err(DecodeError::UnknownFlags {
                what: "a row",
                found: flags
            })
        );
    }
    let head = RowRef::parse(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0]);
    assert_eq!(
        head,
        Err(DecodeError::UnknownFlags {
            what: "a cell of a row",
            found: 0x80
        })
    );
    assert_eq!(
        PartitionHeader::decode(&[1, 0x08]),
        Err(DecodeError::UnknownFlags {
            what: "a partition header",
            found: 8
        })
    );
}

#[test]
fn a_row_may_not_hold_what_it_deletes() {
    // Row deletion at 0, then a cell at the base time.
    let shadowed = RowRef::parse(&[1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0]);
    let what = "a row holds what its own deletion shadows";
    assert_eq!(shadowed, Err(DecodeError::Invalid { what }));
}
