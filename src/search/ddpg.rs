//! Deep deterministic policy gradient (Lillicrap et al. 2016) on a bandit, as the thesis on cortical columns searches
//! their parameters: an actor that is shown a constant proposes an action, a critic learns what actions are worth.
//!
//! ```text
//! action = clip(mu + sd noise, -1, 1),   mu = tanh(actor(1)),   sd = noise * decay^episode
//! critic: Adam on the mean over a batch of (Q(1, a) - r)^2, of remembered actions a and rewards r
//! actor:  Adam on -Q(1, mu)
//! ```
//!
//! An episode is one action, and what follows it is worth nothing: so there is no discount, no second network to aim
//! at, and what the critic aims at is the reward. All examples of a batch have the same state, so the actor's gradient
//! is that of one example. The action enters the critic's first layer, beside the state. Every 200 episodes there is a
//! test: the actor's own action, from which nothing is learnt.
//!
//! Where the thesis is silent: the first parameters are those of Lillicrap et al., with a last layer near zero; Adam
//! and its other constants are PyTorch's; updates begin when there is a whole batch to remember, examples are drawn
//! with replacement, and a reward that is not finite counts as the lowest one remembered.

mod memory;
mod network;

use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::ask_tell::{AskTell, count, sized};
use crate::cpu::{Aligned, InstructionSet, Kernel, Vector};
use crate::error::{Error, Result};
use crate::num::tanh;
use crate::num::transcendental::{exp, ln};
use crate::rng::{Row, Stream};
use memory::Memory;
use network::Network;

/// What a user may choose; the defaults are the thesis's values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Neurons of the hidden layers of both networks. Default [300, 200].
    pub hidden: Vec<u32>,
    /// Step of Adam for the actor. Default 1e-4.
    pub actor_learning_rate: f64,
    /// Step of Adam for the critic. Default 1e-3.
    pub critic_learning_rate: f64,
    /// Remembered actions of an update. Default 64.
    pub batch: u32,
    /// Standard deviation of the noise on the first action. Default 1.
    pub noise: f64,
    /// It is multiplied by this after every episode. Default 0.9999.
    pub noise_decay: f64,
    /// A test comes after so many episodes; 0 for none. Default 200.
    pub test_every: u32,
    /// Actions, each with its own noise, that are proposed together and followed by as many updates. Default 1, the
    /// thesis's; more is ours, for simulations that run side by side.
    pub proposals: u32,
    /// Actions that are remembered, at least a batch. Default 100000, more than the thesis has episodes.
    pub memory: u32,
    /// First parameters of the last layers lie within this of 0, and so do the first actions, nearly. Default 0.003.
    pub last_layer: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hidden: vec![300, 200],
            actor_learning_rate: 1e-4,
            critic_learning_rate: 1e-3,
            batch: 64,
            noise: 1.0,
            noise_decay: 0.9999,
            test_every: 200,
            proposals: 1,
            memory: 100_000,
            last_layer: 3e-3,
        }
    }
}

impl Settings {
    /// The first key that is out of its range, and the range.
    pub fn refusal(&self) -> Option<(&'static str, &'static str)> {
        let is_rate = |rate: f64| rate > 0.0 && rate.is_finite();
        let refusals = [
            (self.hidden.is_empty() || self.hidden.contains(&0), "hidden", "at least one layer of at least 1 neuron"),
            (!is_rate(self.actor_learning_rate), "actor_learning_rate", "a positive number"),
            (!is_rate(self.critic_learning_rate), "critic_learning_rate", "a positive number"),
            (self.batch == 0, "batch", "at least 1"),
            (!(self.noise >= 0.0 && self.noise.is_finite()), "noise", "0 or a positive number"),
            (!(self.noise_decay > 0.0 && self.noise_decay <= 1.0), "noise_decay", "more than 0 and at most 1"),
            (self.proposals == 0, "proposals", "at least 1"),
            (self.memory < self.batch, "memory", "at least as many as `batch`"),
            (!(self.last_layer >= 0.0 && self.last_layer.is_finite()), "last_layer", "0 or a positive number"),
        ];
        refusals.into_iter().find(|(is_wrong, ..)| *is_wrong).map(|(_, key, range)| (key, range))
    }

