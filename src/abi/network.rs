//! Networks of units in the mazes.

use super::*;

abi! {
    constants {
        /// What a synapse reads, of [`NetworkArgs::synapse_input`]: the first half of the source's channels, then the
        /// second half of its own neuron's.
        INPUT_SPLIT = 0;
        /// Both added.
        INPUT_SUM = 1;
        /// Both, one after the other.
        INPUT_CONCAT = 2;
        /// What synapses are, of [`NetworkRuleArgs::rule`] and [`LivesArgs::rule`]: units.
        RULE_NONE = 0;
        /// [`crate::network::Rule::Bcm`].
        RULE_BCM = 1;
        /// [`crate::network::Rule::RewardedStdp`].
        RULE_REWARDED_STDP = 2;
        /// Constants of any rule, at most.
        RULE_CONSTANTS = 8;
        /// Numbers that a synapse keeps for any rule: how far its weight is from the first, and what the rule needs.
        RULE_KEPT = 4;
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

    /// Where things lie in the shared memory of `network_exact_*` and `network_rule_*`, in floats; the host works it out. Rows are padded to
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
        /// The player's constants of a rule, if synapses follow one; they have none of the above then.
        constants: u32,
        /// Gates of the neurons, `[quad][gate][W][4]`.
        neuron_gates: u32,
        /// Read-out of the neurons, `[quad][channel][4]`.
        neuron_read_out: u32,
        /// Behind all weights, as integers: rows of projections of every synapse.
        rows: u32,
        /// First synapse of every neuron, and the number of synapses; then the next environment to play.
        first: u32,
        /// What the first warp has to itself: its agent, and the memories of its synapses, or what each keeps for a rule, `[4][synapse]`.
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

    /// `network_rule_*`.
    struct NetworkRuleArgs {
        /// What is played.
        network: NetworkArgs,
        /// Where.
        layout: NetworkLayout,
        /// Each constant of the rule as evolution begins with it, its least and its largest value, `[constant][3]`.
        constants: Pointer<f32>,
        /// RULE_*.
        rule: u32,
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
}
