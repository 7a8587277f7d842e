//! From raw parameters to mean weights: expression, rules, conductances, and for each pair of layers N, G and W.
//!
//! ```text
//! E = X^2,   P = map(O),   Q = softmax(T),   R = softmax(R),   C = polarity * sigmoid(K)
//! N = E_pre P E_post^T (7),   G = Q_pre C R_post^T (10),   W = N * G (11)
//! ```
//!
//! Of the two layers of a pair the wider one lies in lanes, whichever comes first: matrices are `[narrow][wide]` here and
//! become `[pre][post]` at the end. So `E P` is only needed of the narrow layer, which saves most of the products: for
//! 8-128-4 neurons and 64 genes 5 of 7 multiply-adds. The order of every sum follows from the shape alone.

use super::profile::RuleMap;
use super::shape::{Layout, Shape};
use crate::cpu::matrix::{Left, Product, Start, transpose};
use crate::cpu::{Aligned, InstructionSet, Kernel, LANES, Rows, RowsMut, Vector, padded};
use crate::num::{exp, sigmoid};
use crate::policy::{Activation, Mlp};

/// A gene below this is not expressed at all, 2^-32. Its E of less than 1e-19 is lost in every sum of single precision, and
/// its rules' slopes beside the epsilon of Adam; but training lets many genes fade (the slope of X^2 fades with X), and their
/// products would reach the subnormal numbers, with which processors take a hundred times as long.
const FAINTEST: f32 = f32::from_bits((127 - 32) << 23);

/// 1 / tau, what raw rules are multiplied by.
pub(super) const STEEPNESS: f32 = 10.0;

/// Workspace of one thread: assembles one profile after another, without allocating.
#[derive(Debug, Clone)]
pub struct Assembly {
    pub(super) shape: Shape,
    pub(super) layout: Layout,
    pub(super) map: RuleMap,
    pub(super) layers: Vec<Layer>,
    pub(super) connections: Vec<Connection>,
    /// P, `[gene before][gene behind]`.
    pub(super) rules: Aligned,
    /// Its transpose.
    pub(super) rules_turned: Aligned,
    /// C of each receptor with the one neurotransmitter that it takes, receptor / 2.
    pub(super) conductances: Vec<f32>,
    weights: Weights,
}

/// What a layer's neurons express. Matrices are followed by [`LANES`] numbers that registers may reach into.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// E, `[neuron][gene]`.
    pub(super) expression: Aligned,
    /// Its transpose, `[gene][lane]`; nothing where the layer is nowhere the wider one.
    by_gene: Aligned,
    /// Q, `[neurotransmitter][lane]`; nothing for the last layer.
    pub(super) neurotransmitters: Aligned,
    /// Q C, `[receptor][lane]`; nothing for the last layer.
    pub(super) effects: Aligned,
    /// R, `[receptor][lane]`; nothing for the first layer.
    pub(super) receptors: Aligned,
}

/// A pair of layers.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    /// Whether the narrow layer is the one before.
    pub(super) is_pre_narrow: bool,
    /// Numbers of the layers.
    pub(super) narrow: usize,
    pub(super) wide: usize,
    /// E P of the narrow layer if it is the one before, else E P^T, `[narrow neuron][gene lane]`.
    pub(super) reach: Aligned,
    /// N and G, `[narrow][wide lane]`.
    pub(super) narrow_numbers: Aligned,
    pub(super) narrow_conductances: Aligned,
    narrow_weights: Aligned,
    /// N and G, `[pre][post]`.
    numbers: Vec<f32>,
    conductances: Vec<f32>,
}

/// Weights and biases of a network, in the order of its layers.
#[derive(Debug, Clone)]
pub struct Weights {
    pub(super) shape: Shape,
    /// `[pre][post]` each, and then room for a register.
    pub(super) matrices: Vec<Aligned>,
    /// `[lane]`.
    pub(super) biases: Vec<Aligned>,
}

impl Weights {
    fn new(shape: &Shape) -> Self {
        Self {
            shape: shape.clone(),
            matrices: shape.layers.windows(2).map(|pair| Aligned::new(pair[0] * pair[1] + LANES)).collect(),
            biases: shape.layers[1..].iter().map(|&n| Aligned::new(padded(n))).collect(),
        }
    }

