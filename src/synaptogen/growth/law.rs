//! The exact law of every neuron pair's number of synapses, and agents drawn from it: one draw a neuron pair instead of one
//! for each gene pair.
//!
//! A number of synapses is a sum of independent binomial numbers, n_k trials of probability p_k, so its characteristic function
//! about the mean is `exp(sum_k n_k L_k(theta))` with `L_k(theta) = ln(1 - p_k + p_k e^{i theta}) - i p_k theta`. The L_k are
//! the same for all neuron pairs: the exponents of all are one matrix product. A discrete Fourier transform over a window of M
//! values gives the probabilities, their sums the thresholds that random words are compared with.
//!
//! Error: two things are cut. Mass outside the window, which the transform folds into it, is below 2 e^-32 by Bernstein's
//! inequality. Frequencies where the characteristic function is below e^-39 are left out; its modulus is at most
//! `exp(-2 variance sin^2(theta / 2))`. With the roundings, the total variation distance to the true law is below 1e-13
//! (measured against convolution: see the tests). Double precision throughout; sums in one order.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};
use std::ops::Range;

use rayon::prelude::*;

use super::thresholds::{LANES, Thresholds};
use super::{Connectome, trials};
use crate::abi::Moments;
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::num::double::sin_cos;
use crate::num::transcendental::{angle, exp, ln, ln_1p};
use crate::rng::{Stream, philox};

/// Bernstein's exponent at the edge of a window.
const TAIL: f64 = 32.0;
/// -ln of the modulus from which frequencies are left out.
const SMALLEST_MODULUS: f64 = 39.0;
/// Least window; a multiple of [`COLUMNS`].
const LEAST_WINDOW: usize = 16;
/// Neuron pairs of a tile of the products.
const ROWS: usize = 4;
/// Columns of a tile: with the rows, as many sums as the register file holds.
const COLUMNS: usize = 16;
/// Agents that share a random block, each of its words being of one.
const WORDS: usize = 4;

/// Laws of all neuron pairs of a connectome.
pub struct Law {
    pairs: Vec<PairLaw>,
    set: InstructionSet,
}

/// That of one: `first` and as many more as its thresholds say.
struct PairLaw {
    first: u32,
    levels: u32,
    thresholds: Thresholds,
}

impl Law {
    /// The laws of `connectome`, on all threads.
    pub fn new(connectome: &Connectome) -> Self {
        Self::with(InstructionSet::best(), connectome)
    }

    /// The same on one instruction set, for tests.
    #[doc(hidden)]
    pub fn with(set: InstructionSet, connectome: &Connectome) -> Self {
        let moments = moments(connectome);
        let mut laws: Vec<(usize, PairLaw)> = Vec::with_capacity(moments.len());
        for Group { window, pairs, frequencies } in groups(&moments) {
            let transform = Transform::new(connectome.rules, window, frequencies);
            let tile = |pairs: &[usize]| {
                let tile = Tile { connectome, moments: &moments, transform: &transform, pairs };
                pairs.iter().copied().zip(set.run(tile)).collect::<Vec<_>>()
            };
            laws.par_extend(pairs.par_chunks(ROWS).flat_map_iter(tile));
        }
        laws.sort_unstable_by_key(|(pair, _)| *pair);
        Self { pairs: laws.into_iter().map(|(_, law)| law).collect(), set }
    }

    /// Numbers of synapses of the agents `agents`: `[agent][neuron pair]`.
    pub fn synapses(&self, seed: u64, agents: Range<u32>) -> Vec<u32> {
        let draw = |(pair, law)| self.set.run(Draw { law, pair: pair as u32, seed, agents: agents.clone() });
        let by_pair: Vec<Vec<u32>> = self.pairs.par_iter().enumerate().map(draw).collect();
        let mut synapses = vec![0; agents.len() * by_pair.len()];
        synapses.par_chunks_mut(by_pair.len().max(1)).enumerate().for_each(|(agent, synapses)| {
            synapses.iter_mut().zip(&by_pair).for_each(|(count, of_pair)| *count = of_pair[agent]);
        });
        synapses
    }

