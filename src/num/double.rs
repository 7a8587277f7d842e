//! Sine and cosine in double precision to the very bits of the GNU C library's, in which Gymnasium's worlds compute.
//!
//! Correct rounding would not do: the library is a little off in a few of a thousand arguments, and a world must be off with
//! it. So this follows the library's method (IBM Accurate Mathematical Library, `sysdeps/ieee754/dbl-64/s_sin.c` of glibc
//! 2.28 and later) as compiled for processors with a fused multiply-add, which is what every x86-64 processor of the last
//! decade runs: a `mul_add` below stands where the compiler made one there. Other C libraries, and glibc on processors
//! without it, differ in the last place of a few of a thousand results.
//!
//! All is selects, so loops over lanes vectorise; see [`crate::num`].

/// 1.5 * 2^45: adding it rounds a small number to a multiple of 1/128, whose number is then in the sum's low bits.
const ROUND_TO_ROW: f64 = 52_776_558_133_248.0;

/// 1.5 * 2^52: the same for whole numbers.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// pi/2 as the sum of four, of which the first three are so short that small multiples of them are exact.
const HALF_PI: [f64; 4] = [
    f64::from_bits(0x3FF9_21FB_5800_0000),
    f64::from_bits(0xBE4D_DE97_3C00_0000),
    f64::from_bits(0xBC8C_B3B3_9800_0000),
    f64::from_bits(0xBACD_747F_23E3_2ED7),
];

/// Row `k`: sin(k/128), what the double lacks of it, cos(k/128), and what that lacks. `build.rs` gives it to the kernels.
pub(crate) static ROWS: [[f64; 4]; 128] = rows();

/// Both Taylor series in integers, in units of 2^-120.
const fn rows() -> [[f64; 4]; 128] {
    const UNIT: f64 = 1.0 / (1_u128 << 120) as f64;
    let mut rows = [[0.0; 4]; 128];
    let mut k = 0;
    while k < 128 {
        let mut sums = [0_i128; 2];
        let mut term = 1_i128 << 120;
        let mut power = 0;
        while term > 0 {
            let sum = &mut sums[1 - power % 2];
            *sum += if power % 4 < 2 { term } else { -term };
            power += 1;
            term = term * k as i128 / (128 * power as i128);
        }
        let mut i = 0;
        while i < 2 {
            let nearest = sums[i] as f64;
            rows[k][2 * i] = nearest * UNIT;
            rows[k][2 * i + 1] = (sums[i] - nearest as i128) as f64 * UNIT;
            i += 1;
        }
        k += 1;
    }
    rows
}

/// (sin x, cos x) for |x| < 1e8 radians, beyond which nothing is promised but that NaN and infinities give NaN. The bits of
/// glibc's `sin` and `cos`, themselves less than 0.55 units in the last place from the truth.
#[inline(always)]
pub fn sin_cos(x: f64) -> (f64, f64) {
    let (angle, rest, quarters) = reduce(x);
    let (sin, cos) = (sine(angle, rest), cosine(angle, rest));
    let (a, b) = if quarters & 1 == 0 { (sin, cos) } else { (cos, sin) };
    let sin_sign = (quarters & 2) << 62;
    let cos_sign = (quarters.wrapping_add(1) & 2) << 62;
    (f64::from_bits(a.to_bits() ^ sin_sign), f64::from_bits(b.to_bits() ^ cos_sign))
}

/// Below this there is nothing to reduce.
pub const SMALL: f64 = f64::from_bits(0x3FEB_6000_0000_0000);

/// The bits of [`sin_cos`] for |x| < [`SMALL`], in half the operations.
#[inline(always)]
pub fn small_sin_cos(x: f64) -> (f64, f64) {
    let polynomial = x + (x * x) * (small_sine(x * x) * x);
    let (&[sin, sin_rest, cos, cos_rest], r) = nearest_row(x);
    let (cube, factor, c) = series(r);
    let s = r + cube * factor;
    let sum = cos_rest.mul_add(s, sin_rest);
    let sum = c.mul_add(-sin, sum);
    let sine = sin + s.mul_add(cos, sum);
    let size = if x.abs() < POLYNOMIAL { polynomial } else { sine };
    let s = cube.mul_add(factor, r);
    let sum = s.mul_add(-sin_rest, cos_rest);
    let sum = c.mul_add(-cos, sum);
    let sum = s.mul_add(-sin, sum);
    (size.copysign(x), cos + sum)
}

/// sin x; as [`sin_cos`].
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    sin_cos(x).0
}

/// cos x; as [`sin_cos`].
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    sin_cos(x).1
}

/// x as quarter turns and an angle of at most about pi/4, which is the sum of two numbers.
#[inline(always)]
fn reduce(x: f64) -> (f64, f64, u64) {
    // The library compares the upper halves of the bits. For one quarter it goes another way, which has made no
    // difference in 4e8 arguments.
    const ONE: f64 = f64::from_bits(0x4003_68FD_0000_0000);
    let size = x.abs();
    let shifted = if size < ONE { ROUND + 1_f64.copysign(x) } else { x.mul_add(std::f64::consts::FRAC_2_PI, ROUND) };
    let n = shifted - ROUND;
    let [first, second, third, fourth] = HALF_PI;
    let y = n.mul_add(-second, n.mul_add(-first, x));
    let z = n.mul_add(-third, y);
    let rest = n.mul_add(-third, y - z);
    let angle = n.mul_add(-fourth, z);
    let rest = rest + n.mul_add(-fourth, z - angle);
    if size < SMALL { (x, 0.0, 0) } else { (angle, rest, shifted.to_bits()) }
}

