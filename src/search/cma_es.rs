//! CMA-ES: a search whose mutations take the shape of the hills it climbs, by a whole covariance matrix.
//!
//! As in Hansen, The CMA Evolution Strategy: A Tutorial (arXiv 1604.00772v2, 2023), figure 6 and table 1, with its
//! names in brackets and its defaults: negative weights for the worse half, cumulation, both updates of the covariance,
//! and cumulative step-size adaptation.
//!
//! ```text
//! x_i  = m + sigma y_i,   y_i = B D z_i,   C = B D^2 B^T,   z_i ~ N(0, I)
//! m    = m + sigma <y>,   <y> = sum over the better half of w_i y_i
//! p_s  = (1 - c_s) p_s + sqrt(c_s (2 - c_s) mu_eff) C^(-1/2) <y>
//! sigma *= exp(c_s / d_s (|p_s| / E|N(0, I)| - 1))
//! p_c  = (1 - c_c) p_c + h sqrt(c_c (2 - c_c) mu_eff) <y>,   h = 0 while p_s is long, else 1
//! C    = (1 + c_1 (1 - h) c_c (2 - c_c) - c_1 - c_mu sum w_i) C + c_1 p_c p_c^T + c_mu sum w_i' y_i y_i^T
//! w_i' = w_i, for negative weights times n / |z_i|^2
//! ```
//!
//! All in f64 with `+ - * /`, square roots and [`crate::num::transcendental`], one sum after the other. C is decomposed
//! in every generation: that is nothing beside evaluations that are worth so careful a search, and B and D then follow
//! from C.

use serde::{Deserialize, Serialize};

use super::Spread;
use super::ask_tell::{AskTell, count, refuse, sized};
use super::eigen;
use super::mutation::{Mutation, Perturb};
use super::shaping::{Ties, order};
use super::snes::default_population;
use crate::cpu::InstructionSet;
use crate::error::{Error, Result};
use crate::num::transcendental::{exp, ln, ln_1p};

/// Variances are taken to be at least this part of the largest: beyond, rounding decides what they are.
const LEAST_VARIANCE: f64 = 1e-14;

/// What a user may choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Points of a generation (lambda), at least 2. Default: 4 + floor(3 ln n) in n dimensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<u32>,
    /// First standard deviation of the points, about a quarter of the width in which the answer is expected. Default
    /// 0.5, for actions in [-1, 1].
    pub sigma: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { population: None, sigma: 0.5 }
    }
}

/// The search.
#[derive(Debug, Clone)]
pub struct CmaEs {
    seed: u64,
    generation: u32,
    constants: Constants,
    mean: Vec<f64>,
    sigma: f64,
    /// p_s.
    sigma_path: Vec<f64>,
    /// p_c.
    covariance_path: Vec<f64>,
    /// C, `[row][column]`.
    covariance: Vec<f64>,
    axes: Axes,
}

/// C, decomposed.
#[derive(Debug, Clone)]
struct Axes {
    /// D: standard deviations along the axes.
    lengths: Vec<f64>,
    /// B: `[axis][component]`.
    directions: Vec<f64>,
}

impl Axes {
    fn of(covariance: &[f64], n: usize) -> Self {
        let (variances, directions) = eigen::symmetric(covariance, n);
        let least = LEAST_VARIANCE * variances.iter().copied().fold(0.0, f64::max);
        let lengths = variances.iter().map(|variance| variance.max(least).sqrt()).collect();
        Self { lengths, directions }
    }

    /// B `along`.
    fn turn(&self, along: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sum = vec![0.0; self.lengths.len()];
        for (along, direction) in along.zip(self.directions.chunks(self.lengths.len())) {
            sum.iter_mut().zip(direction).for_each(|(sum, component)| *sum += along * component);
        }
        sum
    }

    /// B D `z`.
    fn stretch(&self, z: &[f64]) -> Vec<f64> {
        self.turn(z.iter().zip(&self.lengths).map(|(z, length)| z * length))
    }
}

