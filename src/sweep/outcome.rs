//! What came of a run of a sweep: a small file in its folder, which is there once the run is finished. All tables and figures
//! of a sweep are made from these.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::column::search::outcome::{Outcome as Found, Tested};
use crate::config::Column;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::report::{self, Evaluation};
use crate::run::folder::RESULT;
use crate::run::{Folder, Metrics};

/// Seed of the fresh episodes: that of `phylon eval` and of all reports.
pub const EPISODES_SEED: u64 = 1;

/// As `outcome.toml` has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Why it could not go on; a run that came to its end has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// That were done.
    pub generations: u32,
    /// Length of the parameter vector; of a search, what it moves.
    pub parameters: usize,
    /// Of all generations, offspring and centres; where agents die, at most. Of a search, simulations.
    pub env_steps: u64,
    /// That it took, without the pauses before resumes.
    pub seconds: f64,
    /// Runs that a device moved together, which all took this time.
    pub side_by_side: usize,
    /// The best centre, or the last where none was validated; of a search, its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Centre>,
    /// The centre at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Centre>,
}

/// How parameters fare on fresh episodes, as `phylon eval` prints it. Of a search: minus the error with each of the seeds that
/// nothing was chosen by. NaN where there are too few finite values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Centre {
    /// Generations that led to it.
    pub generation: u32,
    /// Mean fitness.
    pub mean: f64,
    /// Of an episode's fitness.
    pub sd: f64,
    /// Of the mean.
    pub ci95: (f64, f64),
    /// Episodes that are left out.
    pub non_finite: usize,
}

impl Centre {
    fn new(generation: u32, Evaluation { mean, sd, ci95, non_finite, .. }: Evaluation) -> Self {
        Self { generation, mean, sd, ci95, non_finite }
    }
}

impl Outcome {
    /// Of a run that came to its end.
    ///
    /// # Errors
    /// When its checkpoint or its metrics cannot be read.
    pub fn of_run(plan: &Plan, folder: &Folder, episodes: usize, side_by_side: usize) -> Result<Self> {
        let state = folder.checkpoint(plan)?;
        let judge = |generation, parameters: &[f32]| {
            Centre::new(generation, report::evaluate(plan, parameters, episodes, EPISODES_SEED))
        };
        let last = judge(state.generation, &state.centre);
        let best = match &state.best {
            // Its parameters are the last: they need not play twice.
            Some(best) if best.generation == state.generation => last,
            Some(best) => judge(best.generation, &best.parameters),
            None => last,
        };
        let run = Self::without_centres(plan, &folder.metrics()?, side_by_side);
        Ok(Self { best: Some(best), last: Some(last), ..run })
    }

    /// Of a run that could not go on. Where its metrics cannot be read, that may be why.
    pub fn of_failure(plan: &Plan, folder: &Folder, why: &str) -> Self {
        let rows = folder.metrics().unwrap_or_default();
        Self { failed: Some(why.to_owned()), ..Self::without_centres(plan, &rows, 1) }
    }

    fn without_centres(plan: &Plan, rows: &[Metrics], side_by_side: usize) -> Self {
        let generations = rows.len() as u32;
        Self {
            failed: None,
            generations,
            parameters: plan.parameters(),
            env_steps: plan.facts().env_steps * u64::from(generations),
            seconds: rows.last().map_or(0.0, |row| row.seconds),
            side_by_side,
            best: None,
            last: None,
        }
    }

    /// Of a search of a column that came to its end.
    ///
    /// # Errors
    /// When its result cannot be read.
    pub fn of_search(folder: &Folder) -> Result<Self> {
        let at = folder.path().join(RESULT);
        let text = fs::read_to_string(&at).map_err(|source| Error::io("read", &at, source))?;
        let found: Found = serde_json::from_str(&text).map_err(|error| Error::bad_file(&at, error.to_string()))?;
        let generation = found.answer().candidate.map_or(found.generations, |(generation, _)| generation);
        let centre = |generation, of: &dyn Fn(&&Tested) -> bool| {
            let fitness = |error: &Option<f64>| -error.unwrap_or(f64::NAN);
            let tested = found.held_out.iter().find(of)?;
            Some(Centre::new(generation, Evaluation::of(&tested.errors.iter().map(fitness).collect::<Vec<_>>())))
        };
        Ok(Self {
            failed: None,
            generations: found.generations,
            parameters: found.found.len(),
            env_steps: found.simulations,
            seconds: found.seconds,
            side_by_side: 1,
            best: centre(generation, &|tested| tested.is_answer),
            last: centre(found.generations, &|tested| tested.of == "centre"),
        })
    }

    /// Of a search that came to no result.
    pub fn of_failed_search(column: &Column, why: &str) -> Self {
        Self {
            failed: Some(why.to_owned()),
            generations: 0,
            parameters: column.search.as_ref().map_or(0, |search| search.parameters()),
            env_steps: 0,
            seconds: 0.0,
            side_by_side: 1,
            best: None,
            last: None,
        }
    }

    /// The one in a file; `None` where there is no file.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map(Some).map_err(|error| Error::bad_file(path, error.to_string())),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::io("read", path, source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// To the last bit, and with what is no number.
    #[test]
    fn outcomes_come_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outcome.toml");
        assert_eq!(Outcome::read(&path).unwrap(), None);
        let best = Centre { generation: 3, mean: 0.1 + 0.2, sd: 1.0 / 3.0, ci95: (-1e-300, 5e22), non_finite: 0 };
        let outcome = Outcome {
            failed: None,
            generations: 3,
            parameters: 40,
            env_steps: 1 << 60,
            seconds: 0.123,
            side_by_side: 1,
            best: Some(best),
            last: Some(Centre { sd: f64::NAN, ..best }),
        };
        fs::write(&path, config::to_toml(&outcome)).unwrap();
        let back = Outcome::read(&path).unwrap().unwrap();
        assert!(back.last.unwrap().sd.is_nan());
        assert_eq!((back.best, back.env_steps), (outcome.best, outcome.env_steps));
        fs::write(&path, "generations = 'x'").unwrap();
        assert!(matches!(Outcome::read(&path), Err(Error::BadFile { .. })));
    }
}
