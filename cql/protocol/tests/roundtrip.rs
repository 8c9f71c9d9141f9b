//! What is encoded decodes to the same, for every message and both versions.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use bytes::BytesMut;
use cql_protocol::{
    BatchKind, ColumnSpec, ColumnsMetadata, Compression, Consistency, Encoder, ErrorKind,
    EventType, Extensions, FrameDecoder, Head, Limits, OutgoingBatch, OutgoingBatchStatement,
    OutgoingParameters, OutgoingValues, Peer, Prepared, Request, RequestEncoder, Response,
    ResultBody, RowsMetadata, SerialConsistency, StatementSource, ValueRef, Version, WriteType,
};
use cql_types::Uuid;
use proptest::prelude::*;
use support::{all_types, columns, errors, events, one_frame, schema_changes};

const VERSIONS: [Version; 2] = [Version::V3, Version::V4];

fn response(write: impl FnOnce(&mut BytesMut)) -> Response {
    let mut out = BytesMut::new();
    write(&mut out);
    Response::decode(&one_frame(Peer::Server, &out)).unwrap().1
}

#[rstest::rstest]
fn small_responses(#[values(Version::V3, Version::V4)] version: Version) {
    let encoder = Encoder::new(version);
    assert_eq!(response(|out| encoder.ready(out, 1)), Response::Ready);
    assert_eq!(
        response(|out| encoder.authenticate(out, 1, "x.Y")),
        Response::Authenticate("x.Y".to_owned())
    );
    assert_eq!(
        response(|out| encoder.auth_challenge(out, 1, b"a")),
        Response::AuthChallenge(Some(b"a".to_vec()))
    );
    assert_eq!(
        response(|out| encoder.auth_success(out, 1, None)),
        Response::AuthSuccess(None)
    );
    let supported = vec![("COMPRESSION".to_owned(), vec!["lz4".to_owned()])];
    assert_eq!(
        response(|out| encoder.supported(out, 1, &[("COMPRESSION", &["lz4"])])),
        Response::Supported(supported)
    );
    assert_eq!(
        response(|out| encoder.void(out, 1)),
        Response::Result(ResultBody::Void)
    );
    assert_eq!(
        response(|out| encoder.set_keyspace(out, 1, "K")),
        Response::Result(ResultBody::SetKeyspace("K".to_owned()))
    );
    for change in schema_changes() {
        assert_eq!(
            response(|out| encoder.schema_change(out, 1, &change)),
            Response::Result(ResultBody::SchemaChange(change.clone()))
        );
    }
    for event in events() {
        assert_eq!(
            response(|out| encoder.event(out, &event)),
            Response::Event(event.clone())
        );
    }
}

#[test]
fn errors_keep_their_fields() {
    let extensions = Extensions {
        rate_limit_error: true,
        lwt_mark: false,
    };
    let encoder = Encoder {
        extensions,
        ..Encoder::new(Version::V4)
    };
    for error in errors() {
        let Response::Error(found) = response(|out| encoder.error(out, 1, &error)) else {
            panic!("not an error");
        };
        match error.kind {
            ErrorKind::CasWriteUnknown { .. } => assert!(matches!(
                found.kind,
                ErrorKind::WriteTimeout {
                    write_type: WriteType::Cas,
                    received: 1,
                    block_for: 2,
                    ..
                }
            )),
            _ => assert_eq!(found, error),
        }
    }
}

/// Clients that know less are told something that they know.
#[test]
fn errors_step_down() {
    let encoder = Encoder::new(Version::V3);
    for error in errors() {
        let Response::Error(found) = response(|out| encoder.error(out, 1, &error)) else {
            panic!("not an error");
        };
        assert_eq!(found.message, error.message);
        let same = found.kind == error.kind;
        match error.kind {
            ErrorKind::ReadFailure { .. } => {
                assert!(matches!(
                    found.kind,
                    ErrorKind::ReadTimeout {
                        received: 1,
                        block_for: 2,
                        ..
                    }
                ));
            }
            ErrorKind::WriteFailure { .. } => {
                assert!(matches!(
                    found.kind,
                    ErrorKind::WriteTimeout {
                        write_type: WriteType::Simple,
                        ..
                    }
                ));
            }
            ErrorKind::CasWriteUnknown { .. } => {
                assert!(matches!(
                    found.kind,
                    ErrorKind::WriteTimeout {
                        write_type: WriteType::Cas,
                        ..
                    }
                ));
            }
            ErrorKind::FunctionFailure { .. } | ErrorKind::CdcWriteFailure => {
                assert_eq!(found.kind, ErrorKind::Invalid);
            }
            ErrorKind::RateLimitError { .. } => assert_eq!(found.kind, ErrorKind::ConfigError),
            _ => assert!(same, "{error}"),
        }
    }
}

