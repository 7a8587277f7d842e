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
use crate::cpu::{End, Rows, RowsMut, Vector, product_strip};
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector, S: Start>(strip: Strip<'_>, weights: &[f32], shape: Shape, start: &S) {
    let Strip { memory, behind, lane, lanes, gates, .. } = strip;
    let columns = shape.memory;
    let (update_weights, rest) = weights.split_at(weights.len() / 3);
    let (reset_weights, candidate_weights) = rest.split_at(weights.len() / 3);
    let (update, rest) = gates.split_at_mut(columns * V::WIDTH);
    let kept = &mut rest[..columns * V::WIDTH];

    let begun = [Rows(memory, lanes), behind];
    let end = Update { out: RowsMut(update, V::WIDTH) };
    product_strip::<V, _, _>(update_weights, columns, begun, start.gate::<V>(0, lane), end);
    let end = Reset { memory: Rows(memory, lanes), out: RowsMut(kept, V::WIDTH) };
    product_strip::<V, _, _>(reset_weights, columns, begun, start.gate::<V>(1, lane), end);
    let begun = [Rows(kept, V::WIDTH), behind];
    let end = Renew { update: Rows(update, V::WIDTH), memory: RowsMut(memory, lanes) };
    product_strip::<V, _, _>(candidate_weights, columns, begun, start.gate::<V>(2, lane), end);
}

/// z.
struct Update<'a> {
    out: RowsMut<'a>,
}

impl End for Update<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        self.out.store(column, sigmoid(sums));
    }
}

/// r*h.
struct Reset<'a> {
    memory: Rows<'a>,
    out: RowsMut<'a>,
}

impl End for Reset<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        let h = self.memory.load(column);
        self.out.store(column, sigmoid(sums).mul(h));
    }
}

/// h', in the place of h.
struct Renew<'a> {
    update: Rows<'a>,
    memory: RowsMut<'a>,
}

impl End for Renew<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        let (z, h): (V, V) = (self.update.load(column), self.memory.load(column));
        self.memory.store(column, z.mul_add(tanh(sums).sub(h), h));
    }
}
