//! What is left of a sweep to do: run by run, or on a device the seeds of a cell side by side.

use std::time::{Duration, Instant};

use super::progress::Progress;
use super::{Folder, Outcome, Planned, Shard, Sweep};
use crate::column::search::run::Search;
use crate::config::{self, Column};
use crate::device::{Backend, Device};
use crate::engine::State;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::run::interrupt::Interrupt;
use crate::run::{self, Ended};
use crate::{report, workload};

/// Between two drawings of the report while the sweep goes on.
const DRAWN_EVERY: Duration = Duration::from_secs(60);

/// How a sweep is done; nothing here changes what comes of its runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Say nothing on stderr but errors and warnings.
    pub quiet: bool,
    /// Try failed runs again.
    pub retry: bool,
    /// Which runs are for this process.
    pub shard: Shard,
    /// Draw the report now and then.
    pub report: bool,
    /// Keep an event file for TensorBoard in each run's folder.
    pub tensorboard: bool,
}

/// A run that is to be done.
struct Job {
    /// Place of its cell, from 0.
    cell: usize,
    seed: u64,
    name: String,
}

/// One of several that evolve together, its folder locked.
struct Taken<'j> {
    job: &'j Job,
    plan: Plan,
    folder: run::Folder,
}

impl Sweep {
    /// Do all runs of a shard that are not finished. Ctrl-C and SIGTERM are answered for the whole process while this goes on:
    /// the first ends the run at work after its generation.
    ///
    /// A run that cannot go on by itself is recorded as failed, and the sweep goes on.
    ///
    /// # Errors
    /// When the device or a write fails.
    pub fn run(&self, folder: &Folder, device: &Device, options: &Options) -> Result<Ended> {
        let jobs = self.jobs(folder, options)?;
        let interrupt = Interrupt::listen(options.quiet);
        let progress = Progress::start(folder, folder.write_tables()?, jobs.len(), device, options.quiet);
        let mut work = Work { sweep: self, folder, device, options, interrupt, progress, drawn: Instant::now() };
        // The CPU's threads are busy with one run.
        let together = |a: &Job, b: &Job| device.backend != Backend::Cpu && a.cell == b.cell;
        let mut ended = Ended::Finished;
        for batch in jobs.chunk_by(together) {
            if work.interrupt.requested() || work.batch(batch)? == Ended::Interrupted {
                ended = Ended::Interrupted;
                break;
            }
        }
        work.progress.end(ended);
        Ok(ended)
    }

    fn jobs(&self, folder: &Folder, options: &Options) -> Result<Vec<Job>> {
        let seeds = self.spec.seeds as usize;
        let rows = folder.rows()?.into_iter().enumerate();
        let left = rows.filter(|(place, row)| options.shard.has(*place) && is_left(row.outcome.as_ref(), options));
        Ok(left.map(|(place, row)| Job { cell: place / seeds, seed: row.seed, name: row.name }).collect())
    }
}

fn is_left(outcome: Option<&Outcome>, options: &Options) -> bool {
    outcome.is_none_or(|outcome| outcome.failed.is_some() && options.retry)
}

struct Work<'a> {
    sweep: &'a Sweep,
    folder: &'a Folder,
    device: &'a Device,
    options: &'a Options,
    interrupt: Interrupt,
    progress: Progress,
    drawn: Instant,
}

