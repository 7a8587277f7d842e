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
        let trains = trains(neurons, spikes);
        let cvs: Vec<f64> = trains.iter().filter(|train| train.len() >= FEWEST).map(|train| cv(train)).collect();
        Self {
            cv: (!cvs.is_empty()).then(|| mean(&cvs)),
            cv_neurons: cvs.len(),
            synchrony: synchrony(spikes, start, steps),
            correlation: correlation(&trains, start, steps),
            ..Self::of_rates(&trains, steps)
        }
    }

    /// Rates alone, as if too little was seen for anything else; which takes a tenth of the time.
    pub fn rates(neurons: usize, spikes: &[(u32, u32)], steps: u32) -> Self {
        Self::of_rates(&trains(neurons, spikes), steps)
    }

    fn of_rates(trains: &[Vec<u32>], steps: u32) -> Self {
        let seconds = f64::from(steps) * DT * 1e-3;
        let rates: Vec<f64> = trains.iter().map(|train| train.len() as f64 / seconds).collect();
        let rate = mean(&rates);
        Self {
            spikes: trains.iter().map(Vec::len).sum(),
            rate,
            rate_sd: variance(&rates, rate).sqrt(),
            silent: trains.iter().filter(|train| train.is_empty()).count() as f64 / trains.len() as f64,
            cv: None,
            cv_neurons: 0,
            synchrony: None,
            correlation: None,
        }
    }
}

/// Steps of each neuron's spikes.
fn trains(neurons: usize, spikes: &[(u32, u32)]) -> Vec<Vec<u32>> {
    let mut trains = vec![Vec::new(); neurons];
    for &(step, neuron) in spikes {
        trains[neuron as usize].push(step);
    }
    trains
}

/// A rate at which a column is not simulated further, as that would take long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// After which it is looked at.
    pub steps: u32,
    /// Of a population, from the first step on, Hz.
    pub rate: f64,
}

impl Limit {
    /// Whether so many spikes of a population in these steps are too many.
    pub fn is_exceeded(&self, spikes: u32, neurons: usize) -> bool {
        let seconds = f64::from(self.steps) * DT * 1e-3;
        f64::from(spikes) / (neurons as f64 * seconds) > self.rate
    }

    /// Most spikes that are not too many.
    pub fn most_spikes(&self, neurons: usize) -> u32 {
        // How many are too many rises with them.
        let (mut most, mut step) = (0, 1 << 31);
        while step > 0 {
            if !self.is_exceeded(most | step, neurons) {
                most |= step;
            }
            step >>= 1;
        }
        most
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

/// Rates of a population around events, in bins of 1 ms: of every bin the mean over those events for which it lies within the
/// `recorded` steps, Hz.
#[derive(Debug, Clone, PartialEq)]
pub struct Psth {
    /// Spikes in every bin.
    spikes: Vec<u64>,
    /// Neurons and events that they are of.
    seen: Vec<u64>,
}

impl Psth {
    /// Bins before the event.
    pub const BEFORE: usize = 50;
    /// Bins from the event on.
    pub const AFTER: usize = 100;
    /// Steps of a bin.
    const BIN: i64 = 10;

    /// Of `neurons` neurons whose spikes, as (step, neuron) in the order of steps, were recorded from after step 0 on.
    pub fn new(neurons: usize, spikes: &[(u32, u32)], events: &[u32], recorded: u32) -> Self {
        let bins = Self::BEFORE + Self::AFTER;
        let (mut counts, mut seen) = (vec![0; bins], vec![0; bins]);
        for &event in events {
            for (bin, (count, seen)) in counts.iter_mut().zip(&mut seen).enumerate() {
                // A step belongs to the bin that it ends in or with.
                let from = i64::from(event) + (bin as i64 - Self::BEFORE as i64) * Self::BIN;
                let to = from + Self::BIN;
                if from >= 0 && to <= i64::from(recorded) {
                    let until = |step: i64| spikes.partition_point(|spike| i64::from(spike.0) <= step) as u64;
                    *count += until(to) - until(from);
                    *seen += neurons as u64;
                }
            }
        }
        Self { spikes: counts, seen }
    }

    /// Both together, as of other events.
    pub fn add(&mut self, other: &Self) {
        self.spikes.iter_mut().zip(&other.spikes).for_each(|(sum, more)| *sum += more);
        self.seen.iter_mut().zip(&other.seen).for_each(|(sum, more)| *sum += more);
    }

    /// Rates of the bins, Hz; none of a bin that was never recorded.
    pub fn rates(&self) -> Vec<Option<f64>> {
        let seconds = Self::BIN as f64 * DT * 1e-3;
        let rate = |(&spikes, &seen): (&u64, &u64)| (seen > 0).then(|| spikes as f64 / (seen as f64 * seconds));
        self.spikes.iter().zip(&self.seen).map(rate).collect()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_around_events_are_means_over_those_recorded() {
        // Two neurons. Steps 1000 and 3000 are events; a step of 0.1 ms ends at its number.
        let spikes = [(1000, 0), (1001, 0), (1010, 1), (1011, 1), (3005, 1)];
        let psth = Psth::new(2, &spikes, &[1000, 3000], 3500);
        let rates = psth.rates();
        let of = |bin: usize| rates[Psth::BEFORE + bin];
        // The spike at an event's own step is before it; three in the first ms, of 2 neurons and 2 events.
        assert_eq!(rates[Psth::BEFORE - 1], Some(250.0));
        assert_eq!((of(0), of(1), of(2)), (Some(750.0), Some(250.0), Some(0.0)));
        let short = Psth::new(2, &spikes, &[1000, 3000], 3010).rates();
        // Only the first event has a second ms.
        assert_eq!((short[Psth::BEFORE], short[Psth::BEFORE + 1]), (Some(750.0), Some(500.0)));
        assert_eq!(Psth::new(2, &spikes, &[10], 3010).rates()[0], None);
        let mut sum = Psth::new(2, &spikes, &[1000], 3500);
        sum.add(&Psth::new(2, &spikes, &[3000], 3500));
        assert_eq!(sum, psth);
    }
}
