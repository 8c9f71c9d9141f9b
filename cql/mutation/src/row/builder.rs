//! Making a row from the parts of a statement.

use super::{CellRef, Deletion, Header, Liveness, RowBuf, RowWriter, WrittenClustering};
use cql_schema::ColumnNumber;

/// Collects marker, deletions and cells into one row.
///
/// Everything may come in any order and more than once; what meets is merged, as everywhere.
/// The cheap order is: marker, row deletion, written clustering, then columns ascending by number,
/// a collection deletion before the elements of its column, elements ascending by path.
/// In that order each byte is written once; anything else begins a new piece, merged at the end.
#[derive(Debug, Clone, Default)]
pub struct RowBuilder {
    liveness: Option<Liveness>,
    deletion: Option<Deletion>,
    clustering: Option<(i64, Vec<u8>)>,
    out: Vec<u8>,
    /// Present as soon as the header of this piece is in `out`.
    writer: Option<RowWriter<'static>>,
    last_number: Option<ColumnNumber>,
    complex: Complex,
    pieces: Vec<RowBuf>,
}

/// The complex column that came last, if the last column is complex.
#[derive(Debug, Clone, Default)]
struct Complex {
    number: Option<ColumnNumber>,
    deletion: Option<Deletion>,
    last_path: Option<Vec<u8>>,
}

impl RowBuilder {
    /// A builder for a row without anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`RowBuilder::new`], with room for `bytes` of row.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Adds the row marker of an INSERT.
    pub fn liveness(&mut self, marker: Liveness) -> &mut Self {
        self.before_header();
        self.liveness = self.liveness.max(Some(marker));
        self
    }

    /// Deletes the row.
    pub fn delete_row(&mut self, deletion: Deletion) -> &mut Self {
        self.before_header();
        self.deletion = self.deletion.max(Some(deletion));
        self
    }

    /// Keeps the clustering key as the client wrote it, where the encoded key cannot give it back.
    ///
    /// `timestamp` must be at least that of everything else in this row: that of the statement.
    pub fn written_clustering(&mut self, timestamp: i64, bytes: &[u8]) -> &mut Self {
        self.before_header();
        let new = (timestamp, bytes);
        if self
            .clustering
            .as_ref()
            .is_none_or(|(time, old)| (*time, old.as_slice()) < new)
        {
            self.clustering = Some((timestamp, bytes.to_vec()));
        }
        self
    }

    /// Sets or deletes a simple column.
    pub fn cell(&mut self, number: ColumnNumber, cell: CellRef<'_>) -> &mut Self {
        self.before_column(number);
        if !self.is_deleted(cell.timestamp) {
            self.put(cell.timestamp, |writer, out| {
                writer.cell(number, &cell, out)
            });
            self.last_number = Some(number);
        }
        self
    }

    /// Sets a simple column to a value that stays.
    pub fn set(&mut self, number: ColumnNumber, timestamp: i64, value: &[u8]) -> &mut Self {
        self.cell(number, CellRef::live(timestamp, value))
    }

    /// Deletes a simple column.
    pub fn tombstone(
        &mut self,
        number: ColumnNumber,
        timestamp: i64,
        deleted_at: i64,
    ) -> &mut Self {
        self.cell(number, CellRef::tombstone(timestamp, deleted_at))
    }

    /// Deletes all elements of a complex column that are not younger.
    pub fn collection_deletion(&mut self, number: ColumnNumber, deletion: Deletion) -> &mut Self {
        self.before_column(number);
        if !self.is_deleted(deletion.timestamp) {
            self.open(number, Some(deletion), deletion.timestamp);
        }
        self
    }

    /// Sets or deletes one element of a complex column.
    pub fn element(&mut self, number: ColumnNumber, path: &[u8], cell: CellRef<'_>) -> &mut Self {
        let continues = self.complex.number == Some(number)
            && self
                .complex
                .last_path
                .as_deref()
                .is_none_or(|last| last < path);
        if !continues {
            self.before_column(number);
        }
        let cleared = self.complex.deletion.filter(|_| continues);
        if self.is_deleted(cell.timestamp)
            || cleared.is_some_and(|deletion| deletion.shadows(cell.timestamp))
        {
            return self;
        }
        if !continues {
            self.open(number, None, cell.timestamp);
        }
        self.put(cell.timestamp, |writer, out| {
            writer.element(path, &cell, out)
        });
        let last = self.complex.last_path.get_or_insert_default();
        last.clear();
        last.extend_from_slice(path);
        self
    }

