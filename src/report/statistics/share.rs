//! A share of lives, and how well it is known.

use serde::Serialize;

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The mean over lives of a value between 0 and 1. NaN (`null` in JSON) of none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Those that have a value.
    pub lives: usize,
    /// Mean of their values.
    pub share: f64,
    /// 95 % confidence interval, Wilson's. Exact for values of 0 and 1; values in between spread less than it allows for.
    pub ci95: (f64, f64),
}

impl Share {
    /// Of one value a life.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let share = values.iter().sum::<f64>() / n;
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let end = |value: f64| (value / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
        Self { lives: values.len(), share, ci95: (end(middle - half), end(middle + half)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy 1.17.1: `binomtest(k, n).proportion_ci(method="wilson")`.
    #[test]
    fn the_interval_is_that_of_scipy() {
        let cases = [
            (0, 10, (0.0, 0.27753279986288926)),
            (10, 10, (0.7224672001371109, 1.0)),
            (7, 10, (0.39677814746114526, 0.892208732593699)),
            (502, 1000, (0.47106219334840704, 0.5329224996176508)),
            (1, 1, (0.20654931437723745, 1.0)),
        ];
        for (ones, lives, (low, high)) in cases {
            let share = Share::of(&[vec![1.0; ones], vec![0.0; lives - ones]].concat());
            assert_eq!((share.lives, share.share), (lives, ones as f64 / lives as f64));
            assert!((share.ci95.0 - low).abs() < 1e-12 && (share.ci95.1 - high).abs() < 1e-12, "{share:?}");
        }
    }

    #[test]
    fn no_life_has_no_share() {
        let none = Share::of(&[]);
        assert!(none.share.is_nan() && none.ci95.0.is_nan() && none.lives == 0);
    }
}
