//! Assay D: does the animal follow when the food changes sides? The T-maze of [`crate::world::t_maze`] in trials.
//!
//! A trial is one visit: 40 actions at most, the energy of the start, the food on the side that the schedule says. Five blocks, at
//! each of which the side flips, of a length that is drawn for a life. What counts is the first arm that is entered: sensors show
//! poison from one cell away, so a reflex that peeks and turns back eats in every trial and has learnt nothing.
//!
//! Its memory from trial to trial is what an amnesic animal lacks: it forgets when a trial is over, and again when it has been
//! told what it ate, which is at the first step of the next.
//!
//! Variant, alternation: food is always in the arm that was not the first one entered in the trial before. What is asked for is then the
//! memory of a choice and no lesson: an animal that alternates anyway is right.

use std::ops::RangeInclusive;

use super::play::{After, Outcomes, Protocol};
use crate::rng::{Row, unit_uniform};
use crate::world::t_maze::{Action, Layout, MOTORS, Rules, SOURCES, TMaze};

/// Sizes of the protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Reversal {
    /// Trials of a block; drawn for a life.
    pub block: RangeInclusive<u32>,
    /// Share of lives in which the two colour sensors stay dark.
    pub dark: f32,
    /// Blank control steps between trials; in the first of them it is told what it ate.
    pub gap: u32,
    /// Food is where it did not go first in the trial before, whatever the block.
    pub alternation: bool,
}

impl Default for Reversal {
    fn default() -> Self {
        Self { block: 8..=16, dark: 0.0, gap: 0, alternation: false }
    }
}

/// Blocks of a life.
const BLOCKS: u32 = 5;
/// Actions of a trial, and the energy for them.
const ACTIONS: i32 = 40;
/// Last trials of a block that tell whether it has been learnt.
const LAST: u32 = 4;
/// Trials after a reversal that the learning curve shows.
pub const CURVE: usize = 8;

/// The world's own moves of the food are off.
const RULES: Rules = Rules { layout: Layout::Single, energy: ACTIONS, swap_after: i32::MAX, poisons: 1 };

/// An animal between two arms.
#[derive(Debug, Clone)]
pub struct Life {
    maze: TMaze,
    /// Trials of a block.
    length: u32,
    /// Where the food is in the first block: 0 left, 1 right.
    first: i32,
    /// Where it is in this trial.
    food: i32,
    /// Its colour sensors are.
    dark: bool,
    trial: u32,
    /// Blank control steps left.
    blank: u32,
    actions: u32,
    /// The first arm it entered.
    choice: Option<i32>,
    told: i32,
    /// It has been told at this step.
    was_told: bool,
    /// Right first choices, a trial each.
    right: Vec<bool>,
    meals: u32,
    all_actions: u32,
}

/// Columns of [`Protocol::values`].
pub mod column {
    use super::CURVE;

    /// Share of right first choices.
    pub const RIGHT: usize = 0;
    /// Share of trials in which it ate food.
    pub const FOOD: usize = 1;
    /// Share of right first choices in the last trials of blocks.
    pub const LAST: usize = 2;
    /// Errors in a block after a reversal: mean of four.
    pub const ERRORS: usize = 3;
    /// The same of the first two.
    pub const EARLY: usize = 4;
    /// The same of the last two.
    pub const LATE: usize = 5;
    /// Actions a trial.
    pub const ACTIONS: usize = 6;
    /// Share right in each trial after a reversal; NaN beyond a block's length.
    pub const CURVE_FROM: usize = 7;
    /// Share of right first choices after the first trial, in which nothing could be known.
    pub const LATER: usize = CURVE_FROM + CURVE;
    /// Number of columns.
    pub const COUNT: usize = LATER + 1;
}

impl Reversal {
    /// As it is evolved in: half of the lives are dark. Whoever always sees the poison one cell away remembers that, and not what
    /// it was told.
    pub fn evolving() -> Self {
        Self { dark: 0.5, ..Self::default() }
    }

    fn begin_trial(&self, life: &mut Life) {
        if !self.alternation {
            life.food = (life.first + (life.trial / life.length) as i32) % 2;
        } else if let Some(entered) = life.choice {
            life.food = 1 - entered;
        }
        life.maze = TMaze::new(&RULES, life.food);
        (life.actions, life.choice, life.blank) = (0, None, self.gap);
    }

