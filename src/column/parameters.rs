//! What a column is made of: every parameter of the model, and what follows from them.
//!
//! Values and conventions are those of the microcircuit of Potjans & Diesmann as its authors publish it for NEST
//! (`microcircuit-PD14-model`); `tests/golden/column/model.md` has every equation, and where other simulators differ. Rows of
//! matrices are targets, columns are sources.

use serde::{Deserialize, Serialize};

use super::neuron::{Constants, psc_of_psp};
use super::{NAMES, POPULATIONS};
use crate::num::transcendental::ln;

/// A column, in ms, mV, pA, pF and Hz. The defaults are the published ones, at a tenth of the neurons and of the in-degrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Neurons of every population at full size: L23E, L23I, L4E, L4I, L5E, L5I, L6E, L6I. 77,169 together.
    pub neurons: [u32; POPULATIONS],
    /// Probability that a neuron of the source population (column) has at least one synapse on one of the target's (row).
    pub connection: [[f64; POPULATIONS]; POPULATIONS],
    /// Synapses that a neuron has from outside, at full size.
    pub external: [u32; POPULATIONS],
    /// Rates of the full column, Hz: what the mean input is kept at when in-degrees are scaled. Stays as it is when other
    /// parameters change.
    pub full_rates: [f64; POPULATIONS],
    /// Part of the neurons that is simulated. Default 0.1.
    pub neuron_scale: f64,
    /// Part of a neuron's synapses that is simulated. Weights grow by the root of its inverse, and a constant current keeps the
    /// mean input. Default 0.1.
    pub synapse_scale: f64,
    /// Rate of each synapse from outside, Hz. Default 8.
    pub background_rate: f64,
    /// `poisson` (the default) or `dc`: spikes from outside, or a constant current of their mean.
    pub background: Background,
    /// Before the first spikes from outside arrive, ms. Default 1.5.
    pub background_delay: f64,
    /// Peak of an excitatory postsynaptic potential, mV. Default 0.15.
    pub psp: f64,
    /// Its standard deviation over synapses, in parts of the mean; of inhibitory ones too. Default 0.1.
    pub psp_relative_sd: f64,
    /// Those from L4E to L23E are this many times larger. Default 2.
    pub psp_l4e_l23e: f64,
    /// An inhibitory synapse has this many times the excitatory amplitude. Default -4.
    pub g: f64,
    /// Mean delay of excitatory synapses, ms. Default 1.5.
    pub delay_excitatory: f64,
    /// Mean delay of inhibitory synapses, ms. Default 0.75.
    pub delay_inhibitory: f64,
    /// Standard deviation of excitatory delays in parts of their mean; what is below half a step is drawn again. Default 0.5.
    pub delay_relative_sd_excitatory: f64,
    /// The same of inhibitory delays. Default 0.5.
    pub delay_relative_sd_inhibitory: f64,
    /// Resting potential, mV. Default -65.
    pub e_l: f64,
    /// Threshold, mV. Default -50.
    pub v_threshold: f64,
    /// Potential after a spike, mV. Default -65.
    pub v_reset: f64,
    /// Capacitance of the membrane, pF. Default 250.
    pub c_m: f64,
    /// Time constant of the membrane, ms. Default 10.
    pub tau_m: f64,
    /// Time constant of excitatory currents, ms. Default 0.5.
    pub tau_syn_excitatory: f64,
    /// Time constant of inhibitory currents, ms. Default 0.5.
    pub tau_syn_inhibitory: f64,
    /// Time constant of currents from outside, ms. Default 0.5.
    pub tau_syn_external: f64,
    /// Refractory period, ms, to the nearest step. Default 2.
    pub t_refractory: f64,
    /// Mean of the first potentials, mV.
    pub v0_mean: [f64; POPULATIONS],
    /// Their standard deviation, mV.
    pub v0_sd: [f64; POPULATIONS],
}

