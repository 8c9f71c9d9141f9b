//! The input of the grammar, its smallest rules, and what is noted for messages.

use crate::Span;
use crate::ast::{Marker, Name, QualifiedName};
use crate::error::{Problem, SyntaxError, shorten};
use crate::keyword::Keyword;
use crate::suggest::did_you_mean;
use crate::token::{Symbol, Token, TokenKind};
use nom::combinator::opt;
use nom::error::{ErrorKind, ParseError};
use nom::{Input, Parser as _};
use std::cell::RefCell;
use std::iter::{Copied, Enumerate};
use std::slice;

/// What a rule returns: what is left, and what it read.
pub(super) type Parsed<'a, T> = nom::IResult<Tokens<'a>, T, Mismatch>;

/// A rule did not fit. Why is in the [`Context`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Mismatch;

impl ParseError<Tokens<'_>> for Mismatch {
    fn from_error_kind(_: Tokens<'_>, _: ErrorKind) -> Self {
        Self
    }

    fn append(_: Tokens<'_>, _: ErrorKind, _: Self) -> Self {
        Self
    }
}

/// What was expected at a place.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Expected {
    Keyword(Keyword),
    Symbol(Symbol),
    /// "a value", "an integer".
    Kind(&'static str),
    /// The name of something: "a column".
    Name(&'static str),
    /// This very name, again.
    Same(Box<str>),
}

/// What [`Expected::Kind`] says where a term must stand.
pub(super) const VALUE: &str = "a value";

/// What all rules of one parse share.
pub(super) struct Context<'a> {
    text: &'a str,
    markers: RefCell<Vec<Marker>>,
    notes: Option<RefCell<Notes>>,
}

/// Why the furthest failure happened.
#[derive(Default)]
struct Notes {
    found: Option<Token>,
    expected: Vec<Expected>,
    /// Set once; what follows a fatal problem is not looked at.
    fatal: Option<(Problem, Span)>,
}

impl<'a> Context<'a> {
    /// For the first pass, which does not note why it fails.
    pub(super) fn quick(text: &'a str) -> Self {
        Self {
            text,
            markers: RefCell::default(),
            notes: None,
        }
    }

    /// For the second pass.
    pub(super) fn noting(text: &'a str) -> Self {
        Self {
            notes: Some(RefCell::default()),
            ..Self::quick(text)
        }
    }

    /// The error of a pass that failed.
    pub(super) fn into_error(self) -> SyntaxError {
        let notes = self.notes.map(RefCell::into_inner).unwrap_or_default();
        if let Some((problem, span)) = notes.fatal {
            return SyntaxError::new(problem, span, self.text);
        }
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let found = notes.found.unwrap_or(Token {
            kind: TokenKind::End,
            span: Span::new(end, end),
        });
        let written = found.span.text(self.text);
        let problem = Problem::Unexpected {
            found: if written.is_empty() {
                String::new()
            } else {
                shorten(written)
            },
            expected: notes.expected.iter().map(Expected::describe).collect(),
        };
        let mut error = SyntaxError::new(problem, found.span, self.text);
        let before = self.text.get(..found.span.start as usize).unwrap_or("");
        error.help = help(found, written, before, &notes.expected);
        error
    }
}

impl Expected {
    fn describe(&self) -> String {
        match self {
            Self::Keyword(keyword) => keyword.word().to_owned(),
            Self::Symbol(symbol) => format!("'{}'", symbol.text()),
            Self::Kind(what) | Self::Name(what) => (*what).to_owned(),
            Self::Same(name) => format!("{name} itself"),
        }
    }
}

