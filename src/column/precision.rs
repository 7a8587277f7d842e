//! What neurons compute in: `f32`, whose inputs are sums of integers, or `f64`, to compare with other simulators.

use std::fmt::Debug;

use crate::cpu::Vector;

/// A neuron's numbers and those of its synapses.
pub trait Precision: Copy + Default + Send + Sync + PartialOrd + Debug + 'static {
    /// Weight of a synapse, and sum of weights. Sums of integers do not depend on their order.
    type Weight: Copy + Default + Send + Sync + PartialOrd + Debug + 'static;
    /// Numbers side by side, on a machine whose registers are `V`.
    type Register<V: Vector>: Register<Self>;

    /// To the nearest.
    fn of(x: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// The largest number below this one, which is finite.
    fn below(self) -> Self;

    /// Bits that a weight's fraction may have where the weights that any neuron could ever get in one step add up to at most
    /// `most` pA.
    fn fraction_bits(most: f64) -> i32;
    /// A weight in pA.
    fn weight(pa: f64, fraction_bits: i32) -> Self::Weight;
    /// A weight in pA as a whole number of units, where weights are such; `scale` of them are a pA.
    fn drawn(pa: f32, scale: f64) -> f32;
    /// The weight that [`Precision::drawn`] made.
    fn of_drawn(drawn: f32) -> Self::Weight;
    /// Two weights together.
    fn add(a: Self::Weight, b: Self::Weight) -> Self::Weight;
    /// A sum of weights, pA.
    fn pa(sum: Self::Weight, fraction_bits: i32) -> f64;
    /// What a sum is to be multiplied by, pA.
    fn unit(fraction_bits: i32) -> Self;
    /// Whether weights that add up to `pa` can be summed.
    fn can_sum(pa: f64, fraction_bits: i32) -> bool;
}

/// Numbers side by side.
pub trait Register<P: Precision>: Copy {
    /// How many; divides [`crate::cpu::LANES`].
    const WIDTH: usize;

    /// This number everywhere.
    fn splat(x: P) -> Self;
    /// The first of `from`.
    fn load(from: &[P]) -> Self;
    /// Overwrite the first of `to`.
    fn store(self, to: &mut [P]);
    /// Of the first of `sums`, in units of [`Precision::unit`].
    fn of_sums(sums: &[P::Weight]) -> Self;
    /// Of the first of `words` the byte that begins at bit `shift`.
    fn of_bytes(words: &[u32], shift: u32) -> Self;
    /// Sum.
    fn add(self, other: Self) -> Self;
    /// Product.
    fn mul(self, other: Self) -> Self;
    /// `self * factor + sum` with one rounding.
    fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// 0 where it is less.
    fn at_least_zero(self) -> Self;
    /// `then` where this is less than `bound`, else `otherwise`.
    fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self;
    /// Whether any is less than `bound`.
    fn any_less(self, bound: Self) -> bool;
}

/// The largest sum: of 31 bits, and one is left for the rounding of weights.
const MOST: f64 = 1_073_741_824.0;

/// 2^n, exact.
pub(super) fn power(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

impl Precision for f32 {
    type Weight = i32;
    type Register<V: Vector> = Single<V>;

    fn of(x: f64) -> Self {
        x as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn below(self) -> Self {
        self.next_down()
    }

    fn fraction_bits(most: f64) -> i32 {
        (-60..=20).rev().find(|&bits| most * power(bits) <= MOST).unwrap_or(-60)
    }

    fn weight(pa: f64, fraction_bits: i32) -> i32 {
        (pa * power(fraction_bits)).round_ties_even() as i32
    }

    #[inline(always)]
    fn drawn(pa: f32, scale: f64) -> f32 {
        (pa * scale as f32).round_ties_even()
    }

    #[inline(always)]
    fn of_drawn(drawn: f32) -> i32 {
        drawn as i32
    }

    #[inline(always)]
    fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn pa(sum: i32, fraction_bits: i32) -> f64 {
        f64::from(sum) * power(-fraction_bits)
    }

    fn unit(fraction_bits: i32) -> Self {
        power(-fraction_bits) as f32
    }

    fn can_sum(pa: f64, fraction_bits: i32) -> bool {
        pa * power(fraction_bits) <= f64::from(i32::MAX)
    }
}

/// A register of floats.
#[derive(Debug, Clone, Copy)]
pub struct Single<V>(V);

impl<V: Vector> Register<f32> for Single<V> {
    const WIDTH: usize = V::WIDTH;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(V::splat(x))
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        Self(V::load(from))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        self.0.store(to);
    }

    #[inline(always)]
    fn of_sums(sums: &[i32]) -> Self {
        Self(V::of_integers(sums))
    }

    #[inline(always)]
    fn of_bytes(words: &[u32], shift: u32) -> Self {
        Self(V::of_bytes(words, shift))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0.mul(other.0))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        Self(self.0.mul_add(factor.0, sum.0))
    }

    #[inline(always)]
    fn at_least_zero(self) -> Self {
        Self(self.0.at_least(V::splat(0.0)))
    }

    #[inline(always)]
    fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
        Self(self.0.if_less(bound.0, then.0, otherwise.0))
    }

    #[inline(always)]
    fn any_less(self, bound: Self) -> bool {
        self.0.any_less(bound.0)
    }
}

/// One at a time: this precision is there to compare with.
impl Precision for f64 {
    type Weight = f64;
    type Register<V: Vector> = f64;

    fn of(x: f64) -> Self {
        x
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn below(self) -> Self {
        self.next_down()
    }

    fn fraction_bits(_: f64) -> i32 {
        0
    }

    fn weight(pa: f64, _: i32) -> f64 {
        pa
    }

    #[inline(always)]
    fn drawn(pa: f32, _: f64) -> f32 {
        pa
    }

    #[inline(always)]
    fn of_drawn(drawn: f32) -> f64 {
        f64::from(drawn)
    }

    #[inline(always)]
    fn add(a: f64, b: f64) -> f64 {
        a + b
    }

    fn pa(sum: f64, _: i32) -> f64 {
        sum
    }

    fn unit(_: i32) -> Self {
        1.0
    }

    fn can_sum(pa: f64, _: i32) -> bool {
        pa.is_finite()
    }
}

impl Register<f64> for f64 {
    const WIDTH: usize = 1;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        from[0]
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        to[0] = self;
    }

    #[inline(always)]
    fn of_sums(sums: &[f64]) -> Self {
        sums[0]
    }

    #[inline(always)]
    fn of_bytes(words: &[u32], shift: u32) -> Self {
        f64::from(words[0] >> shift & 0xff)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        f64::mul_add(self, factor, sum)
    }

    #[inline(always)]
    fn at_least_zero(self) -> Self {
        if self < 0.0 { 0.0 } else { self }
    }

    #[inline(always)]
    fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
        if self < bound { then } else { otherwise }
    }

    #[inline(always)]
    fn any_less(self, bound: Self) -> bool {
        self < bound
    }
}
