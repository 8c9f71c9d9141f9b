//! Names in CQL text: when they need quotes.

use std::borrow::Cow;

/// Words that a name may only be in quotes, in order.
pub const RESERVED_WORDS: [&str; 64] = [
    "add",
    "allow",
    "alter",
    "and",
    "apply",
    "asc",
    "authorize",
    "batch",
    "begin",
    "by",
    "columnfamily",
    "create",
    "default",
    "delete",
    "desc",
    "describe",
    "drop",
    "entries",
    "execute",
    "false",
    "from",
    "full",
    "grant",
    "if",
    "in",
    "index",
    "infinity",
    "insert",
    "into",
    "is",
    "keyspace",
    "limit",
    "materialized",
    "mbean",
    "mbeans",
    "modify",
    "nan",
    "norecursive",
    "not",
    "null",
    "of",
    "on",
    "or",
    "order",
    "primary",
    "rename",
    "replace",
    "revoke",
    "schema",
    "select",
    "set",
    "table",
    "to",
    "token",
    "true",
    "truncate",
    "unlogged",
    "unset",
    "update",
    "use",
    "using",
    "view",
    "where",
    "with",
];

/// A name as it must stand in CQL text: in double quotes unless it is a plain lower-case word.
#[must_use]
pub fn quoted(name: &str) -> Cow<'_, str> {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && RESERVED_WORDS.binary_search(&name).is_err()
        && !may_be_duration(name);
    match plain {
        true => Cow::Borrowed(name),
        false => Cow::Owned(format!("\"{}\"", name.replace('"', "\"\""))),
    }
}

/// Whether a parser may take the word for a duration as ISO 8601 writes it, such as `p1d` or `pt5m`.
fn may_be_duration(word: &str) -> bool {
    let rest = word.strip_prefix("pt").or(word.strip_prefix('p'));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_go_without_quotes() {
        assert!(RESERVED_WORDS.is_sorted());
        assert_eq!(quoted("plain_1"), "plain_1");
        assert_eq!(quoted("Upper"), "\"Upper\"");
        assert_eq!(quoted("1st"), "\"1st\"");
        assert_eq!(quoted("table"), "\"table\"");
        assert_eq!(quoted("true"), "\"true\"");
        assert_eq!(quoted("p1d"), "\"p1d\"");
        assert_eq!(quoted("pt"), "pt");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
