//! `kill -9` while writers, readers and schema changes are at work; then everything that was acknowledged must be there.
//!
//! Each round runs on the data of the rounds before, with another number of shards; some rounds are killed again while they start.
//! Checked after each: acknowledged writes are there, nothing that was read has disappeared, rows are not torn, batches are whole, the schema is what was agreed.
//!
//! `MESSINA_CRASH_ROUNDS=200` runs more rounds, `MESSINA_CRASH_SEED=7` other ones; what is written depends on the seed, the moment of the kill on the machine too.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise and talks to who started it"
)]

mod model;
mod writers;

use std::net::SocketAddr;
use std::time::Duration;

use messina_tests::node::Node;
use tokio::task::JoinSet;
use tokio::time::sleep;

use model::Dice;
use writers::{
    BatchWriter, RegisterReader, RegisterWriter, RowWriter, SchemaChanger, create_tables,
};

/// Rounds unless the environment says otherwise.
const ROUNDS: u64 = 6;

/// Shards of the rounds in turn.
const SHARDS: [u32; 4] = [1, 3, 3, 1];

/// Writers of each kind.
const WRITERS: i32 = 4;

/// Small segments and little memory, so that segments end and memtables are flushed under the writers.
const ARGUMENTS: [&str; 6] = [
    "--commitlog-segment-size-in-mb",
    "1",
    "--batch-size-fail-threshold-in-kb",
    "256",
    "--memory",
    "64MB",
];

/// Everybody who works on the node.
struct Crowd {
    rows: Vec<RowWriter>,
    batches: Vec<BatchWriter>,
    registers: Vec<RegisterWriter>,
    readers: Vec<RegisterReader>,
    schema: Vec<SchemaChanger>,
}

/// Lets each of `people` work until the node dies, and gives them back.
macro_rules! at_work {
    ($people:expr, $address:expr) => {{
        let mut working = JoinSet::new();
        for mut each in $people.drain(..) {
            working.spawn(async move {
                let _node_died = each.work($address).await;
                each
            });
        }
        working
    }};
}

impl Crowd {
    fn new(seed: u64) -> Self {
        let numbers = || 0..WRITERS;
        Self {
            rows: (seed..)
                .zip(numbers())
                .map(|(seed, pk)| RowWriter::new(pk, seed))
                .collect(),
            batches: numbers().map(BatchWriter::new).collect(),
            registers: numbers().map(RegisterWriter::new).collect(),
            readers: numbers().map(RegisterReader::new).collect(),
            schema: vec![SchemaChanger::new()],
        }
    }

    /// Works until `killed` has killed the node.
    async fn work(&mut self, address: SocketAddr, killed: impl Future<Output = ()>) {
        let rows = at_work!(self.rows, address);
        let batches = at_work!(self.batches, address);
        let registers = at_work!(self.registers, address);
        let readers = at_work!(self.readers, address);
        let schema = at_work!(self.schema, address);
        killed.await;
        self.rows = rows.join_all().await;
        self.batches = batches.join_all().await;
        self.registers = registers.join_all().await;
        self.readers = readers.join_all().await;
        self.schema = schema.join_all().await;
    }

    async fn check(&mut self, node: &Node) {
        let mut connection = node.connect().await;
        for writer in &mut self.rows {
            writer.check(&mut connection).await;
        }
        for writer in &mut self.batches {
            writer.check(&mut connection).await;
        }
        self.registers.sort_by_key(RegisterWriter::partition);
        self.readers.sort_by_key(RegisterReader::partition);
        for (writer, reader) in self.registers.iter_mut().zip(&self.readers) {
            writer.check(&mut connection, reader.seen).await;
        }
        for changer in &mut self.schema {
            changer.check(&mut connection).await;
        }
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let rounds = from_environment("MESSINA_CRASH_ROUNDS", ROUNDS);
    let seed = from_environment("MESSINA_CRASH_SEED", 1);
    let mut dice = Dice::new(seed);
    let program = env!("CARGO_BIN_EXE_messina-node");
    let mut node = Node::start(program, SHARDS[0], &ARGUMENTS).await;
    create_tables(&mut node.connect().await).await;
    let mut crowd = Crowd::new(seed);
    for round in 1..=rounds {
        let lifetime = Duration::from_millis(30 + dice.throw(900));
        let address = node.address();
        crowd
            .work(address, async {
                sleep(lifetime).await;
                node.kill();
            })
            .await;
        let shards = SHARDS[usize::try_from(round).unwrap() % SHARDS.len()];
        if dice.throw(3) == 0 {
            let early = Duration::from_millis(dice.throw(60));
            node.start_and_kill(shards, early).await;
        }
        node.start_again(shards).await;
        crowd.check(&node).await;
        println!("round {round} of {rounds}: killed after {lifetime:?}, back with {shards} shards");
    }
}
