//! Laws of the random numbers: that normals are normal far into the tails, uniforms uniform, and that nothing depends
//! on its neighbours.
//!
//! Seeds are fixed, so a test passes or fails for good. Limits are 5 standard errors, or the same improbability
//! (about 1e-6) for other statistics: of the few hundred comparisons here none is expected to fail by chance when
//! seeds or draws are changed on purpose, and one that does has found something.

use std::sync::LazyLock;

use phylon::config::Config;
use phylon::cpu::{InstructionSet, Kernel, Vector};
use phylon::plan::Plan;
use phylon::registry::{TASKS, UNITS};
use phylon::rng::{Row, Stream, normal_pair, unit_uniform};
use phylon::search::mutation::{Mutation, Noise, sums};
use phylon::task::Episodes;
use phylon::workload::single_unit::SingleUnit;
use phylon::workload::{self, Workload};
use rayon::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF, Discrete, DiscreteCDF, Normal, Poisson};

const ROW: Row = Row { seed: 20_200_305, stream: Stream::Mutation, generation: 3, index: 5 };

/// Standard errors allowed.
const SIGMAS: f64 = 5.0;
/// Probability of a result at least as extreme below which a law is rejected; two-sided, 5 standard errors.
const REJECT: f64 = 6e-7;

/// Samples are made for optimised builds; others take a small part of them.
const fn sized(n: usize) -> usize {
    if cfg!(debug_assertions) { n / 64 } else { n }
}

/// A row of normals or uniforms, drawn with the machine's instructions.
struct Draw<'a> {
    row: Row,
    normal: bool,
    out: &'a mut [f32],
}

impl Kernel for Draw<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        if self.normal { self.row.normals(0, self.out) } else { self.row.uniforms(0, self.out) }
    }
}

fn draw(row: Row, normal: bool, n: usize) -> Vec<f32> {
    let mut out = vec![0.0; n];
    InstructionSet::best().run(Draw { row, normal, out: &mut out });
    out
}

fn normals(row: Row, n: usize) -> Vec<f32> {
    draw(row, true, n)
}

fn uniforms(row: Row, n: usize) -> Vec<f32> {
    draw(row, false, n)
}

/// Kolmogorov and Smirnov's test of a sample against a law.
#[track_caller]
fn assert_law(what: &str, mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64 + Sync) {
    let n = sample.len() as f64;
    assert!(sample.iter().all(|x| x.is_finite()), "{what}: not finite");
    sample.par_sort_unstable_by(f64::total_cmp);
    let distance = |(i, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - i as f64 / n).max((i + 1) as f64 / n - p)
    };
    let worst = sample.par_iter().enumerate().map(distance).reduce(|| 0.0, f64::max);
    // P(sqrt(n) D > x) -> 2 exp(-2 x^2).
    let p = 2.0 * (-2.0 * n * worst * worst).exp();
    assert!(p > REJECT, "{what}: distance {worst:e} of {n} values, p = {p:e}");
}

#[track_caller]
fn assert_normal(what: &str, sample: &[f32]) {
    let normal = Normal::standard();
    assert_law(what, sample.iter().map(|&x| x.into()).collect(), |x| normal.cdf(x));
}

/// Pearson's test of counts in equally probable bins.
#[track_caller]
fn assert_even(what: &str, counts: &[u32]) {
    let expected = counts.iter().sum::<u32>() as f64 / counts.len() as f64;
    let chi: f64 = counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
    let law = ChiSquared::new((counts.len() - 1) as f64).expect("degrees of freedom");
    // Too even is as suspect as too uneven.
    let p = 2.0 * law.sf(chi).min(law.cdf(chi));
    assert!(p > REJECT, "{what}: chi square {chi} in {} bins, p = {p:e}", counts.len());
}

/// A mean of `n` values of unit variance against 0.
#[track_caller]
fn assert_zero(what: &str, mean: f64, n: usize) {
    let z = mean * (n as f64).sqrt();
    assert!(z.abs() < SIGMAS, "{what}: {mean:e} is {z:.2} standard errors from 0");
}