    fn check(&self) -> Result<()> {
        match self.refusal() {
            Some((key, range)) => {
                Err(Error::Config(format!("DDPG cannot search: `{key}` is out of its range; try: {range}")))
            }
            None => Ok(()),
        }
    }
}

/// The search.
#[derive(Debug, Clone)]
pub struct Ddpg {
    settings: Settings,
    seed: u64,
    learner: Learner,
    /// Actions that were proposed, but for tests.
    episodes: u32,
    /// The tests are done that were due by so many intervals of them.
    tested: u32,
    /// mu, of the actor as it is.
    answer: Vec<f32>,
}

/// What learns and what it learns from.
#[derive(Debug, Clone)]
struct Learner {
    seed: u64,
    batch: usize,
    actor: Network,
    critic: Network,
    actor_adam: Adam,
    critic_adam: Adam,
    memory: Memory,
    updates: u32,
}

impl Ddpg {
    /// In a space of so many dimensions.
    ///
    /// # Errors
    /// When a setting is out of its range, or the space has no dimension.
    pub fn new(settings: &Settings, dimensions: usize, seed: u64) -> Result<Self> {
        settings.check()?;
        if dimensions == 0 {
            return Err(Error::Config("DDPG cannot search: the space has no dimension; try: at least 1".into()));
        }
        let sizes = |inputs, outputs| -> Vec<usize> {
            let hidden = settings.hidden.iter().map(|&neurons| neurons as usize);
            std::iter::once(inputs).chain(hidden).chain([outputs]).collect()
        };
        let (batch, last) = (settings.batch as usize, settings.last_layer);
        let layers = settings.hidden.len() as u32 + 1;
        let actor = Network::new(&sizes(1, dimensions), 1, last, seed, 0);
        let critic = Network::new(&sizes(1 + dimensions, 1), batch, last, seed, layers);
        let adam = |rate, network: &Network| Adam::new(rate, f32::INFINITY, network.parameters.len());
        let mut learner = Learner {
            seed,
            batch,
            actor_adam: adam(settings.actor_learning_rate, &actor),
            critic_adam: adam(settings.critic_learning_rate, &critic),
            actor,
            critic,
            memory: Memory::new(settings.memory as usize, dimensions),
            updates: 0,
        };
        let answer = InstructionSet::best().run(Answer(&mut learner));
        Ok(Self { settings: settings.clone(), seed, learner, episodes: 0, tested: 0, answer })
    }

    /// The actions that are proposed now.
    fn actions(&self) -> Vec<Vec<f32>> {
        if self.is_test() {
            return vec![self.answer.clone()];
        }
        (0..self.settings.proposals).map(|proposal| self.explore(self.episodes + proposal)).collect()
    }

    /// The action of an episode.
    fn explore(&self, episode: u32) -> Vec<f32> {
        let sd = self.settings.noise * exp(f64::from(episode) * ln(self.settings.noise_decay));
        let row = Row { seed: self.seed, stream: Stream::ActionNoise, generation: episode, index: 0 };
        let mut noise = vec![0.0; self.answer.len()];
        row.normals(0, &mut noise);
        let each = noise.iter().zip(&self.answer);
        each.map(|(noise, mu)| noise.mul_add(sd as f32, *mu).clamp(-1.0, 1.0)).collect()
    }

    /// [`AskTell::tell`]; the instruction set changes no bit.
    fn tell_with(&mut self, fitness: &[f64], instructions: InstructionSet) {
        let actions = self.actions();
        assert!(fitness.len() == actions.len(), "fitness of {} points, not {}", fitness.len(), actions.len());
        if self.is_test() {
            self.tested = self.episodes / self.settings.test_every;
            return;
        }
        self.episodes += self.settings.proposals;
        for (action, &fitness) in actions.iter().zip(fitness) {
            let reward = if fitness.is_finite() { Some(fitness as f32) } else { self.learner.memory.lowest() };
            if let Some(reward) = reward {
                self.learner.memory.push(action, reward);
            }
        }
        let is_learning =
            fitness.iter().any(|fitness| fitness.is_finite()) && self.learner.memory.count() >= self.learner.batch;
        let updates = if is_learning { self.settings.proposals } else { 0 };
        self.answer = instructions.run(Learn { learner: &mut self.learner, updates });
    }
}

