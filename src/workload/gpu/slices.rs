//! One run over several devices, of this process and of other ranks: of every generation each device plays a slice of
//! the players, and all of them make the same update from the fitness of all. A generation waits for the slowest slice,
//! so nothing is launched ahead of what is reported.

use std::rc::Rc;
use std::time::Instant;

use super::super::{canonical, check_record, nothing_to_select};
use super::Pack;
use crate::comm::{Ranks, Shares};
use crate::engine::{Engine, Facts, Generation, State};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::plan::Plan;
use crate::rng::Stream;

/// The run of a plan on the devices of this rank. There is at least one.
pub struct SlicedEngine {
    packs: Vec<Pack>,
    ranks: Rc<Ranks>,
    shares: Shares,
}

impl SlicedEngine {
    /// At generation 0, with its first centre drawn.
    ///
    /// # Errors
    /// As [`Pack::new`], and those of [`Ranks::share`].
    pub fn new(plan: &Plan, gpus: Vec<Gpu>, ranks: &Rc<Ranks>) -> Result<Self> {
        let shares = ranks.share(plan, gpus.len())?;
        let pack = |(part, gpu)| Pack::with(plan, gpu, &[plan.config.run.seed], shares.of_part(part), 1);
        let packs = gpus.into_iter().enumerate().map(pack).collect::<Result<_>>()?;
        Ok(Self { packs, ranks: Rc::clone(ranks), shares })
    }

    /// Fitness of every offspring and, last, of the centre; and the steps simulated.
    fn evaluate(&mut self) -> Result<(Vec<f32>, u64)> {
        self.packs.iter().try_for_each(Pack::play_slice)?;
        let (mut fitness, mut steps) = (Vec::new(), 0);
        for pack in &self.packs {
            let (of_slice, steps_of_slice) = pack.slice_fitness()?;
            fitness.extend(of_slice);
            steps += steps_of_slice;
        }
        self.ranks.gather(&self.shares, fitness, steps)
    }

    /// The update that `fitness` leads to, on all devices.
    fn learn(&mut self, fitness: &[f32], validates: bool) -> Result<()> {
        self.packs.iter_mut().try_for_each(|pack| pack.learn(fitness, validates))?;
        self.packs.iter().try_for_each(|pack| pack.gpu.wait())
    }
}

impl Engine for SlicedEngine {
    fn advance(&mut self, generations: u32, out: &mut Vec<Generation>) -> Result<()> {
        for _ in 0..generations {
            let start = Instant::now();
            let index = self.packs[0].reported.generation;
            let (mut fitness, env_steps) = self.evaluate()?;
            let centre = fitness.pop().unwrap_or(f32::NAN);
            self.learn(&fitness, true)?;
            out.push(Generation { index, fitness, centre, env_steps, seconds: start.elapsed().as_secs_f64() });
        }
        Ok(())
    }

    fn replay(&mut self, fitness: &[f32]) -> Result<()> {
        check_record(fitness.len(), self.packs[0].plan.population)?;
        self.learn(fitness, false)
    }

    fn state(&self) -> Result<State> {
        self.packs[0].state(0)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.packs.iter_mut().try_for_each(|pack| pack.restore(std::slice::from_ref(state)))
    }

    fn facts(&self) -> Facts {
        self.packs[0].facts()
    }
}

/// Of a pack of one trial that has nothing launched ahead.
impl Pack {
    /// Put the next generation, as its players play it, on the compute stream.
    fn play_slice(&self) -> Result<()> {
        let mut mark = self.reported;
        let step = mark.advance(&self.plan);
        let half = &self.halves[1 - self.current];
        half.steps.write(&self.gpu, 0, &[step])?;
        half.env_steps.clear(&self.gpu)?;
        let step = half.steps.pointer();
        self.generation.game.draw(&self.context(), step, Stream::Episode, 1)?;
        self.play(&self.generation, 0, step)?;
        self.mean(&self.generation, half.fitness.pointer(), half.env_steps.pointer())
    }

    /// Fitness of its players, once they have played, and the steps simulated.
    fn slice_fitness(&self) -> Result<(Vec<f32>, u64)> {
        let (half, players) = (&self.halves[1 - self.current], self.generation.range.len());
        let fitness = half.fitness.read(&self.gpu.compute, 0, players)?;
        let steps = match self.generation.game.lived() {
            Some(_) => half.env_steps.read(&self.gpu.compute, 0, 1)?[0],
            None => self.facts().env_steps / (self.plan.population + 1) as u64 * players as u64,
        };
        Ok((fitness.into_iter().map(canonical).collect(), steps))
    }

    /// Put the update that the fitness of all offspring leads to on the compute stream, and where it is due the
    /// validation.
    pub(super) fn learn(&mut self, fitness: &[f32], validates: bool) -> Result<()> {
        if !fitness.iter().any(|f| f.is_finite()) {
            return Err(nothing_to_select(self.seeds[0], self.reported.generation));
        }
        let mut mark = self.reported;
        let step = mark.advance(&self.plan);
        let half = &self.halves[1 - self.current];
        half.steps.write(&self.gpu, 0, &[step])?;
        half.fitness.write(&self.gpu, 0, fitness)?;
        self.select(half.steps.pointer(), half.fitness.pointer())?;
        if validates && mark.generation.is_multiple_of(self.plan.config.run.validate_every) {
            self.validate(1 - self.current, 1, mark.generation)?;
        }
        self.buffers.live.copy_to(&self.gpu, &self.halves[self.current].snapshot)?;
        (self.reported, self.launched) = (mark, mark);
        Ok(())
    }
}
