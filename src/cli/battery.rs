//! `phylon battery`: a controller in small worlds, judged as an animal would be.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phylon::battery::assays::{ASSAYS, Assay, Subject};
use phylon::battery::judge::{Judgement, Model, Options, Verdict, judge};
use phylon::battery::plain::Plain;
use phylon::battery::play::Lives;
use phylon::battery::stages::{Stages, Whose};
use phylon::error::{Error, Result};
use phylon::report::battery;
use serde::Serialize;

use super::output;

/// Judge a controller in behavioural assays, beside an animal's values and beside nulls that must fail.
///
/// Each assay is a small world with a protocol: salt chemotaxis, food memory, one-shot avoidance, reversal in a T-maze,
/// conditioned preference and its swap, two tasks in a row, orientation tuning by local rules. Every one is asked again under
/// other conditions (H, generalisation). All lives are fresh, and the same for whoever is judged, for the nulls and for the
/// positive control. Where a null passes or the control fails, the assay is invalid.
///
/// Judged are plain networks from files, each of which is one model, and the battery's own nulls and positive controls. A file
/// fits an assay if it has as many inputs and outputs as that: see docs/battery.md.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon battery --controller positive                   that all controls pass
  phylon battery --controller null --assay C --assay E   that these nulls fail
  phylon battery seed-*.npz --assay A --lives 1000       five plain networks on the plate
  phylon battery --controller positive --assay D --json

Assays, by letter or name: A chemotaxis, B food-memory, C avoidance, D reversal, E preference, F two-tasks, G orientation
(phylon list assays).
A policy file is an .npz or .safetensors as phylon rollout reads it. Its inputs are the assay's senses, then r+ and r-.")]
pub struct Args {
    /// Files of plain networks that were trained alike, each with its own seed.
    #[arg(value_name = "POLICY", conflicts_with = "controller")]
    policies: Vec<PathBuf>,
    /// Who is judged if no file is given: the first null of each assay, or its positive control.
    #[arg(long, value_name = "WHO", required_unless_present = "policies")]
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
    assays: &'a [Judgement],
    /// None of specialists.
    stages: Option<Stages>,
    report: String,
}

pub fn run(args: &Args) -> Result<()> {
    let options = Options { lives: Lives { seed: args.seed, count: args.lives }, conditions: !args.no_conditions };
    let models = models(args)?;
    let bar = bar(models.len());
    // Files and the battery's own animals are of one assay each.
    let whose = Whose::Specialists;
    let (mut judgements, mut report) = (Vec::new(), PathBuf::new());
    for (assay, model) in models {
        bar.set_message(assay.name);
        judgements.push(judge(assay, &model, &options).ok_or_else(|| misfit(assay))?);
        // What has been judged stays if the rest is interrupted.
        report = battery::write(&args.out, &judgements, Stages::of(&judgements, whose).as_ref())?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (report, stages) = (report.display().to_string(), Stages::of(&judgements, whose));
    if args.json {
        return output::json(&Answer { seed: args.seed, assays: &judgements, stages, report });
    }
    let passed = judgements.iter().filter(|judgement| judgement.verdict == Verdict::Pass).count();
    let table = battery::table(&judgements, stages.as_ref());
    output::print(&format!("{table}passed: {passed} of {}  report: {report}\n", judgements.len()))
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
    if let Some(run) = args.policies.iter().find(|path| path.is_dir()) {
        return Err(Error::Config(format!(
            "cannot judge {}: it is a folder, and only files of plain networks are read; try: POLICY.npz, or --controller",
            run.display()
        )));
    }
    let mut models = Vec::new();
    let mut refused = None;
    for assay in assays.into_iter().filter(|assay| assay.is_for_animals()) {
        let subject = |path: &PathBuf| Ok(Subject::Animal(Box::new(Plain::read(path, assay)?)));
        match args.policies.iter().map(subject).collect::<Result<Vec<_>>>() {
            Ok(subjects) => models.push((assay, Model { name: name(&args.policies), subjects })),
            Err(error) if asked.is_empty() => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    match refused {
        Some(error) if models.is_empty() => Err(error),
        _ if models.is_empty() => Err(Error::Config(
            "local rules are in no world, so files of networks cannot be judged by assay G; try: --controller positive"
                .into(),
        )),
        _ => Ok(models),
    }
}

fn name(policies: &[PathBuf]) -> String {
    match policies {
        [one] => one.display().to_string(),
        several => format!("{} and {} others", several[0].display(), several.len() - 1),
    }
}

fn misfit(assay: &Assay) -> Error {
    Error::Run(format!("whoever is judged cannot be in assay {}: {}", assay.letter, assay.title))
}

fn bar(assays: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(assays as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:12} {pos}/{len} assays  {msg}  {elapsed}")
        .expect("the template is a constant and has been drawn before");
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar.with_style(style)
}
