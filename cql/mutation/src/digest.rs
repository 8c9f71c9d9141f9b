//! A 128-bit digest of bytes, MurmurHash3 x64: two replicas compare answers with it.
//!
//! It finds differences that come about by accident; it is no defence against bytes made to collide.

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// The digest of `bytes`.
pub(crate) fn digest_128(bytes: &[u8]) -> u128 {
    let (blocks, tail) = bytes.as_chunks::<16>();
    let (mut h1, mut h2) = (0_u64, 0_u64);
    for block in blocks {
        let (k1, k2) = halves(block);
        h1 = (h1 ^ mix(k1, C1, 31, C2)).rotate_left(27).wrapping_add(h2);
        h1 = h1.wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 = (h2 ^ mix(k2, C2, 33, C1)).rotate_left(31).wrapping_add(h1);
        h2 = h2.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let mut last = [0; 16];
    last.iter_mut()
        .zip(tail)
        .for_each(|(slot, byte)| *slot = *byte);
    let (k1, k2) = halves(&last);
    h2 ^= mix(k2, C2, 33, C1);
    h1 ^= mix(k1, C1, 31, C2);
    let len = bytes.len() as u64;
    h1 ^= len;
    h2 ^= len;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finalize(h1);
    h2 = finalize(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (u128::from(h1) << 64) | u128::from(h2)
}

const fn mix(k: u64, first: u64, rotation: u32, second: u64) -> u64 {
    k.wrapping_mul(first)
        .rotate_left(rotation)
        .wrapping_mul(second)
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

const fn finalize(mut h: u64) -> u64 {
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    use super::digest_128;

    /// Published values of the function, so that it never changes between versions.
    #[test]
    fn known_digests() {
        assert_eq!(digest_128(b""), 0);
        assert_eq!(
            digest_128(b"hello"),
            0xcbd8_a7b3_41bd_9b02_5b1e_906a_48ae_1d19
        );
        let fox = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(digest_128(fox), 0xe34b_bc7b_bc07_1b6c_7a43_3ca9_c49a_9347);
    }
}
