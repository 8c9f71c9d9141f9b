//! The serialized forms of types with parts, walked and built without copying.
//!
//! ```text
//! list, set   i32 count, then [i32 length, bytes] each
//! map         i32 count, then [i32 length, key bytes, i32 length, value bytes] each
//! tuple, UDT  [i32 length, bytes] each, length below 0 is null; trailing fields may be missing
//! vector      the elements; each preceded by its length as a variable-length integer unless all are equally long
//! ```
//!
//! Each iterator has two doors: `parse` checks the frame first, `trusted` is for bytes that were validated
//! and simply ends where they turn out to be malformed. Neither looks into the elements.

use crate::error::ValueError;
use crate::vint;

/// The elements of a serialized list or set.
#[derive(Clone, Debug)]
pub struct ListIter<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> ListIter<'a> {
    /// Checks the frame, then iterates. A zero-length value has no elements.
    ///
    /// # Errors
    /// Bytes that end early or late, a negative count, a null element.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ValueError> {
        parse_frame(bytes, "list", 1)?;
        Ok(Self::trusted(bytes))
    }

    /// Iterates over validated bytes.
    #[must_use]
    pub fn trusted(bytes: &'a [u8]) -> Self {
        let (left, rest) = take_count(bytes).unwrap_or((0, &[]));
        Self { rest, left }
    }
}

impl<'a> Iterator for ListIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (element, rest) = take_element(self.rest)?;
        self.rest = rest;
        element
    }
}

/// The pairs of a serialized map.
#[derive(Clone, Debug)]
pub struct MapIter<'a>(ListIter<'a>);

impl<'a> MapIter<'a> {
    /// Checks the frame, then iterates. A zero-length value has no pairs.
    ///
    /// # Errors
    /// As [`ListIter::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ValueError> {
        parse_frame(bytes, "map", 2)?;
        Ok(Self::trusted(bytes))
    }

    /// Iterates over validated bytes.
    #[must_use]
    pub fn trusted(bytes: &'a [u8]) -> Self {
        Self(map_parts(bytes))
    }
}

impl<'a> Iterator for MapIter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

/// The fields of a serialized tuple or UDT that are present; `None` for null.
#[derive(Clone, Debug)]
pub struct TupleIter<'a>(&'a [u8]);

impl<'a> TupleIter<'a> {
    /// Checks the frame, then iterates.
    ///
    /// # Errors
    /// Bytes that end inside a field, more than `fields` fields.
    pub fn parse(bytes: &'a [u8], fields: usize) -> Result<Self, ValueError> {
        let mut rest = bytes;
        for _ in 0..fields {
            if rest.is_empty() {
                break;
            }
            let cut = ValueError::invalid("tuple", "not enough bytes to read a component");
            rest = take_element(rest).ok_or(cut)?.1;
        }
        match rest {
            [] => Ok(Self(bytes)),
            _ => Err(ValueError::invalid(
                "tuple",
                "unexpected bytes after the last component",
            )),
        }
    }

    /// Iterates over validated bytes.
    #[must_use]
    pub const fn trusted(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for TupleIter<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (field, rest) = take_element(self.0)?;
        self.0 = rest;
        Some(field)
    }
}

/// The elements of a serialized vector.
#[derive(Clone, Debug)]
pub struct VectorIter<'a> {
    rest: &'a [u8],
    left: u16,
    element_len: Option<usize>,
}

impl<'a> VectorIter<'a> {
    /// Checks the frame, then iterates. `element_len` is [`CqlType::vector_element_len`](crate::CqlType).
    ///
    /// # Errors
    /// Bytes that do not hold exactly `dimensions` elements.
    pub fn parse(
        bytes: &'a [u8],
        dimensions: u16,
        element_len: Option<usize>,
    ) -> Result<Self, ValueError> {
        let elements = Self::trusted(bytes, dimensions, element_len);
        let mut walk = elements.clone();
        for _ in 0..dimensions {
            let cut = ValueError::invalid("vector", "not enough bytes to read an element");
            walk.next().ok_or(cut)?;
        }
        match walk.rest {
            [] => Ok(elements),
            _ => Err(ValueError::invalid(
                "vector",
                "unexpected bytes after the last element",
            )),
        }
    }

    /// Iterates over validated bytes.
    #[must_use]
    pub const fn trusted(bytes: &'a [u8], dimensions: u16, element_len: Option<usize>) -> Self {
        Self {
            rest: bytes,
            left: dimensions,
            element_len,
        }
    }
}

impl<'a> Iterator for VectorIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (len, rest) = match self.element_len {
            Some(len) => (len, self.rest),
            None => {
                let (len, rest) = vint::take_unsigned(self.rest)?;
                (usize::try_from(len).ok()?, rest)
            }
        };
        let (element, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some(element)
    }
}

/// Keys and values of a validated map, one after the other.
pub(crate) fn map_parts(bytes: &[u8]) -> ListIter<'_> {
    let mut parts = ListIter::trusted(bytes);
    parts.left = parts.left.saturating_mul(2);
    parts
}

