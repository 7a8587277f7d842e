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
use super::thresholds::{LANES, Thresholds, fixed_point};
use super::{Connectome, trials};
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

/// Expression by gene, so that the neurons of a layer lie side by side: `[gene][neuron]`, pre and post of each pair of layers.
struct Expression(Vec<[Vec<f32>; 2]>);

impl Expression {
    fn of(connectome: &Connectome) -> Self {
        let genes = connectome.genes;
        let by_gene = |of: &[f32]| (0..genes).flat_map(|g| of.iter().skip(g).step_by(genes).copied()).collect();
        Self(connectome.layers.iter().map(|layer| [by_gene(layer.pre), by_gene(layer.post)]).collect())
    }
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
    /// Of the gene pair in hand: trials of every neuron pair; tables; parts, of which the first is the small one.
    trials: Vec<u32>,
    thresholds: Thresholds,
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
            thresholds: Thresholds::new(TABLE),
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
        let (most, together) = self.count_trials(gene_pair);
        if p >= 1.0 {
            for agent in self.synapses.chunks_mut(self.trials.len()) {
                agent.iter_mut().zip(&self.trials).for_each(|(count, n)| *count += n);
            }
            return;
        }
        self.sort_out(together);
        let row = small_table(p, most.min(SMALL - 1), &mut self.thresholds);
        self.draw_part(0, gene_pair, row, 0);
        for (part, power) in (1..).zip(POWERS) {
            if !self.parts[part].pairs.is_empty() {
                let start = (SMALL * SMALL) as usize + (part - 1) * POWER_ROW;
                let (levels, least) = power_table(p, power, &mut self.thresholds, start);
                self.draw_part(part, gene_pair, levels, least);
            }
        }
        if together >> POWERS.end != 0 {
            self.draw_rest(gene_pair, p);
        }
    }

    /// Trials of every neuron pair. Gives the most of any, and the bits that any has.
    #[inline(always)]
    fn count_trials(&mut self, gene_pair: usize) -> (u32, u32) {
        let (u, w) = (gene_pair / self.connectome.genes, gene_pair % self.connectome.genes);
        let (mut most, mut together, mut at) = (0, 0, 0);
        for [pre, post] in &self.expression.0 {
            let (pre_neurons, post_neurons) = (pre.len() / self.connectome.genes, post.len() / self.connectome.genes);
            let post = &post[w * post_neurons..][..post_neurons];
            for &pre in &pre[u * pre_neurons..][..pre_neurons] {
                for (n, &post) in self.trials[at..at + post_neurons].iter_mut().zip(post) {
                    *n = trials(self.connectome.alpha, pre, post);
                    most = most.max(*n);
                    together |= *n;
                }
                at += post_neurons;
            }
        }
        (most, together)
    }

    /// List the neuron pairs of every part.
    #[inline(always)]
    fn sort_out(&mut self, together: u32) {
        let pairs = self.trials.len();
        let small = &mut self.parts[0];
        small.pairs.resize(pairs, 0);
        small.starts.resize(pairs, 0);
        let mut length = 0;
        for (pair, &n) in self.trials.iter().enumerate() {
            small.pairs[length] = pair as u32;
            small.starts[length] = n % SMALL * SMALL;
            length += usize::from(n % SMALL != 0);
        }
        small.pairs.truncate(length);
        small.starts.truncate(length);
        for (part, power) in self.parts[1..].iter_mut().zip(POWERS) {
            part.clear();
            if together >> power & 1 != 0 {
                let has = |&(_, &n): &(usize, &u32)| n >> power & 1 != 0;
                part.pairs.extend(self.trials.iter().enumerate().filter(has).map(|(pair, _)| pair as u32));
                part.starts.resize(part.pairs.len(), SMALL * SMALL + (power - POWERS.start) * POWER_ROW as u32);
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
    let mut row = [1.0; SMALL as usize + 1];
    // row[k + 1] is F(k); row[0] stands for F(-1).
    row[0] = 0.0;
    let width = ((most + 1).next_power_of_two() as usize).min(SMALL as usize);
    for n in 1..=most as usize {
        let mut next = [1.0; SMALL as usize + 1];
        next[0] = 0.0;
        // From F(n) on it stays exactly 1.
        for k in 1..=n {
            next[k] = q * row[k] + p * row[k - 1];
        }
        row = next;
        for k in 0..width {
            thresholds.set(n * SMALL as usize + k, fixed_point(row[k + 1]));
        }
    }
    width.trailing_zeros()
}

/// The law of 2^`power` trials, from threshold `start` on. Gives the levels of the search and the value of its first
/// threshold.
///
/// Outwards from the mode by the recurrence of neighbours, until they are below 2^-64 of it, and normalised by the sum.
#[inline(always)]
fn power_table(p: f64, power: u32, thresholds: &mut Thresholds, start: usize) -> (u32, u32) {
    const LEAST: f64 = 1.0 / 18_446_744_073_709_551_616.0;
    let n = f64::from(1u32 << power);
    let odds = p / (1.0 - p);
    let mode = ((n + 1.0) * p).floor();
    let mut weights = [0.0; POWER_ROW];
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
    let weights = &weights[first..=last];
    let mut total = 0.0;
    for weight in weights {
        total += weight;
    }
    let levels = weights.len().next_power_of_two().trailing_zeros();
    let mut sum = 0.0;
    for index in 0..1 << levels {
        sum += weights.get(index).unwrap_or(&0.0);
        let is_last = index + 1 >= weights.len();
        thresholds.set(start + index, if is_last { u64::MAX } else { fixed_point(sum / total) });
    }
    (levels, least as u32)
}
