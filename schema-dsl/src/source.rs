//! Source files, spans in them, and where a span is for a human.

use std::path::{Path, PathBuf};

use crate::codes;
use crate::diagnostic::Diagnostic;

/// The largest file that is read; larger ones are refused before they are parsed.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A file of one run, in the order in which files were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// From the start of `self` to the end of `other`, which lies behind it in the same file.
    pub fn to(self, other: Self) -> Self {
        Self {
            end: other.end.max(self.end),
            ..self
        }
    }

    /// The place just behind `self`.
    pub fn after(self) -> Self {
        Self {
            start: self.end,
            ..self
        }
    }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as a person would write it; it stands in diagnostics.
    pub name: String,
    /// The text.
    pub text: String,
    line_starts: Vec<u32>,
}

impl SourceFile {
    fn new(name: String, text: String) -> Self {
        let mut line_starts = vec![0];
        let mut at = 0_u32;
        for byte in text.bytes() {
            at = at.saturating_add(1);
            if byte == b'\n' {
                line_starts.push(at);
            }
        }
        Self {
            name,
            text,
            line_starts,
        }
    }

    /// Line and column of a byte, both counted from 1; columns are characters.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self
            .line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let column = self.slice(start, offset).chars().count();
        (line, column.saturating_add(1))
    }

    /// The text of a line counted from 1, without its end.
    pub fn line(&self, line: usize) -> &str {
        let start = self
            .line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let end = self.line_starts.get(line).copied().unwrap_or(u32::MAX);
        self.slice(start, end).trim_end_matches(['\n', '\r'])
    }

    fn slice(&self, start: u32, end: u32) -> &str {
        let end = (end as usize).min(self.text.len());
        self.text.get(start as usize..end).unwrap_or("")
    }
}

/// All files of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; `name` is what diagnostics call it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile::new(name.into(), text.into()));
        id
    }

    /// Reads files and, recursively, folders; of folders only `*.tables`, in the order of their names.
    ///
    /// A file that cannot be read becomes a diagnostic and an empty file; the others are read all the same.
    pub fn load(paths: &[PathBuf]) -> (Self, Vec<Diagnostic>) {
        let mut sources = Self::new();
        let mut diagnostics = Vec::new();
        for path in paths {
            match tables_under(path) {
                Ok(files) if files.is_empty() => {
                    let id = sources.add(path.display().to_string(), "");
                    diagnostics.push(unreadable(
                        id,
                        "the folder holds no `.tables` file".to_owned(),
                    ));
                }
                Ok(files) => {
                    for file in files {
                        let (text, problem) = match read(&file) {
                            Ok(text) => (text, None),
                            Err(problem) => (String::new(), Some(problem)),
                        };
                        let id = sources.add(file.display().to_string(), text);
                        diagnostics.extend(problem.map(|problem| unreadable(id, problem)));
                    }
                }
                Err(error) => {
                    let id = sources.add(path.display().to_string(), "");
                    diagnostics.push(unreadable(id, error.to_string()));
                }
            }
        }
        (sources, diagnostics)
    }

    /// The file, or none if the id is of another run.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0_u32..).map(FileId).zip(self.files.iter())
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// No file at all?
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

fn unreadable(file: FileId, problem: String) -> Diagnostic {
    let span = Span {
        file,
        start: 0,
        end: 0,
    };
    Diagnostic::error(
        codes::S0009,
        span,
        format!("cannot read the file: {problem}"),
    )
    .help("give `.tables` files, or folders that hold some; text is UTF-8")
}

fn read(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if length > FILE_BYTES_MAX {
        return Err(format!(
            "it has {length} bytes, and {FILE_BYTES_MAX} is the limit"
        ));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn tables_under(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path)? {
        entries.push(entry?.path());
    }
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            files.extend(tables_under(&entry)?);
        } else if entry
            .extension()
            .is_some_and(|extension| extension == "tables")
        {
            files.push(entry);
        }
    }
    Ok(files)
}
