//! Text of constants, and literals that parse back.

use crate::draw::Draw;
use cql_types::{CqlType, Value, decode, parse_scalar, parse_type, to_literal};
use proptest::prelude::*;
use rstest::rstest;

/// type, text of a constant, the literal that its value is shown as.
#[rstest]
#[case("ascii", "it's", "'it''s'")]
#[case("text", "", "''")]
#[case("text", "Grüße", "'Grüße'")]
#[case("tinyint", "-128", "-128")]
#[case("smallint", "+5", "5")]
#[case("int", "2147483647", "2147483647")]
#[case("bigint", "-9223372036854775808", "-9223372036854775808")]
#[case("counter", "7", "7")]
#[case(
    "varint",
    "-170141183460469231731687303715884105729",
    "-170141183460469231731687303715884105729"
)]
#[case("decimal", "-1E-40", "-1E-40")]
#[case("decimal", "123.450", "123.450")]
#[case("decimal", "0.05", "0.05")]
#[case("decimal", "1E+3", "1E3")]
#[case("float", "1.5", "1.5")]
#[case("float", "1e40", "Infinity")]
#[case("float", "-Infinity", "-Infinity")]
#[case("double", "nan", "NaN")]
#[case("double", "-NaN", "NaN")]
#[case("double", "1e-7", "1e-7")]
#[case("double", "-0.0", "-0.0")]
#[case("boolean", "TRUE", "true")]
#[case("boolean", "", "false")]
#[case("blob", "0xCAFE", "0xcafe")]
#[case("blob", "cafe", "0xcafe")]
#[case("blob", "0x", "0x")]
#[case("date", "-5877641-06-23", "'-5877641-06-23'")]
#[case("time", "08:12:54.1", "'08:12:54.100000000'")]
#[case("timestamp", "2011-02-03 04:05+0000", "'2011-02-03T04:05:00.000Z'")]
#[case("timestamp", "9223372036854775807", "9223372036854775807")]
#[case(
    "duration",
    "-178956970y7mo2147483647d9223372036854775807ns",
    "-178956970y7mo2147483647d2562047h47m16s854ms775us807ns"
)]
#[case("duration", "P1W", "7d")]
#[case("inet", "127.0.0.1", "'127.0.0.1'")]
#[case("inet", "::ffff:10.0.0.1", "'10.0.0.1'")]
#[case("inet", "2001:db8::1", "'2001:db8::1'")]
#[case(
    "uuid",
    "CC520882-9507-44fb-8fc9-b349ecdee658",
    "cc520882-9507-44fb-8fc9-b349ecdee658"
)]
#[case(
    "timeuuid",
    "2a92d750-d8dc-11e6-a2de-cf8ecd4cf053",
    "2a92d750-d8dc-11e6-a2de-cf8ecd4cf053"
)]
#[case("int", "", "blob_as_int(0x)")]
fn constants(#[case] ty: &str, #[case] text: &str, #[case] literal: &str) {
    let ty = parse_type(ty, &|_| None).unwrap();
    let bytes = parse_scalar(&ty, text).unwrap();
    assert_eq!(to_literal(&ty, &bytes), literal);
}

#[rstest]
#[case("ascii", "é", "Unable to make ascii from 'é': a character above 127")]
#[case(
    "tinyint",
    "128",
    "Unable to make tinyint from '128': expected an integer within the range of the type"
)]
#[case(
    "int",
    " 1",
    "Unable to make int from ' 1': expected an integer within the range of the type"
)]
#[case(
    "varint",
    "1.0",
    "Unable to make varint from '1.0': expected an integer"
)]
#[case(
    "float",
    "inf",
    "Unable to make float from 'inf': expected a number, NaN or Infinity"
)]
#[case(
    "double",
    "1e",
    "Unable to make double from '1e': expected a number, NaN or Infinity"
)]
#[case(
    "boolean",
    "yes",
    "Unable to make boolean from 'yes': expected true or false"
)]
#[case(
    "blob",
    "0xabc",
    "Unable to make blob from '0xabc': expected an even number of hex digits"
)]
#[case(
    "inet",
    "localhost",
    "Unable to make inet from 'localhost': expected an IPv4 or IPv6 address"
)]
#[case(
    "uuid",
    "cc520882950744fb8fc9b349ecdee658",
    "Unable to make uuid from 'cc520882950744fb8fc9b349ecdee658': expected xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
)]
#[case(
    "timeuuid",
    "cc520882-9507-44fb-8fc9-b349ecdee658",
    "Unable to make timeuuid from 'cc520882-9507-44fb-8fc9-b349ecdee658': TimeUUID supports only version 1 UUIDs"
)]
#[case(
    "tinyint",
    "",
    "Unable to make tinyint from '': the type has no empty value"
)]
#[case(
    "list<int>",
    "[1]",
    "Expected a value of type list, got one of type constant"
)]
fn other_text_is_refused(#[case] ty: &str, #[case] text: &str, #[case] message: &str) {
    let ty = parse_type(ty, &|_| None).unwrap();
    assert_eq!(parse_scalar(&ty, text).unwrap_err().to_string(), message);
}

#[test]
fn long_text_is_shortened_in_errors() {
    let error = parse_scalar(&CqlType::Int, &"9".repeat(100_000)).unwrap_err();
    assert!(error.to_string().len() < 200);
}

#[test]
fn what_is_not_of_the_type_is_shown_as_bytes() {
    assert_eq!(to_literal(&CqlType::Int, &[1, 2]), "0x0102");
}

#[test]
fn udt_fields_are_quoted_where_needed() {
    let mut draw = Draw(&[10, 0, 10, 0, 10]);
    let ty = draw.ty(1);
    assert_eq!(ty.to_string(), "frozen<\"Pair\">");
    let bytes = [&[0, 0, 0, 8][..], &1_i64.to_be_bytes(), &[0xff; 4]].concat();
    let ty = match ty {
        CqlType::Udt { mut def, frozen } => {
            let fields = &mut std::sync::Arc::make_mut(&mut def).fields;
            fields[0].1 = CqlType::BigInt;
            CqlType::Udt { def, frozen }
        }
        other => panic!("{other}"),
    };
    assert_eq!(to_literal(&ty, &bytes), "{a: 1, \"B\": null}");
}

proptest! {
    #[test]
    fn literals_of_scalars_parse_back(ty in 0..19_u8, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let ty = Draw(&[ty]).ty(0);
        let bytes = Draw(&bytes).value(&ty);
        let literal = to_literal(&ty, &bytes);
        let constant = match literal.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            Some(text) => text.replace("''", "'"),
            None if literal.starts_with("blob_as_") => String::new(),
            None => literal,
        };
        let empty_boolean = ty == CqlType::Boolean && bytes.is_empty();
        prop_assume!(!empty_boolean);
        let again = parse_scalar(&ty, &constant).unwrap();
        let mapped = |bytes: &[u8]| match decode(&ty, bytes).unwrap() {
            Value::Inet(std::net::IpAddr::V6(v6)) => v6.to_ipv4_mapped().is_some(),
            _ => false,
        };
        prop_assert!(cql_types::compare(&ty, &again, &bytes).is_eq() || mapped(&bytes), "{} {}", ty, constant);
    }

    #[test]
    fn no_text_panics(ty in 0..19_u8, text in "\\PC{0,24}|[-+0-9.:eETPZµ ymdhs]{0,24}") {
        let ty = Draw(&[ty]).ty(0);
        if let Ok(bytes) = parse_scalar(&ty, &text) {
            prop_assert!(decode(&ty, &bytes).is_ok());
        }
    }
}
