//! A network of leaky integrate-and-fire neurons: populations, the synapses between them, and what else excites them.
//!
//! The neurons lie in lanes, those of a population side by side and padded to whole vectors. A network can be cut into parts
//! of whole vectors for threads that step one network together; each holds the synapses onto its own neurons.

use std::ops::Range;

use rayon::prelude::*;

use super::background::PoissonLaw;
use super::neuron::Constants;
use super::parameters::Background;
use super::precision::Precision;
use super::synapses::{Rows, Synapse, Unsorted};
use super::{DT, Derived, NAMES, POPULATIONS, Parameters, Seeds, steps, wiring};
use crate::cpu::{LANES, padded};
use crate::error::{Error, Result};
use crate::rng::{Row, Stream};

/// Neurons that share their constants.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    /// How many.
    pub neurons: usize,
    /// Of each.
    pub constants: Constants,
    /// Constant current, pA.
    pub current: f64,
    /// Spikes from outside, if there are any.
    pub background: Option<PoissonLaw>,
}

/// A synapse as it is written down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Connection {
    /// Number of the neuron that it comes from, through all populations; the generators follow the neurons.
    pub source: u32,
    /// The neuron that it goes to.
    pub target: u32,
    /// Its weight, pA.
    pub weight: f64,
    /// In steps.
    pub delay: u32,
}

/// Spikes of generators, sources that are no neurons: step and number of the generator, in the order of steps.
pub type Schedule = Vec<(u32, u32)>;

/// Ready to be simulated.
#[derive(Debug, Clone)]
pub struct Network<P: Precision> {
    pub(super) populations: Vec<Population>,
    /// First lane of each population, and the number of lanes.
    pub(super) lanes: Vec<usize>,
    pub(super) parts: Vec<Part<P>>,
    /// Weight of a spike from outside, pA.
    pub(super) external_weight: f64,
    /// No spike from outside arrives in the first steps.
    pub(super) quiet_steps: u32,
    /// Of weights.
    pub(super) fraction_bits: i32,
    /// First potentials above rest, mV, by lane.
    pub(super) first: Vec<f64>,
    pub(super) noise: u64,
    pub(super) schedule: Schedule,
}

/// A range of lanes with the synapses onto it.
#[derive(Debug, Clone)]
pub(super) struct Part<P: Precision> {
    pub lanes: Range<usize>,
    /// By source population; generators are the last one.
    pub rows: Vec<Rows<P::Weight>>,
}

impl<P: Precision> Network<P> {
    /// A column with its synapses drawn, in `parts` parts.
    ///
    /// # Errors
    /// When a parameter is out of its range, or a size cannot be held.
    pub fn column(parameters: &Parameters, seeds: Seeds, parts: usize) -> Result<Self> {
        let (mut network, derived) = Self::column_without_synapses(parameters, seeds)?;
        let (lanes, fraction_bits) = (&network.lanes, network.fraction_bits);
        let bounds = bounds(lanes[POPULATIONS], parts);
        let drawn: Vec<Vec<Rows<P::Weight>>> = (0..POPULATIONS)
            .into_par_iter()
            .map(|source| {
                wiring::Source::population(parameters, &derived, seeds.wiring, source).rows::<P>(
                    lanes,
                    &bounds,
                    fraction_bits,
                )
            })
            .collect::<Result<_>>()?;
        network.parts = transposed(drawn, &bounds);
        network.check_sums()?;
        Ok(network)
    }

