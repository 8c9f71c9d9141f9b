//! Aggregates: `count`, `min`, `max`, `sum` and `avg` over all rows of all pages.

use cql_types::{CqlType, compare};

use crate::cast::{Number, encode, number_len};

/// An aggregate of one column; null values do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Min,
    Max,
    Sum,
    Average,
}

impl Aggregate {
    /// Finds an aggregate by its name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "min" => Self::Min,
            "max" => Self::Max,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            _ => return None,
        })
    }

    /// Whether it takes values of the type.
    pub(crate) fn takes(self, ty: &CqlType) -> bool {
        match self {
            Self::Min | Self::Max => true,
            Self::Sum | Self::Average => number_len(ty).is_some(),
        }
    }
}

/// What an aggregate knows after some rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Total {
    /// Rows or values.
    pub(crate) count: i64,
    /// The value of the first row, the least or the greatest value.
    pub(crate) value: Option<Vec<u8>>,
    whole: i128,
    broken: f64,
}

impl Total {
    /// Takes a value.
    pub(crate) fn add(&mut self, aggregate: Aggregate, ty: &CqlType, bytes: &[u8]) {
        self.count += 1;
        let replaces = |old: &[u8]| match aggregate {
            Aggregate::Min => compare(ty, bytes, old).is_lt(),
            Aggregate::Max => compare(ty, bytes, old).is_gt(),
            Aggregate::Sum | Aggregate::Average => false,
        };
        match aggregate {
            Aggregate::Min | Aggregate::Max => {
                if self.value.as_deref().is_none_or(replaces) {
                    self.value = Some(bytes.to_vec());
                }
            }
            Aggregate::Sum | Aggregate::Average => match Number::decode(ty, bytes) {
                Some(Number::Whole(whole)) => self.whole += i128::from(whole),
                Some(Number::Broken(broken)) => self.broken += broken,
                None => {}
            },
        }
    }

    /// The result.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a sum beyond its type wraps around, as the type's own addition does"
    )]
    pub(crate) fn finish(&self, aggregate: Aggregate, ty: &CqlType) -> Option<Vec<u8>> {
        let count = match aggregate {
            Aggregate::Min | Aggregate::Max => return self.value.clone(),
            Aggregate::Sum => 1,
            Aggregate::Average => self.count.max(1),
        };
        let number = match ty {
            CqlType::Float | CqlType::Double => Number::Broken(self.broken / count as f64),
            _ => Number::Whole((self.whole / i128::from(count)) as i64),
        };
        Some(encode(number, ty))
    }
}