impl AskTell for Ddpg {
    fn ask(&self) -> Vec<Vec<f64>> {
        self.actions().iter().map(|action| wide(action)).collect()
    }

    fn is_test(&self) -> bool {
        self.episodes.checked_div(self.settings.test_every).is_some_and(|due| due > self.tested)
    }

    fn tell(&mut self, fitness: &[f64]) {
        self.tell_with(fitness, InstructionSet::best());
    }

    fn centre(&self) -> Vec<f64> {
        wide(&self.answer)
    }

    fn state(&self) -> Vec<(String, Vec<f64>)> {
        let Learner { actor, critic, actor_adam, critic_adam, memory, updates, .. } = &self.learner;
        let counts = [("episodes", self.episodes), ("tested", self.tested), ("updates", *updates)];
        let mut state: Vec<_> = counts.into_iter().map(|(name, count)| (name.into(), vec![count.into()])).collect();
        for (name, network, adam) in [("actor", actor, actor_adam), ("critic", critic, critic_adam)] {
            state.push((name.into(), wide(&network.parameters)));
            let adam = ADAM.into_iter().zip(adam.state());
            state.extend(adam.map(|(part, vector)| (format!("{name}_{part}"), vector)));
        }
        state.extend(memory.state());
        state
    }

    fn restore(&mut self, state: &[(String, Vec<f64>)]) -> Result<()> {
        let mut learner = self.learner.clone();
        let Learner { actor, critic, actor_adam, critic_adam, .. } = &mut learner;
        for (name, network, adam) in [("actor", actor, actor_adam), ("critic", critic, critic_adam)] {
            let length = network.parameters.len();
            copy(sized(state, name, length)?, &mut network.parameters);
            let part = |part: usize, length| sized(state, &format!("{name}_{}", ADAM[part]), length);
            adam.restore([part(0, length)?, part(1, length)?, part(2, 2)?]);
        }
        learner.memory = learner.memory.restored(state)?;
        learner.updates = count(state, "updates")?;
        let (episodes, tested) = (count(state, "episodes")?, count(state, "tested")?);
        let answer = InstructionSet::best().run(Answer(&mut learner));
        (self.learner, self.episodes, self.tested, self.answer) = (learner, episodes, tested, answer);
        Ok(())
    }
}

/// What follows a network's name in those of its optimiser's vectors.
const ADAM: [&str; 3] = ["mean", "square", "powers"];

fn wide(vector: &[f32]) -> Vec<f64> {
    vector.iter().map(|&x| x.into()).collect()
}

fn copy(from: &[f64], to: &mut Aligned) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from as f32);
}

impl Learner {
    /// mu.
    #[inline(always)]
    fn answer<V: Vector>(&mut self) -> Vec<f32> {
        self.actor.input_mut(0)[0] = 1.0;
        self.actor.forward::<V>(1);
        self.actor.output(0).iter().map(|&x| tanh(x)).collect()
    }

    /// The gradient of the critic's loss over the batch of this update.
    #[inline(always)]
    fn critic_gradient<V: Vector>(&mut self) {
        let row = Row { seed: self.seed, stream: Stream::Remembered, generation: self.updates, index: 0 };
        let mut rewards = vec![0.0; self.batch];
        for (i, reward) in rewards.iter_mut().enumerate() {
            // Four to a block, and the upper bits of a word's product with a count are below it.
            let word = row.block(i as u32 / 4)[i % 4];
            let place = (u64::from(word) * self.memory.count() as u64) >> 32;
            let action;
            (action, *reward) = self.memory.get(place as usize);
            let input = self.critic.input_mut(i);
            input[0] = 1.0;
            input[1..].copy_from_slice(action);
        }
        self.critic.forward::<V>(self.batch);
        let share = 2.0 / self.batch as f32;
        for (i, reward) in rewards.into_iter().enumerate() {
            let slope = (self.critic.output(i)[0] - reward) * share;
            self.critic.output_slopes_mut(i)[0] = slope;
        }
        self.critic.backward::<V>(self.batch);
    }