#[rstest::rstest]
fn rows_and_prepared(#[values(Version::V3, Version::V4)] version: Version) {
    let types = all_types();
    let columns = columns(&types);
    let encoder = Encoder {
        extensions: Extensions {
            lwt_mark: true,
            rate_limit_error: false,
        },
        ..Encoder::new(version)
    };
    for (is_lwt, key) in [(true, vec![2u16, 0]), (false, vec![])] {
        let prepared = Prepared {
            id: b"id",
            variables: &columns,
            partition_key: &key,
            result: Some(&columns),
            is_lwt,
        };
        let Response::Result(ResultBody::Prepared(found)) =
            response(|out| encoder.prepared(out, 1, &prepared))
        else {
            panic!("not prepared");
        };
        assert_eq!(found.id, b"id");
        assert_eq!(found.is_lwt, is_lwt);
        assert_eq!(
            found.partition_key,
            if version == Version::V4 { key } else { vec![] }
        );
        for found in [&found.variables, &found.result.columns] {
            assert_eq!(found.len(), types.len());
            for (index, (found, ty)) in found.iter().zip(&types).enumerate() {
                assert_eq!((found.keyspace.as_str(), found.table.as_str()), ("ks", "t"));
                assert_eq!(found.name, format!("c{index}"));
                assert_eq!(found.ty.freeze(), ty.freeze());
            }
        }
    }
}

#[test]
fn the_prelude_comes_before_the_message() {
    let warnings = ["one".to_owned(), "two".to_owned()];
    let head = Head {
        tracing_id: Some(Uuid::from_u128(5)),
        warnings: &warnings,
        payload: &[("tablets", b"\x01\x02")],
        ..Head::new(77)
    };
    for version in VERSIONS {
        let mut out = BytesMut::new();
        Encoder::new(version).void(&mut out, head);
        let frame = one_frame(Peer::Server, &out);
        assert_eq!(frame.stream, 77);
        let (prelude, body) = Response::decode(&frame).unwrap();
        assert_eq!(body, Response::Result(ResultBody::Void));
        assert_eq!(prelude.tracing_id, Some(Uuid::from_u128(5)));
        let is_v4 = version == Version::V4;
        assert_eq!(
            prelude.warnings,
            if is_v4 { warnings.to_vec() } else { vec![] }
        );
        assert_eq!(prelude.payload.len(), usize::from(is_v4));
    }
}

#[test]
fn a_startup_says_what_the_client_wants() {
    let encoder = RequestEncoder {
        version: Version::V4,
        compression: Some(Compression::Lz4),
    };
    let startup = |options: &[(&str, &str)]| {
        let mut out = BytesMut::new();
        encoder.startup(&mut out, 1, options);
        let frame = one_frame(Peer::Client, &out);
        let Request::Startup(startup) = Request::decode(&frame).unwrap() else {
            panic!("not a startup")
        };
        let version = startup
            .cql_version()
            .map(str::to_owned)
            .map_err(|error| error.to_string());
        (
            version,
            startup.compression().map_err(|error| error.to_string()),
            startup.options.iter().count(),
        )
    };
    assert_eq!(
        startup(&[("CQL_VERSION", "3.4.5"), ("COMPRESSION", "LZ4"), ("X", "")]),
        (Ok("3.4.5".to_owned()), Ok(Some(Compression::Lz4)), 3)
    );
    let (version, compression, _) = startup(&[("COMPRESSION", "snappy")]);
    assert_eq!(
        version.unwrap_err(),
        "Missing value CQL_VERSION in STARTUP message"
    );
    assert_eq!(
        compression.unwrap_err(),
        "Compression algorithm snappy is not supported; use lz4 or none"
    );
    let (version, compression, _) = startup(&[("CQL_VERSION", "2.9.0"), ("COMPRESSION", "zip")]);
    assert!(
        version
            .unwrap_err()
            .starts_with("CQL version 2.9.0 is not supported")
    );
    assert_eq!(
        compression.unwrap_err(),
        "Unknown compression algorithm: zip; lz4 is supported"
    );
}

/// A value to bind, owned.
#[derive(Debug, Clone)]
enum Bound {
    Bytes(Vec<u8>),
    Null,
    Unset,
}

impl Bound {
    fn view(&self) -> ValueRef<'_> {
        match self {
            Self::Bytes(bytes) => ValueRef::Bytes(bytes),
            Self::Null => ValueRef::Null,
            Self::Unset => ValueRef::Unset,
        }
    }
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Bound::Bytes),
        1 => Just(Bound::Null),
        1 => Just(Bound::Unset),
    ]
}

