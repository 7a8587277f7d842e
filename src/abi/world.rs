//! The classic worlds under policies.

use super::*;

abi! {
    constants {
        /// [`crate::rng::Stream::World`].
        STREAM_WORLD = 6;
        /// [`crate::rng::Stream::Action`].
        STREAM_ACTION = 7;
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
}
