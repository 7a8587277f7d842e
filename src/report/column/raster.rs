//! A column at a glance, as its authors show it (Potjans & Diesmann 2014, Fig. 6): spikes of all populations from the surface
//! down, and beside them rate, irregularity and synchrony of each.
//!
//! Of every population the first neurons are shown, in proportion; neurons of a population have no order.

use std::fmt::Write as _;

use plotters::style::{BLACK, RGBColor, WHITE};

use super::published::Reference;
use super::{Population, Spread};
use crate::column::parameters::is_inhibitory;
use crate::column::{NAMES, POPULATIONS, Thalamus, steps};
use crate::report::axis::Axis;
use crate::report::html::{count, escape};
use crate::report::plot::{AXIS, EXCITATORY, FONT, GRID, INHIBITORY, WIDTH};
use crate::report::svg::{Anchor, disc, hex, line, px, rect, text};

/// Time shown, ms.
const SHOWN: f64 = 400.0;
/// Of it before a pulse of the thalamus.
const BEFORE: f64 = 150.0;
/// Neurons shown, as in the original figure.
const NEURONS: f64 = 1862.0;
/// Spikes shown, at most about so many: the file stays below 150 kB.
const SPIKES: f64 = 10_000.0;

const HEIGHT: f64 = 560.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 486.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 432.0;
/// Between populations.
const GAP: f64 = 3.0;
/// Where the bars of the first measure begin, how wide a measure is, and from one to the next.
const BARS: f64 = 492.0;
const BARS_WIDTH: f64 = 74.0;
const BARS_STEP: f64 = 90.0;
const TEXT: f64 = 12.0;

/// What a panel of bars is called, its measure, and what others have for it.
type Measure = (&'static str, fn(&Population) -> Spread, Option<[f64; POPULATIONS]>);

fn colour(population: usize) -> RGBColor {
    if is_inhibitory(population) { INHIBITORY } else { EXCITATORY }
}

/// The `<svg>` element: `spikes` of each population as (step, neuron) of `recorded` steps, of populations whose measures over
/// seeds stand beside what is known of them.
pub fn figure(
    title: &str,
    spikes: &[Vec<(u32, u32)>],
    recorded: u32,
    populations: &[Population],
    reference: Option<&Reference>,
    thalamus: Option<&Thalamus>,
) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"{FONT}\">\n<title>{2}</title>\n",
        WIDTH,
        px(HEIGHT),
        escape(title)
    );
    out += &rect((0.0, 0.0), (f64::from(WIDTH), HEIGHT), WHITE, "");
    out += &raster(spikes, recorded, populations, thalamus);
    let measures: [Measure; 3] = [
        ("rate (Hz)", |p| p.rate, reference.map(|r| r.rate)),
        ("irregularity", |p| p.cv, reference.and_then(|r| r.cv)),
        ("synchrony", |p| p.synchrony, reference.and_then(|r| r.synchrony)),
    ];
    for (number, (name, of, known)) in measures.into_iter().enumerate() {
        let spreads: Vec<Spread> = populations.iter().map(of).collect();
        out += &bars(BARS + BARS_STEP * number as f64, name, &spreads, known);
    }
    for (p, name) in NAMES.iter().enumerate() {
        out += &text((BARS - 7.0, row(p)), Anchor::End, TEXT - 1.0, colour(p), name);
    }
    out += &key(title, reference);
    out + "</svg>\n"
}

/// Middle of a population's row of bars.
fn row(population: usize) -> f64 {
    TOP + (population as f64 + 0.5) * (BOTTOM - TOP) / POPULATIONS as f64
}

fn raster(
    spikes: &[Vec<(u32, u32)>],
    recorded: u32,
    populations: &[Population],
    thalamus: Option<&Thalamus>,
) -> String {
    let pulse = thalamus.and_then(|thalamus| Some((*thalamus.onsets(recorded).first()?, steps(thalamus.duration))));
    let length = steps(SHOWN).min(recorded);
    let from = pulse.map_or(0, |(onset, _)| onset.saturating_sub(steps(BEFORE))).min(recorded - length);
    let x = |step: u32| LEFT + f64::from(step - from) / f64::from(length) * (RIGHT - LEFT);
    let within: Vec<&[(u32, u32)]> = spikes
        .iter()
        .map(|spikes| {
            let until = |step: u32| spikes.partition_point(|spike| spike.0 <= step);
            &spikes[until(from)..until(from + length)]
        })
        .collect();

    let neurons: usize = populations.iter().map(|population| population.neurons).sum();
    let share = (NEURONS / neurons as f64).min(1.0);
    let seen = share * within.iter().map(|spikes| spikes.len()).sum::<usize>() as f64;
    let share = share * (SPIKES / seen).min(1.0);
    let shown: Vec<usize> = populations
        .iter()
        .map(|population| ((population.neurons as f64 * share).round() as usize).clamp(1, population.neurons))
        .collect();
    let all: usize = shown.iter().sum();
    let height = (BOTTOM - TOP - GAP * (POPULATIONS - 1) as f64) / all as f64;

    let mut out = String::new();
    if let Some((onset, duration)) = pulse {
        let (begin, end) = (x(onset), x((onset + duration).min(from + length)));
        out += &rect((begin, TOP), (end - begin, BOTTOM - TOP), GRID, "");
    }
    let mut top = TOP;
    for (p, (spikes, &shown)) in within.iter().zip(&shown).enumerate() {
        let mut path = String::new();
        for &(step, neuron) in spikes.iter().filter(|spike| (spike.1 as usize) < shown) {
            let y = top + (f64::from(neuron) + 0.5) * height;
            let _ = write!(path, "M{} {}h0", px(x(step)), px(y));
        }
        out += &format!(
            "<path d=\"{path}\" stroke=\"{}\" stroke-width=\"1.8\" stroke-linecap=\"round\"/>\n",
            hex(colour(p))
        );
        let below = top + shown as f64 * height;
        out += &text((LEFT - 7.0, 0.5 * (top + below)), Anchor::End, TEXT - 1.0, colour(p), NAMES[p]);
        top = below + GAP;
    }
    out += &frame((LEFT, RIGHT));
    let time = Axis::linear("", f64::from(from) / 10.0, f64::from(from + length) / 10.0, 4);
    for (at, label) in time.ticks() {
        let x = LEFT + (at - time.ends().0) / (time.ends().1 - time.ends().0) * (RIGHT - LEFT);
        out += &tick(x, label);
    }
    out += &text((0.5 * (LEFT + RIGHT), BOTTOM + 31.0), Anchor::Middle, TEXT, BLACK, "time (ms)");
    let of = format!("{} of {} neurons", count(all as u64), count(neurons as u64));
    out += &text((LEFT, TOP - 9.0), Anchor::Start, TEXT - 1.0, AXIS, &of);
    if pulse.is_some() {
        out += &text((RIGHT, TOP - 9.0), Anchor::End, TEXT - 1.0, AXIS, "grey: thalamic pulse");
    }
    out
}