    /// Those of another network of this shape.
    pub fn copy_from(&mut self, other: &Self) {
        let mine = self.matrices.iter_mut().chain(&mut self.biases);
        mine.zip(other.matrices.iter().chain(&other.biases)).for_each(|(to, from)| to.copy_from_slice(from));
    }

    /// The network as a policy.
    pub fn mlp(&self) -> Mlp {
        let mut mlp = Mlp::new(&self.shape.layers, Activation::Selu);
        let mut rest = mlp.parameters_mut();
        for (pair, (matrix, biases)) in self.shape.layers.windows(2).zip(self.matrices.iter().zip(&self.biases)) {
            for (from, length) in [(matrix, pair[0] * pair[1]), (biases, pair[1])] {
                let (to, behind) = rest.split_at_mut(length);
                to.copy_from_slice(&from[..length]);
                rest = behind;
            }
        }
        mlp
    }
}

impl Assembly {
    /// For profiles of a shape and a map of rules.
    ///
    /// # Panics
    /// When the shape is not usable, or the map has not an entry for every pair of genes.
    pub fn new(shape: &Shape, map: &RuleMap) -> Self {
        shape.assert_usable();
        if let RuleMap::TwoSigmoids { coexpressed } = map {
            assert_eq!(coexpressed.len(), shape.genes * shape.genes, "pairs of genes that are co-expressed or not");
        }
        let (genes, receptors) = (shape.genes, shape.receptors());
        let connections: Vec<_> = (0..shape.connections()).map(|l| Connection::new(shape, l)).collect();
        let square = Aligned::new(genes * genes + LANES);
        let last = shape.connections();
        let layers = shape.layers.iter().enumerate().map(|(l, &n)| {
            let lanes = |rows: usize, is_there: bool| Aligned::new(if is_there { rows * padded(n) } else { 0 });
            Layer {
                expression: Aligned::new(n * genes + LANES),
                by_gene: lanes(genes, connections.iter().any(|connection| connection.wide == l)),
                neurotransmitters: lanes(shape.neurotransmitters, l < last),
                effects: lanes(receptors, l < last),
                receptors: lanes(receptors, l > 0),
            }
        });
        Self {
            layers: layers.collect(),
            connections,
            rules: square.clone(),
            rules_turned: square,
            conductances: vec![0.0; receptors],
            weights: Weights::new(shape),
            layout: Layout::new(shape),
            map: map.clone(),
            shape: shape.clone(),
        }
    }

    /// All matrices of a profile, on the best instruction set of this machine; see [`Assembly::assemble_with`].
    pub fn assemble(&mut self, parameters: &[f32]) {
        InstructionSet::best().run(Assemble { assembly: self, parameters });
    }

    /// All matrices of a profile from its raw parameters.
    ///
    /// # Panics
    /// When there are not as many as the shape has.
    #[inline(always)]
    pub fn assemble_with<V: Vector>(&mut self, parameters: &[f32]) {
        V::apart(Assemble { assembly: self, parameters });
    }

    /// The shape of its profiles.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// E of a layer, `[neuron][gene]`.
    pub fn expression(&self, layer: usize) -> &[f32] {
        &self.layers[layer].expression[..self.shape.layers[layer] * self.shape.genes]
    }

    /// P, `[gene before][gene behind]`.
    pub fn rules(&self) -> &[f32] {
        &self.rules[..self.shape.genes * self.shape.genes]
    }

    /// C of each receptor with the only neurotransmitter that it takes, that of number receptor / 2 (equation 14).
    pub fn receptor_conductances(&self) -> &[f32] {
        &self.conductances
    }

    /// N of a pair of layers, `[pre][post]`; the first pair is 0.
    pub fn numbers(&self, pair: usize) -> &[f32] {
        &self.connections[pair].numbers
    }

    /// G of a pair of layers, `[pre][post]`.
    pub fn conductances(&self, pair: usize) -> &[f32] {
        &self.connections[pair].conductances
    }

