//! Synapses that change by a local rule (`[network.rule]`) where a network has units of the usual kinds as neurons.
//!
//! A synapse is a weight, and what its rule keeps. In one step, with x what its source puts out (a sensor of now, a neuron of the step
//! before), y what its own neuron put out in the step before, both of channel 0, and m the reward that the animal is told, r+ - r-:
//!
//! ```text
//! output  = w x_c + b                      for every channel c; b is the noise of the output gate
//! w       <- w + dw, within [0, most]
//!
//! bcm            dw as in super::rules::Bcm, of y, its trace and its threshold, and of x
//! rewarded_stdp  dw as in super::rules::RewardedStdp, with x and y as the spikes and m as the surprise
//! ```
//!
//! All synapses begin a life alike, with the first weight of the rule, so that what a network knows of its world it has learned there. The
//! rule's constants are evolved: parameter p of the synapses' chromosome makes `c exp(p)` of the constant c in the config,
//! within the constant's range.

use super::Wiring;
use super::rules::{Bcm, RewardedStdp, Tagged};
use crate::cpu::{Aligned, LANES, Vector, padded};
use crate::num;

/// A rule with its constants, and the weight that synapses begin with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Changes by input and output.
    Bcm {
        /// w at first.
        weight: f32,
        /// Of which `signed` is not used.
        rule: Bcm,
    },
    /// Changes by what coincided, when a reward comes.
    RewardedStdp {
        /// w at first.
        weight: f32,
        /// Steps are those of the network.
        rule: RewardedStdp,
    },
}

/// A constant of a rule.
#[derive(Debug)]
pub struct Constant<'a> {
    /// As in the config.
    pub name: &'static str,
    /// What it is.
    pub value: &'a mut f32,
    /// What it can be.
    pub range: (f32, f32),
}

impl Rule {
    /// As written in a config.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bcm { .. } => "bcm",
            Self::RewardedStdp { .. } => "rewarded_stdp",
        }
    }

    /// All that is evolved, in the order of the parameters.
    pub fn constants(&mut self) -> Vec<Constant<'_>> {
        const SIZE: (f32, f32) = (0.0, 1e6);
        const STEPS: (f32, f32) = (1.0, 1e6);
        let constants = match self {
            Self::Bcm { weight, rule } => vec![
                ("weight", weight, SIZE),
                ("rate", &mut rule.rate, SIZE),
                ("tau", &mut rule.tau, STEPS),
                ("goal", &mut rule.goal, (1e-6, 1e6)),
                ("trace", &mut rule.trace, (0.0, 1.0)),
                ("most", &mut rule.most, SIZE),
            ],
            Self::RewardedStdp { weight, rule } => vec![
                ("weight", weight, SIZE),
                ("tau_pre", &mut rule.tau_pre, STEPS),
                ("tau_post", &mut rule.tau_post, STEPS),
                ("tau_tag", &mut rule.tau_tag, STEPS),
                ("potentiation", &mut rule.potentiation, SIZE),
                ("depression", &mut rule.depression, SIZE),
                ("rate", &mut rule.rate, SIZE),
                ("most", &mut rule.most, SIZE),
            ],
        };
        constants.into_iter().map(|(name, value, range)| Constant { name, value, range }).collect()
    }

    /// Length of the chromosome.
    pub fn parameters(&self) -> usize {
        match self {
            Self::Bcm { .. } => 6,
            Self::RewardedStdp { .. } => 8,
        }
    }

    /// With the constants of an offspring.
    ///
    /// # Panics
    /// When there are too few parameters.
    pub fn with(mut self, parameters: &[f32]) -> Self {
        let length = self.parameters();
        for (Constant { value, range: (low, high), .. }, parameter) in
            self.constants().into_iter().zip(&parameters[..length])
        {
            *value = (*value * num::exp(*parameter)).clamp(low, high);
        }
        self
    }

    /// The first weight, and the largest.
    fn weights(&self) -> (f32, f32) {
        match self {
            Self::Bcm { weight, rule } => (*weight, rule.most),
            Self::RewardedStdp { weight, rule } => (*weight, rule.most),
        }
    }

    /// Numbers that a synapse keeps: how far its weight is from the first, and what the rule needs. All are 0 at rest.
    pub fn kept(&self) -> usize {
        match self {
            Self::Bcm { .. } => 3,
            Self::RewardedStdp { .. } => MOST_KEPT,
        }
    }

    /// One step of a synapse: its input x, its neuron's output y, the reward m. Returns what the weight changes by.
    #[inline(always)]
    fn follow<V: Vector>(&self, kept: &mut [V; MOST_KEPT], x: V, y: V, m: V) -> V {
        match self {
            Self::Bcm { rule, .. } => {
                let [_, trace, threshold, _] = kept;
                rule.follow(trace, threshold, y).mul(x)
            }
            Self::RewardedStdp { rule, .. } => {
                let mut tagged = Tagged { pre: kept[1], post: kept[2], tag: kept[3] };
                let change = rule.follow(&mut tagged, x, y, m);
                [kept[1], kept[2], kept[3]] = [tagged.pre, tagged.post, tagged.tag];
                change
            }
        }
    }
}