impl Work<'_> {
    /// Runs of a cell.
    fn batch(&mut self, jobs: &[Job]) -> Result<Ended> {
        let mut taken = Vec::new();
        for job in jobs {
            match self.sweep.planned(job.cell, &job.name, job.seed)? {
                Planned::Evolution(plan) => {
                    if let Some(folder) = self.take(job, &config::to_toml(&plan.config))? {
                        taken.push(Taken { job, plan: *plan, folder });
                    }
                }
                Planned::Search(column) => {
                    if let Some(folder) = self.take(job, &config::to_toml(&column))?
                        && self.search(job, &column, &folder)? == Ended::Interrupted
                    {
                        return Ok(Ended::Interrupted);
                    }
                }
            }
        }
        // Trials move together, so they begin where others of theirs stopped.
        let mut by_generation = Vec::new();
        for run in taken {
            let state = run.folder.newest_checkpoint(&run.plan);
            by_generation.push((state.ok().flatten().map_or(0, |(state, _)| state.generation), run));
        }
        by_generation.sort_by_key(|(generation, _)| *generation);
        for group in by_generation.chunk_by(|a, b| a.0 == b.0) {
            let group: Vec<&Taken> = group.iter().map(|(_, run)| run).collect();
            if self.evolve(&group)? == Ended::Interrupted {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Finished)
    }

    /// The folder of a run, unless someone else is at work in it or has finished it meanwhile.
    fn take(&mut self, job: &Job, config: &str) -> Result<Option<run::Folder>> {
        let Some(folder) = run::Folder::take(&self.folder.run_path(&job.name), config)? else {
            self.progress.say(&format!("{}: another process is at work on it", job.name));
            return Ok(None);
        };
        let outcome = self.folder.outcome(&job.name)?;
        Ok(is_left(outcome.as_ref(), self.options).then_some(folder))
    }

    /// Runs that are at the same generation, to their end. Where they cannot go on together, or do not fit the device, the
    /// halves are tried, down to single runs.
    fn evolve(&mut self, group: &[&Taken]) -> Result<Ended> {
        match (self.advance(group), group) {
            (Ok(Ended::Finished), _) => {
                for run in group {
                    let episodes = self.folder.spec().episodes;
                    let outcome = Outcome::of_run(&run.plan, &run.folder, episodes, group.len())?;
                    self.keep(run.job, &outcome)?;
                }
                Ok(Ended::Finished)
            }
            (Err(Error::Run(_) | Error::Device(_)), [_, _, ..]) => {
                let (first, second) = group.split_at(group.len() / 2);
                for half in [first, second] {
                    if self.evolve(half)? == Ended::Interrupted {
                        return Ok(Ended::Interrupted);
                    }
                }
                Ok(Ended::Finished)
            }
            (Err(error @ (Error::Run(_) | Error::BadFile { .. })), [run]) => {
                let outcome = Outcome::of_failure(&run.plan, &run.folder, &error.to_string());
                self.keep(run.job, &outcome).map(|()| Ended::Finished)
            }
            (ended, _) => ended,
        }
    }

    fn advance(&mut self, group: &[&Taken]) -> Result<Ended> {
        let [first, ..] = group else { return Ok(Ended::Finished) };
        let seeds: Vec<u64> = group.iter().map(|run| run.job.seed).collect();
        let mut states = Vec::with_capacity(group.len());
        for run in group {
            states.push(run.folder.announced_checkpoint(&run.plan)?);
        }
        let go_on = states.iter().all(|state| state.as_ref().is_some_and(|state| state.generation > 0));
        let opened = if go_on { first.plan.without_first_centres() } else { first.plan.clone() };
        let mut trials = workload::open_trials(&opened, self.device, &seeds)?;
        if states.iter().any(Option::is_some) {
            let of = |(trial, state): (usize, Option<State>)| state.map_or_else(|| trials.state(trial), Ok);
            let states = states.into_iter().enumerate().map(of).collect::<Result<Vec<_>>>()?;
            trials.restore(&states)?;
        }
        let runs: Vec<(&Plan, &run::Folder)> = group.iter().map(|run| (&run.plan, &run.folder)).collect();
        let (progress, interrupt) = (&mut self.progress, &self.interrupt);
        let end = first.plan.config.run.generations;
        progress.begin(first.job.cell, &first.job.name, group.len());
        let mut tell = |trial, generation: &crate::engine::Generation, summary: crate::engine::Summary| {
            if trial == 0 {
                progress.generation(generation.index + 1, end, summary.mean);
            }
        };
        run::evolve_trials(trials.as_mut(), &runs, self.options.tensorboard, &mut tell, &|| interrupt.requested())
    }

    fn search(&mut self, job: &Job, column: &Column, folder: &run::Folder) -> Result<Ended> {
        if self.interrupt.requested() {
            return Ok(Ended::Interrupted);
        }
        self.progress.begin(job.cell, &job.name, 1);
        let gpu = self.device.open()?;
        let options = run::Options { quiet: true, tensorboard: self.options.tensorboard, ..run::Options::default() };
        let outcome = match Search::new(column)?.run(folder, gpu.as_ref(), &options) {
            Ok(Ended::Interrupted) => return Ok(Ended::Interrupted),
            Ok(Ended::Finished) => Outcome::of_search(folder)?,
            Err(error @ (Error::Run(_) | Error::BadFile { .. })) => {
                Outcome::of_failed_search(column, &error.to_string())
            }
            Err(error) => return Err(error),
        };
        self.keep(job, &outcome).map(|()| Ended::Finished)
    }

    fn keep(&mut self, job: &Job, outcome: &Outcome) -> Result<()> {
        let summaries = self.folder.keep(&job.name, outcome)?;
        self.progress.finished(&job.name, outcome, summaries);
        if self.options.report && self.drawn.elapsed() >= DRAWN_EVERY {
            report::sweep::write(self.folder)?;
            self.drawn = Instant::now();
        }
        Ok(())
    }
}
