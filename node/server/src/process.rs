//! The process: arguments, log, exit code.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use backend::Factory;
use backend_fjall::FjallFactory;
use backend_memory::{MemoryDisk, MemoryFactory};
use node_config::Backend;
use node_config::{Config, Loaded, Machine, Sources, load, usable_memory};
use node_env::Env;
use node_env::spawn::RealSpawnOptions;

use tracing_subscriber::EnvFilter;

use crate::boot::BootError;
use crate::operator::LogFilter;
use crate::threads;

/// Arguments or configuration are wrong.
const EXIT_USAGE: u8 = 2;

/// Runs the node that arguments, environment and configuration file describe, until it is told to stop.
#[must_use]
pub fn main() -> ExitCode {
    let sources = Sources {
        arguments: std::env::args_os().collect(),
        environment: std::env::vars().collect(),
        read_file: &read_file,
        machine: machine(),
    };
    let config = match load(sources) {
        Ok(Loaded::Run(config)) => config,
        Ok(Loaded::Print(text)) => {
            print(&text);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let config = Arc::new(*config);
    let log_levels = start_log(&config);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    match run(&config, log_levels) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Arc<Config>, log_levels: Arc<LogFilter>) -> Result<(), BootError> {
    use crate::boot::Doing as _;
    let env = Env::real(RealSpawnOptions::default()).doing("start the offload threads")?;
    let factory: Box<dyn Factory> = match config.options.backend {
        Backend::Fjall => Box::new(FjallFactory::default()),
        Backend::Memory => Box::new(MemoryFactory::new(MemoryDisk::new())),
    };
    let runtime = threads::runtime()?;
    runtime.block_on(threads::run(config, env, &*factory, log_levels))
}

fn read_file(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// What the machine has, as far as this process may use it.
fn machine() -> Machine {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    Machine {
        processors: u32::try_from(processors).unwrap_or(1),
        memory: usable_memory(&meminfo, limit.as_deref()).unwrap_or(node_config::Bytes(1 << 30)),
    }
}

/// Starts the log and gives the handle by which its levels are changed.
fn start_log(config: &Config) -> Arc<LogFilter> {
    let level = config.value("log_level").unwrap_or_default();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&level))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_filter_reloading();
    let handle = builder.reload_handle();
    builder.init();
    let level = level.parse().unwrap_or(node_api::LogLevel::Info);
    let apply = move |filter: &str| {
        if let Err(error) = handle.reload(EnvFilter::new(filter)) {
            tracing::warn!(%error, "the log level was not changed");
        }
    };
    Arc::new(LogFilter::new(level, Box::new(apply)))
}

#[expect(clippy::print_stdout, reason = "this is what was asked for")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn complain(text: &str) {
    eprintln!("{text}");
}
