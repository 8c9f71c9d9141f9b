//! Order-preserving keys: golden bytes, and what holds for all values.

use crate::draw::Draw;
use cql_types::{
    BoundKind, ClusteringDecoder, ComponentOrder, CqlType, MAX_KEY_BYTES, PartitionKey,
    bound_bytes, compare, decode_clustering, decode_partition_key, decode_value, encode_clustering,
    encode_clustering_prefix, encode_partition_key, encode_value, is_exact, is_lossless,
    parse_scalar, parse_type, split_partition_key,
};
use proptest::prelude::*;
use std::cmp::Ordering;

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    parse_scalar(&CqlType::Blob, &digits).unwrap()
}

/// The value of a golden line, serialized.
fn golden_value(ty: &CqlType, text: &str) -> Vec<u8> {
    match (text, text.strip_prefix("hex ")) {
        ("empty", _) => Vec::new(),
        (_, Some(bytes)) => hex(bytes),
        (constant, None) => parse_scalar(ty, constant).unwrap(),
    }
}

/// The fields of the lines that are neither empty nor comments.
fn lines(golden: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = golden
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('|').map(str::trim).collect())
}

fn encoded(types: &[(CqlType, ComponentOrder)], values: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_clustering(types, values, &mut out).unwrap();
    out
}

#[test]
fn golden_keys() {
    for line in lines(include_str!("../golden/keys.txt")) {
        let [ty, order, value, expected] = line[..] else {
            panic!("{line:?}");
        };
        let order = if order == "desc" {
            ComponentOrder::Desc
        } else {
            ComponentOrder::Asc
        };
        let types = [(parse_type(ty, &|_| None).unwrap(), order)];
        let value = golden_value(&types[0].0, value);
        let key = encoded(&types, &[&value]);
        assert_eq!(key, hex(expected), "{line:?} {key:02x?}");
        let decoded = decode_clustering(&types, &key).unwrap();
        assert_eq!(
            compare(&types[0].0, &decoded[0], &value),
            Ordering::Equal,
            "{line:?}"
        );
    }
}

#[test]
fn golden_bounds() {
    let types = [
        (CqlType::Int, ComponentOrder::Asc),
        (CqlType::Text, ComponentOrder::Asc),
    ];
    let mut last = Vec::new();
    for line in lines(include_str!("../golden/bounds.txt")) {
        let [kind, values, expected] = line[..] else {
            panic!("{line:?}");
        };
        let values = values.split_whitespace().zip(&types);
        let values: Vec<_> = values
            .map(|(text, (ty, _))| golden_value(ty, text))
            .collect();
        let values: Vec<_> = values.iter().map(Vec::as_slice).collect();
        let mut prefix = Vec::new();
        encode_clustering_prefix(&types, &values, &mut prefix).unwrap();
        let position = match kind {
            "key" => encoded(&types, &values),
            "start-inclusive" => bound_bytes(&prefix, BoundKind::StartInclusive),
            "start-exclusive" => bound_bytes(&prefix, BoundKind::StartExclusive),
            "end-inclusive" => bound_bytes(&prefix, BoundKind::EndInclusive),
            "end-exclusive" => bound_bytes(&prefix, BoundKind::EndExclusive),
            other => panic!("{other}"),
        };
        assert_eq!(position, hex(expected), "{line:?}");
        assert!(last < position, "{line:?}");
        last = position;
    }
}

#[test]
fn no_clustering_columns_is_a_key_too() {
    assert_eq!(encoded(&[], &[]), [0x38]);
    assert_eq!(decode_clustering(&[], &[0x38]), Ok(Vec::new()));
}

#[test]
fn what_does_not_fit_is_refused() {
    let types = [(CqlType::Int, ComponentOrder::Asc)];
    let mut out = Vec::new();
    assert!(encode_clustering(&types, &[], &mut out).is_err());
    assert!(encode_clustering(&types, &[b"four", b"four"], &mut out).is_err());
    assert!(encode_clustering(&types, &[b"three"], &mut out).is_err());
    let blobs = [(CqlType::Blob, ComponentOrder::Asc)];
    assert!(encode_clustering(&blobs, &[&vec![0; MAX_KEY_BYTES + 1]], &mut out).is_err());
    assert!(encode_value(&CqlType::Decimal, &[0, 0, 0, 0], &mut out).is_err());
}

