//! A column's synapses: each pair of populations has a fixed number of them, each with a source, a target, a delay and a weight
//! of its own, drawn independently (`fixed_total_number` of NEST: several synapses between two neurons, and of a neuron with
//! itself, do occur).
//!
//! A synapse is one Philox block: source and target by multiplication (a population of N has each of its neurons to N / 2^32
//! of its probability), the delay by inversion of its law, and a word for its weight. Two words make two normal numbers: a
//! synapse shares them with the one [`HALF`] further on in its group.

use std::marker::PhantomData;

use super::delay::DelayLaw;
use super::parameters::is_inhibitory;
use super::precision::{Precision, power};
use super::synapses::{Rows, Synapse, Unsorted};
use super::{Derived, POPULATIONS, Parameters};
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::error::Result;
use crate::rng::{Row, Stream, normal_pair, philox};

/// Synapses that share their normal numbers, half with the other half.
pub const GROUP: usize = 64;
const HALF: usize = GROUP / 2;

/// A weight of the wrong sign is drawn again this often; each has more than an even chance.
pub const ATTEMPTS: u32 = 64;

/// More than the weights that a neuron gets in one step ever add up to, pA: in-degrees are binomial, and ten standard
/// deviations are added to their mean, as are ten to the mean weight.
pub fn most_input(parameters: &Parameters, derived: &Derived) -> f64 {
    let of = |y: usize| {
        let mut most = 0.0;
        for x in 0..POPULATIONS {
            let degree = derived.synapses[y][x] as f64 / f64::from(derived.neurons[y]);
            let weight = derived.weight[y][x].abs();
            // The mean of many weights is near their law's.
            most += (degree + 10.0 * degree.sqrt() + 10.0) * weight * (1.0 + parameters.psp_relative_sd);
        }
        most
    };
    (0..POPULATIONS).map(of).fold(1.0, f64::max)
}

/// Neurons that the synapses of some pairs come from.
pub struct Source {
    /// By target population.
    pub pairs: [Pair; POPULATIONS],
    /// Synapses of each pair.
    pub synapses: [u64; POPULATIONS],
    /// Mean and standard deviation of their delays, ms.
    pub delay: (f64, f64),
}

impl Source {
    /// A population of a column.
    pub fn population(parameters: &Parameters, derived: &Derived, seed: u64, source: usize) -> Self {
        Self {
            pairs: std::array::from_fn(|target| Pair::new(parameters, derived, seed, source, target)),
            synapses: std::array::from_fn(|target| derived.synapses[target][source]),
            delay: delay(parameters, source),
        }
    }

    /// Its rows, for each part that begins and ends at `bounds`.
    ///
    /// # Errors
    /// When a source has more synapses than a row can number.
    pub fn rows<P: Precision>(
        &self,
        lanes: &[usize],
        bounds: &[usize],
        fraction_bits: i32,
    ) -> Result<Vec<Rows<P::Weight>>> {
        let delays = DelayLaw::new(self.delay.0, self.delay.1);
        let share = self.synapses.iter().sum::<u64>() as usize / (bounds.len() - 1);
        let sources = self.pairs[0].sources as usize;
        let mut drawn = vec![Unsorted::<P::Weight>::new(sources, share); bounds.len() - 1];
        for ((&pair, &synapses), &first_lane) in self.pairs.iter().zip(&self.synapses).zip(lanes) {
            for first in (0..synapses).step_by(GROUP) {
                let group = InstructionSet::best().run(DrawGroup::<P> {
                    pair,
                    first: first as u32,
                    fraction_bits,
                    precision: PhantomData,
                });
                let count = GROUP.min((synapses - first) as usize);
                for i in 0..count {
                    let lane = first_lane + group.targets[i] as usize;
                    let part = if bounds.len() == 2 { 0 } else { bounds.partition_point(|&bound| bound <= lane) - 1 };
                    let synapse =
                        Synapse { target: (lane - bounds[part]) as u32, weight: P::of_drawn(group.weights[i]) };
                    drawn[part].push(group.sources[i], delays.draw(group.delays[i]), synapse);
                }
            }
        }
        drawn.into_iter().map(Unsorted::sort).collect()
    }
}

