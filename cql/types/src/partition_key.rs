//! The serialized partition key: what is hashed, compared, sent and stored.
//!
//! One component is its serialized bytes as they are.
//! Several are written one after the other as `[u16 length][bytes][0x00]`.
//! These are also the routing-key bytes that drivers compute.

use crate::error::ValueError;
use crate::token::Token;
use bytes::{BufMut, Bytes, BytesMut};
use std::fmt;

/// The longest serialized partition key, component, or clustering component: 65,535 bytes.
pub const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// A serialized partition key of at most [`MAX_KEY_BYTES`]; cloning shares the bytes.
///
/// Equality and hash are those of the bytes. The order is that of the bytes too and means nothing in CQL:
/// partitions are ordered by token first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey(Bytes);

impl PartitionKey {
    /// Builds the key from its serialized components, in key order. One allocation.
    ///
    /// # Errors
    /// [`KeyError::NoComponents`], [`KeyError::EmptyKey`] for one empty component,
    /// [`KeyError::TooLong`] if a component or the whole exceeds [`MAX_KEY_BYTES`].
    pub fn from_components(components: &[&[u8]]) -> Result<Self, KeyError> {
        match components {
            [] => Err(KeyError::NoComponents),
            [single] => Self::from_bytes(Bytes::copy_from_slice(check_len(single)?)),
            several => {
                let len = several.iter().map(|c| c.len() + 3).sum();
                if len > MAX_KEY_BYTES {
                    return Err(KeyError::TooLong { len });
                }
                let mut out = BytesMut::with_capacity(len);
                for component in several {
                    let Ok(len) = u16::try_from(component.len()) else {
                        return Err(KeyError::TooLong {
                            len: component.len(),
                        });
                    };
                    out.put_u16(len);
                    out.put_slice(component);
                    out.put_u8(0);
                }
                Ok(Self(out.freeze()))
            }
        }
    }

    /// Takes bytes that are a serialized key already, from a peer or from disk, without looking into them;
    /// [`PartitionKey::components`] does that.
    ///
    /// # Errors
    /// [`KeyError::EmptyKey`] and [`KeyError::TooLong`].
    pub fn from_bytes(bytes: Bytes) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::EmptyKey);
        }
        check_len(&bytes)?;
        Ok(Self(bytes))
    }

    /// The components of a key that has `count` of them, in key order. Allocates nothing.
    ///
    /// # Errors
    /// [`KeyError::NoComponents`] if `count` is 0, [`KeyError::Malformed`] if the bytes are not a key of
    /// exactly `count` components. Checked whole, before the first component comes out.
    pub fn components(&self, count: usize) -> Result<Components<'_>, KeyError> {
        match count {
            0 => Err(KeyError::NoComponents),
            1 => Ok(Components(Rest::Single(Some(&self.0)))),
            _ => {
                let mut rest: &[u8] = &self.0;
                for _ in 0..count {
                    let Some((_, after)) = split_component(rest) else {
                        return Err(KeyError::Malformed {
                            what: "a partition key component is cut short",
                        });
                    };
                    rest = after;
                }
                match rest {
                    [] => Ok(Components(Rest::Several(&self.0))),
                    _ => Err(KeyError::Malformed {
                        what: "bytes after the last partition key component",
                    }),
                }
            }
        }
    }

    /// The token; hashes the key, so keep the answer when it is needed again.
    #[must_use]
    pub fn token(&self) -> Token {
        Token::of_key(&self.0)
    }

    /// The serialized key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The serialized key, sharing its memory.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }
}

impl AsRef<[u8]> for PartitionKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartitionKey(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The components of a [`PartitionKey`], in key order; made by [`PartitionKey::components`].
#[derive(Clone, Debug)]
pub struct Components<'a>(Rest<'a>);

#[derive(Clone, Debug)]
enum Rest<'a> {
    Single(Option<&'a [u8]>),
    Several(&'a [u8]),
}

impl<'a> Iterator for Components<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match &mut self.0 {
            Rest::Single(component) => component.take(),
            Rest::Several(rest) => {
                let (component, after) = split_component(rest)?;
                *rest = after;
                Some(component)
            }
        }
    }
}

