//! Networks in mazes: their episodes on the device, and the kernels `network_*`.

use super::sizes::{Size, too_large};
use super::{Context, Game, Rollout, Search};
use crate::abi::{
    self, DrawMazeArgs, MAZE_DOUBLE, MAZE_SINGLE, NetworkArgs, NetworkExactArgs, NetworkLayout, NetworkRuleArgs,
    Pointer, RULE_BCM, RULE_CONSTANTS, RULE_KEPT, RULE_REWARDED_STDP, SENSORS, Step, THREADS,
};
use crate::config::{self, Numerics, SynapseInput};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::network::plastic::Constant;
use crate::network::{Layout, Rule};
use crate::plan::Plan;
use crate::profile::Work;
use crate::registry::UnitKind;
use crate::rng::Stream;
use crate::workload::maze::MazePlay;
use crate::world::t_maze;

/// Warps of an exact rollout's block, at most: the kernels are compiled for 256 threads.
const MAX_WARPS: usize = 8;

/// Warps of a fast rollout's block, at most.
const MAX_FAST_WARPS: usize = 4;

/// The mazes of some generations, and who plays them.
pub(super) struct Mazes {
    size: Size,
    play: MazePlay,
    rollout: Rollout,
    /// Of check mode: the exact rollout beside the fast one.
    exact: Option<Rollout>,
    /// Of the exact rollout, where there is one.
    layout: Option<NetworkLayout>,
    /// Of synapses that follow one.
    rule: Option<KernelRule>,
    mazes: Buffer<u32>,
    swaps: Buffer<f32>,
    noise: Buffer<f32>,
    sources: Buffer<u32>,
    first: Buffer<u32>,
    lived: Buffer<u32>,
}

/// Words that the episodes of a generation and trial take, and the fitness and steps of a player on them.
pub(super) fn words(plan: &Plan, network: &Layout, environments: usize) -> (usize, usize) {
    (environments * (1 + actions(plan) + outputs(network)), 2 * environments)
}

fn maze(plan: &Plan) -> &config::Maze {
    match &plan.config.task {
        config::Task::TMaze(maze) | config::Task::DoubleTMaze(maze) => maze,
        task => panic!("{task:?} is not a maze"),
    }
}

fn actions(plan: &Plan) -> usize {
    maze(plan).actions as usize
}

/// [`NetworkArgs::synapse_input`].
pub(crate) fn synapse_input(network: &Layout) -> u32 {
    match network.input {
        SynapseInput::Split => abi::INPUT_SPLIT,
        SynapseInput::Sum => abi::INPUT_SUM,
        SynapseInput::Concat => abi::INPUT_CONCAT,
    }
}

/// A rule as kernels have it.
pub(crate) struct KernelRule {
    /// RULE_*.
    pub(crate) number: u32,
    /// [`NetworkRuleArgs::constants`].
    pub(crate) constants: Buffer<f32>,
}

impl KernelRule {
    pub(crate) fn new(gpu: &Gpu, mut rule: Rule) -> Result<Self> {
        let number = match rule {
            Rule::Bcm { .. } => RULE_BCM,
            Rule::RewardedStdp { .. } => RULE_REWARDED_STDP,
        };
        let of = |Constant { value, range: (low, high), .. }: Constant<'_>| [*value, low, high];
        let constants: Vec<f32> = rule.constants().into_iter().flat_map(of).collect();
        Ok(Self { number, constants: Buffer::of(gpu, &constants)? })
    }
}

/// Of all units of a network.
fn outputs(network: &Layout) -> usize {
    (network.wiring.sources.len() + network.wiring.neurons) * network.neuron.outputs
}

