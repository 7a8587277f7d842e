//! Policies: multilayer perceptrons that answer what a world shows, and the files they come from.
//!
//! ```text
//! x1 = f(x0 W1 + b1),    x2 = f(x1 W2 + b2),    ...,    outputs = x Wn + bn
//! ```
//!
//! Lanes are environments: all of them have the same weights. Every sum starts at its bias and adds the inputs in their
//! order, so the bits of an output depend neither on how many lanes there are nor on the instruction set.

mod file;
pub(crate) mod npz;
pub(crate) mod safetensors;
#[cfg(test)]
mod tests;

pub(crate) use file::{Tensor, is_finite};

use crate::cpu::{Aligned, Begin, LANES, Pair, Rows, RowsMut, Vector, product_strip};
use crate::num::{selu, sigmoid, tanh};
use crate::world::{Actions, Spec};

/// What becomes of the sums of all layers but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// max(x, 0); NaN stays NaN.
    #[default]
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// x.
    Identity,
    /// Scaled exponential linear unit, see [`selu`].
    Selu,
}

impl Activation {
    /// All that there are.
    pub const ALL: [Self; 5] = [Self::Relu, Self::Tanh, Self::Sigmoid, Self::Identity, Self::Selu];

    /// As it stands in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Identity => "identity",
            Self::Selu => "selu",
        }
    }

    /// Of whole registers of sums.
    #[inline(always)]
    fn apply<V: Vector>(self, rows: &mut [f32]) {
        match self {
            Self::Relu => each::<V>(rows, |x| x.at_least(V::splat(0.0))),
            Self::Tanh => each::<V>(rows, tanh),
            Self::Sigmoid => each::<V>(rows, sigmoid),
            Self::Identity => {}
            Self::Selu => rows.iter_mut().for_each(|x| *x = selu(*x)),
        }
    }
}

#[inline(always)]
fn each<V: Vector>(rows: &mut [f32], f: impl Fn(V) -> V) {
    for x in rows.chunks_exact_mut(V::WIDTH) {
        f(V::load(x)).store(x);
    }
}

/// A multilayer perceptron of any depth.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    activation: Activation,
    /// Inputs, hidden layers, outputs.
    sizes: Vec<usize>,
    /// W1, b1, W2, ...; a matrix is `[input][output]`.
    parameters: Vec<f32>,
}

impl Mlp {
    /// All parameters zero. `sizes` are the number of inputs, of the neurons of each hidden layer, and of outputs.
    ///
    /// # Panics
    /// When there are less than two sizes, or one is 0.
    pub fn new(sizes: &[usize], activation: Activation) -> Self {
        assert!(sizes.len() >= 2 && !sizes.contains(&0), "layers of {sizes:?} neurons");
        let parameters = sizes.windows(2).map(|layer| (layer[0] + 1) * layer[1]).sum();
        Self { activation, sizes: sizes.to_vec(), parameters: vec![0.0; parameters] }
    }

    /// Number of inputs, of the neurons of each hidden layer, and of outputs.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Of the hidden layers.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// W1, b1, W2, ... in one vector, of which an optimiser need know no more; a matrix is `[input][output]`.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// See [`Mlp::parameters`].
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// Whether it sees as many numbers as the world shows, and gives as many as it takes.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, world: &Spec) -> std::result::Result<(), String> {
        let Spec { name, observations, actions, .. } = world;
        let takes = match actions {
            Actions::Discrete(count) => format!("{count} actions"),
            Actions::Continuous(count) => format!("{count} numbers as its action"),
        };
        let refuse = |layer: usize, why: String| {
            let shape = &self.sizes[layer - 1..=layer];
            Err(format!(
                "W{layer} is {shape:?}, but {name} {why}; try: a policy of {name} ({observations} observations, {takes})"
            ))
        };
        let last = self.sizes.len() - 1;
        if self.sizes[0] != *observations {
            refuse(1, format!("has {observations} observations"))
        } else if self.sizes[last] != actions.outputs() {
            refuse(last, format!("takes {takes}"))
        } else {
            Ok(())
        }
    }

    /// Outputs for `lanes` environments, `[output][lane]`, from their `observations`, `[observation][lane]`.
    ///
    /// # Panics
    /// When `lanes` fill no whole registers, a slice is too short, or `scratch` is of a policy with smaller layers.
    #[inline(always)]
    pub fn outputs<V: Vector>(&self, lanes: usize, observations: &[f32], scratch: &mut Scratch, out: &mut [f32]) {
        assert!(
            lanes.is_multiple_of(V::WIDTH) && observations.len() >= self.sizes[0] * lanes,
            "observations of {lanes} lanes"
        );
        let mut first = 0;
        while first + 2 * V::WIDTH <= lanes {
            self.strip::<Pair<V>>(Rows(&observations[first..], lanes), scratch, &mut out[first..]);
            first += 2 * V::WIDTH;
        }
        while first < lanes {
            self.strip::<V>(Rows(&observations[first..], lanes), scratch, &mut out[first..]);
            first += V::WIDTH;
        }
    }

    /// A register of lanes through all layers: what lies between them stays in the nearest cache.
    #[inline(always)]
    fn strip<V: Vector>(&self, observations: Rows<'_>, scratch: &mut Scratch, out: &mut [f32]) {
        let Scratch { before, behind } = scratch;
        let last = self.sizes.len() - 2;
        let mut parameters = &self.parameters[..];
        for layer in 0..=last {
            let (inputs, outputs) = (self.sizes[layer], self.sizes[layer + 1]);
            let (weights, rest) = parameters.split_at(inputs * outputs);
            let (bias, rest) = rest.split_at(outputs);
            parameters = rest;
            let shown = if layer == 0 { observations } else { Rows(before, V::WIDTH) };
            let end = if layer == last { RowsMut(out, observations.1) } else { RowsMut(behind, V::WIDTH) };
            product_strip::<V, _, _>(weights, outputs, [shown, Rows::NONE], Bias(bias), end);
            if layer < last {
                self.activation.apply::<V>(&mut behind[..outputs * V::WIDTH]);
                std::mem::swap(before, behind);
            }
        }
    }
}

/// Sums that start from a bias for each column.
#[derive(Clone, Copy)]
struct Bias<'a>(&'a [f32]);

impl Begin for Bias<'_> {
    #[inline(always)]
    fn begin<V: Vector, const M: usize>(self, column: usize) -> [V; M] {
        let biases = &self.0[column..column + M];
        let mut sums = [V::splat(0.0); M];
        for m in 0..M {
            sums[m] = V::splat(biases[m]);
        }
        sums
    }
}

/// Working rows of [`Mlp::outputs`], one for each thread.
#[derive(Debug, Clone)]
pub struct Scratch {
    before: Aligned,
    behind: Aligned,
}

impl Scratch {
    /// For policies with the sizes of this one.
    pub fn new(policy: &Mlp) -> Self {
        let hidden = &policy.sizes[1..policy.sizes.len() - 1];
        // The widest register is a pair.
        let rows = Aligned::new(hidden.iter().max().unwrap_or(&0) * 2 * LANES);
        Self { before: rows.clone(), behind: rows }
    }
}
