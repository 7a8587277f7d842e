//! Whole lives on a device, a thread a life: the worlds of assays A to F and their variants as kernels/battery/ has them, with a plain
//! network, one unit or a network of units as the controller, to the bits of [`super::play`]; and the populations of assay G.

mod animal;
mod gratings;
mod played;

pub(crate) use animal::{AnimalLives, adapters, lanes};
pub use animal::{Told, Treated, animal};
pub use gratings::responses;
pub use played::{at_a_time, check, played};

use super::arena::Arena;
use super::assays::Assay;
use super::chemotaxis::Chemotaxis;
use super::conditioning::Conditioning;
use super::cues::{Rules, Swap, TwoTasks};
use super::overlap::Overlap;
use super::plate::Plate;
use super::play::{Lives, Protocol};
use super::reversal::Reversal;
use super::step_through::StepThrough;
use crate::abi::{
    self, ArenaSizes, ChemotaxisSizes, ConditioningSizes, CueRules, LivesTrace, MOST_MOTORS, OverlapSizes,
    PlainLivesArgs, PlateSizes, ReversalSizes, StepThroughSizes, SwapSizes, TRACED, TwoTasksSizes,
};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::policy::Mlp;
use crate::rollout::Packing;

/// Sizes of the protocols; by default those of everything else.
#[derive(Debug, Clone, PartialEq, Default)]
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
    /// Variant of E.
    pub conditioning: Conditioning,
    /// Variant of F.
    pub overlap: Overlap,
}

/// A protocol that the kernels know.
pub trait OnDevice: Protocol {
    /// Its sizes among those of all.
    fn place(&self, worlds: &mut Worlds);
}

macro_rules! on_device {
    ($($protocol:ty => $place:ident),* $(,)?) => {
        $(impl OnDevice for $protocol {
            fn place(&self, worlds: &mut Worlds) {
                worlds.$place = self.clone();
            }
        })*
    };
}

on_device! {
    Chemotaxis => chemotaxis,
    Arena => arena,
    StepThrough => step_through,
    Reversal => reversal,
    Swap => swap,
    TwoTasks => two_tasks,
    Conditioning => conditioning,
    Overlap => overlap,
}

/// What came of lives.
#[derive(Debug, Clone, PartialEq)]
pub struct Lived {
    /// Of each: what [`super::play::Protocol::fitness`] is.
    pub fitness: Vec<f32>,
    /// Steps of the controller.
    pub steps: Vec<u32>,
    /// What it was shown (senses, r+, r-) and answered, `[step][rows][lane]`, as many steps as were asked for.
    pub trace: Vec<f32>,
    /// Length of a row of the trace, at least the number of lives.
    pub lanes: usize,
}

/// What is kept of control steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// What is shown, and the answers, of so many steps: rows of [`TRACED`].
    All(u32),
    /// Answers alone: rows of [`MOST_MOTORS`].
    Answers(u32),
}

impl Kept {
    /// Steps and rows.
    fn sizes(self) -> (u32, u32) {
        match self {
            Self::All(steps) => (steps, TRACED),
            Self::Answers(steps) => (steps, MOST_MOTORS),
        }
    }
}

/// What lives leave on the device.
struct Outcomes {
    fitness: Buffer<f32>,
    steps: Buffer<u32>,
    trace: Buffer<f32>,
    kept: Kept,
    lanes: usize,
}

impl Outcomes {
    /// Of so many lanes, with room for a trace.
    fn new(gpu: &Gpu, lanes: usize, kept: Kept) -> Result<Self> {
        let (traced, rows) = kept.sizes();
        // A buffer is never empty.
        let values = (traced as usize * rows as usize * lanes).max(1);
        let (fitness, steps) = (Buffer::zeros(gpu, lanes)?, Buffer::zeros(gpu, lanes)?);
        Ok(Self { fitness, steps, trace: Buffer::zeros(gpu, values)?, kept, lanes })
    }

    fn trace(&self) -> LivesTrace {
        let (steps, rows) = self.kept.sizes();
        LivesTrace { values: self.trace.pointer(), rows, steps, lanes: self.lanes as u32 }
    }

    fn read(self, gpu: &Gpu, count: usize) -> Result<Lived> {
        let (mut fitness, mut steps) = (self.fitness.read_all(gpu)?, self.steps.read_all(gpu)?);
        fitness.truncate(count);
        steps.truncate(count);
        let trace = if self.kept.sizes().0 > 0 { self.trace.read_all(gpu)? } else { Vec::new() };
        Ok(Lived { fitness, steps, trace, lanes: self.lanes })
    }
}

/// Lives of a plain network in an assay, in blocks of so many threads; the first `traced` steps are kept.
///
/// # Errors
/// When the device fails, or the network does not fit a block's shared memory.
///
/// # Panics
/// When the network does not read and answer what the assay shows and takes.
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
    let outcomes = Outcomes::new(gpu, lives.count as usize, Kept::All(traced))?;
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
    /// As animals are evolved in these assays; see [`super::assays::Game`].
    ///
    /// # Errors
    /// When two of them are one world with other sizes.
    pub fn evolving(assays: &[&Assay]) -> Result<Self> {
        let mut worlds = Self::default();
        for (i, assay) in assays.iter().enumerate() {
            (assay.game.place)(&mut worlds);
            for before in &assays[..i] {
                let mut other = worlds.clone();
                (before.game.place)(&mut other);
                if other != worlds {
                    return Err(Error::Config(format!(
                        "`task.assay.assays`: {} and {} are one world with other sizes, of which a device has one at a time\n\
                         try: --device cpu",
                        before.name, assay.name
                    )));
                }
            }
        }
        Ok(worlds)
    }

    /// As the kernels read them.
    pub(crate) fn sizes(&self) -> abi::Assays {
        let Self { chemotaxis, arena, step_through, reversal, swap, two_tasks, conditioning, overlap } = self;
        let range = |range: &std::ops::RangeInclusive<u32>| (*range.start(), *range.end());
        let ((shortest, longest), (least, most)) = (range(&reversal.block), range(&swap.before));
        let (fewest, presentations) = range(&conditioning.presentations);
        abi::Assays {
            chemotaxis: ChemotaxisSizes { plate: (&chemotaxis.plate).into(), steps: chemotaxis.steps },
            arena: arena.into(),
            step_through: StepThroughSizes {
                cutoff: step_through.cutoff,
                delay: step_through.delay,
                blends: u32::from(step_through.blends),
            },
            reversal: ReversalSizes {
                least: shortest,
                most: longest,
                dark: reversal.dark,
                gap: reversal.gap,
                alternation: u32::from(reversal.alternation),
            },
            swap: SwapSizes { rules: swap.rules.into(), least, most, after: swap.after },
            two_tasks: two_tasks.into(),
            conditioning: ConditioningSizes {
                rules: Rules::default().into(),
                least: fewest,
                most: presentations,
                delay: conditioning.delay,
            },
            overlap: OverlapSizes { tasks: (&overlap.tasks).into(), shared: overlap.shared },
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
    fn from(Rules { reward, gap, blends }: Rules) -> Self {
        Self { reward, gap, blends: u32::from(blends) }
    }
}

impl From<&TwoTasks> for TwoTasksSizes {
    fn from(tasks: &TwoTasks) -> Self {
        let TwoTasks { rules, trials, between } = *tasks;
        Self { rules: rules.into(), trials, blank: between.blank, filled: between.filled }
    }
}
