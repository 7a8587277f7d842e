//! Episodes of worlds.

use std::time::Instant;

use super::{Bench, Called, Case, Row};
use crate::abi::THREADS;
use crate::error::Result;
use crate::policy::{Activation, Mlp};
use crate::profile::Work;
use crate::registry::WorldKind;
use crate::rng::{Row as Draws, Stream};
use crate::rollout::{Policy, Rollout};
use crate::world::Seeds;

impl Bench<'_> {
    /// On a device the kernel alone, as its copies take longer than short episodes.
    pub(super) fn rollout(&self, case: Case, world: WorldKind, with_policy: bool) -> Result<Vec<Row>> {
        let network = policy(world);
        let policy = if with_policy { Policy::Mlp(network.clone()) } else { Policy::Random { seed: 1 } };
        let (first, most) = match &self.gpu {
            Some(_) if self.is_emulated() => (32, 32),
            Some(_) => (1 << 16, 1 << 21),
            None => (1 << 10, 1 << 23),
        };
        let measured = self.steady(first, most, |episodes| {
            let rollout = Rollout { world, policy: policy.clone(), seeds: Seeds::Phylon(1), episodes };
            let started = Instant::now();
            let played = match &self.gpu {
                Some(gpu) => rollout.play_in_blocks(gpu, u32::MAX, THREADS)?,
                None => rollout.play(self.device, &|_| ())?,
            };
            let seconds = played.kernel_seconds.unwrap_or_else(|| started.elapsed().as_secs_f64());
            let steps: u64 = played.episodes.iter().map(|episode| u64::from(episode.length)).sum();
            Ok(Called { seconds, amount: steps as f64 })
        })?;
        let products = if with_policy { 2 * network.parameters().len() as u64 } else { 0 };
        let work = Work { flops: products * measured.amount as u64, ..Work::default() };
        Ok(vec![self.row(case, "steps", "env-steps/s", &measured, work)])
    }
}

/// Some network that fits.
fn policy(world: WorldKind) -> Mlp {
    let spec = world.spec();
    let mut network = Mlp::new(&[spec.observations, 128, spec.actions.outputs()], Activation::Tanh);
    Draws { seed: 1, stream: Stream::Initial, generation: 0, index: 0 }.normals(0, network.parameters_mut());
    network.parameters_mut().iter_mut().for_each(|x| *x *= 0.1);
    network
}
