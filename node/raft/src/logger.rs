//! The library's log lines, as events of ours.

use slog::{Drain, Level, Logger, OwnedKVList, Record};

use crate::id::{GroupId, MemberId};

struct ToTracing {
    group: GroupId,
    member: MemberId,
}

impl Drain for ToTracing {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &Record<'_>, _values: &OwnedKVList) -> Result<(), slog::Never> {
        let (group, member, text) = (self.group, self.member, record.msg());
        match record.level() {
            Level::Critical | Level::Error => {
                tracing::warn!(target: "raft", %group, %member, "{text}")
            }
            // The library warns and informs about daily life.
            Level::Warning | Level::Info => {
                tracing::debug!(target: "raft", %group, %member, "{text}")
            }
            Level::Debug | Level::Trace => {
                tracing::trace!(target: "raft", %group, %member, "{text}")
            }
        }
        Ok(())
    }

    fn is_enabled(&self, level: Level) -> bool {
        match level {
            Level::Critical | Level::Error => true,
            Level::Warning | Level::Info => {
                tracing::enabled!(target: "raft", tracing::Level::DEBUG)
            }
            Level::Debug | Level::Trace => tracing::enabled!(target: "raft", tracing::Level::TRACE),
        }
    }
}

pub(crate) fn logger(group: GroupId, member: MemberId) -> Logger {
    Logger::root(ToTracing { group, member }.ignore_res(), slog::o!())
}
