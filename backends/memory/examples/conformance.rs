//! Prints what the conformance suite finds: `cargo run -p messina-backend-memory --example conformance [-- --json]`.

use std::io::Write;
use std::path::PathBuf;

use backend::Factory;
use backend::conformance::Subject;
use backend_memory::MemoryFactory;

#[derive(Default)]
struct MemorySubject(MemoryFactory);

impl Subject for MemorySubject {
    fn factory(&self) -> &dyn Factory {
        &self.0
    }

    fn directory(&self, n: u32) -> PathBuf {
        PathBuf::from(format!("/database-{n}"))
    }
}

fn main() -> std::io::Result<()> {
    let report = backend::conformance::run(&|| Box::new(MemorySubject::default()));
    let json = std::env::args().any(|argument| argument == "--json");
    let text = if json {
        report.to_json()
    } else {
        report.to_string()
    };
    writeln!(std::io::stdout(), "{text}")
}
