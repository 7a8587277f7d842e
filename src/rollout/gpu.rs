//! Rollouts on a device: a thread plays one episode after another; see `kernels/worlds.cu`.

use super::packed::Packing;
use super::{Played, Policy, Rollout};
use crate::abi::WorldArgs;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::world::{Episode, Seeds, Spec};

pub(super) fn play(rollout: &Rollout, gpu: &Gpu, most_blocks: u32, threads: u32) -> Result<Played> {
    let (packing, packed, action_seed) = match &rollout.policy {
        Policy::Random { seed } => (Packing::default(), Vec::new(), *seed),
        Policy::Mlp(mlp) => {
            let packing = Packing::of(mlp.sizes(), mlp.activation());
            let packed = packing.pack(mlp.parameters()).collect();
            (packing, packed, 0)
        }
    };
    let shared = size_of::<f32>() * (packed.len() + packing.neurons(threads));
    if shared > gpu.shared_limit() as usize {
        let limit = gpu.shared_limit();
        return Err(Error::Device(format!(
            "the policy needs {shared} bytes of shared memory, and a block has at most {limit}; try: --device cpu"
        )));
    }
    let (world, count) = (rollout.world.spec(), rollout.episodes as usize);
    let outcomes = Outcomes::new(gpu, count)?;
    // A buffer is never empty.
    let parameters = Buffer::of(gpu, if packed.is_empty() { &[0.0] } else { &packed[..] })?;
    let widths = packing.widths(gpu)?;
    let queue = Buffer::<u32>::zeros(gpu, 1)?;
    let (gymnasium, seed) = match rollout.seeds {
        Seeds::Phylon(seed) => (0, seed),
        Seeds::Gymnasium(first) => (1, first),
    };
    let args = WorldArgs {
        policy: parameters.pointer(),
        seed,
        action_seed,
        gymnasium,
        count: rollout.episodes,
        limit: world.limit,
        ..packing.args(&widths, &queue, &outcomes)
    };
    // What does not fit on the device at once comes late and finds nothing left to do.
    let grid = blocks(count, threads).min(gpu.multiprocessors() * BLOCKS).min(most_blocks);
    let kernel = kernel_name("rollout", world);
    let shape = Shape { grid: [grid, 1, 1], block: threads, shared: shared as u32 };
    // Loaded before it is timed.
    gpu.kernel(&kernel, shape.shared)?;
    // SAFETY: the kernels of this name take these arguments; the buffers are as long as they say, and live until the
    // results are read.
    let kernel_seconds = gpu.time(|| unsafe { gpu.launch(&kernel, shape, &args) })?;
    Ok(Played { episodes: outcomes.read(gpu)?, kernel_seconds: Some(kernel_seconds) })
}

/// The kernel of a world: `<kind>_world_<name>`.
pub(super) fn kernel_name(kind: &str, world: &Spec) -> String {
    format!("{kind}_world_{}", world.name.replace('-', "_"))
}

/// What comes of episodes, on the device.
pub(super) struct Outcomes {
    pub(super) rewards: Buffer<f64>,
    pub(super) last_rewards: Buffer<f64>,
    pub(super) lengths: Buffer<u32>,
    pub(super) terminated: Buffer<u32>,
}

impl Outcomes {
    /// Of so many, at least one.
    pub(super) fn new(gpu: &Gpu, count: usize) -> Result<Self> {
        Ok(Self {
            rewards: Buffer::zeros(gpu, count)?,
            last_rewards: Buffer::zeros(gpu, count)?,
            lengths: Buffer::zeros(gpu, count)?,
            terminated: Buffer::zeros(gpu, count)?,
        })
    }

    pub(super) fn read(&self, gpu: &Gpu) -> Result<Vec<Episode>> {
        let (rewards, last_rewards) = (self.rewards.read_all(gpu)?, self.last_rewards.read_all(gpu)?);
        let (lengths, terminated) = (self.lengths.read_all(gpu)?, self.terminated.read_all(gpu)?);
        let episode = |k: usize| Episode {
            reward: rewards[k],
            last_reward: last_rewards[k],
            length: lengths[k],
            terminated: terminated[k] == 1,
        };
        Ok((0..rewards.len()).map(episode).collect())
    }
}

/// Blocks that a multiprocessor may have at once: 2,048 threads of [`crate::abi::THREADS`].
pub(super) const BLOCKS: u32 = 16;
