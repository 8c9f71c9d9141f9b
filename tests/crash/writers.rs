//! Writers that work until the node dies under them, and what each of them must find afterwards.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cql_protocol::{ErrorCode, OutgoingValues, ValueRef};
use messina_tests::client::{ClientError, Connection, one};

use crate::model::{Columns, Dice, Register};

/// Rows of each writer of rows.
const ROWS: i32 = 40;

/// Rows of a batch.
const BATCH_ROWS: i32 = 6;

/// Tables that the schema changer keeps.
const TABLES_KEPT: i64 = 3;

/// The node is gone; anything else is a finding.
pub(crate) struct NodeDied;

type Worked<T> = Result<T, NodeDied>;

/// The outcome of a request while the node may die at any moment.
fn alive<T>(result: Result<T, ClientError>) -> Worked<T> {
    match result {
        Ok(value) => Ok(value),
        Err(ClientError::Stream(_)) => Err(NodeDied),
        Err(error) => match error.code() {
            Some(ErrorCode::IsBootstrapping | ErrorCode::Overloaded) => Err(NodeDied),
            _ => panic!("{error}"),
        },
    }
}

/// The tables that the writers share.
pub(crate) async fn create_tables(connection: &mut Connection) {
    for statement in [
        "CREATE KEYSPACE crash WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE crash.rows (pk int, ck int, number bigint, text text, blob blob, PRIMARY KEY (pk, ck))",
        "CREATE TABLE crash.batches (pk int, ck int, head bigint static, number bigint, PRIMARY KEY (pk, ck))",
        "CREATE TABLE crash.registers (pk int PRIMARY KEY, number bigint)",
    ] {
        connection.query(statement).await.unwrap();
    }
}

/// Inserts, updates and deletes rows of a partition of its own.
pub(crate) struct RowWriter {
    pk: i32,
    dice: Dice,
    version: i64,
    rows: BTreeMap<i32, Register<Option<i64>>>,
}

impl RowWriter {
    pub(crate) fn new(pk: i32, seed: u64) -> Self {
        Self {
            pk,
            dice: Dice::new(seed),
            version: 0,
            rows: (0..ROWS).map(|ck| (ck, Register::new(None))).collect(),
        }
    }

    pub(crate) async fn work(&mut self, address: SocketAddr) -> Worked<()> {
        let mut connection = alive(Connection::open(address).await)?;
        let insert = "INSERT INTO crash.rows (number, text, blob, pk, ck) VALUES (?, ?, ?, ?, ?)";
        let update = "UPDATE crash.rows SET number = ?, text = ?, blob = ? WHERE pk = ? AND ck = ?";
        let insert = alive(connection.prepare(insert).await)?;
        let update = alive(connection.prepare(update).await)?;
        loop {
            let ck = i32::try_from(self.dice.throw(u64::try_from(ROWS).unwrap())).unwrap();
            let register = self.rows.get_mut(&ck).unwrap();
            self.version += 1;
            if self.dice.throw(8) == 0 {
                register.begin(None);
                let pk = self.pk;
                let delete = format!("DELETE FROM crash.rows WHERE pk = {pk} AND ck = {ck}");
                alive(connection.query(&delete).await)?;
            } else {
                register.begin(Some(self.version));
                let columns = Columns::of(self.version);
                let (pk, ck) = (self.pk.to_be_bytes(), ck.to_be_bytes());
                let values = [
                    ValueRef::Bytes(&columns.number),
                    ValueRef::Bytes(&columns.text),
                    ValueRef::Bytes(&columns.blob),
                    ValueRef::Bytes(&pk),
                    ValueRef::Bytes(&ck),
                ];
                let mut parameters = one();
                parameters.values = OutgoingValues::Positional(&values);
                let statement = [&insert, &update][usize::try_from(self.dice.throw(2)).unwrap()];
                alive(connection.execute(&statement.id, &parameters).await)?;
            }
            register.acknowledge();
        }
    }