    /// The column that came last, if any did.
    #[must_use]
    pub const fn last_column(&self) -> Option<ColumnNumber> {
        self.last_number
    }

    /// The row. One allocation, if everything came in order and fitted into the capacity exactly.
    #[must_use]
    pub fn finish(mut self) -> RowBuf {
        self.finish_piece();
        match self.pieces.is_empty() {
            true => RowBuf::from_written(self.out),
            false => self.merge_pieces(),
        }
    }

    /// The row, in one allocation of its size; the builder is empty afterwards and keeps its buffer.
    #[must_use]
    pub fn take(&mut self) -> RowBuf {
        self.finish_piece();
        let row = match self.pieces.is_empty() {
            true => RowBuf::copy_of(&self.out),
            false => self.merge_pieces(),
        };
        self.out.clear();
        row
    }

    fn is_deleted(&self, timestamp: i64) -> bool {
        self.deletion
            .is_some_and(|deletion| deletion.shadows(timestamp))
    }

    /// A part of the header comes after columns: it goes into a piece of its own.
    fn before_header(&mut self) {
        if self.writer.is_some() {
            self.split();
        }
    }

    /// A column begins; one that does not ascend goes into a new piece.
    fn before_column(&mut self, number: ColumnNumber) {
        if self.last_number.is_some_and(|last| last >= number) {
            self.split();
        }
        if let Some(writer) = &mut self.writer {
            writer.close_complex(&mut self.out);
        }
        self.complex.number = None;
    }

    fn open(&mut self, number: ColumnNumber, deletion: Option<Deletion>, first: i64) {
        self.put(first, |writer, out| {
            writer.open_complex(number, deletion, first, out)
        });
        self.last_number = Some(number);
        self.complex.number = Some(number);
        self.complex.deletion = deletion;
        self.complex.last_path = None;
    }

    /// Writes after the header, which is written first if it is not there yet.
    fn put(&mut self, first: i64, write: impl FnOnce(&mut RowWriter<'static>, &mut Vec<u8>)) {
        if self.writer.is_none() {
            let mut out = std::mem::take(&mut self.out);
            self.writer = Some(RowWriter::begin(self.header(), first, &mut out));
            self.out = out;
        }
        if let Some(writer) = &mut self.writer {
            write(writer, &mut self.out);
        }
    }

    fn header(&self) -> Header<'_> {
        let clustering = self.clustering.as_ref();
        Header {
            liveness: self.liveness,
            deletion: self.deletion,
            clustering: clustering.map(|(timestamp, bytes)| WrittenClustering {
                timestamp: *timestamp,
                bytes,
            }),
        }
        .normalized()
    }

    /// Ends what is in `out` and makes the state that of an empty builder, `out` and `pieces` apart.
    fn finish_piece(&mut self) {
        match self.writer.take() {
            Some(writer) => writer.finish(&mut self.out),
            None => {
                let mut out = std::mem::take(&mut self.out);
                RowWriter::new(self.header()).finish(&mut out);
                self.out = out;
            }
        }
        (self.liveness, self.deletion, self.clustering) = (None, None, None);
        (self.last_number, self.complex.number) = (None, None);
    }

    fn split(&mut self) {
        self.finish_piece();
        self.pieces.push(RowBuf::copy_of(&self.out));
        self.out.clear();
    }

    /// Merges neighbours until one is left, so that many small pieces cost `n log n`.
    fn merge_pieces(&mut self) -> RowBuf {
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.push(RowBuf::copy_of(&self.out));
        while pieces.len() > 1 {
            pieces = pieces
                .chunks(2)
                .map(|pair| match pair {
                    [a, b] => a.merged(b),
                    rest => rest
                        .first()
                        .cloned()
                        .unwrap_or_else(|| RowBuf::copy_of(&[])),
                })
                .collect();
        }
        pieces.pop().unwrap_or_else(|| RowBuf::copy_of(&[]))
    }
}