    /// The gradient of -Q(1, mu) to the actor's parameters.
    #[inline(always)]
    fn actor_gradient<V: Vector>(&mut self) {
        let mu = self.answer::<V>();
        let input = self.critic.input_mut(0);
        input[0] = 1.0;
        input[1..].copy_from_slice(&mu);
        self.critic.forward::<V>(1);
        self.critic.output_slopes_mut(0)[0] = -1.0;
        self.critic.backward::<V>(1);
        let slopes = self.actor.output_slopes_mut(0).iter_mut().zip(&self.critic.input_slopes(0)[1..]);
        for ((out, slope), mu) in slopes.zip(&mu) {
            // The derivative of tanh, from its value.
            *out = slope * (1.0 - mu * mu);
        }
        self.actor.backward::<V>(1);
    }

    #[inline(always)]
    fn update<V: Vector>(&mut self) {
        self.critic_gradient::<V>();
        self.critic_adam.step::<V>(&mut self.critic.parameters, &self.critic.gradient);
        self.actor_gradient::<V>();
        self.actor_adam.step::<V>(&mut self.actor.parameters, &self.actor.gradient);
        self.updates += 1;
    }
}

struct Answer<'a>(&'a mut Learner);

impl Kernel for Answer<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Vec<f32> {
        self.0.answer::<V>()
    }
}

/// Updates, and the answer after them.
struct Learn<'a> {
    learner: &'a mut Learner,
    updates: u32,
}

impl Kernel for Learn<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Vec<f32> {
        for _ in 0..self.updates {
            self.learner.update::<V>();
        }
        self.learner.answer::<V>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::tests::{outputs, wide};

    const DIMENSIONS: usize = 3;
    const BATCH: usize = 9;

    fn small() -> Settings {
        Settings { hidden: vec![21, 18], batch: BATCH as u32, memory: 30, last_layer: 0.5, ..Settings::default() }
    }

    fn reward(action: &[f64]) -> f64 {
        -action.iter().map(|x| (x - 0.3) * (x - 0.3)).sum::<f64>().sqrt()
    }

    /// One that has come so many steps.
    fn after(steps: usize, settings: &Settings, instructions: InstructionSet) -> Ddpg {
        let mut search = Ddpg::new(settings, DIMENSIONS, 5).expect("settings in their ranges");
        for _ in 0..steps {
            let fitness: Vec<f64> = search.ask().iter().map(|action| reward(action)).collect();
            search.tell_with(&fitness, instructions);
        }
        search
    }

    /// Which gradient.
    enum Of {
        Critic,
        Actor,
    }

