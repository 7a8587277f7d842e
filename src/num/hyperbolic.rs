//! Hyperbolic tangent of a double, equal to glibc's `tanh` to the last bit: what Gymnasium's wind is made with.
//!
//! FreeBSD's `s_tanh.c` and `s_expm1.c` (Sun Microsystems 1993, freely granted), which glibc has with the polynomial in
//! another order (`sysdeps/ieee754/dbl-64/s_expm1.c`), compiled without fused operations up to glibc 2.38.

/// tanh(x).
pub fn tanh(x: f64) -> f64 {
    let size = x.abs();
    let tanh = if size >= 22.0 || size.is_nan() {
        // NaN stays NaN.
        if size.is_nan() { size } else { 1.0 }
    } else if size < 1.0 / (1u64 << 55) as f64 {
        return x;
    } else if size >= 1.0 {
        let t = expm1(2.0 * size);
        1.0 - 2.0 / (t + 2.0)
    } else {
        let t = expm1(-2.0 * size);
        -t / (t + 2.0)
    };
    if x.is_sign_negative() { -tanh } else { tanh }
}

/// e^x - 1 for 2^-54 <= |x| < 44.
fn expm1(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const Q: [f64; 5] = [
        -3.333_333_333_333_313e-2,
        1.587_301_587_254_814_6e-3,
        -7.936_507_578_674_88e-5,
        4.008_217_827_329_362e-6,
        -2.010_992_181_836_243_7e-7,
    ];
    // Upper halves of ln(2) / 2, 3 ln(2) / 2 and -56 ln(2), with which the original compares.
    let size = (x.to_bits() >> 32) as u32 & 0x7fff_ffff;
    if x < 0.0 && size >= 0x4043_687a {
        return -1.0;
    }
    let (x, c, k) = if size > 0x3fd6_2e42 {
        let (high, low, k) = if size < 0x3ff0_a2b2 {
            if x > 0.0 { (x - LN2_HIGH, LN2_LOW, 1) } else { (x + LN2_HIGH, -LN2_LOW, -1) }
        } else {
            let k = (std::f64::consts::LOG2_E * x + if x < 0.0 { -0.5 } else { 0.5 }) as i32;
            let t = f64::from(k);
            (x - t * LN2_HIGH, t * LN2_LOW, k)
        };
        let rest = high - low;
        (rest, (high - rest) - low, k)
    } else {
        (x, 0.0, 0)
    };
    let half = 0.5 * x;
    let square = x * half;
    let r1 = 1.0 + square * Q[0];
    let squared = square * square;
    let r2 = Q[1] + square * Q[2];
    let fourth = squared * squared;
    let r3 = Q[3] + square * Q[4];
    let r1 = r1 + squared * r2 + fourth * r3;
    let t = 3.0 - r1 * half;
    let e = square * ((r1 - t) / (6.0 - x * t));
    if k == 0 {
        return x - (x * e - square);
    }
    let e = (x * (e - c) - c) - square;
    let power = |k: i32| f64::from_bits(((1023 + k) as u64) << 52);
    let scaled = |y: f64, k: i32| f64::from_bits(y.to_bits().wrapping_add((i64::from(k) << 52) as u64));
    match k {
        -1 => 0.5 * (x - e) - 0.5,
        1 if x < -0.25 => -2.0 * (e - (x + 0.5)),
        1 => 1.0 + 2.0 * (x - e),
        ..=-2 | 57.. => scaled(1.0 - (e - x), k) - 1.0,
        2..20 => scaled((1.0 - power(-k)) - (e - x), k),
        _ => scaled((x - (e + power(-k))) + 1.0, k),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn the_very_doubles_of_glibc() {
        for i in 0..4_000_000 {
            // The whole range, small sizes as often as large ones.
            let x = 30.0 * 0.999_99f64.powi(i) * if i % 2 == 0 { 1.0 } else { -1.0 };
            assert_eq!(tanh(x).to_bits(), x.tanh().to_bits(), "{x:e}");
            let x = i as f64 * 1e-6 - 2.0;
            assert_eq!(tanh(x).to_bits(), x.tanh().to_bits(), "{x:e}");
        }
        assert!(tanh(f64::NAN).is_nan() && tanh(f64::NEG_INFINITY) == -1.0);
    }
}
