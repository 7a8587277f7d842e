//! `phylon run`: evolve or search what a config says, or go on with a run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use phylon::column::search::run::{self as column, Search};
use phylon::comm::{Ranks, Traffic, launcher};
use phylon::config::{self, Column, Subject};
use phylon::error::{Error, Result};
use phylon::plan::Plan;
use phylon::run::{self, Ended, Folder, MAY_CHANGE, Options};
use phylon::unit::Shape;
use phylon::{report, workload};

use super::eval::Which;
use super::{device, output};

/// Evolve or search what a config says, or go on with an interrupted run.
///
/// Writes the run folder: config.toml (the effective config), metrics.csv, fitness.f32, checkpoint.safetensors and
/// report.html. Ctrl-C writes a checkpoint and leaves; `--resume` goes on from there to the same bits as if nothing
/// had happened.
///
/// Started by mpirun or srun as several processes, all of them evolve the one run (docs/cluster.md), with the same bits as
/// one process.
///
/// A config with the tables [column] and [search] is a search of a column's parameters. Its folder holds,
/// in place of metrics and fitness, candidates.csv (every candidate), best.toml (the answer, for `phylon simulate`) and
/// result.json (what came of it, and how it does with seeds that nothing was chosen by).
#[derive(clap::Args)]
#[command(
    override_usage = "phylon run [OPTIONS] <CONFIG>\n       phylon run [OPTIONS] --resume <RUN>",
    after_help = "\
Examples:
  phylon run configs/quickstart.toml
  phylon run configs/enu-iaf.toml --set es.population=4096 --set run.seed=7 --name seed-7
  phylon run configs/enu-iaf.toml --tensorboard        and beside it: tensorboard --logdir runs
  phylon run --resume runs/seed-7
  phylon run --resume runs/seed-7 --set run.generations=6000
  mpirun -n 2 phylon run configs/enu-iaf.toml          on two processes, of one machine or of several
  phylon run configs/battery-rule-avoidance.toml --start runs/battery-rule-preference
  phylon run configs/column-structure.toml             then phylon simulate runs/column-structure/best.toml
  phylon run --resume runs/column-structure --set search.simulations=4000"
)]
pub struct Args {
    /// The config file.
    #[arg(required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Go on with the run in this folder; --set may change run.generations and run.checkpoint_every, of a search
    /// search.simulations, search.held_out and search.held_out_seconds.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "runs_dir", "name", "force"])]
    resume: Option<PathBuf>,
    /// Override a key, for example es.population=4096. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Folder of the run folders.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs_dir: PathBuf,
    /// Name of the run folder, instead of run.name of the config; of a search, instead of the config file's.
    #[arg(long)]
    name: Option<String>,
    /// Remove an existing run of that name first.
    #[arg(long)]
    force: bool,
    /// Start from the best centre of another run of the same units, in the place of run.first_centres random ones. It becomes
    /// run.start of the effective config, so that the folder needs that run no more.
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    start: Option<PathBuf>,
    /// No progress on stderr.
    #[arg(short, long)]
    quiet: bool,
    /// Also write the curves for TensorBoard while the run goes on; a resumed run that has them goes on with them. For runs
    /// without, see phylon export.
    #[arg(long)]
    tensorboard: bool,
    /// Do not draw report.html at the end.
    #[arg(long)]
    no_report: bool,
    /// One process for one run, also where mpirun or srun has started several.
    #[arg(long)]
    alone: bool,
    #[command(flatten)]
    device: device::Args,
}

