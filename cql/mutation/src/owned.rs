//! A row taken apart, for tests, tools and log lines. Not for the data path: it allocates per cell.

use crate::row::{CellRef, CellValue, ColumnRef, Deletion, Liveness, RowBuf, RowBuilder, RowRef};
use cql_schema::ColumnNumber;
use std::collections::BTreeMap;
use std::fmt;

/// A row taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The row marker.
    pub liveness: Option<Liveness>,
    /// The row deletion.
    pub deletion: Option<Deletion>,
    /// The clustering as written and its write time.
    pub written_clustering: Option<(i64, Vec<u8>)>,
    /// The columns by number.
    pub columns: BTreeMap<u16, Column>,
}

/// A column taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// One cell.
    Simple(Cell),
    /// Elements by path.
    Complex {
        /// The collection deletion.
        deletion: Option<Deletion>,
        /// The elements.
        elements: BTreeMap<Vec<u8>, Cell>,
    },
}

/// A cell with its own bytes; the fields are those of [`CellRef`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Write time in microseconds.
    pub timestamp: i64,
    /// Time to live in seconds; 0 for none.
    pub ttl: u32,
    /// The second of expiry; 0 if `ttl` is 0.
    pub expires_at: i64,
    /// What the cell holds.
    pub value: Value,
}

/// What a [`Cell`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Serialized bytes.
    Live(Vec<u8>),
    /// Expired, its bytes dropped.
    Expired,
    /// Deleted in this second.
    Tombstone(i64),
}

impl Cell {
    /// The borrowed form.
    #[must_use]
    pub fn as_ref(&self) -> CellRef<'_> {
        CellRef {
            timestamp: self.timestamp,
            ttl: self.ttl,
            expires_at: self.expires_at,
            value: match &self.value {
                Value::Live(bytes) => CellValue::Live(bytes),
                Value::Expired => CellValue::Expired,
                Value::Tombstone(deleted_at) => CellValue::Tombstone {
                    deleted_at: *deleted_at,
                },
            },
        }
    }
}

impl From<CellRef<'_>> for Cell {
    fn from(cell: CellRef<'_>) -> Self {
        Self {
            timestamp: cell.timestamp,
            ttl: cell.ttl,
            expires_at: cell.expires_at,
            value: match cell.value {
                CellValue::Live(bytes) => Value::Live(bytes.to_vec()),
                CellValue::Expired => Value::Expired,
                CellValue::Tombstone { deleted_at } => Value::Tombstone(deleted_at),
            },
        }
    }
}

impl From<RowRef<'_>> for Row {
    fn from(row: RowRef<'_>) -> Self {
        let column = |(number, column): (ColumnNumber, ColumnRef<'_>)| {
            let column = match column {
                ColumnRef::Simple(cell) => Column::Simple(cell.into()),
                ColumnRef::Complex(complex) => Column::Complex {
                    deletion: complex.deletion,
                    elements: complex
                        .elements()
                        .map(|(path, cell)| (path.to_vec(), cell.into()))
                        .collect(),
                },
            };
            (number.0, column)
        };
        Self {
            liveness: row.liveness(),
            deletion: row.deletion(),
            written_clustering: row
                .written_clustering()
                .map(|written| (written.timestamp, written.bytes.to_vec())),
            columns: row.cells().map(column).collect(),
        }
    }
}

impl From<&Row> for RowBuf {
    fn from(row: &Row) -> Self {
        let mut builder = RowBuilder::new();
        if let Some(marker) = row.liveness {
            builder.liveness(marker);
        }
        if let Some(deletion) = row.deletion {
            builder.delete_row(deletion);
        }
        if let Some((timestamp, bytes)) = &row.written_clustering {
            builder.written_clustering(*timestamp, bytes);
        }
        for (number, column) in &row.columns {
            let number = ColumnNumber(*number);
            match column {
                Column::Simple(cell) => {
                    builder.cell(number, cell.as_ref());
                }
                Column::Complex { deletion, elements } => {
                    if let Some(deletion) = deletion {
                        builder.collection_deletion(number, *deletion);
                    }
                    for (path, cell) in elements {
                        builder.element(number, path, cell.as_ref());
                    }
                }
            }
        }
        builder.finish()
    }
}

/// `marker@5 deleted@4/7 1=0x01@5 2={deleted@4/7 0x61=0x02@5}`, seconds after the slash.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if let Some(marker) = self.liveness {
            write!(f, "marker@{}", marker.timestamp)?;
            write_expiry(f, marker.ttl, marker.expires_at)?;
            gap = " ";
        }
        if let Some(deletion) = self.deletion {
            write!(
                f,
                "{gap}deleted@{}/{}",
                deletion.timestamp, deletion.deleted_at
            )?;
            gap = " ";
        }
        if let Some((timestamp, bytes)) = &self.written_clustering {
            write!(f, "{gap}clustering={}@{timestamp}", Hex(bytes))?;
            gap = " ";
        }
        for (number, column) in &self.columns {
            write!(f, "{gap}{number}={column}")?;
            gap = " ";
        }
        match gap {
            "" => f.write_str("(empty)"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(cell) => cell.fmt(f),
            Self::Complex { deletion, elements } => {
                f.write_str("{")?;
                let mut gap = "";
                if let Some(deletion) = deletion {
                    write!(f, "deleted@{}/{}", deletion.timestamp, deletion.deleted_at)?;
                    gap = " ";
                }
                for (path, cell) in elements {
                    write!(f, "{gap}{}={cell}", Hex(path))?;
                    gap = " ";
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Live(bytes) => write!(f, "{}@{}", Hex(bytes), self.timestamp)?,
            Value::Expired => write!(f, "expired@{}", self.timestamp)?,
            Value::Tombstone(deleted_at) => {
                write!(f, "deleted@{}/{deleted_at}", self.timestamp)?;
            }
        }
        write_expiry(f, self.ttl, self.expires_at)
    }
}

fn write_expiry(f: &mut fmt::Formatter<'_>, ttl: u32, expires_at: i64) -> fmt::Result {
    match ttl {
        0 => Ok(()),
        _ => write!(f, "+{ttl}s/{expires_at}"),
    }
}

/// Bytes as `0x6162`.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
