//! The WHERE clause: which relations name the partition, which the rows in it, and which must be filtered.

use cql_schema::{Column, ColumnKind, Table};
use cql_syntax::{Comparison, Relation, Span};

use crate::choice::Choice;
use crate::clustering::{ClusteringRestriction, RangeOp};
use crate::error::PlanError;
use crate::prepared::Variables;
use crate::relation::Compiler;
use crate::term::Term;

/// A compiled WHERE clause.
#[derive(Debug)]
pub(crate) struct Restrictions {
    /// The choice of each partition key column; `None` where there is none.
    pub(crate) partition: Vec<Option<Choice>>,
    /// Bounds on the token.
    pub(crate) tokens: Vec<TokenBound>,
    /// What restricts the clustering columns.
    pub(crate) clustering: ClusteringRestriction,
    /// What is left to be looked at row by row.
    pub(crate) filters: Vec<FilterTerm>,
}

/// `token(...) op term`.
#[derive(Debug)]
pub(crate) struct TokenBound {
    /// The operator; `None` is equality.
    pub(crate) op: Option<RangeOp>,
    /// What it is compared with.
    pub(crate) term: TokenTerm,
}

/// The other side of a token relation.
#[derive(Debug)]
pub(crate) enum TokenTerm {
    /// A bigint.
    Number(Term),
    /// `token(term, ...)`.
    Key(Vec<Term>),
}

/// A relation that is tested on each row.
#[derive(Debug)]
pub(crate) struct FilterTerm {
    /// The column.
    pub(crate) column: Column,
    /// The test.
    pub(crate) test: FilterTest,
    /// Where it stands.
    pub(crate) span: Span,
}

impl FilterTerm {
    /// Whether it looks at a row, not only at its partition.
    pub(crate) fn needs_row(&self) -> bool {
        match self.column.kind {
            ColumnKind::Clustering | ColumnKind::Regular => true,
            ColumnKind::PartitionKey | ColumnKind::Static => false,
        }
    }
}

/// The test of a [`FilterTerm`].
#[derive(Debug)]
pub(crate) enum FilterTest {
    /// A comparison.
    Compare(Comparison, Term),
    /// `IN`.
    In(Choice),
    /// `CONTAINS`: an element or a value.
    Contains(Term),
    /// `CONTAINS KEY`.
    ContainsKey(Term),
    /// `column[key] = value`.
    Entry(Term, Term),
}

/// Whether relations that no slice expresses may be tested row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filtering {
    /// ALLOW FILTERING was said.
    Allowed,
    /// It was not, or the statement writes.
    Refused,
}

impl Restrictions {
    /// Compiles the relations of a statement.
    pub(crate) fn compile(
        relations: &[Relation],
        table: &Table,
        variables: &mut Variables,
        filtering: Filtering,
    ) -> Result<Self, PlanError> {
        let mut compiler = Compiler::new(table, variables, filtering);
        for relation in relations {
            compiler.relation(relation)?;
        }
        compiler.finish()
    }

    /// Whether every partition key column has a value.
    pub(crate) fn names_partitions(&self) -> bool {
        self.partition.iter().all(Option::is_some)
    }

    /// Whether some partition key column has a value.
    pub(crate) fn touches_partition(&self) -> bool {
        self.partition.iter().any(Option::is_some)
    }

    /// Whether there is but one partition.
    pub(crate) fn names_one_partition(&self) -> bool {
        self.partition.iter().all(|choice| {
            choice
                .as_ref()
                .is_some_and(|choice| choice.is_single_valued())
        })
    }
}
