//! Real connections, on a port that the system chooses.

use node_api::{Limits, router, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio_util::sync::CancellationToken;

use crate::fake::{FakeNode, Mood, services};

async fn say(stream: &mut TcpStream, path: &str, connection: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: {connection}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
}

async fn hear(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8(answer[..read].to_vec()).unwrap()
}

#[test]
fn connections_are_answered_and_ended() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default());
    runtime.unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = router(services(FakeNode::new(Mood::Serves)), Limits::default());
        let client = async {
            let mut kept = TcpStream::connect(address).await.unwrap();
            say(&mut kept, "/storage_service/operation_mode", "keep-alive").await;
            let answer = hear(&mut kept).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(
                answer.contains("content-type: application/json\r\n"),
                "{answer}"
            );
            assert!(answer.ends_with("\r\n\r\n\"NORMAL\""), "{answer}");

            let mut closed = TcpStream::connect(address).await.unwrap();
            say(&mut closed, "/nowhere", "close").await;
            let mut answer = String::new();
            closed.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");

            // An idle connection ends with the node, at once.
            stop.cancel();
            assert_eq!(hear(&mut kept).await, "");
        };
        tokio::join!(serve("api", listener, router, stop.clone()), client);
        assert!(TcpStream::connect(address).await.is_err());
    });
}
