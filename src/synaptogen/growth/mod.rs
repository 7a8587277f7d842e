//! Simulated synaptogenesis (Algorithm 1; equations 12 and 13): agents are grown from one profile by drawing the number of
//! synapses of every neuron pair.
//!
//! For pre neuron i, post neuron j and the gene pair (u, w), `n = rint(alpha e_iu e_jw)` synapses are tried and each succeeds
//! with probability `P_uw`; B sums the successes over gene pairs, and the agent's weight is `G B / alpha`. The draws of an
//! agent are a function of the seed and its number alone.
//!
//! [`direct`] draws every one of the binomial numbers, [`law`] draws each sum at once from its exact law. Both follow the same
//! law, from different random numbers.

pub mod binomial;
pub mod direct;
pub mod law;
mod thresholds;

use super::assembly::Assembly;
use crate::error::{Error, Result};

/// A pair of layers that synapses join, with what the profile says of it.
#[derive(Debug, Clone, Copy)]
pub struct LayerPair<'a> {
    /// Gene expression of the pre layer, E_{l-1}: `[neuron][gene]`.
    pub pre: &'a [f32],
    /// Gene expression of the post layer, E_l: `[neuron][gene]`.
    pub post: &'a [f32],
    /// Mean conductance of a synapse, G (equation 10): `[pre][post]`.
    pub conductance: &'a [f32],
}

/// What agents are grown from: a profile's layers and rules. Neuron pairs are numbered through all pairs of layers, each of
/// them `[pre][post]`.
#[derive(Debug, Clone)]
pub struct Connectome<'a> {
    /// Number of genes.
    pub genes: usize,
    /// P: `[pre gene][post gene]`, in [0, 1].
    pub rules: &'a [f32],
    /// From the first layer to the last.
    pub layers: Vec<LayerPair<'a>>,
    /// Trials per unit of expression: [`correction`].
    pub alpha: f32,
}

/// The correction factor alpha, which gives `neurons` an expected mean degree of `degree`: `degree neurons / (2 sum N)`. A
/// synapse adds two to the sum of degrees. `numbers` are the mean numbers of synapses N (equation 7) of every pair of layers.
///
/// Infinite where N is zero everywhere: such a profile grows nothing.
pub fn correction<'a>(numbers: impl IntoIterator<Item = &'a [f32]>, neurons: usize, degree: f32) -> f32 {
    // In double precision: an error of 1e-6 would move a thousand times as many roundings of trials as forming them in single
    // precision does.
    let mut total = 0.0;
    for &number in numbers.into_iter().flatten() {
        total += f64::from(number);
    }
    (f64::from(degree) * neurons as f64 / (2.0 * total)) as f32
}

/// Most trials of a draw.
pub const MOST_TRIALS: u32 = 1 << 31;

/// Number of trials of a gene pair with expressions `pre` and `post`: rounded half to even, at most [`MOST_TRIALS`]; 0 for NaN.
#[inline(always)]
pub fn trials(alpha: f32, pre: f32, post: f32) -> u32 {
    let rounded = (alpha * (pre * post)).round_ties_even();
    if rounded < MOST_TRIALS as f32 {
        rounded as u32
    } else if rounded.is_nan() {
        0
    } else {
        MOST_TRIALS
    }
}

impl<'a> Connectome<'a> {
    /// Of an assembled profile, for agents with an expected mean degree; see [`correction`].
    pub fn of(assembly: &'a Assembly, degree: f32) -> Self {
        let shape = assembly.shape();
        let pair = |l: usize| LayerPair {
            pre: assembly.expression(l),
            post: assembly.expression(l + 1),
            conductance: assembly.conductances(l),
        };
        Self {
            genes: shape.genes,
            rules: assembly.rules(),
            layers: (0..shape.connections()).map(pair).collect(),
            alpha: correction((0..shape.connections()).map(|l| assembly.numbers(l)), shape.neurons(), degree),
        }
    }

    /// Whether agents can be grown of it; `degree` is the one that was asked for.
    ///
    /// # Errors
    /// When the mean numbers of synapses are all zero, or too large to be added: nothing can be grown of them.
    pub fn check(&self, degree: f32) -> Result<()> {
        if self.alpha.is_normal() {
            return Ok(());
        }
        let sum = if self.alpha.is_infinite() { "to 0" } else { "to more than there can be" };
        Err(Error::Run(format!(
            "cannot grow agents: the profile's mean numbers of synapses add up {sum}, and no factor makes a mean degree of \
             {degree} of them; try: another profile"
        )))
    }

    /// Number of neuron pairs.
    pub fn pairs(&self) -> usize {
        self.layers.iter().map(|layer| layer.conductance.len()).sum()
    }

    /// Weights `G B / alpha` (equation 12) from numbers of synapses, `[agent][neuron pair]` both.
    pub fn weights(&self, synapses: &[u32]) -> Vec<f32> {
        let conductance: Vec<f32> = self.layers.iter().flat_map(|layer| layer.conductance).copied().collect();
        let mut weights = Vec::with_capacity(synapses.len());
        for agent in synapses.chunks(conductance.len()) {
            weights.extend(agent.iter().zip(&conductance).map(|(&count, g)| g * count as f32 / self.alpha));
        }
        weights
    }
}
