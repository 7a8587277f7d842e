//! The square of a double as Python's `x ** 2` gives it: glibc's `pow(x, 2.0)`, which is not always the nearest double (one in
//! a thousand is off), to the very bits.
//!
//! The method is that of Arm's Optimized Routines (`math/pow.c`, Nagy 2018), which glibc has since 2.28: e to the power of twice
//! the logarithm, which comes as the sum of two numbers. As in [`super::double`], a `mul_add` stands where glibc's build for
//! processors with a fused multiply-add has one. The tables follow from their definition. `build.rs` gives them to the kernels.

/// ln 2 in two parts: the first is so short that small multiples are exact.
const LN2: [f64; 2] = [0.693_147_180_559_890_3, 5.497_923_018_708_371e-14];

/// 128 / ln 2, and -ln 2 / 128 in two parts.
const STEPS: f64 = 184.664_965_233_787_3;
const STEP: [f64; 2] = [-5.415_212_348_111_709e-3, -1.286_402_311_163_834_6e-14];

/// 1.5 * 2^52: adding it rounds a small number to a whole one, which is then in the sum's low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Where the intervals of [`LOGARITHMS`] begin, as bits: just below the square root of 1/2.
const FIRST: u64 = 0x3FE6_9555_0000_0000;

/// For each of 128 intervals of [FIRST, 2 FIRST): a short number near the reciprocal of its middle, minus that number's logarithm
/// rounded to 2^-43, and what that lacks.
pub(crate) static LOGARITHMS: [[f64; 3]; 128] = logarithms();

/// 2^(i/128) as bits, without what the index adds to the exponent, and what the double lacks, relative to it.
pub(crate) static POWERS: [(f64, u64); 128] = powers();

/// ln(a/b) for a > b in units of 2^-110, by the series of the inverse hyperbolic tangent.
const fn logarithm(a: i128, b: i128) -> i128 {
    let (above, below) = (a - b, a + b);
    let mut term = (2 << 110) * above / below;
    let (mut sum, mut n) = (0, 1);
    while term > 0 {
        sum += term / n;
        term = term * (above * above) / (below * below);
        n += 2;
    }
    sum
}

const fn logarithms() -> [[f64; 3]; 128] {
    const UNIT: f64 = 1.0 / (1_u128 << 110) as f64;
    let mut rows = [[0.0; 3]; 128];
    let mut i = 0;
    while i < 128 {
        let bits = FIRST + ((i as u64) << 45);
        let middle = (f64::from_bits(bits) + f64::from_bits(bits + (1 << 45))) / 2.0;
        let parts = if middle < 1.0 { 128 } else { 256 };
        let reciprocal = (parts as f64 / middle + 0.5) as i128;
        let negative = reciprocal > parts;
        let size = if negative { logarithm(reciprocal, parts) } else { logarithm(parts, reciprocal) };
        let short = (size + (1 << 66)) >> 67 << 67;
        let sign = if negative { -UNIT } else { UNIT };
        rows[i] = [reciprocal as f64 / parts as f64, short as f64 * sign, (size - short) as f64 * sign];
        i += 1;
    }
    rows
}

const fn powers() -> [(f64, u64); 128] {
    /// Product of two numbers below 4 in units of 2^-104.
    const fn product(a: i128, b: i128) -> i128 {
        const LOW: i128 = (1 << 52) - 1;
        (a >> 52) * (b >> 52) + (((a >> 52) * (b & LOW) + (a & LOW) * (b >> 52)) >> 52)
    }
    let mut rows = [(0.0, 0); 128];
    let mut i = 0;
    while i < 128 {
        let x = logarithm(2, 1) / 64 * i as i128 / 128;
        let (mut sum, mut term, mut n) = (0, 1 << 104, 1);
        while term > 0 {
            sum += term;
            term = product(term, x) / n;
            n += 1;
        }
        let nearest = sum as f64;
        let bits = (nearest / (1_u128 << 104) as f64).to_bits();
        rows[i] = ((sum - nearest as i128) as f64 / nearest, bits - ((i as u64) << 45));
        i += 1;
    }
    rows
}

