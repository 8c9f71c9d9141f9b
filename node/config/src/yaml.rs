//! The options file: a mapping from names to values, with line numbers.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// Bytes of an options file that we are prepared to read.
pub(crate) const LARGEST: usize = 1 << 20;

/// A value in the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The text of a single value; `None` for lists, mappings and nothing.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Float(value) => Some(value.to_string()),
            Self::Text(value) => Some(value.clone()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The value of a key in a mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::List(_) => None,
        }
    }

    /// For error messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect();
                write!(f, "{{{}}}", entries.join(", "))
            }
            Self::Bool(_) | Self::Integer(_) | Self::Float(_) | Self::Text(_) => {
                f.write_str(&self.scalar_text().unwrap_or_default())
            }
        }
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

/// One entry of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: Node,
    /// Counted from one.
    pub(crate) line: u64,
}

/// Reads a file: its entries in the order of their lines. An empty file has none.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, String> {
    if text.len() > LARGEST {
        return Err(format!(
            "it has {} bytes; an options file has at most {LARGEST}",
            text.len()
        ));
    }
    let blank = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    };
    if text.lines().all(blank) {
        return Ok(Vec::new());
    }
    let read: BTreeMap<String, serde_saphyr::Spanned<Node>> =
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let mut entries: Vec<Entry> = read
        .into_iter()
        .map(|(name, spanned)| Entry {
            name,
            line: spanned.referenced.line(),
            value: spanned.value,
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_know_their_lines() {
        let text = "# comment\nb: 1\n\na:\n  - x\n  - {y: 2.5}\nc: yes\nd:\ne: '7'\n";
        let entries = parse(text).unwrap();
        let shown: Vec<String> = entries
            .iter()
            .map(|entry| {
                format!(
                    "{} {} = {} ({})",
                    entry.line,
                    entry.name,
                    entry.value,
                    entry.value.describe()
                )
            })
            .collect();
        assert_eq!(shown.first().unwrap(), "2 b = 1 (a number)");
        assert!(
            shown
                .iter()
                .any(|line| line.ends_with("a = [x, {y: 2.5}] (a list)")),
            "{shown:?}"
        );
        assert!(
            shown
                .iter()
                .any(|line| line.ends_with("d = null (nothing)")),
            "{shown:?}"
        );
        assert!(
            shown.iter().any(|line| line.ends_with("e = 7 (a text)")),
            "{shown:?}"
        );
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        assert_eq!(parse("# nothing\n").unwrap(), []);
        assert!(parse("- a\n- b\n").is_err());
        assert!(parse("a: [1\n").is_err());
        let twice = parse("a: 1\na: 2\n").unwrap_err();
        assert!(twice.contains('a'), "{twice}");
        assert!(
            parse(&"a".repeat(LARGEST + 1))
                .unwrap_err()
                .contains("at most")
        );
    }
}