/// `background`: what comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Background {
    /// Every neuron its own Poisson process.
    Poisson,
    /// The mean current of that process.
    Dc,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            neurons: [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948],
            connection: [
                [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
                [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
                [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
                [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
                [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
                [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
                [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
                [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
            ],
            external: [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100],
            full_rates: [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829],
            neuron_scale: 0.1,
            synapse_scale: 0.1,
            background_rate: 8.0,
            background: Background::Poisson,
            background_delay: 1.5,
            psp: 0.15,
            psp_relative_sd: 0.1,
            psp_l4e_l23e: 2.0,
            g: -4.0,
            delay_excitatory: 1.5,
            delay_inhibitory: 0.75,
            delay_relative_sd_excitatory: 0.5,
            delay_relative_sd_inhibitory: 0.5,
            e_l: -65.0,
            v_threshold: -50.0,
            v_reset: -65.0,
            c_m: 250.0,
            tau_m: 10.0,
            tau_syn_excitatory: 0.5,
            tau_syn_inhibitory: 0.5,
            tau_syn_external: 0.5,
            t_refractory: 2.0,
            v0_mean: [-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43],
            v0_sd: [5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48],
        }
    }
}

/// What follows from [`Parameters`].
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// Neurons of every population, rounded half to even.
    pub neurons: [u32; POPULATIONS],
    /// Synapses of every pair of populations.
    pub synapses: [[u64; POPULATIONS]; POPULATIONS],
    /// Mean weight of a synapse, pA.
    pub weight: [[f64; POPULATIONS]; POPULATIONS],
    /// Weight of a spike from outside, pA.
    pub external_weight: f64,
    /// Spikes from outside that a neuron gets, Hz.
    pub external_rate: [f64; POPULATIONS],
    /// Constant current, pA.
    pub current: [f64; POPULATIONS],
    /// Amplitude of a current, pA, whose potential peaks at 1 mV.
    pub psc_of_psp: f64,
    /// Of all neurons but for their constant current.
    pub neuron: Constants,
}

impl Derived {
    /// All neurons.
    pub fn total_neurons(&self) -> u64 {
        self.neurons.iter().map(|&n| u64::from(n)).sum()
    }

    /// All synapses.
    pub fn total_synapses(&self) -> u64 {
        self.synapses.iter().flatten().sum()
    }
}

/// Whether a source population is inhibitory.
pub fn is_inhibitory(population: usize) -> bool {
    population % 2 == 1
}

/// Synapses at full size between populations that form so many pairs of neurons, each connected with this probability. The
/// published constant: every column's sizes hang on its rounding, so it is formed as its authors do.
pub(super) fn full_number(connection: f64, pairs: f64) -> f64 {
    if connection == 0.0 { 0.0 } else { ln(1.0 - connection) / ln((pairs - 1.0) / pairs) }
}

/// A parameter that cannot be, by its name in the config.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct Invalid {
    /// `t_refractory`
    pub key: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl Parameters {
    /// Check every value.
    ///
    /// # Errors
    /// The first that is out of its physical range.
    pub fn check(&self) -> Result<(), Invalid> {
        let refuse = |key, message| Err(Invalid { key, message });
        let positive = [
            ("neuron_scale", self.neuron_scale),
            ("synapse_scale", self.synapse_scale),
            ("psp", self.psp),
            ("psp_l4e_l23e", self.psp_l4e_l23e),
            ("delay_excitatory", self.delay_excitatory),
            ("delay_inhibitory", self.delay_inhibitory),
            ("c_m", self.c_m),
            ("tau_m", self.tau_m),
            ("tau_syn_excitatory", self.tau_syn_excitatory),
            ("tau_syn_inhibitory", self.tau_syn_inhibitory),
            ("tau_syn_external", self.tau_syn_external),
        ];
        for (key, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return refuse(key, format!("{value} is not a positive number"));
            }
        }
        let not_negative = [
            ("background_rate", self.background_rate),
            ("background_delay", self.background_delay),
            ("psp_relative_sd", self.psp_relative_sd),
            ("delay_relative_sd_excitatory", self.delay_relative_sd_excitatory),
            ("delay_relative_sd_inhibitory", self.delay_relative_sd_inhibitory),
            ("t_refractory", self.t_refractory),
        ];
        let rates = self.full_rates.map(|rate| ("full_rates", rate));
        let deviations = self.v0_sd.map(|sd| ("v0_sd", sd));
        for (key, value) in not_negative.into_iter().chain(rates).chain(deviations) {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(key, format!("{value} is not a number from 0 on"));
            }
        }
        if !(self.g.is_finite() && self.g < 0.0) {
            return refuse("g", format!("{} is not a negative number: inhibitory synapses would excite", self.g));
        }
        for (key, value) in [("e_l", self.e_l), ("v_threshold", self.v_threshold), ("v_reset", self.v_reset)] {
            if !value.is_finite() {
                return refuse(key, format!("{value} is not a number"));
            }
        }
        if self.v0_mean.iter().any(|mean| !mean.is_finite()) {
            return refuse("v0_mean", "must be numbers".into());
        }
        if self.v_reset >= self.v_threshold {
            let Self { v_reset, v_threshold, .. } = self;
            return refuse("v_reset", format!("{v_reset} mV is not below the threshold, {v_threshold} mV"));
        }
        for probability in self.connection.iter().flatten() {
            if !(0.0..1.0).contains(probability) {
                return refuse("connection", format!("{probability} is not a probability from 0 to below 1"));
            }
        }
        if let Some(population) = (0..POPULATIONS).find(|&p| self.scaled(self.neurons[p]) == 0) {
            let name = NAMES[population];
            return refuse("neuron_scale", format!("{} leaves no neuron of {name}", self.neuron_scale));
        }
        if self.neurons.iter().map(|&n| u64::from(self.scaled(n))).sum::<u64>() >= 1 << 24 {
            return refuse("neuron_scale", "a column has fewer than 2^24 neurons".into());
        }
        Ok(())
    }

    /// Neurons of a column, of as many at full size.
    pub(super) fn scaled(&self, neurons: u32) -> u32 {
        (f64::from(neurons) * self.neuron_scale).round_ties_even() as u32
    }

    /// Sizes, weights and currents (sections 1, 2, 3 and 5 of the model's description).
    pub fn derive(&self) -> Derived {
        let populations: [usize; POPULATIONS] = std::array::from_fn(|p| p);
        let scale = self.synapse_scale;
        let full = self.neurons.map(f64::from);
        let full_synapses =
            populations.map(|y| populations.map(|x| full_number(self.connection[y][x], full[y] * full[x])));
        let psc_of_psp = psc_of_psp(self.c_m, self.tau_m, self.tau_syn_excitatory);
        let excitatory = self.psp * psc_of_psp;
        let mut weight =
            populations.map(|_| populations.map(|x| if is_inhibitory(x) { self.g * excitatory } else { excitatory }));
        weight[0][2] *= self.psp_l4e_l23e;

        let root = scale.sqrt();
        let current = populations.map(|y| {
            let mut current = 0.0;
            let outside = self.tau_syn_external * excitatory * f64::from(self.external[y]) * self.background_rate;
            if self.background == Background::Dc {
                current += 1e-3 * outside;
            }
            if scale != 1.0 {
                let mut lost = 0.0;
                for x in populations {
                    let tau = if is_inhibitory(x) { self.tau_syn_inhibitory } else { self.tau_syn_excitatory };
                    lost += tau * weight[y][x] * (full_synapses[y][x] / full[y]) * self.full_rates[x];
                }
                if self.background == Background::Poisson {
                    lost += outside;
                }
                current += 1e-3 * (1.0 - root) * lost;
            }
            current
        });
        let grown = |weight: f64| if scale == 1.0 { weight } else { weight / root };
        Derived {
            neurons: self.neurons.map(|n| self.scaled(n)),
            synapses: full_synapses.map(|row| row.map(|q| (q * self.neuron_scale * scale).round_ties_even() as u64)),
            weight: weight.map(|row| row.map(grown)),
            external_weight: grown(excitatory),
            external_rate: self.external.map(|k| self.background_rate * (f64::from(k) * scale).round_ties_even()),
            current,
            psc_of_psp,
            neuron: Constants::new(self),
        }
    }
}
