//! The papers' tables, done again: `phylon reproduce`.
//!
//! `tables` lists them with their protocols, [`Reproduction`] is one that a user asks for: its parts are sweeps of
//! trials ([`swept`]) or cells of grown agents ([`grown`]), each in a folder of its own, where what is finished is
//! kept. [`Reproduced`] is what came of it; [`markdown`] makes the tables of README and docs from kept results, so that
//! no figure is typed.

pub mod grown;
pub mod markdown;
mod published;
pub mod result;
pub mod swept;
mod tables;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use published::Published;
pub use result::{Compared, Reproduced, Row};
pub use tables::{TABLES, Table};

use crate::device::Device;
use crate::error::{Error, Result};
use crate::run::{Ended, durable};
use grown::Grown;
use swept::{Cost, Swept};
use tables::Subject;

const RESULT: &str = "result.json";
/// Why figures of a protocol that was scaled down are not tested.
const SCALED: &str = "scaled down: not held against the paper's figure";

/// Whose settings a table is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The paper's.
    Paper,
    /// Ours, where the paper's were not seen to learn.
    Ours,
}

/// What a user asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which table.
    pub table: &'static Table,
    /// Whose settings.
    pub whose: Whose,
    /// Scaled down to minutes.
    pub quick: bool,
    /// Runs of each row, of units and columns.
    pub trials: Option<u32>,
    /// Names of parts, or words of them; all parts where there is none.
    pub rows: Vec<String>,
    /// Of the first trial.
    pub seed: Option<u64>,
    /// `KEY=VALUE`, for the configs of units and columns.
    pub overrides: Vec<String>,
    /// Of a profile, in place of the table's.
    pub genes: Option<usize>,
    /// Environment steps of each training and search, of agents.
    pub steps: Option<u32>,
    /// Folder of the folders of tables.
    pub out: PathBuf,
}

/// A table that can be done again.
#[derive(Debug)]
pub struct Reproduction {
    request: Request,
    folder: PathBuf,
    parts: Vec<Part>,
}

/// One of a table's parts.
#[derive(Debug)]
struct Part {
    /// `iaf-enu`
    name: String,
    is_wanted: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Swept(Box<Swept>),
    Grown(Box<Grown>),
}

/// A row, and the values that its group is compared by; none where it is in no comparison.
struct Measured {
    row: Row,
    values: Option<Vec<f64>>,
}

impl Reproduction {
    /// Find the parts and check each.
    ///
    /// # Errors
    /// When there is no such row, an option does not belong to the table, or a part's config cannot be.
    pub fn new(request: Request) -> Result<Self> {
        refuse_foreign_options(&request)?;
        let named = request.table.named_parts();
        let is_named = |words: &[String], name: &str| words.join("-") == name || words.iter().any(|word| word == name);
        for name in &request.rows {
            if !named.iter().any(|words| is_named(words, name)) {
                let all: Vec<String> = named.iter().map(|words| words.join("-")).collect();
                return Err(Error::Config(format!(
                    "--rows {name}: {} has no such row; try: one of {}, or a word of them",
                    request.table.name,
                    all.join(", ")
                )));
            }
        }
        let whose = if request.whose == Whose::Ours { "-ours" } else { "" };
        let quick = if request.quick { "-quick" } else { "" };
        let folder = request.out.join(format!("{}{whose}{quick}", request.table.name));
        let mut parts = Vec::new();
        for words in &named {
            let name = words.join("-");
            let is_wanted = request.rows.is_empty() || request.rows.iter().any(|name| is_named(words, name));
            let kind = match &request.table.subject {
                Subject::Agents(genes) => {
                    Grown::new(&request, *genes, &words[0]).map(|grown| Kind::Grown(Box::new(grown)))
                }
                _ => Swept::new(&request, words).map(|swept| Kind::Swept(Box::new(swept))),
            };
            match kind {
                Ok(kind) => parts.push(Part { name, is_wanted, kind }),
                // An override of one task is none of another's, which matters only where that is there already.
                Err(_) if !is_wanted && !folder.join(&name).exists() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { request, folder, parts })
    }

    /// Which table.
    pub fn table(&self) -> &'static Table {
        self.request.table
    }

    /// Where it is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is otherwise than in the settings that it is done with, of each part that is wanted.
    pub fn scaled(&self) -> Vec<(&str, Vec<String>)> {
        let scaled = |part: &Part| match &part.kind {
            Kind::Swept(swept) => swept.scaled().to_vec(),
            Kind::Grown(grown) => grown.scaled(),
        };
        self.wanted().map(|part| (part.name.as_str(), scaled(part))).collect()
    }

