//! Changes of a list that depend on what is in it: elements named by index or by value.
//!
//! Operations of one statement see what those before them have done to the list.

use std::collections::BTreeSet;

use cql_mutation::{ColumnRef, ColumnSet, RowBuf, RowBuilder, RowRef};
use cql_schema::Column;
use cql_syntax::{Expr, Span};
use cql_types::{CqlType, ListIter};

use crate::assignment::{compile_part, part_name};
use crate::error::PlanError;
use crate::operation::{Cells, Operation};
use crate::prepared::Variables;
use crate::term::{Evaluated, Term};
use crate::values::BindValues;

/// How many such changes one statement may make: each looks at its list anew.
const CHANGES_MAX: usize = 100;

/// The index of an element.
#[derive(Debug)]
pub(crate) struct Index {
    term: Term,
    span: Span,
}

impl Index {
    pub(crate) fn compile(
        expr: &Expr,
        column: &Column,
        variables: &mut Variables,
    ) -> Result<Self, PlanError> {
        let name = part_name("idx", column);
        Ok(Self {
            term: compile_part(expr, &name, &CqlType::Int, variables)?,
            span: expr.span,
        })
    }

    /// Chooses among the elements of a list; none if the index is unset.
    fn of<'l, V: BindValues + ?Sized>(
        &self,
        list: &[(&'l [u8], &'l [u8])],
        doing: Doing,
        values: &V,
        cells: &Cells<'_>,
    ) -> Result<Option<&'l [u8]>, PlanError> {
        let index = match self.term.evaluate(values, cells.ctx)? {
            Evaluated::Value(bytes) => <[u8; 4]>::try_from(&*bytes).map(i32::from_be_bytes),
            Evaluated::Unset if doing == Doing::Delete => return Ok(None),
            Evaluated::Unset => return Err(self.wrong("Invalid unset value for list index")),
            Evaluated::Null => return Err(self.wrong("Invalid null value for list index")),
        };
        let Ok(index) = index else {
            return Err(self
                .wrong("Invalid value for list index")
                .help("give an int"));
        };
        let size = list.len();
        if size == 0 {
            return Err(self.wrong(match doing {
                Doing::Set => "Attempted to set an element on a list which is null",
                Doing::Delete => "Attempted to delete an element from a list which is null",
            }));
        }
        let element = usize::try_from(index)
            .ok()
            .and_then(|index| list.get(index));
        match element {
            Some((path, _)) => Ok(Some(path)),
            None => Err(self
                .wrong(format!(
                    "List index {index} out of bound, list has size {size}"
                ))
                .help("the first element has the index 0")),
        }
    }

    fn wrong(&self, message: impl Into<String>) -> PlanError {
        PlanError::invalid(message).at(self.span)
    }
}

/// What an index is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Set,
    Delete,
}

/// The live elements of a list, in order: path and value.
type List<'l> = Vec<(&'l [u8], &'l [u8])>;

impl Operation {
    /// Sets the element at an index, or deletes it if there is no value to set.
    pub(crate) fn change_index<V: BindValues + ?Sized>(
        &self,
        index: &Index,
        value: Option<&Term>,
        values: &V,
        cells: &Cells<'_>,
        row: &mut RowBuilder,
    ) -> Result<(), PlanError> {
        let current = Current::of(self, cells, row);
        let list = current.list(self, cells.ctx.now);
        let doing = match value {
            Some(_) => Doing::Set,
            None => Doing::Delete,
        };
        let Some(path) = index.of(&list, doing, values, cells)? else {
            return Ok(());
        };
        let value = match value {
            Some(value) => value.evaluate(values, cells.ctx)?,
            None => Evaluated::Null,
        };
        match value {
            Evaluated::Value(bytes) => {
                row.element(self.number, path, cells.stamp.live(&bytes));
            }
            Evaluated::Null => {
                row.element(self.number, path, cells.stamp.tombstone());
            }
            Evaluated::Unset => {}
        }
        Ok(())
    }

    pub(crate) fn remove_equal<V: BindValues + ?Sized>(
        &self,
        term: &Term,
        values: &V,
        cells: &Cells<'_>,
        row: &mut RowBuilder,
    ) -> Result<(), PlanError> {
        let Evaluated::Value(bytes) = term.evaluate(values, cells.ctx)? else {
            return Ok(());
        };
        let removed: BTreeSet<&[u8]> = ListIter::trusted(&bytes).collect();
        let current = Current::of(self, cells, row);
        let list = current.list(self, cells.ctx.now);
        for (path, value) in &list {
            if removed.contains(value) {
                row.element(self.number, path, cells.stamp.tombstone());
            }
        }
        Ok(())
    }
}

/// The row as a change of its list finds it.
enum Current<'r> {
    /// As it was read.
    Before(Option<RowRef<'r>>),
    /// With what the statement has done to the list so far.
    Changed(RowBuf),
}

impl<'r> Current<'r> {
    fn of(operation: &Operation, cells: &Cells<'r>, row: &RowBuilder) -> Self {
        // Operations come by column.
        if row.last_column() != Some(operation.number) {
            return Self::Before(cells.before);
        }
        let done = row.clone().finish();
        Self::Changed(match cells.before {
            None => done,
            Some(before) => before.to_buf().merged(&done),
        })
    }

    /// The live elements of the list.
    fn list(&self, operation: &Operation, now: i64) -> List<'_> {
        let row = match self {
            Self::Before(row) => *row,
            Self::Changed(row) => Some(row.as_ref()),
        };
        match row.and_then(|row| row.cell(operation.number)) {
            Some(ColumnRef::Complex(list)) => list
                .elements()
                .filter_map(|(path, cell)| Some((path, cell.live_value(now)?)))
                .collect(),
            Some(ColumnRef::Simple(_)) | None => Vec::new(),
        }
    }
}

/// The lists that some of these operations must know; none if they know enough.
pub(crate) fn lists_read(
    operations: &[Operation],
    span: Span,
) -> Result<Option<ColumnSet>, PlanError> {
    let reading = || operations.iter().filter(|operation| operation.needs_read());
    match reading().count() {
        0 => Ok(None),
        1..=CHANGES_MAX => Ok(Some(reading().map(|operation| operation.number).collect())),
        count => Err(PlanError::invalid(format!(
            "{count} changes of list elements in one statement, at most {CHANGES_MAX} are allowed"
        ))
        .at(span)
        .help("make them in several statements, or write the list as a whole")),
    }
}