/// What could be done about `found`, which stands where `expected` should; `before` is the text before it.
fn help(found: Token, written: &str, before: &str, expected: &[Expected]) -> Option<String> {
    let expects_value = expected.contains(&Expected::Kind(VALUE));
    let expects_name = expected
        .iter()
        .any(|item| matches!(item, Expected::Name(_)));
    let keywords = || {
        expected.iter().filter_map(|item| match item {
            Expected::Keyword(keyword) => Some(keyword.word()),
            Expected::Name(_) | Expected::Same(_) | Expected::Symbol(_) | Expected::Kind(_) => None,
        })
    };
    let constants = ["TRUE", "FALSE", "NULL", "NAN", "INFINITY"];
    match found.kind {
        TokenKind::Word(keyword) => {
            let constants = constants.into_iter().filter(|_| expects_value);
            if let Some(meant) = did_you_mean(written, keywords().chain(constants)) {
                return Some(format!("did you mean {meant}?"));
            }
            match keyword {
                Some(keyword)
                    if keyword.is_reserved() && (!expects_name || starts_clause(keyword)) => {}
                Some(keyword) if keyword.is_reserved() => {
                    return Some(format!(
                        "{} is a reserved word; a name spelled so is written \"{}\"",
                        keyword.word(),
                        written.to_ascii_lowercase()
                    ));
                }
                _ if expects_value => return Some(format!("a string is written '{written}'")),
                _ => {}
            }
        }
        TokenKind::QuotedName if expects_value => {
            return Some("strings have single quotes, double quotes are for names".to_owned());
        }
        TokenKind::String if expects_name && !expects_value => {
            let help = "names have double quotes or none, single quotes are for strings";
            return Some(help.to_owned());
        }
        _ => {}
    }
    // A misspelt keyword may have passed for a name: `DELETE FORM t`.
    let before = before.trim_end();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = before.get(before.trim_end_matches(is_part).len()..)?;
    if Keyword::lookup(word.as_bytes()).is_some() {
        return None;
    }
    let meant = did_you_mean(word, keywords())?;
    Some(format!("did you mean {meant} instead of {word}?"))
}

/// Whether a keyword that stands where a name should more likely shows that the name is missing.
fn starts_clause(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::From
            | Keyword::Where
            | Keyword::And
            | Keyword::Not
            | Keyword::If
            | Keyword::Using
            | Keyword::With
            | Keyword::Is
            | Keyword::In
    )
}

/// The tokens that are left, and what a rule must know of those before. Copied freely; going back is using an older copy.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    tokens: &'a [Token],
    context: &'a Context<'a>,
    /// How many rules that may recurse are open.
    depth: u16,
    /// How many markers were read.
    markers: u16,
    /// Set while a rule is only tried out.
    muted: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(tokens: &'a [Token], context: &'a Context<'a>) -> Self {
        Self {
            tokens,
            context,
            depth: 0,
            markers: 0,
            muted: false,
        }
    }

    /// The next token.
    pub(super) fn first(self) -> Token {
        self.ahead(0)
    }

    /// The token `n` behind the next.
    pub(super) fn ahead(self, n: usize) -> Token {
        let end = Token {
            kind: TokenKind::End,
            span: Span::default(),
        };
        self.tokens
            .get(n)
            .or(self.tokens.last())
            .copied()
            .unwrap_or(end)
    }

    /// The keyword `n` behind the next token.
    pub(super) fn keyword_at(self, n: usize) -> Option<Keyword> {
        match self.ahead(n).kind {
            TokenKind::Word(keyword) => keyword,
            _ => None,
        }
    }

    /// Whether the token `n` behind the next is this symbol.
    pub(super) fn is_symbol(self, n: usize, symbol: Symbol) -> bool {
        self.ahead(n).kind == TokenKind::Symbol(symbol)
    }

    pub(super) fn at_end(self) -> bool {
        self.first().kind == TokenKind::End
    }

    /// What is left behind the next token; the end is never passed.
    pub(super) fn advance(self) -> Self {
        match self.tokens {
            [_, rest @ ..] if !rest.is_empty() => Self {
                tokens: rest,
                ..self
            },
            _ => self,
        }
    }

    /// The text of a token.
    pub(super) fn text_of(self, span: Span) -> &'a str {
        span.text(self.context.text)
    }

    /// From the first token of `self` to the last before `rest`.
    pub(super) fn span_to(self, rest: Self) -> Span {
        let read = self.tokens.len().saturating_sub(rest.tokens.len());
        let start = self.first().span;
        match read.checked_sub(1) {
            Some(last) => start.to(self.ahead(last).span),
            None => Span::new(start.start, start.start),
        }
    }

    /// Fails here, saying what could stand here.
    pub(super) fn expect<T>(self, expected: Expected) -> Parsed<'a, T> {
        self.note(expected);
        Err(nom::Err::Error(Mismatch))
    }

    pub(super) fn note(self, expected: Expected) {
        let Some(notes) = &self.context.notes else {
            return;
        };
        if self.muted {
            return;
        }
        let mut notes = notes.borrow_mut();
        let here = self.first();
        let before = notes.found.map(|token| token.span.start);
        if before.is_none_or(|before| before < here.span.start) {
            notes.found = Some(here);
            notes.expected.clear();
        } else if before > Some(here.span.start) {
            return;
        }
        if !notes.expected.contains(&expected) {
            notes.expected.push(expected);
        }
    }

    /// Fails for good, for a reason that no other rule can mend.
    pub(super) fn fatal<T>(self, problem: Problem, span: Span) -> Parsed<'a, T> {
        if let Some(notes) = &self.context.notes {
            notes.borrow_mut().fatal.get_or_insert((problem, span));
        }
        Err(nom::Err::Failure(Mismatch))
    }

    /// The same place, one level deeper.
    pub(super) fn deeper(self) -> Result<Self, nom::Err<Mismatch>> {
        if self.depth >= super::DEPTH_MAX {
            return Err(
                match self.fatal::<()>(Problem::TooDeep, self.first().span) {
                    Ok(_) => nom::Err::Failure(Mismatch),
                    Err(error) => error,
                },
            );
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    /// `self` with the depth of `outer`.
    pub(super) fn back_to(self, outer: Self) -> Self {
        Self {
            depth: outer.depth,
            ..self
        }
    }

    /// What `rule` reads here, if it fits; if not, nobody is told.
    pub(super) fn try_out<T>(self, rule: impl FnOnce(Self) -> Parsed<'a, T>) -> Option<(Self, T)> {
        let muted = Self {
            muted: true,
            ..self
        };
        let (rest, node) = rule(muted).ok()?;
        let rest = Self {
            muted: self.muted,
            ..rest
        };
        Some((rest, node))
    }

    /// Starts to count markers anew.
    pub(super) fn with_fresh_markers(self) -> Self {
        Self { markers: 0, ..self }
    }

    /// A marker that `rest` follows.
    pub(super) fn marker(self, rest: Self, name: Option<Name>) -> Parsed<'a, Marker> {
        let span = self.span_to(rest);
        let Some(markers) = self.markers.checked_add(1) else {
            return self.fatal(Problem::TooManyMarkers, span);
        };
        let marker = Marker {
            index: self.markers,
            name,
            span,
        };
        // A rule that was given up may have left markers behind; this one takes their place.
        let mut all = self.context.markers.borrow_mut();
        all.truncate(usize::from(self.markers));
        all.push(marker.clone());
        Ok((Self { markers, ..rest }, marker))
    }

    /// The markers read so far.
    pub(super) fn take_markers(self) -> Vec<Marker> {
        let mut all = self.context.markers.borrow_mut();
        all.truncate(usize::from(self.markers));
        std::mem::take(&mut *all)
    }
}

