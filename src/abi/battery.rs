//! Assays of the battery, and neurons that learn by a local rule.

use super::*;

abi! {
    constants {
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
        /// Most motors that an assay asks for, and rows of a step in [`LivesTrace::values`] of answers alone.
        MOST_MOTORS = 3;
        /// The same with what is shown: the most that an assay shows and is answered.
        TRACED = 20;
        /// Words of [`LivesArgs::adapters`] for an assay.
        ADAPTED = 22;
        /// Of [`LivesArgs::adapters`]: the first motor.
        ADAPTED_MOTORS = 19;
        /// Of [`LivesArgs::one`]: no input is 1 throughout.
        NO_ONE = 0xffff_ffff;
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
        /// 1: cues are.
        blends: u32,
    }

    /// [`crate::battery::reversal::Reversal`].
    struct ReversalSizes {
        /// Fewest trials of a block.
        least: u32,
        /// Most.
        most: u32,
        /// Share of lives in which the two colour sensors stay dark.
        dark: f32,
        /// Blank control steps between trials.
        gap: u32,
        /// 1: food is where the animal did not go first in the trial before.
        alternation: u32,
    }

    /// [`crate::battery::cues::Rules`].
    struct CueRules {
        /// How likely the good cue is rewarded.
        reward: f32,
        /// Blank control steps between trials.
        gap: u32,
        /// 1: cues are.
        blends: u32,
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
        /// Before the second task, trials in which nothing is shown.
        blank: u32,
        /// Then trials whose outcome is a coin's.
        filled: u32,
    }

    /// [`crate::battery::conditioning::Conditioning`].
    struct ConditioningSizes {
        /// Those of all protocols by default.
        rules: CueRules,
        /// Fewest presentations of a cue.
        least: u32,
        /// Most.
        most: u32,
        /// Blank control steps between cue and reward.
        delay: u32,
    }

    /// [`crate::battery::overlap::Overlap`].
    struct OverlapSizes {
        /// As in assay F.
        tasks: TwoTasksSizes,
        /// Channels that are A's.
        shared: u32,
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
        /// Of E.
        conditioning: ConditioningSizes,
        /// Of F.
        overlap: OverlapSizes,
    }

    /// What lives of a single player are shown and answer.
    struct LivesTrace {
        /// Out: senses, r+, r- and outputs, or outputs alone, `[step][rows][lanes]`.
        values: Pointer<f32>,
        /// TRACED, or MOST_MOTORS for outputs alone.
        rows: u32,
        /// Steps that there is room for; 0: nothing is kept.
        steps: u32,
        /// Length of a row.
        lanes: u32,
    }

    /// Outcomes of lives of a single player in a single assay, `[n][lanes]`, and how many of each life, `[lanes]`.
    struct LivesOutcomes {
        /// Out: what their worlds told them; null: not kept.
        own: Pointer<i32>,
        /// Out.
        own_counts: Pointer<u32>,
        /// What each neighbour (0 and 1, 2 and 3, ...) is told instead of its own; null: its own.
        given: Pointer<i32>,
        /// Of these.
        given_counts: Pointer<u32>,
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
        /// See [`NetworkRuleArgs::constants`].
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
        /// The input, or sensor * channels, that is 1 throughout, or NO_ONE.
        one: u32,
        /// Of a network: sensor * channels + channel of r+.
        good: u32,
        /// Of a network: sensor * channels + channel of r-.
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
        /// Number of the first of them.
        first_life: u32,
        /// 1: lives forget everything just before their test.
        amnesia: u32,
        /// Standard deviation of what is added to each motor, of the first `noisy` lives of each assay.
        noise: f32,
        /// See `noise`.
        noisy: u32,
        /// Steps of the unit in a control step.
        ticks: u32,
        /// 1 over `ticks`.
        share: f32,
        /// [`crate::rng::Stream`] that seeds of lives are drawn from.
        stream: u32,
        /// 1: those of the generation; 0: of generation 0.
        of_generation: u32,
        /// What lives get.
        outcomes: LivesOutcomes,
        /// Of a single player.
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
}
