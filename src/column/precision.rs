//! What neurons compute in: `f32`, whose inputs are sums of integers, or `f64`, to compare with other simulators.

use std::fmt::Debug;

/// A neuron's numbers and those of its synapses.
pub trait Precision: Copy + Default + Send + Sync + PartialOrd + Debug + 'static {
    /// Weight of a synapse, and sum of weights. Sums of integers do not depend on their order.
    type Weight: Copy + Default + Send + Sync + PartialOrd + Debug + 'static;

    /// To the nearest.
    fn of(x: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// Spikes from outside.
    fn of_count(count: u8) -> Self;
    /// The sum.
    fn plus(self, other: Self) -> Self;
    /// `self * factor + sum` with one rounding.
    fn mul_add(self, factor: Self, sum: Self) -> Self;

    /// Bits that a weight's fraction may have where the weights that any neuron could ever get in one step add up to at most
    /// `most` pA.
    fn fraction_bits(most: f64) -> i32;
    /// A weight in pA.
    fn weight(pa: f32, fraction_bits: i32) -> Self::Weight;
    /// The same from double precision.
    fn weight_of(pa: f64, fraction_bits: i32) -> Self::Weight;
    /// Two weights together.
    fn add(a: Self::Weight, b: Self::Weight) -> Self::Weight;
    /// A sum of weights as a number, in units of [`Precision::unit`].
    fn of_sum(sum: Self::Weight) -> Self;
    /// What a sum is to be multiplied by, pA.
    fn unit(fraction_bits: i32) -> Self;
    /// Magnitude of a weight, in units.
    fn magnitude(weight: Self::Weight) -> f64;
}

/// The largest sum: of 31 bits, and one is left for the rounding of weights.
const MOST: f64 = 1_073_741_824.0;

/// 2^n, exact.
fn power(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

impl Precision for f32 {
    type Weight = i32;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn of_count(count: u8) -> Self {
        f32::from(count)
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        f32::mul_add(self, factor, sum)
    }

    fn fraction_bits(most: f64) -> i32 {
        (-60..=20).rev().find(|&bits| most * power(bits) <= MOST).unwrap_or(-60)
    }

    #[inline(always)]
    fn weight(pa: f32, fraction_bits: i32) -> i32 {
        (pa * power(fraction_bits) as f32).round_ties_even() as i32
    }

    fn weight_of(pa: f64, fraction_bits: i32) -> i32 {
        (pa * power(fraction_bits)).round_ties_even() as i32
    }

    #[inline(always)]
    fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn of_sum(sum: i32) -> Self {
        sum as f32
    }

    fn unit(fraction_bits: i32) -> Self {
        power(-fraction_bits) as f32
    }

    fn magnitude(weight: i32) -> f64 {
        f64::from(weight).abs()
    }
}

impl Precision for f64 {
    type Weight = f64;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn of_count(count: u8) -> Self {
        f64::from(count)
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        f64::mul_add(self, factor, sum)
    }

    fn fraction_bits(_: f64) -> i32 {
        0
    }

    fn weight(pa: f32, _: i32) -> f64 {
        f64::from(pa)
    }

    fn weight_of(pa: f64, _: i32) -> f64 {
        pa
    }

    #[inline(always)]
    fn add(a: f64, b: f64) -> f64 {
        a + b
    }

    #[inline(always)]
    fn of_sum(sum: f64) -> Self {
        sum
    }

    fn unit(_: i32) -> Self {
        1.0
    }

    fn magnitude(weight: f64) -> f64 {
        weight.abs()
    }
}
