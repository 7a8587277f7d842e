//! Long short-term memory (Hochreiter & Schmidhuber 1997, with forget gate):
//!
//! ```text
//! u  = [h, x]
//! i, f, y = s(u Wi), s(u Wf), s(u Wy)      g = tanh(u Wg)
//! c' = f*c + i*g                           h' = y * tanh(c')
//! ```
//!
//! Matrices in the order Wi, Wf, Wg, Wy.

use super::Instances;
use crate::cpu::{Vector, product};
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector>(units: &mut Instances, weights: &[f32], live: usize) {
    let (columns, lanes) = (units.shape.memory, units.lanes);
    let behind = units.gate_inputs(live);
    let Instances { memory, cell, outputs_and_inputs, gates, .. } = units;
    let behind = &outputs_and_inputs[behind];
    let size = weights.len() / 4;
    for (weights, gate) in weights.chunks_exact(size).zip(gates.chunks_exact_mut(columns * lanes)) {
        product::<V>(weights, columns, [memory, behind], lanes, gate);
    }
    let (input, rest) = gates.split_at(columns * lanes);
    let (forget, rest) = rest.split_at(columns * lanes);
    let (candidate, exposure) = rest.split_at(columns * lanes);
    let gates = input.iter().zip(forget).zip(candidate).zip(exposure);
    for ((h, c), (((i, f), g), y)) in memory.iter_mut().zip(cell.iter_mut()).zip(gates) {
        *c = sigmoid(*f).mul_add(*c, sigmoid(*i) * tanh(*g));
        *h = sigmoid(*y) * tanh(*c);
    }
}
