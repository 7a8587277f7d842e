//! `phylon battery`: a controller in small worlds, judged as an animal would be.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phylon::battery::assays::{ASSAYS, Assay, Subject};
use phylon::battery::body::{Body, Evolved};
use phylon::battery::judge::{Judgement, Model, Options, Verdict, judge_on};
use phylon::battery::layer::Layer;
use phylon::battery::plain::Plain;
use phylon::battery::play::Lives;
use phylon::battery::stages::{Stages, Whose};
use phylon::config;
use phylon::device::Device;
use phylon::error::{Error, Result};
use phylon::report::battery;
use phylon::run::Folder;
use serde::Serialize;

use super::eval::Which;
use super::{device, output};

/// Judge a controller in behavioural assays, beside an animal's values and beside nulls that must fail.
///
/// Each assay is a small world with a protocol: salt chemotaxis, food memory, one-shot avoidance, reversal in a T-maze,
/// conditioned preference and its swap, two tasks in a row, orientation tuning by local rules. Every one is asked again under
/// other conditions (H, generalisation). All lives are fresh, and the same for whoever is judged, for the nulls and for the
/// positive control. Where a null passes or the control fails, the assay is invalid.
///
/// Judged are runs, plain networks and layers that learn from files, and the battery's own nulls and positive controls. Each run or
/// file is one model; several must have been trained alike, each with its own seed. A run of `task.assay` or of a T-maze can be in
/// every assay whose senses and motors it has, a layer in those to whose motors it has synapses; a plain network fits an assay if it
/// has as many inputs and outputs as that: see docs/battery.md.
///
/// A device computes the lives of runs and the populations of assay G, to the same bits; plain networks, layers and the battery's own
/// animals answer on the CPU.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon battery --controller positive                   that all controls pass
  phylon battery --controller null --assay C --assay E   that these nulls fail
  phylon battery runs/battery-preference                 what was evolved, in all assays that it can be in
  phylon battery runs/sweep/*-seed-? --assay E           five models that were evolved alike
  phylon battery seed-*.npz --assay A --lives 1000       five plain networks on the plate
  phylon battery configs/layers/rewarded-stdp.toml       spiking neurons that learn from reward
  phylon battery --controller positive --assay D --json

Assays, by letter or name: A chemotaxis, B food-memory, C avoidance, D reversal, E preference, F two-tasks, G orientation
(phylon list assays). Variants, by name: alternation (of D), conditioning (E), interval and overlap (F).
A policy file is an .npz or .safetensors as phylon rollout reads it. Its inputs are the assay's senses, then r+ and r-. A layer is a .toml.")]
pub struct Args {
    /// Run folders, or files of plain networks or layers, that were trained alike, each with its own seed.
    #[arg(value_name = "RUN", conflicts_with = "controller")]
    trained: Vec<PathBuf>,
    /// Of a run, the best centre or that of its last checkpoint [default: best, or last if there is no best yet].
    #[arg(long, value_enum)]
    which: Option<Which>,
    /// Who is judged if no run is given: the first null of each assay, or its positive control.
    #[arg(long, value_name = "WHO", required_unless_present = "trained")]
    controller: Option<Who>,
    /// An assay; may be repeated [default: all that fit].
    #[arg(long = "assay", value_name = "NAME")]
    assays: Vec<String>,
    /// Lives of each model, null and control; populations of neurons in assay G, of which there are 16 at most. Intervals of a few
    /// hundred lives are too wide for some criteria.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    lives: u32,
    /// Seed of the lives.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Leave out the other conditions of assay H.
    #[arg(long)]
    no_conditions: bool,
    #[command(flatten)]
    device: device::Args,
    /// Folder of battery.csv and battery.html, which replace older ones.
    #[arg(long, value_name = "DIR", default_value = "runs/battery")]
    out: PathBuf,
    /// Print one object with all scores.
    #[arg(long)]
    json: bool,
}

/// Those that the battery knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Who {
    /// The first null of each assay.
    Null,
    /// The positive control of each assay.
    Positive,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    seed: u64,
    /// Of the lives of runs and the populations of assay G.
    device: &'a str,
    assays: &'a [Judgement],
    /// None of specialists.
    stages: Option<Stages>,
    report: String,
}

pub fn run(args: &Args) -> Result<()> {
    let options = Options { lives: Lives { seed: args.seed, count: args.lives }, conditions: !args.no_conditions };
    let models = models(args)?;
    let mut device = args.device.choose()?;
    let subjects = || models.iter().flat_map(|(_, model)| &model.subjects);
    let is_asked = subjects().any(Subject::can_be_on_device);
    let mut gpu = if is_asked { device.open()? } else { None };
    if let Some(Err(why)) = gpu.as_ref().map(|gpu| subjects().try_for_each(|subject| subject.check_on(gpu))) {
        if !args.device.is_auto() {
            return Err(why);
        }
        // What to try is for those who asked for the device.
        let why = why.to_string().lines().next().unwrap_or_default().to_owned();
        (device, gpu) = (Device::cpu_because(&Error::Device(why)), None);
    }
    let bar = bar(models.len());
    // The battery's own animals are of one assay each.
    let whose = if args.controller.is_some() { Whose::Specialists } else { Whose::OneModel };
    let (mut judgements, mut report) = (Vec::new(), PathBuf::new());
    for (assay, model) in models {
        bar.set_message(assay.name);
        judgements.push(judge_on(gpu.as_ref(), assay, &model, &options)?);
        // What has been judged stays if the rest is interrupted.
        report = battery::write(&args.out, &judgements, Stages::of(&judgements, whose).as_ref())?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (report, stages) = (report.display().to_string(), Stages::of(&judgements, whose));
    if args.json {
        return output::json(&Answer {
            seed: args.seed,
            device: &device.description,
            assays: &judgements,
            stages,
            report,
        });
    }
    let passed = judgements.iter().filter(|judgement| judgement.verdict == Verdict::Pass).count();
    let table = battery::table(&judgements, stages.as_ref());
    let on = if is_asked { format!("  on: {}", device.description) } else { String::new() };
    output::print(&format!("{table}passed: {passed} of {}  report: {report}{on}\n", judgements.len()))
}

/// Who is judged in which assay.
fn models(args: &Args) -> Result<Vec<(&'static Assay, Model)>> {
    let asked = args.assays.iter().map(|name| Assay::named(name)).collect::<Result<Vec<_>>>()?;
    let assays = if asked.is_empty() { ASSAYS.to_vec() } else { asked.clone() };
    if let Some(who) = args.controller {
        let known = |assay: &Assay| if who == Who::Null { assay.nulls[0] } else { assay.control };
        let model = |assay: &'static Assay| {
            let known = known(assay);
            (assay, Model { name: known.name.to_owned(), subjects: vec![(known.make)()] })
        };
        return Ok(assays.into_iter().map(model).collect());
    }
    let trained = args.trained.iter().map(|path| Trained::read(path, args.which)).collect::<Result<Vec<_>>>()?;
    let mut models = Vec::new();
    let mut refused = None;
    for assay in assays.into_iter().filter(|assay| assay.is_for_animals()) {
        match trained.iter().map(|trained| trained.subject(assay)).collect::<Result<Vec<_>>>() {
            Ok(subjects) => models.push((assay, Model { name: name(&args.trained), subjects })),
            Err(error) if asked.is_empty() => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    match refused {
        Some(error) if models.is_empty() => Err(error),
        _ if models.is_empty() => Err(Error::Config(
            "assay G is no world, so neither runs nor networks nor layers can be in it; try: --controller positive"
                .into(),
        )),
        _ => Ok(models),
    }
}

/// What was trained.
enum Trained {
    /// A run's body and parameters.
    Run { path: PathBuf, body: Box<Body>, parameters: Vec<f32> },
    /// A layer that learns by reward.
    Layer(PathBuf, Layer),
    /// A plain network's file.
    File(PathBuf),
}

impl Trained {
    fn read(path: &Path, which: Option<Which>) -> Result<Self> {
        if !path.is_dir() {
            let is_layer = path.extension().is_some_and(|extension| extension == "toml");
            return Ok(if is_layer {
                Self::Layer(path.to_owned(), Layer::read(path)?)
            } else {
                Self::File(path.to_owned())
            });
        }
        let folder = Folder::open(path)?;
        let plan = config::load(&folder.config_path(), &[])?;
        let body = Body::of(&plan).ok_or_else(|| {
            Error::Config(format!(
                "cannot judge {}: its task is in no world; try: a run of task.assay or task.t_maze, or --controller",
                path.display()
            ))
        })?;
        let (_, _, parameters) = Which::choose(which, folder.checkpoint(&plan)?, path, &plan)?;
        Ok(Self::Run { path: path.to_owned(), body: Box::new(body), parameters })
    }

    fn subject(&self, assay: &Assay) -> Result<Subject> {
        Ok(Subject::Animal(match self {
            Self::File(path) => Box::new(Plain::read(path, assay)?),
            Self::Layer(path, layer) => {
                Box::new(layer.subject(assay).map_err(|motors| lacks(path, assay, "synapse to", &motors))?)
            }
            Self::Run { path, body, parameters } => {
                let evolved = Evolved::new(body, parameters, assay);
                Box::new(evolved.ok_or_else(|| lacks(path, assay, "", &body.lacks(assay)))?)
            }
        }))
    }
}

fn lacks(path: &Path, assay: &Assay, what: &str, names: &[&str]) -> Error {
    let Assay { letter, name, .. } = assay;
    let what = format!("{what} {}", names.join(", "));
    Error::Config(format!("{} cannot be in assay {letter} ({name}): it has no {}", path.display(), what.trim_start()))
}

fn name(trained: &[PathBuf]) -> String {
    match trained {
        [one] => one.display().to_string(),
        several => format!("{} and {} others", several[0].display(), several.len() - 1),
    }
}

fn bar(assays: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(assays as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:12} {pos}/{len} assays  {msg}  {elapsed}")
        .expect("the template is a constant and has been drawn before");
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar.with_style(style)
}
