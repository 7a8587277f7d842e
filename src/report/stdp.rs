//! Spike-timing dependent plasticity, both rules: the learned weight change over the spike-time difference, with and
//! without the neuromodulator, over the true rule; and one pair of spikes in full.

use plotters::style::text_anchor::HPos;

use super::axis::{Axis, extent};
use super::html::{Figure, number};
use super::plot::{self, Canvas, Chart, Frame, INPUT, Key, MODEL, Mark, REFERENCE, UNIT};
use super::statistics::Evaluation;
use super::{Subject, affordable};
use crate::config::Stdp;
use crate::error::Result;
use crate::task::Episodes;
use crate::task::stdp::{Pair, StdpTask};
use crate::workload::Workload;
use crate::workload::single_unit::SingleUnit;

/// Episodes of every spike-time difference; fewer where they are long.
const REPEATS: usize = 32;
/// Spike-time differences on either side at most; a wider range is sampled.
const DELAYS: i32 = 40;
const PANELS: [(bool, &str); 2] = [(true, "With neuromodulator"), (false, "Without neuromodulator")];

/// Figures of one unit.
///
/// # Errors
/// When they cannot be drawn.
pub fn figures(task: &StdpTask, unit: &SingleUnit, subject: &Subject) -> Result<Vec<Figure>> {
    let windows = PANELS.map(|(modulator, _)| Window::measure(task, unit, subject, modulator));
    let traces = PANELS.map(|(modulator, _)| Trace::measure(task, unit, subject, modulator));
    Ok(vec![draw_windows(&task.config, &windows, subject)?, draw_traces(&traces, subject)?])
}

/// The weight change at one spike-time difference.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    delay: f64,
    rule: f64,
    /// Of the unit: mean and standard deviation over episodes.
    mean: f64,
    sd: f64,
}

struct Window {
    changes: Vec<Change>,
    /// Episodes behind each change.
    repeats: usize,
}

impl Window {
    fn measure(task: &StdpTask, unit: &SingleUnit, subject: &Subject, modulator: bool) -> Self {
        let steps = task.config.steps as usize;
        let delays: Vec<i32> = delays(&task.config).filter(|&d| pair(steps, d, modulator).is_some()).collect();
        if delays.is_empty() {
            return Self { changes: Vec::new(), repeats: 0 };
        }
        let repeats = (affordable(REPEATS * delays.len(), steps) / delays.len()).max(1);
        let pairs: Vec<Pair> =
            delays.iter().flat_map(|&delay| (0..repeats).filter_map(move |_| pair(steps, delay, modulator))).collect();
        let episodes = task.from_pairs(steps, &graded(unit, pairs.len(), subject.seed), &pairs);
        let outputs = unit.outputs(subject.parameters, &episodes);
        let measured: Vec<f32> =
            pairs.iter().enumerate().map(|(lane, pair)| weight_change(&episodes, &outputs, lane, pair)).collect();
        let change = |(&delay, measured): (&i32, &[f32])| {
            let e = Evaluation::of(measured);
            let rule = f64::from(task.weight_change(delay, modulator));
            Change { delay: f64::from(delay), rule, mean: e.mean, sd: e.sd }
        };
        Self { changes: delays.iter().zip(measured.chunks(repeats)).map(change).collect(), repeats }
    }
}

fn delays(config: &Stdp) -> impl Iterator<Item = i32> {
    // A plan's largest delay is far below this bound.
    let furthest = i32::try_from(config.max_delay).unwrap_or(i32::MAX / 2);
    let step = (furthest + DELAYS - 1) / DELAYS;
    (-furthest..=furthest).step_by(step.max(1) as usize)
}

/// Two spikes `delay` apart (post - pre) around the middle of an episode; none where they do not fit.
fn pair(steps: usize, delay: i32, modulator: bool) -> Option<Pair> {
    let pre = i32::try_from(steps / 2).ok()?.checked_sub(delay / 2)?;
    let (pre, post) = (usize::try_from(pre).ok()?, usize::try_from(pre + delay).ok()?);
    (pre.max(post) < steps).then_some(Pair { pre, post, modulator })
}

/// Graded inputs as in the task, `[step][environment]`.
fn graded(unit: &SingleUnit, environments: usize, seed: u64) -> Vec<f32> {
    let fresh = unit.fresh_episodes(environments, seed);
    fresh.inputs.chunks(fresh.lanes * fresh.channels).flat_map(|step| step[..environments].iter().copied()).collect()
}

