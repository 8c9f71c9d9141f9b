//! The statements of a script, read one by one; one that cannot be read does not stop the next.

use std::collections::BTreeMap;

use super::tokens::{Kind, Token};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::options::{OPTIONS, OptionKind};
use crate::parse::DEPTH_MAX;
use crate::source::Span;

/// Something that the script creates.
#[derive(Debug)]
pub(super) enum Item {
    Keyspace {
        name: String,
        replication: Value,
        durable_writes: bool,
    },
    Type {
        keyspace: String,
        name: String,
        fields: Vec<(String, Type)>,
    },
    Table(Table),
}

/// A table under construction.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) keyspace: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) partition: Vec<String>,
    pub(super) clustering: Vec<String>,
    pub(super) descending: BTreeMap<String, bool>,
    pub(super) comment: String,
    pub(super) id: Option<String>,
    pub(super) options: Vec<(&'static str, Value)>,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) is_static: bool,
    pub(super) is_dropped: bool,
}

/// A type as CQL writes it.
#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) quoted: bool,
    pub(super) arguments: Vec<Type>,
}

/// The value of a property.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Word(String),
    Text(String),
    Map(Vec<(String, String)>),
}

/// The rest of this statement cannot be read; it has been reported.
struct Skip;

type Parsed<T> = Result<T, Skip>;

