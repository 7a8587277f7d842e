//! Animals by hand for the box with cues, and for choices between two cues.

use crate::battery::cues::CHANNELS;
use crate::battery::play::Behaviour;
use crate::battery::step_through::CUES;
use crate::rng::unit_uniform;

/// How likely an untroubled animal goes in, a control step.
const GOES: f32 = 0.3;
/// The same of a reluctant one.
const RELUCTANT: f32 = 0.02;

/// Goes through the door now and then, whatever has happened.
#[derive(Debug, Clone, Copy)]
pub struct Careless(f32);

impl Careless {
    /// As eager as the others.
    pub const EAGER: Self = Self(GOES);
    /// It takes three minutes.
    pub const RELUCTANT: Self = Self(RELUCTANT);
}

impl Behaviour for Careless {
    fn act(&mut self, _: &[f32], _: i32, chance: [u32; 4]) -> [f32; 4] {
        go(unit_uniform(chance[0]) < self.0)
    }
}

fn go(goes: bool) -> [f32; 4] {
    if goes { [1.0, 0.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0, 0.0] }
}

/// Cues are known by which of their channels are above zero.
const PATTERNS: usize = 1 << CHANNELS;

/// The cue on a side, if there is one.
fn cue(side: &[f32]) -> Option<usize> {
    let bits = side.iter().fold(0, |bits, &channel| 2 * bits + usize::from(channel > 0.0));
    side.iter().any(|&channel| channel != 0.0).then_some(bits)
}

/// Goes nowhere any more after any shock: it avoids as well as the best, and has learnt nothing about where.
#[derive(Debug, Clone, Copy, Default)]
pub struct Freezer {
    shocked: bool,
}

impl Behaviour for Freezer {
    fn act(&mut self, _: &[f32], outcome: i32, chance: [u32; 4]) -> [f32; 4] {
        self.shocked |= outcome < 0;
        go(!self.shocked && unit_uniform(chance[0]) < GOES)
    }
}

/// Remembers of each cue whether it was shocked there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Avoider {
    shocked: [bool; 1 << CUES],
}

impl Behaviour for Avoider {
    fn act(&mut self, senses: &[f32], outcome: i32, chance: [u32; 4]) -> [f32; 4] {
        let here = cue(&senses[..CUES]);
        if let Some(cue) = here
            && outcome < 0
        {
            self.shocked[cue] = true;
        }
        let feared = here.is_some_and(|cue| self.shocked[cue]);
        go(!feared && unit_uniform(chance[0]) < GOES)
    }
}

/// The cues of a trial: left, and right if there is a choice.
fn cues(senses: &[f32]) -> (Option<usize>, Option<usize>) {
    let (left, right) = senses.split_at(senses.len() / 2);
    (cue(left), cue(right))
}

fn left_or_right(left: f32, right: f32) -> [f32; 4] {
    [left, right, 0.0, 0.0]
}

/// Left or right, drawn for each trial.
#[derive(Debug, Clone, Copy)]
pub struct Coin;

impl Behaviour for Coin {
    fn act(&mut self, _: &[f32], _: i32, chance: [u32; 4]) -> [f32; 4] {
        left_or_right(unit_uniform(chance[0]), 0.5)
    }
}

/// Always the left one.
#[derive(Debug, Clone, Copy)]
pub struct Leftist;

impl Behaviour for Leftist {
    fn act(&mut self, _: &[f32], _: i32, _: [u32; 4]) -> [f32; 4] {
        left_or_right(1.0, 0.0)
    }
}

/// The cue with the higher number: taste without learning.
#[derive(Debug, Clone, Copy)]
pub struct Taste;

impl Behaviour for Taste {
    fn act(&mut self, senses: &[f32], _: i32, _: [u32; 4]) -> [f32; 4] {
        match cues(senses) {
            (Some(left), Some(right)) => left_or_right(f32::from(left > right), f32::from(right > left)),
            _ => [0.0; 4],
        }
    }
}

/// Stays on the side where it was rewarded and leaves one where it was not: it looks at the place and not at the cue.
#[derive(Debug, Clone, Copy, Default)]
pub struct SideKeeper {
    right: bool,
}

impl Behaviour for SideKeeper {
    fn act(&mut self, _: &[f32], outcome: i32, _: [u32; 4]) -> [f32; 4] {
        self.right ^= outcome < 0;
        left_or_right(f32::from(!self.right), f32::from(self.right))
    }
}

/// Remembers one cue, the last that was rewarded: it learns any task, and each at the cost of the one before.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneSlot {
    rewarded: Option<usize>,
    /// The last cue without a reward, as long as none was rewarded since.
    unrewarded: Option<usize>,
}

impl Behaviour for OneSlot {
    fn act(&mut self, senses: &[f32], outcome: i32, chance: [u32; 4]) -> [f32; 4] {
        let (left, right) = cues(senses);
        match outcome {
            1 => (self.rewarded, self.unrewarded) = (left, None),
            -1 => (self.rewarded, self.unrewarded) = (self.rewarded.filter(|&cue| Some(cue) != left), left),
            _ => {}
        }
        let value = |cue: Option<usize>| {
            let liked = f32::from(cue.is_some() && cue == self.rewarded);
            liked - f32::from(cue.is_some() && cue == self.unrewarded)
        };
        // Between cues that it knows nothing of it has no habit.
        let tie = unit_uniform(chance[0]) - 0.5;
        left_or_right(value(left) - value(right), 1e-3 * tie)
    }
}

/// A value for each cue, which moves by 0.6 of what an outcome differed from it (Rescorla & Wagner 1972).
#[derive(Debug, Clone, Copy)]
pub struct DeltaRule {
    values: [f32; PATTERNS],
}

/// Of a value that meets an outcome.
const LEARNING: f32 = 0.6;

impl Default for DeltaRule {
    fn default() -> Self {
        Self { values: [0.0; PATTERNS] }
    }
}

impl DeltaRule {
    fn learn(&mut self, cue: Option<usize>, outcome: i32) {
        if let Some(cue) = cue
            && outcome != 0
        {
            self.values[cue] += LEARNING * (outcome as f32 - self.values[cue]);
        }
    }

    fn choose(&self, senses: &[f32]) -> [f32; 4] {
        let value = |cue: Option<usize>| cue.map_or(0.0, |cue| self.values[cue]);
        let (left, right) = cues(senses);
        left_or_right(value(left), value(right))
    }
}

impl Behaviour for DeltaRule {
    fn act(&mut self, senses: &[f32], outcome: i32, _: [u32; 4]) -> [f32; 4] {
        self.learn(cues(senses).0, outcome);
        self.choose(senses)
    }
}

/// A value for each cue, and a trace: an outcome is the last cue's, however long ago that was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tracer {
    rule: DeltaRule,
    last: Option<usize>,
}

impl Behaviour for Tracer {
    fn act(&mut self, senses: &[f32], outcome: i32, _: [u32; 4]) -> [f32; 4] {
        self.last = cues(senses).0.or(self.last);
        self.rule.learn(self.last, outcome);
        self.rule.choose(senses)
    }
}

/// Takes the cue that it last saw alone: familiar, and no lesson.
#[derive(Debug, Clone, Copy, Default)]
pub struct Familiar {
    last: Option<usize>,
}

impl Behaviour for Familiar {
    fn act(&mut self, senses: &[f32], _: i32, _: [u32; 4]) -> [f32; 4] {
        let (left, right) = cues(senses);
        if right.is_none() {
            self.last = left.or(self.last);
        }
        let known = |cue: Option<usize>| f32::from(cue.is_some() && cue == self.last);
        left_or_right(known(left), known(right))
    }
}