/// No rule keeps more.
const MOST_KEPT: usize = 4;

/// The synapses of the networks of one offspring; lane = synapse * environments + environment.
#[derive(Debug, Clone)]
pub struct Plastic {
    /// As it is in the config.
    first: Rule,
    /// With the offspring's constants.
    rule: Rule,
    channels: usize,
    /// Length of a row.
    pub(super) lanes: usize,
    /// `[kept][lane]`, with room for a register behind.
    state: Aligned,
    /// `[channel][lane]`, with room for a register behind.
    outputs: Aligned,
}

/// What the sources of a network put out, `[channel][source * environments + environment]`.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) rows: &'a [f32],
    pub(super) lanes: usize,
}

impl Sources<'_> {
    /// A channel of a source, with at least a register's length behind.
    #[inline(always)]
    fn of(&self, source: usize, channel: usize, environments: usize) -> &[f32] {
        &self.rows[channel * self.lanes + source * environments..]
    }
}

impl Plastic {
    /// `count` synapses at rest.
    pub(super) fn new(rule: Rule, channels: usize, count: usize) -> Self {
        let lanes = padded(count);
        let room = |rows: usize| Aligned::new(rows * lanes + LANES);
        let (state, outputs) = (room(rule.kept()), room(channels));
        Self { first: rule, rule, channels, lanes, state, outputs }
    }

    pub(super) fn reset(&mut self) {
        self.state.fill(0.0);
        self.outputs.fill(0.0);
    }

    /// Live with these constants.
    pub(super) fn take(&mut self, parameters: &[f32]) {
        self.rule = self.first.with(parameters);
    }

    /// All that lasts from one step to the next, rows of `lanes`.
    pub(super) fn state_mut(&mut self) -> [&mut [f32]; 2] {
        [&mut self.state[..self.first.kept() * self.lanes], &mut self.outputs[..self.channels * self.lanes]]
    }

