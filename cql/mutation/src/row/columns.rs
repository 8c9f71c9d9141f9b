//! Walking over the columns of a row, decoded or as they lie.

use super::front::{read_deletion, read_expiry, read_second};
use super::{
    CellRef, CellValue, ColumnRef, ComplexRef, HEAD_COMPLEX, HEAD_COMPLEX_DELETION, HEAD_KIND_MASK,
    HEAD_KIND_SHIFT, HEAD_SKIP_MASK, HEAD_TIME, KIND_EXPIRING, KIND_LIVE, KIND_TOMBSTONE,
};
use crate::codec::Reader;
use cql_schema::ColumnNumber;

/// The columns of a row.
#[derive(Debug, Clone)]
pub struct Cells<'a> {
    base: i64,
    next_number: u32,
    reader: Reader<'a>,
}

impl<'a> Cells<'a> {
    pub(super) const fn new(base: i64, reader: Reader<'a>) -> Self {
        Self {
            base,
            next_number: 0,
            reader,
        }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    #[inline]
    fn read_plain(&mut self) -> Option<(ColumnNumber, ColumnRef<'a>)> {
        let (number, bytes, rest) = split_plain(self.reader.rest(), self.next_number)?;
        self.reader = Reader::new(rest);
        self.next_number = u32::from(number) + 1;
        let value = bytes.get(1..).unwrap_or_default();
        let cell = CellRef::live(self.base, value);
        Some((ColumnNumber(number), ColumnRef::Simple(cell)))
    }

    #[inline(never)]
    fn read_any(&mut self) -> Option<(ColumnNumber, ColumnRef<'a>)> {
        let (head, number) = read_head(&mut self.reader, &mut self.next_number)?;
        let column = if head & HEAD_COMPLEX == 0 {
            ColumnRef::Simple(read_cell(head, self.base, &mut self.reader)?)
        } else {
            let deletion = match head & HEAD_COMPLEX_DELETION {
                0 => None,
                _ => Some(read_deletion(self.base, &mut self.reader)?),
            };
            let len = u32::from_le_bytes(self.reader.array()?);
            let body = self.reader.take(usize::try_from(len).ok()?)?;
            ColumnRef::Complex(ComplexRef::new(deletion, self.base, body))
        };
        Some((number, column))
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = (ColumnNumber, ColumnRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.read_plain() {
            Some(plain) => Some(plain),
            None => self.read_any(),
        }
    }
}

/// The elements of a complex column: path and cell.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    base: i64,
    reader: Reader<'a>,
}

impl<'a> Elements<'a> {
    pub(super) const fn new(base: i64, body: &'a [u8]) -> Self {
        Self {
            base,
            reader: Reader::new(body),
        }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (&'a [u8], CellRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let head = self.reader.byte()?;
        let path = self.reader.bytes()?;
        let cell = read_cell(head, self.base, &mut self.reader)?;
        Some((path, cell))
    }
}

/// A column as it lies in a row: enough to order it, to compare its time, and to copy it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawColumn<'a> {
    pub(crate) number: ColumnNumber,
    /// The write time of a simple column; of a complex one it means nothing.
    pub(crate) timestamp: i64,
    /// The head without the bits of the number.
    pub(crate) kind: u8,
    /// The base time of the row it lies in.
    pub(crate) base: i64,
    /// What follows the head and the number.
    pub(crate) bytes: &'a [u8],
}

impl<'a> RawColumn<'a> {
    pub(crate) const fn is_complex(&self) -> bool {
        self.kind & HEAD_COMPLEX != 0
    }

    /// Whether it is a simple column with a value that stays.
    pub(crate) const fn is_lasting(&self) -> bool {
        self.kind & (HEAD_COMPLEX | HEAD_KIND_MASK) == 0
    }

    /// The cell of a simple column.
    pub(crate) fn cell(&self) -> Option<CellRef<'a>> {
        read_cell(self.kind, self.base, &mut Reader::new(self.bytes))
    }

    /// The parts of a complex column.
    pub(crate) fn complex(&self) -> Option<ComplexRef<'a>> {
        let mut reader = Reader::new(self.bytes);
        let deletion = match self.kind & HEAD_COMPLEX_DELETION {
            0 => None,
            _ => Some(read_deletion(self.base, &mut reader)?),
        };
        let _len: [u8; 4] = reader.array()?;
        Some(ComplexRef::new(deletion, self.base, reader.rest()))
    }
}

/// The columns of a row as they lie.
#[derive(Debug, Clone)]
pub(crate) struct RawColumns<'a> {
    base: i64,
    next_number: u32,
    reader: Reader<'a>,
}

