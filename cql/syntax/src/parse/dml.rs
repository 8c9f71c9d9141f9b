//! `INSERT`, `UPDATE`, `DELETE`, `BATCH`.

use super::expr::{integer_or_marker, marker_or, spanned_parens, term};
use super::select::{condition, where_clause};
use super::tokens::{
    Expected, Parsed, Tokens, and_list, comma_list, given, in_parens, is_name, keyword, name,
    phrase, qualified, symbol,
};
use crate::ast::{
    Assignment, AssignmentOp, Batch, BatchKind, BatchStatement, BatchStatementKind, Condition,
    ConditionKind, Delete, Insert, InsertSource, JsonDefault, Name, Target, Update, Using,
    UsingKind, UsingParameter,
};
use crate::keyword::Keyword;
use crate::token::{Symbol, TokenKind};
use nom::Parser as _;
use nom::combinator::opt;

/// What is behind `INSERT`.
pub(super) fn insert(input: Tokens<'_>) -> Parsed<'_, Insert> {
    let (input, _) = keyword(Keyword::Into)(input)?;
    let (input, table) = qualified("a table")(input)?;
    let (input, source) = match keyword(Keyword::Json)(input) {
        Ok((rest, _)) => json(rest)?,
        Err(_) => values(input)?,
    };
    let (input, if_not_exists) =
        opt(phrase([Keyword::If, Keyword::Not, Keyword::Exists])).parse(input)?;
    let (input, using) = using(ALL)(input)?;
    let insert = Insert {
        table,
        source,
        if_not_exists,
        using,
    };
    Ok((input, insert))
}

fn values(input: Tokens<'_>) -> Parsed<'_, InsertSource> {
    let (input, columns) = in_parens(comma_list(name("a column")))(input)?;
    let (input, _) = keyword(Keyword::Values)(input)?;
    let (input, (values, values_span)) = spanned_parens(input, comma_list(term))?;
    let source = InsertSource::Values {
        columns,
        values,
        values_span,
    };
    Ok((input, source))
}

fn json(input: Tokens<'_>) -> Parsed<'_, InsertSource> {
    let (input, value) =
        marker_or("a string", &[TokenKind::String, TokenKind::DollarString])(input)?;
    let (input, default) = match keyword(Keyword::Default)(input) {
        Err(_) => (input, JsonDefault::Null),
        Ok((rest, _)) => match rest.keyword_at(0) {
            Some(Keyword::Null) => (rest.advance(), JsonDefault::Null),
            Some(Keyword::Unset) => (rest.advance(), JsonDefault::Unset),
            _ => {
                rest.note(Expected::Keyword(Keyword::Null));
                return rest.expect(Expected::Keyword(Keyword::Unset));
            }
        },
    };
    Ok((input, InsertSource::Json { value, default }))
}

/// All parameters.
const ALL: &[UsingKind] = &[UsingKind::Timestamp, UsingKind::Ttl, UsingKind::Timeout];
/// Those of statements whose effect does not expire.
const NO_TTL: &[UsingKind] = &[UsingKind::Timestamp, UsingKind::Timeout];

/// `USING ...`, perhaps, with some of these parameters in any order.
pub(super) fn using<'a>(allowed: &'static [UsingKind]) -> impl Fn(Tokens<'a>) -> Parsed<'a, Using> {
    move |input| {
        let Ok((rest, _)) = keyword(Keyword::Using)(input) else {
            return Ok((input, Using::default()));
        };
        let (rest, parameters) = and_list(|input| using_parameter(input, allowed))(rest)?;
        Ok((rest, Using { parameters }))
    }
}

fn using_parameter<'a>(
    input: Tokens<'a>,
    allowed: &'static [UsingKind],
) -> Parsed<'a, UsingParameter> {
    let word = |kind| match kind {
        UsingKind::Timestamp => Keyword::Timestamp,
        UsingKind::Ttl => Keyword::Ttl,
        UsingKind::Timeout => Keyword::Timeout,
    };
    let found = input.keyword_at(0);
    let Some(kind) = allowed
        .iter()
        .copied()
        .find(|kind| found == Some(word(*kind)))
    else {
        for kind in allowed {
            input.note(Expected::Keyword(word(*kind)));
        }
        return Err(nom::Err::Error(super::tokens::Mismatch));
    };
    let (rest, value) = match kind {
        UsingKind::Timestamp | UsingKind::Ttl => integer_or_marker(input.advance())?,
        UsingKind::Timeout => marker_or("a duration", &[TokenKind::Duration])(input.advance())?,
    };
    let parameter = UsingParameter {
        kind,
        value,
        span: input.span_to(rest),
    };
    Ok((rest, parameter))
}

/// What is behind `UPDATE`.
pub(super) fn update(input: Tokens<'_>) -> Parsed<'_, Update> {
    let (input, table) = qualified("a table")(input)?;
    let (input, using) = using(ALL)(input)?;
    let (input, _) = keyword(Keyword::Set)(input)?;
    let (input, assignments) = comma_list(assignment)(input)?;
    let (input, relations) = where_clause(input)?;
    let (input, condition) = if_clause(input)?;
    let update = Update {
        table,
        using,
        assignments,
        relations,
        condition,
    };
    Ok((input, update))
}

fn assignment(input: Tokens<'_>) -> Parsed<'_, Assignment> {
    let (rest, target) = target(input)?;
    let (rest, op, value) = match (&target, rest.first().kind) {
        (Target::Column(_), TokenKind::Symbol(Symbol::PlusEqual)) => {
            let (rest, value) = term(rest.advance())?;
            (rest, AssignmentOp::Add, value)
        }
        (Target::Column(_), TokenKind::Symbol(Symbol::MinusEqual)) => {
            let (rest, value) = term(rest.advance())?;
            (rest, AssignmentOp::Subtract, value)
        }
        (Target::Column(column), _) => {
            if !rest.is_symbol(0, Symbol::Equal) {
                rest.note(Expected::Symbol(Symbol::PlusEqual));
                rest.note(Expected::Symbol(Symbol::MinusEqual));
            }
            let (rest, _) = symbol(Symbol::Equal)(rest)?;
            right_side(rest, column)?
        }
        (Target::Element { .. } | Target::Field { .. }, _) => {
            let (rest, _) = symbol(Symbol::Equal)(rest)?;
            let (rest, value) = term(rest)?;
            (rest, AssignmentOp::Set, value)
        }
    };
    let assignment = Assignment {
        target,
        op,
        value,
        span: input.span_to(rest),
    };
    Ok((rest, assignment))
}

type RightSide<'a> = (Tokens<'a>, AssignmentOp, crate::ast::Expr);

/// `v`, `column + v`, `column - v` or `v + column`.
fn right_side<'a>(
    input: Tokens<'a>,
    column: &Name,
) -> Result<RightSide<'a>, nom::Err<super::tokens::Mismatch>> {
    if is_name(input) {
        let op = match input.ahead(1).kind {
            TokenKind::Symbol(Symbol::Plus) => Some(AssignmentOp::Add),
            TokenKind::Symbol(Symbol::Minus) => Some(AssignmentOp::Subtract),
            _ => None,
        };
        if let Some(op) = op {
            let rest = same_column(input, column)?;
            let (rest, value) = term(rest.advance())?;
            return Ok((rest, op, value));
        }
    }
    let (rest, value) = term(input)?;
    let prepends = rest.is_symbol(0, Symbol::Plus) && is_name(rest.advance());
    if !prepends {
        return Ok((rest, AssignmentOp::Set, value));
    }
    let rest = same_column(rest.advance(), column)?;
    Ok((rest, AssignmentOp::Prepend, value))
}

