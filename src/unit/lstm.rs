//! Long short-term memory (Hochreiter & Schmidhuber 1997, with forget gate):
//!
//! ```text
//! u  = [h, x]
//! i, f, y = s(u Wi), s(u Wf), s(u Wy)      g = tanh(u Wg)
//! c' = f*c + i*g                           h' = y * tanh(c')
//! ```
//!
//! Matrices in the order Wi, Wf, Wg, Wy.

use super::{Shape, Start, Strip};
use crate::cpu::{End, Rows, RowsMut, Vector, product_strip};
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector, S: Start>(strip: Strip<'_>, weights: &[f32], shape: Shape, start: &S) {
    let Strip { memory, cell, behind, lane, lanes, gates } = strip;
    let columns = shape.memory;
    let mut weights = weights.chunks_exact(weights.len() / 4);
    let [input_weights, forget_weights, candidate_weights, exposure_weights] =
        std::array::from_fn(|_| weights.next().unwrap_or(&[]));
    let (input, rest) = gates.split_at_mut(columns * V::WIDTH);
    let other = &mut rest[..columns * V::WIDTH];

    let begun = [Rows(memory, lanes), behind];
    let end = Logistic { out: RowsMut(input, V::WIDTH) };
    product_strip::<V, _, _>(input_weights, columns, begun, start.gate::<V>(0, lane), end);
    let end = Logistic { out: RowsMut(other, V::WIDTH) };
    product_strip::<V, _, _>(forget_weights, columns, begun, start.gate::<V>(1, lane), end);
    let end = Renew { input: Rows(input, V::WIDTH), forget: Rows(other, V::WIDTH), cell: RowsMut(cell, lanes) };
    product_strip::<V, _, _>(candidate_weights, columns, begun, start.gate::<V>(2, lane), end);
    let end = Expose { cell: Rows(cell, lanes), out: RowsMut(other, V::WIDTH) };
    product_strip::<V, _, _>(exposure_weights, columns, begun, start.gate::<V>(3, lane), end);
    // All of h was read to the end.
    for (memory, exposed) in memory.chunks_mut(lanes).zip(other.chunks_exact(V::WIDTH)) {
        memory[..V::WIDTH].copy_from_slice(exposed);
    }
}

/// i or f.
struct Logistic<'a> {
    out: RowsMut<'a>,
}

impl End for Logistic<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        self.out.store(column, sigmoid(sums));
    }
}

/// c', in the place of c.
struct Renew<'a> {
    input: Rows<'a>,
    forget: Rows<'a>,
    cell: RowsMut<'a>,
}

impl End for Renew<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        let (i, f, c): (V, V, V) = (self.input.load(column), self.forget.load(column), self.cell.load(column));
        self.cell.store(column, f.mul_add(c, i.mul(tanh(sums))));
    }
}

/// h'.
struct Expose<'a> {
    cell: Rows<'a>,
    out: RowsMut<'a>,
}

impl End for Expose<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        let c: V = self.cell.load(column);
        self.out.store(column, sigmoid(sums).mul(tanh(c)));
    }
}
