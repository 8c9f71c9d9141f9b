//! What a replica does when asked: apply, read, truncate, on the shard that owns the data.
