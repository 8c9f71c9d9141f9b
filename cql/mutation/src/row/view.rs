//! Reading a row where it lies.

use super::{
    CellRef, CellValue, Deletion, FLAG_CLUSTERING, FLAG_DELETION, FLAG_MARKER, FLAG_MARKER_EXPIRES,
    FLAG_WIDE, HEAD_COMPLEX, HEAD_COMPLEX_DELETION, HEAD_KIND_MASK, HEAD_KIND_SHIFT,
    HEAD_SKIP_MASK, HEAD_TIME, KIND_EXPIRING, KIND_LIVE, KIND_TOMBSTONE, KNOWN_FLAGS, Liveness,
    ROW_FORMAT, RowBuf,
};
use crate::codec::{DecodeError, OrTruncated as _, Reader};
use crate::owned::Row;
use cql_schema::ColumnNumber;
use std::fmt;

/// A borrowed row; copying it copies a pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RowRef<'a>(&'a [u8]);

/// The serialized clustering key as the client wrote it, kept only where the key encoding cannot give it back.
///
/// The larger one wins: the later, then the one with larger bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenClustering<'a> {
    /// The largest write time of what was written with it.
    pub timestamp: i64,
    /// The bytes, in the form the writer chose.
    pub bytes: &'a [u8],
}

/// The front of a row, decoded.
#[derive(Debug, Clone, Copy)]
struct Front<'a> {
    base: i64,
    liveness: Option<Liveness>,
    deletion: Option<Deletion>,
    clustering: Option<WrittenClustering<'a>>,
    columns: Reader<'a>,
}

impl<'a> RowRef<'a> {
    /// Checks every byte: format, flags, order, and that nothing is shadowed by a deletion of the row itself.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong. Unknown formats and flags are refused, never skipped.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        check(bytes)?;
        Ok(Self(bytes))
    }

    /// Bytes that were checked before or were written by this crate in this process.
    ///
    /// Reading bytes that are not a row ends early; it never panics.
    #[must_use]
    pub const fn trusted(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// An owned copy; one allocation.
    #[must_use]
    pub fn to_buf(self) -> RowBuf {
        RowBuf::copy_of(self.0)
    }

    /// The row marker.
    #[must_use]
    pub fn liveness(self) -> Option<Liveness> {
        self.front()?.liveness
    }

    /// The row deletion.
    #[must_use]
    pub fn deletion(self) -> Option<Deletion> {
        self.front()?.deletion
    }

    /// The clustering as written, if the key cannot give it back.
    #[must_use]
    pub fn written_clustering(self) -> Option<WrittenClustering<'a>> {
        self.front()?.clustering
    }

    /// The columns, ascending by number.
    #[must_use]
    pub fn cells(self) -> Cells<'a> {
        match self.front() {
            Some(front) => Cells::new(front.base, front.columns),
            None => Cells::new(0, Reader::new(&[])),
        }
    }

    /// One column; costs a walk over those before it.
    #[must_use]
    pub fn cell(self, number: ColumnNumber) -> Option<ColumnRef<'a>> {
        self.cells()
            .take_while(|(found, _)| *found <= number)
            .find(|(found, _)| *found == number)
            .map(|(_, column)| column)
    }

    /// Whether the row has neither marker nor deletion nor columns; merging it changes nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.front().is_none_or(|front| {
            front.liveness.is_none() && front.deletion.is_none() && front.columns.is_empty()
        })
    }

    /// Whether the row has neither a deletion nor a marker that expires.
    #[inline]
    pub(crate) fn has_plain_front(self) -> bool {
        let flags = self.0.get(1).copied().unwrap_or(KNOWN_FLAGS);
        flags & (FLAG_MARKER_EXPIRES | FLAG_DELETION) == 0
    }

    /// Whether a read at second `now` sees the row: by its marker, or by any live cell.
    #[must_use]
    pub fn is_live(self, now: i64) -> bool {
        self.liveness().is_some_and(|marker| marker.is_live(now))
            || self.cells().any(|(_, column)| column.is_live(now))
    }

    /// The largest write time of anything in the row; `None` if there is nothing.
    #[must_use]
    pub fn max_timestamp(self) -> Option<i64> {
        self.fold_timestamps(i64::max)
    }

    /// The smallest write time of anything in the row; `None` if there is nothing.
    #[must_use]
    pub fn min_timestamp(self) -> Option<i64> {
        self.fold_timestamps(i64::min)
    }

    fn fold_timestamps(self, pick: fn(i64, i64) -> i64) -> Option<i64> {
        let front = self.front()?;
        let mut found = None;
        let mut add = |time: i64| found = Some(found.map_or(time, |other| pick(other, time)));
        if let Some(marker) = front.liveness {
            add(marker.timestamp);
        }
        if let Some(deletion) = front.deletion {
            add(deletion.timestamp);
        }
        if let Some(written) = front.clustering {
            add(written.timestamp);
        }
        for (_, column) in Cells::new(front.base, front.columns) {
            match column {
                ColumnRef::Simple(cell) => add(cell.timestamp),
                ColumnRef::Complex(complex) => {
                    if let Some(deletion) = complex.deletion {
                        add(deletion.timestamp);
                    }
                    for (_, cell) in complex.elements() {
                        add(cell.timestamp);
                    }
                }
            }
        }
        found
    }

    #[inline]
    fn front(self) -> Option<Front<'a>> {
        let mut reader = Reader::new(self.0);
        let _format = reader.byte()?;
        let flags = reader.byte()?;
        read_front(flags, &mut reader)
    }
}

impl fmt::Debug for RowRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Row::from(*self))
    }
}

