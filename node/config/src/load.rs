//! From flags, environment and file to a configuration.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::cli::{self, Flags, Parsed};
use crate::config::Config;
use crate::memory::Machine;
use crate::options::{ALIASES, Given, OptionSpec, Options, TABLE, spec};
use crate::problem::{ConfigError, Problem, Source};
use crate::suggest::closest;
use crate::unserved::{self, Verdict};
use crate::yaml::{self, Node};

/// Where values come from; everything that reads the world is handed in.
pub struct Sources<'a> {
    /// The command line, program name first.
    pub arguments: Vec<OsString>,
    /// The environment; only variables that begin with [`crate::PREFIX`] matter.
    pub environment: Vec<(String, String)>,
    /// Reads the options file.
    pub read_file: &'a dyn Fn(&Path) -> io::Result<String>,
    /// What the machine offers.
    pub machine: Machine,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources")
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

/// What to do after loading.
#[derive(Debug)]
pub enum Loaded {
    /// Start a node. Boxed: it is much larger than the other.
    Run(Box<Config>),
    /// Print this and leave: help or version.
    Print(String),
}

/// Reads all sources and checks everything; all problems are reported together.
///
/// # Errors
/// [`ConfigError`], whose text is for the person who starts the node.
pub fn load(sources: Sources<'_>) -> Result<Loaded, ConfigError> {
    let flags = match cli::parse(sources.arguments).map_err(ConfigError::CommandLine)? {
        Parsed::Flags(flags) => flags,
        Parsed::Print(text) => return Ok(Loaded::Print(text)),
    };
    let mut merge = Merge::default();
    let environment: Vec<(String, String)> = sources
        .environment
        .into_iter()
        .filter(|(variable, _)| variable.starts_with(crate::PREFIX))
        .collect();
    let from_environment = |name: &str| {
        environment
            .iter()
            .find(|(variable, _)| *variable == format!("{}{name}", crate::PREFIX))
    };
    let file = flags.file.clone().or_else(|| {
        ["OPTIONS_FILE", "CONFIG"]
            .into_iter()
            .find_map(from_environment)
            .map(|(_, path)| path.clone())
    });
    if let Some(path) = file {
        let unusable = |text: String| ConfigError::File {
            path: path.clone(),
            text,
        };
        let text =
            (sources.read_file)(Path::new(&path)).map_err(|error| unusable(error.to_string()))?;
        let entries = yaml::parse(&text).map_err(unusable)?;
        merge.file(&path, entries);
    }
    merge.environment(&environment);
    merge.flags(flags);
    merge
        .finish(sources.machine)
        .map(|config| Loaded::Run(Box::new(config)))
}

#[derive(Default)]
struct Merge {
    options: Options,
    sources: BTreeMap<&'static str, Source>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Merge {
    fn file(&mut self, path: &str, entries: Vec<yaml::Entry>) {
        for entry in entries {
            let source = Source::File {
                path: path.to_owned(),
                line: entry.line,
            };
            let alias = ALIASES.iter().find(|(other, _)| *other == entry.name);
            let name = alias.map_or(entry.name.as_str(), |(_, ours)| ours);
            match (spec(name), &entry.value) {
                // A name without a value is as good as none.
                (Some(_), Node::Null) => {}
                (Some(spec), value) => {
                    self.set(spec, Given::Node(value), &value.to_string(), source)
                }
                (None, value) => self.unserved(&entry.name, value, source),
            }
        }
    }

    fn environment(&mut self, variables: &[(String, String)]) {
        for (variable, value) in variables {
            let source = Source::Environment {
                variable: variable.clone(),
            };
            if let Some(spec) = TABLE.iter().find(|spec| spec.variable() == *variable) {
                self.set(spec, Given::Text(value), value, source);
            } else if !["OPTIONS_FILE", "CONFIG"]
                .iter()
                .any(|name| variable.ends_with(name))
            {
                let all: Vec<String> = TABLE.iter().map(OptionSpec::variable).collect();
                let similar = closest(variable, all.iter().map(String::as_str));
                let hint = similar
                    .map(|name| format!("; did you mean {name}?"))
                    .unwrap_or_default();
                self.warnings
                    .push(format!("{source} is no option and is ignored{hint}"));
            }
        }
    }

    fn flags(&mut self, flags: Flags) {
        let source = |name: &str| Source::CommandLine {
            flag: format!("--{}", name.replace('_', "-")),
        };
        for (name, value) in flags.values {
            if let Some(spec) = spec(name) {
                self.set(spec, Given::Text(&value), &value, source(name));
            }
        }
        for (name, value) in flags.unserved {
            self.unserved(name, &Node::Text(value), source(name));
        }
    }

    fn set(&mut self, spec: &'static OptionSpec, given: Given<'_>, shown: &str, source: Source) {
        match (spec.set)(&mut self.options, given) {
            Ok(()) => {
                self.sources.insert(spec.name, source);
            }
            Err(cure) => self.problem(spec.name, shown, source, cure),
        }
    }

    fn unserved(&mut self, name: &str, value: &Node, source: Source) {
        match unserved::judge(name, value) {
            Verdict::Ignored => {
                self.warnings.push(format!(
                    "{name} (from {source}) is not supported yet and is ignored"
                ));
            }
            Verdict::Refused { cure } => self.problem(name, &value.to_string(), source, cure),
            Verdict::Unknown { similar } => {
                let hint = similar
                    .map(|name| format!("; did you mean `{name}`?"))
                    .unwrap_or_default();
                self.problem(
                    name,
                    &value.to_string(),
                    source,
                    format!("there is no such option{hint}"),
                );
            }
        }
    }

    fn problem(&mut self, name: &str, value: &str, source: Source, cure: String) {
        self.problems.push(Problem {
            name: name.to_owned(),
            value: value.to_owned(),
            source,
            cure,
        });
    }

    fn finish(self, machine: Machine) -> Result<Config, ConfigError> {
        if !self.problems.is_empty() {
            return Err(ConfigError::Values(self.problems));
        }
        Config::new(self.options, self.sources, self.warnings, machine)
    }
}
