//! Many environments of one world, stepped together: the vector environment of reinforcement learning.
//!
//! [`Environments`] is for callers who choose the actions themselves. `Lanes`, below it, is also what `rollout` plays
//! episodes with: it knows which episode each lane is in and nothing of who acts.

use rayon::prelude::*;

use super::{Actions, Draws, Seeds, World};
use crate::cpu::{InstructionSet, Kernel, Vector};

/// How an episode went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// The return: rewards, added in their order.
    pub reward: f64,
    /// Steps.
    pub length: u32,
    /// It came to an end of its own; otherwise the time limit cut it off. Both may be so in its last step.
    pub terminated: bool,
    /// The reward of its last step.
    pub last_reward: f64,
}

/// Episodes side by side, each in a lane of its own; what a lane computes does not depend on the others.
pub(crate) struct Lanes<W> {
    seeds: Seeds,
    worlds: Vec<W>,
    draws: Vec<Draws>,
    /// Which episode: decides what it draws.
    numbers: Vec<u32>,
    /// Its steps so far.
    lengths: Vec<u32>,
    /// Its rewards so far.
    returns: Vec<f64>,
    /// Of the last step.
    rewards: Vec<f64>,
    /// Whether the last step ended its episode, of its own.
    terminated: Vec<bool>,
    /// Or in any way.
    over: Vec<bool>,
    /// Lanes that began another episode after the last step.
    begun: Vec<usize>,
    given_up: Vec<usize>,
}

impl<W: World> Lanes<W> {
    /// Without an episode.
    pub fn new(seeds: Seeds) -> Self {
        let (worlds, draws, numbers, lengths) = Default::default();
        let (returns, rewards, terminated, over, begun, given_up) = Default::default();
        Self { seeds, worlds, draws, numbers, lengths, returns, rewards, terminated, over, begun, given_up }
    }

    /// One more lane, at the beginning of an episode.
    pub fn push(&mut self, number: u32) {
        let mut draws = self.seeds.episode(number);
        self.worlds.push(W::reset(&mut draws));
        self.draws.push(draws);
        self.numbers.push(number);
        self.lengths.push(0);
        self.returns.push(0.0);
        self.rewards.push(0.0);
        self.terminated.push(false);
        self.over.push(false);
    }

    /// States, by lane.
    pub fn worlds(&self) -> &[W] {
        &self.worlds
    }

    /// Which episode each plays.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// Steps of these episodes so far.
    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// Lanes that began another episode after the last step; where one was given up since, others may have their numbers.
    pub fn begun(&self) -> &[usize] {
        &self.begun
    }

    /// Rewards of the last step, and whether it ended an episode, of its own.
    pub fn outcomes(&self) -> (&[f64], &[bool]) {
        (&self.rewards, &self.terminated)
    }

    /// One step of every lane. `ended` is told of each episode that is over, with its lane and last state, and says which one
    /// its lane plays next; a lane without one is given up, and the last lane takes its place.
    pub fn step(&mut self, actions: &[W::Action], mut ended: impl FnMut(usize, &W, u32, Episode) -> Option<u32>) {
        W::step_all(&mut self.worlds, actions, &mut self.draws, &mut self.rewards, &mut self.terminated);
        let Self { worlds, numbers, lengths, returns, rewards, terminated, over, begun, given_up, .. } = self;
        InstructionSet::best().run(AddUp { limit: W::SPEC.limit, rewards, terminated, returns, lengths, over });
        begun.clear();
        let mut end = |lane: usize| {
            let episode = Episode {
                reward: returns[lane],
                length: lengths[lane],
                terminated: terminated[lane],
                last_reward: rewards[lane],
            };
            match ended(lane, &worlds[lane], numbers[lane], episode) {
                Some(next) => {
                    (numbers[lane], lengths[lane], returns[lane]) = (next, 0, 0.0);
                    begun.push(lane);
                }
                None => given_up.push(lane),
            }
        };
        // Few are: eight at a time are looked at.
        let (eights, few) = over.as_chunks::<8>();
        for (i, eight) in eights.iter().enumerate() {
            let mut left = u64::from_le_bytes(eight.map(u8::from));
            while left != 0 {
                end(8 * i + left.trailing_zeros() as usize / 8);
                left &= left - 1;
            }
        }
        (0..few.len()).filter(|&k| few[k]).for_each(|k| end(8 * eights.len() + k));
        for &lane in &self.begun {
            self.draws[lane] = self.seeds.episode(self.numbers[lane]);
        }
        W::reset_some(&mut self.worlds, &mut self.draws, &self.begun);
        self.give_up();
    }

