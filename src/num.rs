//! The elementary functions of `exact` mode: fixed sequences of IEEE single-precision operations, no libm.
//!
//! Every function is branch-free (selects only) and `#[inline(always)]`, so that a loop over a slice vectorises inside
//! a function compiled for a wider instruction set and gives the same bits there, in scalar code and in a CUDA kernel
//! built without contraction. `mul_add` is written exactly where a fused operation is meant. What gates need is written
//! over [`Real`], for a float or a register of them.
//!
//! The polynomials are minimax fits (iteratively reweighted least squares) made for the stated intervals; the errors in
//! the comments are measured against double precision by the tests below.

pub mod double;
pub mod hyperbolic;
pub mod single;
pub mod square;
pub mod transcendental;

/// What gates compute with: a float, or a register of them. One rounding an operation.
pub trait Real: Copy {
    /// This number everywhere.
    fn splat(x: f32) -> Self;
    /// `self * factor + sum` with one rounding.
    fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// Sum.
    fn add(self, other: Self) -> Self;
    /// Difference.
    fn sub(self, other: Self) -> Self;
    /// Product.
    fn mul(self, other: Self) -> Self;
    /// Quotient.
    fn div(self, other: Self) -> Self;
    /// `limit` where it is less; NaN stays NaN.
    fn at_most(self, limit: Self) -> Self;
    /// `limit` where it is more; NaN stays NaN.
    fn at_least(self, limit: Self) -> Self;
    /// `then` where this is less than `bound`, else `otherwise`.
    fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self;
    /// Whether any is less than `bound`.
    fn any_less(self, bound: Self) -> bool;
}

impl Real for f32 {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        x
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        f32::mul_add(self, factor, sum)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self / other
    }

    #[inline(always)]
    fn at_most(self, limit: Self) -> Self {
        if self > limit { limit } else { self }
    }

    #[inline(always)]
    fn at_least(self, limit: Self) -> Self {
        if self < limit { limit } else { self }
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

/// Hyperbolic tangent. Relative error below 4e-7 everywhere; never beyond [-1, 1]; NaN stays NaN.
#[inline(always)]
pub fn tanh<T: Real>(x: T) -> T {
    // tanh(8.3) rounds to within 2 ulp of 1, so nothing is lost by stopping there.
    const END: f32 = 8.3;
    let c = T::splat;
    let x = x.at_most(c(END)).at_least(c(-END));
    let s = x.mul(x);
    let p = s.mul_add(c(1.464_830_7e-8), c(2.150_853_2e-5));
    let p = s.mul_add(p, c(3.549_171e-3));
    let p = s.mul_add(p, c(0.134_258_72));
    let p = s.mul_add(p, c(1.0));
    let q = s.mul_add(c(8.295_128e-7), c(3.373_954e-4));
    let q = s.mul_add(q, c(0.026_079_958));
    let q = s.mul_add(q, c(0.467_591_97));
    let q = s.mul_add(q, c(1.0));
    x.mul(p).div(q)
}

/// Logistic function 1 / (1 + e^-x), as (1 + tanh(x/2)) / 2: absolute error below 2e-7.
#[inline(always)]
pub fn sigmoid<T: Real>(x: T) -> T {
    let half = T::splat(0.5);
    tanh(half.mul(x)).mul_add(half, half)
}

/// Adding and taking away 1.5 * 2^23 rounds a small float to the nearest integer, ties to even, and leaves that
/// integer in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// e^x. Relative error below 2e-7 for x in [-87, 88]; arguments beyond are taken as the end of that interval.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = if x > 88.0 { 88.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    // ln 2 in two parts; the first has trailing zeros, so n times it is exact.
    let r = n.mul_add(-0.693_359_4, x);
    let r = n.mul_add(2.121_944_4e-4, r);
    let p = r.mul_add(1.381_454_4e-3, 8.368_715e-3);
    let p = r.mul_add(p, 0.041_668_39);
    let p = r.mul_add(p, 0.166_665_21);
    let p = r.mul_add(p, 0.499_999_94);
    let e = (r * r).mul_add(p, r) + 1.0;
    let power_of_two = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    e * power_of_two
}

/// What SELU multiplies positive numbers by, and e^x - 1 of negative ones (Klambauer et al. 2017).
pub const SELU: [f32; 2] = [1.050_701, 1.758_099_3];

/// Scaled exponential linear unit: 1.0507 x for x > 0, else 1.0507 * 1.6733 (e^x - 1). Absolute error below 3e-7 for x < 0,
/// relative below 1e-7 for x > 0; NaN stays NaN.
#[inline(always)]
pub fn selu(x: f32) -> f32 {
    let negative = SELU[1] * (exp(x) - 1.0);
    if x > 0.0 { SELU[0] * x } else { negative }
}

