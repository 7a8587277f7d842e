//! One run folder, `runs/<name>/`: which files it holds, who may write in it, and what can be read from it.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::checkpoint::{self, Saved};
use super::fitness_log::FitnessReader;
use super::metrics::{self, Metrics};
use super::{difference, durable};
use crate::config;
use crate::engine::State;
use crate::error::{Error, Result};
use crate::plan::Plan;

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.csv";
const FITNESS: &str = "fitness.f32";
const CHECKPOINT: &str = "checkpoint.safetensors";
const PREVIOUS: &str = "checkpoint.previous.safetensors";
const BEST: &str = "best.safetensors";
const REPORT: &str = "report.html";
const LIFE: &str = "life.svg";
/// Of a search of a column: every candidate, the best one as a config, and what came of it.
pub(crate) const CANDIDATES: &str = "candidates.csv";
pub(crate) const BEST_COLUMN: &str = "best.toml";
pub(crate) const RESULT: &str = "result.json";
/// Locked by the process that writes; its presence also marks a folder as a run's, see [`Folder::create`].
const LOCK: &str = "run.lock";
/// Of a run that is part of a sweep: what came of it.
pub(crate) const OUTCOME: &str = "outcome.toml";
/// Of the event file for TensorBoard, which knows such files by their name. Between the two stands when it was begun: a run
/// that takes the place of another has another file, so that a TensorBoard that is open does not take it for the old one.
const EVENTS: (&str, &str) = ("events.out.tfevents.", ".phylon");

/// What `phylon export` writes where it is not told otherwise.
const EXPORTED: [&str; 7] = [
    "parameters.npz",
    "parameters.csv",
    "parameters.safetensors",
    "parameters.onnx",
    "parameters-synapse.onnx",
    "parameters-neuron.onnx",
    "parameters-shared.onnx",
];

/// What `--force` removes, beside these and event files. The config is the first to go: a folder half emptied must not look like
/// a run.
const FILES: [&str; 12] =
    [CONFIG, OUTCOME, CHECKPOINT, PREVIOUS, BEST, METRICS, FITNESS, REPORT, LIFE, CANDIDATES, BEST_COLUMN, RESULT];

/// A run folder. Any number of processes may read it; one at a time may write, from [`Folder::create`] or
/// [`super::evolve`] until its `Folder` is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: OnceLock<File>,
}

fn is_taken(path: &Path) -> Error {
    let shown = path.display();
    Error::Config(format!(
        "cannot start the run: {shown} exists already; try: --resume {shown} to go on with it, --force to start again, \
         or another name with --name NAME"
    ))
}

impl Folder {
    /// Make the folder of a new run, `root/<run.name>/`, with its effective config, and lock it for writing.
    ///
    /// With `force` an older run in its place is removed: only the files a run writes, and only from a folder that
    /// a run made (it holds `run.lock`). Anything else in it stays.
    ///
    /// # Errors
    /// When the folder exists (and not `force`, or it is no run folder), when another process writes in it, or when
    /// the system refuses.
    pub fn create(root: &Path, plan: &Plan, force: bool) -> Result<Self> {
        Self::create_named(root, &plan.config.run.name, &config::to_toml(&plan.config), force)
    }

    /// As [`Folder::create`], of a run with any effective config.
    pub(crate) fn create_named(root: &Path, name: &str, config: &str, force: bool) -> Result<Self> {
        let path = root.join(name);
        fs::create_dir_all(root).map_err(|source| Error::io("create", root, source))?;
        let folder = Self { path, lock: OnceLock::new() };
        let path = folder.path();
        match fs::create_dir(path) {
            Ok(()) => folder.lock()?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists && force => folder.clear()?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(is_taken(path)),
            Err(source) => return Err(Error::io("create", path, source)),
        }
        durable::replace(&folder.config_path(), config.as_bytes())?;
        durable::sync_folder_of(path)?;
        Ok(folder)
    }

