//! What the node must hold: tables, types and a keyspace, and the changes whose outcome is not known.

use std::collections::BTreeSet;
use std::rc::Rc;

use tokio::sync::{Mutex, Notify, RwLock};
use tokio::time::Instant;

use crate::content::Column;
use crate::model::Table;

/// The keyspace of everything.
pub(crate) const KEYSPACE: &str = "sim";

/// A keyspace that comes and goes.
pub(crate) const GUEST: &str = "guest";

/// Tables by the number of their slot.
pub(crate) const TABLES: [&str; 4] = ["t0", "t1", "t2", "t3"];

/// Types by the number of their slot.
pub(crate) const TYPES: [&str; 2] = ["u0", "u1"];

/// Partitions that are written.
pub(crate) const PARTITIONS: i32 = 6;

/// A partition that only TRUNCATE empties, so that its outcome is always seen.
pub(crate) const WITNESS: i32 = 100;

/// A change of a table.
#[derive(Clone, Debug)]
pub(crate) enum TableChange {
    Create(Table),
    Drop,
    Add(Column),
    Remove(&'static str),
    Truncate,
}

impl TableChange {
    /// What it makes of a table.
    pub(crate) fn applied(&self, table: Option<&Table>) -> Option<Table> {
        let mut table = match self {
            Self::Create(table) => return Some(table.clone()),
            Self::Drop => return None,
            Self::Add(_) | Self::Remove(_) | Self::Truncate => table.unwrap().clone(),
        };
        match self {
            Self::Add(column) => table.columns.push(column.clone()),
            Self::Remove(name) => table.columns.retain(|column| column.name != *name),
            Self::Truncate => table.emptied(),
            Self::Create(_) | Self::Drop => {}
        }
        Some(table)
    }
}

/// A place for a table.
#[derive(Default)]
pub(crate) struct Slot {
    /// Held shared by reads and writes, and alone by changes that they would notice.
    pub(crate) users: Rc<RwLock<()>>,
    /// One change at a time.
    pub(crate) changing: Rc<Mutex<()>>,
    pub(crate) table: Option<Table>,
    pub(crate) pending: Option<TableChange>,
    /// The pending change has failed, so nobody knows what the table is until the next start.
    pub(crate) is_stuck: bool,
}

impl Slot {
    /// The table, if it is there and can be used.
    pub(crate) fn usable(&self) -> Option<&Table> {
        self.table.as_ref().filter(|_| !self.is_stuck)
    }
}

/// Something that exists in so many versions: 0 for not at all.
#[derive(Default)]
pub(crate) struct Versioned {
    pub(crate) changing: Rc<Mutex<()>>,
    pub(crate) version: u32,
    pub(crate) pending: Option<u32>,
}

/// Everything that clients have done to a machine, over all its lives.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) tables: [Slot; 4],
    /// Types by their number of fields.
    pub(crate) types: [Versioned; 2],
    pub(crate) guest: Versioned,
    /// Writes, columns and values so far.
    pub(crate) next: u64,
    /// Acts of clients in this life.
    pub(crate) acts: u64,
    /// At so many acts the life ends.
    pub(crate) acts_max: u64,
    pub(crate) life_ends: Rc<Notify>,
    /// Nobody acts before this moment.
    pub(crate) quiet_until: Option<Instant>,
    /// The first thing that must not be.
    pub(crate) failure: Option<String>,
    /// Statements and answers are printed.
    pub(crate) is_loud: bool,
    /// Clients mostly delete things and then write them with an older time.
    pub(crate) writes_late: bool,
    /// Answers over all lives.
    pub(crate) answered: u64,
    pub(crate) trace: Trace,
    pub(crate) told: Told,
}

/// A hash of everything that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace(pub(crate) u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    /// Takes a text along.
    pub(crate) fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl World {
    /// A number that nothing else has.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Something must not be: the story ends.
    pub(crate) fn fail(&mut self, text: String) {
        self.failure.get_or_insert(text);
        self.life_ends.notify_one();
    }

    /// The node went down.
    pub(crate) fn node_down(&mut self, now: i64) {
        for slot in &mut self.tables {
            if let Some(table) = &mut slot.table {
                table.node_down(now);
            }
            // Clients that were dropped may not have given them back.
            slot.users = Rc::default();
            slot.changing = Rc::default();
            slot.is_stuck = false;
        }
        for versioned in self.types.iter_mut().chain([&mut self.guest]) {
            versioned.changing = Rc::default();
        }
        self.life_ends = Rc::default();
    }
}

/// Lines that describe a table, as the schema tables must have them.
pub(crate) fn table_lines(name: &str, table: &Table) -> BTreeSet<String> {
    let mut lines = BTreeSet::from([
        format!("table {name} gc {}", table.shape.grace_s),
        format!("column {name}.pk partition_key int none"),
    ]);
    if table.shape.has_rows {
        let order = if table.shape.is_descending {
            "desc"
        } else {
            "asc"
        };
        lines.insert(format!("column {name}.ck clustering int {order}"));
    }
    for column in &table.columns {
        let kind = if column.is_static {
            "static"
        } else {
            "regular"
        };
        let ty = column.kind.name();
        lines.insert(format!("column {name}.{} {kind} {ty} none", column.name));
    }
    lines
}

/// Lines that describe a type.
pub(crate) fn type_lines(name: &str, fields: u32) -> BTreeSet<String> {
    let names: Vec<String> = (0..fields).map(|field| format!("f{field}")).collect();
    Vec::from_iter((fields > 0).then(|| format!("type {name} {}", names.join(","))))
        .into_iter()
        .collect()
}

/// What stories have told of, so that nobody believes in stories of nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Changes of the schema without an answer that were made.
    pub(crate) changes_made: u64,
    /// And that were not.
    pub(crate) changes_not_made: u64,
    /// Writes without an answer that were made.
    pub(crate) writes_made: u64,
    /// And that were not.
    pub(crate) writes_not_made: u64,
    /// Rows that were compared after a start.
    pub(crate) rows: u64,
    /// Starts that were cut short.
    pub(crate) starts_cut: u64,
    /// Statements that a change of the schema made void.
    pub(crate) prepared_again: u64,
    /// Requests that failed because files or engine did.
    pub(crate) errors: u64,
    /// Agreed logs that were found shortened after a start.
    pub(crate) shortened_logs: u64,
}

impl std::ops::AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.changes_made += other.changes_made;
        self.changes_not_made += other.changes_not_made;
        self.writes_made += other.writes_made;
        self.writes_not_made += other.writes_not_made;
        self.rows += other.rows;
        self.starts_cut += other.starts_cut;
        self.prepared_again += other.prepared_again;
        self.errors += other.errors;
        self.shortened_logs += other.shortened_logs;
    }
}
