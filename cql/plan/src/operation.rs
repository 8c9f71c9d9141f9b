//! One assignment or deletion of a column, and the cells it makes.

use cql_mutation::{CellRef, Deletion, RowBuilder, RowRef, field_path};
use cql_schema::{Column, ColumnKind, ColumnNumber};
use cql_types::{CqlType, ListIter, MapIter, TupleIter};

use crate::draft::Found;
use crate::error::PlanError;
use crate::functions::mix;
use crate::list::Index;
use crate::term::{Evaluated, Term};
use crate::values::{BindContext, BindValues};
use crate::write::Stamp;

/// One change to a column.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) number: ColumnNumber,
    pub(crate) is_static: bool,
    pub(crate) ty: CqlType,
    pub(crate) action: Action,
}

/// What is done with the column.
#[derive(Debug)]
pub(crate) enum Action {
    /// `= term`; null deletes.
    Set(Term),
    /// `+= term`, and prepending: adds elements.
    Add(Term, Place),
    /// `-= term`: removes elements of a set, or keys of a map.
    Remove(Term),
    /// `[key] = term`: sets or deletes the value of a map's key.
    SetElement(Term, Term),
    /// Deletes the key of a map or the element of a set.
    DeleteElement(Term),
    /// `[index] = term`: sets or deletes an element of a list.
    SetIndex(Index, Term),
    /// Deletes the element of a list at an index.
    DeleteIndex(Index),
    /// `-= term`: removes the elements of a list that equal one of these.
    RemoveEqual(Term),
    /// `.field = term` of a user type; null deletes.
    SetField(u16, Term),
    /// Deletes the column.
    Delete,
}

/// Where elements are added to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Back,
    Front,
}

/// Makes the cells of one statement.
pub(crate) struct Cells<'s> {
    pub(crate) stamp: &'s Stamp,
    pub(crate) ctx: &'s BindContext,
    /// What was read of the partition.
    pub(crate) found: &'s Found<'s>,
    /// The row that is changed, as it was read.
    pub(crate) before: Option<RowRef<'s>>,
    serial: u16,
}

impl<'s> Cells<'s> {
    pub(crate) fn new(stamp: &'s Stamp, ctx: &'s BindContext, found: &'s Found<'s>) -> Self {
        Self {
            stamp,
            ctx,
            found,
            before: None,
            serial: 0,
        }
    }

    /// The path of a new list element: times count up behind the middle and down before it; then a serial number
    /// within the statement; then chance, against another node at the same microsecond.
    fn list_path(&mut self, place: Place) -> Result<[u8; 16], PlanError> {
        const MIDDLE: u64 = 1 << 63;
        let time = u64::try_from(self.ctx.node_time).unwrap_or(0) % MIDDLE;
        let position = match place {
            Place::Back => MIDDLE + time,
            Place::Front => MIDDLE - 1 - time,
        };
        let chance = mix(self.ctx.unique) >> 16;
        let tail = (u64::from(self.serial) << 48) | chance;
        self.serial = self.serial.checked_add(1).ok_or_else(|| {
            PlanError::invalid("more than 65535 list elements in one statement")
                .help("append them in several statements")
        })?;
        Ok(((u128::from(position) << 64) | u128::from(tail)).to_be_bytes())
    }
}

impl Operation {
    pub(crate) fn new(column: &Column, action: Action) -> Self {
        Self {
            number: column.number,
            is_static: column.kind == ColumnKind::Static,
            ty: column.ty.clone(),
            action,
        }
    }

    /// Whether it must know the elements of its list.
    pub(crate) fn needs_read(&self) -> bool {
        match self.action {
            Action::SetIndex(..) | Action::DeleteIndex(_) | Action::RemoveEqual(_) => true,
            Action::Set(_)
            | Action::Add(..)
            | Action::Remove(_)
            | Action::SetElement(..)
            | Action::DeleteElement(_)
            | Action::SetField(..)
            | Action::Delete => false,
        }
    }

