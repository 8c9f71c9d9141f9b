//! The cases, and their requests, encoded before anything is measured.

use bytes::BytesMut;
use messina_benches::Outcome;
use messina_benches::pipeline::{ENCODER, execute};
use messina_benches::rows::KEYSPACE;

use crate::node::InProcess;

/// Requests in flight.
const WINDOW: usize = 256;

/// Bytes of each of the five columns.
const COLUMN_BYTES: usize = 34;

/// A question, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// OPTIONS: a request that does nothing.
    Options,
    /// INSERT of rows that are new.
    Insert,
    /// INSERT over rows in the memtable.
    Overwrite,
    /// SELECT of one row in the memtable.
    Read,
    /// INSERT into wide partitions.
    Points,
    /// SELECT of a wide partition in the memtable.
    Slice,
    /// SELECT of one row in the engine.
    EngineRead,
    /// SELECT of a wide partition in the engine.
    EngineSlice,
    /// INSERT over half of the rows of wide partitions in the engine.
    PointsAgain,
    /// SELECT of a wide partition that is in the engine, and half of it in the memtable, too.
    MergedSlice,
}

impl Case {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Options,
        Self::Insert,
        Self::Overwrite,
        Self::Read,
        Self::Points,
        Self::Slice,
        Self::EngineRead,
        Self::EngineSlice,
        Self::PointsAgain,
        Self::MergedSlice,
    ];

    /// Its name in arguments and in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::Insert => "insert",
            Self::Overwrite => "overwrite",
            Self::Read => "read",
            Self::Points => "points",
            Self::Slice => "slice",
            Self::EngineRead => "engine-read",
            Self::EngineSlice => "engine-slice",
            Self::PointsAgain => "points-again",
            Self::MergedSlice => "merged-slice",
        }
    }

    /// Whether later cases need what it writes.
    pub(crate) fn fills(self) -> bool {
        matches!(self, Self::Insert | Self::Points | Self::PointsAgain)
    }

    /// Whether the memtable must be empty.
    pub(crate) fn is_after_flush(self) -> bool {
        matches!(self, Self::EngineRead | Self::EngineSlice)
    }
}

/// Ids of prepared statements.
pub(crate) struct Statements {
    insert: Vec<u8>,
    read: Vec<u8>,
    point: Vec<u8>,
    slice: Vec<u8>,
}

/// Makes the tables.
pub(crate) fn prepare(node: &mut InProcess) -> Outcome<Statements> {
    node.with_client(async |client| {
        for statement in [
            KEYSPACE,
            "CREATE TABLE bench.standard (key blob PRIMARY KEY, c0 blob, c1 blob, c2 blob, c3 blob, c4 blob)",
            "CREATE TABLE bench.series (id bigint, at bigint, value bigint, note text, PRIMARY KEY (id, at)) WITH CLUSTERING ORDER BY (at DESC)",
        ] {
            client.query(statement).await?;
        }
        let insert =
            "INSERT INTO bench.standard (key, c0, c1, c2, c3, c4) VALUES (?, ?, ?, ?, ?, ?)";
        let read = "SELECT key, c0, c1, c2, c3, c4 FROM bench.standard WHERE key = ?";
        let point = "INSERT INTO bench.series (id, at, value, note) VALUES (?, ?, ?, ?)";
        let slice = "SELECT at, value FROM bench.series WHERE id = ?";
        Ok(Statements {
            insert: client.prepare(insert).await?.id,
            read: client.prepare(read).await?.id,
            point: client.prepare(point).await?.id,
            slice: client.prepare(slice).await?.id,
        })
    })
}

/// Encoded requests, in windows.
pub(crate) struct Frames {
    windows: Vec<(BytesMut, u64)>,
}

impl Frames {
    /// The request that opens a connection.
    pub(crate) fn startup() -> Self {
        let mut out = BytesMut::new();
        ENCODER.startup(&mut out, 0, &[("CQL_VERSION", "3.0.0")]);
        Self {
            windows: vec![(out, 1)],
        }
    }

    /// The requests of a case.
    pub(crate) fn encode(case: Case, statements: &Statements, rows: u64, points: u64) -> Self {
        let count = match case {
            Case::Options
            | Case::Insert
            | Case::Overwrite
            | Case::Read
            | Case::Points
            | Case::EngineRead => rows,
            Case::PointsAgain => rows / 2,
            Case::Slice | Case::EngineSlice | Case::MergedSlice => rows / points,
        };
        let numbers: Vec<u64> = (0..count).collect();
        let windows = numbers
            .chunks(WINDOW)
            .map(|numbers| {
                let mut out = BytesMut::new();
                for (stream, number) in (0_i16..).zip(numbers) {
                    request(&mut out, stream, case, statements, *number, points);
                }
                (out, u64::try_from(numbers.len()).unwrap_or(0))
            })
            .collect();
        Self { windows }
    }

    /// Bytes and number of requests of each window.
    pub(crate) fn windows(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.windows.iter().map(|(bytes, count)| (&**bytes, *count))
    }

    /// How many requests.
    pub(crate) fn count(&self) -> u64 {
        self.windows.iter().map(|(_, count)| count).sum()
    }
}

fn request(
    out: &mut BytesMut,
    stream: i16,
    case: Case,
    statements: &Statements,
    number: u64,
    points: u64,
) {
    let id = number.to_be_bytes();
    match case {
        Case::Options => ENCODER.options(out, stream),
        Case::Insert | Case::Overwrite => {
            let key = row_key(number);
            let seed = if case == Case::Insert { 1 } else { 2 };
            let columns: Vec<[u8; COLUMN_BYTES]> = (0..5)
                .map(|column| column_bytes(number + column, seed))
                .collect();
            let mut values: Vec<&[u8]> = vec![&key];
            values.extend(columns.iter().map(|column| &column[..]));
            execute(out, stream, &statements.insert, &values);
        }
        Case::Read | Case::EngineRead => {
            execute(out, stream, &statements.read, &[&row_key(number)]);
        }
        Case::Points | Case::PointsAgain => {
            let number = match case {
                Case::PointsAgain => number * 2,
                _ => number,
            };
            let partition = (number / points).to_be_bytes();
            let at = (number % points).to_be_bytes();
            execute(
                out,
                stream,
                &statements.point,
                &[&partition, &at, &id, b"reading"],
            );
        }
        Case::Slice | Case::EngineSlice | Case::MergedSlice => {
            execute(out, stream, &statements.slice, &[&id])
        }
    }
}

fn row_key(number: u64) -> [u8; 10] {
    let mut key = [0; 10];
    if let Some(place) = key.last_chunk_mut() {
        *place = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    }
    key
}

fn column_bytes(number: u64, seed: u64) -> [u8; COLUMN_BYTES] {
    let mut bytes = [0; COLUMN_BYTES];
    let mut state = number
        .wrapping_add(seed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        | 1;
    for byte in &mut bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state.to_le_bytes()[0];
    }
    bytes
}
