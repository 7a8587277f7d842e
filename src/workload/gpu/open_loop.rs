//! One unit in open loop: its episodes on the device, and the kernels `rollout_*`.

use super::sizes::Size;
use super::tiles::Tiles;
use super::{Context, Game, Rollout, Search};
use crate::abi::{DrawArgs, LANES, Pointer, RolloutArgs, Step, THREADS};
use crate::config::{self, Numerics};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::plan::Plan;
use crate::profile::Work;
use crate::rng::Stream;

/// Warps of a rollout's block, at most: the kernels are compiled for 128 threads.
const MAX_WARPS: usize = 4;

/// The episodes of some generations, and who plays them.
pub(super) struct OpenLoop {
    size: Size,
    lanes: usize,
    rollout: Rollout,
    exact: Option<Rollout>,
    inputs: Buffer<f32>,
    /// Elements of `inputs` of one generation.
    inputs_length: usize,
    target: Buffer<u32>,
    /// Elements of `target` of one generation.
    target_length: usize,
}

/// Words that the episodes of a generation and trial take, and the fitness of a player on them.
pub(super) fn words(plan: &Plan, environments: usize) -> (usize, usize) {
    let lanes = environments.next_multiple_of(LANES as usize);
    (lanes * plan.steps * (plan.channels + 1), lanes)
}

/// Memory cells of the fast rollout.
fn fast_memory(memory: usize) -> usize {
    memory.next_multiple_of(16)
}

impl OpenLoop {
    pub(super) fn new(plan: &Plan, gpu: &Gpu, size: Size) -> Result<Self> {
        let lanes = size.environments.next_multiple_of(LANES as usize);
        let inputs_length = size.trials * plan.steps * plan.channels * lanes;
        let target_rows =
            if matches!(plan.config.task, config::Task::Iaf(_)) { plan.steps.div_ceil(32) } else { plan.steps };
        let target_length = size.trials * target_rows * lanes;
        let rollout = |exact| rollout(plan, gpu, exact, size, MAX_WARPS);
        let numerics = plan.config.run.numerics;
        Ok(Self {
            size,
            lanes,
            rollout: rollout(numerics == Numerics::Exact)?,
            exact: (numerics == Numerics::Check).then(|| rollout(true)).transpose()?,
            inputs: Buffer::zeros(gpu, size.generations * inputs_length)?,
            inputs_length,
            target: Buffer::zeros(gpu, size.generations * target_length)?,
            target_length,
        })
    }

    fn draws(&self) -> &'static str {
        if self.rollout.name.contains("_iaf_") { "draw_iaf" } else { "draw_stdp" }
    }
}

/// Name, grid and block of a rollout: as many windows in a block as shared memory has room for, at most `warps`.
fn rollout(plan: &Plan, gpu: &Gpu, exact: bool, size: Size, warps: usize) -> Result<Rollout> {
    let Plan { unit, channels, .. } = plan;
    let task = if matches!(plan.config.task, config::Task::Iaf(_)) { "iaf" } else { "stdp" };
    let (kind, memory) = (unit.kind.name(), unit.memory);
    // Floats of a block and of each of its warps, in fast mode as Weights in rollout_fast.cu.
    let (name, block, warp) = if exact {
        let Tiles { columns, weights, window } = Tiles::of(unit, *channels);
        (format!("rollout_exact_{kind}_{task}_{columns}"), weights, window)
    } else {
        if memory > 32 || unit.outputs > 16 || *channels > 8 {
            return Err(Error::Config(format!(
                "`run.numerics`: fast mode has kernels for units of at most 32 memory cells and 16 outputs; this one has \
                 {memory} and {}\ntry: --set run.numerics=exact",
                unit.outputs
            )));
        }
        let memory = fast_memory(memory);
        let row_tiles = memory / 16 + if unit.feedback() > 0 { 2 } else { 1 };
        let out_tiles = if unit.feedback() > 0 { 2 } else { 1 };
        let of_gates = unit.gates() * memory / 8 * row_tiles.div_ceil(2);
        let weights = (of_gates + out_tiles * (memory / 16).div_ceil(2)) * 128;
        (format!("rollout_fast_{kind}_{task}_{memory}"), weights, 2 * LANES as usize)
    };
    let shape = size.windows(gpu, block, warp, warps.min(MAX_WARPS))?;
    Ok(Rollout { name, exact, shape })
}

