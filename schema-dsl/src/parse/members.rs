//! The lines of a table, and types.

use super::items::{HasMargin, Separator};
use super::{DEPTH_MAX, Parsed, Parser, Skip};
use crate::ast::{
    Attribute, Column, Margin, Member, Name, Options, Order, Property, PropertyKind, Role,
    TypeArgument, TypeExpr,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::suggest::closest;

/// The words that open a line of a table.
const MEMBER_KEYWORDS: [&str; 9] = [
    "home",
    "id",
    "partitioner",
    "options",
    "partition",
    "clustering",
    "static",
    "column",
    "retired",
];

impl HasMargin for Member {
    fn margin_mut(&mut self) -> &mut Margin {
        match self {
            Self::Property(property) => &mut property.margin,
            Self::Options(options) => &mut options.margin,
            Self::Column(column) => &mut column.margin,
        }
    }
}

impl Parser {
    pub(super) fn table_member(&mut self, margin: Margin) -> Parsed<Member> {
        let token = self.peek().clone();
        let Kind::Word(keyword) = &token.kind else {
            return self.fail(
                "expected a column or a property",
                "write a line such as `column name text`",
            );
        };
        match keyword.as_str() {
            "home" => self.property(margin, PropertyKind::Home),
            "id" => self.property(margin, PropertyKind::Id),
            "partitioner" => self.property(margin, PropertyKind::Partitioner),
            "options" => self.options(margin),
            word => match Role::ALL.into_iter().find(|role| role.keyword() == word) {
                Some(role) => self.column(margin, role),
                None => {
                    let diagnostic = Diagnostic::error(
                        codes::S0005,
                        token.span,
                        format!("`{word}` begins no line of a table"),
                    );
                    // `name type` is the commonest slip of those who come from CQL.
                    let looks_like_column = matches!(self.peek_ahead(1).kind, Kind::Word(_))
                        && !self.peek_ahead(1).first_on_line;
                    let typo = closest(word, MEMBER_KEYWORDS);
                    self.report(match typo {
                        None if looks_like_column => diagnostic.help(format!(
                            "a column begins with what it is: `partition`, `clustering`, `static` or `column {word} ...`"
                        )),
                        typo => diagnostic.did_you_mean(typo).help(format!(
                            "lines of a table begin with {}",
                            MEMBER_KEYWORDS.map(|keyword| format!("`{keyword}`")).join(", ")
                        )),
                    });
                    Err(Skip)
                }
            },
        }
    }

    fn property(&mut self, margin: Margin, kind: PropertyKind) -> Parsed<Member> {
        let keyword = self.bump().span;
        let token = self.peek().clone();
        let value = match token.kind {
            _ if token.first_on_line => return self.no_value(kind),
            Kind::Word(text) | Kind::Uuid(text) | Kind::Number(text) => Name {
                text,
                quoted: false,
                span: token.span,
            },
            Kind::Quoted(text) => Name {
                text,
                quoted: true,
                span: token.span,
            },
            Kind::Punct(_) | Kind::Doc(_) | Kind::Comment(_) | Kind::End => {
                return self.no_value(kind);
            }
        };
        self.bump();
        Ok(Member::Property(Property {
            margin,
            kind,
            keyword,
            value,
        }))
    }

    fn no_value<T>(&mut self, kind: PropertyKind) -> Parsed<T> {
        let example = match kind {
            PropertyKind::Home => "home local",
            PropertyKind::Id => "id 7ad54392-bcdd-35a6-8417-4e047860b377",
            PropertyKind::Partitioner => "partitioner \"class.Name\"",
        };
        self.fail(
            &format!("expected a value behind `{}`", kind.keyword()),
            &format!("write it so: `{example}`"),
        )
    }

    fn options(&mut self, margin: Margin) -> Parsed<Member> {
        let token = self.bump();
        let owner = Name {
            text: "options".to_owned(),
            quoted: false,
            span: token.span,
        };
        let block = self.block(&owner, Separator::Comma, Self::setting)?;
        Ok(Member::Options(Options {
            margin,
            keyword: token.span,
            block,
        }))
    }

    fn column(&mut self, margin: Margin, role: Role) -> Parsed<Member> {
        self.bump();
        let name = self.name("the name of a column")?;
        if self.peek().first_on_line {
            let cure = format!(
                "write the type behind the name: `{} {} text`",
                role.keyword(),
                name.text
            );
            return self.fail(&format!("expected the type of `{}`", name.text), &cure);
        }
        let ty = self.type_expression(0)?;
        let order = match &self.peek().kind {
            Kind::Word(word) if !self.peek().first_on_line => match word.as_str() {
                "asc" => Some((Order::Ascending, self.bump().span)),
                "desc" => Some((Order::Descending, self.bump().span)),
                other => {
                    let span = self.peek().span;
                    let message = format!(
                        "expected `asc`, `desc`, `@since(n)` or the end of the line, found `{other}`"
                    );
                    let diagnostic = Diagnostic::error(codes::S0003, span, message);
                    let diagnostic = match (other, closest(other, ["asc", "desc", "since"])) {
                        ("since", _) | (_, Some("since")) => diagnostic.help("write `@since(n)`"),
                        ("static", _) => {
                            diagnostic.help(format!("write `static {} ...`", name.text))
                        }
                        (_, None) => diagnostic.help("begin a new line before it, or remove it"),
                        (_, suggestion) => diagnostic.did_you_mean(suggestion),
                    };
                    self.report(diagnostic);
                    return Err(Skip);
                }
            },
            _ => None,
        };
        let attributes = self.attributes()?;
        Ok(Member::Column(Column {
            margin,
            role,
            name,
            ty,
            order,
            attributes,
        }))
    }

    pub(super) fn attributes(&mut self) -> Parsed<Vec<Attribute>> {
        let mut attributes = Vec::new();
        while self.is_punct('@') {
            let at = self.bump().span;
            let name = self.name("an attribute such as `since`")?;
            let mut span = at.to(name.span);
            let mut argument = None;
            if self.eat('(').is_some() {
                let token = self.bump();
                argument = match token.kind {
                    Kind::Number(text) | Kind::Word(text) => Some(Name {
                        text,
                        quoted: false,
                        span: token.span,
                    }),
                    Kind::Uuid(_)
                    | Kind::Quoted(_)
                    | Kind::Punct(_)
                    | Kind::Doc(_)
                    | Kind::Comment(_)
                    | Kind::End => {
                        self.at = self.at.saturating_sub(1);
                        return self.fail("expected a number", "write `@since(2)`");
                    }
                };
                span = span.to(self.expect(')', "", "write `@since(2)`")?);
            }
            attributes.push(Attribute {
                name,
                argument,
                span,
            });
        }
        Ok(attributes)
    }

    pub(super) fn type_expression(&mut self, depth: usize) -> Parsed<TypeExpr> {
        let name = self.name("a type")?;
        if depth >= DEPTH_MAX {
            self.too_deep(name.span);
            return Err(Skip);
        }
        let mut span = name.span;
        let mut arguments = Vec::new();
        if self.eat('<').is_some() {
            loop {
                if let Kind::Number(text) = &self.peek().kind {
                    let (text, span) = (text.clone(), self.peek().span);
                    self.bump();
                    arguments.push(TypeArgument::Number(Name {
                        text,
                        quoted: false,
                        span,
                    }));
                } else {
                    arguments.push(TypeArgument::Type(self.type_expression(depth + 1)?));
                }
                if self.eat(',').is_none() {
                    break;
                }
            }
            span = span.to(self.expect(
                '>',
                " or `,`",
                "separate types by commas and close the list with `>`",
            )?);
        }
        let optional = self.eat('?');
        Ok(TypeExpr {
            name,
            arguments,
            optional,
            span,
        })
    }
}
