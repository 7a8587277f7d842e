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
//!
//! Synapses can also be weights that follow a local learning rule: [`plastic`].

mod contributions;
pub mod plastic;
pub mod rules;
mod wiring;

pub use plastic::Rule;
pub use wiring::{Wiring, shuffle};

use std::ops::Range;

use contributions::{Contributions, FromBoth};
use plastic::{Plastic, Sources};

use crate::config::SynapseInput;
use crate::cpu::{Aligned, LANES, Vector, padded};
use crate::unit::{Instances, Shape};

/// What the synapses of a network are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Synapse {
    /// Units.
    Unit(Shape),
    /// Weights that follow a rule.
    Rule {
        /// With the constants that evolution begins with.
        rule: Rule,
        /// Source and channel of r+, and of r-.
        told: [(usize, usize); 2],
    },
}

impl Synapse {
    /// Length of their chromosome.
    pub fn parameters(&self) -> usize {
        match self {
            Self::Unit(shape) => shape.parameters(),
            Self::Rule { rule, .. } => rule.parameters(),
        }
    }

    /// The unit, if they are units.
    pub fn unit(&self) -> Option<Shape> {
        if let Self::Unit(shape) = self { Some(*shape) } else { None }
    }
}

/// Kinds and sizes of the units of a network, and how they are joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// All of them are alike, and put out as many channels as a neuron reads.
    pub synapse: Synapse,
    /// Of every neuron; its outputs are the channels of a source.
    pub neuron: Shape,
    /// Synapses and neurons have one chromosome (SHAREDENU).
    pub shared: bool,
    /// How the channels of the source (pre) and of the own neuron (post) become the input of a synapse that is a unit.
    pub input: SynapseInput,
    /// Who reads whom.
    pub wiring: Wiring,
}

impl Layout {
    /// The units that have a chromosome of their own, in the order in which the flat parameter vector holds them, behind the constants
    /// of a rule if there is one.
    pub fn chromosomes(&self) -> Vec<Shape> {
        if self.shared { vec![self.neuron] } else { self.synapse.unit().into_iter().chain([self.neuron]).collect() }
    }

    /// The rule that synapses follow, if they are not units.
    pub fn rule(&self) -> Option<Rule> {
        if let Synapse::Rule { rule, .. } = self.synapse { Some(rule) } else { None }
    }

    /// Length of the flat parameter vector.
    pub fn parameters(&self) -> usize {
        self.neuron.parameters() + if self.shared { 0 } else { self.synapse.parameters() }
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

    /// Multiply-adds of one network step of one environment, as in the equations: every synapse multiplies its own inputs, or its
    /// source by its weight.
    pub fn multiply_adds(&self) -> usize {
        let synapse = match self.synapse {
            Synapse::Unit(shape) => shape.multiply_adds(shape.inputs),
            Synapse::Rule { .. } => self.neuron.inputs,
        };
        self.wiring.sources.len() * synapse + self.wiring.neurons * self.neuron.multiply_adds(self.neuron.inputs)
    }

    /// Tanh and logistic functions of one network step of one environment.
    pub fn functions(&self) -> usize {
        let synapse = self.synapse.unit().map_or(0, |unit| unit.functions());
        self.wiring.sources.len() * synapse + self.wiring.neurons * self.neuron.functions()
    }
}

/// The networks of one offspring, one per environment.
#[derive(Debug, Clone)]
pub struct Network {
    layout: Layout,
    /// Environments that are stepped; rows have room for as many as [`Network::new`] was given.
    environments: usize,
    /// State of the synapses; lane = synapse * environments + environment.
    pub synapses: Synapses,
    /// State of the neurons; lane = neuron * environments + environment.
    pub neurons: Instances,
    /// Added to the synapses' read-out before the clip, `[output][lane]` with lanes as in `synapses`, and room for a register behind.
    pub synapse_noise: Aligned,
    /// The same for the neurons.
    pub neuron_noise: Aligned,
    /// `[channel][sensor * environments + environment]`.
    senses: Aligned,
    sense_lanes: usize,
}

/// The synapses of some networks.
#[derive(Debug, Clone)]
pub enum Synapses {
    /// That are units.
    Units(Box<Units>),
    /// That follow a rule.
    Plastic(Box<Plastic>),
}

/// Synapses that are units, and what their gates' sums start from.
#[derive(Debug, Clone)]
pub struct Units {
    /// Their state.
    pub instances: Instances,
    /// What each source adds to the gates of the synapses that read it: sensors, then neurons.
    pre: Contributions,
    /// What each neuron adds to the gates of its own synapses.
    post: Contributions,
}

impl Synapses {
    fn new(synapse: &Synapse, wiring: &Wiring, channels: usize, environments: usize) -> Self {
        let count = wiring.sources.len() * environments;
        match *synapse {
            Synapse::Unit(shape) => Self::Units(Box::new(Units {
                instances: Instances::new(shape, count),
                pre: Contributions::new(shape, wiring.sensors + wiring.neurons, wiring.sources.clone(), environments),
                post: Contributions::new(shape, wiring.neurons, wiring.owners().collect(), environments),
            })),
            Synapse::Rule { rule, .. } => Self::Plastic(Box::new(Plastic::new(rule, channels, count))),
        }
    }