/// Mean of output / input - 1 over the steps from the later spike on.
fn weight_change(episodes: &Episodes, outputs: &[f32], lane: usize, pair: &Pair) -> f32 {
    let later = pair.pre.max(pair.post)..episodes.steps;
    let n = later.len() as f32;
    let input = |t: usize| episodes.inputs[t * episodes.channels * episodes.lanes + lane];
    later.map(|t| outputs[t * episodes.lanes + lane] / input(t) - 1.0).sum::<f32>() / n
}

/// One episode with a single pair of spikes.
struct Trace {
    pair: Option<Pair>,
    input: Vec<(f64, f64)>,
    target: Vec<(f64, f64)>,
    output: Vec<(f64, f64)>,
}

impl Trace {
    fn measure(task: &StdpTask, unit: &SingleUnit, subject: &Subject, modulator: bool) -> Self {
        let steps = task.config.steps as usize;
        let delay = i32::try_from(task.config.max_delay / 4).unwrap_or(0);
        let Some(pair) = pair(steps, delay, modulator) else {
            return Self { pair: None, input: Vec::new(), target: Vec::new(), output: Vec::new() };
        };
        let episodes = task.from_pairs(steps, &graded(unit, 1, subject.seed), std::slice::from_ref(&pair));
        let outputs = unit.outputs(subject.parameters, &episodes);
        let first = |values: &[f32], stride: usize| -> Vec<(f64, f64)> {
            values.iter().step_by(stride).enumerate().map(|(t, &y)| (t as f64, f64::from(y))).collect()
        };
        Self {
            pair: Some(pair),
            input: first(&episodes.inputs, episodes.lanes * episodes.channels),
            target: first(&episodes.target, episodes.lanes),
            output: first(&outputs, episodes.lanes),
        }
    }
}

fn draw_windows(config: &Stdp, windows: &[Window; 2], subject: &Subject) -> Result<Figure> {
    let changes = || windows.iter().flat_map(|w| &w.changes);
    let y = Axis::around(
        "weight change",
        changes().flat_map(|c| [c.rule, c.mean, c.mean - c.sd, c.mean + c.sd]).chain([0.0]),
        6,
    );
    let svg = plot::figure(350, |canvas| {
        let panels = canvas.split_evenly((1, 2));
        for ((panel, window), (modulator, title)) in panels.iter().zip(windows).zip(PANELS) {
            let keys: &[Key] = if modulator { &[RULE, LEARNED] } else { &[] };
            draw_window(panel, window, title, keys, config, y.clone())?;
        }
        Ok(())
    })?;
    let caption = format!(
        "Relative weight change over the spike-time difference. Line: the true rule. Dots: the unit, output / input − 1 \
         averaged over the steps from the later spike to the end of the episode, mean of {} episodes (bars: \
         standard deviation), each with its own graded input drawn as in the task (seed {}). {}",
        windows[0].repeats, subject.seed, subject.described,
    );
    Ok(Figure { id: "window", title: "Learned plasticity window".into(), head: String::new(), svg, caption })
}

const RULE: Key = Key { mark: Mark::Line, colour: MODEL, label: "rule" };
const LEARNED: Key = Key { mark: Mark::Dot, colour: UNIT, label: "evolved unit" };

fn draw_window(canvas: &Canvas, window: &Window, title: &str, keys: &[Key], config: &Stdp, y: Axis) -> plot::Drawn {
    let furthest = f64::from(config.max_delay.max(1));
    let x = Axis::linear("t(post) − t(pre), steps", -1.05 * furthest, 1.05 * furthest, 5);
    let mut chart = Chart::new(canvas, &Frame { title, keys, ..Frame::default() }, x, y)?;
    chart.dashes((-1.05 * furthest, 0.0), (1.05 * furthest, 0.0), REFERENCE, 1.0)?;
    chart.line(&window.changes.iter().map(|c| (c.delay, c.rule)).collect::<Vec<_>>(), MODEL, 1.5)?;
    let bars: Vec<_> = window.changes.iter().map(|c| (c.delay, c.mean - c.sd, c.mean + c.sd)).collect();
    chart.stems(&bars, UNIT, 1.0)?;
    chart.dots(&window.changes.iter().map(|c| (c.delay, c.mean)).collect::<Vec<_>>(), UNIT, 2.5)
}

