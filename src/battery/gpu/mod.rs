//! Whole lives on a device, a thread a life: the worlds of assays A to F as kernels/battery/ has them, with a plain network, one
//! unit or a network of units as the controller, to the bits of [`super::play`], untreated; and the populations of assay G.

mod animal;
mod gratings;

pub use animal::animal;
pub(crate) use animal::{AnimalLives, lanes};
pub use gratings::responses;

use super::arena::Arena;
use super::assays::Assay;
use super::chemotaxis::Chemotaxis;
use super::cues::{Interval, Rules, Swap, TwoTasks};
use super::plate::Plate;
use super::play::Lives;
use super::reversal::Reversal;
use super::step_through::StepThrough;
use crate::abi::{
    self, ArenaSizes, ChemotaxisSizes, CueRules, LivesTrace, PlainLivesArgs, PlateSizes, ReversalSizes,
    StepThroughSizes, SwapSizes, TRACED, TwoTasksSizes,
};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::policy::Mlp;
use crate::rollout::Packing;

/// Sizes of the protocols; by default those of everything else. The kernels have no variants: cues are whole, no trials come between
/// blocks, and the maze of assay D has neither blank steps nor alternation.
#[derive(Debug, Clone, Default)]
pub struct Worlds {
    /// A.
    pub chemotaxis: Chemotaxis,
    /// B.
    pub arena: Arena,
    /// C.
    pub step_through: StepThrough,
    /// D.
    pub reversal: Reversal,
    /// E.
    pub swap: Swap,
    /// F.
    pub two_tasks: TwoTasks,
}

/// What came of lives.
#[derive(Debug, Clone, PartialEq)]
pub struct Lived {
    /// Of each: what [`super::play::Protocol::fitness`] is.
    pub fitness: Vec<f32>,
    /// Steps of the controller.
    pub steps: Vec<u32>,
    /// What it was shown (senses, r+, r-) and answered, `[step][TRACED][lane]`, as many steps as were asked for.
    pub trace: Vec<f32>,
    /// Length of a row of the trace, at least the number of lives.
    pub lanes: usize,
}

/// What lives leave on the device.
struct Outcomes {
    fitness: Buffer<f32>,
    steps: Buffer<u32>,
    trace: Buffer<f32>,
    traced: u32,
    lanes: usize,
}

impl Outcomes {
    /// Of so many lanes, with room for so many steps of a trace.
    fn new(gpu: &Gpu, lanes: usize, traced: u32) -> Result<Self> {
        // A buffer is never empty.
        let values = (traced as usize * TRACED as usize * lanes).max(1);
        let (fitness, steps) = (Buffer::zeros(gpu, lanes)?, Buffer::zeros(gpu, lanes)?);
        Ok(Self { fitness, steps, trace: Buffer::zeros(gpu, values)?, traced, lanes })
    }

    fn trace(&self) -> LivesTrace {
        LivesTrace { values: self.trace.pointer(), steps: self.traced, lanes: self.lanes as u32 }
    }

    fn read(self, gpu: &Gpu, count: usize) -> Result<Lived> {
        let (mut fitness, mut steps) = (self.fitness.read_all(gpu)?, self.steps.read_all(gpu)?);
        fitness.truncate(count);
        steps.truncate(count);
        let trace = if self.traced > 0 { self.trace.read_all(gpu)? } else { Vec::new() };
        Ok(Lived { fitness, steps, trace, lanes: self.lanes })
    }
}