    /// Whether there is room for a new run, which can be told before what it takes to begin one.
    ///
    /// # Errors
    /// When there is something of that name.
    pub fn check_free(root: &Path, name: &str) -> Result<()> {
        let path = root.join(name);
        if path.exists() { Err(is_taken(&path)) } else { Ok(()) }
    }

    /// The folder of a run at a path, new or as it is, locked for writing; `None` when another process writes in it.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn take(path: &Path, config: &str) -> Result<Option<Self>> {
        fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))?;
        let folder = Self { path: path.to_owned(), lock: OnceLock::new() };
        if !folder.try_lock()? {
            return Ok(None);
        }
        // The first file of a run: where it is missing, there is nothing else.
        if !folder.config_path().is_file() {
            durable::replace(&folder.config_path(), config.as_bytes())?;
            durable::sync_folder_of(path)?;
        }
        Ok(Some(folder))
    }

    /// Remove the run, and its folder if nothing else is in it.
    ///
    /// # Errors
    /// When it is no run's folder, another process writes in it, or the system refuses.
    pub(crate) fn remove(path: &Path) -> Result<()> {
        let folder = Self { path: path.to_owned(), lock: OnceLock::new() };
        folder.clear()?;
        let lock = path.join(LOCK);
        fs::remove_file(&lock).map_err(|source| Error::io("remove", lock, source))?;
        match fs::remove_dir(path) {
            Err(source) if source.kind() != ErrorKind::DirectoryNotEmpty => Err(Error::io("remove", path, source)),
            _ => Ok(()),
        }
    }

    /// A run folder that is there already, for reading or to go on with it.
    ///
    /// # Errors
    /// When there is no folder, or no `config.toml` in it.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Self { path: path.to_owned(), lock: OnceLock::new() };
        if folder.config_path().is_file() {
            return Ok(folder);
        }
        let shown = path.display();
        Err(Error::Config(if path.is_dir() {
            format!("{shown} is no run folder: it holds no {CONFIG}")
        } else {
            format!("cannot open {shown}: there is no such run folder; try: phylon run CONFIG to start one")
        }))
    }

    /// The folder itself, absolute only if it was given so.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The effective config.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The report, which is there once [`crate::report::write`] has drawn it.
    pub fn report_path(&self) -> PathBuf {
        self.path.join(REPORT)
    }

    /// The film of an agent in its maze, which is there once `phylon render` has drawn it.
    pub fn life_path(&self) -> PathBuf {
        self.path.join(LIFE)
    }

    /// The best centre so far, a state with no optimiser in the format of [`checkpoint`].
    pub fn best_path(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// The event file, if there is one.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn events_path(&self) -> Result<Option<PathBuf>> {
        Ok(self.all_events()?.into_iter().max())
    }

    /// Of one that is begun so many seconds after the Epoch.
    pub(super) fn new_events_path(&self, seconds: u64) -> PathBuf {
        self.path.join(format!("{}{seconds:010}{}", EVENTS.0, EVENTS.1))
    }

    fn all_events(&self) -> Result<Vec<PathBuf>> {
        let failed = |source| Error::io("read", &self.path, source);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(EVENTS.0) && name.ends_with(EVENTS.1)) {
                paths.push(self.path.join(name));
            }
        }
        Ok(paths)
    }

    pub(crate) fn metrics_path(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    pub(super) fn fitness_path(&self) -> PathBuf {
        self.path.join(FITNESS)
    }

    pub(crate) fn checkpoint_paths(&self) -> (PathBuf, PathBuf) {
        (self.path.join(CHECKPOINT), self.path.join(PREVIOUS))
    }

    /// The rows of `metrics.csv`, generation 0 first.
    ///
    /// # Errors
    /// When the file cannot be read or is not what it should be.
    pub fn metrics(&self) -> Result<Vec<Metrics>> {
        metrics::read(&self.metrics_path())
    }

    /// Fitness of every offspring of one generation, length `population`.
    ///
    /// # Errors
    /// When the log does not reach that generation, or cannot be read.
    pub fn fitness(&self, generation: u32, population: usize) -> Result<Vec<f32>> {
        FitnessReader::open(&self.fitness_path(), population)?.read(generation)
    }

    /// The newest good checkpoint. Where that is the previous one, a warning on stderr says why.
    ///
    /// # Errors
    /// When there is none, or it belongs to another config.
    pub fn checkpoint(&self, plan: &Plan) -> Result<State> {
        self.announced_checkpoint(plan)?.ok_or_else(|| {
            let why = "it has no checkpoint yet, the run was stopped before its first one; try: --force to start again";
            Error::bad_file(&self.path, why)
        })
    }

    /// As [`Folder::checkpoint`]; `None` where the run has written none yet.
    pub(crate) fn announced_checkpoint(&self, plan: &Plan) -> Result<Option<State>> {
        let Some((state, warning)) = self.newest_checkpoint(plan)? else { return Ok(None) };
        if let Some(warning) = warning {
            eprintln!("warning: {warning}");
        }
        Ok(Some(state))
    }

    /// The newest good checkpoint and the warning to give, unsaid.
    pub(crate) fn newest_checkpoint(&self, plan: &Plan) -> Result<Option<(State, Option<String>)>> {
        let (current, previous) = self.checkpoint_paths();
        let Some((saved, warning)) = checkpoint::newest(&current, &previous)? else { return Ok(None) };
        self.check_config(&saved, plan)?;
        Ok(Some((saved.state, warning)))
    }

    /// Refuse a plan that would not give the bits of this run.
    pub(super) fn check_config(&self, saved: &Saved, plan: &Plan) -> Result<()> {
        if saved.plan == plan.hash() {
            return Ok(());
        }
        let keys = fs::read_to_string(self.config_path())
            .map(|before| difference::keys(&before, &config::to_toml(&plan.config)))
            .unwrap_or_default();
        let why = if keys.is_empty() {
            format!("its checkpoint belongs to another config, {CONFIG} must have been changed since")
        } else {
            format!("the config now differs from that of the run so far: {}", keys.join(", "))
        };
        Err(Error::bad_file(&self.path, format!("{why}; try: a new run with --name NAME")))
    }

    /// Become the only writer, until this `Folder` is dropped; nothing happens when it is already.
    ///
    /// # Errors
    /// When another process is.
    pub(crate) fn lock(&self) -> Result<()> {
        if self.try_lock()? {
            return Ok(());
        }
        let shown = self.path.display();
        Err(Error::Run(format!("cannot write in {shown}: another process is evolving this run")))
    }

    /// As [`Folder::lock`]; false when another process writes here.
    fn try_lock(&self) -> Result<bool> {
        if self.lock.get().is_some() {
            return Ok(true);
        }
        let path = self.path.join(LOCK);
        let file = File::create(&path).map_err(|source| Error::io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                tracing::warn!("{}: this file system has no locks, keep other processes out", self.path.display());
            }
            Err(TryLockError::Error(source)) => return Err(Error::io("lock", path, source)),
        }
        // Another thread cannot have been first: it would hold the lock.
        let _ = self.lock.set(file);
        Ok(true)
    }

    /// Remove the run that is in the folder.
    fn clear(&self) -> Result<()> {
        let path = self.path();
        let is_empty = fs::read_dir(path).map_err(|source| Error::io("read", path, source))?.next().is_none();
        if !is_empty && !path.join(LOCK).is_file() {
            let shown = path.display();
            return Err(Error::Config(format!(
                "cannot replace {shown}: it is not a folder made by a run, {LOCK} is missing; try: another name with \
                 --name NAME"
            )));
        }
        self.lock()?;
        let named = FILES.into_iter().chain(EXPORTED).map(|name| path.join(name));
        for file in named.chain(self.all_events()?) {
            match fs::remove_file(&file) {
                Err(source) if source.kind() != ErrorKind::NotFound => return Err(Error::io("remove", file, source)),
                _ => {}
            }
        }
        durable::sync_folder_of(&self.config_path())
    }
}
