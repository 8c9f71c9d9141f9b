//! What is wrong with a configuration: all of it at once, each with where it came from and what to do.

use std::fmt;

/// Where a value came from. Later ones win.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The options file.
    File {
        /// Its path.
        path: String,
        /// Counted from one.
        line: u64,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag.
    CommandLine {
        /// With its dashes.
        flag: String,
    },
}

impl Source {
    /// The word for it in `system.config`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "yaml",
            Self::Environment { .. } => "env",
            Self::CommandLine { .. } => "cli",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Environment { variable } => write!(f, "the environment variable {variable}"),
            Self::CommandLine { flag } => write!(f, "the flag {flag}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option.
    pub name: String,
    /// What was given.
    pub value: String,
    /// Where.
    pub source: Source,
    /// Why it cannot be, or what to do.
    pub cure: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} = {} (from {}): {}",
            self.name,
            quoted(&self.value),
            self.source,
            self.cure
        )
    }
}

fn quoted(value: &str) -> String {
    if value.is_empty() {
        "\"\"".to_owned()
    } else {
        value.to_owned()
    }
}

/// A configuration that no node can run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The command line cannot be read; the text says why, as the parser words it.
    CommandLine(String),
    /// The options file cannot be read.
    File {
        /// Its path.
        path: String,
        /// Why.
        text: String,
    },
    /// Values that cannot be; at least one.
    Values(Vec<Problem>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine(text) => f.write_str(text),
            Self::File { path, text } => write!(f, "cannot use the options file {path}: {text}"),
            Self::Values(problems) => {
                f.write_str("this configuration cannot be used:")?;
                problems
                    .iter()
                    .try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}
