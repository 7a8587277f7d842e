//! Synapses in rows, a row for each source: sorted by delay, so that what arrives at one step lies side by side.
//!
//! No ring of future inputs is kept. A spike stays listed for the longest delay, and in every step the piece of its row whose
//! delay has passed is added to the inputs of that step.

use super::delay::LONGEST;
use crate::cpu::prefetch;
use crate::error::{Error, Result};

/// A synapse of a row; its delay follows from its place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Synapse<W> {
    /// Lane of the target neuron, in its part.
    pub target: u32,
    /// In units of the network, or pA.
    pub weight: W,
}

/// The synapses from one population onto one part of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<W> {
    /// Where each source's row begins, and where the last one ends.
    starts: Vec<u64>,
    /// `[source][delay - 1]`: where in its row the synapses with at most this delay end.
    ends: Vec<[u16; LONGEST]>,
    synapses: Vec<Synapse<W>>,
    longest: u32,
}

/// A synapse to be put in its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<W> {
    /// `(source << 6) | (delay - 1)`.
    key: u32,
    synapse: Synapse<W>,
}

impl<W> Drawn<W> {
    /// From source number `source` of its population, with a delay of 1 ..= [`LONGEST`] steps.
    #[inline(always)]
    pub fn new(source: u32, delay: u32, synapse: Synapse<W>) -> Self {
        Self { key: (source << 6) | (delay - 1), synapse }
    }
}

impl<W: Copy + Default> Rows<W> {
    /// Sort by source and delay, stable.
    ///
    /// # Errors
    /// When a source has more synapses than `ends` can number.
    pub(super) fn sort(sources: usize, drawn: &[Drawn<W>]) -> Result<Self> {
        // Counts, then where the next synapse of a source and delay goes.
        let mut next = vec![0u32; sources * LONGEST];
        drawn.iter().for_each(|drawn| next[drawn.key as usize] += 1);
        let (mut starts, mut ends) = (Vec::with_capacity(sources + 1), vec![[0u16; LONGEST]; sources]);
        let (mut sum, mut longest) = (0u32, 0);
        for (next, ends) in next.chunks_exact_mut(LONGEST).zip(&mut ends) {
            let start = sum;
            starts.push(u64::from(start));
            for (delay, (next, end)) in next.iter_mut().zip(ends).enumerate() {
                if *next > 0 {
                    longest = longest.max(delay as u32 + 1);
                }
                let count = std::mem::replace(next, sum);
                sum += count;
                *end = u16::try_from(sum - start).map_err(|_| too_many())?;
            }
        }
        starts.push(u64::from(sum));
        let mut synapses = vec![Synapse::default(); drawn.len()];
        for drawn in drawn {
            let place = &mut next[drawn.key as usize];
            synapses[*place as usize] = drawn.synapse;
            *place += 1;
        }
        Ok(Self { starts, ends, synapses, longest })
    }

    /// Those of a source that arrive `delay` steps after its spike, and what follows them in the row.
    #[inline(always)]
    pub fn arriving(&self, source: u32, delay: u32) -> (&[Synapse<W>], &[Synapse<W>]) {
        let (start, ends) = (self.starts[source as usize] as usize, &self.ends[source as usize]);
        let from = if delay == 1 { 0 } else { ends[delay as usize - 2] };
        let to = usize::from(ends[delay as usize - 1]);
        self.synapses[start + usize::from(from)..].split_at(to - usize::from(from))
    }

    /// Ask for what the first step after a spike needs.
    #[inline(always)]
    pub fn prefetch(&self, source: u32) {
        prefetch(&self.ends[source as usize..]);
        prefetch(&self.synapses[self.starts[source as usize] as usize..]);
    }

    /// Steps after which nothing arrives any more.
    pub fn longest(&self) -> u32 {
        self.longest
    }

    /// All of them, row by row.
    pub fn synapses(&self) -> &[Synapse<W>] {
        &self.synapses
    }

    /// Source, delay and synapse of each.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, Synapse<W>)> {
        (0..self.ends.len() as u32).flat_map(move |source| {
            (1..=LONGEST as u32).flat_map(move |delay| {
                self.arriving(source, delay).0.iter().map(move |&synapse| (source, delay, synapse))
            })
        })
    }
}

fn too_many() -> Error {
    Error::Config(
        "a neuron has more than 65,535 synapses; try: a smaller `synapse_scale`, or smaller `connection`".into(),
    )
}
