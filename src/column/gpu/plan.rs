//! What a column becomes on a device: how many blocks step it, its strips of 32 lanes, laws, first potentials, and its
//! synapses, to be drawn there or written down.

use super::super::delay::{self, LONGEST};
use super::super::network::{Network, Schedule};
use super::super::precision::Precision;
use super::super::wiring::{self, GROUP, Source};
use super::super::{DT, POPULATIONS, Parameters, Seeds, Thalamus};
use super::{Sizes, Span};
use crate::abi::{
    COLUMN_DELAY_SHIFT, COLUMN_GUIDE, COLUMN_LAW, COLUMN_REST_BITS, COLUMN_ROW_MOST, COLUMN_ROWS, Column, ColumnPair,
    ColumnStrip, ColumnSynapse, ColumnVolley, DELAY_LAWS, LONGEST_DELAY, MAIL_BITS, MAIL_LANES, NO_LAW, Pointer,
    STREAM_BACKGROUND, STREAM_WIRING, WIRING_ATTEMPTS, WIRING_GROUP,
};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::rng::Stream;

const _: () = assert!(STREAM_WIRING == Stream::Wiring as u32 && STREAM_BACKGROUND == Stream::Background as u32);
const _: () = assert!(LONGEST_DELAY as usize == LONGEST && COLUMN_ROW_MOST == u16::MAX as u32);
const _: () = assert!(WIRING_GROUP as usize == GROUP && WIRING_ATTEMPTS == wiring::ATTEMPTS);

/// Lanes of a strip.
const STRIP: usize = 32;
/// Steps whose first spikes a block remembers.
const BEGINS: usize = 2 * LONGEST;
/// More spikes than a column's neurons have as a rule, Hz.
const LIVELY: f64 = 20.0;
/// Words of what a block knows of its column: `Known` of `kernels/column.cu`.
const KNOWN: usize = 4;
/// Lanes of a block have to fit into their bits, and a thread reads the mail of a block.
const _: () = assert!(1 << MAIL_BITS >= 1024 && MAIL_BITS < COLUMN_DELAY_SHIFT);

/// A kernel that steps columns.
pub(super) struct Kind {
    pub kernel: &'static str,
    pub threads: u32,
    /// That a warp has.
    pub strips: usize,
    /// Sums of a neuron: of all weights, or of the positive and of the negative ones.
    signs: usize,
    /// One column takes several blocks.
    pub is_whole: bool,
}

/// The first that a column fits into is its own.
pub(super) const KINDS: [Kind; 5] = [
    Kind { kernel: "column_one", threads: 512, strips: 16, signs: 1, is_whole: false },
    Kind { kernel: "column_one_wide", threads: 1024, strips: 16, signs: 1, is_whole: false },
    Kind { kernel: "column_three", threads: 1024, strips: 8, signs: 2, is_whole: false },
    Kind { kernel: "column_whole_one", threads: 768, strips: 1, signs: 1, is_whole: true },
    Kind { kernel: "column_whole_three", threads: 768, strips: 1, signs: 2, is_whole: true },
];

/// What a column has room in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// That step a column together, at most.
    blocks: usize,
    /// Columns that a block could step take several, too.
    is_forced: bool,
    /// Of shared memory of a block, bytes.
    shared: usize,
    /// See [`Sizes::list`].
    list: u32,
}

impl Room {
    pub fn new(gpu: &Gpu, sizes: &Sizes) -> Self {
        Self {
            blocks: sizes.blocks.unwrap_or_else(|| gpu.multiprocessors()).max(1) as usize,
            is_forced: sizes.blocks.is_some(),
            shared: gpu.shared_limit() as usize,
            list: sizes.list,
        }
    }
}

/// Words of a strip as such.
pub(super) const STRIP_WORDS: usize = size_of::<ColumnStrip>() / 4;

/// Synapses that are asked for behind a row.
pub(super) const AHEAD: usize = 32;

