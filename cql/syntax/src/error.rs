//! Why a text is not CQL.
//!
//! [`SyntaxError`] prints in one line that starts as drivers and tools expect (`line 1:7 ...`); [`SyntaxError::render`] draws the place under the text.

use crate::{Position, Span};
use std::fmt;

/// How much of a found token a message shows, in characters.
const FOUND_MAX: usize = 40;
/// How many alternatives a message names.
const EXPECTED_MAX: usize = 10;

/// Why a text is not CQL, where, and what could help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// The token or the characters that do not fit.
    pub span: Span,
    /// The line and column of the span.
    pub position: Position,
    /// What is wrong.
    pub problem: Problem,
    /// What to do about it, as a phrase: `did you mean FROM?`
    pub help: Option<String>,
}

/// The ways in which a text is not CQL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// A token that cannot stand here.
    Unexpected {
        /// The token as it was written, shortened; empty at the end of the text.
        found: String,
        /// What could stand here: keywords in capitals, symbols in quotes, else "a name", "a value".
        expected: Vec<String>,
    },
    /// A string without its closing quote.
    OpenString,
    /// A string without its closing `$$`.
    OpenDollarString,
    /// A quoted name without its closing quote.
    OpenName,
    /// `""`
    EmptyName,
    /// A comment without its `*/`.
    OpenComment,
    /// A character that no token starts with.
    UnknownCharacter(char),
    /// Brackets or operators nested deeper than the parser goes.
    TooDeep,
    /// More bind markers than the protocol can number.
    TooManyMarkers,
    /// A number that is too large for its place.
    NumberTooLarge,
    /// A text of 4 GiB or more.
    TooLong,
}

impl SyntaxError {
    pub(crate) fn new(problem: Problem, span: Span, text: &str) -> Self {
        Self {
            span,
            position: span.position(text),
            problem,
            help: None,
        }
    }

    /// The message with the line it is about and a marker under the place.
    ///
    /// `text` is what was parsed. The result has several lines and no newline at its end.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        render(&self.to_string(), self.span, text)
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.position, self.problem)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SyntaxError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { found, expected } => {
                f.write_str("expected ")?;
                alternatives(f, expected)?;
                if found.is_empty() {
                    f.write_str(" but the statement ends here")
                } else {
                    write!(f, " but found {found}")
                }
            }
            Self::OpenString => f.write_str("this string has no closing quote"),
            Self::OpenDollarString => f.write_str("this string has no closing $$"),
            Self::OpenName => f.write_str("this name has no closing quote"),
            Self::EmptyName => f.write_str("a name cannot be empty"),
            Self::OpenComment => f.write_str("this comment has no closing */"),
            Self::UnknownCharacter(character) => {
                write!(
                    f,
                    "no word or operator starts with '{}'",
                    character.escape_debug()
                )
            }
            Self::TooDeep => f.write_str("this is nested too deeply"),
            Self::TooManyMarkers => f.write_str("a statement has at most 65535 bind markers"),
            Self::NumberTooLarge => f.write_str("this number is too large"),
            Self::TooLong => f.write_str("a statement of 4 GiB or more cannot be parsed"),
        }
    }
}

fn alternatives(f: &mut fmt::Formatter<'_>, expected: &[String]) -> fmt::Result {
    let shown = expected.len().min(EXPECTED_MAX);
    for (index, item) in expected.iter().take(shown).enumerate() {
        if index > 0 {
            let last = index + 1 == expected.len();
            f.write_str(if last { " or " } else { ", " })?;
        }
        f.write_str(item)?;
    }
    if expected.len() > shown {
        write!(f, " or {} more", expected.len() - shown)?;
    }
    Ok(())
}

/// `message`, the line of `text` in which `span` starts, and a marker under the span.
///
/// Serves errors of later stages too. The result has several lines and no newline at its end.
#[must_use]
pub fn render(message: &str, span: Span, text: &str) -> String {
    let position = span.position(text);
    let line = text.lines().nth(position.line as usize - 1).unwrap_or("");
    let number = position.line.to_string();
    let margin = " ".repeat(number.len());
    let column = position.column as usize;
    // A tab stays a tab, so that the marker stands under its place however wide tabs are.
    let indent: String = line
        .chars()
        .take(column)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let left = line.chars().count().saturating_sub(column);
    let length = span.text(text).chars().count().min(left).max(1);
    let marker = "^".repeat(length);
    format!("{message}\n{margin} |\n{number} | {line}\n{margin} | {indent}{marker}")
}

/// A token for a message: in quotes, on one line, not too long.
pub(crate) fn shorten(token: &str) -> String {
    let mut shown: String = token
        .chars()
        .take(FOUND_MAX)
        .flat_map(|c| {
            if c.is_control() {
                c.escape_debug().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect();
    if token.chars().count() > FOUND_MAX {
        shown.push_str("...");
    }
    if token.starts_with(['\'', '"', '$']) {
        shown
    } else {
        format!("'{shown}'")
    }
}
