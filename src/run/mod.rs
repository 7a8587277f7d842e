//! A run: the generation loop, and everything it keeps in its folder so that it can be stopped, gone on with,
//! watched and checked.
//!
//! The promise is that a run stopped at any moment, even by SIGKILL, and resumed gives the bits of one that was never
//! stopped. It rests on an order: a generation's records are appended to the logs; before a checkpoint takes its
//! place the logs are forced to the disk; on resume the logs are cut to what the checkpoint knows, and the rest is
//! computed again.

pub mod checkpoint;
pub(crate) mod difference;
pub mod durable;
#[cfg(test)]
mod fake;
mod fitness_log;
pub(crate) mod folder;
pub(crate) mod interrupt;
pub(crate) mod metrics;
mod progress;
mod records;
pub(crate) mod tensorboard;
#[cfg(test)]
mod tests;

use std::fs;

pub use folder::Folder;
pub use metrics::Metrics;

use fitness_log::FitnessReader;
use interrupt::Interrupt;
use progress::Progress;
use records::Records;

use crate::comm::Ranks;
use crate::config;
use crate::engine::{Alone, Engine, Generation, State, Summary, Trials};
use crate::error::{Error, Result};
use crate::plan::Plan;

/// Keys of the config that may change on resume: they decide how long a run is, not its bits.
pub const MAY_CHANGE: [&str; 2] = ["run.generations", "run.checkpoint_every"];

/// How a run behaves towards its user; nothing here changes its results.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Say nothing on stderr but errors and warnings.
    pub quiet: bool,
    /// What the engine runs on, for people.
    pub device: String,
    /// Keep an event file for TensorBoard. A run that has one goes on with it either way.
    pub tensorboard: bool,
}

/// How a run that did not fail came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All generations are done.
    Finished,
    /// A signal stopped it; the checkpoint is that of the last generation done.
    Interrupted,
}

/// Run from the engine's generation up to `run.generations`, with a checkpoint every `run.checkpoint_every`
/// generations and at the end.
///
/// The engine must be where the folder's newest checkpoint is, see [`stopped`]. Ctrl-C and SIGTERM are answered for
/// the whole process while this runs: the first ends the run after its generation, the second the process.
///
/// # Errors
/// When the engine or a write fails, or the folder is not the plan's or is in use. The folder then still holds its
/// last good checkpoint.
pub fn evolve(plan: &Plan, engine: &mut dyn Engine, folder: &Folder, options: &Options) -> Result<Ended> {
    evolve_among(plan, engine, folder, options, &Ranks::alone())
}

/// As [`evolve`], with an engine that is one of several; this is the rank that leads, and the others [`follow`]. A signal
/// to any rank ends the run on all of them, after the same generation.
///
/// # Errors
/// As [`evolve`], and when another rank fails.
pub fn evolve_among(
    plan: &Plan,
    engine: &mut dyn Engine,
    folder: &Folder,
    options: &Options,
    ranks: &Ranks,
) -> Result<Ended> {
    let interrupt = Interrupt::listen(options.quiet);
    evolve_until(plan, engine, folder, options, &|| ranks.any(interrupt.requested()))
}

/// What the other ranks do in [`evolve_among`]: the same, without a folder and without a word.
///
/// # Errors
/// When the engine or another rank fails.
pub fn follow(plan: &Plan, engine: &mut dyn Engine, ranks: &Ranks) -> Result<Ended> {
    let interrupt = Interrupt::listen(true);
    go_on(&mut Alone(engine), &mut [(plan, None)], &mut |_, _, _| {}, &|| ranks.any(interrupt.requested()))
}

/// Bring the engines of all ranks, fresh ones, to where that of the leading rank is.
///
/// # Errors
/// When a rank has failed.
pub fn gather(plan: &Plan, engine: &mut dyn Engine, ranks: &Ranks) -> Result<()> {
    let state = engine.state()?;
    // At the start of a run all engines are in the same place by themselves.
    let bytes = match ranks.leads() && ranks.size() > 1 && state.generation > 0 {
        true => checkpoint::encode(plan, &state),
        false => Ok(Vec::new()),
    };
    let told = |why: String| Error::Run(format!("cannot tell the other ranks where the run is: {why}"));
    let bytes = ranks.hand_out(bytes.map_err(told)?)?;
    if ranks.leads() || bytes.is_empty() {
        return Ok(());
    }
    engine.restore(&checkpoint::decode(&bytes).map_err(told)?.state)
}

fn evolve_until(
    plan: &Plan,
    engine: &mut dyn Engine,
    folder: &Folder,
    options: &Options,
    interrupted: Interrupted<'_>,
) -> Result<Ended> {
    let state = engine.state()?;
    let records = begin(plan, &state, folder, options.tensorboard)?;
    let mut progress = Progress::start(folder.path(), state.generation, plan.config.run.generations, options);
    let mut tell = |_, generation: &Generation, summary| progress.generation(generation, summary);
    let ended = go_on(&mut Alone(engine), &mut [(plan, Some(records))], &mut tell, interrupted)?;
    progress.end(ended);
    Ok(ended)
}

/// What is told of every generation: which trial's, what it did, in short.
pub(crate) type Tell<'t> = &'t mut dyn FnMut(usize, &Generation, Summary);

/// Asked after every report: whether to stop.
type Interrupted<'i> = &'i dyn Fn() -> Result<bool>;

