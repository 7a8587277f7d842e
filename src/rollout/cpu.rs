//! Rollouts on the CPU: every thread steps a group of lanes, and a lane whose episode is over takes the next one there is.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{Policy, Rollout};
use crate::cpu::{Aligned, InstructionSet, Kernel, LANES, Vector, padded};
use crate::policy::{Mlp, Scratch};
use crate::rng::{Row, Stream};
use crate::world::environments::{GROUP, Lanes};
use crate::world::{Action, Episode, Scene, Seeds, World};

pub(super) fn play<W: World>(rollout: &Rollout, progress: &(dyn Fn(u32) + Sync)) -> Vec<Episode> {
    let episodes = rollout.episodes as usize;
    let threads = rayon::current_num_threads().min(episodes);
    // Few episodes are shared out among the threads.
    let lanes = episodes.div_ceil(threads.max(1)).min(GROUP);
    let queue = AtomicUsize::new(0);
    let played: Vec<Results> = (0..episodes).into_par_iter().map(|_| Results::default()).collect();
    (0..threads).into_par_iter().for_each(|_| play_some::<W>(rollout, &queue, &played, lanes, progress));
    // In the memory that it is in.
    played.into_iter().map(Results::episode).collect()
}

/// Of an episode, written once, by whichever thread plays it.
#[derive(Default)]
struct Results {
    /// Bits of the return and of the last reward.
    rewards: [AtomicU64; 2],
    /// Twice the length, and 1 if it came to an end of its own.
    length: AtomicU32,
}

impl Results {
    fn set(&self, episode: Episode) {
        let Episode { reward, length, terminated, last_reward } = episode;
        self.rewards[0].store(reward.to_bits(), Ordering::Relaxed);
        self.rewards[1].store(last_reward.to_bits(), Ordering::Relaxed);
        self.length.store(2 * length + u32::from(terminated), Ordering::Relaxed);
    }

    fn episode(self) -> Episode {
        let [reward, last_reward] = self.rewards.map(|bits| f64::from_bits(bits.into_inner()));
        let length = self.length.into_inner();
        Episode { reward, length: length / 2, terminated: length % 2 == 1, last_reward }
    }
}

/// What one thread plays.
fn play_some<W: World>(
    rollout: &Rollout,
    queue: &AtomicUsize,
    played: &[Results],
    count: usize,
    progress: &(dyn Fn(u32) + Sync),
) {
    // Threads do not ask for every single one; towards the end of few episodes that would leave others idle.
    let share = (played.len() / (64 * rayon::current_num_threads())).clamp(1, 64);
    let mut mine = 0..0;
    let mut next = || {
        if mine.is_empty() {
            let first = queue.fetch_add(share, Ordering::Relaxed).min(played.len());
            mine = first..(first + share).min(played.len());
        }
        mine.next().map(|number| number as u32)
    };
    let mut lanes = Lanes::<W>::new(rollout.seeds);
    (0..count).map_while(|_| next()).for_each(|number| lanes.push(number));
    let mut actor = Actor::<W>::new(&rollout.policy, count);
    let mut over = 0;
    while !lanes.numbers().is_empty() {
        lanes.step(actor.act(&lanes), |_, _, number, episode| {
            played[number as usize].set(episode);
            over += 1;
            next()
        });
        if over as usize >= share || lanes.numbers().is_empty() {
            progress(over);
            over = 0;
        }
    }
}

