//! Assays E and F: which of two cues is worth choosing, what if that changes, and is the first lesson kept through a second?
//!
//! A trial is two control steps. Step 1 shows a cue on the left and one on the right; the larger of the two outputs chooses, the
//! left of equals. Step 2 shows the chosen cue alone, on the left, with the outcome. In tests there is no outcome. Cues are drawn
//! for a life, sides for each trial.
//!
//! E, [`Swap`]: 4 tests; trials with A rewarded, their number drawn; 4 tests; 20 trials with B rewarded; 4 tests. With a swap
//! after a fixed number of trials, networks were seen to learn the schedule instead.
//!
//! F, [`TwoTasks`]: A rewarded, B not; tests; C rewarded, D not; tests; tests of A and B again.
//!
//! Blends are cues that no animal was trained with: two channels at a half each. Every channel has been seen and the sum is that of
//! a cue, so nothing but the pattern is new. A and B have no channel in common, nor have C and D; A has one with each of C
//! and D, as the four channels allow no other way. [`super::conditioning`] and [`super::overlap`] are played by the same rules.

use std::ops::RangeInclusive;

use super::play::{After, Outcomes, Protocol};
use super::step_through::CUES;
use crate::rng::{Row, unit_uniform};

/// What happens in the trials of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A choice, and its outcome.
    Trained,
    /// A choice without outcome.
    Test,
    /// The first cue of the pair alone, whatever is chosen, and so many blank steps before the outcome: r+, or nothing.
    Forced { delay: u32, rewarded: bool },
}

/// Trials of a block: a pair of cues, of which one is worth choosing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Cues by their place; the first is the good one.
    pub(super) pair: [usize; 2],
    pub(super) trials: u32,
    pub(super) kind: Kind,
    /// What comes before the first of them.
    pub(super) before: Interval,
}

impl Block {
    pub(super) fn new(pair: [usize; 2], trials: u32, kind: Kind) -> Self {
        Self { pair, trials, kind, before: Interval::default() }
    }
}

/// What passes before a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// Trials in which nothing is shown.
    pub blank: u32,
    /// Then trials with the block's pair whose outcome is a coin's: much to do and nothing to learn. They are not scored.
    pub filled: u32,
}

/// Control steps of a trial.
const STEPS: u32 = 2;

/// Most blocks that a protocol has; those without trials come last.
pub(super) const BLOCKS: usize = 5;
/// Most channels that a cue has.
pub(super) const CHANNELS: usize = 8;
/// What the four cues look like, by place: A, B, C, D.
pub(super) type Looks = [[f32; CHANNELS]; CUES];

/// A life in trials.
#[derive(Debug, Clone)]
pub struct Life {
    looks: Looks,
    blocks: [Block; BLOCKS],
    block: usize,
    trial: u32,
    /// Blank control steps before the next trial.
    blank: u32,
    /// What it has chosen in step 1, by its place in the pair.
    chosen: Option<usize>,
    /// The place in the pair of what is on the left.
    left: usize,
    told: i32,
    /// Right choices, a trial each, by block.
    pub(super) right: [Vec<bool>; BLOCKS],
}

/// What the two protocols share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// How likely the good cue is rewarded.
    pub reward: f32,
    /// Blank control steps between trials.
    pub gap: u32,
    /// Cues are blends.
    pub blends: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { reward: 1.0, gap: 0, blends: false }
    }
}

/// Assay E.
#[derive(Debug, Clone, PartialEq)]
pub struct Swap {
    /// Reward and pace.
    pub rules: Rules,
    /// Trials before the swap; drawn for a life.
    pub before: RangeInclusive<u32>,
    /// Trials after it.
    pub after: u32,
}

impl Default for Swap {
    fn default() -> Self {
        Self { rules: Rules::default(), before: 6..=14, after: 20 }
    }
}

/// Assay F.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoTasks {
    /// Reward and pace.
    pub rules: Rules,
    /// Trials of each task.
    pub trials: u32,
    /// Between the tests of the first task and the second.
    pub between: Interval,
}

impl Default for TwoTasks {
    fn default() -> Self {
        Self { rules: Rules::default(), trials: 10, between: Interval::default() }
    }
}

/// The two sides.
pub const MOTORS: [&str; 2] = ["left", "right"];

/// What is shown: a cue on the left, and one on the right.
pub const SENSES: [&str; 2 * CUES] = [
    "left cue 1",
    "left cue 2",
    "left cue 3",
    "left cue 4",
    "right cue 1",
    "right cue 2",
    "right cue 3",
    "right cue 4",
];

/// Tests in a row.
pub(super) const TESTS: u32 = 4;
/// Trials of a learning curve.
pub const CURVE: usize = 20;

