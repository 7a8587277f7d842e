//! The kernels of a generation: their arguments, grids and order.

use super::{Buffers, Pack, Players, Search};
use crate::abi::{self, KeepBestArgs, MeanArgs, Pointer, QUADS, RankArgs, Step, THREADS, UpdateArgs};
use crate::config;
use crate::error::Result;
use crate::gpu::{Buffer, Shape, blocks};

impl Pack {
    /// Kernels of a generation.
    pub(super) fn shapes(&self) -> Vec<(String, Shape)> {
        let [mean, rank, update] = self.update_shapes();
        let (rollout, _) = self.generation.game.rollouts();
        vec![
            (rollout.name.clone(), rollout.shape),
            ("mean_fitness".into(), mean),
            ("rank".into(), rank),
            ("update".into(), update),
        ]
    }

    pub(super) fn update_shapes(&self) -> [Shape; 3] {
        let trials = self.seeds.len() as u32;
        let population = self.plan.population;
        let update = Shape {
            grid: [blocks(self.stride / 4, QUADS), trials, 1],
            block: QUADS * abi::CHUNKS,
            shared: 2 * abi::CHUNKS * QUADS * 4 * 4,
        };
        let rank =
            Shape { grid: [blocks(population, THREADS / 32 * abi::RANKED), trials, 1], block: THREADS, shared: 0 };
        let mean = Shape { grid: [blocks(population + 1, THREADS), trials, 1], block: THREADS, shared: 0 };
        [mean, rank, update]
    }

