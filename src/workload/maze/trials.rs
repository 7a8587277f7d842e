//! Lives as a row of trials. A trial is one visit: from the start until something is eaten. What an agent eats does not
//! show whether it learned, for a reflex that sees poison from one cell away and turns back never eats any; so what
//! counts is the first arm that it enters.

use super::{Episodes, MazePlay, Watch, Workload};
use crate::world::t_maze::{Action, TMaze};
use rayon::prelude::*;

/// One visit to the maze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// Meals, of food or poison, in the life before this trial.
    pub met: u32,
    /// Meals, of food or poison, since the food was last moved, or since the start of the life; before this trial.
    pub since_move: u32,
    /// Whether the food had been moved before, in this life.
    pub moved: bool,
    /// Whether the first arm entered leads to the food; `None` where none was entered.
    pub first_choice: Option<bool>,
    /// 1 food, -1 poison, 0 where the agent died or the episode ended.
    pub reward: i32,
    /// Actions made.
    pub actions: u32,
}

impl Trial {
    fn first() -> Self {
        Self { met: 0, since_move: 0, moved: false, first_choice: None, reward: 0, actions: 0 }
    }
}

/// Trials of some lives, `[environment]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trials {
    first: usize,
    /// Of each life, in order; the last one may be unfinished.
    pub lives: Vec<Vec<Trial>>,
    rules: crate::world::t_maze::Rules,
}

impl Trials {
    /// Nothing yet, for the environments from `first` on.
    pub fn new(rules: &crate::world::t_maze::Rules, first: usize, environments: usize) -> Self {
        Self { first, lives: vec![vec![Trial::first()]; environments], rules: *rules }
    }

    /// The trials of all episodes.
    pub fn of(play: &MazePlay, parameters: &[f32], episodes: &Episodes) -> Vec<Vec<Trial>> {
        let environments = MazePlay::environments(episodes);
        let firsts: Vec<usize> = (0..environments).step_by(MazePlay::WINDOW).collect();
        firsts
            .into_par_iter()
            .flat_map(|first| {
                let count = MazePlay::WINDOW.min(environments - first);
                let mut trials = Self::new(play.rules(), first, count);
                let mut workspace = play.workspace(count);
                play.play_watched(&mut workspace, parameters, episodes, first, &mut vec![0.0; count], &mut trials);
                trials.lives
            })
            .collect()
    }

    /// Take an action's outcome in.
    pub fn record(&mut self, environment: usize, before: &TMaze, after: &TMaze) {
        let life = &mut self.lives[environment - self.first];
        let Some(trial) = life.last_mut() else { return };
        trial.actions += 1;
        if trial.first_choice.is_none() {
            let choice = self.rules.layout.leads_to(after.x, after.y);
            trial.first_choice = choice.map(|place| place as i32 == before.food);
        }
        if after.reward == 0 {
            return;
        }
        trial.reward = after.reward;
        let moved = after.food != before.food;
        let next = Trial {
            met: trial.met + 1,
            since_move: if moved { 0 } else { trial.since_move + 1 },
            moved: trial.moved || moved,
            ..Trial::first()
        };
        if after.is_alive() {
            life.push(next);
        }
    }
}

impl Watch for Trials {
    fn acted(&mut self, environment: usize, before: &TMaze, _: &[f32; Action::MOTORS], _: Action, after: &TMaze) {
        self.record(environment, before, after);
    }
}
