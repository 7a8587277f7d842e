//! The CPU backend's tools: code compiled once per instruction set, here; the small matrix product; rows on cache lines.
//!
//! Batches lie in *lanes*: a row holds one number of every instance that shares weights (environments of an offspring,
//! units of a network), rounded up to a multiple of [`LANES`].

mod aligned;
pub(crate) mod matrix;
mod product;

pub use aligned::Aligned;
pub use product::product;
pub(crate) use product::{Begin, End, Rows, RowsMut, Zero, product_strip, unrolled};

use std::sync::LazyLock;

use crate::num::Real;

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

    /// Floats in a register.
    ///
    /// # Panics
    /// As [`InstructionSet::run`].
    pub fn width(self) -> usize {
        struct Width;
        impl Kernel for Width {
            type Output = usize;

            #[inline(always)]
            fn run<V: Vector>(self) -> usize {
                V::WIDTH
            }
        }
        self.run(Width)
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
            Self::Avx512 => unsafe { kernel.run_avx512() },
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { kernel.run_avx2() },
            _ => kernel.run_portable(),
        }
    }
}

/// Ask for the first two cache lines of what will soon be read, where the processor can be asked.
#[inline(always)]
pub fn prefetch<T>(what: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = what.as_ptr().cast::<i8>();
        // SAFETY: a hint, which faults nowhere and reads nothing that the program sees.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(first);
            _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(64));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}

/// A piece of work compiled once per instruction set. `run` and all it calls must be `#[inline(always)]`: only what is
/// inlined is compiled with the wider instructions.
pub trait Kernel {
    /// What the work gives back.
    type Output;

    /// The work, with `V` as its register.
    fn run<V: Vector>(self) -> Self::Output;
}

/// A kernel on each instruction set. As methods of the kernels' own types the compiler deals them out to the units that it works on side by
/// side; as functions of one module all of them were one unit, which took most of the time of a build.
trait OnEach: Kernel + Sized {
    #[inline(never)]
    fn run_portable(self) -> Self::Output {
        self.run::<portable::Vector>()
    }

    /// # Safety
    /// The processor has these features.
    #[cfg(target_arch = "x86_64")]
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    unsafe fn run_avx512(self) -> Self::Output {
        self.run::<x86::Vector512>()
    }

    /// # Safety
    /// The processor has these features.
    #[cfg(target_arch = "x86_64")]
    #[inline(never)]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn run_avx2(self) -> Self::Output {
        self.run::<x86::Vector256>()
    }
}

impl<K: Kernel> OnEach for K {}

/// A register of floats, or a [`Pair`], for what is not left to the compiler: the product, and what is done with its sums
/// before they leave the registers.
pub trait Vector: Real {
    /// Floats in it; divides [`LANES`] or twice as many.
    const WIDTH: usize;
    /// Columns of a product's tile: as many sums as the register file holds.
    const TILE: usize;
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
    /// The first `WIDTH` integers of `from`, each rounded to the nearest float.
    ///
    /// # Panics
    /// When there are fewer.
    fn of_integers(from: &[i32]) -> Self;
    /// Of the first `WIDTH` words of `from` the byte that begins at bit `shift`.
    ///
    /// # Panics
    /// When there are fewer.
    fn of_bytes(from: &[u32], shift: u32) -> Self;
    /// The lanes below `lane` of this one, the others of `other`.
    fn until(self, lane: usize, other: Self) -> Self;
    /// Side by side: `WIDTH` / 8 groups of lanes from different places.
    fn gather(groups: &[&[f32; 8]]) -> Self;
    /// Run a part of a kernel as a function of its own, compiled with the same instructions: what is large and called from
    /// several places, which in one piece would take the compiler minutes.
    fn apart<K: Kernel>(part: K) -> K::Output;
}

/// Two registers side by side: two sums for every weight that is loaded.
#[derive(Clone, Copy)]
pub struct Pair<V>(V, V);

