//! Worlds: environments that answer actions. A file a world, beside it the numbers that episodes draw, and the players that
//! networks in a maze are compared with.
//!
//! The mazes are part of a network's episode and have their own shape; the others are Gymnasium's and are a [`World`].

pub mod acrobot;
pub mod cart_pole;
pub mod classic;
pub mod draws;
pub mod environments;
pub mod lunar_lander;
pub mod mountain_car;
pub mod players;
pub mod scene;
pub mod t_maze;

pub use acrobot::Acrobot;
pub use cart_pole::CartPole;
pub use draws::{Draws, Seeds};
pub use environments::{Environments, Episode, Finished};
pub use mountain_car::MountainCar;
pub use scene::Scene;

use serde::Serialize;

use crate::rng::{Row, unit_uniform};

/// An environment as Gymnasium defines it: a small struct that is one episode's state.
///
/// Nothing in it depends on who acts, on how many run beside it or on which thread.
pub trait World: Clone + Send + Sync + 'static {
    /// Sizes, limits and thresholds.
    const SPEC: Spec;
    /// What it is told in a step.
    type Action: Action;

    /// The first state of an episode.
    fn reset(draws: &mut Draws) -> Self;

    /// First states for those of the worlds that are in these lanes; the same as [`World::reset`] for each of them.
    fn reset_some(worlds: &mut [Self], draws: &mut [Draws], lanes: &[usize]) {
        for &lane in lanes {
            worlds[lane] = Self::reset(&mut draws[lane]);
        }
    }

    /// One step. The time limit is not its business: see [`Spec::limit`].
    fn step(&mut self, action: Self::Action, draws: &mut Draws) -> Outcome;

    /// What a policy sees: `SPEC.observations` numbers, `to[i * stride]` for the i-th.
    fn observe(&self, to: &mut [f32], stride: usize);

    /// What it looks like now, as Gymnasium draws it.
    fn draw(&self) -> Scene;

    /// One step of many; the same bits as [`World::step`] for each of them. What it brings lies in arrays of its own, so that loops
    /// over it become vectors.
    fn step_all(
        worlds: &mut [Self],
        actions: &[Self::Action],
        draws: &mut [Draws],
        rewards: &mut [f64],
        terminated: &mut [bool],
    ) {
        let outcomes = rewards.iter_mut().zip(terminated);
        for (((world, &action), draws), (reward, terminated)) in worlds.iter_mut().zip(actions).zip(draws).zip(outcomes)
        {
            (*reward, *terminated) = world.step(action, draws).into();
        }
    }
}

/// What a step brought.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Of this step.
    pub reward: f64,
    /// The episode has come to an end of its own.
    pub terminated: bool,
}

impl From<Outcome> for (f64, bool) {
    fn from(Outcome { reward, terminated }: Outcome) -> Self {
        (reward, terminated)
    }
}

/// What is known of a world before it is built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spec {
    /// As given on the command line and in a config.
    pub name: &'static str,
    /// The id that Gymnasium knows it by.
    pub gymnasium: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Numbers that a policy sees.
    pub observations: usize,
    /// What it can do.
    pub actions: Actions,
    /// Steps after which an episode is cut off.
    pub limit: u32,
    /// Mean return from which Gymnasium calls it solved, if it says so.
    pub threshold: Option<f64>,
    /// Steps that make a second of a film.
    pub frame_rate: u32,
}

/// Kind and number of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actions {
    /// One of so many.
    Discrete(usize),
    /// So many numbers in [-1, 1].
    Continuous(usize),
}

impl Actions {
    /// Numbers that a policy puts out: one for each.
    pub fn outputs(self) -> usize {
        match self {
            Self::Discrete(count) | Self::Continuous(count) => count,
        }
    }
}

/// What a policy's outputs come to.
pub trait Action: Copy + Default + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    /// From the outputs `of[i * stride]`, `count` of them.
    fn from_outputs(of: &[f32], stride: usize, count: usize) -> Self;

    /// That of a policy which acts at random, at a step of the episode whose row this is: each of the `count` alike.
    fn random(row: &Row, step: u32, count: usize) -> Self {
        Self::next_random(&mut Self::chance(row, step, count), row, step, count)
    }

    /// The same for who takes one step after another: `chance` is what is kept between the steps of an episode, and must be
    /// [`Action::chance`] of this step where that is due.
    fn next_random(chance: &mut u32, row: &Row, step: u32, count: usize) -> Self;

    /// Whether the chance is used up at a step.
    fn is_due(step: u32, count: usize) -> bool;

    /// What [`Action::next_random`] goes on with at any step.
    fn chance(row: &Row, step: u32, count: usize) -> u32;
}

