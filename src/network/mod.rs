//! A network of evolvable neural units (Bertens & Lee 2020): synapses and neurons are units with a chromosome each.
//!
//! In one step every synapse reads the outputs of its source (a sensor of now or a neuron of the step before) and of
//! its own neuron (of the step before), and every neuron reads the sum of its synapses of now. All synapses of all
//! environments are lanes of one batch, all neurons of another; lane = unit * environments + environment, so that wiring
//! moves whole runs of environments. `tests/golden/enu/README.md` has the equations.
//!
//! What a source contributes to a gate is the same for all synapses that read it, and likewise the own neuron: both are
//! multiplied with the synapses' input weights once, and a synapse's sums start from the two that concern it. That saves
//! 17 % of the paper network's multiply-adds. The order of every sum is thereby: pre's channels; post's channels; these
//! two added; memory; fed-back outputs.

mod wiring;

pub use wiring::{Wiring, shuffle};

use std::ops::Range;

use crate::config::SynapseInput;
use crate::cpu::{Aligned, Begin, LANES, Rows, RowsMut, Vector, Zero, padded, product_strip, unrolled};
use crate::unit::{Instances, Shape, Start};

/// Kinds and sizes of the units of a network, and how they are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Of every synapse.
    pub synapse: Shape,
    /// Of every neuron; its outputs are the channels of a source.
    pub neuron: Shape,
    /// Synapses and neurons have one chromosome (SHAREDENU).
    pub shared: bool,
    /// How the channels of the source (pre) and of the own neuron (post) become a synapse's input.
    pub input: SynapseInput,
    /// Who reads whom.
    pub wiring: Wiring,
}

impl Layout {
    /// The units that have a chromosome of their own, in the order in which the flat parameter vector holds them.
    pub fn chromosomes(&self) -> Vec<Shape> {
        if self.shared { vec![self.neuron] } else { vec![self.synapse, self.neuron] }
    }

    /// The synapses' part of a flat parameter vector, and the neurons'.
    pub fn split<'a>(&self, parameters: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        if self.shared { (parameters, parameters) } else { parameters.split_at(self.synapse.parameters()) }
    }

    /// The channels of pre that a synapse reads, and those of post, each with the synapse's first input for them.
    fn channels(&self) -> [(Range<usize>, usize); 2] {
        let all = self.neuron.outputs;
        match self.input {
            SynapseInput::Split => [(0..all / 2, 0), (all / 2..all, all / 2)],
            SynapseInput::Sum => [(0..all, 0), (0..all, 0)],
            SynapseInput::Concat => [(0..all, 0), (0..all, all)],
        }
    }

    /// Multiply-adds of one network step of one environment, as in the equations: every synapse multiplies its own inputs.
    pub fn multiply_adds(&self) -> usize {
        self.wiring.sources.len() * self.synapse.multiply_adds(self.synapse.inputs)
            + self.wiring.neurons * self.neuron.multiply_adds(self.neuron.inputs)
    }
}

/// The networks of one offspring, one per environment.
#[derive(Debug, Clone)]
pub struct Network {
    layout: Layout,
    /// Environments that are stepped; rows have room for as many as [`Network::new`] was given.
    environments: usize,
    /// State of the synapses; lane = synapse * environments + environment.
    pub synapses: Instances,
    /// State of the neurons; lane = neuron * environments + environment.
    pub neurons: Instances,
    /// Added to the synapses' read-out before the clip, `[output][lane]` with lanes as in `synapses`.
    pub synapse_noise: Aligned,
    /// The same for the neurons.
    pub neuron_noise: Aligned,
    /// `[channel][sensor * environments + environment]`.
    senses: Aligned,
    sense_lanes: usize,
    /// What each source adds to the gates of the synapses that read it: sensors, then neurons.
    pre: Contributions,
    /// What each neuron adds to the gates of its own synapses.
    post: Contributions,
    /// Of every synapse, with the environments that there are now.
    runs: Vec<Run>,
}

/// Lanes of the widest vector.
const FRONT: usize = 2 * LANES;

/// Parts of the sums of the synapses' gates: `[gate][column][source * environments + environment]`, a row's first source
/// behind [`FRONT`] lanes that are read but not used.
#[derive(Debug, Clone)]
struct Contributions {
    sums: Aligned,
    lanes: usize,
}

