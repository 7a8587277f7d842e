//! Spikes from outside: how many every neuron gets in a step, a Poisson number by inversion of its law from 32 random bits.
//!
//! The upper half of the bits nearly always decides. So a Philox block gives a neuron the upper halves for eight steps, and only
//! where such a half is that of a threshold does a second block give the lower halves.

use crate::cpu::LANES;
use crate::num::transcendental::exp;
use crate::rng::{Row, Stream};

/// Steps that are drawn together.
pub const TOGETHER: u32 = 8;

/// Numbers of a neuron for [`TOGETHER`] steps, a byte each: `[step / 4][lane]`, in the places of [`shift`].
pub type Counts = [[u32; LANES]; 2];

/// Thresholds that are compared with at once.
const FEW: usize = 4;

/// Most spikes that a law can tell apart.
const MOST: usize = 64;

/// The law of a Poisson number, prepared for drawing: words are compared with 2^32 times its cumulative probabilities, so
/// each probability is right to 2^-32, and numbers rarer than that do not come.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonLaw {
    /// A word at or above number k is more than k spikes. A multiple of [`FEW`].
    thresholds: Vec<u32>,
}

/// Which bits of its neuron's half of the counts are those of a step, counted from the first of its eight.
#[inline(always)]
pub fn shift(step: u32) -> u32 {
    // Halves of words were added up side by side, and two words then put in each other's gaps.
    [0, 16, 8, 24][step as usize % 4]
}

impl PoissonLaw {
    /// Of a mean number of spikes in a step; `None` where it is too large to be told from 64.
    pub fn new(mean: f64) -> Option<Self> {
        let mut thresholds = Vec::new();
        let (mut probability, mut below) = (exp(-mean), 0.0);
        loop {
            below += probability;
            let threshold = (below * 4_294_967_296.0).round_ties_even();
            if threshold >= 4_294_967_295.0 {
                break;
            }
            if thresholds.len() == MOST {
                return None;
            }
            thresholds.push(threshold as u32);
            probability *= mean / thresholds.len() as f64;
        }
        // Only the largest word passes these; that it is some spikes more is below the law's error.
        thresholds.push(u32::MAX);
        thresholds.resize(thresholds.len().next_multiple_of(FEW), u32::MAX);
        Some(Self { thresholds })
    }

    /// Words at or above number k of these are more than k spikes.
    pub fn thresholds(&self) -> &[u32] {
        &self.thresholds
    }

    /// The numbers of [`LANES`] neurons, numbered from `first` on, in the steps `8 eight_steps ..`.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "lane counts neurons, and runs across the words")]
    pub fn draw(&self, seed: u64, eight_steps: u32, first: u32, counts: &mut Counts) {
        let mut words = [[0u32; LANES]; 4];
        for lane in 0..LANES {
            let block = row(seed, eight_steps, first.wrapping_add(lane as u32)).block(0);
            for k in 0..4 {
                words[k][lane] = block[k];
            }
        }
        let mut numbers = [[0u32; LANES]; 4];
        for (k, (words, numbers)) in words.iter().zip(&mut numbers).enumerate() {
            let halves: [u16; 2 * LANES] = bytemuck::cast(words.map(u32::to_le));
            // Differences rather than conditions, which compilers turn into bits one by one.
            let (mut sums, mut nearest) = ([0u16; 2 * LANES], [u16::MAX; 2 * LANES]);
            for few in self.thresholds.chunks_exact(FEW) {
                for &threshold in few {
                    let threshold = (threshold >> 16) as u16;
                    for i in 0..2 * LANES {
                        sums[i] += u16::from(halves[i] > threshold);
                        nearest[i] = nearest[i].min(halves[i] ^ threshold);
                    }
                }
                let last = (few[FEW - 1] >> 16) as u16;
                let mut reached = [0u16; 2 * LANES];
                for i in 0..2 * LANES {
                    reached[i] = halves[i].saturating_sub(last - 1);
                }
                if !any(&reached) {
                    break;
                }
            }
            for difference in &mut nearest {
                *difference = 1u16.saturating_sub(*difference);
            }
            if any(&nearest) {
                self.look_again(seed, eight_steps, first, k, &halves, &mut sums);
            }
            *numbers = bytemuck::cast::<_, [u32; LANES]>(sums).map(u32::from_le);
        }
        for lane in 0..LANES {
            counts[0][lane] = numbers[0][lane] | numbers[1][lane] << 8;
            counts[1][lane] = numbers[2][lane] | numbers[3][lane] << 8;
        }
    }