    /// Probability that neuron pair `pair` has `count` synapses.
    pub fn probability(&self, pair: usize, count: u32) -> f64 {
        let law = &self.pairs[pair];
        let Some(index) = count.checked_sub(law.first).filter(|index| index >> law.levels == 0) else { return 0.0 };
        let at = |index: u32| if index + 1 == 1 << law.levels { u64::MAX } else { law.thresholds.get(index as usize) };
        (at(index) - index.checked_sub(1).map_or(0, at)) as f64 / 18_446_744_073_709_551_616.0
    }
}

impl Moments {
    /// A power of two that holds all numbers, or those around the mean whose rest Bernstein's inequality bounds.
    pub(in crate::synaptogen) fn window(&self) -> usize {
        let reach = TAIL / 3.0 + (TAIL * TAIL / 9.0 + 2.0 * TAIL * self.variance).sqrt();
        ((2.0 * reach + 4.0).min(self.trials + 1.0) as usize).next_power_of_two().max(LEAST_WINDOW)
    }

    /// The least number in the window.
    pub(in crate::synaptogen) fn first(&self, window: usize) -> f64 {
        if self.trials < window as f64 { 0.0 } else { (self.mean.floor() - (window / 2) as f64).max(0.0) }
    }

    /// Thresholds in the window: at its end, and beyond the most there can be, nothing exceeds one.
    pub(in crate::synaptogen) fn thresholds(&self, window: usize) -> usize {
        (window - 1).min((self.trials - self.first(window)) as usize)
    }
}

/// Trials of the neuron pair (pre, post), by gene pair.
#[inline(always)]
fn trials_of<'a>(connectome: &'a Connectome, pair: usize) -> impl Iterator<Item = u32> + 'a {
    let (mut pair, mut layer) = (pair, 0);
    while pair >= connectome.layers[layer].conductance.len() {
        pair -= connectome.layers[layer].conductance.len();
        layer += 1;
    }
    let (genes, layer) = (connectome.genes, connectome.layers[layer]);
    let posts = layer.post.len() / genes;
    let (pre, post) = (&layer.pre[pair / posts * genes..][..genes], &layer.post[pair % posts * genes..][..genes]);
    pre.iter().flat_map(move |&pre| post.iter().map(move |&post| trials(connectome.alpha, pre, post)))
}

/// Those of every neuron pair, summed over gene pairs in their order.
fn moments(connectome: &Connectome) -> Vec<Moments> {
    let of = |pair| {
        let mut moments = Moments::default();
        for (n, &p) in trials_of(connectome, pair).zip(connectome.rules) {
            let (n, p) = (f64::from(n), f64::from(p));
            moments.mean += n * p;
            moments.variance += n * p * (1.0 - p);
            moments.trials += n;
        }
        moments
    };
    (0..connectome.pairs()).into_par_iter().with_min_len(32).map(of).collect()
}

/// Neuron pairs with the same window, and how many frequencies their laws have.
pub(in crate::synaptogen) struct Group {
    pub(in crate::synaptogen) window: usize,
    pub(in crate::synaptogen) pairs: Vec<usize>,
    pub(in crate::synaptogen) frequencies: usize,
}

/// Of all neuron pairs of a profile.
pub(in crate::synaptogen) fn groups(moments: &[Moments]) -> Vec<Group> {
    let mut windows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (pair, moments) in moments.iter().enumerate() {
        windows.entry(moments.window()).or_default().push(pair);
    }
    let group = |(window, pairs): (usize, Vec<usize>)| {
        let least_variance = pairs.iter().map(|&pair| moments[pair].variance).fold(f64::INFINITY, f64::min);
        let mut frequencies = 1;
        while frequencies < window / 2 && {
            let (sin, _) = sin_cos(PI * (frequencies + 1) as f64 / window as f64);
            2.0 * least_variance * sin * sin < SMALLEST_MODULUS
        } {
            frequencies += 1;
        }
        Group { window, pairs, frequencies }
    };
    windows.into_iter().map(group).collect()
}

