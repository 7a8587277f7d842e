//! Columns on a device, many side by side, with the spikes of the CPU; the kernels are those of `kernels/column.cu`.
//!
//! The host works out what follows from a column's parameters: sizes, thresholds of its laws, constants, first potentials. The
//! device draws the synapses and steps. A neuron's lane is another there, because those of a population are padded to 32; what
//! is random goes by the CPU's lane, and so do the spikes that come back.

use std::ops::Range;

use rayon::prelude::*;

use super::delay::{self, LONGEST};
use super::network::{self, Network};
use super::precision::Precision;
use super::wiring::{self, GROUP, Pair};
use super::{DT, POPULATIONS, Parameters, Seeds, Spike};
use crate::abi::{
    COLUMN_GUIDE, COLUMN_LAW, COLUMN_PAIRS, COLUMN_REST_BITS, COLUMN_ROWS, Column, ColumnPair, ColumnReport,
    ColumnStrip, ColumnSynapse, ColumnsArgs, LONGEST_DELAY, NO_LAW, Pointer, STREAM_BACKGROUND, STREAM_WIRING,
    WIRING_ATTEMPTS, WIRING_GROUP,
};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::rng::Stream;

const _: () = assert!(STREAM_WIRING == Stream::Wiring as u32 && STREAM_BACKGROUND == Stream::Background as u32);
const _: () = assert!(LONGEST_DELAY as usize == LONGEST && COLUMN_PAIRS as usize == POPULATIONS * POPULATIONS);
const _: () = assert!(WIRING_GROUP as usize == GROUP && WIRING_ATTEMPTS == wiring::ATTEMPTS);

/// Lanes of a strip.
const STRIP: usize = 32;
/// Steps whose first spikes a block remembers.
const BEGINS: usize = 2 * LONGEST;
/// Threads of a block that draws synapses, and pairs of synapses that each of them draws.
const WIRING_THREADS: u32 = 256;
const WIRING_TURNS: usize = 4;
/// Threads of a block that adds counts up.
const SCAN_THREADS: u32 = 512;
/// Columns that are prepared together.
const TOGETHER: usize = 4096;
/// More spikes than a column's neurons have as a rule, Hz.
const LIVELY: f64 = 20.0;

/// A kernel that steps columns.
struct Kind {
    kernel: &'static str,
    threads: u32,
    /// That a warp has.
    strips: usize,
    /// Sums of a neuron: of all weights, or of the positive and of the negative ones.
    signs: usize,
}

/// The first that a column fits into is its own.
const KINDS: [Kind; 3] = [
    Kind { kernel: "column_one", threads: 512, strips: 16, signs: 1 },
    Kind { kernel: "column_one_wide", threads: 1024, strips: 16, signs: 1 },
    Kind { kernel: "column_three", threads: 1024, strips: 8, signs: 2 },
];

/// Sizes that decide no bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Most threads of a block that steps a column.
    pub threads: u32,
    /// Spikes whose synapses have not all acted that shared memory has room for; a power of two.
    pub list: u32,
    /// Spikes of a column that there is room to write down at first.
    pub spikes: Option<u32>,
    /// Columns on the device at once, at most.
    pub columns: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { threads: 1024, list: 2048, spikes: None, columns: TOGETHER }
    }
}

/// What a column did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Spikes of each population after the warm-up.
    pub counts: Vec<u32>,
    /// These spikes, in the order of steps and lanes, if they were to be recorded.
    pub spikes: Option<Vec<Spike>>,
    /// First lane of each population, and the number of lanes.
    lanes: Vec<usize>,
}

impl Counted {
    /// Population of a lane, and the neuron's number in it.
    pub fn place(&self, lane: usize) -> (usize, usize) {
        network::place(&self.lanes, lane)
    }
}

/// Draw columns and step them: `warm` steps first, and then `counted` whose spikes are counted, and recorded where `record` says
/// so. As many columns at once as the device has memory for.
///
/// # Errors
/// When a column cannot be, does not fit the device, or the device fails.
pub fn simulate(
    gpu: &Gpu,
    columns: &[(Parameters, Seeds)],
    warm: u32,
    counted: u32,
    record: bool,
) -> Result<Vec<Counted>> {
    simulate_in(gpu, columns, warm, counted, record, Sizes::default())
}

