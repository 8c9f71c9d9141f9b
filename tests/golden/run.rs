//! Runs a script on a connection.

use std::collections::BTreeMap;

use cql_protocol::{
    BatchKind, Consistency, OutgoingBatch, OutgoingBatchStatement, OutgoingParameters,
    OutgoingValues, OwnedColumn, OwnedPrepared, StatementSource, ValueRef,
};
use messina_tests::client::{Answer, ClientError, Connection};
use messina_tests::literal::{Bound, Literals};

use crate::render::{Outcome, render};
use crate::script::{Action, Request, Script, Step};

/// More pages than this are a server that never ends.
const PAGES_MAX: usize = 100;

/// A connection in the keyspace of a script.
pub(crate) struct Runner {
    connection: Connection,
    keyspace: String,
    prepared: BTreeMap<String, OwnedPrepared>,
}

impl Runner {
    /// Makes an empty keyspace for the script and uses it.
    pub(crate) async fn start(mut connection: Connection, script: &Script) -> Self {
        let keyspace = format!("golden_{}", script.name);
        for left in left_over(&mut connection, &keyspace).await {
            let drop = format!("DROP KEYSPACE {left}");
            connection.query(&drop).await.unwrap();
        }
        for statement in [
            format!(
                "CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
            ),
            format!("USE {keyspace}"),
        ] {
            if let Err(error) = connection.query(&statement).await {
                panic!("{statement}: {error}");
            }
        }
        Self {
            connection,
            keyspace,
            prepared: BTreeMap::new(),
        }
    }

    /// Runs a statement; gives the lines of its answer.
    pub(crate) async fn step(&mut self, step: &Step) -> Vec<String> {
        let text = step.text.replace("$KS", &self.keyspace);
        let outcome = match self.request(&text).await {
            Ok(outcome) => outcome,
            Err(mistake) => return vec![format!("mistake in the script: {mistake}")],
        };
        render(&outcome, &self.keyspace)
    }

