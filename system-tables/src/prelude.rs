//! What the generated code names.

pub use std::collections::{BTreeMap, BTreeSet};
pub use std::fmt::{Display, Formatter, Result as FmtResult};
pub use std::net::IpAddr;
pub use std::ops::RangeBounds;

pub use cql_types::{ComponentOrder, CqlDuration, CqlType, Uuid, ValueError};

pub use crate::cells::{CellReader, CellWriter, RowCells, StaticCells};
pub use crate::change::{Change, Stamp};
pub use crate::declaration::{
    ColumnDeclaration, KeyspaceDeclaration, TableDeclaration, TypeDeclaration,
};
pub use crate::error::TableError;
pub use crate::fields::{FieldReader, FieldWriter};
pub use crate::home::{Distributed, Group0, Local, ShardLocal, Virtual};
pub use crate::keys::{KeyColumns, KeyReader, KeyWriter, NoClustering};
pub use crate::read::{Partition, Rows, TableReader};
pub use crate::table::{AnyTable, Table};
pub use crate::value::{Date, FromCql, Serialized, Time, Timestamp, ToCql, unknown_value};
