//! Assay G: do local rules make neurons that prefer an orientation, whatever the phase?
//!
//! Orientations are i pi/8. Filters in quadrature at the same eight, reduced to their exact effect on a grating of orientation
//! theta and phase p, G_j = exp(2 (cos 2(theta - theta_j) - 1)):
//!
//! ```text
//! linear (16)   G_j cos p, G_j sin p                              of both signs
//! simple (32)   G_j [cos p]+, G_j [sin p]+, G_j [-cos p]+, G_j [-sin p]+
//! energy (8)    G_j                                               the phase is gone
//! ```
//!
//! An orientation is held for 8 presentations; the phase is drawn at each, or always the same, or drifts by pi/4. With linear
//! inputs and phases drawn, p + pi turns x into -x, all third moments vanish, and BCM only decays. Rectified inputs bring them
//! back, but a stable state answers to one pattern: an orientation and a phase, as a simple cell does. Energy, or a trace over a
//! drift, makes it invariant.
//!
//! Scores are of frozen weights, over 8 orientations and 16 phases: F0 is the mean over phases of y above 0, F1 the amplitude
//! of its first harmonic; gOSI = |sum F0 exp(2 i theta)| / sum F0.
//!
//! Neurons learn and answer here or on a device ([`super::gpu::responses`]), to the same bits; [`scored`] is of either's answers.

use std::array::from_fn;
use std::f32::consts::{FRAC_PI_4, FRAC_PI_8, TAU};

use super::plate::direction;
use super::play::{Lives, Played};
use crate::abi::{GRATING_HOLD, GRATING_NEURONS, GRATING_ORIENTATIONS, GRATING_PHASES};
use crate::network::rules::{Bcm, Neurons, Spiking};
use crate::num::{exp, sin_cos};
use crate::rng::{Row, Stream, unit_uniform};
use rayon::prelude::*;

/// Orientations, and filters.
pub const ORIENTATIONS: usize = GRATING_ORIENTATIONS as usize;
/// Phases that tuning is measured with.
const PHASES: usize = GRATING_PHASES as usize;
/// Presentations that an orientation is held for.
const HOLD: u32 = GRATING_HOLD;
/// Neurons of a population, each on its own.
const NEURONS: usize = GRATING_NEURONS as usize;
/// Answers of a population, once it has learnt: `[neuron][orientation][phase]`.
pub const RESPONSES: usize = NEURONS * ORIENTATIONS * PHASES;
/// Of the assay: it draws other numbers than all others.
pub const NUMBER: u32 = 6;
/// Presentations of rate neurons, and of spiking ones, which learn five times faster.
const PRESENTATIONS: [u32; 2] = [40_000, 4_000];
/// Spikes a second of an output of 1.
const RATE: f64 = 20.0;

/// What neurons are shown of a grating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// 16 filters of both signs.
    Linear,
    /// 32 rectified ones.
    Simple,
    /// 8 without phase.
    Energy,
}

/// How the phase goes on while an orientation is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phases {
    /// The same for all of a population's time.
    Fixed,
    /// Drawn at each presentation.
    Random,
    /// By pi/4 each, from one that is drawn.
    Drift,
}

/// How weights come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// They stay as they were drawn.
    Fixed,
    /// BCM.
    Bcm,
    /// BCM with a trace of the output.
    Trace,
}

/// Neurons that learn from gratings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learner {
    /// What they are shown.
    pub input: Input,
    /// How they learn.
    pub rule: Rule,
    /// In which phases.
    pub phases: Phases,
    /// Integrate-and-fire neurons in place of rates.
    pub spiking: bool,
}

/// Columns of a population.
pub mod column {
    use super::ORIENTATIONS;

    /// Median over neurons of the selectivity gOSI.
    pub const SELECTIVITY: usize = 0;
    /// Median of F1/F0 at the best orientation.
    pub const MODULATION: usize = 1;
    /// Median of the least over the largest response over phases, at the best orientation.
    pub const WORST: usize = 2;
    /// Median of the largest response.
    pub const RESPONSE: usize = 3;
    /// The same in spikes a second; NaN of rate neurons.
    pub const SPIKES: usize = 4;
    /// How many orientations are preferred by some neuron.
    pub const PREFERENCES: usize = 5;
    /// Mean F0 over neurons, from their best orientation on, as a share of it.
    pub const TUNING: usize = 6;
    /// Number of columns.
    pub const COUNT: usize = TUNING + ORIENTATIONS;
}

impl Input {
    /// Channels.
    pub fn channels(self) -> usize {
        ORIENTATIONS
            * match self {
                Self::Linear => 2,
                Self::Simple => 4,
                Self::Energy => 1,
            }
    }

