//! The `messina` binary.

use std::process::ExitCode;

// Requests come and go in bursts of hundreds; the C library's allocator spends a fifth of a slice on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    messina::main()
}
