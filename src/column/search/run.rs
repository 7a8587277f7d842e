//! A search as a run: its folder has all it needs to go on, to the same bits, whatever stopped it.
//!
//! The order of durability is that of [`crate::run`]: candidates are appended to the log; the log is synced; the
//! checkpoint takes its place in one step; on resume the log is cut to what the checkpoint knows, and the rest is
//! simulated again. A search asks for the same candidates until it is told what they are worth, so a generation that
//! was cut short leaves no trace.
//!
//! `best.toml` holds the best candidate so far, and at the end the [answer](super::outcome).

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::candidates::{self, Log, Row};
use super::checkpoint::{self, Remembered, State};
use super::outcome::{self, Outcome};
use super::progress::Progress;
use super::{Judged, Problem};
use crate::config::{self, Searcher};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::hash::fnv1a;
use crate::run::folder::{BEST_COLUMN, CANDIDATES, RESULT};
use crate::run::interrupt::Interrupt;
use crate::run::tensorboard::{self, Events};
use crate::run::{Ended, Folder, Options, difference, durable};
use crate::search::ask_tell::AskTell;
use crate::search::cma_es::CmaEs;
use crate::search::ddpg::Ddpg;
use crate::search::es::Es;
use crate::search::snes::Snes;
use crate::search::strategy::Strategy;

/// Keys of the config that may change on resume: they decide how long a search is and what is tested of it, not its
/// bits.
pub const MAY_CHANGE: [&str; 3] = ["search.simulations", "search.held_out", "search.held_out_seconds"];

/// Between two checkpoints.
const INTERVAL: Duration = Duration::from_secs(20);

/// A search that can be made: a column's config that has one.
#[derive(Debug)]
pub struct Search<'c> {
    column: &'c config::Column,
    search: &'c config::Search,
    problem: Problem,
}

/// The open files of a search that goes on.
struct Records {
    log: Log,
    /// If it has them.
    events: Option<Events>,
}

impl<'c> Search<'c> {
    /// Of a config that has been checked.
    ///
    /// # Errors
    /// When it has no table `[search]`.
    pub fn new(column: &'c config::Column) -> Result<Self> {
        let search = Self::of(column)?;
        Ok(Self { column, search, problem: Problem::new(&column.column, search) })
    }

    /// The table `[search]` of a config.
    ///
    /// # Errors
    /// When it has none.
    pub fn of(column: &'c config::Column) -> Result<&'c config::Search> {
        column.search.as_ref().ok_or_else(|| Error::Config("there is no table [search]".into()))
    }

    /// FNV-1a over everything that decides the bits of the search.
    pub fn hash(&self) -> u64 {
        let search = config::Search { simulations: 0, held_out: 0, held_out_seconds: None, ..self.search.clone() };
        fnv1a(format!("{:?} {search:?}", self.column.column).into_bytes())
    }

    /// The folder of a new search, as [`Folder::create`] makes that of a run.
    ///
    /// # Errors
    /// Those of [`Folder::create`].
    pub fn create(&self, root: &std::path::Path, name: &str, force: bool) -> Result<Folder> {
        crate::plan::check_name(name)
            .map_err(|invalid| Error::Config(format!("--name {name}: {}", invalid.message)))?;
        Folder::create_named(root, name, &config::to_toml(self.column), force)
    }

    /// The one that searches, at its start: around actions of 0.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn searcher(&self) -> Result<Box<dyn AskTell>> {
        let (parameters, population) = (self.search.parameters(), self.search.population() as usize);
        let seed = self.search.seed;
        Ok(match self.search.searcher() {
            Some(Searcher::CmaEs(settings)) => Box::new(CmaEs::new(settings, vec![0.0; parameters], seed)?),
            Some(Searcher::Snes(settings)) => {
                Box::new(Strategy::new(Snes::new(settings, population, vec![0.0; parameters]), population, seed))
            }
            Some(Searcher::Es(settings)) => {
                Box::new(Strategy::new(Es::new(settings, population, vec![0.0; parameters]), population, seed))
            }
            Some(Searcher::Ddpg(settings)) => Box::new(Ddpg::new(settings, parameters, seed)?),
            None => return Err(Error::Config("there must be exactly one who searches".into())),
        })
    }