/// Mean and standard deviation of a population's delays, ms.
pub fn delay(parameters: &Parameters, source: usize) -> (f64, f64) {
    let (mean, relative_sd) = if is_inhibitory(source) {
        (parameters.delay_inhibitory, parameters.delay_relative_sd_inhibitory)
    } else {
        (parameters.delay_excitatory, parameters.delay_relative_sd_excitatory)
    };
    (mean, mean * relative_sd)
}

/// A pair of populations.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Of the column's synapses.
    pub seed: u64,
    /// Of the pair, for its random numbers.
    pub number: u32,
    /// Neurons.
    pub sources: u32,
    /// Neurons.
    pub targets: u32,
    /// Mean, pA.
    pub weight: f32,
    /// Standard deviation, pA.
    pub sd: f32,
}

/// Synapses of a pair, in the order of their numbers.
struct Group {
    sources: [u32; GROUP],
    targets: [u32; GROUP],
    /// Words.
    delays: [u32; GROUP],
    /// As [`Precision::drawn`] gives them.
    weights: [f32; GROUP],
}

impl Pair {
    /// From one population of a column onto another.
    pub fn new(parameters: &Parameters, derived: &Derived, seed: u64, source: usize, target: usize) -> Self {
        let weight = derived.weight[target][source];
        Self {
            seed,
            number: (target * POPULATIONS + source) as u32,
            sources: derived.neurons[source],
            targets: derived.neurons[target],
            weight: weight as f32,
            sd: (weight.abs() * parameters.psp_relative_sd) as f32,
        }
    }

    #[inline(always)]
    fn row(&self, attempt: u32) -> Row {
        Row { seed: self.seed, stream: Stream::Wiring, generation: attempt, index: self.number }
    }

    /// The weight of synapse `number`, if the first one that was drawn has the wrong sign.
    #[cold]
    fn weight_again(&self, number: u32) -> f32 {
        (1..=ATTEMPTS)
            .map(|attempt| {
                let [a, b, ..] = self.row(attempt).block(number);
                self.sd.mul_add(normal_pair(a, b).0, self.weight)
            })
            .find(|&weight| self.has_sign(weight))
            .unwrap_or(self.weight)
    }

    #[inline(always)]
    fn has_sign(&self, weight: f32) -> bool {
        weight * self.weight >= 0.0
    }
}

/// Draws a [`Group`].
struct DrawGroup<P> {
    pair: Pair,
    first: u32,
    fraction_bits: i32,
    precision: PhantomData<P>,
}

impl<P: Precision> Kernel for DrawGroup<P> {
    type Output = Group;

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "i counts synapses, and runs across the words")]
    fn run<V: Vector>(self) -> Group {
        let Self { pair, first, fraction_bits, .. } = self;
        let row = pair.row(0);
        let key = [row.seed as u32, (row.seed >> 32) as u32];
        let mut group = Group { sources: [0; GROUP], targets: [0; GROUP], delays: [0; GROUP], weights: [0.0; GROUP] };
        let mut words = [0u32; GROUP];
        for i in 0..GROUP {
            let counter = [first.wrapping_add(i as u32), row.index, row.generation, row.stream as u32];
            let [source, target, delay, weight] = philox(counter, key);
            group.sources[i] = below(pair.sources, source);
            group.targets[i] = below(pair.targets, target);
            group.delays[i] = delay;
            words[i] = weight;
        }
        let mut has_wrong = false;
        for i in 0..HALF {
            let (a, b) = normal_pair(words[i], words[HALF + i]);
            let (a, b) = (pair.sd.mul_add(a, pair.weight), pair.sd.mul_add(b, pair.weight));
            has_wrong |= !pair.has_sign(a) | !pair.has_sign(b);
            group.weights[i] = a;
            group.weights[HALF + i] = b;
        }
        if has_wrong {
            for (i, weight) in group.weights.iter_mut().enumerate() {
                if !pair.has_sign(*weight) {
                    *weight = pair.weight_again(first.wrapping_add(i as u32));
                }
            }
        }
        let scale = power(fraction_bits);
        for weight in &mut group.weights {
            *weight = P::drawn(*weight, scale);
        }
        group
    }
}

/// A number below `n` of a random word.
#[inline(always)]
fn below(n: u32, word: u32) -> u32 {
    ((u64::from(word) * u64::from(n)) >> 32) as u32
}
