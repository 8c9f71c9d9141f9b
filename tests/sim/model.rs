//! What a table must hold, told by the rules of CQL and by nothing of the product.
//!
//! A table is the list of writes that were sent to it. What a partition holds is worked out from the list each time.
//! Write times are unique per statement, and a statement never writes a cell twice, so that nothing depends on ties.
//!
//! # What is not known
//! A write without an answer was made or not. A read tries every combination of the writes that are open for it; one of
//! them must give what was read. What all fitting combinations agree on is known from then on, so what was once read
//! must be read again. A write with a time to live that runs out while it is sent or read may have expired or not; this is
//! tried, too, and nothing is learned from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::content::{Column, Content, Effect, Life, Row, Value};

/// Writes that may be open for one read of a partition; with more the read is not compared.
const OPEN_MAX: usize = 10;

/// Whether a write was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No answer yet.
    Pending,
    /// Acknowledged, or seen by a read.
    Made,
    /// There will be no answer: the node went down.
    Unknown,
    /// A read has shown that it was not made.
    NotMade,
}

/// What a statement does to a partition, and whether it did.
#[derive(Clone, Debug)]
struct Part {
    effects: Vec<Effect>,
    fate: Fate,
}

/// The seconds between which something expires: known better once the write has its answer.
#[derive(Clone, Copy, Debug)]
struct Expiry {
    ttl: i64,
    first: i64,
    last: i64,
}

/// A statement or a batch.
#[derive(Clone, Debug)]
struct Write {
    time: i64,
    expiry: Option<Expiry>,
    parts: BTreeMap<i32, Part>,
    /// All partitions or none; else each partition by itself.
    is_atomic: bool,
}

/// How a table was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// It has a clustering column and a static column.
    pub(crate) has_rows: bool,
    /// Its clustering order.
    pub(crate) is_descending: bool,
    /// Its tombstones may be purged after so many seconds.
    pub(crate) grace_s: u32,
}

impl Shape {
    /// Deletions of a story may be purged in it. Then each partition has one writer at a time, so that writes come in
    /// the order of their times, but for those that are sent late on purpose.
    pub(crate) fn purges(self) -> bool {
        self.grace_s <= GRACE_S
    }
}

/// A time after which tombstones may go that a story can reach.
pub(crate) const GRACE_S: u32 = 4;

/// One that it cannot reach.
pub(crate) const LONG_GRACE_S: u32 = 864_000;

/// A table and all that was sent to it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) shape: Shape,
    pub(crate) columns: Vec<Column>,
    writes: BTreeMap<u64, Write>,
    /// The newest moment that was seen, in seconds.
    latest: i64,
    /// Writes without an answer of which a read has told since this was last taken.
    pub(crate) settled: Settled,
}

/// What became of writes without an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) made: u64,
    pub(crate) not_made: u64,
}

/// Which rows of a partition a SELECT wants.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Clustering keys, `None` for no restriction, also when the partition has no rows.
    pub(crate) rows: Option<Vec<i32>>,
    pub(crate) is_reversed: bool,
    pub(crate) limit: Option<usize>,
}

impl Wanted {
    pub(crate) const ALL: Self = Self {
        rows: None,
        is_reversed: false,
        limit: None,
    };
}

/// What was certain when a read began, and when that was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    made: BTreeSet<(u64, i32)>,
    now: i64,
}

impl Before {
    fn has(&self, number: u64, pk: i32) -> bool {
        self.made.contains(&(number, pk))
    }
}

/// A write that is sent.
pub(crate) struct Outgoing {
    pub(crate) number: u64,
    pub(crate) time: i64,
    pub(crate) parts: BTreeMap<i32, Vec<Effect>>,
    pub(crate) is_atomic: bool,
    /// Seconds.
    pub(crate) ttl: Option<i64>,
}

impl Write {
    /// What it did was done before `now`.
    fn is_over(&mut self, now: i64) {
        if let Some(expiry) = &mut self.expiry {
            expiry.last = expiry.last.min(now + expiry.ttl);
        }
    }
}

impl Table {
    pub(crate) fn new(shape: Shape, columns: Vec<Column>) -> Self {
        Self {
            shape,
            columns,
            writes: BTreeMap::new(),
            latest: i64::MIN,
            settled: Settled::default(),
        }
    }

