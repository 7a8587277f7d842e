//! One binomial number for each gene pair and neuron pair, exactly as Algorithm 1 says.
//!
//! The neuron pairs of a gene pair share its probability p, so a few tables serve all of them and all agents. Binomial numbers
//! of the same p add up: `n` trials are cut by the bits of `n` into `n mod 64` and powers of two, each drawn from the table of
//! its law, and what is a multiple of 2^16 by [`Binomial`]. Most trials are fewer than ten, a single search of a few steps.
//! Neuron pairs without trials, a third of all or more, are left out before anything is drawn.
//!
//! Error: the tables are right to 1e-13 in total variation, and inverted to 64 bits.

use std::ops::Range;

use rayon::prelude::*;

use super::binomial::{Binomial, Words};
use super::thresholds::{LANES, Thresholds};
use super::{Connectome, trials};
use crate::abi::{GENES_ALWAYS, GENES_DRAWN, GENES_NEVER, GeneTable, PowerTable};
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::rng::{Row, Stream, philox};

/// Trials below this are drawn at once: a row of as many thresholds for each.
const SMALL: u32 = 64;
/// Powers of two with a table: 2^6 .. 2^15.
const POWERS: Range<u32> = 6..16;
/// Room for the table of a power: 9.5 standard deviations of 2^15 trials to both sides.
const POWER_ROW: usize = 2048;
/// All tables of a gene pair, rounded up to a power of two.
const TABLE: usize = 1 << 15;
/// Agents that share a random block, each of its words being of one.
const WORDS: u32 = 4;
/// Blocks of a draw: its parts count up from 0, the lower halves for words that meet a threshold from here ..
const LOWER_HALVES: u32 = 32;
/// .. and those of [`Binomial`] from here.
const REJECTION: u32 = 64;

/// Numbers of synapses of the agents `agents`: `[agent][neuron pair]`.
pub fn synapses(connectome: &Connectome, seed: u64, agents: Range<u32>) -> Vec<u32> {
    synapses_with(InstructionSet::best(), connectome, seed, agents)
}

/// The same on one instruction set, for tests.
#[doc(hidden)]
pub fn synapses_with(set: InstructionSet, connectome: &Connectome, seed: u64, agents: Range<u32>) -> Vec<u32> {
    let gene_pairs = connectome.genes * connectome.genes;
    let expression = Expression::of(connectome);
    let sum = |mut a: Vec<u32>, b: Vec<u32>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a = a.wrapping_add(b));
        a
    };
    let pieces = (4 * rayon::current_num_threads()).min(gene_pairs);
    // Sums of integers do not depend on their order, so pieces may be as many as suit the threads.
    (0..pieces)
        .into_par_iter()
        .map(|piece| {
            let gene_pairs = piece * gene_pairs / pieces..(piece + 1) * gene_pairs / pieces;
            let mut drawing = Drawing::new(connectome, &expression, seed, agents.clone());
            set.run(DrawAll { drawing: &mut drawing, gene_pairs });
            drawing.synapses
        })
        .reduce_with(sum)
        .unwrap_or_default()
}

/// All tables of a connectome, as a device reads them.
pub(in crate::synaptogen) struct Tables {
    /// Whether some numbers of trials are beyond them.
    pub(in crate::synaptogen) is_beyond: bool,
    /// `[gene pair]`.
    pub(in crate::synaptogen) genes: Vec<GeneTable>,
    /// Of all gene pairs.
    pub(in crate::synaptogen) powers: Vec<PowerTable>,
    /// Upper halves of all thresholds.
    pub(in crate::synaptogen) high: Vec<u32>,
    /// Lower halves of all thresholds.
    pub(in crate::synaptogen) low: Vec<u32>,
}

impl Tables {
    /// Of a connectome: what [`synapses`] draws from. On all threads.
    pub(in crate::synaptogen) fn new(connectome: &Connectome) -> Self {
        let work = || (Thresholds::new(TABLE), Box::new([0.0; 2 * POWER_ROW]));
        let parts: Vec<Self> = (0..connectome.rules.len())
            .into_par_iter()
            .map_init(work, |(thresholds, weights), pair| Self::of_pair(connectome, pair, thresholds, weights))
            .collect();
        let mut all = Self { is_beyond: false, genes: vec![], powers: vec![], high: vec![], low: vec![] };
        for part in parts {
            let (thresholds, powers) = (all.high.len() as u32, all.powers.len() as u32);
            let moved = |genes: GeneTable| GeneTable { small: thresholds, powers, ..genes };
            all.genes.extend(part.genes.into_iter().map(moved));
            all.powers.extend(part.powers.into_iter().map(|p| PowerTable { start: thresholds + p.start, ..p }));
            all.high.extend(part.high);
            all.low.extend(part.low);
            all.is_beyond |= part.is_beyond;
        }
        all
    }

