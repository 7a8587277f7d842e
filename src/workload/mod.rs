//! Workloads: what is simulated in a generation, and the engines that evolve it.

mod cpu;
pub(crate) mod gpu;
pub mod lives;
pub mod maze;
pub mod single_unit;
mod start;

pub use gpu::{GpuEngine, Pack, SlicedEngine, gpu_memory_bytes};

use std::rc::Rc;

use rayon::prelude::*;

use crate::comm::{Ranks, Shares};
use crate::config::{Numerics, Task};
use crate::cpu::InstructionSet;
use crate::device::Device;
use crate::engine::{Alone, Engine, Trials};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::profile::{Ceilings, Profile};
use crate::rng::Stream;
use cpu::CpuEngine;
use lives::Lives;
use maze::MazePlay;
use single_unit::SingleUnit;

/// What is simulated: episodes, and how parameters fare on them.
pub trait Workload: Sync {
    /// Episodes, the same for all offspring of a generation.
    type Episodes: Sync;
    /// Buffers of a thread.
    type Workspace: Send;
    /// Environments played together.
    const WINDOW: usize;

    /// The episodes of a generation (0 where there is only one) of a stream.
    fn draw(&self, environments: usize, seed: u64, stream: Stream, generation: u32) -> Self::Episodes;

    /// How many episodes these are.
    fn environments(episodes: &Self::Episodes) -> usize;

    /// For windows of at most this many environments.
    fn workspace(&self, environments: usize) -> Self::Workspace;

    /// Play the episodes `first ..`, one for each element of `fitness`, at most [`Workload::WINDOW`], with a flat parameter
    /// vector of length [`Plan::parameters`]. Returns the steps of environments that were simulated.
    fn play(
        &self,
        workspace: &mut Self::Workspace,
        parameters: &[f32],
        episodes: &Self::Episodes,
        first: usize,
        fitness: &mut [f32],
    ) -> u64;

    /// Those that it runs with.
    fn instructions(&self) -> InstructionSet;

    /// The same, run with another instruction set of this machine: the bits must not change.
    fn with_instructions(self, instructions: InstructionSet) -> Self;

    /// The episodes of a generation of the run with this seed.
    fn generation_episodes(&self, environments: usize, seed: u64, generation: u32) -> Self::Episodes {
        self.draw(environments, seed, Stream::Episode, generation)
    }

    /// Episodes that no generation of any run used.
    fn fresh_episodes(&self, environments: usize, seed: u64) -> Self::Episodes {
        self.draw(environments, seed, Stream::Fresh, 0)
    }

    /// Fitness of each environment, the windows in parallel.
    fn fitness(&self, parameters: &[f32], episodes: &Self::Episodes) -> Vec<f32> {
        let mut fitness = vec![0.0; Self::environments(episodes)];
        fitness.par_chunks_mut(Self::WINDOW).enumerate().for_each_init(
            || self.workspace(Self::environments(episodes)),
            |workspace, (window, fitness)| {
                self.play(workspace, parameters, episodes, window * Self::WINDOW, fitness);
            },
        );
        fitness
    }
}

/// The engine that runs `plan` on `device`.
///
/// # Errors
/// When the device cannot be used, or not for this plan.
pub fn open(plan: &Plan, device: &Device) -> Result<Box<dyn Engine>> {
    open_among(plan, device, &Rc::new(Ranks::alone()))
}

/// As [`open`], one of the engines of `ranks`. All of them move together, and each has the whole state.
///
/// # Errors
/// As [`open`], on all ranks when on one of them; and when a generation cannot be cut into so many parts.
pub fn open_among(plan: &Plan, device: &Device, ranks: &Rc<Ranks>) -> Result<Box<dyn Engine>> {
    let mut gpus = device.open_all()?;
    match gpus.pop() {
        Some(gpu) if gpus.is_empty() && ranks.size() == 1 => Ok(Box::new(GpuEngine::new(plan, gpu)?)),
        Some(gpu) => {
            gpus.push(gpu);
            Ok(Box::new(SlicedEngine::new(plan, gpus, ranks)?))
        }
        None => {
            check_numerics(plan)?;
            let shares = ranks.share(plan, 1)?;
            Ok(cpu_engine_among(plan, InstructionSet::best(), ranks, shares))
        }
    }
}

/// Runs of `plan` with these seeds side by side on `device`; the CPU takes one at a time.
///
/// # Errors
/// As [`open`], also when together they take too much memory; and when there is more than one for the CPU.
pub fn open_trials(plan: &Plan, device: &Device, seeds: &[u64]) -> Result<Box<dyn Trials>> {
    match (device.open()?, seeds) {
        (Some(gpu), _) => Ok(Box::new(Pack::new(plan, gpu, seeds)?)),
        (None, [_]) => Ok(Box::new(Alone(open(plan, device)?))),
        (None, _) => Err(Error::Config("the CPU does not pack trials".into())),
    }
}

