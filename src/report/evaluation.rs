//! Parameters on fresh episodes, which no generation has seen: what the evolved unit is really worth.

use super::axis::{Axis, extent};
use super::html::{self, Figure, measured, number};
use super::plot::{self, Chart, Frame, Key, MODEL, Mark, UNIT};
use super::statistics::{Evaluation, percentile};
use crate::error::Result;

const BINS: usize = 40;
/// Episodes below this percentile may be left out of the histogram: a few failures would squeeze all others together.
const TAIL: f64 = 0.01;

/// Parameters and their fitness in each fresh episode.
pub struct Evaluated {
    /// Which parameters, for example `best centre (after 41 generations)`.
    pub name: String,
    pub fitness: Vec<f32>,
}

/// Statistics of all, and the histogram of the first.
///
/// # Errors
/// When it cannot be drawn.
pub fn figure(all: &[Evaluated], seed: u64) -> Result<Figure> {
    let (svg, shown) = all.first().map_or_else(|| Ok(Default::default()), histogram)?;
    let episodes = all.first().map_or(0, |evaluated| evaluated.fitness.len());
    let caption = format!("{episodes} fresh episodes (seed {seed}), which no generation of the run used. {shown}");
    Ok(Figure { id: "evaluation", title: "Fitness on fresh episodes".into(), head: table(all), svg, caption })
}

/// Statistics side by side.
fn table(all: &[Evaluated]) -> String {
    let head = ["parameters", "mean", "95 % CI of mean", "sd", "median", "5 to 95 %"];
    let row = |evaluated: &Evaluated| {
        let e = Evaluation::of(&evaluated.fitness);
        let between = |low: f64, high: f64| format!("{} to {}", measured(low), measured(high));
        vec![
            evaluated.name.clone(),
            measured(e.mean),
            between(e.ci95.0, e.ci95.1),
            measured(e.sd),
            measured(e.median),
            between(e.p5, e.p95),
        ]
    };
    let mut out = html::table(&head, &all.iter().map(row).collect::<Vec<_>>());
    for evaluated in all {
        let e = Evaluation::of(&evaluated.fitness);
        if e.non_finite > 0 {
            let (bad, all) = (e.non_finite, e.episodes);
            out +=
                &html::note(&format!("{}: not finite in {bad} of {all} episodes, which are left out.", evaluated.name));
        }
    }
    out
}

/// Histogram of the fitness of each episode, and what a caption must say about it.
fn histogram(evaluated: &Evaluated) -> Result<(String, String)> {
    let mut sorted: Vec<f64> = evaluated.fitness.iter().map(|&f| f64::from(f)).filter(|f| f.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let from = histogram_from(&sorted);
    let shown: Vec<f64> = sorted.iter().copied().filter(|f| *f >= from).collect();
    let columns = columns(&shown);
    let highest = columns.iter().map(|c| c.2).fold(1.0, f64::max);
    let mean = Evaluation::of(&evaluated.fitness).mean;
    let keys = [
        Key { mark: Mark::Column, colour: UNIT, label: "episodes" },
        Key { mark: Mark::Dashes, colour: MODEL, label: "mean" },
    ];
    let svg = plot::figure(270, |canvas| {
        let ends = columns.iter().flat_map(|&(from, to, _)| [from, to]);
        let x = Axis::around("fitness of an episode", ends.chain([mean]), 8);
        let y = Axis::linear("episodes", 0.0, 1.08 * highest, 5);
        let mut chart = Chart::new(canvas, &Frame { keys: &keys, ..Frame::default() }, x, y)?;
        chart.columns(&columns, UNIT)?;
        chart.dashes((mean, 0.0), (mean, 1.08 * highest), MODEL, 1.25)
    })?;
    let mut caption = format!("Histogram: {}.", evaluated.name);
    if shown.len() < sorted.len() {
        caption +=
            &format!(" {} of the episodes are below {} and not shown.", sorted.len() - shown.len(), number(from));
    }
    Ok((svg, caption))
}

/// Where the histogram begins: at the lowest value, or at the tail's end when the tail would take most of the axis.
fn histogram_from(sorted: &[f64]) -> f64 {
    let (lowest, tail) = (percentile(sorted, 0.0), percentile(sorted, TAIL));
    let body = percentile(sorted, 1.0) - tail;
    if tail - lowest > body { tail } else { lowest }
}

/// `(from, to, episodes)` of equal widths. Where all values are whole, as in a maze, so are the widths, with a value in the
/// middle: others would hold more values here than there.
fn columns(values: &[f64]) -> Vec<(f64, f64, f64)> {
    let Some((low, high)) = extent(values.iter().copied()) else { return Vec::new() };
    let whole = values.iter().all(|value| value.fract() == 0.0);
    let (low, width) = match high - low {
        span if whole => (low - 0.5, ((span + 1.0) / BINS as f64).ceil()),
        span if span > 0.0 => (low, span / BINS as f64),
        _ => (low, (0.01 * low.abs()).max(1e-4)),
    };
    let mut columns: Vec<_> = (0..BINS).map(|i| (low + width * i as f64, low + width * (i + 1) as f64, 0.0)).collect();
    for value in values {
        let bin = (((value - low) / width) as usize).min(BINS - 1);
        columns[bin].2 += 1.0;
    }
    columns.retain(|c| c.2 > 0.0);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(fitness: Vec<f32>) -> Evaluated {
        Evaluated { name: "best centre".into(), fitness }
    }

    #[test]
    fn every_value_is_in_one_column() {
        let values: Vec<f64> = (0..1000).map(|i| 0.5 - f64::from(i)).collect();
        let shown = columns(&values);
        assert_eq!(shown.iter().map(|c| c.2).sum::<f64>(), 1000.0);
        assert_eq!(shown.len(), BINS);
        assert_eq!(columns(&[2.5, 2.5]), [(2.5, 2.525, 2.0)]);
    }

    #[test]
    fn whole_values_have_columns_that_hold_as_many_of_them_each() {
        let values: Vec<f64> = (-30..=57).map(f64::from).collect();
        let shown = columns(&values);
        assert_eq!(shown[0], (-30.5, -27.5, 3.0));
        assert!(shown[..shown.len() - 1].iter().all(|column| column.2 == 3.0), "{shown:?}");
        assert_eq!(columns(&[0.0, 0.0, 2.0]), [(-0.5, 0.5, 2.0), (1.5, 2.5, 1.0)]);
    }

    #[test]
    fn a_few_failures_do_not_squeeze_the_histogram() {
        let mut fitness: Vec<f32> = (0..1000).map(|i| -20.0 - (i % 10) as f32).collect();
        fitness[0] = -5000.0;
        let (_, caption) = histogram(&evaluated(fitness)).unwrap();
        assert!(caption.contains("1 of the episodes are below −29"), "{caption}");
    }

    #[test]
    fn nothing_finite_is_still_a_figure_and_a_table() {
        for fitness in [vec![], vec![f32::NAN; 3], vec![-4.0], vec![f32::NAN, -1.0, f32::INFINITY]] {
            let figure = figure(&[evaluated(fitness)], 1).unwrap();
            assert!(figure.svg.starts_with("<svg") && !figure.svg.contains("NaN") && !figure.svg.contains("inf"));
        }
        assert!(table(&[evaluated(vec![f32::NAN, 1.0])]).contains("not finite in 1 of 2 episodes"));
    }
}
