//! Integrate and fire: an episode of the model neuron over the evolved unit (Fig. 3 of Bertens & Lee 2020), and the
//! firing rate of both against a constant current (their Extended Data Fig. 2).

use super::axis::{Axis, extent};
use super::html::{Figure, number};
use super::plot::{self, Canvas, Chart, Frame, INPUT, Key, MODEL, Mark, REFERENCE, UNIT};
use super::{Subject, affordable};
use crate::config::Iaf;
use crate::error::Result;
use crate::task::iaf::model;
use crate::workload::Workload;
use crate::workload::single_unit::SingleUnit;

/// Steps of an episode that are drawn.
const SHOWN: usize = 200;
/// Constant currents of the rate curve, fewer for long episodes: many, so that the model's steps are upright.
const CURRENTS: usize = 501;
/// Every how many of them the unit gets a dot.
const DOT_EVERY: usize = 5;

/// Figures of one unit.
///
/// # Errors
/// When they cannot be drawn.
pub fn figures(task: &Iaf, unit: &SingleUnit, subject: &Subject) -> Result<Vec<Figure>> {
    let episode = Episode::measure(task, unit, subject);
    let rates = Rates::measure(task, unit, subject);
    Ok(vec![draw_episode(task, &episode, subject)?, draw_rates(task, &rates, subject)?])
}

/// The drawn part of one episode, a value per step.
struct Episode {
    input: Vec<f32>,
    /// Of the model, before it is reset.
    potential: Vec<f32>,
    model: Vec<f32>,
    unit: Vec<f32>,
    fitness: f32,
}

impl Episode {
    fn measure(task: &Iaf, unit: &SingleUnit, subject: &Subject) -> Self {
        let episodes = unit.fresh_episodes(1, subject.seed);
        let (lanes, channels) = (episodes.lanes, episodes.channels);
        let input: Vec<f32> = episodes.inputs.iter().step_by(lanes * channels).take(SHOWN).copied().collect();
        let (potential, model) = model(task.threshold, input.iter().copied()).unzip();
        let outputs = unit.outputs(subject.parameters, &episodes);
        let fitness = unit.fitness(subject.parameters, &episodes).first().copied().unwrap_or(f32::NAN);
        Self { input, potential, model, unit: outputs.iter().step_by(lanes).take(SHOWN).copied().collect(), fitness }
    }
}

/// Spikes per step over an episode of constant current.
struct Rates {
    current: Vec<f64>,
    model: Vec<f64>,
    unit: Vec<f64>,
    steps: usize,
}

impl Rates {
    fn measure(task: &Iaf, unit: &SingleUnit, subject: &Subject) -> Self {
        let steps = task.steps as usize;
        let count = affordable(CURRENTS, steps);
        let span = task.input_max - task.input_min;
        let currents: Vec<f32> =
            (0..count).map(|i| task.input_min + span * i as f32 / (count - 1).max(1) as f32).collect();
        let episodes = task.episodes(count, steps, &currents.repeat(steps));
        let outputs = unit.outputs(subject.parameters, &episodes);
        let rate = |train: &[f32], threshold: f32, lane: usize| {
            let spikes = train.iter().skip(lane).step_by(episodes.lanes).filter(|y| **y > threshold).count();
            spikes as f64 / steps as f64
        };
        Self {
            current: currents.iter().map(|&i| f64::from(i)).collect(),
            model: (0..count).map(|lane| rate(&episodes.target, 0.0, lane)).collect(),
            unit: (0..count).map(|lane| rate(&outputs, task.spike_threshold, lane)).collect(),
            steps,
        }
    }
}

/// `(step, value)` with steps counted from 1, as the intervals of equation (3) are.
fn steps(values: &[f32]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(t, &y)| ((t + 1) as f64, f64::from(y))).collect()
}

fn spikes(values: &[f32], threshold: f32) -> Vec<(f64, f64, f64)> {
    steps(values).into_iter().filter(|(_, y)| *y > f64::from(threshold)).map(|(t, y)| (t, 0.0, y)).collect()
}

fn draw_episode(task: &Iaf, episode: &Episode, subject: &Subject) -> Result<Figure> {
    let svg = plot::figure(462, |canvas| draw_panels(canvas, task, episode))?;
    let cut = if episode.input.len() < task.steps as usize { "The beginning of one" } else { "One" };
    let caption = format!(
        "{cut} fresh episode (seed {}): the input, the potential of the model neuron (a spike and a reset to 0 where it \
         reaches {}), its spikes, and those of the unit with their height (the output where it is greater than {}). \
         Fitness of the unit in this episode {}. {}",
        subject.seed,
        number(f64::from(task.threshold)),
        number(f64::from(task.spike_threshold)),
        number(f64::from(episode.fitness)),
        subject.described,
    );
    let title = "An episode: model neuron and evolved unit".into();
    Ok(Figure { id: "episode", title, head: String::new(), svg, caption })
}

