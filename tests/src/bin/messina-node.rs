//! The node, for tests that start and kill it as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    messina::main()
}
