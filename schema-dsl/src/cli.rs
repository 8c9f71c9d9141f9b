//! The command line, as a function from arguments to text and an exit status.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::breaking::{self, Category};
use crate::check::compile;
use crate::codes;
use crate::diagnostic::{Diagnostic, has_errors, render};
use crate::model::Model;
use crate::source::{FileId, Sources};
use crate::suggest::closest;
use crate::{codegen, cql, doc, fmt, graph, import, parse};

/// What `schema-dsl help` says.
const HELP: &str = "\
schema-dsl: a compiler for table descriptions

usage: schema-dsl COMMAND [PATH...]      a path is a `.tables` file or a folder that holds some

  check PATH...                          find mistakes; also prints the ids of the tables with --ids
  fmt [--check] PATH...                  write files in the one layout, or only say which are not
  doc PATH...                            Markdown of all tables
  cql PATH...                            CREATE statements of all tables
  graph PATH...                          which table refers to which, in the DOT language
  rust PATH...                           the generated Rust code
  import FILE                            tables from what DESCRIBE prints
  breaking --against OLD [--level L] PATH...
                                         what breaks for those who have OLD; L is disk, wire (default), api or doc
  explain CODE                           more about a diagnostic, such as S0107

exit status: 0 all is well, 1 something was found, 2 the command line is wrong or a file cannot be read or written
";

const COMMANDS: [&str; 10] = [
    "check", "fmt", "doc", "cql", "graph", "rust", "import", "breaking", "explain", "help",
];

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to complain about.
    Fine,
    /// Errors in the input, files not in layout, breaking changes.
    Found,
    /// Nothing was done, because the command line or a file makes it impossible.
    Impossible,
}

impl Outcome {
    /// The exit status of the process.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Found => 1,
            Self::Impossible => 2,
        }
    }

    fn of(diagnostics: &[Diagnostic]) -> Self {
        if has_errors(diagnostics) {
            Self::Found
        } else {
            Self::Fine
        }
    }
}

/// Runs one command; results go to `out`, diagnostics to `problems`.
///
/// # Errors
/// Only if `out` or `problems` cannot be written.
pub fn run(
    arguments: &[String],
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some((command, rest)) = arguments.split_first() else {
        problems.write_all(HELP.as_bytes())?;
        return Ok(Outcome::Impossible);
    };
    let parsed = match Arguments::parse(command, rest) {
        Ok(parsed) => parsed,
        Err(message) => {
            writeln!(problems, "error: {message}")?;
            writeln!(problems, "`schema-dsl help` shows all commands")?;
            return Ok(Outcome::Impossible);
        }
    };
    match command.as_str() {
        "check" => check(&parsed, out, problems),
        "fmt" => format(&parsed, out, problems),
        "doc" => print_model(&parsed, out, problems, |model| {
            (doc::markdown(model), Vec::new())
        }),
        "cql" => print_model(&parsed, out, problems, |model| {
            (cql::statements(model), Vec::new())
        }),
        "graph" => print_model(&parsed, out, problems, |model| {
            (graph::dot(model), Vec::new())
        }),
        "rust" => print_model(&parsed, out, problems, codegen::generate),
        "import" => import_file(&parsed, out, problems),
        "breaking" => compare(&parsed, out, problems),
        "explain" => explain(&parsed, out, problems),
        _ => {
            out.write_all(HELP.as_bytes())?;
            Ok(Outcome::Fine)
        }
    }
}

/// What stood behind the command.
struct Arguments {
    paths: Vec<PathBuf>,
    against: Option<PathBuf>,
    level: Category,
    only_check: bool,
    ids: bool,
}

