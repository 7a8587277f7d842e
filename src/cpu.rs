//! The CPU backend's two tools: code compiled once per instruction set, and the small matrix product.
//!
//! Batches lie in *lanes*: a row holds one number of every instance that shares weights (environments of an offspring,
//! units of a network), rounded up to a multiple of [`LANES`]. Every output element has its own accumulator and adds
//! its products in the order of the rows, so the bits do not depend on the width of the vectors.

use std::sync::LazyLock;

/// Rows are padded to a multiple of this many lanes: the widest vector of any instruction set.
pub const LANES: usize = 16;

/// `n` rounded up to whole vectors.
pub fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// Instruction sets with a path of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// x86-64 with AVX-512 F, BW, DQ, VL.
    Avx512,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// Whatever the compiler's target has: NEON on aarch64, a software multiply-add (slow, same bits) on old x86.
    Portable,
}

impl InstructionSet {
    /// All that this machine can run, best first.
    pub fn available() -> impl Iterator<Item = Self> {
        [Self::Avx512, Self::Avx2, Self::Portable].into_iter().filter(|set| set.is_available())
    }

    /// The best one of this machine.
    pub fn best() -> Self {
        static BEST: LazyLock<InstructionSet> =
            LazyLock::new(|| InstructionSet::available().next().unwrap_or(InstructionSet::Portable));
        *BEST
    }

    fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Portable => true,
        }
    }

    /// For people: `AVX-512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Portable => "portable",
        }
    }

    /// Run `kernel` as compiled for this instruction set.
    ///
    /// # Panics
    /// When this machine does not have it.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        assert!(self.is_available(), "{} is not available", self.name());
        match self {
            // SAFETY: the features were detected just above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { x86::run_avx512(kernel) },
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::run_avx2(kernel) },
            _ => kernel.run::<portable::Vector>(),
        }
    }
}

/// A piece of work compiled once per instruction set. `run` and all it calls must be `#[inline(always)]`: only what is
/// inlined is compiled with the wider instructions.
pub trait Kernel {
    /// What the work gives back.
    type Output;

    /// The work, with `V` as its register.
    fn run<V: Vector>(self) -> Self::Output;
}

/// A register of floats, for the one loop that is not left to the compiler: the tile of the matrix product.
pub trait Vector: Copy {
    /// Floats in it; divides [`LANES`].
    const WIDTH: usize;
    /// Outputs per tile: as many accumulators, two registers each, as the register file holds.
    const TILE: usize;
    /// `WIDTH` zeros.
    fn zero() -> Self;
    /// The first `WIDTH` floats of `from`.
    ///
    /// # Panics
    /// When there are fewer.
    fn load(from: &[f32]) -> Self;
    /// Overwrite the first `WIDTH` floats of `to`.
    ///
    /// # Panics
    /// When there are fewer.
    fn store(self, to: &mut [f32]);
    /// `self * factor + sum` with one rounding.
    fn mul_add(self, factor: f32, sum: Self) -> Self;
    /// Sum of each pair.
    fn add(self, other: Self) -> Self;
}

mod portable {
    /// Half a row of lanes; on aarch64 two NEON registers.
    #[derive(Clone, Copy)]
    pub struct Vector([f32; 8]);

    impl super::Vector for Vector {
        const WIDTH: usize = 8;
        const TILE: usize = 4;

        #[inline(always)]
        fn zero() -> Self {
            Self([0.0; 8])
        }

        #[inline(always)]
        fn load(from: &[f32]) -> Self {
            let mut v = [0.0; 8];
            v.copy_from_slice(&from[..8]);
            Self(v)
        }

        #[inline(always)]
        fn store(self, to: &mut [f32]) {
            to[..8].copy_from_slice(&self.0);
        }

        #[inline(always)]
        fn mul_add(self, factor: f32, mut sum: Self) -> Self {
            for (s, x) in sum.0.iter_mut().zip(self.0) {
                *s = x.mul_add(factor, *s);
            }
            sum
        }

        #[inline(always)]
        fn add(mut self, other: Self) -> Self {
            for (s, x) in self.0.iter_mut().zip(other.0) {
                *s += x;
            }
            self
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Kernel;
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    pub fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Vector512>()
    }

