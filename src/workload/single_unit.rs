//! One unit in open loop (IAF, STDP): offspring x environments x steps on the CPU.
//!
//! Threads take offspring. A thread perturbs the centre into its own buffer, steps the offspring's environments
//! through the whole episode, [`WINDOW`] lanes at a time so that state and weights stay in the nearest caches, and
//! keeps one fitness. Nothing of the size population x parameters ever exists.

use std::time::Instant;

use rayon::prelude::*;

use crate::config::{self, Iaf};
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::engine::{Best, Engine, Facts, Generation, State};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::rng::{Row, Stream};
use crate::search::es::Es;
use crate::search::mutation::{Mutation, sums};
use crate::search::snes::Snes;
use crate::search::{Optimiser, Spread};
use crate::task::stdp::{Rule, StdpTask};
use crate::task::{Answer, Episodes, Task};
use crate::unit::{Instances, Shape};

/// Environments stepped together: two AVX-512 registers of lanes. The state of 32 units of 16/32/16 takes 20 KB.
pub const WINDOW: usize = 32;

/// A unit and its task: draws episodes and plays them with given parameters.
#[derive(Debug, Clone)]
pub struct SingleUnit {
    shape: Shape,
    task: OpenLoop,
    steps: usize,
    instructions: InstructionSet,
}

/// The tasks a single unit can be given.
#[derive(Debug, Clone)]
enum OpenLoop {
    Iaf(Iaf),
    Stdp(StdpTask),
}

/// Buffers of a thread.
struct Workspace {
    weights: Vec<f32>,
    instances: Instances,
    /// Channel 0, `[step][lane]`.
    outputs: Vec<f32>,
    /// Of each environment.
    fitness: Vec<f32>,
}

impl SingleUnit {
    /// The unit and task of a plan, with this machine's best instruction set.
    pub fn new(plan: &Plan) -> Self {
        let task = match &plan.config.task {
            config::Task::Iaf(iaf) => OpenLoop::Iaf(iaf.clone()),
            config::Task::Stdp(stdp) => OpenLoop::Stdp(StdpTask { config: stdp.clone(), rule: Rule::Plain }),
            config::Task::StdpComplex(stdp) => OpenLoop::Stdp(StdpTask { config: stdp.clone(), rule: Rule::Complex }),
        };
        Self { shape: plan.unit, task, steps: plan.steps, instructions: InstructionSet::best() }
    }

    /// The same, run with another instruction set of this machine: the bits must not change.
    pub fn with_instructions(self, instructions: InstructionSet) -> Self {
        Self { instructions, ..self }
    }

    /// The task, if it is IAF.
    pub fn iaf(&self) -> Option<&Iaf> {
        if let OpenLoop::Iaf(iaf) = &self.task { Some(iaf) } else { None }
    }

    /// The task, if it is one of the STDP rules.
    pub fn stdp(&self) -> Option<&StdpTask> {
        if let OpenLoop::Stdp(stdp) = &self.task { Some(stdp) } else { None }
    }

    fn draw(&self, environments: usize, seed: u64, stream: Stream, generation: u32) -> Episodes {
        let row = |environment: usize| Row { seed, stream, generation, index: environment as u32 };
        match &self.task {
            OpenLoop::Iaf(task) => task.draw(environments, self.steps, row),
            OpenLoop::Stdp(task) => task.draw(environments, self.steps, row),
        }
    }

    /// The episodes of a generation of the run with this seed.
    pub fn generation_episodes(&self, environments: usize, seed: u64, generation: u32) -> Episodes {
        self.draw(environments, seed, Stream::Episode, generation)
    }

    /// Episodes that no generation of any run used.
    pub fn fresh_episodes(&self, environments: usize, seed: u64) -> Episodes {
        self.draw(environments, seed, Stream::Fresh, 0)
    }

    /// Fitness of each environment, length `episodes.environments`.
    ///
    /// # Panics
    /// When the length of `parameters` is not [`Plan::parameters`].
    pub fn fitness(&self, parameters: &[f32], episodes: &Episodes) -> Vec<f32> {
        let mut workspace = self.workspace(episodes);
        workspace.weights.copy_from_slice(parameters);
        self.play(&mut workspace, episodes);
        workspace.fitness
    }

    /// Output channel 0, `[step][lane]` with `episodes.lanes` lanes.
    pub fn outputs(&self, parameters: &[f32], episodes: &Episodes) -> Vec<f32> {
        let mut workspace = self.workspace(episodes);
        let mut outputs = vec![0.0; episodes.steps * episodes.lanes];
        for first in (0..episodes.lanes).step_by(WINDOW) {
            let lanes = workspace.instances.lanes.min(episodes.lanes - first);
            self.instructions.run(Rollout {
                weights: parameters,
                episodes,
                first,
                instances: &mut workspace.instances,
                outputs: &mut workspace.outputs,
            });
            let from = workspace.outputs.chunks_exact(workspace.instances.lanes);
            for (to, from) in outputs.chunks_exact_mut(episodes.lanes).zip(from) {
                to[first..first + lanes].copy_from_slice(&from[..lanes]);
            }
        }
        outputs
    }

