//! Searches of a column's parameters, so that its rates are those measured in vivo.
//!
//! A candidate is a point that an [`AskTell`] proposes: actions on a [`Group`] of parameters. It is simulated with some
//! seeds, and the means of its measures over them are held against the targets. Candidates of a generation share their
//! seeds: common random numbers, so that they differ in their parameters alone. With the same seeds in every generation
//! a search may fit these seeds; what is found is therefore simulated again with seeds that no search ever sees.
//!
//! [`run`] is a search as a run, with a folder from which it goes on.

pub mod candidates;
pub mod checkpoint;
pub mod groups;
pub mod objective;
pub mod outcome;
mod progress;
pub mod run;

use rayon::prelude::*;

pub use groups::Group;
pub use objective::{Measure, Reward, Target};

use super::gpu::{self, Counted, Sizes, Span};
use super::statistics::{Limit, Statistics, by_population};
use super::{Network, POPULATIONS, Parameters, Seeds, Simulation};
use crate::config;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::rng::{Row, Stream};
use crate::search::ask_tell::AskTell;

/// What is searched, and how a candidate is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where actions of 0 are.
    pub base: Parameters,
    /// What is moved.
    pub group: Group,
    /// Actions of 1 move a parameter by this part of itself: k.
    pub k: f64,
    /// Steps that are not counted, and steps that are.
    pub steps: (u32, u32),
    /// Where measures should be.
    pub targets: Vec<Target>,
    /// What is told of them.
    pub reward: Reward,
    /// Simulations of a candidate.
    pub seeds: u32,
    /// New seeds in every generation.
    pub fresh_seeds: bool,
    /// Of these seeds, and of the search.
    pub seed: u64,
    /// A population that fires at more than this in the first steps is not simulated further, Hz.
    pub most_rate: f64,
}

/// A candidate, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// As proposed.
    pub actions: Vec<f64>,
    /// Parameters that were put back into their range.
    pub clipped: usize,
    /// Of each target: mean over seeds. NaN when a simulation was not finished.
    pub measured: Vec<f64>,
    /// Mean rates of all populations over seeds, Hz.
    pub rates: [f64; POPULATIONS],
    /// Sum of the targets' errors.
    pub error: f64,
    /// What the search was told.
    pub reward: f64,
}

/// Steps after which it is asked whether a column fires too much.
const EARLY: u32 = 500;

/// Seeds that no generation uses, and nothing that chooses.
const HELD_OUT: u32 = u32::MAX;
/// Seeds that no generation uses, and which choose among finalists.
const FINALISTS: u32 = u32::MAX - 1;

/// Statistics of every population, with each seed; `None` where a column was not simulated to its end.
pub type Simulated = Vec<Option<Vec<Statistics>>>;

impl Problem {
    /// Of a config.
    pub fn new(base: &Parameters, search: &config::Search) -> Self {
        Self {
            base: base.clone(),
            group: search.group,
            k: search.k(),
            steps: search.steps(),
            targets: search.targets.clone(),
            reward: search.reward,
            seeds: search.seeds,
            fresh_seeds: search.fresh_seeds,
            seed: search.seed,
            most_rate: search.most_rate,
        }
    }

