//! A part that is a sweep: one config with the seeds of all trials, of units that evolve or of a search of a column.

use std::path::Path;
use std::time::Instant;

use toml::Table;

use super::published::{OfSearch, of_search, of_unit};
use super::tables::{self, Model, Subject};
use super::{Measured, Published, Request, Row, SCALED, Whose};
use crate::column::search::outcome::Outcome as Found;
use crate::column::search::run::Search;
use crate::column::search::{Group, Problem};
use crate::config::{self, Subject as Configured, Task};
use crate::device::{Backend, Device};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::run::{self, Ended, difference};
use crate::sweep::{Folder, Options, Outcome, Row as Trial, Shard, Sweep};
use crate::workload;

/// The paper's.
const UNIT_TRIALS: u32 = 30;
/// The thesis made each search once, which shows no spread.
const COLUMN_TRIALS: u32 = 3;
const COLUMN_QUICK_TRIALS: u32 = 2;
/// Keys that make no other experiment.
const NO_SETTING: [&str; 3] = ["run.name", "run.seed", "search.seed"];

/// What its rows are.
#[derive(Debug)]
enum Measure {
    /// Fitness of the best centre on fresh episodes.
    Fitness { column: &'static str, name: &'static str, paper: Option<Published>, other_scale: Option<&'static str> },
    /// Errors, and rates.
    Column { group: Group, name: &'static str },
}

/// A sweep without axes.
#[derive(Debug)]
pub struct Swept {
    sweep: Sweep,
    subject: Configured,
    measure: Measure,
    scaled: Vec<String>,
}

/// What is left to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// `30 trials of 3,000 generations`
    pub told: String,
    /// At the pace of a short timing; null where none was made. Where agents may live longer as they learn, what it is
    /// at least and at most.
    pub seconds: Option<(f64, f64)>,
}

impl Swept {
    pub(super) fn new(request: &Request, words: &[String]) -> Result<Self> {
        let Request { table, whose, quick, .. } = request;
        let mut overrides = Vec::new();
        let (protocol, text, trials, measure) = match &table.subject {
            Subject::Units(experiments) => {
                let found = experiments.iter().find(|experiment| experiment.name == words[0]).and_then(|experiment| {
                    let model = experiment.models.iter().find(|model| model.title().to_lowercase() == words[1])?;
                    let protocol = if *whose == Whose::Ours { experiment.ours } else { experiment.paper };
                    Some((experiment, *model, protocol))
                });
                let (experiment, model, protocol) = found.ok_or_else(|| no_part(&words.join("-")))?;
                if model == Model::Shared {
                    overrides.push("network.shared=true".to_owned());
                }
                let text = protocol.text.replace("[unit.enu]", &format!("[unit.{}]", model.unit().name()));
                let measure = Measure::Fitness {
                    column: experiment.title,
                    name: model.title(),
                    paper: of_unit(table.name, experiment.title, model.title()),
                    other_scale: protocol.other_scale,
                };
                (protocol, text, if *quick { experiment.quick_trials } else { UNIT_TRIALS }, measure)
            }
            &Subject::Column(group) => {
                let protocol = match whose {
                    Whose::Paper => tables::DDPG,
                    Whose::Ours => tables::column_of_ours(group),
                };
                overrides.push(format!("search.group={}", words[0]));
                let measure = Measure::Column { group, name: name_of(group) };
                let trials = if *quick { COLUMN_QUICK_TRIALS } else { COLUMN_TRIALS };
                (protocol, protocol.text.to_owned(), trials, measure)
            }
            Subject::Agents(_) => return Err(no_part(&words.join("-"))),
        };
        let file = Path::new(protocol.file);
        let whole = config::read_text(file, &text, &overrides)?;
        if *quick {
            overrides.extend(protocol.quick.iter().map(|&setting| setting.to_owned()));
        }
        if let Some(seed) = request.seed {
            let table = if matches!(whole, Configured::Column(_)) { "search" } else { "run" };
            overrides.push(format!("{table}.seed={seed}"));
        }
        overrides.extend(request.overrides.iter().cloned());
        let subject = config::read_text(file, &text, &overrides)?;
        let mut scaled = differences(&whole, &subject);
        if *quick {
            let whole = if matches!(subject, Configured::Column(_)) { COLUMN_TRIALS } else { UNIT_TRIALS };
            scaled.push(format!("trials ({whole} -> {})", request.trials.unwrap_or(trials)));
        }
        let seeds = request.trials.unwrap_or(trials);
        let sweep = Sweep::new(&crate::sweep::Request {
            config: file.to_owned(),
            text: Some(text),
            settings: overrides,
            seeds,
            ..Default::default()
        })?;
        Ok(Self { sweep, subject, measure, scaled })
    }

    /// `es.population (1024 -> 64)` for each key that is not as in the settings of the table.
    pub fn scaled(&self) -> &[String] {
        &self.scaled
    }

