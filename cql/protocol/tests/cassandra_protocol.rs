//! The `cassandra-protocol` crate reads what we write, and writes the same bytes again; we read what
//! it writes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use bytes::BytesMut;
use cassandra_protocol::compression::Compression as TheirCompression;
use cassandra_protocol::consistency::Consistency as TheirConsistency;
use cassandra_protocol::frame::message_batch::{
    BatchQuery, BatchQuerySubj, BatchType, BodyReqBatch,
};
use cassandra_protocol::frame::message_error::{ErrorBody as TheirError, ErrorType};
use cassandra_protocol::frame::message_query::BodyReqQuery;
use cassandra_protocol::frame::message_request::RequestBody;
use cassandra_protocol::frame::message_response::ResponseBody;
use cassandra_protocol::frame::message_result::ResResultBody;
use cassandra_protocol::frame::{Direction, Envelope, Flags, Serialize, Version as TheirVersion};
use cassandra_protocol::query::{QueryParams, QueryValues};
use cassandra_protocol::types::value::Value;
use cassandra_protocol::types::{CBytes, CBytesShort};
use cql_protocol::{
    BatchKind, Compression, Consistency, Encoder, FrameDecoder, Limits, Peer, Request,
    RequestEncoder, Response, SerialConsistency, StatementSource, ValueRef, Version,
};

const VERSIONS: [(Version, TheirVersion); 2] = [
    (Version::V3, TheirVersion::V3),
    (Version::V4, TheirVersion::V4),
];

fn envelope(bytes: &BytesMut, compression: TheirCompression) -> Envelope {
    let parsed = Envelope::from_buffer(bytes, compression).unwrap();
    assert_eq!(parsed.envelope_len, bytes.len());
    parsed.envelope
}

#[test]
fn it_reads_our_responses() {
    for (version, theirs) in VERSIONS {
        for (name, bytes) in support::responses(&Encoder::new(version)) {
            let envelope = envelope(&bytes, TheirCompression::None);
            assert_eq!(
                (envelope.version, envelope.direction),
                (theirs, Direction::Response)
            );
            // A code that it does not know, and a field of version 5 that it expects in all versions.
            let is_unknown = name.contains("CdcWriteFailure") && version == Version::V4;
            if is_unknown || name.contains("CasWriteUnknown") {
                continue;
            }
            let body = envelope
                .response_body()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let again = match &body {
                // It writes the partition key of version 4 always, and asserts on empty metadata.
                ResponseBody::Result(ResResultBody::Prepared(_)) if version == Version::V3 => {
                    continue;
                }
                ResponseBody::Result(result) => result.serialize_to_vec(theirs),
                ResponseBody::Error(error) => error.serialize_to_vec(theirs),
                ResponseBody::Event(event) => event.serialize_to_vec(theirs),
                ResponseBody::AuthSuccess(token) => token.serialize_to_vec(theirs),
                ResponseBody::AuthChallenge(token) => token.serialize_to_vec(theirs),
                ResponseBody::Authenticate(class) => class.serialize_to_vec(theirs),
                ResponseBody::Supported(_) | ResponseBody::Ready => continue,
                other => panic!("{other:?}"),
            };
            assert_eq!(support::hex(&again), support::hex(&envelope.body), "{name}");
            let warned =
                version == Version::V4 && ["rows", "rows with more pages"].contains(&name.as_str());
            assert_eq!(
                envelope.warnings,
                if warned {
                    vec!["careful".to_owned()]
                } else {
                    vec![]
                }
            );
        }
    }
}

#[test]
fn it_reads_our_requests() {
    for (version, theirs) in VERSIONS {
        for (name, bytes) in support::requests(&RequestEncoder {
            version,
            compression: None,
        }) {
            let envelope = envelope(&bytes, TheirCompression::None);
            let body = envelope
                .request_body()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            if let RequestBody::Startup(startup) = &body {
                assert_eq!(
                    (startup.map["CQL_VERSION"].as_str(), startup.map.len()),
                    ("3.0.0", 2)
                );
                continue;
            }
            let mut again = body.serialize_to_vec(theirs);
            match name.as_str() {
                // Its values by name are in no order.
                "query with names" => {
                    again.sort_unstable();
                    let mut ours = envelope.body.clone();
                    ours.sort_unstable();
                    assert_eq!(again, ours);
                    continue;
                }
                // It has no place for "skip metadata".
                "query with all" => again[4 + "SELECT ?".len() + 2] |= 2,
                "execute with all" => again[2 + 16 + 2] |= 2,
                _ => {}
            }
            assert_eq!(support::hex(&again), support::hex(&envelope.body), "{name}");
        }
    }
}

fn ours(bytes: &[u8], compression: Option<Compression>) -> cql_protocol::Frame {
    let mut decoder = FrameDecoder::new(Peer::Client, Limits::default());
    decoder.start();
    decoder.set_compression(compression);
    decoder.decode(&mut BytesMut::from(bytes)).unwrap().unwrap()
}