    fn workspace(&self, episodes: &Episodes) -> Workspace {
        let instances = Instances::new(self.shape, episodes.lanes.min(WINDOW));
        Workspace {
            weights: vec![0.0; self.shape.parameters()],
            outputs: vec![0.0; episodes.steps * instances.lanes],
            fitness: vec![0.0; episodes.environments],
            instances,
        }
    }

    /// Play all episodes with the workspace's weights and fill in its fitness.
    fn play(&self, workspace: &mut Workspace, episodes: &Episodes) {
        match &self.task {
            OpenLoop::Iaf(task) => self.instructions.run(Play { task, episodes, workspace }),
            OpenLoop::Stdp(task) => self.instructions.run(Play { task, episodes, workspace }),
        }
    }

    /// Mean fitness over the episodes of `centre + spread * noise` of an offspring; of the centre itself for `None`.
    fn offspring_fitness(
        &self,
        workspace: &mut Workspace,
        episodes: &Episodes,
        (centre, spread): (&[f32], Spread<'_>),
        mutation: Option<(Mutation, usize)>,
    ) -> f32 {
        match mutation {
            Some((mutation, offspring)) => {
                let weights = &mut workspace.weights;
                self.instructions.run(Perturb { mutation, offspring, centre, spread, weights });
            }
            None => workspace.weights.copy_from_slice(centre),
        }
        self.play(workspace, episodes);
        mean(&workspace.fitness)
    }
}

/// Summed in order, so that the bits are always the same.
fn mean(fitness: &[f32]) -> f32 {
    fitness.iter().sum::<f32>() / fitness.len() as f32
}

/// [`Mutation::perturb`] as compiled per instruction set.
struct Perturb<'a> {
    mutation: Mutation,
    offspring: usize,
    centre: &'a [f32],
    spread: Spread<'a>,
    weights: &'a mut [f32],
}

impl Kernel for Perturb<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.mutation.perturb(self.offspring, self.centre, self.spread, self.weights);
    }
}

/// All windows of the episodes, with their fitness.
struct Play<'a, T> {
    task: &'a T,
    episodes: &'a Episodes,
    workspace: &'a mut Workspace,
}

impl<T: Task> Kernel for Play<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Workspace { weights, instances, outputs, fitness } = self.workspace;
        let lanes = instances.lanes;
        for (window, fitness) in fitness.chunks_mut(lanes).enumerate() {
            let first = window * lanes;
            Rollout { weights, episodes: self.episodes, first, instances, outputs }.run::<V>();
            self.task.fitness(self.episodes, Answer { outputs, lanes, first }, fitness);
        }
    }
}

/// The environments `first ..` through a whole episode; output channel 0 goes to `outputs`, `[step][lane]`.
struct Rollout<'a> {
    weights: &'a [f32],
    episodes: &'a Episodes,
    first: usize,
    instances: &'a mut Instances,
    outputs: &'a mut [f32],
}

impl Kernel for Rollout<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { weights, episodes, first, instances, outputs } = self;
        let lanes = instances.lanes;
        // The last window may be narrower than the others; its spare lanes idle on zero inputs.
        let live = lanes.min(episodes.lanes - first);
        instances.reset();
        let steps = episodes.inputs.chunks_exact(episodes.channels * episodes.lanes);
        for (inputs, outputs) in steps.zip(outputs.chunks_exact_mut(lanes)) {
            let rows = instances.inputs_mut().chunks_exact_mut(lanes);
            for (to, from) in rows.zip(inputs.chunks_exact(episodes.lanes)) {
                to[..live].copy_from_slice(&from[first..first + live]);
            }
            instances.step::<V>(weights, episodes.channels, None);
            outputs.copy_from_slice(&instances.outputs()[..lanes]);
        }
    }
}

/// [`SingleUnit`] under an optimiser: the CPU engine.
pub struct SingleUnitEngine {
    unit: SingleUnit,
    optimiser: Box<dyn Optimiser>,
    seed: u64,
    environments: usize,
    population: usize,
    facts: Facts,
    validation: Episodes,
    validate_every: u32,
    generation: u32,
    best: Option<Best>,
}

impl SingleUnitEngine {
    /// At generation 0, with its first centre drawn.
    ///
    /// # Panics
    /// When the plan's config was changed and has no optimiser any more.
    pub fn new(plan: &Plan) -> Self {
        let seed = plan.config.run.seed;
        let centre = first_centre(plan);
        let optimiser: Box<dyn Optimiser> = match plan.config.optimiser().expect("a plan has one optimiser") {
            config::Optimiser::Es(es) => Box::new(Es::new(es, plan.population, centre)),
            config::Optimiser::Snes(snes) => Box::new(Snes::new(snes, plan.population, centre)),
        };
        let unit = SingleUnit::new(plan);
        let episodes = plan.config.run.validation_episodes as usize;
        Self {
            validation: unit.draw(episodes, seed, Stream::Validation, 0),
            validate_every: plan.config.run.validate_every,
            unit,
            optimiser,
            seed,
            environments: plan.environments,
            population: plan.population,
            facts: plan.facts(),
            generation: 0,
            best: None,
        }
    }

