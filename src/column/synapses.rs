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

/// Sources whose synapses are kept together until they are sorted: so many that their bundle lies in a near cache.
const BUNDLE: usize = 32;

/// Synapses of a population onto a part, in the order in which they were drawn.
#[derive(Debug, Clone)]
pub(super) struct Unsorted<W> {
    sources: usize,
    /// Of [`BUNDLE`] sources each.
    bundles: Vec<Vec<Drawn<W>>>,
}

/// A synapse to be put in its row.
#[derive(Debug, Clone, Copy)]
struct Drawn<W> {
    /// In its bundle: `source * LONGEST + delay - 1`.
    key: u32,
    synapse: Synapse<W>,
}

impl<W: Copy + Default> Unsorted<W> {
    /// Bytes that a synapse takes here.
    pub const BYTES: usize = size_of::<Drawn<W>>();

    /// Of some sources, with room for about `expected` synapses.
    pub fn new(sources: usize, expected: usize) -> Self {
        let bundles = sources.div_ceil(BUNDLE);
        // Numbers of synapses are binomial: most bundles then never grow.
        let room = expected / bundles.max(1);
        let room = room + room / 16;
        Self { sources, bundles: (0..bundles).map(|_| Vec::with_capacity(room)).collect() }
    }

    /// One more, from source number `source`, with a delay of 1 ..= [`LONGEST`] steps.
    #[inline(always)]
    pub fn push(&mut self, source: u32, delay: u32, synapse: Synapse<W>) {
        let key = (source % BUNDLE as u32) * LONGEST as u32 + delay - 1;
        self.bundles[source as usize / BUNDLE].push(Drawn { key, synapse });
    }

    /// By source and delay, stable.
    ///
    /// # Errors
    /// When a source has more synapses than `ends` can number.
    pub fn sort(self) -> Result<Rows<W>> {
        let total = self.bundles.iter().map(Vec::len).sum();
        let mut rows = Rows {
            starts: Vec::with_capacity(self.sources + 1),
            ends: vec![[0u16; LONGEST]; self.sources],
            synapses: vec![Synapse::default(); total],
            longest: 0,
        };
        let mut rest = &mut rows.synapses[..];
        let mut first = 0;
        for (bundle, ends) in self.bundles.into_iter().zip(rows.ends.chunks_mut(BUNDLE)) {
            // Counts, then where the next synapse of a source and delay goes.
            let mut next = [0u32; BUNDLE * LONGEST];
            bundle.iter().for_each(|drawn| next[drawn.key as usize] += 1);
            let mut sum = 0;
            for (next, ends) in next.chunks_exact_mut(LONGEST).zip(ends) {
                let start = sum;
                rows.starts.push(first + u64::from(start));
                for (delay, (next, end)) in (1..).zip(next.iter_mut().zip(ends)) {
                    if *next > 0 {
                        rows.longest = rows.longest.max(delay);
                    }
                    let count = std::mem::replace(next, sum);
                    sum += count;
                    *end = u16::try_from(sum - start).map_err(|_| too_many())?;
                }
            }
            let (sorted, others) = rest.split_at_mut(bundle.len());
            for drawn in &bundle {
                let place = &mut next[drawn.key as usize];
                sorted[*place as usize] = drawn.synapse;
                *place += 1;
            }
            rest = others;
            first += u64::from(sum);
        }
        rows.starts.push(first);
        Ok(rows)
    }
}

impl<W: Copy + Default> Rows<W> {
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

    /// How many rows there are.
    pub fn sources(&self) -> usize {
        self.ends.len()
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

/// Synapses of a source that a row cannot number.
pub(super) fn too_many() -> Error {
    Error::Config(
        "a neuron has more than 65,535 synapses; try: a smaller `synapse_scale`, or smaller `connection`".into(),
    )
}
