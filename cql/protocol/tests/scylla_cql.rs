//! The `scylla-cql` crate reads what we write, and we read what it writes. It speaks version 4 only.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::BytesMut;
use cql_protocol::{
    BatchKind, Compression, Consistency, Encoder, ErrorKind, EventType, Extensions, FrameDecoder,
    Head, Limits, Peer, Prepared, RateLimitedOperation, Request, RequestEncoder, RowsMetadata,
    SerialConsistency, StatementSource, ValueRef, Version, WriteType,
};
use cql_types::{CqlType, Uuid};
use scylla_cql::frame::protocol_features::ProtocolFeatures;
use scylla_cql::frame::request::batch::{Batch, BatchStatement, BatchType};
use scylla_cql::frame::request::execute::ExecuteV2;
use scylla_cql::frame::request::query::{PagingState, Query, QueryParameters};
use scylla_cql::frame::request::register::Register;
use scylla_cql::frame::request::{
    DeserializableRequest, Prepare, RequestOpcode, RequestV2, SerializableRequest, Startup,
};
use scylla_cql::frame::response::error::{DbError, OperationType};
use scylla_cql::frame::response::event::{
    Event, SchemaChangeEvent, StatusChangeEvent, TopologyChangeEvent,
};
use scylla_cql::frame::response::result::{
    CollectionType, ColumnType, NativeType, Result as TheirResult,
};
use scylla_cql::frame::response::{Response as TheirResponse, ResponseOpcode};
use scylla_cql::frame::server_event_type::EventType as TheirEventType;
use scylla_cql::frame::types::SerialConsistency as TheirSerial;
use scylla_cql::frame::{
    Compression as TheirCompression, SerializedRequest, parse_response_body_extensions,
};
use scylla_cql::serialize::row::SerializedValues;

fn features() -> ProtocolFeatures {
    let mut features = ProtocolFeatures::default();
    features.rate_limit_error = Some(0xF000);
    features.lwt_optimization_meta_bit_mask = Some(0x8000_0000);
    features
}

fn encoder() -> Encoder {
    Encoder {
        extensions: Extensions {
            lwt_mark: true,
            rate_limit_error: true,
        },
        ..Encoder::new(Version::V4)
    }
}

fn theirs(bytes: &BytesMut) -> TheirResponse {
    let frame = support::one_frame(Peer::Server, bytes);
    let parsed = parse_response_body_extensions(frame.flags, None, frame.body.clone()).unwrap();
    let opcode = ResponseOpcode::try_from(frame.opcode.code()).unwrap();
    TheirResponse::deserialize(&features(), opcode, parsed.body, None).unwrap()
}

fn read(write: impl FnOnce(&mut BytesMut)) -> TheirResponse {
    let mut out = BytesMut::new();
    write(&mut out);
    theirs(&out)
}

#[test]
fn it_reads_every_response() {
    for (_, bytes) in support::responses(&encoder()) {
        theirs(&bytes);
    }
}

