//! `SELECT`, relations and conditions.

use super::dml::using;
use super::expr::{integer_or_marker, marker, selector, term};
use super::tokens::{
    Expected, Parsed, Tokens, and_list, comma_list, in_parens, keyword, name, phrase, qualified,
    symbol,
};
use crate::Spanned;
use crate::ast::{
    Comparison, Expr, InValues, Left, OrderBy, OrderByColumn, Relation, Select, Selector,
    Selectors, Test, UsingKind,
};
use crate::keyword::Keyword;
use crate::token::{Symbol, TokenKind};
use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::opt;

/// What is behind `SELECT`.
pub(super) fn select(input: Tokens<'_>) -> Parsed<'_, Select> {
    let (input, json) = modifier(input, Keyword::Json);
    let (input, distinct) = modifier(input, Keyword::Distinct);
    let (input, selectors) = selectors(input)?;
    let (input, _) = keyword(Keyword::From)(input)?;
    let (input, from) = qualified("a table")(input)?;
    let (input, relations) = where_clause(input)?;
    let (input, group_by) = after([Keyword::Group, Keyword::By], comma_list(selector))(input)?;
    let (input, order_by) = after([Keyword::Order, Keyword::By], comma_list(ordering))(input)?;
    let (input, per_partition_limit) = after_one(
        [Keyword::Per, Keyword::Partition, Keyword::Limit],
        integer_or_marker,
    )(input)?;
    let (input, limit) = after_one([Keyword::Limit], integer_or_marker)(input)?;
    let (input, allow_filtering) =
        opt(phrase([Keyword::Allow, Keyword::Filtering])).parse(input)?;
    let (input, bypass_cache) = opt(phrase([Keyword::Bypass, Keyword::Cache])).parse(input)?;
    let (input, using) = using(&[UsingKind::Timeout])(input)?;
    let select = Select {
        json,
        distinct,
        selectors,
        from,
        relations,
        group_by,
        order_by,
        per_partition_limit,
        limit,
        allow_filtering,
        bypass_cache,
        using,
    };
    Ok((input, select))
}

/// `JSON` and `DISTINCT` are also fine names of columns; they are modifiers if a selector follows.
fn modifier(input: Tokens<'_>, word: Keyword) -> (Tokens<'_>, bool) {
    if input.keyword_at(0) != Some(word) {
        return (input, false);
    }
    let selected = match input.ahead(1).kind {
        TokenKind::Symbol(symbol) => symbol == Symbol::Star,
        TokenKind::Word(Some(Keyword::From | Keyword::As)) | TokenKind::End => false,
        _ => true,
    };
    if selected {
        (input.advance(), true)
    } else {
        (input, false)
    }
}

/// `*` or a list.
pub(super) fn selectors(input: Tokens<'_>) -> Parsed<'_, Selectors> {
    if let Ok((rest, span)) = symbol(Symbol::Star)(input) {
        return Ok((rest, Selectors::All(span)));
    }
    let one = |input| {
        let (input, expr) = selector(input)?;
        let (input, alias) = after_one([Keyword::As], name("a name"))(input)?;
        Ok((input, Selector { expr, alias }))
    };
    comma_list(one).map(Selectors::List).parse(input)
}

/// What follows `words`, if they are there.
pub(super) fn after_one<'a, T, const N: usize>(
    words: [Keyword; N],
    rule: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Option<T>> {
    move |input| match phrase(words)(input) {
        Ok((rest, _)) => {
            let (rest, node) = rule(rest)?;
            Ok((rest, Some(node)))
        }
        Err(_) => Ok((input, None)),
    }
}

/// The list behind `words`; empty if they are not there.
pub(super) fn after<'a, T, const N: usize>(
    words: [Keyword; N],
    rule: impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    let list = after_one(words, rule);
    move |input| {
        let (rest, items) = list(input)?;
        Ok((rest, items.unwrap_or_default()))
    }
}

fn ordering(input: Tokens<'_>) -> Parsed<'_, OrderByColumn> {
    let (input, column) = name("a column")(input)?;
    let (input, by) = opt(alt((
        keyword(Keyword::Asc).map(|_| OrderBy::Ascending),
        keyword(Keyword::Desc).map(|_| OrderBy::Descending),
        nearest,
    )))
    .parse(input)?;
    let by = by.unwrap_or(OrderBy::Ascending);
    Ok((input, OrderByColumn { column, by }))
}

fn nearest(input: Tokens<'_>) -> Parsed<'_, OrderBy> {
    let (input, _) = phrase([Keyword::Ann, Keyword::Of])(input)?;
    let (input, vector) = term(input)?;
    Ok((input, OrderBy::Nearest(vector)))
}

/// `WHERE ...`, perhaps.
pub(super) fn where_clause(input: Tokens<'_>) -> Parsed<'_, Vec<Relation>> {
    after([Keyword::Where], and_list(relation))(input)
}

/// A relation of `WHERE`.
pub(super) fn relation(input: Tokens<'_>) -> Parsed<'_, Relation> {
    match input.keyword_at(0) {
        Some(Keyword::Token) => {
            let (rest, columns) = in_parens(comma_list(name("a column")))(input.advance())?;
            return tested(input, rest, Left::Token(columns));
        }
        Some(Keyword::Expr) if input.is_symbol(1, Symbol::LeftParen) => {
            return index_question(input);
        }
        _ => {}
    }
    if !input.is_symbol(0, Symbol::LeftParen) {
        return condition(input);
    }
    let columns = input.try_out(in_parens(comma_list(name("a column"))));
    if let Some((rest, columns)) = columns {
        return tested(input, rest, Left::Columns(columns));
    }
    let (rest, inner) = in_parens(relation)(input.deeper()?)?;
    Ok((rest.back_to(input), inner))
}

/// A relation of `IF`.
pub(super) fn condition(input: Tokens<'_>) -> Parsed<'_, Relation> {
    let (rest, column) = name("a column")(input)?;
    let (rest, left) = match rest.first().kind {
        TokenKind::Symbol(Symbol::LeftBracket) => {
            let (rest, key) = term(rest.advance())?;
            let (rest, _) = symbol(Symbol::RightBracket)(rest)?;
            (rest, Left::Element { column, key })
        }
        TokenKind::Symbol(Symbol::Dot) => {
            let (rest, field) = name("a field")(rest.advance())?;
            (rest, Left::Field { column, field })
        }
        _ => (rest, Left::Column(column)),
    };
    tested(input, rest, left)
}

fn index_question(input: Tokens<'_>) -> Parsed<'_, Relation> {
    let (rest, (index, value)) = in_parens(|input| {
        let (input, index) = qualified("an index")(input)?;
        let (input, _) = symbol(Symbol::Comma)(input)?;
        let (input, value) = term(input)?;
        Ok((input, (index, value)))
    })(input.advance())?;
    let relation = Relation {
        left: Left::Index(index),
        test: Test::Matches(value),
        span: input.span_to(rest),
    };
    Ok((rest, relation))
}

fn tested<'a>(start: Tokens<'a>, rest: Tokens<'a>, left: Left) -> Parsed<'a, Relation> {
    let (rest, test) = test(rest)?;
    let relation = Relation {
        left,
        test,
        span: start.span_to(rest),
    };
    Ok((rest, relation))
}

fn test(input: Tokens<'_>) -> Parsed<'_, Test> {
    let token = input.first();
    let comparison = match token.kind {
        TokenKind::Symbol(Symbol::Equal) => Some(Comparison::Equal),
        TokenKind::Symbol(Symbol::NotEqual) => Some(Comparison::NotEqual),
        TokenKind::Symbol(Symbol::Less) => Some(Comparison::Less),
        TokenKind::Symbol(Symbol::LessOrEqual) => Some(Comparison::LessOrEqual),
        TokenKind::Symbol(Symbol::Greater) => Some(Comparison::Greater),
        TokenKind::Symbol(Symbol::GreaterOrEqual) => Some(Comparison::GreaterOrEqual),
        _ => None,
    };
    if let Some(comparison) = comparison {
        let (rest, value) = term(input.advance())?;
        let comparison = Spanned::new(comparison, token.span);
        return Ok((rest, Test::Compare(comparison, value)));
    }
    word_test(input)
}

fn word_test(input: Tokens<'_>) -> Parsed<'_, Test> {
    let rest = input.advance();
    match input.keyword_at(0) {
        Some(Keyword::In) => in_values.map(Test::In).parse(rest),
        Some(Keyword::Contains) => contains(rest, Test::ContainsKey, Test::Contains),
        Some(Keyword::Not) => match rest.keyword_at(0) {
            Some(Keyword::In) => in_values.map(Test::NotIn).parse(rest.advance()),
            Some(Keyword::Contains) => {
                contains(rest.advance(), Test::NotContainsKey, Test::NotContains)
            }
            _ => {
                rest.note(Expected::Keyword(Keyword::In));
                rest.expect(Expected::Keyword(Keyword::Contains))
            }
        },
        Some(Keyword::Like) => term.map(Test::Like).parse(rest),
        Some(Keyword::Between) => {
            let (rest, low) = term(rest)?;
            let (rest, _) = keyword(Keyword::And)(rest)?;
            let (rest, high) = term(rest)?;
            Ok((rest, Test::Between(low, high)))
        }
        Some(Keyword::Is) => {
            let (rest, _) = phrase([Keyword::Not, Keyword::Null])(rest)?;
            Ok((rest, Test::IsNotNull))
        }
        _ => {
            input.note(Expected::Kind("a comparison"));
            for word in [
                Keyword::In,
                Keyword::Contains,
                Keyword::Like,
                Keyword::Between,
                Keyword::Not,
            ] {
                input.note(Expected::Keyword(word));
            }
            input.expect(Expected::Keyword(Keyword::Is))
        }
    }
}

fn contains(input: Tokens<'_>, key: fn(Expr) -> Test, value: fn(Expr) -> Test) -> Parsed<'_, Test> {
    match keyword(Keyword::Key)(input) {
        Ok((rest, _)) => term.map(key).parse(rest),
        Err(_) => term.map(value).parse(input),
    }
}

fn in_values(input: Tokens<'_>) -> Parsed<'_, InValues> {
    match input.first().kind {
        TokenKind::Symbol(Symbol::LeftParen) => {
            let inside = input.advance();
            if let Ok((rest, _)) = symbol(Symbol::RightParen)(inside) {
                return Ok((rest, InValues::List(Vec::new())));
            }
            in_parens(comma_list(term)).map(InValues::List).parse(input)
        }
        TokenKind::Symbol(Symbol::Question | Symbol::Colon) => {
            marker.map(InValues::Marker).parse(input)
        }
        _ => {
            input.note(Expected::Symbol(Symbol::LeftParen));
            input.expect(Expected::Kind("a bind marker"))
        }
    }
}
