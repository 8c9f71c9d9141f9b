//! The fields of a tuple or of a user-defined type, one after the other.

use cql_types::{CqlType, TupleIter, ValueError, push_element};

use crate::value::{FromCql, ToCql, serialized, tuple_fields};

/// The types of the fields.
fn field_type(ty: &CqlType, place: usize) -> Option<&CqlType> {
    match ty {
        CqlType::Tuple(types) => types.get(place),
        CqlType::Udt { def, .. } => def.fields.get(place).map(|(_, ty)| ty),
        _ => None,
    }
}

fn too_many(ty: &CqlType) -> ValueError {
    ValueError::Invalid {
        ty: ty.kind_name(),
        what: "it has fewer fields",
    }
}

/// Writes fields in order.
pub struct FieldWriter<'a> {
    ty: &'a CqlType,
    place: usize,
    out: &'a mut Vec<u8>,
}

impl<'a> FieldWriter<'a> {
    /// Begins a value of the type.
    pub fn new(ty: &'a CqlType, out: &'a mut Vec<u8>) -> Self {
        Self { ty, place: 0, out }
    }

    /// Writes the next field.
    ///
    /// # Errors
    /// As [`ToCql::to_cql`].
    pub fn value(&mut self, value: &(impl ToCql + ?Sized)) -> Result<(), ValueError> {
        let ty = field_type(self.ty, self.place).ok_or_else(|| too_many(self.ty))?;
        self.place += 1;
        push_element(Some(&serialized(value, ty)?), self.out)
    }

    /// Writes the next field, or that it is absent.
    ///
    /// # Errors
    /// As [`ToCql::to_cql`].
    pub fn optional<T: ToCql + ?Sized>(&mut self, value: Option<&T>) -> Result<(), ValueError> {
        match value {
            Some(value) => self.value(value),
            None => {
                self.place += 1;
                push_element(None, self.out)
            }
        }
    }

    /// Ends the value; fields that were not written are absent.
    ///
    /// # Errors
    /// None so far.
    pub fn finish(self) -> Result<(), ValueError> {
        Ok(())
    }
}

/// Reads fields in order.
pub struct FieldReader<'a> {
    ty: &'a CqlType,
    place: usize,
    fields: TupleIter<'a>,
}

impl<'a> FieldReader<'a> {
    /// Begins a value of the type.
    ///
    /// # Errors
    /// Bytes that are no tuple.
    pub fn new(ty: &'a CqlType, bytes: &'a [u8]) -> Result<Self, ValueError> {
        let count = match ty {
            CqlType::Tuple(types) => types.len(),
            CqlType::Udt { def, .. } => def.fields.len(),
            _ => {
                return Err(ValueError::WrongKind {
                    expected: ty.kind_name(),
                    found: "tuple",
                });
            }
        };
        Ok(Self {
            ty,
            place: 0,
            fields: tuple_fields(bytes, count)?,
        })
    }

    /// Reads the next field.
    ///
    /// # Errors
    /// The field is absent or not of its type.
    pub fn value<T: FromCql>(&mut self, name: &'static str) -> Result<T, ValueError> {
        self.optional(name)?.ok_or_else(|| ValueError::Text {
            ty: self.ty.kind_name(),
            text: name.to_owned(),
            what: "this field is absent, but must have a value".into(),
        })
    }

    /// Reads the next field, which may be absent.
    ///
    /// # Errors
    /// The field is not of its type.
    pub fn optional<T: FromCql>(&mut self, _name: &'static str) -> Result<Option<T>, ValueError> {
        let ty = field_type(self.ty, self.place).ok_or_else(|| too_many(self.ty))?;
        self.place += 1;
        self.fields
            .next()
            .flatten()
            .map(|bytes| T::from_cql(ty, bytes))
            .transpose()
    }
}
