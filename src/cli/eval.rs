//! `phylon eval`: how good the evolved parameters are on episodes that no generation has seen.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use phylon::config;
use phylon::engine::State;
use phylon::error::{Error, Result};
use phylon::plan::Plan;
use phylon::report::{self, Evaluation};
use phylon::run::Folder;
use serde::Serialize;

use super::output;

/// Evaluate the parameters of a run on fresh episodes.
///
/// Prints the mean fitness, its standard deviation over episodes and the 95 % confidence interval of the mean, and says
/// whose they are.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon eval runs/quickstart
  phylon eval runs/quickstart --which last --episodes 100000 --seed 7
  phylon eval runs/quickstart --json")]
pub struct Args {
    /// The run folder.
    run: PathBuf,
    /// Episodes to evaluate on; none of them was used by the run.
    #[arg(long, value_name = "N", default_value = "10000")]
    episodes: NonZeroUsize,
    /// Seed of the fresh episodes.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The best centre of the run, or that of its last checkpoint [default: best, or last if there is no best yet].
    #[arg(long, value_enum)]
    which: Option<Which>,
    /// Print one object with run, which, generation, seed and the figures.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Which {
    Best,
    Last,
}

impl Which {
    /// The centre asked for, else the best, else the last: which it is, the generations that led to it, its parameters.
    pub fn choose(asked: Option<Self>, state: State, run: &Path, plan: &Plan) -> Result<(Self, u32, Vec<f32>)> {
        let which = asked.unwrap_or(if state.best.is_some() { Self::Best } else { Self::Last });
        match (which, state.best) {
            (Self::Last, _) => Ok((which, state.generation, state.centre)),
            (Self::Best, Some(best)) => Ok((which, best.generation, best.parameters)),
            (Self::Best, None) => Err(no_best(run, plan, state.generation)),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: &'a str,
    which: Which,
    /// Generations that led to the parameters.
    generation: u32,
    seed: u64,
    #[serde(flatten)]
    evaluation: Evaluation,
}

pub fn run(args: &Args) -> Result<()> {
    let folder = Folder::open(&args.run)?;
    let plan = config::load(&folder.config_path(), &[])?;
    let state = folder.checkpoint(&plan)?;
    let (which, generation, parameters) = Which::choose(args.which, state, &args.run, &plan)?;
    let evaluation = report::evaluate(&plan, &parameters, args.episodes.get(), args.seed);
    if args.json {
        let run = &plan.config.run.name;
        return output::json(&Answer { run, which, generation, seed: args.seed, evaluation });
    }
    let Evaluation { episodes, non_finite, mean, sd, ci95: (low, high), .. } = evaluation;
    let bad = if non_finite == 0 { String::new() } else { format!(", {non_finite} of them NaN or infinite, left out") };
    let whose = which.name();
    let why = if which == Which::Last && args.which.is_none() { ", for there is no best one yet" } else { "" };
    output::print(&format!(
        "fitness {mean:.4} +- {sd:.4} (sd), 95 % confidence interval of the mean {low:.4} to {high:.4}\n\
         {episodes} fresh episodes of seed {}{bad}; {whose} centre (after {generation} generations){why}\n",
        args.seed
    ))
}

fn no_best(run: &Path, plan: &Plan, generations: u32) -> Error {
    Error::Run(format!(
        "{} has no best centre yet: none was validated with a finite fitness, {generations} generations are done and \
         run.validate_every is {}; try: --which last",
        run.display(),
        plan.config.run.validate_every
    ))
}
