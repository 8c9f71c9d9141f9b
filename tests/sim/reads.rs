//! What a client reads, and how it is compared.

use std::collections::BTreeMap;
use std::rc::Rc;

use cql_protocol::{Consistency, OutgoingParameters};
use messina_tests::client::{Answer, one};
use node_env::Rng;

use crate::actor::{Actor, Result, Stop};
use crate::content::{Kind, Row, Value};
use crate::model::{Before, Table, Wanted};
use crate::world::{KEYSPACE, PARTITIONS, TABLES, WITNESS};

impl Actor {
    pub(crate) async fn read_partition(&mut self, table: usize) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let Some(copy) = self.reading(table) else {
            return Ok(());
        };
        let pk = i32::try_from(self.rng.below(PARTITIONS as u64)).unwrap();
        let mut text = select(TABLES[table], &copy);
        text.push_str(&format!(" WHERE pk = ‹{pk}›"));
        let mut wanted = Wanted::ALL;
        if copy.shape.has_rows && self.rng.one_in(2) {
            let first = self.row(&copy);
            let last = first + i32::try_from(self.rng.below(4)).unwrap();
            let mut rows: Vec<i32> = (first..=last).collect();
            text.push_str(&match self.rng.below(3) {
                _ if first == last => format!(" AND ck = ‹{first}›"),
                0 => {
                    rows.retain(|_| !self.rng.one_in(3));
                    rows.push(first);
                    let marked: Vec<String> = rows.iter().map(|ck| format!("‹{ck}›")).collect();
                    format!(" AND ck IN ({})", marked.join(", "))
                }
                _ => format!(" AND ck >= ‹{first}› AND ck <= ‹{last}›"),
            });
            wanted.rows = Some(rows);
        }
        if copy.shape.has_rows && self.rng.one_in(3) {
            wanted.is_reversed = true;
            let order = if copy.shape.is_descending {
                "ASC"
            } else {
                "DESC"
            };
            text.push_str(&format!(" ORDER BY ck {order}"));
        }
        if self.rng.one_in(3) {
            let limit = 1 + self.rng.index(4);
            wanted.limit = Some(limit);
            text.push_str(&format!(" LIMIT ‹{limit}›"));
        }
        let before = copy.before(self.now());
        let rows = rows_of(&self.must(&text, &one()).await?, &copy);
        let mut world = self.world.borrow_mut();
        let model = world.tables[table].table.as_mut().unwrap();
        // A column that was added meanwhile is not in the answer.
        let columns = std::mem::replace(&mut model.columns, copy.columns);
        let compared = model.compare(pk, &wanted, &before, self.now(), &rows);
        model.columns = columns;
        compared.map_err(|why| Stop::Failed(format!("{text}\n{why}")))
    }

    pub(crate) fn reading(&self, table: usize) -> Option<Table> {
        self.world.borrow().tables[table].usable().cloned()
    }

    /// Reads a whole table, in pages or at once, and compares every partition; how many rows there were.
    pub(crate) async fn scan(&mut self, table: usize, page: Option<i32>) -> Result<u64> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let Some(copy) = self.reading(table) else {
            return Ok(0);
        };
        let before = copy.before(self.now());
        let partitions = self.fetch(TABLES[table], &copy, None, page).await?;
        let mut world = self.world.borrow_mut();
        let model = world.tables[table].table.as_mut().unwrap();
        let columns = std::mem::replace(&mut model.columns, copy.columns);
        let compared = compare_all(model, &before, self.now(), &partitions, page);
        model.columns = columns;
        compared.map_err(|why| Stop::Failed(format!("a scan of {}\n{why}", TABLES[table])))?;
        Ok(partitions.values().map(|rows| rows.len() as u64).sum())
    }

    /// Reads some partitions at once.
    pub(crate) async fn read_partitions(&mut self, table: usize) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[table].users);
        let _using = users.read().await;
        let Some(copy) = self.reading(table) else {
            return Ok(());
        };
        let mut pks: Vec<i32> = (0..PARTITIONS).collect();
        node_env::chance::shuffle(&mut self.rng, &mut pks);
        pks.truncate(1 + self.rng.index(3));
        let before = copy.before(self.now());
        let partitions = self.fetch(TABLES[table], &copy, Some(&pks), None).await?;
        let mut world = self.world.borrow_mut();
        let model = world.tables[table].table.as_mut().unwrap();
        let columns = std::mem::replace(&mut model.columns, copy.columns);
        let compared = pks.iter().try_for_each(|pk| {
            let rows = partitions.get(pk).map_or(&[][..], Vec::as_slice);
            model.compare(*pk, &Wanted::ALL, &before, self.now(), rows)
        });
        model.columns = columns;
        compared.map_err(|why| Stop::Failed(format!("partitions {pks:?} of t{table}\n{why}")))?;
        match partitions.keys().find(|pk| !pks.contains(pk)) {
            None => Ok(()),
            Some(pk) => Err(Stop::Failed(format!("nobody asked for partition {pk}"))),
        }
    }

    /// The rows of a table, or of some of its partitions, by partition.
    pub(crate) async fn fetch(
        &mut self,
        name: &str,
        table: &Table,
        pks: Option<&[i32]>,
        page: Option<i32>,
    ) -> Result<BTreeMap<i32, Vec<Row>>> {
        let mut text = select(name, table);
        if let Some(pks) = pks {
            let marked: Vec<String> = pks.iter().map(|pk| format!("‹{pk}›")).collect();
            text.push_str(&format!(" WHERE pk IN ({})", marked.join(", ")));
        }
        let mut partitions: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
        let mut last = None;
        let mut state: Option<Vec<u8>> = None;
        loop {
            let parameters = OutgoingParameters {
                page_size: page,
                paging_state: state.as_deref(),
                ..OutgoingParameters::new(Consistency::One)
            };
            let answer = self.must(&text, &parameters).await?;
            for row in rows_of(&answer, table) {
                let Some(Value::Int(pk)) = row[0] else {
                    return Err(Stop::Failed(format!("{text}\n  a row without its key")));
                };
                if last != Some(pk) && partitions.contains_key(&pk) {
                    return Err(Stop::Failed(format!(
                        "{text}\n  partition {pk} comes twice"
                    )));
                }
                last = Some(pk);
                partitions.entry(pk).or_default().push(row);
            }
            state = answer.rows().unwrap().metadata.paging_state.clone();
            if state.is_none() {
                return Ok(partitions);
            }
        }
    }
}