#[test]
fn the_longest_values_are_keys() {
    for fill in [0_u8, 1, 0x38, 0x7f, 0x80, 0xfe, 0xff] {
        let bytes = vec![fill; MAX_KEY_BYTES];
        for ty in [CqlType::Blob, CqlType::Varint] {
            for order in [ComponentOrder::Asc, ComponentOrder::Desc] {
                let types = [(ty.clone(), order)];
                let key = encoded(&types, &[&bytes]);
                assert!(key.len() <= MAX_KEY_BYTES + 8);
                let decoded = decode_clustering(&types, &key).unwrap();
                assert_eq!(compare(&ty, &decoded[0], &bytes), Ordering::Equal);
            }
        }
        let mut key = Vec::new();
        encode_partition_key(&bytes, &mut key);
        assert_eq!(decode_partition_key(&key), Ok((bytes, &[][..])));
    }
}

#[test]
fn the_longest_decimal_is_a_key() {
    let types = [(CqlType::Decimal, ComponentOrder::Asc)];
    let mut bytes = vec![0x5a; MAX_KEY_BYTES];
    bytes[..4].copy_from_slice(&7_i32.to_be_bytes());
    let key = encoded(&types, &[&bytes]);
    let decoded = decode_clustering(&types, &key).unwrap();
    assert!(compare(&CqlType::Decimal, &decoded[0], &bytes).is_eq());
    assert!(key.len() < 2 * MAX_KEY_BYTES);
}

/// Eight times two values of one type, each pair of bytes drawn from its own string; often equal.
fn values() -> impl Strategy<Value = Vec<(CqlType, Vec<u8>, Vec<u8>)>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let pair = (bytes(), bytes(), bytes(), any::<bool>()).prop_map(|(ty, a, b, alike)| {
        let ty = Draw(&ty).ty(2);
        let b = if alike {
            // The same start, another end.
            let mut mixed = a.clone();
            mixed.truncate(a.len() / 2);
            mixed.extend(b);
            mixed
        } else {
            b
        };
        let (a, b) = (Draw(&a).value(&ty), Draw(&b).value(&ty));
        (ty, a, b)
    });
    prop::collection::vec(pair, 8)
}