/// A column of a row.
#[derive(Debug, Clone, Copy)]
pub enum ColumnRef<'a> {
    /// One cell.
    Simple(CellRef<'a>),
    /// A collection or user type that is not frozen: a cell for each element.
    Complex(ComplexRef<'a>),
}

impl ColumnRef<'_> {
    /// Whether a read at second `now` sees anything of it.
    #[must_use]
    pub fn is_live(&self, now: i64) -> bool {
        match self {
            Self::Simple(cell) => cell.is_live(now),
            Self::Complex(complex) => complex.elements().any(|(_, cell)| cell.is_live(now)),
        }
    }
}

/// A complex column.
#[derive(Clone, Copy)]
pub struct ComplexRef<'a> {
    /// The collection deletion: what is older than it and not listed is gone.
    pub deletion: Option<Deletion>,
    base: i64,
    body: &'a [u8],
}

impl<'a> ComplexRef<'a> {
    /// The elements, ascending by the bytes of their path.
    #[must_use]
    pub const fn elements(&self) -> Elements<'a> {
        Elements {
            base: self.base,
            reader: Reader::new(self.body),
        }
    }
}

impl fmt::Debug for ComplexRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComplexRef")
            .field("deletion", &self.deletion)
            .field("elements", &self.elements().collect::<Vec<_>>())
            .finish()
    }
}

/// The columns of a row.
#[derive(Debug, Clone)]
pub struct Cells<'a> {
    base: i64,
    next_number: u32,
    reader: Reader<'a>,
}

impl<'a> Cells<'a> {
    const fn new(base: i64, reader: Reader<'a>) -> Self {
        Self {
            base,
            next_number: 0,
            reader,
        }
    }

    #[inline]
    fn read(&mut self) -> Option<(ColumnNumber, ColumnRef<'a>)> {
        let head = self.reader.byte()?;
        let skipped = match head & HEAD_SKIP_MASK {
            HEAD_SKIP_MASK => u32::try_from(self.reader.varint()?).ok()?.checked_add(7)?,
            skipped => u32::from(skipped),
        };
        let number = u16::try_from(self.next_number.checked_add(skipped)?).ok()?;
        self.next_number = u32::from(number) + 1;
        let column = if head & HEAD_COMPLEX == 0 {
            ColumnRef::Simple(read_cell(head, self.base, &mut self.reader)?)
        } else {
            let deletion = match head & HEAD_COMPLEX_DELETION {
                0 => None,
                _ => Some(read_deletion(self.base, &mut self.reader)?),
            };
            let len = u32::from_le_bytes(self.reader.array()?);
            let body = self.reader.take(usize::try_from(len).ok()?)?;
            ColumnRef::Complex(ComplexRef {
                deletion,
                base: self.base,
                body,
            })
        };
        Some((ColumnNumber(number), column))
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = (ColumnNumber, ColumnRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.read()
    }
}

/// The elements of a complex column: path and cell.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    base: i64,
    reader: Reader<'a>,
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

#[inline]
fn read_front<'a>(flags: u8, reader: &mut Reader<'a>) -> Option<Front<'a>> {
    let base = match flags & FLAG_WIDE {
        0 => {
            let [a, b, c, d, e, f, g] = reader.array()?;
            i64::from_le_bytes([0, a, b, c, d, e, f, g]) >> 8
        }
        _ => i64::from_le_bytes(reader.array()?),
    };
    let mut front = Front {
        base,
        liveness: None,
        deletion: None,
        clustering: None,
        columns: *reader,
    };
    if flags & FLAG_MARKER != 0 {
        front.liveness = Some(match flags & FLAG_MARKER_EXPIRES {
            0 => Liveness::lasting(base),
            _ => {
                let (ttl, expires_at) = read_expiry(base, reader)?;
                Liveness {
                    timestamp: base,
                    ttl,
                    expires_at,
                }
            }
        });
    }
    if flags & FLAG_DELETION != 0 {
        front.deletion = Some(match flags & FLAG_MARKER {
            0 => Deletion {
                timestamp: base,
                deleted_at: read_second(base, reader)?,
            },
            _ => read_deletion(base, reader)?,
        });
    }
    if flags & FLAG_CLUSTERING != 0 {
        let timestamp = base.wrapping_add(reader.signed()?);
        front.clustering = Some(WrittenClustering {
            timestamp,
            bytes: reader.bytes()?,
        });
    }
    front.columns = *reader;
    Some(front)
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

fn read_deletion(base: i64, reader: &mut Reader<'_>) -> Option<Deletion> {
    let timestamp = base.wrapping_add(reader.signed()?);
    Some(Deletion {
        timestamp,
        deleted_at: read_second(timestamp, reader)?,
    })
}

fn read_expiry(timestamp: i64, reader: &mut Reader<'_>) -> Option<(u32, i64)> {
    let ttl = u32::try_from(reader.varint()?).ok()?;
    let second = read_second(timestamp, reader)?;
    (ttl != 0).then(|| (ttl, second.wrapping_add(i64::from(ttl))))
}

/// A second stored as its difference to the second of a write time.
fn read_second(timestamp: i64, reader: &mut Reader<'_>) -> Option<i64> {
    Some(
        timestamp
            .div_euclid(1_000_000)
            .wrapping_add(reader.signed()?),
    )
}

/// Everything [`RowRef::parse`] promises.
fn check(bytes: &[u8]) -> Result<(), DecodeError> {
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
        let head = cells.reader.rest().first().copied();
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
    if complex.deletion.is_none() && elements.reader.is_empty() {
        return Err(DecodeError::Invalid {
            what: "a complex column has nothing in it",
        });
    }
    loop {
        let head = elements.reader.rest().first().copied();
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
