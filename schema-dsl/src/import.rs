//! CQL into the language: what `DESCRIBE` prints becomes a file of tables.
//!
//! Reads CREATE KEYSPACE, TYPE and TABLE with their properties, and ALTER TABLE ... DROP, which DESCRIBE prints for
//! columns that were dropped.
//! Other statements are reported and left out.
//! What CQL does not say must be added by hand: the home of tables (`distributed` is assumed), enums, and which
//! columns can be absent (all are assumed to).

mod script;
mod statements;
mod tokens;

use crate::diagnostic::{self, Diagnostic};
use crate::fmt;
use crate::parse;
use crate::source::FileId;

/// The tables, types and keyspaces of a script of CREATE statements.
pub fn import(file: FileId, text: &str) -> (String, Vec<Diagnostic>) {
    let (tokens, mut diagnostics) = tokens::lex(file, text);
    let (items, found) = statements::read(&tokens);
    diagnostics.extend(found);
    diagnostic::sort(&mut diagnostics);
    let written = script::write(&items);
    // What was written is correct by construction; only its layout is not final.
    let (tree, _) = parse::parse(file, &written);
    (fmt::format(&tree), diagnostics)
}
