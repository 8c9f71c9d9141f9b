//! `=` and `IN`: the values that a key column may have, before and after binding.

use std::borrow::Cow;

use bytes::Bytes;
use cql_schema::{Column, Table};
use cql_types::{CqlType, ListIter, PartitionKey, TupleIter};

use crate::error::PlanError;
use crate::term::{Evaluated, Term};
use crate::values::{BindContext, BindValues};

/// How many combinations of `IN` values one statement may ask for.
pub(crate) const COMBINATIONS_MAX: usize = 100;

/// The values that one column may have.
#[derive(Debug, Clone)]
pub(crate) enum Choice {
    /// `= term`.
    One(Term),
    /// `IN (term, ...)`.
    Many(Vec<Term>),
    /// `IN ?`: a marker of a list.
    List(Term),
}

/// The values that several columns may have together.
#[derive(Debug, Clone)]
pub(crate) enum TupleChoice {
    /// `= (term, ...)`.
    One(TupleTerm),
    /// `IN ((term, ...), ...)`.
    Many(Vec<TupleTerm>),
    /// `IN ?`: a marker of a list of tuples.
    List(Term),
}

/// A tuple that is compared with several columns.
#[derive(Debug, Clone)]
pub(crate) enum TupleTerm {
    /// Written out.
    Terms(Vec<Term>),
    /// A marker of a tuple.
    Marker(Term),
}

/// A serialized value of a key column.
pub(crate) type KeyValue<'v> = Cow<'v, [u8]>;

/// The bytes of a key column's value, which is never null.
#[inline]
pub(crate) fn key_value<'v, V: BindValues + ?Sized>(
    term: &'v Term,
    column: &str,
    values: &'v V,
    ctx: &BindContext,
) -> Result<KeyValue<'v>, PlanError> {
    match term.evaluate(values, ctx)? {
        Evaluated::Value(bytes) => Ok(bytes),
        Evaluated::Null => Err(PlanError::invalid(format!(
            "Invalid null value in condition for column {column}"
        ))),
        Evaluated::Unset => Err(PlanError::invalid(format!(
            "Invalid unset value for column {column}"
        ))),
    }
}

/// Keys with more columns cost an allocation.
const USUAL_COLUMNS: usize = 6;

/// Evaluates one term a column and hands all values over, on the stack for the usual number of columns.
pub(crate) fn with_key<'v, V: BindValues + ?Sized, R>(
    terms: impl ExactSizeIterator<Item = (&'v Term, &'v Column)>,
    values: &'v V,
    ctx: &BindContext,
    then: impl FnOnce(&[&[u8]]) -> Result<R, PlanError>,
) -> Result<R, PlanError> {
    let width = terms.len();
    let mut few: [KeyValue<'v>; USUAL_COLUMNS] = [const { Cow::Borrowed(&[]) }; USUAL_COLUMNS];
    let mut slices: [&[u8]; USUAL_COLUMNS] = [&[]; USUAL_COLUMNS];
    let (Some(few), Some(slices)) = (few.get_mut(..width), slices.get_mut(..width)) else {
        let many = terms
            .map(|(term, column)| key_value(term, &column.name, values, ctx))
            .collect::<Result<Vec<_>, _>>()?;
        let parts: Vec<&[u8]> = many.iter().map(|value| &**value).collect();
        return then(&parts);
    };
    for (slot, (term, column)) in few.iter_mut().zip(terms) {
        *slot = key_value(term, &column.name, values, ctx)?;
    }
    for (slice, value) in slices.iter_mut().zip(&*few) {
        *slice = value;
    }
    then(slices)
}

impl Choice {
    /// The one term of an equality.
    pub(crate) fn single(&self) -> Option<&Term> {
        match self {
            Self::One(term) => Some(term),
            Self::Many(_) | Self::List(_) => None,
        }
    }

    /// Whether it is an equality, or an IN with one value.
    pub(crate) fn is_single_valued(&self) -> bool {
        match self {
            Self::One(_) => true,
            Self::Many(terms) => terms.len() == 1,
            Self::List(_) => false,
        }
    }

    /// The values for one request.
    pub(crate) fn values<'v, V: BindValues + ?Sized>(
        &'v self,
        column: &str,
        values: &'v V,
        ctx: &BindContext,
    ) -> Result<Vec<KeyValue<'v>>, PlanError> {
        match self {
            Self::One(term) => Ok(vec![key_value(term, column, values, ctx)?]),
            Self::Many(terms) => terms
                .iter()
                .map(|term| key_value(term, column, values, ctx))
                .collect(),
            Self::List(term) => Ok(list(&key_value(term, column, values, ctx)?)
                .into_iter()
                .map(Cow::Owned)
                .collect()),
        }
    }
}

