//! Columns of results and of bind variables.

use bytes::{BufMut, Bytes, BytesMut};
use cql_types::CqlType;

use crate::type_option;
use crate::version::Version;
use crate::write;

pub(crate) const GLOBAL_TABLE: u32 = 1;
pub(crate) const HAS_MORE_PAGES: u32 = 2;
pub(crate) const NO_METADATA: u32 = 4;
pub(crate) const LWT_MARK: u32 = 0x8000_0000;

/// One column or bind variable.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec<'a> {
    /// Keyspace of the table.
    pub keyspace: &'a str,
    /// Table.
    pub table: &'a str,
    /// Name.
    pub name: &'a str,
    /// Type.
    pub ty: &'a CqlType,
}

/// Columns in their encoded form, made once for a statement and copied into every answer.
#[derive(Debug, Clone)]
pub struct ColumnsMetadata {
    count: u32,
    flags: u32,
    newest: Bytes,
    /// For version 3, if that differs.
    v3: Option<Bytes>,
}

impl ColumnsMetadata {
    /// Encodes columns.
    #[must_use]
    pub fn new(columns: &[ColumnSpec<'_>]) -> Self {
        let same_table = match columns.split_first() {
            Some((first, rest)) => rest
                .iter()
                .all(|other| (other.keyspace, other.table) == (first.keyspace, first.table)),
            None => false,
        };
        let v3 = columns
            .iter()
            .any(|column| type_option::depends_on_version(column.ty));
        Self {
            count: u32::try_from(columns.len()).unwrap_or(u32::MAX),
            flags: if same_table { GLOBAL_TABLE } else { 0 },
            newest: encode(columns, same_table, Version::V4),
            v3: v3.then(|| encode(columns, same_table, Version::V3)),
        }
    }

    /// How many columns.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    fn bytes(&self, version: Version) -> &Bytes {
        match (version, &self.v3) {
            (Version::V3, Some(v3)) => v3,
            (Version::V3 | Version::V4, _) => &self.newest,
        }
    }
}

fn encode(columns: &[ColumnSpec<'_>], same_table: bool, version: Version) -> Bytes {
    let mut out = BytesMut::new();
    if let (true, Some(first)) = (same_table, columns.first()) {
        write::string(&mut out, first.keyspace);
        write::string(&mut out, first.table);
    }
    for column in columns {
        if !same_table {
            write::string(&mut out, column.keyspace);
            write::string(&mut out, column.table);
        }
        write::string(&mut out, column.name);
        type_option::write_type(&mut out, column.ty, version);
    }
    out.freeze()
}

/// What comes before the rows of a result.
#[derive(Debug, Clone, Copy)]
pub struct RowsMetadata<'a> {
    /// The columns.
    pub columns: &'a ColumnsMetadata,
    /// Leave names and types out: the client has them.
    pub skip: bool,
    /// Where the next page begins; `None` on the last one.
    pub paging_state: Option<&'a [u8]>,
}

impl RowsMetadata<'_> {
    pub(crate) fn write(&self, out: &mut BytesMut, version: Version) {
        let mut flags = if self.skip {
            NO_METADATA
        } else {
            self.columns.flags
        };
        if self.paging_state.is_some() {
            flags |= HAS_MORE_PAGES;
        }
        out.put_u32(flags);
        out.put_u32(self.columns.count);
        if let Some(state) = self.paging_state {
            write::bytes(out, state);
        }
        if !self.skip {
            out.put_slice(self.columns.bytes(version));
        }
    }
}

/// The answer to PREPARE.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<'a> {
    /// Id for EXECUTE.
    pub id: &'a [u8],
    /// Bind variables.
    pub variables: &'a ColumnsMetadata,
    /// Which variables are the columns of the partition key, in key order; empty if not all are bound.
    /// Not for version 3.
    pub partition_key: &'a [u16],
    /// Columns of the result; `None` if there is none.
    pub result: Option<&'a ColumnsMetadata>,
    /// The statement is conditional; told to clients that asked for this mark.
    pub is_lwt: bool,
}

impl Prepared<'_> {
    pub(crate) fn write(&self, out: &mut BytesMut, version: Version, lwt_mark: bool) {
        write::short_bytes(out, self.id);
        let mark = if self.is_lwt && lwt_mark { LWT_MARK } else { 0 };
        out.put_u32(self.variables.flags | mark);
        out.put_u32(self.variables.count);
        if version.has_v4() {
            let indexes = self
                .partition_key
                .get(..65_535)
                .unwrap_or(self.partition_key);
            out.put_i32(write::int(indexes.len()));
            for index in indexes {
                out.put_u16(*index);
            }
        }
        out.put_slice(self.variables.bytes(version));
        match self.result {
            Some(columns) => RowsMetadata {
                columns,
                skip: false,
                paging_state: None,
            }
            .write(out, version),
            None => {
                out.put_u32(NO_METADATA);
                out.put_u32(0);
            }
        }
    }
}