/// What each part of a generation of `plan` takes on `device`, with `trials` of them packed side by side; the ceilings are those of
/// the device.
///
/// # Errors
/// As [`open`]; and when more than one trial is asked for on the CPU, which does not pack them.
pub fn profile(plan: &Plan, device: &Device, trials: u32, ceilings: &Ceilings) -> Result<Profile> {
    let seeds: Vec<u64> = (0..u64::from(trials)).map(|trial| plan.config.run.seed + trial).collect();
    match device.open()? {
        Some(gpu) => Pack::new(plan, gpu, &seeds)?.profile(&device.description, ceilings),
        None if trials == 1 => {
            check_numerics(plan)?;
            cpu_profile(plan, &device.description, ceilings)
        }
        None => Err(Error::Config("--trials: the CPU does not pack trials; try: --trials 1".into())),
    }
}

/// The CPU's engine for a plan, with an instruction set of this machine: the bits do not depend on it.
pub fn cpu_engine(plan: &Plan, instructions: InstructionSet) -> Box<dyn Engine> {
    cpu_engine_among(plan, instructions, &Rc::new(Ranks::alone()), Shares::whole(plan))
}

fn cpu_engine_among(plan: &Plan, instructions: InstructionSet, ranks: &Rc<Ranks>, shares: Shares) -> Box<dyn Engine> {
    let ranks = Rc::clone(ranks);
    match plan.config.task {
        Task::TMaze(_) | Task::DoubleTMaze(_) => {
            Box::new(CpuEngine::new(plan, MazePlay::new(plan).with_instructions(instructions), ranks, shares))
        }
        Task::Assay(_) => {
            Box::new(CpuEngine::new(plan, Lives::new(plan).with_instructions(instructions), ranks, shares))
        }
        Task::Iaf(_) | Task::Stdp(_) | Task::StdpComplex(_) => {
            Box::new(CpuEngine::new(plan, SingleUnit::new(plan).with_instructions(instructions), ranks, shares))
        }
    }
}

fn cpu_profile(plan: &Plan, description: &str, ceilings: &Ceilings) -> Result<Profile> {
    match plan.config.task {
        Task::TMaze(_) | Task::DoubleTMaze(_) => {
            CpuEngine::alone(plan, MazePlay::new(plan)).profile(plan, description, ceilings)
        }
        Task::Assay(_) => CpuEngine::alone(plan, Lives::new(plan)).profile(plan, description, ceilings),
        Task::Iaf(_) | Task::Stdp(_) | Task::StdpComplex(_) => {
            CpuEngine::alone(plan, SingleUnit::new(plan)).profile(plan, description, ceilings)
        }
    }
}

/// The CPU has one mode.
pub(crate) fn check_numerics(plan: &Plan) -> Result<()> {
    if plan.config.run.numerics == Numerics::Exact {
        return Ok(());
    }
    Err(Error::Config(
        "`run.numerics`: the CPU computes in `exact` only; try: --device cuda, or --set run.numerics=exact".into(),
    ))
}

/// Fitness of every episode of parameters on fresh episodes of a seed.
pub fn fresh_fitness(plan: &Plan, parameters: &[f32], episodes: usize, seed: u64) -> Vec<f32> {
    fn of<W: Workload>(workload: &W, parameters: &[f32], episodes: usize, seed: u64) -> Vec<f32> {
        workload.fitness(parameters, &workload.fresh_episodes(episodes, seed))
    }
    match plan.config.task {
        Task::TMaze(_) | Task::DoubleTMaze(_) => of(&MazePlay::new(plan), parameters, episodes, seed),
        Task::Assay(_) => of(&Lives::new(plan), parameters, episodes, seed),
        Task::Iaf(_) | Task::Stdp(_) | Task::StdpComplex(_) => of(&SingleUnit::new(plan), parameters, episodes, seed),
    }
}

/// Mean fitness over the episodes, and the steps simulated.
fn mean_fitness<W: Workload>(
    workload: &W,
    (fitness, workspace): (&mut [f32], &mut W::Workspace),
    parameters: &[f32],
    episodes: &W::Episodes,
) -> (f32, u64) {
    let windows = fitness.chunks_mut(W::WINDOW).enumerate();
    let steps =
        windows.map(|(i, fitness)| workload.play(workspace, parameters, episodes, i * W::WINDOW, fitness)).sum();
    (mean(fitness), steps)
}

/// Summed in order, so that the bits are always the same.
fn mean(fitness: &[f32]) -> f32 {
    canonical(fitness.iter().sum::<f32>() / fitness.len() as f32)
}

/// One NaN for all: its bits differ between processors, and fitness is compared by its bits.
fn canonical(fitness: f32) -> f32 {
    if fitness.is_nan() { f32::NAN } else { fitness }
}

/// What stops a run of which a generation has no finite fitness.
fn nothing_to_select(seed: u64, generation: u32) -> Error {
    Error::Run(format!(
        "seed {seed}, generation {generation}: no offspring has a finite fitness, so there is nothing to select; \
         try: a smaller sigma, learning_rate or initial_scale"
    ))
}

/// A record of another population cannot be replayed.
fn check_record(length: usize, population: usize) -> Result<()> {
    if length == population {
        return Ok(());
    }
    Err(Error::Run(format!("a record of {length} fitness values cannot be replayed: the population is {population}")))
}
