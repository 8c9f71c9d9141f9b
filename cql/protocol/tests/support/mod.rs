//! Messages of every kind, for all tests of this crate.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use bytes::BytesMut;
use cql_protocol::{
    BatchKind, ColumnSpec, ColumnsMetadata, Consistency, Encoder, ErrorBody, ErrorKind, Event,
    EventType, Frame, FrameDecoder, Head, Limits, OutgoingBatch, OutgoingBatchStatement,
    OutgoingParameters, OutgoingValues, Peer, Prepared, RateLimitedOperation, RequestEncoder,
    RowsMetadata, SchemaChange, SchemaChangeKind, SchemaTarget, SerialConsistency, StatementSource,
    StatusChange, TopologyChange, ValueRef, Version, WriteType,
};
use cql_types::{CqlType, UdtType};

/// The only frame in `bytes`.
pub(crate) fn one_frame(peer: Peer, bytes: &BytesMut) -> Frame {
    let mut buffer = bytes.clone();
    let mut decoder = FrameDecoder::new(peer, Limits::default());
    decoder.start();
    let frame = decoder.decode(&mut buffer).unwrap().unwrap();
    assert!(buffer.is_empty(), "bytes after the frame");
    frame
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Types of every kind.
pub(crate) fn all_types() -> Vec<CqlType> {
    let int = Arc::new(CqlType::Int);
    let text = Arc::new(CqlType::Text);
    let udt = UdtType {
        keyspace: Arc::from("ks"),
        name: Arc::from("addr"),
        fields: vec![
            (Arc::from("street"), CqlType::Text),
            (
                Arc::from("phones"),
                CqlType::Set {
                    element: Arc::clone(&text),
                    frozen: false,
                },
            ),
        ],
    };
    let udt = CqlType::Udt {
        def: Arc::new(udt),
        frozen: false,
    };
    vec![
        CqlType::Ascii,
        CqlType::BigInt,
        CqlType::Blob,
        CqlType::Boolean,
        CqlType::Counter,
        CqlType::Decimal,
        CqlType::Double,
        CqlType::Float,
        CqlType::Int,
        CqlType::Timestamp,
        CqlType::Uuid,
        CqlType::Text,
        CqlType::Varint,
        CqlType::TimeUuid,
        CqlType::Inet,
        CqlType::Date,
        CqlType::Time,
        CqlType::SmallInt,
        CqlType::TinyInt,
        CqlType::Duration,
        CqlType::List {
            element: Arc::clone(&int),
            frozen: false,
        },
        CqlType::Set {
            element: Arc::new(udt.freeze()),
            frozen: false,
        },
        CqlType::Map {
            key: Arc::clone(&text),
            value: Arc::new(CqlType::List {
                element: int,
                frozen: true,
            }),
            frozen: false,
        },
        CqlType::Tuple(Arc::from([CqlType::Int, CqlType::Text, CqlType::Duration])),
        udt,
        CqlType::Vector {
            element: Arc::new(CqlType::Float),
            dimensions: 3,
        },
    ]
}

/// A column of every type, all of one table.
pub(crate) fn columns(types: &[CqlType]) -> ColumnsMetadata {
    let names: Vec<String> = (0..types.len()).map(|index| format!("c{index}")).collect();
    let specs: Vec<ColumnSpec<'_>> = names
        .iter()
        .zip(types)
        .map(|(name, ty)| ColumnSpec {
            keyspace: "ks",
            table: "t",
            name,
            ty,
        })
        .collect();
    ColumnsMetadata::new(&specs)
}

/// Errors of every kind.
pub(crate) fn errors() -> Vec<ErrorBody> {
    let consistency = Consistency::LocalQuorum;
    let (received, block_for) = (1, 2);
    let kinds = vec![
        ErrorKind::ServerError,
        ErrorKind::ProtocolError,
        ErrorKind::BadCredentials,
        ErrorKind::Unavailable {
            consistency,
            required: 2,
            alive: 1,
        },
        ErrorKind::Overloaded,
        ErrorKind::IsBootstrapping,
        ErrorKind::TruncateError,
        ErrorKind::WriteTimeout {
            consistency,
            received,
            block_for,
            write_type: WriteType::UnloggedBatch,
        },
        ErrorKind::ReadTimeout {
            consistency,
            received,
            block_for,
            data_present: true,
        },
        ErrorKind::ReadFailure {
            consistency,
            received,
            block_for,
            failures: 1,
            data_present: false,
        },
        ErrorKind::FunctionFailure {
            keyspace: "ks".to_owned(),
            function: "f".to_owned(),
            argument_types: vec!["int".to_owned(), "text".to_owned()],
        },
        ErrorKind::WriteFailure {
            consistency,
            received,
            block_for,
            failures: 1,
            write_type: WriteType::Simple,
        },
        ErrorKind::CdcWriteFailure,
        ErrorKind::CasWriteUnknown {
            consistency: Consistency::Serial,
            received,
            block_for,
        },
        ErrorKind::SyntaxError,
        ErrorKind::Unauthorized,
        ErrorKind::Invalid,
        ErrorKind::ConfigError,
        ErrorKind::AlreadyExists {
            keyspace: "ks".to_owned(),
            table: "t".to_owned(),
        },
        ErrorKind::Unprepared { id: vec![0xab; 16] },
        ErrorKind::RateLimitError {
            operation: RateLimitedOperation::Write,
            rejected_by_coordinator: true,
        },
    ];
    kinds
        .into_iter()
        .map(|kind| ErrorBody::new(kind, "what happened"))
        .collect()
}

/// Schema changes of every kind.
pub(crate) fn schema_changes() -> Vec<SchemaChange> {
    let change = |change, target| SchemaChange {
        change,
        keyspace: "ks".to_owned(),
        target,
    };
    let (name, argument_types) = ("f".to_owned(), vec!["int".to_owned()]);
    vec![
        change(SchemaChangeKind::Created, SchemaTarget::Keyspace),
        change(
            SchemaChangeKind::Updated,
            SchemaTarget::Table("t".to_owned()),
        ),
        change(
            SchemaChangeKind::Dropped,
            SchemaTarget::Type("addr".to_owned()),
        ),
        change(
            SchemaChangeKind::Created,
            SchemaTarget::Function {
                name: name.clone(),
                argument_types: argument_types.clone(),
            },
        ),
        change(
            SchemaChangeKind::Dropped,
            SchemaTarget::Aggregate {
                name,
                argument_types,
            },
        ),
    ]
}

/// Events of every kind.
pub(crate) fn events() -> Vec<Event> {
    let node = "127.0.0.1:9042".parse().unwrap();
    let v6 = "[2001:db8::1]:9042".parse().unwrap();
    let mut events = vec![
        Event::Topology {
            change: TopologyChange::NewNode,
            node,
        },
        Event::Topology {
            change: TopologyChange::RemovedNode,
            node: v6,
        },
        Event::Status {
            change: StatusChange::Up,
            node: v6,
        },
        Event::Status {
            change: StatusChange::Down,
            node,
        },
    ];
    events.extend(schema_changes().into_iter().map(Event::Schema));
    events
}

/// Responses of every kind, by name.
pub(crate) fn responses(encoder: &Encoder) -> Vec<(String, BytesMut)> {
    let mut all: Vec<(String, BytesMut)> = Vec::new();
    let mut add = |name: &str, write: &dyn Fn(&mut BytesMut)| {
        let mut out = BytesMut::new();
        write(&mut out);
        all.push((name.to_owned(), out));
    };
    add("ready", &|out| encoder.ready(out, 1));
    add("authenticate", &|out| {
        encoder.authenticate(out, 2, "org.apache.cassandra.auth.PasswordAuthenticator")
    });
    add("auth_challenge", &|out| {
        encoder.auth_challenge(out, 3, b"who")
    });
    add("auth_success", &|out| encoder.auth_success(out, 4, None));
    add("supported", &|out| {
        encoder.supported(
            out,
            5,
            &[("CQL_VERSION", &["3.4.7"]), ("COMPRESSION", &["lz4"])],
        );
    });
    for error in errors() {
        add(&format!("error {:?}", error.kind.code()), &|out| {
            encoder.error(out, 6, &error)
        });
    }
    add("void", &|out| encoder.void(out, 7));
    add("set_keyspace", &|out| encoder.set_keyspace(out, 8, "ks"));
    for (index, change) in schema_changes().iter().enumerate() {
        add(&format!("schema_change {index}"), &|out| {
            encoder.schema_change(out, 9, change)
        });
    }
    let types = all_types();
    let columns = columns(&types);
    add("prepared", &|out| {
        let prepared = Prepared {
            id: &[7; 16],
            variables: &columns,
            partition_key: &[1, 0],
            result: Some(&columns),
            is_lwt: false,
        };
        encoder.prepared(out, 10, &prepared);
    });
    add("prepared without result", &|out| {
        let none = ColumnsMetadata::new(&[]);
        let prepared = Prepared {
            id: &[8; 16],
            variables: &none,
            partition_key: &[],
            result: None,
            is_lwt: false,
        };
        encoder.prepared(out, 11, &prepared);
    });
    add("rows", &|out| {
        rows(encoder, out, &columns, types.len(), None)
    });
    add("rows with more pages", &|out| {
        rows(encoder, out, &columns, types.len(), Some(b"next"))
    });
    add("rows of two tables", &|out| two_tables(encoder, out));
    for (index, event) in events().iter().enumerate() {
        add(&format!("event {index}"), &|out| encoder.event(out, event));
    }
    all
}

fn rows(
    encoder: &Encoder,
    out: &mut BytesMut,
    columns: &ColumnsMetadata,
    width: usize,
    paging: Option<&[u8]>,
) {
    let warnings = ["careful".to_owned()];
    let head = Head {
        warnings: &warnings,
        ..Head::new(12)
    };
    let metadata = RowsMetadata {
        columns,
        skip: false,
        paging_state: paging,
    };
    let mut rows = encoder.rows(out, head, &metadata);
    for row in 0..3u8 {
        for column in 0..width {
            match column % 3 {
                0 => rows.cell(&[row; 4]),
                1 => rows.null(),
                _ => rows.cell_with(|out| out.extend_from_slice(&[row, 1, 2])),
            }
        }
        rows.end_row();
    }
    rows.finish().unwrap();
}

fn two_tables(encoder: &Encoder, out: &mut BytesMut) {
    let spec = |table, name| ColumnSpec {
        keyspace: "ks",
        table,
        name,
        ty: &CqlType::Int,
    };
    let columns = ColumnsMetadata::new(&[spec("a", "x"), spec("b", "y")]);
    let metadata = RowsMetadata {
        columns: &columns,
        skip: false,
        paging_state: None,
    };
    let mut rows = encoder.rows(out, 13, &metadata);
    rows.cell(&[0, 0, 0, 1]);
    rows.cell_or_null(None);
    rows.end_row();
    rows.finish().unwrap();
}

/// Requests of every kind, by name.
pub(crate) fn requests(encoder: &RequestEncoder) -> Vec<(String, BytesMut)> {
    let mut all: Vec<(String, BytesMut)> = Vec::new();
    let mut add = |name: &str, write: &dyn Fn(&mut BytesMut)| {
        let mut out = BytesMut::new();
        write(&mut out);
        all.push((name.to_owned(), out));
    };
    let plain = OutgoingParameters::new(Consistency::One);
    let unset = if encoder.version == Version::V4 {
        ValueRef::Unset
    } else {
        ValueRef::Null
    };
    let values = [
        ValueRef::Bytes(&[0, 0, 0, 1]),
        ValueRef::Null,
        unset,
        ValueRef::Bytes(b""),
    ];
    let full = OutgoingParameters {
        values: OutgoingValues::Positional(&values),
        skip_metadata: true,
        page_size: Some(5000),
        paging_state: Some(b"where"),
        serial_consistency: Some(SerialConsistency::LocalSerial),
        timestamp: Some(1_700_000_000_000_000),
        ..OutgoingParameters::new(Consistency::LocalQuorum)
    };
    let names = [("k", ValueRef::Bytes(&[1])), ("v", ValueRef::Null)];
    let named = OutgoingParameters {
        values: OutgoingValues::Named(&names),
        ..plain
    };
    add("startup", &|out| {
        encoder.startup(out, 1, &[("CQL_VERSION", "3.0.0"), ("COMPRESSION", "lz4")])
    });
    add("options", &|out| encoder.options(out, 2));
    add("auth_response", &|out| {
        encoder.auth_response(out, 3, Some(b"\0user\0password"))
    });
    add("register", &|out| {
        encoder.register(out, 4, &[EventType::SchemaChange, EventType::StatusChange])
    });
    add("prepare", &|out| {
        encoder.prepare(out, 5, "SELECT * FROM ks.t WHERE k = ?")
    });
    add("query", &|out| {
        encoder.query(out, 6, "SELECT * FROM ks.t", &plain)
    });
    add("query with all", &|out| {
        encoder.query(out, 7, "SELECT ?", &full)
    });
    add("query with names", &|out| {
        encoder.query(out, 8, "SELECT :k, :v", &named)
    });
    add("execute", &|out| {
        encoder.execute(out, 9, &[0xcd; 16], &plain)
    });
    add("execute with all", &|out| {
        encoder.execute(out, 10, &[0xcd; 16], &full)
    });
    let statements = [
        OutgoingBatchStatement {
            source: StatementSource::Text("DELETE FROM ks.t"),
            values: &[],
        },
        OutgoingBatchStatement {
            source: StatementSource::Prepared(&[0xef; 16]),
            values: &values,
        },
    ];
    let batch = OutgoingBatch {
        kind: BatchKind::Unlogged,
        statements: &statements,
        consistency: Consistency::Quorum,
        serial_consistency: Some(SerialConsistency::Serial),
        timestamp: Some(-5),
    };
    add("batch", &|out| encoder.batch(out, 11, &batch));
    add("empty batch", &|out| {
        let batch = OutgoingBatch {
            statements: &[],
            serial_consistency: None,
            timestamp: None,
            ..batch
        };
        encoder.batch(out, 12, &batch);
    });
    all
}
