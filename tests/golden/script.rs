//! A golden script: statements with the answers that belong to them.
//!
//! ```text
//!  # A comment.
//!  INSERT INTO t (id, v) VALUES (1, 'x');
//!  -- ok
//!  @page 2 @consistency QUORUM SELECT id, v FROM t;
//!  -- id int | v text
//!  -- 1      | 'x'
//!  PREPARE insert AS INSERT INTO t (id, v) VALUES (?, :v);
//!  -- prepared (id int [key 0], v text)
//!  EXECUTE insert (2, unset);
//!  -- ok
//!  EXECUTE insert {id: 3, v: null};
//!  -- ok
//!  BATCH LOGGED insert (4, 'four'), insert (5, 'five');
//!  -- ok
//! ```
//!
//! A line is a statement; lines that begin with `--` are its answer.
//! The first of them may be `-- differs from Cassandra: reason`.
//! `$KS` stands for the keyspace of the script.

use std::fmt::Write as _;

/// What begins a line of an answer.
const ANSWER: &str = "--";

/// What marks an answer that Cassandra does not give.
const DIFFERS: &str = "differs from Cassandra: ";

/// A script.
#[derive(Debug)]
pub(crate) struct Script {
    /// File name without its end.
    pub(crate) name: String,
    /// In order.
    pub(crate) lines: Vec<Line>,
}

/// A line that is no answer.
#[derive(Debug)]
pub(crate) enum Line {
    /// A comment or an empty line.
    Text(String),
    /// A statement.
    Step(Step),
}

/// A statement and its answer.
#[derive(Debug)]
pub(crate) struct Step {
    /// Where it stands, from 1.
    pub(crate) line: usize,
    /// As written.
    pub(crate) text: String,
    /// Why Cassandra answers something else.
    pub(crate) differs: Option<String>,
    /// The answer, without the marks.
    pub(crate) expected: Vec<String>,
}

/// What a statement asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) page: Option<i32>,
    pub(crate) consistency: Option<&'a str>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) action: Action<'a>,
}

/// What is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action<'a> {
    /// QUERY.
    Query(&'a str),
    /// PREPARE, under a name of the script.
    Prepare { name: &'a str, statement: &'a str },
    /// EXECUTE; the values are read when their types are known.
    Execute { name: &'a str, values: &'a str },
    /// BATCH of prepared statements.
    Batch { kind: &'a str, members: &'a str },
}

impl Script {
    /// Reads the text of a file.
    pub(crate) fn parse(name: &str, text: &str) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if let Some(answer) = line.strip_prefix(ANSWER) {
                let answer = answer.strip_prefix(' ').unwrap_or(answer);
                let Some(Line::Step(step)) = lines.last_mut() else {
                    panic!("{name}:{}: an answer without a statement", index + 1);
                };
                match answer.strip_prefix(DIFFERS) {
                    Some(reason) => step.differs = Some(reason.to_owned()),
                    None => step.expected.push(answer.to_owned()),
                }
            } else if line.trim().is_empty() || line.starts_with('#') {
                lines.push(Line::Text(line.to_owned()));
            } else {
                lines.push(Line::Step(Step {
                    line: index + 1,
                    text: line.to_owned(),
                    differs: None,
                    expected: Vec::new(),
                }));
            }
        }
        Self {
            name: name.to_owned(),
            lines,
        }
    }

    /// The statements.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.lines.iter().filter_map(|line| match line {
            Line::Step(step) => Some(step),
            Line::Text(_) => None,
        })
    }

    /// The text of the file, with `answers` instead of those that were read.
    pub(crate) fn with_answers(&self, answers: &[Vec<String>]) -> String {
        let mut text = String::new();
        let mut answers = answers.iter();
        for line in &self.lines {
            match line {
                Line::Text(line) => writeln!(text, "{line}").unwrap(),
                Line::Step(step) => {
                    writeln!(text, "{}", step.text).unwrap();
                    if let Some(reason) = &step.differs {
                        writeln!(text, "{ANSWER} {DIFFERS}{reason}").unwrap();
                    }
                    for line in answers.next().unwrap() {
                        writeln!(text, "{}", format!("{ANSWER} {line}").trim_end()).unwrap();
                    }
                }
            }
        }
        text
    }
}

impl<'a> Request<'a> {
    /// Understands the text of a statement.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        let mut request = Self {
            page: None,
            consistency: None,
            timestamp: None,
            action: Action::Query(""),
        };
        let mut rest = text.trim();
        while let Some(option) = rest.strip_prefix('@') {
            let mut words = option.splitn(3, ' ');
            let (Some(name), Some(value)) = (words.next(), words.next()) else {
                return Err(format!("an option needs a value: @{option}"));
            };
            let number = || {
                value
                    .parse::<i64>()
                    .map_err(|_| format!("@{name}: a number"))
            };
            match name {
                "page" => request.page = i32::try_from(number()?).ok(),
                "timestamp" => request.timestamp = Some(number()?),
                "consistency" => request.consistency = Some(value),
                _ => return Err(format!("no option is called @{name}")),
            }
            rest = words.next().unwrap_or_default().trim_start();
        }
        request.action = Action::parse(rest)?;
        Ok(request)
    }
}

impl<'a> Action<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let call = text.strip_suffix(';').unwrap_or(text);
        if let Some(rest) = text.strip_prefix("PREPARE ") {
            let (name, statement) = rest.split_once(" AS ").ok_or("PREPARE name AS statement")?;
            return Ok(Self::Prepare { name, statement });
        }
        if let Some(rest) = call.strip_prefix("EXECUTE ") {
            let (name, values) = rest.split_once(' ').ok_or("EXECUTE name (values)")?;
            return Ok(Self::Execute { name, values });
        }
        if let Some(rest) = call.strip_prefix("BATCH ") {
            let (kind, members) = rest.split_once(' ').ok_or("BATCH kind name (values)")?;
            return Ok(Self::Batch { kind, members });
        }
        Ok(Self::Query(text))
    }
}

#[test]
fn options_and_forms() {
    let request = Request::parse("@page 2 @consistency ALL EXECUTE insert (1, 'x');").unwrap();
    assert_eq!(request.page, Some(2));
    assert_eq!(request.consistency, Some("ALL"));
    assert_eq!(
        request.action,
        Action::Execute {
            name: "insert",
            values: "(1, 'x')"
        }
    );
    assert!(Request::parse("@nope 1 SELECT").is_err());
}

#[test]
fn a_script_is_written_as_it_was_read() {
    let text = "# About.\nSELECT 1;\n-- differs from Cassandra: why\n-- ok\n\nSELECT 2;\n-- error\n--   more\n";
    let script = Script::parse("name", text);
    let answers: Vec<_> = script.steps().map(|step| step.expected.clone()).collect();
    assert_eq!(script.with_answers(&answers), text);
}
