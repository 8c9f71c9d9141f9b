//! The suite finds what it is there to find: engines with one defect each fail the check that is named for it.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use backend::conformance::{CHECKS, FaultKind, Faults, Subject, Verdict, WriteFault};
use backend::{
    Bytes, Capability, Direction, Engine, Entry, Error, Factory, GcHooks, Goal, Health, Ingest,
    Ingested, KeepAll, OpenOptions, Progress, Reclaimed, Scan, Snapshot, Stats, VerifyReport,
};
use backend_memory::{Fault, MemoryFactory};

/// What is wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    LosesEmptyValues,
    ExcludesNothing,
    ScansForwardOnly,
    SnapshotsFollowTheMap,
    ShowsHalfAnIngest,
    AbortsByFinishing,
    AcceptsAnyOrder,
    ForgetsOnReopen,
    IgnoresHooks,
    IgnoresDiscards,
    DiscardsTooMuch,
    NeverIdle,
    FindsNoDamage,
    AlwaysWell,
    NeverCloses,
    SharesItsCheckpoint,
}

/// Each defect and the check that must fail.
const EXPECTED: &[(Defect, &str)] = &[
    (Defect::LosesEmptyValues, "empty_and_odd_keys"),
    (Defect::ExcludesNothing, "every_bound_both_ways"),
    (Defect::ScansForwardOnly, "scans_are_ordered"),
    (Defect::SnapshotsFollowTheMap, "snapshots_stand_still"),
    (Defect::ShowsHalfAnIngest, "nothing_shows_before_finish"),
    (Defect::ShowsHalfAnIngest, "readers_see_whole_ingests"),
    (Defect::AbortsByFinishing, "abort_leaves_nothing"),
    (Defect::AcceptsAnyOrder, "order_is_enforced"),
    (Defect::ForgetsOnReopen, "finished_ingests_survive_reopen"),
    (Defect::ForgetsOnReopen, "power_loss_keeps_what_finished"),
    (Defect::IgnoresHooks, "everything_shows_every_key"),
    (Defect::IgnoresDiscards, "discarded_ranges_come_back"),
    (Defect::DiscardsTooMuch, "discard_keeps_the_neighbours"),
    (Defect::NeverIdle, "compaction_ends"),
    (Defect::FindsNoDamage, "damage_is_found"),
    (Defect::AlwaysWell, "health_tells"),
    (Defect::NeverCloses, "close_refuses_and_releases"),
    (
        Defect::SharesItsCheckpoint,
        "checkpoint_opens_with_its_content",
    ),
];

#[test]
fn each_defect_is_found() {
    for (defect, name) in EXPECTED {
        let check = CHECKS
            .iter()
            .find(|check| check.name == *name)
            .expect("a check of that name");
        let outcome = check.run(&|| Box::new(BrokenSubject::new(*defect)));
        assert!(
            matches!(outcome.verdict, Verdict::Failed { .. }),
            "{defect:?} passed {name}: {:?}",
            outcome.verdict
        );
    }
}

struct BrokenSubject {
    factory: BrokenFactory,
}

struct BrokenFactory {
    inner: MemoryFactory,
    defect: Defect,
    opened: AtomicU32,
}

impl BrokenSubject {
    fn new(defect: Defect) -> Self {
        let factory = BrokenFactory {
            inner: MemoryFactory::default(),
            defect,
            opened: AtomicU32::new(0),
        };
        Self { factory }
    }
}

impl Subject for BrokenSubject {
    fn factory(&self) -> &dyn Factory {
        &self.factory
    }

    fn directory(&self, n: u32) -> PathBuf {
        PathBuf::from(format!("/database-{n}"))
    }

    fn faults(&self) -> Option<&dyn Faults> {
        Some(self)
    }
}

impl Faults for BrokenSubject {
    fn supported(&self) -> &[FaultKind] {
        &[
            FaultKind::RefuseWrites,
            FaultKind::LosePower,
            FaultKind::FlipByte,
        ]
    }

    fn refuse_writes(&self, _fault: WriteFault) {
        self.factory
            .inner
            .disk()
            .refuse_writes(Some(Fault::NoSpace));
    }

    fn allow_writes(&self) {
        self.factory.inner.disk().refuse_writes(None);
    }

    fn lose_power(&self, seed: u64) {
        self.factory.inner.disk().crash(seed);
    }

    fn lose_power_in_finish(&self, _seed: u64) {}

    fn flip_byte(&self, directory: &Path, seed: u64) -> bool {
        self.factory.inner.disk().damage(directory, seed)
    }

    fn while_install_held(&self, _engine: &dyn Engine, _body: &mut dyn FnMut()) {}
}

impl Factory for BrokenFactory {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn capabilities(&self) -> &'static [Capability] {
        self.inner.capabilities()
    }

    fn open(
        &self,
        options: &OpenOptions,
        hooks: Arc<dyn GcHooks>,
    ) -> Result<Arc<dyn Engine>, Error> {
        let mut options = options.clone();
        if self.defect == Defect::ForgetsOnReopen {
            let opened = self.opened.fetch_add(1, Ordering::Relaxed);
            options.directory.push(opened.to_string());
        }
        if self.defect == Defect::SharesItsCheckpoint {
            options.directory =
                PathBuf::from(format!("/{}", self.opened.fetch_add(1, Ordering::Relaxed)));
        }
        let hooks = if self.defect == Defect::IgnoresHooks {
            Arc::new(KeepAll)
        } else {
            hooks
        };
        Ok(Arc::new(Broken {
            inner: self.inner.open(&options, hooks)?,
            defect: self.defect,
        }))
    }
}

