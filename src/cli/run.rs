//! `phylon run`: evolve what a config says, or go on with a run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use phylon::config;
use phylon::device::Device;
use phylon::engine::Engine;
use phylon::error::{Error, Result};
use phylon::plan::Plan;
use phylon::run::{self, Ended, Folder, MAY_CHANGE, Options};
use phylon::{report, workload};

use super::{device, output};

/// Evolve what a config says, or go on with an interrupted run.
///
/// Writes the run folder: config.toml (the effective config), metrics.csv, fitness.f32, checkpoint.safetensors and
/// report.html. Ctrl-C writes a checkpoint and leaves; `--resume` goes on from there to the same bits as if nothing
/// had happened.
#[derive(clap::Args)]
#[command(
    override_usage = "phylon run [OPTIONS] <CONFIG>\n       phylon run [OPTIONS] --resume <RUN>",
    after_help = "\
Examples:
  phylon run configs/quickstart.toml
  phylon run configs/enu-iaf.toml --set es.population=4096 --set run.seed=7 --name seed-7
  phylon run --resume runs/seed-7
  phylon run --resume runs/seed-7 --set run.generations=6000"
)]
pub struct Args {
    /// The config file.
    #[arg(required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Go on with the run in this folder; --set may change run.generations and run.checkpoint_every.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "runs_dir", "name", "force"])]
    resume: Option<PathBuf>,
    /// Override a key, for example es.population=4096. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Folder of the run folders.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs_dir: PathBuf,
    /// Name of the run folder, instead of run.name of the config.
    #[arg(long)]
    name: Option<String>,
    /// Remove an existing run of that name first.
    #[arg(long)]
    force: bool,
    /// No progress on stderr.
    #[arg(short, long)]
    quiet: bool,
    /// Do not draw report.html at the end.
    #[arg(long)]
    no_report: bool,
    #[command(flatten)]
    device: device::Args,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let device = args.device.choose()?;
    let (plan, mut engine, folder) = match &args.resume {
        Some(path) => resume(path, &args.overrides, &device)?,
        None => start(args, &device)?,
    };
    let options = Options { quiet: args.quiet, device: device.description };
    if run::evolve(&plan, engine.as_mut(), &folder, &options)? == Ended::Interrupted {
        return Ok(ExitCode::from(130));
    }
    let report = if args.no_report { "none".to_owned() } else { report::write(&folder)?.display().to_string() };
    output::print(&format!("run: {}  report: {report}\n", folder.path().display()))?;
    Ok(ExitCode::SUCCESS)
}

type Ready = (Plan, Box<dyn Engine>, Folder);

fn start(args: &Args, device: &Device) -> Result<Ready> {
    // clap has seen to it that there is a config where there is no run to resume.
    let mut plan = config::load(args.config.as_deref().unwrap_or(Path::new("")), &args.overrides)?;
    if let Some(name) = &args.name {
        let mut config = plan.config;
        config.run.name.clone_from(name);
        plan = Plan::new(config).map_err(|invalid| Error::Config(format!("--name {name}: {}", invalid.message)))?;
    }
    // The engine first: a config it cannot open leaves no folder, and `--force` removes nothing.
    let engine = workload::open(&plan, device)?;
    let folder = Folder::create(&args.runs_dir, &plan, args.force)?;
    Ok((plan, engine, folder))
}

fn resume(path: &Path, overrides: &[String], device: &Device) -> Result<Ready> {
    let folder = Folder::open(path)?;
    let fixed = |setting: &&String| !MAY_CHANGE.contains(&setting.split('=').next().unwrap_or("").trim());
    if let Some(setting) = overrides.iter().find(fixed) {
        return Err(Error::Config(format!(
            "--set {setting}: a resumed run keeps its config, only {} may change\ntry: a new run with another --name",
            MAY_CHANGE.join(" and ")
        )));
    }
    let plan = config::load(&folder.config_path(), overrides)?;
    let mut engine = workload::open(&plan, device)?;
    run::resume(&plan, engine.as_mut(), &folder)?;
    Ok((plan, engine, folder))
}
