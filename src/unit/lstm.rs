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
use crate::cpu::{End, Vector, product_strip};
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector, S: Start, const N: usize>(
    strip: Strip<'_>,
    weights: &[f32],
    shape: Shape,
    start: &S,
) {
    let Strip { memory, cell, behind, lane, lanes, gates } = strip;
    let (columns, width) = (shape.memory, N * V::WIDTH);
    let mut weights = weights.chunks_exact(weights.len() / 4);
    let [input_weights, forget_weights, candidate_weights, exposure_weights] =
        std::array::from_fn(|_| weights.next().unwrap_or(&[]));
    let (input, rest) = gates.split_at_mut(columns * width);
    let exposed = &mut rest[..columns * width];

    let begun = [(&*memory, lanes), (behind, lanes)];
    product_strip::<V, N, _, _>(
        input_weights,
        columns,
        begun,
        start.gate(0, lane),
        &mut Logistic { out: input, width },
    );
    product_strip::<V, N, _, _>(
        forget_weights,
        columns,
        begun,
        start.gate(1, lane),
        &mut Logistic { out: exposed, width },
    );
    product_strip::<V, N, _, _>(
        candidate_weights,
        columns,
        begun,
        start.gate(2, lane),
        &mut Renew { input, forget: exposed, width, cell, lanes },
    );
    product_strip::<V, N, _, _>(
        exposure_weights,
        columns,
        begun,
        start.gate(3, lane),
        &mut Expose { cell, lanes, out: exposed, width },
    );
    // All of h was read to the end.
    for (memory, exposed) in memory.chunks_mut(lanes).zip(exposed.chunks_exact(width)) {
        memory[..width].copy_from_slice(exposed);
    }
}

/// i or f, `[memory][lane of the strip]`.
struct Logistic<'a> {
    out: &'a mut [f32],
    width: usize,
}

impl End for Logistic<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V) {
        sigmoid(sum).store(&mut self.out[column * self.width + lane..]);
    }
}

/// c', in the place of c.
struct Renew<'a> {
    input: &'a [f32],
    forget: &'a [f32],
    width: usize,
    cell: &'a mut [f32],
    lanes: usize,
}

impl End for Renew<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V) {
        let at = column * self.width + lane;
        let (i, f) = (V::load(&self.input[at..]), V::load(&self.forget[at..]));
        let cell = &mut self.cell[column * self.lanes + lane..];
        f.mul_add(V::load(cell), i.mul(tanh(sum))).store(cell);
    }
}

/// h', `[memory][lane of the strip]`.
struct Expose<'a> {
    cell: &'a [f32],
    lanes: usize,
    out: &'a mut [f32],
    width: usize,
}

impl End for Expose<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V) {
        let c = V::load(&self.cell[column * self.lanes + lane..]);
        sigmoid(sum).mul(tanh(c)).store(&mut self.out[column * self.width + lane..]);
    }
}
