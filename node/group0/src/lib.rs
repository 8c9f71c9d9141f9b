//! The agreed log: guard, commands, state machine, history.

mod handle;

pub use handle::{Agreed, Group0Error, Group0Handle};
