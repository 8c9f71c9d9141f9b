//! Rust values as CQL values.
//!
//! A value is written and read together with its [`CqlType`], since one Rust type may stand for several CQL types
//! (`Vec` for lists and vectors) and since sets and maps are stored in the order of CQL.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use cql_types::{
    CqlDuration, CqlType, ListIter, MapIter, TupleIter, Uuid, ValueError, VectorIter, compare,
    push_count, push_element, push_vector_element, validate,
};

/// Milliseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A day; 2^31 is 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub u32);

/// Nanoseconds since midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// The bytes of a value for which there is no Rust type here: decimal, varint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Serialized(pub Vec<u8>);

/// Something that can be stored as a CQL value.
pub trait ToCql {
    /// Appends the serialized value.
    ///
    /// # Errors
    /// A part that is longer than CQL can say.
    fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError>;
}

/// Something that can be read from a CQL value.
pub trait FromCql: Sized {
    /// Reads the serialized value.
    ///
    /// # Errors
    /// Bytes that are not of the type.
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError>;
}

/// The error for a stored value that an enum does not have.
pub fn unknown_value(name: &'static str, stored: &dyn std::fmt::Display) -> ValueError {
    ValueError::Text {
        ty: name,
        text: stored.to_string(),
        what: "it has no such value".into(),
    }
}

fn fixed<const N: usize>(ty: &CqlType, bytes: &[u8]) -> Result<[u8; N], ValueError> {
    bytes.try_into().map_err(|_| ValueError::WrongLength {
        ty: ty.kind_name(),
        len: N,
        empty_is_legal: false,
        found: bytes.len(),
    })
}

fn wrong_kind(ty: &CqlType, found: &'static str) -> ValueError {
    ValueError::WrongKind {
        expected: ty.kind_name(),
        found,
    }
}

macro_rules! big_endian {
    ($($rust:ty),*) => {
        $(
            impl ToCql for $rust {
                fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
                    out.extend_from_slice(&self.to_be_bytes());
                    Ok(())
                }
            }

            impl FromCql for $rust {
                fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
                    fixed(ty, bytes).map(Self::from_be_bytes)
                }
            }
        )*
    };
}

big_endian!(i8, i16, i32, i64, f32, f64);

macro_rules! wrapped {
    ($($name:ident: $inner:ty),*) => {
        $(
            impl ToCql for $name {
                fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
                    out.extend_from_slice(&self.0.to_be_bytes());
                    Ok(())
                }
            }

            impl FromCql for $name {
                fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
                    fixed(ty, bytes).map(<$inner>::from_be_bytes).map(Self)
                }
            }
        )*
    };
}

wrapped!(Timestamp: i64, Date: u32, Time: i64);

impl ToCql for bool {
    fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        out.push(u8::from(*self));
        Ok(())
    }
}

impl FromCql for bool {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        fixed(ty, bytes).map(|[byte]| byte != 0)
    }
}

impl ToCql for str {
    fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        out.extend_from_slice(self.as_bytes());
        Ok(())
    }
}

impl ToCql for String {
    fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.as_str().to_cql(ty, out)
    }
}

impl FromCql for String {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        validate(ty, bytes)?;
        let invalid = ValueError::Invalid {
            ty: ty.kind_name(),
            what: "it is not UTF-8",
        };
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| invalid)
    }
}

impl ToCql for [u8] {
    fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        out.extend_from_slice(self);
        Ok(())
    }
}

impl ToCql for Vec<u8> {
    fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.as_slice().to_cql(ty, out)
    }
}

impl FromCql for Vec<u8> {
    fn from_cql(_ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        Ok(bytes.to_vec())
    }
}

impl ToCql for Serialized {
    fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        validate(ty, &self.0)?;
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

impl FromCql for Serialized {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        validate(ty, bytes)?;
        Ok(Self(bytes.to_vec()))
    }
}

impl ToCql for Uuid {
    fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        out.extend_from_slice(self.as_bytes());
        Ok(())
    }
}

impl FromCql for Uuid {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        fixed(ty, bytes).map(Self::from_bytes)
    }
}

impl ToCql for IpAddr {
    fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        match self {
            Self::V4(address) => out.extend_from_slice(&address.octets()),
            Self::V6(address) => out.extend_from_slice(&address.octets()),
        }
        Ok(())
    }
}

impl FromCql for IpAddr {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        match bytes.len() {
            4 => fixed::<4>(ty, bytes).map(Self::from),
            _ => fixed::<16>(ty, bytes).map(Self::from),
        }
    }
}

impl ToCql for CqlDuration {
    fn to_cql(&self, _ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.write(out);
        Ok(())
    }
}

