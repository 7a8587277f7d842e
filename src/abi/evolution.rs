//! Generations of any task: episodes drawn, units played, ranks, the update, the best so far.

use super::*;

abi! {
    constants {
        /// Environments that a warp steps together: one for each of its lanes.
        LANES = 32;
        /// Fixed chunks in which the offspring are summed: [`crate::search::mutation::CHUNKS`].
        CHUNKS = 32;
        /// [`crate::rng::Stream::Mutation`].
        STREAM_MUTATION = 1;
        /// Momentum, of [`UpdateArgs::optimiser`].
        OPTIMISER_MOMENTUM = 0;
        /// Adam.
        OPTIMISER_ADAM = 1;
        /// Separable natural evolution strategy.
        OPTIMISER_SNES = 2;
        /// Threads of a block of the kernels that run a thread an element.
        THREADS = 128;
        /// Parameter quads that a block of `update` owns; times [`CHUNKS`] threads.
        QUADS = 8;
        /// Offspring that a warp of `rank` ranks.
        RANKED = 4;
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
}

impl Default for Step {
    fn default() -> Self {
        Self { generation: 0, sigma: 0.0, mean_scale: 1.0, square_scale: 1.0, shared: 0.0, poison_reward: -1.0 }
    }
}

impl Default for BestSoFar {
    fn default() -> Self {
        Self { fitness: 0.0, generation: 0, present: 0 }
    }
}
