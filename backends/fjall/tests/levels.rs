//! Many small tables on several levels, compared with a model: what larger databases look like, made cheap.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use backend::{Direction, Engine, Gc, GcHooks, GcRun, Goal, OpenOptions, Progress};
use backend_fjall::{FjallEngine, FjallFactory};
use tempfile::TempDir;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

const KEYS: u32 = 20_000;

/// Numbers from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit)).expect("below the limit")
    }
}

/// Removes what says so in its value, which is how rows expire.
struct Expiry;

impl GcHooks for Expiry {
    fn run(&self, _last_level: bool) -> Box<dyn GcRun> {
        Box::new(Self)
    }
}

impl GcRun for Expiry {
    fn visit(&mut self, _key: &[u8], value: &[u8]) -> Gc {
        if value.starts_with(b"expired") {
            Gc::Remove
        } else {
            Gc::Keep
        }
    }
}

fn open(directory: &Path) -> Arc<FjallEngine> {
    let options = OpenOptions {
        cache_bytes: 1 << 20,
        ..OpenOptions::new(directory)
    };
    let factory = FjallFactory::default()
        .with_table_bytes(192 * 1_024)
        .with_block_bytes(1_024);
    factory
        .open_engine(&options, Arc::new(Expiry))
        .expect("opened")
}

fn key(number: u32) -> Vec<u8> {
    format!("{number:06}").into_bytes()
}

/// One ingest of a part of the keys.
fn change(
    engine: &dyn Engine,
    model: &mut Model,
    chance: &mut Chance,
    round: u32,
    dead: &[(u32, u32)],
) {
    let mut ingest = engine.ingest().expect("an ingest");
    let from = chance.below(KEYS);
    let to = (from + 1 + chance.below(KEYS / 2)).min(KEYS);
    for number in from..to {
        if chance.below(3) == 0
            || dead
                .iter()
                .any(|(start, end)| (*start..*end).contains(&number))
        {
            continue;
        }
        if chance.below(6) == 0 {
            ingest.delete(&key(number)).expect("deleted");
            model.remove(&key(number));
            continue;
        }
        let word = if chance.below(10) == 0 {
            "expired"
        } else {
            "value"
        };
        let mut value = format!("{word} {number} {round} ").into_bytes();
        value.extend((0..25).flat_map(|_| chance.below(1 << 31).to_be_bytes()));
        ingest.put(&key(number), &value).expect("put");
        model.insert(key(number), value);
    }
    ingest.finish().expect("finished");
}

/// What is read must be the model's, but what has expired may be gone.
fn compare(engine: &dyn Engine, model: &Model, dead: &[(u32, u32)], chance: &mut Chance) {
    let is_dead = |found: &[u8]| {
        dead.iter()
            .any(|(from, to)| *key(*from) <= *found && *found < *key(*to))
    };
    let (from, to) = (key(chance.below(KEYS)), key(chance.below(KEYS)));
    let ranges = [
        (Bound::Unbounded, Bound::Unbounded),
        (Bound::Excluded(&from[..]), Bound::Included(&to[..])),
    ];
    for (start, end) in ranges {
        for direction in [Direction::Forward, Direction::Reverse] {
            let mut scan = engine
                .snapshot()
                .scan(start, end, direction)
                .expect("a scan");
            let mut found = Vec::new();
            while let Some((key, value)) = scan.next().expect("an entry") {
                found.push((key.to_vec(), value.to_vec()));
            }
            if direction == Direction::Reverse {
                found.reverse();
            }
            assert!(found.is_sorted_by(|a, b| a.0 < b.0), "in order");
            found.retain(|(key, value)| !is_dead(key) && !value.starts_with(b"expired"));
            let expected: Vec<_> = if start == Bound::Unbounded || from < to {
                let range = model.range::<[u8], _>((start, end));
                let alive =
                    range.filter(|(key, value)| !is_dead(key) && !value.starts_with(b"expired"));
                alive
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            } else {
                Vec::new()
            };
            assert!(
                found == expected,
                "{} entries where {} were expected",
                found.len(),
                expected.len()
            );
        }
    }
    for _ in 0..300 {
        let key = key(chance.below(KEYS));
        let found = engine.get(&key).expect("a read");
        let expected = model.get(&key);
        let expired = expected.is_some_and(|value| value.starts_with(b"expired"));
        let same = found.as_deref() == expected.map(|value| &value[..]);
        assert!(
            is_dead(&key) || same || (expired && found.is_none()),
            "{}",
            key.escape_ascii()
        );
    }
}

#[test]
fn levels_agree_with_a_model() {
    let folder = TempDir::new().expect("a folder");
    let mut engine = open(folder.path());
    let mut model = Model::new();
    let mut chance = Chance(0x006d_6573_7369_6e61);
    let mut dead: Vec<(u32, u32)> = Vec::new();
    let mut most_levels = 0;
    for round in 0..27 {
        change(&*engine, &mut model, &mut chance, round, &dead);
        if round % 3 == 2 {
            while engine.compact(Goal::Due).expect("a step") != Progress::Idle {}
        }
        most_levels = most_levels.max(engine.stats().runs);
        if round % 9 == 4 {
            let from = chance.below(KEYS);
            dead.push((from, from + chance.below(2_000)));
        }
        for (from, to) in &dead {
            engine
                .discard_range(&key(*from), Some(&key(*to)))
                .expect("discarded");
        }
        if round % 12 == 7 {
            engine.close().expect("closed");
            drop(engine);
            engine = open(folder.path());
        }
        compare(&*engine, &model, &dead, &mut chance);
    }
    assert!(
        most_levels > 2 && engine.stats().files > 6,
        "{:?}",
        engine.stats()
    );
    engine.compact(Goal::Everything).expect("rewritten");
    compare(&*engine, &model, &dead, &mut chance);
    let stats = engine.stats();
    let alive = model.iter().filter(|(found, value)| {
        let dead = dead
            .iter()
            .any(|(from, to)| key(*from) <= **found && **found < key(*to));
        !dead && !value.starts_with(b"expired")
    });
    assert_eq!(
        stats.entries,
        alive.count() as u64,
        "nothing but living entries is left"
    );
    assert_eq!(stats.pending_discards, 0);
    let report = engine.verify(&AtomicBool::new(false)).expect("verified");
    assert!(report.damage.is_empty(), "{report:?}");
}