/// Appends the count that begins a list, set or map.
///
/// # Errors
/// More than `i32::MAX` elements.
pub fn push_count(count: usize, out: &mut Vec<u8>) -> Result<(), ValueError> {
    let too_many = ValueError::invalid("collection", "more than 2147483647 elements");
    out.extend_from_slice(&i32::try_from(count).map_err(|_| too_many)?.to_be_bytes());
    Ok(())
}

/// Appends an element of a list, set, map, tuple or UDT; `None` is null.
///
/// # Errors
/// An element longer than `i32::MAX` bytes.
pub fn push_element(element: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), ValueError> {
    let Some(element) = element else {
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        return Ok(());
    };
    let too_long = ValueError::invalid("collection", "an element longer than 2147483647 bytes");
    out.extend_from_slice(
        &i32::try_from(element.len())
            .map_err(|_| too_long)?
            .to_be_bytes(),
    );
    out.extend_from_slice(element);
    Ok(())
}

/// Appends an element of a vector whose elements are, or are not, all equally long.
///
/// # Errors
/// An element that does not have that length.
pub fn push_vector_element(
    element: &[u8],
    element_len: Option<usize>,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    match element_len {
        Some(len) if len != element.len() => {
            return Err(ValueError::invalid(
                "vector",
                "an element of the wrong length",
            ));
        }
        Some(_) => {}
        None => vint::push_unsigned(element.len() as u64, out),
    }
    out.extend_from_slice(element);
    Ok(())
}

/// Checks that `bytes` hold a count and `count * parts` elements, none null, and nothing else.
pub(crate) fn parse_frame(bytes: &[u8], ty: &'static str, parts: usize) -> Result<(), ValueError> {
    if bytes.is_empty() {
        return Ok(());
    }
    let cut = ValueError::invalid(ty, "not enough bytes to read it");
    let (count, mut rest) = take_count(bytes).ok_or(cut)?;
    for _ in 0..count.saturating_mul(parts) {
        match take_element(rest) {
            Some((Some(_), after)) => rest = after,
            Some((None, _)) => {
                return Err(ValueError::invalid(
                    ty,
                    "null is not supported inside collections",
                ));
            }
            None => return Err(ValueError::invalid(ty, "not enough bytes to read it")),
        }
    }
    match rest {
        [] => Ok(()),
        _ => Err(ValueError::invalid(
            ty,
            "unexpected bytes after its last element",
        )),
    }
}

fn take_count(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(i32::from_be_bytes(*count)).ok()?, rest))
}

/// One element, or null, and what follows.
pub(crate) fn take_element(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    match usize::try_from(i32::from_be_bytes(*len)) {
        Ok(len) => rest
            .split_at_checked(len)
            .map(|(element, rest)| (Some(element), rest)),
        Err(_) => Some((None, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_are_framed() {
        let mut bytes = Vec::new();
        push_count(2, &mut bytes).unwrap();
        push_element(Some(b"a"), &mut bytes).unwrap();
        push_element(Some(b""), &mut bytes).unwrap();
        let elements: Vec<_> = ListIter::parse(&bytes).unwrap().collect();
        assert_eq!(elements, [&b"a"[..], b""]);
        assert!(MapIter::parse(&bytes).is_err());

        bytes[3] = 1;
        assert!(ListIter::parse(&bytes).is_err());
        assert_eq!(
            MapIter::parse(&bytes).unwrap().collect::<Vec<_>>(),
            [(&b"a"[..], &b""[..])]
        );
        assert!(MapIter::parse(&bytes[..bytes.len() - 1]).is_err());
        assert!(ListIter::parse(&[0xff; 4]).is_err());
        assert!(ListIter::parse(&[0x7f, 0xff, 0xff, 0xff]).is_err());
        assert_eq!(ListIter::parse(&[]).unwrap().count(), 0);
        assert_eq!(ListIter::trusted(&[0, 0, 0, 9, 0, 0]).count(), 0);
    }

    #[test]
    fn nulls_are_for_tuples_only() {
        let mut bytes = vec![0, 0, 0, 1];
        push_element(None, &mut bytes).unwrap();
        assert!(ListIter::parse(&bytes).is_err());
        assert_eq!(
            TupleIter::parse(&bytes[4..], 2)
                .unwrap()
                .collect::<Vec<_>>(),
            [None]
        );
        assert!(TupleIter::parse(&bytes[4..], 0).is_err());
        assert!(TupleIter::parse(&bytes[5..], 1).is_err());
    }

    #[test]
    fn vectors_frame_elements_of_unequal_length() {
        let mut bytes = Vec::new();
        push_vector_element(b"abc", None, &mut bytes).unwrap();
        push_vector_element(b"", None, &mut bytes).unwrap();
        assert_eq!(bytes, b"\x03abc\x00");
        assert_eq!(VectorIter::parse(&bytes, 2, None).unwrap().count(), 2);
        assert!(VectorIter::parse(&bytes, 1, None).is_err());
        assert!(VectorIter::parse(&bytes, 3, None).is_err());
        assert_eq!(
            VectorIter::parse(&[1, 2, 3, 4], 2, Some(2))
                .unwrap()
                .count(),
            2
        );
        assert!(push_vector_element(b"abc", Some(2), &mut bytes).is_err());
    }
}