    /// One generation: candidates asked for, judged on a device if there is one, and told.
    ///
    /// # Errors
    /// When a candidate's column cannot be built.
    pub fn generation(
        &self,
        gpu: Option<&Gpu>,
        search: &mut dyn AskTell,
        generation: u32,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Vec<Judged>> {
        let judged = self.judge(gpu, &search.ask(), &self.seeds_of(generation), progress)?;
        search.tell(&judged.iter().map(|judged| judged.reward).collect::<Vec<_>>());
        Ok(judged)
    }

    /// Seeds of a generation's candidates.
    pub fn seeds_of(&self, generation: u32) -> Vec<Seeds> {
        self.seeds_from(if self.fresh_seeds { generation } else { 0 }, self.seeds)
    }

    /// Seeds that no search has seen.
    pub fn held_out(&self, number: u32) -> Vec<Seeds> {
        self.seeds_from(HELD_OUT, number)
    }

    /// Seeds that no search has seen either, and others than those.
    pub fn of_finalists(&self, number: u32) -> Vec<Seeds> {
        self.seeds_from(FINALISTS, number)
    }

    fn seeds_from(&self, generation: u32, number: u32) -> Vec<Seeds> {
        let of = |index| {
            let [wiring, noise] = Row { seed: self.seed, stream: Stream::Candidates, generation, index }.seeds();
            Seeds { wiring, noise }
        };
        (0..number).map(of).collect()
    }

    /// Judge points, a simulation a thread, or all of them together on a device.
    ///
    /// # Errors
    /// When a column cannot be built.
    pub fn judge(
        &self,
        gpu: Option<&Gpu>,
        points: &[Vec<f64>],
        seeds: &[Seeds],
        progress: &(dyn Fn() + Sync),
    ) -> Result<Vec<Judged>> {
        let simulated = self.simulate_all(gpu, points, seeds, progress)?;
        Ok(points.iter().zip(&simulated).map(|(actions, of_seeds)| self.judged(actions, of_seeds)).collect())
    }

    /// Points with all seeds, as they are judged: `[point][seed]`.
    ///
    /// # Errors
    /// When a column cannot be built.
    pub fn simulate_all(
        &self,
        gpu: Option<&Gpu>,
        points: &[Vec<f64>],
        seeds: &[Seeds],
        progress: &(dyn Fn() + Sync),
    ) -> Result<Vec<Simulated>> {
        let columns = points.iter().flat_map(|actions| {
            let column = self.group.apply(&self.base, actions, self.k).0;
            seeds.iter().map(move |&seeds| (column.clone(), seeds))
        });
        let columns: Vec<(Parameters, Seeds)> = columns.collect();
        let simulated: Simulated = match gpu {
            Some(gpu) => self.simulate_on(gpu, &columns, progress)?,
            None => {
                let simulate = |(column, seeds): &(Parameters, Seeds)| {
                    let simulated = self.simulate(column, *seeds);
                    progress();
                    simulated
                };
                columns.par_iter().with_max_len(1).map(simulate).collect::<Result<_>>()?
            }
        };
        Ok(simulated.chunks(seeds.len()).map(<[_]>::to_vec).collect())
    }

    /// The same as [`Problem::simulate`] of all columns.
    fn simulate_on(
        &self,
        gpu: &Gpu,
        columns: &[(Parameters, Seeds)],
        progress: &(dyn Fn() + Sync),
    ) -> Result<Simulated> {
        let (warm, counted) = self.steps;
        let span = Span { warm, counted, record: true, limit: Some(self.limit()) };
        let mut simulated = Vec::with_capacity(columns.len());
        gpu::simulate(gpu, columns, None, span, Sizes::default(), |first, batch| {
            let statistics = |(counted, (column, _)): (&Option<Counted>, &(Parameters, Seeds))| {
                let of = |counted: &Counted| {
                    let spikes = counted.spikes.as_deref().unwrap_or_default();
                    let sorted = by_population(spikes, warm, POPULATIONS, |lane| counted.place(lane));
                    self.statistics(&sorted, &column.neurons.map(|neurons| column.scaled(neurons) as usize))
                };
                let statistics = counted.as_ref().map(of);
                progress();
                statistics
            };
            simulated.par_extend(batch.par_iter().zip(&columns[first..]).map(statistics));
            Ok(())
        })?;
        Ok(simulated)
    }

    fn limit(&self) -> Limit {
        Limit { steps: EARLY.min(self.steps.0 + self.steps.1), rate: self.most_rate }
    }

    /// Of spikes of each population that has so many neurons: what is aimed at, and rates.
    fn statistics(&self, spikes: &[Vec<(u32, u32)>], sizes: &[usize]) -> Vec<Statistics> {
        let (warm, counted) = self.steps;
        let are_rates_all = self.targets.iter().all(|target| target.measure == Measure::Rate);
        let of = |(spikes, &size): (&Vec<(u32, u32)>, &usize)| match are_rates_all {
            true => Statistics::rates(size, spikes, counted),
            false => Statistics::new(size, spikes, warm, counted),
        };
        spikes.iter().zip(sizes).map(of).collect()
    }

    /// What a point is worth by the columns that were made of it.
    pub fn judged(&self, actions: &[f64], of_seeds: &[Option<Vec<Statistics>>]) -> Judged {
        let mean = |of: &dyn Fn(&[Statistics]) -> f64| {
            let each = of_seeds.iter().map(|column| column.as_deref().map_or(f64::NAN, of));
            each.sum::<f64>() / of_seeds.len() as f64
        };
        let measured: Vec<f64> = self.targets.iter().map(|target| mean(&|column| target.measured(column))).collect();
        let errors: Vec<f64> = self.targets.iter().zip(&measured).map(|(target, &seen)| target.error(seen)).collect();
        Judged {
            actions: actions.to_vec(),
            clipped: self.group.apply(&self.base, actions, self.k).1,
            rates: std::array::from_fn(|population| mean(&|column| column[population].rate)),
            error: errors.iter().sum(),
            reward: self.reward.of(&errors),
            measured,
        }
    }

    /// Statistics of every population; `None` when one fires far too much, which would take long to simulate.
    ///
    /// # Errors
    /// When the column cannot be built.
    pub fn simulate(&self, parameters: &Parameters, seeds: Seeds) -> Result<Option<Vec<Statistics>>> {
        let network = Network::<f32>::column(parameters, seeds, 1)?;
        let ((warm, counted), limit) = (self.steps, self.limit());
        let mut simulation = Simulation::new(&network);
        let mut spikes = Vec::new();
        simulation.advance(limit.steps, &mut spikes);
        let early = by_population(&spikes, 0, POPULATIONS, |lane| network.place(lane));
        if early.iter().zip(network.sizes()).any(|(spikes, size)| limit.is_exceeded(spikes.len() as u32, size)) {
            return Ok(None);
        }
        simulation.advance(warm + counted - limit.steps, &mut spikes);
        let sorted = by_population(&spikes, warm, POPULATIONS, |lane| network.place(lane));
        Ok(Some(self.statistics(&sorted, &network.sizes())))
    }
}
