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
}

/// Genes that have a part in the rules of C. elegans.
pub fn genes_with_rules() -> usize {
    CoExpression::of(&Neurons::celegans()).kept().len()
}
