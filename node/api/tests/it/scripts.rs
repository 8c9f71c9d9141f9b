//! Runs `testscripts/*.txt`: requests, and word for word what is answered.
//!
//! A line `> GET /path` or `> POST /path BODY` is a request. What follows up to the next empty line or request is its
//! answer: status and body, then `~` lines with the work that the node was asked for. `! boots` and the like begin a new
//! node in that mood. With `UPDATE_GOLDEN=1` the answers are written anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use node_api::{Limits, router};
use node_env::simulation::run;
use serde::Deserialize;
use tower::ServiceExt;

use crate::fake::{FakeNode, Mood, services};

/// Sends a request and gives the answer as text: status, then body.
pub(crate) async fn ask(router: &Router, request: Request<Body>) -> String {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    format!("{status} {body}").trim_end().to_owned()
}

pub(crate) fn request(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.body(body.into()).unwrap()
}

struct Conversation {
    node: Arc<FakeNode>,
    router: Router,
    requests: BTreeSet<(String, String)>,
}

impl Conversation {
    fn new(mood: Mood) -> Self {
        let node = FakeNode::new(mood);
        let router = router(services(Arc::clone(&node)), Limits::default());
        let requests = BTreeSet::new();
        Self {
            node,
            router,
            requests,
        }
    }

    fn restart(&mut self, mood: &str) {
        let mood = match mood {
            "serves" => Mood::Serves,
            "boots" => Mood::Boots,
            "hangs" => Mood::Hangs,
            "fails" => Mood::Fails,
            other => panic!("no mood `{other}`"),
        };
        let requests = std::mem::take(&mut self.requests);
        *self = Self {
            requests,
            ..Self::new(mood)
        };
    }

    async fn say(&mut self, line: &str) -> String {
        let mut words = line.splitn(3, ' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let body = words.next().unwrap_or_default().to_owned();
        self.requests.insert((method.to_owned(), path.to_owned()));
        let mut answer = ask(&self.router, request(method, path, body)).await;
        for work in self.node.asked.lock().unwrap().drain(..) {
            write!(answer, "\n~ {work}").unwrap();
        }
        answer
    }
}

/// The script with fresh answers, and the requests in it.
async fn converse(script: &str) -> (String, BTreeSet<(String, String)>) {
    let mut conversation = Conversation::new(Mood::Serves);
    let mut fresh = String::new();
    let mut in_answer = false;
    for line in script.lines() {
        if let Some(said) = line.strip_prefix("> ") {
            let answer = conversation.say(said).await;
            write!(fresh, "{line}\n{answer}\n").unwrap();
            in_answer = true;
            continue;
        }
        in_answer &= !line.is_empty();
        if let Some(mood) = line.strip_prefix("! ") {
            conversation.restart(mood);
        }
        if !in_answer {
            writeln!(fresh, "{line}").unwrap();
        }
    }
    (fresh, conversation.requests)
}

fn scripts() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    paths
}

/// Compares a text with a file, or writes the file.
pub(crate) fn check(path: &Path, fresh: &str) {
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept != fresh && std::env::var_os("UPDATE_GOLDEN").is_some() {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test may write its golden files"
        )]
        std::fs::write(path, fresh).unwrap();
        return;
    }
    assert!(
        kept == fresh,
        "{} differs; see it with UPDATE_GOLDEN=1 and git diff:\n{fresh}",
        path.display()
    );
}

#[test]
fn answers_are_as_written() {
    for path in scripts() {
        let script = std::fs::read_to_string(&path).unwrap();
        check(&path, &run(converse(&script)).0);
    }
}

#[derive(Deserialize)]
struct Listed {
    method: String,
    path: String,
}

/// The scripts use every endpoint there is.
#[test]
fn every_endpoint_is_in_a_script() {
    run(async {
        let mut requests = BTreeSet::new();
        for path in scripts() {
            let script = std::fs::read_to_string(&path).unwrap();
            requests.append(&mut converse(&script).await.1);
        }
        let router = Conversation::new(Mood::Serves).router;
        let listing = router.oneshot(request("GET", "/api-doc/", Body::empty()));
        let listing = to_bytes(listing.await.unwrap().into_body(), 1 << 20).await;
        let axum::Json(listing) = axum::Json::<Vec<Listed>>::from_bytes(&listing.unwrap()).unwrap();
        assert!(listing.len() > 40, "{} endpoints", listing.len());
        for Listed { method, path } in listing {
            let used = requests.iter().any(|(used_method, used)| {
                *used_method == method && is_at(&path, used.split('?').next().unwrap())
            });
            assert!(used, "no script uses {method} {path}");
        }
    });
}

fn is_at(pattern: &str, path: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        let path = path.trim_end_matches('/');
        path.split('/').map(str::to_owned).collect()
    };
    let (pattern, path) = (parts(pattern), parts(path));
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(part, given)| part.starts_with('{') || part == given)
}
