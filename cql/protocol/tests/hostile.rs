//! No bytes panic, and none make the decoder take more memory than they justify.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use bytes::{BufMut, BytesMut};
use cql_protocol::{
    Compression, Encoder, ErrorCode, Frame, FrameDecoder, Limits, Opcode, Peer, ProtocolError,
    Request, RequestEncoder, Response, Version,
};
use proptest::prelude::*;

fn requests(version: Version) -> Vec<BytesMut> {
    support::requests(&RequestEncoder {
        version,
        compression: None,
    })
    .into_iter()
    .map(|(_, bytes)| bytes)
    .collect()
}

fn responses(version: Version) -> Vec<BytesMut> {
    support::responses(&Encoder::new(version))
        .into_iter()
        .map(|(_, bytes)| bytes)
        .collect()
}

/// Reads everything that a request offers.
fn use_request(frame: &Frame) -> Result<(), ProtocolError> {
    match Request::decode(frame)? {
        Request::Startup(startup) => {
            startup.options.iter().count();
            startup.cql_version()?;
            startup.compression()?;
        }
        Request::Query(query) => {
            assert!(query.parameters.values.iter().count() == query.parameters.values.len())
        }
        Request::Execute(execute) => {
            let values = execute.parameters.values;
            assert_eq!(values.iter().count(), values.len());
        }
        Request::Batch(batch) => {
            assert_eq!(batch.statements().count(), batch.len());
            for statement in batch.statements() {
                assert_eq!(statement.values.iter().count(), statement.values.len());
            }
        }
        Request::Options
        | Request::Prepare(_)
        | Request::Register(_)
        | Request::AuthResponse(_) => {}
    }
    Ok(())
}

fn use_response(frame: &Frame) -> Result<(), ProtocolError> {
    if let (_, Response::Result(cql_protocol::ResultBody::Rows(rows))) = Response::decode(frame)? {
        assert_eq!(rows.cells().count(), rows.count * rows.metadata.count);
    }
    Ok(())
}

