//! The table that most programs fill: a number as key, a blob that no compressor can shrink.

use bytes::BytesMut;

use crate::Outcome;
use crate::figures::{MIB, each};
use crate::pipeline::{Next, Pipeline, execute};

/// Requests in flight.
pub const WINDOW: i16 = 256;

/// The keyspace of these programs.
pub const KEYSPACE: &str = "CREATE KEYSPACE IF NOT EXISTS bench WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";

/// How many rows make so many mebibytes of keys and values.
///
/// # Errors
/// A value is larger than a number can say.
pub fn rows_in(megabytes: u64, value_bytes: usize) -> Outcome<u64> {
    const KEY_BYTES: u64 = 8;
    Ok(megabytes * MIB / (u64::try_from(value_bytes)? + KEY_BYTES))
}

/// The table, made anew, and its prepared statements.
#[derive(Debug)]
pub struct Rows {
    insert: Vec<u8>,
    select: Vec<u8>,
    value: Vec<u8>,
    dice: Dice,
}

impl Rows {
    /// Makes the table; values will have so many bytes.
    ///
    /// # Errors
    /// The server refuses a statement.
    pub fn create(connection: &mut Pipeline, value_bytes: usize) -> Outcome<Self> {
        connection.query(KEYSPACE)?;
        connection.query("DROP TABLE IF EXISTS bench.rows")?;
        connection.query("CREATE TABLE bench.rows (key bigint PRIMARY KEY, value blob)")?;
        Ok(Self {
            insert: connection.prepare("INSERT INTO bench.rows (key, value) VALUES (?, ?)")?,
            select: connection.prepare("SELECT value FROM bench.rows WHERE key = ?")?,
            value: vec![0; value_bytes],
            dice: Dice::new(1),
        })
    }

    /// Writes rows with these keys and new values.
    ///
    /// # Errors
    /// See [`Pipeline::run`].
    pub fn write(
        &mut self,
        connection: &mut Pipeline,
        keys: impl IntoIterator<Item = u64>,
    ) -> Outcome {
        let mut keys = keys.into_iter();
        connection.run(WINDOW, |out, stream| {
            let Some(key) = keys.next() else {
                return Next::End;
            };
            self.write_one(out, stream, key);
            Next::Written
        })
    }

    /// Writes and reads in turn, a key drawn below `keys` each time, until `go_on` says no.
    ///
    /// # Errors
    /// See [`Pipeline::run`].
    pub fn mix(
        &mut self,
        connection: &mut Pipeline,
        keys: u64,
        mut go_on: impl FnMut() -> bool,
    ) -> Outcome<u64> {
        let mut sent = 0_u64;
        connection.run(WINDOW, |out, stream| {
            if !go_on() {
                return Next::End;
            }
            sent += 1;
            let key = self.dice.below(keys);
            if sent.is_multiple_of(2) {
                execute(out, stream, &self.select, &[&key.to_be_bytes()]);
            } else {
                self.write_one(out, stream, key);
            }
            Next::Written
        })?;
        Ok(sent)
    }

    fn write_one(&mut self, out: &mut BytesMut, stream: i16, key: u64) {
        for bytes in self.value.chunks_mut(8) {
            let random = self.dice.throw().to_le_bytes();
            let part = random.get(..bytes.len()).unwrap_or_default();
            bytes.copy_from_slice(part);
        }
        execute(
            out,
            stream,
            &self.insert,
            &[&key.to_be_bytes(), &self.value],
        );
    }
}

/// Numbers that look random and are the same in each run.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed that is not 0.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next one.
    pub fn throw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next one below a limit, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.throw() % limit
    }
}

/// Microseconds an operation.
#[must_use]
pub fn micros_each(time: std::time::Duration, operations: u64) -> String {
    format!("{:.1}", each(time.as_secs_f64() * 1e6, operations))
}