#[derive(Clone)]
struct Broken {
    inner: Arc<dyn Engine>,
    defect: Defect,
}

impl Engine for Broken {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let value = self.inner.get(key)?;
        Ok(value.filter(|value| self.defect != Defect::LosesEmptyValues || !value.is_empty()))
    }

    fn snapshot(&self) -> Box<dyn Snapshot> {
        Box::new(BrokenSnapshot {
            inner: self.inner.snapshot(),
            engine: self.clone(),
        })
    }

    fn ingest(&self) -> Result<Box<dyn Ingest>, Error> {
        let inner = Some(self.inner.ingest()?);
        Ok(Box::new(BrokenIngest {
            inner,
            engine: self.clone(),
            entries: 0,
            last_key: Vec::new(),
        }))
    }

    fn discard_range(&self, start: &[u8], end: Option<&[u8]>) -> Result<Reclaimed, Error> {
        match self.defect {
            Defect::IgnoresDiscards => Ok(Reclaimed::default()),
            Defect::DiscardsTooMuch => self
                .inner
                .discard_range(start, end.map(|end| [end, b"\x01"].concat()).as_deref()),
            _ => self.inner.discard_range(start, end),
        }
    }

    fn compact(&self, goal: Goal) -> Result<Progress, Error> {
        let progress = self.inner.compact(goal)?;
        let busy = self.defect == Defect::NeverIdle;
        Ok(if busy {
            Progress::Worked {
                read_bytes: 0,
                written_bytes: 0,
            }
        } else {
            progress
        })
    }

    fn checkpoint(&self, directory: &Path) -> Result<(), Error> {
        self.inner.checkpoint(directory)
    }

    fn verify(&self, cancel: &AtomicBool) -> Result<VerifyReport, Error> {
        let mut report = self.inner.verify(cancel)?;
        if self.defect == Defect::FindsNoDamage {
            report.damage.clear();
        }
        Ok(report)
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }

    fn health(&self) -> Health {
        if self.defect == Defect::AlwaysWell {
            Health::Ok
        } else {
            self.inner.health()
        }
    }

    fn close(&self) -> Result<(), Error> {
        if self.defect == Defect::NeverCloses {
            Ok(())
        } else {
            self.inner.close()
        }
    }
}

struct BrokenSnapshot {
    inner: Box<dyn Snapshot>,
    engine: Broken,
}

impl Snapshot for BrokenSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        if self.engine.defect == Defect::SnapshotsFollowTheMap {
            self.engine.get(key)
        } else {
            self.inner.get(key)
        }
    }

    fn multi_get(&self, keys: &[&[u8]], out: &mut Vec<Option<Bytes>>) -> Result<(), Error> {
        self.inner.multi_get(keys, out)
    }

    fn scan(
        &self,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
        direction: Direction,
    ) -> Result<Box<dyn Scan>, Error> {
        let defect = self.engine.defect;
        let direction = if defect == Defect::ScansForwardOnly {
            Direction::Forward
        } else {
            direction
        };
        let end = match end {
            Bound::Excluded(end) if defect == Defect::ExcludesNothing => Bound::Included(end),
            other => other,
        };
        let inner = if defect == Defect::SnapshotsFollowTheMap {
            self.engine.inner.snapshot().scan(start, end, direction)?
        } else {
            self.inner.scan(start, end, direction)?
        };
        Ok(Box::new(BrokenScan { inner, defect }))
    }
}

struct BrokenScan {
    inner: Box<dyn Scan>,
    defect: Defect,
}

impl Scan for BrokenScan {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let entry = self.inner.next()?;
        match &entry {
            Some((_, value)) if self.defect == Defect::LosesEmptyValues && value.is_empty() => {
                self.next()
            }
            Some(_) | None => Ok(entry),
        }
    }
}

struct BrokenIngest {
    /// Always there until it is finished.
    inner: Option<Box<dyn Ingest>>,
    engine: Broken,
    entries: u32,
    last_key: Vec<u8>,
}

impl BrokenIngest {
    fn inner(&mut self) -> &mut Box<dyn Ingest> {
        self.inner.as_mut().expect("an ingest under way")
    }
}

impl Ingest for BrokenIngest {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let defect = self.engine.defect;
        self.entries += 1;
        if defect == Defect::ShowsHalfAnIngest && self.entries == 100 {
            self.inner.take().expect("an ingest under way").finish()?;
            self.inner = Some(self.engine.inner.ingest()?);
        }
        if defect == Defect::AcceptsAnyOrder && key <= &self.last_key[..] {
            return Ok(());
        }
        self.last_key = key.to_vec();
        self.inner().put(key, value)
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), Error> {
        self.inner().delete(key)
    }

    fn finish(mut self: Box<Self>) -> Result<Ingested, Error> {
        self.inner.take().expect("an ingest under way").finish()
    }

    fn abort(mut self: Box<Self>) {
        let inner = self.inner.take().expect("an ingest under way");
        if self.engine.defect == Defect::AbortsByFinishing {
            inner.finish().expect("finished");
        } else {
            inner.abort();
        }
    }
}
