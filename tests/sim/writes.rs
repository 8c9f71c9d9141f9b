//! What a client writes: statements and batches, and what they mean.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use cql_protocol::ErrorCode;
use messina_tests::client::one;
use node_env::Rng;

use crate::actor::{Actor, Result, Stop};
use crate::model::{Column, Effect, GRACE_S, Table};
use crate::world::{KEYSPACE, PARTITIONS, TABLES, WITNESS};

/// Clustering keys that are written.
const ROWS: u64 = 8;

/// Write times are this far apart.
const TIME_STEP: i64 = 1 << 14;

/// A statement and its meaning.
struct Statement {
    text: String,
    effects: Vec<Effect>,
}

/// What is sent, and what it means by partition.
struct Sent {
    text: String,
    parts: BTreeMap<i32, Vec<Effect>>,
    /// All partitions or none.
    is_atomic: bool,
}

impl Sent {
    /// A statement alone.
    fn one(pk: i32, statement: Statement, time: i64) -> Self {
        let using = format!("USING TIMESTAMP {time}");
        Self {
            text: statement.text.replace("$USING", &using),
            parts: BTreeMap::from([(pk, statement.effects)]),
            is_atomic: true,
        }
    }
}

/// When a write is made, if it is not late.
fn time_of(number: u64) -> i64 {
    let step = i64::try_from(number).unwrap();
    (step + 100) * TIME_STEP + step % TIME_STEP
}

impl Actor {
    /// Writes something into a table, if it is there.
    pub(crate) async fn write(&mut self, table: usize) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let Some(copy) = self.writing(table) else {
            return Ok(());
        };
        let number = self.world.borrow_mut().number();
        // Late writes must not meet purged tombstones.
        let late = if copy.shape.purges() { 1 } else { 30 };
        let late = i64::try_from(self.rng.below(late)).unwrap();
        let time = time_of(number) - late * TIME_STEP;
        let sent = self.compose(TABLES[table], &copy, number, time);
        match sent.parts.is_empty() {
            true => Ok(()),
            false => self.send(table, number, time, sent).await,
        }
    }

    /// Deletes something, and then writes it with an older time: while the tombstone may not be purged yet, nobody may ever see it.
    pub(crate) async fn write_late(&mut self, table: usize) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let Some(copy) = self.writing(table) else {
            return Ok(());
        };
        let Some(&pk) = self.partitions(&copy).first() else {
            return Ok(());
        };
        if copy.shape.grace_s == 0 {
            return Ok(());
        }
        let place = (pk, self.row(&copy));
        let (older, newer) = {
            let mut world = self.world.borrow_mut();
            (world.number(), world.number())
        };
        let begin = tokio::time::Instant::now();
        let deletion = self.deletion(TABLES[table], &copy, place);
        let deletion = Sent::one(pk, deletion, time_of(newer));
        self.send(table, newer, time_of(newer), deletion).await?;
        // A flush may come between; half of the grace is for the way.
        let millis = self.rng.below(4) * self.rng.below(300);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        if begin.elapsed() < Duration::from_secs(u64::from(GRACE_S) / 2) {
            let value = i32::try_from(older).unwrap();
            let insert = self.insert(TABLES[table], &copy, place, value, true);
            let insert = Sent::one(pk, insert, time_of(older));
            self.send(table, older, time_of(older), insert).await?;
        }
        Ok(())
    }

    /// The table as it is now, without what was written to it.
    fn writing(&self, table: usize) -> Option<Table> {
        let world = self.world.borrow();
        let table = world.tables[table].usable()?;
        Some(Table::new(table.shape, table.columns.clone()))
    }

    async fn send(&mut self, place: usize, number: u64, time: i64, sent: Sent) -> Result<()> {
        let Sent {
            text,
            parts,
            is_atomic,
        } = sent;
        let partitions = parts.len();
        if let Some(table) = &mut self.world.borrow_mut().tables[place].table {
            table.send(number, time, parts, is_atomic);
        }
        let answer = self.ask(&text, &one()).await?;
        let mut world = self.world.borrow_mut();
        let table = world.tables[place].table.as_mut().unwrap();
        match answer {
            Ok(_) => table.acknowledged(number),
            // A logged batch over several shards is refused.
            Err((ErrorCode::Invalid, _)) if is_atomic && partitions > 1 => table.refused(number),
            Err((code, why)) => return Err(Stop::Failed(format!("{text}\n  {code:?}: {why}"))),
        }
        Ok(())
    }

    /// Leaves a row that only TRUNCATE removes.
    pub(crate) async fn witness(&mut self, place: usize, table: &Table) -> Result<()> {
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

    /// A statement or a batch.
    fn compose(&mut self, name: &str, table: &Table, number: u64, time: i64) -> Sent {
        let pks = self.partitions(table);
        let mut parts = BTreeMap::new();
        let Some(&first) = pks.first() else {
            return Sent {
                text: String::new(),
                parts,
                is_atomic: false,
            };
        };
        let value = i32::try_from(number).unwrap();
        if self.rng.below(3) > 0 {
            let ck = self.row(table);
            let statement = self.statement(name, table, (first, ck), value, true);
            return Sent::one(first, statement, time);
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
        Sent {
            text,
            parts,
            is_atomic: kind.is_empty(),
        }
    }

    /// Partitions that this client may write, in random order.
    fn partitions(&mut self, table: &Table) -> Vec<i32> {
        let (number, clients) = self.number;
        let mut pks: Vec<i32> = (0..PARTITIONS)
            .filter(|pk| !table.shape.purges() || pk % clients == number)
            .collect();
        node_env::chance::shuffle(&mut self.rng, &mut pks);
        pks
    }

    pub(crate) fn row(&mut self, table: &Table) -> i32 {
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
            _ => self.deletion(name, table, (pk, ck)),
        }
    }

    /// The deletion of rows or of a partition.
    fn deletion(&mut self, name: &str, table: &Table, (pk, ck): (i32, i32)) -> Statement {
        let from = format!("DELETE FROM {KEYSPACE}.{name} $USING WHERE pk = {pk}");
        match self.rng.below(3) {
            0 if table.shape.has_rows => Statement {
                text: format!("{from} AND ck = {ck}"),
                effects: vec![Effect::Rows {
                    first: ck,
                    last: ck,
                }],
            },
            1 if table.shape.has_rows => {
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
}

fn cells(columns: &[Column], ck: i32, value: Option<i32>) -> Vec<Effect> {
    let cell = |column: &Column| Effect::Cell {
        ck: (!column.is_static).then_some(ck),
        birth: column.birth,
        value,
    };
    columns.iter().map(cell).collect()
}