/// Natural logarithm of a normal positive float. Relative error below 2e-7 (absolute near 1).
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    // x = 2^e * m with m in [sqrt(1/2), sqrt(2)): shift the exponent's boundary to sqrt(1/2) before splitting.
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    let e = ((shifted as i32) >> 23) as f32;
    let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(SQRT_HALF_BITS));
    let f = m - 1.0;
    let p = f.mul_add(-0.076_345_82, 0.127_617_23);
    let p = f.mul_add(p, -0.131_602_2);
    let p = f.mul_add(p, 0.142_017_41);
    let p = f.mul_add(p, -0.166_233_52);
    let p = f.mul_add(p, 0.200_012_27);
    let p = f.mul_add(p, -0.250_008_23);
    let p = f.mul_add(p, 0.333_333_3);
    let s = f * f;
    let tail = (s * f).mul_add(p, -0.5 * s);
    let tail = e.mul_add(-2.121_944_4e-4, tail);
    e.mul_add(0.693_359_4, f + tail)
}

/// (sin(pi t), cos(pi t)) for |t| up to 2^20. Absolute error below 2e-7.
#[inline(always)]
pub fn sin_cos_pi(t: f32) -> (f32, f32) {
    let shifted = t.mul_add(2.0, ROUND);
    let quadrant = shifted.to_bits();
    // |r| <= 1/4, exact.
    let r = (shifted - ROUND).mul_add(-0.5, t);
    let s = r * r;
    let sin = s.mul_add(-0.589_012_2, 2.549_761);
    let sin = s.mul_add(sin, -5.167_708);
    let sin = s.mul_add(sin, std::f32::consts::PI);
    let sin = r * sin;
    let cos = s.mul_add(0.231_260_91, -1.335_035_9);
    let cos = s.mul_add(cos, 4.058_707);
    let cos = s.mul_add(cos, -4.934_802);
    let cos = s.mul_add(cos, 1.0);
    quarter_turns((sin, cos), quadrant)
}

/// cos(x) for moderate |x| (radians); the reduction by a rounded 1/pi costs 1e-7 per radian.
#[inline(always)]
pub fn cos(x: f32) -> f32 {
    sin_cos_pi(x * std::f32::consts::FRAC_1_PI).1
}

/// (sin x, cos x) for |x| up to 1e4 radians. Absolute error below 1e-7.
#[inline(always)]
pub fn sin_cos(x: f32) -> (f32, f32) {
    let shifted = x.mul_add(std::f32::consts::FRAC_2_PI, ROUND);
    let quadrant = shifted.to_bits();
    let n = shifted - ROUND;
    // pi/2 is the first number and what it lacks; |r| <= pi/4.
    let r = n.mul_add(-std::f32::consts::FRAC_PI_2, x);
    let r = n.mul_add(4.371_139e-8, r);
    quarter_turns(small_sin_cos(r), quadrant)
}

/// Below this, a little less than pi/4, [`sin_cos`] reduces nothing.
pub const SMALL: f32 = 0.785;

/// The bits of [`sin_cos`] for |x| < [`SMALL`], in fewer operations.
#[inline(always)]
pub fn small_sin_cos(x: f32) -> (f32, f32) {
    // -0 becomes 0, as by a reduction.
    let r = x + 0.0;
    let s = r * r;
    let sin = s.mul_add(-1.951_723_5e-4, 8.332_178e-3);
    let sin = s.mul_add(sin, -0.166_666_55);
    let sin = (r * s).mul_add(sin, r);
    let cos = s.mul_add(2.443_838e-5, -1.388_736_7e-3);
    let cos = s.mul_add(cos, 0.041_666_646);
    let cos = (s * s).mul_add(cos, s.mul_add(-0.5, 1.0));
    (sin, cos)
}

/// (sin, cos) of an angle that is so many quarter turns further.
#[inline(always)]
fn quarter_turns((sin, cos): (f32, f32), quarters: u32) -> (f32, f32) {
    let (a, b) = if quarters & 1 == 0 { (sin, cos) } else { (cos, sin) };
    let sin_sign = (quarters & 2) << 30;
    let cos_sign = (quarters.wrapping_add(1) & 2) << 30;
    (f32::from_bits(a.to_bits() ^ sin_sign), f32::from_bits(b.to_bits() ^ cos_sign))
}

/// x^n by repeated squaring.
pub fn power(mut x: f32, mut n: u32) -> f32 {
    let mut product = 1.0;
    while n > 0 {
        product = if n & 1 == 1 { product * x } else { product };
        x *= x;
        n >>= 1;
    }
    product
}

