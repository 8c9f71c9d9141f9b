//! Names of types.

use super::tokens::{Expected, Parsed, Tokens, comma_list, qualified, string_content, symbol};
use crate::Spanned;
use crate::ast::{TypeName, TypeNameKind};
use crate::error::Problem;
use crate::keyword::Keyword;
use crate::token::{Symbol, TokenKind};

/// Any type.
pub(super) fn type_name(input: Tokens<'_>) -> Parsed<'_, TypeName> {
    let (rest, kind) = type_kind(input.deeper()?)?;
    let span = input.span_to(rest);
    Ok((rest.back_to(input), TypeName { kind, span }))
}

fn type_kind(input: Tokens<'_>) -> Parsed<'_, TypeNameKind> {
    let token = input.first();
    if let Some(class) = string_content(token, input.text_of(token.span)) {
        return Ok((input.advance(), TypeNameKind::Custom(class)));
    }
    let one = |input| in_angles(input, type_name);
    let boxed = |(input, ty): (_, TypeName)| (input, Box::new(ty));
    let open = input.is_symbol(1, Symbol::Less);
    match input.keyword_at(0) {
        Some(Keyword::List) if open => {
            let (input, element) = one(input.advance()).map(boxed)?;
            Ok((input, TypeNameKind::List(element)))
        }
        // SET is reserved, so it cannot be the name of a UDT.
        Some(Keyword::Set) => {
            let (input, element) = one(input.advance()).map(boxed)?;
            Ok((input, TypeNameKind::Set(element)))
        }
        Some(Keyword::Frozen) if open => {
            let (input, inner) = one(input.advance()).map(boxed)?;
            Ok((input, TypeNameKind::Frozen(inner)))
        }
        Some(Keyword::Map) if open => in_angles(input.advance(), |input| {
            let (input, key) = type_name(input).map(boxed)?;
            let (input, _) = symbol(Symbol::Comma)(input)?;
            let (input, value) = type_name(input).map(boxed)?;
            Ok((input, TypeNameKind::Map(key, value)))
        }),
        Some(Keyword::Tuple) if open => {
            let (input, elements) = in_angles(input.advance(), comma_list(type_name))?;
            Ok((input, TypeNameKind::Tuple(elements)))
        }
        Some(Keyword::Vector) if open => in_angles(input.advance(), |input| {
            let (input, element) = type_name(input).map(boxed)?;
            let (input, _) = symbol(Symbol::Comma)(input)?;
            let (input, dimensions) = dimensions(input)?;
            Ok((
                input,
                TypeNameKind::Vector {
                    element,
                    dimensions,
                },
            ))
        }),
        _ => {
            let (input, name) = qualified("a type")(input)?;
            Ok((input, TypeNameKind::Named(name)))
        }
    }
}

fn in_angles<'a, T>(
    input: Tokens<'a>,
    inner: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> Parsed<'a, T> {
    let (input, _) = symbol(Symbol::Less)(input)?;
    let (input, node) = inner(input)?;
    let (input, _) = symbol(Symbol::Greater)(input)?;
    Ok((input, node))
}

fn dimensions(input: Tokens<'_>) -> Parsed<'_, Spanned<u32>> {
    let token = input.first();
    if token.kind != TokenKind::Integer {
        return input.expect(Expected::Kind("a number of elements"));
    }
    match input.text_of(token.span).parse() {
        Ok(count) => Ok((input.advance(), Spanned::new(count, token.span))),
        Err(_) => input.fatal(Problem::NumberTooLarge, token.span),
    }
}
