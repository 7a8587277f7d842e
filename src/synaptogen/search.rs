//! Evolution of profiles by SNES (Algorithm 2): an offspring is judged by agents that are grown from it.
//!
//! The centre begins at a first profile, the standard deviation of every parameter at 1. The fitness of an offspring is the
//! mean score of its agents, and what comes of a search is the best single offspring, not the centre. Environment steps are
//! counted; whether there have been enough is asked between generations only.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::fitness::scores;
use super::gpu;
use super::profile::{Profile, RuleMap};
use super::shape::Shape;
use crate::config;
use crate::cpu::InstructionSet;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::registry::WorldKind;
use crate::rng::{Row, Stream};
use crate::search::mutation::{Mutation, Perturb, sums};
use crate::search::snes::{Snes, default_population};
use crate::search::{Optimiser, Spread};

/// A search whose largest standard deviation is below this has come to its end.
const LEAST_SIGMA: f32 = 1e-20;

/// What is to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Where.
    pub world: WorldKind,
    /// Of the profile.
    pub shape: Shape,
    /// Of the profile.
    pub rules: RuleMap,
    /// Offspring of a generation, lambda.
    pub population: usize,
    /// Agents that an offspring is judged by, M.
    pub agents: u32,
    /// Of the first centre, and of all that is drawn.
    pub seed: u64,
    /// In the environment; the last generation is finished.
    pub steps: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The best offspring, of equal ones the latest.
    pub profile: Profile,
    /// Its mean score.
    pub fitness: f32,
    /// From the first on.
    pub generations: Vec<Generation>,
}

/// How a generation's offspring did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// In the environment, up to its end.
    pub steps: u64,
    /// Highest fitness.
    pub best: f32,
    /// Mean fitness.
    pub mean: f32,
}

impl Search {
    /// Populations of the published search, for profiles of a shape.
    pub fn populations(shape: &Shape) -> [usize; 3] {
        [8, 16, default_population(shape.parameters())]
    }

    /// Numbers of agents of the published search.
    pub const AGENTS: [u32; 3] = [10, 20, 30];

    /// Search. `progress` is told how many more of the steps are done, never more than there are.
    ///
    /// # Errors
    /// When the population or the number of agents is 0, or the network does not fit the world.
    pub fn run(&self, progress: &(dyn Fn(u64) + Sync)) -> Result<Found> {
        self.judged_by(|profiles| self.judge(profiles), progress)
    }

    /// The same, with agents that grow and play on a device; what is found is equal.
    ///
    /// # Errors
    /// As [`Search::run`], and when the device fails or has no room.
    pub fn run_on(&self, gpu: &Gpu, progress: &(dyn Fn(u64) + Sync)) -> Result<Found> {
        self.judged_by(|profiles| self.judge_on(gpu, profiles), progress)
    }

    /// `judge` gives fitness and steps of each offspring, which come with the seeds of their agents.
    fn judged_by(
        &self,
        judge: impl Fn(&[Offspring]) -> Result<Vec<(f32, u64)>>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Found> {
        let Self { population, agents, .. } = *self;
        if population == 0 || agents == 0 {
            return Err(Error::Config(format!(
                "a search with {population} offspring of {agents} agents each; try: at least 1 of both"
            )));
        }
        let mut profile = Profile::initial(self.shape.clone(), self.rules.clone(), self.seed);
        let length = profile.parameters.len();
        let mut optimiser = Snes::new(&config::Snes::default(), population, profile.parameters.clone());
        let (mut steps, mut best, mut generations) = (0, None, Vec::new());
        loop {
            let mutation = Mutation { seed: self.seed, generation: generations.len() as u32, antithetic: false };
            let offspring = self.offspring(&optimiser, mutation);
            let judged = judge(&offspring)?;
            let before = steps;
            steps += judged.iter().map(|(_, steps)| steps).sum::<u64>();
            progress(steps.min(self.steps) - before);
            let fitness: Vec<f32> = judged.into_iter().map(|(fitness, _)| fitness).collect();
            for (Offspring { profile: judged, .. }, &fitness) in offspring.into_iter().zip(&fitness) {
                if best.is_none_or(|best| fitness >= best) {
                    (best, profile) = (Some(fitness), judged);
                }
            }
            generations.push(Generation {
                steps,
                best: fitness.iter().copied().fold(f32::NEG_INFINITY, f32::max),
                mean: fitness.iter().sum::<f32>() / population as f32,
            });
            optimiser.update(&sums(
                &mutation,
                &optimiser.utilities(&fitness),
                length,
                optimiser.needs_second(),
                InstructionSet::best(),
            ));
            let is_collapsed =
                matches!(optimiser.spread(), Spread::Each(sigma) if sigma.iter().all(|&s| s < LEAST_SIGMA));
            if steps >= self.steps || is_collapsed {
                return Ok(Found { profile, fitness: best.unwrap_or(f32::NAN), generations });
            }
        }
    }

    /// Those of a generation.
    fn offspring(&self, optimiser: &Snes, mutation: Mutation) -> Vec<Offspring> {
        let (centre, spread) = (optimiser.centre(), optimiser.spread());
        let offspring = |number| {
            let mut parameters = vec![0.0; centre.len()];
            InstructionSet::best().run(Perturb {
                mutation,
                offspring: number,
                centre,
                spread,
                parameters: &mut parameters,
            });
            let profile = Profile { shape: self.shape.clone(), rules: self.rules.clone(), parameters };
            let Mutation { seed, generation, .. } = mutation;
            let seeds = Row { seed, stream: Stream::Judges, generation, index: number as u32 }.seeds();
            Offspring { profile, seeds }
        };
        (0..self.population).into_par_iter().map(offspring).collect()
    }

    /// Fitness and steps of each, side by side.
    fn judge(&self, offspring: &[Offspring]) -> Result<Vec<(f32, u64)>> {
        let judge = |Offspring { profile, seeds }: &Offspring| {
            let (scores, steps) = scores(profile, self.world, self.agents, *seeds)?;
            Ok((mean(&scores), steps))
        };
        offspring.par_iter().map(judge).collect()
    }

    /// The same on a device, all at once.
    fn judge_on(&self, gpu: &Gpu, offspring: &[Offspring]) -> Result<Vec<(f32, u64)>> {
        let judged: Vec<gpu::Judged> =
            offspring.iter().map(|Offspring { profile, seeds }| gpu::Judged { profile, seeds: *seeds }).collect();
        let gpu::Scored { scores, steps, .. } = gpu::scores(gpu, &judged, self.world, self.agents)?;
        Ok(scores.iter().map(|scores| mean(scores)).zip(steps).collect())
    }
}

/// One of a generation.
struct Offspring {
    profile: Profile,
    /// Of its agents and of their episodes.
    seeds: [u64; 2],
}

fn mean(scores: &[f64]) -> f32 {
    (scores.iter().sum::<f64>() / scores.len() as f64) as f32
}
