//! How a unit lies in a block's shared memory in exact mode: twin of kernels/unit/exact.cuh.

use crate::abi::LANES;
use crate::unit::Shape;

/// Sizes of what a block has, in floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tiles {
    /// Columns that a warp computes at once; kernels are compiled for 8, 16 and 32.
    pub(crate) columns: usize,
    /// Weights of a player.
    pub(crate) weights: usize,
    /// State of 32 environments, a warp's.
    pub(crate) window: usize,
}

impl Tiles {
    /// Of a unit of which so many inputs are driven.
    pub(crate) fn of(unit: &Shape, live: usize) -> Self {
        let columns = match unit.memory {
            0..=8 => 8,
            9..=16 => 16,
            _ => 32,
        };
        Self::with_columns(unit, live, columns)
    }

    /// The same with a given number of columns.
    pub(crate) fn with_columns(unit: &Shape, live: usize, columns: usize) -> Self {
        let live_rows = unit.gate_rows() - unit.inputs + live;
        let padded = |width: usize| width.next_multiple_of(columns);
        Self {
            columns,
            weights: unit.gates() * live_rows * padded(unit.memory) + unit.memory * padded(unit.outputs),
            window: (3 * unit.memory + unit.outputs + live) * LANES as usize,
        }
    }
}
