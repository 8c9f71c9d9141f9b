//! From ordered bytes back to serialized values.

use super::encode::is_escaped;
use super::{
    ESCAPE, NEXT, NEXT_EMPTY, NEXT_EMPTY_DESC, NEXT_NULL, TERMINATOR, ZERO_LAST, ZERO_MORE,
};
use crate::id::{timeuuid_from_order, uuid_from_order};
use crate::partition_key::KeyError;
use crate::ty::{ComponentOrder, CqlType};
use crate::vint;
use uuid::Uuid;

/// Reads what [`encode_partition_key`](super::encode_partition_key) wrote at the front of `input`:
/// the serialized key, and what follows it.
///
/// # Errors
/// [`KeyError::Malformed`].
pub fn decode_partition_key(input: &[u8]) -> Result<(Vec<u8>, &[u8]), KeyError> {
    let mut reader = Reader::new(input);
    let mut key = Vec::with_capacity(input.len());
    reader.unescape(&mut key)?;
    reader.expect(TERMINATOR)?;
    Ok((key, reader.rest()))
}

/// The encoded partition key at the front of `input`, and what follows it. Copies nothing.
///
/// # Errors
/// [`KeyError::Malformed`].
pub fn split_partition_key(input: &[u8]) -> Result<(&[u8], &[u8]), KeyError> {
    let mut from = 0;
    // A zero byte followed by neither of its escapes ends the key.
    while let Some(at) = input
        .get(from..)
        .and_then(|rest| rest.iter().position(|byte| *byte == ESCAPE))
    {
        from += at + 1;
        let zeros = input.get(from..).unwrap_or_default();
        let more = zeros.iter().take_while(|byte| **byte == ZERO_MORE).count();
        from += more;
        match input.get(from) {
            Some(&ZERO_LAST) => from += 1,
            Some(&TERMINATOR) => return Ok(input.split_at(from + 1)),
            _ => break,
        }
    }
    Err(malformed("a partition key without its end"))
}

/// Reads a whole clustering: one serialized value for each column, equal in CQL to what was encoded.
///
/// # Errors
/// [`KeyError::Malformed`].
pub fn decode_clustering(
    types: &[(CqlType, ComponentOrder)],
    input: &[u8],
) -> Result<Vec<Vec<u8>>, KeyError> {
    let mut decoder = ClusteringDecoder::new(types, input);
    let mut values = Vec::with_capacity(types.len());
    loop {
        let mut value = Vec::new();
        match decoder.next_into(&mut value)? {
            true => values.push(value),
            false => return Ok(values),
        }
    }
}

/// Reads what [`encode_value`](super::encode_value) wrote and appends the serialized value, equal in CQL.
///
/// # Errors
/// [`KeyError::Malformed`]; `out` may then hold part of the value.
pub fn decode_value(ty: &CqlType, input: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    let mut reader = Reader::new(input);
    reader.unframed(ty, out)?;
    reader.expect(TERMINATOR)?;
    match reader.rest() {
        [] => Ok(()),
        _ => Err(malformed("bytes after the end of the value")),
    }
}

/// Reads a clustering column by column into a buffer of the caller's.
#[derive(Debug)]
pub struct ClusteringDecoder<'a> {
    types: std::slice::Iter<'a, (CqlType, ComponentOrder)>,
    reader: Reader<'a>,
}

impl<'a> ClusteringDecoder<'a> {
    /// A decoder at the first column of an encoded clustering.
    #[must_use]
    pub fn new(types: &'a [(CqlType, ComponentOrder)], input: &'a [u8]) -> Self {
        Self {
            types: types.iter(),
            reader: Reader::new(input),
        }
    }