impl Game for OpenLoop {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn lived(&self) -> Option<&Buffer<u32>> {
        None
    }

    fn draw_name(&self) -> Option<&'static str> {
        Some(self.draws())
    }

    fn rollouts(&self) -> (&Rollout, Option<&Rollout>) {
        (&self.rollout, self.exact.as_ref())
    }

    fn reshape(&mut self, context: &Context<'_>, warps: usize) -> Result<()> {
        self.rollout = rollout(context.plan, context.gpu, self.rollout.exact, self.size, warps)?;
        Ok(())
    }

    fn draw(&self, context: &Context<'_>, steps: Pointer<Step>, stream: Stream, generations: u32) -> Result<()> {
        let mut args = DrawArgs {
            seeds: context.seeds.pointer(),
            steps,
            inputs: self.inputs.pointer(),
            target: self.target.pointer(),
            stream: stream as u32,
            environments: self.size.environments as u32,
            lanes: self.lanes as u32,
            length: context.plan.steps as u32,
            input_min: 0.0,
            input_width: 0.0,
            threshold: 0.0,
            amplitude: 0.0,
            tau: 1.0,
            max_delay: 0,
            complex: 0,
        };
        match &context.plan.config.task {
            config::Task::Iaf(task) => {
                (args.input_min, args.input_width) = (task.input_min, task.input_max - task.input_min);
                args.threshold = task.threshold;
            }
            config::Task::Stdp(task) | config::Task::StdpComplex(task) => {
                (args.input_min, args.input_width) = (task.input_min, task.input_max - task.input_min);
                (args.amplitude, args.tau, args.max_delay) = (task.amplitude, task.tau, task.max_delay);
                args.complex = u32::from(matches!(context.plan.config.task, config::Task::StdpComplex(_)));
            }
            task => panic!("{task:?} is not for a single unit"),
        }
        let grid = [blocks(self.lanes, THREADS), generations, self.size.trials as u32];
        // SAFETY: the buffers hold this many generations of episodes of all trials.
        unsafe { context.gpu.launch(self.draws(), Shape { grid, block: THREADS, shared: 0 }, &args) }
    }

    fn play(&self, search: &Search<'_>, rollout: &Rollout, k: usize) -> Result<()> {
        let Plan { unit, config, channels, steps, .. } = search.context.plan;
        let spike_threshold = if let config::Task::Iaf(iaf) = &config.task { iaf.spike_threshold } else { 0.0 };
        let args = RolloutArgs {
            seeds: search.context.seeds.pointer(),
            step: search.step,
            centre: search.centre,
            sigmas: search.sigmas,
            inputs: self.inputs.at(k * self.inputs_length, self.inputs_length),
            target: self.target.at(k * self.target_length, self.target_length),
            fitness: search.fitness,
            halted: search.halted,
            population: search.population as u32,
            first_player: search.first as u32,
            players: self.size.players as u32,
            antithetic: u32::from(search.antithetic),
            unit_inputs: unit.inputs as u32,
            memory: unit.memory as u32,
            outputs: unit.outputs as u32,
            parameters: unit.parameters() as u32,
            channels: *channels as u32,
            lanes: self.lanes as u32,
            length: *steps as u32,
            spike_threshold,
        };
        // SAFETY: the buffers are those of these players.
        unsafe { search.context.gpu.launch(&rollout.name, rollout.shape, &args) }
    }

    fn episodes_bytes(&self) -> usize {
        4 * (self.inputs.len() + self.target.len())
    }

    fn work(&self, context: &Context<'_>) -> Result<Work> {
        let Plan { unit, channels, steps, .. } = context.plan;
        let Size { trials, players, environments, .. } = self.size;
        let steps_played = (trials * players * environments * steps) as u64;
        Ok(Work {
            flops: steps_played * 2 * unit.multiply_adds(*channels) as u64,
            bytes: 4 * (self.inputs_length + self.target_length + trials * players * self.lanes) as u64,
            functions: steps_played * (unit.functions() as u64),
            fast: !self.rollout.exact,
        })
    }
}
