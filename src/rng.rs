//! Randomness by counter: Philox4x32-10 (Salmon et al. 2011) and the uniforms and normals made from it.
//!
//! Nothing is stored and nothing has an order: element `e` of offspring `i` in generation `g` is a function of
//! (run seed, stream, g, i, e), the same on every backend, thread count and machine. One Philox block gives four
//! consecutive elements: counter = (e / 4, offspring, generation, stream), key = run seed.

use crate::num;

/// What the numbers are for: one counter word, so that no two uses ever share a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// The first parameters of a run.
    Initial = 0,
    /// Mutations of the offspring.
    Mutation = 1,
    /// Episodes of the generations.
    Episode = 2,
    /// Episodes that no generation sees: evaluation and reports.
    Fresh = 3,
    /// Episodes that decide which centre of a run is kept as the best.
    Validation = 4,
    /// Episodes that choose the first centre of a run.
    Start = 5,
    /// What a world draws in an episode.
    World = 6,
    /// Actions of a policy that acts at random.
    Action = 7,
    /// Numbers of synapses of grown agents, a gene pair at a time. The upper bits of this word number the blocks of a draw,
    /// so the values 8 + 256 i are all its.
    Synapses = 8,
    /// Numbers of synapses drawn from their law.
    SynapseLaw = 9,
    /// Cells of a lineage.
    Lineage = 10,
    /// When a learner acts at random, and how.
    Exploration = 11,
    /// Which transitions a learner learns from.
    Replay = 12,
    /// Seeds of the episodes of each agent of a population.
    AgentEpisodes = 13,
    /// Seeds of the agents that an offspring is judged by, and of their episodes.
    Judges = 14,
    /// Seeds of the parts of an experiment.
    Parts = 15,
    /// What an actor that explores adds to its actions.
    ActionNoise = 16,
    /// Which actions and rewards an actor and its critic learn from.
    Remembered = 17,
    /// Synapses of a column.
    Wiring = 20,
    /// First potentials of a column's neurons.
    Potential = 21,
    /// Spikes that a column's neurons get from outside.
    Background = 22,
    /// Neurons that are looked at for all.
    Sample = 23,
    /// Spikes of a column's thalamus.
    Thalamus = 24,
    /// Seeds that a column search simulates its candidates with.
    Candidates = 25,
    /// Values of keys that a sweep draws.
    Sweep = 26,
    /// What holds for all of a life in an assay of the battery; its `generation` is the assay's number.
    AssayLife = 30,
    /// What the world of an assay draws in a control step.
    AssayStep = 31,
    /// What an animal of an assay draws that acts at random.
    Behaviour = 32,
    /// Which lives a confidence interval takes again.
    Bootstrap = 33,
    /// Orientations and phases of gratings.
    Grating = 34,
    /// First weights of neurons that learn by local rules.
    LocalWeights = 35,
    /// Weights of the plain networks that assays must tell from animals.
    PlainWeights = 36,
    /// Noise on the output gates of the units of an animal in an assay.
    OutputNoise = 37,
    /// Noise on the motors of an animal that evolves in assays.
    MotorNoise = 38,
}

/// Where a row of random elements lies: everything of the counter but the element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Of the run.
    pub seed: u64,
    /// What the numbers are for.
    pub stream: Stream,
    /// 0 for what belongs to no generation.
    pub generation: u32,
    /// Offspring, or environment for episodes; 0 where there is only one row.
    pub index: u32,
}

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One block of Philox4x32-10: four random words from a counter and a key.
#[inline(always)]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * u64::from(MULTIPLIER[0]);
        let b = u64::from(counter[2]) * u64::from(MULTIPLIER[1]);
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// 24 bits of a word as a float in [0, 1), every value exact.
#[inline(always)]
pub fn unit_uniform(word: u32) -> f32 {
    (word >> 8) as i32 as f32 * (1.0 / 16_777_216.0)
}

