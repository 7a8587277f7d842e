//! SynaptoGen (Boccato et al. 2024): genes and their rules determine how many synapses neurons make and how well these conduct.
//!
//! A profile holds the raw parameters of a layered network; its maps give expression `E`, rules `P`, neurotransmitters `Q`,
//! receptors `R` and conductances `C`. For each pair of layers
//!
//! ```text
//! N = E_pre P E_post^T        mean number of synapses          (equation 7)
//! G = Q_pre C R_post^T        mean conductance of one of them  (equation 10)
//! W = N * G                   mean weight, elementwise         (equation 11)
//! ```
//!
//! An agent is grown by drawing the numbers: [`growth`]. Profiles are found by [`dqn`] or by [`search`].

pub mod agents;
pub mod assembly;
pub mod dqn;
pub mod evaluation;
pub mod file;
pub mod fitness;
pub mod gpu;
pub mod gradient;
pub mod graph;
pub mod growth;
pub mod lineage;
pub mod network;
pub mod profile;
pub mod reproduction;
pub mod rules;
pub mod search;
pub mod shape;

pub use agents::Agents;
pub use assembly::Assembly;
pub use profile::{Profile, RuleMap};
pub use shape::{Layout, Shape};
