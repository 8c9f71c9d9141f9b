//! Numbers of a driver.

/// How patient and how large. The defaults are for a tick of 100 ms.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Ticks without a leader before an election, at least; at most twice as many.
    pub election_ticks: usize,
    /// Ticks between heartbeats.
    pub heartbeat_ticks: usize,
    /// Bytes of entries in a message.
    pub message_bytes: u64,
    /// Messages under way to one member.
    pub messages_in_flight: usize,
    /// Bytes of proposals that are not committed yet; more are refused for the time being.
    pub uncommitted_bytes: u64,
    /// Bytes of entries handed out to be applied in one turn.
    pub apply_bytes: u64,
    /// Bytes of a command.
    pub command_bytes: usize,
    /// Requests that may wait for one group.
    pub waiting: usize,
    /// Ticks after which a snapshot that nobody reported on is sent again.
    pub snapshot_ticks: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            election_ticks: 10,
            heartbeat_ticks: 2,
            message_bytes: 1 << 20,
            messages_in_flight: 256,
            uncommitted_bytes: 32 << 20,
            apply_bytes: 8 << 20,
            command_bytes: 16 << 20,
            waiting: 4_096,
            snapshot_ticks: 100,
        }
    }
}
