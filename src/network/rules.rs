//! Local learning rules: what changes a weight is known at the synapse, from its input, its neuron's output and, of one rule,
//! a reward that all synapses are told. [`super::plastic`] has synapses of networks that follow one, [`crate::battery::gratings`]
//! neurons that learn orientations.
//!
//! **BCM with a sliding threshold** (Bienenstock, Cooper & Munro 1982; Intrator & Cooper 1992), for neurons without connections
//! among them, and with `trace` below 1 the **trace rule** (after Foldiak 1991) of the same form:
//!
//! ```text
//! y     = [w x]+, at most 20       (signed inputs: y = w x, at least -20)
//! ybar  <- (1 - trace) ybar + trace y
//! dw    = rate ybar (ybar - theta) x
//! theta <- theta + (ybar^2 / goal - theta) / tau      the threshold slides, which is the homeostasis
//! w     <- w + dw                                     with the old theta; not below 0 unless inputs are signed
//! ```
//!
//! **Spiking neurons** take the same rule on counts of spikes, and a current that keeps a quiet neuron from staying quiet for
//! ever (theta sinks with y): see [`Spiking`].
//!
//! **Reward-modulated STDP** (Izhikevich 2007; Fremaux & Gerstner 2016) is [`RewardedStdp`]: coincidences leave a trace at
//! the synapse, and the reward that comes later makes it a change. [`crate::battery::layer`] are animals that learn by it alone.

use serde::Deserialize;

use crate::num::Real;

/// Settings of BCM and of the trace rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bcm {
    /// eta.
    pub rate: f32,
    /// Of the threshold, in presentations.
    pub tau: f32,
    /// y0: the mean squared output that the threshold keeps, over itself.
    pub goal: f32,
    /// delta: 1 is plain BCM, less binds what follows in time.
    pub trace: f32,
    /// Inputs have both signs: outputs and weights may, too.
    pub signed: bool,
    /// No weight is larger.
    pub most: f32,
}

impl Default for Bcm {
    fn default() -> Self {
        Self { rate: 2e-3, tau: 200.0, goal: 1.0, trace: 1.0, signed: false, most: f32::INFINITY }
    }
}

/// No output is larger.
const LARGEST_OUTPUT: f32 = 20.0;

/// Neurons that learn side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Neurons {
    /// `[neuron][input]`.
    pub weights: Vec<f32>,
    /// Of the last step.
    pub outputs: Vec<f32>,
    /// ybar.
    pub traces: Vec<f32>,
    /// theta.
    pub thresholds: Vec<f32>,
    inputs: usize,
}

impl Neurons {
    /// With these weights, `[neuron][input]`, and thresholds that are all the same.
    pub fn new(weights: Vec<f32>, inputs: usize, threshold: f32) -> Self {
        let count = weights.len() / inputs;
        let zeros = vec![0.0; count];
        Self { weights, outputs: zeros.clone(), traces: zeros, thresholds: vec![threshold; count], inputs }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.outputs.len()
    }

    /// What neuron `neuron` gets from an input, without a limit.
    pub fn drive(&self, neuron: usize, input: &[f32]) -> f32 {
        let weights = &self.weights[neuron * self.inputs..][..self.inputs];
        weights.iter().zip(input).fold(0.0, |sum, (w, x)| sum + w * x)
    }

    /// Outputs of now, without learning.
    pub fn respond(&mut self, rule: &Bcm, input: &[f32]) {
        for neuron in 0..self.count() {
            self.outputs[neuron] = rule.output(self.drive(neuron, input));
        }
    }

    /// Learn from `outputs` as they are and the input that led to them.
    pub fn learn(&mut self, rule: &Bcm, input: &[f32]) {
        let least = if rule.signed { f32::NEG_INFINITY } else { 0.0 };
        for neuron in 0..self.count() {
            let step = rule.follow(&mut self.traces[neuron], &mut self.thresholds[neuron], self.outputs[neuron]);
            for (weight, x) in self.weights[neuron * self.inputs..][..self.inputs].iter_mut().zip(input) {
                let moved = *weight + step * x;
                *weight = if moved < least { least } else { moved.min(rule.most) };
            }
        }
    }

