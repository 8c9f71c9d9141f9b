//! Tokens to the tree: the grammar.
//!
//! Each rule is a function from [`Tokens`] to a nom `IResult`; rules are glued with nom's combinators and with plain `?`.
//! A rule that does not fit returns an error that says nothing.
//! What was expected is noted on the side, for the furthest place at which any rule failed, because there the text most likely goes wrong.
//! Noting costs, so the first pass does not do it; only when it fails does a second one, over the same tokens.
//!
//! Recursion is bounded by [`DEPTH_MAX`], also that of the tree: a chain of operators uses up depth too, so that dropping or printing a tree cannot overflow the stack.

mod access;
mod ddl;
mod describe;
mod dml;
mod expr;
mod objects;
mod select;
mod statement;
mod tokens;
mod types;

use crate::ast::{Statement, TypeName};
use crate::error::SyntaxError;
use crate::lexer::lex;
use crate::token::{Symbol, Token};
use tokens::{Context, Parsed, Tokens, end, symbol};

/// How deep brackets, types and operators may nest.
pub const DEPTH_MAX: u16 = 40;

/// Parses one statement; semicolons behind it are allowed.
///
/// # Errors
/// Says where the text stops being CQL and what could stand there.
pub fn parse_statement(text: &str) -> Result<Statement, SyntaxError> {
    whole(text, |input| {
        let (input, statement) = statement::statement(input)?;
        let (input, ()) = semicolons(input)?;
        Ok((end(input)?, statement))
    })
}

/// Parses a script: statements with semicolons between them. Spans count from the start of the script.
///
/// # Errors
/// As [`parse_statement`], for the first statement that is wrong.
pub fn parse_statements(text: &str) -> Result<Vec<Statement>, SyntaxError> {
    whole(text, |input| {
        let (mut input, ()) = semicolons(input)?;
        let mut statements = Vec::new();
        while !input.at_end() {
            let (rest, statement) = statement::statement(input.with_fresh_markers())?;
            statements.push(statement);
            if rest.at_end() {
                input = rest;
            } else {
                let (rest, _) = symbol(Symbol::Semicolon)(rest)?;
                (input, ()) = semicolons(rest)?;
            }
        }
        Ok((input, statements))
    })
}

/// Parses the name of a type, such as `frozen<map<text, ks.address>>`.
///
/// # Errors
/// As [`parse_statement`].
pub fn parse_type(text: &str) -> Result<TypeName, SyntaxError> {
    whole(text, |input| {
        let (input, ty) = types::type_name(input)?;
        Ok((end(input)?, ty))
    })
}

fn semicolons(mut input: Tokens<'_>) -> Parsed<'_, ()> {
    while let Ok((rest, _)) = symbol(Symbol::Semicolon)(input) {
        input = rest;
    }
    Ok((input, ()))
}

/// Runs `rule` over all tokens of `text`; once more if it fails, to learn why.
fn whole<T>(text: &str, rule: impl Fn(Tokens<'_>) -> Parsed<'_, T>) -> Result<T, SyntaxError> {
    let tokens: Vec<Token> = lex(text)?;
    let quick = Context::quick(text);
    if let Ok((_, node)) = rule(Tokens::new(&tokens, &quick)) {
        return Ok(node);
    }
    let noting = Context::noting(text);
    match rule(Tokens::new(&tokens, &noting)) {
        Ok((_, node)) => Ok(node),
        Err(_) => Err(noting.into_error()),
    }
}