/// The same in sizes of one's own choice.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_in(
    gpu: &Gpu,
    columns: &[(Parameters, Seeds)],
    warm: u32,
    counted: u32,
    record: bool,
    sizes: Sizes,
) -> Result<Vec<Counted>> {
    let mut all = Vec::with_capacity(columns.len());
    for together in columns.chunks(sizes.columns.clamp(1, TOGETHER)) {
        let mut plans: Vec<Plan> = together.par_iter().map(Plan::drawn).collect::<Result<_>>()?;
        while !plans.is_empty() {
            // Spikes that are recorded take room, too, and more if there are many.
            let room = gpu.free_bytes()? / 10 * if record { 7 } else { 9 };
            let mut bytes = 0;
            let fit = plans.iter().take_while(|plan| {
                bytes += plan.bytes();
                bytes <= room
            });
            let rest = plans.split_off(fit.count().max(1));
            all.extend(Columns::new(gpu, std::mem::replace(&mut plans, rest))?.run(warm, counted, record, sizes)?);
        }
    }
    Ok(all)
}

/// Columns whose synapses lie on a device.
pub struct Columns<'g> {
    gpu: &'g Gpu,
    plans: Vec<Plan>,
    /// Numbers of the plans by kernel, those of each from the largest on.
    order: Vec<usize>,
    /// In this order.
    columns: Vec<Column>,
    reports: Vec<ColumnReport>,
    report: Buffer<ColumnReport>,
    rows: Buffer<u32>,
    synapses: Buffer<ColumnSynapse>,
    // Nobody reads these here, but their addresses are in `columns`.
    _pairs: Buffer<ColumnPair>,
    _words: [Buffer<u32>; 3],
    _input: Buffer<u64>,
    _strips: Buffer<ColumnStrip>,
    _first: Buffer<f32>,
}

impl<'g> Columns<'g> {
    /// Draw their synapses.
    ///
    /// # Errors
    /// As [`simulate`], and when they do not all fit.
    pub fn drawn(gpu: &'g Gpu, columns: &[(Parameters, Seeds)]) -> Result<Self> {
        Self::new(gpu, columns.par_iter().map(Plan::drawn).collect::<Result<_>>()?)
    }

    /// Networks of one's own. Those with generators are left to the CPU.
    ///
    /// # Errors
    /// As [`Columns::drawn`].
    pub fn of_networks(gpu: &'g Gpu, networks: &[&Network<f32>]) -> Result<Self> {
        Self::new(gpu, networks.iter().map(|network| Plan::written(network)).collect::<Result<_>>()?)
    }

    fn new(gpu: &'g Gpu, plans: Vec<Plan>) -> Result<Self> {
        let mut order: Vec<usize> = (0..plans.len()).collect();
        order.sort_by_key(|&i| (plans[i].kind, usize::MAX - plans[i].synapse_count));
        let mut shelf = Shelf::default();
        for &i in &order {
            shelf.put(&plans[i]);
        }
        let rows = Buffer::zeros(gpu, shelf.rows.max(1))?;
        let synapses = Buffer::zeros(gpu, shelf.synapses + AHEAD)?;
        let input = Buffer::zeros(gpu, shelf.first.len().max(1))?;
        let far = Buffer::zeros(gpu, shelf.far.max(1))?;
        let (pairs, delays) = (some(gpu, &shelf.pairs)?, some(gpu, &shelf.delays)?);
        let (strips, laws) = (some(gpu, &shelf.strips)?, some(gpu, &shelf.laws)?);
        let first = some(gpu, &shelf.first)?;
        let report = Buffer::<ColumnReport>::zeros(gpu, plans.len().max(1))?;
        let mut at = Shelf::default();
        let mut columns = Vec::with_capacity(plans.len());
        for (slot, &i) in order.iter().enumerate() {
            let plan = &plans[i];
            if let Written::Rows { ends, synapses: written, .. } = &plan.wiring {
                rows.write(gpu, at.rows, ends)?;
                if !written.is_empty() {
                    synapses.write(gpu, at.synapses, written)?;
                }
            }
            columns.push(Column {
                pairs: pairs.at(at.pairs.len(), 0),
                delays: delays.at(at.delays.len(), 0),
                rows: rows.at(at.rows, plan.rows()),
                synapses: synapses.at(at.synapses, plan.synapse_count),
                input: input.at(at.first.len(), plan.first.len()),
                strips: strips.at(at.strips.len(), plan.strips.len()),
                laws: laws.at(at.laws.len(), plan.laws.len()),
                first: first.at(at.first.len(), plan.first.len()),
                far: far.at(at.far, plan.overflow),
                spikes: Pointer::NULL,
                counts: Pointer::NULL,
                report: report.at(slot, 1),
                ..plan.column
            });
            at.put(plan);
        }
        let mut all = Self {
            gpu,
            plans,
            order,
            columns,
            reports: Vec::new(),
            report,
            rows,
            synapses,
            _pairs: pairs,
            _words: [delays, far, laws],
            _input: input,
            _strips: strips,
            _first: first,
        };
        all.wire()?;
        Ok(all)
    }