/// What follows from population and dimension: table 1.
#[derive(Debug, Clone, PartialEq)]
struct Constants {
    /// w: of the ranks, best first.
    weights: Vec<f64>,
    /// mu_eff.
    effective: f64,
    /// c_s and d_s.
    sigma_rate: f64,
    damping: f64,
    /// c_c.
    path_rate: f64,
    /// c_1.
    one_rate: f64,
    /// c_mu.
    many_rate: f64,
    /// E|N(0, I)|, as the tutorial approximates it.
    expected_length: f64,
}

impl Constants {
    fn new(population: usize, n: usize) -> Self {
        let half = ln((population as f64 + 1.0) / 2.0);
        let raw: Vec<f64> = (1..=population).map(|rank| half - ln(rank as f64)).collect();
        let (better, worse) = raw.split_at(population / 2);
        let sum = |weights: &[f64]| weights.iter().sum::<f64>();
        let effective = |weights: &[f64]| sum(weights) * sum(weights) / weights.iter().map(|w| w * w).sum::<f64>();
        let (mu, mu_negative, n) = (effective(better), effective(worse), n as f64);
        let sigma_rate = (mu + 2.0) / (n + mu + 5.0);
        let one_rate = 2.0 / ((n + 1.3) * (n + 1.3) + mu);
        let many_rate = (2.0 * (0.25 + mu + 1.0 / mu - 2.0) / ((n + 2.0) * (n + 2.0) + mu)).min(1.0 - one_rate);
        let negative = (1.0 + one_rate / many_rate)
            .min(1.0 + 2.0 * mu_negative / (mu + 2.0))
            .min((1.0 - one_rate - many_rate) / (n * many_rate));
        let (up, down) = (1.0 / sum(better), negative / -sum(worse));
        Self {
            weights: raw.iter().map(|&w| if w < 0.0 { w * down } else { w * up }).collect(),
            effective: mu,
            sigma_rate,
            damping: 1.0 + 2.0 * (((mu - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + sigma_rate,
            path_rate: (4.0 + mu / n) / (n + 4.0 + 2.0 * mu / n),
            one_rate,
            many_rate,
            expected_length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

impl CmaEs {
    /// Around `mean` at first.
    ///
    /// # Errors
    /// When a setting is out of its range, or the space has no dimension.
    pub fn new(settings: &Settings, mean: Vec<f64>, seed: u64) -> Result<Self> {
        let n = mean.len();
        let population = settings.population.map_or_else(|| default_population(n), |population| population as usize);
        if population < 2 || n == 0 {
            let why = format!("{population} points of a generation in {n} dimensions");
            return Err(Error::Config(format!("CMA-ES cannot search: {why}; try: at least 2 points and 1 dimension")));
        }
        if !(settings.sigma > 0.0 && settings.sigma.is_finite()) {
            let why = format!("sigma = {}", settings.sigma);
            return Err(Error::Config(format!("CMA-ES cannot search: {why}; try: a positive number")));
        }
        let mut covariance = vec![0.0; n * n];
        (0..n).for_each(|i| covariance[i * n + i] = 1.0);
        Ok(Self {
            seed,
            generation: 0,
            constants: Constants::new(population, n),
            mean,
            sigma: settings.sigma,
            sigma_path: vec![0.0; n],
            covariance_path: vec![0.0; n],
            axes: Axes::of(&covariance, n),
            covariance,
        })
    }

    /// Points of a generation.
    pub fn population(&self) -> usize {
        self.constants.weights.len()
    }

    /// Standard deviation of the next points, taken together: sigma times the root of the mean variance.
    pub fn spread(&self) -> f64 {
        let n = self.mean.len();
        let trace: f64 = (0..n).map(|i| self.covariance[i * n + i]).sum();
        self.sigma * (trace / n as f64).sqrt()
    }

    /// z of a point, as the offspring of any other strategy have their noise.
    fn draw(&self, offspring: usize) -> Vec<f64> {
        let mutation = Mutation { seed: self.seed, generation: self.generation, antithetic: false };
        let (centre, mut z) = (vec![0.0; self.mean.len()], vec![0.0; self.mean.len()]);
        let (centre, spread, parameters) = (&centre[..], Spread::Uniform(1.0), &mut z[..]);
        InstructionSet::best().run(Perturb { mutation, offspring, centre, spread, parameters });
        z.into_iter().map(f64::from).collect()
    }

    /// From the z of all points, best first, to the next distribution.
    fn learn(&mut self, ranked: &[Vec<f64>]) {
        let n = self.mean.len();
        let Constants { weights, effective, sigma_rate, damping, path_rate, one_rate, many_rate, expected_length } =
            &self.constants;
        let mut z_mean = vec![0.0; n];
        for (z, weight) in ranked.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            z_mean.iter_mut().zip(z).for_each(|(sum, z)| *sum += weight * z);
        }
        let y_mean = self.axes.stretch(&z_mean);
        self.mean.iter_mut().zip(&y_mean).for_each(|(mean, y)| *mean += self.sigma * y);

        // C^(-1/2) <y> = B <z>.
        let step = (sigma_rate * (2.0 - sigma_rate) * effective).sqrt();
        for (path, z) in self.sigma_path.iter_mut().zip(self.axes.turn(z_mean.iter().copied())) {
            *path = (1.0 - sigma_rate) * *path + step * z;
        }
        let length = squared(&self.sigma_path).sqrt();
        // How far the path has come on its way to its full length.
        let grown = 1.0 - exp(2.0 * (f64::from(self.generation) + 1.0) * ln_1p(-sigma_rate));
        let limit = (1.4 + 2.0 / (n as f64 + 1.0)) * expected_length;
        let h = if length < limit * grown.sqrt() { 1.0 } else { 0.0 };
        let step = h * (path_rate * (2.0 - path_rate) * effective).sqrt();
        for (path, y) in self.covariance_path.iter_mut().zip(&y_mean) {
            *path = (1.0 - path_rate) * *path + step * y;
        }

        let total: f64 = weights.iter().sum();
        let keep = 1.0 + one_rate * (1.0 - h) * path_rate * (2.0 - path_rate) - one_rate - many_rate * total;
        self.covariance.iter_mut().for_each(|c| *c *= keep);
        add_outer(&mut self.covariance, *one_rate, &self.covariance_path);
        for (z, &weight) in ranked.iter().zip(weights) {
            let weight = if weight < 0.0 { weight * n as f64 / squared(z) } else { weight };
            add_outer(&mut self.covariance, many_rate * weight, &self.axes.stretch(z));
        }
        self.sigma *= exp(sigma_rate / damping * (length / expected_length - 1.0));
        self.axes = Axes::of(&self.covariance, n);
    }
}

/// `matrix += factor v v^T`, which stays symmetric to the bit.
fn add_outer(matrix: &mut [f64], factor: f64, v: &[f64]) {
    for (row, x) in matrix.chunks_mut(v.len()).zip(v) {
        row.iter_mut().zip(v).for_each(|(c, y)| *c += factor * (x * y));
    }
}

fn squared(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum()
}

impl AskTell for CmaEs {
    fn ask(&self) -> Vec<Vec<f64>> {
        let point = |offspring| {
            let y = self.axes.stretch(&self.draw(offspring));
            self.mean.iter().zip(y).map(|(mean, y)| mean + self.sigma * y).collect()
        };
        (0..self.population()).map(point).collect()
    }

    fn tell(&mut self, fitness: &[f64]) {
        assert!(fitness.len() == self.population(), "fitness of {} points, not {}", fitness.len(), self.population());
        if fitness.iter().any(|fitness| fitness.is_finite()) {
            let ranked: Vec<_> = order(fitness, Ties::LowerIndex).into_iter().map(|index| self.draw(index)).collect();
            self.learn(&ranked);
        }
        self.generation += 1;
    }

    fn centre(&self) -> Vec<f64> {
        self.mean.clone()
    }

    fn state(&self) -> Vec<(String, Vec<f64>)> {
        vec![
            ("generation".into(), vec![self.generation.into()]),
            ("mean".into(), self.mean.clone()),
            ("sigma".into(), vec![self.sigma]),
            ("sigma_path".into(), self.sigma_path.clone()),
            ("covariance_path".into(), self.covariance_path.clone()),
            ("covariance".into(), self.covariance.clone()),
        ]
    }

    fn restore(&mut self, state: &[(String, Vec<f64>)]) -> Result<()> {
        let n = self.mean.len();
        let vector = |name| sized(state, name, n).map(<[f64]>::to_vec);
        let sigma = sized(state, "sigma", 1)?[0];
        if sigma.is_nan() || sigma < 0.0 {
            return Err(refuse(format!("its `sigma` is {sigma}")));
        }
        let (generation, covariance) = (count(state, "generation")?, sized(state, "covariance", n * n)?.to_vec());
        let (mean, sigma_path, covariance_path) = (vector("mean")?, vector("sigma_path")?, vector("covariance_path")?);
        (self.generation, self.mean, self.sigma) = (generation, mean, sigma);
        (self.sigma_path, self.covariance_path) = (sigma_path, covariance_path);
        self.axes = Axes::of(&covariance, n);
        self.covariance = covariance;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of pycma; its README has the rest.
    #[derive(Deserialize)]
    struct Golden {
        population: u32,
        start: f64,
        sigma: f64,
        covariance: Vec<f64>,
        generations: Vec<Generation>,
    }

    #[derive(Deserialize)]
    struct Generation {
        best_first: Vec<Vec<f64>>,
        mean: Vec<f64>,
        sigma: f64,
        sigma_path: Vec<f64>,
        covariance_path: Vec<f64>,
        covariance: Vec<f64>,
    }

    /// Largest difference beside the largest number.
    fn error(seen: &[f64], expected: &[f64]) -> f64 {
        let size = expected.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
        seen.iter().zip(expected).fold(0.0, |error: f64, (x, y)| error.max((x - y).abs())) / size
    }

    #[test]
    fn search_goes_the_way_of_pycma() {
        let text = include_str!("../../tests/golden/search/cma_es.json");
        let golden: Golden = serde_json::from_str(text).expect("a golden file");
        let n = golden.generations[0].mean.len();
        let settings = Settings { population: Some(golden.population), sigma: golden.sigma };
        let mut search = CmaEs::new(&settings, vec![golden.start; n], 0).expect("settings in their ranges");
        search.axes = Axes::of(&golden.covariance, n);
        search.covariance = golden.covariance;
        for (number, expected) in golden.generations.iter().enumerate() {
            let z = |point: &Vec<f64>| {
                let along = |(axis, length): (&[f64], &f64)| {
                    let each = axis.iter().zip(point).zip(&search.mean);
                    each.map(|((axis, x), mean)| axis * (x - mean)).sum::<f64>() / (search.sigma * length)
                };
                search.axes.directions.chunks(n).zip(&search.axes.lengths).map(along).collect()
            };
            let ranked: Vec<Vec<f64>> = expected.best_first.iter().map(z).collect();
            search.learn(&ranked);
            search.generation += 1;
            for (what, seen, expected) in [
                ("mean", &search.mean, &expected.mean),
                ("sigma", &vec![search.sigma], &vec![expected.sigma]),
                ("sigma_path", &search.sigma_path, &expected.sigma_path),
                ("covariance_path", &search.covariance_path, &expected.covariance_path),
                ("covariance", &search.covariance, &expected.covariance),
            ] {
                let error = error(seen, expected);

                assert!(error < 1e-8, "{what} of generation {number}: off by {error:e}");
            }
        }
    }

    #[test]
    fn weights_and_rates_are_those_of_the_tutorial() {
        for (population, n) in [(2, 1), (3, 2), (4, 1), (10, 10), (17, 96), (200, 5), (1000, 40)] {
            let constants = Constants::new(population, n);
            let positive: f64 = constants.weights.iter().filter(|w| **w > 0.0).sum();
            assert!((positive - 1.0).abs() < 1e-14, "{population} in {n}");
            let negative: f64 = -constants.weights.iter().filter(|w| **w < 0.0).sum::<f64>();
            let Constants { one_rate, many_rate, .. } = constants;
            // What keeps the covariance positive definite (tutorial, equation 51 f.).
            assert!(n as f64 * many_rate * negative <= (1.0 - one_rate - many_rate) * (1.0 + 1e-14), "{population}");
            assert!(one_rate > 0.0 && many_rate > 0.0 && one_rate + many_rate <= 1.0, "{population} in {n}");
        }
    }
}
