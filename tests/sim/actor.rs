//! A client that does what chance says, one request at a time, and keeps the books.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use cql_protocol::{Consistency, ErrorCode, OutgoingParameters};
use messina_tests::client::{Answer, ClientError, one};
use node_env::{Rng, SeededRng};

use crate::machine::Client;
use crate::model::{Column, Effect, Row, Shape, Table, Wanted};
use crate::world::{
    GUEST, KEYSPACE, PARTITIONS, TABLES, TYPES, TableChange, Versioned, WITNESS, World,
};

/// Clustering keys that are written.
const ROWS: u64 = 8;

/// Write times are this far apart.
const TIME_STEP: i64 = 1 << 14;

/// Names of columns that come and go.
const COLUMNS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Whether a node may fail to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faults {
    /// The machine is well.
    None,
    /// Something was made to go wrong.
    Planned,
}

/// Why a client stops.
pub(crate) enum Stop {
    /// The node is going down.
    Down,
    /// It gave an answer that must not be.
    Failed(String),
}

type Result<T> = std::result::Result<T, Stop>;

/// A client.
pub(crate) struct Actor {
    pub(crate) world: Rc<RefCell<World>>,
    pub(crate) client: Client,
    pub(crate) rng: SeededRng,
    /// Its number, and how many there are.
    pub(crate) number: (i32, i32),
    pub(crate) faults: Faults,
}

/// A statement and its meaning.
struct Statement {
    text: String,
    effects: Vec<Effect>,
}

impl Actor {
    /// Acts until the life ends.
    pub(crate) async fn run(mut self) {
        loop {
            {
                let mut world = self.world.borrow_mut();
                world.acts += 1;
                if world.acts >= world.acts_max {
                    world.life_ends.notify_one();
                    return;
                }
            }
            match self.act().await {
                Ok(()) => {}
                Err(Stop::Down) => return,
                Err(Stop::Failed(text)) => return self.world.borrow_mut().fail(text),
            }
        }
    }

    async fn act(&mut self) -> Result<()> {
        let table = self.rng.index(TABLES.len());
        match self.rng.below(100) {
            0..58 => self.write(table).await,
            58..68 => self.read_partition(table).await,
            68..76 => self.scan(table, None).await.map(drop),
            76..82 => {
                let rows = i32::try_from(self.rng.between(1, 7)).unwrap();
                self.scan(table, Some(rows)).await.map(drop)
            }
            82..92 => self.change_table(table).await,
            92..95 => self.change_type().await,
            95..97 => self.step_guest().await,
            _ => {
                let millis = self.rng.below(4) * self.rng.below(400);
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(())
            }
        }
    }

    /// Asks; a refusal that says what is wrong with the statement is an answer.
    pub(crate) async fn ask(
        &mut self,
        text: &str,
        parameters: &OutgoingParameters<'_>,
    ) -> Result<std::result::Result<Answer, (ErrorCode, String)>> {
        let asked = self.client.query_with(text, parameters);
        let answer = tokio::time::timeout(Duration::from_secs(60), asked).await;
        let unanswered = match answer {
            Err(_) => "no answer within a minute".to_owned(),
            Ok(Ok(answer)) => {
                self.note(text, &format!("{:?}", answer.body));
                return Ok(Ok(answer));
            }
            Ok(Err(error)) => {
                self.note(text, &error.to_string());
                match (&error, error.code()) {
                    (
                        ClientError::Refused(refusal),
                        Some(
                            code @ (ErrorCode::Invalid
                            | ErrorCode::AlreadyExists
                            | ErrorCode::SyntaxError
                            | ErrorCode::ConfigError
                            | ErrorCode::Unauthorized
                            | ErrorCode::ProtocolError),
                        ),
                    ) => return Ok(Err((code, refusal.error.message.clone()))),
                    _ => error.to_string(),
                }
            }
        };
        Err(match self.faults {
            Faults::Planned => Stop::Down,
            Faults::None => Stop::Failed(format!("{text}\n  {unanswered}")),
        })
    }

