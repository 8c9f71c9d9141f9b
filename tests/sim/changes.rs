//! Changes of the schema: cut at every step, and asked for by many at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use cql_protocol::ErrorCode;
use messina_tests::client::one;
use node_env::files::Crash;
use node_env::{Rng, SeededRng, TaskGroup};

use crate::actor::{Actor, Faults, Stop};
use crate::content::Column;
use crate::machine::{Machine, Node, run};
use crate::model::{LONG_GRACE_S, Shape};
use crate::verify::{verify_agreed_log, verify_rows, verify_schema};
use crate::world::{GUEST, KEYSPACE, TableChange, World};

/// Steps of a change that are cut, at most.
const STEPS: u64 = 40;

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CreateTable,
    AddColumn,
    DropColumn,
    Truncate,
    DropTable,
    /// Create, change and drop, in turn.
    Type,
    /// Create it, give it a table and drop it, in turn.
    Keyspace,
}

fn text(stop: Stop) -> String {
    match stop {
        Stop::Failed(text) => text,
        Stop::Down => "the node is down".to_owned(),
        Stop::Unsure(code) => format!("{code:?}"),
    }
}

async fn actor(world: &Rc<RefCell<World>>, node: &Node, shard: usize, seed: u64) -> Actor {
    Actor {
        world: Rc::clone(world),
        client: node.connect(shard).await.unwrap(),
        rng: SeededRng::new(seed),
        number: (0, 1),
        faults: Faults::None,
        clock: Arc::clone(&node.clock),
        prepared: BTreeMap::new(),
    }
}

