//! Curves of many runs in one figure: a line for each group of runs, with the spread among them.

use plotters::style::RGBColor;

use super::axis::{Axis, extent};
use super::curves;
use super::plot::{self, BEST, Chart, Frame, INPUT, LESIONED, MODEL, OFFSPRING, UNIT};
use super::statistics::{Evaluation, percentile};
use crate::config::Task;
use crate::error::Result;
use crate::run::Metrics;

/// Colours of a few lines, told apart also by those who see fewer of them (Okabe & Ito).
const FEW: [RGBColor; 7] = [OFFSPRING, UNIT, BEST, LESIONED, INPUT, RGBColor(230, 159, 0), MODEL];
/// Of many, from the first to the last.
const MANY: [RGBColor; 5] =
    [RGBColor(68, 1, 84), RGBColor(59, 82, 139), RGBColor(33, 145, 140), RGBColor(94, 201, 98), RGBColor(230, 190, 20)];
/// Room for labels at the right, and letters that fit there.
pub const ROOM: f64 = 190.0;
const LETTERS: usize = 30;

/// Labels that have room below each other.
const LABELS: usize = 16;

/// Whether lines are so few that each has a colour that is told from the others, and a band.
fn have_bands(lines: usize) -> bool {
    lines <= FEW.len()
}

/// Whether lines are so few that each has a label.
pub fn are_few(lines: usize) -> bool {
    lines <= LABELS
}

/// Of the line `i` of `lines`.
pub fn colour(i: usize, lines: usize) -> RGBColor {
    if have_bands(lines) {
        return FEW[i % FEW.len()];
    }
    let at = i as f64 / (lines - 1) as f64 * (MANY.len() - 1) as f64;
    let before = (at as usize).min(MANY.len() - 2);
    let (RGBColor(r, g, b), RGBColor(red, green, blue), share) = (MANY[before], MANY[before + 1], at - before as f64);
    let mix = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(mix(r, red), mix(g, green), mix(b, blue))
}

/// A label as long as there is room for.
pub fn short(label: &str) -> String {
    if label.chars().count() <= LETTERS {
        return label.to_owned();
    }
    label.chars().take(LETTERS - 1).chain(['\u{2026}']).collect()
}

/// The records of a run.
pub struct Trajectory {
    pub rows: Vec<Metrics>,
    /// Environment steps of each row.
    pub steps: f64,
}

/// Runs that one line is drawn through.
pub struct Group {
    pub label: String,
    pub runs: Vec<Trajectory>,
}

/// What fitness is drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Generations,
    Steps,
}

/// The line through several runs, and the band around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Middle {
    /// Mean, and one standard deviation on both sides.
    Mean,
    /// Median, and from the least to the largest.
    Median,
}

/// A point of a group: where, the line, and the ends of the band.
type Point = (f64, f64, (f64, f64));

/// The `<svg>` of the centres' fitness, and what a caption must say of it.
///
/// # Errors
/// When it cannot be drawn.
pub fn figure(groups: &[Group], task: Option<&Task>, over: Over, middle: Middle) -> Result<(String, String)> {
    let runs = || groups.iter().flat_map(|group| &group.runs);
    let each = runs().map(|run| curves::group(&run.rows)).max().unwrap_or(1);
    let lines: Vec<Vec<Point>> = groups.iter().map(|group| group.line(each, over, middle)).collect();
    let points = || lines.iter().flatten();
    let values: Vec<f64> = points().flat_map(|&(_, at, (low, high))| [at, low, high]).collect();
    let last = extent(points().map(|point| point.0)).map_or(1.0, |(_, last)| last.max(1.0));
    let (unit, name) = match over {
        Over::Generations => (1.0, "generation"),
        Over::Steps if last >= 1e9 => (1e9, "environment steps (billions)"),
        Over::Steps if last >= 1e6 => (1e6, "environment steps (millions)"),
        Over::Steps if last >= 1e3 => (1e3, "environment steps (thousands)"),
        Over::Steps => (1.0, "environment steps"),
    };
    let labelled = are_few(groups.len());
    let right = if labelled { ROOM } else { 0.0 };
    let svg = plot::figure(360, |canvas| {
        let ticks = if over == Over::Generations { (last as usize).min(6) } else { 6 };
        let (x, y) =
            (Axis::linear(name, 0.0, last / unit, ticks), curves::axis(task, "fitness of the centre", &values));
        let mut chart = Chart::new(canvas, &Frame { right, ..Frame::default() }, x, y)?;
        for (i, line) in lines.iter().enumerate() {
            let band: Vec<_> = line.iter().map(|&(x, _, (low, high))| (x / unit, low, high)).collect();
            // Many bands would hide each other.
            if have_bands(groups.len()) && groups[i].runs.len() > 1 {
                chart.band(&band, colour(i, groups.len()))?;
            }
        }
        for (i, line) in lines.iter().enumerate() {
            let points: Vec<_> = line.iter().map(|&(x, at, _)| (x / unit, at)).collect();
            chart.line(&points, colour(i, groups.len()), 1.5)?;
        }
        if !labelled {
            return Ok(());
        }
        let ends: Vec<_> = lines.iter().map(|line| line.iter().rev().find(|point| point.1.is_finite())).collect();
        let names: Vec<String> = groups.iter().map(|group| short(&group.label)).collect();
        let labels: Vec<_> = (ends.iter().zip(&names).enumerate())
            .filter_map(|(i, (end, name))| Some((end.as_ref()?.1, name.as_str(), colour(i, groups.len()))))
            .collect();
        chart.coloured_labels(&labels)
    })?;
    Ok((svg, caption(groups, each, middle)))
}

