//! SynaptoGen on a device, to the bits of the CPU: profiles assembled, agents grown from them, and how these score.

mod assembly;
mod growth;
mod law;
mod scores;

pub use assembly::{Assembled, assemble};
pub use growth::{Grown, Kept, Sample, grow, grow_of};
pub use scores::{Judged, Scored, scores, scores_of};
