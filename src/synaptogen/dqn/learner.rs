//! One learner: steps in its environment, updates from what it remembers, validations.

use super::{Hyperparameters, Replay, Trained, Training, Transition};
use super::{VALIDATION_EPISODES, VALIDATION_INTERVAL, Validation};
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::rng::{Row, Stream};
use crate::rollout::play_alone;
use crate::search::adam::Adam;
use crate::synaptogen::assembly::{Assembly, Weights};
use crate::synaptogen::evaluation::score;
use crate::synaptogen::gradient::Gradient;
use crate::synaptogen::network::Batch;
use crate::synaptogen::profile::Profile;
use crate::world::{Action, Draws, Seeds, World};

/// Largest norm of a gradient: `max_grad_norm` of stable-baselines3.
pub const CLIP: f32 = 10.0;
/// Steps from one word of progress to the next.
const REPORT: u32 = 1_000;

pub(super) fn learn<W: World<Action = i32>>(
    training: &Training,
    hyper: &Hyperparameters,
    progress: &(dyn Fn(u32) + Sync),
) -> Trained {
    let mut learner = Learner::new(training, hyper);
    let mut environment = Environment::<W>::new(training.seed);
    let mut watch = Watch::new(training, learner.profile.clone());
    let mut steps = 0;
    while steps < training.steps {
        for _ in 0..hyper.train_frequency {
            let action = learner.act(steps, &environment.seen);
            let (reward, terminated, is_over) = environment.step(action);
            steps += 1;
            if steps % VALIDATION_INTERVAL == 0 {
                watch.validate::<W>(steps, &learner);
            }
            let Environment { seen, next, .. } = &environment;
            learner.replay.push(Transition { seen, next, action: action as usize, reward, terminated });
            if steps % hyper.target_update_interval == 0 {
                learner.target.copy_from(learner.assembly.weights());
            }
            learner.exploration = hyper.exploration(steps, training.steps);
            environment.go_on(is_over);
            if steps % REPORT == 0 {
                progress(REPORT);
            }
        }
        if steps > hyper.learning_starts {
            InstructionSet::best().run(Round { learner: &mut learner, updates: hyper.gradient_steps });
        }
    }
    progress(steps % REPORT);
    let Watch { best, validations, .. } = watch;
    let profile = if validations.is_empty() { learner.profile } else { best };
    Trained { profile, validations, steps, updates: learner.updates }
}

/// The one that is learnt in.
struct Environment<W> {
    seeds: Seeds,
    episode: u32,
    length: u32,
    draws: Draws,
    world: W,
    /// What it shows.
    seen: Vec<f32>,
    /// What it shows after the step.
    next: Vec<f32>,
}

impl<W: World> Environment<W> {
    fn new(seed: u64) -> Self {
        let seeds = Seeds::Phylon(seed);
        let mut draws = seeds.episode(0);
        let world = W::reset(&mut draws);
        let mut seen = vec![0.0; W::SPEC.observations];
        world.observe(&mut seen, 1);
        Self { seeds, episode: 0, length: 0, draws, world, next: seen.clone(), seen }
    }

    /// Reward, whether the episode came to an end of its own, and whether it is over for that or another reason.
    fn step(&mut self, action: W::Action) -> (f32, bool, bool) {
        let outcome = self.world.step(action, &mut self.draws);
        self.world.observe(&mut self.next, 1);
        self.length += 1;
        (outcome.reward as f32, outcome.terminated, outcome.terminated || self.length == W::SPEC.limit)
    }

    /// On from what is shown now, or from the beginning of another episode.
    fn go_on(&mut self, is_over: bool) {
        if is_over {
            self.episode += 1;
            self.length = 0;
            self.draws = self.seeds.episode(self.episode);
            self.world = W::reset(&mut self.draws);
            self.world.observe(&mut self.seen, 1);
        } else {
            self.seen.copy_from_slice(&self.next);
        }
    }
}

/// What is learnt, and what it is learnt with.
struct Learner<'a> {
    hyper: &'a Hyperparameters,
    seed: u64,
    profile: Profile,
    /// Of the profile, always.
    assembly: Assembly,
    target: Weights,
    adam: Adam,
    replay: Replay,
    /// Probability of a random action. stable-baselines3 sets it after a step, so it is 0 in the first.
    exploration: f64,
    updates: u32,
    acting: Batch,
    batch: Batch,
    /// What is seen next, for the target network.
    ahead: Batch,
    actions: Vec<usize>,
    targets: Vec<f32>,
    /// Whether the episode went on.
    going: Vec<bool>,
    gradient: Gradient,
    slopes: Vec<f32>,
}