    /// Appends the serialized value of the next column. False after the last one, when the end of the key
    /// was checked and nothing appended.
    ///
    /// # Errors
    /// [`KeyError::Malformed`]; `out` may then hold part of a value.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Result<bool, KeyError> {
        let Some((ty, order)) = self.types.next() else {
            self.reader.expect(TERMINATOR)?;
            return match self.reader.rest() {
                [] => Ok(false),
                _ => Err(malformed("bytes after the end of the clustering")),
            };
        };
        let empty = match order {
            ComponentOrder::Asc => NEXT_EMPTY,
            ComponentOrder::Desc => NEXT_EMPTY_DESC,
        };
        match self.reader.next()? {
            NEXT => {
                self.reader.invert = if *order == ComponentOrder::Desc {
                    0xff
                } else {
                    0
                };
                self.reader.payload(ty, out)?;
                self.reader.invert = 0;
            }
            mark if mark == empty && !is_escaped(ty) => {}
            _ => return Err(malformed("an unknown mark before a clustering column")),
        }
        Ok(true)
    }
}

pub(super) const fn malformed(what: &'static str) -> KeyError {
    KeyError::Malformed { what }
}

/// Bytes, inverted or not.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) input: &'a [u8],
    pub(super) invert: u8,
}

impl<'a> Reader<'a> {
    const fn new(input: &'a [u8]) -> Self {
        Self { input, invert: 0 }
    }

