//! After a restart: what must be there, and what has become of changes without an answer.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use messina::boot::LogLength;
use messina_tests::client::one;

use crate::actor::{Actor, Stop};
use crate::model::Table;
use crate::reads::compare_all;
use crate::world::{
    GUEST, KEYSPACE, TABLES, TYPES, TableChange, Told, World, table_lines, type_lines,
};

/// Lines of the schema that speak of one thing.
type Lines = BTreeSet<String>;

/// Reads the schema through `actor`, and settles which changes were made.
pub(crate) async fn verify_schema(actor: &mut Actor) -> Result<(), Stop> {
    let seen = schema_lines(actor).await?;
    let world = Rc::clone(&actor.world);
    settle_schema(&world, &seen)
        .map_err(|why| Stop::Failed(format!("{why}\nthe schema is:\n{}", joined(&seen))))
}

/// The kept log of the agreed changes has no holes, and is not longer than it may be.
pub(crate) async fn verify_agreed_log(actor: &mut Actor, length: LogLength) -> Result<(), Stop> {
    let log = rows(actor, r#"SELECT "index", commit_idx FROM system.raft"#).await?;
    let snapshots = rows(actor, "SELECT idx FROM system.raft_snapshots").await?;
    // What is null counts as nothing.
    let number = |cell: &[u8]| cell.try_into().map_or(0, u64::from_be_bytes);
    let snapshot = snapshots.first().map_or(0, |row| number(&row[0]));
    // The log was founded with a snapshot at 1.
    let first = snapshot.saturating_sub(length.trailing_entries).max(1) + 1;
    let indexes = log.iter().map(|row| number(&row[0]));
    let kept: Vec<u64> = indexes.filter(|index| *index > 0).collect();
    let holds = |(place, index): (usize, &u64)| *index == first + place as u64;
    let applied = log.first().map_or(0, |row| number(&row[1]));
    // Starts that were cut have added entries, too.
    let is_short = applied < snapshot + length.snapshot_entries + 20;
    if kept.iter().enumerate().all(holds) && is_short {
        actor.world.borrow_mut().told.shortened_logs += u64::from(first > 2);
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "the agreed log has {kept:?}, applied up to {applied}, snapshot at {snapshot}, {length:?}"
    )))
}

/// Reads all rows through `actor`.
pub(crate) async fn verify_rows(actor: &mut Actor) -> Result<(), Stop> {
    for (place, name) in TABLES.into_iter().enumerate() {
        let (table, pending) = {
            let slot = &mut actor.world.borrow_mut().tables[place];
            (slot.table.clone(), slot.pending.take())
        };
        let Some(table) = table else { continue };
        let Some(change) = pending else {
            let rows = actor.scan(place, None).await?;
            actor.world.borrow_mut().told.rows += rows;
            take_settled(&actor.world, place);
            continue;
        };
        // Truncated or not, but not half.
        let now = actor.now();
        let partitions = actor.fetch(name, &table, None, None).await?;
        let mut kept = table.clone();
        let mut emptied = change.applied(Some(&table)).unwrap();
        let before = kept.before(now);
        let settled = match compare_all(&mut kept, &before, actor.now(), &partitions, None) {
            Ok(()) => kept,
            Err(why) => {
                let before = emptied.before(now);
                compare_all(&mut emptied, &before, actor.now(), &partitions, None).map_err(
                    |_| Stop::Failed(format!("{name} is neither truncated nor whole\n{why}")),
                )?;
                emptied
            }
        };
        actor.world.borrow_mut().tables[place].table = Some(settled);
        take_settled(&actor.world, place);
    }
    Ok(())
}

fn take_settled(world: &RefCell<World>, place: usize) {
    let mut world = world.borrow_mut();
    if let Some(table) = &mut world.tables[place].table {
        let settled = std::mem::take(&mut table.settled);
        world.told.writes_made += settled.made;
        world.told.writes_not_made += settled.not_made;
    }
}

async fn schema_lines(actor: &mut Actor) -> Result<Lines, Stop> {
    let mut lines = Lines::new();
    let of = |table: &str, columns: &str| {
        format!(
            "SELECT {columns} FROM system_schema.{table} WHERE keyspace_name IN ('{KEYSPACE}', '{GUEST}')"
        )
    };
    let text = of("keyspaces", "keyspace_name");
    for row in rows(actor, &text).await? {
        lines.insert(format!("keyspace {}", text_of(&row[0])));
    }
    let text = of("tables", "table_name, gc_grace_seconds");
    for row in rows(actor, &text).await? {
        lines.insert(format!("table {} gc {}", text_of(&row[0]), number(&row[1])));
    }
    let text = of(
        "columns",
        "table_name, column_name, kind, type, clustering_order",
    );
    for row in rows(actor, &text).await? {
        let row: Vec<String> = row.iter().map(|cell| text_of(cell)).collect();
        let [table, name, kind, ty, order] = &row[..] else {
            continue;
        };
        lines.insert(format!("column {table}.{name} {kind} {ty} {order}"));
    }
    let text = of("types", "type_name, field_names");
    for row in rows(actor, &text).await? {
        lines.insert(format!(
            "type {} {}",
            text_of(&row[0]),
            list(&row[1]).join(",")
        ));
    }
    Ok(lines)
}

