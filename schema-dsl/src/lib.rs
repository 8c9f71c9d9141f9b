//! A compiler for table descriptions: parser, checker, formatter, compatibility check, documents, code generation.
//!
//! One `.tables` file describes system tables or an application's own tables.
//! Types and properties are CQL's; only what CQL lacks is new: names for tuple fields, enums, where a table lives,
//! documentation and history.
//!
//! ```text
//!  *.tables ─ lex ─ parse ─► ast::File ─ check ─► model::Model ─┬─ codegen   Rust accessors
//!                    │                                          ├─ cql       DDL
//!                    └──────── fmt ─► text                      ├─ doc       Markdown
//!                                                               ├─ graph     DOT
//!  DESCRIBE output ─ import ─► text                             └─ breaking  old model against new
//! ```
//!
//! Every stage returns `(T, Vec<Diagnostic>)`: what it understood, and everything it found wrong.
//! Nothing stops at the first error, and a bad file never stops the checking of a good one.
//!
//! Invariants:
//! * diagnostics carry a stable code, a span, a cause and a cure, and come out sorted by place;
//! * `fmt` is idempotent, loses no comment, and refuses a file with syntax errors;
//! * the number of a column never depends on later columns, so that adding one moves no stored data;
//! * output is a function of the input text alone: no clock, no environment, no hash order.
//!
//! Cost: everything is linear in the text; a hundred tables take a few milliseconds.

pub mod source;

pub mod diagnostic;

pub mod codes;

pub mod suggest;

pub mod lex;

pub mod ast;

pub mod parse;

pub mod fmt;

pub mod names;

pub mod model;

pub mod options;

pub mod check;

pub mod cql;

pub mod doc;

pub mod graph;

pub mod breaking;

pub mod import;

pub mod codegen;

pub mod build;

pub mod cli;

pub use check::compile;
pub use diagnostic::{Diagnostic, Severity};
pub use source::Sources;
