//! Where a world's random numbers come from: a stream of uniforms for every episode, phylon's own by counter, or the very
//! numbers that Gymnasium draws.
//!
//! Gymnasium's are NumPy's: `reset(seed)` hashes the seed (`SeedSequence`, after O'Neill's `seed_seq_fe`) into the state of a
//! PCG64 (O'Neill 2014, XSL-RR 128/64), and `Generator.uniform` takes the upper 53 bits of each output.

use crate::cpu::{InstructionSet, Kernel, LANES, Vector};
use crate::rng::{Row, Stream};

/// What the episodes of a batch draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeds {
    /// Philox by counter: key is this seed, every episode a row of its own.
    Phylon(u64),
    /// Episode `k` draws what Gymnasium draws after `env.reset(seed=first + k)`.
    Gymnasium(u64),
}

impl Seeds {
    /// The stream of one episode, at its beginning.
    pub fn episode(self, episode: u32) -> Draws {
        match self {
            Self::Phylon(seed) => {
                Draws::Philox(Philox::new(Row { seed, stream: Stream::World, generation: 0, index: episode }))
            }
            Self::Gymnasium(first) => Draws::Pcg(Pcg64::seeded(first.wrapping_add(u64::from(episode)))),
        }
    }
}

/// The uniforms of one episode, in the order in which its world asks for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Draws {
    /// By counter.
    Philox(Philox),
    /// As NumPy.
    Pcg(Pcg64),
}

impl Draws {
    /// The next uniform in [0, 1): a multiple of 2^-53.
    #[inline(always)]
    pub fn uniform(&mut self) -> f64 {
        unit(match self {
            Self::Philox(philox) => philox.next(),
            Self::Pcg(pcg) => pcg.next(),
        })
    }

    /// The next uniform in [low, high), as NumPy computes it.
    #[inline(always)]
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        between(low, high, self.uniform())
    }

    /// The next integer in low ..= high, as NumPy's `integers(low, high + 1)` draws it for a range below 2^32.
    pub fn integer(&mut self, low: i64, high: i64) -> i64 {
        let range = (high - low) as u64 + 1;
        match self {
            Self::Philox(philox) => low + ((u128::from(philox.next()) * u128::from(range)) >> 64) as i64,
            Self::Pcg(pcg) => low + i64::from(pcg.below(range as u32)),
        }
    }
}

/// The upper 53 bits as a number in [0, 1).
#[inline(always)]
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

#[inline(always)]
fn between(low: f64, high: f64, uniform: f64) -> f64 {
    low + (high - low) * uniform
}

/// The first four uniforms in [low, high) of the episodes in these lanes, which have drawn nothing: as four times
/// [`Draws::between`], with all Philox blocks of [`LANES`] episodes at once. `take(lane, uniforms)` is told those of each.
pub fn first_four(
    draws: &mut [Draws],
    lanes: &[usize],
    (low, high): (f64, f64),
    mut take: impl FnMut(usize, [f64; 4]),
) {
    for lanes in lanes.chunks(LANES) {
        let Draws::Philox(Philox { row, drawn: 0, .. }) = draws[lanes[0]] else {
            for &lane in lanes {
                take(lane, [(); 4].map(|()| draws[lane].between(low, high)));
            }
            continue;
        };
        let mut episodes = [0; LANES];
        for (episode, &lane) in episodes.iter_mut().zip(lanes) {
            if let Draws::Philox(philox) = &draws[lane] {
                *episode = philox.row.index;
            }
        }
        let mut numbers = [[0; LANES]; 4];
        InstructionSet::best().run(TwoBlocks { row, episodes: &episodes, numbers: &mut numbers });
        for (k, &lane) in lanes.iter().enumerate() {
            if let Draws::Philox(philox) = &mut draws[lane] {
                (philox.drawn, philox.second) = (4, numbers[3][k]);
            }
            take(lane, [0, 1, 2, 3].map(|number| between(low, high, unit(numbers[number][k]))));
        }
    }
}

/// The first four numbers of the rows of some episodes, which differ in their index.
struct TwoBlocks<'a> {
    row: Row,
    episodes: &'a [u32; LANES],
    numbers: &'a mut [[u64; LANES]; 4],
}