fn consistency() -> impl Strategy<Value = Consistency> {
    (0u16..11).prop_map(|code| Consistency::from_code(code).unwrap())
}

fn serial() -> impl Strategy<Value = Option<SerialConsistency>> {
    prop::sample::select(vec![
        None,
        Some(SerialConsistency::Serial),
        Some(SerialConsistency::LocalSerial),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parameters(
        values in prop::collection::vec(bound(), 0..60),
        named in any::<bool>(),
        consistency in consistency(),
        skip_metadata in any::<bool>(),
        page_size in prop::option::of(any::<i32>()),
        paging_state in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        serial_consistency in serial(),
        timestamp in prop::option::of((i64::MIN + 1)..=i64::MAX),
        stream in any::<i16>(),
        compressed in any::<bool>(),
    ) {
        let compression = compressed.then_some(Compression::Lz4);
        let encoder = RequestEncoder { version: Version::V4, compression };
        let views: Vec<ValueRef<'_>> = values.iter().map(Bound::view).collect();
        let names: Vec<String> = (0..views.len()).map(|index| format!("n{index}")).collect();
        let pairs: Vec<(&str, ValueRef<'_>)> =
            names.iter().map(String::as_str).zip(views.iter().copied()).collect();
        let parameters = OutgoingParameters {
            consistency,
            values: if named { OutgoingValues::Named(&pairs) } else { OutgoingValues::Positional(&views) },
            skip_metadata,
            page_size,
            paging_state: paging_state.as_deref(),
            serial_consistency,
            timestamp,
        };
        let mut out = BytesMut::new();
        encoder.execute(&mut out, stream, b"statement", &parameters);
        encoder.query(&mut out, stream, "sélect", &parameters);
        let mut decoder = FrameDecoder::new(Peer::Client, Limits::default());
        decoder.start();
        decoder.set_compression(compression);
        let execute = decoder.decode(&mut out).unwrap().unwrap();
        let query = decoder.decode(&mut out).unwrap().unwrap();
        prop_assert!(out.is_empty());
        prop_assert_eq!((execute.stream, query.stream), (stream, stream));
        let Request::Execute(execute) = Request::decode(&execute).unwrap() else { panic!() };
        let Request::Query(query) = Request::decode(&query).unwrap() else { panic!() };
        prop_assert_eq!((execute.id, query.text), (&b"statement"[..], "sélect"));
        for found in [execute.parameters, query.parameters] {
            prop_assert_eq!(found.consistency, consistency);
            prop_assert_eq!(found.skip_metadata, skip_metadata);
            prop_assert_eq!(found.page_size, page_size.and_then(|rows| u32::try_from(rows).ok()).filter(|rows| *rows > 0));
            prop_assert_eq!(found.paging_state, paging_state.as_deref());
            prop_assert_eq!(found.serial_consistency, serial_consistency);
            prop_assert_eq!(found.timestamp, timestamp);
            prop_assert_eq!(found.values.len(), views.len());
            prop_assert_eq!(found.values.is_named(), named && !views.is_empty());
            for (index, view) in views.iter().enumerate() {
                prop_assert_eq!(found.values.get(index), Some(*view));
                if named {
                    prop_assert_eq!(found.values.by_name(&names[index]), Some(*view));
                }
            }
            prop_assert_eq!(found.values.get(views.len()), None);
            prop_assert_eq!(found.values.iter().count(), views.len());
        }
    }

    #[test]
    fn batches(
        statements in prop::collection::vec((any::<bool>(), prop::collection::vec(bound(), 0..40)), 0..8),
        kind in prop::sample::select(vec![BatchKind::Logged, BatchKind::Unlogged, BatchKind::Counter]),
        consistency in consistency(),
        serial_consistency in serial(),
        timestamp in prop::option::of((i64::MIN + 1)..=i64::MAX),
    ) {
        let values: Vec<Vec<ValueRef<'_>>> =
            statements.iter().map(|(_, values)| values.iter().map(Bound::view).collect()).collect();
        let outgoing: Vec<OutgoingBatchStatement<'_>> = statements
            .iter()
            .zip(&values)
            .map(|((prepared, _), values)| OutgoingBatchStatement {
                source: if *prepared { StatementSource::Prepared(b"id") } else { StatementSource::Text("text") },
                values,
            })
            .collect();
        let batch = OutgoingBatch { kind, statements: &outgoing, consistency, serial_consistency, timestamp };
        let mut out = BytesMut::new();
        RequestEncoder { version: Version::V4, compression: None }.batch(&mut out, 5, &batch);
        let frame = one_frame(Peer::Client, &out);
        let Request::Batch(found) = Request::decode(&frame).unwrap() else { panic!() };
        prop_assert_eq!((found.kind, found.consistency), (kind, consistency));
        prop_assert_eq!((found.serial_consistency, found.timestamp), (serial_consistency, timestamp));
        prop_assert_eq!(found.len(), outgoing.len());
        prop_assert_eq!(found.statements().count(), outgoing.len());
        for (found, sent) in found.statements().zip(&outgoing) {
            prop_assert_eq!(found.source, sent.source);
            let values: Vec<ValueRef<'_>> = found.values.iter().map(|(_, value)| value).collect();
            prop_assert_eq!(&values[..], sent.values);
        }
    }

    #[test]
    fn rows(
        cells in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..300)), 0..60),
        width in 1usize..5,
        skip in any::<bool>(),
        paging_state in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        compressed in any::<bool>(),
    ) {
        let types = &all_types()[..width];
        let columns = columns(types);
        let compression = compressed.then_some(Compression::Lz4);
        let encoder = Encoder { compression, ..Encoder::new(Version::V4) };
        let metadata = RowsMetadata { columns: &columns, skip, paging_state: paging_state.as_deref() };
        let mut out = BytesMut::from(&b"before"[..]);
        let mut rows = encoder.rows(&mut out, 9, &metadata);
        let whole = cells.len() / width;
        for row in cells.chunks_exact(width) {
            for cell in row {
                rows.cell_or_null(cell.as_deref());
            }
            rows.end_row();
        }
        rows.finish().unwrap();
        let mut rest = out.split_off(6);
        let mut decoder = FrameDecoder::new(Peer::Server, Limits::default());
        decoder.start();
        decoder.set_compression(compression);
        let frame = decoder.decode(&mut rest).unwrap().unwrap();
        let (_, Response::Result(ResultBody::Rows(found))) = Response::decode(&frame).unwrap() else { panic!() };
        prop_assert_eq!(found.count, whole);
        prop_assert_eq!(found.metadata.count, width);
        prop_assert_eq!(found.metadata.columns.len(), if skip { 0 } else { width });
        prop_assert_eq!(found.metadata.paging_state.as_deref(), paging_state.as_deref());
        let expected: Vec<Option<&[u8]>> = cells[..whole * width].iter().map(Option::as_deref).collect();
        prop_assert_eq!(found.cells().collect::<Vec<_>>(), expected);
    }

    /// However the bytes are cut on the way, the same frames come out.
    #[test]
    fn frames_survive_any_cut(cuts in prop::collection::vec(1usize..40, 1..60)) {
        let encoder = RequestEncoder { version: Version::V4, compression: None };
        let all: Vec<u8> = support::requests(&encoder).iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
        let expected = support::requests(&encoder).len();
        let mut decoder = FrameDecoder::new(Peer::Client, Limits::default());
        let mut buffer = BytesMut::new();
        let (mut sent, mut frames) = (0, 0);
        for cut in cuts.iter().cycle() {
            let end = (sent + cut).min(all.len());
            buffer.extend_from_slice(&all[sent..end]);
            sent = end;
            while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
                Request::decode(&frame).unwrap();
                frames += 1;
            }
            if sent == all.len() {
                break;
            }
        }
        prop_assert_eq!(frames, expected);
    }
}

