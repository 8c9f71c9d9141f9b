//! How much memory there is, and how it is shared out.

use crate::value::Bytes;

/// The least that a node runs with.
pub const LEAST_MEMORY: Bytes = Bytes(64 << 20);

/// What the machine offers; found out by whoever starts the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Processors that this process may use.
    pub processors: u32,
    /// Bytes of memory that this process may use: the machine's, or its group's limit.
    pub memory: Bytes,
}

/// The memory budget of all shards together. What is left out is for code, the engine's and the runtime's own needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySplit {
    /// Memtables: 35 %.
    pub memtables: u64,
    /// Block caches and filters: 35 %.
    pub caches: u64,
    /// Requests and their answers: 10 %.
    pub requests: u64,
}

impl MemorySplit {
    /// Shares out a total.
    #[must_use]
    pub fn of(total: Bytes) -> Self {
        let percent = |part: u64| total.0 / 100 * part;
        Self {
            memtables: percent(35),
            caches: percent(35),
            requests: percent(10),
        }
    }
}

/// A quarter of what there is, at least [`LEAST_MEMORY`].
#[must_use]
pub fn default_memory(machine: &Machine) -> Bytes {
    // Whole megabytes, so that it reads well.
    let quarter = machine.memory.0 / 4 / (1 << 20) * (1 << 20);
    Bytes(quarter).max(LEAST_MEMORY)
}

/// Reads what the operating system says: the text of `/proc/meminfo`, and of the `memory.max` (or
/// `memory.limit_in_bytes`) of this process's group if there is one. `None` if neither says anything.
#[must_use]
pub fn usable_memory(meminfo: &str, group_limit: Option<&str>) -> Option<Bytes> {
    let total = meminfo.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?;
        Some(kilobytes.trim().parse::<u64>().ok()?.saturating_mul(1024))
    });
    // The word `max` is no number, which is right: there is no limit.
    let limit = group_limit.and_then(|text| text.trim().parse::<u64>().ok());
    match (total, limit) {
        (Some(total), Some(limit)) => Some(Bytes(total.min(limit))),
        (Some(one), None) | (None, Some(one)) => Some(Bytes(one)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn the_smaller_of_machine_and_group_counts() {
        let meminfo = "MemTotal:        1048576 kB\nMemFree:  5 kB\n";
        assert_eq!(usable_memory(meminfo, None), Some(Bytes(1024 * MB)));
        assert_eq!(
            usable_memory(meminfo, Some("max\n")),
            Some(Bytes(1024 * MB))
        );
        assert_eq!(
            usable_memory(meminfo, Some("536870912\n")),
            Some(Bytes(512 * MB))
        );
        assert_eq!(usable_memory("", None), None);
    }

    #[test]
    fn memory_is_shared_out() {
        let machine = |memory| Machine {
            processors: 1,
            memory: Bytes(memory),
        };
        assert_eq!(default_memory(&machine(1024 * MB)), Bytes(256 * MB));
        assert_eq!(default_memory(&machine(100 * MB)), LEAST_MEMORY);
        let split = MemorySplit::of(Bytes(1000));
        assert_eq!(
            (split.memtables, split.caches, split.requests),
            (350, 350, 100)
        );
    }
}