    /// Draw the synapses of all that are not written down.
    fn wire(&mut self) -> Result<()> {
        let gpu = self.gpu;
        let drawn: Vec<usize> = (0..self.order.len()).filter(|&slot| self.plan(slot).longest().is_none()).collect();
        if !drawn.is_empty() {
            let columns: Vec<Column> = drawn.iter().map(|&slot| self.columns[slot]).collect();
            let columns = Buffer::of(gpu, &columns)?;
            let args = ColumnsArgs { columns: columns.pointer(), warm: 0, steps: 0, list: 0 };
            let most = drawn.iter().map(|&slot| self.plan(slot).units()).max().unwrap_or(0);
            let shared = size_of::<ColumnPair>() * COLUMN_PAIRS as usize + 2 * LONGEST * size_of::<u32>();
            let wiring = Shape {
                grid: [blocks(most, WIRING_THREADS * WIRING_TURNS as u32).max(1), drawn.len() as u32, 1],
                block: WIRING_THREADS,
                shared: shared as u32,
            };
            let scan = Shape { grid: [drawn.len() as u32, 1, 1], block: SCAN_THREADS, shared: SCAN_THREADS / 32 * 4 };
            // SAFETY: these kernels take these arguments; the buffers are as long as the columns say, and live until the
            // reports are read.
            unsafe {
                gpu.launch("column_count", wiring, &args)?;
                gpu.launch("column_scan", scan, &args)?;
                gpu.launch("column_scatter", wiring, &args)?;
            }
            self.reports = self.report.read_all(gpu)?;
        } else {
            self.reports = vec![ColumnReport::default(); self.order.len()];
        }
        for slot in 0..self.order.len() {
            if let Some(longest) = self.plan(slot).longest() {
                self.reports[slot].longest = longest;
            }
        }
        Ok(())
    }

    /// By its place in the order.
    fn plan(&self, slot: usize) -> &Plan {
        &self.plans[self.order[slot]]
    }