impl Mazes {
    pub(super) fn new(plan: &Plan, network: &Layout, gpu: &Gpu, size: Size) -> Result<Self> {
        let (rollout, exact, layout) = rollouts(plan, network, gpu, size, MAX_WARPS)?;
        let episodes = size.generations * size.trials * size.environments;
        let indices = |from: &[usize]| Buffer::of(gpu, &from.iter().map(|&i| i as u32).collect::<Vec<_>>());
        Ok(Self {
            size,
            play: MazePlay::new(plan),
            rollout,
            exact,
            layout,
            rule: network.rule().map(|rule| KernelRule::new(gpu, rule)).transpose()?,
            mazes: Buffer::zeros(gpu, episodes)?,
            swaps: Buffer::zeros(gpu, episodes * actions(plan))?,
            noise: Buffer::zeros(gpu, episodes * outputs(network))?,
            sources: indices(&network.wiring.sources)?,
            first: indices(&network.wiring.first)?,
            lived: Buffer::zeros(gpu, size.trials * size.players * size.environments)?,
        })
    }

    fn network_args(&self, search: &Search<'_>, k: usize) -> NetworkArgs {
        let plan = search.context.plan;
        let (network, rules, maze) = (self.play.network(), self.play.rules(), maze(plan));
        let episodes = self.size.trials * self.size.environments;
        let of_generation = |each: usize| (k * episodes * each, episodes * each);
        let (swaps, swaps_length) = of_generation(actions(plan));
        let (noise, noise_length) = of_generation(outputs(network));
        NetworkArgs {
            seeds: search.context.seeds.pointer(),
            step: search.step,
            centre: search.centre,
            sigmas: search.sigmas,
            mazes: self.mazes.at(k * episodes, episodes),
            swaps: self.swaps.at(swaps, swaps_length),
            noise: self.noise.at(noise, noise_length),
            sources: self.sources.pointer(),
            first: self.first.pointer(),
            fitness: search.fitness,
            lived: self.lived.pointer(),
            halted: search.halted,
            population: search.population as u32,
            first_player: search.first as u32,
            players: self.size.players as u32,
            antithetic: u32::from(search.antithetic),
            parameters: plan.parameters() as u32,
            neuron_parameters: if network.shared { 0 } else { network.synapse.parameters() as u32 },
            memory: network.neuron.memory as u32,
            channels: network.neuron.outputs as u32,
            synapses: network.wiring.sources.len() as u32,
            neurons: network.wiring.neurons as u32,
            synapse_input: synapse_input(network),
            environments: self.size.environments as u32,
            actions: maze.actions,
            ticks: maze.ticks_per_action,
            layout: match rules.layout {
                t_maze::Layout::Single => MAZE_SINGLE,
                t_maze::Layout::Double => MAZE_DOUBLE,
            },
            energy: rules.energy as u32,
            swap_after: rules.swap_after as u32,
            poisons: rules.poisons as u32,
            evolution: u32::from(search.population > 0),
        }
    }
}

/// Shared memory of a block of the exact kernel.
struct Block {
    layout: NetworkLayout,
    /// Columns of a memory that the kernel is compiled for.
    width: usize,
    /// Warps of a multiprocessor for which it has registers (kernels/resources.toml).
    resident_warps: usize,
}