/// Sine and cosine of all whole parts of the circle of a window.
pub(in crate::synaptogen) fn circle(window: usize) -> Vec<(f64, f64)> {
    let step = TAU / window as f64;
    (0..window).map(|i| sin_cos(step * i as f64)).collect()
}

/// What all neuron pairs with the same window share.
struct Transform {
    window: usize,
    frequencies: usize,
    /// L_k at all frequencies, real parts and then imaginary ones, zeros at the end: `[column / COLUMNS][gene pair]`.
    exponents: Vec<Vec<[f64; COLUMNS]>>,
    /// Cosines and then sines of all frequencies with their weights: `[value / COLUMNS][frequency]`.
    waves: Vec<Vec<[f64; COLUMNS]>>,
}

impl Transform {
    fn new(rules: &[f32], window: usize, frequencies: usize) -> Self {
        let (step, circle) = (TAU / window as f64, circle(window));
        let exponent = |p: f64, column: usize| {
            let frequency = column % frequencies + 1;
            let (sin, cos) = circle[frequency];
            let (x, y) = (1.0 - p + p * cos, p * sin.max(0.0));
            let (sin_of_half, _) = sin_cos(0.5 * step * frequency as f64);
            let loss = 4.0 * p * (1.0 - p) * sin_of_half * sin_of_half;
            match column / frequencies {
                // ln of the modulus, whose square is 1 - loss; it may be 0.
                0 if loss < 0.5 => 0.5 * ln_1p(-loss),
                0 => 0.5 * ln((x * x + y * y).max(f64::MIN_POSITIVE)),
                1 if p < 1.0 => angle(y, x) - p * step * frequency as f64,
                _ => 0.0,
            }
        };
        let panel = |panel: usize| {
            let row = |&p: &f32| std::array::from_fn(|column| exponent(f64::from(p), panel * COLUMNS + column));
            rules.iter().map(row).collect()
        };
        let wave = |number: usize, value: usize| {
            let frequency = number % frequencies + 1;
            let (sin, cos) = circle[frequency * value % window];
            // Every frequency stands for its negative as well, but the highest possible.
            let weight = if frequency == window / 2 { 1.0 } else { 2.0 } / window as f64;
            weight * if number < frequencies { cos } else { sin }
        };
        let waves = |panel: usize| {
            let row = |number: usize| std::array::from_fn(|value| wave(number, panel * COLUMNS + value));
            (0..2 * frequencies).map(row).collect()
        };
        Self {
            window,
            frequencies,
            exponents: (0..(2 * frequencies).div_ceil(COLUMNS)).into_par_iter().map(panel).collect(),
            waves: (0..window / COLUMNS).into_par_iter().map(waves).collect(),
        }
    }
}

/// Laws of a few neuron pairs with the same window.
struct Tile<'a> {
    connectome: &'a Connectome<'a>,
    moments: &'a [Moments],
    transform: &'a Transform,
    pairs: &'a [usize],
}

