//! The small matrix product, a strip of lanes and a tile of columns at a time.
//!
//! Every output element has its own accumulator and adds its products in the order of the rows, so the bits do not depend
//! on the width of the vectors. Where the sums begin and what becomes of them is the caller's ([`Begin`], [`End`]): both
//! happen in registers, and the functions of one tile's sums overlap with the products of the next.

use super::{Kernel, Vector};

/// The body for `i` = 0, 1, .. below `count`, which is at most 8. The compiler leaves a loop over a long body as it is, and
/// what a loop counts through lies in memory, not in registers.
macro_rules! unrolled {
    ($i:ident < $count:ident $body:block) => {
        unrolled!($i < $count $body 0 1 2 3 4 5 6 7)
    };
    ($i:ident < $count:ident $body:block $($k:literal)*) => {
        $(if $k < $count {
            let $i = $k;
            $body
        })*
    };
}
pub(crate) use unrolled;

/// What sums start from.
pub(crate) trait Begin: Copy {
    /// For `M` columns from `column` on, `N` registers of lanes each.
    fn begin<V: Vector, const N: usize, const M: usize>(self, column: usize) -> [[V; N]; M];
}

/// What becomes of the sums.
pub(crate) trait End {
    /// Take a register of a column's, which begins at this lane of the strip.
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V);
}

/// Sums that start from zero.
#[derive(Clone, Copy)]
pub(crate) struct Zero;

impl Begin for Zero {
    #[inline(always)]
    fn begin<V: Vector, const N: usize, const M: usize>(self, _: usize) -> [[V; N]; M] {
        [[V::splat(0.0); N]; M]
    }
}

/// Sums that are written down as they are: a row a column.
pub(crate) struct Keep<'a> {
    /// What follows the strip's first lane.
    pub(crate) out: &'a mut [f32],
    /// Length of a row.
    pub(crate) lanes: usize,
}

impl End for Keep<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, lane: usize, sum: V) {
        sum.store(&mut self.out[column * self.lanes + lane..]);
    }
}

/// `out[m][lane] = sum over k of rows[k][lane] * weights[k][m]`, k running through the rows of `parts` in order.
///
/// `weights` is row-major with `columns` columns; `out` has `columns` rows of `lanes` lanes. Weight rows beyond the
/// rows given are not used: inputs known to be zero may be left out, which for finite weights changes no value (an
/// infinite or NaN weight would make NaN of its zero).
///
/// # Panics
/// When `out` is too short, or `lanes` is no multiple of the vector's width.
#[inline(always)]
pub fn product<V: Vector>(weights: &[f32], columns: usize, parts: [&[f32]; 2], lanes: usize, out: &mut [f32]) {
    let from = |lane: usize| parts.map(|rows| (rows.get(lane..).unwrap_or(&[]), lanes));
    let mut lane = 0;
    while lane + 2 * V::WIDTH <= lanes {
        product_strip::<V, 2, _, _>(weights, columns, from(lane), Zero, &mut Keep { out: &mut out[lane..], lanes });
        lane += 2 * V::WIDTH;
    }
    while lane < lanes {
        product_strip::<V, 1, _, _>(weights, columns, from(lane), Zero, &mut Keep { out: &mut out[lane..], lanes });
        lane += V::WIDTH;
    }
}

/// [`product`] for `N` registers of lanes. A part is what follows the strip's first lane, with the length of a row.
#[inline(always)]
pub(crate) fn product_strip<V: Vector, const N: usize, B: Begin, E: End>(
    weights: &[f32],
    columns: usize,
    parts: [(&[f32], usize); 2],
    begin: B,
    end: &mut E,
) {
    V::apart(Strip::<N, B, E> { weights, columns, parts, begin, end });
}

struct Strip<'a, const N: usize, B, E> {
    weights: &'a [f32],
    columns: usize,
    parts: [(&'a [f32], usize); 2],
    begin: B,
    end: &'a mut E,
}

impl<const N: usize, B: Begin, E: End> Kernel for Strip<'_, N, B, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let mut column = 0;
        while V::TILE == 8 && column + 8 <= self.columns {
            self.tile::<V, 8>(column);
            column += 8;
        }
        while column + 4 <= self.columns {
            self.tile::<V, 4>(column);
            column += 4;
        }
        while column < self.columns {
            self.tile::<V, 1>(column);
            column += 1;
        }
    }
}

impl<const N: usize, B: Begin, E: End> Strip<'_, N, B, E> {
    /// `M` columns.
    #[inline(always)]
    fn tile<V: Vector, const M: usize>(&mut self, column: usize) {
        let mut sums = self.begin.begin::<V, N, M>(column);
        let mut weights = self.weights.chunks_exact(self.columns);
        for (rows, lanes) in self.parts {
            for (row, weights) in rows.chunks(lanes).zip(&mut weights) {
                let (row, weights) = (&row[..N * V::WIDTH], &weights[column..column + M]);
                // No `array::from_fn`: in a body this large the compiler may leave its closure out of line.
                let mut inputs = [V::splat(0.0); N];
                for n in 0..N {
                    inputs[n] = V::load(&row[n * V::WIDTH..]);
                }
                for m in 0..M {
                    let weight = V::splat(weights[m]);
                    for n in 0..N {
                        sums[m][n] = inputs[n].mul_add(weight, sums[m][n]);
                    }
                }
            }
        }
        unrolled!(m < M {
            unrolled!(n < N { self.end.end(column + m, n * V::WIDTH, sums[m][n]) });
        });
    }
}
