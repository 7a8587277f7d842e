//! Each kernel by itself, and whole generations.

use std::time::Instant;

use super::{Pack, Players};
use crate::config::Numerics;
use crate::error::Result;
use crate::gpu;
use crate::plan::Plan;
use crate::profile::{self, Ceilings, Part, Profile, Work};
use crate::rng::Stream;

impl Pack {
    /// What each kernel takes, and how much of a whole generation the device idles.
    ///
    /// # Errors
    /// When the device fails.
    pub fn profile(&mut self, description: &str) -> Result<Profile> {
        let ceilings = Ceilings::of_gpu(&self.gpu)?;
        // The whole first: it also leaves the buffers as the single kernels expect them.
        let (generation_seconds, idle_seconds) = self.time_generations()?;
        let trials = self.seeds.len();
        let step = self.halves[0].steps.pointer();
        let fitness = self.halves[0].fitness.pointer();
        let mut parts = Vec::new();
        let mut part = |name: &str, calls: f64, work: Work, launch: &dyn Fn() -> Result<()>| -> Result<()> {
            let _range = gpu::range(name);
            let seconds = profile::median(profile::times(5, || self.gpu.time(launch))?);
            parts.push(Part::new(name, calls, seconds, work, &ceilings));
            Ok(())
        };
        let [generation, validation] = [&self.generation, &self.validation].map(|players| self.rollout_work(players));
        let (validations, batches) =
            (1.0 / f64::from(self.plan.config.run.validate_every), 1.0 / f64::from(self.batch));
        let players = &self.generation;
        let episodes = Work { bytes: 4 * (players.inputs.len() + players.target.len()) as u64, ..Work::default() };
        part(self.names.draw, batches, episodes, &|| self.draw(players, step, Stream::Episode, self.batch))?;
        part(&self.names.rollout, 1.0, generation, &|| self.play(players, 0, step))?;
        let all = Work { bytes: 4 * players.fitness.len() as u64, ..Work::default() };
        part("mean_fitness", 1.0, all, &|| self.mean(players, fitness))?;
        let (population, parameters) = (self.plan.population, self.plan.parameters());
        let compared = Work { bytes: (12 * trials * population) as u64, ..Work::default() };
        part("rank", 1.0, compared, &|| self.rank(step, fitness))?;
        let summed = Work {
            flops: (2 * trials * population * parameters) as u64,
            bytes: (4 * trials * (4 * parameters + population)) as u64,
            ..Work::default()
        };
        part("update", 1.0, summed, &|| self.update(step))?;
        part("validation", validations, validation, &|| self.play(&self.validation, 0, step))?;
        profile::shares(&mut parts);
        Ok(Profile {
            device: description.to_owned(),
            numerics: format!("{:?}", self.plan.config.run.numerics).to_lowercase(),
            trials,
            population,
            ceilings,
            parts,
            generation_seconds,
            idle_seconds: Some(idle_seconds),
            env_steps_per_second: self.facts().env_steps as f64 / generation_seconds,
        })
    }

    /// Seconds of wall time a generation and trial over at least ten batches, and how much longer that is than the device
    /// worked.
    fn time_generations(&mut self) -> Result<(f64, f64)> {
        let (batches, batch) = (if self.gpu.is_emulated() { 2 } else { 12 }, self.batch);
        // The first captures the graph and starts the device running ahead.
        self.advance(batch, &mut |_, _| ())?;
        let (mut busy, mut generations) = (0.0, 0u32);
        let start = Instant::now();
        for _ in 0..batches {
            self.advance(batch, &mut |trial, generation| {
                if trial == 0 {
                    busy += generation.seconds;
                    generations += 1;
                }
            })?;
        }
        let each = f64::from(generations) * self.seeds.len() as f64;
        let wall = start.elapsed().as_secs_f64();
        Ok((wall / each, (wall - busy).max(0.0) / each))
    }

    fn rollout_work(&self, players: &Players) -> Work {
        let Plan { unit, channels, steps, .. } = &self.plan;
        let steps_played = (self.seeds.len() * (players.perturbed + 1) * players.environments * steps) as u64;
        Work {
            flops: steps_played * 2 * unit.multiply_adds(*channels) as u64,
            bytes: 4 * (players.inputs_length + players.target_length + players.fitness.len()) as u64,
            functions: steps_played * (unit.functions() as u64),
            fast: self.plan.config.run.numerics != Numerics::Exact,
        }
    }
}