// ---------------------------------------------------------------------------------------------------------------------
// The law of single normals.

const TAILS: [f32; 6] = [0.0, 3.0, 4.0, 5.0, 5.5, 6.0];

/// Power sums and tail counts of many normals.
#[derive(Default, Clone, Copy)]
struct Census {
    count: u64,
    powers: [f64; 4],
    above: [u64; TAILS.len()],
    below: [u64; TAILS.len()],
}

impl Census {
    fn add(mut self, other: Self) -> Self {
        self.count += other.count;
        self.powers.iter_mut().zip(other.powers).for_each(|(a, b)| *a += b);
        self.above.iter_mut().zip(other.above).for_each(|(a, b)| *a += b);
        self.below.iter_mut().zip(other.below).for_each(|(a, b)| *a += b);
        self
    }
}

/// The census of a row's first `n` elements.
struct Count {
    row: Row,
    n: usize,
}

impl Kernel for Count {
    type Output = Census;
    #[inline(always)]
    fn run<V: Vector>(self) -> Census {
        const PIECE: usize = 1024;
        const LANES: usize = 16;
        let mut piece = [0f32; PIECE];
        // Sums per lane, so that the loops vectorise.
        let mut powers = [[0f64; LANES]; 4];
        let mut counts = [[0u32; TAILS.len()]; 2];
        for first in (0..self.n).step_by(PIECE) {
            self.row.normals(first, &mut piece);
            for x in piece.chunks_exact(LANES) {
                for lane in 0..LANES {
                    let x = f64::from(x[lane]);
                    powers[0][lane] += x;
                    powers[1][lane] += x * x;
                    powers[2][lane] += x * x * x;
                    powers[3][lane] += x * x * (x * x);
                }
            }
            for (k, &tail) in TAILS.iter().enumerate() {
                counts[0][k] += piece.iter().map(|&x| u32::from(x > tail)).sum::<u32>();
                counts[1][k] += piece.iter().map(|&x| u32::from(x < -tail)).sum::<u32>();
            }
        }
        Census {
            count: self.n as u64,
            powers: powers.map(|lanes| lanes.iter().sum()),
            above: counts[0].map(u64::from),
            below: counts[1].map(u64::from),
        }
    }
}

/// 2^30 normals, as a run of 4096 offspring of 262144 parameters would draw them.
static CENSUS: LazyLock<Census> = LazyLock::new(|| {
    let row = |index| Row { index, ..ROW };
    let rows = (0..sized(4096) as u32).into_par_iter();
    rows.map(|index| InstructionSet::best().run(Count { row: row(index), n: 1 << 18 }))
        .reduce(Census::default, Census::add)
});

#[test]
fn moments_of_a_billion_normals() {
    let n = CENSUS.count as f64;
    let [first, second, third, fourth] = CENSUS.powers.map(|sum| sum / n);
    // Moments about 0, scaled by their standard deviations: Var x^k = E x^2k - (E x^k)^2.
    for (what, seen, expected, variance) in [
        ("mean", first, 0.0, 1.0),
        ("variance", second, 1.0, 2.0),
        // Of these two the known mean and variance are taken out, which leaves skewness and kurtosis: He3 and He4.
        ("skewness", third - 3.0 * first, 0.0, 6.0),
        ("kurtosis", fourth - 6.0 * second, -3.0, 24.0),
    ] {
        assert_zero(what, (seen - expected) / f64::sqrt(variance), CENSUS.count as usize);
    }
}

#[test]
fn tails_of_a_billion_normals() {
    let normal = Normal::standard();
    for (k, &tail) in TAILS.iter().enumerate() {
        let expected = CENSUS.count as f64 * normal.sf(tail.into());
        for (side, seen) in [("above", CENSUS.above[k]), ("below -", CENSUS.below[k])] {
            let p = if expected > 1000.0 {
                let z = (seen as f64 - expected) / expected.sqrt();
                2.0 * normal.sf(z.abs())
            } else {
                let law = Poisson::new(expected).expect("a mean");
                // P(X <= seen) and P(X >= seen).
                2.0 * law.cdf(seen).min(law.sf(seen) + law.pmf(seen))
            };
            assert!(p > REJECT, "{side}{tail}: {seen}, expected {expected:.2}, p = {p:e}");
        }
        let (above, below) = (CENSUS.above[k] as f64, CENSUS.below[k] as f64);
        let z = (above - below) / (above + below).max(1.0).sqrt();
        assert!(z.abs() < SIGMAS, "beyond {tail}: {above} above, {below} below");
    }
}

