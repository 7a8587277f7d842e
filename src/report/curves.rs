//! Fitness over generations: best, mean, spread and centre, with the known results of the task as reference lines.

use super::axis::Axis;
use super::html::{Figure, number};
use super::plot::{self, BEST, Chart, Frame, Key, Mark, OFFSPRING, REFERENCE, UNIT};
use super::statistics::percentile;
use crate::config::{Iaf, Maze, Stdp, Task};
use crate::error::Result;
use crate::run::Metrics;

const LABEL: &str = "fitness, mean over episodes";
/// Points of a curve at most. With more, the noise of single generations hides the curves from each other.
const POINTS: usize = 350;

/// A fitness to compare with, and how far it spreads where that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reference {
    label: &'static str,
    fitness: f64,
    std: f64,
}

impl Reference {
    const fn new(label: &'static str, fitness: f64) -> Self {
        Self { label, fitness, std: 0.0 }
    }
}

/// Silence and the best clock were measured on this crate's task; the ENU's are Table 1 of Bertens & Lee 2020.
const IAF: &[Reference] = &[
    Reference::new("silence", -888.0),
    Reference::new("best input-blind clock", -57.0),
    Reference { label: "ENU of the paper", fitness: -18.22, std: 2.44 },
];
/// The paper's own STDP scores are left out: their sum is over another number of episodes.
const STDP: &[Reference] = &[Reference::new("silence", -25.2), Reference::new("output = input", -0.33)];
const STDP_COMPLEX: &[Reference] = &[Reference::new("silence", -29.3), Reference::new("output = input", -1.28)];

/// Table 1 and Extended Data Table 1 of Bertens & Lee 2020.
const T_MAZE: &[Reference] = &[
    Reference::new("ENU of the paper", 36.65),
    Reference::new("NFENU", 31.18),
    Reference::new("LSTM", 26.33),
    Reference::new("GRU", 26.16),
    Reference::new("one chromosome", 21.37),
];
const DOUBLE_T_MAZE: &[Reference] = &[
    Reference::new("ENU of the paper", 18.79),
    Reference::new("NFENU", 18.39),
    Reference::new("GRU", 16.91),
    Reference::new("LSTM", 16.42),
    Reference::new("one chromosome", 12.35),
];

/// Known results hold for the task's default settings only; how episodes of evolution depart from them for a while, the
/// caption says.
fn references(task: &Task) -> &'static [Reference] {
    let default_stdp = |t: &Stdp| *t == Stdp { environments: t.environments, ..Stdp::default() };
    match task {
        Task::Iaf(t) if paper_episodes(t) => IAF,
        Task::Stdp(t) if default_stdp(t) => STDP,
        Task::StdpComplex(t) if default_stdp(t) => STDP_COMPLEX,
        Task::TMaze(t) if paper_maze(t, 4, 1) => T_MAZE,
        Task::DoubleTMaze(t) if paper_maze(t, 1, 3) => DOUBLE_T_MAZE,
        _ => &[],
    }
}

fn paper_episodes(task: &Iaf) -> bool {
    let &Iaf { environments, shared, shared_decay, .. } = task;
    *task == Iaf { environments, shared, shared_decay, ..Iaf::default() }
}

/// What is shuffled together is a reading of the paper as well.
fn paper_maze(task: &Maze, swap_after: u32, poisons: u32) -> bool {
    let &Maze { environments, shuffle_together, .. } = task;
    let (swap_after, poisons) = (Some(swap_after), Some(poisons));
    *task == Maze { environments, shuffle_together, swap_after, poisons, ..Maze::default() }
}

