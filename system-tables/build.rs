//! Compiles `tables/*.tables` into `tables.rs` in the output folder; a mistake in a table fails the build with its
//! place in the `.tables` file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[expect(
    clippy::print_stderr,
    reason = "cargo shows what a failing build script prints"
)]
fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=tables");
    let Some(target) = std::env::var_os("OUT_DIR").map(PathBuf::from) else {
        eprintln!("error: OUT_DIR is not set; cargo sets it");
        return ExitCode::FAILURE;
    };
    let output = schema_dsl::build::compile_folder(Path::new("tables"), "system-tables/tables");
    for input in &output.inputs {
        println!("cargo::rerun-if-changed={input}");
    }
    eprint!("{}", output.report);
    let Some(code) = output.code else {
        return ExitCode::FAILURE;
    };
    match write(&target.join("tables.rs"), &code) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write the generated code: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a build script writes into the output folder"
)]
fn write(path: &Path, code: &str) -> std::io::Result<()> {
    std::fs::write(path, code)
}
