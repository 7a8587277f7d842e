//! Agents grown from one profile: their numbers of synapses and weights, as policies, as graphs and in a file.
//!
//! `agents.safetensors` has for each pair of layers, the first being number 1: N1 (u32) and W1 (f32), numbers of synapses and
//! weights `[agent][pre][post]`, and b1 (f32) `[post]`, the biases that all agents share. Its metadata has one entry,
//! `agents`, a JSON record of what they were grown with.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::gpu::Grown;
use super::growth::law::Law;
use super::growth::{Connectome, direct};
use super::profile::Profile;
use super::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::policy::{Activation, Mlp};
use crate::run::durable;

/// How numbers of synapses are drawn. Both follow the same law, from different random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    /// Each number at once from its exact law: [`Law`].
    Law,
    /// One binomial number for every pair of genes: [`direct`].
    Direct,
}

impl Sampler {
    /// Agents from which on it pays to compute the laws of all neuron pairs before anything is drawn: 6 at 64 genes, 10 at 16,
    /// by `benches/growth.rs`.
    const LAW_FROM: u32 = 10;

    /// That of so many agents of a profile where only their law matters.
    pub fn of(agents: u32) -> Self {
        if agents < Self::LAW_FROM { Self::Direct } else { Self::Law }
    }
}

/// What agents are grown with, beside the profile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// How numbers of synapses are drawn.
    pub sampler: Sampler,
    /// Of the draws. An agent is a function of profile, degree, sampler, seed and its number.
    pub seed: u64,
    /// Expected mean number of synapses of a neuron, on its way in and out.
    pub degree: f32,
}

/// Some agents of one profile. Pairs of layers count from 0 here.
#[derive(Debug, Clone, PartialEq)]
pub struct Agents {
    /// Sizes of the profile.
    pub shape: Shape,
    /// What they were grown with.
    pub growth: Growth,
    /// Correction factor: synapses per unit of mean number.
    pub alpha: f32,
    /// Mean conductance of a synapse, G (equation 10), `[neuron pair]`.
    conductances: Vec<f32>,
    /// Of all layers but the first, in their order.
    biases: Vec<f32>,
    /// `[agent][neuron pair]` both; neuron pairs go through all pairs of layers, each `[pre][post]`.
    synapses: Vec<u32>,
    weights: Vec<f32>,
}

/// The metadata of the file.
#[derive(Debug, Serialize)]
struct Header<'a> {
    format: u32,
    layers: &'a [usize],
    activation: &'static str,
    #[serde(flatten)]
    growth: Growth,
    alpha: f32,
}

impl Agents {
    /// Grow the agents with these numbers (Algorithm 1), on all threads.
    ///
    /// # Errors
    /// When the profile's mean numbers of synapses are all zero, or too large to be added: nothing can be grown of them.
    pub fn grow(profile: &Profile, growth: Growth, agents: Range<u32>) -> Result<Self> {
        let assembly = profile.assembled();
        let connectome = Connectome::of(&assembly, growth.degree);
        connectome.check(growth.degree)?;
        let synapses = match growth.sampler {
            Sampler::Law => Law::new(&connectome).synapses(growth.seed, agents),
            Sampler::Direct => direct::synapses(&connectome, growth.seed, agents),
        };
        Ok(Self::of(profile, growth, &connectome, synapses))
    }

    /// Those that a device has grown of a profile, of which numbers of synapses were kept.
    ///
    /// # Errors
    /// When the device fails.
    pub fn read(gpu: &Gpu, profile: &Profile, growth: Growth, grown: &Grown) -> Result<Self> {
        let assembly = profile.assembled();
        Ok(Self::of(profile, growth, &Connectome::of(&assembly, growth.degree), grown.synapses(gpu)?))
    }

    fn of(profile: &Profile, growth: Growth, connectome: &Connectome, synapses: Vec<u32>) -> Self {
        Self {
            growth,
            alpha: connectome.alpha,
            conductances: connectome.layers.iter().flat_map(|layer| layer.conductance).copied().collect(),
            biases: profile.biases(),
            weights: connectome.weights(&synapses),
            synapses,
            shape: profile.shape.clone(),
        }
    }