#[test]
fn it_reads_our_errors() {
    for error in support::errors() {
        let TheirResponse::Error(found) = read(|out| encoder().error(out, 1, &error)) else {
            panic!("not an error");
        };
        assert_eq!(found.reason, error.message);
        let expected = match error.kind {
            ErrorKind::CasWriteUnknown { .. } => 0x1100,
            ref kind => i32::try_from(kind.code().code()).unwrap(),
        };
        assert_eq!(found.error.code(&features()), expected);
        match (error.kind, found.error) {
            (
                ErrorKind::Unavailable { .. },
                DbError::Unavailable {
                    required, alive, ..
                },
            ) => {
                assert_eq!((required, alive), (2, 1));
            }
            (
                ErrorKind::WriteTimeout { write_type, .. },
                DbError::WriteTimeout {
                    write_type: theirs,
                    received,
                    required,
                    ..
                },
            ) => {
                assert_eq!(write_type, WriteType::UnloggedBatch);
                assert_eq!(
                    (theirs.as_str(), received, required),
                    ("UNLOGGED_BATCH", 1, 2)
                );
            }
            (
                ErrorKind::ReadTimeout { .. },
                DbError::ReadTimeout {
                    data_present,
                    consistency,
                    ..
                },
            ) => {
                assert!(data_present);
                assert_eq!(consistency, scylla_cql::Consistency::LocalQuorum);
            }
            (
                ErrorKind::ReadFailure { .. },
                DbError::ReadFailure {
                    numfailures,
                    data_present,
                    ..
                },
            ) => {
                assert_eq!((numfailures, data_present), (1, false));
            }
            (
                ErrorKind::FunctionFailure { .. },
                DbError::FunctionFailure {
                    keyspace,
                    function,
                    arg_types,
                },
            ) => {
                assert_eq!(
                    (keyspace.as_str(), function.as_str(), arg_types.len()),
                    ("ks", "f", 2)
                );
            }
            (ErrorKind::AlreadyExists { .. }, DbError::AlreadyExists { keyspace, table }) => {
                assert_eq!((keyspace.as_str(), table.as_str()), ("ks", "t"));
            }
            (ErrorKind::Unprepared { id }, DbError::Unprepared { statement_id }) => {
                assert_eq!(id, statement_id)
            }
            (
                ErrorKind::RateLimitError { operation, .. },
                DbError::RateLimitReached {
                    op_type,
                    rejected_by_coordinator,
                },
            ) => {
                assert_eq!(operation, RateLimitedOperation::Write);
                assert!(matches!(op_type, OperationType::Write));
                assert!(rejected_by_coordinator);
            }
            _ => {}
        }
    }
}

#[test]
fn it_reads_our_events() {
    let found: Vec<String> = support::events()
        .iter()
        .filter_map(|event| match read(|out| encoder().event(out, event)) {
            TheirResponse::Event(Event::TopologyChange(TopologyChangeEvent::NewNode(node))) => {
                Some(format!("new {node}"))
            }
            TheirResponse::Event(Event::TopologyChange(TopologyChangeEvent::RemovedNode(node))) => {
                Some(format!("removed {node}"))
            }
            TheirResponse::Event(Event::StatusChange(StatusChangeEvent::Up(node))) => {
                Some(format!("up {node}"))
            }
            TheirResponse::Event(Event::StatusChange(StatusChangeEvent::Down(node))) => {
                Some(format!("down {node}"))
            }
            TheirResponse::Event(Event::SchemaChange(change)) => match change {
                SchemaChangeEvent::KeyspaceChange {
                    change_type,
                    keyspace_name,
                } => Some(format!("{change_type:?} {keyspace_name}")),
                SchemaChangeEvent::TableChange {
                    change_type,
                    keyspace_name,
                    object_name,
                } => Some(format!(
                    "{change_type:?} table {keyspace_name}.{object_name}"
                )),
                SchemaChangeEvent::TypeChange {
                    change_type,
                    keyspace_name,
                    type_name,
                } => Some(format!("{change_type:?} type {keyspace_name}.{type_name}")),
                SchemaChangeEvent::FunctionChange { arguments, .. } => {
                    Some(format!("function {arguments:?}"))
                }
                SchemaChangeEvent::AggregateChange { arguments, .. } => {
                    Some(format!("aggregate {arguments:?}"))
                }
            },
            _ => None,
        })
        .collect();
    let expected = [
        "new 127.0.0.1:9042",
        "removed [2001:db8::1]:9042",
        "up [2001:db8::1]:9042",
        "down 127.0.0.1:9042",
        "Created ks",
        "Updated table ks.t",
        "Dropped type ks.addr",
        "function [\"int\"]",
        "aggregate [\"int\"]",
    ];
    assert_eq!(found, expected);
}

