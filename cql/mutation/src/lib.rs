//! Cells, rows, tombstones, partitions; how they merge; what a read asks for and how it is filtered.
//!
//! Rows live as bytes: the stored form, the log form, the form in a memtable and the form in an answer
//! are the same self-contained bytes, so data moves by copying and is never taken apart on its way.
//! `docs/row-format.md` has every byte.
//!
//! ```text
//!  write   RowBuilder ─► RowBuf ─► PartitionUpdate ─► Mutation ─► bytes: log, other shards, other nodes
//!                                                        └─► memtable: merge, shadow
//!  flush   merge with the older row, purge ─► engine
//!  read    ReadCommand ─► Reconciler ◄─ RowSource (memtables, engine) ─► ReadResult
//! ```
//!
//! Everything is pure: no clock, no chance, no I/O. The `now` of a read comes with its command, that of a
//! purge with its policy, and merging knows none.
//!
//! # Invariants
//! * [`merge()`], [`PartitionUpdate::merge`] and [`RangeTombstones::merge`] are commutative, associative and
//!   idempotent, down to the bytes; so replaying a log or flushing twice changes nothing.
//! * Merging first and shadowing later gives what shadowing first gives.
//! * Bytes from a disk, a peer or a client never panic and never make us allocate more than a small
//!   multiple of their length; unknown formats and flags are errors, unknown columns are skipped by readers.
//!
//! # Cost
//! A row is one allocation and 19 bytes of overhead for five columns written together.
//! Walking costs about 2 ns a column, merging about 20 ns; a row that a read shows as it is, is copied.

mod row;

mod merge;
mod purge;

mod clustering;
mod header;
mod mutation;
mod range;
mod update;

mod collection;
mod read;

mod codec;
mod digest;
mod owned;

pub use clustering::{ClusteringKey, PARTITION_END, PARTITION_START, Slice, Slices};
pub use codec::DecodeError;
pub use collection::{assemble_collection, field_path};
pub use header::{PARTITION_HEADER_FORMAT, PartitionHeader, RangeChunks};
pub use merge::{Shadowed, merge, shadow};
pub use mutation::{MUTATION_FORMAT, Mutation, MutationHeader};
pub use owned::{Cell, Column, Row, Value};
pub use purge::{PurgePolicy, Purged, purge};
pub use range::{RANGE_CHUNK_FORMAT, RangeTombstone, RangeTombstoneRef, RangeTombstones};
pub use read::{
    Begin, ColumnSet, Comparison, Filter, FilterColumn, Operator, Order, PageLimit, PartitionHead,
    Partitions, Position, Predicate, Progress, ReadCommand, ReadResult, ReadStats, Reconciler,
    ResultPartition, ResultRow, ResultRows, RowCopies, RowSource, SortedRows, SourceEnd, Statics,
    Subject,
};
pub use row::{
    CellRef, CellValue, Cells, ColumnRef, ComplexRef, Deletion, Elements, Liveness, ROW_FORMAT,
    RowBuf, RowBuilder, RowRef, WrittenClustering,
};
pub use update::{PartitionUpdate, PartitionUpdateBuilder};