    /// The same, run with another instruction set of this machine: the bits must not change.
    pub fn with_instructions(self, instructions: InstructionSet) -> Self {
        Self { unit: self.unit.with_instructions(instructions), ..self }
    }

    fn mutation(&self) -> Mutation {
        Mutation { seed: self.seed, generation: self.generation, antithetic: self.optimiser.antithetic() }
    }

    /// Fitness of every offspring and, last, of the centre.
    fn evaluate(&self) -> Vec<f32> {
        let episodes = self.unit.generation_episodes(self.environments, self.seed, self.generation);
        let mutation = self.mutation();
        let search = (self.optimiser.centre(), self.optimiser.spread());
        (0..=self.population)
            .into_par_iter()
            .map_init(
                || self.unit.workspace(&episodes),
                |workspace, i| {
                    let mutation = (i < self.population).then_some((mutation, i));
                    self.unit.offspring_fitness(workspace, &episodes, search, mutation)
                },
            )
            .collect()
    }

    /// Judge the centre on the validation episodes, and keep it if it is the best so far.
    fn validate(&mut self) {
        let centre = self.optimiser.centre();
        let fitness = mean(&self.unit.fitness(centre, &self.validation));
        if fitness.is_finite() && self.best.as_ref().is_none_or(|best| fitness > best.fitness) {
            tracing::info!(generation = self.generation, fitness, "best centre so far");
            self.best = Some(Best { generation: self.generation, fitness, parameters: centre.to_vec() });
        }
    }

    /// The update that `fitness` leads to.
    fn learn(&mut self, fitness: &[f32]) -> Result<()> {
        if !fitness.iter().any(|f| f.is_finite()) {
            return Err(Error::Run(format!(
                "generation {}: no offspring has a finite fitness, so there is nothing to select; \
                 try: a smaller sigma, learning_rate or initial_scale",
                self.generation
            )));
        }
        let utilities = self.optimiser.utilities(fitness);
        let (length, second) = (self.facts.parameters, self.optimiser.needs_second());
        let sums = sums(&self.mutation(), &utilities, length, second, self.unit.instructions);
        self.optimiser.update(&sums);
        self.generation += 1;
        Ok(())
    }
}

/// N(0, initial_scale^2 / rows) for every matrix.
fn first_centre(plan: &Plan) -> Vec<f32> {
    let (_, size) = plan.config.unit.kind_and_size();
    let mut centre = vec![0.0; plan.parameters()];
    Row { seed: plan.config.run.seed, stream: Stream::Initial, generation: 0, index: 0 }.normals(0, &mut centre);
    let mut rest = centre.as_mut_slice();
    for (rows, columns) in plan.unit.matrices() {
        let (matrix, behind) = rest.split_at_mut(rows * columns);
        let scale = size.initial_scale / (rows as f32).sqrt();
        matrix.iter_mut().for_each(|weight| *weight *= scale);
        rest = behind;
    }
    centre
}

impl Engine for SingleUnitEngine {
    fn advance(&mut self, generations: u32, out: &mut Vec<Generation>) -> Result<()> {
        for _ in 0..generations {
            let start = Instant::now();
            let index = self.generation;
            let mut fitness = self.evaluate();
            let centre = fitness.pop().unwrap_or(f32::NAN);
            self.learn(&fitness)?;
            if self.generation.is_multiple_of(self.validate_every) {
                self.validate();
            }
            let seconds = start.elapsed().as_secs_f64();
            out.push(Generation { index, fitness, centre, env_steps: self.facts.env_steps, seconds });
        }
        Ok(())
    }

    fn replay(&mut self, fitness: &[f32]) -> Result<()> {
        if fitness.len() != self.population {
            return Err(Error::Run(format!(
                "a record of {} fitness values cannot be replayed: the population is {}",
                fitness.len(),
                self.population
            )));
        }
        self.learn(fitness)
    }

    fn state(&self) -> State {
        State {
            generation: self.generation,
            centre: self.optimiser.centre().to_vec(),
            optimiser: self.optimiser.vectors(),
            best: self.best.clone(),
        }
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let own = self.optimiser.vectors();
        let same = own.len() == state.optimiser.len()
            && own.iter().zip(&state.optimiser).all(|(a, b)| a.0 == b.0 && a.1.len() == b.1.len())
            && state.centre.len() == self.facts.parameters
            && state.best.as_ref().is_none_or(|best| best.parameters.len() == self.facts.parameters);
        if !same {
            return Err(Error::Run("the saved state is of another unit or optimiser than the config's".into()));
        }
        self.optimiser.restore(&state.centre, &state.optimiser);
        self.generation = state.generation;
        self.best = state.best.clone();
        Ok(())
    }

    fn facts(&self) -> Facts {
        self.facts
    }
}