/// Four charts over one time axis: current, potential, spikes of the model, spikes of the unit.
fn draw_panels(canvas: &Canvas, task: &Iaf, episode: &Episode) -> plot::Drawn {
    let panels = canvas.split_by_breakpoints([0; 0], [106.0, 282.0, 358.0].map(plot::px));
    let [currents, potentials, model, unit] = &panels[..] else { return Ok(()) };
    let (last, threshold) = (episode.input.len() as f64, f64::from(task.threshold));
    let time = || Axis::linear("step", 0.0, last, 10);
    let frame = |title| Frame { title, shared_x: true, ..Frame::default() };
    let range = |values: &[f32], top: f64| extent(values.iter().map(|&v| f64::from(v)).chain([0.0, top]));
    let axis = |values: &[f32], top: f64| {
        let (low, high) = range(values, top).unwrap_or((0.0, top));
        Axis::linear("", 1.05 * low, 1.05 * high, 3)
    };
    let height = |values: &[f32]| {
        let highest = range(values, 1.0).map_or(1.0, |(_, high)| high);
        Axis::linear("", 0.0, 1.1 * highest, 1).with_ticks(&[0.0, highest])
    };

    let y = axis(&episode.input, f64::from(task.input_max));
    let mut chart = Chart::new(currents, &frame("Input current per step"), time(), y)?;
    let bars: Vec<_> = steps(&episode.input).into_iter().map(|(t, x)| (t, 0.0, x)).collect();
    chart.stems(&bars, INPUT, 3.0)?;

    let keys = [Key { mark: Mark::Dashes, colour: REFERENCE, label: "threshold" }];
    let around = Frame { keys: &keys, ..frame("Membrane potential of the model") };
    let mut chart = Chart::new(potentials, &around, time(), axis(&episode.potential, threshold))?;
    chart.dashes((0.0, threshold), (last, threshold), REFERENCE, 1.0)?;
    chart.line(&saw_tooth(episode), MODEL, 1.5)?;

    let mut chart = Chart::new(model, &frame("Spikes of the model"), time(), height(&episode.model))?;
    chart.stems(&spikes(&episode.model, 0.0), MODEL, 2.0)?;

    let around = Frame { title: "Spikes of the evolved unit", ..Frame::default() };
    let mut chart = Chart::new(unit, &around, time(), height(&episode.unit))?;
    chart.stems(&spikes(&episode.unit, task.spike_threshold), UNIT, 2.0)
}

/// The potential with its resets, which happen within a step.
fn saw_tooth(episode: &Episode) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, 0.0)];
    for ((t, u), spike) in steps(&episode.potential).into_iter().zip(&episode.model) {
        points.push((t, u));
        if *spike > 0.0 {
            points.push((t, 0.0));
        }
    }
    points
}

fn draw_rates(task: &Iaf, rates: &Rates, subject: &Subject) -> Result<Figure> {
    let (low, high) = (f64::from(task.input_min), f64::from(task.input_max));
    let threshold = f64::from(task.threshold);
    let points = |rate: &[f64]| -> Vec<_> { rates.current.iter().copied().zip(rate.iter().copied()).collect() };
    let theory: Vec<_> = rates.current.iter().map(|&i| (i, i / threshold)).collect();
    let all = [&rates.model, &rates.unit].into_iter().flatten().copied().chain(theory.iter().map(|p| p.1));
    let highest = extent(all).map_or(1.0, |(_, high)| high);
    let keys = [
        Key { mark: Mark::Dashes, colour: REFERENCE, label: "current / threshold" },
        Key { mark: Mark::Line, colour: MODEL, label: "model" },
        Key { mark: Mark::Dot, colour: UNIT, label: "evolved unit" },
    ];
    let svg = plot::figure(340, |canvas| {
        let x = Axis::linear("constant input current per step", low, high, 10);
        let y = Axis::linear("firing rate (spikes per step)", 0.0, (1.05 * highest).max(1e-3), 6);
        let mut chart = Chart::new(canvas, &Frame { keys: &keys, ..Frame::default() }, x, y)?;
        if let (Some(&from), Some(&to)) = (theory.first(), theory.last()) {
            chart.dashes(from, to, REFERENCE, 1.25)?;
        }
        chart.line(&points(&rates.model), MODEL, 1.5)?;
        let dots: Vec<_> = points(&rates.unit).into_iter().step_by(DOT_EVERY).collect();
        chart.dots(&dots, UNIT, 2.5)
    })?;
    let caption = format!(
        "Spikes per step at constant current, counted over {} steps from rest. The model fires every \
         ceil(threshold / current) steps; dashed, the rate current / threshold of a neuron in continuous time. {}",
        rates.steps, subject.described,
    );
    Ok(Figure { id: "rates", title: "Firing rate against input current".into(), head: String::new(), svg, caption })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject = Subject { parameters: &[], described: "Of a test.", seed: 7 };

    #[test]
    fn the_episode_shows_every_spike_and_survives_nan() {
        let episode = Episode {
            input: vec![0.1; 20],
            potential: (0..20).map(|t| 0.1 * (t % 5 + 1) as f32).collect(),
            model: (0..20).map(|t| if t % 5 == 4 { 1.0 } else { 0.0 }).collect(),
            unit: (0..20).map(|t| if t % 6 == 5 { 0.8 } else { f32::NAN }).collect(),
            fitness: f32::NAN,
        };
        assert_eq!(spikes(&episode.model, 0.0).iter().map(|s| s.0).collect::<Vec<_>>(), [5.0, 10.0, 15.0, 20.0]);
        assert_eq!(spikes(&episode.unit, 0.0).len(), 3);
        let figure = draw_episode(&Iaf::default(), &episode, &SUBJECT).unwrap();
        assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"));
        assert!(figure.svg.contains("Membrane potential") && figure.caption.contains("seed 7"));
    }

    #[test]
    fn the_potential_falls_to_zero_within_the_step_of_a_spike() {
        let episode = Episode {
            input: vec![0.3; 3],
            potential: vec![0.3, 0.6, 0.3],
            model: vec![0.0, 1.0, 0.0],
            unit: vec![0.0; 3],
            fitness: 0.0,
        };
        let at: Vec<_> = saw_tooth(&episode).iter().map(|p| p.0).collect();
        assert_eq!(at, [0.0, 1.0, 2.0, 2.0, 3.0]);
        assert_eq!(saw_tooth(&episode)[3].1, 0.0);
    }
}
