//! The folder of a sweep, `runs/<name>/`: what decides its cells, a run folder for each cell and seed, and the tables.
//!
//! Tables are made from the runs' outcomes alone, by whoever finishes a run, one process at a time. So shards may share a
//! folder, or have their own that are copied together.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Table;

use super::axes::{Axis, Cell, Random, cells, keys, shown};
use super::outcome::Outcome;
use super::table::{self, Row, Summary};
use crate::config;
use crate::error::{Error, Result};
use crate::run::folder::OUTCOME;
use crate::run::{self, difference, durable};

const SPEC: &str = "sweep.toml";
const LOCK: &str = "sweep.lock";
const CELLS: &str = "cells";
const RUNS_TABLE: &str = "sweep.csv";
const CELLS_TABLE: &str = "summary.csv";
const REPORT: &str = "report.html";
/// Longest part of a run folder's name that tells its values.
const LONGEST: usize = 100;

/// All that decides the cells of a sweep and what is measured of them; as `sweep.toml` has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Version of this format; 1.
    pub format: u32,
    /// Runs of each cell.
    pub seeds: u32,
    /// Seed of the first; the others have those that follow.
    pub first_seed: u64,
    /// Fresh episodes that the centres are judged on.
    pub episodes: usize,
    /// Overrides that all cells share.
    pub overrides: Vec<String>,
    /// Listed values.
    #[serde(default)]
    pub axis: Vec<Axis>,
    /// Drawn values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<Random>,
    /// The config file as it is.
    pub config: Table,
}

impl Spec {
    /// The keys of all cells.
    pub fn keys(&self) -> Vec<&str> {
        keys(&self.axis, self.random.as_ref())
    }

    /// What tells another sweep from this one; more seeds and more draws are the same sweep with more runs.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let mut before = self.clone();
        if now.seeds >= self.seeds {
            before.seeds = now.seeds;
        }
        if let (Some(before), Some(now)) = (&mut before.random, &now.random)
            && now.draws >= before.draws
        {
            before.draws = now.draws;
        }
        let table = |spec: &Self| Table::try_from(spec).unwrap_or_default();
        difference::between(&table(&before), &table(now), |key| key != "config.run.name")
    }
}

/// The folder, with the cells that follow from its spec.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    spec: Spec,
    cells: Vec<Cell>,
}

impl Folder {
    /// Whether a path is that of a sweep.
    pub fn is_at(path: &Path) -> bool {
        path.join(SPEC).is_file()
    }

    /// A sweep that is there already, to read it.
    ///
    /// # Errors
    /// When there is none, or its `sweep.toml` is not what it should be.
    pub fn open(path: &Path) -> Result<Self> {
        let at = path.join(SPEC);
        let text = fs::read_to_string(&at).map_err(|source| Error::io("read", &at, source))?;
        let spec: Spec = toml::from_str(&text).map_err(|error| Error::bad_file(&at, error.to_string()))?;
        let cells = cells(&spec.axis, spec.random.as_ref())?;
        Ok(Self { path: path.to_owned(), spec, cells })
    }

    /// As [`Folder::create`], by a name under `root`.
    ///
    /// # Errors
    /// As there, and when a folder cannot be called so.
    pub fn named(root: &Path, name: &str, spec: Spec, force: bool) -> Result<Self> {
        crate::plan::check_name(name)
            .map_err(|invalid| Error::Config(format!("--name {name}: {}", invalid.message)))?;
        Self::create(&root.join(name), spec, force)
    }

