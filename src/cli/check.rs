//! `phylon check`: what a config means, without running it.

use std::path::PathBuf;

use phylon::config;
use phylon::error::Result;
use phylon::plan::Plan;
use phylon::workload::gpu_memory_bytes;
use serde::Serialize;

use super::output;

/// Print what a config means, without running it.
///
/// The full effective config with every default, the sizes that follow from it, the work of a generation and the
/// memory it takes. The text is itself a config: the derived sizes are comments at its end.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon check configs/quickstart.toml
  phylon check configs/enu-iaf.toml --set es.population=65536
  phylon check configs/enu-iaf.toml --json")]
pub struct Args {
    /// The config file.
    file: PathBuf,
    /// Override a key, for example es.population=4096. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Print {config, derived}.
    #[arg(long)]
    json: bool,
}

/// Sizes that follow from a config; work is for one generation.
#[derive(Serialize)]
struct Derived {
    parameters: usize,
    /// Of a network; 0 for a single unit.
    synapses: usize,
    neurons: usize,
    population: usize,
    environments: usize,
    steps: usize,
    env_steps: u64,
    flops: u64,
    memory_bytes: u64,
    gpu_memory_bytes: u64,
}

pub fn run(args: &Args) -> Result<()> {
    let plan = config::load(&args.file, &args.overrides)?;
    let derived = derived(&plan);
    if args.json {
        return output::json(&serde_json::json!({"config": plan.config, "derived": derived}));
    }
    output::print(&format!("{}\n{}", config::to_toml(&plan.config), comments(&derived)))
}

fn derived(plan: &Plan) -> Derived {
    let facts = plan.facts();
    Derived {
        parameters: plan.parameters(),
        synapses: plan.network.as_ref().map_or(0, |network| network.wiring.sources.len()),
        neurons: plan.network.as_ref().map_or(0, |network| network.wiring.neurons),
        population: plan.population,
        environments: plan.environments,
        steps: plan.steps,
        env_steps: facts.env_steps,
        flops: facts.flops,
        memory_bytes: plan.memory_bytes(),
        gpu_memory_bytes: gpu_memory_bytes(plan),
    }
}

fn comments(derived: &Derived) -> String {
    let bytes = |number: u64| scaled(number as f64, 1024.0, &["", "Ki", "Mi", "Gi", "Ti", "Pi"], "B");
    let network = derived.neurons > 0;
    let units = if network { "of the synapses' and the neurons' unit" } else { "of one unit" };
    let rows = [
        ("parameters", grouped(derived.parameters as u64), units),
        ("synapses", grouped(derived.synapses as u64), "of a network"),
        ("neurons", grouped(derived.neurons as u64), "of a network"),
        ("population", grouped(derived.population as u64), "offspring a generation"),
        ("environments", grouped(derived.environments as u64), "episodes of each offspring a generation"),
        ("steps", grouped(derived.steps as u64), "of an episode"),
        ("environment steps", grouped(derived.env_steps), "a generation"),
        ("operations", scaled(derived.flops as f64, 1000.0, &["", "k", "M", "G", "T", "P"], "FLOP"), "a generation"),
        ("memory", bytes(derived.memory_bytes), "in all, on the CPU"),
        ("device memory", bytes(derived.gpu_memory_bytes), "in all, on a CUDA device"),
    ];
    let shown = rows.iter().filter(|(name, ..)| network || !["synapses", "neurons"].contains(name));
    shown.map(|(name, value, note)| format!("# {name:<18}{value:>14}  {note}\n")).collect()
}

/// 1234567 -> 1,234,567
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits and the prefix that keeps the number below `step`.
fn scaled(mut number: f64, step: f64, prefixes: &[&str], unit: &str) -> String {
    let mut rest = prefixes.iter();
    let mut prefix = rest.next().unwrap_or(&"");
    while number >= step {
        let Some(next) = rest.next() else { break };
        number /= step;
        prefix = next;
    }
    let decimals = if prefix.is_empty() || number >= 100.0 { 0 } else { 1 };
    format!("{number:.decimals$} {prefix}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!([0, 999, 1000, 6656, 1_234_567].map(grouped), ["0", "999", "1,000", "6,656", "1,234,567"]);
        let bytes = |n| scaled(n, 1024.0, &["", "Ki", "Mi"], "B");
        assert_eq!([0.0, 1023.0, 1536.0, 209_715_200.0].map(bytes), ["0 B", "1023 B", "1.5 KiB", "200 MiB"]);
        assert_eq!(bytes(1e12), "953674 MiB");
    }
}