/// Two independent standard normals from two words (Box & Muller 1958). The radius has 31 bits, so the largest
/// magnitude is 6.66.
#[inline(always)]
pub fn normal_pair(a: u32, b: u32) -> (f32, f32) {
    // (a/2 + 1/2) * 2^-31 lies in (0, 1]: never 0, and 1 gives radius 0.
    let u = ((a >> 1) as i32 as f32).mul_add(1.0 / 2_147_483_648.0, 0.5 / 2_147_483_648.0);
    let radius = (-2.0 * num::ln(u)).sqrt();
    let (sin, cos) = num::sin_cos_pi(b as i32 as f32 * (1.0 / 2_147_483_648.0));
    (radius * cos, radius * sin)
}

impl Row {
    /// The four words of block `block`, that is of elements `4 * block ..`.
    #[inline(always)]
    pub fn block(&self, block: u32) -> [u32; 4] {
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        philox([block, self.index, self.generation, self.stream as u32], key)
    }

    /// Two seeds for rows of their own, from block 0.
    pub fn seeds(&self) -> [u64; 2] {
        let [a, b, c, d] = self.block(0).map(u64::from);
        [b << 32 | a, d << 32 | c]
    }

    /// Standard normals of elements `first ..`; `first` must be a multiple of 4.
    #[inline(always)]
    pub fn normals(&self, first: usize, out: &mut [f32]) {
        self.fill(first, out, |[a, b, c, d]| {
            let (n0, n1) = normal_pair(a, b);
            let (n2, n3) = normal_pair(c, d);
            [n0, n1, n2, n3]
        });
    }

    /// Uniforms in [0, 1) of elements `first ..`; `first` must be a multiple of 4.
    #[inline(always)]
    pub fn uniforms(&self, first: usize, out: &mut [f32]) {
        self.fill(first, out, |words| words.map(unit_uniform));
    }

    /// A plane per word of the block, filled by a loop of fixed length that vectorises, and interleaved afterwards.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "j counts blocks, and runs across the planes")]
    fn fill(&self, first: usize, out: &mut [f32], from_words: impl Fn([u32; 4]) -> [f32; 4]) {
        const BLOCKS: usize = 32;
        debug_assert!(first.is_multiple_of(4));
        for (i, piece) in out.chunks_mut(4 * BLOCKS).enumerate() {
            let block = (first / 4 + i * BLOCKS) as u32;
            let mut planes = [[0f32; BLOCKS]; 4];
            for j in 0..BLOCKS {
                let elements = from_words(self.block(block.wrapping_add(j as u32)));
                for k in 0..4 {
                    planes[k][j] = elements[k];
                }
            }
            for (j, four) in piece.chunks_mut(4).enumerate() {
                for (k, element) in four.iter_mut().enumerate() {
                    *element = planes[k][j];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_known_answers() {
        // kat_vectors of Random123 1.14.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    const ROW: Row = Row { seed: 7, stream: Stream::Mutation, generation: 3, index: 5 };

    #[test]
    fn any_window_of_a_row_has_the_same_elements() {
        let mut whole = vec![0.0; 1003];
        ROW.normals(0, &mut whole);
        for (first, length) in [(0, 1), (4, 7), (256, 256), (996, 7), (512, 300)] {
            let mut part = vec![0.0; length];
            ROW.normals(first, &mut part);
            assert_eq!(part, whole[first..first + length]);
        }
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let mut base = [0.0; 8];
        ROW.normals(0, &mut base);
        let others = [
            Row { seed: 7 + (1 << 40), ..ROW },
            Row { stream: Stream::Episode, ..ROW },
            Row { generation: 4, ..ROW },
            Row { index: 6, ..ROW },
        ];
        for other in others {
            let mut row = [0.0; 8];
            other.normals(0, &mut row);
            assert!(row.iter().zip(&base).all(|(a, b)| a != b));
        }
    }

    #[test]
    fn extreme_words_give_finite_normals() {
        for a in [0, 1, 2, u32::MAX - 1, u32::MAX] {
            for b in [0, 1 << 31, (1 << 31) - 1, u32::MAX] {
                let (x, y) = normal_pair(a, b);
                assert!(x.is_finite() && y.is_finite() && x.abs() < 6.7 && y.abs() < 6.7);
            }
        }
        assert!(normal_pair(0, 0).0 > 6.6);
    }
}
