//! The network of mean weights over a batch, forward and backward.
//!
//! ```text
//! z_l = h_(l-1) W_l + b_l,   h_l = SELU(z_l) below the last layer
//! ```
//!
//! Neurons lie in lanes and examples in rows: then all products of both directions are of one form, and nothing is summed
//! across lanes. Sums start at the bias and add inputs in their order, so outputs have the bits of [`crate::policy::Mlp`].

use super::assembly::Weights;
use super::gradient::Gradient;
use super::shape::Shape;
use crate::cpu::matrix::{Left, Product, Start, transpose};
use crate::cpu::{Aligned, Rows, RowsMut, Vector, padded};
use crate::num::{SELU, selu};

/// Workspace for a batch of at most so many examples.
#[derive(Debug, Clone)]
pub struct Batch {
    sizes: Vec<usize>,
    /// h of every layer, `[example][lane]`; of the last one z.
    activities: Vec<Aligned>,
    /// dLoss / dz of the layer that backward is at, and of the one before, `[example][lane]`.
    deltas: [Aligned; 2],
    /// W of one pair of layers turned to `[post][pre lane]`.
    turned: Aligned,
}

impl Batch {
    /// For networks of a shape.
    pub fn new(shape: &Shape, examples: usize) -> Self {
        let rows = |n: usize| Aligned::new(examples * padded(n));
        let widest = shape.layers[1..].iter().copied().max().unwrap_or(0);
        let largest = shape.layers.windows(2).map(|pair| pair[1] * padded(pair[0])).max().unwrap_or(0);
        Self {
            sizes: shape.layers.clone(),
            activities: shape.layers.iter().map(|&n| rows(n)).collect(),
            deltas: [rows(widest), rows(widest)],
            turned: Aligned::new(largest),
        }
    }

    /// What the network sees in an example.
    pub fn input_mut(&mut self, example: usize) -> &mut [f32] {
        let inputs = self.sizes[0];
        &mut self.activities[0][example * padded(inputs)..][..inputs]
    }

    /// What the network answers to an example.
    pub fn output(&self, example: usize) -> &[f32] {
        let last = self.sizes.len() - 1;
        &self.activities[last][example * padded(self.sizes[last])..][..self.sizes[last]]
    }

    /// dLoss / doutput of an example, for [`Batch::backward`].
    pub fn cotangent_mut(&mut self, example: usize) -> &mut [f32] {
        let outputs = self.sizes[self.sizes.len() - 1];
        &mut self.deltas[0][example * padded(outputs)..][..outputs]
    }

    /// Outputs of the first `examples` inputs.
    #[inline(always)]
    pub fn forward<V: Vector>(&mut self, weights: &Weights, examples: usize) {
        let last = self.sizes.len() - 1;
        for l in 0..last {
            let (before, behind) = self.activities.split_at_mut(l + 1);
            let (inputs, outputs) = (self.sizes[l], self.sizes[l + 1]);
            let sums = Product {
                rows: examples,
                inner: inputs,
                lanes: outputs,
                left: Left::Rows(&before[l], padded(inputs)),
                right: Rows(&weights.matrices[l], outputs),
                start: Start::Row(&weights.biases[l]),
            };
            sums.write::<V>(RowsMut(&mut behind[0], padded(outputs)));
            if l + 1 < last {
                behind[0][..examples * padded(outputs)].iter_mut().for_each(|x| *x = selu(*x));
            }
        }
    }

    /// From the cotangents of the first `examples` outputs to the gradient of weights and biases; after
    /// [`Batch::forward`] with the same weights.
    #[inline(always)]
    pub fn backward<V: Vector>(&mut self, weights: &Weights, examples: usize, gradient: &mut Gradient) {
        for l in (0..self.sizes.len() - 1).rev() {
            let [pre, post] = [self.sizes[l], self.sizes[l + 1]];
            let [deltas, next] = &mut self.deltas;
            let biases = &mut gradient.biases[l][..padded(post)];
            biases.fill(0.0);
            for deltas in deltas[..examples * padded(post)].chunks_exact(padded(post)) {
                biases.iter_mut().zip(deltas).for_each(|(sum, delta)| *sum += delta);
            }
            // [narrow][wide lane], as the assembly has its matrices.
            let [(narrow, rows), (wide, lanes)] = match pre <= post {
                true => [(&self.activities[l], pre), (&*deltas, post)],
                false => [(&*deltas, post), (&self.activities[l], pre)],
            };
            let sums = Product {
                rows,
                inner: examples,
                lanes,
                left: Left::Columns(narrow, padded(rows)),
                right: Rows(wide, padded(lanes)),
                start: Start::Zero,
            };
            sums.write::<V>(RowsMut(&mut gradient.weights[l], padded(lanes)));
            if l == 0 {
                return;
            }
            transpose(Rows(&weights.matrices[l], post), pre, post, RowsMut(&mut self.turned, padded(pre)));
            let sums = Product {
                rows: examples,
                inner: post,
                lanes: pre,
                left: Left::Rows(deltas, padded(post)),
                right: Rows(&self.turned, padded(pre)),
                start: Start::Zero,
            };
            sums.write::<V>(RowsMut(next, padded(pre)));
            for (delta, h) in next[..examples * padded(pre)].iter_mut().zip(self.activities[l].iter()) {
                // The derivative of SELU, from its value.
                *delta *= if *h > 0.0 { SELU[0] } else { h + SELU[1] };
            }
            self.deltas.swap(0, 1);
        }
    }

    /// Mean over the first `examples` of smooth L1 (beta = 1) of the outputs for their actions against their targets, and
    /// its cotangents: of d = output - target d^2 / 2 where |d| < 1, else |d| - 1/2.
    #[inline(always)]
    pub fn smooth_l1(&mut self, actions: &[usize], targets: &[f32]) -> f32 {
        let share = 1.0 / targets.len() as f32;
        let mut sum = 0.0;
        for (example, (&action, target)) in actions.iter().zip(targets).enumerate() {
            let difference = self.output(example)[action] - target;
            let size = difference.abs();
            let (loss, slope) = match size < 1.0 {
                true => (0.5 * difference * difference, difference),
                false => (size - 0.5, difference.signum()),
            };
            sum += loss;
            let cotangent = self.cotangent_mut(example);
            cotangent.fill(0.0);
            cotangent[action] = slope * share;
        }
        sum * share
    }
}
