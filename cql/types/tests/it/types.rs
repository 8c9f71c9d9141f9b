//! Names of types, both ways.

use crate::draw::Draw;
use cql_types::{
    CqlType, MAX_TYPE_DEPTH, TypeParseError, UdtType, java_class_name, parse_java_class_name,
    parse_type,
};
use proptest::prelude::*;
use rstest::rstest;
use std::sync::Arc;

fn address() -> Arc<UdtType> {
    let list = CqlType::List {
        element: Arc::new(CqlType::Int),
        frozen: false,
    };
    let fields = vec![
        (Arc::from("street"), CqlType::Text),
        (Arc::from("Nr"), list),
    ];
    Arc::new(UdtType {
        keyspace: Arc::from("ks"),
        name: Arc::from("Address"),
        fields,
    })
}

fn resolve(name: &str) -> Option<Arc<UdtType>> {
    (name == "Address").then(address)
}

#[rstest]
#[case("int", "int")]
#[case("VARCHAR", "text")]
#[case(" set < text > ", "set<text>")]
#[case("map<text,frozen<list<int>>>", "map<text, frozen<list<int>>>")]
#[case("frozen<list<set<int>>>", "frozen<list<frozen<set<int>>>>")]
#[case("tuple<int, text>", "frozen<tuple<int, text>>")]
#[case(
    "frozen<tuple<int,list<int>>>",
    "frozen<tuple<int, frozen<list<int>>>>"
)]
#[case("list<tuple<int>>", "list<frozen<tuple<int>>>")]
#[case("vector<float,3>", "vector<float, 3>")]
#[case("vector<set<int>, 65535>", "vector<frozen<set<int>>, 65535>")]
#[case("\"Address\"", "\"Address\"")]
#[case("ks.\"Address\"", "\"Address\"")]
#[case("frozen<\"Address\">", "frozen<\"Address\">")]
#[case("list<frozen<\"Address\">>", "list<frozen<\"Address\">>")]
#[case("'org.apache.cassandra.db.marshal.UTF8Type'", "text")]
fn cql_text(#[case] text: &str, #[case] canonical: &str) {
    let ty = parse_type(text, &resolve).unwrap();
    assert_eq!(ty.to_string(), canonical);
    assert_eq!(parse_type(canonical, &resolve), Ok(ty));
}

#[rstest]
#[case("", "not a type: expected the name of a type at character 0")]
#[case("list", "Unknown type list")]
#[case("list<int", "not a type: expected > at character 8")]
#[case("list<int>>", "not a type: expected the end at character 9")]
#[case("array<int>", "Unknown type array")]
#[case("map<int>", "not a type: expected , at character 7")]
#[case(
    "vector<float, 0>",
    "not a type: expected a number of dimensions from 1 to 65535 at character 14"
)]
#[case(
    "vector<float, 70000>",
    "not a type: expected a number of dimensions from 1 to 65535 at character 14"
)]
#[case("address", "Unknown type address")]
#[case("other.\"Address\"", "Unknown type Address")]
#[case("\"Address", "not a type: expected a closing quote at character 8")]
#[case(
    "list<set<int>>",
    "Non-frozen collections and user types are not allowed inside collections: write frozen<set<int>>"
)]
#[case(
    "map<int, \"Address\">",
    "Non-frozen collections and user types are not allowed inside collections: write frozen<\"Address\">"
)]
#[case(
    "frozen<int>",
    "not a type: expected a collection, tuple or user type inside frozen<> at character 7"
)]
fn what_is_not_a_type(#[case] text: &str, #[case] message: &str) {
    assert_eq!(parse_type(text, &resolve).unwrap_err().to_string(), message);
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        format!(
            "{}int{}",
            "frozen<list<".repeat(levels),
            ">>".repeat(levels)
        )
    };
    assert!(parse_type(&nested(MAX_TYPE_DEPTH - 1), &resolve).is_ok());
    assert_eq!(
        parse_type(&nested(MAX_TYPE_DEPTH), &resolve),
        Err(TypeParseError::TooDeep)
    );
    assert_eq!(
        parse_type(&nested(100_000), &resolve),
        Err(TypeParseError::TooDeep)
    );
    let class = "ListType(".repeat(100_000);
    assert_eq!(parse_java_class_name(&class), Err(TypeParseError::TooDeep));
}

const M: &str = "org.apache.cassandra.db.marshal.";

