//! The GPU engine: whole generations on the device, for one run or for many trials packed side by side.
//!
//! A batch of up to [`MAX_BATCH`] generations is one upload of the schedule, one launch that draws all its episodes, and
//! one graph: for each generation a rollout, the mean over environments, the ranks, and the update. The generations'
//! fitness lands in one half of a ring, which a second stream copies out; meanwhile the next batch, already launched,
//! fills the other half. So the device works while the host writes logs and checkpoints: what the host is told is always
//! one batch behind, and the state at that point is kept in a snapshot on the device.

use std::time::Instant;

use cudarc::driver::sys::CUevent_flags;
use cudarc::driver::{CudaEvent, CudaGraph};

use super::{SingleUnit, check_record, nothing_to_select};
use crate::abi::{
    self, BestSoFar, DrawArgs, KeepBestArgs, LANES, MeanArgs, Pointer, QUADS, RankArgs, RolloutArgs, Step, THREADS,
    UpdateArgs,
};
use crate::config::{self, Numerics};
use crate::engine::{Best, Engine, Facts, Generation, State};
use crate::error::{Error, Result};
use crate::gpu::{self, Buffer, Gpu, Pinned, Shape, blocks};
use crate::plan::Plan;
use crate::profile::{self, Ceilings, Part, Profile, Work};
use crate::rng::Stream;
use crate::search::es::Schedule;
use crate::search::shaping::{nes_utilities, power_weights};

/// Generations of a batch, at most.
pub const MAX_BATCH: u32 = 64;

/// Episodes of a batch take at most this many bytes.
const EPISODE_BYTES: usize = 256 << 20;

/// Work of a batch, at most: a report every second or so on a large device.
const BATCH_FLOPS: u64 = 10_000_000_000_000;

/// What the driver may lose by rounding every allocation up.
const ROUNDING: u64 = 64 << 20;

/// Warps of a rollout's block, at most: the kernels are compiled for 128 threads.
const MAX_WARPS: usize = 4;

/// Trials of one plan that differ in their seed, advanced together by the same launches. Packing changes no bit.
pub struct Pack {
    gpu: Gpu,
    plan: Plan,
    seeds: Vec<u64>,
    /// Length of a parameter vector on the device: D rounded up to whole quads.
    stride: usize,
    /// Generations of a full batch; divides `validate_every`.
    batch: u32,
    names: Names,
    generation: Players,
    validation: Players,
    buffers: Buffers,
    halves: [Half; 2],
    /// Where the host is: all that is reported lies before it.
    reported: Mark,
    /// Where the device will be when everything launched is done.
    launched: Mark,
    /// The half whose snapshot is `reported`.
    current: usize,
    /// Launched and not yet reported, in the other half.
    ahead: Option<u32>,
}

/// A point of a run: what of its state the host knows by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mark {
    generation: u32,
    schedule: Schedule,
}

struct Names {
    draw: &'static str,
    rollout: String,
    /// Of check mode: the exact rollout beside the fast one.
    exact: Option<String>,
}

/// A set of players on a set of episodes: the generation's, or the centre on the validation episodes.
struct Players {
    perturbed: usize,
    environments: usize,
    lanes: usize,
    shape: Shape,
    exact_shape: Option<Shape>,
    inputs: Buffer<f32>,
    /// Elements of `inputs` of one generation.
    inputs_length: usize,
    target: Buffer<u32>,
    /// Elements of `target` of one generation.
    target_length: usize,
    /// Of every player and environment.
    fitness: Buffer<f32>,
}

struct Buffers {
    seeds: Buffer<u64>,
    rank_weights: Buffer<f32>,
    utilities: Buffer<f32>,
    halted: Buffer<u32>,
    live: Snapshot,
    /// Of the centre on the validation episodes.
    validated: Buffer<f32>,
}

/// All that `State` needs, of every trial.
struct Snapshot {
    centre: Buffer<f32>,
    /// Velocity, Adam's mean, or the spread of every parameter.
    first: Buffer<f32>,
    /// Adam's square.
    second: Option<Buffer<f32>>,
    best: Buffer<BestSoFar>,
    best_parameters: Buffer<f32>,
}

