//! SynaptoGen: trainings by deep Q-learning, a block each.

use super::*;

abi! {
    constants {
        /// [`crate::rng::Stream::Exploration`].
        STREAM_EXPLORATION = 11;
        /// [`crate::rng::Stream::Replay`].
        STREAM_REPLAY = 12;
        /// [`crate::rng::Stream::AgentEpisodes`].
        STREAM_AGENT_EPISODES = 13;
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
}
