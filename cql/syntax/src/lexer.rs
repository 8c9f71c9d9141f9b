//! Text to tokens.
//!
//! Written by hand, one pass over the bytes, one allocation.
//! Comments and white space vanish; the last token is always [`TokenKind::End`].

use crate::Span;
use crate::error::{Problem, SyntaxError};
use crate::keyword::Keyword;
use crate::token::{Symbol, Token, TokenKind};

/// All tokens of `text`.
pub(crate) fn lex(text: &str) -> Result<Vec<Token>, SyntaxError> {
    if u32::try_from(text.len()).is_err() {
        return Err(SyntaxError::new(Problem::TooLong, Span::default(), text));
    }
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
    };
    // CQL has about one token in five bytes; a short guess costs one more allocation.
    let mut tokens = Vec::with_capacity(text.len() / 4 + 4);
    loop {
        let token = lexer.next()?;
        tokens.push(token);
        if token.kind == TokenKind::End {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn rest(&self, ahead: usize) -> &[u8] {
        self.bytes.get(self.at + ahead..).unwrap_or(&[])
    }

    /// The next token; `self.at` goes behind it.
    fn next(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks()?;
        let start = self.at;
        let (kind, length) = match self.peek(0) {
            None => (TokenKind::End, 0),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word(),
            Some(b'0'..=b'9') => self.number(),
            Some(b'\'') => (TokenKind::String, self.quoted(b'\'', Problem::OpenString)?),
            Some(b'"') => {
                let length = self.quoted(b'"', Problem::OpenName)?;
                if length == 2 {
                    return Err(self.fail(Problem::EmptyName, 2));
                }
                (TokenKind::QuotedName, length)
            }
            Some(b'$') if self.peek(1) == Some(b'$') => match find(self.rest(2), b"$$") {
                Some(inside) => (TokenKind::DollarString, inside + 4),
                None => return Err(self.fail(Problem::OpenDollarString, 2)),
            },
            Some(byte) => self.symbol(byte)?,
        };
        self.at += length;
        Ok(Token {
            kind,
            span: self.span(start, self.at),
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "`lex` refuses texts longer than a u32 can count"
    )]
    fn span(&self, start: usize, end: usize) -> Span {
        debug_assert!(end <= self.bytes.len());
        Span::new(start as u32, end as u32)
    }

    fn fail(&self, problem: Problem, length: usize) -> SyntaxError {
        SyntaxError::new(problem, self.span(self.at, self.at + length), self.text)
    }

    fn skip_blanks(&mut self) -> Result<(), SyntaxError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0c), _) => self.at += 1,
                (Some(b'-'), Some(b'-')) | (Some(b'/'), Some(b'/')) => {
                    let rest = self.rest(0);
                    let line = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    self.at += line.unwrap_or(rest.len());
                }
                (Some(b'/'), Some(b'*')) => match find(self.rest(2), b"*/") {
                    Some(inside) => self.at += inside + 4,
                    None => return Err(self.fail(Problem::OpenComment, 2)),
                },
                _ => return Ok(()),
            }
        }
    }

    /// The length of a quoted text, its quotes included; a doubled quote does not end it.
    fn quoted(&self, quote: u8, open: Problem) -> Result<usize, SyntaxError> {
        let mut length = 1;
        loop {
            let Some(found) = self.rest(length).iter().position(|byte| *byte == quote) else {
                return Err(self.fail(open, 1));
            };
            length += found + 1;
            if self.peek(length) != Some(quote) {
                return Ok(length);
            }
            length += 1;
        }
    }

    fn word(&self) -> (TokenKind, usize) {
        let rest = self.rest(0);
        if let Some(length) = uuid_length(rest) {
            return (TokenKind::Uuid, length);
        }
        let length = word_length(rest);
        let word = rest.get(..length).unwrap_or(&[]);
        if matches!(word.first(), Some(b'p' | b'P')) {
            if let Some(length) = alternative_iso_length(rest) {
                return (TokenKind::Duration, length);
            }
            if is_iso_duration(word) {
                return (TokenKind::Duration, length);
            }
        }
        (TokenKind::Word(Keyword::lookup(word)), length)
    }

    fn number(&self) -> (TokenKind, usize) {
        let rest = self.rest(0);
        if let Some(length) = uuid_length(rest) {
            return (TokenKind::Uuid, length);
        }
        if rest.first() == Some(&b'0') && matches!(rest.get(1), Some(b'x' | b'X')) {
            let digits = count(rest.get(2..), u8::is_ascii_hexdigit);
            return (TokenKind::Blob, digits + 2);
        }
        let mut length = count(Some(rest), u8::is_ascii_digit);
        let mut kind = TokenKind::Integer;
        if rest.get(length) == Some(&b'.') && rest.get(length + 1) != Some(&b'.') {
            kind = TokenKind::Float;
            length += 1 + count(rest.get(length + 1..), u8::is_ascii_digit);
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(length + 1), Some(b'+' | b'-')));
            let digits = count(rest.get(length + 1 + sign..), u8::is_ascii_digit);
            if digits > 0 {
                return (TokenKind::Float, length + 1 + sign + digits);
            }
        }
        if kind == TokenKind::Integer
            && let Some(duration) = unit_duration_length(rest)
        {
            return (TokenKind::Duration, duration);
        }
        (kind, length)
    }

    fn symbol(&self, byte: u8) -> Result<(TokenKind, usize), SyntaxError> {
        let (symbol, length) = match (byte, self.peek(1)) {
            (b'(', _) => (Symbol::LeftParen, 1),
            (b')', _) => (Symbol::RightParen, 1),
            (b'[', _) => (Symbol::LeftBracket, 1),
            (b']', _) => (Symbol::RightBracket, 1),
            (b'{', _) => (Symbol::LeftBrace, 1),
            (b'}', _) => (Symbol::RightBrace, 1),
            (b',', _) => (Symbol::Comma, 1),
            (b';', _) => (Symbol::Semicolon, 1),
            (b':', _) => (Symbol::Colon, 1),
            (b'.', Some(b'.')) => (Symbol::DotDot, 2),
            (b'.', _) => (Symbol::Dot, 1),
            (b'?', _) => (Symbol::Question, 1),
            (b'=', _) => (Symbol::Equal, 1),
            (b'!', Some(b'=')) => (Symbol::NotEqual, 2),
            (b'<', Some(b'=')) => (Symbol::LessOrEqual, 2),
            (b'<', _) => (Symbol::Less, 1),
            (b'>', Some(b'=')) => (Symbol::GreaterOrEqual, 2),
            (b'>', _) => (Symbol::Greater, 1),
            (b'+', Some(b'=')) => (Symbol::PlusEqual, 2),
            (b'+', _) => (Symbol::Plus, 1),
            (b'-', Some(b'=')) => (Symbol::MinusEqual, 2),
            (b'-', _) => (Symbol::Minus, 1),
            (b'*', _) => (Symbol::Star, 1),
            (b'/', _) => (Symbol::Slash, 1),
            (b'%', _) => (Symbol::Percent, 1),
            _ => {
                let rest = self.text.get(self.at..).unwrap_or("");
                let character = rest.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
                let problem = Problem::UnknownCharacter(character);
                return Err(self.fail(problem, character.len_utf8()));
            }
        };
        Ok((TokenKind::Symbol(symbol), length))
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// How many bytes from the start are of a class.
fn count(bytes: Option<&[u8]>, class: fn(&u8) -> bool) -> usize {
    let bytes = bytes.unwrap_or(&[]);
    bytes
        .iter()
        .position(|byte| !class(byte))
        .unwrap_or(bytes.len())
}

fn word_length(bytes: &[u8]) -> usize {
    count(Some(bytes), |byte| {
        byte.is_ascii_alphanumeric() || *byte == b'_'
    })
}

/// `Some(36)` if the bytes start with a uuid.
fn uuid_length(bytes: &[u8]) -> Option<usize> {
    const LENGTH: usize = 36;
    if bytes.get(8) != Some(&b'-') {
        return None;
    }
    let candidate = bytes.get(..LENGTH)?;
    let well_formed = candidate.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let ends = bytes.get(LENGTH).is_none_or(|b| !b.is_ascii_alphanumeric());
    (well_formed && ends).then_some(LENGTH)
}

/// The length of `1y2mo3w4d5h6m7s8ms9us10ns`, if the bytes start with one and no letter follows it.
fn unit_duration_length(bytes: &[u8]) -> Option<usize> {
    // Longer units first where one starts with another.
    const UNITS: [&[u8]; 12] = [
        b"mo",
        b"ms",
        b"us",
        b"ns",
        "\u{b5}s".as_bytes(),
        "\u{3bc}s".as_bytes(),
        b"y",
        b"w",
        b"d",
        b"h",
        b"m",
        b"s",
    ];
    let mut length = 0;
    loop {
        let digits = count(bytes.get(length..), u8::is_ascii_digit);
        if digits == 0 {
            break;
        }
        let rest = bytes.get(length + digits..)?;
        let starts = |unit: &&&[u8]| {
            rest.get(..unit.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(unit))
        };
        length += digits + UNITS.iter().find(starts)?.len();
    }
    let ends = bytes
        .get(length)
        .is_none_or(|byte| !byte.is_ascii_alphabetic() && *byte != b'_');
    (length > 0 && ends).then_some(length)
}

/// Whether the whole word is `P3W` or of the form `P1Y2M3DT4H5M6S`.
pub(crate) fn is_iso_duration(word: &[u8]) -> bool {
    let Some((b'p' | b'P', mut rest)) = word.split_first() else {
        return false;
    };
    let mut units: &[u8] = b"ymd";
    let mut any = false;
    if let [digits @ .., b'w' | b'W'] = rest {
        return !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    }
    while let Some(first) = rest.first() {
        if matches!(first, b't' | b'T') && units != b"hms" && !units.starts_with(b"ms") {
            units = b"hms";
            rest = rest.get(1..).unwrap_or(&[]);
            if rest.is_empty() {
                return false;
            }
            continue;
        }
        let digits = count(Some(rest), u8::is_ascii_digit);
        let unit = rest.get(digits).map(u8::to_ascii_lowercase);
        let Some(place) = units.iter().position(|known| Some(*known) == unit) else {
            return false;
        };
        if digits == 0 {
            return false;
        }
        any = true;
        units = units.get(place + 1..).unwrap_or(&[]);
        rest = rest.get(digits + 1..).unwrap_or(&[]);
    }
    any
}

/// The length of `P0001-02-03T04:05:06`, if the bytes start with one.
fn alternative_iso_length(bytes: &[u8]) -> Option<usize> {
    const FORM: &[u8] = b"P0000-00-00T00:00:00";
    let candidate = bytes.get(..FORM.len())?;
    let fits = candidate.iter().zip(FORM).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        other => byte.eq_ignore_ascii_case(other),
    });
    let ends = bytes
        .get(FORM.len())
        .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    (fits && ends).then_some(FORM.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let tokens = lex(text).unwrap();
        let show = |token: &Token| match token.kind {
            TokenKind::Word(None) => format!("word {}", token.span.text(text)),
            TokenKind::Word(Some(keyword)) => keyword.word().to_owned(),
            TokenKind::Symbol(symbol) => symbol.text().to_owned(),
            kind => format!("{kind:?} {}", token.span.text(text)),
        };
        tokens.iter().take(tokens.len() - 1).map(show).collect()
    }

    #[test]
    fn numbers() {
        assert_eq!(
            texts("1 1. 1.5 1e3 1.5E-3 1..3 0xcafe 0x 1AND 1d 1d2 12h30m 1mo 5\u{b5}s 1y2mo"),
            [
                "Integer 1",
                "Float 1.",
                "Float 1.5",
                "Float 1e3",
                "Float 1.5E-3",
                "Integer 1",
                "..",
                "Integer 3",
                "Blob 0xcafe",
                "Blob 0x",
                "Integer 1",
                "AND",
                "Duration 1d",
                "Integer 1",
                "word d2",
                "Duration 12h30m",
                "Duration 1mo",
                "Duration 5\u{b5}s",
                "Duration 1y2mo",
            ]
        );
    }

    #[test]
    fn uuids_and_iso_durations() {
        assert_eq!(
            texts(
                "123e4567-e89b-12d3-a456-426614174000 cafe4567-e89b-12d3-a456-426614174000 \
                 P1Y p3w PT1H P0001-02-03T04:05:06 p point P1 PT P1YT P1H"
            ),
            [
                "Uuid 123e4567-e89b-12d3-a456-426614174000",
                "Uuid cafe4567-e89b-12d3-a456-426614174000",
                "Duration P1Y",
                "Duration p3w",
                "Duration PT1H",
                "Duration P0001-02-03T04:05:06",
                "word p",
                "word point",
                "word P1",
                "word PT",
                "word P1YT",
                "word P1H",
            ]
        );
    }

    #[test]
    fn strings_names_and_comments() {
        assert_eq!(
            texts("'it''s' $$a'b$$ \"x\"\"y\" -- c\n // d\n a /* e */ - b/c '' $$$$"),
            [
                "String 'it''s'",
                "DollarString $$a'b$$",
                "QuotedName \"x\"\"y\"",
                "word a",
                "-",
                "word b",
                "/",
                "word c",
                "String ''",
                "DollarString $$$$",
            ]
        );
    }

    #[test]
    fn operators() {
        assert_eq!(
            texts("a<=b>=c!=d+=e-=f").join(" "),
            "word a <= word b >= word c != word d += word e -= word f"
        );
    }
}