    /// The folder of a sweep, new or to go on with it. With `force` another sweep in its place is removed.
    ///
    /// # Errors
    /// When it is another sweep's (and not `force`) or no sweep's, a process writes in what is to be removed, or the system
    /// refuses.
    pub fn create(path: &Path, spec: Spec, force: bool) -> Result<Self> {
        fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))?;
        let _lock = lock(path)?;
        if Self::is_at(path) {
            let before = Self::open(path)?;
            let differences = before.spec.differences(&spec);
            match (differences.is_empty(), force) {
                (true, false) => {}
                (_, true) => before.clear()?,
                (false, false) => {
                    let (shown, what) = (path.display(), differences.join(", "));
                    return Err(Error::Config(format!(
                        "cannot go on in {shown}: it is another sweep: {what}; try: another name with --name NAME, or \
                         --force to start again"
                    )));
                }
            }
        } else {
            let entries = fs::read_dir(path).map_err(|source| Error::io("read", path, source))?;
            if entries.flatten().any(|entry| entry.file_name() != LOCK) {
                let shown = path.display();
                return Err(Error::Config(format!(
                    "cannot sweep in {shown}: it is no folder made by a sweep, {SPEC} is missing; try: another name with \
                     --name NAME"
                )));
            }
        }
        durable::replace(&path.join(SPEC), config::to_toml(&spec).as_bytes())?;
        let cells = cells(&spec.axis, spec.random.as_ref())?;
        Ok(Self { path: path.to_owned(), spec, cells })
    }

    /// Remove all that the sweep wrote. Its spec is the first to go: a folder half emptied must not look like a sweep.
    fn clear(&self) -> Result<()> {
        let folders = self.path.join(CELLS);
        let remove = |file: PathBuf| match fs::remove_file(&file) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::io("remove", file, source)),
            _ => Ok(()),
        };
        remove(self.path.join(SPEC))?;
        if let Ok(entries) = fs::read_dir(&folders) {
            for entry in entries.flatten() {
                run::Folder::remove(&entry.path())?;
            }
        }
        [RUNS_TABLE, CELLS_TABLE, REPORT].into_iter().try_for_each(|name| remove(self.path.join(name)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The report, which is there once it has been drawn.
    pub fn report_path(&self) -> PathBuf {
        self.path.join(REPORT)
    }

    /// What decides the cells.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// In their order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The seeds of a cell's runs.
    pub fn seeds(&self) -> impl Iterator<Item = u64> + use<> {
        let (first, seeds) = (self.spec.first_seed, u64::from(self.spec.seeds));
        (0..seeds).map(move |k| first + k)
    }

    /// Name of a run: number of the cell, its values, the seed.
    pub fn run_name(&self, cell: &Cell, seed: u64) -> String {
        run_name(&self.spec.keys(), cell, seed)
    }

    /// The folder of a run, for a process that is to write in it or to read it.
    pub fn run_path(&self, name: &str) -> PathBuf {
        self.path.join(CELLS).join(name)
    }

    /// What came of a run; `None` as long as it is not finished.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn outcome(&self, name: &str) -> Result<Option<Outcome>> {
        Outcome::read(&self.run_path(name).join(OUTCOME))
    }

    /// Keep what came of a run, and make the tables anew.
    ///
    /// # Errors
    /// When the system refuses, or another run's outcome cannot be read.
    pub fn keep(&self, name: &str, outcome: &Outcome) -> Result<Vec<Summary>> {
        durable::replace(&self.run_path(name).join(OUTCOME), config::to_toml(outcome).as_bytes())?;
        self.write_tables()
    }

    /// All runs in the order of the cells, with what came of those that are finished.
    ///
    /// # Errors
    /// When an outcome is there and cannot be read.
    pub fn rows(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (cell, seed) in self.cells.iter().flat_map(|cell| self.seeds().map(move |seed| (cell, seed))) {
            let name = self.run_name(cell, seed);
            let outcome = self.outcome(&name)?;
            rows.push(Row { cell: cell.number, seed, name, outcome });
        }
        Ok(rows)
    }

    /// The folders of all runs that came to their end.
    ///
    /// # Errors
    /// As [`Folder::rows`].
    pub fn finished(&self) -> Result<Vec<PathBuf>> {
        let rows = self.rows()?.into_iter();
        let done = rows.filter(|row| row.outcome.as_ref().is_some_and(|outcome| outcome.failed.is_none()));
        Ok(done.map(|row| self.run_path(&row.name)).collect())
    }

    /// Write `sweep.csv` and `summary.csv`, and return the latter's rows.
    ///
    /// # Errors
    /// When an outcome cannot be read, or a table not be written.
    pub fn write_tables(&self) -> Result<Vec<Summary>> {
        // A table that was made from fewer outcomes must not come after one that was made from more.
        let _lock = lock(&self.path)?;
        let rows = self.rows()?;
        let summaries = table::summaries(&self.cells, &rows);
        durable::replace(&self.path.join(RUNS_TABLE), &table::of_runs(self, &rows)?)?;
        durable::replace(&self.path.join(CELLS_TABLE), &table::of_cells(&self.spec.keys(), &summaries)?)?;
        Ok(summaries)
    }
}

/// Wait until no other process writes the files of all; until the file is dropped.
fn lock(path: &Path) -> Result<File> {
    let path = path.join(LOCK);
    let file = File::create(&path).map_err(|source| Error::io("open", &path, source))?;
    match file.lock() {
        Err(source) if source.kind() != ErrorKind::Unsupported => Err(Error::io("lock", path, source)),
        _ => Ok(file),
    }
}

