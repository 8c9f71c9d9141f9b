//! Who may know whom: the table of `docs/architecture.md`, as data.

use crate::tree::{File, Tree};

/// Folder, and the crates of ours that it may name, by their workspace keys.
///
/// Every `node/*` crate above level 0 may also use [`EVERY_NODE_CRATE`].
const ALLOWED: &[(&str, &[&str])] = &[
    ("cql/types", &[]),
    ("cql/syntax", &[]),
    ("cql/schema", &["cql-types"]),
    ("cql/protocol", &["cql-types"]),
    ("cql/mutation", &["cql-schema", "cql-types"]),
    (
        "cql/plan",
        &["cql-syntax", "cql-mutation", "cql-schema", "cql-types"],
    ),
    ("backends/api", &[]),
    ("backends/memory", &["backend"]),
    ("backends/fjall", &["backend"]),
    ("schema-dsl", &[]),
    (
        "system-tables",
        &["cql-mutation", "cql-schema", "cql-types", "schema-dsl"],
    ),
    ("node/env", &["cql-types"]),
    ("node/config", &[]),
    ("node/storage", &["backend"]),
    ("node/raft", &[]),
    ("node/cluster", &["system-tables"]),
    (
        "node/replica",
        &["node-cluster", "node-storage", "system-tables"],
    ),
    (
        "node/group0",
        &["node-raft", "node-cluster", "node-replica", "system-tables"],
    ),
    ("node/coordinator", &["node-cluster", "node-replica"]),
    (
        "node/query",
        &[
            "cql-plan",
            "cql-protocol",
            "cql-syntax",
            "node-coordinator",
            "node-group0",
            "node-cluster",
            "node-replica",
        ],
    ),
];

/// What every crate of `node/` above level 0 may use.
const EVERY_NODE_CRATE: &[&str] = &["node-env", "cql-types", "cql-schema", "cql-mutation"];

/// Crates at the top: they wire everything.
const TOP: &[&str] = &["node/api", "node/server", "tests", "benches"];

/// Libraries that are named in one place only, so that they can be replaced.
const ONE_DOOR: &[(&str, &str)] = &[
    ("fjall", "backends/fjall"),
    ("lsm-tree", "backends/fjall"),
    ("raft", "node/raft"),
    ("axum", "node/api"),
    ("prometheus-client", "node/api"),
    ("lz4_flex", "cql/protocol"),
    ("moka", "node/query"),
    ("ciborium", "node/group0"),
];

/// A line of a `[dependencies]` table: the name, and whether it inherits the workspace's version.
struct Dependency<'a> {
    name: &'a str,
    line: usize,
    inherited: bool,
    dev: bool,
}

fn folder(manifest: &File) -> &str {
    manifest.path.trim_end_matches("/Cargo.toml")
}

fn dependencies(manifest: &File) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let mut table = "";
    for (index, line) in manifest.text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            table = line.trim_matches(|c| c == '[' || c == ']');
            continue;
        }
        let in_dependencies = matches!(
            table,
            "dependencies" | "build-dependencies" | "dev-dependencies"
        );
        if !in_dependencies || line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let name = key.trim().split('.').next().unwrap_or_default();
        found.push(Dependency {
            name: name.trim_matches('"'),
            line: index + 1,
            inherited: key.contains(".workspace") || value.contains("workspace = true"),
            dev: table == "dev-dependencies",
        });
    }
    found
}

fn is_ours(name: &str) -> bool {
    ["cql-", "node-", "backend", "schema-dsl", "system-tables"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || name == "messina"
}

/// Dependencies between our crates that the table does not list.
pub(crate) fn forbidden_edges(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for manifest in tree.manifests() {
        let from = folder(manifest);
        if TOP.contains(&from) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(folder, _)| *folder == from) else {
            findings.push(format!(
                "{}: a crate that the table of edges does not know; add it there and to docs/architecture.md",
                manifest.path
            ));
            continue;
        };
        let shared = from.starts_with("node/") && !matches!(from, "node/env" | "node/config");
        for dependency in dependencies(manifest) {
            let fine = !is_ours(dependency.name)
                || allowed.contains(&dependency.name)
                || (shared && EVERY_NODE_CRATE.contains(&dependency.name))
                || (dependency.dev && dependency.name == "backend-memory");
            if !fine {
                findings.push(format!(
                    "{}:{}: {from} may not know {}; move the code, or change the architecture first",
                    manifest.path, dependency.line, dependency.name
                ));
            }
        }
    }
    findings
}

/// Outside libraries named by a second crate.
pub(crate) fn leaked_libraries(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for manifest in tree.manifests() {
        for dependency in dependencies(manifest) {
            if dependency.dev || TOP[2..].contains(&folder(manifest)) {
                continue;
            }
            for (library, home) in ONE_DOOR {
                if dependency.name == *library && folder(manifest) != *home {
                    findings.push(format!(
                        "{}:{}: {library} is known to {home} only",
                        manifest.path, dependency.line
                    ));
                }
            }
        }
    }
    findings
}

/// Versions written outside of the workspace's table.
pub(crate) fn unshared_versions(tree: &Tree) -> Vec<String> {
    tree.manifests()
        .flat_map(|manifest| {
            dependencies(manifest)
                .into_iter()
                .filter(|dependency| !dependency.inherited)
                .map(|dependency| {
                    format!(
                        "{}:{}: {} has its own version; move it to [workspace.dependencies]",
                        manifest.path, dependency.line, dependency.name
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect()
}
