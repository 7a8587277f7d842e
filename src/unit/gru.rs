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
use crate::cpu::{End, Vector, product_strip};
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector, S: Start, const N: usize>(
    strip: Strip<'_>,
    weights: &[f32],
    shape: Shape,
    start: &S,
) {
    let Strip { memory, behind, lane, lanes, gates, .. } = strip;
    let (columns, width) = (shape.memory, N * V::WIDTH);
    let (update_weights, rest) = weights.split_at(weights.len() / 3);
    let (reset_weights, candidate_weights) = rest.split_at(weights.len() / 3);
    let (update, rest) = gates.split_at_mut(columns * width);
    let kept = &mut rest[..columns * width];

    let begun = [(&*memory, lanes), (behind, lanes)];
    product_strip::<V, N, _, _>(
        update_weights,
        columns,
        begun,
        start.gate(0, lane),
        &mut Update { out: update, width },
    );
    product_strip::<V, N, _, _>(
        reset_weights,
        columns,
        begun,
        start.gate(1, lane),
        &mut Reset { memory, lanes, out: kept, width },
    );
    product_strip::<V, N, _, _>(
        candidate_weights,
        columns,
        [(kept, width), (behind, lanes)],
        start.gate(2, lane),
        &mut Renew { update, width, memory, lanes },
    );
}

/// z, `[memory][lane of the strip]`.
struct Update<'a> {
    out: &'a mut [f32],
    width: usize,
}

impl End for Update<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V) {
        sigmoid(sum).store(&mut self.out[column * self.width + lane..]);
    }
}

/// r*h, `[memory][lane of the strip]`.
struct Reset<'a> {
    memory: &'a [f32],
    lanes: usize,
    out: &'a mut [f32],
    width: usize,
}

impl End for Reset<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V) {
        let h = V::load(&self.memory[column * self.lanes + lane..]);
        sigmoid(sum).mul(h).store(&mut self.out[column * self.width + lane..]);
    }
}

/// h', in the place of h.
struct Renew<'a> {
    update: &'a [f32],
    width: usize,
    memory: &'a mut [f32],
    lanes: usize,
}

impl End for Renew<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V) {
        let z = V::load(&self.update[column * self.width + lane..]);
        let memory = &mut self.memory[column * self.lanes + lane..];
        let h = V::load(memory);
        z.mul_add(tanh(sum).sub(h), h).store(memory);
    }
}
