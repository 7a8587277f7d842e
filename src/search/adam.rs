//! Adam (Kingma & Ba 2015) on a gradient whose norm may be clipped, in the order of operations of PyTorch.
//!
//! ```text
//! g *= min(1, clip / (|g| + 1e-6))
//! m = 0.9 m + 0.1 g,   s = 0.999 s + 0.001 g^2
//! x -= rate / (1 - 0.9^t) * m / (sqrt(s) / sqrt(1 - 0.999^t) + 1e-8)
//! ```

use crate::cpu::{Kernel, LANES, Vector};

const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// What is less, 2^-110, counts as 0: it is nothing beside epsilon, and with subnormal numbers, which a gradient that fades
/// leaves behind, processors take a hundred times as long.
const LEAST: f32 = f32::from_bits((127 - 110) << 23);
/// The same for what is squared, 2^-50.
const LEAST_SQUARED: f32 = f32::from_bits((127 - 50) << 23);

/// The optimiser's state.
#[derive(Debug, Clone)]
pub struct Adam {
    rate: f64,
    /// Largest norm of a gradient that is left as it is.
    clip: f32,
    mean: Vec<f32>,
    square: Vec<f32>,
    /// The betas to the power of the number of steps.
    powers: [f64; 2],
}

impl Adam {
    /// For so many parameters; with an infinite `clip` gradients are left as they are.
    pub fn new(rate: f64, clip: f32, parameters: usize) -> Self {
        Self { rate, clip, mean: vec![0.0; parameters], square: vec![0.0; parameters], powers: [1.0; 2] }
    }

    /// Mean and square of the gradients, and the betas to the power of the number of steps.
    pub fn state(&self) -> [Vec<f64>; 3] {
        let wide = |vector: &[f32]| vector.iter().map(|&x| x.into()).collect();
        [wide(&self.mean), wide(&self.square), self.powers.to_vec()]
    }

    /// Take what [`Adam::state`] gave.
    ///
    /// # Panics
    /// When it was of another number of parameters.
    pub fn restore(&mut self, [mean, square, powers]: [&[f64]; 3]) {
        assert!(mean.len() == self.mean.len() && square.len() == self.square.len(), "parameters");
        self.mean = mean.iter().map(|&x| x as f32).collect();
        self.square = square.iter().map(|&x| x as f32).collect();
        self.powers.copy_from_slice(powers);
    }

    /// One step down the gradient; gives its norm before it was clipped.
    ///
    /// # Panics
    /// When there are not as many parameters as said.
    #[inline(always)]
    pub fn step<V: Vector>(&mut self, parameters: &mut [f32], gradient: &[f32]) -> f32 {
        assert!(parameters.len() == self.mean.len() && gradient.len() == self.mean.len(), "parameters");
        V::apart(Step { adam: self, parameters, gradient })
    }
}

struct Step<'a> {
    adam: &'a mut Adam,
    parameters: &'a mut [f32],
    gradient: &'a [f32],
}

impl Kernel for Step<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        let Self { adam: Adam { rate, clip, mean, square, powers }, parameters, gradient } = self;
        let norm = norm(gradient);
        let factor = *clip / (norm + 1e-6);
        let factor = if factor > 1.0 { 1.0 } else { factor };
        *powers = [powers[0] * BETAS[0], powers[1] * BETAS[1]];
        let step = (*rate / (1.0 - powers[0])) as f32;
        let root = (1.0 - powers[1]).sqrt() as f32;
        let [keep_mean, keep_square] = BETAS.map(|beta| beta as f32);
        let [take_mean, take_square] = BETAS.map(|beta| (1.0 - beta) as f32);
        for (((x, m), s), g) in parameters.iter_mut().zip(mean).zip(square).zip(gradient) {
            let g = above(*g, LEAST) * factor;
            let squared = above(g, LEAST_SQUARED);
            *m = above(keep_mean * *m + take_mean * g, LEAST);
            *s = above(keep_square * *s + take_square * (squared * squared), LEAST);
            *x -= step * (*m / (s.sqrt() / root + EPSILON));
        }
        norm
    }
}

/// `x`, or 0 where it is nearer to 0 than `least`.
#[inline(always)]
fn above(x: f32, least: f32) -> f32 {
    if x.abs() < least { 0.0 } else { x }
}

/// Euclidean norm: squares are summed in [`LANES`] parts, and the parts in their order.
#[inline(always)]
fn norm(vector: &[f32]) -> f32 {
    let mut parts = [0.0; LANES];
    for piece in vector.chunks(LANES) {
        for (part, x) in parts.iter_mut().zip(piece) {
            let x = above(*x, LEAST_SQUARED);
            *part = x.mul_add(x, *part);
        }
    }
    parts.iter().fold(0.0, |sum: f32, part| sum + part).sqrt()
}
