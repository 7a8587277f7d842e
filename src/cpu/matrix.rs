//! The one product of matrices that networks which learn by gradient are made of, and what goes with it.
//!
//! Its left factor is read a number at a time, by rows or by columns, its right factor and what comes out a register of
//! lanes at a time. Every sum has an accumulator of its own and adds its products in their order, so that bits do not
//! depend on the width of a register. ([`super::product`] is the case with weights to the left by columns, as policies
//! and units have them.)

use super::{Kernel, LANES, Pair, Rows, RowsMut, Vector};

/// The left factor: numbers, and the distance between those of two rows, or of two columns.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a> {
    /// Element (row, k) is `values[row * distance + k]`.
    Rows(&'a [f32], usize),
    /// Element (row, k) is `values[k * distance + row]`: what is stored is the transpose.
    Columns(&'a [f32], usize),
}

/// What sums start from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    Zero,
    /// These lanes, in every row.
    Row(&'a [f32]),
    /// What stands where they end.
    There,
}

/// `out[row][lane] = start + sum over k of left(row, k) * right[k][lane]`.
///
/// Registers of the right factor may reach beyond its row: lanes that nobody asked for are computed from whatever is there,
/// and are not written unless the rows of `out` have room for them.
pub(crate) struct Product<'a> {
    pub(crate) rows: usize,
    pub(crate) inner: usize,
    pub(crate) lanes: usize,
    pub(crate) left: Left<'a>,
    pub(crate) right: Rows<'a>,
    pub(crate) start: Start<'a>,
}

impl Product<'_> {
    /// # Panics
    /// When a slice is too short; behind the right factor, a row of [`Start::Row`] and, with [`Start::There`], `out` there
    /// must be up to a register.
    #[inline(always)]
    pub(crate) fn write<V: Vector>(self, out: RowsMut<'_>) {
        V::apart(Writing { product: self, out });
    }
}

struct Writing<'a> {
    product: Product<'a>,
    out: RowsMut<'a>,
}

impl Kernel for Writing<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let mut lane = 0;
        while lane + 2 * V::WIDTH <= self.product.lanes {
            self.strip::<Pair<V>>(lane);
            lane += 2 * V::WIDTH;
        }
        while lane < self.product.lanes {
            self.strip::<V>(lane);
            lane += V::WIDTH;
        }
    }
}

impl Writing<'_> {
    /// A register of lanes, all rows.
    #[inline(always)]
    fn strip<V: Vector>(&mut self, lane: usize) {
        let rows = self.product.rows;
        let mut row = 0;
        while V::TILE >= 8 && row + 8 <= rows {
            self.tile::<V, 8>(row, lane);
            row += 8;
        }
        while row + 4 <= rows {
            self.tile::<V, 4>(row, lane);
            row += 4;
        }
        while row < rows {
            self.tile::<V, 1>(row, lane);
            row += 1;
        }
    }

    #[inline(always)]
    fn tile<V: Vector, const M: usize>(&mut self, row: usize, lane: usize) {
        let Product { inner, left, right: Rows(right, distance), start, .. } = self.product;
        let RowsMut(out, room) = &mut self.out;
        let mut sums = [V::splat(0.0); M];
        for m in 0..M {
            sums[m] = match start {
                Start::Zero => V::splat(0.0),
                Start::Row(lanes) => V::load(&lanes[lane..]),
                Start::There => V::load(&out[(row + m) * *room + lane..]),
            };
        }
        match left {
            Left::Rows(values, distance_left) => {
                let mut rows = [&values[..0]; M];
                for m in 0..M {
                    rows[m] = &values[(row + m) * distance_left..][..inner];
                }
                for k in 0..inner {
                    let lanes = V::load(&right[k * distance + lane..]);
                    for m in 0..M {
                        sums[m] = V::splat(rows[m][k]).mul_add(lanes, sums[m]);
                    }
                }
            }
            Left::Columns(values, distance_left) => {
                for k in 0..inner {
                    let lanes = V::load(&right[k * distance + lane..]);
                    let column = &values[k * distance_left + row..][..M];
                    for m in 0..M {
                        sums[m] = V::splat(column[m]).mul_add(lanes, sums[m]);
                    }
                }
            }
        }
        for m in 0..M {
            let to = &mut out[(row + m) * *room..][..*room];
            if lane + V::WIDTH <= *room {
                sums[m].store(&mut to[lane..]);
            } else {
                // Wider than any register that is not one of a pair, and no pair is cut.
                let mut lanes = [0.0; LANES];
                sums[m].store(&mut lanes);
                to[lane..].copy_from_slice(&lanes[..*room - lane]);
            }
        }
    }
}

/// `to[column][row] = from[row][column]`, with these distances between rows; in blocks that fit into registers.
#[inline(always)]
pub(crate) fn transpose(from: Rows<'_>, rows: usize, columns: usize, to: RowsMut<'_>) {
    const BLOCK: usize = 8;
    let (Rows(from, from_distance), RowsMut(to, to_distance)) = (from, to);
    let [whole_rows, whole_columns] = [rows, columns].map(|length| length / BLOCK * BLOCK);
    for row in (0..whole_rows).step_by(BLOCK) {
        for column in (0..whole_columns).step_by(BLOCK) {
            let mut block = [[0.0; BLOCK]; BLOCK];
            for i in 0..BLOCK {
                let from = &from[(row + i) * from_distance + column..][..BLOCK];
                for j in 0..BLOCK {
                    block[j][i] = from[j];
                }
            }
            for j in 0..BLOCK {
                to[(column + j) * to_distance + row..][..BLOCK].copy_from_slice(&block[j]);
            }
        }
    }
    // What is left to the right of the blocks, and below them.
    for row in 0..rows {
        let first = if row < whole_rows { whole_columns } else { 0 };
        for column in first..columns {
            to[column * to_distance + row] = from[row * from_distance + column];
        }
    }
}

/// Sum of products in [`LANES`] parts, which are added in their order. `b` may be longer than `a`.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut parts = [0.0; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((part, a), b) in parts.iter_mut().zip(a).zip(b) {
            *part = a.mul_add(*b, *part);
        }
    }
    parts.iter().fold(0.0, |sum, part| sum + part)
}
