//! A sans-IO driver of Raft groups over the `raft` library.
