//! SynaptoGen: mean networks, growth, learning.

use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;

use super::{Bench, Called, Case, Row};
use crate::error::Result;
use crate::profile::Work;
use crate::registry::WorldKind;
use crate::rng::{Row as Draws, Stream};
use crate::rollout::Population;
use crate::synaptogen::agents::{Agents, Growth, Sampler};
use crate::synaptogen::dqn::{self, RATES, Training};
use crate::synaptogen::evaluation::EPISODES;
use crate::synaptogen::fitness::DEGREE;
use crate::synaptogen::gpu::{Kept, Learners, assemble, grow_of, scores_of};
use crate::synaptogen::growth::{Connectome, direct, law};
use crate::synaptogen::{Assembly, Profile, RuleMap, Shape};

/// Learners of a device.
const LEARNERS: usize = 128;

impl Bench<'_> {
    /// On a device with the copies, since they are most of it.
    pub(super) fn assembly(&self, case: Case) -> Result<Vec<Row>> {
        let shape = Shape::new(&[8, 128, 4], 16);
        let measured = self.steady(if self.is_emulated() { 2 } else { 1024 }, 1 << 16, |profiles| {
            let mut parameters = vec![0.0; profiles as usize * shape.parameters()];
            Draws { seed: 1, stream: Stream::Fresh, generation: 0, index: 0 }.normals(0, &mut parameters);
            let started = Instant::now();
            match &self.gpu {
                Some(gpu) => drop(black_box(assemble(gpu, &shape, &RuleMap::Sigmoid, &parameters)?)),
                None => {
                    let workspace = || Assembly::new(&shape, &RuleMap::Sigmoid);
                    let offspring = parameters.par_chunks_exact(shape.parameters()).with_min_len(64);
                    offspring.for_each_init(workspace, |assembly, parameters| {
                        assembly.assemble(parameters);
                        black_box(assembly.weights_of(1));
                    });
                }
            }
            Ok(Called { seconds: started.elapsed().as_secs_f64(), amount: f64::from(profiles) })
        })?;
        let work = Work { flops: products(&shape) * measured.amount as u64, ..Work::default() };
        Ok(vec![self.row(case, "profiles", "profiles/s", &measured, work)])
    }

    /// On a device the kernels alone, the making of laws included.
    pub(super) fn growth(&self, case: Case, genes: usize, by_law: bool) -> Result<Vec<Row>> {
        let profile = Profile::initial(Shape::new(&[4, 128, 2], genes), RuleMap::Sigmoid, 12);
        let assembly = profile.assembled();
        let connectome = Connectome::of(&assembly, DEGREE);
        let sampler = if by_law { Sampler::Law } else { Sampler::Direct };
        let growth = Growth { sampler, seed: 1, degree: DEGREE };
        let (first, most) = match &self.gpu {
            Some(_) if self.is_emulated() => (2, 2),
            Some(_) => (1 << 12, 1 << 20),
            // Of a few the making of laws would be all that is timed.
            None => (100, 1 << 14),
        };
        let measured = self.steady(first, most, |agents| {
            let started = Instant::now();
            let seconds = match &self.gpu {
                Some(gpu) => {
                    let kept = Kept { totals: true, ..Kept::default() };
                    grow_of(gpu, &profile, growth, 0..agents, kept)?.kernel_seconds
                }
                None => {
                    drop(black_box(match sampler {
                        Sampler::Law => law::Law::new(&connectome).synapses(1, 0..agents),
                        Sampler::Direct => direct::synapses(&connectome, 1, 0..agents),
                    }));
                    started.elapsed().as_secs_f64()
                }
            };
            Ok(Called { seconds, amount: f64::from(agents) })
        })?;
        let bytes = (4 * connectome.pairs()) as u64 * measured.amount as u64;
        Ok(vec![self.row(case, "agents", "agents/s", &measured, Work { bytes, ..Work::default() })])
    }

    /// Agents of a first profile, on a device the kernel alone.
    pub(super) fn agents(&self, case: Case) -> Result<Vec<Row>> {
        let profile = Profile::initial(Shape::new(&[4, 128, 2], 16), RuleMap::Sigmoid, 12);
        let growth = Growth { sampler: Sampler::Law, seed: 1, degree: DEGREE };
        let (first, most) = match &self.gpu {
            Some(_) if self.is_emulated() => (2, 2),
            Some(_) => (1 << 14, 1 << 20),
            None => (100, 1 << 14),
        };
        let measured = self.steady(first, most, |agents| match &self.gpu {
            Some(gpu) => {
                let kept = Kept { weights: true, ..Kept::default() };
                let grown = grow_of(gpu, &profile, growth, 0..agents, kept)?;
                let scored = scores_of(gpu, &grown, WorldKind::CartPole, &[1])?;
                Ok(Called { seconds: scored.kernel_seconds, amount: scored.steps.iter().sum::<u64>() as f64 })
            }
            None => {
                let grown = Agents::grow(&profile, growth, 0..agents)?;
                let agents: Vec<_> = (0..grown.len()).map(|agent| grown.policy(agent)).collect();
                let started = Instant::now();
                let world = WorldKind::CartPole;
                let played = Population { world, agents: &agents, episodes: EPISODES, seed: 1 }.play(&|_| ())?;
                let seconds = started.elapsed().as_secs_f64();
                Ok(Called { seconds, amount: played.iter().flatten().map(|episode| f64::from(episode.length)).sum() })
            }
        })?;
        let weights: usize = profile.shape.layers.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
        let work = Work { flops: 2 * weights as u64 * measured.amount as u64, ..Work::default() };
        Ok(vec![self.row(case, "steps", "env-steps/s", &measured, work)])
    }

    /// A learner a thread; on a device 128 learners, the kernels alone. Steps before the first update are among them.
    pub(super) fn learning(&self, case: Case, world: WorldKind) -> Result<Vec<Row>> {
        let spec = world.spec();
        let shape = Shape::new(&[spec.observations, 128, spec.actions.outputs()], 16);
        let weights = shape.layers.windows(2).map(|pair| ((pair[0] + 1) * pair[1]) as u64).sum::<u64>();
        let learners = match &self.gpu {
            Some(_) if self.is_emulated() => 1,
            Some(_) => LEARNERS,
            None => rayon::current_num_threads(),
        };
        let steps = if self.is_emulated() { 64 } else { 20_000 };
        let training = |seed: usize| Training {
            world,
            shape: shape.clone(),
            rules: RuleMap::Sigmoid,
            rate: RATES[1],
            seed: seed as u64,
            steps,
        };
        let trainings: Vec<Training> = (1..=learners).map(training).collect();
        let mut updates = 0;
        let measured = self.steady(steps, steps, |_| {
            let started = Instant::now();
            let mut seconds = 0.0;
            let trained = match &self.gpu {
                Some(gpu) => {
                    let mut learners = Learners::new(gpu, &trainings)?;
                    while !learners.are_done() {
                        seconds += learners.advance(steps)?;
                    }
                    learners.finish()?
                }
                None => {
                    let trained = dqn::train_all(&trainings, &|_| ())?;
                    seconds = started.elapsed().as_secs_f64();
                    trained
                }
            };
            updates = trained.iter().map(|trained| u64::from(trained.updates)).sum();
            Ok(Called { seconds, amount: trained.iter().map(|trained| f64::from(trained.steps)).sum() })
        })?;
        // Of an update, for each transition: both networks forward, one backward, which is twice a forward.
        let batch = training(1).hyperparameters()?.batch as u64;
        let flops = 2 * weights * (4 * batch * updates + measured.amount as u64);
        Ok(vec![self.row(case, "steps", "env-steps/s", &measured, Work { flops, ..Work::default() })])
    }
}

/// Multiply-adds, two each, of a profile's N and G: the head of `synaptogen/assembly.rs`.
fn products(shape: &Shape) -> u64 {
    let pair = |pair: &[usize]| {
        let (narrow, wide) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        narrow * shape.genes * shape.genes + narrow * wide * (shape.genes + shape.receptors())
    };
    2 * shape.layers.windows(2).map(pair).sum::<usize>() as u64
}
