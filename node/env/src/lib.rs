//! Where the outside world enters: clock, chance, tasks, files; real ones and simulated ones.
