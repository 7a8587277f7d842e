//! `phylon eval`: how good the evolved parameters are on episodes that no generation has seen.

mod maze;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use phylon::config::{self, Task};
use phylon::engine::State;
use phylon::error::{Error, Result};
use phylon::plan::Plan;
use phylon::report::{self, Evaluation};
use phylon::run::Folder;
use serde::Serialize;

use super::{output, probe};

/// Evaluate the parameters of a run on fresh episodes.
///
/// Prints the mean fitness, its standard deviation over episodes and the 95 % confidence interval of the mean, and says
/// whose they are. For a task in a maze also what shows whether agents learn within their life: what they eat, and how often
/// the first arm they enter in a trial leads to the food, beside two players without a network in the same episodes: a
/// reflex without memory, which turns back where it sees poison, and win-stay lose-shift.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon eval runs/quickstart
  phylon eval runs/quickstart --which last --episodes 100000 --seed 7
  phylon eval runs/quickstart --json
  phylon eval runs/enu-tmaze-paper --freeze-synapses --dark")]
pub struct Args {
    /// The run folder.
    run: PathBuf,
    /// Episodes to evaluate on; none of them was used by the run [default: 10000; in a maze, where they are long, 1000].
    #[arg(long, value_name = "N")]
    episodes: Option<NonZeroUsize>,
    /// Seed of the fresh episodes.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The best centre of the run, or that of its last checkpoint [default: best, or last if there is no best yet].
    #[arg(long, value_enum)]
    which: Option<Which>,
    /// Print one object with run, which, generation, seed and the figures.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    probes: probe::Args,
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
struct Answer<'a, E> {
    run: &'a str,
    which: Which,
    /// Generations that led to the parameters.
    generation: u32,
    seed: u64,
    #[serde(flatten)]
    evaluation: E,
}

pub fn run(args: &Args) -> Result<()> {
    let folder = Folder::open(&args.run)?;
    let plan = config::load(&folder.config_path(), &[])?;
    let in_maze = matches!(plan.config.task, Task::TMaze(_) | Task::DoubleTMaze(_));
    if !in_maze {
        args.probes.refuse(&args.run)?;
    }
    let state = folder.checkpoint(&plan)?;
    let (which, generation, parameters) = Which::choose(args.which, state, &args.run, &plan)?;
    let (run, seed) = (&plan.config.run.name, args.seed);
    let episodes = args.episodes.map_or_else(|| report::default_episodes(&plan), NonZeroUsize::get);
    if in_maze {
        let evaluation = maze::evaluate(&plan, &parameters, (episodes, seed), &args.probes);
        if args.json {
            return output::json(&Answer { run, which, generation, seed, evaluation });
        }
        let text = fitness(args, which, generation, evaluation.fitness());
        return output::print(&(text + &evaluation.tables()));
    }
    let evaluation = report::evaluate(&plan, &parameters, episodes, seed);
    if args.json {
        return output::json(&Answer { run, which, generation, seed, evaluation });
    }
    output::print(&fitness(args, which, generation, &evaluation))
}

/// The mean, and whose it is.
fn fitness(args: &Args, which: Which, generation: u32, evaluation: &Evaluation) -> String {
    let &Evaluation { episodes, non_finite, mean, sd, ci95: (low, high), .. } = evaluation;
    let bad = if non_finite == 0 { String::new() } else { format!(", {non_finite} of them NaN or infinite, left out") };
    let whose = which.name();
    let why = if which == Which::Last && args.which.is_none() { ", for there is no best one yet" } else { "" };
    format!(
        "fitness {mean:.4} +- {sd:.4} (sd), 95 % confidence interval of the mean {low:.4} to {high:.4}\n\
         {episodes} fresh episodes of seed {}{bad}; {whose} centre (after {generation} generations){why}\n",
        args.seed
    )
}

fn no_best(run: &Path, plan: &Plan, generations: u32) -> Error {
    Error::Run(format!(
        "{} has no best centre yet: none was validated with a finite fitness, {generations} generations are done and \
         run.validate_every is {}; try: --which last",
        run.display(),
        plan.config.run.validate_every
    ))
}
