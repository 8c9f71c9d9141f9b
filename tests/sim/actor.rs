//! A client that does what chance says, one request at a time, and keeps the books.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cql_protocol::{ErrorCode, OutgoingParameters, OutgoingValues, ValueRef};
use messina_tests::client::{Answer, ClientError, one};
use node_env::{NodeClock, Rng, SeededRng};

use crate::content::Column;
use crate::machine::Client;
use crate::model::{GRACE_S, LONG_GRACE_S, Shape, Table};
use crate::template;
use crate::world::{GUEST, KEYSPACE, TABLES, TYPES, TableChange, Versioned, World};

/// Names of columns that come and go.
const COLUMNS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Whether a node may fail to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faults {
    /// The machine is well.
    None,
    /// The machine goes down.
    Planned,
    /// Files or engine fail once: errors are answers, silence is none.
    Errors,
}

/// A column as CREATE TABLE and ALTER TABLE want it.
fn declared(column: &Column) -> String {
    let suffix = if column.is_static { " STATIC" } else { "" };
    format!("{} {}{suffix}", column.name, column.kind.name())
}

/// Why a client stops.
pub(crate) enum Stop {
    /// The node is going down.
    Down,
    /// Something failed, with this code; there may be more to do.
    Unsure(ErrorCode),
    /// It gave an answer that must not be.
    Failed(String),
}

/// What a request gives.
pub(crate) type Result<T> = std::result::Result<T, Stop>;

/// A client.
pub(crate) struct Actor {
    pub(crate) world: Rc<RefCell<World>>,
    pub(crate) client: Client,
    pub(crate) rng: SeededRng,
    /// Its number, and how many there are.
    pub(crate) number: (i32, i32),
    pub(crate) faults: Faults,
    /// The node's, to know what may have expired.
    pub(crate) clock: Arc<NodeClock>,
    /// Ids of prepared statements by their texts.
    pub(crate) prepared: BTreeMap<String, Vec<u8>>,
}

impl Actor {
    /// Acts until the life ends.
    pub(crate) async fn run(mut self) {
        loop {
            {
                let mut world = self.world.borrow_mut();
                world.acts += 1;
                if world.acts >= world.acts_max {
                    world.life_ends.notify_one();
                    return;
                }
            }
            let quiet_until = self.world.borrow().quiet_until;
            if let Some(moment) = quiet_until {
                tokio::time::sleep_until(moment).await;
            }
            match self.act().await {
                Ok(()) => {}
                Err(Stop::Unsure(_)) => self.world.borrow_mut().told.errors += 1,
                Err(Stop::Down) => return,
                Err(Stop::Failed(text)) => return self.world.borrow_mut().fail(text),
            }
        }
    }

    async fn act(&mut self) -> Result<()> {
        let table = self.rng.index(TABLES.len());
        let writes_late = self.world.borrow().writes_late;
        match self.rng.below(100) {
            0..44 if writes_late => self.write_late(table).await,
            0..48 => self.write(table).await,
            48..58 => self.write_late(table).await,
            58..65 => self.read_partition(table).await,
            65..68 => self.read_partitions(table).await,
            68..76 => self.scan(table, None).await.map(drop),
            76..82 => {
                let rows = i32::try_from(self.rng.between(1, 7)).unwrap();
                self.scan(table, Some(rows)).await.map(drop)
            }
            82..92 => self.change_table(table).await,
            92..95 => self.change_type().await,
            95..97 => self.step_guest().await,
            _ => {
                // Now and then long enough for tombstones to be purged.
                let millis = match self.rng.one_in(2) {
                    true => self.rng.below(10_000),
                    false => self.rng.below(4) * self.rng.below(400),
                };
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(())
            }
        }
    }

    /// Asks; a refusal that says what is wrong with the statement is an answer.
    pub(crate) async fn ask(
        &mut self,
        text: &str,
        parameters: &OutgoingParameters<'_>,
    ) -> Result<std::result::Result<Answer, (ErrorCode, String)>> {
        let asked = self.send_either(text, parameters);
        let answer = tokio::time::timeout(Duration::from_secs(60), asked).await;
        let mut code = None;
        let unanswered = match answer {
            Err(_) => "no answer within a minute".to_owned(),
            Ok(Ok(answer)) => {
                self.note(text, &format!("{:?}", answer.body));
                return Ok(Ok(answer));
            }
            Ok(Err(error)) => {
                self.note(text, &error.to_string());
                code = error.code();
                match (&error, error.code()) {
                    (
                        ClientError::Refused(refusal),
                        Some(
                            code @ (ErrorCode::Invalid
                            | ErrorCode::AlreadyExists
                            | ErrorCode::SyntaxError
                            | ErrorCode::ConfigError
                            | ErrorCode::Unauthorized
                            | ErrorCode::ProtocolError),
                        ),
                    ) => return Ok(Err((code, refusal.error.message.clone()))),
                    _ => error.to_string(),
                }
            }
        };
        Err(match (self.faults, code) {
            (Faults::Planned, _) => Stop::Down,
            (Faults::Errors, Some(code)) => Stop::Unsure(code),
            (Faults::None | Faults::Errors, _) => Stop::Failed(format!("{text}\n  {unanswered}")),
        })
    }