/// Limit to [0, 1]; NaN stays NaN.
#[inline(always)]
pub fn clip_unit<T: Real>(x: T) -> T {
    x.at_least(T::splat(0.0)).at_most(T::splat(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error of `f` against `reference` over `n` points of [a, b]; relative where `relative`.
    fn worst(f: fn(f32) -> f32, reference: fn(f64) -> f64, (a, b): (f32, f32), relative: bool) -> f64 {
        let n = 2_000_003;
        (0..n)
            .map(|i| {
                let x = a + (b - a) * (i as f32 / (n - 1) as f32);
                let r = reference(f64::from(x));
                let error = (f64::from(f(x)) - r).abs();
                if relative && r != 0.0 { error / r.abs() } else { error }
            })
            .fold(0.0, f64::max)
    }

    /// The kernels divide by a reciprocal that is wrong in the last place or two, refined once, and correct the quotient by
    /// its remainder (kernels/num.cuh).
    #[test]
    fn the_quotient_of_tanh_is_correctly_rounded_from_a_nearby_reciprocal() {
        // A stride of 1 takes a few seconds more and finds nothing either.
        for bits in (0..=8.3f32.to_bits()).step_by(61) {
            let x = f32::from_bits(bits);
            let s = x * x;
            let p = s.mul_add(s.mul_add(s.mul_add(1.464_830_7e-8, 2.150_853_2e-5), 3.549_171e-3), 0.134_258_72);
            let q = s.mul_add(s.mul_add(s.mul_add(8.295_128e-7, 3.373_954e-4), 0.026_079_958), 0.467_591_97);
            let (numerator, q) = (x * s.mul_add(p, 1.0), s.mul_add(q, 1.0));
            for off in -2..=2 {
                let close = f32::from_bits((1.0 / q).to_bits().wrapping_add_signed(off));
                let reciprocal = (-q).mul_add(close, 1.0).mul_add(close, close);
                let quotient = numerator * reciprocal;
                let quotient = (-q).mul_add(quotient, numerator).mul_add(reciprocal, quotient);
                assert_eq!(quotient.to_bits(), tanh(x).to_bits(), "x = {x:e}, reciprocal off by {off}");
            }
        }
    }

    #[test]
    fn functions_are_within_their_stated_errors() {
        assert!(worst(tanh, f64::tanh, (-12.0, 12.0), true) < 4e-7);
        assert!(worst(tanh, f64::tanh, (-1e-3, 1e-3), true) < 4e-7);
        assert!(worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), (-30.0, 30.0), false) < 2e-7);
        assert!(worst(exp, f64::exp, (-87.0, 88.0), true) < 2e-7);
        assert!(worst(selu, selu_reference, (-87.0, 0.0), false) < 3e-7);
        assert!(worst(selu, selu_reference, (f32::MIN_POSITIVE, 1e6), true) < 1e-7);
        assert!(worst(ln, f64::ln, (1e-9, 1.0), false) / 20.0 < 2e-7);
        assert!(worst(ln, f64::ln, (0.5, 4.0), false) < 2e-7);
        assert!(worst(|x| sin_cos_pi(x).0, |x| (std::f64::consts::PI * x).sin(), (-3.0, 3.0), false) < 2e-7);
        assert!(worst(|x| sin_cos_pi(x).1, |x| (std::f64::consts::PI * x).cos(), (-3.0, 3.0), false) < 2e-7);
        assert!(worst(|x| sin_cos(x).0, f64::sin, (-10.0, 10.0), false) < 1e-7);
        assert!(worst(|x| sin_cos(x).1, f64::cos, (-10.0, 10.0), false) < 1e-7);
        assert!(worst(|x| sin_cos(x).0, f64::sin, (-1e4, 1e4), false) < 1e-7);
        assert!(worst(|x| sin_cos(x).1, f64::cos, (-1e4, 1e4), false) < 1e-7);
        assert!(worst(cos, f64::cos, (-12.0, 12.0), false) < 1.5e-6);
    }

    #[test]
    fn the_short_way_of_small_angles_gives_the_same_bits() {
        for bits in (0..SMALL.to_bits()).step_by(101).chain([SMALL.to_bits() - 1]) {
            for x in [f32::from_bits(bits), -f32::from_bits(bits)] {
                let (short, long) = (small_sin_cos(x), sin_cos(x));
                assert_eq!((short.0.to_bits(), short.1.to_bits()), (long.0.to_bits(), long.1.to_bits()), "{x:e}");
            }
        }
    }

    fn selu_reference(x: f64) -> f64 {
        1.050_700_987_355_480_5 * if x > 0.0 { x } else { 1.673_263_242_354_377_2 * x.exp_m1() }
    }

    #[test]
    fn tanh_never_leaves_the_unit_interval() {
        // Every seventh float from 4 to the clamp, where rounding could carry the quotient past 1.
        for bits in (4.0f32.to_bits()..=8.3f32.to_bits()).step_by(7) {
            assert!(tanh(f32::from_bits(bits)) <= 1.0);
        }
    }

    #[test]
    fn powers() {
        assert_eq!([power(0.0, 0), power(0.5, 3), power(1.0, u32::MAX), power(0.0, 7)], [1.0, 0.125, 1.0, 0.0]);
        assert!((f64::from(power(0.996, 1000)) / 0.996f64.powi(1000) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn special_values() {
        assert!(selu(f32::NAN).is_nan() && selu(-200.0) < -1.758);
        assert!(tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan() && clip_unit(f32::NAN).is_nan());
        assert_eq!((tanh(0.0), sigmoid(0.0), exp(0.0), ln(1.0)), (0.0, 0.5, 1.0, 0.0));
        assert!(tanh(f32::INFINITY) > 0.999_999_7 && tanh(f32::NEG_INFINITY) < -0.999_999_7);
        assert_eq!(sin_cos_pi(0.5), (1.0, 0.0));
        assert_eq!((clip_unit(-3.0), clip_unit(0.25), clip_unit(7.0)), (0.0, 0.25, 1.0));
    }
}
