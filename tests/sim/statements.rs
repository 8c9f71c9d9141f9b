//! Single statements that write, and what they mean.

use std::collections::{BTreeMap, BTreeSet};

use node_env::Rng;

use crate::actor::Actor;
use crate::content::{Column, Effect, Kind};
use crate::model::Table;
use crate::world::KEYSPACE;

/// Elements of sets and keys of maps are below this.
const ELEMENTS: u64 = 6;

/// A statement and its meaning.
pub(crate) struct Statement {
    /// With marked literals, and `$USING` where that clause goes.
    pub(crate) text: String,
    pub(crate) effects: Vec<Effect>,
    /// It can have a time to live.
    pub(crate) may_expire: bool,
    pub(crate) ttl: Option<i64>,
}

impl Statement {
    fn writing(text: String, effects: Vec<Effect>) -> Self {
        Self {
            text,
            effects,
            may_expire: true,
            ttl: None,
        }
    }

    fn deleting(text: String, effects: Vec<Effect>) -> Self {
        Self {
            may_expire: false,
            ..Self::writing(text, effects)
        }
    }
}

/// A cell of a row, or a static one.
struct Place<'a> {
    column: &'a Column,
    ck: i32,
}

impl Place<'_> {
    fn ck(&self) -> Option<i32> {
        (!self.column.is_static).then_some(self.ck)
    }

    fn cell(&self, element: Option<i32>, value: Option<i32>) -> Effect {
        Effect::Cell {
            ck: self.ck(),
            birth: self.column.birth,
            element,
            value,
        }
    }

    fn emptied(&self) -> Effect {
        Effect::Emptied {
            ck: self.ck(),
            birth: self.column.birth,
        }
    }

    fn cells(&self, elements: &BTreeMap<i32, i32>) -> Vec<Effect> {
        let cell = |(element, value): (&i32, &i32)| self.cell(Some(*element), Some(*value));
        elements.iter().map(cell).collect()
    }
}

