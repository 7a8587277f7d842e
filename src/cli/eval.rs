//! `phylon eval`: how good the evolved parameters are on episodes that no generation has seen.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;
use phylon::config;
use phylon::error::{Error, Result};
use phylon::report::{self, Evaluation};
use phylon::run::Folder;
use serde::Serialize;

use super::output;

/// Evaluate the parameters of a run on fresh episodes.
///
/// Prints the mean fitness, its standard deviation over episodes and the 95 % confidence interval of the mean.
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
    /// Which parameters: the best centre of the run, or that of its last checkpoint.
    #[arg(long, value_enum, default_value_t = Which::Best)]
    which: Which,
    /// Print one object with run, which, generation, seed and the figures.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    Best,
    Last,
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
    let (generation, parameters) = match args.which {
        Which::Last => (state.generation, state.centre),
        Which::Best => {
            let best =
                state.best.ok_or_else(|| Error::Run(format!("{} has no best parameters yet", args.run.display())))?;
            (best.generation, best.parameters)
        }
    };
    let evaluation = report::evaluate(&plan, &parameters, args.episodes.get(), args.seed);
    if args.json {
        let run = &plan.config.run.name;
        return output::json(&Answer { run, which: args.which, generation, seed: args.seed, evaluation });
    }
    let Evaluation { episodes, non_finite, mean, sd, ci95: (low, high), .. } = evaluation;
    let bad = if non_finite == 0 { String::new() } else { format!(", {non_finite} of them NaN or infinite, left out") };
    output::print(&format!(
        "fitness {mean:.4} +- {sd:.4} (sd), 95 % confidence interval of the mean {low:.4} to {high:.4}\n\
         {episodes} fresh episodes of seed {}{bad}; parameters after {generation} generations\n",
        args.seed
    ))
}