/// The same type in its words. Messages do not say what is frozen.
fn their_type(ty: &CqlType) -> ColumnType<'static> {
    let boxed = |ty: &CqlType| Box::new(their_type(ty));
    let collection = |typ| ColumnType::Collection { frozen: false, typ };
    let native = match ty {
        CqlType::List { element, .. } => return collection(CollectionType::List(boxed(element))),
        CqlType::Set { element, .. } => return collection(CollectionType::Set(boxed(element))),
        CqlType::Map { key, value, .. } => {
            return collection(CollectionType::Map(boxed(key), boxed(value)));
        }
        CqlType::Tuple(parts) => return ColumnType::Tuple(parts.iter().map(their_type).collect()),
        CqlType::Vector {
            element,
            dimensions,
        } => {
            return ColumnType::Vector {
                typ: boxed(element),
                dimensions: *dimensions,
            };
        }
        CqlType::Udt { def, .. } => {
            let definition = scylla_cql::frame::response::result::UserDefinedType {
                name: Cow::Owned(def.name.to_string()),
                keyspace: Cow::Owned(def.keyspace.to_string()),
                field_types: def
                    .fields
                    .iter()
                    .map(|(name, ty)| (Cow::Owned(name.to_string()), their_type(ty)))
                    .collect(),
            };
            return ColumnType::UserDefinedType {
                frozen: false,
                definition: Arc::new(definition),
            };
        }
        CqlType::Ascii => NativeType::Ascii,
        CqlType::BigInt => NativeType::BigInt,
        CqlType::Blob => NativeType::Blob,
        CqlType::Boolean => NativeType::Boolean,
        CqlType::Counter => NativeType::Counter,
        CqlType::Date => NativeType::Date,
        CqlType::Decimal => NativeType::Decimal,
        CqlType::Double => NativeType::Double,
        CqlType::Duration => NativeType::Duration,
        CqlType::Float => NativeType::Float,
        CqlType::Inet => NativeType::Inet,
        CqlType::Int => NativeType::Int,
        CqlType::SmallInt => NativeType::SmallInt,
        CqlType::Text => NativeType::Text,
        CqlType::Time => NativeType::Time,
        CqlType::Timestamp => NativeType::Timestamp,
        CqlType::TimeUuid => NativeType::Timeuuid,
        CqlType::TinyInt => NativeType::TinyInt,
        CqlType::Uuid => NativeType::Uuid,
        CqlType::Varint => NativeType::Varint,
    };
    ColumnType::Native(native)
}

#[test]
fn it_reads_our_types_in_prepared_statements() {
    let types = support::all_types();
    let columns = support::columns(&types);
    for is_lwt in [false, true] {
        let prepared = Prepared {
            id: &[1; 16],
            variables: &columns,
            partition_key: &[3, 1],
            result: Some(&columns),
            is_lwt,
        };
        let TheirResponse::Result(TheirResult::Prepared(found)) =
            read(|out| encoder().prepared(out, 1, &prepared))
        else {
            panic!("not prepared");
        };
        assert_eq!(found.id[..], [1; 16]);
        assert_eq!(found.prepared_metadata.flags < 0, is_lwt);
        let key: Vec<(u16, u16)> = found
            .prepared_metadata
            .pk_indexes
            .iter()
            .map(|key| (key.index, key.sequence))
            .collect();
        assert_eq!(key, [(1, 1), (3, 0)]);
        for specs in [
            &found.prepared_metadata.col_specs[..],
            found.result_metadata.col_specs(),
        ] {
            assert_eq!(specs.len(), types.len());
            for (index, (spec, ty)) in specs.iter().zip(&types).enumerate() {
                assert_eq!(spec.name(), format!("c{index}"));
                assert_eq!(
                    (spec.table_spec().ks_name(), spec.table_spec().table_name()),
                    ("ks", "t")
                );
                assert_eq!(spec.typ(), &their_type(ty));
            }
        }
    }
}

