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

use super::{Shape, Start, Strip};
use crate::cpu::{Vector, product_strip};
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector, S: Start, const N: usize>(strip: Strip<'_>, weights: &[f32], shape: Shape) {
    let Strip { memory, behind, lanes, gates, .. } = strip;
    let (columns, width) = (shape.memory, N * V::WIDTH);
    let (update_weights, rest) = weights.split_at(weights.len() / 3);
    let (reset_weights, candidate_weights) = rest.split_at(weights.len() / 3);
    let (update, rest) = gates.split_at_mut(columns * width);
    let (reset, candidate) = rest.split_at_mut(columns * width);

    let begun = [(&*memory, lanes), (behind, lanes)];
    gate::<V, S, N>(update_weights, columns, begun, update);
    gate::<V, S, N>(reset_weights, columns, begun, reset);
    for (reset, memory) in reset.chunks_exact_mut(width).zip(memory.chunks(lanes)) {
        for (r, h) in reset.iter_mut().zip(&memory[..width]) {
            *r = sigmoid(*r) * h;
        }
    }
    gate::<V, S, N>(candidate_weights, columns, [(reset, width), (behind, lanes)], candidate);
    let gates = update.chunks_exact(width).zip(candidate.chunks_exact(width));
    for (memory, (update, candidate)) in memory.chunks_mut(lanes).zip(gates) {
        for ((h, z), c) in memory[..width].iter_mut().zip(update).zip(candidate) {
            *h = sigmoid(*z).mul_add(tanh(*c) - *h, *h);
        }
    }
}

/// The sums of a gate, from zero or from what [`Start`] has put there.
#[inline(always)]
pub(super) fn gate<V: Vector, S: Start, const N: usize>(
    weights: &[f32],
    columns: usize,
    parts: [(&[f32], usize); 2],
    out: &mut [f32],
) {
    let width = N * V::WIDTH;
    if S::GIVEN {
        product_strip::<V, N, true>(weights, columns, parts, (out, width));
    } else {
        product_strip::<V, N, false>(weights, columns, parts, (out, width));
    }
}