    /// Word `k`'s halves with their lower ones.
    #[cold]
    #[inline(never)]
    fn look_again(
        &self,
        seed: u64,
        eight_steps: u32,
        first: u32,
        k: usize,
        halves: &[u16; 2 * LANES],
        sums: &mut [u16; 2 * LANES],
    ) {
        for (i, (&half, sum)) in halves.iter().zip(sums).enumerate() {
            if self.thresholds.iter().any(|threshold| (threshold >> 16) as u16 == half) {
                let lower = row(seed, eight_steps, first.wrapping_add(i as u32 / 2)).block(1)[k];
                let word = u32::from(half) << 16 | (lower >> (16 * (i as u32 % 2)) & 0xffff);
                *sum = self.thresholds.iter().filter(|&&threshold| word >= threshold).count() as u16;
            }
        }
    }
}

/// Whether one is not 0. Looked at eight bytes at a time: compilers take sixteen-bit numbers apart for it.
#[inline(always)]
fn any(marks: &[u16; 2 * LANES]) -> bool {
    bytemuck::cast::<_, [u64; LANES / 2]>(*marks).iter().fold(0, |any, &four| any | four) != 0
}

#[inline(always)]
fn row(seed: u64, eight_steps: u32, neuron: u32) -> Row {
    Row { seed, stream: Stream::Background, generation: eight_steps, index: neuron }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_their_law() {
        for mean in [0.0, 0.05, 0.128, 0.232, 2.32, 12.0] {
            let law = PoissonLaw::new(mean).unwrap();
            let (mut seen, mut counts) = (vec![0u32; 80], Counts::default());
            let draws = 4000;
            for i in 0..draws {
                law.draw(7, i % 50, (i / 50) * LANES as u32, &mut counts);
                for step in 0..TOGETHER {
                    let halves = &counts[step as usize / 4];
                    halves.iter().for_each(|&half| seen[(half >> shift(step) & 0xff) as usize] += 1);
                }
            }
            let total = f64::from(draws * TOGETHER) * LANES as f64;
            let mut probability = exp(-mean);
            for (k, &seen) in seen.iter().enumerate() {
                let expected = probability * total;
                let error = (f64::from(seen) - expected).abs();
                assert!(error <= 5.0 * expected.sqrt() + 3.0, "{mean}: {k} came {seen} times, not {expected}");
                probability *= mean / (k + 1) as f64;
            }
        }
        assert!(PoissonLaw::new(40.0).is_none());
    }

    #[test]
    fn numbers_are_those_of_whole_words() {
        for mean in [0.128, 2.32] {
            let law = PoissonLaw::new(mean).unwrap();
            let mut counts = Counts::default();
            let mut again = 0;
            for first in (0..60_000).step_by(LANES) {
                law.draw(3, 5, first, &mut counts);
                for step in 0..TOGETHER {
                    for (lane, &half) in counts[step as usize / 4].iter().enumerate() {
                        let row = row(3, 5, first + lane as u32);
                        let (word, upwards) = (step as usize / 2, 16 * (step % 2));
                        let [upper, lower] = [0, 1].map(|block| row.block(block)[word] >> upwards & 0xffff);
                        let word = upper << 16 | lower;
                        let expected = law.thresholds.iter().filter(|&&threshold| word >= threshold).count();
                        assert_eq!((half >> shift(step) & 0xff) as usize, expected);
                        again += u32::from(law.thresholds.iter().any(|threshold| threshold >> 16 == upper));
                    }
                }
            }
            assert!(again > 10, "the lower halves were asked for {again} times");
        }
    }
}
