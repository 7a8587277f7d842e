//! Reproduce neuromodulated spike-timing dependent plasticity (equations 4 and 5 of Bertens & Lee 2020) and the
//! cosine-transformed rule of the paper's extended data.
//!
//! The unit sees a graded potential x_t (channel 0), the presynaptic spike (1), the neuromodulator, constant over the
//! episode (2), and the back-propagating postsynaptic spike (3). It should answer x_t * w: w is 1 before the later of
//! the two spikes and 1 + dw from that step on, where dw depends on the spikes' delay and on the modulator. Fitness is
//! -(sum over steps of the squared error).

use super::{Answer, Episodes, Task};
use crate::config::Stdp;
use crate::num;
use crate::rng::{Row, unit_uniform};

/// What happens in one episode: the steps of the two spikes, and whether the modulator is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Step of the presynaptic spike, from 0.
    pub pre: usize,
    /// Step of the postsynaptic spike, from 0.
    pub post: usize,
    /// Whether the neuromodulator is there, at every step.
    pub modulator: bool,
}

/// How a delay becomes a weight change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// dw = omega with the modulator, 0 without.
    Plain,
    /// dw = |omega| - 0.1 (cos(20 omega) - 1) with the modulator, 0.5 cos(10 omega) without.
    Complex,
}

/// The task with its rule.
#[derive(Debug, Clone, PartialEq)]
pub struct StdpTask {
    /// Lengths, ranges and constants.
    pub config: Stdp,
    /// Plain for `[task.stdp]`, complex for `[task.stdp_complex]`.
    pub rule: Rule,
}

impl StdpTask {
    /// omega of equation 4: sign(delay) A exp(-|delay| / tau), 0 at delay 0; delay = post - pre in steps.
    pub fn omega(&self, delay: i32) -> f32 {
        let size = self.config.amplitude * num::exp(-(delay.abs() as f32) / self.config.tau);
        size * delay.signum() as f32
    }

    /// The weight change dw after a pair with this delay.
    pub fn weight_change(&self, delay: i32, modulator: bool) -> f32 {
        let omega = self.omega(delay);
        match (self.rule, modulator) {
            (Rule::Plain, true) => omega,
            (Rule::Plain, false) => 0.0,
            (Rule::Complex, true) => omega.abs() - 0.1 * (num::cos(20.0 * omega) - 1.0),
            (Rule::Complex, false) => 0.5 * num::cos(10.0 * omega),
        }
    }

    /// Episodes with given graded potentials, `[step][environment]`, and one pair per environment.
    pub fn from_pairs(&self, steps: usize, graded: &[f32], pairs: &[Pair]) -> Episodes {
        let environments = pairs.len();
        let mut episodes = Episodes::silent(environments, steps, Self::CHANNELS);
        for (environment, pair) in pairs.iter().enumerate() {
            let change = self.weight_change(pair.post as i32 - pair.pre as i32, pair.modulator);
            for step in 0..steps {
                let x = graded[step * environments + environment];
                let on = |yes: bool| if yes { 1.0 } else { 0.0 };
                let channels = [x, on(step == pair.pre), on(pair.modulator), on(step == pair.post)];
                for (channel, value) in channels.into_iter().enumerate() {
                    let at = episodes.input_at(step, channel, environment);
                    episodes.inputs[at] = value;
                }
                let weight = if step >= pair.pre.max(pair.post) { 1.0 + change } else { 1.0 };
                episodes.target[step * episodes.lanes + environment] = x * weight;
            }
        }
        episodes
    }

    /// The presynaptic spike falls uniformly into the middle half of the episode, the postsynaptic one uniformly
    /// within `max_delay` steps of it (kept inside the episode), the modulator is there in half of the episodes.
    fn draw_pair(&self, steps: usize, words: [u32; 4]) -> Pair {
        // Multiply-shift onto 0..n: biased by less than n / 2^32.
        let below = |word: u32, n: usize| ((u64::from(word) * n as u64) >> 32) as usize;
        let (first, end) = (steps / 4, (3 * steps / 4).max(steps / 4 + 1));
        let pre = first + below(words[0], end - first);
        let reach = self.config.max_delay as usize;
        let post = (pre + below(words[1], 2 * reach + 1)).saturating_sub(reach).min(steps - 1);
        Pair { pre, post, modulator: unit_uniform(words[2]) < 0.5 }
    }
}

impl Task for StdpTask {
    const CHANNELS: usize = 4;

    fn draw(&self, environments: usize, steps: usize, row: impl Fn(usize) -> Row) -> Episodes {
        let Stdp { input_min, input_max, .. } = self.config;
        let mut graded = vec![0.0; steps * environments];
        let mut uniforms = vec![0.0; steps];
        let mut pairs = Vec::with_capacity(environments);
        for environment in 0..environments {
            let row = row(environment);
            row.uniforms(0, &mut uniforms);
            for (step, u) in uniforms.iter().enumerate() {
                graded[step * environments + environment] = u.mul_add(input_max - input_min, input_min);
            }
            // The block behind those of the graded potential.
            pairs.push(self.draw_pair(steps, row.block(steps.div_ceil(4) as u32)));
        }
        self.from_pairs(steps, &graded, &pairs)
    }

    #[inline(always)]
    fn fitness(&self, episodes: &Episodes, answer: Answer<'_>, fitness: &mut [f32]) {
        fitness.fill(0.0);
        let targets = episodes.target.chunks_exact(episodes.lanes);
        for (target, outputs) in targets.zip(answer.outputs.chunks_exact(answer.lanes)) {
            for ((f, y), y_hat) in fitness.iter_mut().zip(&target[answer.first..]).zip(outputs) {
                let error = y - y_hat;
                *f = error.mul_add(-error, *f);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn drawn_pairs_cover_the_stated_ranges() {
        let task = StdpTask { config: Stdp::default(), rule: Rule::Plain };
        let row = |index| Row { seed: 3, stream: Stream::Episode, generation: 0, index };
        let pairs: Vec<Pair> = (0..20_000).map(|e| task.draw_pair(100, row(e).block(25))).collect();
        let delays: Vec<i32> = pairs.iter().map(|p| p.post as i32 - p.pre as i32).collect();
        assert_eq!((pairs.iter().map(|p| p.pre).min(), pairs.iter().map(|p| p.pre).max()), (Some(25), Some(74)));
        assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&-20), Some(&20)));
        let modulated = pairs.iter().filter(|p| p.modulator).count();
        assert!((9_600..10_400).contains(&modulated), "{modulated} of 20000");
        // Short episodes stay inside too.
        assert!((0..1000).all(|e| task.draw_pair(5, row(e).block(2)).post < 5));
    }
}
