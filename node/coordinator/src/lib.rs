//! Writes and reads at a consistency level, and paging.
