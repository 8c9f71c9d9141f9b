//! From the elements of a complex column to the serialized value that CQL knows.
//!
//! | type | path of an element | its value |
//! |---|---|---|
//! | list | 16 bytes that ascend in list order | the element |
//! | set | the serialized element | empty |
//! | map | the serialized key | the serialized value |
//! | user type | the number of the field, u16 big-endian | the field |
//!
//! Paths are compared as bytes, which is what merging needs; here they are put into the order of CQL.
//! Usually they are in it already (text, blobs, numbers of one sign), which costs one pass to see.

use crate::row::ComplexRef;
use cql_types::{CqlType, compare};
use std::cmp::Ordering;

/// The path of a field of a user type.
#[must_use]
pub const fn field_path(field: u16) -> [u8; 2] {
    field.to_be_bytes()
}

/// Appends the serialized value of a complex column of type `ty` as a read at second `now` sees it.
///
/// Returns whether there is one; a collection without live elements is null and appends nothing.
pub fn assemble_collection(
    ty: &CqlType,
    column: &ComplexRef<'_>,
    now: i64,
    out: &mut Vec<u8>,
) -> bool {
    let mut live: Vec<(&[u8], &[u8])> = column
        .elements()
        .filter_map(|(path, cell)| Some((path, cell.live_value(now)?)))
        .collect();
    if live.is_empty() {
        return false;
    }
    match ty {
        CqlType::List { .. } => {
            put_len(out, live.len());
            live.iter().for_each(|(_, element)| put_part(out, element));
        }
        CqlType::Set { element, .. } => {
            sort(element, &mut live);
            put_len(out, live.len());
            live.iter().for_each(|(element, _)| put_part(out, element));
        }
        CqlType::Map { key, .. } => {
            sort(key, &mut live);
            put_len(out, live.len());
            for (key, value) in live {
                put_part(out, key);
                put_part(out, value);
            }
        }
        CqlType::Udt { def, .. } => {
            let mut live = live.into_iter().peekable();
            for field in (0_u16..).take(def.fields.len()) {
                match live.next_if(|(path, _)| *path == field_path(field)) {
                    Some((_, value)) => put_part(out, value),
                    None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
                }
            }
        }
        // Only the four above are ever stored in parts.
        _ => return false,
    }
    true
}

fn sort(ty: &CqlType, parts: &mut [(&[u8], &[u8])]) {
    let order = |a: &(&[u8], &[u8]), b: &(&[u8], &[u8])| compare(ty, a.0, b.0);
    if !parts.is_sorted_by(|a, b| order(a, b) != Ordering::Greater) {
        parts.sort_by(order);
    }
}

fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put_len(out, part.len());
    out.extend_from_slice(part);
}

/// Lengths and counts fit: a row is far below 2 GiB.
fn put_len(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&i32::try_from(len).unwrap_or(i32::MAX).to_be_bytes());
}
