//! Differences of tables and their columns.

use super::Findings;
use crate::ast::Role;
use crate::codes;
use crate::model::{Column, Model, Table};

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    for before in &old.tables {
        let full = before.full_name();
        let retired = new
            .retired_tables
            .iter()
            .find(|table| table.keyspace == before.keyspace && table.name == before.name);
        let now = new.tables.iter().find(|table| table.full_name() == full);
        match (now, retired) {
            (Some(now), _) => Pair {
                old,
                new,
                before,
                now,
            }
            .compare(findings),
            (None, Some(retired)) => {
                findings.add(
                    codes::B201,
                    Some(retired.span),
                    Some(before.span),
                    format!("the table `{full}` is gone"),
                );
            }
            (None, None) => {
                findings.add(
                    codes::B109,
                    None,
                    Some(before.span),
                    format!("the table `{full}` was removed"),
                );
            }
        }
    }
    for before in &old.retired_tables {
        let now = new
            .tables
            .iter()
            .find(|table| table.keyspace == before.keyspace && table.name == before.name);
        if let Some(now) = now {
            let message = format!(
                "the table `{}` was retired and is used again",
                now.full_name()
            );
            findings.add(codes::B113, Some(now.span), Some(before.span), message);
        }
    }
}

/// One table in two versions.
struct Pair<'a> {
    old: &'a Model,
    new: &'a Model,
    before: &'a Table,
    now: &'a Table,
}

impl Pair<'_> {
    fn compare(&self, findings: &mut Findings) {
        let Self { before, now, .. } = self;
        let full = now.full_name();
        let mut table = |code, differs: bool, message: String| {
            if differs {
                findings.add(code, Some(now.span), Some(before.span), message);
            }
        };
        let (was, is) = (before.home.keyword(), now.home.keyword());
        table(
            codes::B104,
            was != is,
            format!("the home of `{full}` was `{was}` and is `{is}`"),
        );
        table(
            codes::B105,
            before.id != now.id,
            format!("the id of `{full}` was {} and is {}", before.id, now.id),
        );
        table(
            codes::B111,
            before.partitioner != now.partitioner,
            format!("`{full}` has another partitioner"),
        );
        let undocumented = !before.doc.is_empty() && now.doc.is_empty();
        table(
            codes::B401,
            undocumented,
            format!("`{full}` has lost its documentation"),
        );

        self.key(findings);
        self.columns(findings);
    }

    fn key(&self, findings: &mut Findings) {
        let Self { before, now, .. } = self;
        for role in [Role::Partition, Role::Clustering] {
            let was: Vec<&str> = before
                .with_role(role)
                .map(|column| column.name.as_str())
                .collect();
            let is: Vec<&str> = now
                .with_role(role)
                .map(|column| column.name.as_str())
                .collect();
            // A change of a column's type or direction is found with the column.
            if was != is {
                let what = if role == Role::Partition {
                    "partition key"
                } else {
                    "clustering key"
                };
                let message = format!(
                    "the {what} of `{}` was ({}) and is ({})",
                    now.full_name(),
                    was.join(", "),
                    is.join(", ")
                );
                findings.add(codes::B102, Some(now.span), Some(before.span), message);
            }
        }
    }

    fn columns(&self, findings: &mut Findings) {
        for before in &self.before.columns {
            let same_name = |column: &&Column| column.name == before.name;
            let now = self.now.columns.iter().find(same_name);
            match now {
                Some(now) => self.column(before, now, findings),
                None if before.role.is_key() => {}
                None => {
                    let message = format!(
                        "the column `{}` of `{}` was removed",
                        before.name,
                        self.now.full_name()
                    );
                    findings.add(codes::B108, Some(self.now.span), Some(before.span), message);
                }
            }
        }
        for now in &self.now.columns {
            let is_new = !self
                .before
                .columns
                .iter()
                .any(|before| before.name == now.name);
            let mandatory = matches!(now.role, Role::Static | Role::Regular)
                && !now.optional
                && !now.ty.is_multi_cell();
            if is_new && mandatory {
                let message = format!(
                    "the new column `{}` of `{}` is mandatory",
                    now.name,
                    self.now.full_name()
                );
                findings.add(codes::B305, Some(now.span), None, message);
            }
        }
    }

    fn column(&self, before: &Column, now: &Column, findings: &mut Findings) {
        let name = format!("`{}` of `{}`", now.name, self.now.full_name());
        let mut add =
            |code, message| findings.add(code, Some(now.span), Some(before.span), message);
        let (was, is) = (self.old.cql_type(&before.ty), self.new.cql_type(&now.ty));
        if was != is {
            add(
                codes::B101,
                format!("the type of {name} was `{was}` and is `{is}`"),
            );
        } else if before.number != now.number && !before.role.is_key() && !now.role.is_key() {
            let number = |column: &Column| {
                column
                    .number
                    .map_or("none".to_owned(), |number| number.to_string())
            };
            add(
                codes::B112,
                format!(
                    "the number of {name} was {} and is {}",
                    number(before),
                    number(now)
                ),
            );
        }
        if before.order != now.order {
            add(codes::B103, format!("the direction of {name} has changed"));
        }
        match (before.role, now.role) {
            (was, is) if was == is => {}
            (Role::Static | Role::Regular, Role::Retired) => {
                add(codes::B202, format!("{name} was retired"));
                return;
            }
            (Role::Retired, _) => {
                add(codes::B113, format!("{name} was retired and is used again"));
                return;
            }
            // Found with the key.
            (was, is) if was.is_key() && is.is_key() => {}
            (was, is) => {
                add(
                    codes::B106,
                    format!("{name} was `{}` and is `{}`", was.keyword(), is.keyword()),
                );
            }
        }
        match (before.optional, now.optional) {
            (true, false) if now.role != Role::Retired => {
                add(codes::B301, format!("{name} was optional"))
            }
            (false, true) if now.role != Role::Retired => {
                add(codes::B302, format!("{name} has become optional"))
            }
            (true | false, _) => {}
        }
        if !before.doc.is_empty() && now.doc.is_empty() {
            add(codes::B401, format!("{name} has lost its documentation"));
        }
    }
}