impl Block {
    fn of(network: &Layout) -> Result<Self> {
        let Layout { neuron, ref wiring, .. } = *network;
        let units = network.rule().is_none();
        // As the kernels are named, and the synapses that a warp of theirs computes at once.
        let (width, together) = match neuron.memory {
            0..=16 => (16, 48),
            17..=32 => (32, 48),
            33..=64 => (64, 24),
            memory => {
                return Err(Error::Device(format!(
                    "networks have kernels for units of at most 64 memory cells; these have {memory}\n\
                     try: a smaller memory, or --device cpu"
                )));
            }
        };
        let (split, concat) = (units && network.input == SynapseInput::Split, network.input == SynapseInput::Concat);
        let quads = |n: usize| n.div_ceil(4);
        let (gates, lstm) = (neuron.gates(), neuron.kind == UnitKind::Lstm);
        let border = if split { neuron.outputs / 2 } else { neuron.outputs };
        let gap = if split { 4 * quads(border) - border } else { 0 };
        let (memory_quads, channel_quads) = (quads(neuron.memory), quads(neuron.outputs + gap));
        let feedback_quads = if neuron.feedback() > 0 { channel_quads } else { 0 };
        let before_quads = if split { quads(border) } else { channel_quads };
        let input_quads = if concat { 2 * channel_quads } else { channel_quads };
        let (synapses, neurons) = (wiring.sources.len().next_multiple_of(8), wiring.neurons.next_multiple_of(6));
        let (output_stride, read_out_stride) = (4 * (channel_quads | 1), (4 * channel_quads).next_multiple_of(16));

        let of_units = |length: usize| if units { length } else { 0 };

        let mut end = 0;
        let mut next = |length: usize| {
            end += length;
            (end - length) as u32
        };
        next(of_units(4 * (memory_quads + feedback_quads) * gates * width));
        let inputs = next(of_units(4 * input_quads * gates * width));
        let read_out = next(of_units(4 * memory_quads * read_out_stride));
        let constants = next(if units { 0 } else { RULE_CONSTANTS as usize });
        let neuron_gates = next(4 * (memory_quads + feedback_quads + channel_quads) * gates * width);
        let neuron_read_out = next(16 * memory_quads * channel_quads);
        let rows = next(synapses);
        let first = next((neurons + 2).next_multiple_of(4));
        let state = next(0);

        // From the start of what a warp has to itself.
        let mut end = 0;
        let mut next = |length: usize| {
            end += length;
            end - length
        };
        let cells = if lstm { width } else { 0 };
        next(AGENT + synapses * if units { width } else { RULE_KEPT as usize });
        let cell = next(of_units(synapses * cells));
        let outputs = next(synapses * output_stride);
        let neuron_memory = next(neurons * width);
        let neuron_cell = next(neurons * cells);
        let neuron_outputs = next(neurons * 4 * channel_quads);
        let scratch = next(0);
        // Rows of projections are four floats longer, for the banks.
        let projections = SENSORS as usize + 2 * neurons;
        let (of_first, of_second) =
            (projections * (2 * width + 4), projections * (if lstm { 2 } else { 1 } * width + 4));
        // Those of the second gates take the place of the first where these have been read by then.
        let second = if synapses == together || synapses == 8 { 0 } else { of_first };
        let resets = neurons * 4 * channel_quads;
        let warp = scratch + of_units(of_first.max(second + of_second)).max(resets + 6 * width);
        let layout = NetworkLayout {
            memory_quads: memory_quads as u32,
            channel_quads: channel_quads as u32,
            feedback_quads: feedback_quads as u32,
            border: border as u32,
            gap: gap as u32,
            before_quads: before_quads as u32,
            after_first: if split { before_quads as u32 } else { 0 },
            after_input: if split || concat { before_quads as u32 } else { 0 },
            synapses: synapses as u32,
            neurons: neurons as u32,
            output_stride: output_stride as u32,
            inputs,
            read_out,
            read_out_stride: read_out_stride as u32,
            constants,
            neuron_gates,
            neuron_read_out,
            rows,
            first,
            state,
            warp: warp as u32,
            cell: cell as u32,
            outputs: outputs as u32,
            neuron_memory: neuron_memory as u32,
            neuron_cell: neuron_cell as u32,
            neuron_outputs: neuron_outputs as u32,
            scratch: scratch as u32,
            second_projections: (scratch + second) as u32,
            resets: (scratch + resets) as u32,
        };
        let resident_warps = if units {
            8
        } else if width < 64 {
            16
        } else {
            12
        };
        Ok(Self { layout, width, resident_warps })
    }

    fn floats(&self, warps: usize) -> usize {
        self.layout.state as usize + warps * self.layout.warp as usize
    }
}

/// Floats that an agent has room in, before the state of its network.
const AGENT: usize = 16;