    /// Step them from their beginning, as [`simulate`] does.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn run(&self, warm: u32, counted: u32, record: bool, sizes: Sizes) -> Result<Vec<Counted>> {
        assert!(sizes.list.is_power_of_two() && sizes.threads >= 32, "{sizes:?}");
        let Some(steps) = warm.checked_add(counted).filter(|&steps| steps < u32::MAX) else {
            return Err(Error::Config(format!("{warm} and {counted} steps are more than can be counted")));
        };
        let expected = |plan: &Plan| {
            let most = f64::from(plan.column.sources) * f64::from(counted) * DT * 1e-3 * LIVELY;
            sizes.spikes.unwrap_or((most as u32).max(4096))
        };
        let mut room: Vec<u32> =
            (0..self.order.len()).map(|slot| if record { expected(self.plan(slot)).max(1) } else { 0 }).collect();
        loop {
            let (counts, spikes, reports) = self.step(warm, steps, &room, sizes)?;
            if reports.iter().any(|report| report.is_over != 0) {
                return Err(network::too_much());
            }
            if !record || reports.iter().zip(&room).all(|(report, &room)| report.spikes <= room) {
                return Ok(self.collect(&counts, &spikes, &reports, &room, record));
            }
            // The same again, which now is known to fit.
            room = reports.iter().map(|report| report.spikes.max(1)).collect();
        }
    }

    /// Counts and spikes, of all columns in their order, and what was reported.
    fn step(
        &self,
        warm: u32,
        steps: u32,
        room: &[u32],
        sizes: Sizes,
    ) -> Result<(Vec<u32>, Vec<u32>, Vec<ColumnReport>)> {
        let gpu = self.gpu;
        let populations = |slot: usize| self.plan(slot).column.populations as usize;
        let all_counts: usize = (0..self.order.len()).map(populations).sum();
        let all_room: usize = room.iter().map(|&room| 2 * room as usize).sum();
        let (counts, spikes) =
            (Buffer::<u32>::zeros(gpu, all_counts.max(1))?, Buffer::<u32>::zeros(gpu, all_room.max(1))?);
        let (mut at_counts, mut at_spikes) = (0, 0);
        let mut columns = self.columns.clone();
        for (slot, column) in columns.iter_mut().enumerate() {
            let length = 2 * room[slot] as usize;
            column.counts = counts.at(at_counts, populations(slot));
            column.spikes = spikes.at(at_spikes, length);
            column.room = room[slot];
            at_counts += populations(slot);
            at_spikes += length;
        }
        let columns = some(gpu, &columns)?;
        if !self.reports.is_empty() {
            self.report.write(gpu, 0, &self.reports)?;
        }
        for (number, kind) in KINDS.iter().enumerate() {
            let range = self.of_kind(number);
            if range.is_empty() {
                continue;
            }
            let plans = || range.clone().map(|slot| self.plan(slot));
            let most = plans().map(|plan| plan.strips.len()).max().unwrap_or(0);
            let shared = plans().map(|plan| plan.shared_bytes(sizes.list)).max().unwrap_or(0);
            let limit = gpu.shared_limit() as usize;
            if shared > limit {
                return Err(Error::Device(format!(
                    "a column needs {shared} bytes of shared memory, and a block has at most {limit}; try: --device cpu"
                )));
            }
            // No more warps than strips, and as many as have room for all of them.
            let (fewest, most) = (most.div_ceil(kind.strips), most.min(kind.threads as usize / 32));
            let warps = (sizes.threads as usize / 32).clamp(fewest, most.max(fewest));
            let shape = Shape { grid: [range.len() as u32, 1, 1], block: 32 * warps as u32, shared: shared as u32 };
            let args = ColumnsArgs { columns: columns.at(range.start, range.len()), warm, steps, list: sizes.list };
            // SAFETY: as in `wire`.
            unsafe { gpu.launch(kind.kernel, shape, &args) }?;
        }
        Ok((counts.read_all(gpu)?, spikes.read_all(gpu)?, self.report.read_all(gpu)?))
    }

    /// Places in the order of the columns that a kernel steps.
    fn of_kind(&self, kind: usize) -> Range<usize> {
        let first = |kind: usize| self.order.partition_point(|&i| self.plans[i].kind < kind);
        first(kind)..first(kind + 1)
    }

    fn collect(
        &self,
        mut counts: &[u32],
        mut spikes: &[u32],
        reports: &[ColumnReport],
        room: &[u32],
        record: bool,
    ) -> Vec<Counted> {
        let mut all: Vec<Option<Counted>> = vec![None; self.plans.len()];
        for (slot, &i) in self.order.iter().enumerate() {
            let plan = &self.plans[i];
            let (own_counts, own_spikes);
            (own_counts, counts) = counts.split_at(plan.column.populations as usize);
            (own_spikes, spikes) = spikes.split_at(2 * room[slot] as usize);
            let spikes = record.then(|| {
                let pairs = own_spikes.chunks_exact(2).take(reports[slot].spikes as usize);
                let mut spikes: Vec<Spike> = pairs.map(|pair| Spike { step: pair[0], lane: pair[1] }).collect();
                spikes.sort_unstable();
                spikes
            });
            all[i] = Some(Counted { counts: own_counts.to_vec(), spikes, lanes: plan.lanes.clone() });
        }
        // Every number is in the order once.
        all.into_iter().flatten().collect()
    }

    /// The synapses of column number `i` from one population, as source, target lane, delay and weight in pA.
    ///
    /// # Errors
    /// When the device fails.
    pub fn synapses_from(&self, i: usize, population: usize) -> Result<Vec<(u32, usize, u32, f64)>> {
        let gpu = self.gpu;
        let slot = self.order.iter().position(|&other| other == i).unwrap_or(usize::MAX);
        assert!(slot != usize::MAX, "column {i} of {}", self.plans.len());
        let (mut at, plan) = (Shelf::default(), &self.plans[i]);
        self.order[..slot].iter().for_each(|&before| at.put(&self.plans[before]));
        let begins = self.rows.read(&gpu.compute, at.rows, plan.rows())?;
        let synapses = self.synapses.read(&gpu.compute, at.synapses, plan.synapse_count)?;
        let before: usize = plan.neurons[..population].iter().sum();
        let words = plan.column.seat_words as usize;
        let mut all = Vec::new();
        for source in 0..plan.neurons[population] {
            for delay in 1..=LONGEST {
                let segment = COLUMN_ROWS as usize - 1 + (before + source) * LONGEST + delay - 1;
                for synapse in &synapses[begins[segment] as usize..begins[segment + 1] as usize] {
                    let target = synapse.target as usize;
                    let (strip, lane) = (target / words, target % words - STRIP_WORDS);
                    let lane = plan.strips[strip].first_lane as usize + lane;
                    let weight = f64::from(synapse.weight) * f64::from(plan.column.unit);
                    all.push((source as u32, lane, delay as u32, weight));
                }
            }
        }
        Ok(all)
    }
}

