//! Bound values of a request, seen as the planner wants them.

use cql_plan::{BindValues, Bound, PlanError, Prepared};
use cql_protocol::{ValueRef, Values};

/// Values by position.
pub(crate) struct Positional<'r, 'a>(pub(crate) &'r Values<'a>);

impl BindValues for Positional<'_, '_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn get(&self, index: usize) -> Bound<'_> {
        self.0.get(index).map_or(Bound::Unset, bound)
    }
}

fn bound(value: ValueRef<'_>) -> Bound<'_> {
    match value {
        ValueRef::Bytes(bytes) => Bound::Value(bytes),
        ValueRef::Null => Bound::Null,
        ValueRef::Unset => Bound::Unset,
    }
}

/// Puts values sent by name into the order of the markers; a marker that is not named is unset.
pub(crate) fn by_name<'a>(
    values: &Values<'a>,
    prepared: &Prepared,
) -> Result<Vec<Bound<'a>>, PlanError> {
    for (name, _) in values.iter() {
        let name = name.unwrap_or_default();
        if !prepared
            .variables
            .iter()
            .any(|variable| &*variable.name == name)
        {
            return Err(PlanError::invalid(format!(
                "a value is bound to {name}, but the statement has no marker of that name"
            )));
        }
    }
    Ok(prepared
        .variables
        .iter()
        .map(|variable| values.by_name(&variable.name).map_or(Bound::Unset, bound))
        .collect())
}
