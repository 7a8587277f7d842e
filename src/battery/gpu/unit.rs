//! One unit as the controller: the kernels `lives_<unit>_<columns of a tile>`.

use super::{Lived, Outcomes, Worlds};
use crate::abi::{self, ADAPTED, ADAPTED_MOTORS, LANES, LivesArgs, LivesTrace, Pointer, Step};
use crate::battery::assays::Assay;
use crate::battery::body::{Adapter, Body, One};
use crate::battery::play::Lives;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape};
use crate::rng::Stream;
use crate::workload::gpu::{Size, Tiles};

/// Warps of a block, at most: the kernels are compiled for 128 threads.
const MAX_WARPS: usize = 4;

/// Lives of some players in some assays, with what is the same in every launch.
pub(crate) struct UnitLives {
    one: One,
    size: Size,
    /// Lives of each assay.
    each: usize,
    adapters: Buffer<u32>,
    worlds: abi::Assays,
    /// Of the kernel.
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

/// Environments with those that only pad a window.
pub(crate) fn lanes(environments: usize) -> usize {
    environments.next_multiple_of(LANES as usize)
}

/// [`LivesArgs::adapters`] of an assay.
fn words(assay: &Assay, Adapter { shown, motors }: &Adapter) -> [u32; ADAPTED as usize] {
    let mut words = [0; ADAPTED as usize];
    words[0] = assay.game.number;
    words[1..].iter_mut().zip(shown).for_each(|(word, &(input, _))| *word = input as u32);
    words[ADAPTED_MOTORS as usize..].iter_mut().zip(motors).for_each(|(word, &motor)| *word = motor as u32);
    words
}

impl UnitLives {
    /// `size.environments` are the lives in all assays, those of the first one first; blocks have at most `warps` warps.
    ///
    /// # Errors
    /// When the body has more units than one or lacks what an assay needs, or the unit is too large for a block.
    pub(crate) fn new(
        gpu: &Gpu,
        worlds: &Worlds,
        body: &Body,
        assays: &[&Assay],
        size: Size,
        warps: usize,
    ) -> Result<Self> {
        let one = body.one_unit().ok_or_else(|| {
            Error::Config("`network`: networks live in assays of the battery on the CPU; try: --device cpu".into())
        })?;
        let mut adapters = Vec::new();
        for assay in assays {
            if assay.variant {
                return Err(Error::Config(format!(
                    "{}: variants of assays are played on the CPU; try: --device cpu",
                    assay.name
                )));
            }
            let adapter = body.adapter(assay).ok_or_else(|| {
                Error::Config(format!("{} needs {}, which this animal lacks", assay.name, body.lacks(assay).join(", ")))
            })?;
            adapters.extend(words(assay, &adapter));
        }
        let Tiles { columns, weights, window } = Tiles::of(&one.unit, one.channels);
        Ok(Self {
            name: format!("lives_{}_{columns}", one.unit.kind.name()),
            shape: size.windows(gpu, weights, window, warps.min(MAX_WARPS))?,
            each: size.environments.div_ceil(assays.len()),
            adapters: Buffer::of(gpu, &adapters)?,
            worlds: worlds.sizes(),
            one,
            size,
        })
    }

    /// Multiply-adds and functions of a step of the unit.
    pub(crate) fn work_of_a_step(&self) -> (u64, u64) {
        let One { unit, channels, .. } = &self.one;
        (unit.multiply_adds(*channels) as u64, unit.functions() as u64)
    }

    /// Arguments of a launch, in which players and addresses are still missing.
    pub(crate) fn args(&self) -> LivesArgs {
        let One { unit, channels, ticks } = self.one;
        LivesArgs {
            seeds: Pointer::NULL,
            step: Pointer::NULL,
            centre: Pointer::NULL,
            sigmas: Pointer::NULL,
            lives: Pointer::NULL,
            adapters: self.adapters.pointer(),
            fitness: Pointer::NULL,
            lived: Pointer::NULL,
            halted: Pointer::NULL,
            population: 0,
            first_player: 0,
            players: self.size.players as u32,
            antithetic: 0,
            unit_inputs: unit.inputs as u32,
            memory: unit.memory as u32,
            outputs: unit.outputs as u32,
            parameters: unit.parameters() as u32,
            channels: channels as u32,
            lanes: lanes(self.size.environments) as u32,
            environments: self.size.environments as u32,
            each: self.each as u32,
            noise: 0.0,
            ticks: ticks as u32,
            share: 1.0 / ticks as f32,
            stream: Stream::Episode as u32,
            of_generation: 0,
            trace: LivesTrace { values: Pointer::NULL, steps: 0, lanes: 0 },
            assays: self.worlds,
        }
    }
}

/// Lives of a unit with these parameters, `lives.count` in each of the assays, in blocks of at most so many warps; the first `traced`
/// steps are kept.
///
/// # Errors
/// When the device fails, the body is no unit or lacks what an assay needs, or the unit is too large for a block.
///
/// # Panics
/// When the worlds are those of variants.
#[expect(clippy::too_many_arguments, reason = "who, where, which lives, and how")]
pub fn unit(
    gpu: &Gpu,
    worlds: &Worlds,
    body: &Body,
    parameters: &[f32],
    assays: &[&Assay],
    lives: Lives,
    warps: usize,
    traced: u32,
) -> Result<Lived> {
    let environments = assays.len() * lives.count as usize;
    let size = Size { trials: 1, players: 1, environments, generations: 1 };
    let played = UnitLives::new(gpu, worlds, body, assays, size, warps)?;
    let mut padded = parameters.to_vec();
    padded.resize(parameters.len().next_multiple_of(4), 0.0);
    let (centre, seeds) = (Buffer::of(gpu, &padded)?, Buffer::of(gpu, &[lives.seed])?);
    let (step, halted) = (Buffer::of(gpu, &[Step::default()])?, Buffer::<u32>::zeros(gpu, 1)?);
    let outcomes = Outcomes::new(gpu, lanes(environments), traced)?;
    let args = LivesArgs {
        seeds: seeds.pointer(),
        step: step.pointer(),
        centre: centre.pointer(),
        lives: seeds.pointer(),
        fitness: outcomes.fitness.pointer(),
        lived: outcomes.steps.pointer(),
        halted: halted.pointer(),
        trace: outcomes.trace(),
        ..played.args()
    };
    // SAFETY: the kernels of this name take these arguments; the buffers are as long as they say, and live until the
    // results are read.
    unsafe { gpu.launch(&played.name, played.shape, &args) }?;
    outcomes.read(gpu, environments)
}
