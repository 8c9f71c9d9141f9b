//! A configuration that a node can run with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use crate::memory::{Machine, MemorySplit, default_memory};
use crate::options::{Live, OptionSpec, Options, TABLE, spec};
use crate::problem::{ConfigError, Problem, Source};
use crate::value::{Bytes, CommitlogSync};

/// Checked options and where each came from. What follows from others is answered by methods.
#[derive(Clone, Debug)]
pub struct Config {
    /// The options as given or by default.
    pub options: Options,
    /// What was ignored, for the log at start.
    pub warnings: Vec<String>,
    sources: BTreeMap<&'static str, Source>,
    machine: Machine,
}

/// A row of `system.config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigRow {
    /// The option's name.
    pub name: &'static str,
    /// `default`, `yaml`, `env` or `cli`.
    pub source: &'static str,
    /// What may be written there.
    pub kind: &'static str,
    /// The value, as it would be written; empty if it follows from other options.
    pub value: String,
}

/// An option that a new configuration has otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionChange {
    /// The option's name.
    pub name: &'static str,
    /// The value now.
    pub from: String,
    /// The value then.
    pub to: String,
    /// Whether it counts at once.
    pub live: Live,
}

impl Config {
    pub(crate) fn new(
        options: Options,
        sources: BTreeMap<&'static str, Source>,
        warnings: Vec<String>,
        machine: Machine,
    ) -> Result<Self, ConfigError> {
        let mut config = Self {
            options,
            warnings,
            sources,
            machine,
        };
        let problems = config.contradictions();
        if !problems.is_empty() {
            return Err(ConfigError::Values(problems));
        }
        config.warn();
        Ok(config)
    }

    /// Default options on a machine; for tests and tools.
    ///
    /// # Errors
    /// As [`crate::load`], if `change` makes a contradiction.
    pub fn with(machine: Machine, change: impl FnOnce(&mut Options)) -> Result<Self, ConfigError> {
        let mut options = Options::default();
        change(&mut options);
        Self::new(options, BTreeMap::new(), Vec::new(), machine)
    }

    /// Where the value of an option came from.
    #[must_use]
    pub fn source(&self, name: &str) -> Source {
        self.sources.get(name).cloned().unwrap_or(Source::Default)
    }

    /// Shards.
    #[must_use]
    pub fn shards(&self) -> u32 {
        self.options
            .smp
            .unwrap_or(self.machine.processors)
            .clamp(1, 256)
    }

    /// Bytes for memtables, caches and requests.
    #[must_use]
    pub fn memory(&self) -> Bytes {
        self.options
            .memory
            .unwrap_or_else(|| default_memory(&self.machine))
    }

    /// The memory, shared out.
    #[must_use]
    pub fn memory_split(&self) -> MemorySplit {
        MemorySplit::of(self.memory())
    }