    /// Respond and learn: a presentation.
    pub fn step(&mut self, rule: &Bcm, input: &[f32]) {
        self.respond(rule, input);
        self.learn(rule, input);
    }
}

impl Bcm {
    /// A neuron has put out `output`: its trace and threshold follow. Returns what a weight changes by, over its input.
    #[inline(always)]
    pub fn follow<T: Real>(&self, trace: &mut T, threshold: &mut T, output: T) -> T {
        let c = T::splat;
        *trace = c(1.0 - self.trace).mul(*trace).add(c(self.trace).mul(output));
        let step = c(self.rate).mul(*trace).mul(trace.sub(*threshold));
        let wanted = trace.mul(*trace).div(c(self.goal));
        *threshold = threshold.add(wanted.sub(*threshold).div(c(self.tau)));
        step
    }

    fn output(&self, drive: f32) -> f32 {
        let least = if self.signed { -LARGEST_OUTPUT } else { 0.0 };
        drive.clamp(least, LARGEST_OUTPUT)
    }
}

/// Settings of leaky integrate-and-fire neurons: a step is 1 ms, potentials are in units of the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lif {
    /// Of the membrane, in steps.
    pub tau: f32,
    /// Steps of rest after a spike.
    pub refractory: i32,
}

impl Default for Lif {
    fn default() -> Self {
        Self { tau: 20.0, refractory: 2 }
    }
}

/// A neuron's potential, and what is left of its rest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Membrane {
    /// V; 0 after a spike.
    pub potential: f32,
    /// Steps.
    pub rest: i32,
}

impl Lif {
    /// V <- V + (I - V) / tau, unless it rests; whether it spikes.
    pub fn step(&self, membrane: &mut Membrane, current: f32) -> bool {
        if membrane.rest > 0 {
            membrane.rest -= 1;
            return false;
        }
        membrane.potential += (current - membrane.potential) / self.tau;
        let spikes = membrane.potential >= 1.0;
        if spikes {
            *membrane = Membrane { potential: 0.0, rest: self.refractory };
        }
        spikes
    }
}

/// Spiking neurons that learn by BCM or the trace rule. An input is held for so many steps; half the spikes are the output,
/// so that 1 is 20 a second, and the bias follows: b <- b + homeostasis (0.5 - y), within [-2, 2].
#[derive(Debug, Clone, PartialEq)]
pub struct Spiking {
    /// Weights, outputs and thresholds.
    pub neurons: Neurons,
    /// b.
    pub biases: Vec<f32>,
    membranes: Vec<Membrane>,
    lif: Lif,
}

/// Steps of a presentation.
pub const PRESENTATION: usize = 100;
/// How fast a bias follows.
const HOMEOSTASIS: f32 = 4e-4;
/// The output that biases seek.
const WANTED: f32 = 0.5;

impl Spiking {
    /// At rest.
    pub fn new(neurons: Neurons) -> Self {
        let count = neurons.count();
        let membranes = vec![Membrane::default(); count];
        Self { neurons, biases: vec![0.0; count], membranes, lif: Lif::default() }
    }

    /// Hold an input for a presentation: outputs are half the spikes.
    pub fn respond(&mut self, input: &[f32]) {
        for neuron in 0..self.neurons.count() {
            let current = self.neurons.drive(neuron, input) + self.biases[neuron];
            let membrane = &mut self.membranes[neuron];
            let spikes = (0..PRESENTATION).filter(|_| self.lif.step(membrane, current)).count();
            self.neurons.outputs[neuron] = 0.5 * spikes as f32;
        }
    }

    /// A presentation from which they learn.
    pub fn step(&mut self, rule: &Bcm, input: &[f32]) {
        self.respond(input);
        self.neurons.learn(rule, input);
        for (bias, y) in self.biases.iter_mut().zip(&self.neurons.outputs) {
            *bias = (*bias + HOMEOSTASIS * (WANTED - y)).clamp(-2.0, 2.0);
        }
    }
}

