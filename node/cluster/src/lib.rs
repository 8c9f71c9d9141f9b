//! The cluster as a value: schema, nodes, tablets, replicas; immutable and pure.