impl<V: Vector> Real for Pair<V> {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(V::splat(x), V::splat(x))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        Self(self.0.mul_add(factor.0, sum.0), self.1.mul_add(factor.1, sum.1))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub(other.0), self.1.sub(other.1))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0.mul(other.0), self.1.mul(other.1))
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(self.0.div(other.0), self.1.div(other.1))
    }

    #[inline(always)]
    fn at_most(self, limit: Self) -> Self {
        Self(self.0.at_most(limit.0), self.1.at_most(limit.1))
    }

    #[inline(always)]
    fn at_least(self, limit: Self) -> Self {
        Self(self.0.at_least(limit.0), self.1.at_least(limit.1))
    }

    #[inline(always)]
    fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
        Self(self.0.if_less(bound.0, then.0, otherwise.0), self.1.if_less(bound.1, then.1, otherwise.1))
    }

    #[inline(always)]
    fn any_less(self, bound: Self) -> bool {
        self.0.any_less(bound.0) | self.1.any_less(bound.1)
    }
}

impl<V: Vector> Vector for Pair<V> {
    const WIDTH: usize = 2 * V::WIDTH;
    const TILE: usize = V::TILE / 2;

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..Self::WIDTH];
        Self(V::load(from), V::load(&from[V::WIDTH..]))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..Self::WIDTH];
        self.0.store(to);
        self.1.store(&mut to[V::WIDTH..]);
    }

    #[inline(always)]
    fn of_integers(from: &[i32]) -> Self {
        Self(V::of_integers(from), V::of_integers(&from[V::WIDTH..]))
    }

    #[inline(always)]
    fn of_bytes(from: &[u32], shift: u32) -> Self {
        Self(V::of_bytes(from, shift), V::of_bytes(&from[V::WIDTH..], shift))
    }

    #[inline(always)]
    fn until(self, lane: usize, other: Self) -> Self {
        Self(self.0.until(lane, other.0), self.1.until(lane.saturating_sub(V::WIDTH), other.1))
    }

    #[inline(always)]
    fn gather(groups: &[&[f32; 8]]) -> Self {
        Self(V::gather(groups), V::gather(&groups[V::WIDTH / 8..]))
    }

    #[inline(always)]
    fn apart<K: Kernel>(part: K) -> K::Output {
        V::apart(InPairs(part))
    }
}

/// A kernel, run with pairs of what it is to be run with.
struct InPairs<K>(K);

impl<K: Kernel> Kernel for InPairs<K> {
    type Output = K::Output;

    #[inline(always)]
    fn run<V: Vector>(self) -> K::Output {
        self.0.run::<Pair<V>>()
    }
}

mod portable {
    use super::OnEach;
    use crate::num::Real;

    /// Half a row of lanes; on aarch64 two NEON registers.
    #[derive(Clone, Copy)]
    pub struct Vector([f32; 8]);

    impl Vector {
        #[inline(always)]
        fn pairs(mut self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
            for (x, y) in self.0.iter_mut().zip(other.0) {
                *x = f(*x, y);
            }
            self
        }
    }

    impl Real for Vector {
        #[inline(always)]
        fn splat(x: f32) -> Self {
            Self([x; 8])
        }

        // Where it calls a library for every lane, it need not do so in line.
        #[cfg_attr(all(target_arch = "x86_64", not(target_feature = "fma")), inline(never))]
        #[cfg_attr(not(all(target_arch = "x86_64", not(target_feature = "fma"))), inline(always))]
        fn mul_add(self, factor: Self, sum: Self) -> Self {
            let mut out = sum;
            for (i, out) in out.0.iter_mut().enumerate() {
                *out = self.0[i].mul_add(factor.0[i], *out);
            }
            out
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            self.pairs(other, |x, y| x + y)
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            self.pairs(other, |x, y| x - y)
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            self.pairs(other, |x, y| x * y)
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            self.pairs(other, |x, y| x / y)
        }

