//! `phylon check`: what a config means, without running it.

use std::path::PathBuf;

use phylon::column::Background;
use phylon::column::experiment::memory_bytes;
use phylon::config::{self, Column, Search, Subject};
use phylon::error::Result;
use phylon::plan::Plan;
use phylon::workload::gpu_memory_bytes;
use serde::Serialize;

use super::output::{self, grouped};

/// Print what a config means, without running it.
///
/// The full effective config with every default, the sizes that follow from it, the work of a generation or the length of a
/// simulation, and the memory it takes. The text is itself a config: the derived sizes are comments at its end.
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
    match config::read(&args.file, &args.overrides)? {
        Subject::Evolution(plan) => {
            let derived = derived(&plan);
            show(args, &plan.config, &derived, &comments(&derived))
        }
        Subject::Column(column) => {
            let derived = column_derived(&column);
            show(args, &*column, &derived, &column_comments(&derived))
        }
    }
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a, C, D> {
    config: &'a C,
    derived: &'a D,
}

fn show(args: &Args, config: &impl Serialize, derived: &impl Serialize, comments: &str) -> Result<()> {
    if args.json {
        return output::json(&Answer { config, derived });
    }
    output::print(&format!("{}\n{comments}", config::to_toml(config)))
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

/// The same of a cortical column.
#[derive(Serialize)]
struct ColumnDerived {
    neurons: u64,
    /// Those of the thalamus among them.
    synapses: u64,
    /// Mean of a neuron's spikes a second from outside; 0 where they are a current.
    external_rate: f64,
    thalamus_neurons: u32,
    /// The warm-up's among them.
    steps: u64,
    memory_bytes: u64,
    search: Option<SearchDerived>,
}

/// The same of a search of its parameters.
#[derive(Serialize)]
struct SearchDerived {
    parameters: usize,
    /// Candidates of a generation, and their simulations.
    population: u32,
    simulations_each: u64,
    /// That fit into the budget, tests of DDPG not counted.
    generations: u64,
    simulations: u32,
    /// Model time of the search, s.
    model_seconds: f64,
    /// Simulations after the search: finalists, and the test.
    more_simulations: u64,
}

fn search_derived(search: &Search) -> SearchDerived {
    let each = u64::from(search.population()) * u64::from(search.seeds);
    let judged = match search.finalists {
        0 => 2 * search.seeds,
        finalists => (finalists + 1) * search.finalist_seeds,
    };
    SearchDerived {
        parameters: search.parameters(),
        population: search.population(),
        simulations_each: each,
        generations: u64::from(search.simulations) / each,
        simulations: search.simulations,
        model_seconds: 1e-3 * f64::from(search.simulations) * (search.warm_up + search.counted),
        more_simulations: u64::from(judged) + 3 * u64::from(search.held_out),
    }
}

fn column_derived(config: &Column) -> ColumnDerived {
    let Column { column, thalamus, simulation, .. } = config;
    let derived = column.derive();
    let neurons = derived.total_neurons();
    let of_all = |(rate, &neurons): (&f64, &u32)| rate * f64::from(neurons);
    let outside = derived.external_rate.iter().zip(&derived.neurons).map(of_all).sum::<f64>() / neurons as f64;
    let relayed: u64 = thalamus.iter().flat_map(|thalamus| thalamus.synapses(column)).sum();
    ColumnDerived {
        neurons,
        synapses: derived.total_synapses() + relayed,
        external_rate: if column.background == Background::Poisson { outside } else { 0.0 },
        thalamus_neurons: thalamus.as_ref().map_or(0, |thalamus| thalamus.scaled_neurons(column)),
        steps: u64::from(simulation.warm_up_steps()) + u64::from(simulation.recorded_steps()),
        memory_bytes: memory_bytes(&derived),
        search: config.search.as_ref().map(search_derived),
    }
}

fn column_comments(derived: &ColumnDerived) -> String {
    let rows = [
        ("neurons", grouped(derived.neurons), "of the column"),
        ("synapses", grouped(derived.synapses), "between them, and from the thalamus"),
        ("from outside", format!("{:.0} Hz", derived.external_rate), "spikes that a neuron gets, on average"),
        ("thalamus", grouped(u64::from(derived.thalamus_neurons)), "relay neurons"),
        ("steps", grouped(derived.steps), "of 0.1 ms, with the warm-up"),
        ("memory", bytes(derived.memory_bytes), "of a column while its synapses are drawn"),
    ];
    let search = derived.search.as_ref().map(|search| {
        let each = grouped(search.simulations_each);
        [
            ("parameters", grouped(search.parameters as u64), "that are searched"),
            ("candidates", grouped(search.population.into()), "of a generation"),
            ("simulations", each, "of a generation: each candidate with every seed"),
            ("generations", grouped(search.generations), "that the budget holds"),
            ("budget", grouped(search.simulations.into()), "simulations"),
            ("model time", format!("{:.0} s", search.model_seconds), "of the budget"),
            ("and then", grouped(search.more_simulations), "simulations of the best and the centre, and of the test"),
        ]
    });
    lines(rows.into_iter().chain(search.into_iter().flatten()))
}

fn bytes(number: u64) -> String {
    scaled(number as f64, 1024.0, &["", "Ki", "Mi", "Gi", "Ti", "Pi"], "B")
}

/// A comment for each name, value and note.
fn lines(rows: impl Iterator<Item = (&'static str, String, &'static str)>) -> String {
    rows.map(|(name, value, note)| format!("# {name:<18}{value:>14}  {note}\n")).collect()
}

fn comments(derived: &Derived) -> String {
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
    lines(rows.into_iter().filter(|(name, ..)| network || !["synapses", "neurons"].contains(name)))
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
