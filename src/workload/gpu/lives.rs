//! Animals in assays of the battery: the kernels `lives_*`. Lives are told by a seed alone, which the kernels draw themselves, so
//! there are no episodes in memory.

use super::sizes::Size;
use super::{Context, Game, Rollout, Search};
use crate::abi::{LivesArgs, Pointer, Step};
use crate::battery::body::Body;
use crate::battery::gpu::{AnimalLives, Worlds, adapters, lanes};
use crate::config::{Numerics, Task};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::plan::Plan;
use crate::profile::Work;
use crate::rng::Stream;

/// The lives of every player.
pub(super) struct AssayLives {
    size: Size,
    lives: AnimalLives,
    rollout: Rollout,
    lived: Buffer<u32>,
}

/// Words that the episodes of a generation and trial take, and the fitness and steps of a player on them.
pub(super) fn words(environments: usize) -> (usize, usize) {
    (0, 2 * lanes(environments))
}

impl AssayLives {
    pub(super) fn new(plan: &Plan, gpu: &Gpu, size: Size) -> Result<Self> {
        let (lives, rollout) = lives(plan, gpu, size, usize::MAX)?;
        let lived = Buffer::zeros(gpu, size.trials * size.players * lanes(size.environments))?;
        Ok(Self { size, lives, rollout, lived })
    }
}

fn lives(plan: &Plan, gpu: &Gpu, size: Size, warps: usize) -> Result<(AnimalLives, Rollout)> {
    let (Task::Assay(task), Some(body)) = (&plan.config.task, Body::of(plan)) else {
        panic!("{:?} is no assay", plan.config.task)
    };
    if plan.config.run.numerics != Numerics::Exact {
        return Err(Error::Config(
            "`run.numerics`: fast mode has no kernels for assays of the battery\ntry: --set run.numerics=exact".into(),
        ));
    }
    let assays = task.assays();
    let lives = AnimalLives::new(gpu, &Worlds::evolving(&assays)?, &body, &adapters(&body, &assays)?, size, warps)?;
    let rollout = Rollout { name: lives.name.clone(), exact: true, shape: lives.shape };
    Ok((lives, rollout))
}

impl Game for AssayLives {
    fn lanes(&self) -> usize {
        lanes(self.size.environments)
    }

    fn lived(&self) -> Option<&Buffer<u32>> {
        Some(&self.lived)
    }

    fn draw_name(&self) -> Option<&'static str> {
        None
    }

    fn rollouts(&self) -> (&Rollout, Option<&Rollout>) {
        (&self.rollout, None)
    }

    fn reshape(&mut self, context: &Context<'_>, warps: usize) -> Result<()> {
        (self.lives, self.rollout) = lives(context.plan, context.gpu, self.size, warps)?;
        Ok(())
    }

    fn draw(&self, _: &Context<'_>, _: Pointer<Step>, _: Stream, _: u32) -> Result<()> {
        Ok(())
    }

    fn play(&self, search: &Search<'_>, rollout: &Rollout, _: usize) -> Result<()> {
        // The centre alone plays the validation episodes.
        let of_generation = search.population > 0;
        let stream = if of_generation { Stream::Episode } else { Stream::Validation };
        let body = self.lives.args();
        let (noise, noisy) = match &search.context.plan.config.task {
            Task::Assay(task) if of_generation => (task.noise, task.noisy_lives(body.each as usize)),
            _ => (0.0, 0),
        };
        let args = LivesArgs {
            seeds: search.context.seeds.pointer(),
            step: search.step,
            centre: search.centre,
            sigmas: search.sigmas,
            fitness: search.fitness,
            lived: self.lived.pointer(),
            halted: search.halted,
            population: search.population as u32,
            first_player: search.first as u32,
            antithetic: u32::from(search.antithetic),
            stream: stream as u32,
            of_generation: u32::from(of_generation),
            noise,
            noisy,
            ..body
        };
        // SAFETY: the buffers are those of these players.
        unsafe { search.context.gpu.launch(&rollout.name, rollout.shape, &args) }
    }

    fn episodes_bytes(&self) -> usize {
        0
    }

    fn work(&self, context: &Context<'_>) -> Result<Work> {
        let steps: u64 = self.lived.read_all(context.gpu)?.into_iter().map(u64::from).sum();
        let (multiply_adds, functions) = self.lives.work_of_a_step();
        Ok(Work {
            flops: steps * 2 * multiply_adds,
            bytes: 8 * self.lived.len() as u64,
            functions: steps * functions,
            fast: false,
        })
    }
}
