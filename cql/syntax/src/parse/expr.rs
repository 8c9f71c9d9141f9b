//! Terms and selectors.
//!
//! A value starts with a token that says what it is, so rules are chosen by looking, not by trying.
//! The one exception is `(t) x`, a type hint: its type is tried out.

use super::tokens::{
    Expected, Parsed, Tokens, VALUE, comma_list, in_parens, is_name, keyword, name, qualified,
    string_content, symbol,
};
use super::types::type_name;
use crate::ast::{ArithmeticOp, CellFact, Expr, ExprKind, Literal, Marker};
use crate::keyword::Keyword;
use crate::token::{Symbol, Token, TokenKind};
use crate::{Span, Spanned};

/// What a bare name means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Nothing: values are not named.
    Refused,
    /// A column.
    Columns,
}

/// A term: what a column can be set to or compared with.
pub(super) fn term(input: Tokens<'_>) -> Parsed<'_, Expr> {
    sum(input, Names::Refused)
}

/// A selector without its alias.
pub(super) fn selector(input: Tokens<'_>) -> Parsed<'_, Expr> {
    sum(input, Names::Columns)
}

fn sum(input: Tokens<'_>, names: Names) -> Parsed<'_, Expr> {
    let inside = input.deeper()?;
    let (rest, expr) = chain(
        inside,
        |symbol| match symbol {
            Symbol::Plus => Some(ArithmeticOp::Add),
            Symbol::Minus => Some(ArithmeticOp::Subtract),
            _ => None,
        },
        |input| {
            chain(
                input,
                |symbol| match symbol {
                    Symbol::Star => Some(ArithmeticOp::Multiply),
                    Symbol::Slash => Some(ArithmeticOp::Divide),
                    Symbol::Percent => Some(ArithmeticOp::Remainder),
                    _ => None,
                },
                |input| factor(input, names),
            )
        },
    )?;
    Ok((rest.back_to(input), expr))
}

/// Operands with operators between them, grouped to the left. Each operator uses up a level of depth until the chain ends.
fn chain<'a>(
    input: Tokens<'a>,
    operator: impl Fn(Symbol) -> Option<ArithmeticOp>,
    operand: impl Fn(Tokens<'a>) -> Parsed<'a, Expr>,
) -> Parsed<'a, Expr> {
    let (mut rest, mut expr) = operand(input)?;
    loop {
        let token = rest.first();
        let TokenKind::Symbol(symbol) = token.kind else {
            break;
        };
        let Some(op) = operator(symbol) else { break };
        // In `SET l = [1] + l` the tail `+ l` is no part of the term.
        let (next, right) = match operand(rest.advance().deeper()?) {
            Ok(read) => read,
            Err(nom::Err::Error(_)) => break,
            Err(fatal) => return Err(fatal),
        };
        expr = Expr {
            span: expr.span.to(right.span),
            kind: ExprKind::Binary {
                op: Spanned::new(op, token.span),
                left: Box::new(expr),
                right: Box::new(right),
            },
        };
        rest = next;
    }
    Ok((rest.back_to(input), expr))
}

/// An operand: a value with what is before it (a sign) and behind it (`.f`, `[k]`).
fn factor(input: Tokens<'_>, names: Names) -> Parsed<'_, Expr> {
    if !input.is_symbol(0, Symbol::Minus) {
        let (rest, expr) = value(input, names)?;
        return match names {
            Names::Refused => Ok((rest, expr)),
            Names::Columns => suffixes(rest, expr),
        };
    }
    let digits = input.advance();
    let signed = matches!(
        digits.first().kind,
        TokenKind::Integer
            | TokenKind::Float
            | TokenKind::Duration
            | TokenKind::Word(Some(Keyword::Nan | Keyword::Infinity))
    );
    if signed {
        let (rest, literal) = literal(input)?;
        return Ok((rest, expr(input, rest, ExprKind::Literal(literal.node))));
    }
    let (rest, negated) = factor(digits.deeper()?, names)?;
    let kind = ExprKind::Negate(Box::new(negated));
    Ok((rest.back_to(input), expr(input, rest, kind)))
}

fn expr(from: Tokens<'_>, rest: Tokens<'_>, kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: from.span_to(rest),
    }
}

fn value(input: Tokens<'_>, names: Names) -> Parsed<'_, Expr> {
    let token = input.first();
    let (rest, kind) = match token.kind {
        TokenKind::Symbol(Symbol::Question | Symbol::Colon) => {
            let (rest, marker) = marker(input)?;
            (rest, ExprKind::Marker(marker))
        }
        TokenKind::Symbol(Symbol::LeftBracket) => {
            let (rest, elements) = until(input.advance(), Symbol::RightBracket, names)?;
            (rest, ExprKind::List(elements))
        }
        TokenKind::Symbol(Symbol::LeftBrace) => braces(input, names)?,
        TokenKind::Symbol(Symbol::LeftParen) => parens(input, names)?,
        TokenKind::Word(_) | TokenKind::QuotedName => word(input, names)?,
        _ => {
            let (rest, literal) = literal(input)?;
            (rest, ExprKind::Literal(literal.node))
        }
    };
    Ok((rest, expr(input, rest, kind)))
}

fn column(input: Tokens<'_>) -> Parsed<'_, ExprKind> {
    let (rest, column) = name("a column")(input)?;
    Ok((rest, ExprKind::Column(column)))
}

/// What starts with a word: a constant, a call, a column.
fn word(input: Tokens<'_>, names: Names) -> Parsed<'_, ExprKind> {
    let token = input.first();
    if let Some(literal) = word_literal(token) {
        return Ok((input.advance(), ExprKind::Literal(literal)));
    }
    if input.is_symbol(1, Symbol::LeftParen) {
        return call(input, names);
    }
    let qualified_call = input.is_symbol(1, Symbol::Dot)
        && is_name(input.advance().advance())
        && input.is_symbol(3, Symbol::LeftParen);
    if qualified_call {
        return plain_call(input, names);
    }
    match names {
        Names::Columns if is_name(input) => column(input),
        Names::Columns => input.expect(Expected::Name("a selector")),
        Names::Refused => input.expect(Expected::Kind(VALUE)),
    }
}

/// A word with a parenthesis behind it.
fn call(input: Tokens<'_>, names: Names) -> Parsed<'_, ExprKind> {
    let arguments = input.advance();
    match input.keyword_at(0) {
        Some(Keyword::Token) => {
            let (rest, of) = in_parens(comma_list(|input| sum(input, names)))(arguments)?;
            Ok((rest, ExprKind::Token(of)))
        }
        Some(Keyword::Cast) => in_parens(|input| {
            let (input, value) = sum(input, names)?;
            let (input, _) = keyword(Keyword::As)(input)?;
            let (input, to) = type_name(input)?;
            let value = Box::new(value);
            Ok((input, ExprKind::Cast { value, to }))
        })(arguments),
        Some(Keyword::Count) if counts_rows(arguments) => {
            let rest = arguments.advance().advance().advance();
            Ok((rest, ExprKind::CountRows))
        }
        Some(Keyword::Writetime) if names == Names::Columns => {
            cell_fact(arguments, CellFact::WriteTime)
        }
        Some(Keyword::Maxwritetime) if names == Names::Columns => {
            cell_fact(arguments, CellFact::MaxWriteTime)
        }
        Some(Keyword::Ttl) if names == Names::Columns => cell_fact(arguments, CellFact::Ttl),
        _ => plain_call(input, names),
    }
}

/// Whether `(*)` or `(1)` comes next.
fn counts_rows(input: Tokens<'_>) -> bool {
    let argument = input.ahead(1);
    let all = argument.kind == TokenKind::Symbol(Symbol::Star)
        || (argument.kind == TokenKind::Integer && input.text_of(argument.span) == "1");
    all && input.is_symbol(2, Symbol::RightParen)
}

fn cell_fact(input: Tokens<'_>, fact: CellFact) -> Parsed<'_, ExprKind> {
    let (rest, of) = in_parens(|input: Tokens<'_>| {
        let (rest, kind) = column(input)?;
        suffixes(rest, expr(input, rest, kind))
    })(input)?;
    let of = Box::new(of);
    Ok((rest, ExprKind::CellFact { fact, of }))
}

fn plain_call(input: Tokens<'_>, names: Names) -> Parsed<'_, ExprKind> {
    let (rest, function) = match name("a function")(input) {
        Ok(_) => qualified("a function")(input)?,
        Err(_) if names == Names::Refused => return input.expect(Expected::Kind(VALUE)),
        Err(error) => return Err(error),
    };
    let (rest, _) = symbol(Symbol::LeftParen)(rest)?;
    let (rest, arguments) = until(rest, Symbol::RightParen, names)?;
    let call = ExprKind::Call {
        function,
        arguments,
    };
    Ok((rest, call))
}

/// Values with commas between them, perhaps none, and the symbol that ends them.
fn until(input: Tokens<'_>, close: Symbol, names: Names) -> Parsed<'_, Vec<Expr>> {
    if let Ok((rest, _)) = symbol(close)(input) {
        return Ok((rest, Vec::new()));
    }
    let (rest, items) = comma_list(|input| sum(input, names))(input)?;
    let (rest, _) = symbol(close)(rest)?;
    Ok((rest, items))
}

/// A set, map or UDT.
fn braces(input: Tokens<'_>, names: Names) -> Parsed<'_, ExprKind> {
    let inside = input.advance();
    if let Ok((rest, _)) = symbol(Symbol::RightBrace)(inside) {
        return Ok((rest, ExprKind::Set(Vec::new())));
    }
    if is_name(inside) && inside.is_symbol(1, Symbol::Colon) {
        let (rest, fields) = comma_list(|input| {
            let (input, field) = name("a field")(input)?;
            let (input, _) = symbol(Symbol::Colon)(input)?;
            let (input, value) = sum(input, names)?;
            Ok((input, (field, value)))
        })(inside)?;
        let (rest, _) = symbol(Symbol::RightBrace)(rest)?;
        return Ok((rest, ExprKind::Udt(fields)));
    }
    let (rest, first) = sum(inside, names)?;
    let Ok((rest, _)) = symbol(Symbol::Colon)(rest) else {
        let mut elements = vec![first];
        let mut rest = rest;
        while let Ok((next, _)) = symbol(Symbol::Comma)(rest) {
            let (next, element) = sum(next, names)?;
            elements.push(element);
            rest = next;
        }
        let (rest, _) = symbol(Symbol::RightBrace)(rest)?;
        return Ok((rest, ExprKind::Set(elements)));
    };
    let (rest, value) = sum(rest, names)?;
    let mut entries = vec![(first, value)];
    let mut rest = rest;
    while let Ok((next, _)) = symbol(Symbol::Comma)(rest) {
        let (next, key) = sum(next, names)?;
        let (next, _) = symbol(Symbol::Colon)(next)?;
        let (next, value) = sum(next, names)?;
        entries.push((key, value));
        rest = next;
    }
    let (rest, _) = symbol(Symbol::RightBrace)(rest)?;
    Ok((rest, ExprKind::Map(entries)))
}

/// A tuple, a grouping, or a type hint.
fn parens(input: Tokens<'_>, names: Names) -> Parsed<'_, ExprKind> {
    let inside = input.advance();
    let named = matches!(
        inside.first().kind,
        TokenKind::Word(_) | TokenKind::QuotedName
    );
    if named
        && let Some((rest, ty)) = input.try_out(|input| in_parens(type_name)(input))
        && starts_hinted_value(rest, names)
    {
        let (rest, value) = factor(rest.deeper()?, names)?;
        let value = Box::new(value);
        return Ok((rest.back_to(input), ExprKind::TypeHint { ty, value }));
    }
    let (rest, elements) = comma_list(|input| sum(input, names))(inside)?;
    let (rest, _) = symbol(Symbol::RightParen)(rest)?;
    Ok((rest, ExprKind::Tuple(elements)))
}

/// Whether what follows `(t)` makes it a type hint. Among selectors, `(a) - b` is a difference.
fn starts_hinted_value(input: Tokens<'_>, names: Names) -> bool {
    match input.first().kind {
        TokenKind::Symbol(Symbol::Minus) => names == Names::Refused,
        TokenKind::Symbol(Symbol::LeftBracket) => names == Names::Refused,
        TokenKind::Symbol(symbol) => matches!(
            symbol,
            Symbol::LeftParen | Symbol::LeftBrace | Symbol::Question | Symbol::Colon
        ),
        TokenKind::Word(_) => {
            word_literal(input.first()).is_some() || is_call(input) || {
                names == Names::Columns
                    && is_name(input)
                    && input.keyword_at(0) != Some(Keyword::As)
            }
        }
        TokenKind::End => false,
        TokenKind::QuotedName
        | TokenKind::String
        | TokenKind::DollarString
        | TokenKind::Integer
        | TokenKind::Float
        | TokenKind::Uuid
        | TokenKind::Blob
        | TokenKind::Duration => true,
    }
}

fn is_call(input: Tokens<'_>) -> bool {
    input.is_symbol(1, Symbol::LeftParen)
        || (input.is_symbol(1, Symbol::Dot) && input.is_symbol(3, Symbol::LeftParen))
}

/// `.field`, `[key]` and `[from..to]` behind a selector.
fn suffixes(input: Tokens<'_>, mut base: Expr) -> Parsed<'_, Expr> {
    let start = base.span;
    let mut rest = input;
    loop {
        let token = rest.first();
        let kind = match token.kind {
            TokenKind::Symbol(Symbol::Dot) => {
                let (next, field) = name("a field")(rest.advance().deeper()?)?;
                rest = next;
                let base = Box::new(base);
                ExprKind::Field { base, field }
            }
            TokenKind::Symbol(Symbol::LeftBracket) => {
                let (next, kind) = brackets(rest.advance().deeper()?, base)?;
                rest = next;
                kind
            }
            _ => break,
        };
        // The token before `rest` ends the suffix.
        let end = token.span.to(input.span_to(rest));
        base = Expr {
            kind,
            span: start.to(end),
        };
    }
    Ok((rest.back_to(input), base))
}

fn brackets(input: Tokens<'_>, base: Expr) -> Parsed<'_, ExprKind> {
    let base = Box::new(base);
    let (rest, from) = if input.is_symbol(0, Symbol::DotDot) {
        (input, None)
    } else {
        let (rest, key) = term(input)?;
        (rest, Some(Box::new(key)))
    };
    let Ok((rest, _)) = symbol(Symbol::DotDot)(rest) else {
        let (rest, _) = symbol(Symbol::RightBracket)(rest)?;
        return match from {
            Some(key) => Ok((rest, ExprKind::Element { base, key })),
            None => input.expect(Expected::Kind(VALUE)),
        };
    };
    let (rest, to) = if rest.is_symbol(0, Symbol::RightBracket) {
        (rest, None)
    } else {
        let (rest, key) = term(rest)?;
        (rest, Some(Box::new(key)))
    };
    let (rest, _) = symbol(Symbol::RightBracket)(rest)?;
    Ok((rest, ExprKind::Slice { base, from, to }))
}

/// `?` or `:name`.
pub(super) fn marker(input: Tokens<'_>) -> Parsed<'_, Marker> {
    match input.first().kind {
        TokenKind::Symbol(Symbol::Question) => input.marker(input.advance(), None),
        TokenKind::Symbol(Symbol::Colon) => {
            let (rest, name) = name("the name of a bind marker")(input.advance())?;
            input.marker(rest, Some(name))
        }
        _ => input.expect(Expected::Kind("a bind marker")),
    }
}

/// A marker, or a constant of one of these kinds.
pub(super) fn marker_or<'a>(
    what: &'static str,
    kinds: &'static [TokenKind],
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Expr> {
    move |input| {
        let negative = usize::from(input.is_symbol(0, Symbol::Minus));
        let found = input.ahead(negative).kind;
        if kinds.contains(&found) {
            let (rest, literal) = literal(input)?;
            return Ok((rest, expr(input, rest, ExprKind::Literal(literal.node))));
        }
        match input.first().kind {
            TokenKind::Symbol(Symbol::Question | Symbol::Colon) => {
                let (rest, marker) = marker(input)?;
                Ok((rest, expr(input, rest, ExprKind::Marker(marker))))
            }
            _ => {
                input.note(Expected::Kind(what));
                input.expect(Expected::Kind("a bind marker"))
            }
        }
    }
}

/// An integer or a marker.
pub(super) fn integer_or_marker(input: Tokens<'_>) -> Parsed<'_, Expr> {
    marker_or("an integer", &[TokenKind::Integer])(input)
}

/// A constant.
pub(super) fn literal(input: Tokens<'_>) -> Parsed<'_, Spanned<Literal>> {
    let negative = input.is_symbol(0, Symbol::Minus);
    let number = if negative { input.advance() } else { input };
    let token = number.first();
    let written = input.text_of(token.span);
    let signed = || -> Box<str> {
        if negative {
            format!("-{written}").into()
        } else {
            written.into()
        }
    };
    let literal = match token.kind {
        TokenKind::Integer => Literal::Integer(signed()),
        TokenKind::Float => Literal::Float(signed()),
        TokenKind::Duration => Literal::Duration(signed()),
        TokenKind::Word(Some(Keyword::Nan)) => Literal::Float(special(negative, "NaN")),
        TokenKind::Word(Some(Keyword::Infinity)) => Literal::Float(special(negative, "Infinity")),
        _ if negative => return number.expect(Expected::Kind("a number")),
        TokenKind::Uuid => Literal::Uuid(written.to_ascii_lowercase().into()),
        TokenKind::Blob => Literal::Blob(written.get(2..).unwrap_or("").into()),
        TokenKind::String | TokenKind::DollarString => {
            Literal::String(string_content(token, written).unwrap_or_default())
        }
        TokenKind::Word(_) => match word_literal(token) {
            Some(literal) => literal,
            None => return input.expect(Expected::Kind(VALUE)),
        },
        TokenKind::QuotedName | TokenKind::Symbol(_) | TokenKind::End => {
            return input.expect(Expected::Kind(VALUE));
        }
    };
    let rest = number.advance();
    Ok((rest, Spanned::new(literal, input.span_to(rest))))
}

fn special(negative: bool, word: &str) -> Box<str> {
    let sign = if negative { "-" } else { "" };
    format!("{sign}{word}").into()
}

/// The constant that a word spells.
fn word_literal(token: Token) -> Option<Literal> {
    let TokenKind::Word(Some(keyword)) = token.kind else {
        return None;
    };
    match keyword {
        Keyword::Null => Some(Literal::Null),
        Keyword::True => Some(Literal::Boolean(true)),
        Keyword::False => Some(Literal::Boolean(false)),
        Keyword::Nan => Some(Literal::Float("NaN".into())),
        Keyword::Infinity => Some(Literal::Float("Infinity".into())),
        _ => None,
    }
}

/// The span of the parentheses around `inner`, and what is in them.
pub(super) fn spanned_parens<'a, T>(
    input: Tokens<'a>,
    inner: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> Parsed<'a, (T, Span)> {
    let (rest, node) = in_parens(inner)(input)?;
    Ok((rest, (node, input.span_to(rest))))
}
