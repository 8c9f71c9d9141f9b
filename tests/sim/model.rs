//! What a table must hold, told by the rules of CQL and by nothing of the product.
//!
//! A table is the list of writes that were sent to it. What a partition holds is worked out from the list each time:
//! the newest cell wins, a deletion takes what is not newer, a row is there while its marker or one of its cells is.
//! Write times are unique per statement, and a statement never writes a cell twice, so that nothing depends on ties.
//!
//! # What is not known
//! A write without an answer was made or not. A read tries every combination of the writes that are open for it; one of
//! them must give what was read. What all fitting combinations agree on is known from then on, so what was once read
//! must be read again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Writes that may be open for one read of a partition; with more the read is not compared.
const OPEN_MAX: usize = 10;

/// A row of an answer, in the order of the columns asked for.
pub(crate) type Row = Vec<Option<i32>>;

/// A column that is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// A name that was dropped and added again is another column.
    pub(crate) birth: u64,
    pub(crate) is_static: bool,
}

/// What a statement does to one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The marker that INSERT leaves.
    Marker { ck: i32 },
    /// A cell; `ck` is `None` for a static one, `value` for a deleted one.
    Cell {
        ck: Option<i32>,
        birth: u64,
        value: Option<i32>,
    },
    /// Rows from `first` to `last`, both taken along.
    Rows { first: i32, last: i32 },
    /// Everything.
    Partition,
}

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

/// A statement or a batch.
#[derive(Clone, Debug)]
struct Write {
    time: i64,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Clustering keys from here, `None` for no restriction, also when the partition has no rows.
    pub(crate) rows: Option<(i32, i32)>,
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

/// What was certain when a read began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before(BTreeSet<(u64, i32)>);

#[derive(Default)]
struct Content {
    markers: BTreeMap<i32, i64>,
    cells: BTreeMap<(Option<i32>, u64), (i64, Option<i32>)>,
    deleted_rows: Vec<(i64, i32, i32)>,
    deleted: Option<i64>,
}

impl Content {
    fn apply(&mut self, time: i64, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Marker { ck } => {
                    let marker = self.markers.entry(*ck).or_insert(time);
                    *marker = time.max(*marker);
                }
                Effect::Cell { ck, birth, value } => {
                    let cell = self.cells.entry((*ck, *birth)).or_insert((time, *value));
                    if time > cell.0 {
                        *cell = (time, *value);
                    }
                }
                Effect::Rows { first, last } => self.deleted_rows.push((time, *first, *last)),
                Effect::Partition => self.deleted = self.deleted.max(Some(time)),
            }
        }
    }

    /// Whether something of this time is still there.
    fn stands(&self, ck: Option<i32>, time: i64) -> bool {
        let covered = |&(deleted, first, last): &(i64, i32, i32)| {
            deleted >= time && ck.is_some_and(|ck| (first..=last).contains(&ck))
        };
        self.deleted.is_none_or(|deleted| deleted < time) && !self.deleted_rows.iter().any(covered)
    }

    fn value(&self, ck: Option<i32>, column: &Column) -> Option<i32> {
        let ck = if column.is_static { None } else { ck };
        let (time, value) = self.cells.get(&(ck, column.birth))?;
        value.filter(|_| self.stands(ck, *time))
    }

    fn rows(&self, columns: &[Column]) -> BTreeSet<i32> {
        let named = self.cells.keys().filter_map(|(ck, _)| *ck);
        let has_cell = |ck: i32| {
            columns
                .iter()
                .any(|column| !column.is_static && self.value(Some(ck), column).is_some())
        };
        let is_marked = |ck: i32| {
            self.markers
                .get(&ck)
                .is_some_and(|time| self.stands(Some(ck), *time))
        };
        self.markers
            .keys()
            .copied()
            .chain(named)
            .filter(|ck| is_marked(*ck) || has_cell(*ck))
            .collect()
    }
}

impl Table {
    pub(crate) fn new(shape: Shape, columns: Vec<Column>) -> Self {
        Self {
            shape,
            columns,
            writes: BTreeMap::new(),
            settled: Settled::default(),
        }
    }

