//! Agents grown on a device: the numbers of synapses and weights of [`super::super::Agents`], to the bit.
//!
//! The tables of the direct sampler are made on the CPU, once a profile; laws are made, and every agent is drawn, on the device.
//! See `kernels/synaptogen_growth.cu`.

use std::ops::Range;

use super::law::Laws;

use crate::abi::{
    COLUMN_BIAS, COLUMN_EMPTY, GROWN_AGENTS, GROWN_COLUMNS, GeneTable, GrowArgs, GrowDirectArgs, GrowLawArgs, LANES,
    PairEnds, Pointer, PowerTable,
};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape as Launch, blocks};
use crate::policy::Activation;
use crate::rollout::Packing;
use crate::synaptogen::Profile;
use crate::synaptogen::agents::{Growth, Sampler};
use crate::synaptogen::growth::Connectome;
use crate::synaptogen::growth::direct::Tables;

/// Steps of a search in shared memory: 2^10 thresholds for each column of a block, 33 KiB for all, so that registers limit how many
/// blocks a multiprocessor has.
const ROOM: u32 = 10;
/// Blocks that a multiprocessor is given, where there are agents enough: several waves, so that the last one hides.
const BLOCKS: u32 = 16;
/// Rounds after which a block's laws have been read often enough.
const MOST_ROUNDS: u32 = 64;

/// Agents of one profile to be grown.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Of what; all samples of a call have the same layers and genes.
    pub connectome: &'a Connectome<'a>,
    /// Of all layers but the first, in their order.
    pub biases: &'a [f32],
    /// Of the draws.
    pub seed: u64,
}

/// What is kept of grown agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Weights and biases, for rollouts.
    pub weights: bool,
    /// Every number of synapses.
    pub synapses: bool,
    /// Each agent's synapses.
    pub totals: bool,
}

/// Agents on a device, as many of each sample.
pub struct Grown {
    /// Neurons of each layer.
    pub(super) sizes: Vec<usize>,
    pub(super) packing: Packing,
    /// `[sample][agent][stride]`.
    pub(super) weights: Option<Buffer<f32>>,
    pub(super) stride: usize,
    /// Agents of all samples.
    pub(super) count: usize,
    synapses: Option<Buffer<u32>>,
    totals: Option<Buffer<u64>>,
    /// Correction factor of each sample.
    pub alphas: Vec<f32>,
    /// What the draws, and laws, took on the device.
    pub kernel_seconds: f64,
}

impl Grown {
    /// Numbers of synapses, `[sample][agent][neuron pair]`; empty where they were not kept.
    ///
    /// # Errors
    /// When the device fails, as in all that follow.
    pub fn synapses(&self, gpu: &Gpu) -> Result<Vec<u32>> {
        self.synapses.as_ref().map_or(Ok(Vec::new()), |synapses| synapses.read_all(gpu))
    }

    /// Synapses of each agent, `[sample][agent]`; empty where they were not kept.
    ///
    /// # Errors
    /// See above.
    pub fn totals(&self, gpu: &Gpu) -> Result<Vec<u64>> {
        self.totals.as_ref().map_or(Ok(Vec::new()), |totals| totals.read_all(gpu))
    }

    /// Parameters of each agent's [`crate::policy::Mlp`]; empty where weights were not kept.
    ///
    /// # Errors
    /// See above.
    pub fn parameters(&self, gpu: &Gpu) -> Result<Vec<Vec<f32>>> {
        let packed = self.weights.as_ref().map_or(Ok(Vec::new()), |weights| weights.read_all(gpu))?;
        let unpack = |packed: &[f32]| {
            let mut parameters = vec![0.0; self.packing.places.len()];
            self.packing.places.iter().zip(packed).for_each(|(&place, &x)| parameters[place as usize] = x);
            parameters
        };
        Ok(packed.chunks(self.stride).map(unpack).collect())
    }
}

