//! Writing a row in one pass.

use super::{
    CellRef, CellValue, Deletion, FLAG_CLUSTERING, FLAG_DELETION, FLAG_MARKER, FLAG_MARKER_EXPIRES,
    FLAG_WIDE, HEAD_COMPLEX, HEAD_COMPLEX_DELETION, HEAD_KIND_SHIFT, HEAD_SKIP_MASK, HEAD_TIME,
    KIND_EXPIRED, KIND_EXPIRING, KIND_LIVE, KIND_TOMBSTONE, Liveness, ROW_FORMAT, RawColumn,
    WrittenClustering,
};
use crate::codec::{put_bytes, put_signed, put_varint};
use cql_schema::ColumnNumber;

/// What comes before the columns.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Header<'a> {
    pub(crate) liveness: Option<Liveness>,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) clustering: Option<WrittenClustering<'a>>,
}

impl Header<'_> {
    /// Drops what the row deletion shadows.
    #[must_use]
    pub(crate) fn normalized(mut self) -> Self {
        if let Some(deletion) = self.deletion {
            self.liveness = self
                .liveness
                .filter(|marker| !deletion.shadows(marker.timestamp));
            self.clustering = self
                .clustering
                .filter(|written| !deletion.shadows(written.timestamp));
        }
        self
    }

    fn base(&self) -> Option<i64> {
        let marker = self.liveness.map(|marker| marker.timestamp);
        marker.or(self.deletion.map(|deletion| deletion.timestamp))
    }

    fn write(&self, base: i64, out: &mut Vec<u8>) {
        let low = base.to_le_bytes();
        let wide = (base << 8) >> 8 != base;
        let mut flags = if wide { FLAG_WIDE } else { 0 };
        if let Some(marker) = self.liveness {
            flags |= FLAG_MARKER;
            if marker.ttl != 0 {
                flags |= FLAG_MARKER_EXPIRES;
            }
        }
        if self.deletion.is_some() {
            flags |= FLAG_DELETION;
        }
        if self.clustering.is_some() {
            flags |= FLAG_CLUSTERING;
        }
        let [a, b, c, d, e, f, g, h] = low;
        if wide {
            out.extend_from_slice(&[ROW_FORMAT, flags, a, b, c, d, e, f, g, h]);
        } else {
            out.extend_from_slice(&[ROW_FORMAT, flags, a, b, c, d, e, f, g]);
        }
        if let Some(marker) = self.liveness
            && marker.ttl != 0
        {
            put_expiry(out, base, marker.ttl, marker.expires_at);
        }
        if let Some(deletion) = self.deletion {
            match self.liveness {
                Some(_) => put_deletion(out, base, deletion),
                None => put_second(out, base, deletion.deleted_at),
            }
        }
        if let Some(written) = self.clustering {
            put_signed(out, written.timestamp.wrapping_sub(base));
            put_bytes(out, written.bytes);
        }
    }
}

/// Appends one row to a buffer: the header, then columns ascending, elements ascending.
///
/// Holds no reference to the buffer, so that a builder can own both.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowWriter<'a> {
    header: Header<'a>,
    /// Known as soon as the header is written.
    base: Option<i64>,
    next_number: u32,
    /// The complex column being written: where its body length is.
    open: Option<usize>,
}

impl<'a> RowWriter<'a> {
    /// Begins a row; `header` is written with the first thing that follows, or by [`RowWriter::finish`].
    pub(crate) fn new(header: Header<'a>) -> Self {
        Self {
            header,
            base: None,
            next_number: 0,
            open: None,
        }
    }

