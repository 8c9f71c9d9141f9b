//! What a file says into what it means; every rule of the language that is not grammar stands here.
//!
//! Declarations of all files are collected first, so that their order, and the file they stand in, do not matter.

mod resolve;
mod tables;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{self, Item, Margin, Name};
use crate::codes;
use crate::diagnostic::{self, Diagnostic};
use crate::model::{Keyspace, Model, RetiredTable};
use crate::names;
use crate::options;
use crate::parse;
use crate::source::{Sources, Span};
use crate::suggest::closest;
pub(crate) use tables::order_word;
use types::TypeKind;

/// Parses and checks all files; the model holds everything that could be understood.
pub fn compile(sources: &Sources) -> (Model, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut files = Vec::with_capacity(sources.len());
    for (id, file) in sources.iter() {
        let (tree, found) = parse::parse(id, &file.text);
        diagnostics.extend(found);
        files.push(tree);
    }
    let (model, found) = check(&files);
    diagnostics.extend(found);
    diagnostic::sort(&mut diagnostics);
    (model, diagnostics)
}

/// Checks parsed files together.
pub fn check(files: &[ast::File]) -> (Model, Vec<Diagnostic>) {
    let items: Vec<&Item> = files.iter().flat_map(|file| &file.items).collect();
    let mut checker = Checker::default();
    checker.collect_types(&items);
    checker.keyspaces(&items);
    checker.types(&items);
    checker.retired_tables(&items);
    for item in &items {
        if let Item::Table(table) = item {
            checker.table(table);
        }
    }
    checker.unused_types();
    (checker.model, checker.diagnostics)
}

/// A tuple and enum name, or the keyspace and name of a user-defined type.
type TypeName = (Option<String>, String);

#[derive(Default)]
struct Checker {
    model: Model,
    diagnostics: Vec<Diagnostic>,
    declared: BTreeMap<TypeName, (TypeKind, Span)>,
    used: BTreeSet<TypeName>,
    /// Places of tables by the names of their modules in Rust.
    rust_names: BTreeMap<(String, String), usize>,
}

impl Checker {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A name of CQL: an unquoted one has no capitals, since CQL would not keep them.
    fn cql_name(&mut self, name: &Name, what: &str) {
        if name.text.is_empty() {
            let message = format!("the name of {what} is empty");
            self.report(Diagnostic::error(codes::S0112, name.span, message).help("give it a name"));
        } else if !name.quoted && !names::is_plain(&name.text) {
            let lower = name.text.to_lowercase();
            let help = match names::is_plain(&lower) {
                true => format!(
                    "write `{lower}`, or `\"{}\"` if the name must be so",
                    name.text
                ),
                false => format!(
                    "names are letters, digits and `_`; any other stands in quotes: `\"{}\"`",
                    name.text
                ),
            };
            let message = format!("CQL does not read `{}` as it is written", name.text);
            self.report(Diagnostic::error(codes::S0008, name.span, message).help(help));
        }
    }

    fn short_name(&mut self, name: &Name, what: &str) {
        self.cql_name(name, what);
        if name.text.len() > names::NAME_BYTES_MAX {
            let message = format!(
                "the name of {what} is longer than {} bytes",
                names::NAME_BYTES_MAX
            );
            self.report(Diagnostic::error(codes::S0112, name.span, message).help("shorten it"));
        }
    }

    /// Reports names that are declared twice, and different names that are equal in Rust.
    fn distinct(
        &mut self,
        code: codes::Code,
        what: &str,
        names: &[&Name],
        rust: fn(&str) -> String,
    ) {
        let mut seen: BTreeMap<String, &Name> = BTreeMap::new();
        for name in names {
            let Some(first) = seen.insert(rust(&name.text), name) else {
                continue;
            };
            let diagnostic = if first.text == name.text {
                Diagnostic::error(
                    code,
                    name.span,
                    format!("{what} `{}` is declared twice", name.text),
                )
                .help("remove one of them, or rename it")
            } else {
                let message = format!(
                    "`{}` and `{}` have the same name in Rust",
                    first.text, name.text
                );
                Diagnostic::error(codes::S0108, name.span, message).help("rename one of them")
            };
            self.report(
                diagnostic
                    .label("and again here")
                    .also(first.span, "first here"),
            );
        }
    }

    fn keyspaces(&mut self, items: &[&Item]) {
        for item in items {
            let Item::Keyspace(keyspace) = item else {
                continue;
            };
            self.short_name(&keyspace.name, "a keyspace");
            if let Some(first) = self
                .model
                .keyspaces
                .iter()
                .find(|other| other.name == keyspace.name.text)
            {
                let message = format!("the keyspace `{}` is declared twice", keyspace.name.text);
                let diagnostic = Diagnostic::error(codes::S0106, keyspace.name.span, message)
                    .label("and again here")
                    .also(first.span, "first here")
                    .help("remove one of them");
                self.report(diagnostic);
                continue;
            }
            let keyspace = self.keyspace(keyspace);
            self.model.keyspaces.push(keyspace);
        }
    }

