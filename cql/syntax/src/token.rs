//! Tokens: what the grammar reads.

use crate::Span;
use crate::keyword::Keyword;

/// The smallest piece of text with a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The kinds of [`Token`]. What a token says beyond its kind is in the text of its span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    /// An unquoted word; a keyword if the grammar knows it.
    Word(Option<Keyword>),
    /// `"name"`
    QuotedName,
    /// `'text'`
    String,
    /// `$$text$$`
    DollarString,
    Integer,
    Float,
    Uuid,
    /// `0x...`
    Blob,
    Duration,
    Symbol(Symbol),
    /// Behind the last token.
    End,
}

/// Punctuation and operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Symbol {
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Comma,
    Semicolon,
    Colon,
    Dot,
    DotDot,
    Question,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    PlusEqual,
    MinusEqual,
    Star,
    Slash,
    Percent,
}

impl Symbol {
    /// Its spelling.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::LeftParen => "(",
            Self::RightParen => ")",
            Self::LeftBracket => "[",
            Self::RightBracket => "]",
            Self::LeftBrace => "{",
            Self::RightBrace => "}",
            Self::Comma => ",",
            Self::Semicolon => ";",
            Self::Colon => ":",
            Self::Dot => ".",
            Self::DotDot => "..",
            Self::Question => "?",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::PlusEqual => "+=",
            Self::MinusEqual => "-=",
            Self::Star => "*",
            Self::Slash => "/",
            Self::Percent => "%",
        }
    }
}
