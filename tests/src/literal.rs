//! Literals of test scripts to serialized values, by the type of the variable that they are bound to.
//!
//! ```text
//!  12   'it''s'   0xcafe   [1, 2]   {1: 'a'}   (1, null)   {street: 'S', zip: 1}
//!  null   unset   bytes(0x00)   repeat('x', 65536)
//! ```
//!
//! `bytes` binds bytes whatever the type is, right or wrong; `repeat` makes a long text.
//! Collections, tuples and user types are put together here and not by the product's planner: what a script binds must not depend on what it tests.

use std::str::FromStr;

use cql_types::{CqlType, parse_scalar, push_count, push_element, push_vector_element};

/// A value to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// Nothing: deletes.
    Null,
    /// Nothing: leaves what is there.
    Unset,
    /// A serialized value.
    Bytes(Vec<u8>),
}

/// A position in the text of values.
#[derive(Debug)]
pub struct Literals<'a> {
    rest: &'a str,
}

type Result<T> = std::result::Result<T, String>;

impl<'a> Literals<'a> {
    /// From the beginning of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What was not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        self.rest.trim()
    }

    /// Takes `mark` if it is next.
    pub fn take(&mut self, mark: char) -> bool {
        match self.rest.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes `mark`.
    ///
    /// # Errors
    /// Something else is next.
    pub fn expect(&mut self, mark: char) -> Result<()> {
        match self.take(mark) {
            true => Ok(()),
            false => Err(format!("expected `{mark}` before `{}`", self.rest())),
        }
    }

    /// Takes a word: everything up to a mark or a blank.
    pub fn word(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let end = text
            .find(|c: char| c.is_whitespace() || "()[]{},:;'".contains(c))
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word
    }

    /// Takes a value for a variable of type `ty`.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn bound(&mut self, ty: &CqlType) -> Result<Bound> {
        let before = self.rest;
        let bound = match self.word() {
            "null" => Bound::Null,
            "unset" => Bound::Unset,
            "bytes" => {
                self.expect('(')?;
                let bytes = parse_scalar(&CqlType::Blob, self.word()).map_err(said)?;
                self.expect(')')?;
                Bound::Bytes(bytes)
            }
            "repeat" => {
                self.expect('(')?;
                let text = self.quoted()?;
                self.expect(',')?;
                let times = usize::from_str(self.word()).map_err(said)?;
                self.expect(')')?;
                Bound::Bytes(text.repeat(times).into_bytes())
            }
            _ => {
                self.rest = before;
                Bound::Bytes(self.value(ty)?)
            }
        };
        Ok(bound)
    }

    fn value(&mut self, ty: &CqlType) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        match ty {
            CqlType::List { element, .. } => {
                let elements = self.sequence(('[', ']'), |this| this.value(element))?;
                push_all(&elements, &mut out)?;
            }
            CqlType::Set { element, .. } => {
                let elements = self.sequence(('{', '}'), |this| this.value(element))?;
                push_all(&elements, &mut out)?;
            }
            CqlType::Map { key, value, .. } => {
                let entries = self.sequence(('{', '}'), |this| {
                    let key = this.value(key)?;
                    this.expect(':')?;
                    Ok((key, this.value(value)?))
                })?;
                push_count(entries.len(), &mut out).map_err(said)?;
                for (key, value) in &entries {
                    push_element(Some(key), &mut out).map_err(said)?;
                    push_element(Some(value), &mut out).map_err(said)?;
                }
            }
            CqlType::Tuple(parts) => {
                let mut parts = parts.iter();
                self.sequence(('(', ')'), |this| {
                    let part = parts.next().ok_or("more values than the tuple has parts")?;
                    this.push_field(part, &mut out)
                })?;
            }
            CqlType::Udt { def, .. } => {
                let mut fields = def.fields.iter();
                self.sequence(('{', '}'), |this| {
                    let (name, field) = fields.next().ok_or("more values than fields")?;
                    if this.word() != &**name {
                        return Err(format!("expected the field {name}: name all, in order"));
                    }
                    this.expect(':')?;
                    this.push_field(field, &mut out)
                })?;
            }
            CqlType::Vector { element, .. } => {
                let elements = self.sequence(('[', ']'), |this| this.value(element))?;
                for each in &elements {
                    push_vector_element(each, element.vector_element_len(), &mut out)
                        .map_err(said)?;
                }
            }
            scalar => {
                let text = match self.rest.trim_start().starts_with('\'') {
                    true => self.quoted()?,
                    false => self.word().to_owned(),
                };
                out = parse_scalar(scalar, &text).map_err(said)?;
            }
        }
        Ok(out)
    }

    fn push_field(&mut self, ty: &CqlType, out: &mut Vec<u8>) -> Result<()> {
        match self.bound(ty)? {
            Bound::Null => push_element(None, out).map_err(said),
            Bound::Bytes(bytes) => push_element(Some(&bytes), out).map_err(said),
            Bound::Unset => Err("a part of a value cannot be unset".to_owned()),
        }
    }

    fn sequence<T>(
        &mut self,
        (open, close): (char, char),
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.expect(open)?;
        let mut items = Vec::new();
        while !self.take(close) {
            if !items.is_empty() {
                self.expect(',')?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn quoted(&mut self) -> Result<String> {
        self.expect('\'')?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\'' {
                text.push(c);
            } else if self.rest.get(at + 1..).is_some_and(|r| r.starts_with('\'')) {
                text.push('\'');
                chars.next();
            } else {
                self.rest = chars.as_str();
                return Ok(text);
            }
        }
        Err(format!("no closing quote: {}", self.rest))
    }
}

fn push_all(elements: &[Vec<u8>], out: &mut Vec<u8>) -> Result<()> {
    push_count(elements.len(), out).map_err(said)?;
    for element in elements {
        push_element(Some(element), out).map_err(said)?;
    }
    Ok(())
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use cql_types::{parse_type, to_literal};

    use super::*;

    #[test]
    fn literals_come_back() {
        for (ty, text) in [
            ("int", "12"),
            ("text", "'it''s'"),
            ("blob", "0xcafe"),
            ("list<int>", "[1, 2]"),
            ("map<int, text>", "{1: 'a', 2: 'b, {'}"),
            ("tuple<int, text>", "(1, null)"),
            ("vector<float, 2>", "[1.0, -2.5]"),
            ("map<text, frozen<set<int>>>", "{'x': {1, 2}}"),
        ] {
            let ty = parse_type(ty, &|_| None).unwrap();
            let mut literals = Literals::new(text);
            let Bound::Bytes(bytes) = literals.bound(&ty).unwrap() else {
                panic!("{text} has bytes");
            };
            assert_eq!(to_literal(&ty, &bytes), text);
            assert_eq!(literals.rest(), "");
        }
    }

    #[test]
    fn words_with_a_meaning() {
        let mut literals = Literals::new("null, unset, bytes(0x00), repeat('ab', 2)");
        let mut found = Vec::new();
        while !literals.rest().is_empty() {
            literals.take(',');
            found.push(literals.bound(&CqlType::Int).unwrap());
        }
        assert_eq!(
            found,
            [
                Bound::Null,
                Bound::Unset,
                Bound::Bytes(vec![0]),
                Bound::Bytes(b"abab".to_vec())
            ]
        );
    }
}
