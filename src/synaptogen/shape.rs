//! The sizes of a profile, and where each of its parameters lies in the flat vector that optimisers work on.

use std::ops::Range;

/// Sizes of a profile and of the network it makes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Neurons of each layer, n_0 to n_L: inputs, hidden layers, outputs.
    pub layers: Vec<usize>,
    /// Genes, g.
    pub genes: usize,
    /// Neurotransmitters, v. Each has two receptors, one that excites and one that inhibits.
    pub neurotransmitters: usize,
}

impl Shape {
    /// A shape with the published three neurotransmitters.
    ///
    /// # Panics
    /// When there are less than two layers, or one is empty, or there are no genes.
    pub fn new(layers: &[usize], genes: usize) -> Self {
        let shape = Self { layers: layers.to_vec(), genes, neurotransmitters: 3 };
        shape.assert_usable();
        shape
    }

    /// What every part of the model relies on.
    pub(super) fn assert_usable(&self) {
        let Self { layers, genes, neurotransmitters } = self;
        assert!(layers.len() >= 2 && !layers.contains(&0), "layers of {layers:?} neurons");
        assert!(*genes > 0 && *neurotransmitters > 0, "{genes} genes and {neurotransmitters} neurotransmitters");
    }

    /// Receptors, r = 2 v.
    pub fn receptors(&self) -> usize {
        2 * self.neurotransmitters
    }

    /// Pairs of layers, L.
    pub fn connections(&self) -> usize {
        self.layers.len() - 1
    }

    /// Neurons of all layers, n.
    pub fn neurons(&self) -> usize {
        self.layers.iter().sum()
    }

    /// Length of the vector of raw parameters, d.
    pub fn parameters(&self) -> usize {
        Layout::new(self).parameters()
    }
}

/// Where the raw parameters lie in their vector: X_0.., T_0.., R_1.., b_1.., O, K, each row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// X_l, `[neuron][gene]`, of every layer.
    pub expression: Vec<Range<usize>>,
    /// T_l, `[neuron][neurotransmitter]`, of every layer but the last.
    pub neurotransmitters: Vec<Range<usize>>,
    /// R_l, `[neuron][receptor]`, of every layer but the first: that of layer l is number l - 1.
    pub receptors: Vec<Range<usize>>,
    /// b_l, `[neuron]`, of every layer but the first: that of layer l is number l - 1.
    pub biases: Vec<Range<usize>>,
    /// O, `[gene before][gene behind]`.
    pub rules: Range<usize>,
    /// K, `[neurotransmitter][receptor]`.
    pub conductances: Range<usize>,
}

impl Layout {
    /// Of a shape.
    pub fn new(shape: &Shape) -> Self {
        let (genes, receptors) = (shape.genes, shape.receptors());
        let (before, behind) = (&shape.layers[..shape.connections()], &shape.layers[1..]);
        let mut end = 0;
        let mut next = |length: usize| {
            let range = end..end + length;
            end = range.end;
            range
        };
        Self {
            expression: shape.layers.iter().map(|n| next(n * genes)).collect(),
            neurotransmitters: before.iter().map(|n| next(n * shape.neurotransmitters)).collect(),
            receptors: behind.iter().map(|n| next(n * receptors)).collect(),
            biases: behind.iter().map(|&n| next(n)).collect(),
            rules: next(genes * genes),
            conductances: next(shape.neurotransmitters * receptors),
        }
    }

    /// Length of the vector.
    pub fn parameters(&self) -> usize {
        self.conductances.end
    }
}