    #[target_feature(enable = "avx2,fma")]
    pub fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Vector256>()
    }

    macro_rules! vector {
        ($name:ident, $register:ty, $width:literal, $tile:literal,
         $zero:ident, $load:ident, $store:ident, $splat:ident, $fma:ident, $add:ident) => {
            #[derive(Clone, Copy)]
            pub struct $name($register);

            // SAFETY of all below: reached only through `InstructionSet::run`, which has checked the features, and the
            // slices are cut to the width before their pointer is used.
            impl super::Vector for $name {
                const WIDTH: usize = $width;
                const TILE: usize = $tile;

                #[inline(always)]
                fn zero() -> Self {
                    Self(unsafe { $zero() })
                }

                #[inline(always)]
                fn load(from: &[f32]) -> Self {
                    Self(unsafe { $load(from[..$width].as_ptr()) })
                }

                #[inline(always)]
                fn store(self, to: &mut [f32]) {
                    unsafe { $store(to[..$width].as_mut_ptr(), self.0) }
                }

                #[inline(always)]
                fn mul_add(self, factor: f32, sum: Self) -> Self {
                    Self(unsafe { $fma(self.0, $splat(factor), sum.0) })
                }

                #[inline(always)]
                fn add(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }
            }
        };
    }

    vector!(
        Vector512,
        __m512,
        16,
        8,
        _mm512_setzero_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps
    );
    vector!(
        Vector256,
        __m256,
        8,
        4,
        _mm256_setzero_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps
    );
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
        product_strip::<V, 2, false>(weights, columns, from(lane), (&mut out[lane..], lanes));
        lane += 2 * V::WIDTH;
    }
    while lane < lanes {
        product_strip::<V, 1, false>(weights, columns, from(lane), (&mut out[lane..], lanes));
        lane += V::WIDTH;
    }
}

/// [`product`] for `N` registers of lanes. A part, like `out`, is what follows the strip's first lane, with the length of a row.
/// With `ADD` the sums start from what stands in `out`, else from zero.
#[inline(always)]
pub(crate) fn product_strip<V: Vector, const N: usize, const ADD: bool>(
    weights: &[f32],
    columns: usize,
    parts: [(&[f32], usize); 2],
    (out, lanes): (&mut [f32], usize),
) {
    let mut column = 0;
    while V::TILE == 8 && column + 8 <= columns {
        product_tile::<V, N, 8, ADD>(weights, columns, parts, column, (out, lanes));
        column += 8;
    }
    while column + 4 <= columns {
        product_tile::<V, N, 4, ADD>(weights, columns, parts, column, (out, lanes));
        column += 4;
    }
    while column < columns {
        product_tile::<V, N, 1, ADD>(weights, columns, parts, column, (out, lanes));
        column += 1;
    }
}

#[inline(always)]
fn product_tile<V: Vector, const N: usize, const M: usize, const ADD: bool>(
    weights: &[f32],
    columns: usize,
    parts: [(&[f32], usize); 2],
    column: usize,
    (out, lanes): (&mut [f32], usize),
) {
    let mut sums = [[V::zero(); N]; M];
    if ADD {
        for m in 0..M {
            for n in 0..N {
                sums[m][n] = V::load(&out[(column + m) * lanes + n * V::WIDTH..]);
            }
        }
    }
    let mut weights = weights.chunks_exact(columns);
    for (rows, lanes) in parts {
        for (row, weights) in rows.chunks(lanes).zip(&mut weights) {
            let (row, weights) = (&row[..N * V::WIDTH], &weights[column..column + M]);
            // No `array::from_fn`: in a body this large the compiler may leave its closure out of line.
            let mut inputs = [V::zero(); N];
            for n in 0..N {
                inputs[n] = V::load(&row[n * V::WIDTH..]);
            }
            for m in 0..M {
                for n in 0..N {
                    sums[m][n] = inputs[n].mul_add(weights[m], sums[m][n]);
                }
            }
        }
    }
    for m in 0..M {
        for n in 0..N {
            sums[m][n].store(&mut out[(column + m) * lanes + n * V::WIDTH..]);
        }
    }
}
