//! One seed: a machine, several lives of a node on it, clients, crashes, and what every life must find.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use backend_memory::{Fault, Operation};
use node_env::files::{Crash, Fault as FileFault, SyncFault, WriteFault};
use node_env::{Rng, SeededRng, SyncPoint, TaskGroup};
use node_storage::BrokenRules;

use crate::actor::{Actor, Faults, Stop};
use crate::machine::{Machine, Node, run};
use crate::verify::{verify_agreed_log, verify_rows, verify_schema};
use crate::world::{KEYSPACE, Told, World};

/// What is played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) seed: u64,
    pub(crate) lives: u32,
    /// A sync that does nothing.
    pub(crate) ignored: Option<SyncPoint>,
    /// Rules that the storage does not keep.
    pub(crate) broken: BrokenRules,
    /// Whether clients mostly delete things and then write them with an older time.
    pub(crate) writes_late: bool,
    /// Whether statements, answers and the ends of lives are printed.
    pub(crate) is_loud: bool,
}

impl Plot {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            lives: 7,
            ignored: None,
            broken: BrokenRules::NONE,
            writes_late: false,
            is_loud: false,
        }
    }
}

/// What was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Played {
    /// A hash of every statement, answer and byte on the disk.
    pub(crate) trace: u64,
    /// Answers that clients got.
    pub(crate) answers: u64,
    /// What it was about.
    pub(crate) told: Told,
    /// Names of the syncs that were asked for.
    pub(crate) syncs: BTreeSet<&'static str>,
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As soon as everything was read: what was read must have been durable.
    AtOnce,
    /// At some moment.
    Moment,
    /// At some change of a file.
    FileChange(u64),
    /// At some operation of the engine.
    EngineOperation(Operation, u64),
    /// At some moment, after something has failed.
    Trouble(Trouble),
    /// By a stop in good order.
    Stop,
}

/// What fails once while the machine stays up, after so many others of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Sync(u64),
    /// A write to a log, after so many bytes.
    Write(u64, usize),
    /// So many more bytes fit into the files, until the end of the life.
    FullFiles(u64),
    EngineIo(Operation, u64),
    EngineFull(Operation, u64),
}

struct Story {
    machine: Machine,
    world: Rc<RefCell<World>>,
    rng: SeededRng,
}

/// Plays a story.
///
/// # Errors
/// What must not be, in words.
pub(crate) fn play(plot: Plot) -> Result<Played, String> {
    run(plot.seed, async {
        let mut story = Story {
            machine: Machine::new(plot.seed),
            world: Rc::default(),
            rng: SeededRng::new(plot.seed).fork("story"),
        };
        {
            let mut world = story.world.borrow_mut();
            world.is_loud = plot.is_loud;
            world.writes_late = plot.writes_late;
        }
        story.machine.broken = plot.broken;
        if let Some(point) = plot.ignored {
            story.machine.sim.files.ignore_sync(point);
        }
        for life in 0..plot.lives {
            story
                .live(life)
                .await
                .map_err(|why| format!("life {life}: {why}"))?;
        }
        story
            .last_look()
            .await
            .map_err(|why| format!("at the end: {why}"))?;
        let mut world = story.world.borrow_mut();
        let files = story.machine.sim.files.trace_hash();
        world.trace.add(&format!("{files:x}"));
        Ok(Played {
            trace: world.trace.0,
            answers: world.answered,
            told: world.told,
            syncs: story.machine.sim.files.sync_counts().into_keys().collect(),
        })
    })
}

impl Story {
    /// Boots a node, looks whether everything is there, lets clients act, and ends it.
    async fn live(&mut self, life: u32) -> Result<(), String> {
        self.interrupted_boots().await;
        let node = self.boot().await?;
        let end = match self.rng.below(10) {
            0 if life > 0 => End::AtOnce,
            0..4 => End::Moment,
            4..7 => End::FileChange(self.rng.below(250)),
            7 => End::Trouble(self.trouble()),
            8 => {
                let operations = [Operation::Put, Operation::Install, Operation::Compact];
                let operation = operations[self.rng.index(operations.len())];
                End::EngineOperation(operation, self.rng.below(12))
            }
            _ => End::Stop,
        };
        if self.world.borrow().is_loud {
            println!("life {life}: {} shards, ends {end:?}", node.shards.len());
        }
        self.look(&node, life == 0).await?;
        if end != End::AtOnce {
            self.act(&node, end).await?;
        }
        self.end(node, end).await
    }