/// As [`evolve`], of trials side by side, each with its plan and folder; the trials must be where the folders' newest
/// checkpoints are. Signals are left to the caller, and so is what is said. `tensorboard` is [`Options::tensorboard`].
///
/// # Errors
/// As [`evolve`].
pub(crate) fn evolve_trials(
    trials: &mut dyn Trials,
    runs: &[(&Plan, &Folder)],
    tensorboard: bool,
    tell: Tell<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<Ended> {
    let mut opened = Vec::with_capacity(runs.len());
    for (trial, (plan, folder)) in runs.iter().enumerate() {
        opened.push((*plan, Some(begin(plan, &trials.state(trial)?, folder, tensorboard)?)));
    }
    go_on(trials, &mut opened, tell, &|| Ok(interrupted()))
}

/// Runs whose records another rank writes have none here.
fn go_on(
    trials: &mut dyn Trials,
    runs: &mut [(&Plan, Option<Records>)],
    tell: Tell<'_>,
    interrupted: Interrupted<'_>,
) -> Result<Ended> {
    let Some((plan, _)) = runs.first() else { return Ok(Ended::Finished) };
    let mut done = trials.state(0)?.generation;
    tracing::info!(
        config = format!("{:016x}", plan.hash()),
        trials = runs.len(),
        parameters = plan.parameters(),
        population = plan.population,
        memory_bytes = plan.memory_bytes(),
        generation = done,
        "evolving"
    );
    let (end, every) = (plan.config.run.generations, plan.config.run.checkpoint_every.max(1));
    let mut ended = Ended::Finished;
    let mut generations = Vec::new();
    while done < end && ended == Ended::Finished {
        let count = trials.until_report().min(end - done).min(every - done % every);
        let advanced = trials.advance(count, &mut |trial, generation| generations.push((trial, generation)));
        for (trial, generation) in generations.drain(..) {
            let summary = generation.summary();
            if let Some(records) = &mut runs[trial].1 {
                records.append(&generation, summary)?;
            }
            tell(trial, &generation, summary);
            done = generation.index + 1;
        }
        match advanced.and_then(|()| interrupted()) {
            Ok(stop) if stop && done < end => ended = Ended::Interrupted,
            Ok(_) => {}
            Err(error) => {
                // The engine is in its state before the failure, which is worth keeping; its error is the one to report.
                let _ = keep(trials, runs);
                return Err(error);
            }
        }
        if done == end || done.is_multiple_of(every) || ended == Ended::Interrupted {
            keep(trials, runs)?;
        }
    }
    Ok(ended)
}

/// Every run gets the checkpoint of its trial.
fn keep(trials: &dyn Trials, runs: &[(&Plan, Option<Records>)]) -> Result<()> {
    runs.iter().enumerate().try_for_each(|(trial, (plan, records))| match records {
        Some(records) => records.keep(plan, &trials.state(trial)?),
        None => Ok(()),
    })
}

/// Take the folder for writing and bring it to the engine's generation.
fn begin<'a>(plan: &Plan, state: &State, folder: &'a Folder, tensorboard: bool) -> Result<Records<'a>> {
    folder.lock()?;
    let kept = folder.newest_checkpoint(plan)?.map(|(state, _)| state.generation);
    if let Some(kept) = kept.filter(|&kept| kept != state.generation) {
        let (path, at) = (folder.path().display(), state.generation);
        return Err(Error::Run(format!(
            "cannot go on in {path}: its checkpoint was made after {kept} generations, the engine has done {at}"
        )));
    }
    let config = config::to_toml(&plan.config);
    if fs::read_to_string(folder.config_path()).ok().as_ref() != Some(&config) {
        durable::replace(&folder.config_path(), config.as_bytes())?;
    }
    let records = Records::open(folder, plan, state.generation, tensorboard)?;
    if kept.is_none() {
        // So that a kill before the first interval leaves a run that can be resumed like any other.
        records.keep(plan, state)?;
    }
    Ok(records)
}

/// Where the run in `folder` stopped: its newest good checkpoint (with a warning on stderr if that is the previous one), or
/// nowhere if the run was killed before it wrote any. The folder is this process's from then on.
///
/// # Errors
/// When the checkpoints are damaged or belong to another config, or another process is evolving the run.
pub fn stopped(plan: &Plan, folder: &Folder) -> Result<Option<State>> {
    folder.lock()?;
    folder.announced_checkpoint(plan)
}

/// The state after `generation` generations (0: the first centre), rebuilt from `fitness.f32` alone, bit for bit.
///
/// `engine` must be fresh. The log knows nothing of the centre's own fitness, so `best` is not rebuilt.
///
/// # Errors
/// When the log is shorter, the config is not the run's, or the engine fails.
pub fn replay(plan: &Plan, engine: &mut dyn Engine, folder: &Folder, generation: u32) -> Result<State> {
    let at = engine.state()?.generation;
    if at != 0 {
        return Err(Error::Run(format!("cannot replay from an engine that has done {at} generations")));
    }
    let (current, previous) = folder.checkpoint_paths();
    // Damaged checkpoints do not matter here: the log alone is what is replayed.
    if let Ok(Some((saved, _))) = checkpoint::newest(&current, &previous) {
        folder.check_config(&saved, plan)?;
    }
    let mut log = FitnessReader::open(&folder.fitness_path(), plan.population)?;
    let have = log.records()?;
    if u64::from(generation) > have {
        let path = folder.path().display();
        return Err(Error::Run(format!("cannot replay {generation} generations: {path} has a record of {have}")));
    }
    for index in 0..generation {
        engine.replay(&log.read(index)?)?;
    }
    engine.state()
}
