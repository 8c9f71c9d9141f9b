//! What may be read after a crash.

use std::fmt::{Debug, Display};

/// A value that a writer changes step by step: what was acknowledged, and what was asked but not answered.
#[derive(Debug, Clone)]
pub(crate) struct Register<T> {
    settled: T,
    pending: Option<T>,
}

impl<T: Clone + PartialEq + Debug> Register<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            settled: value,
            pending: None,
        }
    }

    /// What was acknowledged last.
    pub(crate) fn settled(&self) -> &T {
        &self.settled
    }

    /// A change is sent.
    pub(crate) fn begin(&mut self, value: T) {
        assert!(self.pending.is_none(), "one change at a time");
        self.pending = Some(value);
    }

    /// The change was acknowledged: from now on nothing else may be read.
    pub(crate) fn acknowledge(&mut self) {
        self.settled = self.pending.take().unwrap();
    }

    /// A read after the crash: it must give what was acknowledged or what was in flight, and decides between the two for ever.
    pub(crate) fn observe(&mut self, what: impl Display, got: T) {
        let in_flight = self.pending.take();
        assert!(
            got == self.settled || in_flight.as_ref() == Some(&got),
            "{what}: read {got:?}, but {:?} was acknowledged and {in_flight:?} was in flight",
            self.settled
        );
        self.settled = got;
    }
}

/// Dice that fall the same way for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `below`.
    pub(crate) fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }
}

/// The columns that belong to a version: all of them are made from it, so that a torn row shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) number: Vec<u8>,
    pub(crate) text: Vec<u8>,
    pub(crate) blob: Vec<u8>,
}

impl Columns {
    pub(crate) fn of(version: i64) -> Self {
        let mixed = version.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        // Most are small, some are larger than a page, a few larger than anything that is written at once.
        let length = match mixed % 64 {
            0 => 70_000,
            1..=7 => 5_000,
            _ => mixed % 300,
        };
        let byte = u8::try_from(mixed % 251).unwrap();
        Self {
            number: version.to_be_bytes().to_vec(),
            text: format!("version {version}").into_bytes(),
            blob: vec![byte; usize::try_from(length).unwrap()],
        }
    }

    /// The version that a row holds.
    pub(crate) fn version(&self) -> i64 {
        let version = i64::from_be_bytes(self.number.as_slice().try_into().unwrap());
        assert!(
            *self == Self::of(version),
            "a torn row: version {version} with text {:?} and a blob of {} bytes",
            String::from_utf8_lossy(&self.text),
            self.blob.len()
        );
        version
    }
}
