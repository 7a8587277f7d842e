//! What a column is worth: how far its rates, or what else is asked for, are from where they should be.

use serde::{Deserialize, Serialize};

use crate::column::NAMES;
use crate::column::statistics::Statistics;

/// A measure of a population, and where it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// L23E, L23I, L4E, L4I, L5E, L5I, L6E or L6I.
    pub population: String,
    /// `rate` (Hz, the default), `cv` or `synchrony`.
    #[serde(default)]
    pub measure: Measure,
    /// Where it should be.
    pub value: f64,
    /// What a distance of 1 costs. Default 1.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

/// `measure`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Mean over neurons, Hz.
    #[default]
    Rate,
    /// Of intervals.
    Cv,
    /// Variance over mean of counts in 3 ms.
    Synchrony,
}

/// `reward`: what is told of the errors to a search that learns from values; the others look at ranks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reward {
    /// - sqrt(sum of errors): the thesis, as its figures have it.
    #[default]
    RootOfSum,
    /// - sum of sqrt(error): its other reading.
    SumOfRoots,
    /// - sum of errors.
    Sum,
}

/// In vivo rates of excitatory neurons that the thesis aims at, Hz.
pub fn in_vivo() -> Vec<Target> {
    [("L23E", 0.30), ("L4E", 1.40), ("L5E", 2.50), ("L6E", 0.50)]
        .map(|(population, value)| Target { population: population.into(), measure: Measure::Rate, value, weight: 1.0 })
        .to_vec()
}

impl Target {
    /// `rate L23E`
    pub fn name(&self) -> String {
        let measure = match self.measure {
            Measure::Rate => "rate",
            Measure::Cv => "cv",
            Measure::Synchrony => "synchrony",
        };
        format!("{measure} {}", self.population)
    }

    /// Which population it is.
    pub fn index(&self) -> Option<usize> {
        NAMES.iter().position(|name| *name == self.population)
    }

    /// What it measures of a column; NaN where that cannot be told, for want of spikes.
    pub fn measured(&self, column: &[Statistics]) -> f64 {
        let Some(of) = self.index().and_then(|population| column.get(population)) else { return f64::NAN };
        match self.measure {
            Measure::Rate => of.rate,
            Measure::Cv => of.cv.unwrap_or(f64::NAN),
            Measure::Synchrony => of.synchrony.unwrap_or(f64::NAN),
        }
    }

    /// Weighted distance of a measure.
    pub fn error(&self, measured: f64) -> f64 {
        self.weight * (measured - self.value).abs()
    }
}

impl Reward {
    /// Of the errors of all targets.
    pub fn of(self, errors: &[f64]) -> f64 {
        let sum = |of: fn(f64) -> f64| errors.iter().map(|&error| of(error)).sum::<f64>();
        match self {
            Self::RootOfSum => -sum(|error| error).sqrt(),
            Self::SumOfRoots => -sum(f64::sqrt),
            Self::Sum => -sum(|error| error),
        }
    }
}