impl<'a> Learner<'a> {
    fn new(training: &Training, hyper: &'a Hyperparameters) -> Self {
        let shape = &training.shape;
        let profile = Profile::initial(shape.clone(), training.rules.clone(), training.seed);
        let mut assembly = Assembly::new(shape, &training.rules);
        assembly.assemble(&profile.parameters);
        let parameters = profile.parameters.len();
        Self {
            hyper,
            seed: training.seed,
            target: assembly.weights().clone(),
            assembly,
            profile,
            adam: Adam::new(training.rate, CLIP, parameters),
            replay: Replay::new(hyper.buffer, shape.layers[0]),
            exploration: 0.0,
            updates: 0,
            acting: Batch::new(shape, 1),
            batch: Batch::new(shape, hyper.batch),
            ahead: Batch::new(shape, hyper.batch),
            actions: vec![0; hyper.batch],
            targets: vec![0.0; hyper.batch],
            going: vec![false; hyper.batch],
            gradient: Gradient::new(shape),
            slopes: vec![0.0; parameters],
        }
    }

    /// In the step after so many.
    fn act(&mut self, steps: u32, seen: &[f32]) -> i32 {
        let row = Row { seed: self.seed, stream: Stream::Exploration, generation: 0, index: 0 };
        let [chance, choice, ..] = row.block(steps);
        let actions = self.assembly.shape().layers[self.assembly.shape().connections()];
        let is_random = f64::from(chance) * (1.0 / 4_294_967_296.0) < self.exploration;
        if steps < self.hyper.learning_starts || is_random {
            return below(choice, actions) as i32;
        }
        self.acting.input_mut(0).copy_from_slice(seen);
        InstructionSet::best().run(Ask { batch: &mut self.acting, weights: self.assembly.weights() });
        i32::from_outputs(self.acting.output(0), 1, actions)
    }

    /// One step of the optimiser.
    #[inline(always)]
    fn update<V: Vector>(&mut self) {
        let Hyperparameters { batch: examples, discount, .. } = *self.hyper;
        let row = Row { seed: self.seed, stream: Stream::Replay, generation: self.updates, index: 0 };
        for i in 0..examples {
            // Four to a block.
            let word = row.block(i as u32 / 4)[i % 4];
            let Transition { seen, next, action, reward, terminated } =
                self.replay.get(below(word, self.replay.count()));
            self.batch.input_mut(i).copy_from_slice(seen);
            self.ahead.input_mut(i).copy_from_slice(next);
            self.actions[i] = action;
            self.targets[i] = reward;
            self.going[i] = !terminated;
        }
        self.ahead.forward::<V>(&self.target, examples);
        for i in 0..examples {
            let values = self.ahead.output(i);
            let best = values[1..].iter().fold(values[0], |best, &x| if x > best || x.is_nan() { x } else { best });
            if self.going[i] {
                self.targets[i] += discount * best;
            }
        }
        self.batch.forward::<V>(self.assembly.weights(), examples);
        self.batch.smooth_l1(&self.actions, &self.targets);
        self.batch.backward::<V>(self.assembly.weights(), examples, &mut self.gradient);
        self.gradient.finish::<V>(&self.assembly, &self.profile.parameters, &mut self.slopes);
        self.adam.step::<V>(&mut self.profile.parameters, &self.slopes);
        self.assembly.assemble_with::<V>(&self.profile.parameters);
        self.updates += 1;
    }
}

/// A number below `count` from a word.
#[inline(always)]
fn below(word: u32, count: usize) -> usize {
    ((u64::from(word) * count as u64) >> 32) as usize
}

struct Ask<'a> {
    batch: &'a mut Batch,
    weights: &'a Weights,
}

impl Kernel for Ask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.batch.forward::<V>(self.weights, 1);
    }
}

/// Updates between steps.
struct Round<'a, 'b> {
    learner: &'a mut Learner<'b>,
    updates: u32,
}

impl Kernel for Round<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for _ in 0..self.updates {
            self.learner.update::<V>();
        }
    }
}

/// Keeps the best profile by its validation.
struct Watch {
    seeds: Seeds,
    best: Profile,
    best_mean: f64,
    validations: Vec<Validation>,
}

impl Watch {
    fn new(training: &Training, profile: Profile) -> Self {
        let seeds = Seeds::Phylon(training.validation_seed());
        Self { seeds, best: profile, best_mean: f64::NEG_INFINITY, validations: Vec::new() }
    }

    fn validate<W: World>(&mut self, steps: u32, learner: &Learner<'_>) {
        let first = self.validations.len() as u32 * VALIDATION_EPISODES;
        let episodes = play_alone::<W>(&learner.assembly.mean_agent(), self.seeds, first..first + VALIDATION_EPISODES);
        let mean = score(&episodes);
        self.validations.push(Validation { steps, mean });
        if mean > self.best_mean {
            self.best_mean = mean;
            self.best = learner.profile.clone();
        }
    }
}