/// The lines at the left of and below a panel.
fn frame((left, right): (f64, f64)) -> String {
    line((left, TOP), (left, BOTTOM), AXIS, 1.0, "") + &line((left, BOTTOM), (right, BOTTOM), AXIS, 1.0, "")
}

fn tick(x: f64, label: &str) -> String {
    line((x, BOTTOM), (x, BOTTOM + 4.0), AXIS, 1.0, "")
        + &text((x, BOTTOM + 13.0), Anchor::Middle, TEXT - 2.0, AXIS, label)
}

/// A measure of all populations: bars with their spread over seeds, and marks where others have it.
fn bars(left: f64, name: &str, spreads: &[Spread], known: Option<[f64; POPULATIONS]>) -> String {
    let ends = spreads.iter().map(|s| s.mean + if s.sd.is_finite() { s.sd } else { 0.0 });
    let most = ends.chain(known.into_iter().flatten()).filter(|x| x.is_finite()).fold(0.0, f64::max);
    let axis = Axis::linear("", 0.0, if most > 0.0 { 1.05 * most } else { 1.0 }, 2);
    let x = |value: f64| left + axis.at(value).unwrap_or(0.0) / axis.ends().1 * BARS_WIDTH;
    let half = 0.3 * (BOTTOM - TOP) / POPULATIONS as f64;
    let mut out = String::new();
    for (p, spread) in spreads.iter().enumerate() {
        let middle = row(p);
        if spread.mean.is_finite() {
            let width = x(spread.mean) - left;
            out += &rect((left, middle - half), (width, 2.0 * half), colour(p), " fill-opacity=\"0.75\"");
        }
        if spread.sd.is_finite() {
            let (low, high) = (x((spread.mean - spread.sd).max(0.0)), x(spread.mean + spread.sd));
            out += &line((low, middle), (high, middle), AXIS, 1.5, "");
        }
        if let Some(known) = known {
            let x = x(known[p]);
            out += &line((x, middle - half - 3.0), (x, middle + half + 3.0), BLACK, 2.0, "");
        }
    }
    out += &frame((left, left + BARS_WIDTH));
    for (at, label) in axis.ticks() {
        out += &tick(x(*at), label);
    }
    out + &text((left + 0.5 * BARS_WIDTH, BOTTOM + 31.0), Anchor::Middle, TEXT, BLACK, name)
}

/// What colours and marks are, on the last line.
fn key(title: &str, reference: Option<&Reference>) -> String {
    let y = HEIGHT - 16.0;
    let mut out = text((LEFT, y), Anchor::Start, TEXT, BLACK, title);
    let mut x = BARS - 100.0;
    for (colour, label, width) in [(EXCITATORY, "excitatory", 84.0), (INHIBITORY, "inhibitory", 82.0)] {
        out += &disc((x, y), 4.0, colour);
        out += &text((x + 9.0, y), Anchor::Start, TEXT, BLACK, label);
        x += width;
    }
    if let Some(reference) = reference {
        out += &line((x, y - 6.0), (x, y + 6.0), BLACK, 2.0, "");
        out += &text((x + 7.0, y), Anchor::Start, TEXT, BLACK, reference.label);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::statistics::Statistics;
    use crate::report::column::{populations, published};

    /// Nobody fires, for a millisecond; and everybody in every step, of more than can be shown.
    #[test]
    fn silence_and_noise_are_drawn() {
        let sizes = [300; POPULATIONS];
        let noise: Vec<_> = (1..=400u32).flat_map(|step| (0..300).map(move |neuron| (step, neuron))).collect();
        for (spikes, recorded, seeds) in [(Vec::new(), 10, 1), (noise, 400, 2)] {
            let statistics = vec![Statistics::new(300, &spikes, 0, recorded); POPULATIONS];
            let populations = populations(&sizes, &vec![statistics; seeds]);
            let all = vec![spikes; POPULATIONS];
            let thalamus = Thalamus { start: 0.5, ..Thalamus::default() };
            for thalamus in [None, Some(&thalamus)] {
                let svg = figure("a & b", &all, recorded, &populations, Some(&published::NEST), thalamus);
                let drawing = roxmltree::Document::parse(&svg).unwrap();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                assert!(svg.len() < 150_000, "{} bytes", svg.len());
                let names = drawing.descendants().filter(|node| node.text() == Some("L4E"));
                assert!(names.count() >= 2, "beside the spikes and beside the bars");
            }
        }
    }
}