#[test]
fn we_read_its_requests() {
    for (version, theirs) in VERSIONS {
        let values = QueryValues::SimpleValues(vec![
            Value::Some(vec![1, 2]),
            Value::Null,
            Value::Some(vec![]),
        ]);
        let params = QueryParams {
            consistency: TheirConsistency::Quorum,
            with_names: false,
            values: Some(values.clone()),
            page_size: Some(100),
            paging_state: Some(CBytes::new(b"state".to_vec())),
            serial_consistency: Some(TheirConsistency::LocalSerial),
            timestamp: Some(-7),
            keyspace: None,
            now_in_seconds: None,
        };
        let body = BodyReqQuery {
            query: "SELECT 1".to_owned(),
            query_params: params,
        };
        let query = Envelope::new_query(body, Flags::TRACING, theirs);
        for compression in [TheirCompression::None, TheirCompression::Lz4] {
            let bytes = query.encode_with(compression).unwrap();
            let frame = ours(
                &bytes,
                compression.is_compressed().then_some(Compression::Lz4),
            );
            assert!(frame.wants_tracing());
            assert_eq!(frame.version, version);
            let Request::Query(found) = Request::decode(&frame).unwrap() else {
                panic!("not a query")
            };
            assert_eq!(found.text, "SELECT 1");
            let parameters = found.parameters;
            assert_eq!(parameters.consistency, Consistency::Quorum);
            assert_eq!(
                parameters.serial_consistency,
                Some(SerialConsistency::LocalSerial)
            );
            assert_eq!(
                (parameters.page_size, parameters.timestamp),
                (Some(100), Some(-7))
            );
            assert_eq!(parameters.paging_state, Some(&b"state"[..]));
            let values: Vec<ValueRef<'_>> =
                parameters.values.iter().map(|(_, value)| value).collect();
            assert_eq!(
                values,
                [
                    ValueRef::Bytes(&[1, 2]),
                    ValueRef::Null,
                    ValueRef::Bytes(&[])
                ]
            );
        }

        let batch = BodyReqBatch {
            batch_type: BatchType::Counter,
            queries: vec![
                BatchQuery::new(
                    BatchQuerySubj::QueryString("one".to_owned()),
                    QueryValues::SimpleValues(vec![]),
                ),
                BatchQuery::new(
                    BatchQuerySubj::PreparedId(CBytesShort::new(vec![9; 16])),
                    values,
                ),
            ],
            consistency: TheirConsistency::EachQuorum,
            serial_consistency: None,
            timestamp: Some(1),
            keyspace: None,
            now_in_seconds: None,
        };
        let bytes = Envelope::new_req_batch(batch, Flags::empty(), theirs)
            .encode_with(TheirCompression::None)
            .unwrap();
        let frame = ours(&bytes, None);
        let Request::Batch(found) = Request::decode(&frame).unwrap() else {
            panic!("not a batch")
        };
        assert_eq!(
            (found.kind, found.consistency),
            (BatchKind::Counter, Consistency::EachQuorum)
        );
        assert_eq!((found.serial_consistency, found.timestamp), (None, Some(1)));
        let sources: Vec<_> = found
            .statements()
            .map(|statement| (statement.source, statement.values.len()))
            .collect();
        assert_eq!(
            sources,
            [
                (StatementSource::Text("one"), 0),
                (StatementSource::Prepared(&[9; 16]), 3)
            ]
        );
    }
}

#[test]
fn we_read_its_errors() {
    let error = TheirError {
        message: "gone".to_owned(),
        ty: ErrorType::Overloaded,
    };
    let body = error.serialize_to_vec(TheirVersion::V4);
    let bytes = Envelope::new(
        TheirVersion::V4,
        Direction::Response,
        Flags::WARNING,
        cassandra_protocol::frame::Opcode::Error,
        3,
        body,
        None,
        vec!["w".to_owned()],
    )
    .encode_with(TheirCompression::None)
    .unwrap();
    let frame = support::one_frame(Peer::Server, &BytesMut::from(&bytes[..]));
    let (prelude, Response::Error(found)) = Response::decode(&frame).unwrap() else {
        panic!("not an error")
    };
    assert_eq!(prelude.warnings, ["w"]);
    assert_eq!(
        found,
        cql_protocol::ErrorBody::new(cql_protocol::ErrorKind::Overloaded, "gone")
    );
}

/// What we compress it unpacks.
#[test]
fn compressed_rows() {
    let encoder = Encoder {
        compression: Some(Compression::Lz4),
        ..Encoder::new(Version::V4)
    };
    let plain = support::responses(&Encoder::new(Version::V4));
    let mut compressed = 0;
    for ((name, bytes), (_, plain)) in support::responses(&encoder).into_iter().zip(plain) {
        compressed += usize::from(bytes[1] & 1 == 1);
        let unpacked = envelope(&bytes, TheirCompression::Lz4);
        assert_eq!(
            unpacked.body,
            envelope(&plain, TheirCompression::None).body,
            "{name}"
        );
    }
    assert!(compressed >= 3);
}

/// Drivers step down when they see these words.
#[test]
fn it_understands_why_version_5_is_refused() {
    let mut hello = BytesMut::from(&[5, 0, 0, 1, 5, 0, 0, 0, 0][..]);
    let error = FrameDecoder::new(Peer::Client, Limits::default())
        .decode(&mut hello)
        .unwrap_err();
    let mut out = BytesMut::new();
    Encoder::refuse(&mut out, &error);
    let ResponseBody::Error(error) = envelope(&out, TheirCompression::None)
        .response_body()
        .unwrap()
    else {
        panic!("not an error");
    };
    assert!(error.is_bad_protocol());
}
