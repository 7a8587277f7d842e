//! Bodies of units as the controller, one or a network: the kernels `lives_<unit>_<columns of a tile>` and `lives_network_<unit>`.

use super::{Lived, Outcomes, Worlds};
use crate::abi::{
    ADAPTED, ADAPTED_MOTORS, INPUT_SPLIT, LANES, LivesArgs, LivesTrace, Pointer, RULE_CONSTANTS, RULE_KEPT, RULE_NONE,
    Step,
};
use crate::battery::assays::Assay;
use crate::battery::body::{Adapter, Body, Brain};
use crate::battery::play::Lives;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape};
use crate::network::Layout;
use crate::registry::UnitKind;
use crate::rng::Stream;
use crate::unit;
use crate::workload::gpu::{KernelRule, Size, Tiles, synapse_input};

/// Warps of a block, at most: the kernels are compiled for 128 threads.
const MAX_WARPS: usize = 4;

/// Lives of some players in some assays, with what is the same in every launch.
pub(crate) struct AnimalLives {
    body: Body,
    adapters: Buffer<u32>,
    sources: Buffer<u32>,
    first_synapses: Buffer<u32>,
    rule: Option<KernelRule>,
    /// What does not change from launch to launch.
    args: LivesArgs,
    /// Of the kernel.
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

/// Environments with those that only pad a window.
pub(crate) fn lanes(environments: usize) -> usize {
    environments.next_multiple_of(LANES as usize)
}

/// [`LivesArgs::adapters`] of an assay, for a body whose first motor is this output or neuron, and whose sources have so many channels.
fn words(assay: &Assay, Adapter { shown, motors }: &Adapter, first: usize, channels: usize) -> [u32; ADAPTED as usize] {
    let mut words = [0; ADAPTED as usize];
    words[0] = assay.game.number;
    let rows = shown.iter().map(|&(source, channel)| source * channels + channel);
    words[1..].iter_mut().zip(rows).for_each(|(word, row)| *word = row as u32);
    words[ADAPTED_MOTORS as usize..].iter_mut().zip(motors).for_each(|(word, &motor)| *word = (first + motor) as u32);
    words
}

/// How a body lies in shared memory, in floats: a block's part, and that of each of its warps.
struct Seating {
    block: usize,
    warp: usize,
}

impl Seating {
    /// Of a network, whose kernels have tiles of the narrowest kind: in assays units are small.
    fn of(layout: &Layout) -> Self {
        const TILE: usize = 8;
        let &Layout { ref synapse, neuron, shared, ref wiring, .. } = layout;
        let weights = |unit: &unit::Shape| Tiles::with_columns(unit, unit.inputs, TILE).weights;
        let own = synapse.unit().filter(|_| !shared).map_or(0, |unit| weights(&unit));
        let cell = if neuron.kind == UnitKind::Lstm { neuron.memory } else { 0 };
        let (channels, synapses, neurons) = (neuron.outputs, wiring.sources.len(), wiring.neurons);
        let of_synapse = if synapse.unit().is_some() { cell + neuron.memory + channels } else { RULE_KEPT as usize };
        let rows = wiring.sensors * channels
            + neurons * (cell + neuron.memory + 2 * channels)
            + synapses * of_synapse
            + (synapses + neurons) * channels
            + 2 * neuron.memory;
        Self { block: own + weights(&neuron) + RULE_CONSTANTS as usize, warp: LANES as usize * rows }
    }
}

impl AnimalLives {
    /// `size.environments` are the lives in all assays, those of the first one first; blocks have at most `warps` warps.
    ///
    /// # Errors
    /// When the body lacks what an assay needs, or is too large for a block.
    pub(crate) fn new(
        gpu: &Gpu,
        worlds: &Worlds,
        body: &Body,
        assays: &[&Assay],
        size: Size,
        warps: usize,
    ) -> Result<Self> {
        let (unit, channels, seating, name) = match body.brain() {
            Brain::One(unit) => {
                let driven = body.one().map_or(0, |one| one + 1);
                let Tiles { columns, weights, window } = Tiles::of(unit, driven);
                (
                    *unit,
                    driven,
                    Seating { block: weights, warp: window },
                    format!("lives_{}_{columns}", unit.kind.name()),
                )
            }
            Brain::Many(layout, _) => {
                let name = format!("lives_network_{}", layout.neuron.kind.name());
                (layout.neuron, layout.neuron.outputs, Seating::of(layout), name)
            }
        };
        let network = if let Brain::Many(layout, noise) = body.brain() { Some((layout, *noise)) } else { None };
        let of_source = if network.is_some() { channels } else { 1 };
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
            adapters.extend(words(assay, &adapter, body.first_motor(), of_source));
        }
        let one = body.one().expect("bodies that are evolved in assays read a 1");
        let each = size.environments.div_ceil(assays.len());
        let mut args = LivesArgs {
            unit_inputs: unit.inputs as u32,
            memory: unit.memory as u32,
            outputs: unit.outputs as u32,
            parameters: unit.parameters() as u32,
            channels: channels as u32,
            one: (one * of_source) as u32,
            // Inner senses are r+, r- and 1, in this order.
            good: ((one - 2) * of_source) as u32,
            bad: ((one - 1) * of_source) as u32,
            players: size.players as u32,
            lanes: lanes(size.environments) as u32,
            environments: size.environments as u32,
            each: each as u32,
            ticks: body.ticks() as u32,
            share: 1.0 / body.ticks() as f32,
            ..blank(worlds)
        };
        let (mut sources, mut first, mut rule) = (vec![0], vec![0], None);
        if let Some((layout, noise)) = network {
            let wiring = &layout.wiring;
            let words = |indices: &[usize]| indices.iter().map(|&i| i as u32).collect();
            (sources, first) = (words(&wiring.sources), words(&wiring.first));
            args.parameters = layout.parameters() as u32;
            args.neuron_parameters = if layout.shared { 0 } else { layout.synapse.parameters() as u32 };
            args.synapse_input = synapse_input(layout);
            (args.sensors, args.neurons) = (wiring.sensors as u32, wiring.neurons as u32);
            args.synapses = wiring.sources.len() as u32;
            (args.warp_floats, args.output_noise) = (seating.warp as u32, noise);
            rule = layout.rule().map(|rule| KernelRule::new(gpu, rule)).transpose()?;
            args.rule = rule.as_ref().map_or(RULE_NONE, |rule| rule.number);
        }
        Ok(Self {
            name,
            shape: size.windows(gpu, seating.block, seating.warp, warps.min(MAX_WARPS))?,
            adapters: Buffer::of(gpu, &adapters)?,
            sources: Buffer::of(gpu, &sources)?,
            first_synapses: Buffer::of(gpu, &first)?,
            rule,
            args,
            body: body.clone(),
        })
    }

