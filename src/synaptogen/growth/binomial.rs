//! Exact binomial numbers for any number of trials: sequential inversion where few successes are expected, transformed
//! rejection (BTRS: Hoermann 1993, J. Stat. Comput. Simul. 46) elsewhere. Nothing is a normal approximation: a candidate is
//! accepted by the probability itself, in Loader's saddle-point form (C. Loader 2000, "Fast and accurate computation of
//! binomial probabilities"), which loses no digits to large factorials.
//!
//! Error: probabilities are right to 2e-14 relative for n up to 2^16 and to 2e-11 for n up to 2^31, out to ten standard
//! deviations, uniforms have 53 bits; the total variation distance to the true law is below those figures.

use std::f64::consts::PI;

use crate::num::transcendental::{exp, ln, ln_1p};
use crate::rng::{Row, philox};

/// Successes expected from which rejection is used; Hoermann's constants are made for it.
const REJECTION: f64 = 10.0;
/// Fewer than 10 successes expected come to more than this with a probability below 1e-100.
const MOST_BY_INVERSION: u32 = 150;

/// The random words of one draw: Philox blocks, numbered, of one element of a row.
#[derive(Debug, Clone)]
pub struct Words {
    counter: [u32; 4],
    key: [u32; 2],
}

impl Words {
    /// Those of element `element`. Blocks are told apart by the upper 24 bits of the stream's word.
    pub fn new(row: &Row, element: u32) -> Self {
        Self {
            counter: [element, row.index, row.generation, row.stream as u32],
            key: [row.seed as u32, (row.seed >> 32) as u32],
        }
    }

    /// Two uniforms in [0, 1) of 53 bits, from the next block.
    fn uniforms(&mut self) -> [f64; 2] {
        let [a, b, c, d] = philox(self.counter, self.key);
        self.counter[3] = self.counter[3].wrapping_add(1 << 8);
        let uniform = |high: u32, low: u32| ((u64::from(high) << 32 | u64::from(low)) >> 11) as f64 / (1u64 << 53) as f64;
        [uniform(a, b), uniform(c, d)]
    }
}

/// The law of the number of successes in `n` trials, prepared for drawing.
#[derive(Debug, Clone, Copy)]
pub struct Binomial {
    n: u32,
    /// At most 1/2: failures are counted instead of successes where these are more likely.
    p: f64,
    is_of_failures: bool,
}

impl Binomial {
    /// Of `n` up to 2^31 trials that succeed with probability `p` in [0, 1].
    ///
    /// # Panics
    /// When `n` or `p` is outside.
    pub fn new(n: u32, p: f64) -> Self {
        assert!(n <= 1 << 31 && (0.0..=1.0).contains(&p), "no binomial law: n = {n}, p = {p}");
        // 1 - p is exact for p > 1/2.
        if p > 0.5 { Self { n, p: 1.0 - p, is_of_failures: true } } else { Self { n, p, is_of_failures: false } }
    }

    /// Probability of `k` successes.
    pub fn probability(&self, k: u32) -> f64 {
        if k > self.n {
            return 0.0;
        }
        mass(if self.is_of_failures { self.n - k } else { k }, self.n, self.p)
    }

    /// A number of successes.
    pub fn draw(&self, words: &mut Words) -> u32 {
        let k = if f64::from(self.n) * self.p < REJECTION { self.by_inversion(words) } else { self.by_rejection(words) };
        if self.is_of_failures { self.n - k } else { k }
    }

    /// Takes the probabilities of 0, 1, 2, .. from a uniform until it is used up.
    fn by_inversion(&self, words: &mut Words) -> u32 {
        let [mut left, _] = words.uniforms();
        let odds = self.p / (1.0 - self.p);
        let mut weight = exp(f64::from(self.n) * ln_1p(-self.p));
        let mut k = 0;
        while left >= weight && k < self.n.min(MOST_BY_INVERSION) {
            left -= weight;
            weight *= odds * f64::from(self.n - k) / f64::from(k + 1);
            k += 1;
        }
        k
    }

    /// Hoermann's algorithm BTRS; names of constants as in its publication.
    fn by_rejection(&self, words: &mut Words) -> u32 {
        let (n, p) = (f64::from(self.n), self.p);
        let sd = (n * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * sd;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let c = n * p + 0.5;
        let v_r = 0.92 - 4.2 / b;
        let alpha = (2.83 + 5.1 / b) * sd;
        let at_mode = mass(((n + 1.0) * p) as u32, self.n, p);
        loop {
            let [u, v] = words.uniforms();
            let u = u - 0.5;
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + c).floor();
            if !(0.0..=n).contains(&k) {
                continue;
            }
            // Inside this box the hat touches the law from below everywhere: no need to look at it.
            if us >= 0.07 && v <= v_r {
                return k as u32;
            }
            if v * alpha / (a / (us * us) + b) * at_mode <= mass(k as u32, self.n, p) {
                return k as u32;
            }
        }
    }
}

