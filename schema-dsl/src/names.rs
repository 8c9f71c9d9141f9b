//! Names: what CQL accepts, how CQL quotes them, and what they are called in Rust.

/// The longest name of a keyspace or table.
pub const NAME_BYTES_MAX: usize = 48;

/// Words that CQL takes for its own unless they are quoted, sorted.
const CQL_RESERVED: [&str; 64] = [
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

/// Words that Rust takes for its own and that may be written `r#word`, sorted.
const RUST_KEYWORDS: [&str; 47] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "yield",
];

/// Is this a name that CQL reads as itself without quotes, as `table_id`?
pub fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The name as CQL text: quoted if it must be.
pub fn cql(name: &str) -> String {
    // A `p` and a number may be a duration, such as `p1d`.
    let rest = name.strip_prefix("pt").or(name.strip_prefix('p'));
    let is_duration = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if is_plain(name) && !is_duration && CQL_RESERVED.binary_search(&name).is_err() {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// The name as the language writes it: quoted only where it is not plain.
pub fn dsl(name: &str) -> String {
    if is_plain(name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A text as a CQL literal.
pub fn cql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The name of a field, function or module in Rust: `last_token`, `r#type`, `index_info` of `IndexInfo`.
pub fn snake(name: &str) -> String {
    let mut out = bare_snake(name);
    if RUST_KEYWORDS.binary_search(&out.as_str()).is_ok() {
        out.insert_str(0, "r#");
    } else if matches!(out.as_str(), "self" | "super" | "crate" | "_" | "")
        || out.starts_with(|c: char| c.is_numeric())
    {
        out.push('_');
    }
    out
}

/// As [`snake`], but without the `r#` of keywords, for use inside a longer name.
pub fn bare_snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut previous = '_';
    for c in name.chars() {
        if c.is_uppercase() && previous != '_' && !previous.is_uppercase() {
            out.push('_');
        }
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') {
            out.push('_');
        }
        previous = c;
    }
    out
}

/// The name of a type or variant in Rust: `TabletTaskInfo` of `tablet_task_info`.
pub fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = true;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    if out == "Self" || out.is_empty() {
        out.push('_');
    }
    if out.starts_with(|c: char| c.is_numeric()) {
        out.insert(0, '_');
    }
    out
}

/// Is this the name of a tuple or an enum, as `TabletStage`?
pub fn is_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(CQL_RESERVED.is_sorted());
        assert!(RUST_KEYWORDS.is_sorted());
    }

    #[test]
    fn names_in_three_languages() {
        assert_eq!(cql("index"), "\"index\"");
        assert_eq!(cql("IndexInfo"), "\"IndexInfo\"");
        assert_eq!(cql("last_token"), "last_token");
        assert_eq!(snake("type"), "r#type");
        assert_eq!(snake("IndexInfo"), "index_info");
        assert_eq!(snake("system$dummy"), "system_dummy");
        assert_eq!(snake("2nd"), "2nd_");
        assert_eq!(camel("allow_write_both"), "AllowWriteBoth");
        assert_eq!(camel("NORMAL"), "NORMAL");
        assert_eq!(camel("self"), "Self_");
    }
}
