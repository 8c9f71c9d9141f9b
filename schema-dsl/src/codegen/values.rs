//! The module of declared types: enums, tuples, user-defined types.

use super::rust_types::{Default, RustType, derives};
use super::writer::Writer;
use crate::model::{Enum, EnumValue, Fields, Model, Native, Stored};
use crate::names;

pub(super) fn module(model: &Model, out: &mut Writer) {
    if model.enums.is_empty() && model.tuples.is_empty() && model.user_types.is_empty() {
        return;
    }
    out.blank();
    out.doc("Types that columns have: enums, tuples with named fields, user-defined types.");
    out.open("pub mod types");
    out.line("use crate::prelude::*;");
    for enumeration in &model.enums {
        out.blank();
        enum_type(enumeration, out);
    }
    for fields in model.tuples.iter().chain(&model.user_types) {
        out.blank();
        fields_type(model, fields, out);
    }
    out.close();
}

fn enum_type(enumeration: &Enum, out: &mut Writer) {
    let name = &enumeration.name;
    documented(&enumeration.doc, &format!("The enum `{name}`."), out);
    out.line("#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]");
    out.open(&format!("pub enum {name}"));
    for value in &enumeration.values {
        documented(&value.doc, &format!("Stored as `{}`.", value.stored), out);
        out.line(&format!("{},", names::camel(&value.name)));
    }
    out.close();
    out.blank();

    let text = matches!(enumeration.base, Native::Text | Native::Ascii);
    let (stored, argument) = match enumeration.base {
        Native::TinyInt => ("i8", "i8"),
        Native::SmallInt => ("i16", "i16"),
        Native::Int => ("i32", "i32"),
        Native::BigInt => ("i64", "i64"),
        _ => ("&'static str", "&str"),
    };
    let literal = |value: &EnumValue| match &value.stored {
        Stored::Text(text) => format!("{text:?}"),
        Stored::Number(number) => number.to_string(),
    };
    out.open(&format!("impl {name}"));
    out.doc("All values, in the order in which they are described.");
    out.open_with(
        &format!("pub const ALL: [Self; {}] =", enumeration.values.len()),
        "[",
    );
    for value in &enumeration.values {
        out.line(&format!("Self::{},", names::camel(&value.name)));
    }
    out.close_with("];");
    out.blank();
    out.doc("What is stored for it.");
    out.line("#[must_use]");
    out.open(&format!("pub const fn stored(self) -> {stored}"));
    out.open("match self");
    for value in &enumeration.values {
        out.line(&format!(
            "Self::{} => {},",
            names::camel(&value.name),
            literal(value)
        ));
    }
    out.close();
    out.close();
    out.blank();
    out.doc("The value for which this is stored.");
    out.line("#[must_use]");
    out.open(&format!(
        "pub fn of_stored(stored: {argument}) -> Option<Self>"
    ));
    out.open("match stored");
    for value in &enumeration.values {
        out.line(&format!(
            "{} => Some(Self::{}),",
            literal(value),
            names::camel(&value.name)
        ));
    }
    out.line("_ => None,");
    out.close();
    out.close();
    out.close();
    out.blank();

    out.open(&format!("impl Display for {name}"));
    let body = match text {
        true => "f.write_str(self.stored())",
        false => "self.stored().fmt(f)",
    };
    out.function(
        "fn fmt",
        &["&self".to_owned(), "f: &mut Formatter<'_>".to_owned()],
        "FmtResult",
        body,
    );
    out.close();
    out.blank();
    out.open(&format!("impl ToCql for {name}"));
    to_cql("self.stored().to_cql(ty, out)", out);
    out.close();
    out.blank();
    out.open(&format!("impl FromCql for {name}"));
    let owned = if text { "String" } else { stored };
    let by = if text { "&stored" } else { "stored" };
    let body = format!(
        "let stored = {owned}::from_cql(ty, bytes)?;\n\
         Self::of_stored({by}).ok_or_else(|| unknown_value({name:?}, &stored))"
    );
    from_cql(&body, out);
    out.close();
}

fn fields_type(model: &Model, fields: &Fields, out: &mut Writer) {
    let name = names::camel(&fields.name);
    let types: Vec<RustType> = fields
        .fields
        .iter()
        .map(|field| RustType::of(model, &field.ty).optional(field.optional))
        .collect();
    documented(&fields.doc, &format!("`{}`.", fields.name), out);
    let wish = if fields.fields.iter().all(|field| field.optional) {
        Default::IfPossible
    } else {
        Default::Never
    };
    out.line(&derives(&types, wish));
    out.open(&format!("pub struct {name}"));
    for (field, ty) in fields.fields.iter().zip(&types) {
        documented(
            &field.doc,
            &format!("`{} {}`.", field.name, model.cql_type(&field.ty)),
            out,
        );
        out.line(&format!("pub {}: {},", names::snake(&field.name), ty.text));
    }
    out.close();
    out.blank();
    out.open(&format!("impl ToCql for {name}"));
    let mut body = vec!["let mut fields = FieldWriter::new(ty, out);".to_owned()];
    for field in &fields.fields {
        let rust = names::snake(&field.name);
        body.push(match field.optional {
            true => format!("fields.optional(self.{rust}.as_ref())?;"),
            false => format!("fields.value(&self.{rust})?;"),
        });
    }
    body.push("fields.finish()".to_owned());
    to_cql(&body.join("\n"), out);
    out.close();
    out.blank();
    out.open(&format!("impl FromCql for {name}"));
    let mut body = vec![
        "let mut fields = FieldReader::new(ty, bytes)?;".to_owned(),
        "Ok(Self {".to_owned(),
    ];
    for field in &fields.fields {
        let method = if field.optional { "optional" } else { "value" };
        body.push(format!(
            "    {}: fields.{method}({:?})?,",
            names::snake(&field.name),
            field.name
        ));
    }
    body.push("})".to_owned());
    from_cql(&body.join("\n"), out);
    out.close();
}

fn to_cql(body: &str, out: &mut Writer) {
    let arguments = ["&self", "ty: &CqlType", "out: &mut Vec<u8>"].map(str::to_owned);
    out.function("fn to_cql", &arguments, "Result<(), ValueError>", body);
}

fn from_cql(body: &str, out: &mut Writer) {
    let arguments = ["ty: &CqlType", "bytes: &[u8]"].map(str::to_owned);
    out.function("fn from_cql", &arguments, "Result<Self, ValueError>", body);
}

/// What the author wrote, or what can be said without him.
pub(super) fn documented(doc: &str, otherwise: &str, out: &mut Writer) {
    out.doc(if doc.is_empty() { otherwise } else { doc });
}
