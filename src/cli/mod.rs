//! One file a command: its arguments with their help, and what it does. Results go to stdout, all else to stderr.

mod battery;
mod bench;
mod check;
mod compare;
mod completions;
mod device;
mod eval;
mod export;
mod grow;
mod list;
mod output;
mod probe;
mod profile;
mod render;
mod replay;
mod report;
mod reproduce;
mod rollout;
mod run;
mod simulate;
mod sweep;

use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};
use phylon::error::{Error, Result};
use tracing::Level;

/// Evolve, grow and simulate small brains, and judge what they do.
///
/// A config file says what is evolved or simulated, on which task and how; a run leaves a folder with its effective config,
/// metrics, checkpoints and a report with figures.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES, after_long_help = EXAMPLES_AND_EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Worker threads [default: one for every core]. The results do not depend on it.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Logs on stderr: -v what happens, -vv details.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

const EXAMPLES: &str = "\
Examples:
  phylon run configs/quickstart.toml      evolve, then open runs/quickstart/report.html
  phylon check configs/quickstart.toml    what would be run, and what it takes
  phylon list units                       what there is to choose from";

const EXAMPLES_AND_EXIT_CODES: &str = "\
Examples:
  phylon run configs/quickstart.toml      evolve, then open runs/quickstart/report.html
  phylon check configs/quickstart.toml    what would be run, and what it takes
  phylon list units                       what there is to choose from

Exit codes:
  0  done
  1  the run failed
  2  wrong usage or config
  3  the device cannot be used
  130  interrupted; the run can be resumed";

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Sweep(sweep::Args),
    Check(check::Args),
    List(list::Args),
    Eval(eval::Args),
    Report(report::Args),
    Compare(compare::Args),
    Render(render::Args),
    Replay(replay::Args),
    Export(export::Args),
    Rollout(rollout::Args),
    Grow(grow::Args),
    Reproduce(reproduce::Args),
    Simulate(simulate::Args),
    Battery(battery::Args),
    Profile(profile::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

/// Parses the arguments and does what they say.
///
/// Wrong usage does not come back: clap prints it and leaves with code 2.
pub fn run() -> Result<ExitCode> {
    let cli = Cli::parse();
    // Of the ranks of a run the first speaks for all.
    let follows = matches!(&cli.command, Command::Run(args) if args.follows());
    log(if follows { 0 } else { cli.verbose });
    if let Some(threads) = cli.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .build_global()
            .map_err(|e| Error::Run(format!("cannot start {threads} threads: {e}")))?;
    }
    match cli.command {
        Command::Run(args) => return run::run(&args),
        Command::Sweep(args) => return sweep::run(&args),
        Command::Check(args) => check::run(&args),
        Command::List(args) => list::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Profile(args) => profile::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Rollout(args) => rollout::run(&args),
        Command::Grow(args) => grow::run(&args),
        Command::Reproduce(args) => return reproduce::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Battery(args) => battery::run(&args),
        Command::Replay(args) => return replay::run(&args),
        Command::Completions(args) => completions::run(&args),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn log(verbose: u8) {
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
}
