//! The storage trait, its numbered contract and its conformance suite.