    /// Adds the cells of this operation to a row.
    pub(crate) fn apply<V: BindValues + ?Sized>(
        &self,
        values: &V,
        cells: &mut Cells<'_>,
        row: &mut RowBuilder,
    ) -> Result<(), PlanError> {
        match &self.action {
            Action::Set(term) => match term.evaluate(values, cells.ctx)? {
                Evaluated::Unset => Ok(()),
                Evaluated::Null if self.ty.is_multi_cell() => {
                    row.collection_deletion(self.number, cells.stamp.deletion());
                    Ok(())
                }
                Evaluated::Null => {
                    row.cell(self.number, cells.stamp.tombstone());
                    Ok(())
                }
                Evaluated::Value(bytes) if self.ty.is_multi_cell() => {
                    // What is written now must survive the deletion of what was there.
                    let deletion = Deletion {
                        timestamp: cells.stamp.timestamp.saturating_sub(1),
                        ..cells.stamp.deletion()
                    };
                    row.collection_deletion(self.number, deletion);
                    self.add_elements(&bytes, Place::Back, cells, row)
                }
                Evaluated::Value(bytes) => {
                    row.cell(self.number, cells.stamp.live(&bytes));
                    Ok(())
                }
            },
            Action::Add(term, place) => match term.evaluate(values, cells.ctx)? {
                Evaluated::Value(bytes) => self.add_elements(&bytes, *place, cells, row),
                Evaluated::Null | Evaluated::Unset => Ok(()),
            },
            Action::Remove(term) => match term.evaluate(values, cells.ctx)? {
                Evaluated::Value(bytes) => {
                    for element in ListIter::trusted(&bytes) {
                        row.element(self.number, element, cells.stamp.tombstone());
                    }
                    Ok(())
                }
                Evaluated::Null | Evaluated::Unset => Ok(()),
            },
            Action::SetElement(key, value) => {
                let path = bound_path(key, values, cells.ctx)?;
                match value.evaluate(values, cells.ctx)? {
                    Evaluated::Value(bytes) => {
                        row.element(self.number, &path, cells.stamp.live(&bytes));
                    }
                    Evaluated::Null => {
                        row.element(self.number, &path, cells.stamp.tombstone());
                    }
                    Evaluated::Unset => {}
                }
                Ok(())
            }
            Action::DeleteElement(key) => {
                let path = bound_path(key, values, cells.ctx)?;
                row.element(self.number, &path, cells.stamp.tombstone());
                Ok(())
            }
            Action::SetIndex(index, value) => {
                self.change_index(index, Some(value), values, cells, row)
            }
            Action::DeleteIndex(index) => self.change_index(index, None, values, cells, row),
            Action::RemoveEqual(term) => self.remove_equal(term, values, cells, row),
            Action::SetField(index, value) => {
                let path = field_path(*index);
                match value.evaluate(values, cells.ctx)? {
                    Evaluated::Value(bytes) => {
                        row.element(self.number, &path, cells.stamp.live(&bytes));
                    }
                    Evaluated::Null => {
                        row.element(self.number, &path, cells.stamp.tombstone());
                    }
                    Evaluated::Unset => {}
                }
                Ok(())
            }
            Action::Delete => {
                if self.ty.is_multi_cell() {
                    row.collection_deletion(self.number, cells.stamp.deletion());
                } else {
                    row.cell(self.number, cells.stamp.tombstone());
                }
                Ok(())
            }
        }
    }

    fn add_elements(
        &self,
        bytes: &[u8],
        place: Place,
        cells: &mut Cells<'_>,
        row: &mut RowBuilder,
    ) -> Result<(), PlanError> {
        match &self.ty {
            CqlType::List { .. } => {
                for element in ListIter::trusted(bytes) {
                    let path = cells.list_path(place)?;
                    row.element(self.number, &path, cells.stamp.live(element));
                }
            }
            CqlType::Set { .. } => {
                for element in ListIter::trusted(bytes) {
                    row.element(self.number, element, cells.stamp.live(&[]));
                }
            }
            CqlType::Map { .. } => {
                for (key, value) in MapIter::trusted(bytes) {
                    row.element(self.number, key, cells.stamp.live(value));
                }
            }
            CqlType::Udt { .. } => {
                for (index, field) in (0u16..).zip(TupleIter::trusted(bytes)) {
                    let cell: CellRef<'_> = match field {
                        Some(value) => cells.stamp.live(value),
                        None => cells.stamp.tombstone(),
                    };
                    row.element(self.number, &field_path(index), cell);
                }
            }
            _ => {
                return Err(PlanError::invalid(format!(
                    "a column of type {} has no elements",
                    self.ty
                )));
            }
        }
        Ok(())
    }
}

/// The path of a map's key or a set's element: its bytes.
fn bound_path<'v, V: BindValues + ?Sized>(
    key: &'v Term,
    values: &'v V,
    ctx: &BindContext,
) -> Result<std::borrow::Cow<'v, [u8]>, PlanError> {
    match key.evaluate(values, ctx)? {
        Evaluated::Value(bytes) => Ok(bytes),
        Evaluated::Null => Err(PlanError::invalid("Invalid null map key")),
        Evaluated::Unset => Err(PlanError::invalid("Invalid unset map key")),
    }
}