/// `0012-population-64-sigma-0.01-seed-3`: safe as the name of a file, and as that of a run.
fn run_name(keys: &[&str], cell: &Cell, seed: u64) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let mut told = String::new();
    for (key, value) in keys.iter().zip(&cell.values) {
        let alone = keys.iter().filter(|other| last(other) == last(key)).count() == 1;
        let name = if alone { last(key) } else { (*key).to_owned() };
        told += &format!("-{name}-{}", shown(value));
    }
    let mut safe = String::new();
    for c in told.chars() {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            safe.push(c);
        } else if !safe.ends_with('-') {
            safe.push('-');
        }
    }
    safe.truncate(LONGEST);
    format!("{:04}{}-seed-{seed}", cell.number, safe.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::axes::settings;

    fn spec(arguments: &[&str]) -> Spec {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (overrides, axis) = settings(&arguments).unwrap();
        let config = "format = 1\n[run]\nname = 'x'\ngenerations = 3".parse().unwrap();
        Spec { format: 1, seeds: 2, first_seed: 1, episodes: 10, overrides, axis, random: None, config }
    }

    #[test]
    fn names_are_safe_and_tell_the_values() {
        let named = |arguments: &[&str]| {
            let spec = spec(arguments);
            let cells = cells(&spec.axis, None).unwrap();
            run_name(&spec.keys(), cells.last().unwrap(), 7)
        };
        assert_eq!(named(&["es.population=64,256", "es.sigma=0.1,1e-7"]), "0004-population-256-sigma-1e-7-seed-7");
        assert_eq!(named(&["a.rate=1,2", "b.rate=3,4"]), "0004-a.rate-2-b.rate-4-seed-7");
        assert_eq!(named(&["n.edges=[],['a > b', '../c']"]), "0002-edges-a-b-..-c-seed-7");
        assert_eq!(named(&[]), "0001-seed-7");
        let long = named(&[&format!("a=1,{}", "x".repeat(500))]);
        assert!(long.len() < 130 && long.ends_with("x-seed-7"), "{long}");
        let cell = |value: i64| Cell { number: 1, values: vec![toml::Value::Integer(value)] };
        assert_eq!(run_name(&["a"], &cell(-5), 1), "0001-a--5-seed-1");
        assert!(crate::plan::check_name(&named(&["n.edges=[],['a > b', '../c']"])).is_ok());
    }

    #[test]
    fn another_sweep_is_refused_with_what_differs_and_more_of_the_same_is_not() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x-sweep");
        let first = spec(&["es.population=2,4", "es.rank_exponent=3"]);
        Folder::create(&path, first.clone(), false).unwrap();
        assert_eq!(Folder::open(&path).unwrap().spec, first);
        Folder::create(&path, first.clone(), false).unwrap();

        let with = |change: &dyn Fn(&mut Spec)| {
            let mut other = first.clone();
            change(&mut other);
            Folder::create(&path, other, false)
        };
        let refused = |change: &dyn Fn(&mut Spec)| with(change).unwrap_err().to_string();
        let table = |text: &str| text.parse::<Table>().unwrap();
        let error = refused(&|spec| spec.config = table("format = 1\n[run]\nname = 'x'\ngenerations = 4"));
        assert!(error.contains("config.run.generations (3 -> 4)") && error.contains("--force"), "{error}");
        let error = refused(&|spec| spec.axis[0].values.truncate(1));
        assert!(error.contains("axis (") && error.contains("es.population"), "{error}");
        assert!(refused(&|spec| spec.overrides.clear()).contains("es.rank_exponent=3"));
        assert!(refused(&|spec| spec.seeds = 1).contains("seeds (2 -> 1)"));
        assert!(refused(&|spec| spec.episodes = 11).contains("episodes (10 -> 11)"));
        with(&|spec| spec.config = table("format = 1\n[run]\nname = 'y'\ngenerations = 3")).unwrap();
        with(&|spec| spec.seeds = 5).unwrap();
        assert_eq!(Folder::open(&path).unwrap().seeds().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_folder_that_no_sweep_made_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.txt"), "years of work").unwrap();
        for force in [false, true] {
            let error = Folder::create(root.path(), spec(&["a=1,2"]), force).unwrap_err().to_string();
            assert!(error.contains("sweep.toml is missing"), "{error}");
        }
        assert!(root.path().join("thesis.txt").exists());
    }
}
