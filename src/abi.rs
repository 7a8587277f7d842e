//! What the host and the kernels share: constants and launch structs, written once.
//!
//! `build.rs` compiles this very file and writes [`header`] next to the kernels as `abi.h`, with a `static_assert` on
//! the size of every struct and the offset of every field. A kernel takes exactly one of the structs, by value.
//!
//! Trials (independent seeds of one plan) are the outermost axis of every array but those of a batch, which have the
//! generation outside of it; P is the population, D the number
//! of parameters, E the number of environments rounded up to whole windows of [`LANES`].

use std::fmt::Write as _;
use std::marker::PhantomData;

/// A type with a twin in C++.
pub trait CType {
    /// Its name there.
    fn c_type() -> String;
}

/// An address on the device, of elements of type `T`. 0 where there is nothing.
#[repr(transparent)]
#[derive(Debug)]
pub struct Pointer<T>(pub u64, PhantomData<T>);

impl<T> Pointer<T> {
    /// Points nowhere.
    pub const NULL: Self = Self(0, PhantomData);

    /// The address that the driver gave.
    pub fn new(address: u64) -> Self {
        Self(address, PhantomData)
    }
}

impl<T> Clone for Pointer<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Pointer<T> {}

impl<T: CType> CType for Pointer<T> {
    fn c_type() -> String {
        T::c_type() + "*"
    }
}

macro_rules! c_types {
    ($($rust:ty => $c:literal),*) => {
        $(impl CType for $rust {
            fn c_type() -> String {
                $c.to_owned()
            }
        })*
    };
}

c_types!(u32 => "uint32_t", i32 => "int32_t", u64 => "uint64_t", f32 => "float", f64 => "double");

