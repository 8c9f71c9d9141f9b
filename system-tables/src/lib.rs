//! The system tables, described in `tables/*.tables` and compiled into typed rows, keys, readers and writers.