proptest! {
    #[test]
    fn byte_order_is_cql_order(pairs in values()) {
        for (ty, a, b) in pairs {
        let expected = compare(&ty, &a, &b);
        prop_assert_eq!(compare(&ty, &b, &a), expected.reverse());
        let asc = [(ty.clone(), ComponentOrder::Asc)];
        let desc = [(ty.clone(), ComponentOrder::Desc)];
        let (up_a, up_b) = (encoded(&asc, &[&a]), encoded(&asc, &[&b]));
        prop_assert_eq!(up_a.cmp(&up_b), expected, "{}: {:02x?} {:02x?}", ty, up_a, up_b);
        let (down_a, down_b) = (encoded(&desc, &[&a]), encoded(&desc, &[&b]));
        prop_assert_eq!(down_a.cmp(&down_b), expected.reverse(), "{}: {:02x?} {:02x?}", ty, down_a, down_b);
        let (mut value_a, mut value_b) = (Vec::new(), Vec::new());
        encode_value(&ty, &a, &mut value_a).unwrap();
        encode_value(&ty, &b, &mut value_b).unwrap();
        prop_assert_eq!(value_a.cmp(&value_b), expected);
        for (a, b) in [(&up_a, &up_b), (&down_a, &down_b)] {
            prop_assert!(a == b || !a.starts_with(b) && !b.starts_with(a), "{}: a prefix", ty);
        }
        }
    }

    #[test]
    fn decoding_gives_an_equal_value(pairs in values()) {
        for (ty, a, _) in pairs {
        for order in [ComponentOrder::Asc, ComponentOrder::Desc] {
            let types = [(ty.clone(), order), (CqlType::Blob, order)];
            let key = encoded(&types, &[&a, b"\0x\0"]);
            let decoded = decode_clustering(&types, &key).unwrap();
            prop_assert_eq!(&decoded[1], b"\0x\0");
            prop_assert_eq!(compare(&ty, &decoded[0], &a), Ordering::Equal, "{}", ty);
            if is_exact(&ty, &a) {
                prop_assert_eq!(&decoded[0], &a, "{}", ty);
            } else {
                prop_assert!(!is_lossless(&ty));
            }
            prop_assert!(is_exact(&ty, &decoded[0]) || !is_lossless(&ty));
            prop_assert_eq!(encoded(&types, &[&decoded[0], &decoded[1]]), key);
        }
        let (mut key, mut value) = (Vec::new(), Vec::new());
        encode_value(&ty, &a, &mut key).unwrap();
        decode_value(&ty, &key, &mut value).unwrap();
        prop_assert_eq!(compare(&ty, &value, &a), Ordering::Equal);
        }
    }

    #[test]
    fn several_columns_order_by_the_first_that_differs(
        types in prop::collection::vec(any::<u8>(), 0..20),
        a in prop::collection::vec(any::<u8>(), 0..60),
        b in prop::collection::vec(any::<u8>(), 0..60),
        shared in 0..3_usize,
    ) {
        let mut draw = Draw(&types);
        let types: Vec<_> = (0..3).map(|_| {
            let order = if draw.below(2) == 0 { ComponentOrder::Asc } else { ComponentOrder::Desc };
            (draw.ty(1), order)
        }).collect();
        let mut draw = Draw(&a);
        let a: Vec<_> = types.iter().map(|(ty, _)| draw.value(ty)).collect();
        let mut draw = Draw(&b);
        let mut b: Vec<_> = types.iter().map(|(ty, _)| draw.value(ty)).collect();
        b[..shared].clone_from_slice(&a[..shared]);

        let by_column = types.iter().zip(a.iter().zip(&b)).map(|((ty, order), (a, b))| match order {
            ComponentOrder::Asc => compare(ty, a, b),
            ComponentOrder::Desc => compare(ty, b, a),
        });
        let by_column: Vec<_> = by_column.collect();
        let expected = by_column.iter().copied().find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
        let a: Vec<_> = a.iter().map(Vec::as_slice).collect();
        let b: Vec<_> = b.iter().map(Vec::as_slice).collect();
        let (key_a, key_b) = (encoded(&types, &a), encoded(&types, &b));
        prop_assert_eq!(key_a.cmp(&key_b), expected);
        prop_assert!(key_a == key_b || !key_a.starts_with(&key_b) && !key_b.starts_with(&key_a));

        // Positions around the first columns of `a`.
        let mut prefix = Vec::new();
        encode_clustering_prefix(&types, &a[..shared], &mut prefix).unwrap();
        let before = bound_bytes(&prefix, BoundKind::StartInclusive);
        let after = bound_bytes(&prefix, BoundKind::EndInclusive);
        prop_assert_eq!(&before, &bound_bytes(&prefix, BoundKind::EndExclusive));
        prop_assert_eq!(&after, &bound_bytes(&prefix, BoundKind::StartExclusive));
        prop_assert!(before < key_a && key_a < after);
        prop_assert!(before < key_b && key_b < after);
        for differs in 0..shared {
            let mut other = a.clone();
            other[differs] = b[2];
            let types_fit = types[differs].0 == types[2].0;
            if types_fit && compare(&types[differs].0, other[differs], a[differs]).is_ne() {
                let key = encoded(&types, &other);
                prop_assert!(key < before || key > after);
            }
        }
    }

    #[test]
    fn partition_keys_are_lossless_and_ordered(
        a in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xfe), Just(0xff), Just(0x38), any::<u8>()], 0..12),
        b in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xfe), Just(0xff), Just(0x38), any::<u8>()], 0..12),
        rest: Vec<u8>,
    ) {
        let (mut key_a, mut key_b) = (Vec::new(), Vec::new());
        encode_partition_key(&a, &mut key_a);
        encode_partition_key(&b, &mut key_b);
        prop_assert_eq!(key_a.cmp(&key_b), a.cmp(&b));
        prop_assert!(a == b || !key_a.starts_with(&key_b));
        let key = key_a.clone();
        key_a.extend(&rest);
        prop_assert_eq!(decode_partition_key(&key_a), Ok((a, &rest[..])));
        prop_assert_eq!(split_partition_key(&key_a), Ok((&key[..], &rest[..])));
    }

    #[test]
    fn other_bytes_never_panic(ty in prop::collection::vec(any::<u8>(), 0..12), bytes: Vec<u8>) {
        let ty = Draw(&ty).ty(2);
        let mut out = Vec::new();
        let _ = encode_value(&ty, &bytes, &mut out);
        let _ = decode_value(&ty, &bytes, &mut out);
        let _ = compare(&ty, &bytes, &out);
        let _ = is_exact(&ty, &bytes);
        let _ = decode_partition_key(&bytes);
        let _ = split_partition_key(&bytes);
        let types = [(ty, ComponentOrder::Desc)];
        let mut marked = vec![0x40];
        marked.extend(&bytes);
        let _ = ClusteringDecoder::new(&types, &marked).next_into(&mut out);
        if let Ok(key) = PartitionKey::from_bytes(bytes.into()) {
            let _ = key.components(2).map(Iterator::count);
        }
    }
}
