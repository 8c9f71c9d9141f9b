//! A batch: what becomes one frame of the log and visible in one turn.
//!
//! Its bytes, the body of a frame, are in `docs/storage-format.md`.

use cql_mutation::Mutation;

use crate::layout::value::take_bytes;
use crate::log::frame::{u32_at, u64_at};
use crate::space::Space;

/// Changes that are logged together and become visible together.
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    /// Each change, and the space it goes to.
    pub mutations: Vec<(Space, Mutation)>,
    /// The largest write time (µs) in the batch that this node's clock assigned; the clock starts above it after a restart.
    pub assigned: Option<i64>,
}

impl WriteBatch {
    /// A batch of one change.
    #[must_use]
    pub fn of(space: Space, mutation: Mutation) -> Self {
        Self {
            mutations: vec![(space, mutation)],
            assigned: None,
        }
    }

    /// About the bytes that the batch takes in the log; never less.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        12 + self
            .mutations
            .iter()
            .map(|(_, mutation)| 8 + mutation.encoded_len())
            .sum::<usize>()
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.assigned.unwrap_or(i64::MIN).to_le_bytes());
        let count = u32::try_from(self.mutations.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for (space, mutation) in &self.mutations {
            out.extend_from_slice(&space.0.to_le_bytes());
            let at = out.len();
            out.extend_from_slice(&[0; 4]);
            mutation.encode(out);
            let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
            if let Some(field) = out.get_mut(at..at + 4) {
                field.copy_from_slice(&length.to_le_bytes());
            }
        }
    }
}

/// The body of a frame, read piece by piece.
pub(crate) struct BatchReader<'a> {
    pub(crate) assigned: Option<i64>,
    left: u32,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BatchReader<'a> {
    /// `None` if the bytes are no batch.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let assigned = u64_at(bytes, 0)?.cast_signed();
        let left = u32_at(bytes, 8)?;
        Some(Self {
            assigned: (assigned != i64::MIN).then_some(assigned),
            left,
            bytes,
            at: 12,
        })
    }

    /// The next space and the bytes of its mutation; `None` at the end, `Some(None)` if the bytes end too early.
    pub(crate) fn next(&mut self) -> Option<Option<(Space, &'a [u8])>> {
        self.left = self.left.checked_sub(1)?;
        let Some(space) = u32_at(self.bytes, self.at) else {
            return Some(None);
        };
        self.at += 4;
        Some(take_bytes(self.bytes, &mut self.at).map(|mutation| (Space(space), mutation)))
    }
}
