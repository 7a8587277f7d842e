//! A part that is a cell of SynaptoGen's tables: agents grown of profiles that were trained, searched or inherited, in
//! one world. All but the folder is [`crate::synaptogen::reproduction`]'s.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::swept::Cost;
use super::{Measured, Published, Request, Row, SCALED};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::registry::WorldKind;
use crate::report::scores;
use crate::run::Ended;
use crate::synaptogen::reproduction::{
    AGENTS, Folder, Report, Reproduction, STEPS, Settings, genes_with_rules, published, train_together,
};

/// Environment steps of each training and search of `--quick`.
const QUICK_STEPS: u32 = 5_000;
const RESULT: &str = "result.json";
/// What a test between agents does not see.
const OF_PROFILES: &str = "both are agents of one chosen profile, so p speaks of these two profiles, and not of how \
                           much another choice would change";

/// A cell that can be done.
#[derive(Debug)]
pub struct Grown(Reproduction);

/// What a cell's `result.json` has.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    report: Report,
    /// Of the last call, which may have found parts of it done.
    seconds: f64,
}

/// Of that what rows are made from.
#[derive(Debug, Deserialize)]
pub struct Cell {
    #[serde(flatten)]
    settings: Settings,
    groups: Vec<Group>,
    #[serde(default)]
    seconds: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: String,
    scores: Vec<f64>,
}

impl Grown {
    pub(super) fn new(request: &Request, genes: Option<usize>, world: &str) -> Result<Self> {
        let rules_from_data = genes.is_none();
        let settings = Settings {
            env: world.into(),
            genes: request.genes.or(genes).unwrap_or_else(genes_with_rules),
            rules_from_data,
            steps: request.steps.unwrap_or(if request.quick { QUICK_STEPS } else { STEPS }),
            seed: request.seed.unwrap_or(1),
            brief: request.quick,
        };
        Reproduction::new(settings).map(Self)
    }

    /// What is less than in the paper's protocol.
    pub(super) fn scaled(&self) -> Vec<String> {
        self.0.scaled()
    }

    /// `cartpole-16` in the table's folder.
    fn path(&self, table: &Path) -> PathBuf {
        let Settings { env, genes, rules_from_data, .. } = self.0.settings();
        table.join(format!("{env}-{genes}{}", if *rules_from_data { "-from-data" } else { "" }))
    }

    fn title(&self) -> String {
        format!("{}, {} genes", self.0.settings().env, self.0.settings().genes)
    }

    pub(super) fn cost(&self, table: &Path) -> Result<Cost> {
        let path = self.path(table);
        let settings = self.0.settings();
        // A folder that is not there yet is not made for being asked.
        let left = if path.exists() { self.0.steps_left(&Folder::open(&path, settings)?) } else { self.0.steps() };
        Ok(Cost { told: format!("{left} environment steps of trainings and searches"), seconds: None })
    }

    /// Refuse a folder of other settings.
    pub(super) fn check(&self, table: &Path) -> Result<()> {
        let path = self.path(table);
        if path.exists() { Folder::open(&path, self.0.settings()).map(drop) } else { Ok(()) }
    }

    pub(super) fn run(&self, table: &Path, device: &Device, quiet: bool) -> Result<Ended> {
        let path = self.path(table);
        let folder = Folder::open(&path, self.0.settings())?;
        let left = self.0.steps_left(&folder);
        if left == 0 && read(&path)?.is_some() {
            return Ok(Ended::Finished);
        }
        let bar = bar(self.title(), left, quiet);
        if !quiet && bar.is_hidden() {
            eprintln!("{}: {}", path.display(), self.title());
        }
        let started = Instant::now();
        let report = self.0.run(&folder, device, &|more| bar.inc(more));
        bar.finish_and_clear();
        let answer = Answer { report: report?, seconds: started.elapsed().as_secs_f64() };
        folder.write_text("scores.svg", &scores::figure(&answer.report, self.0.solved())?)?;
        folder.write_text("summary.txt", &answer.report.text())?;
        let text = serde_json::to_string_pretty(&answer).map_err(|e| Error::Run(format!("cannot write JSON: {e}")))?;
        folder.write_text(RESULT, &(text + "\n"))?;
        Ok(Ended::Finished)
    }

    /// Of a finished cell.
    pub(super) fn rows(&self, part: &str, table: &Path) -> Result<Vec<Measured>> {
        let path = self.path(table);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let folder = Folder::open(&path, self.0.settings())?;
        let Some(cell) = read(&path)? else { return Ok(Vec::new()) };
        cell.measured(part, folder.hash(), &self.scaled())
    }
}

/// The result in a cell's folder; `None` where there is none yet.
fn read(path: &Path) -> Result<Option<Cell>> {
    let at = path.join(RESULT);
    if !at.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&at).map_err(|source| Error::io("read", &at, source))?;
    let cell = serde_json::from_str(&text);
    cell.map(Some).map_err(|error| Error::bad_file(&at, format!("{error}; try: remove it, and it will be made again")))
}

impl Cell {
    /// What decided its bits.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its rows, and what groups are compared by.
    fn measured(&self, part: &str, hash: &str, scaled: &[String]) -> Result<Vec<Measured>> {
        let Settings { env, genes, rules_from_data, .. } = &self.settings;
        let gymnasium = WorldKind::named(env)?.spec().gymnasium;
        let untested = (!scaled.is_empty()).then_some(SCALED);
        let measured = |Group { name, scores }: &Group| {
            let published = published(gymnasium, *genes, *rules_from_data, name);
            let paper = published.map(|of| Published { mean: of.mean, sd: Some(of.sd), n: Some(AGENTS) });
            let mut row = Row::new([part, env, name], scores, "agents", paper, untested.filter(|_| paper.is_some()));
            if row.test.is_some() {
                row.notes.push(OF_PROFILES.into());
            }
            let (seconds, config, scaled) = (self.seconds, hash.to_owned(), scaled.to_vec());
            Measured { row: Row { seconds, config, scaled, ..row }, values: Some(scores.clone()) }
        };
        Ok(self.groups.iter().map(measured).collect())
    }
}

pub(super) fn train_ahead(cells: &[(&Grown, &Path)], device: &Device, quiet: bool) -> Result<()> {
    if cells.is_empty() {
        return Ok(());
    }
    let Some(gpu) = device.open()? else { return Ok(()) };
    let open = |(grown, table): &(&Grown, &Path)| Folder::open(&grown.path(table), grown.0.settings());
    let folders: Vec<Folder> = cells.iter().map(open).collect::<Result<_>>()?;
    let cells: Vec<(&Reproduction, &Folder)> = cells.iter().map(|(grown, _)| &grown.0).zip(&folders).collect();
    let steps = cells.iter().map(|(reproduction, folder)| reproduction.training_steps_left(folder)).sum();
    let bar = bar("all trainings".into(), steps, quiet);
    let trained = train_together(&cells, &gpu, &|more| bar.inc(more));
    bar.finish_and_clear();
    trained
}

fn bar(message: String, steps: u64, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    let style = ProgressStyle::with_template("{msg} {bar:12} {human_pos}/{human_len} steps  {per_sec}  {eta} left")
        .expect("the template is a constant and has been drawn before");
    bar.with_style(style).with_message(message)
}
