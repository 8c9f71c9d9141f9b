//! `/storage_service`: who the node is, what it holds, flush and compaction.

use axum::response::Response;
use cql_types::did_you_mean;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use serde::Serialize;

use super::arguments::Arguments;
use super::endpoint::{Answered, Endpoint, Parameter, Run, done, json};
use super::gossip::Pair;
use super::router::Services;
use crate::error::ApiError;
use crate::operator::{Identity, Keyspace, KeyspaceOwner, OperatorError, Placement, Target};
use crate::status::Mode;

const TABLES: Parameter = Parameter::optional("cf", "tables, separated by commas; all if absent");

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(
        "/storage_service/release_version",
        "the version of Cassandra's dialect that drivers are told",
        Run::Now(|services, _| identity(services, |node| node.release_version)),
    ),
    Endpoint::get(
        "/storage_service/scylla_release_version",
        "the version of this program",
        Run::Now(|services, _| identity(services, |node| node.program_version)),
    ),
    Endpoint::get(
        "/storage_service/schema_version",
        "the version of the schema, a UUID",
        Run::Now(|services, _| identity(services, |node| node.schema_version)),
    ),
    Endpoint::get(
        "/storage_service/cluster_name",
        "the cluster's name",
        Run::Now(|services, _| identity(services, |node| node.cluster_name)),
    ),
    Endpoint::get(
        "/storage_service/partitioner_name",
        "how keys become tokens",
        Run::Now(|services, _| identity(services, |node| node.partitioner)),
    ),
    Endpoint::get(
        "/storage_service/hostid/local",
        "this node's id",
        Run::Now(|services, _| identity(services, |node| node.host_id)),
    ),
    Endpoint::get(
        "/storage_service/host_id",
        "address and id of every node",
        Run::Now(host_ids),
    ),
    Endpoint::get(
        "/storage_service/tokens",
        "this node's tokens, as text",
        Run::Now(|services, _| identity(services, |node| tokens(&node))),
    ),
    Endpoint::get(
        "/storage_service/tokens/{endpoint}",
        "the tokens of the node with that address",
        Run::Now(tokens_of),
    ),
    Endpoint::get(
        "/storage_service/operation_mode",
        "`STARTING`, `NORMAL`, `DRAINING` or `DRAINED`",
        Run::Now(|services, _| json(services.operator.mode().word())),
    ),
    Endpoint::get(
        "/storage_service/is_initialized",
        "whether the node has booted",
        Run::Now(|services, _| json(services.operator.mode() != Mode::Starting)),
    ),
    Endpoint::get(
        "/storage_service/is_starting",
        "whether the node boots",
        Run::Now(|services, _| json(services.operator.mode() == Mode::Starting)),
    ),
    Endpoint::get(
        "/storage_service/native_transport",
        "whether the node listens for drivers",
        Run::Now(|services, _| json(services.operator.native_transport())),
    ),
    Endpoint::get(
        "/storage_service/load",
        "bytes of the engine's files",
        Run::Soon(|services, _| load(services).map(json).boxed()),
    ),
    Endpoint::get(
        "/storage_service/metrics/load",
        "the same",
        Run::Soon(|services, _| load(services).map(json).boxed()),
    ),
    Endpoint::get(
        "/storage_service/load_map",
        "address and bytes of the engine's files of this node",
        Run::Soon(|services, _| load_map(services)),
    ),
    Endpoint::get(
        "/storage_service/keyspaces",
        "names of keyspaces",
        Run::Now(keyspaces),
    )
    .with(&[
        Parameter::optional("type", "`all`, `user` or `non_local_strategy`"),
        Parameter::optional("replication", "`all`, `vnodes` or `tablets`"),
    ]),
    Endpoint::post(
        "/storage_service/flush",
        "brings the memtables of all tables into the engine",
        Run::Work(|services, _| work(services, Work::Flush, Ok(Target::Node))),
    ),
    Endpoint::post(
        "/storage_service/keyspace_flush/{keyspace}",
        "brings the memtables of a keyspace into the engine",
        Run::Work(|services, arguments| work(services, Work::Flush, target(services, arguments))),
    )
    .with(&[TABLES]),
    Endpoint::post(
        "/storage_service/compact",
        "flushes, then merges all data on disk",
        Run::Work(|services, _| work(services, Work::Compact, Ok(Target::Node))),
    ),
    Endpoint::post(
        "/storage_service/keyspace_compaction/{keyspace}",
        "flushes a keyspace, then merges its data on disk",
        Run::Work(|services, arguments| work(services, Work::Compact, target(services, arguments))),
    )
    .with(&[TABLES]),
];