    fn search(&self, players: &Players, step: Pointer<Step>) -> Search<'_> {
        let Buffers { live, halted, .. } = &self.buffers;
        let config = &self.plan.config;
        Search {
            context: self.context(),
            step,
            centre: live.centre.pointer(),
            sigmas: if config.snes.is_some() { live.first.pointer() } else { Pointer::NULL },
            halted: halted.pointer(),
            fitness: players.fitness.pointer(),
            population: players.population,
            first: players.range.start,
            antithetic: config.es.as_ref().is_some_and(|es| es.antithetic),
        }
    }

    /// Everyone plays the episodes of generation `k` of the batch.
    pub(super) fn play(&self, players: &Players, k: usize, step: Pointer<Step>) -> Result<()> {
        let (rollout, _) = players.game.rollouts();
        players.game.play(&self.search(players, step), rollout, k)
    }

    /// `env_steps`: where the steps lived are counted; null for nowhere.
    pub(super) fn mean(&self, players: &Players, fitness: Pointer<f32>, env_steps: Pointer<u64>) -> Result<()> {
        let lived = players.game.lived();
        let args = MeanArgs {
            environments_fitness: players.fitness.pointer(),
            fitness,
            lived: lived.map_or(Pointer::NULL, Buffer::pointer),
            env_steps: if lived.is_some() { env_steps } else { Pointer::NULL },
            halted: self.buffers.halted.pointer(),
            players: players.range.len() as u32,
            environments: players.environments as u32,
            lanes: players.game.lanes() as u32,
        };
        let grid = [blocks(players.range.len(), THREADS), self.seeds.len() as u32, 1];
        // SAFETY: the buffers are those of these players.
        unsafe { self.gpu.launch("mean_fitness", Shape { grid, block: THREADS, shared: 0 }, &args) }
    }

    /// Rank, and move the centre.
    pub(super) fn select(&self, step: Pointer<Step>, fitness: Pointer<f32>) -> Result<()> {
        self.rank(step, fitness)?;
        self.update(step)
    }

    pub(super) fn rank(&self, step: Pointer<Step>, fitness: Pointer<f32>) -> Result<()> {
        let [_, shape, _] = self.update_shapes();
        let Buffers { utilities, halted, rank_weights, .. } = &self.buffers;
        let args = RankArgs {
            fitness,
            weights: rank_weights.pointer(),
            utilities: utilities.pointer(),
            halted: halted.pointer(),
            step,
            population: self.plan.population as u32,
            later_first: u32::from(self.plan.config.snes.is_some()),
        };
        // SAFETY: the fitness is that of a generation, the others are of the population's length.
        unsafe { self.gpu.launch("rank", shape, &args) }
    }

    pub(super) fn update(&self, step: Pointer<Step>) -> Result<()> {
        let [_, _, shape] = self.update_shapes();
        // SAFETY: all vectors are of the stride that the kernel derives from the number of parameters.
        unsafe { self.gpu.launch("update", shape, &self.update_args(step)) }
    }

    fn update_args(&self, step: Pointer<Step>) -> UpdateArgs {
        let live = &self.buffers.live;
        let mut args = UpdateArgs {
            seeds: self.buffers.seeds.pointer(),
            step,
            utilities: self.buffers.utilities.pointer(),
            centre: live.centre.pointer(),
            first: live.first.pointer(),
            second: live.second.as_ref().map_or(Pointer::NULL, Buffer::pointer),
            halted: self.buffers.halted.pointer(),
            population: self.plan.population as u32,
            antithetic: 0,
            parameters: self.plan.parameters() as u32,
            optimiser: abi::OPTIMISER_SNES,
            learning_rate: 0.0,
            first_rate: 0.0,
            second_rate: 0.0,
            epsilon: 0.0,
            keep: 1.0,
        };
        match self.plan.config.optimiser() {
            Some(config::Optimiser::Es(es)) => {
                args.antithetic = u32::from(es.antithetic);
                args.keep = 1.0 - es.weight_decay;
                if let Some(adam) = &es.adam {
                    args.optimiser = abi::OPTIMISER_ADAM;
                    (args.learning_rate, args.epsilon) = (adam.learning_rate, adam.epsilon);
                    (args.first_rate, args.second_rate) = (adam.beta1, adam.beta2);
                } else {
                    let momentum = es.momentum.clone().unwrap_or_default();
                    args.optimiser = abi::OPTIMISER_MOMENTUM;
                    (args.learning_rate, args.first_rate) = (momentum.learning_rate, momentum.momentum);
                }
            }
            Some(config::Optimiser::Snes(snes)) => {
                args.learning_rate = snes.learning_rate;
                // A plan has written the default out.
                args.first_rate = snes.sigma_learning_rate.unwrap_or_default();
            }
            None => {}
        }
        args
    }

    /// The centre plays the validation episodes after the last of `count` generations of `half`.
    pub(super) fn validate(&self, half: usize, count: u32, generation: u32) -> Result<()> {
        let step = self.halves[half].steps.at(count as usize - 1, 1);
        let Buffers { live, halted, validated, .. } = &self.buffers;
        self.play(&self.validation, 0, step)?;
        self.mean(&self.validation, validated.pointer(), Pointer::NULL)?;
        let args = KeepBestArgs {
            fitness: validated.pointer(),
            centre: live.centre.pointer(),
            best: live.best.pointer(),
            parameters: live.best_parameters.pointer(),
            halted: halted.pointer(),
            step,
            length: self.plan.parameters() as u32,
        };
        let shape = Shape { grid: [self.seeds.len() as u32, 1, 1], block: THREADS, shared: 0 };
        // SAFETY: all of one entry or one vector a trial.
        unsafe { self.gpu.launch("keep_best", shape, &args) }?;
        self.check(generation)
    }

    /// In check mode, the centre in exact mode on the same episodes, and both means into the log.
    fn check(&self, generation: u32) -> Result<()> {
        let game = &self.validation.game;
        let (_, Some(exact)) = game.rollouts() else { return Ok(()) };
        let fast = self.buffers.validated.read_all(&self.gpu)?;
        // With no perturbed player the step is only read.
        game.play(&self.search(&self.validation, self.halves[0].steps.pointer()), exact, 0)?;
        self.mean(&self.validation, self.buffers.validated.pointer(), Pointer::NULL)?;
        let exact = self.buffers.validated.read_all(&self.gpu)?;
        for ((seed, fast), exact) in self.seeds.iter().zip(fast).zip(exact) {
            tracing::info!(seed, generation, fast, exact, gap = fast - exact, "centre on the validation episodes");
        }
        Ok(())
    }
}
