//! Fitness of a profile: how agents that are grown from it score in a world.

use std::ops::Range;

use super::agents::{Agents, Growth, Sampler};
use super::evaluation::{EPISODES, score};
use super::profile::Profile;
use crate::error::Result;
use crate::policy::Mlp;
use crate::registry::WorldKind;
use crate::rollout::Population;

/// The mean degree of the published agents' neurons, dbar.
pub const DEGREE: f32 = 1e5;

/// The agents of these numbers, of the published mean degree, as policies. Both samplers follow the same law; which of them
/// draws depends on how many agents there are.
///
/// # Errors
/// As [`Agents::grow`].
pub fn grow(profile: &Profile, seed: u64, agents: Range<u32>) -> Result<Vec<Mlp>> {
    let sampler = Sampler::of(agents.len() as u32);
    let grown = Agents::grow(profile, Growth { sampler, seed, degree: DEGREE }, agents)?;
    Ok((0..grown.len()).map(|agent| grown.policy(agent)).collect())
}

/// Scores of so many agents, and the environment steps that they took. `seeds` are those of the agents and of their episodes.
///
/// # Errors
/// When no agents can be grown, or their network does not fit the world.
pub fn scores(profile: &Profile, world: WorldKind, agents: u32, seeds: [u64; 2]) -> Result<(Vec<f64>, u64)> {
    let grown = grow(profile, seeds[0], 0..agents)?;
    let played = Population { world, agents: &grown, episodes: EPISODES, seed: seeds[1] }.play(&|_| {})?;
    let steps = played.iter().flatten().map(|episode| u64::from(episode.length)).sum();
    Ok((played.iter().map(|episodes| score(episodes)).collect(), steps))
}