/// One component of a key with several, and what follows it.
fn split_component(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    let (component, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    match rest.split_first()? {
        (0, rest) => Some((component, rest)),
        _ => None,
    }
}

fn check_len(component: &[u8]) -> Result<&[u8], KeyError> {
    match component.len() {
        0 => Err(KeyError::EmptyKey),
        len if len > MAX_KEY_BYTES => Err(KeyError::TooLong { len }),
        _ => Ok(component),
    }
}

/// Why bytes are not, or cannot become, a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// A key needs at least one component; a caller's mistake.
    NoComponents,
    /// A partition key of one component that is empty; CQL forbids it.
    EmptyKey,
    /// Longer than [`MAX_KEY_BYTES`]; the client must send a shorter key.
    TooLong {
        /// Bytes found.
        len: usize,
    },
    /// More or fewer values than the clustering has columns; a caller's mistake.
    WrongCount {
        /// Clustering columns.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A component's bytes are not of its column's type.
    Value(ValueError),
    /// Stored or sent key bytes that do not parse: they are corrupt or of another table.
    Malformed {
        /// What does not fit.
        what: &'static str,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoComponents => f.write_str("a key needs at least one component"),
            Self::EmptyKey => f.write_str("Key may not be empty"),
            Self::TooLong { len } => {
                write!(
                    f,
                    "Key length of {len} is longer than maximum of {MAX_KEY_BYTES}"
                )
            }
            Self::WrongCount { expected, found } => {
                write!(f, "expected {expected} clustering values but got {found}")
            }
            Self::Value(error) => error.fmt(f),
            Self::Malformed { what } => write!(f, "malformed key: {what}"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Value(error) => Some(error),
            Self::NoComponents
            | Self::EmptyKey
            | Self::TooLong { .. }
            | Self::WrongCount { .. }
            | Self::Malformed { .. } => None,
        }
    }
}

impl From<ValueError> for KeyError {
    fn from(error: ValueError) -> Self {
        Self::Value(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_component_is_raw_and_several_are_framed() {
        let one = PartitionKey::from_components(&[b"ab"]).unwrap();
        assert_eq!(one.as_bytes(), b"ab");
        assert_eq!(one.components(1).unwrap().collect::<Vec<_>>(), [b"ab"]);

        let two = PartitionKey::from_components(&[b"ab", b""]).unwrap();
        assert_eq!(two.as_bytes(), b"\0\x02ab\0\0\0\0");
        let parts: Vec<_> = two.components(2).unwrap().collect();
        assert_eq!(parts, [&b"ab"[..], b""]);
        assert_eq!(format!("{two:?}"), "PartitionKey(0002616200000000)");
    }

    #[test]
    fn keys_are_bounded() {
        let long = vec![1; MAX_KEY_BYTES];
        assert!(PartitionKey::from_components(&[&long]).is_ok());
        let longer = vec![1; MAX_KEY_BYTES + 1];
        let error = PartitionKey::from_components(&[&longer]).unwrap_err();
        assert_eq!(
            error,
            KeyError::TooLong {
                len: MAX_KEY_BYTES + 1
            }
        );
        assert!(PartitionKey::from_components(&[&long, b"a"]).is_err());
        assert_eq!(
            PartitionKey::from_components(&[b""]),
            Err(KeyError::EmptyKey)
        );
        assert_eq!(
            PartitionKey::from_components(&[]),
            Err(KeyError::NoComponents)
        );
    }

    #[test]
    fn a_key_of_another_shape_is_refused() {
        let two = PartitionKey::from_components(&[b"ab", b"c"]).unwrap();
        assert!(two.components(0).is_err());
        assert!(two.components(3).is_err());
        let three = PartitionKey::from_components(&[b"ab", b"c", b"d"]).unwrap();
        assert!(three.components(2).is_err());
        let unmarked =
            PartitionKey::from_bytes(Bytes::from_static(b"\0\x01a\x01\0\x01b\0")).unwrap();
        assert!(unmarked.components(2).is_err());
    }
}
