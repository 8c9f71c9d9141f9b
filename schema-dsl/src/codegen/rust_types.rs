//! Which Rust type stands for which CQL type.

use crate::model::{Fields, Model, Native, Type};
use crate::names;

/// A Rust type with what the generator must know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RustType {
    /// `String`, `Vec<TabletReplica>`
    pub(super) text: String,
    copy: bool,
    ordered: bool,
    default: bool,
}

impl RustType {
    fn new(text: &str, copy: bool, ordered: bool, default: bool) -> Self {
        Self {
            text: text.to_owned(),
            copy,
            ordered,
            default,
        }
    }

    pub(super) fn of(model: &Model, ty: &Type) -> Self {
        let plain = |text: &str| Self::new(text, true, true, true);
        match ty {
            Type::Native(native) => match native {
                Native::Ascii | Native::Text => Self::new("String", false, true, true),
                Native::Blob => Self::new("Vec<u8>", false, true, true),
                Native::BigInt | Native::Counter => plain("i64"),
                Native::Int => plain("i32"),
                Native::SmallInt => plain("i16"),
                Native::TinyInt => plain("i8"),
                Native::Boolean => plain("bool"),
                Native::Date => plain("Date"),
                Native::Time => plain("Time"),
                Native::Timestamp => plain("Timestamp"),
                Native::Uuid | Native::TimeUuid => plain("Uuid"),
                Native::Inet => Self::new("IpAddr", true, true, false),
                Native::Double => Self::new("f64", true, false, true),
                Native::Float => Self::new("f32", true, false, true),
                Native::Duration => Self::new("CqlDuration", true, false, true),
                Native::Decimal | Native::Varint => Self::new("Serialized", false, false, true),
            },
            Type::List(element, _) | Type::Vector(element, _) => {
                let element = Self::of(model, element);
                Self::new(
                    &format!("Vec<{}>", element.text),
                    false,
                    element.ordered,
                    true,
                )
            }
            Type::Set(element, _) => {
                let element = Self::of(model, element);
                Self::new(
                    &format!("BTreeSet<{}>", element.text),
                    false,
                    element.ordered,
                    true,
                )
            }
            Type::Map(key, value, _) => {
                let (key, value) = (Self::of(model, key), Self::of(model, value));
                let text = format!("BTreeMap<{}, {}>", key.text, value.text);
                Self::new(&text, false, key.ordered && value.ordered, true)
            }
            Type::Tuple(elements) => {
                let elements: Vec<Self> = elements
                    .iter()
                    .map(|element| Self::of(model, element))
                    .collect();
                let texts: Vec<&str> = elements
                    .iter()
                    .map(|element| element.text.as_str())
                    .collect();
                let comma = if texts.len() == 1 { "," } else { "" };
                let all = |test: fn(&Self) -> bool| elements.iter().all(test);
                let text = format!("({}{comma})", texts.join(", "));
                Self::new(
                    &text,
                    all(|ty| ty.copy),
                    all(|ty| ty.ordered),
                    all(|ty| ty.default),
                )
            }
            Type::Record(name) => Self::record(model, model.tuple(name), name),
            Type::User { keyspace, name, .. } => {
                Self::record(model, model.user_type(keyspace, name), name)
            }
            Type::Enum(name) => Self::new(name, true, true, false),
            Type::Unknown => plain("()"),
        }
    }

    fn record(model: &Model, fields: Option<&Fields>, name: &str) -> Self {
        let types: Vec<Self> = match fields {
            Some(fields) => fields
                .fields
                .iter()
                .map(|field| Self::of(model, &field.ty).optional(field.optional))
                .collect(),
            None => Vec::new(),
        };
        let all = |test: fn(&Self) -> bool| types.iter().all(test);
        Self::new(
            &names::camel(name),
            all(|ty| ty.copy),
            all(|ty| ty.ordered),
            all(|ty| ty.default),
        )
    }

    /// `Option<...>` of it if it may be absent.
    pub(super) fn optional(self, optional: bool) -> Self {
        match optional {
            true => Self {
                text: format!("Option<{}>", self.text),
                default: true,
                ..self
            },
            false => self,
        }
    }

    /// Has it `Ord`, `Eq` and `Hash`?
    pub(super) fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// How a function takes it, and how its body turns that into a reference.
    pub(super) fn argument(&self) -> (String, &'static str) {
        match self.text.as_str() {
            "String" => ("&str".to_owned(), ""),
            "Vec<u8>" => ("&[u8]".to_owned(), ""),
            text if self.copy => (text.to_owned(), "&"),
            text => (format!("&{text}"), ""),
        }
    }
}

/// The `derive` line of a struct with these fields.
pub(super) fn derives(fields: &[RustType], wish: Default) -> String {
    let all = |test: fn(&RustType) -> bool| fields.iter().all(test);
    let mut traits = vec!["Clone"];
    if all(|ty| ty.copy) {
        traits.push("Copy");
    }
    traits.push("Debug");
    if wish == Default::IfPossible && all(|ty| ty.default) {
        traits.push("Default");
    }
    traits.push("PartialEq");
    if all(|ty| ty.ordered) {
        traits.extend(["Eq", "PartialOrd", "Ord", "Hash"]);
    }
    format!("#[derive({})]", traits.join(", "))
}

/// Whether an empty value makes sense.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Default {
    /// All fields absent or empty is a value like others.
    IfPossible,
    /// It would be a value that nobody meant.
    Never,
}
