//! `phylon export`: what was evolved, and how, in files of other programs.

use std::path::PathBuf;

use clap::ValueEnum;
use phylon::config::{self, Subject};
use phylon::error::{Error, Result};
use phylon::export::{self, Export, Format};
use phylon::policy::Mlp;
use phylon::registry::WorldKind;
use phylon::run::Folder;
use phylon::sweep;
use serde::Serialize;

use super::eval::Which;
use super::output;

/// Write what a run has evolved, or a policy, for other programs, and print the paths.
///
/// npz, csv and safetensors hold the matrices of the equations (ENU, NFENU and GRU: Wz, Wr, Wc, Wo; LSTM: Wi, Wf, Wg, Wy, Wo), whose
/// rows are memory, fed-back outputs, inputs. Those of a network begin with synapse_ and neuron_, or with shared_ where both have
/// one chromosome. `about` is a JSON text with all sizes and who reads whom.
///
/// onnx is one step of a unit: inputs x [batch, inputs] and state, which is zero at first; outputs y [batch, outputs] and new_state.
/// A network's synapses and neurons have a file each, without the noise of their outputs. A policy has the input observations, and the outputs outputs and action.
///
/// tensorboard writes the curves of a run, a search, or all finished runs of a sweep into their folders, for
/// tensorboard --logdir. `phylon run --tensorboard` does so while a run goes on; here the times of points are estimates.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon export runs/quickstart --to npz                          numpy.load(\"runs/quickstart/parameters.npz\")[\"Wz\"]
  phylon export runs/quickstart --to onnx --which last
  phylon export runs/enu-tmaze --to onnx --out maze.onnx          maze-synapse.onnx and maze-neuron.onnx
  phylon export policy.npz --env cartpole --to onnx               policy.onnx
  phylon export runs/quickstart --to tensorboard")]
pub struct Args {
    /// The run folder, or a policy's file.
    run: PathBuf,
    /// What to write.
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: To,
    /// The file, replacing an older one [default: parameters.FORMAT in the run folder; of a policy, its name with the other ending].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The best centre of the run, or that of its last checkpoint [default: best, or last if there is no best yet].
    #[arg(long, value_enum)]
    which: Option<Which>,
    /// The world of a policy: a name of `phylon list worlds`, or an id of Gymnasium.
    #[arg(long, value_name = "WORLD")]
    env: Option<String>,
    /// Print one object with the paths, and whose parameters they hold.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum To {
    Npz,
    Csv,
    Safetensors,
    Onnx,
    Tensorboard,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer {
    files: Vec<PathBuf>,
    /// Null for a policy, and for curves.
    which: Option<Which>,
    /// Generations that led to the parameters.
    generation: Option<u32>,
}

pub fn run(args: &Args) -> Result<()> {
    let format = match args.to {
        To::Npz => Format::Npz,
        To::Csv => Format::Csv,
        To::Safetensors => Format::Safetensors,
        To::Onnx => Format::Onnx,
        To::Tensorboard => return args.print(curves(args)?, None),
    };
    if args.run.is_file() {
        return policy(args, format);
    }
    if args.env.is_some() {
        return Err(args.refuse("is not the file of a policy, so --env says nothing of it", "without --env"));
    }
    if sweep::Folder::is_at(&args.run) {
        let one = args.run.join("cells").join("...");
        let why = "is the folder of a sweep";
        return Err(
            args.refuse(why, &format!("one of its runs, {}, or --to tensorboard for the curves of all", one.display()))
        );
    }
    let folder = Folder::open(&args.run)?;
    let Subject::Evolution(plan) = config::read(&folder.config_path(), &[])? else {
        let answer = args.run.join("best.toml");
        let why = "is of a column, which has no units whose parameters could be written; the answer of a search is its best.toml";
        return Err(
            args.refuse(why, &format!("phylon simulate {}, or --to tensorboard for its curves", answer.display()))
        );
    };
    if plan.rule().is_some() && format == Format::Onnx {
        return Err(args.refuse("is of a network whose synapses follow a rule, of which there is no model", "--to npz"));
    }
    let out = args.path(format, || args.run.join(format!("parameters.{}", format.ending())))?;
    let (which, generation, parameters) = Which::choose(args.which, folder.checkpoint(&plan)?, &args.run, &plan)?;
    let files = Export::of_run(&plan, which.name(), generation, &parameters).write(format, &out)?;
    args.print(files, Some((which, generation)))
}

fn policy(args: &Args, format: Format) -> Result<()> {
    if args.which.is_some() {
        return Err(args.refuse("is one policy, so --which says nothing of it", "without --which"));
    }
    let Some(world) = &args.env else {
        let why = "is a policy, and what its matrices and actions are, its world says";
        return Err(args.refuse(why, "--env and a name of `phylon list worlds`"));
    };
    let world = WorldKind::named(world)?.spec();
    let policy = Mlp::read(&args.run, world)?;
    let out = args.path(format, || args.run.with_extension(format.ending()))?;
    if out == args.run {
        return Err(args.refuse("would be written onto itself", "--out and another file"));
    }
    args.print(Export::of_policy(&policy, world).write(format, &out)?, None)
}

fn curves(args: &Args) -> Result<Vec<PathBuf>> {
    for (given, name) in [(args.out.is_some(), "out"), (args.which.is_some(), "which"), (args.env.is_some(), "env")] {
        if given {
            return Err(Error::Config(format!(
                "--{name} and --to tensorboard: curves are of a whole run and are written into its folder; try: without --{name}"
            )));
        }
    }
    if !sweep::Folder::is_at(&args.run) {
        return Ok(vec![export::tensorboard(&Folder::open(&args.run)?)?]);
    }
    let finished = sweep::Folder::open(&args.run)?.finished()?;
    finished.iter().map(|path| export::tensorboard(&Folder::open(path)?)).collect()
}

impl Args {
    /// The file to write.
    fn path(&self, format: Format, default: impl Fn() -> PathBuf) -> Result<PathBuf> {
        let Some(path) = &self.out else { return Ok(default()) };
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(format.ending())) {
            return Ok(path.clone());
        }
        let (shown, other) = (path.display(), path.with_extension(format.ending()));
        Err(Error::Config(format!(
            "cannot write {shown}: what is written is known by its ending; try: --out {}, or another --to",
            other.display()
        )))
    }

    fn refuse(&self, why: &str, advice: &str) -> Error {
        Error::Config(format!("cannot export {}: it {why}; try: {advice}", self.run.display()))
    }

    fn print(&self, files: Vec<PathBuf>, whose: Option<(Which, u32)>) -> Result<()> {
        let (which, generation) = whose.unzip();
        if self.json {
            return output::json(&Answer { files, which, generation });
        }
        let paths: String = files.iter().map(|path| format!("{}\n", path.display())).collect();
        let whose = whose.map_or(String::new(), |(which, generation)| {
            format!("{} centre (after {generation} generations)\n", which.name())
        });
        output::print(&(paths + &whose))
    }
}
