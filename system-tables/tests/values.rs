//! Values written by the accessors are values of CQL, and come back as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use cql_types::{CqlDuration, CqlType, Uuid, ValueError, parse_type, validate};
use proptest::prelude::*;
use system_tables::types::TabletStage;
use system_tables::{Date, FromCql, Time, Timestamp, ToCql};

fn ty(text: &str) -> CqlType {
    parse_type(text, &|_| None).expect("a type")
}

#[track_caller]
fn comes_back<T: ToCql + FromCql + PartialEq + std::fmt::Debug>(text: &str, value: &T) {
    let ty = ty(text);
    let mut bytes = Vec::new();
    value.to_cql(&ty, &mut bytes).expect("a value");
    assert_eq!(validate(&ty, &bytes), Ok(()), "{text}");
    assert_eq!(
        &T::from_cql(&ty, &bytes).expect("the same value"),
        value,
        "{text}"
    );
}

#[test]
fn extremes() {
    comes_back("tinyint", &i8::MIN);
    comes_back("smallint", &i16::MIN);
    comes_back("int", &i32::MIN);
    comes_back("bigint", &i64::MIN);
    comes_back("double", &f64::NEG_INFINITY);
    comes_back("float", &-0.0_f32);
    comes_back("boolean", &true);
    comes_back("date", &Date(u32::MAX));
    comes_back("time", &Time(86_399_999_999_999));
    comes_back("timestamp", &Timestamp(i64::MIN));
    comes_back(
        "duration",
        &CqlDuration {
            months: -1,
            days: -2,
            nanos: -3,
        },
    );
    comes_back("inet", &IpAddr::from([0_u16; 8]));
    comes_back("inet", &IpAddr::from([127, 0, 0, 1]));
    comes_back("uuid", &Uuid::max());
    comes_back("text", &String::new());
    comes_back("blob", &Vec::<u8>::new());
    comes_back("text", &TabletStage::UseNew);
    comes_back("vector<float, 3>", &vec![1.0_f32, 2.0, 3.0]);
    comes_back("vector<text, 2>", &vec!["a".to_owned(), String::new()]);
    comes_back("tuple<int, text>", &(1_i32, "a".to_owned()));
    comes_back("frozen<list<int>>", &Vec::<i32>::new());
}

#[test]
fn what_is_not_of_the_type_is_refused() {
    fn read<T: FromCql>(text: &str, bytes: &[u8]) -> Option<ValueError> {
        T::from_cql(&ty(text), bytes).err()
    }
    assert!(read::<i32>("int", &[0; 3]).is_some());
    assert!(read::<i32>("int", &[]).is_some());
    assert!(read::<bool>("boolean", &[]).is_some());
    assert!(read::<String>("text", &[0xff]).is_some());
    assert!(read::<String>("ascii", "é".as_bytes()).is_some());
    assert!(read::<IpAddr>("inet", &[1, 2, 3]).is_some());
    assert!(read::<Uuid>("uuid", &[0; 15]).is_some());
    assert!(read::<Vec<i32>>("frozen<list<int>>", &[0, 0, 0, 9]).is_some());
    assert!(read::<Vec<i32>>("frozen<set<int>>", &[0, 0, 0, 0]).is_some());
    assert!(read::<Vec<f32>>("vector<float, 3>", &[0; 8]).is_some());
    assert!(read::<(i32, String)>("tuple<int, text>", &[0, 0, 0, 4, 0, 0, 0, 1]).is_some());
    assert!(read::<TabletStage>("text", b"nowhere").is_some());
    assert!(
        vec![1.0_f32]
            .to_cql(&ty("vector<float, 3>"), &mut Vec::new())
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn collections_are_stored_in_the_order_of_cql(
        numbers in prop::collection::btree_set(any::<i64>(), 0..8),
        uuids in prop::collection::btree_set(any::<u128>().prop_map(Uuid::from_u128), 0..8),
        texts in prop::collection::btree_map(".{0,4}", prop::collection::vec(any::<u8>(), 0..4), 0..8),
        pairs in prop::collection::vec((any::<i32>(), ".{0,4}"), 0..4),
    ) {
        comes_back::<BTreeSet<i64>>("frozen<set<bigint>>", &numbers);
        comes_back::<BTreeSet<Uuid>>("frozen<set<uuid>>", &uuids);
        comes_back::<BTreeMap<String, Vec<u8>>>("frozen<map<text, blob>>", &texts);
        comes_back("frozen<list<frozen<tuple<int, text>>>>", &pairs);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _read = <Vec<(i32, String)>>::from_cql(&ty("frozen<list<frozen<tuple<int, text>>>>"), &bytes);
        let _read = <BTreeMap<Uuid, BTreeSet<i8>>>::from_cql(&ty("frozen<map<uuid, frozen<set<tinyint>>>>"), &bytes);
        let _read = <Vec<String>>::from_cql(&ty("vector<text, 4>"), &bytes);
        let _read = CqlDuration::from_cql(&ty("duration"), &bytes);
    }
}
