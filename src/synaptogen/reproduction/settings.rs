//! What a user says of a reproduction.

use serde::{Deserialize, Serialize};

use crate::synaptogen::rules::{CoExpression, Neurons};

/// What decides the bits of a reproduction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the world.
    pub env: String,
    /// Genes of a profile.
    pub genes: usize,
    /// Whether rules come from the nerve ring of C. elegans.
    pub rules_from_data: bool,
    /// Environment steps of each training and each search.
    pub steps: u32,
    /// Of the first training; the others have the two seeds that follow. All else is drawn with it.
    pub seed: u64,
    /// Few of everything, so that all of it can be seen to work within seconds: a training for each rate, one search, and a fifth
    /// of the agents or less. Nothing to hold against the paper.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
}

/// Genes that have a part in the rules of C. elegans.
pub fn genes_with_rules() -> usize {
    CoExpression::of(&Neurons::celegans()).kept().len()
}