impl Kernel for Tile<'_> {
    type Output = Vec<PairLaw>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Vec<PairLaw> {
        let Transform { window, frequencies, exponents, waves } = self.transform;
        let mut trials = vec![[0.0; ROWS]; self.connectome.rules.len()];
        for (row, &pair) in self.pairs.iter().enumerate() {
            for (to, n) in trials.iter_mut().zip(trials_of(self.connectome, pair)) {
                to[row] = f64::from(n);
            }
        }
        let mut sums = vec![[0.0; ROWS]; exponents.len() * COLUMNS];
        for (sums, panel) in sums.chunks_exact_mut(COLUMNS).zip(exponents) {
            product(&trials, panel, sums);
        }
        let mut coefficients = vec![[0.0; ROWS]; 2 * frequencies];
        for (row, &pair) in self.pairs.iter().enumerate() {
            // From the mean to the window's first number: whole steps, which turn by exact parts of the circle, and a rest.
            let shift = self.moments[pair].mean - self.moments[pair].first(*window);
            let (whole, step) = (shift.floor(), TAU / *window as f64);
            for f in 0..*frequencies {
                let turned = ((f + 1) * whole as usize % window) as f64 + (shift - whole) * (f + 1) as f64;
                let modulus = exp(sums[f][row]);
                let (sin, cos) = sin_cos(sums[frequencies + f][row] + step * turned);
                coefficients[f][row] = modulus * cos;
                coefficients[frequencies + f][row] = modulus * sin;
            }
        }
        let mut masses = vec![[0.0; ROWS]; *window];
        for (masses, panel) in masses.chunks_exact_mut(COLUMNS).zip(waves) {
            product(&coefficients, panel, masses);
        }
        let law = |(row, &pair): (usize, &usize)| {
            let (moments, mut thresholds) = (&self.moments[pair], Thresholds::new(*window));
            let first = moments.first(*window);
            let mut sum = 0.0;
            let mut cumulative = vec![1.0; moments.thresholds(*window)];
            for (cumulative, mass) in cumulative.iter_mut().zip(&masses) {
                let mass = mass[row] + 1.0 / *window as f64;
                sum += if mass > 0.0 { mass } else { 0.0 };
                *cumulative = sum;
            }
            thresholds.set(0, &cumulative);
            PairLaw { first: first as u32, levels: window.trailing_zeros(), thresholds }
        };
        self.pairs.iter().enumerate().map(law).collect()
    }
}

/// `sums[column][row] = sum over k of x[k][row] * panel[k][column]`, in the order of k.
#[inline(always)]
fn product(x: &[[f64; ROWS]], panel: &[[f64; COLUMNS]], sums: &mut [[f64; ROWS]]) {
    let mut tile = [[0.0; COLUMNS]; ROWS];
    for (x, panel) in x.iter().zip(panel) {
        for (tile, &x) in tile.iter_mut().zip(x) {
            for (sum, &factor) in tile.iter_mut().zip(panel) {
                *sum = x.mul_add(factor, *sum);
            }
        }
    }
    for (column, sums) in sums.iter_mut().enumerate() {
        for (row, sum) in sums.iter_mut().enumerate() {
            *sum = tile[row][column];
        }
    }
}

/// Draws of one neuron pair, for all agents.
struct Draw<'a> {
    law: &'a PairLaw,
    pair: u32,
    seed: u64,
    agents: Range<u32>,
}

impl Kernel for Draw<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "lane counts blocks, and runs across the planes")]
    fn run<V: Vector>(self) -> Vec<u32> {
        let Self { law, pair, seed, agents } = self;
        let key = [seed as u32, (seed >> 32) as u32];
        let block = |group: u32, half: u32| philox([pair, group, half, Stream::SynapseLaw as u32], key);
        let mut synapses = vec![0; agents.len()];
        let mut group = agents.start / WORDS as u32;
        while group < agents.end.div_ceil(WORDS as u32) {
            let mut words = [[0; LANES]; WORDS];
            for lane in 0..LANES {
                let block = block(group.wrapping_add(lane as u32), 0);
                for word in 0..WORDS {
                    words[word][lane] = block[word];
                }
            }
            for (word, words) in words.iter().enumerate() {
                let tie = |lane: usize| block(group.wrapping_add(lane as u32), 1)[word];
                let values = law.thresholds.values(&[0; LANES], law.levels, words, tie);
                for (lane, value) in values.into_iter().enumerate() {
                    let agent = (group + lane as u32) * WORDS as u32 + word as u32;
                    if agents.contains(&agent) {
                        synapses[(agent - agents.start) as usize] = law.first + value;
                    }
                }
            }
            group += LANES as u32;
        }
        synapses
    }
}
