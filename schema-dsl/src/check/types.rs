//! Tuples, enums, user-defined types, and what the types of columns mean.

use std::collections::BTreeMap;

use super::resolve::{CONSTRUCTORS, Outer};
use super::{Checker, TypeName};
use crate::ast::{self, Item, Name, Value};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::model::{Enum, EnumValue, Field, Fields, Native, Stored, Type};
use crate::names;
use crate::source::Span;
use crate::suggest::closest;

/// What a declared type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeKind {
    Tuple,
    Enum,
    User,
}

impl TypeKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tuple => "tuple",
            Self::Enum => "enum",
            Self::User => "type",
        }
    }
}

impl Checker {
    pub(super) fn collect_types(&mut self, items: &[&Item]) {
        for item in items {
            let (kind, keyspace, name) = match item {
                Item::Tuple(fields) => (TypeKind::Tuple, None, &fields.name),
                Item::Enum(enumeration) => (TypeKind::Enum, None, &enumeration.name),
                Item::Type(fields) => (TypeKind::User, fields.keyspace.as_ref(), &fields.name),
                Item::Keyspace(_) | Item::Table(_) | Item::RetiredTable(_) => continue,
            };
            let builtin =
                Native::of_name(&name.text).is_some() || CONSTRUCTORS.contains(&name.text.as_str());
            if builtin {
                let message = format!("`{}` is a type of CQL", name.text);
                self.report(
                    Diagnostic::error(codes::S0110, name.span, message).help("choose another name"),
                );
            } else if kind == TypeKind::User {
                self.short_name(name, "a type");
            } else if !names::is_camel(&name.text) {
                let message = format!(
                    "the name of a{} is written in capitals and without `_`",
                    match kind {
                        TypeKind::Enum => "n enum",
                        TypeKind::Tuple | TypeKind::User => " tuple",
                    }
                );
                let help = format!("write `{}`", names::camel(&name.text));
                self.report(Diagnostic::error(codes::S0113, name.span, message).help(help));
            }
            let key = (
                keyspace.map(|keyspace| keyspace.text.clone()),
                name.text.clone(),
            );
            if let Some((_, first)) = self.declared.get(&key) {
                let diagnostic = Diagnostic::error(
                    codes::S0102,
                    name.span,
                    format!("`{}` is declared twice", name.text),
                )
                .label("and again here")
                .also(*first, "first here")
                .help("remove one of them, or rename it");
                self.report(diagnostic);
            } else {
                self.declared.insert(key, (kind, name.span));
            }
        }
    }

    /// Gives all declared types their meaning; of two with one name the first counts.
    pub(super) fn types(&mut self, items: &[&Item]) {
        for item in items {
            match item {
                Item::Enum(enumeration) if self.is_first(None, &enumeration.name) => {
                    let enumeration = self.enumeration(enumeration);
                    self.model.enums.push(enumeration);
                }
                Item::Tuple(fields) if self.is_first(None, &fields.name) => {
                    let fields = self.fields(fields, "the tuple");
                    self.model.tuples.push(fields);
                }
                Item::Type(fields) if self.is_first(fields.keyspace.as_ref(), &fields.name) => {
                    if let Some(keyspace) = &fields.keyspace {
                        self.known_keyspace(keyspace);
                    }
                    let fields = self.fields(fields, "the type");
                    self.model.user_types.push(fields);
                }
                Item::Enum(_) | Item::Tuple(_) | Item::Type(_) => {}
                Item::Keyspace(_) | Item::Table(_) | Item::RetiredTable(_) => {}
            }
        }
        self.refuse_recursion();
    }

    fn is_first(&self, keyspace: Option<&Name>, name: &Name) -> bool {
        let key = (
            keyspace.map(|keyspace| keyspace.text.clone()),
            name.text.clone(),
        );
        self.declared
            .get(&key)
            .is_some_and(|(_, span)| *span == name.span)
    }