fn joined(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

/// A collection as a marked literal.
fn collection(kind: Kind, elements: &BTreeMap<i32, i32>) -> String {
    match kind {
        Kind::List => format!("‹[{}]›", joined(elements.keys())),
        Kind::Map => {
            let entries = elements
                .iter()
                .map(|(key, value)| format!("{key}: {value}"));
            format!("‹{{{}}}›", joined(entries))
        }
        Kind::Set | Kind::Int => format!("‹{{{}}}›", joined(elements.keys())),
    }
}

impl Actor {
    pub(crate) fn statement(
        &mut self,
        name: &str,
        table: &Table,
        (pk, ck): (i32, i32),
        value: i32,
        with_static: bool,
    ) -> Statement {
        match self.rng.below(15) {
            0..6 => self.insert(name, table, (pk, ck), value, with_static),
            6..10 => {
                let columns = self.some_columns(table, with_static);
                let (mut sets, mut effects) = (Vec::new(), Vec::new());
                for column in &columns {
                    let (text, effect) = self.set(&Place { column, ck }, value);
                    sets.push(text);
                    effects.extend(effect);
                }
                let (sets, key) = (sets.join(", "), key_of(table, &columns, (pk, ck)));
                let text = format!("UPDATE {KEYSPACE}.{name} $USING SET {sets} WHERE {key}");
                Statement::writing(text, effects)
            }
            10..12 => {
                let columns = self.some_columns(table, with_static);
                let (mut names, mut effects) = (Vec::new(), Vec::new());
                for column in &columns {
                    let place = Place { column, ck };
                    let element = i32::try_from(self.rng.below(ELEMENTS)).unwrap();
                    let (text, effect) = match column.kind {
                        Kind::Int => (column.name.to_owned(), place.cell(None, None)),
                        Kind::Set | Kind::Map if self.rng.one_in(2) => (
                            format!("{}[‹{element}›]", column.name),
                            place.cell(Some(element), None),
                        ),
                        _ => (column.name.to_owned(), place.emptied()),
                    };
                    names.push(text);
                    effects.push(effect);
                }
                let (names, key) = (names.join(", "), key_of(table, &columns, (pk, ck)));
                let text = format!("DELETE {names} FROM {KEYSPACE}.{name} $USING WHERE {key}");
                Statement::deleting(text, effects)
            }
            _ => self.deletion(name, table, (pk, ck)),
        }
    }

    /// The deletion of rows or of a partition.
    pub(crate) fn deletion(
        &mut self,
        name: &str,
        table: &Table,
        (pk, ck): (i32, i32),
    ) -> Statement {
        let from = format!("DELETE FROM {KEYSPACE}.{name} $USING WHERE pk = ‹{pk}›");
        let (text, effect) = match self.rng.below(3) {
            0 if table.shape.has_rows => {
                let (first, last) = (ck, ck);
                (
                    format!("{from} AND ck = ‹{ck}›"),
                    Effect::Rows { first, last },
                )
            }
            1 if table.shape.has_rows => {
                let last = ck + i32::try_from(self.rng.below(4)).unwrap();
                let end = last + 1;
                (
                    format!("{from} AND ck >= ‹{ck}› AND ck < ‹{end}›"),
                    Effect::Rows { first: ck, last },
                )
            }
            _ => (from, Effect::Partition),
        };
        Statement::deleting(text, vec![effect])
    }

    pub(crate) fn insert(
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
        let (mut names, mut values) = (vec!["pk"], vec![format!("‹{pk}›")]);
        if table.shape.has_rows {
            names.push("ck");
            values.push(format!("‹{ck}›"));
        }
        let mut effects = vec![Effect::Marker { ck }];
        for column in &columns {
            let place = Place { column, ck };
            names.push(column.name);
            if column.kind == Kind::Int {
                values.push(format!("‹{value}›"));
                effects.push(place.cell(None, Some(value)));
            } else {
                let elements = self.elements(column.kind, value);
                values.push(collection(column.kind, &elements));
                effects.push(place.emptied());
                effects.extend(place.cells(&elements));
            }
        }
        let (names, values) = (names.join(", "), values.join(", "));
        let text = format!("INSERT INTO {KEYSPACE}.{name} ({names}) VALUES ({values}) $USING");
        Statement::writing(text, effects)
    }

    /// A part of SET: a column gets a value, or a collection other elements.
    fn set(&mut self, place: &Place<'_>, value: i32) -> (String, Vec<Effect>) {
        let (name, kind) = (place.column.name, place.column.kind);
        if kind == Kind::Int {
            return (
                format!("{name} = ‹{value}›"),
                vec![place.cell(None, Some(value))],
            );
        }
        let elements = self.elements(kind, value);
        let literal = collection(kind, &elements);
        match self.rng.below(4) {
            0 => {
                let mut effects = vec![place.emptied()];
                effects.extend(place.cells(&elements));
                (format!("{name} = {literal}"), effects)
            }
            1 if kind != Kind::List => {
                let keys: BTreeSet<i32> = elements.keys().copied().collect();
                let gone = keys.iter().map(|key| place.cell(Some(*key), None));
                let text = format!("{name} = {name} - ‹{{{}}}›", joined(&keys));
                (text, gone.collect())
            }
            2 if kind == Kind::Map => {
                let (key, value) = elements.first_key_value().unwrap();
                let effect = place.cell(Some(*key), Some(*value));
                (format!("{name}[‹{key}›] = ‹{value}›"), vec![effect])
            }
            _ => (
                format!("{name} = {name} + {literal}"),
                place.cells(&elements),
            ),
        }
    }

    /// One to three elements and what is with them. Those of lists are unlike all others, and grow.
    fn elements(&mut self, kind: Kind, value: i32) -> BTreeMap<i32, i32> {
        let count = 1 + i32::try_from(self.rng.below(3)).unwrap();
        let element = |place: i32| match kind {
            Kind::List => value * 4 + place,
            Kind::Int | Kind::Set | Kind::Map => i32::try_from(self.rng.below(ELEMENTS)).unwrap(),
        };
        (0..count)
            .map(element)
            .map(|element| (element, value))
            .collect()
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

/// The condition that names a row, or only its partition when nothing else is written.
fn key_of(table: &Table, columns: &[Column], (pk, ck): (i32, i32)) -> String {
    let only_static = columns.iter().all(|column| column.is_static);
    match table.shape.has_rows && !only_static {
        true => format!("pk = ‹{pk}› AND ck = ‹{ck}›"),
        false => format!("pk = ‹{pk}›"),
    }
}
