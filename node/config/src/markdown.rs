//! `docs/options.md`, made from the table.

use std::fmt::Write;

use crate::options::{Live, TABLE};

/// The page on options, in Markdown, one sentence a line.
#[must_use]
pub fn options_markdown() -> String {
    let mut page = String::from(
        "# Options\n\
         \n\
         Made from the table in `node/config/src/options.rs`; a test compares them.\n\
         An option is a line `name: value` in the file given with `--options-file`, a flag, and an environment variable.\n\
         A flag wins over the environment, which wins over the file, which wins over the default.\n\
         A *live* option counts at once when the node reloads its configuration, the others at the next start.\n",
    );
    let mut section = "";
    for spec in TABLE {
        if spec.section != section {
            section = spec.section;
            // Writing to a string cannot fail.
            _ = write!(page, "\n## {section}\n");
        }
        _ = write!(page, "\n### `{}`\n\n", spec.name);
        for line in spec.doc.lines() {
            _ = writeln!(page, "{}", line.trim());
        }
        let default = match spec.default_text() {
            text if text.is_empty() => "see above".to_owned(),
            text => format!("`{text}`"),
        };
        let live = match spec.live {
            Live::Yes => ", live",
            Live::AtStart => "",
        };
        let range = spec
            .range
            .as_ref()
            .map(|range| format!(", {} to {}", range.start(), range.end()));
        _ = write!(
            page,
            "\nDefault {default}{}{live}; `--{} {}`, `{}`.\n",
            range.unwrap_or_default(),
            spec.flag(),
            spec.kind,
            spec.variable()
        );
    }
    page
}