    /// Search from where the folder's checkpoint is, or from the start, to the end of the budget, with simulations on a device if
    /// there is one; then judge the best again, test them, and write what came of it. Ctrl-C and SIGTERM are answered for the whole process while this
    /// goes on.
    ///
    /// # Errors
    /// When a column cannot be built or a write fails, or when the folder is another search's or is in use.
    pub fn run(&self, folder: &Folder, gpu: Option<&Gpu>, options: &Options) -> Result<Ended> {
        let quiet = options.quiet;
        let interrupt = Interrupt::listen(quiet);
        let mut searcher = self.searcher()?;
        let mut state = self.begin(folder, searcher.as_mut())?;
        let targets = &self.problem.targets;
        let path = folder.path().join(CANDIDATES);
        let written = tensorboard::written(&path);
        let log = Log::open(&path, targets, state.candidates)?;
        let events = if options.tensorboard || folder.events_path()?.is_some() {
            let past = candidates::points(&candidates::read(&path)?, state.seconds, written);
            Some(Events::open(folder, &config::to_toml(self.column), &past)?)
        } else {
            None
        };
        if self.next(searcher.as_ref(), &state).is_some() {
            // A result is of the whole search.
            remove(&folder.path().join(RESULT))?;
        }
        let mut records = Records { log, events };
        let ended = self.search(folder, searcher.as_mut(), &mut state, &mut records, gpu, (quiet, &interrupt))?;
        if ended == Ended::Interrupted {
            return Ok(ended);
        }
        let is_asked_to_stop = || interrupt.requested();
        let searcher = searcher.as_ref();
        let concluded = outcome::conclude(
            self.column,
            self.search,
            &self.problem,
            &state,
            searcher,
            gpu,
            (quiet, &is_asked_to_stop),
        )?;
        match concluded {
            Some(outcome) => self.finish(folder, &outcome).map(|()| ended),
            None => Ok(Ended::Interrupted),
        }
    }

    /// Take the folder for writing, and bring the searcher to where its checkpoint is. One is written where there is
    /// none, so that a search killed at once can be resumed like any other.
    fn begin(&self, folder: &Folder, searcher: &mut dyn AskTell) -> Result<State> {
        folder.lock()?;
        let config = config::to_toml(self.column);
        let Some((state, hash)) = checkpoint::read(&checkpoint_path(folder))? else {
            let state = State { searcher: searcher.state(), ..State::default() };
            checkpoint::write(&checkpoint_path(folder), self.hash(), &state)?;
            return Ok(state);
        };
        let before = std::fs::read_to_string(folder.config_path()).unwrap_or_default();
        if hash != self.hash() {
            let keys = difference::keys(&before, &config);
            let which = if keys.is_empty() { "config.toml must have been changed".into() } else { keys.join(", ") };
            let why = format!("its checkpoint belongs to another config: {which}; try: a new run with --name NAME");
            return Err(Error::bad_file(folder.path(), why));
        }
        if before != config {
            durable::replace(&folder.config_path(), config.as_bytes())?;
        }
        searcher.restore(&state.searcher)?;
        Ok(state)
    }

    /// How many candidates come next; `None` when they would go beyond the budget.
    fn next(&self, searcher: &dyn AskTell, state: &State) -> Option<u64> {
        let candidates = if searcher.is_test() { 1 } else { u64::from(self.search.population()) };
        let after = state.simulations + candidates * u64::from(self.search.seeds);
        (after <= u64::from(self.search.simulations)).then_some(candidates)
    }