    /// Those of one gene pair.
    fn of_pair(
        connectome: &Connectome,
        gene_pair: usize,
        thresholds: &mut Thresholds,
        weights: &mut [f64; 2 * POWER_ROW],
    ) -> Self {
        let probability = f64::from(connectome.rules[gene_pair]);
        let (kind, most) = match probability {
            p if p >= 1.0 => (GENES_ALWAYS, 0),
            p if p > 0.0 => (GENES_DRAWN, most_trials(connectome, gene_pair)),
            _ => (GENES_NEVER, 0),
        };
        let (mut powers, mut high, mut low, mut levels) = (vec![], vec![], vec![], 0);
        if most > 0 {
            let rows = most.min(SMALL - 1);
            levels = small_table(probability, rows, thresholds);
            for row in 0..=rows {
                thresholds.copy_to((row * SMALL) as usize, 1 << levels, &mut high, &mut low);
            }
            for (part, power) in POWERS.enumerate().filter(|(_, power)| most >> power != 0) {
                let start = power_start(part);
                let (levels, least) = power_table(probability, power, weights, thresholds, start);
                powers.push(PowerTable { start: high.len() as u32, levels, least });
                thresholds.copy_to(start, 1 << levels, &mut high, &mut low);
            }
        }
        let genes = vec![GeneTable { probability, kind, small: 0, levels, powers: 0 }];
        Self { is_beyond: most >> POWERS.end != 0, genes, powers, high, low }
    }
}

/// The most trials that a neuron pair has of a gene pair: they rise with either expression.
fn most_trials(connectome: &Connectome, gene_pair: usize) -> u32 {
    let genes = connectome.genes;
    let most = |expression: &[f32], gene: usize| {
        expression.iter().skip(gene).step_by(genes).fold(0.0, |most: f32, &e| if e > most { e } else { most })
    };
    let of = |layer: &super::LayerPair| {
        trials(connectome.alpha, most(layer.pre, gene_pair / genes), most(layer.post, gene_pair % genes))
    };
    connectome.layers.iter().map(of).max().unwrap_or(0)
}

/// Expression by gene, so that the neurons of a layer lie side by side: `[gene][neuron]`, pre and post of each pair of layers.
struct Expression(Vec<[Vec<f32>; 2]>);

impl Expression {
    fn of(connectome: &Connectome) -> Self {
        let genes = connectome.genes;
        let by_gene = |of: &[f32]| (0..genes).flat_map(|g| of.iter().skip(g).step_by(genes).copied()).collect();
        Self(connectome.layers.iter().map(|layer| [by_gene(layer.pre), by_gene(layer.post)]).collect())
    }
}

/// The first threshold of the table of the power 2^(6 + `part`).
#[inline(always)]
fn power_start(part: usize) -> usize {
    (SMALL * SMALL) as usize + part * POWER_ROW
}

/// Neuron pairs that draw a part from one table, and where its row starts for each.
#[derive(Default)]
struct Part {
    pairs: Vec<u32>,
    starts: Vec<u32>,
}

impl Part {
    fn clear(&mut self) {
        self.pairs.clear();
        self.starts.clear();
    }
}

/// What a thread draws with.
struct Drawing<'a> {
    connectome: &'a Connectome<'a>,
    expression: &'a Expression,
    seed: u64,
    agents: Range<u32>,
    /// `[agent][neuron pair]`, of the gene pairs so far.
    synapses: Vec<u32>,
    /// Of the gene pair in hand: trials of every neuron pair; tables; parts, of which the first is the small one and the
    /// others are those of the powers.
    trials: Vec<u32>,
    /// Neuron pairs with more trials than are small.
    large: Vec<u32>,
    thresholds: Thresholds,
    /// Of a table that is being made.
    weights: [f64; 2 * POWER_ROW],
    parts: Vec<Part>,
}

struct DrawAll<'a, 'b> {
    drawing: &'a mut Drawing<'b>,
    gene_pairs: Range<usize>,
}

impl Kernel for DrawAll<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for gene_pair in self.gene_pairs {
            self.drawing.gene_pair(gene_pair);
        }
    }
}

