//! Lines of Rust with their indentation.

/// The longest line that is not broken.
const LINE_CHARS_MAX: usize = 100;

/// Text under construction.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
    indent: usize,
}

impl Writer {
    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            for _ in 0..self.indent {
                self.text.push_str("    ");
            }
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Documentation, a line for each line.
    pub(super) fn doc(&mut self, text: &str) {
        for line in text.split('\n') {
            self.line(format!("/// {line}").trim_end());
        }
    }

    /// `head {`
    pub(super) fn open(&mut self, head: &str) {
        self.open_with(head, "{");
    }

    pub(super) fn open_with(&mut self, head: &str, brace: &str) {
        let gap = if head.ends_with('&') { "" } else { " " };
        self.line(&format!("{head}{gap}{brace}"));
        self.indent += 1;
    }

    pub(super) fn close(&mut self) {
        self.close_with("}");
    }

    pub(super) fn close_with(&mut self, end: &str) {
        self.indent = self.indent.saturating_sub(1);
        if self.text.ends_with("[\n") {
            self.text.pop();
            self.text.push_str(end);
            self.text.push('\n');
            return;
        }
        self.line(end);
    }

    /// A function of one expression; its arguments stand below each other if they do not fit.
    pub(super) fn function(&mut self, head: &str, arguments: &[String], result: &str, body: &str) {
        let arrow = if result.is_empty() {
            String::new()
        } else {
            format!(" -> {result}")
        };
        let line = format!("{head}({}){arrow}", arguments.join(", "));
        if self.indent * 4 + line.len() + 2 <= LINE_CHARS_MAX {
            self.open(&line);
        } else {
            self.line(&format!("{head}("));
            self.indent += 1;
            for argument in arguments {
                self.line(&format!("{argument},"));
            }
            self.indent -= 1;
            self.open(&format!("){arrow}"));
        }
        for line in body.lines() {
            self.line(line);
        }
        self.close();
    }
}
