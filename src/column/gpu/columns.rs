//! Columns whose synapses lie on a device: drawn, stepped, and what is read of them.

use std::ops::Range;
use std::time::Instant;

use cudarc::driver::{DeviceRepr, ValidAsZeroBits};
use rayon::prelude::*;

use super::super::delay::LONGEST;
use super::super::network::{self, Network};
use super::super::{Parameters, Seeds, Spike, Thalamus, synapses};
use super::plan::{AHEAD, KINDS, Plan, Room, Shelf, Written};
use super::{Counted, Sizes, Span};
use crate::abi::{
    COLUMN_ROWS, Column, ColumnPair, ColumnReport, ColumnStrip, ColumnSynapse, ColumnVolley, ColumnsArgs, DELAY_LAWS,
    Pointer,
};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};

/// Threads of a block that draws synapses, and pairs of synapses that each of them draws.
const WIRING_THREADS: u32 = 256;
const WIRING_TURNS: usize = 4;
/// Threads of a block that adds counts up.
const SCAN_THREADS: u32 = 512;

/// Columns whose synapses lie on a device.
pub struct Columns<'g> {
    gpu: &'g Gpu,
    plans: Vec<Plan>,
    /// Numbers of the plans by kernel, those of each from the largest on.
    order: Vec<usize>,
    /// In this order.
    columns: Vec<Column>,
    reports: Vec<ColumnReport>,
    sizes: Sizes,
    /// That drawing took.
    seconds: f64,
    report: Buffer<ColumnReport>,
    rows: Buffer<u32>,
    synapses: Buffer<ColumnSynapse>,
    // Nobody reads these here, but their addresses are in `columns`.
    _pairs: Buffer<ColumnPair>,
    _words: [Buffer<u32>; 4],
    _input: Buffer<u64>,
    _strips: Buffer<ColumnStrip>,
    _first: Buffer<f32>,
    _volleys: Buffer<ColumnVolley>,
}

impl<'g> Columns<'g> {
    /// Draw their synapses; of all columns with a `thalamus`, whose pulses begin within a number of steps after some others.
    ///
    /// # Errors
    /// As [`simulate`](super::simulate), and when they do not all fit.
    pub fn drawn(
        gpu: &'g Gpu,
        columns: &[(Parameters, Seeds)],
        thalamus: Option<(&Thalamus, (u32, u32))>,
        sizes: Sizes,
    ) -> Result<Self> {
        let room = Room::new(gpu, &sizes);
        let plan = |(parameters, seeds): &(Parameters, Seeds)| Plan::drawn(parameters, *seeds, thalamus, room);
        Self::new(gpu, columns.par_iter().map(plan).collect::<Result<_>>()?, sizes)
    }

    /// Networks of one's own.
    ///
    /// # Errors
    /// As [`Columns::drawn`].
    pub fn of_networks(gpu: &'g Gpu, networks: &[&Network<f32>], sizes: Sizes) -> Result<Self> {
        let room = Room::new(gpu, &sizes);
        Self::new(gpu, networks.iter().map(|network| Plan::written(network, room)).collect::<Result<_>>()?, sizes)
    }

