//! Markdown pages: what each table is, where it lives, and what each column means.

use crate::ast::{Order, Role};
use crate::model::{Column, Enum, EnumValue, Field, Fields, Model, Stored, Table, Type};
use crate::options::OptionValue;

/// One page for all tables and types, with a list of contents.
pub fn markdown(model: &Model) -> String {
    let mut out = String::from("# Tables\n");
    if !model.tables.is_empty() {
        out.push_str("\n| table | home | what it is |\n|---|---|---|\n");
        for table in &model.tables {
            let name = table.full_name();
            let first = sentence(&table.doc);
            out.push_str(&format!(
                "| [`{name}`](#{}) | {} | {} |\n",
                anchor(&name),
                table.home.keyword(),
                cell(&first)
            ));
        }
    }
    for table in &model.tables {
        table_section(model, table, &mut out);
    }
    if !(model.tuples.is_empty() && model.enums.is_empty() && model.user_types.is_empty()) {
        out.push_str("\n# Types\n");
    }
    for fields in &model.user_types {
        let name = format!(
            "{}.{}",
            fields.keyspace.as_deref().unwrap_or(""),
            fields.name
        );
        fields_section(model, fields, &name, "user-defined type", &mut out);
    }
    for tuple in &model.tuples {
        fields_section(model, tuple, &tuple.name, "tuple", &mut out);
    }
    for enumeration in &model.enums {
        enum_section(enumeration, &mut out);
    }
    out
}

fn table_section(model: &Model, table: &Table, out: &mut String) {
    out.push_str(&format!("\n## `{}`\n", table.full_name()));
    paragraph(&table.doc, out);
    out.push_str(&format!(
        "\n- Home: {}.\n- Id: `{}`.\n",
        table.home.keyword(),
        table.id
    ));
    if table.since > 1 {
        out.push_str(&format!("- Since version {}.\n", table.since));
    }
    if let Some(partitioner) = &table.partitioner {
        out.push_str(&format!("- Partitioner: `{partitioner}`.\n"));
    }
    for (spec, value) in &table.options.set {
        let value = match value {
            OptionValue::Number(text) | OptionValue::Text(text) => text.clone(),
            OptionValue::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        };
        out.push_str(&format!("- `{}`: `{value}`.\n", spec.cql));
    }
    out.push_str("\n| column | kind | type | |\n|---|---|---|---|\n");
    for role in Role::ALL {
        for column in table.with_role(role) {
            column_line(model, column, out);
        }
    }
}

fn column_line(model: &Model, column: &Column, out: &mut String) {
    let kind = match column.role {
        Role::Partition => "partition key",
        Role::Clustering => "clustering",
        Role::Static => "static",
        Role::Regular => "regular",
        Role::Retired => "retired",
    };
    let descending = if column.order == Order::Descending {
        ", descending"
    } else {
        ""
    };
    let optional = if column.optional {
        ", may be absent"
    } else {
        ""
    };
    let mut remarks: Vec<String> = Vec::new();
    if !column.doc.is_empty() {
        remarks.push(column.doc.clone());
    }
    remarks.extend(
        named_types(&column.ty)
            .into_iter()
            .map(|name| format!("See [`{name}`](#{}).", anchor(&name))),
    );
    if column.since > 1 {
        remarks.push(format!("Since version {}.", column.since));
    }
    out.push_str(&format!(
        "| `{}` | {kind}{descending} | `{}`{optional} | {} |\n",
        column.name,
        model.cql_type(&column.ty).replace('|', "\\|"),
        cell(&remarks.join(" "))
    ));
}

fn named_types(ty: &Type) -> Vec<String> {
    let mut names = Vec::new();
    ty.walk(&mut |ty| match ty {
        Type::Record(name) | Type::Enum(name) => names.push(name.clone()),
        Type::User { keyspace, name, .. } => names.push(format!("{keyspace}.{name}")),
        Type::Native(_) | Type::List(..) | Type::Set(..) | Type::Map(..) => {}
        Type::Tuple(_) | Type::Vector(..) | Type::Unknown => {}
    });
    names.dedup();
    names
}

fn fields_section(model: &Model, fields: &Fields, name: &str, what: &str, out: &mut String) {
    out.push_str(&format!("\n## `{name}`\n"));
    paragraph(&fields.doc, out);
    out.push_str(&format!(
        "\nA {what}.\n\n| field | type | |\n|---|---|---|\n"
    ));
    for Field {
        name,
        ty,
        optional,
        doc,
        ..
    } in &fields.fields
    {
        let optional = if *optional { ", may be absent" } else { "" };
        out.push_str(&format!(
            "| `{name}` | `{}`{optional} | {} |\n",
            model.cql_type(ty),
            cell(doc)
        ));
    }
}

fn enum_section(enumeration: &Enum, out: &mut String) {
    out.push_str(&format!("\n## `{}`\n", enumeration.name));
    paragraph(&enumeration.doc, out);
    out.push_str(&format!(
        "\nAn enum, stored as `{}`.\n\n| value | |\n|---|---|\n",
        enumeration.base.name()
    ));
    for value in &enumeration.values {
        out.push_str(&format!("| {} | {} |\n", shown(value), cell(&value.doc)));
    }
    for value in &enumeration.retired {
        let doc = if value.doc.is_empty() {
            "retired".to_owned()
        } else {
            format!("retired: {}", value.doc)
        };
        out.push_str(&format!("| {} | {} |\n", shown(value), cell(&doc)));
    }
}

fn shown(value: &EnumValue) -> String {
    match &value.stored {
        Stored::Text(text) => format!("`{text}`"),
        Stored::Number(number) => format!("`{number}`, {}", value.name),
    }
}

fn paragraph(doc: &str, out: &mut String) {
    if !doc.is_empty() {
        out.push('\n');
        out.push_str(doc);
        out.push('\n');
    }
}

fn sentence(doc: &str) -> String {
    doc.lines().next().unwrap_or("").to_owned()
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// What Markdown renderers make of a heading.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '_' || *c == '-')
        .flat_map(char::to_lowercase)
        .collect()
}
