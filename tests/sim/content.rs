//! What a partition holds after a list of effects, told by the rules of CQL.
//!
//! The newest cell wins, a deletion takes what is not newer, a row is there while its marker or one of its cells is.
//! A collection is as many cells as it has elements; replacing it first takes all that is older.

use std::collections::{BTreeMap, BTreeSet};

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Set,
    Map,
    List,
}

impl Kind {
    /// Its name in CQL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Set => "set<int>",
            Self::Map => "map<int, int>",
            Self::List => "list<int>",
        }
    }
}

/// A column that is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// A name that was dropped and added again is another column.
    pub(crate) birth: u64,
    pub(crate) is_static: bool,
    pub(crate) kind: Kind,
}

impl Column {
    /// A column whose name tells its type, since a name that is added again must have its old one.
    pub(crate) fn new(name: &'static str, birth: u64, is_static: bool) -> Self {
        let kind = match name {
            "c" | "t" => Kind::Set,
            "d" => Kind::Map,
            "e" => Kind::List,
            _ => Kind::Int,
        };
        Self {
            name,
            birth,
            is_static,
            kind,
        }
    }
}

/// A value of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i32),
    Set(Vec<i32>),
    Map(Vec<(i32, i32)>),
    List(Vec<i32>),
}

/// A row of an answer, in the order of the columns asked for.
pub(crate) type Row = Vec<Option<Value>>;

/// What a statement does to one partition. `ck` is `None` for static columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The marker that INSERT leaves.
    Marker { ck: i32 },
    /// A cell; `value` is `None` for a deleted one, `element` names the part of a collection: its element or its key.
    Cell {
        ck: Option<i32>,
        birth: u64,
        element: Option<i32>,
        value: Option<i32>,
    },
    /// Everything older in a collection goes.
    Emptied { ck: Option<i32>, birth: u64 },
    /// Rows from `first` to `last`, both taken along.
    Rows { first: i32, last: i32 },
    /// Everything.
    Partition,
}

/// Whether what a write with a time to live has left is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    Expired,
}

type Cells = BTreeMap<Option<i32>, (i64, Option<i32>)>;

/// A partition.
#[derive(Default)]
pub(crate) struct Content {
    markers: BTreeMap<i32, (i64, Life)>,
    cells: BTreeMap<(Option<i32>, u64), Cells>,
    emptied: BTreeMap<(Option<i32>, u64), i64>,
    deleted_rows: Vec<(i64, i32, i32)>,
    deleted: Option<i64>,
}

impl Content {
    /// A write is made.
    pub(crate) fn apply(&mut self, time: i64, effects: &[Effect], life: Life) {
        for effect in effects {
            match effect {
                Effect::Marker { ck } => {
                    let marker = self.markers.entry(*ck).or_insert((time, life));
                    if time > marker.0 {
                        *marker = (time, life);
                    }
                }
                Effect::Cell {
                    ck,
                    birth,
                    element,
                    value,
                } => {
                    let value = value.filter(|_| life == Life::Alive);
                    let cells = self.cells.entry((*ck, *birth)).or_default();
                    let cell = cells.entry(*element).or_insert((time, value));
                    if time > cell.0 {
                        *cell = (time, value);
                    }
                }
                Effect::Emptied { ck, birth } => {
                    let emptied = self.emptied.entry((*ck, *birth)).or_insert(time);
                    *emptied = time.max(*emptied);
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

    /// What a column holds.
    pub(crate) fn value(&self, ck: Option<i32>, column: &Column) -> Option<Value> {
        let ck = if column.is_static { None } else { ck };
        let place = (ck, column.birth);
        let emptied = self.emptied.get(&place).copied().unwrap_or(i64::MIN);
        let parts: Vec<(Option<i32>, i32)> = self
            .cells
            .get(&place)?
            .iter()
            .filter(|(_, (time, _))| *time >= emptied && self.stands(ck, *time))
            .filter_map(|(element, (_, value))| Some((*element, (*value)?)))
            .collect();
        let (_, first) = parts.first()?;
        let elements = parts.iter().filter_map(|(element, _)| *element);
        Some(match column.kind {
            Kind::Int => Value::Int(*first),
            Kind::Set => Value::Set(elements.collect()),
            Kind::Map => Value::Map(elements.zip(parts.iter().map(|part| part.1)).collect()),
            Kind::List => Value::List(elements.collect()),
        })
    }

    /// The rows that are there.
    pub(crate) fn rows(&self, columns: &[Column]) -> BTreeSet<i32> {
        let named = self.cells.keys().filter_map(|(ck, _)| *ck);
        let has_cell = |ck: i32| {
            columns
                .iter()
                .any(|column| !column.is_static && self.value(Some(ck), column).is_some())
        };
        let is_marked = |ck: i32| {
            self.markers
                .get(&ck)
                .is_some_and(|(time, life)| *life == Life::Alive && self.stands(Some(ck), *time))
        };
        self.markers
            .keys()
            .copied()
            .chain(named)
            .filter(|ck| is_marked(*ck) || has_cell(*ck))
            .collect()
    }
}