async fn make_keyspace(actor: &mut Actor) {
    let text = format!(
        "CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    );
    assert!(actor.must(&text, &one()).await.is_ok());
}

/// Makes what the change needs: a table with rows, or none; with a third column, or without.
async fn prepare(actor: &mut Actor, kind: Kind) -> Result<(), Stop> {
    let name = format!("{KEYSPACE}.t0");
    let exists = actor.world.borrow().tables[0].table.is_some();
    match kind {
        Kind::Type | Kind::Keyspace => return Ok(()),
        Kind::CreateTable if exists => {
            let text = format!("DROP TABLE {name}");
            return actor.make(0, TableChange::Drop, &text).await;
        }
        Kind::CreateTable => return Ok(()),
        _ if exists => {}
        _ => {
            let (change, text) = actor.create(&name, SHAPE);
            actor.make(0, change, &text).await?;
        }
    }
    let has_column = actor.world.borrow().tables[0]
        .table
        .iter()
        .any(|table| table.columns.iter().any(|column| column.name == "c"));
    match (kind, has_column) {
        (Kind::AddColumn, true) => {
            let text = format!("ALTER TABLE {name} DROP c");
            actor.make(0, TableChange::Remove("c"), &text).await?;
        }
        (Kind::DropColumn, false) => add_column(actor).await?,
        _ => {}
    }
    for _ in 0..6 {
        actor.write(0).await?;
    }
    Ok(())
}

const SHAPE: Shape = Shape {
    has_rows: true,
    is_descending: true,
    grace_s: LONG_GRACE_S,
};

async fn add_column(actor: &mut Actor) -> Result<(), Stop> {
    let column = Column::new("c", actor.world.borrow_mut().number(), false);
    let text = format!("ALTER TABLE {KEYSPACE}.t0 ADD c {}", column.kind.name());
    actor.make(0, TableChange::Add(column), &text).await
}

async fn change(actor: &mut Actor, kind: Kind) -> Result<(), Stop> {
    let name = format!("{KEYSPACE}.t0");
    match kind {
        Kind::CreateTable => {
            let (change, text) = actor.create(&name, SHAPE);
            actor.make(0, change, &text).await
        }
        Kind::AddColumn => add_column(actor).await,
        Kind::DropColumn => {
            let text = format!("ALTER TABLE {name} DROP c");
            actor.make(0, TableChange::Remove("c"), &text).await
        }
        Kind::Truncate => {
            actor
                .make(0, TableChange::Truncate, &format!("TRUNCATE {name}"))
                .await
        }
        Kind::DropTable => {
            actor
                .make(0, TableChange::Drop, &format!("DROP TABLE {name}"))
                .await
        }
        Kind::Type => actor.step_type(0).await,
        Kind::Keyspace => actor.step_guest().await,
    }
}

/// One machine; at each turn the change is cut one step later than before, until it is over before the cut.
fn cut_at_every_step(kind: Kind, seed: u64) {
    run(seed, async {
        let mut machine = Machine::new(seed);
        let world: Rc<RefCell<World>> = Rc::default();
        let mut rng = SeededRng::new(seed).fork("cuts");
        let mut is_first = true;
        let mut whole = 0;
        for step in 0..STEPS {
            let shards = u32::try_from(1 + rng.below(3)).unwrap();
            let told = |why: String| panic!("{kind:?} cut at step {step}, seed {seed}: {why}");
            let node = match machine.boot(shards).await {
                Ok(node) => node,
                Err(error) => return told(error.to_string()),
            };
            let mut actor = actor(&world, &node, 0, seed ^ step).await;
            if is_first {
                make_keyspace(&mut actor).await;
                is_first = false;
            }
            let verified = async {
                verify_schema(&mut actor).await?;
                verify_agreed_log(&mut actor, machine.log_length).await?;
                verify_rows(&mut actor).await?;
                prepare(&mut actor, kind).await
            };
            if let Err(stop) = verified.await {
                return told(text(stop));
            }
            let files = machine.sim.files.clone();
            files.go_down_after(step);
            actor.faults = Faults::Planned;
            match change(&mut actor, kind).await {
                Ok(()) => whole += 1,
                Err(Stop::Down) => {}
                Err(stop) => return told(text(stop)),
            }
            drop(actor);
            let power = rng.next_u64();
            let how = match rng.one_in(3) {
                true => Crash::Process,
                false => Crash::Power { seed: power },
            };
            let now = node.clock.now_seconds();
            machine.crash(Some(node), how, power).await;
            world.borrow_mut().node_down(now);
        }
        assert!(whole > 0, "{STEPS} steps were not enough for {kind:?}");
        let told = world.borrow().told;
        let cut = told.changes_not_made;
        assert!(
            cut > 0 || kind == Kind::Truncate,
            "{kind:?} was never cut: {told:?}"
        );
    });
}

#[test]
fn creating_a_table_may_be_cut_at_any_step() {
    cut_at_every_step(Kind::CreateTable, 1);
}

#[test]
fn adding_a_column_may_be_cut_at_any_step() {
    cut_at_every_step(Kind::AddColumn, 2);
}

#[test]
fn dropping_a_column_may_be_cut_at_any_step() {
    cut_at_every_step(Kind::DropColumn, 3);
}

#[test]
fn emptying_a_table_may_be_cut_at_any_step() {
    cut_at_every_step(Kind::Truncate, 4);
}

#[test]
fn dropping_a_table_may_be_cut_at_any_step() {
    cut_at_every_step(Kind::DropTable, 5);
}

#[test]
fn changing_a_type_may_be_cut_at_any_step() {
    cut_at_every_step(Kind::Type, 6);
}

#[test]
fn changing_a_keyspace_may_be_cut_at_any_step() {
    cut_at_every_step(Kind::Keyspace, 7);
}

/// The wall clock of the machine is set back by an hour while the node is down, again and again.
/// What the node writes then must still come after what it has written before.
#[test]
fn a_clock_that_was_set_back_takes_no_change_back() {
    run(8, async {
        let mut machine = Machine::new(8);
        let world: Rc<RefCell<World>> = Rc::default();
        for life in 0..6_usize {
            let node = machine.boot(2).await.unwrap();
            let mut actor = actor(&world, &node, life, 8).await;
            if life == 0 {
                make_keyspace(&mut actor).await;
            }
            assert_eq!(verify_schema(&mut actor).await.map_err(text), Ok(()));
            assert_eq!(actor.step_type(0).await.map_err(text), Ok(()));
            assert_eq!(actor.step_guest().await.map_err(text), Ok(()));
            drop(actor);
            machine.crash(Some(node), Crash::Process, 8).await;
            machine.sim.clock.jump_wall_micros(-3_600_000_000);
        }
    });
}

/// Asks the same of the node through as many connections as there are texts, at once; who was answered with OK.
async fn at_once(
    world: &Rc<RefCell<World>>,
    node: &Node,
    texts: &[String],
) -> Vec<Result<(), ErrorCode>> {
    let results = Rc::new(RefCell::new(vec![Ok(()); texts.len()]));
    let clients = TaskGroup::new("clients");
    for (place, text) in texts.iter().enumerate() {
        let mut actor = actor(world, node, place, 0).await;
        let (text, results) = (text.clone(), Rc::clone(&results));
        clients
            .spawn(format!("client {place}"), async move {
                let answer = actor.ask(&text, &one()).await;
                let Ok(answer) = answer else {
                    panic!("{text} has no answer");
                };
                // Whoever has an answer finds the change on every shard.
                results.borrow_mut()[place] = answer.map(drop).map_err(|(code, _)| code);
            })
            .unwrap();
    }
    while !clients.running().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let panicked = tokio::time::timeout(std::time::Duration::ZERO, clients.panicked()).await;
    assert!(panicked.is_err(), "{panicked:?}");
    results.take()
}

fn refusals(answers: &[Result<(), ErrorCode>], code: ErrorCode) -> usize {
    answers
        .iter()
        .filter(|answer| **answer == Err(code))
        .count()
}

#[test]
fn changes_of_many_connections_are_one_after_another() {
    for seed in 0..6 {
        run(seed, async {
            let mut machine = Machine::new(seed);
            let world: Rc<RefCell<World>> = Rc::default();
            let node = machine.boot(3).await.unwrap();
            let mut first = actor(&world, &node, 0, 0).await;
            make_keyspace(&mut first).await;

            // The same table: one wins.
            let create = format!("CREATE TABLE {KEYSPACE}.race (pk int PRIMARY KEY, v int)");
            let answers = at_once(&world, &node, &vec![create; 7]).await;
            assert_eq!(
                refusals(&answers, ErrorCode::AlreadyExists),
                6,
                "{answers:?}"
            );

            // Different columns: all are there. The same column: one wins.
            let add = |name: String| format!("ALTER TABLE {KEYSPACE}.race ADD {name} int");
            let texts: Vec<String> = (0..8).map(|place| add(format!("c{place}"))).collect();
            assert_eq!(at_once(&world, &node, &texts).await, vec![Ok(()); 8]);
            let answers = at_once(&world, &node, &vec![add("d".to_owned()); 5]).await;
            assert_eq!(refusals(&answers, ErrorCode::Invalid), 4, "{answers:?}");

            // One drops while others write: every write is made or refused, and nobody gets anything else.
            let mut texts = vec![format!("DROP TABLE {KEYSPACE}.race")];
            texts.extend((0..6).map(|pk| {
                format!("INSERT INTO {KEYSPACE}.race (pk, v, c0, d) VALUES ({pk}, 1, 1, 1)")
            }));
            let answers = at_once(&world, &node, &texts).await;
            assert_eq!(answers[0], Ok(()));
            let refused = refusals(&answers, ErrorCode::Invalid);
            assert_eq!(
                refused + answers.iter().filter(|answer| answer.is_ok()).count(),
                7
            );

            // A keyspace goes while tables are made in it: it is gone with all of them.
            let make = format!(
                "CREATE KEYSPACE {GUEST} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
            );
            assert_eq!(at_once(&world, &node, &[make]).await, [Ok(())]);
            let mut texts: Vec<String> = (0..5)
                .map(|table| format!("CREATE TABLE {GUEST}.g{table} (pk int PRIMARY KEY)"))
                .collect();
            texts.insert(2, format!("DROP KEYSPACE {GUEST}"));
            let answers = at_once(&world, &node, &texts).await;
            assert_eq!(answers[2], Ok(()), "{answers:?}");
            for shard in 0..3 {
                let mut actor = actor(&world, &node, shard, 0).await;
                assert_eq!(verify_schema(&mut actor).await.map_err(text), Ok(()));
            }
        });
    }
}