impl TupleChoice {
    /// The tuples for one request, each with `types.len()` values.
    pub(crate) fn tuples<'v, V: BindValues + ?Sized>(
        &'v self,
        columns: &str,
        width: usize,
        values: &'v V,
        ctx: &BindContext,
    ) -> Result<Vec<Vec<KeyValue<'v>>>, PlanError> {
        match self {
            Self::One(tuple) => Ok(vec![tuple.values(columns, width, values, ctx)?]),
            Self::Many(tuples) => tuples
                .iter()
                .map(|tuple| tuple.values(columns, width, values, ctx))
                .collect(),
            Self::List(term) => list(&key_value(term, columns, values, ctx)?)
                .iter()
                .map(|tuple| split(tuple, columns, width))
                .collect(),
        }
    }
}

impl TupleTerm {
    /// The values for one request.
    pub(crate) fn values<'v, V: BindValues + ?Sized>(
        &'v self,
        columns: &str,
        width: usize,
        values: &'v V,
        ctx: &BindContext,
    ) -> Result<Vec<KeyValue<'v>>, PlanError> {
        match self {
            Self::Terms(terms) => terms
                .iter()
                .map(|term| key_value(term, columns, values, ctx))
                .collect(),
            Self::Marker(term) => split(&key_value(term, columns, values, ctx)?, columns, width),
        }
    }
}

fn list(bytes: &[u8]) -> Vec<Vec<u8>> {
    ListIter::trusted(bytes).map(<[u8]>::to_vec).collect()
}

fn split(tuple: &[u8], columns: &str, width: usize) -> Result<Vec<KeyValue<'static>>, PlanError> {
    let fields: Vec<KeyValue<'static>> = TupleIter::trusted(tuple)
        .map(|field| {
            field
                .map(|bytes| Cow::Owned(bytes.to_vec()))
                .ok_or_else(|| {
                    PlanError::invalid(format!(
                        "Invalid null value in condition for columns: {columns}"
                    ))
                })
        })
        .collect::<Result<_, _>>()?;
    if fields.len() == width {
        return Ok(fields);
    }
    Err(PlanError::invalid(format!(
        "Expected {width} elements in value tuple, but got {}",
        fields.len()
    )))
}

/// Every combination of one value a column, in the order of the lists; bounded.
pub(crate) fn combinations<'v>(
    lists: Vec<Vec<KeyValue<'v>>>,
    what: &str,
) -> Result<Vec<Vec<KeyValue<'v>>>, PlanError> {
    let count = lists
        .iter()
        .try_fold(1usize, |product, list| product.checked_mul(list.len()));
    match count {
        Some(count) if count <= COMBINATIONS_MAX => {}
        _ => {
            return Err(PlanError::invalid(format!(
                "{what} cartesian product size {} is greater than maximum {COMBINATIONS_MAX}",
                count.unwrap_or(usize::MAX)
            ))
            .help("ask for fewer values at a time"));
        }
    }
    let mut all = vec![Vec::with_capacity(lists.len())];
    for list in lists {
        let mut longer = Vec::with_capacity(all.len() * list.len());
        for start in &all {
            for value in &list {
                let mut combination = start.clone();
                combination.push(value.clone());
                longer.push(combination);
            }
        }
        all = longer;
    }
    Ok(all)
}

/// The partition keys that the choices name, in the order of the values.
pub(crate) fn partition_keys<'v, V: BindValues + ?Sized>(
    choices: impl Iterator<Item = &'v Choice>,
    table: &Table,
    values: &'v V,
    ctx: &BindContext,
) -> Result<Vec<PartitionKey>, PlanError> {
    let lists = choices
        .zip(table.partition_key())
        .map(|(choice, column)| choice.values(&column.name, values, ctx))
        .collect::<Result<Vec<_>, _>>()?;
    combinations(lists, "partition key")?
        .iter()
        .map(|combination| {
            let parts: Vec<&[u8]> = combination.iter().map(|value| &**value).collect();
            partition_key(&parts)
        })
        .collect()
}

/// Makes a partition key and refuses what the storage cannot hold.
pub(crate) fn partition_key(parts: &[&[u8]]) -> Result<PartitionKey, PlanError> {
    if let [single] = parts {
        if single.is_empty() {
            return Err(PlanError::invalid("Key may not be empty"));
        }
        if single.len() <= cql_types::MAX_KEY_BYTES {
            return PartitionKey::from_bytes(Bytes::copy_from_slice(single))
                .map_err(|error| PlanError::invalid(error.to_string()));
        }
    }
    PartitionKey::from_components(parts).map_err(|error| PlanError::invalid(error.to_string()))
}

/// As from a scan: by token; a key named twice is one partition.
pub(crate) fn by_token(mut keys: Vec<PartitionKey>) -> Vec<PartitionKey> {
    keys.sort_by_cached_key(|key| (key.token(), key.clone()));
    keys.dedup();
    keys
}

/// The list type of an `IN ?` marker.
pub(crate) fn list_of(element: &CqlType) -> CqlType {
    CqlType::List {
        element: std::sync::Arc::new(element.clone()),
        frozen: true,
    }
}
