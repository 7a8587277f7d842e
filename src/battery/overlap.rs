//! Variant of assay F, overlap: two tasks in a row whose cues look alike. How much of the first is kept?
//!
//! Cues are vectors of 8 channels, each +1 or -1 and drawn. One cue of the second task is a likeness of A: its first channels are A's,
//! 0, 4 or 6 of them, and chance adds half of the rest. No two cues are the same.
//!
//! A is rewarded, and in half of the lives its likeness is, too (C), in the other half it is not (D). Only the latter is in conflict with the
//! first lesson; where both are rewarded, what is learnt of the likeness helps, and an animal that remembers nothing but the last
//! rewarded cue and goes by resemblance would seem to retain A. So retention is scored apart.

use super::cues::{self, CHANNELS, Looks, TwoTasks, tasks_column};
use super::play::{After, Outcomes, Protocol};
use super::step_through::CUES;
use crate::rng::Row;

/// What is shown: a vector on the left, and one on the right.
const SENSES: [&str; 2 * CHANNELS] = [
    "left channel 1",
    "left channel 2",
    "left channel 3",
    "left channel 4",
    "left channel 5",
    "left channel 6",
    "left channel 7",
    "left channel 8",
    "right channel 1",
    "right channel 2",
    "right channel 3",
    "right channel 4",
    "right channel 5",
    "right channel 6",
    "right channel 7",
    "right channel 8",
];

/// Two tasks, and how much of A its likeness shares.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overlap {
    /// As in assay F.
    pub tasks: TwoTasks,
    /// Channels that are A's, from 0 to 6.
    pub shared: u32,
}

/// A life in trials.
#[derive(Debug, Clone)]
pub struct Life {
    trials: cues::Life,
    /// The likeness is the cue without reward.
    conflict: bool,
}

/// Columns of [`Protocol::values`]; the first are those of [`tasks_column`].
pub mod column {
    use super::tasks_column;

    /// Shares of right tests of A and B, before and after, of lives with a conflict; NaN of others.
    pub const CONFLICT: usize = tasks_column::COUNT;
    /// The same of lives without one.
    pub const HELP: usize = CONFLICT + 2;
}

/// A cue, the first channel in the highest of its 8 bits.
fn look(bits: u32) -> [f32; CHANNELS] {
    std::array::from_fn(|channel| if bits >> (CHANNELS - 1 - channel) & 1 == 1 { 1.0 } else { -1.0 })
}

impl Overlap {
    fn looks(&self, row: &Row, likeness: usize) -> Looks {
        let mut cues: [u32; CUES] = row.block(1).map(|word| word >> (u32::BITS - CHANNELS as u32));
        let own = (1 << (CHANNELS as u32 - self.shared)) - 1;
        cues[likeness] = (cues[0] & !own) | (cues[likeness] & own);
        for place in 1..CUES {
            // One that has been drawn before differs in its last channels, which are never shared.
            let (before, bits) = (&cues[..place], cues[place]);
            cues[place] =
                (0..CUES as u32).map(|other| bits ^ other).find(|bits| !before.contains(bits)).unwrap_or(bits);
        }
        cues.map(look)
    }
}

impl Protocol for Overlap {
    type Life = Life;
    const NUMBER: u32 = 8;
    const SENSES: &'static [&'static str] = &SENSES;
    const MOTORS: &'static [&'static str] = &cues::MOTORS;

    fn longest(&self) -> u32 {
        self.tasks.longest()
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        let conflict = row.block(0)[0] >> 31 == 1;
        let looks = self.looks(row, if conflict { 3 } else { 2 });
        Life { trials: cues::begin(looks, self.tasks.blocks()), conflict }
    }

    fn observe(&self, life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
        self.tasks.observe(&mut life.trials, words, senses)
    }

    fn act(&self, life: &mut Life, words: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        self.tasks.act(&mut life.trials, words, outputs, outcome)
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        let mut values = self.tasks.values(&life.trials);
        let tests = [values[tasks_column::RIGHT], values[tasks_column::RIGHT + 2]];
        let unless = |not: bool| tests.map(|share| if not { f64::NAN } else { share });
        values.extend(unless(!life.conflict));
        values.extend(unless(life.conflict));
        values
    }

    fn fitness(&self, life: &Life) -> f32 {
        self.tasks.fitness(&life.trials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn cues_differ_and_the_likeness_shares_what_it_should() {
        for shared in [0, 4, 6] {
            let mut alike = 0.0;
            for index in 0..1000 {
                let row = Row { seed: 1, stream: Stream::AssayLife, generation: Overlap::NUMBER, index };
                let looks = Overlap { shared, ..Overlap::default() }.looks(&row, 3);
                for place in 1..CUES {
                    assert!(!looks[..place].contains(&looks[place]), "{looks:?}");
                }
                let same = (0..CHANNELS).filter(|&channel| looks[0][channel] == looks[3][channel]);
                alike += same.clone().count() as f32 / 1000.0;
                assert!(same.take(shared as usize).eq(0..shared as usize), "{looks:?}");
            }
            // Half of the rest by chance: 4, 6 and 7, less 1/4 of the lives in which two of two would be the same.
            let expected = [4.0, 6.0, 6.75][shared as usize / 3];
            assert!((alike - expected).abs() < 0.2, "{shared}: {alike}");
        }
    }
}
