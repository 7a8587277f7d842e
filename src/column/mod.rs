//! The cortical column of Potjans & Diesmann (2014, Cerebral Cortex 24): eight populations of leaky integrate-and-fire neurons
//! under one square millimetre, at any scale, every parameter free.
//!
//! [`Parameters`] are what a user sets, [`Derived`] what follows from them; [`Network`] is a column with its synapses drawn, or
//! any other network of such neurons; [`Simulation`] steps it. Spikes go to [`statistics`].
//!
//! Draws are made by counter: a synapse is a function of the seed, its pair of populations and its number there; a neuron's
//! background of the seed, the neuron and the step. Inputs are sums of integers in single precision. So the same parameters and
//! seeds give the same spikes for any number of threads, and two columns with the same seeds share their noise: common random
//! numbers, as searches want them.

pub mod background;
pub mod delay;
pub mod experiment;
pub mod folder;
pub mod gpu;
pub mod network;
pub mod neuron;
pub mod parameters;
pub mod precision;
pub mod search;
pub mod simulation;
pub mod spikes;
pub mod statistics;
pub mod synapses;
pub mod thalamus;
mod wiring;

pub use network::{Network, Population};
pub use parameters::{Background, Derived, Parameters};
pub use simulation::{Simulation, Spike};
pub use thalamus::Thalamus;

/// Step of time, ms.
pub const DT: f64 = 0.1;

/// Populations of the column.
pub const POPULATIONS: usize = 8;

/// Excitatory and inhibitory, from the surface down.
pub const NAMES: [&str; POPULATIONS] = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"];

/// What a column's random numbers are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// Of synapses.
    pub wiring: u64,
    /// Of the first potentials, and of the background.
    pub noise: u64,
}

impl Seeds {
    /// One for both.
    pub fn both(seed: u64) -> Self {
        Self { wiring: seed, noise: seed }
    }
}

/// Steps of a time in ms, to the nearest.
pub fn steps(ms: f64) -> u32 {
    (ms / DT).round_ties_even() as u32
}
