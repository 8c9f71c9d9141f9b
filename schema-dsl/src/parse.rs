//! Tokens into [`ast`](crate::ast): a recursive descent that reports an error, skips to the next line, and goes on.
//!
//! An error inside a member loses that member alone; an error in the head of an item loses that item.

mod items;
mod members;

use crate::ast::{File, Margin, Name, Remark, RemarkKind};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lex::{Kind, Token, lex};
use crate::source::{FileId, Span};

/// How deep types and maps may nest.
pub const DEPTH_MAX: usize = 16;

/// The words that open an item.
pub const ITEM_KEYWORDS: [&str; 6] = ["table", "tuple", "enum", "type", "keyspace", "retired"];

/// Parses one file; what could not be understood is missing from the tree and present in the diagnostics.
pub fn parse(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    let (tokens, diagnostics) = lex(file, text);
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut parser = Parser {
        end: Token {
            kind: Kind::End,
            span: Span {
                file,
                start: end,
                end,
            },
            first_on_line: true,
            blank_before: false,
        },
        tokens,
        at: 0,
        hoisted: Vec::new(),
        diagnostics,
    };
    let tree = parser.file();
    (tree, parser.diagnostics)
}

/// The rest of this member or item cannot be understood; it has been reported.
struct Skip;

type Parsed<T> = Result<T, Skip>;

struct Parser {
    tokens: Vec<Token>,
    end: Token,
    at: usize,
    /// Comments found in the middle of the current member; they move before it.
    hoisted: Vec<Remark>,
    diagnostics: Vec<Diagnostic>,
}

impl Parser {
    /// The token at an index, comments and documentation included.
    fn raw(&self, index: usize) -> &Token {
        self.tokens.get(index).unwrap_or(&self.end)
    }

    /// The index of the next token that is no comment.
    fn next_index(&self) -> usize {
        let mut index = self.at;
        while matches!(self.raw(index).kind, Kind::Comment(_)) {
            index += 1;
        }
        index
    }

    /// The next token that is no comment; nothing is consumed.
    fn peek(&self) -> &Token {
        self.raw(self.next_index())
    }

    /// The token `ahead` places behind [`Self::peek`].
    fn peek_ahead(&self, ahead: usize) -> &Token {
        self.raw(self.next_index() + ahead)
    }

    /// Consumes and returns the next token; comments before it go to the margin of the current member.
    fn bump(&mut self) -> Token {
        let index = self.next_index();
        for at in self.at..index {
            let remark = remark(self.raw(at));
            self.hoisted.extend(remark);
        }
        self.at = index + 1;
        self.raw(index).clone()
    }