fn identity<T: Serialize>(services: &Services, part: fn(Identity) -> T) -> Answered {
    json(part(services.operator.identity()?))
}

fn host_ids(services: &Services, _: &Arguments) -> Answered {
    let endpoints = services.operator.endpoints()?;
    let pairs = endpoints.into_iter().map(|endpoint| Pair {
        key: endpoint.address.to_string(),
        value: endpoint.host_id,
    });
    json(pairs.collect::<Vec<_>>())
}

fn tokens(node: &Identity) -> Vec<String> {
    node.tokens.iter().map(i64::to_string).collect()
}

fn tokens_of(services: &Services, arguments: &Arguments) -> Answered {
    let asked = arguments.required("endpoint")?;
    let node = services.operator.identity()?;
    if node.address.to_string() != asked {
        return Err(ApiError::bad(format!(
            "the tokens of `{asked}` are not known here; this node is {}",
            node.address
        )));
    }
    json(tokens(&node))
}

fn load(services: &Services) -> impl Future<Output = u64> + Send + 'static {
    let status = services.operator.status();
    status.map(|status| status.storage.engine.disk_bytes)
}

fn load_map(services: &Services) -> BoxFuture<'static, Answered> {
    let (node, bytes) = (services.operator.identity(), load(services));
    async move {
        let key = node?.address.to_string();
        json([Pair {
            key,
            value: bytes.await,
        }])
    }
    .boxed()
}

fn keyspaces(services: &Services, arguments: &Arguments) -> Answered {
    let kept: fn(&Keyspace) -> bool = match arguments.optional("type").unwrap_or("all") {
        "all" => |_| true,
        "user" => |keyspace| keyspace.owner == KeyspaceOwner::User,
        "non_local_strategy" => |keyspace| keyspace.placement != Placement::Local,
        other => {
            return Err(ApiError::bad(format!(
                "`type` cannot be `{other}`; write all, user or non_local_strategy"
            )));
        }
    };
    let placed: fn(&Keyspace) -> bool = match arguments.optional("replication").unwrap_or("all") {
        "all" => |_| true,
        "vnodes" => |keyspace| keyspace.placement != Placement::Tablets,
        "tablets" => |keyspace| keyspace.placement == Placement::Tablets,
        other => {
            return Err(ApiError::bad(format!(
                "`replication` cannot be `{other}`; write all, vnodes or tablets"
            )));
        }
    };
    let keyspaces = services.operator.keyspaces()?.into_iter();
    let names = keyspaces.filter(|keyspace| kept(keyspace) && placed(keyspace));
    json(names.map(|keyspace| keyspace.name).collect::<Vec<_>>())
}

/// What may take minutes.
#[derive(Clone, Copy, Debug)]
enum Work {
    Flush,
    Compact,
}

fn work(
    services: &Services,
    work: Work,
    target: Result<Target, ApiError>,
) -> BoxFuture<'static, Answered> {
    let target = match target {
        Ok(target) => target,
        Err(error) => return ready(Err(error)).boxed(),
    };
    tracing::info!(?work, %target, "an operator asks for work");
    let working = match work {
        Work::Flush => services.operator.flush(target),
        Work::Compact => services.operator.compact(target),
    };
    working.map(finished).boxed()
}

fn finished(result: Result<(), OperatorError>) -> Result<Response, ApiError> {
    result?;
    done()
}

/// The keyspace in the path and the tables in `cf`, all of which exist.
fn target(services: &Services, arguments: &Arguments) -> Result<Target, ApiError> {
    let name = arguments.required("keyspace")?;
    let keyspaces = services.operator.keyspaces()?;
    let Some(keyspace) = keyspaces.iter().find(|keyspace| keyspace.name == name) else {
        let near = did_you_mean(
            name,
            keyspaces.iter().map(|keyspace| keyspace.name.as_str()),
        );
        return Err(ApiError::bad(format!(
            "there is no keyspace `{name}`{}",
            question(near)
        )));
    };
    let Some(wanted) = arguments.optional("cf") else {
        return Ok(Target::Keyspace(name.to_owned()));
    };
    let mut tables = Vec::new();
    for table in wanted.split(',').filter(|table| !table.is_empty()) {
        if !keyspace.tables.iter().any(|known| known == table) {
            let near = did_you_mean(table, keyspace.tables.iter().map(String::as_str));
            return Err(ApiError::bad(format!(
                "there is no table `{table}` in keyspace `{name}`{}",
                question(near)
            )));
        }
        tables.push(table.to_owned());
    }
    if tables.is_empty() {
        return Err(ApiError::bad(format!("`cf` names no table: `{wanted}`")));
    }
    Ok(Target::Tables {
        keyspace: name.to_owned(),
        tables,
    })
}

fn question(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
