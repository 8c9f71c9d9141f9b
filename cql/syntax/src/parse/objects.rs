//! Indexes, views, functions, aggregates and triggers.

use super::ddl::{field, primary_key, properties, table_options, table_word};
use super::expr::term;
use super::select::{after_one, selectors, where_clause};
use super::tokens::{
    Expected, Parsed, Tokens, comma_list, given, if_exists, if_not_exists, in_parens, keyword,
    name, phrase, qualified, string, symbol,
};
use super::types::type_name;
use crate::Span;
use crate::ast::{
    AlterView, CreateAggregate, CreateFunction, CreateIndex, CreateTrigger, CreateView,
    DropFunction, DropObject, DropTrigger, IndexTarget, OnNull, QualifiedName, StatementKind,
    TypeName,
};
use crate::keyword::Keyword;
use crate::token::Symbol;
use nom::Parser as _;
use nom::branch::alt;

/// `CREATE INDEX`
pub(super) fn create_index(input: Tokens<'_>) -> Parsed<'_, CreateIndex> {
    let (input, custom) = given([Keyword::Custom])(input)?;
    let (input, _) = keyword(Keyword::Index)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = match keyword(Keyword::On)(input) {
        Ok(_) => (input, None),
        Err(_) => qualified("an index").map(Some).parse(input)?,
    };
    let (input, _) = keyword(Keyword::On)(input)?;
    let (input, table) = qualified("a table")(input)?;
    let (input, _) = symbol(Symbol::LeftParen)(input)?;
    let (input, targets) = if input.is_symbol(0, Symbol::RightParen) {
        (input, Vec::new())
    } else {
        comma_list(index_target)(input)?
    };
    let (input, _) = symbol(Symbol::RightParen)(input)?;
    let (input, using) = after_one([Keyword::Using], string)(input)?;
    let (input, options) = properties(input)?;
    let create = CreateIndex {
        custom,
        if_not_exists,
        name,
        table,
        targets,
        using,
        options,
    };
    Ok((input, create))
}

fn index_target(input: Tokens<'_>) -> Parsed<'_, IndexTarget> {
    if input.is_symbol(0, Symbol::LeftParen) {
        return in_parens(comma_list(name("a column")))
            .map(IndexTarget::Columns)
            .parse(input);
    }
    let of: Option<fn(_) -> _> = match input.keyword_at(0) {
        Some(Keyword::Keys) => Some(IndexTarget::Keys),
        Some(Keyword::Values) => Some(IndexTarget::Values),
        Some(Keyword::Entries) => Some(IndexTarget::Entries),
        Some(Keyword::Full) => Some(IndexTarget::Full),
        _ => None,
    };
    match of {
        Some(of) if input.is_symbol(1, Symbol::LeftParen) => {
            in_parens(name("a column")).map(of).parse(input.advance())
        }
        _ => name("a column").map(IndexTarget::Column).parse(input),
    }
}

fn view_words(input: Tokens<'_>) -> Parsed<'_, Span> {
    phrase([Keyword::Materialized, Keyword::View])(input)
}

/// `CREATE MATERIALIZED VIEW`
pub(super) fn create_view(input: Tokens<'_>) -> Parsed<'_, CreateView> {
    let (input, _) = view_words(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = qualified("a view")(input)?;
    let (input, _) = phrase([Keyword::As, Keyword::Select])(input)?;
    let (input, selectors) = selectors(input)?;
    let (input, _) = keyword(Keyword::From)(input)?;
    let (input, from) = qualified("a table")(input)?;
    let (input, relations) = where_clause(input)?;
    let (input, primary_key) = primary_key(input)?;
    let (input, options) = table_options(input)?;
    let create = CreateView {
        if_not_exists,
        name,
        selectors,
        from,
        relations,
        primary_key,
        options,
    };
    Ok((input, create))
}

/// `ALTER MATERIALIZED VIEW`
pub(super) fn alter_view(input: Tokens<'_>) -> Parsed<'_, AlterView> {
    let (input, _) = view_words(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = qualified("a view")(input)?;
    let (input, options) = table_options(input)?;
    let alter = AlterView {
        if_exists,
        name,
        options,
    };
    Ok((input, alter))
}

/// `DROP TABLE`, `TYPE`, `INDEX`, `MATERIALIZED VIEW`
pub(super) fn drop_object(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    type Make = fn(DropObject) -> StatementKind;
    let (input, make) = alt((
        table_word.map(|_| StatementKind::DropTable as Make),
        keyword(Keyword::Type).map(|_| StatementKind::DropType as Make),
        keyword(Keyword::Index).map(|_| StatementKind::DropIndex as Make),
        view_words.map(|_| StatementKind::DropView as Make),
    ))
    .parse(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = qualified("a name")(input)?;
    Ok((input, make(DropObject { if_exists, name })))
}

/// `OR REPLACE`, the words of the object, `IF NOT EXISTS` and its name.
fn replaceable<'a>(input: Tokens<'a>, word: Keyword) -> Parsed<'a, (bool, bool, QualifiedName)> {
    let (input, or_replace) = given([Keyword::Or, Keyword::Replace])(input)?;
    let (input, _) = keyword(word)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = qualified("a function")(input)?;
    Ok((input, (or_replace, if_not_exists, name)))
}

/// Items in parentheses, perhaps none.
fn perhaps_none<'a, T>(
    input: Tokens<'a>,
    item: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> Parsed<'a, Vec<T>> {
    let (input, _) = symbol(Symbol::LeftParen)(input)?;
    if let Ok((input, _)) = symbol(Symbol::RightParen)(input) {
        return Ok((input, Vec::new()));
    }
    let (input, items) = comma_list(item)(input)?;
    let (input, _) = symbol(Symbol::RightParen)(input)?;
    Ok((input, items))
}

/// The types of parameters in parentheses, perhaps none.
pub(super) fn signature(input: Tokens<'_>) -> Parsed<'_, Vec<TypeName>> {
    perhaps_none(input, type_name)
}

/// `CREATE FUNCTION`
pub(super) fn create_function(input: Tokens<'_>) -> Parsed<'_, CreateFunction> {
    let (input, (or_replace, if_not_exists, function)) = replaceable(input, Keyword::Function)?;
    let (input, parameters) = perhaps_none(input, field)?;
    let (input, on_null) = alt((
        keyword(Keyword::Called).map(|_| OnNull::Called),
        phrase([Keyword::Returns, Keyword::Null]).map(|_| OnNull::ReturnsNull),
    ))
    .parse(input)?;
    let (input, _) = phrase([Keyword::On, Keyword::Null, Keyword::Input, Keyword::Returns])(input)?;
    let (input, returns) = type_name(input)?;
    let (input, _) = keyword(Keyword::Language)(input)?;
    let (input, language) = name("a language")(input)?;
    let (input, _) = keyword(Keyword::As)(input)?;
    let (input, body) = string(input)?;
    let create = CreateFunction {
        or_replace,
        if_not_exists,
        name: function,
        parameters,
        on_null,
        returns,
        language,
        body,
    };
    Ok((input, create))
}

/// `CREATE AGGREGATE`
pub(super) fn create_aggregate(input: Tokens<'_>) -> Parsed<'_, CreateAggregate> {
    let function = name("a function");
    let (input, (or_replace, if_not_exists, aggregate)) = replaceable(input, Keyword::Aggregate)?;
    let (input, parameters) = signature(input)?;
    let (input, _) = keyword(Keyword::Sfunc)(input)?;
    let (input, state_function) = function(input)?;
    let (input, _) = keyword(Keyword::Stype)(input)?;
    let (input, state_type) = type_name(input)?;
    let (input, reduce_function) = after_one([Keyword::Reducefunc], function)(input)?;
    let (input, final_function) = after_one([Keyword::Finalfunc], function)(input)?;
    let (input, initial) = after_one([Keyword::Initcond], term)(input)?;
    let create = CreateAggregate {
        or_replace,
        if_not_exists,
        name: aggregate,
        parameters,
        state_function,
        state_type,
        reduce_function,
        final_function,
        initial,
    };
    Ok((input, create))
}

/// `DROP FUNCTION`, `DROP AGGREGATE`
pub(super) fn drop_function(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    type Make = fn(DropFunction) -> StatementKind;
    let (input, make) = alt((
        keyword(Keyword::Function).map(|_| StatementKind::DropFunction as Make),
        keyword(Keyword::Aggregate).map(|_| StatementKind::DropAggregate as Make),
    ))
    .parse(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = qualified("a function")(input)?;
    let (input, parameters) = if input.is_symbol(0, Symbol::LeftParen) {
        signature.map(Some).parse(input)?
    } else {
        input.note(Expected::Symbol(Symbol::LeftParen));
        (input, None)
    };
    let drop = DropFunction {
        if_exists,
        name,
        parameters,
    };
    Ok((input, make(drop)))
}

/// `CREATE TRIGGER`
pub(super) fn create_trigger(input: Tokens<'_>) -> Parsed<'_, CreateTrigger> {
    let (input, _) = keyword(Keyword::Trigger)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, trigger) = name("a trigger")(input)?;
    let (input, _) = keyword(Keyword::On)(input)?;
    let (input, table) = qualified("a table")(input)?;
    let (input, _) = keyword(Keyword::Using)(input)?;
    let (input, class) = string(input)?;
    let create = CreateTrigger {
        if_not_exists,
        name: trigger,
        table,
        class,
    };
    Ok((input, create))
}

/// `DROP TRIGGER`
pub(super) fn drop_trigger(input: Tokens<'_>) -> Parsed<'_, DropTrigger> {
    let (input, _) = keyword(Keyword::Trigger)(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, trigger) = name("a trigger")(input)?;
    let (input, _) = keyword(Keyword::On)(input)?;
    let (input, table) = qualified("a table")(input)?;
    let drop = DropTrigger {
        if_exists,
        name: trigger,
        table,
    };
    Ok((input, drop))
}