/// Steps whose choices are digits of one random word, in base `count`: a power of two. A word of digits is as good as its last
/// digit, whose values then differ in their chances by `count`^steps of 2^32: by nothing where that divides, by 1.5e-6 for 3.
const fn digits(count: usize) -> u32 {
    match count {
        0..=2 => 32,
        3 => 8,
        4 => 16,
        5..=16 => 4,
        _ => 1,
    }
}

/// The number of a discrete action.
impl Action for i32 {
    /// The highest output; of equal ones the first. NaN is never the highest.
    #[inline(always)]
    fn from_outputs(of: &[f32], stride: usize, count: usize) -> Self {
        let mut best = 0;
        for i in 1..count {
            if of[i * stride] > of[best * stride] || of[best * stride].is_nan() {
                best = i;
            }
        }
        best as i32
    }

    /// The next digit.
    #[inline(always)]
    fn next_random(chance: &mut u32, _row: &Row, _step: u32, count: usize) -> Self {
        let shifted = u64::from(*chance) * count as u64;
        *chance = shifted as u32;
        (shifted >> 32) as i32
    }

    #[inline(always)]
    fn is_due(step: u32, count: usize) -> bool {
        step & (digits(count) - 1) == 0
    }

    /// Four words to a block.
    #[inline(always)]
    fn chance(row: &Row, step: u32, count: usize) -> u32 {
        let number = step / digits(count);
        let [a, b, c, d] = row.block(number / 4);
        let (ab, cd) = if number.is_multiple_of(2) { (a, c) } else { (b, d) };
        let word = if number % 4 < 2 { ab } else { cd };
        let digit = step & (digits(count) - 1);
        let mut shifted = (word, count as u32);
        for bit in 0..5 {
            let (word, power) = shifted;
            shifted = (if digit >> bit & 1 == 1 { word.wrapping_mul(power) } else { word }, power.wrapping_mul(power));
        }
        shifted.0
    }
}

/// Two numbers, which the world clips to [-1, 1].
impl Action for [f32; 2] {
    #[inline(always)]
    fn from_outputs(of: &[f32], stride: usize, _count: usize) -> Self {
        [of[0], of[stride]]
    }

    /// Two words a step, and nothing is kept.
    #[inline(always)]
    fn next_random(_chance: &mut u32, row: &Row, step: u32, _count: usize) -> Self {
        let [a, b, c, d] = row.block(step / 2);
        let words = if step.is_multiple_of(2) { [a, b] } else { [c, d] };
        words.map(|word| 2.0 * unit_uniform(word) - 1.0)
    }

    #[inline(always)]
    fn is_due(_step: u32, _count: usize) -> bool {
        false
    }

    #[inline(always)]
    fn chance(_row: &Row, _step: u32, _count: usize) -> u32 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn choices_at_random_are_alike_and_the_same_from_any_step_on() {
        for count in [2, 3, 4, 7, 20] {
            let mut chosen = vec![0u32; count];
            for index in 0..200 {
                let row = Row { seed: 5, stream: Stream::Action, generation: 0, index };
                let mut chance = 0;
                for step in 0..150 {
                    if i32::is_due(step, count) {
                        chance = i32::chance(&row, step, count);
                    }
                    let action = i32::next_random(&mut chance, &row, step, count);
                    assert_eq!(action, i32::random(&row, step, count), "{count} choices, step {step}");
                    chosen[action as usize] += 1;
                }
            }
            let expected = 200.0 * 150.0 / count as f64;
            let squares: f64 = chosen.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
            // Of chi-square with count - 1 degrees of freedom this is less than the mean and four deviations.
            let freedom = count as f64 - 1.0;
            assert!(squares < freedom + 4.0 * (2.0 * freedom).sqrt(), "{count} choices: {chosen:?}");
        }
    }

    #[test]
    fn neighbouring_choices_at_random_are_independent() {
        let mut pairs = [[0u32; 3]; 3];
        for index in 0..3_000 {
            let row = Row { seed: 6, stream: Stream::Action, generation: 0, index };
            let mut chance = i32::chance(&row, 0, 3);
            let [first, second] = [0, 1].map(|step| i32::next_random(&mut chance, &row, step, 3));
            pairs[first as usize][second as usize] += 1;
        }
        let expected = 3_000.0 / 9.0;
        let squares: f64 = pairs.as_flattened().iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        assert!(squares < 8.0 + 4.0 * 4.0, "{pairs:?}");
    }
}
