//! The seam between the run loop and a backend: K generations at a time, not one operation at a time.
//!
//! A workload opens an [`Engine`] from a [`crate::plan::Plan`]; the run loop advances it, writes what each
//! [`Generation`] tells, and saves its [`State`]. Everything that decides the bits of a run is in the plan and the
//! state: an engine restored from a state goes on exactly as the one that gave it.

use std::ops::DerefMut;

use crate::error::{Error, Result};

/// What one generation did.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// The first is 0.
    pub index: u32,
    /// Fitness of every offspring, length population; higher is better. NaN and infinities are kept as they came.
    pub fitness: Vec<f32>,
    /// Fitness of the centre, the unperturbed parameters before this generation's update, on the same episodes.
    pub centre: f32,
    /// Environment steps simulated, all offspring and the centre together.
    pub env_steps: u64,
    /// Wall time of this generation, seconds.
    pub seconds: f64,
}

/// Best, mean and spread of the finite values of a fitness vector; the others are only counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Highest finite fitness; NaN where there is none, as in the mean and the deviation.
    pub best: f32,
    /// Of the finite fitness values.
    pub mean: f32,
    /// Population standard deviation.
    pub std: f32,
    /// How many are NaN or infinite.
    pub non_finite: usize,
}

impl Generation {
    /// Statistics over the finite fitness values (NaN where there is none).
    pub fn summary(&self) -> Summary {
        let finite = || self.fitness.iter().filter(|f| f.is_finite()).map(|&f| f64::from(f));
        let n = finite().count();
        let mean = finite().sum::<f64>() / n as f64;
        let variance = finite().map(|f| (f - mean) * (f - mean)).sum::<f64>() / n as f64;
        Summary {
            best: finite().fold(f64::NAN, f64::max) as f32,
            mean: mean as f32,
            std: variance.sqrt() as f32,
            non_finite: self.fitness.len() - n,
        }
    }
}

/// Everything a run needs to go on from where it was.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Generations done; the next to run has this index.
    pub generation: u32,
    /// Parameters of the centre, flat, in the order of the unit's matrices.
    pub centre: Vec<f32>,
    /// The optimiser's own vectors by name, for example `velocity`; scalars are vectors of length 1.
    pub optimiser: Vec<(String, Vec<f32>)>,
    /// The best centre so far of those that were validated.
    pub best: Option<Best>,
}

impl State {
    /// Whether an engine that is in this state can go on from `other`.
    ///
    /// # Errors
    /// When its names or lengths are not the same.
    pub fn check_fits(&self, other: &Self) -> Result<()> {
        let same = self.optimiser.len() == other.optimiser.len()
            && self.optimiser.iter().zip(&other.optimiser).all(|(a, b)| a.0 == b.0 && a.1.len() == b.1.len())
            && self.centre.len() == other.centre.len()
            && other.best.as_ref().is_none_or(|best| best.parameters.len() == self.centre.len());
        if same {
            return Ok(());
        }
        Err(Error::Run("the saved state is of another unit or optimiser than the config's".into()))
    }
}

/// A centre worth keeping.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Generations that led to it.
    pub generation: u32,
    /// Its mean fitness on the run's validation episodes.
    pub fitness: f32,
    /// Flat, as [`State::centre`].
    pub parameters: Vec<f32>,
}

/// Work of one generation, for benchmarks, profiles and the progress bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// Offspring; the centre, which plays too, is not one.
    pub population: u32,
    /// Length of the flat parameter vector.
    pub parameters: usize,
    /// Environment steps, all offspring and the centre together.
    pub env_steps: u64,
    /// Multiply-adds of the units' matrices as executed, two operations each; element-wise functions not counted.
    pub flops: u64,
}

/// A backend running one workload.
pub trait Engine {
    /// Generations after which this backend likes best to report: 1 where each is reported as it ends, more where whole
    /// batches are.
    fn until_report(&self) -> u32 {
        1
    }

    /// Run `generations` more generations and push what each did.
    ///
    /// # Errors
    /// When no offspring of a generation has a finite fitness, or the device fails; the generations before it are
    /// pushed, and the state is the one after them.
    fn advance(&mut self, generations: u32, out: &mut Vec<Generation>) -> Result<()>;

    /// Apply the update that `fitness` (length population) leads to, without simulating: rebuilds a run from its log.
    ///
    /// # Errors
    /// As [`Engine::advance`], or when the length is not the population.
    fn replay(&mut self, fitness: &[f32]) -> Result<()>;

    /// A copy of where the run is, between generations.
    ///
    /// # Errors
    /// When the device fails.
    fn state(&self) -> Result<State>;

    /// Go on from a state that an engine of the same plan gave.
    ///
    /// # Errors
    /// When the state's names or lengths are not this plan's; the engine is then as it was.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// The same for every generation.
    fn facts(&self) -> Facts;
}

/// Runs of one plan, alike up to their seeds, that a backend moves side by side. A run by itself is [`Alone`].
pub trait Trials {
    /// As [`Engine::until_report`].
    fn until_report(&self) -> u32;

    /// Run `generations` more generations of every trial; `report` gets the trial and what each did, generation by
    /// generation.
    ///
    /// # Errors
    /// When no offspring of a trial's generation has a finite fitness, or the device fails. Of every trial the generations
    /// before it are reported, and the state is the one after them.
    fn advance(&mut self, generations: u32, report: &mut dyn FnMut(usize, Generation)) -> Result<()>;

    /// As [`Engine::state`].
    ///
    /// # Errors
    /// As there.
    fn state(&self, trial: usize) -> Result<State>;

    /// Go on from these states, one a trial, all of one generation.
    ///
    /// # Errors
    /// As [`Engine::restore`].
    fn restore(&mut self, states: &[State]) -> Result<()>;
}

/// An engine, owned or borrowed, as its only trial.
pub struct Alone<E>(pub E);

impl<E: DerefMut<Target: Engine>> Trials for Alone<E> {
    fn until_report(&self) -> u32 {
        self.0.until_report()
    }

    fn advance(&mut self, generations: u32, report: &mut dyn FnMut(usize, Generation)) -> Result<()> {
        let mut out = Vec::new();
        let advanced = self.0.advance(generations, &mut out);
        out.into_iter().for_each(|generation| report(0, generation));
        advanced
    }

    fn state(&self, _: usize) -> Result<State> {
        self.0.state()
    }

    fn restore(&mut self, states: &[State]) -> Result<()> {
        states.iter().try_for_each(|state| self.0.restore(state))
    }
}
