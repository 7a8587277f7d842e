//! One run over several processes or devices: who plays which part of a generation, and what they tell each other.
//!
//! Every process, a *rank*, holds the whole state of the run. Of a generation it plays a slice; then all ranks give
//! each other the fitness of their slices, and every rank makes the same update, for which it generates the noise
//! again. So fitness is all that travels, and for any number of slices the bits are those of one process.
//!
//! [`Ranks`] is what the rest of the program sees. [`Comm`] moves its bytes: over MPI (feature `mpi`), or not at all
//! for a process that is alone. [`launcher`] finds out whether a process is one of several.

pub mod launcher;
#[cfg(feature = "mpi")]
mod mpi;
mod ranks;

use std::ops::Range;

pub use ranks::{Ranks, Shares, Traffic};

/// Moves bytes between the ranks of a run. All ranks call the same functions in the same order; a function returns when
/// its bytes are there, and where bytes cannot be moved it ends all ranks.
pub trait Comm {
    /// The number of this rank.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn size(&self) -> usize;

    /// The number of this rank among those of its machine, and how many they are.
    fn local(&self) -> (usize, usize);

    /// The pieces of all ranks, one after the other; `lengths` are their bytes.
    fn all_gather(&self, mine: &[u8], lengths: &[usize]) -> Vec<u8>;

    /// Overwrite `bytes`, of the same length on all ranks, with those of rank `root`.
    fn broadcast(&self, root: usize, bytes: &mut [u8]);
}

/// The players of part `part` of `parts`: slices of `players` in order, whose lengths differ by one at most.
pub fn slice(players: usize, parts: usize, part: usize) -> Range<usize> {
    let start = |part: usize| players * part / parts;
    start(part)..start(part + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_all_players_in_order_and_nearly_alike() {
        for players in 1..40 {
            for parts in 1..=players {
                let slices: Vec<_> = (0..parts).map(|part| slice(players, parts, part)).collect();
                assert!(slices.iter().cloned().flatten().eq(0..players), "{players} {parts}");
                let lengths = slices.iter().map(Range::len);
                assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1, "{players} {parts}");
            }
        }
    }
}
