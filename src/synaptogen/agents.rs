//! Agents grown from a profile, as policies: weights as [`growth`](super::growth) draws them (equation 12), biases of the
//! profile; and how they score.

use std::ops::Range;

use super::assembly::Assembly;
use super::evaluation::{EPISODES, score};
use super::growth::law::Law;
use super::growth::{Connectome, LayerPair, correction, direct};
use crate::error::Result;
use crate::policy::Mlp;
use crate::registry::WorldKind;
use crate::rollout::Population;

/// The mean degree of the published agents' neurons, dbar.
pub const DEGREE: f32 = 1e5;

/// Agents from which on it pays to compute the laws of all neuron pairs before anything is drawn: 6 at 64 genes, 10 at 16, by
/// `benches/growth.rs`.
const LAW_FROM: usize = 10;

/// What the assembled profile's agents are grown from, for a mean degree of their neurons.
pub fn connectome(assembly: &Assembly, degree: f32) -> Connectome<'_> {
    let shape = assembly.shape();
    let pairs = 0..shape.connections();
    let layers = pairs.clone().map(|pair| LayerPair {
        pre: assembly.expression(pair),
        post: assembly.expression(pair + 1),
        conductance: assembly.conductances(pair),
    });
    Connectome {
        genes: shape.genes,
        rules: assembly.rules(),
        layers: layers.collect(),
        alpha: correction(pairs.map(|pair| assembly.numbers(pair)), shape.neurons(), degree),
    }
}

/// The agents of these numbers, of the published mean degree. Both samplers follow the same law; which of them draws depends
/// on how many agents there are.
pub fn grow(assembly: &Assembly, seed: u64, agents: Range<u32>) -> Vec<Mlp> {
    let connectome = connectome(assembly, DEGREE);
    let synapses = if agents.len() < LAW_FROM {
        direct::synapses(&connectome, seed, agents)
    } else {
        Law::new(&connectome).synapses(seed, agents)
    };
    let mean = assembly.mean_agent();
    let agent = |mut weights: &[f32]| {
        let mut agent = mean.clone();
        let mut rest = agent.parameters_mut();
        for layer in &connectome.layers {
            let (of_layer, behind) = weights.split_at(layer.conductance.len());
            let (to, biases) = rest.split_at_mut(of_layer.len());
            to.copy_from_slice(of_layer);
            let neurons = layer.post.len() / connectome.genes;
            (weights, rest) = (behind, &mut biases[neurons..]);
        }
        agent
    };
    connectome.weights(&synapses).chunks_exact(connectome.pairs()).map(agent).collect()
}

/// Scores of agents grown from an assembled profile, and the environment steps that they took. `seeds` are those of the
/// agents and of their episodes.
///
/// # Errors
/// When the network does not fit the world.
pub fn scores(assembly: &Assembly, world: WorldKind, agents: u32, seeds: [u64; 2]) -> Result<(Vec<f64>, u64)> {
    let grown = grow(assembly, seeds[0], 0..agents);
    let played = Population { world, agents: &grown, episodes: EPISODES, seed: seeds[1] }.play(&|_| {})?;
    let steps = played.iter().flatten().map(|episode| u64::from(episode.length)).sum();
    Ok((played.iter().map(|episodes| score(episodes)).collect(), steps))
}
