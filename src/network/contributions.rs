//! What the sources of the synapses, and the neurons that own them, add to the sums of the synapses' gates.
//!
//! The sums of a gate are read a tile of columns at a time, in lanes that belong to several sources. Where environments come
//! in eights, they are kept in groups of eight lanes, `[group][gate * memory + column][8]`: a lane group of the synapses
//! reads one of them, the columns of a tile lie side by side, and no register crosses a cache line. Other numbers of
//! environments (agents die) have rows, `[gate * memory + column][FRONT + source * environments + environment]`, of which a
//! vector is laid together.

use crate::cpu::{Aligned, Begin, End, LANES, Rows, RowsMut, Vector, Zero, padded, product_strip, unrolled};
use crate::unit::{Shape, Start};

/// Lanes of a group.
const GROUP: usize = 8;

/// Lanes of the longest vector.
const LONGEST: usize = 2 * LANES;

/// Lanes before those of the first source of a row that are read but not used.
const FRONT: usize = LONGEST;

/// Of the sources of a kind.
#[derive(Debug, Clone)]
pub(super) struct Contributions {
    synapse: Shape,
    /// That each synapse reads.
    sources: Vec<usize>,
    environments: usize,
    sums: Aligned,
    /// Length of a row.
    lanes: usize,
    /// The group that each group of the synapses' lanes reads, if there are groups.
    groups: Vec<usize>,
}

impl Contributions {
    /// With room for `capacity` environments; each synapse reads one of `count` sources.
    pub(super) fn new(synapse: Shape, count: usize, sources: Vec<usize>, capacity: usize) -> Self {
        // Whole vectors are written and read, which may run over the last source.
        let lanes = FRONT + padded(count * capacity);
        let sums = Aligned::new((synapse.gates() * synapse.memory + 1) * lanes);
        let mut new = Self { synapse, sources, environments: capacity, sums, lanes, groups: Vec::new() };
        new.resize(capacity);
        new
    }

    /// Go on with this many environments; all that was multiplied is void.
    pub(super) fn resize(&mut self, environments: usize) {
        self.environments = environments;
        self.groups.clear();
        if environments.is_multiple_of(GROUP) {
            let each = environments / GROUP;
            self.groups.extend(self.sources.iter().flat_map(|source| source * each..(source + 1) * each));
            // Lanes behind the last synapse's read anything.
            self.groups.resize(padded(self.sources.len() * environments) / GROUP, 0);
        }
    }

    /// Multiply `rows`, of which `active` lanes hold something, with the weights of the synapses' inputs from `input` on; the
    /// first lane goes to lane `to`.
    #[inline(always)]
    pub(super) fn multiply<V: Vector>(
        &mut self,
        weights: &[f32],
        input: usize,
        (rows, lanes, active): (&[f32], usize, usize),
        to: usize,
    ) {
        let is_grouped = !self.groups.is_empty();
        let Self { synapse, ref mut sums, lanes: length, .. } = *self;
        let columns = synapse.gates() * synapse.memory;
        let size = synapse.gate_rows() * synapse.memory;
        let input_weights = (synapse.gate_rows() - synapse.inputs + input) * synapse.memory;
        for gate in 0..synapse.gates() {
            let weights = &weights[gate * size + input_weights..(gate + 1) * size];
            let first = gate * synapse.memory;
            for lane in (0..active).step_by(V::WIDTH) {
                let parts = [Rows(&rows[lane..], lanes), Rows::NONE];
                if is_grouped {
                    let groups = &mut sums.as_chunks_mut().0[(to + lane) / GROUP * columns + first..];
                    product_strip::<V, _, _>(weights, synapse.memory, parts, Zero, Groups { groups, columns });
                } else {
                    let end = RowsMut(&mut sums[first * length + FRONT + to + lane..], length);
                    product_strip::<V, _, _>(weights, synapse.memory, parts, Zero, end);
                }
            }
        }
    }
}

