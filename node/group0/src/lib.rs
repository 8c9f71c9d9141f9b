//! The agreed log: guard, commands, state machine, history.
