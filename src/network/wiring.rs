//! Who reads whom: the paper's wiring, one drawn from a seed, or one written down.

use std::ops::Range;

use crate::rng::{Row, Stream};

/// The synapses of a network and their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// Sources outside the network: senses, and reward. They come first; source `sensors + n` is neuron n.
    pub sensors: usize,
    /// At least 1.
    pub neurons: usize,
    /// Source of each synapse, below `sensors + neurons`; those of neuron 0 first.
    pub sources: Vec<usize>,
    /// Synapses of neuron n: `first[n]..first[n + 1]`.
    pub first: Vec<usize>,
}

impl Wiring {
    /// From the sources of every neuron's synapses.
    pub fn new(sensors: usize, neurons: &[Vec<usize>]) -> Self {
        let mut first = vec![0];
        first.extend(neurons.iter().scan(0, |count, sources| {
            *count += sources.len();
            Some(*count)
        }));
        Self { sensors, neurons: neurons.len(), sources: neurons.concat(), first }
    }

    /// The paper's: of three sensors, three hidden and three output neurons every neuron reads two each, then the reward
    /// (source 3) and itself. Which two the paper leaves open: here a ring, so that all three are read as often. Neurons 0 to 2
    /// are hidden, 3 to 5 drive the motors.
    pub fn paper() -> Self {
        const REWARD: usize = 3;
        const HIDDEN: usize = 4;
        const OUTPUT: usize = 7;
        let neuron = |n: usize| {
            let (is_output, k) = (n >= 3, n % 3);
            let [a, b] = [(k + 1) % 3, (k + 2) % 3];
            // A neuron's own group is read without itself, which it reads anyway.
            let (hidden, output) = if is_output { ([k, a], [a, b]) } else { ([a, b], [k, a]) };
            vec![
                k,
                a,
                HIDDEN + hidden[0],
                HIDDEN + hidden[1],
                OUTPUT + output[0],
                OUTPUT + output[1],
                REWARD,
                HIDDEN + n,
            ]
        };
        Self::new(4, &(0..6).map(neuron).collect::<Vec<_>>())
    }

    /// Every neuron reads `synapses - 2` sources drawn without replacement, then the reward (the last of the sensors) and itself.
    ///
    /// # Panics
    /// When there are fewer sources than synapses, or fewer synapses than two.
    pub fn random(sensors: usize, neurons: usize, synapses: usize, seed: u64) -> Self {
        let neuron = |n: usize| {
            let (reward, own) = (sensors - 1, sensors + n);
            let mut others: Vec<usize> = (0..sensors + neurons).filter(|&s| s != reward && s != own).collect();
            let mut uniforms = vec![0.0; others.len()];
            Row { seed, stream: Stream::Initial, generation: u32::MAX, index: n as u32 }.uniforms(0, &mut uniforms);
            shuffle(&mut others, &uniforms);
            others.truncate(synapses - 2);
            others.sort_unstable();
            others.extend([reward, own]);
            others
        };
        Self::new(sensors, &(0..neurons).map(neuron).collect::<Vec<_>>())
    }

    /// From lines `source > neuron`; sources by name, neurons `n0`, `n1`, ...
    ///
    /// # Errors
    /// The first line that cannot be, with what is wrong; or a neuron without synapses.
    pub fn from_edges<S: AsRef<str>>(names: &[&str], neurons: usize, edges: &[S]) -> Result<Self, String> {
        let neuron = |name: &str| name.strip_prefix('n')?.parse::<usize>().ok().filter(|n| *n < neurons);
        let mut sources = vec![Vec::new(); neurons];
        for (number, edge) in edges.iter().enumerate() {
            let edge = edge.as_ref();
            let wrong = |why: String| format!("synapse {} of {}, {edge:?}: {why}", number + 1, edges.len());
            let Some((from, to)) = edge.split_once('>').map(|(from, to)| (from.trim(), to.trim())) else {
                return Err(wrong("expected `source > neuron`".into()));
            };
            let Some(to) = neuron(to) else {
                return Err(wrong(format!("`{to}` is not a neuron; they are n0 to n{}", neurons - 1)));
            };
            let sensor = names.iter().position(|name| *name == from);
            let Some(from) = sensor.or_else(|| neuron(from).map(|n| names.len() + n)) else {
                let names = names.join(", ");
                return Err(wrong(format!("`{from}` is not a source; they are {names} and n0 to n{}", neurons - 1)));
            };
            sources[to].push(from);
        }
        if let Some(silent) = sources.iter().position(Vec::is_empty) {
            return Err(format!("neuron n{silent} has no synapse"));
        }
        Ok(Self::new(names.len(), &sources))
    }

    /// The synapses of a neuron.
    pub fn synapses_of(&self, neuron: usize) -> Range<usize> {
        self.first[neuron]..self.first[neuron + 1]
    }

    /// The neuron that each synapse belongs to, in the synapses' order.
    pub fn owners(&self) -> impl Iterator<Item = usize> {
        (0..self.neurons).flat_map(|neuron| self.synapses_of(neuron).map(move |_| neuron))
    }
}

/// Shuffle (Fisher & Yates) with one uniform in [0, 1) for each element but the first, the last element's first.
pub fn shuffle<T>(items: &mut [T], uniforms: &[f32]) {
    for (i, u) in (1..items.len()).rev().zip(uniforms) {
        items.swap(i, (u * (i + 1) as f32) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_wiring_reads_two_of_each_group_the_reward_and_itself() {
        let wiring = Wiring::paper();
        for neuron in 0..6 {
            let sources = &wiring.sources[wiring.synapses_of(neuron)];
            let count = |range: Range<usize>| sources[..6].iter().filter(|s| range.contains(s)).count();
            assert_eq!([count(0..3), count(4..7), count(7..10)], [2, 2, 2]);
            assert_eq!(sources[6..], [3, 4 + neuron]);
            assert!(!sources[..6].contains(&(4 + neuron)));
        }
    }

    #[test]
    fn random_wiring_has_no_source_twice_and_follows_its_seed() {
        let wiring = Wiring::random(4, 20, 9, 7);
        for neuron in 0..20 {
            let mut sources = wiring.sources[wiring.synapses_of(neuron)].to_vec();
            assert_eq!((sources[7], sources[8]), (3, 4 + neuron));
            sources.sort_unstable();
            sources.dedup();
            assert_eq!(sources.len(), 9);
        }
        assert_eq!(wiring, Wiring::random(4, 20, 9, 7));
        assert_ne!(wiring, Wiring::random(4, 20, 9, 8));
    }

    #[test]
    fn edges_are_read_and_mistakes_are_named() {
        let wiring = |edges: &[&str]| Wiring::from_edges(&["wall", "reward"], 2, edges);
        let good = wiring(&["wall > n0", "n1>n0", " reward > n1"]).unwrap();
        assert_eq!((good.sources, good.first), (vec![0, 3, 1], vec![0, 2, 3]));
        for (edges, why) in [
            (["wall > n0", "green > n1"], "`green` is not a source; they are wall, reward and n0 to n1"),
            (["wall > n0", "n1 > n2"], "`n2` is not a neuron; they are n0 to n1"),
            (["wall n0", "n1 > n1"], "synapse 1 of 2, \"wall n0\": expected `source > neuron`"),
            (["wall > n0", "n1 > n0"], "neuron n1 has no synapse"),
        ] {
            let message = wiring(&edges).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
    }
}
