//! `phylon reproduce`: the published comparisons, run again from the beginning.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phylon::device::Device;
use phylon::error::{Error, Result};
use phylon::report::scores;
use phylon::synaptogen::evaluation::Metrics;
use phylon::synaptogen::reproduction::{Folder, Report, Reproduction, Settings, genes_with_rules, train_together};
use serde::Serialize;

use super::{device, output};

/// Run a published comparison again, and print our figures beside those of the paper.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Synaptogen(Synaptogen),
}

/// Agents of profiles trained by gradient, of profiles evolved by SNES, and of lineages, in one world.
///
/// Trains a profile by deep Q-learning with three learning rates and three seeds, and searches one by SNES with three
/// populations and three numbers of agents. From the best profile of each 100 agents are grown, and 100 from lineages with the
/// trained rules; an agent's score is its mean return over 10 episodes. What is finished is kept in the folder: the same
/// command goes on from there, on any device. On a GPU trainings go side by side (with --all those of every world at once),
/// searches judge their offspring, and agents play.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon reproduce synaptogen --env cartpole --genes 16
  phylon reproduce synaptogen --env acrobot --rules-from-data --json
  phylon reproduce synaptogen --all --out runs/tables

The folder gets settings.json, a .safetensors for every training and search, profile.safetensors and snes.safetensors (those \
that agents are grown from), result.json and scores.svg.")]
struct Synaptogen {
    /// The world: cartpole, mountain-car, acrobot or lunar-lander.
    #[arg(long, value_name = "WORLD", required_unless_present = "all")]
    env: Option<String>,
    /// Genes of a profile; the paper has 16, 32 and 64 [default: 16; with rules from data 39].
    #[arg(long, value_name = "N")]
    genes: Option<usize>,
    /// Keep rules on the side of 1/2 where the nerve ring of C. elegans has them.
    #[arg(long)]
    rules_from_data: bool,
    /// Environment steps of each training and each search.
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    steps: u32,
    /// Seed of the first training; the other two have those that follow.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where results are kept [default: runs/synaptogen/WORLD-GENES; with --all runs/synaptogen].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Tables 1 to 4: all four worlds with 16, 39 (from data), 32 and 64 genes, each in a folder of its own.
    #[arg(long, conflicts_with_all = ["env", "genes", "rules_from_data"])]
    all: bool,
    /// Print one object, or with --all one for each world and number of genes.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: device::Args,
}

const WORLDS: [&str; 4] = ["cartpole", "mountain-car", "lunar-lander", "acrobot"];
const RUNS: &str = "runs/synaptogen";

/// What is printed and kept as JSON.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    report: Report,
    /// Of this call, which may have found parts of it done.
    seconds: f64,
    /// For people: results are the same on every one.
    #[serde(skip)]
    device: String,
}

pub fn run(args: &Args) -> Result<()> {
    let What::Synaptogen(args) = &args.what;
    let device = args.device.choose()?;
    let comparison = |settings| {
        let reproduction = Reproduction::new(settings)?;
        let folder = args.folder(reproduction.settings());
        Ok((reproduction, folder))
    };
    let comparisons: Vec<_> = args.settings().into_iter().map(comparison).collect::<Result<_>>()?;
    if args.all {
        train_ahead(&comparisons, &device)?;
    }
    let mut answers = Vec::new();
    for (reproduction, folder) in &comparisons {
        answers.push(reproduce(reproduction, folder, &device)?);
        if !args.json {
            let answer = &answers[answers.len() - 1];
            output::print(&format!("{}{}\n", answer.text(), written(folder)))?;
        }
    }
    match (args.json, args.all) {
        (true, true) => output::json(&answers),
        (true, false) => output::json(&answers[0]),
        (false, _) => Ok(()),
    }
}

impl Synaptogen {
    /// Of each comparison, in the order of the tables.
    fn settings(&self) -> Vec<Settings> {
        let of = |env: &str, genes: Option<usize>, rules_from_data: bool| {
            let genes = genes.unwrap_or_else(|| if rules_from_data { genes_with_rules() } else { 16 });
            Settings { env: env.into(), genes, rules_from_data, steps: self.steps, seed: self.seed }
        };
        match &self.env {
            Some(env) => vec![of(env, self.genes, self.rules_from_data)],
            None => {
                let tables = [(Some(16), false), (None, true), (Some(32), false), (Some(64), false)];
                tables.into_iter().flat_map(|(genes, data)| WORLDS.map(|env| of(env, genes, data))).collect()
            }
        }
    }

