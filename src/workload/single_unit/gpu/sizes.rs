//! What follows from the plan before anything runs: which kernels, the shape of their blocks, how many generations to a
//! batch, and the memory of it all.

use super::{Names, Players};
use crate::abi::LANES;
use crate::config::{self, Numerics};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape};
use crate::plan::Plan;

/// Episodes of a batch take at most this many bytes.
const EPISODE_BYTES: usize = 256 << 20;

/// Work of a batch, at most: a report every second or so on a large device.
const BATCH_FLOPS: u64 = 10_000_000_000_000;

/// What the driver may lose by rounding every allocation up.
const ROUNDING: u64 = 64 << 20;

/// Warps of a rollout's block, at most: the kernels are compiled for 128 threads.
const MAX_WARPS: usize = 4;

/// Generations of a batch, at most.
const MAX_BATCH: u32 = 64;

impl Names {
    pub(super) fn of(plan: &Plan) -> Result<Self> {
        let (draw, task) = match plan.config.task {
            config::Task::Iaf(_) => ("draw_iaf", "iaf"),
            config::Task::Stdp(_) | config::Task::StdpComplex(_) => ("draw_stdp", "stdp"),
            config::Task::TMaze(_) | config::Task::DoubleTMaze(_) => {
                return Err(Error::Device("mazes have no CUDA kernels yet; try: --device cpu".into()));
            }
        };
        let (unit, memory) = (plan.unit.kind.name(), plan.unit.memory);
        let exact = format!("rollout_exact_{unit}_{task}_{}", exact_tile(memory));
        if plan.config.run.numerics == Numerics::Exact {
            return Ok(Self { draw, rollout: exact, exact: None });
        }
        if memory > 32 || plan.unit.outputs > 16 || plan.channels > 16 {
            return Err(Error::Config(format!(
                "`run.numerics`: fast mode has kernels for units of at most 32 memory cells and 16 outputs; this one has \
                 {memory} and {}\ntry: --set run.numerics=exact",
                plan.unit.outputs
            )));
        }
        let fast = format!("rollout_fast_{unit}_{task}_{}", fast_memory(memory));
        let exact = (plan.config.run.numerics == Numerics::Check).then_some(exact);
        Ok(Self { draw, rollout: fast, exact })
    }
}

/// Columns of a tile of the exact rollout.
fn exact_tile(memory: usize) -> usize {
    match memory {
        0..=8 => 8,
        9..=16 => 16,
        _ => 32,
    }
}

/// Memory cells of the fast rollout.
fn fast_memory(memory: usize) -> usize {
    memory.next_multiple_of(16)
}

/// Generations of a batch: the largest number up to `room` that divides both intervals, so that neither a validation nor
/// a checkpoint falls inside a batch.
fn batch_of(validate_every: u32, checkpoint_every: u32, room: u32) -> u32 {
    let divides = |n: &u32| validate_every.is_multiple_of(*n) && checkpoint_every.is_multiple_of(*n);
    (1..=room).rev().find(divides).unwrap_or(1)
}

/// Bytes on the device: those that do not depend on the population, and those of one offspring.
fn device_bytes(plan: &Plan, trials: usize, batch: u32) -> (u64, u64) {
    let lanes = |environments: usize| environments.next_multiple_of(LANES as usize);
    let vectors = if plan.config.es.as_ref().is_some_and(|es| es.adam.is_some()) { 4 } else { 3 };
    let stride = plan.parameters().next_multiple_of(4);
    let validation = lanes(plan.config.run.validation_episodes as usize);
    let of_steps = plan.steps * (plan.channels + 1);
    let fixed = trials * (3 * vectors * stride + of_steps * (batch as usize * lanes(plan.environments) + validation));
    let each = trials * (lanes(plan.environments) + 2 * batch as usize + 1) + 1;
    (4 * fixed as u64, 4 * each as u64)
}

/// Bytes of device memory that a run of `plan` takes.
pub fn gpu_memory_bytes(plan: &Plan) -> u64 {
    let (fixed, each) = device_bytes(plan, 1, batch(plan, 1));
    fixed + each * (plan.population as u64 + 1)
}