fn caption(groups: &[Group], each: usize, middle: Middle) -> String {
    let mut caption =
        "Fitness of the unperturbed centre on each generation's own episodes. Higher is better.".to_owned();
    if groups.iter().any(|group| group.runs.len() > 1) {
        caption += match middle {
            Middle::Mean => " Lines: mean over runs that differ in their seed alone",
            Middle::Median => " Lines: median over seeds",
        };
        caption += match middle {
            _ if !have_bands(groups.len()) => ".",
            Middle::Mean => "; bands: one standard deviation.",
            Middle::Median => "; bands: from the worst to the best.",
        };
    }
    if !are_few(groups.len()) {
        caption += " From the first, dark, to the last, light.";
    }
    if each > 1 {
        caption += &format!(" Every point is the median of {each} neighbouring generations.");
    }
    caption
}

impl Group {
    fn line(&self, each: usize, over: Over, middle: Middle) -> Vec<Point> {
        let curves: Vec<_> = self.runs.iter().map(|run| curves::medians(&run.rows, each, |row| row.centre)).collect();
        let longest = curves.iter().map(Vec::len).max().unwrap_or(0);
        (0..longest)
            .map(|k| {
                let there = curves.iter().zip(&self.runs).filter_map(|(curve, run)| Some((curve.get(k)?, run)));
                let mut values: Vec<f64> =
                    there.clone().map(|(point, _)| point.1).filter(|at| at.is_finite()).collect();
                values.sort_by(f64::total_cmp);
                let at = |(point, run): (&(f64, f64), &Trajectory)| match over {
                    Over::Generations => point.0,
                    Over::Steps => run.steps * (point.0 + 1.0),
                };
                let x = there.map(at).reduce(f64::max).unwrap_or(f64::NAN);
                match middle {
                    Middle::Mean => {
                        let Evaluation { mean, sd, .. } = Evaluation::of(&values);
                        (x, mean, (mean - sd, mean + sd))
                    }
                    Middle::Median => {
                        let [low, median, high] = [0.0, 0.5, 1.0].map(|p| percentile(&values, p));
                        (x, median, (low, high))
                    }
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(fitness: &[f32]) -> Trajectory {
        let row = |(g, &centre): (usize, &f32)| Metrics {
            generation: g as u32,
            best: centre,
            mean: centre,
            std: 1.0,
            centre,
            env_steps_per_s: 1.0,
            seconds: 1.0,
        };
        Trajectory { rows: fitness.iter().enumerate().map(row).collect(), steps: 100.0 }
    }

    #[test]
    fn a_line_goes_through_the_middle_of_its_runs() {
        let runs = vec![run(&[-4.0, -2.0, -1.0]), run(&[-8.0, -6.0, -3.0]), run(&[f32::NAN, -40.0])];
        let group = Group { label: "a".into(), runs };
        assert_eq!(
            group.line(1, Over::Generations, Middle::Median),
            [(0.0, -6.0, (-8.0, -4.0)), (1.0, -6.0, (-40.0, -2.0)), (2.0, -2.0, (-3.0, -1.0)),]
        );
        let means = group.line(1, Over::Steps, Middle::Mean);
        assert_eq!(
            means.iter().map(|point| (point.0, point.1)).collect::<Vec<_>>(),
            [(100.0, -6.0), (200.0, -16.0), (300.0, -2.0),]
        );
        let sd = 8f64.sqrt();
        assert!((means[0].2.0 + 6.0 + sd).abs() < 1e-12 && (means[0].2.1 + 6.0 - sd).abs() < 1e-12);
        // The longest run decides how many rows are a point.
        assert_eq!(group.line(2, Over::Generations, Middle::Median).len(), 2);
    }

    #[test]
    fn figures_hold_no_number_that_is_none() {
        let nan = f32::NAN;
        for groups in [1, 3, 7, 8, 16, 40] {
            for fitness in [&[][..], &[nan], &[-5.0], &[-900.0, nan, -1.0], &[2.0, 2.0]] {
                let group = |i| Group {
                    label: format!("a = {i} & <b> and more than there is room for"),
                    runs: vec![run(fitness), run(fitness)],
                };
                let groups: Vec<Group> = (0..groups).map(group).collect();
                for over in [Over::Generations, Over::Steps] {
                    let (svg, caption) = figure(&groups, None, over, Middle::Mean).unwrap();
                    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                    roxmltree::Document::parse(&svg).unwrap();
                    assert_eq!(caption.contains("From the first"), groups.len() > 16);
                }
            }
        }
    }

    #[test]
    fn lines_are_told_apart() {
        for lines in [2, 7, 8, 60] {
            let all: std::collections::HashSet<_> =
                (0..lines).map(|i| colour(i, lines)).map(|c| (c.0, c.1, c.2)).collect();
            assert_eq!(all.len(), lines);
        }
        assert_eq!(short("abc"), "abc");
        assert_eq!(short(&"x".repeat(50)).chars().count(), LETTERS);
    }
}