    /// All of a column but its synapses, and what follows from its parameters.
    pub(super) fn column_without_synapses(parameters: &Parameters, seeds: Seeds) -> Result<(Self, Derived)> {
        parameters.check().map_err(|invalid| Error::Config(invalid.to_string()))?;
        let derived = parameters.derive();
        let background = |p: usize| match parameters.background {
            Background::Dc => Ok(None),
            Background::Poisson => match PoissonLaw::new(derived.external_rate[p] * DT * 1e-3) {
                Some(law) => Ok(Some(law)),
                None => Err(Error::Config(format!(
                    "`background_rate`: {} gets {} spikes a second from outside, more than can be drawn; try: background = \"dc\"",
                    NAMES[p], derived.external_rate[p]
                ))),
            },
        };
        let populations = (0..POPULATIONS)
            .map(|p| {
                Ok(Population {
                    neurons: derived.neurons[p] as usize,
                    constants: derived.neuron,
                    current: derived.current[p],
                    background: background(p)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let lanes = lanes_of(&populations);
        let mut first = vec![0.0; lanes[POPULATIONS]];
        for (p, range) in lanes.windows(2).enumerate() {
            let mut normals = vec![0.0; derived.neurons[p] as usize];
            let row = Row { seed: seeds.noise, stream: Stream::Potential, generation: 0, index: p as u32 };
            row.normals(0, &mut normals);
            for (first, normal) in first[range[0]..].iter_mut().zip(normals) {
                *first = parameters.v0_mean[p] + parameters.v0_sd[p] * f64::from(normal) - parameters.e_l;
            }
        }
        let network = Self {
            external_weight: derived.external_weight,
            quiet_steps: steps(parameters.background_delay),
            parts: Vec::new(),
            populations,
            lanes,
            fraction_bits: P::fraction_bits(wiring::most_input(parameters, &derived)),
            first,
            noise: seeds.noise,
            schedule: Vec::new(),
        };
        Ok((network, derived))
    }

    /// A network with its synapses written down, and first potentials above rest of every neuron, mV. `generators` are sources
    /// that fire when the schedule says so.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn written(
        populations: Vec<Population>,
        first: &[f64],
        connections: &[Connection],
        generators: (usize, Schedule),
        parts: usize,
    ) -> Result<Self> {
        let lanes = lanes_of(&populations);
        let neurons: usize = populations.iter().map(|population| population.neurons).sum();
        if first.len() != neurons {
            return Err(Error::Run(format!("{} first potentials for {neurons} neurons", first.len())));
        }
        let (generators, schedule) = generators;
        let mut input = vec![0.0; neurons];
        for &Connection { source, target, weight, delay } in connections {
            let is_good = (source as usize) < neurons + generators
                && (target as usize) < neurons
                && (1..=super::delay::LONGEST as u32).contains(&delay)
                && weight.is_finite();
            if !is_good {
                return Err(Error::Run(format!(
                    "no synapse can go from {source} to {target} with {weight} pA after {delay} steps"
                )));
            }
            input[target as usize] += weight.abs();
        }
        let fraction_bits = P::fraction_bits(input.iter().fold(1.0, |most: f64, &sum| most.max(sum)));
        // Population and number in it, of neurons and then of generators.
        let sizes = populations.iter().map(|population| population.neurons).chain([generators]);
        let places: Vec<(usize, u32)> =
            sizes.enumerate().flat_map(|(p, size)| (0..size as u32).map(move |number| (p, number))).collect();
        let bounds = bounds(lanes[populations.len()], parts);
        let lane = |neuron: usize| lanes[places[neuron].0] + places[neuron].1 as usize;
        let sizes = populations.iter().map(|population| population.neurons).chain([generators]);
        let mut drawn: Vec<Vec<Unsorted<P::Weight>>> =
            sizes.map(|size| vec![Unsorted::new(size, 0); bounds.len() - 1]).collect();
        for &Connection { source, target, weight, delay } in connections {
            let (population, number) = places[source as usize];
            let lane = lane(target as usize);
            let part = bounds.partition_point(|&bound| bound <= lane) - 1;
            let synapse = Synapse { target: (lane - bounds[part]) as u32, weight: P::weight(weight, fraction_bits) };
            drawn[population][part].push(number, delay, synapse);
        }
        let rows =
            drawn.into_iter().map(|parts| parts.into_iter().map(Unsorted::sort).collect()).collect::<Result<_>>()?;
        let mut by_lane = vec![0.0; lanes[populations.len()]];
        for (neuron, &first) in first.iter().enumerate() {
            by_lane[lane(neuron)] = first;
        }
        let network = Self {
            external_weight: 0.0,
            quiet_steps: 0,
            parts: transposed(rows, &bounds),
            populations,
            lanes,
            fraction_bits,
            first: by_lane,
            noise: 0,
            schedule,
        };
        network.check_sums()?;
        Ok(network)
    }

    /// Where parts begin, and where the last one ends.
    pub(super) fn bounds(&self) -> Vec<usize> {
        let ends = self.parts.iter().map(|part| part.lanes.end);
        std::iter::once(0).chain(ends).collect()
    }

    /// No step can bring a neuron more than its sum of weights holds, whoever fires.
    pub(super) fn check_sums(&self) -> Result<()> {
        for part in &self.parts {
            let mut sums = vec![0.0; part.lanes.len()];
            for synapse in part.rows.iter().flat_map(Rows::synapses) {
                sums[synapse.target as usize] += P::pa(synapse.weight, self.fraction_bits).abs();
            }
            if !sums.iter().all(|&sum| P::can_sum(sum, self.fraction_bits)) {
                return Err(too_much());
            }
        }
        Ok(())
    }

    /// Neurons of each population.
    pub fn sizes(&self) -> Vec<usize> {
        self.populations.iter().map(|population| population.neurons).collect()
    }

    /// All synapses.
    pub fn synapses(&self) -> usize {
        self.parts.iter().flat_map(|part| &part.rows).map(|rows| rows.synapses().len()).sum()
    }

    /// Those from one population, as source, target lane, delay and weight in pA.
    pub fn synapses_from(&self, population: usize) -> impl Iterator<Item = (u32, usize, u32, f64)> {
        self.parts.iter().flat_map(move |part| {
            part.rows[population].iter().map(move |(source, delay, synapse)| {
                let weight = P::pa(synapse.weight, self.fraction_bits);
                (source, part.lanes.start + synapse.target as usize, delay, weight)
            })
        })
    }

    /// Population of a lane, and the neuron's number in it.
    pub fn place(&self, lane: usize) -> (usize, usize) {
        place(&self.lanes, lane)
    }

    /// The inverse of [`Network::place`].
    pub fn lane(&self, population: usize, number: usize) -> usize {
        self.lanes[population] + number
    }
}

/// See [`Network::place`]; of populations that begin at these lanes.
pub(super) fn place(lanes: &[usize], lane: usize) -> (usize, usize) {
    let population = lanes.partition_point(|&first| first <= lane) - 1;
    (population, lane - lanes[population])
}

/// Weights of a neuron that do not fit into its sum.
pub(super) fn too_much() -> Error {
    Error::Run("the synapses of a neuron add up to more than can be summed".into())
}

/// Where each population's lanes begin, and how many there are.
fn lanes_of(populations: &[Population]) -> Vec<usize> {
    let mut lanes = vec![0];
    for population in populations {
        lanes.push(lanes[lanes.len() - 1] + padded(population.neurons));
    }
    lanes
}

/// Where parts of whole vectors begin, and where the last one ends.
fn bounds(lanes: usize, parts: usize) -> Vec<usize> {
    let vectors = lanes / LANES;
    let parts = parts.clamp(1, vectors.max(1));
    (0..=parts).map(|part| vectors * part / parts * LANES).collect()
}

/// From rows by source and part to parts.
fn transposed<P: Precision>(rows: Vec<Vec<Rows<P::Weight>>>, bounds: &[usize]) -> Vec<Part<P>> {
    let mut parts: Vec<Part<P>> =
        bounds.windows(2).map(|range| Part { lanes: range[0]..range[1], rows: Vec::new() }).collect();
    for of_source in rows {
        for (part, rows) in parts.iter_mut().zip(of_source) {
            part.rows.push(rows);
        }
    }
    parts
}