    fn search(
        &self,
        folder: &Folder,
        searcher: &mut dyn AskTell,
        state: &mut State,
        records: &mut Records,
        gpu: Option<&Gpu>,
        (quiet, interrupt): (bool, &Interrupt),
    ) -> Result<Ended> {
        let progress = Progress::start(state.simulations, self.search.simulations.into(), quiet);
        let (path, parameters) = (folder.path().display(), self.search.parameters());
        let name = self.search.searcher().map_or("", Searcher::name);
        progress.say(&format!("{path}: {name} searches {parameters} parameters, from generation {}", state.generation));
        let (before, started) = (state.seconds, Instant::now());
        let (mut kept, mut is_kept) = (started, true);
        while self.next(searcher, state).is_some() {
            let judged = self.problem.generation(gpu, searcher, state.generation, &|| progress.simulation())?;
            records.log.append(state.generation, &judged)?;
            let rows = Row::of(state.generation, &judged);
            self.note(state, &judged);
            if let Some(events) = &mut records.events {
                let least = state.best.first().map_or(f64::NAN, |best| best.error);
                events.append(&candidates::point(&rows, least, SystemTime::now()))?;
            }
            state.seconds = before + started.elapsed().as_secs_f64();
            is_kept = false;
            progress.status(status(state, &judged));
            let is_asked_to_stop = interrupt.requested() && self.next(searcher, state).is_some();
            if is_asked_to_stop || kept.elapsed() >= INTERVAL {
                self.keep(folder, searcher, state, &records.log)?;
                (kept, is_kept) = (Instant::now(), true);
            }
            if is_asked_to_stop {
                let done = state.simulations;
                progress.say(&format!("stopped after {done} simulations; try: phylon run --resume {path}"));
                return Ok(Ended::Interrupted);
            }
        }
        if !is_kept {
            self.keep(folder, searcher, state, &records.log)?;
        }
        Ok(Ended::Finished)
    }

    /// Count a generation, and remember the best: finalists, or the one.
    fn note(&self, state: &mut State, judged: &[Judged]) {
        for (candidate, judged) in judged.iter().enumerate() {
            state.refused += u64::from(judged.rates[0].is_nan());
            state.clipped += u64::from(judged.clipped > 0);
            if judged.error.is_finite() {
                let (error, actions) = (judged.error, judged.actions.clone());
                let (generation, candidate) = (state.generation, candidate as u32);
                // Behind those of the same error, which are older.
                let place = state.best.partition_point(|best| best.error <= error);
                state.best.insert(place, Remembered { generation, candidate, error, actions });
                state.best.truncate(self.search.finalists.max(1) as usize);
            }
        }
        state.candidates += judged.len() as u64;
        state.simulations += judged.len() as u64 * u64::from(self.search.seeds);
        state.generation += 1;
    }

    fn keep(&self, folder: &Folder, searcher: &dyn AskTell, state: &mut State, log: &Log) -> Result<()> {
        log.sync()?;
        if let Some(best) = state.best.first() {
            let Remembered { generation, candidate, error, .. } = best;
            let whose =
                format!("Candidate {candidate} of generation {generation}, whose error was {error} in the search.");
            self.write_column(folder, &whose, &best.actions)?;
        }
        state.searcher = searcher.state();
        checkpoint::write(&checkpoint_path(folder), self.hash(), state)
    }

    fn finish(&self, folder: &Folder, outcome: &Outcome) -> Result<()> {
        let answer = outcome.answer();
        let whose = format!(
            "{}: its error is {} (seeds: {}).",
            answer.name(),
            answer.error.unwrap_or(f64::NAN),
            outcome.training_seeds
        );
        self.write_column(folder, &whose, &answer.actions)?;
        let text = serde_json::to_string_pretty(outcome).map_err(|e| Error::Run(format!("cannot write JSON: {e}")))?;
        durable::replace(&folder.path().join(RESULT), (text + "\n").as_bytes())
    }

    /// A column as a config for `phylon simulate`.
    fn write_column(&self, folder: &Folder, whose: &str, actions: &[f64]) -> Result<()> {
        let (column, _) = self.problem.group.apply(&self.problem.base, actions, self.problem.k);
        let config = config::Column { column, search: None, thalamus: None, ..self.column.clone() };
        let text = format!("# {whose}\n{}", config::to_toml(&config));
        durable::replace(&folder.path().join(BEST_COLUMN), text.as_bytes())
    }
}

/// The checkpoint in a folder.
pub(crate) fn checkpoint_path(folder: &Folder) -> PathBuf {
    folder.checkpoint_paths().0
}

fn remove(path: &std::path::Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, source)),
        _ => Ok(()),
    }
}

fn status(state: &State, judged: &[Judged]) -> String {
    let finite = judged.iter().map(|judged| judged.error).filter(|error| error.is_finite());
    let (sum, count) = finite.fold((0.0, 0), |(sum, count), error| (sum + error, count + 1));
    let best = state.best.first().map_or("none".into(), |best| format!("{:.4}", best.error));
    format!("best error {best}  mean {:.4}", sum / f64::from(count))
}