impl<'a> Drawing<'a> {
    fn new(connectome: &'a Connectome, expression: &'a Expression, seed: u64, agents: Range<u32>) -> Self {
        let pairs = connectome.pairs();
        Self {
            connectome,
            expression,
            seed,
            synapses: vec![0; agents.len() * pairs],
            agents,
            trials: vec![0; pairs],
            large: Vec::new(),
            thresholds: Thresholds::new(TABLE),
            weights: [0.0; 2 * POWER_ROW],
            parts: (0..=POWERS.len()).map(|_| Part::default()).collect(),
        }
    }

    /// Draw the synapses of a gene pair, for all neuron pairs and agents.
    #[inline(always)]
    fn gene_pair(&mut self, gene_pair: usize) {
        let p = f64::from(self.connectome.rules[gene_pair]);
        if p.is_nan() || p <= 0.0 {
            return;
        }
        let most = self.count_trials(gene_pair);
        if p >= 1.0 {
            for agent in self.synapses.chunks_mut(self.trials.len()) {
                agent.iter_mut().zip(&self.trials).for_each(|(count, n)| *count += n);
            }
            return;
        }
        self.sort_out();
        let row = small_table(p, most.min(SMALL - 1), &mut self.thresholds);
        self.draw_part(0, gene_pair, row, 0);
        for (part, power) in POWERS.enumerate() {
            if !self.parts[part + 1].pairs.is_empty() {
                let (levels, least) = power_table(p, power, &mut self.weights, &mut self.thresholds, power_start(part));
                self.draw_part(part + 1, gene_pair, levels, least);
            }
        }
        if most >> POWERS.end != 0 {
            self.draw_rest(gene_pair, p);
        }
    }

    /// Trials of every neuron pair. Gives the most of any.
    #[inline(always)]
    fn count_trials(&mut self, gene_pair: usize) -> u32 {
        let (u, w) = (gene_pair / self.connectome.genes, gene_pair % self.connectome.genes);
        let (mut most, mut at) = (0, 0);
        for [pre, post] in &self.expression.0 {
            let (pre_neurons, post_neurons) = (pre.len() / self.connectome.genes, post.len() / self.connectome.genes);
            let post = &post[w * post_neurons..][..post_neurons];
            for &pre in &pre[u * pre_neurons..][..pre_neurons] {
                for (n, &post) in self.trials[at..at + post_neurons].iter_mut().zip(post) {
                    *n = trials(self.connectome.alpha, pre, post);
                    most = most.max(*n);
                }
                at += post_neurons;
            }
        }
        most
    }

    /// List the neuron pairs of every part.
    #[inline(always)]
    fn sort_out(&mut self) {
        let pairs = self.trials.len();
        self.large.resize(pairs, 0);
        let [small, powers @ ..] = &mut self.parts[..] else { return };
        small.pairs.resize(pairs, 0);
        small.starts.resize(pairs, 0);
        powers.iter_mut().for_each(Part::clear);
        let (mut length, mut large) = (0, 0);
        // Written first, counted where it is to stay: no branch.
        for (pair, &n) in self.trials.iter().enumerate() {
            small.pairs[length] = pair as u32;
            small.starts[length] = n % SMALL * SMALL;
            length += usize::from(n % SMALL != 0);
            self.large[large] = pair as u32;
            large += usize::from(n >= SMALL);
        }
        small.pairs.truncate(length);
        small.starts.truncate(length);
        for &pair in &self.large[..large] {
            let n = self.trials[pair as usize];
            let mut bits = n % (1 << POWERS.end) / SMALL;
            while bits != 0 {
                let part = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                powers[part].pairs.push(pair);
                powers[part].starts.push(power_start(part) as u32);
            }
        }
    }

    /// Draw one part for all agents: `least` and what the search in rows of 2^`levels` thresholds finds.
    #[inline(always)]
    fn draw_part(&mut self, part: usize, gene_pair: usize, levels: u32, least: u32) {
        let pairs = self.trials.len();
        let Part { pairs: listed, starts } = &self.parts[part];
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        let stream = |block: u32| Stream::Synapses as u32 + (block << 8);
        for group in self.agents.start / WORDS..self.agents.end.div_ceil(WORDS) {
            for (listed, row_starts) in listed.chunks(LANES).zip(starts.chunks(LANES)) {
                let (mut lanes, mut starts) = ([0; LANES], [0; LANES]);
                lanes[..listed.len()].copy_from_slice(listed);
                starts[..listed.len()].copy_from_slice(row_starts);
                let mut words = [[0; LANES]; WORDS as usize];
                for lane in 0..LANES {
                    let block = philox([lanes[lane], group, gene_pair as u32, stream(part as u32)], key);
                    for word in 0..WORDS as usize {
                        words[word][lane] = block[word];
                    }
                }
                for (word, words) in words.iter().enumerate() {
                    let agent = group * WORDS + word as u32;
                    if !self.agents.contains(&agent) {
                        continue;
                    }
                    let tie = |lane: usize| {
                        let counter = [lanes[lane], group, gene_pair as u32, stream(LOWER_HALVES + part as u32)];
                        philox(counter, key)[word]
                    };
                    let values = self.thresholds.values(&starts, levels, words, tie);
                    let counts = &mut self.synapses[(agent - self.agents.start) as usize * pairs..][..pairs];
                    for (&pair, value) in listed.iter().zip(values) {
                        counts[pair as usize] += least + value;
                    }
                }
            }
        }
    }

