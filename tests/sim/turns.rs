//! Turns: a connection with much to do does not keep the others of its shard waiting.

use bytes::BytesMut;
use cql_protocol::{FrameDecoder, Limits, Peer, RequestEncoder, Version};
use messina_tests::client::one;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::machine::{Machine, run};

/// Requests that arrive at once.
const FLOOD: usize = 1_000;

/// Requests that a connection executes before it gives way.
const TURN: usize = 64;

/// How many of a flood of requests are answered before a request of another connection is.
async fn answered_meanwhile(flood: &[u8]) -> usize {
    let mut machine = Machine::new(1);
    let node = machine.boot(1).await.unwrap();
    let mut modest = node.connect(0).await.unwrap();
    let mut flooding = node.pipe(0, flood.len().max(1 << 20));
    flooding.write_all(flood).await.unwrap();
    modest.options().await.unwrap();

    let mut answers = BytesMut::with_capacity(1 << 20);
    flooding.read_buf(&mut answers).await.unwrap();
    let answered = frames(&mut answers);
    drop(flooding);
    node.stop().await;
    answered
}

/// How many whole frames there are.
fn frames(answers: &mut BytesMut) -> usize {
    let mut decoder = FrameDecoder::new(Peer::Server, Limits::default());
    std::iter::from_fn(|| decoder.decode(answers).unwrap()).count()
}

fn flood(of: impl Fn(&RequestEncoder, &mut BytesMut)) -> BytesMut {
    let encoder = RequestEncoder {
        version: Version::V4,
        compression: None,
    };
    let mut flood = BytesMut::new();
    for _ in 0..FLOOD {
        of(&encoder, &mut flood);
    }
    flood
}

#[test]
fn a_flood_of_requests_does_not_keep_others_waiting() {
    run(1, async {
        let flood = flood(|encoder, out| encoder.options(out, 0));
        let answered = answered_meanwhile(&flood).await;
        assert!((1..=TURN).contains(&answered), "{answered} of {FLOOD}");
    });
}

#[test]
fn a_flood_of_large_requests_does_not_either() {
    run(1, async {
        // A few of them fill what is read at once, so that one could go on reading and answering without an end.
        let long = "x".repeat(8 << 10);
        let flood = flood(|encoder, out| encoder.startup(out, 0, &[("CQL_VERSION", &long)]));
        let answered = answered_meanwhile(&flood).await;
        assert!((1..=TURN).contains(&answered), "{answered} of {FLOOD}");
    });
}

#[test]
fn a_flood_of_requests_does_not_keep_the_reads_of_its_connection_waiting() {
    run(1, async {
        let mut machine = Machine::new(1);
        let node = machine.boot(1).await.unwrap();
        let mut modest = node.connect(0).await.unwrap();
        for statement in [
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "CREATE TABLE ks.t (pk int, ck int, PRIMARY KEY (pk, ck))",
        ] {
            modest.query(statement).await.unwrap();
        }
        let encoder = RequestEncoder {
            version: Version::V4,
            compression: None,
        };
        let mut requests = BytesMut::new();
        encoder.startup(&mut requests, 0, &[("CQL_VERSION", "3.0.0")]);
        encoder.query(&mut requests, 7, "SELECT * FROM ks.t", &one());
        requests.extend_from_slice(&flood(|encoder, out| encoder.options(out, 0)));
        let mut connection = node.pipe(0, 1 << 20);
        connection.write_all(&requests).await.unwrap();

        let mut decoder = FrameDecoder::new(Peer::Server, Limits::default());
        let mut answers = BytesMut::with_capacity(1 << 20);
        let mut before = 0;
        loop {
            match decoder.decode(&mut answers).unwrap() {
                Some(frame) if frame.stream == 7 => break,
                Some(_) => before += 1,
                None => drop(connection.read_buf(&mut answers).await.unwrap()),
            }
        }
        assert!(
            (1..=2 * TURN).contains(&before),
            "{before} answers came first"
        );
        drop(connection);
        node.stop().await;
    });
}

#[test]
fn a_flood_of_requests_does_not_keep_the_node_from_stopping() {
    run(1, async {
        let mut machine = Machine::new(1);
        let node = machine.boot(1).await.unwrap();
        let mut modest = node.connect(0).await.unwrap();
        let mut connection = node.pipe(0, 1 << 20);
        let flood = flood(|encoder, out| encoder.options(out, 0));
        connection.write_all(&flood).await.unwrap();
        modest.options().await.unwrap();
        node.stop().await;
        let mut answers = Vec::new();
        connection.read_to_end(&mut answers).await.unwrap();
        let answered = frames(&mut BytesMut::from(&answers[..]));
        assert!((1..FLOOD / 2).contains(&answered), "{answered} of {FLOOD}");
    });
}
