//! Listening: each connection is a task with an owner, and there is an end to everything.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use node_env::{Deadline, TaskGroup};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at a time; further ones wait in the operating system's queue.
const CONNECTIONS_MAX: usize = 256;

/// How long a client may take to send the head of a request; also how long a connection may idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a request's head, and of what is buffered of an answer.
const BUFFER_BYTES: usize = 64 << 10;

/// How long requests may take that run when the node stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long to wait when the operating system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers requests until `stop` is cancelled, then lets those finish that run, for 5 s.
///
/// It belongs on a local runtime. `name` is for the log.
///
/// # Cancel safety
/// Dropping it drops all connections.
pub async fn serve(name: &str, listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = TaskGroup::new(name);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            next = next => next,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%name, %error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (router, stopping) = (router.clone(), connections.stop_token());
        let task = async move {
            connection(stream, router, stopping).await;
            drop(place);
        };
        if connections.spawn(format!("HTTP {peer}"), task).is_err() {
            break;
        }
    }
    drop(listener);
    connections.close(Deadline::after(FAREWELL)).await;
}

/// Answers the requests of one connection until the client or the node has enough.
///
/// # Cancel safety
/// Dropping it drops the connection.
async fn connection<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(BUFFER_BYTES);
    let mut conversation = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
        ended = conversation.as_mut() => ended,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection has ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use node_env::simulation::run;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";

    fn slow(delay: Duration) -> Router {
        let answer = async move || {
            tokio::time::sleep(delay).await;
            "done"
        };
        Router::new().route("/", get(answer))
    }

    /// What a client hears that sends `sent` and waits, and when the connection ends.
    fn hear(sent: &[u8], router: Router, stop_after: Duration) -> (String, Duration) {
        run(async {
            let (mut client, server) = duplex(1_024);
            let (start, stop) = (Instant::now(), CancellationToken::new());
            let stops = async {
                tokio::time::sleep(stop_after).await;
                stop.cancel();
                std::future::pending::<()>().await;
            };
            let hears = async {
                client.write_all(sent).await.unwrap();
                let mut heard = String::new();
                client.read_to_string(&mut heard).await.unwrap();
                heard
            };
            let talks = async { tokio::join!(connection(server, router, stop.clone()), hears).1 };
            let heard = tokio::select! {
                biased;
                () = stops => unreachable!("it waits for ever"),
                heard = talks => heard,
            };
            (heard, start.elapsed())
        })
    }

    #[test]
    fn a_client_that_sends_nothing_is_let_go() {
        let never = Duration::from_secs(1_000);
        for sent in [b"".as_slice(), b"GET / HTTP/1.1\r\nHost:", REQUEST] {
            let (heard, ended) = hear(sent, slow(Duration::ZERO), never);
            assert_eq!(heard.ends_with("done"), sent == REQUEST, "{heard}");
            assert_eq!(ended.as_secs(), HEAD_PATIENCE.as_secs(), "{sent:?}");
        }
    }

    #[test]
    fn a_request_that_runs_is_answered_when_the_node_stops() {
        let (heard, ended) = hear(
            REQUEST,
            slow(Duration::from_secs(3)),
            Duration::from_secs(1),
        );
        assert!(heard.ends_with("done"), "{heard}");
        assert_eq!(ended.as_secs(), 3);
    }
}