impl Contributions {
    fn new(synapse: Shape, sources: usize, capacity: usize) -> Self {
        // Whole vectors are written and read, which may run over the last source of a row, into the next one's front.
        let lanes = FRONT + padded(sources * capacity);
        Self { sums: Aligned::new(synapse.gates() * synapse.memory * lanes + FRONT), lanes }
    }

    /// Multiply `rows`, of which `active` lanes hold something, with the weights of the synapses' inputs from `input` on; the
    /// first lane goes to lane `to`.
    #[inline(always)]
    fn multiply<V: Vector>(
        &mut self,
        synapse: Shape,
        weights: &[f32],
        input: usize,
        (rows, lanes, active): (&[f32], usize, usize),
        to: usize,
    ) {
        let size = synapse.gate_rows() * synapse.memory;
        let first = (synapse.gate_rows() - synapse.inputs + input) * synapse.memory;
        for gate in 0..synapse.gates() {
            let weights = &weights[gate * size + first..(gate + 1) * size];
            let sums = &mut self.sums[gate * synapse.memory * self.lanes + FRONT + to..];
            for lane in (0..active).step_by(V::WIDTH) {
                let parts = [Rows(&rows[lane..], lanes), Rows::NONE];
                let end = RowsMut(&mut sums[lane..], self.lanes);
                product_strip::<V, _, _>(weights, synapse.memory, parts, Zero, end);
            }
        }
    }
}

/// The lanes of a synapse, and where its contributions lie.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: usize,
    /// Lanes of the contributions, their front counted in.
    pre: usize,
    post: usize,
}

/// Where the synapses' gates start from.
struct FromSources<'a> {
    runs: &'a [Run],
    environments: usize,
    columns: usize,
    pre: &'a Contributions,
    post: &'a Contributions,
}

fn runs(wiring: &Wiring, environments: usize) -> Vec<Run> {
    let of_synapse = |(synapse, (&source, owner))| Run {
        first: synapse * environments,
        pre: FRONT + source * environments,
        post: FRONT + owner * environments,
    };
    wiring.sources.iter().zip(wiring.owners()).enumerate().map(of_synapse).collect()
}

impl Start for FromSources<'_> {
    #[inline(always)]
    fn gate<V: Vector>(&self, gate: usize, lane: usize) -> impl Begin {
        let Self { runs, environments, columns, pre, post } = *self;
        let mut groups = [(0, 0); FRONT / 8];
        let is_grouped = environments.is_multiple_of(8);
        if is_grouped {
            for (g, group) in groups.iter_mut().enumerate().take(V::WIDTH / 8) {
                let lane = lane + 8 * g;
                if let Some(run) = runs.get(lane / environments) {
                    *group = ((run.pre + lane - run.first) / 8, (run.post + lane - run.first) / 8);
                }
            }
        }
        FromRuns {
            pre: Rows(&pre.sums[gate * columns * pre.lanes..], pre.lanes),
            post: Rows(&post.sums[gate * columns * post.lanes..], post.lanes),
            groups: is_grouped.then_some(groups),
            runs: runs.get(lane / environments..).unwrap_or(&[]),
            lane,
        }
    }
}

/// Where a gate's sums start from in some lanes.
#[derive(Clone, Copy)]
struct FromRuns<'a> {
    pre: Rows<'a>,
    post: Rows<'a>,
    /// If all runs are of whole groups of eight lanes: the group of the contributions that each group of lanes reads.
    groups: Option<[(usize, usize); FRONT / 8]>,
    /// From the one on that holds the first lane.
    runs: &'a [Run],
    lane: usize,
}

impl Begin for FromRuns<'_> {
    #[inline(always)]
    fn begin<V: Vector, const M: usize>(self, column: usize) -> [V; M] {
        match self.groups {
            Some(groups) => self.from_groups(groups, column),
            None => self.from_runs(column),
        }
    }
}

