//! Turns: a connection with much to do does not keep the others of its shard waiting.

use bytes::BytesMut;
use cql_protocol::{FrameDecoder, Limits, Peer, RequestEncoder, Version};
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
    let mut decoder = FrameDecoder::new(Peer::Server, Limits::default());
    let answered = std::iter::from_fn(|| decoder.decode(&mut answers).unwrap()).count();
    drop(flooding);
    node.stop().await;
    answered
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
