//! Profiles: the raw parameters that evolution and gradients change, and how they begin.

use super::assembly::Assembly;
use super::shape::{Layout, Shape};
use crate::policy::Mlp;
use crate::rng::{Row, Stream};

/// How raw rules O become the probabilities P of synapses; tau = 0.1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RuleMap {
    /// P = sigmoid(O / tau), in (0, 1).
    #[default]
    Sigmoid,
    /// Rules that are known keep their side of 1/2 (equation 23), with s = 1 / g the first standard deviation of O:
    /// P = 1/2 + 1/2 sigmoid((O + 3 s) / tau) for co-expressed pairs of genes, 1/2 sigmoid((O - 3 s) / tau) for the others.
    TwoSigmoids {
        /// Whether a pair is co-expressed, `[gene before][gene behind]`.
        coexpressed: Vec<bool>,
    },
}

/// Genes and rules of a network: its sizes, the map of its rules, and its raw parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Sizes.
    pub shape: Shape,
    /// From O to P.
    pub rules: RuleMap,
    /// In the order of [`Layout`].
    pub parameters: Vec<f32>,
}

impl Profile {
    /// The first parameters of a run: normal numbers with the standard deviations sqrt(2 / g) for X, sqrt(2 / v) for T,
    /// sqrt(2 / r) for R, sqrt(2 / (n_before + 1)) for b, 1 / g for O and 1 / sqrt(v r) for K.
    ///
    /// # Panics
    /// When the shape has less than two layers, or anything of it is 0.
    pub fn initial(shape: Shape, rules: RuleMap, seed: u64) -> Self {
        shape.assert_usable();
        let layout = Layout::new(&shape);
        let mut parameters = vec![0.0; layout.parameters()];
        Row { seed, stream: Stream::Initial, generation: 0, index: 0 }.normals(0, &mut parameters);
        let width = |n: usize| (2.0 / n as f32).sqrt();
        let receptors = shape.receptors();
        let fan_ins = shape.layers.iter().map(|n| width(n + 1));
        let deviations = (layout.expression.iter().map(|range| (range, width(shape.genes))))
            .chain(layout.neurotransmitters.iter().map(|range| (range, width(shape.neurotransmitters))))
            .chain(layout.receptors.iter().map(|range| (range, width(receptors))))
            .chain(layout.biases.iter().zip(fan_ins))
            .chain([(&layout.rules, 1.0 / shape.genes as f32)])
            .chain([(&layout.conductances, 1.0 / ((shape.neurotransmitters * receptors) as f32).sqrt())]);
        for (range, deviation) in deviations {
            parameters[range.clone()].iter_mut().for_each(|x| *x *= deviation);
        }
        Self { shape, rules, parameters }
    }

    /// All its matrices.
    pub fn assembled(&self) -> Assembly {
        let mut assembly = Assembly::new(&self.shape, &self.rules);
        assembly.assemble(&self.parameters);
        assembly
    }

    /// Biases of all layers but the first, in their order.
    pub fn biases(&self) -> Vec<f32> {
        let layout = Layout::new(&self.shape);
        layout.biases.into_iter().flat_map(|range| &self.parameters[range]).copied().collect()
    }

    /// The agent whose synapses all have their mean number and conductance (equation 11).
    pub fn mean_agent(&self) -> Mlp {
        self.assembled().mean_agent()
    }
}
