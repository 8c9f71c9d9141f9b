//! Types and values made from a string of random bytes.
//!
//! Small alphabets, so that two values are often equal, or differ only in their last part.
//! Running out of bytes gives zeros, so a shorter string is a simpler value.

use cql_types::{
    CqlDuration, CqlType, UdtType, normalize, push_count, push_element, push_vector_element,
};
use std::sync::Arc;

/// Random bytes that are used up from the front.
pub(crate) struct Draw<'a>(pub(crate) &'a [u8]);

const SCALARS: [CqlType; 19] = [
    CqlType::Ascii,
    CqlType::BigInt,
    CqlType::Blob,
    CqlType::Boolean,
    CqlType::Date,
    CqlType::Decimal,
    CqlType::Double,
    CqlType::Duration,
    CqlType::Float,
    CqlType::Inet,
    CqlType::Int,
    CqlType::SmallInt,
    CqlType::Text,
    CqlType::Time,
    CqlType::Timestamp,
    CqlType::TimeUuid,
    CqlType::TinyInt,
    CqlType::Uuid,
    CqlType::Varint,
];

impl Draw<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    pub(crate) fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound
    }

    /// A byte that is often one of those that encodings treat in their own way.
    fn special(&mut self) -> u8 {
        const SPECIAL: [u8; 8] = [0, 0xff, 0xfe, 1, 0x7f, 0x80, 0x40, 0x38];
        match self.byte() {
            at @ 0..160 => SPECIAL[usize::from(at % 8)],
            other => other,
        }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let near_zero = self.below(3);
        let mut out = [if near_zero == 1 { 0xff } else { 0 }; N];
        let from = if near_zero < 2 { N - 1 } else { 0 };
        out[from..]
            .iter_mut()
            .for_each(|byte| *byte = self.special());
        out
    }

    fn bytes(&mut self, most: u8) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.special()).collect()
    }

    /// A frozen type, at most `depth` levels of parts.
    pub(crate) fn ty(&mut self, depth: u8) -> CqlType {
        let kind = if depth == 0 { 0 } else { self.below(12) };
        let mut part = || self.ty(depth - 1);
        match kind {
            6 => CqlType::List {
                element: Arc::new(part()),
                frozen: true,
            },
            7 => CqlType::Set {
                element: Arc::new(part()),
                frozen: true,
            },
            8 => CqlType::Map {
                key: Arc::new(part()),
                value: Arc::new(part()),
                frozen: true,
            },
            9 => CqlType::Tuple([part(), part()].into()),
            10 => {
                let fields = vec![(Arc::from("a"), part()), (Arc::from("B"), part())];
                let def = UdtType {
                    keyspace: Arc::from("ks"),
                    name: Arc::from("Pair"),
                    fields,
                };
                CqlType::Udt {
                    def: Arc::new(def),
                    frozen: true,
                }
            }
            11 => CqlType::Vector {
                element: Arc::new(part()),
                dimensions: 2,
            },
            _ => SCALARS[usize::from(self.byte()) % SCALARS.len()].clone(),
        }
    }

    /// A valid serialized value of `ty`, its sets and maps in order.
    pub(crate) fn value(&mut self, ty: &CqlType) -> Vec<u8> {
        let value = self.unordered(ty);
        normalize(ty, &value).unwrap().into_owned()
    }

    fn unordered(&mut self, ty: &CqlType) -> Vec<u8> {
        let may_be_empty = !matches!(
            ty,
            CqlType::TinyInt
                | CqlType::SmallInt
                | CqlType::Date
                | CqlType::Time
                | CqlType::Duration
                | CqlType::Vector { .. }
        );
        if may_be_empty && self.below(10) == 9 {
            return Vec::new();
        }
        let mut out = Vec::new();
        match ty {
            CqlType::Blob => out = self.bytes(6),
            CqlType::Ascii | CqlType::Text => {
                const CHARS: [char; 6] = ['\0', 'a', 'b', '\'', '\u{1}', '\u{7f}'];
                let mut text: String = (0..self.below(5))
                    .map(|_| CHARS[usize::from(self.below(6))])
                    .collect();
                if *ty == CqlType::Text && self.below(4) == 0 {
                    text.push('€');
                }
                out.extend(text.as_bytes());
            }
            CqlType::Boolean | CqlType::TinyInt => out.push(self.special()),
            CqlType::SmallInt => out.extend(self.array::<2>()),
            CqlType::Int | CqlType::Date => out.extend(self.array::<4>()),
            CqlType::BigInt | CqlType::Counter | CqlType::Timestamp => {
                let value = i64::from_be_bytes(self.array()) >> (self.byte() % 64);
                out.extend(value.to_be_bytes());
            }
            CqlType::Time => {
                let nanos = i64::from_be_bytes(self.array()).rem_euclid(86_400_000_000_000);
                out.extend(nanos.to_be_bytes());
            }
            CqlType::Float => {
                let plain = [
                    0.0_f32,
                    -0.0,
                    1.0,
                    f32::NAN,
                    -f32::NAN,
                    f32::INFINITY,
                    f32::MIN,
                ];
                match plain.get(usize::from(self.below(14))) {
                    Some(plain) => out.extend(plain.to_be_bytes()),
                    None => out.extend(self.array::<4>()),
                }
            }
            CqlType::Double => {
                let plain = [
                    0.0_f64,
                    -0.0,
                    1.0,
                    f64::NAN,
                    -f64::NAN,
                    f64::INFINITY,
                    f64::MIN,
                ];
                match plain.get(usize::from(self.below(14))) {
                    Some(plain) => out.extend(plain.to_be_bytes()),
                    None => out.extend(self.array::<8>()),
                }
            }
            CqlType::Inet if self.below(2) == 0 => out.extend(self.array::<4>()),
            CqlType::Inet => out.extend(self.array::<16>()),
            CqlType::Uuid => out.extend(self.array::<16>()),
            CqlType::TimeUuid => {
                let mut uuid = self.array::<16>();
                uuid[6] = uuid[6] & 0x0f | 0x10;
                out.extend(uuid);
            }
            CqlType::Varint => {
                out.push(self.special());
                out.extend(self.bytes(12));
            }
            CqlType::Decimal => self.decimal(&mut out),
            CqlType::Duration => {
                let sign = if self.below(2) == 0 { 1 } else { -1 };
                let nanos = i64::from(self.byte()) * i64::from(self.byte()) * 1_000_000_007;
                let months = i32::from(self.byte());
                let days = i32::from(self.byte());
                let duration = CqlDuration {
                    months: months * sign,
                    days: days * sign,
                    nanos: nanos * i64::from(sign),
                };
                duration.write(&mut out);
            }
            CqlType::List { element, .. } | CqlType::Set { element, .. } => {
                let count = usize::from(self.below(4));
                push_count(count, &mut out).unwrap();
                for _ in 0..count {
                    push_element(Some(&self.unordered(element)), &mut out).unwrap();
                }
            }
            CqlType::Map { key, value, .. } => {
                let count = usize::from(self.below(3));
                push_count(count, &mut out).unwrap();
                for _ in 0..count {
                    push_element(Some(&self.unordered(key)), &mut out).unwrap();
                    push_element(Some(&self.unordered(value)), &mut out).unwrap();
                }
            }
            CqlType::Tuple(parts) => self.fields(parts.iter(), &mut out),
            CqlType::Udt { def, .. } => self.fields(def.fields.iter().map(|(_, ty)| ty), &mut out),
            CqlType::Vector {
                element,
                dimensions,
            } => {
                for _ in 0..*dimensions {
                    let len = element.vector_element_len();
                    let mut value = self.unordered(element);
                    if let Some(len) = len
                        && value.is_empty()
                    {
                        value = vec![0; len];
                        if **element == CqlType::TimeUuid {
                            value[6] = 0x10;
                        }
                    }
                    push_vector_element(&value, len, &mut out).unwrap();
                }
            }
        }
        // A vector of which every element is zero-length has bytes all the same: their lengths.
        assert!(!out.is_empty() || may_be_empty, "{ty}");
        out
    }

    fn decimal(&mut self, out: &mut Vec<u8>) {
        let scale = match self.below(8) {
            0 => i32::MIN,
            1 => i32::MAX,
            2 => i32::from_be_bytes(self.array()),
            small => i32::from(small) - 5,
        };
        out.extend(scale.to_be_bytes());
        match self.below(3) {
            // Powers of ten, so that equal values of different scales are common.
            0 => {
                let digits = 10_i64.pow(u32::from(self.below(5))) * i64::from(self.below(3));
                let signed = if self.below(2) == 0 { digits } else { -digits };
                out.extend(signed.to_be_bytes());
            }
            1 => out.push(self.special()),
            _ => {
                out.push(self.special());
                out.extend(self.bytes(20));
            }
        }
    }

    fn fields<'t>(&mut self, types: impl Iterator<Item = &'t CqlType>, out: &mut Vec<u8>) {
        for ty in types {
            match self.below(6) {
                0 => push_element(None, out).unwrap(),
                1 => return,
                _ => push_element(Some(&self.unordered(ty)), out).unwrap(),
            }
        }
    }
}

#[test]
fn the_same_bytes_draw_the_same_value() {
    let bytes = [7, 200, 3, 9, 45, 1, 2, 3, 4, 5];
    let mut first = Draw(&bytes);
    let ty = first.ty(2);
    let mut second = Draw(&bytes);
    assert_eq!(ty, second.ty(2));
    assert_eq!(first.value(&ty), second.value(&ty));
}
