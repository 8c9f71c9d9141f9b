//! The rows that bound slices select are the rows that the WHERE clause means.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::cmp::Ordering;

use cql_plan::{BindContext, Bound, Paging, PreparedKind};
use cql_types::{CqlType, compare, encode_clustering, parse_scalar, to_literal};
use proptest::prelude::*;
use support::Session;

/// The type of a clustering column, with the few values that rows and relations have.
#[derive(Debug, Clone, Copy)]
struct Kind {
    name: &'static str,
    values: [&'static str; 5],
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "int",
        values: ["-1", "0", "1", "2", "256"],
    },
    Kind {
        name: "text",
        values: ["", "a", "a\0", "ab", "b"],
    },
    Kind {
        name: "varint",
        values: ["-300", "-1", "0", "255", "70000"],
    },
    Kind {
        name: "decimal",
        values: ["-1.5", "0", "1.0", "1.5", "100"],
    },
    Kind {
        name: "boolean",
        values: ["false", "true", "false", "true", "false"],
    },
];

/// Relations on columns from `at` on, which follow the ones before.
#[derive(Debug, Clone)]
enum Part {
    /// `c = v`
    Equal(usize),
    /// `c IN (v, ...)`
    In(Vec<usize>),
    /// `(c, d) IN ((v, w), ...)`
    TupleIn(Vec<[usize; 2]>),
}

/// `(c, ...) op (v, ...)` with as many columns as there are values, or fewer if the table ends.
#[derive(Debug, Clone)]
struct Range {
    inclusive: bool,
    tuple: bool,
    values: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Case {
    kinds: Vec<(Kind, bool)>,
    prefix: Vec<Part>,
    lower: Option<Range>,
    upper: Option<Range>,
    rows: Vec<[usize; 3]>,
}

fn case() -> impl Strategy<Value = Case> {
    let value = 0..5_usize;
    let part = prop_oneof![
        3 => value.clone().prop_map(Part::Equal),
        1 => prop::collection::vec(value.clone(), 0..4).prop_map(Part::In),
        1 => prop::collection::vec([value.clone(), value.clone()], 0..4).prop_map(Part::TupleIn),
    ];
    let range = (
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(value.clone(), 1..4),
    )
        .prop_map(|(inclusive, tuple, values)| Range {
            inclusive,
            tuple,
            values,
        });
    (
        prop::collection::vec((prop::sample::select(KINDS.to_vec()), any::<bool>()), 3),
        prop::collection::vec(part, 0..3),
        prop::option::of(range.clone()),
        prop::option::of(range),
        prop::collection::vec([value.clone(), value.clone(), value], 1..60),
    )
        .prop_map(|(kinds, prefix, lower, upper, rows)| Case {
            kinds,
            prefix,
            lower,
            upper,
            rows,
        })
}

/// The clause as text, and what it means.
struct Clause<'c> {
    case: &'c Case,
    text: String,
    tests: Vec<Test>,
}

/// The first column, then the tuples of which one must be met so.
struct Test {
    at: usize,
    tuples: Vec<Vec<Vec<u8>>>,
    accepts: fn(Ordering) -> bool,
}

impl Clause<'_> {
    fn bytes(&self, column: usize, value: usize) -> Vec<u8> {
        let (kind, _) = &self.case.kinds[column];
        parse_scalar(&self.ty(column), kind.values[value]).unwrap()
    }

    fn ty(&self, column: usize) -> CqlType {
        let (kind, _) = &self.case.kinds[column];
        cql_types::parse_type(kind.name, &|_| None).unwrap()
    }

    fn literal(&self, column: usize, value: usize) -> String {
        to_literal(&self.ty(column), &self.bytes(column, value))
    }

    fn add(&mut self, at: usize, tuples: &[Vec<usize>], accepts: fn(Ordering) -> bool, text: &str) {
        let tuples = tuples
            .iter()
            .map(|tuple| {
                let columns = tuple.iter().enumerate();
                columns
                    .map(|(i, value)| self.bytes(at + i, *value))
                    .collect()
            })
            .collect();
        self.tests.push(Test {
            at,
            tuples,
            accepts,
        });
        self.text += &format!(" AND {text}");
    }

    fn columns(at: usize, width: usize) -> String {
        let names: Vec<String> = (at..at + width).map(|i| format!("c{i}")).collect();
        format!("({})", names.join(", "))
    }

    fn tuple(&self, at: usize, values: &[usize]) -> String {
        let values: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(i, value)| self.literal(at + i, *value))
            .collect();
        format!("({})", values.join(", "))
    }

    fn range(&mut self, at: usize, range: &Range, lower: bool) {
        let width = match range.tuple {
            true => range.values.len().min(3 - at),
            false => 1,
        };
        let values = range.values[..width].to_vec();
        let (op, accepts): (&str, fn(Ordering) -> bool) = match (lower, range.inclusive) {
            (true, true) => (">=", Ordering::is_ge),
            (true, false) => (">", Ordering::is_gt),
            (false, true) => ("<=", Ordering::is_le),
            (false, false) => ("<", Ordering::is_lt),
        };
        let text = match range.tuple {
            true => format!(
                "{} {op} {}",
                Self::columns(at, width),
                self.tuple(at, &values)
            ),
            false => format!("c{at} {op} {}", self.literal(at, values[0])),
        };
        self.add(at, &[values], accepts, &text);
    }

    fn holds(&self, row: &[Vec<u8>]) -> bool {
        self.tests.iter().all(|test| {
            test.tuples.iter().any(|tuple| {
                let order = tuple
                    .iter()
                    .enumerate()
                    .map(|(i, value)| compare(&self.ty(test.at + i), &row[test.at + i], value))
                    .find(|order| order.is_ne());
                (test.accepts)(order.unwrap_or(Ordering::Equal))
            })
        })
    }
}