/// Every prefix of a body is an error or a shorter message, never a panic.
#[rstest::rstest]
fn truncated_bodies(#[values(Version::V3, Version::V4)] version: Version) {
    let both = [
        (Peer::Client, requests(version)),
        (Peer::Server, responses(version)),
    ];
    for (peer, messages) in both {
        for message in messages {
            let frame = support::one_frame(peer, &message);
            for end in 0..frame.body.len() {
                let cut = Frame {
                    body: frame.body.slice(..end),
                    ..frame.clone()
                };
                let outcome = match peer {
                    Peer::Client => use_request(&cut),
                    Peer::Server => use_response(&cut),
                };
                if let Err(error) = outcome {
                    assert_eq!(error.code(), ErrorCode::ProtocolError, "{error}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_messages(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        v4 in any::<bool>(),
        from_client in any::<bool>(),
    ) {
        let version = if v4 { Version::V4 } else { Version::V3 };
        let (peer, messages) = match from_client {
            true => (Peer::Client, requests(version)),
            false => (Peer::Server, responses(version)),
        };
        let mut bytes = messages[which.index(messages.len())].clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let mut decoder = FrameDecoder::new(peer, Limits::default());
        while let Ok(Some(frame)) = decoder.decode(&mut bytes) {
            let _ = match peer {
                Peer::Client => use_request(&frame),
                Peer::Server => use_response(&frame),
            };
        }
        prop_assert!(bytes.capacity() < 4 << 20);
    }

    #[test]
    fn random_bodies(opcode in 0u8..=0x10, flags in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let Some(opcode) = Opcode::from_code(opcode) else { return Ok(()) };
        for version in [Version::V3, Version::V4] {
            let frame = Frame { version, flags, stream: 0, opcode, body: body.clone().into() };
            let _ = use_request(&frame);
            let _ = use_response(&frame);
        }
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        for peer in [Peer::Client, Peer::Server] {
            let mut decoder = FrameDecoder::new(peer, Limits::default());
            decoder.set_compression(Some(Compression::Lz4));
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = decoder.decode(&mut buffer) {}
        }
    }

    /// A corrupt compressed body is an error or other bytes, never a panic, never huge.
    #[test]
    fn corrupt_compression(body in prop::collection::vec(any::<u8>(), 0..100), claimed in any::<u32>()) {
        let mut buffer = BytesMut::new();
        buffer.put_slice(&[4, 1, 0, 0, 7]);
        buffer.put_u32(u32::try_from(body.len() + 4).unwrap());
        buffer.put_u32(claimed);
        buffer.put_slice(&body);
        let mut decoder = FrameDecoder::new(Peer::Client, Limits::default());
        decoder.start();
        decoder.set_compression(Some(Compression::Lz4));
        if let Ok(Some(frame)) = decoder.decode(&mut buffer) {
            prop_assert!(frame.body.len() <= body.len() * 255 + 16);
        }
    }
}

fn header(version: u8, flags: u8, opcode: u8, length: u32) -> BytesMut {
    let mut buffer = BytesMut::new();
    buffer.put_slice(&[version, flags, 0, 9, opcode]);
    buffer.put_u32(length);
    buffer
}

fn refused(decoder: &mut FrameDecoder, mut buffer: BytesMut) -> String {
    let error = decoder.decode(&mut buffer).unwrap_err();
    assert_eq!(error.stream, 9);
    error.to_string()
}

#[test]
fn limits_come_before_memory() {
    let mut decoder = FrameDecoder::new(Peer::Client, Limits::default());
    assert_eq!(
        refused(&mut decoder, header(4, 0, 1, 100_001)),
        "Request is too big: length 100001 exceeds maximum allowed length 100000"
    );
    assert_eq!(decoder.decode(&mut header(4, 0, 1, 100_000)).unwrap(), None);
    decoder.start();
    assert_eq!(
        refused(&mut decoder, header(4, 0, 7, (256 << 20) + 1)),
        "Request is too big: length 268435457 exceeds maximum allowed length 268435456"
    );
    assert!(refused(&mut decoder, header(4, 0, 7, u32::MAX)).contains("impossible length -1"));
    let mut claims_much = header(4, 0, 7, 256 << 20);
    assert_eq!(decoder.decode(&mut claims_much).unwrap(), None);
    assert!(claims_much.capacity() < 2 << 20);

    // A small frame that claims to be huge when unpacked.
    decoder.set_compression(Some(Compression::Lz4));
    let mut bomb = header(4, 1, 7, 8);
    bomb.put_u32(200 << 20);
    bomb.put_u32(0);
    assert!(refused(&mut decoder, bomb).contains("impossible length 209715200"));
}

#[test]
fn headers_against_the_rules() {
    let mut decoder = FrameDecoder::new(Peer::Client, Limits::default());
    assert_eq!(
        refused(&mut decoder, header(4, 0, 0x55, 0)),
        "Unknown opcode 85"
    );
    assert_eq!(
        refused(&mut decoder, header(4, 0, 8, 0)),
        "Wrong protocol direction: a request is expected, got RESULT"
    );
    assert_eq!(
        refused(&mut decoder, header(0x84, 0, 7, 0)),
        "Wrong protocol direction: a request is expected, got QUERY"
    );
    assert_eq!(
        refused(&mut decoder, header(4, 1, 7, 0)),
        "A compressed frame, but no compression was agreed on in STARTUP"
    );
    assert!(decoder.decode(&mut header(4, 0, 5, 0)).unwrap().is_some());
    assert_eq!(
        refused(&mut decoder, header(3, 0, 5, 0)),
        "Invalid message version. Got 3/v3 but previous messages on this connection had version 4/v4"
    );
}

/// Bodies against the rules are refused with words, and the connection goes on.
#[rstest::rstest]
#[case(
    4,
    0x07,
    "00000001 61 0001 20 8000000000000000",
    "Out of bound timestamp"
)]
#[case(
    4,
    0x07,
    "00000001 61 0001 10 0001",
    "Must be one of SERIAL or LOCAL_SERIAL, got ONE"
)]
#[case(
    4,
    0x07,
    "00000001 61 0001 80 0002 6b73",
    "needs native protocol version 5"
)]
#[case(4, 0x07, "00000001 61 000b 00", "Unknown consistency level 11")]
#[case(
    4,
    0x07,
    "00000001 61 0001 01 0001 fffffffd",
    "value at byte 10 has the impossible length -3"
)]
#[case(
    3,
    0x07,
    "00000001 61 0001 01 0001 fffffffe",
    "Unset values need native protocol version 4"
)]
#[case(4, 0x07, "00000001 ff 0001 00", "statement at byte 4 is not UTF-8")]
#[case(
    4,
    0x07,
    "ffffffff 0001 00",
    "statement at byte 0 has the impossible length -1"
)]
#[case(
    4,
    0x07,
    "00000009 61",
    "statement at byte 4 needs 9 bytes, but only 1 are left"
)]
#[case(4, 0x0d, "03 0000 0001 00", "Unknown batch type 3")]
#[case(4, 0x0d, "00 0001 02", "Unknown kind of statement 2")]
#[case(
    4,
    0x0d,
    "00 0000 0001 40",
    "Values by name are not possible in a batch"
)]
#[case(4, 0x0b, "0001 0001 58", "Unknown event type X at byte 2")]
fn bodies_against_the_rules(
    #[case] version: u8,
    #[case] opcode: u8,
    #[case] body: &str,
    #[case] expected: &str,
) {
    let digits: Vec<u8> = body.bytes().filter(|byte| *byte != b' ').collect();
    let body: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let frame = Frame {
        version: Version::from_number(version).unwrap(),
        flags: 0,
        stream: 0,
        opcode: Opcode::from_code(opcode).unwrap(),
        body: body.into(),
    };
    let error = Request::decode(&frame).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    let invalid = expected.contains("SERIAL");
    assert_eq!(
        error.code(),
        if invalid {
            ErrorCode::Invalid
        } else {
            ErrorCode::ProtocolError
        }
    );
}

/// A payload is skipped where the version has it, and refused where it has not.
#[test]
fn custom_payload_of_requests() {
    for version in [Version::V3, Version::V4] {
        let encoder = RequestEncoder {
            version,
            compression: None,
        };
        let mut out = BytesMut::new();
        encoder.frame_with_payload(&mut out, 1, Opcode::Prepare, &[("k", b"v")], |out| {
            out.put_slice(b"\0\0\0\x01X");
        });
        let frame = support::one_frame(Peer::Client, &out);
        match (version, Request::decode(&frame)) {
            (Version::V4, Ok(Request::Prepare("X"))) => {}
            (Version::V3, Err(error)) => assert!(error.to_string().contains("CUSTOM_PAYLOAD")),
            (_, other) => panic!("{other:?}"),
        }
    }
}