async fn rows(actor: &mut Actor, text: &str) -> Result<Vec<Vec<Vec<u8>>>, Stop> {
    let answer = actor.must(text, &one()).await?;
    Ok(answer
        .cells()
        .into_iter()
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
        .collect())
}

fn text_of(cell: &[u8]) -> String {
    String::from_utf8(cell.to_vec()).unwrap()
}

fn number(cell: &[u8]) -> i32 {
    i32::from_be_bytes(cell.try_into().unwrap())
}

/// The texts in a serialized list.
fn list(mut bytes: &[u8]) -> Vec<String> {
    let mut take = |len: usize| {
        let (taken, left) = bytes.split_at(len);
        bytes = left;
        taken
    };
    let length =
        |bytes: &[u8]| usize::try_from(i32::from_be_bytes(bytes.try_into().unwrap())).unwrap();
    let count = length(take(4));
    let mut items = Vec::new();
    for _ in 0..count {
        let len = length(take(4));
        items.push(String::from_utf8(take(len).to_vec()).unwrap());
    }
    items
}

fn joined(lines: &Lines) -> String {
    lines
        .iter()
        .fold(String::new(), |text, line| format!("{text}  {line}\n"))
}

/// Finds for each thing whether its pending change was made.
fn settle_schema(world: &RefCell<World>, seen: &Lines) -> Result<(), String> {
    let mut world = world.borrow_mut();
    let mut told = Told::default();
    let home = format!("keyspace {KEYSPACE}");
    if !seen.contains(&home) {
        return Err("the keyspace of everything is gone".to_owned());
    }
    let mut explained = Lines::from([home]);
    for (place, name) in TABLES.into_iter().enumerate() {
        let speaks = |line: &&String| {
            line.starts_with(&format!("table {name} "))
                || line.starts_with(&format!("column {name}."))
        };
        let now: Lines = seen.iter().filter(speaks).cloned().collect();
        let lines =
            |table: Option<&Table>| table.map_or_else(Lines::new, |table| table_lines(name, table));
        let slot = &mut world.tables[place];
        let changed = slot
            .pending
            .as_ref()
            .map(|change| change.applied(slot.table.as_ref()));
        if matches!(slot.pending, Some(TableChange::Truncate)) && now == lines(slot.table.as_ref())
        {
            // The rows tell.
        } else if now == lines(slot.table.as_ref()) {
            told.changes_not_made += u64::from(slot.pending.take().is_some());
        } else if changed
            .as_ref()
            .is_some_and(|changed| now == lines(changed.as_ref()))
        {
            slot.table = changed.flatten();
            slot.pending = None;
            told.changes_made += 1;
        } else {
            return Err(format!(
                "{name} is\n{}but should be\n{}and was being changed: {:?}",
                joined(&now),
                joined(&lines(slot.table.as_ref())),
                slot.pending
            ));
        }
        explained.extend(now);
    }
    for (place, name) in TYPES.into_iter().enumerate() {
        let now: Lines = seen
            .iter()
            .filter(|line| line.starts_with(&format!("type {name} ")))
            .cloned()
            .collect();
        world.types[place].settle(name, &now, |fields| type_lines(name, fields), &mut told)?;
        explained.extend(now);
    }
    let now: Lines = seen
        .iter()
        .filter(|line| {
            *line == &format!("keyspace {GUEST}") || line.contains(" g ") || line.contains(" g.")
        })
        .cloned()
        .collect();
    world.guest.settle(
        GUEST,
        &now,
        |version| {
            let all = [
                format!("keyspace {GUEST}"),
                "table g gc 864000".to_owned(),
                "column g.pk partition_key int none".to_owned(),
            ];
            all.into_iter().take([0, 1, 3][version as usize]).collect()
        },
        &mut told,
    )?;
    explained.extend(now);
    world.told += told;
    match seen.difference(&explained).next() {
        None => Ok(()),
        Some(line) => Err(format!("nobody made this: {line}")),
    }
}

impl crate::world::Versioned {
    fn settle(
        &mut self,
        name: &str,
        now: &Lines,
        lines: impl Fn(u32) -> Lines,
        told: &mut Told,
    ) -> Result<(), String> {
        let pending = self.pending.take();
        if *now == lines(self.version) {
            told.changes_not_made += u64::from(pending.is_some());
            return Ok(());
        }
        match pending {
            Some(next) if *now == lines(next) => {
                told.changes_made += 1;
                self.version = next;
                Ok(())
            }
            _ => Err(format!(
                "{name} is\n{}but should be\n{}or have made the step to {pending:?}",
                joined(now),
                joined(&lines(self.version))
            )),
        }
    }
}
