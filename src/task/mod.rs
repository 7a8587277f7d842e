//! Tasks: what a unit is shown and what it is rewarded for.

/// Open-loop episodes, the same for every offspring of a generation: the unit's inputs and the model's answer.
///
/// Environments lie in the lanes: `lanes` is `environments` rounded up to a multiple of [`crate::cpu::LANES`], and
/// the lanes beyond `environments` hold zeros and are never scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Episodes {
    pub environments: usize,
    pub lanes: usize,
    pub steps: usize,
    /// Input channels driven.
    pub channels: usize,
    /// `[step][channel][lane]`.
    pub inputs: Vec<f32>,
    /// What the unit should have answered, `[step][lane]`.
    pub target: Vec<f32>,
}
