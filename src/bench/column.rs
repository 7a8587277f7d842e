//! Cortical columns: drawn, and in time.

use std::time::Instant;

use rayon::prelude::*;

use super::{Bench, Called, Case, Measured, Row};
use crate::column::gpu::{Columns, Sizes, Span};
use crate::column::{DT, Network, Parameters, Seeds, Simulation};
use crate::error::Result;
use crate::profile::Work;

/// Of a synapse: its target and weight.
const SYNAPSE_BYTES: u64 = 8;
/// Of what a spike does there: the synapse is read, and the sum of its target read and written.
const EVENT_BYTES: u64 = SYNAPSE_BYTES + 8;
/// Steps before the first spikes of the start are over, and steps that are timed.
const WARM_UP: u32 = 500;
const STEPS: u32 = 1_000;

impl Bench<'_> {
    pub(super) fn wiring(&self, case: Case) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let measured = self.steady(self.few(), self.many(), |columns| {
            let columns = parameters(columns, self.is_emulated());
            let started = Instant::now();
            let (seconds, synapses) = match &self.gpu {
                Some(gpu) => {
                    let drawn = Columns::drawn(gpu, &columns, None, Sizes::default())?;
                    let counted = drawn.run(Span { warm: 0, counted: 1, record: false, limit: None })?;
                    (drawn.drawing_seconds(), counted.into_iter().flatten().map(|column| column.synapses).sum())
                }
                None => {
                    let networks = drawn(&columns, 1)?;
                    (started.elapsed().as_secs_f64(), networks.iter().map(Network::synapses).sum::<usize>())
                }
            };
            Ok(Called { seconds, amount: synapses as f64 })
        })?;
        let work = Work { bytes: SYNAPSE_BYTES * measured.amount as u64, ..Work::default() };
        rows.push(self.row(case, "synapses", "synapses/s", &measured, work));
        Ok(rows)
    }

    /// Side by side a column a thread, or a block each; together one by all of them.
    pub(super) fn columns(&self, case: Case, together: bool) -> Result<Vec<Row>> {
        let mut columns = parameters(if together { 1 } else { self.many() }, self.is_emulated());
        let mut sizes = Sizes::default();
        if let (true, Some(gpu)) = (together, &self.gpu) {
            sizes.blocks = Some(gpu.multiprocessors());
            if !gpu.is_emulated() {
                (columns[0].0.neuron_scale, columns[0].0.synapse_scale) = (1.0, 1.0);
            }
        }
        let (warm, counted) = if self.is_emulated() { (0, 2) } else { (WARM_UP, STEPS) };
        let span = Span { warm, counted, record: false, limit: None };
        let (mut seconds, mut events) = (0.0, 0.0);
        match &self.gpu {
            Some(gpu) => {
                let drawn = Columns::drawn(gpu, &columns, None, sizes)?;
                // The first loads the kernel; what is not counted is stepped too.
                let mut times = Vec::new();
                for _ in 0..2 {
                    let started = Instant::now();
                    let done = drawn.run(span)?;
                    times.push(started.elapsed().as_secs_f64());
                    let spikes = |counts: &[u32]| counts.iter().map(|&n| u64::from(n)).sum::<u64>() as f64;
                    events = done.iter().flatten().map(|c| spikes(&c.counts) * c.synapses as f64).sum::<f64>()
                        / columns[0].0.derive().total_neurons() as f64;
                }
                seconds = times[1] * f64::from(counted) / f64::from(warm + counted);
            }
            None => {
                let networks = drawn(&columns, if together { rayon::current_num_threads() } else { 1 })?;
                let mut simulations: Vec<_> = networks.iter().map(Simulation::new).collect();
                simulations.par_iter_mut().for_each(|simulation| simulation.advance(warm, &mut Vec::new()));
                let started = Instant::now();
                let step = |simulation: &mut Simulation<f32>| {
                    let mut spikes = Vec::new();
                    simulation.advance(counted, &mut spikes);
                    spikes.len()
                };
                let spikes: Vec<usize> = simulations.par_iter_mut().map(step).collect();
                seconds += started.elapsed().as_secs_f64();
                for (network, spikes) in networks.iter().zip(spikes) {
                    events += spikes as f64 * network.synapses() as f64 / network.sizes().iter().sum::<usize>() as f64;
                }
            }
        }
        let model_seconds = columns.len() as f64 * f64::from(counted) * DT * 1e-3;
        let of = |amount: f64| Measured { seconds, amount };
        let work = Work { bytes: EVENT_BYTES * events as u64, ..Work::default() };
        Ok(vec![
            self.row(case, "columns", "column-seconds/s", &of(model_seconds), Work::default()),
            // As many synapses a spike as a neuron has on its way out in the mean.
            self.row(case, "events", "synaptic-events/s", &of(events), work),
        ])
    }

    fn few(&self) -> u32 {
        if self.gpu.is_some() { 1 } else { rayon::current_num_threads() as u32 }
    }

    /// Columns that fill the device.
    fn many(&self) -> u32 {
        match &self.gpu {
            Some(gpu) if !gpu.is_emulated() => 8 * gpu.multiprocessors(),
            _ => self.few(),
        }
    }
}

/// Columns none of which is like another; small ones to be emulated.
fn parameters(count: u32, are_small: bool) -> Vec<(Parameters, Seeds)> {
    let scale = |usual: f64| if are_small { 0.01 } else { usual };
    let usual = Parameters::default();
    let column = |i: u32| {
        let part = f64::from(i) / f64::from(count);
        let parameters = Parameters {
            g: -4.0 - part,
            neuron_scale: scale(usual.neuron_scale),
            synapse_scale: scale(usual.synapse_scale),
            ..usual.clone()
        };
        (parameters, Seeds::both(u64::from(i)))
    };
    (0..count).map(column).collect()
}

/// On all threads, each in so many parts.
fn drawn(columns: &[(Parameters, Seeds)], parts: usize) -> Result<Vec<Network<f32>>> {
    columns.par_iter().map(|(parameters, seeds)| Network::column(parameters, *seeds, parts)).collect()
}