    /// W of a pair of layers, `[pre][post]`.
    pub fn weights_of(&self, pair: usize) -> &[f32] {
        &self.weights.matrices[pair][..self.connections[pair].numbers.len()]
    }

    /// All W, and the biases.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The network of all W and biases.
    pub fn mean_agent(&self) -> Mlp {
        self.weights.mlp()
    }

    #[inline(always)]
    fn run<V: Vector>(&mut self, parameters: &[f32]) {
        assert_eq!(parameters.len(), self.layout.parameters(), "raw parameters");
        self.map_rules(&parameters[self.layout.rules.clone()]);
        let (v, receptors) = (self.shape.neurotransmitters, self.shape.receptors());
        let raw = &parameters[self.layout.conductances.clone()];
        for (receptor, c) in self.conductances.iter_mut().enumerate() {
            let strength = sigmoid(raw[receptor / 2 * receptors + receptor]);
            *c = if receptor % 2 == 0 { strength } else { -strength };
        }
        for l in 0..self.layers.len() {
            let Layer { expression, by_gene, neurotransmitters, effects, receptors: taken } = &mut self.layers[l];
            let (neurons, lanes) = (self.shape.layers[l], padded(self.shape.layers[l]));
            let raw = &parameters[self.layout.expression[l].clone()];
            for (e, x) in expression.iter_mut().zip(raw) {
                *e = if x.abs() < FAINTEST { 0.0 } else { x * x };
            }
            if !by_gene.is_empty() {
                let genes = self.shape.genes;
                transpose(Rows(expression, genes), neurons, genes, RowsMut(by_gene, lanes));
            }
            if !neurotransmitters.is_empty() {
                softmax(&parameters[self.layout.neurotransmitters[l].clone()], v, neurotransmitters, lanes);
                for (receptor, effects) in effects.chunks_exact_mut(lanes).enumerate() {
                    let (shares, c) =
                        (&neurotransmitters[receptor / 2 * lanes..][..lanes], self.conductances[receptor]);
                    effects.iter_mut().zip(shares).for_each(|(effect, share)| *effect = share * c);
                }
            }
            if !taken.is_empty() {
                softmax(&parameters[self.layout.receptors[l - 1].clone()], receptors, taken, lanes);
                self.weights.biases[l - 1][..neurons].copy_from_slice(&parameters[self.layout.biases[l - 1].clone()]);
            }
        }
        for l in 0..self.connections.len() {
            self.connect::<V>(l);
        }
    }

    /// P and its transpose.
    #[inline(always)]
    fn map_rules(&mut self, raw: &[f32]) {
        let genes = self.shape.genes;
        match &self.map {
            RuleMap::Sigmoid => {
                for (p, o) in self.rules.iter_mut().zip(raw) {
                    *p = sigmoid(o * STEEPNESS);
                }
            }
            RuleMap::TwoSigmoids { coexpressed } => {
                let shift = 3.0 / genes as f32;
                for ((p, o), &is_coexpressed) in self.rules.iter_mut().zip(raw).zip(coexpressed) {
                    let (shift, least) = if is_coexpressed { (shift, 0.5) } else { (-shift, 0.0) };
                    *p = sigmoid((o + shift) * STEEPNESS).mul_add(0.5, least);
                }
            }
        }
        transpose(Rows(&self.rules, genes), genes, genes, RowsMut(&mut self.rules_turned, genes));
    }

