//! Serialized values: validation, order, trees, canonical form.

use crate::draw::Draw;
use cql_types::{
    CqlDuration, CqlType, Value, ValueError, compare, decode, encode, normalize, parse_type,
    to_literal, validate,
};
use proptest::prelude::*;
use rstest::rstest;
use std::cmp::Ordering;

fn ty(text: &str) -> CqlType {
    parse_type(text, &|_| None).unwrap()
}

fn serialized(value: &Value, ty: &CqlType) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, ty, &mut out).unwrap();
    out
}

#[rstest]
#[case("int", &[0, 0, 1], "Expected 4 or 0 byte int (3)")]
#[case("bigint", &[0; 4], "Expected 8 or 0 byte bigint (4)")]
#[case("boolean", &[0; 2], "Expected 1 or 0 byte boolean (2)")]
#[case("tinyint", &[], "Expected 1 byte tinyint (0)")]
#[case("smallint", &[], "Expected 2 byte smallint (0)")]
#[case("date", &[], "Expected 4 byte date (0)")]
#[case("time", &[], "Expected 8 byte time (0)")]
#[case("time", &[0xff; 8], "Invalid time: not within 0..86399999999999 nanoseconds")]
#[case("uuid", &[0; 15], "Expected 16 or 0 byte uuid (15)")]
#[case("timeuuid", &[0; 16], "Invalid timeuuid: Invalid version for TimeUUID type.")]
#[case("inet", &[0; 5], "Invalid inet: an address has 4 or 16 bytes")]
#[case("decimal", &[0; 4], "Invalid decimal: expected 0 or at least 5 bytes")]
#[case("duration", &[], "Invalid duration: expected three variable-length integers")]
#[case("ascii", &[0x80], "Invalid ascii: a byte above 127")]
#[case("text", &[0xc0, 0x80], "Invalid text: the bytes are not UTF-8")]
#[case("list<int>", &[0, 0, 0, 1, 0, 0, 0, 4, 0, 0], "Invalid list: not enough bytes to read it")]
#[case("list<int>", &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff], "Invalid list: null is not supported inside collections")]
#[case("list<int>", &[0, 0, 0, 0, 0], "Invalid list: unexpected bytes after its last element")]
#[case("set<int>", &[0, 0, 0, 1, 0, 0, 0, 1, 0], "Expected 4 or 0 byte int (1)")]
#[case("map<int, int>", &[0, 0, 0, 1, 0, 0, 0, 0], "Invalid map: not enough bytes to read it")]
#[case("tuple<int>", &[0, 0, 0, 0, 0], "Invalid tuple: unexpected bytes after the last component")]
#[case("tuple<int>", &[0, 0, 0, 2, 0], "Invalid tuple: not enough bytes to read a component")]
#[case("vector<float, 2>", &[0; 7], "Invalid vector: not enough bytes to read an element")]
#[case("vector<float, 2>", &[], "Invalid vector: Invalid empty vector value")]
#[case("vector<float, 2>", &[0; 9], "Invalid vector: unexpected bytes after the last element")]
fn invalid_bytes_say_why(#[case] name: &str, #[case] bytes: &[u8], #[case] message: &str) {
    assert_eq!(validate(&ty(name), bytes).unwrap_err().to_string(), message);
}

#[test]
fn empty_is_a_value_of_most_types() {
    for name in [
        "ascii",
        "bigint",
        "blob",
        "boolean",
        "counter",
        "decimal",
        "double",
        "float",
        "inet",
        "int",
        "text",
        "timestamp",
        "timeuuid",
        "uuid",
        "varint",
        "list<int>",
        "map<int, int>",
        "tuple<int>",
    ] {
        assert_eq!(validate(&ty(name), &[]), Ok(()), "{name}");
        assert_eq!(compare(&ty(name), &[], &[]), Ordering::Equal);
    }
    assert_eq!(
        compare(&CqlType::Int, &[], &i32::MIN.to_be_bytes()),
        Ordering::Less
    );
    assert_eq!(
        compare(&CqlType::Decimal, &[0, 0, 0, 0, 0x80], &[]),
        Ordering::Greater
    );
}

/// Each line is in ascending order.
#[rstest]
#[case("tinyint", &["80", "ff", "00", "7f"])]
#[case("boolean", &["00", "02"])]
#[case("date", &["00000000", "7fffffff", "80000000"])]
#[case("float", &["ff800000", "bf800000", "80000000", "00000000", "3f800000", "7f800000", "7fc00000"])]
#[case("double", &["fff0000000000000", "8000000000000000", "0000000000000000", "7ff8000000000000"])]
#[case("varint", &["ff0000", "ff7f", "80", "ff", "00", "01", "7f", "0080", "00ff", "0100"])]
#[case("inet", &["00000000000000000000000000000001", "00000001", "7f000001"])]
// Version 1 before 4; within version 1 by time.
#[case("uuid", &[
    "ffffffff000011e60000000000000000",
    "00000000000111e60000000000000000",
    "00000000000042000000000000000000",
])]
// By time, then by signed bytes.
#[case("timeuuid", &[
    "000000000000100080ffffffffffffff",
    "0000000000001000ff00000000000000",
    "00000000000010000000000000000000",
    "00000000000010007f00000000000000",
    "00000001000010008000000000000000",
])]
#[case("list<tinyint>", &["", "00000000", "0000000100000001ff", "000000010000000101", "00000002000000010100000001ff"])]
#[case("tuple<tinyint, tinyint>", &["", "ffffffff", "ffffffff00000001ff", "00000001ff", "00000001ff00000001ff"])]
fn values_in_order(#[case] name: &str, #[case] ascending: &[&str]) {
    let ty = ty(name);
    let values: Vec<_> = ascending
        .iter()
        .map(|text| cql_types::parse_scalar(&CqlType::Blob, text).unwrap())
        .collect();
    for (at, a) in values.iter().enumerate() {
        assert_eq!(validate(&ty, a), Ok(()), "{a:02x?}");
        for (bt, b) in values.iter().enumerate() {
            assert_eq!(compare(&ty, a, b), at.cmp(&bt), "{a:02x?} {b:02x?}");
        }
    }
}