impl FromCql for CqlDuration {
    fn from_cql(_ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        Self::from_bytes(bytes)
    }
}

/// A value as bytes of its own.
pub(crate) fn serialized(
    value: &(impl ToCql + ?Sized),
    ty: &CqlType,
) -> Result<Vec<u8>, ValueError> {
    let mut bytes = Vec::new();
    value.to_cql(ty, &mut bytes)?;
    Ok(bytes)
}

impl<T: ToCql> ToCql for Vec<T> {
    fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        match ty {
            CqlType::List { element, .. } => {
                push_count(self.len(), out)?;
                for value in self {
                    push_element(Some(&serialized(value, element)?), out)?;
                }
                Ok(())
            }
            CqlType::Vector {
                element,
                dimensions,
            } if usize::from(*dimensions) == self.len() => {
                for value in self {
                    push_vector_element(
                        &serialized(value, element)?,
                        element.vector_element_len(),
                        out,
                    )?;
                }
                Ok(())
            }
            _ => Err(wrong_kind(ty, "list")),
        }
    }
}

impl<T: FromCql> FromCql for Vec<T> {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        match ty {
            CqlType::List { element, .. } => ListIter::parse(bytes)?
                .map(|bytes| T::from_cql(element, bytes))
                .collect(),
            CqlType::Vector {
                element,
                dimensions,
            } => {
                let elements = VectorIter::parse(bytes, *dimensions, element.vector_element_len())?;
                elements.map(|bytes| T::from_cql(element, bytes)).collect()
            }
            _ => Err(wrong_kind(ty, "list")),
        }
    }
}

impl<T: ToCql> ToCql for BTreeSet<T> {
    fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        let CqlType::Set { element, .. } = ty else {
            return Err(wrong_kind(ty, "set"));
        };
        let mut values = self
            .iter()
            .map(|value| serialized(value, element))
            .collect::<Result<Vec<_>, _>>()?;
        values.sort_by(|a, b| compare(element, a, b));
        push_count(values.len(), out)?;
        values
            .iter()
            .try_for_each(|value| push_element(Some(value), out))
    }
}

impl<T: FromCql + Ord> FromCql for BTreeSet<T> {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        let CqlType::Set { element, .. } = ty else {
            return Err(wrong_kind(ty, "set"));
        };
        ListIter::parse(bytes)?
            .map(|bytes| T::from_cql(element, bytes))
            .collect()
    }
}

impl<K: ToCql, V: ToCql> ToCql for BTreeMap<K, V> {
    fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
        let CqlType::Map { key, value, .. } = ty else {
            return Err(wrong_kind(ty, "map"));
        };
        let mut entries = Vec::with_capacity(self.len());
        for (entry_key, entry_value) in self {
            entries.push((serialized(entry_key, key)?, serialized(entry_value, value)?));
        }
        entries.sort_by(|a, b| compare(key, &a.0, &b.0));
        push_count(entries.len(), out)?;
        for (key, value) in &entries {
            push_element(Some(key), out)?;
            push_element(Some(value), out)?;
        }
        Ok(())
    }
}

impl<K: FromCql + Ord, V: FromCql> FromCql for BTreeMap<K, V> {
    fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
        let CqlType::Map { key, value, .. } = ty else {
            return Err(wrong_kind(ty, "map"));
        };
        MapIter::parse(bytes)?
            .map(|(key_bytes, bytes)| {
                Ok((K::from_cql(key, key_bytes)?, V::from_cql(value, bytes)?))
            })
            .collect()
    }
}

macro_rules! tuples {
    ($(($count:literal: $($name:ident),+))*) => {
        $(
            impl<$($name: ToCql),+> ToCql for ($($name,)+) {
                fn to_cql(&self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
                    #[expect(non_snake_case, reason = "the macro names each field as its type")]
                    let ($($name,)+) = self;
                    let mut fields = crate::fields::FieldWriter::new(ty, out);
                    $(fields.value($name)?;)+
                    fields.finish()
                }
            }

            impl<$($name: FromCql),+> FromCql for ($($name,)+) {
                fn from_cql(ty: &CqlType, bytes: &[u8]) -> Result<Self, ValueError> {
                    let mut fields = crate::fields::FieldReader::new(ty, bytes)?;
                    Ok(($(fields.value::<$name>("")?,)+))
                }
            }
        )*
    };
}

tuples! {
    (1: A)
    (2: A, B)
    (3: A, B, C)
    (4: A, B, C, D)
}

/// The fields of a serialized tuple or user-defined type; missing ones at the end are absent.
pub(crate) fn tuple_fields(bytes: &[u8], count: usize) -> Result<TupleIter<'_>, ValueError> {
    TupleIter::parse(bytes, count)
}
