//! From the gradient of weights and biases to that of all raw parameters, by the chain rule through the assembly.
//!
//! ```text
//! dN = dW * G,   dG = dW * N
//! dE_pre += dN E_post P^T,   dE_post += dN^T E_pre P,   dP += E_pre^T dN E_post
//! dQ = dG R C^T,   dR = dG^T Q C,   dC += Q^T dG R
//! dX = 2 X * dE,   dO = dP * dP/dO,   dK = dC * polarity * sigmoid'(K),   softmax: dT = Q * (dQ - rowsum(dQ * Q))
//! ```
//!
//! As there, the wider layer of a pair lies in lanes, and what the narrow one has been multiplied with is used again.

use super::assembly::{Assembly, STEEPNESS};
use super::profile::RuleMap;
use super::shape::Shape;
use crate::cpu::matrix::{Left, Product, Start, dot, transpose};
use crate::cpu::{Aligned, Kernel, LANES, Rows, RowsMut, Vector, padded};

/// A raw gene that has faded to this, 2^-100, stays where it is: its slope would soon be no normal number.
const LOST: f32 = f32::from_bits((127 - 100) << 23);

/// Workspace of one thread. [`crate::synaptogen::network::Batch::backward`] fills in what the rest follows from.
#[derive(Debug, Clone)]
pub struct Gradient {
    /// dW, `[narrow][wide lane]`, of each pair of layers.
    pub(super) weights: Vec<Aligned>,
    /// db, `[lane]`, of each layer but the first.
    pub(super) biases: Vec<Aligned>,
    layers: Vec<Layer>,
    /// dP, `[gene before][gene behind]`.
    rules: Aligned,
    /// dC by receptor.
    conductances: Vec<f32>,
    /// dN and dG of one pair, `[narrow][wide lane]`.
    numbers: Aligned,
    narrow_conductances: Aligned,
    /// dN times E of the wide layer, `[narrow][gene lane]`.
    seen: Aligned,
    /// Q C or R of the wide layer, `[neuron][receptor lane]`, and the gradient of the narrow one's.
    by_neuron: [Aligned; 2],
}

/// Of a layer's matrices, laid out as the assembly's.
#[derive(Debug, Clone)]
struct Layer {
    expression: Aligned,
    neurotransmitters: Aligned,
    effects: Aligned,
    receptors: Aligned,
}

