//! Variant of assay E, classical conditioning: an animal that cannot choose is shown one cue with a reward and another without.
//! Which does it then choose?
//!
//! Tests of A against B; forced presentations of A, each with r+, and of B, without; the tests again, as in [`super::cues`]. A presentation
//! is a step with the cue and a step with the outcome, where the cue still is if there is no delay. With a delay, blank steps
//! lie between, and the outcome comes alone: what is rewarded must then be remembered (trace conditioning).
//!
//! How many presentations there are is drawn, and in half of the lives B comes first: an animal that takes what it saw first, or
//! last, would otherwise seem to have learnt.

use std::ops::RangeInclusive;

use super::cues::{self, Block, Kind, Life, Rules, TESTS, act, begin, between, looks, observe, share};
use super::play::{After, Outcomes, Protocol};
use crate::rng::Row;

/// Sizes of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditioning {
    /// Presentations of A, and as many of B; drawn for a life.
    pub presentations: RangeInclusive<u32>,
    /// Blank control steps between cue and reward.
    pub delay: u32,
}

impl Default for Conditioning {
    fn default() -> Self {
        Self { presentations: 6..=14, delay: 0 }
    }
}

/// Columns of [`Protocol::values`].
pub mod column {
    /// Preference for A when naive, and after the presentations.
    pub const PREFERENCE: usize = 0;
}

impl Protocol for Conditioning {
    type Life = Life;
    const NUMBER: u32 = 7;
    const SENSES: &'static [&'static str] = &cues::SENSES;
    const MOTORS: &'static [&'static str] = &cues::MOTORS;

    fn longest(&self) -> u32 {
        2 * self.presentations.end() * (2 + self.delay) + 2 * 2 * TESTS
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        let [count, order, ..] = row.block(1);
        let count = between(&self.presentations, count);
        let forced = |pair, rewarded| Block::new(pair, count, Kind::Forced { delay: self.delay, rewarded });
        let (a, b) = (forced([0, 1], true), forced([1, 0], false));
        let tests = Block::new([0, 1], TESTS, Kind::Test);
        let (first, second) = if order >> 31 == 0 { (a, b) } else { (b, a) };
        begin(looks(row, false), [tests, first, second, tests, Block::new([0, 1], 0, Kind::Test)])
    }

    fn observe(&self, life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
        observe(life, words, senses)
    }

    fn act(&self, life: &mut Life, words: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        act(&Rules::default(), life, words, outputs, outcome, &[3])
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        [&life.right[0], &life.right[3]].map(|right| 2.0 * share(right) - 1.0).to_vec()
    }

    /// Right choices after the presentations.
    fn fitness(&self, life: &Life) -> f32 {
        share(&life.right[3]) as f32
    }
}
