//! The one layout: columns of a table aligned, one blank line between items, comments where they were.
//!
//! What the author decides: the order of everything, where single blank lines stand inside a block, and whether
//! fields, values and settings share a line (they do if the first stands in the line of the brace, none has a remark
//! and all fit).
//! `format(format(text)) == format(text)`.

use crate::ast::{
    Attribute, Block, Column, Enum, EnumValue, Field, File, Item, Margin, Member, Name, Order,
    QualifiedName, Remark, RemarkKind, Setting, TypeArgument, TypeExpr, Value,
};
use crate::names;

/// The longest line into which the members of a block are drawn together.
const LINE_CHARS_MAX: usize = 100;
const INDENT: &str = "    ";

/// The file in its fixed layout, with a line end after the last line; an empty file stays empty.
pub fn format(file: &File) -> String {
    let mut out = Printer {
        text: String::new(),
        indent: 0,
    };
    for (index, item) in file.items.iter().enumerate() {
        if index > 0 {
            out.blank();
        }
        out.item(item);
    }
    if !file.tail.is_empty() {
        if !file.items.is_empty() {
            out.blank();
        }
        out.remarks(&file.tail, Blank::Dropped);
    }
    out.text
}

/// What becomes of an empty line before the first remark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blank {
    Kept,
    Dropped,
}

struct Printer {
    text: String,
    indent: usize,
}

/// A line of a block cut into cells; equal cells of neighbouring lines are aligned.
struct Row<'a> {
    margin: &'a Margin,
    cells: Vec<String>,
}