    /// What is shown of a grating, the filters of each kind side by side.
    pub fn of(self, orientation: usize, phase: f32) -> Vec<f32> {
        let (sin, cos) = sin_cos(phase);
        let gain = |filter: usize| {
            let apart = 2.0 * FRAC_PI_8 * (orientation as f32 - filter as f32);
            exp(2.0 * (sin_cos(apart).1 - 1.0))
        };
        let kinds: &[f32] = match self {
            Self::Linear => &[cos, sin],
            Self::Simple => &[cos.max(0.0), sin.max(0.0), (-cos).max(0.0), (-sin).max(0.0)],
            Self::Energy => &[1.0],
        };
        kinds.iter().flat_map(|kind| (0..ORIENTATIONS).map(move |filter| gain(filter) * kind)).collect()
    }
}

/// Neurons of either kind.
enum Population {
    Rates(Neurons),
    Spiking(Spiking),
}

impl Population {
    fn step(&mut self, rule: &Bcm, input: &[f32]) {
        match self {
            Self::Rates(neurons) => neurons.step(rule, input),
            Self::Spiking(neurons) => neurons.step(rule, input),
        }
    }

    fn respond(&mut self, rule: &Bcm, input: &[f32]) -> &[f32] {
        match self {
            Self::Rates(neurons) => {
                neurons.respond(rule, input);
                &neurons.outputs
            }
            Self::Spiking(neurons) => {
                neurons.respond(input);
                &neurons.neurons.outputs
            }
        }
    }
}

impl Learner {
    /// Presentations of the assay.
    pub fn presentations(&self) -> u32 {
        if self.rule == Rule::Fixed { 0 } else { PRESENTATIONS[usize::from(self.spiking)] }
    }

    /// With its settings.
    pub(super) fn rule(&self) -> Bcm {
        let trace = if self.rule == Rule::Trace { 0.15 } else { 1.0 };
        let signed = self.input == Input::Linear;
        let rates = Bcm { trace, signed, ..Bcm::default() };
        if self.spiking { Bcm { rate: 1e-2, tau: 100.0, most: 8.0, ..rates } } else { rates }
    }

    /// First weights: positive ones, or normals where inputs have both signs.
    fn population(&self, row: &Row) -> Population {
        let inputs = self.input.channels();
        let mut weights = vec![0.0; NEURONS * inputs];
        if self.input == Input::Linear {
            row.normals(0, &mut weights);
            weights.iter_mut().for_each(|weight| *weight *= 0.4);
        } else {
            row.uniforms(0, &mut weights);
            let (least, range) = if self.spiking { (0.3, 0.2) } else { (0.1, 0.4) };
            weights.iter_mut().for_each(|weight| *weight = least + range * *weight);
        }
        let neurons = Neurons::new(weights, inputs, 0.1);
        if self.spiking { Population::Spiking(Spiking::new(neurons)) } else { Population::Rates(neurons) }
    }

    /// A population through so many presentations, and then its answers to all gratings.
    fn live(&self, seed: u64, index: u32, presentations: u32) -> Vec<f32> {
        let row = |stream| Row { seed, stream, generation: NUMBER, index };
        let (rule, gratings) = (self.rule(), row(Stream::Grating));
        let mut population = self.population(&row(Stream::LocalWeights));
        // Three blocks a hold: its orientation, where its phase begins, and a phase for each presentation.
        let fixed = TAU * unit_uniform(gratings.block(u32::MAX)[0]);
        for hold in 0..presentations / HOLD {
            let words: Vec<u32> = (0..3).flat_map(|block| gratings.block(3 * hold + block)).collect();
            let orientation = (words[0] >> 29) as usize;
            for shown in 0..HOLD as usize {
                let phase = match self.phases {
                    Phases::Fixed => fixed,
                    Phases::Random => TAU * unit_uniform(words[4 + shown]),
                    Phases::Drift => TAU * unit_uniform(words[1]) + FRAC_PI_4 * shown as f32,
                };
                population.step(&rule, &self.input.of(orientation, phase));
            }
        }
        self.measure(&rule, &mut population)
    }

    /// What frozen weights answer.
    fn measure(&self, rule: &Bcm, population: &mut Population) -> Vec<f32> {
        let mut responses = vec![0.0; RESPONSES];
        for orientation in 0..ORIENTATIONS {
            for i in 0..PHASES {
                let outputs = population.respond(rule, &self.input.of(orientation, measured_phase(i)));
                let of_this = responses[orientation * PHASES + i..].iter_mut().step_by(ORIENTATIONS * PHASES);
                of_this.zip(outputs).for_each(|(to, &y)| *to = y);
            }
        }
        responses
    }

    /// [`column`]s of a population with these answers.
    fn columns(&self, responses: &[f32]) -> Vec<f64> {
        let tunings: Vec<Tuning> = responses.chunks_exact(ORIENTATIONS * PHASES).map(Tuning::of).collect();
        let median = |of: &dyn Fn(&Tuning) -> f64| middle(tunings.iter().map(of).collect());
        let preferred = |at: usize| tunings.iter().any(|tuning| tuning.best == at);
        let response = median(&|tuning| tuning.largest);
        let mut values = vec![
            median(&|tuning| tuning.selectivity),
            median(&|tuning| tuning.modulation),
            median(&|tuning| tuning.worst),
            response,
            if self.spiking { RATE * response } else { f64::NAN },
            (0..ORIENTATIONS).filter(|&at| preferred(at)).count() as f64,
        ];
        let curve = |from_best: usize| {
            let shares = tunings.iter().map(|t| t.means[(t.best + from_best) % ORIENTATIONS] / t.means[t.best]);
            let shares: Vec<f64> = shares.filter(|share| share.is_finite()).collect();
            shares.iter().sum::<f64>() / shares.len() as f64
        };
        values.extend((0..ORIENTATIONS).map(curve));
        values
    }
}

