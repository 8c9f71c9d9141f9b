//! The native protocol, both directions, without I/O.