/// Settings of STDP that a reward gates; a step is 1 ms.
///
/// ```text
/// p <- p (1 - 1 / tau_pre)  + pre spike          q <- q (1 - 1 / tau_post) + post spike
/// c <- c (1 - 1 / tau_tag)  + potentiation p (post spike) - depression q (pre spike)
/// w <- w + rate (reward - expected) c, within [0, most]
/// ```
///
/// p and q of before the step are used where both spike, so a coincidence alone changes nothing. Of a neuron whose output is graded,
/// the output stands for the spike.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RewardedStdp {
    /// Of the traces of pre spikes, in steps.
    pub tau_pre: f32,
    /// Of the traces of post spikes, in steps.
    pub tau_post: f32,
    /// Of what a synapse keeps until the reward, in steps.
    pub tau_tag: f32,
    /// Pre before post.
    pub potentiation: f32,
    /// Post before pre.
    pub depression: f32,
    /// Of learning.
    pub rate: f32,
    /// No weight is larger.
    pub most: f32,
}

impl Default for RewardedStdp {
    fn default() -> Self {
        Self {
            tau_pre: 20.0,
            tau_post: 20.0,
            tau_tag: 500.0,
            potentiation: 1.0,
            depression: 1.05,
            rate: 1e-3,
            most: 1.0,
        }
    }
}

/// What a synapse of [`RewardedStdp`] keeps beside its weight.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tagged<T = f32> {
    /// p.
    pub pre: T,
    /// q.
    pub post: T,
    /// c.
    pub tag: T,
}

impl RewardedStdp {
    /// One step of a synapse: who spiked (1 or 0), and by how much the reward of now was more than expected. Returns what the weight
    /// changes by.
    #[inline(always)]
    pub fn follow<T: Real>(&self, kept: &mut Tagged<T>, pre: T, post: T, surprise: T) -> T {
        let c = T::splat;
        let Tagged { pre: before, post: after, tag } = *kept;
        let (stronger, weaker) = (c(self.potentiation).mul(before).mul(post), c(self.depression).mul(after).mul(pre));
        kept.tag = tag.add(stronger.sub(weaker).sub(tag.div(c(self.tau_tag))));
        kept.pre = before.add(pre.sub(before.div(c(self.tau_pre))));
        kept.post = after.add(post.sub(after.div(c(self.tau_post))));
        c(self.rate).mul(surprise).mul(kept.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pre 5 ms before post, or the other way round; the reward comes 200 ms later.
    fn weight_after(pre_at: usize, post_at: usize, surprise: f32) -> f32 {
        let rule = RewardedStdp { rate: 0.01, ..RewardedStdp::default() };
        let (mut weight, mut kept) = (0.5, Tagged::default());
        for step in 0..300 {
            let told = if step == 220 { surprise } else { 0.0 };
            weight += rule.follow(&mut kept, f32::from(step == pre_at), f32::from(step == post_at), told);
        }
        weight
    }

    #[test]
    fn a_late_reward_decides_the_sign_of_what_coincided() {
        assert!(weight_after(10, 15, 1.0) > 0.502 && weight_after(10, 15, -1.0) < 0.498);
        assert!(weight_after(15, 10, 1.0) < 0.498 && weight_after(15, 10, -1.0) > 0.502);
        assert_eq!([weight_after(10, 15, 0.0), weight_after(10, 10, 1.0)], [0.5, 0.5]);
    }

    #[test]
    fn a_constant_current_above_the_threshold_fires_at_the_rate_of_the_equation() {
        // V(n) = I (1 - (1 - 1/20)^n) reaches 1 for I = 2 at n = 14 (0.95^14 = 0.488); and two steps of rest.
        let (lif, mut membrane) = (Lif::default(), Membrane::default());
        let spikes: Vec<usize> = (0..60).filter(|_| lif.step(&mut membrane, 2.0)).collect();
        assert_eq!(spikes, [13, 29, 45]);
    }

    #[test]
    fn weights_stay_in_their_range() {
        let rule = Bcm { rate: 0.5, most: 0.8, ..Bcm::default() };
        let mut neurons = Neurons::new(vec![0.5, 0.1], 2, 10.0);
        for step in 0..200 {
            neurons.step(&rule, if step % 2 == 0 { &[1.0, 0.0] } else { &[0.2, 1.0] });
            assert!(neurons.weights.iter().all(|w| (0.0..=0.8).contains(w)), "{:?}", neurons.weights);
        }
    }
}
