//! Summary of the fitness of parameters over fresh episodes; below it tests of two samples, and shares.

mod mann_whitney;
mod share;
mod welch;

pub use mann_whitney::MannWhitney;
pub use share::Share;
pub use welch::{Sample, Welch};

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Fitness over episodes. What too few finite values leave undefined is NaN (`null` in JSON).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// Episodes evaluated.
    pub episodes: usize,
    /// How many of them had a NaN or infinite fitness; they are left out of everything below.
    pub non_finite: usize,
    /// Of the finite fitness values, as all that follows.
    pub mean: f64,
    /// Standard deviation of an episode's fitness (n - 1 in the denominator).
    pub sd: f64,
    /// 95 % confidence interval of the mean, Student's t.
    pub ci95: (f64, f64),
    /// Halfway between the two middle ones where their number is even.
    pub median: f64,
    /// 5th percentile, linear between order statistics.
    pub p5: f64,
    /// 95th percentile.
    pub p95: f64,
    /// The worst episode's.
    pub min: f64,
    /// The best episode's.
    pub max: f64,
}

impl Evaluation {
    /// Statistics of the fitness of each episode.
    pub fn of<T: Copy + Into<f64>>(fitness: &[T]) -> Self {
        let mut sorted: Vec<f64> = fitness.iter().map(|&f| f.into()).filter(|f: &f64| f.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let squares: f64 = sorted.iter().map(|f| (f - mean) * (f - mean)).sum();
        let sd = if sorted.len() > 1 { (squares / (n - 1.0)).sqrt() } else { f64::NAN };
        let half = student_t(n - 1.0) * sd / n.sqrt();
        Self {
            episodes: fitness.len(),
            non_finite: fitness.len() - sorted.len(),
            mean,
            sd,
            ci95: (mean - half, mean + half),
            median: percentile(&sorted, 0.5),
            p5: percentile(&sorted, 0.05),
            p95: percentile(&sorted, 0.95),
            min: percentile(&sorted, 0.0),
            max: percentile(&sorted, 1.0),
        }
    }
}

/// Two-sided 95 % quantile of Student's t; NaN without a degree of freedom. From a million degrees on it is the normal's, which
/// is 2.4e-6 less at most; the search for it needs minutes there.
fn student_t(freedom: f64) -> f64 {
    if freedom >= 1e6 {
        return 1.959_963_984_540_054;
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.inverse_cdf(0.975))
}

/// Value below which the fraction `p` of the sorted values lies, linear between neighbours; NaN of nothing.
pub fn percentile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = p * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn a_small_sample_worked_by_hand() {
        // mean 5, squares 32; t(7 degrees of freedom, 0.975) = 2.364624252 from the tables.
        let e = Evaluation::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        let sd = (32.0f64 / 7.0).sqrt();
        close(e.mean, 5.0);
        close(e.sd, sd);
        close(e.ci95.0, 5.0 - 2.364624252 * sd / 8f64.sqrt());
        close(e.ci95.1, 5.0 + 2.364624252 * sd / 8f64.sqrt());
        close(e.median, 4.5);
        close(e.p5, 2.7);
        close(e.p95, 8.3);
        assert_eq!((e.min, e.max, e.episodes, e.non_finite), (2.0, 9.0, 8, 0));
    }

    #[test]
    fn the_quantile_of_students_t_is_that_of_the_tables() {
        for (freedom, t) in [(1.0, 12.706205), (2.0, 4.302653), (10.0, 2.228139), (30.0, 2.042272), (999.0, 1.962341)] {
            close(student_t(freedom), t);
        }
    }

    #[test]
    fn nan_and_infinite_episodes_are_counted_and_left_out() {
        let e = Evaluation::of(&[1.0, f32::NAN, 3.0, f32::NEG_INFINITY]);
        assert_eq!((e.episodes, e.non_finite, e.mean, e.median), (4, 2, 2.0, 2.0));
    }

    #[test]
    fn too_few_values_are_nan_and_no_panic() {
        let one = Evaluation::of(&[-3.0]);
        assert_eq!((one.mean, one.min, one.median), (-3.0, -3.0, -3.0));
        assert!(one.sd.is_nan() && one.ci95.0.is_nan());
        for none in [Evaluation::of::<f32>(&[]), Evaluation::of(&[f32::NAN])] {
            assert!(none.mean.is_nan() && none.sd.is_nan() && none.max.is_nan());
        }
    }

    #[test]
    fn equal_values_have_no_spread() {
        let e = Evaluation::of(&[-2.0; 5]);
        assert_eq!((e.mean, e.sd, e.ci95), (-2.0, 0.0, (-2.0, -2.0)));
    }
}
