//! The small matrix product, a strip of lanes and a tile of columns at a time.
//!
//! Every output element has its own accumulator and adds its products in the order of the rows, so the bits do not depend
//! on the width of the vectors. Where the sums begin and what becomes of them is the caller's ([`Begin`], [`End`]): both
//! happen in registers, and the functions of one tile's sums overlap with the products of the next.

use super::{Kernel, Pair, Vector};

/// What sums start from.
pub(crate) trait Begin: Copy {
    /// For `M` columns from `column` on.
    fn begin<V: Vector, const M: usize>(self, column: usize) -> [V; M];
}

/// What becomes of the sums.
pub(crate) trait End {
    /// Take those of a column.
    fn end<V: Vector>(&mut self, column: usize, sums: V);
}

/// Sums that start from zero.
#[derive(Clone, Copy)]
pub(crate) struct Zero;

impl Begin for Zero {
    #[inline(always)]
    fn begin<V: Vector, const M: usize>(self, _: usize) -> [V; M] {
        [V::splat(0.0); M]
    }
}

/// Rows of a few lanes: what follows the first of these lanes, with the length of a row.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a>(pub(crate) &'a [f32], pub(crate) usize);

/// [`Rows`] that are written; sums that end here are kept as they are, a row a column.
pub(crate) struct RowsMut<'a>(pub(crate) &'a mut [f32], pub(crate) usize);

impl Rows<'_> {
    /// No rows.
    pub(crate) const NONE: Self = Self(&[], 1);

    #[inline(always)]
    pub(crate) fn load<V: Vector>(self, row: usize) -> V {
        V::load(&self.0[row * self.1..])
    }
}

impl RowsMut<'_> {
    #[inline(always)]
    pub(crate) fn load<V: Vector>(&self, row: usize) -> V {
        V::load(&self.0[row * self.1..])
    }

    #[inline(always)]
    pub(crate) fn store<V: Vector>(&mut self, row: usize, lanes: V) {
        lanes.store(&mut self.0[row * self.1..]);
    }
}

impl End for RowsMut<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        self.store(column, sums);
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
    let from = |lane: usize| parts.map(|rows| Rows(rows.get(lane..).unwrap_or(&[]), lanes));
    let mut lane = 0;
    while lane + 2 * V::WIDTH <= lanes {
        product_strip::<Pair<V>, _, _>(weights, columns, from(lane), Zero, RowsMut(&mut out[lane..], lanes));
        lane += 2 * V::WIDTH;
    }
    while lane < lanes {
        product_strip::<V, _, _>(weights, columns, from(lane), Zero, RowsMut(&mut out[lane..], lanes));
        lane += V::WIDTH;
    }
}

/// [`product`] for a vector of lanes.
#[inline(always)]
pub(crate) fn product_strip<V: Vector, B: Begin, E: End>(
    weights: &[f32],
    columns: usize,
    parts: [Rows<'_>; 2],
    begin: B,
    end: E,
) {
    V::apart(Strip { weights, columns, parts, begin, end });
}

struct Strip<'a, B, E> {
    weights: &'a [f32],
    columns: usize,
    parts: [Rows<'a>; 2],
    begin: B,
    end: E,
}

impl<B: Begin, E: End> Kernel for Strip<'_, B, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let mut column = 0;
        while V::TILE >= 16 && column + 16 <= self.columns {
            self.tile::<V, 16>(column);
            column += 16;
        }
        while V::TILE >= 8 && column + 8 <= self.columns {
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

impl<B: Begin, E: End> Strip<'_, B, E> {
    /// `M` columns.
    #[inline(always)]
    fn tile<V: Vector, const M: usize>(&mut self, column: usize) {
        let mut sums = self.begin.begin::<V, M>(column);
        let mut weights = self.weights.chunks_exact(self.columns);
        for Rows(rows, lanes) in self.parts {
            for (row, weights) in rows.chunks(lanes).zip(&mut weights) {
                let (inputs, weights) = (V::load(row), &weights[column..column + M]);
                for m in 0..M {
                    sums[m] = inputs.mul_add(V::splat(weights[m]), sums[m]);
                }
            }
        }
        unrolled!(m < M { self.end.end(column + m, sums[m]) });
    }
}

/// The body for `i` = 0, 1, .. below `count`, which is at most 16. The compiler leaves a loop over a long body as it is, and
/// what a loop counts through lies in memory, not in registers.
macro_rules! unrolled {
    ($i:ident < $count:ident $body:block) => {
        unrolled!($i < $count $body 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($i:ident < $count:ident $body:block $($k:literal)*) => {
        $(if $k < $count {
            let $i = $k;
            $body
        })*
    };
}
pub(crate) use unrolled;
