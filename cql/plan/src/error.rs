//! Why a statement cannot be planned or bound, in the words the client reads.

use std::fmt;

use cql_syntax::Span;

/// A refused statement: which error code the client gets, what is wrong, where, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    /// Which error code the client gets.
    pub kind: PlanErrorKind,
    /// What is wrong, naming the object.
    pub message: String,
    /// The place in the statement, if one part of it is at fault.
    pub span: Option<Span>,
    /// How to fix it.
    pub help: Option<String>,
}

/// The error code of a [`PlanError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanErrorKind {
    /// `SYNTAX_ERROR`.
    Syntax,
    /// `INVALID`: the statement makes no sense with this schema or these values.
    Invalid,
    /// `UNAUTHORIZED`: the object belongs to the node.
    Unauthorized,
    /// `PROTOCOL_ERROR`: the request itself is malformed, such as a damaged paging state.
    Protocol,
}

/// How much of the statement a message repeats.
const SHOWN_CHARS: usize = 40;

impl PlanError {
    /// An `INVALID` without a place.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: PlanErrorKind::Invalid,
            message: message.into(),
            span: None,
            help: None,
        }
    }

    /// A feature that the database lacks.
    pub(crate) fn unsupported(what: impl fmt::Display, span: Span) -> Self {
        Self::invalid(format!("{what} is not supported yet"))
            .at(span)
            .help("docs/limits.md lists what is missing")
    }

    /// With another code.
    #[must_use]
    pub(crate) fn kind(mut self, kind: PlanErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// With the place.
    #[must_use]
    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// With the cure.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With `did you mean 'x'?`, if a candidate is close to `word`.
    #[must_use]
    pub(crate) fn did_you_mean<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match cql_types::did_you_mean(word, candidates) {
            Some(near) => self.help(format!("did you mean '{near}'?")),
            None => self,
        }
    }

    /// One line for the client: the message, then the place, then the cure.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        let mut line = self.message.clone();
        if let Some(span) = self.span {
            let position = span.position(text);
            let place = span.text(text);
            let shown: String = place.chars().take(SHOWN_CHARS).collect();
            let more = if shown.len() < place.len() { "..." } else { "" };
            line.push_str(&format!(
                " (line {}:{} '{shown}{more}')",
                position.line, position.column,
            ));
        }
        if let Some(help) = &self.help {
            line.push_str("; ");
            line.push_str(help);
        }
        line
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PlanError {}