    /// Outputs of the last step, `[channel][lane]`, and at least a register's length behind.
    pub(super) fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    /// One step: what sensors and neurons put out, where among the sensors the rewards are, and the noise. A synapse's state is
    /// read and written once.
    #[inline(always)]
    pub(super) fn step<V: Vector>(
        &mut self,
        wiring: &Wiring,
        environments: usize,
        [senses, neurons]: [Sources<'_>; 2],
        told: [(usize, usize); 2],
        noise: &[f32],
    ) {
        let Self { rule, channels, lanes, state, outputs, .. } = self;
        let ((first, most), kept_rows) = (rule.weights(), rule.kept());
        let (first, least, most) = (V::splat(first), V::splat(-first), V::splat(most - first));
        let [good, bad] = told.map(|(source, channel)| senses.of(source, channel, environments));
        for (synapse, owner) in wiring.owners().enumerate() {
            let (rows, source) = match wiring.sources[synapse].checked_sub(wiring.sensors) {
                None => (senses, wiring.sources[synapse]),
                Some(neuron) => (neurons, neuron),
            };
            let post = neurons.of(owner, 0, environments);
            for n in (0..environments).step_by(V::WIDTH) {
                let (lane, count) = (synapse * environments + n, environments - n);
                let mut kept = [V::splat(0.0); MOST_KEPT];
                for (row, kept) in kept.iter_mut().enumerate().take(kept_rows) {
                    *kept = V::load(&state[row * *lanes + lane..]);
                }
                let weight = first.add(kept[0]);
                for channel in 0..*channels {
                    let at = channel * *lanes + lane;
                    let output = weight.mul(V::load(&rows.of(source, channel, environments)[n..]));
                    store(output.add(V::load(&noise[at..])), &mut outputs[at..], count);
                }
                let x = V::load(&rows.of(source, 0, environments)[n..]);
                let (y, m) = (V::load(&post[n..]), V::load(&good[n..]).sub(V::load(&bad[n..])));
                let change = rule.follow(&mut kept, x, y, m);
                kept[0] = kept[0].add(change).at_least(least).at_most(most);
                for (row, kept) in kept.into_iter().enumerate().take(kept_rows) {
                    store(kept, &mut state[row * *lanes + lane..], count);
                }
            }
        }
    }
}

/// The first `count` floats, or all if there are fewer: what lies behind is another synapse's.
#[inline(always)]
fn store<V: Vector>(vector: V, to: &mut [f32], count: usize) {
    if count >= V::WIDTH {
        vector.store(to);
    } else {
        let mut floats = [0.0; 2 * LANES];
        vector.store(&mut floats);
        to[..count].copy_from_slice(&floats[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SynapseInput;
    use crate::cpu::{InstructionSet, Kernel};
    use crate::network::{Layout, Network, Synapse, Synapses};
    use crate::registry::UnitKind;
    use crate::rng::{Row, Stream};
    use crate::unit::Shape;

    const CHANNELS: usize = 3;
    const STEPS: usize = 40;
    const RULES: [Rule; 2] = [
        Rule::Bcm { weight: 0.4, rule: Bcm { rate: 3.0, tau: 6.0, goal: 0.4, trace: 0.7, signed: false, most: 0.55 } },
        Rule::RewardedStdp {
            weight: 0.4,
            rule: RewardedStdp {
                tau_pre: 3.0,
                tau_post: 5.0,
                tau_tag: 4.0,
                potentiation: 1.2,
                depression: 0.5,
                rate: 3.0,
                most: 0.9,
            },
        },
    ];

    fn layout(rule: Rule) -> Layout {
        let neuron = Shape { kind: UnitKind::Enu, inputs: CHANNELS, memory: 2, outputs: CHANNELS };
        // Three sensors, of which the last two are r+ and r-, and two neurons, which read each other.
        let wiring = Wiring::new(3, &[vec![0, 4, 1], vec![3, 0]]);
        let synapse = Synapse::Rule { rule, told: [(1, 0), (2, 1)] };
        Layout { synapse, neuron, shared: false, input: SynapseInput::Split, wiring }
    }

    fn numbers(count: usize, index: u32) -> Vec<f32> {
        let mut numbers = vec![0.0; count];
        Row { seed: 3, stream: Stream::Initial, generation: 0, index }.normals(0, &mut numbers);
        numbers
    }

    struct Live<'a> {
        network: &'a mut Network,
        parameters: &'a [f32],
    }

    impl Kernel for Live<'_> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector>(self) {
            self.network.sense::<V>(self.parameters);
            self.network.step::<V>(self.parameters);
        }
    }

    /// One synapse of one environment, as the equations are written.
    #[derive(Clone, Default)]
    struct Alone {
        moved: f32,
        kept: [f32; 3],
    }

    impl Alone {
        fn output(&self, rule: &Rule, from: f32, noise: f32) -> f32 {
            (rule.weights().0 + self.moved) * from + noise
        }

        fn learn(&mut self, rule: &Rule, x: f32, y: f32, reward: f32) {
            let (weight, most) = rule.weights();
            let [a, b, c] = &mut self.kept;
            let change = match rule {
                Rule::Bcm { rule, .. } => {
                    *a = (1.0 - rule.trace) * *a + rule.trace * y;
                    let change = rule.rate * *a * (*a - *b) * x;
                    *b += (*a * *a / rule.goal - *b) / rule.tau;
                    change
                }
                Rule::RewardedStdp { rule, .. } => {
                    *c += rule.potentiation * *a * y - rule.depression * *b * x - *c / rule.tau_tag;
                    *a += x - *a / rule.tau_pre;
                    *b += y - *b / rule.tau_post;
                    rule.rate * reward * *c
                }
            };
            self.moved = (self.moved + change).clamp(-weight, most - weight);
        }
    }

    #[test]
    fn synapses_follow_the_equations_on_any_instructions_beside_any_others() {
        for (rule, environments) in RULES.into_iter().flat_map(|rule| [1, 3, 8, 17].map(|count| (rule, count))) {
            let layout = layout(rule);
            let parameters = numbers(layout.parameters(), 1);
            let rule = rule.with(&parameters);
            for set in InstructionSet::available() {
                let mut network = Network::new(&layout, environments);
                let noise = numbers(network.noises(), 2);
                (0..environments).for_each(|environment| network.set_noise(environment, &noise));
                let mut alone = vec![vec![Alone::default(); 5]; environments];
                let (mut limits, mut changed) = ([false; 2], false);
                for step in 0..STEPS {
                    let seen = numbers(environments * 3 * CHANNELS, 10 + step as u32);
                    let seen = |sensor: usize, channel: usize, environment: usize| {
                        seen[(environment * 3 + sensor) * CHANNELS + channel].abs()
                    };
                    for (sensor, channel) in
                        (0..3).flat_map(|sensor| (0..CHANNELS).map(move |channel| (sensor, channel)))
                    {
                        let shown = (0..environments).map(|environment| seen(sensor, channel, environment));
                        network.sensor_mut(sensor, channel).iter_mut().zip(shown).for_each(|(to, shown)| *to = shown);
                    }
                    let neurons = network.neurons.clone();
                    let before = |neuron: usize, channel: usize, environment: usize| {
                        neurons.outputs()[channel * neurons.lanes + neuron * environments + environment]
                    };
                    set.run(Live { network: &mut network, parameters: &parameters });
                    let Synapses::Plastic(plastic) = &network.synapses else { panic!("a rule") };
                    let first = rule.weights().0;
                    let weights: Vec<f32> = plastic.state[..plastic.lanes].iter().map(|moved| first + moved).collect();
                    for (environment, alone) in alone.iter_mut().enumerate() {
                        for (synapse, owner) in layout.wiring.owners().enumerate() {
                            let of = |channel: usize| match layout.wiring.sources[synapse].checked_sub(3) {
                                None => seen(layout.wiring.sources[synapse], channel, environment),
                                Some(neuron) => before(neuron, channel, environment),
                            };
                            for channel in 0..CHANNELS {
                                let at = channel * plastic.lanes + synapse * environments + environment;
                                let expected =
                                    alone[synapse].output(&rule, of(channel), noise[synapse * CHANNELS + channel]);
                                assert_eq!(plastic.outputs()[at], expected, "{set:?} step {step}");
                            }
                            let reward = seen(1, 0, environment) - seen(2, 1, environment);
                            alone[synapse].learn(&rule, of(0), before(owner, 0, environment), reward);
                            let weight = rule.weights().0 + alone[synapse].moved;
                            assert_eq!(weights[synapse * environments + environment], weight, "{set:?} step {step}");
                            limits[0] |= weight <= 0.0;
                            limits[1] |= weight >= rule.weights().1;
                            changed |= weight != rule.weights().0;
                        }
                    }
                }
                assert!(changed, "nothing was learned");
                assert!(environments == 1 || limits.contains(&true), "{rule:?}: no weight came to a limit");
            }
        }
    }

    #[test]
    fn constants_are_scaled_within_their_ranges() {
        for mut rule in RULES {
            let before: Vec<f32> = rule.constants().iter().map(|constant| *constant.value).collect();
            assert_eq!(before.len(), rule.parameters());
            assert_eq!(rule.with(&[0.0; 8]), rule);
            let doubled: Vec<f32> = rule.with(&[2f32.ln(); 8]).constants().iter().map(|c| *c.value).collect();
            for (Constant { range, name, .. }, (before, doubled)) in
                rule.constants().iter().zip(before.iter().zip(&doubled))
            {
                let expected = (2.0 * before).min(range.1);
                assert!((doubled / expected - 1.0).abs() < 1e-6, "{name}: {doubled} for {expected}");
            }
            let least = rule.with(&[-1000.0; 8]);
            assert!({ least }.constants().iter().all(|c| *c.value >= c.range.0 && *c.value <= c.range.1));
        }
    }
}
