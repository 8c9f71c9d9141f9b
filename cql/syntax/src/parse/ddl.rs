//! Keyspaces, tables and types.

use super::expr::literal;
use super::select::after;
use super::tokens::{
    Expected, Parsed, Tokens, VALUE, and_list, comma_list, given, if_exists, if_not_exists,
    in_parens, is_name, keyword, name, phrase, qualified, symbol,
};
use super::types::type_name;
use crate::ast::{
    AlterKeyspace, AlterTable, AlterTableAction, AlterType, AlterTypeAction, ColumnDefinition,
    CreateKeyspace, CreateTable, CreateType, Direction, DropKeyspace, Expr, ExprKind, Literal,
    Name, PrimaryKey, Property, PropertyValue, TableOption, TypeName,
};
use crate::keyword::Keyword;
use crate::token::{Symbol, TokenKind};
use crate::{Span, Spanned};
use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::opt;

/// `KEYSPACE` or `SCHEMA`.
pub(super) fn keyspace_word(input: Tokens<'_>) -> Parsed<'_, Span> {
    alt((keyword(Keyword::Keyspace), keyword(Keyword::Schema))).parse(input)
}

/// `TABLE` or `COLUMNFAMILY`.
pub(super) fn table_word(input: Tokens<'_>) -> Parsed<'_, Span> {
    alt((keyword(Keyword::Table), keyword(Keyword::Columnfamily))).parse(input)
}

/// What is behind `CREATE`, if it is a keyspace. So for the rules that follow.
pub(super) fn create_keyspace(input: Tokens<'_>) -> Parsed<'_, CreateKeyspace> {
    let (input, _) = keyspace_word(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = name("a keyspace")(input)?;
    let (input, options) = properties(input)?;
    let create = CreateKeyspace {
        if_not_exists,
        name,
        options,
    };
    Ok((input, create))
}

/// `ALTER KEYSPACE`
pub(super) fn alter_keyspace(input: Tokens<'_>) -> Parsed<'_, AlterKeyspace> {
    let (input, _) = keyspace_word(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = name("a keyspace")(input)?;
    let (input, options) = properties(input)?;
    let alter = AlterKeyspace {
        if_exists,
        name,
        options,
    };
    Ok((input, alter))
}

/// `DROP KEYSPACE`
pub(super) fn drop_keyspace(input: Tokens<'_>) -> Parsed<'_, DropKeyspace> {
    let (input, _) = keyspace_word(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = name("a keyspace")(input)?;
    Ok((input, DropKeyspace { if_exists, name }))
}

/// `WITH a = 1 AND ...`, perhaps.
pub(super) fn properties(input: Tokens<'_>) -> Parsed<'_, Vec<Property>> {
    after([Keyword::With], and_list(property))(input)
}

fn property(input: Tokens<'_>) -> Parsed<'_, Property> {
    let (input, name) = name("an option")(input)?;
    let (input, _) = symbol(Symbol::Equal)(input)?;
    let (input, value) = property_value(input)?;
    Ok((input, Property { name, value }))
}

fn property_value(input: Tokens<'_>) -> Parsed<'_, Spanned<PropertyValue>> {
    let (rest, value) = match input.first().kind {
        TokenKind::Symbol(Symbol::LeftBrace) => literal_map.map(PropertyValue::Map).parse(input)?,
        TokenKind::Word(_) if is_name(input) => {
            name(VALUE).map(PropertyValue::Word).parse(input)?
        }
        _ => {
            let (rest, literal) = literal(input)?;
            (rest, PropertyValue::Literal(literal.node))
        }
    };
    Ok((rest, Spanned::new(value, input.span_to(rest))))
}

type LiteralMap = Vec<(Spanned<Literal>, Spanned<Literal>)>;

/// `{a: 1, ...}` of constants, perhaps empty.
pub(super) fn literal_map(input: Tokens<'_>) -> Parsed<'_, LiteralMap> {
    let (input, _) = symbol(Symbol::LeftBrace)(input)?;
    if let Ok((input, _)) = symbol(Symbol::RightBrace)(input) {
        return Ok((input, Vec::new()));
    }
    let (input, entries) = comma_list(|input| {
        let (input, key) = literal(input)?;
        let (input, _) = symbol(Symbol::Colon)(input)?;
        let (input, value) = literal(input)?;
        Ok((input, (key, value)))
    })(input)?;
    let (input, _) = symbol(Symbol::RightBrace)(input)?;
    Ok((input, entries))
}

/// `CREATE TABLE`
pub(super) fn create_table(input: Tokens<'_>) -> Parsed<'_, CreateTable> {
    let (input, _) = table_word(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = qualified("a table")(input)?;
    let (mut input, _) = symbol(Symbol::LeftParen)(input)?;
    let mut columns = Vec::new();
    let mut primary_keys = Vec::new();
    loop {
        if input.keyword_at(0) == Some(Keyword::Primary) {
            let (rest, key) = primary_key(input)?;
            primary_keys.push(key);
            input = rest;
        } else {
            input.note(Expected::Keyword(Keyword::Primary));
            let (rest, column) = column_definition(input)?;
            columns.push(column);
            input = rest;
        }
        match symbol(Symbol::Comma)(input) {
            Ok((rest, _)) => input = rest,
            Err(_) => break,
        }
    }
    let (input, _) = symbol(Symbol::RightParen)(input)?;
    let (input, options) = table_options(input)?;
    let create = CreateTable {
        if_not_exists,
        name,
        columns,
        primary_keys,
        options,
    };
    Ok((input, create))
}

fn column_definition(input: Tokens<'_>) -> Parsed<'_, ColumnDefinition> {
    let (input, name) = name("a column")(input)?;
    let (input, ty) = type_name(input)?;
    let (input, is_static) = opt(keyword(Keyword::Static)).parse(input)?;
    let (input, primary_key) = opt(phrase([Keyword::Primary, Keyword::Key])).parse(input)?;
    let column = ColumnDefinition {
        name,
        ty,
        is_static,
        primary_key,
    };
    Ok((input, column))
}

/// `PRIMARY KEY (...)`
pub(super) fn primary_key(input: Tokens<'_>) -> Parsed<'_, PrimaryKey> {
    let (rest, _) = phrase([Keyword::Primary, Keyword::Key])(input)?;
    let (rest, _) = symbol(Symbol::LeftParen)(rest)?;
    let (rest, partition) = if rest.is_symbol(0, Symbol::LeftParen) {
        in_parens(comma_list(name("a column")))(rest)?
    } else {
        rest.note(Expected::Symbol(Symbol::LeftParen));
        name("a column").map(|column| vec![column]).parse(rest)?
    };
    let (rest, clustering) = match symbol(Symbol::Comma)(rest) {
        Ok((rest, _)) => comma_list(name("a column"))(rest)?,
        Err(_) => (rest, Vec::new()),
    };
    let (rest, _) = symbol(Symbol::RightParen)(rest)?;
    let key = PrimaryKey {
        partition,
        clustering,
        span: input.span_to(rest),
    };
    Ok((rest, key))
}

/// `WITH ...` of a table or view, perhaps.
pub(super) fn table_options(input: Tokens<'_>) -> Parsed<'_, Vec<TableOption>> {
    after([Keyword::With], and_list(table_option))(input)
}

fn table_option(input: Tokens<'_>) -> Parsed<'_, TableOption> {
    alt((
        phrase([Keyword::Compact, Keyword::Storage]).map(TableOption::CompactStorage),
        clustering_order,
        property.map(TableOption::Property),
    ))
    .parse(input)
}

fn clustering_order(input: Tokens<'_>) -> Parsed<'_, TableOption> {
    let (rest, _) = phrase([Keyword::Clustering, Keyword::Order, Keyword::By])(input)?;
    let (rest, columns) = in_parens(comma_list(|input| {
        let (input, column) = name("a column")(input)?;
        let (input, direction) = opt(alt((
            keyword(Keyword::Asc).map(|_| Direction::Ascending),
            keyword(Keyword::Desc).map(|_| Direction::Descending),
        )))
        .parse(input)?;
        Ok((input, (column, direction.unwrap_or(Direction::Ascending))))
    }))(rest)?;
    let span = input.span_to(rest);
    Ok((rest, TableOption::ClusteringOrder(columns, span)))
}

/// `ALTER TABLE`
pub(super) fn alter_table(input: Tokens<'_>) -> Parsed<'_, AlterTable> {
    let (input, _) = table_word(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = qualified("a table")(input)?;
    let (input, action) = alt((
        add_columns,
        drop_columns,
        rename.map(|(if_exists, names)| AlterTableAction::Rename { if_exists, names }),
        retype.map(|(column, ty)| AlterTableAction::AlterColumn { column, ty }),
        |input| {
            let (input, _) = keyword(Keyword::With)(input)?;
            and_list(table_option)
                .map(AlterTableAction::With)
                .parse(input)
        },
    ))
    .parse(input)?;
    let alter = AlterTable {
        if_exists,
        name,
        action,
    };
    Ok((input, alter))
}

/// Items in parentheses, or bare with commas between them.
fn bare_or_in_parens<'a, T>(
    item: impl Fn(Tokens<'a>) -> Parsed<'a, T> + Copy,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    move |input| {
        if input.is_symbol(0, Symbol::LeftParen) {
            return in_parens(comma_list(item))(input);
        }
        input.note(Expected::Symbol(Symbol::LeftParen));
        comma_list(item)(input)
    }
}

fn add_columns(input: Tokens<'_>) -> Parsed<'_, AlterTableAction> {
    let (input, _) = keyword(Keyword::Add)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, columns) = bare_or_in_parens(column_definition)(input)?;
    let add = AlterTableAction::Add {
        if_not_exists,
        columns,
    };
    Ok((input, add))
}

fn drop_columns(input: Tokens<'_>) -> Parsed<'_, AlterTableAction> {
    let (input, _) = keyword(Keyword::Drop)(input)?;
    // A column may be called `compact`.
    if let (rest, true) = given([Keyword::Compact, Keyword::Storage])(input)? {
        return Ok((rest, AlterTableAction::DropCompactStorage));
    }
    let (input, if_exists) = if_exists(input)?;
    let (input, columns) = bare_or_in_parens(name("a column"))(input)?;
    let (input, timestamp) = match phrase([Keyword::Using, Keyword::Timestamp])(input) {
        Ok((rest, _)) => {
            let (rest, timestamp) = integer(rest)?;
            (rest, Some(timestamp))
        }
        Err(_) => (input, None),
    };
    let drop = AlterTableAction::Drop {
        if_exists,
        columns,
        timestamp,
    };
    Ok((input, drop))
}

fn integer(input: Tokens<'_>) -> Parsed<'_, Expr> {
    let sign = usize::from(input.is_symbol(0, Symbol::Minus));
    if input.ahead(sign).kind != TokenKind::Integer {
        return input.expect(Expected::Kind("an integer"));
    }
    let (rest, Spanned { node, span }) = literal(input)?;
    let kind = ExprKind::Literal(node);
    Ok((rest, Expr { kind, span }))
}

type Renames = Vec<(Name, Name)>;

/// `RENAME [IF EXISTS] a TO b AND ...`
fn rename(input: Tokens<'_>) -> Parsed<'_, (bool, Renames)> {
    let (input, _) = keyword(Keyword::Rename)(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, names) = and_list(|input| {
        let (input, from) = name("a name")(input)?;
        let (input, _) = keyword(Keyword::To)(input)?;
        let (input, to) = name("a name")(input)?;
        Ok((input, (from, to)))
    })(input)?;
    Ok((input, (if_exists, names)))
}

/// `ALTER a TYPE t`
fn retype(input: Tokens<'_>) -> Parsed<'_, (Name, TypeName)> {
    let (input, _) = keyword(Keyword::Alter)(input)?;
    let (input, name) = name("a name")(input)?;
    let (input, _) = keyword(Keyword::Type)(input)?;
    let (input, ty) = type_name(input)?;
    Ok((input, (name, ty)))
}

/// `CREATE TYPE`
pub(super) fn create_type(input: Tokens<'_>) -> Parsed<'_, CreateType> {
    let (input, _) = keyword(Keyword::Type)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = qualified("a type")(input)?;
    let (input, fields) = in_parens(comma_list(field))(input)?;
    let create = CreateType {
        if_not_exists,
        name,
        fields,
    };
    Ok((input, create))
}

/// `name type`
pub(super) fn field(input: Tokens<'_>) -> Parsed<'_, (Name, TypeName)> {
    let (input, name) = name("a field")(input)?;
    let (input, ty) = type_name(input)?;
    Ok((input, (name, ty)))
}

/// `ALTER TYPE`
pub(super) fn alter_type(input: Tokens<'_>) -> Parsed<'_, AlterType> {
    let (input, _) = keyword(Keyword::Type)(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = qualified("a type")(input)?;
    let (input, action) = alt((
        |input| {
            let (input, _) = keyword(Keyword::Add)(input)?;
            let (input, if_not_exists) = if_not_exists(input)?;
            let (input, (field, ty)) = field(input)?;
            let add = AlterTypeAction::Add {
                if_not_exists,
                field,
                ty,
            };
            Ok((input, add))
        },
        rename.map(|(if_exists, names)| AlterTypeAction::Rename { if_exists, names }),
        retype.map(|(field, ty)| AlterTypeAction::AlterField { field, ty }),
    ))
    .parse(input)?;
    let alter = AlterType {
        if_exists,
        name,
        action,
    };
    Ok((input, alter))
}
