//! The storage contract, checked on the memory engine.

use std::path::{Path, PathBuf};

use backend::conformance::{FaultKind, Faults, Subject, WriteFault};
use backend::{Engine, Factory};
use backend_memory::{Fault, MemoryDisk, MemoryFactory, Operation};

/// A disk of its own for each check.
#[derive(Default)]
struct MemorySubject {
    factory: MemoryFactory,
}

impl MemorySubject {
    fn disk(&self) -> &MemoryDisk {
        self.factory.disk()
    }
}

impl Subject for MemorySubject {
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

impl Faults for MemorySubject {
    fn supported(&self) -> &[FaultKind] {
        &[
            FaultKind::RefuseWrites,
            FaultKind::LosePower,
            FaultKind::FlipByte,
            FaultKind::HoldInstall,
        ]
    }

    fn refuse_writes(&self, fault: WriteFault) {
        match fault {
            WriteFault::NoSpace => self.disk().set_capacity(Some(self.disk().used_bytes())),
            WriteFault::Io => self.disk().refuse_writes(Some(Fault::Io)),
        }
    }

    fn allow_writes(&self) {
        self.disk().set_capacity(None);
        self.disk().refuse_writes(None);
    }

    fn lose_power(&self, seed: u64) {
        self.disk().crash(seed);
    }

    fn lose_power_in_finish(&self, seed: u64) {
        self.disk()
            .inject(Operation::Install, 0, Fault::Crash { seed });
    }

    fn flip_byte(&self, directory: &Path, seed: u64) -> bool {
        self.disk().damage(directory, seed)
    }

    fn while_install_held(&self, _engine: &dyn Engine, body: &mut dyn FnMut()) {
        self.disk().while_install_held(body);
    }
}

backend::backend_conformance!(MemorySubject::default());

#[test]
fn the_report_reads_well() {
    let report = backend::conformance::run(&|| Box::new(MemorySubject::default()));
    assert!(report.conforms(), "{report}");
    assert!(
        report
            .to_string()
            .ends_with(" passed, 0 failed, 0 skipped\n"),
        "{report}"
    );
    assert!(
        report
            .to_json()
            .starts_with("{\"engine\":\"memory\",\"conforms\":true,\"checks\":[{\"name\":")
    );
}
