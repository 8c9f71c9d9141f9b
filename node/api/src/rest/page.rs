//! The status page: one page of HTML without scripts, and the same as JSON.

use std::fmt::{Display, Write};

use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::arguments::Arguments;
use super::endpoint::{Answered, Endpoint, Run, json};
use super::router::Services;
use crate::operator::{Identity, Keyspace, KeyspaceOwner, OperatorError};
use crate::status::{EngineHealth, Group0State, NodeStatus};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get("/", "the status page", Run::Soon(status_page)),
    Endpoint::get(
        "/messina/status",
        "everything on the status page and more, as JSON",
        Run::Soon(|services, _| services.operator.status().map(json).boxed()),
    ),
];

/// Headers of a page that runs nothing and loads nothing.
pub(crate) const HTML_HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (CACHE_CONTROL, "no-store"),
];

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.6em}table{border-collapse:collapse}\
td,th{padding:.15em 1em .15em 0;text-align:left;vertical-align:top}th{font-weight:600;color:#555}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#b00020;font-weight:600}";

fn status_page(services: &Services, _: &Arguments) -> BoxFuture<'static, Answered> {
    let identity = services.operator.identity();
    let keyspaces = services.operator.keyspaces();
    let status = services.operator.status();
    async move {
        let html = render(&status.await, identity, keyspaces);
        Ok((HTML_HEADERS, html).into_response())
    }
    .boxed()
}

fn render(
    status: &NodeStatus,
    identity: Result<Identity, OperatorError>,
    keyspaces: Result<Vec<Keyspace>, OperatorError>,
) -> String {
    let mut page = Page::new();
    page.node(status, &identity);
    page.troubles(status);
    page.shards(status);
    page.storage(status);
    page.keyspaces(keyspaces);
    page.finish()
}

/// A page as it grows. Text from outside goes in escaped.
struct Page {
    html: String,
}

