//! Animals by hand: those that must fail an assay (nulls), and for each assay one that must pass (the positive control).
//!
//! A null that passes, or a control that fails, would mean that an assay measures something else than its name says. Some nulls
//! do well in a usual score of the field, which is why criteria are not that score: see each of them.

pub mod choices;
pub mod maze;
pub mod replay;
pub mod worm;

use crate::rng::unit_uniform;

use super::play::Behaviour;

/// Outputs that are all drawn anew in each control step, from [0, 1): the animal that senses nothing.
#[derive(Debug, Clone, Copy)]
pub struct Random;

impl Behaviour for Random {
    fn act(&mut self, _: &[f32], _: i32, chance: [u32; 4]) -> [f32; 4] {
        chance.map(unit_uniform)
    }
}