/// Words of a strip as such.
const STRIP_WORDS: usize = size_of::<ColumnStrip>() / 4;

/// Synapses that are asked for behind a row.
const AHEAD: usize = 16;

/// What lies on the device one column behind the other, or how much of it.
#[derive(Default)]
struct Shelf {
    pairs: Vec<ColumnPair>,
    delays: Vec<u32>,
    strips: Vec<ColumnStrip>,
    laws: Vec<u32>,
    first: Vec<f32>,
    rows: usize,
    synapses: usize,
    far: usize,
}

impl Shelf {
    fn put(&mut self, plan: &Plan) {
        if let Written::Pairs { pairs, delays } = &plan.wiring {
            self.pairs.extend(pairs);
            self.delays.extend(delays);
        }
        self.strips.extend(&plan.strips);
        self.laws.extend(&plan.laws);
        self.first.extend(&plan.first);
        self.rows += plan.rows();
        self.synapses += plan.synapse_count;
        self.far += plan.overflow;
    }
}

/// A buffer is never empty.
fn some<T>(gpu: &Gpu, values: &[T]) -> Result<Buffer<T>>
where
    T: cudarc::driver::DeviceRepr + cudarc::driver::ValidAsZeroBits,
{
    if values.is_empty() { Buffer::zeros(gpu, 1) } else { Buffer::of(gpu, values) }
}

/// How a column's synapses come about.
enum Written {
    /// By the device.
    Pairs { pairs: Vec<ColumnPair>, delays: Vec<u32> },
    /// By the host: where each source and delay ends, and all of them.
    Rows { ends: Vec<u32>, synapses: Vec<ColumnSynapse>, longest: u32 },
}

/// A column as the device is told of it.
struct Plan {
    kind: usize,
    /// Of each population.
    neurons: Vec<usize>,
    /// First lane on the CPU of each population, and the number of lanes.
    lanes: Vec<usize>,
    strips: Vec<ColumnStrip>,
    laws: Vec<u32>,
    first: Vec<f32>,
    wiring: Written,
    synapse_count: usize,
    /// See [`Column::overflow`].
    overflow: usize,
    /// Without addresses.
    column: Column,
}

impl Plan {
    fn drawn((parameters, seeds): &(Parameters, Seeds)) -> Result<Self> {
        let (network, derived) = Network::<f32>::column_without_synapses(parameters, *seeds)?;
        let mut plan = Self::new(&network)?;
        let (mut pairs, mut units) = (Vec::with_capacity(POPULATIONS * POPULATIONS), 0u64);
        let first_lanes = plan.first_lanes();
        for (target, &first_lane) in first_lanes.iter().enumerate() {
            for source in 0..POPULATIONS {
                let pair = Pair::new(parameters, &derived, seeds.wiring, source, target);
                let synapses = derived.synapses[target][source];
                units += synapses.div_ceil(GROUP as u64) * (GROUP as u64 / 2);
                pairs.push(ColumnPair {
                    end: units as u32,
                    synapses: synapses as u32,
                    number: pair.number,
                    sources: pair.sources,
                    targets: pair.targets,
                    first_source: plan.neurons[..source].iter().sum::<usize>() as u32,
                    first_lane: first_lane as u32,
                    law: (source % 2) as u32,
                    weight: pair.weight,
                    sd: pair.sd,
                });
            }
        }
        // Places in rows are of 32 bits, and so are the numbers of synapses with what their groups are filled up with.
        if derived.total_synapses() + 2 * units >= 1 << 32 {
            return Err(Error::Device(format!(
                "{} synapses of one column are more than a device is made for; try: --device cpu",
                derived.total_synapses()
            )));
        }
        let delays = [0, 1].map(|source| {
            let (mean, sd) = wiring::delay(parameters, source);
            delay::thresholds(mean, sd)
        });
        plan.wiring = Written::Pairs { pairs, delays: delays.concat() };
        plan.synapse_count = derived.total_synapses() as usize;
        plan.column.wiring_seed = seeds.wiring;
        Ok(plan)
    }