    struct Gradient<'a>(&'a mut Learner, Of);

    impl Kernel for Gradient<'_> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector>(self) {
            match self.1 {
                Of::Critic => self.0.critic_gradient::<V>(),
                Of::Actor => self.0.actor_gradient::<V>(),
            }
        }
    }

    /// Against differences of `loss` in double precision, of which nothing is left but the roundings of f32 in sums of
    /// some dozens of terms of size 1.
    fn assert_gradient(seen: &[f32], mut parameters: Vec<f64>, loss: impl Fn(&[f64]) -> f64) {
        const STEP: f64 = 1e-6;
        assert!(seen.iter().any(|slope| slope.abs() > 0.01), "no gradient");
        for (i, &seen) in seen.iter().enumerate() {
            let here = parameters[i];
            let [up, down] = [here + STEP, here - STEP].map(|x| {
                parameters[i] = x;
                loss(&parameters)
            });
            parameters[i] = here;
            let expected = (up - down) / (2.0 * STEP);
            assert!((f64::from(seen) - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{i}: {seen}, {expected}");
        }
    }

    #[test]
    fn the_critic_descends_its_squared_error() {
        let mut learner = after(40, &small(), InstructionSet::best()).learner;
        InstructionSet::best().run(Gradient(&mut learner, Of::Critic));
        // Of the batch, whose actions are those that the critic has before it.
        let actions: Vec<Vec<f64>> = (0..BATCH).map(|i| wide(&learner.critic.input_mut(i)[1..])).collect();
        assert!(actions.iter().any(|action| *action != actions[0]));
        let rewards: Vec<f64> = actions.iter().map(|action| reward(action)).collect();
        let seen = learner.critic.gradient.to_vec();
        assert_gradient(&seen, wide(&learner.critic.parameters), |parameters| {
            let error = |(action, reward): (&Vec<f64>, &f64)| {
                let input: Vec<f64> = [1.0].iter().chain(action).copied().collect();
                let value = outputs(&[1 + DIMENSIONS, 21, 18, 1], parameters, &input)[0];
                (value - reward) * (value - reward)
            };
            actions.iter().zip(&rewards).map(error).sum::<f64>() / BATCH as f64
        });
    }

    #[test]
    fn the_actor_ascends_what_the_critic_values() {
        let mut learner = after(40, &small(), InstructionSet::best()).learner;
        InstructionSet::best().run(Gradient(&mut learner, Of::Actor));
        let critic = wide(&learner.critic.parameters);
        let seen = learner.actor.gradient.to_vec();
        assert_gradient(&seen, wide(&learner.actor.parameters), |parameters| {
            let action = outputs(&[1, 21, 18, DIMENSIONS], parameters, &[1.0]);
            let input: Vec<f64> = [1.0].into_iter().chain(action.into_iter().map(f64::tanh)).collect();
            -outputs(&[1 + DIMENSIONS, 21, 18, 1], &critic, &input)[0]
        });
    }

    #[test]
    fn bits_are_those_of_any_instruction_set() {
        let searches = InstructionSet::available().map(|instructions| after(60, &small(), instructions).state());
        let states: Vec<_> = searches.collect();
        assert!(states.iter().all(|state| *state == states[0]));
    }

    #[test]
    fn first_actions_are_near_zero_and_noise_decays() {
        let search = Ddpg::new(&Settings::default(), 8, 1).expect("settings in their ranges");
        // The last layer's 201 parameters of up to 0.003, and activities below 1.
        assert!(search.centre().iter().all(|x| x.abs() < 0.1), "{:?}", search.centre());
        let size = |episodes: std::ops::Range<u32>| {
            let sum: f32 = episodes.clone().flat_map(|episode| search.explore(episode)).map(f32::abs).sum();
            sum / (8 * episodes.len()) as f32
        };
        // E min(|x|, 1) of a standard normal is sqrt(2 / pi) (1 - e^(-1/2)) + P(|x| > 1) = 0.6313. After 20000 episodes
        // the deviation is 0.1353 and the mean size sqrt(2 / pi) times that. 5 standard errors of 8000 values, and a
        // centre beside 0.
        let (first, late) = (size(0..1000), size(20_000..21_000));
        assert!((first - 0.6313).abs() < 0.03, "{first}");
        assert!((late - 0.1080).abs() < 0.01, "{late}");
    }

    #[test]
    fn tests_come_in_their_time_and_teach_nothing() {
        for proposals in [1, 3, 8] {
            let settings = Settings { test_every: 5, proposals, ..small() };
            let mut search = after(0, &settings, InstructionSet::best());
            let mut tests = Vec::new();
            while tests.len() < 4 {
                if search.is_test() {
                    tests.push(search.episodes);
                    let before = search.clone();
                    assert_eq!(search.ask(), [search.centre()]);
                    search.tell(&[1.0]);
                    let untold = search.state().into_iter().zip(before.state());
                    assert!(untold.filter(|((name, _), _)| name != "tested").all(|(now, before)| now == before));
                    assert!(!search.is_test());
                } else {
                    assert_eq!(search.ask().len(), proposals as usize);
                    search.tell(&vec![-1.0; proposals as usize]);
                }
            }
            // The first count of episodes that is not below the one due.
            let due: &[u32] = match proposals {
                1 => &[5, 10, 15, 20],
                3 => &[6, 12, 15, 21],
                _ => &[8, 16, 24, 32],
            };
            assert_eq!(tests, due);
        }
    }

    #[test]
    fn a_reward_that_is_no_number_is_the_lowest_one() {
        let mut search = after(0, &Settings { proposals: 2, ..small() }, InstructionSet::best());
        search.tell(&[f64::NAN, f64::INFINITY]);
        assert_eq!(search.learner.memory.count(), 0);
        search.tell(&[-2.0, -3.0]);
        search.tell(&[f64::NAN, -1.0]);
        let rewards: Vec<f32> = (0..4).map(|i| search.learner.memory.get(i).1).collect();
        assert_eq!(rewards, [-2.0, -3.0, -3.0, -1.0]);
    }
}
