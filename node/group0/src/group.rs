//! The agreed log of this node: proposes, keeps, applies, publishes.
//!
//! ```text
//! wanted ─► guard (what is applied, newest state id) ─► command ─► Raft ─► rows of the log, durable
//!                                                                   │
//!    answer ◄─ publish ◄─ image ◄─ ONE frame: rows, history, spaces, applied index ◄─ committed
//! ```
//!
//! # Invariants
//! * A command whose `prev_state_id` is not the newest state does nothing; its proposer finds its id missing in the
//!   history and begins again.
//! * A command, its history row, the local rows that follow from it and the applied index are one frame of the local log:
//!   a crash leaves all of it or nothing.
//! * The number of a space is durable before the frame that names it.
//! * An answer goes out after the new state was published, so every shard sees it with its next request.
//!
//! # Cost
//! A change costs two frames of the local log (the entry, its effect), each with a sync, and a copy of the partitions it
//! touches in the image.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cql_mutation::Mutation;
use cql_schema::SchemaChange;
use cql_types::{HostId, TableId, Token, Uuid, WriteTime, compare_timeuuid};
use node_cluster::{ClusterState, LoadError, LocalImage, LocalNode, load};
use node_env::{Deadline, NodeClock, Published, SeededRng};
use node_raft::{Driver, GroupId, Output, Payload, Ticket, Wait};
use node_replica::{LocalStore, LocalStoreError, Spaces};
use system_tables::types::SpaceState;
use system_tables::{Change as Rows, Local, TableError, system};

use crate::command::Command;
use crate::handle::{Agreed, Group0Error, Request, Wanted};
use crate::ids::{next_state_id, write_time};
use crate::propose::{redeal_tablets, schema_change};
use crate::raft_rows::{applied_rows, compact_rows, snapshot_rows, write_rows};

/// How often a change is tried when others change the same things.
const ATTEMPTS: u32 = 10;

/// The history remembers commands for this long, in µs.
const HISTORY_MICROS: i64 = 3_600 * 1_000_000;

/// The partition of the history.
const HISTORY_KEY: &str = "history";

/// Told of every agreed change of the schema, after its state was published.
pub type SchemaListener = Box<dyn Fn(&SchemaChange)>;

/// How long the kept log of the group gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLength {
    /// A snapshot is taken when so many entries were applied since the last.
    pub snapshot_entries: u64,
    /// Entries that stay behind a snapshot, for members that lag.
    pub trailing_entries: u64,
}

impl Default for LogLength {
    fn default() -> Self {
        Self {
            snapshot_entries: 1_024,
            trailing_entries: 200,
        }
    }
}

/// What the agreed log needs of its node.
pub struct Parts {
    /// The node's own tables.
    pub store: LocalStore,
    /// Makes and kills spaces.
    pub spaces: Spaces,
    /// The node's clock.
    pub clock: Arc<NodeClock>,
    /// Chance for ids.
    pub rng: SeededRng,
    /// The node.
    pub local: Arc<LocalNode>,
    /// Where states are published.
    pub published: Arc<Published<ClusterState>>,
    /// Who is told of schema changes.
    pub listener: SchemaListener,
    /// When the log is shortened.
    pub log_length: LogLength,
}

/// The agreed log, on the control task.
pub(crate) struct Group0 {
    pub(crate) parts: Parts,
    pub(crate) driver: Driver,
    pub(crate) group: GroupId,
    pub(crate) snapshot_index: u64,
    pub(crate) applied: u64,
    /// Spaces that no state names any more; killed after the answer.
    doomed: BTreeSet<(TableId, u32)>,
    failure: Option<String>,
}

/// Why the control task cannot go on with the agreed log.
#[derive(Debug)]
pub(crate) enum Fatal {
    Store(LocalStoreError),
    Rows(TableError),
    State(LoadError),
    Space(String),
}

impl std::fmt::Display for Fatal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Rows(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Space(why) => f.write_str(why),
        }
    }
}