/// The SELECT of all columns of a table, without a WHERE.
fn select(name: &str, table: &Table) -> String {
    let keys: &[&str] = if table.shape.has_rows {
        &["pk", "ck"]
    } else {
        &["pk"]
    };
    let columns = table.columns.iter().map(|column| column.name);
    let names: Vec<&str> = keys.iter().copied().chain(columns).collect();
    format!("SELECT {} FROM {KEYSPACE}.{name}", names.join(", "))
}

fn rows_of(answer: &Answer, table: &Table) -> Vec<Row> {
    let keys = 1 + usize::from(table.shape.has_rows);
    let kinds = table.columns.iter().map(|column| column.kind);
    let kinds: Vec<Kind> = [Kind::Int; 2].into_iter().take(keys).chain(kinds).collect();
    let row = |row: Vec<Option<Vec<u8>>>| {
        let cells = row.into_iter().zip(&kinds);
        cells
            .map(|(cell, kind)| Some(value_of(*kind, &cell?)))
            .collect()
    };
    answer.cells().into_iter().map(row).collect()
}

fn value_of(kind: Kind, bytes: &[u8]) -> Value {
    let int = |bytes: &[u8]| i32::from_be_bytes(bytes.try_into().unwrap());
    if kind == Kind::Int {
        return Value::Int(int(bytes));
    }
    // The count, then each number after its length.
    let numbers: Vec<i32> = bytes[4..].chunks(8).map(|item| int(&item[4..])).collect();
    let parts = if kind == Kind::Map { 2 } else { 1 };
    assert_eq!(int(&bytes[..4]) as usize * parts, numbers.len());
    match kind {
        Kind::Map => Value::Map(numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect()),
        Kind::List => Value::List(numbers),
        Kind::Set | Kind::Int => Value::Set(numbers),
    }
}

/// Compares all partitions of a table.
pub(crate) fn compare_all(
    table: &mut Table,
    before: &Before,
    now: i64,
    partitions: &BTreeMap<i32, Vec<Row>>,
    page: Option<i32>,
) -> std::result::Result<(), String> {
    let known = (0..PARTITIONS).chain([WITNESS]);
    if let Some(foreign) = partitions
        .keys()
        .find(|pk| !known.clone().any(|known| known == **pk))
    {
        return Err(format!("partition {foreign} was never written"));
    }
    for pk in known {
        // A page may end inside a partition: two pages are two reads.
        if page.is_some() && table.is_disturbed(pk, before, now) {
            continue;
        }
        let rows = partitions.get(&pk).map_or(&[][..], Vec::as_slice);
        table.compare(pk, &Wanted::ALL, before, now, rows)?;
    }
    Ok(())
}
