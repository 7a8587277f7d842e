//! `phylon sweep`: a config with several values of its keys, or values drawn from ranges, each with several seeds.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;

use phylon::error::{Error, Result};
use phylon::report;
use phylon::run::Ended;
use phylon::sweep::table::text;
use phylon::sweep::{Folder, Options, Request, Shard, Summary, Sweep};
use serde::Serialize;

use super::{device, output};

/// Run a config with every combination of the values given for its keys, with several seeds.
///
/// A key with several values is an axis, a key with one is overridden as in `phylon run`; lists keep their brackets
/// (`--set 'network.edges=[...],[...]'`). With `--range` and `--random` values are drawn: the same for every machine. All cells
/// are checked before the first runs.
///
/// Each run is an ordinary run folder, cells/NUMBER-VALUES-seed-S in the folder of the sweep, which also holds sweep.toml (what
/// decides the cells), sweep.csv (a row a run), summary.csv (a row a cell) and report.html. The same command goes on wherever
/// it was stopped, by Ctrl-C or worse; more --seeds and more --random only add runs. Several processes may work in one folder,
/// with --shard or without. On a CUDA device the seeds of a cell run side by side, to the same bits.
///
/// A config with the tables [column] and [search] is swept too; a run's fitness is minus the error with held-out seeds.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon sweep configs/enu-iaf.toml --set es.population=64,256,1024 --set es.sigma=0.01,0.03 --seeds 5
  phylon sweep configs/enu-iaf.toml --range es.sigma=0.001..0.1 --range unit.enu.memory=4..32 --random 20
  phylon sweep configs/enu-iaf.toml --set es.population=64,256 --dry-run
  phylon sweep configs/enu-iaf.toml --set es.population=64,256 --seeds 20 --shard 2/8     the second of eight jobs
  phylon report runs/enu-iaf-sweep                       tables and report again
  phylon compare runs/enu-iaf-sweep                      tests whether its cells differ")]
pub struct Args {
    /// The config file.
    config: PathBuf,
    /// Values of a key, for example es.population=64,256; a single one is an override. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE[,VALUE...]")]
    settings: Vec<String>,
    /// A key and the range that its values are drawn from. By its logarithm if both ends are positive and more than a factor
    /// of ten apart, otherwise uniformly; log: or linear: before the ends says which. Whole numbers if both ends are. May be
    /// repeated.
    #[arg(long = "range", value_name = "KEY=LOW..HIGH", requires = "random")]
    ranges: Vec<String>,
    /// Draws from the ranges, for each combination of the axes.
    #[arg(long, value_name = "N", requires = "ranges")]
    random: Option<NonZeroU32>,
    /// Seed of the draws.
    #[arg(long, value_name = "S", default_value_t = 1)]
    sweep_seed: u64,
    /// Runs of each cell, with run.seed and the seeds that follow.
    #[arg(long, value_name = "N", default_value = "1")]
    seeds: NonZeroU32,
    /// Do every N-th run, from the I-th on, and leave the others to other processes.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Shard,
    /// Fresh episodes that centres are judged on [default: those of phylon eval].
    #[arg(long, value_name = "N")]
    episodes: Option<NonZeroUsize>,
    /// Print the cells, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Try runs that failed again.
    #[arg(long)]
    retry: bool,
    /// Folder of the folders of sweeps.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs_dir: PathBuf,
    /// Name of the sweep's folder [default: run.name of the config, or of a search the config file's, and -sweep].
    #[arg(long)]
    name: Option<String>,
    /// Remove an existing sweep of that name first.
    #[arg(long)]
    force: bool,
    /// No progress on stderr.
    #[arg(short, long)]
    quiet: bool,
    /// Do not draw report.html.
    #[arg(long)]
    no_report: bool,
    /// Also write the curves of each run for TensorBoard while it goes on: tensorboard --logdir RUNS/SWEEP shows a line a run.
    #[arg(long)]
    tensorboard: bool,
    /// Print one object with the folder and a summary of each cell.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: device::Args,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    sweep: String,
    keys: Vec<&'a str>,
    cells: &'a [Summary],
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let sweep = Sweep::new(&Request {
        config: args.config.clone(),
        text: None,
        settings: args.settings.clone(),
        ranges: args.ranges.clone(),
        draws: args.random.map_or(0, NonZeroU32::get),
        draw_seed: args.sweep_seed,
        seeds: args.seeds.get(),
        episodes: args.episodes.map(NonZeroUsize::get),
    })?;
    if args.dry_run {
        return dry_run(args, &sweep);
    }
    let device = args.device.choose()?;
    sweep.check_device(&device)?;
    let name = args.name.as_deref().unwrap_or(sweep.name());
    let folder = Folder::named(&args.runs_dir, name, sweep.spec().clone(), args.force)?;
    let options = Options {
        quiet: args.quiet,
        retry: args.retry,
        shard: args.shard,
        report: !args.no_report,
        tensorboard: args.tensorboard,
    };
    let ended = sweep.run(&folder, &device, &options)?;
    let summaries = folder.write_tables()?;
    let report = if args.no_report { "none".to_owned() } else { report::sweep::write(&folder)?.display().to_string() };
    if ended == Ended::Interrupted {
        return Ok(ExitCode::from(130));
    }
    let (keys, shown) = (folder.spec().keys(), folder.path().display());
    if args.json {
        output::json(&Answer { sweep: shown.to_string(), keys, cells: &summaries })?;
    } else {
        let table = text(&keys, &summaries, &|_| None);
        output::print(&format!("{table}sweep: {shown}  report: {report}\n"))?;
    }
    let failed: usize = summaries.iter().map(|summary| summary.failed).sum();
    if failed > 0 {
        return Err(Error::Run(format!(
            "{failed} of the runs in {shown} failed: sweep.csv has their messages; try: other values, or --retry to try them \
             again"
        )));
    }
    Ok(ExitCode::SUCCESS)
}

fn dry_run(args: &Args, sweep: &Sweep) -> Result<ExitCode> {
    let (keys, seeds) = (sweep.spec().keys(), args.seeds.get() as usize);
    let summaries = sweep.planned_summaries();
    if args.json {
        output::json(&Answer { sweep: "none".into(), keys, cells: &summaries })?;
    } else {
        let (cells, runs) = (summaries.len(), summaries.len() * seeds);
        output::print(&format!("{}{cells} cells, {runs} runs\n", text(&keys, &summaries, &|_| None)))?;
    }
    Ok(ExitCode::SUCCESS)
}