    fn fields(&mut self, fields: &ast::Fields, what: &str) -> Fields {
        let names: Vec<&Name> = fields
            .block
            .members
            .iter()
            .map(|field| &field.name)
            .collect();
        self.distinct(codes::S0104, "the field", &names, names::snake);
        if names.is_empty() && !fields.block.is_torn {
            let message = format!("`{}` has no fields", fields.name.text);
            self.report(
                Diagnostic::error(codes::S0309, fields.name.span, message)
                    .help("give it at least one"),
            );
        }
        let keyspace = fields
            .keyspace
            .as_ref()
            .map(|keyspace| keyspace.text.as_str());
        let mut checked = Vec::new();
        for field in &fields.block.members {
            self.cql_name(&field.name, "a field");
            let ty = self.resolve(keyspace, &field.ty, Outer::Frozen);
            checked.push(Field {
                name: field.name.text.clone(),
                ty,
                optional: field.ty.optional.is_some(),
                doc: field.margin.doc(),
                span: field.name.span,
            });
        }
        let doc = self.doc(
            &fields.margin,
            fields.name.span,
            &format!("{what} `{}`", fields.name.text),
        );
        Fields {
            keyspace: keyspace.map(str::to_owned),
            name: fields.name.text.clone(),
            doc,
            fields: checked,
            span: fields.name.span,
        }
    }

    fn enumeration(&mut self, enumeration: &ast::Enum) -> Enum {
        const BASES: [Native; 6] = [
            Native::Text,
            Native::Ascii,
            Native::TinyInt,
            Native::SmallInt,
            Native::Int,
            Native::BigInt,
        ];
        let mut base = Native::Text;
        if let Some(written) = &enumeration.base {
            match Native::of_name(&written.text).filter(|native| BASES.contains(native)) {
                Some(native) => base = native,
                None => {
                    let message =
                        format!("values of an enum cannot be stored as `{}`", written.text);
                    let diagnostic = Diagnostic::error(codes::S0308, written.span, message)
                        .did_you_mean(closest(&written.text, BASES.map(Native::name)))
                        .help("use `text`, `ascii`, `tinyint`, `smallint`, `int` or `bigint`");
                    self.report(diagnostic);
                }
            }
        }
        let mut values = Vec::new();
        let mut retired = Vec::new();
        let mut first_with: BTreeMap<Stored, Span> = BTreeMap::new();
        for value in &enumeration.block.members {
            let Some(stored) = self.stored(value, base) else {
                continue;
            };
            if let Some(first) = first_with.get(&stored) {
                let message = format!(
                    "enum `{}` has the value `{stored}` twice",
                    enumeration.name.text
                );
                let diagnostic = Diagnostic::error(codes::S0107, value.name.span, message)
                    .label("and again here")
                    .also(*first, "first here")
                    .help("remove one of them, or rename it; what is stored must be unique, also among retired values");
                self.report(diagnostic);
                continue;
            }
            first_with.insert(stored.clone(), value.name.span);
            let checked = EnumValue {
                name: value.name.text.clone(),
                stored,
                doc: value.margin.doc(),
                span: value.name.span,
            };
            if value.retired {
                &mut retired
            } else {
                &mut values
            }
            .push(checked);
        }
        // Equal names were reported as equal values, unless what they store differs.
        let mut seen: BTreeMap<String, &EnumValue> = BTreeMap::new();
        let mut clashes = Vec::new();
        for value in values.iter().chain(&retired) {
            if let Some(first) = seen.insert(names::camel(&value.name), value) {
                let message = format!(
                    "`{}` and `{}` have the same name in Rust",
                    first.name, value.name
                );
                clashes.push(
                    Diagnostic::error(codes::S0108, value.span, message)
                        .label("and again here")
                        .also(first.span, "first here")
                        .help("rename one of them; `name = \"text\"` keeps what is stored"),
                );
            }
        }
        self.diagnostics.extend(clashes);
        if enumeration.block.members.is_empty() && !enumeration.block.is_torn {
            let message = format!("enum `{}` has no values", enumeration.name.text);
            self.report(
                Diagnostic::error(codes::S0309, enumeration.name.span, message)
                    .help("give it at least one"),
            );
        }
        let doc = self.doc(
            &enumeration.margin,
            enumeration.name.span,
            &format!("the enum `{}`", enumeration.name.text),
        );
        Enum {
            name: enumeration.name.text.clone(),
            doc,
            base,
            values,
            retired,
            span: enumeration.name.span,
        }
    }

