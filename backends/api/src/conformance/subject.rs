//! What an engine brings to the suite.

use std::path::{Path, PathBuf};

use crate::engine::Engine;
use crate::open::Factory;

/// An engine under test, with places of its own.
pub trait Subject {
    /// Opens the engines.
    fn factory(&self) -> &dyn Factory;

    /// The directory of the `n`-th database of a check; nothing else uses it, and it does not exist yet.
    fn directory(&self, n: u32) -> PathBuf;

    /// The faults that the engine can be given, if any.
    fn faults(&self) -> Option<&dyn Faults> {
        None
    }
}

/// A kind of fault that a check may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// [`Faults::refuse_writes`].
    RefuseWrites,
    /// [`Faults::lose_power`] and [`Faults::lose_power_in_finish`].
    LosePower,
    /// [`Faults::flip_byte`].
    FlipByte,
    /// [`Faults::while_install_held`].
    HoldInstall,
}

impl FaultKind {
    /// The words used in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RefuseWrites => "failing writes",
            Self::LosePower => "loss of power",
            Self::FlipByte => "damaged bytes",
            Self::HoldInstall => "a held install",
        }
    }
}

/// How writes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// The disk is full.
    NoSpace,
    /// The disk reports an I/O error.
    Io,
}

/// Faults for the engines of one subject.
///
/// A check calls only what [`supported`](Self::supported) names.
pub trait Faults {
    /// The kinds that this subject can do.
    fn supported(&self) -> &[FaultKind];

    /// Lets writes of ingests and compactions fail until [`allow_writes`](Self::allow_writes), the earlier writes of a
    /// compaction excepted: it should fail in the middle.
    fn refuse_writes(&self, fault: WriteFault);

    /// Ends [`refuse_writes`](Self::refuse_writes).
    fn allow_writes(&self);

    /// Loses power now; every engine of the subject is dead afterwards, and its directory may be opened again.
    fn lose_power(&self, seed: u64);

    /// Loses power in the middle of the next `finish`; the seed decides where.
    fn lose_power_in_finish(&self, seed: u64);

    /// Changes a stored byte of a closed database; false when there is nothing to change.
    fn flip_byte(&self, directory: &Path, seed: u64) -> bool;

    /// Calls `body` while installs of the engine are held back in their critical section.
    fn while_install_held(&self, engine: &dyn Engine, body: &mut dyn FnMut());
}