impl FromRuns<'_> {
    #[inline(always)]
    fn from_groups<V: Vector, const M: usize>(self, groups: [(usize, usize); FRONT / 8], column: usize) -> [V; M] {
        let mut sums = [V::splat(0.0); M];
        let [pre, post] = [self.pre, self.post].map(|rows| (rows.0.as_chunks::<8>().0, rows.1 / 8));
        unrolled!(m < M {
            let [pre, post] = [pre, post].map(|(rows, length)| &rows[(column + m) * length..][..length]);
            let mut from = [[&[0.0; 8]; FRONT / 8]; 2];
            for g in 0..V::WIDTH / 8 {
                from[0][g] = &pre[groups[g].0];
                from[1][g] = &post[groups[g].1];
            }
            sums[m] = V::gather(&from[0]).add(V::gather(&from[1]));
        });
        sums
    }

    #[inline(always)]
    fn from_runs<V: Vector, const M: usize>(self, column: usize) -> [V; M] {
        let mut sums = [V::splat(0.0); M];
        for run in self.runs {
            if run.first >= self.lane + V::WIDTH {
                break;
            }
            // A run is read as if it filled the vector from its start or before; the next one is laid over it.
            let to = run.first.saturating_sub(self.lane);
            let [pre, post] = [run.pre, run.post].map(|source| source + self.lane - run.first);
            unrolled!(m < M {
                let pre = V::load(&self.pre.0[(column + m) * self.pre.1 + pre..]);
                let post = V::load(&self.post.0[(column + m) * self.post.1 + post..]);
                sums[m] = sums[m].until(to, pre.add(post));
            });
        }
        sums
    }
}

impl Network {
    /// Networks at rest, with room for `environments`, without noise.
    ///
    /// # Panics
    /// When the shapes do not fit: a neuron reads what a synapse puts out, and a synapse reads what `input` makes of
    /// two neurons' outputs.
    pub fn new(layout: &Layout, environments: usize) -> Self {
        let Layout { synapse, neuron, ref wiring, .. } = *layout;
        let channels = neuron.outputs;
        let expected = if layout.input == SynapseInput::Concat { 2 * channels } else { channels };
        assert_eq!((synapse.inputs, neuron.inputs), (expected, synapse.outputs), "synapse and neuron do not fit");
        let synapses = Instances::new(synapse, wiring.sources.len() * environments);
        let neurons = Instances::new(neuron, wiring.neurons * environments);
        let sense_lanes = padded(wiring.sensors * environments);
        Self {
            environments,
            synapse_noise: Aligned::new(synapse.outputs * synapses.lanes),
            neuron_noise: Aligned::new(neuron.outputs * neurons.lanes),
            synapses,
            neurons,
            senses: Aligned::new(channels * sense_lanes),
            sense_lanes,
            pre: Contributions::new(synapse, wiring.sensors + wiring.neurons, environments),
            post: Contributions::new(synapse, wiring.neurons, environments),
            runs: runs(wiring, environments),
            layout: layout.clone(),
        }
    }

    /// Back to rest, with this many environments.
    ///
    /// # Panics
    /// When there is no room for so many.
    pub fn reset(&mut self, environments: usize) {
        self.resize(environments);
        self.synapses.reset();
        self.neurons.reset();
    }

    fn resize(&mut self, environments: usize) {
        self.environments = environments;
        self.synapses.resize(self.layout.wiring.sources.len() * environments);
        self.neurons.resize(self.layout.wiring.neurons * environments);
        self.runs = runs(&self.layout.wiring, environments);
    }

    /// Who reads whom.
    pub fn wiring(&self) -> &Wiring {
        &self.layout.wiring
    }

    /// Environments that are stepped.
    pub fn environments(&self) -> usize {
        self.environments
    }

    /// Go on with the environments `keep` (ascending, of those there are now): the others cost nothing any more.
    pub fn retain(&mut self, keep: &[usize]) {
        let old = self.environments;
        let groups = [
            (&mut self.synapses, &mut self.synapse_noise, self.layout.wiring.sources.len()),
            (&mut self.neurons, &mut self.neuron_noise, self.layout.wiring.neurons),
        ];
        for (instances, noise, units) in groups {
            let lanes = instances.lanes;
            let rows = instances.state_mut().into_iter().chain([&mut noise[..]]);
            for row in rows.flat_map(|rows| rows.chunks_exact_mut(lanes)) {
                for unit in 0..units {
                    for (to, from) in keep.iter().enumerate() {
                        row[unit * keep.len() + to] = row[unit * old + from];
                    }
                }
            }
        }
        self.resize(keep.len());
    }