    fn trouble(&mut self) -> Trouble {
        let operations = [Operation::Put, Operation::Install, Operation::Compact];
        let operation = operations[self.rng.index(operations.len())];
        match self.rng.below(6) {
            0 | 1 => Trouble::Sync(self.rng.below(40)),
            2 => Trouble::Write(self.rng.below(40), self.rng.index(600)),
            3 => Trouble::FullFiles(self.rng.below(100_000)),
            4 => Trouble::EngineIo(operation, self.rng.below(12)),
            _ => Trouble::EngineFull(operation, self.rng.below(12)),
        }
    }

    fn begin_trouble(&self, trouble: Trouble) {
        let (files, disk) = (&self.machine.sim.files, &self.machine.disk);
        match trouble {
            Trouble::Sync(skip) => files.inject(FileFault::Sync(None, SyncFault::Fail), skip),
            Trouble::Write(skip, bytes) => {
                let torn = FileFault::Write("/log/".to_owned(), WriteFault::Torn { bytes });
                files.inject(torn, skip);
            }
            Trouble::FullFiles(more) => files.set_quota(Some(files.used() + more)),
            Trouble::EngineIo(operation, skip) => disk.inject(operation, skip, Fault::Io),
            Trouble::EngineFull(operation, skip) => disk.inject(operation, skip, Fault::NoSpace),
        }
    }

    async fn boot(&mut self) -> Result<Node, String> {
        let shards = u32::try_from(1 + self.rng.below(4)).unwrap();
        let booted = tokio::time::timeout(Duration::from_secs(120), self.machine.boot(shards));
        match booted.await {
            Ok(Ok(node)) => Ok(node),
            Ok(Err(error)) => Err(format!(
                "the node does not start with {shards} shards: {error}"
            )),
            Err(_) => Err(format!(
                "the node takes too long to start with {shards} shards"
            )),
        }
    }

    /// Some starts are cut short.
    async fn interrupted_boots(&mut self) {
        while self.rng.one_in(3) {
            let changes = self.rng.below(60);
            self.machine.sim.files.go_down_after(changes);
            let shards = u32::try_from(1 + self.rng.below(4)).unwrap();
            let booted = tokio::time::timeout(Duration::from_secs(120), self.machine.boot(shards));
            let node = booted.await.ok().and_then(Result::ok);
            self.world.borrow_mut().told.starts_cut += u64::from(node.is_none());
            if node.is_some() {
                // What was replayed is on its way to the engine.
                tokio::time::sleep(Duration::from_micros(self.rng.below(15_000))).await;
            }
            self.crash(node).await;
        }
    }

    async fn crash(&mut self, node: Option<Node>) {
        let micros = i64::try_from(self.rng.below(5_000_000)).unwrap();
        match self.rng.below(4) {
            // Wall clocks are set back, too.
            0 => self.machine.sim.clock.jump_wall_micros(-micros),
            // It takes a while until the machine is there again, and tombstones may go.
            1 | 2 => self.machine.sim.clock.jump_wall_micros(5 * micros),
            _ => {}
        }
        let seed = self.rng.next_u64();
        let how = match self.rng.one_in(3) {
            true => Crash::Process,
            false => Crash::Power { seed },
        };
        self.machine.crash(node, how, seed).await;
    }

