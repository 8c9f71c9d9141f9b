//! Bound values, found once and read in place.

use crate::error::ProtocolError;
use crate::read::Reader;
use crate::request::unset_needs_v4;
use crate::version::Version;

/// Values whose places are kept without allocating.
const INLINE: usize = 24;

/// The values of a statement, by position or by name.
///
/// Access by position is an array access; by name it goes through all names.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    bytes: &'a [u8],
    count: u16,
    named: bool,
    /// Where each value (or its name) begins in `bytes`.
    inline: [u32; INLINE],
    /// The same for values beyond the first `INLINE`.
    more: Vec<u32>,
}

/// A bound value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueRef<'a> {
    /// Serialized bytes.
    Bytes(&'a [u8]),
    /// Null.
    Null,
    /// Not set: leave what is there.
    Unset,
}

impl<'a> ValueRef<'a> {
    /// The bytes; `None` if null or unset.
    #[must_use]
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Null | Self::Unset => None,
        }
    }
}

impl<'a> Values<'a> {
    /// No values.
    #[must_use]
    pub fn none() -> Self {
        Self {
            bytes: &[],
            count: 0,
            named: false,
            inline: [0; INLINE],
            more: Vec::new(),
        }
    }

    /// Reads the count and finds all values.
    pub(crate) fn read(
        reader: &mut Reader<'a>,
        version: Version,
        named: bool,
    ) -> Result<Self, ProtocolError> {
        let count = reader.short("number of values")?;
        let mut values = Self {
            bytes: reader.rest(),
            count,
            named,
            ..Self::none()
        };
        let start = reader.at();
        for index in 0..usize::from(count) {
            // A frame has at most 2^31 bytes.
            let place = u32::try_from(reader.at() - start).unwrap_or(u32::MAX);
            match values.inline.get_mut(index) {
                Some(slot) => *slot = place,
                None => values.more.push(place),
            }
            if named {
                reader.string("name of a value")?;
            }
            skip(reader, version)?;
        }
        Ok(values)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether they carry names.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// The value at a position; `None` if there are fewer.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<ValueRef<'a>> {
        self.entry(index).map(|(_, value)| value)
    }

    /// The value of that exact name; the first if there are several.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<ValueRef<'a>> {
        self.iter()
            .find(|(found, _)| *found == Some(name))
            .map(|(_, value)| value)
    }

    /// All, with their names if they have such.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&'a str>, ValueRef<'a>)> + '_ {
        (0..self.len()).filter_map(|index| self.entry(index))
    }

    #[inline]
    fn entry(&self, index: usize) -> Option<(Option<&'a str>, ValueRef<'a>)> {
        if index >= self.len() {
            return None;
        }
        let place = match self.inline.get(index) {
            Some(place) => *place,
            None => *self.more.get(index - INLINE)?,
        };
        let mut reader = Reader::new(self.bytes.get(usize::try_from(place).ok()?..)?);
        let name = match self.named {
            true => Some(reader.string("name of a value").ok()?),
            false => None,
        };
        let value = match reader.int("value").ok()? {
            -1 => ValueRef::Null,
            length => match usize::try_from(length) {
                Ok(length) => ValueRef::Bytes(reader.take(length, "value").ok()?),
                Err(_) => ValueRef::Unset,
            },
        };
        Some((name, value))
    }
}

/// Checks one value and goes past it.
#[inline]
pub(crate) fn skip(reader: &mut Reader<'_>, version: Version) -> Result<(), ProtocolError> {
    let at = reader.at();
    match reader.int("length of a value")? {
        -1 => Ok(()),
        -2 => unset_needs_v4(version),
        length => match usize::try_from(length) {
            Ok(length) => reader.take(length, "value").map(|_| ()),
            Err(_) => Err(ProtocolError::Length {
                what: "value",
                at,
                length: i64::from(length),
            }),
        },
    }
}
