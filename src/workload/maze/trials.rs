//! Lives as a row of trials. A trial is one visit: from the start until something is eaten. What an agent eats does not
//! show whether it learned, for a reflex that sees poison from one cell away and turns back never eats any; so what
//! counts is the first arm that it enters.

use std::ops::RangeInclusive;

use super::{Episodes, MazePlay, Watch, Workload};
use crate::world::players::{Player, Strategy};
use crate::world::t_maze::{Action, Rules, TMaze};
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
    const FIRST: Self = Self { met: 0, since_move: 0, moved: false, first_choice: None, reward: 0, actions: 0 };

    /// [`Trial::since_move`] where the food has been moved in this life.
    pub fn since_a_move(&self) -> Option<u32> {
        self.moved.then_some(self.since_move)
    }
}

/// What an agent did in an episode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// In order; the last one may be unfinished.
    pub trials: Vec<Trial>,
    /// Whether it ended before the episode did.
    pub starved: bool,
}

impl Life {
    /// How often it ate what earns `reward`: 1 food, -1 poison.
    pub fn meals(&self, reward: i32) -> usize {
        self.trials.iter().filter(|trial| trial.reward == reward).count()
    }

    /// Where every poison earns -1: food less poison.
    pub fn fitness(&self) -> f32 {
        self.trials.iter().map(|trial| trial.reward).sum::<i32>() as f32
    }

    /// The share of its trials, among those that `number` gives a number in `range`, whose first choice was right; `None` where
    /// it had no such trial.
    ///
    /// No choice is wrong, but where the episode's end cut the trial, it is left out. A life that starved at a lower
    /// number counts as wrong once more: did it not, those that always enter the same arm would seem to learn, for only
    /// the lucky ones live on.
    pub fn right(&self, number: impl Fn(&Trial) -> Option<u32>, range: RangeInclusive<u32>) -> Option<f64> {
        let counts = |trial: &&Trial| number(trial).is_some_and(|n| range.contains(&n));
        let choice = |trial: &Trial| trial.first_choice.or(self.starved.then_some(false));
        let mut choices: Vec<bool> = self.trials.iter().filter(counts).filter_map(choice).collect();
        let last = self.trials.last().and_then(&number);
        if self.starved && last.is_some_and(|n| n < *range.start()) {
            choices.push(false);
        }
        let right = choices.iter().filter(|right| **right).count();
        (!choices.is_empty()).then(|| right as f64 / choices.len() as f64)
    }
}

/// Records the lives of some environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trials {
    first: usize,
    /// `[environment]`
    pub lives: Vec<Life>,
    rules: Rules,
}

impl Trials {
    /// Nothing yet, for the environments from `first` on.
    pub fn new(rules: &Rules, first: usize, environments: usize) -> Self {
        Self { first, lives: vec![Life { trials: vec![Trial::FIRST], starved: false }; environments], rules: *rules }
    }

    /// The lives of all episodes.
    pub fn of(play: &MazePlay, parameters: &[f32], episodes: &Episodes) -> Vec<Life> {
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

    /// The lives of a player in the same episodes.
    pub fn of_player(play: &MazePlay, strategy: Strategy, episodes: &Episodes) -> Vec<Life> {
        let rules = play.rules();
        let newborn = Player::new(strategy, rules);
        let mut trials = Self::new(rules, 0, MazePlay::environments(episodes));
        for (environment, &food) in episodes.food.iter().enumerate() {
            let (mut player, mut agent) = (newborn.clone(), TMaze::new(rules, food));
            for action in 0..play.maze.actions as usize {
                let before = agent;
                agent.step(rules, player.act(&before), episodes.draw_at(environment, action));
                trials.record(environment, &before, &agent);
                if !agent.is_alive() {
                    break;
                }
            }
        }
        trials.lives
    }

    /// Take an action's outcome in.
    pub fn record(&mut self, environment: usize, before: &TMaze, after: &TMaze) {
        let life = &mut self.lives[environment - self.first];
        let Some(trial) = life.trials.last_mut() else { return };
        trial.actions += 1;
        if trial.first_choice.is_none() {
            let choice = self.rules.layout.leads_to(after.x, after.y);
            trial.first_choice = choice.map(|place| place as i32 == before.food);
        }
        trial.reward = after.reward;
        life.starved = !after.is_alive();
        if after.reward == 0 || life.starved {
            return;
        }
        let moved = after.food != before.food;
        let next = Trial {
            met: trial.met + 1,
            since_move: if moved { 0 } else { trial.since_move + 1 },
            moved: trial.moved || moved,
            ..Trial::FIRST
        };
        life.trials.push(next);
    }
}

impl Watch for Trials {
    fn acted(&mut self, environment: usize, before: &TMaze, _: &[f32; Action::MOTORS], _: Action, after: &TMaze) {
        self.record(environment, before, after);
    }
}