    fn keyspace(&mut self, keyspace: &ast::Keyspace) -> Keyspace {
        const SETTINGS: [&str; 2] = ["replication", "durable_writes"];
        let class = |class: &str| BTreeMap::from([("class".to_owned(), class.to_owned())]);
        let mut replication = None;
        let mut durable_writes = true;
        for setting in &keyspace.block.members {
            let expected = match (setting.name.text.as_str(), &setting.value) {
                ("replication", ast::Value::Word(word)) if word.text == "local" => {
                    replication = Some(class("LocalStrategy"));
                    continue;
                }
                ("replication", ast::Value::Word(word)) if word.text == "everywhere" => {
                    replication = Some(class("EverywhereStrategy"));
                    continue;
                }
                ("replication", ast::Value::Map(entries, _)) => match options::flat(entries) {
                    Ok(entries) if entries.iter().any(|(key, _)| key == "class") => {
                        replication = Some(entries.into_iter().collect());
                        continue;
                    }
                    Ok(_) | Err(_) => "a map with a `class`",
                },
                ("replication", _) => "`local`, `everywhere` or a map with a `class`",
                ("durable_writes", ast::Value::Word(word))
                    if word.text == "true" || word.text == "false" =>
                {
                    durable_writes = word.text == "true";
                    continue;
                }
                ("durable_writes", _) => "`true` or `false`",
                (unknown, _) => {
                    let message = format!("a keyspace has no `{unknown}`");
                    let diagnostic = Diagnostic::error(codes::S0207, setting.name.span, message)
                        .did_you_mean(closest(unknown, SETTINGS))
                        .help("a keyspace has `replication` and `durable_writes`");
                    self.report(diagnostic);
                    continue;
                }
            };
            let message = format!("`{}` does not take this value", setting.name.text);
            self.report(
                Diagnostic::error(codes::S0208, setting.value.span(), message)
                    .help(format!("write {expected}")),
            );
        }
        if replication.is_none()
            && keyspace
                .block
                .members
                .iter()
                .all(|setting| setting.name.text != "replication")
        {
            let message = format!("the keyspace `{}` has no replication", keyspace.name.text);
            let diagnostic = Diagnostic::error(codes::S0208, keyspace.name.span, message)
                .help("write `replication = local`, or a map with a `class`");
            self.report(diagnostic);
        }
        Keyspace {
            name: keyspace.name.text.clone(),
            doc: keyspace.margin.doc(),
            replication: replication.unwrap_or_default(),
            durable_writes,
            span: keyspace.name.span,
        }
    }

    /// Once a keyspace is declared, all must be, so that a typo in one is found.
    fn known_keyspace(&mut self, name: &Name) {
        let declared: Vec<&str> = self
            .model
            .keyspaces
            .iter()
            .map(|keyspace| keyspace.name.as_str())
            .collect();
        if declared.is_empty() || declared.contains(&name.text.as_str()) {
            return;
        }
        let suggestion = closest(&name.text, declared.iter().copied());
        let diagnostic = Diagnostic::error(
            codes::S0111,
            name.span,
            format!("the keyspace `{}` is unknown", name.text),
        )
        .did_you_mean(suggestion)
        .help(format!(
            "or declare it: `keyspace {} {{ replication = local }}`",
            names::dsl(&name.text)
        ));
        self.report(diagnostic);
    }

    fn retired_tables(&mut self, items: &[&Item]) {
        for item in items {
            if let Item::RetiredTable(table) = item {
                self.model.retired_tables.push(RetiredTable {
                    keyspace: table.name.keyspace.text.clone(),
                    name: table.name.name.text.clone(),
                    span: table.name.span(),
                });
            }
        }
    }

    fn unused_types(&mut self) {
        let unused: Vec<(String, TypeKind, Span)> = self
            .declared
            .iter()
            .filter(|(name, (kind, _))| !self.used.contains(*name) && *kind != TypeKind::User)
            .map(|((_, name), (kind, span))| (name.clone(), *kind, *span))
            .collect();
        for (name, kind, span) in unused {
            let message = format!("the {} `{name}` is used nowhere", kind.word());
            self.report(
                Diagnostic::warning(codes::S0312, span, message)
                    .help("use it in a column, or remove it"),
            );
        }
    }

    fn doc(&mut self, margin: &Margin, span: Span, what: &str) -> String {
        let doc = margin.doc();
        if doc.trim().is_empty() {
            let diagnostic = Diagnostic::warning(
                codes::S0214,
                span,
                format!("{what} has no documentation"),
            )
            .help("say in `///` lines before it what a row is, who writes it and who reads it");
            self.report(diagnostic);
        }
        doc
    }
}