    /// Multiply-adds and functions of a step of the body's units.
    pub(crate) fn work_of_a_step(&self) -> (u64, u64) {
        (self.body.multiply_adds() as u64, self.body.functions() as u64)
    }

    /// Arguments of a launch, in which players and addresses are still missing.
    pub(crate) fn args(&self) -> LivesArgs {
        LivesArgs {
            adapters: self.adapters.pointer(),
            sources: self.sources.pointer(),
            first_synapses: self.first_synapses.pointer(),
            constants: self.rule.as_ref().map_or(Pointer::NULL, |rule| rule.constants.pointer()),
            ..self.args
        }
    }
}

/// Arguments of nobody.
fn blank(worlds: &Worlds) -> LivesArgs {
    LivesArgs {
        seeds: Pointer::NULL,
        step: Pointer::NULL,
        centre: Pointer::NULL,
        sigmas: Pointer::NULL,
        lives: Pointer::NULL,
        adapters: Pointer::NULL,
        sources: Pointer::NULL,
        first_synapses: Pointer::NULL,
        constants: Pointer::NULL,
        fitness: Pointer::NULL,
        lived: Pointer::NULL,
        halted: Pointer::NULL,
        population: 0,
        first_player: 0,
        players: 0,
        antithetic: 0,
        unit_inputs: 0,
        memory: 0,
        outputs: 0,
        parameters: 0,
        channels: 0,
        one: 0,
        good: 0,
        bad: 0,
        rule: RULE_NONE,
        neuron_parameters: 0,
        synapse_input: INPUT_SPLIT,
        sensors: 0,
        synapses: 0,
        neurons: 0,
        warp_floats: 0,
        output_noise: 0.0,
        lanes: 0,
        environments: 0,
        each: 0,
        noise: 0.0,
        noisy: 0,
        ticks: 0,
        share: 0.0,
        stream: Stream::Episode as u32,
        of_generation: 0,
        trace: LivesTrace { values: Pointer::NULL, steps: 0, lanes: 0 },
        assays: worlds.sizes(),
    }
}

/// Lives of a body with these parameters, `lives.count` in each of the assays, in blocks of at most so many warps; the first `traced`
/// steps are kept.
///
/// # Errors
/// When the device fails, the body lacks what an assay needs, or is too large for a block.
///
/// # Panics
/// When the worlds are those of variants, or the body is of a maze, which reads no 1.
#[expect(clippy::too_many_arguments, reason = "who, where, which lives, and how")]
pub fn animal(
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
    let played = AnimalLives::new(gpu, worlds, body, assays, size, warps)?;
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
