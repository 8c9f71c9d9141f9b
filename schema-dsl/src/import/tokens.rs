//! The tokens of CQL, as far as CREATE statements have them.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_until, take_while, take_while_m_n, take_while1};
use nom::character::complete::{anychar, char, multispace1};
use nom::combinator::{map, recognize, value};
use nom::multi::{fold_many0, many0};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word in small letters, a number, a uuid.
    Word(String),
    /// A name between double quotes, without them.
    Name(String),
    /// A text between single quotes, without them.
    Text(String),
    /// Anything else, one character each.
    Punct(char),
    /// The end.
    End,
}

/// A token with its place.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// All tokens, the last of them [`Kind::End`].
pub(super) fn lex(file: FileId, text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut tokens = Vec::new();
    let mut diagnostics = Vec::new();
    let mut rest = skip_blanks(text);
    loop {
        let start = offset(text, rest);
        let (after, kind) = match token(rest) {
            Ok(found) => found,
            Err(_) => ("", Kind::End),
        };
        let span = Span {
            file,
            start,
            end: offset(text, after),
        };
        let unclosed = matches!(kind, Kind::Punct('"' | '\''));
        if unclosed {
            let message = "the text or name is not closed";
            diagnostics.push(
                Diagnostic::error(codes::S0002, span, message).help("close it with the same quote"),
            );
        }
        let end = kind == Kind::End;
        tokens.push(Token { kind, span });
        if end {
            return (tokens, diagnostics);
        }
        rest = skip_blanks(after);
    }
}

fn offset(text: &str, rest: &str) -> u32 {
    u32::try_from(text.len() - rest.len()).unwrap_or(u32::MAX)
}

/// Blanks and the three kinds of comments.
fn skip_blanks(text: &str) -> &str {
    let to_line_end = |open| recognize((tag(open), take_while(|c| c != '\n')));
    let block = recognize((tag("/*"), take_until("*/"), tag("*/")));
    let blank = alt((multispace1, to_line_end("--"), to_line_end("//"), block));
    let skipped: IResult<&str, Vec<&str>> = many0(blank).parse(text);
    skipped.map_or(text, |(rest, _)| rest)
}

fn token(input: &str) -> IResult<&str, Kind> {
    let word_char = |c: char| c.is_alphanumeric() || c == '_';
    let number_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    alt((
        map(uuid, |text: &str| Kind::Word(text.to_lowercase())),
        map(
            recognize((
                take_while_m_n(1, 1, |c: char| c.is_ascii_digit() || c == '-'),
                take_while(number_char),
            )),
            |text: &str| Kind::Word(text.to_owned()),
        ),
        map(take_while1(word_char), |text: &str| {
            Kind::Word(text.to_lowercase())
        }),
        map(quoted('"', "\"\""), Kind::Name),
        map(quoted('\'', "''"), Kind::Text),
        map(anychar, Kind::Punct),
    ))
    .parse(input)
}

fn uuid(input: &str) -> IResult<&str, &str> {
    let hex = |count| take_while_m_n(count, count, |c: char| c.is_ascii_hexdigit());
    let group = |count| preceded(char('-'), hex(count));
    recognize((hex(8), group(4), group(4), group(4), group(12))).parse(input)
}

fn quoted<'a>(
    quote: char,
    doubled: &'static str,
) -> impl Parser<&'a str, Output = String, Error = nom::error::Error<&'a str>> {
    let plain = map(take_while1(move |c| c != quote), str::to_owned);
    let piece = alt((value(quote.to_string(), tag(doubled)), plain));
    let pieces = fold_many0(piece, String::new, |mut all: String, piece: String| {
        all.push_str(&piece);
        all
    });
    delimited(char(quote), pieces, char(quote))
}