/// Generations of a batch of this many trials.
pub(super) fn batch(plan: &Plan, trials: usize) -> u32 {
    let lanes = plan.environments.next_multiple_of(LANES as usize);
    let episode_bytes = 4 * trials * lanes * plan.steps * (plan.channels + 1);
    let flops = trials as u64 * plan.facts().flops;
    let room = (EPISODE_BYTES / episode_bytes).min((BATCH_FLOPS / flops) as usize);
    batch_of(plan.config.run.validate_every, plan.config.run.checkpoint_every, room.clamp(1, MAX_BATCH as usize) as u32)
}

pub(super) fn check_memory(plan: &Plan, gpu: &Gpu, trials: usize, batch: u32) -> Result<()> {
    let (fixed, each) = device_bytes(plan, trials, batch);
    let (needed, free) = (fixed + each * (plan.population as u64 + 1), gpu.free_bytes()?.saturating_sub(ROUNDING));
    if needed <= free {
        return Ok(());
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

/// The grid and block of a rollout: as many windows in a block as shared memory has room for, at most `warps`.
pub(super) fn rollout_shape(
    plan: &Plan,
    gpu: &Gpu,
    name: &str,
    trials: usize,
    perturbed: usize,
    lanes: usize,
    warps: usize,
) -> Result<Shape> {
    let windows = lanes / LANES as usize;
    let unit = &plan.unit;
    let live_rows = unit.gate_rows() - unit.inputs + plan.channels;
    // Floats of a block and of each of its warps, as Layout in rollout_exact.cu and Weights in rollout_fast.cu.
    let (block, warp) = if name.starts_with("rollout_exact") {
        let tile = exact_tile(unit.memory);
        let padded = |columns: usize| columns.next_multiple_of(tile);
        let weights = unit.gates() * live_rows * padded(unit.memory) + unit.memory * padded(unit.outputs);
        (weights, (3 * unit.memory + unit.outputs + plan.channels) * LANES as usize)
    } else {
        let memory = fast_memory(unit.memory);
        let row_tiles = memory / 16 + if unit.feedback() > 0 { 2 } else { 1 };
        let out_tiles = if unit.feedback() > 0 { 2 } else { 1 };
        let of_gates = unit.gates() * memory / 8 * row_tiles.div_ceil(2);
        ((of_gates + out_tiles * (memory / 16).div_ceil(2)) * 128, 2 * LANES as usize)
    };
    let limit = gpu.shared_limit() as usize / 4;
    let warps = warps.min(MAX_WARPS).min(windows);
    let fitting = (1..=warps).rev().find(|warps| block + warps * warp <= limit).ok_or_else(|| {
        Error::Device(format!(
            "the unit is too large for {}: a block needs {} bytes of shared memory and can have {}\n\
             try: a smaller memory or fewer outputs, or --device cpu",
            gpu.facts.name,
            4 * (block + warp),
            4 * limit
        ))
    })?;
    let blocks = (perturbed + 1) * windows.div_ceil(fitting);
    // The driver's limits.
    if blocks > i32::MAX as usize || trials > 65_535 {
        return Err(Error::Device(format!("{blocks} blocks for {trials} trials are more than one launch can have")));
    }
    Ok(Shape {
        grid: [blocks as u32, trials as u32, 1],
        block: 32 * fitting as u32,
        shared: 4 * (block + fitting * warp) as u32,
    })
}

impl Players {
    pub(super) fn new(
        plan: &Plan,
        gpu: &Gpu,
        names: &Names,
        trials: usize,
        perturbed: usize,
        environments: usize,
        generations: usize,
    ) -> Result<Self> {
        let lanes = environments.next_multiple_of(LANES as usize);
        let shape = |name: &String| rollout_shape(plan, gpu, name, trials, perturbed, lanes, MAX_WARPS);
        let inputs_length = trials * plan.steps * plan.channels * lanes;
        let target_rows =
            if matches!(plan.config.task, config::Task::Iaf(_)) { plan.steps.div_ceil(32) } else { plan.steps };
        let target_length = trials * target_rows * lanes;
        Ok(Self {
            perturbed,
            environments,
            lanes,
            shape: shape(&names.rollout)?,
            exact_shape: names.exact.as_ref().map(shape).transpose()?,
            inputs: Buffer::zeros(gpu, generations * inputs_length)?,
            inputs_length,
            target: Buffer::zeros(gpu, generations * target_length)?,
            target_length,
            fitness: Buffer::zeros(gpu, trials * (perturbed + 1) * lanes)?,
        })
    }
}