impl Kernel for TwoBlocks<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "lanes run across arrays, so that the loops become vectors")]
    fn run<V: Vector>(self) {
        for block in 0..2 {
            let mut words = [[0; LANES]; 4];
            for lane in 0..LANES {
                let four = Row { index: self.episodes[lane], ..self.row }.block(block as u32);
                for k in 0..4 {
                    words[k][lane] = four[k];
                }
            }
            for lane in 0..LANES {
                self.numbers[2 * block][lane] = u64::from(words[0][lane]) << 32 | u64::from(words[1][lane]);
                self.numbers[2 * block + 1][lane] = u64::from(words[2][lane]) << 32 | u64::from(words[3][lane]);
            }
        }
    }
}

/// Philox words in their order, two for each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Philox {
    row: Row,
    /// Numbers drawn so far; two lie in a block.
    drawn: u32,
    /// The second number of the block that the last one was in.
    second: u64,
}

impl Philox {
    /// At the beginning of a row.
    pub fn new(row: Row) -> Self {
        Self { row, drawn: 0, second: 0 }
    }

    #[inline(always)]
    fn next(&mut self) -> u64 {
        let is_second = self.drawn % 2 == 1;
        self.drawn += 1;
        if is_second {
            return self.second;
        }
        let [a, b, c, d] = self.row.block(self.drawn / 2);
        self.second = u64::from(c) << 32 | u64::from(d);
        u64::from(a) << 32 | u64::from(b)
    }
}

/// NumPy's default bit generator, PCG64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pcg64 {
    /// Of the linear congruential generator.
    pub state: u128,
    /// Its increment, odd.
    pub increment: u128,
    /// The unused half of an output, which the next draw of 32 bits takes.
    half: Option<u32>,
}

impl Pcg64 {
    const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

    /// A generator in a given state.
    pub fn new(state: u128, increment: u128) -> Self {
        Self { state, increment, half: None }
    }