/// Sums that are kept in groups: of each, so many columns.
struct Groups<'a> {
    groups: &'a mut [[f32; GROUP]],
    columns: usize,
}

impl End for Groups<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        let mut lanes = [0.0; LONGEST];
        sums.store(&mut lanes);
        for (g, group) in lanes.as_chunks().0.iter().enumerate().take(V::WIDTH / GROUP) {
            self.groups[g * self.columns + column] = *group;
        }
    }
}

/// The synapses' gates start from what pre and post add.
pub(super) struct FromBoth<'a> {
    pub(super) pre: &'a Contributions,
    pub(super) post: &'a Contributions,
}

impl Start for FromBoth<'_> {
    #[inline(always)]
    fn gate<V: Vector>(&self, gate: usize, lane: usize) -> impl Begin {
        let both = [self.pre, self.post];
        let mut groups = [[&[][..]; LONGEST / GROUP]; 2];
        for (groups, of) in groups.iter_mut().zip(both) {
            let memory = of.synapse.memory;
            let indices = of.groups.get(lane / GROUP..).unwrap_or(&[]);
            for (group, index) in groups.iter_mut().take(V::WIDTH / GROUP).zip(indices) {
                let from = (index * of.synapse.gates() + gate) * memory;
                *group = &of.sums.as_chunks().0[from..from + memory];
            }
        }
        FromBothHere { both, groups, gate, lane }
    }
}

/// The same for a gate and some lanes.
#[derive(Clone, Copy)]
struct FromBothHere<'a> {
    both: [&'a Contributions; 2],
    /// That the lanes read, `[pre, post][group][column]`; none if there are rows.
    groups: [[&'a [[f32; GROUP]]; LONGEST / GROUP]; 2],
    gate: usize,
    lane: usize,
}

impl Begin for FromBothHere<'_> {
    #[inline(always)]
    fn begin<V: Vector, const M: usize>(self, column: usize) -> [V; M] {
        if self.groups[0][0].is_empty() { self.of_rows(column) } else { self.of_groups(column) }
    }
}

impl FromBothHere<'_> {
    #[inline(always)]
    fn of_groups<V: Vector, const M: usize>(self, column: usize) -> [V; M] {
        let mut sums = [V::splat(0.0); M];
        let mut tile = [[&[[0.0; GROUP]; M][..]; LONGEST / GROUP]; 2];
        for (tile, groups) in tile.iter_mut().zip(&self.groups) {
            for (tile, group) in tile.iter_mut().zip(groups).take(V::WIDTH / GROUP) {
                *tile = &group[column..column + M];
            }
        }
        unrolled!(m < M {
            sums[m] = V::gather(&tile[0].map(|columns| &columns[m])).add(V::gather(&tile[1].map(|columns| &columns[m])));
        });
        sums
    }

    #[inline(always)]
    fn of_rows<V: Vector, const M: usize>(self, column: usize) -> [V; M] {
        let mut sums = [V::splat(0.0); M];
        let [pre, post] = self.both;
        let (environments, lane) = (pre.environments, self.lane);
        let column = self.gate * pre.synapse.memory + column;
        let runs = pre.sources.iter().zip(&post.sources).enumerate().skip(lane / environments);
        for (synapse, (source, owner)) in runs {
            let first = synapse * environments;
            if first >= lane + V::WIDTH {
                break;
            }
            // A synapse is read as if it filled the vector from its start or before; the next one is laid over it.
            let to = first.saturating_sub(lane);
            let [from_pre, from_post] = [(pre, source), (post, owner)]
                .map(|(of, source)| column * of.lanes + FRONT + source * environments + lane - first);
            unrolled!(m < M {
                let pre: V = V::load(&pre.sums[m * pre.lanes + from_pre..]);
                let post = V::load(&post.sums[m * post.lanes + from_post..]);
                sums[m] = sums[m].until(to, pre.add(post));
            });
        }
        sums
    }
}
