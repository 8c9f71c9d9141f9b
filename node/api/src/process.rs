//! What the operating system says of this process.

use crate::status::ProcessStatus;

/// Parts of a second in which Linux tells processor times to programs, on every architecture that it supports.
const TICKS_PER_SECOND: f64 = 100.0;

impl ProcessStatus {
    /// Reads it with `read`, which gives the text of a file such as `/proc/self/status`, or nothing where there is none.
    #[must_use]
    pub fn read(read: impl Fn(&str) -> Option<String>) -> Self {
        let status = read("/proc/self/status").unwrap_or_default();
        let stat = read("/proc/self/stat").unwrap_or_default();
        Self {
            resident_bytes: field(&status, "VmRSS:").map(|kib| kib.saturating_mul(1_024)),
            cpu_seconds: cpu_seconds(&stat),
            threads: field(&status, "Threads:"),
        }
    }
}

/// The number after a name at the beginning of a line.
fn field(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The 14th and 15th fields: ticks of user and of kernel time.
fn cpu_seconds(stat: &str) -> Option<f64> {
    // The second field, the program's name in parentheses, may contain anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut ticks = after_name.split_whitespace().skip(11);
    let mut next = || ticks.next()?.parse::<u64>().ok();
    Some(next()?.saturating_add(next()?) as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_memory_time_and_threads() {
        let read = |path: &str| match path {
            "/proc/self/status" => {
                Some("Name:\tmessina\nVmRSS:\t   61440 kB\nThreads:\t9\n".to_owned())
            }
            "/proc/self/stat" => {
                Some("7 (a) b) S 1 7 7 0 -1 4194560 999 0 0 0 150 25 3 4 20 0 9 0 1 2 3".to_owned())
            }
            _ => None,
        };
        let expected = ProcessStatus {
            resident_bytes: Some(62_914_560),
            cpu_seconds: Some(1.75),
            threads: Some(9),
        };
        assert_eq!(ProcessStatus::read(read), expected);
    }

    #[test]
    fn another_system_tells_nothing() {
        assert_eq!(ProcessStatus::read(|_| None), ProcessStatus::default());
        assert_eq!(
            ProcessStatus::read(|_| Some("odd)".to_owned())),
            ProcessStatus::default()
        );
    }
}
