//! The node's context: all seams in one value, handed to whoever is built on them.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::chance::{Rng, SeededRng};
use crate::clock::{Clock, NodeClock, SimClock, SystemClock};
use crate::files::{Crash, Files, RealFiles, SimFiles};
use crate::injection::Injections;
use crate::spawn::{RealSpawn, RealSpawnOptions, SimSpawn, SimSpawnOptions, Spawn};

/// The outside world of one node; a clone is the same world.
#[derive(Clone)]
pub struct Env {
    /// The node's clock.
    pub clock: Arc<NodeClock>,
    /// The node's files.
    pub files: Arc<dyn Files>,
    /// Where the node's work goes.
    pub spawn: Arc<dyn Spawn>,
    /// What is made to go wrong.
    pub injections: Injections,
    chance: SeededRng,
}

impl Env {
    /// The real world, seeded by the operating system.
    ///
    /// # Errors
    /// The operating system gives no threads for the offload pool.
    pub fn real(options: RealSpawnOptions) -> io::Result<Self> {
        Ok(Self::new(
            Arc::new(SystemClock::new()),
            Arc::new(RealFiles),
            Arc::new(RealSpawn::new(options)?),
            SeededRng::from_system(),
        ))
    }

    /// A world made of parts.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        files: Arc<dyn Files>,
        spawn: Arc<dyn Spawn>,
        chance: SeededRng,
    ) -> Self {
        let clock = Arc::new(NodeClock::new(clock));
        Self {
            clock,
            files,
            spawn,
            injections: Injections::new(),
            chance,
        }
    }

    /// The stream of chance of one user, by a name that only this user has, such as `shard 3 elections`.
    /// The same name gives the same stream again.
    #[must_use]
    pub fn rng(&self, user: &str) -> SeededRng {
        self.chance.fork(user)
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("clock", &self.clock)
            .field("files", &self.files)
            .field("spawn", &self.spawn)
            .finish_non_exhaustive()
    }
}

/// A simulated machine: its disk and its clock outlive the node that runs on it.
///
/// ```text
/// let mut machine = SimMachine::new(seed, options);
/// let env = machine.boot();           // a node lives on it
/// machine.crash(how);                 // its loops are dropped, its disk forgets
/// let env = machine.boot();           // the next life
/// ```
#[derive(Debug)]
pub struct SimMachine {
    /// The machine's disk.
    pub files: SimFiles,
    /// The machine's clock, which can jump.
    pub clock: Arc<SimClock>,
    /// What runs in this life.
    pub spawn: Arc<SimSpawn>,
    options: SimSpawnOptions,
    chance: SeededRng,
    life: u64,
}

impl SimMachine {
    /// A machine with an empty disk. Call it inside the paused runtime: its clock follows virtual time.
    #[must_use]
    pub fn new(seed: u64, options: SimSpawnOptions) -> Self {
        let chance = SeededRng::new(seed);
        Self {
            files: SimFiles::new(),
            clock: Arc::new(SimClock::follow_tokio(SimClock::START_MICROS)),
            spawn: Arc::new(SimSpawn::new(chance.fork("spawn 0"), options.clone())),
            options,
            chance,
            life: 0,
        }
    }

    /// The world of the machine's next life. Chance differs from life to life.
    pub fn boot(&mut self) -> Env {
        self.life += 1;
        let chance = self.chance.fork(&format!("life {}", self.life));
        self.spawn = Arc::new(SimSpawn::new(chance.fork("spawn"), self.options.clone()));
        Env::new(
            self.clock.clone(),
            Arc::new(self.files.clone()),
            self.spawn.clone(),
            chance,
        )
    }

    /// The node dies where it stands: loops, shards and jobs are dropped, open files are dead.
    /// Tasks that the caller started itself are the caller's to drop.
    pub fn crash(&mut self, how: Crash) {
        self.spawn.kill();
        self.files.crash(how);
    }

    /// A power cut whose damage comes from the machine's own seed.
    pub fn cut_power(&mut self) {
        let seed = self.chance.fork(&format!("power {}", self.life)).next_u64();
        self.crash(Crash::Power { seed });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::SyncPoint;
    use crate::simulation::run;

    #[test]
    fn a_machine_keeps_its_disk_and_clock_over_lives() {
        run(async {
            let mut machine = SimMachine::new(1, SimSpawnOptions::default());
            let first = machine.boot();
            first
                .files
                .create_dir_all(Path::new("/data"), SyncPoint("test"))
                .unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            machine.cut_power();
            let second = machine.boot();
            assert!(second.files.entry(Path::new("/data")).unwrap().is_some());
            assert_eq!(
                second.clock.now_micros(),
                SimClock::START_MICROS + 1_000_000
            );
            assert_ne!(first.rng("a").next_u64(), second.rng("a").next_u64());
            assert_eq!(second.rng("a").next_u64(), second.rng("a").next_u64());
        });
    }

    #[test]
    fn the_real_world_is_there() {
        let env = Env::real(RealSpawnOptions::default()).unwrap();
        assert!(env.clock.write_time() > SimClock::START_MICROS);
        assert!(format!("{env:?}").contains("RealFiles"));
    }
}
