//! A network of evolvable neural units (Bertens & Lee 2020): synapses and neurons are units with a chromosome each.
//!
//! In one step every synapse reads the outputs of its source (a sensor of now or a neuron of the step before) and of
//! its own neuron (of the step before), and every neuron reads the sum of its synapses of now. All synapses of all
//! environments are lanes of one batch, all neurons of another; lane = unit * environments + environment, so that wiring
//! copies whole runs of environments. `tests/golden/enu/README.md` has the equations.

use crate::cpu::Vector;
use crate::unit::{Instances, Shape};

/// How the channels of the source (pre) and of the own neuron (post) become a synapse's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SynapseInput {
    /// The first half of pre's channels, then the second half of post's; each channel keeps its place.
    Split,
    /// pre + post.
    Sum,
    /// pre, then post: twice the channels.
    Concat,
}

/// Who is connected to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// Sources outside the network: senses, and reward. They come first; source `sensors + n` is neuron n.
    pub sensors: usize,
    /// At least 1.
    pub neurons: usize,
    /// Source of each synapse, `[neuron][synapse]`, below `sensors + neurons`; every neuron has as many synapses.
    pub sources: Vec<usize>,
}

impl Wiring {
    /// Synapses of each neuron.
    pub fn synapses(&self) -> usize {
        self.sources.len() / self.neurons
    }
}

/// The networks of one offspring, one per environment.
#[derive(Debug, Clone)]
pub struct Network {
    wiring: Wiring,
    input: SynapseInput,
    environments: usize,
    /// Of a source: as many as a neuron has outputs.
    channels: usize,
    /// State of the synapses, unit = neuron * synapses of a neuron + synapse.
    pub synapses: Instances,
    /// State of the neurons.
    pub neurons: Instances,
}

impl Network {
    /// Networks at rest.
    ///
    /// # Panics
    /// When the shapes do not fit: a neuron reads what a synapse puts out, and a synapse reads what `input` makes of
    /// two neurons' outputs.
    pub fn new(synapse: Shape, neuron: Shape, wiring: Wiring, input: SynapseInput, environments: usize) -> Self {
        let channels = neuron.outputs;
        let expected = if input == SynapseInput::Concat { 2 * channels } else { channels };
        assert_eq!((synapse.inputs, neuron.inputs), (expected, synapse.outputs), "synapse and neuron do not fit");
        Self {
            synapses: Instances::new(synapse, wiring.sources.len() * environments),
            neurons: Instances::new(neuron, wiring.neurons * environments),
            wiring,
            input,
            environments,
            channels,
        }
    }

    /// One network step. `sensors` is `[sensor][channel][environment]`. `weights` and `noise` are those of the synapses,
    /// then those of the neurons: flat parameters, and `[output][lane]` added to the read-out before the clip.
    ///
    /// # Panics
    /// When there are too few sensors or weights.
    #[inline(always)]
    pub fn step<V: Vector>(&mut self, weights: (&[f32], &[f32]), sensors: &[f32], noise: (&[f32], &[f32])) {
        self.gather(sensors);
        self.synapses.step::<V>(weights.0, self.synapses.shape.inputs, Some(noise.0));
        self.integrate();
        self.neurons.step::<V>(weights.1, self.neurons.shape.inputs, Some(noise.1));
    }

    /// Sources and own neurons into the synapses' inputs.
    #[inline(always)]
    fn gather(&mut self, sensors: &[f32]) {
        let Self { wiring, input, environments, channels, synapses, neurons } = self;
        let (environments, channels) = (*environments, *channels);
        let (neuron_lanes, synapse_lanes, outputs) = (neurons.lanes, synapses.lanes, neurons.outputs());
        let neuron_row =
            |neuron: usize, channel: usize| &outputs[channel * neuron_lanes + neuron * environments..][..environments];
        let per_neuron = wiring.synapses();
        let inputs = synapses.inputs_mut();
        for (synapse, &source) in wiring.sources.iter().enumerate() {
            let own = synapse / per_neuron;
            for channel in 0..channels {
                let pre = match source.checked_sub(wiring.sensors) {
                    Some(neuron) => neuron_row(neuron, channel),
                    None => &sensors[(source * channels + channel) * environments..][..environments],
                };
                let post = neuron_row(own, channel);
                let row = |channel: usize| channel * synapse_lanes + synapse * environments;
                match input {
                    SynapseInput::Split => {
                        let half = if channel < channels / 2 { pre } else { post };
                        inputs[row(channel)..][..environments].copy_from_slice(half);
                    }
                    SynapseInput::Sum => {
                        let row = &mut inputs[row(channel)..][..environments];
                        row.iter_mut().zip(pre.iter().zip(post)).for_each(|(x, (a, b))| *x = a + b);
                    }
                    SynapseInput::Concat => {
                        inputs[row(channel)..][..environments].copy_from_slice(pre);
                        inputs[row(channels + channel)..][..environments].copy_from_slice(post);
                    }
                }
            }
        }
    }

    /// The sum of each neuron's synapses, in their order, into the neuron's inputs.
    #[inline(always)]
    fn integrate(&mut self) {
        let Self { wiring, environments, synapses, neurons, .. } = self;
        let per_neuron = wiring.synapses() * *environments;
        let (neuron_lanes, synapse_lanes) = (neurons.lanes, synapses.lanes);
        let rows =
            neurons.inputs_mut().chunks_exact_mut(neuron_lanes).zip(synapses.outputs().chunks_exact(synapse_lanes));
        for (sums, outputs) in rows {
            let neurons = sums.chunks_exact_mut(*environments).zip(outputs.chunks_exact(per_neuron));
            for (sum, synapses) in neurons.take(wiring.neurons) {
                sum.fill(0.0);
                for outputs in synapses.chunks_exact(*environments) {
                    sum.iter_mut().zip(outputs).for_each(|(s, o)| *s += o);
                }
            }
        }
    }
}