    async fn request(&mut self, text: &str) -> Result<Outcome, String> {
        let request = Request::parse(text)?;
        let consistency = match request.consistency {
            Some(name) => Consistency::from_name(name).ok_or("no such consistency")?,
            None => Consistency::One,
        };
        let mut parameters = OutgoingParameters::new(consistency);
        parameters.page_size = request.page;
        parameters.timestamp = request.timestamp;
        match request.action {
            Action::Query(statement) => Ok(self.pages(Source::Text(statement), parameters).await),
            Action::Prepare { name, statement } => {
                Ok(match self.connection.prepare(statement).await {
                    Ok(prepared) => {
                        self.prepared.insert(name.to_owned(), prepared.clone());
                        Outcome::Prepared(prepared)
                    }
                    Err(error) => Outcome::Failed(error),
                })
            }
            Action::Execute { name, values } => {
                let (id, variables) = self.variables(name)?;
                let mut literals = Literals::new(values);
                let bound = read_values(&mut literals, &variables)?;
                if !literals.rest().is_empty() {
                    return Err(format!("after the values: {}", literals.rest()));
                }
                let named: Vec<(&str, ValueRef<'_>)>;
                let positional: Vec<ValueRef<'_>>;
                parameters.values = if values.starts_with('{') {
                    named = bound
                        .iter()
                        .map(|(name, bound)| (name.as_str(), value_ref(bound)))
                        .collect();
                    OutgoingValues::Named(&named)
                } else {
                    positional = bound.iter().map(|(_, bound)| value_ref(bound)).collect();
                    OutgoingValues::Positional(&positional)
                };
                Ok(self.pages(Source::Prepared(&id), parameters).await)
            }
            Action::Batch { kind, members } => {
                let kind = match kind {
                    "LOGGED" => BatchKind::Logged,
                    "UNLOGGED" => BatchKind::Unlogged,
                    other => return Err(format!("no such kind of batch: {other}")),
                };
                self.batch(kind, members, &parameters).await
            }
        }
    }

    fn variables(&self, name: &str) -> Result<(Vec<u8>, Vec<OwnedColumn>), String> {
        let prepared = self
            .prepared
            .get(name)
            .ok_or_else(|| format!("{name} was not prepared"))?;
        Ok((prepared.id.clone(), prepared.variables.clone()))
    }

    async fn batch(
        &mut self,
        kind: BatchKind,
        members: &str,
        parameters: &OutgoingParameters<'_>,
    ) -> Result<Outcome, String> {
        let mut literals = Literals::new(members);
        let mut statements = Vec::new();
        while !literals.rest().is_empty() {
            let (id, variables) = self.variables(literals.word())?;
            statements.push((id, read_values(&mut literals, &variables)?));
            literals.take(',');
        }
        let values: Vec<Vec<ValueRef<'_>>> = statements
            .iter()
            .map(|(_, values)| values.iter().map(|(_, bound)| value_ref(bound)).collect())
            .collect();
        let statements: Vec<OutgoingBatchStatement<'_>> = statements
            .iter()
            .zip(&values)
            .map(|((id, _), values)| OutgoingBatchStatement {
                source: StatementSource::Prepared(id),
                values,
            })
            .collect();
        let batch = OutgoingBatch {
            kind,
            statements: &statements,
            consistency: parameters.consistency,
            serial_consistency: None,
            timestamp: parameters.timestamp,
        };
        Ok(match self.connection.batch(&batch).await {
            Ok(answer) => Outcome::Pages(vec![answer]),
            Err(error) => Outcome::Failed(error),
        })
    }

    /// Runs a statement page by page.
    async fn pages(
        &mut self,
        source: Source<'_>,
        mut parameters: OutgoingParameters<'_>,
    ) -> Outcome {
        let mut pages: Vec<Answer> = Vec::new();
        let mut state: Option<Vec<u8>> = None;
        while pages.len() < PAGES_MAX {
            let mut asked = parameters;
            asked.paging_state = state.as_deref();
            let answer: Result<Answer, ClientError> = match source {
                Source::Text(statement) => self.connection.query_with(statement, &asked).await,
                Source::Prepared(id) => self.connection.execute(id, &asked).await,
            };
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => return Outcome::Failed(error),
            };
            state = answer
                .rows()
                .and_then(|rows| rows.metadata.paging_state.clone());
            pages.push(answer);
            if state.is_none() {
                break;
            }
            parameters.skip_metadata = false;
        }
        Outcome::Pages(pages)
    }
}

/// Keyspaces of a run before: the script's own and those whose names begin with it.
async fn left_over(connection: &mut Connection, keyspace: &str) -> Vec<String> {
    let names = connection
        .query("SELECT keyspace_name FROM system_schema.keyspaces")
        .await
        .unwrap();
    let names = names.cells().into_iter().flatten().flatten();
    names
        .map(|name| String::from_utf8(name).unwrap())
        .filter(|name| {
            name.strip_prefix(keyspace)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Text(&'a str),
    Prepared(&'a [u8]),
}

fn value_ref(bound: &Bound) -> ValueRef<'_> {
    match bound {
        Bound::Null => ValueRef::Null,
        Bound::Unset => ValueRef::Unset,
        Bound::Bytes(bytes) => ValueRef::Bytes(bytes),
    }
}

/// `(value, …)` by position or `{name: value, …}` by name.
fn read_values(
    literals: &mut Literals<'_>,
    variables: &[OwnedColumn],
) -> Result<Vec<(String, Bound)>, String> {
    let mut values = Vec::new();
    if literals.take('{') {
        while !literals.take('}') {
            literals.take(',');
            let name = literals.word();
            literals.expect(':')?;
            let variable = variables
                .iter()
                .find(|variable| variable.name == name)
                .ok_or_else(|| format!("no variable is called {name}"))?;
            values.push((name.to_owned(), literals.bound(&variable.ty)?));
        }
        return Ok(values);
    }
    literals.expect('(')?;
    while !literals.take(')') {
        literals.take(',');
        // A value too many is bound as a text.
        let text = cql_types::CqlType::Text;
        let ty = variables.get(values.len()).map_or(&text, |each| &each.ty);
        values.push((String::new(), literals.bound(ty)?));
    }
    Ok(values)
}