/// What lies on the device one column behind the other, or how much of it.
#[derive(Default)]
pub(super) struct Shelf {
    pub pairs: Vec<ColumnPair>,
    pub delays: Vec<u32>,
    pub strips: Vec<ColumnStrip>,
    pub laws: Vec<u32>,
    pub first: Vec<f32>,
    pub volleys: Vec<ColumnVolley>,
    pub scheduled: Vec<u32>,
    pub rows: usize,
    pub synapses: usize,
    pub far: usize,
}

impl Shelf {
    pub fn put(&mut self, plan: &Plan) {
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
        self.volleys.extend(&plan.volleys);
        self.scheduled.extend(&plan.scheduled);
    }
}

/// How a column's synapses come about.
pub(super) enum Written {
    /// By the device.
    Pairs { pairs: Vec<ColumnPair>, delays: Vec<u32> },
    /// By the host: where each source and delay ends, and all of them.
    Rows { ends: Vec<u32>, synapses: Vec<ColumnSynapse>, longest: u32 },
}

/// A column as the device is told of it.
pub(super) struct Plan {
    /// Of [`KINDS`].
    pub kind: usize,
    /// Of each population.
    pub neurons: Vec<usize>,
    /// First lane on the CPU of each population, and the number of lanes.
    pub lanes: Vec<usize>,
    pub strips: Vec<ColumnStrip>,
    pub laws: Vec<u32>,
    pub first: Vec<f32>,
    pub wiring: Written,
    pub synapse_count: usize,
    /// See [`Column::overflow`].
    pub overflow: usize,
    pub volleys: Vec<ColumnVolley>,
    pub scheduled: Vec<u32>,
    /// Without addresses.
    pub column: Column,
}

impl Plan {
    /// `thalamus` with the steps before it is counted and those of its pulses.
    pub fn drawn(
        parameters: &Parameters,
        seeds: Seeds,
        thalamus: Option<(&Thalamus, (u32, u32))>,
        room: Room,
    ) -> Result<Self> {
        let (network, derived) = Network::<f32>::column_without_synapses(parameters, seeds)?;
        let mut sources: Vec<Source> =
            (0..POPULATIONS).map(|source| Source::population(parameters, &derived, seeds.wiring, source)).collect();
        let (mut generators, mut schedule) = (0, Schedule::new());
        if let Some((thalamus, steps)) = thalamus {
            thalamus.check(parameters).map_err(|invalid| Error::Config(format!("`thalamus`: {invalid}")))?;
            generators = thalamus.scaled_neurons(parameters) as usize;
            schedule = thalamus.schedule(generators as u32, seeds.noise, steps);
            sources.push(thalamus.source(parameters, seeds));
        }
        let mut plan = Self::new(&network, generators, &schedule, room)?;
        let (mut pairs, mut units, mut total) = (Vec::new(), 0u64, 0);
        for (number, source) in sources.iter().enumerate() {
            for (target, (pair, &synapses)) in source.pairs.iter().zip(&source.synapses).enumerate() {
                units += synapses.div_ceil(GROUP as u64) * (GROUP as u64 / 2);
                total += synapses;
                pairs.push(ColumnPair {
                    end: units as u32,
                    synapses: synapses as u32,
                    number: pair.number,
                    sources: pair.sources,
                    targets: pair.targets,
                    first_source: plan.source(number, 0) as u32,
                    first_lane: plan.lane(target, 0) as u32,
                    law: if number == POPULATIONS { DELAY_LAWS - 1 } else { number as u32 % 2 },
                    weight: pair.weight,
                    sd: pair.sd,
                });
            }
        }
        // Places in rows are of 32 bits, and so are the numbers of synapses with what their groups are filled up with.
        if total + 2 * units >= 1 << 32 {
            return Err(Error::Device(format!(
                "{total} synapses of one column are more than a device is made for; try: --device cpu"
            )));
        }
        let laws = [Some(0), Some(1), (sources.len() > POPULATIONS).then_some(POPULATIONS)];
        let law = |source: Option<usize>| match source {
            Some(source) => delay::thresholds(sources[source].delay.0, sources[source].delay.1),
            None => [0; LONGEST],
        };
        plan.column.pairs_count = pairs.len() as u32;
        plan.wiring = Written::Pairs { pairs, delays: laws.map(law).concat() };
        plan.synapse_count = total as usize;
        plan.column.wiring_seed = seeds.wiring;
        Ok(plan)
    }