/// One half of the ring.
struct Half {
    steps: Buffer<Step>,
    pinned_steps: Pinned<Step>,
    /// `[generation][trial][P + 1]`.
    fitness: Buffer<f32>,
    pinned_fitness: Pinned<f32>,
    pinned_halted: Pinned<u32>,
    snapshot: Snapshot,
    mark: Mark,
    graph: Option<CudaGraph>,
    started: Option<CudaEvent>,
    computed: Option<CudaEvent>,
    drained: Option<CudaEvent>,
}

fn device<T>(doing: &str, result: std::result::Result<T, cudarc::driver::DriverError>) -> Result<T> {
    result.map_err(|e| gpu::failed(doing, e))
}

impl Pack {
    /// One trial for each of `seeds`, at generation 0.
    ///
    /// # Errors
    /// When the plan does not fit the device: too little memory (with the largest population that fits), a unit too
    /// large for a block's shared memory, or one that fast mode has no kernel for.
    pub fn new(plan: &Plan, gpu: Gpu, seeds: &[u64]) -> Result<Self> {
        let run = &plan.config.run;
        let (stride, trials) = (plan.parameters().next_multiple_of(4), seeds.len());
        let batch = batch(plan, trials);
        check_memory(plan, &gpu, trials, batch)?;

        let names = Names::of(plan)?;
        let players = |perturbed, environments, generations| {
            Players::new(plan, &gpu, &names, trials, perturbed, environments, generations)
        };
        let generation = players(plan.population, plan.environments, batch as usize)?;
        let validation = players(0, run.validation_episodes as usize, 1)?;
        let unit = SingleUnit::new(plan);
        let centres: Vec<f32> = seeds
            .iter()
            .flat_map(|&seed| {
                let mut centre = unit.first_centre(plan, seed);
                centre.resize(stride, 0.0);
                centre
            })
            .collect();
        let (rank_weights, spreads) = match plan.config.optimiser() {
            Some(config::Optimiser::Snes(snes)) => (nes_utilities(plan.population), snes.sigma),
            Some(config::Optimiser::Es(es)) => (power_weights(plan.population, es.rank_exponent), 0.0),
            None => (Vec::new(), 0.0),
        };
        let adam = plan.config.es.as_ref().is_some_and(|es| es.adam.is_some());
        let snapshot = || -> Result<Snapshot> {
            Ok(Snapshot {
                centre: Buffer::of(&gpu, &centres)?,
                first: Buffer::of(&gpu, &vec![spreads; trials * stride])?,
                second: adam.then(|| Buffer::zeros(&gpu, trials * stride)).transpose()?,
                best: Buffer::zeros(&gpu, trials)?,
                best_parameters: Buffer::zeros(&gpu, trials * stride)?,
            })
        };
        let schedule = plan.config.es.as_ref().map_or(Schedule { sigma: 0.0, powers: [1.0; 2] }, Schedule::new);
        let mark = Mark { generation: 0, schedule };
        let ring = batch as usize * trials * (plan.population + 1);
        let half = || -> Result<Half> {
            Ok(Half {
                steps: Buffer::zeros(&gpu, batch as usize)?,
                pinned_steps: Pinned::zeros(&gpu, batch as usize)?,
                fitness: Buffer::zeros(&gpu, ring)?,
                pinned_fitness: Pinned::zeros(&gpu, ring)?,
                pinned_halted: Pinned::zeros(&gpu, trials)?,
                snapshot: snapshot()?,
                mark,
                graph: None,
                started: None,
                computed: None,
                drained: None,
            })
        };
        let buffers = Buffers {
            seeds: Buffer::of(&gpu, seeds)?,
            rank_weights: Buffer::of(&gpu, &rank_weights)?,
            utilities: Buffer::zeros(&gpu, trials * plan.population)?,
            halted: Buffer::zeros(&gpu, trials)?,
            live: snapshot()?,
            validated: Buffer::zeros(&gpu, trials)?,
        };
        let halves = [half()?, half()?];
        let pack = Self {
            plan: plan.clone(),
            seeds: seeds.to_vec(),
            stride,
            batch,
            names,
            generation,
            validation,
            buffers,
            halves,
            reported: mark,
            launched: mark,
            current: 0,
            ahead: None,
            gpu,
        };
        // The validation episodes are the same throughout the run.
        pack.draw(&pack.validation, Pointer::NULL, Stream::Validation, 1)?;
        pack.gpu.wait()?;
        Ok(pack)
    }

