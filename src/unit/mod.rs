//! Units: the small recurrent networks whose parameters are evolved (equation 1 of Bertens & Lee 2020 and its
//! comparisons). A file a unit; here is what they share: the order of the matrices, the state, and the step.
//!
//! All instances that share weights (the environments of an offspring, the synapses of a network) step together, one
//! per lane. Row vectors, `gate = u W` with W of shape (K, M) in C order, no biases; the rows of a gate matrix are
//! ordered [memory | fed-back outputs | inputs].

mod enu;
mod gru;
mod lstm;

use crate::cpu::{Aligned, Begin, End, LANES, Pair, Rows, RowsMut, Vector, Zero, padded, product_strip};
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

    /// Names of the matrices, in the same order, as the equations have them.
    pub fn matrix_names(&self) -> &'static [&'static str] {
        match self.kind {
            UnitKind::Enu | UnitKind::Nfenu | UnitKind::Gru => &["Wz", "Wr", "Wc", "Wo"],
            UnitKind::Lstm => &["Wi", "Wf", "Wg", "Wy", "Wo"],
        }
    }

    /// Outputs are clipped to [0, 1].
    pub fn is_clipped(&self) -> bool {
        matches!(self.kind, UnitKind::Enu | UnitKind::Nfenu)
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
    /// Length of a row, at least the number of instances.
    pub lanes: usize,
    /// Lanes that a step computes: those of the instances, rounded up to a multiple of [`LANES`].
    active: usize,
    /// Memory h, `[memory][lane]`.
    pub memory: Aligned,
    /// Memory cell c of the LSTM, `[memory][lane]`; empty for the others.
    pub cell: Aligned,
    /// Outputs of the last step, then inputs of the next: `[outputs + inputs][lane]`, one block so that both are rows
    /// of one product; with room for a register behind them.
    outputs_and_inputs: Aligned,
    /// Gate values of the strip in work, for two gates: `[gate][memory][lane of the strip]`.
    gates: Aligned,
}

/// What the sums of the gates start from.
pub(crate) trait Start {
    /// For a gate, in the lanes from `lane` on.
    fn gate<V: Vector>(&self, gate: usize, lane: usize) -> impl Begin;
}

impl Start for Zero {
    #[inline(always)]
    fn gate<V: Vector>(&self, _: usize, _: usize) -> impl Begin {
        Self
    }
}

/// A few lanes in the middle of a step: rows begin at the strip's first lane, a row's length on lies the next.
struct Strip<'a> {
    memory: &'a mut [f32],
    cell: &'a mut [f32],
    /// The rows that every gate reads behind the memory: fed-back outputs and live inputs.
    behind: Rows<'a>,
    /// The strip's first.
    lane: usize,
    lanes: usize,
    gates: &'a mut [f32],
}

impl Instances {
    /// `count` instances at rest: memory and outputs zero.
    pub fn new(shape: Shape, count: usize) -> Self {
        let active = padded(count);
        // Long rows an odd number of cache lines apart: an even number would put the rows of a strip into few sets.
        let lanes = if active > 2 * LANES { active | LANES } else { active };
        let cell = if shape.kind == UnitKind::Lstm { shape.memory * lanes } else { 0 };
        Self {
            shape,
            lanes,
            active,
            memory: Aligned::new(shape.memory * lanes),
            cell: Aligned::new(cell),
            outputs_and_inputs: Aligned::new((shape.outputs + shape.inputs) * lanes + LANES),
            gates: Aligned::new(2 * shape.memory * 2 * LANES),
        }
    }

    /// Step only the first `count` instances from now on.
    ///
    /// # Panics
    /// When there is no room for so many.
    pub fn resize(&mut self, count: usize) {
        self.active = padded(count);
        assert!(self.active <= self.lanes, "{count} instances in rows of {}", self.lanes);
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
        &mut self.outputs_and_inputs[self.shape.outputs * self.lanes..][..self.shape.inputs * self.lanes]
    }

    /// [`Instances::outputs`] and what lies behind them: at least a register's length.
    #[inline(always)]
    pub(crate) fn outputs_and_behind(&self) -> &[f32] {
        &self.outputs_and_inputs
    }

    /// [`Instances::inputs_mut`] with a register's length more, for stores that run over.
    #[inline(always)]
    pub(crate) fn inputs_and_room_mut(&mut self) -> &mut [f32] {
        &mut self.outputs_and_inputs[self.shape.outputs * self.lanes..]
    }

    /// All that lasts from one step to the next: memory, cell and outputs, each rows of `lanes`.
    pub(crate) fn state_mut(&mut self) -> [&mut [f32]; 3] {
        [&mut self.memory, &mut self.cell, &mut self.outputs_and_inputs[..self.shape.outputs * self.lanes]]
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
        self.step_from::<V, _>(weights, live, noise, &Zero);
    }

    /// [`Instances::step`] with the gates' sums starting from what `start` gives.
    #[inline(always)]
    pub(crate) fn step_from<V: Vector, S: Start>(
        &mut self,
        weights: &[f32],
        live: usize,
        noise: Option<&[f32]>,
        start: &S,
    ) {
        let mut first = 0;
        while first + 2 * V::WIDTH <= self.active {
            self.step_strip::<Pair<V>, S>(weights, live, noise, start, first);
            first += 2 * V::WIDTH;
        }
        while first < self.active {
            self.step_strip::<V, S>(weights, live, noise, start, first);
            first += V::WIDTH;
        }
    }

    /// A vector of lanes, from `first` on, through the whole step: all that they touch stays in the nearest cache.
    #[inline(always)]
    fn step_strip<V: Vector, S: Start>(
        &mut self,
        weights: &[f32],
        live: usize,
        noise: Option<&[f32]>,
        start: &S,
        first: usize,
    ) {
        let (shape, lanes) = (self.shape, self.lanes);
        let (gate_weights, read_out) = weights.split_at(shape.gates() * shape.gate_rows() * shape.memory);
        let behind = (shape.outputs - shape.feedback()) * lanes + first..(shape.outputs + live) * lanes;
        let strip = Strip {
            memory: &mut self.memory[first..],
            cell: self.cell.get_mut(first..).unwrap_or(&mut []),
            behind: Rows(self.outputs_and_inputs.get(behind).unwrap_or(&[]), lanes),
            lane: first,
            lanes,
            gates: &mut self.gates,
        };
        match shape.kind {
            UnitKind::Enu | UnitKind::Nfenu | UnitKind::Gru => gru::remember::<V, S>(strip, gate_weights, shape, start),
            UnitKind::Lstm => lstm::remember::<V, S>(strip, gate_weights, shape, start),
        }
        let end = Outputs {
            outputs: RowsMut(&mut self.outputs_and_inputs[first..], lanes),
            noise: noise.map(|noise| Rows(&noise[first..], lanes)),
            is_clipped: shape.is_clipped(),
        };
        let parts = [Rows(&self.memory[first..], lanes), Rows::NONE];
        product_strip::<V, _, _>(read_out, shape.outputs, parts, Zero, end);
    }
}

/// The read-out's sums as the unit's outputs.
struct Outputs<'a> {
    outputs: RowsMut<'a>,
    noise: Option<Rows<'a>>,
    is_clipped: bool,
}

impl End for Outputs<'_> {
    #[inline(always)]
    fn end<V: Vector>(&mut self, column: usize, sums: V) {
        let outputs = match self.noise {
            Some(noise) => sums.add(noise.load(column)),
            None => sums,
        };
        self.outputs.store(column, if self.is_clipped { enu::clip(outputs) } else { outputs });
    }
}
