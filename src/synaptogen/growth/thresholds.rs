//! Inversion by table, many draws at a time: how many thresholds of a cumulative distribution a random word exceeds.
//!
//! A threshold has 64 bits. The search sees the upper 32, the same number of steps for every lane and no branch; where a word
//! meets a threshold's upper half exactly, which happens about once in 2^32 for each entry, 32 more bits decide. So a draw is
//! as exact as the table, at the price of a 32-bit search.

/// Draws that are searched for side by side.
pub(super) const LANES: usize = 16;

/// Rows of thresholds, one after another. A value is the number of thresholds of its row below the random word; a row ends
/// in a threshold that nothing exceeds.
pub(super) struct Thresholds {
    /// Upper halves.
    high: Vec<u32>,
    /// Lower halves.
    low: Vec<u32>,
}

impl Thresholds {
    /// `length` thresholds that nothing exceeds; a power of two.
    pub(super) fn new(length: usize) -> Self {
        debug_assert!(length.is_power_of_two());
        Self { high: vec![u32::MAX; length], low: vec![u32::MAX; length] }
    }

    /// Thresholds from `start` on, of cumulative probabilities. 1, and what rounds to it, is never exceeded.
    #[inline(always)]
    pub(super) fn set(&mut self, start: usize, cumulative: &[f64]) {
        let (high, low) = (&mut self.high[start..], &mut self.low[start..]);
        for ((high, low), &probability) in high.iter_mut().zip(low).zip(cumulative) {
            // Scaled by powers of two and cut: every step is exact.
            let scaled = probability * 4_294_967_296.0;
            let whole = floor(scaled);
            let (upper, lower) = (to_bits(whole), to_bits(floor((scaled - whole) * 4_294_967_296.0)));
            let is_one = probability >= 1.0;
            *high = if is_one { u32::MAX } else { upper };
            *low = if is_one { u32::MAX } else { lower };
        }
    }

    /// Append upper and lower halves of `length` thresholds from `start` on.
    pub(super) fn copy_to(&self, start: usize, length: usize, high: &mut Vec<u32>, low: &mut Vec<u32>) {
        high.extend_from_slice(&self.high[start..start + length]);
        low.extend_from_slice(&self.low[start..start + length]);
    }

    /// The threshold at an index.
    pub(super) fn get(&self, index: usize) -> u64 {
        u64::from(self.high[index]) << 32 | u64::from(self.low[index])
    }

    /// The values of `words` in the rows of 2^`levels` thresholds that start at `starts`. `tie` gives the lower word of a lane.
    #[inline(always)]
    pub(super) fn values(
        &self,
        starts: &[u32; LANES],
        levels: u32,
        words: &[u32; LANES],
        tie: impl Fn(usize) -> u32,
    ) -> [u32; LANES] {
        // The mask shows that no index leaves the table; without that the loop would not vectorise.
        let mask = self.high.len() - 1;
        let mut values = [0u32; LANES];
        for level in (0..levels).rev() {
            let step = 1u32 << level;
            for lane in 0..LANES {
                let threshold = self.high[(starts[lane] + values[lane] + step - 1) as usize & mask];
                values[lane] += if words[lane] > threshold { step } else { 0 };
            }
        }
        let mut ties = 0;
        for lane in 0..LANES {
            let next = self.high[(starts[lane] + values[lane]) as usize & mask];
            ties |= u32::from(next == words[lane]) << lane;
        }
        while ties != 0 {
            let lane = ties.trailing_zeros() as usize;
            ties &= ties - 1;
            // Nothing exceeds the end of a row.
            let word = (u64::from(words[lane]) << 32 | u64::from(tie(lane))).min(u64::MAX - 1);
            // Several thresholds may share their upper half.
            while values[lane] < (1 << levels) - 1 && word >= self.get((starts[lane] + values[lane]) as usize) {
                values[lane] += 1;
            }
        }
        values
    }
}

/// 2^52: added to a number below 2^32, it leaves the whole part in the lower bits of the mantissa.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// The whole part of a number in [0, 2^32), in operations that every instruction set has for many numbers at a time.
#[inline(always)]
fn floor(x: f64) -> f64 {
    let nearest = (x + WHOLE) - WHOLE;
    if nearest > x { nearest - 1.0 } else { nearest }
}

/// A whole number below 2^32 as an integer.
#[inline(always)]
fn to_bits(x: f64) -> u32 {
    (x + WHOLE).to_bits() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The integer part in units of 2^-64: at both ends, at powers of two, and everywhere between.
    #[test]
    fn thresholds_are_cut_probabilities() {
        let mut words = crate::rng::Row { seed: 3, stream: crate::rng::Stream::Initial, generation: 0, index: 0 };
        let mut probabilities = vec![0.0, f64::MIN_POSITIVE, f64::EPSILON, 0.5, 1.0 - f64::EPSILON / 2.0, 1.0, 1.5];
        for exponent in 0..80 {
            let [a, b, ..] = words.block(0);
            words.index += 1;
            let fraction = (u64::from(a) << 32 | u64::from(b)) as f64 / 18_446_744_073_709_551_616.0;
            probabilities.extend([0.5f64.powi(exponent), fraction * 0.5f64.powi(exponent)]);
        }
        let mut thresholds = Thresholds::new(256);
        thresholds.set(0, &probabilities);
        for (index, &probability) in probabilities.iter().enumerate() {
            // The conversion cuts, and saturates.
            let expected = (probability * 18_446_744_073_709_551_616.0) as u64;
            assert_eq!(thresholds.get(index), expected, "{probability:e}");
        }
    }

    /// A word beside a threshold, and on it, where the lower half decides; two thresholds with the same upper half.
    #[test]
    fn ties_are_broken_by_the_lower_half() {
        let mut thresholds = Thresholds::new(8);
        let unit = 1.0 / 18_446_744_073_709_551_616.0;
        let half = |high: f64, low: f64| (high * 4_294_967_296.0 + low) * unit;
        thresholds.set(4, &[half(7.0, 5.0), half(9.0, 3.0), half(9.0, 8.0), 1.0]);
        let cases =
            [(6, 0, 0), (7, 4, 0), (7, 5, 1), (8, 0, 1), (9, 2, 1), (9, 3, 2), (9, 7, 2), (9, 8, 3), (10, 0, 3)];
        for (word, low, expected) in cases {
            let values = thresholds.values(&[4; LANES], 2, &[word; LANES], |_| low);
            assert_eq!(values, [expected; LANES], "{word}, {low}");
        }
        // The row's end is never exceeded.
        assert_eq!(thresholds.values(&[4; LANES], 2, &[u32::MAX; LANES], |_| u32::MAX), [3; LANES]);
        assert_eq!([thresholds.get(4), thresholds.get(7)], [7 << 32 | 5, u64::MAX]);
    }
}