    /// A write is sent.
    pub(crate) fn send(&mut self, write: Outgoing, now: i64) {
        let part = |effects| Part {
            effects,
            fate: Fate::Pending,
        };
        let parts = write.parts.into_iter();
        let parts = parts.map(|(pk, effects)| (pk, part(effects))).collect();
        let expiry = write.ttl.map(|ttl| Expiry {
            ttl,
            first: now + ttl,
            last: i64::MAX,
        });
        self.writes.insert(
            write.number,
            Write {
                time: write.time,
                expiry,
                parts,
                is_atomic: write.is_atomic,
            },
        );
    }

    /// A write was acknowledged.
    pub(crate) fn acknowledged(&mut self, number: u64, now: i64) {
        let write = self.writes.get_mut(&number).unwrap();
        write.is_over(now);
        for part in write.parts.values_mut() {
            part.fate = Fate::Made;
        }
    }

    /// A write was refused, and so was not made.
    pub(crate) fn refused(&mut self, number: u64) {
        self.writes.remove(&number);
    }

    /// The node went down: what was not answered never will be.
    pub(crate) fn node_down(&mut self, now: i64) {
        self.latest = self.latest.max(now);
        for write in self.writes.values_mut() {
            write.is_over(now);
            for part in write.parts.values_mut() {
                if part.fate == Fate::Pending {
                    part.fate = Fate::Unknown;
                }
            }
        }
    }

    /// All rows are gone.
    pub(crate) fn emptied(&mut self) {
        self.writes.clear();
    }

    /// What is certain now; to be taken before a read is sent.
    pub(crate) fn before(&self, now: i64) -> Before {
        let made = self.writes.iter().flat_map(|(number, write)| {
            write
                .parts
                .iter()
                .filter(|(_, part)| part.fate == Fate::Made)
                .map(|(pk, _)| (*number, *pk))
        });
        let made = made.collect();
        Before { made, now }
    }

    /// Whether some write to a partition was open, or has expired, at any time from `before` to now.
    pub(crate) fn is_disturbed(&self, pk: i32, before: &Before, now: i64) -> bool {
        !self.open(pk, before).is_empty() || !self.expiring(pk, before, now).is_empty()
    }

    /// Writes to a partition that had expired for a read between `before` and now, or not.
    fn expiring(&self, pk: i32, before: &Before, now: i64) -> Vec<u64> {
        let latest = self.latest.max(now);
        let may_expire = |write: &Write| {
            write.parts.contains_key(&pk)
                && write
                    .expiry
                    .is_some_and(|expiry| expiry.first <= latest && expiry.last > before.now)
        };
        self.writes
            .iter()
            .filter(|(_, write)| may_expire(write))
            .map(|(number, _)| *number)
            .collect()
    }

    fn open(&self, pk: i32, before: &Before) -> Vec<u64> {
        self.writes
            .iter()
            .filter(|(number, write)| {
                write
                    .parts
                    .get(&pk)
                    .is_some_and(|part| part.fate != Fate::NotMade && !before.has(**number, pk))
            })
            .map(|(number, _)| *number)
            .collect()
    }

    fn answer(
        &self,
        pk: i32,
        wanted: &Wanted,
        made: &dyn Fn(u64) -> bool,
        has_expired: &dyn Fn(u64, Expiry) -> bool,
    ) -> Vec<Row> {
        let mut content = Content::default();
        for (number, write) in &self.writes {
            if let Some(part) = write.parts.get(&pk).filter(|_| made(*number)) {
                let life = match write.expiry {
                    Some(expiry) if has_expired(*number, expiry) => Life::Expired,
                    Some(_) | None => Life::Alive,
                };
                content.apply(write.time, &part.effects, life);
            }
        }
        let row = |ck: Option<i32>| -> Row {
            let keys = [Some(pk), ck]
                .into_iter()
                .map(|key| key.map(Value::Int))
                .take(1 + usize::from(self.shape.has_rows));
            let values = self.columns.iter().map(|column| content.value(ck, column));
            keys.chain(values).collect()
        };
        let live = content.rows(&self.columns);
        if live.is_empty() {
            let is_there = self
                .columns
                .iter()
                .any(|column| column.is_static && content.value(None, column).is_some());
            return Vec::from_iter((is_there && wanted.rows.is_none()).then(|| row(None)));
        }
        let in_slice = |ck: &i32| wanted.rows.as_ref().is_none_or(|rows| rows.contains(ck));
        let mut keys: Vec<i32> = live.into_iter().filter(in_slice).collect();
        if self.shape.is_descending != wanted.is_reversed {
            keys.reverse();
        }
        keys.truncate(wanted.limit.unwrap_or(usize::MAX));
        keys.into_iter().map(|ck| row(Some(ck))).collect()
    }

