//! Long short-term memory (Hochreiter & Schmidhuber 1997, with forget gate):
//!
//! ```text
//! u  = [h, x]
//! i, f, y = s(u Wi), s(u Wf), s(u Wy)      g = tanh(u Wg)
//! c' = f*c + i*g                           h' = y * tanh(c')
//! ```
//!
//! Matrices in the order Wi, Wf, Wg, Wy.

use super::gru::gate;
use super::{Shape, Start, Strip};
use crate::cpu::Vector;
use crate::num::{sigmoid, tanh};

#[inline(always)]
pub(super) fn remember<V: Vector, S: Start, const N: usize>(strip: Strip<'_>, weights: &[f32], shape: Shape) {
    let Strip { memory, cell, behind, lanes, gates } = strip;
    let (columns, width) = (shape.memory, N * V::WIDTH);
    let gates = &mut gates[..4 * columns * width];
    for (weights, sums) in weights.chunks_exact(weights.len() / 4).zip(gates.chunks_exact_mut(columns * width)) {
        gate::<V, S, N>(weights, columns, [(&*memory, lanes), (behind, lanes)], sums);
    }
    let mut gates = gates.chunks_exact(columns * width);
    let [input, forget, candidate, exposure] = std::array::from_fn(|_| gates.next().unwrap_or(&[]));
    let rows = memory.chunks_mut(lanes).zip(cell.chunks_mut(lanes));
    for (row, (memory, cell)) in rows.enumerate() {
        let [input, forget, candidate, exposure] =
            [input, forget, candidate, exposure].map(|gate| &gate[row * width..][..width]);
        let gates = input.iter().zip(forget).zip(candidate).zip(exposure);
        for ((h, c), (((i, f), g), y)) in memory[..width].iter_mut().zip(&mut cell[..width]).zip(gates) {
            *c = sigmoid(*f).mul_add(*c, sigmoid(*i) * tanh(*g));
            *h = sigmoid(*y) * tanh(*c);
        }
    }
}