    pub(super) fn new(gpu: &'g Gpu, plans: Vec<Plan>, sizes: Sizes) -> Result<Self> {
        assert!(sizes.list.is_power_of_two() && sizes.threads >= 32, "{sizes:?}");
        let started = Instant::now();
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
        let (volleys, scheduled) = (some(gpu, &shelf.volleys)?, some(gpu, &shelf.scheduled)?);
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
                volleys: volleys.at(at.volleys.len(), plan.volleys.len()),
                scheduled: scheduled.at(at.scheduled.len(), plan.scheduled.len()),
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
            sizes,
            seconds: 0.0,
            report,
            rows,
            synapses,
            _pairs: pairs,
            _words: [delays, far, laws, scheduled],
            _input: input,
            _strips: strips,
            _first: first,
            _volleys: volleys,
        };
        all.wire()?;
        all.seconds = started.elapsed().as_secs_f64();
        Ok(all)
    }

    /// Draw the synapses of all that are not written down.
    fn wire(&mut self) -> Result<()> {
        for (count, scatter, is_whole) in
            [("column_count", "column_scatter", false), ("column_count_whole", "column_scatter_whole", true)]
        {
            let is_such = |&slot: &usize| self.plan(slot).longest().is_none() && self.plan(slot).is_whole() == is_whole;
            let drawn: Vec<usize> = (0..self.order.len()).filter(is_such).collect();
            self.draw(&drawn, count, scatter)?;
        }
        self.reports = self.report.read_all(self.gpu)?;
        for slot in 0..self.order.len() {
            if let Some(longest) = self.plan(slot).longest() {
                self.reports[slot].longest = longest;
            }
        }
        Ok(())
    }

    fn draw(&self, slots: &[usize], count: &str, scatter: &str) -> Result<()> {
        if slots.is_empty() {
            return Ok(());
        }
        let gpu = self.gpu;
        let columns: Vec<Column> = slots.iter().map(|&slot| self.columns[slot]).collect();
        let columns = Buffer::of(gpu, &columns)?;
        let args = ColumnsArgs { columns: columns.pointer(), warm: 0, steps: 0, list: 0 };
        let units = slots.iter().map(|&slot| self.plan(slot).units()).max().unwrap_or(0);
        let pairs = slots.iter().map(|&slot| self.columns[slot].pairs_count).max().unwrap_or(0);
        let delays = DELAY_LAWS as usize * LONGEST * size_of::<u32>();
        let wiring = Shape {
            grid: [blocks(units, WIRING_THREADS * WIRING_TURNS as u32).max(1), slots.len() as u32, 1],
            block: WIRING_THREADS,
            shared: (size_of::<ColumnPair>() * pairs as usize + delays) as u32,
        };
        let scan = Shape { grid: [slots.len() as u32, 1, 1], block: SCAN_THREADS, shared: SCAN_THREADS / 32 * 4 };
        // SAFETY: these kernels take these arguments; the buffers are as long as the columns say, and `columns` lives until the
        // work is done.
        unsafe {
            gpu.launch(count, wiring, &args)?;
            gpu.launch("column_scan", scan, &args)?;
            gpu.launch(scatter, wiring, &args)?;
        }
        gpu.wait()
    }

    /// By its place in the order.
    fn plan(&self, slot: usize) -> &Plan {
        &self.plans[self.order[slot]]
    }

    /// Seconds that drawing took.
    pub fn drawing_seconds(&self) -> f64 {
        self.seconds
    }

    /// Step them from their beginning, as [`simulate`](super::simulate) does.
    ///
    /// # Errors
    /// As [`simulate`](super::simulate).
    pub fn run(&self, span: Span) -> Result<Vec<Option<Counted>>> {
        let started = Instant::now();
        let Some(steps) = span.warm.checked_add(span.counted).filter(|&steps| steps < u32::MAX) else {
            let Span { warm, counted, .. } = span;
            return Err(Error::Config(format!("{warm} and {counted} steps are more than can be counted")));
        };
        let mut room: Vec<u32> =
            (0..self.order.len()).map(|slot| self.plan(slot).expected_spikes(&span, &self.sizes)).collect();
        loop {
            let stepped = self.step(span, steps, &room)?;
            if stepped.reports.iter().any(|report| report.is_over != 0) {
                return Err(network::too_much());
            }
            if stepped.reports.iter().any(|report| report.is_crowded != 0) {
                return Err(synapses::too_many());
            }
            let is_enough = |(report, &room): (&ColumnReport, &u32)| report.is_stopped != 0 || report.spikes <= room;
            if !span.record || stepped.reports.iter().zip(&room).all(is_enough) {
                return self.collect(&stepped, &room, span.record, started);
            }
            // The same again, which now is known to fit.
            room = stepped.reports.iter().map(|report| report.spikes.max(1)).collect();
        }
    }

    /// From the beginning, with room for some spikes of each column.
    fn step(&self, span: Span, steps: u32, room: &[u32]) -> Result<Stepped> {
        let gpu = self.gpu;
        let slots = || (0..self.order.len()).map(|slot| self.plan(slot));
        let populations: usize = slots().map(|plan| plan.neurons.len()).sum();
        let mails: usize = slots().map(|plan| 2 * plan.column.blocks as usize).sum();
        let all_room: usize = room.iter().map(|&room| 2 * room as usize).sum();
        let limit = |neurons: usize| span.limit.map_or(u32::MAX, |limit| limit.most_spikes(neurons));
        let limits: Vec<u32> = slots().flat_map(|plan| plan.neurons.iter().map(|&neurons| limit(neurons))).collect();
        let limits = some(gpu, &limits)?;
        let counts = Buffer::<u32>::zeros(gpu, (2 * populations).max(1))?;
        let mail = Buffer::<u64>::zeros(gpu, mails.max(1))?;
        let spikes = Buffer::<u32>::zeros(gpu, all_room.max(1))?;
        let (mut at_populations, mut at_mail, mut at_spikes) = (0, 0, 0);
        let mut columns = self.columns.clone();
        for (slot, column) in columns.iter_mut().enumerate() {
            let populations = self.plan(slot).neurons.len();
            let (mails, length) = (2 * column.blocks as usize, 2 * room[slot] as usize);
            column.limits = limits.at(at_populations, populations);
            column.counts = counts.at(2 * at_populations, 2 * populations);
            column.mail = mail.at(at_mail, mails);
            column.spikes = spikes.at(at_spikes, length);
            column.room = room[slot];
            column.early = span.limit.map_or(0, |limit| limit.steps);
            at_populations += populations;
            at_mail += mails;
            at_spikes += length;
        }
        let columns = some(gpu, &columns)?;
        if !self.reports.is_empty() {
            self.report.write(gpu, 0, &self.reports)?;
        }
        for (number, kind) in KINDS.iter().enumerate() {
            let range = self.of_kind(number);
            // Those that take several blocks one after the other.
            let launches: Vec<Range<usize>> = match kind.is_whole {
                true => range.map(|slot| slot..slot + 1).collect(),
                false => (!range.is_empty()).then_some(range).into_iter().collect(),
            };
            for range in launches {
                let plans = || range.clone().map(|slot| self.plan(slot));
                let shared = plans().map(|plan| plan.shared_bytes(self.sizes.list)).max().unwrap_or(0);
                let limit = gpu.shared_limit() as usize;
                if shared > limit {
                    return Err(Error::Device(format!(
                        "a column needs {shared} bytes of shared memory, and a block has at most {limit}; try: --device cpu"
                    )));
                }
                let warps = plans().map(|plan| plan.warps(self.sizes.threads as usize / 32)).max().unwrap_or(1);
                let count = if kind.is_whole { self.columns[range.start].blocks } else { range.len() as u32 };
                let shape = Shape { grid: [count, 1, 1], block: 32 * warps as u32, shared: shared as u32 };
                let columns = columns.at(range.start, range.len());
                let args = ColumnsArgs { columns, warm: span.warm, steps, list: self.sizes.list };
                // SAFETY: these kernels take these arguments; all buffers are as long as the columns say, and live until
                // the reports are read.
                unsafe {
                    match kind.is_whole {
                        true => gpu.launch_together(kind.kernel, shape, &args)?,
                        false => gpu.launch(kind.kernel, shape, &args)?,
                    }
                }
            }
        }
        let reports = self.report.read_all(gpu)?;
        Ok(Stepped { counts: counts.read_all(gpu)?, spikes, reports })
    }

    /// Places in the order of the columns that a kernel steps.
    fn of_kind(&self, kind: usize) -> Range<usize> {
        let first = |kind: usize| self.order.partition_point(|&i| self.plans[i].kind < kind);
        first(kind)..first(kind + 1)
    }

    fn collect(&self, stepped: &Stepped, room: &[u32], record: bool, started: Instant) -> Result<Vec<Option<Counted>>> {
        let mut lists = Vec::with_capacity(room.len());
        let mut at = 0;
        for (report, &room) in stepped.reports.iter().zip(room) {
            let is_read = record && report.is_stopped == 0 && report.spikes > 0;
            let length = if is_read { 2 * report.spikes as usize } else { 0 };
            lists.push(if is_read { stepped.spikes.read(&self.gpu.compute, at, length)? } else { Vec::new() });
            at += 2 * room as usize;
        }
        let in_order = |list: Vec<u32>| {
            let mut spikes: Vec<Spike> =
                list.chunks_exact(2).map(|pair| Spike { step: pair[0], lane: pair[1] }).collect();
            spikes.sort_unstable();
            spikes
        };
        let lists: Vec<Vec<Spike>> = lists.into_par_iter().map(in_order).collect();
        let count = self.plans.len().max(1) as f64;
        let seconds = (self.seconds / count, started.elapsed().as_secs_f64() / count);
        let mut all: Vec<Option<Counted>> = vec![None; self.plans.len()];
        let mut counts = &stepped.counts[..];
        for (slot, (&i, spikes)) in self.order.iter().zip(lists).enumerate() {
            let plan = &self.plans[i];
            let own;
            (own, counts) = counts.split_at(2 * plan.neurons.len());
            all[i] = (stepped.reports[slot].is_stopped == 0).then(|| Counted {
                counts: own[..plan.neurons.len()].to_vec(),
                spikes: record.then_some(spikes),
                synapses: plan.synapse_count,
                seconds,
                lanes: plan.lanes.clone(),
            });
        }
        Ok(all)
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
        let mut all = Vec::new();
        for number in 0..plan.neurons[population] {
            for key in plan.keys(plan.source(population, number)) {
                let row = COLUMN_ROWS as usize - 1 + key;
                for synapse in &synapses[begins[row] as usize..begins[row + 1] as usize] {
                    let (lane, delay) = plan.place(key, synapse.target);
                    let (strip, lane) = (&plan.strips[lane / 32], lane % 32);
                    let weight = f64::from(synapse.weight) * f64::from(plan.column.unit);
                    all.push((number as u32, strip.first_lane as usize + lane, delay, weight));
                }
            }
        }
        Ok(all)
    }
}

/// What came of all steps, of all columns in their order.
struct Stepped {
    counts: Vec<u32>,
    spikes: Buffer<u32>,
    reports: Vec<ColumnReport>,
}

/// A buffer is never empty.
fn some<T: DeviceRepr + ValidAsZeroBits>(gpu: &Gpu, values: &[T]) -> Result<Buffer<T>> {
    if values.is_empty() { Buffer::zeros(gpu, 1) } else { Buffer::of(gpu, values) }
}