    /// A write is sent.
    pub(crate) fn send(
        &mut self,
        number: u64,
        time: i64,
        parts: BTreeMap<i32, Vec<Effect>>,
        is_atomic: bool,
    ) {
        let part = |effects| Part {
            effects,
            fate: Fate::Pending,
        };
        let parts = parts
            .into_iter()
            .map(|(pk, effects)| (pk, part(effects)))
            .collect();
        let write = Write {
            time,
            parts,
            is_atomic,
        };
        self.writes.insert(number, write);
    }

    /// A write was acknowledged.
    pub(crate) fn acknowledged(&mut self, number: u64) {
        for part in self.writes.get_mut(&number).unwrap().parts.values_mut() {
            part.fate = Fate::Made;
        }
    }

    /// A write was refused, and so was not made.
    pub(crate) fn refused(&mut self, number: u64) {
        self.writes.remove(&number);
    }

    /// The node went down: what was not answered never will be.
    pub(crate) fn node_down(&mut self) {
        let parts = self
            .writes
            .values_mut()
            .flat_map(|write| write.parts.values_mut());
        for part in parts {
            if part.fate == Fate::Pending {
                part.fate = Fate::Unknown;
            }
        }
    }

    /// All rows are gone.
    pub(crate) fn emptied(&mut self) {
        self.writes.clear();
    }

    /// What is certain now; to be taken before a read is sent.
    pub(crate) fn before(&self) -> Before {
        let made = self.writes.iter().flat_map(|(number, write)| {
            write
                .parts
                .iter()
                .filter(|(_, part)| part.fate == Fate::Made)
                .map(|(pk, _)| (*number, *pk))
        });
        Before(made.collect())
    }

    /// Whether some write to a partition was open at any time since `before`.
    pub(crate) fn is_disturbed(&self, pk: i32, before: &Before) -> bool {
        !self.open(pk, before).is_empty()
    }

    fn open(&self, pk: i32, before: &Before) -> Vec<u64> {
        self.writes
            .iter()
            .filter(|(number, write)| {
                write.parts.get(&pk).is_some_and(|part| {
                    part.fate != Fate::NotMade && !before.0.contains(&(**number, pk))
                })
            })
            .map(|(number, _)| *number)
            .collect()
    }

    fn answer(&self, pk: i32, wanted: Wanted, made: &dyn Fn(u64) -> bool) -> Vec<Row> {
        let mut content = Content::default();
        for (number, write) in &self.writes {
            if let Some(part) = write.parts.get(&pk).filter(|_| made(*number)) {
                content.apply(write.time, &part.effects);
            }
        }
        let row = |ck: Option<i32>| -> Row {
            let keys = [Some(pk), ck]
                .into_iter()
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
        let in_slice = |ck: &i32| {
            wanted
                .rows
                .is_none_or(|(first, last)| (first..=last).contains(ck))
        };
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
        wanted: Wanted,
        before: &Before,
        got: &[Row],
    ) -> Result<(), String> {
        let open = self.open(pk, before);
        if open.len() > OPEN_MAX {
            return Ok(());
        }
        let fits = |chosen: &usize| {
            let made = |number: u64| match open.iter().position(|open| *open == number) {
                Some(place) => chosen >> place & 1 == 1,
                None => before.0.contains(&(number, pk)),
            };
            self.answer(pk, wanted, &made) == got
        };
        let fitting: Vec<usize> = (0..1_usize << open.len()).filter(fits).collect();
        if fitting.is_empty() {
            return Err(self.surprise(pk, wanted, before, &open, got));
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
        wanted: Wanted,
        before: &Before,
        open: &[u64],
        got: &[Row],
    ) -> String {
        let expected = self.answer(pk, wanted, &|number| before.0.contains(&(number, pk)));
        let mut text = format!(
            "partition {pk}, {wanted:?}\n  columns  {:?}\n  expected {expected:?}\n  got      {got:?}\n  open     {open:?}\n  writes of this partition:\n",
            self.columns
                .iter()
                .map(|column| column.name)
                .collect::<Vec<_>>()
        );
        for (number, write) in &self.writes {
            if let Some(part) = write.parts.get(&pk) {
                let certain = before.0.contains(&(*number, pk));
                writeln!(
                    text,
                    "    {number} at {} certain={certain} {:?} {:?}",
                    write.time, part.fate, part.effects
                )
                .unwrap();
            }
        }
        text
    }
}
