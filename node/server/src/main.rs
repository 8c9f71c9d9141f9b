//! The `messina` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    messina::main()
}
