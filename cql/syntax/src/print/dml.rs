//! Statements that read and write rows.

use super::{clause, commas, flag, in_parens, separated};
use crate::ast::{
    Assignment, AssignmentOp, Batch, BatchKind, BatchStatement, BatchStatementKind, Condition,
    ConditionKind, Delete, InValues, Insert, InsertSource, JsonDefault, Left, OrderBy,
    OrderByColumn, Relation, Select, Selector, Selectors, Target, Test, Update, Using, UsingKind,
    UsingParameter,
};
use std::fmt::{self, Display, Formatter, Write as _};

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let json = flag(self.json, "JSON ");
        let distinct = flag(self.distinct, "DISTINCT ");
        write!(
            f,
            "SELECT {json}{distinct}{} FROM {}",
            self.selectors, self.from
        )?;
        clause(f, " WHERE ", &self.relations)?;
        if !self.group_by.is_empty() {
            f.write_str(" GROUP BY ")?;
            commas(f, &self.group_by)?;
        }
        if !self.order_by.is_empty() {
            f.write_str(" ORDER BY ")?;
            commas(f, &self.order_by)?;
        }
        if let Some(limit) = &self.per_partition_limit {
            write!(f, " PER PARTITION LIMIT {limit}")?;
        }
        if let Some(limit) = &self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        f.write_str(flag(self.allow_filtering.is_some(), " ALLOW FILTERING"))?;
        f.write_str(flag(self.bypass_cache.is_some(), " BYPASS CACHE"))?;
        self.using.fmt(f)
    }
}

impl Display for Selectors {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) => f.write_char('*'),
            Self::List(selectors) => commas(f, selectors),
        }
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        match &self.alias {
            Some(alias) => write!(f, " AS {alias}"),
            None => Ok(()),
        }
    }
}

impl Display for OrderByColumn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.column.fmt(f)?;
        match &self.by {
            OrderBy::Ascending => f.write_str(" ASC"),
            OrderBy::Descending => f.write_str(" DESC"),
            OrderBy::Nearest(vector) => write!(f, " ANN OF {vector}"),
        }
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (&self.left, &self.test) {
            (Left::Index(index), Test::Matches(value)) => write!(f, "expr({index}, {value})"),
            (left, test) => write!(f, "{left} {test}"),
        }
    }
}

impl Display for Left {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => column.fmt(f),
            Self::Columns(columns) => in_parens(f, columns),
            Self::Token(columns) => {
                f.write_str("token")?;
                in_parens(f, columns)
            }
            Self::Element { column, key } => write!(f, "{column}[{key}]"),
            Self::Field { column, field } => write!(f, "{column}.{field}"),
            Self::Index(index) => write!(f, "expr({index})"),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison, value) => write!(f, "{} {value}", comparison.node.symbol()),
            Self::In(values) => write!(f, "IN {values}"),
            Self::NotIn(values) => write!(f, "NOT IN {values}"),
            Self::Contains(value) => write!(f, "CONTAINS {value}"),
            Self::ContainsKey(key) => write!(f, "CONTAINS KEY {key}"),
            Self::NotContains(value) => write!(f, "NOT CONTAINS {value}"),
            Self::NotContainsKey(key) => write!(f, "NOT CONTAINS KEY {key}"),
            Self::Like(pattern) => write!(f, "LIKE {pattern}"),
            Self::Between(low, high) => write!(f, "BETWEEN {low} AND {high}"),
            Self::IsNotNull => f.write_str("IS NOT NULL"),
            Self::Matches(value) => write!(f, "MATCHES {value}"),
        }
    }
}

impl Display for InValues {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(values) => in_parens(f, values),
            Self::Marker(marker) => marker.fmt(f),
        }
    }
}

impl Display for Using {
    /// With a space before it, or nothing at all.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        clause(f, " USING ", &self.parameters)
    }
}

impl Display for UsingParameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = match self.kind {
            UsingKind::Timestamp => "TIMESTAMP",
            UsingKind::Ttl => "TTL",
            UsingKind::Timeout => "TIMEOUT",
        };
        write!(f, "{word} {}", self.value)
    }
}

impl Display for Insert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "INSERT INTO {} ", self.table)?;
        match &self.source {
            InsertSource::Values {
                columns, values, ..
            } => {
                in_parens(f, columns)?;
                f.write_str(" VALUES ")?;
                in_parens(f, values)?;
            }
            InsertSource::Json { value, default } => {
                write!(f, "JSON {value}")?;
                f.write_str(flag(*default == JsonDefault::Unset, " DEFAULT UNSET"))?;
            }
        }
        f.write_str(flag(self.if_not_exists.is_some(), " IF NOT EXISTS"))?;
        self.using.fmt(f)
    }
}

impl Display for Update {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "UPDATE {}{} SET ", self.table, self.using)?;
        commas(f, &self.assignments)?;
        clause(f, " WHERE ", &self.relations)?;
        if_clause(f, self.condition.as_ref())
    }
}

impl Display for Assignment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { target, value, .. } = self;
        match self.op {
            AssignmentOp::Set => write!(f, "{target} = {value}"),
            AssignmentOp::Add => write!(f, "{target} = {target} + {value}"),
            AssignmentOp::Subtract => write!(f, "{target} = {target} - {value}"),
            AssignmentOp::Prepend => write!(f, "{target} = {value} + {target}"),
        }
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => column.fmt(f),
            Self::Element { column, key } => write!(f, "{column}[{key}]"),
            Self::Field { column, field } => write!(f, "{column}.{field}"),
        }
    }
}

impl Display for Delete {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("DELETE ")?;
        if !self.targets.is_empty() {
            commas(f, &self.targets)?;
            f.write_char(' ')?;
        }
        write!(f, "FROM {}{}", self.table, self.using)?;
        clause(f, " WHERE ", &self.relations)?;
        if_clause(f, self.condition.as_ref())
    }
}

fn if_clause(f: &mut Formatter<'_>, condition: Option<&Condition>) -> fmt::Result {
    match condition.map(|condition| &condition.kind) {
        None => Ok(()),
        Some(ConditionKind::Exists) => f.write_str(" IF EXISTS"),
        Some(ConditionKind::All(relations)) => clause(f, " IF ", relations),
    }
}

impl Display for Batch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            BatchKind::Logged => "",
            BatchKind::Unlogged => "UNLOGGED ",
            BatchKind::Counter => "COUNTER ",
        };
        write!(f, "BEGIN {kind}BATCH{} ", self.using)?;
        separated(f, "", &self.statements, |statement, f| {
            write!(f, "{statement}; ")
        })?;
        f.write_str("APPLY BATCH")
    }
}

impl Display for BatchStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            BatchStatementKind::Insert(insert) => insert.fmt(f),
            BatchStatementKind::Update(update) => update.fmt(f),
            BatchStatementKind::Delete(delete) => delete.fmt(f),
        }
    }
}
