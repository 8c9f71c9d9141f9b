//! What the types of columns and fields mean.

use std::collections::BTreeSet;

use super::types::TypeKind;
use super::{Checker, TypeName};
use crate::ast::{Name, TypeArgument, TypeExpr};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::model::{Form, Native, Type};
use crate::source::Span;
use crate::suggest::closest;

/// What a type stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outer {
    /// A column: collections may be stored as cells.
    Column,
    /// A collection stored as cells: what is inside must be frozen.
    Cells,
    /// Something frozen: what is inside is frozen too.
    Frozen,
}

/// The constructors of CQL and how many arguments they take.
pub(super) const CONSTRUCTORS: [&str; 6] = ["frozen", "list", "set", "map", "tuple", "vector"];

impl Checker {
    /// The meaning of a written type; [`Type::Unknown`] if it has none, which has then been reported.
    pub(super) fn resolve(
        &mut self,
        keyspace: Option<&str>,
        expr: &TypeExpr,
        outer: Outer,
    ) -> Type {
        let name = expr.name.text.as_str();
        if CONSTRUCTORS.contains(&name) && !expr.name.quoted {
            return self.resolve_constructor(keyspace, expr, outer);
        }
        let ty = self.resolve_name(keyspace, &expr.name, outer);
        if !expr.arguments.is_empty() && ty != Type::Unknown {
            let message = format!("`{name}` takes no types between `<` and `>`");
            self.report(
                Diagnostic::error(codes::S0302, expr.span, message).help(format!("write `{name}`")),
            );
        }
        ty
    }

    fn resolve_name(&mut self, keyspace: Option<&str>, name: &Name, outer: Outer) -> Type {
        if let Some(native) = Native::of_name(&name.text) {
            if native == Native::Counter && outer != Outer::Column {
                let message = "a counter cannot be inside another type";
                self.report(
                    Diagnostic::error(codes::S0305, name.span, message).help("use `bigint`"),
                );
            }
            return Type::Native(native);
        }
        let by_user: TypeName = (keyspace.map(str::to_owned), name.text.clone());
        let by_name: TypeName = (None, name.text.clone());
        for key in [by_name, by_user] {
            let Some((kind, _)) = self.declared.get(&key) else {
                continue;
            };
            let kind = *kind;
            self.used.insert(key);
            return match kind {
                TypeKind::Tuple => Type::Record(name.text.clone()),
                TypeKind::Enum => Type::Enum(name.text.clone()),
                TypeKind::User => {
                    if outer == Outer::Cells {
                        self.not_frozen(name.span, &name.text);
                    }
                    let form = if outer == Outer::Column {
                        Form::Cells
                    } else {
                        Form::Frozen
                    };
                    Type::User {
                        keyspace: keyspace.unwrap_or("").to_owned(),
                        name: name.text.clone(),
                        form,
                    }
                }
            };
        }
        let elsewhere = self
            .declared
            .keys()
            .find(|(_, other)| *other == name.text)
            .cloned();
        let diagnostic = match elsewhere {
            Some((Some(other), _)) => {
                let message = format!("the type `{}` belongs to the keyspace `{other}`", name.text);
                Diagnostic::error(codes::S0307, name.span, message)
                    .help("CQL looks for types in the keyspace of the table: declare it there, or use a tuple")
            }
            _ => {
                let mut known: BTreeSet<&str> = self
                    .declared
                    .keys()
                    .map(|(_, name)| name.as_str())
                    .collect();
                known.extend(Native::ALL.map(Native::name));
                known.extend(CONSTRUCTORS);
                let suggestion = closest(&name.text, known.iter().copied()).map(str::to_owned);
                Diagnostic::error(
                    codes::S0301,
                    name.span,
                    format!("the type `{}` is unknown", name.text),
                )
                .did_you_mean(suggestion.as_deref())
                .help("types are CQL's, and the tuples, enums and types that the files declare")
            }
        };
        self.report(diagnostic);
        Type::Unknown
    }

    fn not_frozen(&mut self, span: Span, text: &str) {
        let message = format!("`{text}` inside a collection must be frozen");
        let diagnostic = Diagnostic::error(codes::S0303, span, message)
            .help(format!("write `frozen<{text}>`, or freeze the whole"));
        self.report(diagnostic);
    }

