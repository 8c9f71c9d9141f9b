//! Statements that change the schema.

use super::{clause, commas, flag, in_parens, print_string, separated};
use crate::ast::{
    AlterKeyspace, AlterTable, AlterTableAction, AlterType, AlterTypeAction, AlterView,
    ColumnDefinition, CreateAggregate, CreateFunction, CreateIndex, CreateKeyspace, CreateTable,
    CreateTrigger, CreateType, CreateView, Direction, IndexTarget, Name, OnNull, PrimaryKey,
    TableOption, TypeName,
};
use std::fmt::{self, Display, Formatter, Write as _};

const IF_EXISTS: &str = "IF EXISTS ";
const IF_NOT_EXISTS: &str = "IF NOT EXISTS ";

impl Display for CreateKeyspace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE KEYSPACE {exists}{}", self.name)?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for AlterKeyspace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_exists, IF_EXISTS);
        write!(f, "ALTER KEYSPACE {exists}{}", self.name)?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for CreateTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE TABLE {exists}{} (", self.name)?;
        commas(f, &self.columns)?;
        if !self.columns.is_empty() && !self.primary_keys.is_empty() {
            f.write_str(", ")?;
        }
        commas(f, &self.primary_keys)?;
        f.write_char(')')?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for ColumnDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.ty)?;
        f.write_str(flag(self.is_static.is_some(), " STATIC"))?;
        f.write_str(flag(self.primary_key.is_some(), " PRIMARY KEY"))
    }
}

impl Display for PrimaryKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("PRIMARY KEY (")?;
        match self.partition.as_slice() {
            [column] => column.fmt(f)?,
            columns => in_parens(f, columns)?,
        }
        for column in &self.clustering {
            write!(f, ", {column}")?;
        }
        f.write_char(')')
    }
}

impl Display for TableOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::CompactStorage(_) => f.write_str("COMPACT STORAGE"),
            Self::ClusteringOrder(columns, _) => {
                f.write_str("CLUSTERING ORDER BY (")?;
                separated(f, ", ", columns, |(column, direction), f| match direction {
                    Direction::Ascending => write!(f, "{column} ASC"),
                    Direction::Descending => write!(f, "{column} DESC"),
                })?;
                f.write_char(')')
            }
            Self::Property(property) => property.fmt(f),
        }
    }
}

impl Display for AlterTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_exists, IF_EXISTS);
        write!(f, "ALTER TABLE {exists}{}", self.name)?;
        self.action.fmt(f)
    }
}

impl Display for AlterTableAction {
    /// With a space before it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add {
                if_not_exists,
                columns,
            } => {
                write!(f, " ADD {}", flag(*if_not_exists, IF_NOT_EXISTS))?;
                one_or_in_parens(f, columns)
            }
            Self::Drop {
                if_exists,
                columns,
                timestamp,
            } => {
                write!(f, " DROP {}", flag(*if_exists, IF_EXISTS))?;
                one_or_in_parens(f, columns)?;
                match timestamp {
                    Some(timestamp) => write!(f, " USING TIMESTAMP {timestamp}"),
                    None => Ok(()),
                }
            }
            Self::DropCompactStorage => f.write_str(" DROP COMPACT STORAGE"),
            Self::Rename { if_exists, names } => rename(f, *if_exists, names),
            Self::AlterColumn { column, ty } => write!(f, " ALTER {column} TYPE {ty}"),
            Self::With(options) => clause(f, " WITH ", options),
        }
    }
}

fn one_or_in_parens<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    match items {
        [item] => item.fmt(f),
        items => in_parens(f, items),
    }
}

fn rename(f: &mut Formatter<'_>, if_exists: bool, names: &[(Name, Name)]) -> fmt::Result {
    write!(f, " RENAME {}", flag(if_exists, IF_EXISTS))?;
    separated(f, " AND ", names, |(from, to), f| {
        write!(f, "{from} TO {to}")
    })
}

fn fields(f: &mut Formatter<'_>, fields: &[(Name, TypeName)]) -> fmt::Result {
    f.write_char('(')?;
    separated(f, ", ", fields, |(name, ty), f| write!(f, "{name} {ty}"))?;
    f.write_char(')')
}

impl Display for CreateType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE TYPE {exists}{} ", self.name)?;
        fields(f, &self.fields)
    }
}

impl Display for AlterType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_exists, IF_EXISTS);
        write!(f, "ALTER TYPE {exists}{}", self.name)?;
        match &self.action {
            AlterTypeAction::Add {
                if_not_exists,
                field,
                ty,
            } => {
                let exists = flag(*if_not_exists, IF_NOT_EXISTS);
                write!(f, " ADD {exists}{field} {ty}")
            }
            AlterTypeAction::Rename { if_exists, names } => rename(f, *if_exists, names),
            AlterTypeAction::AlterField { field, ty } => write!(f, " ALTER {field} TYPE {ty}"),
        }
    }
}

impl Display for CreateIndex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let custom = flag(self.custom, "CUSTOM ");
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE {custom}INDEX {exists}")?;
        if let Some(name) = &self.name {
            write!(f, "{name} ")?;
        }
        write!(f, "ON {} ", self.table)?;
        in_parens(f, &self.targets)?;
        if let Some(class) = &self.using {
            f.write_str(" USING ")?;
            print_string(&class.node, f)?;
        }
        clause(f, " WITH ", &self.options)
    }
}

impl Display for IndexTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => column.fmt(f),
            Self::Columns(columns) => in_parens(f, columns),
            Self::Keys(column) => write!(f, "keys({column})"),
            Self::Values(column) => write!(f, "values({column})"),
            Self::Entries(column) => write!(f, "entries({column})"),
            Self::Full(column) => write!(f, "full({column})"),
        }
    }
}

impl Display for CreateView {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE MATERIALIZED VIEW {exists}{} AS ", self.name)?;
        write!(f, "SELECT {} FROM {}", self.selectors, self.from)?;
        clause(f, " WHERE ", &self.relations)?;
        write!(f, " {}", self.primary_key)?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for AlterView {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_exists, IF_EXISTS);
        write!(f, "ALTER MATERIALIZED VIEW {exists}{}", self.name)?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for CreateFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let replace = flag(self.or_replace, "OR REPLACE ");
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE {replace}FUNCTION {exists}{} ", self.name)?;
        fields(f, &self.parameters)?;
        f.write_str(match self.on_null {
            OnNull::Called => " CALLED",
            OnNull::ReturnsNull => " RETURNS NULL",
        })?;
        write!(f, " ON NULL INPUT RETURNS {} ", self.returns)?;
        write!(f, "LANGUAGE {} AS ", self.language)?;
        print_string(&self.body.node, f)
    }
}

impl Display for CreateAggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let replace = flag(self.or_replace, "OR REPLACE ");
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE {replace}AGGREGATE {exists}{} ", self.name)?;
        in_parens(f, &self.parameters)?;
        write!(
            f,
            " SFUNC {} STYPE {}",
            self.state_function, self.state_type
        )?;
        if let Some(function) = &self.reduce_function {
            write!(f, " REDUCEFUNC {function}")?;
        }
        if let Some(function) = &self.final_function {
            write!(f, " FINALFUNC {function}")?;
        }
        if let Some(initial) = &self.initial {
            write!(f, " INITCOND {initial}")?;
        }
        Ok(())
    }
}

impl Display for CreateTrigger {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_not_exists, IF_NOT_EXISTS);
        let Self { name, table, .. } = self;
        write!(f, "CREATE TRIGGER {exists}{name} ON {table} USING ")?;
        print_string(&self.class.node, f)
    }
}
