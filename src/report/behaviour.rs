//! What agents in a maze do in fresh episodes, and whether it shows that they learn.
//!
//! A life counts once in every figure, whatever the number of its trials: trials of one life are not independent, for
//! in it the noise and the shuffled sensors and motors stay the same.

use std::ops::RangeInclusive;

use serde::Serialize;

use super::statistics::{Evaluation, MannWhitney, Share};
use crate::plan::Plan;
use crate::workload::Workload;
use crate::workload::maze::{Life, MazePlay, Probe, Trial, Trials};
use crate::world::players::Strategy;

/// What the groups of [`FirstChoice`] are called.
pub const GROUPS: [&str; 4] = ["0", "1", "2", "3+"];

/// Statistics of some lives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Behaviour {
    /// Food less poison.
    #[serde(flatten)]
    pub fitness: Evaluation,
    /// Meals of food in a life, mean.
    pub food: f64,
    /// Meals of poison in a life, mean.
    pub poison: f64,
    /// Meals of food in a life against those of poison.
    pub food_against_poison: MannWhitney,
    /// Share of the lives that ended in hunger.
    pub starved: f64,
    /// What shows learning.
    pub first_choice: FirstChoice,
}

/// Whether the first arm entered in a trial leads to the food; see [`Life::right`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FirstChoice {
    /// By outcomes (meals, of food or poison) that the life had met before: 0, 1, 2, and 3 or more.
    pub outcomes_met: [Share; 4],
    /// By trials since the food was moved: 0, 1, 2, and 3 or more.
    pub trials_since_move: [Share; 4],
    /// After one outcome, against before any.
    pub one_against_none: MannWhitney,
}

impl Behaviour {
    /// Of these lives.
    pub fn of(lives: &[Life]) -> Self {
        let meals = |reward: i32| lives.iter().map(|life| life.meals(reward) as f64).collect::<Vec<_>>();
        let (food, poison) = (meals(1), meals(-1));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let starved: Vec<f64> = lives.iter().map(|life| f64::from(u8::from(life.starved))).collect();
        Self {
            fitness: Evaluation::of(&lives.iter().map(Life::fitness).collect::<Vec<_>>()),
            food: mean(&food),
            poison: mean(&poison),
            food_against_poison: MannWhitney::of(&food, &poison),
            starved: mean(&starved),
            first_choice: FirstChoice::of(lives),
        }
    }
}

impl FirstChoice {
    fn of(lives: &[Life]) -> Self {
        let group = |i: usize| if i + 1 < GROUPS.len() { i as u32..=i as u32 } else { i as u32..=u32::MAX };
        Self {
            outcomes_met: std::array::from_fn(|i| Share::of(&after_outcomes(lives, group(i)))),
            trials_since_move: std::array::from_fn(|i| Share::of(&after_a_move(lives, group(i)))),
            one_against_none: MannWhitney::of(&after_outcomes(lives, group(1)), &after_outcomes(lives, group(0))),
        }
    }
}

/// Right first choices, a value a life, in trials before which this many outcomes had been met.
pub fn after_outcomes(lives: &[Life], met: RangeInclusive<u32>) -> Vec<f64> {
    lives.iter().filter_map(|life| life.right(|trial| Some(trial.met), met.clone())).collect()
}

/// The same in trials before which there were this many since the food was moved.
pub fn after_a_move(lives: &[Life], trials: RangeInclusive<u32>) -> Vec<f64> {
    lives.iter().filter_map(|life| life.right(Trial::since_a_move, trials.clone())).collect()
}

/// Evolved agents beside the players that need no network, in the same episodes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MazeEvaluation {
    /// Of the evolved agent.
    #[serde(flatten)]
    pub agent: Behaviour,
    /// In the same episodes; nothing is taken from them.
    pub references: References,
}

/// A [`Behaviour`] for each [`Strategy`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct References {
    /// Of [`Strategy::Reflex`].
    pub reflex: Behaviour,
    /// Of [`Strategy::WinStayLoseShift`].
    pub win_stay_lose_shift: Behaviour,
}

/// How `parameters` with something taken from their agents fare in fresh episodes of a maze.
///
/// # Panics
/// When the plan's task is not a maze.
pub fn evaluate_maze(plan: &Plan, parameters: &[f32], episodes: usize, seed: u64, probe: Probe) -> MazeEvaluation {
    let play = MazePlay::new(plan).with_probe(probe);
    let episodes = play.fresh_episodes(episodes, seed);
    let reference = |strategy| Behaviour::of(&Trials::of_player(&play, strategy, &episodes));
    MazeEvaluation {
        agent: Behaviour::of(&Trials::of(&play, parameters, &episodes)),
        references: References {
            reflex: reference(Strategy::Reflex),
            win_stay_lose_shift: reference(Strategy::WinStayLoseShift),
        },
    }
}
