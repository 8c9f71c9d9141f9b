//! What stands at the top level of a file, and blocks.

use super::{ITEM_KEYWORDS, Parsed, Parser, Skip};
use crate::ast::{
    Block, Enum, EnumValue, Field, Fields, File, Item, Keyspace, Margin, Name, QualifiedName,
    RemarkKind, RetiredTable, Setting, Table, Value,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::source::Span;
use crate::suggest::closest;

impl Parser {
    pub(super) fn file(&mut self) -> File {
        let mut items = Vec::new();
        loop {
            let margin = self.margin();
            if self.peek().kind == Kind::End {
                self.refuse_dangling(&margin);
                return File {
                    items,
                    tail: margin.lead,
                };
            }
            let start = self.next_index();
            match self.item(margin) {
                Ok(item) => items.push(item),
                Err(Skip) => self.skip_item(start),
            }
        }
    }

    /// Documentation at the end of a file or block describes nothing.
    fn refuse_dangling(&mut self, margin: &Margin) {
        if let Some(doc) = margin
            .lead
            .iter()
            .find(|remark| remark.kind == RemarkKind::Doc)
        {
            self.report(
                Diagnostic::error(codes::S0007, doc.span, "documentation of nothing")
                    .label("nothing follows that it could describe")
                    .help("move it before what it describes, or make it a comment with `//`"),
            );
        }
    }

    fn item(&mut self, mut margin: Margin) -> Parsed<Item> {
        let token = self.peek().clone();
        let Kind::Word(keyword) = &token.kind else {
            return match token.kind {
                Kind::Punct('}') => {
                    let message = "this brace closes nothing";
                    self.report(Diagnostic::error(codes::S0006, token.span, message).help("remove it"));
                    Err(Skip)
                }
                _ => self.fail("expected an item", "items begin with `table`, `tuple`, `enum`, `type`, `keyspace` or `retired table`"),
            };
        };
        let mut item = match keyword.as_str() {
            "table" => Item::Table(self.table()?),
            "retired" => Item::RetiredTable(self.retired_table()?),
            "keyspace" => Item::Keyspace(self.keyspace()?),
            "type" => Item::Type(self.user_type()?),
            "tuple" => Item::Tuple(self.tuple()?),
            "enum" => Item::Enum(self.enumeration()?),
            unknown => {
                let message = format!("`{unknown}` begins no item");
                self.report(
                    Diagnostic::error(codes::S0004, token.span, message)
                        .did_you_mean(closest(unknown, ITEM_KEYWORDS))
                        .help("items are `table`, `tuple`, `enum`, `type`, `keyspace` and `retired table`"),
                );
                return Err(Skip);
            }
        };
        self.close(&mut margin);
        let place = match &mut item {
            Item::Table(table) => &mut table.margin,
            Item::RetiredTable(table) => &mut table.margin,
            Item::Keyspace(keyspace) => &mut keyspace.margin,
            Item::Type(fields) | Item::Tuple(fields) => &mut fields.margin,
            Item::Enum(enumeration) => &mut enumeration.margin,
        };
        *place = margin;
        Ok(item)
    }

    fn qualified_name(&mut self, what: &str) -> Parsed<QualifiedName> {
        let keyspace = self.name(&format!("the name of {what}, as `keyspace.name`"))?;
        if self.eat('.').is_none() {
            let message = format!("the name of {what} lacks its keyspace");
            self.report(
                Diagnostic::error(codes::S0003, keyspace.span, message).help(format!(
                    "write `keyspace.{}`; there is no default keyspace",
                    keyspace.text
                )),
            );
            // The rest can be understood as if it were there.
            return Ok(QualifiedName {
                keyspace: keyspace.clone(),
                name: keyspace,
            });
        }
        let name = self.name(&format!("the name of {what}"))?;
        Ok(QualifiedName { keyspace, name })
    }

    fn table(&mut self) -> Parsed<Table> {
        self.bump();
        let name = self.qualified_name("a table")?;
        let attributes = self.attributes()?;
        let block = self.block(&name.name, Separator::Line, Self::table_member)?;
        Ok(Table {
            margin: Margin::default(),
            name,
            attributes,
            block,
        })
    }

    fn retired_table(&mut self) -> Parsed<RetiredTable> {
        self.bump();
        if !self.is_word("table") {
            return self.fail("expected `table`", "write `retired table keyspace.name`");
        }
        self.bump();
        let name = self.qualified_name("a table")?;
        Ok(RetiredTable {
            margin: Margin::default(),
            name,
        })
    }

    fn keyspace(&mut self) -> Parsed<Keyspace> {
        self.bump();
        let name = self.name("the name of a keyspace")?;
        let block = self.block(&name, Separator::Comma, Self::setting)?;
        Ok(Keyspace {
            margin: Margin::default(),
            name,
            block,
        })
    }

    fn user_type(&mut self) -> Parsed<Fields> {
        self.bump();
        let name = self.qualified_name("a type")?;
        let block = self.block(&name.name, Separator::Comma, Self::field)?;
        Ok(Fields {
            margin: Margin::default(),
            keyspace: Some(name.keyspace),
            name: name.name,
            block,
        })
    }

    fn tuple(&mut self) -> Parsed<Fields> {
        self.bump();
        let name = self.name("the name of a tuple")?;
        let block = self.block(&name, Separator::Comma, Self::field)?;
        Ok(Fields {
            margin: Margin::default(),
            keyspace: None,
            name,
            block,
        })
    }

    fn enumeration(&mut self) -> Parsed<Enum> {
        self.bump();
        let name = self.name("the name of an enum")?;
        let base = match self.eat(':') {
            Some(_) => Some(self.name("the type in which the values are stored, `text` or `int`")?),
            None => None,
        };
        let block = self.block(&name, Separator::Comma, Self::enum_value)?;
        Ok(Enum {
            margin: Margin::default(),
            name,
            base,
            block,
        })
    }

    fn field(&mut self, margin: Margin) -> Parsed<Field> {
        let name = self.name("the name of a field")?;
        let ty = self.type_expression(0)?;
        Ok(Field { margin, name, ty })
    }

    fn enum_value(&mut self, margin: Margin) -> Parsed<EnumValue> {
        let next = self.peek_ahead(1);
        let retired =
            self.is_word("retired") && matches!(next.kind, Kind::Word(_)) && !next.first_on_line;
        if retired {
            self.bump();
        }
        let name = self.name("the name of a value")?;
        let stored = match self.eat('=') {
            Some(_) => Some(self.value(0)?),
            None => None,
        };
        Ok(EnumValue {
            margin,
            retired,
            name,
            stored,
        })
    }

    pub(super) fn setting(&mut self, margin: Margin) -> Parsed<Setting> {
        let name = self.name("the name of a setting")?;
        self.expect('=', " and a value", "write `name = value`")?;
        let value = self.value(0)?;
        Ok(Setting {
            margin,
            name,
            value,
        })
    }

    fn value(&mut self, depth: usize) -> Parsed<Value> {
        let token = self.peek().clone();
        let name = |text: &String, quoted| Name {
            text: text.clone(),
            quoted,
            span: token.span,
        };
        let value = match &token.kind {
            Kind::Word(text) => Value::Word(name(text, false)),
            Kind::Number(text) => Value::Number(name(text, false)),
            Kind::Quoted(text) | Kind::Uuid(text) => Value::Text(name(text, true)),
            Kind::Punct('{') => return self.map_value(depth),
            Kind::Punct(_) | Kind::Doc(_) | Kind::Comment(_) | Kind::End => return self.fail(
                "expected a value",
                "write a word, a number with its unit, a text between quotes, or a map `{ a = 1 }`",
            ),
        };
        self.bump();
        Ok(value)
    }

    fn map_value(&mut self, depth: usize) -> Parsed<Value> {
        let open = self.bump().span;
        if depth >= super::DEPTH_MAX {
            self.too_deep(open);
            return Err(Skip);
        }
        let mut entries = Vec::new();
        loop {
            if let Some(close) = self.eat('}') {
                return Ok(Value::Map(entries, open.to(close)));
            }
            let key = self.name("a key or `}`")?;
            self.expect('=', " and a value", "write `name = value`")?;
            entries.push((key, self.value(depth + 1)?));
            if self.eat(',').is_none() && !self.is_punct('}') {
                return self.fail(
                    "expected `,` or `}`",
                    "separate entries by commas and close the map with `}`",
                );
            }
        }
    }

    pub(super) fn too_deep(&mut self, span: Span) {
        let message = format!("nested deeper than {} levels", super::DEPTH_MAX);
        self.report(
            Diagnostic::error(codes::S0010, span, message)
                .help("give the inner part a name of its own"),
        );
    }

    /// What stands between braces; `parse` reads one member.
    pub(super) fn block<T: HasMargin>(
        &mut self,
        owner: &Name,
        separator: Separator,
        parse: fn(&mut Self, Margin) -> Parsed<T>,
    ) -> Parsed<Block<T>> {
        let open = self.expect(
            '{',
            "",
            "what is described stands between braces: `{ ... }`",
        )?;
        let one_line = !self.raw(self.at).first_on_line;
        let mut members = Vec::new();
        let mut is_torn = false;
        // Members have margins of their own; what was found so far belongs to the owner.
        let hoisted = std::mem::take(&mut self.hoisted);
        let tail = loop {
            let margin = self.margin();
            if self.is_punct('}') {
                self.refuse_dangling(&margin);
                self.bump();
                break margin.lead;
            }
            let missing =
                self.peek().kind == Kind::End || (self.peek().first_on_line && self.at_item());
            if missing {
                let place = self.peek().span;
                self.report(
                    Diagnostic::error(
                        codes::S0006,
                        open,
                        format!("the block of `{}` is not closed", owner.text),
                    )
                    .label("opened here")
                    .also(
                        Span {
                            end: place.start,
                            ..place
                        },
                        "a `}` is missing before this",
                    )
                    .help("close it with `}` in a line of its own"),
                );
                // Documentation that was read belongs to the item that follows.
                self.at -= margin.lead.len();
                is_torn = true;
                break Vec::new();
            }
            let start = self.next_index();
            match parse(self, margin).and_then(|member| self.member_end(member, separator)) {
                Ok(member) => members.push(member),
                Err(Skip) => {
                    is_torn = true;
                    self.skip_member(start);
                }
            }
        };
        self.hoisted = hoisted;
        Ok(Block {
            members,
            tail,
            one_line,
            is_torn,
        })
    }

    /// What must stand between two members: the end of a line, or a comma where commas separate.
    fn member_end<T: HasMargin>(&mut self, mut member: T, separator: Separator) -> Parsed<T> {
        let comma = self.eat(',');
        self.close(member.margin_mut());
        let next = self.peek();
        let separated =
            next.first_on_line || next.kind == Kind::Punct('}') || next.kind == Kind::End;
        match (separator, comma) {
            (Separator::Line, Some(span)) => {
                let message = "columns and properties stand in lines of their own, without commas";
                self.report(
                    Diagnostic::error(codes::S0003, span, message).help("remove the comma"),
                );
            }
            (Separator::Line, None) if !separated => {
                return self.fail(
                    "expected the end of the line",
                    "begin a new line before it, or remove it",
                );
            }
            (Separator::Comma, None) if !separated => {
                return self.fail(
                    "expected `,` or the end of the line",
                    "separate by a comma or a new line",
                );
            }
            (Separator::Line | Separator::Comma, None) | (Separator::Comma, Some(_)) => {}
        }
        Ok(member)
    }
}

/// What stands between the members of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// Each has its line.
    Line,
    /// A comma, a new line, or both.
    Comma,
}

/// A member with remarks around it.
pub(super) trait HasMargin {
    fn margin_mut(&mut self) -> &mut Margin;
}

impl HasMargin for Setting {
    fn margin_mut(&mut self) -> &mut Margin {
        &mut self.margin
    }
}

impl HasMargin for Field {
    fn margin_mut(&mut self) -> &mut Margin {
        &mut self.margin
    }
}

impl HasMargin for EnumValue {
    fn margin_mut(&mut self) -> &mut Margin {
        &mut self.margin
    }
}
