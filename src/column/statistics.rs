//! What spike trains are like, population by population, as the column's literature measures it.
//!
//! Rates; the coefficient of variation of a neuron's intervals, averaged over neurons with at least ten spikes; synchrony as the
//! variance of the population's spike count in bins of 3 ms, in parts of its mean (Potjans & Diesmann 2014); the mean
//! correlation of neurons' counts in bins of 2 ms.

use serde::Serialize;

use super::{DT, Spike};
use crate::rng::{Row, Stream};

/// Bins of the synchrony, in steps.
const SYNCHRONY_BIN: u32 = 30;
/// Bins of the correlation, in steps.
const CORRELATION_BIN: u32 = 20;
/// Neurons whose correlations are taken, at most.
const CORRELATED: usize = 200;
/// Fewest spikes of a neuron whose intervals count.
const FEWEST: usize = 10;

/// Of one population. A measure is absent where too little was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// Spikes in all.
    pub spikes: usize,
    /// Mean over neurons, Hz.
    pub rate: f64,
    /// Standard deviation over neurons, Hz.
    pub rate_sd: f64,
    /// Part of the neurons without a spike.
    pub silent: f64,
    /// Of intervals, mean over neurons.
    pub cv: Option<f64>,
    /// Neurons that it is a mean of.
    pub cv_neurons: usize,
    /// Variance over mean of the population's count in 3 ms.
    pub synchrony: Option<f64>,
    /// Mean over pairs of up to 200 active neurons, counts in 2 ms.
    pub correlation: Option<f64>,
}

impl Statistics {
    /// Of `neurons` neurons whose spikes, as (step, neuron) in the order of steps, were counted from after `start` for `steps`
    /// steps.
    pub fn new(neurons: usize, spikes: &[(u32, u32)], start: u32, steps: u32) -> Self {
        let seconds = f64::from(steps) * DT * 1e-3;
        let mut trains = vec![Vec::new(); neurons];
        for &(step, neuron) in spikes {
            trains[neuron as usize].push(step);
        }
        let rates: Vec<f64> = trains.iter().map(|train| train.len() as f64 / seconds).collect();
        let rate = mean(&rates);
        let cvs: Vec<f64> = trains.iter().filter(|train| train.len() >= FEWEST).map(|train| cv(train)).collect();
        Self {
            spikes: spikes.len(),
            rate,
            rate_sd: variance(&rates, rate).sqrt(),
            silent: trains.iter().filter(|train| train.is_empty()).count() as f64 / neurons as f64,
            cv: (!cvs.is_empty()).then(|| mean(&cvs)),
            cv_neurons: cvs.len(),
            synchrony: synchrony(spikes, start, steps),
            correlation: correlation(&trains, start, steps),
        }
    }
}

/// The spikes of each population, as (step, number of the neuron in it), of those after step `start`.
pub fn by_population(
    spikes: &[Spike],
    start: u32,
    populations: usize,
    place: impl Fn(usize) -> (usize, usize),
) -> Vec<Vec<(u32, u32)>> {
    let mut sorted = vec![Vec::new(); populations];
    for spike in spikes.iter().filter(|spike| spike.step > start) {
        let (population, neuron) = place(spike.lane as usize);
        sorted[population].push((spike.step, neuron as u32));
    }
    sorted
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / values.len() as f64
}

fn cv(train: &[u32]) -> f64 {
    let intervals: Vec<f64> = train.windows(2).map(|two| f64::from(two[1] - two[0])).collect();
    let mean = mean(&intervals);
    variance(&intervals, mean).sqrt() / mean
}

fn synchrony(spikes: &[(u32, u32)], start: u32, steps: u32) -> Option<f64> {
    let mut counts = vec![0.0; (steps / SYNCHRONY_BIN) as usize];
    for &(step, _) in spikes {
        if let Some(count) = counts.get_mut(((step - start - 1) / SYNCHRONY_BIN) as usize) {
            *count += 1.0;
        }
    }
    let mean = mean(&counts);
    (mean > 0.0).then(|| variance(&counts, mean) / mean)
}

/// Of all pairs of n neurons the mean correlation is (V - n) / (n (n - 1)), V the mean square of the sum of their standardised
/// counts.
fn correlation(trains: &[Vec<u32>], start: u32, steps: u32) -> Option<f64> {
    let bins = (steps / CORRELATION_BIN) as usize;
    let mut chosen: Vec<(u32, &Vec<u32>)> = trains
        .iter()
        .enumerate()
        .filter(|(_, train)| !train.is_empty())
        .map(|(neuron, train)| {
            let row = Row { seed: 0, stream: Stream::Sample, generation: 0, index: neuron as u32 };
            (row.block(0)[0], train)
        })
        .collect();
    chosen.sort_by_key(|(word, _)| *word);
    chosen.truncate(CORRELATED);
    let mut sum = vec![0.0; bins];
    let mut neurons = 0.0;
    for (_, train) in chosen {
        let mut counts = vec![0.0; bins];
        for &step in train {
            let bin = ((step - start - 1) / CORRELATION_BIN) as usize;
            counts[bin.min(bins.checked_sub(1)?)] += 1.0;
        }
        let mean = mean(&counts);
        let sd = variance(&counts, mean).sqrt();
        if sd > 0.0 {
            neurons += 1.0;
            sum.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += (count - mean) / sd);
        }
    }
    let square = sum.iter().map(|z| z * z).sum::<f64>() / bins as f64;
    (neurons >= 2.0).then(|| (square - neurons) / (neurons * (neurons - 1.0)))
}
