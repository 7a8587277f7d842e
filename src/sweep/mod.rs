//! Sweeps: one run for each cell and seed, in ordinary run folders, as one job that goes on wherever it was stopped.
//!
//! [`Sweep`] is what a user asked for, checked; [`Folder`] what lies on the disk, from which tables and report are made; `run`
//! does what is left to do. Nothing of evolving or searching is here: a run of a sweep is that of `phylon run`.

pub mod axes;
pub mod folder;
pub mod outcome;
mod progress;
mod run;
pub mod table;

use std::path::PathBuf;
use std::str::FromStr;

use toml::Table;

pub use axes::{Axis, Cell, Random, Range, Scale};
pub use folder::{Folder, Spec};
pub use outcome::{Centre, Outcome};
pub use run::Options;
pub use table::{Row, Summary};

use crate::config::{self, Column, Subject};
use crate::device::{Backend, Device};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::report;
use crate::workload;

/// Keys that a sweep gives a value of its own for each run.
const OWN: [&str; 3] = ["run.name", "run.seed", "search.seed"];

/// What a user asks for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The config file.
    pub config: PathBuf,
    /// What it holds, where it is not to be read.
    pub text: Option<String>,
    /// `KEY=VALUE`, or `KEY=VALUE,VALUE,...`.
    pub settings: Vec<String>,
    /// `KEY=LOW..HIGH`, see [`Range::new`].
    pub ranges: Vec<String>,
    /// Of each range; not looked at without one.
    pub draws: u32,
    /// Of the draws.
    pub draw_seed: u64,
    /// Of each cell.
    pub seeds: u32,
    /// Fresh episodes; as many as `phylon eval` takes if it does not say.
    pub episodes: Option<usize>,
}

/// A sweep that can be made: every cell has been checked.
#[derive(Debug)]
pub struct Sweep {
    spec: Spec,
    name: String,
    cells: Vec<Cell>,
    /// Of each cell, with the seed and the name of the config file.
    subjects: Vec<Subject>,
}

/// What a run of a cell does.
enum Planned {
    Evolution(Box<Plan>),
    Search(Box<Column>),
}

/// Every so many runs of a sweep, for one of several processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// The first is 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// All runs.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Whether the run at this place, from 0, is its.
    pub fn has(self, run: usize) -> bool {
        run % self.of == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers = text.split_once('/').map(|(number, of)| (number.parse(), of.parse()));
        match numbers {
            Some((Ok(number), Ok(of))) if 0 < number && number <= of => Ok(Self { number, of }),
            _ => Err("expected I/N, for example 2/8: the second of eight".into()),
        }
    }
}

