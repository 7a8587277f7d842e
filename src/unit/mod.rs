//! Units: the small recurrent networks whose parameters are evolved (equation 1 of Bertens & Lee 2020 and its
//! comparisons). A file a unit; here is what they share: the order of the matrices, the state, and the step.
//!
//! All instances that share weights (the environments of an offspring, the synapses of a network) step together, one
//! per lane. Row vectors, `gate = u W` with W of shape (K, M) in C order, no biases; the rows of a gate matrix are
//! ordered [memory | fed-back outputs | inputs].

mod enu;
mod gru;
mod lstm;

use crate::cpu::{Vector, padded, product};
use crate::registry::UnitKind;

/// Kind and sizes of a unit: all that its matrices follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Which equations.
    pub kind: UnitKind,
    /// Input channels.
    pub inputs: usize,
    /// Length of the hidden state h.
    pub memory: usize,
    /// Output channels.
    pub outputs: usize,
}

impl Shape {
    /// Gate matrices: (memory + feedback + inputs) x memory each.
    pub fn gates(&self) -> usize {
        match self.kind {
            UnitKind::Enu | UnitKind::Nfenu | UnitKind::Gru => 3,
            UnitKind::Lstm => 4,
        }
    }

    /// Outputs that are fed back into the gates.
    pub fn feedback(&self) -> usize {
        if self.kind == UnitKind::Enu { self.outputs } else { 0 }
    }

    /// Rows of a gate matrix.
    pub fn gate_rows(&self) -> usize {
        self.memory + self.feedback() + self.inputs
    }

    /// (rows, columns) of the matrices in their order in the flat parameter vector: the gates, then the read-out.
    pub fn matrices(&self) -> impl Iterator<Item = (usize, usize)> {
        std::iter::repeat_n((self.gate_rows(), self.memory), self.gates()).chain([(self.memory, self.outputs)])
    }

    /// Length of the flat parameter vector.
    pub fn parameters(&self) -> usize {
        self.matrices().map(|(rows, columns)| rows * columns).sum()
    }

    /// Tanh and logistic functions of one step of one instance.
    pub fn functions(&self) -> usize {
        let each = if self.kind == UnitKind::Lstm { 5 } else { 3 };
        each * self.memory
    }

    /// Multiply-adds of one step of one instance when only the first `live` inputs are not zero throughout.
    pub fn multiply_adds(&self, live: usize) -> usize {
        self.gates() * (self.gate_rows() - self.inputs + live) * self.memory + self.memory * self.outputs
    }
}

/// State and working rows of the instances that step together.
#[derive(Debug, Clone)]
pub struct Instances {
    /// Of every instance.
    pub shape: Shape,
    /// Length of a row: their number rounded up to a multiple of [`crate::cpu::LANES`].
    pub lanes: usize,
    /// Memory h, `[memory][lane]`.
    pub memory: Vec<f32>,
    /// Memory cell c of the LSTM, `[memory][lane]`; empty for the others.
    pub cell: Vec<f32>,
    /// Outputs of the last step, then inputs of the next: `[outputs + inputs][lane]`, one block so that both are rows
    /// of one product.
    outputs_and_inputs: Vec<f32>,
    /// A matrix of gate values each, `[gate][memory][lane]`.
    gates: Vec<f32>,
}

impl Instances {
    /// `count` instances at rest: memory and outputs zero.
    pub fn new(shape: Shape, count: usize) -> Self {
        let lanes = padded(count);
        let cell = if shape.kind == UnitKind::Lstm { shape.memory * lanes } else { 0 };
        Self {
            shape,
            lanes,
            memory: vec![0.0; shape.memory * lanes],
            cell: vec![0.0; cell],
            outputs_and_inputs: vec![0.0; (shape.outputs + shape.inputs) * lanes],
            gates: vec![0.0; shape.gates() * shape.memory * lanes],
        }
    }

    /// Back to rest; the inputs are zeroed too.
    #[inline(always)]
    pub fn reset(&mut self) {
        self.memory.fill(0.0);
        self.cell.fill(0.0);
        self.outputs_and_inputs.fill(0.0);
    }

    /// Outputs of the last step, `[output][lane]`.
    #[inline(always)]
    pub fn outputs(&self) -> &[f32] {
        &self.outputs_and_inputs[..self.shape.outputs * self.lanes]
    }

    /// See [`Instances::outputs`]; for states that do not start at rest.
    pub fn outputs_mut(&mut self) -> &mut [f32] {
        &mut self.outputs_and_inputs[..self.shape.outputs * self.lanes]
    }

    /// Inputs of the next step, `[input][lane]`; they stay until they are overwritten.
    #[inline(always)]
    pub fn inputs_mut(&mut self) -> &mut [f32] {
        &mut self.outputs_and_inputs[self.shape.outputs * self.lanes..]
    }

    /// One step of every instance.
    ///
    /// `weights` is the flat parameter vector. Only the first `live` inputs are read: the others must be zero, and for
    /// finite weights leaving them out changes no value. `noise`, `[output][lane]`, is added to the read-out before any clip.
    ///
    /// # Panics
    /// When `weights` is shorter than the gates' matrices, or `live` is more than there are inputs.
    #[inline(always)]
    pub fn step<V: Vector>(&mut self, weights: &[f32], live: usize, noise: Option<&[f32]>) {
        let shape = self.shape;
        let (gates, read_out) = weights.split_at(shape.gates() * shape.gate_rows() * shape.memory);
        match shape.kind {
            UnitKind::Enu | UnitKind::Nfenu | UnitKind::Gru => gru::remember::<V>(self, gates, live),
            UnitKind::Lstm => lstm::remember::<V>(self, gates, live),
        }
        let outputs = &mut self.outputs_and_inputs[..shape.outputs * self.lanes];
        product::<V>(read_out, shape.outputs, [&self.memory, &[]], self.lanes, outputs);
        if let Some(noise) = noise {
            for (output, noise) in outputs.iter_mut().zip(noise) {
                *output += noise;
            }
        }
        if matches!(shape.kind, UnitKind::Enu | UnitKind::Nfenu) {
            enu::clip(outputs);
        }
    }

    /// The rows that every gate reads behind the memory: fed-back outputs and live inputs.
    #[inline(always)]
    fn gate_inputs(&self, live: usize) -> std::ops::Range<usize> {
        let first = self.shape.outputs - self.shape.feedback();
        first * self.lanes..(self.shape.outputs + live) * self.lanes
    }
}