#[rstest]
#[case("vector<float, 3>", "VectorType(~FloatType , 3)")]
#[case("list<int>", "ListType(~Int32Type)")]
#[case(
    "frozen<map<text, frozen<set<uuid>>>>",
    "FrozenType(~MapType(~UTF8Type,~SetType(~UUIDType)))"
)]
#[case(
    "list<frozen<set<blob>>>",
    "ListType(~FrozenType(~SetType(~BytesType)))"
)]
#[case(
    "tuple<int, frozen<list<int>>>",
    "TupleType(~Int32Type,~ListType(~Int32Type))"
)]
#[case(
    "vector<frozen<list<int>>, 2>",
    "VectorType(~FrozenType(~ListType(~Int32Type)) , 2)"
)]
#[case(
    "\"Address\"",
    "UserType(ks,41646472657373,737472656574:~UTF8Type,4e72:~ListType(~Int32Type))"
)]
#[case(
    "frozen<\"Address\">",
    "FrozenType(~UserType(ks,41646472657373,737472656574:~UTF8Type,4e72:~ListType(~Int32Type)))"
)]
fn class_names(#[case] text: &str, #[case] class: &str) {
    let ty = parse_type(text, &resolve).unwrap();
    let class = format!("{M}{}", class.replace('~', M));
    assert_eq!(java_class_name(&ty), class);
    let parsed = parse_java_class_name(&class).unwrap();
    assert_eq!(parsed.to_string(), ty.to_string());
    assert_eq!(java_class_name(&parsed), class);
    let reversed = format!("{M}ReversedType({class})");
    assert_eq!(parse_java_class_name(&reversed), Ok(parsed));
}

#[rstest]
#[case("ListType(Int32Type)", "list<int>")]
#[case("DateType", "timestamp")]
#[case("VectorType(FloatType,3)", "vector<float, 3>")]
fn class_names_as_others_write_them(#[case] class: &str, #[case] cql: &str) {
    assert_eq!(parse_java_class_name(class).unwrap().to_string(), cql);
}

#[rstest]
#[case("")]
#[case("NoType")]
#[case("ListType")]
#[case("ListType(Int32Type")]
#[case("VectorType(FloatType)")]
#[case("UserType(ks,zz)")]
#[case("Int32Type)")]
fn other_class_names_are_refused(#[case] class: &str) {
    assert!(parse_java_class_name(class).is_err());
}

#[test]
fn freezing_reaches_everything_inside() {
    let ty = parse_type("map<text, frozen<\"Address\">>", &resolve).unwrap();
    assert!(ty.is_multi_cell() && ty.is_collection() && !ty.is_scalar());
    assert!(!ty.freeze().is_multi_cell());
    assert_eq!(ty.freeze().freeze(), ty.freeze());
    assert_eq!(
        ty.freeze().to_string(),
        "frozen<map<text, frozen<\"Address\">>>"
    );
    assert!(ty.references_udt("ks", "Address"));
    assert!(!ty.references_udt("other", "Address"));
    assert_eq!(ty.depth(), 4);
    assert!(
        parse_type("list<frozen<tuple<duration>>>", &resolve)
            .unwrap()
            .contains_duration()
    );
    assert!(CqlType::Counter.contains_counter());
    assert_eq!(address().field("Nr").map(|(at, _)| at), Some(1));
    assert_eq!(address().field("nr"), None);
}

#[test]
fn vectors_write_the_lengths_that_others_write() {
    let len = |text| parse_type(text, &resolve).unwrap().vector_element_len();
    assert_eq!(len("float"), Some(4));
    assert_eq!(len("vector<double, 3>"), Some(24));
    for variable in [
        "tinyint",
        "smallint",
        "date",
        "time",
        "counter",
        "text",
        "vector<tinyint, 2>",
    ] {
        assert_eq!(len(variable), None, "{variable}");
    }
    assert_eq!(CqlType::TinyInt.fixed_len(), Some(1));
}

proptest! {
    #[test]
    fn every_name_parses_back(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let ty = Draw(&bytes).ty(3);
        let class = java_class_name(&ty);
        prop_assert_eq!(java_class_name(&parse_java_class_name(&class).unwrap()), class);
        if !ty.references_udt("ks", "Pair") {
            prop_assert_eq!(parse_type(&ty.to_string(), &|_| None), Ok(ty));
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,24}|[a-z<>, ().:\"'0-9]{0,40}") {
        let _ = parse_type(&text, &resolve);
        let _ = parse_java_class_name(&text);
    }
}