impl Args {
    /// Whether another process speaks for this one.
    pub fn follows(&self) -> bool {
        !self.alone && launcher::launch().is_some_and(|launch| launch.rank > 0)
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let ranks = if args.alone { Ok(Ranks::alone()) } else { Ranks::join() };
    let ranks = match ranks {
        Ok(ranks) => Rc::new(ranks),
        // All processes are in the same position: the first speaks for them, and its exit code is the run's.
        Err(_) if args.follows() => return Ok(ExitCode::SUCCESS),
        Err(error) => return Err(error),
    };
    share_cores(&ranks);
    let outcome = if ranks.leads() { lead(args, &ranks) } else { follow(args, &ranks) };
    let outcome = ranks.conclude(outcome);
    if ranks.leads() {
        if ranks.size() > 1 {
            let Traffic { generations, fitness_bytes, meetings, other_bytes } = ranks.traffic();
            tracing::info!(generations, fitness_bytes, meetings, other_bytes, "told the other ranks");
        }
        return outcome;
    }
    // The error is the same on all ranks. Launchers end what is left of a job when a process ends with a failure: only the
    // one that has to say why may do so.
    Ok(ExitCode::SUCCESS)
}

/// The ranks of a machine share its cores, unless `--threads` says how many each has, or their launcher has bound them to
/// some.
fn share_cores(ranks: &Ranks) {
    let (_, neighbours) = ranks.local();
    let mine = std::thread::available_parallelism().map_or(1, usize::from);
    if neighbours > 1 && online_cores() == Some(mine) {
        // Fails where --threads came first.
        let _ = rayon::ThreadPoolBuilder::new().num_threads((mine / neighbours).max(1)).build_global();
    }
}

/// Cores of this machine, as Linux lists them: `0-7,16`.
fn online_cores() -> Option<usize> {
    let list = std::fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
    let ranges = list.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<usize>().ok()? + 1 - first.parse::<usize>().ok()?)
    });
    ranges.sum()
}

/// The rank that has the folder: the only one, or the first of several.
fn lead(args: &Args, ranks: &Rc<Ranks>) -> Result<ExitCode> {
    let (path, folder) = match (&args.resume, &args.config) {
        (Some(path), _) => {
            let folder = Folder::open(path)?;
            (folder.config_path(), Some(folder))
        }
        // clap has seen to it that there is a config where there is no run to resume.
        (None, config) => (config.clone().unwrap_or_default(), None),
    };
    if folder.is_some() {
        // Before they are applied: what may not change need not make a config either.
        let may_change: &[&str] = match config::read(&path, &[])? {
            Subject::Evolution(_) => &MAY_CHANGE,
            Subject::Column(_) => &column::MAY_CHANGE,
        };
        check_overrides(&args.overrides, may_change)?;
    }
    match config::read(&path, &args.overrides)? {
        Subject::Evolution(plan) => evolve(args, *plan, folder, ranks),
        Subject::Column(_) if ranks.size() > 1 => Err(Error::Config(format!(
            "{} is a search, which runs in one process; try: without mpirun or srun",
            path.display()
        ))),
        Subject::Column(column) => search(args, &path, &column, folder),
    }
}

fn evolve(args: &Args, mut plan: Plan, folder: Option<Folder>, ranks: &Rc<Ranks>) -> Result<ExitCode> {
    if let Some(name) = &args.name {
        let mut config = plan.config;
        config.run.name.clone_from(name);
        plan = Plan::new(config).map_err(|invalid| Error::Config(format!("--name {name}: {}", invalid.message)))?;
    }
    if folder.is_none() && !args.force {
        Folder::check_free(&args.runs_dir, &plan.config.run.name)?;
    }
    if let Some(run) = &args.start {
        plan = started(&plan, run)?;
    }
    let kept = folder.as_ref().map_or(Ok(None), |folder| run::stopped(&plan, folder))?;
    let opened = match &kept {
        Some(state) if state.generation > 0 => plan.without_first_centres(),
        _ => plan.clone(),
    };
    ranks.hand_out(config::to_toml(&opened.config).into_bytes())?;
    let device = args.device.choose_for(ranks.local().0)?;
    // The engine before a new folder: a config it cannot open leaves none, and `--force` removes nothing.
    let mut engine = workload::open_among(&opened, &device, ranks)?;
    if let Some(state) = &kept {
        engine.restore(state)?;
    }
    let folder = folder.map_or_else(|| Folder::create(&args.runs_dir, &plan, args.force), Ok)?;
    run::gather(&plan, engine.as_mut(), ranks)?;
    let description = match ranks.size() {
        1 => device.description,
        size => format!("{size} ranks, the first: {}", device.description),
    };
    let options = options(args, description);
    let ended = run::evolve_among(&plan, engine.as_mut(), &folder, &options, ranks)?;
    finish(args, ended, &folder)
}

