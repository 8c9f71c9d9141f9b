//! `DESCRIBE`.

use super::tokens::{Expected, Parsed, Tokens, is_name, keyword, name, phrase, qualified};
use crate::ast::{Describe, DescribeDetail, DescribeTarget, Name};
use crate::keyword::Keyword;
use crate::token::Symbol;
use nom::Parser as _;
use nom::combinator::opt;

/// What is behind `DESCRIBE` or `DESC`.
pub(super) fn describe(input: Tokens<'_>) -> Parsed<'_, Describe> {
    let (input, target) = target(input)?;
    let (input, internals) = opt(phrase([Keyword::With, Keyword::Internals])).parse(input)?;
    let (input, detail) = if internals.is_none() {
        (input, DescribeDetail::Plain)
    } else {
        match phrase([Keyword::And, Keyword::Passwords])(input) {
            Ok((rest, _)) => (rest, DescribeDetail::InternalsAndPasswords),
            Err(_) => (input, DescribeDetail::Internals),
        }
    };
    Ok((input, Describe { target, detail }))
}

/// The words that a target starts with.
const TARGETS: [Keyword; 13] = [
    Keyword::Cluster,
    Keyword::Schema,
    Keyword::Full,
    Keyword::Keyspaces,
    Keyword::Keyspace,
    Keyword::Only,
    Keyword::Tables,
    Keyword::Table,
    Keyword::Types,
    Keyword::Type,
    Keyword::Index,
    Keyword::Function,
    Keyword::Aggregate,
];

fn target(input: Tokens<'_>) -> Parsed<'_, DescribeTarget> {
    let rest = input.advance();
    // `DESCRIBE types.x` names a table in a keyspace with a strange name.
    if input.is_symbol(1, Symbol::Dot) && is_name(input) {
        return named(input);
    }
    let target = match input.keyword_at(0) {
        Some(Keyword::Cluster) => DescribeTarget::Cluster,
        Some(Keyword::Schema) => DescribeTarget::Schema,
        Some(Keyword::Full) => {
            let (rest, _) = keyword(Keyword::Schema)(rest)?;
            return Ok((rest, DescribeTarget::FullSchema));
        }
        Some(Keyword::Keyspaces) => DescribeTarget::Keyspaces,
        Some(Keyword::Keyspace) => {
            return perhaps_name.map(DescribeTarget::Keyspace).parse(rest);
        }
        Some(Keyword::Only) if rest.keyword_at(0) == Some(Keyword::Keyspace) => {
            let rest = rest.advance();
            return perhaps_name.map(DescribeTarget::OnlyKeyspace).parse(rest);
        }
        Some(Keyword::Tables | Keyword::Columnfamilies) => DescribeTarget::Tables,
        Some(Keyword::Table | Keyword::Columnfamily) => {
            return qualified("a table").map(DescribeTarget::Table).parse(rest);
        }
        Some(Keyword::Types) => DescribeTarget::Types,
        Some(Keyword::Type) if names_something(rest) => {
            return qualified("a type").map(DescribeTarget::Type).parse(rest);
        }
        Some(Keyword::Functions) => DescribeTarget::Functions,
        Some(Keyword::Function) if names_something(rest) => {
            return qualified("a function")
                .map(DescribeTarget::Function)
                .parse(rest);
        }
        Some(Keyword::Aggregates) => DescribeTarget::Aggregates,
        Some(Keyword::Aggregate) if names_something(rest) => {
            return qualified("an aggregate")
                .map(DescribeTarget::Aggregate)
                .parse(rest);
        }
        Some(Keyword::Index) => {
            return qualified("an index").map(DescribeTarget::Index).parse(rest);
        }
        Some(Keyword::Materialized) => {
            let (rest, _) = keyword(Keyword::View)(rest)?;
            return qualified("a view").map(DescribeTarget::View).parse(rest);
        }
        _ => return named(input),
    };
    Ok((rest, target))
}

fn names_something(input: Tokens<'_>) -> bool {
    is_name(input)
}

fn named(input: Tokens<'_>) -> Parsed<'_, DescribeTarget> {
    if !names_something(input) {
        for target in TARGETS {
            input.note(Expected::Keyword(target));
        }
    }
    qualified("a name").map(DescribeTarget::Named).parse(input)
}

fn perhaps_name(input: Tokens<'_>) -> Parsed<'_, Option<Name>> {
    opt(name("a keyspace")).parse(input)
}
