//! Each kernel by itself, and whole generations.

use std::time::Instant;

use super::Pack;
use crate::abi::Pointer;
use crate::error::Result;
use crate::gpu;
use crate::profile::{self, Ceilings, Part, Profile, Work};
use crate::rng::Stream;

impl Pack {
    /// What each kernel takes, and how much of a whole generation the device idles.
    ///
    /// # Errors
    /// When the device fails.
    pub fn profile(&mut self, description: &str, ceilings: &Ceilings) -> Result<Profile> {
        // The whole first: it also leaves the buffers as the single kernels expect them.
        let Timed { generation_seconds, idle_seconds, env_steps } = self.time_generations()?;
        let trials = self.seeds.len();
        let step = self.halves[0].steps.pointer();
        let fitness = self.halves[0].fitness.pointer();
        let mut parts = Vec::new();
        let mut part = |name: &str, calls: f64, work: Work, launch: &dyn Fn() -> Result<()>| -> Result<()> {
            let _range = gpu::range(name);
            let seconds = profile::median(profile::times(5, || self.gpu.time(launch))?);
            parts.push(Part::new(name, calls, seconds, work, ceilings));
            Ok(())
        };
        let (validations, batches) =
            (1.0 / f64::from(self.plan.config.run.validate_every), 1.0 / f64::from(self.batch));
        let (context, players) = (self.context(), &self.generation);
        let game = &players.game;
        let episodes = Work { bytes: game.episodes_bytes() as u64, ..Work::default() };
        let draw = || game.draw(&context, step, Stream::Episode, self.batch);
        if let Some(name) = game.draw_name() {
            part(name, batches, episodes, &draw)?;
        }
        // How long agents live is known once they have.
        self.play(players, 0, step)?;
        part(&game.rollouts().0.name, 1.0, game.work(&context)?, &|| self.play(players, 0, step))?;
        let all = Work { bytes: 4 * players.fitness.len() as u64, ..Work::default() };
        part("mean_fitness", 1.0, all, &|| self.mean(players, fitness, Pointer::NULL))?;
        let (population, parameters) = (self.plan.population, self.plan.parameters());
        let compared = Work { bytes: (12 * trials * population) as u64, ..Work::default() };
        part("rank", 1.0, compared, &|| self.rank(step, fitness))?;
        let summed = Work {
            flops: (2 * trials * population * parameters) as u64,
            bytes: (4 * trials * (4 * parameters + population)) as u64,
            ..Work::default()
        };
        part("update", 1.0, summed, &|| self.update(step))?;
        self.play(&self.validation, 0, step)?;
        let validation = self.validation.game.work(&context)?;
        part("validation", validations, validation, &|| self.play(&self.validation, 0, step))?;
        profile::shares(&mut parts);
        Ok(Profile {
            device: description.to_owned(),
            numerics: format!("{:?}", self.plan.config.run.numerics).to_lowercase(),
            trials,
            population,
            ceilings: *ceilings,
            parts,
            generation_seconds,
            idle_seconds: Some(idle_seconds),
            env_steps_per_second: env_steps / generation_seconds,
        })
    }

    /// Over at least ten batches, or fewer where that takes long.
    fn time_generations(&mut self) -> Result<Timed> {
        let (batches, batch) = (if self.gpu.is_emulated() { 2 } else { 12 }, self.batch);
        // The first captures the graph and starts the device running ahead.
        self.advance(batch, &mut |_, _| ())?;
        let (mut busy, mut generations, mut env_steps) = (0.0, 0u32, 0);
        let start = Instant::now();
        for _ in 0..batches {
            self.advance(batch, &mut |trial, generation| {
                env_steps += generation.env_steps;
                if trial == 0 {
                    busy += generation.seconds;
                    generations += 1;
                }
            })?;
            if start.elapsed().as_secs_f64() > profile::LONG {
                break;
            }
        }
        let each = f64::from(generations) * self.seeds.len() as f64;
        let wall = start.elapsed().as_secs_f64();
        Ok(Timed {
            generation_seconds: wall / each,
            idle_seconds: (wall - busy).max(0.0) / each,
            env_steps: env_steps as f64 / each,
        })
    }
}

/// Of a generation and trial.
struct Timed {
    /// Wall time.
    generation_seconds: f64,
    /// How much longer that is than the device worked.
    idle_seconds: f64,
    /// Steps that environments lived.
    env_steps: f64,
}
