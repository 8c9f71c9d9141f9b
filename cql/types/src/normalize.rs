//! The canonical order of serialized sets and maps.
//!
//! Clients send them in any order and with duplicates.
//! A frozen one is stored, compared and hashed as bytes, so it is brought into order when it is bound.

use crate::collections::{
    ListIter, MapIter, TupleIter, VectorIter, push_count, push_element, push_vector_element,
};
use crate::compare::compare;
use crate::error::ValueError;
use crate::ty::{CqlType, scalar};
use crate::validate::validate;
use crate::value::{push_map, push_set};
use std::borrow::Cow;

/// Validates a value and gives it back with all its sets and maps in order, without duplicates
/// (of equal map keys the last counts). Copies only what was not in order.
///
/// # Errors
/// What [`validate`] refuses.
pub fn normalize<'a>(ty: &CqlType, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, ValueError> {
    validate(ty, bytes)?;
    rebuild_unless_normal(ty, bytes)
}

fn rebuild_unless_normal<'a>(ty: &CqlType, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, ValueError> {
    if bytes.is_empty() || is_normal(ty, bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::with_capacity(bytes.len());
    match ty {
        CqlType::List { element, .. } => {
            push_count(ListIter::trusted(bytes).count(), &mut out)?;
            for bytes in ListIter::trusted(bytes) {
                push_element(Some(&rebuild_unless_normal(element, bytes)?), &mut out)?;
            }
        }
        CqlType::Set { element, .. } => {
            let elements =
                ListIter::trusted(bytes).map(|bytes| rebuild_unless_normal(element, bytes));
            push_set(element, elements.collect::<Result<_, _>>()?, &mut out)?;
        }
        CqlType::Map { key, value, .. } => {
            let pairs = MapIter::trusted(bytes).map(|(k, v)| {
                Ok((
                    rebuild_unless_normal(key, k)?,
                    rebuild_unless_normal(value, v)?,
                ))
            });
            push_map(key, pairs.collect::<Result<_, ValueError>>()?, &mut out)?;
        }
        CqlType::Tuple(parts) => push_fields(parts.iter(), bytes, &mut out)?,
        CqlType::Udt { def, .. } => {
            push_fields(def.fields.iter().map(|(_, ty)| ty), bytes, &mut out)?
        }
        CqlType::Vector {
            element,
            dimensions,
        } => {
            let element_len = element.vector_element_len();
            for bytes in VectorIter::trusted(bytes, *dimensions, element_len) {
                push_vector_element(
                    &rebuild_unless_normal(element, bytes)?,
                    element_len,
                    &mut out,
                )?;
            }
        }
        scalar!() => out.extend_from_slice(bytes),
    }
    Ok(Cow::Owned(out))
}

fn push_fields<'t>(
    types: impl Iterator<Item = &'t CqlType>,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    for (ty, bytes) in types.zip(TupleIter::trusted(bytes)) {
        match bytes {
            None => push_element(None, out)?,
            Some(bytes) => push_element(Some(&rebuild_unless_normal(ty, bytes)?), out)?,
        }
    }
    Ok(())
}

fn is_normal(ty: &CqlType, bytes: &[u8]) -> bool {
    match ty {
        CqlType::List { element, .. } => {
            ListIter::trusted(bytes).all(|bytes| is_normal(element, bytes))
        }
        CqlType::Set { element, .. } => {
            ascends(element, ListIter::trusted(bytes))
                && ListIter::trusted(bytes).all(|bytes| is_normal(element, bytes))
        }
        CqlType::Map { key, value, .. } => {
            ascends(key, MapIter::trusted(bytes).map(|(k, _)| k))
                && MapIter::trusted(bytes).all(|(k, v)| is_normal(key, k) && is_normal(value, v))
        }
        CqlType::Tuple(parts) => are_normal_fields(parts.iter(), bytes),
        CqlType::Udt { def, .. } => are_normal_fields(def.fields.iter().map(|(_, ty)| ty), bytes),
        CqlType::Vector {
            element,
            dimensions,
        } => {
            element.is_scalar()
                || VectorIter::trusted(bytes, *dimensions, element.vector_element_len())
                    .all(|bytes| is_normal(element, bytes))
        }
        scalar!() => true,
    }
}

fn are_normal_fields<'t>(mut types: impl Iterator<Item = &'t CqlType>, bytes: &[u8]) -> bool {
    let mut fields = TupleIter::trusted(bytes);
    types.all(|ty| {
        fields
            .next()
            .flatten()
            .is_none_or(|bytes| is_normal(ty, bytes))
    })
}

fn ascends<'a>(ty: &CqlType, mut elements: impl Iterator<Item = &'a [u8]>) -> bool {
    let Some(mut last) = elements.next() else {
        return true;
    };
    elements.all(|next| compare(ty, std::mem::replace(&mut last, next), next).is_lt())
}
