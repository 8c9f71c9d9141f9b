//! What a build script calls: compile a folder of tables into one Rust file.

use std::path::Path;

use crate::check::compile;
use crate::codegen;
use crate::diagnostic::{has_errors, render};
use crate::source::Sources;

/// What came out.
#[derive(Debug)]
pub struct Output {
    /// The Rust file; none if there were errors.
    pub code: Option<String>,
    /// What to print on standard error, if anything: errors and warnings with their places.
    pub report: String,
    /// The files that were read, to be watched for changes.
    pub inputs: Vec<String>,
}

/// Compiles all `*.tables` below `folder`.
///
/// Diagnostics name files as `shown_as` followed by their path below `folder`, so that an editor finds them from
/// wherever the build was started.
pub fn compile_folder(folder: &Path, shown_as: &str) -> Output {
    let (loaded, mut diagnostics) = Sources::load(&[folder.to_owned()]);
    let mut sources = Sources::new();
    let mut inputs = Vec::new();
    for (_, file) in loaded.iter() {
        let below = Path::new(&file.name)
            .strip_prefix(folder)
            .unwrap_or(Path::new(&file.name));
        inputs.push(file.name.clone());
        sources.add(
            Path::new(shown_as).join(below).display().to_string(),
            file.text.clone(),
        );
    }
    let (model, found) = compile(&sources);
    diagnostics.extend(found);
    let mut code = None;
    if !has_errors(&diagnostics) {
        let (generated, found) = codegen::generate(&model);
        diagnostics.extend(found);
        code = Some(generated);
    }
    let failed = has_errors(&diagnostics);
    Output {
        code: code.filter(|_| !failed),
        report: render(&sources, &diagnostics),
        inputs,
    }
}
