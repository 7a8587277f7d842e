//! Exact binomial numbers for any number of trials: sequential inversion where few successes are expected, transformed
//! rejection (BTRS: Hoermann 1993, J. Stat. Comput. Simul. 46) elsewhere. Nothing is a normal approximation: a candidate is
//! accepted by the probability itself, in Loader's saddle-point form (C. Loader 2000, "Fast and accurate computation of
//! binomial probabilities"), which loses no digits to large factorials.
//!
//! Error: probabilities are right to 1e-13 relative for n up to 2^16 and to 2e-11 for n up to 2^31, out to ten standard
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
        Self::from_block(row, element, 0)
    }

    /// The same from block `block` on.
    pub(super) fn from_block(row: &Row, element: u32, block: u32) -> Self {
        Self {
            counter: [element, row.index, row.generation, row.stream as u32 + (block << 8)],
            key: [row.seed as u32, (row.seed >> 32) as u32],
        }
    }

    /// Two uniforms in [0, 1) of 53 bits, from the next block.
    fn uniforms(&mut self) -> [f64; 2] {
        let [a, b, c, d] = philox(self.counter, self.key);
        self.counter[3] = self.counter[3].wrapping_add(1 << 8);
        let uniform =
            |high: u32, low: u32| ((u64::from(high) << 32 | u64::from(low)) >> 11) as f64 / (1u64 << 53) as f64;
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
        let k =
            if f64::from(self.n) * self.p < REJECTION { self.by_inversion(words) } else { self.by_rejection(words) };
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
            // Inside this box every candidate is below the law: no need to compute it.
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
    let logarithm = stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
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

    /// Probabilities computed with 60 digits, at -9, -3, 0, 1, 5 and 10 standard deviations from the mean where there are such
    /// numbers.
    #[test]
    fn probabilities_are_within_their_stated_error() {
        let points = [
            (1, 0.5, 0, 0.5),
            (1, 0.5, 1, 0.5),
            (7, 0.3, 2, 0.3176523),
            (7, 0.3, 3, 0.2268945),
            (30, 0.9, 12, 2.4428241445496752e-11),
            (30, 0.9, 22, 0.005763790232663006),
            (30, 0.9, 27, 0.23608793223234265),
            (30, 0.9, 29, 0.14130386091738742),
            (250, 0.01, 2, 0.25741723452177306),
            (250, 0.01, 4, 0.13407092913874208),
            (250, 0.01, 10, 0.0001962914396934676),
            (250, 0.01, 18, 1.1795813721419442e-10),
            (1000, 0.5, 358, 4.5969792313131567e-20),
            (1000, 0.5, 453, 0.00030353498700958767),
            (1000, 0.5, 500, 0.0252250181783608),
            (1000, 0.5, 516, 0.015123665829158384),
            (1000, 0.5, 579, 9.197526483524006e-08),
            (1000, 0.5, 658, 2.3179149681477748e-24),
            (5000, 0.2, 745, 1.7418493732404905e-21),
            (5000, 0.2, 915, 0.00014429197317211858),
            (5000, 0.2, 1000, 0.014103505478012503),
            (5000, 0.2, 1028, 0.00858064468288405),
            (5000, 0.2, 1141, 8.107682699538428e-08),
            (5000, 0.2, 1283, 5.1002656453613027e-23),
            (65536, 0.37, 23136, 6.4650985970879996e-21),
            (65536, 0.37, 23878, 3.604225833448759e-05),
            (65536, 0.37, 24248, 0.0032277275860744165),
            (65536, 0.37, 24372, 0.0019550591298459637),
            (65536, 0.37, 24866, 1.264819264233716e-08),
            (65536, 0.37, 25484, 8.824154731435162e-25),
            (1048576, 0.001, 757, 4.290965056363944e-22),
            (1048576, 0.001, 951, 0.00011861311895432752),
            (1048576, 0.001, 1049, 0.012321622614785204),
            (1048576, 0.001, 1081, 0.007386949923679787),
            (1048576, 0.001, 1210, 8.231627558839971e-08),
            (1048576, 0.001, 1372, 1.928873486969434e-22),
            (2147483648, 0.5, 1073533290, 4.437055981479515e-23),
            (2147483648, 0.5, 1073672313, 1.9128189183843512e-07),
            (2147483648, 0.5, 1073741824, 1.7217699691225462e-05),
            (2147483648, 0.5, 1073764994, 1.0443276842305893e-05),
            (2147483648, 0.5, 1073857676, 6.416958690696256e-11),
            (2147483648, 0.5, 1073973529, 3.320504151269989e-27),
            (2147483648, 0.001, 2134301, 6.463890745096258e-22),
            (2147483648, 0.001, 2143090, 3.022330195335315e-06),
            (2147483648, 0.001, 2147484, 0.00027237191480311036),
            (2147483648, 0.001, 2148948, 0.0001652032909871454),
            (2147483648, 0.001, 2154807, 1.028232221881705e-09),
            (2147483648, 0.001, 2162131, 5.847565083717478e-26),
            (2147483648, 0.9, 1932610163, 7.44600085734535e-23),
            (2147483648, 0.9, 1932693576, 3.1881690932122227e-07),
            (2147483648, 0.9, 1932735283, 2.8696166129276366e-05),
            (2147483648, 0.9, 1932749185, 1.740604567154932e-05),
            (2147483648, 0.9, 1932804795, 1.0681347113459527e-10),
            (2147483648, 0.9, 1932874306, 5.4837019672891265e-27),
        ];
        for (n, p, k, expected) in points {
            let error: f64 = Binomial::new(n, p).probability(k) / expected - 1.0;
            let bound = if n > 1 << 16 { 2e-11 } else { 1e-13 };
            assert!(error.abs() < bound, "n = {n}, p = {p}, k = {k}: {error:e}");
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