    pub fn written(network: &Network<f32>, room: Room) -> Result<Self> {
        let populations = network.populations.len();
        let generators =
            network.parts.first().and_then(|part| part.rows.get(populations)).map_or(0, |rows| rows.sources());
        let mut plan = Self::new(network, generators, &network.schedule, room)?;
        let (mut all, mut longest) = (Vec::new(), 0);
        for part in &network.parts {
            for (population, rows) in part.rows.iter().enumerate() {
                for (source, delay, synapse) in rows.iter() {
                    let (target, number) = network.place(part.lanes.start + synapse.target as usize);
                    let lane = plan.lane(target, number);
                    let key = plan.key(plan.source(population, source as usize), delay, lane);
                    all.push((key, ColumnSynapse { target: plan.target(lane, delay), weight: synapse.weight }));
                    longest = longest.max(delay);
                }
            }
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
    fn new(network: &Network<f32>, generators: usize, schedule: &Schedule, room: Room) -> Result<Self> {
        let neurons = network.sizes();
        let is_one = network.populations.iter().all(|population| population.constants.is_one_channel());
        let needed: usize = neurons.iter().map(|n| n.div_ceil(STRIP)).sum();
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
        let laws_count = laws.len() / COLUMN_LAW as usize;
        // Of one block, or of several that share the strips.
        let block_strips = needed.div_ceil(room.blocks).max(1);
        let blocks = needed.div_ceil(block_strips).max(1);
        let fits = |kind: &Kind| {
            let is_enough = if kind.is_whole {
                block_strips.max(blocks.div_ceil(STRIP)) <= kind.threads as usize / STRIP
                    && whole_bytes(block_strips, kind.signs, room.list, neurons.len(), laws_count) <= room.shared
            } else {
                !room.is_forced && needed <= kind.strips * kind.threads as usize / STRIP
            };
            (kind.signs == 1) == is_one && is_enough
        };
        let Some(kind) = KINDS.iter().position(fits) else {
            return Err(Error::Device(format!(
                "{} neurons{} are more than the device holds with {} blocks; try: a smaller `neuron_scale`, or --device cpu",
                neurons.iter().sum::<usize>(),
                if is_one { "" } else { " with currents of different time constants" },
                room.blocks,
            )));
        };
        let is_whole = KINDS[kind].is_whole;
        if is_whole {
            (0..)
                .zip(&mut strips)
                .for_each(|(i, strip): (usize, &mut ColumnStrip)| strip.first_source = (i * STRIP) as u32);
        }
        // Whole fours of counters.
        let own_sources = if is_whole { needed * STRIP } else { source };
        let sources = if is_whole { (own_sources + generators).next_multiple_of(4) } else { own_sources + generators };
        let (volleys, scheduled, most) = volleys(schedule, own_sources)?;
        let overflow = if is_whole { 2 * blocks * block_strips * STRIP } else { (far + most).next_power_of_two() };
        let rows_count = sources * if is_whole { blocks } else { LONGEST };
        if rows_count >= 1 << 32 {
            return Err(Error::Device(format!(
                "{sources} neurons are more than a device is made for; try: --device cpu"
            )));
        }
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
            mail: Pointer::NULL,
            volleys: Pointer::NULL,
            scheduled: Pointer::NULL,
            limits: Pointer::NULL,
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
            sources: sources as u32,
            rows_count: rows_count as u32,
            pairs_count: 0,
            volleys_count: volleys.len() as u32,
            blocks: if is_whole { blocks as u32 } else { 1 },
            block_strips: if is_whole { block_strips as u32 } else { 0 },
            early: 0,
            strips_count: strips.len() as u32,
            seat_words: (STRIP_WORDS + STRIP * (KINDS[kind].signs + 1)) as u32,
            laws_count: laws_count as u32,
            populations: neurons.len() as u32,
            overflow: overflow as u32,
            room: 0,
        };
        let wiring = Written::Pairs { pairs: Vec::new(), delays: Vec::new() };
        let lanes = network.lanes.clone();
        Ok(Self {
            kind,
            neurons,
            lanes,
            strips,
            laws,
            first,
            wiring,
            synapse_count: 0,
            overflow,
            volleys,
            scheduled,
            column,
        })
    }

    pub fn is_whole(&self) -> bool {
        KINDS[self.kind].is_whole
    }

    /// Lane on the device of neuron `number` of a population.
    pub fn lane(&self, population: usize, number: usize) -> usize {
        self.neurons[..population].iter().map(|neurons| neurons.next_multiple_of(STRIP)).sum::<usize>() + number
    }

    /// The same as a source, see [`Column::sources`]; generators are behind the last population.
    pub fn source(&self, population: usize, number: usize) -> usize {
        if self.is_whole() {
            self.lane(population, number)
        } else {
            self.neurons[..population].iter().sum::<usize>() + number
        }
    }

    /// Number of the counter of a synapse, see [`Column::rows`].
    fn key(&self, source: usize, delay: u32, lane: usize) -> usize {
        if self.is_whole() {
            lane / self.block_lanes() * self.column.sources as usize + source
        } else {
            source * LONGEST + delay as usize - 1
        }
    }

    /// See [`ColumnSynapse::target`].
    fn target(&self, lane: usize, delay: u32) -> u32 {
        if self.is_whole() {
            (lane % self.block_lanes()) as u32 | delay << COLUMN_DELAY_SHIFT
        } else {
            (lane / STRIP * self.column.seat_words as usize + STRIP_WORDS + lane % STRIP) as u32
        }
    }

    /// Lane and delay of a synapse, by the number of its counter and its target.
    pub fn place(&self, key: usize, target: u32) -> (usize, u32) {
        if self.is_whole() {
            let (block, lane) = (key / self.column.sources as usize, target & ((1 << COLUMN_DELAY_SHIFT) - 1));
            (block * self.block_lanes() + lane as usize, target >> COLUMN_DELAY_SHIFT)
        } else {
            let (strip, word) = (target / self.column.seat_words, target % self.column.seat_words);
            (strip as usize * STRIP + word as usize - STRIP_WORDS, (key % LONGEST) as u32 + 1)
        }
    }

    /// Numbers of the counters of a source.
    pub fn keys(&self, source: usize) -> impl Iterator<Item = usize> {
        let sources = self.column.sources as usize;
        let (first, step, count) = if self.is_whole() {
            (source, sources, self.column.blocks as usize)
        } else {
            (source * LONGEST, 1, LONGEST)
        };
        (0..count).map(move |i| first + i * step)
    }

    fn block_lanes(&self) -> usize {
        self.column.block_strips as usize * STRIP
    }

    /// Words of [`Column::rows`].
    pub fn rows(&self) -> usize {
        COLUMN_ROWS as usize + self.column.rows_count as usize
    }

    /// Threads that draw its synapses.
    pub fn units(&self) -> usize {
        match &self.wiring {
            Written::Pairs { pairs, .. } => pairs.last().map_or(0, |pair| pair.end as usize),
            Written::Rows { .. } => 0,
        }
    }

    /// Of its delays, where that is known beforehand.
    pub fn longest(&self) -> Option<u32> {
        match self.wiring {
            Written::Pairs { .. } => None,
            Written::Rows { longest, .. } => Some(longest),
        }
    }

    /// Of shared memory, as `kernels/column.cu` and `column_whole.cu` lay it out.
    pub fn shared_bytes(&self, list: u32) -> usize {
        let (column, laws) = (&self.column, self.column.laws_count as usize);
        let populations = column.populations as usize;
        if self.is_whole() {
            return whole_bytes(column.block_strips as usize, KINDS[self.kind].signs, list, populations, laws);
        }
        let words = self.strips.len() * column.seat_words as usize
            + list as usize
            + laws * COLUMN_LAW as usize
            + BEGINS
            + 2 * populations
            + KNOWN;
        4 * words + laws * COLUMN_GUIDE as usize
    }

    /// Warps of a block: as many as are wished, not fewer than it takes, and no more than have something to do.
    pub fn warps(&self, wished: usize) -> usize {
        let (kind, strips) = (&KINDS[self.kind], self.strips.len());
        if kind.is_whole {
            let column = &self.column;
            return wished
                .clamp(column.block_strips.max(column.blocks.div_ceil(32)) as usize, kind.threads as usize / 32);
        }
        let (fewest, most) = (strips.div_ceil(kind.strips), strips.min(kind.threads as usize / 32));
        wished.clamp(fewest, most.max(fewest))
    }

    /// Spikes that there is to be room for at first.
    pub fn expected_spikes(&self, span: &Span, sizes: &Sizes) -> u32 {
        let rate = span.limit.map_or(LIVELY, |limit| limit.rate.clamp(LIVELY, 10.0 * LIVELY));
        let most = self.neurons.iter().sum::<usize>() as f64 * f64::from(span.counted) * DT * 1e-3 * rate;
        if span.record { sizes.spikes.unwrap_or((most as u32).max(4096)).max(1) } else { 0 }
    }

    /// Of device memory, but for spikes that are recorded.
    pub fn bytes(&self) -> u64 {
        let strips = self.strips.len() * (size_of::<ColumnStrip>() + STRIP * (size_of::<u64>() + size_of::<f32>()));
        let volleys = size_of::<ColumnVolley>() * self.volleys.len() + 4 * self.scheduled.len();
        let words = self.rows() + self.laws.len() + self.overflow + 10 * self.column.pairs_count as usize + 3 * LONGEST;
        (strips + volleys + 4 * words + size_of::<ColumnSynapse>() * self.synapse_count) as u64
    }
}

/// Shared memory of a block of several.
fn whole_bytes(strips: usize, signs: usize, list: u32, populations: usize, laws: usize) -> usize {
    let ring = LONGEST * signs * strips * STRIP;
    // Of both parities: who fired, what was heard, the first lanes.
    let mail = 2 * (2 + MAIL_LANES as usize);
    let words = strips * STRIP_WORDS + ring + list as usize + 2 * populations + mail + laws * COLUMN_LAW as usize;
    4 * words + laws * COLUMN_GUIDE as usize
}

/// A schedule's steps with their generators, which as sources begin with number `first`; and the most that can act at once.
fn volleys(schedule: &Schedule, first: usize) -> Result<(Vec<ColumnVolley>, Vec<u32>, usize)> {
    if schedule.first().is_some_and(|&(step, _)| step == 0) {
        return Err(Error::Device("no generator fires before the first step on a device; try: --device cpu".into()));
    }
    let mut volleys: Vec<ColumnVolley> = Vec::new();
    for together in schedule.chunk_by(|a, b| a.0 == b.0) {
        let begin = volleys.last().map_or(0, |volley| volley.end);
        volleys.push(ColumnVolley { step: together[0].0, begin, end: begin + together.len() as u32 });
    }
    let act_at_once = |volley: &ColumnVolley| {
        let last = volleys.partition_point(|other| other.step <= volley.step + LONGEST as u32);
        (volleys[last - 1].end - volley.begin) as usize
    };
    let most = volleys.iter().map(act_at_once).max().unwrap_or(0);
    let scheduled = schedule.iter().map(|&(_, generator)| first as u32 + generator).collect();
    Ok((volleys, scheduled, most))
}