impl<'a> Input for Tokens<'a> {
    type Item = Token;
    type Iter = Copied<slice::Iter<'a, Token>>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.tokens.len()
    }

    fn take(&self, index: usize) -> Self {
        self.take_split(index).1
    }

    fn take_from(&self, index: usize) -> Self {
        self.take_split(index).0
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        let (before, after) = self
            .tokens
            .split_at_checked(index)
            .unwrap_or((self.tokens, &[]));
        let with = |tokens| Self { tokens, ..*self };
        (with(after), with(before))
    }

    fn position<P: Fn(Token) -> bool>(&self, predicate: P) -> Option<usize> {
        self.tokens.iter().position(|token| predicate(*token))
    }

    fn iter_elements(&self) -> Self::Iter {
        self.tokens.iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, nom::Needed> {
        match count.checked_sub(self.tokens.len()) {
            None | Some(0) => Ok(count),
            Some(missing) => Err(nom::Needed::new(missing)),
        }
    }
}

/// The end of the text.
pub(super) fn end(input: Tokens<'_>) -> Result<Tokens<'_>, nom::Err<Mismatch>> {
    if input.at_end() {
        return Ok(input);
    }
    input.note(Expected::Kind("the end of the statement"));
    Err(nom::Err::Error(Mismatch))
}

/// This keyword.
pub(super) fn keyword<'a>(wanted: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, Span> + Copy {
    move |input| {
        let token = input.first();
        if token.kind == TokenKind::Word(Some(wanted)) {
            Ok((input.advance(), token.span))
        } else {
            input.expect(Expected::Keyword(wanted))
        }
    }
}

/// These keywords in a row.
pub(super) fn phrase<'a, const N: usize>(
    words: [Keyword; N],
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Span> + Copy {
    move |input| {
        let mut rest = input;
        for word in words {
            (rest, _) = keyword(word)(rest)?;
        }
        Ok((rest, input.span_to(rest)))
    }
}

