//! Where a partition lives: the token of its key, and the shard that owns a token.
//!
//! The hash is the 64 low bits of MurmurHash3 x64/128 with seed 0 in the ecosystem's variant:
//! the bytes of the tail (length modulo 16) are sign-extended before they are mixed in.
//! It costs about one multiplication per four bytes and allocates nothing.

use std::fmt;

/// The position of a partition on the ring: larger than [`Token::MIN`], which no key has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Token(pub i64);

impl Token {
    /// Before every token; as the end of a range it means "the end of the ring". Never owned by a key.
    pub const MIN: Self = Self(i64::MIN);
    /// The largest token a key can have.
    pub const MAX: Self = Self(i64::MAX);

    /// The token of a serialized partition key (see [`PartitionKey`](crate::PartitionKey)).
    #[must_use]
    pub fn of_key(key: &[u8]) -> Self {
        match murmur3_h1(key) {
            i64::MIN => Self::MAX,
            hash => Self(hash),
        }
    }

    /// The shard, of `nr_shards`, that owns this token on a node which ignores the `ignore_msb` top bits.
    ///
    /// `nr_shards` of 0 counts as 1; `ignore_msb` of 64 or more leaves shard 0.
    #[must_use]
    pub fn shard(self, nr_shards: u32, ignore_msb: u8) -> u32 {
        let biased = self
            .unsigned()
            .checked_shl(u32::from(ignore_msb))
            .unwrap_or(0);
        let shard = (u128::from(biased) * u128::from(nr_shards)) >> 64;
        u32::try_from(shard).unwrap_or(0) // below nr_shards, so it always fits
    }

    /// The token moved to `0..2^64`, in the same order.
    #[must_use]
    pub const fn unsigned(self) -> u64 {
        self.0.cast_unsigned() ^ (1 << 63)
    }

    /// The inverse of [`Token::unsigned`].
    #[must_use]
    pub const fn from_unsigned(position: u64) -> Self {
        Self((position ^ (1 << 63)).cast_signed())
    }

    /// The next larger token; `None` after [`Token::MAX`].
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Eight bytes that order like the token: big-endian with the sign flipped.
#[must_use]
pub const fn encode_token(token: Token) -> [u8; 8] {
    token.unsigned().to_be_bytes()
}

/// The inverse of [`encode_token`].
#[must_use]
pub const fn decode_token(bytes: [u8; 8]) -> Token {
    Token::from_unsigned(u64::from_be_bytes(bytes))
}

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// The first half of MurmurHash3 x64/128, seed 0, with a sign-extended tail.
fn murmur3_h1(key: &[u8]) -> i64 {
    let (blocks, tail) = key.as_chunks::<16>();
    let (mut h1, mut h2) = (0_u64, 0_u64);
    for block in blocks {
        let (k1, k2) = halves(block);
        h1 ^= mix_k1(k1);
        h1 = h1
            .rotate_left(27)
            .wrapping_add(h2)
            .wrapping_mul(5)
            .wrapping_add(0x52dc_e729);
        h2 ^= mix_k2(k2);
        h2 = h2
            .rotate_left(31)
            .wrapping_add(h1)
            .wrapping_mul(5)
            .wrapping_add(0x3849_5ab5);
    }
    let (low, high) = tail.split_at(tail.len().min(8));
    if !high.is_empty() {
        h2 ^= mix_k2(signed_tail(high));
    }
    if !low.is_empty() {
        h1 ^= mix_k1(signed_tail(low));
    }
    let len = key.len() as u64;
    h1 ^= len;
    h2 ^= len;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finalize(h1);
    h2 = finalize(h2);
    h1.wrapping_add(h2).cast_signed()
}

fn halves(block: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*block);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves of 16 bytes"
    )]
    let halves = (both as u64, (both >> 64) as u64);
    halves
}

/// Up to eight bytes, least significant first, each sign-extended before the XOR: the variant.
fn signed_tail(bytes: &[u8]) -> u64 {
    bytes.iter().enumerate().fold(0, |acc, (at, byte)| {
        acc ^ (i64::from(byte.cast_signed()) << (8 * at)).cast_unsigned()
    })
}

const fn mix_k1(k: u64) -> u64 {
    k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

const fn mix_k2(k: u64) -> u64 {
    k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

const fn finalize(mut h: u64) -> u64 {
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[0, 0, 0, 0], -3_485_513_579_396_041_028)]
    #[case(&[0, 0, 0, 1], -4_069_959_284_402_364_209)]
    #[case(&[0, 0, 0, 2], -3_248_873_570_005_575_792)]
    #[case(&[0xff; 4], 7_297_452_126_230_313_552)]
    #[case(b"a", -8_839_064_797_231_613_815)]
    #[case(&[0, 0, 0, 0, 0, 0, 0, 1], 6_292_367_497_774_912_474)]
    #[case(&[0x80], -5_284_281_814_142_962_636)]
    #[case(&[0xff; 17], -4_128_212_798_341_382_003)]
    #[case(&[0, 4, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 2, 0], 4_881_097_376_275_569_167)]
    #[case(&[], 0)]
    fn known_tokens(#[case] key: &[u8], #[case] token: i64) {
        assert_eq!(Token::of_key(key), Token(token));
    }

    #[rstest]
    #[case(-4_069_959_284_402_364_209, [0, 1, 2, 3])]
    #[case(-3_485_513_579_396_041_028, [0, 0, 2, 0])]
    #[case(0, [0, 0, 4, 0])]
    #[case(i64::MAX, [1, 3, 7, 11])]
    #[case(-i64::MAX, [0, 0, 0, 0])]
    fn known_shards(#[case] token: i64, #[case] shards: [u32; 4]) {
        let token = Token(token);
        let found = [
            token.shard(2, 12),
            token.shard(4, 12),
            token.shard(8, 0),
            token.shard(12, 12),
        ];
        assert_eq!(found, shards);
    }

    #[test]
    fn encoded_tokens_order_like_tokens() {
        let tokens = [i64::MIN, -i64::MAX, -1, 0, 1, i64::MAX].map(Token);
        for pair in tokens.windows(2) {
            assert!(encode_token(pair[0]) < encode_token(pair[1]));
            assert_eq!(decode_token(encode_token(pair[0])), pair[0]);
        }
        assert_eq!(Token::MAX.next(), None);
        assert_eq!(Token(1).shard(0, 0), 0);
        assert_eq!(Token(1).shard(8, 64), 0);
    }
}