/// Name, grid and block of the exact rollout: the number of warps, at most `warps`, with which a multiprocessor has room for
/// the most, and of these the smallest, as blocks then end one by one.
fn exact(network: &Layout, gpu: &Gpu, block: &Block, size: Size, warps: usize) -> Result<Rollout> {
    let bytes = |warps: usize| 4 * block.floats(warps);
    let resident = |warps: usize| {
        let blocks = gpu.shared_of_multiprocessor() as usize / (bytes(warps) + 1024);
        warps * blocks.min(block.resident_warps / warps)
    };
    let fits = |warps: &usize| bytes(*warps) <= gpu.shared_limit() as usize;
    let warps =
        (1..=warps.min(MAX_WARPS).min(size.environments)).rev().filter(fits).max_by_key(|&warps| resident(warps));
    let warps = warps.ok_or_else(|| too_large(gpu, block.floats(1)))?;
    // Where there are few players their environments are shared out over several blocks.
    let wanted = (2 * gpu.multiprocessors() as usize).div_ceil(size.players * size.trials);
    let groups = wanted.min(size.environments.div_ceil(warps));
    let shape =
        Shape { grid: size.grid(size.players * groups)?, block: 32 * warps as u32, shared: bytes(warps) as u32 };
    let synapses = if network.rule().is_some() { "rule" } else { "exact" };
    let name = format!("network_{synapses}_{}_{}", network.neuron.kind.name(), block.width);
    Ok(Rollout { name, exact: true, shape })
}

/// Name, grid and block of the fast rollout, with at most so many warps.
fn fast(network: &Layout, gpu: &Gpu, size: Size, warps: usize) -> Result<Rollout> {
    // Whatever has no exact kernel has no fast one.
    Block::of(network)?;
    if network.rule().is_some() {
        return Err(Error::Config(
            "`run.numerics`: fast mode has no kernels for synapses that follow a rule\ntry: --set run.numerics=exact"
                .into(),
        ));
    }
    let Layout { neuron, ref wiring, .. } = *network;
    let (synapses, neurons, sources) = (wiring.sources.len(), wiring.neurons, wiring.sensors + wiring.neurons);
    if neuron.memory > 32 || neuron.outputs > 16 || synapses > 48 || sources > 16 {
        return Err(Error::Config(format!(
            "`run.numerics`: fast mode has kernels for networks of at most 48 synapses and 12 neurons with 32 memory cells and \
             16 outputs; this one has {synapses} synapses and {neurons} neurons with {} and {}\n\
             try: --set run.numerics=exact",
            neuron.memory, neuron.outputs
        )));
    }
    // The narrow kernels are for synapses that read half a source and half a neuron, and for one tile of neurons.
    let tiles = if network.input == SynapseInput::Split && neurons <= 8 { 1 } else { 2 };
    // Words of a block and of each of its warps, as Layout in network_fast.cu.
    let (gates, feedback) = (neuron.gates(), usize::from(neuron.feedback() > 0));
    let synapse_blocks = gates * 4 * (2 + feedback + tiles).div_ceil(2) + 2;
    let neuron_blocks = gates * 2 * (3 + feedback) + 2;
    let block = 128 * (synapse_blocks + neuron_blocks + 3 + tiles) + 4;
    let warp = 384 + 256 + 16 + 384 * tiles + 16;
    // A scheduler gets one warp of each block, and blocks end sooner the fewer environments they have.
    let warps = warps.min(MAX_FAST_WARPS).min(size.environments);
    let wanted = (3 * gpu.multiprocessors() as usize).div_ceil(size.players * size.trials);
    let groups = wanted.min(size.environments.div_ceil(warps));
    let bytes = 4 * (block + warps * warp);
    if bytes > gpu.shared_limit() as usize {
        return Err(too_large(gpu, bytes / 4));
    }
    let shape = Shape { grid: size.grid(size.players * groups)?, block: 32 * warps as u32, shared: bytes as u32 };
    Ok(Rollout { name: format!("network_fast_{}_{}", neuron.kind.name(), 8 * tiles), exact: false, shape })
}

/// The rollout, in check mode the exact one beside it, and how that lies in shared memory.
type Rollouts = (Rollout, Option<Rollout>, Option<NetworkLayout>);

