//! Scores of groups of agents side by side: box plots with every agent as a point, and which groups differ (the paper's
//! Fig. 2).

use plotters::style::text_anchor::HPos;

use super::axis::{Axis, extent};
use super::plot::{self, Chart, Frame, INPUT, Key, MODEL, Mark, OFFSPRING, REFERENCE, UNIT};
use super::statistics::percentile;
use crate::error::Result;
use crate::synaptogen::evaluation::Solved;
use crate::synaptogen::reproduction::{GROUPS, Group, Report};

/// Half the width of a box, in groups.
const HALF: f64 = 0.22;
/// Distance between the brackets above the boxes, as a share of the axis.
const BRACKET: f64 = 0.07;

/// The `<svg>` element.
///
/// # Errors
/// When it cannot be drawn.
pub fn figure(report: &Report, solved: Solved) -> Result<String> {
    let title = format!("{}, {} genes", report.settings.env, report.settings.genes);
    let mut keys = vec![
        Key { mark: Mark::Dot, colour: REFERENCE, label: "an agent" },
        Key { mark: Mark::Dashes, colour: REFERENCE, label: "solved" },
    ];
    if report.groups.iter().any(|group| group.published.is_some()) {
        keys.push(Key { mark: Mark::Line, colour: MODEL, label: "mean of the paper" });
    }
    let (Solved::From(threshold) | Solved::Above(threshold)) = solved;
    let scores = report.groups.iter().flat_map(|group| group.scores.iter().copied());
    let published = report.groups.iter().filter_map(|group| Some(group.published?.mean));
    let (low, high) = extent(scores.chain(published).chain([threshold])).unwrap_or((0.0, 1.0));
    let room = (high - low).max(1e-3);
    let stars: Vec<_> = report.comparisons.iter().filter(|pair| !pair.stars.is_empty()).collect();
    let top = high + room * (0.04 + BRACKET * stars.len() as f64);
    plot::figure(380, |canvas| {
        let frame = Frame { title: &title, keys: &keys, ..Frame::default() };
        let (x, y) =
            (Axis::named(&GROUPS), Axis::linear("score: mean return of 10 episodes", low - 0.04 * room, top, 7));
        let mut chart = Chart::new(canvas, &frame, x, y)?;
        chart.dashes((-0.5, threshold), (GROUPS.len() as f64 - 0.5, threshold), REFERENCE, 1.0)?;
        for (number, (group, colour)) in report.groups.iter().zip([UNIT, OFFSPRING, INPUT]).enumerate() {
            draw(&mut chart, number as f64, group, colour)?;
        }
        let at = |name: &str| GROUPS.iter().position(|group| *group == name).unwrap_or(0) as f64;
        for (number, pair) in stars.into_iter().enumerate() {
            let y = high + room * (0.05 + BRACKET * number as f64);
            let (from, to) = (at(pair.first), at(pair.second));
            chart.line(&[(from, y - 0.01 * room), (from, y), (to, y), (to, y - 0.01 * room)], MODEL, 1.0)?;
            chart.note((0.5 * (from + to), y + 0.02 * room), pair.stars, HPos::Center, MODEL)?;
        }
        Ok(())
    })
}

/// Points at the left, the box in the middle: quartiles and median, whiskers to the last agents within 1.5 boxes.
fn draw(chart: &mut Chart, middle: f64, group: &Group, colour: plotters::style::RGBColor) -> plot::Drawn {
    let mut sorted = group.scores.clone();
    sorted.sort_by(f64::total_cmp);
    // Golden steps spread the points evenly, whatever their order.
    let apart = |k: usize| (k as f64 * 0.618_033_988_749_895).fract() - 0.5;
    let points: Vec<_> = sorted.iter().enumerate().map(|(k, &s)| (middle + 1.6 * HALF * apart(k), s)).collect();
    chart.dots(&points, REFERENCE, 1.4)?;
    let [lower, median, upper] = [0.25, 0.5, 0.75].map(|p| percentile(&sorted, p));
    let reach = 1.5 * (upper - lower);
    let within = extent(sorted.iter().copied().filter(|s| (lower - reach..=upper + reach).contains(s)));
    let (least, most) = within.unwrap_or((lower, upper));
    let (left, right) = (middle - HALF, middle + HALF);
    chart.band(&[(left, lower, upper), (right, lower, upper)], colour)?;
    let outline = [(left, lower), (right, lower), (right, upper), (left, upper), (left, lower)];
    chart.line(&outline, colour, 1.2)?;
    chart.line(&[(left, median), (right, median)], colour, 2.4)?;
    chart.stems(&[(middle, least, lower), (middle, upper, most)], colour, 1.2)?;
    if let Some(published) = group.published {
        chart.line(&[(right + 0.03, published.mean), (right + 0.13, published.mean)], MODEL, 2.0)?;
    }
    Ok(())
}