#[test]
fn normals_of_every_stream_position_and_seed_are_normal() {
    let n = sized(1 << 24);
    assert_normal("one long row", &normals(ROW, n));
    let n = sized(1 << 21);
    let rows = [
        ("initial", Row { stream: Stream::Initial, generation: 0, index: 0, ..ROW }),
        ("last offspring", Row { index: u32::MAX, ..ROW }),
        ("last generation", Row { generation: u32::MAX, ..ROW }),
        ("seed 0", Row { seed: 0, generation: 0, index: 0, ..ROW }),
        ("seed 1", Row { seed: 1, generation: 0, index: 0, ..ROW }),
        ("largest seed", Row { seed: u64::MAX, ..ROW }),
    ];
    for (what, row) in rows {
        assert_normal(what, &normals(row, n));
    }
    let row = normals(ROW, 4 * n);
    for position in 0..4 {
        let elements: Vec<f32> = row.iter().skip(position).step_by(4).copied().collect();
        assert_normal(&format!("element {position} of each block"), &elements);
    }
    // Across the offspring: the same parameter of many offspring is what selection compares.
    let column: Vec<f32> = (0..n as u32 / 64).map(|index| normals(Row { index, ..ROW }, 4)[1]).collect();
    assert_normal("one parameter of all offspring", &column);
}

// ---------------------------------------------------------------------------------------------------------------------
// The transform, word by word: what it does to the tails is computed rather than sampled.

/// The radius that word `a` gives: angle 0.
fn radius(a: u32) -> f64 {
    normal_pair(a, 0).0.into()
}

#[test]
fn the_radius_has_its_law_exactly_up_to_its_grid() {
    // Every one of the 31-bit values below 2^20: all radii above 3.9.
    let tail: Vec<f64> = (0..1 << 20).map(|k| radius(k << 1)).collect();
    assert!(tail.is_sorted_by(|a, b| a >= b));
    assert!((0..64).all(|k| radius(k << 1) == radius((k << 1) + 1)), "the lowest bit is not used");
    for r in (400..=665).map(|r| f64::from(r) / 100.0) {
        let seen = tail.partition_point(|&radius| radius > r) as f64;
        let expected = 2f64.powi(31) * (-r * r / 2.0).exp();
        // Half a grid point, and a relative error of 2e-7 in ln u, which is at most 22 here.
        assert!((seen - expected).abs() <= 0.5 + 5e-6 * expected, "P(R > {r}): {seen} / 2^31, expected {expected}");
    }
    assert_eq!(radius(0) as f32, (64.0 * std::f64::consts::LN_2).sqrt() as f32, "the largest");
    assert_eq!(radius(u32::MAX), 0.0, "the smallest");
}

#[test]
fn radius_and_angle_follow_the_words_over_their_whole_range() {
    // An odd step visits every part of the range with ever other low bits.
    for i in 0..sized(1 << 22) as u32 {
        let word = i.wrapping_mul(0x9E37_79B9);
        let u = (f64::from(word >> 1) + 0.5) / 2f64.powi(31);
        let (seen, expected) = (radius(word).powi(2), -2.0 * u.ln());
        // u is rounded to 24 bits.
        assert!((seen - expected).abs() <= 1e-6 * expected + 2f64.powi(-23), "word {word:#x}: {seen}, {expected}");
        let angle = f64::from(word as i32) / 2f64.powi(31) * std::f64::consts::PI;
        let (x, y) = normal_pair(0x1000_0000, word);
        let r = radius(0x1000_0000);
        let error = (f64::from(x) - r * angle.cos()).abs().max((f64::from(y) - r * angle.sin()).abs());
        assert!(error < 5e-7 * r, "word {word:#x}: {error:e}");
    }
}

