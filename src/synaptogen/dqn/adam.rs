//! Adam (Kingma & Ba 2015) on a gradient whose norm is clipped, in the order of operations of PyTorch.
//!
//! ```text
//! g *= min(1, clip / (|g| + 1e-6))
//! m = 0.9 m + 0.1 g,   s = 0.999 s + 0.001 g^2
//! x -= rate / (1 - 0.9^t) * m / (sqrt(s) / sqrt(1 - 0.999^t) + 1e-8)
//! ```

use crate::cpu::{Kernel, Vector};
use crate::synaptogen::matrix::dot;

const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

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
    /// For so many parameters.
    pub fn new(rate: f64, clip: f32, parameters: usize) -> Self {
        Self { rate, clip, mean: vec![0.0; parameters], square: vec![0.0; parameters], powers: [1.0; 2] }
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
        let norm = dot(gradient, gradient).sqrt();
        let factor = *clip / (norm + 1e-6);
        let factor = if factor > 1.0 { 1.0 } else { factor };
        *powers = [powers[0] * BETAS[0], powers[1] * BETAS[1]];
        let step = (*rate / (1.0 - powers[0])) as f32;
        let root = (1.0 - powers[1]).sqrt() as f32;
        let [keep_mean, keep_square] = BETAS.map(|beta| beta as f32);
        let [take_mean, take_square] = BETAS.map(|beta| (1.0 - beta) as f32);
        for (((x, m), s), g) in parameters.iter_mut().zip(mean).zip(square).zip(gradient) {
            let g = g * factor;
            *m = keep_mean * *m + take_mean * g;
            *s = keep_square * *s + take_square * g * g;
            *x -= step * (*m / (s.sqrt() / root + EPSILON));
        }
        norm
    }
}
