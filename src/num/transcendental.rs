//! Logarithm, exponential and arctangent in double precision: fixed sequences of `+ - * /` and `sqrt`, no libm, nothing
//! fused. They make the tables and set-ups of exact sampling, where single precision would show.
//!
//! Each is a power series after an exact reduction of its argument; the terms left out are below 2^-57 of the sum.

/// ln 2 as the sum of two; the first has trailing zeros, so that small multiples of it are exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

/// 2 artanh(s) for |s| <= 0.172.
#[inline(always)]
fn twice_artanh(s: f64) -> f64 {
    let t = s * s;
    let mut p = 1.0 / 23.0;
    for n in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        p = p * t + 1.0 / n;
    }
    2.0 * s + 2.0 * s * (t * p)
}

/// Natural logarithm of a normal positive number. Relative error below 5e-16, also near 1.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    // x = 2^e * m with m in [sqrt(1/2), sqrt(2)), as in `num::ln`.
    const SQRT_HALF_BITS: u64 = 0x3FE6_A09E_667F_3BCD;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    let e = ((shifted as i64) >> 52) as f64;
    let m = f64::from_bits((shifted & 0x000F_FFFF_FFFF_FFFF).wrapping_add(SQRT_HALF_BITS));
    e * LN_2[0] + (twice_artanh((m - 1.0) / (m + 1.0)) + e * LN_2[1])
}

/// ln(1 + x) for x > -1. Relative error below 8e-16, also for small x.
#[inline(always)]
pub fn ln_1p(x: f64) -> f64 {
    if x.abs() < 0.25 { twice_artanh(x / (2.0 + x)) } else { ln(1.0 + x) }
}

/// e^x for x up to 700; 0 below -700. Relative error below 5e-16.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    /// 1.5 * 2^52: adding it rounds to a whole number, which is then in the sum's low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let bounded = if x < -700.0 { -700.0 } else { x };
    let shifted = bounded * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (bounded - n * LN_2[0]) - n * LN_2[1];
    let mut p = 1.0 / 14.0;
    for n in [13.0, 12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0] {
        p = (1.0 + r * p) * (1.0 / n);
    }
    let power_of_two = f64::from_bits((shifted.to_bits() << 52).wrapping_add(0x3FF0_0000_0000_0000));
    if x < -700.0 { 0.0 } else { (1.0 + (r + r * (r * p))) * power_of_two }
}

/// The angle in [0, pi] of the point (x, y), y >= 0, other than the origin. Relative error below 1e-15.
#[inline(always)]
pub fn angle(y: f64, x: f64) -> f64 {
    // Halved three times by tan(a / 2) = sin a / (1 + cos a), after which the tangent is at most tan(pi / 16).
    let length = (x * x + y * y).sqrt();
    let half = y / (length + x.abs());
    let quarter = half / (1.0 + (1.0 + half * half).sqrt());
    let eighth = quarter / (1.0 + (1.0 + quarter * quarter).sqrt());
    let t = eighth * eighth;
    let mut p = 1.0 / 23.0;
    for n in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        p = 1.0 / n - p * t;
    }
    let angle = 8.0 * (eighth - eighth * (t * p));
    if x < 0.0 { std::f64::consts::PI - angle } else { angle }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest relative error over `n` points of [a, b]; the system's library is within 1e-16 of the truth.
    fn worst(f: fn(f64) -> f64, reference: fn(f64) -> f64, (a, b): (f64, f64)) -> f64 {
        let n = 200_003;
        (0..n)
            .map(|i| {
                let x = a + (b - a) * (f64::from(i) / f64::from(n - 1));
                let r = reference(x);
                if r == 0.0 { f(x).abs() } else { (f(x) / r - 1.0).abs() }
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn functions_are_within_their_stated_errors() {
        for range in [(1e-300, 1e-290), (1e-6, 1.0), (0.9, 1.1), (0.5, 2.0), (1.0, 1e9)] {
            assert!(worst(ln, f64::ln, range) < 5e-16, "{range:?}: {:e}", worst(ln, f64::ln, range));
        }
        for range in [(-0.999, 3.0), (-0.3, 0.3), (-1e-9, 1e-9)] {
            assert!(worst(ln_1p, f64::ln_1p, range) < 8e-16, "{range:?}: {:e}", worst(ln_1p, f64::ln_1p, range));
        }
        for range in [(-700.0, 700.0), (-1.0, 1.0), (-1e-9, 1e-9)] {
            assert!(worst(exp, f64::exp, range) < 5e-16, "{range:?}: {:e}", worst(exp, f64::exp, range));
        }
        assert_eq!((exp(-701.0), exp(0.0), ln(1.0), angle(0.0, 2.0)), (0.0, 1.0, 0.0, 0.0));
        for i in 0..=100_000 {
            let a = std::f64::consts::PI * f64::from(i) / 100_000.0;
            let (y, x) = (a.sin().abs() * 0.37, a.cos() * 0.37);
            assert!((angle(y, x) - y.atan2(x)).abs() <= 1e-15 * y.atan2(x), "{a}");
        }
    }
}
