//! The battery: brains judged as an animal would be, task after task.
//!
//! An assay is a small world with a protocol ([`play::Protocol`]), its scores and criteria, the animal's value, controllers by
//! hand that must fail (nulls) and one that must pass (the positive control). A [`play::Controller`] has fixed parameters and a state
//! that a life changes; what it shows must come from that state, which amnesia and shuffled outcomes test. `docs/battery.md`
//! says what a pass means.

pub mod arena;
pub mod assays;
pub mod body;
pub mod chemotaxis;
pub mod conditioning;
pub mod controls;
pub mod cues;
pub mod generalisation;
pub mod gpu;
pub mod gratings;
pub mod judge;
pub mod layer;
pub mod memory;
pub mod overlap;
pub mod plain;
pub mod plate;
pub mod play;
pub mod reversal;
pub mod scores;
pub mod stages;
pub mod step_through;