impl Arguments {
    fn parse(command: &str, rest: &[String]) -> Result<Self, String> {
        if !COMMANDS.contains(&command) && !matches!(command, "--help" | "-h") {
            let suggestion =
                closest(command, COMMANDS).map(|known| format!("; did you mean `{known}`?"));
            return Err(format!(
                "there is no command `{command}`{}",
                suggestion.unwrap_or_default()
            ));
        }
        let mut parsed = Self {
            paths: Vec::new(),
            against: None,
            level: Category::Wire,
            only_check: false,
            ids: false,
        };
        let mut rest = rest.iter();
        while let Some(argument) = rest.next() {
            match (command, argument.as_str()) {
                ("fmt", "--check") => parsed.only_check = true,
                ("check", "--ids") => parsed.ids = true,
                ("breaking", "--against") => {
                    parsed.against = Some(
                        rest.next()
                            .ok_or("`--against` needs a folder or file")?
                            .into(),
                    );
                }
                ("breaking", "--level") => {
                    let word = rest
                        .next()
                        .ok_or("`--level` needs disk, wire, api or doc")?;
                    parsed.level = Category::ALL
                        .into_iter()
                        .find(|category| category.word() == word.as_str())
                        .ok_or_else(|| {
                            format!(
                                "there is no level `{word}`; levels are disk, wire, api and doc"
                            )
                        })?;
                }
                (_, option) if option.starts_with('-') => {
                    return Err(format!("`{command}` has no option `{option}`"));
                }
                (_, path) => parsed.paths.push(path.into()),
            }
        }
        match (command, parsed.paths.len()) {
            ("help" | "--help" | "-h", _) => {}
            ("explain", 1) => {}
            ("explain", _) => return Err("`explain` needs one code, such as S0107".to_owned()),
            ("import", 1) => {}
            ("import", _) => return Err("`import` needs one file".to_owned()),
            (_, 0) => return Err(format!("`{command}` needs a file or a folder")),
            _ => {}
        }
        if command == "breaking" && parsed.against.is_none() {
            return Err("`breaking` needs `--against` with the old tables".to_owned());
        }
        Ok(parsed)
    }
}