    /// Sends a text with its literals, or prepares it and sends its values.
    async fn send_either(
        &mut self,
        text: &str,
        parameters: &OutgoingParameters<'_>,
    ) -> std::result::Result<Answer, ClientError> {
        if !text.contains('‹') || self.rng.one_in(2) {
            let text = template::literal(text);
            return self.client.query_with(&text, parameters).await;
        }
        let (text, values) = template::prepared(text);
        let values: Vec<ValueRef<'_>> = values.iter().map(|bytes| ValueRef::Bytes(bytes)).collect();
        let parameters = OutgoingParameters {
            values: OutgoingValues::Positional(&values),
            ..*parameters
        };
        loop {
            let id = match self.prepared.get(&text) {
                Some(id) => id.clone(),
                None => {
                    let id = self.client.prepare(&text).await?.id;
                    self.prepared.insert(text.clone(), id.clone());
                    id
                }
            };
            let answer = self.client.execute(&id, &parameters).await;
            match &answer {
                // A change of the table has made it void.
                Err(error) if error.code() == Some(ErrorCode::Unprepared) => {
                    self.world.borrow_mut().told.prepared_again += 1;
                    drop(self.prepared.remove(&text));
                }
                _ => return answer,
            }
        }
    }

    /// What time it is for the node, in seconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now_seconds()
    }

    /// Asks for what must be answered.
    pub(crate) async fn must(
        &mut self,
        text: &str,
        parameters: &OutgoingParameters<'_>,
    ) -> Result<Answer> {
        let answer = self.ask(text, parameters).await?;
        answer.map_err(|(code, why)| Stop::Failed(format!("{text}\n  {code:?}: {why}")))
    }

    fn note(&self, text: &str, answer: &str) {
        let mut world = self.world.borrow_mut();
        world.answered += 1;
        if world.is_loud {
            println!("client {}: {text}\n    {answer}", self.number.0);
        }
        world.trace.add(text);
        world.trace.add(answer);
    }

    async fn change_table(&mut self, place: usize) -> Result<()> {
        let changing = Rc::clone(&self.world.borrow().tables[place].changing);
        let _changing = changing.lock().await;
        if self.world.borrow().tables[place].is_stuck {
            return Ok(());
        }
        let table = self.reading(place);
        match self.wish(TABLES[place], table.as_ref()) {
            Some((change, text)) => self.make(place, change, &text).await,
            None => Ok(()),
        }
    }

    /// Makes a change of a table; nobody else may change it meanwhile.
    pub(crate) async fn make(
        &mut self,
        place: usize,
        change: TableChange,
        text: &str,
    ) -> Result<()> {
        let users = Rc::clone(&self.world.borrow().tables[place].users);
        // A new column disturbs nobody.
        let (_shared, _alone) = match change {
            TableChange::Add(_) => (Some(users.read().await), None),
            _ => (None, Some(users.write().await)),
        };
        if let (TableChange::Truncate, Some(table)) = (&change, self.reading(place)) {
            self.witness(place, &table).await?;
        }
        self.world.borrow_mut().tables[place].pending = Some(change);
        let answer = self.must(text, &one()).await;
        let slot = &mut self.world.borrow_mut().tables[place];
        slot.is_stuck = answer.is_err();
        answer?;
        let change = slot.pending.take().unwrap();
        slot.table = change.applied(slot.table.as_ref());
        Ok(())
    }

    fn wish(&mut self, name: &str, table: Option<&Table>) -> Option<(TableChange, String)> {
        let name = format!("{KEYSPACE}.{name}");
        let Some(table) = table else {
            let shape = Shape {
                has_rows: !self.rng.one_in(4),
                is_descending: self.rng.one_in(2),
                grace_s: [0, GRACE_S, GRACE_S, LONG_GRACE_S][self.rng.index(4)],
            };
            return Some(self.create(&name, shape));
        };
        let regulars = table.columns.iter().filter(|column| !column.is_static);
        match self.rng.below(10) {
            0..4 => {
                let free = COLUMNS
                    .into_iter()
                    .find(|name| table.columns.iter().all(|column| column.name != *name))?;
                let is_static = table.shape.has_rows && self.rng.one_in(4);
                let column = Column::new(free, self.world.borrow_mut().number(), is_static);
                let text = format!("ALTER TABLE {name} ADD {}", declared(&column));
                Some((TableChange::Add(column), text))
            }
            4..7 => {
                let column = &table.columns[self.rng.index(table.columns.len())];
                (column.is_static || regulars.count() > 1).then(|| {
                    let text = format!("ALTER TABLE {name} DROP {}", column.name);
                    (TableChange::Remove(column.name), text)
                })
            }
            7..9 => Some((TableChange::Truncate, format!("TRUNCATE {name}"))),
            _ => Some((TableChange::Drop, format!("DROP TABLE {name}"))),
        }
    }

    pub(crate) fn create(&mut self, name: &str, mut shape: Shape) -> (TableChange, String) {
        shape.is_descending &= shape.has_rows;
        let mut names = vec![("a", false), ("b", false)];
        names.extend(["c", "d", "e"].map(|name| (name, false)));
        names.retain(|(name, _)| ["a", "b"].contains(name) || self.rng.one_in(2));
        if shape.has_rows {
            names.push(("s", true));
            names.extend(self.rng.one_in(2).then_some(("t", true)));
        }
        let columns = names.into_iter().map(|(name, is_static)| {
            Column::new(name, self.world.borrow_mut().number(), is_static)
        });
        let table = Table::new(shape, columns.collect());
        let columns: Vec<String> = table.columns.iter().map(declared).collect();
        let (columns, grace) = (columns.join(", "), shape.grace_s);
        let text = match (shape.has_rows, shape.is_descending) {
            (true, descending) => format!(
                "CREATE TABLE {name} (pk int, ck int, {columns}, PRIMARY KEY (pk, ck)) \
                 WITH CLUSTERING ORDER BY (ck {}) AND gc_grace_seconds = {grace}",
                if descending { "DESC" } else { "ASC" }
            ),
            (false, _) => format!(
                "CREATE TABLE {name} (pk int PRIMARY KEY, {columns}) WITH gc_grace_seconds = {grace}"
            ),
        };
        (TableChange::Create(table), text)
    }

    async fn change_type(&mut self) -> Result<()> {
        let place = self.rng.index(TYPES.len());
        self.step_type(place).await
    }

    /// The next step of a type: made, changed, dropped.
    pub(crate) async fn step_type(&mut self, place: usize) -> Result<()> {
        let name = format!("{KEYSPACE}.{}", TYPES[place]);
        let drops = self.rng.one_in(3);
        self.change_versioned(
            move |world| &mut world.types[place],
            move |version| match version {
                0 => (1, format!("CREATE TYPE {name} (f0 int)")),
                _ if drops => (0, format!("DROP TYPE {name}")),
                fields => (fields + 1, format!("ALTER TYPE {name} ADD f{fields} int")),
            },
        )
        .await
    }

    /// The next step of the keyspace that comes and goes.
    pub(crate) async fn step_guest(&mut self) -> Result<()> {
        self.change_versioned(|world| &mut world.guest, |version| match version {
            0 => (1, format!("CREATE KEYSPACE {GUEST} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")),
            1 => (2, format!("CREATE TABLE {GUEST}.g (pk int PRIMARY KEY)")),
            _ => (0, format!("DROP KEYSPACE {GUEST}")),
        })
        .await
    }

    /// Takes a step of something that has versions.
    async fn change_versioned(
        &mut self,
        of: impl Fn(&mut World) -> &mut Versioned,
        wish: impl Fn(u32) -> (u32, String),
    ) -> Result<()> {
        let changing = Rc::clone(&of(&mut self.world.borrow_mut()).changing);
        let _changing = changing.lock().await;
        if of(&mut self.world.borrow_mut()).pending.is_some() {
            return Ok(());
        }
        let version = of(&mut self.world.borrow_mut()).version;
        let (next, text) = wish(version);
        of(&mut self.world.borrow_mut()).pending = Some(next);
        self.must(&text, &one()).await?;
        let mut world = self.world.borrow_mut();
        let versioned = of(&mut world);
        versioned.version = next;
        versioned.pending = None;
        Ok(())
    }
}
