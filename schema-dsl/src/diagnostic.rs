//! What is wrong, where, why, and what to do about it; and how that looks on a terminal.

use std::fmt::Write as _;

use crate::codes::Code;
use crate::source::{FileId, SourceFile, Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is generated from input with errors.
    Error,
    /// Probably a mistake; the output is complete.
    Warning,
    /// For information.
    Note,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A marked place with a remark, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark behind the underline.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable; `schema-dsl explain` knows more about it.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop: what is wrong.
    pub message: String,
    /// Where.
    pub primary: Label,
    /// Other places that matter, such as the first of two equal names.
    pub secondary: Vec<Label>,
    /// What to do, each a sentence.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, span, message)
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, span, message)
    }

    /// A finding of the given severity at `span`.
    pub fn new(severity: Severity, code: Code, span: Span, message: impl Into<String>) -> Self {
        let primary = Label {
            span,
            text: String::new(),
        };
        Self {
            code,
            severity,
            message: message.into(),
            primary,
            secondary: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Adds a remark to the marked place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Marks another place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a cure.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds "did you mean" if there is something close.
    #[must_use]
    pub fn did_you_mean(self, suggestion: Option<&str>) -> Self {
        match suggestion {
            Some(suggestion) => self.help(format!("did you mean `{suggestion}`?")),
            None => self,
        }
    }
}

/// Sorts by file, place and code, and drops repetitions.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| {
            (
                d.primary.span.file,
                d.primary.span.start,
                d.code.id,
                d.primary.span.end,
            )
        };
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup();
}

/// Is there an error among them?
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// All findings as text, with a closing line that counts them; empty if there are none.
pub fn render(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        render_one(sources, diagnostic, &mut out);
        out.push('\n');
    }
    if let Some(first) = diagnostics
        .iter()
        .min_by_key(|diagnostic| diagnostic.severity)
    {
        let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .filter_map(|severity| {
                let count = diagnostics
                    .iter()
                    .filter(|diagnostic| diagnostic.severity == severity)
                    .count();
                let plural = if count == 1 { "" } else { "s" };
                (count > 0).then(|| format!("{count} {}{plural}", severity.word()))
            })
            .collect();
        push(
            &mut out,
            &format!(
                "{}; `schema-dsl explain {}` tells more\n",
                counts.join(", "),
                first.code.id
            ),
        );
    }
    out
}

fn render_one(sources: &Sources, diagnostic: &Diagnostic, out: &mut String) {
    push(
        out,
        &format!(
            "{}[{}]: {}\n",
            diagnostic.severity.word(),
            diagnostic.code.id,
            diagnostic.message
        ),
    );
    let labels = || std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
    let gutter = labels()
        .filter_map(|label| {
            Some(
                sources
                    .get(label.span.file)?
                    .line_column(label.span.start)
                    .0,
            )
        })
        .max()
        .unwrap_or(1)
        .to_string()
        .len();

    let mut files: Vec<FileId> = Vec::new();
    for label in labels() {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    for id in files {
        let Some(file) = sources.get(id) else {
            continue;
        };
        let mut here: Vec<(&Label, char)> = labels()
            .zip(std::iter::once('^').chain(std::iter::repeat('-')))
            .filter(|(label, _)| label.span.file == id)
            .collect();
        let anchor = here.first().map_or(0, |(label, _)| label.span.start);
        let arrow = if id == diagnostic.primary.span.file {
            "-->"
        } else {
            ":::"
        };
        let (line, column) = file.line_column(anchor);
        push(
            out,
            &format!("{:gutter$}{arrow} {}:{line}:{column}\n", "", file.name),
        );
        here.sort_by_key(|(label, _)| label.span);
        render_lines(file, &here, gutter, out);
    }
    for help in &diagnostic.help {
        push(out, &format!("{:gutter$} = help: {help}\n", ""));
    }
}

/// The marked lines of one file, each followed by its underlines; a gap between two of them is shown as dots.
fn render_lines(file: &SourceFile, labels: &[(&Label, char)], gutter: usize, out: &mut String) {
    push(out, &format!("{:gutter$} |\n", ""));
    let mut shown = 0;
    for (label, mark) in labels {
        let (line, column) = file.line_column(label.span.start);
        if line != shown {
            if shown != 0 && line > shown.saturating_add(1) {
                push(out, "...\n");
            }
            push(
                out,
                format!("{line:gutter$} | {}", file.line(line).replace('\t', " ")).trim_end(),
            );
            out.push('\n');
            shown = line;
        }
        let text = file.line(line);
        let room = text
            .chars()
            .count()
            .saturating_add(1)
            .saturating_sub(column);
        let length = file
            .text
            .get(label.span.start as usize..label.span.end as usize)
            .map_or(1, |marked| {
                marked.chars().take_while(|c| *c != '\n').count()
            })
            .min(room)
            .max(1);
        let underline: String = std::iter::repeat_n(*mark, length).collect();
        let indent = column.saturating_sub(1);
        let row = format!("{:gutter$} | {:indent$}{underline} {}", "", "", label.text);
        push(out, row.trim_end());
        out.push('\n');
    }
}

fn push(out: &mut String, text: &str) {
    // Writing to a `String` cannot fail.
    let _infallible = out.write_str(text);
}
