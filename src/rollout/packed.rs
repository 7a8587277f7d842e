//! The parameters of a perceptron in the order in which the kernels read them: each hidden neuron's bias before its weights, for
//! they are read together; the last layer's biases before its matrix.

use super::gpu::Outcomes;
use crate::abi::{
    ACTIVATION_IDENTITY, ACTIVATION_RELU, ACTIVATION_SELU, ACTIVATION_SIGMOID, ACTIVATION_TANH, Pointer, WorldArgs,
};
use crate::error::Result;
use crate::gpu::{Buffer, Gpu};
use crate::policy::Activation;

/// How the perceptrons of some sizes are packed; by default those that have no parameters, which act at random.
#[derive(Debug, Clone, Default)]
pub(crate) struct Packing {
    /// Of each packed parameter, its place in [`crate::policy::Mlp::parameters`].
    pub(crate) places: Vec<u32>,
    /// Of the hidden layers.
    widths: Vec<u32>,
    pub(crate) last_layer: u32,
    pub(crate) widest: u32,
    pub(crate) activation: u32,
}

impl Packing {
    /// Of perceptrons with these sizes: inputs, hidden layers, outputs.
    pub(crate) fn of(sizes: &[usize], activation: Activation) -> Self {
        let mut places = Vec::new();
        let (mut last_layer, mut first) = (0, 0);
        for (i, layer) in sizes.windows(2).enumerate() {
            let (inputs, outputs) = (layer[0] as u32, layer[1] as u32);
            let biases = first + inputs * outputs;
            if i + 2 == sizes.len() {
                last_layer = places.len() as u32;
                places.extend((biases..biases + outputs).chain(first..biases));
            } else {
                for neuron in 0..outputs {
                    places.push(biases + neuron);
                    places.extend((0..inputs).map(|input| first + input * outputs + neuron));
                }
            }
            first = biases + outputs;
        }
        let hidden = &sizes[1..sizes.len() - 1];
        let kept = hidden.split_last().map_or(&[][..], |(_, kept)| kept);
        Self {
            places,
            widths: hidden.iter().map(|&width| width as u32).collect(),
            last_layer,
            widest: kept.iter().copied().max().unwrap_or(0) as u32,
            activation: match activation {
                Activation::Relu => ACTIVATION_RELU,
                Activation::Tanh => ACTIVATION_TANH,
                Activation::Sigmoid => ACTIVATION_SIGMOID,
                Activation::Identity => ACTIVATION_IDENTITY,
                Activation::Selu => ACTIVATION_SELU,
            },
        }
    }

    /// The parameters of a perceptron, packed.
    pub(crate) fn pack(&self, parameters: &[f32]) -> impl Iterator<Item = f32> {
        self.places.iter().map(|&place| parameters[place as usize])
    }

    /// Numbers of shared memory that a block of so many threads has for its neurons: two rows of the widest layer.
    pub(crate) fn neurons(&self, threads: u32) -> usize {
        2 * self.widest as usize * threads as usize
    }

    /// Number of hidden layers.
    pub(crate) fn hidden(&self) -> u32 {
        self.widths.len() as u32
    }

    /// Of the hidden layers; a buffer is never empty.
    pub(crate) fn widths(&self, gpu: &Gpu) -> Result<Buffer<u32>> {
        Buffer::of(gpu, if self.widths.is_empty() { &[0] } else { &self.widths })
    }

    /// What the kernels need to know of the perceptrons, and where results are to be put; the rest is zero.
    pub(super) fn args(&self, widths: &Buffer<u32>, queue: &Buffer<u32>, outcomes: &Outcomes) -> WorldArgs {
        WorldArgs {
            policy: Pointer::NULL,
            widths: widths.pointer(),
            queue: queue.pointer(),
            rewards: outcomes.rewards.pointer(),
            last_rewards: outcomes.last_rewards.pointer(),
            lengths: outcomes.lengths.pointer(),
            terminated: outcomes.terminated.pointer(),
            seed: 0,
            action_seed: 0,
            gymnasium: 0,
            count: 0,
            limit: 0,
            parameters: self.places.len() as u32,
            hidden: self.hidden(),
            last_layer: self.last_layer,
            widest: self.widest,
            activation: self.activation,
        }
    }
}
