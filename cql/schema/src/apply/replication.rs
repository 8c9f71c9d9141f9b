//! The `replication` property: strategies, factors, and the factor that stands for all data centers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::SchemaError;
use crate::options::{OptionMap, Reader};
use crate::replication::{Replication, ReplicationError};

const STRATEGIES: [&str; 3] = [
    "NetworkTopologyStrategy",
    "SimpleStrategy",
    "EverywhereStrategy",
];
const FACTOR: &str = "replication_factor";

/// Reads the property of CREATE (`before` is `None`) or ALTER.
pub(super) fn read(
    property: Reader<'_>,
    before: Option<&Replication>,
    data_centers: &[Arc<str>],
) -> Result<Replication, SchemaError> {
    let map = property.map()?;
    let class = map
        .get("class")
        .ok_or_else(|| property.config("Missing replication strategy class".to_owned()))?;
    let short = class
        .strip_prefix("org.apache.cassandra.locator.")
        .unwrap_or(class)
        .to_owned();
    match short.as_str() {
        "LocalStrategy" => Err(property.config(
            "Unable to use given strategy class: LocalStrategy is reserved for internal use."
                .to_owned(),
        )),
        "NetworkTopologyStrategy" => network_topology(property, map, before, data_centers),
        _ => {
            let pairs = map
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()));
            Replication::from_map(pairs).map_err(|error| refused(property, &error, &short))
        }
    }
}

fn refused(property: Reader<'_>, error: &ReplicationError, class: &str) -> SchemaError {
    let plain = property.config(error.to_string());
    match error {
        ReplicationError::UnknownClass(_) => plain.did_you_mean(class, STRATEGIES),
        ReplicationError::UnknownOption { key, .. } => plain.did_you_mean(key, [FACTOR]),
        ReplicationError::NoFactor => plain.help("such as 'replication_factor': 3"),
        ReplicationError::NoClass | ReplicationError::BadFactor { .. } => plain,
    }
}

/// `replication_factor` gives a factor to every data center that has none: not written in this
/// statement and, in ALTER, not set before. A data center with 0 copies is left out.
fn network_topology(
    property: Reader<'_>,
    mut map: OptionMap,
    before: Option<&Replication>,
    data_centers: &[Arc<str>],
) -> Result<Replication, SchemaError> {
    map.remove("class");
    let mut default = map.remove(FACTOR);
    if let Some(key) = map
        .keys()
        .find(|key| !data_centers.iter().any(|dc| **dc == ***key))
    {
        let already = matches!(before, Some(Replication::NetworkTopology { per_dc }) if per_dc.contains_key(key.as_str()));
        // A data center that lost its last node may still be named, to take it out.
        if !already {
            return Err(property
                .config(format!(
                    "Unrecognized strategy option {{{key}}} passed to NetworkTopologyStrategy"
                ))
                .did_you_mean(key, data_centers.iter().map(|dc| &**dc).chain([FACTOR]))
                .at(key));
        }
    }
    match before {
        Some(Replication::Simple { rf }) if default.is_none() && map.is_empty() => {
            default = Some(rf.to_string());
        }
        Some(Replication::NetworkTopology { per_dc }) if default.is_some() => {
            for (dc, rf) in per_dc {
                map.entry(dc.to_string()).or_insert_with(|| rf.to_string());
            }
        }
        Some(_) | None => {}
    }
    if let Some(factor) = default {
        for dc in data_centers {
            map.entry(dc.to_string()).or_insert_with(|| factor.clone());
        }
    }
    map.insert("class".to_owned(), "NetworkTopologyStrategy".to_owned());
    let pairs = map
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let read = Replication::from_map(pairs)
        .map_err(|error| refused(property, &error, "NetworkTopologyStrategy"))?;
    let Replication::NetworkTopology { per_dc } = read else {
        return Ok(read);
    };
    let per_dc: BTreeMap<_, _> = per_dc.into_iter().filter(|(_, rf)| *rf > 0).collect();
    if per_dc.is_empty() {
        return Err(property
            .config("Configuration for at least one datacenter must be present".to_owned())
            .help("such as 'replication_factor': 3"));
    }
    Ok(Replication::NetworkTopology { per_dc })
}
