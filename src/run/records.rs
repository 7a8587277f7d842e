//! The files a run writes, and the order in which they reach the disk.

use std::time::Instant;

use super::checkpoint;
use super::fitness_log::FitnessLog;
use super::folder::Folder;
use super::metrics::{Metrics, MetricsLog};
use crate::engine::{Generation, State, Summary};
use crate::error::Result;
use crate::plan::Plan;

/// The open files of a run that goes on.
pub struct Records<'a> {
    folder: &'a Folder,
    metrics: MetricsLog,
    fitness: FitnessLog,
    started: Instant,
}

impl<'a> Records<'a> {
    /// Open the logs, cut to the first `generation` generations.
    ///
    /// # Errors
    /// When they hold fewer, or cannot be opened.
    pub fn open(folder: &'a Folder, population: usize, generation: u32) -> Result<Self> {
        let metrics = MetricsLog::open(&folder.metrics_path(), generation)?;
        let fitness = FitnessLog::open(&folder.fitness_path(), population, generation)?;
        Ok(Self { folder, metrics, fitness, started: Instant::now() })
    }

    /// Log one generation.
    ///
    /// # Errors
    /// When a write fails.
    pub fn append(&mut self, generation: &Generation, summary: Summary) -> Result<()> {
        self.fitness.append(&generation.fitness)?;
        let seconds = self.metrics.seconds_before() + self.started.elapsed().as_secs_f64();
        self.metrics.append(&Metrics::new(generation, summary, seconds))
    }

    /// Make `state` the checkpoint to go on from. The logs go to the disk first: a checkpoint that counts on records
    /// which a power failure took could not be resumed.
    ///
    /// # Errors
    /// When a write fails; the checkpoint before is then still there.
    pub fn keep(&self, plan: &Plan, state: &State) -> Result<()> {
        self.fitness.sync()?;
        self.metrics.sync()?;
        if let Some(best) = &state.best {
            let parameters = best.parameters.clone();
            let best = State { generation: best.generation, centre: parameters, optimiser: Vec::new(), best: None };
            checkpoint::write(&self.folder.best_path(), plan, &best)?;
        }
        let (current, previous) = self.folder.checkpoint_paths();
        checkpoint::save(&current, &previous, plan, state)?;
        tracing::debug!(generation = state.generation, "checkpoint written");
        Ok(())
    }
}