/// The episodes of these numbers, in their order, on this thread alone: for callers of which there are many.
pub(crate) fn play_alone<W: World>(mlp: &Mlp, seeds: Seeds, numbers: Range<u32>) -> Vec<Episode> {
    let count = numbers.len().min(GROUP);
    let mut played = Vec::with_capacity(numbers.len());
    let mut next = numbers;
    let mut lanes = Lanes::<W>::new(seeds);
    next.by_ref().take(count).for_each(|number| lanes.push(number));
    let mut actor = Actor::<W>::of(mlp, count);
    while !lanes.numbers().is_empty() {
        lanes.step(actor.act(&lanes), |_, _, number, episode| {
            played.push((number, episode));
            next.next()
        });
    }
    played.sort_by_key(|(number, _)| *number);
    played.into_iter().map(|(_, episode)| episode).collect()
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
        /// See [`Action::next_random`], by lane.
        chances: Vec<u32>,
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
        match policy {
            Policy::Random { seed } => Self::with(Mind::Random { seed: *seed, chances: Vec::new() }, lanes),
            Policy::Mlp(mlp) => Self::of(mlp, lanes),
        }
    }

    /// A network's, for at most `lanes` lanes.
    fn of(mlp: &'a Mlp, lanes: usize) -> Self {
        let mind = Mind::Mlp {
            mlp,
            observations: Aligned::new(padded(lanes) * W::SPEC.observations),
            outputs: Aligned::new(padded(lanes) * W::SPEC.actions.outputs()),
            scratch: Scratch::new(mlp),
        };
        Self::with(mind, lanes)
    }

    fn with(mind: Mind<'a>, lanes: usize) -> Self {
        Self { mind, actions: vec![W::Action::default(); lanes] }
    }

    fn act(&mut self, lanes: &Lanes<W>) -> &[W::Action] {
        let (count, choices) = (lanes.numbers().len(), W::SPEC.actions.outputs());
        let actions = &mut self.actions[..count];
        match &mut self.mind {
            Mind::Random { seed, chances } => {
                let row = Row { seed: *seed, stream: Stream::Action, generation: 0, index: 0 };
                InstructionSet::best().run(AtRandom { row, lanes, choices, chances, actions });
            }
            Mind::Mlp { mlp, observations, outputs, scratch } => {
                let stride = padded(count);
                for (lane, world) in lanes.worlds().iter().enumerate() {
                    world.observe(&mut observations[lane..], stride);
                }
                InstructionSet::best().run(Ask { mlp, lanes: stride, observations, scratch, outputs });
                for (lane, action) in actions.iter_mut().enumerate() {
                    *action = W::Action::from_outputs(&outputs[lane..], stride, choices);
                }
            }
        }
        &self.actions[..count]
    }
}

/// An action at random for every lane.
struct AtRandom<'a, W: World> {
    /// Of any episode.
    row: Row,
    lanes: &'a Lanes<W>,
    choices: usize,
    chances: &'a mut Vec<u32>,
    actions: &'a mut [W::Action],
}

impl<W: World> Kernel for AtRandom<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { row, lanes, choices, chances, actions } = self;
        let (numbers, lengths) = (lanes.numbers(), lanes.lengths());
        let (mut due, mut count) = ([0; GROUP], 0);
        let mut add = |lane| {
            due[count] = lane;
            count += 1;
        };
        if chances.len() == numbers.len() {
            let is_due = |length: u32| (length > 0) & W::Action::is_due(length, choices);
            lanes.begun().iter().for_each(|&lane| add(lane));
            for (i, row) in lengths.chunks(LANES).enumerate() {
                // In most rows there is none.
                if row.iter().fold(false, |any, &length| any | is_due(length)) {
                    (0..row.len()).filter(|&k| is_due(row[k])).for_each(|k| add(i * LANES + k));
                }
            }
        } else {
            // A lane that is given up has another in its place.
            chances.resize(numbers.len(), 0);
            (0..numbers.len()).for_each(add);
        }
        for lanes in due[..count].chunks(LANES) {
            let (mut of, mut at, mut drawn) = ([0; LANES], [0; LANES], [0; LANES]);
            for (k, &lane) in lanes.iter().enumerate() {
                (of[k], at[k]) = (numbers[lane], lengths[lane]);
            }
            for k in 0..LANES {
                drawn[k] = W::Action::chance(&Row { index: of[k], ..row }, at[k], choices);
            }
            for (k, &lane) in lanes.iter().enumerate() {
                chances[lane] = drawn[k];
            }
        }
        for (((action, chance), &number), &length) in actions.iter_mut().zip(chances).zip(numbers).zip(lengths) {
            *action = W::Action::next_random(chance, &Row { index: number, ..row }, length, choices);
        }
    }
}

/// A network's outputs for every lane. Not part of anything that is compiled for each world.
struct Ask<'a> {
    mlp: &'a Mlp,
    lanes: usize,
    observations: &'a [f32],
    scratch: &'a mut Scratch,
    outputs: &'a mut [f32],
}

impl Kernel for Ask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.mlp.outputs::<V>(self.lanes, self.observations, self.scratch, self.outputs);
    }
}
