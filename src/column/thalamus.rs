//! Pulses of thalamic input (Potjans & Diesmann 2014, Fig. 10; the numbers are those of `microcircuit-PD14-model`): a
//! population of relay neurons without dynamics, each a Poisson process while a pulse lasts.
//!
//! They are generators of the network, so the column itself keeps its bits: until the first of their spikes arrives, a column
//! with a thalamus is the one without. Their synapses follow the same law as those between populations, and are scaled as they
//! are: by the neurons and by a neuron's synapses. (NEST's script does not scale them by the neurons.) No current makes up
//! for fewer synapses, as the mean of a pulse is nothing constant: it is the root of `synapse_scale` times the full one's.

use serde::{Deserialize, Serialize};

use super::background::PoissonLaw;
use super::network::Schedule;
use super::parameters::{Invalid, full_number};
use super::precision::Precision;
use super::{DT, Network, POPULATIONS, Parameters, Seeds, steps, wiring};
use crate::error::{Error, Result};
use crate::rng::{Row, Stream};

/// `[thalamus]`: relay neurons and when they fire. The defaults are the published ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thalamus {
    /// Relay neurons at full size. Default 902.
    pub neurons: u32,
    /// Probability that a neuron of a population has at least one synapse of a relay neuron.
    pub connection: [f64; POPULATIONS],
    /// Mean delay, ms. Default 1.5.
    pub delay: f64,
    /// Standard deviation of delays in parts of their mean. Default 0.5.
    pub delay_relative_sd: f64,
    /// Rate of a relay neuron during a pulse, Hz. Default 120.
    pub rate: f64,
    /// Beginning of the first pulse, ms after the warm-up. Default 700.
    pub start: f64,
    /// Length of a pulse, ms. Default 10.
    pub duration: f64,
    /// From the beginning of a pulse to that of the next, ms. Without it there is one pulse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<f64>,
}

impl Default for Thalamus {
    fn default() -> Self {
        Self {
            neurons: 902,
            connection: [0.0, 0.0, 0.0983, 0.0619, 0.0, 0.0, 0.0512, 0.0196],
            delay: 1.5,
            delay_relative_sd: 0.5,
            rate: 120.0,
            start: 700.0,
            duration: 10.0,
            interval: None,
        }
    }
}

impl Thalamus {
    /// Check every value.
    ///
    /// # Errors
    /// The first that is out of its physical range.
    pub fn check(&self, parameters: &Parameters) -> std::result::Result<(), Invalid> {
        let refuse = |key, message| Err(Invalid { key, message });
        for (key, value) in [("delay", self.delay), ("duration", self.duration)] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(key, format!("{value} is not a positive number"));
            }
        }
        let not_negative = [("delay_relative_sd", self.delay_relative_sd), ("rate", self.rate), ("start", self.start)];
        for (key, value) in not_negative {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(key, format!("{value} is not a number from 0 on"));
            }
        }
        for probability in self.connection {
            if !(0.0..1.0).contains(&probability) {
                return refuse("connection", format!("{probability} is not a probability from 0 to below 1"));
            }
        }
        if !(1..1 << 20).contains(&parameters.scaled(self.neurons)) {
            let scale = parameters.neuron_scale;
            return refuse("neurons", format!("{} times a scale of {scale} is not in 1 to 2^20", self.neurons));
        }
        if PoissonLaw::new(self.rate * DT * 1e-3).is_none() {
            return refuse("rate", format!("{} Hz is more than can be drawn in steps of {DT} ms", self.rate));
        }
        // NaN is no interval either.
        if self.interval.is_some_and(|interval| !(interval.is_finite() && interval >= self.duration)) {
            return refuse(
                "interval",
                format!("a pulse has {} ms, and the next cannot begin before its end", self.duration),
            );
        }
        Ok(())
    }

    /// Relay neurons of a column.
    pub fn scaled_neurons(&self, parameters: &Parameters) -> u32 {
        parameters.scaled(self.neurons)
    }

    /// Synapses onto every population of a column.
    pub fn synapses(&self, parameters: &Parameters) -> [u64; POPULATIONS] {
        std::array::from_fn(|y| {
            let pairs = f64::from(parameters.neurons[y]) * f64::from(self.neurons);
            let full = full_number(self.connection[y], pairs);
            (full * parameters.neuron_scale * parameters.synapse_scale).round_ties_even() as u64
        })
    }

    /// Steps after the warm-up with which pulses begin, of those that begin within `recorded` steps.
    pub fn onsets(&self, recorded: u32) -> Vec<u32> {
        let most = if self.interval.is_some() { u32::MAX } else { 1 };
        let pulses = (0..most).map(|k| self.start + f64::from(k) * self.interval.unwrap_or(0.0));
        pulses.take_while(|&onset| onset < f64::from(recorded) * DT).map(steps).collect()
    }

    /// Relay neurons and their synapses.
    pub(super) fn source(&self, parameters: &Parameters, seeds: Seeds) -> wiring::Source {
        // Those of spikes from outside are excitatory ones too.
        let weight = parameters.derive().external_weight;
        let pair = |target| wiring::Pair {
            seed: seeds.wiring,
            number: (POPULATIONS * POPULATIONS + target) as u32,
            sources: self.scaled_neurons(parameters),
            targets: parameters.scaled(parameters.neurons[target]),
            weight: weight as f32,
            sd: (weight * parameters.psp_relative_sd) as f32,
        };
        wiring::Source {
            pairs: std::array::from_fn(pair),
            synapses: self.synapses(parameters),
            delay: (self.delay, self.delay * self.delay_relative_sd),
        }
    }

    /// When relay neurons fire.
    pub(super) fn schedule(&self, neurons: u32, noise: u64, (warm_up, recorded): (u32, u32)) -> Schedule {
        // The rate has been checked; a law that cannot be drawn is none.
        let Some(law) = PoissonLaw::new(self.rate * DT * 1e-3) else { return Schedule::new() };
        let steps = self.onsets(recorded).into_iter().flat_map(|onset| {
            let begin = warm_up + onset;
            begin + 1..=begin.saturating_add(steps(self.duration)).min(warm_up + recorded)
        });
        let spikes = |step: u32| {
            let law = &law;
            (0..neurons).flat_map(move |neuron| {
                let row = Row { seed: noise, stream: Stream::Thalamus, generation: step, index: neuron };
                let word = row.block(0)[0];
                let count = law.thresholds().iter().filter(|&&threshold| word >= threshold).count();
                std::iter::repeat_n((step, neuron), count)
            })
        };
        steps.flat_map(spikes).collect()
    }
}

impl<P: Precision> Network<P> {
    /// A [`Network::column`] with a thalamus, whose pulses begin within `recorded` steps after `warm_up` steps.
    ///
    /// # Errors
    /// When a parameter is out of its range, or a neuron's synapses add up to more than can be held.
    pub fn with_thalamus(
        mut self,
        parameters: &Parameters,
        thalamus: &Thalamus,
        seeds: Seeds,
        (warm_up, recorded): (u32, u32),
    ) -> Result<Self> {
        thalamus.check(parameters).map_err(|invalid| Error::Config(format!("`thalamus`: {invalid}")))?;
        let source = thalamus.source(parameters, seeds);
        let rows = source.rows::<P>(&self.lanes, &self.bounds(), self.fraction_bits)?;
        for (part, rows) in self.parts.iter_mut().zip(rows) {
            part.rows.push(rows);
        }
        self.schedule = thalamus.schedule(thalamus.scaled_neurons(parameters), seeds.noise, (warm_up, recorded));
        self.check_sums()?;
        Ok(self)
    }
}