impl<'a> RawColumns<'a> {
    pub(super) const fn new(base: i64, reader: Reader<'a>) -> Self {
        Self {
            base,
            next_number: 0,
            reader,
        }
    }
}

impl<'a> Iterator for RawColumns<'a> {
    type Item = RawColumn<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawColumn<'a>> {
        let Some((number, bytes, rest)) = split_plain(self.reader.rest(), self.next_number) else {
            return self.next_any();
        };
        self.reader = Reader::new(rest);
        self.next_number = u32::from(number) + 1;
        let (number, base) = (ColumnNumber(number), self.base);
        Some(RawColumn {
            number,
            timestamp: base,
            kind: 0,
            base,
            bytes,
        })
    }
}

impl<'a> RawColumns<'a> {
    #[inline(never)]
    fn next_any(&mut self) -> Option<RawColumn<'a>> {
        let (head, number) = read_head(&mut self.reader, &mut self.next_number)?;
        let start = self.reader.rest();
        let mut timestamp = self.base;
        if head & HEAD_COMPLEX == 0 {
            if head & HEAD_TIME != 0 {
                timestamp = self.base.wrapping_add(self.reader.signed()?);
            }
            skip_cell(head, &mut self.reader)?;
        } else {
            if head & HEAD_COMPLEX_DELETION != 0 {
                self.reader.varint()?;
                self.reader.varint()?;
            }
            let len = u32::from_le_bytes(self.reader.array()?);
            self.reader.take(usize::try_from(len).ok()?)?;
        }
        let bytes = start.get(..start.len() - self.reader.len())?;
        let kind = head & !HEAD_SKIP_MASK;
        Some(RawColumn {
            number,
            timestamp,
            kind,
            base: self.base,
            bytes,
        })
    }
}

/// Splits off a live cell of the base time with a short value and no long gap before it, which most are.
///
/// Answers its number, its bytes after the head (length, value), and the rest.
#[inline]
fn split_plain(bytes: &[u8], next_number: u32) -> Option<(u16, &[u8], &[u8])> {
    let (head, body) = bytes.split_first()?;
    let len = *body.first()?;
    if *head >= HEAD_SKIP_MASK || len >= 0x80 {
        return None;
    }
    let (bytes, rest) = body.split_at_checked(1 + usize::from(len))?;
    let number = u16::try_from(next_number + u32::from(*head)).ok()?;
    Some((number, bytes, rest))
}

/// The head of a column, and its number.
#[inline]
fn read_head(reader: &mut Reader<'_>, next_number: &mut u32) -> Option<(u8, ColumnNumber)> {
    let head = reader.byte()?;
    let skipped = match head & HEAD_SKIP_MASK {
        HEAD_SKIP_MASK => u32::try_from(reader.varint()?).ok()?.checked_add(7)?,
        skipped => u32::from(skipped),
    };
    let number = u16::try_from(next_number.checked_add(skipped)?).ok()?;
    *next_number = u32::from(number) + 1;
    Some((head, ColumnNumber(number)))
}

/// Steps over what follows the write time of a cell.
#[inline]
fn skip_cell(head: u8, reader: &mut Reader<'_>) -> Option<()> {
    match (head & HEAD_KIND_MASK) >> HEAD_KIND_SHIFT {
        KIND_LIVE => {
            reader.bytes()?;
        }
        KIND_EXPIRING => {
            reader.varint()?;
            reader.varint()?;
            reader.bytes()?;
        }
        KIND_TOMBSTONE => {
            reader.varint()?;
        }
        _ => {
            reader.varint()?;
            reader.varint()?;
        }
    }
    Some(())
}

#[inline]
fn read_cell<'a>(head: u8, base: i64, reader: &mut Reader<'a>) -> Option<CellRef<'a>> {
    let timestamp = match head & HEAD_TIME {
        0 => base,
        _ => base.wrapping_add(reader.signed()?),
    };
    Some(match (head & HEAD_KIND_MASK) >> HEAD_KIND_SHIFT {
        KIND_LIVE => CellRef::live(timestamp, reader.bytes()?),
        KIND_EXPIRING => {
            let (ttl, expires_at) = read_expiry(timestamp, reader)?;
            CellRef {
                timestamp,
                ttl,
                expires_at,
                value: CellValue::Live(reader.bytes()?),
            }
        }
        KIND_TOMBSTONE => CellRef::tombstone(timestamp, read_second(timestamp, reader)?),
        _ => {
            let (ttl, expires_at) = read_expiry(timestamp, reader)?;
            CellRef {
                timestamp,
                ttl,
                expires_at,
                value: CellValue::Expired,
            }
        }
    })
}
