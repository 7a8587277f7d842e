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

mod contributions;
mod wiring;

pub use wiring::{Wiring, shuffle};

use std::ops::Range;

use contributions::{Contributions, FromBoth};

use crate::config::SynapseInput;
use crate::cpu::{Aligned, Vector, padded};
use crate::unit::{Instances, Shape};

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
            pre: Contributions::new(synapse, wiring.sensors + wiring.neurons, wiring.sources.clone(), environments),
            post: Contributions::new(synapse, wiring.neurons, wiring.owners().collect(), environments),
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
        self.pre.resize(environments);
        self.post.resize(environments);
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

    /// Output gates of all units, synapses first: noises of an environment.
    pub fn noises(&self) -> usize {
        let Layout { synapse, neuron, wiring, .. } = &self.layout;
        wiring.sources.len() * synapse.outputs + wiring.neurons * neuron.outputs
    }

    /// The noise of an environment's units, `[unit][output]`, synapses first.
    pub fn set_noise(&mut self, environment: usize, noise: &[f32]) {
        let synapses = self.layout.wiring.sources.len();
        let (synapse_lanes, neuron_lanes) = (self.synapses.lanes, self.neurons.lanes);
        for (unit, noise) in noise.chunks_exact(self.layout.neuron.outputs).enumerate() {
            let (rows, lanes, unit) = match unit.checked_sub(synapses) {
                None => (&mut self.synapse_noise, synapse_lanes, unit),
                Some(neuron) => (&mut self.neuron_noise, neuron_lanes, neuron),
            };
            for (channel, noise) in noise.iter().enumerate() {
                rows[channel * lanes + unit * self.environments + environment] = *noise;
            }
        }
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
        rest(&mut self.synapses, self.environments, environment, self.layout.wiring.sources.len());
    }

    /// Put one environment back to rest, synapses and neurons.
    pub fn rest(&mut self, environment: usize) {
        self.rest_synapses(environment);
        rest(&mut self.neurons, self.environments, environment, self.layout.wiring.neurons);
    }

    /// Take the sensors in: needed before a step whenever they, the weights or the environments have changed. `weights` is
    /// the flat parameter vector.
    #[inline(always)]
    pub fn sense<V: Vector>(&mut self, weights: &[f32]) {
        let [(channels, input), _] = self.layout.channels();
        let rows = &self.senses[channels.start * self.sense_lanes..channels.end * self.sense_lanes];
        let active = self.layout.wiring.sensors * self.environments;
        let weights = self.layout.split(weights).0;
        self.pre.multiply::<V>(weights, input, (rows, self.sense_lanes, active), 0);
    }

    /// One network step. `weights` is the flat parameter vector.
    ///
    /// # Panics
    /// When there are too few weights.
    #[inline(always)]
    pub fn step<V: Vector>(&mut self, weights: &[f32]) {
        let (synapse_weights, neuron_weights) = self.layout.split(weights);
        self.contribute::<V>(synapse_weights);
        let Self { pre, post, synapses, synapse_noise, .. } = self;
        let start = FromBoth { pre, post };
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
        pre.multiply::<V>(weights, pre_input, of_pre, first_neuron);
        post.multiply::<V>(weights, post_input, (rows(post_channels), neurons.lanes, active), 0);
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

/// Put so many units of one environment back to rest.
fn rest(instances: &mut Instances, environments: usize, environment: usize, units: usize) {
    let lanes = instances.lanes;
    for row in instances.state_mut().into_iter().flat_map(|rows| rows.chunks_exact_mut(lanes)) {
        row[environment..].iter_mut().step_by(environments).take(units).for_each(|x| *x = 0.0);
    }
}