/// Probability of `k` of `n`, p at most 1/2 (Loader 2000, equation 6).
fn mass(k: u32, n: u32, p: f64) -> f64 {
    if p == 0.0 {
        return if k == 0 { 1.0 } else { 0.0 };
    }
    if k == 0 {
        return exp(f64::from(n) * ln_1p(-p));
    }
    if k == n {
        return exp(f64::from(n) * ln(p));
    }
    let (x, y, all) = (f64::from(k), f64::from(n - k), f64::from(n));
    let logarithm = stirling_error(n) - stirling_error(k) - stirling_error(n - k)
        - deviance(x, all * p)
        - deviance(y, all * (1.0 - p));
    exp(logarithm) * (all / (2.0 * PI * x * y)).sqrt()
}

/// ln n! less Stirling's ln(sqrt(2 pi n) (n / e)^n), n >= 1: exact values first, then the asymptotic series, whose next term
/// is below 2e-16.
fn stirling_error(n: u32) -> f64 {
    const FIRST: [f64; 15] = [
        0.081_061_466_795_327_26,
        0.041_340_695_955_409_3,
        0.027_677_925_684_998_34,
        0.020_790_672_103_765_093,
        0.016_644_691_189_821_193,
        0.013_876_128_823_070_748,
        0.011_896_709_945_891_77,
        0.010_411_265_261_972_096,
        0.009_255_462_182_712_733,
        0.008_330_563_433_362_87,
        0.007_573_675_487_951_841,
        0.006_942_840_107_209_53,
        0.006_408_994_188_004_207,
        0.005_951_370_112_758_847_5,
        0.005_554_733_551_962_801,
    ];
    if let Some(&error) = FIRST.get(n as usize - 1) {
        return error;
    }
    let x = f64::from(n);
    let t = 1.0 / (x * x);
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - t / 1188.0) * t) * t) * t) / x
}

/// x ln(x / m) + m - x without cancellation (Loader 2000, section 3).
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * ln(x / m) + m - x;
    }
    // ln(x / m) is 2 artanh(v); v^2 < 0.01, so eight more terms are below 2^-53.
    let v = (x - m) / (x + m);
    let t = v * v;
    let mut p = 1.0 / 19.0;
    for n in [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        p = p * t + 1.0 / n;
    }
    (x - m) * v + 2.0 * x * v * t * p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    /// All probabilities of a law, from its recurrence: exact up to a rounding or three a step from the mode.
    fn by_recurrence(n: u32, p: f64) -> Vec<f64> {
        let mode = ((f64::from(n) + 1.0) * p) as u32;
        let odds = p / (1.0 - p);
        let mut masses = vec![0.0; n as usize + 1];
        masses[mode as usize] = 1.0;
        for k in mode..n {
            masses[k as usize + 1] = masses[k as usize] * odds * f64::from(n - k) / f64::from(k + 1);
        }
        for k in (1..=mode).rev() {
            masses[k as usize - 1] = masses[k as usize] * f64::from(k) / f64::from(n - k + 1) / odds;
        }
        let sum: f64 = masses.iter().sum();
        masses.iter().map(|mass| mass / sum).collect()
    }

    #[test]
    fn probabilities_are_those_of_the_recurrence() {
        for (n, p) in [(1, 0.5), (7, 0.3), (30, 0.9), (250, 0.01), (1000, 0.5), (5000, 0.2), (65_536, 0.37)] {
            let law = Binomial::new(n, p);
            let sd = (f64::from(n) * p * (1.0 - p)).sqrt();
            for (k, expected) in by_recurrence(n, p).into_iter().enumerate() {
                if (k as f64 - f64::from(n) * p).abs() <= 10.0 * sd && expected > 1e-300 {
                    let error = (law.probability(k as u32) / expected - 1.0).abs();
                    // The recurrence itself is wrong by a few roundings a step.
                    assert!(error < 2e-14 + 3e-16 * (10.0 * sd), "n = {n}, p = {p}, k = {k}: {error:e}");
                }
            }
        }
    }

    #[test]
    fn probabilities_of_many_trials_sum_to_one() {
        for (n, p) in [(1u32 << 20, 0.5), (1 << 31, 0.5), (1 << 31, 0.001), (1 << 31, 0.9)] {
            let law = Binomial::new(n, p);
            let (mean, sd) = (f64::from(n) * p, (f64::from(n) * p * (1.0 - p)).sqrt());
            let window = (mean - 9.0 * sd).max(0.0) as u32..=(mean + 9.0 * sd).min(f64::from(n)) as u32;
            let sum: f64 = window.map(|k| law.probability(k)).sum();
            assert!((sum - 1.0).abs() < 2e-11, "n = {n}, p = {p}: {:e}", sum - 1.0);
        }
    }

    #[test]
    fn sure_things_and_limits() {
        let row = Row { seed: 1, stream: Stream::Synapses, generation: 0, index: 0 };
        for element in 0..1000 {
            let draw = |n, p| Binomial::new(n, p).draw(&mut Words::new(&row, element));
            assert_eq!([draw(0, 0.3), draw(9, 0.0), draw(9, 1.0), draw(1 << 31, 1.0)], [0, 0, 9, 1 << 31]);
            assert_eq!(draw(1 << 31, 1e-300), 0);
            let many = f64::from(draw(1 << 31, 0.5));
            assert!((many - 2f64.powi(30)).abs() < 6.0 * 2f64.powf(14.5), "{many}");
        }
    }
}