    /// With blocks of at most `warps` warps: the bits must not change.
    ///
    /// # Errors
    /// As [`Pack::new`].
    pub fn reshaped(mut self, warps: usize) -> Result<Self> {
        for players in [&mut self.generation, &mut self.validation] {
            let (trials, Players { perturbed, lanes, .. }) = (self.seeds.len(), &players);
            let shape = rollout_shape(&self.plan, &self.gpu, &self.names.rollout, trials, *perturbed, *lanes, warps)?;
            players.shape = shape;
        }
        self.halves.iter_mut().for_each(|half| half.graph = None);
        Ok(self)
    }

    /// Trials.
    pub fn trials(&self) -> usize {
        self.seeds.len()
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Generations after which it is best to report: to the next end of a batch or of the run.
    pub fn until_report(&self) -> u32 {
        self.until_report_from(self.reported.generation)
    }

    fn until_report_from(&self, generation: u32) -> u32 {
        let full = self.batch - generation % self.batch;
        match self.plan.config.run.generations.checked_sub(generation) {
            Some(left) if left > 0 => full.min(left),
            _ => full,
        }
    }

    /// Run `generations` more generations; `report(trial, generation)` is called for each, generation by generation.
    ///
    /// # Errors
    /// When the device fails, or no offspring of a trial's generation has a finite fitness; what was reported is then
    /// the state.
    pub fn advance(&mut self, generations: u32, report: &mut dyn FnMut(usize, Generation)) -> Result<()> {
        let mut left = generations;
        while left > 0 {
            // Never past a generation that is validated.
            let count = left.min(self.batch - self.reported.generation % self.batch);
            self.advance_batch(count, report)?;
            left -= count;
        }
        Ok(())
    }

    fn advance_batch(&mut self, count: u32, report: &mut dyn FnMut(usize, Generation)) -> Result<()> {
        if self.ahead.is_some_and(|ahead| ahead != count) {
            self.rewind()?;
        }
        if self.ahead.is_none() {
            self.launch(1 - self.current, count)?;
        }
        self.current = 1 - self.current;
        let mark = self.halves[self.current].mark;
        self.ahead = None;
        // The half that was current is free now: keep the device busy while this batch is read and written down.
        let end = self.plan.config.run.generations;
        if mark.generation < end {
            let next = self.until_report_from(mark.generation);
            self.launch(1 - self.current, next)?;
            self.ahead = Some(next);
        }
        self.collect(count, mark, report)
    }

    /// Bring the device back to what was reported.
    fn rewind(&mut self) -> Result<()> {
        if self.ahead.take().is_some() {
            // Its half is used again, and must not be written from two sides.
            self.gpu.wait()?;
        }
        self.launched = self.reported;
        self.halves[self.current].snapshot.copy_to(&self.gpu, &self.buffers.live)
    }

    /// Put `count` generations from `launched` on the compute stream, with their results into `half`.
    fn launch(&mut self, half: usize, count: u32) -> Result<()> {
        let _range = gpu::range("launch batch");
        let started =
            device("cannot time the device", self.gpu.compute.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)))?;
        let mut mark = self.launched;
        {
            let Half { steps, pinned_steps, .. } = &mut self.halves[half];
            for step in &mut pinned_steps.as_mut_slice()?[..count as usize] {
                *step = mark.advance(&self.plan);
            }
            steps.upload(&self.gpu, pinned_steps, count as usize)?;
        }
        let first = self.halves[half].steps.pointer();
        self.draw(&self.generation, first, Stream::Episode, count)?;
        if count == self.batch {
            if self.halves[half].graph.is_none() {
                self.halves[half].graph = Some(self.capture(half)?);
            }
            if let Some(graph) = &self.halves[half].graph {
                device("cannot launch a batch", graph.launch())?;
            }
        } else {
            self.launch_generations(half, count)?;
        }
        if mark.generation.is_multiple_of(self.plan.config.run.validate_every) {
            self.validate(half, count, mark.generation)?;
        }
        let gpu = &self.gpu;
        self.buffers.live.copy_to(gpu, &self.halves[half].snapshot)?;
        let computed =
            device("cannot time the device", gpu.compute.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)))?;
        device("cannot order the streams", gpu.copy.wait(&computed))?;
        let length = count as usize * self.seeds.len() * (self.plan.population + 1);
        let Half { fitness, pinned_fitness, pinned_halted, .. } = &mut self.halves[half];
        fitness.download(gpu, pinned_fitness, length)?;
        self.buffers.halted.download(gpu, pinned_halted, self.seeds.len())?;
        let drained = device("cannot order the streams", gpu.copy.record_event(None))?;
        self.launched = mark;
        let half = &mut self.halves[half];
        half.mark = mark;
        (half.started, half.computed, half.drained) = (Some(started), Some(computed), Some(drained));
        Ok(())
    }

    /// A full batch's generations as a graph.
    fn capture(&self, half: usize) -> Result<CudaGraph> {
        use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};
        let compute = &self.gpu.compute;
        // Kernels are looked up, and their shared memory raised, before: neither may happen while capturing.
        for (name, shape) in self.shapes() {
            self.gpu.kernel(&name, shape.shared)?;
        }
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        device("cannot capture a batch", compute.begin_capture(mode))?;
        let launched = self.launch_generations(half, self.batch);
        let graph = device("cannot capture a batch", compute.end_capture(CUgraphInstantiate_flags(0)));
        launched?;
        graph?.ok_or_else(|| Error::Device("cannot capture a batch: the graph is empty".into()))
    }

    /// Kernels of a generation.
    fn shapes(&self) -> Vec<(String, Shape)> {
        let [mean, rank, update] = self.update_shapes();
        vec![
            (self.names.rollout.clone(), self.generation.shape),
            ("mean_fitness".into(), mean),
            ("rank".into(), rank),
            ("update".into(), update),
        ]
    }

    fn update_shapes(&self) -> [Shape; 3] {
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

    fn launch_generations(&self, half: usize, count: u32) -> Result<()> {
        let per_generation = self.seeds.len() * (self.plan.population + 1);
        for k in 0..count as usize {
            let step = self.halves[half].steps.at(k, 1);
            let fitness = self.halves[half].fitness.at(k * per_generation, per_generation);
            self.play(&self.generation, k, step)?;
            self.mean(&self.generation, fitness)?;
            self.select(step, fitness)?;
        }
        Ok(())
    }

    fn draw(&self, players: &Players, steps: Pointer<Step>, stream: Stream, generations: u32) -> Result<()> {
        let (input_min, input_max) = match &self.plan.config.task {
            config::Task::Iaf(task) => (task.input_min, task.input_max),
            config::Task::Stdp(task) | config::Task::StdpComplex(task) => (task.input_min, task.input_max),
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
    fn play(&self, players: &Players, k: usize, step: Pointer<Step>) -> Result<()> {
        // SAFETY: the buffers are those of these players.
        unsafe { self.gpu.launch(&self.names.rollout, players.shape, &self.rollout_args(players, k, step)) }
    }

    fn mean(&self, players: &Players, fitness: Pointer<f32>) -> Result<()> {
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
    fn select(&self, step: Pointer<Step>, fitness: Pointer<f32>) -> Result<()> {
        self.rank(step, fitness)?;
        self.update(step)
    }

    fn rank(&self, step: Pointer<Step>, fitness: Pointer<f32>) -> Result<()> {
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

    fn update(&self, step: Pointer<Step>) -> Result<()> {
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
    fn validate(&self, half: usize, count: u32, generation: u32) -> Result<()> {
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

    /// Wait for the batch of the current half and report it.
    fn collect(&mut self, count: u32, mark: Mark, report: &mut dyn FnMut(usize, Generation)) -> Result<()> {
        let _range = gpu::range("collect batch");
        let (trials, players) = (self.seeds.len(), self.plan.population + 1);
        let env_steps = self.facts().env_steps;
        let first = self.reported.generation;
        let half = &mut self.halves[self.current];
        let mut seconds = 0.0;
        if let (Some(started), Some(computed), Some(drained)) = (&half.started, &half.computed, &half.drained) {
            device("the device failed", drained.synchronize())?;
            let milliseconds = device("cannot time the device", started.elapsed_ms(computed))?;
            seconds = f64::from(milliseconds) / 1e3 / f64::from(count);
        }
        let halted = half.pinned_halted.as_mut_slice()?.to_vec();
        // The batch that runs already may have halted: that is for the next report.
        let stopped = halted.iter().filter(|&&at| at > 0 && at <= mark.generation).map(|at| at - 1).min();
        let good = stopped.map_or(count, |at| at - first);
        let fitness = half.pinned_fitness.as_mut_slice()?;
        for (k, generation) in fitness.chunks_exact(trials * players).take(good as usize).enumerate() {
            for (trial, fitness) in generation.chunks_exact(players).enumerate() {
                // A NaN of the device has other bits than one of the CPU.
                let canonical = |f: &f32| if f.is_nan() { f32::NAN } else { *f };
                let (centre, offspring) = fitness.split_last().unwrap_or((&f32::NAN, &[]));
                let generation = Generation {
                    index: first + k as u32,
                    fitness: offspring.iter().map(canonical).collect(),
                    centre: canonical(centre),
                    env_steps,
                    seconds,
                };
                report(trial, generation);
            }
        }
        if let Some(at) = stopped {
            let trial = halted.iter().position(|&h| h == at + 1).unwrap_or_default();
            // Kernels do nothing for a halted trial, so the snapshot is its state before that generation.
            let mut schedule = self.reported;
            (0..good).for_each(|_| {
                schedule.advance(&self.plan);
            });
            self.reported = schedule;
            self.rewind()?;
            self.gpu.wait()?;
            self.buffers.halted.write(&self.gpu, 0, &vec![0; trials])?;
            return Err(nothing_to_select(self.seeds[trial], at));
        }
        self.reported = mark;
        Ok(())
    }

    /// Apply the update that `fitness` of a trial, the only one, leads to.
    ///
    /// # Errors
    /// As [`Pack::advance`], or when the length is not the population.
    fn replay(&mut self, fitness: &[f32]) -> Result<()> {
        check_record(fitness.len(), self.plan.population)?;
        self.rewind()?;
        let mut mark = self.reported;
        let step = mark.advance(&self.plan);
        let half = &self.halves[1 - self.current];
        half.steps.write(&self.gpu, 0, &[step])?;
        half.fitness.write(&self.gpu, 0, fitness)?;
        self.select(half.steps.pointer(), half.fitness.pointer())?;
        let halted = self.buffers.halted.read_all(&self.gpu)?;
        if halted[0] > 0 {
            self.buffers.halted.write(&self.gpu, 0, &[0])?;
            return Err(nothing_to_select(self.seeds[0], step.generation));
        }
        self.buffers.live.copy_to(&self.gpu, &self.halves[self.current].snapshot)?;
        (self.reported, self.launched) = (mark, mark);
        Ok(())
    }

    /// Where a trial is, as reported.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self, trial: usize) -> Result<State> {
        let snapshot = &self.halves[self.current].snapshot;
        let Mark { generation, schedule } = self.reported;
        // The snapshot was complete before its batch was reported, so nothing is waited for.
        let vector = |buffer: &Buffer<f32>| buffer.read(&self.gpu.aside, trial * self.stride, self.plan.parameters());
        let centre = vector(&snapshot.centre)?;
        let first = vector(&snapshot.first)?;
        let sigma = || ("sigma".to_owned(), vec![schedule.sigma]);
        let optimiser = match (&self.plan.config.es, &snapshot.second) {
            (None, _) => vec![("sigma".to_owned(), first)],
            (Some(_), None) => vec![sigma(), ("velocity".to_owned(), first)],
            (Some(_), Some(second)) => vec![
                sigma(),
                ("adam_mean".to_owned(), first),
                ("adam_square".to_owned(), vector(second)?),
                ("adam_powers".to_owned(), schedule.powers.to_vec()),
            ],
        };
        let best = snapshot.best.read(&self.gpu.aside, trial, 1)?[0];
        let best = if best.present == 0 {
            None
        } else {
            let parameters = vector(&snapshot.best_parameters)?;
            Some(Best { generation: best.generation, fitness: best.fitness, parameters })
        };
        Ok(State { generation, centre, optimiser, best })
    }

    /// Go on from these states, one a trial, all of the same generation.
    ///
    /// # Errors
    /// When their names or lengths are not this plan's, or the device fails.
    pub fn restore(&mut self, states: &[State]) -> Result<()> {
        let own = self.state(0)?;
        let generation = states.first().map_or(0, |state| state.generation);
        if states.len() != self.seeds.len() || states.iter().any(|state| state.generation != generation) {
            return Err(Error::Run("packed trials go on together: their states must be of one generation".into()));
        }
        states.iter().try_for_each(|state| own.check_fits(state))?;
        self.gpu.wait()?;
        let live = &self.buffers.live;
        let mut mark = Mark { generation, ..self.reported };
        for (trial, state) in states.iter().enumerate() {
            let write = |buffer: &Buffer<f32>, values: &[f32]| buffer.write(&self.gpu, trial * self.stride, values);
            write(&live.centre, &state.centre)?;
            for (name, vector) in &state.optimiser {
                match (name.as_str(), &self.plan.config.es) {
                    ("sigma", Some(_)) => mark.schedule.sigma = vector[0],
                    ("adam_powers", _) => mark.schedule.powers.copy_from_slice(vector),
                    ("sigma", None) | ("velocity" | "adam_mean", _) => write(&live.first, vector)?,
                    ("adam_square", _) => live.second.as_ref().map_or(Ok(()), |second| write(second, vector))?,
                    _ => {}
                }
            }
            let best = state.best.as_ref().map_or_else(BestSoFar::default, |best| BestSoFar {
                fitness: best.fitness,
                generation: best.generation,
                present: 1,
            });
            live.best.write(&self.gpu, trial, &[best])?;
            if let Some(best) = &state.best {
                write(&live.best_parameters, &best.parameters)?;
            }
        }
        live.copy_to(&self.gpu, &self.halves[self.current].snapshot)?;
        (self.reported, self.launched, self.ahead) = (mark, mark, None);
        self.gpu.wait()
    }

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

    /// Of one trial.
    pub fn facts(&self) -> Facts {
        self.plan.facts()
    }
}

impl Drop for Pack {
    fn drop(&mut self) {
        // Memory goes back in the order of the compute stream, and another may still copy out of it. There is no one to
        // tell of an error.
        let _ = self.gpu.wait();
    }
}

impl Mark {
    /// What the kernels need to know of the generation here; then to the next.
    fn advance(&mut self, plan: &Plan) -> Step {
        let mut step = Step { generation: self.generation, sigma: self.schedule.sigma, ..Step::default() };
        if let config::Task::Iaf(iaf) = &plan.config.task {
            step.shared = iaf.shared_at(self.generation);
        }
        if let Some(es) = &plan.config.es {
            if let Some(adam) = &es.adam {
                [step.mean_scale, step.square_scale] = self.schedule.correct(adam);
            }
            self.schedule.decay(es);
        }
        self.generation += 1;
        step
    }
}

impl Names {
    fn of(plan: &Plan) -> Result<Self> {
        let (draw, task) = match plan.config.task {
            config::Task::Iaf(_) => ("draw_iaf", "iaf"),
            config::Task::Stdp(_) | config::Task::StdpComplex(_) => ("draw_stdp", "stdp"),
        };
        let (unit, memory) = (plan.unit.kind.name(), plan.unit.memory);
        let exact = format!("rollout_exact_{unit}_{task}_{}", exact_tile(memory));
        if plan.config.run.numerics == Numerics::Exact {
            return Ok(Self { draw, rollout: exact, exact: None });
        }
        if memory > 32 || plan.unit.outputs > 16 || plan.channels > 16 {
            return Err(Error::Config(format!(
                "`run.numerics`: fast mode has kernels for units of at most 32 memory cells and 16 outputs; this one has \
                 {memory} and {}\ntry: --set run.numerics=exact",
                plan.unit.outputs
            )));
        }
        let fast = format!("rollout_fast_{unit}_{task}_{}", fast_memory(memory));
        let exact = (plan.config.run.numerics == Numerics::Check).then_some(exact);
        Ok(Self { draw, rollout: fast, exact })
    }
}

/// Columns of a tile of the exact rollout.
fn exact_tile(memory: usize) -> usize {
    match memory {
        0..=8 => 8,
        9..=16 => 16,
        _ => 32,
    }
}

/// Memory cells of the fast rollout.
fn fast_memory(memory: usize) -> usize {
    memory.next_multiple_of(16)
}

/// Generations of a batch: the largest number up to `room` that divides both intervals, so that neither a validation nor
/// a checkpoint falls inside a batch.
fn batch_of(validate_every: u32, checkpoint_every: u32, room: u32) -> u32 {
    let divides = |n: &u32| validate_every.is_multiple_of(*n) && checkpoint_every.is_multiple_of(*n);
    (1..=room).rev().find(divides).unwrap_or(1)
}

/// Bytes on the device: those that do not depend on the population, and those of one offspring.
fn device_bytes(plan: &Plan, trials: usize, batch: u32) -> (u64, u64) {
    let lanes = |environments: usize| environments.next_multiple_of(LANES as usize);
    let vectors = if plan.config.es.as_ref().is_some_and(|es| es.adam.is_some()) { 4 } else { 3 };
    let stride = plan.parameters().next_multiple_of(4);
    let validation = lanes(plan.config.run.validation_episodes as usize);
    let of_steps = plan.steps * (plan.channels + 1);
    let fixed = trials * (3 * vectors * stride + of_steps * (batch as usize * lanes(plan.environments) + validation));
    let each = trials * (lanes(plan.environments) + 2 * batch as usize + 1) + 1;
    (4 * fixed as u64, 4 * each as u64)
}

/// Bytes of device memory that a run of `plan` takes.
pub fn gpu_memory_bytes(plan: &Plan) -> u64 {
    let (fixed, each) = device_bytes(plan, 1, batch(plan, 1));
    fixed + each * (plan.population as u64 + 1)
}

/// Generations of a batch of this many trials.
fn batch(plan: &Plan, trials: usize) -> u32 {
    let lanes = plan.environments.next_multiple_of(LANES as usize);
    let episode_bytes = 4 * trials * lanes * plan.steps * (plan.channels + 1);
    let flops = trials as u64 * plan.facts().flops;
    let room = (EPISODE_BYTES / episode_bytes).min((BATCH_FLOPS / flops) as usize);
    batch_of(plan.config.run.validate_every, plan.config.run.checkpoint_every, room.clamp(1, MAX_BATCH as usize) as u32)
}

fn check_memory(plan: &Plan, gpu: &Gpu, trials: usize, batch: u32) -> Result<()> {
    let (fixed, each) = device_bytes(plan, trials, batch);
    let (needed, free) = (fixed + each * (plan.population as u64 + 1), gpu.free_bytes()?.saturating_sub(ROUNDING));
    if needed <= free {
        return Ok(());
    }
    let fits = free.saturating_sub(fixed) / each;
    let trial = if trials > 1 { format!(" x {trials} trials") } else { String::new() };
    let advice = if fits >= 3 {
        format!("the largest population that fits is {}", fits - 1)
    } else {
        "no population fits: try fewer environments, steps or trials".into()
    };
    Err(Error::Device(format!(
        "population {}{trial} needs {needed} bytes of device memory and {free} are free on {}: {advice}",
        plan.population, gpu.facts.name
    )))
}

/// The grid and block of a rollout: as many windows in a block as shared memory has room for, at most `warps`.
fn rollout_shape(
    plan: &Plan,
    gpu: &Gpu,
    name: &str,
    trials: usize,
    perturbed: usize,
    lanes: usize,
    warps: usize,
) -> Result<Shape> {
    let windows = lanes / LANES as usize;
    let unit = &plan.unit;
    let live_rows = unit.gate_rows() - unit.inputs + plan.channels;
    // Floats of a block and of each of its warps, as Layout in rollout_exact.cu and Weights in rollout_fast.cu.
    let (block, warp) = if name.starts_with("rollout_exact") {
        let tile = exact_tile(unit.memory);
        let padded = |columns: usize| columns.next_multiple_of(tile);
        let weights = unit.gates() * live_rows * padded(unit.memory) + unit.memory * padded(unit.outputs);
        (weights, (3 * unit.memory + unit.outputs + plan.channels) * LANES as usize)
    } else {
        let memory = fast_memory(unit.memory);
        let row_tiles = memory / 16 + if unit.feedback() > 0 { 2 } else { 1 };
        let out_tiles = if unit.feedback() > 0 { 2 } else { 1 };
        let of_gates = unit.gates() * memory / 8 * row_tiles.div_ceil(2);
        ((of_gates + out_tiles * (memory / 16).div_ceil(2)) * 128, 2 * LANES as usize)
    };
    let limit = gpu.shared_limit() as usize / 4;
    let warps = warps.min(MAX_WARPS).min(windows);
    let fitting = (1..=warps).rev().find(|warps| block + warps * warp <= limit).ok_or_else(|| {
        Error::Device(format!(
            "the unit is too large for {}: a block needs {} bytes of shared memory and can have {}\n\
             try: a smaller memory or fewer outputs, or --device cpu",
            gpu.facts.name,
            4 * (block + warp),
            4 * limit
        ))
    })?;
    let blocks = (perturbed + 1) * windows.div_ceil(fitting);
    // The driver's limits.
    if blocks > i32::MAX as usize || trials > 65_535 {
        return Err(Error::Device(format!("{blocks} blocks for {trials} trials are more than one launch can have")));
    }
    Ok(Shape {
        grid: [blocks as u32, trials as u32, 1],
        block: 32 * fitting as u32,
        shared: 4 * (block + fitting * warp) as u32,
    })
}

impl Players {
    fn new(
        plan: &Plan,
        gpu: &Gpu,
        names: &Names,
        trials: usize,
        perturbed: usize,
        environments: usize,
        generations: usize,
    ) -> Result<Self> {
        let lanes = environments.next_multiple_of(LANES as usize);
        let shape = |name: &String| rollout_shape(plan, gpu, name, trials, perturbed, lanes, MAX_WARPS);
        let inputs_length = trials * plan.steps * plan.channels * lanes;
        let target_rows =
            if matches!(plan.config.task, config::Task::Iaf(_)) { plan.steps.div_ceil(32) } else { plan.steps };
        let target_length = trials * target_rows * lanes;
        Ok(Self {
            perturbed,
            environments,
            lanes,
            shape: shape(&names.rollout)?,
            exact_shape: names.exact.as_ref().map(shape).transpose()?,
            inputs: Buffer::zeros(gpu, generations * inputs_length)?,
            inputs_length,
            target: Buffer::zeros(gpu, generations * target_length)?,
            target_length,
            fitness: Buffer::zeros(gpu, trials * (perturbed + 1) * lanes)?,
        })
    }
}

impl Snapshot {
    fn copy_to(&self, gpu: &Gpu, to: &Self) -> Result<()> {
        self.centre.copy_to(gpu, &to.centre)?;
        self.first.copy_to(gpu, &to.first)?;
        if let (Some(from), Some(to)) = (&self.second, &to.second) {
            from.copy_to(gpu, to)?;
        }
        self.best.copy_to(gpu, &to.best)?;
        self.best_parameters.copy_to(gpu, &to.best_parameters)
    }
}

/// A pack of one trial: the run of a plan.
pub struct GpuEngine(Pack);

impl GpuEngine {
    /// At generation 0, with its first centre drawn.
    ///
    /// # Errors
    /// As [`Pack::new`].
    pub fn new(plan: &Plan, gpu: Gpu) -> Result<Self> {
        Pack::new(plan, gpu, &[plan.config.run.seed]).map(Self)
    }
}

impl Engine for GpuEngine {
    fn until_report(&self) -> u32 {
        self.0.until_report()
    }

    fn advance(&mut self, generations: u32, out: &mut Vec<Generation>) -> Result<()> {
        self.0.advance(generations, &mut |_, generation| out.push(generation))
    }

    fn replay(&mut self, fitness: &[f32]) -> Result<()> {
        self.0.replay(fitness)
    }

    fn state(&self) -> Result<State> {
        self.0.state(0)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.0.restore(std::slice::from_ref(state))
    }

    fn facts(&self) -> Facts {
        self.0.facts()
    }
}