pub(super) fn read(tokens: &[Token]) -> (Vec<Item>, Vec<Diagnostic>) {
    let mut reader = Reader {
        tokens,
        at: 0,
        items: Vec::new(),
        keyspace: None,
        diagnostics: Vec::new(),
    };
    while reader.peek() != &Kind::End {
        if reader.statement().is_err() {
            reader.skip();
        }
    }
    (reader.items, reader.diagnostics)
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    items: Vec<Item>,
    /// The keyspace of USE, or the last one created.
    keyspace: Option<String>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn peek(&self) -> &Kind {
        self.tokens
            .get(self.at)
            .map_or(&Kind::End, |token| &token.kind)
    }

    fn span(&self) -> Span {
        let last = self.tokens.last().map(|token| token.span);
        let span = self.tokens.get(self.at).map(|token| token.span).or(last);
        // There is always the token of the end.
        span.unwrap_or_else(|| unreachable!("a script without tokens"))
    }

    fn bump(&mut self) -> Kind {
        let kind = self.peek().clone();
        if kind != Kind::End {
            self.at += 1;
        }
        kind
    }

    fn eat(&mut self, punct: char) -> bool {
        let found = self.peek() == &Kind::Punct(punct);
        if found {
            self.bump();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Kind::Word(found) if found == word);
        if found {
            self.bump();
        }
        found
    }

    fn expect(&mut self, punct: char) -> Parsed<()> {
        match self.eat(punct) {
            true => Ok(()),
            false => self.fail(&format!("expected `{punct}`")),
        }
    }

    fn fail<T>(&mut self, message: &str) -> Parsed<T> {
        let diagnostic = Diagnostic::error(codes::S0003, self.span(), message)
            .help("give the output of DESCRIBE; this statement is left out");
        self.diagnostics.push(diagnostic);
        Err(Skip)
    }

    /// To the end of the statement.
    fn skip(&mut self) {
        while !matches!(self.bump(), Kind::End | Kind::Punct(';')) {}
    }

    fn statement(&mut self) -> Parsed<()> {
        let start = self.span();
        if self.eat(';') {
            return Ok(());
        }
        if self.eat_word("use") {
            self.keyspace = Some(self.name()?);
            return self.end();
        }
        let (create, alter) = (self.eat_word("create"), self.eat_word("alter"));
        if create && self.eat_word("keyspace") {
            return self.keyspace();
        }
        if create && self.eat_word("type") {
            return self.user_type();
        }
        if create && (self.eat_word("table") || self.eat_word("columnfamily")) {
            return self.table();
        }
        if alter && self.eat_word("table") {
            return self.dropped_column();
        }
        let message = "this statement has no counterpart in the language";
        let warning = Diagnostic::warning(codes::S0004, start, message)
            .help("keyspaces, types and tables are imported; anything else is left out");
        self.diagnostics.push(warning);
        self.skip();
        Ok(())
    }

    fn end(&mut self) -> Parsed<()> {
        match self.peek() {
            Kind::End => Ok(()),
            _ => self.expect(';'),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.peek().clone() {
            Kind::Word(text) | Kind::Name(text) => {
                self.bump();
                Ok(text)
            }
            Kind::Text(_) | Kind::Punct(_) | Kind::End => self.fail("expected a name"),
        }
    }

    fn if_not_exists(&mut self) {
        let _optional = self.eat_word("if") && self.eat_word("not") && self.eat_word("exists");
    }

    fn qualified_name(&mut self) -> Parsed<(String, String)> {
        self.if_not_exists();
        let first = self.name()?;
        if self.eat('.') {
            return Ok((first, self.name()?));
        }
        match self.keyspace.clone() {
            Some(keyspace) => Ok((keyspace, first)),
            None => self.fail(&format!(
                "`{first}` has no keyspace, and there is no USE before it"
            )),
        }
    }

    fn keyspace(&mut self) -> Parsed<()> {
        self.if_not_exists();
        let name = self.name()?;
        let mut replication = Value::Word("local".to_owned());
        let mut durable_writes = true;
        if self.eat_word("with") {
            loop {
                let property = self.name()?;
                self.expect('=')?;
                let value = self.value()?;
                match (property.as_str(), value) {
                    ("replication", Value::Map(entries)) => replication = strategy(entries),
                    ("durable_writes", Value::Word(word)) => durable_writes = word != "false",
                    // Tablets and the like are decided by the cluster.
                    (_, Value::Map(_) | Value::Word(_) | Value::Text(_)) => {}
                }
                if !self.eat_word("and") {
                    break;
                }
            }
        }
        self.end()?;
        self.keyspace = Some(name.clone());
        self.items.push(Item::Keyspace {
            name,
            replication,
            durable_writes,
        });
        Ok(())
    }

    fn user_type(&mut self) -> Parsed<()> {
        let (keyspace, name) = self.qualified_name()?;
        self.expect('(')?;
        let mut fields = Vec::new();
        while !self.eat(')') {
            fields.push((self.name()?, self.ty(0)?));
            if !self.eat(',') && self.peek() != &Kind::Punct(')') {
                return self.fail("expected `,` or `)`");
            }
        }
        self.end()?;
        self.items.push(Item::Type {
            keyspace,
            name,
            fields,
        });
        Ok(())
    }

    fn table(&mut self) -> Parsed<()> {
        let (keyspace, name) = self.qualified_name()?;
        let mut table = Table {
            keyspace,
            name,
            ..Table::default()
        };
        self.expect('(')?;
        while !self.eat(')') {
            if self.eat_word("primary") {
                self.primary_key(&mut table)?;
            } else {
                self.column(&mut table)?;
            }
            if !self.eat(',') && self.peek() != &Kind::Punct(')') {
                return self.fail("expected `,` or `)`");
            }
        }
        if self.eat_word("with") {
            loop {
                self.property(&mut table)?;
                if !self.eat_word("and") {
                    break;
                }
            }
        }
        self.end()?;
        self.items.push(Item::Table(table));
        Ok(())
    }

    fn column(&mut self, table: &mut Table) -> Parsed<()> {
        let name = self.name()?;
        let ty = self.ty(0)?;
        let is_static = self.eat_word("static");
        if self.eat_word("primary") {
            if !self.eat_word("key") {
                return self.fail("expected KEY");
            }
            table.partition.push(name.clone());
        }
        table.columns.push(Column {
            name,
            ty,
            is_static,
            is_dropped: false,
        });
        Ok(())
    }

    fn primary_key(&mut self, table: &mut Table) -> Parsed<()> {
        if !self.eat_word("key") {
            return self.fail("expected KEY");
        }
        self.expect('(')?;
        if self.eat('(') {
            loop {
                table.partition.push(self.name()?);
                if !self.eat(',') {
                    break;
                }
            }
            self.expect(')')?;
        } else {
            table.partition.push(self.name()?);
        }
        while self.eat(',') {
            table.clustering.push(self.name()?);
        }
        self.expect(')')
    }

    fn property(&mut self, table: &mut Table) -> Parsed<()> {
        let place = self.span();
        let name = self.name()?;
        match name.as_str() {
            "clustering" => {
                let _order_by = self.eat_word("order") && self.eat_word("by");
                self.expect('(')?;
                loop {
                    let column = self.name()?;
                    let descending = self.eat_word("desc");
                    let _ascending = self.eat_word("asc");
                    table.descending.insert(column, descending);
                    if !self.eat(',') {
                        return self.expect(')');
                    }
                }
            }
            // Old tables without rows of cells cannot be described.
            "compact" => return self.fail("compact storage has no counterpart in the language"),
            _ => {}
        }
        self.expect('=')?;
        let value = self.value()?;
        let spec = OPTIONS.iter().find(|spec| spec.cql == name);
        match (name.as_str(), value, spec) {
            ("comment", Value::Text(comment), _) => table.comment = comment,
            ("id", Value::Word(id), _) => table.id = Some(id),
            (_, value, Some(spec)) => table
                .options
                .push((spec.name, in_language(spec.kind, value))),
            (_, _, None) => {
                let message = format!("the property `{name}` has no counterpart in the language");
                let warning =
                    Diagnostic::warning(codes::S0207, place, message).help("it is left out");
                self.diagnostics.push(warning);
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Parsed<Value> {
        match self.bump() {
            Kind::Word(word) => Ok(Value::Word(word)),
            Kind::Text(text) => Ok(Value::Text(text)),
            Kind::Punct('{') => {
                let mut entries = Vec::new();
                while !self.eat('}') {
                    let key = self.scalar()?;
                    self.expect(':')?;
                    entries.push((key, self.scalar()?));
                    if !self.eat(',') && self.peek() != &Kind::Punct('}') {
                        return self.fail("expected `,` or `}`");
                    }
                }
                Ok(Value::Map(entries))
            }
            Kind::Name(_) | Kind::Punct(_) | Kind::End => self.fail("expected a value"),
        }
    }

    fn scalar(&mut self) -> Parsed<String> {
        match self.peek().clone() {
            Kind::Word(text) | Kind::Text(text) => {
                self.bump();
                Ok(text)
            }
            Kind::Name(_) | Kind::Punct(_) | Kind::End => self.fail("expected a text or a number"),
        }
    }

    fn ty(&mut self, depth: usize) -> Parsed<Type> {
        if depth >= DEPTH_MAX {
            return self.fail("the type is nested too deep");
        }
        let quoted = matches!(self.peek(), Kind::Name(_));
        let name = self.name()?;
        let mut arguments = Vec::new();
        if self.eat('<') {
            loop {
                arguments.push(self.ty(depth + 1)?);
                if !self.eat(',') {
                    break;
                }
            }
            self.expect('>')?;
        }
        Ok(Type {
            name,
            quoted,
            arguments,
        })
    }

    /// `ALTER TABLE t DROP c USING TIMESTAMP n` behind a table that still has `c`.
    fn dropped_column(&mut self) -> Parsed<()> {
        let place = self.span();
        let (keyspace, name) = self.qualified_name()?;
        if !self.eat_word("drop") {
            let message = "only ALTER TABLE ... DROP is imported";
            let help = "it is left out";
            self.diagnostics
                .push(Diagnostic::warning(codes::S0004, place, message).help(help));
            self.skip();
            return Ok(());
        }
        let column = self.name()?;
        let table = self.items.iter_mut().find_map(|item| match item {
            Item::Table(table) if table.keyspace == keyspace && table.name == name => Some(table),
            Item::Table(_) | Item::Keyspace { .. } | Item::Type { .. } => None,
        });
        let found =
            table.and_then(|table| table.columns.iter_mut().find(|known| known.name == column));
        match found {
            Some(column) => column.is_dropped = true,
            None => return self.fail(&format!("`{keyspace}.{name}` has no column `{column}`")),
        }
        self.skip();
        Ok(())
    }
}

/// The short forms of the two strategies without options.
fn strategy(entries: Vec<(String, String)>) -> Value {
    let class = entries
        .iter()
        .find(|(key, _)| key == "class")
        .map(|(_, class)| class.as_str());
    match class.map(|class| class.rsplit('.').next().unwrap_or(class)) {
        Some("LocalStrategy") => Value::Word("local".to_owned()),
        Some("EverywhereStrategy") => Value::Word("everywhere".to_owned()),
        Some(_) | None => Value::Map(entries),
    }
}

/// The value as the language writes it: times get the unit that CQL leaves out.
fn in_language(kind: OptionKind, value: Value) -> Value {
    match (kind, value) {
        (OptionKind::Seconds, Value::Word(number)) => Value::Word(readable(&number)),
        (OptionKind::Milliseconds, Value::Word(number)) => {
            let seconds = number.parse::<u64>().unwrap_or(0) / 1000;
            Value::Word(readable(&seconds.to_string()))
        }
        (OptionKind::Caching, Value::Map(entries)) => {
            let of = |name: &str| {
                entries
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.as_str())
            };
            match (entries.len(), of("keys"), of("rows_per_partition")) {
                (2, Some("ALL"), Some("ALL")) => Value::Word("all".to_owned()),
                (2, Some("ALL"), Some("NONE")) => Value::Word("keys".to_owned()),
                (2, Some("NONE"), Some("ALL")) => Value::Word("rows".to_owned()),
                (2, Some("NONE"), Some("NONE")) => Value::Word("none".to_owned()),
                _ => Value::Map(entries),
            }
        }
        (_, value) => value,
    }
}

/// Seconds in the largest unit that gives a whole number.
fn readable(seconds: &str) -> String {
    let seconds = seconds.parse::<u64>().unwrap_or(0);
    let unit = [(86_400, "d"), (3_600, "h"), (60, "m")]
        .into_iter()
        .find(|(factor, _)| seconds > 0 && seconds % factor == 0);
    match unit {
        Some((factor, unit)) => format!("{}{unit}", seconds / factor),
        None => format!("{seconds}s"),
    }
}