fn draw_traces(traces: &[Trace; 2], subject: &Subject) -> Result<Figure> {
    let values = || traces.iter().flat_map(|t| t.input.iter().chain(&t.target).chain(&t.output)).map(|p| p.1);
    let (low, high) = extent(values()).unwrap_or((0.0, 1.0));
    // Below the curves, room for the names of the spikes.
    let y = Axis::linear("", low - 0.2 * (high - low), high + 0.05 * (high - low), 4);
    let svg = plot::figure(380, |canvas| {
        let panels = canvas.split_by_breakpoints([0; 0], [plot::px(176.0)]);
        for ((panel, trace), (modulator, title)) in panels.iter().zip(traces).zip(PANELS) {
            let keys: &[Key] = if modulator { &[SHOWN, TARGET, OUTPUT] } else { &[] };
            draw_trace(panel, trace, &Frame { title, keys, shared_x: modulator, ..Frame::default() }, y.clone())?;
        }
        Ok(())
    })?;
    let delay = traces[0].pair.as_ref().map_or(0, |pair| pair.post as i64 - pair.pre as i64);
    let caption = format!(
        "The same graded input and pair of spikes, t(post) − t(pre) = {}, with and without the neuromodulator (seed {}): \
         the target is the input times the synapse's weight, which changes at the later spike. {}",
        number(delay as f64),
        subject.seed,
        subject.described,
    );
    Ok(Figure {
        id: "episode",
        title: "An episode: input, target and output".into(),
        head: String::new(),
        svg,
        caption,
    })
}

const SHOWN: Key = Key { mark: Mark::Line, colour: INPUT, label: "input" };
const TARGET: Key = Key { mark: Mark::Line, colour: MODEL, label: "target" };
const OUTPUT: Key = Key { mark: Mark::Line, colour: UNIT, label: "output of the evolved unit" };

fn draw_trace(canvas: &Canvas, trace: &Trace, frame: &Frame, y: Axis) -> plot::Drawn {
    let (bottom, top) = y.ends();
    let steps = trace.input.len().max(2) as f64;
    let mut chart = Chart::new(canvas, frame, Axis::linear("step", 0.0, steps, 10), y)?;
    if let Some(pair) = &trace.pair {
        let (pre, post) = (pair.pre as f64, pair.post as f64);
        chart.stems(&[(pre, bottom, top), (post, bottom, top)], REFERENCE, 0.75)?;
        let near_bottom = bottom + 0.07 * (top - bottom);
        let (before, after) = if pre <= post { (HPos::Right, HPos::Left) } else { (HPos::Left, HPos::Right) };
        chart.note((pre, near_bottom), "pre", before, REFERENCE)?;
        chart.note((post, near_bottom), "post", after, REFERENCE)?;
    }
    chart.line(&trace.input, INPUT, 1.5)?;
    chart.line(&trace.target, MODEL, 1.75)?;
    chart.line(&trace.output, UNIT, 1.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject = Subject { parameters: &[], described: "Of a test.", seed: 7 };

    #[test]
    fn pairs_have_the_delay_asked_for_and_lie_inside_the_episode() {
        for delay in -20..=20 {
            let pair = pair(100, delay, true).unwrap();
            assert_eq!(pair.post as i32 - pair.pre as i32, delay);
            assert!(pair.pre < 100 && pair.post < 100);
        }
        assert!(pair(10, 20, true).is_none() && pair(10, -20, true).is_none() && pair(0, 0, true).is_none());
    }

    #[test]
    fn the_weight_change_is_the_mean_relative_gain_after_the_later_spike() {
        // Two lanes, two channels, four steps; lane 1 has input 2 and output 3 from step 2 on, so a gain of 0.5.
        let inputs = [1.0, 2.0, 9.0, 9.0].repeat(4);
        let episodes = Episodes { environments: 2, lanes: 2, steps: 4, channels: 2, inputs, target: vec![0.0; 8] };
        let outputs = [0.0, 7.0, 0.0, 7.0, 0.0, 3.0, 0.0, 3.0];
        let pair = Pair { pre: 2, post: 1, modulator: true };
        assert!((weight_change(&episodes, &outputs, 1, &pair) - 0.5).abs() < 1e-6);
        assert!((weight_change(&episodes, &outputs, 0, &pair) + 1.0).abs() < 1e-6, "a silent unit loses all weight");
    }

    #[test]
    fn figures_survive_nan_and_nothing_to_show() {
        let change = |delay: i32, mean| Change { delay: f64::from(delay), rule: 0.1, mean, sd: f64::NAN };
        let broken = [
            Window { changes: vec![change(-1, f64::NAN), change(0, 0.2), change(1, f64::INFINITY)], repeats: 1 },
            Window { changes: Vec::new(), repeats: 0 },
        ];
        let empty = || Trace { pair: None, input: Vec::new(), target: Vec::new(), output: Vec::new() };
        let window = draw_windows(&Stdp::default(), &broken, &SUBJECT).unwrap();
        let traces = draw_traces(&[empty(), empty()], &SUBJECT).unwrap();
        for svg in [window.svg, traces.svg] {
            assert!(!svg.contains("NaN") && !svg.contains("inf"));
            assert!(svg.contains("With neuromodulator") && svg.contains("Without neuromodulator"));
        }
    }
}
