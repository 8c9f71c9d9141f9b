//! What breaks between two versions of the tables, and for whom.
//!
//! Each difference is named by the strongest category that it breaks:
//! stored bytes (disk), drivers and operators (wire), code that uses the accessors (API), people (documents).

mod tables;
mod types;

use crate::codes::Code;
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::model::Model;
use crate::source::Span;

/// Who depends on what has changed; the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Bytes already stored.
    Disk,
    /// Drivers and operators.
    Wire,
    /// Code that uses the generated accessors.
    Api,
    /// People.
    Doc,
}

impl Category {
    /// All, the strongest first.
    pub const ALL: [Self; 4] = [Self::Disk, Self::Wire, Self::Api, Self::Doc];

    /// As on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Wire => "wire",
            Self::Api => "api",
            Self::Doc => "doc",
        }
    }

    /// The category whose codes begin so.
    fn of(code: Code) -> Self {
        match code.id.get(..2) {
            Some("B1") => Self::Disk,
            Some("B2") => Self::Wire,
            Some("B3") => Self::Api,
            _ => Self::Doc,
        }
    }
}

/// Compares two models whose spans point into the same sources.
///
/// Findings of `level` and of stronger categories are errors, the others notes.
pub fn compare(old: &Model, new: &Model, level: Category) -> Vec<Diagnostic> {
    let mut findings = Findings {
        level,
        diagnostics: Vec::new(),
    };
    tables::compare(old, new, &mut findings);
    types::compare(old, new, &mut findings);
    diagnostic::sort(&mut findings.diagnostics);
    findings.diagnostics
}

struct Findings {
    level: Category,
    diagnostics: Vec<Diagnostic>,
}

impl Findings {
    /// Adds a difference: where it is now, and where it was before.
    fn add(&mut self, code: Code, now: Option<Span>, before: Option<Span>, message: String) {
        let category = Category::of(code);
        let severity = if category <= self.level {
            Severity::Error
        } else {
            Severity::Note
        };
        let (place, other) = match (now, before) {
            (Some(now), before) => (now, before),
            (None, Some(before)) => (before, None),
            (None, None) => return,
        };
        let label = if now.is_some() { "now" } else { "was here" };
        let message = format!("{}: {message}", category.word().to_uppercase());
        let mut finding = Diagnostic::new(severity, code, place, message).label(label);
        if let Some(other) = other {
            finding = finding.also(other, "before");
        }
        // The last line of an explanation is what to do.
        if let Some(cure) = code.explanation.lines().last() {
            let (first, rest) = cure.split_at_checked(1).unwrap_or(("", cure));
            finding = finding.help(format!(
                "{}{}",
                first.to_lowercase(),
                rest.trim_end_matches('.')
            ));
        }
        self.diagnostics.push(finding);
    }
}