impl Gradient {
    /// For profiles of a shape.
    pub fn new(shape: &Shape) -> Self {
        let pairs = || shape.layers.windows(2).map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1])));
        let matrices = || pairs().map(|(narrow, wide)| Aligned::new(narrow * padded(wide)));
        let largest = Aligned::new(matrices().map(|matrix| matrix.len()).max().unwrap_or(0));
        let narrowest = pairs().map(|(narrow, _)| narrow).max().unwrap_or(0);
        let widest = pairs().map(|(_, wide)| wide).max().unwrap_or(0);
        let (genes, receptors) = (shape.genes, shape.receptors());
        let layer = |&n: &usize| Layer {
            expression: Aligned::new(n * genes + LANES),
            neurotransmitters: Aligned::new(shape.neurotransmitters * padded(n)),
            effects: Aligned::new(receptors * padded(n)),
            receptors: Aligned::new(receptors * padded(n)),
        };
        Self {
            weights: matrices().collect(),
            biases: shape.layers[1..].iter().map(|&n| Aligned::new(padded(n))).collect(),
            layers: shape.layers.iter().map(layer).collect(),
            rules: Aligned::new(genes * genes + LANES),
            conductances: vec![0.0; receptors],
            numbers: largest.clone(),
            narrow_conductances: largest,
            seen: Aligned::new(narrowest * padded(genes)),
            by_neuron: [widest, narrowest].map(|n| Aligned::new(n * padded(receptors))),
        }
    }

    /// The gradient of raw parameters, `out`, from that of weights and biases; `assembly` has assembled `parameters`.
    ///
    /// # Panics
    /// When the shapes differ, or the vectors are not as long as theirs.
    #[inline(always)]
    pub fn finish<V: Vector>(&mut self, assembly: &Assembly, parameters: &[f32], out: &mut [f32]) {
        V::apart(Finish { gradient: self, assembly, parameters, out });
    }

    #[inline(always)]
    fn run<V: Vector>(&mut self, assembly: &Assembly, parameters: &[f32], out: &mut [f32]) {
        let Assembly { shape, layout, .. } = assembly;
        assert!(parameters.len() == layout.parameters() && out.len() == parameters.len(), "raw parameters");
        self.layers.iter_mut().for_each(|layer| layer.expression.fill(0.0));
        self.rules.fill(0.0);
        self.conductances.fill(0.0);
        for pair in 0..shape.connections() {
            self.numbers::<V>(assembly, pair);
            self.conductances::<V>(assembly, pair);
        }
        for (l, &neurons) in shape.layers.iter().enumerate() {
            let range = layout.expression[l].clone();
            let (raw, expression) = (&parameters[range.clone()], &self.layers[l].expression);
            for ((out, x), e) in out[range].iter_mut().zip(raw).zip(expression.iter()) {
                *out = if x.abs() < LOST { 0.0 } else { 2.0 * x * e };
            }
            if let Some(range) = layout.neurotransmitters.get(l) {
                self.effects(assembly, l);
                let (shares, slopes) = (&assembly.layers[l].neurotransmitters, &mut self.layers[l].neurotransmitters);
                softmax_backward(shares, slopes, padded(neurons));
                let kinds = shape.neurotransmitters;
                transpose(Rows(slopes, padded(neurons)), kinds, neurons, RowsMut(&mut out[range.clone()], kinds));
            }
            if l > 0 {
                let (shares, slopes) = (&assembly.layers[l].receptors, &mut self.layers[l].receptors);
                softmax_backward(shares, slopes, padded(neurons));
                let (kinds, range) = (shape.receptors(), layout.receptors[l - 1].clone());
                transpose(Rows(slopes, padded(neurons)), kinds, neurons, RowsMut(&mut out[range], kinds));
                out[layout.biases[l - 1].clone()].copy_from_slice(&self.biases[l - 1][..neurons]);
            }
        }
        self.rules(assembly, &mut out[layout.rules.clone()]);
        let out = &mut out[layout.conductances.clone()];
        out.fill(0.0);
        for (receptor, (c, slope)) in assembly.conductances.iter().zip(&self.conductances).enumerate() {
            let strength = c.abs();
            out[receptor / 2 * shape.receptors() + receptor] = slope * (c * (1.0 - strength));
        }
    }

    /// What dN brings to expression and rules.
    #[inline(always)]
    fn numbers<V: Vector>(&mut self, assembly: &Assembly, pair: usize) {
        let connection = &assembly.connections[pair];
        let [rows, lanes] = [connection.narrow, connection.wide].map(|layer| assembly.shape.layers[layer]);
        let genes = assembly.shape.genes;
        let (narrow, wide) = (&assembly.layers[connection.narrow], &assembly.layers[connection.wide]);
        times(&self.weights[pair], &connection.narrow_conductances, &mut self.numbers);
        let seen = Product {
            rows,
            inner: lanes,
            lanes: genes,
            left: Left::Rows(&self.numbers, padded(lanes)),
            right: Rows(&wide.expression, genes),
            start: Start::Zero,
        };
        seen.write::<V>(RowsMut(&mut self.seen, padded(genes)));
        let rules = if connection.is_pre_narrow { &assembly.rules_turned } else { &assembly.rules };
        let of_narrow = Product {
            rows,
            inner: genes,
            lanes: genes,
            left: Left::Rows(&self.seen, padded(genes)),
            right: Rows(rules, genes),
            start: Start::There,
        };
        of_narrow.write::<V>(RowsMut(&mut self.layers[connection.narrow].expression, genes));
        let of_wide = Product {
            rows: lanes,
            inner: rows,
            lanes: genes,
            left: Left::Columns(&self.numbers, padded(lanes)),
            right: Rows(&connection.reach, padded(genes)),
            start: Start::There,
        };
        of_wide.write::<V>(RowsMut(&mut self.layers[connection.wide].expression, genes));
        let (seen, expressed) = ((&self.seen, padded(genes)), (&narrow.expression, genes));
        let [before, behind] = if connection.is_pre_narrow { [expressed, seen] } else { [seen, expressed] };
        let of_rules = Product {
            rows: genes,
            inner: rows,
            lanes: genes,
            left: Left::Columns(before.0, before.1),
            right: Rows(behind.0, behind.1),
            start: Start::There,
        };
        of_rules.write::<V>(RowsMut(&mut self.rules, genes));
    }

    /// What dG brings to Q C and R.
    #[inline(always)]
    fn conductances<V: Vector>(&mut self, assembly: &Assembly, pair: usize) {
        let connection = &assembly.connections[pair];
        let [rows, lanes] = [connection.narrow, connection.wide].map(|layer| assembly.shape.layers[layer]);
        let receptors = assembly.shape.receptors();
        times(&self.weights[pair], &connection.narrow_numbers, &mut self.narrow_conductances);
        let (narrow, wide) = (&assembly.layers[connection.narrow], &assembly.layers[connection.wide]);
        let (of_narrow, of_wide) = match connection.is_pre_narrow {
            true => (&narrow.effects, &wide.receptors),
            false => (&narrow.receptors, &wide.effects),
        };
        let wide_slopes = Product {
            rows: receptors,
            inner: rows,
            lanes,
            left: Left::Rows(of_narrow, padded(rows)),
            right: Rows(&self.narrow_conductances, padded(lanes)),
            start: Start::Zero,
        };
        let layer = &mut self.layers[connection.wide];
        let out = if connection.is_pre_narrow { &mut layer.receptors } else { &mut layer.effects };
        wide_slopes.write::<V>(RowsMut(out, padded(lanes)));
        let [factor, slopes] = &mut self.by_neuron;
        transpose(Rows(of_wide, padded(lanes)), receptors, lanes, RowsMut(factor, padded(receptors)));
        let narrow_slopes = Product {
            rows,
            inner: lanes,
            lanes: receptors,
            left: Left::Rows(&self.narrow_conductances, padded(lanes)),
            right: Rows(factor, padded(receptors)),
            start: Start::Zero,
        };
        narrow_slopes.write::<V>(RowsMut(slopes, padded(receptors)));
        let layer = &mut self.layers[connection.narrow];
        let out = if connection.is_pre_narrow { &mut layer.effects } else { &mut layer.receptors };
        transpose(Rows(slopes, padded(receptors)), rows, receptors, RowsMut(out, padded(rows)));
    }

    /// From d(Q C) of a layer to dQ, and its part of dC.
    #[inline(always)]
    fn effects(&mut self, assembly: &Assembly, l: usize) {
        let (neurons, lanes) = (assembly.shape.layers[l], padded(assembly.shape.layers[l]));
        let Layer { neurotransmitters, effects, .. } = &mut self.layers[l];
        for (kind, slopes) in neurotransmitters.chunks_exact_mut(lanes).enumerate() {
            let [excite, inhibit] = [2 * kind, 2 * kind + 1].map(|receptor| &effects[receptor * lanes..][..lanes]);
            let [positive, negative] = [assembly.conductances[2 * kind], assembly.conductances[2 * kind + 1]];
            for ((slope, excite), inhibit) in slopes.iter_mut().zip(excite).zip(inhibit) {
                *slope = excite.mul_add(positive, inhibit * negative);
            }
            let shares = &assembly.layers[l].neurotransmitters[kind * lanes..][..neurons];
            self.conductances[2 * kind] += dot(shares, excite);
            self.conductances[2 * kind + 1] += dot(shares, inhibit);
        }
    }

    /// From dP to dO.
    #[inline(always)]
    fn rules(&self, assembly: &Assembly, out: &mut [f32]) {
        let each = out.iter_mut().zip(self.rules.iter()).zip(assembly.rules.iter());
        match &assembly.map {
            RuleMap::Sigmoid => {
                for ((out, slope), p) in each {
                    *out = slope * (p * (1.0 - p) * STEEPNESS);
                }
            }
            RuleMap::TwoSigmoids { coexpressed } => {
                for (((out, slope), p), &is_coexpressed) in each.zip(coexpressed) {
                    // The sigmoid within.
                    let s = 2.0 * p - if is_coexpressed { 1.0 } else { 0.0 };
                    *out = slope * (s * (1.0 - s) * (0.5 * STEEPNESS));
                }
            }
        }
    }
}