    pub(crate) async fn check(&mut self, connection: &mut Connection) {
        let pk = self.pk;
        let select = format!("SELECT ck, number, text, blob FROM crash.rows WHERE pk = {pk}");
        let mut found = BTreeMap::new();
        for row in connection.query(&select).await.unwrap().cells() {
            let mut row = row.into_iter().map(Option::unwrap);
            let mut next = || row.next().unwrap();
            let ck = i32::from_be_bytes(next().try_into().unwrap());
            let columns = Columns {
                number: next(),
                text: next(),
                blob: next(),
            };
            found.insert(ck, columns.version());
        }
        for (ck, register) in &mut self.rows {
            let what = format!("row {ck} of partition {pk}");
            register.observe(what, found.remove(ck));
        }
        assert!(found.is_empty(), "rows that nobody wrote: {found:?}");
    }
}

/// Writes batches whose rows all hold the same number.
pub(crate) struct BatchWriter {
    pk: i32,
    number: Register<Option<i64>>,
}

impl BatchWriter {
    pub(crate) fn new(pk: i32) -> Self {
        Self {
            pk,
            number: Register::new(None),
        }
    }

    pub(crate) async fn work(&mut self, address: SocketAddr) -> Worked<()> {
        let mut connection = alive(Connection::open(address).await)?;
        loop {
            let next = self.number.settled().unwrap_or(0) + 1;
            let kind = if next % 2 == 0 { "" } else { "UNLOGGED " };
            let pk = self.pk;
            let mut batch = format!(
                "BEGIN {kind}BATCH UPDATE crash.batches SET head = {next} WHERE pk = {pk};"
            );
            for ck in 0..BATCH_ROWS {
                batch.push_str(&format!(
                    " INSERT INTO crash.batches (pk, ck, number) VALUES ({pk}, {ck}, {next});"
                ));
            }
            batch.push_str(" APPLY BATCH");
            self.number.begin(Some(next));
            alive(connection.query(&batch).await)?;
            self.number.acknowledge();
        }
    }

    pub(crate) async fn check(&mut self, connection: &mut Connection) {
        let pk = self.pk;
        let select = format!("SELECT head, number FROM crash.batches WHERE pk = {pk}");
        let rows = connection.query(&select).await.unwrap().cells();
        let numbers: Vec<i64> = rows
            .into_iter()
            .flatten()
            .map(|cell| i64::from_be_bytes(cell.unwrap().try_into().unwrap()))
            .collect();
        let first = numbers.first().copied();
        let whole = usize::try_from(BATCH_ROWS * 2).unwrap();
        assert!(
            first.is_none() || numbers == vec![first.unwrap(); whole],
            "half a batch in partition {pk}: {numbers:?}"
        );
        self.number.observe(format!("batch of {pk}"), first);
    }
}

/// Counts up in one row; readers look at it meanwhile.
pub(crate) struct RegisterWriter {
    pk: i32,
    number: Register<i64>,
}

impl RegisterWriter {
    pub(crate) fn new(pk: i32) -> Self {
        Self {
            pk,
            number: Register::new(0),
        }
    }

    pub(crate) async fn work(&mut self, address: SocketAddr) -> Worked<()> {
        let mut connection = alive(Connection::open(address).await)?;
        loop {
            let next = self.number.settled() + 1;
            let pk = self.pk;
            let update = format!("UPDATE crash.registers SET number = {next} WHERE pk = {pk}");
            self.number.begin(next);
            alive(connection.query(&update).await)?;
            self.number.acknowledge();
        }
    }

    pub(crate) fn partition(&self) -> i32 {
        self.pk
    }

    /// `seen`: the highest number that anybody has read before the crash.
    pub(crate) async fn check(&mut self, connection: &mut Connection, seen: i64) {
        let got = read_register(connection, self.pk).await.unwrap();
        let pk = self.pk;
        assert!(
            got >= seen,
            "register {pk}: {seen} was read, now it is {got}"
        );
        self.number.observe(format!("register {pk}"), got);
    }
}

