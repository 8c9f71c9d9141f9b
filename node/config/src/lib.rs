//! Every option, once: its name, default, YAML, flag, environment variable and documentation.
//!
//! ```text
//!              options.rs: the table (name, type, default, range, live?, meaning)
//!      ┌────────────┬─────────────┬───────────────┬──────────────┬───────────────┐
//!   Options      cli: flags    MESSINA_*       yaml: file    system.config   docs/options.md
//!   (typed)      and --help    variables       with lines    (rows)          (markdown)
//! ```
//!
//! [`load`] merges command line over environment over file over defaults, remembers where each value came from,
//! checks types, ranges and contradictions, and reports all problems together, each with its value, source and cure.
//! Options of this ecosystem that are not served yet are known by name (`unserved.rs`): ignored with a warning, or
//! refused where ignoring them would break a promise. Unknown names are errors with a proposal.
//!
//! Pure: arguments, variables, the file's text and the machine's size are handed in.

mod cli;
mod config;
mod load;
mod markdown;
mod memory;
mod options;
mod problem;
mod suggest;
mod unserved;
mod value;
mod yaml;

#[cfg(test)]
mod tests;

/// What the names of our environment variables begin with.
pub const PREFIX: &str = "MESSINA_";

pub use config::{Config, ConfigRow, OptionChange};
pub use load::{Loaded, Sources, load};
pub use markdown::options_markdown;
pub use memory::{LEAST_MEMORY, Machine, MemorySplit, default_memory, usable_memory};
pub use options::{Live, OptionSpec, Options, TABLE, spec};
pub use problem::{ConfigError, Problem, Source};
pub use value::{
    Authenticator, Authorizer, Backend, Bytes, CommitlogSync, LogLevel, Partitioner, Seeds, Snitch,
};
