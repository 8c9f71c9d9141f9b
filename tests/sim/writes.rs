//! What a client writes: statements and batches.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use cql_protocol::ErrorCode;
use messina_tests::client::one;
use node_env::Rng;

use crate::actor::{Actor, Result, Stop};
use crate::content::Effect;
use crate::model::{GRACE_S, Outgoing, Table};
use crate::statements::Statement;
use crate::world::{PARTITIONS, TABLES, WITNESS};

/// Clustering keys that are written.
pub(crate) const ROWS: u64 = 8;

/// Write times are this far apart.
const TIME_STEP: i64 = 1 << 14;

/// What is sent, and what it means by partition.
struct Sent {
    text: String,
    parts: BTreeMap<i32, Vec<Effect>>,
    /// All partitions or none.
    is_atomic: bool,
    /// Seconds.
    ttl: Option<i64>,
}

impl Sent {
    /// A statement alone.
    fn one(pk: i32, statement: Statement, time: i64) -> Self {
        let mut using = format!("USING TIMESTAMP ‹t{time}›");
        if let Some(ttl) = statement.ttl {
            using.push_str(&format!(" AND TTL ‹{ttl}›"));
        }
        Self {
            text: statement.text.replace("$USING", &using),
            parts: BTreeMap::from([(pk, statement.effects)]),
            is_atomic: true,
            ttl: statement.ttl,
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
            if self.rng.one_in(2) {
                // Meanwhile the tombstone may be purged, whether this has been flushed or not.
                let quiet = Duration::from_millis(self.rng.between(5_500, 9_000));
                self.world.borrow_mut().quiet_until = Some(tokio::time::Instant::now() + quiet);
            }
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
            ttl,
        } = sent;
        let partitions = parts.len();
        let write = Outgoing {
            number,
            time,
            parts,
            is_atomic,
            ttl,
        };
        if let Some(table) = &mut self.world.borrow_mut().tables[place].table {
            table.send(write, self.now());
        }
        let answer = match self.ask(&text, &one()).await {
            // Nothing was written.
            Err(Stop::Unsure(ErrorCode::WriteFailure | ErrorCode::Overloaded))
                if partitions == 1 =>
            {
                let mut world = self.world.borrow_mut();
                world.tables[place].table.as_mut().unwrap().refused(number);
                world.told.errors += 1;
                return Ok(());
            }
            answer => answer?,
        };
        let mut world = self.world.borrow_mut();
        let table = world.tables[place].table.as_mut().unwrap();
        match answer {
            Ok(_) => table.acknowledged(number, self.now()),
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
        let witness = self.insert(TABLES[place], table, (WITNESS, 0), 0, false);
        self.send(place, number, time, Sent::one(WITNESS, witness, time))
            .await
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
                ttl: None,
            };
        };
        let value = i32::try_from(number).unwrap();
        if self.rng.below(3) > 0 {
            let ck = self.row(table);
            let mut statement = self.statement(name, table, (first, ck), value, true);
            if statement.may_expire && self.rng.one_in(5) {
                statement.ttl = Some(1 + i64::try_from(self.rng.below(8)).unwrap());
            }
            return Sent::one(first, statement, time);
        }
        let several = self.rng.one_in(2);
        let kind = if self.rng.one_in(2) { "" } else { "UNLOGGED " };
        let mut text = format!("BEGIN {kind}BATCH USING TIMESTAMP ‹t{time}› ");
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
            ttl: None,
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
}