    fn is_punct(&self, punct: char) -> bool {
        self.peek().kind == Kind::Punct(punct)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(text) if text == word)
    }

    fn eat(&mut self, punct: char) -> Option<Span> {
        self.is_punct(punct).then(|| self.bump().span)
    }

    fn expect(&mut self, punct: char, more: &str, cure: &str) -> Parsed<Span> {
        match self.eat(punct) {
            Some(span) => Ok(span),
            None => self.fail(&format!("expected `{punct}`{more}"), cure),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports that the next token is not what was expected, and what to write.
    fn fail<T>(&mut self, expected: &str, cure: &str) -> Parsed<T> {
        let token = self.peek();
        let (span, found) = (token.span, token.kind.describe());
        let diagnostic = match token.kind {
            Kind::Doc(_) => Diagnostic::error(
                codes::S0007,
                span,
                "documentation in the middle of a declaration",
            )
            .label(expected.to_owned())
            .help("put `///` lines before the declaration, or at the end of its line"),
            _ => Diagnostic::error(codes::S0003, span, format!("{expected}, found {found}"))
                .help(cure),
        };
        self.report(diagnostic);
        Err(Skip)
    }

    fn name(&mut self, what: &str) -> Parsed<Name> {
        match &self.peek().kind {
            Kind::Word(_) | Kind::Quoted(_) => {
                let token = self.bump();
                Ok(match token.kind {
                    Kind::Word(text) => Name {
                        text,
                        quoted: false,
                        span: token.span,
                    },
                    Kind::Quoted(text) => Name {
                        text,
                        quoted: true,
                        span: token.span,
                    },
                    Kind::Number(_)
                    | Kind::Uuid(_)
                    | Kind::Punct(_)
                    | Kind::Doc(_)
                    | Kind::Comment(_)
                    | Kind::End => {
                        return Err(Skip);
                    }
                })
            }
            _ => self.fail(
                &format!("expected {what}"),
                "write a word, or quote what is none: `\"Odd Name\"`",
            ),
        }
    }

    /// The remarks before an item or a member.
    fn margin(&mut self) -> Margin {
        self.hoisted.clear();
        let mut lead = Vec::new();
        while let Some(remark) = remark(self.raw(self.at)) {
            lead.push(remark);
            self.at += 1;
        }
        let blank_before = match lead.first() {
            Some(first) => first.blank_before,
            None => self.raw(self.at).blank_before,
        };
        Margin {
            lead,
            trailing: None,
            blank_before,
        }
    }

    /// Ends an item or member: the remark behind it and the comments that were found in it join its margin.
    fn close(&mut self, margin: &mut Margin) {
        margin.lead.append(&mut self.hoisted);
        if !self.raw(self.at).first_on_line
            && let Some(trailing) = remark(self.raw(self.at))
        {
            margin.trailing = Some(trailing);
            self.at += 1;
        }
    }

    /// Skips the rest of a member that began at token `start`: up to the next line, past the next comma, or up to
    /// the brace that closes the block.
    fn skip_member(&mut self, start: usize) {
        let mut depth = 0_usize;
        loop {
            let token = self.peek();
            let moved = self.next_index() > start;
            match &token.kind {
                Kind::End => return,
                Kind::Punct('{') => depth += 1,
                Kind::Punct('}') if depth == 0 => return,
                Kind::Punct('}') => depth -= 1,
                _ if depth == 0 && moved && token.first_on_line => return,
                Kind::Punct(',') if depth == 0 => {
                    self.bump();
                    return;
                }
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips the rest of an item that began at token `start`, up to where the next one begins.
    fn skip_item(&mut self, start: usize) {
        loop {
            let token = self.peek();
            if self.next_index() > start {
                match &token.kind {
                    Kind::End => return,
                    Kind::Word(_) if token.first_on_line && self.at_item() => return,
                    Kind::Doc(_) if token.first_on_line && self.doc_before_item() => return,
                    _ => {}
                }
            }
            self.bump();
        }
    }

    /// Does an item begin here, by its keyword and what follows?
    fn at_item(&self) -> bool {
        let word = |ahead: usize| match &self.peek_ahead(ahead).kind {
            Kind::Word(word) => Some(word.as_str()),
            _ => None,
        };
        let head_ends = |ahead: usize| match self.peek_ahead(ahead).kind {
            Kind::Punct(punct) => matches!(punct, '.' | '{' | ':'),
            _ => false,
        };
        match word(0) {
            Some("retired") => word(1) == Some("table") && !self.peek_ahead(1).first_on_line,
            Some(keyword) => ITEM_KEYWORDS.contains(&keyword) && word(1).is_some() && head_ends(2),
            None => false,
        }
    }

    fn doc_before_item(&self) -> bool {
        let mut ahead = 0;
        while matches!(self.peek_ahead(ahead).kind, Kind::Doc(_) | Kind::Comment(_)) {
            ahead += 1;
        }
        matches!(&self.peek_ahead(ahead).kind, Kind::Word(word) if ITEM_KEYWORDS.contains(&word.as_str()))
    }
}

fn remark(token: &Token) -> Option<Remark> {
    let (kind, text) = match &token.kind {
        Kind::Doc(text) => (RemarkKind::Doc, text),
        Kind::Comment(text) => (RemarkKind::Comment, text),
        Kind::Word(_)
        | Kind::Number(_)
        | Kind::Uuid(_)
        | Kind::Quoted(_)
        | Kind::Punct(_)
        | Kind::End => return None,
    };
    Some(Remark {
        kind,
        text: text.clone(),
        blank_before: token.blank_before,
        span: token.span,
    })
}
