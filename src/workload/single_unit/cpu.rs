//! The CPU engine.
//!
//! Threads take offspring. A thread perturbs the centre into its own buffer, steps the offspring's environments
//! through the whole episode, [`super::WINDOW`] lanes at a time so that state and weights stay in the nearest caches,
//! and keeps one fitness. Nothing of the size population x parameters ever exists.

use std::time::Instant;

use rayon::prelude::*;

use super::{SingleUnit, check_record, mean, nothing_to_select};
use crate::config;
use crate::cpu::InstructionSet;
use crate::engine::{Best, Engine, Facts, Generation, State};
use crate::error::Result;
use crate::plan::Plan;
use crate::profile::{self, Ceilings, Part, Profile, Work};
use crate::rng::Stream;
use crate::search::Optimiser;
use crate::search::es::Es;
use crate::search::mutation::{Mutation, sums};
use crate::search::snes::Snes;
use crate::task::Episodes;

/// [`SingleUnit`] under an optimiser.
pub struct CpuEngine {
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

impl CpuEngine {
    /// At generation 0, with its first centre drawn.
    ///
    /// # Panics
    /// When the plan's config was changed and has no optimiser any more.
    pub fn new(plan: &Plan) -> Self {
        let seed = plan.config.run.seed;
        let unit = SingleUnit::new(plan);
        let centre = unit.first_centre(plan, seed);
        let optimiser: Box<dyn Optimiser> = match plan.config.optimiser().expect("a plan has one optimiser") {
            config::Optimiser::Es(es) => Box::new(Es::new(es, plan.population, centre)),
            config::Optimiser::Snes(snes) => Box::new(Snes::new(snes, plan.population, centre)),
        };
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
            return Err(nothing_to_select(self.seed, self.generation));
        }
        let utilities = self.optimiser.utilities(fitness);
        let (length, second) = (self.facts.parameters, self.optimiser.needs_second());
        let sums = sums(&self.mutation(), &utilities, length, second, self.unit.instructions);
        self.optimiser.update(&sums);
        self.generation += 1;
        Ok(())
    }
}

impl CpuEngine {
    /// What each part of a generation takes; moves the engine on by some generations.
    ///
    /// # Errors
    /// As [`Engine::advance`].
    pub fn profile(&mut self, plan: &Plan, description: &str) -> Result<Profile> {
        let ceilings = Ceilings::of_cpu();
        let mut seconds = [Vec::new(), Vec::new(), Vec::new()];
        let start = Instant::now();
        while seconds[0].len() < 3 || (seconds[0].len() < 100 && start.elapsed().as_secs_f64() < 3.0) {
            let [rollout, update, validation] = &mut seconds;
            let mut fitness = timed(rollout, || self.evaluate());
            fitness.pop();
            timed(update, || self.learn(&fitness))?;
            timed(validation, || self.validate());
        }
        let [rollout, update, validation] = seconds.map(profile::median);
        let flops = |players: usize, environments: usize| {
            (players * environments * plan.steps * 2 * plan.unit.multiply_adds(plan.channels)) as u64
        };
        let work = |flops| Work { flops, ..Work::default() };
        let summed = work((2 * self.population * plan.parameters()) as u64);
        let validations = 1.0 / f64::from(self.validate_every);
        let mut parts = vec![
            Part::new("rollout", 1.0, rollout, work(self.facts.flops), &ceilings),
            Part::new("update", 1.0, update, summed, &ceilings),
            Part::new("validation", validations, validation, work(flops(1, self.validation.environments)), &ceilings),
        ];
        profile::shares(&mut parts);
        let generation_seconds = rollout + update + validations * validation;
        Ok(Profile {
            device: description.to_owned(),
            numerics: "exact".into(),
            trials: 1,
            population: self.population,
            ceilings,
            parts,
            generation_seconds,
            idle_seconds: None,
            env_steps_per_second: self.facts.env_steps as f64 / generation_seconds,
        })
    }
}

/// Run `work` and keep the seconds that it took.
fn timed<T>(seconds: &mut Vec<f64>, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    seconds.push(start.elapsed().as_secs_f64());
    result
}

impl Engine for CpuEngine {
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
        check_record(fitness.len(), self.population)?;
        self.learn(fitness)
    }

    fn state(&self) -> Result<State> {
        Ok(State {
            generation: self.generation,
            centre: self.optimiser.centre().to_vec(),
            optimiser: self.optimiser.vectors(),
            best: self.best.clone(),
        })
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.state()?.check_fits(state)?;
        self.optimiser.restore(&state.centre, &state.optimiser);
        self.generation = state.generation;
        self.best = state.best.clone();
        Ok(())
    }

    fn facts(&self) -> Facts {
        self.facts
    }
}