    /// The highest output, of equals the first; nothing if none is above zero.
    fn action(outputs: &[f32]) -> Action {
        let (mut choice, mut best) = (-1, 0.0);
        for (output, &value) in outputs.iter().enumerate() {
            if value > best {
                (choice, best) = (output as i32, value);
            }
        }
        Action::from_index(choice)
    }
}

impl Protocol for Reversal {
    type Life = Life;
    const NUMBER: u32 = 3;
    const DRAWS: bool = false;
    const SENSES: &'static [&'static str] = &[SOURCES[0], SOURCES[1], SOURCES[2]];
    const MOTORS: &'static [&'static str] = &MOTORS;

    fn longest(&self) -> u32 {
        BLOCKS * self.block.end() * (ACTIONS as u32 + self.gap)
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        let [length, side, dark, _] = row.block(0).map(unit_uniform);
        let (least, most) = (*self.block.start(), *self.block.end());
        let first = i32::from(side < 0.5);
        Life {
            maze: TMaze::new(&RULES, first),
            length: least + ((most - least + 1) as f32 * length) as u32,
            first,
            food: first,
            dark: dark < self.dark,
            trial: 0,
            blank: 0,
            actions: 0,
            choice: None,
            told: 0,
            was_told: false,
            right: Vec::new(),
            meals: 0,
            all_actions: 0,
        }
    }

    fn observe(&self, life: &mut Life, _: [u32; 4], senses: &mut [f32]) -> i32 {
        let seen = life.maze.observe(&RULES);
        let (light, shown) = (!life.dark, life.blank == 0);
        let values = [seen.wall, seen.green && light, seen.red && light].map(|on| on && shown);
        senses.iter_mut().zip(values).for_each(|(to, on)| *to = f32::from(on));
        life.was_told = life.told != 0;
        std::mem::take(&mut life.told)
    }

    fn act(&self, life: &mut Life, _: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        let told = if life.was_told { After::Forget } else { After::Next };
        if life.blank > 0 {
            life.blank -= 1;
            return told;
        }
        let action = Self::action(outputs);
        let mut walked = life.maze;
        walked.walk(&RULES, action);
        if life.choice.is_none() && walked.y == 3 && walked.x != 2 {
            life.choice = Some(i32::from(walked.x > 2));
        }
        life.maze.step(&RULES, action, 1.0);
        life.actions += 1;
        life.all_actions += 1;
        let ate = life.maze.reward;
        if ate == 0 && life.actions < ACTIONS as u32 {
            return told;
        }
        // A trial without a meal has an outcome, too: so the n-th of another life is that of its n-th trial.
        life.told = outcome.next(ate);
        life.meals += u32::from(ate > 0);
        life.right.push(life.choice == Some(life.food));
        life.trial += 1;
        if life.trial >= BLOCKS * life.length {
            return After::Over;
        }
        self.begin_trial(life);
        After::Forget
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        let length = life.length as usize;
        let trials = life.right.len() as f64;
        let share = |right: &[bool]| right.iter().filter(|&&right| right).count() as f64 / right.len() as f64;
        let blocks: Vec<&[bool]> = life.right.chunks(length).collect();
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        let last: Vec<f64> = blocks.iter().map(|block| share(&block[length - LAST as usize..])).collect();
        let errors: Vec<f64> = blocks[1..].iter().map(|block| length as f64 * (1.0 - share(block))).collect();
        let mut values = vec![
            share(&life.right),
            f64::from(life.meals) / trials,
            mean(&last),
            mean(&errors),
            mean(&errors[..2]),
            mean(&errors[2..]),
            f64::from(life.all_actions) / trials,
        ];
        let at = |trial: usize| {
            mean(
                &blocks[1..]
                    .iter()
                    .map(|block| block.get(trial).map_or(f64::NAN, |&right| f64::from(right)))
                    .collect::<Vec<_>>(),
            )
        };
        values.extend((0..CURVE).map(at));
        values.push(share(&life.right[1..]));
        values
    }

    /// First choices, and a little for food: it leads to the arms' ends those that do not get there. Food alone would select the
    /// reflex that peeks.
    fn fitness(&self, life: &Life) -> f32 {
        let trials = life.right.len() as f32;
        let right = life.right.iter().filter(|&&right| right).count() as f32;
        right / trials + 0.1 * (life.meals as f32 / trials)
    }
}
