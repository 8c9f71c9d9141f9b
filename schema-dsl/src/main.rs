//! The `schema-dsl` command; see [`schema_dsl::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut out, mut problems) = (std::io::stdout(), std::io::stderr());
    match schema_dsl::cli::run(&arguments, &mut out, &mut problems) {
        Ok(outcome) => ExitCode::from(outcome.exit_status()),
        // Nobody reads on: `schema-dsl doc | head`.
        Err(_) => ExitCode::from(2),
    }
}
