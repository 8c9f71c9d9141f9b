//! Rows, written cell by cell into the output buffer.

use bytes::{BufMut, BytesMut};

use crate::response::encoder::{FrameTooLarge, FrameWriter};
use crate::write;

/// A result of rows in the making.
///
/// Write every cell of a row in the order of the columns, then [`RowsWriter::end_row`].
/// Dropped before [`RowsWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct RowsWriter<'a> {
    frame: FrameWriter<'a>,
    count_at: usize,
    rows: u32,
}

impl<'a> RowsWriter<'a> {
    /// Follows the metadata.
    pub(crate) fn new(mut frame: FrameWriter<'a>) -> Self {
        let count_at = frame.body().len();
        frame.body().put_u32(0);
        Self {
            frame,
            count_at,
            rows: 0,
        }
    }

    /// A cell.
    #[inline]
    pub fn cell(&mut self, value: &[u8]) {
        write::bytes(self.frame.body(), value);
    }

    /// A cell without a value.
    #[inline]
    pub fn null(&mut self) {
        self.frame.body().put_i32(-1);
    }

    /// A cell, or one without a value.
    #[inline]
    pub fn cell_or_null(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.cell(value),
            None => self.null(),
        }
    }

    /// A cell that `value` writes, such as a collection put together from its elements.
    pub fn cell_with(&mut self, value: impl FnOnce(&mut BytesMut)) {
        let out = self.frame.body();
        let at = out.len();
        out.put_i32(0);
        value(out);
        let length = write::int(out.len().saturating_sub(at + 4));
        if let Some(slot) = out
            .get_mut(at..)
            .and_then(|cell| cell.first_chunk_mut::<4>())
        {
            *slot = length.to_be_bytes();
        }
    }

    /// Ends a row.
    #[inline]
    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Bytes of the frame so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frame.len()
    }

    /// Whether there is no row yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Completes the frame.
    ///
    /// # Errors
    /// The rows are too many for one frame; nothing of them is left in the buffer.
    pub fn finish(mut self) -> Result<(), FrameTooLarge> {
        let (at, rows) = (self.count_at, self.rows);
        if let Some(slot) = self
            .frame
            .body()
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<4>())
        {
            *slot = rows.to_be_bytes();
        }
        self.frame.finish()
    }
}
