//! One shard's data: commit log, memtable, flush, reads, purge; and the node's merger.