#[test]
fn it_reads_our_rows() {
    let columns = support::columns(&[CqlType::Int, CqlType::Text]);
    for compression in [None, Some(Compression::Lz4)] {
        let encoder = Encoder {
            compression,
            ..encoder()
        };
        let metadata = RowsMetadata {
            columns: &columns,
            skip: false,
            paging_state: Some(b"page 2"),
        };
        let warnings = ["slow".to_owned()];
        let head = Head {
            tracing_id: Some(Uuid::from_u128(9)),
            warnings: &warnings,
            payload: &[("key", b"value")],
            ..Head::new(4)
        };
        let mut out = BytesMut::new();
        let mut rows = encoder.rows(&mut out, head, &metadata);
        for number in 0..200i32 {
            rows.cell(&number.to_be_bytes());
            match number % 2 {
                0 => rows.cell(b"even"),
                _ => rows.null(),
            }
            rows.end_row();
        }
        rows.finish().unwrap();
        let (header, body) = out.split_at(9);
        assert_eq!(header[1] & 1 == 1, compression.is_some());
        let theirs = compression.map(|_| TheirCompression::Lz4);
        let parsed =
            parse_response_body_extensions(header[1], theirs, body.to_vec().into()).unwrap();
        assert_eq!(parsed.trace_id, Some(Uuid::from_u128(9)));
        assert_eq!(parsed.warnings, ["slow"]);
        assert_eq!(parsed.custom_payload.unwrap()["key"][..], b"value"[..]);
        let response =
            TheirResponse::deserialize(&features(), ResponseOpcode::Result, parsed.body, None)
                .unwrap();
        let TheirResponse::Result(TheirResult::Rows((rows, paging))) = response else {
            panic!("not rows")
        };
        assert!(!paging.finished());
        let rows = rows.deserialize_metadata().unwrap();
        let found: Vec<(i32, Option<String>)> =
            rows.rows_iter().unwrap().collect::<Result<_, _>>().unwrap();
        let expected: Vec<(i32, Option<String>)> = (0..200)
            .map(|number| (number, (number % 2 == 0).then(|| "even".to_owned())))
            .collect();
        assert_eq!(found, expected);
    }
}

fn ours(
    request: &impl SerializableRequest,
    compression: Option<TheirCompression>,
) -> cql_protocol::Frame {
    let mut request = SerializedRequest::make(request, compression, true).unwrap();
    request.set_stream(321);
    let mut decoder = FrameDecoder::new(Peer::Client, Limits::default());
    decoder.start();
    decoder.set_compression(compression.map(|_| Compression::Lz4));
    let frame = decoder
        .decode(&mut BytesMut::from(request.get_data()))
        .unwrap()
        .unwrap();
    assert_eq!((frame.stream, frame.wants_tracing()), (321, true));
    frame
}

fn values() -> SerializedValues {
    let mut values = SerializedValues::new();
    values
        .add_value(&5i32, &ColumnType::Native(NativeType::Int))
        .unwrap();
    values
        .add_value(&None::<i32>, &ColumnType::Native(NativeType::Int))
        .unwrap();
    values
        .add_value(
            &scylla_cql::value::Unset,
            &ColumnType::Native(NativeType::Int),
        )
        .unwrap();
    values
}

const VALUES: [ValueRef<'static>; 3] = [
    ValueRef::Bytes(&[0, 0, 0, 5]),
    ValueRef::Null,
    ValueRef::Unset,
];

fn parameters() -> QueryParameters<'static> {
    QueryParameters {
        consistency: scylla_cql::Consistency::LocalOne,
        serial_consistency: Some(TheirSerial::Serial),
        timestamp: Some(77),
        page_size: Some(10),
        paging_state: PagingState::new_from_raw_bytes(&b"here"[..]),
        skip_metadata: true,
        values: Cow::Owned(values()),
    }
}

fn check_parameters(found: &cql_protocol::QueryParameters<'_>) {
    assert_eq!(found.consistency, Consistency::LocalOne);
    assert_eq!(found.serial_consistency, Some(SerialConsistency::Serial));
    assert_eq!(
        (found.timestamp, found.page_size, found.skip_metadata),
        (Some(77), Some(10), true)
    );
    assert_eq!(found.paging_state, Some(&b"here"[..]));
    let values: Vec<ValueRef<'_>> = found.values.iter().map(|(_, value)| value).collect();
    assert_eq!(values, VALUES);
}