    /// What is left to do of each part that is wanted, by a short timing on the device.
    ///
    /// # Errors
    /// When the device fails, or a folder cannot be read.
    pub fn costs(&self, device: &Device) -> Result<Vec<(&str, Cost)>> {
        let cost = |part: &Part| match &part.kind {
            Kind::Swept(swept) => swept.cost(&self.folder.join(&part.name), device),
            Kind::Grown(grown) => grown.cost(&self.folder),
        };
        self.wanted().map(|part| Ok((part.name.as_str(), cost(part)?))).collect()
    }

    /// Do what is left of the parts that are wanted, and keep each. Parts say on stderr how far they are, unless
    /// `quiet`.
    ///
    /// # Errors
    /// When a folder is of other settings, or the device or a write fails.
    pub fn run(&self, device: &Device, quiet: bool) -> Result<Ended> {
        // Also of the parts that are not wanted now: their rows will be in the result.
        for part in &self.parts {
            match &part.kind {
                Kind::Swept(swept) => swept.check(&self.folder.join(&part.name))?,
                Kind::Grown(grown) => grown.check(&self.folder)?,
            }
        }
        for part in self.wanted() {
            let ended = match &part.kind {
                Kind::Swept(swept) => swept.run(&self.folder.join(&part.name), device, quiet)?,
                Kind::Grown(grown) => grown.run(&self.folder, device, quiet)?,
            };
            if ended == Ended::Interrupted {
                return Ok(ended);
            }
        }
        Ok(Ended::Finished)
    }

    /// The rows of all parts that the folder has, wanted now or before, which are then its `result.json`.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn conclude(&self, device: &Device) -> Result<Reproduced> {
        let at = self.folder.join(RESULT);
        // A result that cannot be read is one that is written again.
        let before =
            if at.exists() { Reproduced::read(&at).map(|before| before.rows).unwrap_or_default() } else { vec![] };
        let mut measured = Vec::new();
        for part in &self.parts {
            measured.extend(match &part.kind {
                Kind::Swept(swept) => swept.rows(&part.name, &self.folder.join(&part.name))?,
                Kind::Grown(grown) => grown.rows(&part.name, &self.folder)?,
            });
        }
        for Measured { row, .. } in &mut measured {
            row.device.clone_from(&device.description);
            // What was there already was computed where it says.
            let is_it =
                |old: &&Row| (&old.part, &old.name, &old.config, old.n) == (&row.part, &row.name, &row.config, row.n);
            if let Some(old) = before.iter().find(is_it) {
                row.device.clone_from(&old.device);
            }
        }
        let with_values =
            measured.iter().filter_map(|of| Some((of.row.column.as_str(), of.row.name.as_str(), of.values.clone()?)));
        let comparisons = result::compare(&with_values.collect::<Vec<_>>());
        let result = Reproduced {
            table: self.request.table.name.into(),
            settings: self.request.whose,
            quick: self.request.quick,
            rows: measured.into_iter().map(|of| of.row).collect(),
            comparisons,
        };
        durable::replace(&at, result.to_json()?.as_bytes())?;
        Ok(result)
    }

    /// `result.json`
    pub fn result_path(&self) -> PathBuf {
        self.folder.join(RESULT)
    }

    fn wanted(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.is_wanted)
    }

    fn grown(&self) -> impl Iterator<Item = (&Grown, &Path)> {
        self.wanted().filter_map(|part| match &part.kind {
            Kind::Grown(grown) => Some((&**grown, self.folder.as_path())),
            Kind::Swept(_) => None,
        })
    }
}

/// On a device, the trainings of all tables of agents side by side; on the CPU nothing.
///
/// # Errors
/// When the device fails, or a folder is of other settings.
pub fn train_ahead(all: &[Reproduction], device: &Device, quiet: bool) -> Result<()> {
    let cells: Vec<(&Grown, &Path)> = all.iter().flat_map(Reproduction::grown).collect();
    grown::train_ahead(&cells, device, quiet)
}

fn refuse_foreign_options(request: &Request) -> Result<()> {
    let Request { table, whose, trials, overrides, genes, steps, .. } = request;
    let refuse = |option: &str, why: &str| Err(Error::Config(format!("{option}: {}, {why}", table.name)));
    if let Subject::Agents(_) = table.subject {
        if *whose == Whose::Ours {
            return refuse("--ours", "has no settings that do better than the paper's; try: without --ours");
        }
        if trials.is_some() {
            return refuse(
                "--trials",
                "whose rows are 100 agents of one profile each, has none; try: --seed S for others",
            );
        }
        if !overrides.is_empty() {
            return refuse("--set", "has no config; try: --genes N or --steps N");
        }
        return Ok(());
    }
    match (genes, steps) {
        (Some(_), _) => refuse("--genes", "is not of grown agents; try: synaptogen-table1"),
        (_, Some(_)) => refuse("--steps", "is not of grown agents; try: --set KEY=VALUE"),
        _ => Ok(()),
    }
}
