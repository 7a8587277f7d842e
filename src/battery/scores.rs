//! Scores of many lives, how well they are known, and what they are held against.

use rayon::prelude::*;
use serde::Serialize;

use crate::report::percentile;
use crate::rng::{Row, Stream};

/// Lives of a model, each the columns that its protocol keeps; NaN is no value.
#[derive(Debug, Clone)]
pub struct Sample<'a>(pub Vec<&'a [f64]>);

impl Sample<'_> {
    /// Values of a column, those that are.
    pub fn values(&self, column: usize) -> impl Iterator<Item = f64> {
        self.0.iter().map(move |life| life[column]).filter(|value| !value.is_nan())
    }

    /// Sum of a column.
    pub fn sum(&self, column: usize) -> f64 {
        self.values(column).sum()
    }

    /// Mean of a column; NaN of none.
    pub fn mean(&self, column: usize) -> f64 {
        let (sum, count) = self.values(column).fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        sum / count
    }

    /// Median of a column; NaN of none.
    pub fn median(&self, column: usize) -> f64 {
        let mut values: Vec<f64> = self.values(column).collect();
        values.sort_by(f64::total_cmp);
        percentile(&values, 0.5)
    }
}

/// A number that lives come to.
#[derive(Debug, Clone, Copy)]
pub struct Score {
    /// As people read it.
    pub name: &'static str,
    /// Of a model's lives; NaN where it is not defined.
    pub of: fn(&Sample) -> f64,
}

impl Score {
    /// Mean over models.
    pub fn mean(&self, models: &[&[Vec<f64>]]) -> f64 {
        mean_of(models.iter().map(|lives| (self.of)(&Sample(lives.iter().map(Vec::as_slice).collect()))))
    }
}

/// Mean over models of a score, with its 95 % confidence interval. NaN (`null` in JSON) where it is not defined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Of all that were played.
    pub mean: f64,
    /// Lower end: 2.5 % of the resamples are below it.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Resamples of an interval: its ends are known to about a twentieth of its length.
const RESAMPLES: u32 = 1000;

impl Interval {
    /// By the bootstrap: models are drawn with replacement, then lives of each. Of one model, lives alone: the interval then
    /// says nothing about others that were evolved in the same way.
    pub fn of(score: &Score, models: &[&[Vec<f64>]]) -> Self {
        let mean = score.mean(models);
        let mut resampled: Vec<f64> =
            (0..RESAMPLES).into_par_iter().map(|index| Self::resample(score, models, index)).collect();
        resampled.retain(|value| !value.is_nan());
        resampled.sort_by(f64::total_cmp);
        // A score that is hardly ever defined has no interval.
        if 2 * resampled.len() < RESAMPLES as usize {
            return Self { mean, low: f64::NAN, high: f64::NAN };
        }
        Self { mean, low: percentile(&resampled, 0.025), high: percentile(&resampled, 0.975) }
    }

    fn resample(score: &Score, models: &[&[Vec<f64>]], index: u32) -> f64 {
        let row = |generation| Row { seed: 0, stream: Stream::Bootstrap, generation, index };
        let below = |word: u32, count: usize| ((u64::from(word) * count as u64) >> 32) as usize;
        let chosen = |place: usize| match models.len() {
            1 => 0,
            count => below(row(0).block(place as u32)[0], count),
        };
        mean_of((0..models.len()).map(|place| {
            let (lives, row) = (models[chosen(place)], row(1 + place as u32));
            let words = (0..lives.len().div_ceil(4)).flat_map(|block| row.block(block as u32));
            (score.of)(&Sample(words.take(lives.len()).map(|word| &lives[below(word, lives.len())][..]).collect()))
        }))
    }
}

/// Of values that may be NaN, which then the mean is, too.
fn mean_of(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// What a score must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// So much, or more.
    AtLeast(f64),
    /// So much, or less.
    AtMost(f64),
    /// Between the two: what chance gives.
    Within(f64, f64),
}

impl Bound {
    /// A value is where it should be.
    pub fn contains(&self, value: f64) -> bool {
        self.holds(&Interval { mean: value, low: value, high: value })
    }

    /// All of the interval is where it should be.
    pub fn holds(&self, interval: &Interval) -> bool {
        match *self {
            Self::AtLeast(bound) => interval.low >= bound,
            Self::AtMost(bound) => interval.high <= bound,
            Self::Within(low, high) => interval.low >= low && interval.high <= high,
        }
    }

    /// None of the interval is; also where there is none.
    pub fn fails(&self, interval: &Interval) -> bool {
        let may_hold = match *self {
            Self::AtLeast(bound) => interval.high >= bound,
            Self::AtMost(bound) => interval.low <= bound,
            Self::Within(low, high) => interval.high >= low && interval.low <= high,
        };
        !may_hold
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
            Self::AtMost(bound) => write!(f, "<= {bound}"),
            Self::Within(low, high) => write!(f, "{low} to {high}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: Score = Score { name: "mean", of: |sample| sample.mean(0) };

    fn model(values: impl Iterator<Item = f64>) -> Vec<Vec<f64>> {
        values.map(|value| vec![value]).collect()
    }

    #[test]
    fn the_interval_of_a_share_is_that_of_the_normal_approximation() {
        // 300 of 1000: standard error sqrt(0.3 0.7 / 1000) = 0.01449; ends are known to a twentieth of 0.057.
        let lives = model((0..1000).map(|i| f64::from(i % 10 < 3)));
        let Interval { mean, low, high } = Interval::of(&MEAN, &[&lives]);
        assert_eq!(mean, 0.3);
        assert!((low - 0.2716).abs() < 0.003 && (high - 0.3284).abs() < 0.003, "{low} {high}");
    }

    #[test]
    fn models_that_differ_widen_it() {
        let models = [0.0, 0.5, 1.0].map(|level| model((0..100).map(|_| level)));
        let models: Vec<&[Vec<f64>]> = models.iter().map(Vec::as_slice).collect();
        let Interval { mean, low, high } = Interval::of(&MEAN, &models);
        assert_eq!(mean, 0.5);
        assert!(low <= 0.17 && high >= 0.83, "{low} {high}");
    }

    #[test]
    fn what_is_not_defined_passes_nothing_and_fails() {
        let none = Interval::of(&MEAN, &[&model(std::iter::repeat_n(f64::NAN, 5))]);
        for bound in [Bound::AtLeast(0.5), Bound::AtMost(0.5), Bound::Within(-1.0, 1.0)] {
            assert!(!bound.holds(&none) && bound.fails(&none), "{bound}");
        }
    }
}
