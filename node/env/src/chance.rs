//! Chance, from a seed.
//!
//! One generator, xoshiro256++ seeded through splitmix64: fast, small, good enough for jitter, identifiers and
//! simulated faults; not for secrets.
//! A node draws one seed at start; every user takes its own stream by name ([`SeededRng::fork`]), so that a new
//! user of chance does not change what the others see.

/// A source of chance; the seam is object-safe, the provided methods work on `&mut dyn Rng` too.
pub trait Rng: Send {
    /// 64 even bits.
    fn next_u64(&mut self) -> u64;

    /// A number in `0..bound`, evenly; 0 if `bound` is 0.
    fn below(&mut self, bound: u64) -> u64 {
        // Lemire's multiplication, without the rejection step: the bias is below 2^-32 for bounds up to 2^32.
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `low..high`; `low` if the range is empty.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low)))
    }

    /// An index into something of `len` elements; 0 if it is empty.
    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True once in `of` times on average.
    fn one_in(&mut self, of: u64) -> bool {
        self.below(of.max(1)) == 0
    }

    /// Fills a buffer.
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(bytes) {
                *to = from;
            }
        }
    }

    /// The 16 bytes of a random (version 4) UUID, in network order.
    fn uuid_bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        bytes
    }
}

/// Shuffles a slice in place (Fisher-Yates).
pub fn shuffle<T>(rng: &mut dyn Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.index(last + 1));
    }
}

/// The one generator: xoshiro256++.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededRng {
    state: [u64; 4],
}

impl SeededRng {
    /// The generator of a seed; any seed is fine.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut mix = seed;
        let mut next = || {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            splitmix(mix)
        };
        Self {
            state: [next(), next(), next(), next()],
        }
    }

    /// A generator seeded by the operating system.
    #[must_use]
    pub fn from_system() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let mut rng = Self::new(0);
        for word in &mut rng.state {
            // The keys of a `RandomState` come from the operating system.
            *word = RandomState::new().hash_one(*word);
        }
        rng
    }

    /// An independent generator for one user, named; does not move this one.
    /// The same name gives the same stream, so a name has one user.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        let [a, b, c, d] = self.state;
        // FNV-1a over the name, then one splitmix per word of the state.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let word = |own: u64, salt: u64| splitmix(own ^ splitmix(hash.wrapping_add(salt)));
        Self {
            state: [word(a, 1), word(b, 2), word(c, 3), word(d, 4) | 1],
        }
    }
}

impl Rng for SeededRng {
    fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }
}

fn splitmix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_stream() {
        // The state (1, 2, 3, 4) is the one whose output the authors' reference program is known to begin with.
        let mut known = SeededRng {
            state: [1, 2, 3, 4],
        };
        assert_eq!(
            [known.next_u64(), known.next_u64(), known.next_u64()],
            [41_943_041, 58_720_359, 3_588_806_011_781_223]
        );
        let mut one = SeededRng::new(7);
        assert_eq!(one.next_u64(), SeededRng::new(7).next_u64());
        assert_ne!(one.next_u64(), SeededRng::new(8).next_u64());
    }

    #[test]
    fn forks_are_independent_and_do_not_move_the_root() {
        let root = SeededRng::new(1);
        let first: Vec<u64> = std::iter::repeat_with({
            let mut fork = root.fork("a");
            move || fork.next_u64()
        })
        .take(4)
        .collect();
        assert_eq!(root, SeededRng::new(1));
        assert_eq!(root.fork("a").next_u64(), first[0]);
        assert_ne!(root.fork("b").next_u64(), first[0]);
        assert_ne!(SeededRng::new(2).fork("a").next_u64(), first[0]);
    }

    #[test]
    fn bounds_hold() {
        let mut rng = SeededRng::new(3);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.between(5, 5), 5);
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            seen[rng.index(6)] += 1;
        }
        assert!(
            seen.iter().all(|&times| (800..1_200).contains(&times)),
            "{seen:?}"
        );
        let mut items: Vec<u32> = (0..100).collect();
        shuffle(&mut rng, &mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let bytes = SeededRng::from_system().uuid_bytes();
        assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (4, 2));
        assert_ne!(bytes, SeededRng::from_system().uuid_bytes());
    }
}
