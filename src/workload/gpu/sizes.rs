//! What follows from the plan before anything runs: how many generations to a batch, and the memory of it all.

use std::ops::Range;

use super::{AssayLives, Game, Mazes, OpenLoop, Players, lives, maze, open_loop};
use crate::abi::LANES;
use crate::config::Task;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape};
use crate::plan::Plan;

/// Episodes of a batch take at most this many bytes.
const EPISODE_BYTES: usize = 256 << 20;

/// Work of a batch, at most: a report every second or so on a large device.
const BATCH_FLOPS: u64 = 10_000_000_000_000;

/// What the driver may lose by rounding every allocation up.
const ROUNDING: u64 = 64 << 20;

/// Generations of a batch, at most.
const MAX_BATCH: u32 = 64;

/// Generations of a batch: the largest number up to `room` that divides both intervals, so that neither a validation nor
/// a checkpoint falls inside a batch.
fn batch_of(validate_every: u32, checkpoint_every: u32, room: u32) -> u32 {
    let divides = |n: &u32| validate_every.is_multiple_of(*n) && checkpoint_every.is_multiple_of(*n);
    (1..=room).rev().find(divides).unwrap_or(1)
}

/// Words that the episodes of a generation and trial take, and the fitness of a player on them.
fn episode_words(plan: &Plan, environments: usize) -> (usize, usize) {
    match (&plan.config.task, &plan.network) {
        (Task::Assay(_), _) => lives::words(environments),
        (_, Some(network)) => maze::words(plan, network, environments),
        (_, None) => open_loop::words(plan, environments),
    }
}

/// Bytes on the device: those that do not depend on the population, and those of one offspring.
fn device_bytes(plan: &Plan, trials: usize, batch: u32) -> (u64, u64) {
    let vectors = if plan.config.es.as_ref().is_some_and(|es| es.adam.is_some()) { 4 } else { 3 };
    let stride = plan.parameters().next_multiple_of(4);
    let (episodes, fitness) = episode_words(plan, plan.environments);
    let (validation, _) = episode_words(plan, plan.config.run.validation_episodes as usize);
    let fixed = trials * (3 * vectors * stride + batch as usize * episodes + validation);
    let each = trials * (fitness + 2 * batch as usize + 1) + 1;
    (4 * fixed as u64, 4 * each as u64)
}

/// Bytes of device memory that a run of `plan` takes.
pub fn gpu_memory_bytes(plan: &Plan) -> u64 {
    let (fixed, each) = device_bytes(plan, 1, batch(plan, 1));
    fixed + each * (plan.population as u64 + 1)
}

/// Generations of a batch of this many trials.
pub(super) fn batch(plan: &Plan, trials: usize) -> u32 {
    let episode_bytes = 4 * trials * episode_words(plan, plan.environments).0;
    let flops = trials as u64 * plan.facts().flops;
    let room = (EPISODE_BYTES / episode_bytes.max(1)).min((BATCH_FLOPS / flops) as usize);
    batch_of(plan.config.run.validate_every, plan.config.run.checkpoint_every, room.clamp(1, MAX_BATCH as usize) as u32)
}

/// Of a device that plays so many of the players.
pub(super) fn check_memory(plan: &Plan, gpu: &Gpu, trials: usize, batch: u32, players: usize) -> Result<()> {
    let (fixed, each) = device_bytes(plan, trials, batch);
    let (needed, free) = (fixed + each * players as u64, gpu.free_bytes()?.saturating_sub(ROUNDING));
    if needed <= free {
        return Ok(());
    }
    if players <= plan.population {
        return Err(Error::Device(format!(
            "{players} players of a population of {} need {needed} bytes of device memory and {free} are free on {}; try: \
             more devices, or a smaller population",
            plan.population, gpu.facts.name
        )));
    }
    let fits = free.saturating_sub(fixed) / each;
    let trial = if trials > 1 { format!(" x {trials} trials") } else { String::new() };
    let advice = if fits >= 3 {
        format!("the largest population that fits is {}", fits - 1)
    } else {
        "no population fits: try fewer environments, steps or trials".into()
    };
    Err(Error::Device(format!(
        "population {}{trial} needs {needed} bytes of device memory and {free} are free on {}: {advice}",
        plan.population, gpu.facts.name
    )))
}

impl Players {
    pub(super) fn new(
        plan: &Plan,
        gpu: &Gpu,
        trials: usize,
        (population, range): (usize, Range<usize>),
        environments: usize,
        generations: usize,
    ) -> Result<Self> {
        let size = Size { trials, players: range.len(), environments, generations };
        let game: Box<dyn Game> = match (&plan.config.task, &plan.network) {
            (Task::Assay(_), _) => Box::new(AssayLives::new(plan, gpu, size)?),
            (_, Some(network)) => Box::new(Mazes::new(plan, network, gpu, size)?),
            (_, None) => Box::new(OpenLoop::new(plan, gpu, size)?),
        };
        let fitness = Buffer::zeros(gpu, trials * range.len() * game.lanes())?;
        Ok(Self { population, range, environments, game, fitness })
    }
}

/// How many of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub trials: usize,
    /// Of each trial.
    pub players: usize,
    /// Of each player.
    pub environments: usize,
    /// Whose episodes are there at once.
    pub generations: usize,
}

impl Size {
    /// The grid for so many blocks of each trial.
    pub(super) fn grid(&self, blocks: usize) -> Result<[u32; 3]> {
        // The driver's limits.
        if blocks > i32::MAX as usize || self.trials > 65_535 {
            let trials = self.trials;
            return Err(Error::Device(format!(
                "{blocks} blocks for {trials} trials are more than one launch can have"
            )));
        }
        Ok([blocks as u32, self.trials as u32, 1])
    }
}

impl Size {
    /// The launch of a rollout whose warps have 32 environments each: as many, at most `warps`, in a block as shared memory has
    /// room for, where a block takes so many floats and each of its warps so many more.
    pub(crate) fn windows(&self, gpu: &Gpu, block: usize, warp: usize, warps: usize) -> Result<Shape> {
        let limit = gpu.shared_limit() as usize / 4;
        let windows = self.environments.div_ceil(LANES as usize);
        let fitting = (1..=warps.min(windows)).rev().find(|warps| block + warps * warp <= limit);
        let fitting = fitting.ok_or_else(|| too_large(gpu, block + warp))?;
        Ok(Shape {
            grid: self.grid(self.players * windows.div_ceil(fitting))?,
            block: 32 * fitting as u32,
            shared: 4 * (block + fitting * warp) as u32,
        })
    }
}

/// What a block of a rollout may have.
pub(super) fn too_large(gpu: &Gpu, floats: usize) -> Error {
    Error::Device(format!(
        "the unit is too large for {}: a block needs {} bytes of shared memory and can have {}\n\
         try: a smaller memory or fewer outputs, or --device cpu",
        gpu.facts.name,
        4 * floats,
        gpu.shared_limit()
    ))
}