struct Finish<'a> {
    gradient: &'a mut Gradient,
    assembly: &'a Assembly,
    parameters: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.gradient.run::<V>(self.assembly, self.parameters, self.out);
    }
}

/// Elementwise product.
#[inline(always)]
fn times(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a * b;
    }
}

/// From the slopes of shares to those of what the softmax was taken of, in place; both `[kind][lane]`.
#[inline(always)]
fn softmax_backward(shares: &[f32], slopes: &mut [f32], lanes: usize) {
    for lane in (0..lanes).step_by(LANES) {
        let mut means = [0.0f32; LANES];
        for (shares, slopes) in shares.chunks_exact(lanes).zip(slopes.chunks_exact(lanes)) {
            let each = shares[lane..lane + LANES].iter().zip(&slopes[lane..lane + LANES]);
            for (mean, (share, slope)) in means.iter_mut().zip(each) {
                *mean = share.mul_add(*slope, *mean);
            }
        }
        for (shares, slopes) in shares.chunks_exact(lanes).zip(slopes.chunks_exact_mut(lanes)) {
            let each = shares[lane..lane + LANES].iter().zip(&mut slopes[lane..lane + LANES]);
            for (mean, (share, slope)) in means.iter().zip(each) {
                *slope = share * (*slope - mean);
            }
        }
    }
}
