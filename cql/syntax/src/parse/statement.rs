//! Which statement is it?

use super::tokens::{Expected, Parsed, Tokens, keyword, name, qualified};
use super::{access, ddl, describe, dml, objects, select};
use crate::ast::{Statement, StatementKind};
use crate::keyword::Keyword;
use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::opt;

/// Any statement.
pub(super) fn statement(input: Tokens<'_>) -> Parsed<'_, Statement> {
    let (rest, kind) = kind(input)?;
    let statement = Statement {
        kind,
        span: input.span_to(rest),
        markers: rest.take_markers(),
    };
    Ok((rest, statement))
}

/// The words that statements start with.
const VERBS: [Keyword; 18] = [
    Keyword::Select,
    Keyword::Insert,
    Keyword::Update,
    Keyword::Delete,
    Keyword::Begin,
    Keyword::Use,
    Keyword::Truncate,
    Keyword::Create,
    Keyword::Alter,
    Keyword::Drop,
    Keyword::Grant,
    Keyword::Revoke,
    Keyword::List,
    Keyword::Attach,
    Keyword::Detach,
    Keyword::Describe,
    Keyword::Desc,
    Keyword::Explain,
];

fn kind(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let rest = input.advance();
    match input.keyword_at(0) {
        Some(Keyword::Select) => {
            let (rest, select) = select::select(rest)?;
            Ok((rest, StatementKind::Select(Box::new(select))))
        }
        Some(Keyword::Insert) => {
            let (rest, insert) = dml::insert(rest)?;
            Ok((rest, StatementKind::Insert(Box::new(insert))))
        }
        Some(Keyword::Update) => {
            let (rest, update) = dml::update(rest)?;
            Ok((rest, StatementKind::Update(Box::new(update))))
        }
        Some(Keyword::Delete) => {
            let (rest, delete) = dml::delete(rest)?;
            Ok((rest, StatementKind::Delete(Box::new(delete))))
        }
        Some(Keyword::Begin) => dml::batch.map(StatementKind::Batch).parse(rest),
        Some(Keyword::Use) => name("a keyspace").map(StatementKind::Use).parse(rest),
        Some(Keyword::Truncate) => {
            let (rest, _) = opt(alt((
                keyword(Keyword::Table),
                keyword(Keyword::Columnfamily),
            )))
            .parse(rest)?;
            qualified("a table")
                .map(StatementKind::Truncate)
                .parse(rest)
        }
        Some(Keyword::Create) => create(rest),
        Some(Keyword::Alter) => alter(rest),
        Some(Keyword::Drop) => drop(rest),
        Some(Keyword::Grant) => access::grant(rest),
        Some(Keyword::Revoke) => access::revoke(rest),
        Some(Keyword::List) => access::list(rest),
        Some(Keyword::Attach) => access::attach(rest),
        Some(Keyword::Detach) => access::detach(rest),
        Some(Keyword::Describe | Keyword::Desc) => {
            describe::describe.map(StatementKind::Describe).parse(rest)
        }
        Some(Keyword::Explain) => {
            let (left, explained) = kind(rest.deeper()?)?;
            Ok((
                left.back_to(input),
                StatementKind::Explain(Box::new(explained)),
            ))
        }
        _ => {
            for verb in VERBS {
                input.note(Expected::Keyword(verb));
            }
            input.expect(Expected::Kind("a statement"))
        }
    }
}

fn create(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    alt((
        ddl::create_table.map(StatementKind::CreateTable),
        ddl::create_keyspace.map(StatementKind::CreateKeyspace),
        ddl::create_type.map(StatementKind::CreateType),
        objects::create_index.map(StatementKind::CreateIndex),
        objects::create_view.map(|view| StatementKind::CreateView(Box::new(view))),
        objects::create_function.map(|f| StatementKind::CreateFunction(Box::new(f))),
        objects::create_aggregate.map(|a| StatementKind::CreateAggregate(Box::new(a))),
        objects::create_trigger.map(StatementKind::CreateTrigger),
        access::create,
    ))
    .parse(input)
}

fn alter(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    alt((
        ddl::alter_table.map(StatementKind::AlterTable),
        ddl::alter_keyspace.map(StatementKind::AlterKeyspace),
        ddl::alter_type.map(StatementKind::AlterType),
        objects::alter_view.map(StatementKind::AlterView),
        access::alter,
    ))
    .parse(input)
}

fn drop(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    alt((
        ddl::drop_keyspace.map(StatementKind::DropKeyspace),
        objects::drop_object,
        objects::drop_function,
        objects::drop_trigger.map(StatementKind::DropTrigger),
        access::drop,
    ))
    .parse(input)
}