impl Sweep {
    /// Read the config, find the cells, and check each.
    ///
    /// # Errors
    /// The first thing that cannot be; a cell that cannot is named with its values.
    pub fn new(request: &Request) -> Result<Self> {
        let (overrides, axis) = axes::settings(&request.settings)?;
        let range = request.ranges.iter().map(|argument| Range::new(argument)).collect::<Result<Vec<_>>>()?;
        let random = (!range.is_empty()).then_some(Random { draws: request.draws, seed: request.draw_seed, range });
        let keys = axes::keys(&axis, random.as_ref());
        check_keys(&keys, &overrides)?;
        let cells = axes::cells(&axis, random.as_ref())?;
        let text = match &request.text {
            Some(text) => text.clone(),
            None => std::fs::read_to_string(&request.config).map_err(|error| {
                Error::Config(format!("cannot read the config {}: {error}", request.config.display()))
            })?,
        };
        let read = |overrides: &[String]| config::read_text(&request.config, &text, overrides);
        let subjects = cells
            .iter()
            .map(|cell| {
                let own = keys.iter().zip(&cell.values).map(|(key, value)| format!("{key}={value}"));
                let all: Vec<String> = overrides.iter().cloned().chain(own).collect();
                read(&all).map_err(|error| {
                    // What is wrong without the cell's values is not the cell's fault.
                    let alone = read(&overrides).err().map(|error| error.to_string());
                    if alone.is_some_and(|alone| alone == error.to_string()) {
                        return error;
                    }
                    Error::Config(format!("cell {} of {}{}: {error}", cell.number, cells.len(), told(&keys, cell)))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let (name, first_seed, default_episodes) = match &subjects[0] {
            Subject::Evolution(plan) => {
                (plan.config.run.name.clone(), plan.config.run.seed, report::default_episodes(plan))
            }
            Subject::Column(column) => {
                let Some(search) = &column.search else {
                    let shown = request.config.display();
                    return Err(Error::Config(format!(
                        "{shown} has a table [column] and no [search]: there is nothing to evolve or search; try: phylon \
                         simulate {shown}"
                    )));
                };
                let stem = request.config.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                (stem, search.seed, search.held_out as usize)
            }
        };
        if first_seed.checked_add(u64::from(request.seeds)).is_none_or(|last| i64::try_from(last).is_err()) {
            return Err(Error::Config(format!("--seeds {}: seeds from {first_seed} on are too large", request.seeds)));
        }
        let episodes = match (&subjects[0], request.episodes) {
            (Subject::Column(_), Some(_)) => {
                return Err(Error::Config(
                    "--episodes: a search of a column is tested with search.held_out seeds; try: --set search.held_out=N"
                        .into(),
                ));
            }
            (_, episodes) => episodes.unwrap_or(default_episodes),
        };
        // It has been read as a config before, so it is TOML.
        let config: Table = text.parse().map_err(|error: toml::de::Error| Error::Config(error.to_string()))?;
        let seeds = request.seeds;
        let spec = Spec { format: 1, seeds, first_seed, episodes, overrides, axis, random, config };
        Ok(Self { spec, name: format!("{name}-sweep"), cells, subjects })
    }

    /// Of its folder, if the user gives no other.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What decides its cells.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// In their order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// What its table is before anything has run.
    pub fn planned_summaries(&self) -> Vec<Summary> {
        let seeds = self.spec.first_seed..self.spec.first_seed + u64::from(self.spec.seeds);
        let row = |cell: usize, seed| Row { cell, seed, name: String::new(), outcome: None };
        let rows: Vec<Row> =
            self.cells.iter().flat_map(|cell| seeds.clone().map(move |seed| row(cell.number, seed))).collect();
        table::summaries(&self.cells, &rows)
    }

    /// Refuse cells that cannot run on a device.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check_device(&self, device: &Device) -> Result<()> {
        let keys = self.spec.keys();
        for (cell, subject) in self.cells.iter().zip(&self.subjects) {
            if let (Subject::Evolution(plan), Backend::Cpu) = (subject, device.backend) {
                workload::check_numerics(plan)
                    .map_err(|error| Error::Config(format!("cell {}{}: {error}", cell.number, told(&keys, cell))))?;
            }
        }
        Ok(())
    }

    /// A run of the cell at a place, from 0.
    fn planned(&self, cell: usize, name: &str, seed: u64) -> Result<Planned> {
        match &self.subjects[cell] {
            Subject::Evolution(plan) => {
                let mut config = plan.config.clone();
                (config.run.name, config.run.seed) = (name.to_owned(), seed);
                let plan = Plan::new(config).map_err(|invalid| Error::Config(format!("{name}: {invalid}")))?;
                Ok(Planned::Evolution(Box::new(plan)))
            }
            Subject::Column(column) => {
                let mut column = column.clone();
                if let Some(search) = &mut column.search {
                    search.seed = seed;
                }
                Ok(Planned::Search(column))
            }
        }
    }
}

/// ` (es.population = 64, es.sigma = 0.1)`
fn told(keys: &[&str], cell: &Cell) -> String {
    let value = |(key, value)| format!("{key} = {}", axes::shown(value));
    let values: Vec<String> = keys.iter().zip(&cell.values).map(value).collect();
    if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) }
}

fn check_keys(keys: &[&str], overrides: &[String]) -> Result<()> {
    let set = |key: &str| overrides.iter().any(|setting| setting.split('=').next() == Some(key));
    for (i, key) in keys.iter().enumerate() {
        if OWN.contains(key) {
            return Err(Error::Config(format!(
                "`{key}` has a value of its own in each run, it is no axis; try: --seeds N, from --set run.seed=FIRST on"
            )));
        }
        if keys[..i].contains(key) || set(key) {
            return Err(Error::Config(format!("`{key}` is given twice; keep one --set or --range of it")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_parts_of_the_whole() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].map(|text| text.parse().unwrap()).into();
        for run in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(run)).count(), 1);
        }
        assert!((0..10).all(|run| Shard::WHOLE.has(run)));
        for wrong in ["", "1", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
