//! Rollouts on the CPU: every thread steps a group of lanes, and a lane whose episode is over takes the next one there is.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::{Policy, Rollout};
use crate::cpu::{Aligned, InstructionSet, Kernel, Vector, padded};
use crate::policy::{Mlp, Scratch};
use crate::rng::{Row, Stream};
use crate::world::environments::{GROUP, Lanes};
use crate::world::{Action as _, Episode, Scene, World};

pub(super) fn play<W: World>(rollout: &Rollout, progress: &(dyn Fn(u32) + Sync)) -> Vec<Episode> {
    let queue = AtomicU32::new(0);
    let threads = rayon::current_num_threads().min(rollout.episodes as usize);
    // Few episodes are shared out among the threads.
    let lanes = (rollout.episodes as usize).div_ceil(threads.max(1)).min(GROUP);
    let played: Vec<Vec<(u32, Episode)>> =
        (0..threads).into_par_iter().map(|_| play_some::<W>(rollout, &queue, lanes, progress)).collect();
    let mut episodes = vec![None; rollout.episodes as usize];
    for (number, episode) in played.into_iter().flatten() {
        episodes[number as usize] = Some(episode);
    }
    episodes.into_iter().flatten().collect()
}

/// What one thread plays.
fn play_some<W: World>(
    rollout: &Rollout,
    queue: &AtomicU32,
    count: usize,
    progress: &(dyn Fn(u32) + Sync),
) -> Vec<(u32, Episode)> {
    let next = || {
        // Past the end it must not run on until it wraps.
        let more = |n| (n < rollout.episodes).then_some(n + 1);
        queue.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()
    };
    let mut lanes = Lanes::<W>::new(rollout.seeds);
    (0..count).map_while(|_| next()).for_each(|number| lanes.push(number));
    let mut actor = Actor::<W>::new(&rollout.policy, count);
    let mut played = Vec::new();
    while !lanes.playing().is_empty() {
        let before = played.len();
        lanes.step(actor.act(&lanes), |_, _, number, episode| {
            played.push((number, episode));
            next()
        });
        if played.len() > before {
            progress((played.len() - before) as u32);
        }
    }
    played
}

/// What one episode looks like, step by step.
pub(super) fn watch<W: World>(rollout: &Rollout, number: u32) -> Vec<Scene> {
    let mut lanes = Lanes::<W>::new(rollout.seeds);
    lanes.push(number);
    let mut actor = Actor::<W>::new(&rollout.policy, 1);
    let mut scenes = Vec::new();
    while let [world] = lanes.worlds() {
        scenes.push(world.draw());
        lanes.step(actor.act(&lanes), |_, world, _, _| {
            scenes.push(world.draw());
            None
        });
    }
    scenes
}

/// Chooses the actions of a group of lanes.
struct Actor<'a, W: World> {
    mind: Mind<'a>,
    actions: Vec<W::Action>,
}

/// A policy with what it works in.
enum Mind<'a> {
    Random {
        seed: u64,
    },
    Mlp {
        mlp: &'a Mlp,
        /// `[observation][lane]`.
        observations: Aligned,
        /// `[output][lane]`.
        outputs: Aligned,
        scratch: Scratch,
    },
}

impl<'a, W: World> Actor<'a, W> {
    /// For at most `lanes` lanes.
    fn new(policy: &'a Policy, lanes: usize) -> Self {
        let mind = match policy {
            Policy::Random { seed } => Mind::Random { seed: *seed },
            Policy::Mlp(mlp) => Mind::Mlp {
                mlp,
                observations: Aligned::new(padded(lanes) * W::SPEC.observations),
                outputs: Aligned::new(padded(lanes) * W::SPEC.actions.outputs()),
                scratch: Scratch::new(mlp),
            },
        };
        Self { mind, actions: vec![W::Action::default(); lanes] }
    }

    fn act(&mut self, lanes: &Lanes<W>) -> &[W::Action] {
        let count = lanes.playing().len();
        InstructionSet::best().run(Act { actor: self, lanes });
        &self.actions[..count]
    }
}

struct Act<'a, 'b, W: World> {
    actor: &'a mut Actor<'b, W>,
    lanes: &'a Lanes<W>,
}

impl<W: World> Kernel for Act<'_, '_, W> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Actor { mind, actions } = self.actor;
        let count = W::SPEC.actions.outputs();
        match mind {
            Mind::Random { seed } => {
                for (action, playing) in actions.iter_mut().zip(self.lanes.playing()) {
                    let row = Row { seed: *seed, stream: Stream::Action, generation: 0, index: playing.number };
                    *action = W::Action::random(&row, playing.length, count);
                }
            }
            Mind::Mlp { mlp, observations, outputs, scratch } => {
                let worlds = self.lanes.worlds();
                let stride = padded(worlds.len());
                for (lane, world) in worlds.iter().enumerate() {
                    world.observe(&mut observations[lane..], stride);
                }
                mlp.outputs::<V>(stride, observations, scratch, outputs);
                for (lane, action) in actions[..worlds.len()].iter_mut().enumerate() {
                    *action = W::Action::from_outputs(&outputs[lane..], stride, count);
                }
            }
        }
    }
}
