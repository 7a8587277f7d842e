//! Hyperbolic tangent of a double, equal to glibc's `tanh` to the last bit: what Gymnasium's wind is made with.
//!
//! FreeBSD's `s_tanh.c` and `s_expm1.c` (Sun Microsystems 1993, freely granted), which glibc has with the polynomial in
//! another order (`sysdeps/ieee754/dbl-64/s_expm1.c`). Its expm1 is also built with fused operations, for processors that
//! have them; these are the ones here.

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
            ((-t).mul_add(LN2_HIGH, x), t * LN2_LOW, k)
        };
        let rest = high - low;
        (rest, (high - rest) - low, k)
    } else {
        (x, 0.0, 0)
    };
    let half = 0.5 * x;
    let square = x * half;
    let r1 = square.mul_add(Q[0], 1.0);
    let squared = square * square;
    let r2 = square.mul_add(Q[2], Q[1]);
    let r3 = square.mul_add(Q[4], Q[3]);
    let r = (squared * squared).mul_add(r3, squared.mul_add(r2, r1));
    let t = (-r).mul_add(half, 3.0);
    let e = square * ((r - t) / (-x).mul_add(t, 6.0));
    if k == 0 {
        return x - x.mul_add(e, -square);
    }
    let e = x.mul_add(e - c, -c) - square;
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
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    fn the_very_doubles_of_glibc() {
        if !is_x86_feature_detected!("fma") {
            return;
        }
        for i in 0..4_000_000 {
            // The whole range, small sizes as often as large ones.
            let x = 30.0 * 0.999_99f64.powi(i) * if i % 2 == 0 { 1.0 } else { -1.0 };
            assert_eq!(tanh(x).to_bits(), x.tanh().to_bits(), "{x:e}");
            let x = i as f64 * 1e-6 - 2.0;
            assert_eq!(tanh(x).to_bits(), x.tanh().to_bits(), "{x:e}");
        }
    }

    #[test]
    fn special_values() {
        assert!(tanh(f64::NAN).is_nan());
        assert_eq!((tanh(f64::NEG_INFINITY), tanh(30.0), tanh(-1e-300)), (-1.0, 1.0, -1e-300));
        assert_eq!(tanh(-0.0).to_bits(), (-0.0f64).to_bits());
    }
}