/// Whether these keywords come next; if so, they are read.
pub(super) fn given<'a, const N: usize>(
    words: [Keyword; N],
) -> impl Fn(Tokens<'a>) -> Parsed<'a, bool> + Copy {
    move |input| {
        let (rest, span) = opt(phrase(words)).parse(input)?;
        Ok((rest, span.is_some()))
    }
}

/// `IF EXISTS`, perhaps.
pub(super) fn if_exists(input: Tokens<'_>) -> Parsed<'_, bool> {
    given([Keyword::If, Keyword::Exists])(input)
}

/// `IF NOT EXISTS`, perhaps.
pub(super) fn if_not_exists(input: Tokens<'_>) -> Parsed<'_, bool> {
    given([Keyword::If, Keyword::Not, Keyword::Exists])(input)
}

/// This symbol.
pub(super) fn symbol<'a>(wanted: Symbol) -> impl Fn(Tokens<'a>) -> Parsed<'a, Span> + Copy {
    move |input| {
        let token = input.first();
        if token.kind == TokenKind::Symbol(wanted) {
            Ok((input.advance(), token.span))
        } else {
            input.expect(Expected::Symbol(wanted))
        }
    }
}

/// At least one item, with commas between them.
pub(super) fn comma_list<'a, T>(
    item: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    list_by(symbol(Symbol::Comma), item)
}

/// At least one item, with `AND` between them.
pub(super) fn and_list<'a, T>(
    item: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    list_by(keyword(Keyword::And), item)
}

fn list_by<'a, T>(
    separator: impl Fn(Tokens<'a>) -> Parsed<'a, Span>,
    item: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    move |input| {
        let (mut input, first) = item(input)?;
        let mut items = vec![first];
        while let Ok((rest, _)) = separator(input) {
            let (rest, next) = item(rest)?;
            items.push(next);
            input = rest;
        }
        Ok((input, items))
    }
}

/// `item` between parentheses.
pub(super) fn in_parens<'a, T>(
    item: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        let (input, _) = symbol(Symbol::LeftParen)(input)?;
        let (input, node) = item(input)?;
        let (input, _) = symbol(Symbol::RightParen)(input)?;
        Ok((input, node))
    }
}

/// A name; `what` says of what, for messages: "a column".
pub(super) fn name<'a>(what: &'static str) -> impl Fn(Tokens<'a>) -> Parsed<'a, Name> + Copy {
    move |input| match name_here(input) {
        Some(name) => Ok((input.advance(), name)),
        None => input.expect(Expected::Name(what)),
    }
}

/// The name that the next token is.
fn name_here(input: Tokens<'_>) -> Option<Name> {
    if !is_name(input) {
        return None;
    }
    let span = input.first().span;
    let written = input.text_of(span);
    let (text, quoted) = match written.strip_prefix('"') {
        Some(inside) => (undouble(inside.strip_suffix('"')?, '"'), true),
        None => (written.to_ascii_lowercase().into(), false),
    };
    Some(Name { text, quoted, span })
}

/// Whether the next token can be a name.
pub(super) fn is_name(input: Tokens<'_>) -> bool {
    match input.first().kind {
        TokenKind::Word(None) | TokenKind::QuotedName => true,
        TokenKind::Word(Some(keyword)) => !keyword.is_reserved(),
        _ => false,
    }
}

/// `name` or `keyspace.name`.
pub(super) fn qualified<'a>(
    what: &'static str,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, QualifiedName> + Copy {
    move |input| {
        let (input, first) = name(what)(input)?;
        // A point is not worth a word in messages, so nobody is told that it could stand here.
        if !input.is_symbol(0, Symbol::Dot) {
            let qualified = QualifiedName {
                keyspace: None,
                name: first,
            };
            return Ok((input, qualified));
        }
        let (input, second) = name(what)(input.advance())?;
        let qualified = QualifiedName {
            keyspace: Some(first),
            name: second,
        };
        Ok((input, qualified))
    }
}

/// The content of a `'...'` or `$$...$$` token.
pub(super) fn string(input: Tokens<'_>) -> Parsed<'_, crate::Spanned<Box<str>>> {
    let token = input.first();
    match string_content(token, input.text_of(token.span)) {
        Some(text) => Ok((input.advance(), crate::Spanned::new(text, token.span))),
        None => input.expect(Expected::Kind("a string")),
    }
}

/// What a string token holds.
pub(super) fn string_content(token: Token, written: &str) -> Option<Box<str>> {
    match token.kind {
        TokenKind::String => {
            let inside = written.strip_prefix('\'')?.strip_suffix('\'')?;
            Some(undouble(inside, '\''))
        }
        TokenKind::DollarString => Some(written.strip_prefix("$$")?.strip_suffix("$$")?.into()),
        _ => None,
    }
}

/// Turns doubled quotes into single ones.
fn undouble(inside: &str, quote: char) -> Box<str> {
    if !inside.contains(quote) {
        return inside.into();
    }
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        text.push(character);
        if character == quote {
            characters.next();
        }
    }
    text.into()
}
