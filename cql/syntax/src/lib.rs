//! CQL text to an AST with spans, and back; diagnostics that point at the place.
//!
//! ```text
//! text ── lexer ──► tokens ── grammar ──► Statement ── Display ──► text
//!                      │                      │
//!                      └──► SyntaxError       └──► markers, spans for the planner's own messages
//! ```
//!
//! * Pure: no schema, no clock, nothing but the text. Names are folded to lower case, not resolved; literals stay text.
//! * Fast: a simple statement costs one or two microseconds, as unprepared statements are parsed at every request. Why a text fails is found out in a second pass, only when it failed.
//! * Safe: any text gives a tree or an error; nesting is bounded by [`DEPTH_MAX`]. The caller bounds the length of the text.
//! * Complete: statements that the database lacks are parsed too, so that the planner can refuse them by name.
//! * Printing a tree gives a text that parses to the same tree, apart from spans.
//!
//! ```
//! use cql_syntax::{StatementKind, parse_statement};
//!
//! let statement = parse_statement("select name from cities where id = ?").expect("this is CQL");
//! assert!(matches!(statement.kind, StatementKind::Select(_)));
//! assert_eq!(statement.markers().len(), 1);
//! assert_eq!(statement.to_string(), "SELECT name FROM cities WHERE id = ?");
//!
//! let error = parse_statement("SELECT name FORM cities").expect_err("this is not");
//! assert_eq!(error.position.column, 12);
//! assert_eq!(error.help.as_deref(), Some("did you mean FROM?"));
//! ```

mod ast;
mod error;
mod keyword;
mod lexer;
mod parse;
mod print;
mod span;
mod suggest;
mod token;

pub use ast::*;
pub use error::{Problem, SyntaxError, render};
pub use keyword::{is_plain_name, reserved_words};
pub use parse::{DEPTH_MAX, parse_statement, parse_statements, parse_type};
pub use print::{print_name, print_string};
pub use span::{Position, Span, Spanned};
