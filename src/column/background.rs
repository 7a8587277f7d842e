//! Spikes from outside: how many every neuron gets in a step, a Poisson number by inversion of its law from one random word.
//!
//! A Philox block gives a neuron the words of four steps, so numbers are drawn for four steps together.

use crate::cpu::LANES;
use crate::num::transcendental::exp;
use crate::rng::{Row, Stream};

/// Steps that a block of random words is enough for.
pub const TOGETHER: usize = 4;

/// Thresholds that are compared with at once.
const FEW: usize = 4;

/// Most spikes that a law can tell apart.
const MOST: usize = 64;

/// The law of a Poisson number, prepared for drawing: words are compared with 2^32 times its cumulative probabilities, so
/// each probability is right to 2^-32, and numbers rarer than that do not come.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonLaw {
    /// A word at or above number k is more than k spikes. A multiple of [`FEW`]; the last ones no word passes.
    thresholds: Vec<u32>,
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

    /// The numbers of [`TOGETHER`] steps of [`LANES`] neurons, numbered from `first` on: `[step][lane]`.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "lane counts neurons, and runs across the words")]
    pub fn draw(&self, seed: u64, four_steps: u32, first: u32, counts: &mut [[u8; LANES]; TOGETHER]) {
        let mut words = [[0u32; LANES]; TOGETHER];
        for lane in 0..LANES {
            let row = Row {
                seed,
                stream: Stream::Background,
                generation: four_steps,
                index: first.wrapping_add(lane as u32),
            };
            let block = row.block(0);
            for step in 0..TOGETHER {
                words[step][lane] = block[step];
            }
        }
        for (words, counts) in words.iter().zip(counts) {
            let mut numbers = [0u32; LANES];
            for four in self.thresholds.chunks_exact(FEW) {
                for &threshold in four {
                    for (number, &word) in numbers.iter_mut().zip(words) {
                        *number += u32::from(word >= threshold);
                    }
                }
                let last = four[FEW - 1];
                if words.iter().fold(true, |all, &word| all & (word < last)) {
                    break;
                }
            }
            for (count, &number) in counts.iter_mut().zip(&numbers) {
                *count = number as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_their_law() {
        for mean in [0.0, 0.05, 0.128, 0.232, 2.32, 12.0] {
            let law = PoissonLaw::new(mean).unwrap();
            let (mut seen, mut counts) = (vec![0u32; 80], [[0; LANES]; TOGETHER]);
            let draws = 4000;
            for i in 0..draws {
                law.draw(7, i % 50, (i / 50) * LANES as u32, &mut counts);
                counts.iter().flatten().for_each(|&count| seen[count as usize] += 1);
            }
            let total = f64::from(draws) * (LANES * TOGETHER) as f64;
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
}