    /// As `numpy.random.PCG64(SeedSequence(seed))`.
    pub fn seeded(seed: u64) -> Self {
        let [a, b, c, d] = seed_sequence(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut generator = Self::new(0, wide(c, d) << 1 | 1);
        generator.advance();
        generator.state = generator.state.wrapping_add(wide(a, b));
        generator.advance();
        generator
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.state = self.state.wrapping_mul(Self::MULTIPLIER).wrapping_add(self.increment);
    }

    #[inline(always)]
    fn next(&mut self) -> u64 {
        self.advance();
        ((self.state >> 64) as u64 ^ self.state as u64).rotate_right((self.state >> 122) as u32)
    }

    /// 32 bits: the lower half of an output first, then its upper half.
    fn next_half(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        let bits = self.next();
        self.half = Some((bits >> 32) as u32);
        bits as u32
    }

    /// Uniform below `range`, without bias (Lemire 2019), as `Generator.integers` draws for ranges below 2^32.
    fn below(&mut self, range: u32) -> u32 {
        let mut product = u64::from(self.next_half()) * u64::from(range);
        if (product as u32) < range {
            let threshold = range.wrapping_neg() % range;
            while (product as u32) < threshold {
                product = u64::from(self.next_half()) * u64::from(range);
            }
        }
        (product >> 32) as u32
    }
}

/// Four words that NumPy's `SeedSequence(seed).generate_state(4, uint64)` gives.
fn seed_sequence(seed: u64) -> [u64; 4] {
    const MIX: (u32, u32) = (0xCA01_F9DD, 0x4973_F715);
    /// A constant that multiplies itself on at each use.
    struct Hash(u32, u32);
    impl Hash {
        fn of(&mut self, value: u32) -> u32 {
            let mixed = value ^ self.0;
            self.0 = self.0.wrapping_mul(self.1);
            let mixed = mixed.wrapping_mul(self.0);
            mixed ^ mixed >> 16
        }
    }
    let mix = |x: u32, y: u32| {
        let mixed = MIX.0.wrapping_mul(x).wrapping_sub(MIX.1.wrapping_mul(y));
        mixed ^ mixed >> 16
    };
    let mut hash = Hash(0x43B0_D7E5, 0x931E_8875);
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(|word| hash.of(word));
    for source in 0..4 {
        for destination in 0..4 {
            if source != destination {
                pool[destination] = mix(pool[destination], hash.of(pool[source]));
            }
        }
    }
    let mut hash = Hash(0x8B51_F9DD, 0x58F3_8DED);
    let mut words = [0; 8];
    for (i, word) in words.iter_mut().enumerate() {
        *word = hash.of(pool[i % 4]);
    }
    std::array::from_fn(|i| u64::from(words[2 * i + 1]) << 32 | u64::from(words[2 * i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_uniforms_of_many_episodes_are_those_of_each() {
        for seeds in [Seeds::Phylon(0x0123_4567_89AB_CDEF), Seeds::Gymnasium(5)] {
            for count in [0, 1, LANES - 1, LANES, 3 * LANES + 2] {
                let mut many: Vec<Draws> = (0..count as u32).map(|i| seeds.episode(7 * i)).collect();
                let mut alone = many.clone();
                let mut seen = Vec::new();
                // In an order of their own.
                let lanes: Vec<usize> = (0..count).rev().collect();
                first_four(&mut many, &lanes, (-0.05, 0.05), |lane, uniforms| seen.push((lane, uniforms)));
                seen.reverse();
                for (i, draws) in alone.iter_mut().enumerate() {
                    assert_eq!(seen[i], (i, [(); 4].map(|()| draws.between(-0.05, 0.05))));
                }
                assert_eq!((seen.len(), &many), (count, &alone));
                // And what comes after them.
                assert!(many.iter_mut().zip(&mut alone).all(|(a, b)| a.uniform() == b.uniform()));
            }
        }
    }

    /// From NumPy 2.4.6: the state of `Generator(PCG64(SeedSequence(seed)))`, then what `uniform()` gives twice,
    /// `integers(-9999, 9999)` twice, and `uniform(-1000, 1000)`.
    #[test]
    fn the_numbers_of_numpy() {
        type Numbers = (u64, u128, [f64; 2], [i64; 2], f64);
        const NUMPY: [Numbers; 3] = [
            (
                0,
                0x1aa1_b534_5996_452d_0958_5eb7_a695_61e3,
                [0.6369616873214543, 0.2697867137638703],
                [-3844, -9180],
                -966.9447289429418,
            ),
            (
                1,
                0x9c5b_484b_fedb_756c_2a6e_7d6f_320f_bc7e,
                [0.5118216247002567, 0.9504636963259353],
                [-9303, -7117],
                897.2988942744878,
            ),
            (
                12_345_678_901_234_567_890,
                0xf9bd_cde2_36d2_ecd8_34d2_2711_ba6c_e97d,
                [0.004224879795573511, 0.6523439976170509],
                [5685, 2157],
                968.6100835976117,
            ),
        ];
        for (seed, state, uniforms, integers, force) in NUMPY {
            assert_eq!(Pcg64::seeded(seed).state, state);
            let mut draws = Seeds::Gymnasium(seed).episode(0);
            assert_eq!(uniforms.map(|_| draws.uniform()), uniforms);
            assert_eq!(integers.map(|_| draws.integer(-9999, 9998)), integers);
            assert_eq!(draws.between(-1000.0, 1000.0), force);
        }
    }

    #[test]
    fn an_episode_of_phylon_is_a_row_of_its_own() {
        let first = |seed, episode| Seeds::Phylon(seed).episode(episode).uniform();
        assert_ne!(first(1, 0), first(1, 1));
        assert_ne!(first(1, 0), first(2, 0));
        let mut draws = Seeds::Phylon(1).episode(3);
        let row: [u64; 4] = std::array::from_fn(|_| (draws.uniform() * (1u64 << 53) as f64) as u64);
        let words = |block| Row { seed: 1, stream: Stream::World, generation: 0, index: 3 }.block(block).map(u64::from);
        let [[a, b, c, d], [e, f, g, h]] = [words(0), words(1)];
        assert_eq!(row, [(a, b), (c, d), (e, f), (g, h)].map(|(high, low)| (high << 32 | low) >> 11));
    }
}
