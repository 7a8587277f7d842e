//! What a column's populations do, over seeds and beside what is known of them; the figures are in `raster` and `psth`.
//! The report of a search of its parameters is in `search`.

mod psth;
pub mod published;
mod raster;
pub mod search;

use serde::Serialize;

use crate::column::NAMES;
use crate::column::statistics::{Psth, Statistics};

pub use psth::figure as psth;
pub use raster::figure as raster;

/// A measure over seeds. What too few seeds leave undefined is NaN (`null` in JSON).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Over the seeds that have it.
    pub mean: f64,
    /// Standard deviation over seeds (n - 1 in the denominator).
    pub sd: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let values: Vec<f64> = values.flatten().collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Self { mean, sd: if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { f64::NAN } }
    }
}

/// A population over seeds; see [`Statistics`] for the measures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Population {
    /// `L23E`
    pub name: &'static str,
    /// How many.
    pub neurons: usize,
    /// Hz.
    pub rate: Spread,
    /// Standard deviation of rates over neurons, Hz.
    pub rate_sd: Spread,
    /// Part of the neurons without a spike.
    pub silent: Spread,
    /// Of intervals.
    pub cv: Spread,
    /// Variance over mean of the population's count in 3 ms.
    pub synchrony: Spread,
    /// Mean over pairs, counts in 2 ms.
    pub correlation: Spread,
}

/// Every population over seeds, of which each has its statistics.
pub fn populations(sizes: &[usize], seeds: &[Vec<Statistics>]) -> Vec<Population> {
    let of = |(p, (&name, &neurons)): (usize, (&&'static str, &usize))| {
        let spread = |measure: &dyn Fn(&Statistics) -> Option<f64>| {
            Spread::of(seeds.iter().map(|populations| measure(&populations[p])))
        };
        Population {
            name,
            neurons,
            rate: spread(&|s| Some(s.rate)),
            rate_sd: spread(&|s| Some(s.rate_sd)),
            silent: spread(&|s| Some(s.silent)),
            cv: spread(&|s| s.cv),
            synchrony: spread(&|s| s.synchrony),
            correlation: spread(&|s| s.correlation),
        }
    };
    NAMES.iter().zip(sizes).enumerate().map(of).collect()
}

/// Rates around the pulses of a thalamus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// Width of a bin, ms.
    pub bin_ms: f64,
    /// Where each bin begins, ms after the beginning of a pulse.
    pub from_ms: Vec<f64>,
    /// `[population][bin]`, Hz, mean over pulses and seeds; none where nothing was recorded.
    pub rates: Vec<Vec<Option<f64>>>,
}

impl Response {
    /// Of seeds with their populations; `None` where there was no pulse.
    pub fn of(seeds: &[Vec<Psth>]) -> Option<Self> {
        let (first, others) = seeds.split_first()?;
        if first.is_empty() {
            return None;
        }
        let mut sums = first.clone();
        for seed in others {
            sums.iter_mut().zip(seed).for_each(|(sum, more)| sum.add(more));
        }
        let from_ms = (0..Psth::BEFORE + Psth::AFTER).map(|bin| bin as f64 - Psth::BEFORE as f64).collect();
        Some(Self { bin_ms: 1.0, from_ms, rates: sums.iter().map(Psth::rates).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_leave_out_what_was_not_seen() {
        let spread = Spread::of([Some(1.0), None, Some(3.0)].into_iter());
        assert_eq!((spread.mean, spread.sd), (2.0, 2f64.sqrt()));
        let one = Spread::of([Some(4.0)].into_iter());
        assert!(one.mean == 4.0 && one.sd.is_nan());
        assert!(Spread::of(std::iter::empty()).mean.is_nan());
    }
}
