//! Cells, rows, tombstones, partitions; how they merge; what a read asks for and how it is filtered.