/// The row next to |x|, and how far |x| is from it.
#[inline(always)]
fn nearest_row(x: f64) -> (&'static [f64; 4], f64) {
    let shifted = ROUND_TO_ROW + x.abs();
    (&ROWS[(shifted.to_bits() & 127) as usize], x.abs() - (shifted - ROUND_TO_ROW))
}

/// Of a small x: x^3, what it is multiplied with in sin x = x + ..., and 1 - cos x.
#[inline(always)]
fn series(x: f64) -> (f64, f64, f64) {
    let xx = x * x;
    let sine = xx.mul_add(8.333_332_142_857_223e-3, -0.166_666_666_666_664_88);
    let cosine = xx.mul_add(1.388_888_740_079_376e-3, -0.041_666_666_666_666_44);
    (x * xx, sine, xx * xx.mul_add(cosine, 0.5))
}

/// Up to this a polynomial is enough for the sine.
const POLYNOMIAL: f64 = 0.126;

/// (sin x / x - 1) / x^2, of x^2.
#[inline(always)]
fn small_sine(xx: f64) -> f64 {
    let p = xx.mul_add(-2.502_201_484_831_84e-8, 2.755_729_806_860_771e-6);
    let p = xx.mul_add(p, -1.984_126_983_441_464_2e-4);
    let p = xx.mul_add(p, 8.333_333_333_332_329e-3);
    xx.mul_add(p, -0.166_666_666_666_666_66)
}

/// sin(x + rest).
#[inline(always)]
fn sine(x: f64, rest: f64) -> f64 {
    let xx = x * x;
    let p = small_sine(xx);
    let small = x + xx.mul_add(p.mul_add(x, -(0.5 * rest)), rest);

    let (&[sin, sin_rest, cos, cos_rest], r) = nearest_row(x);
    let rest = if x > 0.0 { rest } else { -rest };
    let (cube, factor, c) = series(r);
    let s = r + cube.mul_add(factor, rest);
    let c = r.mul_add(rest, c);
    let sum = cos_rest.mul_add(s, sin_rest);
    let sum = c.mul_add(-sin, sum);
    let sum = s.mul_add(cos, sum);
    let size = if x.abs() < POLYNOMIAL { small } else { sin + sum };
    size.copysign(x)
}

/// cos(x + rest).
#[inline(always)]
fn cosine(x: f64, rest: f64) -> f64 {
    let (&[sin, sin_rest, cos, cos_rest], r) = nearest_row(x);
    let r = r + if x < 0.0 { -rest } else { rest };
    let (cube, factor, c) = series(r);
    let s = cube.mul_add(factor, r);
    let sum = s.mul_add(-sin_rest, cos_rest);
    let sum = c.mul_add(-cos, sum);
    let sum = s.mul_add(-sin, sum);
    cos + sum
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::hash::fnv1a;
    use crate::rng::philox;

    /// Arguments in [-high, high), most of the way to the last bit.
    pub fn arguments(high: f64, count: u32) -> impl Iterator<Item = f64> {
        (0..count).flat_map(move |i| {
            let [a, b, c, d] = philox([i, 0, 0, 0], [1, 2]);
            [(a, b), (c, d)].map(|(a, b)| {
                let unit = (f64::from(a) * 4_294_967_296.0 + f64::from(b)) / 18_446_744_073_709_551_616.0;
                high * (2.0 * unit - 1.0)
            })
        })
    }

    /// Each range of the method.
    const HIGH: [f64; 6] = [0.126, 0.9, 2.5, 10.0, 1000.0, 1e8];

    /// Whether this platform's functions are those that this file follows; says so where they are not.
    pub fn is_glibc() -> bool {
        #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
        let is_glibc = is_x86_feature_detected!("fma");
        #[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
        let is_glibc = false;
        if !is_glibc {
            eprintln!("passed over: this platform's functions are not those of glibc with a fused multiply-add");
        }
        is_glibc
    }

    #[test]
    fn bits_are_those_of_glibc() {
        if !is_glibc() {
            return;
        }
        for x in HIGH.into_iter().flat_map(|high| arguments(high, 200_000)).chain([0.0, -0.0, 1e-300, -1e-9]) {
            let (sin, cos) = sin_cos(x);
            assert_eq!((sin.to_bits(), cos.to_bits()), (x.sin().to_bits(), x.cos().to_bits()), "{x:e}");
        }
    }

    #[test]
    fn the_short_way_of_small_numbers_gives_the_same_bits() {
        let high = SMALL.next_down();
        let ends = [0.0, -0.0, POLYNOMIAL, POLYNOMIAL.next_down(), high, -high, 1e-300, -1e-9, f64::MIN_POSITIVE / 8.0];
        for x in [1e-6, 0.126, 0.21, high].into_iter().flat_map(|high| arguments(high, 300_000)).chain(ends) {
            let (short, long) = (small_sin_cos(x), sin_cos(x));
            assert_eq!((short.0.to_bits(), short.1.to_bits()), (long.0.to_bits(), long.1.to_bits()), "{x:e}");
        }
    }

    #[test]
    fn bits_are_the_same_on_every_machine() {
        let mut bytes = Vec::new();
        for x in HIGH.into_iter().flat_map(|high| arguments(high, 10_000)) {
            bytes.extend([sin(x), cos(x)].into_iter().flat_map(f64::to_le_bytes));
        }
        assert_eq!(fnv1a(bytes), 5_459_976_167_192_006_897);
    }

    #[test]
    fn special_values() {
        assert_eq!((sin(0.0), cos(0.0), cos(-0.0)), (0.0, 1.0, 1.0));
        assert!(sin(-0.0).is_sign_negative());
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(sin(x).is_nan() && cos(x).is_nan());
        }
    }
}