    /// Asks for what must be answered.
    pub(crate) async fn must(
        &mut self,
        text: &str,
        parameters: &OutgoingParameters<'_>,
    ) -> Result<Answer> {
        let answer = self.ask(text, parameters).await?;
        answer.map_err(|(code, why)| Stop::Failed(format!("{text}\n  {code:?}: {why}")))
    }

    fn note(&self, text: &str, answer: &str) {
        let mut world = self.world.borrow_mut();
        world.answered += 1;
        world.trace.add(text);
        world.trace.add(answer);
    }

    // Writes.

    /// Writes something into a table, if it is there.
    pub(crate) async fn write(&mut self, table: usize) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let (number, copy) = {
            let mut world = self.world.borrow_mut();
            let Some(table) = world.tables[table].usable() else {
                return Ok(());
            };
            let copy = Table::new(table.shape, table.columns.clone());
            (world.number(), copy)
        };
        // Late writes must not meet purged tombstones.
        let late = if copy.shape.purges { 1 } else { 30 };
        let step = i64::try_from(number).unwrap();
        let late = i64::try_from(self.rng.below(late)).unwrap();
        let time = (step + 100 - late) * TIME_STEP + step % TIME_STEP;
        let (text, parts, is_atomic) = self.compose(TABLES[table], &copy, number, time);
        if parts.is_empty() {
            return Ok(());
        }
        if let Some(table) = &mut self.world.borrow_mut().tables[table].table {
            table.send(number, time, parts.clone(), is_atomic);
        }
        let answer = self.ask(&text, &one()).await?;
        let mut world = self.world.borrow_mut();
        let table = world.tables[table].table.as_mut().unwrap();
        match answer {
            Ok(_) => table.acknowledged(number),
            // A logged batch over several shards is refused.
            Err((ErrorCode::Invalid, _)) if is_atomic && parts.len() > 1 => table.refused(number),
            Err((code, why)) => return Err(Stop::Failed(format!("{text}\n  {code:?}: {why}"))),
        }
        Ok(())
    }

    /// A statement or a batch; its text, its meaning by partition, and whether it is atomic.
    fn compose(
        &mut self,
        name: &str,
        table: &Table,
        number: u64,
        time: i64,
    ) -> (String, BTreeMap<i32, Vec<Effect>>, bool) {
        let pks = self.partitions(table);
        let Some(&first) = pks.first() else {
            return (String::new(), BTreeMap::new(), false);
        };
        let mut parts = BTreeMap::new();
        let value = i32::try_from(number).unwrap();
        if self.rng.below(3) > 0 {
            let ck = self.row(table);
            let mut statement = self.statement(name, table, (first, ck), value, true);
            let using = format!("USING TIMESTAMP {time}");
            statement.text = statement.text.replace("$USING", &using);
            parts.insert(first, statement.effects);
            return (statement.text, parts, true);
        }
        let several = self.rng.one_in(2);
        let kind = if self.rng.one_in(2) { "" } else { "UNLOGGED " };
        let mut text = format!("BEGIN {kind}BATCH USING TIMESTAMP {time} ");
        let rows: Vec<i32> = if table.shape.has_rows {
            let mut rows: Vec<i32> = (0..i32::try_from(ROWS).unwrap()).collect();
            node_env::chance::shuffle(&mut self.rng, &mut rows);
            rows.truncate(2 + self.rng.index(3));
            rows
        } else {
            vec![0]
        };
        for pk in pks.into_iter().take(if several { 3 } else { 1 }) {
            for (place, ck) in rows.iter().enumerate() {
                let statement = self.statement(name, table, (pk, *ck), value, place == 0);
                text.push_str(&statement.text.replace(" $USING", ""));
                text.push_str("; ");
                parts
                    .entry(pk)
                    .or_insert_with(Vec::new)
                    .extend(statement.effects);
            }
        }
        text.push_str("APPLY BATCH");
        (text, parts, kind.is_empty())
    }

    /// Partitions that this client may write, in random order.
    fn partitions(&mut self, table: &Table) -> Vec<i32> {
        let (number, clients) = self.number;
        let mut pks: Vec<i32> = (0..PARTITIONS)
            .filter(|pk| !table.shape.purges || pk % clients == number)
            .collect();
        node_env::chance::shuffle(&mut self.rng, &mut pks);
        pks
    }

    fn row(&mut self, table: &Table) -> i32 {
        match table.shape.has_rows {
            true => i32::try_from(self.rng.below(ROWS)).unwrap(),
            false => 0,
        }
    }

    fn statement(
        &mut self,
        name: &str,
        table: &Table,
        (pk, ck): (i32, i32),
        value: i32,
        with_static: bool,
    ) -> Statement {
        let has_rows = table.shape.has_rows;
        let key = match has_rows {
            true => format!("pk = {pk} AND ck = {ck}"),
            false => format!("pk = {pk}"),
        };
        let from = format!("DELETE FROM {KEYSPACE}.{name} $USING WHERE pk = {pk}");
        match self.rng.below(15) {
            0..7 => self.insert(name, table, (pk, ck), value, with_static),
            7..10 => {
                let columns = self.some_columns(table, with_static);
                let sets: Vec<String> = columns
                    .iter()
                    .map(|column| format!("{} = {value}", column.name))
                    .collect();
                let only_static = columns.iter().all(|column| column.is_static);
                let key = if only_static {
                    format!("pk = {pk}")
                } else {
                    key
                };
                let sets = sets.join(", ");
                Statement {
                    text: format!("UPDATE {KEYSPACE}.{name} $USING SET {sets} WHERE {key}"),
                    effects: cells(&columns, ck, Some(value)),
                }
            }
            10..12 => {
                let columns = self.some_columns(table, with_static);
                let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
                let only_static = columns.iter().all(|column| column.is_static);
                let key = if only_static {
                    format!("pk = {pk}")
                } else {
                    key
                };
                let names = names.join(", ");
                Statement {
                    text: format!("DELETE {names} FROM {KEYSPACE}.{name} $USING WHERE {key}"),
                    effects: cells(&columns, ck, None),
                }
            }
            12 if has_rows => Statement {
                text: format!("{from} AND ck = {ck}"),
                effects: vec![Effect::Rows {
                    first: ck,
                    last: ck,
                }],
            },
            13 if has_rows => {
                let last = ck + i32::try_from(self.rng.below(4)).unwrap();
                let end = last + 1;
                Statement {
                    text: format!("{from} AND ck >= {ck} AND ck < {end}"),
                    effects: vec![Effect::Rows { first: ck, last }],
                }
            }
            _ => Statement {
                text: from,
                effects: vec![Effect::Partition],
            },
        }
    }

    fn insert(
        &mut self,
        name: &str,
        table: &Table,
        (pk, ck): (i32, i32),
        value: i32,
        with_static: bool,
    ) -> Statement {
        let columns: Vec<Column> = match self.rng.one_in(3) {
            true => self.some_columns(table, with_static),
            // All columns carry the same number: a row that is torn shows two.
            false => table
                .columns
                .iter()
                .filter(|column| !column.is_static)
                .cloned()
                .collect(),
        };
        let has_rows = table.shape.has_rows;
        let keys: &[&str] = if has_rows { &["pk", "ck"] } else { &["pk"] };
        let names: Vec<&str> = keys
            .iter()
            .copied()
            .chain(columns.iter().map(|column| column.name))
            .collect();
        let values: Vec<String> = [pk, ck]
            .into_iter()
            .take(keys.len())
            .chain(columns.iter().map(|_| value))
            .map(|value| value.to_string())
            .collect();
        let mut effects = cells(&columns, ck, Some(value));
        effects.push(Effect::Marker { ck });
        Statement {
            text: format!(
                "INSERT INTO {KEYSPACE}.{name} ({}) VALUES ({}) $USING",
                names.join(", "),
                values.join(", ")
            ),
            effects,
        }
    }

    /// At least one column.
    fn some_columns(&mut self, table: &Table, with_static: bool) -> Vec<Column> {
        let may: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| with_static || !column.is_static)
            .collect();
        let certain = self.rng.index(may.len());
        let mut chosen = Vec::new();
        for (place, column) in may.into_iter().enumerate() {
            if place == certain || self.rng.one_in(3) {
                chosen.push(column.clone());
            }
        }
        chosen
    }

    // Reads.

    async fn read_partition(&mut self, table: usize) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let Some(copy) = self.reading(table) else {
            return Ok(());
        };
        let pk = i32::try_from(self.rng.below(PARTITIONS as u64)).unwrap();
        let mut text = select(TABLES[table], &copy);
        text.push_str(&format!(" WHERE pk = {pk}"));
        let mut wanted = Wanted::ALL;
        if copy.shape.has_rows && self.rng.one_in(2) {
            let first = self.row(&copy);
            let last = first + i32::try_from(self.rng.below(4)).unwrap();
            wanted.rows = Some((first, last));
            text.push_str(&match first == last {
                true => format!(" AND ck = {first}"),
                false => format!(" AND ck >= {first} AND ck <= {last}"),
            });
        }
        if copy.shape.has_rows && self.rng.one_in(3) {
            wanted.is_reversed = true;
            let order = if copy.shape.is_descending {
                "ASC"
            } else {
                "DESC"
            };
            text.push_str(&format!(" ORDER BY ck {order}"));
        }
        if self.rng.one_in(3) {
            let limit = 1 + self.rng.index(4);
            wanted.limit = Some(limit);
            text.push_str(&format!(" LIMIT {limit}"));
        }
        let before = copy.before();
        let rows = rows_of(&self.must(&text, &one()).await?);
        let mut world = self.world.borrow_mut();
        let model = world.tables[table].table.as_mut().unwrap();
        // A column that was added meanwhile is not in the answer.
        let columns = std::mem::replace(&mut model.columns, copy.columns);
        let compared = model.compare(pk, wanted, &before, &rows);
        model.columns = columns;
        compared.map_err(|why| Stop::Failed(format!("{text}\n{why}")))
    }

    fn reading(&self, table: usize) -> Option<Table> {
        self.world.borrow().tables[table].usable().cloned()
    }

    /// Reads a whole table, in pages or at once, and compares every partition; how many rows there were.
    pub(crate) async fn scan(&mut self, table: usize, page: Option<i32>) -> Result<u64> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let Some(copy) = self.reading(table) else {
            return Ok(0);
        };
        let before = copy.before();
        let partitions = self.fetch(TABLES[table], &copy, page).await?;
        let mut world = self.world.borrow_mut();
        let model = world.tables[table].table.as_mut().unwrap();
        let columns = std::mem::replace(&mut model.columns, copy.columns);
        let compared = compare_all(model, &before, &partitions, page);
        model.columns = columns;
        compared.map_err(|why| Stop::Failed(format!("a scan of {}\n{why}", TABLES[table])))?;
        Ok(partitions.values().map(|rows| rows.len() as u64).sum())
    }

    /// The rows of a table by partition.
    pub(crate) async fn fetch(
        &mut self,
        name: &str,
        table: &Table,
        page: Option<i32>,
    ) -> Result<BTreeMap<i32, Vec<Row>>> {
        let text = select(name, table);
        let mut partitions: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
        let mut last = None;
        let mut state: Option<Vec<u8>> = None;
        loop {
            let parameters = OutgoingParameters {
                page_size: page,
                paging_state: state.as_deref(),
                ..OutgoingParameters::new(Consistency::One)
            };
            let answer = self.must(&text, &parameters).await?;
            for row in rows_of(&answer) {
                let pk = row[0].unwrap();
                if last != Some(pk) && partitions.contains_key(&pk) {
                    return Err(Stop::Failed(format!(
                        "{text}\n  partition {pk} comes twice"
                    )));
                }
                last = Some(pk);
                partitions.entry(pk).or_default().push(row);
            }
            state = answer.rows().unwrap().metadata.paging_state.clone();
            if state.is_none() {
                return Ok(partitions);
            }
        }
    }

    // Changes of the schema.

    async fn change_table(&mut self, place: usize) -> Result<()> {
        let changing = Rc::clone(&self.world.borrow().tables[place].changing);
        let _changing = changing.lock().await;
        if self.world.borrow().tables[place].is_stuck {
            return Ok(());
        }
        let table = self.reading(place);
        match self.wish(TABLES[place], table.as_ref()) {
            Some((change, text)) => self.make(place, change, &text).await,
            None => Ok(()),
        }
    }

    /// Makes a change of a table; nobody else may change it meanwhile.
    pub(crate) async fn make(
        &mut self,
        place: usize,
        change: TableChange,
        text: &str,
    ) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[place].users);
        // A new column disturbs nobody.
        let (_shared, _alone) = match change {
            TableChange::Add(_) => (Some(users.read().await), None),
            _ => (None, Some(users.write().await)),
        };
        if let (TableChange::Truncate, Some(table)) = (&change, self.reading(place)) {
            self.witness(place, &table).await?;
        }
        self.world.borrow_mut().tables[place].pending = Some(change);
        let answer = self.must(text, &one()).await;
        let slot = &mut self.world.borrow_mut().tables[place];
        slot.is_stuck = answer.is_err();
        answer?;
        let change = slot.pending.take().unwrap();
        slot.table = change.applied(slot.table.as_ref());
        Ok(())
    }

    fn wish(&mut self, name: &str, table: Option<&Table>) -> Option<(TableChange, String)> {
        let name = format!("{KEYSPACE}.{name}");
        let Some(table) = table else {
            let shape = Shape {
                has_rows: !self.rng.one_in(4),
                is_descending: self.rng.one_in(2),
                purges: self.rng.one_in(3),
            };
            return Some(self.create(&name, shape));
        };
        let regulars = table.columns.iter().filter(|column| !column.is_static);
        match self.rng.below(10) {
            0..4 => {
                let free = COLUMNS
                    .into_iter()
                    .find(|name| table.columns.iter().all(|column| column.name != *name))?;
                let column = Column {
                    name: free,
                    birth: self.world.borrow_mut().number(),
                    is_static: table.shape.has_rows && self.rng.one_in(4),
                };
                let kind = if column.is_static { " STATIC" } else { "" };
                let text = format!("ALTER TABLE {name} ADD {free} int{kind}");
                Some((TableChange::Add(column), text))
            }
            4..7 => {
                let column = &table.columns[self.rng.index(table.columns.len())];
                (column.is_static || regulars.count() > 1).then(|| {
                    let text = format!("ALTER TABLE {name} DROP {}", column.name);
                    (TableChange::Remove(column.name), text)
                })
            }
            7..9 => Some((TableChange::Truncate, format!("TRUNCATE {name}"))),
            _ => Some((TableChange::Drop, format!("DROP TABLE {name}"))),
        }
    }

    pub(crate) fn create(&mut self, name: &str, mut shape: Shape) -> (TableChange, String) {
        shape.is_descending &= shape.has_rows;
        let mut names = vec![("a", false), ("b", false)];
        if shape.has_rows {
            names.push(("s", true));
        }
        let columns = names.into_iter().map(|(name, is_static)| Column {
            name,
            birth: self.world.borrow_mut().number(),
            is_static,
        });
        let table = Table::new(shape, columns.collect());
        let grace = if shape.purges { 0 } else { 864_000 };
        let text = match (shape.has_rows, shape.is_descending) {
            (true, descending) => format!(
                "CREATE TABLE {name} (pk int, ck int, a int, b int, s int STATIC, PRIMARY KEY (pk, ck)) \
                 WITH CLUSTERING ORDER BY (ck {}) AND gc_grace_seconds = {grace}",
                if descending { "DESC" } else { "ASC" }
            ),
            (false, _) => format!(
                "CREATE TABLE {name} (pk int PRIMARY KEY, a int, b int) WITH gc_grace_seconds = {grace}"
            ),
        };
        (TableChange::Create(table), text)
    }

    /// Leaves a row that only TRUNCATE removes.
    async fn witness(&mut self, place: usize, table: &Table) -> Result<()> {
        let number = self.world.borrow_mut().number();
        let time = i64::try_from(number).unwrap() * TIME_STEP + (1 << 40);
        let mut witness = self.insert(TABLES[place], table, (WITNESS, 0), 0, false);
        witness.text = witness
            .text
            .replace("$USING", &format!("USING TIMESTAMP {time}"));
        let parts = BTreeMap::from([(WITNESS, witness.effects)]);
        if let Some(table) = &mut self.world.borrow_mut().tables[place].table {
            table.send(number, time, parts, true);
        }
        self.must(&witness.text, &one()).await?;
        let mut world = self.world.borrow_mut();
        world.tables[place]
            .table
            .as_mut()
            .unwrap()
            .acknowledged(number);
        Ok(())
    }

    async fn change_type(&mut self) -> Result<()> {
        let place = self.rng.index(TYPES.len());
        self.step_type(place).await
    }

    /// The next step of a type: made, changed, dropped.
    pub(crate) async fn step_type(&mut self, place: usize) -> Result<()> {
        let name = format!("{KEYSPACE}.{}", TYPES[place]);
        let drops = self.rng.one_in(3);
        self.change_versioned(
            move |world| &mut world.types[place],
            move |version| match version {
                0 => (1, format!("CREATE TYPE {name} (f0 int)")),
                _ if drops => (0, format!("DROP TYPE {name}")),
                fields => (fields + 1, format!("ALTER TYPE {name} ADD f{fields} int")),
            },
        )
        .await
    }

    /// The next step of the keyspace that comes and goes.
    pub(crate) async fn step_guest(&mut self) -> Result<()> {
        self.change_versioned(|world| &mut world.guest, |version| match version {
            0 => (1, format!("CREATE KEYSPACE {GUEST} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")),
            1 => (2, format!("CREATE TABLE {GUEST}.g (pk int PRIMARY KEY)")),
            _ => (0, format!("DROP KEYSPACE {GUEST}")),
        })
        .await
    }

    /// Takes a step of something that has versions.
    async fn change_versioned(
        &mut self,
        of: impl Fn(&mut World) -> &mut Versioned,
        wish: impl Fn(u32) -> (u32, String),
    ) -> Result<()> {
        let changing = Rc::clone(&of(&mut self.world.borrow_mut()).changing);
        let _changing = changing.lock().await;
        if of(&mut self.world.borrow_mut()).pending.is_some() {
            return Ok(());
        }
        let version = of(&mut self.world.borrow_mut()).version;
        let (next, text) = wish(version);
        of(&mut self.world.borrow_mut()).pending = Some(next);
        self.must(&text, &one()).await?;
        let mut world = self.world.borrow_mut();
        let versioned = of(&mut world);
        versioned.version = next;
        versioned.pending = None;
        Ok(())
    }
}