impl From<LocalStoreError> for Fatal {
    fn from(error: LocalStoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TableError> for Fatal {
    fn from(error: TableError) -> Self {
        Self::Rows(error)
    }
}

impl From<LoadError> for Fatal {
    fn from(error: LoadError) -> Self {
        Self::State(error)
    }
}

impl Group0 {
    pub(crate) fn new(
        parts: Parts,
        driver: Driver,
        group: GroupId,
        snapshot_index: u64,
        applied: u64,
    ) -> Self {
        Self {
            parts,
            driver,
            group,
            snapshot_index,
            applied,
            doomed: BTreeSet::new(),
            failure: None,
        }
    }

    /// Serves one request.
    pub(crate) async fn serve(&mut self, request: Request) {
        let Request {
            wanted,
            description,
            deadline,
            reply,
        } = request;
        let answer = self.change(&wanted, &description, deadline).await;
        // Whoever asked may have given up.
        let _ = reply.send(answer);
        self.bury().await;
    }

    /// Makes a change, beginning again when others were faster.
    pub(crate) async fn change(
        &mut self,
        wanted: &Wanted,
        description: &str,
        deadline: Deadline,
    ) -> Result<Agreed, Group0Error> {
        for _ in 0..ATTEMPTS {
            if let Some(why) = &self.failure {
                return Err(Group0Error::Failed { why: why.clone() });
            }
            let before = self.newest_state_id()?;
            let new = next_state_id(&self.parts.clock, &mut self.parts.rng, before);
            let (command, agreed) = match self.propose(wanted, description, before, new)? {
                Some(proposed) => proposed,
                None => return Ok(Agreed::default()),
            };
            let Some(command) = command else {
                return Ok(agreed);
            };
            self.commit(&command, deadline.remaining()).await?;
            if self.newest_state_id()? == Some(new) {
                for event in &agreed.events {
                    (self.parts.listener)(event);
                }
                return Ok(agreed);
            }
            tracing::warn!(
                description,
                "a group 0 change was made in vain by concurrent modification"
            );
        }
        Err(Group0Error::ConcurrentModification { attempts: ATTEMPTS })
    }

    /// The command for what is wanted; no command if there is nothing to change.
    fn propose(
        &mut self,
        wanted: &Wanted,
        description: &str,
        before: Option<Uuid>,
        new: Uuid,
    ) -> Result<Option<(Option<Command>, Agreed)>, Group0Error> {
        let state = self.parts.published.load();
        let failed = |error: TableError| Group0Error::Failed {
            why: error.to_string(),
        };
        let mut truncate = None;
        let mut agreed = Agreed::default();
        let mutations = match wanted {
            Wanted::Schema(change) => {
                let proposed = schema_change(change, &state, new, &mut self.parts.rng)
                    .map_err(Group0Error::Schema)?
                    .map_err(failed)?;
                agreed.warnings = proposed.delta.warnings.clone();
                if proposed.delta.is_empty() {
                    return Ok(Some((None, agreed)));
                }
                agreed.events = proposed.delta.events.clone();
                proposed.mutations
            }
            Wanted::Truncate(table) => {
                if !state.spaces.contains_key(table) {
                    return Ok(None);
                }
                truncate = Some(*table);
                Vec::new()
            }
            Wanted::Redeal => {
                let mutations = redeal_tablets(&state, new).map_err(failed)?;
                if mutations.is_empty() {
                    return Ok(None);
                }
                mutations
            }
        };
        let command = Command {
            prev_state_id: before,
            new_state_id: new,
            creator: self.parts.local.host_id,
            description: description.to_owned(),
            mutations,
            truncate,
        };
        Ok(Some((Some(command), agreed)))
    }

    /// Puts a command into the log and waits until it is applied.
    async fn commit(&mut self, command: &Command, patience: Duration) -> Result<(), Group0Error> {
        let bytes = Bytes::from(command.encode());
        let ticket = self
            .driver
            .add_entry(self.group, bytes, Wait::Applied, patience)
            .map_err(|error| Group0Error::Timeout {
                why: error.to_string(),
            })?;
        match self.drive(Some(ticket)).await {
            Ok(answer) => answer.map_err(|why| Group0Error::Timeout { why }),
            Err(fatal) => {
                let why = fatal.to_string();
                tracing::error!(%why, "the agreed log has failed; changes are refused until a restart");
                self.failure = Some(why.clone());
                Err(Group0Error::Failed { why })
            }
        }
    }

    /// Does what the driver asks for until it has nothing more to say; the answer to `ticket` is handed back.
    pub(crate) async fn drive(
        &mut self,
        ticket: Option<Ticket>,
    ) -> Result<Result<(), String>, Fatal> {
        let mut answer = Ok(());
        loop {
            let output = self.driver.turn();
            if output.is_empty() {
                return Ok(answer);
            }
            let Output {
                writes,
                committed,
                answers,
                failed,
                // A group of one has nobody to talk to.
                messages: _,
                snapshots_wanted: _,
                snapshots_offered: _,
            } = output;
            if let Some((group, why)) = failed.into_iter().next() {
                return Err(Fatal::Space(format!("group {group} has failed: {why}")));
            }
            for write in writes {
                let at = WriteTime(self.parts.clock.write_time());
                let rows = write_rows(&write, self.parts.local.host_id, at);
                self.parts.store.write(rows.into_mutations()?).await?;
                if write.must_sync {
                    self.driver.persisted(self.group, write.number);
                }
            }
            for batch in committed {
                for entry in batch.entries {
                    match entry.payload {
                        Payload::Command(bytes) => self.apply(entry.index, &bytes).await?,
                        Payload::Empty | Payload::Members(_) => {
                            self.note_applied(entry.index).await?;
                        }
                    }
                    self.driver.applied(self.group, entry.index);
                }
            }
            for (answered, result) in answers {
                if Some(answered) == ticket {
                    answer = result.map(|_| ()).map_err(|error| error.to_string());
                }
            }
            self.shorten_log().await?;
        }
    }

    async fn note_applied(&mut self, index: u64) -> Result<(), Fatal> {
        let at = WriteTime(self.parts.clock.write_time());
        let rows = applied_rows(self.group, index, at);
        self.parts.store.write(rows.into_mutations()?).await?;
        self.applied = index;
        Ok(())
    }

    /// Applies a committed command: one frame, then a new state.
    async fn apply(&mut self, index: u64, bytes: &[u8]) -> Result<(), Fatal> {
        let command = Command::decode(bytes).map_err(|error| Fatal::Space(error.to_string()))?;
        let newest = newest_state_id(self.parts.store.image())?;
        if command.prev_state_id.is_some() && command.prev_state_id != newest {
            return self.note_applied(index).await;
        }
        let at = write_time(command.new_state_id);
        let mut mutations = command.mutations;
        mutations.extend(history_rows(command.new_state_id, &command.description)?);
        let before = self.parts.published.load();
        let image = Arc::new(self.parts.store.image().with(&mutations));
        let after = load(image, Arc::clone(&self.parts.local), Some(&before))?;
        let mut local = self
            .space_rows(&before, &after, command.truncate, at)
            .await?;
        local.add(applied_rows(
            self.group,
            index,
            WriteTime(self.parts.clock.write_time()),
        ));
        let key = system::local::Key {
            key: "local".to_owned(),
        };
        local.add(system::local::set_schema_version(
            &key,
            after.schema.version(),
            at,
        ));
        mutations.extend(local.into_mutations()?);
        self.parts.store.write(mutations).await?;
        self.applied = index;
        let image = Arc::clone(self.parts.store.image());
        let state = load(image, Arc::clone(&self.parts.local), Some(&before))?;
        self.parts.spaces.configure(&state);
        self.parts.published.publish(state);
        tracing::info!(state_id = %command.new_state_id, description = %command.description, "agreed");
        Ok(())
    }

    /// Spaces for tables that are new or truncated; the end of those of tables that are gone.
    async fn space_rows(
        &mut self,
        before: &ClusterState,
        after: &ClusterState,
        truncate: Option<TableId>,
        at: WriteTime,
    ) -> Result<Rows<Local>, Fatal> {
        let mut rows = Rows::new();
        for (table, places) in &after.spaces {
            let truncated = truncate == Some(*table);
            if !places.is_empty() && !truncated {
                continue;
            }
            let space = self
                .parts
                .spaces
                .create()
                .await
                .map_err(|error| Fatal::Space(error.to_string()))?;
            let key = system::messina_spaces::Key { table_id: table.0 };
            let row = system::messina_spaces::Row {
                first_token: Token::MIN.0,
                space: i64::from(space),
                last_token: Token::MAX.0,
                state: SpaceState::Live,
            };
            rows.add(system::messina_spaces::upsert(&key, &row, at));
            if truncated {
                let key = system::truncated::Key {
                    table_uuid: table.0,
                };
                let millis = system_tables::Timestamp(at.0.div_euclid(1_000));
                rows.add(system::truncated::set_truncated_at(&key, millis, at));
            }
        }
        for (table, places) in &before.spaces {
            if after.spaces.contains_key(table) && truncate != Some(*table) {
                continue;
            }
            let key = system::messina_spaces::Key { table_id: table.0 };
            for place in places.iter() {
                let clustering = system::messina_spaces::Clustering {
                    first_token: place.first.0,
                    space: i64::from(place.space),
                };
                rows.add(system::messina_spaces::set_state(
                    &key,
                    &clustering,
                    SpaceState::Dead,
                    at,
                ));
                self.doomed.insert((*table, place.space));
            }
        }
        Ok(rows)
    }

    /// Kills the spaces that no state names any more, and forgets them.
    pub(crate) async fn bury(&mut self) {
        for (table, space) in std::mem::take(&mut self.doomed) {
            if let Err(error) = self.parts.spaces.kill(space).await {
                tracing::warn!(space, %error, "a dead space could not be given up; it is tried again at the next start");
                continue;
            }
            let key = system::messina_spaces::Key { table_id: table.0 };
            let clustering = system::messina_spaces::Clustering {
                first_token: Token::MIN.0,
                space: i64::from(space),
            };
            let at = WriteTime(self.parts.clock.write_time());
            let rows = system::messina_spaces::delete_row(&key, &clustering, at);
            let forgotten = match rows.into_mutations() {
                Ok(mutations) => self.parts.store.write(mutations).await.map_err(Fatal::from),
                Err(error) => Err(Fatal::from(error)),
            };
            if let Err(error) = forgotten {
                tracing::warn!(space, %error, "a dead space could not be forgotten");
            }
        }
    }

    /// Takes up spaces that were dead when the node went down.
    pub(crate) fn find_doomed(&mut self) -> Result<(), TableError> {
        for (key, rows) in system::messina_spaces::scan(&**self.parts.store.image())?
            .into_iter()
            .map(|partition| (partition.key, partition.rows))
        {
            for row in rows {
                if row.state == SpaceState::Dead
                    && let Ok(space) = u32::try_from(row.space)
                {
                    self.doomed.insert((TableId(key.table_id), space));
                }
            }
        }
        Ok(())
    }

    async fn shorten_log(&mut self) -> Result<(), Fatal> {
        let length = self.parts.log_length;
        if self.applied < self.snapshot_index.saturating_add(length.snapshot_entries) {
            return Ok(());
        }
        let Some(snapshot) = self
            .driver
            .snapshot_taken(self.group, self.applied, Bytes::new())
        else {
            return Ok(());
        };
        let at = WriteTime(self.parts.clock.write_time());
        let mut rows = snapshot_rows(self.group, self.parts.local.host_id, &snapshot, at);
        let end = snapshot.index.saturating_sub(length.trailing_entries);
        rows.add(compact_rows(self.group, end, at));
        self.parts.store.write(rows.into_mutations()?).await?;
        self.driver.compact(self.group, end);
        self.snapshot_index = snapshot.index;
        Ok(())
    }

    fn newest_state_id(&self) -> Result<Option<Uuid>, Group0Error> {
        newest_state_id(self.parts.store.image()).map_err(|error| Group0Error::Failed {
            why: error.to_string(),
        })
    }

    /// The host that this node is.
    pub(crate) fn host(&self) -> HostId {
        self.parts.local.host_id
    }
}

/// The state that the tables are in: the newest row of the history.
fn newest_state_id(image: &LocalImage) -> Result<Option<Uuid>, TableError> {
    let key = system::group0_history::Key {
        key: HISTORY_KEY.to_owned(),
    };
    let newest = system::group0_history::read(image, &key)?
        .into_iter()
        .map(|row| row.state_id)
        .max_by(compare_timeuuid);
    Ok(newest)
}

/// The row of a command in the history, and the end of rows that are too old.
fn history_rows(state_id: Uuid, description: &str) -> Result<Vec<Mutation>, TableError> {
    let at = write_time(state_id);
    let key = system::group0_history::Key {
        key: HISTORY_KEY.to_owned(),
    };
    let row = system::group0_history::Row {
        state_id,
        description: Some(description.to_owned()),
    };
    let mut rows = system::group0_history::upsert(&key, &row, at);
    // The newest comes first, so the old ones are those from here on.
    let oldest = cql_types::timeuuid_min((at.0 - HISTORY_MICROS).div_euclid(1_000));
    let from = system::group0_history::Clustering { state_id: oldest };
    rows.add(system::group0_history::delete_range(&key, from.., at));
    rows.into_mutations()
}