async fn read_register(connection: &mut Connection, pk: i32) -> Result<i64, ClientError> {
    let select = format!("SELECT number FROM crash.registers WHERE pk = {pk}");
    let rows = connection.query(&select).await?.cells();
    let cell = rows.into_iter().flatten().next().flatten();
    Ok(cell.map_or(0, |cell| i64::from_be_bytes(cell.try_into().unwrap())))
}

/// Reads a register again and again: what it gives must never go back, crash or not.
pub(crate) struct RegisterReader {
    pk: i32,
    pub(crate) seen: i64,
}

impl RegisterReader {
    pub(crate) fn new(pk: i32) -> Self {
        Self { pk, seen: 0 }
    }

    pub(crate) fn partition(&self) -> i32 {
        self.pk
    }

    pub(crate) async fn work(&mut self, address: SocketAddr) -> Worked<()> {
        let mut connection = alive(Connection::open(address).await)?;
        loop {
            let got = alive(read_register(&mut connection, self.pk).await)?;
            assert!(got >= self.seen, "read {got} after {}", self.seen);
            self.seen = got;
        }
    }
}

/// Creates tables, writes a row into each, and drops the oldest.
pub(crate) struct SchemaChanger {
    next: i64,
    /// Whether the table is there, and whether its row is.
    tables: BTreeMap<i64, (Register<bool>, Register<bool>)>,
}

impl SchemaChanger {
    pub(crate) fn new() -> Self {
        Self {
            next: 0,
            tables: BTreeMap::new(),
        }
    }

    pub(crate) async fn work(&mut self, address: SocketAddr) -> Worked<()> {
        let mut connection = alive(Connection::open(address).await)?;
        loop {
            let number = self.next;
            self.next += 1;
            let absent = || (Register::new(false), Register::new(false));
            let (table, row) = self.tables.entry(number).or_insert_with(absent);
            table.begin(true);
            let create = format!("CREATE TABLE crash.t{number} (id int PRIMARY KEY, v int)");
            alive(connection.query(&create).await)?;
            table.acknowledge();
            row.begin(true);
            let insert = format!("INSERT INTO crash.t{number} (id, v) VALUES (1, 1)");
            alive(connection.query(&insert).await)?;
            row.acknowledge();
            let oldest = self
                .tables
                .iter_mut()
                .find(|(_, (table, _))| *table.settled())
                .filter(|(oldest, _)| **oldest + TABLES_KEPT <= number);
            if let Some((oldest, (table, _))) = oldest {
                table.begin(false);
                let drop = format!("DROP TABLE crash.t{oldest}");
                alive(connection.query(&drop).await)?;
                table.acknowledge();
            }
        }
    }

    pub(crate) async fn check(&mut self, connection: &mut Connection) {
        let select = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'crash'";
        let rows = connection.query(select).await.unwrap().cells();
        let found: Vec<String> = rows
            .into_iter()
            .flatten()
            .map(|name| String::from_utf8(name.unwrap()).unwrap())
            .collect();
        for (number, (table, row)) in &mut self.tables {
            let name = format!("t{number}");
            let there = found.contains(&name);
            table.observe(&name, there);
            let select = format!("SELECT v FROM crash.{name}");
            match connection.query(&select).await {
                Ok(answer) => {
                    assert!(there, "{name} is read but not in the schema");
                    row.observe(format!("the row of {name}"), !answer.cells().is_empty());
                }
                Err(error) => {
                    assert!(!there, "{name} is in the schema, but: {error}");
                    assert_eq!(error.code(), Some(ErrorCode::Invalid), "{error}");
                }
            }
        }
        // What is gone stays gone: its name is not used again.
        self.tables.retain(|_, (table, _)| *table.settled());
    }
}
