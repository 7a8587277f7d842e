//! How profiles do on a device: agents grown from them, and their episodes, to the bits of [`crate::synaptogen::fitness`].

use rayon::prelude::*;

use super::growth::{Grown, Kept, Sample, grow};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::policy::{Activation, Mlp};
use crate::registry::WorldKind;
use crate::rollout::population_gpu::{Agents, Games, play};
use crate::synaptogen::agents::Sampler;
use crate::synaptogen::evaluation::{EPISODES, score};
use crate::synaptogen::fitness::DEGREE;
use crate::synaptogen::growth::Connectome;
use crate::synaptogen::{Assembly, Profile};

/// A profile to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// All of a call have the same shape.
    pub profile: &'a Profile,
    /// Of its agents and of their episodes.
    pub seeds: [u64; 2],
}

/// How agents did.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// `[profile][agent]`.
    pub scores: Vec<Vec<f64>>,
    /// That the agents of each profile took.
    pub steps: Vec<u64>,
    /// What the rollout took on the device.
    pub kernel_seconds: f64,
}

/// Scores of so many agents of each profile, and the environment steps that they took; what [`crate::synaptogen::fitness::scores`] gives
/// for each.
///
/// # Errors
/// As there, and when the device fails or has no room.
///
/// # Panics
/// When the profiles differ in shape, or there are no agents.
pub fn scores(gpu: &Gpu, judged: &[Judged], world: WorldKind, agents: u32) -> Result<Scored> {
    let assembled: Vec<Assembly> = judged.par_iter().map(|Judged { profile, .. }| profile.assembled()).collect();
    let connectomes: Vec<Connectome> = assembled.iter().map(|assembly| Connectome::of(assembly, DEGREE)).collect();
    let biases: Vec<Vec<f32>> = judged.iter().map(|judged| judged.profile.biases()).collect();
    let mut samples = Vec::with_capacity(judged.len());
    for ((connectome, biases), Judged { seeds, .. }) in connectomes.iter().zip(&biases).zip(judged) {
        connectome.check(DEGREE)?;
        samples.push(Sample { connectome, biases, seed: seeds[0] });
    }
    let grown = grow(gpu, &samples, Sampler::of(agents), 0..agents, Kept { weights: true, ..Kept::default() })?;
    scores_of(gpu, &grown, world, &judged.iter().map(|judged| judged.seeds[1]).collect::<Vec<_>>())
}

/// The same of agents that are there; of which weights were kept. `seeds` are those of the episodes, one for each sample.
///
/// # Errors
/// When the agents do not fit the world, or the device fails or has no room.
///
/// # Panics
/// When no weights were kept.
pub fn scores_of(gpu: &Gpu, grown: &Grown, world: WorldKind, seeds: &[u64]) -> Result<Scored> {
    let network = Mlp::new(&grown.sizes, Activation::Selu);
    network.check(world.spec()).map_err(|why| Error::Config(format!("agent 0: {why}")))?;
    let parameters = grown.weights.as_ref().expect("agents with weights");
    let agents = Agents { packing: &grown.packing, parameters, stride: grown.stride, count: grown.count };
    let (played, kernel_seconds) = play(gpu, &agents, &Games { world, episodes: EPISODES, seeds })?;
    let of_profile = played.len() / seeds.len();
    let (mut scores, mut steps) = (Vec::with_capacity(seeds.len()), Vec::with_capacity(seeds.len()));
    for episodes in played.chunks(of_profile) {
        scores.push(episodes.chunks(EPISODES as usize).map(score).collect());
        steps.push(episodes.iter().map(|episode| u64::from(episode.length)).sum());
    }
    Ok(Scored { scores, steps, kernel_seconds })
}