impl Printer {
    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.text.push_str(INDENT);
        }
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") && !self.text.ends_with("{\n") {
            self.text.push('\n');
        }
    }

    fn remarks(&mut self, remarks: &[Remark], first: Blank) {
        for (index, remark) in remarks.iter().enumerate() {
            if remark.blank_before && (index > 0 || first == Blank::Kept) {
                self.blank();
            }
            self.line(&remark_text(remark));
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Keyspace(keyspace) => {
                let head = format!("keyspace {}", name(&keyspace.name));
                self.block(
                    &head,
                    &keyspace.margin,
                    &keyspace.block,
                    setting_row,
                    Blank::Dropped,
                );
            }
            Item::Table(table) => {
                self.remarks(&table.margin.lead, Blank::Dropped);
                let attributes = attributes(&table.attributes);
                self.line(&format!("table {}{attributes} {{", qualified(&table.name)));
                self.indent += 1;
                self.table_members(&table.block.members);
                self.remarks(&table.block.tail, Blank::Kept);
                self.indent -= 1;
                self.line(&format!("}}{}", behind(&table.margin)));
            }
            Item::RetiredTable(table) => {
                self.remarks(&table.margin.lead, Blank::Dropped);
                self.line(&format!(
                    "retired table {}{}",
                    qualified(&table.name),
                    behind(&table.margin)
                ));
            }
            Item::Type(fields) => {
                let keyspace = fields
                    .keyspace
                    .as_ref()
                    .map(|keyspace| format!("{}.", name(keyspace)));
                let head = format!(
                    "type {}{}",
                    keyspace.unwrap_or_default(),
                    name(&fields.name)
                );
                self.block(
                    &head,
                    &fields.margin,
                    &fields.block,
                    field_row,
                    Blank::Dropped,
                );
            }
            Item::Tuple(fields) => {
                let head = format!("tuple {}", type_name(&fields.name));
                self.block(
                    &head,
                    &fields.margin,
                    &fields.block,
                    field_row,
                    Blank::Dropped,
                );
            }
            Item::Enum(enumeration) => self.enumeration(enumeration),
        }
    }

    fn enumeration(&mut self, enumeration: &Enum) {
        let base = enumeration
            .base
            .as_ref()
            .map(|base| format!(" : {}", base.text))
            .unwrap_or_default();
        let head = format!("enum {}{base}", type_name(&enumeration.name));
        self.block(
            &head,
            &enumeration.margin,
            &enumeration.block,
            value_row,
            Blank::Dropped,
        );
    }

    /// A head and its block, in one line if the author put it there and it fits.
    fn block<T>(
        &mut self,
        head: &str,
        margin: &Margin,
        block: &Block<T>,
        row: fn(&T) -> Row<'_>,
        first: Blank,
    ) {
        self.remarks(&margin.lead, first);
        let rows: Vec<Row<'_>> = block.members.iter().map(row).collect();
        let remarks = !block.tail.is_empty() || rows.iter().any(|row| row.margin.has_remarks());
        let inner: Vec<String> = rows.iter().map(|row| row.cells.join(" ")).collect();
        let line = match inner.is_empty() {
            true => format!("{head} {{}}{}", behind(margin)),
            false => format!("{head} {{ {} }}{}", inner.join(", "), behind(margin)),
        };
        let fits = line.chars().count() + self.indent * INDENT.len() <= LINE_CHARS_MAX;
        if !remarks && (block.one_line || inner.is_empty()) && (fits || inner.is_empty()) {
            self.line(&line);
            return;
        }
        self.line(&format!("{head} {{"));
        self.indent += 1;
        self.rows(&rows);
        self.remarks(&block.tail, Blank::Kept);
        self.indent -= 1;
        self.line(&format!("}}{}", behind(margin)));
    }

    /// Lines with aligned cells; remarks behind them are aligned too.
    fn rows(&mut self, rows: &[Row<'_>]) {
        let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cell =
                    |row: &Row<'_>| row.cells.get(column).map_or(0, |cell| cell.chars().count());
                rows.iter().map(cell).max().unwrap_or(0)
            })
            .collect();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                for (cell, width) in row.cells.iter().zip(&widths) {
                    line.push_str(cell);
                    if *width > 0 {
                        line.extend(std::iter::repeat_n(' ', width + 1 - cell.chars().count()));
                    }
                }
                line.trim_end().to_owned()
            })
            .collect();
        let remark_column = rows
            .iter()
            .zip(&lines)
            .filter(|(row, _)| row.margin.trailing.is_some())
            .map(|(_, line)| line.chars().count())
            .max()
            .unwrap_or(0);
        for (row, line) in rows.iter().zip(&lines) {
            self.before(row.margin);
            match &row.margin.trailing {
                Some(trailing) => {
                    self.line(&format!("{line:remark_column$} {}", remark_text(trailing)))
                }
                None => self.line(line),
            }
        }
    }

    fn before(&mut self, margin: &Margin) {
        if margin.blank_before {
            self.blank();
        }
        self.remarks(&margin.lead, Blank::Dropped);
    }

    /// Properties and options align among themselves, columns among themselves.
    fn table_members(&mut self, members: &[Member]) {
        let keyword_width = members
            .iter()
            .map(|member| match member {
                Member::Property(property) => property.kind.keyword().len(),
                Member::Options(_) => "options".len(),
                Member::Column(_) => 0,
            })
            .max()
            .unwrap_or(0);
        // The cells of all columns are laid out together, so that a remark between them moves nothing.
        let columns: Vec<&Column> = members
            .iter()
            .filter_map(|member| match member {
                Member::Column(column) => Some(column),
                Member::Property(_) | Member::Options(_) => None,
            })
            .collect();
        let mut layout = Self {
            text: String::new(),
            indent: self.indent,
        };
        let bare: Vec<Margin> = columns
            .iter()
            .map(|column| Margin {
                trailing: column.margin.trailing.clone(),
                ..Margin::default()
            })
            .collect();
        let rows: Vec<Row<'_>> = columns
            .iter()
            .zip(&bare)
            .map(|(column, margin)| Row {
                margin,
                cells: column_cells(column),
            })
            .collect();
        layout.rows(&rows);
        let mut lines = layout.text.lines();
        for member in members {
            match member {
                Member::Property(property) => {
                    self.before(&property.margin);
                    let value = match (property.value.quoted, property.value.text.as_str()) {
                        (true, text) => quoted(text),
                        (false, text) => text.to_owned(),
                    };
                    let keyword = property.kind.keyword();
                    self.line(&format!(
                        "{keyword:keyword_width$} {value}{}",
                        behind(&property.margin)
                    ));
                }
                Member::Options(options) => {
                    if options.margin.blank_before {
                        self.blank();
                    }
                    let head = format!("{:keyword_width$}", "options");
                    self.block(
                        &head,
                        &options.margin,
                        &options.block,
                        setting_row,
                        Blank::Dropped,
                    );
                }
                Member::Column(column) => {
                    self.before(&column.margin);
                    self.text.push_str(lines.next().unwrap_or(""));
                    self.text.push('\n');
                }
            }
        }
    }
}