    fn resolve_constructor(
        &mut self,
        keyspace: Option<&str>,
        expr: &TypeExpr,
        outer: Outer,
    ) -> Type {
        let name = expr.name.text.as_str();
        let inside = match (name, outer) {
            ("list" | "set" | "map", Outer::Column) => Outer::Cells,
            _ => Outer::Frozen,
        };
        if matches!(name, "list" | "set" | "map") && outer == Outer::Cells {
            self.not_frozen(expr.span, &crate::fmt::type_text(expr));
        }
        let form = if outer == Outer::Column {
            Form::Cells
        } else {
            Form::Frozen
        };
        let mut types = Vec::new();
        let mut numbers = Vec::new();
        for argument in &expr.arguments {
            match argument {
                TypeArgument::Type(ty) => {
                    if let Some(mark) = ty.optional {
                        let message = "a value inside another cannot be absent";
                        let diagnostic = Diagnostic::error(codes::S0313, mark, message).help(
                            "remove the `?`; declare a tuple if a field must be able to be absent",
                        );
                        self.report(diagnostic);
                    }
                    types.push(self.resolve(keyspace, ty, inside));
                }
                TypeArgument::Number(number) => numbers.push(number),
            }
        }
        let spans: Vec<Span> = expr
            .arguments
            .iter()
            .map(|argument| match argument {
                TypeArgument::Type(ty) => ty.span,
                TypeArgument::Number(number) => number.span,
            })
            .collect();
        if matches!(name, "set" | "map") && types.first() == Some(&Type::Native(Native::Duration)) {
            let message =
                "a duration has no order, so it cannot be the element of a set or the key of a map";
            let span = spans.first().copied().unwrap_or(expr.span);
            self.report(
                Diagnostic::error(codes::S0305, span, message)
                    .help("use `bigint` and say in which unit"),
            );
        }
        let mut arguments = types.into_iter().map(Box::new);
        let built = match (
            name,
            arguments.next(),
            arguments.next(),
            arguments.next(),
            numbers.as_slice(),
        ) {
            ("frozen", Some(inner), None, None, []) => return self.frozen(expr, *inner),
            ("list", Some(element), None, None, []) => Some(Type::List(element, form)),
            ("set", Some(element), None, None, []) => Some(Type::Set(element, form)),
            ("map", Some(key), Some(value), None, []) => Some(Type::Map(key, value, form)),
            ("vector", Some(element), None, None, [number]) => return self.vector(element, number),
            ("tuple", Some(first), second, third, []) => {
                let elements = [Some(first), second, third]
                    .into_iter()
                    .flatten()
                    .chain(arguments);
                Some(Type::Tuple(elements.map(|element| *element).collect()))
            }
            _ => None,
        };
        built.unwrap_or_else(|| {
            let shape = match name {
                "map" => "map<key, value>",
                "tuple" => "tuple<a, b>",
                "vector" => "vector<float, 3>",
                "list" => "list<element>",
                "set" => "set<element>",
                _ => "frozen<list<element>>",
            };
            let message = format!("`{name}` has the wrong number of types between `<` and `>`");
            self.report(
                Diagnostic::error(codes::S0302, expr.span, message)
                    .help(format!("write it as `{shape}`")),
            );
            Type::Unknown
        })
    }

    fn frozen(&mut self, expr: &TypeExpr, inner: Type) -> Type {
        match inner {
            Type::Native(_) | Type::Enum(_) => {
                let message = "`frozen` is for collections, tuples and user-defined types";
                self.report(
                    Diagnostic::error(codes::S0302, expr.span, message)
                        .help("remove the `frozen<...>`"),
                );
                inner
            }
            Type::List(..) | Type::Set(..) | Type::Map(..) | Type::User { .. } => inner,
            Type::Tuple(_) | Type::Vector(..) | Type::Record(_) | Type::Unknown => inner,
        }
    }

    fn vector(&mut self, element: Box<Type>, number: &Name) -> Type {
        const DIMENSIONS_MAX: u16 = 8192;
        match number.text.parse::<u16>() {
            Ok(dimensions) if (1..=DIMENSIONS_MAX).contains(&dimensions) => {
                Type::Vector(element, dimensions)
            }
            Ok(_) | Err(_) => {
                let message = format!("`{}` is no number of dimensions", number.text);
                let help = format!("use a number from 1 to {DIMENSIONS_MAX}");
                self.report(Diagnostic::error(codes::S0306, number.span, message).help(help));
                Type::Unknown
            }
        }
    }
}
