//! What came of a reproduction, as JSON has it.

use serde::Serialize;

use super::Settings;
use crate::synaptogen::dqn::Validation;
use crate::synaptogen::evaluation::{Comparison, Metrics};
use crate::synaptogen::search::Generation;

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What decided its bits.
    #[serde(flatten)]
    pub settings: Settings,
    /// Every rate with every seed.
    pub trainings: Vec<TrainedRate>,
    /// Every population with every number of agents.
    pub searches: Vec<Searched>,
    /// In the order of [`GROUPS`](super::GROUPS).
    pub groups: Vec<Group>,
    /// Every two groups.
    pub comparisons: Vec<Compared>,
}

/// A training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainedRate {
    /// Of Adam.
    pub rate: f64,
    /// Of all that it drew.
    pub seed: u64,
    /// In the environment.
    pub steps: u32,
    /// Of the parameters.
    pub updates: u32,
    /// Return of the mean network, over episodes; what the choice is by.
    pub mean: f64,
    /// Of that.
    pub sd: f64,
    /// Score of agents that are grown from the profile, which decides nothing; NaN (`null` in JSON) where none can be.
    pub agents_mean: f64,
    /// Of that.
    pub agents_sd: f64,
    /// Whether its profile is the one that agents are grown from.
    pub chosen: bool,
    /// While it learnt.
    pub validations: Vec<Validation>,
}

/// A search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Searched {
    /// Offspring of a generation.
    pub population: usize,
    /// That an offspring was judged by.
    pub agents: u32,
    /// Of its best offspring, as it was judged then.
    pub fitness: f32,
    /// Score of fresh agents of that offspring.
    pub mean: f64,
    /// Of that.
    pub sd: f64,
    /// Whether its profile is the one that agents are grown from.
    pub chosen: bool,
    /// From the first on.
    pub generations: Vec<Generation>,
}

/// Agents of one origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Which.
    pub name: &'static str,
    /// Of its scores.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Those of the paper, if it has them.
    pub published: Option<Metrics>,
    /// Of every agent.
    pub scores: Vec<f64>,
}

/// Two groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// One.
    pub first: &'static str,
    /// The other.
    pub second: &'static str,
    /// Whether their scores differ.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// How surely, as figures show it.
    pub stars: &'static str,
}