/// Grow the agents of these numbers of every sample.
///
/// # Errors
/// When the device fails or has no room for them, or there are more numbers than 2^31.
///
/// # Panics
/// When there are no samples or no agents, or samples differ in their layers or genes.
pub fn grow(gpu: &Gpu, samples: &[Sample], sampler: Sampler, agents: Range<u32>, kept: Kept) -> Result<Grown> {
    assert!(!samples.is_empty() && !agents.is_empty(), "{} samples of {agents:?}", samples.len());
    if agents.end > 1 << 31 {
        return Err(Error::Config(format!("agents {agents:?}; try: numbers below {}", 1u32 << 31)));
    }
    let connectome = samples[0].connectome;
    let (sizes, pairs) = (sizes(connectome), connectome.pairs());
    assert!(
        samples
            .iter()
            .all(|sample| self::sizes(sample.connectome) == sizes && sample.connectome.genes == connectome.genes),
        "samples of different shapes"
    );
    let packing = Packing::of(&sizes, Activation::Selu);
    let columns = if kept.weights { of_policy(&sizes, &packing) } else { (0..pairs as u32).collect() };
    let stride = columns.len().next_multiple_of(GROWN_COLUMNS as usize);
    let columns = Buffer::of(gpu, &padded(columns, stride))?;
    let count = samples.len() * agents.len();
    let weights = kept.weights.then(|| Buffer::zeros(gpu, count * stride)).transpose()?;
    let synapses = kept.synapses.then(|| Buffer::zeros(gpu, count * pairs)).transpose()?;
    let totals = kept.totals.then(|| Buffer::zeros(gpu, count)).transpose()?;
    let conductances: Vec<f32> =
        samples.iter().flat_map(|s| s.connectome.layers.iter().flat_map(|layer| layer.conductance)).copied().collect();
    let biases: Vec<f32> = samples.iter().flat_map(|sample| sample.biases).copied().collect();
    let conductances = Buffer::of(gpu, &conductances)?;
    let biases = Buffer::of(gpu, &biases)?;
    let profiles = Profiles::of(gpu, samples)?;
    let seeds = Buffer::of(gpu, &samples.iter().map(|sample| sample.seed).collect::<Vec<_>>())?;
    let tiles = stride as u32 / GROWN_COLUMNS * samples.len() as u32;
    // The first agents may begin inside of a group.
    let all_rounds = blocks((agents.end - agents.start / 4 * 4) as usize, GROWN_AGENTS);
    let wanted = (gpu.multiprocessors() * BLOCKS).div_ceil(tiles);
    let rounds = (all_rounds / wanted).clamp(1, MOST_ROUNDS);
    let grid = [stride as u32 / GROWN_COLUMNS, all_rounds.div_ceil(rounds), samples.len() as u32];
    let args = GrowArgs {
        columns: columns.pointer(),
        conductances: conductances.pointer(),
        biases: biases.pointer(),
        alphas: profiles.alphas.pointer(),
        seeds: seeds.pointer(),
        high: Pointer::NULL,
        low: Pointer::NULL,
        weights: weights.as_ref().map_or(Pointer::NULL, Buffer::pointer),
        synapses: synapses.as_ref().map_or(Pointer::NULL, Buffer::pointer),
        totals: totals.as_ref().map_or(Pointer::NULL, Buffer::pointer),
        pairs: pairs as u32,
        bias_count: samples[0].biases.len() as u32,
        stride: stride as u32,
        first: agents.start,
        agents: agents.len() as u32,
        rounds,
    };
    let kernel_seconds = match sampler {
        Sampler::Law => by_law(gpu, &profiles, args, grid),
        Sampler::Direct => directly(gpu, samples, &profiles, args, grid),
    }?;
    let alphas = samples.iter().map(|sample| sample.connectome.alpha).collect();
    Ok(Grown { sizes, packing, weights, stride, count, synapses, totals, alphas, kernel_seconds })
}

/// Grow the agents of these numbers of one profile.
///
/// # Errors
/// As [`grow`], and when nothing can be grown of the profile.
///
/// # Panics
/// When there are no agents.
pub fn grow_of(gpu: &Gpu, profile: &Profile, growth: Growth, agents: Range<u32>, kept: Kept) -> Result<Grown> {
    let (assembly, biases) = (profile.assembled(), profile.biases());
    let connectome = Connectome::of(&assembly, growth.degree);
    connectome.check(growth.degree)?;
    let sample = Sample { connectome: &connectome, biases: &biases, seed: growth.seed };
    grow(gpu, &[sample], growth.sampler, agents, kept)
}

/// What samples are grown from, on the device.
pub(super) struct Profiles {
    /// P, `[profile][gene pair]`.
    pub(super) rules: Buffer<f32>,
    /// `[profile][row][gene]`: of each pair of layers that of the layer before, and of the one behind.
    pub(super) expression: Buffer<f32>,
    /// Rows at the ends of every neuron pair.
    pub(super) ends: Buffer<PairEnds>,
    /// Correction factors.
    pub(super) alphas: Buffer<f32>,
    pub(super) genes: usize,
    /// Neuron pairs of a profile.
    pub(super) pairs: usize,
    /// Rows of expression of a profile.
    pub(super) expressed: usize,
    /// Profiles.
    pub(super) count: usize,
}

impl Profiles {
    fn of(gpu: &Gpu, samples: &[Sample]) -> Result<Self> {
        let connectome = samples[0].connectome;
        let rules: Vec<f32> = samples.iter().flat_map(|sample| sample.connectome.rules).copied().collect();
        let expression: Vec<f32> = samples
            .iter()
            .flat_map(|sample| sample.connectome.layers.iter().flat_map(|layer| layer.pre.iter().chain(layer.post)))
            .copied()
            .collect();
        let alphas: Vec<f32> = samples.iter().map(|sample| sample.connectome.alpha).collect();
        Ok(Self {
            rules: Buffer::of(gpu, &rules)?,
            ends: Buffer::of(gpu, &ends(connectome))?,
            alphas: Buffer::of(gpu, &alphas)?,
            genes: connectome.genes,
            pairs: connectome.pairs(),
            expressed: expression.len() / (connectome.genes * samples.len()),
            count: samples.len(),
            expression: Buffer::of(gpu, &expression)?,
        })
    }
}

