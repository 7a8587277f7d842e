//! Workloads: what is simulated in a generation. Each has an engine per backend.

pub mod single_unit;

use crate::config::Numerics;
use crate::device::Device;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::profile::Profile;
use single_unit::{CpuEngine, GpuEngine, Pack};

/// The engine that runs `plan` on `device`.
///
/// # Errors
/// When the device cannot be used, or not for this plan.
pub fn open(plan: &Plan, device: &Device) -> Result<Box<dyn Engine>> {
    match device.open()? {
        Some(gpu) => Ok(Box::new(GpuEngine::new(plan, gpu)?)),
        None => Ok(Box::new(on_cpu(plan)?)),
    }
}

/// What each part of a generation of `plan` takes on `device`, with `trials` of them packed side by side.
///
/// # Errors
/// As [`open`]; and when more than one trial is asked for on the CPU, which does not pack them.
pub fn profile(plan: &Plan, device: &Device, trials: u32) -> Result<Profile> {
    let seeds: Vec<u64> = (0..u64::from(trials)).map(|trial| plan.config.run.seed + trial).collect();
    match device.open()? {
        Some(gpu) => Pack::new(plan, gpu, &seeds)?.profile(&device.description),
        None if trials == 1 => on_cpu(plan)?.profile(plan, &device.description),
        None => Err(Error::Config("--trials: the CPU does not pack trials; try: --trials 1".into())),
    }
}

fn on_cpu(plan: &Plan) -> Result<CpuEngine> {
    if plan.config.run.numerics == Numerics::Exact {
        return Ok(CpuEngine::new(plan));
    }
    Err(Error::Config(
        "`run.numerics`: the CPU computes in `exact` only; try: --device cuda, or --set run.numerics=exact".into(),
    ))
}
