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

/// A cumulative probability in units of 2^-64; 1 and what rounds to it become the threshold that nothing exceeds.
#[inline(always)]
pub(super) fn fixed_point(probability: f64) -> u64 {
    (probability * 18_446_744_073_709_551_616.0) as u64
}

impl Thresholds {
    /// `length` thresholds that nothing exceeds; a power of two.
    pub(super) fn new(length: usize) -> Self {
        debug_assert!(length.is_power_of_two());
        Self { high: vec![u32::MAX; length], low: vec![u32::MAX; length] }
    }

    #[inline(always)]
    pub(super) fn set(&mut self, index: usize, threshold: u64) {
        self.high[index] = (threshold >> 32) as u32;
        self.low[index] = threshold as u32;
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
            let word = u64::from(words[lane]) << 32 | u64::from(tie(lane));
            // Several thresholds may share their upper half.
            while values[lane] < (1 << levels) - 1 && word >= self.get((starts[lane] + values[lane]) as usize) {
                values[lane] += 1;
            }
        }
        values
    }
}