    fn written(network: &Network<f32>) -> Result<Self> {
        if !network.schedule.is_empty() {
            return Err(Error::Device("generators do not fire on a device; try: --device cpu".into()));
        }
        let mut plan = Self::new(network)?;
        let words = plan.column.seat_words as usize;
        let (first_lanes, mut all, mut before, mut longest) = (plan.first_lanes(), Vec::new(), 0, 0);
        for (population, &neurons) in plan.neurons.iter().enumerate() {
            for part in &network.parts {
                for (source, delay, synapse) in part.rows[population].iter() {
                    let (target, number) = network.place(part.lanes.start + synapse.target as usize);
                    let lane = first_lanes[target] + number;
                    let target = (lane / STRIP * words + STRIP_WORDS + lane % STRIP) as u32;
                    let key = (before + source as usize) * LONGEST + delay as usize - 1;
                    all.push((key, ColumnSynapse { target, weight: synapse.weight }));
                    longest = longest.max(delay);
                }
            }
            before += neurons;
        }
        all.sort_by_key(|&(key, _)| key);
        let mut ends = vec![0; plan.rows()];
        for &(key, _) in &all {
            ends[COLUMN_ROWS as usize + key] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        plan.synapse_count = all.len();
        plan.wiring = Written::Rows { ends, synapses: all.into_iter().map(|(_, synapse)| synapse).collect(), longest };
        Ok(plan)
    }

    /// All but the synapses.
    fn new(network: &Network<f32>) -> Result<Self> {
        let neurons = network.sizes();
        let is_one = network.populations.iter().all(|population| population.constants.is_one_channel());
        let needed: usize = neurons.iter().map(|n| n.div_ceil(STRIP)).sum();
        let fits = |kind: &Kind| (kind.signs == 1) == is_one && needed <= kind.strips * kind.threads as usize / STRIP;
        let Some(kind) = KINDS.iter().position(fits) else {
            return Err(Error::Device(format!(
                "{} neurons{} are more than a multiprocessor holds; try: a smaller `neuron_scale`, or --device cpu",
                neurons.iter().sum::<usize>(),
                if is_one { "" } else { " with currents of different time constants" }
            )));
        };
        let mut laws: Vec<u32> = Vec::new();
        let (mut strips, mut first, mut source, mut far) = (Vec::new(), Vec::new(), 0, 0);
        for (p, population) in network.populations.iter().enumerate() {
            let law = population.background.as_ref().map_or(NO_LAW, |law| {
                let mut words = vec![0; COLUMN_LAW as usize];
                words[0] = law.thresholds().len() as u32;
                words[1..=law.thresholds().len()].copy_from_slice(law.thresholds());
                let known = laws.chunks_exact(COLUMN_LAW as usize).position(|other| other == words);
                known.unwrap_or_else(|| {
                    laws.extend(&words);
                    laws.len() / COLUMN_LAW as usize - 1
                }) as u32
            });
            let constants = &population.constants;
            if constants.refractory >= 1 << (COLUMN_REST_BITS - 1) {
                return Err(Error::Device(format!(
                    "`t_refractory`: {} steps are more than a device counts; try: --device cpu",
                    constants.refractory
                )));
            }
            let [excitatory, inhibitory, external] = constants.channels;
            let of = |strip: usize| ColumnStrip {
                decay: excitatory.decay as f32,
                gain: excitatory.gain as f32,
                leak: -constants.leak as f32,
                constant: (constants.constant * population.current) as f32,
                decay_inhibitory: inhibitory.decay as f32,
                gain_inhibitory: inhibitory.gain as f32,
                decay_external: external.decay as f32,
                gain_external: external.gain as f32,
                threshold: constants.threshold as f32,
                reset: constants.reset as f32,
                refractory: constants.refractory,
                population: p as u32,
                neurons: (population.neurons - strip * STRIP).min(STRIP) as u32,
                first_source: (source + strip * STRIP) as u32,
                first_lane: (network.lanes[p] + strip * STRIP) as u32,
                law,
            };
            strips.extend((0..population.neurons.div_ceil(STRIP)).map(of));
            let potentials = &network.first[network.lanes[p]..][..population.neurons];
            first.extend(potentials.iter().map(|&u| u as f32));
            first.resize(strips.len() * STRIP, 0.0);
            source += population.neurons;
            far += population.neurons * (LONGEST / (constants.refractory as usize + 1) + 1);
        }
        let unit = f32::unit(network.fraction_bits);
        let external_weight = network.external_weight as f32;
        let is_finite = |strip: &ColumnStrip| {
            [strip.gain, strip.gain_inhibitory, strip.gain_external, strip.constant].iter().all(|x| x.is_finite())
                && strip.reset < strip.threshold
        };
        if !(external_weight.is_finite() && strips.iter().all(is_finite)) {
            return Err(Error::Device(
                "a column's numbers are too large, or too close together, for single precision; try: other units of `psp`, \
                 `c_m`, `tau_m` and potentials"
                    .into(),
            ));
        }
        let law_lengths = laws.iter().step_by(COLUMN_LAW as usize);
        let overflow = far.next_power_of_two();
        let column = Column {
            pairs: Pointer::NULL,
            delays: Pointer::NULL,
            rows: Pointer::NULL,
            synapses: Pointer::NULL,
            input: Pointer::NULL,
            strips: Pointer::NULL,
            laws: Pointer::NULL,
            first: Pointer::NULL,
            far: Pointer::NULL,
            spikes: Pointer::NULL,
            counts: Pointer::NULL,
            report: Pointer::NULL,
            wiring_seed: 0,
            noise_seed: network.noise,
            scale: f32::unit(-network.fraction_bits),
            unit,
            external_weight,
            quiet: network.quiet_steps,
            together: if law_lengths.max().is_none_or(|&most| most < 16) { 8 } else { 4 },
            sources: source as u32,
            strips_count: strips.len() as u32,
            seat_words: (STRIP_WORDS + STRIP * (KINDS[kind].signs + 1)) as u32,
            laws_count: (laws.len() / COLUMN_LAW as usize) as u32,
            populations: neurons.len() as u32,
            overflow: overflow as u32,
            room: 0,
        };
        let wiring = Written::Pairs { pairs: Vec::new(), delays: Vec::new() };
        let lanes = network.lanes.clone();
        Ok(Self { kind, neurons, lanes, strips, laws, first, wiring, synapse_count: 0, overflow, column })
    }

    /// First lane on the device of each population.
    fn first_lanes(&self) -> Vec<usize> {
        let ends = self.neurons.iter().scan(0, |lane, &neurons| {
            let first = *lane;
            *lane += neurons.next_multiple_of(STRIP);
            Some(first)
        });
        ends.collect()
    }

    /// Words of [`Column::rows`].
    fn rows(&self) -> usize {
        COLUMN_ROWS as usize + self.column.sources as usize * LONGEST
    }

    /// Threads that draw its synapses.
    fn units(&self) -> usize {
        match &self.wiring {
            Written::Pairs { pairs, .. } => pairs.last().map_or(0, |pair| pair.end as usize),
            Written::Rows { .. } => 0,
        }
    }

    /// Of its delays, where that is known beforehand.
    fn longest(&self) -> Option<u32> {
        match self.wiring {
            Written::Pairs { .. } => None,
            Written::Rows { longest, .. } => Some(longest),
        }
    }

    /// Of shared memory, as `kernels/column.cu` lays it out.
    fn shared_bytes(&self, list: u32) -> usize {
        let (column, laws) = (&self.column, self.column.laws_count as usize);
        let words = self.strips.len() * column.seat_words as usize
            + list as usize
            + laws * COLUMN_LAW as usize
            + BEGINS
            + column.populations as usize
            + 2;
        4 * words + laws * COLUMN_GUIDE as usize
    }

    /// Of device memory, but for spikes that are recorded.
    fn bytes(&self) -> u64 {
        let strips = self.strips.len() * (size_of::<ColumnStrip>() + STRIP * (size_of::<u64>() + size_of::<f32>()));
        let words = self.rows() + self.laws.len() + self.overflow + COLUMN_PAIRS as usize * 10 + 2 * LONGEST;
        (strips + 4 * words + size_of::<ColumnSynapse>() * self.synapse_count) as u64
    }
}
