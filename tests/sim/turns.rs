//! Turns: a connection with much to do does not keep the others of its shard waiting.

use bytes::BytesMut;
use cql_protocol::{FrameDecoder, Limits, Peer, RequestEncoder, Version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::machine::{Machine, run};

/// Requests that arrive at once.
const FLOOD: usize = 1_000;

#[test]
fn a_flood_of_requests_does_not_keep_others_waiting() {
    run(1, async {
        let mut machine = Machine::new(1);
        let node = machine.boot(1).await.unwrap();
        let mut modest = node.connect(0).await.unwrap();
        let mut flooding = node.pipe(0, 1 << 20);
        let encoder = RequestEncoder {
            version: Version::V4,
            compression: None,
        };
        let mut flood = BytesMut::new();
        for _ in 0..FLOOD {
            encoder.options(&mut flood, 0);
        }
        flooding.write_all(&flood).await.unwrap();
        modest.options().await.unwrap();

        let mut answers = BytesMut::with_capacity(1 << 20);
        flooding.read_buf(&mut answers).await.unwrap();
        let mut decoder = FrameDecoder::new(Peer::Server, Limits::default());
        let answered = std::iter::from_fn(|| decoder.decode(&mut answers).unwrap()).count();
        assert!((1..FLOOD / 2).contains(&answered), "{answered} of {FLOOD}");
        drop(flooding);
        node.stop().await;
    });
}