macro_rules! abi {
    (
        constants { $($(#[$constant_doc:meta])* $constant:ident = $value:literal;)* }
        $($(#[$doc:meta])* struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*
    ) => {
        $($(#[$constant_doc])* pub const $constant: u32 = $value;)*

        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Debug, Clone, Copy)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

            impl CType for $name {
                fn c_type() -> String {
                    stringify!($name).to_owned()
                }
            }
        )*

        /// All of it as C++.
        pub fn header() -> String {
            let mut text = String::from(
                "// Written by build.rs from src/abi.rs; change it there.\n\
                 #pragma once\n#include <cstddef>\n#include <cstdint>\n",
            );
            let out = &mut text;
            // Writing to a string does not fail.
            $(let _ = writeln!(out, "constexpr uint32_t {} = {};", stringify!($constant), $constant);)*
            $({
                let _ = writeln!(out, "struct {} {{", stringify!($name));
                $(let _ = writeln!(out, "    {} {};", <$type as CType>::c_type(), stringify!($field));)*
                let _ = writeln!(out, "}};");
                let _ = writeln!(
                    out,
                    "static_assert(sizeof({0}) == {1}, \"{0}\");",
                    stringify!($name),
                    size_of::<$name>()
                );
                $(let _ = writeln!(
                    out,
                    "static_assert(offsetof({0}, {1}) == {2}, \"{0}.{1}\");",
                    stringify!($name),
                    stringify!($field),
                    std::mem::offset_of!($name, $field)
                );)*
            })*
            text
        }
    };
}

abi! {
    constants {
        /// Environments that a warp steps together: one for each of its lanes.
        LANES = 32;
        /// Fixed chunks in which the offspring are summed: [`crate::search::mutation::CHUNKS`].
        CHUNKS = 32;
        /// [`crate::rng::Stream::Mutation`].
        STREAM_MUTATION = 1;
        /// [`crate::rng::Stream::World`].
        STREAM_WORLD = 6;
        /// [`crate::rng::Stream::Action`].
        STREAM_ACTION = 7;
        /// [`crate::rng::Stream::Synapses`].
        STREAM_SYNAPSES = 8;
        /// [`crate::rng::Stream::SynapseLaw`].
        STREAM_SYNAPSE_LAW = 9;
        /// [`crate::rng::Stream::Exploration`].
        STREAM_EXPLORATION = 11;
        /// [`crate::rng::Stream::Replay`].
        STREAM_REPLAY = 12;
        /// [`crate::rng::Stream::AgentEpisodes`].
        STREAM_AGENT_EPISODES = 13;
        /// max(x, 0), of [`WorldArgs::activation`].
        ACTIVATION_RELU = 0;
        /// Hyperbolic tangent.
        ACTIVATION_TANH = 1;
        /// 1 / (1 + e^-x).
        ACTIVATION_SIGMOID = 2;
        /// x.
        ACTIVATION_IDENTITY = 3;
        /// [`crate::num::selu`].
        ACTIVATION_SELU = 4;
        /// Momentum, of [`UpdateArgs::optimiser`].
        OPTIMISER_MOMENTUM = 0;
        /// Adam.
        OPTIMISER_ADAM = 1;
        /// Separable natural evolution strategy.
        OPTIMISER_SNES = 2;
        /// Threads of a block of the kernels that run a thread an element.
        THREADS = 128;
        /// Columns of agents' rows that a block of `grow_*` owns, a warp each.
        GROWN_COLUMNS = 8;
        /// Frequencies that a block of `law_coefficients` sums at a time.
        LAW_FREQUENCIES = 64;
        /// Values that a block of `law_thresholds` adds up at a time.
        LAW_VALUES = 256;
        /// Agents that a block of `grow_*` draws at a time.
        GROWN_AGENTS = 128;
        /// Powers of two trials with a table, from 2^6 on: `direct::POWERS`.
        GROWN_POWERS = 10;
        /// First random block of lower halves: `direct::LOWER_HALVES`.
        GROWN_LOWER_HALVES = 32;
        /// First random block of binomial numbers beyond the tables: `direct::REJECTION`.
        GROWN_REJECTION = 64;
        /// Of [`GrowArgs::columns`]: from here on biases.
        COLUMN_BIAS = 0x8000_0000;
        /// Of [`GrowArgs::columns`]: nothing.
        COLUMN_EMPTY = 0xffff_ffff;
        /// Of [`GeneTable::kind`]: probability 0.
        GENES_NEVER = 0;
        /// Probability 1.
        GENES_ALWAYS = 1;
        /// Between.
        GENES_DRAWN = 2;
        /// Parameter quads that a block of `update` owns; times [`CHUNKS`] threads.
        QUADS = 8;
        /// Offspring that a warp of `rank` ranks.
        RANKED = 4;
        /// What a synapse reads, of [`NetworkArgs::synapse_input`]: the first half of the source's channels, then the
        /// second half of its own neuron's.
        INPUT_SPLIT = 0;
        /// Both added.
        INPUT_SUM = 1;
        /// Both, one after the other.
        INPUT_CONCAT = 2;
        /// Sources of a network in a maze that are no neurons: wall, green, red and reward; they come first.
        SENSORS = 4;
        /// Actions of an agent in a maze, as many as there are output neurons; these come last.
        MOTORS = 3;
        /// One food place in each of two arms, of [`NetworkArgs::layout`].
        MAZE_SINGLE = 0;
        /// Two places at the end of each arm.
        MAZE_DOUBLE = 1;
        /// [`DrawMazeArgs::mazes`]: first bit of the sources of the three sensors, two bits each.
        MAZE_SENSORS = 4;
        /// [`DrawMazeArgs::mazes`]: first bit of the actions of the three output neurons, two bits each.
        MAZE_MOTORS = 10;
        /// [`DrawMazeArgs::mazes`]: the bit that says whether the colour sensors are dark.
        MAZE_DARK = 16;
        /// [`crate::rng::Stream::Wiring`].
        STREAM_WIRING = 20;
        /// [`crate::rng::Stream::Background`].
        STREAM_BACKGROUND = 22;
        /// [`crate::column::delay::LONGEST`].
        LONGEST_DELAY = 64;
        /// Laws of delays that a column can have: of excitatory neurons, of inhibitory ones, of the thalamus.
        DELAY_LAWS = 3;
        /// Synapses that share their normal numbers, half with the other half.
        WIRING_GROUP = 64;
        /// A weight of the wrong sign is drawn again this often.
        WIRING_ATTEMPTS = 64;
        /// Words of a law of spikes from outside: the number of its thresholds, and at most 68 of them.
        COLUMN_LAW = 69;
        /// Counts that a law is looked up in by the upper bits of a half word.
        COLUMN_GUIDE = 2048;
        /// Of [`ColumnStrip::law`]: nothing comes from outside.
        NO_LAW = 4294967295;
        /// Before the counters of [`Column::rows`].
        COLUMN_ROWS = 4;
        /// Neurons' steps at rest are counted below this power of two.
        COLUMN_REST_BITS = 22;
        /// Most threads of a block of `learn`.
        LEARNER_THREADS = 512;
        /// [`crate::synaptogen::dqn::VALIDATION_INTERVAL`].
        VALIDATION_INTERVAL = 10_000;
        /// [`crate::synaptogen::dqn::VALIDATION_EPISODES`].
        VALIDATION_EPISODES = 10;
        /// Bytes of a world and what it draws, of [`Learner::seats`].
        SEAT_BYTES = 2048;
        /// Numbers that any world shows, at most.
        MOST_OBSERVED = 8;
        /// Of [`Learner::world`]: CartPole.
        LEARNT_CARTPOLE = 0;
        /// The same in single precision.
        LEARNT_CARTPOLE_F32 = 1;
        /// MountainCar.
        LEARNT_MOUNTAIN_CAR = 2;
        /// The same in single precision.
        LEARNT_MOUNTAIN_CAR_F32 = 3;
        /// Acrobot.
        LEARNT_ACROBOT = 4;
        /// The same in single precision.
        LEARNT_ACROBOT_F32 = 5;
        /// LunarLander.
        LEARNT_LUNAR_LANDER = 6;
        /// With the velocity solver that may stop early.
        LEARNT_LUNAR_LANDER_FAST = 7;
        /// Synapses of a source, at most: the CPU numbers those of a row in 16 bits.
        COLUMN_ROW_MOST = 65535;
        /// Of [`ColumnSynapse::target`] in a column of several blocks: the delay stands above so many bits.
        COLUMN_DELAY_SHIFT = 16;
        /// [`crate::rng::Stream::AssayLife`].
        STREAM_ASSAY_LIFE = 30;
        /// [`crate::rng::Stream::AssayStep`].
        STREAM_ASSAY_STEP = 31;
        /// [`crate::rng::Stream::Grating`].
        STREAM_GRATING = 34;
        /// [`crate::rng::Stream::LocalWeights`].
        STREAM_LOCAL_WEIGHTS = 35;
        /// [`crate::rng::Stream::OutputNoise`].
        STREAM_OUTPUT_NOISE = 37;
        /// [`crate::rng::Stream::MotorNoise`].
        STREAM_MOTOR_NOISE = 38;
        /// What synapses are, of [`LivesArgs::rule`]: units.
        RULE_NONE = 0;
        /// [`crate::network::Rule::Bcm`].
        RULE_BCM = 1;
        /// [`crate::network::Rule::RewardedStdp`].
        RULE_REWARDED_STDP = 2;
        /// Constants of any rule, at most.
        RULE_CONSTANTS = 8;
        /// Orientations of gratings, and filters of each kind.
        GRATING_ORIENTATIONS = 8;
        /// Phases that tuning is measured in.
        GRATING_PHASES = 16;
        /// Presentations that an orientation is held for.
        GRATING_HOLD = 8;
        /// Neurons of a population.
        GRATING_NEURONS = 16;
        /// Of [`GratingsArgs::phases`]: [`crate::battery::gratings::Phases::Fixed`].
        PHASES_FIXED = 0;
        /// [`crate::battery::gratings::Phases::Random`].
        PHASES_RANDOM = 1;
        /// [`crate::battery::gratings::Phases::Drift`].
        PHASES_DRIFT = 2;
        /// Channels of the neurons of [`RuleMovesArgs`].
        RULE_INPUTS = 32;
        /// Rows of a step in [`LivesTrace::values`]: the most that an assay shows and is answered.
        TRACED = 14;
        /// Words of [`LivesArgs::adapters`] for an assay.
        ADAPTED = 16;
        /// Of [`LivesArgs::adapters`]: the first motor.
        ADAPTED_MOTORS = 12;
        /// Of [`Column::mail`]: bits of a lane in its block, and of a number of such lanes.
        MAIL_BITS = 10;
        /// Lanes that a word of mail has room for beside their number.
        MAIL_LANES = 3;
    }

    /// What changes from one generation of a batch to the next, worked out by the host.
    struct Step {
        /// Index of the generation.
        generation: u32,
        /// Spread of the mutations, where it is one number.
        sigma: f32,
        /// Bias corrections of Adam.
        mean_scale: f32,
        /// See `mean_scale`.
        square_scale: f32,
        /// IAF: share of the currents that all steps of an episode have in common.
        shared: f32,
        /// Mazes: what poison earns.
        poison_reward: f32,
    }

    /// `draw_iaf`, `draw_stdp`: grid (environments / THREADS, generations, trials).
    struct DrawArgs {
        /// Of the trials.
        seeds: Pointer<u64>,
        /// Of the generations drawn; null: `generation` 0 of `stream` for all.
        steps: Pointer<Step>,
        /// `[generation][trial][step][channel][E]`.
        inputs: Pointer<f32>,
        /// `[generation][trial]...`: for IAF the model's spikes as bits, `[step / 32][E]`; for STDP the answer,
        /// `[step][E]`.
        target: Pointer<u32>,
        /// [`crate::rng::Stream`].
        stream: u32,
        /// Real ones; the lanes behind them stay silent and unscored.
        environments: u32,
        /// E.
        lanes: u32,
        /// Of an episode.
        length: u32,
        /// Uniform input: lower end.
        input_min: f32,
        /// Uniform input: width.
        input_width: f32,
        /// IAF: potential at which the model spikes.
        threshold: f32,
        /// STDP: A of equation (4).
        amplitude: f32,
        /// STDP: tau of equation (4).
        tau: f32,
        /// STDP: farthest postsynaptic spike.
        max_delay: u32,
        /// STDP: 1 for the cosine-transformed rule.
        complex: u32,
    }

    /// `rollout_*`: grid (players * groups of windows, trials); a warp plays a window.
    struct RolloutArgs {
        /// Of the trials.
        seeds: Pointer<u64>,
        /// Of this generation.
        step: Pointer<Step>,
        /// `[trial][D]`.
        centre: Pointer<f32>,
        /// `[trial][D]` where every parameter has its own spread, else null.
        sigmas: Pointer<f32>,
        /// `[trial][step][channel][E]`.
        inputs: Pointer<f32>,
        /// `[trial]...`, see [`DrawArgs`].
        target: Pointer<u32>,
        /// Out: `[trial][player][E]`.
        fitness: Pointer<f32>,
        /// One for all trials: not 0 once a generation of one of them had no finite fitness; nothing is done any more, so that
        /// all of them stay where they were before that generation.
        halted: Pointer<u32>,
        /// Perturbed players of a whole generation; the one behind them is the centre itself.
        population: u32,
        /// Number of the first player here.
        first_player: u32,
        /// How many there are here.
        players: u32,
        /// Offspring 2i and 2i + 1 share their noise with opposite signs.
        antithetic: u32,
        /// Sizes of the unit.
        unit_inputs: u32,
        /// Sizes of the unit.
        memory: u32,
        /// Sizes of the unit.
        outputs: u32,
        /// D.
        parameters: u32,
        /// Inputs that the task drives.
        channels: u32,
        /// E.
        lanes: u32,
        /// Of an episode.
        length: u32,
        /// IAF: the unit spikes when its output is greater.
        spike_threshold: f32,
    }

    /// `draw_maze`: grid (draws / THREADS, generations, trials); a thread four draws of an environment.
    struct DrawMazeArgs {
        /// Of the trials.
        seeds: Pointer<u64>,
        /// Of the generations drawn; null: `generation` 0 of `stream` for all.
        steps: Pointer<Step>,
        /// Out: `[generation][trial][environment]`: place of the food; from bits MAZE_SENSORS and MAZE_MOTORS on the orders of
        /// sensors and motors; bit MAZE_DARK.
        mazes: Pointer<u32>,
        /// Out: uniforms in [0, 1), `[generation][trial][environment][action]`.
        swaps: Pointer<f32>,
        /// Out: what is added to every output of every unit, synapses first, in all steps of an episode,
        /// `[generation][trial][environment][unit][channel]`.
        noise: Pointer<f32>,
        /// [`crate::rng::Stream`].
        stream: u32,
        /// Number of them.
        environments: u32,
        /// Of an episode.
        actions: u32,
        /// Units times channels.
        outputs: u32,
        /// Places of food and poison.
        places: u32,
        /// 0: sensor j drives source j, in every environment.
        shuffle_inputs: u32,
        /// 0: output neuron k makes action k, in every environment.
        shuffle_outputs: u32,
        /// 1: all environments of a generation have both orders of the first.
        shuffle_together: u32,
        /// Share of the environments whose colour sensors are dark.
        dark: f32,
        /// Standard deviation of the noise.
        output_noise: f32,
    }

    /// `network_*`: a network of units, synapses first, in closed loop with a maze; grid (players * groups of environments,
    /// trials). E here is the number of environments, and a group has as many as another.
    struct NetworkArgs {
        /// Of the trials.
        seeds: Pointer<u64>,
        /// Of this generation.
        step: Pointer<Step>,
        /// `[trial][D]`: the synapse unit, then the neuron unit.
        centre: Pointer<f32>,
        /// `[trial][D]` where every parameter has its own spread, else null.
        sigmas: Pointer<f32>,
        /// `[trial][E]`, see [`DrawMazeArgs`].
        mazes: Pointer<u32>,
        /// `[trial][E][action]`.
        swaps: Pointer<f32>,
        /// `[trial][E][unit][channel]`.
        noise: Pointer<f32>,
        /// Source of every synapse, below SENSORS + neurons.
        sources: Pointer<u32>,
        /// First synapse of every neuron, and behind them the number of synapses: `[neurons + 1]`.
        first: Pointer<u32>,
        /// Out: rewards added up, `[trial][player][E]`.
        fitness: Pointer<f32>,
        /// Out: network steps that were computed, `[trial][player][E]`.
        lived: Pointer<u32>,
        /// See [`RolloutArgs::halted`].
        halted: Pointer<u32>,
        /// See [`RolloutArgs::population`].
        population: u32,
        /// See [`RolloutArgs::first_player`].
        first_player: u32,
        /// See [`RolloutArgs::players`].
        players: u32,
        /// See [`RolloutArgs::antithetic`].
        antithetic: u32,
        /// D.
        parameters: u32,
        /// Where the neuron unit's parameters begin; 0 where both units are one.
        neuron_parameters: u32,
        /// Sizes of both units.
        memory: u32,
        /// Outputs of both units and inputs of the neurons; inputs of the synapses, too, or half of them where they read
        /// INPUT_CONCAT.
        channels: u32,
        /// Of all neurons together.
        synapses: u32,
        /// At least MOTORS.
        neurons: u32,
        /// INPUT_*.
        synapse_input: u32,
        /// E.
        environments: u32,
        /// Of an episode.
        actions: u32,
        /// Network steps of an action.
        ticks: u32,
        /// MAZE_*.
        layout: u32,
        /// Actions that an agent lives after its start or a meal.
        energy: u32,
        /// From this many meals since the last swap on, each meal moves the food with probability 1/2.
        swap_after: u32,
        /// Places behind the food's, in their order, at which poison lies.
        poisons: u32,
        /// 1: poison earns [`Step::poison_reward`]; 0: -1, as in validation. Food earns 1.
        evolution: u32,
    }

    /// `network_fast_ticks_*`: the centre's networks, on sensors as given; for the tests.
    struct NetworkTicksArgs {
        /// Of no players but the centre.
        network: NetworkArgs,
        /// `[tick][E][SENSORS][channel]`.
        inputs: Pointer<f32>,
        /// Out: of the neurons, after every tick: `[tick][E][neuron][channel]`.
        outputs: Pointer<f32>,
        /// Number of them.
        ticks: u32,
    }

    /// `mean_fitness`: a thread a player; grid (players / THREADS, trials).
    struct MeanArgs {
        /// `[trial][player][E]`.
        environments_fitness: Pointer<f32>,
        /// Out: `[trial][player]`.
        fitness: Pointer<f32>,
        /// Steps lived, `[trial][player][E]`; null where nobody dies.
        lived: Pointer<u32>,
        /// Their sum is added to this: `[trial]`; may be null.
        env_steps: Pointer<u64>,
        /// See [`RolloutArgs::halted`].
        halted: Pointer<u32>,
        /// P + 1, or 1 when only the centre plays.
        players: u32,
        /// Real ones.
        environments: u32,
        /// E.
        lanes: u32,
    }

    /// `rank`: a warp for [`RANKED`] offspring; grid (P / RANKED / warps of a block, trials).
    struct RankArgs {
        /// `[trial][P + 1]`.
        fitness: Pointer<f32>,
        /// Of the ranks, best first: `[P]`.
        weights: Pointer<f32>,
        /// Out: `[trial][P]`.
        utilities: Pointer<f32>,
        /// Set to generation + 1 when no fitness is finite.
        halted: Pointer<u32>,
        /// Of this generation.
        step: Pointer<Step>,
        /// P.
        population: u32,
        /// Of equal fitness values the later offspring ranks higher.
        later_first: u32,
    }

    /// `update`: a thread four parameters and a chunk of offspring; grid (D / 4 / QUADS, trials).
    struct UpdateArgs {
        /// Of the trials.
        seeds: Pointer<u64>,
        /// Of this generation.
        step: Pointer<Step>,
        /// `[trial][P]`.
        utilities: Pointer<f32>,
        /// In and out: `[trial][D]`.
        centre: Pointer<f32>,
        /// Velocity, or Adam's mean, or the spread of every parameter; in and out: `[trial][D]`.
        first: Pointer<f32>,
        /// Adam's square; in and out: `[trial][D]`, else null.
        second: Pointer<f32>,
        /// See [`RolloutArgs::halted`].
        halted: Pointer<u32>,
        /// P.
        population: u32,
        /// See [`RolloutArgs::antithetic`].
        antithetic: u32,
        /// D.
        parameters: u32,
        /// OPTIMISER_*.
        optimiser: u32,
        /// Of the step.
        learning_rate: f32,
        /// Momentum, Adam's beta1, or the rate of the log spreads.
        first_rate: f32,
        /// Adam's beta2.
        second_rate: f32,
        /// Adam's epsilon.
        epsilon: f32,
        /// 1 - weight decay.
        keep: f32,
    }

    /// The best centre of a trial so far.
    struct BestSoFar {
        /// On the validation episodes.
        fitness: f32,
        /// Generations that led to it.
        generation: u32,
        /// 0: there is none yet.
        present: u32,
    }

    /// `keep_best`: a block a trial.
    struct KeepBestArgs {
        /// `[trial]`: of the centre on the validation episodes.
        fitness: Pointer<f32>,
        /// `[trial][D]`.
        centre: Pointer<f32>,
        /// In and out: `[trial]`.
        best: Pointer<BestSoFar>,
        /// In and out: `[trial][D]`.
        parameters: Pointer<f32>,
        /// See [`RolloutArgs::halted`].
        halted: Pointer<u32>,
        /// Of the last generation done.
        step: Pointer<Step>,
        /// D.
        length: u32,
    }

    /// `noise`: normals of one row, four a thread; for the tests.
    struct NoiseArgs {
        /// Out.
        out: Pointer<f32>,
        /// Of the run.
        seed: u64,
        /// [`crate::rng::Stream`].
        stream: u32,
        /// Of the row.
        generation: u32,
        /// Of the row.
        index: u32,
        /// Elements.
        length: u32,
    }

    /// Where things lie in the shared memory of `network_exact_*`, in floats; the host works it out. Rows are padded to
    /// whole quads, and W stands for the columns of a memory that the kernel is compiled for.
    struct NetworkLayout {
        /// Quads of a memory.
        memory_quads: u32,
        /// Quads of a unit's outputs.
        channel_quads: u32,
        /// The same where outputs are fed back, else 0.
        feedback_quads: u32,
        /// Channels from here on lie `gap` further, so that both halves of a split input begin with a quad.
        border: u32,
        /// See `border`.
        gap: u32,
        /// Quads that a synapse reads of its source, from the first on.
        before_quads: u32,
        /// First quad that it reads of its own neuron; to the last.
        after_first: u32,
        /// First quad of its inputs for these.
        after_input: u32,
        /// Synapses, rounded up to whole eights.
        synapses: u32,
        /// Neurons, rounded up to whole sixes.
        neurons: u32,
        /// From the outputs of a synapse to the next, an odd number of quads.
        output_stride: u32,
        /// Weights of the synapses' inputs, `[quad][gate][W][4]`; before them their other gate rows, `[row][gate][W]`.
        inputs: u32,
        /// Read-out of the synapses, `[row][read_out_stride]`.
        read_out: u32,
        /// Channels, rounded up to whole sixteens.
        read_out_stride: u32,
        /// Gates of the neurons, `[quad][gate][W][4]`.
        neuron_gates: u32,
        /// Read-out of the neurons, `[quad][channel][4]`.
        neuron_read_out: u32,
        /// Behind all weights, as integers: rows of projections of every synapse.
        rows: u32,
        /// First synapse of every neuron, and the number of synapses; then the next environment to play.
        first: u32,
        /// What the first warp has to itself: its agent, and the memories of its synapses.
        state: u32,
        /// From one warp's to the next.
        warp: u32,
        /// In what a warp has: cells of the synapses, `[synapse][W]`, if any.
        cell: u32,
        /// Outputs of the synapses.
        outputs: u32,
        /// Memories of the neurons, `[neuron][W]`.
        neuron_memory: u32,
        /// Cells of the neurons, `[neuron][W]`, if any.
        neuron_cell: u32,
        /// Outputs of the neurons, `[neuron][channel]`.
        neuron_outputs: u32,
        /// What lives for a part of a network step: projections of the gates that are computed first, then inputs of the
        /// neurons and their r * h.
        scratch: u32,
        /// Projections of the other gates.
        second_projections: u32,
        /// Inputs and r * h of the neurons.
        resets: u32,
    }

    /// `network_exact_*`.
    struct NetworkExactArgs {
        /// What is played.
        network: NetworkArgs,
        /// Where.
        layout: NetworkLayout,
    }

    /// `maze_moves`: a thread an agent, alone in its maze; for the tests.
    struct MazeMovesArgs {
        /// `[agent]`, see [`DrawMazeArgs`].
        mazes: Pointer<u32>,
        /// `[agent][move]`.
        actions: Pointer<u32>,
        /// `[agent][move]`.
        draws: Pointer<f32>,
        /// Out, after each move: x, y, direction, food, energy, meals, reward, wall, green, red;
        /// `[agent][move][10]`.
        out: Pointer<i32>,
        /// Number of them.
        agents: u32,
        /// Of each.
        moves: u32,
        /// See [`NetworkArgs`].
        layout: u32,
        /// See [`NetworkArgs`].
        energy: u32,
        /// See [`NetworkArgs`].
        swap_after: u32,
        /// See [`NetworkArgs`].
        poisons: u32,
    }

    /// `rollout_world_*`: whole episodes of a world, a thread an environment; blocks of whole warps, and a grid of as many as
    /// there is room for.
    struct WorldArgs {
        /// Of the policy: of every hidden neuron its bias and the weights of its inputs; then the biases of the last layer, and
        /// of each of its inputs all weights.
        policy: Pointer<f32>,
        /// Of the hidden layers: `[hidden]`.
        widths: Pointer<u32>,
        /// Episodes taken so far; 0 at the launch.
        queue: Pointer<u32>,
        /// Out: rewards added up, `[count]`.
        rewards: Pointer<f64>,
        /// Out: of the last step, `[count]`.
        last_rewards: Pointer<f64>,
        /// Out: steps, `[count]`.
        lengths: Pointer<u32>,
        /// Out: 1 where the episode came to an end of its own, `[count]`.
        terminated: Pointer<u32>,
        /// What the world draws with: the key, or Gymnasium's seed of episode 0.
        seed: u64,
        /// The key of a policy that acts at random.
        action_seed: u64,
        /// 1: Gymnasium's numbers.
        gymnasium: u32,
        /// Episodes.
        count: u32,
        /// Steps after which an episode is cut off.
        limit: u32,
        /// Length of `policy`; 0: acts at random.
        parameters: u32,
        /// Hidden layers.
        hidden: u32,
        /// Where the last layer begins in `policy`.
        last_layer: u32,
        /// Neurons of the widest hidden layer but the last one; 0 where there is no other.
        widest: u32,
        /// ACTIVATION_*, of the hidden layers.
        activation: u32,
    }

    /// A layer of a profile, for `assemble`: neurons, and where its raw parameters begin in the vector.
    struct ProfileLayer {
        /// Of the layer.
        neurons: u32,
        /// X, `[neuron][gene]`.
        expression: u32,
        /// T, `[neuron][neurotransmitter]`; nothing for the last layer.
        neurotransmitters: u32,
        /// R, `[neuron][receptor]`; nothing for the first layer.
        receptors: u32,
    }

    /// `assemble`: a block a profile.
    struct AssembleArgs {
        /// Raw, `[profile][parameter_count]`.
        parameters: Pointer<f32>,
        /// `[layer_count]`.
        layers: Pointer<ProfileLayer>,
        /// 1 for a pair of genes that is co-expressed, `[gene][gene]`; null where nothing is known of them.
        coexpressed: Pointer<u32>,
        /// Out: N, `[profile][pair of neurons]`, pairs of layers one after the other, each `[pre][post]`.
        numbers: Pointer<f32>,
        /// Out: G, the same way.
        conductances: Pointer<f32>,
        /// Out: W, the same way.
        weights: Pointer<f32>,
        /// Of a profile.
        parameter_count: u32,
        /// Where O begins.
        rules: u32,
        /// Where K begins.
        receptor_strengths: u32,
        /// Pairs of neurons, of all pairs of layers.
        pairs: u32,
        /// Layers.
        layer_count: u32,
        /// Genes.
        genes: u32,
        /// Neurotransmitters; twice as many receptors.
        neurotransmitters: u32,
        /// Neurons of the widest layer.
        widest: u32,
        /// Of the narrower layer of a pair, the most neurons there are.
        narrowest: u32,
    }

    /// Of a neuron pair's number of synapses, for `grow_law`: `first` and as many more as thresholds are exceeded.
    struct PairLaw {
        /// Least number.
        first: u32,
        /// There are 2^levels thresholds.
        levels: u32,
        /// Their place.
        start: u32,
    }

    /// A gene pair, for `grow_direct`.
    struct GeneTable {
        /// That a trial succeeds.
        probability: f64,
        /// GENES_*.
        kind: u32,
        /// Thresholds of 0, 1, .. trials, 2^levels each, begin here.
        small: u32,
        /// See `small`.
        levels: u32,
        /// Its first [`PowerTable`], that of 2^6 trials; as many follow as any of its neuron pairs needs.
        powers: u32,
    }

    /// The law of a power of two trials: `least` and as many more as thresholds are exceeded.
    struct PowerTable {
        /// Place of the thresholds.
        start: u32,
        /// There are 2^levels.
        levels: u32,
        /// Least number.
        least: u32,
    }

    /// Where the neurons of a pair have their expression.
    struct PairEnds {
        /// Row of the one before.
        pre: u32,
        /// Row of the one behind.
        post: u32,
    }

    /// Mean, variance and most of a neuron pair's number of synapses.
    struct Moments {
        /// Mean.
        mean: f64,
        /// Variance.
        variance: f64,
        /// Trials.
        trials: f64,
    }

    /// Neuron pairs of a profile whose laws have the same window.
    struct LawGroup {
        /// Of which profile.
        profile: u32,
        /// Values, a power of two.
        window: u32,
        /// Frequencies, F.
        frequencies: u32,
        /// Place of its circle.
        circle: u32,
        /// Place of its exponents.
        exponents: u64,
    }

    /// A neuron pair, for the kernels that make its law.
    struct LawPlan {
        /// Of the number of synapses.
        mean: f64,
        /// Least number in the window.
        first: f64,
        /// Thresholds that are not beyond all numbers there can be.
        values: u32,
        /// Its group.
        group: u32,
        /// Place of its thresholds.
        start: u32,
        /// Place of its coefficients.
        coefficients: u32,
    }

    /// `law_moments`, `law_exponents`, `law_coefficients`, `law_thresholds`: from expression and rules to the thresholds of all
    /// neuron pairs.
    struct LawArgs {
        /// P, `[profile][gene before][gene behind]`.
        rules: Pointer<f32>,
        /// `[profile][row][gene]`.
        expression: Pointer<f32>,
        /// `[neuron pair]`.
        ends: Pointer<PairEnds>,
        /// Correction factors, `[profile]`.
        alphas: Pointer<f32>,
        /// Out of the first kernel: `[profile][neuron pair]`.
        moments: Pointer<Moments>,
        /// `[group]`.
        groups: Pointer<LawGroup>,
        /// `[profile][neuron pair]`.
        plans: Pointer<LawPlan>,
        /// Sine and cosine of whole parts of the circle, `[value][2]` of each window.
        circles: Pointer<f64>,
        /// Out of the second kernel: L of every group, `[gene pair][2][frequency]`.
        exponents: Pointer<f64>,
        /// Out of the third: `[2][frequency]` of every neuron pair.
        coefficients: Pointer<f64>,
        /// Out of the last: upper halves.
        high: Pointer<u32>,
        /// Lower halves.
        low: Pointer<u32>,
        /// Profiles.
        profiles: u32,
        /// Neuron pairs.
        pairs: u32,
        /// Genes.
        genes: u32,
        /// Rows of expression of a profile.
        expressed: u32,
    }

    /// What `grow_law` and `grow_direct` share: agents of some profiles of one shape. A block is [`GROWN_COLUMNS`] columns, and
    /// the grid `[column block][rounds of agents][profile]`.
    struct GrowArgs {
        /// What stands in a column of an agent's row: a neuron pair, a bias, COLUMN_EMPTY; whole blocks.
        columns: Pointer<u32>,
        /// G, `[profile][neuron pair]`; where there are weights.
        conductances: Pointer<f32>,
        /// `[profile][bias]`; where there are weights.
        biases: Pointer<f32>,
        /// Correction factors, `[profile]`.
        alphas: Pointer<f32>,
        /// Of the draws, `[profile]`.
        seeds: Pointer<u64>,
        /// Upper halves of all thresholds.
        high: Pointer<u32>,
        /// Lower halves of all thresholds.
        low: Pointer<u32>,
        /// Out: `[profile][agent][stride]`; or null.
        weights: Pointer<f32>,
        /// Out: numbers of synapses, `[profile][agent][neuron pair]`; or null.
        synapses: Pointer<u32>,
        /// Added to: synapses of an agent, `[profile][agent]`; or null.
        totals: Pointer<u64>,
        /// Neuron pairs.
        pairs: u32,
        /// Biases of a profile.
        bias_count: u32,
        /// From an agent's weights to the next.
        stride: u32,
        /// Number of the first agent.
        first: u32,
        /// Agents of a profile.
        agents: u32,
        /// Times that a block draws [`GROWN_AGENTS`] agents, one after the other.
        rounds: u32,
    }

    /// `grow_law`.
    struct GrowLawArgs {
        /// Of which agents.
        grow: GrowArgs,
        /// `[profile][neuron pair]`.
        laws: Pointer<PairLaw>,
        /// Steps of a search that go through shared memory, which has 2^room thresholds of each column.
        room: u32,
    }

    /// `grow_direct`.
    struct GrowDirectArgs {
        /// Of which agents.
        grow: GrowArgs,
        /// `[profile][row][gene]`.
        expression: Pointer<f32>,
        /// `[neuron pair]`.
        ends: Pointer<PairEnds>,
        /// `[profile][gene before][gene behind]`.
        tables: Pointer<GeneTable>,
        /// Of all gene pairs.
        powers: Pointer<PowerTable>,
        /// Genes.
        genes: u32,
        /// Rows of expression of a profile.
        expressed: u32,
    }

    /// `population_world_*`: whole episodes of agents that each have weights of their own; blocks of whole warps, and a grid of
    /// as many as there is room for.
    struct PopulationArgs {
        /// As of a single policy, but that `policy` is `[agent][stride]`, `queue` counts agents, `count` is not used and results
        /// are `[agent][episode]`.
        world: WorldArgs,
        /// Of the worlds' draws: `[agent / together]`.
        seeds: Pointer<u64>,
        /// Agents.
        agents: u32,
        /// From an agent's parameters to the next.
        stride: u32,
        /// Episodes of an agent.
        episodes: u32,
        /// Agents that share a seed, counted from 0 on.
        together: u32,
        /// Lanes of a seat.
        lanes: u32,
        /// Agents of a warp at a time.
        seats: u32,
        /// From one seat's parameters to the next in shared memory; odd, so that they lie in different banks.
        pitch: u32,
    }

    /// A layer of a learner's network.
    struct LearnerLayer {
        /// Neurons.
        neurons: u32,
        /// From one example's activities to the next.
        stride: u32,
        /// Where its activities begin in shared memory, `[example][neuron]`.
        activities: u32,
        /// Its first row of expression.
        expressed: u32,
        /// Its first row of neurotransmitters; nothing for the last layer.
        givers: u32,
        /// Its first row of receptors, and its first bias; nothing for the first layer.
        takers: u32,
    }

    /// A pair of layers of a learner's network, whose matrices are `[narrow][wide]`.
    struct LearnerPair {
        /// Whether the narrow layer is the one before.
        is_pre_narrow: u32,
        /// Number of the layer.
        narrow: u32,
        /// Number of the layer.
        wide: u32,
        /// From one row of a matrix to the next.
        stride: u32,
        /// Where its matrices begin among those of all pairs.
        matrix: u32,
        /// Its first row of `reach`.
        reached: u32,
    }

    /// Where a learner is, of `learn`. The block has it in shared memory, together with what its threads tell each other.
    #[derive(Default)]
    struct LearnerState {
        /// Adam's first beta to the power of the number of updates.
        mean_power: f64,
        /// The second one.
        square_power: f64,
        /// Of all validations.
        best_mean: f64,
        /// In the environment.
        steps: u32,
        /// Of the parameters.
        updates: u32,
        /// Number of the episode.
        episode: u32,
        /// Its steps so far.
        length: u32,
        /// Behind it.
        validations: u32,
        /// Of this round.
        round_steps: u32,
        /// Whether the validation that was just made is the best one.
        is_best: u32,
        /// What the gradient is multiplied by, so that it is not too long.
        clip: f32,
        /// Adam's rate for this update.
        rate: f32,
        /// What roots of mean squares are divided by.
        root: f32,
    }

    /// One learner of `learn`, a block. Places are those of floats in the block's shared memory, where rows begin on 16 bytes.
    struct Learner {
        /// `[layer_count]`.
        layers: Pointer<LearnerLayer>,
        /// `[layer_count - 1]`.
        pairs: Pointer<LearnerPair>,
        /// Where it is.
        state: Pointer<LearnerState>,
        /// Raw, `[parameter_count]`.
        parameters: Pointer<f32>,
        /// Adam's mean of the gradients.
        means: Pointer<f32>,
        /// Adam's mean of their squares.
        squares: Pointer<f32>,
        /// Those with the best validation.
        best: Pointer<f32>,
        /// Transitions, `[buffer][replay_width]`: what was seen, what was seen next, action, reward, 1 where it ended the episode.
        replay: Pointer<f32>,
        /// Between launches: what is seen, `[MOST_OBSERVED]`, and then the target network as in shared memory.
        kept: Pointer<f32>,
        /// The world that is learnt in, and those of a validation's episodes, `[1 + VALIDATION_EPISODES][SEAT_BYTES]`.
        seats: Pointer<u64>,
        /// 1 for a pair of genes that is co-expressed, `[gene][gene]`; null where nothing is known of them.
        coexpressed: Pointer<u32>,
        /// Returns of a validation's episodes.
        returns: Pointer<f64>,
        /// Out: means of the validations, in their order.
        validations: Pointer<f64>,
        /// Of all that is drawn.
        seed: u64,
        /// Of the validations' episodes.
        validation_seed: u64,
        /// Of Adam.
        rate: f64,
        /// Part of all steps over which the probability of a random action falls from 1.
        exploration_fraction: f64,
        /// What it falls to.
        exploration_final: f64,
        /// What a reward is worth a step earlier.
        discount: f32,
        /// Largest norm of a gradient.
        clip: f32,
        /// LEARNT_*.
        world: u32,
        /// Steps after which an episode is cut off.
        limit: u32,
        /// In the environment, before the last round is finished.
        total: u32,
        /// Transitions of an update.
        batch: u32,
        /// Transitions that are remembered.
        buffer: u32,
        /// Floats of a transition.
        replay_width: u32,
        /// Steps at random.
        learning_starts: u32,
        /// Steps from one copy of the network to the target network to the next.
        target_update_interval: u32,
        /// Steps of a round.
        train_frequency: u32,
        /// Updates of a round.
        gradient_steps: u32,
        /// Layers.
        layer_count: u32,
        /// Genes.
        genes: u32,
        /// From one row of genes to the next in shared memory.
        gene_stride: u32,
        /// 2^31 / genes, rounded up.
        gene_reciprocal: u32,
        /// Neurotransmitters; twice as many receptors.
        neurotransmitters: u32,
        /// Raw parameters.
        parameter_count: u32,
        /// Where T begins among them.
        raw_givers: u32,
        /// R.
        raw_takers: u32,
        /// The biases.
        raw_biases: u32,
        /// O.
        raw_rules: u32,
        /// K.
        raw_strengths: u32,
        /// Place of E, `[neuron][gene]`.
        expression: u32,
        /// Of P, `[gene before][gene behind]`.
        rules: u32,
        /// Of Q, `[neuron][neurotransmitter]`, then R, `[neuron][receptor]`, then the biases, as they lie among the parameters.
        shares: u32,
        /// Of C by receptor.
        strengths: u32,
        /// Of dE.
        expression_slopes: u32,
        /// Of dP.
        rule_slopes: u32,
        /// Of d(QC), `[neuron][receptor]`.
        effect_slopes: u32,
        /// Of dR.
        taker_slopes: u32,
        /// Of the biases' slopes.
        bias_slopes: u32,
        /// Of N of all pairs, and then of dG.
        numbers: u32,
        /// Of G, and then of dN.
        conductances: u32,
        /// Of W.
        weights: u32,
        /// Of the target network: W, then biases.
        target: u32,
        /// Floats of W of all pairs.
        matrix_floats: u32,
        /// Biases of all layers.
        bias_count: u32,
        /// Place of E P of the narrow layers, or E P^T, `[narrow neuron][gene]`.
        reach: u32,
        /// Of dN times E of the wide layer, of one pair.
        seen: u32,
        /// Of the gradient, when there are no activities any more, in the order of the parameters.
        gradient: u32,
        /// Of each example: which transition, and then the action.
        examples: u32,
        /// What the values of the actions should be.
        targets: u32,
        /// Of what is seen in the world that is learnt in, `[MOST_OBSERVED]`.
        now: u32,
    }

    /// `learn`: a block a learner.
    struct LearnArgs {
        /// `[learners]`.
        learners: Pointer<Learner>,
        /// Rounds begin while there are fewer steps than this.
        goal: u32,
    }

    /// The synapses from one population of a column, or from its thalamus, onto another.
    struct ColumnPair {
        /// Threads that draw two synapses each, of this pair and all before it; whole warps.
        end: u32,
        /// How many synapses.
        synapses: u32,
        /// [`crate::rng::Row::index`] of their numbers.
        number: u32,
        /// Neurons of the source population.
        sources: u32,
        /// Neurons of the target population.
        targets: u32,
        /// Number of the first source, see [`Column::sources`].
        first_source: u32,
        /// First of the targets' lanes.
        first_lane: u32,
        /// Which of the DELAY_LAWS the delays have.
        law: u32,
        /// Mean weight, pA.
        weight: f32,
        /// Its standard deviation, pA.
        sd: f32,
    }

    /// A synapse in its row.
    #[derive(Default)]
    struct ColumnSynapse {
        /// Where its neuron adds up what arrives, in words of the block's shared memory; in a column of several blocks the lane
        /// in its block, and above COLUMN_DELAY_SHIFT the delay.
        target: u32,
        /// In units of the column.
        weight: i32,
    }

    /// 32 lanes of neurons of one population, and what these share.
    struct ColumnStrip {
        /// Of all currents, or of the excitatory ones: what is left of it after a step.
        decay: f32,
        /// mV that a pA adds.
        gain: f32,
        /// Minus the part of a potential that leaks away.
        leak: f32,
        /// mV that a step adds.
        constant: f32,
        /// Of inhibitory currents.
        decay_inhibitory: f32,
        /// See `gain`.
        gain_inhibitory: f32,
        /// Of currents from outside.
        decay_external: f32,
        /// See `gain`.
        gain_external: f32,
        /// mV above rest.
        threshold: f32,
        /// mV above rest.
        reset: f32,
        /// Steps.
        refractory: u32,
        /// Number of the population.
        population: u32,
        /// Of the 32.
        neurons: u32,
        /// The first neuron's number, see [`Column::sources`].
        first_source: u32,
        /// Its lane on the CPU, where those of a population are padded to 16: its random numbers and its spikes go by that.
        first_lane: u32,
        /// What comes from outside; NO_LAW.
        law: u32,
    }

    /// What is found out about a column on the device.
    #[derive(Default)]
    struct ColumnReport {
        /// Steps of its longest delay.
        longest: u32,
        /// 1: the weights of some neuron add up to more than can be summed.
        is_over: u32,
        /// Spikes that were to be written down, whether or not there was room.
        spikes: u32,
        /// 1: a source has more than COLUMN_ROW_MOST synapses.
        is_crowded: u32,
        /// 1: a population fired more than its limit, and there are no further steps.
        is_stopped: u32,
    }

    /// Generators that fire in one step.
    struct ColumnVolley {
        /// From 1 on.
        step: u32,
        /// Of [`Column::scheduled`].
        begin: u32,
        /// See `begin`.
        end: u32,
    }

    /// A column of the kernels `column_*`.
    struct Column {
        /// `[pairs_count]`.
        pairs: Pointer<ColumnPair>,
        /// `[DELAY_LAWS][LONGEST_DELAY]`: a word at or above number k - 1 is a delay of more than k steps.
        delays: Pointer<u32>,
        /// `[COLUMN_ROWS + rows_count]`: a counter for each source and delay, number `source * LONGEST_DELAY + delay - 1`, or in a
        /// column of several blocks for each block and source, number `block * sources + source`; in the end element
        /// COLUMN_ROWS - 1 + number is where these synapses begin, and the next where they end.
        rows: Pointer<u32>,
        /// Sorted by these numbers.
        synapses: Pointer<ColumnSynapse>,
        /// Absolute weights added up, by lane.
        input: Pointer<u64>,
        /// `[strips]`.
        strips: Pointer<ColumnStrip>,
        /// `[laws][COLUMN_LAW]`: a number of thresholds, and these; a word at or above the k-th is more than k spikes.
        laws: Pointer<u32>,
        /// First potentials above rest, mV, by lane.
        first: Pointer<f32>,
        /// Spikes that shared memory has no room for, `[overflow]`; in a column of several blocks lanes that a word of mail has no
        /// room for, `[parity of the step][lane]`, those of a block from its first lane on.
        far: Pointer<u32>,
        /// Of each block who fired, `[parity of the step][block]`: from below the number of lanes and the first MAIL_LANES of them, in
        /// MAIL_BITS each, and the step.
        mail: Pointer<u64>,
        /// `[volleys_count]`, in the order of steps.
        volleys: Pointer<ColumnVolley>,
        /// Numbers of the generators that fire, as sources.
        scheduled: Pointer<u32>,
        /// Spikes of each population in the first `early` steps with which a column is not stopped, `[populations]`.
        limits: Pointer<u32>,
        /// Out: step and lane on the CPU of each spike, in no order, `[room][2]`.
        spikes: Pointer<u32>,
        /// Out: spikes of each population after the warm-up, and in the first `early` steps if there are several blocks:
        /// `[2][populations]`.
        counts: Pointer<u32>,
        /// Out.
        report: Pointer<ColumnReport>,
        /// Of the synapses.
        wiring_seed: u64,
        /// Of spikes from outside.
        noise_seed: u64,
        /// Units of a pA.
        scale: f32,
        /// pA of a unit.
        unit: f32,
        /// pA of a spike from outside.
        external_weight: f32,
        /// Steps without spikes from outside.
        quiet: u32,
        /// Steps whose spikes from outside are drawn together: 8, each of at most 15, or 4.
        together: u32,
        /// Neurons, and generators behind them; in a column of several blocks lanes, and generators behind them.
        sources: u32,
        /// Counters of `rows`, whole fours.
        rows_count: u32,
        /// See `pairs`.
        pairs_count: u32,
        /// See `volleys`.
        volleys_count: u32,
        /// That step the column together.
        blocks: u32,
        /// Strips of each of several blocks; the last may have fewer.
        block_strips: u32,
        /// Steps after which limits are looked at; 0: never.
        early: u32,
        /// 32 lanes each.
        strips_count: u32,
        /// Words of a strip in shared memory: itself, sums, of one or two signs, and spikes from outside.
        seat_words: u32,
        /// Of spikes from outside.
        laws_count: u32,
        /// Number of them.
        populations: u32,
        /// A power of two, at least the spikes that can act at once.
        overflow: u32,
        /// Spikes that can be written down; 0: none are to be.
        room: u32,
    }

    /// `column_*`. `column_count*`, `column_scatter*`: grid (any, columns); `column_scan`, `column_one*`, `column_three`: a block a
    /// column; `column_whole_*`: a cooperative launch of all blocks of one column.
    struct ColumnsArgs {
        /// `[columns]`.
        columns: Pointer<Column>,
        /// Steps whose spikes are not counted.
        warm: u32,
        /// All steps.
        steps: u32,
        /// Spikes that shared memory has room for, a power of two.
        list: u32,
    }

    /// [`crate::battery::plate::Plate`], and what follows from it.
    struct PlateSizes {
        /// dt.
        dt: f64,
        /// dt / period.
        sweeps_a_step: f64,
        /// Largest angle of the head.
        sweep: f64,
        /// From the worm's point to its nose.
        length: f64,
        /// 2 spread^2.
        twice_variance: f64,
        /// Concentration far from the source.
        base: f64,
        /// What the source adds at its middle.
        peak: f64,
        /// Of the sense of change.
        gain: f64,
        /// Concentration that halves the gain.
        half: f64,
        /// Of the sense of change.
        noise: f64,
        /// dt / adaptation.
        adapting: f64,
        /// Concentration that the tonic sense shows as 1.
        reference: f64,
        /// Pirouettes a second at full drive.
        rate: f64,
        /// dt turning.
        turning: f64,
        /// heading_noise sqrt(dt).
        heading_noise: f64,
        /// speed dt.
        stride: f64,
        /// Of the plate.
        radius: f64,
        /// Control steps that a pirouette takes.
        pause: i32,
    }

    /// [`crate::battery::chemotaxis::Chemotaxis`].
    struct ChemotaxisSizes {
        /// Senses and motion.
        plate: PlateSizes,
        /// Control steps of a life.
        steps: i32,
    }

    /// [`crate::battery::arena::Arena`].
    struct ArenaSizes {
        /// Senses and motion.
        plate: PlateSizes,
        /// From the middle to each site.
        site_radius: f64,
        /// How close counts as there.
        reach: f64,
        /// Where an exit is scored.
        ring: f64,
        /// How far from the middle an animal is put back.
        offset: f64,
        /// Longest search, control steps.
        find: i32,
        /// Length of the meal.
        eat: i32,
        /// Between meal and test.
        delay: i32,
        /// Longest test.
        test: i32,
    }

    /// [`crate::battery::step_through::StepThrough`].
    struct StepThroughSizes {
        /// Control steps after which a trial is cut off.
        cutoff: u32,
        /// Between the naive trial and the tests.
        delay: u32,
    }

    /// [`crate::battery::reversal::Reversal`].
    struct ReversalSizes {
        /// Fewest trials of a block.
        least: u32,
        /// Most.
        most: u32,
        /// Share of lives in which the two colour sensors stay dark.
        dark: f32,
    }

    /// [`crate::battery::cues::Rules`].
    struct CueRules {
        /// How likely the good cue is rewarded.
        reward: f32,
        /// Blank control steps between trials.
        gap: u32,
    }

    /// [`crate::battery::cues::Swap`].
    struct SwapSizes {
        /// Reward and pace.
        rules: CueRules,
        /// Fewest trials before the swap.
        least: u32,
        /// Most.
        most: u32,
        /// After it.
        after: u32,
    }

    /// [`crate::battery::cues::TwoTasks`].
    struct TwoTasksSizes {
        /// Reward and pace.
        rules: CueRules,
        /// Trials of each task.
        trials: u32,
    }

    /// Sizes of all assays that have lives.
    struct Assays {
        /// A.
        chemotaxis: ChemotaxisSizes,
        /// B.
        arena: ArenaSizes,
        /// C.
        step_through: StepThroughSizes,
        /// D.
        reversal: ReversalSizes,
        /// E.
        swap: SwapSizes,
        /// F.
        two_tasks: TwoTasksSizes,
    }

    /// What lives of a single player are shown and answer; for the tests.
    struct LivesTrace {
        /// Out: senses, r+, r- and outputs, `[step][TRACED][lanes]`.
        values: Pointer<f32>,
        /// Steps that there is room for; 0: nothing is kept.
        steps: u32,
        /// Length of a row.
        lanes: u32,
    }

    /// `lives_*`: whole lives with one unit as the controller, `lives_network_*`: or a network; grid (players * groups of windows,
    /// trials), a warp a window. Environment e is life e % each of assay e / each of the body's.
    struct LivesArgs {
        /// Of the trials.
        seeds: Pointer<u64>,
        /// Of this generation.
        step: Pointer<Step>,
        /// `[trial][D]`.
        centre: Pointer<f32>,
        /// `[trial][D]` where every parameter has its own spread, else null.
        sigmas: Pointer<f32>,
        /// What lives draw with, `[trial]`; null: drawn for a generation from the trial's seed.
        lives: Pointer<u64>,
        /// The body in each assay: the assay's number, which input each of its senses is (of a network, sensor * channels +
        /// channel), r+ and r- behind them, and from ADAPTED_MOTORS on which output (or neuron) each of its motors is,
        /// `[assay][ADAPTED]`.
        adapters: Pointer<u32>,
        /// Of a network: source of each synapse, sensors first, `[synapse]`.
        sources: Pointer<u32>,
        /// Of a network: first synapse of each neuron, `[neurons + 1]`.
        first_synapses: Pointer<u32>,
        /// Of a rule: each constant as evolution begins with it, its least and its largest value, `[constant][3]`.
        constants: Pointer<f32>,
        /// Out: `[trial][player][E]`.
        fitness: Pointer<f32>,
        /// Out: steps of the unit, `[trial][player][E]`.
        lived: Pointer<u32>,
        /// See [`RolloutArgs::halted`].
        halted: Pointer<u32>,
        /// See [`RolloutArgs::population`].
        population: u32,
        /// See [`RolloutArgs::first_player`].
        first_player: u32,
        /// See [`RolloutArgs::players`].
        players: u32,
        /// See [`RolloutArgs::antithetic`].
        antithetic: u32,
        /// Sizes of the unit.
        unit_inputs: u32,
        /// Sizes of the unit.
        memory: u32,
        /// Sizes of the unit.
        outputs: u32,
        /// D.
        parameters: u32,
        /// Inputs that the body drives; of a network, channels of a source.
        channels: u32,
        /// The input, or sensor * channels, that is 1 throughout.
        one: u32,
        /// Of a network: sensor * channels of r+.
        good: u32,
        /// Of a network: sensor * channels of r-.
        bad: u32,
        /// RULE_*: of a network's synapses.
        rule: u32,
        /// See [`NetworkArgs::neuron_parameters`].
        neuron_parameters: u32,
        /// See [`NetworkArgs::synapse_input`].
        synapse_input: u32,
        /// Of a network.
        sensors: u32,
        /// Of a network.
        synapses: u32,
        /// Of a network.
        neurons: u32,
        /// Of a network: what a warp has of shared memory.
        warp_floats: u32,
        /// Of a network: standard deviation of the noise on output gates.
        output_noise: f32,
        /// E.
        lanes: u32,
        /// Real ones; the lanes behind them are over from the start.
        environments: u32,
        /// Lives of each assay.
        each: u32,
        /// Standard deviation of what is added to each motor.
        noise: f32,
        /// Steps of the unit in a control step.
        ticks: u32,
        /// 1 over `ticks`.
        share: f32,
        /// [`crate::rng::Stream`] that seeds of lives are drawn from.
        stream: u32,
        /// 1: those of the generation; 0: of generation 0.
        of_generation: u32,
        /// For the tests.
        trace: LivesTrace,
        /// Their worlds.
        assays: Assays,
    }

    /// `lives_plain_*`: whole lives in an assay with a plain network as the controller, a thread a life.
    struct PlainLivesArgs {
        /// See [`WorldArgs::policy`].
        policy: Pointer<f32>,
        /// Of the hidden layers: `[hidden]`.
        widths: Pointer<u32>,
        /// Out: `[count]`.
        fitness: Pointer<f32>,
        /// Out: control steps lived, `[count]`.
        lived: Pointer<u32>,
        /// What lives draw with.
        seed: u64,
        /// Lives.
        count: u32,
        /// See [`WorldArgs::parameters`].
        parameters: u32,
        /// See [`WorldArgs::hidden`].
        hidden: u32,
        /// See [`WorldArgs::last_layer`].
        last_layer: u32,
        /// See [`WorldArgs::widest`].
        widest: u32,
        /// See [`WorldArgs::activation`].
        activation: u32,
        /// For the tests.
        trace: LivesTrace,
        /// Their worlds.
        assays: Assays,
    }

    /// `plate_moves`: worms with given actions and draws; for the tests.
    struct PlateMovesArgs {
        /// x, y and heading of each, `[life][3]`.
        starts: Pointer<f32>,
        /// Turn, drive, noise of the sense and of the heading, whether a pirouette comes and by how much it turns,
        /// `[step][life][6]`.
        given: Pointer<f32>,
        /// Out: five senses, adapted, x, y, heading, pause, motion, `[step][life][11]`.
        out: Pointer<f64>,
        /// Number of worms.
        lives: u32,
        /// Of each.
        steps: u32,
        /// The source.
        source_x: f64,
        /// The source.
        source_y: f64,
        /// What they are on.
        plate: PlateSizes,
    }

    /// `arena_moves`: foragers with given actions and draws; for the tests.
    struct ArenaMovesArgs {
        /// Site and both headings of each, `[life][3]`.
        starts: Pointer<f32>,
        /// As for plates.
        given: Pointer<f32>,
        /// Out: nine senses, x, y, heading, phase, whether it has found the food, exit, `[step][life][15]`.
        out: Pointer<f64>,
        /// Number of foragers.
        lives: u32,
        /// Of each.
        steps: u32,
        /// What they are in.
        arena: ArenaSizes,
    }

    /// [`crate::network::rules::Bcm`].
    struct Bcm {
        /// eta.
        rate: f32,
        /// Of the threshold.
        tau: f32,
        /// y0.
        goal: f32,
        /// delta.
        trace: f32,
        /// No weight is larger.
        most: f32,
        /// 1: inputs, outputs and weights have both signs.
        is_signed: u32,
    }

    /// [`crate::network::rules::Lif`].
    struct Lif {
        /// Of the membrane.
        tau: f32,
        /// Steps of rest after a spike.
        refractory: i32,
    }

    /// `gratings_*`: populations that learn and then answer to all gratings, a thread a neuron.
    struct GratingsArgs {
        /// Out: `[population][GRATING_NEURONS][GRATING_ORIENTATIONS][GRATING_PHASES]`.
        responses: Pointer<f32>,
        /// What they draw with.
        seed: u64,
        /// Populations.
        count: u32,
        /// Orientations that are held while they learn.
        holds: u32,
        /// PHASES_*: of presentations.
        phases: u32,
        /// How they learn.
        rule: Bcm,
        /// Of those that spike.
        lif: Lif,
    }

    /// `rule_moves`: neurons with given inputs; for the tests.
    struct RuleMovesArgs {
        /// First weights, `[neuron][RULE_INPUTS]`.
        weights: Pointer<f32>,
        /// Inputs of all neurons, `[step][RULE_INPUTS]`.
        given: Pointer<f32>,
        /// Out: output, trace, threshold and weights, `[step][neuron][3 + RULE_INPUTS]`.
        out: Pointer<f32>,
        /// Number of neurons.
        neurons: u32,
        /// Of each.
        steps: u32,
        /// Of all neurons at first.
        threshold: f32,
        /// How they learn.
        rule: Bcm,
    }

    /// `lif_moves`: membranes with given currents; for the tests.
    struct LifMovesArgs {
        /// `[step][neuron]`.
        given: Pointer<f32>,
        /// Out: potential, and 1 at a spike, `[step][neuron][2]`.
        out: Pointer<f32>,
        /// Number of neurons.
        neurons: u32,
        /// Of each.
        steps: u32,
        /// What they are.
        lif: Lif,
    }

    /// `ceiling_*`: what the device can do at most.
    struct CeilingArgs {
        /// At least 32 elements; all that is copied.
        from: Pointer<f32>,
        /// Out: one for each thread, or the copy.
        to: Pointer<f32>,
        /// Elements to copy.
        length: u64,
        /// Of the chains.
        iterations: u32,
    }

    /// `functions`: `out[f][i] = f(x[i])` for tanh, sigmoid, exp, ln, sin(pi x), cos(pi x), cos; for the tests.
    struct FunctionsArgs {
        /// Arguments.
        x: Pointer<f32>,
        /// Out: `[7][length]`.
        out: Pointer<f32>,
        /// Arguments.
        length: u32,
    }
}

impl Default for Step {
    fn default() -> Self {
        Self { generation: 0, sigma: 0.0, mean_scale: 1.0, square_scale: 1.0, shared: 0.0, poison_reward: -1.0 }
    }
}

impl Default for Moments {
    fn default() -> Self {
        Self { mean: 0.0, variance: 0.0, trials: 0.0 }
    }
}

impl Default for BestSoFar {
    fn default() -> Self {
        Self { fitness: 0.0, generation: 0, present: 0 }
    }
}
