//! Workloads: what is simulated in a generation. Each has an engine per backend.

pub mod single_unit;

use crate::config::Numerics;
use crate::device::Device;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::plan::Plan;

/// The engine that runs `plan` on `device`.
///
/// # Errors
/// When the device cannot be used, or not for this plan.
pub fn open(plan: &Plan, device: &Device) -> Result<Box<dyn Engine>> {
    match device.open()? {
        Some(gpu) => Ok(Box::new(single_unit::GpuEngine::new(plan, gpu)?)),
        None if plan.config.run.numerics == Numerics::Exact => Ok(Box::new(single_unit::CpuEngine::new(plan))),
        None => Err(Error::Config(
            "`run.numerics`: the CPU computes in `exact` only; try: --device cuda, or --set run.numerics=exact".into(),
        )),
    }
}
