//! The Mann-Whitney test: whether values of one sample tend to be larger than those of another, whatever their distribution.
//! Meals and right choices are whole numbers with many ties, so Student's t is not for them.

use std::f64::consts::SQRT_2;
use std::fmt;

use serde::Serialize;
use statrs::function::erf::erfc;

/// The least `p` that is told apart from 0: a double holds none much smaller.
const LEAST_P: f64 = 1e-300;

/// Two-sided, by the normal approximation with the corrections for ties and continuity. NaN (`null` in JSON) where a sample is
/// empty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MannWhitney {
    /// Size of the effect: how likely a value of the first sample is larger than one of the second, equal ones counted
    /// half; U / (n m).
    pub larger: f64,
    /// At least 1e-300.
    pub p: f64,
}

impl MannWhitney {
    /// The first sample against the second; they have no NaN.
    pub fn of(first: &[f64], second: &[f64]) -> Self {
        let (n, m) = (first.len() as f64, second.len() as f64);
        let (ranks, ties) = rank_sum(first, second);
        let u = ranks - n * (n + 1.0) / 2.0;
        let all = n + m;
        let variance = n * m / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)));
        // Half a rank less, for U moves in steps.
        let distance = ((u - n * m / 2.0).abs() - 0.5).max(0.0);
        let p = if distance == 0.0 { 1.0 } else { erfc(distance / variance.sqrt() / SQRT_2).max(LEAST_P) };
        if n * m == 0.0 { Self { larger: f64::NAN, p: f64::NAN } } else { Self { larger: u / (n * m), p } }
    }
}

/// `0.60, p = 7.1e-20`
impl fmt::Display for MannWhitney {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { larger, p } = *self;
        match p {
            _ if p.is_nan() => f.write_str("-"),
            _ if p <= LEAST_P => write!(f, "{larger:.2}, p < {LEAST_P:e}"),
            _ if p < 0.001 => write!(f, "{larger:.2}, p = {p:.1e}"),
            _ => write!(f, "{larger:.2}, p = {p:.3}"),
        }
    }
}

/// Sum of the ranks (from 1, equal values share theirs) of the first sample among all; and of t^3 - t over groups of t
/// equal values.
fn rank_sum(first: &[f64], second: &[f64]) -> (f64, f64) {
    let mut all: Vec<(f64, bool)> =
        first.iter().map(|&v| (v, true)).chain(second.iter().map(|&v| (v, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut ranks, mut ties) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let count = equal.len() as f64;
        let of_first = equal.iter().filter(|(_, first)| *first).count() as f64;
        ranks += of_first * (below + (count + 1.0) / 2.0);
        ties += count * (count * count - 1.0);
        below += count;
    }
    (ranks, ties)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy 1.17.1: `mannwhitneyu(a, b, alternative="two-sided", method="asymptotic")`, and its U / (n m).
    #[test]
    fn it_is_that_of_scipy() {
        let up_to = |n: u32, from: u32| (from..from + n).map(f64::from).collect::<Vec<_>>();
        let shares = |ones: usize, zeros: usize| [vec![1.0; ones], vec![0.0; zeros]].concat();
        let cases = [
            (up_to(5, 1), up_to(6, 3), 0.066015431521231, 0.15),
            (vec![19.0, 22.0, 16.0, 29.0, 24.0], vec![20.0, 11.0, 17.0, 12.0], 0.11134688653314041, 0.85),
            (shares(700, 300), shares(500, 500), 7.082726502645392e-20, 0.6),
            (shares(0, 20), shares(17, 3), 8.64113160831182e-8, 0.075),
            (vec![1.5, -2.0, -2.0, 0.0, 7.0, 7.0, 7.0], vec![7.0, -2.0, 0.25], 0.9051751897897428, 0.5476190476190477),
            (up_to(400, 0), up_to(400, 500), 2.4454330676476674e-132, 0.0),
            (vec![5.0; 10], vec![5.0; 7], 1.0, 0.5),
            (vec![2.0], vec![1.0], 1.0, 1.0),
        ];
        for (first, second, p, larger) in cases {
            let test = MannWhitney::of(&first, &second);
            assert!((test.p / p - 1.0).abs() < 1e-9, "{} is not {p}", test.p);
            assert!((test.larger - larger).abs() < 1e-12, "{} is not {larger}", test.larger);
            let other = MannWhitney::of(&second, &first);
            assert!((other.p / p - 1.0).abs() < 1e-9 && (other.larger - (1.0 - larger)).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_too_small_for_a_double_is_not_zero() {
        let values: Vec<f64> = (0..3000).map(f64::from).collect();
        let above: Vec<f64> = values.iter().map(|v| v + 5000.0).collect();
        let test = MannWhitney::of(&above, &values);
        assert_eq!(test, MannWhitney { larger: 1.0, p: LEAST_P });
        assert_eq!(test.to_string(), "1.00, p < 1e-300");
    }

    #[test]
    fn an_empty_sample_shows_nothing() {
        for (first, second) in [(&[][..], &[1.0][..]), (&[1.0], &[]), (&[], &[])] {
            let test = MannWhitney::of(first, second);
            assert!(test.p.is_nan() && test.larger.is_nan() && test.to_string() == "-", "{test:?}");
        }
    }
}
