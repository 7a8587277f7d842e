//! Tasks in open loop: what a unit is shown and what it is rewarded for. A file a task; here is what they share.

pub mod iaf;
pub mod stdp;

use crate::cpu::padded;
use crate::rng::Row;

/// Episodes, the same for every offspring of a generation: the unit's inputs and the model's answer.
///
/// Environments lie in the lanes: `lanes` is `environments` rounded up to a multiple of [`crate::cpu::LANES`], and
/// the lanes beyond `environments` hold zeros and are never scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Episodes {
    /// How many episodes.
    pub environments: usize,
    /// Length of a row, at least `environments`.
    pub lanes: usize,
    /// Of each episode.
    pub steps: usize,
    /// Input channels driven.
    pub channels: usize,
    /// `[step][channel][lane]`.
    pub inputs: Vec<f32>,
    /// What the unit should have answered, `[step][lane]`.
    pub target: Vec<f32>,
}

impl Episodes {
    /// Episodes with all inputs and targets zero.
    pub fn silent(environments: usize, steps: usize, channels: usize) -> Self {
        let lanes = padded(environments);
        Self {
            environments,
            lanes,
            steps,
            channels,
            inputs: vec![0.0; steps * channels * lanes],
            target: vec![0.0; steps * lanes],
        }
    }

    /// Where the input of `channel` lies at `step` in environment `environment`.
    pub fn input_at(&self, step: usize, channel: usize, environment: usize) -> usize {
        (step * self.channels + channel) * self.lanes + environment
    }
}

/// The outputs of some neighbouring environments: channel 0, `[step][lane]`, first lane = environment `first`.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// `[step][lane]`.
    pub outputs: &'a [f32],
    /// Length of a row.
    pub lanes: usize,
    /// Environment of lane 0.
    pub first: usize,
}

/// What a task must say of itself.
pub trait Task: Sync {
    /// Input channels it drives.
    const CHANNELS: usize;

    /// Draw `environments` episodes of `steps` steps; `row(e)` addresses the random numbers of environment e.
    fn draw(&self, environments: usize, steps: usize, row: impl Fn(usize) -> Row) -> Episodes;

    /// Fitness of the environments `answer.first ..`, one for each element of `fitness`; higher is better.
    fn fitness(&self, episodes: &Episodes, answer: Answer<'_>, fitness: &mut [f32]);
}
