//! Welch's test: whether two means differ, of which only mean, deviation and number of values are known, as papers
//! print them.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The least `p` that is told apart from 0.
const LEAST_P: f64 = 1e-300;

/// What is known of values that were summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, n - 1 in the denominator.
    pub sd: f64,
    /// How many they are.
    pub n: f64,
}

/// Two-sided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Welch {
    /// Of the first mean from the second.
    pub difference: f64,
    /// At least 1e-300. Without any spread 1 or the least, as the means are equal or not.
    pub p: f64,
}

impl Welch {
    /// The first sample against the second; `None` where one has no spread to speak of, being a single value.
    pub fn of(first: Sample, second: Sample) -> Option<Self> {
        let usable = |of: Sample| of.n >= 2.0 && of.sd >= 0.0 && of.mean.is_finite();
        if !usable(first) || !usable(second) {
            return None;
        }
        let difference = first.mean - second.mean;
        let [a, b] = [first, second].map(|of| of.sd * of.sd / of.n);
        if a + b == 0.0 {
            return Some(Self { difference, p: if difference == 0.0 { 1.0 } else { LEAST_P } });
        }
        let freedom = (a + b) * (a + b) / (a * a / (first.n - 1.0) + b * b / (second.n - 1.0));
        let t = difference / (a + b).sqrt();
        let p = 2.0 * StudentsT::new(0.0, 1.0, freedom).ok()?.cdf(-t.abs());
        Some(Self { difference, p: p.clamp(LEAST_P, 1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(mean: f64, sd: f64, n: f64) -> Sample {
        Sample { mean, sd, n }
    }

    /// Values of scipy 1.17.1: `ttest_ind_from_stats(..., equal_var=False)`.
    #[test]
    fn it_is_that_of_scipy() {
        let cases = [
            ((-45.9, 33.5, 10.0), (-18.22, 2.44, 30.0), 0.028_164_202_958_975_6),
            ((-28.0, 1.5, 3.0), (-18.22, 2.44, 30.0), 0.001_625_399_072_076_816),
            ((456.05, 83.38, 100.0), (500.0, 0.0, 100.0), 7.956_831_560_031_09e-7),
            ((1.0, 2.0, 2.0), (1.5, 0.1, 5.0), 0.783_661_796_465_325_6),
            ((36.0, 0.5, 30.0), (26.16, 0.066, 30.0), 2.653_747_016_201e-40),
        ];
        for ((m1, s1, n1), (m2, s2, n2), p) in cases {
            let test = Welch::of(sample(m1, s1, n1), sample(m2, s2, n2)).unwrap();
            assert!((test.p / p - 1.0).abs() < 1e-8, "{} is not {p}", test.p);
            let other = Welch::of(sample(m2, s2, n2), sample(m1, s1, n1)).unwrap();
            assert!((other.p / p - 1.0).abs() < 1e-8 && other.difference == -test.difference);
        }
    }

    #[test]
    fn single_values_say_nothing_and_equal_ones_all() {
        assert_eq!(Welch::of(sample(1.0, f64::NAN, 1.0), sample(2.0, 1.0, 30.0)), None);
        assert_eq!(Welch::of(sample(f64::NAN, f64::NAN, 0.0), sample(2.0, 1.0, 30.0)), None);
        let p = |mean| Welch::of(sample(mean, 0.0, 100.0), sample(500.0, 0.0, 100.0)).unwrap().p;
        assert_eq!((p(500.0), p(499.0)), (1.0, LEAST_P));
    }
}
