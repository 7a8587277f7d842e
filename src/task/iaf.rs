//! Mimic an integrate-and-fire neuron (equations 2 and 3 of Bertens & Lee 2020).
//!
//! The model adds its input to a potential, spikes when that reaches the threshold, and is reset to 0. The i-th spike
//! of the unit (any output above `spike_threshold`) is matched with the i-th spike of the model; fitness is
//! -(sum of squared differences of heights + sum of squared differences of interspike intervals). An interval is the
//! number of steps since the previous spike of the same train, the first counted from the start; a spike that one
//! side lacks has height 0 and interval 0.

use super::{Answer, Episodes, Task};
use crate::config::Iaf;
use crate::num;
use crate::rng::{Row, Stream, unit_uniform};

/// Potential before the reset and spike (0 or 1) of the model neuron after each input.
pub fn model(threshold: f32, input: impl IntoIterator<Item = f32>) -> impl Iterator<Item = (f32, f32)> {
    input.into_iter().scan(0.0, move |potential, current| {
        let reached = *potential + current;
        let spikes = reached >= threshold;
        *potential = if spikes { 0.0 } else { reached };
        Some((reached, if spikes { 1.0 } else { 0.0 }))
    })
}

impl Iaf {
    /// Share of the currents that all steps of an episode have in common, in this generation's episodes of evolution.
    pub fn shared_at(&self, generation: u32) -> f32 {
        self.shared * num::power(self.shared_decay, generation)
    }

    /// Episodes with given currents, `[step][environment]`.
    pub fn episodes(&self, environments: usize, steps: usize, currents: &[f32]) -> Episodes {
        let mut episodes = Episodes::silent(environments, steps, Self::CHANNELS);
        let lanes = episodes.lanes;
        for environment in 0..environments {
            let train = (0..steps).map(|step| currents[step * environments + environment]);
            for (step, (_, spike)) in model(self.threshold, train.clone()).enumerate() {
                episodes.target[step * lanes + environment] = spike;
            }
            for (step, current) in train.enumerate() {
                episodes.inputs[step * lanes + environment] = current;
            }
        }
        episodes
    }
}

impl Task for Iaf {
    const CHANNELS: usize = 1;

    fn draw(&self, environments: usize, steps: usize, row: impl Fn(usize) -> Row) -> Episodes {
        let mut currents = vec![0.0; steps * environments];
        let mut uniforms = vec![0.0; steps];
        for environment in 0..environments {
            let row = row(environment);
            row.uniforms(0, &mut uniforms);
            let shared = match row.stream {
                Stream::Episode | Stream::Start => self.shared_at(row.generation),
                _ => 0.0,
            };
            // The first word of the block behind those of the currents.
            let common = unit_uniform(row.block(steps.div_ceil(4) as u32)[0]);
            for (step, u) in uniforms.iter().enumerate() {
                let u = common.mul_add(shared, u * (1.0 - shared));
                currents[step * environments + environment] =
                    u.mul_add(self.input_max - self.input_min, self.input_min);
            }
        }
        self.episodes(environments, steps, &currents)
    }

    #[inline(always)]
    fn fitness(&self, episodes: &Episodes, answer: Answer<'_>, fitness: &mut [f32]) {
        for (lane, fitness) in fitness.iter_mut().enumerate() {
            let model = Train::new(&episodes.target, episodes.lanes, answer.first + lane, 0.0);
            let unit = Train::new(answer.outputs, answer.lanes, lane, self.spike_threshold);
            *fitness = -mismatch(model, unit);
        }
    }
}

/// Spikes of one lane of `[step][lane]` values: (height, interval), in order.
struct Train<'a> {
    values: &'a [f32],
    lanes: usize,
    threshold: f32,
    since: f32,
}

impl<'a> Train<'a> {
    #[inline(always)]
    fn new(values: &'a [f32], lanes: usize, lane: usize, threshold: f32) -> Self {
        Self { values: &values[lane..], lanes, threshold, since: 0.0 }
    }
}

impl Iterator for Train<'_> {
    type Item = (f32, f32);

    #[inline(always)]
    fn next(&mut self) -> Option<(f32, f32)> {
        while let Some(&value) = self.values.first() {
            self.values = self.values.get(self.lanes..).unwrap_or(&[]);
            self.since += 1.0;
            // A NaN output is a spike of height NaN: it must reach the fitness, not pass for silence.
            if value > self.threshold || value.is_nan() {
                return Some((value, std::mem::take(&mut self.since)));
            }
        }
        None
    }
}

/// The sums of equation 3, in the order of the spikes.
#[inline(always)]
fn mismatch(mut model: Train<'_>, mut unit: Train<'_>) -> f32 {
    let mut cost = 0.0f32;
    loop {
        let (a, b) = (model.next(), unit.next());
        if a.is_none() && b.is_none() {
            return cost;
        }
        let ((height_a, interval_a), (height_b, interval_b)) = (a.unwrap_or_default(), b.unwrap_or_default());
        let (height, interval) = (height_a - height_b, interval_a - interval_b);
        cost = height.mul_add(height, cost);
        cost = interval.mul_add(interval, cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(model: &[f32], unit: &[f32]) -> f32 {
        mismatch(Train::new(model, 1, 0, 0.0), Train::new(unit, 1, 0, 0.0))
    }

    #[test]
    fn equation_3_by_hand() {
        // Model spikes at steps 2 and 5 (intervals 2, 3); unit at step 3 with height 0.5 (interval 3).
        let cost_seen = cost(&[0.0, 1.0, 0.0, 0.0, 1.0], &[0.0, 0.0, 0.5, 0.0, 0.0]);
        assert_eq!(cost_seen, 0.25 + 1.0 + (1.0 + 9.0));
        assert_eq!(cost(&[0.0; 4], &[0.0; 4]), 0.0);
        assert_eq!(cost(&[1.0], &[1.0]), 0.0);
        assert!(cost(&[1.0, 0.0], &[0.0, f32::NAN]).is_nan());
    }

    #[test]
    fn only_episodes_of_evolution_share_currents_and_less_and_less() {
        let task = Iaf { shared: 1.0, shared_decay: 0.5, ..Iaf::default() };
        // Largest difference of two currents of the same episode.
        let spread = |stream, generation| {
            let row = |index| Row { seed: 3, stream, generation, index: index as u32 };
            let episodes = task.draw(16, 50, row);
            let currents = |lane: usize| (0..50).map(move |step| step * episodes.lanes + lane);
            let of = |lane: usize| -> Vec<f32> { currents(lane).map(|at| episodes.inputs[at]).collect() };
            (0..16)
                .map(of)
                .map(|c| c.iter().fold(0f32, |m, x| m.max(*x)) - c.iter().fold(1f32, |m, x| m.min(*x)))
                .fold(0f32, f32::max)
        };
        assert!(spread(Stream::Episode, 0) < 1e-7);
        assert!(spread(Stream::Start, 0) < 1e-7);
        assert!((0.04..0.051).contains(&spread(Stream::Episode, 1)));
        for stream in [Stream::Validation, Stream::Fresh] {
            assert!((0.09..0.1001).contains(&spread(stream, 0)));
        }
    }

    #[test]
    fn model_spikes_and_resets() {
        let spikes: Vec<f32> = model(0.5, [0.3, 0.3, 0.3, 0.1, 0.1]).map(|(_, spike)| spike).collect();
        assert_eq!(spikes, [0.0, 1.0, 0.0, 0.0, 1.0]);
    }
}
