//! `phylon list`: what a config can choose from, read from the registry.

use clap::ValueEnum;
use phylon::error::Result;
use phylon::registry;

use super::output;

/// List the units, tasks or optimisers there are.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon list units
  phylon list tasks --json")]
pub struct Args {
    /// What to list. A name is used in a config as a table: [unit.<name>], [task.<name>], [<optimiser>].
    what: What,
    /// Print an array of {name, summary}.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Units,
    Tasks,
    Optimisers,
}

pub fn run(args: &Args) -> Result<()> {
    let entries = match args.what {
        What::Units => registry::UNITS,
        What::Tasks => registry::TASKS,
        What::Optimisers => registry::OPTIMISERS,
    };
    if args.json {
        let rows: Vec<_> = entries.iter().map(|e| serde_json::json!({"name": e.name, "summary": e.summary})).collect();
        return output::json(&rows);
    }
    let width = entries.iter().map(|e| e.name.len()).max().unwrap_or(0);
    output::print(&entries.iter().map(|e| format!("{:width$}  {}\n", e.name, e.summary)).collect::<String>())
}