    /// N, G and W of a pair of layers.
    #[inline(always)]
    fn connect<V: Vector>(&mut self, pair: usize) {
        let connection = &mut self.connections[pair];
        let (narrow, wide) = (&self.layers[connection.narrow], &self.layers[connection.wide]);
        let [rows, lanes] = [connection.narrow, connection.wide].map(|layer| self.shape.layers[layer]);
        let (genes, receptors) = (self.shape.genes, self.shape.receptors());
        let rules = if connection.is_pre_narrow { &self.rules } else { &self.rules_turned };
        let reach = Product {
            rows,
            inner: genes,
            lanes: genes,
            left: Left::Rows(&narrow.expression, genes),
            right: Rows(rules, genes),
            start: Start::Zero,
        };
        reach.write::<V>(RowsMut(&mut connection.reach, padded(genes)));
        let numbers = Product {
            rows,
            inner: genes,
            lanes,
            left: Left::Rows(&connection.reach, padded(genes)),
            right: Rows(&wide.by_gene, padded(lanes)),
            start: Start::Zero,
        };
        numbers.write::<V>(RowsMut(&mut connection.narrow_numbers, padded(lanes)));
        let (of_narrow, of_wide) = match connection.is_pre_narrow {
            true => (&narrow.effects, &wide.receptors),
            false => (&narrow.receptors, &wide.effects),
        };
        let conductances = Product {
            rows,
            inner: receptors,
            lanes,
            left: Left::Columns(of_narrow, padded(rows)),
            right: Rows(of_wide, padded(lanes)),
            start: Start::Zero,
        };
        conductances.write::<V>(RowsMut(&mut connection.narrow_conductances, padded(lanes)));
        let factors = connection.narrow_numbers.iter().zip(connection.narrow_conductances.iter());
        for (w, (n, g)) in connection.narrow_weights.iter_mut().zip(factors) {
            *w = n * g;
        }
        let is_pre_narrow = connection.is_pre_narrow;
        turn(is_pre_narrow, &connection.narrow_weights, rows, lanes, &mut self.weights.matrices[pair]);
        turn(is_pre_narrow, &connection.narrow_numbers, rows, lanes, &mut connection.numbers);
        turn(is_pre_narrow, &connection.narrow_conductances, rows, lanes, &mut connection.conductances);
    }
}

impl Connection {
    fn new(shape: &Shape, pair: usize) -> Self {
        let [pre, post] = [pair, pair + 1].map(|layer| shape.layers[layer]);
        let is_pre_narrow = pre <= post;
        let (narrow, wide) = if is_pre_narrow { (pair, pair + 1) } else { (pair + 1, pair) };
        let lanes = Aligned::new(shape.layers[narrow] * padded(shape.layers[wide]));
        Self {
            is_pre_narrow,
            narrow,
            wide,
            reach: Aligned::new(shape.layers[narrow] * padded(shape.genes)),
            narrow_numbers: lanes.clone(),
            narrow_conductances: lanes.clone(),
            narrow_weights: lanes,
            numbers: vec![0.0; pre * post],
            conductances: vec![0.0; pre * post],
        }
    }
}

/// `[narrow][wide lane]` into `[pre][post]`.
#[inline(always)]
fn turn(is_pre_narrow: bool, from: &[f32], narrow: usize, wide: usize, to: &mut [f32]) {
    if is_pre_narrow {
        for (from, to) in from.chunks_exact(padded(wide)).zip(to.chunks_exact_mut(wide)) {
            to.copy_from_slice(&from[..wide]);
        }
    } else {
        transpose(Rows(from, padded(wide)), narrow, wide, RowsMut(to, narrow));
    }
}

struct Assemble<'a> {
    assembly: &'a mut Assembly,
    parameters: &'a [f32],
}

impl Kernel for Assemble<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.assembly.run::<V>(self.parameters);
    }
}

/// Softmax of each row of `raw`, `[neuron][kind]`, into `[kind][lane]`.
#[inline(always)]
fn softmax(raw: &[f32], kinds: usize, shares: &mut [f32], lanes: usize) {
    transpose(Rows(raw, kinds), raw.len() / kinds, kinds, RowsMut(shares, lanes));
    for lane in (0..lanes).step_by(LANES) {
        let mut highest = [f32::NEG_INFINITY; LANES];
        for shares in shares.chunks_exact(lanes) {
            for (highest, x) in highest.iter_mut().zip(&shares[lane..lane + LANES]) {
                *highest = if *x > *highest { *x } else { *highest };
            }
        }
        let mut sums = [0.0; LANES];
        for shares in shares.chunks_exact_mut(lanes) {
            for ((x, highest), sum) in shares[lane..lane + LANES].iter_mut().zip(&highest).zip(&mut sums) {
                *x = exp(*x - highest);
                *sum += *x;
            }
        }
        for shares in shares.chunks_exact_mut(lanes) {
            shares[lane..lane + LANES].iter_mut().zip(&sums).for_each(|(x, sum)| *x /= sum);
        }
    }
}