/// Columns of [`Swap`].
pub mod swap_column {
    use super::CURVE;

    /// Preference for A when naive, for A after its trials, for B after the swap.
    pub const PREFERENCE: usize = 0;
    /// Errors before the swap, and after it.
    pub const ERRORS: usize = 3;
    /// Right in each trial before the swap; NaN beyond their number.
    pub const BEFORE: usize = 5;
    /// Right in each trial after it.
    pub const AFTER: usize = BEFORE + CURVE;
}

/// Columns of [`TwoTasks`].
pub mod tasks_column {
    use super::CURVE;

    /// Shares of right tests: A before, C, A after.
    pub const RIGHT: usize = 0;
    /// Right in each trial of the first task; NaN beyond their number.
    pub const FIRST: usize = 3;
    /// Right in each trial of the second.
    pub const SECOND: usize = FIRST + CURVE;
    /// Number of columns.
    pub const COUNT: usize = SECOND + CURVE;
}

/// Cues that are a channel each, or blends of two, in an order that is drawn.
pub(super) fn looks(row: &Row, blends: bool) -> Looks {
    let keys = row.block(0);
    let mut order = [0, 1, 2, 3];
    // Four words are as good as surely different; of equals the first stays first.
    order.sort_by_key(|&cue| keys[cue]);
    let parts = if blends { [[0, 1], [2, 3], [1, 2], [3, 0]] } else { [[0, 0], [1, 1], [2, 2], [3, 3]] };
    parts.map(|parts| {
        let mut look = [0.0; CHANNELS];
        parts.into_iter().for_each(|part| look[order[part]] += 0.5);
        look
    })
}

pub(super) fn begin(looks: Looks, blocks: [Block; BLOCKS]) -> Life {
    Life {
        looks,
        blocks,
        block: 0,
        trial: 0,
        blank: 0,
        chosen: None,
        left: 0,
        told: 0,
        right: std::array::from_fn(|_| Vec::new()),
    }
}

pub(super) fn observe(life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
    senses.fill(0.0);
    if life.blank > 0 {
        return 0;
    }
    let block = life.blocks[life.block];
    let (left, right) = senses.split_at_mut(senses.len() / 2);
    let show = |side: &mut [f32], which: usize| side.copy_from_slice(&life.looks[block.pair[which]][..side.len()]);
    match (life.chosen, block.kind) {
        // The cue has gone when the outcome comes late.
        (Some(_), Kind::Forced { delay: 1.., .. }) => {}
        (Some(chosen), _) => show(left, chosen),
        (None, Kind::Forced { .. }) => show(left, 0),
        (None, _) => {
            life.left = (words[0] >> 31) as usize;
            show(left, life.left);
            show(right, 1 - life.left);
        }
    }
    std::mem::take(&mut life.told)
}

/// One control step; `forgets` are the blocks before which an amnesic animal forgets.
pub(super) fn act(
    rules: &Rules,
    life: &mut Life,
    words: [u32; 4],
    outputs: &[f32],
    outcome: &mut Outcomes,
    forgets: &[usize],
) -> After {
    if life.blank > 0 {
        life.blank -= 1;
        return After::Next;
    }
    let block = life.blocks[life.block];
    if life.chosen.take().is_none() {
        if let Kind::Forced { delay, rewarded } = block.kind {
            (life.chosen, life.blank) = (Some(0), delay);
            life.told = outcome.next(i32::from(rewarded));
            return After::Next;
        }
        let chosen = if outputs[1] > outputs[0] { 1 - life.left } else { life.left };
        life.chosen = Some(chosen);
        let (scored, chance) = (life.trial >= block.before.filled, unit_uniform(words[1]));
        if scored {
            life.right[life.block].push(chosen == 0);
        }
        if block.kind == Kind::Trained {
            let rewarded = if scored { chosen == 0 && chance < rules.reward } else { chance < 0.5 };
            life.told = outcome.next(if rewarded { 1 } else { -1 });
        }
        return After::Next;
    }
    life.blank = rules.gap;
    life.trial += 1;
    if life.trial < block.before.filled + block.trials {
        return After::Next;
    }
    (life.block, life.trial) = (life.block + 1, 0);
    match life.blocks.get(life.block) {
        Some(block) if block.trials > 0 => {
            life.blank += block.before.blank * (STEPS + rules.gap);
            if forgets.contains(&life.block) { After::Forget } else { After::Next }
        }
        _ => After::Over,
    }
}

/// Of right choices.
pub(super) fn share(right: &[bool]) -> f64 {
    right.iter().filter(|&&right| right).count() as f64 / right.len() as f64
}

