//! Cells, rows, tombstones, partitions; how they merge; what a read asks for and how it is filtered.

mod clustering;
mod codec;
mod header;
mod merge;
mod mutation;
mod owned;
mod purge;
mod range;
mod row;
mod update;

pub use clustering::{ClusteringKey, PARTITION_END, PARTITION_START, Slice, Slices};
pub use codec::DecodeError;
pub use header::{PARTITION_HEADER_FORMAT, PartitionHeader, RangeChunks};
pub use merge::{Shadowed, merge, shadow};
pub use mutation::{MUTATION_FORMAT, Mutation, MutationHeader};
pub use owned::{Cell, Column, Row, Value};
pub use purge::{PurgePolicy, Purged, purge};
pub use range::{RANGE_CHUNK_FORMAT, RangeTombstone, RangeTombstoneRef, RangeTombstones};
pub use row::{
    CellRef, CellValue, Cells, ColumnRef, ComplexRef, Deletion, Elements, Liveness, ROW_FORMAT,
    RowBuf, RowBuilder, RowRef, WrittenClustering,
};
pub use update::{PartitionUpdate, PartitionUpdateBuilder};
