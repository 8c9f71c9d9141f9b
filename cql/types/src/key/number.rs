//! Reading numbers of variable length.

use super::decode::{Reader, malformed};
use super::{LONG_VARINT, integer};
use crate::partition_key::KeyError;
use crate::{decimal, varint, vint};

impl Reader<'_> {
    /// A `bigint`, or a `varint` of few digits.
    pub(super) fn integer(&mut self) -> Result<i64, KeyError> {
        let (first, second) = match self.input {
            [first, second, ..] => (*first, Some(second ^ self.invert)),
            [first] => (*first, None),
            [] => return Err(malformed("a key cut short")),
        };
        let len = integer::len(first ^ self.invert, second);
        let (bytes, rest) = self
            .input
            .split_at_checked(len)
            .ok_or(malformed("a key cut short"))?;
        let mut copy = [0; 9];
        for (to, from) in copy.iter_mut().zip(bytes) {
            *to = from ^ self.invert;
        }
        self.input = rest;
        Ok(integer::decode(copy.get(..len).unwrap_or(&copy)))
    }

    /// A `varint`, serialized in its shortest form.
    pub(super) fn varint(&mut self, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let sign = self.peek();
        if !matches!(sign, Some(0 | 0xff)) {
            let value = self.integer()?.to_be_bytes();
            let digits = varint::digits(&value);
            varint::push_minimal(digits.negative, digits.bytes, out);
            return Ok(());
        }
        self.next()?;
        let negative = sign == Some(0);
        let mut len_bytes = [0; 9];
        for (to, from) in len_bytes.iter_mut().zip(self.input) {
            *to = from ^ self.invert ^ if negative { 0xff } else { 0 };
        }
        let cut = malformed("a varint cut short");
        let (len, after) = vint::take_unsigned(&len_bytes).ok_or(cut.clone())?;
        let len_len = len_bytes.len() - after.len();
        let (_, rest) = self.input.split_at_checked(len_len).ok_or(cut.clone())?;
        self.input = rest;
        let len = usize::try_from(len)
            .ok()
            .and_then(|len| len.checked_add(LONG_VARINT))
            .ok_or(cut)?;
        let first = self.peek().unwrap_or(0);
        if (first >= 0x80) != negative {
            out.push(if negative { 0xff } else { 0 });
        }
        self.copy(len, out)
    }

    /// A `decimal`, serialized with the fewest digits.
    pub(super) fn decimal(&mut self, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let invalid = malformed("an invalid decimal");
        let header = self.next()?;
        if header == 0x80 {
            out.extend([0; 5]);
            return Ok(());
        }
        let negative = header < 0x80;
        let size = i32::from(header & 0x7f) - 0x40;
        if size.abs() > 4 {
            return Err(invalid);
        }
        let mut modulated = if size < 0 { -1_i64 } else { 0 };
        for _ in 0..size.abs() {
            modulated = (modulated << 8) | i64::from(self.next()?);
        }
        let exponent = if negative { -modulated } else { modulated };
        let mut digits = Vec::new();
        loop {
            match self.next()? {
                0 => break,
                digit => digits.push(digit),
            }
        }
        let last = digits.len().checked_sub(1).ok_or(invalid.clone())?;
        for (at, digit) in digits.iter_mut().enumerate() {
            let plain = match at {
                _ if !negative => digit.checked_sub(0x80),
                0 if last == 0 => 0x80_u8.checked_sub(*digit),
                0 => 0x7f_u8.checked_sub(*digit),
                _ if at == last => (0x80 + 100_u8).checked_sub(*digit),
                _ => (0x80 + 99_u8).checked_sub(*digit),
            };
            *digit = plain.filter(|plain| *plain < 100).ok_or(invalid.clone())?;
        }
        let (scale, unscaled) = decimal::from_parts(negative, exponent, &digits).ok_or(invalid)?;
        decimal::write(scale, &unscaled, out);
        Ok(())
    }
}