    /// Compares what was read of a partition with what may be there, and learns from it.
    ///
    /// # Errors
    /// What was read cannot be; the text says what was expected.
    pub(crate) fn compare(
        &mut self,
        pk: i32,
        wanted: &Wanted,
        before: &Before,
        now: i64,
        got: &[Row],
    ) -> Result<(), String> {
        self.latest = self.latest.max(now);
        let got = self.ordered(got);
        let open = self.open(pk, before);
        let expiring = self.expiring(pk, before, now);
        let bits = open.len() + expiring.len();
        if bits > OPEN_MAX {
            return Ok(());
        }
        let chosen_at = |chosen: usize, place: usize| chosen >> place & 1 == 1;
        let place_in = |list: &[u64], number| list.iter().position(|one| *one == number);
        let fits = |chosen: &usize| {
            let made = |number: u64| match place_in(&open, number) {
                Some(place) => chosen_at(*chosen, place),
                None => before.has(number, pk),
            };
            let has_expired = |number: u64, expiry: Expiry| match place_in(&expiring, number) {
                Some(place) => chosen_at(*chosen, open.len() + place),
                None => expiry.last <= before.now,
            };
            self.answer(pk, wanted, &made, &has_expired) == got
        };
        let fitting: Vec<usize> = (0..1_usize << bits).filter(fits).collect();
        if fitting.is_empty() {
            return Err(self.surprise(pk, wanted, before, &open, &got));
        }
        for (place, number) in open.iter().enumerate() {
            let made = fitting.iter().filter(|chosen| *chosen >> place & 1 == 1);
            let fate = match made.count() {
                0 => Fate::NotMade,
                count if count == fitting.len() => Fate::Made,
                _ => continue,
            };
            self.learn(*number, pk, fate);
        }
        Ok(())
    }

    /// Elements of a list are in the order in which they came; with several writers at once nobody knows it.
    fn ordered(&self, rows: &[Row]) -> Vec<Row> {
        let mut rows = rows.to_vec();
        if !self.shape.purges() {
            for value in rows.iter_mut().flatten() {
                if let Some(Value::List(elements)) = value {
                    elements.sort_unstable();
                }
            }
        }
        rows
    }

    /// A part of an atomic batch tells of all its parts.
    fn learn(&mut self, number: u64, pk: i32, fate: Fate) {
        let write = self.writes.get_mut(&number).unwrap();
        for (other, part) in &mut write.parts {
            let concerned = *other == pk || write.is_atomic;
            // What has no answer yet may still be made after this read.
            let told = fate == Fate::Made || part.fate == Fate::Unknown;
            if concerned && told && part.fate != Fate::Made {
                match (part.fate, fate) {
                    (Fate::Unknown, Fate::Made) => self.settled.made += 1,
                    (Fate::Unknown, _) => self.settled.not_made += 1,
                    _ => {}
                }
                part.fate = fate;
            }
        }
    }

    fn surprise(
        &self,
        pk: i32,
        wanted: &Wanted,
        before: &Before,
        open: &[u64],
        got: &[Row],
    ) -> String {
        let expected = self.answer(
            pk,
            wanted,
            &|number| before.has(number, pk),
            &|_, expiry| expiry.last <= before.now,
        );
        let mut text = format!(
            "partition {pk} at {}, {wanted:?}\n  columns  {:?}\n  expected {expected:?}\n  got      {got:?}\n  open     {open:?}\n  writes of this partition:\n",
            before.now,
            self.columns
                .iter()
                .map(|column| column.name)
                .collect::<Vec<_>>()
        );
        for (number, write) in &self.writes {
            if let Some(part) = write.parts.get(&pk) {
                let certain = before.has(*number, pk);
                writeln!(
                    text,
                    "    {number} at {} certain={certain} {:?} {:?} {:?}",
                    write.time, part.fate, write.expiry, part.effects
                )
                .unwrap();
            }
        }
        text
    }
}
