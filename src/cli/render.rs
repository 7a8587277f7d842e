//! `phylon render`: a film of an evolved agent in its maze.

use std::ops::Range;
use std::path::PathBuf;

use phylon::config::{self, Task};
use phylon::error::{Error, Result};
use phylon::report::film;
use phylon::run::Folder;
use phylon::workload::Workload;
use phylon::workload::maze::{MazePlay, Probe, Recording};
use serde::Serialize;

use super::eval::Which;
use super::{output, probe};

/// Draw an evolved agent in its maze, beside the outputs of its neurons, and print the path of the file.
///
/// The file is an animated SVG without scripts, which every browser plays. It shows one fresh episode, as long as the agent
/// lives in it; --episode and --seed show others.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon render runs/enu-tmaze                          then open runs/enu-tmaze/life.svg
  phylon render runs/enu-tmaze --episode 3 --actions 200..320
  phylon render runs/enu-tmaze --dark --no-reward-signal --out blind.svg")]
pub struct Args {
    /// The run folder.
    run: PathBuf,
    /// The file to write, replacing an older one [default: life.svg in the run folder].
    #[arg(long, value_name = "FILE.svg")]
    out: Option<PathBuf>,
    /// Seed of the fresh episodes, as for `phylon eval`.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Which of the fresh episodes; the first is 0.
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..10_000))]
    episode: u32,
    /// Actions to show: the first N, or those from FROM on and before TO [default: 120, fewer where a network makes many
    /// steps an action].
    #[arg(long, value_name = "N|FROM..TO", value_parser = parse_actions)]
    actions: Option<Range<usize>>,
    /// The best centre of the run, or that of its last checkpoint [default: best, or last if there is no best yet].
    #[arg(long, value_enum)]
    which: Option<Which>,
    #[command(flatten)]
    probe: probe::Args,
    /// Print one object with the path, whose life it is and what happened in it.
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    path: PathBuf,
    run: &'a str,
    which: Which,
    /// Generations that led to the parameters.
    generation: u32,
    seed: u64,
    episode: u32,
    /// Of the whole life.
    actions: usize,
    food: usize,
    poison: usize,
    /// Actions shown, from the first on and before the last.
    shown: [usize; 2],
}

pub fn run(args: &Args) -> Result<()> {
    let folder = Folder::open(&args.run)?;
    let path = args.out.clone().unwrap_or_else(|| folder.life_path());
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("svg")) {
        let (shown, other) = (path.display(), path.with_extension("svg"));
        let why = format!("a film is an animated SVG, which every browser plays; try: --out {}", other.display());
        return Err(Error::Config(format!("cannot write {shown}: {why}")));
    }
    let plan = config::load(&folder.config_path(), &[])?;
    let maze = match plan.config.task {
        Task::TMaze(_) => "T-maze",
        Task::DoubleTMaze(_) => "double T-maze",
        _ => {
            let shown = args.run.display();
            return Err(Error::Config(format!(
                "cannot render {shown}: its task is no maze, so there is no agent to be seen; try: phylon report {shown}"
            )));
        }
    };
    let (which, generation, parameters) = Which::choose(args.which, folder.checkpoint(&plan)?, &args.run, &plan)?;
    let probe = args.probe.probe();
    let play = MazePlay::new(&plan).with_probe(probe);
    let (seed, episode) = (args.seed, args.episode);
    let episodes = play.fresh_episodes(episode as usize + 1, seed);
    let life = Recording::of(&play, &parameters, &episodes, episode as usize);
    let shown = shown(args.actions.clone(), &life)?;
    let whose = format!("{} centre (after {generation} generations)", which.name());
    let subtitle = format!("{maze}, {whose}, fresh episode {episode} of seed {seed}{}", taken(probe));
    let run = plan.config.run.name.as_str();
    film::write(&path, &life, shown.clone(), run, &subtitle)?;
    let actions = life.moments.len();
    let (food, poison) = life.meals(actions);
    if args.json {
        let shown = [shown.start, shown.end];
        return output::json(&Answer { path, run, which, generation, seed, episode, actions, food, poison, shown });
    }
    output::print(&format!(
        "{}\nactions {} to {} of the {actions} in its life, in which it ate food {food} times and poison {poison} times; \
         {whose}\n",
        path.display(),
        shown.start,
        shown.end
    ))
}

/// The actions to show, all of them within the life.
fn shown(asked: Option<Range<usize>>, life: &Recording) -> Result<Range<usize>> {
    let lived = life.moments.len();
    let asked = asked.unwrap_or(0..film::default_length(life));
    if asked.start < lived {
        return Ok(asked.start..asked.end.min(lived));
    }
    Err(Error::Config(format!(
        "--actions {}..{}: the life is over after {lived} actions; try: --actions 0..{lived}",
        asked.start, asked.end
    )))
}

/// `N` or `FROM..TO`, at least one action.
fn parse_actions(text: &str) -> std::result::Result<Range<usize>, String> {
    let (from, to) = text.split_once("..").unwrap_or(("0", text));
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if from < to => Ok(from..to),
        (Ok(_), Ok(_)) => Err("these are no actions: expected FROM below TO".into()),
        _ => Err("expected a number of actions, or FROM..TO".into()),
    }
}

/// What was taken from the agent, for the subtitle.
fn taken(probe: Probe) -> String {
    let Probe { no_reward_signal, freeze_synapses, no_noise, dark } = probe;
    let parts = [
        (dark, "colour sensors dark"),
        (no_reward_signal, "no reward signal"),
        (freeze_synapses, "synapses frozen"),
        (no_noise, "no noise"),
    ];
    parts.into_iter().filter(|(taken, _)| *taken).map(|(_, name)| format!(", {name}")).collect()
}
