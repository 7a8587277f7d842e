//! Rollouts on a device: a thread plays one episode after another; see `kernels/worlds.cu`.

use super::{Played, Policy, Rollout};
use crate::abi::{
    ACTIVATION_IDENTITY, ACTIVATION_RELU, ACTIVATION_SELU, ACTIVATION_SIGMOID, ACTIVATION_TANH, WorldArgs,
};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::policy::{Activation, Mlp};
use crate::world::{Episode, Seeds};

pub(super) fn play(rollout: &Rollout, gpu: &Gpu, most_blocks: u32, threads: u32) -> Result<Played> {
    let policy = Packed::new(&rollout.policy);
    let shared = policy.shared_bytes(threads);
    if shared > gpu.shared_limit() as usize {
        let limit = gpu.shared_limit();
        return Err(Error::Device(format!(
            "the policy needs {shared} bytes of shared memory, and a block has at most {limit}; try: --device cpu"
        )));
    }
    let (world, count) = (rollout.world.spec(), rollout.episodes as usize);
    let (rewards, last_rewards) = (Buffer::<f64>::zeros(gpu, count)?, Buffer::<f64>::zeros(gpu, count)?);
    let (lengths, terminated) = (Buffer::<u32>::zeros(gpu, count)?, Buffer::<u32>::zeros(gpu, count)?);
    // A buffer is never empty.
    let parameters = Buffer::of(gpu, if policy.parameters.is_empty() { &[0.0] } else { &policy.parameters })?;
    let widths = Buffer::of(gpu, if policy.widths.is_empty() { &[0] } else { &policy.widths })?;
    let queue = Buffer::<u32>::zeros(gpu, 1)?;
    let (gymnasium, seed) = match rollout.seeds {
        Seeds::Phylon(seed) => (0, seed),
        Seeds::Gymnasium(first) => (1, first),
    };
    let args = WorldArgs {
        policy: parameters.pointer(),
        widths: widths.pointer(),
        queue: queue.pointer(),
        rewards: rewards.pointer(),
        last_rewards: last_rewards.pointer(),
        lengths: lengths.pointer(),
        terminated: terminated.pointer(),
        seed,
        action_seed: policy.seed,
        gymnasium,
        count: rollout.episodes,
        limit: world.limit,
        parameters: policy.parameters.len() as u32,
        hidden: policy.widths.len() as u32,
        last_layer: policy.last_layer as u32,
        widest: policy.widest as u32,
        activation: policy.activation,
    };
    // What does not fit on the device at once comes late and finds nothing left to do.
    let grid = blocks(count, threads).min(gpu.multiprocessors() * BLOCKS).min(most_blocks);
    let kernel = format!("rollout_world_{}", world.name.replace('-', "_"));
    let shape = Shape { grid: [grid, 1, 1], block: threads, shared: shared as u32 };
    // Loaded before it is timed.
    gpu.kernel(&kernel, shape.shared)?;
    // SAFETY: the kernels of this name take these arguments; the buffers are as long as they say, and live until the
    // results are read.
    let kernel_seconds = gpu.time(|| unsafe { gpu.launch(&kernel, shape, &args) })?;
    let (rewards, last_rewards) = (rewards.read_all(gpu)?, last_rewards.read_all(gpu)?);
    let (lengths, terminated) = (lengths.read_all(gpu)?, terminated.read_all(gpu)?);
    let episode = |k: usize| Episode {
        reward: rewards[k],
        last_reward: last_rewards[k],
        length: lengths[k],
        terminated: terminated[k] == 1,
    };
    Ok(Played { episodes: (0..count).map(episode).collect(), kernel_seconds: Some(kernel_seconds) })
}

/// Blocks that a multiprocessor may have at once: 2,048 threads of [`THREADS`].
const BLOCKS: u32 = 16;

/// A policy as [`WorldArgs`] has it.
#[derive(Default)]
struct Packed {
    parameters: Vec<f32>,
    widths: Vec<u32>,
    last_layer: usize,
    widest: usize,
    activation: u32,
    seed: u64,
}

impl Packed {
    fn new(policy: &Policy) -> Self {
        match policy {
            Policy::Random { seed } => Self { seed: *seed, ..Self::default() },
            Policy::Mlp(mlp) => Self::of(mlp),
        }
    }

    /// Each hidden neuron's bias before its weights, for they are read together; the last layer's biases before its matrix.
    fn of(mlp: &Mlp) -> Self {
        let (sizes, mut given) = (mlp.sizes(), mlp.parameters());
        let mut parameters = Vec::with_capacity(given.len());
        let mut last_layer = 0;
        for (i, layer) in sizes.windows(2).enumerate() {
            let (inputs, outputs) = (layer[0], layer[1]);
            let (weights, rest) = given.split_at(inputs * outputs);
            let (biases, rest) = rest.split_at(outputs);
            given = rest;
            if i + 2 == sizes.len() {
                last_layer = parameters.len();
                parameters.extend(biases);
                parameters.extend(weights);
            } else {
                for (neuron, bias) in biases.iter().enumerate() {
                    parameters.push(*bias);
                    parameters.extend((0..inputs).map(|input| weights[input * outputs + neuron]));
                }
            }
        }
        let hidden = &sizes[1..sizes.len() - 1];
        let kept = hidden.split_last().map_or(&[][..], |(_, kept)| kept);
        Self {
            parameters,
            widths: hidden.iter().map(|&width| width as u32).collect(),
            last_layer,
            widest: kept.iter().copied().max().unwrap_or(0),
            activation: match mlp.activation() {
                Activation::Relu => ACTIVATION_RELU,
                Activation::Tanh => ACTIVATION_TANH,
                Activation::Sigmoid => ACTIVATION_SIGMOID,
                Activation::Identity => ACTIVATION_IDENTITY,
                Activation::Selu => ACTIVATION_SELU,
            },
            seed: 0,
        }
    }

    /// The parameters, and two rows of neurons.
    fn shared_bytes(&self, threads: u32) -> usize {
        size_of::<f32>() * (self.parameters.len() + 2 * self.widest * threads as usize)
    }
}
