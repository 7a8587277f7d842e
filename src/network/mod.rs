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
use crate::cpu::{Begin, Keep, LANES, Vector, Zero, padded, product_strip, unrolled};
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
    pub synapse_noise: Vec<f32>,
    /// The same for the neurons.
    pub neuron_noise: Vec<f32>,
    /// `[channel][sensor * environments + environment]`.
    senses: Vec<f32>,
    sense_lanes: usize,
    /// What each source adds to the gates of the synapses that read it: sensors, then neurons.
    pre: Contributions,
    /// What each neuron adds to the gates of its own synapses.
    post: Contributions,
    /// Of every synapse, with the environments that there are now.
    runs: Vec<Run>,
}

/// Parts of the sums of the synapses' gates: `[gate][column][source * environments + environment]`, a row's first source
/// behind [`LANES`] that are read but not used.
#[derive(Debug, Clone)]
struct Contributions {
    sums: Vec<f32>,
    lanes: usize,
}

impl Contributions {
    fn new(synapse: Shape, sources: usize, capacity: usize) -> Self {
        // Whole registers are written and read, which may run over the last source of a row, into the next one's front.
        let lanes = padded(sources * capacity) + LANES;
        Self { sums: vec![0.0; synapse.gates() * synapse.memory * lanes + 2 * LANES], lanes }
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
            let sums = &mut self.sums[gate * synapse.memory * self.lanes + LANES + to..];
            for lane in (0..active).step_by(V::WIDTH) {
                let parts = [(&rows[lane..], lanes), (&[][..], lanes)];
                let mut out = Keep { out: &mut sums[lane..], lanes: self.lanes };
                product_strip::<V, 1, _, _>(weights, synapse.memory, parts, Zero, &mut out);
            }
        }
    }
}

/// The lanes of a synapse, and where its contributions lie.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: usize,
    /// Lanes of the contributions.
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
        pre: source * environments,
        post: owner * environments,
    };
    wiring.sources.iter().zip(wiring.owners()).enumerate().map(of_synapse).collect()
}

impl Start for FromSources<'_> {
    #[inline(always)]
    fn gate(&self, gate: usize, lane: usize) -> impl Begin {
        let column = gate * self.columns;
        FromRuns {
            runs: self.runs,
            environments: self.environments,
            lane,
            pre: (&self.pre.sums[column * self.pre.lanes..], self.pre.lanes),
            post: (&self.post.sums[column * self.post.lanes..], self.post.lanes),
        }
    }
}

/// Where a gate's sums start from.
#[derive(Clone, Copy)]
struct FromRuns<'a> {
    runs: &'a [Run],
    environments: usize,
    lane: usize,
    pre: (&'a [f32], usize),
    post: (&'a [f32], usize),
}

impl Begin for FromRuns<'_> {
    #[inline(always)]
    fn begin<V: Vector, const N: usize, const M: usize>(self, column: usize) -> [[V; N]; M] {
        let mut sums = [[V::splat(0.0); N]; M];
        let (pre, post) = (&self.pre.0[column * self.pre.1..], &self.post.0[column * self.post.1..]);
        unrolled!(n < N {
            let lane = self.lane + n * V::WIDTH;
            for run in self.runs.iter().skip(lane / self.environments) {
                if run.first >= lane + V::WIDTH {
                    break;
                }
                // A run is read as if it filled the register from its start or before; the next one is laid over it.
                let to = run.first.saturating_sub(lane);
                let from = LANES + lane - run.first;
                unrolled!(m < M {
                    let pre = V::load(&pre[m * self.pre.1 + run.pre + from..]);
                    let post = V::load(&post[m * self.post.1 + run.post + from..]);
                    sums[m][n] = sums[m][n].until(to, pre.add(post));
                });
            }
        });
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
            synapse_noise: vec![0.0; synapse.outputs * synapses.lanes],
            neuron_noise: vec![0.0; neuron.outputs * neurons.lanes],
            synapses,
            neurons,
            senses: vec![0.0; channels * sense_lanes],
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
            let rows = instances.state_mut().into_iter().chain([noise.as_mut_slice()]);
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