/// Mean over blocks of the share of right choices.
fn rightness(blocks: &[Vec<bool>]) -> f32 {
    let share = |right: &Vec<bool>| right.iter().filter(|&&right| right).count() as f32 / right.len() as f32;
    blocks.iter().map(share).sum::<f32>() / blocks.len() as f32
}

fn curve(right: &[bool]) -> impl Iterator<Item = f64> {
    (0..CURVE).map(|trial| right.get(trial).map_or(f64::NAN, |&right| f64::from(right)))
}

fn errors(right: &[bool]) -> f64 {
    right.iter().filter(|&&right| !right).count() as f64
}

/// A whole number of a range.
pub(super) fn between(range: &RangeInclusive<u32>, word: u32) -> u32 {
    let (first, last) = (*range.start(), *range.end());
    first + ((last - first + 1) as f32 * unit_uniform(word)) as u32
}

impl Protocol for Swap {
    type Life = Life;
    const NUMBER: u32 = 4;
    const SENSES: &'static [&'static str] = &SENSES;
    const MOTORS: &'static [&'static str] = &MOTORS;

    fn longest(&self) -> u32 {
        (STEPS + self.rules.gap) * (3 * TESTS + self.before.end() + self.after)
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        let drawn = between(&self.before, row.block(1)[0]);
        let blocks = [
            Block::new([0, 1], TESTS, Kind::Test),
            Block::new([0, 1], drawn, Kind::Trained),
            Block::new([0, 1], TESTS, Kind::Test),
            Block::new([1, 0], self.after, Kind::Trained),
            Block::new([1, 0], TESTS, Kind::Test),
        ];
        begin(looks(row, self.rules.blends), blocks)
    }

    fn observe(&self, life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
        observe(life, words, senses)
    }

    fn act(&self, life: &mut Life, words: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        act(&self.rules, life, words, outputs, outcome, &[2, 4])
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        let [naive, before, first, after, second] = &life.right;
        let mut values: Vec<f64> = [naive, first, second].map(|right| 2.0 * share(right) - 1.0).to_vec();
        values.extend([errors(before), errors(after)]);
        values.extend(curve(before));
        values.extend(curve(after));
        values
    }

    /// Right choices but those of the naive tests, each block alike.
    fn fitness(&self, life: &Life) -> f32 {
        rightness(&life.right[1..])
    }
}

impl TwoTasks {
    /// Those of a life.
    pub(super) fn blocks(&self) -> [Block; BLOCKS] {
        [
            Block::new([0, 1], self.trials, Kind::Trained),
            Block::new([0, 1], TESTS, Kind::Test),
            Block { before: self.between, ..Block::new([2, 3], self.trials, Kind::Trained) },
            Block::new([2, 3], TESTS, Kind::Test),
            Block::new([0, 1], TESTS, Kind::Test),
        ]
    }
}

impl Protocol for TwoTasks {
    type Life = Life;
    const NUMBER: u32 = 5;
    const SENSES: &'static [&'static str] = &SENSES;
    const MOTORS: &'static [&'static str] = &MOTORS;

    fn longest(&self) -> u32 {
        let Interval { blank, filled } = self.between;
        (STEPS + self.rules.gap) * (3 * TESTS + 2 * self.trials + blank + filled)
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        begin(looks(row, self.rules.blends), self.blocks())
    }

    fn observe(&self, life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
        observe(life, words, senses)
    }

    fn act(&self, life: &mut Life, words: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        act(&self.rules, life, words, outputs, outcome, &[4])
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        let [first, before, second, other, after] = &life.right;
        let mut values: Vec<f64> = [before, other, after].map(|right| share(right)).to_vec();
        values.extend(curve(first));
        values.extend(curve(second));
        values
    }

    /// Right choices, each block alike.
    fn fitness(&self, life: &Life) -> f32 {
        rightness(&life.right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn blends_are_new_cues_that_share_no_channel_in_a_pair() {
        for index in 0..100 {
            let row = Row { seed: 1, stream: Stream::AssayLife, generation: Swap::NUMBER, index };
            let (cues, blends) = (looks(&row, false), looks(&row, true));
            for pair in [[0, 1], [2, 3]] {
                let [first, second] = pair.map(|place: usize| blends[place]);
                assert!(first.iter().zip(&second).all(|(a, b)| a * b == 0.0), "{blends:?}");
            }
            for (cue, blend) in cues.iter().zip(&blends) {
                assert!(!cues.contains(blend), "{blends:?}");
                assert_eq!([cue, blend].map(|look| look.iter().sum::<f32>()), [1.0; 2]);
            }
        }
    }
}