    /// Number of agents.
    pub fn len(&self) -> usize {
        self.synapses.len() / self.conductances.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.synapses.is_empty()
    }

    /// Numbers of synapses of an agent, `[pre][post]` of a pair of layers.
    ///
    /// # Panics
    /// When there is no such agent or pair, as in all that follow.
    pub fn synapses(&self, agent: usize, pair: usize) -> &[u32] {
        &self.synapses[agent * self.conductances.len()..][self.neuron_pairs(pair)]
    }

    /// Weights of an agent (equation 12), `[pre][post]` of a pair of layers.
    pub fn weights(&self, agent: usize, pair: usize) -> &[f32] {
        &self.weights[agent * self.conductances.len()..][self.neuron_pairs(pair)]
    }

    /// Mean conductance of a synapse, `[pre][post]` of a pair of layers; of all agents.
    pub fn conductances(&self, pair: usize) -> &[f32] {
        &self.conductances[self.neuron_pairs(pair)]
    }

    /// Biases of the layer behind a pair of layers; of all agents.
    pub fn biases(&self, pair: usize) -> &[f32] {
        let before: usize = self.shape.layers[1..=pair].iter().sum();
        &self.biases[before..before + self.shape.layers[pair + 1]]
    }

    /// Synapses of each agent.
    pub fn totals(&self) -> Vec<u64> {
        let total = |synapses: &[u32]| synapses.iter().map(|&count| u64::from(count)).sum();
        self.synapses.chunks_exact(self.conductances.len()).map(total).collect()
    }

    /// An agent's network.
    pub fn policy(&self, agent: usize) -> Mlp {
        let mut mlp = Mlp::new(&self.shape.layers, Activation::Selu);
        let pairs = 0..self.shape.connections();
        let parameters = pairs.flat_map(|pair| self.weights(agent, pair).iter().chain(self.biases(pair)));
        mlp.parameters_mut().iter_mut().zip(parameters).for_each(|(to, from)| *to = *from);
        mlp
    }

    /// Write all agents as `.safetensors`, as the head of this module says.
    ///
    /// # Errors
    /// When writing fails; a file that was there is then unchanged.
    pub fn save(&self, path: &Path) -> Result<()> {
        let bytes =
            self.encode().map_err(|why| Error::Run(format!("cannot write the agents {}: {why}", path.display())))?;
        durable::replace(path, &bytes)
    }

    fn encode(&self) -> std::result::Result<Vec<u8>, String> {
        let header = Header {
            format: 1,
            layers: &self.shape.layers,
            activation: Activation::Selu.name(),
            growth: self.growth,
            alpha: self.alpha,
        };
        let record = serde_json::to_string(&header).map_err(|error| error.to_string())?;
        let mut tensors = Vec::new();
        for (pair, sizes) in self.shape.layers.windows(2).enumerate() {
            let all = || 0..self.len();
            let synapses = all().flat_map(|agent| self.synapses(agent, pair)).flat_map(|count| count.to_le_bytes());
            let weights = all().flat_map(|agent| self.weights(agent, pair)).flat_map(|weight| weight.to_le_bytes());
            let biases = self.biases(pair).iter().flat_map(|bias| bias.to_le_bytes());
            let shape = vec![self.len(), sizes[0], sizes[1]];
            tensors.push((format!("N{}", pair + 1), Dtype::U32, shape.clone(), synapses.collect::<Vec<u8>>()));
            tensors.push((format!("W{}", pair + 1), Dtype::F32, shape, weights.collect()));
            tensors.push((format!("b{}", pair + 1), Dtype::F32, vec![sizes[1]], biases.collect()));
        }
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| error.to_string())?;
            Ok((name.as_str(), view))
        });
        let views = views.collect::<std::result::Result<Vec<_>, String>>()?;
        serialize(views, Some(HashMap::from([("agents".to_owned(), record)]))).map_err(|error| error.to_string())
    }

    /// Where a pair of layers lies among all neuron pairs.
    fn neuron_pairs(&self, pair: usize) -> Range<usize> {
        let length = |sizes: &[usize]| sizes[0] * sizes[1];
        let start = self.shape.layers.windows(2).take(pair).map(length).sum();
        start..start + length(&self.shape.layers[pair..pair + 2])
    }
}