fn remark_text(remark: &Remark) -> String {
    match (remark.kind, remark.text.as_str()) {
        (RemarkKind::Doc, "") => "///".to_owned(),
        (RemarkKind::Doc, text) => format!("/// {text}"),
        (RemarkKind::Comment, text) => text.to_owned(),
    }
}

fn behind(margin: &Margin) -> String {
    margin
        .trailing
        .as_ref()
        .map(|remark| format!(" {}", remark_text(remark)))
        .unwrap_or_default()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn name(name: &Name) -> String {
    if name.quoted {
        names::dsl(&name.text)
    } else {
        name.text.clone()
    }
}

/// Names of tuples and enums have capitals and need no quotes.
fn type_name(name: &Name) -> String {
    match name.quoted && !names::is_camel(&name.text) {
        true => names::dsl(&name.text),
        false => name.text.clone(),
    }
}

fn qualified(qualified: &QualifiedName) -> String {
    format!("{}.{}", name(&qualified.keyspace), name(&qualified.name))
}

fn attributes(attributes: &[Attribute]) -> String {
    attributes
        .iter()
        .map(|attribute| {
            let argument = attribute
                .argument
                .as_ref()
                .map(|argument| format!("({})", argument.text));
            format!(" @{}{}", attribute.name.text, argument.unwrap_or_default())
        })
        .collect()
}

fn column_cells(column: &Column) -> Vec<String> {
    let order = match column.order {
        Some((Order::Ascending, _)) => "asc",
        Some((Order::Descending, _)) => "desc",
        None => "",
    };
    vec![
        column.role.keyword().to_owned(),
        name(&column.name),
        type_text(&column.ty),
        order.to_owned(),
        attributes(&column.attributes).trim_start().to_owned(),
    ]
}

fn field_row(field: &Field) -> Row<'_> {
    Row {
        margin: &field.margin,
        cells: vec![name(&field.name), type_text(&field.ty)],
    }
}

fn value_row(value: &EnumValue) -> Row<'_> {
    let retired = if value.retired { "retired " } else { "" };
    let mut cells = vec![format!("{retired}{}", name(&value.name))];
    if let Some(stored) = &value.stored {
        cells.push(format!("= {}", value_text(stored)));
    }
    Row {
        margin: &value.margin,
        cells,
    }
}

fn setting_row(setting: &Setting) -> Row<'_> {
    Row {
        margin: &setting.margin,
        cells: vec![
            setting.name.text.clone(),
            format!("= {}", value_text(&setting.value)),
        ],
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Word(name) | Value::Number(name) => name.text.clone(),
        Value::Text(name) => quoted(&name.text),
        Value::Map(entries, _) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries, _) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let key = if key.quoted {
                        quoted(&key.text)
                    } else {
                        key.text.clone()
                    };
                    format!("{key} = {}", value_text(value))
                })
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// The type as written, with fixed blanks.
pub fn type_text(ty: &TypeExpr) -> String {
    let mut out = type_name(&ty.name);
    if !ty.arguments.is_empty() {
        let arguments: Vec<String> = ty
            .arguments
            .iter()
            .map(|argument| match argument {
                TypeArgument::Type(ty) => type_text(ty),
                TypeArgument::Number(number) => number.text.clone(),
            })
            .collect();
        out.push_str(&format!("<{}>", arguments.join(", ")));
    }
    if ty.optional.is_some() {
        out.push('?');
    }
    out
}