/// P(X > x), averaged over evenly spaced angles with every radius word counted: no sampling error at all, down to
/// where the 31 bits end.
#[test]
fn the_far_tail_is_normal_until_the_radius_ends() {
    let radii: Vec<f32> = (0..1 << 20).map(|k| normal_pair(k << 1, 0).0).collect();
    let normal = Normal::standard();
    let angles = 1 << 14;
    for (x, tolerance) in [(4.0, 1e-4), (4.5, 1e-4), (5.0, 5e-4), (5.5, 2e-3), (6.0, 2e-2), (6.4, 0.15)] {
        for member in [0, 1] {
            let counts = (0..angles).map(|i: u32| {
                // Odd multiples of half the spacing.
                let (cos, sin) = unit_vector((i << 18) + (1 << 17));
                let factor = if member == 0 { cos } else { sin };
                if factor > 0.5 { radii.partition_point(|r| r * factor > x) as f64 } else { 0.0 }
            });
            let seen = counts.sum::<f64>() / f64::from(angles) / 2f64.powi(31);
            let ratio = seen / normal.sf(x.into());
            assert!((ratio - 1.0).abs() < tolerance, "P(X > {x}), member {member}: {ratio} of a normal's");
        }
    }
}

/// Cosine and sine of the angle of word `b`.
fn unit_vector(b: u32) -> (f32, f32) {
    let a = 0x1000_0000;
    let (x, y) = normal_pair(a, b);
    let r = normal_pair(a, 0).0;
    (x / r, y / r)
}

// ---------------------------------------------------------------------------------------------------------------------
// Independence.

/// Sums over pairs (x, y) of normals of products that are 0 on average and of variance 1 if x and y are independent.
#[derive(Default)]
struct Pairs {
    n: usize,
    products: [f64; 4],
}

const PRODUCTS: [&str; 4] = ["x y", "x^2 y^2", "x y^2", "x^2 y"];

impl Pairs {
    fn add(&mut self, x: impl IntoIterator<Item = f32>, y: impl IntoIterator<Item = f32>) {
        for (x, y) in x.into_iter().zip(y) {
            let (x, y) = (f64::from(x), f64::from(y));
            let (x2, y2) = ((x * x - 1.0) / 2f64.sqrt(), (y * y - 1.0) / 2f64.sqrt());
            self.n += 1;
            self.products.iter_mut().zip([x * y, x2 * y2, x * y2, x2 * y]).for_each(|(sum, p)| *sum += p);
        }
    }

    #[track_caller]
    fn assert_independent(&self, what: &str) {
        for (product, sum) in PRODUCTS.iter().zip(self.products) {
            assert_zero(&format!("{what}: mean of {product}"), sum / self.n as f64, self.n);
        }
    }
}

#[test]
fn elements_of_a_row_are_independent() {
    let row = normals(ROW, sized(1 << 22));
    for lag in (1..=16).chain([31, 32, 64, 127, 128, 129, 256, 1024, 4096]) {
        let mut pairs = Pairs::default();
        pairs.add(row.iter().copied(), row[lag..].iter().copied());
        pairs.assert_independent(&format!("lag {lag}"));
    }
}

#[test]
fn elements_of_a_block_are_independent() {
    let row = normals(ROW, sized(1 << 23));
    for (i, j) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        let mut pairs = Pairs::default();
        let position = |k: usize| row.iter().skip(k).step_by(4).copied();
        pairs.add(position(i), position(j));
        pairs.assert_independent(&format!("elements {i} and {j} of the blocks"));
    }
    // The members of a pair have a radius and an angle of their own laws.
    let members = || row.chunks_exact(2).map(|pair| (f64::from(pair[0]), f64::from(pair[1])));
    assert_law("squared radius", members().map(|(x, y)| x * x + y * y).collect(), |s| 1.0 - (-s / 2.0).exp());
    assert_law("angle", members().map(|(x, y)| y.atan2(x) / std::f64::consts::TAU + 0.5).collect(), |p| p);
}