/// The figure, from one row or more.
///
/// # Errors
/// When it cannot be drawn.
pub fn fitness(task: &Task, rows: &[Metrics]) -> Result<Figure> {
    let references = references(task);
    let last = rows.last().map_or(0.0, |row| f64::from(row.generation));
    let curves = [
        (curve(rows, |row| row.best), BEST),
        (curve(rows, |row| row.mean), OFFSPRING),
        (curve(rows, |row| row.centre), UNIT),
    ];
    let drawn = curves.iter().flat_map(|(points, _)| points).map(|point| point.1);
    let values: Vec<f64> = drawn.chain(references.iter().map(|r| r.fitness)).collect();
    let last = last.max(1.0);
    // No more ticks than generations, so that they stay whole.
    let x = Axis::linear("generation", 0.0, last, (last as usize).min(6));
    let y = axis(Some(task), LABEL, &values);
    let keys = [
        Key { mark: Mark::Line, colour: BEST, label: "best offspring" },
        Key { mark: Mark::Line, colour: OFFSPRING, label: "mean of offspring" },
        Key { mark: Mark::Band, colour: OFFSPRING, label: "mean ± sd" },
        Key { mark: Mark::Line, colour: UNIT, label: "centre" },
    ];
    // As long as the longest of them in a wide font.
    let right = if references.is_empty() { 0.0 } else { 200.0 };
    let svg = plot::figure(360, |canvas| {
        let mut chart = Chart::new(canvas, &Frame { keys: &keys, right, ..Frame::default() }, x, y)?;
        draw_references(&mut chart, references, last)?;
        let (low, high) = (curve(rows, |row| row.mean - row.std), curve(rows, |row| row.mean + row.std));
        let spread: Vec<_> = low.into_iter().zip(high).map(|((x, low), (_, high))| (x, low, high)).collect();
        chart.band(&spread, OFFSPRING)?;
        curves.iter().try_for_each(|(points, colour)| chart.line(points, *colour, 1.5))
    })?;
    Ok(Figure {
        id: "fitness",
        title: "Fitness over generations".into(),
        head: String::new(),
        svg,
        caption: caption(task, rows, references),
    })
}

/// An axis for fitness in a task, or of a search of a column.
pub fn axis(task: Option<&Task>, label: &str, values: &[f64]) -> Axis {
    match task {
        // Food less poison: small whole numbers of either sign.
        // So is what lives in assays are worth.
        Some(Task::TMaze(_) | Task::DoubleTMaze(_) | Task::Assay(_)) => Axis::around(label, values.iter().copied(), 6),
        _ => Axis::fitness(label, values.iter().copied()),
    }
}

fn draw_references(chart: &mut Chart, references: &[Reference], last: f64) -> plot::Drawn {
    let mut labels = Vec::new();
    for r in references {
        let spread = if r.std > 0.0 { format!(" ± {}", number(r.std)) } else { String::new() };
        labels.push((r.fitness, format!("{} {}{spread}", r.label, number(r.fitness))));
        if r.std > 0.0 {
            let (low, high) = (r.fitness - r.std, r.fitness + r.std);
            chart.band(&[(0.0, low, high), (last, low, high)], REFERENCE)?;
        }
        chart.dashes((0.0, r.fitness), (last, r.fitness), REFERENCE, 1.0)?;
    }
    chart.right_labels(&labels, REFERENCE)
}

fn caption(task: &Task, rows: &[Metrics], references: &[Reference]) -> String {
    let mut caption = String::from(
        "Fitness of each generation on its own, new episodes: the best and the mean of the offspring, the spread among \
         them (one standard deviation), and the unperturbed centre on the same episodes. Higher is better.",
    );
    if let Task::Iaf(Iaf { shared, shared_decay, .. }) = task
        && *shared > 0.0
    {
        caption.push_str(&format!(
            " A share of each current, {shared} at first and {shared_decay} times as much after every generation, is common \
             to the whole episode; known results are for none."
        ));
    }
    if let Task::TMaze(maze) | Task::DoubleTMaze(maze) = task
        && (maze.dark > 0.0 || maze.poison_reward != -1.0)
    {
        caption.push_str(&format!(
            " In these episodes, but not in fresh ones, the colour sensors are dark with probability {}, and poison earns {}.",
            number(f64::from(maze.dark)),
            number(f64::from(maze.poison_reward)),
        ));
    }
    if !references.is_empty() {
        caption.push_str(" Dashed: known results for the task's default settings.");
    }
    if group(rows) > 1 {
        caption.push_str(&format!(" Every point is the median of {} neighbouring generations.", group(rows)));
    }
    let broken = rows.iter().filter(|row| !row.mean.is_finite() || !row.centre.is_finite()).count();
    if broken > 0 {
        caption.push_str(&format!(" In {broken} generation(s) a value is not finite; the curves have gaps there."));
    }
    caption
}

/// Rows that are drawn as one point.
pub fn group(rows: &[Metrics]) -> usize {
    rows.len().div_ceil(POINTS).max(1)
}

/// A curve through every row, or through the medians of groups of rows; NaN where a group has no finite value.
fn curve(rows: &[Metrics], value: impl Fn(&Metrics) -> f32) -> Vec<(f64, f64)> {
    medians(rows, group(rows), value)
}