    fn folder(&self, settings: &Settings) -> PathBuf {
        let Settings { env, genes, .. } = settings;
        let name = format!("{env}-{genes}{}", if settings.rules_from_data { "-from-data" } else { "" });
        match &self.out {
            Some(out) if self.all => out.join(name),
            Some(out) => out.clone(),
            None => Path::new(RUNS).join(name),
        }
    }
}

/// On a device, the trainings of all comparisons side by side; on the CPU nothing.
fn train_ahead(comparisons: &[(Reproduction, PathBuf)], device: &Device) -> Result<()> {
    let Some(gpu) = device.open()? else { return Ok(()) };
    let open = |(reproduction, path): &(Reproduction, PathBuf)| Folder::open(path, reproduction.settings());
    let folders: Vec<Folder> = comparisons.iter().map(open).collect::<Result<_>>()?;
    let comparisons: Vec<_> = comparisons.iter().map(|(reproduction, _)| reproduction).zip(&folders).collect();
    let steps = comparisons.iter().map(|(reproduction, folder)| reproduction.training_steps_left(folder)).sum();
    let bar = bar("all trainings".into(), steps);
    let trained = train_together(&comparisons, &gpu, &|more| bar.inc(more));
    bar.finish_and_clear();
    trained
}

fn reproduce(reproduction: &Reproduction, path: &Path, device: &Device) -> Result<Answer> {
    let folder = Folder::open(path, reproduction.settings())?;
    let Settings { env, genes, .. } = reproduction.settings();
    let bar = bar(format!("{env}, {genes} genes"), reproduction.steps_left(&folder));
    let started = Instant::now();
    let report = reproduction.run(&folder, device, &|more| bar.inc(more));
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let answer = Answer { report: report?, seconds, device: device.description.clone() };
    folder.write_text("scores.svg", &scores::figure(&answer.report, reproduction.solved())?)?;
    let text = serde_json::to_string_pretty(&answer).map_err(|e| Error::Run(format!("cannot write JSON: {e}")))?;
    folder.write_text("result.json", &(text + "\n"))?;
    Ok(answer)
}

fn bar(message: String, steps: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg} {bar:12} {human_pos}/{human_len} steps  {per_sec}  {eta} left")
        .expect("the template is a constant and has been drawn before");
    bar.with_style(style).with_message(message)
}

fn written(folder: &Path) -> String {
    format!(
        "written      {0}/result.json, {0}/scores.svg, {0}/profile.safetensors, {0}/snes.safetensors\n",
        folder.display()
    )
}

impl Answer {
    fn text(&self) -> String {
        let Report { settings, trainings, searches, groups, comparisons } = &self.report;
        let Settings { env, genes, rules_from_data, steps, seed } = settings;
        let rules = if *rules_from_data { " with rules from data" } else { "" };
        let mut text = format!("{env}, {genes} genes{rules}, {steps} steps, seed {seed}: scores of 100 agents\n\n");
        text += "                   mean       sd  top-10 mean       sd   solved\n";
        for group in groups {
            text += &row(group.name, &group.metrics);
            match &group.published {
                Some(published) => text += &row("  paper", published),
                None => text += "  paper             -\n",
            }
        }
        text += "\nMann-Whitney, p corrected for three pairs; which is larger how often\n";
        for pair in comparisons {
            let (p, larger) = (pair.comparison.corrected_p, pair.comparison.test.larger);
            text += &format!("  {:<10} > {:<10} {larger:.2}  p = {p:.2e} {}\n", pair.first, pair.second, pair.stars);
        }
        text += "\ntrainings    mean network over 10 episodes, by which * is taken; 30 agents\n";
        for t in trainings {
            let mark = if t.chosen { '*' } else { ' ' };
            text += &format!(
                "{mark} rate {:<7} seed {:<3} {:>9.2} +- {:<7.2} {:>9.2} +- {:.2}\n",
                t.rate, t.seed, t.mean, t.sd, t.agents_mean, t.agents_sd
            );
        }
        text += "searches     30 fresh agents, by which * is taken\n";
        for s in searches {
            let (mark, generations) = (if s.chosen { '*' } else { ' ' }, s.generations.len());
            text += &format!(
                "{mark} population {:<3} agents {:<3} {:>9.2} +- {:.2} after {generations} generations\n",
                s.population, s.agents, s.mean, s.sd
            );
        }
        text + &format!("time         {:.1} s ({})\n", self.seconds, self.device)
    }
}

fn row(name: &str, metrics: &Metrics) -> String {
    let Metrics { mean, sd, top10_mean, top10_sd, solved_percent } = *metrics;
    format!("{name:<12} {mean:>10.2} {sd:>8.2} {top10_mean:>12.2} {top10_sd:>8.2} {solved_percent:>6.0} %\n")
}