    /// Begins a row and writes its header, for a caller that knows the first thing that follows.
    pub(crate) fn begin(header: Header<'_>, first: i64, out: &mut Vec<u8>) -> RowWriter<'static> {
        let base = header.base().unwrap_or(first);
        header.write(base, out);
        RowWriter {
            header: Header::default(),
            base: Some(base),
            next_number: 0,
            open: None,
        }
    }

    /// Whether a complex column is open.
    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    #[inline]
    fn base(&mut self, first: i64, out: &mut Vec<u8>) -> i64 {
        match self.base {
            Some(base) => base,
            None => self.write_header(first, out),
        }
    }

    fn write_header(&mut self, first: i64, out: &mut Vec<u8>) -> i64 {
        let base = self.header.base().unwrap_or(first);
        self.header.write(base, out);
        self.base = Some(base);
        base
    }

    /// Appends a simple column. `number` must be larger than those before.
    #[inline]
    pub(crate) fn cell(&mut self, number: ColumnNumber, cell: &CellRef<'_>, out: &mut Vec<u8>) {
        let skipped = u32::from(number.0).saturating_sub(self.next_number);
        if let CellRef {
            ttl: 0,
            value: CellValue::Live(value),
            ..
        } = cell
            && self.base == Some(cell.timestamp)
            && let (Ok(skipped @ 0..HEAD_SKIP_MASK), Ok(len @ 0..0x80)) =
                (u8::try_from(skipped), u8::try_from(value.len()))
        {
            // The usual cell, without the branches of the general form.
            out.reserve(2 + value.len());
            out.extend_from_slice(&[skipped, len]);
            out.extend_from_slice(value);
            self.next_number = u32::from(number.0) + 1;
            return;
        }
        let base = self.base(cell.timestamp, out);
        self.put_head(number, cell_head(base, cell), out);
        put_cell(out, base, cell);
    }

    /// Appends a column as it lies in another row. `number` must be larger than those before.
    ///
    /// `first` is the write time of the first thing in it.
    #[inline]
    pub(crate) fn raw(&mut self, column: &RawColumn<'_>, first: i64, out: &mut Vec<u8>) -> Copied {
        if self.base(first, out) != column.base {
            return Copied::No;
        }
        self.put_head(column.number, column.kind, out);
        out.extend_from_slice(column.bytes);
        Copied::Yes
    }

    /// Appends a simple column of another row: its bytes if both rows count times from the same base.
    #[inline]
    pub(crate) fn copy(&mut self, column: &RawColumn<'_>, out: &mut Vec<u8>) {
        match self.raw(column, column.timestamp, out) {
            Copied::Yes => {}
            Copied::No => {
                if let Some(cell) = column.cell() {
                    self.cell(column.number, &cell, out);
                }
            }
        }
    }

    /// The base time, if what was given so far decides it.
    pub(crate) fn known_base(&self) -> Option<i64> {
        self.base.or(self.header.base())
    }

    /// Begins a complex column. Its elements and [`RowWriter::close_complex`] must follow.
    ///
    /// `first` is the write time of the first element, for a column without deletion.
    pub(crate) fn open_complex(
        &mut self,
        number: ColumnNumber,
        deletion: Option<Deletion>,
        first: i64,
        out: &mut Vec<u8>,
    ) {
        let base = self.base(deletion.map_or(first, |deletion| deletion.timestamp), out);
        match deletion {
            None => self.put_head(number, HEAD_COMPLEX, out),
            Some(deletion) => {
                self.put_head(number, HEAD_COMPLEX | HEAD_COMPLEX_DELETION, out);
                put_deletion(out, base, deletion);
            }
        }
        self.open = Some(out.len());
        out.extend_from_slice(&[0; 4]);
    }

    /// Appends an element to the open column. `path` must be larger than those before.
    pub(crate) fn element(&mut self, path: &[u8], cell: &CellRef<'_>, out: &mut Vec<u8>) {
        let base = self.base(cell.timestamp, out);
        out.push(cell_head(base, cell));
        put_bytes(out, path);
        put_cell(out, base, cell);
    }

    /// Ends the open complex column, if there is one.
    pub(crate) fn close_complex(&mut self, out: &mut [u8]) {
        let Some(at) = self.open.take() else { return };
        let body = out.len().saturating_sub(at + 4);
        // A row is bounded by the frame it came in, far below 4 GiB.
        let len = u32::try_from(body).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(slot) = out.get_mut(at..at + 4) {
            slot.copy_from_slice(&len);
        }
    }

    /// Ends the row.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        self.close_complex(out);
        if self.base.is_none() {
            let alone = self
                .header
                .clustering
                .map_or(0, |written| written.timestamp);
            self.write_header(alone, out);
        }
    }

    #[inline]
    fn put_head(&mut self, number: ColumnNumber, bits: u8, out: &mut Vec<u8>) {
        let skipped = u32::from(number.0).saturating_sub(self.next_number);
        self.next_number = u32::from(number.0) + 1;
        match u8::try_from(skipped) {
            Ok(skipped) if skipped < HEAD_SKIP_MASK => out.push(bits | skipped),
            _ => {
                out.push(bits | HEAD_SKIP_MASK);
                put_varint(out, u64::from(skipped) - u64::from(HEAD_SKIP_MASK));
            }
        }
    }
}

/// Whether a column could be copied: the rows must have the same base time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copied {
    Yes,
    No,
}

#[inline]
fn cell_head(base: i64, cell: &CellRef<'_>) -> u8 {
    let kind = match cell.value {
        CellValue::Live(_) if cell.ttl == 0 => KIND_LIVE,
        CellValue::Live(_) => KIND_EXPIRING,
        CellValue::Tombstone { .. } => KIND_TOMBSTONE,
        CellValue::Expired => KIND_EXPIRED,
    };
    let time = if cell.timestamp == base { 0 } else { HEAD_TIME };
    (kind << HEAD_KIND_SHIFT) | time
}

/// The cell after its head (and, of an element, its path).
#[inline]
fn put_cell(out: &mut Vec<u8>, base: i64, cell: &CellRef<'_>) {
    if cell.timestamp != base {
        put_signed(out, cell.timestamp.wrapping_sub(base));
    }
    match cell.value {
        CellValue::Live(value) => {
            if cell.ttl != 0 {
                put_expiry(out, cell.timestamp, cell.ttl, cell.expires_at);
            }
            put_bytes(out, value);
        }
        CellValue::Tombstone { deleted_at } => put_second(out, cell.timestamp, deleted_at),
        // A time to live of 0 cannot expire; the smallest that can stands for it.
        CellValue::Expired => put_expiry(out, cell.timestamp, cell.ttl.max(1), cell.expires_at),
    }
}

fn put_deletion(out: &mut Vec<u8>, base: i64, deletion: Deletion) {
    put_signed(out, deletion.timestamp.wrapping_sub(base));
    put_second(out, deletion.timestamp, deletion.deleted_at);
}

/// Time to live, then expiry as the difference to write time plus time to live.
fn put_expiry(out: &mut Vec<u8>, timestamp: i64, ttl: u32, expires_at: i64) {
    put_varint(out, u64::from(ttl));
    put_second(out, timestamp, expires_at.wrapping_sub(i64::from(ttl)));
}

fn put_second(out: &mut Vec<u8>, timestamp: i64, second: i64) {
    put_signed(out, second.wrapping_sub(timestamp.div_euclid(1_000_000)));
}