    /// From the last to the first, so that what takes another's place stays.
    fn give_up(&mut self) {
        while let Some(lane) = self.given_up.pop() {
            self.worlds.swap_remove(lane);
            self.draws.swap_remove(lane);
            self.numbers.swap_remove(lane);
            self.lengths.swap_remove(lane);
            self.returns.swap_remove(lane);
            self.rewards.swap_remove(lane);
            self.terminated.swap_remove(lane);
            self.over.swap_remove(lane);
        }
    }
}

/// What a step brought is added to each episode. Without a branch, as nearly all go on.
struct AddUp<'a> {
    limit: u32,
    rewards: &'a [f64],
    terminated: &'a [bool],
    returns: &'a mut [f64],
    lengths: &'a mut [u32],
    over: &'a mut [bool],
}

impl Kernel for AddUp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { limit, rewards, terminated, returns, lengths, over } = self;
        for (returns, reward) in returns.iter_mut().zip(rewards) {
            *returns += reward;
        }
        for ((length, over), terminated) in lengths.iter_mut().zip(over).zip(terminated) {
            *length += 1;
            *over = terminated | (*length == limit);
        }
    }
}

/// Lanes that a thread steps at a time. More than any vector, so that worlds which sort their lanes find equals; few enough
/// to stay in its cache.
pub(crate) const GROUP: usize = 256;

/// Environments that start over by themselves, as a vector environment of Gymnasium with same-step reset.
///
/// Environment `i` of `n` plays the episodes i, i + n, i + 2 n, ...: results depend on the seeds and the actions, not on the
/// number of threads.
///
/// ```
/// use phylon::world::{CartPole, Environments, Seeds};
///
/// let mut environments = Environments::<CartPole<f64>>::new(32, Seeds::Phylon(1));
/// let mut returns = Vec::new();
/// for step in 0..100 {
///     let actions: Vec<i32> = (0..32).map(|i| (step + i) % 2).collect();
///     environments.step(&actions);
///     returns.extend(environments.finished().map(|(_, finished)| finished.episode.reward));
/// }
/// assert_eq!(environments.observations().len(), 32 * 4);
/// assert!(returns.iter().all(|&r| r >= 8.0));
/// ```
pub struct Environments<W: World> {
    groups: Vec<Group<W>>,
    observations: Vec<f32>,
    rewards: Vec<f64>,
    terminated: Vec<bool>,
}

/// An episode that was over in the last step.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How it went.
    pub episode: Episode,
    /// What was seen at its end: what [`Environments::observations`] shows is already the beginning of the next one.
    pub observation: Vec<f32>,
}

struct Group<W> {
    lanes: Lanes<W>,
    finished: Vec<(usize, Finished)>,
}

impl<W: World> Environments<W> {
    const SEEN: usize = W::SPEC.observations;

    /// `count` environments at the beginning of their first episodes.
    pub fn new(count: usize, seeds: Seeds) -> Self {
        let groups = (0..count).step_by(GROUP).map(|first| {
            let mut lanes = Lanes::new(seeds);
            (first..count.min(first + GROUP)).for_each(|i| lanes.push(i as u32));
            Group { lanes, finished: Vec::new() }
        });
        let mut environments = Self {
            groups: groups.collect(),
            observations: vec![0.0; count * Self::SEEN],
            rewards: vec![0.0; count],
            terminated: vec![false; count],
        };
        for (group, seen) in environments.groups.iter().zip(environments.observations.chunks_mut(GROUP * Self::SEEN)) {
            group.observe(seen);
        }
        environments
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rewards.len()
    }

    /// What can be done in them.
    pub fn actions(&self) -> Actions {
        W::SPEC.actions
    }

    /// One step of all, groups of them in parallel.
    ///
    /// # Panics
    /// When there is not one action for each.
    pub fn step(&mut self, actions: &[W::Action]) {
        let count = self.count();
        assert_eq!(actions.len(), count, "one action for each environment");
        let seen = self.observations.par_chunks_mut(GROUP * Self::SEEN);
        let outcomes = self.rewards.par_chunks_mut(GROUP).zip(self.terminated.par_chunks_mut(GROUP));
        self.groups.par_iter_mut().zip(actions.par_chunks(GROUP)).zip(seen.zip(outcomes)).for_each(
            |((group, actions), (seen, (rewards, terminated)))| {
                group.step(actions, count as u32);
                group.observe(seen);
                let (last, ended) = group.lanes.outcomes();
                rewards.copy_from_slice(last);
                terminated.copy_from_slice(ended);
            },
        );
    }

    /// What a policy sees: `[environment][SPEC.observations]`.
    pub fn observations(&self) -> &[f32] {
        &self.observations
    }