/// Lives of a plain network in an assay, in blocks of so many threads; the first `traced` steps are kept.
///
/// # Errors
/// When the device fails, or the network does not fit a block's shared memory.
///
/// # Panics
/// When the network does not read and answer what the assay shows and takes, or the worlds are those of variants.
pub fn plain(
    gpu: &Gpu,
    worlds: &Worlds,
    assay: &Assay,
    mlp: &Mlp,
    lives: Lives,
    threads: u32,
    traced: u32,
) -> Result<Lived> {
    let sizes = mlp.sizes();
    let ends = [sizes[0], sizes[sizes.len() - 1]];
    assert_eq!(ends, [assay.channels(), assay.game.motors.len()], "a network for {}", assay.name);
    let packing = Packing::of(sizes, mlp.activation());
    let policy: Vec<f32> = packing.pack(mlp.parameters()).collect();
    let shared = size_of::<f32>() * (policy.len() + packing.neurons(threads));
    if shared > gpu.shared_limit() as usize {
        let limit = gpu.shared_limit();
        return Err(Error::Device(format!(
            "the network needs {shared} bytes of shared memory, and a block has at most {limit}; try: --device cpu"
        )));
    }
    let (policy, widths) = (Buffer::of(gpu, &policy)?, packing.widths(gpu)?);
    let outcomes = Outcomes::new(gpu, lives.count as usize, traced)?;
    let args = PlainLivesArgs {
        policy: policy.pointer(),
        widths: widths.pointer(),
        fitness: outcomes.fitness.pointer(),
        lived: outcomes.steps.pointer(),
        seed: lives.seed,
        count: lives.count,
        parameters: packing.places.len() as u32,
        hidden: packing.hidden(),
        last_layer: packing.last_layer,
        widest: packing.widest,
        activation: packing.activation,
        trace: outcomes.trace(),
        assays: worlds.sizes(),
    };
    let name = format!("lives_plain_{}", assay.name.replace('-', "_"));
    let grid = [blocks(lives.count as usize, threads), 1, 1];
    // SAFETY: the kernels of this name take these arguments; the buffers are as long as they say, and live until the
    // results are read.
    unsafe { gpu.launch(&name, Shape { grid, block: threads, shared: shared as u32 }, &args) }?;
    outcomes.read(gpu, lives.count as usize)
}

impl Worlds {
    /// As animals are evolved in them; see [`super::assays::Game`].
    pub fn evolving() -> Self {
        Self { reversal: Reversal::evolving(), ..Self::default() }
    }

    /// As the kernels read them.
    pub(crate) fn sizes(&self) -> abi::Assays {
        let Self { chemotaxis, arena, step_through, reversal, swap, two_tasks } = self;
        let variants = [
            step_through.blends,
            reversal.gap > 0,
            reversal.alternation,
            swap.rules.blends,
            two_tasks.rules.blends,
            two_tasks.between != Interval::default(),
        ];
        assert!(!variants.contains(&true), "the kernels have no variants of assays: {self:?}");
        let range = |range: &std::ops::RangeInclusive<u32>| (*range.start(), *range.end());
        let ((shortest, longest), (least, most)) = (range(&reversal.block), range(&swap.before));
        abi::Assays {
            chemotaxis: ChemotaxisSizes { plate: (&chemotaxis.plate).into(), steps: chemotaxis.steps },
            arena: arena.into(),
            step_through: StepThroughSizes { cutoff: step_through.cutoff, delay: step_through.delay },
            reversal: ReversalSizes { least: shortest, most: longest, dark: reversal.dark },
            swap: SwapSizes { rules: swap.rules.into(), least, most, after: swap.after },
            two_tasks: TwoTasksSizes { rules: two_tasks.rules.into(), trials: two_tasks.trials },
        }
    }
}

impl From<&Plate> for PlateSizes {
    fn from(plate: &Plate) -> Self {
        let Plate { dt, sweep, length, base, peak, gain, half, noise, reference, rate, radius, pause, .. } = *plate;
        Self {
            dt,
            sweeps_a_step: dt / plate.period,
            sweep,
            length,
            twice_variance: 2.0 * plate.spread * plate.spread,
            base,
            peak,
            gain,
            half,
            noise,
            adapting: dt / plate.adaptation,
            reference,
            rate,
            turning: dt * plate.turning,
            heading_noise: plate.heading_noise * dt.sqrt(),
            stride: plate.speed * dt,
            radius,
            pause,
        }
    }
}

impl From<&Arena> for ArenaSizes {
    fn from(arena: &Arena) -> Self {
        let Arena { ref plate, site_radius, reach, ring, find, eat, delay, test, offset } = *arena;
        Self { plate: plate.into(), site_radius, reach, ring, offset, find, eat, delay, test }
    }
}

impl From<Rules> for CueRules {
    fn from(Rules { reward, gap, .. }: Rules) -> Self {
        Self { reward, gap }
    }
}