fn by_law(gpu: &Gpu, profiles: &Profiles, args: GrowArgs, grid: [u32; 3]) -> Result<f64> {
    let laws = Laws::new(gpu, profiles)?;
    let room = laws.levels.min(ROOM);
    let args = GrowLawArgs {
        grow: GrowArgs { high: laws.high.pointer(), low: laws.low.pointer(), ..args },
        laws: laws.pairs.pointer(),
        room,
    };
    // A gap after every 32 thresholds.
    let of_column = (1 << room) + (1 << room) / LANES;
    let shared = GROWN_COLUMNS * of_column * size_of::<u32>() as u32;
    let shape = Launch { grid, block: GROWN_COLUMNS * LANES, shared };
    gpu.kernel("grow_law", shared)?;
    // SAFETY: the buffers are as long as the arguments say, and live until the kernel is done, which `time` waits for.
    Ok(laws.seconds + gpu.time(|| unsafe { gpu.launch("grow_law", shape, &args) })?)
}

fn directly(gpu: &Gpu, samples: &[Sample], profiles: &Profiles, args: GrowArgs, grid: [u32; 3]) -> Result<f64> {
    let (mut tables, mut powers) = (Vec::<GeneTable>::new(), Vec::<PowerTable>::new());
    let (mut high, mut low, mut is_beyond) = (Vec::new(), Vec::new(), false);
    for sample in samples {
        let of = Tables::new(sample.connectome);
        let (thresholds, before) = (high.len() as u32, powers.len() as u32);
        let moved = |g: GeneTable| GeneTable { small: g.small + thresholds, powers: g.powers + before, ..g };
        tables.extend(of.genes.into_iter().map(moved));
        powers.extend(of.powers.into_iter().map(|p| PowerTable { start: p.start + thresholds, ..p }));
        high.extend(of.high);
        low.extend(of.low);
        is_beyond |= of.is_beyond;
    }
    // Buffers are never empty.
    if powers.is_empty() {
        powers.push(PowerTable { start: 0, levels: 0, least: 0 });
    }
    if high.is_empty() {
        (high, low) = (vec![0], vec![0]);
    }
    let (tables, powers) = (Buffer::of(gpu, &tables)?, Buffer::of(gpu, &powers)?);
    let (high, low) = (Buffer::of(gpu, &high)?, Buffer::of(gpu, &low)?);
    let args = GrowDirectArgs {
        grow: GrowArgs { high: high.pointer(), low: low.pointer(), ..args },
        expression: profiles.expression.pointer(),
        ends: profiles.ends.pointer(),
        tables: tables.pointer(),
        powers: powers.pointer(),
        genes: profiles.genes as u32,
        expressed: profiles.expressed as u32,
    };
    let shape = Launch { grid, block: GROWN_COLUMNS * LANES, shared: 0 };
    let kernel = if is_beyond { "grow_direct_beyond" } else { "grow_direct" };
    gpu.kernel(kernel, 0)?;
    // SAFETY: as in `by_law`.
    gpu.time(|| unsafe { gpu.launch(kernel, shape, &args) })
}

/// Neurons of each layer.
fn sizes(connectome: &Connectome) -> Vec<usize> {
    let first = connectome.layers.iter().take(1).map(|layer| layer.pre.len());
    first.chain(connectome.layers.iter().map(|layer| layer.post.len())).map(|n| n / connectome.genes).collect()
}

/// What stands where in an agent's row of packed parameters: neuron pairs and biases, each numbered through all layers.
fn of_policy(sizes: &[usize], packing: &Packing) -> Vec<u32> {
    let mut sources = Vec::with_capacity(packing.places.len());
    let (mut pairs, mut biases) = (0, COLUMN_BIAS);
    for layer in sizes.windows(2) {
        let (weights, outputs) = ((layer[0] * layer[1]) as u32, layer[1] as u32);
        sources.extend((pairs..pairs + weights).chain(biases..biases + outputs));
        (pairs, biases) = (pairs + weights, biases + outputs);
    }
    packing.places.iter().map(|&place| sources[place as usize]).collect()
}

fn padded(mut columns: Vec<u32>, length: usize) -> Vec<u32> {
    columns.resize(length, COLUMN_EMPTY);
    columns
}

/// Rows of expression, `[pre, post]` of each pair of layers, at the ends of every neuron pair.
fn ends(connectome: &Connectome) -> Vec<PairEnds> {
    let (mut ends, mut row) = (Vec::with_capacity(connectome.pairs()), 0);
    for layer in &connectome.layers {
        let [pres, posts] = [layer.pre, layer.post].map(|expression| (expression.len() / connectome.genes) as u32);
        let behind = row + pres;
        ends.extend((row..behind).flat_map(|pre| (behind..behind + posts).map(move |post| PairEnds { pre, post })));
        row = behind + posts;
    }
    ends
}