    /// What a channel of a sensor shows each environment; [`Network::sense`] makes it known.
    pub fn sensor_mut(&mut self, sensor: usize, channel: usize) -> &mut [f32] {
        &mut self.senses[channel * self.sense_lanes + sensor * self.environments..][..self.environments]
    }

    /// What a channel of a sensor shows each environment.
    pub fn sensor(&self, sensor: usize, channel: usize) -> &[f32] {
        &self.senses[channel * self.sense_lanes + sensor * self.environments..][..self.environments]
    }

    /// All sensors silent.
    pub fn clear_sensors(&mut self) {
        self.senses.fill(0.0);
    }

    /// Put the synapses of one environment back to rest.
    pub fn rest_synapses(&mut self, environment: usize) {
        let lanes = self.synapses.lanes;
        let (environments, synapses) = (self.environments, self.layout.wiring.sources.len());
        for row in self.synapses.state_mut().into_iter().flat_map(|rows| rows.chunks_exact_mut(lanes)) {
            row[environment..].iter_mut().step_by(environments).take(synapses).for_each(|x| *x = 0.0);
        }
    }

    /// Take the sensors in: needed before a step whenever they, the weights or the environments have changed. `weights` is
    /// the flat parameter vector.
    #[inline(always)]
    pub fn sense<V: Vector>(&mut self, weights: &[f32]) {
        let synapse = self.layout.synapse;
        let [(channels, input), _] = self.layout.channels();
        let rows = &self.senses[channels.start * self.sense_lanes..channels.end * self.sense_lanes];
        let active = self.layout.wiring.sensors * self.environments;
        let weights = self.layout.split(weights).0;
        self.pre.multiply::<V>(synapse, weights, input, (rows, self.sense_lanes, active), 0);
    }

    /// One network step. `weights` is the flat parameter vector.
    ///
    /// # Panics
    /// When there are too few weights.
    #[inline(always)]
    pub fn step<V: Vector>(&mut self, weights: &[f32]) {
        let (synapse_weights, neuron_weights) = self.layout.split(weights);
        self.contribute::<V>(synapse_weights);
        let Self { layout, runs, environments, pre, post, synapses, synapse_noise, .. } = self;
        let start = FromSources { runs, environments: *environments, columns: layout.synapse.memory, pre, post };
        synapses.step_from::<V, _>(synapse_weights, 0, Some(synapse_noise), &start);
        self.integrate::<V>();
        self.neurons.step::<V>(neuron_weights, self.neurons.shape.inputs, Some(&self.neuron_noise));
    }

    /// What the neurons' last outputs add to the synapses' gates.
    #[inline(always)]
    fn contribute<V: Vector>(&mut self, weights: &[f32]) {
        let Self { layout, neurons, pre, post, .. } = self;
        let active = layout.wiring.neurons * self.environments;
        let first_neuron = layout.wiring.sensors * self.environments;
        let [(pre_channels, pre_input), (post_channels, post_input)] = layout.channels();
        let rows =
            |channels: Range<usize>| &neurons.outputs()[channels.start * neurons.lanes..channels.end * neurons.lanes];
        let of_pre = (rows(pre_channels), neurons.lanes, active);
        pre.multiply::<V>(layout.synapse, weights, pre_input, of_pre, first_neuron);
        post.multiply::<V>(layout.synapse, weights, post_input, (rows(post_channels), neurons.lanes, active), 0);
    }

    /// The sum of each neuron's synapses, in their order, into the neuron's inputs.
    #[inline(always)]
    fn integrate<V: Vector>(&mut self) {
        let Self { layout, environments, synapses, neurons, .. } = self;
        let (lanes, synapse_lanes) = (neurons.lanes, synapses.lanes);
        let inputs = neurons.inputs_and_room_mut();
        for channel in 0..layout.synapse.outputs {
            let outputs = &synapses.outputs_and_behind()[channel * synapse_lanes..];
            for neuron in 0..layout.wiring.neurons {
                for n in (0..*environments).step_by(V::WIDTH) {
                    let mut sum = V::splat(0.0);
                    for synapse in layout.wiring.synapses_of(neuron) {
                        sum = sum.add(V::load(&outputs[synapse * *environments + n..]));
                    }
                    // As in `FromSources::fill`, what runs over is overwritten.
                    sum.store(&mut inputs[channel * lanes + neuron * *environments + n..]);
                }
            }
        }
    }
}
