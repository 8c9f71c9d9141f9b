//! Text into tokens, with comments kept, because the formatter gives them back.
//!
//! A token knows whether it is the first of its line: that ends a column, and tells a remark behind a column from
//! one before the next.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{map, opt, recognize, value};
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bare word: keyword, name or type.
    Word(String),
    /// Digits with an optional sign, fraction and unit, as written: `30d`, `-1`, `0.01`.
    Number(String),
    /// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
    Uuid(String),
    /// A name or text between quotes, without them.
    Quoted(String),
    /// One of `{ } ( ) < > , = ? : . @`.
    Punct(char),
    /// `/// text`, without the slashes and one blank.
    Doc(String),
    /// `// text`, with the slashes.
    Comment(String),
    /// The end of the file.
    End,
}

impl Kind {
    /// How a diagnostic names the token.
    pub fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Uuid(uuid) => format!("`{uuid}`"),
            Self::Quoted(text) => format!("\"{text}\""),
            Self::Punct(c) => format!("`{c}`"),
            Self::Doc(_) => "a documentation line".to_owned(),
            Self::Comment(_) => "a comment".to_owned(),
            Self::End => "the end of the file".to_owned(),
        }
    }
}

/// A token with its place.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub span: Span,
    /// Nothing but blanks stands before it in its line.
    pub first_on_line: bool,
    /// An empty line stands before it.
    pub blank_before: bool,
}

/// All tokens of a text, the last of them [`Kind::End`]; bytes that begin no token are reported and skipped.
pub fn lex(file: FileId, text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut tokens = Vec::new();
    let mut diagnostics = Vec::new();
    let mut rest = text;
    let mut newlines = 1_usize;
    loop {
        let blank_len = rest.len() - rest.trim_start().len();
        let (blank, after) = rest.split_at_checked(blank_len).unwrap_or(("", rest));
        newlines += blank.matches('\n').count();
        rest = after;
        let start = offset(text, rest);
        if rest.is_empty() {
            let span = Span {
                file,
                start,
                end: start,
            };
            tokens.push(Token {
                kind: Kind::End,
                span,
                first_on_line: true,
                blank_before: newlines > 1,
            });
            return (tokens, diagnostics);
        }
        match token(rest) {
            Ok((after, kind)) => {
                rest = after;
                let span = Span {
                    file,
                    start,
                    end: offset(text, rest),
                };
                let blank_before = newlines > 1 && !tokens.is_empty();
                tokens.push(Token {
                    kind,
                    span,
                    first_on_line: newlines > 0,
                    blank_before,
                });
            }
            Err(_) => rest = bad_token(file, text, rest, &mut diagnostics),
        }
        newlines = 0;
    }
}

fn offset(text: &str, rest: &str) -> u32 {
    u32::try_from(text.len() - rest.len()).unwrap_or(u32::MAX)
}

/// Reports what stands at `rest` and returns what follows it.
fn bad_token<'a>(
    file: FileId,
    text: &str,
    rest: &'a str,
    diagnostics: &mut Vec<Diagnostic>,
) -> &'a str {
    let start = offset(text, rest);
    let mut chars = rest.chars();
    let first = chars.next().unwrap_or(' ');
    if first == '"' || first == '\'' {
        let end = rest.find('\n').unwrap_or(rest.len());
        let after = rest.get(end..).unwrap_or("");
        let span = Span {
            file,
            start,
            end: offset(text, after),
        };
        diagnostics.push(
            Diagnostic::error(
                codes::S0002,
                span,
                "the text is not closed before the end of the line",
            )
            .label(format!("opened by {first} here"))
            .help(format!(
                "close it with {first}; a quote inside is written twice"
            )),
        );
        return after;
    }
    let after = chars.as_str();
    let span = Span {
        file,
        start,
        end: offset(text, after),
    };
    let diagnostic = Diagnostic::error(
        codes::S0001,
        span,
        format!("the character {first:?} begins nothing here"),
    );
    diagnostics.push(match first {
        ';' => diagnostic.help("lines end without a semicolon; remove it"),
        '#' | '-' => diagnostic.help("comments begin with `//`, documentation with `///`"),
        '/' => diagnostic.help(
            "comments begin with `//`, documentation with `///`; there are no block comments",
        ),
        _ => diagnostic.help("remove it"),
    });
    after
}

fn token(input: &str) -> IResult<&str, Kind> {
    alt((
        documentation,
        comment,
        map(uuid, |text: &str| Kind::Uuid(text.to_owned())),
        number,
        map(word, |text: &str| Kind::Word(text.to_owned())),
        map(quoted('"'), Kind::Quoted),
        map(quoted('\''), Kind::Quoted),
        map(one_of("{}()<>,=?:.@"), Kind::Punct),
    ))
    .parse(input)
}

/// `///` opens documentation, `////` an ordinary comment that draws a line.
fn documentation(input: &str) -> IResult<&str, Kind> {
    let (rest, _) = (tag("///"), nom::combinator::not(char('/'))).parse(input)?;
    let (rest, text) = to_line_end(rest)?;
    let text = text.strip_prefix(' ').unwrap_or(text).trim_end();
    Ok((rest, Kind::Doc(text.to_owned())))
}

fn comment(input: &str) -> IResult<&str, Kind> {
    let (rest, text) = recognize(pair(tag("//"), to_line_end)).parse(input)?;
    Ok((rest, Kind::Comment(text.trim_end().to_owned())))
}

fn to_line_end(input: &str) -> IResult<&str, &str> {
    take_while(|c| c != '\n').parse(input)
}

fn word(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_alphanumeric() || c == '_' || c == '$').parse(input)
}

fn number(input: &str) -> IResult<&str, Kind> {
    let unit = take_while(|c: char| c.is_ascii_alphabetic());
    let mut digits = recognize((opt(char('-')), digit1, opt(pair(char('.'), digit1)), unit));
    let (rest, text) = digits.parse(input)?;
    // `2nd_value` is a bad name, not a number with a unit.
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return map(word, |text: &str| Kind::Word(text.to_owned())).parse(input);
    }
    Ok((rest, Kind::Number(text.to_owned())))
}

fn uuid(input: &str) -> IResult<&str, &str> {
    let hex = |count| take_while_m_n(count, count, |c: char| c.is_ascii_hexdigit());
    let group = |count| preceded(char('-'), hex(count));
    recognize((hex(8), group(4), group(4), group(4), group(12))).parse(input)
}

/// Text between two equal quotes; a doubled quote stands for one.
fn quoted<'a>(
    quote: char,
) -> impl Parser<&'a str, Output = String, Error = nom::error::Error<&'a str>> {
    let doubled = match quote {
        '"' => "\"\"",
        _ => "''",
    };
    let plain = map(take_while1(move |c| c != quote && c != '\n'), str::to_owned);
    let piece = alt((plain, value(quote.to_string(), tag(doubled))));
    let pieces = nom::multi::fold_many0(piece, String::new, |mut all: String, piece: String| {
        all.push_str(&piece);
        all
    });
    delimited(char(quote), pieces, char(quote))
}
