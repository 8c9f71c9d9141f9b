//! Old logs become memtables of new owners.
//!
//! The logs of older runs are read frame by frame, whatever number of shards wrote them; each mutation goes to the
//! memtable of the shard that owns its token now. The memtables are handed over sealed; when all are flushed, the logs go.
//!
//! Cost: one pass over the logs, one mutation decoded at a time; memtables that grow too large are flushed on the way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cql_mutation::Mutation;
use cql_types::Token;

use crate::batch::BatchReader;
use crate::error::StorageError;
use crate::log::replay::{LogReader, ReplayError};
use crate::log::{LogId, LogPosition};
use crate::memtable::{Memtable, Origin};
use crate::node::{Node, ReplayGroup};
use crate::space::Space;
use crate::spaces::SpaceRules;
use crate::stats::add;
use crate::yield_now::yield_now;

/// Frames between two chances for others to run.
const FRAMES_PER_TURN: u64 = 256;

/// Who gets a mutation of an old log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This shard.
    Shard(u32),
    /// Nobody: its table is gone.
    Gone,
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Logs of older runs.
    pub logs: usize,
    /// Frames applied.
    pub frames: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Mutations applied.
    pub mutations: u64,
    /// Mutations of dead spaces, which were skipped.
    pub skipped: u64,
}

/// Rows of old logs for one shard, sealed.
pub struct Replayed {
    pub(crate) memtables: Vec<Arc<Memtable>>,
    pub(crate) group: Arc<ReplayGroup>,
}

/// Reads `logs` and makes memtables for `shards` owners.
pub(crate) async fn replay(
    node: &Arc<Node>,
    logs: Vec<LogId>,
    shards: usize,
    owner: &dyn Fn(Space, Token) -> Owner,
) -> Result<(Vec<Replayed>, ReplayReport), StorageError> {
    let group = ReplayGroup::new(Arc::clone(node), logs.clone());
    let mut replay = Replay {
        node,
        rules: node.spaces.rules(),
        owner,
        group: Arc::clone(&group),
        open: (0..shards).map(|_| None).collect(),
        sealed: (0..shards).map(|_| Vec::new()).collect(),
        bytes: 0,
        report: ReplayReport {
            logs: logs.len(),
            ..ReplayReport::default()
        },
    };
    for log in logs {
        replay.log(log).await?;
    }
    for shard in 0..shards {
        replay.seal(shard);
    }
    let Replay { sealed, report, .. } = replay;
    add(&node.counters.replayed_frames, report.frames);
    add(&node.counters.replayed_bytes, report.bytes);
    add(&node.counters.replay_skipped_dead, report.skipped);
    // Without a memtable to flush, the logs can go at once.
    group.done().await?;
    let replayed = sealed
        .into_iter()
        .map(|memtables| Replayed {
            memtables,
            group: Arc::clone(&group),
        })
        .collect();
    Ok((replayed, report))
}

struct Replay<'a> {
    node: &'a Arc<Node>,
    rules: Arc<SpaceRules>,
    owner: &'a dyn Fn(Space, Token) -> Owner,
    group: Arc<ReplayGroup>,
    open: Vec<Option<Memtable>>,
    sealed: Vec<Vec<Arc<Memtable>>>,
    /// Of all memtables that wait.
    bytes: usize,
    report: ReplayReport,
}

impl Replay<'_> {
    async fn log(&mut self, id: LogId) -> Result<(), StorageError> {
        let flushed = LogPosition(self.node.old_logs.get(&id).copied().unwrap_or(0));
        if flushed.0 == u64::MAX {
            return Ok(()); // retired
        }
        let files = Arc::clone(&self.node.env.files);
        let mut reader = LogReader::open(&*files, &self.node.log_directory, id, flushed)?;
        let limit = usize::try_from(self.node.options.memtable_bytes / 2).unwrap_or(usize::MAX);
        let mut frames = 0;
        while let Some(frame) = reader.next()? {
            self.frame(id, frame.sequence, frame.body)?;
            frames += 1;
            if frames % FRAMES_PER_TURN == 0 {
                if self.bytes > limit {
                    self.flush_all().await?;
                }
                yield_now().await;
            }
        }
        Ok(())
    }

    fn frame(&mut self, id: LogId, sequence: u64, body: &[u8]) -> Result<(), StorageError> {
        let unreadable = |what: String| {
            StorageError::Replay(ReplayError::Frame {
                log: id.to_string(),
                sequence,
                what,
            })
        };
        let mut batch =
            BatchReader::new(body).ok_or_else(|| unreadable("it is no batch".to_owned()))?;
        if let Some(assigned) = batch.assigned {
            self.node.assigned.fetch_max(assigned, Ordering::AcqRel);
        }
        while let Some(next) = batch.next() {
            let (space, bytes) = next.ok_or_else(|| unreadable("it ends too early".to_owned()))?;
            let mutation = Mutation::decode(bytes).map_err(|why| unreadable(why.to_string()))?;
            self.apply(space, mutation, batch.assigned);
        }
        self.report.frames += 1;
        self.report.bytes += body.len() as u64;
        Ok(())
    }

    fn apply(&mut self, space: Space, mutation: Mutation, assigned: Option<i64>) {
        let owner = match self.rules.is_dead(space, mutation.token) {
            true => Owner::Gone,
            false => (self.owner)(space, mutation.token),
        };
        let place = match owner {
            Owner::Shard(shard) => self.open.get_mut(shard as usize),
            Owner::Gone => None,
        };
        let Some(place) = place else {
            self.report.skipped += 1;
            return;
        };
        let floors = &self.node.floors;
        let memtable =
            place.get_or_insert_with(|| Memtable::new(Arc::clone(floors), Origin::Replay));
        let before = memtable.bytes();
        let Mutation {
            key, token, update, ..
        } = mutation;
        memtable.apply(space, token, key, update, LogPosition::NONE);
        if let Some(assigned) = assigned {
            memtable.assigned(assigned);
        }
        self.bytes = self.bytes.saturating_sub(before) + memtable.bytes();
        self.report.mutations += 1;
    }

    fn seal(&mut self, shard: usize) {
        let Some(mut memtable) = self.open.get_mut(shard).and_then(Option::take) else {
            return;
        };
        self.group.add(memtable.take_pins());
        if let Some(sealed) = self.sealed.get_mut(shard) {
            sealed.push(Arc::new(memtable));
        }
    }

    /// Memory is short: what was read so far goes to the engine before the next frame is read.
    async fn flush_all(&mut self) -> Result<(), StorageError> {
        for shard in 0..self.open.len() {
            self.seal(shard);
        }
        for memtable in self.sealed.iter_mut().flat_map(std::mem::take) {
            self.node.merger.flush(memtable).await?;
            self.group.done().await?;
        }
        self.bytes = 0;
        Ok(())
    }
}
