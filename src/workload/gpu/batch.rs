//! Batches: put on the device ahead of what is reported, collected one behind, and taken back where something else is
//! asked for.

use cudarc::driver::CudaGraph;
use cudarc::driver::sys::{CUevent_flags, CUgraphInstantiate_flags, CUstreamCaptureMode};

use super::super::{canonical, check_record, nothing_to_select};
use super::{Half, Mark, Pack, device};
use crate::engine::Generation;
use crate::error::{Error, Result};
use crate::gpu;
use crate::rng::Stream;

impl Pack {
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
    pub(super) fn rewind(&mut self) -> Result<()> {
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
        self.generation.game.draw(&self.context(), first, Stream::Episode, count)?;
        self.halves[half].env_steps.clear(&self.gpu)?;
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
        let Half { fitness, pinned_fitness, env_steps, pinned_env_steps, pinned_halted, .. } = &mut self.halves[half];
        fitness.download(gpu, pinned_fitness, length)?;
        env_steps.download(gpu, pinned_env_steps, count as usize * self.seeds.len())?;
        self.buffers.halted.download(gpu, pinned_halted, 1)?;
        let drained = device("cannot order the streams", gpu.copy.record_event(None))?;
        self.launched = mark;
        let half = &mut self.halves[half];
        half.mark = mark;
        (half.started, half.computed, half.drained) = (Some(started), Some(computed), Some(drained));
        Ok(())
    }

    /// A full batch's generations as a graph.
    fn capture(&self, half: usize) -> Result<CudaGraph> {
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

    pub(super) fn launch_generations(&self, half: usize, count: u32) -> Result<()> {
        let per_generation = self.seeds.len() * (self.plan.population + 1);
        for k in 0..count as usize {
            let step = self.halves[half].steps.at(k, 1);
            let fitness = self.halves[half].fitness.at(k * per_generation, per_generation);
            self.play(&self.generation, k, step)?;
            let env_steps = self.halves[half].env_steps.at(k * self.seeds.len(), self.seeds.len());
            self.mean(&self.generation, fitness, env_steps)?;
            self.select(step, fitness)?;
        }
        Ok(())
    }

    /// Wait for the batch of the current half and report it.
    fn collect(&mut self, count: u32, mark: Mark, report: &mut dyn FnMut(usize, Generation)) -> Result<()> {
        let _range = gpu::range("collect batch");
        let (trials, players) = (self.seeds.len(), self.plan.population + 1);
        let all_steps = self.generation.game.lived().is_none().then(|| self.facts().env_steps);
        let first = self.reported.generation;
        let half = &mut self.halves[self.current];
        let mut seconds = 0.0;
        if let (Some(started), Some(computed), Some(drained)) = (&half.started, &half.computed, &half.drained) {
            device("the device failed", drained.synchronize())?;
            let milliseconds = device("cannot time the device", started.elapsed_ms(computed))?;
            seconds = f64::from(milliseconds) / 1e3 / f64::from(count);
        }
        // The batch that runs already may have halted: that is for the next report.
        let halted = half.pinned_halted.as_mut_slice()?[0];
        let stopped = (1..=mark.generation).contains(&halted).then(|| halted - 1);
        let good = stopped.map_or(count, |at| at - first);
        let (fitness, lived) = (half.pinned_fitness.as_mut_slice()?, half.pinned_env_steps.as_mut_slice()?);
        for (k, generation) in fitness.chunks_exact(trials * players).take(good as usize).enumerate() {
            for (trial, fitness) in generation.chunks_exact(players).enumerate() {
                let (centre, offspring) = fitness.split_last().unwrap_or((&f32::NAN, &[]));
                let generation = Generation {
                    index: first + k as u32,
                    fitness: offspring.iter().copied().map(canonical).collect(),
                    centre: canonical(*centre),
                    env_steps: all_steps.unwrap_or(lived[k * trials + trial]),
                    seconds,
                };
                report(trial, generation);
            }
        }
        if let Some(at) = stopped {
            let of_generation = fitness.chunks_exact(players).skip(good as usize * trials).take(trials);
            let no_finite = |fitness: &[f32]| !fitness[..players - 1].iter().any(|f| f.is_finite());
            let trial = of_generation.map(no_finite).position(|halts| halts).unwrap_or_default();
            // Kernels did nothing any more, so the snapshot is the state before that generation.
            let mut schedule = self.reported;
            (0..good).for_each(|_| {
                schedule.advance(&self.plan);
            });
            self.reported = schedule;
            self.rewind()?;
            self.gpu.wait()?;
            self.buffers.halted.write(&self.gpu, 0, &[0])?;
            return Err(nothing_to_select(self.seeds[trial], at));
        }
        self.reported = mark;
        Ok(())
    }

    /// Apply the update that `fitness` of a trial, the only one, leads to.
    ///
    /// # Errors
    /// As [`Pack::advance`], or when the length is not the population.
    pub(super) fn replay(&mut self, fitness: &[f32]) -> Result<()> {
        check_record(fitness.len(), self.plan.population)?;
        self.rewind()?;
        self.learn(fitness, false)?;
        // The state is read on a stream of its own.
        self.gpu.wait()
    }
}
