//! `phylon profile`: what each kernel of a config takes, against what the device can do.

use std::fmt::Write as _;
use std::path::PathBuf;

use phylon::config;
use phylon::error::Result;
use phylon::profile::{Ceilings, Part, Profile};
use phylon::workload;

use super::{device, output};

/// Time the parts of a config's generation.
///
/// On a CUDA device every kernel is timed by itself with device events (median of many calls), on the CPU every step with
/// the wall clock. The last columns hold the rates against ceilings measured in the same run: a copy, a chain of f32
/// multiply-adds (on the CPU a small matrix product), tensor-core products, and hardware tanh.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon profile configs/enu-iaf-paper.toml
  phylon profile configs/enu-iaf-paper.toml --device cuda --trials 30 --set run.numerics=fast --json")]
pub struct Args {
    /// The config file.
    config: PathBuf,
    /// Override a key, for example es.population=4096. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Seeds run side by side in the same launches (CUDA).
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    trials: u32,
    /// Print JSON; times in seconds, rates per second.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: device::Args,
}

pub fn run(args: &Args) -> Result<()> {
    let plan = config::load(&args.config, &args.overrides)?;
    let device = args.device.choose()?;
    let ceilings = Ceilings::of(device.open()?.as_ref())?;
    let profile = workload::profile(&plan, &device, args.trials, &ceilings)?;
    if args.json { output::json(&profile) } else { output::print(&table(&profile)) }
}

fn table(profile: &Profile) -> String {
    let Profile { device, numerics, trials, population, ceilings, parts, .. } = profile;
    let mut text = format!("{device}\npopulation {population}, trials {trials}, {numerics}\n\nceilings: ");
    let _ = write!(text, "copy {}B/s, f32 {}FLOP/s", output::si(ceilings.copy_bytes), output::si(ceilings.f32_flops));
    for (name, unit, rate) in [("tensor", "FLOP/s", ceilings.tensor_flops), ("functions", "/s", ceilings.functions)] {
        if let Some(rate) = rate {
            let _ = write!(text, ", {name} {}{unit}", output::si(rate));
        }
    }
    let width = parts.iter().map(|part| part.name.len()).max().unwrap_or(0).max(6);
    let _ = write!(
        text,
        "\n\n{:width$}  {:>6}  {:>10}  {:>6}  {:>9}  {:>9}  of ceiling\n",
        "kernel", "calls", "time", "share", "FLOP/s", "B/s"
    );
    for Part { name, calls, seconds, share, flops, bytes, of_ceiling, ceiling } in parts {
        let _ = writeln!(
            text,
            "{name:width$}  {calls:6.3}  {:>8}s  {:5.1}%  {:>9}  {:>9}  {:5.1}% {ceiling}",
            output::si(*seconds),
            100.0 * share,
            output::si(*flops),
            output::si(*bytes),
            100.0 * of_ceiling
        );
    }
    let _ = write!(text, "\na generation of one trial: {}s", output::si(profile.generation_seconds));
    if let Some(idle) = profile.idle_seconds {
        let _ = write!(text, ", of which the device idles {}s", output::si(idle));
    }
    let _ = writeln!(text, "; {}env-steps/s", output::si(profile.env_steps_per_second));
    text
}