    /// Reward of the last step of each.
    pub fn rewards(&self) -> &[f64] {
        &self.rewards
    }

    /// Whether with its last step its episode came to an end of its own.
    pub fn terminated(&self) -> &[bool] {
        &self.terminated
    }

    /// Episodes that were over in the last step, with the number of their environment.
    pub fn finished(&self) -> impl Iterator<Item = (usize, &Finished)> {
        let groups = self.groups.iter().enumerate();
        groups.flat_map(|(g, group)| group.finished.iter().map(move |(lane, f)| (g * GROUP + lane, f)))
    }
}

impl<W: World> Group<W> {
    fn step(&mut self, actions: &[W::Action], environments: u32) {
        let finished = &mut self.finished;
        finished.clear();
        self.lanes.step(actions, |lane, world, number, episode| {
            let mut observation = vec![0.0; W::SPEC.observations];
            world.observe(&mut observation, 1);
            finished.push((lane, Finished { episode, observation }));
            Some(number.wrapping_add(environments))
        });
    }

    fn observe(&self, seen: &mut [f32]) {
        for (world, seen) in self.lanes.worlds().iter().zip(seen.chunks_exact_mut(W::SPEC.observations)) {
            world.observe(seen, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Outcome, Scene, Spec};

    /// Ends of its own after as many steps as it drew; an action is added to what it shows.
    #[derive(Clone)]
    struct Candle {
        left: i64,
        shown: f32,
    }

    impl World for Candle {
        const SPEC: Spec = Spec {
            name: "candle",
            gymnasium: "",
            summary: "",
            observations: 2,
            actions: Actions::Discrete(3),
            limit: 5,
            threshold: None,
            frame_rate: 1,
        };
        type Action = i32;

        fn reset(draws: &mut Draws) -> Self {
            Self { left: draws.integer(1, 8), shown: 0.0 }
        }

        fn step(&mut self, action: i32, _: &mut Draws) -> Outcome {
            self.left -= 1;
            self.shown += action as f32;
            Outcome { reward: 0.5, terminated: self.left == 0 }
        }

        fn observe(&self, to: &mut [f32], stride: usize) {
            to[0] = self.left as f32;
            to[stride] = self.shown;
        }

        fn draw(&self) -> Scene {
            Scene::new((1, 1), [0; 3])
        }
    }

    const SEEDS: Seeds = Seeds::Gymnasium(7);

    fn burns(number: usize) -> i64 {
        Candle::reset(&mut SEEDS.episode(number as u32)).left
    }

    #[test]
    fn an_environment_plays_its_own_episodes_one_after_the_other() {
        let count = GROUP + 3;
        let mut environments = Environments::<Candle>::new(count, SEEDS);
        let mut played = vec![0; count];
        let mut begun = vec![0; count];
        for step in 1..40 {
            environments.step(&vec![2; count]);
            let finished: Vec<_> = environments.finished().map(|(i, f)| (i, f.clone())).collect();
            for &(i, Finished { episode, ref observation }) in &finished {
                let burns = burns(i + played[i] * count);
                let length = burns.min(5);
                assert_eq!((i64::from(episode.length), episode.terminated), (length, burns <= 5));
                assert_eq!((episode.reward, episode.last_reward), (0.5 * length as f64, 0.5));
                assert_eq!(observation[..], [(burns - length) as f32, 2.0 * length as f32]);
                (played[i], begun[i]) = (played[i] + 1, step);
            }
            assert!(finished.is_sorted_by_key(|(i, _)| *i));
            for (i, seen) in environments.observations().chunks(2).enumerate() {
                let ago = (step - begun[i]) as i64;
                assert_eq!(seen, [(burns(i + played[i] * count) - ago) as f32, 2.0 * ago as f32]);
            }
        }
        assert!(played.iter().all(|&n| n >= 7));
    }

    #[test]
    fn a_lane_that_is_given_up_is_taken_by_the_last() {
        let mut lanes = Lanes::<Candle>::new(SEEDS);
        (0..20).for_each(|number| lanes.push(number));
        let mut ended = Vec::new();
        let mut steps = 0;
        while !lanes.numbers().is_empty() {
            steps += 1;
            let actions = vec![0; lanes.numbers().len()];
            lanes.step(&actions, |_, _, number, episode| {
                assert_eq!(i64::from(episode.length), burns(number as usize).min(5));
                ended.push(number);
                None
            });
            for (world, &number) in lanes.worlds().iter().zip(lanes.numbers()) {
                assert_eq!(world.left, burns(number as usize) - steps);
            }
        }
        ended.sort_unstable();
        assert_eq!(ended, Vec::from_iter(0..20));
    }
}