    /// The folder, if it has this sweep with any number of trials.
    fn folder(&self, path: &Path) -> Result<Option<Folder>> {
        if !Folder::is_at(path) {
            return Ok(None);
        }
        let folder = Folder::open(path)?;
        let spec = self.sweep.spec();
        let mut as_many = spec.clone();
        as_many.seeds = folder.spec().seeds.max(spec.seeds);
        let differences = folder.spec().differences(&as_many);
        if differences.is_empty() {
            return Ok(Some(folder));
        }
        Err(Error::Config(format!(
            "cannot go on in {}: it has other settings: {}; try: another folder with --out DIR",
            path.display(),
            differences.join(", ")
        )))
    }

    /// Refuse a folder of other settings.
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        self.folder(path).map(drop)
    }

    fn trials_left(&self, path: &Path) -> Result<u32> {
        let done = match self.folder(path)? {
            Some(folder) => folder.rows()?.iter().filter(|trial| trial.outcome.is_some()).count(),
            None => 0,
        };
        Ok(self.sweep.spec().seeds.saturating_sub(done as u32))
    }

    /// By one generation, with fewer offspring where that takes long, or by one simulation for each candidate.
    pub(super) fn cost(&self, path: &Path, device: &Device) -> Result<Cost> {
        let left = self.trials_left(path)?;
        match &self.subject {
            Configured::Evolution(plan) => {
                let generations = plan.config.run.generations;
                let steps = plan.facts().env_steps as f64 * f64::from(generations) * f64::from(left);
                let told = format!("{left} trials of {generations} generations, {steps:.1e} steps");
                let seconds = if left == 0 { None } else { a_generation(plan, device)? };
                let all = f64::from(generations) * f64::from(left);
                Ok(Cost { told, seconds: seconds.map(|seconds| (all * seconds, all * seconds * longer_lives(plan))) })
            }
            Configured::Column(column) => {
                let search = Search::of(column)?;
                let simulations = search.simulations;
                let told = format!("{left} trials of {simulations} simulations");
                if left == 0 {
                    return Ok(Cost { told, seconds: None });
                }
                let problem = Problem::new(&column.column, search);
                let points = vec![vec![0.0; search.parameters()]; search.population() as usize];
                let gpu = device.open()?;
                let started = Instant::now();
                problem.judge(gpu.as_ref(), &points, &problem.seeds_of(0), &|| {})?;
                let judged = f64::from(search.population() * search.seeds);
                let all = started.elapsed().as_secs_f64() * f64::from(simulations) / judged * f64::from(left);
                Ok(Cost { told, seconds: Some((all, all)) })
            }
        }
    }

    pub(super) fn run(&self, path: &Path, device: &Device, quiet: bool) -> Result<Ended> {
        let mut spec = self.sweep.spec().clone();
        if let Some(before) = self.folder(path)? {
            if self.trials_left(path)? == 0 {
                return Ok(Ended::Finished);
            }
            spec.seeds = spec.seeds.max(before.spec().seeds);
        }
        self.sweep.check_device(device)?;
        let folder = Folder::create(path, spec, false)?;
        // A trial that failed for want of memory or disk may not do so again.
        let options = Options { quiet, retry: true, shard: Shard::WHOLE, report: false, tensorboard: false };
        let ended = self.sweep.run(&folder, device, &options)?;
        crate::report::sweep::write(&folder)?;
        Ok(ended)
    }

    /// Of the trials that are finished; none where there are none.
    pub(super) fn rows(&self, part: &str, path: &Path) -> Result<Vec<Measured>> {
        let Some(folder) = self.folder(path)? else { return Ok(Vec::new()) };
        let trials = folder.rows()?;
        let finished: Vec<(&Trial, &Outcome)> =
            trials.iter().filter_map(|trial| Some((trial, trial.outcome.as_ref()?))).collect();
        let (failed, done): (Vec<_>, Vec<_>) = finished.into_iter().partition(|(_, outcome)| outcome.failed.is_some());
        let mut measured = match &self.measure {
            Measure::Fitness { column, name, paper, other_scale } => {
                let values: Vec<f64> = done.iter().filter_map(|(_, outcome)| Some(outcome.best?.mean)).collect();
                let untested = other_scale.or((!self.scaled.is_empty()).then_some(SCALED));
                let row = Row::new([part, column, name], &values, "trials", *paper, untested);
                vec![Measured { row, values: Some(values) }]
            }
            Measure::Column { group, name } => {
                let mut found = Vec::new();
                for (trial, _) in &done {
                    found.push(read(&folder.run_path(&trial.name))?);
                }
                of_column([part, name], *group, &found)
            }
        };
        measured.retain(|of| of.row.n > 0 && of.row.mean.is_finite());
        let seconds: f64 = done.iter().map(|(_, outcome)| outcome.seconds / outcome.side_by_side.max(1) as f64).sum();
        let config = self.hash()?;
        for Measured { row, .. } in &mut measured {
            row.seconds = Some(seconds);
            row.config.clone_from(&config);
            row.scaled.clone_from(&self.scaled);
            let missing = trials.len() - done.len();
            if missing > 0 {
                let failed = if failed.is_empty() { String::new() } else { format!(", {} failed", failed.len()) };
                row.notes.push(format!("{} of {} trials are there{failed}", done.len(), trials.len()));
            }
        }
        Ok(measured)
    }

