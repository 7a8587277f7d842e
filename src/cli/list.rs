//! `phylon list`: what a config can choose from, read from the registry, and the devices of this machine.

use clap::ValueEnum;
use phylon::battery::assays::{ASSAYS, Assay};
use phylon::device::Device;
use phylon::error::Result;
use phylon::gpu::{self, DeviceFacts};
use phylon::registry::{self, WorldKind};

use phylon::world::{Actions, Spec};

use super::output;

/// List the units, tasks, optimisers, worlds, assays or devices there are.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon list units
  phylon list rules
  phylon list tasks --json
  phylon list worlds
  phylon list assays
  phylon list devices")]
pub struct Args {
    /// What to list. A name is used in a config as a table: [unit.<name>], [network.rule.<name>], [task.<name>], [<optimiser>]; a world with
    /// `phylon rollout --env`, an assay with `phylon battery --assay`, a device with --device.
    what: What,
    /// Print JSON: an array of {name, summary}, for worlds and assays with what else is known of them; for devices an object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Units,
    Rules,
    Tasks,
    Optimisers,
    Worlds,
    Assays,
    Devices,
}

pub fn run(args: &Args) -> Result<()> {
    let entries = match args.what {
        What::Units => registry::UNITS,
        What::Rules => registry::RULES,
        What::Tasks => registry::TASKS,
        What::Optimisers => registry::OPTIMISERS,
        What::Worlds => return worlds(args.json),
        What::Assays => return assays(args.json),
        What::Devices => return devices(args.json),
    };
    if args.json {
        let rows: Vec<_> = entries.iter().map(|e| serde_json::json!({"name": e.name, "summary": e.summary})).collect();
        return output::json(&rows);
    }
    let width = entries.iter().map(|e| e.name.len()).max().unwrap_or(0);
    output::print(&entries.iter().map(|e| format!("{:width$}  {}\n", e.name, e.summary)).collect::<String>())
}

fn worlds(json: bool) -> Result<()> {
    let specs: Vec<_> = WorldKind::ALL.iter().map(|kind| kind.spec()).collect();
    if json {
        return output::json(&specs);
    }
    let width = specs.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    let mut text = format!(
        "{:width$}  {:16}{:>12}  {:14}{:>6}{:>8}  {}\n",
        "name", "Gymnasium's id", "observations", "actions", "limit", "solved", "what it is"
    );
    for Spec { name, gymnasium, summary, observations, actions, limit, threshold, .. } in specs {
        let actions = match actions {
            Actions::Discrete(count) => format!("one of {count}"),
            Actions::Continuous(count) => format!("{count} in [-1, 1]"),
        };
        let solved = threshold.map_or("-".into(), |threshold| threshold.to_string());
        text +=
            &format!("{name:width$}  {gymnasium:16}{observations:>12}  {actions:14}{limit:>6}{solved:>8}  {summary}\n");
    }
    output::print(&text)
}

fn assays(json: bool) -> Result<()> {
    if json {
        let row = |assay: &&Assay| {
            let Assay { name, letter, title, stage, game, .. } = assay;
            serde_json::json!({
                "name": name, "letter": letter, "summary": title, "stage": stage, "variant": assay.variant,
                "inputs": assay.channels(), "outputs": game.motors.len(), "senses": game.senses, "motors": game.motors,
            })
        };
        return output::json(&ASSAYS.iter().map(row).collect::<Vec<_>>());
    }
    let mut text = format!("{:12}     {:>8}{:>9}  {}\n", "name", "inputs", "outputs", "what it asks");
    for assay in ASSAYS {
        let Assay { name, letter, title, game, .. } = assay;
        let [inputs, outputs] = if assay.is_for_animals() {
            [assay.channels(), game.motors.len()].map(|size| size.to_string())
        } else {
            ["-", "-"].map(str::to_owned)
        };
        text += &format!("{name:12}  {letter}  {inputs:>8}{outputs:>9}  {title}\n");
    }
    output::print(&text)
}

/// What `phylon list devices --json` prints.
#[derive(serde::Serialize)]
struct Devices {
    cpu: String,
    cuda: Vec<DeviceFacts>,
    /// Why there is none in `cuda`.
    cuda_unavailable: Option<String>,
    /// Targets that the embedded kernels were compiled for.
    kernels: Vec<&'static str>,
}

fn devices(json: bool) -> Result<()> {
    let (cuda, cuda_unavailable) = match gpu::devices() {
        Ok(devices) => (devices, None),
        Err(why) => (Vec::new(), Some(why.to_string())),
    };
    let kernels = gpu::TARGETS.split_whitespace().collect();
    let devices = Devices { cpu: Device::cpu().description, cuda, cuda_unavailable, kernels };
    if json {
        return output::json(&devices);
    }
    let mut text = format!("cpu      {}\n", devices.cpu.trim_start_matches("cpu, "));
    for DeviceFacts { ordinal, name, capability: (major, minor), memory, driver } in &devices.cuda {
        let (memory, driver) = (memory >> 30, format!("{}.{}", driver / 1000, driver % 1000 / 10));
        text += &format!("cuda:{ordinal}   {name}, sm_{major}{minor}, {memory} GiB, driver for CUDA {driver}\n");
    }
    if let Some(why) = &devices.cuda_unavailable {
        text += &format!("cuda     not available: {why}\n");
    }
    text += &match devices.kernels.as_slice() {
        [] => format!("kernels  none: {}\n", gpu::WHY_NO_KERNELS),
        targets => format!("kernels  {}\n", targets.join(" ")),
    };
    output::print(&text)
}
