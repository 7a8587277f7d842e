//! A multilayer perceptron that learns by gradient: rectified linear units, and outputs as they are.
//!
//! Neurons lie in lanes and examples in rows, as in [`crate::synaptogen::network`]: nothing is summed across lanes, and
//! every sum has one order. Rows of weights are padded to whole lanes with zeros, and their gradient is zero there.

use crate::cpu::matrix::{Left, Product, Start, transpose};
use crate::cpu::{Aligned, Rows, RowsMut, Vector, padded};
use crate::rng::{Row, Stream};

/// Weights and biases, and the working rows of a batch of at most so many examples.
#[derive(Debug, Clone)]
pub(super) struct Network {
    sizes: Vec<usize>,
    /// W1, b1, W2, ...; a matrix is `[input][output lane]`.
    pub(super) parameters: Aligned,
    /// Of the same form, see [`Network::backward`].
    pub(super) gradient: Aligned,
    /// Inputs, hidden layers, outputs, `[example][lane]`.
    activities: Vec<Aligned>,
    /// dLoss / dsum of every layer, and of the inputs, `[example][lane]`.
    slopes: Vec<Aligned>,
    /// The matrix of a layer turned to `[output][input lane]`.
    turned: Aligned,
}

impl Network {
    /// `sizes` are the number of inputs, of the neurons of each hidden layer, and of outputs. First parameters are
    /// uniform within 1 / sqrt(inputs) of 0, those of the last layer within `last` (Lillicrap et al. 2016), from the
    /// rows of the first parameters with an index from `index` on.
    pub(super) fn new(sizes: &[usize], examples: usize, last: f32, seed: u64, index: u32) -> Self {
        let rows = || sizes.iter().map(|&n| Aligned::new(examples * padded(n))).collect();
        let layers = || sizes.windows(2).map(|pair| (pair[0], pair[1]));
        let mut parameters = Aligned::new(layers().map(|(inputs, outputs)| (inputs + 1) * padded(outputs)).sum());
        let mut rest = &mut parameters[..];
        for (layer, (inputs, outputs)) in layers().enumerate() {
            let bound = if layer + 2 == sizes.len() { last } else { 1.0 / (inputs as f32).sqrt() };
            let row = Row { seed, stream: Stream::Initial, generation: 0, index: index + layer as u32 };
            let mut uniforms = vec![0.0; (inputs + 1) * outputs];
            row.uniforms(0, &mut uniforms);
            let (own, others) = rest.split_at_mut((inputs + 1) * padded(outputs));
            rest = others;
            for (lanes, uniforms) in own.chunks_mut(padded(outputs)).zip(uniforms.chunks(outputs)) {
                lanes.iter_mut().zip(uniforms).for_each(|(x, uniform)| *x = bound * (2.0 * uniform - 1.0));
            }
        }
        Self {
            gradient: Aligned::new(parameters.len()),
            parameters,
            activities: rows(),
            slopes: rows(),
            turned: Aligned::new(layers().map(|(inputs, outputs)| outputs * padded(inputs)).max().unwrap_or(0)),
            sizes: sizes.to_vec(),
        }
    }

    /// What it sees in an example.
    #[inline(always)]
    pub(super) fn input_mut(&mut self, example: usize) -> &mut [f32] {
        let inputs = self.sizes[0];
        &mut self.activities[0][example * padded(inputs)..][..inputs]
    }

    /// What it answers to an example.
    #[inline(always)]
    pub(super) fn output(&self, example: usize) -> &[f32] {
        let last = self.sizes.len() - 1;
        &self.activities[last][example * padded(self.sizes[last])..][..self.sizes[last]]
    }

    /// dLoss / doutput of an example, for [`Network::backward`].
    #[inline(always)]
    pub(super) fn output_slopes_mut(&mut self, example: usize) -> &mut [f32] {
        let last = self.sizes.len() - 1;
        &mut self.slopes[last][example * padded(self.sizes[last])..][..self.sizes[last]]
    }

