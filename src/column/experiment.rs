//! A column simulated for a time: what it does once it has found its way, spike by spike and in numbers.

use std::time::Instant;

use rayon::prelude::*;

use super::gpu::{self, Counted, Sizes, Span};
use super::parameters::Derived;
use super::statistics::{Psth, Statistics, by_population};
use super::synapses::{Synapse, Unsorted};
use super::{Network, POPULATIONS, Seeds, Simulation, Spike};
use crate::config;
use crate::error::Result;
use crate::gpu::Gpu;

/// Steps between two calls that tell how far it is.
const TELL: u32 = 1000;

/// What came of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Of its random numbers.
    pub seeds: Seeds,
    /// Neurons of each population.
    pub sizes: Vec<usize>,
    /// Those of the thalamus among them.
    pub synapses: usize,
    /// Of each population, as (step, number of the neuron in it), in the order of both. The first step after the warm-up is 1.
    pub spikes: Vec<Vec<(u32, u32)>>,
    /// Of each population.
    pub statistics: Vec<Statistics>,
    /// Rates around the pulses of the thalamus, of each population; none without a pulse.
    pub psth: Vec<Psth>,
    /// That its synapses took.
    pub building_seconds: f64,
    /// That the simulation took, its warm-up included.
    pub seconds: f64,
}

/// Simulate a column. `parts` threads step it together; `tell` hears of steps that are done.
///
/// # Errors
/// When a parameter is out of its range, or a size cannot be held.
pub fn run(config: &config::Column, seeds: Seeds, parts: usize, tell: impl Fn(u32)) -> Result<Recording> {
    let (warm_up, recorded) = (config.simulation.warm_up_steps(), config.simulation.recorded_steps());
    let started = Instant::now();
    let mut network = Network::<f32>::column(&config.column, seeds, parts)?;
    if let Some(thalamus) = &config.thalamus {
        network = network.with_thalamus(&config.column, thalamus, seeds, (warm_up, recorded))?;
    }
    let building_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let mut simulation = Simulation::new(&network);
    let mut spikes = Vec::new();
    for (steps, is_recorded) in [(warm_up, false), (recorded, true)] {
        for done in (0..steps).step_by(TELL as usize) {
            let some = TELL.min(steps - done);
            simulation.advance(some, &mut spikes);
            if !is_recorded {
                spikes.clear();
            }
            tell(some);
        }
    }
    let seconds = (building_seconds, started.elapsed().as_secs_f64());
    Ok(Recording::new(config, seeds, network.synapses(), &spikes, seconds, |lane| network.place(lane)))
}

impl Recording {
    /// Of all spikes after the warm-up. `seconds` of building and of simulating; `place` is [`Network::place`].
    fn new(
        config: &config::Column,
        seeds: Seeds,
        synapses: usize,
        spikes: &[Spike],
        (building_seconds, seconds): (f64, f64),
        place: impl Fn(usize) -> (usize, usize),
    ) -> Self {
        let (warm_up, recorded) = (config.simulation.warm_up_steps(), config.simulation.recorded_steps());
        let sizes: Vec<usize> = config.column.neurons.iter().map(|&n| config.column.scaled(n) as usize).collect();
        let mut spikes = by_population(spikes, warm_up, POPULATIONS, place);
        spikes.iter_mut().flatten().for_each(|spike| spike.0 -= warm_up);
        let onsets = config.thalamus.as_ref().map(|thalamus| thalamus.onsets(recorded)).unwrap_or_default();
        let of_each = || spikes.iter().zip(&sizes);
        let psth = || of_each().map(|(spikes, &size)| Psth::new(size, spikes, &onsets, recorded)).collect();
        Self {
            seeds,
            synapses,
            statistics: of_each().map(|(spikes, &size)| Statistics::new(size, spikes, 0, recorded)).collect(),
            psth: if onsets.is_empty() { Vec::new() } else { psth() },
            building_seconds,
            seconds,
            sizes,
            spikes,
        }
    }

    /// Of what a device has counted.
    fn counted(config: &config::Column, seeds: Seeds, counted: &Counted) -> Self {
        let (spikes, seconds) = (counted.spikes.as_deref().unwrap_or_default(), counted.seconds);
        Self::new(config, seeds, counted.synapses, spikes, seconds, |lane| counted.place(lane))
    }
}

/// Simulate some columns whose seeds follow each other, on a device if there is one. Of the CPU's threads all step one column, and
/// of several columns each has one. `then` gets each one's number and recording as soon as it is there; what it gives is
/// returned in the order of seeds.
///
/// # Errors
/// Those of [`run`] and of `then`.
pub fn run_all<T: Send>(
    config: &config::Column,
    gpu: Option<&Gpu>,
    columns: u32,
    tell: impl Fn(u32) + Sync,
    then: impl Fn(u32, Recording) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let seeds = |k: u32| config.simulation.seeds(u64::from(k));
    if let Some(gpu) = gpu {
        let (warm, recorded) = (config.simulation.warm_up_steps(), config.simulation.recorded_steps());
        let span = Span { warm, counted: recorded, record: true, limit: None };
        let columns: Vec<_> = (0..columns).map(|k| (config.column.clone(), seeds(k))).collect();
        let mut all = Vec::new();
        gpu::simulate(gpu, &columns, config.thalamus.as_ref(), span, Sizes::default(), |first, batch| {
            let keep = |(i, counted): (usize, &Counted)| {
                let k = (first + i) as u32;
                tell(warm + recorded);
                then(k, Recording::counted(config, seeds(k), counted))
            };
            let batch: Vec<Counted> = batch.into_iter().flatten().collect();
            all.extend(batch.par_iter().enumerate().map(keep).collect::<Result<Vec<T>>>()?);
            Ok(())
        })?;
        return Ok(all);
    }
    if columns == 1 {
        return Ok(vec![then(0, run(config, seeds(0), rayon::current_num_threads(), tell)?)?]);
    }
    // One by one, so that no thread has several while others have none.
    (0..columns).into_par_iter().with_max_len(1).map(|k| then(k, run(config, seeds(k), 1, &tell)?)).collect()
}

/// Memory of a column while its synapses are drawn and sorted, which is when it is largest, bytes.
pub fn memory_bytes(derived: &Derived) -> u64 {
    let each = size_of::<Synapse<i32>>() + Unsorted::<i32>::BYTES;
    let of_a_source = size_of::<[u16; super::delay::LONGEST]>() + size_of::<u64>();
    derived.total_synapses() * each as u64 + derived.total_neurons() * of_a_source as u64
}
