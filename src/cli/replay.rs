//! `phylon replay`: rebuilds the parameters before a generation from the fitness the run has logged.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use phylon::config;
use phylon::engine::State;
use phylon::error::{Error, Result};
use phylon::hash::fnv1a;
use phylon::run::{self, Folder};
use phylon::workload;
use safetensors::tensor::{Dtype, TensorView};

use super::{device, output};

/// Rebuild the parameters before a generation from the fitness log.
///
/// Prints a fingerprint of them. Mutations are a function of seed, generation and offspring, so the fitness vectors
/// are the whole history. Where the checkpoint is of the same generation, both are compared to the last bit; exit code 1 if they differ.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon replay runs/quickstart --generation 0
  phylon replay runs/quickstart --generation 100 --out at-100.safetensors")]
pub struct Args {
    /// The run folder.
    run: PathBuf,
    /// Rebuild the parameters before this generation; the first is 0.
    #[arg(long, value_name = "N")]
    generation: u32,
    /// Also write them to this file, as the tensor `parameters`.
    #[arg(long, value_name = "FILE.safetensors")]
    out: Option<PathBuf>,
    #[command(flatten)]
    device: device::Args,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let folder = Folder::open(&args.run)?;
    let plan = config::load(&folder.config_path(), &[])?;
    let mut engine = workload::open(&plan, &args.device.choose_for(0)?)?;
    let state = run::replay(&plan, engine.as_mut(), &folder, args.generation)?;
    let bytes: &[u8] = bytemuck::cast_slice(&state.centre);
    if let Some(path) = &args.out {
        save(path, bytes, &state)?;
    }
    let checkpoint = folder
        .checkpoint(&plan)
        .inspect_err(|e| tracing::warn!("no checkpoint to compare with: {e}"))
        .ok()
        .filter(|checkpoint| checkpoint.generation == args.generation);
    let equal = checkpoint.map(|checkpoint| same_bits(&state, &checkpoint));
    let verdict = match equal {
        None => "",
        Some(true) => "\nequal to the checkpoint to the last bit",
        Some(false) => "\nNOT equal to the checkpoint",
    };
    output::print(&format!(
        "generation {}  parameters {}  fingerprint {:016x}{verdict}\n",
        args.generation,
        state.centre.len(),
        fnv1a(bytes.iter().copied())
    ))?;
    Ok(if equal == Some(false) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The centre and the optimiser's vectors are the same bits; the best centre is not part of the replay.
fn same_bits(a: &State, b: &State) -> bool {
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let all = |state: &State| {
        let vectors: Vec<_> = state.optimiser.iter().map(|(name, values)| (name.clone(), bits(values))).collect();
        (bits(&state.centre), vectors)
    };
    all(a) == all(b)
}

fn save(path: &Path, bytes: &[u8], state: &State) -> Result<()> {
    let fail = |why: String| Error::Run(format!("cannot write {}: {why}", path.display()));
    let tensor = TensorView::new(Dtype::F32, vec![state.centre.len()], bytes).map_err(|e| fail(e.to_string()))?;
    let notes = [("generation".to_owned(), state.generation.to_string())].into();
    let file = safetensors::serialize([("parameters", tensor)], Some(notes)).map_err(|e| fail(e.to_string()))?;
    std::fs::write(path, file).map_err(|e| Error::io("write", path, e))
}
