//! A set of column numbers.

use crate::codec::{DecodeError, OrTruncated as _, Reader, put_varint};
use cql_schema::{ColumnNumber, Table};

/// A set of column numbers; up to 64 columns take no allocation, and asking costs a shift.
#[derive(Debug, Clone, Default)]
pub struct ColumnSet {
    first: u64,
    rest: Vec<u64>,
}

impl ColumnSet {
    /// No column.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: 0,
            rest: Vec::new(),
        }
    }

    /// All static and regular columns of a table.
    #[must_use]
    pub fn all_of(table: &Table) -> Self {
        table
            .statics()
            .iter()
            .chain(table.regulars())
            .map(|column| column.number)
            .collect()
    }

    /// Adds a column.
    pub fn insert(&mut self, number: ColumnNumber) {
        let (word, bit) = (usize::from(number.0 / 64), 1 << (number.0 % 64));
        let Some(index) = word.checked_sub(1) else {
            self.first |= bit;
            return;
        };
        if self.rest.len() <= index {
            self.rest.resize(index + 1, 0);
        }
        if let Some(word) = self.rest.get_mut(index) {
            *word |= bit;
        }
    }

    /// Whether the set has a column.
    #[must_use]
    #[inline]
    pub fn contains(&self, number: ColumnNumber) -> bool {
        let word = match usize::from(number.0 / 64).checked_sub(1) {
            None => self.first,
            Some(index) => self.rest.get(index).copied().unwrap_or(0),
        };
        word & (1 << (number.0 % 64)) != 0
    }

    /// The columns that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let rest = self
            .rest
            .iter()
            .zip(&other.rest)
            .map(|(a, b)| a & b)
            .collect();
        Self {
            first: self.first & other.first,
            rest,
        }
    }

    /// The columns, ascending.
    pub fn iter(&self) -> impl Iterator<Item = ColumnNumber> {
        let words = std::iter::once(self.first).chain(self.rest.iter().copied());
        words.zip((0_u16..).step_by(64)).flat_map(|(word, base)| {
            (0..64_u16)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| ColumnNumber(base + bit))
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first.to_le_bytes());
        put_varint(out, self.rest.len() as u64);
        for word in &self.rest {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const WHAT: &str = "a set of columns";
        let first = u64::from_le_bytes(reader.array().or_truncated(WHAT)?);
        let count = reader.count(8).or_truncated(WHAT)?;
        if count > usize::from(u16::MAX) / 64 {
            return Err(DecodeError::Invalid {
                what: "a set of columns has numbers above 65535",
            });
        }
        let mut rest = Vec::with_capacity(count);
        for _ in 0..count {
            rest.push(u64::from_le_bytes(reader.array().or_truncated(WHAT)?));
        }
        Ok(Self { first, rest })
    }
}

impl FromIterator<ColumnNumber> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = ColumnNumber>>(numbers: I) -> Self {
        let mut set = Self::new();
        numbers.into_iter().for_each(|number| set.insert(number));
        set
    }
}

impl PartialEq for ColumnSet {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ColumnSet {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_what_was_put_in() {
        let numbers = [0, 1, 63, 64, 700, u16::MAX].map(ColumnNumber);
        let set: ColumnSet = numbers.into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), numbers);
        assert!(numbers.into_iter().all(|number| set.contains(number)));
        assert!(!set.contains(ColumnNumber(2)) && !set.contains(ColumnNumber(65)));
        let mut out = Vec::new();
        set.encode(&mut out);
        assert_eq!(ColumnSet::decode(&mut Reader::new(&out)), Ok(set));
    }
}