#[test]
fn we_read_its_requests() {
    for compression in [None, Some(TheirCompression::Lz4)] {
        let query = Query {
            contents: Cow::Borrowed("SELECT"),
            parameters: parameters(),
        };
        let frame = ours(&query, compression);
        let Request::Query(found) = Request::decode(&frame).unwrap() else {
            panic!("not a query")
        };
        assert_eq!(found.text, "SELECT");
        check_parameters(&found.parameters);

        let execute = ExecuteV2 {
            id: (&[4u8; 16][..]).into(),
            result_metadata_id: None,
            parameters: parameters(),
            tablet_version_block: None,
        };
        let frame = ours(&execute, compression);
        let Request::Execute(found) = Request::decode(&frame).unwrap() else {
            panic!("not an execute")
        };
        assert_eq!(found.id, [4; 16]);
        check_parameters(&found.parameters);

        let frame = ours(&Prepare { query: "INSERT" }, compression);
        assert!(matches!(
            Request::decode(&frame),
            Ok(Request::Prepare("INSERT"))
        ));

        let batch = Batch {
            statements: Cow::Owned(vec![
                BatchStatement::Query {
                    text: Cow::Borrowed("a"),
                },
                BatchStatement::Prepared {
                    id: Cow::Borrowed(b"b"),
                },
            ]),
            batch_type: BatchType::Unlogged,
            consistency: scylla_cql::Consistency::Two,
            serial_consistency: None,
            timestamp: Some(3),
            values: vec![SerializedValues::new(), values()],
        };
        let frame = ours(&batch, compression);
        let Request::Batch(found) = Request::decode(&frame).unwrap() else {
            panic!("not a batch")
        };
        assert_eq!(
            (found.kind, found.consistency, found.timestamp),
            (BatchKind::Unlogged, Consistency::Two, Some(3))
        );
        let statements: Vec<_> = found
            .statements()
            .map(|one| (one.source, one.values.len()))
            .collect();
        assert_eq!(
            statements,
            [
                (StatementSource::Text("a"), 0),
                (StatementSource::Prepared(b"b"), 3)
            ]
        );
    }
    let register = Register {
        event_types_to_register_for: vec![TheirEventType::StatusChange],
    };
    let frame = ours(&register, None);
    let Request::Register(types) = Request::decode(&frame).unwrap() else {
        panic!("not a register")
    };
    assert!(types.contains(EventType::StatusChange) && !types.contains(EventType::SchemaChange));

    let options = [(Cow::Borrowed("CQL_VERSION"), Cow::Borrowed("4.0.0"))]
        .into_iter()
        .collect();
    let frame = ours(&Startup { options }, None);
    let Request::Startup(startup) = Request::decode(&frame).unwrap() else {
        panic!("not a startup")
    };
    // What this driver says, though it speaks the CQL of 3.
    assert_eq!(startup.cql_version(), Ok("4.0.0"));
}

#[test]
fn it_reads_our_requests() {
    let encoder = RequestEncoder {
        version: Version::V4,
        compression: None,
    };
    for (name, bytes) in support::requests(&encoder) {
        let frame = support::one_frame(Peer::Client, &bytes);
        let opcode = RequestOpcode::try_from(frame.opcode.code()).unwrap();
        let body = &mut &frame.body[..];
        match opcode {
            RequestOpcode::Startup => {
                assert_eq!(
                    Startup::deserialize_with_features(body, &features())
                        .unwrap()
                        .options
                        .len(),
                    2
                );
            }
            RequestOpcode::Query | RequestOpcode::Execute | RequestOpcode::Batch
                if !name.contains("names") =>
            {
                let read = RequestV2::deserialize(body, opcode, &features())
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(body.is_empty(), "{name}");
                let again = match read {
                    RequestV2::Query(query) => query.to_bytes(),
                    RequestV2::Execute(execute) => execute.to_bytes(),
                    RequestV2::Batch(batch) => batch.to_bytes(),
                    _ => continue,
                };
                assert_eq!(
                    support::hex(&again.unwrap()),
                    support::hex(&frame.body),
                    "{name}"
                );
            }
            _ => {}
        }
    }
}