    /// What is left of trials beyond the tables.
    fn draw_rest(&mut self, gene_pair: usize, p: f64) {
        let pairs = self.trials.len();
        for (pair, n) in self.trials.iter().enumerate().filter(|(_, n)| **n >> POWERS.end != 0) {
            let law = Binomial::new(n >> POWERS.end << POWERS.end, p);
            for (counts, agent) in self.synapses.chunks_mut(pairs).zip(self.agents.clone()) {
                let row = Row { seed: self.seed, stream: Stream::Synapses, generation: gene_pair as u32, index: agent };
                counts[pair] += law.draw(&mut Words::from_block(&row, pair as u32, REJECTION));
            }
        }
    }
}

/// Laws of up to `most` trials, row `n` from threshold 64 n on. Gives the levels of the search.
///
/// The cumulative distribution of n trials is a mean of those of n - 1: F_n(k) = (1 - p) F_{n-1}(k) + p F_{n-1}(k - 1).
#[inline(always)]
fn small_table(p: f64, most: u32, thresholds: &mut Thresholds) -> u32 {
    let q = 1.0 - p;
    let width = (most + 1).next_power_of_two() as usize;
    // Place k + 1 of a row is F(k), place 0 stands for F(-1). From F(n) on it stays exactly 1.
    let mut rows = [[1.0; SMALL as usize + 1]; 2];
    (rows[0][0], rows[1][0]) = (0.0, 0.0);
    for n in 1..=most as usize {
        let [even, odd] = &mut rows;
        let (before, row) = if n % 2 == 0 { (odd, even) } else { (even, odd) };
        for k in 1..=n {
            row[k] = q * before[k] + p * before[k - 1];
        }
        // What follows is never exceeded from the start.
        thresholds.set(n * SMALL as usize, &row[1..=n]);
    }
    width.trailing_zeros()
}

/// The law of 2^`power` trials, from threshold `start` on. Gives the levels of the search and the value of its first
/// threshold.
///
/// Outwards from the mode by the recurrence of neighbours, until they are below 2^-64 of it, and normalised by the sum.
#[inline(always)]
fn power_table(
    p: f64,
    power: u32,
    weights: &mut [f64; 2 * POWER_ROW],
    thresholds: &mut Thresholds,
    start: usize,
) -> (u32, u32) {
    const LEAST: f64 = 1.0 / 18_446_744_073_709_551_616.0;
    let n = f64::from(1u32 << power);
    let odds = p / (1.0 - p);
    let mode = ((n + 1.0) * p).floor();
    // Downwards first, from the middle of the room.
    let middle = POWER_ROW / 2;
    weights[middle] = 1.0;
    let (mut first, mut last) = (middle, middle);
    let mut k = mode;
    while k > 0.0 && weights[first] > LEAST && first > 0 {
        weights[first - 1] = weights[first] * (k / ((n - k + 1.0) * odds));
        first -= 1;
        k -= 1.0;
    }
    let least = k;
    k = mode;
    while k < n && weights[last] > LEAST && last + 1 < POWER_ROW {
        weights[last + 1] = weights[last] * ((n - k) * odds / (k + 1.0));
        last += 1;
        k += 1.0;
    }
    let mut sum = 0.0;
    for weight in &mut weights[first..=last] {
        sum += *weight;
        *weight = sum;
    }
    let scale = 1.0 / sum;
    weights[first..=last].iter_mut().for_each(|sum| *sum *= scale);
    // At the last value, and behind it, nothing exceeds a threshold.
    let levels = (last + 1 - first).next_power_of_two().trailing_zeros();
    weights[last..first + (1 << levels)].fill(1.0);
    thresholds.set(start, &weights[first..first + (1 << levels)]);
    (levels, least as u32)
}
