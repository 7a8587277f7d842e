//! The kernels of a generation: their arguments, grids and order.

use super::{Buffers, Pack, Players};
use crate::abi::{
    self, DrawArgs, KeepBestArgs, MeanArgs, Pointer, QUADS, RankArgs, RolloutArgs, Step, THREADS, UpdateArgs,
};
use crate::config;
use crate::error::Result;
use crate::gpu::{Buffer, Shape, blocks};
use crate::plan::Plan;
use crate::rng::Stream;

impl Pack {
    /// Kernels of a generation.
    pub(super) fn shapes(&self) -> Vec<(String, Shape)> {
        let [mean, rank, update] = self.update_shapes();
        vec![
            (self.names.rollout.clone(), self.generation.shape),
            ("mean_fitness".into(), mean),
            ("rank".into(), rank),
            ("update".into(), update),
        ]
    }

    pub(super) fn update_shapes(&self) -> [Shape; 3] {
        let trials = self.seeds.len() as u32;
        let population = self.plan.population;
        let each = |n: usize, shared| Shape { grid: [blocks(n, THREADS), trials, 1], block: THREADS, shared };
        let update = Shape {
            grid: [blocks(self.stride / 4, QUADS), trials, 1],
            block: QUADS * abi::CHUNKS,
            shared: 2 * abi::CHUNKS * QUADS * 4 * 4,
        };
        [each(population + 1, 0), each(population, THREADS * 4), update]
    }

    pub(super) fn draw(&self, players: &Players, steps: Pointer<Step>, stream: Stream, generations: u32) -> Result<()> {
        let (input_min, input_max) = match &self.plan.config.task {
            config::Task::Iaf(task) => (task.input_min, task.input_max),
            config::Task::Stdp(task) | config::Task::StdpComplex(task) => (task.input_min, task.input_max),
            config::Task::TMaze(_) | config::Task::DoubleTMaze(_) => (0.0, 0.0),
        };
        let mut args = DrawArgs {
            seeds: self.buffers.seeds.pointer(),
            steps,
            inputs: players.inputs.pointer(),
            target: players.target.pointer(),
            stream: stream as u32,
            environments: players.environments as u32,
            lanes: players.lanes as u32,
            length: self.plan.steps as u32,
            input_min,
            input_width: input_max - input_min,
            threshold: 0.0,
            amplitude: 0.0,
            tau: 1.0,
            max_delay: 0,
            complex: 0,
        };
        match &self.plan.config.task {
            config::Task::Iaf(task) => args.threshold = task.threshold,
            config::Task::TMaze(_) | config::Task::DoubleTMaze(_) => {}
            config::Task::Stdp(task) | config::Task::StdpComplex(task) => {
                (args.amplitude, args.tau, args.max_delay) = (task.amplitude, task.tau, task.max_delay);
                args.complex = u32::from(matches!(self.plan.config.task, config::Task::StdpComplex(_)));
            }
        }
        let grid = [blocks(players.lanes, THREADS), generations, self.seeds.len() as u32];
        // SAFETY: the buffers hold this many generations of episodes of all trials.
        unsafe { self.gpu.launch(self.names.draw, Shape { grid, block: THREADS, shared: 0 }, &args) }
    }

    fn rollout_args(&self, players: &Players, k: usize, step: Pointer<Step>) -> RolloutArgs {
        let Plan { unit, config, channels, steps, .. } = &self.plan;
        let live = &self.buffers.live;
        let spike_threshold = if let config::Task::Iaf(iaf) = &config.task { iaf.spike_threshold } else { 0.0 };
        RolloutArgs {
            seeds: self.buffers.seeds.pointer(),
            step,
            centre: live.centre.pointer(),
            sigmas: if config.snes.is_some() { live.first.pointer() } else { Pointer::NULL },
            inputs: players.inputs.at(k * players.inputs_length, players.inputs_length),
            target: players.target.at(k * players.target_length, players.target_length),
            fitness: players.fitness.pointer(),
            halted: self.buffers.halted.pointer(),
            population: players.perturbed as u32,
            antithetic: u32::from(config.es.as_ref().is_some_and(|es| es.antithetic)),
            unit_inputs: unit.inputs as u32,
            memory: unit.memory as u32,
            outputs: unit.outputs as u32,
            parameters: unit.parameters() as u32,
            channels: *channels as u32,
            lanes: players.lanes as u32,
            length: *steps as u32,
            spike_threshold,
        }
    }

    /// Everyone plays the episodes of generation `k` of the batch.
    pub(super) fn play(&self, players: &Players, k: usize, step: Pointer<Step>) -> Result<()> {
        // SAFETY: the buffers are those of these players.
        unsafe { self.gpu.launch(&self.names.rollout, players.shape, &self.rollout_args(players, k, step)) }
    }

    pub(super) fn mean(&self, players: &Players, fitness: Pointer<f32>) -> Result<()> {
        let args = MeanArgs {
            environments_fitness: players.fitness.pointer(),
            fitness,
            halted: self.buffers.halted.pointer(),
            players: players.perturbed as u32 + 1,
            environments: players.environments as u32,
            lanes: players.lanes as u32,
        };
        let grid = [blocks(players.perturbed + 1, THREADS), self.seeds.len() as u32, 1];
        // SAFETY: as in `play`.
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
        self.mean(&self.validation, validated.pointer())?;
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
        let (Some(name), Some(shape)) = (&self.names.exact, self.validation.exact_shape) else { return Ok(()) };
        let fast = self.buffers.validated.read_all(&self.gpu)?;
        let args = self.rollout_args(&self.validation, 0, self.halves[0].steps.pointer());
        // SAFETY: as in `play`; with no perturbed player the step is only read.
        unsafe { self.gpu.launch(name, shape, &args) }?;
        self.mean(&self.validation, self.buffers.validated.pointer())?;
        let exact = self.buffers.validated.read_all(&self.gpu)?;
        for ((seed, fast), exact) in self.seeds.iter().zip(fast).zip(exact) {
            tracing::info!(seed, generation, fast, exact, gap = fast - exact, "centre on the validation episodes");
        }
        Ok(())
    }
}
