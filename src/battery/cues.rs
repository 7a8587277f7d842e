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

use std::ops::RangeInclusive;

use super::play::{After, Outcomes, Protocol};
use super::step_through::CUES;
use crate::rng::{Row, unit_uniform};

/// Trials of a block: a pair of cues, of which one is worth choosing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// Cues by their place in the life's order; the first is the good one.
    pair: [usize; 2],
    trials: u32,
    /// No outcome.
    test: bool,
}

/// Most blocks that a protocol has.
const BLOCKS: usize = 5;

/// A life in trials.
#[derive(Debug, Clone)]
pub struct Life {
    /// Numbers of the four cues.
    order: [usize; CUES],
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
    right: [Vec<bool>; BLOCKS],
}

/// What the two protocols share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// How likely the good cue is rewarded.
    pub reward: f32,
    /// Blank control steps between trials.
    pub gap: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { reward: 1.0, gap: 0 }
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
}

impl Default for TwoTasks {
    fn default() -> Self {
        Self { rules: Rules::default(), trials: 10 }
    }
}

/// What is shown: a cue on the left, and one on the right.
const SENSES: [&str; 2 * CUES] = [
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
const TESTS: u32 = 4;
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
}

fn begin(row: &Row, blocks: [Block; BLOCKS]) -> Life {
    let keys = row.block(0);
    let mut order = [0, 1, 2, 3];
    // Four words are as good as surely different; of equals the first stays first.
    order.sort_by_key(|&cue| keys[cue]);
    Life {
        order,
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

fn observe(life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
    senses.fill(0.0);
    if life.blank > 0 {
        return 0;
    }
    let pair = life.blocks[life.block].pair.map(|place| life.order[place]);
    match life.chosen {
        Some(chosen) => senses[pair[chosen]] = 1.0,
        None => {
            life.left = (words[0] >> 31) as usize;
            senses[pair[life.left]] = 1.0;
            senses[CUES + pair[1 - life.left]] = 1.0;
        }
    }
    std::mem::take(&mut life.told)
}

/// One control step; `forgets` are the blocks before which an amnesic animal forgets.
fn act(
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
        let chosen = if outputs[1] > outputs[0] { 1 - life.left } else { life.left };
        life.chosen = Some(chosen);
        life.right[life.block].push(chosen == 0);
        if !block.test {
            let rewarded = chosen == 0 && unit_uniform(words[1]) < rules.reward;
            life.told = outcome.next(if rewarded { 1 } else { -1 });
        }
        return After::Next;
    }
    life.blank = rules.gap;
    life.trial += 1;
    if life.trial < block.trials {
        return After::Next;
    }
    (life.block, life.trial) = (life.block + 1, 0);
    match life.blocks.get(life.block) {
        Some(block) if block.trials > 0 => {
            if forgets.contains(&life.block) {
                After::Forget
            } else {
                After::Next
            }
        }
        _ => After::Over,
    }
}

/// Of right choices.
fn share(right: &[bool]) -> f64 {
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

impl Protocol for Swap {
    type Life = Life;
    const NUMBER: u32 = 4;
    const SENSES: &'static [&'static str] = &SENSES;
    const MOTORS: &'static [&'static str] = &["left", "right"];

    fn longest(&self) -> u32 {
        (2 + self.rules.gap) * (3 * TESTS + self.before.end() + self.after)
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        let (first, last) = (*self.before.start(), *self.before.end());
        let drawn = first + ((last - first + 1) as f32 * unit_uniform(row.block(1)[0])) as u32;
        let block = |pair, trials, test| Block { pair, trials, test };
        let blocks = [
            block([0, 1], TESTS, true),
            block([0, 1], drawn, false),
            block([0, 1], TESTS, true),
            block([1, 0], self.after, false),
            block([1, 0], TESTS, true),
        ];
        begin(row, blocks)
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

impl Protocol for TwoTasks {
    type Life = Life;
    const NUMBER: u32 = 5;
    const SENSES: &'static [&'static str] = &SENSES;
    const MOTORS: &'static [&'static str] = &["left", "right"];

    fn longest(&self) -> u32 {
        (2 + self.rules.gap) * (3 * TESTS + 2 * self.trials)
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        let block = |pair, trials, test| Block { pair, trials, test };
        let blocks = [
            block([0, 1], self.trials, false),
            block([0, 1], TESTS, true),
            block([2, 3], self.trials, false),
            block([2, 3], TESTS, true),
            block([0, 1], TESTS, true),
        ];
        begin(row, blocks)
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
        rightness(&life.right[0..])
    }
}
