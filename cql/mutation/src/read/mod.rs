//! Reading: what is asked ([`ReadCommand`]), what is answered ([`ReadResult`]), and the pure way from one
//! to the other ([`Reconciler`]).
//!
//! ```text
//!  memtables ──► RowSource ─┐  for one partition at a time
//!  engine    ──► RowSource ─┼─► Reconciler ─► ReadResult (one buffer) ─► more: Position
//!  header, ranges ──────────┘   merge, shadow, expire, filter, count
//! ```
//!
//! The replica runs it on its shard; whoever owns the sources decides when to yield, because the
//! reconciler works in steps of a number of rows that the caller gives.

mod columns;
mod command;
mod current;
mod emit;
mod filter;
mod first;
mod position;
mod reconcile;
mod result;
mod source;

pub use columns::ColumnSet;
pub use command::{Order, PageLimit, Partitions, ReadCommand, Statics};
pub use filter::{Comparison, Filter, FilterColumn, Operator, Predicate, Subject};
pub use position::Position;
pub use reconcile::{Begin, PartitionHead, Progress, Reconciler};
pub use result::{ReadResult, ReadStats, ResultPartition, ResultRow, ResultRows};
pub use source::{RowCopies, RowSource, SortedRows, SourceEnd};
