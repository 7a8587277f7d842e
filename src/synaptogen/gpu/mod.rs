//! SynaptoGen on a device, to the bits of the CPU: profiles assembled, agents grown from them, how these score, and profiles
//! trained.

mod assembly;
mod growth;
mod law;
mod scores;
mod training;

pub use assembly::{Assembled, assemble};
pub use growth::{Grown, Kept, Sample, grow, grow_of};
pub use scores::{Judged, Scored, scores, scores_of};
pub use training::{Learners, fits, train_all};
