//! The law of synaptic delays in steps: a normal delay, drawn again below half a step, rounded to the nearest step.
//!
//! A delay is drawn by inversion of that law from one random word, so nothing has to be drawn again. Longer delays than
//! [`LONGEST`] are cut off the law: they have a probability below 1e-10 where delays are the published ones.

use super::DT;
use crate::num::transcendental::exp;

/// Steps of the longest delay.
pub const LONGEST: usize = 64;

/// Words are looked up by this many of their upper bits.
const GUIDE_BITS: u32 = 12;

/// Marks places of the guide where a threshold lies.
const SEARCH: u8 = 0x80;

/// Delays with their probabilities, prepared for drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct DelayLaw {
    /// A word at or above `thresholds[k - 1]` is a delay of more than k steps.
    thresholds: [u32; LONGEST],
    /// By the upper bits of a word: its delay, or with [`SEARCH`] the shortest that it can be.
    guide: Vec<u8>,
}

impl DelayLaw {
    /// Of a mean and a standard deviation in ms.
    pub fn new(mean: f64, sd: f64) -> Self {
        let thresholds = thresholds(mean, sd);
        let shift = 32 - GUIDE_BITS;
        let guide = (0..1u32 << GUIDE_BITS).map(|top| {
            let (first, last) = (top << shift, (top << shift) | ((1 << shift) - 1));
            let (shortest, longest) = (search(&thresholds, 1, first), search(&thresholds, 1, last));
            if shortest == longest { shortest as u8 } else { shortest as u8 | SEARCH }
        });
        Self { guide: guide.collect(), thresholds }
    }

    /// The delay of a random word, 1 ..= [`LONGEST`] steps.
    #[inline(always)]
    pub fn draw(&self, word: u32) -> u32 {
        let found = self.guide[(word >> (32 - GUIDE_BITS)) as usize];
        if found & SEARCH == 0 { u32::from(found) } else { search(&self.thresholds, u32::from(found & !SEARCH), word) }
    }
}

/// Of a mean and a standard deviation in ms: words at or above number k - 1 of these have a delay of more than k steps.
pub fn thresholds(mean: f64, sd: f64) -> [u32; LONGEST] {
    let mut below = 0.0;
    probabilities(mean, sd).map(|p| {
        below += p;
        // Saturates at the last of them, which all words but one are below.
        (below * 4_294_967_296.0).round_ties_even() as u32
    })
}

/// From a delay that is not too long on.
fn search(thresholds: &[u32; LONGEST], from: u32, word: u32) -> u32 {
    let mut delay = from;
    while (delay as usize) < LONGEST && word >= thresholds[delay as usize - 1] {
        delay += 1;
    }
    delay
}

/// Of 1 ..= [`LONGEST`] steps; they add up to 1.
pub fn probabilities(mean: f64, sd: f64) -> [f64; LONGEST] {
    let mut probabilities = [0.0; LONGEST];
    let nearest = |delay: f64| ((delay / DT + 0.5).floor().clamp(1.0, LONGEST as f64)) as usize;
    if sd == 0.0 {
        probabilities[nearest(mean) - 1] = 1.0;
        return probabilities;
    }
    let below = |step: f64| normal_below((step * DT - mean) / sd);
    for (k, p) in probabilities.iter_mut().enumerate() {
        *p = below(k as f64 + 1.5) - below(k as f64 + 0.5);
    }
    let total: f64 = probabilities.iter().sum();
    if total > 0.0 {
        probabilities.iter_mut().for_each(|p| *p /= total);
    } else {
        // All of the law lies beyond one end.
        probabilities[nearest(mean) - 1] = 1.0;
    }
    probabilities
}

/// Probability that a standard normal number is below `x`; absolute error below 1e-15 (Marsaglia 2004, Journal of Statistical
/// Software 11).
fn normal_below(x: f64) -> f64 {
    if x.abs() > 9.0 {
        return if x < 0.0 { 0.0 } else { 1.0 };
    }
    let (mut sum, mut term, mut n) = (x, x, 1.0);
    while term.abs() > 1e-18 {
        n += 2.0;
        term *= x * x / n;
        sum += term;
    }
    0.5 + sum * exp(-0.5 * x * x) * 0.398_942_280_401_432_7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_gives_what_a_search_gives() {
        for (mean, sd) in [(1.5, 0.75), (0.75, 0.375), (0.1, 0.0), (3.0, 0.02), (0.05, 0.4), (50.0, 1.0)] {
            let law = DelayLaw::new(mean, sd);
            let edges = law.thresholds.iter().flat_map(|&t| [t.wrapping_sub(1), t, t.wrapping_add(1)]);
            for word in edges.chain((0..100_000u32).map(|i| i.wrapping_mul(0x9E37_79B9))) {
                assert_eq!(law.draw(word), search(&law.thresholds, 1, word), "{mean} {sd} {word}");
            }
        }
    }

    #[test]
    fn delays_without_spread_are_their_mean_to_the_nearest_step() {
        for (mean, delay) in [(1.5, 15), (0.01, 1), (0.14, 1), (0.16, 2), (9.0, 64)] {
            let law = DelayLaw::new(mean, 0.0);
            assert!([0, 1 << 31, u32::MAX - 1].iter().all(|&word| law.draw(word) == delay), "{mean}");
        }
        // Nearly none, and at the end of a step.
        let law = DelayLaw::new(1.55, 1e-3);
        assert!([15, 16].iter().all(|&k| (0..1000u32).any(|i| law.draw(i * 4_294_967) == k)));
    }
}
