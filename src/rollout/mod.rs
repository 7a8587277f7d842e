//! Rollouts: a policy plays whole episodes of a world, and what comes of each.
//!
//! Episode `k` is a function of the world, the policy, the seeds and `k`: not of the number of threads, of the lanes it was
//! played in, or of the device.

mod cpu;
mod gpu;
mod packed;
mod population;
pub(crate) mod population_gpu;

pub(crate) use cpu::play_alone;
pub(crate) use packed::Packing;
pub use population::Population;

use crate::abi::THREADS;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::policy::Mlp;
use crate::registry::{WorldKind, WorldVisitor};
use crate::world::{Episode, Scene, Seeds, World};

/// Who acts.
#[derive(Debug, Clone)]
pub enum Policy {
    /// A network, deterministic: the same for all episodes.
    Mlp(Mlp),
    /// Every action alike, drawn from a stream of its own.
    Random {
        /// Of that stream.
        seed: u64,
    },
}

/// Episodes to play.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// Where.
    pub world: WorldKind,
    /// Who acts.
    pub policy: Policy,
    /// What the world draws.
    pub seeds: Seeds,
    /// How many.
    pub episodes: u32,
}

/// What came of a rollout.
#[derive(Debug, Clone)]
pub struct Played {
    /// The k-th is episode k.
    pub episodes: Vec<Episode>,
    /// What the kernel took on the device, without the copies from it; `None` on the CPU.
    pub kernel_seconds: Option<f64>,
}

impl Rollout {
    /// Plays all of them. `progress` is told, from any thread, how many more are over.
    ///
    /// # Errors
    /// When the policy does not fit the world, or the device cannot be used.
    pub fn play(&self, device: &Device, progress: &(dyn Fn(u32) + Sync)) -> Result<Played> {
        self.check()?;
        match device.open()? {
            Some(gpu) => {
                gpu::play(self, &gpu, u32::MAX, THREADS).inspect(|played| progress(played.episodes.len() as u32))
            }
            None => {
                let episodes = self.world.visit(Play { rollout: self, progress });
                Ok(Played { episodes, kernel_seconds: None })
            }
        }
    }

    /// The same on a GPU in at most `blocks` blocks of so many threads: whole warps, at most [`THREADS`].
    ///
    /// # Errors
    /// As [`Rollout::play`]; and when the policy does not fit into the shared memory of a block.
    pub fn play_in_blocks(&self, gpu: &Gpu, blocks: u32, threads: u32) -> Result<Played> {
        self.check()?;
        gpu::play(self, gpu, blocks, threads)
    }

    /// What episode `number` looks like before its first step and after each one.
    ///
    /// # Errors
    /// When the policy does not fit the world.
    pub fn watch(&self, number: u32) -> Result<Vec<Scene>> {
        self.check()?;
        Ok(self.world.visit(Watch { rollout: self, number }))
    }

    fn check(&self) -> Result<()> {
        match &self.policy {
            Policy::Mlp(mlp) => mlp.check(self.world.spec()).map_err(|why| Error::Config(format!("the policy: {why}"))),
            Policy::Random { .. } => Ok(()),
        }
    }
}

struct Play<'a> {
    rollout: &'a Rollout,
    progress: &'a (dyn Fn(u32) + Sync),
}

impl WorldVisitor for Play<'_> {
    type Output = Vec<Episode>;

    fn visit<W: World>(self) -> Vec<Episode> {
        cpu::play::<W>(self.rollout, self.progress)
    }
}

struct Watch<'a> {
    rollout: &'a Rollout,
    number: u32,
}

impl WorldVisitor for Watch<'_> {
    type Output = Vec<Scene>;

    fn visit<W: World>(self) -> Vec<Scene> {
        cpu::watch::<W>(self.rollout, self.number)
    }
}
