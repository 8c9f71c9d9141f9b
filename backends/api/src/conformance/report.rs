//! What a run of the suite found, as text and as JSON.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::subject::{FaultKind, Subject};
use crate::error::Error;

/// One check of the suite.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, which is also that of the test.
    pub name: &'static str,
    /// The clauses it proves, such as `C9 C17`.
    pub clauses: &'static str,
    pub(super) body: fn(&dyn Subject) -> Result<(), Failure>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.clauses)
    }
}

impl Check {
    /// Runs the check on a fresh subject; a panic is a failure.
    pub fn run(&self, make: &dyn Fn() -> Box<dyn Subject>) -> Outcome {
        let result = catch_unwind(AssertUnwindSafe(|| (self.body)(&*make())));
        let verdict = match result {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(Failure::Skip { needs })) => Verdict::Skipped {
                reason: format!("needs {needs}"),
            },
            Ok(Err(Failure::Broken { reason })) => Verdict::Failed { reason },
            Err(payload) => Verdict::Failed {
                reason: panic_text(&*payload),
            },
        };
        Outcome {
            name: self.name,
            clauses: self.clauses,
            verdict,
        }
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a text"))
}

/// Why a check did not pass.
#[derive(Debug)]
pub enum Failure {
    /// The engine breaks the clause.
    Broken {
        /// What was expected and what happened.
        reason: String,
    },
    /// The check needs something that the subject cannot do.
    Skip {
        /// What is missing.
        needs: &'static str,
    },
}

impl Failure {
    /// A broken clause.
    pub(super) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken {
            reason: reason.into(),
        }
    }

    /// A missing fault.
    pub(super) fn lacks(kind: FaultKind) -> Self {
        Self::Skip { needs: kind.name() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::broken(format!("unexpected error: {error}"))
    }
}

/// Fails the check with a text unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure::broken(format!($($text)+)));
        }
    };
}
pub(super) use ensure;

/// How one check went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The engine keeps the clause, as far as the check can see.
    Passed,
    /// The engine breaks it.
    Failed {
        /// What was expected and what happened.
        reason: String,
    },
    /// The check could not run.
    Skipped {
        /// What is missing.
        reason: String,
    },
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The check.
    pub name: &'static str,
    /// The clauses it proves.
    pub clauses: &'static str,
    /// How it went.
    pub verdict: Verdict,
}

/// What a run of the suite found; `Display` prints it as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name of the engine.
    pub engine: String,
    /// A line for each check.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// True when nothing failed; skipped checks do not count.
    #[must_use]
    pub fn conforms(&self) -> bool {
        let failed = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Failed { .. });
        !self.outcomes.iter().any(failed)
    }

    fn count(&self, wanted: fn(&Verdict) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| wanted(&outcome.verdict))
            .count()
    }

    /// The report as one JSON object: `engine`, `conforms`, `checks` with `name`, `clauses`, `verdict` and `reason`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"engine\":");
        push_json_text(&mut out, &self.engine);
        out.push_str(",\"conforms\":");
        out.push_str(if self.conforms() { "true" } else { "false" });
        out.push_str(",\"checks\":[");
        for (index, outcome) in self.outcomes.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            outcome.push_json(&mut out);
        }
        out.push_str("]}");
        out
    }
}

impl Outcome {
    fn word_and_reason(&self) -> (&'static str, &str) {
        match &self.verdict {
            Verdict::Passed => ("passed", ""),
            Verdict::Failed { reason } => ("failed", reason),
            Verdict::Skipped { reason } => ("skipped", reason),
        }
    }

    fn push_json(&self, out: &mut String) {
        let (word, reason) = self.word_and_reason();
        let fields = [
            ("name", self.name),
            ("clauses", self.clauses),
            ("verdict", word),
            ("reason", reason),
        ];
        out.push('{');
        for (index, (name, text)) in fields.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_json_text(out, name);
            out.push(':');
            push_json_text(out, text);
        }
        out.push('}');
    }
}

fn push_json_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "storage contract, engine {}", self.engine)?;
        for outcome in &self.outcomes {
            let (word, reason) = outcome.word_and_reason();
            write!(f, "  {word:7}  {:8}  {}", outcome.clauses, outcome.name)?;
            if !reason.is_empty() {
                write!(f, ": {reason}")?;
            }
            writeln!(f)?;
        }
        let passed = self.count(|verdict| matches!(verdict, Verdict::Passed));
        let failed = self.count(|verdict| matches!(verdict, Verdict::Failed { .. }));
        let skipped = self.count(|verdict| matches!(verdict, Verdict::Skipped { .. }));
        writeln!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}
