//! Sine and cosine of a float, equal to glibc's `sinf` and `cosf` to the last bit: what Box2D turns its bodies with.
//!
//! Arm's optimized routines, which are glibc's since 2.28 (`sysdeps/ieee754/flt-32/s_sincosf.h`; MIT licence): in double
//! precision the angle is brought to [-pi/4, pi/4] by a multiple of pi/2, and one of two short polynomials follows.
//!
//! glibc contracts multiply-adds where the processor has them. Of all floats that changes the result of 17 (and their
//! negatives), always in the reduction; that one is therefore written so that it is exact but for its last rounding,
//! without a fused operation.

use std::f64::consts::FRAC_PI_2;

/// Coefficients of x^3, x^5, x^7 of the sine.
const SIN: [f64; 3] = [-0.16666654943701084, 0.008332178146138854, -0.00019517298981385725];
/// Coefficients of x^2, x^4, x^6, x^8 of the cosine.
const COS: [f64; 4] = [-0.49999999725108224, 0.041666623324344516, -0.001388676379437604, 2.4390450703564542e-05];
/// 2^24 * 2 / pi.
const TURNS: f64 = 10_680_707.430_881_744;
/// The upper 43 bits of pi/2, which a small integer multiplies exactly, and the others.
const PI_2_HIGH: f64 = f64::from_bits(FRAC_PI_2.to_bits() & !0x3ff);
const PI_2_LOW: f64 = FRAC_PI_2 - PI_2_HIGH;

/// Sine and cosine of an angle in radians; NaN for NaN and infinities.
#[inline]
pub fn sin_cos(angle: f32) -> (f32, f32) {
    // Sign, and the upper bits of the magnitude: the comparisons are of those, as in the original.
    let size = angle.abs().to_bits() >> 20;
    let x = f64::from(angle);
    let (x, quarter) = if size < std::f32::consts::FRAC_PI_4.to_bits() >> 20 {
        if size < (1.0f32 / 4096.0).to_bits() >> 20 {
            return (angle, 1.0);
        }
        (x, 0)
    } else if size < 120.0f32.to_bits() >> 20 {
        // Rounded to nearest by the added half.
        let quarter = ((x * TURNS) as i32 + 0x80_0000) >> 24;
        let n = f64::from(quarter);
        ((x - n * PI_2_HIGH) - n * PI_2_LOW, quarter)
    } else if angle.is_finite() {
        reduce_large(angle)
    } else {
        return (f32::NAN, f32::NAN);
    };
    let s = x * x;
    let cubed = x * s;
    let sin = (x + cubed * SIN[0]) + (cubed * s) * (SIN[1] + s * SIN[2]);
    let fourth = s * s;
    let cos = ((1.0 + s * COS[0]) + fourth * COS[1]) + (fourth * s) * (COS[2] + s * COS[3]);
    // Every operation is odd or even in its operands' signs, so the signs may come last.
    match quarter & 3 {
        0 => (sin as f32, cos as f32),
        1 => (cos as f32, -sin as f32),
        2 => (-sin as f32, -cos as f32),
        _ => (-cos as f32, sin as f32),
    }
}

/// What is left of an angle from 120 on, and the multiple of pi/2 that was taken from it: a product of the 24 bits of the
/// float with those 96 bits of 2/pi that matter.
#[cold]
fn reduce_large(angle: f32) -> (f64, i32) {
    /// The bits of 2/pi behind 24 zeros.
    const TWO_OVER_PI: [u8; 27] = [
        0, 0, 0, 0xa2, 0xf9, 0x83, 0x6e, 0x4e, 0x44, 0x15, 0x29, 0xfc, 0x27, 0x57, 0xd1, 0xf5, 0x34, 0xdd, 0xc0, 0xdb,
        0x62, 0x95, 0x99, 0x3c, 0x43, 0x90, 0x41,
    ];
    let bits = angle.to_bits();
    let start = (bits >> 26 & 15) as usize;
    let word = |at: usize| {
        (0..4).fold(0, |word, i| word << 8 | u32::from(TWO_OVER_PI.get(start + at + i).copied().unwrap_or_default()))
    };
    let mantissa = (bits & 0xff_ffff | 0x80_0000) << (bits >> 23 & 7);
    // In units of 2^-62 quarter turns; what is beyond 2^64 is whole turns.
    let first = u64::from(mantissa.wrapping_mul(word(0)));
    let second = u64::from(mantissa) * u64::from(word(4));
    let third = u64::from(mantissa) * u64::from(word(8));
    let sum = (third >> 32 | first << 32).wrapping_add(second);
    let quarter = sum.wrapping_add(1 << 61) >> 62;
    let rest = sum.wrapping_sub(quarter << 62) as i64;
    let x = rest as f64 * (FRAC_PI_2 / (1u64 << 62) as f64);
    if angle < 0.0 { (-x, -(quarter as i32)) } else { (x, quarter as i32) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `f32::sin` calls the system's `sinf`, which is another one without fused operations.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    fn assert_same_as_the_system(bits: impl Iterator<Item = u32>) {
        if !is_x86_feature_detected!("fma") {
            return;
        }
        for bits in bits {
            for angle in [f32::from_bits(bits), -f32::from_bits(bits)] {
                let (sin, cos) = sin_cos(angle);
                assert_eq!(sin.to_bits(), angle.sin().to_bits(), "sin {angle:e} {bits:#x}");
                assert_eq!(cos.to_bits(), angle.cos().to_bits(), "cos {angle:e} {bits:#x}");
            }
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    fn the_very_floats_of_glibc() {
        assert_same_as_the_system((0..f32::INFINITY.to_bits()).step_by(997));
        // Those that plain multiply-adds get wrong.
        assert_same_as_the_system([0x418a_3adb, 0x41bc_76d9, 0x4202_eb4b, 0x4255_b0a9, 0x4268_7a55].into_iter());
    }

    #[test]
    #[ignore = "every float: a minute"]
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    fn the_very_floats_of_glibc_all_of_them() {
        assert_same_as_the_system(0..f32::INFINITY.to_bits());
    }

    #[test]
    fn special_values() {
        assert_eq!(sin_cos(-0.0).0.to_bits(), (-0.0f32).to_bits());
        assert!(sin_cos(f32::NAN).0.is_nan() && sin_cos(f32::INFINITY).1.is_nan());
    }
}
