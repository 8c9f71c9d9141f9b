//! What spans crates: the house rules, golden scripts, simulation, real processes and drivers.