        #[inline(always)]
        fn at_most(self, limit: Self) -> Self {
            self.pairs(limit, |x, limit| if x > limit { limit } else { x })
        }

        #[inline(always)]
        fn at_least(self, limit: Self) -> Self {
            self.pairs(limit, |x, limit| if x < limit { limit } else { x })
        }

        #[inline(always)]
        fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
            let mut out = otherwise;
            for (i, out) in out.0.iter_mut().enumerate() {
                *out = if self.0[i] < bound.0[i] { then.0[i] } else { *out };
            }
            out
        }

        #[inline(always)]
        fn any_less(self, bound: Self) -> bool {
            let mut any = false;
            for (x, bound) in self.0.iter().zip(bound.0) {
                any |= *x < bound;
            }
            any
        }
    }

    impl super::Vector for Vector {
        const WIDTH: usize = 8;
        const TILE: usize = 8;

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
        fn of_integers(from: &[i32]) -> Self {
            let mut v = [0.0; 8];
            v.iter_mut().zip(&from[..8]).for_each(|(x, &n)| *x = n as f32);
            Self(v)
        }

        #[inline(always)]
        fn of_bytes(from: &[u32], shift: u32) -> Self {
            let mut v = [0.0; 8];
            v.iter_mut().zip(&from[..8]).for_each(|(x, &word)| *x = (word >> shift & 0xff) as i32 as f32);
            Self(v)
        }

        #[inline(always)]
        fn until(mut self, lane: usize, other: Self) -> Self {
            for (i, (x, y)) in self.0.iter_mut().zip(other.0).enumerate() {
                *x = if i < lane { *x } else { y };
            }
            self
        }

        #[inline(always)]
        fn gather(groups: &[&[f32; 8]]) -> Self {
            Self(*groups[0])
        }

        #[inline(always)]
        fn apart<K: super::Kernel>(part: K) -> K::Output {
            part.run_portable()
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, OnEach};
    use crate::num::Real;
    use std::arch::x86_64::*;

    /// Lane numbers, to compare with.
    const NUMBERS: [i32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    // SAFETY of all below: reached only through `InstructionSet::run`, which has checked the features, and slices are cut
    // to the width before their pointer is used.

    #[inline(always)]
    fn until512(this: __m512, lane: usize, other: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps((0xffff_u32 << lane.min(16)) as __mmask16, this, other) }
    }

    #[inline(always)]
    fn until256(this: __m256, lane: usize, other: __m256) -> __m256 {
        unsafe {
            let numbers = _mm256_loadu_si256(NUMBERS.as_ptr().cast());
            let is_below = _mm256_cmpgt_epi32(_mm256_set1_epi32(lane as i32), numbers);
            _mm256_blendv_ps(other, this, _mm256_castsi256_ps(is_below))
        }
    }

    #[inline(always)]
    fn if_less512(this: __m512, bound: __m512, then: __m512, otherwise: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(this, bound), otherwise, then) }
    }

    #[inline(always)]
    fn if_less256(this: __m256, bound: __m256, then: __m256, otherwise: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps::<_CMP_LT_OQ>(this, bound)) }
    }

    #[inline(always)]
    fn any_less512(this: __m512, bound: __m512) -> bool {
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(this, bound) != 0 }
    }

    #[inline(always)]
    fn any_less256(this: __m256, bound: __m256) -> bool {
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(this, bound)) != 0 }
    }

    #[inline(always)]
    fn gather512(groups: &[&[f32; 8]]) -> __m512 {
        let (low, high) = (groups[0].as_ptr(), groups[1].as_ptr());
        unsafe { _mm512_insertf32x8::<1>(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high)) }
    }

    #[inline(always)]
    fn gather256(groups: &[&[f32; 8]]) -> __m256 {
        unsafe { _mm256_loadu_ps(groups[0].as_ptr()) }
    }

    macro_rules! vector {
        ($name:ident, $register:ty, $width:literal, $tile:literal, $run:ident, $until:ident, $if_less:ident, $any_less:ident, $gather:ident, $load:ident, $store:ident,
         $splat:ident, $fma:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $min:ident, $max:ident,
         $load_integers:ident, $convert:ident, $shift:ident, $and:ident, $all:ident) => {
            #[derive(Clone, Copy)]
            pub struct $name($register);

            impl Real for $name {
                #[inline(always)]
                fn splat(x: f32) -> Self {
                    Self(unsafe { $splat(x) })
                }

                #[inline(always)]
                fn mul_add(self, factor: Self, sum: Self) -> Self {
                    Self(unsafe { $fma(self.0, factor.0, sum.0) })
                }

                #[inline(always)]
                fn add(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }

                #[inline(always)]
                fn sub(self, other: Self) -> Self {
                    Self(unsafe { $sub(self.0, other.0) })
                }

                #[inline(always)]
                fn mul(self, other: Self) -> Self {
                    Self(unsafe { $mul(self.0, other.0) })
                }

                #[inline(always)]
                fn div(self, other: Self) -> Self {
                    Self(unsafe { $div(self.0, other.0) })
                }

                // Of a NaN and a number these instructions give their second operand.
                #[inline(always)]
                fn at_most(self, limit: Self) -> Self {
                    Self(unsafe { $min(limit.0, self.0) })
                }

                #[inline(always)]
                fn at_least(self, limit: Self) -> Self {
                    Self(unsafe { $max(limit.0, self.0) })
                }

                #[inline(always)]
                fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
                    Self($if_less(self.0, bound.0, then.0, otherwise.0))
                }

                #[inline(always)]
                fn any_less(self, bound: Self) -> bool {
                    $any_less(self.0, bound.0)
                }
            }

            impl super::Vector for $name {
                const WIDTH: usize = $width;
                const TILE: usize = $tile;

                #[inline(always)]
                fn load(from: &[f32]) -> Self {
                    Self(unsafe { $load(from[..$width].as_ptr()) })
                }

                #[inline(always)]
                fn store(self, to: &mut [f32]) {
                    unsafe { $store(to[..$width].as_mut_ptr(), self.0) }
                }

                #[inline(always)]
                fn of_integers(from: &[i32]) -> Self {
                    Self(unsafe { $convert($load_integers(from[..$width].as_ptr().cast())) })
                }

                #[inline(always)]
                fn of_bytes(from: &[u32], shift: u32) -> Self {
                    Self(unsafe {
                        let words = $load_integers(from[..$width].as_ptr().cast());
                        $convert($and($shift(words, _mm_cvtsi32_si128(shift as i32)), $all(0xff)))
                    })
                }

                #[inline(always)]
                fn until(self, lane: usize, other: Self) -> Self {
                    Self($until(self.0, lane, other.0))
                }

                #[inline(always)]
                fn gather(groups: &[&[f32; 8]]) -> Self {
                    Self($gather(groups))
                }

                #[inline(always)]
                fn apart<K: Kernel>(part: K) -> K::Output {
                    unsafe { part.$run() }
                }
            }
        };
    }

    vector!(
        Vector512,
        __m512,
        16,
        16,
        run_avx512,
        until512,
        if_less512,
        any_less512,
        gather512,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_mul_ps,
        _mm512_div_ps,
        _mm512_min_ps,
        _mm512_max_ps,
        _mm512_loadu_si512,
        _mm512_cvtepi32_ps,
        _mm512_srl_epi32,
        _mm512_and_si512,
        _mm512_set1_epi32
    );
    vector!(
        Vector256,
        __m256,
        8,
        8,
        run_avx2,
        until256,
        if_less256,
        any_less256,
        gather256,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_mul_ps,
        _mm256_div_ps,
        _mm256_min_ps,
        _mm256_max_ps,
        _mm256_loadu_si256,
        _mm256_cvtepi32_ps,
        _mm256_srl_epi32,
        _mm256_and_si256,
        _mm256_set1_epi32
    );
}