    /// dLoss / dinput of an example, after [`Network::backward`].
    #[inline(always)]
    pub(super) fn input_slopes(&self, example: usize) -> &[f32] {
        &self.slopes[0][example * padded(self.sizes[0])..][..self.sizes[0]]
    }

    /// Outputs of the first `examples` inputs.
    #[inline(always)]
    pub(super) fn forward<V: Vector>(&mut self, examples: usize) {
        let last = self.sizes.len() - 1;
        let mut first = 0;
        for layer in 0..last {
            let (inputs, lanes) = (self.sizes[layer], padded(self.sizes[layer + 1]));
            let (weights, bias) = self.parameters[first..][..(inputs + 1) * lanes].split_at(inputs * lanes);
            first += (inputs + 1) * lanes;
            let (before, behind) = self.activities.split_at_mut(layer + 1);
            let sums = Product {
                rows: examples,
                inner: inputs,
                lanes,
                left: Left::Rows(&before[layer], padded(inputs)),
                right: Rows(weights, lanes),
                start: Start::Row(bias),
            };
            sums.write::<V>(RowsMut(&mut behind[0], lanes));
            if layer + 1 < last {
                // NaN stays NaN.
                behind[0][..examples * lanes].iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x });
            }
        }
    }

    /// From the slopes of the first `examples` outputs to the gradient, summed over examples, and to the slopes of the
    /// inputs; after [`Network::forward`].
    #[inline(always)]
    pub(super) fn backward<V: Vector>(&mut self, examples: usize) {
        let mut end = self.parameters.len();
        for layer in (0..self.sizes.len() - 1).rev() {
            let [inputs, outputs] = [self.sizes[layer], self.sizes[layer + 1]];
            let [input_lanes, lanes] = [padded(inputs), padded(outputs)];
            let first = end - (inputs + 1) * lanes;
            let (before, behind) = self.slopes.split_at_mut(layer + 1);
            let slopes = &behind[0][..examples * lanes];
            let (weights, bias) = self.gradient[first..end].split_at_mut(inputs * lanes);
            bias.fill(0.0);
            for slopes in slopes.chunks_exact(lanes) {
                bias.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
            }
            let sums = Product {
                rows: inputs,
                inner: examples,
                lanes,
                left: Left::Columns(&self.activities[layer], input_lanes),
                right: Rows(slopes, lanes),
                start: Start::Zero,
            };
            sums.write::<V>(RowsMut(weights, lanes));
            let turned = &mut self.turned[..outputs * input_lanes];
            transpose(Rows(&self.parameters[first..end], lanes), inputs, outputs, RowsMut(turned, input_lanes));
            for turned in turned.chunks_exact_mut(input_lanes) {
                turned[inputs..].fill(0.0);
            }
            let sums = Product {
                rows: examples,
                inner: outputs,
                lanes: input_lanes,
                left: Left::Rows(slopes, lanes),
                right: Rows(turned, input_lanes),
                start: Start::Zero,
            };
            sums.write::<V>(RowsMut(&mut before[layer], input_lanes));
            if layer > 0 {
                let activities = self.activities[layer].iter();
                for (slope, activity) in before[layer][..examples * input_lanes].iter_mut().zip(activities) {
                    *slope = if *activity > 0.0 { *slope } else { 0.0 };
                }
            }
            end = first;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cpu::{InstructionSet, Kernel};

    const SIZES: [usize; 4] = [5, 19, 33, 3];
    const EXAMPLES: usize = 7;

    /// Forward, and backward from given slopes.
    struct Pass<'a>(&'a mut Network);

    impl Kernel for Pass<'_> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector>(self) {
            self.0.forward::<V>(EXAMPLES);
            for example in 0..EXAMPLES {
                let slopes = self.0.output_slopes_mut(example);
                slopes.iter_mut().enumerate().for_each(|(i, slope)| *slope = factor(example, i));
            }
            self.0.backward::<V>(EXAMPLES);
        }
    }

    /// The loss is the sum of outputs times these.
    fn factor(example: usize, output: usize) -> f32 {
        (example as f32 - 2.5) * 0.25 + output as f32
    }

    fn network() -> Network {
        let mut network = Network::new(&SIZES, EXAMPLES, 0.5, 11, 0);
        for example in 0..EXAMPLES {
            let row = Row { seed: 12, stream: Stream::Fresh, generation: 0, index: example as u32 };
            row.normals(0, network.input_mut(example));
        }
        network
    }

    pub fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|&x| x.into()).collect()
    }

    /// In double precision, by loops that have nothing of the network but where its parameters are.
    pub fn outputs(sizes: &[usize], parameters: &[f64], input: &[f64]) -> Vec<f64> {
        let (mut x, mut rest) = (input.to_vec(), parameters);
        for (layer, pair) in sizes.windows(2).enumerate() {
            let lanes = padded(pair[1]);
            let out = |j: usize| {
                let sum: f64 = x.iter().enumerate().map(|(i, x)| x * rest[i * lanes + j]).sum();
                let sum = sum + rest[pair[0] * lanes + j];
                if layer + 2 < sizes.len() { sum.max(0.0) } else { sum }
            };
            x = (0..pair[1]).map(out).collect();
            rest = &rest[(pair[0] + 1) * lanes..];
        }
        x
    }

    fn loss(inputs: &[Vec<f64>], parameters: &[f64]) -> f64 {
        let of_example = |(example, input): (usize, &Vec<f64>)| -> f64 {
            let outputs = outputs(&SIZES, parameters, input);
            outputs.iter().enumerate().map(|(i, x)| x * f64::from(factor(example, i))).sum()
        };
        inputs.iter().enumerate().map(of_example).sum()
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let mut network = network();
        InstructionSet::best().run(Pass(&mut network));
        let mut inputs: Vec<_> = (0..EXAMPLES).map(|example| wide(network.input_mut(example))).collect();
        let mut parameters = wide(&network.parameters);
        // So small that no unit but by rare chance passes 0 within it, and far above the rounding of f64; what is left
        // is the rounding of f32 in sums of a few dozen terms of size 1 to 10.
        const STEP: f64 = 1e-6;
        let close = |what: &str, seen: f32, up: f64, down: f64| {
            let expected = (up - down) / (2.0 * STEP);
            assert!((f64::from(seen) - expected).abs() < 1e-5 * (10.0 + expected.abs()), "{what}: {seen}, {expected}");
        };
        for i in 0..parameters.len() {
            let here = parameters[i];
            let [up, down] = [STEP, -STEP].map(|step| {
                parameters[i] = here + step;
                loss(&inputs, &parameters)
            });
            parameters[i] = here;
            close(&format!("parameter {i}"), network.gradient[i], up, down);
        }
        for example in 0..EXAMPLES {
            for i in 0..SIZES[0] {
                let here = inputs[example][i];
                let [up, down] = [STEP, -STEP].map(|step| {
                    inputs[example][i] = here + step;
                    loss(&inputs, &parameters)
                });
                inputs[example][i] = here;
                close(&format!("input {i} of {example}"), network.input_slopes(example)[i], up, down);
            }
        }
    }

    #[test]
    fn bits_are_those_of_any_instruction_set() {
        let passed: Vec<_> = InstructionSet::available()
            .map(|instructions| {
                let mut network = network();
                instructions.run(Pass(&mut network));
                let slopes = (0..EXAMPLES).flat_map(|example| network.input_slopes(example).to_vec());
                network.gradient.iter().copied().chain(slopes).map(f32::to_bits).collect::<Vec<u32>>()
            })
            .collect();
        assert!(passed.iter().all(|bits| *bits == passed[0]));
    }

    #[test]
    fn padding_stays_zero() {
        let mut network = network();
        InstructionSet::best().run(Pass(&mut network));
        let mut first = 0;
        for pair in SIZES.windows(2) {
            for _ in 0..=pair[0] {
                let row = first + pair[1]..first + padded(pair[1]);
                assert!(network.parameters[row.clone()].iter().chain(&network.gradient[row]).all(|&x| x == 0.0));
                first += padded(pair[1]);
            }
        }
        assert_eq!(first, network.parameters.len());
    }
}