fn cells(columns: &[Column], ck: i32, value: Option<i32>) -> Vec<Effect> {
    let cell = |column: &Column| Effect::Cell {
        ck: (!column.is_static).then_some(ck),
        birth: column.birth,
        value,
    };
    columns.iter().map(cell).collect()
}

/// The SELECT of all columns of a table, without a WHERE.
fn select(name: &str, table: &Table) -> String {
    let keys: &[&str] = if table.shape.has_rows {
        &["pk", "ck"]
    } else {
        &["pk"]
    };
    let columns = table.columns.iter().map(|column| column.name);
    let names: Vec<&str> = keys.iter().copied().chain(columns).collect();
    format!("SELECT {} FROM {KEYSPACE}.{name}", names.join(", "))
}

fn rows_of(answer: &Answer) -> Vec<Row> {
    let number = |cell: Option<Vec<u8>>| {
        cell.map(|bytes| i32::from_be_bytes(bytes.as_slice().try_into().unwrap()))
    };
    answer
        .cells()
        .into_iter()
        .map(|row| row.into_iter().map(number).collect())
        .collect()
}

/// Compares all partitions of a table.
pub(crate) fn compare_all(
    table: &mut Table,
    before: &crate::model::Before,
    partitions: &BTreeMap<i32, Vec<Row>>,
    page: Option<i32>,
) -> std::result::Result<(), String> {
    let known = (0..PARTITIONS).chain([WITNESS]);
    if let Some(foreign) = partitions
        .keys()
        .find(|pk| !known.clone().any(|known| known == **pk))
    {
        return Err(format!("partition {foreign} was never written"));
    }
    for pk in known {
        // A page may end inside a partition: two pages are two reads.
        if page.is_some() && table.is_disturbed(pk, before) {
            continue;
        }
        let rows = partitions.get(&pk).map_or(&[][..], Vec::as_slice);
        table.compare(pk, Wanted::ALL, before, rows)?;
    }
    Ok(())
}
