//! The CPU engine.
//!
//! Threads take offspring. A thread perturbs the centre into its own buffer, steps the offspring's environments
//! through the whole episode, [`Workload::WINDOW`] at a time so that state and weights stay in the nearest caches,
//! and keeps one fitness. Nothing of the size population x parameters ever exists. Of several ranks each does so with its
//! slice of the players, and all make the same update.

use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use rayon::prelude::*;

use super::start::first_centre;
use super::{Workload, check_record, mean, mean_fitness, nothing_to_select};
use crate::comm::{Ranks, Shares};
use crate::config;
use crate::engine::{Best, Engine, Facts, Generation, State};
use crate::error::Result;
use crate::plan::Plan;
use crate::profile::{self, Ceilings, Part, Profile, Work};
use crate::rng::Stream;
use crate::search::Optimiser;
use crate::search::es::Es;
use crate::search::mutation::{Mutation, Perturb, sums};
use crate::search::snes::Snes;

/// A workload under an optimiser.
pub(super) struct CpuEngine<W: Workload> {
    workload: W,
    optimiser: Box<dyn Optimiser>,
    seed: u64,
    environments: usize,
    population: usize,
    facts: Facts,
    validation: W::Episodes,
    validate_every: u32,
    generation: u32,
    best: Option<Best>,
    ranks: Rc<Ranks>,
    shares: Shares,
}

impl<W: Workload> CpuEngine<W> {
    /// At generation 0, with its first centre drawn; to play its share of each generation.
    ///
    /// # Panics
    /// When the plan's config was changed and has no optimiser any more.
    pub(super) fn new(plan: &Plan, workload: W, ranks: Rc<Ranks>, shares: Shares) -> Self {
        let seed = plan.config.run.seed;
        let centre = first_centre(&workload, plan, seed);
        let optimiser: Box<dyn Optimiser> = match plan.config.optimiser().expect("a plan has one optimiser") {
            config::Optimiser::Es(es) => Box::new(Es::new(es, plan.population, centre)),
            config::Optimiser::Snes(snes) => Box::new(Snes::new(snes, plan.population, centre)),
        };
        let episodes = plan.config.run.validation_episodes as usize;
        Self {
            validation: workload.draw(episodes, seed, Stream::Validation, 0),
            validate_every: plan.config.run.validate_every,
            workload,
            optimiser,
            seed,
            environments: plan.environments,
            population: plan.population,
            facts: plan.facts(),
            generation: 0,
            best: None,
            ranks,
            shares,
        }
    }

    /// The only rank.
    ///
    /// # Panics
    /// As [`CpuEngine::new`].
    pub(super) fn alone(plan: &Plan, workload: W) -> Self {
        Self::new(plan, workload, Rc::new(Ranks::alone()), Shares::whole(plan))
    }

    fn mutation(&self) -> Mutation {
        Mutation { seed: self.seed, generation: self.generation, antithetic: self.optimiser.antithetic() }
    }

    /// Fitness of every offspring and, last, of the centre; and the steps simulated.
    fn evaluate(&self) -> Result<(Vec<f32>, u64)> {
        let (fitness, steps) = self.play(self.shares.mine());
        self.ranks.gather(&self.shares, fitness, steps)
    }

    /// The same of these players.
    fn play(&self, players: Range<usize>) -> (Vec<f32>, u64) {
        let workload = &self.workload;
        let episodes = workload.generation_episodes(self.environments, self.seed, self.generation);
        let mutation = self.mutation();
        let (centre, spread) = (self.optimiser.centre(), self.optimiser.spread());
        let (population, environments) = (self.population, self.environments);
        let played: Vec<(f32, u64)> = players
            .into_par_iter()
            .map_init(
                || (centre.to_vec(), vec![0.0; environments], workload.workspace(environments)),
                |(weights, fitness, workspace), offspring| {
                    if offspring < population {
                        workload.instructions().run(Perturb {
                            mutation,
                            offspring,
                            centre,
                            spread,
                            parameters: weights,
                        });
                    } else {
                        weights.copy_from_slice(centre);
                    }
                    mean_fitness(workload, (fitness, workspace), weights, &episodes)
                },
            )
            .collect();
        (played.iter().map(|p| p.0).collect(), played.iter().map(|p| p.1).sum())
    }

    /// Judge the centre on the validation episodes, and keep it if it is the best so far.
    fn validate(&mut self) {
        let centre = self.optimiser.centre();
        let fitness = mean(&self.workload.fitness(centre, &self.validation));
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
        let sums = sums(&self.mutation(), &utilities, length, second, self.workload.instructions());
        self.optimiser.update(&sums);
        self.generation += 1;
        Ok(())
    }
}

impl<W: Workload> CpuEngine<W> {
    /// What each part of a generation takes; moves the engine on by some generations.
    ///
    /// # Errors
    /// As [`Engine::advance`].
    pub(super) fn profile(&mut self, plan: &Plan, description: &str, ceilings: &Ceilings) -> Result<Profile> {
        let mut seconds = [Vec::new(), Vec::new(), Vec::new()];
        let mut steps = Vec::new();
        let start = Instant::now();
        while seconds[0].len() < 3 || (seconds[0].len() < 100 && start.elapsed().as_secs_f64() < 3.0) {
            let [rollout, update, validation] = &mut seconds;
            let (mut fitness, simulated) = timed(rollout, || self.evaluate())?;
            steps.push(simulated as f64);
            fitness.pop();
            timed(update, || self.learn(&fitness))?;
            timed(validation, || self.validate());
        }
        let [rollout, update, validation] = seconds.map(profile::median);
        let steps = profile::median(steps);
        // Of environments that end early only the steps that they lived.
        let step_flops = self.facts.flops as f64 / self.facts.env_steps as f64;
        let flops = |steps: f64| Work { flops: (steps * step_flops) as u64, ..Work::default() };
        let summed = Work { flops: (2 * self.population * self.facts.parameters) as u64, ..Work::default() };
        let validations = 1.0 / f64::from(self.validate_every);
        let validated = (W::environments(&self.validation) * plan.steps) as f64;
        let mut parts = vec![
            Part::new("rollout", 1.0, rollout, flops(steps), ceilings),
            Part::new("update", 1.0, update, summed, ceilings),
            Part::new("validation", validations, validation, flops(validated), ceilings),
        ];
        profile::shares(&mut parts);
        let generation_seconds = rollout + update + validations * validation;
        Ok(Profile {
            device: description.to_owned(),
            numerics: "exact".into(),
            trials: 1,
            population: self.population,
            ceilings: *ceilings,
            parts,
            generation_seconds,
            idle_seconds: None,
            env_steps_per_second: steps / generation_seconds,
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

impl<W: Workload> Engine for CpuEngine<W> {
    fn advance(&mut self, generations: u32, out: &mut Vec<Generation>) -> Result<()> {
        for _ in 0..generations {
            let start = Instant::now();
            let index = self.generation;
            let (mut fitness, env_steps) = self.evaluate()?;
            let centre = fitness.pop().unwrap_or(f32::NAN);
            self.learn(&fitness)?;
            if self.generation.is_multiple_of(self.validate_every) {
                self.validate();
            }
            let seconds = start.elapsed().as_secs_f64();
            out.push(Generation { index, fitness, centre, env_steps, seconds });
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
