//! A cursor over the text of a type: CQL or class names.

use super::{PACKAGE, ResolveUdt, SCALARS, TypeParseError, parse_java_class_name};
use crate::ty::{CqlType, MAX_TYPE_DEPTH, UdtType};
use std::sync::Arc;

/// Whether a class name not inside `FrozenType` means one cell or many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    One,
    Many,
}

pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// A type in CQL text.
    pub(super) fn cql(&mut self, resolve: &ResolveUdt<'_>) -> Result<CqlType, TypeParseError> {
        self.nested(|parser| parser.cql_inner(resolve))
    }

    fn cql_inner(&mut self, resolve: &ResolveUdt<'_>) -> Result<CqlType, TypeParseError> {
        if self.rest().starts_with('\'') {
            return parse_java_class_name(self.between_quotes('\'')?.as_str());
        }
        if self.rest().starts_with('"') {
            let name = self.between_quotes('"')?;
            return self.udt(name, resolve);
        }
        let word = self.word("the name of a type")?;
        let name = word.to_ascii_lowercase();
        if !self.rest().starts_with('<') {
            let name = if name == "varchar" {
                "text"
            } else {
                name.as_str()
            };
            return match SCALARS.iter().find(|(_, cql, _)| *cql == name) {
                Some((ty, _, _)) => Ok(ty.clone()),
                None => self.udt(name.to_owned(), resolve),
            };
        }
        self.expect('<', "<")?;
        let ty = match name.as_str() {
            "frozen" => {
                let at = self.at;
                let ty = self.cql(resolve)?;
                if ty.is_scalar() {
                    let expected = "a collection, tuple or user type inside frozen<>";
                    return Err(TypeParseError::Syntax { at, expected });
                }
                ty.freeze()
            }
            "list" => CqlType::List {
                element: Arc::new(self.cql(resolve)?),
                frozen: false,
            },
            "set" => CqlType::Set {
                element: Arc::new(self.cql(resolve)?),
                frozen: false,
            },
            "map" => {
                let key = Arc::new(self.cql(resolve)?);
                self.expect(',', ",")?;
                CqlType::Map {
                    key,
                    value: Arc::new(self.cql(resolve)?),
                    frozen: false,
                }
            }
            "tuple" => {
                let mut parts = vec![self.cql(resolve)?.freeze()];
                while self.eat(',') {
                    parts.push(self.cql(resolve)?.freeze());
                }
                CqlType::Tuple(parts.into())
            }
            "vector" => {
                let element = Arc::new(self.cql(resolve)?.freeze());
                self.expect(',', ",")?;
                CqlType::Vector {
                    element,
                    dimensions: self.dimensions()?,
                }
            }
            _ => {
                return Err(TypeParseError::Unknown {
                    name: word.to_owned(),
                });
            }
        };
        self.expect('>', ">")?;
        Ok(ty)
    }

    /// A UDT whose name, or keyspace, has been read.
    fn udt(&mut self, first: String, resolve: &ResolveUdt<'_>) -> Result<CqlType, TypeParseError> {
        let (keyspace, name) = match self.eat('.') {
            false => (None, first),
            true if self.rest().starts_with('"') => (Some(first), self.between_quotes('"')?),
            true => (
                Some(first),
                self.word("the name of a user type")?.to_ascii_lowercase(),
            ),
        };
        match resolve(&name) {
            Some(def)
                if keyspace
                    .as_deref()
                    .is_none_or(|keyspace| *def.keyspace == *keyspace) =>
            {
                Ok(CqlType::Udt { def, frozen: false })
            }
            _ => Err(TypeParseError::Unknown { name }),
        }
    }

    /// A type as a class name.
    pub(super) fn class(&mut self, cells: Cells) -> Result<CqlType, TypeParseError> {
        self.nested(|parser| parser.class_inner(cells))
    }

    fn class_inner(&mut self, cells: Cells) -> Result<CqlType, TypeParseError> {
        let word = self.word("a class name")?;
        let class = word.strip_prefix(PACKAGE).unwrap_or(word);
        if let Some((ty, _, _)) = SCALARS.iter().find(|(_, _, name)| *name == class) {
            return Ok(ty.clone());
        }
        if class == "DateType" {
            return Ok(CqlType::Timestamp); // the class of timestamps in old schemas
        }
        self.expect('(', "(")?;
        let frozen = cells == Cells::One;
        let ty = match class {
            "FrozenType" => self.class(Cells::One)?.freeze(),
            "ReversedType" => self.class(cells)?,
            "ListType" => CqlType::List {
                element: self.part()?,
                frozen,
            },
            "SetType" => CqlType::Set {
                element: self.part()?,
                frozen,
            },
            "MapType" => {
                let key = self.part()?;
                self.expect(',', ",")?;
                CqlType::Map {
                    key,
                    value: self.part()?,
                    frozen,
                }
            }
            "TupleType" => {
                let mut parts = vec![self.class(Cells::One)?];
                while self.eat(',') {
                    parts.push(self.class(Cells::One)?);
                }
                CqlType::Tuple(parts.into())
            }
            "UserType" => CqlType::Udt {
                def: Arc::new(self.user_type()?),
                frozen,
            },
            "VectorType" => {
                let element = self.part()?;
                self.expect(',', ",")?;
                CqlType::Vector {
                    element,
                    dimensions: self.dimensions()?,
                }
            }
            _ => {
                return Err(TypeParseError::Unknown {
                    name: word.to_owned(),
                });
            }
        };
        self.expect(')', ")")?;
        Ok(ty)
    }

    fn part(&mut self) -> Result<Arc<CqlType>, TypeParseError> {
        self.class(Cells::One).map(Arc::new)
    }

    fn user_type(&mut self) -> Result<UdtType, TypeParseError> {
        let keyspace = Arc::from(self.word("a keyspace")?);
        self.expect(',', ",")?;
        let name = self.hex_name()?;
        let mut fields = Vec::new();
        while self.eat(',') {
            let field = self.hex_name()?;
            self.expect(':', ":")?;
            fields.push((field, self.class(Cells::Many)?));
        }
        Ok(UdtType {
            keyspace,
            name,
            fields,
        })
    }

    fn hex_name(&mut self) -> Result<Arc<str>, TypeParseError> {
        self.skip_space();
        let at = self.at;
        let word = self.word("a name in hex")?;
        from_hex(word).ok_or(TypeParseError::Syntax {
            at,
            expected: "a name in hex",
        })
    }

    fn dimensions(&mut self) -> Result<u16, TypeParseError> {
        self.skip_space();
        let at = self.at;
        let expected = "a number of dimensions from 1 to 65535";
        match self.word(expected)?.parse() {
            Ok(dimensions) if dimensions > 0 => Ok(dimensions),
            _ => Err(TypeParseError::Syntax { at, expected }),
        }
    }

    /// Runs `inner` one level deeper.
    fn nested(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<CqlType, TypeParseError>,
    ) -> Result<CqlType, TypeParseError> {
        // `frozen<…>` is a level of text but not of the type, hence twice the depth.
        if self.depth >= 2 * MAX_TYPE_DEPTH {
            return Err(TypeParseError::TooDeep);
        }
        self.depth += 1;
        let ty = inner(self);
        self.depth -= 1;
        ty
    }

    fn skip_space(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// What is left, from the next character that is not space.
    fn rest(&mut self) -> &'a str {
        self.skip_space();
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expect(&mut self, c: char, expected: &'static str) -> Result<(), TypeParseError> {
        match self.eat(c) {
            true => Ok(()),
            false => Err(TypeParseError::Syntax {
                at: self.at,
                expected,
            }),
        }
    }

    /// Letters, digits, `_`, `$`; dots too, if the word is a class name.
    fn word(&mut self, expected: &'static str) -> Result<&'a str, TypeParseError> {
        let rest = self.rest();
        let plain =
            |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '-' || c == '+';
        let len = match rest.strip_prefix(PACKAGE) {
            Some(class) => PACKAGE.len() + class.find(|c| !plain(c)).unwrap_or(class.len()),
            None => rest.find(|c| !plain(c)).unwrap_or(rest.len()),
        };
        match rest.get(..len) {
            Some(word) if !word.is_empty() => {
                self.at += len;
                Ok(word)
            }
            _ => Err(TypeParseError::Syntax {
                at: self.at,
                expected,
            }),
        }
    }

    /// Text between two `quote`s, in which a doubled one stands for one.
    fn between_quotes(&mut self, quote: char) -> Result<String, TypeParseError> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c != quote {
                out.push(c);
            } else if chars.next_if(|(_, next)| *next == quote).is_some() {
                out.push(quote);
            } else {
                self.at += at + quote.len_utf8();
                return Ok(out);
            }
        }
        Err(TypeParseError::Syntax {
            at: self.text.len(),
            expected: "a closing quote",
        })
    }

    pub(super) fn end(&mut self) -> Result<(), TypeParseError> {
        match self.rest() {
            "" => Ok(()),
            _ => Err(TypeParseError::Syntax {
                at: self.at,
                expected: "the end",
            }),
        }
    }
}

fn from_hex(text: &str) -> Option<Arc<str>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok())
        .collect();
    String::from_utf8(bytes?).ok().map(Arc::from)
}