fn clause(case: &Case) -> Clause<'_> {
    let mut clause = Clause {
        case,
        text: String::new(),
        tests: Vec::new(),
    };
    let mut at = 0;
    for part in &case.prefix {
        match part {
            Part::Equal(value) if at < 3 => {
                let text = format!("c{at} = {}", clause.literal(at, *value));
                clause.add(at, &[vec![*value]], Ordering::is_eq, &text);
                at += 1;
            }
            Part::In(values) if at < 3 => {
                let list: Vec<String> = values.iter().map(|v| clause.literal(at, *v)).collect();
                let text = format!("c{at} IN ({})", list.join(", "));
                let tuples: Vec<Vec<usize>> = values.iter().map(|value| vec![*value]).collect();
                clause.add(at, &tuples, Ordering::is_eq, &text);
                at += 1;
            }
            Part::TupleIn(tuples) if at < 2 => {
                let list: Vec<String> = tuples.iter().map(|t| clause.tuple(at, t)).collect();
                let text = format!("{} IN ({})", Clause::columns(at, 2), list.join(", "));
                let tuples: Vec<Vec<usize>> = tuples.iter().map(|tuple| tuple.to_vec()).collect();
                clause.add(at, &tuples, Ordering::is_eq, &text);
                at += 2;
            }
            Part::Equal(_) | Part::In(_) | Part::TupleIn(_) => {}
        }
    }
    if at < 3 {
        if let Some(range) = &case.lower {
            clause.range(at, range, true);
        }
        if let Some(range) = &case.upper {
            clause.range(at, range, false);
        }
    }
    clause
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let mut session = Session::new();
    let column = |(i, (kind, _)): (usize, &(Kind, bool))| format!("c{i} {}", kind.name);
    let order = |(i, (_, desc)): (usize, &(Kind, bool))| {
        format!("c{i} {}", if *desc { "DESC" } else { "ASC" })
    };
    let columns: Vec<String> = case.kinds.iter().enumerate().map(column).collect();
    let orders: Vec<String> = case.kinds.iter().enumerate().map(order).collect();
    session.run(&format!(
        "CREATE TABLE t (pk int, {}, PRIMARY KEY (pk, c0, c1, c2)) WITH CLUSTERING ORDER BY ({})",
        columns.join(", "),
        orders.join(", ")
    ));
    let clause = clause(case);
    let text = format!("SELECT * FROM t WHERE pk = 1{}", clause.text);
    let prepared = session.prepare(&text);
    let PreparedKind::Read(plan) = &prepared.kind else {
        panic!("a SELECT reads");
    };
    let ctx = BindContext {
        timestamp: 1,
        node_time: 1,
        now: 1,
        unique: 1,
    };
    let paging = Paging {
        rows: None,
        state: None,
        bytes: 1,
        tombstones: 1,
    };
    let none: &[Bound<'_>] = &[];
    let command = plan.bind(none, &ctx, &paging).unwrap();
    let table = plan.table();
    for row in &case.rows {
        let values: Vec<Vec<u8>> = (0..3).map(|i| clause.bytes(i, row[i])).collect();
        let parts: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let mut key = Vec::new();
        encode_clustering(table.clustering_types(), &parts, &mut key).unwrap();
        let mut slices = command.slices.as_slice().iter();
        let selected = slices.any(|slice| slice.contains(&key));
        prop_assert_eq!(selected, clause.holds(&values), "{} with {:?}", &text, row);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn slices_select_what_the_clause_means(case in case()) {
        check(&case)?;
    }
}
