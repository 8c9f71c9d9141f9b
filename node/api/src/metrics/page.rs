//! The page that Prometheus reads.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use node_env::Deadline;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use super::table::{Kind, Metric, Read, all};
use crate::error::ApiError;
use crate::operator::Operator;
use crate::rest::{HTML_HEADERS, Limits};
use crate::status::NodeStatus;

/// The type of the text, as Prometheus knows it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const INDEX: &str =
    "<!doctype html>\n<title>Messina metrics</title><p><a href=\"/metrics\">/metrics</a></p>\n";

struct Shared {
    operator: Arc<dyn Operator>,
    limits: Limits,
    places: Semaphore,
}

/// The metrics of a node at `/metrics`, to be served or called in memory.
pub fn metrics_router(operator: Arc<dyn Operator>, limits: Limits) -> Router {
    let shared = Arc::new(Shared {
        operator,
        limits,
        places: Semaphore::new(limits.concurrent),
    });
    Router::new()
        .route("/", get(async || (HTML_HEADERS, INDEX)))
        .route("/metrics", get(scrape))
        .fallback(async || ApiError::not_found("metrics are at /metrics"))
        .with_state(shared)
}

async fn scrape(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let limits = &shared.limits;
    let Ok(_place) = shared.places.try_acquire() else {
        return Err(ApiError::busy(limits.concurrent));
    };
    let status = Deadline::after(limits.answer)
        .run(shared.operator.status())
        .await
        .map_err(|_| ApiError::timeout(limits.answer))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], metrics_text(status)).into_response())
}

/// The metrics of a status as OpenMetrics text.
#[must_use]
pub fn metrics_text(status: NodeStatus) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collected { status }));
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = text::encode(&mut page, &registry);
    page
}

#[derive(Debug)]
struct Collected {
    status: NodeStatus,
}

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for metric in all() {
            let family = Family {
                metric,
                status: &self.status,
            };
            if family.is_absent() {
                continue;
            }
            let kind = family.metric_type();
            let lines = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            family.encode(lines)?;
        }
        Ok(())
    }
}

/// All samples of one metric.
struct Family<'a> {
    metric: &'a Metric,
    status: &'a NodeStatus,
}

/// A sample.
enum Value {
    Whole(u64),
    Fraction(f64),
}

impl Family<'_> {
    fn is_absent(&self) -> bool {
        match self.metric.read {
            Read::Shard(_) => self.status.shards.is_empty(),
            Read::Node(_) => false,
            Read::Fraction(read) => read(self.status).is_none(),
        }
    }

    fn write(&self, encoder: &mut MetricEncoder<'_>, value: &Value) -> Result<(), fmt::Error> {
        match (self.metric.kind, value) {
            (Kind::Counter, Value::Whole(value)) => {
                encoder.encode_counter::<NoLabelSet, _, u64>(value, None)
            }
            (Kind::Counter, Value::Fraction(value)) => {
                encoder.encode_counter::<NoLabelSet, _, u64>(value, None)
            }
            // Alike but for the type, which the descriptor has told.
            (Kind::NamedCounter | Kind::Gauge, Value::Whole(value)) => encoder.encode_gauge(value),
            (Kind::NamedCounter | Kind::Gauge, Value::Fraction(value)) => {
                encoder.encode_gauge(value)
            }
        }
    }
}

impl EncodeMetric for Family<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        match self.metric.read {
            Read::Shard(read) => {
                for shard in &self.status.shards {
                    let labels = [("shard", shard.shard)];
                    let mut line = encoder.encode_family(&labels)?;
                    self.write(&mut line, &Value::Whole(read(shard)))?;
                }
                Ok(())
            }
            Read::Node(read) => self.write(&mut encoder, &Value::Whole(read(self.status))),
            Read::Fraction(read) => match read(self.status) {
                Some(value) => self.write(&mut encoder, &Value::Fraction(value)),
                None => Ok(()),
            },
        }
    }

    fn metric_type(&self) -> MetricType {
        match self.metric.kind {
            Kind::Counter => MetricType::Counter,
            Kind::NamedCounter => MetricType::Unknown,
            Kind::Gauge => MetricType::Gauge,
        }
    }
}
