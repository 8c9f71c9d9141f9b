//! What a request may take, and who may send it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::HeaderValue;
use node_api::{Limits, metrics_router, router};
use node_env::simulation::run;
use rstest::rstest;
use tokio::time::Instant;

use crate::fake::{FakeNode, Mood, services};
use crate::scripts::{ask, request};

const LIMITS: Limits = Limits {
    answer: Duration::from_secs(10),
    work: Duration::from_secs(600),
    concurrent: 2,
    working: 1,
    body_bytes: 64 << 10,
};

fn rest(mood: Mood) -> Router {
    router(services(FakeNode::new(mood)), LIMITS)
}

fn metrics(mood: Mood) -> Router {
    metrics_router(FakeNode::new(mood), LIMITS)
}

#[rstest]
#[case::asking(rest(Mood::Hangs), "GET", "/storage_service/load", LIMITS.answer)]
#[case::page(rest(Mood::Hangs), "GET", "/", LIMITS.answer)]
#[case::work(rest(Mood::Hangs), "POST", "/storage_service/flush", LIMITS.work)]
#[case::scrape(metrics(Mood::Hangs), "GET", "/metrics", LIMITS.answer)]
fn a_request_ends_in_time(
    #[case] router: Router,
    #[case] method: &str,
    #[case] path: &str,
    #[case] patience: Duration,
) {
    run(async {
        let start = Instant::now();
        let answer = ask(&router, request(method, path, Body::empty())).await;
        assert_eq!(start.elapsed(), patience);
        let message = format!(
            "not done after {} s; what was begun goes on",
            patience.as_secs()
        );
        assert_eq!(
            answer,
            format!("504 {{\"message\":\"{message}\",\"code\":504}}")
        );
    });
}

/// Work has places of its own: whoever looks is not kept out by those who wait.
#[test]
fn places_are_bounded() {
    run(async {
        let router = rest(Mood::Hangs);
        let get = |path: &str| ask(&router, request("GET", path, Body::empty()));
        let post = || {
            ask(
                &router,
                request("POST", "/storage_service/flush", Body::empty()),
            )
        };
        let (first, second, third, mode, working, refused) = tokio::join!(
            get("/storage_service/load"),
            get("/storage_service/load"),
            get("/storage_service/load"),
            get("/storage_service/operation_mode"),
            post(),
            post(),
        );
        assert_eq!([&first[..3], &second[..3], &working[..3]], ["504"; 3]);
        assert_eq!([&third[..3], &mode[..3], &refused[..3]], ["503"; 3]);
        // Places come back, also of requests that ended by time.
        assert_eq!(
            get("/storage_service/operation_mode").await,
            "200 \"NORMAL\""
        );
    });
}

#[rstest]
#[case::allowed(64 << 10, "400")]
#[case::too_large((64 << 10) + 1, "413")]
fn bodies_are_bounded(#[case] bytes: usize, #[case] status: &str) {
    run(async {
        let path = "/v2/error_injection/injection/log_before_sync";
        let answer = ask(
            &rest(Mood::Serves),
            request("POST", path, vec![b' '; bytes]),
        )
        .await;
        assert_eq!(&answer[..3], status);
    });
}

#[rstest]
#[case::looks("GET", "/system/logger", "200")]
#[case::changes("POST", "/system/logger?level=trace", "403")]
fn pages_of_the_web_change_nothing(#[case] method: &str, #[case] path: &str, #[case] status: &str) {
    run(async {
        let mut request = request(method, path, Body::empty());
        let origin = HeaderValue::from_static("http://example.com");
        request.headers_mut().insert("Origin", origin);
        let answer = ask(&rest(Mood::Serves), request).await;
        assert_eq!(&answer[..3], status);
    });
}

#[test]
fn a_node_can_refuse_injected_errors() {
    run(async {
        let mut services = services(FakeNode::new(Mood::Serves));
        services.injections = None;
        let router = router(services, LIMITS);
        let path = "/v2/error_injection/injection";
        let answer = ask(&router, request("GET", path, Body::empty())).await;
        assert_eq!(
            answer,
            "404 {\"message\":\"this node does not take injected errors\",\"code\":404}"
        );
    });
}
