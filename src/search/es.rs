//! Evolution strategy of Bertens & Lee 2020 (Algorithm 1), with the reading of the update that learns: the gradient
//! estimate is the weighted mean of the mutations,
//!
//! ```text
//! G = sigma * sum_i w_i eps_i,    v = momentum * v + G,    centre += learning_rate * v
//! ```
//!
//! (taken literally, `sum F eps` with rate 1 would move the weights by more than their own size in every generation).
//! Options: antithetic pairs, Adam on the same G, weight decay, a sigma that shrinks.

use super::shaping::{Ties, by_rank, power_weights};
use super::{Optimiser, Spread, Sums};
use crate::config;

/// The strategy with its centre; the vectors it saves are `sigma` (1) and `velocity`, or `adam_mean`, `adam_square` and
/// `adam_powers` (2).
pub struct Es {
    config: config::Es,
    centre: Vec<f32>,
    schedule: Schedule,
    /// Weight of each rank, best first.
    weights: Vec<f32>,
    step: Step,
}

/// The numbers of a generation that follow from the config alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Spread of the mutations.
    pub sigma: f32,
    /// Adam's beta1^t and beta2^t after t updates.
    pub powers: [f32; 2],
}

impl Schedule {
    /// Of the first generation.
    pub fn new(config: &config::Es) -> Self {
        Self { sigma: config.sigma, powers: [1.0; 2] }
    }

    /// The bias corrections of the update that comes: of Adam's mean and of its square.
    pub fn correct(&mut self, adam: &config::Adam) -> [f32; 2] {
        self.powers = [self.powers[0] * adam.beta1, self.powers[1] * adam.beta2];
        self.powers.map(|power| 1.0 / (1.0 - power))
    }

    /// To the next generation.
    pub fn decay(&mut self, config: &config::Es) {
        self.sigma = (self.sigma * config.sigma_decay).max(config.sigma_min);
    }
}

/// How a gradient estimate becomes a step.
enum Step {
    Momentum { config: config::Momentum, velocity: Vec<f32> },
    Adam { config: config::Adam, mean: Vec<f32>, square: Vec<f32> },
}

impl Es {
    /// `population` offspring around `centre`.
    pub fn new(config: &config::Es, population: usize, centre: Vec<f32>) -> Self {
        let zeros = vec![0.0; centre.len()];
        let step = match &config.adam {
            Some(adam) => Step::Adam { config: adam.clone(), mean: zeros.clone(), square: zeros },
            None => Step::Momentum { config: config.momentum.clone().unwrap_or_default(), velocity: zeros },
        };
        let weights = power_weights(population, config.rank_exponent);
        Self { config: config.clone(), schedule: Schedule::new(config), centre, weights, step }
    }
}

impl Optimiser for Es {
    fn centre(&self) -> &[f32] {
        &self.centre
    }

    fn spread(&self) -> Spread<'_> {
        Spread::Uniform(self.schedule.sigma)
    }

    fn antithetic(&self) -> bool {
        self.config.antithetic
    }

    fn utilities(&self, fitness: &[f32]) -> Vec<f32> {
        by_rank(fitness, Ties::LowerIndex, &self.weights)
    }

    fn update(&mut self, sums: &Sums) {
        let keep = 1.0 - self.config.weight_decay;
        let sigma = self.schedule.sigma;
        let gradient = sums.first.iter().map(|sum| sigma * sum);
        match &mut self.step {
            Step::Momentum { config, velocity } => {
                for ((x, v), g) in self.centre.iter_mut().zip(velocity).zip(gradient) {
                    *v = config.momentum * *v + g;
                    *x = keep * *x + config.learning_rate * *v;
                }
            }
            Step::Adam { config, mean, square } => {
                let [mean_scale, square_scale] = self.schedule.correct(config);
                let &mut config::Adam { learning_rate, beta1, beta2, epsilon } = config;
                for (((x, m), s), g) in self.centre.iter_mut().zip(mean).zip(square).zip(gradient) {
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *s = beta2 * *s + (1.0 - beta2) * g * g;
                    *x = keep * *x + learning_rate * (*m * mean_scale) / ((*s * square_scale).sqrt() + epsilon);
                }
            }
        }
        self.schedule.decay(&self.config);
    }

    fn vectors(&self) -> Vec<(String, Vec<f32>)> {
        let mut vectors = vec![("sigma".into(), vec![self.schedule.sigma])];
        match &self.step {
            Step::Momentum { velocity, .. } => vectors.push(("velocity".into(), velocity.clone())),
            Step::Adam { mean, square, .. } => vectors.extend([
                ("adam_mean".into(), mean.clone()),
                ("adam_square".into(), square.clone()),
                ("adam_powers".into(), self.schedule.powers.to_vec()),
            ]),
        }
        vectors
    }

    fn restore(&mut self, centre: &[f32], vectors: &[(String, Vec<f32>)]) {
        self.centre.copy_from_slice(centre);
        for (name, vector) in vectors {
            match (name.as_str(), &mut self.step) {
                ("sigma", _) => self.schedule.sigma = vector[0],
                ("velocity", Step::Momentum { velocity, .. }) => velocity.copy_from_slice(vector),
                ("adam_mean", Step::Adam { mean, .. }) => mean.copy_from_slice(vector),
                ("adam_square", Step::Adam { square, .. }) => square.copy_from_slice(vector),
                ("adam_powers", _) => self.schedule.powers.copy_from_slice(vector),
                _ => {}
            }
        }
    }
}