    /// Directory of the engine's files.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        self.options
            .data_file_directories
            .clone()
            .unwrap_or_else(|| self.options.workdir.join("data"))
    }

    /// Directory of the commit log.
    #[must_use]
    pub fn commitlog_directory(&self) -> PathBuf {
        self.options
            .commitlog_directory
            .clone()
            .unwrap_or_else(|| self.options.workdir.join("commitlog"))
    }

    /// Bytes in a segment of the commit log.
    #[must_use]
    pub fn segment_bytes(&self) -> u64 {
        u64::from(self.options.commitlog_segment_size_in_mb) << 20
    }

    /// Address that other nodes are told.
    #[must_use]
    pub fn broadcast_address(&self) -> IpAddr {
        self.options
            .broadcast_address
            .unwrap_or(self.options.listen_address)
    }

    /// Address that drivers are told.
    #[must_use]
    pub fn broadcast_rpc_address(&self) -> IpAddr {
        self.options
            .broadcast_rpc_address
            .unwrap_or(self.options.rpc_address)
    }

    /// Port where drivers choose the shard.
    #[must_use]
    pub fn shard_aware_port(&self) -> Option<u16> {
        Some(self.options.native_shard_aware_transport_port).filter(|port| *port != 0)
    }

    /// Where the REST interface listens.
    #[must_use]
    pub fn api(&self) -> Option<(IpAddr, u16)> {
        let address = self
            .options
            .api_address
            .unwrap_or(self.options.listen_address);
        Some((address, self.options.api_port)).filter(|(_, port)| *port != 0)
    }

    /// Where the metrics are.
    #[must_use]
    pub fn prometheus(&self) -> Option<(IpAddr, u16)> {
        let address = self
            .options
            .prometheus_address
            .unwrap_or(self.options.listen_address);
        Some((address, self.options.prometheus_port)).filter(|(_, port)| *port != 0)
    }

    /// The rows of `system.config`, by name.
    #[must_use]
    pub fn rows(&self) -> Vec<ConfigRow> {
        let mut rows: Vec<ConfigRow> = TABLE
            .iter()
            .map(|spec| ConfigRow {
                name: spec.name,
                source: self.source(spec.name).word(),
                kind: spec.kind,
                value: (spec.get)(&self.options),
            })
            .collect();
        rows.sort_by_key(|row| row.name);
        rows
    }

    /// The value of an option as text, by name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        spec(name).map(|spec| (spec.get)(&self.options))
    }

    /// What another configuration has otherwise; those of [`Live::AtStart`] need a restart.
    #[must_use]
    pub fn changes_to(&self, new: &Self) -> Vec<OptionChange> {
        let changed = |spec: &OptionSpec| {
            let (from, to) = ((spec.get)(&self.options), (spec.get)(&new.options));
            (from != to).then_some(OptionChange {
                name: spec.name,
                from,
                to,
                live: spec.live,
            })
        };
        TABLE.iter().filter_map(changed).collect()
    }

    /// Takes over the values of another configuration that may change in a running node.
    ///
    /// # Errors
    /// As [`crate::load`], if they contradict what cannot change.
    pub fn with_live_changes(&self, new: &Self) -> Result<Self, ConfigError> {
        let (mut options, mut sources) = (self.options.clone(), self.sources.clone());
        for change in self
            .changes_to(new)
            .into_iter()
            .filter(|change| change.live == Live::Yes)
        {
            if let Some(spec) = spec(change.name) {
                let given = crate::options::Given::Text(&change.to);
                // It was the text of a value that passed before.
                drop((spec.set)(&mut options, given));
                sources.insert(spec.name, new.source(spec.name));
            }
        }
        Self::new(options, sources, new.warnings.clone(), self.machine)
    }

    fn problem(&self, name: &'static str, cure: impl Into<String>) -> Problem {
        Problem {
            name: name.to_owned(),
            value: self.value(name).unwrap_or_default(),
            source: self.source(name),
            cure: cure.into(),
        }
    }

    /// Values that are fine alone and not together.
    fn contradictions(&self) -> Vec<Problem> {
        let options = &self.options;
        let mut problems = Vec::new();
        let mut check = |fine: bool, name: &'static str, cure: &dyn Fn() -> String| {
            if !fine {
                problems.push(self.problem(name, cure()));
            }
        };
        check(!options.cluster_name.is_empty(), "cluster_name", &|| {
            "a cluster has a name".to_owned()
        });
        for (name, value) in [("dc", &options.dc), ("rack", &options.rack)] {
            check(!value.is_empty(), name, &|| "it has a name".to_owned());
        }
        check(
            options.batch_size_warn_threshold_in_kb <= options.batch_size_fail_threshold_in_kb,
            "batch_size_warn_threshold_in_kb",
            &|| "it must not be above batch_size_fail_threshold_in_kb".to_owned(),
        );
        check(
            u64::from(options.batch_size_fail_threshold_in_kb) << 10 <= self.segment_bytes() / 2,
            "batch_size_fail_threshold_in_kb",
            &|| {
                "a batch must fit into half a segment of the commit log: lower it, or raise \
                 commitlog_segment_size_in_mb"
                    .to_owned()
            },
        );
        check(
            options.tombstone_warn_threshold <= options.tombstone_failure_threshold,
            "tombstone_warn_threshold",
            &|| "it must not be above tombstone_failure_threshold".to_owned(),
        );
        check(
            options.native_transport_max_frame_size.0 <= self.memory().0 / 2,
            "native_transport_max_frame_size",
            &|| {
                format!(
                    "a frame must fit into half the memory, which is {}",
                    self.memory()
                )
            },
        );
        for (told, listens, other) in [
            (
                self.broadcast_rpc_address(),
                "rpc_address",
                "broadcast_rpc_address",
            ),
            (
                self.broadcast_address(),
                "listen_address",
                "broadcast_address",
            ),
        ] {
            check(!told.is_unspecified(), listens, &|| {
                format!("nobody can connect to it: set {other} to an address that others can reach")
            });
        }
        let own = [self.broadcast_address(), options.listen_address];
        check(
            options
                .seeds
                .0
                .iter()
                .all(|seed| own.contains(seed) || seed.is_loopback()),
            "seeds",
            &|| "a cluster has one node for now: only its own address can be a seed".to_owned(),
        );
        problems.extend(self.shared_ports());
        problems
    }

    /// Ports that two listeners want.
    fn shared_ports(&self) -> Vec<Problem> {
        let rpc = self.options.rpc_address;
        let listeners = [
            (
                "native_transport_port",
                Some((rpc, self.options.native_transport_port)),
            ),
            (
                "native_shard_aware_transport_port",
                self.shard_aware_port().map(|port| (rpc, port)),
            ),
            ("api_port", self.api()),
            ("prometheus_port", self.prometheus()),
        ];
        let mut taken: Vec<(&'static str, (IpAddr, u16))> = Vec::new();
        let mut problems = Vec::new();
        for (name, listener) in listeners {
            let Some((address, port)) = listener else {
                continue;
            };
            let clash = taken.iter().find(|(_, (other, taken_port))| {
                *taken_port == port
                    && (*other == address || other.is_unspecified() || address.is_unspecified())
            });
            if let Some((other, _)) = clash {
                problems.push(self.problem(name, format!("{other} is the same: choose another")));
            }
            taken.push((name, (address, port)));
        }
        problems
    }

    /// What is allowed and should be known.
    fn warn(&mut self) {
        let mut warnings = BTreeSet::new();
        if self.options.commitlog_sync == CommitlogSync::Periodic {
            warnings.insert(format!(
                "commitlog_sync is periodic: up to {} ms of acknowledged writes are lost when the machine fails",
                self.options.commitlog_sync_period_in_ms
            ));
        }
        if self.shards() > self.machine.processors {
            warnings.insert(format!(
                "smp is {} on {} processors: shards will wait for each other",
                self.shards(),
                self.machine.processors
            ));
        }
        if self.memory() > self.machine.memory {
            warnings.insert(format!(
                "memory is {}, more than the {} there is",
                self.memory(),
                self.machine.memory
            ));
        }
        let new: Vec<String> = warnings
            .into_iter()
            .filter(|warning| !self.warnings.contains(warning))
            .collect();
        self.warnings.extend(new);
    }
}