/// The plan with the best centre of a run, of whatever task, as its first.
fn started(plan: &Plan, run: &Path) -> Result<Plan> {
    let folder = Folder::open(run)?;
    let of_run = config::load(&folder.config_path(), &[])?;
    let evolved = |plan: &Plan| (plan.chromosomes(), plan.rule());
    if evolved(&of_run) != evolved(plan) {
        return Err(Error::Config(format!(
            "--start {}: its parameters are those of {}, the config's of {}; try: a run of the same units",
            run.display(),
            units(&of_run),
            units(plan)
        )));
    }
    let (_, _, centre) = Which::choose(None, folder.checkpoint(&of_run)?, run, &of_run)?;
    plan.starting_from(centre).map_err(|invalid| Error::Config(format!("--start {}: {invalid}", run.display())))
}

/// Those that are evolved, for people.
fn units(plan: &Plan) -> String {
    let shown = |Shape { kind, inputs, memory, outputs }| format!("{} {inputs}/{memory}/{outputs}", kind.name());
    let rule = plan.rule().map(|mut rule| {
        let constants: Vec<String> = rule.constants().iter().map(|c| format!("{} {}", c.name, c.value)).collect();
        format!("{} ({})", rule.name(), constants.join(", "))
    });
    rule.into_iter().chain(plan.chromosomes().into_iter().map(shown)).collect::<Vec<_>>().join(" and ")
}

/// The other ranks: they have the config from the first, touch no file and say nothing.
fn follow(args: &Args, ranks: &Rc<Ranks>) -> Result<ExitCode> {
    let text = ranks.hand_out(Vec::new())?;
    let unreadable = |why: String| Error::Run(format!("the config that the first rank has sent is not one: {why}"));
    let config = toml::from_str(&String::from_utf8_lossy(&text)).map_err(|why| unreadable(why.to_string()))?;
    let plan = Plan::new(config).map_err(|invalid| unreadable(invalid.message))?;
    let device = args.device.choose_for(ranks.local().0)?;
    let mut engine = workload::open_among(&plan, &device, ranks)?;
    run::gather(&plan, engine.as_mut(), ranks)?;
    run::follow(&plan, engine.as_mut(), ranks)?;
    Ok(ExitCode::SUCCESS)
}

fn options(args: &Args, device: String) -> Options {
    Options { quiet: args.quiet, device, tensorboard: args.tensorboard }
}

fn finish(args: &Args, ended: Ended, folder: &Folder) -> Result<ExitCode> {
    if ended == Ended::Interrupted {
        return Ok(ExitCode::from(130));
    }
    let report = if args.no_report { "none".to_owned() } else { report::write(folder)?.display().to_string() };
    output::print(&format!("run: {}  report: {report}\n", folder.path().display()))?;
    Ok(ExitCode::SUCCESS)
}

fn check_overrides(overrides: &[String], may_change: &[&str]) -> Result<()> {
    let fixed = |setting: &&String| !may_change.contains(&setting.split('=').next().unwrap_or("").trim());
    match overrides.iter().find(fixed) {
        Some(setting) => Err(Error::Config(format!(
            "--set {setting}: a resumed run keeps its config, only {} may change\ntry: a new run with another --name",
            may_change.join(" and ")
        ))),
        None => Ok(()),
    }
}

fn search(args: &Args, config: &Path, column: &Column, folder: Option<Folder>) -> Result<ExitCode> {
    if column.search.is_none() {
        let shown = config.display();
        return Err(Error::Config(format!(
            "{shown} has a table [column] and no [search]: there is nothing to search; try: phylon simulate {shown}"
        )));
    }
    let device = args.device.choose()?;
    let gpu = device.open()?;
    let search = Search::new(column)?;
    let folder = match folder {
        Some(folder) => folder,
        None => {
            let stem = || config.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            search.create(&args.runs_dir, &args.name.clone().unwrap_or_else(stem), args.force)?
        }
    };
    let ended = search.run(&folder, gpu.as_ref(), &options(args, device.description))?;
    finish(args, ended, &folder)
}