#[test]
fn equal_in_cql_is_not_equal_in_bytes() {
    let nan = |bits: u32| bits.to_be_bytes();
    assert_eq!(
        compare(&CqlType::Float, &nan(0x7fc0_0000), &nan(0xffff_ffff)),
        Ordering::Equal
    );
    assert_eq!(compare(&CqlType::Varint, &[0, 0, 5], &[5]), Ordering::Equal);
    assert_eq!(compare(&CqlType::Boolean, &[1], &[7]), Ordering::Equal);
    let missing = serialized(
        &Value::Tuple(vec![Some(Value::Int(1))]),
        &ty("tuple<int, int>"),
    );
    let null = serialized(
        &Value::Tuple(vec![Some(Value::Int(1)), None]),
        &ty("tuple<int, int>"),
    );
    assert_ne!(missing, null);
    assert_eq!(
        compare(&ty("tuple<int, int>"), &missing, &null),
        Ordering::Equal
    );
}

#[test]
fn sets_and_maps_are_encoded_in_order() {
    let set = Value::Set(vec![Value::Int(3), Value::Int(-1), Value::Int(3)]);
    let bytes = serialized(&set, &ty("set<int>"));
    let sorted = Value::Set(vec![Value::Int(-1), Value::Int(3)]);
    assert_eq!(decode(&ty("set<int>"), &bytes), Ok(sorted));

    let pair = |key: &str, value| (Value::Text(key.to_owned()), Value::Int(value));
    let map = Value::Map(vec![pair("b", 1), pair("a", 2), pair("b", 3)]);
    let bytes = serialized(&map, &ty("map<text, int>"));
    assert_eq!(
        decode(&ty("map<text, int>"), &bytes),
        Ok(Value::Map(vec![pair("a", 2), pair("b", 3)]))
    );
}

#[test]
fn normalize_sorts_what_clients_send() {
    let nested = ty("tuple<list<frozen<set<tinyint>>>, int>");
    // One list of one set of 2, 1, 2.
    let set = [
        &[0, 0, 0, 3][..],
        &[0, 0, 0, 1, 2],
        &[0, 0, 0, 1, 1],
        &[0, 0, 0, 1, 2],
    ]
    .concat();
    let list = [&[0, 0, 0, 1, 0, 0, 0, 19][..], &set].concat();
    let tuple = [&[0, 0, 0, 27][..], &list].concat();
    let normal = normalize(&nested, &tuple).unwrap();
    assert_eq!(to_literal(&nested, &normal), "([{1, 2}])");
    let again = normalize(&nested, &normal).unwrap();
    assert!(matches!(again, std::borrow::Cow::Borrowed(_)));
    assert!(normalize(&nested, &tuple[1..]).is_err());
}

#[test]
fn a_value_of_another_type_is_refused() {
    let mut out = Vec::new();
    let error = encode(&Value::Text("1".to_owned()), &CqlType::Int, &mut out).unwrap_err();
    assert_eq!(
        error,
        ValueError::WrongKind {
            expected: "int",
            found: "text"
        }
    );
    let bad = CqlDuration {
        months: 1,
        days: -1,
        nanos: 0,
    };
    assert!(encode(&Value::Duration(bad), &CqlType::Duration, &mut out).is_err());
    assert!(
        encode(
            &Value::Vector(vec![Value::Float(1.0)]),
            &ty("vector<float, 2>"),
            &mut out
        )
        .is_err()
    );
    assert!(encode(&Value::Ascii("é".to_owned()), &CqlType::Ascii, &mut out).is_err());
    assert!(encode(&Value::Empty, &CqlType::TinyInt, &mut out).is_err());
    assert!(encode(&Value::Tuple(vec![None, None]), &ty("tuple<int>"), &mut out).is_err());
}

proptest! {
    #[test]
    fn trees_and_back(ty in prop::collection::vec(any::<u8>(), 0..12), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let ty = Draw(&ty).ty(3);
        let bytes = Draw(&bytes).value(&ty);
        prop_assert_eq!(validate(&ty, &bytes), Ok(()));
        let again = serialized(&decode(&ty, &bytes).unwrap(), &ty);
        prop_assert_eq!(compare(&ty, &again, &bytes), Ordering::Equal);
    }

    #[test]
    fn order_is_transitive(ty in prop::collection::vec(any::<u8>(), 0..8), bytes in prop::collection::vec(any::<u8>(), 0..90)) {
        let ty = Draw(&ty).ty(2);
        let mut draw = Draw(&bytes);
        let mut values: Vec<_> = (0..4).map(|_| draw.value(&ty)).collect();
        values.sort_by(|a, b| compare(&ty, a, b));
        for (at, a) in values.iter().enumerate() {
            for b in &values[at..] {
                prop_assert!(compare(&ty, a, b).is_le());
            }
        }
    }

    #[test]
    fn any_bytes_are_judged(ty in prop::collection::vec(any::<u8>(), 0..12), bytes: Vec<u8>) {
        let ty = Draw(&ty).ty(3);
        let verdict = validate(&ty, &bytes);
        prop_assert_eq!(verdict.is_ok(), decode(&ty, &bytes).is_ok());
        prop_assert_eq!(verdict.is_ok(), normalize(&ty, &bytes).is_ok());
        prop_assert!(!to_literal(&ty, &bytes).is_empty());
    }
}
