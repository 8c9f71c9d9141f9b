//! The files of the workspace as git knows them, read once.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One file: its path from the root and its text.
pub(crate) struct File {
    /// Path from the workspace root, with `/`.
    pub(crate) path: String,
    /// The whole text; empty for a file that is not UTF-8.
    pub(crate) text: String,
}

impl File {
    /// Whether the file holds tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.starts_with("benches/")
            || self.path.contains("/tests/")
            || self.path.contains("/tests.rs")
            || self.path.ends_with("_tests.rs")
    }

    /// The lines before the first inline test module.
    pub(crate) fn source_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }
}

/// The tracked and the new files of the workspace.
pub(crate) struct Tree {
    /// Sorted by path.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads every file that git tracks or would track.
    pub(crate) fn load() -> Self {
        let root = root();
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(listed.status.success(), "git ls-files failed");
        let mut files: Vec<File> = String::from_utf8(listed.stdout)
            .unwrap()
            .lines()
            .filter(|path| root.join(path).is_file())
            .map(|path| File {
                path: path.to_owned(),
                text: std::fs::read_to_string(root.join(path)).unwrap_or_default(),
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Self { files }
    }

    /// The Rust sources.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The manifests of the members.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(|file| file.path.ends_with("/Cargo.toml"))
    }
}

/// The workspace root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Entries of the top level that the layout does not know.
pub(crate) fn foreign_top_level(tree: &Tree) -> Vec<String> {
    const KNOWN: &[&str] = &[
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE",
        "node",
        "backends",
        "schema-dsl",
        "system-tables",
        "cql",
        "tests",
        "benches",
        "docs",
    ];
    let mut tops: Vec<&str> = tree
        .files
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .filter(|top| !top.starts_with('.') && !KNOWN.contains(top))
        .collect();
    tops.dedup();
    tops.into_iter()
        .map(|top| format!("{top}: not in the agreed top level; put it into one of {KNOWN:?}"))
        .collect()
}