    fn stored(&mut self, value: &ast::EnumValue, base: Native) -> Option<Stored> {
        let name = &value.name;
        let limits = match base {
            Native::TinyInt => Some((i64::from(i8::MIN), i64::from(i8::MAX))),
            Native::SmallInt => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
            Native::Int => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
            Native::BigInt => Some((i64::MIN, i64::MAX)),
            _ => None,
        };
        let (Some((min, max)), stored) = (limits, &value.stored) else {
            return match &value.stored {
                None => Some(Stored::Text(name.text.clone())),
                Some(Value::Text(text)) => Some(Stored::Text(text.text.clone())),
                Some(other) => {
                    let message = format!("the value `{}` is stored as {}", name.text, base.name());
                    self.report(
                        Diagnostic::error(codes::S0310, other.span(), message)
                            .help("write a text between quotes"),
                    );
                    None
                }
            };
        };
        match stored {
            Some(Value::Number(number)) => match number.text.parse::<i64>() {
                Ok(value) if (min..=max).contains(&value) => Some(Stored::Number(value)),
                Ok(_) | Err(_) => {
                    let message = format!("`{}` is no {}", number.text, base.name());
                    let help = format!("use a number from {min} to {max}");
                    self.report(Diagnostic::error(codes::S0311, number.span, message).help(help));
                    None
                }
            },
            other => {
                let span = other.as_ref().map_or(name.span, Value::span);
                let message = format!(
                    "the value `{}` needs a number, since it is stored as {}",
                    name.text,
                    base.name()
                );
                let help = format!("write `{} = 0`; numbers are never given again", name.text);
                self.report(Diagnostic::error(codes::S0310, span, message).help(help));
                None
            }
        }
    }

    /// A tuple or type that contains itself would have no end; what remains is put into the order of use.
    fn refuse_recursion(&mut self) {
        let name_of = |ty: &Type| match ty {
            Type::Record(name) => Some((None, name.clone())),
            Type::User { keyspace, name, .. } => Some((Some(keyspace.clone()), name.clone())),
            _ => None,
        };
        let mut uses: BTreeMap<TypeName, (Span, Vec<TypeName>)> = BTreeMap::new();
        for fields in self.model.tuples.iter().chain(&self.model.user_types) {
            let mut inner = Vec::new();
            for field in &fields.fields {
                field.ty.walk(&mut |ty| inner.extend(name_of(ty)));
            }
            uses.insert(
                (fields.keyspace.clone(), fields.name.clone()),
                (fields.span, inner),
            );
        }
        // Types whose uses are all done come next; those that never come are in a circle, or use one.
        let mut rank: BTreeMap<TypeName, usize> = BTreeMap::new();
        loop {
            let ready: Vec<TypeName> = uses
                .iter()
                .filter(|(name, (_, inner))| {
                    !rank.contains_key(*name)
                        && inner
                            .iter()
                            .all(|used| rank.contains_key(used) || !uses.contains_key(used))
                })
                .map(|(name, _)| name.clone())
                .collect();
            if ready.is_empty() {
                break;
            }
            let next = rank.values().max().map_or(0, |rank| rank + 1);
            rank.extend(ready.into_iter().map(|name| (name, next)));
        }
        for (name, (span, _)) in &uses {
            if !rank.contains_key(name) {
                let message = format!("`{}` contains itself", name.1);
                self.diagnostics.push(
                    Diagnostic::error(codes::S0304, *span, message).help(
                        "a value would have no end; refer to the other row by its key instead",
                    ),
                );
            }
        }
        self.model.user_types.sort_by_key(|fields| {
            rank.get(&(fields.keyspace.clone(), fields.name.clone()))
                .copied()
        });
    }
}