fn rollouts(plan: &Plan, network: &Layout, gpu: &Gpu, size: Size, warps: usize) -> Result<Rollouts> {
    let exact = || -> Result<_> {
        let block = Block::of(network)?;
        Ok((exact(network, gpu, &block, size, warps)?, block.layout))
    };
    Ok(match plan.config.run.numerics {
        Numerics::Exact => {
            let (rollout, layout) = exact()?;
            (rollout, None, Some(layout))
        }
        Numerics::Fast => (fast(network, gpu, size, warps)?, None, None),
        Numerics::Check => {
            let (rollout, layout) = exact()?;
            (fast(network, gpu, size, warps)?, Some(rollout), Some(layout))
        }
    })
}

impl Game for Mazes {
    fn lanes(&self) -> usize {
        self.size.environments
    }

    fn lived(&self) -> Option<&Buffer<u32>> {
        Some(&self.lived)
    }

    fn draw_name(&self) -> Option<&'static str> {
        Some("draw_maze")
    }

    fn rollouts(&self) -> (&Rollout, Option<&Rollout>) {
        (&self.rollout, self.exact.as_ref())
    }

    fn reshape(&mut self, context: &Context<'_>, warps: usize) -> Result<()> {
        let network = self.play.network();
        (self.rollout, self.exact, self.layout) = rollouts(context.plan, network, context.gpu, self.size, warps)?;
        Ok(())
    }

    fn draw(&self, context: &Context<'_>, steps: Pointer<Step>, stream: Stream, generations: u32) -> Result<()> {
        let (plan, network, maze) = (context.plan, self.play.network(), maze(context.plan));
        let args = DrawMazeArgs {
            seeds: context.seeds.pointer(),
            steps,
            mazes: self.mazes.pointer(),
            swaps: self.swaps.pointer(),
            noise: self.noise.pointer(),
            stream: stream as u32,
            environments: self.size.environments as u32,
            actions: maze.actions,
            outputs: outputs(network) as u32,
            places: self.play.rules().layout.places().len() as u32,
            shuffle_inputs: u32::from(maze.shuffle_inputs),
            shuffle_outputs: u32::from(maze.shuffle_outputs),
            shuffle_together: u32::from(maze.shuffle_together),
            dark: maze.dark,
            output_noise: plan.config.network.as_ref().map_or(0.0, |network| network.output_noise),
        };
        let each = 1 + actions(plan).div_ceil(4) + outputs(network).div_ceil(4);
        let grid = [blocks(self.size.environments * each, THREADS), generations, self.size.trials as u32];
        // SAFETY: the buffers hold this many generations of episodes of all trials.
        unsafe { context.gpu.launch("draw_maze", Shape { grid, block: THREADS, shared: 0 }, &args) }
    }

    fn play(&self, search: &Search<'_>, rollout: &Rollout, k: usize) -> Result<()> {
        let (gpu, network) = (search.context.gpu, self.network_args(search, k));
        let (name, shape) = (&rollout.name, rollout.shape);
        // SAFETY: the buffers are those of these players.
        match (self.layout.filter(|_| rollout.exact), &self.rule) {
            (Some(layout), Some(KernelRule { number, constants })) => {
                let (constants, rule) = (constants.pointer(), *number);
                unsafe { gpu.launch(name, shape, &NetworkRuleArgs { network, layout, constants, rule }) }
            }
            (Some(layout), None) => unsafe { gpu.launch(name, shape, &NetworkExactArgs { network, layout }) },
            (None, _) => unsafe { gpu.launch(name, shape, &network) },
        }
    }

    fn episodes_bytes(&self) -> usize {
        4 * (self.mazes.len() + self.swaps.len() + self.noise.len())
    }

    fn work(&self, context: &Context<'_>) -> Result<Work> {
        let network = self.play.network();
        let steps: u64 = self.lived.read_all(context.gpu)?.into_iter().map(u64::from).sum();
        let units = network.wiring.sources.len() + network.wiring.neurons;
        Ok(Work {
            flops: steps * 2 * network.multiply_adds() as u64,
            bytes: (self.episodes_bytes() / self.size.generations + 8 * self.lived.len()) as u64,
            functions: steps * (units * network.neuron.functions()) as u64,
            fast: !self.rollout.exact,
        })
    }
}