impl Page {
    fn new() -> Self {
        let html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Messina</title>\
             <style>{STYLE}</style></head><body>\n"
        );
        Self { html }
    }

    fn finish(mut self) -> String {
        self.html.push_str(
            "<p><a href=\"/messina/status\">All numbers as JSON</a>, \
             <a href=\"/api-doc/\">all endpoints</a>, <a href=\"/v2/config\">all options</a>.</p>\n</body></html>\n",
        );
        self.html
    }

    fn node(&mut self, status: &NodeStatus, identity: &Result<Identity, OperatorError>) {
        let name = identity.as_ref().map_or("", |node| &node.cluster_name);
        self.heading("h1", format_args!("Messina {name}"));
        self.html.push_str("<table>\n");
        self.fact("State", status.mode.word());
        self.fact("Up for", duration(status.uptime_ms));
        match identity {
            Ok(node) => {
                self.fact("Version", &node.program_version);
                self.fact(
                    "Drivers connect to",
                    format_args!("{}, port {}", node.native.0, node.native.1),
                );
                self.fact("Host id", &node.host_id);
                self.fact("Schema version", &node.schema_version);
            }
            Err(error) => self.fact("Not known yet", error),
        }
        if let Some(resident) = status.process.resident_bytes {
            self.fact("Memory", bytes(resident));
        }
        if let Some(seconds) = status.process.cpu_seconds {
            self.fact("Processor time", format_args!("{seconds:.1} s"));
        }
        self.html.push_str("</table>\n");
    }

    /// What an operator has to do something about.
    fn troubles(&mut self, status: &NodeStatus) {
        match &status.storage.engine.health {
            EngineHealth::Ok => {}
            EngineHealth::ReadOnly { reason } => self.trouble(format_args!(
                "The engine cannot write, reads go on, and it tries again: {reason}"
            )),
            EngineHealth::Failed { reason } => {
                self.trouble(format_args!(
                    "The engine has failed, restart the node: {reason}"
                ));
            }
        }
        for shard in &status.shards {
            if let Some(failure) = &shard.store.failure {
                self.trouble(format_args!(
                    "Shard {} takes no writes until a restart: {failure}",
                    shard.shard
                ));
            }
        }
        if let Some(failure) = &status.local_store.failure {
            self.trouble(format_args!(
                "The node's own tables take no writes until a restart: {failure}"
            ));
        }
        if status.schema.group0 == Group0State::Stopped {
            self.trouble("The schema cannot change until a restart");
        }
    }

    fn shards(&mut self, status: &NodeStatus) {
        self.heading("h2", "Shards");
        self.header(&[
            "shard",
            "tablets",
            "connections",
            "requests",
            "errors",
            "writes",
            "partitions changed",
            "reads",
            "rows read",
            "memtables",
            "log",
            "log position",
            "durable",
        ]);
        for shard in &status.shards {
            let (requests, store) = (&shard.requests, &shard.store);
            self.row(&[
                &shard.shard,
                &shard.tablets,
                &requests.connections,
                &requests.requests,
                &requests.errors,
                &store.writes,
                &store.mutations,
                &store.reads,
                &store.rows_visited,
                &bytes(store.memtable_bytes),
                &bytes(store.log.disk_bytes),
                &store.log.accepted_position,
                &store.log.durable_position,
            ]);
        }
        self.html.push_str("</table>\n");
    }

    fn storage(&mut self, status: &NodeStatus) {
        let (engine, merger) = (&status.storage.engine, &status.storage.merger);
        self.heading("h2", "Storage");
        self.html.push_str("<table>\n");
        self.fact(
            "On disk",
            format_args!(
                "{} in {} files, {} sorted runs",
                bytes(engine.disk_bytes),
                engine.files,
                engine.runs
            ),
        );
        self.fact("Cache", bytes(engine.cache_bytes));
        self.fact("Filters and indexes", bytes(engine.pinned_bytes));
        self.fact("Rows flushed", merger.rows_merged);
        self.fact("Compactions", engine.compactions);
        self.fact("Frames replayed at start", status.storage.replay.frames);
        self.fact("Prepared statements", status.statements.prepared);
        self.html.push_str("</table>\n");
    }

    fn keyspaces(&mut self, keyspaces: Result<Vec<Keyspace>, OperatorError>) {
        self.heading("h2", "Keyspaces");
        let keyspaces = keyspaces.unwrap_or_default().into_iter();
        let mut own = keyspaces
            .filter(|keyspace| keyspace.owner == KeyspaceOwner::User)
            .peekable();
        if own.peek().is_none() {
            self.html.push_str("<p>None yet.</p>\n");
            return;
        }
        self.html.push_str("<table>\n");
        for keyspace in own {
            self.fact(&keyspace.name, keyspace.tables.join(", "));
        }
        self.html.push_str("</table>\n");
    }

    fn heading(&mut self, tag: &str, text: impl Display) {
        let text = escape(text);
        self.put(format_args!("<{tag}>{text}</{tag}>\n"));
    }

    fn trouble(&mut self, text: impl Display) {
        let text = escape(text);
        self.put(format_args!("<p class=\"bad\">{text}</p>\n"));
    }

    fn fact(&mut self, name: &str, value: impl Display) {
        let (name, value) = (escape(name), escape(value));
        self.put(format_args!("<tr><th>{name}</th><td>{value}</td></tr>\n"));
    }

    fn header(&mut self, names: &[&str]) {
        self.html.push_str("<table>\n<tr>");
        for name in names {
            self.put(format_args!("<th class=\"n\">{name}</th>"));
        }
        self.html.push_str("</tr>\n");
    }

    fn row(&mut self, cells: &[&dyn Display]) {
        self.html.push_str("<tr>");
        for cell in cells {
            let cell = escape(cell);
            self.put(format_args!("<td class=\"n\">{cell}</td>"));
        }
        self.html.push_str("</tr>\n");
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.html.write_fmt(text);
    }
}

fn escape(text: impl Display) -> String {
    let mut escaped = String::new();
    for letter in text.to_string().chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Bytes for readers: `512 B`, `1.5 MiB`.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1_024 {
        return format!("{count} B");
    }
    let mut tenths = count.saturating_mul(10) / 1_024;
    let mut unit = "KiB";
    for larger in UNITS.into_iter().skip(1) {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1_024, larger);
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// A time for readers: `3 d 4 h`, `5 m 6 s`.
fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (1.., _, _) => format!("{days} d {} h", hours % 24),
        (0, 1.., _) => format!("{hours} h {} m", minutes % 60),
        (0, 0, 1..) => format!("{minutes} m {} s", seconds % 60),
        (0, 0, 0) => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_readers() {
        let shown = [0, 1_023, 1_024, 1_536, 1 << 20, 5 << 40, u64::MAX].map(bytes);
        let expected = ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "5.0 TiB"];
        assert_eq!(shown[..6], expected);
        let shown = [999, 61_000, 3_660_000, 180_000_000].map(duration);
        assert_eq!(shown, ["0 s", "1 m 1 s", "1 h 1 m", "2 d 2 h"]);
    }

    #[test]
    fn text_from_outside_is_escaped() {
        assert_eq!(
            escape("<a href=\"x\">&'"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"
        );
    }
}
