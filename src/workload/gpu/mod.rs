//! The GPU engine: whole generations on the device, for one run or for many trials packed side by side. What differs
//! between workloads is a [`Game`]: open_loop.rs, maze.rs and lives.rs.
//!
//! A batch of up to 64 generations is one upload of the schedule, one launch that draws all its episodes, and
//! one graph: for each generation a rollout, the mean over environments, the ranks, and the update. The generations'
//! fitness lands in one half of a ring, which a second stream copies out; meanwhile the next batch, already launched,
//! fills the other half. So the device works while the host writes logs and checkpoints: what the host is told is always
//! one batch behind, and the state at that point is kept in a snapshot on the device.

mod batch;
mod kernels;
mod lives;
mod maze;
mod open_loop;
mod profile;
mod sizes;
mod slices;
mod state;
mod tiles;

use std::ops::Range;

use cudarc::driver::{CudaEvent, CudaGraph};

use super::lives::Lives;
use super::maze::MazePlay;
use super::single_unit::SingleUnit;
use super::start::first_centre;
use crate::abi::{BestSoFar, Pointer, Step};
use crate::config;
use crate::engine::{Engine, Facts, Generation, State, Trials};
use crate::error::Result;
use crate::gpu::{self, Buffer, Gpu, Pinned, Shape};
use crate::plan::Plan;
use crate::profile::Work;
use crate::rng::Stream;
use crate::search::es::Schedule;
use crate::search::shaping::{nes_utilities, power_weights};
use lives::AssayLives;
use maze::Mazes;
use open_loop::OpenLoop;
use sizes::{batch, check_memory};

pub(crate) use maze::{KernelRule, synapse_input};
pub(crate) use sizes::Size;
pub use sizes::gpu_memory_bytes;
pub use slices::SlicedEngine;
pub(crate) use tiles::Tiles;

/// Trials of one plan that differ in their seed, advanced together by the same launches. Packing changes no bit.
pub struct Pack {
    gpu: Gpu,
    plan: Plan,
    seeds: Vec<u64>,
    /// Length of a parameter vector on the device: D rounded up to whole quads.
    stride: usize,
    /// Generations of a full batch; divides `validate_every`.
    batch: u32,
    generation: Players,
    validation: Players,
    buffers: Buffers,
    halves: [Half; 2],
    /// Where the host is: all that is reported lies before it.
    reported: Mark,
    /// Where the device will be when everything launched is done.
    launched: Mark,
    /// The half whose snapshot is `reported`.
    current: usize,
    /// Launched and not yet reported, in the other half.
    ahead: Option<u32>,
}

/// A point of a run: what of its state the host knows by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mark {
    generation: u32,
    schedule: Schedule,
}

/// A set of players on a set of episodes: the generation's, or the centre on the validation episodes.
struct Players {
    /// Perturbed ones, here and elsewhere.
    population: usize,
    /// Those that are here, by their numbers: offspring, and behind the last of them the centre.
    range: Range<usize>,
    environments: usize,
    game: Box<dyn Game>,
    /// Of every player and environment, which lie [`Game::lanes`] apart.
    fitness: Buffer<f32>,
}

/// Episodes on the device and the kernels that draw and play them.
trait Game {
    /// Environments of a player, with those that only pad a window.
    fn lanes(&self) -> usize;

    /// Steps lived, of every player and environment, where agents die.
    fn lived(&self) -> Option<&Buffer<u32>>;

    /// Name of the kernel that draws; none where what is played is told by a seed alone.
    fn draw_name(&self) -> Option<&'static str>;

    /// The kernel that plays, and in check mode the exact one beside it.
    fn rollouts(&self) -> (&Rollout, Option<&Rollout>);

