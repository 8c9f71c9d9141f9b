//! Ordered maps with seeded faults: the reference engine and the simulated disk.
