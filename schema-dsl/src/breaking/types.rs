//! Differences of enums, tuples and user-defined types.

use super::Findings;
use crate::codes;
use crate::model::{Enum, Fields, Model, Stored, Table, Type};

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    for before in &old.user_types {
        let keyspace = before.keyspace.as_deref().unwrap_or("");
        match new.user_type(keyspace, &before.name) {
            Some(now) => fields(old, new, before, now, findings),
            None => {
                let message = format!("the type `{keyspace}.{}` is gone", before.name);
                findings.add(codes::B204, None, Some(before.span), message);
            }
        }
    }
    for before in &old.tuples {
        match new.tuple(&before.name) {
            Some(now) => fields(old, new, before, now, findings),
            None if uses(old, &before.name) => {
                findings.add(
                    codes::B304,
                    None,
                    Some(before.span),
                    format!("the tuple `{}` is gone", before.name),
                );
            }
            None => {}
        }
    }
    for before in &old.enums {
        match new.enumeration(&before.name) {
            Some(now) => values(before, now, findings),
            None if uses(old, &before.name) => {
                findings.add(
                    codes::B304,
                    None,
                    Some(before.span),
                    format!("the enum `{}` is gone", before.name),
                );
            }
            None => {}
        }
    }
}

fn uses(model: &Model, name: &str) -> bool {
    let in_table = |table: &Table| {
        let mut found = false;
        for column in &table.columns {
            column.ty.walk(&mut |ty| {
                found |= matches!(ty, Type::Record(used) | Type::Enum(used) if used == name);
            });
        }
        found
    };
    model.tables.iter().any(in_table)
}

fn fields(old: &Model, new: &Model, before: &Fields, now: &Fields, findings: &mut Findings) {
    for (place, was) in before.fields.iter().enumerate() {
        let Some(is) = now.fields.get(place) else {
            let message = format!("the field `{}` of `{}` was removed", was.name, now.name);
            findings.add(codes::B110, Some(now.span), Some(was.span), message);
            continue;
        };
        let (old_type, new_type) = (old.cql_type(&was.ty), new.cql_type(&is.ty));
        let name = format!("`{}` of `{}`", is.name, now.name);
        if old_type != new_type {
            let message = format!(
                "field {} of `{}` was `{old_type}` and is `{new_type}`",
                place + 1,
                now.name
            );
            findings.add(codes::B110, Some(is.span), Some(was.span), message);
        } else if was.name != is.name {
            // The names of a tuple's fields are ours alone; those of a user-defined type are CQL's.
            let code = if before.keyspace.is_some() {
                codes::B204
            } else {
                codes::B304
            };
            let message = format!(
                "the field `{}` of `{}` is now called `{}`",
                was.name, now.name, is.name
            );
            findings.add(code, Some(is.span), Some(was.span), message);
        }
        match (was.optional, is.optional) {
            (true, false) => findings.add(
                codes::B301,
                Some(is.span),
                Some(was.span),
                format!("{name} was optional"),
            ),
            (false, true) => {
                findings.add(
                    codes::B302,
                    Some(is.span),
                    Some(was.span),
                    format!("{name} has become optional"),
                );
            }
            (true, true) | (false, false) => {}
        }
    }
    for is in now.fields.iter().skip(before.fields.len()) {
        let grows = before.keyspace.is_some() && is.optional;
        if !grows {
            let message = format!("the field `{}` of `{}` is new", is.name, now.name);
            findings.add(codes::B110, Some(is.span), Some(before.span), message);
        }
    }
}

fn values(before: &Enum, now: &Enum, findings: &mut Findings) {
    if before.base != now.base {
        let message = format!(
            "the enum `{}` was stored as {} and is as {}",
            now.name,
            before.base.name(),
            now.base.name()
        );
        findings.add(codes::B107, Some(now.span), Some(before.span), message);
        return;
    }
    for was in &before.values {
        let same_name = now.values.iter().find(|value| value.name == was.name);
        let same_stored = now.values.iter().find(|value| value.stored == was.stored);
        let retired = now.retired.iter().find(|value| value.stored == was.stored);
        match (same_name, same_stored, retired) {
            (Some(is), _, _) if is.stored == was.stored => {}
            (Some(is), _, _) => {
                let message = format!(
                    "the value `{}` of `{}` was stored as {} and is as {}",
                    was.name, now.name, was.stored, is.stored
                );
                findings.add(codes::B107, Some(is.span), Some(was.span), message);
            }
            (None, Some(is), _) => {
                let message = format!(
                    "the value `{}` of `{}` is now called `{}`",
                    was.name, now.name, is.name
                );
                findings.add(codes::B304, Some(is.span), Some(was.span), message);
            }
            (None, None, Some(retired)) => {
                let message = format!("the value `{}` of `{}` was retired", was.name, now.name);
                findings.add(codes::B303, Some(retired.span), Some(was.span), message);
            }
            (None, None, None) => {
                // A number may be given again by mistake; a text that nobody writes cannot come back as another.
                let code = match was.stored {
                    Stored::Number(_) => codes::B107,
                    Stored::Text(_) => codes::B303,
                };
                let message = format!("the value `{}` of `{}` was removed", was.name, now.name);
                findings.add(code, Some(now.span), Some(was.span), message);
            }
        }
    }
    for was in &before.retired {
        if let Some(is) = now.values.iter().find(|value| value.stored == was.stored) {
            let message = format!(
                "the value `{}` of `{}` was retired and is used again",
                is.name, now.name
            );
            findings.add(codes::B113, Some(is.span), Some(was.span), message);
        }
    }
}