    const fn rest(&self) -> &'a [u8] {
        self.input
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.input.first().map(|byte| byte ^ self.invert)
    }

    pub(super) fn next(&mut self) -> Result<u8, KeyError> {
        let (first, rest) = self
            .input
            .split_first()
            .ok_or(malformed("a key cut short"))?;
        self.input = rest;
        Ok(first ^ self.invert)
    }

    fn expect(&mut self, byte: u8) -> Result<(), KeyError> {
        match self.next()? == byte {
            true => Ok(()),
            false => Err(malformed("a key without its end")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], KeyError> {
        let (bytes, rest) = self
            .input
            .split_first_chunk::<N>()
            .ok_or(malformed("a key cut short"))?;
        self.input = rest;
        Ok(bytes.map(|byte| byte ^ self.invert))
    }

    pub(super) fn copy(&mut self, len: usize, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let (bytes, rest) = self
            .input
            .split_at_checked(len)
            .ok_or(malformed("a key cut short"))?;
        self.input = rest;
        out.extend(bytes.iter().map(|byte| byte ^ self.invert));
        Ok(())
    }

    fn pair(&mut self) -> Result<(u64, u64), KeyError> {
        Ok((
            u64::from_be_bytes(self.array()?),
            u64::from_be_bytes(self.array()?),
        ))
    }

    /// A value of `ty` whose mark has been read.
    fn payload(&mut self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), KeyError> {
        match ty {
            CqlType::Ascii | CqlType::Blob | CqlType::Duration | CqlType::Inet | CqlType::Text => {
                self.unescape(out)?;
            }
            CqlType::TinyInt => self.signed::<1>(out)?,
            CqlType::SmallInt => self.signed::<2>(out)?,
            CqlType::Int => self.signed::<4>(out)?,
            CqlType::Timestamp => self.signed::<8>(out)?,
            CqlType::BigInt | CqlType::Counter => {
                let value = self.integer()?;
                out.extend(value.to_be_bytes());
            }
            CqlType::Date => out.extend(self.array::<4>()?),
            CqlType::Time => out.extend(self.array::<8>()?),
            CqlType::Boolean => out.extend(self.array::<1>()?),
            CqlType::Float => {
                let bits = u32::from_be_bytes(self.array()?);
                let flip = if bits >> 31 == 1 { 1 << 31 } else { u32::MAX };
                out.extend((bits ^ flip).to_be_bytes());
            }
            CqlType::Double => {
                let bits = u64::from_be_bytes(self.array()?);
                let flip = if bits >> 63 == 1 { 1 << 63 } else { u64::MAX };
                out.extend((bits ^ flip).to_be_bytes());
            }
            CqlType::TimeUuid => out.extend(Uuid::into_bytes(timeuuid_from_order(self.pair()?))),
            CqlType::Uuid => out.extend(Uuid::into_bytes(uuid_from_order(self.pair()?))),
            CqlType::Varint => self.varint(out)?,
            CqlType::Decimal => self.decimal(out)?,
            CqlType::List { element, .. } | CqlType::Set { element, .. } => {
                self.counted(&[element], out)?;
            }
            CqlType::Map { key, value, .. } => self.counted(&[key, value], out)?,
            CqlType::Tuple(parts) => self.fields(parts.iter(), out)?,
            CqlType::Udt { def, .. } => self.fields(def.fields.iter().map(|(_, ty)| ty), out)?,
            CqlType::Vector {
                element,
                dimensions,
            } => {
                self.vector(element, *dimensions, out)?;
            }
        }
        Ok(())
    }

    fn unescape(&mut self, out: &mut Vec<u8>) -> Result<(), KeyError> {
        loop {
            let end = ESCAPE ^ self.invert;
            let plain = self.input.iter().position(|byte| *byte == end);
            self.copy(plain.ok_or(malformed("a value without its end"))?, out)?;
            self.next()?;
            while self.peek() == Some(ZERO_MORE) {
                self.next()?;
                out.push(0);
            }
            if self.peek() != Some(ZERO_LAST) {
                return Ok(());
            }
            self.next()?;
            out.push(0);
        }
    }

    fn signed<const N: usize>(&mut self, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let mut bytes = self.array::<N>()?;
        if let [first, ..] = &mut bytes[..] {
            *first ^= 0x80;
        }
        out.extend(bytes);
        Ok(())
    }

    /// A list, set or map: elements of `types` in turn, then the end; written with their count.
    fn counted(&mut self, types: &[&CqlType], out: &mut Vec<u8>) -> Result<(), KeyError> {
        let count_at = reserve_len(out);
        let mut count = 0_usize;
        while self.peek() != Some(TERMINATOR) {
            for ty in types {
                self.element(ty, out)?;
            }
            count += 1;
        }
        self.next()?;
        patch_len(out, count_at, count)
    }

    fn fields<'t>(
        &mut self,
        types: impl Iterator<Item = &'t CqlType>,
        out: &mut Vec<u8>,
    ) -> Result<(), KeyError> {
        let mut ended = false;
        for ty in types {
            ended = ended || self.peek() == Some(TERMINATOR);
            match self.peek() {
                _ if ended => out.extend([0xff; 4]),
                Some(NEXT_NULL) => {
                    self.next()?;
                    out.extend([0xff; 4]);
                }
                _ => self.element(ty, out)?,
            }
        }
        self.expect(TERMINATOR)
    }

    fn vector(&mut self, ty: &CqlType, dimensions: u16, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let with_len = ty.vector_element_len().is_none();
        for _ in 0..dimensions {
            let start = out.len();
            self.unframed(ty, out)?;
            if with_len {
                // The length goes before the value, and its own length is known only now.
                let end = out.len();
                vint::push_unsigned((end - start) as u64, out);
                let len_len = out.len() - end;
                if let Some(element) = out.get_mut(start..) {
                    element.rotate_right(len_len);
                }
            }
        }
        self.expect(TERMINATOR)
    }

    /// A mark and a value, written with its length before it.
    fn element(&mut self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let len_at = reserve_len(out);
        self.unframed(ty, out)?;
        let len = out.len() - len_at - 4;
        patch_len(out, len_at, len)
    }

    fn unframed(&mut self, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), KeyError> {
        match self.next()? {
            NEXT => self.payload(ty, out),
            NEXT_EMPTY if !is_escaped(ty) => Ok(()),
            _ => Err(malformed("an unknown mark before a value")),
        }
    }
}

fn reserve_len(out: &mut Vec<u8>) -> usize {
    out.extend([0; 4]);
    out.len() - 4
}

fn patch_len(out: &mut [u8], at: usize, len: usize) -> Result<(), KeyError> {
    let len = i32::try_from(len).map_err(|_| malformed("a value that is too long"))?;
    if let Some(place) = out
        .get_mut(at..)
        .and_then(|tail| tail.first_chunk_mut::<4>())
    {
        *place = len.to_be_bytes();
    }
    Ok(())
}
