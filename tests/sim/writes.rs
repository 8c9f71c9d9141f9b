//! What a client writes: statements and batches, and what they mean.

use std::collections::BTreeMap;
use std::rc::Rc;

use cql_protocol::ErrorCode;
use messina_tests::client::one;
use node_env::Rng;

use crate::actor::{Actor, Result, Stop};
use crate::model::{Column, Effect, Table};
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

impl Actor {
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
}

fn cells(columns: &[Column], ck: i32, value: Option<i32>) -> Vec<Effect> {
    let cell = |column: &Column| Effect::Cell {
        ck: (!column.is_static).then_some(ck),
        birth: column.birth,
        value,
    };
    columns.iter().map(cell).collect()
}