    /// With blocks of at most `warps` warps.
    fn reshape(&mut self, context: &Context<'_>, warps: usize) -> Result<()>;

    /// Draw the episodes of generations of a stream; `steps` null for the only one.
    fn draw(&self, context: &Context<'_>, steps: Pointer<Step>, stream: Stream, generations: u32) -> Result<()>;

    /// Everyone plays the episodes of generation `k` of a batch.
    fn play(&self, search: &Search<'_>, rollout: &Rollout, k: usize) -> Result<()>;

    /// Bytes of all episodes.
    fn episodes_bytes(&self) -> usize;

    /// What playing the episodes that were played last is.
    fn work(&self, context: &Context<'_>) -> Result<Work>;
}

/// A kernel and the shape of its launch.
struct Rollout {
    name: String,
    exact: bool,
    shape: Shape,
}

/// What all parts of a pack need to know.
struct Context<'a> {
    gpu: &'a Gpu,
    plan: &'a Plan,
    seeds: &'a Buffer<u64>,
}

/// Whose parameters are played, and whereto the fitness goes.
struct Search<'a> {
    context: Context<'a>,
    step: Pointer<Step>,
    centre: Pointer<f32>,
    sigmas: Pointer<f32>,
    halted: Pointer<u32>,
    fitness: Pointer<f32>,
    /// Perturbed players, here and elsewhere.
    population: usize,
    /// Number of the first player here.
    first: usize,
    antithetic: bool,
}

struct Buffers {
    seeds: Buffer<u64>,
    rank_weights: Buffer<f32>,
    utilities: Buffer<f32>,
    halted: Buffer<u32>,
    live: Snapshot,
    /// Of the centre on the validation episodes.
    validated: Buffer<f32>,
}

/// All that `State` needs, of every trial.
struct Snapshot {
    centre: Buffer<f32>,
    /// Velocity, Adam's mean, or the spread of every parameter.
    first: Buffer<f32>,
    /// Adam's square.
    second: Option<Buffer<f32>>,
    best: Buffer<BestSoFar>,
    best_parameters: Buffer<f32>,
}

/// One half of the ring.
struct Half {
    steps: Buffer<Step>,
    pinned_steps: Pinned<Step>,
    /// `[generation][trial][P + 1]`.
    fitness: Buffer<f32>,
    pinned_fitness: Pinned<f32>,
    /// Steps lived, where agents die: `[generation][trial]`.
    env_steps: Buffer<u64>,
    pinned_env_steps: Pinned<u64>,
    pinned_halted: Pinned<u32>,
    snapshot: Snapshot,
    mark: Mark,
    graph: Option<CudaGraph>,
    started: Option<CudaEvent>,
    computed: Option<CudaEvent>,
    drained: Option<CudaEvent>,
}

fn device<T>(doing: &str, result: std::result::Result<T, cudarc::driver::DriverError>) -> Result<T> {
    result.map_err(|e| gpu::failed(doing, e))
}

impl Pack {
    /// One trial for each of `seeds`, at generation 0.
    ///
    /// # Errors
    /// When the plan does not fit the device: too little memory (with the largest population that fits), a unit too
    /// large for a block's shared memory, or one that fast mode has no kernel for.
    pub fn new(plan: &Plan, gpu: Gpu, seeds: &[u64]) -> Result<Self> {
        Self::with(plan, gpu, seeds, 0..plan.population + 1, batch(plan, seeds.len()))
    }

    /// With these of the players, and batches of so many generations.
    fn with(plan: &Plan, gpu: Gpu, seeds: &[u64], range: Range<usize>, batch: u32) -> Result<Self> {
        let run = &plan.config.run;
        let (stride, trials) = (plan.parameters().next_multiple_of(4), seeds.len());
        check_memory(plan, &gpu, trials, batch, range.len())?;

        let players = |population, range, environments, generations| {
            Players::new(plan, &gpu, trials, (population, range), environments, generations)
        };
        let generation = players(plan.population, range, plan.environments, batch as usize)?;
        let validation = players(0, 0..1, run.validation_episodes as usize, 1)?;
        let centres: Vec<f32> = seeds
            .iter()
            .flat_map(|&seed| {
                let mut centre = match (&plan.config.task, &plan.network) {
                    (config::Task::Assay(_), _) => first_centre(&Lives::new(plan), plan, seed),
                    (_, Some(_)) => first_centre(&MazePlay::new(plan), plan, seed),
                    (_, None) => first_centre(&SingleUnit::new(plan), plan, seed),
                };
                centre.resize(stride, 0.0);
                centre
            })
            .collect();
        let (rank_weights, spreads) = match plan.config.optimiser() {
            Some(config::Optimiser::Snes(snes)) => (nes_utilities(plan.population), snes.sigma),
            Some(config::Optimiser::Es(es)) => (power_weights(plan.population, es.rank_exponent), 0.0),
            None => (Vec::new(), 0.0),
        };
        let adam = plan.config.es.as_ref().is_some_and(|es| es.adam.is_some());
        let snapshot = || -> Result<Snapshot> {
            Ok(Snapshot {
                centre: Buffer::of(&gpu, &centres)?,
                first: Buffer::of(&gpu, &vec![spreads; trials * stride])?,
                second: adam.then(|| Buffer::zeros(&gpu, trials * stride)).transpose()?,
                best: Buffer::zeros(&gpu, trials)?,
                best_parameters: Buffer::zeros(&gpu, trials * stride)?,
            })
        };
        let schedule = plan.config.es.as_ref().map_or(Schedule { sigma: 0.0, powers: [1.0; 2] }, Schedule::new);
        let mark = Mark { generation: 0, schedule };
        let ring = batch as usize * trials * (plan.population + 1);
        let half = || -> Result<Half> {
            Ok(Half {
                steps: Buffer::zeros(&gpu, batch as usize)?,
                pinned_steps: Pinned::zeros(&gpu, batch as usize)?,
                fitness: Buffer::zeros(&gpu, ring)?,
                pinned_fitness: Pinned::zeros(&gpu, ring)?,
                env_steps: Buffer::zeros(&gpu, batch as usize * trials)?,
                pinned_env_steps: Pinned::zeros(&gpu, batch as usize * trials)?,
                pinned_halted: Pinned::zeros(&gpu, 1)?,
                snapshot: snapshot()?,
                mark,
                graph: None,
                started: None,
                computed: None,
                drained: None,
            })
        };
        let buffers = Buffers {
            seeds: Buffer::of(&gpu, seeds)?,
            rank_weights: Buffer::of(&gpu, &rank_weights)?,
            utilities: Buffer::zeros(&gpu, trials * plan.population)?,
            halted: Buffer::zeros(&gpu, 1)?,
            live: snapshot()?,
            validated: Buffer::zeros(&gpu, trials)?,
        };
        let halves = [half()?, half()?];
        let pack = Self {
            plan: plan.clone(),
            seeds: seeds.to_vec(),
            stride,
            batch,
            generation,
            validation,
            buffers,
            halves,
            reported: mark,
            launched: mark,
            current: 0,
            ahead: None,
            gpu,
        };
        // The validation episodes are the same throughout the run.
        pack.validation.game.draw(&pack.context(), Pointer::NULL, Stream::Validation, 1)?;
        pack.gpu.wait()?;
        Ok(pack)
    }

    /// With blocks of at most `warps` warps: the bits must not change.
    ///
    /// # Errors
    /// As [`Pack::new`].
    pub fn reshaped(mut self, warps: usize) -> Result<Self> {
        let context = Context { gpu: &self.gpu, plan: &self.plan, seeds: &self.buffers.seeds };
        for players in [&mut self.generation, &mut self.validation] {
            players.game.reshape(&context, warps)?;
        }
        self.halves.iter_mut().for_each(|half| half.graph = None);
        Ok(self)
    }

    /// Generations after which it is best to report: to the next end of a batch or of the run.
    pub fn until_report(&self) -> u32 {
        self.until_report_from(self.reported.generation)
    }

    fn until_report_from(&self, generation: u32) -> u32 {
        let full = self.batch - generation % self.batch;
        match self.plan.config.run.generations.checked_sub(generation) {
            Some(left) if left > 0 => full.min(left),
            _ => full,
        }
    }

    fn context(&self) -> Context<'_> {
        Context { gpu: &self.gpu, plan: &self.plan, seeds: &self.buffers.seeds }
    }

    /// Of one trial.
    pub fn facts(&self) -> Facts {
        self.plan.facts()
    }
}

impl Drop for Pack {
    fn drop(&mut self) {
        // Memory goes back in the order of the compute stream, and another may still copy out of it. There is no one to
        // tell of an error.
        let _ = self.gpu.wait();
    }
}

impl Mark {
    /// What the kernels need to know of the generation here; then to the next.
    fn advance(&mut self, plan: &Plan) -> Step {
        let mut step = Step { generation: self.generation, sigma: self.schedule.sigma, ..Step::default() };
        match &plan.config.task {
            config::Task::Iaf(iaf) => step.shared = iaf.shared_at(self.generation),
            config::Task::TMaze(maze) | config::Task::DoubleTMaze(maze) => {
                step.poison_reward = maze.poison_at(self.generation);
            }
            config::Task::Stdp(_) | config::Task::StdpComplex(_) | config::Task::Assay(_) => {}
        }
        if let Some(es) = &plan.config.es {
            if let Some(adam) = &es.adam {
                [step.mean_scale, step.square_scale] = self.schedule.correct(adam);
            }
            self.schedule.decay(es);
        }
        self.generation += 1;
        step
    }
}

impl Trials for Pack {
    fn until_report(&self) -> u32 {
        self.until_report()
    }

