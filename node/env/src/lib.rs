//! Where the outside world enters: clock, chance, tasks, files; real ones and simulated ones.
//!
//! ```text
//!   seam      real            simulated                         what the rest of the node uses
//!   Clock     SystemClock     SimClock (virtual, can jump)      NodeClock: never back, never twice
//!   Rng       seeded by OS    seeded by the test                SeededRng, one stream a user
//!   Files     RealFiles       SimFiles (forgets, tears, fails)  Arc<dyn Files>
//!   Spawn     RealSpawn       SimSpawn, StepSpawn               Arc<dyn Spawn>
//! ```
//!
//! Each seam has one conformance suite that all its implementations pass. [`Env`] bundles them for a node,
//! [`SimMachine`] for a simulated one. Timers are tokio's: with a paused runtime they are virtual.
//! Beside the seams: what every crate of a node needs to own its work ([`TaskGroup`], [`Gate`], [`Deadline`]), to
//! share its picture of the world ([`Published`], [`Watermark`]) and to be disturbed on purpose ([`Injections`]).
//! Nothing here is global: many nodes live in one process when simulated.

pub mod chance;
pub mod clock;
mod context;
mod deadline;
pub mod files;
mod gate;
pub mod injection;
mod published;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod spawn;
mod tasks;

pub use chance::{Rng, SeededRng};
pub use clock::{Clock, NodeClock, SimClock, SystemClock};
pub use context::{Env, SimMachine};
pub use deadline::{Deadline, DeadlinePassed};
pub use files::{File, FileError, FileErrorKind, Files, RealFiles, SimFiles, SyncPoint};
pub use gate::{Gate, GateClosed, GatePass};
pub use injection::{Injected, Injections, Point};
pub use published::{Published, Reader, Watermark};
pub use spawn::{Loop, LoopHandle, Phase, Spawn, Turn, Urgency, Waker, offload};
pub use tasks::{GroupClosed, TaskGroup, TaskPanic};