/// Of finite values; NaN of none.
fn middle(mut values: Vec<f64>) -> f64 {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    crate::report::percentile(&values, 0.5)
}

/// Phases that tuning is measured in lie between those at which inputs change their sign.
fn measured_phase(i: usize) -> f32 {
    TAU * (i as f32 + 0.5) / PHASES as f32
}

/// How a neuron answers to gratings.
struct Tuning {
    means: [f64; ORIENTATIONS],
    best: usize,
    selectivity: f64,
    modulation: f64,
    worst: f64,
    largest: f64,
}

impl Tuning {
    /// Of a neuron's answers, `[orientation][phase]`.
    fn of(answers: &[f32]) -> Self {
        let above_0 = |at: usize, i: usize| f64::from(answers[at * PHASES + i].max(0.0));
        let responses: [[f64; PHASES]; ORIENTATIONS] = from_fn(|at| from_fn(|i| above_0(at, i)));
        let means = responses.map(|of| of.iter().sum::<f64>() / PHASES as f64);
        let best = (0..ORIENTATIONS).fold(0, |best, at| if means[at] > means[best] { at } else { best });
        let vector = means.iter().enumerate().fold((0.0, 0.0), |(x, y), (at, mean)| {
            let (sin, cos) = direction(2.0 * std::f64::consts::FRAC_PI_8 * at as f64);
            (x + mean * cos, y + mean * sin)
        });
        let harmonic = responses[best].iter().enumerate().fold((0.0, 0.0), |(x, y), (at, response)| {
            let (sin, cos) = direction(measured_phase(at).into());
            (x + response * cos, y + response * sin)
        });
        let size = |(x, y): (f64, f64)| (x * x + y * y).sqrt();
        let most = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
        let least = responses[best].iter().copied().fold(f64::INFINITY, f64::min);
        Self {
            means,
            best,
            selectivity: size(vector) / means.iter().sum::<f64>(),
            modulation: 2.0 / PHASES as f64 * size(harmonic) / means[best],
            worst: least / most(&responses[best]),
            largest: most(&responses.concat()),
        }
    }
}

/// Populations that learn in so many presentations (whole holds; none where the rule is fixed) and are then asked: their answers,
/// `[population][RESPONSES]`.
pub fn responses(learner: &Learner, lives: Lives, presentations: u32) -> Vec<f32> {
    let each: Vec<Vec<f32>> =
        (0..lives.count).into_par_iter().map(|index| learner.live(lives.seed, index, presentations)).collect();
    each.concat()
}

/// What populations are worth that answer so after as many presentations as the assay has; each counts as a life.
pub fn scored(learner: &Learner, responses: &[f32]) -> Played {
    let populations = responses.chunks_exact(RESPONSES);
    let steps = populations.len() as u64 * u64::from(learner.presentations());
    Played { values: populations.map(|responses| learner.columns(responses)).collect(), paths: Vec::new(), steps }
}

/// Populations of the assay.
pub fn play(learner: &Learner, lives: Lives) -> Played {
    scored(learner, &responses(learner, lives, learner.presentations()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_of_half_a_turn_negates_linear_inputs_and_leaves_energy() {
        for orientation in 0..ORIENTATIONS {
            let here = Input::Linear.of(orientation, 0.7);
            let there = Input::Linear.of(orientation, 0.7 + std::f32::consts::PI);
            assert!(here.iter().zip(&there).all(|(a, b)| (a + b).abs() < 1e-6));
            assert_eq!(Input::Energy.of(orientation, 0.7), Input::Energy.of(orientation, 2.0));
            assert_eq!(Input::Energy.of(orientation, 0.0)[orientation], 1.0);
        }
    }

    #[test]
    fn a_rectified_cosine_is_modulated_by_half_pi() {
        let mut responses = [0.0; ORIENTATIONS * PHASES];
        responses[3 * PHASES..][..PHASES].copy_from_slice(&from_fn::<_, PHASES, _>(|i| sin_cos(measured_phase(i)).1));
        let tuning = Tuning::of(&responses);
        assert_eq!((tuning.best, tuning.worst), (3, 0.0));
        // 16 phases in place of all: 1.56 and 1.571.
        assert!((tuning.modulation - std::f64::consts::FRAC_PI_2).abs() < 0.02, "{}", tuning.modulation);
        assert!((tuning.selectivity - 1.0).abs() < 1e-6);
    }
}
