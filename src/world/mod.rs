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

    /// First states for many; the same as [`World::reset`] for each of them.
    fn reset_all(worlds: &mut [Self], draws: &mut [Draws]) {
        for (world, draws) in worlds.iter_mut().zip(draws) {
            *world = Self::reset(draws);
        }
    }

    /// One step. The time limit is not its business: see [`Spec::limit`].
    fn step(&mut self, action: Self::Action, draws: &mut Draws) -> Outcome;

    /// What a policy sees: `SPEC.observations` numbers, `to[i * stride]` for the i-th.
    fn observe(&self, to: &mut [f32], stride: usize);

    /// What it looks like now, as Gymnasium draws it.
    fn draw(&self) -> Scene;

    /// One step of many; the same bits as [`World::step`] for each of them.
    fn step_all(worlds: &mut [Self], actions: &[Self::Action], draws: &mut [Draws], outcomes: &mut [Outcome]) {
        for (((world, &action), draws), outcome) in worlds.iter_mut().zip(actions).zip(draws).zip(outcomes) {
            *outcome = world.step(action, draws);
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

    /// That of a policy which acts at random: each of the `count` alike, from the words of an episode's row at a step.
    fn random(row: &Row, step: u32, count: usize) -> Self;
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

    /// A word a step.
    #[inline(always)]
    fn random(row: &Row, step: u32, count: usize) -> Self {
        let [a, b, c, d] = row.block(step / 4);
        let (ab, cd) = if step.is_multiple_of(2) { (a, c) } else { (b, d) };
        let word = if step % 4 < 2 { ab } else { cd };
        ((u64::from(word) * count as u64) >> 32) as i32
    }
}

/// Two numbers, which the world clips to [-1, 1].
impl Action for [f32; 2] {
    #[inline(always)]
    fn from_outputs(of: &[f32], stride: usize, _count: usize) -> Self {
        [of[0], of[stride]]
    }

    /// Two words a step.
    #[inline(always)]
    fn random(row: &Row, step: u32, _count: usize) -> Self {
        let [a, b, c, d] = row.block(step / 2);
        let words = if step.is_multiple_of(2) { [a, b] } else { [c, d] };
        words.map(|word| 2.0 * unit_uniform(word) - 1.0)
    }
}