/// Through the medians of `each` neighbouring rows.
pub fn medians(rows: &[Metrics], each: usize, value: impl Fn(&Metrics) -> f32) -> Vec<(f64, f64)> {
    let point = |rows: &[Metrics]| {
        let mut values: Vec<f64> = rows.iter().map(|row| f64::from(value(row))).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        (f64::from(rows[rows.len() / 2].generation), percentile(&values, 0.5))
    };
    rows.chunks(each).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(generation: u32, mean: f32) -> Metrics {
        let (best, std, centre) = (mean / 2.0, mean.abs() / 4.0, mean * 0.9);
        Metrics { generation, best, mean, std, centre, env_steps_per_s: 1e6, seconds: 0.1 }
    }

    fn iaf() -> Task {
        Task::Iaf(Iaf::default())
    }

    #[test]
    fn known_results_are_drawn_for_the_default_task_only() {
        let rows: Vec<_> = (0..50).map(|g| row(g, -1000.0 / (1.0 + g as f32))).collect();
        let figure = fitness(&iaf(), &rows).unwrap();
        for label in ["best input-blind clock −57", "silence −888", "ENU of the paper −18.2 ± 2.44"] {
            assert!(figure.svg.contains(label), "{label}");
        }
        assert!(figure.svg.contains("log scale"));
        let fading = fitness(&Task::Iaf(Iaf { shared: 0.5, ..Iaf::default() }), &rows).unwrap();
        assert!(fading.svg.contains("silence −888") && fading.caption.contains("A share of each current, 0.5"));
        let other = fitness(&Task::Iaf(Iaf { steps: 50, ..Iaf::default() }), &rows).unwrap();
        assert!(!other.svg.contains("silence"));
    }

    #[test]
    fn a_maze_has_a_linear_axis_and_the_papers_results_for_the_papers_setting() {
        // All negative and far apart, which other tasks show on a logarithmic axis.
        let rows: Vec<_> = (0..50).map(|g| row(g, -8.0 / (1.0 + g as f32))).collect();
        let given =
            |swap_after, poisons| Maze { swap_after: Some(swap_after), poisons: Some(poisons), ..Maze::default() };
        let (single, double) = (given(4, 1), given(1, 3));
        let shown = |task| fitness(&task, &rows).unwrap();
        for (task, best, worst) in [
            (Task::TMaze(single.clone()), "ENU of the paper 36.6", "one chromosome 21.4"),
            (Task::TMaze(Maze { environments: 16, ..single.clone() }), "ENU of the paper 36.6", "one chromosome 21.4"),
            (Task::DoubleTMaze(double.clone()), "ENU of the paper 18.8", "one chromosome 12.3"),
        ] {
            let svg = shown(task).svg;
            assert!(svg.contains(best) && svg.contains(worst) && !svg.contains("log scale"), "{best}");
        }
        for other in [
            Maze { actions: 100, ..single.clone() },
            Maze { dark: 0.5, ..single.clone() },
            Maze { poison_reward: 0.0, ..single.clone() },
            double,
        ] {
            let figure = shown(Task::TMaze(other.clone()));
            assert!(!figure.svg.contains("ENU of the paper") && !figure.svg.contains("log scale"), "{other:?}");
            let eased = other.dark > 0.0 || other.poison_reward > -1.0;
            assert_eq!(figure.caption.contains("but not in fresh ones"), eased, "{other:?}");
        }
    }

    #[test]
    fn one_generation_and_broken_rows_are_drawn_without_nan() {
        let nan = Metrics { best: f32::NAN, mean: f32::NAN, std: f32::NAN, centre: f32::NEG_INFINITY, ..row(1, 0.0) };
        let cases = [vec![row(0, -500.0)], vec![nan], vec![row(0, -900.0), nan, row(2, -700.0)], vec![row(0, 0.0)]];
        for rows in cases {
            let svg = fitness(&iaf(), &rows).unwrap().svg;
            assert!(svg.starts_with("<svg") && !svg.contains("NaN") && !svg.contains("inf"), "{rows:?}");
        }
    }

    #[test]
    fn a_long_run_is_drawn_as_medians_that_one_bad_generation_cannot_move() {
        let mut rows: Vec<_> = (0..30_000).map(|g| row(g, -100.0 - (g % 7) as f32)).collect();
        rows[12_345].mean = -2000.0;
        rows[20_000].mean = f32::NAN;
        let points = curve(&rows, |row| row.mean);
        assert!(points.len() <= POINTS && points.len() > POINTS / 2, "{}", points.len());
        assert!(points.iter().all(|(_, y)| (-104.0..=-102.0).contains(y)));
        assert!(points.windows(2).all(|p| p[0].0 < p[1].0), "in order");
        let figure = fitness(&iaf(), &rows).unwrap();
        assert!(figure.svg.len() < 50_000 && figure.caption.contains("median of 86 neighbouring generations"));
        assert_eq!(curve(&rows[..300], |row| row.best).len(), 300, "a short run is drawn as it is");
    }
}