    /// Of the first trial.
    fn hash(&self) -> Result<String> {
        let hash = match &self.subject {
            Configured::Evolution(plan) => plan.hash(),
            Configured::Column(column) => Search::new(column)?.hash(),
        };
        Ok(format!("{hash:016x}"))
    }
}

fn no_part(name: &str) -> Error {
    Error::Config(format!("there is no row {name}; try: phylon reproduce --list"))
}

fn name_of(group: Group) -> &'static str {
    match group {
        Group::Structure => "structure",
        Group::Synapse => "synapses",
        Group::Neuron => "neurons",
        Group::All => "all parameters",
    }
}

/// Keys whose effective values differ, but for those that make no other experiment.
fn differences(whole: &Configured, now: &Configured) -> Vec<String> {
    let table = |subject: &Configured| {
        let text = match subject {
            Configured::Evolution(plan) => config::to_toml(&plan.config),
            Configured::Column(column) => config::to_toml(column),
        };
        text.parse::<Table>().unwrap_or_default()
    };
    difference::between(&table(whole), &table(now), |key| !NO_SETTING.contains(&key))
}

/// Seconds of a generation of one trial; `None` where none could be made.
fn a_generation(plan: &Plan, device: &Device) -> Result<Option<f64>> {
    let mut config = plan.config.clone();
    config.run.first_centres = 1;
    if let (Backend::Cpu, Some(es)) = (device.backend, &mut config.es) {
        es.population = es.population.min(4 * rayon::current_num_threads() as u32);
    }
    let timed = Plan::new(config).map_err(|invalid| Error::Config(invalid.to_string()))?;
    let mut engine = workload::open(&timed, device)?;
    let mut generations = Vec::new();
    // The first has to find its memory and, on a device, its kernels.
    if engine.advance(1, &mut generations).is_err() {
        return Ok(None);
    }
    let started = Instant::now();
    if engine.advance(2, &mut generations).is_err() {
        return Ok(None);
    }
    let players = |plan: &Plan| (plan.population + 1) as f64;
    Ok(Some(started.elapsed().as_secs_f64() / 2.0 * players(plan) / players(&timed)))
}

/// How much longer an agent lives that always finds food than one that never does.
fn longer_lives(plan: &Plan) -> f64 {
    match &plan.config.task {
        Task::TMaze(maze) | Task::DoubleTMaze(maze) => {
            f64::from(maze.actions) / f64::from(maze.energy.min(maze.actions))
        }
        _ => 1.0,
    }
}

/// What a search left in its folder.
fn read(path: &Path) -> Result<Found> {
    let at = path.join(run::folder::RESULT);
    let text = std::fs::read_to_string(&at).map_err(|source| Error::io("read", &at, source))?;
    serde_json::from_str(&text).map_err(|error| Error::bad_file(&at, error.to_string()))
}

/// Errors and rates of searches of a group.
pub fn of_column_rows(part: &str, group: Group, found: &[Found]) -> Vec<Row> {
    of_column([part, name_of(group)], group, found).into_iter().map(|of| of.row).collect()
}

fn of_column([part, column]: [&str; 2], group: Group, found: &[Found]) -> Vec<Measured> {
    let OfSearch { base, error, told, rates } = of_search(group);
    let one = |mean| Published { mean, sd: None, n: Some(1) };
    let row = |name: &str, paper: Option<f64>, value: &dyn Fn(&Found) -> Option<f64>| {
        let values: Vec<f64> = found.iter().filter_map(value).collect();
        let row = Row::new([part, column, name], &values, "trials", paper.map(one), None);
        Measured { row, values: None }
    };
    let tested = |found: &Found, of: &dyn Fn(&str, bool) -> bool| {
        found.held_out.iter().find(|tested| of(&tested.of, tested.is_answer))?.error_of_means
    };
    let mut rows = vec![
        row("error where the search begins, Hz", Some(base), &|found| tested(found, &|of, _| of == "base")),
        row("error of its answer, Hz", error, &|found| found.answer().error),
        row("the same with other networks, Hz", None, &|found| tested(found, &|_, is_answer| is_answer)),
    ];
    rows[1].row.notes.extend(told.map(|told| format!("the thesis: {told}")));
    for (layer, rate) in rates.into_iter().flatten().enumerate() {
        let name = ["L2/3", "L4", "L5", "L6"].get(layer).copied().unwrap_or("");
        // Populations are excitatory and inhibitory by turns.
        rows.push(row(&format!("rate of {name}, Hz"), Some(rate), &move |found| found.answer().rates[2 * layer]));
    }
    for Measured { row, .. } in &mut rows {
        if row.paper.is_some() {
            row.notes.push("the thesis has one search and no spread to test against".into());
        }
    }
    rows
}