    fn advance(&mut self, generations: u32, report: &mut dyn FnMut(usize, Generation)) -> Result<()> {
        self.advance(generations, report)
    }

    fn state(&self, trial: usize) -> Result<State> {
        self.state(trial)
    }

    fn restore(&mut self, states: &[State]) -> Result<()> {
        self.restore(states)
    }
}

/// A pack of one trial: the run of a plan.
pub struct GpuEngine(Pack);

impl GpuEngine {
    /// At generation 0, with its first centre drawn.
    ///
    /// # Errors
    /// As [`Pack::new`].
    pub fn new(plan: &Plan, gpu: Gpu) -> Result<Self> {
        Pack::new(plan, gpu, &[plan.config.run.seed]).map(Self)
    }
}

impl Engine for GpuEngine {
    fn until_report(&self) -> u32 {
        self.0.until_report()
    }

    fn advance(&mut self, generations: u32, out: &mut Vec<Generation>) -> Result<()> {
        self.0.advance(generations, &mut |_, generation| out.push(generation))
    }

    fn replay(&mut self, fitness: &[f32]) -> Result<()> {
        self.0.replay(fitness)
    }

    fn state(&self) -> Result<State> {
        self.0.state(0)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.0.restore(std::slice::from_ref(state))
    }

    fn facts(&self) -> Facts {
        self.0.facts()
    }
}
