//! Separable natural evolution strategy (Schaul, Glasmachers & Schmidhuber 2011), as SynaptoGen uses it (Algorithm 2):
//!
//! ```text
//! centre += eta * sigma * sum_k u_k eps_k
//! sigma  *= exp(eta_sigma / 2 * sum_k u_k (eps_k^2 - 1))
//! ```
//!
//! The centre moves with the old sigma. Of equal fitness values the later offspring ranks higher.

use super::shaping::{Ties, by_rank, nes_utilities};
use super::{Optimiser, Spread, Sums};
use crate::config;
use crate::num;

/// 4 + floor(3 ln d), the usual population for d parameters.
pub fn default_population(parameters: usize) -> usize {
    4 + (3.0 * (parameters as f64).ln()).floor() as usize
}

/// 0.6 (3 + ln d) / (3 sqrt d), the step of the log standard deviations for d parameters.
pub fn default_sigma_rate(parameters: usize) -> f32 {
    let d = parameters as f32;
    0.6 * (3.0 + num::ln(d)) / (3.0 * d.sqrt())
}

/// The strategy with its centre; the vector it saves is `sigma`, one for each parameter.
pub struct Snes {
    centre: Vec<f32>,
    sigma: Vec<f32>,
    /// Utility of each rank, best first.
    utilities: Vec<f32>,
    rate: f32,
    sigma_rate: f32,
}

impl Snes {
    /// `population` offspring around `centre`.
    pub fn new(config: &config::Snes, population: usize, centre: Vec<f32>) -> Self {
        Self {
            sigma: vec![config.sigma; centre.len()],
            utilities: nes_utilities(population),
            rate: config.learning_rate,
            sigma_rate: config.sigma_learning_rate.unwrap_or_else(|| default_sigma_rate(centre.len())),
            centre,
        }
    }
}

impl Optimiser for Snes {
    fn centre(&self) -> &[f32] {
        &self.centre
    }

    fn spread(&self) -> Spread<'_> {
        Spread::Each(&self.sigma)
    }

    fn needs_second(&self) -> bool {
        true
    }

    fn utilities(&self, fitness: &[f32]) -> Vec<f32> {
        by_rank(fitness, Ties::HigherIndex, &self.utilities)
    }

    fn update(&mut self, sums: &Sums) {
        let each = self.centre.iter_mut().zip(&mut self.sigma).zip(&sums.first).zip(&sums.second);
        for (((x, sigma), first), second) in each {
            *x += self.rate * *sigma * first;
            *sigma *= num::exp(0.5 * self.sigma_rate * second);
        }
    }

    fn vectors(&self) -> Vec<(String, Vec<f32>)> {
        vec![("sigma".into(), self.sigma.clone())]
    }

    fn restore(&mut self, centre: &[f32], vectors: &[(String, Vec<f32>)]) {
        self.centre.copy_from_slice(centre);
        if let Some((_, sigma)) = vectors.first() {
            self.sigma.copy_from_slice(sigma);
        }
    }
}
