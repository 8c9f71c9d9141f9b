//! The text that Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use axum::body::Body;
use node_api::{Limits, NodeStatus, ProcessStatus, metrics_router, metrics_text};
use node_env::simulation::run;
use tower::ServiceExt;

use crate::fake::{FakeNode, Mood, status};
use crate::scripts::{ask, check, request};

/// Samples by name and labels, after checking what the format wants.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut families = BTreeSet::new();
    let (mut family, mut kind) = (String::new(), String::new());
    let body = text.strip_suffix("# EOF\n").unwrap();
    for line in body.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap().to_owned();
            assert!(families.insert(family.clone()), "{family} stands twice");
            continue;
        }
        if let Some(named) = line.strip_prefix("# TYPE ") {
            let (name, named_kind) = named.split_once(' ').unwrap();
            assert_eq!(name, family);
            kind = named_kind.to_owned();
            continue;
        }
        let (sample, value) = line.split_once(' ').unwrap();
        let name = sample.split('{').next().unwrap();
        let expected = match kind.as_str() {
            "counter" => format!("{family}_total"),
            "gauge" | "unknown" => family.clone(),
            other => panic!("{family} has the type {other}"),
        };
        assert_eq!(name, expected);
        assert!(
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        );
        let before = samples.insert(sample.to_owned(), value.parse().unwrap());
        assert_eq!(before, None, "{sample} stands twice");
    }
    samples
}

#[test]
fn every_number_has_its_line() {
    let text = metrics_text(status());
    parse(&text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts/metrics.prom");
    check(&path, &text);
}

#[test]
fn each_shard_has_its_own_line() {
    let samples = parse(&metrics_text(status()));
    let of = |name: &str, shard: u32| samples[&format!("{name}{{shard=\"{shard}\"}}")];
    for (shard, expected) in status().shards.iter().zip(0..) {
        assert_eq!(shard.shard, expected);
        assert_eq!(
            of("messina_mutations_total", expected),
            shard.store.mutations as f64
        );
        assert_eq!(
            of("scylla_transport_cql_requests_count", expected),
            shard.requests.requests as f64
        );
    }
}

#[test]
fn what_is_unknown_is_absent() {
    let unknown = NodeStatus {
        shards: Vec::new(),
        process: ProcessStatus::default(),
        ..status()
    };
    let samples = parse(&metrics_text(unknown));
    assert!(
        samples
            .keys()
            .all(|name| !name.contains("shard=") && !name.starts_with("process_"))
    );
}

#[test]
fn metrics_are_served_with_their_type() {
    run(async {
        let router = metrics_router(FakeNode::new(Mood::Boots), Limits::default());
        let page = router
            .clone()
            .oneshot(request("GET", "/metrics", Body::empty()));
        let kind = page.await.unwrap().headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            kind,
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        let index = ask(&router, request("GET", "/", Body::empty())).await;
        assert!(index.starts_with("200 <!doctype html>"));
        let elsewhere = ask(&router, request("GET", "/metric", Body::empty())).await;
        assert_eq!(
            elsewhere,
            "404 {\"message\":\"metrics are at /metrics\",\"code\":404}"
        );
        let text = ask(&router, request("GET", "/metrics", Body::empty())).await;
        let text = format!("{}\n", text.strip_prefix("200 ").unwrap());
        assert_eq!(parse(&text)["scylla_node_operation_mode"], 1.0);
    });
}
