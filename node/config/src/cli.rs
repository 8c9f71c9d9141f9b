//! Flags, made from the table.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use crate::options::{OptionSpec, TABLE};
use crate::unserved;

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Flags {
    /// The options file.
    pub(crate) file: Option<String>,
    /// Values of options in the table, by name.
    pub(crate) values: Vec<(&'static str, String)>,
    /// Values of options that we know and do not serve.
    pub(crate) unserved: Vec<(&'static str, String)>,
}

/// What came of reading the command line.
#[derive(Debug)]
pub(crate) enum Parsed {
    Flags(Flags),
    /// Something to print, then leave: help or version.
    Print(String),
}

const FILE: &str = "options_file";

/// The command, with every option as a flag.
pub(crate) fn command() -> Command {
    let file = Arg::new(FILE)
        .long("options-file")
        .visible_alias("config")
        .value_name("PATH")
        .help("File with options, as `name: value` lines (YAML)");
    let mut command = Command::new("messina")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Messina, a database that speaks CQL")
        .after_help(
            "A flag wins over the environment variable of its name in capitals (MESSINA_API_PORT), \
             which wins over the file, which wins over the default. No argument at all must do.",
        )
        .arg(file);
    for spec in TABLE {
        command = command.arg(flag(spec));
    }
    for name in unserved::names() {
        let hidden = Arg::new(name)
            .long(name.replace('_', "-"))
            .hide(true)
            .num_args(0..=1);
        command = command.arg(hidden.default_missing_value("true"));
    }
    command
}

fn flag(spec: &'static OptionSpec) -> Arg {
    let mut help = sentence(spec.doc);
    let default = spec.default_text();
    if !default.is_empty() {
        help = format!("{help} [{default}]");
    }
    let mut arg = Arg::new(spec.name)
        .long(spec.flag())
        .value_name(spec.kind)
        .help(help)
        .help_heading(spec.section)
        .action(ArgAction::Set);
    if spec.name.contains('_') {
        arg = arg.alias(spec.name);
    }
    if spec.kind == "true|false" {
        arg = arg.num_args(0..=1).default_missing_value("true");
    }
    arg
}

/// A doc comment as one line.
pub(crate) fn sentence(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads the command line, program name first.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Parsed, String> {
    use clap::error::ErrorKind;
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            return Ok(Parsed::Print(error.to_string()));
        }
        Err(error) => return Err(error.to_string()),
    };
    let given = |name: &'static str| Some((name, matches.get_one::<String>(name)?.clone()));
    Ok(Parsed::Flags(Flags {
        file: matches.get_one::<String>(FILE).cloned(),
        values: TABLE.iter().filter_map(|spec| given(spec.name)).collect(),
        unserved: unserved::names().filter_map(given).collect(),
    }))
}
