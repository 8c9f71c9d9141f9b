//! Immutable keyspaces, tables and types; a schema change is a pure function from a change and a schema to a delta.
