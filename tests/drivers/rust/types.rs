//! Every type: nulls, empties, extremes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cql_types::Uuid;
use scylla::value::{
    CqlDate, CqlDecimal, CqlDuration, CqlTime, CqlTimestamp, CqlTimeuuid, CqlValue, CqlVarint,
};
use scylla::{DeserializeValue, SerializeValue};

use crate::{Dialogue, rows};

fn text(value: &str) -> CqlValue {
    CqlValue::Text(value.to_owned())
}

fn ints(values: &[i32]) -> Vec<CqlValue> {
    values.iter().copied().map(CqlValue::Int).collect()
}

fn duration(months: i32, days: i32, nanoseconds: i64) -> CqlValue {
    CqlValue::Duration(CqlDuration {
        months,
        days,
        nanoseconds,
    })
}

fn varint(bytes: &[u8]) -> CqlValue {
    CqlValue::Varint(CqlVarint::from_signed_bytes_be_slice(bytes))
}

fn decimal(bytes: &[u8], scale: i32) -> CqlValue {
    CqlValue::Decimal(CqlDecimal::from_signed_be_bytes_slice_and_exponent(
        bytes, scale,
    ))
}

/// One thing: the table of types and of the values that must come back.
fn table() -> Vec<(&'static str, Vec<CqlValue>)> {
    use CqlValue as V;
    let uuid = "123e4567-e89b-12d3-a456-426614174000";
    let timeuuid: CqlTimeuuid = "50554d6e-29bb-11e5-b345-feff819cdc9f".parse().unwrap();
    vec![
        (
            "ascii",
            vec![V::Ascii("text".to_owned()), V::Ascii(String::new())],
        ),
        (
            "bigint",
            vec![V::BigInt(i64::MAX), V::BigInt(i64::MIN), V::BigInt(0)],
        ),
        (
            "blob",
            vec![
                V::Blob(vec![0xca, 0xfe]),
                V::Blob(vec![]),
                V::Blob((0..=255).collect()),
            ],
        ),
        ("boolean", vec![V::Boolean(true), V::Boolean(false)]),
        (
            "date",
            vec![
                V::Date(CqlDate(0)),
                V::Date(CqlDate(1 << 31)),
                V::Date(CqlDate(u32::MAX)),
            ],
        ),
        (
            "decimal",
            vec![
                decimal(&[0x00, 0xbc, 0x61, 0x4e], 4),
                decimal(&[0xff], 40),
                decimal(&[0], -3),
            ],
        ),
        (
            "double",
            vec![
                V::Double(std::f64::consts::PI),
                V::Double(-0.0),
                V::Double(f64::INFINITY),
                V::Double(f64::MIN),
            ],
        ),
        (
            "duration",
            vec![
                duration(14, 3, 4_000_000_000),
                duration(-1, -2, -3),
                duration(0, 0, 0),
                duration(i32::MAX, i32::MAX, i64::MAX),
            ],
        ),
        (
            "float",
            vec![
                V::Float(1.5),
                V::Float(f32::NEG_INFINITY),
                V::Float(f32::MIN_POSITIVE),
            ],
        ),
        (
            "inet",
            vec![
                V::Inet(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                V::Inet(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ],
        ),
        ("int", vec![V::Int(i32::MAX), V::Int(i32::MIN), V::Int(0)]),
        (
            "smallint",
            vec![V::SmallInt(i16::MAX), V::SmallInt(i16::MIN)],
        ),
        (
            "text",
            vec![
                text(""),
                text("it's"),
                text("漢字 é 🙂"),
                text(&"x".repeat(100_000)),
            ],
        ),
        (
            "time",
            vec![V::Time(CqlTime(0)), V::Time(CqlTime(86_399_999_999_999))],
        ),
        (
            "timestamp",
            vec![
                V::Timestamp(CqlTimestamp(0)),
                V::Timestamp(CqlTimestamp(-1)),
                V::Timestamp(CqlTimestamp(i64::MAX)),
            ],
        ),
        ("timeuuid", vec![V::Timeuuid(timeuuid)]),
        ("tinyint", vec![V::TinyInt(i8::MAX), V::TinyInt(i8::MIN)]),
        (
            "uuid",
            vec![
                V::Uuid(Uuid::parse_str(uuid).unwrap()),
                V::Uuid(Uuid::nil()),
            ],
        ),
        (
            "varint",
            vec![
                varint(&[0]),
                varint(&[0xff]),
                varint(&[0x00, 0x80]),
                varint(&[0x7f; 40]),
            ],
        ),
        ("list<int>", vec![V::List(ints(&[1, 2, 2, -1]))]),
        ("set<int>", vec![V::Set(ints(&[-1, 1, 2]))]),
        (
            "map<text, int>",
            vec![V::Map(vec![
                (text("x"), V::Int(1)),
                (text("y"), V::Int(-2)),
            ])],
        ),
        (
            "frozen<list<int>>",
            vec![V::List(vec![]), V::List(ints(&[3, 1]))],
        ),
        (
            "frozen<map<int, frozen<set<int>>>>",
            vec![V::Map(vec![(V::Int(1), V::Set(ints(&[1, 2])))])],
        ),
        (
            "tuple<int, text>",
            vec![
                V::Tuple(vec![Some(V::Int(1)), Some(text("one"))]),
                V::Tuple(vec![None, Some(text("x"))]),
            ],
        ),
        (
            "vector<float, 3>",
            vec![V::Vector(vec![
                V::Float(1.0),
                V::Float(2.5),
                V::Float(-3.0),
            ])],
        ),
        (
            "vector<text, 2>",
            vec![V::Vector(vec![text(""), text("two")])],
        ),
    ]
}

pub(crate) async fn all_types_prepared(dialogue: &Dialogue) {
    let session = &dialogue.session;
    let table = table();
    let columns: Vec<String> = (0..)
        .zip(&table)
        .map(|(n, (ty, _))| format!("c{n} {ty}"))
        .collect();
    dialogue
        .run(&format!(
            "CREATE TABLE all_types (id int PRIMARY KEY, {})",
            columns.join(", ")
        ))
        .await;
    for (column, (ty, values)) in table.iter().enumerate() {
        let insert = format!("INSERT INTO all_types (id, c{column}) VALUES (?, ?)");
        let insert = session.prepare(insert).await.unwrap();
        let select = format!("SELECT c{column} FROM all_types WHERE id = ?");
        let select = session.prepare(select).await.unwrap();
        let with_null = values.iter().map(Some).chain([None]);
        for (id, value) in (0_i32..).zip(with_null) {
            session.execute_unpaged(&insert, (id, value)).await.unwrap();
            let got = session.execute_unpaged(&select, (id,)).await.unwrap();
            let [(got,)] = &rows::<(Option<CqlValue>,)>(got)[..] else {
                panic!("{ty}: one row");
            };
            assert_eq!(got.as_ref(), value, "{ty}");
            if let (Some(CqlValue::Double(got)), Some(CqlValue::Double(value))) = (got, value) {
                assert_eq!(got.to_bits(), value.to_bits(), "{ty}");
            }
        }
    }
}

pub(crate) async fn nan(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE floats (id int PRIMARY KEY, d double, f float)")
        .await;
    dialogue
        .run("INSERT INTO floats (id, d, f) VALUES (1, NaN, NaN)")
        .await;
    let (d, f) = dialogue
        .one::<(f64, f32)>("SELECT d, f FROM floats WHERE id = 1")
        .await;
    assert!(d.is_nan() && f.is_nan());
}

/// Values of no bytes are not null.
pub(crate) async fn empty_values(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE empties (id int PRIMARY KEY, i int, t text)")
        .await;
    let insert = "INSERT INTO empties (id, i, t) VALUES (1, ?, ?)";
    let insert = dialogue.session.prepare(insert).await.unwrap();
    dialogue
        .session
        .execute_unpaged(&insert, (CqlValue::Empty, ""))
        .await
        .unwrap();
    assert_eq!(
        dialogue
            .one::<(Option<CqlValue>, Option<String>)>("SELECT i, t FROM empties WHERE id = 1")
            .await,
        (Some(CqlValue::Empty), Some(String::new()))
    );
}

#[derive(Debug, Clone, PartialEq, SerializeValue, DeserializeValue)]
struct Address {
    street: String,
    zip: Option<i32>,
}

pub(crate) async fn user_types(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TYPE address (street text, zip int)")
        .await;
    dialogue
        .run("CREATE TABLE people (id int PRIMARY KEY, home frozen<address>, work address, others list<frozen<address>>)")
        .await;
    let insert = "INSERT INTO people (id, home, work, others) VALUES (?, ?, ?, ?)";
    let insert = dialogue.session.prepare(insert).await.unwrap();
    let address = |street: &str, zip| Address {
        street: street.to_owned(),
        zip,
    };
    let (home, work) = (address("Main", Some(1)), address("Side", None));
    dialogue
        .session
        .execute_unpaged(&insert, (1, &home, &work, [&home, &work].as_slice()))
        .await
        .unwrap();
    dialogue
        .run("UPDATE people SET work.zip = 7 WHERE id = 1")
        .await;
    assert_eq!(
        dialogue
            .one::<(Address, Address, Vec<Address>)>(
                "SELECT home, work, others FROM people WHERE id = 1"
            )
            .await,
        (home.clone(), address("Side", Some(7)), vec![home, work])
    );
    dialogue.session.refresh_metadata().await.unwrap();
    let state = dialogue.session.get_cluster_state();
    let keyspace = state.get_keyspace(crate::KEYSPACE).unwrap();
    assert!(keyspace.user_defined_types.contains_key("address"));
}
