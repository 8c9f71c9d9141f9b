//! Reading the primitive notations of the protocol from a body.

use std::net::{IpAddr, SocketAddr};

use cql_types::Uuid;

use crate::error::ProtocolError;
use cql_types::Consistency;

/// A place in a body. Every read names the item, for the error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    whole: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self {
            rest: body,
            whole: body.len(),
        }
    }

    /// Bytes from the start of the body.
    pub(crate) fn at(&self) -> usize {
        self.whole - self.rest.len()
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn take(
        &mut self,
        len: usize,
        what: &'static str,
    ) -> Result<&'a [u8], ProtocolError> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.truncated(len, what)),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ProtocolError> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(self.truncated(N, what)),
        }
    }

    #[cold]
    fn truncated(&self, needed: usize, what: &'static str) -> ProtocolError {
        ProtocolError::Truncated {
            what,
            at: self.at(),
            needed,
            left: self.rest.len(),
        }
    }

    #[cold]
    fn bad_length(&self, length: i32, what: &'static str) -> ProtocolError {
        ProtocolError::Length {
            what,
            at: self.at().saturating_sub(4),
            length: i64::from(length),
        }
    }

    #[inline]
    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, ProtocolError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn short(&mut self, what: &'static str) -> Result<u16, ProtocolError> {
        self.array(what).map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn int(&mut self, what: &'static str) -> Result<i32, ProtocolError> {
        self.array(what).map(i32::from_be_bytes)
    }

    #[inline]
    pub(crate) fn long(&mut self, what: &'static str) -> Result<i64, ProtocolError> {
        self.array(what).map(i64::from_be_bytes)
    }

    /// An int that counts or measures something.
    pub(crate) fn count(&mut self, what: &'static str) -> Result<usize, ProtocolError> {
        let count = self.int(what)?;
        usize::try_from(count).map_err(|_| self.bad_length(count, what))
    }

    fn text(&self, bytes: &'a [u8], what: &'static str) -> Result<&'a str, ProtocolError> {
        std::str::from_utf8(bytes).map_err(|_| ProtocolError::Utf8 {
            what,
            at: self.at() - bytes.len(),
        })
    }

    pub(crate) fn string(&mut self, what: &'static str) -> Result<&'a str, ProtocolError> {
        let bytes = self.short_bytes(what)?;
        self.text(bytes, what)
    }

    pub(crate) fn long_string(&mut self, what: &'static str) -> Result<&'a str, ProtocolError> {
        let len = self.count(what)?;
        let bytes = self.take(len, what)?;
        self.text(bytes, what)
    }

    #[inline]
    pub(crate) fn short_bytes(&mut self, what: &'static str) -> Result<&'a [u8], ProtocolError> {
        let len = self.short(what)?;
        self.take(usize::from(len), what)
    }

    /// Bytes, or null if the length is negative.
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, ProtocolError> {
        match usize::try_from(self.int(what)?) {
            Ok(len) => self.take(len, what).map(Some),
            Err(_) => Ok(None),
        }
    }

    pub(crate) fn uuid(&mut self, what: &'static str) -> Result<Uuid, ProtocolError> {
        self.array(what).map(Uuid::from_bytes)
    }

    pub(crate) fn inet_address(&mut self, what: &'static str) -> Result<IpAddr, ProtocolError> {
        match self.byte(what)? {
            4 => self.array::<4>(what).map(IpAddr::from),
            16 => self.array::<16>(what).map(IpAddr::from),
            length => Err(ProtocolError::Length {
                what,
                at: self.at().saturating_sub(1),
                length: i64::from(length),
            }),
        }
    }

    pub(crate) fn inet(&mut self, what: &'static str) -> Result<SocketAddr, ProtocolError> {
        let address = self.inet_address(what)?;
        let port = self.int(what)?;
        match u16::try_from(port) {
            Ok(port) => Ok(SocketAddr::new(address, port)),
            Err(_) => Err(ProtocolError::unknown(
                "port",
                self.at().saturating_sub(4),
                port,
            )),
        }
    }

    #[inline]
    pub(crate) fn consistency(&mut self, what: &'static str) -> Result<Consistency, ProtocolError> {
        let code = self.short(what)?;
        Consistency::from_code(code).ok_or_else(|| {
            ProtocolError::unknown("consistency level", self.at().saturating_sub(2), code)
        })
    }

    pub(crate) fn string_list(&mut self, what: &'static str) -> Result<Vec<String>, ProtocolError> {
        let count = self.short(what)?;
        // Not `with_capacity(count)`: two bytes must not make us take a megabyte.
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(self.string(what)?.to_owned());
        }
        Ok(list)
    }
}