/// Only the column itself can be added to.
fn same_column<'a>(
    input: Tokens<'a>,
    column: &Name,
) -> Result<Tokens<'a>, nom::Err<super::tokens::Mismatch>> {
    let (rest, found) = name("a column")(input)?;
    if found.text == column.text {
        return Ok(rest);
    }
    input.note(Expected::Same(column.text.clone()));
    Err(nom::Err::Error(super::tokens::Mismatch))
}

/// `c`, `c[k]` or `c.f`.
fn target(input: Tokens<'_>) -> Parsed<'_, Target> {
    let (rest, column) = name("a column")(input)?;
    match rest.first().kind {
        TokenKind::Symbol(Symbol::LeftBracket) => {
            let (rest, key) = term(rest.advance())?;
            let (rest, _) = symbol(Symbol::RightBracket)(rest)?;
            Ok((rest, Target::Element { column, key }))
        }
        TokenKind::Symbol(Symbol::Dot) => {
            let (rest, field) = name("a field")(rest.advance())?;
            Ok((rest, Target::Field { column, field }))
        }
        _ => Ok((rest, Target::Column(column))),
    }
}

/// What is behind `DELETE`.
pub(super) fn delete(input: Tokens<'_>) -> Parsed<'_, Delete> {
    let (input, targets) = match keyword(Keyword::From)(input) {
        Ok(_) => (input, Vec::new()),
        Err(_) => comma_list(target)(input)?,
    };
    let (input, _) = keyword(Keyword::From)(input)?;
    let (input, table) = qualified("a table")(input)?;
    let (input, using) = using(NO_TTL)(input)?;
    let (input, relations) = where_clause(input)?;
    let (input, condition) = if_clause(input)?;
    let delete = Delete {
        targets,
        table,
        using,
        relations,
        condition,
    };
    Ok((input, delete))
}

/// `IF EXISTS` or `IF a = 1 AND ...`, perhaps.
fn if_clause(input: Tokens<'_>) -> Parsed<'_, Option<Condition>> {
    let Ok((rest, _)) = keyword(Keyword::If)(input) else {
        return Ok((input, None));
    };
    // A column may be called `exists`, but then something follows.
    let exists = given([Keyword::Exists])(rest)
        .ok()
        .filter(|(behind, given)| *given && !starts_test(*behind));
    let (rest, kind) = match exists {
        Some((rest, _)) => (rest, ConditionKind::Exists),
        None => {
            let (rest, all) = and_list(condition)(rest)?;
            (rest, ConditionKind::All(all))
        }
    };
    let span = input.span_to(rest);
    Ok((rest, Some(Condition { kind, span })))
}

fn starts_test(input: Tokens<'_>) -> bool {
    match input.first().kind {
        TokenKind::Symbol(symbol) => !matches!(symbol, Symbol::Semicolon),
        TokenKind::Word(Some(Keyword::In | Keyword::Not | Keyword::Contains)) => true,
        _ => false,
    }
}

/// What is behind `BEGIN`.
pub(super) fn batch(input: Tokens<'_>) -> Parsed<'_, Batch> {
    let (input, kind) = match input.keyword_at(0) {
        Some(Keyword::Unlogged) => (input.advance(), BatchKind::Unlogged),
        Some(Keyword::Counter) => (input.advance(), BatchKind::Counter),
        Some(Keyword::Logged) => (input.advance(), BatchKind::Logged),
        _ => {
            input.note(Expected::Keyword(Keyword::Unlogged));
            input.note(Expected::Keyword(Keyword::Counter));
            (input, BatchKind::Logged)
        }
    };
    let (input, _) = keyword(Keyword::Batch)(input)?;
    let (mut input, using) = using(NO_TTL)(input)?;
    let mut statements = Vec::new();
    while input.keyword_at(0) != Some(Keyword::Apply) {
        let (rest, statement) = batch_statement(input)?;
        let (rest, _) = opt(symbol(Symbol::Semicolon)).parse(rest)?;
        statements.push(statement);
        input = rest;
    }
    let (input, _) = phrase([Keyword::Apply, Keyword::Batch])(input)?;
    let batch = Batch {
        kind,
        using,
        statements,
    };
    Ok((input, batch))
}

fn batch_statement(input: Tokens<'_>) -> Parsed<'_, BatchStatement> {
    let rest = input.advance();
    let (rest, kind) = match input.keyword_at(0) {
        Some(Keyword::Insert) => {
            let (rest, insert) = insert(rest)?;
            (rest, BatchStatementKind::Insert(Box::new(insert)))
        }
        Some(Keyword::Update) => {
            let (rest, update) = update(rest)?;
            (rest, BatchStatementKind::Update(Box::new(update)))
        }
        Some(Keyword::Delete) => {
            let (rest, delete) = delete(rest)?;
            (rest, BatchStatementKind::Delete(Box::new(delete)))
        }
        _ => {
            for verb in [Keyword::Insert, Keyword::Update, Keyword::Delete] {
                input.note(Expected::Keyword(verb));
            }
            return input.expect(Expected::Keyword(Keyword::Apply));
        }
    };
    let span = input.span_to(rest);
    Ok((rest, BatchStatement { kind, span }))
}