/// x^2 as glibc's `pow(x, 2.0)`; of what is beyond 2^-300 and 2^300, or no number, x * x.
#[inline(always)]
pub fn square(x: f64) -> f64 {
    let (log, rest) = logarithm_of(x.abs());
    let power = exponential(2.0 * log, 2.0 * rest);
    let is_ordinary = (x.abs() > 4.909_093_465_297_727e-91) & (x.abs() < 2.037_035_976_334_486e90);
    if is_ordinary { power } else { x * x }
}

/// ln x, and what that lacks, of a positive x.
#[inline(always)]
fn logarithm_of(x: f64) -> (f64, f64) {
    // x = 2^k z with z in [FIRST, 2 FIRST).
    let above = x.to_bits().wrapping_sub(FIRST);
    let k = f64::from((above as i64 >> 52) as i32);
    let z = f64::from_bits(x.to_bits().wrapping_sub(above & (0xFFF << 52)));
    let [reciprocal, log, log_rest] = LOGARITHMS[(above >> 45 & 127) as usize];
    let r = z.mul_add(reciprocal, -1.0);
    // Of ln(1 + r) = r - r^2 / 2 + ... the first two terms are added without loss.
    let whole = k.mul_add(LN2[0], log);
    let first = whole + r;
    let first_rest = (whole - first) + r;
    let half = -0.5 * r;
    let second = r * half;
    let sum = first + second;
    let sum_rest = (first - sum) + second;
    let second_rest = half.mul_add(r, -second);
    let p = r.mul_add(1.000_041_526_367_554_2, -1.142_909_628_459_501);
    let p = p.mul_add(second, r.mul_add(-0.666_666_666_348_773_9, 0.799_999_999_532_397_6));
    let p = second.mul_add(p, r.mul_add(0.500_000_000_000_000_7, -0.666_666_666_666_667_9));
    let rest = k.mul_add(LN2[1], log_rest) + first_rest + second_rest + sum_rest;
    let rest = (r * second).mul_add(p, rest);
    let log = sum + rest;
    (log, (sum - log) + rest)
}

/// e^(x + rest), x not too far from 0.
#[inline(always)]
fn exponential(x: f64, rest: f64) -> f64 {
    let shifted = x.mul_add(STEPS, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(STEP[1], n.mul_add(STEP[0], x)) + rest;
    let (lacking, bits) = POWERS[(shifted.to_bits() & 127) as usize];
    let scale = f64::from_bits(bits.wrapping_add(shifted.to_bits() << 45));
    let rr = r * r;
    let p = r.mul_add(0.166_666_666_666_658_86, 0.499_999_999_999_967_86).mul_add(rr, r + lacking);
    let p = r.mul_add(8.333_335_853_059_549e-3, 0.041_666_680_841_067_4).mul_add(rr * rr, p);
    scale.mul_add(p, scale)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;
    use crate::num::double::tests::{arguments, is_glibc};

    #[test]
    fn bits_are_those_of_glibc() {
        if !is_glibc() {
            return;
        }
        let ordinary = [1.0, 2.0, 30.0, 1e9].into_iter().flat_map(|high| arguments(high, 200_000));
        for x in ordinary.chain([0.0, -0.0, 1.0, 0.5, 1e-200, 1e200, f64::INFINITY, 1.0 + f64::EPSILON]) {
            // The compiler knows a power of 2 when it sees one.
            let power = black_box(x).powf(black_box(2.0));
            assert_eq!(square(x).to_bits(), power.to_bits(), "{x:e}");
        }
        assert!(square(f64::NAN).is_nan());
    }

    #[test]
    fn bits_are_the_same_on_every_machine() {
        let squares = [1.0, 30.0].into_iter().flat_map(|high| arguments(high, 10_000)).map(square);
        assert_eq!(crate::hash::fnv1a(squares.flat_map(f64::to_le_bytes)), 10_624_737_019_910_716_612);
    }
}
