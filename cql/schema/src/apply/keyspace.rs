//! CREATE, ALTER and DROP KEYSPACE.

use std::sync::Arc;

use super::{Work, event, replication};
use crate::change::{AlterKeyspace, CreateKeyspace, DropKeyspace, PropertyValue};
use crate::delta::{ChangeKind, ChangeTarget, Delta, Diff};
use crate::error::SchemaError;
use crate::keyspace::{Keyspace, KeyspaceKind, Tablets};
use crate::names;
use crate::options::Reader;
use crate::replication::Replication;

const KNOWN: [&str; 5] = [
    "consistency",
    "durable_writes",
    "replication",
    "storage",
    "tablets",
];

/// What the properties of a statement set.
#[derive(Default)]
struct Set {
    replication: Option<Replication>,
    durable_writes: Option<bool>,
    tablets: Option<Tablets>,
}

pub(super) fn create(create: &CreateKeyspace, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let name = create.name.as_str();
    if work.schema.keyspace(name).is_some() {
        return match create.if_not_exists {
            true => Ok(work.nothing()),
            false => Err(SchemaError::keyspace_exists(name)),
        };
    }
    names::check_keyspace(name)?;
    let set = read(&create.properties, None, work)?;
    let replication = set.replication.ok_or_else(|| {
        SchemaError::config("Missing mandatory replication strategy class").help(
            "add WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 3}",
        )
    })?;
    let mut keyspace = Keyspace::new(name, KeyspaceKind::User, replication);
    keyspace.durable_writes = set.durable_writes.unwrap_or(true);
    keyspace.tablets = set.tablets;
    let version = work.proposer.version();
    Ok(work.put_keyspace(keyspace, version))
}

pub(super) fn alter(alter: &AlterKeyspace, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let Some(before) = work.keyspace_if(&alter.name, alter.if_exists)?.cloned() else {
        return Ok(work.nothing());
    };
    let set = read(&alter.properties, Some(&before), work)?;
    let mut keyspace = Keyspace::clone(&before);
    if let Some(replication) = set.replication {
        keyspace.replication = replication;
    }
    if let Some(durable_writes) = set.durable_writes {
        keyspace.durable_writes = durable_writes;
    }
    if let Some(tablets) = set.tablets {
        if keyspace
            .tablets
            .is_some_and(|old| old.enabled != tablets.enabled)
        {
            return Err(SchemaError::invalid(
                "Cannot alter tablets: they cannot be switched on or off for an existing keyspace",
            )
            .at("tablets")
            .help("create another keyspace and copy the rows"));
        }
        keyspace.tablets = Some(tablets);
    }
    if keyspace == *before {
        return Ok(work.nothing());
    }
    let version = work.proposer.version();
    Ok(work.put_keyspace(keyspace, version))
}

pub(super) fn drop_keyspace(
    drop: &DropKeyspace,
    work: &mut Work<'_>,
) -> Result<Delta, SchemaError> {
    let Some(keyspace) = work.keyspace_if(&drop.name, drop.if_exists)?.cloned() else {
        return Ok(work.nothing());
    };
    let version = work.proposer.version();
    Ok(Delta {
        schema: work.schema.without_keyspace(&drop.name, version),
        types: keyspace
            .types
            .values()
            .map(|def| Diff::Dropped(Arc::clone(def)))
            .collect(),
        tables: keyspace
            .tables
            .values()
            .map(|table| Diff::Dropped(Arc::clone(table)))
            .collect(),
        events: vec![event(
            ChangeKind::Dropped,
            ChangeTarget::Keyspace,
            &keyspace.name,
            None,
        )],
        keyspaces: vec![Diff::Dropped(keyspace)],
        warnings: Vec::new(),
    })
}

fn read(
    properties: &[(String, PropertyValue)],
    before: Option<&Keyspace>,
    work: &Work<'_>,
) -> Result<Set, SchemaError> {
    let mut set = Set::default();
    for property in Reader::all(properties)? {
        match property.name {
            "replication" => {
                let before = before.map(|keyspace| &keyspace.replication);
                set.replication = Some(replication::read(
                    property,
                    before,
                    &work.proposer.data_centers(),
                )?);
            }
            "durable_writes" => set.durable_writes = Some(property.boolean()?),
            "tablets" => set.tablets = Some(tablets(property)?),
            "storage" => match property.map()?.get("type").map(String::as_str) {
                Some("LOCAL") => {}
                Some(_) | None => {
                    return Err(property
                        .invalid("only local storage is supported yet".to_owned())
                        .help("leave 'storage' out"));
                }
            },
            "consistency" => {
                let text = property.text()?;
                if !text.eq_ignore_ascii_case("eventual") {
                    return Err(property
                        .invalid(format!("consistency '{text}' is not supported yet"))
                        .help("write 'eventual'"));
                }
            }
            unknown => {
                return Err(property
                    .invalid(format!("Unknown property '{unknown}'"))
                    .did_you_mean(unknown, KNOWN));
            }
        }
    }
    Ok(set)
}

fn tablets(property: Reader<'_>) -> Result<Tablets, SchemaError> {
    let mut tablets = Tablets {
        enabled: true,
        initial: None,
    };
    for (key, value) in property.map()? {
        match key.as_str() {
            "enabled" => {
                tablets.enabled = match value.to_ascii_lowercase().as_str() {
                    "true" => true,
                    "false" => false,
                    _ => {
                        return Err(property.config(format!(
                            "Tablets enabled value must be true or false; found: {value}"
                        )));
                    }
                };
            }
            "initial" => {
                let initial = value
                    .trim()
                    .parse::<u32>()
                    .ok()
                    .filter(|count| *count <= MAX_INITIAL_TABLETS);
                let initial = initial.ok_or_else(|| {
                    property.config(format!(
                        "Initial tablets value should be a number from 0 to {MAX_INITIAL_TABLETS}; found: {value}"
                    ))
                })?;
                // 0 is the way to say: as the balancer thinks best.
                tablets.initial = (initial > 0).then_some(initial);
            }
            other => {
                return Err(property
                    .config(format!("Unrecognized tablets option {other}"))
                    .did_you_mean(other, ["enabled", "initial"]));
            }
        }
    }
    if let Tablets {
        enabled: false,
        initial: Some(_),
    } = tablets
    {
        return Err(
            property.config("Tablets are disabled, so 'initial' must not be set".to_owned())
        );
    }
    Ok(tablets)
}

/// More tablets than this at the start only cost memory.
const MAX_INITIAL_TABLETS: u32 = 1 << 17;
