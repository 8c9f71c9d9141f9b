//! From an AST and a schema to a plan; from a plan and bound values to mutations or a read command; from rows to a
//! result.
//!
//! ```text
//! Statement ─ prepare(schema, keyspace) ─► Prepared ─ bind(values, clock) ─► Mutation | Draft | ReadCommand | Change
//!                                                                ReadResult ─ Projection ─► cells
//!                                                                ReadResult ─ Draft ─► Mutation
//! ```
//!
//! Pure: no clock, no chance, no I/O; what a request needs of them comes with its [`BindContext`].
//! Everything that a statement says is resolved when it is prepared, so that a bound request only evaluates terms.

mod aggregate;
mod arrange;
mod assignment;
mod cast;
mod choice;
mod clustering;
mod ddl;
mod describe;
mod draft;
mod error;
mod explain;
mod functions;
mod list;
mod modify;
mod operation;
mod prepare;
mod prepared;
mod project;
mod read;
mod relation;
mod resolve;
mod restrict;
mod select;
mod selector;
mod term;
mod values;
mod write;

pub use describe::{DescribePlan, DescribeRow};
pub use draft::{Draft, Writes};
pub use error::{PlanError, PlanErrorKind};
pub use prepare::prepare;
pub use prepared::{Prepared, PreparedKind, ResultColumn, Variable};
pub use project::{Projection, RowSink, Totals};
pub use read::{Paging, ReadPlan};
pub use values::{BindContext, BindValues, Bound};
pub use write::{BatchPlan, WritePlan};
