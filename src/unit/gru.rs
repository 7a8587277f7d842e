//! The gated memory that GRU, ENU and NFENU share:
//!
//! ```text
//! u  = [h, o, x]          (o only where outputs are fed back)
//! z  = s(u Wz)            r = s(u Wr)
//! c~ = tanh([r*h, o, x] Wc)
//! h' = h + z * (c~ - h)
//! ```
//!
//! Matrices in the order Wz, Wr, Wc.

use super::Instances;
use crate::cpu::{Vector, product};
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector>(units: &mut Instances, weights: &[f32], live: usize) {
    let (columns, lanes) = (units.shape.memory, units.lanes);
    let behind = units.gate_inputs(live);
    let Instances { memory, outputs_and_inputs, gates, .. } = units;
    let behind = &outputs_and_inputs[behind];
    let size = weights.len() / 3;
    let (update_weights, rest) = weights.split_at(size);
    let (reset_weights, candidate_weights) = rest.split_at(size);
    let (update, rest) = gates.split_at_mut(columns * lanes);
    let (reset, candidate) = rest.split_at_mut(columns * lanes);

    product::<V>(update_weights, columns, [memory, behind], lanes, update);
    product::<V>(reset_weights, columns, [memory, behind], lanes, reset);
    for (r, h) in reset.iter_mut().zip(memory.iter()) {
        *r = sigmoid(*r) * h;
    }
    product::<V>(candidate_weights, columns, [reset, behind], lanes, candidate);
    for ((h, z), c) in memory.iter_mut().zip(update.iter()).zip(candidate.iter()) {
        *h = sigmoid(*z).mul_add(tanh(*c) - *h, *h);
    }
}
