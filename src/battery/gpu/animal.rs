//! Bodies of units as the controller, one or a network: the kernels `lives_<unit>_<columns of a tile>` and `lives_network_<unit>`.

use super::{Kept, Lived, Outcomes, Worlds};
use crate::abi::{
    ADAPTED, ADAPTED_MOTORS, INPUT_SPLIT, LANES, LivesArgs, LivesOutcomes, LivesTrace, NO_ONE, Pointer, RULE_CONSTANTS,
    RULE_KEPT, RULE_NONE, Step,
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

/// How a body is in these assays, each with its number.
///
/// # Errors
/// When it lacks what one needs.
pub(crate) fn adapters(body: &Body, assays: &[&Assay]) -> Result<Vec<(u32, Adapter)>> {
    let of = |assay: &&Assay| {
        let lacks = || format!("{} needs {}, which this animal lacks", assay.name, body.lacks(assay).join(", "));
        Ok((assay.game.number, body.adapter(assay).ok_or_else(|| Error::Config(lacks()))?))
    };
    assays.iter().map(of).collect()
}

/// [`LivesArgs::adapters`] of a game, for a body whose first motor is this output or neuron, and whose sources have so many channels.
fn words(number: u32, Adapter { shown, motors }: &Adapter, first: usize, channels: usize) -> [u32; ADAPTED as usize] {
    let mut words = [0; ADAPTED as usize];
    words[0] = number;
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
    /// `size.environments` are the lives in all games, each its number and how the body is in it, those of the first one first; blocks
    /// have at most `warps` warps.
    ///
    /// # Errors
    /// When the body is too large for a block.
    pub(crate) fn new(
        gpu: &Gpu,
        worlds: &Worlds,
        body: &Body,
        games: &[(u32, Adapter)],
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
        let in_game = |(number, adapter): &(u32, Adapter)| words(*number, adapter, body.first_motor(), of_source);
        let adapters: Vec<u32> = games.iter().flat_map(in_game).collect();
        let row = |(source, channel): (usize, usize)| (source * of_source + channel) as u32;
        let [good, bad] = body.told().map(row);
        let each = size.environments.div_ceil(games.len());
        let mut args = LivesArgs {
            unit_inputs: unit.inputs as u32,
            memory: unit.memory as u32,
            outputs: unit.outputs as u32,
            parameters: unit.parameters() as u32,
            channels: channels as u32,
            one: body.one().map_or(NO_ONE, |one| row((one, 0))),
            good,
            bad,
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
        first_life: 0,
        amnesia: 0,
        noise: 0.0,
        noisy: 0,
        ticks: 0,
        share: 0.0,
        stream: Stream::Episode as u32,
        of_generation: 0,
        outcomes: LivesOutcomes {
            own: Pointer::NULL,
            own_counts: Pointer::NULL,
            given: Pointer::NULL,
            given_counts: Pointer::NULL,
        },
        trace: LivesTrace { values: Pointer::NULL, rows: 0, steps: 0, lanes: 0 },
        assays: worlds.sizes(),
    }
}

/// What is done to animals on a device, and what is written down.
#[derive(Clone, Copy)]
pub struct Treated<'a> {
    /// Lives forget everything just before their test.
    pub amnesia: bool,
    /// What neighbours are told instead of their own outcomes.
    pub given: Option<&'a Told>,
    /// Where outcomes are kept.
    pub own: Option<&'a Told>,
    /// Of control steps.
    pub kept: Kept,
}

impl Treated<'_> {
    /// Nothing is done.
    pub fn not(kept: Kept) -> Self {
        Self { amnesia: false, given: None, own: None, kept }
    }
}

/// Outcomes of lives, on a device.
pub struct Told {
    outcomes: Buffer<i32>,
    counts: Buffer<u32>,
}

impl Told {
    /// Room for those of so many lives in one assay, which take so many control steps at most.
    ///
    /// # Errors
    /// When the device has none.
    pub fn new(gpu: &Gpu, lives: u32, longest: u32) -> Result<Self> {
        let lanes = lanes(lives as usize);
        Ok(Self { outcomes: Buffer::zeros(gpu, longest as usize * lanes)?, counts: Buffer::zeros(gpu, lanes)? })
    }
}

/// Lives of a body with these parameters, `count` from number `first` on in each of the games, in blocks of at most so many warps.
///
/// # Errors
/// When the device fails, or the body is too large for a block.
#[expect(clippy::too_many_arguments, reason = "who, where, which lives, and how")]
pub fn animal(
    gpu: &Gpu,
    worlds: &Worlds,
    body: &Body,
    parameters: &[f32],
    games: &[(u32, Adapter)],
    (first, lives): (u32, Lives),
    warps: usize,
    treated: Treated<'_>,
) -> Result<Lived> {
    let environments = games.len() * lives.count as usize;
    let size = Size { trials: 1, players: 1, environments, generations: 1 };
    let played = AnimalLives::new(gpu, worlds, body, games, size, warps)?;
    let mut padded = parameters.to_vec();
    padded.resize(parameters.len().next_multiple_of(4), 0.0);
    let (centre, seeds) = (Buffer::of(gpu, &padded)?, Buffer::of(gpu, &[lives.seed])?);
    let (step, halted) = (Buffer::of(gpu, &[Step::default()])?, Buffer::<u32>::zeros(gpu, 1)?);
    let outcomes = Outcomes::new(gpu, lanes(environments), treated.kept)?;
    let told = |told: Option<&Told>| {
        told.map_or((Pointer::NULL, Pointer::NULL), |told| (told.outcomes.pointer(), told.counts.pointer()))
    };
    let ((own, own_counts), (given, given_counts)) = (told(treated.own), told(treated.given));
    let args = LivesArgs {
        seeds: seeds.pointer(),
        step: step.pointer(),
        centre: centre.pointer(),
        lives: seeds.pointer(),
        fitness: outcomes.fitness.pointer(),
        lived: outcomes.steps.pointer(),
        halted: halted.pointer(),
        first_life: first,
        amnesia: u32::from(treated.amnesia),
        outcomes: LivesOutcomes { own, own_counts, given, given_counts },
        trace: outcomes.trace(),
        ..played.args()
    };
    // SAFETY: the kernels of this name take these arguments; the buffers are as long as they say, and live until the
    // results are read.
    unsafe { gpu.launch(&played.name, played.shape, &args) }?;
    outcomes.read(gpu, environments)
}
