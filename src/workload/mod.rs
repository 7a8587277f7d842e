//! Workloads: what is simulated in a generation. Each has an engine per backend.

pub mod single_unit;

use crate::engine::Engine;
use crate::plan::Plan;

/// The engine that runs `plan` on this machine.
pub fn open(plan: &Plan) -> Box<dyn Engine> {
    Box::new(single_unit::SingleUnitEngine::new(plan))
}