    /// Length of a row.
    pub fn lanes(&self) -> usize {
        match self {
            Self::Units(units) => units.instances.lanes,
            Self::Plastic(plastic) => plastic.lanes,
        }
    }

    /// Outputs of the last step, `[output][lane]`, and what lies behind them: at least a register's length.
    #[inline(always)]
    pub fn outputs(&self) -> &[f32] {
        match self {
            Self::Units(units) => units.instances.outputs_and_behind(),
            Self::Plastic(plastic) => plastic.outputs(),
        }
    }

    fn reset(&mut self) {
        match self {
            Self::Units(units) => units.instances.reset(),
            Self::Plastic(plastic) => plastic.reset(),
        }
    }

    fn resize(&mut self, synapses: usize, environments: usize) {
        match self {
            Self::Units(units) => {
                units.instances.resize(synapses * environments);
                units.pre.resize(environments);
                units.post.resize(environments);
            }
            Self::Plastic(plastic) => {
                assert!(synapses * environments <= plastic.lanes, "no room for {environments} environments");
            }
        }
    }

    /// All that lasts from one step to the next, rows of [`Synapses::lanes`].
    fn state_mut(&mut self) -> Vec<&mut [f32]> {
        match self {
            Self::Units(units) => units.instances.state_mut().into(),
            Self::Plastic(plastic) => plastic.state_mut().into(),
        }
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
        // A rule passes on what its source puts out.
        let (inputs, outputs) = synapse.unit().map_or((expected, channels), |unit| (unit.inputs, unit.outputs));
        assert_eq!((inputs, neuron.inputs), (expected, outputs), "synapse and neuron do not fit");
        let synapses = Synapses::new(&synapse, wiring, channels, environments);
        let neurons = Instances::new(neuron, wiring.neurons * environments);
        let sense_lanes = padded(wiring.sensors * environments);
        Self {
            environments,
            synapse_noise: Aligned::new(outputs * synapses.lanes() + LANES),
            neuron_noise: Aligned::new(neuron.outputs * neurons.lanes),
            synapses,
            neurons,
            senses: Aligned::new(channels * sense_lanes + LANES),
            sense_lanes,
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
        self.synapses.resize(self.layout.wiring.sources.len(), environments);
        self.neurons.resize(self.layout.wiring.neurons * environments);
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
        let lanes = (self.synapses.lanes(), self.neurons.lanes);
        let Self { synapses, neurons, synapse_noise, neuron_noise, .. } = self;
        let groups = [
            (synapses.state_mut(), synapse_noise, lanes.0, self.layout.wiring.sources.len()),
            (neurons.state_mut().into(), neuron_noise, lanes.1, self.layout.wiring.neurons),
        ];
        for (state, noise, lanes, units) in groups {
            let rows = state.into_iter().chain([&mut noise[..]]);
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
        let Layout { neuron, wiring, .. } = &self.layout;
        wiring.sources.len() * neuron.inputs + wiring.neurons * neuron.outputs
    }

    /// The noise of an environment's units, `[unit][output]`, synapses first.
    pub fn set_noise(&mut self, environment: usize, noise: &[f32]) {
        let synapses = self.layout.wiring.sources.len();
        let (synapse_lanes, neuron_lanes) = (self.synapses.lanes(), self.neurons.lanes);
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
        let (lanes, count) = (self.synapses.lanes(), self.layout.wiring.sources.len());
        rest(self.synapses.state_mut(), lanes, self.environments, environment, count);
    }

    /// Put one environment back to rest, synapses and neurons.
    pub fn rest(&mut self, environment: usize) {
        self.rest_synapses(environment);
        let (lanes, count) = (self.neurons.lanes, self.layout.wiring.neurons);
        rest(self.neurons.state_mut().into(), lanes, self.environments, environment, count);
    }

    /// Take the sensors in: needed before a step whenever they, the weights or the environments have changed. `weights` is
    /// the flat parameter vector.
    #[inline(always)]
    pub fn sense<V: Vector>(&mut self, weights: &[f32]) {
        let [(channels, input), _] = self.layout.channels();
        let weights = self.layout.split(weights).0;
        match &mut self.synapses {
            Synapses::Units(units) => {
                let rows = &self.senses[channels.start * self.sense_lanes..channels.end * self.sense_lanes];
                let active = self.layout.wiring.sensors * self.environments;
                units.pre.multiply::<V>(weights, input, (rows, self.sense_lanes, active), 0);
            }
            Synapses::Plastic(plastic) => plastic.take(weights),
        }
    }

    /// One network step. `weights` is the flat parameter vector.
    ///
    /// # Panics
    /// When there are too few weights.
    #[inline(always)]
    pub fn step<V: Vector>(&mut self, weights: &[f32]) {
        let (synapse_weights, neuron_weights) = self.layout.split(weights);
        self.step_synapses::<V>(synapse_weights);
        self.integrate::<V>();
        self.neurons.step::<V>(neuron_weights, self.neurons.shape.inputs, Some(&self.neuron_noise));
    }

    #[inline(always)]
    fn step_synapses<V: Vector>(&mut self, weights: &[f32]) {
        let Self { layout, environments, synapses, neurons, synapse_noise, senses, sense_lanes, .. } = self;
        match synapses {
            Synapses::Units(units) => {
                units.contribute::<V>(layout, *environments, neurons, weights);
                let Units { instances, pre, post } = &mut **units;
                instances.step_from::<V, _>(weights, 0, Some(synapse_noise), &FromBoth { pre, post });
            }
            Synapses::Plastic(plastic) => {
                let Synapse::Rule { told, .. } = layout.synapse else { unreachable!("made of the same layout") };
                let senses = Sources { rows: senses, lanes: *sense_lanes };
                let neurons = Sources { rows: neurons.outputs_and_behind(), lanes: neurons.lanes };
                plastic.step::<V>(&layout.wiring, *environments, [senses, neurons], told, synapse_noise);
            }
        }
    }

    /// The sum of each neuron's synapses, in their order, into the neuron's inputs.
    #[inline(always)]
    fn integrate<V: Vector>(&mut self) {
        let Self { layout, environments, synapses, neurons, .. } = self;
        let (lanes, synapse_lanes) = (neurons.lanes, synapses.lanes());
        let inputs = neurons.inputs_and_room_mut();
        for channel in 0..layout.neuron.inputs {
            let outputs = &synapses.outputs()[channel * synapse_lanes..];
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

impl Units {
    /// What the neurons' last outputs add to the synapses' gates.
    #[inline(always)]
    fn contribute<V: Vector>(&mut self, layout: &Layout, environments: usize, neurons: &Instances, weights: &[f32]) {
        let active = layout.wiring.neurons * environments;
        let first_neuron = layout.wiring.sensors * environments;
        let [(pre_channels, pre_input), (post_channels, post_input)] = layout.channels();
        let rows =
            |channels: Range<usize>| &neurons.outputs()[channels.start * neurons.lanes..channels.end * neurons.lanes];
        let of_pre = (rows(pre_channels), neurons.lanes, active);
        self.pre.multiply::<V>(weights, pre_input, of_pre, first_neuron);
        self.post.multiply::<V>(weights, post_input, (rows(post_channels), neurons.lanes, active), 0);
    }
}

/// Put so many units of one environment back to rest, of which these are the rows, each of `lanes`.
fn rest(state: Vec<&mut [f32]>, lanes: usize, environments: usize, environment: usize, units: usize) {
    for row in state.into_iter().flat_map(|rows| rows.chunks_exact_mut(lanes)) {
        row[environment..].iter_mut().step_by(environments).take(units).for_each(|x| *x = 0.0);
    }
}