#[test]
fn registering() {
    let mut out = BytesMut::new();
    let encoder = RequestEncoder {
        version: Version::V4,
        compression: None,
    };
    encoder.register(
        &mut out,
        1,
        &[EventType::SchemaChange, EventType::ClientRoutesChange],
    );
    let frame = one_frame(Peer::Client, &out);
    let Request::Register(types) = Request::decode(&frame).unwrap() else {
        panic!()
    };
    let found: Vec<EventType> = EventType::ALL
        .into_iter()
        .filter(|kind| types.contains(*kind))
        .collect();
    assert_eq!(
        found,
        [EventType::SchemaChange, EventType::ClientRoutesChange]
    );
}

/// Names longer than the protocol can carry are cut, not torn.
#[test]
fn huge_texts_are_cut_at_a_character() {
    let long = "é".repeat(40_000);
    let error = cql_protocol::ErrorBody::new(ErrorKind::Invalid, long.clone());
    let Response::Error(found) = response(|out| Encoder::new(Version::V4).error(out, 1, &error))
    else {
        panic!("not an error");
    };
    assert_eq!(found.message.len(), 65_534);
    let spec = ColumnSpec {
        keyspace: "ks",
        table: "t",
        name: &long,
        ty: &cql_types::CqlType::Int,
    };
    assert_eq!(ColumnsMetadata::new(&[spec]).count(), 1);
}
