//! Columns on a device, with the spikes of the CPU; the kernels are those of `kernels/column*.cu`. Small ones are stepped many side
//! by side, a block each; a column that no block has room for is stepped by blocks of all multiprocessors together.
//!
//! The host works out what follows from a column's parameters: sizes, thresholds of its laws, constants, first potentials. The
//! device draws the synapses and steps. A neuron's lane is another there, because those of a population are padded to 32; what
//! is random goes by the CPU's lane, and so do the spikes that come back.

mod columns;
mod plan;

use rayon::prelude::*;

pub use columns::Columns;

use self::plan::{Plan, Room};
use super::statistics::Limit;
use super::{Parameters, Seeds, Spike, Thalamus, network};
use crate::error::Result;
use crate::gpu::Gpu;

/// Columns that are prepared together.
const TOGETHER: usize = 4096;

/// Sizes that decide no bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Most threads of a block that steps a column.
    pub threads: u32,
    /// Spikes whose synapses have not all acted that shared memory has room for; a power of two. Where several blocks step a
    /// column: spikes of one step that are dealt with together.
    pub list: u32,
    /// Spikes of a column that there is room to write down at first.
    pub spikes: Option<u32>,
    /// Columns on the device at once, at most.
    pub columns: usize,
    /// Every column is stepped by several blocks, at most so many.
    pub blocks: Option<u32>,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { threads: 1024, list: 2048, spikes: None, columns: TOGETHER, blocks: None }
    }
}

/// What is asked of columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Steps that are not counted.
    pub warm: u32,
    /// Steps after these whose spikes are counted.
    pub counted: u32,
    /// Spikes are written down, too.
    pub record: bool,
    /// Who fires more than this is not simulated further.
    pub limit: Option<Limit>,
}

/// What a column did.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Spikes of each population after the warm-up.
    pub counts: Vec<u32>,
    /// These spikes, in the order of steps and lanes, if they were to be recorded.
    pub spikes: Option<Vec<Spike>>,
    /// All its synapses.
    pub synapses: usize,
    /// That drawing and that stepping took, in equal parts of all columns that were on the device together.
    pub seconds: (f64, f64),
    /// First lane of each population, and the number of lanes.
    lanes: Vec<usize>,
}

impl Counted {
    /// Population of a lane, and the neuron's number in it.
    pub fn place(&self, lane: usize) -> (usize, usize) {
        network::place(&self.lanes, lane)
    }
}

/// Draw columns and step them, as many at once as the device has memory for. `thalamus` is that of all. `then` gets these together,
/// in their order: the number of the first, and what each did, `None` where it went beyond the limit.
///
/// # Errors
/// When a column cannot be, does not fit the device, or the device fails; and those of `then`.
pub fn simulate(
    gpu: &Gpu,
    columns: &[(Parameters, Seeds)],
    thalamus: Option<&Thalamus>,
    span: Span,
    sizes: Sizes,
    mut then: impl FnMut(usize, Vec<Option<Counted>>) -> Result<()>,
) -> Result<()> {
    let (thalamus, room) = (thalamus.map(|thalamus| (thalamus, (span.warm, span.counted))), Room::new(gpu, &sizes));
    let mut number = 0;
    for together in columns.chunks(sizes.columns.clamp(1, TOGETHER)) {
        let plan = |(parameters, seeds): &(Parameters, Seeds)| Plan::drawn(parameters, *seeds, thalamus, room);
        let mut plans: Vec<Plan> = together.par_iter().map(plan).collect::<Result<_>>()?;
        while !plans.is_empty() {
            let free = gpu.free_bytes()? / 10 * 9;
            let mut bytes = 0;
            let fit = plans.iter().take_while(|plan| {
                bytes += plan.bytes() + 8 * u64::from(plan.expected_spikes(&span, &sizes));
                bytes <= free
            });
            let rest = plans.split_off(fit.count().max(1));
            let together = plans.len();
            then(number, Columns::new(gpu, std::mem::replace(&mut plans, rest), sizes)?.run(span)?)?;
            number += together;
        }
    }
    Ok(())
}