fn check(
    arguments: &Arguments,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<Outcome> {
    let (sources, mut diagnostics) = Sources::load(&arguments.paths);
    let (model, found) = compile(&sources);
    diagnostics.extend(found);
    problems.write_all(render(&sources, &diagnostics).as_bytes())?;
    if arguments.ids {
        for table in &model.tables {
            writeln!(out, "{} {}", table.id, table.full_name())?;
        }
    }
    if diagnostics.is_empty() {
        writeln!(
            out,
            "{} tables in {} files, nothing to complain about",
            model.tables.len(),
            sources.len()
        )?;
    }
    Ok(Outcome::of(&diagnostics))
}

/// Reads and checks, then prints what `make` makes of the model, unless there are errors.
fn print_model(
    arguments: &Arguments,
    out: &mut dyn Write,
    problems: &mut dyn Write,
    make: fn(&Model) -> (String, Vec<Diagnostic>),
) -> io::Result<Outcome> {
    let (sources, mut diagnostics) = Sources::load(&arguments.paths);
    let (model, found) = compile(&sources);
    diagnostics.extend(found);
    if !has_errors(&diagnostics) {
        let (text, found) = make(&model);
        diagnostics.extend(found);
        if !has_errors(&diagnostics) {
            out.write_all(text.as_bytes())?;
        }
    }
    problems.write_all(render(&sources, &diagnostics).as_bytes())?;
    Ok(Outcome::of(&diagnostics))
}

fn format(
    arguments: &Arguments,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<Outcome> {
    let (sources, mut diagnostics) = Sources::load(&arguments.paths);
    let mut outcome = Outcome::Fine;
    for (id, file) in sources.iter() {
        let (tree, found) = parse::parse(id, &file.text);
        let broken = has_errors(&found)
            || diagnostics
                .iter()
                .any(|known| known.primary.span.file == id);
        diagnostics.extend(found);
        if broken {
            continue;
        }
        let text = fmt::format(&tree);
        if text == file.text {
            continue;
        }
        if arguments.only_check {
            writeln!(
                out,
                "{} is not formatted; run `schema-dsl fmt {}`",
                file.name, file.name
            )?;
            outcome = Outcome::Found;
            continue;
        }
        match write_file(&file.name, &text) {
            Ok(()) => writeln!(out, "formatted {}", file.name)?,
            Err(error) => {
                writeln!(problems, "error: cannot write {}: {error}", file.name)?;
                outcome = Outcome::Impossible;
            }
        }
    }
    problems.write_all(render(&sources, &diagnostics).as_bytes())?;
    Ok(match has_errors(&diagnostics) {
        true => Outcome::Found,
        false => outcome,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the formatter rewrites the sources of its user, who keeps versions"
)]
fn write_file(path: &str, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

fn import_file(
    arguments: &Arguments,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<Outcome> {
    let (sources, mut diagnostics) = Sources::load(&arguments.paths);
    for (id, file) in sources.iter() {
        let (text, found) = import::import(id, &file.text);
        diagnostics.extend(found);
        out.write_all(text.as_bytes())?;
    }
    problems.write_all(render(&sources, &diagnostics).as_bytes())?;
    Ok(Outcome::of(&diagnostics))
}

fn compare(
    arguments: &Arguments,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<Outcome> {
    let old_paths: Vec<PathBuf> = arguments.against.iter().cloned().collect();
    let (old_sources, old_found) = Sources::load(&old_paths);
    let (new_sources, new_found) = Sources::load(&arguments.paths);
    // One set of sources, so that a finding can point into both versions.
    let mut sources = Sources::new();
    let mut side = |loaded: &Sources| {
        let mut ids: Vec<FileId> = Vec::new();
        for (_, file) in loaded.iter() {
            ids.push(sources.add(file.name.clone(), file.text.clone()));
        }
        ids
    };
    let (new_ids, old_ids) = (side(&new_sources), side(&old_sources));
    let unreadable = |loaded: &Sources, found: Vec<Diagnostic>| {
        (!found.is_empty()).then(|| render(loaded, &found))
    };
    let reports = [
        unreadable(&old_sources, old_found),
        unreadable(&new_sources, new_found),
    ];
    for report in reports.iter().flatten() {
        problems.write_all(report.as_bytes())?;
    }
    if reports.iter().any(Option::is_some) {
        return Ok(Outcome::Impossible);
    }
    let model = |ids: &[FileId]| {
        let mut diagnostics = Vec::new();
        let mut files = Vec::new();
        for id in ids {
            let text = sources.get(*id).map_or("", |file| file.text.as_str());
            let (tree, found) = parse::parse(*id, text);
            diagnostics.extend(found);
            files.push(tree);
        }
        let (model, found) = crate::check::check(&files);
        diagnostics.extend(
            found
                .into_iter()
                .filter(|found| found.severity == crate::Severity::Error),
        );
        crate::diagnostic::sort(&mut diagnostics);
        (model, diagnostics)
    };
    let ((old, old_errors), (new, new_errors)) = (model(&old_ids), model(&new_ids));
    if has_errors(&old_errors) || has_errors(&new_errors) {
        problems.write_all(render(&sources, &[new_errors, old_errors].concat()).as_bytes())?;
        return Ok(Outcome::Impossible);
    }
    let findings = breaking::compare(&old, &new, arguments.level);
    problems.write_all(render(&sources, &findings).as_bytes())?;
    if findings.is_empty() {
        writeln!(out, "nothing breaks")?;
    }
    Ok(Outcome::of(&findings))
}

fn explain(
    arguments: &Arguments,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<Outcome> {
    let id = arguments
        .paths
        .first()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    match codes::find(&id) {
        Some(code) => {
            writeln!(out, "{}: {}\n\n{}", code.id, code.title, code.explanation)?;
            Ok(Outcome::Fine)
        }
        None => {
            let suggestion = closest(&id, codes::ALL.iter().map(|code| code.id));
            let help = suggestion
                .map(|known| format!("; did you mean `{known}`?"))
                .unwrap_or_default();
            writeln!(problems, "error: there is no code `{id}`{help}")?;
            Ok(Outcome::Impossible)
        }
    }
}
