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
//! Each pair obeys one conformance suite. Timers are tokio's: with a paused runtime they are virtual.
//! Beside the seams: what every crate of a node needs to own its work and share its picture of the world.
//! Nothing here is global: many nodes live in one process when simulated.

pub mod chance;
pub mod clock;
pub mod files;
pub mod spawn;

pub use chance::{Rng, SeededRng};
pub use clock::{Clock, NodeClock, SimClock, SystemClock};
pub use files::{File, FileError, FileErrorKind, Files, RealFiles, SimFiles, SyncPoint};
pub use spawn::{Loop, LoopHandle, Phase, Spawn, Turn, Urgency, Waker, offload};
