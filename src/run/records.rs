//! The files a run writes, and the order in which they reach the disk.

use std::time::{Instant, SystemTime};

use super::checkpoint;
use super::fitness_log::FitnessLog;
use super::folder::Folder;
use super::metrics::{self, Metrics, MetricsLog};
use super::tensorboard::{self, Events};
use crate::config;
use crate::engine::{Generation, State, Summary};
use crate::error::Result;
use crate::plan::Plan;

/// The open files of a run that goes on.
pub struct Records<'a> {
    folder: &'a Folder,
    metrics: MetricsLog,
    fitness: FitnessLog,
    /// If the run has them.
    events: Option<Events>,
    started: Instant,
}

impl<'a> Records<'a> {
    /// Open the logs, cut to the first `generation` generations; an event file too if it is asked for, or the run has one.
    ///
    /// # Errors
    /// When they hold fewer, or cannot be opened.
    pub fn open(folder: &'a Folder, plan: &Plan, generation: u32, events: bool) -> Result<Self> {
        let path = folder.metrics_path();
        let written = tensorboard::written(&path);
        let metrics = MetricsLog::open(&path, generation)?;
        let fitness = FitnessLog::open(&folder.fitness_path(), plan.population, generation)?;
        let events = if events || folder.events_path()?.is_some() {
            let past = metrics::points(&metrics::read(&path)?, written);
            Some(Events::open(folder, &config::to_toml(&plan.config), &past)?)
        } else {
            None
        };
        Ok(Self { folder, metrics, fitness, events, started: Instant::now() })
    }

    /// Log one generation.
    ///
    /// # Errors
    /// When a write fails.
    pub fn append(&mut self, generation: &Generation, summary: Summary) -> Result<()> {
        self.fitness.append(&generation.fitness)?;
        let seconds = self.metrics.seconds_before() + self.started.elapsed().as_secs_f64();
        let row = Metrics::new(generation, summary, seconds);
        self.metrics.append(&row)?;
        self.events.as_mut().map_or(Ok(()), |events| events.append(&row.point(SystemTime::now())))
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
