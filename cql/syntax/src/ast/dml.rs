//! Statements that write: `INSERT`, `UPDATE`, `DELETE`, `BATCH`.

use super::{Expr, Name, QualifiedName, Relation};
use crate::Span;

/// `INSERT INTO ...`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insert {
    /// The table.
    pub table: QualifiedName,
    /// What is inserted.
    pub source: InsertSource,
    /// `IF NOT EXISTS`
    pub if_not_exists: Option<Span>,
    /// `USING TIMESTAMP`, `TTL`, `TIMEOUT`.
    pub using: Using,
}

/// What an `INSERT` inserts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InsertSource {
    /// `(a, b) VALUES (1, 2)`. The two lists may differ in length; the planner says so.
    Values {
        /// The columns.
        columns: Vec<Name>,
        /// Their values.
        values: Vec<Expr>,
        /// The parentheses behind `VALUES`.
        values_span: Span,
    },
    /// `JSON '...'`
    Json {
        /// A string or a marker.
        value: Expr,
        /// What columns get that the JSON does not name.
        default: JsonDefault,
    },
}

/// What `INSERT JSON` does with columns that the JSON does not name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonDefault {
    /// `DEFAULT NULL`, which is also what nothing means: they are deleted.
    Null,
    /// `DEFAULT UNSET`: they stay as they are.
    Unset,
}

/// `UPDATE ... SET ...`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// The table.
    pub table: QualifiedName,
    /// `USING TIMESTAMP`, `TTL`, `TIMEOUT`.
    pub using: Using,
    /// What is changed; at least one.
    pub assignments: Vec<Assignment>,
    /// The rows.
    pub relations: Vec<Relation>,
    /// The conditions.
    pub condition: Option<Condition>,
}

/// An entry of `SET`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// What is changed.
    pub target: Target,
    /// How.
    pub op: AssignmentOp,
    /// The new value, or what is added or removed.
    pub value: Expr,
    /// The whole assignment.
    pub span: Span,
}

/// The left side of an assignment, and what a `DELETE` deletes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// `c`
    Column(Name),
    /// `c[k]`
    Element {
        /// The collection.
        column: Name,
        /// The key of the element.
        key: Expr,
    },
    /// `c.f`
    Field {
        /// The column of a UDT.
        column: Name,
        /// The field.
        field: Name,
    },
}

impl Target {
    /// The column that it is or is part of.
    #[must_use]
    pub const fn column(&self) -> &Name {
        match self {
            Self::Column(column) | Self::Element { column, .. } | Self::Field { column, .. } => {
                column
            }
        }
    }
}

/// How a target takes a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssignmentOp {
    /// `c = v`
    Set,
    /// `c = c + v`, `c += v`: counts up, appends, puts in.
    Add,
    /// `c = c - v`, `c -= v`: counts down, removes.
    Subtract,
    /// `c = v + c`: puts before a list.
    Prepend,
}

/// `DELETE ... FROM ...`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delete {
    /// The cells and elements; empty when whole rows are deleted.
    pub targets: Vec<Target>,
    /// The table.
    pub table: QualifiedName,
    /// `USING TIMESTAMP`, `TIMEOUT`.
    pub using: Using,
    /// The rows.
    pub relations: Vec<Relation>,
    /// The conditions.
    pub condition: Option<Condition>,
}

/// `IF ...` of an `UPDATE` or `DELETE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// What must hold.
    pub kind: ConditionKind,
    /// From `IF` to its end.
    pub span: Span,
}

/// The kinds of [`Condition`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConditionKind {
    /// `IF EXISTS`
    Exists,
    /// `IF a = 1 AND ...`; at least one.
    All(Vec<Relation>),
}

/// `USING a AND b`, in the order of the text. Empty without `USING`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Using {
    /// The parameters.
    pub parameters: Vec<UsingParameter>,
}

impl Using {
    /// The last value given for `kind`, as the last one counts.
    #[must_use]
    pub fn get(&self, kind: UsingKind) -> Option<&Expr> {
        let last = self.parameters.iter().rev().find(|p| p.kind == kind)?;
        Some(&last.value)
    }

    /// The value of `TIMESTAMP`: microseconds since the epoch, or a marker.
    #[must_use]
    pub fn timestamp(&self) -> Option<&Expr> {
        self.get(UsingKind::Timestamp)
    }

    /// The value of `TTL`: seconds, or a marker.
    #[must_use]
    pub fn ttl(&self) -> Option<&Expr> {
        self.get(UsingKind::Ttl)
    }

    /// The value of `TIMEOUT`: a duration, or a marker.
    #[must_use]
    pub fn timeout(&self) -> Option<&Expr> {
        self.get(UsingKind::Timeout)
    }
}

/// One parameter of `USING`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsingParameter {
    /// Which.
    pub kind: UsingKind,
    /// An integer or a marker; for `TIMEOUT` a duration or a marker.
    pub value: Expr,
    /// The parameter with its keyword.
    pub span: Span,
}

/// The parameters of `USING`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its keyword")]
pub enum UsingKind {
    Timestamp,
    Ttl,
    Timeout,
}

/// `BEGIN BATCH ... APPLY BATCH`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// What the batch promises.
    pub kind: BatchKind,
    /// `USING TIMESTAMP`, `TIMEOUT` of the whole batch.
    pub using: Using,
    /// The statements; may be empty.
    pub statements: Vec<BatchStatement>,
}

/// What a batch promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchKind {
    /// All of it or nothing, eventually. Written `BEGIN BATCH` or `BEGIN LOGGED BATCH`.
    Logged,
    /// Nothing across partitions.
    Unlogged,
    /// Changes of counters.
    Counter,
}

/// A statement in a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchStatement {
    /// The statement.
    pub kind: BatchStatementKind,
    /// Where it stands.
    pub span: Span,
}

/// The statements that a batch may hold.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its statement")]
pub enum BatchStatementKind {
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
}