/// What an address can be next to.
type Neighbour = (&'static str, fn(Row) -> Row);
const NEIGHBOURS: &[Neighbour] = &[
    ("the next offspring", |row| Row { index: row.index + 1, ..row }),
    ("the offspring after the next", |row| Row { index: row.index + 2, ..row }),
    ("an offspring a chunk away", |row| Row { index: row.index + 32, ..row }),
    ("an offspring far away", |row| Row { index: row.index + (1 << 20), ..row }),
    ("the next generation", |row| Row { generation: row.generation + 1, ..row }),
    ("ten generations later", |row| Row { generation: row.generation + 10, ..row }),
    ("the generation in the offspring's place", |row| Row { generation: row.index, index: row.generation, ..row }),
    ("the next seed", |row| Row { seed: row.seed + 1, ..row }),
    ("a seed with another low bit", |row| Row { seed: row.seed ^ 2, ..row }),
    ("a seed with another high bit", |row| Row { seed: row.seed ^ (1 << 63), ..row }),
    ("a seed with its words swapped", |row| Row { seed: row.seed.rotate_left(32), ..row }),
    ("the first parameters", |row| Row { stream: Stream::Initial, ..row }),
    ("the episodes", |row| Row { stream: Stream::Episode, ..row }),
    ("the fresh episodes", |row| Row { stream: Stream::Fresh, ..row }),
];

#[test]
fn rows_are_independent_of_their_neighbours() {
    let (rows, n) = (64, sized(1 << 15));
    NEIGHBOURS.par_iter().for_each(|(what, neighbour)| {
        let mut pairs = Pairs::default();
        for i in 0..rows {
            // Generations count down, so that no row is its own mirror image.
            let row = Row { index: i, generation: 1000 - i, ..ROW };
            pairs.add(normals(row, n), normals(neighbour(row), n));
        }
        pairs.assert_independent(what);
    });
}

/// The sums that updates are made of, with equal utilities: dependence among any of the offspring would show here.
#[test]
fn sums_over_a_population_have_their_laws() {
    let (population, length) = (1000, sized(1 << 17));
    for generation in [0, 1, 77] {
        let mutation = Mutation { seed: ROW.seed, generation, antithetic: false };
        let sums = sums(&mutation, &vec![1.0; population], length, true, InstructionSet::best());
        let scaled: Vec<f64> = sums.first.iter().map(|&sum| f64::from(sum) / (population as f64).sqrt()).collect();
        // More sensitive to offspring that have something in common than the whole law is.
        let variance = scaled.iter().map(|x| x * x).sum::<f64>() / length as f64;
        assert_zero("variance of the sum of eps", (variance - 1.0) / 2f64.sqrt(), length);
        let normal = Normal::standard();
        assert_law("sum of eps", scaled, |x| normal.cdf(x));
        let chi = ChiSquared::new(population as f64).expect("degrees of freedom");
        let squares = sums.second.iter().map(|&sum| f64::from(sum) + population as f64).collect();
        assert_law("sum of eps^2", squares, |x| chi.cdf(x));
    }
}

#[test]
fn no_two_offspring_are_alike() {
    let mutation = |generation| Mutation { seed: ROW.seed, generation, antithetic: false };
    let start = |(generation, offspring): (u32, usize)| {
        let mut out = [0f32; 4];
        mutation(generation).noise(offspring, 0, &mut out);
        out.map(f32::to_bits)
    };
    let mut starts: Vec<_> =
        (0..4).flat_map(|generation| (0..1 << 16).map(move |i| (generation, i))).map(start).collect();
    let count = starts.len();
    starts.par_sort_unstable();
    starts.dedup();
    assert_eq!(starts.len(), count);
}

#[test]
fn mutations_have_lengths_of_independent_elements() {
    let (offspring, length) = (sized(1 << 16) as u32, 1000);
    let squares = (0..offspring)
        .into_par_iter()
        .map(|index| normals(Row { index, ..ROW }, length).iter().map(|&x| f64::from(x).powi(2)).sum())
        .collect();
    let chi = ChiSquared::new(length as f64).expect("degrees of freedom");
    assert_law("squared length", squares, |x| chi.cdf(x));
}

#[test]
fn antithetic_mutations_cancel_exactly() {
    let length = 1003;
    let mutation = Mutation { seed: 9, generation: 2, antithetic: true };
    let noise = |offspring| {
        let mut out = vec![0.0; length];
        mutation.noise(offspring, 0, &mut out);
        out
    };
    let pairs: Vec<[Vec<f32>; 2]> = (0..50).map(|pair| [noise(2 * pair), noise(2 * pair + 1)]).collect();
    for [even, odd] in &pairs {
        assert!(even.iter().zip(odd).all(|(a, b)| a + b == 0.0));
    }
    // Pairs are as different from each other as offspring of a plain generation are.
    let mut between = Pairs::default();
    pairs.windows(2).for_each(|two| between.add(two[0][0].iter().copied(), two[1][1].iter().copied()));
    between.assert_independent("neighbouring pairs");
    let sums = sums(&mutation, &[0.25; 100], length, false, InstructionSet::best());
    assert!(sums.first.iter().all(|sum| sum.abs() < 1e-5), "what is left is the rounding of the running sums");
}

// ---------------------------------------------------------------------------------------------------------------------
// Uniforms.

#[test]
fn every_uniform_is_a_multiple_of_two_to_the_minus_24_below_one() {
    let values = 0..1u32 << 24;
    assert!(values.into_par_iter().all(|bits| {
        let u = unit_uniform(bits << 8 | bits & 0xff);
        (0.0..1.0).contains(&u) && u * 16_777_216.0 == bits as f32
    }));
    assert_eq!((unit_uniform(0), unit_uniform(u32::MAX)), (0.0, 1.0 - 2f32.powi(-24)));
}

#[test]
fn uniforms_are_uniform_in_every_bit() {
    let n = sized(1 << 24);
    let row = uniforms(Row { stream: Stream::Episode, ..ROW }, n);
    assert!(row.iter().all(|u| (0.0..1.0).contains(u)));
    assert_law("uniforms", row.iter().map(|&u| u.into()).collect(), |p| p);
    let bits: Vec<u32> = row.iter().map(|u| (u * 16_777_216.0) as u32).collect();
    // The top and the bottom 12 bits in bins of their own.
    for (what, shift) in [("high bits", 12), ("low bits", 0)] {
        let mut counts = vec![0u32; 1 << 12];
        bits.iter().for_each(|bits| counts[(bits >> shift & 0xfff) as usize] += 1);
        assert_even(what, &counts);
    }
    for bit in 0..24 {
        let ones = bits.iter().filter(|bits| *bits >> bit & 1 == 1).count();
        assert_zero(&format!("bit {bit}"), 2.0 * ones as f64 / n as f64 - 1.0, n);
    }
    // Neighbours in two dimensions.
    let mut counts = vec![0u32; 1 << 12];
    bits.chunks_exact(2).for_each(|two| counts[(two[0] >> 18 << 6 | two[1] >> 18) as usize] += 1);
    assert_even("pairs", &counts);
}

// ---------------------------------------------------------------------------------------------------------------------
// What is made of them.

fn plan(unit: &str, task: &str) -> Plan {
    let text = format!(
        "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.{unit}]\ninitial_scale = 0.5\n[task.{task}]\n[es]\n"
    );
    let config: Config = toml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Plan::new(config).unwrap_or_else(|e| panic!("{e:?}\n{text}"))
}

/// Inputs of a channel, `[environment][step]`, padding left out.
fn channel(episodes: &Episodes, channel: usize) -> Vec<f32> {
    let at = |i: usize| episodes.input_at(i % episodes.steps, channel, i / episodes.steps);
    (0..episodes.environments * episodes.steps).map(|i| episodes.inputs[at(i)]).collect()
}

#[test]
fn graded_inputs_are_uniform_between_their_ends_and_independent() {
    for task in TASKS.iter().filter(|task| task.name == "iaf" || task.name.starts_with("stdp")) {
        let plan = plan("enu", task.name);
        let unit = SingleUnit::new(&plan);
        let (low, high) = match (unit.iaf(), unit.stdp()) {
            (Some(iaf), _) => (iaf.input_min, iaf.input_max),
            (_, Some(stdp)) => (stdp.config.input_min, stdp.config.input_max),
            _ => panic!("{}: no graded input known", task.name),
        };
        let environments = sized(1 << 14);
        let generation = |generation| channel(&unit.generation_episodes(environments, 4, generation), 0);
        let (now, next) = (generation(0), generation(1));
        let fresh = channel(&unit.fresh_episodes(environments, 4), 0);
        // The upper end is reached where the sum rounds up to it; it is never passed.
        assert!(now.iter().chain(&next).chain(&fresh).all(|x| (low..=high).contains(x)), "{}", task.name);
        // Uniforms with mean 0 and variance 1.
        let scale = |x: f32| ((x - low) / (high - low) - 0.5) * 12f32.sqrt();
        let scaled = |inputs: &[f32]| inputs.iter().map(|&x| scale(x)).collect::<Vec<_>>();
        for inputs in [&now, &next, &fresh] {
            let unit = scaled(inputs).iter().map(|&x| f64::from(x) / 12f64.sqrt() + 0.5).collect();
            assert_law(task.name, unit, |p| p.clamp(0.0, 1.0));
        }
        let (now, next, fresh) = (scaled(&now), scaled(&next), scaled(&fresh));
        for (what, one, other) in [
            ("neighbouring steps", &now[..], &now[1..]),
            ("steps of different blocks", &now, &now[4..]),
            ("neighbouring environments", &now, &now[plan.steps..]),
            ("neighbouring generations", &now, &next),
            ("generation and fresh", &now, &fresh),
        ] {
            let n = other.len();
            let product = one.iter().zip(other).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
            assert_zero(&format!("{}: {what}", task.name), product / n as f64, n);
        }
    }
}

#[test]
fn spike_pairs_are_even_in_step_delay_and_modulator() {
    let plan = plan("enu", "stdp");
    let unit = SingleUnit::new(&plan);
    let episodes = unit.generation_episodes(sized(1 << 16), 4, 7);
    let step_of_spike = |channel: usize, environment: usize| {
        (0..plan.steps).find(|&step| episodes.inputs[episodes.input_at(step, channel, environment)] == 1.0)
    };
    let (mut steps, mut delays, mut modulators) = (vec![0; 50], vec![0; 41], vec![0; 2]);
    // Modulator and sign of the delay together: four cells, 10 + 10 delays.
    let mut joint = vec![0; 4];
    for environment in 0..episodes.environments {
        let pre = step_of_spike(1, environment).expect("a presynaptic spike");
        let post = step_of_spike(3, environment).expect("a postsynaptic spike");
        let modulator = episodes.inputs[episodes.input_at(0, 2, environment)] as usize;
        steps[pre - 25] += 1;
        delays[post + 20 - pre] += 1;
        modulators[modulator] += 1;
        if pre != post {
            joint[2 * modulator + usize::from(post > pre)] += 1;
        }
    }
    assert_even("presynaptic steps", &steps);
    assert_even("delays", &delays);
    assert_even("modulator", &modulators);
    assert_even("modulator and order", &joint);
}

#[test]
fn first_weights_have_the_stated_spread() {
    for unit in UNITS {
        let plan = plan(unit.name, "iaf");
        let centre =
            workload::cpu_engine(&plan, InstructionSet::best()).state().expect("the CPU keeps its state").centre;
        let mut rest = centre.as_slice();
        for (matrix, (rows, columns)) in plan.unit.matrices().enumerate() {
            let (weights, behind) = rest.split_at(rows * columns);
            let scaled: Vec<f32> = weights.iter().map(|w| w * (rows as f32).sqrt() / 0.5).collect();
            assert_normal(&format!("{} matrix {matrix}", unit.name), &scaled);
            rest = behind;
        }
        assert!(rest.is_empty());
    }
}
