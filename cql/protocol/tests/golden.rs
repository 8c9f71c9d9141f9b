//! The exact bytes of every message, in `golden/*.hex`, and some written out by hand.
//!
//! `UPDATE_GOLDEN=1 cargo test -p messina-cql-protocol` writes what is found into the files.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use bytes::BytesMut;
use cql_protocol::{
    Compression, Encoder, Extensions, FrameDecoder, Limits, Peer, RequestEncoder, Version,
};
use support::hex;

fn check(file: &str, messages: &[(String, BytesMut)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file);
    let mut found = String::new();
    for (name, bytes) in messages {
        let (header, body) = bytes.split_at(9);
        found += &format!("{name}\n  {}\n", hex(header));
        for line in body.chunks(48) {
            found += &format!("  {}\n", hex(line));
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        #[expect(
            clippy::disallowed_methods,
            reason = "writes the golden file on request"
        )]
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{file} differs; found:\n{found}");
}

#[rstest::rstest]
#[case(Version::V3, "requests_v3.hex")]
#[case(Version::V4, "requests_v4.hex")]
fn requests(#[case] version: Version, #[case] file: &str) {
    check(
        file,
        &support::requests(&RequestEncoder {
            version,
            compression: None,
        }),
    );
}

#[rstest::rstest]
#[case(Version::V3, "responses_v3.hex")]
#[case(Version::V4, "responses_v4.hex")]
fn responses(#[case] version: Version, #[case] file: &str) {
    let extensions = Extensions {
        lwt_mark: false,
        rate_limit_error: version == Version::V4,
    };
    check(
        file,
        &support::responses(&Encoder {
            extensions,
            ..Encoder::new(version)
        }),
    );
}

/// Bytes as the specification describes them, written by hand.
#[test]
fn by_hand() {
    let encoder = Encoder::new(Version::V4);
    let mut out = BytesMut::new();
    encoder.ready(&mut out, 0x0102);
    assert_eq!(hex(&out), "8400010202".to_owned() + "00000000");

    out.clear();
    encoder.set_keyspace(&mut out, 0, "ks");
    assert_eq!(
        hex(&out),
        "8400000008".to_owned() + "00000008" + "00000003" + "0002" + "6b73"
    );

    out.clear();
    encoder.error(
        &mut out,
        1,
        &cql_protocol::ErrorBody::new(cql_protocol::ErrorKind::Invalid, "no"),
    );
    assert_eq!(
        hex(&out),
        "8400000100".to_owned() + "00000008" + "00002200" + "0002" + "6e6f"
    );

    out.clear();
    RequestEncoder {
        version: Version::V3,
        compression: None,
    }
    .prepare(&mut out, 2, "USE a");
    assert_eq!(
        hex(&out),
        "0300000209".to_owned() + "00000009" + "00000005" + "5553452061"
    );
}

/// A client of version 5 reads why it must step down; so do clients of versions 1 and 2.
#[rstest::rstest]
#[case("0500000705 00000000", "84000000000000006a 0000000a 0064", "5")]
#[case("4500000705 00000000", "84000000000000006b 0000000a 0065", "69")]
#[case("02000701 00000000", "820007000000006a 0000000a 0064", "2")]
#[case("0100ff01 00000000", "8100ff000000006a 0000000a 0064", "1")]
fn refused_versions(#[case] request: &str, #[case] answer: &str, #[case] number: &str) {
    let mut buffer = BytesMut::from(&from_hex(request)[..]);
    let error = FrameDecoder::new(Peer::Client, Limits::default())
        .decode(&mut buffer)
        .unwrap_err();
    let mut out = BytesMut::new();
    Encoder::refuse(&mut out, &error);
    let text = format!(
        "Invalid or unsupported protocol version ({number}); the lowest supported version is 3 and the greatest is 4"
    );
    assert_eq!(hex(&out), answer.replace(' ', "") + &hex(text.as_bytes()));
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Many answers share one buffer; an unfinished one leaves no trace.
#[test]
fn one_buffer_for_many_frames() {
    let encoder = Encoder {
        compression: Some(Compression::Lz4),
        ..Encoder::new(Version::V4)
    };
    let mut out = BytesMut::new();
    encoder.void(&mut out, 1);
    let before = out.clone();
    let types = support::all_types();
    let columns = support::columns(&types);
    let metadata = cql_protocol::RowsMetadata {
        columns: &columns,
        skip: true,
        paging_state: None,
    };
    let mut rows = encoder.rows(&mut out, 2, &metadata);
    rows.cell(&[1; 1000]);
    drop(rows);
    assert_eq!(out, before);

    let mut rows = encoder.rows(&mut out, 3, &metadata);
    for _ in 0..types.len() {
        rows.cell(&[7; 1000]);
    }
    rows.end_row();
    rows.finish().unwrap();
    encoder.void(&mut out, 4);
    assert!(out.len() < 2000, "compressed in place");

    let mut decoder = FrameDecoder::new(Peer::Server, Limits::default());
    decoder.set_compression(Some(Compression::Lz4));
    decoder.start();
    let mut streams = Vec::new();
    while let Some(frame) = decoder.decode(&mut out).unwrap() {
        cql_protocol::Response::decode(&frame).unwrap();
        streams.push((frame.stream, frame.body.len()));
    }
    assert_eq!(
        streams,
        [(1, 4), (3, 4 + 4 + 4 + 4 + 1004 * types.len()), (4, 4)]
    );
}

#[test]
fn a_result_too_large_for_a_frame_leaves_nothing() {
    let encoder = Encoder {
        max_body: 100,
        ..Encoder::new(Version::V4)
    };
    let columns = support::columns(&[cql_types::CqlType::Blob]);
    let metadata = cql_protocol::RowsMetadata {
        columns: &columns,
        skip: true,
        paging_state: None,
    };
    let mut out = BytesMut::new();
    let mut rows = encoder.rows(&mut out, 3, &metadata);
    rows.cell(&[1; 1000]);
    rows.end_row();
    assert_eq!(rows.finish().unwrap_err().bytes, 1020);
    assert!(out.is_empty());
}
