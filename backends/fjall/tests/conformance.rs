//! The storage contract, checked on fjall's engine with real files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use backend::conformance::{FaultKind, Faults, Subject, WriteFault};
use backend::{Capability, Engine, Error, Factory, GcHooks, OpenOptions};
use backend_fjall::{FaultSwitch, FjallEngine, FjallFactory, Refusal};
use tempfile::TempDir;

/// A folder of its own for each check, and the engines opened in it.
struct FjallSubject {
    folder: TempDir,
    factory: Remembering,
    faults: Arc<FaultSwitch>,
}

/// Opens engines and remembers them, so that a fault finds the engine behind the trait.
struct Remembering {
    factory: FjallFactory,
    opened: Mutex<Vec<Weak<FjallEngine>>>,
}

impl FjallSubject {
    fn new() -> Self {
        let faults = Arc::new(FaultSwitch::default());
        let factory = FjallFactory::default().with_faults(faults.clone());
        Self {
            folder: TempDir::new().expect("a temporary folder"),
            factory: Remembering {
                factory,
                opened: Mutex::default(),
            },
            faults,
        }
    }
}

impl Factory for Remembering {
    fn name(&self) -> &'static str {
        self.factory.name()
    }

    fn capabilities(&self) -> &'static [Capability] {
        self.factory.capabilities()
    }

    fn open(
        &self,
        options: &OpenOptions,
        hooks: Arc<dyn GcHooks>,
    ) -> Result<Arc<dyn Engine>, Error> {
        let engine = self.factory.open_engine(options, hooks)?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push(Arc::downgrade(&engine));
        Ok(engine)
    }
}

impl Subject for FjallSubject {
    fn factory(&self) -> &dyn Factory {
        &self.factory
    }

    fn directory(&self, n: u32) -> PathBuf {
        self.folder.path().join(format!("database-{n}"))
    }

    fn faults(&self) -> Option<&dyn Faults> {
        Some(self)
    }
}

impl Faults for FjallSubject {
    fn supported(&self) -> &[FaultKind] {
        &[
            FaultKind::RefuseWrites,
            FaultKind::FlipByte,
            FaultKind::HoldInstall,
        ]
    }

    fn refuse_writes(&self, fault: WriteFault) {
        self.faults.set(Some(match fault {
            WriteFault::NoSpace => Refusal::NoSpace,
            WriteFault::Io => Refusal::Io,
        }));
    }

    fn allow_writes(&self) {
        self.faults.set(None);
    }

    fn lose_power(&self, _seed: u64) {
        panic!("not supported");
    }

    fn lose_power_in_finish(&self, _seed: u64) {
        panic!("not supported");
    }

    /// Changes a byte of the largest table file or, now and then, of the manifest.
    fn flip_byte(&self, directory: &Path, seed: u64) -> bool {
        let folder = if seed % 4 == 3 {
            directory.to_owned()
        } else {
            directory.join("tables")
        };
        let files = fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path());
        let files = files.filter(|path| path.is_file() && !path.ends_with("lock"));
        let Some(file) = files.max_by_key(|path| path.metadata().expect("its size").len()) else {
            return false;
        };
        let mut bytes = fs::read(&file).expect("the file");
        let at = usize::try_from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8).expect("64 bits")
            % bytes.len();
        *bytes.get_mut(at).expect("a byte") ^= 0x10;
        let flipped = file.with_extension("flipped");
        fs::File::create(&flipped)
            .and_then(|mut out| std::io::Write::write_all(&mut out, &bytes))
            .expect("written");
        fs::copy(&flipped, &file).expect("copied");
        #[expect(clippy::disallowed_methods, reason = "the test's own file")]
        fs::remove_file(&flipped).expect("removed");
        true
    }

    fn while_install_held(&self, _engine: &dyn Engine, body: &mut dyn FnMut()) {
        let opened = self
            .factory
            .opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let engine = opened
            .last()
            .and_then(Weak::upgrade)
            .expect("an open engine");
        drop(opened);
        engine.while_install_held(body).expect("an open engine");
    }
}

backend::backend_conformance!(FjallSubject::new());
