//! What [`RowRef::parse`](super::RowRef::parse) checks.

use super::front::read_front;
use super::{
    Cells, ColumnRef, ComplexRef, Deletion, FLAG_MARKER, FLAG_MARKER_EXPIRES, HEAD_COMPLEX,
    HEAD_COMPLEX_DELETION, HEAD_KIND_MASK, HEAD_SKIP_MASK, HEAD_TIME, KNOWN_FLAGS, ROW_FORMAT,
};
use crate::codec::{DecodeError, OrTruncated as _, Reader};

/// Checks every byte of a row.
pub(super) fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new(bytes);
    let format = reader.byte().or_truncated("a row")?;
    if format != ROW_FORMAT {
        return Err(DecodeError::UnknownFormat {
            what: "a row",
            found: format,
        });
    }
    let flags = reader.byte().or_truncated("a row")?;
    if flags & !KNOWN_FLAGS != 0
        || flags & (FLAG_MARKER | FLAG_MARKER_EXPIRES) == FLAG_MARKER_EXPIRES
    {
        return Err(DecodeError::UnknownFlags {
            what: "a row",
            found: flags,
        });
    }
    let front = read_front(flags, &mut reader).or_truncated("the front of a row")?;
    let shadow = front.deletion.map_or(Shadow::NONE, Shadow::of);
    shadow.check(front.liveness.map(|marker| marker.timestamp))?;
    shadow.check(front.clustering.map(|written| written.timestamp))?;
    let mut cells = Cells::new(front.base, front.columns);
    loop {
        let head = cells.rest().first().copied();
        match (head, cells.next()) {
            (None, _) => return Ok(()),
            (Some(_), None) => {
                return Err(DecodeError::Truncated {
                    what: "a column of a row",
                });
            }
            (Some(head), Some((_, ColumnRef::Simple(cell)))) => {
                check_head(head, HEAD_SKIP_MASK | HEAD_KIND_MASK | HEAD_TIME)?;
                shadow.check(Some(cell.timestamp))?;
            }
            (Some(head), Some((_, ColumnRef::Complex(complex)))) => {
                check_head(head, HEAD_SKIP_MASK | HEAD_COMPLEX | HEAD_COMPLEX_DELETION)?;
                shadow.check(complex.deletion.map(|deletion| deletion.timestamp))?;
                check_elements(&complex, shadow)?;
            }
        }
    }
}

fn check_elements(complex: &ComplexRef<'_>, shadow: Shadow) -> Result<(), DecodeError> {
    let shadow = complex.deletion.map_or(shadow, Shadow::of);
    let mut elements = complex.elements();
    let mut last: Option<&[u8]> = None;
    if complex.deletion.is_none() && elements.rest().is_empty() {
        return Err(DecodeError::Invalid {
            what: "a complex column has nothing in it",
        });
    }
    loop {
        let head = elements.rest().first().copied();
        match (head, elements.next()) {
            (None, _) => return Ok(()),
            (Some(_), None) => {
                return Err(DecodeError::Truncated {
                    what: "an element of a row",
                });
            }
            (Some(head), Some((path, cell))) => {
                check_head(head, HEAD_KIND_MASK | HEAD_TIME)?;
                shadow.check(Some(cell.timestamp))?;
                if last.is_some_and(|last| last >= path) {
                    return Err(DecodeError::NotAscending {
                        what: "the elements of a column",
                    });
                }
                last = Some(path);
            }
        }
    }
}

fn check_head(head: u8, known: u8) -> Result<(), DecodeError> {
    match head & !known {
        0 => Ok(()),
        _ => Err(DecodeError::UnknownFlags {
            what: "a cell of a row",
            found: head,
        }),
    }
}

/// What a deletion around a thing allows inside.
#[derive(Clone, Copy)]
struct Shadow(Option<i64>);

impl Shadow {
    const NONE: Self = Self(None);

    const fn of(deletion: Deletion) -> Self {
        Self(Some(deletion.timestamp))
    }

    fn check(self, timestamp: Option<i64>) -> Result<(), DecodeError> {
        match (self.0, timestamp) {
            (Some(shadow), Some(timestamp)) if timestamp <= shadow => Err(DecodeError::Invalid {
                what: "a row holds what its own deletion shadows",
            }),
            _ => Ok(()),
        }
    }
}