    async fn actor(&mut self, node: &Node, name: &str) -> Result<Actor, String> {
        let shard = self.rng.index(node.shards.len());
        let client = node
            .connect(shard)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Actor {
            world: Rc::clone(&self.world),
            client,
            rng: self.rng.fork(name),
            number: (0, 1),
            faults: Faults::None,
            clock: Arc::clone(&node.clock),
            prepared: BTreeMap::new(),
        })
    }

    /// What must be there is there, on every shard.
    async fn look(&mut self, node: &Node, is_first: bool) -> Result<(), String> {
        let told = |stop: Stop| match stop {
            Stop::Failed(text) => text,
            Stop::Down => "no answer".to_owned(),
            Stop::Unsure(code) => format!("{code:?}"),
        };
        let mut actor = self.actor(node, "look").await?;
        if is_first {
            let text = format!(
                "CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
            );
            actor
                .must(&text, &messina_tests::client::one())
                .await
                .map_err(told)?;
        }
        for shard in 0..node.shards.len() {
            actor.client = node
                .connect(shard)
                .await
                .map_err(|error| error.to_string())?;
            verify_schema(&mut actor).await.map_err(told)?;
        }
        let length = self.machine.log_length;
        verify_agreed_log(&mut actor, length).await.map_err(told)?;
        verify_rows(&mut actor).await.map_err(told)
    }

    /// Clients act, the storage flushes, until the life ends.
    async fn act(&mut self, node: &Node, end: End) -> Result<(), String> {
        let clients = i32::try_from(1 + self.rng.below(6)).unwrap();
        let life_ends = {
            let mut world = self.world.borrow_mut();
            world.acts = 0;
            world.acts_max = 10 + self.rng.below(80);
            Rc::clone(&world.life_ends)
        };
        let acting = TaskGroup::new("clients");
        for number in 0..clients {
            let name = format!("client {number} of {}", self.world.borrow().next);
            let mut actor = self.actor(node, &name).await?;
            actor.number = (number, clients);
            actor.faults = match end {
                End::AtOnce | End::Moment | End::Stop => Faults::None,
                End::FileChange(_) | End::EngineOperation(..) => Faults::Planned,
                End::Trouble(_) => Faults::Errors,
            };
            acting.spawn(name, actor.run()).unwrap();
        }
        match end {
            End::AtOnce | End::Moment | End::Stop => {}
            End::Trouble(trouble) => self.begin_trouble(trouble),
            End::FileChange(changes) => self.machine.sim.files.go_down_after(changes),
            End::EngineOperation(operation, skip) => {
                let seed = self.rng.next_u64();
                self.machine
                    .disk
                    .inject(operation, skip, Fault::Crash { seed });
            }
        }
        let _upkeep = upkeep(node, &self.world, &mut self.rng);
        tokio::select! {
            biased;
            () = life_ends.notified() => {}
            () = all_stopped(&acting) => {}
        }
        if let End::Stop = end {
            // Everybody gets the answer that is still due.
            let patience = Duration::from_secs(120);
            if tokio::time::timeout(patience, all_stopped(&acting))
                .await
                .is_err()
            {
                return Err("a client waits for ever".to_owned());
            }
        } else {
            tokio::time::sleep(Duration::from_micros(self.rng.below(600))).await;
        }
        if let Ok(panic) = tokio::time::timeout(Duration::ZERO, acting.panicked()).await {
            return Err(format!("the story itself is wrong: {}", panic.text));
        }
        if let Some(panic) = node.panicked().await {
            return Err(format!("a task of the node panicked: {panic}"));
        }
        self.world.borrow_mut().failure.take().map_or(Ok(()), Err)
    }

    async fn end(&mut self, node: Node, end: End) -> Result<(), String> {
        let clock = Arc::clone(&node.clock);
        match end {
            End::Stop => node.stop().await,
            End::AtOnce
            | End::Moment
            | End::Trouble(_)
            | End::FileChange(_)
            | End::EngineOperation(..) => {
                self.machine.sim.files.set_quota(None);
                self.crash(Some(node)).await;
            }
        }
        self.world.borrow_mut().node_down(clock.now_seconds());
        Ok(())
    }

    async fn last_look(&mut self) -> Result<(), String> {
        let node = self.boot().await?;
        self.look(&node, false).await?;
        node.stop().await;
        Ok(())
    }
}

async fn all_stopped(clients: &TaskGroup) {
    while !clients.running().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Soon, and now and then late.
async fn odd_moment(rng: &mut SeededRng, late: Duration) {
    let micros = match rng.one_in(30) {
        true => rng.between(60_000, u64::try_from(late.as_micros()).unwrap()),
        false => rng.between(500, 40_000),
    };
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

/// Flushes and cleans up at odd moments, all at once, until it is dropped.
fn upkeep(node: &Node, world: &Rc<RefCell<World>>, rng: &mut SeededRng) -> TaskGroup {
    let upkeep = TaskGroup::new("upkeep");
    let stores = node.shards.iter().map(|shard| shard.replica.store());
    for (place, store) in stores.chain([&node.local]).enumerate() {
        let (store, mut rng) = (store.clone(), rng.fork(&format!("flushes {place}")));
        let world = Rc::clone(world);
        let flushes = async move {
            loop {
                odd_moment(&mut rng, Duration::from_secs(20)).await;
                let quiet_until = world.borrow().quiet_until;
                if let Some(moment) = quiet_until
                    && !rng.one_in(4)
                {
                    tokio::time::sleep_until(moment).await;
                }
                // What fails here is found by the reads.
                drop(store.flush().await);
            }
        };
        upkeep.spawn(format!("flushes {place}"), flushes).unwrap();
    }
    let (storage, mut rng) = (node.storage.clone(), rng.fork("clean-ups"));
    let clean_ups = async move {
        loop {
            odd_moment(&mut rng, Duration::from_millis(500)).await;
            drop(storage.clean_up().await);
        }
    };
    upkeep.spawn("clean-ups", clean_ups).unwrap();
    upkeep
}
